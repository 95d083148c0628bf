"""Where is a river searched, and with what? Its options, their prices, its nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array, pack
from pinghu_geo.flood.steady import Model, subcritical
from pinghu_geo.search.labels import (
    EXCESS_M,
    MOST_BUILDINGS,
    NodeProblem,
    NodeSolution,
    design_cost,
    design_works,
    solve_node,
)
from pinghu_geo.search.offsets import Touches
from pinghu_geo.search.walls import Half, River, Wall, ground_of

__all__ = [
    "NODE_S", "Node", "Options", "Reach", "accepted", "chosen_options", "extents",
    "halves_of", "march", "solve_stretch", "taken_by", "works_of",
]  # fmt: skip

# how often a node is searched again with a lower limit, because its water rises further upstream
TRIALS = 4
# labels kept at a station, and time for one node [s]
MOST_LABELS = 60_000
NODE_S = 40.0
# keeps a wall from changing where nothing is gained
SWITCH_YUAN = 1.0
# height above the highest level that sections of options are kept for [m]
ABOVE_M = 1.0


class Options(NamedTuple):
    """Moves of the line and walls; option k is move k // walls with wall k % walls."""

    moves: Array
    walls: list[Wall | None]

    @property
    def many(self) -> int:
        """Options of one bank."""
        return len(self.moves) * len(self.walls)

    @property
    def still(self) -> int:
        """The move of nothing."""
        return int(np.flatnonzero(np.abs(self.moves) < 1e-9)[0])

    @property
    def base(self) -> int:
        """The option that changes nothing."""
        return self.still * len(self.walls)

    def move(self) -> Array:
        """Move of each option [m]."""
        return np.repeat(self.moves, len(self.walls))

    def wall(self) -> Array:
        """Wall of each option."""
        return np.tile(np.arange(len(self.walls)), len(self.moves))


@dataclass(frozen=True, slots=True)
class Reach:
    """One river with what its search needs; arrays run from upstream to downstream."""

    name: str
    river: River
    ids: Array  # building of each number of touch
    measure: Array
    offsets: Array  # (2, stations) of the approved line
    touch: Touches
    cost: Array
    options: Options
    works: Array  # (2, stations, options) in yuan, infinite where an option is not allowed
    model: Model  # base sections as one column
    length: Array  # to the next station, weighted by the base flow
    most: Array  # levels allowed
    calm: Array  # whether the base flow is clearly subcritical

    def rebuilt(self, side: int, station: int, option: int) -> Half | None:
        """Half a section as an option makes it; None: it leaves no bed."""
        move, wall = divmod(option, len(self.options.walls))
        return self.river.rebuilt(
            side,
            station,
            float(self.offsets[side, station]),
            float(self.options.moves[move]),
            self.options.walls[wall],
        )

    def chainage(self, station: int) -> float:
        """Chainage of a station."""
        return float(self.river.stations["chainage_m"].iloc[station])


@dataclass(frozen=True, slots=True)
class Node:
    """A stretch that was searched: stations from ``first`` to ``last``, both as approved."""

    reach: Reach
    first: int
    last: int
    problem: NodeProblem
    solution: NodeSolution
    who: Array  # numbers of its buildings in the reach
    before: float  # what the approved line costs here


def march(reach: Reach, first: int, last: int, level: float) -> Array:
    """Levels of the approved river from station first to last, from the level at last."""
    part = slice(first, last + 1)
    model = replace(reach.model, rows=reach.model.rows[part], discharge=reach.model.discharge[part])
    return np.asarray(subcritical(model, np.array([level]))[0][:, 0])


