"""Is it sound? Every fault of a layer at once, and the repairs that have one right answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.errors import LayerError
from pinghu_geo.schema import NOUNS, Column, Noun, label, nearest, noun

__all__ = ["Repaired", "check", "repair"]

FIELDS = ["layer", "severity", "fault", "id", "field", "problem", "advice"]
# A footprint smaller than this [m²] is a sliver of the drawing, one larger is no house.
SLIVER_M2 = 1.0
HUGE_M2 = 200_000.0
# Two footprints sharing more than this of the smaller are one building drawn twice, or a fault.
OVERLAP_RATIO = 0.1


class Repaired(NamedTuple):
    """A repaired layer and the log of what was done to it, row by row 修复结果."""

    layer: gpd.GeoDataFrame
    log: pd.DataFrame


def check(frame: pd.DataFrame, what: str | None = None) -> pd.DataFrame:
    """List every fault of a layer or table at once 数据检查.

    Parameters
    ----------
    frame
        Layer or table under canonical names.
    what
        Its noun; by default told from the index's name.

    Returns
    -------
    pandas.DataFrame
        One row a fault: layer, severity {error, warning, note}, fault (its code), id, field,
        problem and advice in Chinese. Errors come first; an error keeps the layer from being
        computed with. Empty where nothing is wrong.

    Raises
    ------
    LayerError
        The noun can't be told.

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> pg.check(buildings).columns.tolist()
    ['layer', 'severity', 'fault', 'id', 'field', 'problem', 'advice']
    """
    kind = _noun_of(frame, what)
    found: list[pd.DataFrame] = []

    def add(severity: str, fault: str, ids: Any, field: str, problem: Any, advice: str) -> None:
        ids = list(ids)
        if ids:
            found.append(
                pd.DataFrame(
                    {
                        "layer": kind.name,
                        "severity": severity,
                        "fault": fault,
                        "id": [str(i) for i in ids],
                        "field": field,
                        "problem": problem,
                        "advice": advice,
                    }
                )
            )

    _check_columns(frame, kind, add)
    _check_values(frame, kind, add)
    if isinstance(frame, gpd.GeoDataFrame):
        _check_crs(frame, add)
        _check_geometry(frame, kind, add)
    if not found:
        return pd.DataFrame(columns=FIELDS)
    table = pd.concat(found, ignore_index=True)[FIELDS]
    rank = table["severity"].map({"error": 0, "warning": 1, "note": 2})
    return table.iloc[np.argsort(rank, kind="stable")].reset_index(drop=True)


def _noun_of(frame: pd.DataFrame, what: str | None) -> Noun:
    if what is not None:
        return noun(what)
    for one in ("buildings", "parcels", "rivers", "zones"):
        if frame.index.name == NOUNS[one].index:
            return NOUNS[one]
    raise LayerError(
        "can't tell what this table is meant to be", hint='pg.check(frame, "buildings")'
    )


def _check_columns(frame: pd.DataFrame, kind: Noun, add: Any) -> None:
    """Missing columns and ids."""
    for name in kind.required:
        if name != kind.index and name not in frame.columns:
            add(
                "error",
                "missing_column",
                ["-"],
                name,
                f"缺少字段“{label(name)}”",
                f'frame.rename(columns={{"原字段名": "{name}"}})',
            )
    if kind.name == "buildings" and not {"floors", "floor_area_m2"} & set(frame.columns):
        add(
            "warning",
            "missing_column",
            ["-"],
            "floor_area_m2",
            "既无建筑面积也无层数,无法计算拆除面积",
            "补充字段 建筑面积 或 层数",
        )
    if kind.index is None:
        return
    index = frame.index
    add(
        "error",
        "missing_id",
        np.flatnonzero(index.isna()) + 1,
        kind.index,
        "编号为空(所示为行号)",
        "补充编号后重新读取",
    )
    twice = index[index.duplicated(keep=False) & index.notna()]
    add(
        "error",
        "duplicate_id",
        twice.unique(),
        kind.index,
        [f"编号重复 {n} 次" for n in twice.value_counts(sort=False).reindex(twice.unique())],
        "查明哪一行正确,再 frame[~frame.index.duplicated()]",
    )
    text = pd.Series(index.dropna().unique().astype(str))
    spoilt = text[text.str.fullmatch(r"\d{16,}\.0|\d\.\d+[eE]\+\d+")]
    add(
        "error",
        "id_as_number",
        spoilt,
        kind.index,
        "编号曾按数值存储,末位已丢失",
        "向提供方索取以文本存储编号的数据",
    )


def _check_values(frame: pd.DataFrame, kind: Noun, add: Any) -> None:
    """Types, ranges, words and blanks, column by column, judged by pandera."""
    import pandera.pandas as pa

    present = [c for c in kind.columns if c.name in frame.columns and c.name != kind.index]
    for column in present:
        values = frame[column.name]
        blank = values.isna()
        severity = "error" if column.required else "note"
        add(
            severity,
            "null_value",
            frame.index[blank],
            column.name,
            f"{column.zh}为空",
            "补充;缺失的依据不会被当作“可保留”",
        )
    checks = {c.name: pa.Column(checks=_rules(c, pa), nullable=True) for c in present}
    try:
        pa.DataFrameSchema(checks).validate(
            pd.DataFrame(frame[[c.name for c in present]]).reset_index(drop=True), lazy=True
        )
    except pa.errors.SchemaErrors as fault:
        cases = fault.failure_cases
        if cases["index"].isna().any():  # a rule that itself failed, not a value
            raise
        for (name, rule), rows in cases.groupby(["column", "check"], sort=False):
            column = kind[str(name)]
            at = rows["index"].astype(int).to_numpy()
            words = [_advice(column, v) for v in rows["failure_case"]]
            for value in dict.fromkeys(words):
                mine = [a for a, w in zip(at, words, strict=True) if w == value]
                shown = frame[column.name].iloc[mine]
                add(
                    "error",
                    str(rule),
                    frame.index[mine],
                    column.name,
                    [f"{column.zh} {v!r}:{RULES[str(rule)]}" for v in shown],
                    value,
                )


RULES = {
    "not_a_number": "不是数值",
    "out_of_range": "超出合理范围",
    "unknown_code": "不是规定的取值",
}


def _rules(column: Column, pa: Any) -> list[Any]:
    """Pandera's checks for one column."""
    if column.dtype in ("float", "int"):

        def is_a_number(values: pd.Series) -> pd.Series:
            return pd.to_numeric(values, errors="coerce").notna()

        def within_limits(values: pd.Series) -> pd.Series:
            v = pd.to_numeric(values, errors="coerce")
            low = -np.inf if column.minimum is None else column.minimum
            high = np.inf if column.maximum is None else column.maximum
            return v.isna() | ((v >= low) & (v <= high) & np.isfinite(v))

        return [
            pa.Check(is_a_number, name="not_a_number", error="not_a_number"),
            pa.Check(within_limits, name="out_of_range", error="out_of_range"),
        ]
    if column.codes:
        known = list(column.codes)
        return [pa.Check(lambda v: v.isin(known), name="unknown_code", error="unknown_code")]
    return []


