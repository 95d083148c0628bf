"""How is this file read? Every format, as it came, with what was odd about it."""

from __future__ import annotations

import html
import json
import logging
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely
from numpy.typing import NDArray

from pinghu_geo.intake.bounds import (
    SHORT_BYTES,
    require_bounded_book,
    require_bounded_sheet,
    without_nests,
)
from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.conditions import Condition, as_arrow, as_sql, parse_condition, weaker
from pinghu_geo.intake.dbf import (
    deleted_rows,
    numbers_as_written,
    plain_numbers,
    say_cut_texts,
    texts_decoded,
)
from pinghu_geo.intake.drawing import ARC_STEP_DEG, read_dxf
from pinghu_geo.intake.drivers import for_one_driver
from pinghu_geo.intake.encoding import Encoding, dbf_encoding, mapinfo_encoding, text_encoding
from pinghu_geo.intake.gdal import gdal_options
from pinghu_geo.intake.headings import (
    Grid,
    csv_grid,
    explains_form,
    sheet_grids,
    sheet_named,
    sheets_of,
    table_of,
)
from pinghu_geo.intake.nesting import by_nesting, shells_nested
from pinghu_geo.intake.osm import OSM, read_osm, whole_shapes, with_tags
from pinghu_geo.intake.shapefile import parts_of, whole_shapefile
from pinghu_geo.nouns.door import chainage_of_m
from pinghu_geo.nouns.errors import LayerError, PinghuError, own_slip, reason
from pinghu_geo.nouns.files import require_signature, unpacked
from pinghu_geo.nouns.notices import quiet_libraries
from pinghu_geo.nouns.numerals import numbers_written, split_numbers
from pinghu_geo.nouns.replacing import scratch_folder
from pinghu_geo.nouns.schema import match_columns, nearest, noun
from pinghu_geo.nouns.tables import is_unknown

__all__ = [
    "PARQUET",
    "POSTGIS",
    "STYLES",
    "TABLES",
    "VECTOR",
    "Boxes",
    "cell_grids",
    "cells_of",
    "covering",
    "own_errors",
    "read_cells",
    "require_sound",
    "read_raw",
]

log = logging.getLogger(__name__)

# Where rows are wanted: x0, y0, x1, y1 of boxes that are apart, (n, 4).
Boxes = NDArray[np.float64]

VECTOR = {
    ".shp", ".gpkg", ".geojson", ".json", ".fgb", ".dxf", ".kml", ".tab", ".mif", ".gdb", *OSM,
}  # fmt: skip
PARQUET = {".parquet", ".geoparquet"}
# Formats with an index of boxes, which is asked for each box; others are scanned once for all.
INDEXED = {".gpkg", ".fgb"}
# Formats whose columns say what they hold, in UTF-8: a condition is left to their drivers.
PUSHED = {".gpkg", ".fgb", ".gdb", ".shp"}
# From so many boxes on a file is asked for the one around all of them.
MOST_BOXES = 8
TABLES = {".csv", ".txt", ".xlsx", ".xlsm"}
# what QGIS keeps beside the layers of a GeoPackage: how they are drawn
STYLES = "layer_styles"
POSTGIS = ("postgresql://", "postgres://")
# Columns of a table that hold its geometry: as text, or as easting and northing. In surveying X
# points north (纵坐标) and Y east (横坐标); whether a table means that, its numbers tell.
WKT_COLUMNS = ("wkt", "geometry", "geom", "the_geom", "图形", "坐标串")
XY_COLUMNS = (
    ("easting", "northing"), ("东坐标", "北坐标"), ("横坐标", "纵坐标"), ("e", "n"),
    ("经度", "纬度"), ("lon", "lat"), ("longitude", "latitude"), ("x坐标", "y坐标"), ("x", "y"),
)  # fmt: skip
# What KML adds to every layer, whether it means anything or not.
KML_COLUMNS = {
    "timestamp", "begin", "end", "altitudemode", "tessellate", "extrude", "visibility", "draworder",
    "icon", "snippet",
}  # fmt: skip
# A workbook keeps numbers as doubles and shows so many digits of them.
SIGNIFICANT_DIGITS = 15


