"""Which designs of rivers that join are cheapest together? They share the level where they meet.

A river brings a level to each one that joins it, and a higher level never makes anything cheaper.
So the cheapest designs together are found by branching on that level: a cap on it makes the main
river dearer, a floor under it the other one. A box of caps and floors costs at least what the main
river costs with those caps, and what each other costs for the floors; a box is cut where the cost
of a river that joins jumps, until no box promises less than the best designs found.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.search.joint import Chain, ChainSolution
from pinghu_geo.search.problem import EXCESS_M, SAME_COST
from pinghu_geo.search.stretch import Reach
from pinghu_geo.search.trials import Work

__all__ = ["Basin", "BasinSolution", "Inflow", "Solved"]

# designs of a main river that are searched at most
MOST_MAINS = 40
# halvings to find where a cost jumps, and how closely that matters [m]
JUMP_STEPS = 2
JUMP_M = 1e-5
# how far below the level of a design a cap shuts it out: more than levels may exceed a cap [m]
SHUT_OUT_M = 2 * EXCESS_M


class Inflow(NamedTuple):
    """A basin that joins a river between two of its stations."""

    basin: Basin
    below: int  # the station of the main river just below the confluence
    share: float  # of its level in the level that is brought; the rest is the station's above it

    def level(self, levels: Array) -> Array:
        """Levels (floods,) at the confluence, of the main river's (floods, stations)."""
        above = levels[:, self.below - 1] if self.share < 1 else 0.0
        found: Array = self.share * levels[:, self.below] + (1 - self.share) * above
        return found


class Solved(NamedTuple):
    """One river of a basin: what was searched, at which level, and what was found."""

    chain: Chain
    solution: ChainSolution
    level: Array  # (floods,) at its mouth


@dataclass(frozen=True, slots=True)
class BasinSolution:
    """The cheapest designs of a basin's rivers together; proven if cost and bound are one."""

    rivers: dict[str, Solved]
    cost: float
    bound: float


class _LevelBox(NamedTuple):
    """Levels that a main river may have just below and just above each confluence."""

    bound: float
    order: int  # of two with the same bound the earlier goes first
    floors: tuple[float, ...]
    caps: tuple[float, ...]


