import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import placed
import pytest
import shapely
from shapely import affinity

import pinghu_geo as pg
from conftest import CRS, building_frame, river_frame
from pinghu_geo.river import corridor
from pinghu_geo.river.centreline import lay_out


def test_stations_are_round_chainages_and_both_ends():
    rivers = river_frame({"A": [(0, 0), (250, 0)]}, start_m=[12669.0])
    found = pg.stations(rivers, spacing_m=100)
    assert found["label"].tolist() == ["K12+669", "K12+700", "K12+800", "K12+900", "K12+919"]
    assert found.geometry.x.tolist() == pytest.approx([0, 31, 131, 231, 250])
    assert found["bearing_deg"].tolist() == [90.0] * 5


def test_a_river_s_start_may_be_text():
    rivers = river_frame({"A": [(0, 0), (250, 0)]}, start_m=["K12+669"])
    assert pg.stations(rivers)["label"].iloc[0] == "K12+669"


def test_stations_run_upstream_where_chainage_does():
    rivers = river_frame({"A": [(0, 0), (250, 0)]}, start_m=[250.0], chainage_sign=[-1])
    found = pg.stations(rivers, spacing_m=100)
    assert found["chainage_m"].tolist() == [250, 200, 100, 0]
    assert found.geometry.x.tolist() == pytest.approx([0, 50, 150, 250])


def test_locate_on_a_straight_river_is_exact(straight, houses):
    where = pg.locate(houses, straight)
    assert where["bank"].to_dict() == {
        "inside": "left",
        "straddling": "left",
        "touching": "left",
        "outside": "left",
        "right": "right",
        "across": "both",
        "hole": "left",
        "two": "left",
    }
    one = where.loc["straddling"]
    assert one[["chainage_m", "from_m", "to_m"]].tolist() == [205, 200, 210]
    assert one[["offset_min_m", "offset_max_m", "distance_m"]].tolist() == [-25, -15, 15]
    assert where.loc["right", ["offset_min_m", "offset_max_m"]].tolist() == [15, 25]
    assert where.loc["across", ["offset_min_m", "offset_max_m", "distance_m"]].tolist() == [
        -5,
        5,
        0,
    ]
    assert where.loc["two", ["from_m", "to_m"]].tolist() == [800, 830]
    assert not where["ambiguous"].any()


def test_locate_takes_points_and_lines_too(straight):
    shapes = gpd.GeoDataFrame(
        geometry=[shapely.Point(30, 4), shapely.LineString([(10, -2), (20, -6)])],
        index=["p", "l"],
        crs=CRS,
    )
    where = pg.locate(shapes, straight)
    assert where.loc["p", ["chainage_m", "from_m", "to_m", "offset_min_m"]].tolist() == [
        30,
        30,
        30,
        -4,
    ]
    assert where.loc["l", ["from_m", "to_m", "offset_min_m", "offset_max_m"]].tolist() == [
        10,
        20,
        2,
        6,
    ]


def test_locate_outside_a_bend_has_one_chainage(bend):
    # the corner's wedge: every point of it is nearest to the vertex at 100 m
    house = building_frame({"B": shapely.box(110, -30, 120, -20)})
    where = pg.locate(house, bend).loc["B"]
    assert where[["from_m", "to_m"]].tolist() == [100, 100]
    # the stretch within a millimetre of as near is 2 mm long upstream and 1 mm downstream
    back, ahead = (
        np.sqrt((np.hypot(10, 20) + 1e-3) ** 2 - a**2) - b for a, b in ((20, 10), (10, 20))
    )
    assert where["chainage_m"] == pytest.approx(100 + (ahead - back) / 2, abs=1e-9)
    assert where["bank"] == "right"
    assert where["offset_max_m"] == pytest.approx(np.hypot(20, 30))


