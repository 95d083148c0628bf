"""Which codes are these? Dialects of FWJG and GHYT, told from the codes that occur.

A number in such a column means nothing by itself: systems differ. A dialect is taken only where
every value is one of its codes, and it is said which one was taken; else the numbers stay.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

__all__ = ["dialect_of"]

# three public code bases agree on these words; the standard itself wasn't seen. 2 is steel with
# reinforced concrete: that it counts as concrete here is our choice
STRUCTURES = {"1": "steel", "2": "concrete", "3": "concrete", "4": "brick_concrete",
              "5": "brick_wood", "6": "other"}  # fmt: skip
# housing, in a public code base; what its further codes mean wasn't seen, so that a column that
# holds one stays as it is, and values={"use": {"27": ...}} says what it means
USES = dict.fromkeys(("10", "11", "111", "112"), "residential")
# column: name of the dialect, and its codes
DIALECTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "structure": ("FWJG 1-6", STRUCTURES),
    "use": ("GHYT 10", USES),
}


def dialect_of(values: pd.Series, column: str) -> tuple[str, Mapping[str, str]] | None:
    """Name and codes of the dialect that all values of a column are of; None where none fits."""
    if (found := DIALECTS.get(column)) is None:
        return None
    words = set(values.dropna().unique())
    return found if words and words <= set(found[1]) else None
