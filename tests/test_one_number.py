"""A parameter that is one number is refused where it is none: a blank cell's NaN computes silently."""

import datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from conftest import river_frame

RIVERS = river_frame({"A": [(0, 0), (1000, 0)]})
LINE = pg.red_line(RIVERS, 10)
HOUSES = gpd.GeoDataFrame(
    {"floors": [2.0]},
    index=pd.Index(["H"], name="building_id"),
    geometry=[shapely.box(100, 2, 110, 7)],
    crs=RIVERS.crs,
)
HIT = pg.affected(HOUSES, LINE, RIVERS)
ZONES = gpd.GeoDataFrame(
    {"kind": ["renewal"]},
    index=pd.Index(["Z"], name="zone_id"),
    geometry=[shapely.box(90, 0, 120, 20)],
    crs=RIVERS.crs,
)
DESIGN = pd.DataFrame(
    {"river": "A", "chainage_m": [0.0, 1000.0], "bed_level_m": [50.0, 48.0], "n": 0.03}
).assign(bank_level_m=[55.0, 53.0], left_m=10.0, right_m=10.0)
SECTIONS = pg.design_sections(DESIGN)
FLOOD = (SECTIONS, 100.0, {"slope": 0.002})

CALLS = {
    "survey_tolerance_m": lambda v: pg.affected(HOUSES, LINE, RIVERS, survey_tolerance_m=v),
    "gap_m": lambda v: pg.node_ids(HIT, gap_m=v),
    "max_length_m": lambda v: pg.node_ids(HIT, max_length_m=v),
    "spacing_m": lambda v: pg.widths_of(LINE, RIVERS, spacing_m=v),
    "least_ratio": lambda v: pg.clearing(HIT, ZONES, least_ratio=v),
    "arc_step_deg": lambda v: pg.red_line(RIVERS, 10, arc_step_deg=v),
    "station_m": lambda v: pg.command_map(HIT, LINE, RIVERS, station_m=v),
    "expansion": lambda v: pg.water_profile(*FLOOD, expansion=v),
    "allowed_mm": lambda v: pg.building_rises(HIT, *FLOOD, RIVERS, allowed_mm=v),
    "allowed_mm of rules": lambda v: pg.retention_verdict(
        HIT,
        pd.DataFrame({"rise_alone_mm": [1.0]}, index=HIT.index),
        limits={"allowed_mm": v, "freeboard_m": 0},
    ),
}


@pytest.mark.parametrize("value", [np.nan, "20", None, True, pd.NA])
@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_number_is_refused_by_name(name, value):
    with pytest.raises(pg.PinghuError, match=f"{name.split()[0]}=.* is no number"):
        CALLS[name](value)


@pytest.mark.parametrize("name", CALLS)
def test_what_is_below_nothing_is_refused(name):
    with pytest.raises(pg.PinghuError, match="-"):
        CALLS[name](-1.0)


def test_numbers_of_any_kind_are_taken():
    for value in (0, 1, np.float32(0.5), np.int64(1), 0.25):
        assert len(pg.affected(HOUSES, LINE, RIVERS, survey_tolerance_m=value)) == 1


def test_two_discharges_that_begin_at_one_place_are_refused():
    flows = pd.DataFrame({"river": "A", "chainage_m": 0.0, "discharge_m3s": [50.0, 100.0]})
    with pytest.raises(pg.PinghuError, match="several discharges of A"):
        pg.water_profile(SECTIONS, flows, {"slope": 0.002})
    same = pg.water_profile(SECTIONS, flows.assign(discharge_m3s=70.0), {"slope": 0.002})
    assert same["discharge_m3s"].tolist() == [70.0, 70.0]
    named = flows.assign(profile=["P20", "P50"])
    both = pg.water_profile(SECTIONS, named, {"slope": 0.002})
    assert sorted(both["discharge_m3s"]) == [50.0, 50.0, 100.0, 100.0]


