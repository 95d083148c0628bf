"""Is it sound? Every fault of a layer at once, and the repair of what has one right answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.intake.catalogue import Findings, errors_first
from pinghu_geo.intake.coordinates import check_coordinates
from pinghu_geo.intake.encoding import is_garbled
from pinghu_geo.intake.io import layer_and_findings, table_and_findings
from pinghu_geo.intake.isolate import note_reading
from pinghu_geo.intake.nesting import by_nesting, rings_turned
from pinghu_geo.intake.registry import unit_numbers
from pinghu_geo.nouns.door import columns_once, with_shapes
from pinghu_geo.nouns.errors import LayerError, PinghuError
from pinghu_geo.nouns.messages import say, translated
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import (
    CODE_LISTS,
    NOUNS,
    Column,
    Lang,
    Noun,
    fold_id,
    label,
    lists_codes,
    nearest,
    noun,
    require_columns,
)

__all__ = [
    "Repaired", "check", "check_summary", "note_unread_columns", "repair", "split_parts",
]  # fmt: skip

# A footprint smaller than this [m²], or thinner than this [m] on average, is a leftover of the
# drawing; one larger than that is no house.
SLIVER_M2, SLIVER_M = 1.0, 0.3
HUGE_M2 = 200_000.0
# What rows of a summary have in common.
FAULT_KEYS = ("layer", "severity", "fault", "field")
# Two footprints sharing more than this of the smaller are one building drawn twice, or a fault.
OVERLAP_RATIO = 0.1
# Parts of one house stand near each other; so many, or so far apart [m], are several houses.
MANY_PARTS, PARTS_APART_M = 10, 100.0
# Stated areas that differ from what the shapes say by more than this factor: of the single row,
# and of the median of a layer, which is then in another unit.
AREA_FACTOR, FLOOR_AREA_FACTOR, UNIT_FACTOR = 1.25, 3.0, 20.0
# Multiples of a square metre in which areas come.
AREA_UNITS = {"mu": 2000 / 3, "hectares": 1e4, "km²": 1e6}
# Of structures the first is never above the second.
BELOW = (
    ("low_chord_m", "deck_m"), ("opening_m", "gate_height_m"), ("n_open", "n_gates"),
    ("blocked_m", "rise_m"), ("from_offset_m", "to_offset_m"), ("limit_left_m", "limit_right_m"),
)  # fmt: skip
# Rates below this in the median [yuan/m²] are probably in 10,000 yuan.
LEAST_RATE = 20.0
CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
ACTIVE = r"(?i)^\s*[=@]|^\s*[+\-][^\d\s(]|<\s*(?:script|img|iframe|svg|a)\b|javascript:"
# What a text may be, by the fault.
TESTS: dict[str, Callable[[str], object]] = {
    "mojibake": is_garbled,
    "control_character": re.compile(CONTROL).search,
    "active_text": re.compile(ACTIVE).search,
}


@dataclass(frozen=True, slots=True)
class Repaired(Result):
    """A repaired layer and the log of what was done to it, row by row 修复结果."""

    layer: gpd.GeoDataFrame
    log: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """How many features were changed."""
        return [
            say("{} of {} features were repaired.", lang, self.log["id"].nunique(), len(self.layer))
        ]


def check(
    source: pd.DataFrame | str | Path,
    what: str | None = None,
    *,
    reference: gpd.GeoDataFrame | None = None,
    lang: Literal["zh", "en"] = "zh",
    **reading: Any,
) -> pd.DataFrame:
    """List every fault of a layer, a table or a file at once 数据检查.

    Parameters
    ----------
    source
        Layer or table under canonical names; or a file, as `read_layer` and `read_table` take it.
    what
        Its noun; of a layer told from the index's name by default.
    reference
        A layer known to be in the right place, such as the rivers, or better other footprints: the
        layer is held against it (another zone, GCJ-02).
    lang
        Language of problem and advice.
    **reading
        For a file: passed to `read_layer` or `read_table`, such as ``crs``, ``layer``, ``row_ids``.

    Returns
    -------
    pandas.DataFrame
        One row a fault: layer, severity {error, warning, note}, fault (its code, see
        docs/faults.md), id, field, problem and advice. Errors come first; an error keeps the layer
        from being computed with. Empty where nothing is wrong. A file that can't be read is a row,
        too. `check_summary` puts the rows of one fault together.

    Raises
    ------
    LayerError
        The noun can't be told.

    References
    ----------
    OGC 06-103r4, Simple feature access, part 1: common architecture (validity of polygons).

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> pg.check(buildings).columns.tolist()
    ['layer', 'severity', 'fault', 'id', 'field', 'problem', 'advice']
    >>> pg.check(sample / "宗地.shp", "parcels", lang="en")["problem"].tolist()
    ['declares no encoding, read as GBK (the bytes are valid GBK and not UTF-8, 100% sure)']
    """
    if isinstance(source, pd.DataFrame):
        kind = _noun_of(source, what)
        drawn = isinstance(source, gpd.GeoDataFrame)
        given = with_shapes(source, kind.name) if drawn else source
        return examine(given, kind.name, Findings(kind.name, lang), reference)
    if what is None:
        raise LayerError(
            "what the file is meant to be isn't said", hint='pg.check(file, "buildings")'
        )
    frame, seen = read_for_check(source, what, lang=lang, **reading)
    return examine(frame, what, seen, reference)


def read_for_check(
    source: str | Path, what: str, *, lang: Literal["zh", "en"] = "zh", **reading: Any
) -> tuple[pd.DataFrame | None, Findings]:
    """A file's layer or table and what was odd about it; no frame where it was refused."""
    note_reading(source)
    read: Any = layer_and_findings if noun(what).geometry else table_and_findings
    try:
        return read(source, what, lang=lang, **reading)  # type: ignore[no-any-return]
    except PinghuError as fault:
        seen = Findings(what, lang)
        seen.add_error(fault)
        return None, seen