def read_raw(
    source: str | Path,
    what: str,
    seen: Findings,
    *,
    layer: str | None = None,
    encoding: str | None = None,
    xy: tuple[str, str] | None = None,
    id_column: str | None = None,
    boxes: Boxes | None = None,
    where: str | None = None,
    first: int | None = None,
) -> gpd.GeoDataFrame:
    """A layer with the columns and the CRS that it came with; what was odd goes to ``seen``.

    ``boxes``, and what of the condition ``where`` every driver understands alike, are pushed
    down to the file where it has an index, or columns; rows outside may remain. ``first`` asks
    for so many of the first rows only, of a file that has no need to be read whole for them.
    """
    condition = None if where is None else parse_condition(where, what)
    if boxes is not None and len(boxes) > MOST_BOXES:
        boxes = np.concatenate([boxes.min(axis=0)[:2], boxes.max(axis=0)[2:]])[None]
    if str(source).startswith(POSTGIS):
        from pinghu_geo.intake.postgis import read_postgis

        return read_postgis(str(source), what, layer, boxes, condition, first)
    with ExitStack() as stack:
        path, layer = unpacked(Path(source), what, layer, VECTOR | PARQUET | TABLES, stack)
        suffix = path.suffix.lower()
        if suffix == ".dwg":
            raise LayerError(
                f"{path.name} is a DWG drawing, a closed format",
                layer=what,
                hint="save it as DXF in the CAD program and read that",
            )
        if suffix not in VECTOR | PARQUET | TABLES:
            raise LayerError(
                f"{path.name} is no layer that can be read",
                layer=what,
                hint="use Shapefile, GeoPackage, GeoJSON, GeoParquet, FlatGeobuf, DXF, CSV or XLSX",
            )
        require_signature(path, what)
        with own_errors(path, what):
            if suffix in PARQUET:
                frame = _read_parquet(path, boxes, condition, first)
            elif suffix in TABLES:
                frame = _layer_from_table(path, what, seen, layer, encoding, xy, id_column)
            elif suffix == ".dxf":
                frame = read_dxf(path, layer, encoding, what, seen)
            elif suffix in OSM:
                frame = read_osm(path, what, layer, stack)
            else:
                frame = _read_gdal(
                    path, what, seen, layer, encoding, boxes, stack, condition, first
                )
        frame = whole_shapes(with_tags(frame), path) if suffix in OSM else with_tags(frame)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise LayerError(
            f"{path.name} has no geometry", layer=what, hint="pg.read_table reads tables"
        )
    return frame


@contextmanager
def own_errors(path: Path, what: str) -> Iterator[None]:
    """Turn what a library says of a file into one error that says what to do."""
    try:
        with quiet_libraries():  # what they say is checked here, or by `check`
            yield
    except PinghuError:
        raise
    # a damaged file makes the libraries below raise whatever their own slip is
    except Exception as fault:
        if own_slip(fault):
            raise
        raise LayerError(
            f"{path.name} can't be read: {reason(fault)}",
            layer=what,
            hint="open it in the program that wrote it and export it again",
            fault="unreadable",
        ) from fault


def _read_parquet(
    path: Path, boxes: Boxes | None, condition: Condition | None, first: int | None
) -> gpd.GeoDataFrame:
    """GeoParquet; of a file with a covering only the rows that the boxes meet."""
    import pyarrow.compute as pc
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    # what dask-geopandas calls, too, to make a frame of a table
    from geopandas.io.arrow import _arrow_to_geopandas  # type: ignore[attr-defined]

    dataset = pq.ParquetDataset(path)
    geo = json.loads((dataset.schema.metadata or {}).get(b"geo", b"{}"))
    columns = geo.get("columns", {})
    bounds = covering(columns.get(geo.get("primary_column"), {}))
    near = None
    if boxes is not None and bounds:  # else the caller leaves out what is too far
        x0, y0, x1, y1 = (pc.field(name) for name in bounds)
        near = reduce(or_, [
            (x0 <= b[2]) & (y0 <= b[3]) & (x1 >= b[0]) & (y1 >= b[1]) for b in boxes.tolist()
        ])  # fmt: skip
    if (rows := _filter_for_arrow(dataset.schema, condition)) is not None:
        near = rows if near is None else near & rows
    covers = {name for name, *_ in bounds}
    wanted = [name for name in dataset.schema.names if name not in covers]
    # read once, and looked at before anything decodes it
    if first is None:
        table = pq.read_table(path, columns=wanted, filters=near, use_pandas_metadata=True)
    else:
        table = ds.dataset(path, format="parquet").head(first, columns=wanted)
    require_sound(table, columns)
    frame: gpd.GeoDataFrame = _arrow_to_geopandas(table)
    return frame


