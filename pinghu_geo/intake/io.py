"""What did they give me? Layers and tables in, under the names of `schema`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.coordinates import ONLY_WGS84, settle_crs
from pinghu_geo.intake.formats import TABLES, Boxes, cell_grids, cells_of, read_raw
from pinghu_geo.intake.grid import GridFit, apply_grid
from pinghu_geo.intake.headings import sheets_of
from pinghu_geo.intake.isolate import isolated_raw
from pinghu_geo.intake.recognised import (
    Meaning,
    canonical_layer,
    columns_by_file_name,
    recognised_columns,
)
from pinghu_geo.intake.shapefile import part_stamps
from pinghu_geo.intake.workbooks import one_table
from pinghu_geo.nouns.door import with_shapes
from pinghu_geo.nouns.errors import CRSError, LayerError
from pinghu_geo.nouns.files import existing
from pinghu_geo.nouns.inert import console_text, source_name
from pinghu_geo.nouns.notices import notify
from pinghu_geo.nouns.schema import Lang, Noun, noun, same_crs
from pinghu_geo.nouns.tables import crs_of
from pinghu_geo.river.axis import join_parts

__all__ = [
    "joined_and_said",
    "layer_and_findings",
    "read_layer",
    "read_table",
    "table_and_findings",
]

log = logging.getLogger(__name__)

# tables whose rows speak of one river, or all of all rivers
ALONG_RIVERS = (
    "sections",
    "design",
    "banks",
    "obstacles",
    "flows",
    "boundaries",
    "widths",
    "segments",
    "locks",
)
# So often a Shapefile is read that others keep replacing.
READS = 30
# Boxes around parts of a layer are at least so much larger [m].
LEAST_NEAR_M = 1e-6


def read_layer(
    source: str | Path,
    what: str,
    *,
    layer: str | None = None,
    crs: Any = None,
    encoding: str | None = None,
    id_column: str | None = None,
    row_ids: bool = False,
    xy: tuple[str, str] | None = None,
    grid: GridFit | None = None,
    near: gpd.GeoDataFrame | None = None,
    near_m: float = 100.0,
    isolate: bool = False,
    columns: Mapping[str, str] | None = None,
    where: str | None = None,
    values: Mapping[str, Mapping[str, Any]] | None = None,
    storey_height_m: float | None = None,
    river_name: str | None = None,
    join_gap_m: float | None = None,
) -> gpd.GeoDataFrame:
    """Read a layer of a known kind, under canonical names, indexed by its ids 读取图层.

    Parameters
    ----------
    source
        Shapefile, zip, GeoPackage, GeoJSON, GeoParquet, FlatGeobuf, DXF, KML, MapInfo TAB or
        MIF, File Geodatabase, an extract of OpenStreetMap (``.osm.pbf``: its buildings, or its
        waterways by name, with all tags as columns); CSV or XLSX with WKT, or with a row for each
        corner point; a PostGIS database (``postgresql://user@host/base``, extra ``postgis``).
    what
        ``"buildings"``, ``"parcels"``, ``"rivers"``, ``"red_line"`` or ``"zones"``.
    layer
        Layer of the file: of a DXF, the CAD layer; of a workbook, the sheet; of a zip, the file
        inside; of a database, the table. Needed where there are several.
    crs
        What the file is in, where it doesn't say. A file that says otherwise is refused.
    encoding
        Encoding of the text; by default found from its bytes.
    id_column
        Column that holds the ids; by default found by its name.
    row_ids
        Number the rows ``1``, ``2``, ... where the delivery has no ids.
    xy
        Columns of easting and northing in a table; surveyors' X points north, so often
        ``("Y", "X")``.
    grid
        Result of `fit_grid`: the file is in the local grid or old datum that it starts from.
    near
        Read only what meets the boxes around the parts of this layer, such as the red line, in
        the file's own CRS; boxes that meet become one. Formats with an index (GeoPackage,
        FlatGeobuf, GeoParquet with a covering, PostGIS) read no more than that, of up to 8
        boxes; of a Shapefile all else is passed over. Rows without geometry stay away, too.
    near_m
        How much larger the boxes are on each side [m].
    isolate
        Open the file in a process of its own, with limits of memory and time and, on Linux, no
        network: a file that would end the process is a `LayerError`. It takes a second longer.
    columns
        Which columns are meant, where their names don't tell:
        ``{"floors": "Floor", "building_id": "OBJECTID"}``.
    where
        Which rows are meant: ``"building is not null and levels >= 2"``. Columns of the file (in
        double quotes where they hold more than letters, digits, ``_ : .``), or of the data model;
        numbers and texts in single quotes; ``= != < <= > >=``, ``in (...)``, ``is null``, ``and``,
        ``or``, ``not``, brackets. A row for which it is unknown is left out.
    values
        What words of the file mean: ``{"use": {"yes": "other"}}``; ``""`` is a blank.
    storey_height_m
        Height of a storey [m], such as 3.0: floors that aren't stated are estimated from the
        height, and marked in ``floors_source``.
    river_name
        Column with the rivers' names; several rows may bear one.
    join_gap_m
        Rivers in several rows or parts become one line each, across gaps up to this [m]; see
        `join_parts`.

    Returns
    -------
    geopandas.GeoDataFrame
        Indexed by id (text); recognised columns renamed, typed, decoded to the words and
        converted to the units of the data model, all others as they came; geometry without Z.
        All rows are kept: `check` lists what is wrong with them.

    Raises
    ------
    LayerError
        The file can't be read, has several layers, or lacks ids; ``columns``, ``values`` or
        ``where`` name what isn't there, or no row is left; ``near`` with ``row_ids`` (whose
        numbers would depend on the boxes) or for rivers (which are read whole).
    CRSError
        The file doesn't say its CRS and ``crs`` is not given, or they differ; ``near`` is in
        another CRS.

    Notes
    -----
    The encoding of the text and why it was taken, and what was odd about the file (columns that
    could be meant too, units converted, rings closed) are logged (logger ``pinghu_geo``, level
    INFO); ``pg.check`` of the same file lists what was odd.

    References
    ----------
    ESRI Shapefile Technical Description (1998); OGC 12-128, GeoPackage Encoding Standard; RFC 7946
    (GeoJSON); GeoParquet 1.1 (OGC).

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> buildings.index.name, buildings.crs.to_epsg()
    ('building_id', 4547)
    >>> high = pg.read_layer(sample / "房屋.shp", "buildings", where="层数 >= 6 and 用途 = '住宅'")
    >>> int(high["floors"].min()), high["use"].unique().tolist()
    (6, ['residential'])
    """
    frame, seen = layer_and_findings(
        source, what, crs=crs, id_column=id_column, row_ids=row_ids, grid=grid, near=near,
        near_m=near_m, isolate=isolate, layer=layer, encoding=encoding, xy=xy,
        columns=columns, where=where, values=values, storey_height_m=storey_height_m,
        river_name=river_name, join_gap_m=join_gap_m,
    )  # fmt: skip
    _log_findings(source, seen)
    return frame


def _log_findings(source: str | Path, seen: Findings) -> None:
    """Say what was odd about a file to whoever listens."""
    if log.isEnabledFor(logging.INFO):
        name = console_text(source_name(source))
        for line in seen:
            log.info("%s: %s", name, console_text(line))


def layer_and_findings(
    source: str | Path,
    what: str,
    *,
    lang: Lang = "en",
    crs: Any = None,
    id_column: str | None = None,
    row_ids: bool = False,
    grid: GridFit | None = None,
    near: gpd.GeoDataFrame | None = None,
    near_m: float = 100.0,
    isolate: bool = False,
    columns: Mapping[str, str] | None = None,
    where: str | None = None,
    values: Mapping[str, Mapping[str, Any]] | None = None,
    storey_height_m: float | None = None,
    river_name: str | None = None,
    join_gap_m: float | None = None,
    **raw: Any,
) -> tuple[gpd.GeoDataFrame, Findings]:
    """What `read_layer` reads, and what was odd about it; ``raw`` goes to `read_raw`."""
    kind = noun(what)
    _require_sound_join_gap(what, join_gap_m)
    said = dict(columns or {}) | ({} if river_name is None else {"river": river_name})
    meaning = Meaning(said, values or {}, where, storey_height_m)
    if kind.index is not None and id_column is None and isinstance(said.get(kind.index), str):
        id_column = said[kind.index]
    near = None if near is None else with_shapes(near, "near")
    boxes = None if near is None else _boxes_around_parts(near, near_m, what, row_ids=row_ids)
    reading: dict[str, Any] = {"isolate": isolate, "boxes": boxes, "id_column": id_column, **raw}
    frame, seen = _read_unchanged(source, what, lang, where=where, **reading)
    only_wgs84 = str(source).lower().endswith(ONLY_WGS84)
    wider = None
    if boxes is not None or where is not None:

        def wider(first: int | None) -> Any:
            """The file's first rows, or all: a part of it is judged by what the whole would be."""
            beside = reading | {"boxes": None, "first": first}
            rows = _read_unchanged(source, what, lang, **beside)[0]
            rows = rows if grid is None else apply_grid(rows, grid)
            rows = rows if first is None else rows.iloc[:first]
            return settle_crs(rows, crs, what, Findings(what), only_wgs84=only_wgs84)

    if where is not None and frame.empty:  # read whole, to say what there is
        frame, seen = _read_unchanged(source, what, lang, **reading)
    if grid is not None:
        frame = apply_grid(frame, grid)
    frame = settle_crs(frame, crs, what, seen, only_wgs84=only_wgs84)
    if near is not None and boxes is not None:
        frame = _rows_meeting_boxes(frame, near, boxes, what)
        if frame.empty:
            notify(f"{what}: {source_name(source)} has nothing within {near_m:g} m of near")
    if shapely.has_z(frame.geometry.to_numpy()).any():
        seen.add("heights_dropped")
        frame = frame.set_geometry(shapely.force_2d(frame.geometry.to_numpy()), crs=frame.crs)
    frame = canonical_layer(
        frame, kind, id_column, seen, row_ids=row_ids, meaning=meaning, wider=wider
    )
    return (frame if join_gap_m is None else joined_and_said(frame, join_gap_m, seen)), seen