def examine(
    frame: pd.DataFrame | None, what: str, seen: Findings, reference: gpd.GeoDataFrame | None
) -> pd.DataFrame:
    """What was found while reading, and all that is wrong with what was read."""
    if frame is None:
        return seen.table()
    kind = noun(what)
    _check_columns(frame, kind, seen)
    _check_ids(frame, kind, seen)
    if kind.index is not None and frame.index.isna().any():  # no id: the row says where
        places = [f"row {k + 1}" for k in range(len(frame))]
        frame = frame.set_axis(frame.index.astype(object).where(frame.index.notna(), places))
    _check_values(frame, kind, seen)
    _check_texts(frame, seen)
    if isinstance(frame, gpd.GeoDataFrame):
        metres = check_coordinates(frame, seen, reference)
        _check_geometry(frame, kind, seen, metres)
    if kind.name == "rates" and "building_yuan_m2" in frame:
        _check_rates(frame, seen)
    if kind.name == "structures":
        _check_structures(frame, seen)
    return seen.table()


def check_summary(faults: pd.DataFrame) -> pd.DataFrame:
    """Faults put together, one row per kind of fault 问题汇总.

    Parameters
    ----------
    faults
        Result of `check`.

    Returns
    -------
    pandas.DataFrame
        In the order of severity: layer, severity, fault, field, count, ids (the first five),
        problem (of the first, with … where others say other numbers or names), advice.

    Examples
    --------
    >>> found = pg.intake.check_summary(pg.check(pg.read_layer(sample / "房屋.shp", "buildings")))
    >>> found[["fault", "field", "severity"]].values.tolist()
    [['null_value', 'floor_area_m2', 'note']]
    """
    faults = columns_once(faults, "faults")
    require_columns(faults, (*FAULT_KEYS, "id", "problem", "advice"), "faults")
    keys = list(FAULT_KEYS)
    groups = faults.groupby(keys, sort=False)
    found = groups.agg(
        count=("id", "size"),
        ids=("id", lambda ids: ", ".join(ids.head(5)) + (", ..." if len(ids) > 5 else "")),
        problem=("problem", _first_of_several),
        advice=("advice", "first"),
    )
    return errors_first(found.reset_index())


