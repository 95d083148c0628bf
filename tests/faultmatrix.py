"""The fault matrix: a clean layer, and one generator for each way in which a delivery is wrong.

Each generator names the codes that `check` has to report, and nothing else. `tests/test_matrix.py`
runs all of them, and all pairs of those that can meet; `docs/faults.md` is made from this table.
"""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ezdxf
import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from shapely import affinity

from pinghu_geo.intake.coordinates import _changed_in_degrees, _wgs84_to_bd09, shifted_gcj02

X0, Y0 = 513_000.0, 2_510_000.0
N = 24
OWNERS = ("张三丰", "李四", "王五麻子", "赵六", "钱七", "孙八")


def clean() -> gpd.GeoDataFrame:
    """Two dozen sound houses of different sizes near Pinghu, complete in every column."""
    rng = np.random.default_rng(7)
    k = np.arange(N)
    x, y = X0 + 60 * (k % 6) + rng.uniform(0, 9, N), Y0 + 60 * (k // 6) + rng.uniform(0, 9, N)
    wide, deep = rng.uniform(8, 18, (2, N)).round(1)
    footprint = wide * deep
    floors = rng.integers(2, 8, N).astype(float)
    return gpd.GeoDataFrame(
        {
            "footprint_m2": footprint, "floors": floors, "floor_area_m2": (footprint * floors).round(1),
            "structure": "concrete", "use": "residential", "title": "registered", "tenure": "private",
            "owner": [OWNERS[i % 6] for i in k], "tenants": (k % 4).astype(float),
        },
        index=pd.Index([f"B{i:02d}" for i in k], name="building_id"),
        geometry=shapely.box(x, y, x + wide, y + deep),
        crs=4547,
    )  # fmt: skip


Make = Callable[[gpd.GeoDataFrame, int], gpd.GeoDataFrame]


@dataclass(frozen=True)
class Fault:
    """A fault put into the clean layer: what it is, what `check` has to say, what it touches."""

    said: str
    make: Make
    codes: frozenset[str]
    touches: str = "row"  # "row": only the row given; "layer": all of it
    reading: dict[str, Any] = field(default_factory=dict)
    # what of the layer can't be judged any more: "noareas", "noids", "nofloors"
    keeps: str = "all"


FAULTS: dict[str, Fault] = {}


def fault(said: str, *codes: str, **options: Any) -> Callable[[Make], Make]:
    """Register a generator."""

    def register(make: Make) -> Make:
        FAULTS[make.__name__] = Fault(said, make, frozenset(codes), **options)
        return make

    return register


def put(frame: gpd.GeoDataFrame, row: int, column: str, value: Any) -> gpd.GeoDataFrame:
    frame = frame.copy()
    if not isinstance(value, float):
        frame[column] = frame[column].astype(object)
    frame.iloc[row, frame.columns.get_loc(column)] = value
    return frame


def shape(frame: gpd.GeoDataFrame, row: int, change: Callable[[Any], Any]) -> gpd.GeoDataFrame:
    shapes = frame.geometry.to_numpy().copy()
    with np.errstate(invalid="ignore"):
        shapes[row] = change(shapes[row])
    frame = put(frame, row, "footprint_m2", np.nan)
    frame = put(frame, row, "floor_area_m2", np.nan)
    return frame.set_geometry(shapes, crs=frame.crs)


def rename(frame: gpd.GeoDataFrame, row: int, name: Any) -> gpd.GeoDataFrame:
    ids = frame.index.to_numpy(object).copy()
    ids[row] = name
    return frame.set_index(pd.Index(ids, name=frame.index.name))


def moved(
    frame: gpd.GeoDataFrame, change: Callable[[Any], Any], crs: Any = None
) -> gpd.GeoDataFrame:
    def in_plane(c: Any) -> Any:
        return np.column_stack([change(c[:, :2]), c[:, 2:]])

    z = bool(frame.has_z.any())
    shapes = shapely.transform(frame.geometry.to_numpy(), in_plane, include_z=z)
    return frame.set_geometry(shapes).set_crs(crs or frame.crs, allow_override=True)


def at(shape_: Any, *xy: tuple[float, float]) -> list[tuple[float, float]]:
    x, y = shape_.bounds[:2]
    return [(x + a, y + b) for a, b in xy]


# a null footprint and floor area go with every spoilt shape
SPOILT = ("null_value",)

# --- values -----------------------------------------------------------------------------------


def value(name: str, said: str, code: str, column: str, what: Any) -> None:
    FAULTS[name] = Fault(said, lambda f, k: put(f, k, column, what), frozenset({code}))


value("blank", "a value is missing", "null_value", "use", None)
value("floors_plus", 'floors as "10+"', "not_a_number", "floors", "10+")
value("floors_words", "floors in words", "not_a_number", "floors", "三层")
value("floors_several", 'floors as "1;2"', "not_a_number", "floors", "1;2")
value("area_placeholder", 'floor area "不详"', "not_a_number", "floor_area_m2", "不详")
value("floors_half", "two and a half floors", "not_whole", "floors", 2.5)
value("tenants_negative", "fewer than no tenants", "out_of_range", "tenants", -3.0)
value("use_unknown", "a use that is no word of the model", "unknown_code", "use", "住宅楼")
value("structure_code", "structure as a bare number", "unknown_code", "structure", "3")
value(
    "owner_latin",
    "GBK read as Latin-1",
    "mojibake",
    "owner",
    "张三丰".encode("gbk").decode("latin-1"),
)
value("owner_twice", "UTF-8 read as GBK", "mojibake", "owner", "张三丰王".encode().decode("gbk"))
value(
    "owner_utf8_latin",
    "UTF-8 read as Latin-1",
    "mojibake",
    "owner",
    "张三".encode().decode("latin-1"),
)
value("owner_lost", "a character that was lost", "mojibake", "owner", "张\ufffd丰")
value("owner_kun", "锟斤拷", "mojibake", "owner", "锟斤拷锟斤拷")
value("owner_control", "a control character", "control_character", "owner", "张\x01三")
value(
    "owner_formula",
    "an owner called =HYPERLINK(...)",
    "active_text",
    "owner",
    '=HYPERLINK("http://x","点")',
)
value(
    "owner_html",
    "an owner called <img onerror>",
    "active_text",
    "owner",
    "<img src=x onerror=alert(1)>",
)


@fault("floors beyond any house", "out_of_range")
def floors_many(f, k):
    return put(put(f, k, "floors", 999.0), k, "floor_area_m2", f["footprint_m2"].iloc[k] * 999)


@fault("a floor area with a digit too many", "floor_area_mismatch")
def area_digit(f, k):
    return put(f, k, "floor_area_m2", float(f["floor_area_m2"].iloc[k] * 10))


@fault("a stated footprint that the shape isn't", "area_mismatch")
def footprint_off(f, k):
    return put(f, k, "footprint_m2", float(f["footprint_m2"].iloc[k] * 1.5))


# --- ids --------------------------------------------------------------------------------------


@fault("an id that is missing", "missing_id")
def id_missing(f, k):
    return rename(f, k, np.nan)


@fault("an id that occurs twice", "duplicate_id")
def id_twice(f, k):
    return rename(f, k, f.index[(k + 12) % N])


@fault("an id that differs only in width", "twin_id")
def id_twin(f, k):
    wide = "".join(chr(ord(c) + 0xFEE0) for c in f.index[(k + 12) % N])
    return rename(f, k, wide)


@fault("an id in scientific notation", "id_as_number")
def id_scientific(f, k):
    return rename(f, k, "4.40307e+17")


@fault("18-digit ids that went through a workbook", "id_as_number", touches="layer", keeps="noids")
def ids_doubled(f, _):
    numbers = [int(float(440307001234560000 + 811 * i)) for i in range(N)]
    return f.set_index(pd.Index(list(map(str, numbers)), name=f.index.name))


@fault(
    "a unit number of 27 characters among right ones",
    "bad_unit_number",
    touches="layer",
    keeps="noids",
)
def unit_number_short(f, k):
    ids = [f"440307001002GB{i:05d}F00010001" for i in range(N)]
    ids[k] = ids[k][:-1]
    return f.set_index(pd.Index(ids, name=f.index.name))


# --- columns ----------------------------------------------------------------------------------


@fault("neither floors nor floor area", "no_floor_area", touches="layer", keeps="nofloors")
def no_floors(f, _):
    return f.drop(columns=["floors", "floor_area_m2"])


@fault("floor area in mu", "unit_suspect", touches="layer", keeps="nofloors")
def area_in_mu(f, _):
    return f.assign(floor_area_m2=pd.to_numeric(f["floor_area_m2"], errors="coerce") * 3 / 2000)


@fault("floor area in 10,000 m²", "unit_suspect", touches="layer", keeps="nofloors")
def area_in_wan(f, _):
    return f.assign(floor_area_m2=pd.to_numeric(f["floor_area_m2"], errors="coerce") / 1e4)


@fault("a column whose name is garbled", "mojibake", touches="layer")
def column_garbled(f, _):
    return f.assign(**{"备注".encode("gbk").decode("latin-1") * 2: "1"})


# --- shapes -----------------------------------------------------------------------------------


def shaped(name: str, said: str, code: str, change: Callable[[Any], Any]) -> None:
    FAULTS[name] = Fault(said, lambda f, k: shape(f, k, change), frozenset({code, *SPOILT}))


shaped("no_shape", "no geometry", "no_geometry", lambda _: None)
shaped("empty_shape", "an empty polygon", "empty_geometry", lambda _: shapely.Polygon())
shaped("outline", "an outline instead of an area", "wrong_geometry", lambda s: s.boundary)
shaped("point", "a point instead of an area", "wrong_geometry", lambda s: s.centroid)
shaped(
    "collection",
    "a collection of area and line",
    "wrong_geometry",
    lambda s: shapely.GeometryCollection([s, s.boundary]),
)
shaped(
    "bow_tie",
    "a bow tie",
    "invalid_geometry",
    lambda s: shapely.Polygon(at(s, (0, 0), (9, 9), (9, 0), (0, 9))),
)
shaped(
    "uneven_bow_tie",
    "corners in the wrong order",
    "invalid_geometry",
    lambda s: shapely.Polygon(at(s, (0, 0), (9, 9), (9, 0), (0, 5))),
)
shaped(
    "hole_outside",
    "a hole outside of its shell",
    "invalid_geometry",
    lambda s: shapely.Polygon(s.exterior.coords, [at(s, (20, 20), (22, 20), (22, 22))]),
)
shaped(
    "hole_is_shell",
    "a hole that crosses its shell",
    "invalid_geometry",
    lambda s: shapely.Polygon(s.exterior.coords, [at(s, (-3, 2), (4, 2), (4, 4), (-3, 4))]),
)
shaped(
    "holes_nested",
    "a hole in a hole",
    "invalid_geometry",
    lambda s: shapely.Polygon(
        s.exterior.coords,
        [at(s, (1, 1), (6, 1), (6, 6), (1, 6)), at(s, (2, 2), (4, 2), (4, 4), (2, 4))],
    ),
)
shaped(
    "spike",
    "a spike",
    "invalid_geometry",
    lambda s: shapely.Polygon(at(s, (0, 0), (9, 0), (9, 9), (9, 14), (9, 9), (0, 9))),
)
shaped(
    "parts_overlapping",
    "parts that overlap each other",
    "invalid_geometry",
    lambda s: shapely.MultiPolygon([s, affinity.translate(s, 3, 3)]),
)
shaped(
    "collapsed",
    "a polygon without area",
    "zero_area",
    lambda s: shapely.Polygon(at(s, (0, 0), (9, 0), (0, 0))),
)
shaped(
    "not_a_number_xy",
    "coordinates that are no numbers",
    "not_finite",
    lambda s: shapely.Polygon(at(s, (0, 0), (9, 0), (np.nan, 9), (0, 9))),
)
shaped("with_z", "Z values", "has_z", lambda s: shapely.force_3d(s, 31.5))
shaped(
    "sliver_small",
    "a footprint of half a square metre",
    "sliver",
    lambda s: shapely.box(*at(s, (0, 0))[0], *at(s, (0.7, 0.7))[0]),
)
shaped(
    "sliver_thin",
    "a strip of 20 cm",
    "sliver",
    lambda s: shapely.box(*at(s, (0, 0))[0], *at(s, (12, 0.2))[0]),
)
shaped(
    "huge",
    "a footprint of half a square kilometre",
    "huge_footprint",
    lambda s: shapely.box(*at(s, (-2000, -2000))[0], *at(s, (-1300, -1300))[0]),
)
shaped(
    "far_parts",
    "two houses 500 m apart in one row",
    "scattered_parts",
    lambda s: shapely.MultiPolygon([s, affinity.translate(s, 500, 900)]),
)
shaped(
    "many_parts",
    "houses merged by class",
    "scattered_parts",
    lambda s: shapely.MultiPolygon([affinity.translate(s, 25 * i, -300) for i in range(12)]),
)
shaped(
    "lonely", "a northing with a digit wrong", "lonely", lambda s: affinity.translate(s, 0, 40_000)
)


@fault("a footprint drawn twice", "duplicate_geometry", *SPOILT)
def drawn_twice(f, k):
    return shape(f, k, lambda _: f.geometry.iloc[(k + 12) % N])


@fault("footprints that overlap", "overlap", *SPOILT)
def overlapping(f, k):
    other = f.geometry.iloc[(k + 12) % N]
    return shape(f, k, lambda _: affinity.translate(other, 4, 0))


# --- coordinates ------------------------------------------------------------------------------


def placed(name: str, said: str, code: str, change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame],
           *more: str, keeps: str = "noareas", **reading: Any) -> None:  # fmt: skip
    FAULTS[name] = Fault(
        said, lambda f, _: change(f), frozenset({code, *more}), "layer", reading, keeps
    )


