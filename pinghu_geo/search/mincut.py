"""Which line is cheapest under local rules? Exact, by a minimum cut.

A line has a level (an offset) on each side of each station. Every rule is an implication between
"the level is at least k" here and there, every cost belongs to one level, to a change of level, or
to a building that is paid once when the line touches it anywhere: a closure problem, so that its
optimum is a minimum cut (Picard, Management Science 22 (1976) 1268-1272) and the greatest flow is
its proof.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pinghu_geo.flood.sections import Array

__all__ = ["LocalProblem", "Solution", "solve", "value"]

LEFT, RIGHT = 0, 1
# buildings that both sides can touch: each doubles the work
MOST_ACROSS = 8


@dataclass(frozen=True, slots=True)
class LocalProblem:
    """Stations x levels on two sides, and buildings.

    ``works`` (2, stations, levels) is the cost of a level, infinite where it is not allowed.
    Building ``who[t]`` is touched when the level of side ``side[t]`` at ``station[t]`` is at least
    ``level[t]``; it then costs ``cost[who[t]]``, once. ``most_change`` levels (one number, or one
    a gap) lie between neighbours at most, each costs ``change_cost``. ``least_right`` (stations,
    levels) is the least right level that a left level needs; it never grows with the left level.
    """

    works: Array
    who: Array
    side: Array
    station: Array
    level: Array
    cost: Array
    most_change: int | Array
    change_cost: float = 0.0
    least_right: Array | None = None


@dataclass(frozen=True, slots=True)
class Solution:
    """Levels (2, stations), what they cost, and a bound that no other levels can beat."""

    levels: Array
    touched: Array
    cost: float
    bound: float

    @property
    def gap(self) -> float:
        """Cost less bound: 0 is proof; else the rounding of costs to the unit of the flow."""
        return self.cost - self.bound


def touches(problem: LocalProblem, levels: Array) -> Array:
    """Which buildings a line touches."""
    found = np.zeros(len(problem.cost), bool)
    hit = levels[problem.side, problem.station] >= problem.level
    found[problem.who[hit]] = True
    return found


def value(problem: LocalProblem, levels: Array) -> float:
    """Cost of a line; infinite where it breaks a rule."""
    n = levels.shape[1]
    works = problem.works[np.arange(2)[:, None], np.arange(n), levels]
    change = np.abs(np.diff(levels, axis=1))
    allowed = (change <= problem.most_change).all()
    if problem.least_right is not None:
        allowed &= (levels[RIGHT] >= problem.least_right[np.arange(n), levels[LEFT]]).all()
    if not allowed:
        return float("inf")
    paid = problem.cost[touches(problem, levels)].sum()
    return float(works.sum() + change.sum() * problem.change_cost + paid)


def solve(problem: LocalProblem) -> Solution | None:
    """Cheapest line with its proof; None where no line keeps the rules.

    A building that either side may touch is no implication: such buildings are few (the neck of a
    bend, a house across the river), and both answers are tried for each.
    """
    sides = np.zeros((2, len(problem.cost)), bool)
    sides[problem.side, problem.who] = True
    always = np.zeros(len(problem.cost), bool)
    lowest = np.isfinite(problem.works).argmax(axis=2)[problem.side, problem.station]
    always[problem.who[problem.level <= lowest]] = True
    open_ = np.flatnonzero(sides.all(axis=0) & ~always)
    if len(open_) > MOST_ACROSS:
        raise ValueError(f"{len(open_)} buildings can be touched from both sides of the river")
    best: Solution | None = None
    bound = float("inf")
    for answer in itertools.product((True, False), repeat=len(open_)):
        touched = open_[np.array(answer, dtype=bool)]
        spared = open_[~np.array(answer, dtype=bool)]
        found = _minimum_cut(
            _problem_with_answers(problem, np.union1d(touched, np.flatnonzero(always)), spared)
        )
        if found is None:
            continue
        levels, low = found
        bound = min(bound, low)
        cost = value(problem, levels)
        if best is None or cost < best.cost:
            best = Solution(levels, touches(problem, levels), cost, low)
    return None if best is None else replace(best, bound=min(bound, best.cost))


def _problem_with_answers(
    problem: LocalProblem, paid: Array, spared: Array
) -> tuple[LocalProblem, float]:
    """The problem with some buildings paid for and some not to be touched; and what was paid."""
    works = problem.works.copy()
    keep = ~np.isin(problem.who, paid)
    for t in np.flatnonzero(np.isin(problem.who, spared)):
        works[problem.side[t], problem.station[t], problem.level[t] :] = np.inf
    keep &= ~np.isin(problem.who, spared)
    cost = problem.cost.copy()
    cost[paid] = cost[spared] = 0.0
    return (
        replace(
            problem,
            works=works,
            cost=cost,
            who=problem.who[keep],
            side=problem.side[keep],
            station=problem.station[keep],
            level=problem.level[keep],
        ),
        float(problem.cost[paid].sum()),
    )


def _minimum_cut(settled: tuple[LocalProblem, float]) -> tuple[Array, float] | None:
    """Levels of the minimum cut, and the bound that its flow proves."""
    problem, paid = settled
    graph = _CutGraph(problem)
    flow, reached = graph.cut()
    if flow > graph.total:
        return None
    return graph.levels(reached), (flow + graph.constant) * graph.unit + paid


class _CutGraph:
    """The closure problem as a network: a node is true when it is on the source's side.

    Left: node (i, k) is [level >= k]. Right: node (i, k) is [level < k], so that the rule
    "a low left level needs a high right one" is an implication too. Buildings of the left are
    [touched], those of the right [untouched].
    """

    def __init__(self, problem: LocalProblem) -> None:
        self.problem = problem
        _, self.n, self.k = problem.works.shape
        self.unit = _cost_unit(problem)
        self.per_side = self.n * (self.k - 1)
        self.source = 2 * self.per_side + len(problem.cost)
        self.sink, self.size = self.source + 1, self.source + 2
        self.parts: list[tuple[Array, Array, Array]] = []
        self.hard: list[tuple[Array, Array]] = []
        self.constant = 0
        self._add_works()
        self._add_changes()
        self._add_buildings()
        if problem.least_right is not None:
            self._add_least_right(problem.least_right)
        self.total = int(sum(c.sum() for _, _, c in self.parts))

    def node(self, side: int, station: Array, level: Array) -> Array:
        """Node of a level from 1 on; level 0 is always reached, level k never."""
        station, level = np.broadcast_arrays(station, level)
        plain = side * self.per_side + station * (self.k - 1) + (level - 1)
        low, high = (self.source, self.sink) if side == LEFT else (self.sink, self.source)
        found: Array = np.where(level <= 0, low, np.where(level >= self.k, high, plain))
        return found

    def implies(self, a: Array, b: Array, side: int) -> None:
        """[level >= a] needs [level >= b], whichever way round the side's nodes are."""
        self.hard.append((a, b) if side == LEFT else (b, a))

    def charge(self, node: Array, amount: Array, *, when: bool) -> None:
        """An amount that is due when a node is true, or when it is false."""
        end = np.full(len(node), self.sink if when else self.source)
        self.parts.append((node, end, amount) if when else (end, node, amount))

    def _add_works(self) -> None:
        stations, levels = np.arange(self.n)[:, None], np.arange(1, self.k)
        for side in (LEFT, RIGHT):
            works = np.floor(self.problem.works[side] / self.unit + 1e-4)
            allowed = np.isfinite(works)
            # a level that is not allowed costs what the last allowed one does: it is never chosen
            last = np.maximum.accumulate(np.where(allowed, np.arange(self.k), 0), axis=1)
            works = np.take_along_axis(np.where(allowed, works, 0.0), last, axis=1).astype(np.int64)
            self.constant += int(works[:, 0].sum())
            step = np.diff(works, axis=1)
            node = self.node(side, stations, levels)
            up, down = step > 0, step < 0
            # [level >= k] is the node on the left, its opposite on the right
            self.charge(node[up], step[up], when=side == LEFT)
            self.constant += int(step[down].sum())
            self.charge(node[down], -step[down], when=side != LEFT)
            self.implies(node[:, 1:].ravel(), node[:, :-1].ravel(), side)
            i, k = np.nonzero(~allowed)
            self.implies(self.node(side, i, k), self.node(side, i, k + 1), side)

    def _add_changes(self) -> None:
        stations, levels = np.arange(self.n - 1)[:, None], np.arange(1, self.k)
        most = np.reshape(self.problem.most_change, (-1, 1))
        for side in (LEFT, RIGHT):
            for here, there in ((stations, stations + 1), (stations + 1, stations)):
                high = self.node(side, here, levels + most)
                low = self.node(side, there, levels)
                self.implies(high.ravel(), low.ravel(), side)
                amount = int(self.problem.change_cost / self.unit + 1e-4)
                if amount:
                    a = self.node(side, here, levels).ravel()
                    b = self.node(side, there, levels).ravel()
                    self.parts.append((a, b, np.full(len(a), amount, np.int64)))

    def _add_buildings(self) -> None:
        p = self.problem
        cost = np.floor(p.cost / self.unit + 1e-4).astype(np.int64)
        first = 2 * self.per_side
        for side in (LEFT, RIGHT):
            rows = p.side == side
            mine = np.unique(p.who[rows])
            self.charge(first + mine, cost[mine], when=side == LEFT)
            touched = self.node(side, p.station[rows], p.level[rows])
            self.implies(touched, first + p.who[rows], side)

    def _add_least_right(self, least_right: Array) -> None:
        """A left level of k or less needs a right level of at least ``least_right[k]``."""
        station, left = np.nonzero(least_right > 0)
        # [right < least] is true only where [left >= k + 1] is
        wanted = self.node(RIGHT, station, least_right[station, left])
        self.hard.append((wanted, self.node(LEFT, station, left + 1)))

    def cut(self) -> tuple[int, NDArray[np.bool_]]:
        """Greatest flow, and the nodes on the source's side of the cut that proves it.

        A flow above ``total`` runs through arcs that nothing may cut: no levels keep the rules.
        """
        from ortools.graph.python.max_flow import SimpleMaxFlow

        tails = np.concatenate([a for a, _, _ in self.parts] + [a for a, _ in self.hard])
        heads = np.concatenate([b for _, b, _ in self.parts] + [b for _, b in self.hard])
        caps = [c for _, _, c in self.parts] + [
            np.full(len(a), self.total + 1) for a, _ in self.hard
        ]
        real = (tails != heads) & (tails != self.sink) & (heads != self.source)
        network = SimpleMaxFlow()
        network.add_arcs_with_capacity(
            tails[real], heads[real], np.concatenate(caps).astype(np.int64)[real]
        )
        network.add_arc_with_capacity(self.source, self.sink, 0)  # both are nodes of it then
        reached = np.zeros(self.size, bool)
        if network.solve(self.source, self.sink) != SimpleMaxFlow.OPTIMAL:
            return self.total + 1, reached  # more than 64 bits count, so more than total
        reached[network.get_source_side_min_cut()] = True
        return network.optimal_flow(), reached

    def levels(self, reached: Array) -> Array:
        """Levels of the cut."""
        found = np.empty((2, self.n), int)
        for side in (LEFT, RIGHT):
            part = reached[side * self.per_side : (side + 1) * self.per_side]
            true = part.reshape(self.n, self.k - 1)
            found[side] = true.sum(axis=1) if side == LEFT else (~true).sum(axis=1)
        return found


def _cost_unit(problem: LocalProblem) -> float:
    """Largest power of ten that divides every cost, or a millionth, or what 64 bits can count."""
    works = np.where(np.isfinite(problem.works), problem.works, 0.0)
    costs = np.concatenate([works.ravel(), problem.cost, [problem.change_cost]])
    unit = 1.0
    for power in range(9, -7, -1):
        unit = 10.0**power
        if np.abs(costs - np.round(costs / unit) * unit).max() <= 1e-15 * costs.max() + 1e-12:
            break
    while costs.sum() / unit > 2**60:
        unit *= 10.0
    return unit