def _first_of_several(texts: pd.Series) -> str:
    """The first text; what follows it stands for others where they differ."""
    return str(texts.iloc[0]) + (" …" if texts.nunique() > 1 else "")


def _noun_of(frame: pd.DataFrame, what: str | None) -> Noun:
    if what is not None:
        return noun(what)
    for one in ("buildings", "parcels", "rivers", "zones"):
        if frame.index.name == NOUNS[one].index:
            return NOUNS[one]
    raise LayerError(
        "can't tell what this table is meant to be", hint='pg.check(frame, "buildings")'
    )


# --- columns and ids --------------------------------------------------------------------------


def _check_columns(frame: pd.DataFrame, kind: Noun, seen: Findings) -> None:
    """Columns that can't be missing."""
    for name in kind.required:
        if name != kind.index and name not in frame.columns:
            seen.add("missing_column", column=name, label=label(name, lang=seen.lang))
    if kind.name == "buildings" and not {"floors", "floor_area_m2"} & set(frame.columns):
        seen.add("no_floor_area", column="floor_area_m2")


def note_unread_columns(
    frame: pd.DataFrame, kind: Noun, seen: Findings, *, read: Collection[str] = ()
) -> None:
    """Columns that nothing is read of, in one line; ``read`` are read by something else."""
    ours = {c.name for c in kind.columns} | {"geometry", *read}
    names = [str(c) for c in frame.columns if str(c) not in ours]
    if names:
        seen.add("unread_columns", n=len(names), names=say(", ", seen.lang).join(names))


def _check_ids(frame: pd.DataFrame, kind: Noun, seen: Findings) -> None:
    """Ids that are missing, there twice, almost there twice, or spoilt."""
    if kind.index is None:
        return
    index = frame.index
    seen.add("missing_id", np.flatnonzero(index.isna()) + 1, kind.index)
    known = index.dropna()
    twice = known[known.duplicated(keep=False)].value_counts()
    seen.add("duplicate_id", twice.index, kind.index, n=twice.to_numpy())
    ids = pd.Series(known.unique().astype(str))
    if ids.empty:
        return
    odd = ids.str.contains("[^\x21-\x60\x7b-\x7e\u3400-\u9fff]", regex=True)
    if odd.any():
        folded = ids.map(fold_id)
        twin = folded.duplicated(keep=False) & folded.duplicated()
        first = ids.groupby(folded).transform("first")
        seen.add("twin_id", ids[twin], kind.index, other=first[twin].tolist())
    spoilt = ids[ids.str.fullmatch(r"\d{16,}\.0|\d(\.\d+)?[eE]\+\d+")]
    long = ids[ids.str.fullmatch(r"[1-9]\d{15,18}")]
    if len(long) and _are_exact_doubles(long):
        spoilt = pd.concat([spoilt, long])
    seen.add("id_as_number", spoilt, kind.index)
    numbers = ids[ids.str.fullmatch(r"\d{6}\w{18,26}") & ids.str.contains("[A-Z]", regex=True)]
    if len(numbers) * 2 > len(ids) and numbers.str.len().median() > 24:
        parts = unit_numbers(ids)
        wrong = parts["why"] != ""
        seen.add("bad_unit_number", ids[wrong], kind.index, why=parts["why"][wrong].tolist())


def _are_exact_doubles(ids: pd.Series) -> bool:
    """Whether long whole numbers are all exact as doubles, which by chance they would not be."""
    exact = [int(float(i)) == int(i) for i in ids]
    spacing = np.array([float(np.spacing(float(i))) for i in ids])
    return all(exact) and float(np.sum(np.log2(np.maximum(spacing, 1)))) > 5