# what was done to a centreline, as a fault of its delivery
JOINS = {"turned": "part_turned", "joined": "gap_bridged", "branch": "branch_left_out"}


def joined_and_said(rivers: gpd.GeoDataFrame, gap_m: float, seen: Findings) -> gpd.GeoDataFrame:
    """Rivers joined to one line each; what was turned, bridged or left out for it is found."""
    joined = join_parts(rivers, gap_m=gap_m)
    log = joined.log
    for change, fault in JOINS.items():
        rows = log[log["change"] == change]
        ends = zip(rows["from_m"], rows["to_m"], strict=True)
        seen.add(fault, rows["river"], "geometry", long=rows["length_m"].tolist(),
                 place=[f"{a:,.1f}-{b:,.1f} m" for a, b in ends])  # fmt: skip
    return joined.layer


def _require_sound_join_gap(what: str, join_gap_m: float | None) -> None:
    """Refuse a gap that isn't one, or of what has no parts to join."""
    if join_gap_m is None:
        return
    if what != "rivers":
        raise LayerError("only rivers are joined", layer=what, hint="leave out join_gap_m")
    if isinstance(join_gap_m, bool) or not 0 <= float(join_gap_m) < np.inf:
        raise LayerError("join_gap_m is no width [m]", layer=what, hint="join_gap_m = 20")