@dataclass(slots=True)
class Basin:
    """A river, and the basins that join it."""

    reach: Reach
    extents: list[tuple[int, int]]
    limits: Mapping[str, float]
    lowest: Array  # levels (floods,) that may stand at its mouth
    highest: Array
    spare: int | None
    deadline: float
    inflows: list[Inflow] = field(default_factory=list)
    free: Chain | None = None
    chains: dict[tuple[float, ...], Chain] = field(default_factory=dict)
    mains: dict[tuple[float, ...], Solved | None] = field(default_factory=dict)
    refuted: dict[tuple[float, ...], float] = field(default_factory=dict)
    solved: dict[tuple[float, ...], BasinSolution | None] = field(default_factory=dict)

    def chain(self, caps: tuple[float, ...] | None = None) -> Chain:
        """The river's stretches, perhaps with levels capped beside each confluence."""
        if self.free is None:
            self.free = Chain(
                self.reach, self.extents, self.limits, self.highest,
                lowest=self.lowest, spare=self.spare, work=Work(deadline=self.deadline),
            )  # fmt: skip
        if not caps or caps == self.uncapped:
            return self.free
        if caps not in self.chains:
            most = self.reach.most.copy()
            for own, cap in zip(most, self._by_flood(caps), strict=True):
                np.minimum.at(own, self.gates, cap)
            self.chains[caps] = self.free.capped(most)
        return self.chains[caps]

    def retouch(self, reaches: Mapping[str, Reach]) -> None:
        """Let other options touch the buildings of some rivers."""
        for one in self.inflows:
            one.basin.retouch(reaches)
        self.solved.clear()
        if self.reach.name in reaches:
            self.reach = reaches[self.reach.name]
            self.free = self.chain().retouched(self.reach)
            self.chains.clear()
            self.mains.clear()
            self.refuted.clear()

    @property
    def gates(self) -> list[int]:
        """Stations just below and just above each confluence, in turn.

        Caps and floors are of all gates, flood after flood.
        """
        return [i for one in self.inflows for i in (one.below, one.below - 1)]

    def _by_flood(self, values: Sequence[float]) -> Array:
        """Caps or floors as (floods, gates)."""
        return np.reshape(values, (len(self.reach.most), -1))

    @property
    def uncapped(self) -> tuple[float, ...]:
        """Caps that bind nowhere."""
        return tuple(self.reach.most[:, self.gates].ravel().tolist())

    def solve(self, level: Array) -> BasinSolution | None:
        """The cheapest designs for levels (floods,) at the mouth; None: nothing keeps them."""
        key = tuple(level.tolist())
        if key not in self.solved:
            self.solved[key] = (
                self._branch_on_levels(level)
                if self.inflows
                else self._solution_without_inflows(level)
            )
        return self.solved[key]

    def _solution_without_inflows(self, level: Array) -> BasinSolution | None:
        main = self._known_for(level) or self._solved_main_river(level, ())
        if main is None:
            return None
        return BasinSolution({self.reach.name: main}, main.solution.cost, main.solution.bound)

    def _known_for(self, level: Array) -> Solved | None:
        """A design proven for another level that is as good for this one; None: none is known.

        It costs no less for a higher level: what was proven for a lower one is proven here, where
        that design still keeps what is allowed, or one for a higher level costs no more and isn't
        too fast here.
        """
        proven = [
            one for one in self.mains.values()
            if one is not None and one.solution.proven and one.chain is self.free
        ]  # fmt: skip
        lower = [one for one in proven if (one.level <= level).all()]
        if not lower:
            return None
        least = max(one.solution.cost for one in lower) + SAME_COST
        higher = [one for one in proven if (one.level >= level).all()]
        nearest = max(lower, key=lambda one: (one.solution.cost, *one.level))
        asked = next((one for one in higher if one.solution.cost <= least), nearest)
        return asked._replace(level=level) if asked.chain.keeps(asked.solution, level) else None

    def _solved_main_river(
        self, level: Array, caps: tuple[float, ...], below: float = np.inf
    ) -> Solved | None:
        """The river by itself, with caps; None: nothing keeps them that costs less than a sum."""
        key = (*level.tolist(), *caps)
        if self.mains.get(key) is None and below > self.refuted.get(key, -np.inf):
            chain = self.chain(caps)
            found = chain.solve(level, below)
            self.mains[key] = None if found is None else Solved(chain, found, level)
            self.refuted[key] = below
        return self.mains[key]

    def _branch_on_levels(self, level: Array) -> BasinSolution | None:
        """Boxes of levels at the confluences, the one that promises least first."""
        free = self.chain()
        floors = tuple(free.lows[:, self.gates].ravel().tolist())
        best: BasinSolution | None = None
        # boxes that can't be cut, though what they promise isn't reached
        rest, heap, count = np.inf, list[_LevelBox](), 0

        def add(floors: tuple[float, ...], caps: tuple[float, ...], promised: float) -> None:
            nonlocal count, rest
            inflow = sum(self._least_inflow_cost(k, floors) for k in range(len(self.inflows)))
            if not np.isfinite(inflow):
                return
            # what costs as much as the best design is of no interest
            below = np.inf if best is None else best.cost - inflow
            main = self._solved_main_river(level, caps, below)
            if main is not None:
                bound = main.solution.bound + inflow
                count += 1
                if np.isfinite(bound):
                    heapq.heappush(heap, _LevelBox(bound, count, floors, caps))
            elif self.chain(caps).work.spent:  # nothing was found, and nothing proven
                rest = min(rest, promised)

        add(floors, self.uncapped, -np.inf)
        while heap:
            box = heapq.heappop(heap)
            if best is not None and box.bound >= best.cost - SAME_COST:
                heapq.heappush(heap, box)
                break
            main = self._solved_main_river(level, box.caps)
            if main is None:
                continue
            found = self._solution_with_inflows(main)
            if found is not None and (best is None or found.cost < best.cost):
                best = found
            cut = self._branching_gate(box, main) if len(self.mains) < MOST_MAINS else None
            if cut is None:
                rest = min(rest, box.bound)
                continue
            k, at = cut
            add(box.floors, (*box.caps[:k], at, *box.caps[k + 1 :]), box.bound)
            add((*box.floors[:k], at, *box.floors[k + 1 :]), box.caps, box.bound)
        if best is None:
            return None
        least = min([rest, best.cost, *(box.bound for box in heap)])
        return replace(best, bound=least)

    def _solution_with_inflows(self, main: Solved) -> BasinSolution | None:
        """A design of the river with the cheapest ones for the levels that it brings."""
        levels = main.chain.levels(main.solution, main.level)
        rivers, cost, bound = {self.reach.name: main}, main.solution.cost, main.solution.bound
        for one in self.inflows:
            found = one.basin.solve(one.level(levels))
            if found is None:
                return None
            rivers |= found.rivers
            cost, bound = cost + found.cost, bound + found.bound
        return BasinSolution(rivers, cost, bound)

    def _least_inflow_cost(self, k: int, floors: tuple[float, ...]) -> float:
        """What a basin costs at least where the water stands no lower beside it than floors."""
        one = self.inflows[k]
        below, above = self._by_flood(floors)[:, 2 * k : 2 * k + 2].T
        level = below
        if one.share < 1:
            above = np.maximum(above, self.chain().least_above(one.below, below))
            level = one.share * below + (1 - one.share) * above
        found = one.basin.solve(np.minimum(np.maximum(level, one.basin.lowest), one.basin.highest))
        return np.inf if found is None else found.bound

    def _branching_gate(self, box: _LevelBox, main: Solved) -> tuple[int, float] | None:
        """The gate at which a box is to be cut, and the level there; None: nothing is gained.

        It is the last jump of the cost that grows most within the box. Below it the main river has
        to be a cheaper one to matter: most boxes end there.
        """
        levels = main.chain.levels(main.solution, main.level)[:, self.gates].ravel()
        most, count = len(self.inflows), 2 * len(self.inflows)

        def brought(k: int, gates: list[int], at: Array) -> float:
            floors = np.array(box.floors)
            floors[gates] = at
            return self._least_inflow_cost(k, tuple(floors.tolist()))

        def own(k: int) -> list[int]:
            """The gates of a confluence in all floods."""
            firsts = range(0, len(levels), count)
            return [first + 2 * k + j for first in firsts for j in (0, 1)]

        low = [self._least_inflow_cost(k, box.floors) for k in range(most)]
        high = [brought(k, own(k), levels[own(k)]) for k in range(most)]
        k = int(np.argmax(np.subtract(high, np.minimum(low, np.finfo(float).max))))
        if not high[k] - low[k] > SAME_COST:
            return None
        # one gate alone may make the difference; else the box is halved where it is higher
        for gate in own(k):
            top = brought(k, [gate], levels[[gate]])
            if top - low[k] > SAME_COST:
                value = top - SAME_COST if np.isfinite(top) else top
                at = _place_of_jump(
                    lambda y, gate=gate: brought(k, [gate], np.array([y])),  # type: ignore[misc]
                    box.floors[gate], float(levels[gate]), value,
                )  # fmt: skip
                break
        else:
            gate = own(k)[int(np.argmax((levels - box.floors)[own(k)]))]
            at = float(levels[gate] + box.floors[gate]) / 2
        # with a cap at its own level the same design would be found again, and again
        at = min(at, float(levels[gate]) - SHUT_OUT_M)
        return (gate, at) if at > box.floors[gate] else None


def _place_of_jump(f: Callable[[float], float], low: float, high: float, value: float) -> float:
    """Where a growing function reaches a value that it has at the upper end: not long before.

    Roughly, unless that is close to the upper end.
    """
    top, steps = high, 0
    while high - low > JUMP_M and (steps < JUMP_STEPS or high == top):
        middle = (low + high) / 2
        low, high = (low, middle) if f(middle) >= value else (middle, high)
        steps += 1
    return high
