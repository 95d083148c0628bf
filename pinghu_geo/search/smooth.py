"""A line an engineer would draw: changes of direction that follow closely have to be worth it.

A design's line bends at a station where the change of offset per metre does. A bend that follows
another of the same bank within a stated way has a price, so that a house has to be worth a stated
sum for the line to zigzag for it. The design found is drawn otherwise where bends follow closely,
as by local rules (`jogs`): straight from bend to bend or with longer slants, at any offset between
those of the menu. Such a line is drawn where all rivers still keep the levels allowed, by sections
and steps of their own for its offsets; what it costs is counted as drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array, pack
from pinghu_geo.flood.steady import WINDOW, Model
from pinghu_geo.search.basin import Basin, BasinSolution
from pinghu_geo.search.jogs import SAME_SLOPE, Bends, BentLine, LineRules, less_bent
from pinghu_geo.search.joint import Stretch, across
from pinghu_geo.search.problem import EXCESS_M, LEAST_GROWTH
from pinghu_geo.search.stretch import ABOVE_M, DrawnLine, Reach
from pinghu_geo.search.walls import Half, ground_of

__all__ = ["BentRiver", "Place", "smoothed_rivers"]

# levels that are one: what lies upstream stays as it is [m]
SAME_LEVEL_M = 1e-9


class Place(NamedTuple):
    """Stations between which bends follow closely, how many, what they save, and by how much.

    ``worth`` is what the houses cost more that both banks drawn straight past them would take, at
    least; NaN: no such line may be drawn. ``over_mm`` is by how much the level then passes what is
    allowed; NaN: it doesn't.
    """

    first: int
    last: int
    bends: int
    worth: float
    over_mm: float


@dataclass(frozen=True, slots=True)
class BentRiver:
    """A river's line that bends seldom, whom it takes, what it costs more than the line searched.

    ``places`` are those where it still bends closely, ``rules`` what it may do and what that costs.
    """

    line: DrawnLine
    touched: Array
    dearer: float
    places: list[Place]
    rules: LineRules


def _rules_of(
    reach: Reach, stretches: list[Stretch], walls: Array, limits: Mapping[str, float]
) -> LineRules:
    """What a river's line may do within its stretches, with walls (2, stations), and its price."""
    options = reach.options
    shape = (*reach.works.shape[:2], len(options.moves), len(options.walls))
    works = np.take_along_axis(reach.works.reshape(shape), walls[:, :, None, None], 3)[..., 0]
    free, cost = np.zeros(len(reach.measure), bool), np.zeros(len(reach.cost))
    for one in stretches:
        free[one.first + 1 : one.last] = True
        cost[one.who] = reach.cost[one.who]
    still = np.arange(len(options.moves)) == options.still
    works = np.where(free[:, None] | still, works, np.inf)
    return LineRules(
        reach.measure, options.moves, works, limits["change_yuan_m"], limits["taper"], None, None,
        reach.contacts, cost,
    )  # fmt: skip


