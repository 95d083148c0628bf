"""What did they give me? Layers and tables in, under the names of `schema`; layers out."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.conditions import Condition, parse_condition, require_names
from pinghu_geo.intake.coordinates import settle_crs
from pinghu_geo.intake.dialects import dialect_of
from pinghu_geo.intake.formats import PARQUET, TABLES, Boxes, cell_grids, cells_of, read_raw
from pinghu_geo.intake.gdal import write_frame
from pinghu_geo.intake.grid import GridFit, apply_grid
from pinghu_geo.intake.headings import column_names, is_height, sheets_of
from pinghu_geo.intake.isolate import isolated_raw
from pinghu_geo.intake.likeness import columns_meant
from pinghu_geo.intake.shapefile import part_stamps
from pinghu_geo.intake.workbooks import one_table
from pinghu_geo.nouns.door import (
    EXACT,
    TRUTH,
    clean,
    with_ids_as_column,
    with_named_ids,
    with_shapes,
)
from pinghu_geo.nouns.errors import ChainageError, CRSError, LayerError, OutputError
from pinghu_geo.nouns.files import existing
from pinghu_geo.nouns.inert import cell_text, console_text, database_name, source_name
from pinghu_geo.nouns.notices import notify
from pinghu_geo.nouns.numerals import numbers_written
from pinghu_geo.nouns.replacing import SHAPEFILE_PARTS, atomic_parts, atomic_path
from pinghu_geo.nouns.schema import (
    Column,
    Lang,
    Noun,
    bare_name,
    canonical_codes,
    code_label,
    label,
    nearest,
    noun,
    one_of,
    rival_columns,
    same_crs,
)
from pinghu_geo.nouns.tables import crs_of
from pinghu_geo.nouns.units import (
    Stated,
    cell_units,
    datum_stated,
    ratios_written,
    turned_over,
    unit_stated,
)
from pinghu_geo.river.axis import join_parts
from pinghu_geo.river.chainage import chainage_prefix, parse_chainage

__all__ = [
    "Meaning",
    "canonical_layer",
    "database_frame",
    "layer_and_findings",
    "read_layer",
    "read_table",
    "table_and_findings",
    "with_one_shape",
    "write_layer",
]

log = logging.getLogger(__name__)

# Longest text in a .dbf field [bytes].
DBF_TEXT_BYTES = 254
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
# surveyed sections are no nearer to each other than that, most of them [m]
NEAREST_M = 1.0
BARE = re.compile(r"-?\d+(?:\.\d*)?")
# a chainage that says no unit of its own
PLAIN_METRES = re.compile(r"[-+−]?\d+(\.\d*)?")
# So often a Shapefile is read that others keep replacing.
READS = 30
# one thing: what OSM, its areas, and QuickOSM call it
OSM_IDS = {"osm_id", "osm_way_id", "full_id"}
# Boxes around parts of a layer are at least so much larger [m].
LEAST_NEAR_M = 1e-6


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the user says of a file whose names, words and rows don't tell it themselves.

    ``columns`` maps the names of the data model to the file's, ``values`` such a name to the words
    of the file and what they mean; ``where`` says which rows are meant.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    where: str | None = None
    storey_height_m: float | None = None


PLAIN = Meaning()


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
    wider = None
    if boxes is not None or where is not None:

        def wider(first: int | None) -> Any:
            """The file's first rows, or all: a part of it is judged by what the whole would be."""
            beside = reading | {"boxes": None, "first": first}
            rows = _read_unchanged(source, what, lang, **beside)[0]
            rows = rows if grid is None else apply_grid(rows, grid)
            return settle_crs(
                rows if first is None else rows.iloc[:first], crs, what, Findings(what)
            )

    if where is not None and frame.empty:  # read whole, to say what there is
        frame, seen = _read_unchanged(source, what, lang, **reading)
    if grid is not None:
        frame = apply_grid(frame, grid)
    frame = settle_crs(frame, crs, what, seen)
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
    return (frame if join_gap_m is None else join_parts(frame, gap_m=join_gap_m).layer), seen


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
        said = _columns_by_file_name(columns, frame, kind) if columns else None
        frame = _recognised_columns(frame, kind, seen, columns=said, words=values)
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


