"""What does the rest cost at least? Buildings paid in parts, and prices of a metre of level.

Every step is replaced by a straight line below it, a metre of level gets a price, at the upper end
and at each station, and a building is paid in parts where it stands; then the cheapest way up is
found for each choice of options. Chords of the least of straight lines lie below it, so that the
bound stays a straight line in the level. Any prices and any parts give a bound: good ones are found
by going up along what the cheapest way exceeds and touches (the subgradient), and the best of a few
counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.search.problem import MOST_BUILDINGS, NodeProblem, beside, open_at_once

__all__ = ["Buildings", "Sheaf", "Steps", "ascended", "chords", "cost_of"]

# rounds of going up, the share of the bound that is aimed at above it, and rounds without gain
# after which less is aimed at
ROUNDS = 100
AIM = 0.05
PATIENCE = 8
LEAST_AIM = 2e-4
# how much of the last direction is kept
MOMENTUM = 0.8
# what prices of levels are multiplied with to look for designs: those that keep their water low
CAUTION = (1.1, 1.25, 1.5)


class Steps(NamedTuple):
    """What can follow what between two stations; in the order of the lower pair.

    ``levels`` (floods, steps, 3) are the levels above for the lowest level below, one at `KNEE`,
    and the highest; ``lines`` (floods, steps, 2) are the ends of a straight line that lies below
    the step. ``first`` says where the steps of each lower pair begin.
    """

    above: Array
    cost: Array
    levels: Array
    lines: Array
    first: Array
    low: Array  # (floods, pairs) lowest level below
    top: Array  # (floods,) and the highest

    @property
    def below(self) -> Array:
        """The lower pair of each step."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))

    def share(self, flood: int, level: Array, below: Array) -> Array:
        """Where levels stand between the lowest and the highest one."""
        low = self.low[flood][below]
        span = self.top[flood] - low
        found: Array = np.where(span > 1e-9, (level - low) / np.maximum(span, 1e-9), 0)
        return found


