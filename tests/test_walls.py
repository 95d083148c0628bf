"""Sections whose walls are moved: by hand, and against channels designed anew."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import pinghu_geo as pg
from conftest import river_frame

RIVERS = river_frame({"A": [(0, 0), (300, 0)]})
CHAINAGES = [0.0, 100.0, 200.0, 300.0]


def line(left=10.0, right=10.0, **more):
    return pd.DataFrame(
        {"river": "A", "chainage_m": CHAINAGES, "left_m": left, "right_m": right, **more}
    )


def design(**more):
    given = {"bed_level_m": [0.6, 0.4, 0.2, 0.0], "left_m": 8.0, "right_m": 8.0, "n": 0.03}
    given["bank_level_m"] = np.array(given["bed_level_m"]) + 3
    return pd.DataFrame({"river": "A", "chainage_m": CHAINAGES, **given, **more})


def section(table, chainage=0.0):
    own = table[table["chainage_m"] == chainage]
    return list(zip(own["offset_m"].tolist(), own["elevation_m"].tolist(), strict=True))


def test_a_wall_cuts_into_the_ground_or_leaves_fill():
    ground = pd.DataFrame(
        {"river": "A", "chainage_m": 0.0, "offset_m": [-20, -8, -8, 8, 8, 20.0],
         "elevation_m": [4, 3, 0, 0, 3, 4.0], "n": [0.05, 0.02, 0.03, 0.02, 0.05, 0.05]}
    )  # fmt: skip
    banks = pd.DataFrame(
        {"river": "A", "chainage_m": [0.0], "left_bank_m": -8.0, "right_bank_m": 8.0}
    )
    made, ends = pg.search.moved_sections(
        ground, line(), line(left=12.0, right=9.0), RIVERS, banks=banks
    )
    # left: 2 m out, and up from the wall's top to the ground that is cut; right: 1 m in, filled
    assert section(made) == [
        (-20, 4), (-10, pytest.approx(3 + 1 / 6)), (-10, 3), (-10, 0), (0, 0), (7, 0), (7, 3), (8, 3), (20, 4),
    ]  # fmt: skip
    assert ends[["left_bank_m", "right_bank_m"]].to_numpy().tolist() == [[-10, 7]]
    # what water it holds at 2 m: 17 m of bed
    held = pg.flood.section_properties(made, 2.0, banks=ends).iloc[0]
    assert held["area_m2"] == pytest.approx(34)
    assert held["wetted_perimeter_m"] == pytest.approx(21)


@given(
    st.integers(-12, 16).map(lambda k: k / 4),
    st.integers(-12, 16).map(lambda k: k / 4),
    st.sampled_from([0.0, 1.0]),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_designed_channels_move_as_if_designed_anew(left, right, slope, berm, curve):
    more = {"side_slope": slope, "n_wall": 0.02}
    if berm:
        more |= {"berm_level_m": np.array([0.6, 0.4, 0.2, 0.0]) + 1.5, "berm_m": 1.0}
    table = design(**more)
    after = line(10 + left, 10 + right)
    if curve:
        after.loc[1:2, "left_m"] = 10.0
    made, banks = pg.search.moved_sections(pg.design_sections(table), line(), after, RIVERS)
    anew = pg.design_sections(pg.moved_design(table, line(), after, RIVERS))
    one = pg.water_profile(made, 40.0, {"slope": 0.002}, banks=banks)
    other = pg.water_profile(anew, 40.0, {"slope": 0.002})
    # over its walls the water finds the fill behind them, which a new design doesn't have
    assume((other["level_m"] - other["bed_m"] < 3).all())
    for column in ("level_m", "area_m2", "conveyance_m3s", "alpha"):
        assert one[column].to_numpy() == pytest.approx(other[column].to_numpy(), rel=1e-9)


def test_a_wall_of_the_menu_stands_at_its_strip():
    walls = pd.DataFrame(
        {
            "wall": ["直墙"],
            "side_slope": 0.0,
            "n_wall": 0.016,
            "wall_yuan_m": 8000.0,
            "strip_m": 0.5,
        }
    )
    table = design(side_slope=1.0)
    after = line(wall_left="直墙", wall_right=None)
    made, banks = pg.search.moved_sections(
        pg.design_sections(table), line(), after, RIVERS, walls=walls
    )
    # the line stays at 10 m; the strip of 2 m becomes 0.5 m on the left
    assert section(made)[:2] == [(-9.5, 3.6), (-9.5, 0.6)]
    assert section(made)[-2:] == [(5, 0.6), (8, 3.6)]
    assert made["n"].iloc[0] == 0.016
    with pytest.raises(pg.errors.LayerError, match="names the wall '直樯'.*\n\n.*直墙"):
        pg.search.moved_sections(
            pg.design_sections(table), line(), line(wall_left="直樯"), RIVERS, walls=walls
        )


def test_nothing_moved_is_the_same_river():
    vee = pd.DataFrame(
        {"river": "A", "chainage_m": np.repeat(CHAINAGES, 5), "n": 0.03,
         "offset_m": np.tile([-12.0, -6, 1, 5, 15], 4),
         "elevation_m": np.tile([5.0, 2, 0, 3, 4.5], 4) - np.repeat(CHAINAGES, 5) * 1e-3}
    )  # fmt: skip
    made, banks = pg.search.moved_sections(vee, line(), line(), RIVERS)
    one = pg.water_profile(made, 20.0, {"slope": 0.001}, banks=banks)
    other = pg.water_profile(vee, 20.0, {"slope": 0.001})
    assert one["level_m"].to_numpy() == pytest.approx(other["level_m"].to_numpy(), abs=1e-9)
    wider, banks = pg.search.moved_sections(vee, line(), line(13.0, 11.0), RIVERS)
    lower = pg.water_profile(wider, 20.0, {"slope": 0.001}, banks=banks)
    assert (lower["level_m"] < other["level_m"]).all()


def test_what_can_t_be_moved_is_named():
    made = pg.design_sections(design())
    with pytest.raises(pg.errors.HydraulicsError, match=r"no bed between moved walls.*K0\+000"):
        pg.search.moved_sections(made, line(), line(left=1.9), RIVERS)
    levee = pd.DataFrame(
        {"river": "A", "chainage_m": [0.0], "left_levee_m": -7.0, "left_levee_top_m": 5.0}
    )
    with pytest.raises(pg.errors.HydraulicsError, match="left_levee_m.*can't keep"):
        pg.search.moved_sections(made, line(), line(), RIVERS, banks=levee)
    bad = pd.DataFrame({"wall": ["斜坡"], "side_slope": [-1.0], "n_wall": 0.02, "wall_yuan_m": 0.0})
    with pytest.raises(
        pg.errors.LayerError, match="side_slope, n_wall, wall_yuan_m or strip_m.*斜坡"
    ):
        pg.search.moved_sections(made, line(), line(), RIVERS, walls=bad)


def test_a_table_of_design_sections_is_refused_by_its_own_name():
    with pytest.raises(pg.errors.LayerError, match="^design: lacks") as found:
        pg.design_sections(pd.DataFrame({"river": ["A"]}))
    assert found.value.said_in("zh").startswith("设计断面表")
    without_bed = {"river": ["A"], "chainage_m": 0.0, "bed_level_m": 0.0, "n": 0.03}
    with pytest.raises(pg.errors.HydraulicsError, match="^design: has channels without a bed"):
        pg.design_sections(
            pd.DataFrame(without_bed | {"left_m": 1.0, "right_m": 1.0, "bank_level_m": -1.0})
        )
