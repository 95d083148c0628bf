"""What can a group's crews do, and in which order best? Goal after goal, each with its bound."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pinghu_geo.campaign.network import NO_NEED, Goal, Network, passes
from pinghu_geo.campaign.prices import priced
from pinghu_geo.nouns.errors import OptimiseError

__all__ = ["Solved", "in_turn", "least_extra_crews", "least_in_order", "least_of_groups"]

Ints = NDArray[np.int64]
PRICE_ROUNDS = 200
TURNS_EVERY = 5  # rounds between two plans that are made of the prices
FIRST_SHARE = 16  # of the work for a first look, which closes most goals without prices
VAIN_TURNS = 8  # so many that gave up an earlier goal, and no more are made


@dataclass(frozen=True, slots=True)
class Solved:
    """Starts of the activities, and of each goal its value, bound, and whether it is proven."""

    start: Ints
    values: list[int]
    bounds: list[int]
    proven: list[bool]


def in_turn(net: Network, urgent: Ints | None = None) -> Ints:
    """A plan without search: whatever is most urgent starts first, as soon as it can.

    What must start earliest is the most urgent, unless the order is given.
    """
    n = len(net.days)
    if urgent is None:
        urgent = passes(
            net.days, net.before, net.after, net.lag, release=net.release,
            deadline=np.where(net.need > NO_NEED, net.need, np.int64(2**40)),
        ).latest  # fmt: skip
    # lists: of some days at a time they are far faster than arrays
    use = [[0] * (net.horizon() + 1) for _ in net.capacity]
    capacity, days, release = net.capacity.tolist(), net.days.tolist(), net.release.tolist()
    wants: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for a, r, m in zip(net.user.tolist(), net.resource.tolist(), net.amount.tolist(), strict=True):
        wants[a].append((r, m))
    needs: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    follows: list[list[int]] = [[] for _ in range(n)]
    for a, b, w in zip(net.before.tolist(), net.after.tolist(), net.lag.tolist(), strict=True):
        needs[b].append((a, w))
        follows[a].append(b)
    start = [-1] * n
    waiting = [len(x) for x in needs]
    place = np.lexsort((np.arange(n), urgent)).argsort()
    rank = np.where(net.running, -n + place, place).tolist()
    running = net.running.tolist()
    ready = [(rank[k], k) for k in range(n) if waiting[k] == 0]
    heapify(ready)
    while ready:
        k = heappop(ready)[1]
        at = max([release[k], *(start[a] + days[a] + w for a, w in needs[k])])
        if not running[k]:
            at = _first_day_with_room(use, capacity, wants[k], at, days[k])
        start[k] = at
        for r, m in wants[k]:
            used = use[r]
            used[at : at + days[k]] = [more + m for more in used[at : at + days[k]]]
        for b in follows[k]:
            waiting[b] -= 1
            if waiting[b] == 0:
                heappush(ready, (rank[b], b))
    return np.array(start, np.int64)


def _first_day_with_room(
    use: list[list[int]], capacity: list[int], wants: list[tuple[int, int]], at: int, days: int
) -> int:
    """First day from which every resource has room for so many days."""
    if days == 0:
        return at
    while True:
        for r, m in wants:
            most, used = capacity[r] - m, use[r][at : at + days]
            if max(used, default=most) > most:
                at += max(k for k, more in enumerate(used) if more > most) + 1
                break
        else:
            return at


def least_in_order(net: Network, goals: Sequence[Goal], *, work: float) -> Solved:
    """The least of each goal in turn, none of the earlier ones given up.

    ``work`` bounds the search of each goal in the solver's own unit of work (about a second on a
    usual machine), not in time: the same input gives the same plan.
    """
    return least_of_groups([(net, goals)], work=work)[0]


def least_of_groups(
    parts: Sequence[tuple[Network, Sequence[Goal]]], *, work: float
) -> list[Solved]:
    """The same of groups that share nothing but their goals, each planned by itself.

    The first goal, where it is a largest lateness, is that of all groups: every group may be as
    late as the latest, and none is searched for less than what the latest can't help. All others
    are sums, and so the sum of what each group can do. ``work`` is for all groups together: what
    one doesn't need is left to the others.
    """
    groups = [_GroupSearch(net, list(goals), in_turn(net)) for net, goals in parts]
    with ThreadPoolExecutor(2) as pool:  # the solver lets the lock go
        for _ in range(max((len(goals) for _, goals in parts), default=0)):
            least, most = _search_groups(groups, pool, work)
            for one in groups:
                one.settle(least, most)
    return [one.solved() for one in groups]


def _search_groups(
    groups: list[_GroupSearch], pool: ThreadPoolExecutor, work: float
) -> tuple[int, int]:
    """Search all groups for their next goal; bound and value of the latest, if they share that.

    A search begins anew each time, so that one with less work than the one before finds nothing
    more: there are two, and between them the prices, which most groups don't need. The largest
    lateness has none, and so the first search for it is long.
    """
    left = work * max((g.goal.effort for g in groups), default=1.0)
    shared = bool(groups) and groups[0].goal.kind == "largest_lateness"
    for spare in (2 if shared else FIRST_SHARE, 1):  # a part of the work, then all that is left
        for one in groups if left > 0 and spare == 1 else ():
            one.price()  # in turn: two threads only wait for the lock
        floor = max(g.low for g in groups) if shared else 0
        open_ = [g for g in groups if g.value > max(g.low, floor)]
        if not open_ or left <= 0:
            break
        share = (left / len(open_) / spare, floor)
        left -= sum(pool.map(_GroupSearch.search, open_, *zip(*[share] * len(open_), strict=True)))
    return (max(g.low for g in groups), max(g.value for g in groups)) if shared else (0, 0)


class _GroupSearch:
    """How far one group's plan is: the goals that are held, and the next one's value and bound."""

    def __init__(self, net: Network, goals: list[Goal], best: Ints) -> None:
        self.net, self.goals, self.best = net, goals, best
        self.held: list[int] = []
        self.bounds: list[int] = []
        level = passes(net.days, net.before, net.after, net.lag).order.argsort()
        back = np.argsort(-level[net.after], kind="stable")
        self._links_back = (net.before[back].tolist(), net.after[back].tolist())
        self._open_next_goal()

    def _open_next_goal(self) -> None:
        """Look at the next goal, if there is one."""
        if len(self.held) < len(self.goals):
            self.goal = self.goals[len(self.held)]
            self.value = _value_of_goal(self.net, self.goal, self.best)
            self.low = min(_bound_by_links(self.net, self.goal), self.value)

    def settle(self, least: int, most: int) -> None:
        """Hold the goal at what it has come to: that of the latest group, where it is shared."""
        shared = self.goal.kind == "largest_lateness"
        self.held.append(most if shared else self.value)
        self.bounds.append(least if shared else self.low)
        self._open_next_goal()

    def solved(self) -> Solved:
        """The plan, with what its goals came to."""
        proven = [low >= value for low, value in zip(self.bounds, self.held, strict=True)]
        return Solved(self.best, self.held, self.bounds, proven)

    def price(self) -> None:
        """A bound by prices, and plans in the orders that the prices lead to."""
        if self.goal.kind == "largest_lateness" or self.value <= self.low:
            return
        asked = self.goals[: len(self.held) + 1]
        rounds = int(PRICE_ROUNDS * max(self.goal.effort, 0.4))
        found = priced(self.net, asked, self.held, self.best, self.value, rounds=rounds)
        in_vain = 0
        for k, (low, starts) in enumerate(found):
            self.low = min(max(self.low, low), self.value)
            if k % TURNS_EVERY == 0 and in_vain < VAIN_TURNS:
                in_vain = 0 if self._take_plan_of_order(starts) else in_vain + 1
            if self.low >= self.value or (2 * k >= rounds and low < self.low):
                return  # proven, or the solver knows more than prices come to

    def _take_plan_of_order(self, starts: Ints) -> bool:
        """Whether an order leads to a plan that keeps the earlier goals; it is taken if better.

        What comes too late for the first goal is moved forward; where that doesn't do, the order
        is drawn towards that of the best plan so far.
        """
        for mix in (0, 2, 3):
            order = 4 * ((4 - mix) * starts + mix * self.best)
            for _ in range(3):
                plan = in_turn(self.net, order)
                if self.take(plan):
                    return True
                late = self._days_too_late(plan)
                if not late.any():
                    return False  # another goal is given up, which no order mends
                order = order - 16 * late
        return False

    def _days_too_late(self, plan: Ints) -> Ints:
        """Days by which each activity's end of all comes later than the first goals allow."""
        late = np.zeros(len(plan), np.int64)
        for goal, most in zip(self.goals, self.held, strict=False):
            if goal.kind == "largest_lateness":
                over = (plan + self.net.days)[goal.of] - self.net.need[goal.of] - most
                np.maximum.at(late, goal.of, over)
        np.maximum(late, 0, out=late)
        for a, b in zip(*self._links_back, strict=True):
            late[a] = max(late[a], late[b])
        return late

    def take(self, plan: Ints) -> bool:
        """Whether a plan gives up none of the earlier goals; it is taken where it is better."""
        value = _value_of_goal(self.net, self.goal, plan)
        kept = all(
            _value_of_goal(self.net, g, plan) <= v
            for g, v in zip(self.goals, self.held, strict=False)
        )
        if kept and value < self.value:
            self.best, self.value = plan, value
        return kept

    def search(self, work: float, floor: int) -> float:
        """The solver's search, below ``floor`` for nothing; the work that it took."""
        asked = self.goals[: len(self.held) + 1]
        least = max(self.low, floor)
        plan, bound, used = _solve_last_goal(self.net, asked, self.held, self.best, least, work)
        if plan is not None:
            self.take(plan)
        self.low = min(max(self.low, bound), self.value)
        return used


