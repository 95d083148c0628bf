"""Laws of the campaign that hold for any input: networks, plans, logs, classes."""

import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from test_campaign_plan import CREWS, entry, node_frame
from test_campaign_state import HOUSES, PEOPLE, STAGES, reports

import pinghu_geo as pg
from conftest import building_frame

RANK = {"todo": -1} | {s: k for k, s in enumerate(STAGES)}
TABLES = ("buildings", "tenants", "nodes", "stages", "reached")


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=9),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=16, unique=True),
    st.randoms(use_true_random=False),
)
@settings(max_examples=25, deadline=None)
def test_a_network_has_no_latest_before_its_earliest(durations, pairs, random):
    names = [f"a{k}" for k in range(len(durations))]
    activities = pd.DataFrame({"duration_days": durations}, names)
    links = [(names[a], names[b]) for a, b in pairs if a < b < len(names)]
    found = pg.campaign.critical_path(activities, pd.DataFrame(links, columns=["before", "after"]))
    assert (found["latest_start"] >= found["earliest_start"]).all()
    assert (found["float_days"] == found["latest_start"] - found["earliest_start"]).all()
    assert (found["earliest_finish"] - found["earliest_start"] == durations).all()
    for a, b in links:
        assert found.at[b, "earliest_start"] >= found.at[a, "earliest_finish"]
        assert found.at[a, "latest_finish"] <= found.at[b, "latest_start"]
    # whoever finishes last has no room
    end = found["earliest_finish"].max()
    assert (found.loc[found["earliest_finish"] == end, "float_days"] == 0).all()
    random.shuffle(links)
    order = random.sample(names, len(names))
    turned = pg.campaign.critical_path(
        activities.loc[order], pd.DataFrame(links, columns=["before", "after"])
    )
    pd.testing.assert_frame_equal(turned.loc[names], found)


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 12)), min_size=2, max_size=4),
    st.integers(-20, 60), st.booleans(), st.randoms(use_true_random=False),
)  # fmt: skip
@settings(max_examples=3, deadline=None)
def test_permuted_rows_change_no_date_of_a_plan(rows, slack, crews, random):
    nodes = node_frame(len(rows), group="甲")
    nodes[["n_buildings", "n_tenants"]] = rows
    day = pd.Timestamp("2018-03-01") + pd.Timedelta(days=slack)
    capacity = CREWS if crews else None
    plan = pg.schedule(nodes, None, entry(day), capacity, "2018-01-01", work=2)
    order = random.sample(list(nodes.index), len(nodes))
    turned = pg.schedule(
        nodes.loc[order], None, entry(day),
        None if capacity is None else capacity.sample(frac=1, random_state=1), "2018-01-01", work=2,
    )  # fmt: skip
    pd.testing.assert_frame_equal(turned.nodes.loc[nodes.index], plan.nodes)
    got = plan.activities
    room = (got["latest_start"] - got["earliest_start"]).dt.days
    assert ((room >= 0) == (got["float_days"] >= 0)).all()
    assert (got["start"] >= got["earliest_start"]).all()


@st.composite
def sound_logs(draw):
    """Reports without faults: each is tried, and kept if it may be."""
    kept = []
    for who, stage, day, fix, blocker in draw(st.lists(
        st.tuples(st.sampled_from(["B1", "B2", "B3", "T1", "T3"]), st.sampled_from(STAGES),
                  st.integers(1, 28), st.sampled_from([None, None, None, "更正"]),
                  st.sampled_from([None, "纠纷"])),
        min_size=1, max_size=10,
    )):  # fmt: skip
        row = (who, stage, f"2018-02-{day:02d}", fix, blocker)
        if pg.campaign.progress_faults(reports(*kept, row), HOUSES, tenants=PEOPLE).empty:
            kept.append(row)
    return kept


