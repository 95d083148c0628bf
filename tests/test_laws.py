"""Laws that hold for any river: of motion, scale, refinement and order."""

import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import affinity

import pinghu_geo as pg
from conftest import building_frame, river_frame
from pinghu_geo.river import centreline, corridor, nearness

PLACE = ["chainage_m", "from_m", "to_m", "offset_min_m", "offset_max_m", "distance_m"]


@pytest.fixture
def case(sample):
    """Some buildings beside one river, and where they are."""
    rivers = sample["rivers"].loc[["木古河"]]
    near = sample["buildings"].distance(rivers.geometry.iloc[0]) < 90
    some = sample["buildings"][near].iloc[::9]
    return rivers, some, pg.locate(some, rivers)


def test_rigid_motion_changes_nothing(case):
    rivers, some, before = case
    for move in (
        lambda g: affinity.translate(g, 1234.5, -987.6),
        lambda g: affinity.rotate(g, 33.0, origin=(513_000, 2_510_000)),
    ):
        after = pg.locate(
            some.set_geometry([move(g) for g in some.geometry], crs=some.crs),
            rivers.set_geometry([move(g) for g in rivers.geometry], crs=rivers.crs),
        )
        np.testing.assert_allclose(after[PLACE], before[PLACE], atol=1e-6)
        assert (after["bank"] == before["bank"]).all()


def larger(frame, times=2):
    shapes = [affinity.scale(g, times, times, origin=(513_000, 2_510_000)) for g in frame.geometry]
    return frame.set_geometry(shapes, crs=frame.crs)


def test_scale_scales(case, monkeypatch):
    """All but the millimetre within which places are one: made two, everything doubles."""
    rivers, some, before = case
    twice = 2 * centreline.SAME_PLACE_M
    for module in (corridor, centreline, nearness):
        monkeypatch.setattr(module, "SAME_PLACE_M", twice)
    after = pg.locate(larger(some), larger(rivers))
    np.testing.assert_allclose(after[PLACE], 2 * before[PLACE], atol=1e-5, rtol=0)


@pytest.mark.parametrize("times", [0.5, 1, 3])
def test_the_chainage_is_the_middle_of_what_is_within_a_millimetre_of_the_nearest(case, times):
    """By definition, with the distance of every 2 mm of the river near it, at any scale."""
    rivers, some = (larger(one, times) for one in case[:2])
    found = pg.locate(some, rivers)
    for name, place in found[~found["ambiguous"]].head(12).iterrows():
        line, shape = rivers.geometry[place["river"]], some.geometry[name]
        scale = pg.river.river_scales(rivers)[place["river"]]
        at = scale.measure(place["chainage_m"])
        s = np.arange(max(at - 25 * times, 0.0), min(at + 25 * times, line.length), 0.002)
        far = shapely.distance(shapely.line_interpolate_point(line, s), shape)
        near, least = far <= far.min() + centreline.SAME_PLACE_M, int(far.argmin())
        first = least - int(np.argmin(np.append(near[: least + 1][::-1], False)) - 1)
        last = least + int(np.argmin(np.append(near[least:], False)) - 1)
        assert at == pytest.approx((s[first] + s[last]) / 2, abs=0.005), name


def test_more_vertices_on_the_same_line_change_nothing(case):
    rivers, some, before = case
    finer = rivers.set_geometry(shapely.segmentize(rivers.geometry.to_numpy(), 1.7), crs=rivers.crs)
    sure = ~before["ambiguous"]
    after = pg.locate(some, finer)
    np.testing.assert_allclose(after.loc[sure, PLACE], before.loc[sure, PLACE], atol=1e-6)
    one, other = (pg.red_line(r, (9.0, 14.0)).geometry[0] for r in (rivers, finer))
    assert one.symmetric_difference(other).area < 1e-4


def test_order_and_parts_of_the_input_do_not_matter(case, sample):
    _, some, _ = case
    whole = pg.locate(some, sample["rivers"])
    shuffled = pg.locate(some.sample(frac=1, random_state=1), sample["rivers"]).loc[some.index]
    pd.testing.assert_frame_equal(shuffled, whole)
    halves = [pg.locate(half, sample["rivers"]) for half in (some.iloc[:20], some.iloc[20:])]
    pd.testing.assert_frame_equal(pd.concat(halves), whole)


def test_disjoint_red_lines_add_up(sample):
    rivers, buildings = sample["rivers"], sample["buildings"]
    whole = pg.affected(buildings, pg.red_line(rivers, 12.0), rivers)["inside_m2"].sum()
    sides = [
        pg.affected(buildings, pg.red_line(rivers.loc[[name]], wide), rivers)["inside_m2"].sum()
        for name in ("君子布河", "木古河")
        for wide in ((12.0, 0.0), (0.0, 12.0))
    ]
    rest = rivers.loc[["鹅公岭河", "山厦河"]]
    sides.append(pg.affected(buildings, pg.red_line(rest, 12.0), rivers)["inside_m2"].sum())
    assert sum(sides) == pytest.approx(whole, rel=1e-6)


def test_square_spiral_in_closed_form():
    # arms of 100, 100, 200, 200, 300, 300 m, each a left turn: 100 m between the windings
    xy, at, step = [(0.0, 0.0)], np.zeros(2), np.array([1.0, 0.0])
    for arm in (100, 100, 200, 200, 300, 300):
        at = at + arm * step
        xy.append(tuple(at))
        step = np.array([-step[1], step[0]])
    spiral = river_frame({"A": xy})
    assert pg.river.river_scales(spiral)["A"].length_m == 1200
    # 5 left turns: two strips of 20 m, less 10 x 10 inside each corner, plus a quarter disc
    line = pg.red_line(spiral, 10.0, arc_step_deg=0.1)
    assert line.area[0] == pytest.approx(1200 * 20 + 5 * (np.pi / 4 - 1) * 100, rel=1e-6)
    # beside the fourth arm, which runs down from (-100, 100) to (-100, -100): left is the east
    house = building_frame({"B": shapely.box(-92, -20, -82, -10)})
    where = pg.locate(house, spiral).iloc[0]
    assert where[["from_m", "to_m", "offset_min_m", "offset_max_m"]].tolist() == pytest.approx(
        [510, 520, -18, -8]
    )
    assert where["bank"] == "left"
