"""Which design of one stretch is cheapest? Quick marches first, then limits that rise.

A limit is refuted where a march that keeps everything below it arrives nowhere: no design costs
less. Before each the stretch is narrowed to what designs below the limit can take, so that bounds
lie close, few labels are made, and a quick march mostly finds the best of them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, repeat

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.search.bounds import Sheaf
from pinghu_geo.search.labels import WIDTHS, Arrivals, March, Trail
from pinghu_geo.search.problem import SAME_COST, NodeProblem, design_cost, levels_of

__all__ = ["MANY_STEPS", "REACH", "Cheapest", "NodeSolution", "Work", "cheapest", "solve_node"]

# how far limits lie above the bound, as shares of the gap to the best design known
REACH = (0.07, 0.14, 0.22, 0.31, 0.41, 0.52, 0.64, 0.78, 1.0)
# how many times as many labels the next limit is to keep, where it can be told
TIMES = 2.5
# how many times as many are worth the limit that ends the search
FAR = 12.0
# from how many steps on a stretch is narrowed; how few steps have to be left to do it again
MANY_STEPS = 100_000
LEFT = 0.2
# labels kept at a station to look for designs then
PROBES, MANY_LABELS = (300, 1500), 100_000
# ... and before, so that limits rise to what is nearly the best design at once
WIDE_PROBE = 600
# the gap, as a share of the cost, below which the limit is the best design known
NEAR = 0.1
# how far above the bound a limit may lie, as a share of it; twice that after one that few labels
# refute
STEP = 0.013
# the share of the bound by which labels may differ that stand for one another in a stretch of many
# steps: walls that change here or there make thousands that differ by some yuan and hundredths of a
# millimetre. How many times as many there are to be without it
GRAIN = 2e-4
# ... and in marches that only look for designs, so that the few labels kept are unlike
WIDE_GRAIN, WIDEST_GRAIN = 0.1, 0.5
UNGRAINED = 5
# labels made at most in a search of one river; and once no design can be this share cheaper
MOST_WORK = 3_000_000
SMALL_GAP, SMALL_GAP_WORK = 0.01, 600_000
# how much cheaper than the best design a bound may be for the limit to close the gap at once
CLOSE_GAP = 0.05


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

    def enough(self, cost: float, bound: float) -> bool:
        """Whether no more is to be done with a gap between cost and bound."""
        small = cost - bound <= SMALL_GAP * abs(cost) < np.inf
        return self.spent or (small and self.done > min(SMALL_GAP_WORK, self.most))

    def worth(self, cost: float, bound: float) -> float:
        """The limit that leaves a gap small enough, where it is near: lower ones are of no use."""
        near = cost - bound <= CLOSE_GAP * abs(cost) < np.inf
        ends = near and self.done > min(SMALL_GAP_WORK, self.most)
        return (1 - SMALL_GAP) * cost + SAME_COST if ends else -np.inf


@dataclass(slots=True)
class Cheapest:
    """The cheapest design known of a stretch, and what none can cost less than."""

    cost: float
    options: Array | None
    bound: float = -np.inf
    count: int = 0

    @property
    def gap(self) -> float:
        """What the design may cost too much."""
        return self.cost - self.bound


@dataclass(slots=True)
class _Search:
    """One search: the stretch, what arrives, what lies upstream."""

    march: March
    level: Array
    after: Callable[[Array], Array]
    most: int
    work: Work
    enough: float
    best: Cheapest
    narrow: list[tuple[float, March]] = field(default_factory=list)
    marched: list[tuple[float, int]] = field(default_factory=list)
    step: float = STEP

    @property
    def here(self) -> Arrivals:
        return Arrivals(np.zeros(1), self.level[:, None])

    @property
    def over(self) -> bool:
        """Whether the gap is small enough, or no more work is to be done."""
        best = self.best
        small = max(SAME_COST, self.enough * best.cost) if np.isfinite(best.cost) else SAME_COST
        # without a known design the first full march settles it: both may be infinite
        return not best.gap > small or self.work.enough(best.cost, best.bound)

    def grain(self, share: float = GRAIN) -> float:
        """Cost within which labels at a station stand for one another [yuan]."""
        some = self.march.many_steps >= MANY_STEPS and np.isfinite(self.best.bound)
        return share * max(self.best.bound, 0.0) / self.march.n if some else 0.0

    def run(
        self, march: March, limit: float, most: int, wary: Sheaf | None = None, grain: float = 0.0
    ) -> Trail:
        """March once; designs found and bounds proven are kept."""
        best, loss = self.best, grain * march.n
        # bounds may have become better
        best.bound = max(
            best.bound, min(float(march.least(self.level[:, None])[0]), limit, best.cost)
        )
        trail = march.run(
            self.here, limit - SAME_COST, most, self.work.deadline, wary=wary, grain=grain
        )
        self.work.done += trail.count
        best.count += trail.count
        dropped = min(trail.dropped, limit)
        if len(trail.cost):
            total = trail.cost + self.after(trail.level)
            at = int(np.argmin(total))
            if total[at] < best.cost:
                best.cost, best.options = float(total[at]), march.read(trail, at)[0]
        best.bound = max(best.bound, min(dropped, best.cost) - loss)
        return trail

    def quick(self) -> None:
        """A few labels at a station, which finds designs; then better bounds, and the same."""
        for width in WIDTHS:
            if width < self.most and not self.over:
                self.run(self.march, self.best.cost, width)
        if self.over:
            return
        if not self.march.cautious:
            self.march.ascend(self.level)
        before = self.best.cost
        for sheaf in self.march.cautious:
            # where others look for designs, too, the first one is enough
            known = self.best.cost < before and self.march.many_steps >= MANY_STEPS
            if WIDTHS[-1] < self.most and not self.over and not known:
                self.run(self.march, self.best.cost, WIDTHS[-1], sheaf, self.grain(WIDE_GRAIN))
        if self.march.many_steps >= MANY_STEPS and self.march.cautious:
            for share in (WIDEST_GRAIN, WIDE_GRAIN):
                if self.best.gap > 2 * SMALL_GAP * self.best.cost and not self.over:
                    cautious, grain = self.march.cautious[0], self.grain(share)
                    self.run(self.march, self.best.cost, WIDE_PROBE, cautious, grain)

    def rise(self) -> None:
        """Limits that rise, until the gap is small enough or all has been kept."""
        gap, best, cut = np.inf, self.best, 0
        for reach in chain(REACH, repeat(1.0)):
            gap = min(gap, best.gap)
            limit = self._next_limit(gap, reach)
            march = self._narrowed(limit)
            if march is not self.march:
                least = float(march.least(self.level[:, None])[0])
                best.bound = max(best.bound, min(least, limit))
                self.step *= 2
                # else the design is good enough, or has been looked for as far
                if best.gap > 2 * SMALL_GAP * best.cost and limit < best.cost:
                    self._probe(march, limit)
                if best.cost < limit:  # a limit above the best design known is of no use
                    if self.over:
                        return
                    limit = max(self._last_limit(), best.bound)
                    march = self._narrowed(limit)
            grain = self.grain()
            if best.bound < limit:
                trail = self.run(march, limit, self.most, grain=grain)
                self.marched.append((limit, trail.count))
                self.step = STEP if trail.count >= MANY_LABELS else self.step
                # lists cut short twice won't prove more
                cut += best.bound < min(limit, best.cost) - grain * march.n - SAME_COST
            if cut > 1 or self.over or limit >= best.cost or self._late():
                break
        if not cut and self.marched:
            self._settle()

    def _settle(self) -> None:
        """What the grain leaves open: all is kept once more, where that is little work."""
        work = self.work
        ahead = UNGRAINED * self.marched[-1][1] + work.done
        if not (self.over or self._late()) and ahead <= min(SMALL_GAP_WORK, work.most):
            self.run(self._narrowed(self.best.cost), self.best.cost, self.most)

    def _probe(self, march: March, limit: float) -> None:
        """Look for designs below a limit with few labels, and with more where many are made."""
        count = MANY_LABELS
        for width in PROBES:
            if (
                self.best.bound < limit <= self.best.cost
                and width < self.most
                and count >= MANY_LABELS
            ):
                grain = self.grain(WIDE_GRAIN)
                count = self.run(march, limit, width, march.sheaves[-1], grain).count

    def _late(self) -> bool:
        return self.work.deadline < np.inf and time.monotonic() > self.work.deadline

    def _last_limit(self) -> float:
        """Where nothing below it arrives, the gap is small enough."""
        more = SAME_COST + self.grain() * self.march.n if self.enough else 0.0
        return (1 - self.enough) * self.best.cost + more

    def _next_limit(self, gap: float, reach: float) -> float:
        best = self.best
        if not np.isfinite(best.cost):
            return best.cost
        limit = self._expected(best.bound + reach * gap, TIMES)
        if best.bound > 0 and self.march.many_steps >= MANY_STEPS:
            if best.gap <= NEAR * best.cost:
                return self._last_limit()
            if len(self.marched) < 2:
                limit = min(limit, (1 + self.step) * best.bound)
        limit = min(limit, best.cost)
        last = self._last_limit()
        near = best.gap <= 4 * self.enough * best.cost
        if near and (len(self.marched) < 2 or last <= self._expected(limit, FAR)):
            limit = last
        return min(limit, last) if limit > best.bound else last

    def _expected(self, limit: float, times: float) -> float:
        """A limit with which some times as many labels are kept as with the last, by both last."""
        if len(self.marched) < 2:
            return limit
        (low, few), (high, many) = self.marched[-2:]
        if not (high > low and many > few > 0):
            return limit
        return high + float(np.log(times) * (high - low) / np.log(many / few))

    def _narrowed(self, limit: float) -> March:
        """The stretch for designs below a limit, from the narrowest that is known to hold them."""
        if not np.isfinite(limit) or self.march.many_steps < MANY_STEPS:
            return self.march
        known = [one for one in self.narrow if one[0] >= limit]
        at, march = min(known, key=lambda one: one[0], default=(np.inf, self.march))
        if at > limit:
            left = 0.0
            while left < LEFT:
                before, march = march.many_steps, march.narrowed(self.here, limit)
                march.ascend(self.level)
                least = float(march.least(self.level[:, None])[0])
                left = 1.0 if least >= limit else march.many_steps / max(before, 1)
            self.narrow.append((limit, march))
        return march


@dataclass(frozen=True, slots=True)
class NodeSolution:
    """Options (2, stations), levels, cost; proven if no list was cut short."""

    options: Array
    levels: Array  # of the first flood
    cost: float
    bound: float
    n_labels: int

    @property
    def proven(self) -> bool:
        """Whether no other choice of options can be cheaper."""
        return self.cost - self.bound <= SAME_COST


def cheapest(
    march: March,
    level: Array,
    work: Work,
    *,
    after: Callable[[Array], Array] | None = None,
    known: Cheapest | None = None,
    most: int = 200_000,
    enough: float = 0.0,
) -> Cheapest:
    """The cheapest design of a stretch for levels (floods,) that arrive.

    ``after`` is what lies upstream costs for levels (floods, many) passed on; ``known`` a design
    to begin with; ``most`` labels are kept at a station; ``enough`` is the gap, as a share of the
    cost, that ends it.
    """
    best = known or Cheapest(np.inf, None)
    # what is known before anything is marched
    best.bound = max(best.bound, min(float(march.least(level[:, None])[0]), best.cost))
    nothing: Callable[[Array], Array] = after or (lambda levels: np.zeros(levels.shape[1]))
    search = _Search(march, level, nothing, most, work, enough, best)
    search.quick()
    if not search.over:
        search.rise()
    return best


def solve_node(
    problem: NodeProblem,
    *,
    known: Array | None = None,
    most_labels: int = 200_000,
    seconds: float = 60.0,
    enough: float = 0.0,
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
    enough
        Gap, as a share of the cost, that is small enough to end.
    """
    march = March(problem)
    level = np.array([w.downstream_level for w in problem.waters])
    first = Cheapest(np.inf if known is None else design_cost(problem, known), known)
    march.price(first.cost)
    work = Work(most=sys.maxsize, deadline=time.monotonic() + seconds)
    best = cheapest(march, level, work, known=first, most=most_labels, enough=enough)
    if best.options is None:
        return None
    levels = levels_of(problem, best.options, level)[0]
    return NodeSolution(best.options, levels, best.cost, best.bound, best.count)