@given(sound_logs(), st.randoms(use_true_random=False))
@settings(max_examples=4, deadline=None)
def test_any_order_gives_one_state_which_only_grows_but_for_corrections(rows, random):
    if not rows:
        return
    state = pg.progress_state(reports(*rows), HOUSES, tenants=PEOPLE)
    again = random.sample(rows, len(rows)) + rows[:1]
    replayed = pg.progress_state(reports(*again), HOUSES, tenants=PEOPLE)
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(state, name), getattr(replayed, name))
    assert pg.campaign.progress_faults(reports(*again), HOUSES, tenants=PEOPLE).empty
    before = np.full(len(HOUSES), -1)
    for day in sorted({r[2] for r in rows}):
        now = pg.progress_state(reports(*rows), HOUSES, tenants=PEOPLE, as_of=day)
        ranks = now.buildings["stage"].map(RANK).to_numpy()
        corrected = HOUSES.index.isin([r[0] for r in rows if r[3] and r[2] == day])
        assert (ranks >= before)[~corrected].all()
        before = ranks
        # what later days bring is not known yet
        known = [r for r in rows if r[2] <= day]
        alone = pg.progress_state(reports(*known), HOUSES, tenants=PEOPLE)
        pd.testing.assert_frame_equal(now.buildings, alone.buildings)


@given(
    st.lists(
        st.tuples(st.sampled_from([None, "retain", "review", "demolish"]), st.booleans(), st.booleans(),
                  st.one_of(st.none(), st.integers(1, 400)), st.one_of(st.none(), st.integers(0, 9))),
        max_size=8,
    ),
    st.booleans(),
)  # fmt: skip
@settings(max_examples=12, deadline=None)
def test_classes_add_up_to_all_affected(rows, judged):
    boxes = {f"B{k}": shapely.box(60 * k, 5, 60 * k + 10, 15) for k in range(max(len(rows), 1))}
    hit = building_frame(boxes).iloc[: len(rows)].copy()
    hit["river"], hit["bank"] = "A", "left"
    hit["from_m"] = 60.0 * np.arange(len(rows))
    hit["to_m"] = hit["from_m"] + 10
    hit["extent"], hit["inside_m2"] = "full", 100.0
    if judged:
        hit["verdict"] = pd.Series([r[0] for r in rows], hit.index, dtype="str")
    hit["cleared_by"] = ["开发商" if r[1] else "本项目" for r in rows]
    hit["needs_survey"] = np.array([r[2] for r in rows], bool)
    hit["demolish_floor_area_m2"] = pd.Series([r[3] for r in rows], hit.index, dtype=float)
    hit["tenants"] = pd.Series([r[4] for r in rows], hit.index, dtype=float)
    found = pg.campaign_tasks(hit, district_total={"floor_area_m2": 1e6})
    classes = found.classes
    assert classes["n_buildings"].sum() == len(rows)
    assert classes["demolish_floor_area_m2"].sum() == sum(r[3] or 0 for r in rows)
    assert classes["n_unknown"].sum() == sum(r[3] is None for r in rows)
    for name, counted in hit["tenants"].groupby(found.buildings["task_class"]):
        # how many aren't counted is said nowhere beside it: one unknown, and the sum is
        if counted.notna().all():
            assert classes.at[name, "n_tenants"] == counted.sum()
        else:
            assert pd.isna(classes.at[name, "n_tenants"])
    # a class that nothing falls into is 0; one of which nothing is known is NA
    none = classes["n_buildings"] == 0
    assert (classes.loc[none, ["demolish_floor_area_m2", "n_tenants"]] == 0).all(axis=None)
    ours = found.buildings["task_class"] == "task"
    assert found.nodes["n_buildings"].sum() == ours.sum() == classes.at["task", "n_buildings"]
    assert (found.buildings["node_id"].notna() == ours).all()


def test_nothing_affected_comes_to_0():
    # known, and nothing: 0, not NA
    empty = building_frame({"B0": shapely.box(0, 5, 10, 15)}).iloc[:0]
    line = pg.red_line(pg.read_layer(pg.sample_folder() / "河道.shp", "rivers"), 5.0)
    rivers = pg.read_layer(pg.sample_folder() / "河道.shp", "rivers")
    hit = pg.affected(empty.set_crs(rivers.crs, allow_override=True), line, rivers)
    assert (pg.totals(hit).select_dtypes("number").fillna(-1) == 0).all(axis=None)
    assert (pg.campaign_tasks(hit).classes.select_dtypes("number").fillna(-1) == 0).all(axis=None)