def write_layer(
    frame: gpd.GeoDataFrame, target: str | Path, what: str, *, encoding: str | None = None
) -> None:
    """Write a layer whole or not at all; Shapefiles with Chinese names in GBK 写出图层.

    Parameters
    ----------
    frame
        Layer under canonical names.
    target
        ``.shp``, ``.gpkg``, ``.geojson``, ``.fgb`` or ``.parquet``. An existing file is
        replaced.
    what
        Its noun; decides the Chinese field names and words of a Shapefile.
    encoding
        Of a Shapefile; the .cpg says so. By default GBK, or UTF-8 where a character isn't in GBK.

    Raises
    ------
    LayerError
        The suffix is not known; a table without geometry, or with a second one.
    OutputError
        Field names collide after the cut to 10 bytes, texts are too long, ``encoding`` lacks one
        of their characters, or the file can't be written.

    References
    ----------
    ESRI Shapefile Technical Description (1998); OGC 12-128, GeoPackage Encoding Standard; RFC 7946
    (GeoJSON); GeoParquet 1.1 (OGC).

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> pg.write_layer(rivers, folder / "河道.shp", "rivers")
    >>> pg.read_layer(folder / "河道.shp", "rivers").index.tolist() == rivers.index.tolist()
    True
    """
    path = Path(target)
    suffix = path.suffix.lower()
    if suffix not in {".shp", ".gpkg", ".geojson", ".fgb"} | PARQUET:
        raise LayerError(
            f"{path.name} has a suffix that can't be written",
            layer=what,
            hint="use .gpkg, .shp, .geojson, .fgb or .parquet",
        )
    frame = clean(frame, what)
    frame = with_one_shape(frame, what, suffix)
    frame = with_named_ids(frame, what)
    if frame.columns.inferred_type != "string":
        frame = frame.rename(columns=str)
    flat = with_ids_as_column(frame)
    if suffix in PARQUET:
        with atomic_path(path) as temporary:
            frame.to_parquet(temporary, write_covering_bbox=True)
        return
    # two numbers a corner: 8 bytes each, or a digit with its comma
    corners = shapely.count_coordinates(frame.geometry.to_numpy())
    room = corners * (4 if suffix == ".geojson" else 16)
    if suffix != ".shp":
        with atomic_path(path, room=room) as temporary:
            write_frame(database_frame(flat), temporary, layer=database_name(path.stem))
        return
    encoding = encoding or ("GBK" if not len(_rows_not_encodable(flat, "GBK")) else "UTF-8")
    if len(lost := _rows_not_encodable(flat, encoding)):
        raise OutputError(
            f"holds characters that {encoding} doesn't have",
            ids=lost,
            hint='pg.write_layer(..., encoding="UTF-8")',
        )
    flat = _frame_for_shapefile(database_frame(flat), noun(what), encoding)
    with atomic_parts(path, drop=SHAPEFILE_PARTS, room=room) as folder:
        made = folder / path.name
        write_frame(flat, made, encoding=encoding)
        made.with_suffix(".cpg").write_text(encoding, "ascii")


def _rows_not_encodable(flat: gpd.GeoDataFrame, encoding: str) -> list[object]:
    """Ids of rows, and names of columns, with a character that an encoding doesn't have."""

    def fits(text: object) -> bool:
        try:
            str(text).encode(encoding)
        except UnicodeEncodeError:
            return False
        return True

    lost: list[object] = [c for c in flat.columns if not fits(c)]
    rows = np.zeros(len(flat), bool)
    for column in flat.columns.drop([flat.geometry.name]):
        if not pd.api.types.is_numeric_dtype(flat[column]):
            rows |= ~flat[column].map(fits).to_numpy(bool)
    return [*lost, *flat.iloc[:, 0][rows]]


