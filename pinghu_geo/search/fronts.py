"""Which of many labels can no others beat? Told before their levels are known.

Labels of the same choice and buildings are put in buckets by what they cost. One that stands no
lower than the lowest in the cheaper buckets is beaten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pinghu_geo.flood.sections import Array

__all__ = ["Buckets"]

# buckets of each choice, and labels a bucket where there are few
MOST, FEWEST = 256, 8
A_BUCKET = 0.25


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
        row, rows = pair, int(pair.max(initial=0)) + 1
        if sets.any():
            which, of = np.unique(sets, return_inverse=True)
            row = pair * len(which) + of.ravel()
            rows *= len(which)
        many = int(np.clip(len(cost) / A_BUCKET / max(rows, 1), FEWEST, MOST))
        low, high = cost.min(initial=np.inf), cost.max(initial=-np.inf)
        width = max((high - low) / many, 1e-9)
        return cls(row, np.minimum((cost - low) / width, many - 1).astype(int), rows, many)

    def lowest_of_cheaper(self, level: Array, some: Array | None = None) -> Array:
        """For each label the lowest level among those (``some``) in cheaper buckets of its row."""
        table = np.full((self.rows, self.many + 1), np.inf)
        row, bucket = (v if some is None else v[some] for v in (self.row, self.bucket))
        np.minimum.at(table, (row, bucket + 1), level)
        np.minimum.accumulate(table, axis=1, out=table)
        found: Array = table[self.row, self.bucket]
        return found