def require_sound(table: Any, columns: dict[str, Any]) -> None:
    """Refuse what GeoParquet's bytes may say that no decoder is to see."""
    table.validate(full=True)  # texts that are none, offsets beyond the data: read as they come
    for name, about in columns.items():
        if isinstance(about.get("crs"), str) and re.search("[/=]", about["crs"]):
            raise ValueError(f"its CRS {about['crs'][:40]!r} would be read from a file")
        if name in table.schema.names and str(about.get("encoding", "WKB")).upper() == "WKB":
            _require_no_nests(table[name])


def _filter_for_arrow(schema: Any, condition: Condition | None) -> Any:
    """What of a condition is left to Arrow; None where nothing is."""
    if condition is None:
        return None
    kinds = {f.name: _kind_of_arrow_type(f.type) for f in schema}
    node = weaker(condition, {n: k for n, k in kinds.items() if k})
    return None if node is None else as_arrow(node)


def _kind_of_arrow_type(kind: Any) -> str:
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "number"
    return "text" if pa.types.is_string(kind) or pa.types.is_large_string(kind) else ""


def _filter_for_gdal(
    path: Path, layer: str | None, condition: Condition | None, suffix: str
) -> dict[str, str]:
    """What of a condition is left to the driver, as an argument for reading."""
    if condition is None or suffix not in PUSHED:
        return {}
    # any encoding does where texts are left to us
    bytewise = "ISO-8859-1" if suffix == ".shp" else None
    info = pyogrio.read_info(path, layer=layer, encoding=bytewise)
    kinds = {"i": "number", "u": "number", "f": "number", "O": "text"}
    known = {
        str(name): kinds[np.dtype(kind).kind]
        for name, kind in zip(info["fields"], info["dtypes"], strict=True)
        if np.dtype(kind).kind in kinds
    }
    if suffix == ".shp":
        known = dict.fromkeys(plain_numbers(path, condition.names) & set(known), "number")
    node = weaker(condition, known)
    return {} if node is None else {"where": as_sql(node, sqlite=suffix == ".gpkg")}


def _require_no_nests(shapes: Any) -> None:
    """Refuse WKB that nests deeper than any shape, before anything decodes it."""
    import pyarrow.compute as pc

    if not (pa.types.is_binary(shapes.type) or pa.types.is_large_binary(shapes.type)):
        raise TypeError("geometry that is no WKB")
    long = pc.greater(pc.binary_length(shapes), pa.scalar(SHORT_BYTES))
    if pc.any(long).as_py():
        raw = shapes.filter(long).to_pylist()
        if any(one is None for one in without_nests(raw)):
            raise ValueError("it has a geometry of parts within parts without end")


def covering(column: dict[str, Any]) -> list[tuple[str, ...]]:
    """Columns with the bounds of each row of a GeoParquet geometry column, if there are any."""
    box = column.get("covering", {}).get("bbox", {})
    return [tuple(box[c]) for c in ("xmin", "ymin", "xmax", "ymax")] if box else []


# --- what GDAL reads --------------------------------------------------------------------------


