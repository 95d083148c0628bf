"""How does one begin? From a folder of other people's files to a project file and forms to fill."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from pinghu_geo.deliver.forms import write_blank_form
from pinghu_geo.intake.io import read_layer
from pinghu_geo.intake.osm import NAMELESS
from pinghu_geo.intake.sight import Sight, sights
from pinghu_geo.nouns.errors import CRSError, LayerError, OutputError, PinghuError, ProjectError
from pinghu_geo.nouns.inert import console_text
from pinghu_geo.nouns.replacing import atomic_path
from pinghu_geo.nouns.schema import NOUNS, grid_of_place, is_mercator, match_columns, same_datum
from pinghu_geo.river.axis import join_parts
from pinghu_geo.river.centreline import river_scales

__all__ = ["new_project"]

# A covered reach up to so long [m] is bridged where a river comes in several parts.
JOIN_GAP_M = 20.0
# Rivers so near to the buildings [m] are taken.
BESIDE_M = 500.0
# Forms for what may be missing: noun by file.
OPTIONAL = {"rates": "补偿标准.xlsx", "segments": "责任段.xlsx"}
WIDTHS = "红线宽度.xlsx"


@dataclass(slots=True)
class _Taken:
    """A layer that was taken, and what the project file has to say of it."""

    seen: Sight
    frame: gpd.GeoDataFrame
    keys: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def new_project(folder: str | Path, *, name: str | None = None) -> pd.DataFrame:
    """Write a project file and forms for a folder of layers and tables 新建项目.

    Parameters
    ----------
    folder
        Where the files lie: layers, workbooks, rasters, in folders of it too.
    name
        Of the project; by default the folder's.

    Returns
    -------
    pandas.DataFrame
        What lies there, a row a layer, table or raster: file, layer, what (empty where nothing
        tells), why, rows, taken. ``project.toml`` in the folder takes the largest of each kind;
        the forms beside it are to be filled: ``红线宽度.xlsx``, unless a table of widths is there,
        ``补偿标准.xlsx`` and ``责任段.xlsx``. A form that lies there is left alone.

    Raises
    ------
    OutputError
        There is a project file already, which is never overwritten.
    ProjectError
        No buildings, or no rivers, were found.

    Examples
    --------
    >>> import shutil
    >>> for part in (*sample.glob("房屋.*"), *sample.glob("河道.*")):
    ...     _ = shutil.copy(part, folder)
    >>> pg.new_project(folder)[["file", "what"]].values.tolist()
    [['房屋.shp', 'buildings'], ['河道.shp', 'rivers']]
    >>> sorted(p.name for p in folder.glob("*.xlsx"))
    ['红线宽度.xlsx', '补偿标准.xlsx', '责任段.xlsx']
    """
    place = Path(folder)
    if not place.is_dir():
        raise ProjectError(f"there is no folder {place}", hint="pinghu new .")
    target = place / "project.toml"
    if target.exists():
        raise OutputError(
            f"there is a project file already: {target}", hint=f"pinghu run {target} --out 结果"
        )
    found = sights(place)
    buildings = _buildings(_largest(found, "buildings", place))
    code = _grid(buildings.frame)
    rivers = _rivers(_largest(found, "rivers", place), code, buildings.frame)
    taken = {"buildings": buildings.seen, "rivers": rivers.seen}
    for what in ("parcels", "zones", *OPTIONAL):
        if any(s.what == what for s in found):
            taken[what] = _largest(found, what, place)
    tables = [s for s in found if s.what == "widths"]
    if not tables and not (place / WIDTHS).exists():
        write_blank_form(place / WIDTHS, "widths", rows=_ends(rivers.frame))
    for what, form in OPTIONAL.items():
        if what not in taken and not (place / form).exists():
            write_blank_form(place / form, what)
    text = _project(place, name or place.resolve().name, code, buildings, rivers, taken, tables)
    with atomic_path(target) as temporary:
        temporary.write_text(text, "utf-8")
    chosen = {(s.path, s.layer) for s in (*taken.values(), *tables)}
    return pd.DataFrame(
        {
            "file": [_relative(s.path, place) for s in found],
            "layer": [s.layer or "" for s in found],
            "what": [s.what for s in found],
            "why": [s.why for s in found],
            "rows": [s.rows if s.rows >= 0 else pd.NA for s in found],
            "taken": [(s.path, s.layer) in chosen for s in found],
        }
    )


def _largest(found: Sequence[Sight], what: str, place: Path) -> Sight:
    """The layer of a kind with the most rows."""
    alike = [s for s in found if s.what == what]
    if not alike:
        kinds = "areas" if what == "buildings" else "lines"
        raise ProjectError(
            f"{place} holds no layer of {what} that could be told",
            hint=f"{what} are {kinds}; call the file {NOUNS[what].zh}, or write project.toml",
        )
    return max(alike, key=lambda s: s.rows)


def _relative(path: Path, place: Path) -> str:
    return os.path.relpath(path, place).replace(os.sep, "/")


def _grid(frame: gpd.GeoDataFrame) -> int:
    """The layer's own grid where it is in metres, else the grid of the place on its datum."""
    code = frame.crs.to_epsg()
    metres = frame.crs.is_projected and frame.crs.axis_info[0].unit_name in ("metre", "meter")
    if metres and code and not is_mercator(frame.crs):
        return int(code)
    bounds = tuple(frame.total_bounds)
    grid = grid_of_place(frame.crs, bounds)
    if same_datum(frame.crs, gpd.GeoSeries(crs=grid).crs):
        return grid
    return int(frame.estimate_utm_crs().to_epsg())


