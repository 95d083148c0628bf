"""Which design is cheapest with the real standard step in it? One stretch, exact while lists fit.

The river is marched upstream. A label at a station is a choice of options on both banks, the
buildings already paid for that stand further upstream too, a cost and a water level for each flood.
With the same choice and the same buildings a lower cost and lower levels are better in every way,
because the level upstream grows with the level downstream while 1 - (1 + C) Fr² > 0 (C = 0.1: Fr <
0.953); all other labels are kept, unless even the least that can follow is dearer than a design
already known (`bounds`).

A stretch may be one of several along a river (`joint`): then several labels arrive at its lower
end, and what all further ones cost at least, as straight lines in the level it passes on, stands at
its upper end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.search.ascent import Root, ascended
from pinghu_geo.search.bounds import Buildings, Sheaf, Steps, chords, cost_of
from pinghu_geo.search.curves import KNEE, Curves, bend_of, minorant
from pinghu_geo.search.fronts import (
    Buckets,
    Kin,
    Rows,
    least_before,
    lost_more,
    order_by,
    rows_of,
    unbeaten,
)
from pinghu_geo.search.narrowing import passed_by, ways_below
from pinghu_geo.search.problem import (
    EXCESS_M,
    LEAST_GROWTH,
    NodeProblem,
    levels_of,
)

__all__ = [
    "WIDTHS",
    "Arrivals",
    "March",
    "Trail",
]

# labels kept at a station on quick marches, which find good designs
WIDTHS = (50, 200)
# labels with other buildings paid for that are compared at a station, at most
COMPARED = 40_000_000
# what no design costs
TOO_DEAR = 1e30
# so many labels are worth the look for those that others beat
MANY_LABELS = 1000
# how far the energy may exceed what a way up can do with, so that rounding shuts nothing out [m]
MARGIN_M = 1e-5
# numbers looked at in one go
AT_ONCE = 20_000
# how much lower a label has to come out to beat one with other options [m], and the share by which
# conveyances are taken for less and more than those tabulated
LOWER_M, WIDER = 1e-9, 1e-3
# steps continued at once
STEPS = 400_000
# prices of a metre of level: the first few span all that can matter, the others close in
COARSE = 4.0 ** np.arange(-5, 4)
FINE = 1.45 ** np.arange(-3, 4)
CLOSE = np.array([0.85, 1.0, 1.15])


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What arrives at the lower end of a stretch: costs so far, and levels (floods, labels)."""

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
        """Levels at the upper end (floods, labels) [m]."""
        last = self.labels[-1].level
        return last if self.arrived else last[:, :0]


class _LowSteps(NamedTuple):
    """Steps to a station from the lowest levels (floods, pairs) of the pairs below.

    ``level`` are those above (floods, steps), ``jump`` what the velocity head grows by. ``top`` are
    the highest levels of the pairs below. ``floor`` (floods,) are the lowest levels above, before
    steps are left out that bring too much energy.
    """

    station: int
    below: Array
    above: Array
    cost: Array
    level: Array
    jump: Array
    low: Array
    top: Array
    floor: Array

    def those(self, which: Array) -> _LowSteps:
        """Some of the steps."""
        return self._replace(
            below=self.below[which], above=self.above[which], cost=self.cost[which],
            level=self.level[:, which], jump=self.jump[:, which],
        )  # fmt: skip


