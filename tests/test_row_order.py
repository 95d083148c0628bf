"""Results don't depend on the order of rows: every layer shuffled gives the same answer per id.

The places are drawn so that nearly everything ties: houses in the middle between rivers and between
zones, nodes as far from one gap as from the other, blockers of one day.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import pinghu_geo as pg
from conftest import building_frame, river_frame

# three parallel rivers 40 m apart and a cross between them: squares of 10 m on whole metres
RIVERS = river_frame(
    {"乙": [(0, 40), (400, 40)], "甲": [(0, 0), (400, 0)], "丙": [(0, 80), (400, 80)]}
)
HOUSES = building_frame(
    {f"H{k}": shapely.box(x, y, x + 10, y + 10)
     for k, (x, y) in enumerate((x, y) for x in range(10, 400, 60) for y in (15, 55, 2, 28, 68))},
    floors=2.0, use="residential", tenants=1.0, tenure="private",
)  # fmt: skip
# each zone holds half of the houses of a row, from the left or the right; some twice over
ZONES = gpd.GeoDataFrame(
    {"kind": ["renewal", "renewal", "other", "renewal"], "payer": ["丁", "戊", "己", "庚"]},
    index=pd.Index(["Z9", "Z10", "Z1", "Z2"], name="zone_id"),
    geometry=[shapely.box(x, 0, x + 60, 90) for x in (15, 75 - 120, 75, 15)],
    crs=RIVERS.crs,
)
STAGES = ("摸底", "谈判")
LOG = pd.DataFrame(
    [(h, s, f"2018-01-{k + 2:02d}", w) for h, w in zip(HOUSES.index, "乙丙丁戊甲" * 7, strict=True)
     for k, s in enumerate(STAGES)],
    columns=["building_id", "stage", "date", "blocker"],
)  # fmt: skip


def told(rivers, houses, zones, log):
    """What each step says, by id."""
    hit = pg.affected(houses, pg.red_line(rivers, 25.0), rivers)
    hit = hit.join(pg.clearing(hit, zones))
    hit["parcel_id"] = pg.redline.belongs_to(hit, zones)
    hit["node_id"] = pg.node_ids(hit, gap_m=50, max_length_m=120, rivers=rivers)
    tasks = pg.campaign_tasks(hit.drop(columns=["in_project"]).assign(cleared_by="本项目"),
                              gap_m=50, max_length_m=120, rivers=rivers)  # fmt: skip
    state = pg.progress_state(log, tasks.buildings, as_of="2018-03-01")
    plan = pg.schedule(tasks.nodes, start="2018-01-02", work=0.0)
    watched = pg.supervision(plan.activities, state, tasks.buildings)
    ends = gpd.GeoDataFrame(geometry=hit.centroid, crs=hit.crs)
    return {
        "affected": hit, "points": pg.locate(ends, rivers), "all": pg.locate(houses, rivers),
        "tasks": tasks.buildings, "nodes": tasks.nodes, "stage": state.nodes,
        "watched": watched.nodes, "joins": pg.river.confluences(rivers, tolerance_m=50)
        .set_index(["tributary", "end"]),
    }  # fmt: skip


WANTED = told(RIVERS, HOUSES, ZONES, LOG)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_shuffled_rows_say_the_same_of_each_id(seed):
    rng = np.random.default_rng(seed)
    layers = [t.iloc[rng.permutation(len(t))] for t in (RIVERS, HOUSES, ZONES, LOG)]
    for name, found in told(*layers).items():
        one, other = (
            pd.DataFrame(t).drop(columns="geometry", errors="ignore").sort_index()
            for t in (found, WANTED[name])
        )
        pd.testing.assert_frame_equal(one, other, obj=name)


def test_what_ties_goes_to_the_first_by_name():
    between = building_frame({"H": shapely.box(10, 15, 20, 25)})  # 15 m from 甲 and from 乙
    assert pg.locate(between, RIVERS)["river"].tolist() == [min("甲乙")]
    assert pg.locate(between, RIVERS.iloc[::-1])["river"].tolist() == [min("甲乙")]
    for zones in (ZONES, ZONES.iloc[::-1]):
        assert pg.clearing(between, zones)["zone_id"].tolist() == [
            "Z10"
        ]  # of Z9, Z10, Z2: half each
        assert pg.redline.belongs_to(between, zones).tolist() == ["Z10"]