def swap(xy: Any) -> Any:
    return xy[:, ::-1]


placed("crs_none", "no CRS", "no_crs", lambda f: f.set_crs(None, allow_override=True))
placed("crs_degrees", "degrees", "geographic_crs", lambda f: f.to_crs(4490))
placed("crs_web", "EPSG:3857", "distorted_crs", lambda f: f.to_crs(3857))
placed("crs_mercator", "World Mercator", "distorted_crs", lambda f: f.to_crs(3395))
placed(
    "crs_sphere",
    "EPSG:3785, deprecated",
    "distorted_crs",
    lambda f: f.to_crs(3785),
    "deprecated_crs",
)
placed(
    "crs_deprecated",
    "a deprecated code",
    "deprecated_crs",
    lambda f: f.to_crs("EPSG:2400"),
    "outside_crs",
)
placed("crs_feet", "a CRS in feet", "foreign_unit", lambda f: f.set_crs(2225, allow_override=True))
placed(
    "crs_meridian",
    "another central meridian",
    "outside_crs",
    lambda f: f.set_crs(4534, allow_override=True),
)
placed(
    "crs_british",
    "a grid of another country",
    "outside_crs",
    lambda f: f.set_crs(27700, allow_override=True),
)
placed("axes", "x and y swapped", "swapped_axes", lambda f: moved(f, swap))
placed(
    "axes_degrees",
    "latitude before longitude",
    "swapped_axes",
    lambda f: moved(f.to_crs(4326), swap),
)
placed(
    "zone_missing",
    "a zone CRS without its prefix",
    "missing_zone",
    lambda f: f.set_crs(4526, allow_override=True),
)
placed(
    "zone_extra",
    "a prefix on a CRS without zone",
    "extra_zone",
    lambda f: f.to_crs(4526).set_crs(4547, allow_override=True),
)
placed(
    "zone_twice",
    "the prefix twice",
    "doubled_zone",
    lambda f: moved(f.to_crs(4526), lambda xy: xy + [38e8, 0]),
)
placed(
    "degrees_called_metres",
    "degrees declared as metres",
    "degrees_as_metres",
    lambda f: f.to_crs(4490).set_crs(4547, allow_override=True),
)
placed(
    "metres_called_degrees",
    "metres declared as degrees",
    "metres_as_degrees",
    lambda f: f.set_crs(4326, allow_override=True),
)
placed("millimetres", "millimetres", "millimetres", lambda f: moved(f, lambda xy: xy * 1000))
placed("centimetres", "centimetres", "millimetres", lambda f: moved(f, lambda xy: xy * 100))
placed(
    "beijing54",
    "Beijing 1954",
    "old_datum",
    lambda f: f.set_crs(2435, allow_override=True),
    keeps="all",
)
placed(
    "xian80", "Xian 1980", "old_datum", lambda f: f.set_crs(2383, allow_override=True), keeps="all"
)
placed(
    "other_zone",
    "a sound layer in the next zone",
    "far_apart",
    lambda f: f.set_crs(4546, allow_override=True),
    keeps="all",
    reference=True,
)
placed(
    "gcj02",
    "GCJ-02 called CGCS2000",
    "shifted",
    lambda f: moved(f, lambda xy: _changed_in_degrees(xy, f.crs, shifted_gcj02)),
    keeps="all",
    reference=True,
)
placed(
    "bd09",
    "BD-09 called CGCS2000",
    "shifted",
    lambda f: moved(f, lambda xy: _changed_in_degrees(xy, f.crs, _wgs84_to_bd09)),
    keeps="all",
    reference=True,
)
placed(
    "other_datum",
    "77 m off: Beijing 1954 called CGCS2000",
    "shifted",
    lambda f: moved(f, lambda xy: xy - [53.4, -56.0]),
    keeps="all",
    reference=True,
)

