"""What lies in this folder? Each layer, table and raster, what it seems to be, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pyogrio

from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.drawing import drawing_layers
from pinghu_geo.intake.drivers import for_one_driver
from pinghu_geo.intake.encoding import dbf_encoding
from pinghu_geo.intake.formats import PARQUET, STYLES, TABLES, VECTOR, read_cells
from pinghu_geo.intake.osm import OSM
from pinghu_geo.intake.shapefile import parts_of
from pinghu_geo.nouns.errors import PinghuError, own_slip, reason
from pinghu_geo.nouns.files import require_signature, zip_members
from pinghu_geo.nouns.notices import quiet_libraries
from pinghu_geo.nouns.schema import NOUNS, match_columns
from pinghu_geo.nouns.words import speaks_of

__all__ = ["SCHEMA_FILE", "Sight", "sights"]

# words in the name of a raster of the ground's heights
GROUND = r"(?<![a-z])ground\.|dem|dsm|dtm|srtm|terrain|elev|height|高程|地面|地形|标高"
RASTERS = {".tif", ".tiff", ".asc", ".vrt", ".img"}
# by which editors complete and check the project file; no layer
SCHEMA_FILE = "project.schema.json"
# so deep, and so many files, are looked at
DEEPEST = 6
MOST_FILES = 2_000
# words in the name of a file or layer, by what they say; the first that fits
WORDS: dict[str, str] = {
    "red_line": r"红线|蓝线|管理范围线|red_?line",
    "zones": r"更新|整备|片区|renewal",
    "parcels": r"宗地|地籍|地块|parcel|cadast|farms?|erf|urban|plots?\b",
    "buildings": r"房屋|建筑|楼栋|自然幢|building|house|footprint|"
    r"structures?|bldg|^JMD$",
    "rivers": r"河道|河流|中心线|水系线|river|waterway|stream|canal|centre?line",
}
# and, in the languages of words.toml, concepts of words so long
SPOKEN = {"buildings": ("building", 5), "parcels": ("parcel", 6), "rivers": ("river", 3)}
# columns that say it, whatever the layer is called
MARKS: dict[str, set[str]] = {
    "buildings": {"building", "building:levels", "levels", "fwjg", "zcs", "num_floors", "bldg_id",
                  "measuredheight", "floor", "楼层"},
    "rivers": {"waterway"},
    "parcels": {"sg_code", "zddm", "宗地代码", "farm_no", "erf_no"},
    "roads": {"highway", "maxspeed", "oneway"},
}  # fmt: skip
SHAPES = {"Polygon": ("buildings", "parcels", "zones", "red_line"), "LineString": ("rivers",)}
# of a layer that states no kind of shape, so many rows are looked at
LOOKED_AT = 100
# words in the name of a table; of evidence, whose headings are few, they have to be there
TABLE_WORDS = {
    "widths": "宽|width", "rates": "补偿|标准|单价|rates", "segments": "责任|包干|segments",
    "design": "设计断面|design", "flows": "流量|flows", "boundaries": "边界条件|boundaries",
    "evidence": "依据|evidence", "control": "控制点|control",
    "structures": "桥|涵|闸|堰|structures|bridges", "structure_parts": "构件|桥孔|parts",
    "junctions": "汇流|汇口|分汊|junction|confluence", "walls": "挡墙|护岸|walls",
    "groups": "责任组|groups", "tenants": "租户|tenant", "handover": "进场|handover",
    "capacity": "工效|capacity",
}  # fmt: skip
# whose headings other tables have, too: told by their name as well
BY_NAME = frozenset({
    "structures", "structure_parts", "junctions", "walls", "groups", "tenants", "handover",
    "capacity",
})  # fmt: skip


class Sight(NamedTuple):
    """One layer, table or raster: what it seems to be (empty where nothing tells), and why."""

    path: Path
    layer: str | None
    what: str
    why: str
    geometry: str = ""
    rows: int = -1
    crs: str | None = None
    columns: tuple[str, ...] = ()


def sights(folder: Path) -> list[Sight]:
    """Everything in a folder that could be read, in the order of its names."""
    found: list[Sight] = []
    for path in _candidate_files(folder):
        suffix = path.suffix.lower()
        try:
            with quiet_libraries():
                found += _sights_of_file(path, suffix)
        except PinghuError as fault:
            found.append(Sight(path, None, "", fault.said))
        # whatever a damaged file makes a library say, the others are still looked at
        except Exception as fault:
            if own_slip(fault):
                raise
            found.append(Sight(path, None, "", f"can't be read: {reason(fault)[:120]}"))
    return found


def _candidate_files(folder: Path) -> Iterator[Path]:
    """Files that could be layers, tables or rasters; no links, which lead elsewhere."""
    known = VECTOR | PARQUET | TABLES | RASTERS | {".zip"}
    count = 0
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if len(inside.parts) > DEEPEST or any(p.startswith(".") for p in inside.parts):
            continue
        if path.name == SCHEMA_FILE:
            continue
        if path.suffix.lower() in known and path.is_file() and not path.is_symlink():
            count += 1
            if count > MOST_FILES:
                return
            yield path


def _sights_of_file(path: Path, suffix: str) -> list[Sight]:
    if suffix in RASTERS:
        dem = re.search(GROUND, path.name, re.IGNORECASE)
        why = "raster, by its name of the ground" if dem else "raster"
        return [Sight(path, None, "dem" if dem else "", why)]
    look = {
        ".zip": _sights_of_zip,
        ".dxf": _sights_of_drawing,
        **dict.fromkeys(OSM, _sights_of_osm),
    }.get(suffix)
    look = _sights_of_table if suffix in TABLES else look
    if look is None:
        require_signature(path, "new")
        look = _sights_of_parquet if suffix in PARQUET else _sights_of_gdal_file
    return look(path)


def _sights_of_osm(path: Path) -> list[Sight]:
    """An extract of OSM; how many rows of what there are, only reading it all would tell."""
    require_signature(path, "new")
    return [
        Sight(path, None, noun, "extract of OpenStreetMap", kind, columns=columns)
        for noun, kind, columns in (
            ("buildings", "MultiPolygon", ("building",)), ("rivers", "LineString", ("river",))
        )
    ]  # fmt: skip


def _sights_of_drawing(path: Path) -> list[Sight]:
    """The CAD layers of a drawing; lines of a red line are read as the areas that they enclose."""
    require_signature(path, "new")
    found = []
    for name, kind, rows in drawing_layers(path):
        drawn = "Polygon" if re.search(WORDS["red_line"], name, re.IGNORECASE) else kind
        found.append(Sight(path, name, *_noun_and_reason(name, path.stem, drawn, ()), drawn, rows))
    return found


def _sights_of_gdal_file(path: Path) -> list[Sight]:
    """The layers of a file that GDAL reads."""
    suffix = path.suffix.lower()
    with ExitStack() as stack:
        opened = path if suffix == ".shp" else for_one_driver(path, "new", stack)
        found = []
        for name, stated in pyogrio.list_layers(opened):
            if stated is None or name == STYLES:
                continue
            encoding = _encoding_of_names(path) if suffix == ".shp" else None
            info = pyogrio.read_info(opened, layer=name, encoding=encoding)
            columns = tuple(map(str, info["fields"]))
            several = suffix in (".gpkg", ".gdb", ".kml")
            kind = str(info["geometry_type"])
            if kind == "Unknown":
                kind = _kind_of_first_shapes(opened, str(name))
            found.append(
                _sight_of_layer(path, str(name) if several else None, kind, int(info["features"]),
                      info["crs"], columns)
            )  # fmt: skip
        return found


def _kind_of_first_shapes(path: Path, layer: str) -> str:
    """Kind of the first shapes of a layer that states none, such as of a KML; if they are alike."""
    first = pyogrio.read_dataframe(path, layer=layer, columns=[], max_features=LOOKED_AT,
                                   on_invalid="ignore")  # fmt: skip
    kinds = {k.removeprefix("Multi") for k in first.geometry.geom_type.dropna()}
    return kinds.pop() if len(kinds) == 1 else "Unknown"


def _sights_of_zip(path: Path) -> list[Sight]:
    """What lies in a zip, under the names by which it is asked for."""
    found = []
    with ExitStack() as stack:
        members = zip_members(path, "new", VECTOR | PARQUET, stack)
        for name, member in members:
            seen = _sights_of_file(member, member.suffix.lower())
            if len(members) == 1:
                found += [one._replace(path=path) for one in seen]
            elif len(seen) == 1:  # of several layers in one of several files none can be named
                found += [one._replace(path=path, layer=name) for one in seen]
    return found


def _encoding_of_names(path: Path) -> str:
    """Encoding of a Shapefile's field names; any does where there are none."""
    dbf = parts_of(path).get(".dbf")
    found = None if dbf is None else dbf_encoding(dbf)
    return "ISO-8859-1" if found is None else found.name


