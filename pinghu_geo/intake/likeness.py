"""Does what a column holds agree with what its name seems to say? Its values tell.

A name that a list has is believed. One that was only taken apart into words, or may be several
things, is held against its values: storeys are small whole numbers, heights are some 3 m a storey
(not 10: those are feet), areas are about those of the shapes, ids differ from row to row, words of
a use are words that are known. Where a name tells nothing at all, values may speak alone: the
storeys are the number that heights or whole floor areas divide by, names of rivers end in 河 or
Creek, and a code that differs in every row is an id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property, partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import shapely

from pinghu_geo.intake.dialects import dialect_of
from pinghu_geo.nouns.schema import (
    Column,
    Noun,
    bare_name,
    canonical_codes,
    is_mercator,
    match_columns,
)
from pinghu_geo.nouns.words import guesses, may_mean, river_words, value_meant

__all__ = ["columns_meant"]

# so many rows tell [rows]; fewer than that with both known tell nothing of a ratio
LOOKED_AT = 2_000
FEWEST = 5
# values that speak without a name need so many rows and so many numbers that differ
SPEAKING, DIFFERENT = 20, 3
# heights are mostly no whole numbers, and rise with the storeys (their correlation)
FRACTIONS, TOGETHER = 0.3, 0.8
# of the names of a river layer's column so many hold a word for a river
RIVERS = 0.5
# an id: no sentence, and a digit in it
CODE = re.compile(r"[^\s]*\d[^\s]*")
LONGEST_ID = 64
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
# and of a column without a name: no other number comes so near in row after row
DRAWN_AREA = (0.97, 1.03)
ALL_STOREYS = (0.6, 1.3)
MOST_ROWS = 0.8
DRAWN = {"footprint_m2", "area_m2"}
METRES_A_DEGREE = 111_195.0
# names of a property right, which is a title or a tenure, as its words tell
RIGHTS = {
    "产权", "权属", "产权性质", "产权类型", "产权类别", "权属类型", "权属类别", "房屋产权",
    "房屋权属", "propertyright", "propertyrights", "landright",
}  # fmt: skip
# gives the first rows of a file, or all
Wider = Callable[[int | None], pd.DataFrame]


def columns_meant(
    frame: pd.DataFrame,
    given: list[str],
    kind: Noun,
    said: Mapping[str, str],
    decoded: Collection[str],
    wider: Wider | None = None,
) -> tuple[dict[str, str], dict[str, str]]:
    """Canonical names of given columns, and those that may be meant and have to be asked about.

    ``said`` is what the user says, ``decoded`` are columns of codes whose words the user tells.
    ``wider`` gives the first rows, or all rows, of a file of which ``frame`` is only a part: a
    part is judged by what the whole would be judged by.
    """
    rest = [g for g in given if g not in said]
    if not kind.geometry or not len(frame):
        found = match_columns(rest, kind)
        rights, unsure = _rights_meant(frame, rest, kind, {*found.values(), *said.values()})
        return found | rights, unsure
    told = _Told(frame, kind, said, decoded, wider)
    asked: dict[str, str] = {}
    while True:
        found = match_columns(rest, kind)
        told.known = {c: g for g, c in {**found, **said}.items()}
        listed = match_columns(rest, kind, words=False)
        soft = {g: c for g, c in found.items() if listed.get(g) != c or c == "height_m"}
        # numbers called by our own English word may be any other office's codes
        soft |= {g: c for g, c in found.items()
                 if kind[c].dtype == "code" and g.lower() == c and told.is_numbers(g)}  # fmt: skip
        odd = {g: c for g, c in soft.items() if c not in decoded and not told.agrees(g, c)}
        odd |= _id_of_something_else(told, rest)
        if not odd:
            break
        asked |= odd
        rest = [g for g in rest if g not in odd]
    for ways in (_columns_agreed, _columns_by_values):
        for ours, names in ways(told, [n for n in rest if n not in found]):
            if ours in told.known:
                continue
            if len(names) > 1 and ways is _columns_by_values:  # which of them, values can't tell
                asked |= {n: ours for n in names if n not in asked}
                continue
            found[names[0]], told.known[ours] = ours, names[0]
            asked.pop(names[0], None)
        asked = told.doubted | asked
    rights, unsure = _rights_meant(told.some, rest, kind, set(told.known))
    found, asked = found | rights, asked | unsure
    quiet = {*told.known, *DRAWN, kind.index}
    return found, {g: c for g, c in asked.items() if c not in quiet and g not in found}


def _rights_meant(
    frame: pd.DataFrame, names: list[str], kind: Noun, taken: Collection[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """What a column of property rights (产权) says: the title or the tenure; and what isn't told.

    The name says neither: offices write 有证 and 无证 below it as well as 私有 and 集体.
    """
    found: dict[str, str] = {}
    unsure: dict[str, str] = {}
    free = [c for c in kind.columns if c.name in ("title", "tenure") and c.name not in taken]
    for name in names:
        if not free or bare_name(name) not in RIGHTS:
            continue
        words = frame[name].dropna().astype(str)
        fits = [c.name for c in free if len(words) and _known_words(words, c).mean() >= MOSTLY]
        if len(fits) == 1 and fits[0] not in found.values():
            found[name] = fits[0]
        elif len(words):
            unsure[name] = free[0].name
    return found, unsure


def _id_of_something_else(told: _Told, rest: list[str]) -> dict[str, str]:
    """The column of ids where it mostly repeats, and another one differs from row to row."""
    index = str(told.kind.index)
    taken = told.known.get(index, "")
    if index == "river" or taken not in rest:
        return {}
    others = match_columns([n for n in rest if n != taken], told.kind)
    other = next((n for n, ours in others.items() if ours == index), None)
    if other is None or 2 * told.some[taken].nunique() > len(told.some):
        return {}
    return {taken: index} if told.agrees(other, index, wanted=True) else {}


def _columns_agreed(told: _Told, rest: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Columns whose names may speak of something that their values agree with."""
    own = {c.name for c in told.kind.columns}
    for name in rest:
        for ours in guesses(name, told.kind.name):
            if ours in told.known or ours not in own:
                continue
            if told.agrees(name, ours, wanted=True):
                yield ours, [name]
                break
            # an area says itself by its numbers what it is of, or that it is none of ours
            if told.kind[ours].unit != "m²" and told.may_be(name, ours):
                told.doubted.setdefault(name, ours)


