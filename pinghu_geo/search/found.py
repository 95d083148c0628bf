"""What does a design cost on each river? Stretch by stretch, with what is proven of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pinghu_geo.flood.sections import Array
from pinghu_geo.river.centreline import Centrelines
from pinghu_geo.search.contacts import Approved
from pinghu_geo.search.jogs import Bends, LineRules
from pinghu_geo.search.joint import ChainSolution, Extent
from pinghu_geo.search.problem import SAME_COST, beside, design_works, touched_by, works_within
from pinghu_geo.search.smooth import BentRiver
from pinghu_geo.search.sparing import exchanged
from pinghu_geo.search.stretch import DrawnLine, Reach, taken_by

__all__ = [
    "RIVER_COLUMNS", "SearchedRiver", "buildings_exchanged", "certificate_row", "node_table",
    "width_table",
]  # fmt: skip

_COLUMNS = [
    "node_id", "river", "from_m", "to_m", "n_stations", "n_buildings", "before_yuan", "total_yuan",
    "bound_yuan", "gap_yuan", "proof",
]  # fmt: skip
RIVER_COLUMNS = [
    "river", "n_nodes", "n_unsearched", "decided_between", "before_yuan", "total_yuan",
    "bound_yuan", "gap_yuan", "proof", "close_bends", "close_bends_before", "bends_yuan",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SearchedRiver:
    """One river as it was searched."""

    reach: Reach
    stretches: list[Extent]
    solution: ChainSolution
    bound: float  # what it costs at least, beside what the rivers cost that it joins or that join
    proven: bool = False  # as searched, of all of these together
    bent: BentRiver | None = None  # the line with fewer bends, at any offset

    def as_searched(self) -> SearchedRiver:
        """With the line as it was found."""
        return replace(self, bent=None)

    def close_bends(self, bends: Bends) -> int:
        """How many bends of both banks follow another too closely."""
        return int(bends.close(self.line().moves, self.reach.measure).sum())

    def chosen(self) -> Array:
        """Option of each bank at each station (2, stations), as searched."""
        found = np.full((2, len(self.reach.measure)), self.reach.options.base)
        for one, options in zip(self.stretches, self.solution.options, strict=True):
            found[:, one.first : one.last + 1] = options
        return found

    def line(self) -> DrawnLine:
        """The line that is drawn."""
        return self.reach.options.line(self.chosen()) if self.bent is None else self.bent.line

    def taken(self) -> Array:
        """Which buildings it touches."""
        return taken_by(self.reach, self.chosen()) if self.bent is None else self.bent.touched

    def unsearched(self) -> Array:
        """Numbers of buildings that the line takes where it isn't searched, though it could move.

        Beside structures and under covers it stays as approved by the rule.
        """
        gaps = self.reach.touch.gaps
        outside = ~np.isin(gaps.gap, list(self.reach.closed))
        for one in self.stretches:
            outside &= (gaps.gap < one.first) | (gaps.gap >= one.last)
        return np.unique(gaps.who[outside & self.reach.as_approved()])

    @property
    def cost(self) -> float:
        """What it costs where it is searched."""
        return self.solution.cost + (0.0 if self.bent is None else self.bent.dearer)

    @property
    def proof(self) -> str:
        """What is proven of the line that is drawn, as a word of the certificate."""
        dearer = 0.0 if self.bent is None else self.bent.dearer
        left = len(self.unsearched())
        if (np.isfinite(self.reach.works).sum(axis=2) == 1).all():
            return "one_line"
        if self.proven and not self.stretches and not left:
            return "nothing_to_spare"
        if self.proven and self.stretches and dearer <= SAME_COST:
            return "part" if left else "optimal"
        if self.proven and self.stretches and not left:
            return "optimal_before_bends"
        moved = (self.chosen() != self.reach.options.base).any()
        return "feasible" if moved else "base"

    def works(self) -> float:
        """What its works cost."""
        if self.bent is not None:
            return self.cost - float(self.bent.rules.cost[self.bent.touched].sum())
        return sum(
            design_works(one.problem, options)
            for one, options in zip(self.stretches, self.solution.options, strict=True)
        )


def width_table(
    lines: Centrelines, widths: pd.DataFrame, reach: Reach, line: DrawnLine
) -> pd.DataFrame:
    """Width table of one river: the approved rows and the stations that moved."""
    code = lines.names.index(reach.name)
    approved = Approved.of(lines, code, widths)
    inside = (reach.measure > approved.at[0]) & (reach.measure < approved.at[-1])
    measure = np.union1d(np.round(approved.at, 6), np.round(reach.measure[inside], 6))
    left, right = (
        np.round(base + np.interp(measure, reach.measure, one), 6)
        for base, one in zip(approved.base(measure), line.moves, strict=True)
    )
    table = pd.DataFrame(
        {
            "river": reach.name,
            "chainage_m": np.round(lines.scales[code].chainage(measure), 6),
            "left_m": left,
            "right_m": right,
        }
    )
    if len(reach.options.walls) > 1:
        at = np.clip(np.searchsorted(reach.measure, measure + 1e-3, side="right") - 1, 0, None)
        names = np.array([None if w is None else w.name for w in reach.options.walls], dtype=object)
        for side, word in enumerate(("left", "right")):
            table[f"wall_{word}"] = names[line.walls[side, at]]
    return table


def buildings_exchanged(before: list[SearchedRiver], after: list[SearchedRiver]) -> list[Any]:
    """How many buildings of all rivers are spared and lost, and which."""
    found: list[Any] = [0, 0, [], []]
    for was, now in zip(before, after, strict=True):
        taken = [one.taken() for one in (was, now)]
        found = [a + b for a, b in zip(found, exchanged(was.reach.ids, *taken), strict=True)]
    return found


def certificate_row(found: SearchedRiver, bends: Bends | None) -> list[Any]:
    """One river's proof."""
    before = sum(one.before for one in found.stretches)
    return [
        found.reach.name, len(found.stretches), len(found.unsearched()),
        int(found.reach.touch.between.sum()), before,
        found.cost, min(found.bound, found.cost), max(found.cost - found.bound, 0.0),
        found.proof,
        *[pd.NA if bends is None else f.close_bends(bends) for f in (found, found.as_searched())],
        found.cost - found.solution.cost,
    ]  # fmt: skip


