"""Situations of public bug reports (docs/reports.md), rebuilt small."""

import struct
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from test_hecras import geometry, section
from test_reading_kinds import RING
from test_shapefile_bytes import AREA, ID, ROWS, THREE, record, square, write

import pinghu_geo as pg

DOCS = Path(__file__).parents[1] / "docs" / "reports.md"


def test_every_report_names_the_test_that_tries_it():
    rows = [r for r in DOCS.read_text("utf-8").splitlines() if r.startswith("| [")]
    assert len(rows) >= 28
    for row in rows:
        file, name = row.split("|")[4].strip().strip("`").split(".")
        assert f"def {name}(" in (Path(__file__).parent / f"{file}.py").read_text("utf-8"), row


def test_a_geometry_without_ineffective_areas(tmp_path):
    """gpt-cmdr/ras-commander#6: sections without #XS Ineff, among ones with it."""
    area = (-1, [-40, -30, 15])
    some = pg.read_hecras(geometry(tmp_path, section("2", ineff=area), section("1")), units="SI")
    assert some.obstacles[["chainage_m", "top_m"]].values.tolist() == [[0.0, 15.0]]
    none = pg.read_hecras(geometry(tmp_path, section("2"), section("1")), units="SI")
    assert len(none.obstacles) == 0
    found = pg.water_profile(none.sections, 50.0, {"slope": 0.001}, obstacles=none.obstacles)
    bare = pg.water_profile(none.sections, 50.0, {"slope": 0.001})
    assert found["level_m"].tolist() == bare["level_m"].tolist()


def test_cells_shifted_against_their_fields(tmp_path):
    """OSGeo/gdal#542: GDAL reads 993110 of '993110   34 3   0'."""
    path = write(tmp_path / "a.shp", THREE[:2], [("A", "993110 34 3   0"), ("B", "12")], (ID, AREA))
    assert pg.check(path, "buildings")["fault"].tolist() == ["not_a_number"]
    assert pg.read_layer(path, "buildings")["floor_area_m2"].tolist() == ["993110 34 3   0", 12.0]


def test_more_shapes_than_rows(tmp_path):
    """GeospatialPython/pyshp#57, OSGeo/gdal#14318."""
    path = write(tmp_path / "a.shp", THREE, ROWS[:2])
    with pytest.raises(pg.errors.LayerError, match="3 shapes but its .dbf 2 rows"):
        pg.read_layer(path, "buildings")


def test_a_dbf_without_its_number_of_rows(tmp_path):
    """OSGeo/shapelib#4: every row counted as deleted."""
    path = write(tmp_path / "a.shp", THREE, ROWS)
    raw = bytearray(path.with_suffix(".dbf").read_bytes())
    raw[4:8] = struct.pack("<I", 0)
    path.with_suffix(".dbf").write_bytes(raw)
    with pytest.raises(pg.errors.LayerError, match="3 shapes but its .dbf 0 rows"):
        pg.read_layer(path, "buildings")


def test_a_hole_that_touches_its_shell(tmp_path):
    """mbostock/shapefile#59: it was read as a house of its own."""
    hole = square(0, 10, y=5, clockwise=False)
    corner = [hole[0], (hole[0][0] + 9, hole[0][1] + 1), (hole[0][0] + 9, hole[0][1] + 9), hole[0]]
    path = write(tmp_path / "a.shp", [record(square(0, 20), corner)], [("A",)])
    found = pg.read_layer(path, "buildings")
    assert found.area.tolist() == [400 - shapely.Polygon(corner).area]
    assert found.is_valid.all()


def test_no_clockwise_ring_at_all(tmp_path):
    """GeospatialPython/pyshp#219."""
    path = write(tmp_path / "a.shp", [record(square(0, 20, clockwise=False))], [("A",)])
    assert pg.read_layer(path, "buildings").area.tolist() == [400]


def test_numbers_that_fill_their_field_are_written_whole(tmp_path):
    """GeospatialPython/pyshp#442: 123456789 became 12345."""
    layer = gpd.GeoDataFrame(
        {"floor_area_m2": [123456789.125, -0.5], "tenants": [123456789, 2], "编号": [2**53 - 1, 7]},
        geometry=[shapely.box(0, 0, 9, 9)] * 2, index=pd.Index(["a", "b"], name="building_id"), crs=4547,
    )  # fmt: skip
    pg.write_layer(layer, tmp_path / "w.shp", "buildings")
    back = pg.read_layer(tmp_path / "w.shp", "buildings")
    assert back["floor_area_m2"].tolist() == [123456789.125, -0.5]
    assert back["tenants"].tolist() == [123456789, 2]
    assert [int(v) for v in back["编号"]] == [2**53 - 1, 7]


@pytest.mark.parametrize("name", ["NA", "N/A", "null", "None", "nan"])
def test_a_river_or_a_group_may_be_called_na(name, tmp_path):
    """pandas-dev/pandas#24681, #11839: the name became missing; here it stays, or is said."""
    path = tmp_path / "s.csv"
    path.write_text(f"河道,起点桩号,终点桩号,责任组\n{name},K0+000,K1+000,{name}\n", "utf-8")
    table = pg.read_table(path, "segments")
    kept = table["group"].tolist() == [name] and table["river"].tolist() == [name]
    said = set(pg.check(path, "segments")["fault"])
    assert kept or "null_value" in said


