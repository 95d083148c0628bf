"""Kinds of files and shapes that were read otherwise than they are meant, each with its siblings."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg

X, Y = 506000.0, 2503000.0


def square(x=0.0, w=10.0):
    return [(X + x, Y), (X + x, Y + w), (X + x + w, Y + w), (X + x + w, Y)]


# --- KML ----------------------------------------------------------------------------------------

RING = "<Polygon><outerBoundaryIs><LinearRing><coordinates>114,22 114.001,22 114.001,22.001 114,22"
RING += "</coordinates></LinearRing></outerBoundaryIs></Polygon>"


def kml(path, data, *, encoding="utf-8", head=""):
    text = f'<?xml version="1.0" encoding="{encoding}"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    text += f"{head}<Placemark><name>A1</name><ExtendedData>{data}</ExtendedData>{RING}</Placemark>"
    path.write_text(text + "</Document></kml>", encoding)
    return pg.read_layer(path, "buildings", id_column="Name").iloc[0]


DATA = '<Data name="{}"><value>{}</value></Data>'


@pytest.mark.parametrize("name", ["楼层", "层数", "&#x697C;&#x5C42;", "总层数", "ZCS"])
def test_kml_data_with_any_name(name, tmp_path):
    both = DATA.format(name, "3") + DATA.format("结构", "砖混")
    row = kml(tmp_path / "k.kml", both)
    assert (row["floors"], row["structure"]) == (3.0, "brick_concrete")


def test_kml_in_gbk(tmp_path):
    assert kml(tmp_path / "k.kml", DATA.format("权利人", "李四"), encoding="gbk")["owner"] == "李四"


def test_kml_names_of_one_length_stay_two_columns(tmp_path):
    row = kml(tmp_path / "k.kml", DATA.format("备注", "甲") + DATA.format("来源", "乙"))
    assert (row["备注"], row["来源"]) == ("甲", "乙")


@pytest.mark.parametrize(("text", "value"), [("1,300.5", 1300.5), ("12", 12), ("3F", "3F")])
def test_kml_fields_with_a_type_are_read_as_written(text, value, tmp_path):
    schema = '<Schema name="s" id="s"><SimpleField type="int" name="建筑面积"/></Schema>'
    data = (
        '<SchemaData schemaUrl="#s"><SimpleData name="建筑面积">'
        + text
        + "</SimpleData></SchemaData>"
    )
    assert kml(tmp_path / "k.kml", data, head=schema)["floor_area_m2"] == value


# --- DXF ----------------------------------------------------------------------------------------


def drawing(path, change):
    ezdxf = pytest.importorskip("ezdxf")
    made = ezdxf.new()
    space = made.modelspace()
    made.layers.add("房屋")
    space.add_lwpolyline(square(), close=True, dxfattribs={"layer": "房屋"})
    change(made, space)
    made.saveas(path)
    return path


def paper(made, _):
    frame = [(0, 0), (420, 0), (420, 297), (0, 297)]
    made.layout("Layout1").add_lwpolyline(frame, close=True, dxfattribs={"layer": "房屋"})


def invisible(_, space):
    space.add_lwpolyline(square(50), close=True, dxfattribs={"layer": "房屋", "invisible": 1})


def frozen(made, space):
    made.layers.add("旧房").freeze()
    space.add_lwpolyline(square(50), close=True, dxfattribs={"layer": "旧房"})


def off(made, space):
    made.layers.add("旧房").off()
    space.add_lwpolyline(square(50), close=True, dxfattribs={"layer": "旧房"})


def on_sheet(made, _):
    made.layout("Layout1").add_circle((0, 0), 30, dxfattribs={"layer": "图框"})


@pytest.mark.parametrize(
    ("change", "said"), [(paper, 0), (on_sheet, 0), (invisible, 1), (frozen, 1), (off, 1)]
)
def test_only_what_a_drawing_shows_is_read(change, said, tmp_path):
    path = drawing(tmp_path / "p.dxf", change)
    assert pg.read_layer(path, "buildings", crs=4547, row_ids=True).area.tolist() == [100.0]
    found = pg.check(path, "buildings", crs=4547, row_ids=True)
    assert (found["fault"] == "hidden_entities").sum() == said


@pytest.mark.parametrize("how", ["frozen", "off", "invisible"])
@pytest.mark.parametrize("kind", ["lwpolyline", "polyline"])
def test_what_is_hidden_within_a_block_is_left_out(how, kind, tmp_path):
    """A house drawn as a block holds its old outline on a hidden layer, which GDAL draws."""

    def block(made, space):
        old = made.layers.add("旧房")
        one = made.blocks.new("房H")
        add = one.add_lwpolyline if kind == "lwpolyline" else one.add_polyline2d
        add([(0, 0), (0, 20), (20, 20), (20, 0)], close=True,
            dxfattribs={"layer": "旧房"} | ({"invisible": 1} if how == "invisible" else {}))  # fmt: skip
        one.add_lwpolyline([(0, 0), (0, 9), (9, 9), (9, 0)], close=True,
                           dxfattribs={"layer": "房屋"})  # fmt: skip
        {"frozen": old.freeze, "off": old.off, "invisible": lambda: None}[how]()
        space.add_blockref("房H", (X + 50, Y), dxfattribs={"layer": "房屋"})

    path = drawing(tmp_path / "p.dxf", block)
    read = pg.read_layer(path, "buildings", crs=4547, row_ids=True)
    assert read.area.tolist() == [100.0, 81.0]
    found = pg.check(path, "buildings", crs=4547, row_ids=True)
    assert found.loc[found["fault"] == "hidden_entities", "id"].tolist() == ["block 房H"]


@pytest.mark.parametrize("change", [frozen, off])
def test_a_frozen_layer_is_read_by_its_name(change, tmp_path):
    path = drawing(tmp_path / "p.dxf", change)
    found = pg.read_layer(path, "buildings", crs=4547, row_ids=True, layer="旧房")
    assert found.geometry.bounds["minx"].tolist() == [X + 50]


# --- GeoPackage ---------------------------------------------------------------------------------


LOCAL = (
    'ENGCRS["mine",EDATUM["a peg"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],'
    'LENGTHUNIT["metre",1]]'
)


@pytest.mark.parametrize("srs_id", [-1, 0])
def test_a_geopackage_without_a_crs_takes_the_one_stated(srs_id, tmp_path):
    import sqlite3

    path = tmp_path / "g.gpkg"
    layer = gpd.GeoDataFrame({"FWBH": ["A"]}, geometry=[shapely.Polygon(square())], crs=4547)
    layer.to_file(path)
    with sqlite3.connect(path) as base:
        base.execute("UPDATE gpkg_geometry_columns SET srs_id = ?", (srs_id,))
        base.execute("UPDATE gpkg_contents SET srs_id = ?", (srs_id,))
    base.close()
    assert pg.read_layer(path, "buildings", crs=4547).crs.to_epsg() == 4547
    with pytest.raises(pg.errors.CRSError, match="doesn't say its coordinate reference system"):
        pg.read_layer(path, "buildings")


@pytest.mark.parametrize(
    ("srs_id", "definition", "table"),
    [
        (70_000, "undefined", None),
        (70_000, "", None),
        (70_001, None, None),  # no row of that id
        (0, None, "gpkg_geometry_columns"),  # the two tables disagree
        (70_002, LOCAL, None),
    ],
)
def test_a_geopackage_whose_crs_says_nothing(srs_id, definition, table, tmp_path):
    import sqlite3

    path = tmp_path / "g.gpkg"
    gpd.GeoDataFrame({"FWBH": ["A"]}, geometry=[shapely.Polygon(square())], crs=4547).to_file(path)
    with sqlite3.connect(path) as base:
        if definition is not None:
            base.execute(
                "INSERT INTO gpkg_spatial_ref_sys (srs_name, srs_id, organization, "
                "organization_coordsys_id, definition) VALUES ('local', ?, 'NONE', ?, ?)",
                (srs_id, srs_id, definition),
            )
        for name in ("gpkg_geometry_columns", "gpkg_contents") if table is None else (table,):
            base.execute(f"UPDATE {name} SET srs_id = ?", (srs_id,))
    base.close()
    assert pg.read_layer(path, "buildings", crs=4547).crs.to_epsg() == 4547
    with pytest.raises(pg.errors.CRSError, match="doesn't say its coordinate reference system"):
        pg.read_layer(path, "buildings")


# --- where a layer lies -------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:'crs' was not provided:UserWarning")
@pytest.mark.parametrize("suffix", ["shp", "gpkg", "csv"])
@pytest.mark.parametrize("crs", [4547, 4526, 32650])
def test_degrees_that_are_stated_as_metres_are_refused(crs, suffix, tmp_path):
    """Beside the river they would be thousands of kilometres away, and no house affected."""
    path = tmp_path / f"d.{suffix}"
    house = shapely.box(114.05, 22.6, 114.0501, 22.6001)
    bare = gpd.GeoDataFrame({"FWBH": ["A"]}, geometry=[house])
    if suffix == "csv":
        pd.DataFrame({"FWBH": ["A"], "WKT": [house.wkt]}).to_csv(path, index=False)
    else:
        bare.to_file(path)
    with pytest.raises(pg.errors.CRSError, match="coordinates are degrees") as error:
        pg.read_layer(path, "buildings", crs=crs)
    space = {"pg": pg}
    exec(error.value.hint.replace("...", f"{str(path)!r}, 'buildings'"), space)
    back = space["buildings"].to_crs(4490).geometry.iloc[0]
    assert shapely.distance(back, house) < 1e-9
    assert space["buildings"].crs.to_epsg() == crs


@pytest.mark.filterwarnings("ignore:'crs' was not provided:UserWarning")
def test_small_numbers_of_a_grid_of_one_s_own_are_no_degrees(tmp_path):
    gpd.GeoDataFrame({"FWBH": ["A"]}, geometry=[shapely.box(20, 30, 40, 50)]).to_file(
        tmp_path / "d.shp"
    )
    assert len(pg.read_layer(tmp_path / "d.shp", "buildings", crs=4547)) == 1


RIVER = gpd.GeoDataFrame(
    geometry=[shapely.LineString([(X, Y), (X + 300, Y)])],
    index=pd.Index(["A"], name="river"),
    crs=4547,
)


@pytest.mark.parametrize(
    ("dx", "dy"),
    [
        (38e6, 0.0),  # the zone's number before the easting
        (-500_000.0, 0.0),  # without the false easting
        (Y - X, X - Y),  # swapped
        (0.0, 1500.0),
    ],
)
def test_a_layer_far_from_the_line_is_said(dx, dy, tmp_path):
    shape = shapely.Polygon([(x + dx, y + dy) for x, y in square()])
    houses = gpd.GeoDataFrame(
        {"floors": [1]}, geometry=[shape], index=pd.Index(["S"], name="building_id"), crs=4547
    )
    with pytest.warns(UserWarning, match="buildings and the red line lie .* km apart"):
        assert pg.affected(houses, pg.red_line(RIVER, 9.0), RIVER).empty
    houses.to_file(tmp_path / "h.gpkg")
    with pytest.warns(UserWarning, match="has nothing within 100 m of near"):
        pg.read_layer(tmp_path / "h.gpkg", "buildings", near=RIVER)


def test_houses_that_just_miss_the_line_are_no_warning():
    shape = shapely.Polygon([(x, y + 500) for x, y in square()])
    houses = gpd.GeoDataFrame(geometry=[shape], index=pd.Index(["S"], name="building_id"), crs=4547)
    assert pg.affected(houses, pg.red_line(RIVER, 9.0), RIVER).empty


# --- rivers -------------------------------------------------------------------------------------


def rivers(*parts):
    return gpd.GeoDataFrame(
        geometry=[shapely.MultiLineString(parts)], index=pd.Index(["A"], name="river"), crs=4547
    )


MAIN = [[(0, 0), (5000, 0)], [(5200, 0), (12000, 0)]]
SHORT = [(5000, 0), (5100, 50), (5200, 0)]
LONG = [(5000, 0), (5100, -60), (5200, 0)]


@pytest.mark.parametrize("turn", [False, True])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    "branch", [[LONG], [LONG[:2], LONG[1:]], [[(5000, 0.4), (5100, -60), (5199.7, 0)]]]
)
def test_a_river_around_an_island(branch, first, turn, tmp_path):
    other = [b[::-1] for b in branch] if turn else branch
    parts = [SHORT, *other, *MAIN] if first else [*MAIN, *other, SHORT]
    joined, log = pg.join_parts(rivers(*parts), gap_m=1.0)
    assert joined.length["A"] == pytest.approx(11800 + 2 * (100**2 + 50**2) ** 0.5)
    left = log[log["change"] == "branch"]
    assert left["length_m"].sum() == pytest.approx(2 * (100**2 + 60**2) ** 0.5, abs=1)
    assert left["from_m"].min() == pytest.approx(5000, abs=1)


def test_two_islands_in_a_row_and_one_in_another():
    parts = [*MAIN, SHORT, LONG, [(12000, 0), (12100, 9), (12200, 0)], [(12000, 0), (12100, -40), (12200, 0)],
             [(12000, 0), (12100, -80), (12200, 0)], [(12200, 0), (13000, 0)]]  # fmt: skip
    joined, log = pg.join_parts(rivers(*parts), gap_m=1.0)
    assert (log["change"] == "branch").sum() == 3
    assert joined.length["A"] == pytest.approx(5000 + 223.607 + 6800 + 200.808 + 800, abs=0.01)


def test_a_tributary_is_no_branch():
    with pytest.raises(pg.errors.LayerError, match="m from the others"):
        pg.join_parts(rivers(*MAIN, SHORT, [(5100, 50), (5100, 4000)]), gap_m=1.0)


def test_no_gap_of_kilometres_is_proposed():
    with pytest.raises(pg.errors.LayerError, match="leave out what is no part"):
        pg.join_parts(rivers([(0, 0), (100, 0)], [(48000, 0), (48100, 0)]), gap_m=1.0)


@pytest.mark.parametrize("gap", [1.0, 20.0, 5000.0])
def test_the_axis_of_a_river_in_two_areas_is_refused(gap):
    water = shapely.MultiPolygon(
        [shapely.box(0, 0, 400, 20), shapely.box(400 + gap, 0, 1000 + gap, 20)]
    )
    areas = gpd.GeoDataFrame(geometry=[water], index=pd.Index(["A"], name="river"), crs=4547)
    source = gpd.GeoSeries([shapely.Point(0, 10)], index=areas.index, crs=4547)
    with pytest.raises(pg.errors.LayerError, match=r"several areas.*\(1: A\)"):
        pg.river_axis(areas, source)


def test_the_axis_runs_by_an_island():
    water = shapely.box(0, 0, 2000, 40) - shapely.box(900, 15, 1000, 30)
    areas = gpd.GeoDataFrame(geometry=[water], index=pd.Index(["A"], name="river"), crs=4547)
    source = gpd.GeoSeries([shapely.Point(0, 20)], index=areas.index, crs=4547)
    axis = pg.river_axis(areas, source).geometry["A"]
    assert 2000 <= axis.length <= 2030
    assert axis.within(water.buffer(1e-6))


@pytest.mark.parametrize("name", ["宗号", "界址线所属", "No"])
def test_corner_points_by_a_column_that_the_user_names(name, tmp_path):
    path = tmp_path / "c.csv"
    rows = [f"{k},{X + x},{Y + y}" for k in ("a", "b") for x, y in ((0, 0), (0, 9), (9, 9), (9, 0))]
    path.write_text(f"{name},东坐标,北坐标\n" + "\n".join(rows), "utf-8")
    found = pg.read_layer(path, "parcels", crs=4547, id_column=name)
    assert found.area.to_dict() == {"a": 81.0, "b": 81.0}


def test_rows_without_an_id_are_told_by_their_number():
    shapes = [shapely.box(0, 0, 9, 9), shapely.Polygon(), shapely.box(50, 0, 50.1, 9)]
    layer = gpd.GeoDataFrame({"floors": [2.5, 1, 1]}, geometry=shapes, crs=4547,
                             index=pd.Index([None, None, "C"], name="building_id"))  # fmt: skip
    found = pg.check(layer).set_index("fault")["id"]
    assert (found["not_whole"], found["empty_geometry"]) == ("row 1", "row 2")


def test_a_river_in_several_rows_is_joined_by_the_hint():
    parts = gpd.GeoDataFrame(
        geometry=[shapely.LineString([(0, 0), (300, 0)]), shapely.LineString([(300, 0), (700, 0)])],
        index=pd.Index(["A", "A"], name="river"), crs=4547,
    )  # fmt: skip
    with pytest.raises(pg.errors.LayerError, match="duplicate ids") as fault:
        pg.red_line(parts, 9.0)
    space = {"pg": pg, "rivers": parts}
    exec(str(fault.value).split("Hint: ")[1], space)
    assert pg.red_line(space["rivers"], 9.0).area.sum() == pytest.approx(700 * 18)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_part_that_was_drawn_the_other_way_is_the_one_named(order):
    """It is the longest part, so that the others are added to it; most of the length is theirs."""
    parts = [[(0, 0), (180, 0)], [(400, 0), (180, 0)], [(400, 0), (570, 0)]]
    layer = gpd.GeoDataFrame(
        geometry=[shapely.LineString(parts[k]) for k in order], index=["A"] * 3, crs=4547
    ).rename_axis("river")
    joined, log = pg.join_parts(layer, gap_m=1)
    assert shapely.get_coordinates(joined.geometry["A"])[[0, -1], 0].tolist() == [0, 570]
    assert log[["change", "from_m", "to_m"]].values.tolist() == [["turned", 180.0, 400.0]]


def test_islands_of_a_river_with_gaps():
    """Two parts with an island each, 10 m apart: 0-100-200 and 210-300-400."""
    parts = []
    for x in (0, 210):
        parts += [[(x, 0), (x + 100, 0)], [(x + 100, 0), (x + 150, 5), (x + 190, 0)],
                  [(x + 100, 0), (x + 150, -30), (x + 190, 0)], [(x + 190, 0), (x + 200, 0)]]  # fmt: skip
    layer = gpd.GeoDataFrame(
        geometry=[shapely.LineString(p) for p in parts], index=["A"] * 8, crs=4547
    ).rename_axis("river")
    joined, log = pg.join_parts(layer, gap_m=20)
    assert joined.geometry["A"].is_simple
    assert shapely.get_coordinates(joined.geometry["A"])[[0, -1], 0].tolist() == [0, 410]
    assert log["change"].tolist() == ["joined", "branch", "branch"]
