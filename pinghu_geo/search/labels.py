"""Which design is cheapest with the real standard step in it? One stretch, exact while lists fit.

The river is marched upstream. A label at a station is a choice of options on both banks, the
buildings already paid for that stand further upstream too, a cost and a water level. With the same
choice and the same buildings a lower cost and a lower level is better in every way, because the
level upstream grows with the level downstream while 1 - (1 + C) Fr² > 0 (C = 0.1: Fr < 0.953); all
other labels are kept, unless even the least that can follow is dearer than a design already known.

That least is a Lagrangian bound: a metre of level at the upper end is given a price, every step is
replaced by a straight line below it, and the cheapest way up is found for each choice. Chords of
the least of straight lines lie below it, so that the bound stays a straight line in the level; the
best of a few prices counts. In the bound a building is paid for in equal parts at its stations;
what a label has paid in advance is taken off again.

A stretch may be one of several along a river (`joint`): then several labels arrive at its lower
end, and what all further ones cost at least, as straight lines in the level it passes on, stands at
its upper end.
"""

from __future__ import annotations

import time
from copy import copy
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.steady import Model, State, bracketed

__all__ = [
    "EXCESS_M", "LEAST_GROWTH", "MOST_BUILDINGS", "REACH", "SAME_COST", "WIDTHS", "Arrivals",
    "March", "NodeProblem", "NodeSolution", "Pairs", "Trail", "beside", "design_cost",
    "design_works", "open_at_once", "solve_node", "touched_by", "works_within",
]  # fmt: skip

# most buildings that stand beside one station: the set of those paid for is the bits of one number
MOST_BUILDINGS = 64
# labels kept at a station on quick marches, which find good designs
WIDTHS = (50, 200)
# 1 - Fr² that is left at the Froude limit of 0.9487 (Fr² = 0.90)
LEAST_GROWTH = 0.10
SAME_COST = 1e-6
# then all are kept that may cost less than a limit, which rises from the bound to the best design
# known in a few steps, because the labels kept grow fast with it
REACH = (0.07, 0.14, 0.22, 0.31, 0.41, 0.52, 0.64, 0.78, 1.0)
# levels tabulated for each choice of options at each station, and how far above the highest level
# allowed [m]: cubic between them, so that a level is right to some 1e-8 m
NODES = 24
MARGIN_M = 0.25
# energy balance accepted in the tables [m]; what a design may exceed the level allowed by [m]
TOLERANCE_M = 1e-10
EXCESS_M = 1e-6
# steps computed at once; pairs of labels compared at once
STEPS = 400_000
PAIRS = 4_000_000
# prices of a metre of level: the first few span all that can matter, the others close in
COARSE = 4.0 ** np.arange(-5, 4)
FINE = 1.45 ** np.arange(-3, 4)
CLOSE = np.array([0.85, 1.0, 1.15])
# how much more a straight line lies below a step than the point that was looked at says
SAFETY = 1.5
# where steps are looked at between the lowest level and the highest
KNEE = 0.75


class Pairs(NamedTuple):
    """Which pairs of options at neighbouring stations touch which buildings.

    A row a building, bank and gap between station ``gap`` and the next one downstream; ``least``
    (rows, options) is the first option at the lower station with which the building is touched, by
    the option at the upper one: that one and all after it touch it.
    """

    who: Array
    side: Array
    gap: Array
    least: Array

    @classmethod
    def none(cls) -> Pairs:
        """Where stations alone decide."""
        some = np.zeros(0, int)
        return cls(some, some, some, np.zeros((0, 0), int))

    def same(self, other: Pairs) -> bool:
        """Whether they are equal."""
        return all(np.array_equal(a, b) for a, b in zip(self, other, strict=True))


@dataclass(frozen=True, slots=True)
class NodeProblem:
    """Stations from upstream to downstream, options on each bank, buildings.

    ``rows`` (stations, options, options) are the sections of left and right options in ``model``;
    ``station_cost`` (2, stations, options), infinite where an option is not allowed;
    ``change_cost`` (options, options) between neighbours, infinite where it is not allowed;
    ``touch`` (buildings, 2, stations, options) is what an option at one station touches, ``pairs``
    what options at two do; ``most_level`` (stations,) [m]; ``spare`` is a building that no pair may
    touch.
    """

    model: Model
    rows: Array
    discharge: Array
    station_cost: Array
    change_cost: Array
    touch: Array
    cost: Array
    downstream_level: float
    most_level: Array
    pairs: Pairs = Pairs.none()
    spare: int | None = None


@dataclass(frozen=True, slots=True)
class NodeSolution:
    """Options (2, stations), levels, cost; proven if no list was cut short."""

    options: Array
    levels: Array
    cost: float
    bound: float
    n_labels: int

    @property
    def proven(self) -> bool:
        """Whether no other choice of options can be cheaper."""
        return self.cost - self.bound <= 1e-6