def test_locate_on_a_circular_arc_matches_the_closed_form():
    # counter-clockwise: the centre lies to the left; a house outside is on the right bank
    angle = np.linspace(0, np.pi, 20_001)
    rivers = river_frame({"A": 100 * np.c_[np.cos(angle), np.sin(angle)]})
    r, a = np.array([[130.0, 142.0, 142.0, 130.0], [1.0, 1.0, 1.1, 1.1]])
    house = building_frame({"B": shapely.Polygon(np.c_[r * np.cos(a), r * np.sin(a)])})
    where = pg.locate(house, rivers).loc["B"]
    # outside a bend the nearest point of the drawn line is exact to half its vertex spacing
    half = 100 * np.pi / 20_000 / 2
    assert where["from_m"] == pytest.approx(100.0, abs=half)
    assert where["to_m"] == pytest.approx(110.0, abs=half)
    # the inner wall is a chord, nearest in its middle
    assert where["offset_min_m"] == pytest.approx(130 * np.cos(0.05) - 100, abs=1e-4)
    assert where["chainage_m"] == pytest.approx(105.0, abs=half)
    assert where["offset_max_m"] == pytest.approx(42.0, abs=1e-4)
    assert where["bank"] == "right"


def test_inside_an_arc_the_far_wall_is_farthest_in_its_middle():
    angle = np.linspace(0, np.pi, 20_001)
    rivers = river_frame({"A": 100 * np.c_[np.cos(angle), np.sin(angle)]})
    r, a = np.array([[80.0, 80.0, 65.0, 65.0], [1.0, 1.2, 1.2, 1.0]])
    house = building_frame({"B": shapely.Polygon(np.c_[r * np.cos(a), r * np.sin(a)])})
    where = pg.locate(house, rivers).loc["B"]
    # towards the centre a chord is nearer to it in its middle: the wall at 65 m is the far one
    assert where["offset_min_m"] == pytest.approx(-(100 - 65 * np.cos(0.1)), abs=1e-5)
    assert where["offset_max_m"] == pytest.approx(-20.0, abs=1e-5)
    assert where[["from_m", "to_m"]].tolist() == pytest.approx([100, 120], abs=1e-3)
    assert where["bank"] == "left"


def test_house_on_the_neck_of_a_meander_belongs_to_the_nearer_limb(hairpin):
    houses = building_frame(
        {"low": shapely.box(50, 5, 60, 15), "mid": shapely.box(100, 12, 110, 30)}
    )
    where = pg.locate(houses, hairpin)
    assert where.loc["low", ["from_m", "to_m"]].tolist() == [50, 60]
    assert not where.loc["low", "ambiguous"]
    # 10 m from the upper limb, 12 m from the lower: the upper, at 300 + 40 + (300 - 110)
    assert where.loc["mid", ["from_m", "to_m"]].tolist() == [530, 540]
    assert where.loc["mid", "ambiguous"]


def test_reversing_a_river_maps_s_to_length_minus_s_and_swaps_banks(sample):
    rivers, some = sample["rivers"], sample["buildings"].iloc[::23]
    back = rivers.set_geometry(rivers.geometry.reverse())
    one, other = pg.locate(some, rivers), pg.locate(some, back)
    length = rivers.length.loc[one["river"]].to_numpy()
    assert (one["river"] == other["river"]).all()
    sure = ~one["ambiguous"].to_numpy()
    np.testing.assert_allclose(other["from_m"][sure], (length - one["to_m"])[sure], atol=1e-6)
    np.testing.assert_allclose(other["offset_min_m"], -one["offset_max_m"], atol=1e-6)
    swapped = one["bank"].map({"left": "right", "right": "left", "both": "both"})
    assert (swapped == other["bank"]).all()


def test_locate_agrees_with_a_plain_loop(sample):
    rivers, some = sample["rivers"], sample["buildings"].iloc[::41]
    where = pg.locate(some, rivers)
    for name, shape in some.geometry.items():
        far = rivers.distance(shape)
        line = rivers.geometry[far.idxmin()]
        assert where.loc[name, "river"] == far.idxmin()
        assert where.loc[name, "distance_m"] == pytest.approx(far.min(), abs=1e-9)
        if where.loc[name, "ambiguous"]:
            continue
        at = [line.project(shapely.Point(p)) for p in shape.exterior.coords]
        nearest = line.project(shapely.Point(shapely.shortest_line(line, shape).coords[0]))
        assert where.loc[name, "from_m"] == pytest.approx(min([*at, nearest]), abs=1e-6)
        assert where.loc[name, "to_m"] == pytest.approx(max([*at, nearest]), abs=1e-6)


