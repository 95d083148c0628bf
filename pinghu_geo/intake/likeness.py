"""Does what a column holds agree with what its name seems to say? Its values tell.

A name that a list has is believed. One that was only taken apart into words, or may be several
things, is held against its values: storeys are small whole numbers, heights are some 3 m a storey
(not 10: those are feet), areas are about those of the shapes, ids differ from row to row, words of
a use are words that are known.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely

from pinghu_geo.intake.dialects import dialect_of
from pinghu_geo.nouns.schema import Column, Noun, canonical_codes, is_mercator, match_columns
from pinghu_geo.nouns.words import guesses

__all__ = ["columns_meant"]

# so many rows tell [rows]; fewer than that with both known tell nothing of a ratio
LOOKED_AT = 5_000
FEWEST = 5
# Of the values, so many are as they should be. Registers hold blanks and slips.
MOSTLY = 0.9
# storeys of a house; the tallest has 163
MOST_FLOORS = 170
# a storey [m]: dwellings from 2.2 m, halls of one storey to some 7; in feet it would be 8 to 12
STOREY_M = (2.0, 7.0)
HEIGHTS_M = (1.0, 200.0)
# areas that a register states beside those of the shapes: drawn outlines and eaves differ a little
SAME_AREA = (0.8, 1.25)
# and those that are some other area, or in square feet (10.8)
ODD_AREA = (0.5, 2.0)
# all storeys beside the shape times their number: upper ones may be set back
ALL_STOREYS = (0.6, 1.3)
MOST_ROWS = 0.8
DRAWN = {"footprint_m2", "area_m2"}
METRES_A_DEGREE = 111_195.0


def columns_meant(
    frame: Any, given: list[str], kind: Noun, said: Mapping[str, str], decoded: Collection[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Canonical names of given columns, and those that may be meant and have to be asked about.

    ``said`` is what the user says, ``decoded`` are columns of codes whose words the user tells.
    """
    rest = [g for g in given if g not in said]
    if not kind.geometry or not len(frame):
        return match_columns(rest, kind), {}
    some = frame.iloc[:LOOKED_AT]
    asked: dict[str, str] = {}
    while True:
        found = match_columns(rest, kind)
        known = {c: g for g, c in {**found, **said}.items()}
        listed = match_columns(rest, kind, words=False)
        soft = {g: c for g, c in found.items() if listed.get(g) != c or c == "height_m"}
        odd = {g: c for g, c in soft.items()
               if c not in decoded and not _agrees(frame, some, g, kind[c], known)}  # fmt: skip
        if not odd:
            break
        asked |= odd
        rest = [g for g in rest if g not in odd]
    for name in rest:
        for ours in guesses(name, kind.name) if name not in found else ():
            if ours in known or ours not in {c.name for c in kind.columns}:
                continue
            if _agrees(frame, some, name, kind[ours], known, wanted=True):
                found[name], known[ours] = ours, name
                asked.pop(name, None)
                break
            asked.setdefault(name, ours)
    quiet = {*known, *DRAWN, kind.index}
    return found, {g: c for g, c in asked.items() if c not in quiet}


def _agrees(
    frame: Any,
    some: Any,
    name: str,
    column: Column,
    known: Mapping[str, str],
    *,
    wanted: bool = False,
) -> bool:
    """Whether the values don't speak against it; where it is wanted, whether they speak for it."""
    values = some[name].dropna()
    if column.name in ("building_id", "parcel_id"):
        ids = frame[name].dropna()
        whole = not pd.api.types.is_float_dtype(ids) or bool((ids % 1 == 0).all())
        told = whole and ids.is_unique and (not wanted or len(ids) == len(frame) > 1)
    elif values.empty:
        told = not wanted
    elif column.dtype == "code":
        known_words = canonical_codes(values.astype(str), column).isin(list(column.codes))
        told = dialect_of(values.astype(str), column.name) is not None
        told = told or known_words.mean() >= (MOSTLY if wanted else 1e-9)
    elif column.dtype in ("int", "float"):
        numbers = _numbers(values)
        told = len(numbers) >= MOSTLY * len(values) and _number_agrees(
            some, numbers, column.name, known, wanted=wanted
        )
    else:
        told = not wanted and not pd.api.types.is_numeric_dtype(values)
    return bool(told)