class _RiverWater:
    """Levels (floods, stations) of one river with a line, and its sections."""

    def __init__(self, reach: Reach, stretches: list[Stretch], line: DrawnLine, level: Array):
        self.reach, self.line, self.level = reach, line, level
        # gaps between stations where sections are those of the line
        self.own = np.zeros(len(reach.measure), bool)
        for one in stretches:
            self.own[one.first : one.last] = True
        self._halves: dict[tuple[int, int, float, int], Half | None] = {}

    def _half(self, side: int, i: int, line: DrawnLine) -> Half | None:
        """Half a section of a line as far as it may be wet; None: it has no bed."""
        key = (side, i, float(line.moves[side, i]), int(line.walls[side, i]))
        if key not in self._halves:
            made = self.reach.rebuilt(side, i, line)
            dry = float(self.reach.most[:, i].max()) + ABOVE_M
            self._halves[key] = None if made is None else made.trimmed(dry)
        return self._halves[key]

    def _models_of(self, line: DrawnLine, first: int, last: int) -> list[Model] | None:
        """Sections at stations whose gaps are alike, by flood; None: one has no bed.

        Those of the line, or of the whole approved river.
        """
        reach, pairs = self.reach, list[tuple[float, Half, Half]]()
        if not self.own[first]:
            return [flood.model for flood in reach.floods]
        for i in range(first, last + 1):
            left, right = (self._half(side, i, line) for side in (0, 1))
            if left is None or right is None:
                return None
            pairs.append((float(reach.river.middle[i]), left, right))
        ground, *banks = ground_of(pairs)
        base, many = reach.floods[0].model, last + 1 - first
        rows = base.rows[first : last + 1, 0]
        model = Model(
            pack(ground, banks=(banks[0], banks[1])), np.arange(many)[:, None],
            np.zeros((many, 1)), np.zeros((many, 3)), base.contraction[rows],
            base.expansion[rows], base.friction, base.gravity,
        )  # fmt: skip
        return [
            model.with_lengths(np.repeat(flood.length[first : last + 1, None], 3, axis=1))
            for flood in reach.floods
        ]

    def levels_with(
        self, line: DrawnLine, first: int, last: int, *, all_the_way: bool = False
    ) -> Array | None:
        """Levels with a line that differs from one station to another; None: not allowed."""
        low = min(last + 1, self.level.shape[1] - 1)
        made = self.marched(
            line, low, self.level[:, low], same_above=first, all_the_way=all_the_way
        )
        return None if made is None else np.concatenate([made, self.level[:, low + 1 :]], axis=1)

    def marched(
        self, line: DrawnLine, low: int, level: Array, *, same_above: int,
        all_the_way: bool = False,
    ) -> Array | None:  # fmt: skip
        """Levels (floods, stations) of a line up from those at station ``low``; None: not allowed.

        Above ``same_above`` the line is as before, so that levels that are as before stay so.
        ``all_the_way``: whatever is allowed.
        """
        found, left = np.empty((len(level), low + 1)), list(range(len(level)))
        found[:, low] = level
        while low and left:
            up = self._run_up_from(low)
            models = self._models_of(line, up, low)
            if models is None:
                return None
            for f in left:
                run, calm = self._levels_of_run(models[f], f, up, low, found[f, low])
                found[f, up : low + 1] = run
                fine = calm and bool((run[:-1] <= self.reach.most[f, up:low] + EXCESS_M).all())
                if not (fine or (all_the_way and np.isfinite(run).all())):
                    return None
                same = np.abs(run - self.level[f, up : low + 1]) <= SAME_LEVEL_M
                k = up + np.flatnonzero(same[: max(same_above - up, 0)]).max(initial=-1)
                if k >= up:
                    found[f, :k] = self.level[f, :k]
                    left = [other for other in left if other != f]
            low = up
        return found

    def _run_up_from(self, low: int) -> int:
        """How far up gaps are alike above a station: stations that are solved at once."""
        up = low - 1
        if up in self.reach.crossed:
            return up
        while (
            up > max(0, low - WINDOW)
            and up - 1 not in self.reach.crossed and self.own[up - 1] == self.own[up]
        ):  # fmt: skip
            up -= 1
        return up

    def _levels_of_run(
        self, model: Model, f: int, up: int, low: int, level: float
    ) -> tuple[Array, bool]:
        """Levels of stations whose gaps are alike, the lowest known, and whether it is calm there.

        A gap's lower station is that of its own sections, too.
        """
        if up in self.reach.crossed:
            return np.append(across(model, up, np.array([level])), level), True
        part, own = slice(up, low + 1), bool(self.own[up])
        rows = np.arange(low + 1 - up) if own else model.rows[part, 0]
        flow = self.reach.floods[f].model.discharge[part, 0]
        before = self.level[f, part]
        near = before + (level - before[-1])
        found = model.levels_above(rows, flow, np.array([level]), near[:, None])[:, 0]
        if not own:
            return found, True
        grows = model.state(rows[1:], flow[1:], found[1:]).grows
        return found, bool((grows >= LEAST_GROWTH - SAME_SLOPE).all())