def test_locate_on_a_given_river_and_in_any_order(confluence):
    houses = building_frame(
        {"B": shapely.box(510, 20, 520, 30), "C": shapely.box(480, 200, 490, 210)}
    )
    where = pg.locate(houses, confluence)
    assert where["river"].tolist() == ["支流", "支流"]
    assert where["bank"].tolist() == ["left", "right"]
    forced = pg.locate(houses, confluence, river=pd.Series("干流", houses.index))
    assert forced["chainage_m"].tolist() == [515, 485]
    pd.testing.assert_frame_equal(pg.locate(houses.iloc[::-1], confluence).iloc[::-1], where)


def test_locate_nothing(straight, houses):
    assert pg.locate(houses.iloc[:0], straight).empty


def test_chainage_of_a_tributary_with_equations():
    rivers = river_frame({"A": [(0, 0), (1000, 0)]}, start_m=[100.0], equations=["K0+300=K0+350"])
    house = building_frame({"B": shapely.box(400, 5, 410, 15)})
    assert pg.locate(house, rivers).loc["B", "chainage_m"] == 100 + 405 + 50


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (shapely.LineString([(0, 0), (10, 10), (10, 0), (0, 10)]), "crosses itself"),
        (shapely.MultiLineString([[(0, 0), (1, 0)], [(5, 5), (6, 6)]]), "in several parts"),
    ],
)
def test_bad_centrelines_are_refused(line, problem):
    rivers = gpd.GeoDataFrame(index=pd.Index(["甲河"], name="river"), geometry=[line], crs=CRS)
    with pytest.raises(pg.errors.LayerError, match=f"rivers: a centreline .*{problem}.*甲河"):
        pg.stations(rivers)


def test_parts_that_join_are_one_line(straight):
    parts = shapely.MultiLineString([[(500, 0), (1000, 0)], [(0, 0), (500, 0)]])
    joined = gpd.GeoDataFrame(index=straight.index, geometry=[parts], crs=CRS)
    assert pg.river.river_scales(joined)["A"].length_m == 1000


def test_other_refusals(straight, houses):
    with pytest.raises(pg.errors.CRSError, match="buildings: is in WGS 84"):
        pg.locate(houses.to_crs(4326), straight)
    with pytest.raises(pg.errors.LayerError, match=r"(?s)names rivers.*Hint: use one of A"):
        pg.locate(houses, straight, river=pd.Series("黄河", houses.index))
    with pytest.raises(pg.errors.LayerError, match='set_index\\("river"\\)'):
        pg.stations(straight.reset_index())
    with pytest.raises(pg.errors.LayerError, match="spacing_m is 0"):
        pg.stations(straight, spacing_m=0)
    with pytest.raises(pg.errors.ChainageError, match="river A: .*chainage_sign is 2"):
        pg.stations(straight.assign(chainage_sign=2))


@pytest.mark.parametrize("angle", [0, 13, 45, 77.7, 90, 163])
@pytest.mark.parametrize("lean_m", [0.0, 2e-4, -2e-4, 5e-4])
def test_a_parallel_wall_has_its_middle_however_the_drawing_is_turned(angle, lean_m):
    # a wall of 16 m, one end of which is nearer by less than a millimetre
    wall = [(40, 8), (56, 8 + lean_m), (56, 20), (40, 20)]
    house = building_frame({"B": shapely.Polygon(wall)})
    river = river_frame({"A": [(0, 0), (37, 0), (200, 0)]})
    turn = {"angle": angle, "origin": (0, 0)}
    place = {"xoff": 506_000, "yoff": 2_503_000}
    for frame in (house, river):
        turned = frame.rotate(**turn).translate(**place)
        frame["geometry"] = turned
    assert pg.locate(house, river)["chainage_m"].tolist() == pytest.approx([48], abs=0.1)