# --- values -----------------------------------------------------------------------------------


# Forms in which a blank cell that isn't required says "any", "not this kind" or "not used".
OFFERING = {
    "boundaries", "design", "flows", "junctions", "locks", "rates", "search", "segments",
    "structure_parts", "structures",
}  # fmt: skip


def _check_values(frame: pd.DataFrame, kind: Noun, seen: Findings) -> None:
    """Types, ranges, words and blanks, column by column."""
    for column in kind.columns:
        if column.name not in frame.columns or column.name == kind.index:
            continue
        values = pd.Series(frame[column.name].array)
        blank = values.isna().to_numpy()
        severity: Literal["error", "note"] = "error" if column.required else "note"
        name, said = column.name, column.zh
        # what a form offers and a row doesn't need is no gap; nor has a value that isn't there a
        # source
        own_gap = not column.stands_in and not name.endswith("_source")
        if own_gap and (column.required or kind.name not in OFFERING):
            fill = (
                say("fill it in", seen.lang)
                if column.required
                else say("fill it in; what is not known never counts as 'may stay'", seen.lang)
            )
            seen.add(
                "null_value", frame.index[blank], name, severity=severity, label=said, cure=fill
            )
        given = values[~blank] if blank.any() else values
        for fault, passes in _rules_of_column(column):
            wrong = given[~np.asarray(passes(given), bool)]
            if wrong.empty:
                continue
            cure = [_advice_for_value(column, v, seen.lang) for v in wrong]
            ids = frame.index[wrong.index]
            seen.add(fault, ids, name, label=said, value=list(wrong), cure=cure)


def _rules_of_column(column: Column) -> list[tuple[str, Callable[[pd.Series], Any]]]:
    """The faults that values of one column may have, each with the test that sound ones pass."""

    def number(values: pd.Series) -> Any:
        return np.asarray(pd.to_numeric(values, errors="coerce"), float)

    def near_whole(values: pd.Series) -> Any:
        v = number(values)
        v = np.where(np.isfinite(v), v, 0.0)  # what is no number is another fault
        return np.abs(v - np.rint(v)) <= 1e-6

    def within(values: pd.Series) -> Any:
        v = number(values)
        return np.isnan(v) | ((v >= low) & (v <= high) & np.isfinite(v))

    if column.dtype in ("float", "int", "chainage"):
        low = -np.inf if column.minimum is None else column.minimum
        high = np.inf if column.maximum is None else column.maximum
        return [
            ("not_a_number", lambda v: ~np.isnan(number(v))),
            ("out_of_range", within),
            *([("not_whole", near_whole)] if column.dtype == "int" else []),
        ]
    if column.dtype == "date":
        return [("bad_date", lambda v: pd.to_datetime(v, errors="coerce", format="mixed").notna())]
    if column.dtype == "bool":
        return [("not_yes_no", lambda v: v.isin([True, False]))]
    if column.name in CODE_LISTS and column.dtype == "text":  # several in a cell
        return [("unknown_code", lambda v: [lists_codes(str(t), column) for t in v])]
    return [("unknown_code", lambda v: v.isin(list(column.codes)))] if column.codes else []


def _advice_for_value(column: Column, value: object, lang: Lang) -> str:
    if column.codes:
        words = {w: code for code, all_words in column.codes.items() for w in (code, *all_words)}
        return translated(nearest(value, words), lang)
    low, high = column.minimum, column.maximum
    if low is None and high is None:
        return say("a number", lang)
    return f"{'-∞' if low is None else f'{low:g}'} … {'∞' if high is None else f'{high:g}'}"


