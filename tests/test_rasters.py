"""What a DEM's numbers mean: one meaning in every function, or a refusal that names the cure."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from pyproj import CRS
from rasterio.transform import Affine
from scipy import ndimage

import pinghu_geo as pg
from conftest import building_frame, river_frame

X, Y, N, CELL = 513000.0, 2510000.0, 150, 2.0
EAST = X + (np.arange(N) + 0.5) * CELL
NORTH = Y + 300 - (np.arange(N) + 0.5) * CELL
PLANE = 50 + 0.01 * (EAST - X)[None] + 0.02 * (NORTH - Y)[:, None]
HOUSE = building_frame({"H1": shapely.box(X + 141, Y + 171, X + 153, Y + 181)})
HOLE = np.zeros(PLANE.shape, bool)
HOLE[62:65, 70:77] = True  # the lower half of the house lies in it
PROFILE = pd.DataFrame({"river": "R", "chainage_m": [0.0, 260.0], "level_m": [54.0, 54.0]})


@pytest.fixture
def river():
    return river_frame({"R": [(X + 20, Y + 150), (X + 280, Y + 150)]})


@pytest.fixture
def bed():
    return pd.DataFrame(
        {"river": "R", "chainage_m": np.repeat([40.0, 200.0], 4),
         "offset_m": [-6.0, -5, 5, 6] * 2, "elevation_m": [52.0, 48, 48, 52] * 2, "n": 0.03}
    )  # fmt: skip


def tif(path, values, *, x=X, crs="EPSG:4547", dtype="float64", nodata=None, mask=None, **said):
    values = values[None] if values.ndim == 2 else values
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path, "w", driver="GTiff", width=values.shape[2], height=values.shape[1],
            count=len(values), dtype=dtype, crs=crs, nodata=nodata,
            transform=Affine(CELL, 0, x, 0, -CELL, Y + 300),
        ) as file,
    ):  # fmt: skip
        file.write(values.astype(dtype))
        for name, value in said.items():
            setattr(file, name, value)
        if mask is not None:
            file.write_mask(mask)
    return path


def mean(path):
    return pg.raster_values(HOUSE, path).iloc[0].tolist()


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        (3.4028234663852886e38, None), (9999, None), (0, None), (-99, None), (-32768, -9999),
        (-3.4028234663852886e38, -3.4e38), (-9999, float("nan")), (-9999, None), (1e20, None),
        (-32767, 0), (99999, -9999), (-999, None), (float("inf"), None), (float("nan"), None),
        (255, None), (-1, None), (32767, None),
    ],
)  # fmt: skip
def test_nodata_is_found_by_what_the_values_are_beside_the_rest(tmp_path, value, declared):
    values = np.where(HOLE, value, PLANE)
    path = tif(tmp_path / "a.tif", values, dtype="float64", nodata=declared)
    if np.isfinite(value):
        with pytest.warns(UserWarning, match=r"a.tif holds .* taken for nodata"):
            found = mean(path)
    else:
        found = mean(path)
    # what a raster that declares its holes gives
    good = np.where(HOLE, -9999, PLANE)
    assert found == pytest.approx(mean(tif(tmp_path / "b.tif", good, nodata=-9999)), rel=1e-12)
    assert found[3] == pytest.approx(0.5)


def test_a_mask_and_an_alpha_band_are_heard(tmp_path):
    masked = tif(tmp_path / "m.tif", np.where(HOLE, 12.3, PLANE), mask=~HOLE)
    assert mean(masked)[3] == pytest.approx(0.5)
    assert mean(masked)[1] > 50


def test_true_zeros_depths_and_sea_levels_stay(tmp_path):
    depth = np.maximum(PLANE - 53.5, 0.0)  # dry houses are 0 deep
    assert mean(tif(tmp_path / "d.tif", depth))[3] == 1.0
    coast = np.where(HOLE, 0.0, PLANE - 49.9)  # a pond at 0.0 beside a beach that begins at 0.13
    assert mean(tif(tmp_path / "c.tif", coast))[1] == 0.0
    assert mean(tif(tmp_path / "z.tif", np.zeros_like(PLANE)))[:3] == [0, 0, 0]


def test_a_house_wholly_in_a_hole_has_no_ground(tmp_path):
    inside = building_frame({"H": shapely.box(X + 142, Y + 172, X + 144, Y + 174)})
    path = tif(tmp_path / "a.tif", np.where(HOLE, 0.0, PLANE))
    with pytest.warns(UserWarning, match="taken for nodata"):
        found = pg.raster_values(inside, path)
    assert found["value_mean"].isna().all()
    assert found["covered_ratio"].tolist() == [0.0]


@pytest.mark.parametrize(
    ("values", "said", "match"),
    [
        (np.where(HOLE, 7.5, PLANE), {}, r"21 cells of exactly 7.5, .* nodata or ground"),
        (np.where(HOLE, 0.0, PLANE - 47), {}, r"21 cells of exactly 0, .* nodata or ground"),
        (np.where(HOLE, -1.0, PLANE - 49), {}, r"21 cells of exactly -1, .* nodata or ground"),
        (np.where(HOLE, PLANE * -100, PLANE), {}, r"which no ground has: .* resampling"),
        (PLANE * 1000, {}, "which no ground has: another unit"),
        (np.stack([PLANE, PLANE]), {}, "has 2 bands"),
        (np.stack([PLANE] * 3), {"dtype": "uint8"}, "has 3 bands"),
        (PLANE, {"dtype": "uint8"}, "holds uint8, as a hillshade"),
        (PLANE, {"units": ["fathom"]}, "states the unit 'fathom'"),
    ],
)
def test_what_is_no_height_in_metres_is_refused(tmp_path, values, said, match):
    path = tif(tmp_path / "a.tif", values, **said)
    with pytest.raises(pg.errors.LayerError, match=match):
        mean(path)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.round(PLANE * 10), {"dtype": "int16", "scales": [0.1], "offsets": [0.0]}),
        (np.round(PLANE * 100) - 3000, {"dtype": "int16", "scales": [0.01], "offsets": [30.0]}),
        (PLANE / 0.3048, {"units": ["ft"]}),
        (PLANE * 3937 / 1200, {"units": ["US survey foot"]}),
        (np.round(PLANE * 100), {"dtype": "int32", "units": ["cm"]}),
        (PLANE / 0.3048, {"crs": "EPSG:4547+8228"}),  # heights in feet by the vertical CRS
    ],
)
def test_scale_offset_and_unit_mean_the_same_in_all_functions(tmp_path, river, bed, values, said):
    path = tif(tmp_path / "a.tif", values, **said)
    plain = tif(tmp_path / "b.tif", PLANE)
    assert mean(path) == pytest.approx(mean(plain), abs=0.06)
    one, other = (
        pg.sections_from_dem(river, p, bed, n=0.05, spacing_m=40, half_width_m=20).sections
        for p in (path, plain)
    )
    assert one["elevation_m"].to_numpy() == pytest.approx(other["elevation_m"], abs=0.06)
    one, other = (pg.inundation(PROFILE, p, river, half_width_m=60) for p in (path, plain))
    # 0.05 m of rounding are 2.5 m of this slope
    assert one.flooded_m2.iloc[0] == pytest.approx(other.flooded_m2.iloc[0], abs=2.6 * 260)
    one, other = (pg.flood_levels(HOUSE, PROFILE, river, dem=p) for p in (path, plain))
    assert one["ground_m"].iloc[0] == pytest.approx(other["ground_m"].iloc[0], abs=0.06)


@pytest.mark.parametrize(
    ("factor", "shift", "dtype", "match"),
    [
        (10, 0, "int16", "are they decimetres"),
        (100, 0, "int32", "are they centimetres"),
        (1 / 0.3048, 0, "float32", "are they feet"),
        (1, 40, "float32", "heights of another system"),
    ],
)
def test_ground_in_another_unit_than_the_bed_is_refused(
    tmp_path, river, bed, factor, shift, dtype, match
):
    path = tif(tmp_path / "a.tif", np.round(PLANE * factor + shift, 1), dtype=dtype)
    with pytest.raises(pg.errors.LayerError, match=match):
        pg.sections_from_dem(river, path, bed, n=0.05, half_width_m=20)
    if not shift:
        with pytest.raises(pg.errors.LayerError, match=match):
            pg.inundation(PROFILE, path, river, half_width_m=60)


@pytest.mark.parametrize(
    "crs",
    [CRS(4547).to_wkt("WKT1_ESRI"), "EPSG:4547+5737", CRS(4547).to_wkt("WKT1_GDAL"),
     CRS.from_proj4("+proj=tmerc +lon_0=114 +x_0=500000 +ellps=GRS80 +units=m").to_wkt()],
)  # fmt: skip
def test_one_crs_in_several_writings(tmp_path, crs):
    path = tif(tmp_path / "a.tif", PLANE, crs=crs)
    if "unknown" in str(crs):  # no datum is stated: not the same
        with pytest.raises(pg.errors.CRSError, match="the layer in CGCS2000"):
            mean(path)
    else:
        assert mean(path)[0] == pytest.approx(54.99, abs=0.01)


def test_another_zone_or_datum_is_not_the_same(tmp_path):
    for other in (4549, 2435, 32650, 4526, "EPSG:4549+5737", CRS(4548).to_wkt("WKT1_ESRI")):
        with pytest.raises(pg.errors.CRSError, match="the layer in CGCS2000"):
            mean(tif(tmp_path / "a.tif", PLANE, crs=other))


def test_tiles_are_one_raster_in_all_functions(tmp_path, river, bed):
    whole = tif(tmp_path / "w.tif", PLANE)
    tiles = [tif(tmp_path / "l.tif", PLANE[:, :70]),
             tif(tmp_path / "r.tif", PLANE[:, 70:], x=X + 140)]  # fmt: skip
    across = building_frame({"A": shapely.box(X + 133, Y + 171, X + 147, Y + 181)})
    for features in (HOUSE, across):
        one, other = (pg.raster_values(features, p) for p in (whole, tiles))
        pd.testing.assert_frame_equal(one, other)
        one, other = (pg.flood_levels(features, PROFILE, river, dem=p) for p in (whole, tiles))
        pd.testing.assert_frame_equal(one, other)
    one, other = (pg.inundation(PROFILE, p, river, half_width_m=60) for p in (whole, tiles))
    assert one.geometry.iloc[0].equals(other.geometry.iloc[0])
    with pytest.raises(pg.errors.LayerError, match=r"tile missing \(1: R K0\+120.0 to K0\+260.0"):
        pg.inundation(PROFILE, tiles[0], river, half_width_m=60)
    with pytest.raises(pg.errors.LayerError, match=r"tile missing \(1: R K0\+120.0 to K0\+200.0"):
        pg.sections_from_dem(river, tiles[0], bed, n=0.05, spacing_m=40, half_width_m=20)
    with pytest.raises(pg.errors.LayerError, match="empty list of tiles"):
        pg.inundation(PROFILE, [], river)


def test_a_tile_of_one_bank_alone_is_said(tmp_path, river, bed):
    path = tif(tmp_path / "a.tif", PLANE[:74])  # ends 2 m north of the centreline
    with pytest.raises(pg.errors.LayerError, match="no ground on the right of sections"):
        pg.sections_from_dem(river, path, bed, n=0.05, spacing_m=40, half_width_m=20)


@pytest.mark.parametrize("content", ["text", "empty", "folder", "cut", "laz"])
def test_a_file_that_is_no_raster_is_one_sentence(tmp_path, river, content):
    path = tmp_path / "t.tif"
    if content == "folder":
        path.mkdir()
    elif content == "cut":
        tif(path, PLANE)
        path.write_bytes(path.read_bytes()[:90_000])
    else:
        path.write_bytes({"text": b"no tif", "empty": b"", "laz": b"LASF\0\0"}[content])
    with pytest.raises(pg.errors.LayerError, match=r"t.tif is no raster that can be read"):
        mean(path)
    with pytest.raises(pg.errors.LayerError, match=r"t.tif is no raster that can be read"):
        pg.inundation(PROFILE, path, river, half_width_m=60)


def brute_force(place, level, values, half_width_m):
    """Cells below the level of the nearest sample that hang together with the centreline."""
    east, north = np.meshgrid(EAST, NORTH)
    off = np.hypot(east[..., None] - place[:, 0], north[..., None] - place[:, 1])
    nearest = off.argmin(axis=-1)
    wet = (off.min(axis=-1) <= half_width_m) & (values < level[nearest])
    part, _ = ndimage.label(wet, np.ones((3, 3)))
    cells = shapely.box(east - 1, north - 1, east + 1, north + 1)
    course = shapely.intersects(shapely.linestrings(place), cells)
    return np.isin(part, np.setdiff1d(np.unique(part[course & wet]), [0])).sum() * CELL**2


@pytest.mark.parametrize("stretch", [200, 3000, 400_000])
def test_stretch_by_stretch_floods_what_one_look_floods(tmp_path, monkeypatch, stretch):
    monkeypatch.setattr("pinghu_geo.flood.floodplain.STRETCH_CELLS", stretch)
    monkeypatch.setattr("pinghu_geo.flood.floodplain.SQUARES", 0)
    monkeypatch.setattr("pinghu_geo.flood.floodplain.ROWS_AT_ONCE", 13)
    bend = [(20.3, 40), (150, 60.7), (240, 150), (150.5, 200), (60, 170), (30, 260.2)]
    curved = river_frame({"R": [(X + a, Y + b) for a, b in bend]})
    rough = ndimage.gaussian_filter(np.random.default_rng(5).normal(0, 30, PLANE.shape), 3)
    rough[40:50, 60:90] = -9999.0
    path = tif(tmp_path / "a.tif", rough, nodata=-9999)
    length = curved.length.iloc[0]
    profile = pd.DataFrame({"river": "R", "chainage_m": [0.0, length], "level_m": [2.0, -1.0]})
    measure = np.append(np.arange(0, length, 2.0), length)
    place = shapely.get_coordinates(
        shapely.line_interpolate_point(curved.geometry.iloc[0], measure)
    )
    wanted = brute_force(place, 2 - 3 * measure / length, np.where(rough < -500, np.inf, rough), 35)
    found = pg.inundation(profile, path, curved, half_width_m=35)
    assert found.flooded_m2.iloc[0] == pytest.approx(wanted, abs=1e-6)
    assert wanted > 2000
    assert found.geometry.iloc[0].is_valid


@pytest.mark.parametrize(
    ("factor", "unit"),
    [(10, "decimetres"), (100, "centimetres"), (1000 / 304.8, "feet"), (3, "another system")],
)
def test_floods_at_houses_need_the_ground_that_the_river_lies_in(tmp_path, river, factor, unit):
    path = tif(tmp_path / "a.tif", PLANE + 60 if factor == 3 else PLANE * factor)
    # one house is enough: the centreline tells
    with pytest.raises(pg.errors.LayerError, match=f"flood level, at the centreline.*{unit}"):
        pg.flood_levels(HOUSE, PROFILE, river, dem=path)
    with pytest.raises(pg.errors.LayerError, match=f"flood level, at the centreline.*{unit}"):
        pg.inundation(PROFILE, path, river)


def test_houses_may_stand_on_hills(tmp_path, river):
    north = np.arange(len(PLANE)) < len(PLANE) / 2 - 8  # from 16 m beside the river on
    hills = tif(tmp_path / "b.tif", PLANE + np.where(north, 160.0, 0.0)[:, None])
    assert pg.flood_levels(HOUSE, PROFILE, river, dem=hills)["freeboard_m"].gt(150).all()
    # ground that ends before the river tells nothing of the river
    bank = tif(tmp_path / "c.tif", PLANE[: len(PLANE) // 2 - 8])
    assert pg.flood_levels(HOUSE, PROFILE, river, dem=bank)["ground_m"].notna().all()


def test_whole_metres_leave_no_doubt(tmp_path):
    assert mean(tif(tmp_path / "a.tif", np.round(PLANE - 50), dtype="int16"))[3] == 1.0
    assert (
        mean(tif(tmp_path / "b.tif", np.where(HOLE, 0, np.round(PLANE - 49)), dtype="int16"))[1]
        == 0
    )


def test_depths_between_walls_are_true_where_the_file_says_what_is_not(tmp_path):
    depth = np.where(HOLE, PLANE - 52, 0.0)
    with pytest.raises(pg.errors.LayerError, match="cells of exactly 0, .* nodata or ground"):
        mean(tif(tmp_path / "a.tif", depth))
    assert mean(tif(tmp_path / "b.tif", depth, nodata=-9999))[1] == 0.0


def test_the_height_system_of_the_dem_must_be_the_bed_s(tmp_path, river, bed):
    path = tif(tmp_path / "a.tif", PLANE, crs="EPSG:4547+5737")  # Yellow Sea 1985
    options = {"n": 0.05, "half_width_m": 20}
    pg.sections_from_dem(river, path, bed.assign(datum="cnhd_1985"), **options)
    pg.sections_from_dem(river, path, bed, **options)
    for other in ("pearl_river", "yellow_sea_1956"):
        with pytest.raises(pg.errors.LayerError, match="dem: has heights in 1985"):
            pg.sections_from_dem(river, path, bed.assign(datum=other), **options)
    tiles = [tif(tmp_path / "l.tif", PLANE[:, :70], crs="EPSG:4547+5737"),
             tif(tmp_path / "r.tif", PLANE[:, 70:], x=X + 140, crs="EPSG:4547+5736")]  # fmt: skip
    with pytest.raises(
        pg.errors.LayerError, match=r"r.tif: has heights in 1956.* but l.tif in 1985"
    ):
        pg.inundation(PROFILE, tiles, river)


def test_the_height_system_of_the_sections_goes_with_the_levels(tmp_path, river, bed):
    """Levels computed above one datum are held against no ground above another."""
    ground = tif(tmp_path / "a.tif", PLANE - 3, crs="EPSG:4547+5737")  # Yellow Sea 1985
    made = pg.sections_from_dem(
        river, tif(tmp_path / "b.tif", PLANE), bed.assign(datum="pearl_river"), n=0.05,
        half_width_m=20,
    )  # fmt: skip
    assert set(made.sections["datum"]) == {"pearl_river"}
    ends = {"slope": 0.001}
    profile = pg.water_profile(made.sections, 30.0, ends)
    assert set(profile["datum"]) == {"pearl_river"}
    for call in (
        lambda p: pg.inundation(p, ground, river, half_width_m=60),
        lambda p: pg.flood_levels(HOUSE, p, river, dem=ground),
        lambda p: pg.freeboard(p, made.sections.assign(datum="cnhd_1985")),
        lambda p: pg.flood_levels(HOUSE, p, river, dem=[ground]),
    ):
        with pytest.raises(pg.errors.LayerError, match="has heights in"):
            call(profile)
        call(profile.drop(columns="datum"))
    # what only some rows state is no statement for the whole
    some = made.sections["datum"].where(made.sections["chainage_m"] > 50)
    assert "datum" not in pg.water_profile(made.sections.assign(datum=some), 30.0, ends)


@pytest.mark.parametrize("wrong", [None, 5, [None], [5.0], b"a.tif", {"a": 1}, np.zeros((3, 3))])
def test_what_is_no_name_of_a_raster_is_one_sentence(river, bed, wrong):
    options = {"n": 0.05, "half_width_m": 20}
    calls = [
        lambda: pg.raster_values(HOUSE, wrong),
        lambda: pg.sections_from_dem(river, wrong, bed, **options),
        lambda: pg.inundation(PROFILE, wrong, river),
    ]
    if wrong is not None:  # both do without
        calls += [
            lambda: pg.flood_levels(HOUSE, PROFILE, river, dem=wrong),
            lambda: pg.flood.drawn_downstream(river, dem=wrong),
        ]
    for call in calls:
        with pytest.raises(pg.errors.LayerError, match="is no name of a raster but "):
            call()


def test_tiles_may_come_as_a_tuple_or_from_a_generator(tmp_path, river):
    paths = [tif(tmp_path / "l.tif", PLANE[:, :70]),
             tif(tmp_path / "r.tif", PLANE[:, 70:], x=X + 140)]  # fmt: skip
    wanted = pg.flood_levels(HOUSE, PROFILE, river, dem=paths)
    for given in (tuple(paths), (str(p) for p in paths), map(str, paths)):
        pd.testing.assert_frame_equal(pg.flood_levels(HOUSE, PROFILE, river, dem=given), wanted)
    assert pg.flood.drawn_downstream(river, dem=(p for p in paths)).log["told_by"].tolist() == [
        "dem"
    ]


def mixed(void, *, width=3):
    """A hole of a value, as a resampling without a word of it leaves it."""
    return ndimage.uniform_filter(np.where(HOLE, float(void), PLANE), width)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (np.where(HOLE, 1000.0, PLANE), r"21 cells of exactly 1000, all others .* 30 m lower"),
        (np.where(HOLE, 100.0, PLANE), r"21 cells of exactly 100, .* lower: nodata or ground"),
        (np.where(HOLE, 3000.25, PLANE), r"21 cells of exactly 3000.25, .* 100 m lower"),
        (np.where(HOLE & np.roll(~HOLE, 1), -400.0, PLANE), r"of exactly -400, .* 30 m higher"),
        (np.where(HOLE, 17.456, PLANE), r"21 cells of exactly 17.456, .* nodata or ground"),
        (np.where(HOLE, 0.0, (PLANE - 50) / 4 + 1), r"21 cells of exactly 0, .* 0.5 m higher"),
        (mixed(0), "beside holes that lie 10 m and more beyond all others"),
        (mixed(9999, width=2), "beside holes|no ground has|nodata or ground"),
        (mixed(-9999), "which no ground has"),
        (mixed(999), "beside holes|nodata or ground"),
    ],
)
def test_holes_that_nobody_declared_are_in_doubt(tmp_path, values, match):
    with pytest.raises(pg.errors.LayerError, match=match):
        mean(tif(tmp_path / "a.tif", values))


def test_one_cell_far_below_all_others_is_in_doubt(tmp_path):
    values = PLANE.copy()
    values[63, 73] = -400.0
    with pytest.raises(pg.errors.LayerError, match="1 cells of exactly -400, .* higher"):
        mean(tif(tmp_path / "a.tif", values))
    values[63, 73] = 110.5  # a mast
    assert mean(tif(tmp_path / "b.tif", values))[2] == 110.5


@pytest.mark.parametrize(
    ("unit", "metres"),
    [
        ("feet (US)", 1200 / 3937), ("ft (US)", 1200 / 3937), ("US survey feet", 1200 / 3937),
        ("m a.s.l.", 1), ("meters above sea level", 1), ("[m]", 1), ("m AMSL", 1), ("(米)", 1),
        ("unknown", 1), ("cm asl", 0.01),
    ],
)  # fmt: skip
def test_a_unit_is_read_as_people_write_it(tmp_path, unit, metres):
    path = tif(tmp_path / "a.tif", PLANE / metres, units=[unit])
    assert mean(path)[0] == pytest.approx(mean(tif(tmp_path / "b.tif", PLANE))[0], abs=1e-6)


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"scales": [0.0]}, "states the scale 0 and offset 0"),
        ({"scales": [float("nan")]}, "states the scale nan"),
        ({"offsets": [float("inf")]}, "offset inf"),
        ({"units": ["m"], "crs": "EPSG:4547+8228"}, "the unit 'm' but a CRS with heights in foot"),
        ({"units": ["mmHg"]}, "states the unit 'mmHg', which is not known"),
        ({"crs": "EPSG:4547+5831"}, "holds depths"),
        ({"crs": 'LOCAL_CS["plan",UNIT["metre",1]]'}, "is in plan, the layer in"),
    ],
)
def test_what_a_raster_states_of_itself_must_hold(tmp_path, river, said, match):
    path = tif(tmp_path / "a.tif", PLANE, **said)
    with pytest.raises(pg.PinghuError, match=match):
        mean(path)
    with pytest.raises(pg.PinghuError, match=f"{match}|doesn't say its CRS"):
        pg.flood.drawn_downstream(river, dem=path)


@pytest.mark.parametrize(
    ("left", "right", "match"),
    [
        (1, 10, r"r.tif, l.tif the first lies 489.60 m higher .* are they decimetres"),
        (10, 1, r"l.tif, r.tif the first lies 489.60 m higher .* are they decimetres"),
        (1, 1 / 0.3048, r"r.tif, l.tif the first lies .* are they feet"),
        (1, 100, "are they centimetres"),
        (1, 1.5, r"r.tif, l.tif the first lies 27.20 m higher where they touch \(median\)\."),
    ],
)
@pytest.mark.parametrize("overlap", [0, 30])
def test_tiles_of_another_unit_or_system_don_t_meet(tmp_path, river, left, right, match, overlap):
    tiles = [tif(tmp_path / "l.tif", PLANE[:, : 70 + overlap] * left),
             tif(tmp_path / "r.tif", PLANE[:, 70:] * right, x=X + 140)]  # fmt: skip
    match = match if not overlap else match.replace("489.60", r"[\d.]+").replace("27.20", r"[\d.]+")
    for call in (
        lambda: pg.raster_values(HOUSE, tiles),
        lambda: pg.inundation(PROFILE, tiles, river, half_width_m=60),
        lambda: pg.flood.drawn_downstream(river, dem=tiles),
    ):
        with pytest.raises(pg.errors.LayerError, match=f"heights don't meet: of {match}|{match}"):
            call()


@pytest.mark.parametrize("down", [False, True])
def test_a_step_between_tiles_is_said(tmp_path, down):
    low, high = (PLANE[:75], PLANE[75:]) if down else (PLANE[:, :75], PLANE[:, 75:])
    low = tif(tmp_path / "l.tif", low)
    for step in (0.0, 0.7):
        other = tif(tmp_path / "h.tif", high + step, x=X + (0 if down else 150))
        if down:
            with rasterio.open(other, "r+") as file:
                file.transform = Affine(CELL, 0, X, 0, -CELL, Y + 150)
        if step:  # 珠江 beside 1985
            with pytest.warns(UserWarning, match=r"h.tif, l.tif the first lies 0.70 m higher"):
                pg.raster_values(HOUSE, [low, other])
        else:
            pg.raster_values(HOUSE, [low, other])


def test_steep_ground_meets_across_tiles(tmp_path):
    steep = 400 + 3.0 * (EAST - X)[None] + 0 * PLANE  # 6 m a cell
    tiles = [tif(tmp_path / "l.tif", steep[:, :75]),
             tif(tmp_path / "r.tif", steep[:, 75:], x=X + 150)]  # fmt: skip
    found = pg.raster_values(HOUSE, tiles)["value_mean"].iloc[0]
    assert found == pytest.approx(400 + 3 * 147.0, abs=0.1)


def test_tiles_beside_one_another_on_another_grid_say_how(tmp_path):
    tiles = [tif(tmp_path / "l.tif", PLANE[:, :70]),
             tif(tmp_path / "s.tif", PLANE[:, 70:], x=X + 141)]  # fmt: skip
    with pytest.raises(pg.errors.LayerError, match=r"one grid: s.tif lies 0.50 of a cell beside l"):
        pg.raster_values(HOUSE, tiles)


def test_one_number_everywhere_is_no_ground(tmp_path, river):
    path = tif(tmp_path / "a.tif", np.zeros_like(PLANE))
    for call in (
        lambda: pg.inundation(PROFILE, path, river, half_width_m=60),
        lambda: pg.flood_levels(HOUSE, PROFILE, river, dem=path),
    ):
        with pytest.raises(pg.errors.LayerError, match="is 0 m everywhere beside the river, 54 m"):
            call()
    slopes = tif(tmp_path / "s.tif", np.abs(np.random.default_rng(1).normal(0, 3, PLANE.shape)))
    with pytest.warns(UserWarning, match="lies 52 m below the flood level, .* is it the ground"):
        pg.inundation(PROFILE, slopes, river, half_width_m=60)


TILED = """crs = 4547
[layers]
buildings = "b.geojson"
rivers = { path = "r.geojson", direction = "dem", dem = ["l.tif", "r.tif"] }
[schemes."原方案"]
widths = 40
"""


def test_a_project_names_its_tiles_in_a_list(tmp_path, river):
    tif(tmp_path / "l.tif", PLANE[:, :70])
    tif(tmp_path / "r.tif", PLANE[:, 70:], x=X + 140)
    river.to_file(tmp_path / "r.geojson")  # drawn up the slope
    HOUSE.assign(floors=2, floor_area_m2=200.0).to_file(tmp_path / "b.geojson")
    (tmp_path / "project.toml").write_text(TILED, "utf-8")
    out = pg.run_project(tmp_path / "project.toml", tmp_path / "out")
    table = pg.read_layer(out / "results.gpkg", "affected", layer="affected", crs=4547)
    assert table["bank"].tolist() == ["right"]  # the river runs to the west, the house is north
    made = json.loads((out / "manifest.json").read_text("utf-8"))
    assert {"l.tif", "r.tif"} <= set(made["inputs"])
    for wrong, said in (("[]", "is an empty list of tiles"), ("[1]", "dem must be")):
        text = TILED.replace('["l.tif", "r.tif"]', wrong)
        (tmp_path / "project.toml").write_text(text, "utf-8")
        with pytest.raises(pg.PinghuError, match=said):
            pg.run_project(tmp_path / "project.toml", tmp_path / "new")


FLOODED = """crs = 4547
[layers]
buildings = "b.geojson"
rivers = "r.geojson"
[schemes."原方案"]
widths = 40
[flood]
sections = SECTIONS
dem = DEM
flows = "q.csv"
boundaries = "h.csv"
allowed_mm = 20
freeboard_m = 0
spacing_m = 40
half_width_m = 60
"""
# the same bed, as surveyors count: about the centre, from a bank, by steps
POINTS = {
    "centre": ("-6,52 -5,48 5,48 6,52", ""),
    "left_bank": ("0,52 1,48 11,48 12,52", 'origin = "left_bank", centre_m = "middle", '),
    "right_bank": ("12,52 11,48 1,48 0,52", 'origin = "right_bank", centre_m = 6, '),
    "increments": ("0,52 1,48 10,48 1,52", 'origin = "increments", centre_m = "middle", '),
    "from the right": ("6,52 5,48 -5,48 -6,52", 'order = "right_to_left", '),
}


def flooded(folder, sections, dem):
    """Levels and flooded area of a project's river."""
    text = FLOODED.replace("SECTIONS", sections).replace("DEM", dem)
    (folder / "project.toml").write_text(text, "utf-8")
    out = pg.run_project(folder / "project.toml", folder / f"out {len(list(folder.iterdir()))}")
    wet = gpd.read_file(out / "results.gpkg", layer="inundation")
    levels = pd.read_excel(out / "hydraulics.xlsx", header=2)["水位 (m)"].dropna()
    return out, wet.area.sum(), levels.tolist()


