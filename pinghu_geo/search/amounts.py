"""What do the sums of a search stand for? Yuan, or without rates square metres of floor area."""

from __future__ import annotations

import pandas as pd

from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang

__all__ = ["UNTOLD", "amount_said", "amounts", "in_own_unit", "is_priced"]

YUAN, AREA = "_yuan", "_floor_area_m2"
# less is rounding, and is told as 0 [yuan, or m² of floor area]
UNTOLD = 0.5


def in_own_unit(table: pd.DataFrame, *, priced: bool) -> pd.DataFrame:
    """A table whose columns of yuan are named after what they hold."""
    if priced:
        return table
    names = {c: c.removesuffix(YUAN) + AREA for c in table.columns if c.endswith(YUAN)}
    return table.rename(columns={**names, "yuan_per_cm": "floor_area_m2_per_cm"})


def is_priced(table: pd.DataFrame) -> bool:
    """Whether a search's table holds yuan."""
    return any(column.endswith(YUAN) for column in table.columns)


def amounts(table: pd.DataFrame, name: str) -> pd.Series:
    """The sums that a table of a search calls total, bound, gap, cost, ..., in its own unit."""
    return table[name + (YUAN if name + YUAN in table else AREA)]


def amount_said(amount: float, lang: Lang, *, priced: bool) -> str:
    """A sum with its unit."""
    return say("{} yuan" if priced else "{} m² of floor area", lang, f"{amount:,.0f}")
