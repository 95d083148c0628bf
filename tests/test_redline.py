import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.ops
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import pinghu_geo as pg
from conftest import river_frame, zone_frame
from pinghu_geo.redline.lines import section_rows
from pinghu_geo.river.centreline import lay_out


def table(*rows, river="A"):
    return pd.DataFrame(rows, columns=["chainage_m", "left_m", "right_m"]).assign(river=river)


def test_straight_line_is_a_rectangle(straight):
    line = pg.red_line(straight, (8.0, 12.0))
    assert line.geometry[0].equals(shapely.box(0, -12, 1000, 8))
    assert line["works_m2"].tolist() == [20_000]


def test_linear_taper_and_step(straight):
    widths = table((0, 10, 10), (500, 20, 10), (1000, 20, 10))
    assert pg.red_line(straight, widths).area[0] == pytest.approx(500 * 25 + 500 * 30)
    stepped = pg.red_line(straight, widths, interpolation="step")
    assert stepped.area[0] == pytest.approx(500 * 20 + 500 * 30)


def test_sudden_change_is_a_chainage_that_stands_twice(straight):
    line = pg.red_line(straight, table((0, 5, 5), (400, 5, 5), (400, 15, 5), (1000, 15, 5)))
    assert line.area[0] == pytest.approx(400 * 10 + 600 * 20)


def test_sudden_change_is_the_same_in_a_table_written_from_the_lower_end_up(straight):
    rows = table((0, 5, 5), (400, 5, 5), (400, 15, 5), (1000, 15, 5))
    for interpolation in ("linear", "step"):
        line = pg.red_line(straight, rows[::-1], interpolation=interpolation)
        assert line.area[0] == pytest.approx(400 * 10 + 600 * 20)


def test_sudden_change_in_one_river_leaves_the_order_of_others_alone():
    rivers = river_frame({"A": [(0, 0), (1000, 0)], "Q": [(0, 900), (1000, 900)]})
    up = table((1000, 15, 5), (400, 15, 5), (400, 5, 5), (0, 5, 5))
    down = table((0, 5, 5), (400, 5, 5), (400, 15, 5), (1000, 15, 5)).assign(river="Q")
    mixed = pd.concat([up, down]).sort_index(kind="stable")  # rows of both by turns
    assert pg.red_line(rivers, mixed).area.tolist() == pytest.approx([16000, 16000])


def test_sudden_change_among_rows_in_no_order_is_refused(straight):
    rows = table((0, 5, 5), (400, 5, 5), (400, 15, 5), (1000, 15, 5))
    with pytest.raises(pg.PinghuError, match="two widths at one chainage among rows in no order"):
        pg.red_line(straight, rows.iloc[[2, 0, 3, 1]])
    same = table((400, 5, 5), (0, 5, 5), (1000, 5, 5), (400, 5, 5))
    assert pg.red_line(straight, same).area[0] == pytest.approx(10000)


def test_works_end_where_the_table_ends(straight):
    assert pg.red_line(straight, table((200, 5, 5), (300, 5, 5))).total_bounds.tolist() == [
        200,
        -5,
        300,
        5,
    ]


def test_pieces_leave_a_gap(straight):
    widths = table((0, 5, 5), (100, 5, 5), (200, 5, 5), (300, 5, 5)).assign(piece=list("aabb"))
    line = pg.red_line(straight, widths)
    assert len(line) == 1
    assert line.area[0] == pytest.approx(2000)
    assert line.geometry[0].geom_type == "MultiPolygon"


def test_right_angle_has_a_round_outside(bend):
    line = pg.red_line(bend, (10.0, 10.0), arc_step_deg=0.1)
    # two strips, less the square they share inside the bend, plus a quarter of a disc outside
    assert line.area[0] == pytest.approx(2 * 100 * 20 - 100 + np.pi * 100 / 4, rel=1e-6)
    same = shapely.symmetric_difference(
        line.geometry[0], bend.buffer(10, 256, cap_style="flat").iloc[0]
    )
    assert same.area < 0.02


@pytest.mark.parametrize("n", [50, 100, 200])
def test_arc_tends_to_the_tube_formula_with_order_two(n):
    radius, left, right, turn = 100.0, 30.0, 12.0, 2.0
    angle = np.linspace(0, turn, n + 1)
    rivers = river_frame({"A": radius * np.c_[np.cos(angle), np.sin(angle)]})
    # counter-clockwise: the left bank is inside, so its strip is shorter; the drawn line turns
    # by one step less than the arc, because its end segments are chords
    drawn = turn * (1 - 1 / n)
    exact = turn * radius * (left + right) + drawn * (right**2 - left**2) / 2
    error = abs(pg.red_line(rivers, (left, right)).area[0] / exact - 1)
    assert error < 0.35 * (turn / n) ** 2


