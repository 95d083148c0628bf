"""Many designs at once: what `affected` says of each, and geometry by hand."""

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

import pinghu_geo as pg
from pinghu_geo.redline.bands import product

OPTIONS = [{}, {"corners": "mitre"}, {"ends": "round"}, {"interpolation": "step"}]


def rivers_of(*lines):
    index = pd.Index([f"河{k}" for k in range(len(lines))], name="river")
    return gpd.GeoDataFrame(geometry=[shapely.LineString(x) for x in lines], index=index, crs=4547)


def houses_of(shapes, **columns):
    index = pd.Index([f"B{k:03d}" for k in range(len(shapes))], name="building_id")
    return gpd.GeoDataFrame(columns, geometry=list(shapes), index=index, crs=4547)


def widths_of_design(rivers, left, right, stations=5):
    rows = []
    for name, line in rivers.geometry.items():
        at = np.linspace(0, line.length, stations)
        rows.append(pd.DataFrame({"river": name, "chainage_m": at}))
    table = pd.concat(rows, ignore_index=True)
    return table.assign(left_m=left, right_m=right)


@pytest.mark.parametrize("inner", [1, 3, 20, 700])
@pytest.mark.parametrize(("rows", "columns"), [(0, 5), (1, 1), (7, 1000), (300, 301), (500, 0)])
def test_a_product_in_blocks_is_the_product(rows, inner, columns):
    # of whole numbers, which no BLAS multiplies and no order of summing rounds
    rng = np.random.default_rng(rows + inner)
    a, b = (rng.integers(-9, 9, size) for size in ((rows, inner), (inner, columns)))
    assert np.array_equal(product(a.astype(float), b.astype(float)), a @ b)


def test_by_hand():
    rivers = rivers_of([(0, 0), (100, 0)])
    houses = houses_of(
        [shapely.box(10, 5, 20, 15), shapely.box(50, -30, 60, -20), shapely.box(80, 0, 90, 4)],
        floors=[2.0, 1.0, 3.0],
    )
    ends = {"river": ["河0", "河0"], "chainage_m": [0.0, 100.0]}
    tables = {
        "窄": pd.DataFrame(ends | {"left_m": [8.0, 8.0], "right_m": [8.0, 8.0]}),
        "斜": pd.DataFrame(ends | {"left_m": [0.0, 100.0], "right_m": [25.0, 25.0]}),
    }
    with pytest.warns(UserWarning, match="floor area of 3 of 3 buildings is estimated"):
        found = pg.assess_many(tables, houses, rivers)
    # 窄: 10 x 3 and all of the third; 斜: below the diagonal, from 5 up, 10 x 5, all
    assert found.inside_m2.to_numpy() == pytest.approx(np.array([[30, 0, 40], [87.5, 50, 40]]))
    assert found.totals["n_buildings"].tolist() == [2, 3]
    assert found.totals["n_full"].tolist() == [1, 1]
    assert found.totals["demolish_floor_area_m2"].tolist() == pytest.approx([320, 420])
    assert found.totals["estimated_m2"].tolist() == pytest.approx([320, 420])
    assert found.added("斜", baseline="窄").tolist() == ["B001"]
    assert found.saved("窄", baseline="斜").tolist() == ["B001"]
    assert found.by_node.groupby("design", sort=False).sum(min_count=1).equals(found.totals)


def zigzag(rng, n, turn):
    head = np.cumsum(rng.normal(0, turn, n))
    step = rng.uniform(4, 30, n)[:, None]
    return np.cumsum(np.stack([np.cos(head), np.sin(head)], axis=1) * step, axis=0)


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    turn=st.sampled_from([0.1, 0.4, 0.8]),
    option=st.sampled_from(OPTIONS),
    east=st.sampled_from([0.0, 5e5, 3.85e7]),
)
@example(seed=4909, turn=0.4, option={"ends": "round"}, east=0.0)  # GEOS couldn't clip the line
def test_each_design_is_what_affected_says(seed, turn, option, east):
    """Tight bends, folds, hairpins and a second river across: overlaps of any kind."""
    rng = np.random.default_rng(seed)
    one = zigzag(rng, 8, turn)
    other = zigzag(rng, 6, turn) @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + [30, -30]
    rivers = rivers_of(*(xy + [east, east / 10] for xy in (one, other)))
    if not rivers.geometry.is_simple.all():
        return
    corners = np.vstack([one, other])
    centres = rng.uniform(corners.min(axis=0) - 20, corners.max(axis=0) + 20, (60, 2))
    shapes = shapely.buffer(
        shapely.points(centres + [east, east / 10]), rng.uniform(1, 15, 60), quad_segs=1
    )
    houses = houses_of(shapes, floor_area_m2=rng.uniform(50, 500, 60))
    n = 10
    tables = {
        f"d{k}": widths_of_design(rivers, *np.round(rng.uniform(2, 14, (2, n)), 2))
        for k in range(4)
    }
    rates = pd.DataFrame({"building_yuan_m2": [1000.0]}, index=["R"])
    found = pg.assess_many(tables, houses, rivers, rates=rates, partial_rule="share", **option)
    for name, table in tables.items():
        line = pg.red_line(rivers, table, **option)
        hit = pg.affected(houses, line, rivers, partial_rule="share")
        inside = found.inside_m2.loc[name].reindex(houses.index, fill_value=0.0)
        expected = hit["inside_m2"].reindex(houses.index, fill_value=0.0)
        assert np.abs(inside - expected).max() < 1e-6
        sums = found.totals.loc[name]
        if (np.abs(expected[expected > 0]) > 1e-5).all():
            for column in ("n_buildings", "n_full", "n_partial", "demolish_floor_area_m2"):
                assert sums[column] == pytest.approx(pg.totals(hit)[column].iloc[0], abs=1e-4)
        cost = pg.compensation(hit, rates)["cost_yuan"].sum()
        assert sums["cost_yuan"] == pytest.approx(cost, abs=0.1)