def test_a_project_takes_surveyed_sections_however_they_count_and_a_flood_s_tiles(tmp_path, river):
    ground = np.where(np.abs(NORTH - (Y + 150)) < 6, 52.0, 52.5)[:, None] - 0.002 * (EAST - X)[None]
    tif(tmp_path / "d.tif", ground)
    tif(tmp_path / "l.tif", ground[:, :70])
    tif(tmp_path / "r.tif", ground[:, 70:], x=X + 140)
    river.to_file(tmp_path / "r.geojson")
    HOUSE.assign(floors=2, floor_area_m2=200.0).to_file(tmp_path / "b.geojson")
    (tmp_path / "q.csv").write_text("河道,流量\nR,300\n", "utf-8")
    (tmp_path / "h.csv").write_text("河道,比降\nR,2‰\n", "utf-8")
    found = {}
    for name, (points, said) in POINTS.items():
        rows = points.replace(" ", "\n")
        text = "".join(f"BEGIN,{at}\n{rows}\n" for at in (0, 120, 260))
        (tmp_path / "s.hdm").write_text(text, "utf-8")
        source = f'{{ path = "s.hdm", {said}n = 0.03 }}'
        found[name] = flooded(
            tmp_path, source, '"d.tif"' if name == "centre" else '["l.tif", "r.tif"]'
        )
    made = json.loads((found["increments"][0] / "manifest.json").read_text("utf-8"))
    assert {"s.hdm", "l.tif", "r.tif"} <= set(made["inputs"])
    (_, area, levels), *others = found.values()
    assert len(levels) == 8
    assert area > 1000
    for _, wet, other in others:
        assert wet == pytest.approx(area, rel=1e-9)
        assert other == pytest.approx(levels, abs=1e-9)
    for source, said in (
        ('"s.hdm"', "without roughness"),
        ('{ path = "s.hdm", n = 0.03, origin = "left" }', "origin must be one of"),
        ('"s.hdm"\ndesign = "d.csv"', "both design and sections"),
    ):
        with pytest.raises(pg.errors.ProjectError, match=said):
            flooded(tmp_path, source, '"d.tif"')
    # counted from a bank, unsaid: asked about, in words of the project file
    rows = POINTS["left_bank"][0].replace(" ", "\n")
    (tmp_path / "s.hdm").write_text(f"BEGIN,0\n{rows}\nBEGIN,260\n{rows}\n", "utf-8")
    with pytest.raises(pg.errors.LayerError, match="one side of the centreline") as error:
        flooded(tmp_path, '{ path = "s.hdm", n = 0.03 }', '"d.tif"')
    assert error.value.hint.startswith('sections = { path = "断面.hdm", origin = "left_bank"')