def test_a_level_and_a_slope_are_refused_unless_the_boundary_says_which_holds():
    both = {"level_m": 52.0, "slope": 0.002}
    with pytest.raises(pg.PinghuError, match="several of level_m, slope and joins"):
        pg.water_profile(SECTIONS, 100.0, both)
    levels = [
        pg.water_profile(SECTIONS, 100.0, both | {"boundary": kind})["level_m"].iloc[-1]
        for kind in ("level", "normal")
    ]
    assert levels[0] == pytest.approx(52.0)
    alone = pg.water_profile(SECTIONS, 100.0, {"slope": 0.002})["level_m"].iloc[-1]
    assert levels[1] == pytest.approx(alone)


def test_a_column_of_its_own_meaning_is_no_misspelling_of_another():
    """The cure was to rename bed_level_m, which is needed as well, to bank_level_m."""
    lacking = DESIGN.drop(columns="bank_level_m")
    with pytest.raises(pg.PinghuError, match="lacks the column 'bank_level_m'") as told:
        pg.design_sections(lacking)
    assert "rename" not in told.value.hint
    with pytest.raises(pg.PinghuError) as told:
        pg.design_sections(lacking.assign(banklevel_m=55.0))
    cured = eval(told.value.hint.split("=", 1)[1], {"design": lacking.assign(banklevel_m=55.0)})
    assert len(pg.design_sections(cured)) == len(SECTIONS)


WRITTEN = {"2018年6月1日": True, "2018-06-01": True, "2018/6/1": True, "2018.6.1": True,
           "20180601": True, "2018-06-01 08:30": True, pd.Timestamp("2018-06-01"): True,
           datetime.date(2018, 6, 1): True, "06/01/2018": False, "6/1/18": False, "18-6-1": False,
           "6月1日": False, "Jun 1 2018": False, "2018-13-01": False}  # fmt: skip


@pytest.mark.parametrize("said", WRITTEN)
def test_dates_that_could_be_several_days_are_refused_and_chinese_ones_read(said):
    """06/01/2018 was taken for 1 June, 18-6-1 for a day of 2001; 2018年6月1日 was refused."""
    tasks = pg.campaign_tasks(HIT.assign(tenants=0))
    rows = {"river": ["A"], "from_m": [0.0], "to_m": [1000.0], "needed_by": [said]}
    asked = {"handover": pd.DataFrame(rows), "start": "2018-01-01", "rivers": RIVERS}
    if not WRITTEN[said]:
        with pytest.raises(pg.PinghuError, match="which is no date"):
            pg.schedule(tasks.nodes, **asked)
        return
    plan = pg.schedule(tasks.nodes, **asked)
    assert plan.nodes["needed_by"].tolist() == [pd.Timestamp("2018-06-01")]


def test_a_share_in_percent_is_refused():
    """A share of 50 holds for no building: none was in a zone, and nobody said so."""
    with pytest.raises(pg.PinghuError, match="least_ratio=50 is a share above 1") as told:
        pg.clearing(HIT, ZONES, least_ratio=50)
    given = eval(f"dict({told.value.hint})")
    assert pg.clearing(HIT, ZONES, **given)["in_project"].all()


def test_a_bed_that_is_not_as_wide_as_its_walls_leave_is_refused():
    """A trapezoid of a bed of 10 m without side_slope was drawn as a rectangle of 20 m."""
    for change in ({"bed_width_m": 10.0}, {"bed_width_m": 16.0, "side_slope": 1.5}):
        with pytest.raises(pg.PinghuError, match="states a bed of 1"):
            pg.design_sections(DESIGN.assign(**change))
    agreed = DESIGN.assign(bed_width_m=10.0, side_slope=1.0)  # 5 m high, 10 m to each side
    alone = agreed.drop(columns=["left_m", "right_m"])
    assert pg.design_sections(agreed).equals(pg.design_sections(alone))
    assert pg.design_sections(agreed)["offset_m"].tolist()[:4] == [-10, -5, 5, 10]