def test_chinese_fields_of_a_geodatabase(tmp_path):
    """OSGeo/gdal#4112: names became underscores."""
    layer = gpd.GeoDataFrame(
        {"房屋编号": ["A"], "层数": [3.0]},
        geometry=[shapely.box(5e5, 2.5e6, 5e5 + 9, 2.5e6 + 9)],
        crs=4547,
    )
    pyogrio.write_dataframe(layer, tmp_path / "g.gdb", driver="OpenFileGDB")
    found = pg.read_layer(tmp_path / "g.gdb", "buildings")
    assert found.index.tolist() == ["A"]
    assert found["floors"].tolist() == [3]


def test_a_kml_with_two_names(tmp_path):
    """duckdb/duckdb-spatial#727: a second <name> and <description> in a placemark."""
    text = '<?xml version="1.0" encoding="utf-8" ?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    text += '<Schema name="s" id="s"><SimpleField name="层数" type="int"/></Schema><Placemark><name></name>'
    text += (
        '<name>2</name><description>first</description><ExtendedData><SchemaData schemaUrl="#s">'
    )
    text += f'<SimpleData name="层数">3</SimpleData></SchemaData></ExtendedData>{RING}</Placemark>'
    (tmp_path / "k.kml").write_text(text + "</Document></kml>", "utf-8")
    found = pg.read_layer(tmp_path / "k.kml", "buildings", row_ids=True)
    assert found["floors"].tolist() == [3]


@pytest.mark.parametrize("name", ["epsg:4547", "EPSG:4547", "urn:ogc:def:crs:EPSG::4547"])
def test_geojson_with_a_crs_of_its_own(name, tmp_path):
    """geopandas/geopandas#1449, #1495: read as WGS 84."""
    shape = shapely.to_geojson(shapely.box(506000, 2503000, 506010, 2503010))
    text = f'{{"type":"FeatureCollection","crs":{{"type":"name","properties":{{"name":"{name}"}}}},"features":'
    text += f'[{{"type":"Feature","properties":{{"FWBH":"A"}},"geometry":{shape}}}]}}'
    (tmp_path / "g.geojson").write_text(text, "utf-8")
    found = pg.read_layer(tmp_path / "g.geojson", "buildings")
    assert found.crs.to_epsg() == 4547


@pytest.mark.parametrize("made", ["Geometry/Cross Sections", "Geometry/Structures", "Geometry"])
def test_hdf_groups_without_their_tables(made, tmp_path):
    """fema-ffrd/rashdf#87, #71."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.g01.hdf", "w") as file:
        file.create_group(made)
    with pytest.raises(pg.errors.LayerError, match="holds no cross-sections"):
        pg.flood.read_hecras_results(tmp_path / "a.g01.hdf")


def test_a_flow_at_a_section_that_isnt_there(tmp_path):
    """NOAA-OWP/ras2fim#239."""
    path = geometry(tmp_path, section("2"), section("1"))
    text = "Flow Title=x\nNumber of Profiles= 1 \nProfile Names=PF 1\nRiver Rch & RM=Creek,Upper,1032\n      50\n"
    (tmp_path / "m.f01").write_text(text)
    with pytest.raises(pg.errors.LayerError, match="a flow at Creek 1032, which has no section"):
        pg.read_hecras(path, tmp_path / "m.f01", units="SI")


def test_ends_of_decimals_as_arcgis_writes_them(tmp_path):
    """qgis/QGIS#51849: fields F(13,11) in powers of ten."""
    values = ["1.23000000000e+002", "-4.5e-01", "0.00000000000e+000"]
    field = ("SCJZMJ", "F", 19, 11)
    path = write(tmp_path / "a.shp", THREE, list(zip("ABC", values, strict=True)), (ID, field))
    assert pg.read_layer(path, "buildings")["floor_area_m2"].tolist() == [123.0, -0.45, 0.0]


def test_whole_numbers_in_a_geopackage_column_that_hold_texts(tmp_path):
    """SQLite keeps any text in a column of numbers, of which GDAL takes the prefix."""
    import sqlite3

    path = tmp_path / "g.gpkg"
    shapes = [shapely.box(5e5 + k, 2.5e6, 5e5 + k + 9, 2.5e6 + 9) for k in (0, 50, 100)]
    layer = gpd.GeoDataFrame(
        {"FWBH": list("ABC"), "SCJZMJ": [1.5, 2.5, 3.5], "ZCS": [1, 2, 3]},
        geometry=shapes,
        crs=4547,
    )
    layer.to_file(path)
    with sqlite3.connect(path) as base:
        drop = base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in drop:
            base.execute(f'DROP TRIGGER "{name}"')
        base.execute("UPDATE g SET SCJZMJ = '1,300.5', ZCS = '3F' WHERE FWBH = 'B'")
    base.close()
    found = pg.read_layer(path, "buildings")
    assert found["floor_area_m2"].tolist() == [1.5, 1300.5, 3.5]
    assert found["floors"].tolist() == [1.0, "3F", 3.0]
    near = gpd.GeoDataFrame(geometry=[shapely.box(5e5 + 40, 2.5e6, 5e5 + 60, 2.5e6 + 9)], crs=4547)
    some = pg.read_layer(path, "buildings", near=near, near_m=1)
    assert some[["floor_area_m2", "floors"]].values.tolist() == [[1300.5, "3F"]]