def _read_gdal(
    path: Path,
    what: str,
    seen: Findings,
    layer: str | None,
    encoding: str | None,
    boxes: Boxes | None,
    stack: ExitStack,
    condition: Condition | None,
    first: int | None,
) -> gpd.GeoDataFrame:
    """A layer through GDAL, with the rows counted and broken geometries told from missing ones."""
    suffix, given = path.suffix.lower(), path
    names: dict[str, str] = {}
    meeting: NDArray[np.intp] | None = None
    if suffix == ".shp":
        dbf = parts_of(path).get(".dbf")
        if dbf is not None and encoding is None:
            encoding = _noted_encoding(dbf_encoding(dbf), path, seen)
        path, meeting = whole_shapefile(path, what, seen, stack, boxes)
        layer, encoding = None, encoding or "UTF-8"
    else:
        if suffix in (".tab", ".mif"):
            encoding = encoding or _noted_encoding(mapinfo_encoding(path), path, seen)
        path = for_one_driver(path, what, stack)
        if suffix == ".kml":
            path, names = _kml_with_plain_names(path, stack)
        if suffix != ".fgb" or layer is not None:  # FlatGeobuf holds one layer
            layer = _layer_asked_for(path, layer, what)
    stack.enter_context(gdal_options(OGR_ARC_STEPSIZE=ARC_STEP_DEG))
    rows = _filter_for_gdal(path, layer, condition, suffix)
    read: dict[str, Any] = {"layer": layer, "encoding": encoding, **rows}
    read |= {} if first is None else {"max_features": first}
    if rows or first is not None:
        read["fid_as_index"] = True
    # these drivers fill Arrow's columns themselves, which is faster; they know no other encoding
    arrow = suffix in INDEXED and encoding is None
    if meeting is not None:
        near = read | {"fids": meeting, "fid_as_index": True}
        frame, curves = _read_once(path, near, seen, arrow=arrow)
    else:
        frame, curves = _read_rows_in_boxes(path, read, boxes, seen, arrow=arrow)
    # any encoding does for a number of rows; not every text of a .dbf decodes in its own
    bytewise = "ISO-8859-1" if suffix == ".shp" else encoding
    info = pyogrio.read_info(path, layer=layer, encoding=bytewise)
    whole = boxes is None and not rows and first is None
    # by first rows columns are judged, for which no other row of the table need be looked through
    named = layer if first is None else None
    frame, deleted = _corrected_from_bytes(frame, given, named, encoding, seen, whole=whole)
    short = 0 <= info["features"] != len(frame) + deleted
    if suffix in (".fgb", ".shp") and whole and short:
        raise LayerError(
            f"{path.name} says it has {info['features']:,} rows, but {len(frame):,} could be read",
            layer=what,
            hint="it was cut off: ask for it again",
            fault="unreadable",
        )
    _note_curves_and_heights(str(info["geometry_type"]), seen, curves=curves)
    if suffix == ".kml":
        idle = [c for c in frame.columns if c.lower() in KML_COLUMNS]
        frame = frame.drop(columns=idle).rename(columns=names)
    if what == "rivers":
        frame = _chainage_from_m(frame, path, layer)
    return frame


def _corrected_from_bytes(
    frame: gpd.GeoDataFrame,
    path: Path,
    layer: str | None,
    encoding: str | None,
    seen: Findings,
    *,
    whole: bool,
) -> tuple[gpd.GeoDataFrame, int]:
    """What GDAL made of a file set right from its bytes, and how many rows count as deleted."""
    deleted = 0
    if path.suffix.lower() == ".shp":
        if dbf := parts_of(path).get(".dbf"):
            frame, deleted = _with_dbf_numbers(frame, dbf, str(encoding), seen, whole=whole)
        frame = _with_rings_nested(frame, seen)
    elif path.suffix.lower() == ".gpkg" and layer is not None:
        frame = _with_texts_among_numbers(frame, path, layer, whole=whole)
    return frame if whole else frame.reset_index(drop=True), deleted


def _kml_with_plain_names(path: Path, stack: ExitStack) -> tuple[Path, dict[str, str]]:
    """A KML whose fields have plain names and hold texts, and the names that they stand for.

    GDAL makes one line of underscores of every Chinese name, and of "1,300" in a field of whole
    numbers 1.
    """
    raw = path.read_bytes()
    names: dict[str, str] = {}
    plain: dict[bytes, bytes] = {}
    said = re.search(rb"""encoding\s*=\s*["']([\w-]+)""", raw[:200])
    encoding = said[1].decode("ascii") if said else "utf-8"

    def renamed(found: re.Match[bytes]) -> bytes:
        tag, before, quote, name, after = found.groups()
        if name not in plain:
            plain[name] = f"field_{len(plain) + 1}".encode()
            names[plain[name].decode()] = html.unescape(name.decode(encoding, "replace"))
        after = re.sub(rb"""type\s*=\s*(['"]).*?\1""", b'type="string"', after)
        before = re.sub(rb"""type\s*=\s*(['"]).*?\1""", b'type="string"', before)
        return b"<" + tag + before + b"name=" + quote + plain[name] + quote + after + b">"

    tags = rb"<((?:\w+:)?(?:Data|SimpleData|SimpleField))"
    text = re.sub(tags + rb"""(\s[^>]*?)name\s*=\s*(["'])(.*?)\3([^>]*)>""", renamed, raw)
    if not names:
        return path, names
    made = stack.enter_context(scratch_folder(path.name)) / path.name
    made.write_bytes(text)
    return made, names


