"""A line an engineer would draw: changes of direction that follow closely have to be worth it.

A design's line bends at a station where the change of offset per metre does. A bend that follows
another of the same bank within a stated way has a price, so that a house has to be worth a stated
sum for the line to zigzag for it. Stretch by stretch, the cheapest line of each bank with these
prices is found by dynamic programming over offset, direction and the last bend, with a price on
width that keeps both banks together as wide as before, or both banks as one that is shifted. Such
a line is taken where the whole river still keeps the levels allowed, by the same marches as all
designs; the bound of the search holds for it as for every line of the menu.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.search.basin import Basin, BasinSolution
from pinghu_geo.search.jogs import SAME_SLOPE, SAME_WAY_M, Bends
from pinghu_geo.search.joint import Chain, ChainSolution, Stretch, rising
from pinghu_geo.search.problem import (
    EXCESS_M,
    LEAST_GROWTH,
    NodeProblem,
    design_cost,
    touched_by,
)
from pinghu_geo.search.stretch import Options, Reach

__all__ = ["Place", "places_of", "smoothed", "smoothed_rivers"]

# how much a design must be cheaper to be taken
CHEAPER = 1e-6
# prices of width that are tried, and lines whose levels are looked at, in a stretch
TURNS = 10
MOST_TRIALS = 60
# levels that are one: what lies upstream stays as it is [m]
SAME_LEVEL_M = 1e-9


class Place(NamedTuple):
    """Stations of a stretch between which bends follow closely, how many, and what they save.

    ``worth`` is what the houses cost that both banks drawn straight from end to end would take;
    where a straight line lies between two offsets of the menu, the one nearer to the river counts.
    """

    first: int
    last: int
    bends: int
    worth: float


def places_of(
    problem: NodeProblem, options: Options, measure: Array, chosen: Array, bends: Bends
) -> list[Place]:
    """Where bends of a stretch follow closely, from upstream to downstream."""
    runs: list[list[int]] = []
    moves = options.move()[chosen]
    for own in moves:
        at = bends.stations(own, measure)
        close = np.diff(measure[at]) < bends.every_m - SAME_WAY_M
        runs += [[int(a), int(b)] for a, b, c in zip(at[:-1], at[1:], close, strict=True) if c]
    merged: list[list[int]] = []
    for a, b in sorted(runs):
        if merged and a <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], b)
        else:
            merged.append([a, b])
    taken = touched_by(problem, chosen)
    found = []
    for a, b in merged:
        more = touched_by(problem, _straight(options, chosen, a, b, np.floor)) & ~taken
        many = sum(_close_within(bends, own, measure, a, b) for own in moves)
        found.append(Place(a, b, many, float(problem.cost[more].sum())))
    return found


def _close_within(bends: Bends, moves: Array, measure: Array, first: int, last: int) -> int:
    """Close bends of a bank between two stations."""
    at = bends.stations(moves, measure)
    at = measure[at[(at >= first) & (at <= last)]]
    return int((np.diff(at) < bends.every_m - SAME_WAY_M).sum())


def _straight(
    options: Options, chosen: Array, first: int, last: int, rounded: Callable[[Array], Array]
) -> Array:
    """Both banks straight from one station to another, as near as the menu allows."""
    walls = len(options.walls)
    made, at = chosen.copy(), np.arange(first, last + 1)
    for own in made:
        move = np.interp(at, [first, last], own[[first, last]] // walls)
        own[at] = rounded(np.round(move, 9)).astype(int) * walls + own[at] % walls
    return made


@dataclass(slots=True)
class _RiverLevels:
    """Levels (floods, stations) of rivers that join, with a design's options."""

    basins: dict[str, Basin]
    chains: dict[str, Chain]
    options: dict[str, list[Array]]
    levels: dict[str, Array]

    @classmethod
    def of(cls, basin: Basin, solution: BasinSolution) -> _RiverLevels:
        """As the design found has them."""
        basins, rest = {}, [basin]
        while rest:
            one = rest.pop()
            basins[one.reach.name] = one
            rest += [inflow.basin for inflow in one.inflows]
        rivers = solution.rivers
        return cls(
            basins, {name: one.chain for name, one in rivers.items()},
            {name: list(one.solution.options) for name, one in rivers.items()},
            {name: one.chain.levels(one.solution, one.level) for name, one in rivers.items()},
        )  # fmt: skip

    def fits(self, name: str, k: int, trials: list[Array]) -> Array:
        """Which trials keep a stretch's own levels, for those that arrive now."""
        stretch, p = self.chains[name].stretches[k], self.chains[name].stretches[k].problem
        chosen = np.array(trials)
        many, n = len(chosen), chosen.shape[2]
        fine = np.ones(many, bool)
        here = slice(stretch.first, stretch.last + 1)
        for f, water in enumerate(p.waters):
            level = np.full(many, self.levels[name][f, stretch.last])
            found, state = np.empty((n, many)), None
            for i in range(n - 1, -1, -1):
                rows = p.rows[i, chosen[:, 0, i], chosen[:, 1, i]]
                flow = np.full(many, water.discharge[i])
                if state is None:
                    state = water.model.state(rows, flow, level)
                else:
                    state = water.model.step(rows, flow, state)[0]
                found[i] = state.level
            most = self.basins[name].reach.most[f, here]
            fine &= (found <= most[:, None] + EXCESS_M).all(axis=0)
        return fine

    def takes(self, name: str, k: int, trial: Array) -> bool:
        """Whether all rivers keep what is allowed with other options of a stretch; then have it."""
        chain = self.chains[name]
        options = [*self.options[name][:k], trial, *self.options[name][k + 1 :]]
        stretch = chain.stretches[k]
        here = self.levels[name]
        levels = self._levels_from_station(name, options, k, stretch.last, here[:, stretch.last])
        changed = {} if levels is None else self._levels_of_inflows(name, levels)
        if levels is None or changed is None:
            return False
        self.levels |= {name: levels} | changed
        self.options[name] = options
        return True

    def _levels_of_inflows(self, name: str, levels: Array) -> dict[str, Array] | None:
        """Levels of the rivers that join one; None: one doesn't keep what is allowed."""
        found: dict[str, Array] = {}
        for inflow in self.basins[name].inflows:
            other = inflow.basin.reach.name
            level, was = inflow.level(levels), self.levels[other]
            if (np.abs(level - was[:, -1]) <= SAME_LEVEL_M).all():
                continue
            own = self._levels_from_station(other, self.options[other], 0, was.shape[1] - 1, level)
            above = None if own is None else self._levels_of_inflows(other, own)
            if own is None or above is None:
                return None
            found |= {other: own} | above
        return found

    def _levels_from_station(
        self, name: str, options: list[Array], k: int, at: int, level: Array
    ) -> Array | None:
        """Levels from a station up, where stretch k is the next; those below stay.

        None: more than is allowed, or water that isn't clearly subcritical.
        """
        chain, reach = self.chains[name], self.basins[name].reach
        was = self.levels[name]
        found = was.copy()
        found[:, at] = level
        for one, chosen in zip(chain.stretches[k:], options[k:], strict=True):
            if at > one.last:
                way, fine = rising(reach, one.last, at, found[:, [at]])
                if not fine[0]:
                    return None
                found[:, one.last : at + 1] = way[:, :, 0]
            own = one.march.levels_of(chosen, found[:, one.last])
            found[:, one.first : one.last + 1] = own
            if not _is_allowed_and_calm(one, chosen, found, reach.most):
                return None
            at = one.first
            if (np.abs(found[:, at] - was[:, at]) <= SAME_LEVEL_M).all():
                return found
        way, fine = rising(reach, 0, at, found[:, [at]])
        found[:, : at + 1] = way[:, :, 0]
        return found if fine[0] else None


