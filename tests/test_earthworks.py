"""Cuts and volumes: what a section says besides its ground, and tables that cannot be compared."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg

FLAT = pd.DataFrame({
    "river": "r", "chainage_m": np.repeat([0.0, 100.0], 2), "offset_m": [-20.0, 20.0] * 2,
    "elevation_m": 5.0, "n": 0.04,
})  # fmt: skip
CUT = pd.DataFrame({"river": ["r"], "chainage_m": 0.0, "centre_m": 0.0, "bottom_m": 10.0,
                    "invert_m": 3.0, "side_slope": 2.0, "n": 0.025})  # fmt: skip


def test_a_cut_below_a_lid_leaves_the_lid_and_what_is_left_out():
    covered = FLAT.assign(
        lid_m=[8.0, 12.0, 8.0, 12.0], n_lid=0.02, left_out="a bridge", datum="1985国家高程基准"
    )
    found = pg.flood.cut_sections(covered, CUT)
    first = found[found["chainage_m"] == 0]
    assert first["offset_m"].tolist() == [-20.0, -9.0, -5.0, 5.0, 9.0, 20.0]
    np.testing.assert_allclose(first["lid_m"], 10 + first["offset_m"] / 10)
    assert (found["n_lid"] == 0.02).all()
    assert (found["left_out"] == "a bridge").all()
    assert found["datum"].nunique() == 1
    part = pg.flood.cut_sections(  # the lid spans a part
        pd.DataFrame({"river": "r", "chainage_m": 0.0, "offset_m": [-20.0, -6.0, 6.0, 20.0],
                      "elevation_m": 5.0, "n": 0.04, "lid_m": [np.nan, 9.0, 9.0, np.nan]}),
        CUT,
    )  # fmt: skip
    covered = part["lid_m"].notna()
    assert part.loc[covered, "offset_m"].tolist() == [-6.0, -5.0, 5.0, 6.0]
    assert part.loc[covered, "elevation_m"].tolist() == [3.5, 3.0, 3.0, 3.5]


BOX = pd.DataFrame({
    "river": "r", "chainage_m": np.repeat([0.0, 100.0], 4), "offset_m": [-10.0, -10, 10, 10] * 2,
    "elevation_m": [4.1, 0.1, 0.1, 4.1, 4.0, 0.0, 0.0, 4.0], "n": [0.02, 0.03, 0.04, 0.05] * 2,
})  # fmt: skip
DITCH = pd.DataFrame({"river": "r", "chainage_m": [0.0, 100.0], "centre_m": 0.0, "bottom_m": 4.0,
                      "invert_m": -0.5, "side_slope": 0.0})  # fmt: skip


@pytest.mark.parametrize("bottom", [4.0, 20.0, 30.0])
def test_walls_at_the_ends_of_a_cut_section_stay(bottom):
    """Cut away, they stood nowhere, and any water was above the section's ends."""
    found = pg.flood.cut_sections(BOX, DITCH.assign(bottom_m=bottom))
    first = found[found["chainage_m"] == 0]
    half = bottom / 2
    offsets, levels = [-10.0, -10, 10, 10], [4.1, -0.5, -0.5, 4.1]
    if bottom < 20:
        offsets[2:2], levels[1:3] = [-half, -half, half, half], [0.1, 0.1, -0.5, -0.5, 0.1, 0.1]
    assert first["offset_m"].tolist() == offsets
    assert first["elevation_m"].tolist() == levels
    assert first["n"].iloc[0] == 0.02
    assert first["n"].iloc[-2] == 0.04  # the right wall's
    made = pg.water_profile(found, 20.0, {"level_m": 1.0})
    assert made["doubts"].tolist() == ["", ""]
    # 20 m of bed, two walls to the level, and the sides of the ditch
    sides = 2 * 1.0 + 2 * 0.5 if bottom < 20 else 2 * 1.5
    assert made["wetted_perimeter_m"].iloc[-1] == pytest.approx(20 + sides)
    again = pg.flood.cut_sections(found, DITCH.assign(bottom_m=bottom))
    pd.testing.assert_frame_equal(again, found)  # nothing is left to cut


