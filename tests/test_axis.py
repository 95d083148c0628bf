import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from conftest import CRS, building_frame, river_frame


def frame(*shapes):
    index = pd.Index([f"R{k}" for k in range(len(shapes))], name="river")
    return gpd.GeoDataFrame(index=index, geometry=list(shapes), crs=CRS)


def points(*xy):
    return gpd.GeoSeries([shapely.Point(p) for p in xy], [f"R{k}" for k in range(len(xy))], crs=CRS)


def test_parts_in_any_order_and_direction_become_one_line():
    parts = shapely.MultiLineString(
        [[(400, 0), (300, 0)], [(0, 0), (200, 0)], [(210, 0), (300, 0)]]
    )
    layer, log = pg.join_parts(frame(parts), gap_m=15)
    assert shapely.get_coordinates(layer.geometry.iloc[0])[[0, -1]].tolist() == [[0, 0], [400, 0]]
    assert log.values.tolist() == [
        ["R0", "joined", 200.0, 210.0, 10.0], ["R0", "turned", 300.0, 400.0, 100.0],
    ]  # fmt: skip
    assert pg.stations(layer)["label"].tolist()[-1] == "K0+400"


def test_rows_of_one_river_are_its_parts():
    rows = gpd.GeoDataFrame(
        {"start_m": [5.0, 7.0]}, index=pd.Index(["A", "A"], name="river"), crs=CRS,
        geometry=[shapely.LineString([(0, 0), (10, 0)]), shapely.LineString([(10, 0), (20, 5)])],
    )  # fmt: skip
    layer, log = pg.join_parts(rows, gap_m=1)
    assert log.empty
    assert layer["start_m"].tolist() == [5.0]


def test_a_part_too_far_away_is_refused():
    parts = shapely.MultiLineString([[(0, 0), (200, 0)], [(260, 0), (300, 0)]])
    with pytest.raises(
        pg.errors.LayerError, match=r"(?s)a part is 60.0 m from the others.*gap_m=60"
    ):
        pg.join_parts(frame(parts), gap_m=15)


def test_real_river_in_parts(shared):
    ways = gpd.read_file(
        shared / "data" / "bayreuth" / "bayreuth_epsg32632.gpkg", layer="waterways"
    )
    rows = ways[ways["name"].notna()].rename(columns={"name": "river"}).set_index("river")
    main = rows.loc[["Roter Main"]]
    layer, log = pg.join_parts(main, gap_m=30)
    assert layer.length.iloc[0] == pytest.approx(
        main.length.sum() + log.loc[log["change"] == "joined", "length_m"].sum()
    )
    assert pg.river.river_scales(layer)["Roter Main"].length_m > 21_000


def test_confluence_and_wrong_direction(confluence):
    found = pg.river.confluences(confluence)
    assert found.values.tolist() == [["支流", "mouth", "干流", 500.0, "left", 0.0]]
    back = confluence.set_geometry(
        [confluence.geometry.iloc[0], confluence.geometry.iloc[1].reverse()]
    )
    assert pg.river.confluences(back)["end"].tolist() == ["source"]
    assert pg.river.confluences(confluence.iloc[:1]).empty


def test_swellendam_s_rivers_join(shared):
    path = shared / "data" / "swellendam" / "swellendam_epsg32734.gpkg"
    rivers = pg.read_layer(path, "rivers", layer="rivers", id_column="full_id")
    found = pg.river.confluences(rivers, tolerance_m=5.0)
    assert len(found) > 5
    for _, row in found.iterrows():
        one, other = rivers.geometry[row["tributary"]], rivers.geometry[row["river"]]
        end = shapely.Point(one.coords[-1 if row["end"] == "mouth" else 0])
        assert row["gap_m"] == pytest.approx(end.distance(other), abs=1e-6)
        assert row["chainage_m"] == pytest.approx(other.project(end), abs=1e-6)


