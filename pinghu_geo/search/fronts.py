"""Which of many labels can no others beat? Told before their levels are known, and across choices.

Labels of the same choice and buildings are put in buckets by what they cost. One that stands no
lower than the lowest in the cheaper buckets is beaten.

Where from two options the same ones can follow, for the same buildings, a label with one of them is
beaten by one with the other that costs no more, and from which every step loses so much less that
it comes out lower. `lost_more` says what it may lose more at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.steady import State
from pinghu_geo.search.curves import Curves

__all__ = [
    "Buckets", "Kin", "Rows", "least_before", "lost_more", "order_by", "rows_of", "unbeaten",
]  # fmt: skip

# buckets of each choice, and labels a bucket where there are few
MOST, FEWEST = 512, 8
A_BUCKET = 0.25
# range of whole numbers that are their own ranks
FEW = 1_000_000
# so few are sorted by lexsort
LITTLE = 1000
# levels within this are one [m]
SAME_M = 1e-12


@dataclass(frozen=True, slots=True)
class Buckets:
    """Places of labels in a table of rows (a choice and buildings) and buckets by cost."""

    row: Array
    bucket: Array
    rows: int
    many: int

    @classmethod
    def of(cls, pair: Array, sets: Array, cost: Array) -> Buckets:
        """Sort labels into buckets."""
        row, rows = rows_of(pair, sets)
        many = int(np.clip(len(cost) / A_BUCKET / max(rows, 1), FEWEST, MOST))
        low, high = (cost.min(), cost.max()) if len(cost) else (0.0, 0.0)
        width = max((high - low) / many, 1e-9)
        return cls(row, np.minimum((cost - low) / width, many - 1).astype(int), rows, many)

    def lowest_of_cheaper(self, level: Array, some: Array | None = None) -> Array:
        """For each label the lowest level among those (``some``) in cheaper buckets of its row."""
        table = np.full((self.rows, self.many + 1), np.inf)
        place = self.row * (self.many + 1) + self.bucket
        np.minimum.at(table.ravel(), (place if some is None else place[some]) + 1, level)
        np.minimum.accumulate(table, axis=1, out=table)
        found: Array = table.ravel()[place]
        return found


def order_by(*keys: Array) -> Array:
    """Order by the first key, then by the next, then as they come: `numpy.lexsort`, but faster.

    Whole numbers made of all keys' ranks and the place of each are sorted by one quick sort.
    """
    many = len(keys[0])
    if many < LITTLE:
        return np.asarray(np.lexsort(keys[::-1]))
    made, span = np.zeros(many, np.int64), many
    for key in keys:
        least = key.min()
        if key.dtype.kind == "i" and int(key.max()) - int(least) < FEW:
            rank, ranks = key - least, int(key.max()) - int(least) + 1
        else:
            which, rank = np.unique(key, return_inverse=True)
            ranks = len(which)
        span *= ranks
        if span >= np.iinfo(np.int64).max:
            return np.asarray(np.lexsort(keys[::-1]))
        made = made * ranks + rank.ravel()
    made = made * many + np.arange(many)
    made.sort()
    return made % many


def least_so_far(value: Array, group: Array) -> Array:
    """Where the least value up to each one stands, within its group; the first of equal ones.

    Groups stand one after the other. Values are equal that differ less than their range's rounding.
    """
    if not len(value):
        return np.zeros(0, int)
    # each group is lifted below the one before, so that what is least so far is so within it
    above = value - value.min()
    lifted = above - (2 * above.max() + 1e-9) * (group - group[0])
    least = np.minimum.accumulate(lifted)
    fresh = np.append(True, lifted[1:] < least[:-1])
    return np.maximum.accumulate(np.where(fresh, np.arange(len(value)), 0))


def least_before(value: Array, group: Array, column: Array) -> Array:
    """Where the least value before each one stands, within its group; -1: it is the first.

    Groups stand one after the other, ``column`` is the place in each.
    """
    found = np.full(len(value), -1)
    after = np.flatnonzero(column > 0)
    found[after] = least_so_far(value, group)[after - 1]
    return found


def unbeaten(row: Array, cost: Array, level: Array) -> Array:
    """Labels that no other in the same row beats in cost and levels (floods, labels).

    Of several floods those that the lowest in one of them among all no dearer ones beats.
    """
    order = order_by(row, cost)
    row, cost, level = row[order], cost[order], level[:, order]
    new_row = np.append(True, row[1:] != row[:-1])[: len(order)]
    new = np.flatnonzero(new_row | np.append(True, cost[1:] != cost[:-1])[: len(order)])
    cell = np.zeros(len(order), int)
    cell[new] = 1
    cell = np.cumsum(cell) - 1
    group = np.cumsum(new_row[new])
    beaten = np.zeros(len(order), bool)
    for own in level if len(order) else []:
        least = np.minimum.reduceat(own, new)
        lowest = np.flatnonzero(own == least[cell])[::-1]
        where = np.empty(len(new), int)
        where[cell[lowest]] = lowest  # the first of those that are as low
        by = where[least_so_far(least, group)][cell]
        lower = (level[:, by] <= level + SAME_M).all(axis=0)
        beaten |= lower & ~beaten[by] & (by != np.arange(len(order)))
    return order[~beaten]


def rows_of(pair: Array, sets: Array) -> tuple[Array, int]:
    """A row for each choice and set of buildings, and how many there are."""
    rows = int(pair.max(initial=0)) + 1
    if not sets.any():
        return pair, rows
    which, of = np.unique(sets, return_inverse=True)
    return pair * len(which) + of.ravel(), rows * len(which)


@dataclass(frozen=True, slots=True)
class Rows:
    """Labels in rows of a choice and buildings, the cheapest first."""

    place: Array  # row and rank by cost of each label, in one number, in order
    lowest: Array  # the lowest label in the first flood of each row so far
    cost: Array  # in order
    which: Array  # the sets of buildings, in order

    @classmethod
    def of_labels(cls, pair: Array, sets: Array, cost: Array, level: Array) -> Rows:
        """Sort labels by choice (labels,), buildings, cost, and level in the first flood."""
        which, of = np.unique(sets, return_inverse=True)
        costs, rank = np.unique(cost, return_inverse=True)
        place = (pair * len(which) + of.ravel()) * (len(costs) + 1) + rank.ravel()
        order = order_by(place)
        group = place[order] // (len(costs) + 1)
        return cls(place[order], order[least_so_far(level[order], group)], costs, which)

    def lowest_no_dearer(self, pair: Array, sets: Array, cost: Array) -> Array:
        """The lowest label with a choice and buildings that costs no more than that; -1: none."""
        of = np.minimum(np.searchsorted(self.which, sets), len(self.which) - 1)
        row = (pair * len(self.which) + of) * (len(self.cost) + 1)
        rank = np.searchsorted(self.cost, cost, side="right")
        at = np.searchsorted(self.place, row + rank) - 1
        there = (at >= 0) & (self.place[at] >= row) & (self.which[of] == sets)
        found: Array = np.where(there, self.lowest[at], -1)
        return found


class Kin(NamedTuple):
    """Options of a bank from which the same can follow, for the same buildings.

    ``others`` (options, most) are those of each option, -1 where there are no more; ``dearer``
    (options, options) is what following the first one costs more at most than following the second.
    """

    others: Array
    dearer: Array

    @classmethod
    def of(cls, change: Array, touched: Array) -> Kin:
        """From costs and touched buildings (lower option, upper option)."""
        open_to = np.isfinite(change)
        alike = np.logical_and(*((v[:, None] == v).all(axis=2) for v in (open_to, touched)))
        many = int(alike.sum(axis=1).max(initial=1))
        others = np.argsort(~alike, axis=1, kind="stable")[:, :many]
        others = np.where(np.take_along_axis(alike, others, axis=1), others, -1)
        held = np.where(open_to, change, 0.0)
        dearer = (held[:, None] - held).max(axis=2, initial=0.0)
        return cls(others, dearer)


def lost_more(
    curves: Curves, i: int, conveyance: Array, one: tuple[Array, ...], other: tuple[Array, ...]
) -> Array:
    """Head that steps up to station ``i`` lose more from some states than from others, at most [m].

    ``conveyance`` (2,) are the least and the most above; states are level, energy and conveyance.
    The friction slope's difference grows with the conveyance above, or falls, by any of its
    formulas; what changes of velocity head lose is no steeper than the larger coefficient.
    """
    model, flow = curves.water.model, curves.water.discharge
    rows = curves.problem.rows[i].ravel()
    length = model.lengths[rows, 1]
    local = max(model.contraction[rows].max(), model.expansion[rows].max())
    none, at = np.zeros(len(one[0])), np.full(len(one[0]), flow[i + 1])
    found = np.full(len(none), -np.inf)
    for known in conveyance:
        above = State(none, none, none, none + known, none, none, none + flow[i])
        slope = [
            model.lost(none + 1.0, none, none, above, State(none, none, none, k, none, none, at))[0]
            for _, _, k in (one, other)
        ]
        for way in (length.min(), length.max()):
            found = np.maximum(found, way * (slope[0] - slope[1]))
    head = np.abs((one[1] - one[0]) - (other[1] - other[0]))
    return np.asarray(found + local * head)