def _is_allowed_and_calm(stretch: Stretch, chosen: Array, levels: Array, most: Array) -> bool:
    """Whether a stretch's levels are allowed and its water is clearly subcritical."""
    here, p = slice(stretch.first, stretch.last + 1), stretch.problem
    rows = p.rows[np.arange(chosen.shape[1]), chosen[0], chosen[1]]
    fine = (levels[:, here] <= most[:, here] + EXCESS_M).all()
    for own, water in zip(levels[:, here], p.waters, strict=True):
        grows = water.model.state(rows, water.discharge, own).grows
        fine &= (grows >= LEAST_GROWTH - SAME_SLOPE).all()
    return bool(fine)


def smoothed_rivers(
    basin: Basin, solution: BasinSolution, bends: Bends
) -> dict[str, ChainSolution]:
    """A design of rivers that join with fewer bends; what it costs at least stays as proven."""
    water = _RiverLevels.of(basin, solution)
    made = {}
    for name, river in solution.rivers.items():
        reach = water.basins[name].reach
        for k, stretch in enumerate(river.chain.stretches):
            smoothed(
                stretch.problem, reach.options, reach.measure[stretch.first : stretch.last + 1],
                water.options[name][k], bends,
                lambda trials, name=name, k=k: water.fits(name, k, trials),  # type: ignore[misc]
                lambda trial, name=name, k=k: water.takes(name, k, trial),  # type: ignore[misc]
            )  # fmt: skip
            _straightened(water, name, k, reach, bends)
    for name, river in solution.rivers.items():
        found, options = river.solution, water.options[name]
        costs = [
            design_cost(s.problem, own)
            for s, own in zip(river.chain.stretches, options, strict=True)
        ]
        more = [max(a - b, 0.0) for a, b in zip(costs, found.costs, strict=True)]
        gaps = [gap + extra for gap, extra in zip(found.gaps, more, strict=True)]
        made[name] = replace(found, options=options, costs=costs, gaps=gaps, cost=sum(costs))
    return made