def test_a_cut_in_a_covered_box_leaves_its_walls_and_its_cover():
    roof = BOX.assign(lid_m=[4.1] * 4 + [4.0] * 4, n_lid=0.015)
    found = pg.flood.cut_sections(roof, DITCH)
    np.testing.assert_allclose(found["lid_m"], np.repeat([4.1, 4.0], 8))
    full, deeper = (pg.water_profile(t, 100.0, {"level_m": 6.0}).iloc[-1] for t in (roof, found))
    assert full["wetted_perimeter_m"] == pytest.approx(2 * 20 + 2 * 4)
    assert deeper["wetted_perimeter_m"] == pytest.approx(2 * 20 + 2 * 4 + 2 * 0.5)
    assert deeper["area_m2"] == pytest.approx(full["area_m2"] + 4 * 0.5)
    # a cover between walls inside of a section, as high as they are where they stand
    inner = pd.DataFrame({
        "river": "r", "chainage_m": 0.0, "offset_m": [-20.0, -10, -10, 10, 10, 20],
        "elevation_m": [6.0, 6, 0, 0, 6, 6], "n": 0.03, "lid_m": [np.nan, 6, 4, 4, 6, np.nan],
    })  # fmt: skip
    found = pg.flood.cut_sections(inner, DITCH.head(1))
    stays = found["elevation_m"] == 6
    assert found.loc[stays, "lid_m"].tolist()[1:3] == [6, 6]
    assert (found.loc[~stays, "lid_m"] == 4).all()


def test_a_bend_whose_froude_number_is_unknown_has_no_rise():
    turn = np.linspace(0, np.pi / 2, 200)
    line = shapely.LineString(100 * np.stack([np.sin(turn), np.cos(turn)], axis=1))
    rivers = gpd.GeoDataFrame(index=pd.Index(["r"], name="river"), geometry=[line], crs=4547)
    water = pd.DataFrame({"river": "r", "chainage_m": 80.0, "velocity_ms": 3.0,
                          "top_width_m": 20.0, "froude": [0.6, 1.0, np.nan]})  # fmt: skip
    found = pg.flood.bend_rises(water, rivers)
    assert found["bend_rise_m"].iloc[1] == 2 * found["bend_rise_m"].iloc[0]
    assert found["bend_rise_m"].isna().tolist() == [False, False, True]
    assert found["radius_m"].notna().all()


BAD = [
    ({"elevation_m": [np.nan, 5.0, 5.0, 5.0]}, "without offset_m or elevation_m.*: 0"),
    ({"offset_m": [-20.0, 20.0, np.nan, 20.0]}, "without offset_m or elevation_m.*: 2"),
    ({"elevation_m": [5.0, 5.0, 5.0, -9999.0]}, r"stand for no measurement.*: r K0\+100"),
    ({"offset_m": [20.0, -20.0, -20.0, 20.0]}, r"offsets that run back.*: r K0\+000"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_sections_that_cannot_be_cut_or_compared_are_named(change, words):
    bad = FLAT.assign(**change)
    with pytest.raises(pg.errors.PinghuError, match=f"sections: .*{words}"):
        pg.flood.cut_sections(bad, CUT)
    with pytest.raises(pg.errors.PinghuError, match=f"before: .*{words}"):
        pg.flood.excavation(bad, FLAT)
    with pytest.raises(pg.errors.PinghuError, match=f"after: .*{words}"):
        pg.flood.excavation(FLAT, bad)


def test_volumes_of_schemes_and_of_sections_apart_are_refused():
    dug = FLAT.assign(elevation_m=4.0)
    both = pd.concat([FLAT.assign(scheme="1"), dug.assign(scheme="2")], ignore_index=True)
    with pytest.raises(pg.errors.PinghuError, match="after: holds several schemes.*: 1, 2"):
        pg.flood.excavation(FLAT, both)
    assert pg.flood.excavation(FLAT, both[both["scheme"] == "2"])["cut_m3"].tolist() == [4000.0]
    with pytest.raises(pg.errors.PinghuError, match="lie beside those of the other table.*: r K0"):
        pg.flood.excavation(FLAT, dug.assign(offset_m=[20.0, 60.0] * 2))


def test_one_section_has_no_volume_but_its_columns():
    found = pg.flood.excavation(FLAT.iloc[:2], FLAT.iloc[:2])
    assert found.empty
    assert {"river", "from_m", "cut_m3", "fill_prismoid_m3"} <= set(found.columns)
