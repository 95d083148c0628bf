"""Which design is cheapest with the real standard step in it? One node, exact while lists fit.

The river is marched upstream. A label at a station is a choice of options on both banks, the
buildings already paid for that stand further upstream too, a cost and a water level. With the same
choice and the same buildings a lower cost and a lower level is better in every way, because the
level upstream grows with the level downstream while 1 - (1 + C) Fr² > 0 (C = 0.1: Fr < 0.953); all
other labels are kept. Labels that can't beat the best design known, even with
the lowest water that there can be upstream, are dropped.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from pinghu_geo.sections import Array
from pinghu_geo.steady import Model, bracketed

__all__ = ["NodeProblem", "NodeSolution", "design_cost", "solve_node"]

# most buildings of a node: their set is the bits of one number
MOST_BUILDINGS = 64
# labels kept on the first, quick march that finds a good design
QUICK = 1000
# 1 - Fr² that is left at the Froude limit of 0.9487 (Fr² = 0.90)
LEAST_GROWTH = 0.10
SAME_COST = 1e-9
# levels tabulated for each choice of options at each station: cubic between them, so that a level
# is right to about 1e-9 m
NODES = 64
# pairs of labels compared at once
PAIRS = 4_000_000


@dataclass(frozen=True, slots=True)
class NodeProblem:
    """Stations from upstream to downstream, options on each bank, buildings.

    ``rows`` (stations, options, options) are the sections of left and right options in ``model``;
    ``station_cost`` (2, stations, options), infinite where an option is not allowed;
    ``change_cost`` (options, options) between neighbours, infinite where it is not allowed;
    ``touch`` (buildings, 2, stations, options); ``most_level`` (stations,) [m].
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


