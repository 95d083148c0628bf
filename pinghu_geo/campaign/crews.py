"""What can a group's crews do, and in which order best? Goal after goal, each with its bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pinghu_geo.campaign.network import passes
from pinghu_geo.nouns.errors import OptimiseError

__all__ = ["Goal", "Network", "Solved", "in_turn", "least_extra_crews", "least_in_order"]

Ints = NDArray[np.int64]
NO_NEED = np.int64(-(2**40))


@dataclass(frozen=True, slots=True)
class Network:
    """Activities with links between them and shared resources; times in working days."""

    days: Ints
    before: Ints
    after: Ints
    lag: Ints
    user: Ints  # activity of each request
    resource: Ints  # its resource
    amount: Ints
    capacity: Ints  # of each resource
    need: Ints  # finish that is asked for; NO_NEED where none
    release: Ints
    running: NDArray[np.bool_]  # goes on: starts at its release, whatever else

    def horizon(self) -> int:
        """By then all is over, one after another."""
        return int(self.release.max(initial=0) + self.days.sum() + self.lag.sum() + 1)


@dataclass(frozen=True, slots=True)
class Goal:
    """What is made small: the largest of terms, or their weighted sum."""

    name: str
    kind: str  # "largest_lateness", "lateness", "finish", "together"
    of: Ints  # activities
    weight: Ints
    effort: float = 1.0  # share of the work
    other: Ints | None = None  # the second activity of each pair, for "together"


@dataclass(frozen=True, slots=True)
class Solved:
    """Starts of the activities, and of each goal its value, bound, and whether it is proven."""

    start: Ints
    values: list[int]
    bounds: list[int]
    proven: list[bool]


def in_turn(net: Network) -> Ints:
    """A plan without search: whatever is most urgent starts first, as soon as it can."""
    n = len(net.days)
    urgent = passes(
        net.days, net.before, net.after, net.lag, release=net.release,
        deadline=np.where(net.need > NO_NEED, net.need, np.int64(2**40)),
    )  # fmt: skip
    horizon = net.horizon()
    use = np.zeros((len(net.capacity), horizon + 1), np.int64)
    wants: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for a, r, m in zip(net.user.tolist(), net.resource.tolist(), net.amount.tolist(), strict=True):
        wants[a].append((r, m))
    needs: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    follows: list[list[int]] = [[] for _ in range(n)]
    for a, b, w in zip(net.before.tolist(), net.after.tolist(), net.lag.tolist(), strict=True):
        needs[b].append((a, w))
        follows[a].append(b)
    start = np.full(n, -1, np.int64)
    waiting = np.array([len(x) for x in needs])
    rank = np.lexsort((np.arange(n), urgent.latest)).argsort()
    rank = np.where(net.running, -n + rank, rank)
    ready = {k for k in range(n) if waiting[k] == 0}
    while ready:
        k = min(ready, key=lambda a: rank[a])
        ready.remove(k)
        at = int(max([net.release[k], *(start[a] + net.days[a] + w for a, w in needs[k])]))
        if not net.running[k]:
            at = _first_free(use, net.capacity, wants[k], at, int(net.days[k]))
        start[k] = at
        for r, m in wants[k]:
            use[r, at : at + net.days[k]] += m
        for b in follows[k]:
            waiting[b] -= 1
            if waiting[b] == 0:
                ready.add(b)
    return start


def _first_free(use: Ints, capacity: Ints, wants: list[tuple[int, int]], at: int, days: int) -> int:
    """First day from which every resource has room for so many days."""
    if days == 0:
        return at
    while True:
        for r, m in wants:
            full = np.flatnonzero(use[r, at : at + days] + m > capacity[r])
            if len(full):
                at += int(full[-1]) + 1
                break
        else:
            return at


def least_in_order(
    net: Network,
    goals: Sequence[Goal],
    *,
    work: float,
    best: Ints | None = None,
    held: Sequence[int] = (),
) -> Solved:
    """The least of each goal in turn, none of the earlier ones given up.

    ``work`` bounds the search of each goal in the solver's own unit of work (about a second on a
    usual machine), not in time: the same input gives the same plan. The first goals may be held
    at values already, which ``best`` keeps.
    """
    best = in_turn(net) if best is None else best
    values, bounds, proven = list(held), list(held), [True] * len(held)
    for k in range(len(held), len(goals)):
        value, low = _value(net, goals[k], best), _simple_bound(net, goals[k])
        bound = low
        if value > low and work > 0:
            found = _search(net, goals[: k + 1], values, best, work * goals[k].effort)
            if found is not None and _value(net, goals[k], found[0]) <= value:
                best, bound = found
        value = _value(net, goals[k], best)
        bound = min(max(bound, low), value)
        values.append(value)
        bounds.append(bound)
        proven.append(bound >= value)
    return Solved(best, values, bounds, proven)


def _value(net: Network, goal: Goal, start: Ints) -> int:
    """What a goal comes to under a plan."""
    finish = start + net.days
    of = goal.of
    if goal.other is not None:  # together: all early, neighbours at once
        return int((goal.weight * np.abs(finish[of] - finish[goal.other])).sum() + finish.sum())
    if goal.kind == "finish":
        return int((goal.weight * finish[of]).sum())
    late = np.maximum(finish[of] - net.need[of], 0)
    return int(
        late.max(initial=0) if goal.kind == "largest_lateness" else (goal.weight * late).sum()
    )


def _simple_bound(net: Network, goal: Goal) -> int:
    """What a goal comes to at least, as no activity is earlier than its links allow."""
    early = passes(net.days, net.before, net.after, net.lag, release=net.release).earliest
    if goal.other is not None:
        return int((early + net.days).sum())
    return _value(net, goal, early)


def _search(
    net: Network, goals: Sequence[Goal], held: list[int], hint: Ints, work: float
) -> tuple[Ints, int] | None:
    """A plan that is best in the last goal while the earlier ones keep their values."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    horizon = net.horizon()
    start = _variables(model, net, horizon)
    terms = [_terms(model, net, goal, start, horizon) for goal in goals]
    for term, most in zip(terms[:-1], held, strict=True):
        model.add(term <= most)
    model.minimize(terms[-1])
    for one, at in zip(start, hint.tolist(), strict=True):
        model.add_hint(one, at)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = work
    status = solver.solve(model)
    if status == cp_model.UNKNOWN:
        return None
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):  # the hint is a plan: can't be
        raise OptimiseError(
            f"the solver says {solver.status_name(status)} of what has a plan: {model.validate()}"
        )
    bound = int(np.ceil(solver.best_objective_bound - 1e-6))
    return np.array([solver.value(s) for s in start], np.int64), bound