class Buildings:
    """Who is touched by what, as bits; a bit serves another building where the first has ended."""

    def __init__(self, problem: NodeProblem) -> None:
        """Set up for a stretch."""
        p = problem
        self.n, self.o = p.rows.shape[:2]
        self.cost = p.cost
        stand = beside(p)
        some = stand.any(axis=1)
        self.first = np.where(some, stand.argmax(axis=1), self.n)
        self.last = np.where(some, self.n - 1 - stand[:, ::-1].argmax(axis=1), self.n)
        self.number, self.many = open_at_once(self.first, self.last)
        if self.many > MOST_BUILDINGS:
            raise ValueError(f"at most {MOST_BUILDINGS} buildings may stand beside one station")
        bits = np.left_shift(np.uint64(1), self.number.astype(np.uint64))
        # who an option touches (2, stations, options), and a pair of one station
        one = np.zeros(p.station_cost.shape, np.uint64)
        for b in range(len(p.cost)):
            one |= np.where(p.touch[b], bits[b], np.uint64(0))
        self.touched = (one[0, :, :, None] | one[1, :, None, :]).reshape(self.n, -1)
        # buildings beside a station that stand further upstream, too
        none = np.uint64(0)
        self.open = [
            np.bitwise_or.reduce(bits[(self.first < i) & (self.last >= i)], initial=none)
            for i in range(self.n)
        ]
        self.sums = [self._by_bit(p.cost, i) for i in range(self.n)]
        self._pairs(p, bits)

    def _pairs(self, p: NodeProblem, bits: Array) -> None:
        """What stations and pairs of options touch, building by building, and parts by weight."""
        weight = p.touch.sum(axis=(1, 3)).astype(float)
        below = np.arange(self.o)[:, None]
        crossed = below >= p.pairs.least[:, None]  # (rows, lower option, upper option)
        many = (crossed & np.isfinite(p.change_cost)).sum(axis=(1, 2)) / self.o
        # one that both banks may touch counts in the bound by the bank where most pairs do
        by_side = np.zeros((len(p.cost), 2))
        np.add.at(by_side, (p.pairs.who, p.pairs.side), many)
        counts = p.pairs.side == by_side.argmax(axis=1)[p.pairs.who]
        np.add.at(weight, (p.pairs.who[counts], p.pairs.gap[counts]), many[counts])
        # parts grow with the number of options that touch there: where hardly any does, a bound
        # that has to pay there is hardly raised
        self.stands = weight > 0
        part: Array = p.cost[:, None] * weight / np.maximum(weight.sum(axis=1), 1e-9)[:, None]
        self.part = part
        self.pair_bits = np.zeros((2, self.n, self.o, self.o), np.uint64)
        for k, (b, side, i) in enumerate(zip(*p.pairs[:3], strict=True)):
            self.pair_bits[side, i] |= np.where(crossed[k], bits[b], np.uint64(0))
        # by station: who, and whether each pair touches them; by bank and gap the same of options
        self.at: list[tuple[Array, Array]] = []
        self.across: list[list[tuple[Array, Array]]] = [[], []]
        for i in range(self.n):
            who = np.flatnonzero(p.touch[:, :, i].any(axis=(1, 2)))
            left, right = p.touch[who, 0, i], p.touch[who, 1, i]
            self.at.append(
                (who, (left[:, :, None] | right[:, None]).reshape(len(who), self.o**2) * 1.0)
            )
            for side in (0, 1):
                rows = np.flatnonzero(counts & (p.pairs.gap == i) & (p.pairs.side == side))
                mask = crossed[rows].reshape(len(rows), self.o**2) * 1.0
                self.across[side].append((p.pairs.who[rows], mask))

    def _by_bit(self, value: Array, i: int) -> Array:
        """Sums for sets of those beside a station, eight by eight."""
        here = (self.first <= i) & (self.last >= i)
        by_bit = np.zeros(self.many)
        by_bit[self.number[here]] = value[here]
        return _byte_sums(by_bit)

    def rests(self, part: Array) -> list[Array]:
        """Sums of the parts that lie upstream of each station."""
        above = np.cumsum(part, axis=1) - part
        return [self._by_bit(above[:, i], i) for i in range(self.n)]

    def crossed(self, i: int, steps: Steps) -> Array:
        """What each step up to a station touches, as bits."""
        a, b = np.divmod(steps.below, self.o)
        to_a, to_b = np.divmod(steps.above, self.o)
        bits = self.pair_bits[:, i]
        return np.asarray(self.touched[i, steps.above] | bits[0][a, to_a] | bits[1][b, to_b])

    def places(self, steps: Steps) -> tuple[Array, Array]:
        """Which pair of options (lower x upper) each step is on the left and the right bank."""
        a, b = np.divmod(steps.below, self.o)
        to_a, to_b = np.divmod(steps.above, self.o)
        return a * self.o + to_a, b * self.o + to_b

    def paid(self, i: int, steps: Steps, part: Array, places: tuple[Array, Array]) -> Array:
        """What each step up to a station pays of the buildings, by their parts."""
        found = np.zeros(len(steps.above))
        for (who, mask), place in zip(
            (self.at[i], *(one[i] for one in self.across)), (steps.above, *places), strict=True
        ):
            if len(who):
                found += (part[who, i] @ mask)[place]
        return found

    def touches(self, i: int, above: Array, places: tuple[Array, Array], mass: Array) -> Array:
        """How often steps touch each building, weighted."""
        found = np.zeros(len(self.cost))
        for (who, mask), place in zip(
            (self.at[i], *(one[i] for one in self.across)), (above, *places), strict=True
        ):
            if len(who):
                np.add.at(found, who, mask[:, place] @ mass)
        return found


