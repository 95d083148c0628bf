"""Which designs of all stretches of a river are cheapest together? They share the allowed rise.

Between stretches the river stays as approved, so that few numbers pass from one to the next: what
has been paid, and the level of each flood that arrives. Both lists and bounds are built on that.

From the head down each stretch learns what it and all further ones upstream cost at least, as a
function of the level that arrives: straight lines from its own bound, and exact values at a few
levels, which hold for every higher level too, because a higher level never makes anything cheaper.
From the mouth up the lists of (cost, level) are then marched through the stretches, and what
can't beat the best design known with that least is dropped. Where nothing else was dropped, the
design is proven optimal for the whole river; else the least promise dropped is its bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.steady import Model
from pinghu_geo.search.fronts import least_before
from pinghu_geo.search.labels import WIDTHS, Arrivals, March, Trail
from pinghu_geo.search.problem import EXCESS_M, SAME_COST, NodeProblem, design_cost
from pinghu_geo.search.stretch import Reach, stretch_problem, touched_within
from pinghu_geo.search.trials import REACH, Cheapest, Work, cheapest

__all__ = ["Chain", "ChainSolution", "Extent", "across", "lower_hull", "rising"]

# levels at which what lies upstream is asked for what it costs, and the exact values taken
LEVELS = 9
EXACT = 5
# levels below a structure that it is computed for, where more are asked: some millimetres apart
ACROSS = 65
# lists within this level [m] and cost at the end of a stretch are one
SAME_LEVEL_M = 1e-8
# how much lower levels may come out than the lowest of the tables are [m]
TABLE_M = EXCESS_M / 10
# labels kept at a station at most
MOST_LABELS = 60_000
# after a march of so few labels in all, how many of the next limits are passed over
FEW_LABELS, SKIPPED = 5_000, 3


@dataclass(frozen=True, slots=True)
class Extent:
    """Stations from ``first`` to ``last`` where the line may move; both ends as approved."""

    first: int
    last: int
    problem: NodeProblem
    who: Array  # numbers of its buildings in the reach
    before: float  # what the approved line costs here
    base: int  # the option that changes nothing


@dataclass(frozen=True, slots=True)
class Stretch(Extent):
    """An extent with the tables that it is searched by."""

    march: March

    def as_extent(self) -> Extent:
        """Without its tables, which are large."""
        return Extent(*(getattr(self, one.name) for one in fields(Extent)))


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
class _LeastCost:
    """What a stretch and all upstream of it cost at least, by the levels that arrive."""

    march: March | None = None
    exact: list[tuple[Array, float]] = field(default_factory=list)  # (levels, cost), rising
    known: tuple[Array, Cheapest] | None = None  # the design found for the highest levels

    def __call__(self, level: Array) -> Array:
        """For levels (floods, many)."""
        if self.march is None:
            return np.zeros(level.shape[1])
        found = np.asarray(self.march.least(level))
        for at, cost in self.exact:
            above = (level >= at[:, None] - 1e-9).all(axis=0)
            found = np.where(above, np.maximum(found, cost), found)
        return found


def rising(reach: Reach, first: int, last: int, level: Array) -> tuple[Array, Array]:
    """Levels of the approved river at stations ``first`` to ``last``, from some at ``last``.

    ``level`` (floods, cases); levels are (floods, stations, cases); also whether each case keeps
    what is allowed all the way.
    """
    floods, many = level.shape
    found = np.empty((floods, last - first + 1, many))
    found[:, -1] = level
    for own, flood, approved in zip(found, reach.floods, reach.level, strict=True):
        model, low = flood.model, last
        while low > first:
            here = own[low - first]
            if low - 1 in reach.crossed:
                low -= 1
                own[low - first] = across(model, low, here)
                continue
            up = max((i + 1 for i in reach.crossed if i < low), default=first)
            up, stop = max(up, first), low + 1
            near = approved[up:stop, None] + (here - approved[low])
            own[up - first : stop - first] = model.levels_above(
                model.rows[up:stop, 0], model.discharge[up:stop, 0], here, near
            )
            low = up
    return found, _kept(reach, first, found)


def _kept(reach: Reach, first: int, level: Array) -> Array:
    """Which cases of levels (floods, stations, cases) from a station on are allowed all the way."""
    most = reach.most[:, first : first + level.shape[1], None]
    return np.asarray((level <= most + EXCESS_M).all(axis=(0, 1)))


def across(model: Model, i: int, level: Array) -> Array:
    """Levels above a structure from those below it; of many, straight between some."""
    asked = level
    if len(level) > ACROSS and np.ptp(level) > 0:
        asked = np.linspace(level.min(), level.max(), ACROSS)
    found = np.array([one.level for one in model.crossed(i, [0] * len(asked), asked.tolist())])
    return found if asked is level else np.interp(level, asked, found)


class Chain:
    """The stretches of one river from the mouth up, with what each costs at least."""

    def __init__(
        self,
        reach: Reach,
        extents: list[tuple[int, int]],
        limits: Mapping[str, float],
        start: Array,
        *,
        lowest: Array | None = None,
        spare: int | None = None,
        work: Work | None = None,
    ) -> None:
        """Set up for levels (floods,) at the lowest station, or for levels from lowest ones to it.

        ``spare`` is the number of a building that no design may touch.
        """
        self.reach, self.start, self.work = reach, start, work or Work()
        self.stretches: list[Stretch] = []
        self.known_levels: dict[tuple[int, int, bytes], Array] = {}  # between stretches
        low, high = (start if lowest is None else lowest)[:, None], start[:, None]
        at = len(reach.measure) - 1
        # the lowest levels that any design has at each station
        self.lows = reach.level.copy()
        for k, (first, last) in enumerate(extents):
            way = rising(reach, last, at, np.concatenate([low, high], axis=1))[0]
            self.lows[:, last : at + 1] = way[:, :, 0]
            low, high = way[:, 0, :1], way[:, 0, 1:]
            high = np.minimum(high, np.maximum(reach.most[:, [last]] + EXCESS_M, low))
            following = extents[k + 1][1] if k + 1 < len(extents) else 0
            made = self._stretch_of_extent(
                first, last, following, (low[:, 0], high[:, 0]), limits, spare
            )
            self.stretches.append(made)
            self.lows[:, first : last + 1] = made.march.floors
            low = made.march.floors[:, :1]
            high, at = made.march.most[:, :1], first
            if not np.isfinite(low).all():  # nothing arrives: no design keeps what is allowed
                break
        else:
            self.lows[:, : at + 1] = rising(reach, 0, at, low)[0][:, :, 0]
        self.least = [_LeastCost() for _ in range(len(self.stretches) + 1)]
        for k in range(len(self.stretches) - 1, -1, -1):
            self._set_stretch_bound(k)
        # half of the work is left for all stretches together
        self.work.done = min(self.work.done, self.work.most // 2)

    def capped(self, most: Array) -> Chain:
        """The same river with lower levels allowed at some stations.

        Stretches keep their tables; what they cost at least is found anew from those stations down.
        """
        made = copy(self)
        made.reach, made.work = replace(self.reach, most=most), Work(deadline=self.work.deadline)
        made.stretches, made.least = list(self.stretches), list(self.least)
        up = int(np.flatnonzero((most < self.reach.most).any(axis=0)).min(initial=most.shape[1]))
        for k in range(len(self.stretches) - 1, -1, -1):
            one = self.stretches[k]
            if one.last < up:
                continue
            march = copy(one.march)
            march.most = np.minimum(march.most, most[:, one.first : one.last + 1])
            following = self.stretches[k + 1].last if k + 1 < len(self.stretches) else 0
            march.most[:, 0] = made._highest_level(one.first, following, march.most[:, 0])
            made.stretches[k] = replace(one, march=march)
            made._set_stretch_bound(k)
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
                made._set_stretch_bound(k)
        return made

    def levels(self, solution: ChainSolution, level: Array) -> Array:
        """Levels (floods, stations) of a design, for those (floods,) at the lowest.

        Without the search's tables; where nothing was searched the river is as approved.
        """
        found = np.empty_like(self.reach.most)
        at, here = len(self.reach.measure) - 1, level[:, None]
        for stretch, options in zip(self.stretches, solution.options, strict=True):
            way = self._rising(stretch.last, at, here)[0]
            found[:, stretch.last : at + 1] = way[:, :, 0]
            own = stretch.march.levels_of(options, found[:, stretch.last])
            found[:, stretch.first : stretch.last + 1] = own
            at, here = stretch.first, own[:, :1]
        found[:, : at + 1] = self._rising(0, at, here)[0][:, :, 0]
        return found

    def keeps(self, solution: ChainSolution, level: Array) -> bool:
        """Whether a design keeps what is allowed for levels (floods,) at the lowest station."""
        levels = self.levels(solution, level)
        return bool((levels <= self.reach.most).all()) and all(
            stretch.march.calm(options, levels[:, stretch.first : stretch.last + 1])
            for stretch, options in zip(self.stretches, solution.options, strict=True)
        )

    def least_above(self, station: int, level: Array) -> Array:
        """The lowest levels just above a station at which the water stands no lower than some."""
        level = np.maximum(level, self.lows[:, station])
        for one in self.stretches:
            if one.first < station <= one.last:
                above = one.march.least_above(station - 1 - one.first, level)
                return np.maximum(above, self.lows[:, station - 1])
        return self._rising(station - 1, station, level[:, None])[0][:, 0, 0]

    def _rising(self, first: int, last: int, level: Array) -> tuple[Array, Array]:
        """`rising`, computed once for each single level: it is asked for again."""
        if level.shape[1] != 1:
            return rising(self.reach, first, last, level)
        key = first, last, level.tobytes()
        if key not in self.known_levels:
            self.known_levels[key] = rising(self.reach, first, last, level)[0]
        found = self.known_levels[key]
        return found, _kept(self.reach, first, found)

    def _level_or_start(self, level: Array | None) -> Array:
        return self.start if level is None else level

    def _first_arrival(self, level: Array) -> tuple[Array, bool]:
        """Levels (floods, 1) at the lowest stretch for some at the lowest station, and if fine."""
        last, mouth = self.stretches[0].last, len(self.reach.measure) - 1
        levels, fine = self._rising(last, mouth, level[:, None])
        return levels[:, 0], bool(fine[0])

    # --- set-up

    def _stretch_of_extent(
        self,
        first: int,
        last: int,
        following: int,
        arrive: tuple[Array, Array],
        limits: Mapping[str, float],
        spare: int | None,
    ) -> Stretch:
        """One stretch; its uppermost level is low enough for the approved river upstream of it."""
        problem, who = stretch_problem(self.reach, first, last, arrive[1], limits)
        known = np.full((2, last - first + 1), self.reach.options.base)
        before = design_cost(problem, known)
        problem = _with_top(
            problem, self._highest_level(first, following, self.reach.most[:, first])
        )
        if spare is not None and (who == spare).any():
            problem = replace(problem, spare=int(np.flatnonzero(who == spare)[0]))
        march = March(problem, lowest=arrive[0], highest=arrive[1])
        march.near_levels[known.tobytes()] = self.reach.level[:, first : last + 1]
        return Stretch(first, last, problem, who, before, self.reach.options.base, march)

    def _highest_level(self, first: int, following: int, most: Array) -> Array:
        """Highest levels at a station with which the approved river upstream keeps what it may."""
        found = most.copy()
        for f in range(len(most)):
            low, high = float(self.reach.level[f, first]), float(most[f])
            others = self.reach.level[:, first]
            for _ in range(4):
                tried = np.linspace(low, high, LEVELS)
                cases = np.repeat(others[:, None], LEVELS, axis=1)
                cases[f] = tried
                fine = self._rising(following, first, cases)[1]
                if fine.all():
                    low = high
                    break
                k = max(int(np.argmin(fine)), 1)
                low, high = tried[k - 1], tried[k]
            found[f] = min(low, float(most[f]))
        return found

    def _set_stretch_bound(self, k: int) -> None:
        """What stretch k and all upstream of it cost at least: lines, and values at some levels."""
        stretch, march = self.stretches[k], self.stretches[k].march
        march.terminals = [self._terminal_lines(k, f) for f in range(len(self.reach.floods))]
        march.price(stretch.before + 1.0)
        least = self.least[k] = _LeastCost(march)
        if not len(march.start.cost):
            return
        low, high = march.start.level.min(axis=1), march.highest
        # all floods rise together from the lowest levels to the highest
        same = not (high > low).any()
        low = low if same else low - TABLE_M
        at_low = self._cheapest_of_stretch(k, low)
        at_high = at_low if same else self._cheapest_of_stretch(k, high, lower=at_low)
        least.known = high, at_high
        ends = [(0.0, at_low)] if same else [(0.0, at_low), (1.0, at_high)]
        least.exact = [(low + t * (high - low), found.bound) for t, found in ends]
        while 1 < len(ends) < EXACT:
            bounds = [found.bound for _, found in ends]
            # from one level that no design reaches to the next there is no jump
            jumps = [b - a if a < np.inf else 0.0 for a, b in pairwise(bounds)]
            j = int(np.argmax(jumps))
            if not jumps[j] > SAME_COST:
                break
            (below, least_cost), (above, known) = ends[j : j + 2]
            between = (below + above) / 2
            level = low + between * (high - low)
            found = self._cheapest_of_stretch(k, level, known, lower=least_cost)
            ends.insert(j + 1, (between, found))
            least.exact.append((level, found.bound))

    def _terminal_lines(self, k: int, f: int) -> tuple[Array, Array]:
        """Lines below what all upstream of stretch k costs, in the level of a flood it passes."""
        march = self.stretches[k].march
        top = float(march.most[f, 0])
        if k + 1 == len(self.stretches):
            return np.zeros(1), np.zeros(1)
        floors = np.minimum(march.floors[:, 0], march.most[:, 0])
        low = float(floors[f])
        level = np.linspace(low, top, LEVELS if top - low > 1e-6 else 1)
        cases = np.repeat(floors[:, None], len(level), axis=1)
        cases[f] = level
        ends = self._least_cost_upstream(k, cases[:, [0, -1]])[0]
        if ends[0] == ends[1] < np.inf:  # then it costs as much in between
            return ends[:1], np.zeros(1)
        value = self._least_cost_upstream(k, cases)[0]
        value = np.where(np.isfinite(value), value, value[np.isfinite(value)].max(initial=0.0))
        # from one level to the next it costs at least what it costs at the first: the lowest hull
        x, y = level, np.r_[value[0], value[:-1]]
        hull = lower_hull(x, y)
        slope = np.diff(y[hull]) / np.maximum(np.diff(x[hull]), 1e-12)
        height = y[hull][1:] + slope * (top - x[hull][1:])
        keep = (np.diff(x[hull]) > 1e-9) & (slope > 0)
        return np.r_[value[0], height[keep]], np.r_[0.0, slope[keep]]

    def _least_cost_upstream(self, k: int, level: Array) -> tuple[Array, Array]:
        """Least cost upstream of stretch k for levels that it passes on, and where they arrive.

        Both levels are (floods, many).
        """
        first = self.stretches[k].first
        following = self.stretches[k + 1].last if k + 1 < len(self.stretches) else 0
        levels, fine = self._rising(following, first, level)
        arrive = levels[:, 0]
        return np.where(fine, self.least[k + 1](arrive), np.inf), arrive

    def _cheapest_of_stretch(
        self, k: int, level: Array, higher: Cheapest | None = None, *,
        lower: Cheapest | None = None, least: float = -np.inf,
    ) -> Cheapest:  # fmt: skip
        """The cheapest design of stretch k with the least upstream of it for some levels.

        A design for ``higher`` levels serves for lower ones, which cost at least as much as those
        for ``lower`` ones; the design for them may still keep what is allowed. ``least`` is what
        none is known to cost less than.
        """
        march, known = self.stretches[k].march, Cheapest(np.inf, None, least)
        if higher is not None:
            known.cost, known.options = higher.cost, higher.options
        if lower is not None:
            known.bound = max(least, lower.bound)
            cost = self._cost_at(k, lower.options, level)
            if cost < known.cost:
                known.cost, known.options = cost, lower.options
        if known.options is None and march.p.spare is None:
            approved = np.full((2, march.n), self.stretches[k].base)
            known.cost = self._cost_at(k, approved, level)
            known.options = approved if known.cost < np.inf else None
        return cheapest(
            march, level, self.work, most=MOST_LABELS, known=known,
            after=lambda levels: self._least_cost_upstream(k, levels)[0],
        )  # fmt: skip

    def _cost_at(self, k: int, options: Array | None, level: Array) -> float:
        """What a design of stretch k costs with the least upstream of it; infinite: not allowed."""
        march = self.stretches[k].march
        if options is None:
            return float("inf")
        levels = march.levels_of(options, level)
        if (levels > march.most).any() or not march.calm(options, levels):
            return float("inf")
        ahead = self._least_cost_upstream(k, levels[:, :1])[0]
        return design_cost(march.p, options) + float(ahead[0])

    # --- search

    def solve(self, level: Array | None = None, below: float = np.inf) -> ChainSolution | None:
        """The cheapest designs together; None: no design keeps the levels allowed.

        ``level`` (floods,) at the lowest station is one from the lowest to that set up for, which
        it is by default. None, too, where it was proven that no design costs less than ``below``.
        """
        if not self.stretches:
            mouth = len(self.reach.measure) - 1
            fine = self._rising(0, mouth, self._level_or_start(level)[:, None])
            return ChainSolution.none() if fine[1][0] else None
        arrive, keeps = self._first_arrival(self._level_or_start(level))
        if not keeps:
            return None
        least = float(self.least[0](arrive)[0])
        if least >= below - SAME_COST:
            return None
        if len(self.stretches) == 1:
            return self._solved_alone(arrive[:, 0], below)
        cost, bound, best = below, least, None
        gap = min(sum(s.before for s in self.stretches), below) - least
        found = self._one_after_another(arrive[:, 0])
        if found is not None and found[0] < cost:
            cost, best = found
            gap = min(gap, cost - least)
        skip = 0
        for most, reach, wary in self._tries() if cost - least > SAME_COST else ():
            if skip and reach < 1.0:
                skip -= 1
                continue
            done = self.work.done
            limit = least + reach * gap if np.isfinite(gap) else np.inf
            if reach > REACH[0]:
                limit = max(limit, self.work.worth(cost, least))
            # a design that costs as much as the best one is of no use
            found, dropped = self._march_all_stretches(
                arrive, min(limit + SAME_COST / 2, cost - SAME_COST), most, wary
            )
            if found is not None and found[0] < cost:
                cost, best = found
                gap = min(gap, cost - least)
            bound = max(bound, min(dropped, limit, cost))
            if not cost - bound > SAME_COST or self.work.enough(cost, bound):
                break
            few = most == MOST_LABELS and self.work.done - done <= FEW_LABELS
            skip = SKIPPED if few else 0
        if best is None:
            proven = bound >= below - SAME_COST or not np.isfinite(below)
            return None if proven else self.solve(level)
        return self._chain_solution(best, arrive[:, 0], min(bound, cost))

    def _solved_alone(self, arrive: Array, below: float) -> ChainSolution | None:
        """The cheapest design of the only stretch."""
        known = self.least[0].known
        if known is None or not np.array_equal(known[0], arrive):
            least = float(self.least[0](arrive[:, None])[0])
            known = arrive, self._cheapest_of_stretch(0, arrive, least=least)
        best = known[1]
        if best.options is None or best.bound >= below - SAME_COST:
            return None
        return self._chain_solution([best.options], arrive, best.bound)

    def _one_after_another(self, level: Array) -> tuple[float, list[Array]] | None:
        """The cheapest design of each stretch with the least upstream of it, from the mouth up.

        Mostly that is the cheapest one of all, and where lists are long a better one than few
        labels find.
        """
        cost, options = 0.0, []
        for k, stretch in enumerate(self.stretches):
            known = self.least[k].known
            if known is None or not np.array_equal(known[0], level):
                least = float(self.least[k](level[:, None])[0])
                higher = None if known is None else known[1]
                known = level, self._cheapest_of_stretch(k, level, higher, least=least)
            chosen = known[1].options
            if chosen is None:
                return None
            cost += design_cost(stretch.problem, chosen)
            options.append(chosen)
            ahead, arrive = self._least_cost_upstream(
                k, stretch.march.levels_of(chosen, level)[:, :1]
            )
            if not np.isfinite(ahead[0]):
                return None
            level = arrive[:, 0]
        return cost, options

    def _tries(self) -> Iterator[tuple[int, float, int | None]]:
        """How to march: labels kept, how far above the bound, by which of the cautious bounds."""
        yield WIDTHS[-1], 1.0, None
        many = max(len(s.march.cautious) for s in self.stretches)
        yield from ((WIDTHS[-1], 1.0, j) for j in range(many))
        yield from ((MOST_LABELS, reach, None) for reach in REACH)

    def _march_all_stretches(
        self, arrive: Array, limit: float, most: int, wary: int | None
    ) -> tuple[tuple[float, list[Array]] | None, float]:
        """March the lists through all stretches: the best design, and the least promise dropped."""
        here, dropped = Arrivals(np.zeros(1), arrive), np.inf
        trails: list[tuple[Trail, Array]] = []
        for k, stretch in enumerate(self.stretches):
            march = stretch.march
            by = None if wary is None or wary >= len(march.cautious) else march.cautious[wary]
            trail = march.run(here, limit, most, self.work.deadline, wary=by)
            self.work.done += trail.count
            dropped = min(dropped, trail.dropped)
            if not len(trail.cost):
                return None, dropped
            promise, arrive = self._least_cost_upstream(k, trail.level)
            keep = np.flatnonzero(trail.cost + promise <= limit)
            keep = keep[_non_dominated(trail.cost[keep], trail.level[:, keep])]
            if not len(keep):
                return None, dropped
            trails.append((trail, keep))
            here = Arrivals(trail.cost[keep], arrive[:, keep])
        at = int(np.argmin(here.cost))
        cost, options = float(here.cost[at]), []
        for stretch, (trail, keep) in zip(self.stretches[::-1], trails[::-1], strict=True):
            chosen, at = stretch.march.read(trail, int(keep[at]))
            options.append(chosen)
        return (cost, options[::-1]), dropped

    def _chain_solution(self, options: list[Array], level: Array, bound: float) -> ChainSolution:
        """Levels and costs of a design, without the tables of the search."""
        costs, gaps = [], []
        for k, (stretch, chosen) in enumerate(zip(self.stretches, options, strict=True)):
            passed = stretch.march.levels_of(chosen, level)[:, :1]
            costs.append(design_cost(stretch.problem, chosen))
            ahead, arrive = self._least_cost_upstream(k, passed)
            least = float(self.least[k](level[:, None])[0])
            gaps.append(max(costs[-1] + float(ahead[0]) - least, 0.0))
            level = arrive[:, 0]
        cost = sum(costs)
        bound = min(bound, cost)
        if cost - bound <= SAME_COST:
            bound, gaps = cost, [0.0] * len(gaps)
        return ChainSolution(options, costs, gaps, cost, bound)


def _with_top(problem: NodeProblem, most: Array) -> NodeProblem:
    """A stretch with other levels (floods,) allowed at its uppermost station."""
    made = []
    for water, top in zip(problem.waters, most, strict=True):
        level = water.most_level.copy()
        level[0] = top
        made.append(water._replace(most_level=level))
    return replace(problem, most_level=made[0].most_level, others=tuple(made[1:]))


def _non_dominated(cost: Array, level: Array) -> Array:
    """Which have no other that is as cheap and as low in all floods (floods, many).

    Of several floods those are found whose better one is the lowest so far in one of them.
    """
    order = np.lexsort((*level[::-1], cost))
    ranked, place = level[:, order], np.arange(len(order))
    beaten = np.zeros(len(order), bool)
    for own in ranked:
        at = least_before(own, np.zeros(len(order), int), place)
        lower = (ranked[:, np.maximum(at, 0)] <= ranked + SAME_LEVEL_M).all(axis=0)
        beaten |= (at >= 0) & lower
    return np.sort(order[~beaten])


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