def design_cost(problem: NodeProblem, options: Array) -> float:
    """Cost of a choice of options, whatever the water does."""
    n = options.shape[1]
    works = problem.station_cost[np.arange(2)[:, None], np.arange(n), options].sum()
    change = problem.change_cost[options[:, :-1], options[:, 1:]].sum()
    side, station = np.arange(2)[:, None], np.arange(n)[None, :]
    touched = problem.touch[:, side, station, options].any(axis=(1, 2))
    return float(works + change + problem.cost[touched].sum())


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
        Labels kept at a station; beyond it the cheapest ones are, and the answer is not proven.
    seconds
        Time after which the best design so far is returned, with the bound reached.
    """
    march = _March(problem, time.monotonic() + seconds)
    upper = np.inf if known is None else design_cost(problem, known)
    quick = march.run(upper + SAME_COST, QUICK)
    best = quick
    limit = min(upper, quick.cost if quick is not None else np.inf)
    if best is None or not best.proven:
        exact = march.run(limit, most_labels)
        bound = min(march.dropped, limit)
        if exact is not None and exact.cost < limit - SAME_COST:
            best = exact
        elif best is not None:
            best = NodeSolution(best.options, best.levels, best.cost, bound, march.count)
    if best is None and known is not None:
        levels = march.levels_of(known)
        return NodeSolution(known, levels, upper, min(march.dropped, upper), march.count)
    return best


class _March:
    """The march upstream over one node."""

    def __init__(self, problem: NodeProblem, deadline: float) -> None:
        if len(problem.cost) > MOST_BUILDINGS:
            raise ValueError(f"a node holds at most {MOST_BUILDINGS} buildings")
        self.p, self.deadline = problem, deadline
        self.n, self.o, _ = problem.rows.shape
        self.count, self.dropped = 0, np.inf
        bits = np.left_shift(np.uint64(1), np.arange(len(problem.cost), dtype=np.uint64))
        # buildings that an option touches, as bits (2, stations, options)
        self.bits = np.zeros(problem.station_cost.shape, np.uint64)
        for b in range(len(problem.cost)):
            self.bits |= np.where(problem.touch[b], bits[b], np.uint64(0))
        beside: Array = np.asarray(problem.touch.any(axis=(1, 3)))  # (buildings, stations)
        # buildings that stand beside some station further upstream
        first = np.where(beside.any(axis=1), beside.argmax(axis=1), self.n)
        self.open = np.array(
            [np.bitwise_or.reduce(bits[first < i], initial=np.uint64(0)) for i in range(self.n)]
        )
        self.sums = self._byte_sums()
        self.curves = _Curves.of(problem)
        self.ahead = self._ahead(beside)

    def _byte_sums(self) -> Array:
        """Cost of every set of eight buildings."""
        cost = np.zeros(MOST_BUILDINGS)
        cost[: len(self.p.cost)] = self.p.cost
        sets = (np.arange(256)[:, None] >> np.arange(8)) & 1
        return np.asarray(sets @ cost.reshape(-1, 8).T).T

    def paid(self, sets: Array) -> Array:
        """Cost of sets of buildings."""
        total = np.zeros(len(sets))
        for k in range(8):
            byte = (sets >> np.uint64(8 * k)) & np.uint64(255)
            total += self.sums[k, byte.astype(int)]
        return total

    def _ahead(self, beside: Array) -> Array:
        """Least cost upstream of each choice (stations, pairs), by the lowest water there can be.

        The lowest level of each choice at each station is found first, cost aside: as levels
        upstream grow with levels downstream, a step that drowns even from there is impossible. Over
        the steps that are left the cheapest way up is a bound. Each building counts in it at the
        lowest of its stations alone, so that none is counted that a label may have paid for.
        """
        bits = np.left_shift(np.uint64(1), np.arange(len(self.p.cost), dtype=np.uint64))
        last = np.where(beside.any(axis=1), self.n - 1 - beside[:, ::-1].argmax(axis=1), -1)
        steps = []
        labels = self._first(np.inf)
        for i in range(self.n - 2, -1, -1):
            parent, pair, change = self._neighbours(labels.pair, i)
            at, level, energy, conveyance = self._step(labels, parent, pair, i)
            parent, pair, change = parent[at], pair[at], change[at]
            counted = np.bitwise_or.reduce(bits[last == i], initial=np.uint64(0))
            left, right = np.divmod(pair, self.o)
            touched = (self.bits[0, i, left] | self.bits[1, i, right]) & counted
            steps.append((labels.pair[parent], pair, change + self.paid(touched)))
            order = np.lexsort((level, pair))
            lowest = order[np.r_[True, np.diff(pair[order]) > 0][: len(order)]]
            none = np.zeros(len(lowest))
            labels = _Labels(
                pair[lowest], none.astype(np.uint64), none, level[lowest], energy[lowest],
                conveyance[lowest], parent[lowest],
            )  # fmt: skip
        ahead = np.full((self.n, self.o**2), np.inf)
        ahead[0] = 0.0
        for i, (below, above, cost) in enumerate(reversed(steps)):
            np.minimum.at(ahead[i + 1], below, cost + ahead[i, above])
        return ahead

    def run(self, limit: float, most: int) -> NodeSolution | None:
        """March once; None where no label cheaper than the limit arrives."""
        self.dropped = np.inf
        labels = self._first(limit)
        trail = [labels]
        for i in range(self.n - 2, -1, -1):
            if not len(labels.cost):
                return None
            if time.monotonic() > self.deadline:
                self.dropped = min(self.dropped, float(self._promise(labels, i + 1).min()))
                return None
            labels = self._expand(labels, i, limit, most)
            trail.append(labels)
            self.count += len(labels.cost)
        if not len(labels.cost):
            return None
        return self._read(trail)

    def _promise(self, labels: _Labels, i: int) -> Array:
        """Cost of labels at station i with the least that can follow."""
        found: Array = labels.cost + self.ahead[i, labels.pair]
        return found

    def _first(self, limit: float) -> _Labels:
        """Labels at the lowest station."""
        i = self.n - 1
        pair = np.arange(self.o**2)
        a, b = np.divmod(pair, self.o)
        cost = self.p.station_cost[0, i, a] + self.p.station_cost[1, i, b]
        sets = self.bits[0, i, a] | self.bits[1, i, b]
        cost = cost + self.paid(sets)
        level = np.full(len(pair), self.p.downstream_level)
        flow = np.full(len(pair), self.p.discharge[i])
        state = self.p.model.state(self.p.rows[i].ravel(), flow, level)
        labels = _Labels(
            pair, sets & self.open[i], cost, level, state.energy, state.conveyance,
            np.zeros(len(pair), int),
        )  # fmt: skip
        fine = np.isfinite(cost) & (state.grows >= LEAST_GROWTH)
        labels = labels.take(fine)
        if np.isinf(limit):
            return labels
        return labels.take(self._promise(labels, i) <= limit)

    def _expand(self, labels: _Labels, i: int, limit: float, most: int) -> _Labels:
        """Labels one station further up."""
        parent, pair, change = self._neighbours(labels.pair, i)
        a, b = np.divmod(pair, self.o)
        touched = self.bits[0, i, a] | self.bits[1, i, b]
        new = touched & ~labels.sets[parent]
        cost = labels.cost[parent] + change + self.paid(new)
        promise = cost + self.ahead[i, pair]
        keep = promise <= limit
        parent, pair, cost = parent[keep], pair[keep], cost[keep]
        sets = (labels.sets[parent] | touched[keep]) & self.open[i]
        at, level, energy, conveyance = self._step(labels, parent, pair, i)
        made = _Labels(pair[at], sets[at], cost[at], level, energy, conveyance, parent[at])
        made = made.take(made.best())
        made = made.take(self._unbeaten(made))
        if len(made.cost) > most:
            promise = self._promise(made, i)
            order = np.argsort(promise, kind="stable")
            self.dropped = min(self.dropped, float(promise[order[most]]))
            made = made.take(np.sort(order[:most]))
        return made

    def _unbeaten(self, labels: _Labels) -> Array:
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
            g, i, j = np.nonzero(lower & earlier & np.isfinite(cost[part, None, :]))
            extra = self.paid(sets[part][g, j] & ~sets[part][g, i])
            wins = cost[part][g, i] + extra <= cost[part][g, j]
            beaten[part][g[wins], j[wins]] = True
        kept: Array = np.sort(order[~beaten[row, column]])
        return kept

    def _neighbours(self, pairs: Array, i: int) -> tuple[Array, Array, Array]:
        """For each label the pairs it may continue with, and what the step costs."""
        ways = []
        for side in (0, 1):
            price = self.p.change_cost + self.p.station_cost[side, i][None, :]
            here, there = np.nonzero(np.isfinite(price))
            count = np.bincount(here, minlength=self.o)
            ways.append((there, price[here, there], np.cumsum(count) - count, count))
        a, b = np.divmod(pairs, self.o)
        (to_a, cost_a, start_a, count_a), (to_b, cost_b, start_b, count_b) = ways
        many = count_a[a] * count_b[b]
        parent = np.repeat(np.arange(len(pairs)), many)
        k = np.arange(len(parent)) - np.repeat(np.cumsum(many) - many, many)
        ka, kb = np.divmod(k, np.maximum(count_b[b], 1)[parent])
        at_a, at_b = start_a[a][parent] + ka, start_b[b][parent] + kb
        pair = to_a[at_a] * self.o + to_b[at_b]
        return parent, pair, cost_a[at_a] + cost_b[at_b]

    def _step(self, labels: _Labels, parent: Array, pair: Array, i: int) -> tuple[Array, ...]:
        """Standard step from each label to its continuation, and where the water is allowed.

        Between the level of the Froude limit and the highest allowed one the energy balance grows
        with the level: its sign at both ends says whether there is an answer in between.
        """
        curves, model = self.curves, self.p.model
        row = i * self.o**2 + pair
        below_energy, below_k = labels.energy[parent], labels.conveyance[parent]
        below_head = below_energy - labels.level[parent]
        section = self.p.rows[i].ravel()[pair]
        friction = model.lengths[section, 1] * (self.p.discharge[i] + self.p.discharge[i + 1]) ** 2
        shrink, grow = model.contraction[section], model.expansion[section]

        def balance(at: Array, level: Array, here: tuple[Array, ...]) -> tuple[Array, Array]:
            energy, k, d_energy, d_k = here
            both = k + below_k[at]
            loss = friction[at] / both**2
            change = energy - level - below_head[at]
            c = np.where(change < 0, -shrink[at], grow[at])
            rest = energy - below_energy[at] - loss - c * change
            return rest, d_energy + 2 * loss / both * d_k - c * (d_energy - 1)

        at = np.flatnonzero(curves.allowed[row])
        for end, sign in ((-1, 1.0), (0, -1.0)):
            rest, _ = balance(at, curves.level[row[at], end], curves.at_end(row[at], end))
            at = at[sign * rest >= -1e-12]
        low, high = curves.level[row[at], 0], curves.level[row[at], -1]
        level = np.clip(labels.level[parent[at]], low, high)
        for _ in range(30):
            rest, growth = balance(at, level, curves.read(row[at], level))
            if np.abs(rest).max(initial=0.0) < 1e-10:
                break
            low, high = np.where(rest < 0, level, low), np.where(rest > 0, level, high)
            newton = level - rest / np.maximum(growth, 1e-3)
            inside = (newton > low) & (newton < high)
            level = np.where(rest == 0, level, np.where(inside, newton, (low + high) / 2))
        energy, k, _, _ = curves.read(row[at], level)
        return at, level, energy, k

    def _read(self, trail: list[_Labels]) -> NodeSolution:
        """Cheapest label at the upper end, traced back."""
        at = int(np.argmin(trail[-1].cost))
        cost = float(trail[-1].cost[at])
        options, levels = np.empty((2, self.n), int), np.empty(self.n)
        for i, labels in enumerate(reversed(trail)):
            options[:, i] = divmod(int(labels.pair[at]), self.o)
            levels[i] = labels.level[at]
            at = int(labels.parent[at])
        return NodeSolution(options, levels, cost, min(cost, self.dropped), self.count)

    def levels_of(self, options: Array) -> Array:
        """Levels of a design."""
        model, q = self.p.model, self.p.discharge
        rows = self.p.rows[np.arange(self.n), options[0], options[1]]
        levels = np.full(self.n, self.p.downstream_level)
        for i in range(self.n - 2, -1, -1):
            below = model.state(rows[[i + 1]], q[[i + 1]], levels[[i + 1]])
            levels[i] = model.step(rows[[i]], q[[i]], below)[0][0]
        return levels


@dataclass(frozen=True, slots=True)
class _Curves:
    """Energy and conveyance of every choice of options at every station, over the levels allowed.

    Rows are station x left option x right option, columns `NODES` levels from that of the Froude
    limit to the highest allowed one.
    """

    level: Array
    energy: Array
    d_energy: Array
    conveyance: Array
    d_conveyance: Array
    allowed: Array

    @classmethod
    def of(cls, problem: NodeProblem) -> _Curves:
        """Tabulate a node."""
        pairs = problem.rows.shape[1] ** 2
        rows, model = problem.rows.ravel(), problem.model
        flow, top = np.repeat(problem.discharge, pairs), np.repeat(problem.most_level, pairs)
        floor = model.sections.bottom[rows] + 1e-3
        allowed = top > floor
        allowed[allowed] = (
            model.state(rows[allowed], flow[allowed], top[allowed]).grows > LEAST_GROWTH
        )
        some = np.flatnonzero(allowed)

        def spare(level: Array, mask: Array) -> Array:
            return model.state(rows[some[mask]], flow[some[mask]], level).grows - LEAST_GROWTH

        low = top.copy()
        low[some] = bracketed(spare, floor[some], top[some])
        level = low[:, None] + np.linspace(0.0, 1.0, NODES) * (top - low)[:, None]
        made = [np.zeros(level.shape) for _ in range(4)]
        each = np.repeat(some, NODES)
        state = model.state(rows[each], flow[each], level[some].ravel())
        parts = (state.energy, state.grows, state.conveyance, state.slope)
        for whole, part in zip(made, parts, strict=True):
            whole[some] = part.reshape(-1, NODES)
        return cls(level, made[0], made[1], made[2], made[3], allowed)

    def at_end(self, row: Array, end: int) -> tuple[Array, ...]:
        """Energy, conveyance and their growth at the lowest or the highest level."""
        table = (self.energy, self.conveyance, self.d_energy, self.d_conveyance)
        return tuple(v[row, end] for v in table)

    def read(self, row: Array, level: Array) -> tuple[Array, ...]:
        """Energy, conveyance and their growth at levels: cubic between two nodes."""
        low, top = self.level[row, 0], self.level[row, -1]
        h = (top - low) / (NODES - 1)
        h = np.where(h > 0, h, 1.0)
        place = np.clip((level - low) / h, 0.0, NODES - 1.0)
        k = np.minimum(place.astype(int), NODES - 2)
        t = place - k
        found = []
        for value, slope in ((self.energy, self.d_energy), (self.conveyance, self.d_conveyance)):
            a, b = value[row, k], value[row, k + 1]
            da, db = slope[row, k] * h, slope[row, k + 1] * h
            c2, c3 = 3 * (b - a) - 2 * da - db, 2 * (a - b) + da + db
            found.append((a + t * (da + t * (c2 + t * c3)), (da + t * (2 * c2 + 3 * t * c3)) / h))
        return found[0][0], found[1][0], found[0][1], found[1][1]


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

    def take(self, which: Array) -> _Labels:
        """Part of them."""
        return _Labels(
            self.pair[which], self.sets[which], self.cost[which], self.level[which],
            self.energy[which], self.conveyance[which], self.parent[which],
        )  # fmt: skip

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