# --- the kinds that were answered wrong, each in further clothes -------------------------------


def cells_below(values, level, half_width_m):
    """Area [m2] of the cells below a level that lie near the straight centreline, counted one by one.

    The plane falls to the south and the west: what is below hangs together with the centreline.
    """
    beyond = np.maximum(0.0, np.maximum(X + 20 - EAST, EAST - (X + 280)))
    off = np.hypot(beyond[None], (NORTH - (Y + 150))[:, None])
    return int(((values < level) & (off <= half_width_m)).sum()) * CELL**2


@pytest.mark.parametrize(
    ("factor", "said", "wanted"),
    [
        (1, {}, 12_076),
        # whole decimetres: ground of 53.95 m and more is 54.0 m, no lower than the water
        (10, {"dtype": "int16", "scales": [0.1]}, 11_424),
        (10, {"dtype": "int16", "scales": [0.1], "offsets": [-0.05]}, 12_744),
        (100, {"dtype": "int32", "scales": [0.01]}, 12_076),
        (1, {"dtype": "int16"}, 7_200),
        (20, {"dtype": "uint16", "scales": [0.05]}, 11_856),
    ],
)
def test_ground_as_high_as_the_water_is_dry_in_every_scale(tmp_path, river, factor, said, wanted):
    """A rounded DEM is judged as it stands: what was true before it was rounded isn't known."""
    stored = np.round(PLANE * factor) if "dtype" in said else PLANE
    path = tif(tmp_path / "a.tif", stored, **said)
    # by hand, in the file's own whole numbers
    shift = said.get("offsets", [0.0])[0]
    level = np.round((54.0 - shift) * factor, 6)
    assert cells_below(stored, level, 60) == wanted
    found = pg.inundation(PROFILE, path, river, half_width_m=60)
    assert found["flooded_m2"].tolist() == [wanted]