def _number_agrees(
    some: Any, numbers: pd.Series, name: str, known: Mapping[str, str], *, wanted: bool
) -> bool:
    """Whether numbers are such as a column holds."""
    if name == "floors":
        whole = (numbers * 2 % 1 == 0) & (numbers >= 0) & (numbers <= MOST_FLOORS)
        return bool(whole.mean() >= MOSTLY and (not wanted or numbers.max() > 0))
    if name == "height_m":
        return _heights_in_metres(some, numbers, known)
    if name in (*DRAWN, "floor_area_m2"):
        return _areas_in_metres(some, numbers, name, known, wanted=wanted)
    return True


def _numbers(values: pd.Series) -> pd.Series:
    """The numbers of a column, which may stand in words: 6层."""
    if not pd.api.types.is_numeric_dtype(values):
        values = values.astype(str).str.extract(r"^\s*(-?\d+(?:\.\d+)?)", expand=False)
    return pd.to_numeric(values, errors="coerce").dropna().astype(float)


def _heights_in_metres(some: Any, heights: pd.Series, known: Mapping[str, str]) -> bool:
    """Whether heights are those of houses, and of so many storeys."""
    high = heights[heights > 0]
    if high.empty:
        return True
    if not HEIGHTS_M[0] <= high.median() <= HEIGHTS_M[1]:
        return False
    if "floors" not in known:
        return True
    floors = _numbers(some[known["floors"]].dropna()).reindex(high.index)
    ratio = (high / floors.where(floors > 0)).dropna()
    return len(ratio) < FEWEST or bool(STOREY_M[0] <= ratio.median() <= STOREY_M[1])


def _areas_in_metres(
    some: Any, areas: pd.Series, name: str, known: Mapping[str, str], *, wanted: bool
) -> bool:
    """Whether areas are those of the shapes, or of all their storeys."""
    drawn = _drawn_m2(some)
    if drawn is None:
        return not wanted
    ratio = (areas / drawn.where(drawn > 0)).dropna()
    ratio = ratio[ratio > 0]
    if len(ratio) < FEWEST:
        return not wanted
    if name in DRAWN:
        return _mostly(ratio, SAME_AREA) if wanted else _about(ratio)
    if "floors" in known:
        floors = _numbers(some[known["floors"]].dropna()).reindex(ratio.index)
        ratio = (ratio / floors.where(floors > 0)).dropna()
        if len(ratio) < FEWEST:
            return not wanted
        return _mostly(ratio, ALL_STOREYS) if wanted else _about(ratio)
    return not wanted


def _about(ratio: pd.Series) -> bool:
    """Whether an area is near what it should be in the middle of all."""
    return bool(ODD_AREA[0] <= ratio.median() <= ODD_AREA[1])


def _mostly(ratio: pd.Series, band: tuple[float, float]) -> bool:
    """Whether an area is what it should be row by row."""
    return bool(ratio.between(*band).mean() >= MOST_ROWS)


def _drawn_m2(some: Any) -> pd.Series | None:
    """Areas of the shapes; of degrees about, None where the CRS tells nothing."""
    crs = getattr(some, "crs", None)
    if crs is None:
        return None
    shapes = some.geometry.to_numpy()
    area = pd.Series(shapely.area(shapes), some.index)
    if crs.is_geographic:
        lat = np.radians(shapely.bounds(shapes)[:, 1])
        return area * METRES_A_DEGREE**2 * np.cos(lat)
    if not crs.is_projected or is_mercator(crs):
        return None
    return area * crs.axis_info[0].unit_conversion_factor ** 2