def _with_texts_among_numbers(frame: Any, path: Path, layer: str, *, whole: bool) -> Any:
    """A GeoPackage's columns of numbers, with the texts that SQLite keeps in them as written.

    GDAL takes the prefix of such a text that is a number: 1 of "1,300.5".
    """
    names = [str(c) for c in frame.columns if pd.api.types.is_numeric_dtype(frame[c])]
    table, *columns = ('"' + n.replace('"', '""') + '"' for n in (layer, *names))
    if not names:
        return frame
    address = path.resolve().as_uri() + "?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as base:
            kinds = ", ".join(f"max(typeof({c}) = 'text')" for c in columns)
            found = base.execute(f"SELECT {kinds} FROM {table}").fetchone()
            odd = [k for k, some in enumerate(found) if some]
            if not odd:
                return frame
            wanted = ", ".join(["rowid", *(columns[k] for k in odd)])
            rows = base.execute(f"SELECT {wanted} FROM {table} ORDER BY rowid").fetchall()
    except sqlite3.Error:  # a view, or columns that GDAL named itself
        return frame
    cells = pd.DataFrame(rows, dtype=object).set_index(0)
    if not whole:
        cells = cells.reindex(frame.index)
    if len(cells) != len(frame):
        return frame
    cells.index, cells.columns = frame.index, pd.Index([names[k] for k in odd])
    made = {}
    for name in cells.columns:
        texts = cells[name].map(str, na_action="ignore")
        numbers = numbers_written(texts)
        made[name] = texts if numbers.dtype == object else numbers
    return frame.assign(**made)


def _with_dbf_numbers(
    frame: Any, dbf: Path, encoding: str, seen: Findings, *, whole: bool
) -> tuple[Any, int]:
    """A Shapefile's frame with its numbers as written, and how many rows count as deleted."""
    deleted = 0  # where only some rows were asked for, they are none that are deleted
    if whole:
        gone = deleted_rows(dbf)
        rows, deleted = np.flatnonzero(~gone), int(gone.sum())
        if deleted:
            seen.add("deleted_rows", n=deleted)
    else:
        rows = frame.index.to_numpy()
    if len(rows) == len(frame):
        say_cut_texts(frame, dbf, rows, encoding, seen)
        frame = numbers_as_written(frame.reset_index(drop=True), dbf, rows, encoding)
    return frame, deleted


def _with_rings_nested(frame: Any, seen: Findings) -> Any:
    """In a Shapefile a ring inside of another one is a hole, whichever way it runs.

    GDAL goes by the direction and makes two houses, one on the other, of a house and its court.
    """
    if not isinstance(frame, gpd.GeoDataFrame):
        return frame
    shapes = frame.geometry.to_numpy().copy()
    rows = np.flatnonzero(shells_nested(shapes))
    made = by_nesting(shapes[rows])
    good = ~shapely.is_empty(made)
    if not good.any():
        return frame
    shapes[rows[good]] = made[good]
    seen.add("rings_turned", [f"row {k + 1}" for k in rows[good]], "geometry")
    return frame.set_geometry(shapes, crs=frame.crs)


def _read_rows_in_boxes(
    path: Path, read: dict[str, Any], boxes: Boxes | None, seen: Findings, *, arrow: bool
) -> tuple[Any, bool]:
    """Rows that meet any of the boxes, or all, each once and in order; and if there are curves."""
    if boxes is None:
        return _read_once(path, read, seen, arrow=arrow)
    if len(boxes) > 1 and path.suffix.lower() not in INDEXED:
        mask = shapely.multipolygons(np.asarray(shapely.box(*boxes.T)))
        read = read | {"mask": mask, "fid_as_index": True}
        return _read_once(path, read, seen, arrow=arrow)
    found = [
        _read_once(path, read | {"bbox": tuple(b), "fid_as_index": True}, seen, arrow=arrow)
        for b in boxes.tolist()
    ]
    some = [frame for frame, _ in found if len(frame)] or [found[0][0]]
    frame = pd.concat(some) if len(some) > 1 else some[0]
    frame = frame[~frame.index.duplicated()].sort_index()
    return frame, any(curves for _, curves in found)