def test_ground_without_a_height_is_neither_flooded_nor_dry(tmp_path, river):
    """A hole of 6 x 5 cells far from the water, one in it, and one farther off than is looked."""
    whole = pg.inundation(PROFILE, tif(tmp_path / "a.tif", PLANE), river, half_width_m=60).iloc[0]
    # two caps round the river's ends lie beyond the raster by 20 m and more: segments of circles
    caps = 2 * (60**2 * np.arccos(20 / 60) - 20 * np.sqrt(60**2 - 20**2))
    assert whole["unknown_m2"] == pytest.approx(caps, rel=0.01)
    holed = PLANE.copy()
    for row in (46, 90, 20):  # 53 m north of the centreline, 35 m south of it, 105 m north
        holed[row : row + 5, 70:76] = -9999
    path = tif(tmp_path / "b.tif", holed, nodata=-9999)
    found = pg.inundation(PROFILE, path, river, half_width_m=60).iloc[0]
    assert found["unknown_m2"] - whole["unknown_m2"] == 2 * 30 * CELL**2
    # what the river runs through was wet: only there less is
    assert found["flooded_m2"] == whole["flooded_m2"] - 30 * CELL**2


@pytest.mark.parametrize(
    ("bands", "dtype", "seen"),
    [
        (2, "float32", 2), (3, "uint8", 3), (4, "uint8", 3),  # the fourth says what is there
        (3, "float32", 3), (5, "uint16", 5), (12, "int16", 12),
    ],
)  # fmt: skip
def test_a_picture_or_a_stack_is_no_ground_in_any_function(
    tmp_path, river, bed, bands, dtype, seen
):
    path = tif(tmp_path / "a.tif", np.stack([PLANE] * bands), dtype=dtype)
    for call in (
        lambda: mean(path),
        lambda: pg.sections_from_dem(river, path, bed, n=0.05, half_width_m=20),
        lambda: pg.inundation(PROFILE, path, river),
        lambda: pg.flood_levels(HOUSE, PROFILE, river, dem=path),
    ):
        with pytest.raises(pg.errors.LayerError, match=f"has {seen} bands"):
            call()