def _check_texts(frame: pd.DataFrame, seen: Findings) -> None:
    """Texts that are garbled, hold control characters, or would run in a workbook or a page."""
    shape = frame.geometry.name if isinstance(frame, gpd.GeoDataFrame) else ""
    for name in frame.columns.drop([shape], errors="ignore"):
        if pd.api.types.is_numeric_dtype(frame[name]):
            continue
        # a column may hold lists and records, too, which databases and GeoParquet have
        text = frame[name]
        if not isinstance(text.dtype, pd.StringDtype):
            strings = [v if isinstance(v, str) else None for v in text.to_numpy(object)]
            text = pd.Series(strings, frame.index, object)
        words = text.dropna().unique()
        for fault, test in TESTS.items():
            if not (wrong := [w for w in words if test(w)]):
                continue
            bad = text.isin(wrong)
            shown = [v if fault == "mojibake" else v[:60] for v in text[bad]]
            seen.add(
                fault,
                frame.index[bad],
                str(name),
                label=label(str(name), lang=seen.lang),
                value=shown,
            )
    for name in filter(is_garbled, map(str, frame.columns)):
        seen.add("mojibake", column=name, label=say("name of a column", seen.lang), value=name)


def _check_rates(frame: pd.DataFrame, seen: Findings) -> None:
    """Rates that were probably written in 10,000 yuan."""
    rate = pd.to_numeric(frame["building_yuan_m2"], errors="coerce")
    middle = rate[rate > 0].median()
    if middle < LEAST_RATE:
        name = "building_yuan_m2"
        seen.add(
            "unit_suspect",
            column=name,
            label=label(name, lang=seen.lang),
            ratio=1e-4,
            unit=say("10,000 yuan/m²", seen.lang),
            factor=1e4,
        )


def _check_structures(frame: pd.DataFrame, seen: Findings) -> None:
    """What of a structure is above what bounds it."""
    ids = frame.get("structure_id", frame.index.to_series()).to_numpy()
    for low, high in BELOW:
        if low not in frame or high not in frame:
            continue
        values, limits = (pd.to_numeric(frame[c], errors="coerce") for c in (low, high))
        bad = (values > limits + 1e-9).to_numpy()
        seen.add(
            "above_its_limit", ids[bad], low, label=label(low, lang=seen.lang),
            value=values[bad].tolist(), other=label(high, lang=seen.lang),
            limit=limits[bad].tolist(), limited=high,
        )  # fmt: skip


# --- geometry ---------------------------------------------------------------------------------


def _check_geometry(
    frame: gpd.GeoDataFrame, kind: Noun, seen: Findings, metres: gpd.GeoDataFrame | None
) -> None:
    """Geometry that is missing, broken, of another type, out of size, or there twice."""
    ids, shapes = frame.index, frame.geometry.to_numpy()
    none = shapely.is_missing(shapes)
    empty = ~none & shapely.is_empty(shapes)
    seen.add("no_geometry", ids[none], "geometry")
    seen.add("empty_geometry", ids[empty], "geometry")
    seen.add("has_z", ids[shapely.has_z(shapes)], "geometry")
    some = ~none & ~empty
    wild = some & ~_is_finite(shapes)
    seen.add("not_finite", ids[wild], "geometry")
    kinds = shapely.get_type_id(shapes)
    names = {"Polygon": 3, "MultiPolygon": 6, "LineString": 1, "MultiLineString": 5, "Point": 0}
    wrong = some & ~np.isin(kinds, [names[g] for g in kind.geometry])
    polygonal = "Polygon" in kind.geometry
    seen.add(
        "wrong_geometry",
        ids[wrong],
        "geometry",
        is_a=[s.geom_type for s in shapes[wrong]],
        wanted=kind.geometry[0],
        cure=[
            "pg.repair(frame)" if k == 7 and polygonal else say("draw it anew", seen.lang)
            for k in kinds[wrong]
        ],
    )
    good = some & ~wrong & ~wild
    if not polygonal:
        _check_lines(ids, shapes, good, seen)
        return
    area = shapely.area(shapes)
    flat = good & (area == 0)  # or a bow tie, whose halves cancel out
    flat[flat] = shapely.area(shapely.make_valid(shapes[flat], method="structure")) == 0
    seen.add("zero_area", ids[flat], "geometry")
    invalid = good & ~flat & ~shapely.is_valid(shapes)
    seen.add(
        "invalid_geometry",
        ids[invalid],
        "geometry",
        why=list(shapely.is_valid_reason(shapes[invalid])),
    )
    if metres is not None:
        good &= ~flat & ~invalid & (metres is frame or _is_finite(metres.geometry.to_numpy()))
        _check_sizes(metres, kind, good, seen)