# --- files ------------------------------------------------------------------------------------

Write = Callable[[gpd.GeoDataFrame, Path], tuple[Path, dict[str, Any]]]


@dataclass(frozen=True)
class FileFault:
    """A file that is wrong: how it is written, what `check` has to say of it."""

    said: str
    write: Write
    codes: frozenset[str]
    readable: bool  # whether the clean layer comes out of it all the same
    grid_m: float = 1e-6  # what the format rounds coordinates to


FILES: dict[str, FileFault] = {}
ZH = {"footprint_m2": "基底面积", "floors": "层数", "floor_area_m2": "建筑面积", "structure": "结构",
      "use": "用途", "title": "产权情况", "tenure": "所有制", "owner": "权利人", "tenants": "租户数"}  # fmt: skip


def delivered(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Under the names that offices use."""
    return frame.rename(columns=ZH).rename_axis("房屋编号").reset_index()


def written(
    said: str, *codes: str, readable: bool = True, grid_m: float = 1e-6
) -> Callable[[Write], Write]:
    def register(write: Write) -> Write:
        FILES[write.__name__] = FileFault(said, write, frozenset(codes), readable, grid_m)
        return write

    return register


def shapefile(frame: gpd.GeoDataFrame, folder: Path, encoding: str = "GBK", cpg: str | None = "GBK",
              ldid: int = 0) -> Path:  # fmt: skip
    path = folder / "房屋.shp"
    flat = delivered(frame)
    if encoding == "UTF-8":  # of which a field name holds three characters
        flat = flat.rename(
            columns={
                "房屋编号": "FWBH",
                "基底面积": "ZZDMJ",
                "建筑面积": "JZMJ",
                "产权情况": "产权状",
            }
        )
    pyogrio.write_dataframe(flat, path, encoding=encoding, geometry_type="Polygon")
    path.with_suffix(".cpg").unlink(missing_ok=True)
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg, "ascii")
    raw = bytearray(path.with_suffix(".dbf").read_bytes())
    raw[29] = ldid
    path.with_suffix(".dbf").write_bytes(raw)
    return path


for _name, _encoding, _cpg, _ldid, _code in (
    ("gbk_nothing", "GBK", None, 0x00, "encoding_guessed"),
    ("gbk_latin_byte", "GBK", None, 0x57, "encoding_guessed"),
    ("gbk_oem", "GBK", "OEM", 0x00, "encoding_guessed"),
    ("gbk_called_utf8", "GBK", "UTF-8", 0x00, "encoding_contradicted"),
    ("gbk_called_latin", "GBK", "ISO-8859-1", 0x57, "encoding_contradicted"),
    ("gbk_ansi936", "GBK", "ANSI 936", 0x00, ""),
    ("gbk_936", "GBK", "936", 0x57, ""),
    ("gbk_byte", "GBK", None, 0x4D, ""),
    ("gb18030", "GB18030", "GB18030", 0x00, ""),
    ("utf8_nothing", "UTF-8", None, 0x00, "encoding_guessed"),
    ("utf8_65001", "UTF-8", "65001", 0x00, ""),
    ("utf8_called_gbk", "UTF-8", "GBK", 0x00, "encoding_contradicted"),
    ("utf8_called_latin", "UTF-8", "ISO-8859-1", 0x57, "encoding_contradicted"),
):

    def _write(f, folder, e=_encoding, c=_cpg, b=_ldid):
        return shapefile(f, folder, e, c, b), {}

    FILES[_name] = FileFault(
        f"a .dbf in {_encoding}, .cpg {_cpg or 'missing'}, code-page byte {_ldid:#04x}", _write,
        frozenset({_code} - {""}), True)  # fmt: skip


@written("a .dbf in Big5 that doesn't say so", "unreadable", readable=False)
def big5(f, folder):
    path = shapefile(f.assign(owner="權利人陳大文居民委員會"), folder, "GBK", None)
    dbf = path.with_suffix(".dbf")
    raw = dbf.read_bytes().replace(
        "權利人陳大文居民委員會".encode("gbk"), "權利人陳大文居民委員會".encode("big5")
    )
    dbf.write_bytes(raw)
    return path, {}


@written("bytes that are no text at all", "unreadable", readable=False)
def dbf_damaged(f, folder):
    path = shapefile(f, folder)
    dbf = path.with_suffix(".dbf")
    dbf.write_bytes(dbf.read_bytes().replace("张三丰".encode("gbk"), b"\xff" * 6))
    return path, {}


@written("no .shx", "no_shx")
def shx_missing(f, folder):
    path = shapefile(f, folder)
    path.with_suffix(".shx").unlink()
    return path, {}


@written("a .shx of another export", "stale_shx")
def shx_stale(f, folder):
    path = shapefile(f, folder)
    raw = bytearray(path.with_suffix(".shx").read_bytes()[:-8])  # one row less, offsets shifted
    words = np.frombuffer(bytes(raw[100:]), ">i4").reshape(-1, 2).copy()
    words[5:, 0] += 4
    path.with_suffix(".shx").write_bytes(bytes(raw[:100]) + words.astype(">i4").tobytes())
    return path, {}


@written("records of the .shp in another order, with gaps; the .shx is right")
def shp_turned(f, folder):
    path = shapefile(f, folder)
    raw, shx = path.read_bytes(), path.with_suffix(".shx")
    words = np.frombuffer(shx.read_bytes()[100:], ">i4").reshape(-1, 2).astype(int)
    body, begin = b"", np.empty(len(words), int)
    for k in range(len(words))[::-1]:
        begin[k] = 50 + len(body) // 2
        first = 2 * words[k, 0]
        body += raw[first : first + 8 + 2 * words[k, 1]] + bytes(40)
    size = (50 + len(body) // 2).to_bytes(4, "big")
    path.write_bytes(raw[:24] + size + raw[28:100] + body)
    turned = np.stack([begin, words[:, 1]], axis=1).astype(">i4").tobytes()
    shx.write_bytes(shx.read_bytes()[:100] + turned)
    return path, {}


@written("a row marked as deleted behind the others", "deleted_rows")
def dbf_deleted(f, folder):
    more = pd.concat([f, f.iloc[[0]].rename(index={f.index[0]: "已删"})])
    path = shapefile(gpd.GeoDataFrame(more, crs=f.crs).rename_axis(f.index.name), folder)
    dbf = path.with_suffix(".dbf")
    raw = bytearray(dbf.read_bytes())
    start, width = (int.from_bytes(raw[k : k + 2], "little") for k in (8, 10))
    raw[start + len(f) * width] = ord("*")
    dbf.write_bytes(raw)
    return path, {}


@written("a name that was cut inside a character, before the end of its field", "text_cut")
def dbf_text_cut(f, folder):
    path = shapefile(f, folder, encoding="UTF-8", cpg="UTF-8")
    dbf = path.with_suffix(".dbf")
    raw, whole = bytearray(dbf.read_bytes()), OWNERS[0].encode()
    at = raw.index(whole) + len(whole)
    raw[at : at + 2] = "某".encode()[:2]
    dbf.write_bytes(raw)
    return path, {}


# the court of 1 m² is no fault of reading: areas may differ by it
@written("a court whose ring runs the same way as its house's", "rings_turned", grid_m=0.02)
def shp_ring_turned(f, folder):
    shapes = f.geometry.to_numpy().copy()
    x, y = shapes[20].representative_point().coords[0]
    # written as two parts, each clockwise, one inside of the other
    shapes[20] = shapely.MultiPolygon(
        [*shapely.get_parts(shapes[20]), shapely.box(x, y, x + 1, y + 1)]
    )
    return shapefile(f.set_geometry(shapes, crs=f.crs), folder), {}


@written("texts among the numbers of a GeoPackage, which group their thousands")
def gpkg_texts(f, folder):
    path = folder / "房屋.gpkg"
    flat = delivered(f)
    pyogrio.write_dataframe(flat, path, layer="a")
    with sqlite3.connect(path) as base:
        sql = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (name,) in base.execute(sql).fetchall():
            base.execute(f'DROP TRIGGER "{name}"')
        for k, value in enumerate(flat.get("建筑面积", []), 1):
            if pd.notna(value):
                base.execute('UPDATE a SET "建筑面积" = ? WHERE rowid = ?', (f"{value:,} ㎡", k))
    base.close()
    return path, {}


@written("no .dbf: ids are gone", "unreadable", readable=False)
def dbf_missing(f, folder):
    path = shapefile(f, folder)
    path.with_suffix(".dbf").unlink()
    return path, {}


@written("a .dbf of another export", "unreadable", readable=False)
def dbf_of_others(f, folder):
    path = shapefile(f, folder)
    (folder / "kept").mkdir()
    other = shapefile(f.iloc[:-2], folder / "kept")
    path.with_suffix(".dbf").write_bytes(other.with_suffix(".dbf").read_bytes())
    return path, {}


@written("no .prj", "no_crs", readable=False)
def prj_missing(f, folder):
    path = shapefile(f, folder)
    path.with_suffix(".prj").unlink()
    return path, {}


@written("a .prj that says another zone than the user", "crs_contradicts", readable=False)
def prj_other(f, folder):
    return shapefile(f, folder), {"crs": 4549}


def cut(suffix: str, share: float) -> Write:
    def write(f, folder):
        path = shapefile(f, folder)
        part = path.with_suffix(suffix)
        part.write_bytes(part.read_bytes()[: int(part.stat().st_size * share)])
        return path, {}

    return write


FILES["shp_cut"] = FileFault("a .shp cut off", cut(".shp", 0.6), frozenset({"unreadable"}), False)
FILES["shp_head"] = FileFault(
    "a .shp of 40 bytes", cut(".shp", 0.01), frozenset({"unreadable"}), False
)
FILES["dbf_cut"] = FileFault("a .dbf cut off", cut(".dbf", 0.7), frozenset({"unreadable"}), False)
FILES["dbf_head"] = FileFault(
    "a .dbf of a few bytes", cut(".dbf", 0.001), frozenset({"unreadable"}), False
)


def gdal(suffix: str, **options: Any) -> Write:
    def write(f, folder):
        path = folder / f"房屋{suffix}"
        pyogrio.write_dataframe(delivered(f), path, **options)
        return path, {}

    return write


FILES["gpkg"] = FileFault("a GeoPackage", gdal(".gpkg"), frozenset(), True)
FILES["fgb"] = FileFault("FlatGeobuf, which sorts its rows", gdal(".fgb"), frozenset(), True)
FILES["gdb"] = FileFault(
    "a File Geodatabase",
    gdal(".gdb", driver="OpenFileGDB", promote_to_multi=True),
    frozenset(),
    True,
)


@written("GeoParquet")
def parquet(f, folder):
    f.to_parquet(folder / "a.parquet")
    return folder / "a.parquet", {}


# a .tab keeps coordinates as whole numbers on a grid over all that its projection may reach
@written("a MapInfo table, which knows no CGCS2000", "unnamed_crs", grid_m=0.02)
def tab(f, folder):
    pyogrio.write_dataframe(delivered(f), folder / "a.tab", driver="MapInfo File", ENCODING="CP936")
    return folder / "a.tab", {"crs": 4547}


@written("a MIF without character set", "encoding_guessed", "unnamed_crs")
def mif(f, folder):
    path = folder / "a.mif"
    pyogrio.write_dataframe(
        delivered(f), path, driver="MapInfo File", ENCODING="CP936", FORMAT="MIF"
    )
    path.write_bytes(path.read_bytes().replace(b'"WindowsSimpChinese"', b'"Neutral"'))
    return path, {"crs": 4547}


def cut_file(suffix: str, share: float = 0.6) -> Write:
    def write(f, folder):
        if suffix == ".parquet":
            path, _ = parquet(f, folder)
        else:
            path, _ = gdal(suffix)(f, folder)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        return path, {}

    return write


for _suffix in (".gpkg", ".fgb", ".geojson", ".parquet"):
    FILES[f"cut{_suffix.replace('.', '_')}"] = FileFault(
        f"a {_suffix} cut off", cut_file(_suffix), frozenset({"unreadable"}), False)  # fmt: skip


@written("a GeoPackage with two layers", "unreadable", readable=False)
def two_layers(f, folder):
    path = folder / "a.gpkg"
    for layer in ("甲", "乙"):
        pyogrio.write_dataframe(delivered(f), path, layer=layer, append=path.exists())
    return path, {}


@written("degrees of JGD2011 in GeoJSON", "format_crs", "geographic_crs", readable=False)
def geojson_other_datum(f, folder):
    return gdal(".geojson")(f.to_crs(4326), folder)[0], {"crs": 6668}


@written("GeoJSON in degrees", "geographic_crs", readable=False)
def geojson(f, folder):
    return gdal(".geojson")(f.to_crs(4326), folder)


@written("GeoJSON with latitude first", "swapped_axes", readable=False)
def geojson_swapped(f, folder):
    flat = moved(delivered(f).to_crs(4326), swap)
    pyogrio.write_dataframe(flat, folder / "a.geojson")
    return folder / "a.geojson", {}


@written("GeoJSON with metres, as its standard doesn't allow", "metres_as_degrees", readable=False)
def geojson_metres(f, folder):
    path = folder / "a.geojson"
    path.write_text(
        delivered(f).set_crs(None, allow_override=True).to_json(show_bbox=False), "utf-8"
    )
    return path, {}


@written("a script of GDAL's called .json", "unreadable", readable=False)
def vrt(f, folder):
    gdal(".gpkg")(f, folder)
    source = f"<SrcDataSource>{folder / '房屋.gpkg'}</SrcDataSource>"
    path = folder / "a.json"
    path.write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="房屋">{source}</OGRVRTLayer></OGRVRTDataSource>'
    )
    return path, {}


@written("a file that is empty", "unreadable", readable=False)
def empty_file(_, folder):
    (folder / "a.gpkg").touch()
    return folder / "a.gpkg", {}


@written("a drawing with a frozen layer, and without any columns", "hidden_entities",
         "no_floor_area")  # fmt: skip
def dxf_frozen(f, folder):
    made = ezdxf.new()
    made.layers.add("旧房").freeze()
    old = affinity.translate(f.geometry.iloc[0], 0, -60)
    for layer, shapes in (("房屋", f.geometry), ("旧房", [old])):
        for shape_ in shapes:
            made.modelspace().add_lwpolyline(
                list(shape_.exterior.coords)[:-1], close=True, dxfattribs={"layer": layer}
            )
    made.saveas(folder / "a.dxf")
    return folder / "a.dxf", {"crs": 4547, "row_ids": True}


@written("a DWG", "unreadable", readable=False)
def dwg(_, folder):
    (folder / "a.dwg").write_bytes(b"AC1027")
    return folder / "a.dwg", {}


@written("a KML with entities", "unreadable", readable=False)
def kml_bomb(_, folder):
    lines = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    text = (
        f'<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY e0 "x">{lines}]><kml><name>&e9;</name></kml>'
    )
    (folder / "a.kml").write_text(text)
    return folder / "a.kml", {}


@written("a zip with a folder in it")
def zipped(f, folder):
    path = shapefile(f, folder)
    with zipfile.ZipFile(folder / "a.zip", "w") as z:
        for part in folder.glob("房屋.*"):
            z.write(part, f"交付/数据/{part.name}")
    path.unlink()
    return folder / "a.zip", {}


@written("a zip with two layers", "unreadable", readable=False)
def zipped_twice(f, folder):
    zipped(f, folder)
    with zipfile.ZipFile(folder / "a.zip", "a") as z:
        z.writestr("另.shp", b"x")
    return folder / "a.zip", {}


@written("a zip that would fill the disk", "unreadable", readable=False)
def zip_bomb(_, folder):
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a.shp", bytes(250 * 2**20))
    return folder / "a.zip", {}


@written("a zip whose member points outside", "unreadable", readable=False)
def zip_slip(_, folder):
    with zipfile.ZipFile(folder / "a.zip", "w") as z:
        z.writestr("../../evil.shp", b"x")
    return folder / "a.zip", {}


def cells(f: gpd.GeoDataFrame) -> pd.DataFrame:
    flat = delivered(f)
    wkt = pd.Series(shapely.to_wkt(flat.geometry.to_numpy(), rounding_precision=6))
    return pd.DataFrame(flat.drop(columns="geometry")).assign(WKT=wkt)


@written("CSV with WKT in UTF-8")
def csv_wkt(f, folder):
    cells(f).to_csv(folder / "a.csv", index=False, encoding="utf-8")
    return folder / "a.csv", {"crs": 4547}


@written("CSV in GBK", "encoding_guessed")
def csv_gbk(f, folder):
    cells(f).to_csv(folder / "a.csv", index=False, encoding="gbk")
    return folder / "a.csv", {"crs": 4547}


@written("WKT whose ring is open", "unclosed_ring")
def csv_open(f, folder):
    table = cells(f)
    text = table.loc[20, "WKT"]
    table.loc[20, "WKT"] = text[: text.rindex(",")] + "))"
    table.to_csv(folder / "a.csv", index=False)
    return folder / "a.csv", {"crs": 4547}


@written("WKT that is none", "unreadable_geometry", "no_geometry", readable=False)
def csv_no_wkt(f, folder):
    table = cells(f)
    table.loc[20, "WKT"] = "POLYGON ((1 2, 3"
    table.to_csv(folder / "a.csv", index=False)
    return folder / "a.csv", {"crs": 4547}


def corners(f: gpd.GeoDataFrame) -> pd.DataFrame:
    flat = delivered(f).drop(columns="geometry")
    xy, row = shapely.get_coordinates(f.geometry.to_numpy(), return_index=True)
    table = pd.DataFrame(flat.iloc[row]).reset_index(drop=True)
    return table.assign(X=xy[:, 0], Y=xy[:, 1])


@written("a table of corner points", "corners_joined")
def csv_corners(f, folder):
    corners(f).to_csv(folder / "a.csv", index=False)
    return folder / "a.csv", {"crs": 4547}


@written("corner points with X to the north", "corners_joined", "swapped_axes", readable=False)
def csv_surveyors(f, folder):
    corners(f).rename(columns={"X": "Y", "Y": "X"}).to_csv(folder / "a.csv", index=False)
    return folder / "a.csv", {"crs": 4547}


@written("a table without any geometry", "unreadable", readable=False)
def csv_plain(f, folder):
    delivered(f).drop(columns="geometry").to_csv(folder / "a.csv", index=False)
    return folder / "a.csv", {"crs": 4547}


@written("a workbook with WKT")
def xlsx(f, folder):
    cells(f).to_excel(folder / "a.xlsx", index=False)
    return folder / "a.xlsx", {"crs": 4547}


@written("a workbook with a title, a sum and a note around its rows", "rows_left_out")
def xlsx_titled(f, folder):
    table = cells(f).astype(object)
    width = len(table.columns)

    def line(*texts):
        return [*texts, *[None] * (width - len(texts))]

    rows = [
        line("平湖街道房屋调查表"), list(table.columns), *table.to_numpy().tolist(),
        line("合计", f"共 {len(table)} 栋"), line("注:面积以实测为准"),
    ]  # fmt: skip
    pd.DataFrame(rows).to_excel(folder / "a.xlsx", index=False, header=False)
    return folder / "a.xlsx", {"crs": 4547}


@written("a workbook with 18-digit ids as numbers", "id_as_number", "duplicate_id", readable=False)
def xlsx_numbers(f, folder):
    table = cells(f)
    table["房屋编号"] = [440307001234567000 + i for i in range(N)]
    table.to_excel(folder / "a.xlsx", index=False)
    return folder / "a.xlsx", {"crs": 4547}


@written("areas in mu and 10,000 m², as their headings say", "unit_converted")
def xlsx_units(f, folder):
    table = cells(f)
    table["建筑面积"] *= 3 / 2000
    table["基底面积"] /= 1e4
    table = table.rename(columns={"建筑面积": "建筑面积(亩)", "基底面积": "基底面积(万㎡)"})
    table.to_excel(folder / "a.xlsx", index=False)
    return folder / "a.xlsx", {"crs": 4547}


@written("heights that no house has: of the ground, in feet", "unsure_column")
def xlsx_unsure(f, folder):
    table = cells(f).assign(bldg_height=912.5)
    table.to_excel(folder / "a.xlsx", index=False)
    return folder / "a.xlsx", {"crs": 4547}


@written("two columns that could be the id", "rival_column")
def xlsx_rivals(f, folder):
    table = cells(f).assign(自然幢号=[f"Z{i}" for i in range(N)])
    table.to_excel(folder / "a.xlsx", index=False)
    return folder / "a.xlsx", {"crs": 4547}