def _read_once(
    path: Path, read: dict[str, Any], seen: Findings, *, arrow: bool
) -> tuple[Any, bool]:
    """A layer as it stands in the file, and whether it has curves."""
    curves = False
    try:
        frame = pyogrio.read_dataframe(path, on_invalid="ignore", use_arrow=arrow, **read)
    except NotImplementedError:  # curves: Arrow hands them over as they are
        arrow, curves = False, True
        frame = pyogrio.read_dataframe(path, on_invalid="ignore", **read)
    except UnicodeDecodeError:
        if path.suffix.lower() != ".shp":
            raise
        bytewise = read | {"encoding": "ISO-8859-1"}
        frame = pyogrio.read_dataframe(path, on_invalid="ignore", **bytewise)
        frame = texts_decoded(frame, read["encoding"], path, seen)
    if arrow:
        _require_utf8(frame)
    if isinstance(frame, gpd.GeoDataFrame) and frame.geometry.isna().any():
        frame = _with_rings_closed(frame, path, read, seen, arrow=arrow)
    return frame, curves


def _require_utf8(frame: pd.DataFrame) -> None:
    """Refuse texts that aren't what Arrow takes them for, or they fail wherever they are used."""
    for name in frame.columns[[isinstance(t, pd.StringDtype) for t in frame.dtypes]]:
        pa.array(frame[name]).validate(full=True)


def _note_curves_and_heights(kind: str, seen: Findings, *, curves: bool) -> None:
    """Note curves and heights, which don't come through as they are."""
    if curves or "Curve" in kind or "Surface" in kind or "Circular" in kind:
        seen.add("curves", step=ARC_STEP_DEG)
    if kind.endswith((" Z", " M", " ZM")) or kind.startswith(("2.5D", "3D", "Measured")):
        seen.add("heights_dropped")


def _with_rings_closed(
    frame: gpd.GeoDataFrame, path: Path, read: dict[str, Any], seen: Findings, *, arrow: bool
) -> gpd.GeoDataFrame:
    """Geometries that are there but couldn't be decoded: rings closed where that is all."""
    read = {k: v for k, v in read.items() if k != "fid_as_index"}
    # the same way as the frame was read: with a box the two differ in rows without geometry
    if arrow:
        raw = _wkb_of_table(pyogrio.read_arrow(path, columns=[], **read)[1])
    else:
        bytewise = {"encoding": "ISO-8859-1"} if path.suffix.lower() == ".shp" else {}
        raw = pyogrio.raw.read(path, columns=[], **read | bytewise)[2]
    shapes = frame.geometry.to_numpy().copy()
    rows = [f"row {k + 1}" for k in range(len(frame))]
    _mend_undecoded(shapes, raw, rows, seen)
    return frame.set_geometry(shapes, crs=frame.crs)


def _wkb_of_table(table: Any) -> Any:
    """The geometry column of an Arrow table, which is its last."""
    return table.column(table.num_columns - 1).to_pylist()


def _mend_undecoded(
    shapes: Any, raw: Any, rows: Sequence[object] | pd.Index, seen: Findings
) -> None:
    """Decode what was left out once more, closing open rings; say which rows that helped."""
    missing = shapely.is_missing(shapes)
    broken = np.flatnonzero(missing & np.array([one is not None for one in raw], bool))
    for k in broken:
        shapes[k] = _decoded_geometry(raw[k])
        fault = "unclosed_ring" if shapes[k] is not None else "unreadable_geometry"
        seen.add(fault, [rows[int(k)]])


def _decoded_geometry(raw: bytes | str) -> Any:
    """A geometry whose ring was left open; none where this is no geometry at all."""
    try:
        if isinstance(raw, str):
            return shapely.from_wkt(raw, on_invalid="fix")
        return shapely.from_wkb(bytes(raw), on_invalid="fix")
    except (shapely.errors.ShapelyError, NotImplementedError, ValueError):
        return None


def _layer_asked_for(path: Path, layer: str | None, what: str) -> str:
    """The layer asked for, or the only one."""
    # how QGIS draws them is no layer that anybody means
    names = [str(n) for n in pyogrio.list_layers(path)[:, 0] if n != STYLES]
    if layer is None and len(names) != 1:
        raise LayerError(
            f"{path.name} has {len(names)} layers: {', '.join(names)}",
            layer=what,
            hint=f"pg.read_layer(..., layer={names[0]!r})" if names else "ask for it again",
        )
    if layer is not None and layer not in names:
        raise LayerError(
            f"{path.name} has no layer {layer!r}", layer=what, hint=nearest(layer, names)
        )
    return layer or names[0]


