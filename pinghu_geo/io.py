"""What did they give me? Layers and tables in, under the names of `schema`; layers out."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import tomllib
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyproj import CRS
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType
from pyproj.exceptions import CRSError as ProjError

from pinghu_geo.chainage import parse_chainage
from pinghu_geo.encoding import dbf_encoding, text_encoding
from pinghu_geo.errors import ChainageError, CRSError, LayerError, OutputError
from pinghu_geo.schema import (
    NOUNS,
    Column,
    Noun,
    canonical_codes,
    match_columns,
    nearest,
    noun,
    same_crs,
)

__all__ = [
    "atomic_path",
    "crs_candidates",
    "read_layer",
    "read_table",
    "rule_file",
    "write_layer",
]

log = logging.getLogger(__name__)

VECTOR = {".shp", ".gpkg", ".geojson", ".json", ".fgb", ".dxf", ".kml", ".tab", ".mif", ".gdb"}
PARQUET = {".parquet", ".geoparquet"}
# Unpacked sizes that no delivery of one district has: a zip bomb, not a layer.
ZIP_BYTES = 8 * 2**30
ZIP_RATIO = 200
# M values may differ from the drawn length by this [m]: older surveys round to decimetres.
M_TOLERANCE_M = 1.0
# Longest text in a .dbf field [bytes].
DBF_TEXT_BYTES = 254
# China, for the list of CRS that coordinates could be in [degrees].
CHINA = AreaOfInterest(73.0, 3.0, 136.0, 54.0)


# how yes and no are written in such tables
TRUTH = dict.fromkeys(("是", "true", "1", "1.0", "yes", "y", "√", "达标", "合格"), True)
TRUTH |= dict.fromkeys(("否", "false", "0", "0.0", "no", "n", "×", "不达标", "不合格"), False)


def read_layer(
    source: str | Path,
    what: str,
    *,
    layer: str | None = None,
    crs: Any = None,
    encoding: str | None = None,
    id_column: str | None = None,
    row_ids: bool = False,
    near: gpd.GeoDataFrame | None = None,
    near_m: float = 100.0,
) -> gpd.GeoDataFrame:
    """Read a layer of a known kind, under canonical names, indexed by its ids 读取图层.

    Parameters
    ----------
    source
        Shapefile, zip, GeoPackage, GeoJSON, GeoParquet, FlatGeobuf, DXF, KML, MapInfo TAB or
        MIF, File Geodatabase.
    what
        ``"buildings"``, ``"parcels"``, ``"rivers"``, ``"red_line"`` or ``"zones"``.
    layer
        Layer of the file; of a DXF, the CAD layer. Needed where there are several.
    crs
        What the file is in, where it doesn't say. A file that says otherwise is refused.
    encoding
        Encoding of a Shapefile's or a DXF's text; by default found from its bytes.
    id_column
        Column that holds the ids; by default found by its name.
    row_ids
        Number the rows ``1``, ``2``, ... where the delivery has no ids.
    near
        Read only what meets the box around this layer, such as the red line, in the file's own
        CRS. Formats with an index (GeoPackage, FlatGeobuf, GeoParquet with a covering) read no
        more than that from the disk. Rows without geometry stay away, too.
    near_m
        How much larger the box is on each side [m].

    Returns
    -------
    geopandas.GeoDataFrame
        Indexed by id (text); recognised columns renamed, typed and decoded to the words of
        the data model, all others as they came; geometry without Z. All rows are kept:
        `check` lists what is wrong with them.

    Raises
    ------
    LayerError
        The file can't be read, has several layers, or lacks ids; ``near`` with ``row_ids`` (whose
        numbers would depend on the box) or for rivers (which are read whole).
    CRSError
        The file doesn't say its CRS and ``crs`` is not given, or they differ; ``near`` is in
        another CRS.

    Notes
    -----
    The encoding used, and why, is logged (logger ``pinghu_geo.io``, level INFO).

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> buildings.index.name, buildings.crs.to_epsg()
    ('building_id', 4547)
    """
    kind = noun(what)
    box = None if near is None else _box(near, near_m, what, row_ids=row_ids)
    with ExitStack() as stack:
        path = _unpacked(Path(source), stack)
        frame = _read_vector(path, layer, encoding, what, box, stack)
    frame = _with_crs(frame, crs, what)
    if near is not None and box is not None:
        if not same_crs(frame.crs, near.crs):
            raise CRSError(
                f"is in {frame.crs.name}, near in {near.crs.name if near.crs else 'no CRS'}",
                layer=what,
                hint=f"near=near.to_crs({frame.crs.to_epsg() or frame.crs.to_string()!r})",
            )
        meets = shapely.intersects(shapely.box(*box), frame.geometry.to_numpy())
        # GeoParquet keeps an index of its own, which may be the ids
        frame = frame[meets] if frame.index.name else frame[meets].reset_index(drop=True)
    frame = frame.set_geometry(shapely.force_2d(frame.geometry.to_numpy()), crs=frame.crs)
    return _canonical(frame, kind, id_column, row_ids=row_ids)


def read_table(
    source: str | Path, what: str, *, sheet: str | int = 0, encoding: str | None = None
) -> pd.DataFrame:
    """Read a table of a known kind from CSV or XLSX, under canonical names 读取表格.

    Parameters
    ----------
    source
        ``.csv``, ``.txt`` (comma), ``.xlsx``.
    what
        ``"widths"``, ``"rates"`` or ``"segments"``.
    sheet
        Sheet of a workbook, by name or position.
    encoding
        Encoding of a CSV; by default UTF-8 or GBK by its bytes.

    Returns
    -------
    pandas.DataFrame
        Recognised columns renamed and typed; chainages as text (``K1+200``) become metres.
        The index is the row number in the file (2 is the first below the heading), so that
        messages lead back to it.

    Raises
    ------
    LayerError
        The file can't be read, or lacks a column.
    ChainageError
        A chainage can't be read; its rows are named.

    Examples
    --------
    >>> pg.read_table(sample / "红线宽度_原方案.csv", "widths").columns.tolist()
    ['river', 'chainage_m', 'left_m', 'right_m']
    """
    kind = noun(what)
    path = Path(source)
    _exists(path, what)
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        frame = pd.read_excel(path, sheet_name=sheet, dtype=str)
    elif path.suffix.lower() in (".csv", ".txt"):
        found = encoding or text_encoding(path.read_bytes(), path.name).name
        frame = pd.read_csv(path, dtype=str, encoding=found, skipinitialspace=True)
    else:
        raise LayerError(
            f"{path.name} is no table that can be read", layer=what, hint="save it as .xlsx or .csv"
        )
    frame = frame.rename(columns=match_columns(frame.columns, kind))
    frame.index = pd.RangeIndex(2, len(frame) + 2, name="row")
    frame = frame[frame.notna().any(axis=1)]
    return _typed(frame, kind)


def rule_file(path: str | Path | None, default: str) -> dict[str, Any]:
    """Content of a TOML file of rules; by default one of the library's own."""
    if path is None:
        return tomllib.loads((files("pinghu_geo") / "rules" / default).read_text("utf-8"))
    path = Path(path)
    _exists(path, "rules")
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise LayerError(
            f"{path.name} is no valid TOML in UTF-8: {fault}", layer="rules"
        ) from fault