def test_designs_on_other_stations_and_rivers_are_evaluated_in_groups():
    rivers = rivers_of([(0, 0), (200, 0)], [(0, 100), (200, 100)])
    houses = houses_of([shapely.box(20, 6, 30, 16), shapely.box(20, 106, 30, 116)])
    both = widths_of_design(rivers, 8.0, 8.0)
    tables = {
        "b": both,
        "a": widths_of_design(rivers, 9.0, 9.0, stations=7),
        "one": both[both["river"] == "河1"],
    }
    found = pg.assess_many(tables, houses, rivers)
    assert found.inside_m2.index.tolist() == ["b", "a", "one"]
    assert found.inside_m2.to_numpy() == pytest.approx(np.array([[20, 20], [30, 30], [0, 20]]))
    long = pd.concat([t.assign(design=k) for k, t in tables.items()])
    again = pg.assess_many(long.reset_index(drop=True), houses, rivers)
    pd.testing.assert_frame_equal(again.totals, found.totals)


def test_a_design_that_takes_nothing_stays_in_the_tables():
    rivers = rivers_of([(0, 0), (100, 0)])
    houses = houses_of([shapely.box(20, 6, 30, 16)])
    tables = {w: widths_of_design(rivers, float(w), 5.0) for w in ("5", "9")}
    found = pg.assess_many(tables, houses, rivers)
    assert found.totals["n_buildings"].tolist() == [0, 1]
    none = pg.assess_many({"5": tables["5"]}, houses, rivers)
    assert none.totals["n_buildings"].tolist() == [0]


def test_faults_name_the_design():
    rivers = rivers_of([(0, 0), (100, 0)])
    houses = houses_of([shapely.box(20, 6, 30, 16)])
    good = widths_of_design(rivers, 8.0, 8.0)
    with pytest.raises(pg.errors.LayerError, match="no design to assess"):
        pg.assess_many({}, houses, rivers)
    with pytest.raises(pg.errors.LayerError, match="lacks.*design"):
        pg.assess_many(good, houses, rivers)
    nameless = pd.concat([good.assign(design="d"), good.assign(design=None)], ignore_index=True)
    with pytest.raises(
        pg.errors.LayerError, match=r"(?s)rows without design \(5: 5, 6, 7, 8, 9\).*dropna"
    ):
        pg.assess_many(nameless, houses, rivers)
    with pytest.raises(pg.errors.LayerError, match=r"single chainage for a stretch.*d2 河0"):
        pg.assess_many({"d1": good, "d2": good.head(1)}, houses, rivers)
    with pytest.raises(pg.errors.LayerError, match=r"0 on both sides throughout.*d2 河0"):
        pg.assess_many({"d1": good, "d2": good.assign(left_m=0, right_m=0)}, houses, rivers)
    found = pg.assess_many({"d1": good, "d2": good}, houses, rivers)
    with pytest.raises(pg.errors.LayerError, match="'d3' is no design"):
        found.saved("d3", "d1")


def test_warnings_are_none_where_floor_areas_are_known():
    rivers = rivers_of([(0, 0), (100, 0)])
    houses = houses_of([shapely.box(20, 6, 30, 16)], floor_area_m2=[100.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = pg.assess_many({"d": widths_of_design(rivers, 8.0, 8.0)}, houses, rivers)
    assert "floor_area_m2" in found.buildings
    assert "d" in found._repr_html_()


def test_widths_that_change_at_once_in_a_bend():
    """The bend is closed as wide as the wider of both, as `red_line` draws it; rows in any order."""
    rivers = rivers_of([(0, 0), (60, 0), (90, 50)])
    houses = houses_of([shapely.box(x, y, x + 4, y + 4) for x in (52, 58, 64) for y in (-14, -8)])
    at = [0.0, 60.0, 60.0, rivers.length.iloc[0]]
    table = pd.DataFrame({"river": "河0", "chainage_m": at})
    tables = {
        "wider": table.assign(left_m=5.0, right_m=[6.0, 6.0, 13.0, 13.0]),
        "narrower": table.assign(left_m=5.0, right_m=[12.0, 12.0, 7.0, 7.0]),
        "even": table.assign(left_m=5.0, right_m=9.0),
    }
    found = pg.assess_many(tables, houses, rivers)
    for name, one in tables.items():
        hit = pg.affected(houses, pg.red_line(rivers, one), rivers)["inside_m2"]
        expected = hit.reindex(found.inside_m2.columns, fill_value=0.0)
        assert found.inside_m2.loc[name].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-6)
    long = pd.concat([t.assign(design=k) for k, t in tables.items()], ignore_index=True)
    mixed = long.sort_values(["chainage_m", "design"], kind="stable", ignore_index=True)
    again = pg.assess_many(mixed, houses, rivers)
    pd.testing.assert_frame_equal(again.inside_m2.loc[found.inside_m2.index], found.inside_m2)
