"""Which prices of levels and parts of buildings bound best? Cutting planes in a box that moves.

The bound by some prices is concave in them, but for chords laid flat. What the cheapest way exceeds
and touches (the supergradient) is a plane above it: a linear program finds the prices that promise
most under all planes so far, within a box about the best ones, which grows where the promise is
kept and shrinks where it isn't.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.search.bounds import Buildings, Sheaf, Steps, chords, cost_of

__all__ = ["Root", "ascended"]

# rounds at most, and the share of the bound that another round has to promise
ROUNDS = 60
LEAST_PROMISE = 2e-4
# half the box's edge, as a share of the bound; the share of what was promised that has to be kept
# for it to grow, and how it grows and shrinks
EDGE = 0.1
KEPT = 0.1
GROWS, SHRINKS = 1.5, 0.7
# what prices of levels are multiplied with to look for designs: those that keep their water low
CAUTION = (1.1, 1.25, 1.5)


class Root(NamedTuple):
    """What stands at the lowest station: pairs, what they cost at once, sets, the level there."""

    pair: Array
    cost: Array
    sets: Array
    level: float


@dataclass(frozen=True, slots=True)
class _Relaxation:
    """Bounds of a stretch for one flood and one level that arrives, by prices (one row, in yuan).

    First prices of levels, of the whole way that each may vary (``scale``); then parts of those
    buildings that stand in several gaps; then weights of the lines at the upper end, in units of
    what they span.
    """

    steps: list[Steps]
    buildings: Buildings
    flood: int
    top: Array
    lines: tuple[Array, Array]
    scale: Array
    root: Root
    free: Array  # (buildings, stations) where parts are chosen
    unit: float
    places: list[tuple[Array, Array]]

    def begin(self, price: float, line: int) -> Array:
        """Prices with one of a metre at the upper end, and one of the lines there."""
        levels, weights = np.zeros(self.buildings.n), np.zeros(len(self.lines[0]))
        levels[0], weights[line] = price * self.scale[0], self.unit
        return np.concatenate([levels, self.buildings.part[self.free], weights])

    def split(self, prices: Array) -> tuple[Array, Array, Array]:
        """Prices of levels, parts, and shares of the lines; none adds up to too much."""
        n, many = self.buildings.n, int(self.free.sum())
        part = self.buildings.part.copy()
        part[self.free] = np.maximum(prices[n : n + many], 0.0)
        total = part.sum(axis=1)
        part *= np.minimum(1.0, self.buildings.cost / np.where(total > 0, total, 1.0))[:, None]
        weights = np.maximum(prices[n + many :], 0.0)
        return np.maximum(prices[:n], 0.0) / self.scale, part, weights / weights.sum()

    def chords(self, prices: Array, *, caution: float = 1.0) -> Sheaf:
        """The bound by some prices, those of levels multiplied."""
        levels, part, share = self.split(prices)
        height, slope = (np.array([share @ one]) for one in self.lines)
        houses, last = self.buildings, self.buildings.n - 2
        extra = [
            steps.cost + houses.paid(last - k, part, where)
            for k, (steps, where) in enumerate(zip(self.steps, self.places, strict=True))
        ]
        return chords(
            self.steps, houses, self.flood, part, self.top, height, slope, caution * levels,
            extra=extra,
        )  # fmt: skip

    def plane(self, prices: Array) -> tuple[Sheaf, float, Array]:
        """The bound by some prices, at the root, and how it grows with them there."""
        sheaf = self.chords(prices)
        value, at = _root_value(sheaf, self.root)
        over, touch, end = _exceeded(
            sheaf, self.steps, self.buildings, self.root, at, self.places
        )  # fmt: skip
        base, slopes = self.lines
        grows = [over / self.scale, touch[self.free], (base + slopes * end) / self.unit]
        return sheaf, value, np.concatenate(grows)

    def sums(self, prices: Array) -> tuple[Array, Array]:
        """Which prices add up to what: parts to what a building costs, weights to one unit."""
        n, who = self.buildings.n, np.nonzero(self.free)[0]
        _, row = np.unique(who, return_inverse=True)
        last = int(row.max(initial=-1)) + 1
        row = np.append(row, np.full(len(prices) - n - len(row), last))
        # the last unknown is what all planes promise
        matrix = np.zeros((last + 1, len(prices) + 1))
        matrix[row, n + np.arange(len(row))] = 1.0
        return matrix, matrix[:, :-1] @ prices


def ascended(
    steps: list[Steps], buildings: Buildings, flood: int, top: Array, terminal: tuple[Array, Array],
    scale: Array, begin: tuple[float, int] | Array, root: Root, places: list[tuple[Array, Array]],
) -> tuple[list[Sheaf], list[Sheaf], Array]:  # fmt: skip
    """Bounds by better prices and parts, for a level that arrives; the best one last.

    Then the same at higher prices of levels: what is cheap by them arrives.

    ``terminal`` are the lines at the upper end, ``scale`` (stations,) is how far levels may vary,
    ``begin`` the price of a metre at the upper end and the line to begin with, or prices found
    before. Prices found are what comes third. ``places`` are those of the steps in `Buildings`.
    """
    free = buildings.stands & (buildings.stands.sum(axis=1) > 1)[:, None]
    one = _Relaxation(
        steps, buildings, flood, top, terminal, scale, root, free,
        max(float(np.ptp(terminal[0])), 1.0), places,
    )  # fmt: skip
    now = best = one.begin(*begin) if isinstance(begin, tuple) else begin
    sums = one.sums(now)
    sheaf, value, grows = one.plane(now)
    found, planes = [sheaf], [(value - grows @ now, grows)]
    edge = EDGE * max(value, float(buildings.cost.max(initial=0.0)), 1.0)
    for _ in range(ROUNDS if np.isfinite(value) else 0):
        # chords laid flat may bend a plane below what was reached: it is lifted
        base, slope = (np.array(v) for v in zip(*planes, strict=True))
        base = base + np.maximum(value - (base + slope @ best), 0.0)
        most = _highest_point(base, slope, sums, best, edge)
        if most is None or most[1] - value <= LEAST_PROMISE * abs(value):
            break
        now, promised = most
        sheaf, here, grows = one.plane(now)
        planes.append((here - grows @ now, grows))
        edge *= GROWS if here - value > KEPT * (promised - value) else SHRINKS
        if here > value + 1e-9 * abs(value):
            best, value = now, here
            found.append(sheaf)
    cautious = [one.chords(best, caution=more) for more in CAUTION]
    some = [found[len(found) // 2], found[-1]] if len(found) > 2 else found[-1:]
    return some, cautious, best


def _highest_point(
    base: Array, slope: Array, sums: tuple[Array, Array], centre: Array, edge: float
) -> tuple[Array, float] | None:
    """Prices within the box at which the lowest of all planes is highest, and how high it is."""
    from scipy.optimize import linprog  # most commands search nothing, and it is slow to import

    matrix, total = sums
    below = np.hstack([-slope, np.ones((len(base), 1))])
    low, high = np.maximum(centre - edge, 0.0), centre + edge
    bounds = np.column_stack([np.append(low, -np.inf), np.append(high, np.inf)]).tolist()
    goal = np.append(np.zeros(len(centre)), -1.0)
    made = linprog(goal, A_ub=below, b_ub=base, A_eq=matrix, b_eq=total, bounds=bounds)
    return None if made.x is None else (made.x[:-1], float(made.x[-1]))


def _root_value(sheaf: Sheaf, root: Root) -> tuple[float, int]:
    """The bound at the lowest station, and at which pair it is."""
    value = root.cost - cost_of(root.sets, sheaf.rests[-1])
    value += sheaf.at(-1, root.pair, np.full(len(root.pair), root.level))[0]
    at = int(np.argmin(value))
    return float(value[at]), at


def _exceeded(
    sheaf: Sheaf, steps: list[Steps], buildings: Buildings, root: Root, at: int,
    places: list[tuple[Array, Array]],
) -> tuple[Array, Array, float]:  # fmt: skip
    """Along the cheapest way by a bound: levels above those allowed, what it touches, its end.

    A point on a chord is a mixture of both ends: what goes up is a share of each way, with its mean
    level by pair.
    """
    n, flood, top = buildings.n, sheaf.flood, sheaf.top
    over, touch = np.zeros(n), np.zeros((len(buildings.cost), n))
    mass, sums = np.zeros(buildings.o**2), np.zeros(buildings.o**2)
    mass[root.pair[at]], sums[root.pair[at]] = 1.0, root.level
    who = np.flatnonzero((buildings.first <= n - 1) & (buildings.last >= n - 1))
    bits = (root.sets[at] >> buildings.number[who].astype(np.uint64)) & np.uint64(1)
    touch[who, n - 1] = bits
    for k, one in enumerate(steps):
        i = n - 2 - k
        pair = np.flatnonzero((mass > 1e-12) & (one.first[1:] > one.first[:-1]))
        span = (one.top[flood] - one.low[flood])[pair]
        level = sums[pair] / mass[pair]
        flat = sheaf.slope[i + 1][0, pair] <= 0
        along = (level - one.low[flood][pair]) / np.maximum(span, 1e-9)
        share = np.where((span > 1e-9) & ~flat, along, 1.0)
        weight = np.concatenate([mass[pair] * (1 - share), mass[pair] * share])
        way = np.concatenate(_least_ways(sheaf, one, buildings, i, pair, places[k]))
        fine = np.abs(weight) > 1e-15
        way, weight, end = way[fine], weight[fine], np.repeat([0, 1], len(pair))[fine]
        above, reached = one.above[way], one.lines[flood][way, end]
        mass, sums = np.zeros_like(mass), np.zeros_like(sums)
        np.add.at(mass, above, weight)
        np.add.at(sums, above, weight * reached)
        over[i] = (weight * (reached - top[i])).sum()
        own = (places[k][0][way], places[k][1][way])
        touch[:, i] += buildings.touches(i, own, weight)
    end = float(sums.sum() / max(mass.sum(), 1e-12)) - top[0]
    return over, touch, end


def _least_ways(
    sheaf: Sheaf, steps: Steps, buildings: Buildings, i: int, pair: Array,
    places: tuple[Array, Array],
) -> list[Array]:  # fmt: skip
    """The first cheapest step up to a station from each pair, for its lowest level and highest."""
    many = steps.first[pair + 1] - steps.first[pair]
    begin = np.cumsum(many) - many
    way = np.arange(many.sum()) + np.repeat(steps.first[pair] - begin, many)
    own = (places[0][way], places[1][way])
    above = steps.above[way]
    fixed = steps.cost[way] + buildings.paid(i, sheaf.part, own) + sheaf.height[i][0, above]
    found = []
    for line in steps.lines[sheaf.flood][way].T:
        value = fixed + sheaf.slope[i][0, above] * (line - sheaf.top[i])
        least = np.minimum.reduceat(value, begin) if len(begin) else begin
        at = np.flatnonzero(value == np.repeat(least, many))[::-1]
        first = np.empty(len(pair), int)
        first[np.searchsorted(begin, at, side="right") - 1] = at
        found.append(way[first])
    return found