def _advice(column: Column, value: object) -> str:
    if column.codes:
        words = {w: code for code, all_words in column.codes.items() for w in (code, *all_words)}
        return nearest(value, words)
    if column.minimum is not None or column.maximum is not None:
        return (
            f"应在 {column.minimum} 至 {column.maximum} 之间"
            if column.maximum
            else (f"应不小于 {column.minimum}")
        )
    return "改为数值"


def _check_crs(frame: gpd.GeoDataFrame, add: Any) -> None:
    """A CRS that lengths and areas can be measured in."""
    if frame.crs is None:
        add("error", "no_crs", ["-"], "geometry", "没有坐标系", "frame.set_crs(4547)(按测绘成果)")
    elif not frame.crs.is_projected:
        add(
            "error",
            "geographic_crs",
            ["-"],
            "geometry",
            f"坐标系 {frame.crs.name} 以度为单位",
            "frame.to_crs(4547)",
        )
    elif frame.crs.to_epsg() == 3857:
        add(
            "error",
            "web_mercator",
            ["-"],
            "geometry",
            "EPSG:3857 的面积在北纬 22.7° 偏大 18%",
            "frame.to_crs(4547)",
        )
    elif frame.crs.area_of_use is not None and len(frame):
        x0, y0, x1, y1 = frame.to_crs(4326).total_bounds
        a = frame.crs.area_of_use
        if not (
            a.west - 1.5 <= x0 and x1 <= a.east + 1.5 and a.south - 1 <= y0 and y1 <= a.north + 1
        ):
            add(
                "error",
                "outside_crs",
                ["-"],
                "geometry",
                f"坐标超出 {frame.crs.name} 的适用范围",
                "核对坐标系、带号与 X/Y 次序",
            )


