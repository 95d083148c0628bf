"""How are rivers that join searched together? By one level where they meet."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pinghu_geo.flood.obstruction import Progress
from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.beside import silent
from pinghu_geo.redline.lines import red_line
from pinghu_geo.river.centreline import lay_out
from pinghu_geo.search.basin import Basin, BasinSolution, Inflow
from pinghu_geo.search.found import SearchedRiver, width_table
from pinghu_geo.search.joint import ChainSolution
from pinghu_geo.search.problem import EXCESS_M, SAME_COST
from pinghu_geo.search.reaches import Asked, LaidOut, flood_rows
from pinghu_geo.search.smooth import smoothed_rivers
from pinghu_geo.search.stretch import Reach
from pinghu_geo.search.thresholds import Touches, counted_as_drawn

__all__ = ["Search", "river_systems"]


@dataclass(slots=True)
class Search:
    """A search at work: what is asked, when it has to end, and whether it was stopped, and how."""

    asked: Asked
    now: LaidOut
    deadline: float = np.inf  # by `time.monotonic`, which is one clock for all processes
    stopped: bool = False
    interrupted: bool = False  # by Ctrl-C

    def system(
        self,
        names: list[str],
        reaches: Mapping[str, Reach],
        where: Mapping[str, list[tuple[int, int]]],
        *,
        spare: tuple[str, int] | None = None,
        tell: Progress = silent,
    ) -> list[SearchedRiver]:
        """Rivers that join, the one at the mouth first, searched together on given stretches.

        ``spare`` is a river and the number of a building there that must be spared.
        """
        still = [SearchedRiver(reaches[name], [], ChainSolution.none(), 0.0) for name in names]
        if self.stopped or time.monotonic() > self.deadline:
            self.stopped = True
            return still
        tell(f"searching {'、'.join(names)}")
        start = np.array(
            [flood_rows(self.now.profile, names[0], flood)["level_m"].iloc[-1]
             for flood in self.asked.allowed], float
        )  # fmt: skip
        mine, found = {name: reaches[name] for name in names}, still
        basin: Basin | None = None
        while True:
            try:
                basin = basin or self.basin(names[0], mine, where, (start, start), spare)
                solution = basin.solve(start)
            except KeyboardInterrupt:
                self.stopped = self.interrupted = True
                return found
            if time.monotonic() > self.deadline:
                self.stopped = True
            if solution is None:  # not even the approved line: the menu's tables are too coarse
                return found
            # what is left to prove stands at the river at the mouth
            gap = max(solution.cost - solution.bound, 0.0)
            rivers = [(name, solution.rivers[name]) for name in names]
            found = [
                SearchedRiver(
                    mine[name], [s.as_extent() for s in one.chain.stretches], one.solution,
                    one.solution.cost - (gap if name == names[0] else 0.0), gap <= SAME_COST,
                )
                for name, one in rivers
            ]  # fmt: skip
            # a price compares designs that are paid for by one rule
            if self.stopped or spare is not None:
                return found
            drawn = {f.reach.name: self.as_drawn(f) for f in found}
            better = {
                name: replace(mine[name], touch=touch)
                for name, touch in drawn.items()
                if touch is not None
            }
            if not better:
                return self.smoothed(basin, solution, found)
            basin.retouch(better)
            mine |= better

    def smoothed(
        self, basin: Basin, solution: BasinSolution, found: list[SearchedRiver]
    ) -> list[SearchedRiver]:
        """Rivers searched together, with fewer bends where that is the rule."""
        if self.asked.bends is None:
            return found
        made = smoothed_rivers(basin, solution, self.asked.bends, self.asked.limits)
        return [replace(f, bent=made[f.reach.name]) for f in found]

    def as_drawn(self, found: SearchedRiver) -> Touches | None:
        """Touches that count as drawn what the line found clears; None: nothing is paid for so."""
        reach, moves = found.reach, found.chosen() // len(found.reach.options.walls)
        paid = found.taken() & (reach.cost > 0) & ~reach.touch.surely_taken(moves)
        if not paid.any():  # then nothing needs to be drawn
            return None
        river = self.asked.rivers.loc[[reach.name]]
        table = width_table(lay_out(river), self.asked.widths, reach, found.line())
        line = red_line(river, table).geometry.to_numpy()
        return counted_as_drawn(
            reach.touch, moves, paid, self.asked.buildings.geometry.to_numpy(), line,
            self.asked.limits["clear_m"],
        )  # fmt: skip

    def basin(
        self,
        name: str,
        reaches: Mapping[str, Reach],
        where: Mapping[str, list[tuple[int, int]]],
        mouth: tuple[Array, Array],
        spare: tuple[str, int] | None,
    ) -> Basin:
        """A river for levels at its mouth from one to another, and what joins it."""
        reach = reaches[name]
        number = spare[1] if spare is not None and spare[0] == name else None
        made = Basin(reach, where[name], self.asked.limits, *mouth, number, self.deadline)
        edges = self.now.case.edges
        for other in reaches:
            at = _joins_at(other, name, edges.downstream)
            if at is None:
                continue
            measure = float(edges.scales[name].measure([at], beyond=True)[0])
            below = int(np.clip(np.searchsorted(reach.measure, measure), 1, len(reach.measure) - 1))
            way = reach.measure[below - 1 : below + 1]
            inflow = Inflow(made, below, float((measure - way[0]) / (way[1] - way[0])))
            levels = [inflow.level(v) for v in (made.chain().lows, reach.most)]
            inner = self.basin(other, reaches, where, (levels[0] - EXCESS_M, levels[1]), spare)
            made.inflows.append(inflow._replace(basin=inner))
        return made


def _joins_at(river: str, main: str, edges: pd.DataFrame) -> float | None:
    """Where a river joins another one; None: it doesn't."""
    if "joins" not in edges or "river" not in edges:
        return None
    rows = edges[
        (edges["boundary"] == "river") & (edges["river"] == river) & (edges["joins"] == main)
    ]
    return float(rows["joins_at_m"].iloc[0]) if len(rows) else None


def river_systems(rivers: list[str], edges: pd.DataFrame) -> list[list[str]]:
    """Rivers that join, together, each after the one it joins."""
    found: list[list[str]] = []
    for river in rivers:
        into = [m for m in rivers if _joins_at(river, m, edges) is not None]
        own = next((names for names in found if into and into[0] in names), None)
        if own is None:
            found.append([river])
        else:
            own.append(river)
    return found