class March:
    """The march upstream over one stretch."""

    def __init__(
        self, problem: NodeProblem, *, lowest: Array | None = None, highest: Array | None = None
    ) -> None:
        """Set up for levels (floods,) from the lowest to the highest that may arrive."""
        self.p = self._with_empty_pairs(problem)
        waters = problem.waters
        arrives = np.array([w.downstream_level for w in waters])
        self.most = np.stack([w.most_level for w in waters])
        self.n, self.o, _ = problem.rows.shape
        self.highest = arrives if highest is None else highest
        self.lowest = arrives if lowest is None else lowest
        self.terminals = [(np.zeros(1), np.zeros(1)) for _ in waters]
        self.buildings = Buildings(self.p)
        self.curves = [Curves.of(problem, water) for water in waters]
        self.allowed = np.logical_and.reduce([c.allowed for c in self.curves])
        self.start = self._start_labels()
        self.steps = self._all_steps()
        self._set_step_touches()
        self.sheaves: list[Sheaf] = []
        self.cautious: list[Sheaf] = []
        self.best_prices: list[Array] = []
        # of designs asked for, and of those found, by the tables
        self.known_levels: dict[tuple[bytes, bytes], Array] = {}
        self.near_levels: dict[bytes, Array] = {}

    @staticmethod
    def _with_empty_pairs(problem: NodeProblem) -> NodeProblem:
        """Where no pairs are given, none have as many options as there are."""
        if len(problem.pairs.who):
            return problem
        none = np.zeros((0, problem.rows.shape[1]), int)
        return replace(problem, pairs=problem.pairs._replace(least=none))

    def retouched(self, problem: NodeProblem) -> March:
        """The same stretch with other options touching its buildings; its tables stay."""
        made = copy(self)
        made.p = self._with_empty_pairs(problem)
        made.buildings = Buildings(made.p)
        made.start = made._start_labels()
        made._set_step_touches()
        return made

    def _set_step_touches(self) -> None:
        """What each step touches, as bits, and what it costs with its parts of buildings."""
        houses = self.buildings
        self.places = [houses.places(steps) for steps in self.steps]
        stations = list(zip(range(self.n - 2, -1, -1), self.steps, self.places, strict=True))
        self.crossed = [houses.crossed(i, where) for i, _, where in stations]
        self.extra: list[Array] = [
            steps.cost + houses.paid(i, houses.part, where) for i, steps, where in stations
        ]

    def _extra(self, i: int, sheaf: Sheaf) -> Array:
        """What steps up to a station cost with the parts of buildings of a bound."""
        k, houses = self.n - 2 - i, self.buildings
        own = sheaf.part is houses.part
        found: Array = (
            self.extra[k] if own else
            self.steps[k].cost + houses.paid(i, sheaf.part, self.places[k])
        )  # fmt: skip
        return found

    def _start_labels(self) -> _Labels:
        """Labels at the lowest station for the lowest levels that each pair can stand."""
        i = self.n - 1
        pair = np.arange(self.o**2)
        works = self.p.station_cost[0, i, :, None] + self.p.station_cost[1, i, None, :]
        level = [
            np.clip(np.where(self.allowed, c.low, low)[i * self.o**2 :], low, high)
            for c, low, high in zip(self.curves, self.lowest, self.highest, strict=True)
        ]
        return self._labels_at_start(pair, works.ravel(), np.stack(level), np.zeros(len(pair), int))

    def _labels_at_start(self, pair: Array, cost: Array, level: Array, parent: Array) -> _Labels:
        """Labels at the lowest station, where the water is clearly subcritical."""
        i, houses = self.n - 1, self.buildings
        states = [c.state(i, pair, own) for c, own in zip(self.curves, level, strict=True)]
        sets = houses.touched[i, pair]
        labels = _Labels(
            pair, sets & houses.open[i], cost + cost_of(sets, houses.sums[i]), level,
            np.stack([s.energy for s in states]), np.stack([s.conveyance for s in states]), parent,
        )  # fmt: skip
        calm = np.logical_and.reduce([s.grows >= LEAST_GROWTH - 1e-9 for s in states])
        return labels.take(np.flatnonzero(np.isfinite(labels.cost) & calm))

    def _arrival_labels(self, here: Arrivals) -> _Labels:
        """Labels of all that arrives."""
        i, many = self.n - 1, len(here.cost)
        works = self.p.station_cost[0, i, :, None] + self.p.station_cost[1, i, None, :]
        free = np.flatnonzero(np.isfinite(works.ravel()))
        pair, parent = np.tile(free, many), np.repeat(np.arange(many), len(free))
        cost = works.ravel()[pair] + here.cost[parent]
        return self._labels_at_start(pair, cost, here.level[:, parent], parent)

    # --- steps

    def _all_steps(self) -> list[Steps]:
        """What can follow what, station by station from the second lowest up."""
        floods = len(self.curves)
        low = np.full((floods, self.o**2), np.inf)
        low[:, self.start.pair] = self.start.level
        top, begun = np.repeat(self.highest[:, None], self.o**2, axis=1), list[_LowSteps]()
        # no design has a lower level at each station
        self.floors = np.full((floods, self.n), np.inf)
        self.floors[:, -1] = self.start.level.min(axis=1, initial=np.inf)
        for i in range(self.n - 2, -1, -1):
            ways = self._ways(i, np.flatnonzero(np.isfinite(low[0])))
            steps = self._steps_from_lowest(i, ways, low, top)[0]
            begun.append(steps)
            low = np.full((floods, self.o**2), np.inf)
            for own, levels in zip(low, steps.level, strict=True):
                np.minimum.at(own, steps.above, levels)
            top = np.repeat(self.most[:, i, None], self.o**2, axis=1)
            self.floors[:, i] = steps.floor if len(steps.above) else np.inf
        return self._steps_from_higher(self._leading_up(begun))

    def _leading_up(self, begun: list[_LowSteps]) -> list[_LowSteps]:
        """Those of the steps after which some way leads to the upper end without drowning."""
        found, leads = list[_LowSteps](), np.ones(self.o**2, bool)
        for steps in begun[::-1]:
            some = leads[steps.above]
            found.append(steps.those(some))
            leads = np.zeros(self.o**2, bool)
            leads[steps.below[some]] = True
        return found[::-1]

    def _steps_from_lowest(
        self, i: int, ways: tuple[Array, Array, Array], low: Array, top: Array
    ) -> tuple[_LowSteps, Array]:
        """Steps from the lowest levels of pairs below to those that this doesn't drown.

        Also which of the ways they are.
        """
        here = np.flatnonzero(np.isfinite(low[0]))
        place = np.zeros(self.o**2, int)
        place[here] = np.arange(len(here))
        below, above, cost = ways
        some = np.arange(len(below))
        level, jump = np.empty((2, len(self.curves), len(below)))
        floor = np.full(len(self.curves), np.inf)
        for f, curves in enumerate(self.curves):
            bottom, most = low[f, here], self.most[f, i]
            known = np.stack(self._known(f, i + 1, here, bottom))[:, place[below]]
            z, energy, conveyance = known[:, some]
            guess = curves.first_guess(i, above[some], z, energy, conveyance, float(most))
            fine = guess <= most + EXCESS_M
            some, guess = some[fine], guess[fine]
            z, energy, conveyance = known[:, some]
            level[f, some], head, _, _ = curves.solve(i, above[some], z, energy, conveyance, guess)
            jump[f, some] = head - level[f, some] - (energy - z)
            fine = level[f, some] <= most + EXCESS_M
            floor[f] = level[f, some[fine]].min(initial=np.inf)
            fine &= head <= curves.most_energy[i * self.o**2 + above[some]] + MARGIN_M
            some = some[fine]
        below, above, cost = (v[some] for v in ways)
        kept = _LowSteps(i, below, above, cost, level[:, some], jump[:, some], low, top, floor)
        return kept, some

    def _known(
        self, f: int, i: Array | int, pair: Array, level: Array
    ) -> tuple[Array, Array, Array]:
        """Level, energy, conveyance of pairs at a station, or at one each, as labels have them.

        That is by the sections themselves at the lowest station, above it by the tables.
        """
        curves, at = self.curves[f], np.broadcast_to(i, len(pair))
        energy, _, conveyance, _ = curves.read(at * self.o**2 + pair, level)
        lowest = np.flatnonzero(at == self.n - 1)
        if len(lowest):
            state = curves.state(self.n - 1, pair[lowest], level[lowest])
            energy[lowest], conveyance[lowest] = state.energy, state.conveyance
        return level, energy, conveyance

    def _steps_from_higher(self, begun: list[_LowSteps]) -> list[Steps]:
        """Steps known from the lowest levels below, from higher ones, too, all stations at once."""
        if not begun:
            return []
        stations, belows, aboves, _, level, jump, lows, tops, _ = zip(*begun, strict=True)
        ends = np.cumsum([0, *map(len, aboves)])
        station = np.repeat(stations, np.diff(ends))
        below, above = np.concatenate(belows), np.concatenate(aboves)
        # pairs below that something follows, of all stations
        fresh = (np.diff(below, prepend=-1) != 0) | (np.diff(station, prepend=-1) != 0)
        first, place = np.flatnonzero(fresh), np.cumsum(fresh) - 1
        low, top = (
            np.concatenate([v[:, k] for v, k in zip(values, belows, strict=True)], axis=1)[:, first]
            for values in (lows, tops)
        )
        levels, jumps = np.empty((2, len(self.curves), len(above), 3))
        levels[:, :, 0], jumps[:, :, 0] = (np.concatenate(v, axis=1) for v in (level, jump))
        lines, section = np.empty((*levels.shape[:2], 2)), self.p.rows.reshape(self.n, -1)
        for f, (curves, y) in enumerate(zip(self.curves, levels, strict=True)):
            for j, share in ((1, KNEE), (2, 1.0)):
                own = low[f] + share * (top[f] - low[f])
                known = self._known(f, station[first] + 1, below[first], own)
                # first as if both levels rose alike, then straight on
                rise = (y[:, 1] - y[:, 0]) / KNEE if j > 1 else (own - low[f])[place]
                z, energy, conveyance = (v[place] for v in known)
                y[:, j], head, _, _ = curves.solve(
                    station, above, z, energy, conveyance, y[:, 0] + rise
                )
                jumps[f, :, j] = head - y[:, j] - (energy - z)
            model, row = curves.water.model, section[station, above]
            lines[f] = minorant(y, jumps[f], model.contraction[row] + model.expansion[row])
        return [
            Steps(one.above, one.cost, levels[:, part], lines[:, part],
                  np.searchsorted(one.below, np.arange(self.o**2 + 1)), one.low, one.top)
            for one, part in zip(begun, map(slice, ends[:-1], ends[1:]), strict=True)
        ]  # fmt: skip

    def _ways(self, i: int, here: Array) -> tuple[Array, Array, Array]:
        """Pairs at a station below, pairs at the one above that may follow, and what that costs."""
        ways = []
        for side in (0, 1):
            price = self.p.change_cost + self.p.station_cost[side, i][None, :]
            price = np.where(self._pairs_touching_spared(side, i), np.inf, price)
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
        fine = self.allowed[i * self.o**2 + above]
        return here[parent[fine]], above[fine], cost[fine]

    def _pairs_touching_spared(self, side: int, i: int) -> Array:
        """Pairs (lower, upper option) above a station that touch the building to be spared."""
        who, of, gap, least = self.p.pairs
        rows = (who == self.p.spare) & (of == side) & (gap == i)
        found: Array = np.arange(self.o)[:, None] >= least[rows].min(axis=0, initial=self.o)
        return found

    # --- bounds

    def _tops(self, f: int) -> Array:
        """Level of each station that lines are written for."""
        return np.append(self.most[f, :-1], self.highest[f])

    def price(self, cost: float) -> None:
        """Find the prices of a metre of level at the upper end that bound best."""
        scale = min(cost, float(self.p.cost.sum()) + 1.0) / 0.1
        self._set_bound_lines(np.r_[0.0, scale * COARSE])
        for spread in (FINE, CLOSE):
            self._set_bound_lines(np.r_[0.0, self._best_price()[0] * spread])

    def _best_price(self) -> tuple[float, int]:
        """The price, and the line at the upper end, of the best bound for the lowest level."""
        found = [self._bounds_at_arrival(sheaf, self._lowest()).ravel() for sheaf in self.sheaves]
        f = int(np.argmax([one.max(initial=-np.inf) for one in found]))
        price, line = divmod(int(np.argmax(found[f])), len(self.terminals[f][0]))
        return float(self.prices[price]), line

    def _set_bound_lines(self, prices: Array) -> None:
        """Bounds by prices of a metre of level at the upper end, all floods alike."""
        self.prices, self.sheaves, self.cautious = prices, [], []
        for f, (base, slopes) in enumerate(self.terminals):
            height = np.tile(base, len(prices))
            slope = np.repeat(prices, len(base)) + np.tile(slopes, len(prices))
            houses, top = self.buildings, self._tops(f)
            self.sheaves.append(
                chords(self.steps, houses, f, houses.part, top, height, slope, extra=self.extra)
            )

    @property
    def many_steps(self) -> int:
        """Steps of all stations."""
        return sum(len(steps.above) for steps in self.steps)

    def ascend(self, level: Array) -> None:
        """Better bounds, for levels (floods,) that arrive; those that are there stay.

        Before it bounds are by a price at the upper end alone, the same at each flood.
        """
        if not len(self.start.cost) or self.n < 2:
            return
        warm = self.best_prices
        price, line = (0.0, 0) if warm else self._best_price()
        self.best_prices = []
        scale = np.maximum(self.most - self.floors, 1e-4)
        for f, terminal in enumerate(self.terminals):
            root = Root(self.start.pair, self.start.cost, self.start.sets, float(level[f]))
            begin = warm[f] if warm else (price, min(line, len(terminal[0]) - 1))
            better, cautious, best = ascended(
                self.steps,
                self.buildings,
                f,
                self._tops(f),
                terminal,
                scale[f],
                begin,
                root,
                self.places,
            )
            self.sheaves += better
            self.cautious += cautious
            self.best_prices.append(best)

    def narrowed(self, here: Arrivals, limit: float) -> March:
        """The same stretch for designs alone that cost no more than a limit, with what arrives.

        Steps and levels are left out that no such design takes, so that bounds lie closer.
        """
        made, labels = copy(self), self._arrival_labels(here)
        sheaf, line = self._best_line(here)
        paid = labels.cost - cost_of(labels.sets, sheaf.rests[-1])
        paid += sheaf.at(self.n - 1, labels.pair, labels.level[sheaf.flood])[line]
        passed, made.steps = passed_by(self.o**2, labels.pair, paid, labels.level), []
        for i, steps in zip(range(self.n - 2, -1, -1), self.steps, strict=True):
            extra = self._extra(i, sheaf)
            ways, cost, below = ways_below(steps, passed, sheaf, line, i, extra, limit)
            top = np.where(np.isfinite(below.high), below.high, self.most[:, i, None])
            begun, fine = self._steps_from_lowest(i, ways, below.low, top)
            kept = self._steps_from_higher([begun])[0]
            made.steps.append(kept)
            passed = passed_by(self.o**2, kept.above, cost[fine], kept.levels[:, :, 0])
            for high, levels in zip(passed.high, kept.levels, strict=True):
                np.maximum.at(high, kept.above, levels[:, 2])
            np.minimum(passed.high, self.most[:, i, None] + EXCESS_M, out=passed.high)
        made._set_step_touches()
        made.sheaves, made.cautious = [sheaf], []
        return made

    def _best_line(self, here: Arrivals) -> tuple[Sheaf, int]:
        """The bound that says most for what arrives, and which of its lines."""
        at = int(np.argmin(here.cost))
        found = [self._bounds_at_arrival(one, here.level[:, [at]])[0] for one in self.sheaves]
        best = int(np.argmax([one.max() for one in found]))
        return self.sheaves[best], int(np.argmax(found[best]))

    def _lowest(self) -> Array:
        """The lowest levels (floods, 1) that arrive."""
        return np.asarray(self.start.level.min(axis=1, initial=np.inf, keepdims=True))

    def _bounds_at_arrival(self, sheaf: Sheaf, level: Array) -> Array:
        """Bounds of a sheaf for levels (floods, many) that arrive (many, lines)."""
        if not len(self.start.cost):
            return np.full((level.shape[1], len(sheaf.height[-1])), np.inf)
        paid = self.start.cost - cost_of(self.start.sets, sheaf.rests[-1])
        height, slope = (v[-1][:, self.start.pair] for v in (sheaf.height, sheaf.slope))
        over = level[sheaf.flood][:, None, None] - sheaf.top[-1]
        found: Array = (paid + height + slope * over).min(axis=2)
        return found

    def least(self, level: Array | None = None) -> Array:
        """What no design of the stretch, and all upstream of it, can cost less than.

        For levels (floods, many) that arrive, or (one value) for the lowest.
        """
        level = self._lowest() if level is None else level
        found = [self._bounds_at_arrival(sheaf, level).max(axis=1) for sheaf in self.sheaves]
        return np.asarray(np.maximum.reduce(found))

    def _lower_bound(self, i: int, labels: _Labels) -> Array:
        """Cost with the least that can follow, by the best bound."""
        found = np.full(len(labels.cost), -np.inf)
        for sheaf in self.sheaves:
            rest = cost_of(labels.sets, sheaf.rests[i])
            after = sheaf.at(i, labels.pair, labels.level[sheaf.flood]).max(axis=0)
            found = np.maximum(found, labels.cost - rest + after)
        return found

    def _promising(self, i: int, labels: _Labels, limit: float) -> Array:
        """Which labels may cost no more than a limit; the best bounds are asked first."""
        left = np.arange(len(labels.cost))
        for sheaf in self.sheaves[::-1]:
            rest = limit - labels.cost[left] + cost_of(labels.sets[left], sheaf.rests[i])
            pair, over = labels.pair[left], labels.level[sheaf.flood][left] - sheaf.top[i]
            fine, lines = np.ones(len(left), bool), len(sheaf.height[i])
            size = max(AT_ONCE // max(len(left), 1), 1)
            for line in (slice(k, k + size) for k in range(0, lines, size)):
                some = np.flatnonzero(fine)
                height, slope = (v[i][line].take(pair[some], axis=1)
                                 for v in (sheaf.height, sheaf.slope))  # fmt: skip
                fine[some] = (height + slope * over[some] <= rest[some]).all(axis=0)
            left = left[fine]
        return left

    # --- labels

    def run(
        self, here: Arrivals, limit: float, most: int, deadline: float, *,
        wary: Sheaf | None = None, grain: float = 0.0,
    ) -> Trail:  # fmt: skip
        """March once: what may cost no more than the limit, and the least promise dropped.

        Where there are more labels than ``most``, those are kept that look best by ``wary``. With a
        ``grain`` [yuan] one of those that cost about the same stands for all: at each station what
        is lost so costs at most as much less.
        """
        labels, count, dropped = self._arrival_labels(here), 0, np.inf
        labels = labels.take(self._promising(self.n - 1, labels, limit))
        trail = [labels]
        line = int(np.argmax(self._bounds_at_arrival(self.sheaves[-1], self._lowest())[0]))
        for i in range(self.n - 2, -1, -1):
            many = len(labels.cost)
            late = time.monotonic() > deadline
            if late or many > most:
                promise = self._lower_bound(i + 1, labels)
                keep = np.argsort(self._wary(i + 1, labels, wary), kind="stable")
                lost = keep if late else keep[most:]
                dropped = min(dropped, float(promise[lost].min(initial=np.inf)))
                trail[-1] = labels = labels.take(np.sort(keep[:most]))
            if late or not many:
                return Trail(trail, dropped, count, arrived=False)
            labels = self._extend_labels(labels, i, limit, grain, line)
            trail.append(labels)
            count += len(labels.cost)
        return Trail(trail, dropped, count, arrived=True)

    def _wary(self, i: int, labels: _Labels, wary: Sheaf | None) -> Array:
        """Cost with what follows at the highest price: those that keep their water low arrive."""
        found = np.full(len(labels.cost), -np.inf)
        for sheaf in self.sheaves[: len(self.curves)] if wary is None else [wary]:
            rest = cost_of(labels.sets, sheaf.rests[i])
            height, slope = (v[i][-1, labels.pair] for v in (sheaf.height, sheaf.slope))
            over = labels.level[sheaf.flood] - sheaf.top[i]
            found = np.maximum(found, labels.cost - rest + height + slope * over)
        return found

    def _extend_labels(
        self, labels: _Labels, i: int, limit: float, grain: float, line: int
    ) -> _Labels:
        """Labels one station further up."""
        steps = self.steps[self.n - 2 - i]
        parts, held = list[_Labels](), 0
        parents: list[Array] = []
        ways: list[Array] = []
        for parent, way in self._worth_a_step(labels, steps, i, limit, line):
            parents.append(parent)
            ways.append(way)
            held += len(way)
            if held > STEPS:
                parts.append(self._extend_by_steps(labels, parents, ways, i, limit, grain))
                parents, ways, held = [], [], 0
        if held:
            parts.append(self._extend_by_steps(labels, parents, ways, i, limit, grain))
        if not parts:
            return labels.take(slice(0))
        made = _Labels.join(parts)
        made = made.take(made.best(grain))
        made = made.only(self._unbeaten_by_kin(made, i))
        return made.only(self._non_dominated(made, i))

    def _worth_a_step(
        self, labels: _Labels, steps: Steps, i: int, limit: float, line: int
    ) -> Iterator[tuple[Array, Array]]:
        """Labels and steps, pair by pair, that drown nothing and by the best bound may be cheap.

        ``line`` is the one of the best bound that says most.
        """
        sheaf = self.sheaves[-1]
        ends = sheaf.ends(i, steps, self._extra(i, sheaf), line)
        low, high = (np.minimum(v, TOO_DEAR) for v in ends)
        rest = limit - labels.cost + cost_of(labels.sets, sheaf.rests[i + 1])
        share = [steps.share(f, own, labels.pair) for f, own in enumerate(labels.level)]

        def fine(who: Array, which: Array | slice) -> Array:
            """Which of labels and steps that meet drown nothing and may be cheap."""
            found = low[which] + share[sheaf.flood][who] * (high - low)[which] <= rest[who]
            for own, lines, most in zip(share, steps.lines, self.most[:, i], strict=True):
                one, other = lines[which].T
                found &= one + own[who] * (other - one) <= most + EXCESS_M
            return np.asarray(found)

        begin = steps.first[labels.pair]
        many = steps.first[labels.pair + 1] - begin
        if many.sum() <= AT_ONCE:
            who = np.repeat(np.arange(len(many)), many)
            which = np.arange(len(who)) + np.repeat(begin - np.cumsum(many) + many, many)
            keep = np.flatnonzero(fine(who, which))
            yield who[keep], which[keep]
            return
        order = np.argsort(labels.pair, kind="stable")
        cuts = np.flatnonzero(np.diff(labels.pair[order])) + 1
        for group in np.split(order, cuts):
            mine = slice(begin[group[0]], begin[group[0]] + many[group[0]])
            size = max(STEPS // max(many[group[0]], 1), 1)
            for part in (group[k : k + size] for k in range(0, len(group), size)):
                one, way = np.nonzero(fine(part[:, None], mine))
                yield part[one], mine.start + way

    def _extend_by_steps(
        self, labels: _Labels, parents: list[Array], ways: list[Array], i: int, limit: float,
        grain: float,
    ) -> _Labels:  # fmt: skip
        """Labels that continue others by steps, those whose promise is no dearer than the limit."""
        steps, houses = self.steps[self.n - 2 - i], self.buildings
        parent, way = np.concatenate(parents), np.concatenate(ways)
        share = np.stack(
            [steps.share(f, own[parent], labels.pair[parent]) for f, own in enumerate(labels.level)]
        )
        line = steps.lines[:, way]
        low = line[:, :, 0] + share * (line[:, :, 1] - line[:, :, 0])
        touched = self.crossed[self.n - 2 - i][way]
        cost = labels.cost[parent] + steps.cost[way]
        cost += cost_of(touched & ~labels.sets[parent], houses.sums[i])
        sets = (labels.sets[parent] | touched) & houses.open[i]
        made = _Labels(steps.above[way], sets, cost, low, low, low, parent)
        y = steps.levels[:, way]
        # a parabola through the three levels known starts Newton's method
        bend = np.stack([bend_of(own) for own in y])
        guess = y[:, :, 0] + share * (y[:, :, 2] - y[:, :, 0]) - bend * share * (1 - share)
        return _Labels.join(self._solved(made, labels, i, limit, guess, grain))

    def _solved(
        self, made: _Labels, labels: _Labels, i: int, limit: float, guess: Array, grain: float
    ) -> list[_Labels]:
        """Labels with their levels, but those that others beat whatever their levels are.

        First those are solved that by the guess nothing beats; then of the others those that may
        stand lower than all cheaper ones.
        """
        if len(self.curves) > 1 or len(made.cost) < MANY_LABELS:
            return [self._with_levels(made, labels, i, limit, guess)[0]]
        worth = made.worth(grain)
        buckets = Buckets.of(made.pair, made.sets, worth)
        some = np.flatnonzero(guess[0] <= buckets.lowest_of_cheaper(guess[0]))
        if len(some) >= MANY_LABELS:
            guessed = replace(made.take(some), level=guess[:, some])
            some = some[guessed.best(grain)]
        first = some
        found, at = self._with_levels(made.take(first), labels, i, limit, guess[:, first])
        left = made.level[0] < buckets.lowest_of_cheaper(found.level[0], first[at])
        left[first] = False
        rest = np.flatnonzero(left)
        if len(found.cost) and len(rest) >= MANY_LABELS:
            rows = Rows.of_labels(found.pair, found.sets, found.worth(grain), found.level[0])
            by = rows.lowest_no_dearer(made.pair[rest], made.sets[rest], worth[rest])
            rest = rest[(by < 0) | (found.level[0, by] > made.level[0, rest])]
        others = self._with_levels(made.take(rest), labels, i, limit, guess[:, rest])[0]
        return [found, others]

    def _with_levels(
        self, made: _Labels, labels: _Labels, i: int, limit: float, guess: Array
    ) -> tuple[_Labels, Array]:
        """Labels with their levels, those no dearer than the limit, and which they are."""
        keep = np.arange(len(made.cost))
        if len(keep) >= MANY_LABELS:  # few are solved as fast as they are looked at
            keep = self._promising(i, made, limit)
            made, guess = made.take(keep), guess[:, keep]
        at, found = made.parent, []
        sound = np.ones(len(at), bool)
        for f, curves in enumerate(self.curves):
            level, energy, conveyance, fine = curves.solve(
                i, made.pair, labels.level[f][at], labels.energy[f][at], labels.conveyance[f][at],
                guess[f],
            )  # fmt: skip
            sound &= fine & (level <= self.most[f, i])
            found.append((level, energy, conveyance))
        level, energy, conveyance = (np.stack(one) for one in zip(*found, strict=True))
        some = np.flatnonzero(sound & self._within_range(i, made.pair, level))
        made = replace(made, level=level, energy=energy, conveyance=conveyance).take(some)
        last = self._promising(i, made, limit)
        return made.take(last), keep[some[last]]

    def _within_range(self, i: int, pair: Array, level: Array) -> Array:
        """Whether levels (floods, many) are among those that the steps up from a station know."""
        if not i:
            return np.ones(len(pair), bool)
        steps = self.steps[self.n - 1 - i]
        low, top = steps.low[:, pair], steps.top[:, pair]
        fine = (level >= low - EXCESS_M) & (level <= top + EXCESS_M)
        return np.asarray(fine.all(axis=0))

    def _unbeaten_by_kin(self, labels: _Labels, i: int) -> Array:
        """Labels that none beats with other options from which the same can follow.

        Every step of the one beaten costs the other no more, and ends no higher.
        """
        left = np.arange(len(labels.cost))
        if not i or len(left) < MANY_LABELS:
            return left
        kin = [Kin.of(self.p.change_cost, bits) for bits in self.buildings.pair_bits[:, i - 1]]
        if all(one.others.shape[1] == 1 for one in kin):
            return left
        rows = Rows.of_labels(labels.pair, labels.sets, labels.cost, labels.level[0])
        above = [self._conveyances(f, i - 1) for f in range(len(self.curves))]
        for one in kin[0].others.T:
            for other in kin[1].others.T:
                a, b = np.divmod(labels.pair[left], self.o)
                to_a, to_b = one[a], other[b]
                there = (to_a >= 0) & (to_b >= 0) & ((to_a != a) | (to_b != b))
                some = np.flatnonzero(there)
                if not len(some):
                    continue
                a, b, to_a, to_b = (v[some] for v in (a, b, to_a, to_b))
                dearer = kin[0].dearer[to_a, a] + kin[1].dearer[to_b, b]
                at = left[some]
                by = rows.lowest_no_dearer(
                    to_a * self.o + to_b, labels.sets[at], labels.cost[at] - dearer
                )
                some, by = some[by >= 0], by[by >= 0]
                beaten = np.ones(len(some), bool)
                for f, curves in enumerate(self.curves):
                    mine, its = (
                        (labels.level[f, k], labels.energy[f, k], labels.conveyance[f, k])
                        for k in (left[some], by)
                    )
                    more = lost_more(curves, i - 1, above[f], its, mine)
                    beaten &= its[1] + more < mine[1] - LOWER_M
                left = np.delete(left, some[beaten])
        return left

    def _conveyances(self, f: int, i: int) -> Array:
        """The least and the most conveyance (2,) that steps up to a station can meet there."""
        steps = self.steps[self.n - 2 - i]
        low = np.full(self.o**2, np.inf)
        np.minimum.at(low, steps.above, steps.levels[f][:, 0])
        pair = np.flatnonzero(np.isfinite(low))
        row, top = i * self.o**2 + pair, np.full(len(pair), self.most[f, i] + EXCESS_M)
        least, most = (self.curves[f].read(row, level)[2] for level in (low[pair], top))
        ends = least.min(initial=np.inf) * (1 - WIDER), most.max(initial=0.0) * (1 + WIDER)
        return np.array(ends)

    def _non_dominated(self, labels: _Labels, i: int) -> Array:
        """Labels that no other with the same choice beats, whatever buildings each has paid for.

        A label that pays at once for all that another has paid for, and is still no dearer and no
        higher, can follow that other's every step. Looked at is, for each set of buildings, the
        label that is cheapest so of those lower in one flood.
        """
        many = len(labels.cost)
        sets, of, held = np.unique(labels.sets, return_inverse=True, return_counts=True)
        if len(sets) < 2 and len(labels.level) < 2:  # then `best` has told
            return np.arange(many)
        of = of.ravel()
        beaten = np.zeros(many, bool)
        most = int(COMPARED // max(many, 1))
        for level in labels.level:
            order = order_by(labels.pair, level, labels.cost)
            rank = np.empty(many, int)
            rank[order] = np.arange(many)
            new = np.diff(labels.pair[order], prepend=-1) != 0
            group = np.cumsum(new) - 1
            begin = np.flatnonzero(new)
            column = np.arange(many) - begin[group]
            for t in np.argsort(-held, kind="stable")[:most].tolist():
                mine = np.flatnonzero((of == t) & ~beaten)
                if not len(mine):
                    continue
                dear = labels.cost + cost_of(sets[t] & ~labels.sets, self.buildings.sums[i])
                best = least_before(dear[order], group, column)[rank[mine]]
                some = best >= 0
                other, mine = order[best[some]], mine[some]
                beats = (dear[other] <= labels.cost[mine]) & (
                    labels.level[:, other] <= labels.level[:, mine]
                ).all(axis=0)
                beaten[mine[beats]] = True
        return np.flatnonzero(~beaten)

    def read(self, trail: Trail, at: int) -> tuple[Array, int]:
        """Options (2, stations) of a label at the upper end, and which arrival it began as."""
        options, levels = np.empty((2, self.n), int), np.empty((len(self.curves), self.n))
        for i, labels in enumerate(reversed(trail.labels)):
            options[:, i] = divmod(int(labels.pair[at]), self.o)
            levels[:, i] = labels.level[:, at]
            at = int(labels.parent[at])
        self.near_levels.setdefault(options.tobytes(), levels)
        return options, at

    def least_above(self, i: int, level: Array) -> Array:
        """The lowest levels (floods,) at a station of any design with none lower just below."""
        steps = self.steps[self.n - 2 - i]
        if not len(steps.above):
            return np.full(len(level), np.inf)
        found = []
        for f, curves in enumerate(self.curves):
            known = np.maximum(level[f], steps.low[f][steps.below])
            state = curves.state(i + 1, steps.below, known)
            guess = steps.levels[f][:, 0]
            made, _, _, sound = curves.solve(
                i, steps.above, known, state.energy, state.conveyance, guess
            )
            found.append(float(np.where(sound, made, guess).min()))
        return np.array(found)

    def calm(self, options: Array, levels: Array) -> bool:
        """Whether a design with levels (floods, stations) is clearly subcritical everywhere."""
        row = np.arange(self.n) * self.o**2 + options[0] * self.o + options[1]
        return all(
            bool((own >= curves.low[row] - EXCESS_M).all())
            for own, curves in zip(levels, self.curves, strict=True)
        )

    def levels_of(self, options: Array, level: Array) -> Array:
        """Levels (floods, stations) of a design above those that arrive, without the tables."""
        key = options.tobytes(), level.tobytes()
        if key not in self.known_levels:
            near = self.near_levels.get(options.tobytes())
            near = None if near is None else near + (level - near[:, -1])[:, None]
            self.known_levels[key] = levels_of(self.p, options, level, near)
        return self.known_levels[key]


@dataclass(frozen=True, slots=True)
class _Labels:
    """Labels at one station; levels, energies and conveyances are (floods, labels)."""

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
            self.pair[which], self.sets[which], self.cost[which], self.level[:, which],
            self.energy[:, which], self.conveyance[:, which], self.parent[which],
        )  # fmt: skip

    def only(self, which: Array) -> _Labels:
        """Those by rising numbers, which may be all."""
        return self if len(which) == len(self.cost) else self.take(which)

    @classmethod
    def join(cls, parts: list[_Labels]) -> _Labels:
        """Several in one."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            *(np.concatenate([getattr(p, f) for p in parts], axis=-1) for f in cls.__slots__)
        )

    def worth(self, grain: float) -> Array:
        """Costs to compare, those within a grain alike."""
        return np.floor(self.cost / grain).astype(int) if grain else self.cost

    def best(self, grain: float = 0.0) -> Array:
        """Labels that no other with the same choice and buildings beats in cost and levels."""
        return unbeaten(rows_of(self.pair, self.sets)[0], self.worth(grain), self.level)