@pytest.mark.parametrize(
    "crs",
    [
        CRS(4547).to_wkt("WKT1_ESRI"),
        CRS(4547).to_wkt("WKT2_2015"),
        CRS(4547).to_wkt("WKT2_2019_SIMPLIFIED"),
        CRS(4547).to_wkt("WKT1_ESRI").replace("CGCS2000_3_Degree_GK_CM_114E", "深圳市政府测绘"),
        "EPSG:4547+5737",
        "EPSG:4547+5736",
        "EPSG:4547+3855",
        CRS("EPSG:4547+5737").to_wkt("WKT2_2019"),
    ],
)
def test_a_crs_is_known_by_what_it_does_in_every_function(tmp_path, river, bed, crs):
    path = tif(tmp_path / "a.tif", PLANE, crs=crs)
    assert mean(path)[0] == pytest.approx(54.99, abs=0.005)
    made = pg.sections_from_dem(river, path, bed, n=0.05, spacing_m=40, half_width_m=20).sections
    at = (made["chainage_m"] == 120) & (made["offset_m"] == -10)
    assert made.loc[at, "elevation_m"].tolist() == pytest.approx([54.6])  # 50 + 1.4 + 3.2
    wet = pg.inundation(PROFILE, path, river, half_width_m=60)
    assert wet["flooded_m2"].tolist() == [12_076]