def test_walls_that_lean_over_the_water_are_refused():
    with pytest.raises(pg.PinghuError, match="side slopes below 0"):
        pg.design_sections(DESIGN.assign(side_slope=-0.5))


def test_a_bed_that_is_stated_goes_with_the_walls_that_move():
    stated = DESIGN.assign(bed_width_m=20.0)
    widths = pd.DataFrame({"river": "A", "chainage_m": [0.0, 1000.0], "left_m": 15.0})
    widths["right_m"] = 15.0
    moved = pg.moved_design(stated, widths, widths.assign(left_m=13.0, right_m=16.0), RIVERS)
    assert (
        moved[["left_m", "right_m", "bed_width_m"]].to_numpy().tolist() == [[8.0, 11.0, 19.0]] * 2
    )
    assert len(pg.design_sections(moved)) == len(SECTIONS)


def test_walls_that_only_the_bed_tells_move_as_those_that_are_stated():
    """A KeyError without left_m; where it was blank, the bed grew narrower about its middle."""
    stated = DESIGN.assign(bed_width_m=10.0, side_slope=1.0)  # 10 m to each side
    widths = pd.DataFrame({"river": "A", "chainage_m": [0.0, 1000.0], "left_m": 15.0})
    widths["right_m"] = 15.0
    after = widths.assign(left_m=13.0, right_m=16.0)
    wanted = pg.design_sections(pg.moved_design(stated, widths, after, RIVERS))
    assert wanted["offset_m"].tolist()[:4] == [-8, -3, 6, 11]
    blank = stated.assign(left_m=[np.nan, 10.0])
    for told in (stated.drop(columns=["left_m", "right_m"]), blank):
        moved = pg.moved_design(told, widths, after, RIVERS)
        assert pg.design_sections(moved).equals(wanted)


def test_metres_that_are_called_degrees_get_a_cure_that_works():
    """The cure was to turn metres, as if they were degrees, into the grid of another place."""
    at_home = HOUSES.set_geometry(HOUSES.translate(510_000, 2_510_000))
    river = river_frame({"A": [(510_000, 2_510_000), (511_000, 2_510_000)]})
    named = at_home.set_crs(4326, allow_override=True)
    with pytest.raises(pg.PinghuError, match="says that it is in degrees") as told:
        pg.affected(named, pg.red_line(river, 10), river)
    cured = eval(told.value.hint.split("=", 1)[1].split("#")[0], {"buildings": named})
    assert len(pg.affected(cured, pg.red_line(river, 10), river)) == 1


def test_a_lease_that_never_ends_has_a_date():
    people = pd.DataFrame(
        {"building_id": ["H"], "lease_end": ["9999-12-31"]},
        index=pd.Index(["T"], name="tenant_id"),
    )
    found = pg.campaign_tasks(HIT, tenants=people).tenants["lease_end"]
    assert found.tolist() == [pd.Timestamp("9999-12-31")]
    log = pd.DataFrame({"building_id": ["H"], "stage": ["survey"], "date": ["9999-12-31"]})
    with pytest.raises(pg.PinghuError, match="can't be read for certain"):
        pg.progress_state(log, pg.campaign_tasks(HIT.assign(tenants=0)).buildings)


@pytest.mark.parametrize(
    "call",
    [lambda: pg.affected(None, LINE, RIVERS), lambda: pg.affected(HOUSES, LINE, rivers=None),
     lambda: pg.compensation(HIT, None), lambda: pg.water_profile(None, 100.0, {"slope": 0.002}),
     lambda: pg.design_sections(None), lambda: pg.red_line(None, 10)],
)  # fmt: skip
def test_none_is_no_table(call):
    """What a lookup that found nothing hands on ended in a traceback of ours."""
    with pytest.raises(pg.PinghuError, match="is no table but NoneType"):
        call()