def with_one_shape(frame: Any, what: str, suffix: str) -> Any:
    """The layer itself; refused without geometry, and with more of it than a file holds."""
    frame = with_shapes(frame, what)
    other = frame.select_dtypes("geometry").columns.drop(frame.geometry.name)
    if len(other) and suffix not in PARQUET:
        raise LayerError(
            f"has geometries in {', '.join(map(str, other))}, too; a {suffix} holds one a row",
            layer=what,
            hint=f"{what} = {what}.drop(columns={[str(c) for c in other]!r})"
            "  # or write a .parquet",
        )
    return frame


def database_frame(flat: Any) -> Any:
    """A layer or table with names and texts that a database takes whole, and no name twice."""
    flat, names = flat.copy(deep=False), {}
    taken: set[str] = set()
    shapes = [flat.geometry.name] if isinstance(flat, gpd.GeoDataFrame) else []
    for column in flat.columns.drop(shapes):
        name = plain = database_name(column)
        while name.lower() in taken:
            name = f"{plain}_{len(taken)}"
        names[column] = name
        taken.add(name.lower())
        if not pd.api.types.is_numeric_dtype(flat[column]):
            text = flat[column].map(lambda v: isinstance(v, str) and not v.isprintable())
            if (rows := text.fillna(False).to_numpy(bool)).any():
                shown = flat[column].astype(object)
                shown[rows] = [cell_text(v) for v in shown[rows]]
                flat[column] = shown
    return flat.rename(columns=names)


def _frame_for_shapefile(flat: gpd.GeoDataFrame, kind: Noun, encoding: str) -> gpd.GeoDataFrame:
    """Chinese names of at most 10 bytes and Chinese words, as offices expect them."""
    labels = {c.name: c for c in kind.columns}
    names: dict[str, str] = {}
    flat = flat.copy()
    for column in flat.columns.drop([flat.geometry.name]):
        if column in labels and labels[column].codes:
            words = {code: w[0] for code, w in labels[column].codes.items()}
            flat[column] = flat[column].map(lambda v, words=words: words.get(v, v))
        text = labels[column].zh if column in labels else str(column)
        names[column] = text.encode(encoding)[:10].decode(encoding, "ignore")
    clash = [n for n in names.values() if list(names.values()).count(n) > 1]
    if clash:
        raise OutputError(
            "field names are equal after the cut to 10 bytes",
            ids=clash,
            hint="rename a column, or write a GeoPackage",
        )
    _refuse_long_texts(flat, encoding)
    return flat.rename(columns=names)