def node_table(found: list[SearchedRiver], most: int) -> pd.DataFrame:
    """One row a stretch, or several where it is longer than a row may be."""
    rows: list[list[Any]] = []
    for one in found:
        proven = one.proof in ("optimal", "part", "one_line")
        for k, stretch in enumerate(one.stretches):
            parts = _node_rows(one, stretch, one.solution.options[k], most)
            more = sum(part.total - part.searched for part in parts)
            for part in parts:
                if proven:  # nothing on the whole river can be had for less
                    proof, gap = "river", 0.0
                elif one.proven:  # all that can be too much is what fewer bends cost here
                    proof, gap = "river_before_bends", max(part.total - part.searched, 0.0)
                else:
                    proof = "feasible" if part.changed else "base"
                    gap = one.solution.gaps[k] + max(more, 0.0)
                rows.append([
                    f"Y{len(rows) + 1:03d}", one.reach.name, one.reach.chainage(part.first),
                    one.reach.chainage(part.last), part.last - part.first + 1, part.n_buildings,
                    part.before, part.total, max(part.total - gap, 0.0),
                    min(gap, part.total), proof,
                ])  # fmt: skip
    return pd.DataFrame(rows, columns=_COLUMNS)


class _NodeRow(NamedTuple):
    """One row of the table of nodes: stations, buildings, and what it cost and costs."""

    first: int
    last: int
    n_buildings: int
    before: float
    total: float
    searched: float  # before bends were taken out
    changed: bool


def _node_rows(found: SearchedRiver, stretch: Extent, options: Array, most: int) -> list[_NodeRow]:
    """A stretch in rows of at most so many stations.

    A building counts where it stands first, seen from upstream; a change of offset between two
    rows counts in the upper one.
    """
    problem, n = stretch.problem, options.shape[1]
    base = np.full_like(options, stretch.base)
    stand = beside(problem)
    begins = np.where(stand.any(axis=1), stand.argmax(axis=1), -1)
    held = problem.cost @ stand
    cuts = [0]
    while n - cuts[-1] > most:
        low = cuts[-1] + max(most // 2, 1)
        cuts.append(low + int(np.argmin(held[low : max(cuts[-1] + most, low + 1)])))
    rows = []
    for first, stop in zip(cuts, [*cuts[1:], n], strict=True):
        mine = (begins >= first) & (begins < stop)
        before, total = (
            works_within(problem, one, first, stop)
            + float(problem.cost[mine & touched_by(problem, one)].sum())
            for one in (base, options)
        )
        changed = bool((options[:, first:stop] != stretch.base).any())
        last, searched = stretch.first + min(stop, n - 1), total
        if found.bent is not None:
            here, who = slice(stretch.first + first, stretch.first + stop), stretch.who[mine]
            was, now = found.as_searched(), found.bent
            changed |= bool((now.line.moves[:, here] != was.line().moves[:, here]).any())
            total += _works_more(now.rules, now.line.moves, was.line().moves, here)
            more = now.touched[who].astype(float) - was.taken()[who]
            total += float(found.reach.cost[who] @ more)
        changed |= abs(total - before) > SAME_COST  # a building is spared from the row below
        rows.append(_NodeRow(
            stretch.first + first, last, int(mine.sum()), before, total, searched, changed
        ))  # fmt: skip
    return rows


def _works_more(rules: LineRules, now: Array, was: Array, here: slice) -> float:
    """What works cost more at some stations, and on to the next, by one line than by another."""
    more = 0.0
    for moves, sign in ((now, 1.0), (was, -1.0)):
        on = np.diff(moves[:, here.stop - 1 : here.stop + 1])
        more += sign * rules.works_of(here.start, moves[:, here])
        more += sign * rules.change_yuan_m * float(np.abs(on).sum())
    return more
