"""What does a goal come to at least? Crews at prices by the day, and each node plans alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pinghu_geo.campaign.network import Goal, Network, passes

__all__ = ["priced"]

Ints = NDArray[np.int64]
# prices are whole 256ths, so that every machine finds the same bound
PARTS = 256
NEVER = np.int64(2**50)
HALVINGS = 9  # of the steps: then prices hardly move


@dataclass(frozen=True, slots=True)
class _RelaxedNetwork:
    """Free activities on a grid of days, each before one other: a relaxed network."""

    free: Ints
    level: list[Ints]  # places in ``free``, by their way to the start
    after: Ints  # of each its one successor's place, -1 where it is a last one
    back: Ints  # of each and day of the successor, by when it has to begin
    cost: Ints  # of each and day on which it begins; NEVER where it can't
    user: Ints  # place of the activity of each request, ascending
    resource: Ints
    amount: Ints
    end: Ints  # of each request and day, the day behind its last one
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
    back = np.clip(day[None, :] - (net.days[free] + wait)[:, None], 0, many - 1)
    back[:, -1] = many - 1  # the last day stands for all that follow
    cost, constant = _costs_by_start_day(net, goals, held, early, origin, many)
    mine = np.flatnonzero((place[net.user] >= 0) & (net.days[net.user] > 0))
    mine = mine[np.argsort(place[net.user[mine]], kind="stable")]
    user = place[net.user[mine]]
    end = np.minimum(day[None, :] + net.days[free][user][:, None], many - 1)
    return _RelaxedNetwork(
        free,
        _activities_by_level(after),
        after,
        back,
        cost[free],
        user,
        net.resource[mine],
        net.amount[mine],
        end,
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


def _activities_by_level(after: Ints) -> list[Ints]:
    """Activities in turns: all before an activity are in turns before its own."""
    level = np.zeros(len(after), np.int64)
    inner = np.flatnonzero(after >= 0)
    while True:
        new = level.copy()
        np.maximum.at(new, after[inner], level[inner] + 1)
        if (new == level).all():
            return [np.flatnonzero(level == k) for k in range(int(level.max(initial=0)) + 1)]
        level = new


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
        mine = sums[trees.resource]
        hire = mine.take(_flat_places(trees.end, mine.shape[1])) - mine
        hire *= trees.amount[:, None]
        first = np.flatnonzero(np.diff(trees.user, prepend=-1))
        cost[trees.user[first]] += np.add.reduceat(hire, first, axis=0)
    least = np.empty_like(cost)
    for mine in trees.level:
        np.minimum.accumulate(cost[mine], axis=1, out=(low := np.empty_like(cost[mine])))
        least[mine] = low
        inner = mine[trees.after[mine] >= 0]
        theirs = low[trees.after[mine] >= 0]
        theirs = theirs.take(_flat_places(trees.back[inner], theirs.shape[1]))
        np.add.at(cost, trees.after[inner], theirs)
        np.minimum(cost, NEVER, out=cost)
    at = np.zeros(len(cost), np.int64)
    last = cost.shape[1] - 1
    for mine in reversed(trees.level):
        after = trees.after[mine]
        until = np.where(after >= 0, trees.back[mine, at[after]], last)
        goal = least[mine, until]
        at[mine] = (cost[mine] <= goal[:, None]).argmax(axis=1)
    worth = int(least[trees.after < 0, last].sum()) + trees.constant
    return worth - int((price * trees.capacity).sum()), at


def _flat_places(column: Ints, width: int) -> Ints:
    """Places of a column in each row, as numbers in an array of so wide rows."""
    return column + width * np.arange(len(column))[:, None]


def _wanted_crews(trees: _RelaxedNetwork, at: Ints) -> Ints:
    """Crews that all plans want together, by resource and day."""
    used = np.zeros((trees.capacity.shape[0], trees.capacity.shape[1] + 1), np.int64)
    begin = at[trees.user]
    end = np.take_along_axis(trees.end, begin[:, None], 1)[:, 0]
    np.add.at(used, (trees.resource, begin), trees.amount)
    np.add.at(used, (trees.resource, end), -trees.amount)
    found: Ints = np.cumsum(used, axis=1)[:, :-1]
    return found