def touched_by(problem: NodeProblem, options: Array) -> Array:
    """Which buildings a choice of options touches."""
    station = np.arange(options.shape[1])
    both = problem.touch[:, np.arange(2)[:, None], station, options]
    found: Array = np.asarray(both.any(axis=(1, 2)))
    who, side, gap, least = problem.pairs
    upper, lower = options[side, gap], options[side, gap + 1]
    found[who[lower >= least[np.arange(len(who)), upper]]] = True
    return found


def beside(problem: NodeProblem) -> Array:
    """Whether buildings can be touched at a station or just below it (buildings, stations)."""
    found: Array = np.asarray(problem.touch.any(axis=(1, 3)))
    found[problem.pairs.who, problem.pairs.gap] = True
    return found


def design_works(problem: NodeProblem, options: Array) -> float:
    """Cost of a choice of options without its buildings."""
    return works_within(problem, options, 0, options.shape[1])


def works_within(problem: NodeProblem, options: Array, first: int, stop: int) -> float:
    """Cost of a choice of options without its buildings at some stations, and on to the next."""
    station = np.arange(first, stop)
    works = problem.station_cost[np.arange(2)[:, None], station, options[:, first:stop]].sum()
    ways = slice(first, min(stop, options.shape[1] - 1))
    change = problem.change_cost[options[:, ways], options[:, 1:][:, ways]].sum()
    return float(works + change)


def design_cost(problem: NodeProblem, options: Array) -> float:
    """Cost of a choice of options, whatever the water does."""
    paid = problem.cost[touched_by(problem, options)].sum()
    return design_works(problem, options) + float(paid)