def _byte_sums(cost: Array) -> Array:
    """Cost of every set of eight things, eight by eight."""
    padded = np.zeros(-(-max(len(cost), 1) // 8) * 8)
    padded[: len(cost)] = cost
    sets = (np.arange(256)[:, None] >> np.arange(8)) & 1
    return np.asarray(sets @ padded.reshape(-1, 8).T).T


def cost_of(sets: Array, sums: Array) -> Array:
    """Cost of sets of things."""
    total = np.zeros(len(sets))
    for k, one in enumerate(sums):
        byte = (sets >> np.uint64(8 * k)) & np.uint64(255)
        total += one[byte.astype(np.uint8)]
    return total


@dataclass(frozen=True, slots=True)
class Sheaf:
    """Bounds of one flood that share their parts: by station, lines (lines, pairs) in its level.

    ``height`` is at the level ``top`` of the station; ``rests`` are the parts upstream, as sums.
    """

    flood: int
    height: list[Array]
    slope: list[Array]
    top: Array
    part: Array
    rests: list[Array]

    def at(self, i: int, pair: Array, level: Array) -> Array:
        """Least cost that can follow pairs at levels, by each line (lines, pairs)."""
        height, slope = self.height[i][:, pair], self.slope[i][:, pair]
        found: Array = height + slope * (level - self.top[i])
        return found

    def ends(self, i: int, steps: Steps, extra: Array, line: int) -> tuple[Array, Array]:
        """What steps up to a station and all after them cost, for the lowest and highest level.

        By one line: straight between both ends.
        """
        height, slope = (v[i][line, steps.above] for v in (self.height, self.slope))
        one, other = (
            extra + height + slope * (level - self.top[i]) for level in steps.lines[self.flood].T
        )
        return one, other


class _Chords(NamedTuple):
    """A backward pass: lines by station, and which steps are least at both ends of each chord."""

    sheaf: Sheaf
    least: list[tuple[Array, Array]]


def chords(
    steps: list[Steps], buildings: Buildings, flood: int, part: Array, top: Array,
    height: Array, slope: Array, prices: Array | None = None, *, which: bool = False,
    places: list[tuple[Array, Array]] | None = None,
) -> _Chords:  # fmt: skip
    """Least cost that can follow each pair at each station, as lines in the level.

    ``steps`` begin at the mouth; ``height``, ``slope`` (lines,) are those at the upper end,
    ``prices`` (stations,) of a metre of level above the one allowed, at each station.
    """
    pairs, n = buildings.o**2, buildings.n
    price = np.zeros(n) if prices is None else prices
    heights = [np.repeat(height[:, None], pairs, axis=1)]
    slopes = [np.repeat((slope + price[0])[:, None], pairs, axis=1)]
    least: list[tuple[Array, Array]] = []
    for i in range(n - 1):
        one = steps[n - 2 - i]
        where = buildings.places(one) if places is None else places[n - 2 - i]
        extra = one.cost + buildings.paid(i, one, part, where)
        some = one.first[1:] > one.first[:-1]
        ends = []
        for line in one.lines[flood].T:
            over = line - top[i]
            value = extra + heights[i][:, one.above] + slopes[i][:, one.above] * over
            found = np.full((len(height), pairs), np.inf)
            if some.any():
                found[:, some] = np.minimum.reduceat(value, one.first[:-1][some], axis=1)
            ends.append(found)
            if which:
                least.append((_first_least(value[0], found[0], one.first), found[0]))
        # a chord that would fall is laid flat through its upper end
        span = one.top[flood] - one.low[flood]
        with np.errstate(invalid="ignore", divide="ignore"):
            chord = (ends[1] - ends[0]) / span
        heights.append(ends[1])
        chord = np.where((span > 1e-9) & (chord > 0), chord, 0.0)
        slopes.append(chord + (price[i + 1] if i + 1 < n - 1 else 0.0))
    sheaf = Sheaf(flood, heights, slopes, top, part, buildings.rests(part))
    return _Chords(sheaf, [(a[0], b[0]) for a, b in zip(least[::2], least[1::2], strict=True)])


def _first_least(value: Array, least: Array, first: Array) -> Array:
    """The step of each lower pair at which a value is least; -1: none."""
    found = np.full(len(least), -1)
    at = np.flatnonzero(value == np.repeat(least, np.diff(first)))[::-1]
    found[np.searchsorted(first, at, side="right") - 1] = at
    return found


class _Prices(NamedTuple):
    """What is chosen freely in a bound: prices of levels, parts, weights of the lines at the top.

    Prices are those of the whole way that a level may vary at a station, so that all are in yuan.
    """

    levels: Array
    part: Array
    weights: Array

    def plus(self, step: float, way: _Prices, buildings: Buildings) -> _Prices:
        """Farther along a way, and back into what is allowed."""
        levels = np.maximum(self.levels + step * way.levels, 0.0)
        part = _onto_sums(self.part + step * way.part, buildings.cost, buildings.stands)
        weights = _onto_sums(
            (self.weights + step * way.weights)[None], self.weights.sum(keepdims=True),
            np.ones((1, len(self.weights)), bool),
        )[0]  # fmt: skip
        return _Prices(levels, part, weights)

    def dot(self, other: _Prices) -> float:
        """Scalar product."""
        return float(sum((a * b).sum() for a, b in zip(self, other, strict=True)))

    def mixed(self, other: _Prices, share: float) -> _Prices:
        """With a share of another one."""
        return _Prices(*(a + share * b for a, b in zip(self, other, strict=True)))


def _onto_sums(value: Array, total: Array, allowed: Array) -> Array:
    """The nearest rows that are nowhere negative, add up to totals, and are 0 where not allowed."""
    order = np.where(allowed, value, -np.inf)
    ranked = -np.sort(-order, axis=1)
    with np.errstate(invalid="ignore"):
        sums = np.cumsum(np.where(np.isfinite(ranked), ranked, 0.0), axis=1) - total[:, None]
        over = ranked - sums / np.arange(1, value.shape[1] + 1) > 0
    many = np.maximum(over.sum(axis=1), 1)
    shift = sums[np.arange(len(value)), many - 1] / many
    found: Array = np.where(allowed, np.maximum(value - shift[:, None], 0.0), 0.0)
    return found


class _Root(NamedTuple):
    """What stands at the lowest station: pairs, what they cost at once, sets, the level there."""

    pair: Array
    cost: Array
    sets: Array
    level: float


def ascended(
    steps: list[Steps], buildings: Buildings, flood: int, top: Array, terminal: tuple[Array, Array],
    scale: Array, begin: tuple[float, int], root: _Root | tuple[Array, Array, Array, float],
) -> tuple[list[Sheaf], list[Sheaf]]:  # fmt: skip
    """Bounds by better prices and parts, for a level that arrives; the best one last.

    Then the same at higher prices of levels: what is cheap by them arrives.

    ``terminal`` are the lines at the upper end, ``scale`` (stations,) is how far levels may vary,
    ``begin`` the price of a metre at the upper end and the line to begin with.
    """
    root = _Root(*root)
    base, slopes = terminal
    # the lines at the top count in units of what they span, so that a weight is in yuan, too
    unit = max(float(np.ptp(base)), 1e-9)
    weights = np.zeros(len(base))
    weights[begin[1]] = unit
    levels = np.zeros(buildings.n)
    levels[0] = begin[0] * scale[0]
    now = best = _Prices(levels, buildings.part.copy(), weights)
    places = [buildings.places(one) for one in steps]
    way: _Prices | None = None
    found: list[Sheaf] = []
    value, aim, idle = -np.inf, AIM, 0
    for _ in range(ROUNDS):
        share = now.weights / unit
        made = chords(
            steps, buildings, flood, now.part, top, (share @ base)[None], (share @ slopes)[None],
            now.levels / scale, which=True, places=places,
        )  # fmt: skip
        here, at = _root_value(made.sheaf, root)
        if not found or here > value + 1e-9 * abs(value):
            idle = 0 if not found or here > value + aim * abs(value) / 20 else idle + 1
            best, value = now, here
            found.append(made.sheaf)
        else:
            idle += 1
        if not np.isfinite(value):
            break
        if idle >= PATIENCE:
            now, aim, idle, way = best, aim / 2, 0, None
            if aim < LEAST_AIM:
                break
            if here < value:
                continue
        grown = _exceeded(made, steps, buildings, root, at, places)
        over = _Prices(
            np.where((now.levels > 0) | (grown[0] > 0), grown[0] / scale, 0.0),
            np.where(buildings.stands, grown[1], 0.0),
            (base + slopes * grown[2]) / unit,
        )
        way = over if way is None else over.mixed(way, MOMENTUM)
        free = _Prices(
            way.levels, _centred(way.part, buildings.stands), way.weights - way.weights.mean()
        )
        norm = free.dot(free)
        if norm < 1e-18:
            break
        now = now.plus((value * (1 + aim) - here) / norm, free, buildings)
    share = best.weights / unit
    cautious = [
        chords(
            steps, buildings, flood, best.part, top, (share @ base)[None], (share @ slopes)[None],
            more * best.levels / scale, places=places,
        ).sheaf
        for more in CAUTION
    ]  # fmt: skip
    return [found[len(found) // 2], found[-1]] if len(found) > 2 else found[-1:], cautious


def _centred(part: Array, stands: Array) -> Array:
    """Rows less their mean where they stand."""
    mean = part.sum(axis=1) / np.maximum(stands.sum(axis=1), 1)
    return np.where(stands, part - mean[:, None], 0.0)


def _root_value(sheaf: Sheaf, root: _Root) -> tuple[float, int]:
    """The bound at the lowest station, and at which pair it is."""
    value = root.cost - cost_of(root.sets, sheaf.rests[-1])
    value += sheaf.at(-1, root.pair, np.full(len(root.pair), root.level))[0]
    at = int(np.argmin(value))
    return float(value[at]), at


def _exceeded(
    made: _Chords, steps: list[Steps], buildings: Buildings, root: _Root, at: int,
    places: list[tuple[Array, Array]],
) -> tuple[Array, Array, float]:  # fmt: skip
    """Along the cheapest way by a bound: levels above those allowed, what it touches, its end.

    A point on a chord is a mixture of both ends: what goes up is a share of each way, with its mean
    level by pair.
    """
    n, flood, top = buildings.n, made.sheaf.flood, made.sheaf.top
    over, touch = np.zeros(n), np.zeros((len(buildings.cost), n))
    mass, sums = np.zeros(buildings.o**2), np.zeros(buildings.o**2)
    mass[root.pair[at]], sums[root.pair[at]] = 1.0, root.level
    who = np.flatnonzero((buildings.first <= n - 1) & (buildings.last >= n - 1))
    bits = (root.sets[at] >> buildings.number[who].astype(np.uint64)) & np.uint64(1)
    touch[who, n - 1] = bits
    for k, one in enumerate(steps):
        i = n - 2 - k
        pair = np.flatnonzero(mass > 1e-12)
        span = one.top[flood] - one.low[flood][pair]
        level = sums[pair] / mass[pair]
        flat = made.sheaf.slope[i + 1][0, pair] <= 0
        along = (level - one.low[flood][pair]) / np.maximum(span, 1e-9)
        share = np.where((span > 1e-9) & ~flat, along, 1.0)
        ways = [ends[pair] for ends in made.least[i]]
        weight = np.concatenate([mass[pair] * (1 - share), mass[pair] * share])
        way = np.concatenate(ways)
        fine = (way >= 0) & (np.abs(weight) > 1e-15)
        way, weight, end = way[fine], weight[fine], np.repeat([0, 1], len(pair))[fine]
        above, reached = one.above[way], one.lines[flood][way, end]
        mass, sums = np.zeros_like(mass), np.zeros_like(sums)
        np.add.at(mass, above, weight)
        np.add.at(sums, above, weight * reached)
        over[i] = (weight * (reached - top[i])).sum()
        own = (places[k][0][way], places[k][1][way])
        touch[:, i] += buildings.touches(i, above, own, weight)
    end = float(sums.sum() / max(mass.sum(), 1e-12)) - top[0]
    return over, touch, end