@pytest.mark.parametrize("slope", [1e-3, 0.01, 0.1, 1.0])
def test_chainage_is_the_middle_of_what_is_within_a_millimetre_of_as_near(slope):
    house = building_frame(
        {"B": shapely.Polygon([(40, 8), (56, 8 + 16 * slope), (56, 60), (40, 60)])}
    )
    river = river_frame({"A": [(0, 0), (200, 0)]})
    at = np.arange(30, 60, 1e-3)
    far = shapely.distance(shapely.points(at, 0), house.geometry.iloc[0])
    level = at[far <= far.min() + 1e-3]
    found = pg.locate(house, river)["chainage_m"].iloc[0]
    assert found == pytest.approx((level[0] + level[-1]) / 2, abs=2e-3)


def test_what_lies_square_to_an_end_has_the_chainage_of_the_end():
    river = river_frame({"A": [(0, 0), (300, 0)]})
    shapes = [
        shapely.Point(0, 20),
        shapely.Point(300, -20),
        shapely.Point(-5, 9),
        shapely.box(-6, 5, -2, 9),
    ]
    layer = gpd.GeoDataFrame(geometry=shapes, index=list("abcd"), crs=CRS)
    assert pg.locate(layer, river)["chainage_m"].tolist() == pytest.approx([0, 300, 0, 0], abs=2e-3)
    # of a wall along the end only what the river reaches counts
    house = building_frame({"B": shapely.box(290, 8, 310, 20), "C": shapely.box(-10, 8, 10, 20)})
    assert pg.locate(house, river)["chainage_m"].tolist() == pytest.approx([295, 5], abs=0.1)


def test_a_point_has_the_chainage_of_its_nearest_place():
    river = river_frame({"A": [(0, 0), (100, 0), (200, 30), (300, 0)]})
    line = river.geometry.iloc[0]
    at = [(x, y) for x in range(5, 300, 17) for y in (-25, -3, 40)]
    points = gpd.GeoDataFrame(geometry=[shapely.Point(p) for p in at], crs=CRS)
    wanted = [line.project(p) for p in points.geometry]
    assert pg.locate(points, river)["chainage_m"].tolist() == pytest.approx(wanted, abs=1e-6)


def test_rivers_are_laid_out_once_and_again_when_they_changed():
    """The same rivers, another frame of the same rivers, and rivers changed in place."""
    rivers = river_frame({"A": [(0, 0), (100, 0)], "B": [(0, 50), (100, 50)]})
    first = lay_out(rivers)
    assert lay_out(rivers.copy()) is first
    rivers.loc["A", "start_m"] = 200.0
    moved = lay_out(rivers)
    assert moved is not first
    assert float(moved.scales[0].chainage(10.0)) == 210.0
    rivers.geometry = rivers.translate(5, 0)
    assert lay_out(rivers).start[0, 0] == 5.0
    assert lay_out(rivers.rename(index={"B": "C"})).names[1] == "C"
    with pytest.raises(ValueError, match="read-only"):
        first.measure[0] = 1.0


@pytest.mark.parametrize("seed", range(6))
def test_places_are_those_of_brute_force_however_the_drawing_is_turned(seed):
    """Bends, hairpins with parallel limbs, ties; benchmarks/locate_fuzz.py does it 100,000 times."""
    rng = np.random.default_rng(seed)
    rivers = placed.rivers(rng, ("bends", "hairpin", "walk")[seed % 3])
    some = placed.features(rng, rivers, 100)
    found = pg.locate(some, rivers)
    river, chainage, distance = placed.placed(some.geometry.to_numpy(), rivers)
    assert (found["river"].to_numpy() == rivers.index.to_numpy()[river]).all()
    np.testing.assert_allclose(found["chainage_m"], chainage, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["distance_m"], distance, rtol=0, atol=1e-8)
    angle = float(rng.uniform(0, 360))
    turned = [
        layer.set_geometry(
            [affinity.rotate(g, angle, origin=(5e5, 25e5)) for g in layer.geometry], crs=layer.crs
        )
        for layer in (some, rivers)
    ]
    again = pg.locate(*turned)
    sure = ~(found["ambiguous"] | again["ambiguous"]) & (some.geom_type == "Polygon")
    gap = (again["chainage_m"] - found["chainage_m"]).abs()
    assert gap[sure].max() < 1e-6


