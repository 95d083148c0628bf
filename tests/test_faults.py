import geopandas as gpd
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from conftest import CRS, building_frame

BOW = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])


@pytest.fixture
def clean():
    return building_frame(
        {f"B{k}": shapely.box(513000 + 20 * k, 2510000, 513010 + 20 * k, 2510010) for k in range(6)},
        floors=3.0, floor_area_m2=300.0, structure="concrete", use="residential",
        title="registered", tenure="private", owner="甲", tenants=1.0,
    )  # fmt: skip


def shape(frame, *new):
    return frame.set_geometry([*new, *frame.geometry[len(new) :]], crs=frame.crs)


def test_the_sample_has_only_the_faults_put_there(sample):
    found = pg.check(sample["buildings"])
    assert set(found["fault"]) == {"null_value"}
    assert set(found["field"]) == {"floor_area_m2"}
    for name in ("parcels", "rivers", "zones"):
        assert pg.check(sample[name]).empty
    for name in ("rates", "segments"):
        assert set(pg.check(sample[name], name)["severity"]) <= {"note"}


def test_what_it_is_has_to_be_known(clean):
    with pytest.raises(pg.errors.LayerError, match=r"(?s)can't tell.*pg.check\(frame"):
        pg.check(clean.rename_axis("x"))


def test_repair_mends_what_has_one_answer_and_logs_it(clean):
    line = shapely.LineString([(0, 50), (9, 50)])
    mixed = shapely.GeometryCollection([shapely.box(0, 50, 10, 60), line])
    bad = shape(clean, BOW, mixed, shapely.force_3d(shapely.box(0, 90, 10, 99), 7.0))
    before = bad.copy()
    layer, log = pg.repair(bad)
    assert log["id"].tolist() == ["B0", "B1", "B2"]
    assert log["change"].tolist() == ["重建无效图形", "去除图形集合中的点线", "去除高程"]
    assert log["area_after_m2"].tolist() == [50, 100, 90]
    assert layer.index.equals(bad.index)
    assert layer.is_valid.all()
    assert layer.geometry.iloc[3] == clean.geometry.iloc[3]
    pd.testing.assert_series_equal(bad.geometry.to_wkt(), before.geometry.to_wkt())
    again, nothing = pg.repair(layer)
    assert nothing.empty
    assert isinstance(again, gpd.GeoDataFrame)


def test_repair_leaves_what_nothing_would_be_left_of(clean):
    spike = shapely.Polygon([(0, 0), (10, 0), (0, 0)])
    layer, log = pg.repair(shape(clean, spike))
    assert log.empty
    assert layer.geometry.iloc[0].equals_exact(spike, 0)
    assert "zero_area" in set(pg.check(layer)["fault"])


def test_repaired_layers_can_be_computed_with(straight):
    houses = building_frame({"B": BOW}, floors=1.0)
    mended = pg.repair(houses).layer
    assert pg.affected(mended, pg.red_line(straight, 20.0), straight)["inside_m2"].tolist() == [50]


def test_rivers_are_not_polygons(straight):
    assert pg.check(straight.set_crs(CRS, allow_override=True).iloc[:0]).empty
    assert pg.repair(straight).log.empty


def test_a_blank_wall_of_a_form_is_the_wall_that_is_there():
    """The form for widths has columns for walls that few fill in: that is no gap."""
    table = pd.DataFrame({"river": "A", "chainage_m": [0.0, 100.0], "left_m": 15.0, "right_m": 15.0,
                          "wall_left": None, "wall_right": [None, "vertical"]})  # fmt: skip
    assert pg.check(table, "widths").empty
    lost = pg.check(table.assign(left_m=[15.0, None]), "widths")
    assert lost[["fault", "field"]].to_numpy().tolist() == [["null_value", "left_m"]]
    assert lost["advice"].tolist() == ["补填"]  # and nothing of houses that may stay


FORMS = {
    "rates": {"use": ["residential"], "structure": None, "building_yuan_m2": [9000.0]},
    "boundaries": {"river": ["A"], "boundary": ["normal"], "slope": [0.002], "level_m": None},
    "design": {"river": ["A"], "chainage_m": [0.0], "bed_level_m": [4.0], "bank_level_m": [8.0],
               "n": [0.03], "left_m": [9.0], "right_m": [9.0], "berm_m": None, "left_top_m": None},
    "segments": {"river": ["A"], "from_m": [0.0], "to_m": [9.0], "group": ["1"], "bank": None},
}  # fmt: skip


@pytest.mark.parametrize("what", FORMS)
def test_what_a_form_offers_and_nobody_needs_is_no_gap(what):
    """A hint for each blank column of our own form hid the two errors among them."""
    assert pg.check(pd.DataFrame(FORMS[what]), what).empty


def test_what_is_not_known_of_a_house_is_a_gap():
    evidence = pd.DataFrame({"building_id": ["A", "B"], "sewage_ok": [True, None]})
    found = pg.check(evidence, "evidence")
    assert found[["fault", "field"]].to_numpy().tolist() == [["null_value", "sewage_ok"]]