def extents(reach: Reach, limits: Mapping[str, float], most: int) -> list[tuple[int, int]]:
    """First and last station of each node, from downstream to upstream."""
    touch, n = reach.touch, len(reach.measure)
    hit = np.zeros(len(reach.cost), bool)
    hit[touch.who[touch.level <= reach.options.still]] = True
    gap = float(np.median(np.diff(reach.measure)))
    pad = max(int(np.ceil(limits["inward_m"] / max(limits["taper"] * gap, 1e-9))), 1)
    busy = np.zeros(n, int)
    for first, last in zip(touch.from_station[hit], touch.to_station[hit], strict=True):
        busy[max(first - pad, 0) : min(last + pad, n - 1) + 1] += 1
    # what would be lost by holding the line at a station
    held = np.zeros(n)
    for b in np.flatnonzero(hit):
        held[touch.from_station[b] : touch.to_station[b] + 1] += reach.cost[b]
    edge = np.flatnonzero(np.diff(np.r_[0, (busy > 0).astype(int), 0]))
    found: list[tuple[int, int]] = []
    for start, stop in edge.reshape(-1, 2).tolist():
        found += _cut(touch, held, start, stop - 1, most)
    return found[::-1]


def _cut(touch: Touches, held: Array, first: int, last: int, most: int) -> list[tuple[int, int]]:
    """A stretch in pieces that can be searched, cut where holding the line loses least."""
    found = []
    while last - first >= 4 and (
        last - first >= most or _crowd(touch, first, last) > MOST_BUILDINGS
    ):
        wide = most if last - first >= most else (last - first) // 2
        low = first + max(wide // 2, 1)
        cut = low + int(np.argmin(held[low : first + wide]))
        found.append((first, cut))
        first = cut
    if last - first >= 2:
        found.append((first, last))
    return found


def _crowd(touch: Touches, first: int, last: int) -> int:
    """Buildings within reach of a stretch."""
    return int(((touch.from_station <= last) & (touch.to_station >= first)).sum())


def solve_stretch(
    reach: Reach,
    first: int,
    last: int,
    level: float,
    done: list[Node],
    limits: Mapping[str, float],
    seconds: float,
) -> Node | None:
    """Search one node; its design keeps the levels allowed further upstream, too."""
    if not reach.calm[first : last + 1].all():
        return None
    problem, who = _node_problem(reach, first, last, level, done, limits)
    known = np.full((2, last - first + 1), reach.options.base)
    before = design_cost(problem, known)

    def excess(found: NodeSolution) -> float:
        up = march(reach, 0, first, float(found.levels[0]))
        return float((up - reach.most[: first + 1]).max())

    solution = accepted(problem, known, excess, seconds)
    if solution is None:
        return None
    return Node(reach, first, last, problem, solution, who, before)


def accepted(
    problem: NodeProblem,
    known: Array | None,
    excess: Callable[[NodeSolution], float],
    seconds: float,
) -> NodeSolution | None:
    """Cheapest design of a node whose water keeps all limits, also those upstream of the node.

    ``excess`` says by how much a design breaks a limit anywhere; the level at the node's upper end
    is lowered by a little more, and the node is searched again.
    """
    for _ in range(TRIALS):
        found = solve_node(problem, known=known, most_labels=MOST_LABELS, seconds=seconds)
        if found is None:
            return None
        over = excess(found)
        if over <= EXCESS_M:
            return found
        most = problem.most_level.copy()
        most[0] = found.levels[0] - 1.2 * over
        problem = replace(problem, most_level=most)
    return None


def _node_problem(
    reach: Reach,
    first: int,
    last: int,
    level: float,
    done: list[Node],
    limits: Mapping[str, float],
) -> tuple[NodeProblem, Array]:
    """The node's sections for every pair of options, prices, and its buildings' numbers."""
    options, n = reach.options, last - first + 1
    works = reach.works[:, first : last + 1].copy()
    still = np.arange(options.many) == options.base
    works[:, [0, -1]] = np.where(still, works[:, [0, -1]], np.inf)
    halves = [
        [_of_options(reach, side, first + i, works[side, i]) for i in range(n)] for side in (0, 1)
    ]
    pairs: list[tuple[float, Half, Half]] = []
    rows = np.zeros((n, options.many, options.many), int)
    for i in range(n):
        rows[i] = -1
        for a, left in halves[0][i].items():
            for b, right in halves[1][i].items():
                rows[i, a, b] = len(pairs)
                pairs.append((float(reach.river.middle[first + i]), left, right))
        # what is not allowed is never looked at
        rows[i][rows[i] < 0] = rows[i, options.base, options.base]
    ground, *banks = ground_of(pairs)
    many = [len(a) * len(b) for a, b in zip(*halves, strict=True)]
    station = first + np.repeat(np.arange(n), many)
    base_rows = reach.model.rows[station, 0]
    model = Model(
        pack(ground, banks=(banks[0], banks[1])), rows.reshape(-1, 1), np.zeros((rows.size, 1)),
        np.repeat(reach.length[station][:, None], 3, axis=1),
        reach.model.contraction[base_rows], reach.model.expansion[base_rows],
        reach.model.friction, reach.model.gravity,
    )  # fmt: skip
    gap = float(np.diff(reach.measure[first : last + 1]).min())
    far = np.abs(options.move()[:, None] - options.move())
    switch = options.wall()[:, None] != options.wall()
    price = SWITCH_YUAN * switch + limits["change_yuan_m"] * far
    change = np.where(far <= limits["taper"] * gap + 1e-9, price, np.inf)
    who, touch = _touched(reach, first, last, done)
    return NodeProblem(
        model, rows, reach.model.discharge[first : last + 1, 0], works, change, touch,
        reach.cost[who], level, reach.most[first : last + 1],
    ), who  # fmt: skip


def _of_options(reach: Reach, side: int, station: int, works: Array) -> dict[int, Half]:
    """Half sections of the options that are allowed; those that leave no bed are struck out."""
    dry = float(reach.most[station]) + ABOVE_M
    found = {}
    for k in np.flatnonzero(np.isfinite(works)).tolist():
        made = reach.rebuilt(side, station, k)
        if made is None:
            works[k] = np.inf
        else:
            found[k] = made.trimmed(dry)
    return found


def _touched(reach: Reach, first: int, last: int, done: list[Node]) -> tuple[Array, Array]:
    """Buildings of a node, and which options touch each (buildings, 2, stations, options).

    A building that the line takes outside of the node, too, is lost whatever happens here.
    """
    touch, options = reach.touch, reach.options
    chosen = chosen_options(reach, done)
    move = np.asarray(chosen // len(options.walls))[touch.side, touch.station]
    outside = (touch.station < first) | (touch.station > last)
    lost = np.zeros(len(reach.cost), bool)
    lost[touch.who[outside & (move >= touch.level)]] = True
    here = ~outside & ~lost[touch.who]
    who = np.unique(touch.who[here])
    place = np.searchsorted(who, touch.who[here])
    level = np.full((len(who), 2, last - first + 1), len(options.moves))
    level[place, touch.side[here], touch.station[here] - first] = touch.level[here]
    at = np.repeat(np.arange(len(options.moves)), len(options.walls))
    return who, at >= level[..., None]


def chosen_options(reach: Reach, nodes: list[Node]) -> Array:
    """Option of each bank at each station (2, stations)."""
    found = np.full((2, len(reach.measure)), reach.options.base)
    for node in nodes:
        found[:, node.first : node.last + 1] = node.solution.options
    return found


def halves_of(reach: Reach, chosen: Array) -> list[tuple[float, Half, Half]]:
    """Sections of the chosen options, whole."""
    made: list[list[Half]] = []
    for side in (0, 1):
        own = [reach.rebuilt(side, i, int(k)) for i, k in enumerate(chosen[side])]
        made.append([half for half in own if half is not None])
    # an option that leaves no bed is never chosen
    return list(zip(reach.river.middle, *made, strict=True))


def taken_by(reach: Reach, chosen: Array) -> Array:
    """Which buildings of a river a design touches."""
    move = np.asarray(chosen // len(reach.options.walls))[reach.touch.side, reach.touch.station]
    found = np.zeros(len(reach.cost), bool)
    found[reach.touch.who[move >= reach.touch.level]] = True
    return found


def works_of(node: Node) -> float:
    """What the works of a node cost."""
    return design_works(node.problem, node.solution.options)