def _columns_by_values(told: _Told, rest: list[str]) -> Iterator[tuple[str, list[str]]]:
    """What values say of columns whose names aren't known."""
    noun, index = told.kind.name, str(told.kind.index)
    ways: dict[str, Callable[[str], bool]] = {}
    drawn = {"buildings": "footprint_m2", "parcels": "area_m2"}.get(noun)
    if drawn:
        ways[drawn] = told.is_drawn
    if noun == "buildings":
        ways |= {"floors": told.divides} | {
            c: partial(told.all_words, column=told.kind[c]) for c in ("use", "structure")
        }
        if pair := told.storeys_and_heights([n for n in rest if may_mean(n, noun, "floors")]):
            yield from ((ours, [name]) for ours, name in pair.items())
    ways[index] = told.names_rivers if noun == "rivers" else told.whole_ids
    for ours, says in ways.items():
        # two columns of one area are one number: either will do, whatever it is called
        alike = ours in ("river", drawn)
        if ours in told.known:
            continue
        free = [n for n in rest if n not in told.known.values()]
        names = [n for n in free if (ours == drawn or may_mean(n, noun, ours)) and says(n)]
        if names:
            yield ours, names[:1] if alike else names


class _Told:
    """What the columns of one layer hold, read no oftener and no wider than it takes."""

    def __init__(
        self,
        frame: pd.DataFrame,
        kind: Noun,
        said: Mapping[str, str],
        decoded: Collection[str],
        wider: Wider | None,
    ) -> None:
        self._frame, self.kind, self._wider = frame, kind, wider
        self.known = {c: g for g, c in said.items()}
        self.doubted: dict[str, str] = {}
        self.decoded = decoded

    @cached_property
    def some(self) -> pd.DataFrame:
        """The first rows."""
        return self._frame.iloc[:LOOKED_AT] if self._wider is None else self._wider(LOOKED_AT)

    @cached_property
    def _all(self) -> pd.DataFrame:
        return self._frame if self._wider is None else self._wider(None)

    def agrees(self, name: str, ours: str, *, wanted: bool = False) -> bool:
        """Whether the values don't speak against it; where wanted, whether they speak for it."""
        column = self.kind[ours]
        if ours in ("building_id", "parcel_id"):
            return self._is_id(name, wanted=wanted)
        return _values_agree(self.some, name, column, self.known, wanted=wanted)

    def may_be(self, name: str, ours: str) -> bool:
        """Whether it is worth asking: values that fit, of codes at least one that is known."""
        values = self.some[name].dropna()
        if self.kind[ours].dtype == "code":
            return bool(_known_words(values.astype(str), self.kind[ours]).any())
        return name not in self.doubted and self.agrees(name, ours)

    def _is_id(self, name: str, *, wanted: bool) -> bool:
        """Whether the values differ from row to row, in the first rows and then in all."""
        for rows in ("some", "_all"):
            values = getattr(self, rows)[name]
            ids = values.dropna()
            whole = not pd.api.types.is_float_dtype(ids) or bool((ids % 1 == 0).all())
            full = len(ids) == len(values) > 1
            if not (whole and ids.is_unique and (full or not wanted)):
                return False
        return True

    def whole_ids(self, name: str) -> bool:
        """Whether a column holds codes that differ in every row."""
        values = self.some[name]
        if pd.api.types.is_float_dtype(values) or pd.api.types.is_bool_dtype(values):
            return False
        texts = values.dropna().astype(str)
        coded = texts.str.fullmatch(CODE) & (texts.str.len() <= LONGEST_ID)
        return bool(len(texts) and coded.all()) and self._is_id(name, wanted=True)

    def _holds_numbers(self, name: str) -> bool:
        """Whether a column is one of numbers, as its rows at hand tell without reading more."""
        kind = self._frame[name].dtype
        return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)

    def is_numbers(self, name: str) -> bool:
        """Whether a column holds numbers alone."""
        values = self.some[name].dropna()
        return bool(len(values)) and len(_numbers_of_column(values)) == len(values)

    def is_drawn(self, name: str) -> bool:
        """Whether a column holds the areas of the shapes, row by row."""
        if not self._holds_numbers(name):
            return False
        values, drawn = self.some[name], _shape_areas_m2(self.some)
        if drawn is None or not pd.api.types.is_numeric_dtype(values):
            return False
        ratio = (values.astype(float) / drawn.where(drawn > 0)).dropna()
        enough = len(ratio) >= max(SPEAKING, MOSTLY * len(values))
        return bool(enough and ratio.between(*DRAWN_AREA).mean() >= MOSTLY)

    def names_rivers(self, name: str) -> bool:
        """Whether a column holds names of rivers."""
        values = self.some[name].dropna()
        if values.empty or pd.api.types.is_numeric_dtype(values):
            return False
        if len(values) > 1 and values.nunique() == 1:  # river: what they all are
            return False
        return bool(values.astype(str).str.contains(river_words()).mean() >= RIVERS)

    def all_words(self, name: str, *, column: Column) -> bool:
        """Whether a column holds nothing but several words of a use or a structure."""
        values = self.some[name].dropna()
        if len(values) < SPEAKING or pd.api.types.is_numeric_dtype(values):
            return False
        known = _known_words(values.astype(str), column)
        return bool(known.mean() >= MOSTLY and values[known].nunique() >= DIFFERENT)

    def storeys_and_heights(self, names: list[str]) -> dict[str, str] | None:
        """The one pair of columns that can only be storeys and heights; none where there isn't."""
        names = [name for name in names if self._holds_numbers(name)]
        if len(names) < 2 or {"floors", "height_m"} & set(self.known) or len(self.some) < SPEAKING:
            return None
        numbers = {n: self.some[n].where(self.some[n] > 0).astype(float) for n in names
                   if pd.api.types.is_numeric_dtype(self.some[n])
                   and not pd.api.types.is_bool_dtype(self.some[n])}  # fmt: skip
        floors = [n for n, v in numbers.items() if (v.dropna() % 1 == 0).all()
                  and v.nunique() >= DIFFERENT and v.max() <= MOST_FLOORS]  # fmt: skip
        heights = [n for n, v in numbers.items() if (v.dropna() % 1 != 0).mean() >= FRACTIONS
                   and HEIGHTS_M[0] <= v.median() <= HEIGHTS_M[1]]  # fmt: skip
        pairs = []
        for low, high in product(floors, heights):
            ratio = (numbers[high] / numbers[low]).dropna()
            alike = len(ratio) >= max(SPEAKING, len(self.some) / 2)
            alike = alike and ratio.between(*STOREY_M).mean() >= MOSTLY
            if alike and numbers[low].corr(numbers[high]) >= TOGETHER:
                pairs.append({"floors": low, "height_m": high})
        return pairs[0] if len(pairs) == 1 else None

    def divides(self, name: str) -> bool:
        """Whether heights, or floor areas beside the shapes, are so many times a storey's."""
        if not self._holds_numbers(name) or not {"height_m", "floor_area_m2"} & set(self.known):
            return False
        values = self.some[name].dropna()
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            return False
        floors = values[values > 0].astype(float)
        few = len(floors) < SPEAKING or floors.nunique() < DIFFERENT
        if few or (floors % 1 != 0).any() or floors.max() > MOST_FLOORS:
            return False
        if "height_m" in self.known:
            high = _numbers_of_column(self.some[self.known["height_m"]].dropna()).reindex(
                floors.index
            )
            ratio = (high / floors).dropna()
            if len(ratio) >= SPEAKING:
                return bool(ratio.between(*STOREY_M).mean() >= MOSTLY)
        drawn = _shape_areas_m2(self.some)
        if "floor_area_m2" in self.known and drawn is not None:
            area = _numbers_of_column(self.some[self.known["floor_area_m2"]].dropna()).reindex(
                floors.index
            )
            ratio = (area / floors / drawn.where(drawn > 0)).dropna()
            return len(ratio) >= SPEAKING and _is_near_in_most_rows(ratio, ALL_STOREYS)
        return False