def _value_of_goal(net: Network, goal: Goal, start: Ints) -> int:
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


def _bound_by_links(net: Network, goal: Goal) -> int:
    """What a goal comes to at least, as no activity is earlier than its links allow."""
    early = passes(net.days, net.before, net.after, net.lag, release=net.release).earliest
    if goal.other is not None:
        return int((early + net.days).sum())
    return _value_of_goal(net, goal, early)


def _solve_last_goal(
    net: Network, goals: Sequence[Goal], held: list[int], hint: Ints, least: int, work: float
) -> tuple[Ints | None, int, float]:
    """A plan that is best in the last goal while the earlier ones keep their values.

    With its bound, and the work that was done. Less than ``least`` isn't looked for, nor more than
    the plan ``hint`` comes to.
    """
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    horizon = net.horizon()
    start = _start_variables(model, net, horizon)
    terms = [_goal_expression(model, net, goal, start, horizon) for goal in goals]
    for term, most in zip(terms[:-1], held, strict=True):
        model.add(term <= most)
    model.add_linear_constraint(terms[-1], least, _value_of_goal(net, goals[-1], hint))
    model.minimize(terms[-1])
    for one, at in zip(start, hint.tolist(), strict=True):
        model.add_hint(one, at)
    solver = _new_solver(work)
    # tried on 10 and 100 groups: sums are closed as soon without presolve, and that of all
    # finishes is bounded by cuts of crews that can't be in two places
    solver.parameters.cp_model_presolve = goals[-1].kind == "largest_lateness"
    solver.parameters.linearization_level = 2 if goals[-1].kind == "together" else 1
    status = solver.solve(model)
    used = float(solver.response_proto.deterministic_time)
    if status == cp_model.UNKNOWN:
        return None, least, used
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):  # the hint is a plan: can't be
        raise OptimiseError(
            f"the solver says {solver.status_name(status)} of what has a plan: {model.validate()}"
        )
    bound = int(np.ceil(solver.best_objective_bound - 1e-6))
    return np.array([solver.value(s) for s in start], np.int64), max(bound, least), used