def _refuse_long_texts(flat: gpd.GeoDataFrame, encoding: str) -> None:
    """Refuse texts that a .dbf would cut off."""
    for column in flat.columns.drop([flat.geometry.name]):
        if not pd.api.types.is_numeric_dtype(flat[column]):
            size = flat[column].dropna().map(lambda v: len(str(v).encode(encoding, "replace")))
            if (size > DBF_TEXT_BYTES).any():
                raise OutputError(
                    f"texts of {column!r} are longer than the {DBF_TEXT_BYTES} bytes of a .dbf",
                    ids=size.index[size > DBF_TEXT_BYTES],
                    hint="write a GeoPackage",
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


# --- columns ----------------------------------------------------------------------------------


def canonical_layer(
    frame: gpd.GeoDataFrame,
    kind: Noun,
    id_column: str | None,
    seen: Findings,
    *,
    row_ids: bool,
    meaning: Meaning = PLAIN,
    wider: Callable[[int | None], Any] | None = None,
) -> gpd.GeoDataFrame:
    """Rename, type and index a layer; only the rows that are meant.

    ``wider`` reads rows of the file beyond those of ``frame``, where this is a part of it.
    """
    if frame.index.name is not None:  # GeoParquet keeps the index
        frame = frame.reset_index()
    condition = None if meaning.where is None else parse_condition(meaning.where, kind.name)
    if condition is not None and condition.names <= set(map(str, frame.columns)):
        # rows that aren't meant needn't be readable
        frame, condition = _rows_of_condition(frame, frame, condition, kind), None
    raw = frame
    if id_column is not None and id_column not in frame.columns:
        raise LayerError(
            f"has no column {id_column!r}",
            layer=kind.name,
            hint=nearest(id_column, map(str, frame.columns)),
        )

    def prepared(rows: Any) -> Any:
        """Rows with the ids that are told, and their geometry under its name."""
        rows = rows if rows.index.name is None else rows.reset_index()
        if id_column is not None:
            rows = _rename_columns(rows, {id_column: str(kind.index)})
        if rows.geometry.name != "geometry":
            rows = rows.rename_geometry("geometry")
        return _one_osm_id(rows) if id_column is None and not row_ids else rows

    frame = prepared(frame)
    columns = {
        k: v for k, v in _columns_by_file_name(meaning.columns, raw, kind).items() if k != id_column
    }
    frame = _recognised_columns(
        frame, kind, seen, chosen=id_column, columns=columns or None, words=meaning.values,
        wider=None if wider is None else lambda first: prepared(wider(first)),
    )  # fmt: skip
    frame = _with_estimated_floors(frame, kind, meaning.storey_height_m)
    if condition is not None:
        frame = _rows_of_condition(frame, raw, condition, kind)
    if kind.index is None:
        return frame
    if row_ids:
        frame = frame.copy()  # one block again: columns were put in one by one
        frame[kind.index] = np.arange(1, len(frame) + 1).astype(str)
    if kind.index not in frame.columns:
        have = ", ".join(map(str, frame.columns.drop("geometry"))) or "no columns"
        raise LayerError(
            f"has no column that is known to hold ids; it has {have}",
            layer=kind.name,
            hint="name it with id_column, or row_ids=True to number the rows",
        )
    return frame.set_index(kind.index)


def _rename_columns(frame: Any, names: Mapping[str, str]) -> Any:
    """The frame with columns under new names; others that bear such a name get a number."""
    taken = {*map(str, frame.columns), *names.values()}
    spare: dict[str, str] = {}
    for column in map(str, frame.columns):
        if column in names.values() and column not in names:
            spare[column] = next(n for k in range(2, 1000) if (n := f"{column}_{k}") not in taken)
            taken.add(spare[column])
    return frame.rename(columns={**names, **spare})


def _one_osm_id(frame: Any) -> Any:
    """OSM's areas bear the id of a relation or of a way: one column, as w123 and r45."""
    if not {"osm_id", "osm_way_id"} <= set(frame.columns) or "full_id" in frame.columns:
        return frame
    relation, way = _values_as_text(frame["osm_id"]), _values_as_text(frame["osm_way_id"])
    both = ("r" + relation).where(relation.notna(), "w" + way)
    return frame.assign(osm_id=both)


def _with_estimated_floors(frame: Any, kind: Noun, storey_height_m: float | None) -> Any:
    """Floors where only heights are known, estimated at a stated height of a storey, and marked."""
    if storey_height_m is None:
        return frame
    if kind.name != "buildings" or not 2 <= float(storey_height_m) <= 10:
        raise LayerError(
            "storey_height_m is a height of 2 to 10 m, of buildings",
            layer=kind.name,
            hint="storey_height_m = 3.0",
        )
    if "height_m" not in frame.columns:
        raise LayerError(
            "has no heights that storeys could be counted from",
            layer=kind.name,
            hint='columns = { height_m = "..." }, or leave out storey_height_m',
        )
    none = pd.Series(np.nan, index=frame.index)
    known = pd.to_numeric(frame.get("floors", none), errors="coerce")
    height = pd.to_numeric(frame["height_m"], errors="coerce").where(lambda h: h > 0)
    estimated = known.isna() & height.notna()
    floors = known.where(~estimated, (height / storey_height_m).round().clip(lower=1))
    source = pd.Series(pd.NA, index=frame.index, dtype="str")
    source = source.mask(known.notna(), "surveyed").mask(estimated, "estimated")
    return frame.assign(floors=floors.astype("Int64"), floors_source=source)


def _rows_of_condition(frame: Any, raw: Any, condition: Condition, kind: Noun) -> Any:
    """Rows that a condition holds for; its names are the file's, or else the data model's."""
    drawn = "geometry" if "geometry" in raw.columns else getattr(raw, "_geometry_column_name", "")
    own = [str(c) for c in raw.columns if c != drawn]
    require_names(condition, dict.fromkeys([*own, *map(str, frame.columns)]), kind.name)
    keep = condition.holds(lambda n: raw[n] if n in own else frame[n], len(frame))
    if not keep.any() and len(frame):
        name = min(condition.names)
        column = (raw[name] if name in own else frame[name]).dropna().astype("str")
        raise LayerError(
            f"has no row where {condition.text}",
            layer=kind.name,
            hint=f"{name} is one of {', '.join(sorted(column.unique())[:8])}"
            if len(column)
            else f"{name} is blank everywhere",
        )
    log.info("%s: %d of %d rows where %s", kind.name, keep.sum(), len(keep), condition.text)
    return frame[keep] if frame.index.name else frame[keep].reset_index(drop=True)


def _columns_by_file_name(said: Mapping[str, str], frame: Any, kind: Noun) -> dict[str, str]:
    """Columns as the user says, from the file's name to the data model's, written either way."""
    have, known = {str(c) for c in frame.columns}, {c.name for c in kind.columns}
    found: dict[str, str] = {}
    for one, other in said.items():
        if one not in known and one not in have and other in have:
            one_of(one, [c.name for c in kind.columns], "columns")
        turned = one not in known or (one in have and other in known and other not in have)
        given, name = (one, other) if turned else (other, one)
        if not isinstance(given, str) or given not in have:
            raise LayerError(
                f"has no column {given!r}", layer=kind.name, hint=nearest(given, sorted(have))
            )
        one_of(name, [c.name for c in kind.columns], "columns")
        if given in found or name in found.values():
            raise LayerError(
                f"has two columns for {name}, or two names for {given!r}, in columns",
                layer=kind.name,
                hint=f'columns = {{ {name} = "{given}" }}: one for each',
            )
        found[given] = name
    return found


def _with_words_replaced(frame: Any, kind: Noun, words: Mapping[str, Mapping[str, Any]]) -> Any:
    """Words of a delivery turned into those that the user says they mean."""
    for name, said in words.items():
        one_of(name, [c.name for c in kind.columns], "values")
        if name not in frame.columns:
            raise LayerError(
                f"values speaks of {name}, which no column holds",
                layer=kind.name,
                hint=f'columns = {{ {name} = "..." }}: name the column',
            )
        codes = kind[name].codes
        for meant in said.values():
            if codes and canonical_codes(pd.Series([meant]), kind[name])[0] not in codes:
                one_of(meant, list(codes), f"values of {name}")
        text = _values_as_text(frame[name]).fillna("")
        hit = text.isin([str(k).strip() for k in said]).to_numpy()
        if hit.any():
            column = frame[name].astype(object)
            column[hit] = text[hit].map({str(k).strip(): v for k, v in said.items()}).to_numpy()
            frame = frame.assign(**{name: column})
    return frame


def _recognised_columns(
    frame: Any,
    kind: Noun,
    seen: Findings,
    *,
    chosen: str | None = None,
    columns: Mapping[str, str] | None = None,
    words: Mapping[str, Mapping[str, Any]] | None = None,
    wider: Callable[[int | None], Any] | None = None,
) -> Any:
    """Recognised columns renamed, typed, in their units; what can't be read stays for `check`."""
    given = [str(c) for c in frame.columns if c != "geometry"]
    twice = {c for c in given if given.count(c) > 1}
    if twice or len(frame.columns) != len({*frame.columns}):
        raise LayerError(
            "has several columns of one name",
            layer=kind.name,
            ids=sorted(twice or {"geometry"}),
            hint="rename or drop them where the file was made",
            fault="unreadable",
        )
    names, unsure = _canonical_names(frame, given, kind, columns, words or {}, wider)
    original = {taken: name for name, taken in names.items()}
    rivals = rival_columns(given, kind, names)
    for other, name in rivals.items():
        if name == kind.index and (chosen is not None or {other, original[name]} <= OSM_IDS):
            continue
        seen.add(
            "rival_column",
            column=name,
            other=other,
            taken=original[name],
            label=label(name, lang=seen.lang),
        )
    for other, name in unsure.items():
        seen.add("unsure_column", column=name, other=other, label=label(name, lang=seen.lang))
    if not kind.geometry and columns is None:
        _require_no_rival_values(frame, rivals, original, kind)
    frame = _with_words_replaced(_rename_columns(frame, names), kind, words or {})
    datums: dict[str, str] = {}
    for column in kind.columns:
        if column.name not in frame.columns:
            continue
        stated = original.get(column.name, "")
        unit = unit_stated(stated, column, kind.name)
        if unit.factor != 1.0 or unit.turned:
            seen.add("unit_converted", column=column.name, stated=stated, unit=unit.unit)
        frame[column.name] = _typed_column(frame[column.name], column, unit)
        if (dialect := dialect_of(frame[column.name], column.name)) is not None:
            seen.add("code_dialect", column=column.name, dialect=dialect[0])
            frame[column.name] = frame[column.name].map(dialect[1])
        if is_height(column.name) and (datum := datum_stated(stated, kind.name)):
            datums[datum] = stated
    frame = _with_line(_with_datum(frame, datums, kind, seen), original, kind, seen)
    return _sum_increments(frame, original, kind, seen)


def _canonical_names(
    frame: Any,
    given: list[str],
    kind: Noun,
    columns: Mapping[str, str] | None,
    words: Mapping[str, Mapping[str, Any]],
    wider: Callable[[int | None], Any] | None,
) -> tuple[dict[str, str], dict[str, str]]:
    """Canonical names of given columns: as the user says, else as they are called; and unsure."""
    said = dict(columns or {})
    found, unsure = columns_meant(frame, given, kind, said, words, wider)
    return said | {g: c for g, c in found.items() if c not in said.values()}, unsure


def _require_no_rival_values(
    frame: Any, rivals: Mapping[str, str], original: Mapping[str, str], kind: Noun
) -> None:
    """Refuse two columns of one name that differ in a unit, a datum or a remark, and in values."""
    for other, name in rivals.items():
        one = original[name]
        if kind[name].dtype not in ("float", "int") or bare_name(one) != bare_name(other):
            continue
        left, right = (
            pd.to_numeric(
                _typed_column(frame[c], kind[name], unit_stated(c, kind[name])), errors="coerce"
            ).to_numpy(float)
            for c in (one, other)
        )
        if not np.allclose(left, right, rtol=1e-3, atol=1e-9, equal_nan=True):
            raise LayerError(
                f"has two columns for {label(name)}: {one!r} and {other!r}; which is meant",
                layer=kind.name,
                hint=f"pg.read_table(..., columns={{{one!r}: {name!r}}})",
                fault="unreadable",
            )


def _with_datum(frame: Any, datums: Mapping[str, str], kind: Noun, seen: Findings) -> Any:
    """The height system that headings state, as a column of its own."""
    if not datums or "datum" not in {c.name for c in kind.columns}:
        return frame
    if len(datums) > 1:
        raise LayerError(
            f"has heights in several systems: {', '.join(datums.values())}",
            layer=kind.name,
            hint="shift them to one system first",
            fault="unreadable",
        )
    code, stated = next(iter(datums.items()))
    if "datum" in frame.columns and not frame["datum"].dropna().eq(code).all():
        raise LayerError(
            f"has {stated!r} and another height system in its column datum",
            layer=kind.name,
            hint="correct one of them",
            fault="unreadable",
        )
    seen.add(
        "datum_stated",
        column="datum",
        stated=stated,
        datum=code_label("datum", code, lang=seen.lang),
    )
    return frame.assign(datum=code)


def _with_line(frame: Any, original: Mapping[str, str], kind: Noun, seen: Findings) -> Any:
    """Chainages in metres; the prefix of another line than K, which is kept as a column."""
    lines = pd.Series("", index=frame.index, dtype=object)
    for column in kind.columns:
        if column.dtype != "chainage" or column.name not in frame.columns:
            continue
        values = frame[column.name]
        unit = unit_stated(original.get(column.name, ""), column)
        prefix = (
            pd.Series("", index=frame.index)
            if pd.api.types.is_numeric_dtype(values)
            else values.map(lambda v: "" if pd.isna(v) else chainage_prefix(v))
        )
        frame[column.name] = _chainages_in_metres(
            values, prefix, column.name, kind.name, unit.factor
        )
        if kind.name == "sections" and not unit.unit:
            _require_metres(frame, values, kind)
        some = values.notna().to_numpy()
        clash = some & (lines != "").to_numpy() & (lines != prefix).to_numpy()
        _require_one_line(frame, clash, "rows whose chainages are of two lines", kind)
        lines = lines.where(~some, prefix)
    if not (lines != "").any():
        return frame
    by = frame["river"].astype(object) if "river" in frame.columns else lines.map(lambda _: "")
    mixed = lines.groupby(by, dropna=False).transform("nunique").gt(1).to_numpy()
    _require_one_line(frame, mixed, "chainages of several lines (桩号冠号) on one river", kind)
    seen.add("line_kept", column="line", lines=", ".join(sorted(set(lines) - {""})))
    return frame.assign(line=lines.where(lines != "")) if "line" in column_names(kind) else frame


def _require_metres(frame: Any, written: pd.Series, kind: Noun) -> None:
    """Ask where bare numbers lay most sections of a river less than a metre apart."""
    plain = written.dropna().astype("str").str.strip()
    if not plain.map(lambda text: bool(BARE.fullmatch(text))).all():
        return
    by = frame["river"].astype(object) if "river" in frame.columns else np.zeros(len(frame))
    for _, at in frame["chainage_m"].groupby(by, dropna=False):
        gaps = np.diff(np.unique(at.dropna()))
        if len(gaps) > 1 and np.median(gaps) < NEAREST_M:
            raise ChainageError(
                f"has sections less than {NEAREST_M:g} m apart: are their chainages in km",
                layer=kind.name,
                ids=at.index[:5],
                hint="write the unit into the heading, 桩号(km) or 桩号(m), or chainages as K1+200",
                fault="unreadable",
            )


def _sum_increments(frame: Any, original: Mapping[str, str], kind: Noun, seen: Findings) -> Any:
    """Offsets of sections whose points say how far they are from the one before (间距)."""
    if kind.name != "sections" or bare_name(original.get("offset_m", "")) != "间距":
        return frame
    step = pd.to_numeric(frame["offset_m"], errors="coerce")
    if not {"river", "chainage_m"} <= set(frame.columns) or step.isna().any() or (step < 0).any():
        return frame  # a step back is none: these are offsets
    by = [frame["river"].astype(object), frame["chainage_m"]]
    seen.add("increments_summed", column="offset_m", stated=original["offset_m"])
    return frame.assign(offset_m=step.groupby(by, dropna=False).cumsum())


def _require_one_line(frame: Any, bad: Any, problem: str, kind: Noun) -> None:
    if bad.any():
        raise ChainageError(
            f"has {problem}",
            layer=kind.name,
            ids=frame.index[bad],
            hint="give each line a table of its own: chainages of two lines can't be compared",
            fault="unreadable",
        )


def _typed_column(values: pd.Series, column: Column, unit: Stated) -> pd.Series:
    """One column in its type; numbers without a unit of their own times what the heading says."""
    if column.dtype in ("text", "code"):
        text = _values_as_text(values)
        return canonical_codes(text, column) if column.dtype == "code" else text
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


def _values_as_text(values: pd.Series) -> pd.Series:
    """Ids and names as text: a whole number has no decimals, blanks are NA."""
    if pd.api.types.is_float_dtype(values):
        whole = values.dropna()
        if (whole == whole.round()).all() and (whole.abs() < EXACT).all():
            values = values.astype("Int64")
    text = values.astype("str").str.strip()
    return text.where(values.notna() & (text != ""))


def _chainages_in_metres(
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