def _known_words(values: pd.Series, column: Column) -> pd.Series:
    """Which values are words of a column of codes, in whatever language."""
    known = set(values[canonical_codes(values, column).isin(list(column.codes))])
    known |= {v for v in values.unique() if value_meant(str(v), column.name) is not None}
    return values.isin(known)


def _values_agree(
    some: pd.DataFrame, name: str, column: Column, known: Mapping[str, str], *, wanted: bool = False
) -> bool:
    """Whether values don't speak against a column; where wanted, whether they speak for it."""
    values = some[name].dropna()
    if values.empty:
        told = not wanted
    elif column.dtype == "code":
        words = values.astype(str)
        told = dialect_of(words, column.name) is not None
        told = told or _known_words(words, column).mean() >= (MOSTLY if wanted else 1e-9)
    elif column.dtype in ("int", "float"):
        numbers = _numbers_of_column(values)
        told = len(numbers) >= MOSTLY * len(values) and _numbers_agree(
            some, numbers, column.name, known, wanted=wanted
        )
    else:
        told = not wanted and not pd.api.types.is_numeric_dtype(values)
    return bool(told)


def _numbers_agree(
    some: pd.DataFrame, numbers: pd.Series, name: str, known: Mapping[str, str], *, wanted: bool
) -> bool:
    """Whether numbers are such as a column holds."""
    if name == "floors":
        whole = (numbers * 2 % 1 == 0) & (numbers >= 0) & (numbers <= MOST_FLOORS)
        return bool(whole.mean() >= MOSTLY and (not wanted or numbers.max() > 0))
    if name == "height_m":
        return _are_heights_of_houses(some, numbers, known)
    if name in (*DRAWN, "floor_area_m2"):
        return _are_areas_of_shapes(some, numbers, name, known, wanted=wanted)
    return True