def _new_solver(work: float) -> Any:
    """A solver that finds the same on every machine, and leaves Ctrl-C to whoever asked."""
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = work
    # else it ends its search by it, and then gives it back to the system, not to Python
    solver.parameters.catch_sigint_signal = False
    return solver


def _start_variables(
    model: Any, net: Network, horizon: int, extra: list[Any] | None = None
) -> list[Any]:
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
        over, more = _running_over_capacity(net, users, most)
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


def _running_over_capacity(
    net: Network, users: Ints, most: int
) -> tuple[list[tuple[int, int]], int]:
    """What runs already goes on, even with more crews than there are; they aren't there later."""
    ends = np.sort((net.release + net.days)[users[net.running[users]]])
    more = len(ends) - most
    if more <= 0:
        return [], 0
    far = net.horizon()
    return [(int(e), far - int(e)) for e in ends[:more]], more


def _goal_expression(model: Any, net: Network, goal: Goal, start: list[Any], horizon: int) -> Any:
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


def _peak_crews(net: Network, start: Ints) -> Ints:
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
    start = _start_variables(model, net, horizon, extra)
    for a in goal.of.tolist():
        model.add(start[a] + int(net.days[a]) <= int(net.need[a]) + most)
    # without any wait for crews all is in time: the most that run at once then is enough
    early = passes(net.days, net.before, net.after, net.lag, release=net.release).earliest
    enough = np.maximum(_peak_crews(net, early) - net.capacity, 0)
    model.add(sum(extra) <= int(enough.sum()))
    for one, at in zip([*start, *extra], [*early.tolist(), *enough.tolist()], strict=True):
        model.add_hint(one, at)
    model.minimize(sum(extra))
    solver = _new_solver(work)
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return enough, False
    return np.array([solver.value(x) for x in extra], np.int64), status == cp_model.OPTIMAL
