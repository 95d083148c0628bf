"""Where is a river searched, and with what? Its options, their prices, its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array, pack
from pinghu_geo.flood.steady import Model
from pinghu_geo.search.contacts import Contacts
from pinghu_geo.search.problem import MOST_BUILDINGS, NodeProblem, Pairs, Water, open_at_once
from pinghu_geo.search.thresholds import Touches
from pinghu_geo.search.trials import MANY_STEPS
from pinghu_geo.search.walls import Half, River, Wall, joined

__all__ = [
    "Base",
    "DrawnLine",
    "Options",
    "Reach",
    "extents",
    "halves_of",
    "on_some_way",
    "stretch_problem",
    "taken_by",
    "touched_within",
]

# keeps a wall from changing where nothing is gained
SWITCH_YUAN = 1.0
# height above the highest level that sections of options are kept for [m]
ABOVE_M = 1.0
# stations between stretches that are searched as one at most, where one of them has many steps
NEAR = 10


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

    def far(self) -> Array:
        """How far options lie apart (options, options) [m]."""
        move = self.move()
        return np.asarray(np.abs(move[:, None] - move))

    def wall(self) -> Array:
        """Wall of each option."""
        return np.tile(np.arange(len(self.walls)), len(self.moves))

    def kinds(self) -> list[tuple[float, Wall | None]]:
        """Move [m] and wall of each option."""
        return [(float(move), wall) for move in self.moves for wall in self.walls]

    def line(self, chosen: Array) -> DrawnLine:
        """The line of chosen options (2, stations)."""
        return DrawnLine(self.move()[chosen], self.wall()[chosen])


class DrawnLine(NamedTuple):
    """Moves [m] and walls of both banks at each station (2, stations)."""

    moves: Array
    walls: Array


class Base(NamedTuple):
    """One flood in the approved river: base sections as one column, ways to the next station."""

    name: str
    model: Model
    length: Array  # weighted by the base flow


@dataclass(frozen=True, slots=True)
class Reach:
    """One river with what its search needs; arrays run from upstream to downstream."""

    name: str
    river: River
    ids: Array  # building of each number of touch
    measure: Array
    offsets: Array  # (2, stations) of the approved line
    touch: Touches
    contacts: Contacts
    cost: Array
    options: Options
    works: Array  # (2, stations, options) in yuan, infinite where an option is not allowed
    floods: tuple[Base, ...]  # those that have an allowed rise
    level: Array  # (floods, stations) of the approved river
    most: Array  # (floods, stations) levels allowed
    calm: Array  # whether the base flow of all floods is clearly subcritical
    crossed: tuple[int, ...] = ()  # stations just above bridges, culverts, weirs and gates
    closed: frozenset[int] = frozenset()  # those, and beside covers: the line stays as approved

    def rebuilt(self, side: int, station: int, line: DrawnLine) -> Half | None:
        """Half a section as a line makes it; None: it leaves no bed."""
        return self.river.rebuilt(
            side,
            station,
            float(self.offsets[side, station]),
            float(line.moves[side, station]),
            self.options.walls[int(line.walls[side, station])],
        )

    def chainage(self, station: int) -> float:
        """Chainage of a station."""
        return float(self.river.stations["chainage_m"].iloc[station])

    def as_approved(self) -> Array:
        """Rows of the gaps of ``touch`` in which the approved line takes the building."""
        return self.touch.pairs_take(np.full((2, len(self.measure)), self.options.still))


def extents(reach: Reach, limits: Mapping[str, float]) -> list[tuple[int, int]]:
    """First and last station of each stretch to be searched, from downstream to upstream.

    Where the approved line takes buildings, with room to move and return; stretches that could
    both reach one building are one. Left out are those that aren't clearly subcritical.
    """
    touch, n = reach.touch, len(reach.measure)
    hit = np.zeros(len(reach.cost), bool)
    hit[touch.gaps.who[reach.as_approved()]] = True
    gap = float(np.median(np.diff(reach.measure)))
    pad = max(int(np.ceil(limits["inward_m"] / max(limits["taper"] * gap, 1e-9))), 1)
    busy = np.zeros(n, bool)
    for first, last in zip(touch.from_station[hit], touch.to_station[hit], strict=True):
        busy[max(first - pad, 0) : min(last + pad, n - 1) + 1] = True
    while True:
        found, split = _runs_of_true(busy), False
        for first, last in zip(touch.from_station, touch.to_station, strict=True):
            beside = [r for r in found if r[0] <= last and r[1] >= first]
            if len(beside) > 1:
                busy[beside[0][1] : beside[-1][0]] = split = True
        if not split:
            break
    fast = (int(k) + way for k in np.flatnonzero(~reach.calm) for way in (-1, 0))
    shut = sorted(reach.closed.union(fast))
    free = [part for run in found for part in _apart_from(shut, touch, *run)]
    parts = [part for start, stop in free for part in _cut_to_set_size(reach, hit, start, stop)]
    calm = [(a, b) for a, b in parts if reach.calm[a : b + 1].all()]
    return _joined(reach, sorted(calm), shut, limits)[::-1]


def _joined(
    reach: Reach, parts: list[tuple[int, int]], shut: list[int], limits: Mapping[str, float]
) -> list[tuple[int, int]]:
    """Stretches from upstream to downstream, those near to one another as one.

    Only where one of them has many steps: bounds over both are closer then than what the one can
    tell the other of its costs.
    """
    change = reach.options.far() <= limits["taper"] * np.diff(reach.measure).min() + 1e-9
    free = np.isfinite(reach.works) * 1.0
    ways = np.einsum("sia,ab,sib->si", free[:, :-1], change, free[:, 1:]).prod(axis=0)
    touch, found = reach.touch, list[tuple[int, int]]()
    for first, last in parts:
        if found:
            start, stop = found[-1]
            within = (touch.from_station <= last) & (touch.to_station >= start)
            many = max(ways[start:stop].sum(), ways[first:last].sum()) >= MANY_STEPS
            if (
                many and first - stop <= NEAR and reach.calm[stop : first + 1].all()
                and not any(stop <= k < first for k in shut)
                and open_at_once(touch.from_station[within], touch.to_station[within])[1]
                <= MOST_BUILDINGS
            ):  # fmt: skip
                found[-1] = (start, last)
                continue
        found.append((first, last))
    return found


def _runs_of_true(busy: Array) -> list[tuple[int, int]]:
    """First and last of each run of trues."""
    edge = np.flatnonzero(np.diff(np.r_[0, busy.astype(int), 0]))
    return [(int(a), int(b) - 1) for a, b in edge.reshape(-1, 2)]


def _apart_from(shut: list[int], touch: Touches, first: int, last: int) -> list[tuple[int, int]]:
    """A stretch without the ways in it where the line stays as approved: structures, fast water.

    A building that stands on both sides of one is left to the longer side.
    """
    done, left = [], [(first, last)]
    while left:
        first, last = left.pop()
        up = next((k for k in shut if first <= k < last), None)
        if up is None:
            done.append((first, last))
            continue
        above, below = up, up + 1
        both = (touch.from_station <= up) & (touch.to_station > up)
        for a, b in zip(touch.from_station[both], touch.to_station[both], strict=True):
            if up - a < b - up:
                above = min(above, int(a))
            else:
                below = max(below, int(b))
        left += [(below, last), (first, above)]
    return done


def _cut_to_set_size(reach: Reach, hit: Array, first: int, last: int) -> list[tuple[int, int]]:
    """A stretch in pieces, where more buildings overlap than a set can hold."""
    touch = reach.touch
    within = (touch.from_station <= last) & (touch.to_station >= first)
    if last - first < 2:
        return []
    if open_at_once(touch.from_station[within], touch.to_station[within])[1] <= MOST_BUILDINGS:
        return [(first, last)]
    held = np.zeros(last - first + 1)
    for b in np.flatnonzero(hit & within):
        a = max(int(touch.from_station[b]) - first, 0)
        held[a : touch.to_station[b] - first + 1] += reach.cost[b]
    quarter = max((last - first) // 4, 1)
    cut = first + quarter + int(np.argmin(held[quarter : last - first - quarter + 1]))
    return _cut_to_set_size(reach, hit, first, cut) + _cut_to_set_size(reach, hit, cut, last)


def stretch_problem(
    reach: Reach, first: int, last: int, level: Array, limits: Mapping[str, float]
) -> tuple[NodeProblem, Array]:
    """A stretch's sections for every pair of options, prices, and its buildings' numbers.

    ``level`` (floods,) are those that arrive.
    """
    options, n = reach.options, last - first + 1
    gap = float(np.diff(reach.measure[first : last + 1]).min())
    far = options.far()
    switch = options.wall()[:, None] != options.wall()
    price = SWITCH_YUAN * switch + limits["change_yuan_m"] * far
    change = np.where(far <= limits["taper"] * gap + 1e-9, price, np.inf)
    works = reach.works[:, first : last + 1].copy()
    still = np.arange(options.many) == options.base
    works[:, [0, -1]] = np.where(still, works[:, [0, -1]], np.inf)
    works = on_some_way(works, change)
    halves = [
        [_halves_of_options(reach, side, first + i, works[side, i]) for i in range(n)]
        for side in (0, 1)
    ]
    rows, one, other = _numbered(halves, options)
    left, right = (
        [(float(reach.river.middle[first + i]), half) for i in range(n) for half in own[i].values()]
        for own in halves
    )
    ground, *banks = joined(left, right, one, other)
    many = [len(a) * len(b) for a, b in zip(*halves, strict=True)]
    station = first + np.repeat(np.arange(n), many)
    base = reach.floods[0].model
    base_rows = base.rows[station, 0]
    model = Model(
        pack(ground, banks=(banks[0], banks[1])), rows.reshape(-1, 1), np.zeros((rows.size, 1)),
        np.zeros((rows.size, 3)), base.contraction[base_rows], base.expansion[base_rows],
        base.friction, base.gravity,
    )  # fmt: skip
    here = slice(first, last + 1)
    waters = [
        Water(
            model.with_lengths(np.repeat(flood.length[station][:, None], 3, axis=1)),
            flood.model.discharge[here, 0], float(arrives), most[here],
        )
        for flood, arrives, most in zip(reach.floods, level, reach.most, strict=True)
    ]  # fmt: skip
    who, crossings = touched_within(reach, first, last)
    own = waters[0]
    return NodeProblem(
        own.model, rows, own.discharge, works, change,
        np.zeros((len(who), 2, n, options.many), bool), reach.cost[who], own.downstream_level,
        own.most_level, crossings, others=tuple(waters[1:]),
    ), who  # fmt: skip


def _numbered(halves: list[list[dict[int, Half]]], options: Options) -> tuple[Array, Array, Array]:
    """Number of the section of each pair of options (stations, options, options), and its halves.

    Those by their numbers on each bank, station after station.
    """
    rows = np.empty((len(halves[0]), options.many, options.many), int)
    one, other = list[Array](), list[Array]()
    begin, first, second = 0, 0, 0
    for own, left, right in zip(rows, *halves, strict=True):
        a, b = list(left), list(right)
        number = begin + np.arange(len(a) * len(b)).reshape(len(a), len(b))
        # what is not allowed is never looked at
        own[:] = number[a.index(options.base), b.index(options.base)]
        own[np.ix_(a, b)] = number
        one.append(first + np.repeat(np.arange(len(a)), len(b)))
        other.append(second + np.tile(np.arange(len(b)), len(a)))
        begin, first, second = begin + number.size, first + len(a), second + len(b)
    return rows, np.concatenate(one), np.concatenate(other)


def on_some_way(works: Array, change: Array) -> Array:
    """Prices (2, stations, options), infinite where no way from end to end takes the option."""
    open_, may = np.isfinite(works), np.isfinite(change)
    for i in range(1, works.shape[1]):
        open_[:, i] &= open_[:, i - 1] @ may
    for i in range(works.shape[1] - 2, -1, -1):
        open_[:, i] &= open_[:, i + 1] @ may.T
    return np.where(open_, works, np.inf)


def _halves_of_options(reach: Reach, side: int, station: int, works: Array) -> dict[int, Half]:
    """Half sections of the options that are allowed; those that leave no bed are struck out."""
    dry = float(reach.most[:, station].max()) + ABOVE_M
    found = {}
    offset, options = float(reach.offsets[side, station]), reach.options
    for k in np.flatnonzero(np.isfinite(works)).tolist():
        move, wall = divmod(k, len(options.walls))
        made = reach.river.rebuilt(
            side, station, offset, float(options.moves[move]), options.walls[wall]
        )
        if made is None:
            works[k] = np.inf
        else:
            found[k] = made.trimmed(dry)
    return found


def touched_within(reach: Reach, first: int, last: int) -> tuple[Array, Pairs]:
    """Buildings of a stretch, and which pairs of options at neighbouring stations touch each.

    A building that the approved line takes outside of the stretch, too, is lost whatever happens
    here.
    """
    gaps, options = reach.touch.gaps, reach.options
    outside = (gaps.gap < first) | (gaps.gap >= last)
    lost = np.zeros(len(reach.cost), bool)
    lost[gaps.who[outside & reach.as_approved()]] = True
    here = np.flatnonzero(~outside & ~lost[gaps.who])
    who = np.unique(gaps.who[here])
    # the first option of a move is its first wall
    least = np.repeat(gaps.safe[here] * len(options.walls), len(options.walls), axis=1)
    place = np.searchsorted(who, gaps.who[here])
    return who, Pairs(place, gaps.side[here], gaps.gap[here] - first, least)


def halves_of(reach: Reach, line: DrawnLine) -> list[tuple[float, Half, Half]]:
    """Sections of a line, whole."""
    made: list[list[Half]] = []
    for side in (0, 1):
        own = [reach.rebuilt(side, i, line) for i in range(line.moves.shape[1])]
        made.append([half for half in own if half is not None])
    # a line that leaves no bed is never chosen
    return list(zip(reach.river.middle, *made, strict=True))


def taken_by(reach: Reach, chosen: Array) -> Array:
    """Which buildings of a river a design touches."""
    found = np.zeros(len(reach.cost), bool)
    found[reach.touch.gaps.who[reach.touch.pairs_take(chosen // len(reach.options.walls))]] = True
    return found