def _buildings(seen: Sight) -> _Taken:
    """Buildings as they lie there, with numbers for ids where there are no sound ones."""
    reading: dict[str, Any] = {} if seen.layer is None else {"layer": seen.layer}
    keys, notes = dict(reading), []
    try:
        frame = read_layer(seen.path, "buildings", **reading)
        sound = frame.index.is_unique and not frame.index.isna().any()
    except CRSError:
        raise
    except LayerError:
        sound = False
    if not sound:
        keys["row_ids"] = True
        notes.append("没有可用的唯一编号,按行号编号")
        frame = read_layer(seen.path, "buildings", **keys)
    if "floors" not in frame.columns and "floor_area_m2" not in frame.columns:
        notes.append(
            "没有层数:有高度,可写 storey_height_m = 3.0 估算"
            if "height_m" in frame.columns
            else '没有层数,建筑面积不详;如有该列,写 columns = { floors = "列名" }'
        )
    return _Taken(seen, frame, keys, notes)


def _rivers(seen: Sight, code: int, buildings: gpd.GeoDataFrame) -> _Taken:
    """Rivers that pass the buildings, with what makes one line a river of them."""
    reading: dict[str, Any] = {} if seen.layer is None else {"layer": seen.layer}
    column = next((g for g, n in match_columns(seen.columns, NOUNS["rivers"]).items()
                   if n == "river"), None)  # fmt: skip
    if column is None:
        frame = read_layer(seen.path, "rivers", row_ids=True, **reading)
        notes = ['没有河名,按行号命名;如有该列,写 river_name = "列名"']
        return _Taken(seen, frame.to_crs(code), {**reading, "row_ids": True}, notes)
    frame = read_layer(seen.path, "rivers", **reading).to_crs(code)
    named = frame[frame.index.notna() & ~(frame.is_empty | frame.geometry.isna())]
    beside = shapely.box(*buildings.to_crs(code).total_bounds).buffer(BESIDE_M)
    near = named[named.intersects(beside)].index.unique()
    near = near[~near.astype(str).str.fullmatch(NAMELESS.pattern)]
    whole, apart, lines = [], [], []
    for river in near:
        try:
            line = join_parts(named[named.index == river], gap_m=JOIN_GAP_M).layer
            river_scales(line)  # a line that crosses itself is no river
            lines.append(line)
            whole.append(str(river))
        except PinghuError:
            apart.append(str(river))
    if not whole:
        raise ProjectError(
            f"{seen.path.name}: no river that has a name passes the buildings as one line",
            hint="pg.join_parts(rivers, gap_m=100)  # see which parts are apart",
        )
    keys, notes = dict(reading), []
    if len(whole) < len(frame.index.unique()):
        listed = ", ".join("'" + one.replace("'", "''") + "'" for one in whole)
        quoted = '"' + column.replace('"', '""') + '"'
        keys["where"] = f"{quoted} in ({listed})"
        notes.append("只取经过房屋范围、有名称、能连成一条线的河")
    if apart:
        notes.append(f"各段相距超过 {JOIN_GAP_M:g} m,或自相交,未取:{'、'.join(apart[:20])}")
    some = frame[frame.index.isin(whole)]
    if len(some) != len(whole) or (shapely.get_num_geometries(some.geometry.to_numpy()) > 1).any():
        keys["join_gap_m"] = JOIN_GAP_M
    notes.append("河道须按水流方向绘制:左右岸由此而定")
    return _Taken(seen, pd.concat(lines), keys, notes)