def _sights_of_parquet(path: Path) -> list[Sight]:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    geo = json.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
    column = geo.get("columns", {}).get(geo.get("primary_column"), {})
    kinds = column.get("geometry_types") or ["Unknown"]
    crs = column.get("crs")
    code = f"EPSG:{crs['id']['code']}" if isinstance(crs, dict) and "id" in crs else None
    columns = tuple(n for n in file.schema_arrow.names if n != geo.get("primary_column"))
    kind = "MultiPolygon" if "Polygon" in str(kinds) else str(kinds[0])
    return [_sight_of_layer(path, None, kind, file.metadata.num_rows, code, columns)]


def _sight_of_layer(
    path: Path, layer: str | None, geometry: str, rows: int, crs: Any, columns: tuple[str, ...]
) -> Sight:
    what, why = _noun_and_reason(layer or path.stem, path.stem, geometry, columns)
    return Sight(path, layer, what, why, geometry, rows, crs, columns)


def _noun_and_reason(
    name: str, stem: str, geometry: str, columns: tuple[str, ...]
) -> tuple[str, str]:
    """What a layer seems to be, by its geometry, its name, and its columns; and why."""
    plain = next((nouns for kind, nouns in SHAPES.items() if kind in geometry), ())
    have = {c.lower() for c in columns}
    if hit := have & MARKS["roads"]:
        return "", f"{geometry} with column {min(hit)}: roads"
    for noun, marks in MARKS.items():
        if noun in plain and (hit := have & marks):
            return noun, f"{geometry} with column {min(hit)}"
    for text in dict.fromkeys((name, stem)):
        for noun, words in WORDS.items():
            if noun in plain and (found := re.search(words, text, re.IGNORECASE)):
                return noun, f"{geometry} called {found[0]}"
    for text in dict.fromkeys((name, stem)):
        for noun in plain:
            if noun in SPOKEN and (found_word := speaks_of(text, *SPOKEN[noun])):
                return noun, f"{geometry} called {found_word}"
    for noun in plain:
        matched = set(match_columns(columns, NOUNS[noun]).values())
        ids = {NOUNS[noun].index, "river", "owner", "name", "kind", "height_m", "use",
               "land_use"}  # fmt: skip
        if matched - ids:
            return noun, f"{geometry} with {', '.join(sorted(matched - ids))}"
    return "", f"{geometry or 'no geometry'}, nothing else tells"