def _noted_encoding(found: Encoding | None, path: Path, seen: Findings) -> str | None:
    """Name of an encoding, having said why it was taken; a finding where that isn't plain."""
    if found is None:
        return None
    if found.doubt:
        sure = f"{found.confidence:.0%}"
        seen.add(found.doubt, name=found.name, reason=found.reason, sure=sure)
    else:
        log.info("%s: text read as %s: %s", path.name, found.name, found.reason)
    return found.name


def _chainage_from_m(frame: gpd.GeoDataFrame, path: Path, layer: str | None) -> gpd.GeoDataFrame:
    """Start and direction of chainage from the M values of centrelines, where they have any.

    The reader drops M, but hands the file's own WKB over through Arrow. M that doesn't run with
    the length isn't a chainage that `rivers` can hold; it is refused.
    """
    raw = _wkb_of_table(pyogrio.read_arrow(path, layer=layer, columns=[])[1])
    try:
        lines = shapely.from_wkb(raw, on_invalid="ignore")
    except NotImplementedError:  # along a curve no corner has an M of its own
        return frame
    if not shapely.has_m(lines).any():
        return frame
    start, sign, misfit = chainage_of_m(lines)
    if misfit.any():
        raise LayerError(
            f"{path.name} has M values that don't run with the length of the line (rows)",
            layer="rivers",
            ids=np.flatnonzero(misfit) + 1,
            hint="they are no plain chainage: save the layer without M and state start_m, "
            "chainage_sign and equations (断链)",
        )
    taken = {c.lower() for c in map(str, frame.columns)}
    values = {"start_m": start, "chainage_sign": sign}
    return frame.assign(**{name: v for name, v in values.items() if name not in taken})


# --- tables -----------------------------------------------------------------------------------


def read_cells(
    path: Path,
    what: str,
    seen: Findings,
    sheet: str | int | None = None,
    encoding: str | None = None,
) -> pd.DataFrame:
    """Cells of a CSV or a workbook's sheet as text; ids that were numbers are told apart.

    The index is the row of the file. A workbook keeps a number as a double: of a whole number with
    more than 15 digits the last ones are gone, whatever it shows. Such cells come as text in
    scientific notation, so that they are never taken for an id.
    """
    grids = cell_grids(path, what, seen, encoding)
    if sheet is None and len(grids) > 1:
        first, *alike = sheets_of(grids, noun(what)) or [grids[0].name]
        sheet = first
        if alike:
            seen.add("other_sheets", sheets=", ".join(alike), taken=first)
    return cells_of(grids, 0 if sheet is None else sheet, path, what, seen)


def cells_of(
    grids: list[Grid], sheet: str | int, path: Path, what: str, seen: Findings
) -> pd.DataFrame:
    """Cells of one sheet under their headings."""
    grid = sheet_named(grids, sheet, path, what)
    if not any(any(row) for row in grid.cells):
        raise LayerError(
            f"{path.name} is empty" if len(grids) == 1 else f"sheet {grid.name!r} is empty",
            layer=what,
            hint="export it again, or name the sheet that holds the table",
            fault="unreadable",
        )
    if explains_form(grid):
        raise LayerError(
            f"{path.name} holds no table, but the explanation of a form ({grid.name})",
            layer=what,
            hint="fill in the form beside it; pinghu new writes an empty one where none is",
            fault="unreadable",
        )
    cells = table_of(grid, noun(what), seen)
    return cells.astype("str").where(cells.notna()) if len(cells.columns) else cells


def cell_grids(path: Path, what: str, seen: Findings, encoding: str | None = None) -> list[Grid]:
    """All cells of a CSV or of every sheet of a workbook, as text."""
    require_signature(path, what)
    with own_errors(path, what):
        if path.suffix.lower() not in (".xlsx", ".xlsm"):
            raw = path.read_bytes()
            found = encoding or _noted_encoding(text_encoding(raw, path.name), path, seen)
            grid = csv_grid(raw.decode(found or "utf-8").removeprefix("\ufeff"))
            require_bounded_sheet(len(grid.cells), grid.width, path)
            return [grid]
        require_bounded_book(path, what)
        return sheet_grids(path, _cell_as_text)