def _is_finite(shapes: Any) -> Any:
    """Whether all coordinates are finite numbers."""
    xy, of = shapely.get_coordinates(shapes, return_index=True)
    fine = np.ones(len(shapes), bool)
    fine[of[~np.isfinite(xy.T.copy()).all(axis=0)]] = False
    return fine


def _check_lines(ids: Any, shapes: Any, good: Any, seen: Findings) -> None:
    """Centrelines that cross themselves, come in pieces or have no length."""
    seen.add("zero_area", ids[good & (shapely.length(shapes) == 0)], "geometry")
    seen.add("crosses_itself", ids[good & ~shapely.is_simple(shapes)], "geometry")
    parts = shapely.get_num_geometries(shapes)
    many = good & (parts > 1)
    seen.add("in_pieces", ids[many], "geometry", n=parts[many])


def _check_sizes(frame: gpd.GeoDataFrame, kind: Noun, good: Any, seen: Findings) -> None:
    """Sizes that no house or parcel has, parts that are several, areas that don't go together."""
    ids, shapes = frame.index, frame.geometry.to_numpy()
    area = shapely.area(shapes)
    thin = 2 * area < SLIVER_M * shapely.length(shapes)
    sliver = good & ((area < SLIVER_M2) | thin)
    seen.add("sliver", ids[sliver], "geometry", area=area[sliver])
    if kind.name == "parcels" and "area_m2" in frame:
        _check_area(frame, "area_m2", area, good & ~sliver, AREA_FACTOR, "area_mismatch", seen)
    if kind.name in ("buildings", "parcels"):
        _check_overlaps(ids, shapes, good, area, seen)
    if kind.name != "buildings":
        return
    huge = good & (area > HUGE_M2)
    seen.add("huge_footprint", ids[huge], "geometry", area=area[huge])
    _check_parts(ids, shapes, good, seen)
    if "footprint_m2" in frame:
        _check_area(frame, "footprint_m2", area, good & ~sliver, AREA_FACTOR, "area_mismatch", seen)
    if {"floors", "floor_area_m2"} <= set(frame.columns):
        wanted = area * pd.to_numeric(frame["floors"], errors="coerce").to_numpy(float)
        rows = good & ~sliver & (wanted > 0)
        fault, factor = "floor_area_mismatch", FLOOR_AREA_FACTOR
        _check_area(frame, "floor_area_m2", wanted, rows, factor, fault, seen)


def _check_area(
    frame: pd.DataFrame,
    name: str,
    wanted: Any,
    good: Any,
    factor: float,
    fault: str,
    seen: Findings,
) -> None:
    """Stated areas against what the shapes say: a unit for the whole column, or a slip in a row."""
    stated = pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(good & (stated > 0), stated / wanted, np.nan)
    known = np.isfinite(ratio)
    if not known.any():
        return
    middle = float(np.median(ratio[known]))
    if known.sum() >= 3 and (middle < 1 / UNIT_FACTOR or middle > UNIT_FACTOR):
        unit = min(AREA_UNITS, key=lambda u: abs(np.log(middle * AREA_UNITS[u])))
        seen.add("unit_suspect", column=name, label=label(name, lang=seen.lang), ratio=middle,
                 unit=say(unit, seen.lang),
                 factor=AREA_UNITS[unit])  # fmt: skip
        return
    off = known & ((ratio > factor) | (ratio < 1 / factor))
    word = label(name, lang=seen.lang, unit=False)
    seen.add(fault, frame.index[off], name, label=word, value=stated[off],
             wanted=np.asarray(wanted)[off])  # fmt: skip


