"""Real deliveries with what is wrong with each of them, and readers and fits against results by others."""

import contextlib
import io
import logging
import math
import sqlite3
import struct
import time
import zipfile

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely

import pinghu_geo as pg
from conftest import building_frame

FARMS = "swellendam/original/exercise_data/projected_data/farms_33S.shp"
OSM = "swellendam/original/exercise_data/shapefile"
ROWS = {"row_ids": True}
# What is to be found in each real file, from the READMEs beside them and a look at the files. Numbers of rows
# are of what others counted: invalid shapes by GEOS, rows of the fields as QGIS shows them.
REAL = [
    ("messy/original/nanshan-building.geojson", "buildings", ROWS,
     {"geographic_crs": 1, "invalid_geometry": 2, "scattered_parts": ..., "huge_footprint": ...,
      "no_floor_area": 1}),
    ("messy/original/chongqing_buildings_LATLON_SWAPPED.json", "buildings", ROWS,
     {"swapped_axes": 1, "no_floor_area": 1}),
    ("messy/original/beijing_buildings.json", "buildings", ROWS,
     {"geographic_crs": 1, "no_floor_area": 1, "overlap": ...}),
    ("messy/original/chongqing_shp/区县界_area.shp", "zones", ROWS, {"geographic_crs": 1}),
    ("messy/original/shanghai_shp/区县界_area.shp", "zones", ROWS, {"geographic_crs": 1}),
    ("messy/original/chinese_encoding.shp", "zones", ROWS, {"no_crs": 1}),
    ("messy/original/nts_broken/error_union.shp", "parcels", ROWS, {"no_crs": 1}),
    ("messy/original/nts_broken/error_union.shp", "parcels", {**ROWS, "crs": 32633},
     {"no_shx": 1, "no_dbf": 1, "invalid_geometry": 78, "duplicate_geometry": 48, "overlap": ...}),
    ("messy/original/nts_broken/Issue167.shp", "parcels", ROWS, {"no_crs": 1}),
    ("messy/original/nts_broken/Issue167.shp", "parcels", {**ROWS, "crs": 32633},
     {"no_shx": 1, "no_dbf": 1}),
    ("messy/original/nts_broken/Victoria North.shp", "parcels", {**ROWS, "crs": 4326},
     {"unreadable_geometry": 1, "no_geometry": 1, "geographic_crs": 1, "unsure_column": 1}),
    ("messy/original/nts_broken/Volume2.shp", "parcels", {**ROWS, "crs": 4326}, {"unreadable": 1}),
    ("messy/original/nts_broken/Sept_polygones.shp", "parcels", {**ROWS, "crs": 4326},
     {"unreadable": 1}),
    (FARMS, "parcels", ROWS, {"outside_crs": 1, "invalid_geometry": 16}),
    (f"{OSM}/rivers.shp", "rivers", ROWS, {"stale_shx": 1, "geographic_crs": 1}),
    (f"{OSM}/water.shp", "zones", ROWS, {"stale_shx": 1, "geographic_crs": 1}),
    ("swellendam/swellendam_epsg32734.gpkg", "rivers", {**ROWS, "layer": "rivers"}, {}),
    ("swellendam/swellendam_epsg32734.gpkg", "buildings", {"layer": "buildings", "id_column": "full_id"},
     {"not_a_number": 3, "overlap": ..., "null_value": 304}),
    ("jakarta/original/inasafe_data/exposure/jakarta_OSM_building.shp", "buildings", ROWS,
     {"no_dbf": 1, "deprecated_crs": 1, "distorted_crs": 1, "invalid_geometry": 9, "lonely": ...,
      "duplicate_geometry": ..., "overlap": ..., "huge_footprint": ..., "no_floor_area": 1}),
    ("jakarta/original/inasafe_data/hazard/Jakarta_RW_2007flood.shp", "zones", ROWS,
     {"geographic_crs": 1, "invalid_geometry": 7}),
    ("jakarta/original/inasafe_gisv4/exposure/jakarta_building.gpkg", "buildings", ROWS,
     {"geographic_crs": 1, "not_a_number": ..., "out_of_range": ..., "unknown_code": ..., "null_value": ...,
      "duplicate_geometry": ..., "sliver": ..., "overlap": ..., "huge_footprint": ...}),
    ("shenzhen/shenzhen_buildings_epsg4547.parquet", "buildings", ROWS,
     {"invalid_geometry": 4, "out_of_range": ..., "duplicate_geometry": ..., "not_whole": 1, "sliver": ...,
      "overlap": ..., "huge_footprint": ..., "null_value": 109_609 - 31_228}),
    ("tokyo_kanda/kanda_291k_epsg6677.parquet", "buildings", {},
     {"missing_id": ..., "invalid_geometry": 907, "duplicate_geometry": 1, "sliver": ..., "overlap": ...,
      "no_floor_area": 1}),
    # a clean layer: all that can be said is that it has no floors
    ("bayreuth/bayreuth_epsg32632.gpkg", "buildings", {**ROWS, "layer": "buildings"}, {"no_floor_area": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("file", "what", "reading", "expected"), REAL, ids=lambda v: str(v)[-40:])
def test_what_is_wrong_with_each_real_file(shared, file, what, reading, expected):
    faults = pg.check(shared / "data" / file, what, lang="en", **reading)
    found = faults["fault"].value_counts().to_dict()
    assert set(found) == set(expected)
    assert {k: n for k, n in found.items() if expected[k] is not ...} == {
        k: n for k, n in expected.items() if n is not ...
    }
    assert faults[["problem", "advice"]].map(bool).all().all()


def test_farms_of_zone_34_in_zone_33_go_over_by_the_advice(shared):
    farms = pg.read_layer(shared / "data" / FARMS, "parcels", row_ids=True)
    advice = pg.check(farms, lang="en").set_index("fault").loc["outside_crs", "advice"]
    assert "frame.to_crs(32734)" in advice
    assert "outside_crs" not in set(pg.check(farms.to_crs(32734))["fault"])


def test_parcels_that_are_there_twice_are_all_named(shared):
    path = shared / "data" / "swellendam" / "swellendam_epsg32734.gpkg"
    farms = pg.read_layer(path, "parcels", layer="farms", row_ids=True)
    faults = pg.check(farms)
    named = set(faults.loc[faults["fault"] == "duplicate_geometry", "id"])
    same = pd.Series(shapely.to_wkb(shapely.normalize(farms.geometry.to_numpy()))).duplicated()
    assert same.sum() == 68  # as its README says
    assert set(farms.index[same]) <= named


def test_footprints_of_nanshan_are_gcj02_and_are_put_back(shared):
    """The README measured: 0.179 of their area lies on OSM's buildings as they came, 0.542 once put back."""
    data = shared / "data"
    osm = pg.read_layer(data / "shenzhen/shenzhen_buildings_epsg4547.parquet", "buildings", row_ids=True)  # fmt: skip
    osm = pg.repair(osm).layer
    raw = pg.read_layer(data / "messy/original/nanshan-building.geojson", "buildings", row_ids=True)
    faults = pg.check(raw, reference=osm, lang="en").set_index("fault")
    assert "as of GCJ-02" in faults.loc["shifted", "problem"]
    houses = pg.repair(pg.intake.split_parts(pg.repair(raw).layer).to_crs(4547)).layer
    found = pg.intake.layer_shift(houses, osm)
    assert found.cause == "gcj02"
    assert found.confidence > 0.9
    back = pg.repair(pg.intake.from_gcj02(houses)).layer
    around = osm.geometry.to_numpy()[
        osm.sindex.query(shapely.box(*houses.total_bounds).buffer(999))
    ]
    known = gpd.GeoDataFrame(geometry=[shapely.union_all(around)], index=["osm"], crs=4547)
    on = [
        pg.redline.overlay_zones(f, known)["shared_m2"].sum() / f.area.sum() for f in (houses, back)
    ]
    assert on == pytest.approx([0.179, 0.542], abs=0.003)
    assert pg.intake.layer_shift(back, osm).cause == "none"


def test_gcj02_and_bd09_against_another_implementation():
    prcoords = pytest.importorskip("prcoords")
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(98, 122, 200), rng.uniform(22, 42, 200)
    points = gpd.GeoDataFrame(geometry=shapely.points(lon, lat), crs=4326)
    for name, there in (("gcj02", prcoords.wgs_gcj), ("bd09", prcoords.wgs_bd)):
        at = [there((b, a)) for a, b in zip(lon, lat, strict=True)]
        moved = points.set_geometry(
            shapely.points([p.lon for p in at], [p.lat for p in at]), crs=4326
        )
        back = pg.intake.from_gcj02(moved, system=name)
        off = shapely.distance(back.geometry.to_numpy(), points.geometry.to_numpy())
        assert off.max() < 1e-9  # degrees: 0.1 mm


# --- coordinates by control points ------------------------------------------------------------


def test_seven_parameters_are_found_again_and_a_wrong_point_shows():
    """Beijing 1954 to CGCS2000 by PROJ's own Helmert step with made-up parameters."""
    pyproj = pytest.importorskip("pyproj")
    seven = (
        "+x=24.5 +y=-123.1 +z=-94.2 +rx=0.12 +ry=-0.25 +rz=1.1 +s=-3.2 +convention=position_vector"
    )
    change = pyproj.Transformer.from_pipeline(
        "+proj=pipeline +step +inv +proj=tmerc +lon_0=114 +x_0=500000 +ellps=krass "
        f"+step +proj=cart +ellps=krass +step +proj=helmert {seven} +step +inv +proj=cart +ellps=GRS80 "
        "+step +proj=tmerc +lon_0=114 +x_0=500000 +ellps=GRS80"
    )
    rng = np.random.default_rng(4)
    x, y = rng.uniform(480_000, 560_000, 8), rng.uniform(2_480_000, 2_560_000, 8)
    # heights are of the two ellipsoids: what Beijing 1954's zero is above the other goes along
    to_x, to_y, to_h = change.transform(x, y, np.zeros(8))
    control = pd.DataFrame({"from_x_m": x, "from_y_m": y, "to_x_m": to_x, "to_y_m": to_y,
                            "to_height_m": to_h}, index=list("ABCDEFGH"))  # fmt: skip
    fit = pg.fit_grid(control, 4547, method="helmert", source_crs="EPSG:2435")
    assert fit.rms_m < 1e-3
    p = fit.parameters.iloc[0]
    turned = p[["rotation_x_s", "rotation_y_s", "rotation_z_s", "scale_ppm"]].to_numpy(float)
    assert np.abs(turned) == pytest.approx([0.12, 0.25, 1.1, 3.2], abs=2e-3)
    at = gpd.GeoDataFrame(geometry=shapely.points([515_000], [2_515_000]))
    there = pg.apply_grid(at, fit).geometry.iloc[0]
    wanted = change.transform(515_000, 2_515_000, 0)
    assert math.hypot(there.x - wanted[0], there.y - wanted[1]) < 1e-2
    control.loc["C", "to_x_m"] += 0.5
    spoilt = pg.fit_grid(control, 4547, method="helmert", source_crs="EPSG:2435")
    assert spoilt.residuals["left_out_m"].idxmax() == "C"
    assert spoilt.residuals.loc["C", "left_out_m"] == pytest.approx(0.5, abs=0.05)


def test_four_parameters_by_hand():
    turn = np.radians(1.5)
    x, y = np.array([0.0, 4000, 4000, 0, 2000]), np.array([0.0, 0, 3000, 3000, 1500])
    k = 1 + 8e-6
    control = pd.DataFrame({
        "from_x_m": x, "from_y_m": y,
        "to_x_m": 5e5 + k * (x * np.cos(turn) - y * np.sin(turn)),
        "to_y_m": 25e5 + k * (x * np.sin(turn) + y * np.cos(turn)),
    })  # fmt: skip
    fit = pg.fit_grid(control, 4547)
    row = fit.parameters.iloc[0]
    assert row.tolist() == pytest.approx([5e5, 25e5, 5400.0, 8.0], rel=1e-6)
    assert fit.rms_m < 1e-6
    with pytest.raises(pg.errors.LayerError, match="has 1 points; similarity needs 2"):
        pg.fit_grid(control.head(1), 4547)
    with pytest.raises(pg.errors.CRSError, match="source_crs=None is no projected CRS"):
        pg.fit_grid(control, 4547, method="helmert")


# --- drawings ---------------------------------------------------------------------------------


@pytest.fixture
def drawing(tmp_path):
    """A function that writes what a draughtsman drew, with ezdxf, and gives the file."""
    ezdxf = pytest.importorskip("ezdxf")

    def write(draw, units=6):
        made = ezdxf.new("R2010", units=units)
        draw(made)
        path = tmp_path / "图.dxf"
        made.saveas(path)
        return path

    return write


def test_arcs_of_a_drawing_are_within_the_chord_tolerance(drawing):
    """A lens of two arcs of radius 500 m: a chord of 0.5 degrees lies r (1 - cos 0.25°) = 5 mm inside."""
    radius, half = 500.0, math.radians(30)
    chord, bulge = 2 * radius * math.sin(half), math.tan(half / 2)

    def draw(made):
        made.modelspace().add_lwpolyline(
            [(0, 0, bulge), (chord, 0, bulge)],
            format="xyb",
            close=True,
            dxfattribs={"layer": "红线"},
        )

    line = pg.read_layer(drawing(draw), "red_line", layer="红线", crs=4547)
    exact = radius**2 * (2 * half - math.sin(2 * half))
    assert 0 <= exact - line.area.iloc[0] < 2 * (2 * half * radius) * 0.005
    centre = shapely.Point(chord / 2, radius * math.cos(half))
    lower = [p for p in line.geometry.iloc[0].exterior.segmentize(1.0).coords if p[1] < 0]
    away = shapely.distance(centre, shapely.points(lower))
    assert away.max() <= radius + 1e-6
    assert away.min() > radius - 0.005


def with_curve(path, kind, geometry_type):
    """A GeoPackage whose second row is a circle, or a half of one, of 50 m as true arcs."""
    layer = gpd.GeoDataFrame(
        {"building_id": ["B1", "B2"], "river": ["A", "B"]},
        geometry=[shapely.box(513000, 2510000, 513010, 2510010) if kind == 10 else
                  shapely.LineString([(513000, 2510000), (513010, 2510000)])] * 2, crs=4547,
    )  # fmt: skip
    pyogrio.write_dataframe(layer, path, geometry_type="Unknown")
    points = [(513050, 2510000), (513100, 2510050), (513150, 2510000)]
    points += [(513100, 2509950), (513050, 2510000)] if kind == 10 else []
    arcs = struct.pack("<BII", 1, 8, len(points)) + b"".join(struct.pack("<dd", *p) for p in points)
    wkb = struct.pack("<BII", 1, 10, 1) + arcs if kind == 10 else arcs
    with contextlib.closing(sqlite3.connect(path)) as base:
        for (name,) in base.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger'"
        ).fetchall():
            base.execute(f'DROP TRIGGER "{name}"')
        row = b"GP\x00\x01" + struct.pack("<i", 4547) + wkb
        base.execute(f'UPDATE "{path.stem}" SET geom = ? WHERE fid = 2', (row,))
        base.execute("UPDATE gpkg_geometry_columns SET geometry_type_name = ?", (geometry_type,))
        base.commit()
    return path


@pytest.mark.parametrize("stated", ["CURVEPOLYGON", "GEOMETRY"])
def test_true_curves_become_chords_and_it_is_said(tmp_path, stated):
    path = with_curve(tmp_path / "a.gpkg", 10, stated)
    houses = pg.read_layer(path, "buildings")
    # a chord of 0.5 degrees lies 50 m x (1 - cos 0.25°) = 0.5 mm inside of the arc
    exact = math.pi * 50**2
    assert 0 < exact - houses.area["B2"] < 2 * math.pi * 50 * 0.0005
    assert "curves" in set(pg.check(path, "buildings")["fault"])


def test_a_river_drawn_in_arcs_is_read(tmp_path):
    path = with_curve(tmp_path / "河.gpkg", 8, "COMPOUNDCURVE")
    rivers = pg.read_layer(path, "rivers")
    assert rivers.length["B"] == pytest.approx(math.pi * 50, abs=0.01)


def test_blocks_hatches_and_escaped_names(drawing):
    def draw(made):
        block = made.blocks.new("屋")
        block.add_lwpolyline(
            [(0, 0), (10, 0), (10, 5), (0, 5)], close=True, dxfattribs={"layer": "0"}
        )
        made.modelspace().add_blockref("屋", (100, 200), dxfattribs={"layer": "房屋"})
        hatch = made.modelspace().add_hatch(dxfattribs={"layer": "房屋"})
        hatch.paths.add_polyline_path([(0, 0), (20, 0), (20, 20), (0, 20)], is_closed=True)

    path = drawing(draw)
    houses = pg.read_layer(path, "buildings", layer="房屋", crs=4547, row_ids=True)
    assert sorted(houses.area.round(6)) == [50, 400]
    assert houses.total_bounds.tolist() == [0, 0, 110, 205]
    raw = path.read_text("utf-8").replace("房屋", r"\U+623F\U+5C4B")
    path.write_text(raw, "utf-8")
    assert len(pg.read_layer(path, "buildings", layer="房屋", crs=4547, row_ids=True)) == 2


def test_open_bank_lines_become_one_area_and_it_is_said(drawing):
    def draw(made):
        space, layer = made.modelspace(), {"layer": "河岸"}
        space.add_lwpolyline([(0, 0), (100, 0), (200, 20)], dxfattribs=layer)
        space.add_lwpolyline([(200, 50), (100, 30), (0, 30)], dxfattribs=layer)  # drawn upstream

    path = drawing(draw)
    line = pg.read_layer(path, "red_line", layer="河岸", crs=4547)
    assert line.area.tolist() == [200 * 30]
    said = pg.check(path, "red_line", layer="河岸", crs=4547, lang="en").set_index("fault")
    assert "30.0 m + 30.0 m" in said.loc["banks_paired", "problem"]


def test_a_drawing_in_millimetres_is_said_to_be(drawing):
    def draw(made):
        made.modelspace().add_lwpolyline(
            [(0, 0), (9000, 0), (9000, 9000)], close=True, dxfattribs={"layer": "a"}
        )

    said = pg.check(drawing(draw, units=4), "red_line", crs=4547, lang="en")
    assert "mm" in said.set_index("fault").loc["drawing_unit", "problem"]


# --- ledgers and ids --------------------------------------------------------------------------


def test_a_ledger_goes_with_its_layer_and_what_does_not_is_listed():
    houses = building_frame(
        {f"B{k}": shapely.box(20 * k, 0, 20 * k + 10, 10) for k in range(1, 5)},
        owner=["甲", None, "丙", "丁"],
    )
    ledger = pd.DataFrame(
        {"building_id": ["B1", "B2", "b3", "B9"], "owner": ["甲", "乙", "丙", "戊"], "paid": [1, 2, 3, 4]},
        index=[2, 3, 4, 5],
    )  # fmt: skip
    ledger.loc[2, "owner"] = "赵"
    found = pg.join_ledger(houses, ledger)
    assert found.layer.index.tolist() == houses.index.tolist()
    assert found.layer["owner"].tolist() == ["甲", "乙", "丙", "丁"]  # the layer's own word stays
    assert found.layer["paid"].fillna(0).tolist() == [1, 2, 0, 0]
    assert found.conflicts.to_numpy().tolist() == [["B1", "owner", "甲", "赵"]]
    sides = found.unmatched.fillna({"row": 0}).to_numpy().tolist()
    assert sides == [["layer", "B3", 0, "b3"], ["layer", "B4", 0, ""],
                     ["ledger", "b3", 4, "B3"], ["ledger", "B9", 5, ""]]  # fmt: skip
    with pytest.raises(
        pg.errors.LayerError, match=r"ledger: has the same id in several rows \(1: B1\)"
    ):
        pg.join_ledger(houses, pd.concat([ledger, ledger.head(1)]))
    with pytest.raises(pg.errors.LayerError, match="no id of the 1 is in the layer"):
        pg.join_ledger(houses, ledger.tail(1))
    with pytest.raises(pg.errors.LayerError, match=r"has rows without building_id \(1: 2\)"):
        pg.join_ledger(houses, ledger.assign(building_id=[None, "B2", "B3", "B4"]))


def test_unit_numbers_are_taken_apart():
    # GB/T 37346-2019 as PRACTICE.md has it: 19 of the parcel, F and 4 of the building, 4 of the unit
    good, short, bad = (
        "440307001002GB00123F00010001",
        "440307001002GB00123F0001",
        "440307001002gb00123F00010001",
    )
    parts = pg.intake.unit_numbers(pd.Series([good, short, bad, None]))
    assert parts.loc[0, "area":"unit"].tolist() == [
        "440307",
        "001",
        "002",
        "GB",
        "00123",
        "F",
        "0001",
        "0001",
    ]
    assert parts.loc[0, ["parcel_id", "building_id", "why"]].tolist() == [good[:19], good[:24], ""]
    assert parts["why"].tolist()[1:] == ["24 characters instead of 28", "not as GB/T says", "0 characters instead of 28"]  # fmt: skip
    assert parts.loc[1:, "parcel_id"].isna().all()


# --- hostile files and texts ------------------------------------------------------------------


def test_the_encoding_of_every_text_is_said_with_its_reason(tmp_path, sample, caplog):
    pg.write_layer(sample["parcels"], tmp_path / "宗地.shp", "parcels")
    with caplog.at_level(logging.INFO, logger="pinghu_geo"):
        pg.read_layer(tmp_path / "宗地.shp", "parcels")
    assert "宗地.shp: text read as GBK: .cpg 'GBK'" in caplog.text


def test_sizes_that_are_only_declared_cost_nothing(tmp_path):
    """A zip that says it holds 10 GB, a .dbf with a billion rows, a .shp of 4 GB: all refused at once."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.geojson", b"{}" + b" " * 100)
    raw = bytearray(packed.getvalue())
    central = raw.rfind(b"PK\x01\x02")
    raw[central + 24 : central + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    (tmp_path / "big.zip").write_bytes(raw)
    (tmp_path / "newer.zip").write_bytes(packed.getvalue().replace(b"PK\x01\x02\x14\x03\x14", b"PK\x01\x02\x14\x03\x7f"))  # fmt: skip
    (tmp_path / "a.shp").write_bytes(
        b"\x00\x00\x27\x0a" + bytes(20) + (2**31 - 8).to_bytes(4, "big") + bytes(72)
    )
    start = time.process_time()
    with pytest.raises(pg.errors.LayerError, match="would unpack to 4,096 MB"):
        pg.read_layer(tmp_path / "big.zip", "buildings")
    with pytest.raises(pg.errors.LayerError, match="newer.zip is no readable zip"):
        pg.read_layer(tmp_path / "newer.zip", "buildings")
    with pytest.raises(pg.errors.LayerError, match="a.shp was cut off: 100 bytes of 4,294,967,280"):
        pg.read_layer(tmp_path / "a.shp", "buildings", row_ids=True, crs=4547)
    house = building_frame({"B1": shapely.box(0, 0, 9, 9)})
    pg.write_layer(house, tmp_path / "b.shp", "buildings")
    dbf = bytearray((tmp_path / "b.dbf").read_bytes())
    dbf[4:8] = (10**9).to_bytes(4, "little")
    (tmp_path / "b.dbf").write_bytes(dbf)
    with pytest.raises(pg.errors.LayerError, match="b.dbf was cut off"):
        pg.read_layer(tmp_path / "b.shp", "buildings")
    assert time.process_time() - start < 20


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb"])
def test_texts_that_are_no_utf8_are_refused_at_the_door(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    pyogrio.write_dataframe(
        gpd.GeoDataFrame({"building_id": ["B1"], "owner": ["ABCDEFGH"]}, geometry=[shapely.box(0, 0, 9, 9)], crs=4547),
        path,
    )  # fmt: skip
    path.write_bytes(path.read_bytes().replace(b"ABCDEFGH", b"\xc6\xbd\xba\xfeEFGH"))  # GBK
    with pytest.raises(pg.errors.LayerError, match="can't be read"):
        pg.read_layer(path, "buildings")
    assert set(pg.check(path, "buildings")["fault"]) == {"unreadable"}


def test_a_zip_with_a_password_is_refused_with_the_reason(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.geojson", b"{}")
    raw = bytearray(packed.getvalue())
    raw[6] |= 1  # the flag of an encrypted member, in both headers
    raw[raw.rfind(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(raw)
    with pytest.raises(
        pg.errors.LayerError, match=r"(?s)can't be unpacked: .*password.*without a password"
    ):
        pg.read_layer(tmp_path / "a.zip", "buildings")


def test_hostile_names_are_inert_from_the_file_to_map_and_workbooks(tmp_path, straight):
    script, formula = "<script>alert(1)</script>", '=HYPERLINK("http://x","y")'
    houses = building_frame(
        {f"B1{script}": shapely.box(0, 0, 10, 10), "B2": shapely.box(20, 0, 30, 10)},
        owner=[formula, f"\x07{script}"], floors=2.0,
    )  # fmt: skip
    pg.write_layer(houses, tmp_path / "房屋.gpkg", "buildings")
    read = pg.read_layer(tmp_path / "房屋.gpkg", "buildings")
    faults = pg.check(tmp_path / "房屋.gpkg", "buildings", lang="en")
    assert {"active_text", "control_character"} <= set(faults["fault"])
    line = pg.red_line(straight, 20.0)
    hit = pg.affected(read, line, straight)
    pg.command_map(hit, line, straight).save(tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text("utf-8")
    assert script not in page
    assert "\x07" not in page
    pg.write_ledger(hit, tmp_path / "台账.xlsx")
    pg.deliver.write_faults(faults, tmp_path / "check.xlsx")
    for name in ("台账.xlsx", "check.xlsx"):
        for sheet in openpyxl.load_workbook(tmp_path / name):
            for cell in (c for row in sheet.iter_rows() for c in row):
                hostile = isinstance(cell.value, str) and cell.value.startswith("=HYPERLINK")
                assert not hostile or cell.data_type in ("s", "inlineStr")
                assert cell.hyperlink is None or "http" not in str(cell.hyperlink.target)