def _straightened(water: _RiverLevels, name: str, k: int, reach: Reach, bends: Bends) -> None:
    """Draw straight what saves no more than the sum, wherever the rivers keep their levels."""
    stretch = water.chains[name].stretches[k]
    p, measure = stretch.problem, reach.measure[stretch.first : stretch.last + 1]
    move = reach.options.move()

    def many(one: Array) -> int:
        return sum(bends.close(move[one[side]], measure) for side in (0, 1))

    done: set[tuple[int, int]] = set()
    while True:
        chosen = water.options[name][k]
        left = [
            place for place in places_of(p, reach.options, measure, chosen, bends)
            if place.worth <= bends.yuan and (place.first, place.last) not in done
        ]  # fmt: skip
        if not left:
            return
        place = left[0]
        done.add((place.first, place.last))
        for rounded in (np.round, np.floor, np.ceil):
            trial = _straight(reach.options, chosen, place.first, place.last, rounded)
            dearer = design_cost(p, trial) - design_cost(p, chosen)
            if (
                dearer <= bends.yuan and many(trial) < many(chosen)
                and water.takes(name, k, trial)
            ):  # fmt: skip
                break


@dataclass(frozen=True, slots=True)
class _BankCosts:
    """One bank of a stretch, the other one given: what each move and change costs."""

    measure: Array
    moves: Array
    station: Array  # (stations, moves)
    change: Array  # (gaps, moves upstream, moves downstream)
    still: int