def write_layer(
    frame: gpd.GeoDataFrame, target: str | Path, what: str, *, encoding: str = "GBK"
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
        Of a Shapefile; the .cpg says so.

    Raises
    ------
    LayerError
        The suffix is not known.
    OutputError
        Field names collide after the cut to 10 bytes, or the file can't be written.

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
    flat = frame.reset_index() if frame.index.name else frame
    if suffix in PARQUET:
        with atomic_path(path) as temporary:
            frame.to_parquet(temporary, write_covering_bbox=True)
        return
    if suffix != ".shp":
        with atomic_path(path) as temporary:
            pyogrio.write_dataframe(flat, temporary, layer=path.stem)
        return
    flat = _for_shapefile(flat, noun(what), encoding)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        pyogrio.write_dataframe(flat, made, encoding=encoding)
        made.with_suffix(".cpg").write_text(encoding, "ascii")
        for part in Path(folder).iterdir():
            os.replace(part, path.with_suffix(part.suffix))


def _for_shapefile(flat: gpd.GeoDataFrame, kind: Noun, encoding: str) -> gpd.GeoDataFrame:
    """Chinese names of at most 10 bytes and Chinese words, as offices expect them."""
    labels = {c.name: c for c in kind.columns}
    names: dict[str, str] = {}
    flat = flat.copy()
    for column in flat.columns.drop(flat.geometry.name):
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
    for column in flat.columns.drop(flat.geometry.name):
        if not pd.api.types.is_numeric_dtype(flat[column]):
            size = flat[column].dropna().map(lambda v: len(str(v).encode(encoding, "replace")))
            if (size > DBF_TEXT_BYTES).any():
                raise OutputError(
                    f"texts of {column!r} are longer than the {DBF_TEXT_BYTES} bytes of a .dbf",
                    ids=size.index[size > DBF_TEXT_BYTES],
                    hint="write a GeoPackage",
                )


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path of the same suffix that takes the target's place when all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        yield temporary
        os.replace(temporary, path)


# --- files ------------------------------------------------------------------------------------


def _exists(path: Path, what: str) -> None:
    if not path.exists():
        here = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        raise LayerError(
            f"there is no file {path}",
            layer=what,
            hint=nearest(path.name, here) if here else "check the folder's name",
        )


def _unpacked(path: Path, stack: ExitStack) -> Path:
    """The file itself, or the one layer in a zip, unpacked where nothing else lies."""
    _exists(path, "source")
    if path.suffix.lower() == ".dwg":
        raise LayerError(
            f"{path.name} is a DWG drawing, a closed format",
            hint="save it as DXF in the CAD program and read that",
        )
    if path.suffix.lower() != ".zip":
        return path
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    try:
        # names without the UTF-8 mark are in the packer's code page: GBK on Chinese Windows
        archive = stack.enter_context(zipfile.ZipFile(path, metadata_encoding="gbk"))
    except (zipfile.BadZipFile, UnicodeDecodeError) as fault:
        raise LayerError(f"{path.name} is no readable zip", hint="ask for it again") from fault
    size = sum(i.file_size for i in archive.infolist())
    if size > ZIP_BYTES or size > ZIP_RATIO * max(path.stat().st_size, 2**20):
        raise LayerError(
            f"{path.name} would unpack to {size / 2**20:,.0f} MB",
            hint="unpack it yourself if that is right, and read the layer inside",
        )
    archive.extractall(folder)  # noqa: S202 - zipfile drops absolute paths and ".."
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in VECTOR | PARQUET)
    if len(found) != 1:
        names = ", ".join(str(p.relative_to(folder)) for p in found) or "none"
        raise LayerError(
            f"{path.name} holds {len(found)} layers: {names}",
            hint="unpack it and read the one you mean",
        )
    return found[0]