def _read_unchanged(
    source: str | Path, what: str, lang: Lang, *, isolate: bool, **raw: Any
) -> tuple[gpd.GeoDataFrame, Findings]:
    """A layer as it came; read again where its parts were replaced meanwhile, one by one."""
    for _ in range(READS):
        before, seen = part_stamps(source), Findings(what, lang)
        try:
            read = isolated_raw if isolate else read_raw
            frame = read(source, what, seen, **raw)
        except LayerError:
            if part_stamps(source) == before:
                raise
            continue
        if part_stamps(source) == before:
            return frame, seen
    raise LayerError(
        f"{Path(source).name} is being replaced all the time",
        layer=what,
        hint="wait until its writer has ended",
    )


def _rows_meeting_boxes(
    frame: gpd.GeoDataFrame, near: gpd.GeoDataFrame, boxes: Boxes, what: str
) -> gpd.GeoDataFrame:
    """What meets a box, of what a file's index let through."""
    own = crs_of(frame)
    if not same_crs(own, near.crs):
        raise CRSError(
            f"is in {own.name}, near in {near.crs.name if near.crs else 'no CRS'}",
            layer=what,
            hint=f"near=near.to_crs({own.to_epsg() or own.to_string()!r})",
        )
    tree = shapely.STRtree(np.asarray(shapely.box(*boxes.T)))
    meets = np.zeros(len(frame), bool)
    meets[tree.query(frame.geometry.to_numpy(), predicate="intersects")[0]] = True
    if meets.all():  # most formats leave nothing over, and a copy of all rows is not free
        return frame
    # GeoParquet keeps an index of its own, which may be the ids
    return frame[meets] if frame.index.name else frame[meets].reset_index(drop=True)


