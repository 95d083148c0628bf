"""What does the rest cost at least? Buildings paid in parts, and prices of a metre of level.

Every step is replaced by a straight line below it, a metre of level gets a price, at the upper end
and at each station, and a building is paid in parts where it stands; then the cheapest way up is
found for each choice of options. Chords of the least of straight lines lie below it, so that the
bound stays a straight line in the level. Any prices and any parts give a bound; `ascent` looks for
good ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.search.problem import MOST_BUILDINGS, NodeProblem, beside, open_at_once

__all__ = ["Buildings", "Sheaf", "Steps", "chords", "cost_of"]


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
    top: Array  # (floods, pairs) and the highest

    @property
    def below(self) -> Array:
        """The lower pair of each step."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))

    def share(self, flood: int, level: Array, below: Array) -> Array:
        """Where levels stand between the lowest and the highest one."""
        low = self.low[flood][below]
        span = self.top[flood][below] - low
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
        self.own_rests: list[Array] = []
        self._pairs(p, bits)
        self.own_rests = self.rests(self.part)

    def _pairs(self, p: NodeProblem, bits: Array) -> None:
        """What pairs of options touch, building by building, and parts by weight."""
        who, side, gap, crossed = _gap_masks(p)
        many = (crossed & np.isfinite(p.change_cost)).sum(axis=(1, 2)) / self.o
        # one that both banks may touch counts in the bound by the bank where most pairs do
        by_side = np.zeros((len(p.cost), 2))
        np.add.at(by_side, (who, side), many)
        counts = side == by_side.argmax(axis=1)[who]
        weight = np.zeros((len(p.cost), self.n))
        np.add.at(weight, (who[counts], gap[counts]), many[counts])
        # parts grow with the number of options that touch there: where hardly any does, a bound
        # that has to pay there is hardly raised
        self.stands = weight > 0
        part: Array = p.cost[:, None] * weight / np.maximum(weight.sum(axis=1), 1e-9)[:, None]
        self.part = part
        self.pair_bits = np.zeros((2, self.n, self.o, self.o), np.uint64)
        for k, (b, bank, i) in enumerate(zip(who, side, gap, strict=True)):
            self.pair_bits[bank, i] |= np.where(crossed[k], bits[b], np.uint64(0))
        # by bank and gap: who, and whether each pair of options touches them
        self.across: list[list[tuple[Array, Array]]] = [[], []]
        for i in range(self.n):
            for bank in (0, 1):
                rows = np.flatnonzero(counts & (gap == i) & (side == bank))
                mask = crossed[rows].reshape(len(rows), self.o**2) * 1.0
                self.across[bank].append((who[rows], mask))

    def _by_bit(self, value: Array, i: int) -> Array:
        """Sums for sets of those beside a station, eight by eight."""
        here = (self.first <= i) & (self.last >= i)
        by_bit = np.zeros(self.many)
        by_bit[self.number[here]] = value[here]
        return _byte_sums(by_bit)

    def rests(self, part: Array) -> list[Array]:
        """Sums of the parts that lie upstream of each station."""
        if part is self.part and self.own_rests:
            return self.own_rests
        above = np.cumsum(part, axis=1) - part
        return [self._by_bit(above[:, i], i) for i in range(self.n)]

    def crossed(self, i: int, places: tuple[Array, Array]) -> Array:
        """What each step up to a station touches, as bits."""
        left, right = (
            bits.ravel()[place]
            for bits, place in zip(self.pair_bits[:, i], places, strict=True)
        )  # fmt: skip
        return np.asarray(left | right)

    def places(self, steps: Steps) -> tuple[Array, Array]:
        """Which pair of options (lower x upper) each step is on the left and the right bank."""
        a, b = np.divmod(steps.below, self.o)
        to_a, to_b = np.divmod(steps.above, self.o)
        return a * self.o + to_a, b * self.o + to_b

    def paid(self, i: int, part: Array, places: tuple[Array, Array]) -> Array:
        """What each step up to a station pays of the buildings, by their parts."""
        found = np.zeros(len(places[0]))
        for one, place in zip(self.across, places, strict=True):
            who, mask = one[i]
            if len(who):
                found += (part[who, i] @ mask)[place]
        return found

    def touches(self, i: int, places: tuple[Array, Array], mass: Array) -> Array:
        """How often steps touch each building, weighted."""
        found = np.zeros(len(self.cost))
        for one, place in zip(self.across, places, strict=True):
            who, mask = one[i]
            if len(who):
                np.add.at(found, who, mask[:, place] @ mass)
        return found


