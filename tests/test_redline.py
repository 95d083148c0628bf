import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import pinghu_geo as pg
from conftest import river_frame


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


@settings(max_examples=150, deadline=None)
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


def test_unknown_options_are_refused(straight):
    with pytest.raises(pg.LayerError, match="did you mean 'linear'"):
        pg.red_line(straight, 5.0, interpolation="liner")
    with pytest.raises(pg.CRSError, match="(?s)unit is degree.*to_crs"):
        pg.red_line(straight.set_crs(4490, allow_override=True), 5.0)
