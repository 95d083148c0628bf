"""Control points are held against the CRS that they are said to be in."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS

import pinghu_geo as pg

LOCAL = np.array([[100000, 20000], [101000, 20000], [100000, 21000], [101000, 21500.0]])
TARGET = LOCAL + [413000, 2490000]
HOUSE = gpd.GeoDataFrame(index=["a"], geometry=[shapely.box(100500, 20500, 100510, 20510)])


def control(one, other):
    names = ["from_x_m", "from_y_m", "to_x_m", "to_y_m"]
    return pd.DataFrame(np.column_stack([one, other]), columns=names)


def test_sound_points_fit():
    for crs in (4547, CRS(4547).to_wkt("WKT1_ESRI"), 32649):
        shift = [500000 - 111000, 0] if crs == 32649 else [0, 0]
        fit = pg.fit_grid(control(LOCAL, TARGET + shift), crs)
        assert fit.rms_m == pytest.approx(0, abs=1e-6)
    at = pg.apply_grid(HOUSE, pg.fit_grid(control(LOCAL, TARGET), 4547)).geometry.iloc[0].centroid
    assert (at.x, at.y) == pytest.approx((513505, 2510505))


@pytest.mark.parametrize(
    ("target", "crs", "match"),
    [
        (TARGET[:, ::-1], 4547, "east and north look swapped"),
        (TARGET[:, ::-1], CRS(4547).to_wkt("WKT1_ESRI"), "east and north look swapped"),
        (TARGET + [38e6, 0], 4547, "the easting has the zone 38 in front"),
        (TARGET, 4526, "outside of its area of use"),  # 4526 wants the zone in front
        (TARGET - [0, 2490000], 4547, "outside of its area of use"),
        (TARGET + [2e6, 0], 4547, "the easting has the zone 2 in front"),
    ],
)
def test_targets_outside_their_crs_are_refused(target, crs, match):
    with pytest.raises(pg.errors.CRSError, match=match) as error:
        pg.fit_grid(control(LOCAL, target), crs)
    assert len(error.value.ids) == 4


def test_hints_of_swapped_axes_work_as_typed():
    table = control(LOCAL[:, ::-1], TARGET[:, ::-1])
    for _ in range(2):
        with pytest.raises((pg.errors.CRSError, pg.errors.LayerError)) as error:
            pg.fit_grid(table, 4547)
        names = {"control": table}
        exec(error.value.hint, names)
        table = names["control"]
    assert pg.fit_grid(table, 4547).rms_m == pytest.approx(0, abs=1e-6)


FIVE = np.vstack([LOCAL, [[100500, 20500]]])


@pytest.mark.parametrize("point", range(5))
@pytest.mark.parametrize("off", [(3.0, 0.0), (0.0, -50.0), (5000.0, 0.0)])
def test_one_point_that_is_off_is_named(point, off):
    target = FIVE + [413000, 2490000.0]
    target[point] += off
    table = control(FIVE, target).set_axis([f"K{k}" for k in range(5)])
    said = rf"{np.hypot(*off):,.1f} m off.*others fit to 0.000 m \(1: K{point}\)"
    with pytest.raises(pg.errors.LayerError, match=said) as error:
        pg.fit_grid(table, 4547)
    names = {"control": table}
    exec(error.value.hint.partition(": ")[2], names)
    assert pg.fit_grid(names["control"], 4547).rms_m == pytest.approx(0, abs=1e-6)


def test_points_that_are_all_a_little_off_fit():
    noise = np.array([[0.4, -0.3], [-0.5, 0.2], [0.1, 0.5], [0.3, -0.4], [-0.3, 0.0]])
    fit = pg.fit_grid(control(FIVE, FIVE + [413000, 2490000] + 3 * noise), 4547)
    assert 0.5 < fit.rms_m < 3


@pytest.mark.parametrize(
    ("factor", "match"),
    [(0.3048, "in feet"), (1000.0, "in km"), (0.001, "in mm"), (0.5, "no two grids in metres")],
)
def test_a_source_in_another_unit_is_said(factor, match):
    with pytest.raises(pg.errors.LayerError, match=match):
        pg.fit_grid(control(FIVE / factor, FIVE + [413000, 2490000]), 4547)


def test_a_layer_far_from_the_control_points_is_refused():
    fit = pg.fit_grid(control(LOCAL, TARGET), 4547)
    swapped = HOUSE.set_geometry(shapely.transform(HOUSE.geometry.array, lambda xy: xy[:, ::-1]))
    with pytest.raises(pg.errors.CRSError, match="beyond the control points.*look swapped"):
        pg.apply_grid(swapped, fit)
    with pytest.raises(pg.errors.CRSError, match="reaches 500 km beyond"):
        pg.apply_grid(HOUSE.translate(5e5).to_frame("geometry"), fit)
    assert len(pg.apply_grid(HOUSE.iloc[:0], fit)) == 0
    near = pg.apply_grid(HOUSE.translate(8e3).to_frame("geometry"), fit)
    assert near.geometry.iloc[0].centroid.x == pytest.approx(521505)


@pytest.mark.parametrize("pair", [(0, 1), (2, 4), (3, 5), (1, 5)])
def test_two_targets_that_are_exchanged_are_named(pair):
    points = np.vstack([LOCAL, [[100500, 20500], [101500, 20200]]])
    targets = points + [413000, 2490000] + np.linspace(0, 0.03, 12).reshape(6, 2)
    table = control(points, targets)
    assert pg.fit_grid(table, 4547).rms_m < 0.03
    table.loc[list(pair), ["to_x_m", "to_y_m"]] = targets[list(pair)[::-1]]
    with pytest.raises(pg.errors.LayerError, match="two points exchanged") as refused:
        pg.fit_grid(table, 4547)
    assert f"(2: {pair[0]}, {pair[1]})" in str(refused.value)


@pytest.mark.parametrize("many", [2, 3, 5])
def test_points_on_one_line_that_may_be_mirrored_are_refused(many):
    points = np.column_stack([100000 + np.arange(many) * 1000.0, 20000 + np.arange(many) * 500.0])
    targets = points + [413000, 2490000]
    assert pg.fit_grid(control(points, targets), 4547).rms_m < 1e-6
    # with axes swapped they fit to 0.000 m and lay what is beside the line on its other side
    with pytest.raises(pg.errors.LayerError, match=r"on one line and turns by -37°"):
        pg.fit_grid(control(points[:, ::-1], targets), 4547)
    if many > 2:
        with pytest.raises(pg.errors.LayerError, match="all points on one line"):
            pg.fit_grid(control(targets, targets), 4547, method="helmert", source_crs=4547)


def test_a_zone_in_front_of_the_source_is_part_of_its_grid_and_of_its_layers():
    ahead = gpd.GeoDataFrame(geometry=HOUSE.geometry.translate(38e6, 0))
    fit = pg.fit_grid(control(LOCAL + [38e6, 0], TARGET), 4547)
    at = pg.apply_grid(ahead, fit).geometry.iloc[0].centroid
    assert (at.x, at.y) == pytest.approx((513505, 2510505))
    with pytest.raises(pg.errors.CRSError, match="km beyond the control points"):
        pg.apply_grid(HOUSE, fit)
    table = control(TARGET + [38e6, 0], TARGET)
    with pytest.raises(pg.errors.CRSError, match="the easting has the zone 38 in front"):
        pg.fit_grid(table, 4547, method="helmert", source_crs=4547)