@dataclass(slots=True)
class _Waters:
    """Rivers that join, with their lines and levels."""

    basins: dict[str, Basin]
    rivers: dict[str, _RiverWater]

    @classmethod
    def of(cls, basin: Basin, solution: BasinSolution) -> _Waters:
        """As the design found has them."""
        basins, rest = {}, [basin]
        while rest:
            one = rest.pop()
            basins[one.reach.name] = one
            rest += [inflow.basin for inflow in one.inflows]
        rivers = {}
        for name, found in solution.rivers.items():
            reach, stretches = basins[name].reach, found.chain.stretches
            chosen = np.full((2, len(reach.measure)), reach.options.base)
            for stretch, options in zip(stretches, found.solution.options, strict=True):
                chosen[:, stretch.first : stretch.last + 1] = options
            level = found.chain.levels(found.solution, found.level)
            rivers[name] = _RiverWater(reach, stretches, reach.options.line(chosen), level)
        return cls(basins, rivers)

    def takes(self, name: str, moves: Array, first: int, last: int) -> bool:
        """Whether all rivers keep what is allowed with other moves of one; then have them."""
        water = self.rivers[name]
        line = DrawnLine(moves, water.line.walls)
        levels = water.levels_with(line, first, last)
        above = None if levels is None else self._levels_of_inflows(name, levels)
        if levels is None or above is None:
            return False
        water.line, water.level = line, levels
        for other, own in above.items():
            self.rivers[other].level = own
        return True

    def _levels_of_inflows(self, name: str, levels: Array) -> dict[str, Array] | None:
        """Levels of the rivers that join one; None: one doesn't keep what is allowed."""
        found: dict[str, Array] = {}
        for inflow in self.basins[name].inflows:
            other = inflow.basin.reach.name
            water, level = self.rivers[other], inflow.level(levels)
            last = water.level.shape[1] - 1
            if (np.abs(level - water.level[:, -1]) <= SAME_LEVEL_M).all():
                continue
            own = water.marched(water.line, last, level, same_above=last)
            above = None if own is None else self._levels_of_inflows(other, own)
            if own is None or above is None:
                return None
            found |= {other: own} | above
        return found

    def over_mm(self, name: str, moves: Array) -> float:
        """How far the river passes what is allowed with other moves; NaN: it doesn't."""
        water = self.rivers[name]
        differs = np.flatnonzero((moves != water.line.moves).any(axis=0))
        made = water.levels_with(
            DrawnLine(moves, water.line.walls), int(differs[0]), int(differs[-1]), all_the_way=True
        )
        if made is None:
            return float("nan")
        over = 1000 * float((made - water.reach.most).max())
        return over if over > 1000 * EXCESS_M else float("nan")


def smoothed_rivers(
    basin: Basin, solution: BasinSolution, bends: Bends, limits: Mapping[str, float]
) -> dict[str, BentRiver]:
    """Lines of rivers that join with fewer bends; they are counted anew as drawn."""
    water, made = _Waters.of(basin, solution), {}
    for name, river in solution.rivers.items():
        one = water.rivers[name]
        rules = _rules_of(one.reach, river.chain.stretches, one.line.walls, limits)
        before = BentLine(rules, bends, one.line.moves)

        def keeps(moves: Array, first: int, last: int, name: str = name) -> bool:
            return water.takes(name, moves, first, last)

        less_bent(rules, bends, one.line.moves, keeps)
        line = BentLine(rules, bends, one.line.moves, keeps)
        _draw_cheap_places_straight(line, bends)
        made[name] = BentRiver(
            one.line, line.held > 0, line.cost() - before.cost(),
            _places_left(line, water, name), rules,
        )  # fmt: skip
    return made


def _draw_cheap_places_straight(line: BentLine, bends: Bends) -> None:
    """Draw straight what saves no more than the sum, wherever the rivers keep their levels."""
    done: set[tuple[int, int]] = set()
    while left := [place for place in line.places() if place not in done]:
        done.add(left[0])
        ways = list(line.ways_past(*left[0]))
        judged = line.judged(ways)
        cheap = judged.allowed & (judged.dearer <= bends.yuan) & (judged.fewer > 0)
        for k in np.flatnonzero(cheap).tolist():
            if line.taken(ways[k]):
                break


def _places_left(line: BentLine, water: _Waters, name: str) -> list[Place]:
    """Where bends still follow closely, and what keeps them: of straight lines the cheapest one."""
    found = []
    for first, last in line.places():
        ways = list(line.ways_past(first, last))
        judged = line.judged(ways)
        some = np.flatnonzero(
            judged.allowed & (judged.fewer > 0) & np.isfinite(judged.dearer)
        ).tolist()
        worth, over = float("nan"), float("nan")
        if some:
            k = min(some, key=judged.worth.__getitem__)
            worth = float(judged.worth[k])
            over = water.over_mm(name, line.with_changes(ways[k]))
        found.append(Place(first, last, line.close_within(first, last), worth, over))
    return found