def test_constant_width_is_the_flat_capped_buffer(sample):
    rivers = sample["rivers"]
    ours = pg.red_line(rivers, 9.0, arc_step_deg=1.0)
    theirs = rivers.buffer(9.0, 90, cap_style="flat")
    for one, other in zip(ours.geometry, theirs, strict=True):
        assert shapely.symmetric_difference(one, other).area < 2e-5 * other.area


def test_tight_hairpin_where_one_sided_buffers_fail():
    # GEOS #1273: one-sided buffers of a bend tighter than the width lose or gain area
    angle = np.linspace(0, np.pi, 60)
    bend = np.c_[3 * np.sin(angle), 3 - 3 * np.cos(angle)]
    rivers = river_frame({"A": np.vstack([[-80, 0], bend, [-80, 6]])})
    line = pg.red_line(rivers, (9.0, 4.0), arc_step_deg=1.0).geometry[0]
    assert line.is_valid
    # inside the hairpin the left strip of 9 m covers everything between the limbs, and beyond
    assert line.covers(shapely.box(-80, 0, 0, 6).buffer(-1e-6))
    grid = np.stack(np.meshgrid(np.arange(-79.5, 12), np.arange(-14.5, 22)), -1).reshape(-1, 2)
    points = shapely.points(grid)
    ring = rivers.geometry.iloc[0]
    near = shapely.distance(points, ring)
    # closer than the narrower side is inside, farther than the wider side is outside
    inside = shapely.contains(line, points)
    body = grid[:, 0] > -79.9
    assert inside[(near < 4 - 0.01) & body].all()
    assert not inside[near > 9 + 0.01].any()


@st.composite
def meanders(draw):
    """A line that may turn sharply but doesn't cross itself."""
    n = draw(st.integers(2, 14))
    turns = draw(st.lists(st.floats(-2.2, 2.2), min_size=n, max_size=n))
    steps = draw(st.lists(st.floats(0.5, 60), min_size=n, max_size=n))
    heading = np.cumsum(turns)
    xy = np.vstack(
        [
            [0, 0],
            np.cumsum(np.c_[np.cos(heading), np.sin(heading)] * np.array(steps)[:, None], axis=0),
        ]
    )
    line = shapely.LineString(np.round(xy, 3) + [513000, 2510000])
    return line if line.is_simple else shapely.LineString(line.coords[:2])


@settings(max_examples=150, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    meanders(),
    st.lists(st.floats(0.1, 40), min_size=4, max_size=4),
    st.floats(0.0, 15),
    st.booleans(),
)
def test_laws_of_the_red_line(line, w, more, step):
    rivers = river_frame({"A": line.coords})
    rows = table((0, w[0], w[1]), (line.length, w[2], w[3]))
    how = "step" if step else "linear"
    narrow = pg.red_line(rivers, rows, interpolation=how).geometry[0]
    wide = rows.assign(left_m=rows["left_m"] + more, right_m=rows["right_m"] + more / 2)
    wide = pg.red_line(rivers, wide, interpolation=how).geometry[0]
    assert narrow.is_valid
    assert wide.is_valid
    assert narrow.covers(line)
    slivers = [shapely.Polygon(r).area for p in shapely.get_parts(narrow) for r in p.interiors]
    assert not [a for a in slivers if a < 1e-6], "pinholes"
    assert narrow.difference(wide).area < 1e-6 * max(narrow.area, 1)
    # every strip is there: the area is at least that of the longest one
    assert narrow.area <= line.length * (max(w[0], w[2]) + max(w[1], w[3])) + np.pi * max(
        w
    ) ** 2 * len(line.coords)


def test_the_other_way_round_swaps_left_and_right(bend):
    back = bend.set_geometry(bend.geometry.reverse())
    one = pg.red_line(bend, (5.0, 9.0)).geometry[0]
    other = pg.red_line(back, (9.0, 5.0)).geometry[0]
    assert one.symmetric_difference(other).area < 1e-6


