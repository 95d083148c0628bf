"""Which codes are these? Dialects of FWJG and GHYT, told from the codes that occur.

A number in such a column means nothing by itself: systems differ. A dialect is taken only where
every value is one of its codes, and it is said which one was taken; else the numbers stay.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

__all__ = ["dialect_of"]

# three public code bases agree on these; the standard itself wasn't seen
STRUCTURES = {"1": "steel", "2": "concrete", "3": "concrete", "4": "brick_concrete",
              "5": "brick_wood", "6": "other"}  # fmt: skip
# housing 10-13, industry, traffic and storage 20-27, trade 30-35, schools and hospitals 40-43,
# culture and sport 50-55, offices 60, others 70-85: of one public code base
USES = (
    dict.fromkeys(("10", "11", "111", "112", "12", "13"), "residential")
    | dict.fromkeys(("20", "21"), "industrial")
    | dict.fromkeys(("22", "23", "24", "25", "26"), "public")
    | {"27": "storage"}
    | dict.fromkeys(("30", "31", "32", "33", "34", "35"), "commercial")
    | dict.fromkeys(("40", "41", "42", "43", "50", "51", "52", "53", "54", "55"), "public")
    | {"60": "office"}
    | dict.fromkeys(("70", "80", "81", "82", "83", "84", "85"), "other")
)
# column: name of the dialect, and its codes
DIALECTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "structure": ("FWJG 1-6", STRUCTURES),
    "use": ("GHYT 10-85", USES),
}


def dialect_of(values: pd.Series, column: str) -> tuple[str, Mapping[str, str]] | None:
    """Name and codes of the dialect that all values of a column are of; None where none fits."""
    found = DIALECTS.get(column)
    words = set(values.dropna().unique())
    return found if found and words and words <= set(found[1]) else None
