"""What does a goal come to at least? Crews at prices by the day, and each node plans alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pinghu_geo.campaign.network import Goal, Network, passes

__all__ = ["priced"]

Ints = NDArray[np.int64]
# prices are whole 256ths, so that every machine finds the same bound
PARTS = 256
NEVER = np.int64(2**50)
HALVINGS = 9  # of the steps: then prices hardly move


class _Level(NamedTuple):
    """Activities that none of the same turn waits for; and those of them with a successor."""

    rows: slice
    inner: Ints
    after: Ints  # of each inner one its successor
    back: Ints  # of each inner one and day of the successor, its last day to begin, as a flat place


@dataclass(frozen=True, slots=True)
class _RelaxedNetwork:
    """Free activities on a grid of days, each before one other: a relaxed network.

    They stand by their way to the start, so that those of a turn are one block.
    """

    free: Ints
    levels: list[_Level]
    last: NDArray[np.bool_]  # has no successor
    cost: Ints  # of each and day on which it begins; NEVER where it can't
    user: Ints  # place of the activity of each request, ascending
    resource: Ints
    amount: Ints
    end: Ints  # of each request and day, the day behind its last one, as a flat place by resource
    capacity: Ints  # by resource and day, without what is fixed
    constant: int


def priced(
    net: Network, goals: list[Goal], held: list[int], best: Ints, value: int, *, rounds: int
) -> Iterator[tuple[int, Ints]]:
    """Ever better bounds on the last goal, each with the starts that its prices lead to.

    Lagrange's relaxation of the capacities (Fisher, 1981): with a price for each resource and day,
    every node is planned by itself, exactly, and what it costs in sum, less the worth of all
    capacity, is never more than the least of the goal. Prices rise where the nodes want more than
    there is. The earlier goals are kept as far as single activities know of them; where an
    activity is before several others, only the nearest counts. Both only lower the bound.
    """
    net_trees = _relaxed_network(net, goals, held, int((best + net.days).max(initial=0)))
    if net_trees is None:
        return
    price = np.zeros(net_trees.capacity.shape, np.int64)
    top, low, stale, halvings = value * PARTS, None, 0, 0
    starts = best.copy()
    origin = _first_grid_day(net, net_trees.free)
    for _ in range(rounds):
        worth, at = _least_priced_starts(net_trees, price)
        if low is None or worth > low:
            low, stale = worth, 0
        else:
            stale += 1
            if stale == 8:
                stale, halvings = 0, halvings + 1
                if halvings == HALVINGS:
                    return
        starts[net_trees.free] = at + origin
        yield -(-low // PARTS), starts.copy()
        over = _wanted_crews(net_trees, at) - net_trees.capacity
        over[(over < 0) & (price == 0)] = 0
        size = int((over.astype(np.int64) ** 2).sum())
        if size == 0 or low >= top - PARTS + 1:
            return
        step = max((3 * (top - worth) >> (halvings + 1)) // size, 1)
        price = np.maximum(price + step * over, 0)


def _first_grid_day(net: Network, free: Ints) -> int:
    """The first day of the grid."""
    early = passes(net.days, net.before, net.after, net.lag, release=net.release).earliest
    return int(early[free].min())


def _relaxed_network(
    net: Network, goals: list[Goal], held: list[int], far: int
) -> _RelaxedNetwork | None:
    """The relaxed network, on days up to ``far``: whatever begins later costs no less."""
    found = passes(net.days, net.before, net.after, net.lag, release=net.release)
    early = found.earliest
    free = np.flatnonzero(~net.running)
    if not len(free):
        return None
    origin = int(early[free].min())
    many = max(far - origin, 1) + 1
    day = np.arange(many)
    place = np.full(len(net.days), -1, np.int64)
    place[free] = np.arange(len(free))
    rank = np.empty(len(net.days), np.int64)
    rank[found.order] = np.arange(len(net.days))
    after, wait = _nearest_successors(net, place, rank)
    turn = _turns_of_activities(after)
    order = np.argsort(turn, kind="stable")
    free, wait, turn = free[order], wait[order], turn[order]
    after = np.where(after < 0, -1, order.argsort()[after])[order]
    place[free] = np.arange(len(free))
    back = np.clip(day[None, :] - (net.days[free] + wait)[:, None], 0, many - 1)
    back[:, -1] = many - 1  # the last day stands for all that follow
    cost, constant = _costs_by_start_day(net, goals, held, early, origin, many)
    mine = np.flatnonzero((place[net.user] >= 0) & (net.days[net.user] > 0))
    mine = mine[np.argsort(place[net.user[mine]], kind="stable")]
    user = place[net.user[mine]]
    end = np.minimum(day[None, :] + net.days[free][user][:, None], many - 1)
    return _RelaxedNetwork(
        free,
        _levels_of_turns(turn, after, back + many * np.arange(len(free))[:, None]),
        after < 0,
        cost[free],
        user,
        net.resource[mine],
        net.amount[mine],
        end + many * net.resource[mine][:, None],
        _free_crews(net, origin, many - 1),
        constant,
    )


def _nearest_successors(net: Network, place: Ints, rank: Ints) -> tuple[Ints, Ints]:
    """Of each free activity the first one behind it, and the wait between; -1 where none is."""
    n = int((place >= 0).sum())
    after, wait = np.full(n, -1, np.int64), np.zeros(n, np.int64)
    link = np.flatnonzero((place[net.before] >= 0) & (place[net.after] >= 0))
    order = np.lexsort((-net.lag[link], rank[net.after[link]], place[net.before[link]]))
    link = link[order]
    before, first = np.unique(place[net.before[link]], return_index=True)
    after[before] = place[net.after[link[first]]]
    wait[before] = net.lag[link[first]]
    return after, wait


def _turns_of_activities(after: Ints) -> Ints:
    """A turn for each activity: all before it are in turns before its own."""
    level = np.zeros(len(after), np.int64)
    inner = np.flatnonzero(after >= 0)
    while True:
        new = level.copy()
        np.maximum.at(new, after[inner], level[inner] + 1)
        if (new == level).all():
            return level
        level = new


def _levels_of_turns(turn: Ints, after: Ints, back: Ints) -> list[_Level]:
    """Levels of activities in the order of their turns."""
    levels = []
    for k in range(int(turn[-1]) + 1):
        rows = slice(*np.searchsorted(turn, (k, k + 1)).tolist())
        inner = rows.start + np.flatnonzero(after[rows] >= 0)
        levels.append(_Level(rows, inner, after[inner], back[inner]))
    return levels


def _costs_by_start_day(
    net: Network, goals: list[Goal], held: list[int], early: Ints, origin: int, many: int
) -> tuple[Ints, int]:
    """What each activity adds to the last goal by the day on which it begins, in parts."""
    n, goal = len(net.days), goals[-1]
    day = origin + np.arange(many)
    cost = np.zeros((n, many), np.int64)
    finish = day[None, :] + net.days[:, None]
    if goal.other is not None:
        cost += finish
    elif goal.kind == "finish":
        np.add.at(cost, goal.of, goal.weight[:, None] * finish[goal.of])
    else:
        late = np.maximum(finish[goal.of] - net.need[goal.of][:, None], 0)
        np.add.at(cost, goal.of, goal.weight[:, None] * late)
    cost *= PARTS
    fixed = np.flatnonzero(net.running)
    constant = _cost_of_running(net, goal, fixed)
    cost[day[None, :] < early[:, None]] = NEVER
    for one, most in zip(goals[:-1], held, strict=True):
        if one.kind == "largest_lateness":
            last = net.need[one.of] + most - net.days[one.of]
            for a, latest in zip(one.of.tolist(), last.tolist(), strict=True):
                cost[a, max(latest - origin + 1, 0) :] = NEVER
    return cost, constant


def _cost_of_running(net: Network, goal: Goal, fixed: Ints) -> int:
    """What the activities add whose days are settled."""
    finish = net.release + net.days
    if goal.other is not None:
        return int(finish[fixed].sum()) * PARTS
    theirs = np.isin(goal.of, fixed)
    of, weight = goal.of[theirs], goal.weight[theirs]
    if goal.kind == "finish":
        return int((weight * finish[of]).sum()) * PARTS
    return int((weight * np.maximum(finish[of] - net.need[of], 0)).sum()) * PARTS


def _free_crews(net: Network, origin: int, many: int) -> Ints:
    """Crews that are free for what isn't settled, by resource and day."""
    used = np.zeros((len(net.capacity), many + 1), np.int64)
    theirs = net.running[net.user]
    who, which, amount = net.user[theirs], net.resource[theirs], net.amount[theirs]
    begin = np.clip(net.release[who] - origin, 0, many)
    end = np.clip(net.release[who] + net.days[who] - origin, 0, many)
    np.add.at(used, (which, begin), amount)
    np.add.at(used, (which, end), -amount)
    left = net.capacity[:, None] - np.cumsum(used, axis=1)[:, :many]
    found: Ints = np.maximum(left, 0)
    return found