PIECES = {  # columns and rows of the whole, and the stretch that is lost
    "right": ([(slice(0, 70), slice(0, 150))], "K0+120.0 to K0+260.0"),
    "left": ([(slice(70, 150), slice(0, 150))], "K0+000.0 to K0+118.0"),
    "middle": ([(slice(0, 50), slice(0, 150)), (slice(80, 150), slice(0, 150))],
               "K0+080.0 to K0+138.0"),
    "two": ([(slice(40, 70), slice(0, 150)), (slice(100, 120), slice(0, 150))], "K0+000.0 to "),
}  # fmt: skip


@pytest.mark.parametrize("lost", PIECES)
def test_whichever_tile_is_missing_is_said_with_its_stretch(tmp_path, river, bed, lost):
    given, stretch = PIECES[lost]
    tiles = [
        tif(tmp_path / f"{k}.tif", PLANE[rows, columns], x=X + CELL * columns.start)
        for k, (columns, rows) in enumerate(given)
    ]
    with pytest.raises(pg.errors.LayerError, match="is a tile missing") as error:
        pg.inundation(PROFILE, tiles, river, half_width_m=60)
    assert any(stretch in text for text in error.value.ids), error.value.ids
    with pytest.raises(pg.errors.LayerError, match="is a tile missing"):
        pg.sections_from_dem(river, tiles, bed, n=0.05, spacing_m=40, half_width_m=20)