def read_table(
    source: str | Path,
    what: str,
    *,
    sheet: str | int | None = None,
    encoding: str | None = None,
    columns: Mapping[str, str] | None = None,
    values: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """Read a table of a known kind from CSV or XLSX, under canonical names 读取表格.

    Parameters
    ----------
    source
        ``.csv``, ``.txt`` (comma), ``.xlsx``.
    what
        ``"widths"``, ``"rates"``, ``"segments"``, ``"ledger"``, ``"units"``, ``"control"`` ...
    sheet
        Sheet of a workbook, by name or position; by default all that hold such a table, as one: a
        sheet a river (its name is the river's where no column says) or a part of one. Hidden
        sheets and explanations are passed over, sheets that speak of the same things refused.
    encoding
        Encoding of a CSV; by default UTF-8 or GBK by its bytes.
    columns
        Which columns are meant, where names don't tell: ``{"elevation_m": "高程(1985)"}``, or the
        other way round.
    values
        What words of the file mean: ``{"use": {"民房": "residential"}}``; ``""`` is a blank.

    Returns
    -------
    pandas.DataFrame
        Recognised columns renamed, typed and converted to the units of the data model, by what
        headings (``流量(L/s)``), titles (``单位:万元``) and cells (``2.2‰``, ``1/455``) say;
        chainages as text (``K1+200``) become metres. ``line`` keeps the prefix of another line
        (DK), ``datum`` the height system that a heading or a title states. The index is the row
        number in the file, so that messages lead back to it.

    Raises
    ------
    LayerError
        The file can't be read; a unit of something else (元/户 for 元/m²); two columns for one
        meaning; a quantity merged over several rows; a second table on the sheet; rows with more
        cells than the heading.
    ChainageError
        A chainage can't be read, or several lines are mixed; the rows are named.

    Notes
    -----
    Titles above the heading, headings of several rows, rows of units, repeated headings and notes
    below the table are told apart. A merged cell speaks for every cell that it covers.

    Examples
    --------
    >>> pg.read_table(sample / "红线宽度_原方案.csv", "widths").columns.tolist()
    ['river', 'chainage_m', 'left_m', 'right_m']
    """
    frame, seen = table_and_findings(
        source, what, sheet=sheet, encoding=encoding, columns=columns, values=values
    )
    _log_findings(source, seen)
    return frame


def table_and_findings(
    source: str | Path,
    what: str,
    *,
    lang: Lang = "en",
    sheet: str | int | None = None,
    encoding: str | None = None,
    columns: Mapping[str, str] | None = None,
    values: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[pd.DataFrame, Findings]:
    """What `read_table` reads, and what was odd about it."""
    kind = noun(what)
    seen = Findings(what, lang)
    path = existing(Path(source), what)
    if path.suffix.lower() not in TABLES or path.is_dir():
        raise LayerError(
            f"{path.name} is no table that can be read", layer=what, hint="save it as .xlsx or .csv"
        )
    grids = cell_grids(path, what, seen, encoding)
    names: list[Any] = [0 if sheet is None else sheet]
    if sheet is None and len(grids) > 1:
        names = list(sheets_of(grids, kind)) or names
    tables = {}
    for name in names:
        frame = cells_of(grids, name, path, what, seen)
        said = columns_by_file_name(columns, frame, kind) if columns else None
        frame = recognised_columns(frame, kind, seen, columns=said, words=values)
        _require_river_in_rows(frame, kind)
        tables[name] = frame
    return (one_table(tables, path, kind, seen) if len(tables) > 1 else frame), seen


def _require_river_in_rows(frame: pd.DataFrame, kind: Noun) -> None:
    """Refuse rows without a river among rows that have one: they would speak of all rivers."""
    if "river" not in frame.columns or kind.name not in ALONG_RIVERS:
        return
    blank = frame["river"].isna().to_numpy()
    if blank.any() and not blank.all():
        raise LayerError(
            "has rows without a river among rows that name one (rows of the file)",
            layer=kind.name,
            ids=frame.index[blank],
            hint="write the river in each row; a cell that was merged is blank in a CSV",
            fault="unreadable",
        )


def _boxes_around_parts(
    near: gpd.GeoDataFrame, near_m: float, what: str, *, row_ids: bool
) -> Boxes:
    """Boxes around the parts of a layer, a little larger; those that meet become one."""
    if row_ids or what == "rivers":
        raise LayerError(
            "read near something would have other row numbers each time"
            if row_ids
            else "are read whole: their chainage begins at their upper end",
            layer=what,
            hint="leave out near, or give the layer ids" if row_ids else "leave out near",
        )
    parts = shapely.get_parts(near.geometry.to_numpy())
    parts = parts[~(shapely.is_missing(parts) | shapely.is_empty(parts))]
    if not len(parts) or not 0 <= near_m < np.inf:
        raise LayerError(
            "is empty, or near_m below 0", layer="near", hint="near=red_line, near_m=100"
        )
    wide = max(near_m, LEAST_NEAR_M)  # the box of a line that runs straight north has no area
    bounds = shapely.bounds(parts) + np.array([-wide, -wide, wide, wide])
    count = 0
    while count != len(bounds):
        count = len(bounds)
        joined = shapely.union_all(shapely.box(*bounds.T))
        bounds = shapely.bounds(shapely.get_parts(joined))
    return np.asarray(bounds)