def test_transfer_of_chainages_after_a_realignment(straight):
    # the new line makes a detour of 50 m x 3 between 400 and 500 m
    new = river_frame({"A": [(0, 0), (400, 0), (400, 50), (500, 50), (500, 0), (1000, 0)]})
    places = pd.DataFrame(
        {"river": "A", "from_m": [100.0, 430.0, 800.0], "to_m": [150.0, 470.0, 900.0]},
        index=list("xyz"),
    )
    found = pg.transfer_chainage(places, straight, new, columns=("from_m", "to_m"))
    assert found["from_m"].tolist()[::2] == [100, 900]
    assert found["to_m"].tolist()[::2] == [150, 1000]
    assert found["moved_m"].tolist()[::2] == [0, 0]
    assert found.loc["y", "moved_m"] == 30
    assert found.index.tolist() == list("xyz")


def test_transfer_to_the_same_line_changes_nothing(sample):
    rivers = sample["rivers"]
    places = pg.stations(rivers, spacing_m=73)[["river", "chainage_m"]]
    found = pg.transfer_chainage(places, rivers, rivers)
    np.testing.assert_allclose(found["chainage_m"], places["chainage_m"], atol=1e-6)
    assert found["moved_m"].max() < 1e-6
    with pytest.raises(
        pg.errors.ChainageError, match="places: 木古河: chainages outside the river"
    ):
        pg.transfer_chainage(
            pd.DataFrame({"river": ["木古河"], "chainage_m": [9e9]}), rivers, rivers
        )
    with pytest.raises(pg.errors.LayerError, match="lacks the column 'from_m'"):
        pg.transfer_chainage(places, rivers, rivers, columns=("from_m",))


def strip(course, half):
    return course.buffer(half, cap_style="flat", quad_segs=32)


angle = np.linspace(0, np.pi, 80)
COURSES = {
    "straight": np.array([[0, 0], [500, 0]]),
    "bend": np.array([[0, 0], [200, 0], [300, 120], [320, 400]]),
    "meander": np.c_[np.linspace(0, 900, 200), 60 * np.sin(np.linspace(0, 14, 200))],
    "hairpin": np.vstack(
        [[[-300, 0]], np.c_[40 * np.sin(angle), 40 - 40 * np.cos(angle)], [[-300, 80]]]
    ),
}


@pytest.mark.parametrize("name", COURSES)
@pytest.mark.parametrize("half", [6.0, 12.0])
def test_axis_of_a_strip_is_the_line_it_was_made_from(name, half):
    course = shapely.LineString(COURSES[name])
    axis = pg.river_axis(frame(strip(course, half)), points(course.coords[0]))
    line = axis.geometry.iloc[0]
    # inside a corner of the drawn line the medial axis itself cuts it, by half x tan of half the turn
    # the meander ends in a bend of 69 m radius, where 1.2 half widths are continued straight:
    # (1.2 x 12)² / (2 x 69) = 1.5 m, and as much again for the direction taken from a chord
    allowed = half * {"bend": 0.35, "meander": 0.25}.get(name, 0.1)
    assert shapely.hausdorff_distance(line, course) < allowed
    assert line.length == pytest.approx(course.length, rel=0.02)
    assert (
        shapely.distance(shapely.Point(line.coords[0]), shapely.Point(course.coords[0])) < allowed
    )
    assert axis["asymmetry_m"].iloc[0] < allowed * 2
    back = pg.river_axis(frame(strip(course, half)), points(course.coords[-1])).geometry.iloc[0]
    assert (
        shapely.distance(shapely.Point(back.coords[0]), shapely.Point(course.coords[-1])) < allowed
    )


def test_a_pond_and_a_missing_source_are_refused():
    with pytest.raises(pg.errors.LayerError, match="too short for its width to be a river.*R0"):
        pg.river_axis(frame(shapely.box(0, 0, 30, 20)), points((0, 10)))
    with pytest.raises(pg.errors.LayerError, match="no point at their upstream end"):
        pg.river_axis(frame(shapely.box(0, 0, 300, 20)), points())


COURT_WATER = {
    "a ring": shapely.Point(1000, 0).buffer(40).difference(shapely.Point(1000, 0).buffer(30)),
    "a canal": shapely.box(920, -5, 1080, 5),
    "a pond": shapely.box(980, -10, 1020, 10),
}