def _sights_of_table(path: Path) -> list[Sight]:
    """A table, by the required columns that its headings hold, and its name where several fit."""
    cells = read_cells(path, "widths", Findings("widths"))
    columns = tuple(map(str, cells.columns))
    fit = []
    for noun, words in TABLE_WORDS.items():
        matched = set(match_columns(columns, NOUNS[noun]).values())
        needed = set(NOUNS[noun].required) - {"river"}
        if needed and needed <= matched:
            named = bool(re.search(words, path.stem, re.IGNORECASE))
            if named or (noun not in BY_NAME and (len(needed) > 1 or noun == "rates")):
                fit.append((named, len(needed), noun))
    if not fit:
        why = "table, no known headings"
        return [Sight(path, None, "", why, rows=len(cells), columns=columns)]
    noun = max(fit)[2]
    named_by = {ours: given for given, ours in match_columns(columns, NOUNS[noun]).items()}
    needed = set(NOUNS[noun].required) & set(named_by)
    if any(cells[named_by[name]].isna().all() for name in needed):
        why = "a form that isn't filled in yet"
        return [Sight(path, None, "", why, rows=len(cells), columns=columns)]
    why = f"table with {', '.join(sorted(needed))}"
    return [Sight(path, None, noun, why, rows=len(cells), columns=columns)]