def test_a_slanting_tributary_joins_where_it_ends():
    rivers = river_frame({"干流": [(0, 0), (1000, 0)], "支流": [(700, 400), (500, 3)]})
    found = pg.river.confluences(rivers).iloc[0]
    assert found[["tributary", "end", "river", "bank"]].tolist() == [
        "支流", "mouth", "干流", "left",
    ]  # fmt: skip
    assert found[["chainage_m", "gap_m"]].tolist() == pytest.approx([500, 3], abs=1e-9)
    back = rivers.set_geometry([rivers.geometry["干流"], rivers.geometry["支流"].reverse()])
    found = pg.river.confluences(back).iloc[0]
    assert found["end"] == "source"
    assert found[["chainage_m", "gap_m"]].tolist() == pytest.approx([500, 3], abs=1e-9)


@pytest.mark.parametrize("bank", ["left", "right"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_tributary_comes_from_the_bank_of_its_last_metre(bank, turned):
    """It rises on the other bank, and goes round the head of the main river."""
    y = 50.0 if bank == "left" else -50.0
    line = shapely.LineString([(-50, -y), (-50, y), (50, y), (50, 0)])
    rivers = river_frame({"干流": [(0, 0), (100, 0)], "支流": line.coords})
    if turned:  # drawn the wrong way
        rivers = rivers.set_geometry([rivers.geometry["干流"], line.reverse()])
    found = pg.river.confluences(rivers)
    row = ["支流", "source" if turned else "mouth", "干流", 50.0, bank, 0.0]
    assert found.values.tolist() == [row]


@pytest.mark.parametrize(("y", "bank"), [(0.5, "left"), (-0.5, "right")])
def test_a_ditch_shorter_than_a_metre_has_a_bank_too(y, bank):
    rivers = river_frame({"A": [(0, 0), (100, 0)], "B": [(30, y), (30, 0)]})
    found = pg.river.confluences(rivers)
    assert found["end"].tolist() == ["source", "mouth"]  # both ends are near enough
    assert found.loc[1, ["chainage_m", "bank", "gap_m"]].tolist() == [30, bank, 0]


def test_a_tributary_joins_what_its_end_lies_on_though_another_is_nearer_to_its_last_metre():
    """It ends on A; a metre before it passes 0.2 m below the end of B."""
    rivers = river_frame({
        "A": [(-100, 0), (100, 0)], "B": [(-100, 50), (-0.2, 1)], "C": [(0, 90), (0, 0)],
    })  # fmt: skip
    found = pg.river.confluences(rivers, tolerance_m=0.5)
    assert found[["tributary", "end", "river"]].values.tolist() == [
        ["B", "mouth", "C"], ["C", "mouth", "A"],
    ]  # fmt: skip
    assert found["chainage_m"].tolist() == pytest.approx([89, 100])


def test_an_end_as_far_off_as_the_tolerance_joins():
    rivers = river_frame({"A": [(0, 0), (100, 0)], "B": [(50, 90), (50, 20)]})
    assert pg.river.confluences(rivers)["tributary"].tolist() == ["B"]
    assert pg.river.confluences(rivers, tolerance_m=19.999).empty


def test_where_a_row_is_drawn_tells_which_of_two_equal_chainages_it_means():
    """A long chain: 800 to 860 m occur twice, from 800 and from 860 m along the river on."""
    rivers = river_frame({"A": [(0, 0), (1000, 0)]}, equations=["K0+860=K0+800"])
    shapes = [
        shapely.LineString([(810, 0), (850, 0)]),
        shapely.LineString([(870, 0), (910, 0)]),
        shapely.MultiLineString([[(870, 0), (880, 0)], [(900, 0), (910, 0)]]),
    ]
    rows = gpd.GeoDataFrame(
        {"river": "A", "from_m": 810.0, "to_m": 850.0, "chainage_m": 830.0},
        geometry=shapes, crs=CRS, index=range(3),
    )  # fmt: skip
    found = corridor.along_rivers(rows, ["from_m", "to_m"], rivers, "segments")
    assert found.tolist() == [[810, 850], [870, 910], [870, 910]]
    # the lower end first is one way to write a reach, too
    turned = rows.assign(from_m=850.0, to_m=810.0)
    found = corridor.along_rivers(turned, ["from_m", "to_m"], rivers, "segments")
    assert found.tolist() == [[850, 810], [910, 870], [910, 870]]
    found = corridor.along_rivers(rows, ["chainage_m"], rivers, "cuts")
    assert found.tolist() == [[830], [890], [890]]
    with pytest.raises(pg.errors.ChainageError, match="A: .*twice"):
        corridor.along_rivers(pd.DataFrame(rows[["river", "from_m"]]), ["from_m"], rivers, "cuts")
    ends, said = corridor.river_ends(turned, rivers, "segments")
    assert ends.tolist() == [[810, 850], [870, 910], [870, 910]]
    assert said.tolist() == [[810, 850]] * 3


def test_both_ends_of_a_row_come_lower_first(straight):
    rows = pd.DataFrame({"river": "A", "from_m": [30.0, 5], "to_m": [10.0, 8]})
    for found in corridor.river_ends(rows, straight):
        assert found.tolist() == [[10, 30], [5, 8]]


def test_rows_of_rivers_that_are_not_there_are_named(straight):
    rows = pd.DataFrame({"river": ["A", "B"]}, index=["one", "other"])
    nodes = pd.DataFrame({"river": ["A"]}, index=["A-L-001"])
    with pytest.raises(pg.errors.LayerError, match=r"names rivers that rivers lacks \(1: other\)"):
        corridor.require_rivers(rows, straight, "groups", nodes=nodes)
    corridor.require_rivers(rows.iloc[:1], straight, "groups", nodes=nodes)


def test_rows_that_meet_no_node_are_said_where_rivers_are_not_given():
    rows = pd.DataFrame({"river": ["A", "B", "A"]}, index=["one", "other", "third"])
    nodes = pd.DataFrame({"river": ["A"]}, index=["A-L-001"])
    words = "1 rows of groups are on rivers where no node lies, and do nothing: .*other"
    with pytest.warns(UserWarning, match=words):
        corridor.require_rivers(rows, None, "groups", nodes=nodes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        corridor.require_rivers(rows.iloc[[0, 2]], None, "groups", nodes=nodes)


def test_what_lies_a_little_to_the_right_is_on_the_right_bank(straight):
    points = gpd.GeoDataFrame(geometry=[shapely.Point(30, 0.3), shapely.Point(30, -0.3)], crs=CRS)
    assert pg.locate(points, straight)["bank"].tolist() == ["left", "right"]


def test_rows_whose_order_a_new_line_turns_are_marked_and_each_river_has_its_own():
    rivers = river_frame({"A": [(0, 0), (1000, 0)], "B": [(0, 500), (800, 500)]}, start_m=[0, 5000])
    turned = rivers.set_geometry([rivers.geometry["A"].reverse(), rivers.geometry["B"]])
    rows = pd.DataFrame(
        {"river": ["A", "A", "B"], "from_m": [100.0, 300, 5100], "to_m": [250.0, 300, 5300]}
    )
    found = pg.transfer_chainage(rows, rivers, turned, columns=("from_m", "to_m"))
    assert found["ambiguous"].tolist() == [True, False, False]
    assert found["from_m"].tolist() == pytest.approx([900, 700, 5100])
    assert found["to_m"].tolist() == pytest.approx([750, 700, 5300])


def test_any_two_places_of_a_row_that_change_their_order_are_told():
    """The new line comes back above the old one: of three places only the first two change."""
    old = river_frame({"A": [(0, 0), (1000, 0)]})
    new = river_frame({"A": [(500, 1), (0, 1), (0, 300), (1000, 300), (1000, 0)]})
    rows = pd.DataFrame({"river": "A", "a": [100.0], "b": [400.0], "c": [1000.0]})
    found = pg.transfer_chainage(rows, old, new, columns=("a", "b", "c"))
    assert found[["a", "b", "c"]].iloc[0].tolist() == pytest.approx([400, 100, 2099])
    assert found["ambiguous"].tolist() == [True]


def test_one_place_of_a_row_has_no_order_to_lose():
    old = river_frame({"A": [(0, 0), (1000, 0)]})
    rows = pd.DataFrame({"river": "A", "chainage_m": [100.0, 800.0]})
    found = pg.transfer_chainage(rows, old, old.set_geometry(old.geometry.reverse()))
    assert found["chainage_m"].tolist() == [900, 200]
    assert found["ambiguous"].tolist() == [False, False]


def test_how_far_a_row_moved_is_the_farthest_of_its_places():
    """The new line starts 30 m aside and is the old one from 500 m on."""
    old = river_frame({"A": [(0, 0), (1000, 0)]})
    new = river_frame({"A": [(0, 30), (500, 0), (1000, 0)]})
    rows = pd.DataFrame({"river": "A", "from_m": [100.0, 800], "to_m": [800.0, 100]})
    found = pg.transfer_chainage(rows, old, new, columns=("from_m", "to_m"))
    # of (100, 0) from the line through (0, 30) and (500, 0)
    assert found["moved_m"].tolist() == pytest.approx([12_000 / np.hypot(500, 30)] * 2)


def test_a_house_at_the_middle_of_a_bend_is_told_where_its_stretch_ends():
    """50 m from the centre of an arc its corners face 10 m of river to each side, 5.7 are followed."""
    angle = np.linspace(-0.1, 0.1, 2001)
    arc = river_frame({"A": np.c_[1000 * np.sin(angle), 1000 * np.cos(angle)]})
    for centre, unsure in ((50, True), (100, False)):
        diamond = shapely.Polygon(
            [(0, centre + 0.5), (-0.5, centre), (0, centre - 0.5), (0.5, centre)]
        )
        found = pg.locate(building_frame({"h": diamond}), arc).iloc[0]
        half = 1000 * np.arctan(0.5 / centre)  # along the arc [m]
        assert bool(found["ambiguous"]) is unsure
        assert (found["to_m"] - found["from_m"] == pytest.approx(2 * half, abs=0.2)) is not unsure


def test_a_short_segment_before_a_long_one_ends_no_stretch():
    """10 m into one of 100 m, the second of the river: 20 m to each side are followed, no more."""
    bends = river_frame({"A": [(0, 0), (1, 0), (101, 0), (101, 60), (400, 60)]})
    house = building_frame({"h": shapely.box(11, 3, 14, 7)})
    found = pg.locate(house, bends).iloc[0]
    assert found[["from_m", "to_m"]].tolist() == pytest.approx([11, 14])
    assert not found["ambiguous"]


def test_a_river_in_a_courtyard_is_as_far_as_its_walls():
    """Nothing runs from one courtyard to the next: 2 m to the nearest corner of its own."""
    outer = shapely.box(0, 0, 100, 40).exterior.coords
    first = [(30, 10), (10, 10), (10, 30), (30, 30)]
    second = [(70, 10), (90, 10), (90, 30), (70, 30)]
    for one in (first, first[::-1], first[1:] + first[:1], first[2:] + first[:2]):
        house = shapely.Polygon(outer, [one, second])
        found = pg.locate(
            building_frame({"h": house}), river_frame({"A": [(25, 15), (28, 28)]})
        ).iloc[0]
        assert found["distance_m"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("low", "high", "bank"), [(-5, 0.001, "right"), (-0.001, 5, "left"), (-0.0011, 0.0011, "both")]
)
def test_a_millimetre_across_the_centreline_is_not_on_both_banks(straight, low, high, bank):
    """Left is the north; a house that reaches just a millimetre over is on its own side."""
    house = building_frame({"h": shapely.box(500, low, 510, high)})
    assert pg.locate(house, straight)["bank"].tolist() == [bank]