@pytest.mark.parametrize("water", COURT_WATER.values(), ids=COURT_WATER)
@pytest.mark.parametrize("gap_m", [20.0, 1000.0])
def test_water_in_an_island_s_court_is_no_part_of_the_river(water, gap_m):
    river = shapely.box(0, -100, 2000, 100).difference(shapely.box(900, -60, 1100, 40))
    alone = pg.river_axis(frame(river), points((0, 0)))
    ends = shapely.get_coordinates(alone.geometry.iloc[0])[[0, -1]]
    # an island in the middle is no reason to end in a corner
    assert ends == pytest.approx(np.array([[0.0, 0.0], [2000.0, 0.0]]), abs=1.0)
    both = pg.river_axis(
        frame(shapely.MultiPolygon([water, river])), points((0, 0)), join_gap_m=gap_m
    )
    # each is simplified by a quarter of the spacing, from whichever end
    apart = shapely.hausdorff_distance(both.geometry.iloc[0], alone.geometry.iloc[0])
    assert apart < alone["spacing_m"].iloc[0] / 2
    assert (alone["n_left_out"].iloc[0], both["n_left_out"].iloc[0]) == (0, 1)


def test_sources_as_a_layer_or_refused_in_a_sentence():
    area, at = frame(shapely.box(0, 0, 300, 20)), points((300, 10))
    layer = gpd.GeoDataFrame(geometry=at)
    assert pg.river_axis(area, layer).geometry.iloc[0].coords[0][0] == pytest.approx(300)
    for bad, said in (
        (layer.reset_index(drop=True), "no point at their upstream end"),
        (pd.concat([layer, layer]), "several points for a river"),
        (layer.set_geometry([None], crs=area.crs), "no point at their upstream end"),
        (layer.set_crs(4549, allow_override=True), "the areas in"),
        ({"R0": shapely.Point(300, 10)}, "is a dict, not points by river"),
    ):
        with pytest.raises(pg.errors.PinghuError, match=said):
            pg.river_axis(area, bad)


def test_an_axis_can_be_located_along():
    axis = pg.river_axis(frame(strip(shapely.LineString(COURSES["meander"]), 9.0)), points((0, 0)))
    where = pg.locate(building_frame({"B": shapely.box(400, 90, 410, 100)}), axis)
    assert where.loc["B", "bank"] == "left"


@pytest.mark.parametrize("turned", [False, True])
def test_axis_between_two_bank_lines(turned):
    left = shapely.LineString([(0, 10), (400, 10)])
    right = shapely.LineString([(0, -12), (400, -8)])
    banks = shapely.MultiLineString([left, right.reverse() if turned else right])
    line = pg.river_axis(frame(banks), points((0, 0))).geometry.iloc[0]
    assert shapely.hausdorff_distance(line, shapely.LineString([(0, -1), (400, 1)])) < 0.3


def test_banks_that_cross_are_refused():
    cross = shapely.MultiLineString([[(0, 10), (400, -10)], [(0, -10), (400, 10)]])
    with pytest.raises(pg.errors.LayerError, match="has invalid geometry"):
        pg.river_axis(frame(cross), points((0, 0)))


def test_a_river_in_several_areas_has_one_axis():
    at = [(0, 400), (420, 900), (915, 940), (960, 1500)]  # bridges between; one piece is too short
    water = frame(*[shapely.box(a, 0, b, 24) for a, b in at])
    water.index = pd.Index(["A"] * 4, name="river")
    with pytest.raises(pg.errors.LayerError, match="comes in several areas"):
        pg.river_axis(water, points((0, 12)))
    source = gpd.GeoSeries([shapely.Point(1500, 12)], ["A"], crs=water.crs)
    axis = pg.river_axis(water, source, join_gap_m=80)
    line = axis.geometry["A"]
    assert shapely.hausdorff_distance(line, shapely.LineString([(1500, 12), (0, 12)])) < 1e-6
    assert line.coords[0][0] == pytest.approx(1500)
    # the same as one row of several parts
    parts = gpd.GeoDataFrame(geometry=[shapely.MultiPolygon(list(water.geometry))], index=["A"],
                             crs=water.crs)  # fmt: skip
    again = pg.river_axis(parts, source, join_gap_m=80).geometry["A"]
    assert shapely.hausdorff_distance(again, line) < 1e-6