@pytest.mark.parametrize(
    "course",
    [
        [(10, 290), (290, 10)],
        [(10, 10), (290, 290)],
        [(10, 150), (290, 150)],
        [(10, 20), (280, 60), (20, 150), (280, 280)],
    ],
    ids=["diagonal", "the other", "along", "bends"],
)
def test_no_look_at_the_ground_is_larger_than_a_stretch(tmp_path, monkeypatch, course):
    """The square around a diagonal has many times the cells that lie beside it (2.4 GB, 10 s)."""
    from pinghu_geo.flood.rasters import Rasters

    monkeypatch.setattr("pinghu_geo.flood.floodplain.STRETCH_CELLS", 500)
    looked, window = [], Rasters.window

    def measured(self, low, high):
        found = window(self, low, high)
        looked.append(found.values.size)
        return found

    monkeypatch.setattr(Rasters, "window", measured)
    river = river_frame({"R": [(X + a, Y + b) for a, b in course]})
    length = river.length.iloc[0]
    profile = pd.DataFrame({"river": "R", "chainage_m": [0.0, length], "level_m": [51.0, 51.0]})
    path = tif(tmp_path / "a.tif", np.full(PLANE.shape, 50.0))
    wet = pg.inundation(profile, path, river, half_width_m=10)
    # a strip of 20 m along the river: its corners and its overlaps are what differs
    assert wet["flooded_m2"].iloc[0] == pytest.approx(20 * length + np.pi * 100, rel=0.08)
    assert len(looked) > 2
    assert max(looked) < 1_000 < PLANE.size / 20


def test_a_grid_as_text_that_says_no_crs_is_translated(tmp_path):
    """GDAL can't change an ASC in place: gdal_edit.py would fail on it."""
    (tmp_path / "dem.asc").write_text(
        f"ncols 3\nnrows 3\nxllcorner {X}\nyllcorner {Y}\ncellsize 50\n" + "5 6 7\n" * 3
    )
    with pytest.raises(pg.errors.CRSError) as error:
        mean(tmp_path / "dem.asc")
    assert error.value.hint.startswith("gdal_translate -a_srs EPSG:4547 dem.asc dem.tif")
    with pytest.raises(pg.errors.CRSError) as error:
        mean(tif(tmp_path / "dem.tif", PLANE, crs=None))
    assert error.value.hint.startswith("gdal_edit.py -a_srs EPSG:4547 dem.tif")