def _least_priced_starts(trees: _RelaxedNetwork, price: Ints) -> tuple[int, Ints]:
    """Least cost at these prices, less the worth of the capacity; and where each begins."""
    sums = np.zeros((price.shape[0], price.shape[1] + 1), np.int64)
    np.cumsum(price, axis=1, out=sums[:, 1:])
    cost = trees.cost.copy()
    if len(trees.user):
        hire = sums.take(trees.end) - sums[trees.resource]
        hire *= trees.amount[:, None]
        first = np.flatnonzero(np.diff(trees.user, prepend=-1))
        cost[trees.user[first]] += np.add.reduceat(hire, first, axis=0)
        np.minimum(cost, NEVER, out=cost)
    least = np.empty_like(cost)
    for rows, _, after, back in trees.levels:
        np.minimum.accumulate(cost[rows], axis=1, out=least[rows])
        np.add.at(cost, after, least.take(back))
        cost[after] = np.minimum(cost[after], NEVER)
    goal = least[:, -1].copy()
    at = np.zeros(len(cost), np.int64)
    for rows, inner, after, back in reversed(trees.levels):
        goal[inner] = least.take(back[np.arange(len(inner)), at[after]])
        at[rows] = (cost[rows] <= goal[rows, None]).argmax(axis=1)
    worth = int(least[trees.last, -1].sum()) + trees.constant
    return worth - int((price * trees.capacity).sum()), at


def _wanted_crews(trees: _RelaxedNetwork, at: Ints) -> Ints:
    """Crews that all plans want together, by resource and day."""
    many = trees.capacity.shape[1] + 1
    used = np.zeros(trees.capacity.shape[0] * many, np.int64)
    begin = at[trees.user]
    np.add.at(used, trees.resource * many + begin, trees.amount)
    np.add.at(used, trees.end[np.arange(len(begin)), begin], -trees.amount)
    found: Ints = np.cumsum(used.reshape(-1, many), axis=1)[:, :-1]
    return found