def smoothed(
    problem: NodeProblem,
    options: Options,
    measure: Array,
    chosen: Array,
    bends: Bends,
    fits: Callable[[list[Array]], Array],
    keeps: Callable[[Array], bool],
) -> Array:
    """Options (2, stations) of a stretch with fewer bends, or those chosen.

    ``fits`` says of which trials the stretch itself keeps the levels allowed, ``keeps`` whether the
    river does with one; it is asked just of those that are cheaper with the price of bends.
    """
    move = options.move()

    def value(one: Array) -> float:
        many = sum(bends.close(move[one[side]], measure) for side in (0, 1))
        return design_cost(problem, one) + bends.price * many

    best, least = chosen, value(chosen)
    if not any(bends.close(move[chosen[side]], measure) for side in (0, 1)):
        return best
    found = {}
    for trial in _lines_with_fewer_bends(problem, options, measure, chosen, bends):
        for part in _station_masks(chosen, trial):
            gain = least - value(np.where(part, trial, chosen))
            if gain > CHEAPER:
                found[np.where(part, trial, chosen).tobytes()] = (gain, part, trial)
    ranked = sorted(found.values(), key=lambda one: -one[0])[:MOST_TRIALS]
    if not ranked:
        return best
    fine = fits([np.where(part, trial, chosen) for _, part, trial in ranked])
    for k in np.flatnonzero(fine):
        _, part, trial = ranked[k]
        made = np.where(part, trial, best)
        cost = value(made)
        if cost < least - CHEAPER and keeps(made):
            best, least = made, cost
    return best


def _station_masks(chosen: Array, trial: Array) -> Iterator[Array]:
    """All stations, then each run of them where a trial differs from what is chosen."""
    differs = (chosen != trial).any(axis=0)
    yield np.ones(len(differs), bool)
    edge = np.flatnonzero(np.diff(np.r_[0, differs.astype(int), 0])).reshape(-1, 2)
    if len(edge) > 1:
        for first, stop in edge.tolist():
            yield (np.arange(len(differs)) >= first) & (np.arange(len(differs)) < stop)


def _lines_with_fewer_bends(
    problem: NodeProblem, options: Options, measure: Array, chosen: Array, bends: Bends
) -> Iterator[Array]:
    """Lines with fewer bends whose channel is hardly narrower.

    Each bank is drawn by itself with a price on width at each station, which rises where both
    together are narrower than before and falls where they are wider; and each bank once more so
    that the width is kept beside the other one as drawn.
    """
    walls, moves = len(options.walls), options.moves
    banks = [_bank_costs(problem, options, measure, chosen, side) for side in (0, 1)]
    now = chosen // walls
    width = moves[now].sum(axis=0)
    yield from _lines_shifted_whole(banks, bends, walls, chosen % walls)
    # a bend is worth giving up for the price of a few moves at a station
    price, step = np.zeros(len(measure)), bends.price / (2 * max(float(np.ptp(moves)), 1e-9))

    def drawn(*lines: Array | None) -> Iterator[Array]:
        if all(one is not None for one in lines):
            yield np.stack([np.asarray(one) for one in lines]) * walls + chosen % walls

    for turn in range(TURNS):
        lines = [
            _cheapest_line(bank, bank.station - price[:, None] * moves, bends) for bank in banks
        ]
        if any(one is None for one in lines):
            return
        yield from drawn(*lines)
        for side in (0, 1):
            room = moves + moves[lines[1 - side]][:, None] >= width[:, None] - SAME_WAY_M
            kept = _cheapest_line(banks[side], np.where(room, banks[side].station, np.inf), bends)
            yield from drawn(*((kept, lines[1]) if side == 0 else (lines[0], kept)))
        lacks = width - sum(moves[one] for one in lines)
        if not lacks.any():
            return
        price = np.maximum(price + step / (1 + turn / 2) * lacks, 0.0)