def _numbers_of_column(values: pd.Series) -> pd.Series:
    """The numbers of a column, which may stand in words: 6层."""
    if not pd.api.types.is_numeric_dtype(values):
        values = values.astype(str).str.extract(r"^\s*(-?\d+(?:\.\d+)?)", expand=False)
    return pd.to_numeric(values, errors="coerce").dropna().astype(float)


def _are_heights_of_houses(
    some: pd.DataFrame, heights: pd.Series, known: Mapping[str, str]
) -> bool:
    """Whether heights are those of houses, and of so many storeys."""
    high = heights[heights > 0]
    if high.empty:
        return True
    if not HEIGHTS_M[0] <= high.median() <= HEIGHTS_M[1]:
        return False
    if "floors" not in known:
        return True
    floors = _numbers_of_column(some[known["floors"]].dropna()).reindex(high.index)
    ratio = (high / floors.where(floors > 0)).dropna()
    return len(ratio) < FEWEST or bool(STOREY_M[0] <= ratio.median() <= STOREY_M[1])


def _are_areas_of_shapes(
    some: pd.DataFrame, areas: pd.Series, name: str, known: Mapping[str, str], *, wanted: bool
) -> bool:
    """Whether areas are those of the shapes, or of all their storeys."""
    drawn = _shape_areas_m2(some)
    if name not in DRAWN and "footprint_m2" in known:  # as stated, where nothing is drawn
        stated = _numbers_of_column(some[known["footprint_m2"]].dropna()).reindex(some.index)
        drawn = stated if drawn is None or not (drawn > 0).any() else drawn
    if drawn is None:
        return not wanted
    ratio = (areas / drawn.where(drawn > 0)).dropna()
    ratio = ratio[ratio > 0]
    if len(ratio) < FEWEST:
        return not wanted
    if name in DRAWN:
        return _is_near_in_most_rows(ratio, SAME_AREA) if wanted else _is_near_in_median(ratio)
    if "floors" in known:
        floors = _numbers_of_column(some[known["floors"]].dropna()).reindex(ratio.index)
        ratio = (ratio / floors.where(floors > 0)).dropna()
        if len(ratio) < FEWEST:
            return not wanted
        return _is_near_in_most_rows(ratio, ALL_STOREYS) if wanted else _is_near_in_median(ratio)
    return not wanted


def _is_near_in_median(ratio: pd.Series) -> bool:
    """Whether an area is near what it should be in the middle of all."""
    return bool(ODD_AREA[0] <= ratio.median() <= ODD_AREA[1])


def _is_near_in_most_rows(ratio: pd.Series, band: tuple[float, float]) -> bool:
    """Whether an area is what it should be row by row."""
    return bool(ratio.between(*band).mean() >= MOST_ROWS)


def _shape_areas_m2(some: Any) -> pd.Series | None:
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
    return area * float(crs.axis_info[0].unit_conversion_factor) ** 2
