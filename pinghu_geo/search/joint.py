"""Which designs of all stretches of a river are cheapest together? They share the allowed rise.

Between stretches the river stays as approved, so that only two numbers pass from one to the next:
what has been paid, and the level that arrives. Both lists and bounds are built on that.

From the head down each stretch learns what it and all further ones upstream cost at least, as a
function of the level that arrives: straight lines from its own bound, and exact values at a few
levels, which hold for every higher level too, because a higher level never makes anything cheaper.
From the mouth up the lists of (cost, level) are then marched through the stretches, and what
can't beat the best design known with that least is dropped. Where nothing else was dropped, the
design is proven optimal for the whole river; else the least promise dropped is its bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.search.labels import (
    EXCESS_M,
    REACH,
    SAME_COST,
    WIDTHS,
    Arrivals,
    March,
    NodeProblem,
    Trail,
    design_cost,
)
from pinghu_geo.search.stretch import Reach, stretch_problem, touched_within

__all__ = ["Chain", "ChainSolution", "Work", "lower_hull", "rising"]

# levels at which what lies upstream is asked for what it costs, and the exact values taken
LEVELS = 9
EXACT = 5
# lists within this level [m] and cost at the end of a stretch are one
SAME_LEVEL_M = 1e-8
# labels kept at a station at most, and in all of a search of one river
MOST_LABELS = 60_000
MOST_WORK = 6_000_000


@dataclass(slots=True)
class Work:
    """Labels made so far: a search ends by its work, never by the clock, unless one is given."""

    most: int = MOST_WORK
    deadline: float = np.inf
    done: int = 0

    @property
    def spent(self) -> bool:
        """Whether no more is to be done."""
        return self.done > self.most


@dataclass(frozen=True, slots=True)
class Stretch:
    """Stations from ``first`` to ``last`` where the line may move; both ends as approved."""

    first: int
    last: int
    problem: NodeProblem
    who: Array  # numbers of its buildings in the reach
    march: March
    before: float  # what the approved line costs here
    base: int  # the option that changes nothing


@dataclass(frozen=True, slots=True)
class ChainSolution:
    """The cheapest designs of all stretches together; proven if cost and bound are one."""

    options: list[Array]  # (2, stations) a stretch, from the mouth up
    costs: list[float]
    gaps: list[float]  # what each stretch may cost too much, at most
    cost: float
    bound: float

    @classmethod
    def none(cls) -> ChainSolution:
        """Where nothing was searched."""
        return cls([], [], [], 0.0, 0.0)

    @property
    def proven(self) -> bool:
        """Whether no other choice of options along the river can be cheaper."""
        return self.cost - self.bound <= SAME_COST


@dataclass(slots=True)
class _Least:
    """What a stretch and all upstream of it cost at least, by the level that arrives."""

    march: March | None = None
    exact: list[tuple[float, float]] = field(default_factory=list)  # (level, cost), rising

    def __call__(self, level: Array) -> Array:
        if self.march is None:
            return np.zeros(len(level))
        found = np.asarray(self.march.least(level))
        for at, cost in self.exact:
            found = np.where(level >= at - 1e-9, np.maximum(found, cost), found)
        return found


def rising(reach: Reach, first: int, last: int, level: Array) -> tuple[Array, Array]:
    """Levels of the approved river at stations ``first`` to ``last``, from some at ``last``.

    Levels are (stations, cases); also whether each case keeps what is allowed all the way.
    """
    model, many = reach.model, len(level)
    found = np.empty((last - first + 1, many))
    found[-1] = level

    def at(i: int) -> tuple[Array, Array]:
        return np.repeat(model.rows[i, 0], many), np.repeat(model.discharge[i, 0], many)

    for i in range(last - 1, first - 1, -1):
        below = model.state(*at(i + 1), found[i + 1 - first])
        found[i - first] = model.step(*at(i), below)[0]
    most = reach.most[first : last + 1, None]
    return found, np.asarray((found <= most + EXCESS_M).all(axis=0))


class Chain:
    """The stretches of one river from the mouth up, with what each costs at least."""

    def __init__(
        self,
        reach: Reach,
        extents: list[tuple[int, int]],
        limits: Mapping[str, float],
        start: float,
        *,
        lowest: float | None = None,
        spare: int | None = None,
        work: Work | None = None,
    ) -> None:
        """Set up for the level at the lowest station, or for levels from a lowest one to it.

        ``spare`` is the number of a building that no design may touch.
        """
        self.reach, self.start, self.work = reach, start, work or Work()
        self.stretches: list[Stretch] = []
        low, high = np.array([start if lowest is None else lowest]), np.array([start])
        at = len(reach.measure) - 1
        # the lowest level that any design has at each station
        self.lows = reach.level.copy()
        for k, (first, last) in enumerate(extents):
            way = rising(reach, last, at, np.r_[low, high])[0]
            self.lows[last : at + 1] = way[:, 0]
            low, high = way[0, :1], way[0, 1:]
            high = np.minimum(high, max(reach.most[last] + EXCESS_M, low[0]))
            following = extents[k + 1][1] if k + 1 < len(extents) else 0
            made = self._stretch(
                first, last, following, (float(low[0]), float(high[0])), limits, spare
            )
            self.stretches.append(made)
            self.lows[first : last + 1] = made.march.floors
            low = made.march.floors[:1]
            high, at = made.problem.most_level[:1], first
            if not np.isfinite(low[0]):  # nothing arrives: no design keeps what is allowed
                break
        else:
            self.lows[: at + 1] = rising(reach, 0, at, low)[0][:, 0]
        self.least = [_Least() for _ in range(len(self.stretches) + 1)]
        for k in range(len(self.stretches) - 1, -1, -1):
            self._bound(k)

    def capped(self, most: Array) -> Chain:
        """The same river with lower levels allowed at some stations.

        Stretches keep their tables; what they cost at least is found anew from those stations down.
        """
        made = copy(self)
        made.reach, made.work = replace(self.reach, most=most), Work(deadline=self.work.deadline)
        made.stretches, made.least = list(self.stretches), list(self.least)
        up = int(np.flatnonzero(most < self.reach.most).min(initial=len(most)))
        for k in range(len(self.stretches) - 1, -1, -1):
            one = self.stretches[k]
            if one.last < up:
                continue
            march = copy(one.march)
            march.most = np.minimum(march.most, most[one.first : one.last + 1])
            following = self.stretches[k + 1].last if k + 1 < len(self.stretches) else 0
            march.most[0] = made._highest(one.first, following, float(march.most[0]))
            made.stretches[k] = replace(one, march=march)
            made._bound(k)
        return made

    def retouched(self, reach: Reach) -> Chain:
        """The same river with other options touching its buildings; levels and sections stay."""
        made = copy(self)
        made.reach, made.work = reach, Work(deadline=self.work.deadline)
        made.stretches, made.least = list(self.stretches), list(self.least)
        changed = False
        for k in range(len(self.stretches) - 1, -1, -1):
            one = self.stretches[k]
            who, pairs = touched_within(reach, one.first, one.last)
            if not (np.array_equal(who, one.who) and pairs.same(one.problem.pairs)):
                problem = replace(one.problem, pairs=pairs, cost=reach.cost[who])
                known = np.full((2, one.last - one.first + 1), one.base)
                made.stretches[k] = replace(
                    one, problem=problem, who=who, march=one.march.retouched(problem),
                    before=design_cost(problem, known),
                )  # fmt: skip
                changed = True
            elif changed:
                made.stretches[k] = replace(one, march=copy(one.march))
            if changed:
                made._bound(k)
        return made

    def levels(self, solution: ChainSolution, level: float) -> Array:
        """Levels of a design at all stations, for one at the lowest, without the search's tables.

        Where nothing was searched the river is as approved.
        """
        found = np.empty(len(self.reach.measure))
        at, here = len(found) - 1, np.array([level])
        for stretch, options in zip(self.stretches, solution.options, strict=True):
            found[stretch.last : at + 1] = rising(self.reach, stretch.last, at, here)[0][:, 0]
            own = stretch.march.levels_of(options, float(found[stretch.last]))
            found[stretch.first : stretch.last + 1] = own
            at, here = stretch.first, own[:1]
        found[: at + 1] = rising(self.reach, 0, at, here)[0][:, 0]
        return found

    def least_above(self, station: int, level: float) -> float:
        """The lowest level just above a station at which the water stands no lower than a level."""
        level = max(level, float(self.lows[station]))
        for one in self.stretches:
            if one.first < station <= one.last:
                above = one.march.least_above(station - 1 - one.first, level)
                return max(above, float(self.lows[station - 1]))
        return float(rising(self.reach, station - 1, station, np.array([level]))[0][0, 0])

    def _at(self, level: float | None) -> float:
        return self.start if level is None else level

    def _first_arrival(self, level: float) -> tuple[Array, bool]:
        """Level at the lowest stretch for one at the lowest station, and whether it keeps all."""
        last, mouth = self.stretches[0].last, len(self.reach.measure) - 1
        levels, fine = rising(self.reach, last, mouth, np.array([level]))
        return levels[0], bool(fine[0])

    # --- set-up

    def _stretch(
        self,
        first: int,
        last: int,
        following: int,
        arrive: tuple[float, float],
        limits: Mapping[str, float],
        spare: int | None,
    ) -> Stretch:
        """One stretch; its uppermost level is low enough for the approved river upstream of it."""
        problem, who = stretch_problem(self.reach, first, last, arrive[1], limits)
        known = np.full((2, last - first + 1), self.reach.options.base)
        before = design_cost(problem, known)
        most = problem.most_level.copy()
        most[0] = self._highest(first, following, float(most[0]))
        problem = replace(problem, most_level=most)
        if spare is not None and (who == spare).any():
            problem = replace(problem, spare=int(np.flatnonzero(who == spare)[0]))
        march = March(problem, lowest=arrive[0], highest=arrive[1])
        return Stretch(first, last, problem, who, march, before, self.reach.options.base)

    def _highest(self, first: int, following: int, most: float) -> float:
        """Highest level at a station with which the approved river upstream keeps what it may."""
        low, high = float(self.reach.level[first]), most
        for _ in range(4):
            tried = np.linspace(low, high, LEVELS)
            fine = rising(self.reach, following, first, tried)[1]
            if fine.all():
                return high
            k = max(int(np.argmin(fine)), 1)
            low, high = tried[k - 1], tried[k]
        return min(low, most)

    def _bound(self, k: int) -> None:
        """What stretch k and all upstream of it cost at least: lines, and values at some levels."""
        stretch, march = self.stretches[k], self.stretches[k].march
        march.terminal = self._terminal(k)
        march.price(stretch.before + 1.0)
        least = self.least[k] = _Least(march)
        if not len(march.start.cost):
            return
        low, high = float(march.start.level.min()), march.highest
        ends = [(x, self._exact(k, x)) for x in ((low, high) if high > low else (low,))]
        least.exact = ends
        while 1 < len(ends) < EXACT:
            jumps = np.diff([cost for _, cost in ends])
            j = int(np.argmax(jumps))
            if not jumps[j] > SAME_COST:
                break
            between = (ends[j][0] + ends[j + 1][0]) / 2
            ends.append((between, self._exact(k, between)))
            ends.sort()

    def _terminal(self, k: int) -> tuple[Array, Array]:
        """Lines below what all upstream of stretch k costs, in the level that it passes on."""
        top = float(self.stretches[k].problem.most_level[0])
        if k + 1 == len(self.stretches):
            return np.zeros(1), np.zeros(1)
        low = min(float(self.stretches[k].march.floors[0]), top)
        level = np.linspace(low, top, LEVELS if top - low > 1e-6 else 1)
        value = self._ahead(k, level)[0]
        value = np.where(np.isfinite(value), value, value[np.isfinite(value)].max(initial=0.0))
        if len(level) == 1:
            return value, np.zeros(1)
        # from one level to the next it costs at least what it costs at the first: the lowest hull
        x, y = level, np.r_[value[0], value[:-1]]
        hull = lower_hull(x, y)
        slope = np.diff(y[hull]) / np.maximum(np.diff(x[hull]), 1e-12)
        height = y[hull][1:] + slope * (top - x[hull][1:])
        keep = np.diff(x[hull]) > 1e-9
        return np.r_[value[0], height[keep]], np.r_[0.0, slope[keep]]

    def _ahead(self, k: int, level: Array) -> tuple[Array, Array]:
        """Least cost upstream of stretch k for levels that it passes on, and where they arrive."""
        first = self.stretches[k].first
        following = self.stretches[k + 1].last if k + 1 < len(self.stretches) else 0
        levels, fine = rising(self.reach, following, first, level)
        return np.where(fine, self.least[k + 1](levels[0]), np.inf), levels[0]

    def _exact(self, k: int, level: float) -> float:
        """What stretch k, with the least upstream of it, costs for one level, or a bound of it."""
        march = self.stretches[k].march
        least = float(np.asarray(march.least(np.array([level])))[0])
        here, cost, bound, gap = Arrivals(np.zeros(1), np.array([level])), np.inf, least, np.inf
        for most, reach in _TRIES:
            limit = min(least + reach * gap, cost) if np.isfinite(cost) else np.inf
            trail = march.run(here, limit - SAME_COST, most, self.work.deadline)
            self.work.done += trail.count
            if len(trail.cost):
                cost = min(cost, float((trail.cost + self._ahead(k, trail.level)[0]).min()))
                gap = cost - least if most in WIDTHS else gap
            bound = max(bound, min(trail.dropped, limit, cost))
            if not cost - bound > SAME_COST or self.work.spent:
                break
        return bound

    # --- search

    def solve(self, level: float | None = None) -> ChainSolution | None:
        """The cheapest designs together; None: no design keeps the levels allowed.

        ``level`` at the lowest station is one from the lowest to that set up for, which it is by
        default.
        """
        if not self.stretches:
            fine = rising(self.reach, 0, len(self.reach.measure) - 1, np.array([self._at(level)]))
            return ChainSolution.none() if fine[1][0] else None
        arrive, keeps = self._first_arrival(self._at(level))
        if not keeps:
            return None
        least = float(self.least[0](arrive)[0])
        cost, bound, best = np.inf, least, None
        gap = sum(s.before for s in self.stretches) - least
        for most, reach in _TRIES:
            limit = least + reach * gap if np.isfinite(gap) else np.inf
            found, dropped = self._forward(arrive, min(limit, cost) + SAME_COST / 2, most)
            if found is not None and found[0] < cost:
                cost, best = found
                gap = min(gap, cost - least)
            bound = max(bound, min(dropped, limit, cost))
            if not cost - bound > SAME_COST or self.work.spent:
                break
        if best is None:
            return None
        return self._solution(best, float(arrive[0]), min(bound, cost))

    def _forward(
        self, arrive: Array, limit: float, most: int
    ) -> tuple[tuple[float, list[Array]] | None, float]:
        """March the lists through all stretches: the best design, and the least promise dropped."""
        here, dropped = Arrivals(np.zeros(1), arrive), np.inf
        trails: list[tuple[Trail, Array]] = []
        for k, stretch in enumerate(self.stretches):
            trail = stretch.march.run(here, limit, most, self.work.deadline)
            self.work.done += trail.count
            dropped = min(dropped, trail.dropped)
            if not len(trail.cost):
                return None, dropped
            promise, arrive = self._ahead(k, trail.level)
            keep = np.flatnonzero(trail.cost + promise <= limit)
            keep = keep[_none_better(trail.cost[keep], trail.level[keep])]
            if not len(keep):
                return None, dropped
            trails.append((trail, keep))
            here = Arrivals(trail.cost[keep], arrive[keep])
        at = int(np.argmin(here.cost))
        cost, options = float(here.cost[at]), []
        for stretch, (trail, keep) in zip(self.stretches[::-1], trails[::-1], strict=True):
            chosen, at = stretch.march.read(trail, int(keep[at]))
            options.append(chosen)
        return (cost, options[::-1]), dropped

    def _solution(self, options: list[Array], level: float, bound: float) -> ChainSolution:
        """Levels and costs of a design, without the tables of the search."""
        costs, gaps = [], []
        for k, (stretch, chosen) in enumerate(zip(self.stretches, options, strict=True)):
            passed = stretch.march.levels_of(chosen, level)[:1]
            costs.append(design_cost(stretch.problem, chosen))
            ahead, arrive = self._ahead(k, passed)
            least = float(self.least[k](np.array([level]))[0])
            gaps.append(max(costs[-1] + float(ahead[0]) - least, 0.0))
            level = float(arrive[0])
        cost = sum(costs)
        bound = min(bound, cost)
        if cost - bound <= SAME_COST:
            gaps = [0.0] * len(gaps)
        return ChainSolution(options, costs, gaps, cost, bound)


_TRIES = [(w, 1.0) for w in WIDTHS] + [(MOST_LABELS, r) for r in REACH]


def _none_better(cost: Array, level: Array) -> Array:
    """Which have no other that is as cheap and as low."""
    order = np.lexsort((level, cost))
    low = np.r_[np.inf, np.minimum.accumulate(level[order])[:-1]]
    return np.sort(order[level[order] < low - SAME_LEVEL_M])


def lower_hull(x: Array, y: Array) -> list[int]:
    """Corners of the lower convex hull of points with rising x."""
    hull: list[int] = []
    for k in range(len(x)):
        while len(hull) >= 2:
            a, b = hull[-2], hull[-1]
            if (y[b] - y[a]) * (x[k] - x[a]) >= (y[k] - y[a]) * (x[b] - x[a]):
                hull.pop()
            else:
                break
        hull.append(k)
    return hull