def _lines_shifted_whole(
    banks: list[_BankCosts], bends: Bends, walls: int, wall: Array
) -> Iterator[Array]:
    """The cheapest line whose banks move as one: the river is as wide as approved everywhere."""
    moves = banks[0].moves
    left = np.flatnonzero(np.abs(moves[:, None] + moves).min(axis=1) < SAME_WAY_M)
    right = left[::-1]
    station = banks[0].station[:, left] + banks[1].station[:, right]
    change = sum(one.change[:, at][:, :, at] for one, at in zip(banks, (left, right), strict=True))
    both = _BankCosts(banks[0].measure, moves[left], station, np.asarray(change), len(left) // 2)
    found = _cheapest_line(both, station, replace(bends, yuan=2 * bends.yuan))
    if found is not None:
        yield np.stack([left[found], right[found]]) * walls + wall


def _bank_costs(
    problem: NodeProblem, options: Options, measure: Array, chosen: Array, side: int
) -> _BankCosts:
    """Costs of a bank's moves; walls stay as chosen, and so does the other bank.

    A building that the bank takes already costs no more; one that it spares is paid in each gap
    where it is taken, so that no line is dearer than this says.
    """
    n, walls = len(measure), len(options.walls)
    own = np.arange(len(options.moves)) * walls + (chosen[side] % walls)[:, None]
    station = problem.station_cost[side][np.arange(n)[:, None], own]
    change = problem.change_cost[own[:-1, :, None], own[1:, None, :]].copy()
    who, of, gap, least = problem.pairs
    lost = np.zeros(len(problem.cost), bool)
    lost[who[chosen[of, gap + 1] >= least[np.arange(len(who)), chosen[of, gap]]]] = True
    for k in np.flatnonzero((of == side) & ~lost[who]):
        i = gap[k]
        change[i] += problem.cost[who[k]] * (own[i + 1] >= least[k][own[i]][:, None])
    return _BankCosts(measure, options.moves, station, change, options.still)


def _cheapest_line(bank: _BankCosts, station: Array, bends: Bends) -> Array | None:
    """Moves (stations,) of the cheapest line that begins and ends as approved, by station prices.

    A state is the moves at a station and at the one before, and how many stations ago the line
    bent, the last of which stands for any longer way.
    """
    n, k = station.shape
    gap = np.diff(bank.measure)
    ways = max(int(np.ceil(bends.every_m / gap.min() - SAME_WAY_M)), 1)
    ago = np.arange(1, ways + 1)
    value = np.full((k, k, ways), np.inf)  # move before, move, stations since the last bend
    value[bank.still, bank.still, -1] = station[0, bank.still]
    slope = np.zeros((k, k))  # of a move (second) after another (first)
    steps = []
    for i in range(n - 1):
        following = (bank.moves - bank.moves[:, None]) / gap[i]
        bent = np.abs(following[None] - slope[:, :, None]) > SAME_SLOPE  # before, move, next
        close = _is_close_bend(bank.measure, i, ago, bends)
        turned = np.where(bent[..., None], (value + bends.price * close)[:, :, None], np.inf)
        straight = np.where(bent[..., None], np.inf, value[:, :, None])
        made = np.full((k, k, ways), np.inf)
        came = np.zeros((k, k, ways), int)  # move before and stations since, of the state it's from
        flat = turned.transpose(1, 2, 0, 3).reshape(k, k, -1)
        came[..., 0], made[..., 0] = flat.argmin(axis=2), flat.min(axis=2)
        for s in range(ways):
            to = min(s + 1, ways - 1)
            least, at = straight[..., s].min(axis=0), straight[..., s].argmin(axis=0)
            better = least < made[..., to]
            made[..., to] = np.where(better, least, made[..., to])
            came[..., to] = np.where(better, at * ways + s, came[..., to])
        value = made + (bank.change[i] + station[i + 1])[..., None]
        slope = following
        steps.append(came)
    # behind the end the line goes on as approved
    end = value[:, bank.still]
    close = _is_close_bend(bank.measure, n - 1, ago, bends)
    end = end + bends.price * close * (np.abs(slope[:, bank.still]) > SAME_SLOPE)[:, None]
    before, since = divmod(int(end.argmin()), ways)
    if not np.isfinite(end[before, since]):
        return None
    moves = np.full(n, bank.still)
    state = (before, bank.still, since)
    for i in range(n - 1, 0, -1):
        moves[i - 1], moves[i] = state[:2]
        older, since_then = divmod(int(steps[i - 1][state]), ways)
        state = (older, state[0], since_then)
    return moves


def _is_close_bend(measure: Array, i: int, ago: Array, bends: Bends) -> Array:
    """Whether a bend at a station follows one some stations ago too closely; the last: any."""
    since = measure[i] - measure[np.maximum(i - ago, 0)]
    found: Array = (ago < len(ago)) & (since < bends.every_m - SAME_WAY_M) & (ago <= i)
    return found