def _check_parts(ids: Any, shapes: Any, good: Any, seen: Findings) -> None:
    """Rows of many or far parts: several houses merged by class."""
    rows = scattered_rows(shapes, good)
    seen.add("scattered_parts", ids[rows], "geometry", n=shapely.get_num_geometries(shapes)[rows])


def scattered_rows(shapes: Any, good: Any = True) -> Any:
    """Positions of the shapes of many or far parts, in metres."""
    n = shapely.get_num_geometries(shapes)
    rows = np.flatnonzero(good & (n > 1))
    x0, y0, x1, y1 = shapely.bounds(shapes[rows]).T
    apart = np.hypot(x1 - x0, y1 - y0) > PARTS_APART_M + 2 * np.sqrt(shapely.area(shapes[rows]))
    return rows[apart | (n[rows] >= MANY_PARTS)]


def _check_overlaps(ids: Any, shapes: Any, good: Any, area: Any, seen: Findings) -> None:
    """Footprints or parcels drawn twice, and such that overlap."""
    rows = np.flatnonzero(good & (area > 0))
    tree = shapely.STRtree(shapes[rows])
    one, other = tree.query(shapes[rows])
    one, other = one[one < other], other[one < other]
    meet = shapely.intersects(shapes[rows[one]], shapes[rows[other]])
    one, other = one[meet], other[meet]
    shared = shapely.area(shapely.intersection(shapes[rows[one]], shapes[rows[other]]))
    ratio = shared / np.minimum(area[rows[one]], area[rows[other]])
    same = shared > 0.999 * np.maximum(area[rows[one]], area[rows[other]])
    names = np.array(ids, object)
    names[ids.isna()] = [f"row {k + 1}" for k in np.flatnonzero(ids.isna())]
    # of three that are the same the third is named once, not with each of the others
    again = np.flatnonzero(same)[np.unique(other[same], return_index=True)[1]]
    lap = (ratio > OVERLAP_RATIO) & ~same
    for fault, at in (("duplicate_geometry", again), ("overlap", np.flatnonzero(lap))):
        mine, theirs = rows[other[at]], rows[one[at]]
        seen.add(fault, ids[mine], "geometry", other=list(names[theirs]), area=shared[at])


# --- repair -----------------------------------------------------------------------------------