@pytest.mark.parametrize(
    ("widths", "problem"),
    [
        (table((0, 5, 5), (1200, 5, 5)), r"A: chainages outside the river.*K1\+200"),
        (table((0, 5, -1), (1000, 5, 5)), "widths: has negative widths"),
        (table((0, np.nan, 5), (1000, 5, 5)), "without river, chainage or width"),
        (table((0, 5, 5), (1000, 5, 5), river="B"), "(?s)names rivers.*B.*use one of A"),
        (table((0, 5, 5)), "has a single chainage for a stretch"),
        (
            table((0, 5, 5), (300, 5, 5), (200, 5, 5), (400, 5, 5)).assign(piece=list("aabb")),
            "pieces that overlap",
        ),
        (
            table((0, 5, 5), (1000, 5, 5)).drop(columns="left_m"),
            "(?s)lacks the column 'left_m'.*左宽",
        ),
    ],
)
def test_bad_widths_are_refused(straight, widths, problem):
    with pytest.raises(pg.PinghuError, match=problem):
        pg.red_line(straight, widths)


@pytest.mark.parametrize(
    "widths", [float("nan"), (np.nan, 9.0), "wide", [1, 2, 3], None, float("inf")]
)
def test_what_is_no_width_is_refused(straight, widths):
    with pytest.raises(pg.errors.LayerError, match="(?s)is no width.*9.0 or"):
        pg.red_line(straight, widths)


def test_widths_of_zero_and_texts_are_refused_and_one_side_may_be_zero(straight):
    with pytest.raises(pg.errors.LayerError, match=r"are 0 on both sides throughout \(1: A\)"):
        pg.red_line(straight, 0.0)
    with pytest.raises(pg.errors.LayerError, match="texts such as 'a' in left_m"):
        pg.red_line(straight, table((0, "a", 5), (1000, 5, 5)))
    assert pg.red_line(straight, [0, 9]).area[0] == pytest.approx(9000)
    gap = table((0, 5, 5), (300, 0, 0), (600, 0, 0), (1000, 5, 5))
    assert pg.red_line(straight, gap).area[0] == pytest.approx(300 * 5 + 400 * 5)


def test_unknown_options_are_refused(straight):
    with pytest.raises(pg.errors.LayerError, match="did you mean 'linear'"):
        pg.red_line(straight, 5.0, interpolation="liner")
    with pytest.raises(pg.errors.CRSError, match="(?s)it is in degrees.*set_crs"):
        pg.red_line(straight.set_crs(4490, allow_override=True), 5.0)


def test_round_ends_add_quarter_discs(straight):
    line = pg.red_line(straight, (8.0, 12.0), ends="round", arc_step_deg=0.5)
    assert line.area[0] == pytest.approx(20_000 + np.pi * (64 + 144) / 2, rel=1e-4)
    assert line.total_bounds.tolist() == pytest.approx([-12, -12, 1012, 8])


def test_mitred_corner_is_a_kite(bend):
    line = pg.red_line(bend, 10.0, corners="mitre")
    assert line.area[0] == pytest.approx(2 * 100 * 20 - 100 + 100)
    theirs = bend.buffer(10, cap_style="flat", join_style="mitre").iloc[0]
    assert line.geometry[0].symmetric_difference(theirs).area < 1e-6