def _check_geometry(frame: gpd.GeoDataFrame, kind: Noun, add: Any) -> None:
    """Geometry that is missing, broken, of another type, out of size, or there twice."""
    ids, shapes = frame.index, frame.geometry.to_numpy()
    none = shapely.is_missing(shapes)
    empty = ~none & shapely.is_empty(shapes)
    add(
        "error",
        "no_geometry",
        ids[none],
        "geometry",
        "没有图形",
        "补绘,或 frame[frame.geometry.notna()]",
    )
    add(
        "error",
        "empty_geometry",
        ids[empty],
        "geometry",
        "图形为空",
        "补绘,或 frame[~frame.is_empty]",
    )
    some = ~none & ~empty
    kinds = shapely.get_type_id(shapes)
    names = {"Polygon": 3, "MultiPolygon": 6, "LineString": 1, "MultiLineString": 5, "Point": 0}
    wrong = some & ~np.isin(kinds, [names[g] for g in kind.geometry])
    add(
        "error",
        "wrong_geometry",
        ids[wrong],
        "geometry",
        [f"图形类型为 {s.geom_type},应为 {kind.geometry[0]}" for s in shapes[wrong]],
        "pg.repair(frame)" if "Polygon" in kind.geometry else "重新绘制",
    )
    invalid = some & ~shapely.is_valid(shapes)
    add(
        "error",
        "invalid_geometry",
        ids[invalid],
        "geometry",
        list(shapely.is_valid_reason(shapes[invalid])),
        "pg.repair(frame)",
    )
    if "Polygon" not in kind.geometry or frame.crs is None or not frame.crs.is_projected:
        return
    area = shapely.area(shapes)
    good = some & ~wrong & ~invalid
    add(
        "warning",
        "sliver",
        ids[good & (area < SLIVER_M2)],
        "geometry",
        f"面积小于 {SLIVER_M2:g} m²",
        "核对是否为绘图碎片",
    )
    if kind.name != "buildings":
        return
    add(
        "warning",
        "huge_footprint",
        ids[good & (area > HUGE_M2)],
        "geometry",
        f"基底面积超过 {HUGE_M2:,.0f} m²",
        "核对坐标系单位,或是否为多栋合并",
    )
    _check_overlaps(ids, shapes, good, area, add)


def _check_overlaps(ids: Any, shapes: Any, good: Any, area: Any, add: Any) -> None:
    """Footprints drawn twice, and footprints that overlap."""
    rows = np.flatnonzero(good & (area > 0))
    tree = shapely.STRtree(shapes[rows])
    one, other = tree.query(shapes[rows], predicate="intersects")
    one, other = one[one < other], other[one < other]
    shared = shapely.area(shapely.intersection(shapes[rows[one]], shapes[rows[other]]))
    ratio = shared / np.minimum(area[rows[one]], area[rows[other]])
    same = shared > 0.999 * np.maximum(area[rows[one]], area[rows[other]])
    add(
        "error",
        "duplicate_geometry",
        ids[rows[other[same]]],
        "geometry",
        [f"与 {ids[rows[k]]} 图形重复" for k in one[same]],
        "删除其一",
    )
    lap = (ratio > OVERLAP_RATIO) & ~same
    add(
        "warning",
        "overlap",
        ids[rows[other[lap]]],
        "geometry",
        [f"与 {ids[rows[k]]} 重叠 {s:.1f} m²" for k, s in zip(one[lap], shared[lap], strict=True)],
        "核对哪一栋画错",
    )


def repair(frame: gpd.GeoDataFrame, what: str | None = None) -> Repaired:
    """Mend what has one right answer; leave the rest to people; log every change 数据修复.

    Parameters
    ----------
    frame
        Layer of polygons under canonical names. It is not changed.
    what
        Its noun; by default told from the index's name.

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
    enclose; ``buffer(0)`` drops half a bow tie silently. Lines and points left over in a
    collection are dropped. A shape of which no area remains stays as it was, for `check`.
    Duplicates, overlaps, slivers and missing values are not touched.

    Examples
    --------
    >>> bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    >>> layer = gpd.GeoDataFrame(geometry=[bow], index=["B1"], crs=4547)
    >>> layer.index.name = "building_id"
    >>> mended, log = pg.repair(layer)
    >>> float(mended.area.iloc[0]), log["id"].tolist()
    (50.0, ['B1'])
    """
    kind = _noun_of(frame, what)
    shapes = frame.geometry.to_numpy().copy()
    polygonal = "Polygon" in kind.geometry
    before = shapely.area(shapes)
    change = np.full(len(shapes), "", object)
    flat = shapely.force_2d(shapes)
    change[shapely.has_z(shapes)] = "去除高程"
    shapes = flat
    if polygonal:
        broken = ~shapely.is_missing(shapes) & ~shapely.is_valid(shapes)
        mended = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
        _put(shapes, change, broken, mended, "重建无效图形")
        mixed = shapely.get_type_id(shapes) == 7
        _put(shapes, change, mixed, _polygons_only(shapes[mixed]), "去除图形集合中的点线")
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


def _put(shapes: Any, change: Any, rows: Any, mended: Any, said: str) -> None:
    """Take over what was mended, where something is left of it."""
    at = np.flatnonzero(rows)[~shapely.is_empty(mended)]
    shapes[at] = mended[~shapely.is_empty(mended)]
    change[at] = [f"{c};{said}" if c else said for c in change[at]]


def _polygons_only(collections: Iterable[Any]) -> Any:
    """Union of the polygons in each collection."""
    return np.array(
        [shapely.union_all([p for p in c.geoms if p.area > 0]) for c in collections], dtype=object
    )