def _cell_as_text(value: Any) -> Any:
    """A workbook's cell as text."""
    if value is None:
        return None
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | np.number) and not is_unknown(value):
        if float(value) != round(float(value)):
            return repr(float(value))
        whole = round(float(value))
        return f"{whole:e}" if abs(whole) >= 10**SIGNIFICANT_DIGITS else str(whole)
    return str(value)


def _layer_from_table(
    path: Path,
    what: str,
    seen: Findings,
    sheet: str | None,
    encoding: str | None,
    xy: tuple[str, str] | None,
    id_column: str | None,
) -> gpd.GeoDataFrame:
    """A layer from a table with a column of WKT, or with coordinates: a row a shape or a corner."""
    cells = read_cells(path, what, seen, sheet, encoding)
    rows, cells = cells.index, cells.reset_index(drop=True)
    plain = {re.sub(r"[\s_]|\(.*?\)|（.*?）", "", str(c)).lower(): str(c) for c in cells.columns}
    wkt = next((plain[w] for w in WKT_COLUMNS if w in plain), None)
    if xy is None and wkt is not None:
        texts = cells[wkt].astype(object).where(cells[wkt].notna(), None).to_numpy()
        texts = without_nests(texts)
        shapes = shapely.from_wkt(texts, on_invalid="ignore")
        _mend_undecoded(shapes, texts, rows, seen)
        return gpd.GeoDataFrame(cells.drop(columns=wkt), geometry=shapes)
    pair = xy or next(((plain[a], plain[b]) for a, b in XY_COLUMNS if {a, b} <= set(plain)), None)
    if pair is None or not set(pair) <= set(cells.columns):
        raise LayerError(
            f"{path.name} has neither WKT nor coordinates; it has {', '.join(cells.columns)}",
            layer=what,
            hint='name the columns, xy=("east column", "north column"); plain tables are read by '
            "pg.read_table",
        )
    return _layer_from_corners(cells, rows, pair, what, seen, id_column)


def _layer_from_corners(
    cells: pd.DataFrame,
    rows: pd.Index,
    xy: tuple[str, str],
    what: str,
    seen: Findings,
    id_column: str | None,
) -> gpd.GeoDataFrame:
    """Areas (or lines) from corner points, a row each, in their order; points where ids differ."""
    read = [split_numbers(cells[c]) for c in xy]
    at = np.column_stack([r["number"].where(r["unit"].isin(["", "m", "米"])) for r in read])
    bad = ~np.isfinite(at).all(axis=1)
    if bad.any():
        raise LayerError(
            f"has rows whose {xy[0]}, {xy[1]} are no numbers (rows of the file)",
            layer=what,
            ids=rows[bad],
            hint="correct them, or leave the rows out",
        )
    kind = noun(what)
    matched = {v: k for k, v in match_columns(cells.columns.drop(list(xy)), kind).items()}
    key = id_column if id_column in cells.columns else matched.get(kind.index or "")
    rest = cells.drop(columns=list(xy))
    if key is None or not cells[key].duplicated().any():
        return gpd.GeoDataFrame(rest, geometry=shapely.points(at))
    group, first = pd.factorize(cells[key])
    if (np.diff(group) < 0).any() or (group < 0).any():
        raise LayerError(
            f"has corner points of one {key} in several places, or without any",
            layer=what,
            ids=first[np.unique(group[1:][np.diff(group) < 0])] if (group >= 0).all() else (),
            hint="sort the table by that column, the corners in their order",
        )
    size = np.bincount(group)
    least = 3 if "Polygon" in kind.geometry else 2
    if (size < least).any():
        raise LayerError(
            f"has fewer than {least} corner points for some",
            layer=what,
            ids=first[size < least],
            hint="complete them, or leave the rows out",
        )
    if "Polygon" in kind.geometry:
        shapes = np.asarray(shapely.polygons(shapely.linearrings(at, indices=group)))
    else:
        shapes = np.asarray(shapely.linestrings(at, indices=group))
    seen.add("corners_joined", first, n=list(map(str, size)))
    return gpd.GeoDataFrame(rest.groupby(group).first().reset_index(drop=True), geometry=shapes)