def _ends(rivers: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Rows of the form of widths: both ends of each river."""
    return [
        {"river": river, "chainage_m": f"{at:.1f}"}
        for (river, scale), length in zip(river_scales(rivers).items(), rivers.length, strict=True)
        # rounded inwards: a chainage beyond the end would be refused
        for at in scale.chainage([0.0, int(length * 10) / 10])
    ]


def _text(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"


def _remark(text: str) -> str:
    """A remark on one line, whatever a file is called."""
    return "# " + " ".join(console_text(text).split())


def _project(
    place: Path,
    name: str,
    code: int,
    buildings: _Taken,
    rivers: _Taken,
    taken: dict[str, Sight],
    widths: Sequence[Sight],
) -> str:
    """The project file, commented."""
    invalid = not shapely.is_valid(buildings.frame.geometry.to_numpy()).all()
    lines = [
        "# 由 pinghu new 写出;每行可改。",
        "# 检查: pinghu check project.toml;运行: pinghu run project.toml --out 结果",
        f"name = {_text(name)}",
        f"crs = {code}  # 计算所用坐标系,须为米制投影",
        f"repair = {_text(invalid)}  # 几何错误自动修复,逐条记录",
    ]  # fmt: skip
    for what, one in (("buildings", buildings), ("rivers", rivers)):
        lines += ["", f"[layers.{what}]", _remark(f"{NOUNS[what].zh}:{one.seen.why}")]
        lines += [_remark(note) for note in one.notes]
        lines += [f"path = {_text(_relative(one.seen.path, place))}"]
        lines += [f"{key} = {_text(value)}" for key, value in one.keys.items()]
    for what in ("parcels", "zones"):
        if what in taken:
            lines += ["", f"# [layers.{what}]  # {NOUNS[what].zh},可用时去掉行首 #",
                      _remark(f"path = {_text(_relative(taken[what].path, place))}")]  # fmt: skip
            lines += [_remark(f"layer = {_text(layer)}") for layer in [taken[what].layer] if layer]
    lines += ["", "[tables]"]
    for what, form in OPTIONAL.items():
        given = _relative(taken[what].path, place) if what in taken else form
        entry = f"{what} = {_text(given)}"
        lines.append(entry if what in taken else f"# {entry}  # {NOUNS[what].zh}:填好后去掉行首 #")
    for k, table in enumerate(widths):
        scheme = table.path.stem if k or len(widths) > 1 else "原方案"
        lines += ["", f"[schemes.{_text(scheme)}]",
                  f"widths = {_text(_relative(table.path, place))}"]  # fmt: skip
    if not widths:
        lines += ["", '[schemes."原方案"]', f"widths = {_text(WIDTHS)}  # 填好左宽、右宽",
                  "# 全线等宽不用填表: widths = 15,或 { left = 12, right = 15 }"]  # fmt: skip
    return "\n".join(lines) + "\n"