def solve_node(
    problem: NodeProblem,
    *,
    known: Array | None = None,
    most_labels: int = 200_000,
    seconds: float = 60.0,
) -> NodeSolution | None:
    """Cheapest choice of options whose water stays below the levels allowed.

    Parameters
    ----------
    problem
        The node.
    known
        A design (2, stations) that keeps the levels, such as the base: the answer is never worse.
    most_labels
        Labels kept at a station; beyond it the most promising ones are, and the answer may not be
        proven.
    seconds
        Time after which the best design so far is returned, with the bound reached.
    """
    deadline = time.monotonic() + seconds
    march = March(problem)
    here = Arrivals(np.zeros(1), np.array([problem.downstream_level]))
    best, cost = known, np.inf if known is None else design_cost(problem, known)
    march.price(cost)
    least, count = float(march.least()[0]), 0
    bound = min(least, cost)
    gap = cost - bound
    tries = [(w, 1.0) for w in WIDTHS if w < most_labels] + [(most_labels, r) for r in REACH]
    for most, reach in tries:
        limit = min(least + reach * gap, cost) if np.isfinite(cost) else cost
        trail = march.run(here, limit - SAME_COST, most, deadline)
        if len(trail.cost):
            best = march.read(trail, int(np.argmin(trail.cost)))[0]
            cost = min(cost, design_cost(problem, best))
            gap = cost - least if most in WIDTHS else gap
        bound, count = max(bound, min(trail.dropped, limit, cost)), count + trail.count
        # without a known design the first full march settles it: both may be infinite
        if not cost - bound > SAME_COST or time.monotonic() > deadline:
            break
    if best is None:
        return None
    return NodeSolution(best, march.levels_of(best, problem.downstream_level), cost, bound, count)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What arrives at the lower end of a stretch: costs so far and levels, none better in both."""

    cost: Array
    level: Array


@dataclass(frozen=True, slots=True)
class Trail:
    """One march: its labels station by station, from the lowest up, and what it dropped."""

    labels: list[_Labels]
    dropped: float  # the least promise of a label that was dropped: nothing lost can cost less
    count: int
    arrived: bool

    @property
    def cost(self) -> Array:
        """Costs at the upper end."""
        return self.labels[-1].cost if self.arrived else np.zeros(0)

    @property
    def level(self) -> Array:
        """Levels at the upper end [m]."""
        return self.labels[-1].level if self.arrived else np.zeros(0)


def open_at_once(first: Array, last: Array) -> tuple[Array, int]:
    """A number for each interval that no other has which overlaps it, and how many are needed."""
    number = np.zeros(len(first), int)
    ends: list[int] = []  # where the last interval of each number ends
    for b in np.argsort(first, kind="stable"):
        free = next((k for k, end in enumerate(ends) if end < first[b]), None)
        if free is None:
            free = len(ends)
            ends.append(0)
        number[b], ends[free] = free, int(last[b])
    return number, len(ends)


class March:
    """The march upstream over one stretch."""

    def __init__(
        self, problem: NodeProblem, *, lowest: float | None = None, highest: float | None = None
    ) -> None:
        """Set up for levels from the lowest to the highest that may arrive."""
        self.p = self._with_options(problem)
        self.most = problem.most_level
        self.n, self.o, _ = problem.rows.shape
        self.highest = problem.downstream_level if highest is None else highest
        self.terminal = (np.zeros(1), np.zeros(1))
        self._count_buildings()
        self.curves = _Curves.of(problem)
        self.lowest = problem.downstream_level if lowest is None else lowest
        self.start = self._starts(self.lowest)
        self.steps = self._all_steps()
        self._cross()
        self.prices = np.zeros(0)
        self.lines: list[tuple[Array, Array]] = []

    @staticmethod
    def _with_options(problem: NodeProblem) -> NodeProblem:
        """Where no pairs are given, none have as many options as there are."""
        if len(problem.pairs.who):
            return problem
        none = np.zeros((0, problem.rows.shape[1]), int)
        return replace(problem, pairs=problem.pairs._replace(least=none))

    def retouched(self, problem: NodeProblem) -> March:
        """The same stretch with other options touching its buildings; its tables stay."""
        made = copy(self)
        made.p = self._with_options(problem)
        made._count_buildings()
        made.start = made._starts(made.lowest)
        made._cross()
        return made

    def _count_buildings(self) -> None:
        """Sets of buildings as bits; a bit serves another building where the first has ended."""
        p = self.p
        stand = beside(p)
        some = stand.any(axis=1)
        first = np.where(some, stand.argmax(axis=1), self.n)
        last = np.where(some, self.n - 1 - stand[:, ::-1].argmax(axis=1), self.n)
        number, many = open_at_once(first, last)
        if many > MOST_BUILDINGS:
            raise ValueError(f"at most {MOST_BUILDINGS} buildings may stand beside one station")
        bits = np.left_shift(np.uint64(1), number.astype(np.uint64))
        # buildings that an option touches, as bits (2, stations, options)
        one = np.zeros(p.station_cost.shape, np.uint64)
        for b in range(len(p.cost)):
            one |= np.where(p.touch[b], bits[b], np.uint64(0))
        self.touched = (one[0, :, :, None] | one[1, :, None, :]).reshape(self.n, -1)
        # buildings beside a station that stand further upstream, too
        none = np.uint64(0)
        self.open = [
            np.bitwise_or.reduce(bits[(first < i) & (last >= i)], initial=none)
            for i in range(self.n)
        ]
        # parts grow with the number of options that touch there: where hardly any does, a bound
        # that has to pay there is hardly raised
        weight = p.touch.sum(axis=(1, 3)).astype(float)
        below = np.arange(self.o)[:, None]
        crossed = below >= p.pairs.least[:, None]  # (rows, lower option, upper option)
        many_pairs = (crossed & np.isfinite(p.change_cost)).sum(axis=(1, 2)) / self.o
        # one that both banks may touch counts in the bound by the bank where most pairs do
        by_side = np.zeros((len(p.cost), 2))
        np.add.at(by_side, (p.pairs.who, p.pairs.side), many_pairs)
        counts = p.pairs.side == by_side.argmax(axis=1)[p.pairs.who]
        np.add.at(weight, (p.pairs.who[counts], p.pairs.gap[counts]), many_pairs[counts])
        part = p.cost[:, None] * weight / np.maximum(weight.sum(axis=1), 1e-9)[:, None]
        # what pairs touch, as bits, and the parts they pay (2, stations, lower, upper option)
        shape = (2, self.n, self.o, self.o)
        self.pair_bits, self.pair_parts = np.zeros(shape, np.uint64), np.zeros(shape)
        for k, (b, side, i) in enumerate(zip(*p.pairs[:3], strict=True)):
            self.pair_bits[side, i] |= np.where(crossed[k], bits[b], np.uint64(0))
            if counts[k]:
                self.pair_parts[side, i] += part[b, i] * crossed[k]
        self.parts = np.zeros((self.n, self.o**2))
        for b in range(len(p.cost)):
            left, right = p.touch[b]
            pairs = (left[:, :, None] | right[:, None, :]).reshape(self.n, -1)
            self.parts += part[b][:, None] * pairs
        # what sets cost, and their parts that lie upstream, station by station
        above = np.cumsum(part, axis=1) - part
        self.sums: list[Array] = []
        self.rests: list[Array] = []
        for i in range(self.n):
            here = (first <= i) & (last >= i)
            for table, value in ((self.sums, p.cost), (self.rests, above[:, i])):
                by_bit = np.zeros(many)
                by_bit[number[here]] = value[here]
                table.append(_byte_sums(by_bit))

    def _starts(self, lowest: float) -> _Labels:
        """Labels at the lowest station for the lowest level that each pair can stand."""
        i = self.n - 1
        pair = np.arange(self.o**2)
        works = self.p.station_cost[0, i, :, None] + self.p.station_cost[1, i, None, :]
        slow = np.where(self.curves.allowed, self.curves.low, lowest)[i * self.o**2 :]
        level = np.clip(slow, lowest, self.highest)
        return self._labels_at_start(pair, works.ravel(), level, np.zeros(len(pair), int))

    def _labels_at_start(self, pair: Array, cost: Array, level: Array, parent: Array) -> _Labels:
        """Labels at the lowest station, where the water is clearly subcritical."""
        i = self.n - 1
        flow = np.full(len(pair), self.p.discharge[i])
        state = self.p.model.state(self.p.rows[i].ravel()[pair], flow, level)
        sets = self.touched[i, pair]
        labels = _Labels(
            pair, sets & self.open[i], cost + _cost_of(sets, self.sums[i]), level,
            state.energy, state.conveyance, parent,
        )  # fmt: skip
        return labels.take(np.isfinite(labels.cost) & (state.grows >= LEAST_GROWTH - 1e-9))

    def _arrived(self, here: Arrivals) -> _Labels:
        """Labels of all that arrives."""
        i, many = self.n - 1, len(here.cost)
        works = self.p.station_cost[0, i, :, None] + self.p.station_cost[1, i, None, :]
        free = np.flatnonzero(np.isfinite(works.ravel()))
        pair, parent = np.tile(free, many), np.repeat(np.arange(many), len(free))
        cost = works.ravel()[pair] + here.cost[parent]
        return self._labels_at_start(pair, cost, here.level[parent], parent)

    # --- steps and bounds

    def _all_steps(self) -> list[_Steps]:
        """What can follow what, station by station from the second lowest up."""
        low = np.full(self.o**2, np.inf)
        low[self.start.pair] = self.start.level
        top, made = self.highest, []
        # the lowest level that any design has at each station
        self.floors = np.full(self.n, self.start.level.min(initial=np.inf))
        for i in range(self.n - 2, -1, -1):
            steps = self._steps(i, low, top)
            made.append(steps)
            low = np.full(self.o**2, np.inf)
            np.minimum.at(low, steps.above, steps.levels[:, 0])
            top = float(self.p.most_level[i])
            self.floors[i] = low.min()
        return made

    def _steps(self, i: int, low: Array, top: float) -> _Steps:
        """Steps from the pairs that water below can reach to those that it doesn't drown."""
        here = np.flatnonzero(np.isfinite(low))
        ways = []
        for side in (0, 1):
            price = self.p.change_cost + self.p.station_cost[side, i][None, :]
            price = np.where(self._spoils(side, i), np.inf, price)
            one, other = np.nonzero(np.isfinite(price))
            many = np.bincount(one, minlength=self.o)
            ways.append((other, price[one, other], np.cumsum(many) - many, many))
        a, b = np.divmod(here, self.o)
        (to_a, cost_a, start_a, many_a), (to_b, cost_b, start_b, many_b) = ways
        many = many_a[a] * many_b[b]
        parent = np.repeat(np.arange(len(here)), many)
        k = np.arange(len(parent)) - np.repeat(np.cumsum(many) - many, many)
        ka, kb = np.divmod(k, np.maximum(many_b[b], 1)[parent])
        at_a, at_b = start_a[a][parent] + ka, start_b[b][parent] + kb
        above, cost = to_a[at_a] * self.o + to_b[at_b], cost_a[at_a] + cost_b[at_b]
        fine = self.curves.allowed[i * self.o**2 + above]
        below, above, cost = here[parent[fine]], above[fine], cost[fine]
        levels, jumps = np.empty((len(below), 3)), np.empty((len(below), 3))
        flow = np.full(len(here), self.p.discharge[i + 1])
        guess = np.full(len(below), self.p.most_level[i])
        bottom = low[here]
        place = np.zeros(self.o**2, int)
        place[here] = np.arange(len(here))
        for j, level in enumerate(
            (bottom, bottom + KNEE * (top - bottom), np.full(len(here), top))
        ):
            state = self.p.model.state(self.p.rows[i + 1].ravel()[here], flow, level)
            k = place[below]
            energy, conveyance = state.energy[k], state.conveyance[k]
            guess, head, _, _ = self._solve(i, above, level[k], energy, conveyance, guess)
            jumps[:, j] = head - guess - (energy - level[k])
            levels[:, j] = guess
            if j == 0:
                fine = guess <= self.p.most_level[i] + EXCESS_M
                below, above, cost = below[fine], above[fine], cost[fine]
                guess, levels, jumps = guess[fine], levels[fine], jumps[fine]
        first = np.searchsorted(below, np.arange(self.o**2 + 1))
        section = self.p.rows[i].ravel()[above]
        local = self.p.model.contraction[section] + self.p.model.expansion[section]
        return _Steps(above, cost, levels, _minorant(levels, jumps, local), first, low, top)

    def _spoils(self, side: int, i: int) -> Array:
        """Pairs (lower, upper option) above a station that touch the building to be spared."""
        who, of, gap, least = self.p.pairs
        rows = (who == self.p.spare) & (of == side) & (gap == i)
        found: Array = np.arange(self.o)[:, None] >= least[rows].min(axis=0, initial=self.o)
        return found

    def _cross(self) -> None:
        """What each step touches, as bits, and what it pays of that in the bound."""
        self.crossed: list[Array] = []
        self.paid: list[Array] = []
        for k, steps in enumerate(self.steps):
            i = self.n - 2 - k
            a, b = np.divmod(np.repeat(np.arange(self.o**2), np.diff(steps.first)), self.o)
            to_a, to_b = np.divmod(steps.above, self.o)
            bits, parts = self.pair_bits[:, i], self.pair_parts[:, i]
            self.crossed.append(self.touched[i, steps.above] | bits[0][a, to_a] | bits[1][b, to_b])
            self.paid.append(self.parts[i, steps.above] + parts[0][a, to_a] + parts[1][b, to_b])

    def price(self, cost: float) -> None:
        """Find the prices of a metre of level that bound best."""
        scale = min(cost, float(self.p.cost.sum()) + 1.0) / 0.1
        self._bound(np.r_[0.0, scale * COARSE])
        for spread in (FINE, CLOSE):
            best = self.prices[np.argmax(self._roots()[0])]
            self._bound(np.r_[0.0, best * spread])

    def _bound(self, prices: Array) -> None:
        """Least cost that can follow each pair at each station: a line in the level a price."""
        pairs = self.o**2
        base, slopes = self.terminal
        self.prices = np.repeat(prices, len(base))
        height = np.repeat(np.tile(base, len(prices))[:, None], pairs, axis=1)
        slope = np.repeat((self.prices + np.tile(slopes, len(prices)))[:, None], pairs, axis=1)
        self.lines = [(height, slope)]
        for i, (steps, paid) in enumerate(zip(self.steps[::-1], self.paid[::-1], strict=True)):
            extra = steps.cost + paid
            span = steps.top - steps.low
            ends = []
            for line in steps.lines.T:
                over = line - self.p.most_level[i]
                value = extra + height[:, steps.above] + slope[:, steps.above] * over
                least = np.full((len(self.prices), pairs), np.inf)
                some = steps.first[1:] > steps.first[:-1]
                if some.any():
                    least[:, some] = np.minimum.reduceat(value, steps.first[:-1][some], axis=1)
                ends.append(least)
            # a chord that would fall is laid flat through its upper end
            height = ends[1]
            with np.errstate(invalid="ignore", divide="ignore"):
                slope = (ends[1] - ends[0]) / span
            slope = np.where((span > 1e-9) & (slope > 0), slope, 0.0)
            self.lines.append((height, slope))

    def _roots(self, level: Array | None = None) -> Array:
        """Bound of each price for levels that arrive, with all upstream (levels, prices)."""
        level = self.start.level.min(initial=np.inf, keepdims=True) if level is None else level
        if not len(self.start.cost):
            return np.full((len(level), len(self.prices)), np.inf)
        height, slope = (v[:, self.start.pair] for v in self.lines[-1])
        paid = self.start.cost - _cost_of(self.start.sets, self.rests[-1])
        over = level[:, None, None] - self.highest
        found: Array = (paid + height + slope * over).min(axis=2)
        return found

    def least(self, level: Array | None = None) -> Array:
        """What no design of the stretch, and all upstream of it, can cost less than.

        For levels that arrive, or (one value) for the lowest.
        """
        found: Array = self._roots(level).max(axis=1)
        return found

    def _promise(
        self, i: int, labels: _Labels, level: Array, *, price: int | slice = slice(None)
    ) -> Array:
        """Cost with the least that can follow, by the best price or by one."""
        height, slope = (v[price][..., labels.pair] for v in self.lines[i])
        top = self.p.most_level[i] if i < self.n - 1 else self.highest
        after = np.atleast_2d(height + slope * (level - top)).max(axis=0)
        found: Array = labels.cost - _cost_of(labels.sets, self.rests[i]) + after
        return found

    # --- labels

    def run(self, here: Arrivals, limit: float, most: int, deadline: float) -> Trail:
        """March once: what may cost no more than the limit, and the least promise dropped."""
        labels, count, dropped = self._arrived(here), 0, np.inf
        trail = [labels]
        for i in range(self.n - 2, -1, -1):
            promise = self._promise(i + 1, labels, labels.level)
            if time.monotonic() > deadline:
                left = min(dropped, float(promise.min(initial=np.inf)))
                return Trail(trail, left, count, arrived=False)
            keep = np.flatnonzero(promise <= limit)
            if len(keep) > most:
                # those that look best at the highest price keep their water low and arrive
                wary = self._promise(i + 1, labels, labels.level, price=-1)[keep]
                order = keep[np.argsort(wary, kind="stable")]
                dropped = min(dropped, float(promise[order[most:]].min()))
                keep = np.sort(order[:most])
            trail[-1] = labels = labels.take(keep)
            if not len(keep):
                return Trail(trail, dropped, count, arrived=False)
            labels = self._expand(labels, i, limit)
            trail.append(labels)
            count += len(labels.cost)
        return Trail(trail, dropped, count, arrived=True)

    def _expand(self, labels: _Labels, i: int, limit: float) -> _Labels:
        """Labels one station further up."""
        steps = self.steps[self.n - 2 - i]
        first, many = steps.first[labels.pair], np.diff(steps.first)[labels.pair]
        ends = np.searchsorted(np.cumsum(many), np.arange(STEPS, many.sum() + STEPS, STEPS))
        parts, begin = [labels.take(slice(0))], 0
        for end in np.unique(np.minimum(ends + 1, len(many))):
            part = slice(begin, end)
            parent = np.repeat(np.arange(begin, end), many[part])
            k = np.arange(len(parent)) - np.repeat(np.cumsum(many[part]) - many[part], many[part])
            parts.append(self._continue(labels, parent, steps, first[parent] + k, i, limit))
            begin = end
        made = _Labels.join(parts)
        made = made.take(made.best())
        return made.take(self._unbeaten(made, i))

    def _continue(
        self, labels: _Labels, parent: Array, steps: _Steps, way: Array, i: int, limit: float
    ) -> _Labels:
        """Labels that continue others by steps, those whose promise is no dearer than the limit."""
        share = steps.share(labels.level[parent], labels.pair[parent])
        line = steps.lines[way]
        low = line[:, 0] + share * (line[:, 1] - line[:, 0])
        keep = low <= self.most[i] + EXCESS_M
        parent, way, share, low = parent[keep], way[keep], share[keep], low[keep]
        above = steps.above[way]
        touched = self.crossed[self.n - 2 - i][way]
        cost = labels.cost[parent] + steps.cost[way]
        cost += _cost_of(touched & ~labels.sets[parent], self.sums[i])
        sets = (labels.sets[parent] | touched) & self.open[i]
        made = _Labels(above, sets, cost, low, low, low, parent)
        keep = self._promise(i, made, low) <= limit
        made, share, y = made.take(keep), share[keep], steps.levels[way[keep]]
        # a parabola through the three levels known starts Newton's method
        guess = y[:, 0] + share * (y[:, 2] - y[:, 0]) - _bend(y) * share * (1 - share)
        at = made.parent
        level, energy, conveyance, sound = self._solve(
            i, made.pair, labels.level[at], labels.energy[at], labels.conveyance[at], guess
        )
        sound &= level <= self.most[i]
        sound &= self._promise(i, made, level) <= limit
        made = replace(made, level=level, energy=energy, conveyance=conveyance)
        return made.take(sound)

    def _solve(
        self, i: int, above: Array, level: Array, energy: Array, conveyance: Array, guess: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Standard step from what is known below to the pairs above.

        Between the level of the Froude limit and the end of the table the energy balance grows with
        the level. Level, energy, conveyance, and whether there is an answer in between.
        """
        curves, model = self.curves, self.p.model
        row = i * self.o**2 + above
        section = self.p.rows[i].ravel()[above]
        length = model.lengths[section, 1]
        shrink, grow = model.contraction[section], model.expansion[section]
        flow = np.full(len(above), self.p.discharge[i])
        nothing = np.zeros(len(above))
        known = State(
            level, energy - level, nothing, conveyance, nothing, nothing,
            np.full(len(above), self.p.discharge[i + 1]),
        )  # fmt: skip
        low, high = curves.low[row], curves.low[row] + curves.step[row] * (NODES - 1)
        found = np.clip(guess, low, high)
        made = [np.zeros(len(above)) for _ in range(3)]
        left = np.arange(len(above))
        for _ in range(60):
            z = found[left]
            e, grows, k, d_k = curves.read(row[left], z)
            here = State(z, e - z, grows, k, d_k, nothing[left], flow[left])
            lost, by_up, _ = model.lost(
                length[left], shrink[left], grow[left], here, known.take(left)
            )
            rest = e - energy[left] - lost
            for whole, part in zip(made, (e, k, rest), strict=True):
                whole[left] = part
            low[left] = np.where(rest < 0, z, low[left])
            high[left] = np.where(rest > 0, z, high[left])
            newton = z - rest / np.maximum(grows - by_up, 1e-3)
            # out of the bracket it goes to its end first, so that a level beyond is seen at once
            newton = np.clip(newton, low[left], high[left])
            stuck = newton == z
            newton = np.where(
                stuck & (np.abs(rest) >= TOLERANCE_M), (low[left] + high[left]) / 2, newton
            )
            go = (np.abs(rest) >= TOLERANCE_M) & (newton != z)
            found[left] = np.where(go, newton, z)
            left = left[go]
            if not len(left):
                break
        return found, made[0], made[1], np.abs(made[2]) < TOLERANCE_M

    def _unbeaten(self, labels: _Labels, i: int) -> Array:
        """Labels that no other with the same choice beats, whatever buildings each has paid for.

        A label that pays at once for all that another has paid for, and is still no dearer and no
        higher, can follow that other's every step.
        """
        order = np.lexsort((labels.cost, labels.pair))
        many = np.bincount(labels.pair[order], minlength=self.o**2)
        many = many[many > 0]
        wide = int(many.max(initial=0))
        if wide < 2 or len(many) * wide**2 > 16 * PAIRS:
            return np.arange(len(labels.cost))
        row = np.repeat(np.arange(len(many)), many)
        column = np.arange(len(order)) - np.repeat(np.cumsum(many) - many, many)
        cost, level = (np.full((len(many), wide), np.inf) for _ in range(2))
        sets = np.zeros((len(many), wide), np.uint64)
        cost[row, column], level[row, column] = labels.cost[order], labels.level[order]
        sets[row, column] = labels.sets[order]
        beaten = np.zeros(cost.shape, bool)
        earlier = np.arange(wide)[:, None] < np.arange(wide)
        step = max(PAIRS // wide**2, 1)
        for k in range(0, len(many), step):
            part = slice(k, k + step)
            lower = level[part, :, None] <= level[part, None, :]
            g, a, b = np.nonzero(lower & earlier & np.isfinite(cost[part, None, :]))
            extra = _cost_of(sets[part][g, b] & ~sets[part][g, a], self.sums[i])
            wins = cost[part][g, a] + extra <= cost[part][g, b]
            beaten[part][g[wins], b[wins]] = True
        kept: Array = np.sort(order[~beaten[row, column]])
        return kept

    def read(self, trail: Trail, at: int) -> tuple[Array, int]:
        """Options (2, stations) of a label at the upper end, and which arrival it began as."""
        options = np.empty((2, self.n), int)
        for i, labels in enumerate(reversed(trail.labels)):
            options[:, i] = divmod(int(labels.pair[at]), self.o)
            at = int(labels.parent[at])
        return options, at

    def least_above(self, i: int, level: float) -> float:
        """The lowest level at a station of any design with no lower one than this just below."""
        steps = self.steps[self.n - 2 - i]
        below = np.repeat(np.arange(self.o**2), np.diff(steps.first))
        if not len(below):
            return np.inf
        known = np.maximum(level, steps.low[below])
        flow = np.full(len(below), self.p.discharge[i + 1])
        state = self.p.model.state(self.p.rows[i + 1].ravel()[below], flow, known)
        found, _, _, sound = self._solve(
            i, steps.above, known, state.energy, state.conveyance, steps.levels[:, 0]
        )
        return float(np.where(sound, found, steps.levels[:, 0]).min())

    def levels_of(self, options: Array, level: float) -> Array:
        """Levels of a design above a level that arrives, without the tables."""
        model, q = self.p.model, self.p.discharge
        rows = self.p.rows[np.arange(self.n), options[0], options[1]]
        levels = np.full(self.n, level)
        for i in range(self.n - 2, -1, -1):
            below = model.state(rows[[i + 1]], q[[i + 1]], levels[[i + 1]])
            levels[i] = model.step(rows[[i]], q[[i]], below)[0][0]
        return levels


@dataclass(frozen=True, slots=True)
class _Steps:
    """What can follow what between two stations; in the order of the lower pair.

    ``levels`` (steps, 3) are the levels above for the lowest level below, one at `KNEE`, and the
    highest; ``lines`` (steps, 2) are the ends of a straight line that lies below the step.
    ``first`` says where the steps of each lower pair begin.
    """

    above: Array
    cost: Array
    levels: Array
    lines: Array
    first: Array
    low: Array  # lowest level below, pair by pair
    top: float  # and the highest

    def share(self, level: Array, below: Array) -> Array:
        """Where levels stand between the lowest and the highest one."""
        span = self.top - self.low[below]
        found: Array = np.where(span > 1e-9, (level - self.low[below]) / np.maximum(span, 1e-9), 0)
        return found


def _byte_sums(cost: Array) -> Array:
    """Cost of every set of eight things, eight by eight."""
    padded = np.zeros(-(-max(len(cost), 1) // 8) * 8)
    padded[: len(cost)] = cost
    sets = (np.arange(256)[:, None] >> np.arange(8)) & 1
    return np.asarray(sets @ padded.reshape(-1, 8).T).T


def _cost_of(sets: Array, sums: Array) -> Array:
    """Cost of sets of things."""
    total = np.zeros(len(sets))
    for k, one in enumerate(sums):
        byte = (sets >> np.uint64(8 * k)) & np.uint64(255)
        total += one[byte.astype(np.uint8)]
    return total


def _bend(levels: Array) -> Array:
    """Second divided difference of steps over their whole range."""
    low, knee, high = levels.T
    found: Array = (low + KNEE * (high - low) - knee) / (KNEE * (1 - KNEE))
    return found


def _minorant(levels: Array, jumps: Array, local: Array) -> Array:
    """Ends of straight lines below steps, close to them where the water is high.

    Where the velocity head's jump changes its sign, a contraction becomes an expansion: the step
    has a corner there, whose depth is a quarter of what the local losses change, over 1 - Fr².
    """
    low, knee, high = levels.T
    bend = _bend(levels)
    slope = (high - knee) / (1 - KNEE)
    corner = [
        np.where(jumps[:, a] * jumps[:, 2] < 0, local * np.abs(jumps[:, 2] - jumps[:, a]) / 2, 0.0)
        for a in (0, 1)
    ]
    sag = SAFETY * bend * (1 - KNEE) ** 2 / 4 + corner[1]
    bent = np.stack([high - slope - sag - corner[0], high - sag], axis=1)
    straight = levels[:, [0, 2]] - corner[0][:, None]
    found: Array = np.where((bend > 0)[:, None], bent, straight) - 1e-6
    return found


@dataclass(frozen=True, slots=True)
class _Curves:
    """Energy and conveyance of every choice of options at every station, over the levels allowed.

    Rows are station x left option x right option; from the level of the Froude limit ``low`` to a
    little above the highest allowed one each step of `NODES` has a cubic of both (8 numbers).
    """

    low: Array
    step: Array
    cubics: Array
    allowed: Array

    @classmethod
    def of(cls, problem: NodeProblem) -> _Curves:
        """Tabulate a node."""
        pairs = problem.rows.shape[1] ** 2
        rows, model = problem.rows.ravel(), problem.model
        flow, top = np.repeat(problem.discharge, pairs), np.repeat(problem.most_level, pairs)
        floor = model.sections.bottom[rows] + 1e-3
        allowed = top > floor
        price = problem.station_cost
        allowed &= np.isfinite(price[0, :, :, None] + price[1, :, None, :]).ravel()
        allowed[allowed] = (
            model.state(rows[allowed], flow[allowed], top[allowed]).grows > LEAST_GROWTH
        )
        some = np.flatnonzero(allowed)

        def spare(level: Array, mask: Array) -> Array:
            return model.state(rows[some[mask]], flow[some[mask]], level).grows - LEAST_GROWTH

        low, step = top.copy(), np.ones(len(rows))
        low[some] = bracketed(spare, floor[some], top[some])
        step[some] = (top[some] + MARGIN_M - low[some]) / (NODES - 1)
        level = low[some, None] + np.arange(NODES) * step[some, None]
        each = np.repeat(some, NODES)
        state = model.state(rows[each], flow[each], level.ravel())
        cubics = np.zeros((len(rows), NODES - 1, 8))
        for k, (value, slope) in enumerate(
            ((state.energy, state.grows), (state.conveyance, state.slope))
        ):
            v, d = value.reshape(-1, NODES), slope.reshape(-1, NODES) * step[some, None]
            a, b, da, db = v[:, :-1], v[:, 1:], d[:, :-1], d[:, 1:]
            made = (a, da, 3 * (b - a) - 2 * da - db, 2 * (a - b) + da + db)
            cubics[some, :, 4 * k : 4 * k + 4] = np.stack(made, axis=2)
        return cls(low, step, cubics, allowed)

    def read(self, row: Array, level: Array) -> tuple[Array, ...]:
        """Energy, its growth, conveyance and its growth at levels."""
        h = self.step[row]
        place = np.clip((level - self.low[row]) / h, 0.0, NODES - 1.0)
        k = np.minimum(place.astype(np.int64), NODES - 2)
        t = place - k
        c = self.cubics[row, k].T
        return (
            c[0] + t * (c[1] + t * (c[2] + t * c[3])),
            (c[1] + t * (2 * c[2] + 3 * t * c[3])) / h,
            c[4] + t * (c[5] + t * (c[6] + t * c[7])),
            (c[5] + t * (2 * c[6] + 3 * t * c[7])) / h,
        )


@dataclass(frozen=True, slots=True)
class _Labels:
    """Labels at one station."""

    pair: Array
    sets: Array
    cost: Array
    level: Array
    energy: Array
    conveyance: Array
    parent: Array

    def take(self, which: Array | slice) -> _Labels:
        """Part of them."""
        return _Labels(
            self.pair[which], self.sets[which], self.cost[which], self.level[which],
            self.energy[which], self.conveyance[which], self.parent[which],
        )  # fmt: skip

    @classmethod
    def join(cls, parts: list[_Labels]) -> _Labels:
        """Several in one."""
        return cls(*(np.concatenate([getattr(p, f) for p in parts]) for f in cls.__slots__))

    def best(self) -> Array:
        """Labels that no other with the same choice and buildings beats in cost and level."""
        order = np.lexsort((self.level, self.cost, self.sets, self.pair))
        pair, sets, level = self.pair[order], self.sets[order], self.level[order]
        new = np.r_[True, (pair[1:] != pair[:-1]) | (sets[1:] != sets[:-1])][: len(order)]
        group = np.cumsum(new) - 1
        # least level so far within the group: groups are lifted apart, then levels fall within each
        span = float(np.ptp(level)) + 1.0 if len(level) else 1.0
        lifted = level - group * span
        before = np.r_[np.inf, np.minimum.accumulate(lifted)[:-1]][: len(order)]
        return np.sort(order[new | (lifted < before - 1e-12)])