def _gap_masks(p: NodeProblem) -> tuple[Array, Array, Array, Array]:
    """Building, bank and gap between stations, and which pairs (lower, upper) touch it there.

    What options at one station touch counts in the gaps between its stations, by either end: so a
    building beside two stations is paid whole in the one step between them, in bounds, too. One
    that stands beside the lowest station alone is paid there.
    """
    n, o = p.rows.shape[:2]
    who, side, gap, least = p.pairs
    masks = {
        key: np.arange(o)[:, None] >= least[k]
        for k, key in enumerate(zip(who.tolist(), side.tolist(), gap.tolist(), strict=True))
    }
    stand = np.asarray(p.touch.any(axis=3))
    for b, bank in np.argwhere(stand.any(axis=2)).tolist():
        at = np.flatnonzero(stand[b, bank])
        for i in range(int(at[0]), min(max(int(at[-1]), int(at[0]) + 1), n - 1)):
            touch = p.touch[b, bank]
            mask = touch[i + 1][:, None] | touch[i]
            masks[b, bank, i] = mask | masks.get((b, bank, i), False)
    keys = np.array(list(masks), int).reshape(-1, 3)
    return *keys.T, np.array(list(masks.values()), bool).reshape(-1, o, o)


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


def chords(
    steps: list[Steps], buildings: Buildings, flood: int, part: Array, top: Array,
    height: Array, slope: Array, prices: Array | None = None, *,
    extra: list[Array],
) -> Sheaf:  # fmt: skip
    """Least cost that can follow each pair at each station, as lines in the level.

    ``steps`` begin at the mouth; ``height``, ``slope`` (lines,) are those at the upper end,
    ``prices`` (stations,) of a metre of level above the one allowed, at each station; ``extra`` is
    what the steps cost with their parts of buildings.
    """
    pairs, n = buildings.o**2, buildings.n
    price = np.zeros(n) if prices is None else prices
    heights = [np.repeat(height[:, None], pairs, axis=1)]
    slopes = [np.repeat((slope + price[0])[:, None], pairs, axis=1)]
    for i in range(n - 1):
        one = steps[n - 2 - i]
        some = one.first[1:] > one.first[:-1]
        begin = one.first[:-1][some]
        fixed = heights[i].take(one.above, axis=1)
        fixed += extra[n - 2 - i]
        steep, ends = slopes[i].take(one.above, axis=1), []
        for line in one.lines[flood].T:
            value = steep * (line - top[i])
            value += fixed
            found = np.full((len(height), pairs), np.inf)
            if len(begin):
                found[:, some] = np.minimum.reduceat(value, begin, axis=1)
            ends.append(found)
        # a chord that would fall is laid flat through its upper end
        span = one.top[flood] - one.low[flood]
        with np.errstate(invalid="ignore", divide="ignore"):
            chord = (ends[1] - ends[0]) / span
        chord = np.where((span > 1e-9) & (chord > 0), chord, 0.0)
        heights.append(ends[1] + chord * (top[i + 1] - one.top[flood]))
        slopes.append(chord + (price[i + 1] if i + 1 < n - 1 else 0.0))
    return Sheaf(flood, heights, slopes, top, part, buildings.rests(part))