def split_parts(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """One row per part, for houses that were merged by class 多部件拆分.

    Parameters
    ----------
    frame
        Layer whose rows may have several parts.

    Returns
    -------
    geopandas.GeoDataFrame
        Rows of one part keep their id; the parts of others become ``id-1``, ``id-2``, ... Their
        columns are repeated, but floor_area_m2, footprint_m2, area_m2 and tenants, which are of
        the whole, are NA.

    Raises
    ------
    LayerError
        A new id is one that exists already.

    Examples
    --------
    >>> two = shapely.MultiPolygon([shapely.box(0, 0, 9, 9), shapely.box(300, 0, 309, 9)])
    >>> layer = gpd.GeoDataFrame(geometry=[two], index=["B1"], crs=4547)
    >>> pg.intake.split_parts(layer).index.tolist()
    ['B1-1', 'B1-2']
    """
    frame = with_shapes(frame, "frame")
    parts, row = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    bare = np.flatnonzero(shapely.get_num_geometries(frame.geometry.to_numpy()) == 0)
    order = np.argsort(np.r_[row, bare], kind="stable")
    row = np.r_[row, bare][order]
    parts = np.r_[parts, frame.geometry.to_numpy()[bare]][order]
    several = np.bincount(row, minlength=len(frame))[row] > 1
    number = np.arange(len(row)) - np.searchsorted(row, row) + 1
    split: gpd.GeoDataFrame = frame.iloc[row].set_geometry(parts, crs=frame.crs)
    names = [f"{i}-{n}" if s else i for i, n, s in zip(split.index, number, several, strict=True)]
    split.index = pd.Index(names, name=frame.index.name)
    if (twice := split.index[split.index.duplicated()]).size and frame.index.is_unique:
        raise LayerError(
            "has ids that the parts would get", layer="frame", ids=twice, hint="rename them first"
        )
    for name in {"floor_area_m2", "footprint_m2", "area_m2", "tenants"} & set(split.columns):
        split[name] = split[name].mask(several)
    return split


def repair(frame: gpd.GeoDataFrame, what: str | None = None, *, lang: Lang = "zh") -> Repaired:
    """Mend what has one right answer; leave the rest to people; log every change 数据修复.

    Parameters
    ----------
    frame
        Layer of polygons under canonical names. It is not changed.
    what
        Its noun; by default told from the index's name.
    lang
        Language of the log: ``"zh"`` or ``"en"``.

    Returns
    -------
    Repaired
        ``layer``: the same rows in the same order; ``log``: id, change, area_before_m2,
        area_after_m2 [m²], one row a change.

    Raises
    ------
    LayerError
        The noun can't be told.

    Notes
    -----
    Invalid polygons are rebuilt with GEOS's *structure* method, which merges what the rings
    enclose; ``buffer(0)`` drops half a bow tie silently. Where a hole encloses its shell, their
    rings run the wrong way round, and what lies between them is meant. Lines and points left over
    in a collection are dropped. A shape of which no area remains stays as it was, for `check`.
    Duplicates, overlaps, slivers and missing values are not touched.

    References
    ----------
    OGC 06-103r4, Simple feature access, part 1: common architecture (validity of polygons).

    Examples
    --------
    >>> bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    >>> layer = gpd.GeoDataFrame(geometry=[bow], index=["B1"], crs=4547)
    >>> layer.index.name = "building_id"
    >>> mended, log = pg.repair(layer)
    >>> float(mended.area.iloc[0]), log["id"].tolist()
    (50.0, ['B1'])
    """
    frame = with_shapes(frame, "frame")
    kind = _noun_of(frame, what)
    shapes = frame.geometry.to_numpy().copy()
    polygonal = "Polygon" in kind.geometry
    before = shapely.area(shapes)
    change = np.full(len(shapes), "", object)
    flat = shapely.force_2d(shapes)
    change[shapely.has_z(shapes)] = say("heights dropped", lang)
    shapes = flat
    if polygonal:
        broken = ~shapely.is_missing(shapes) & ~shapely.is_valid(shapes)
        turned = broken & rings_turned(shapes)
        _take_over_mended(
            shapes, change, turned, by_nesting(shapes[turned]), say("rings turned by nesting", lang)
        )
        broken &= ~shapely.is_valid(shapes)
        mended = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
        _take_over_mended(shapes, change, broken, mended, say("invalid shape rebuilt", lang))
        mixed = shapely.get_type_id(shapes) == 7
        _take_over_mended(
            shapes,
            change,
            mixed,
            _polygons_only(shapes[mixed]),
            say("points and lines dropped from a collection", lang),
        )
    changed = change != ""
    log = pd.DataFrame(
        {
            "id": frame.index[changed].astype(str),
            "change": change[changed],
            "area_before_m2": before[changed],
            "area_after_m2": shapely.area(shapes[changed]),
        }
    )
    return Repaired(frame.set_geometry(shapes, crs=frame.crs), log)


def _take_over_mended(shapes: Any, change: Any, rows: Any, mended: Any, said: str) -> None:
    """Take over what was mended, where something is left of it."""
    at = np.flatnonzero(rows)[~shapely.is_empty(mended)]
    shapes[at] = mended[~shapely.is_empty(mended)]
    change[at] = [f"{c};{said}" if c else said for c in change[at]]


def _polygons_only(collections: Iterable[Any]) -> Any:
    """Union of the polygons in each collection."""
    return np.array(
        [shapely.union_all([p for p in c.geoms if p.area > 0]) for c in collections], dtype=object
    )
