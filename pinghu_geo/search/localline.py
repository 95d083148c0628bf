"""Which line of a river is cheapest by local rules, as it is drawn? Cuts, and drawings of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely

from pinghu_geo.flood.sections import Array
from pinghu_geo.redline.lines import red_line
from pinghu_geo.search.contacts import TOUCH_M
from pinghu_geo.search.jogs import Bends, LineRules, less_bent
from pinghu_geo.search.localriver import LocalRiver
from pinghu_geo.search.mincut import Solution, solve
from pinghu_geo.search.problem import SAME_COST
from pinghu_geo.search.stakes import straight
from pinghu_geo.search.thresholds import counted_as_drawn

__all__ = ["LocalLine"]


class _BentLine(NamedTuple):
    """A line that bends seldom: moves (2, stations), where it bends, whom it takes, its cost."""

    moves: Array
    knots: Array
    touched: Array
    cost: float


@dataclass(frozen=True, slots=True)
class LocalLine:
    """A river's line, as searched or with fewer bends, and what is proven of it.

    No line costs less than the solution's bound by the thresholds of ``river``, and no line drawn
    over the same stations less than ``drawn_bound``.
    """

    river: LocalRiver
    solution: Solution
    drawn_bound: float
    bent: _BentLine | None = None  # instead of the solution's, by the rule on bends

    @classmethod
    def best(cls, river: LocalRiver) -> LocalLine | None:
        """The cheapest as drawn; None: no line keeps the rules.

        What is decided between stations is covered by two thresholds of several that would do. A
        building that is paid for, and that the bound on all drawn lines doesn't count, is asked for
        lines that spare it: where one is cheaper its thresholds are taken for the whole river.
        """
        found, asked = _counted_as_drawn(river), set[int]()
        while found is not None:
            if not found.river.reach.between.any():  # then all that is counted is taken for sure
                return found
            sure = solve(found.river.problem(found.river.reach.sure))
            if sure is None:
                return found
            cost = found.river.bare.cost
            open_ = np.flatnonzero(found.solution.touched & ~sure.touched & (cost > 0))
            for number in open_[np.argsort(-cost[open_])].tolist():
                if number in asked:
                    continue
                asked.add(number)
                new = found.sparing(number)
                least = found.cost - found.solution.gap - SAME_COST
                if new is not None and new.cost < least:
                    found = _counted_as_drawn(new.river)
                    break
            else:
                return replace(found, drawn_bound=min(sure.bound, found.drawn_bound))
        return None

    @property
    def moves(self) -> Array:
        """Moves (2, stations) of the line that is drawn."""
        searched = self.river.grid.moves[self.solution.levels]
        return searched if self.bent is None else self.bent.moves

    @property
    def touched(self) -> Array:
        """Which buildings are paid for."""
        return self.solution.touched if self.bent is None else self.bent.touched

    @property
    def cost(self) -> float:
        """What the line that is drawn costs."""
        return self.solution.cost if self.bent is None else self.bent.cost

    def as_searched(self) -> LocalLine:
        """With the line as it was found."""
        return replace(self, bent=None)

    def sparing(self, number: int) -> LocalLine | None:
        """The answer among lines that spare a building; None: there is no such line."""
        # dearer than all that a line can cost: taken only where every line takes it
        bare, cost = self.river.bare, self.river.bare.cost.copy()
        works = np.where(np.isfinite(bare.works), bare.works, 0.0)
        dear = cost.sum() + works.max(axis=2).sum()
        dear += bare.change_cost * works.shape[2] * works.shape[1] * 2
        cost[number] = np.ceil(dear) + 1.0
        new = _counted_as_drawn(replace(self.river, bare=replace(bare, cost=cost)))
        if new is None or new.solution.touched[number]:
            return None
        return replace(new, river=replace(new.river, bare=bare))

    def less_bent(self, bends: Bends) -> LocalLine:
        """With close bends only where they are worth it, counted anew as drawn."""
        river, limits = self.river, self.river.limits
        grid, p = river.grid, river.bare
        wide = (
            None if river.banks is not None else (limits["width_ratio"] - 1) * grid.base.sum(axis=0)
        )
        rules = LineRules(
            grid.measure, grid.moves, p.works, limits["change_yuan_m"], limits["taper"], wide,
            p.least_right, river.walls, p.cost,
        )  # fmt: skip
        moves = less_bent(rules, bends, self.moves)
        knots = np.zeros(moves.shape[1], bool)
        knots[[0, -1]] = True
        for own in moves:
            knots[bends.stations(own, grid.measure)] = True
        made = replace(self, bent=_BentLine(moves, knots, self.touched, 0.0))
        area = shapely.union_all(red_line(river.centreline, made.widths()).geometry.to_numpy())
        near = max(limits["clear_m"] - TOUCH_M, 0.0)
        touched = np.asarray(shapely.dwithin(area, river.shapes[river.reach.ids], near))
        cost = rules.works_of(0, moves) + float(p.cost[touched].sum())

        def value(line: Array, paid: float) -> float:
            return paid + bends.price * int(bends.close(line, grid.measure).sum())

        if value(moves, cost) > value(self.moves, self.cost):
            return self
        return replace(made, bent=_BentLine(moves, knots, touched, cost))

    def widths(self) -> pd.DataFrame:
        """The line as a width table."""
        river = self.river
        grid, approved = river.grid, river.approved
        # rows of the approved table that are no stations stay, so that what isn't moved is as it
        # was
        far = np.abs(approved.at[:, None] - grid.measure)
        own = far.min(axis=1) > 1e-5
        own[1:-1] &= ~straight(approved)
        kept = np.ones(len(grid.measure), bool)
        if self.bent is not None:  # straight from bend to bend
            kept = self.bent.knots.copy()
            bent = np.append(np.insert(~straight(approved), 0, True), True)
            kept[far[bent].argmin(axis=1)[far[bent].min(axis=1) <= 1e-5]] = True
        measure = np.union1d(grid.measure[kept], approved.at[own])
        left, right = (
            np.round(base + np.interp(measure, grid.measure, move), 6)
            for base, move in zip(approved.base(measure), self.moves, strict=True)
        )
        table = pd.DataFrame(
            {
                "river": river.name,
                "chainage_m": river.scale.chainage(measure),
                "left_m": left,
                "right_m": right,
            }
        )
        if river.banks is not None and len(river.menu) > 1:
            names = np.array([None if w is None else w.name for w in river.menu], dtype=object)
            step = np.ptp(grid.moves) / max(len(grid.moves) - 1, 1) or 1.0
            levels = np.floor((self.moves - grid.moves[0]) / step + 1e-7).astype(int)
            for side, word in enumerate(("left", "right")):
                at = np.clip(np.searchsorted(grid.measure, measure + 1e-3) - 1, 0, None)
                table[f"wall_{word}"] = names[river.banks.wall[side, at, levels[side, at]]]
        return table


def _counted_as_drawn(river: LocalRiver) -> LocalLine | None:
    """A river's answer, in which no building is paid that its line as drawn clears.

    The thresholds of those that are paid for so are set anew, and the river is searched again,
    until there are none: the line found stays possible at what it costs less them, so that each
    round is cheaper. None: no line keeps the rules.
    """
    while True:
        solution = solve(river.problem())
        if solution is None:
            return None
        found = LocalLine(river, solution, solution.bound)
        line = red_line(river.centreline, found.widths()).geometry.to_numpy()
        paid = solution.touched & (river.bare.cost > 0)
        reach = counted_as_drawn(
            river.reach, solution.levels, paid, river.shapes, line, river.limits["clear_m"]
        )
        if reach is None:
            return found
        river = replace(river, reach=reach)