def _variables(model: Any, net: Network, horizon: int, extra: list[Any] | None = None) -> list[Any]:
    """Starts with links and resources; ``extra`` crews add to the capacities."""
    early = passes(net.days, net.before, net.after, net.lag, release=net.release).earliest
    start = [
        model.new_int_var(int(e), int(e) if r else max(horizon, int(e)), f"s{k}")
        for k, (e, r) in enumerate(zip(early, net.running, strict=True))
    ]
    days = net.days.tolist()
    for a, b, w in zip(net.before.tolist(), net.after.tolist(), net.lag.tolist(), strict=True):
        model.add(start[b] >= start[a] + days[a] + w)
    for r, most in enumerate(net.capacity.tolist()):
        mine = np.flatnonzero((net.resource == r) & (net.days[net.user] > 0))
        users, amounts = net.user[mine], net.amount[mine].tolist()
        if not len(users):
            continue
        spans = [model.new_fixed_size_interval_var(start[a], days[a], f"i{a}_{r}") for a in users]
        over, more = _overload(net, users, most)
        for begin, long in over:
            spans.append(model.new_fixed_size_interval_var(begin, long, f"o{begin}_{r}"))
            amounts.append(1)
        limit = most + more + (0 if extra is None else extra[r])
        if extra is None and most + more >= sum(amounts):
            continue
        if extra is None and limit == 1:
            model.add_no_overlap(spans)
        else:
            model.add_cumulative(spans, amounts, limit)
    return start