def test_rivers_are_turned_by_the_ground_or_by_what_they_meet(tmp_path):
    # two rivers on ground that falls to the east, in degrees as raw DEMs are; the third is level
    lines = {"东": [(0, 0), (3000, 0)], "西": [(3000, 800), (0, 800)], "平": [(500, 60), (500, 700)],
             "孤": [(2500, 1500), (2500, 2100)]}  # fmt: skip
    rivers = gpd.GeoDataFrame(
        geometry=[shapely.LineString(np.array(p) + (500_000, 2_500_000)) for p in lines.values()],
        index=pd.Index(list(lines), name="river"), crs=4547,
    )  # fmt: skip
    west, south, east, north = rivers.buffer(900).to_crs(4490).total_bounds
    columns = np.linspace(20, 5, 300)
    heights = np.repeat(columns[None], 100, axis=0).astype("float32")
    import rasterio
    from rasterio.transform import from_bounds

    with rasterio.open(tmp_path / "dem.tif", "w", driver="GTiff", width=300, height=100, count=1,
                       dtype="float32", crs="EPSG:4490",
                       transform=from_bounds(west, south, east, north, 300, 100)) as file:  # fmt: skip
        file.write(heights, 1)
    with pytest.warns(UserWarning, match="1 of 4 flow isn't told .*孤"):
        layer, log = pg.flood.drawn_downstream(rivers, dem=tmp_path / "dem.tif", near_m=80)
    assert log["told_by"].tolist() == ["dem", "dem", "confluence", "nothing"]
    assert log["turned"].tolist() == [False, True, True, False]
    assert layer.geometry["平"].coords[0][1] == 2_500_700  # its mouth is on 东, 60 m away
    assert (log["fall_m"].iloc[:2] > 2).all()
    # what is drawn the other way is found the other way
    again = gpd.GeoDataFrame(geometry=rivers.reverse(), index=rivers.index, crs=rivers.crs)
    with pytest.warns(UserWarning, match="isn't told"):
        turned = pg.flood.drawn_downstream(again, dem=tmp_path / "dem.tif", near_m=80)
    assert turned.layer.geometry.iloc[:3].geom_equals(layer.geometry.iloc[:3]).all()


MAIN = [
    [(0, 0), (700, 0)],
    [(700, 0), (1000, 300), (1300, 0)],
    [(700, 0), (1000, -310), (1300, 0)],
    [(1300, 0), (2000, 0)],
]
RINGS = {
    "in the island's court": [(1050, 0), (1000, 50), (950, 0), (1000, -50), (1050, 0)],
    "touching the river": [(300, 0), (350, 40), (300, 80), (250, 40), (300, 0)],
    "far away": [(1000, 900), (1050, 950), (1000, 1000), (1000, 900)],
}


@pytest.mark.parametrize("ring", RINGS.values(), ids=RINGS)
@pytest.mark.parametrize("gap_m", [1.0, 50.0, 400.0])
def test_a_ring_is_no_part_of_the_way_through(ring, gap_m):
    """The river flows around an island, in whose court there is a ring of water: by hand."""
    parts = shapely.MultiLineString([*MAIN, ring])
    rivers = gpd.GeoDataFrame(geometry=[parts], index=pd.Index(["A"], name="river"), crs=4547)
    joined, log = pg.join_parts(rivers, gap_m=gap_m)
    assert joined.length["A"] == pytest.approx(1400 + 2 * 300 * 2**0.5)
    assert log["change"].tolist() == ["branch", "branch"]
    own = shapely.LineString(ring).length
    assert log["length_m"].tolist() == pytest.approx([2 * np.hypot(300, 310), own])


def test_a_river_that_is_a_ring_stays_one():
    moat = gpd.GeoDataFrame(
        geometry=[shapely.LineString(RINGS["far away"])], index=pd.Index(["A"], name="river"),
        crs=4547,
    )  # fmt: skip
    joined, log = pg.join_parts(moat, gap_m=1)
    assert joined.length["A"] == pytest.approx(moat.length["A"])
    assert log.empty
