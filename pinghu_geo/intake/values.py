"""What does a column hold? Its values in their types, in metres, as they are written."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from pinghu_geo.nouns.door import EXACT, TRUTH
from pinghu_geo.nouns.errors import ChainageError
from pinghu_geo.nouns.numerals import numbers_written
from pinghu_geo.nouns.schema import CODE_LISTS, Column, canonical_codes
from pinghu_geo.nouns.units import Stated, cell_units, ratios_written, turned_over
from pinghu_geo.river.chainage import parse_chainage

__all__ = ["chainages_in_metres", "typed_column", "values_as_text"]

# a chainage that says no unit of its own
PLAIN_METRES = re.compile(r"[-+−]?\d+(\.\d*)?")


def typed_column(values: pd.Series, column: Column, unit: Stated) -> pd.Series:
    """One column in its type; numbers without a unit of their own times what the heading says."""
    if column.dtype in ("text", "code"):
        text = values_as_text(values)
        coded = column.dtype == "code" or column.name in CODE_LISTS
        return canonical_codes(text, column) if coded else text
    if column.dtype == "chainage":
        return values  # read with their prefixes, in `_with_line`
    if column.dtype == "date":
        return _dates_or_unchanged(values)
    if column.dtype in ("float", "int"):
        found = numbers_written(
            ratios_written(values, column), cell_units(column), factor=unit.factor
        )
        return turned_over(found) if unit.turned else found
    if column.dtype == "bool":
        return _truths_or_unchanged(values)
    return values


def _dates_or_unchanged(values: pd.Series) -> pd.Series:
    """Dates; a text that is none leaves all as they are, for `check` to name."""
    text = values.where(values.astype("str").str.strip() != "")
    dates = pd.to_datetime(text, errors="coerce", format="mixed")
    return values if (dates.isna() & text.notna()).any() else dates


def _truths_or_unchanged(values: pd.Series) -> pd.Series:
    """Yes and no as they are written; a blank is NA, and one other word leaves all as they are."""
    words = values.astype("str").str.strip().str.lower().where(values.notna(), "")
    truth = words.map(TRUTH)
    known = truth.notna() | (words == "")
    return truth.astype("boolean") if known.all() else values


def values_as_text(values: pd.Series) -> pd.Series:
    """Ids and names as text: a whole number has no decimals, blanks are NA."""
    if pd.api.types.is_float_dtype(values):
        whole = values.dropna()
        if (whole == whole.round()).all() and (whole.abs() < EXACT).all():
            values = values.astype("Int64")
    text = values.astype("str").str.strip()
    return text.where(values.notna() & (text != ""))


def chainages_in_metres(
    values: pd.Series, prefixes: pd.Series, field: str, layer: str, factor: float
) -> pd.Series:
    """Chainages in metres; all rows that can't be read in one error.

    ``factor`` is the heading's unit, for numbers without one: K1+200 says itself what it is.
    """
    if pd.api.types.is_numeric_dtype(values):
        return values.astype(float) * factor
    read, bad = np.full(len(values), np.nan), []
    for k, (value, prefix) in enumerate(zip(values, prefixes, strict=True)):
        if pd.isna(value) or not str(value).strip():
            continue
        try:
            read[k] = parse_chainage(value, prefix=prefix or "K")
        except ChainageError:
            bad.append(f"{values.index[k]}: {value}")
            continue
        if factor != 1.0 and PLAIN_METRES.fullmatch(str(value).strip()):
            read[k] *= factor
    if bad:
        raise ChainageError(
            f"{field} holds texts that are no chainage (桩号)",
            layer=layer,
            ids=bad,
            hint="accepted forms are K12+669.5, 12+669.5, or metres",
        )
    return pd.Series(read, index=values.index)
