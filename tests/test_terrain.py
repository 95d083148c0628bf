"""Sections from a DEM, rasters at buildings, the flooded area: by hand and against brute force."""

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio import Affine

import pinghu_geo as pg
from conftest import building_frame, river_frame


def raster(path, values, *, x=0.0, y=0.0, cell=1.0, nodata=-9999.0, crs="EPSG:4547"):
    """Write values whose upper left corner is at (x, y)."""
    values = np.asarray(values, "float32")
    with rasterio.open(
        path, "w", driver="GTiff", height=values.shape[0], width=values.shape[1], count=1,
        dtype="float32", crs=crs, transform=Affine(cell, 0, x, 0, -cell, y), nodata=nodata,
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


def plane(path, *, x=-50.0, y=60.0, rows=120, columns=300, cell=1.0, tilt=(0.01, 0.1), **more):
    """Ground that rises to the north and falls to the east."""
    east = x + (np.arange(columns) + 0.5) * cell
    north = y - (np.arange(rows) + 0.5) * cell
    return raster(path, 20 - tilt[0] * east + tilt[1] * north[:, None], x=x, y=y, cell=cell, **more)


@pytest.fixture
def river():
    return river_frame({"A": [(0, 0), (200, 0)]})


@pytest.fixture
def bed():
    stations = pd.DataFrame(
        {"river": "A", "chainage_m": [0.0, 100.0, 200.0], "bed_level_m": [15.0, 14.0, 13.0],
         "bank_level_m": [19.0, 18.0, 17.0], "left_m": [4.0, 6.0, 6.0], "right_m": [5.0, 5.0, 9.0], "n": 0.03}
    )  # fmt: skip
    return pg.design_sections(stations)


def test_bilinear_is_exact_on_a_plane(tmp_path, river, bed):
    dem = plane(tmp_path / "dem.tif")
    made = pg.sections_from_dem(river, dem, bed, n=0.06, spacing_m=50, half_width_m=30)
    ground = made.sections[made.sections["source"] == "dem"]
    # offsets are negative to the left, and left of a river to the east is the north
    exact = 20 - 0.01 * ground["chainage_m"] + 0.1 * -ground["offset_m"]
    assert ground["elevation_m"].to_numpy() == pytest.approx(exact.to_numpy(), abs=1e-5)
    assert sorted(made.sections["chainage_m"].unique()) == [0, 50, 100, 150, 200]
    assert (ground["n"] == 0.06).all()


def test_beds_between_surveys_move_along_straight_lines(tmp_path, river, bed):
    made = pg.sections_from_dem(
        river, plane(tmp_path / "dem.tif"), bed, n=0.06, spacing_m=50, half_width_m=30
    )
    survey = made.sections[
        (made.sections["source"] == "survey") & (made.sections["chainage_m"] == 50)
    ]
    assert survey["offset_m"].tolist() == [-5.0, -5.0, 5.0, 5.0]
    assert survey["elevation_m"].tolist() == [18.5, 14.5, 14.5, 18.5]
    at = made.banks.set_index("chainage_m")
    assert at.loc[150.0, ["left_bank_m", "right_bank_m"]].tolist() == [-6.0, 7.0]


def test_tiles_make_the_same_sections_as_one_raster(tmp_path, river, bed):
    whole = plane(tmp_path / "dem.tif")
    with rasterio.open(whole) as file:
        values = file.read(1)
    tiles = [
        raster(tmp_path / f"{r}{c}.tif", values[r : r + 60, c : c + 100], x=-50.0 + c, y=60.0 - r)
        for r in (0, 60)
        for c in (0, 100, 200)
    ]
    one, other = (
        pg.sections_from_dem(river, dem, bed, n=0.06, spacing_m=50, half_width_m=30).sections
        for dem in (whole, tiles)
    )
    pd.testing.assert_frame_equal(one, other)
    raster(tmp_path / "odd.tif", values[:60], x=-49.7, y=60.0)
    with pytest.raises(pg.errors.LayerError, match="don't lie on one grid: odd.tif"):
        pg.sections_from_dem(river, [whole, tmp_path / "odd.tif"], bed, n=0.06)


def test_no_bed_no_answer(tmp_path, river, bed):
    two = pd.concat([river, river_frame({"B": [(0, 20), (200, 20)]})])
    with pytest.raises(
        pg.errors.LayerError,
        match=r"without a surveyed bed; a DEM shows the water's surface.* \(1: B\)",
    ):
        pg.sections_from_dem(two, plane(tmp_path / "dem.tif"), bed, n=0.06)


def test_holes_end_a_section_or_are_refused(tmp_path, river, bed):
    dem = plane(tmp_path / "dem.tif")
    with rasterio.open(dem, "r+") as file:
        values = file.read(1)
        values[:40] = -9999  # the far north: y > 20
        file.write(values, 1)
    made = pg.sections_from_dem(river, dem, bed, n=0.06, half_width_m=40)
    assert made.sections["offset_m"].min() == pytest.approx(-19.0)
    assert made.sections["offset_m"].max() == pytest.approx(40.0)
    with rasterio.open(dem, "r+") as file:
        values[75, 100:200] = -9999  # y = -15.5, with ground behind it
        file.write(values, 1)
    with pytest.raises(pg.errors.LayerError, match=r"holes \(nodata\) inside cross-sections"):
        pg.sections_from_dem(river, dem, bed, n=0.06, half_width_m=40)


@pytest.mark.parametrize(
    ("more", "error", "match"),
    [
        (
            {"crs": "EPSG:4549"},
            pg.errors.CRSError,
            "dem.tif is in EPSG:4549, the layer in CGCS2000",
        ),
        ({"crs": None}, pg.errors.CRSError, "dem.tif is in no CRS"),
        ({"nodata": None, "tilt": (100.0, 0.0)}, pg.errors.LayerError, "which no ground has"),
        ({"x": 5000.0}, pg.errors.LayerError, "doesn't cover the river"),
    ],
)
def test_bad_rasters_are_named(tmp_path, river, bed, more, error, match):
    with pytest.raises(error, match=match):
        pg.sections_from_dem(river, plane(tmp_path / "dem.tif", **more), bed, n=0.06)
    with pytest.raises(pg.errors.LayerError, match="there is no file"):
        pg.sections_from_dem(river, tmp_path / "none.tif", bed, n=0.06)


def test_raster_values_by_shares_of_cells(tmp_path):
    dem = raster(tmp_path / "depth.tif", [[1.0, 2.0], [3.0, -9999.0]], y=2.0)
    houses = building_frame(
        {
            "quarter": shapely.box(0.5, 1.5, 1.5, 2.0),
            "small": shapely.box(0.1, 0.1, 0.2, 0.2),
            "hole": shapely.box(0.5, 0.0, 1.5, 1.0),
            "outside": shapely.box(5, 5, 6, 6),
        }
    )
    found = pg.raster_values(houses, dem, column="depth_m")
    assert found.index.equals(houses.index)
    assert found["depth_m_mean"].tolist()[:3] == pytest.approx([1.5, 3.0, 3.0])
    assert found.loc["outside"].drop("covered_ratio").isna().all()
    assert found["covered_ratio"].tolist() == pytest.approx([1.0, 1.0, 0.5, 0.0])
    with pytest.raises(pg.errors.CRSError, match="the layer in"):
        pg.raster_values(houses.to_crs(4549), dem)


def test_levels_at_houses_and_the_flooded_area(tmp_path, river):
    dem = plane(tmp_path / "dem.tif", tilt=(0.0, 0.1))  # 20 m at the river, rising to the north
    profile = pd.DataFrame({"river": "A", "chainage_m": [0.0, 200.0], "level_m": [21.0, 21.0]})
    houses = building_frame(
        {"low": shapely.box(95, -5, 105, 5), "high": shapely.box(95, 15, 105, 25)}
    )
    found = pg.flood_levels(houses, profile, river, dem=dem)
    assert found["flood_level_m"].tolist() == [21, 21]
    assert found["freeboard_m"].tolist() == pytest.approx([-1.0, 1.0], abs=1e-4)
    assert found["flood_depth_m"].tolist() == pytest.approx([1.0, 0.0], abs=1e-4)
    area = pg.inundation(profile, dem, river, half_width_m=40)
    # wet below y = 10: the lowest 50 m of the strip of 200 m, and half a circle at either end
    inside = area.geometry.iloc[0].intersection(shapely.box(0, -40, 200, 60))
    assert inside.area == pytest.approx(200 * 50, rel=0.02)
    assert area["depth_max_m"].iloc[0] == pytest.approx(5.0, abs=0.2)


def test_water_doesn_t_cross_a_ridge(tmp_path, river):
    ground = np.full((120, 300), 19.0)
    ground[30:32] = 25.0  # a dike at y = 29
    dem = raster(tmp_path / "dem.tif", ground, x=-50.0, y=60.0)
    profile = pd.DataFrame({"river": "A", "chainage_m": [0.0, 200.0], "level_m": [21.0, 21.0]})
    area = pg.inundation(profile, dem, river, half_width_m=55)
    assert area.geometry.iloc[0].bounds[3] <= 28.0


def test_a_profile_of_two_floods_is_refused(river):
    houses = building_frame({"a": shapely.box(0, 0, 1, 1)})
    profile = pd.DataFrame(
        {"river": "A", "chainage_m": [0.0, 0.0], "level_m": [1.0, 2.0], "profile": ["P=1%", "P=2%"]}
    )
    with pytest.raises(pg.errors.LayerError, match="several values of profile"):
        pg.flood_levels(houses, profile, river)


def test_ground_that_the_dem_knows_in_part_is_no_mean_of_a_footprint(tmp_path, river):
    """Of a house whose lower half lies in a hole the upper half stood above the flood."""
    houses = building_frame({
        "whole": shapely.box(40, 20, 60, 40), "upper half": shapely.box(80, 20, 100, 40),
        "nearly whole": shapely.box(120, 20, 140, 40), "in a hole": shapely.box(160, 20, 180, 40),
        "over the raster's edge": shapely.box(100, 50, 110, 65),
    })  # fmt: skip
    profile = pd.DataFrame({"river": "A", "chainage_m": [0.0, 200.0], "level_m": [23.1, 23.1]})
    path = plane(tmp_path / "dem.tif", tilt=(0.0, 0.1))
    with rasterio.open(path, "r+") as file:
        ground = file.read(1)
        ground[30:40, 130:150] = -9999  # rows from 60 m down, columns from -50 m
        ground[20:22, 170:180] = -9999
        ground[20:40, 210:230] = -9999
        file.write(ground, 1)
    found = pg.flood_levels(houses, profile, river, dem=path)
    known = ["whole", "nearly whole"]
    assert found.index[found["ground_m"].notna()].tolist() == known
    assert found.loc["whole", "freeboard_m"] == pytest.approx(-0.1, abs=1e-5)
    unknown = found.drop(index=known)
    assert unknown[["freeboard_m", "flood_depth_m"]].isna().all(axis=None)
    assert (found["flood_level_m"] == 23.1).all()