Box = tuple[float, float, float, float]


def _box(near: gpd.GeoDataFrame, near_m: float, what: str, *, row_ids: bool) -> Box:
    """The box around a layer, a little larger."""
    if row_ids or what == "rivers":
        raise LayerError(
            "read near something would have other row numbers each time"
            if row_ids
            else "are read whole: their chainage begins at their upper end",
            layer=what,
            hint="leave out near, or give the layer ids" if row_ids else "leave out near",
        )
    x0, y0, x1, y1 = near.total_bounds
    if not np.isfinite([x0, y0, x1, y1]).all() or not near_m >= 0:
        raise LayerError(
            "is empty, or near_m below 0", layer="near", hint="near=red_line, near_m=100"
        )
    return x0 - near_m, y0 - near_m, x1 + near_m, y1 + near_m


def _read_parquet(path: Path, box: Box | None) -> gpd.GeoDataFrame:
    """GeoParquet; of a file with a covering only the row groups that the box meets."""
    try:
        return gpd.read_parquet(path, bbox=box)
    except ValueError as fault:
        if box is None or "bbox" not in str(fault):
            raise
        return gpd.read_parquet(path)  # no covering: the caller leaves out what is too far


def _read_vector(
    path: Path,
    layer: str | None,
    encoding: str | None,
    what: str,
    box: Box | None,
    stack: ExitStack,
) -> gpd.GeoDataFrame:
    """Read by suffix; the reader's own errors become one that says what to do."""
    suffix = path.suffix.lower()
    if suffix not in VECTOR | PARQUET:
        raise LayerError(
            f"{path.name} is no layer that can be read",
            layer=what,
            hint="use Shapefile, GeoPackage, GeoJSON, GeoParquet, FlatGeobuf or DXF",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say is checked here, or by `check`
            if suffix in PARQUET:
                return _read_parquet(path, box)
            if suffix == ".shp":
                path, found = _shapefile(path, encoding, stack)
                frame = pyogrio.read_dataframe(path, encoding=found, on_invalid="ignore", bbox=box)
            elif suffix == ".dxf":
                frame = _read_dxf(path, layer, encoding, what)
            else:
                frame = pyogrio.read_dataframe(
                    path, layer=_one_layer(path, layer, what), on_invalid="ignore", bbox=box
                )
            if what == "rivers" and suffix not in {".dxf"}:
                frame = _chainage_from_m(frame, path, layer)
    except (RuntimeError, OSError, ValueError) as fault:
        if isinstance(fault, LayerError):
            raise
        raise LayerError(
            f"{path.name} can't be read: {str(fault).rstrip('.')}",
            layer=what,
            hint="open it in the program that wrote it and export it again",
        ) from fault
    if not isinstance(frame, gpd.GeoDataFrame):
        raise LayerError(
            f"{path.name} has no geometry", layer=what, hint="pg.read_table reads tables"
        )
    return frame


def _chainage_from_m(frame: Any, path: Path, layer: str | None) -> Any:
    """Start and direction of chainage from the M values of centrelines, where they have any.

    The reader drops M, but hands the file's own WKB over through Arrow. M that doesn't run with
    the length isn't a chainage that `rivers` can hold; it is refused.
    """
    raw = pyogrio.read_arrow(path, layer=layer, columns=[])[1]
    lines = shapely.from_wkb(raw.column(raw.num_columns - 1).to_pylist(), on_invalid="ignore")
    if not shapely.has_m(lines).any():
        return frame
    start, sign = np.full(len(lines), np.nan), np.full(len(lines), np.nan)
    misfit = []
    for k in np.flatnonzero(shapely.has_m(lines)):
        x, y, m = shapely.get_coordinates(lines[k], include_m=True).T
        along = np.append(0.0, np.cumsum(np.hypot(np.diff(x), np.diff(y))))
        way = 1.0 if m[-1] >= m[0] else -1.0
        if np.nanmax(np.abs(m - m[0] - way * along)) > M_TOLERANCE_M or np.isnan(m).any():
            misfit.append(k + 1)
        else:
            start[k], sign[k] = m[0], way
    if misfit:
        raise LayerError(
            f"{path.name} has M values that don't run with the length of the line (rows)",
            layer="rivers",
            ids=misfit,
            hint="they are no plain chainage: save the layer without M and state start_m, "
            "chainage_sign and equations (断链)",
        )
    taken = {c.lower() for c in map(str, frame.columns)}
    values = {"start_m": start, "chainage_sign": sign}
    return frame.assign(**{name: v for name, v in values.items() if name not in taken})


def _one_layer(path: Path, layer: str | None, what: str) -> str:
    """The layer asked for, or the only one."""
    names = [str(n) for n in pyogrio.list_layers(path)[:, 0]]
    if layer is None and len(names) != 1:
        raise LayerError(
            f"{path.name} has {len(names)} layers: {', '.join(names)}",
            layer=what,
            hint=f"pg.read_layer(..., layer={names[0]!r})" if names else "",
        )
    if layer is not None and layer not in names:
        raise LayerError(
            f"{path.name} has no layer {layer!r}", layer=what, hint=nearest(layer, names)
        )
    return layer or names[0]


def _shapefile(path: Path, encoding: str | None, stack: ExitStack) -> tuple[Path, str]:
    """Path and encoding of a Shapefile; one without .shx is given a fresh one in a copy."""
    parts = {p.suffix.lower(): p for p in path.parent.glob("*") if p.stem == path.stem}
    dbf = parts.get(".dbf")
    if encoding is None and dbf is not None:
        found = dbf_encoding(dbf)
        log.info(
            "%s: %s (%s, %.0f %% sure)", path.name, found.name, found.reason, 100 * found.confidence
        )
        encoding = found.name
    if ".shx" not in parts:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for part in parts.values():
            shutil.copy(part, folder / part.name)
        path = folder / path.name
        pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": "YES"})
        stack.callback(pyogrio.set_gdal_config_options, {"SHAPE_RESTORE_SHX": None})
    return path, encoding or "UTF-8"


def _read_dxf(path: Path, layer: str | None, encoding: str | None, what: str) -> gpd.GeoDataFrame:
    """Entities of one CAD layer; closed polylines as polygons where the noun has polygons."""
    raw = path.read_bytes()
    # the header's code page is often the program's default and not that of the texts
    found = encoding or text_encoding(raw, path.name).name
    pyogrio.set_gdal_config_options({"DXF_ENCODING": found})
    try:
        with tempfile.TemporaryDirectory() as folder:
            if b"HEADER" not in raw[:1000]:  # GDAL looks for the encoding only behind a header
                path = Path(folder) / path.name
                path.write_bytes(b"0\nSECTION\n2\nHEADER\n0\nENDSEC\n" + raw)
            frame = pyogrio.read_dataframe(path, CLOSED_LINE_AS_POLYGON="YES", OGR_ARC_STEPSIZE=1)
    finally:
        pyogrio.set_gdal_config_options({"DXF_ENCODING": None})
    names = sorted(frame["Layer"].dropna().unique())
    if layer is None and len(names) > 1:
        raise LayerError(
            f"{path.name} has {len(names)} CAD layers: {', '.join(names)}",
            layer=what,
            hint=f"pg.read_layer(..., layer={names[0]!r})",
        )
    if layer is not None:
        if layer not in names:
            raise LayerError(
                f"{path.name} has no CAD layer {layer!r}", layer=what, hint=nearest(layer, names)
            )
        frame = frame[frame["Layer"] == layer].reset_index(drop=True)
    if "Polygon" in NOUNS[what].geometry:
        lines = frame.geometry.to_numpy().copy()
        ring = shapely.is_closed(lines) & (shapely.get_num_coordinates(lines) >= 4)
        ring &= shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING
        lines[ring] = [shapely.Polygon(line.coords) for line in lines[ring]]
        frame = frame.set_geometry(lines)
    return frame.drop(
        columns=["PaperSpace", "SubClasses", "Linetype", "EntityHandle"], errors="ignore"
    )


# --- coordinates ------------------------------------------------------------------------------


def _with_crs(frame: gpd.GeoDataFrame, crs: Any, what: str) -> gpd.GeoDataFrame:
    """Settle the CRS: declared by the file, or given, or refused with what it could be."""
    try:
        given = None if crs is None else CRS.from_user_input(crs)
    except ProjError as fault:
        raise CRSError(
            f"crs={crs!r} is no coordinate reference system",
            layer=what,
            hint="give an EPSG code, such as 4547",
        ) from fault
    if frame.crs is None:
        if given is None:
            bounds = frame.total_bounds
            seen = ", ".join(f"{v:,.1f}" for v in bounds)
            options = crs_candidates(bounds)
            listed = "; ".join(f"{code} {name}" for code, name in islice(options.items(), 8))
            listed += f"; ... {len(options)} in all" if len(options) > 8 else ""
            raise CRSError(
                f"the file doesn't say its coordinate reference system; bounds {seen}. "
                f"In China these could be: {listed or 'none (are x and y swapped?)'}",
                layer=what,
                hint="ask who surveyed it (the datum can't be told from coordinates), then "
                f"pg.read_layer(..., crs={next(iter(options), 4547)})",
            )
        return frame.set_crs(given)
    declared = _normal(frame.crs)
    if given is not None and not same_crs(declared, given):
        raise CRSError(
            f"the file says it is in {declared.name}, not in {given.name}",
            layer=what,
            hint=f"leave crs out, then {what} = {what}.to_crs({given.to_epsg() or 'crs'})",
        )
    return frame.set_crs(declared, allow_override=True)


def _normal(crs: CRS) -> CRS:
    """The EPSG form of a CRS that came as ESRI text, where it is one beyond doubt."""
    code = crs.to_epsg()
    return CRS.from_epsg(code) if code else crs


def crs_candidates(bounds: Any) -> dict[int, str]:
    """EPSG codes of Chinese projected systems that coordinates could be in 候选坐标系.

    Parameters
    ----------
    bounds
        min x, min y, max x, max y, as eastings and northings [m].

    Returns
    -------
    dict
        Name by code: the 3-degree and 6-degree Gauss-Kruger systems of CGCS2000, Xian 1980
        and Beijing 1954 in whose area of use the bounds may lie, CGCS2000 first. An easting
        without a zone number fits every central meridian, and no coordinates tell the datum:
        so this is a list to choose from, never an answer.

    Examples
    --------
    >>> 4547 in pg.crs_candidates([513000, 2510000, 514000, 2511000])
    True
    """
    x0, y0, x1, y1 = map(float, bounds)
    if not np.isfinite([x0, y0, x1, y1]).all():
        return {}
    found: dict[int, str] = {}
    infos = query_crs_info(
        auth_name="EPSG", pj_types=PJType.PROJECTED_CRS, area_of_interest=CHINA, contains=False
    )
    wanted = [
        i
        for i in infos
        if "Gauss-Kruger" in i.name
        and "(E-N)" not in i.name
        and i.name.startswith(("CGCS2000", "Beijing 1954", "Xian 1980"))
    ]
    wanted.sort(key=lambda i: (not i.name.startswith("CGCS2000"), int(i.code)))
    for info in wanted:
        area = info.area_of_use
        if area is None:
            continue
        # easting of the area's edges: 500 km at the central meridian, a degree is <= 111.4 km
        zone = int(info.name.rsplit("zone ", 1)[1]) if "zone " in info.name else None
        base = 500_000.0 + (zone or 0) * 1e6
        half = 111_400.0 * (area.east - area.west) / 2
        north = (110_560.0 * area.south, 111_700.0 * area.north)
        if base - half <= x0 and x1 <= base + half and north[0] <= y0 and y1 <= north[1]:
            found[int(info.code)] = info.name
    return found


# --- columns ----------------------------------------------------------------------------------


def _canonical(
    frame: gpd.GeoDataFrame, kind: Noun, id_column: str | None, *, row_ids: bool
) -> gpd.GeoDataFrame:
    """Rename, type and index a layer."""
    if frame.index.name is not None:  # GeoParquet keeps the index
        frame = frame.reset_index()
    if id_column is not None:
        if id_column not in frame.columns:
            raise LayerError(
                f"has no column {id_column!r}",
                layer=kind.name,
                hint=nearest(id_column, map(str, frame.columns)),
            )
        frame = frame.rename(columns={id_column: kind.index})
    names = match_columns(frame.columns.drop(frame.geometry.name), kind)
    frame = frame.rename(columns=names)
    if frame.geometry.name != "geometry":
        frame = frame.rename_geometry("geometry")
    frame = _typed(frame, kind)
    if kind.index is None:
        return frame
    if row_ids:
        frame[kind.index] = np.arange(1, len(frame) + 1).astype(str)
    if kind.index not in frame.columns:
        have = ", ".join(map(str, frame.columns.drop("geometry"))) or "no columns"
        raise LayerError(
            f"has no column that is known to hold ids; it has {have}",
            layer=kind.name,
            hint="pg.read_layer(..., id_column=...), or row_ids=True to number the rows",
        )
    return frame.set_index(kind.index)


def _typed(frame: Any, kind: Noun) -> Any:
    """Give each recognised column its type; what can't be read stays as text for `check`."""
    frame = frame.copy()
    for column in kind.columns:
        if column.name in frame.columns:
            frame[column.name] = _column(frame[column.name], column, kind.name)
    return frame


def _column(values: pd.Series, column: Column, layer: str) -> pd.Series:
    """One column in its type."""
    if column.dtype in ("text", "code"):
        text = _text(values)
        return canonical_codes(text, column) if column.dtype == "code" else text
    if column.dtype == "chainage":
        return _chainages(values, column.name, layer)
    if column.dtype == "date":
        return pd.to_datetime(values, errors="coerce")
    if column.dtype in ("float", "int"):
        plain = values.map(lambda v: v.replace(",", "").strip() if isinstance(v, str) else v)
        plain = plain.where(plain != "")
        numbers = pd.to_numeric(plain, errors="coerce")
        lost = numbers.isna() & plain.notna()
        return values if lost.any() else numbers.astype(float)
    if column.dtype == "bool":
        return _truths(values)
    return values


def _truths(values: pd.Series) -> pd.Series:
    """Yes and no as they are written; a blank is NA, and one other word leaves all as they are."""
    words = values.astype("str").str.strip().str.lower().where(values.notna(), "")
    truth = words.map(TRUTH)
    known = truth.notna() | (words == "")
    return truth.astype("boolean") if known.all() else values


def _text(values: pd.Series) -> pd.Series:
    """Ids and names as text: a whole number has no decimals, blanks are NA."""
    if pd.api.types.is_float_dtype(values):
        whole = values.dropna()
        if (whole == whole.round()).all() and (whole.abs() < 2**53).all():
            values = values.astype("Int64")
    text = values.astype("str").str.strip()
    return text.where(values.notna() & (text != ""))


def _chainages(values: pd.Series, field: str, layer: str) -> pd.Series:
    """Chainages in metres; all rows that can't be read in one error."""
    if pd.api.types.is_numeric_dtype(values):
        return values.astype(float)
    read, bad = np.full(len(values), np.nan), []
    for k, value in enumerate(values):
        if pd.isna(value) or not str(value).strip():
            continue
        try:
            read[k] = parse_chainage(value)
        except ChainageError:
            bad.append(f"{values.index[k]}: {value}")
    if bad:
        raise ChainageError(
            f"{field} holds texts that are no chainage (桩号)",
            layer=layer,
            ids=bad,
            hint="accepted forms are K12+669.5, 12+669.5, or metres",
        )
    return pd.Series(read, index=values.index)