@pytest.mark.parametrize("bends", [1, 12])
@pytest.mark.parametrize("turn_deg", [5.0, 20.0, 60.0])
def test_a_mitred_line_adds_a_kite_outside_of_each_bend_and_shares_one_inside(bends, turn_deg):
    """Each kite has the width squared by the tangent of half the turn; wide bends, no fold."""
    # back and forth, so that every second bend is to the other side
    angle = np.radians(turn_deg) * np.r_[0.0, np.arange(bends) % 2 == 0]
    points = np.cumsum(np.r_[[[0.0, 0.0]], 100.0 * np.c_[np.cos(angle), np.sin(angle)]], axis=0)
    left, right = 3.0, 7.0
    line = pg.red_line(river_frame({"A": points}), (left, right), corners="mitre")
    lefts = (bends + 1) // 2  # turns to the left, whose outer side is the right one
    kites = (right**2 - left**2) * (lefts - (bends - lefts)) * np.tan(np.radians(turn_deg) / 2)
    expected = 100.0 * (bends + 1) * (left + right) + kites
    assert line.area[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("turn_deg", [-5.0, 20.0])
def test_a_mitred_line_round_many_bends_to_one_side(turn_deg):
    """Each bend adds its kite on the outer side, in runs that have one outline, and between them."""
    angle = np.radians(turn_deg) * np.arange(17)
    points = np.cumsum(np.r_[[[0.0, 0.0]], 100.0 * np.c_[np.cos(angle), np.sin(angle)]], axis=0)
    line = pg.red_line(river_frame({"A": points}), (3.0, 7.0), corners="mitre")
    kites = (7.0**2 - 3.0**2) * 16 * np.tan(np.radians(turn_deg) / 2)
    assert line.area[0] == pytest.approx(100.0 * 17 * 10 + kites, rel=1e-9)


def test_a_width_as_great_as_any_coordinate_is_one(straight):
    widest = 1e9
    assert pg.red_line(straight, (widest, 1.0)).area[0] == pytest.approx(1000 * (widest + 1))
    with pytest.raises(pg.errors.LayerError, match="is no width"):
        pg.red_line(straight, (np.nextafter(widest, np.inf), 1.0))


def test_a_mitre_that_would_reach_too_far_is_an_arc():
    rivers = river_frame({"A": [(0, 0), (100, 0), (0, 10)]})
    assert pg.red_line(rivers, 5.0, corners="mitre").total_bounds[2] < 106


def read_back(rivers, widths, **options):
    line = pg.red_line(rivers, widths)
    found = pg.widths_of(line, rivers, **options)
    return line, found, pg.red_line(rivers, found)


def test_round_trip_of_the_sample_s_schemes(sample):
    rivers = sample["rivers"]
    for name in ("原方案", "优化方案"):
        table = pg.read_table(pg.sample_folder() / f"红线宽度_{name}.csv", "widths")
        line, found, again = read_back(rivers, table)
        assert set(found["river"]) == set(rivers.index)
        for river, rows in found.groupby("river"):
            wanted = table[table["river"] == river]
            sure = rows[rows["reliable"]]
            assert len(sure) > 0.8 * len(rows)
            for side in ("left_m", "right_m"):
                exact = np.interp(sure["chainage_m"], wanted["chainage_m"], wanted[side])
                # shifted reaches taper by 6 m in 40 m, which blurs their corners
                assert np.quantile(np.abs(sure[side] - exact), 0.95) < 0.05
        for one, other in zip(line.geometry, again.geometry, strict=True):
            assert one.symmetric_difference(other).area < 2e-3 * one.area


def test_constant_widths_are_read_back_exactly_on_any_bend(sample, hairpin):
    for rivers, wide in ((sample["rivers"], (9.0, 12.0)), (hairpin, (8.0, 15.0))):
        _, found, _ = read_back(rivers, wide, spacing_m=7.0)
        sure = found[found["reliable"]]
        assert len(sure) > 0.9 * len(found)
        np.testing.assert_allclose(sure["left_m"], wide[0], atol=0.02)
        np.testing.assert_allclose(sure["right_m"], wide[1], atol=0.02)


def test_reading_back_keeps_the_chainage_of_the_river():
    rivers = river_frame({"A": [(0, 0), (300, 0)]}, start_m=[300.0], chainage_sign=[-1])
    found = pg.widths_of(pg.red_line(rivers, (5.0, 6.0)), rivers, spacing_m=100)
    assert found["chainage_m"].tolist() == [300, 200, 100, 0]
    assert found["left_m"].tolist() == pytest.approx([5] * 4)


def test_where_the_edge_is_no_function_of_chainage_is_said(straight):
    # a bay behind the left edge: at 450 to 550 m the edge lies at 10 and at 30 and 40 m
    hook = shapely.union_all([
        shapely.box(0, -10, 1000, 10), shapely.box(440, 10, 450, 40), shapely.box(440, 30, 550, 40),
    ])  # fmt: skip
    line = zone_frame(hook)
    found = pg.widths_of(line, straight, spacing_m=25.0).set_index("chainage_m")
    assert not found.loc[500.0, "reliable"]
    assert found.loc[200.0, ["left_m", "right_m"]].tolist() == pytest.approx([10, 10])
    assert found.loc[200.0, "reliable"]


def test_a_line_that_is_not_on_its_river_is_refused(straight):
    with pytest.raises(pg.errors.LayerError, match="lies off its river"):
        pg.widths_of(zone_frame(shapely.box(0, 100, 10, 110)), straight)
    with pytest.raises(pg.errors.LayerError, match="names rivers"):
        pg.widths_of(zone_frame(shapely.box(0, -5, 10, 10), river="B"), straight)


def test_pieces_are_read_back_as_pieces(straight):
    widths = table((0, 5, 5), (100, 5, 5), (200, 7, 5), (300, 7, 5)).assign(piece=list("aabb"))
    _, found, again = read_back(straight, widths, spacing_m=50)
    assert found["piece"].nunique() == 2
    assert again.area[0] == pytest.approx(100 * 10 + 100 * 12, rel=1e-3)


def test_there_are_no_pinholes_or_slits_where_table_rows_meet_vertices(sample):
    for name in ("原方案", "优化方案"):
        lines = sample[name].geometry.to_numpy()
        assert not shapely.get_num_interior_rings(lines).any()
        # a slit would bring the edge to the centreline; only the flat ends may touch it
        for line, river in zip(lines, sample["rivers"].geometry, strict=True):
            inner = shapely.ops.substring(river, 5, river.length - 5)
            assert line.exterior.distance(inner) > 2.0


def test_a_real_island_stays():
    # a loop of river around an island of 60 m
    turn = np.linspace(0.1, 2 * np.pi - 0.1, 60)
    rivers = river_frame({"A": np.c_[60 * np.cos(turn), 60 * np.sin(turn)]})
    line = pg.red_line(rivers, 15.0, ends="round").geometry[0]
    assert shapely.get_num_interior_rings(line) == 1


def test_width_tables_put_together_may_repeat_their_index():
    rivers = river_frame({"A": [(0, 0), (100, 0)], "B": [(0, 90), (100, 90)]})
    one = pd.DataFrame({"chainage_m": [0.0, 100.0], "left_m": 5.0, "right_m": 5.0})
    both = pd.concat([one.assign(river="A"), one.assign(river="B")])
    assert pg.red_line(rivers, both).area.sum() == pytest.approx(2000)


@pytest.mark.parametrize("east", [0.0, 38_500_000.0])
def test_a_tangle_that_geos_cannot_join_without_a_grid(east):
    """Vertices 2 to 5 m apart, widths that jump by 12 m: a TopologyException in the union."""
    xy = [(1.49, 2.03), (5.35, 3.64), (5.11, 5.58), (6.77, 8.63), (4.88, 11.56), (7.73, 14.71)]
    line = shapely.LineString([(x + east, y) for x, y in xy])
    rivers = gpd.GeoDataFrame(geometry=[line], index=pd.Index(["A"], name="river"), crs=4547)
    widths = pd.DataFrame(
        {
            "river": "A",
            "chainage_m": [0.0, 10.48, 12.22, 17.01, line.length],
            "left_m": [9.87, 3.92, 1.63, 13.97, 0.71],
            "right_m": [2.21, 2.01, 4.16, 12.82, 13.21],
        }
    )
    area = pg.red_line(rivers, widths).geometry.iloc[0]
    assert area.is_valid
    # `assess_many` never joins the pieces; a raster of houses sees where the line runs
    x, y = (c.ravel() for c in np.meshgrid(np.arange(-15, 25.0), np.arange(-15, 35.0)))
    houses = gpd.GeoDataFrame(geometry=shapely.box(x + east, y, x + east + 1, y + 1), crs=4547)
    inside = pg.assess_many({"d": widths}, houses, rivers).inside_m2
    assert inside.to_numpy().sum() == pytest.approx(area.area, abs=1e-5)


@pytest.mark.parametrize(("jump_m", "sure"), [(0.25, True), (0.35, False)])
def test_an_edge_at_two_offsets_of_one_chainage_is_uncertain(straight, jump_m, sure):
    """By default from 0.1 m on, and what a taper of 1 in 10 may change within a metre each way."""
    far = 10 + jump_m
    works = shapely.Polygon(
        [(0, -10), (1000, -10), (1000, far), (500, far), (500, 10), (0, 10)]
    )  # fmt: skip
    found = pg.widths_of(zone_frame(works), straight, spacing_m=500)
    assert found["reliable"].tolist() == [True, sure, True]
    assert found["left_m"].tolist() == pytest.approx([10, far, far])
    looser = pg.widths_of(zone_frame(works), straight, spacing_m=500, tolerance_m=0.2)
    assert looser["reliable"].all()


@pytest.mark.parametrize(("width_m", "sure"), [(0.4, True), (1.2, False)])
def test_inside_a_corner_only_gaps_of_two_metres_are_bridged(bend, width_m, sure):
    """A width w inside a square corner leaves 2 w of chainage without a point, and up to 1 m more."""
    found = pg.widths_of(pg.red_line(bend, (width_m, 0.5)), bend, spacing_m=100)
    assert found["reliable"].tolist() == [True, sure, True]


@pytest.mark.parametrize(
    ("at", "cuts"),
    [
        ([0, 100.0005, 200], [100]),  # a row within a millimetre of a vertex is the vertex
        ([0, 99.9995, 200], [100]),
        ([0, 50, 50.0005, 200], [50.0005, 100]),
        ([0, 50, 50.002, 200], [50, 50.002, 100]),
    ],
)
def test_rows_within_a_millimetre_are_one(bend, at, cuts):
    m, width = np.array(at, float), np.full(len(at), 10.0)
    rows = section_rows(m, width, width, lay_out(bend), 0, step=False)
    found = [x + y for x, y in rows["p1"][:-1]]  # along the bend, which goes east, then north
    assert found == pytest.approx(cuts, abs=1e-9)