def _overload(net: Network, users: Ints, most: int) -> tuple[list[tuple[int, int]], int]:
    """What runs already goes on, even with more crews than there are; they aren't there later."""
    ends = np.sort((net.release + net.days)[users[net.running[users]]])
    more = len(ends) - most
    if more <= 0:
        return [], 0
    far = net.horizon()
    return [(int(e), far - int(e)) for e in ends[:more]], more


def _terms(model: Any, net: Network, goal: Goal, start: list[Any], horizon: int) -> Any:
    """A goal as an expression of the model."""
    days, need = net.days.tolist(), net.need.tolist()
    of, weight = goal.of.tolist(), goal.weight.tolist()
    far = horizon + max(days, default=0) + max([0, *(-v for v in need if v > NO_NEED)]) + 1
    if goal.kind == "finish":
        return sum(w * (start[a] + days[a]) for a, w in zip(of, weight, strict=True))
    if goal.kind == "largest_lateness":
        late = model.new_int_var(0, far, goal.name)
        for a in of:
            model.add(late >= start[a] + days[a] - need[a])
        return late
    parts = []
    others = [None] * len(of) if goal.other is None else goal.other.tolist()
    for k, (a, b) in enumerate(zip(of, others, strict=True)):
        part = model.new_int_var(0, far, f"{goal.name}{k}")
        if b is None:
            model.add(part >= start[a] + days[a] - need[a])
        else:
            apart = start[a] + days[a] - start[b] - days[b]
            model.add(part >= apart)
            model.add(part >= -apart)
        parts.append(part)
    found = sum(w * p for p, w in zip(parts, weight, strict=True))
    return (
        found
        if goal.other is None
        else found + sum(s + d for s, d in zip(start, days, strict=True))
    )


def _most_at_once(net: Network, start: Ints) -> Ints:
    """Most crews of each resource that a plan has at work on one day."""
    found = np.zeros(len(net.capacity), np.int64)
    steps = np.zeros((len(net.capacity), net.horizon() + 2), np.int64)
    begin, end = start[net.user], (start + net.days)[net.user]
    np.add.at(steps, (net.resource, begin), net.amount)
    np.add.at(steps, (net.resource, end), -net.amount)
    np.maximum(found, np.cumsum(steps, axis=1).max(axis=1), out=found)
    return found


def least_extra_crews(net: Network, goal: Goal, most: int, *, work: float) -> tuple[Ints, bool]:
    """Fewest crews more, by resource, with which no activity is later than so; whether proven."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    horizon = net.horizon()
    users = [int(net.amount[net.resource == r].sum()) for r in range(len(net.capacity))]
    extra = [
        model.new_int_var(0, max(u - int(c), 0), f"x{r}")
        for r, (u, c) in enumerate(zip(users, net.capacity, strict=True))
    ]
    start = _variables(model, net, horizon, extra)
    for a in goal.of.tolist():
        model.add(start[a] + int(net.days[a]) <= int(net.need[a]) + most)
    # without any wait for crews all is in time: the most that run at once then is enough
    early = passes(net.days, net.before, net.after, net.lag, release=net.release).earliest
    enough = np.maximum(_most_at_once(net, early) - net.capacity, 0)
    model.add(sum(extra) <= int(enough.sum()))
    for one, at in zip([*start, *extra], [*early.tolist(), *enough.tolist()], strict=True):
        model.add_hint(one, at)
    model.minimize(sum(extra))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = work
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return enough, False
    return np.array([solver.value(x) for x in extra], np.int64), status == cp_model.OPTIMAL
