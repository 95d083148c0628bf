"""Levels between the sections beside a structure: that above it or that below, never a mixture."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from pinghu_geo.flood.between import levels_between, standing_on

AT = np.array([0.0, 200.0, 400.0, 480.0, 520.0, 700.0, 1000.0])
WEIR = pd.DataFrame(
    {"river": "main", "chainage_m": [500.0], "kind": "weir", "crest_m": 14.0},
    index=pd.Index(["堰"], name="structure_id"),
)
RIVERS = gpd.GeoDataFrame(
    index=pd.Index(["main", "side"], name="river"),
    geometry=[shapely.LineString([(0, 0), (1000, 0)]), shapely.LineString([(800, 400), (800, 5)])],
    crs=4547,
)


def channel(river, at, bed):
    return pg.design_sections(pd.DataFrame({
        "river": river, "chainage_m": at, "bed_level_m": bed, "left_m": 8.0, "right_m": 8.0,
        "bank_level_m": 25.0, "n": 0.03,
    }))  # fmt: skip


MAIN = channel("main", AT, 10 + 0.0005 * (1000 - AT))
SIDE = channel("side", np.array([0.0, 200.0, 395.0]), 11.0)
PROFILE = pg.water_profile(MAIN, 60.0, {"slope": 0.0005}, structures=WEIR)
ABOVE, BELOW = PROFILE["level_m"][PROFILE["chainage_m"].isin([480.0, 520.0])]
HOUSES = gpd.GeoDataFrame(
    index=pd.Index(["above", "below", "on land"], name="building_id"),
    geometry=[shapely.box(x - 1, 20, x + 1, 22) for x in (495.0, 506.0, 600.0)], crs=4547,
)  # fmt: skip


def test_the_weir_holds_the_water():
    assert ABOVE - BELOW > 1.0


def test_a_house_above_a_weir_stands_beside_the_level_above_it():
    found = pg.flood_levels(HOUSES, PROFILE, RIVERS, structures=WEIR)["flood_level_m"]
    assert found["above"] == pytest.approx(ABOVE, abs=1e-12)
    assert found["below"] == pytest.approx(BELOW, abs=1e-12)
    plain = PROFILE.drop(columns="structure_id")
    straight = pg.flood_levels(HOUSES, plain, RIVERS)["flood_level_m"]
    assert found["on land"] == pytest.approx(straight["on land"], abs=1e-12)
    # where nobody says where the weir stands, the higher level
    with pytest.warns(UserWarning, match="beside .* the level above is taken") as said:
        unsaid = pg.flood_levels(HOUSES, PROFILE, RIVERS)["flood_level_m"]
    assert f"up to {ABOVE - BELOW:.2f} m too high" in str(said[0].message)
    assert unsaid.tolist()[:2] == pytest.approx([ABOVE, ABOVE], abs=1e-12)
    assert unsaid["on land"] == pytest.approx(straight["on land"], abs=1e-12)


@pytest.mark.filterwarnings("ignore:profile. between the sections")
def test_chainages_from_the_mouth_up_change_nothing():
    rivers = RIVERS.assign(chainage_sign=-1, start_m=[1000.0, 395.0])
    turned = PROFILE.assign(chainage_m=1000 - PROFILE["chainage_m"])
    weir = WEIR.assign(chainage_m=500.0)
    for structures in (weir, None):
        one = pg.flood_levels(
            HOUSES, PROFILE, RIVERS, structures=None if structures is None else WEIR
        )
        other = pg.flood_levels(HOUSES, turned, rivers, structures=structures)
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(("at", "level"), [(495.0, ABOVE), (500.0, ABOVE), (505.0, BELOW)])
def test_a_tributary_takes_the_level_of_its_side_of_the_weir(at, level):
    both = pd.concat([MAIN, SIDE], ignore_index=True)
    flows = pd.DataFrame({"river": ["main", "side"], "discharge_m3s": [60.0, 5.0]})
    end = pd.DataFrame({"river": ["main", "side"], "slope": [0.0005, np.nan],
                        "joins": [None, "main"], "joins_at_m": [np.nan, at]})  # fmt: skip
    found = pg.water_profile(both, flows, end, structures=WEIR)
    side = found[found["river"] == "side"]
    assert side["level_m"].iloc[-1] == pytest.approx(level, abs=1e-12)
    # of a scheme without the weir, that of the straight line
    free = pg.water_profile(
        both, flows, end, structures=WEIR.assign(scheme="another")
    )  # fmt: skip
    main = free[free["river"] == "main"]
    straight = np.interp(at, main["chainage_m"], main["level_m"])
    assert free.loc[free["river"] == "side", "level_m"].iloc[-1] == pytest.approx(straight)


def test_flood_marks_beside_a_weir_tell_of_their_side():
    true = pg.water_profile(MAIN.assign(n=0.036), 60.0, {"slope": 0.0005}, structures=WEIR)
    z = true.set_index("chainage_m")["level_m"]
    marks = pd.DataFrame({
        "river": "main", "chainage_m": [100.0, 490.0, 510.0, 850.0],
        "level_m": [(z[0.0] + z[200.0]) / 2, z[480.0], z[520.0], (z[700.0] + z[1000.0]) / 2],
    })  # fmt: skip
    found = pg.flood.calibrate_roughness(MAIN, 60.0, {"slope": 0.0005}, marks, structures=WEIR)
    assert found.zones["factor"].tolist() == pytest.approx([1.2], abs=1e-6)
    assert found.marks["residual_m"].abs().max() < 1e-6


def test_long_structures_are_crossed_on_a_straight_line():
    culvert = pd.DataFrame({"river": "main", "chainage_m": [500.0, 900.0], "length_m": [20.0, 8.0]})
    standing = standing_on(culvert, {})["main"]
    along, level = np.array([480.0, 520.0, 1000.0]), np.array([14.0, 10.0, 8.0])
    here = np.array([480.0, 490.0, 495.0, 510.0, 520.0, 896.0, 900.0, 904.0, 1000.0, 1001.0])
    found = levels_between(along, level, here, standing)
    assert found[:-1].tolist() == [14.0, 14.0, 13.0, 10.0, 10.0, 10.0, 9.0, 8.0, 8.0]
    assert np.isnan(found[-1])


def test_what_is_under_water_steps_at_a_weir(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    path = tmp_path / "dem.tif"
    # ground that only the level above the weir covers
    ground = np.full((60, 1004), (ABOVE + BELOW) / 2 + 0.3, "float32")
    ground[25:35] = np.linspace(10.5, 10.0, 1004)
    with rasterio.open(path, "w", driver="GTiff", height=60, width=1004, count=1, dtype="float32",
                       crs=4547, transform=rasterio.Affine(1, 0, -2, 0, -1, 30)) as made:  # fmt: skip
        made.write(ground, 1)
    wet = pg.inundation(PROFILE, path, RIVERS.loc[["main"]], half_width_m=25.0, structures=WEIR)
    area = wet.geometry.iloc[0]
    assert shapely.intersection(area, shapely.box(470, 8, 499, 20)).area == pytest.approx(29 * 12)
    assert shapely.intersection(area, shapely.box(502, 8, 530, 20)).area == 0


def test_a_house_is_moved_to_no_section_beyond_a_structure():
    at = np.array([0.0, 480.0, 504.0, 1000.0])
    sections = channel("main", at, 10.0)
    house = HOUSES.iloc[[0]].set_geometry([shapely.box(494, 3, 498, 6)])
    found = [pg.building_obstacles(house, sections, RIVERS, structures=s)["chainage_m"].tolist()
             for s in (None, WEIR, WEIR.assign(chainage_m=490.0))]  # fmt: skip
    assert found == [[504.0], [480.0], [504.0]]


def test_between_equal_levels_stands_exactly_that():
    """A hair above it, all ground as high as the water would be under water."""
    at = np.array([0.0, 200.0, 260.0])
    here = np.linspace(0, 260, 1999)
    found = levels_between(at, np.array([54.0, 54.0, 53.1]), here, None)
    assert (found[here <= 200] == 54.0).all()
    assert levels_between(at, np.array([54.0, 0.1, 53.1]), at, None).tolist() == [54.0, 0.1, 53.1]
