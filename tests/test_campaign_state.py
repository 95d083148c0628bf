"""Tasks, reports, the store, forms, faces, supervision, payments: by hand, by law, by force."""

import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import numpy as np
import openpyxl
import pandas as pd
import pgserver
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import pinghu_geo as pg
from conftest import building_frame
from pinghu_geo.deliver import weekly

STAGES = list(pg.campaign.stage_rules().index)
HOUSES = pd.DataFrame(
    {"node_id": ["A-L-001", "A-L-001", "A-L-002", None], "task_class": ["task"] * 3 + ["review"],
     "river": "A", "bank": "left", "from_m": [0.0, 20, 100, 60], "to_m": [10.0, 30, 120, 70],
     "payer": "本项目", "cost_yuan": [10.0, 20, 30, 40]},
    index=pd.Index(["B1", "B2", "B3", "B4"], name="building_id"),
)  # fmt: skip
PEOPLE = pd.DataFrame(
    {"building_id": ["B1", "B1", "B3"], "node_id": ["A-L-001", "A-L-001", "A-L-002"]},
    index=pd.Index(["T1", "T2", "T3"], name="tenant_id"),
)


def reports(*rows):
    """Reports from (id, stage, date, ...): ids that begin with T are tenants."""
    names = ["id", "stage", "date", "correction", "blocker"]
    table = pd.DataFrame([(*r, *[None] * (5 - len(r))) for r in rows], columns=names, dtype=object)
    tenant = table["id"].str.startswith("T")
    table["building_id"] = table["id"].where(~tenant)
    table["tenant_id"] = table["id"].where(tenant)
    return table.drop(columns="id")


def test_an_empty_log_has_no_last_day():
    """It was the first of January 1970."""
    nothing = reports(("B1", "签约", "2018-03-05")).iloc[:0]
    with pytest.raises(pg.errors.LayerError, match="no day is its last") as told:
        pg.progress_state(nothing, HOUSES)
    given = eval(f"dict({told.value.hint.split('#')[0]})")
    state = pg.progress_state(nothing, HOUSES, **given)
    assert set(state.buildings["stage"]) == {"todo"}


# --- classes ---


def affected_frame():
    box = shapely.box
    frame = building_frame({f"B{k}": box(60 * k, 5, 60 * k + 10, 15) for k in range(6)})
    frame["river"], frame["bank"] = "A", "left"
    frame["from_m"] = 60.0 * np.arange(6)
    frame["to_m"] = frame["from_m"] + 10
    frame["extent"], frame["inside_m2"] = "full", 100.0
    frame["needs_survey"] = [True, True, True, True, True, False]
    frame["verdict"] = ["retain", "retain", "review", None, "demolish", "demolish"]
    frame["in_project"] = [True, False, False, False, False, False]
    frame["cleared_by"] = ["开发商"] + ["本项目"] * 5
    frame["demolish_floor_area_m2"] = [10.0, 20, 30, 40, None, 60]
    frame["tenants"] = [1.0, 2, 3, 4, 5, 6]
    return frame


def test_the_first_class_that_fits_holds_and_all_add_up():
    found = pg.campaign_tasks(affected_frame())
    assert found.buildings["task_class"].tolist() == [
        "others", "retain", "review", "review", "survey", "task"]  # fmt: skip
    assert found.classes["n_buildings"].to_dict() == {
        "others": 1, "retain": 1, "review": 2, "survey": 1, "task": 1}  # fmt: skip
    assert found.classes["n_tenants"].tolist() == [1, 2, 7, 5, 6]
    assert found.classes["n_unknown"].tolist() == [0, 0, 0, 1, 0]
    assert found.buildings["payer"].tolist() == ["开发商"] + ["本项目"] * 5
    assert found.buildings["node_id"].isna().tolist() == [True] * 5 + [False]
    assert found.nodes["n_buildings"].tolist() == [1]


def test_nodes_keep_their_ids_when_a_building_joins_later():
    before = affected_frame().assign(verdict="demolish", in_project=False, needs_survey=False)
    before["demolish_floor_area_m2"] = 10.0
    first = before.drop(index=["B0", "B3"])
    adopted = pg.campaign_tasks(first, gap_m=40).buildings["node_id"]
    assert adopted["B1"] == "A-L-001"
    later = pg.campaign_tasks(before, gap_m=40, frozen=adopted).buildings["node_id"]
    assert later[adopted.index].tolist() == adopted.tolist()
    assert later["B0"] not in set(adopted)  # a node of its own, behind the last number
    near = pg.campaign_tasks(before, gap_m=55, frozen=adopted).buildings["node_id"]
    assert near["B0"] == "A-L-001"


def test_tenants_need_a_building_and_districts_a_total():
    frame = affected_frame()
    lost = pd.DataFrame({"tenant_id": ["T1"], "building_id": ["nowhere"]})
    with pytest.raises(pg.errors.LayerError, match=r"without a building .*\(1: T1\)"):
        pg.campaign_tasks(frame, tenants=lost)
    people = pd.DataFrame({"tenant_id": ["T1", "T2"], "building_id": ["B5", "B5"]})
    found = pg.campaign_tasks(frame, tenants=people, district_total={"floor_area_m2": 600})
    assert found.nodes["n_tenants"].tolist() == [2]
    assert found.share["share_ratio"].tolist() == [0.1]
    with pytest.raises(pg.errors.LayerError, match="'area' is not known"):
        pg.campaign_tasks(frame, district_total={"area": 1})


# --- the state ---


def test_states_by_hand():
    log = reports(
        ("B1", "拆除", "2018-03-10"), ("B1", "签约", "2018-02-01"), ("B2", "谈判", "2018-02-03"),
        ("B2", "谈判", "2018-02-20", None, "产权纠纷"), ("B2", "谈判", "2018-02-25", None, "产权纠纷"),
        ("T3", "签约", "2018-02-05"),
    )  # fmt: skip
    state = pg.progress_state(log, HOUSES, tenants=PEOPLE)
    assert state.as_of == pd.Timestamp("2018-03-10")
    assert state.buildings["stage"].tolist() == ["demolished", "negotiation", "todo", "todo"]
    assert state.nodes["stage"].to_dict() == {"A-L-001": "negotiation", "A-L-002": "todo"}
    assert state.buildings.loc["B2", "blocker_since"] == pd.Timestamp("2018-02-20")
    assert state.nodes.loc["A-L-001", ["n_signed", "n_demolished", "n_tenants_out"]].tolist() == [
        1,
        1,
        2,
    ]
    # the tenants of an empty house are out, the one of another house has signed
    assert state.tenants["stage"].tolist() == ["vacated", "vacated", "signed"]
    early = pg.progress_state(log, HOUSES, tenants=PEOPLE, as_of="2018-02-10")
    assert early.buildings["stage"].tolist() == ["signed", "negotiation", "todo", "todo"]
    dates = state.reached.set_index(["id", "stage"])["date"]
    assert dates["B1", "vacated"] == pd.Timestamp("2018-03-10")
    assert dates["B1", "negotiation"] == pd.Timestamp("2018-02-01")


def test_a_correction_sets_back_and_voids_what_lay_beyond():
    log = reports(("B1", "签约", "2018-02-01"), ("B1", "谈判", "2018-02-10", "协议作废"))
    state = pg.progress_state(log, HOUSES)
    assert state.buildings.loc["B1", "stage"] == "negotiation"
    assert "signed" not in set(state.reached["stage"])
    again = pd.concat([log, reports(("B1", "签约", "2018-03-01"))], ignore_index=True)
    state = pg.progress_state(again, HOUSES)
    assert state.buildings.loc["B1", "since"] == pd.Timestamp("2018-03-01")
    none = pg.progress_state(reports(("B1", "摸底", "2018-01-01"), ("B1", "未启动", "2018-01-02", "误报")),
                             HOUSES)  # fmt: skip
    assert none.buildings.loc["B1", "stage"] == "todo"


def test_a_correction_of_a_correction_is_dated_a_day_later():
    rows = [("B1", "签约", "2018-02-01"), ("B1", "谈判", "2018-02-10", "协议作废")]
    for log in (reports(*rows, ("B1", "测绘评估", "2018-02-10", "写错")),
                reports(("B1", "测绘评估", "2018-02-10", "写错"), *rows)):  # fmt: skip
        faults = pg.campaign.progress_faults(log, HOUSES)
        assert faults["fault"].tolist() == ["disagree"]
        assert "date the right one a day later" in faults["problem"].iloc[0]
    state = pg.progress_state(reports(("B1", "测绘评估", "2018-02-11", "写错"), *rows), HOUSES)
    assert state.buildings.loc["B1", "stage"] == STAGES[1]
    # of one day the correction counts last, whatever came last
    rows.append(("B1", "签约", "2018-02-10"))
    assert pg.progress_state(reports(*rows), HOUSES).buildings.loc["B1", "stage"] == "negotiation"


def test_what_holds_up_a_tenant_after_his_house_is_down_stands():
    down = [("B1", "签约", "2018-02-01"), ("B1", "拆除", "2018-03-10")]
    before, after = [("T1", "谈判", day, None, "押金未退") for day in ("2018-03-10", "2018-03-20")]
    for late, said in ((before, None), (after, "押金未退")):
        for rows in ([*down, late], [late, *down]):
            state = pg.progress_state(reports(*rows), HOUSES, tenants=PEOPLE)
            one = state.tenants.loc["T1"]
            assert one["stage"] == "vacated"
            assert one["since"] == pd.Timestamp("2018-03-10")
            assert (one["blocker"] if said else pd.isna(one["blocker"])) in (said, True)
            stuck = state.nodes.loc[HOUSES.loc["B1", "node_id"], "blocker"]
            assert stuck == said if said else pd.isna(stuck)
    assert one["blocker_since"] == pd.Timestamp("2018-03-20")


def test_a_tenant_is_not_corrected_back_into_an_empty_house():
    down = [("B1", "签约", "2018-02-01"), ("B1", "拆除", "2018-03-10")]
    back = ("T1", "谈判", "2018-03-20", "仍在住")
    for rows in ([*down, back], [back, *down]):
        faults = pg.campaign.progress_faults(reports(*rows), HOUSES, tenants=PEOPLE)
        assert faults[["fault", "id"]].to_numpy().tolist() == [["disagree", "T1"]]
        assert rows[int(faults["row"].iloc[0])] == back
        assert rows[int(faults["other_row"].iloc[0])] == down[1]
    # once the house is corrected, or the tenant was before it was empty, both can be
    for more in (("B1", "签约", "2018-03-15", "未拆"), ("T1", "谈判", "2018-03-09", "仍在住")):
        rows = [*down, more] + ([back] if more[0] == "B1" else [])
        assert pg.campaign.progress_faults(reports(*rows), HOUSES, tenants=PEOPLE).empty


def test_numbers_of_days_say_which_day_they_would_be():
    for needed in (43160, "43160", 43160.5):
        with pytest.raises(pg.errors.LayerError, match="would be 2018-03-01"):
            pg.schedule(HOUSES.groupby("node_id").first(), None, pd.DataFrame(
                {"river": ["A"], "from_m": [0.0], "to_m": [9.0], "needed_by": [needed]}),
                None, "2018-01-01")  # fmt: skip
        with pytest.raises(pg.errors.LayerError, match="as_of=.*it would be 2018-03-01"):
            pg.progress_state(reports(("B1", "摸底", "2018-01-01")), HOUSES, as_of=needed)


FAULTS = {
    "unknown_id": [("B9", "签约", "2018-03-01")],
    "other_scheme": [("B7", "签约", "2018-03-01")],
    "future": [("B1", "签约", "2018-12-01")],
    "disagree": [("B1", "签约", "2018-03-01", None, "a"), ("B1", "签约", "2018-03-01", None, "b")],
    "step_back": [("B1", "签约", "2018-03-01"), ("B1", "谈判", "2018-03-02")],
    "skipped": [("B1", "拆除", "2018-03-01")],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_with_its_rows(fault):
    log = reports(*FAULTS[fault])
    found = pg.campaign.progress_faults(log, HOUSES, today="2018-06-30", elsewhere={"B7": "原方案"})
    assert found["fault"].tolist() == [fault]
    assert found["row"].tolist() == [str(len(log) - 1)]
    assert found["other_row"].tolist() == ["0" if len(log) == 2 else ""]
    if fault != "future":
        with pytest.raises(pg.errors.LayerError, match=str(found["id"].iloc[0])):
            pg.progress_state(log, HOUSES, elsewhere={"B7": "原方案"})


def test_sound_logs_have_no_faults():
    log = reports(
        ("B1", "签约", "2018-03-01"), ("B1", "签约", "2018-03-01"),  # twice the same
        ("B1", "谈判", "2018-03-01"), ("B1", "谈判", "2018-02-20"),  # the same day, and late arrival
        ("B1", "拆除", "2018-03-05"), ("B2", "拆除", "2018-03-05", "测绘前已自行拆除"),
    )  # fmt: skip
    assert pg.campaign.progress_faults(log, HOUSES).empty


@pytest.mark.parametrize(
    ("written", "words"),
    [(43160, "2018-03-01"), ("43160", "2018-03-01"), ("3/1", "can't be read for certain"),
     ("01/03/2018", "can't be read for certain"), ("三月一日", "can't be read"), (None, "without a date")],
)  # fmt: skip
def test_dates_that_could_be_another_are_refused(written, words):
    with pytest.raises(pg.errors.LayerError, match=words):
        pg.progress_state(reports(("B1", "签约", written)), HOUSES)


@pytest.mark.parametrize("written", ["2018-03-01", "2018/3/1", "2018年3月1日", "20180301", "2018.03.01",
                                     "2018-03-01 00:00:00", pd.Timestamp("2018-03-01 17:00")])  # fmt: skip
def test_dates_that_mean_one_day(written):
    state = pg.progress_state(reports(("B1", "签约", written)), HOUSES)
    assert state.as_of == pd.Timestamp("2018-03-01")


def sound_log(seed, n=20):
    """Random reports without faults: each is tried, and kept if it may be."""
    rng = random.Random(seed)
    kept = []
    for _ in range(n):
        who = rng.choice(["B1", "B2", "B3", "T1", "T3"])
        day = f"2018-{rng.randint(1, 3):02d}-{rng.randint(1, 28):02d}"
        fix = "更正" if rng.random() < 0.2 else None
        row = (who, rng.choice(STAGES), day, fix, rng.choice([None, "纠纷"]))
        tried = reports(*kept, row)
        if pg.campaign.progress_faults(tried, HOUSES, tenants=PEOPLE).empty:
            kept.append(row)
    return kept


@pytest.mark.parametrize("seed", range(2))
def test_any_order_of_arrival_gives_the_same_state(seed):
    rows = sound_log(seed)
    state = pg.progress_state(reports(*rows), HOUSES, tenants=PEOPLE)
    for _ in range(3):
        random.Random(seed).shuffle(rows)
        again = pg.progress_state(reports(*rows, rows[0]), HOUSES, tenants=PEOPLE)
        for name in ("buildings", "tenants", "nodes", "stages", "reached"):
            pd.testing.assert_frame_equal(getattr(state, name), getattr(again, name))
    rank = {"todo": -1} | {s: k for k, s in enumerate(STAGES)}
    plain = [r for r in rows if r[3] is None and not any(
        o[0] == r[0] and o[3] for o in rows)]  # fmt: skip
    last = np.full(3, -1)
    for day in pd.date_range("2018-01-01", "2018-04-01", freq="9D") if plain else []:
        now = pg.progress_state(reports(*plain), HOUSES, tenants=PEOPLE, as_of=day)
        ranks = now.buildings["stage"].map(rank).to_numpy()[:3]
        assert (ranks >= last).all()
        last = ranks


def test_a_log_of_ten_thousand_and_two_thousand_nodes_is_read_at_once():
    n = 4000
    houses = pd.DataFrame(
        {"node_id": [f"A-L-{k // 2:04d}" for k in range(n)], "task_class": "task", "river": "A",
         "bank": "left", "from_m": 20.0 * np.arange(n), "to_m": 20.0 * np.arange(n) + 9},
        index=[f"B{k}" for k in range(n)],
    )  # fmt: skip
    log = pd.DataFrame(
        {"building_id": np.repeat(houses.index, 3)[:10_000], "stage": (STAGES[1:4] * n)[:10_000],
         "date": (["2018-01-05", "2018-02-01", "2018-03-01"] * n)[:10_000]}
    )  # fmt: skip
    plan = pd.DataFrame({"node_id": houses["node_id"].unique(), "stage": "demolished",
                         "finish": pd.Timestamp("2018-02-20"), "group": "甲"})  # fmt: skip
    begin = time.process_time()
    state = pg.progress_state(log, houses)
    faces = pg.working_faces(houses, works(1e5), state=state.reached)
    pg.supervision(plan, state, houses, faces=faces.stretches)
    assert time.process_time() - begin < 5  # a second or two on a quiet machine


# --- faces ---


def works(long):
    return pd.DataFrame({"river": ["A"], "from_m": [0.0], "to_m": [long]})


@given(
    st.lists(
        st.tuples(st.integers(0, 90), st.integers(1, 20), st.sampled_from(["left", "right", "both"]),
                  st.sampled_from(["task", "retain", "others", "review", "survey"]),
                  st.one_of(st.none(), st.integers(1, 20))),
        max_size=7,
    ),
    st.integers(0, 25),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_faces_equal_a_metre_by_metre_count(rows, today):
    ids = [f"B{k}" for k in range(len(rows))]
    houses = pd.DataFrame(
        {"river": "A", "bank": [r[2] for r in rows], "from_m": [float(r[0]) for r in rows],
         "to_m": [float(r[0] + r[1]) for r in rows], "task_class": [r[3] for r in rows],
         "node_id": ids}, index=ids,
    )  # fmt: skip
    start = pd.Timestamp("2018-01-01")
    down = pd.DataFrame(
        [("building", i, "demolished", start + pd.Timedelta(days=r[4]))
         for i, r in zip(ids, rows, strict=True) if r[4] is not None],
        columns=["kind", "id", "stage", "date"],
    ).astype({"date": "datetime64[ns]"})  # fmt: skip
    day = start + pd.Timedelta(days=today)
    found = pg.working_faces(houses, works(110.0), state=down, as_of=day)
    for bank in ("left", "right"):
        count = 0
        for metre in range(110):
            last = 0
            for lo, long, side, kind, when in rows:
                if kind != "retain" and side in (bank, "both") and lo <= metre < lo + long:
                    last = max(last, 10**6 if when is None else when)
            count += last <= today
        mine = found.stretches[found.stretches["bank"] == bank]
        assert mine.loc[mine["ready"], "length_m"].sum() == pytest.approx(count)
        assert mine["length_m"].sum() == pytest.approx(110)
        steps = found.metres[found.metres["bank"] == bank]
        assert (steps["ready_m"] + steps["blocked_m"]).tolist() == pytest.approx([110] * len(steps))
        assert steps["ready_m"].is_monotonic_increasing
    both = pg.working_faces(houses, works(110.0), state=down, as_of=day, banks="both").stretches
    each = found.stretches.groupby("bank").apply(lambda t: t.loc[t["ready"], "length_m"].sum())
    assert both.loc[both["ready"], "length_m"].sum() <= each.min() + 1e-9


def test_a_house_abreast_of_one_point_of_a_bend_blocks_a_metre_until_it_is_down():
    # outside a bend all of a house may be nearest to the one corner of the line; B1 stands at an end
    houses = HOUSES.iloc[[0, 1]].assign(from_m=[0.0, 20.0], to_m=[0.0, 20.0])
    none = pd.DataFrame({"kind": [], "id": [], "stage": [], "date": pd.to_datetime([])})
    standing = pg.working_faces(houses, works(50.0), state=none, as_of="2018-03-01")
    left = standing.stretches[standing.stretches["bank"] == "left"]
    assert left[["from_m", "to_m", "ready", "blocked_by"]].values.tolist() == [
        [0.0, 0.5, False, "A-L-001"], [0.5, 19.5, True, ""],
        [19.5, 20.5, False, "A-L-001"], [20.5, 50.0, True, ""]]  # fmt: skip
    assert not standing.receipts["nodes"].astype(bool).any()  # nothing is handed over
    down = pd.DataFrame({"kind": "building", "id": ["B1", "B2"], "stage": "demolished",
                         "date": pd.to_datetime(["2018-02-01", "2018-02-03"])})  # fmt: skip
    cleared = pg.working_faces(houses, works(50.0), state=down, as_of="2018-03-01").receipts
    left = cleared[cleared["bank"] == "left"]
    assert left[["length_m", "ready_on", "nodes"]].values.tolist() == [
        [50.0, pd.Timestamp("2018-02-03"), "A-L-001"]]  # fmt: skip


def test_a_face_is_ready_at_the_last_of_its_houses_by_plan_and_by_the_others_day():
    houses = HOUSES.assign(others_due=pd.NaT).astype({"others_due": "datetime64[ns]"})
    houses.loc["B4", ["task_class", "others_due"]] = ["others", pd.Timestamp("2018-05-01")]
    houses.loc["B2", ["from_m", "to_m"]] = [5.0, 15.0]
    plan = pd.DataFrame({"node_id": ["A-L-001", "A-L-002"], "stage": "demolished",
                         "finish": pd.to_datetime(["2018-03-01", "2018-04-01"])})  # fmt: skip
    down = pd.DataFrame({"kind": "building", "id": ["B1"], "stage": ["demolished"],
                         "date": pd.to_datetime(["2018-02-01"])})  # fmt: skip
    found = pg.working_faces(houses, works(200.0), state=down, plan=plan).stretches
    left = found[found["bank"] == "left"].set_index("from_m")
    assert left.loc[5.0, "ready_on"] == pd.Timestamp("2018-03-01")
    assert left.loc[60.0, ["ready_on", "blocked_by"]].tolist() == [pd.Timestamp("2018-05-01"), "B4"]
    assert left.loc[100.0, "blocked_by"] == "A-L-002"
    assert left["ready"].tolist() == [True, False, True, False, True, False, True]


# --- supervision and money ---


def test_a_demand_names_the_day_from_which_its_lateness_counts():
    plan = pd.DataFrame({"node_id": "A-L-002", "stage": ["signed", "demolished"], "group": "乙",
                         "finish": pd.to_datetime(["2018-02-10", "2018-04-01"])})  # fmt: skip
    state = pg.progress_state(reports(("B3", "谈判", "2018-02-01")), HOUSES.loc[["B3"]],
                              as_of="2018-04-05")  # fmt: skip
    told = {lang: pg.supervision(plan, state, HOUSES.loc[["B3"]], lang=lang).notices["demand"].item()
            for lang in ("zh", "en")}  # fmt: skip
    # 54 days are since the signing that was due on 10 February, not since 1 April
    assert told["zh"] == (
        "拆除应于 2018-04-01 前完成,现为谈判;所缺最早的阶段应于 2018-02-10 前完成,滞后 54 天"
    )
    assert told["en"].endswith("the first stage lacking was due by 2018-02-10, 54 days behind")
    found = pg.supervision(plan, state, HOUSES.loc[["B3"]])
    assert found.nodes["late_since"].item() == pd.Timestamp("2018-02-10")


def test_a_group_that_is_done_says_since_when_and_one_without_buildings_nothing():
    plan = pd.DataFrame({"node_id": ["A-L-001", "A-L-002", "A-L-009"], "stage": "demolished",
                         "group": ["甲", "乙", "丙"],
                         "finish": pd.to_datetime(["2018-03-01"] * 3)})  # fmt: skip
    log = reports(("B1", "签约", "2018-02-01"), ("B2", "签约", "2018-02-02"),
                  ("B1", "拆除", "2018-02-20"), ("B2", "拆除", "2018-02-27"))  # fmt: skip
    found = pg.supervision(plan, pg.progress_state(log, HOUSES, as_of="2018-03-08"), HOUSES)
    dates = ["forecast", "forecast_early", "forecast_late"]
    # a past day under "expected" was no expectation
    assert found.groups.loc["甲", "done_on"] == pd.Timestamp("2018-02-27")
    assert found.groups.loc[["甲", "丙"], dates].isna().all(axis=None)
    assert found.groups.loc[["乙", "丙"], "done_on"].isna().all()
    row = dict(found.groups.loc["甲"]) | {"group": "甲"}
    assert weekly._group_in_words(row, "zh")["forecast"] == "已于 2018-02-27 拆完"


def test_supervision_by_hand():
    plan = pd.DataFrame(
        {"node_id": ["A-L-001"] * 2 + ["A-L-002"] * 2, "stage": ["signed", "demolished"] * 2,
         "group": ["甲"] * 2 + ["乙"] * 2,
         "finish": pd.to_datetime(["2018-02-01", "2018-03-01", "2018-02-10", "2018-04-01"])}
    )  # fmt: skip
    log = reports(("B1", "签约", "2018-02-01"), ("B1", "拆除", "2018-02-27"), ("B2", "签约", "2018-02-20"),
                  ("B3", "签约", "2018-02-12"), ("B3", "签约", "2018-03-05", None, "拒迁"))  # fmt: skip
    state = pg.progress_state(log, HOUSES, as_of="2018-03-08")
    found = pg.supervision(plan, state, HOUSES)
    node = found.nodes.loc["A-L-001"]
    assert (node["stage_due"], node["stage"], node["late_by_days"], node["signal"]) == (
        "demolished", "signed", 7, "red")  # fmt: skip
    assert node["late_since"] == pd.Timestamp("2018-03-01")
    assert pd.isna(found.nodes.loc["A-L-002", "late_since"])
    other = found.nodes.loc["A-L-002"]
    assert (other["late_by_days"], other["signal"], other["blocker"]) == (0, "green", "拒迁")
    strict = pg.supervision(plan, state, HOUSES, thresholds={"blocker_days": 3})
    assert strict.nodes.loc["A-L-002", "signal"] == "amber"
    group = found.groups.loc["甲"]
    assert (group["n_demolished"], group["n_left"], group["rate_14"]) == (
        1,
        1,
        pytest.approx(1 / 14),
    )
    assert group["forecast"] == pd.Timestamp("2018-03-22")
    assert pd.isna(group["done_on"])
    assert pd.isna(group["forecast_late"])  # nothing came down in the last week
    assert found.groups["rank"].to_dict() == {"乙": 1, "甲": 2}
    assert found.notices["demand"].tolist() == ["拆除应于 2018-03-01 前完成,现为签约,滞后 7 天"]
    assert found.curve.loc["2018-03-01", ["planned_buildings", "done_buildings"]].tolist() == [2, 1]
    assert found.curve["done_cost_yuan"].dropna().iloc[-1] == 60
    assert set(pg.supervision(plan, state, HOUSES, since="2018-02-26").changes["id"]) == {"B1"}


def test_payments_follow_plan_and_signature_and_add_up():
    plan = pd.DataFrame({"node_id": ["A-L-001", "A-L-002"], "stage": "signed",
                         "finish": pd.to_datetime(["2018-02-05", "2018-03-05"])})  # fmt: skip
    log = reports(("B1", "签约", "2018-03-01"))
    houses = HOUSES.assign(others_due=pd.Series([pd.NaT] * 4, HOUSES.index, "datetime64[ns]"))
    houses.loc["B4", ["task_class", "payer"]] = ["others", "开发商"]
    found = pg.payments(houses, plan, state=pg.progress_state(log, HOUSES).reached)
    rows = found.set_index([found["month"].fillna("?"), "payer"])
    assert rows.loc[("2018-02", "本项目"), ["planned_yuan", "signed_yuan"]].tolist() == [30, 0]
    assert rows.loc[("2018-03", "本项目"), ["planned_yuan", "signed_yuan"]].tolist() == [30, 10]
    assert rows.loc[("?", "开发商"), "planned_yuan"] == 40
    assert found["planned_yuan"].sum() == houses["cost_yuan"].sum()
    assert found["n_buildings"].sum() == 4


def test_what_is_not_known_is_never_0_in_a_sum():
    frame = affected_frame().assign(in_project=False, cleared_by="本项目", verdict="demolish",
                                    needs_survey=False)  # fmt: skip
    total = {"floor_area_m2": 1000}
    some = pg.campaign_tasks(frame, district_total=total)
    assert some.classes.loc["task", ["demolish_floor_area_m2", "n_unknown"]].tolist() == [160, 1]
    assert some.share[["share_ratio", "n_unknown"]].values.tolist() == [[0.16, 1]]
    assert some.summary()[-1] == "任务占全区(建筑面积)至少 16.00%"
    none = pg.campaign_tasks(frame.assign(demolish_floor_area_m2=np.nan), district_total=total)
    assert none.classes["demolish_floor_area_m2"].isna().tolist() == [False] * 4 + [True]
    assert none.share["share_ratio"].isna().all()
    assert none.summary() == ["任务:6 栋,拆除建筑面积不详", "任务占全区(建筑面积)不详"]
    empty = pg.campaign_tasks(frame.iloc[:0])
    assert empty.classes["n_buildings"].tolist() == [0] * 5
    # money and curve: B1 has no price and no area
    houses = HOUSES.assign(cost_yuan=[np.nan, 20.0, 30, 40],
                           demolish_floor_area_m2=[np.nan, 2.0, 3, 4])  # fmt: skip
    plan = pd.DataFrame({"node_id": ["A-L-001", "A-L-002"] * 2, "group": "甲",
                         "stage": ["signed"] * 2 + ["demolished"] * 2,
                         "finish": pd.to_datetime(["2018-02-05", "2018-03-05"] * 2)})  # fmt: skip
    log = reports(("B1", "签约", "2018-02-01"), ("B1", "拆除", "2018-02-10"),
                  ("B2", "签约", "2018-03-01"), ("B2", "拆除", "2018-03-10"))  # fmt: skip
    state = pg.progress_state(log, houses)
    paid = pg.payments(houses, plan, state=state.reached).set_index("month")
    assert paid["signed_yuan"].isna().to_dict() == {"2018-02": True, "2018-03": False}
    assert paid["planned_yuan"].to_dict() == {"2018-02": 20, "2018-03": 30}
    curve = pg.supervision(plan, state, houses).curve["done_floor_area_m2"]
    assert curve["2018-02-05"] == 0
    assert np.isnan(curve["2018-02-10"])
    assert curve["2018-03-10"] == 2


def test_bad_states_and_sums_are_refused_in_their_own_words():
    frame, log = affected_frame(), reports(("B1", "签约", "2018-02-01"))
    twice = HOUSES.set_axis(["B1", "B1", "B3", "B4"])
    cases = {
        r"ids twice.*\(1: B1\)": lambda: pg.progress_state(log, twice),
        r"ids twice.*\(1: T1\)": lambda: pg.progress_state(
            log, HOUSES, tenants=PEOPLE.set_axis(["T1", "T1", "T3"])
        ),
        "floor_area_m2 is 20万": lambda: pg.campaign_tasks(
            frame, district_total={"floor_area_m2": "20万"}
        ),
        "since='下周' is no date": lambda: pg.supervision(
            pd.DataFrame({"node_id": ["A-L-001"], "stage": "signed", "finish": [pd.Timestamp(0)]}),
            pg.progress_state(log, HOUSES), HOUSES, since="下周",
        ),
        "as_of='01/03/2018' could be another day": lambda: pg.progress_state(
            log, HOUSES, as_of="01/03/2018"
        ),
    }  # fmt: skip
    for words, call in cases.items():
        with pytest.raises(pg.errors.LayerError, match=words):
            call()
    with pytest.warns(UserWarning, match="more than the whole district's 10"):
        pg.campaign_tasks(frame, district_total={"floor_area_m2": 10})


# --- the store ---


def csv_of(path, *rows):
    lines = [
        "房屋编号,阶段,日期,更正原因,卡点",
        *(",".join(x or "" for x in (*r, *[""] * (5 - len(r)))) for r in rows),
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture(params=["gpkg", "postgresql"])
def store(request, tmp_path):
    if request.param == "gpkg":
        yield lambda project="示例": pg.campaign.open_store(tmp_path / "campaign.gpkg", project)
        return
    if not pgserver.READY:
        pytest.skip("no PostgreSQL with PostGIS on this machine")
    with pgserver.fresh_database(tmp_path) as base:
        info = base.info
        place = f"postgresql://{info.user}@127.0.0.1:{info.port}/{info.dbname}"
        yield lambda project="示例": pg.campaign.open_store(place, project)


def test_what_is_kept_stays_and_comes_back(store, tmp_path):
    one = store()
    assert one.scheme() is None
    assert one.log().empty
    one.adopt("寻优方案", HOUSES["node_id"])
    assert one.nodes().dropna().to_dict() == HOUSES["node_id"].dropna().to_dict()
    assert "B4" in one.nodes().index  # affected, but no task
    one.adopt("寻优方案", pd.Series({"B1": "other", "B5": "A-L-009"}))
    assert one.nodes()[["B1", "B5"]].tolist() == ["A-L-001", "A-L-009"]
    file = csv_of(
        tmp_path / "a.csv", ("B1", "签约", "2018-03-01"), ("B2", "谈判", "2018-03-02", "", "纠纷")
    )
    for n_new, n_known in ((2, 0), (0, 2)):
        told = pg.campaign.update_progress(one, [file], HOUSES)
        assert told[["n_new", "n_known"]].values.tolist() == [[n_new, n_known]]
    log = store().log()
    assert log["building_id"].tolist() == ["B1", "B2"]
    assert log["source"].tolist() == ["a.csv 第2行", "a.csv 第3行"]
    assert pg.progress_state(log, HOUSES).buildings["blocker"].tolist()[1] == "纠纷"
    bad = csv_of(tmp_path / "b.csv", ("B3", "摸底", "2018-03-01"), ("B1", "摸底", "2018-03-09"))
    with pytest.raises(pg.errors.LayerError, match=r"b.csv 第3行 and 库 第1条"):
        pg.campaign.update_progress(one, [bad], HOUSES)
    assert len(store().log()) == 2  # nothing of the file
    with pytest.raises(pg.errors.ProjectError, match="of another project: 示例, not 别的"):
        store("别的").log()
    with pytest.raises(pg.errors.ProjectError, match="two schemes are adopted"):
        one.adopt("原方案", HOUSES["node_id"])


def test_reports_can_only_be_added(tmp_path):
    one = pg.campaign.open_store(tmp_path / "campaign.gpkg", "示例")
    pg.campaign.update_progress(
        one, [csv_of(tmp_path / "a.csv", ("B1", "签约", "2018-03-01"))], HOUSES
    )
    with closing(sqlite3.connect(tmp_path / "campaign.gpkg")) as base:
        for text in ("DELETE FROM progress", "UPDATE progress SET stage = 'x'"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                base.execute(text)
    # GDAL, and so QGIS and QField, opens it
    layers = pyogrio.list_layers(tmp_path / "campaign.gpkg")
    assert {"progress", "adopted_nodes", "campaign"} <= set(layers[:, 0])
    assert len(pyogrio.read_dataframe(tmp_path / "campaign.gpkg", layer="progress")) == 1
    # a copy of the log comes back as reports that are known
    copy = tmp_path / "field.gpkg"
    copy.write_bytes((tmp_path / "campaign.gpkg").read_bytes())
    told = pg.campaign.update_progress(one, [copy], HOUSES, project="示例")
    assert told[["n_new", "n_known"]].values.tolist() == [[0, 1]]
    with pytest.raises(pg.errors.LayerError, match="log of another project: 示例"):
        pg.campaign.read_reports(copy, project="别的")
    with pytest.raises(pg.errors.ProjectError, match="no .gpkg and no database"):
        pg.campaign.open_store("campaign.txt", "示例")
    pyogrio.write_dataframe(building_frame({"B1": shapely.box(0, 0, 1, 1)}), tmp_path / "x.gpkg")
    with pytest.raises(pg.errors.ProjectError, match="GeoPackage of something else"):
        pg.campaign.open_store(tmp_path / "x.gpkg", "示例").log()


WRITER = """
import sys, pandas as pd, pinghu_geo as pg
place, *files = sys.argv[1:]
houses = pd.DataFrame({"node_id": "A-L-001"}, [f"B{k}" for k in range(400)])
store = pg.campaign.open_store(place, "示例")
print("ready", flush=True)
for file in files:
    pg.campaign.update_progress(store, [file], houses)
    print(file, flush=True)
"""


def writer(place, files):
    return subprocess.Popen([sys.executable, "-c", WRITER, str(place), *map(str, files)],
                            stdout=subprocess.PIPE, text=True)  # fmt: skip


def many_files(folder, first, n):
    return [csv_of(folder / f"{k}.csv", *((f"B{k}", s, "2018-03-01") for s in ("摸底", "签约")))
            for k in range(first, first + n)]  # fmt: skip


def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice_after_kills(tmp_path):
    place = tmp_path / "campaign.gpkg"
    files = many_files(tmp_path, 0, 40)
    told = set()
    for wait in (0.02, 0.2):
        with writer(place, files) as one:
            assert one.stdout.readline() == "ready\n"
            time.sleep(wait)
            os.kill(one.pid, signal.SIGKILL)
            told |= {line.strip() for line in one.stdout}
        log = pg.campaign.open_store(place, "示例").log()
        assert not log.duplicated(["building_id", "stage"]).any()
        assert (log.groupby("building_id").size() == 2).all()  # a file whole, or not at all
        assert {f"{tmp_path}/{b[1:]}.csv" for b in log["building_id"]} >= told
    with writer(place, files[:3]) as one:
        assert one.stdout.read().count(".csv") == 3
    assert set(pg.campaign.open_store(place, "示例").log()["building_id"]) >= {"B0", "B1", "B2"}


def test_two_at_once_both_land(tmp_path):
    place = tmp_path / "campaign.gpkg"
    with (
        writer(place, many_files(tmp_path, 0, 10)) as one,
        writer(place, many_files(tmp_path, 10, 10)) as other,
    ):
        assert [p.stdout.read().count(".csv") for p in (one, other)] == [10, 10]
    assert one.returncode == other.returncode == 0
    log = pg.campaign.open_store(place, "示例").log()
    assert len(log) == 40
    assert not log.duplicated(["building_id", "stage"]).any()


# --- forms ---


def fill(path, sheet, row, **cells):
    book = openpyxl.load_workbook(path)
    heads = [c.value for c in book[sheet][4]]
    for name, value in cells.items():
        book[sheet].cell(row, heads.index(name) + 1).value = value
    book.save(path)
    book.close()


@pytest.fixture
def form(tmp_path):
    log = reports(("B1", "谈判", "2018-02-01", None, "纠纷"), ("B2", "签约", "2018-02-05"),
                  ("T1", "摸底", "2018-01-05"))  # fmt: skip
    state = pg.progress_state(log, HOUSES, tenants=PEOPLE)
    nodes = pd.DataFrame({"group": ["甲/组", "乙组"]}, ["A-L-001", "A-L-002"])
    made = pg.deliver.write_forms(HOUSES.assign(owner="=1+1", chainage_m=5.0), nodes, state, tmp_path,
                                  tenants=PEOPLE, project="示例")  # fmt: skip
    return next(path for path in made if "甲" in path.name)


def test_an_untouched_form_yields_nothing_and_a_filled_one_only_what_changed(form):
    assert pg.campaign.read_reports(form, project="示例").empty
    book = openpyxl.load_workbook(form)
    sheet = book["房屋"]
    assert sheet.protection.sheet
    assert sheet["B5"].protection.locked
    assert not sheet["I5"].protection.locked
    assert sheet["C5"].value == "=1+1"
    assert sheet["C5"].data_type == "s"
    lists = [v.formula1 for v in sheet.data_validations.dataValidation if v.type == "list"]
    assert any("签约" in text for text in lists)
    book.close()
    fill(
        form, "房屋", 5, 本次阶段="签约", 日期=pd.Timestamp("2018-03-01").to_pydatetime(), 卡点=None
    )
    fill(form, "房屋", 6, 本次阶段="签约")  # what it was
    fill(form, "租户", 5, 卡点="拒迁")
    book = openpyxl.load_workbook(form)
    book["租户"]["C3"] = "2018-03-02"
    book.save(form)
    book.close()
    got = pg.campaign.read_reports(form, project="示例")
    assert got[["building_id", "stage"]].iloc[0].tolist() == ["B1", "signed"]
    assert got.iloc[1][["tenant_id", "stage", "blocker"]].tolist() == ["T1", "survey", "拒迁"]
    assert got["date"].dt.strftime("%m-%d").tolist() == ["03-01", "03-02"]
    assert len(got) == 2
    assert got["source"].iloc[0] == f"{form.name} 房屋 第5行"
    with pytest.raises(pg.errors.LayerError, match="form of another project: 示例"):
        pg.campaign.read_reports(form, project="别的")


def test_a_form_without_a_date_or_with_an_unknown_stage_names_its_row(form):
    fill(form, "房屋", 6, 本次阶段="清租腾空")
    with pytest.raises(pg.errors.LayerError, match="房屋 第6行"):
        pg.campaign.read_reports(form)
    fill(form, "房屋", 6, 本次阶段="拆掉", 日期="2018-03-01")
    with pytest.raises(pg.errors.LayerError, match=r"unknown stage '拆掉' \(1: .*第6行"):
        pg.campaign.read_reports(form)


def moved(sheet, one, other):
    """Two rows of a sheet change places, as when somebody sorts the whole table."""
    for a, b in zip(sheet[one], sheet[other], strict=True):
        a.value, b.value = b.value, a.value


def handed_about(book, what):
    """What people do to a form before they return it."""
    sheet = book["房屋"]
    if what == "renamed":
        sheet.title = "张三 3月"
    elif what == "sorted":
        moved(sheet, 5, 6)
    elif what == "row above":
        sheet.insert_rows(1)
    elif what == "blank rows":
        sheet.insert_rows(5, 3)
    elif what == "row deleted":
        sheet.delete_rows(5)
    elif what == "blanks around":
        for row in (5, 6):
            for cell in sheet[row]:
                if isinstance(cell.value, str):
                    cell.value = f"  {cell.value}\u3000"
    elif what == "other sheets":
        book.create_sheet("草稿")["A1"] = "签约"


@pytest.mark.parametrize("what", ["renamed", "sorted", "row above", "blank rows", "row deleted",
                                  "blanks around", "other sheets"])  # fmt: skip
def test_a_form_says_the_same_whatever_people_did_to_it(form, what):
    filled = {"本次阶段": "清租腾空", "日期": "2018-03-01", "填报人": "王"}
    fill(form, "房屋", 6, **filled)
    book = openpyxl.load_workbook(form)
    handed_about(book, what)
    book.save(form)
    book.close()
    got = pg.campaign.read_reports(form, project="示例")
    assert got[["building_id", "stage", "by"]].values.tolist() == [["B2", "vacated", "王"]]
    assert got["date"].tolist() == [pd.Timestamp("2018-03-01")]


def test_white_cells_of_a_form_cannot_be_sorted_away_from_their_ids(form):
    book = openpyxl.load_workbook(form)
    assert all(book[title].protection.sort for title in ("房屋", "租户"))  # True: not allowed
    assert not book["房屋"].protection.autoFilter
    book.close()


def test_what_a_form_cannot_mean_is_said_with_its_row(form):
    fill(form, "房屋", 6, 本次阶段="清租腾空", 日期=43160)
    day = pg.campaign.read_reports(form)["date"]  # in a cell of dates it is one
    assert day.tolist() == [pd.Timestamp("2018-03-01")]
    book = openpyxl.load_workbook(form)
    heads = [c.value for c in book["房屋"][4]]
    book["房屋"].cell(6, heads.index("日期") + 1).number_format = "General"
    book.save(form)
    book.close()
    with pytest.raises(pg.errors.LayerError, match=r"43160 would be 2018-03-01.*房屋 第6行"):
        pg.campaign.read_reports(form)
    book = openpyxl.load_workbook(form)
    del book["租户"]
    book.save(form)
    book.close()
    with pytest.raises(pg.errors.LayerError, match="lacks the sheet 租户, but has 房屋"):
        pg.campaign.read_reports(form)


def test_forms_of_two_groups_land_and_the_same_twice_changes_nothing(form, store):
    other = form.with_name("进度填报_乙组.xlsx")
    fill(form, "房屋", 6, 本次阶段="清租腾空", 日期="2018-03-01")
    fill(other, "房屋", 5, 本次阶段="谈判", 日期="2018-03-02")
    kept = store()
    log = reports(("B1", "谈判", "2018-02-01", None, "纠纷"), ("B2", "签约", "2018-02-05"),
                  ("T1", "摸底", "2018-01-05"))  # fmt: skip
    for new in (1, 0):
        told = pg.campaign.update_progress(
            kept, [form, other], HOUSES, tenants=PEOPLE, project="示例",
            before=pg.campaign.progress.log_of(log, pg.campaign.stage_rules()),
        )  # fmt: skip
        assert told["n_new"].tolist() == [new, new]
    assert kept.log()[["building_id", "stage"]].values.tolist() == [
        ["B2", "vacated"], ["B3", "negotiation"]]  # fmt: skip


def test_every_stage_word_is_the_rules_own():
    stages = pg.campaign.stage_rules()
    for one, other in itertools.combinations(stages.index, 2):
        assert set(stages.at[one, "words"]).isdisjoint(stages.at[other, "words"])
    assert stages["article"].str.len().gt(0).sum() >= 4


def test_the_next_stage_of_a_tenant_is_one_that_tenants_go_through():
    houses = pd.DataFrame({"node_id": ["A-L-001"]}, ["B1"])
    people = pd.DataFrame({"building_id": ["B1", "B1"], "node_id": "A-L-001"}, ["T1", "T2"])
    log = pd.DataFrame({"tenant_id": ["T1"], "stage": ["摸底"], "date": ["2018-02-01"]})
    state = pg.progress_state(log, houses, tenants=people)
    # between survey and negotiation lies the valuation, of houses only
    assert state.tenants["next_stage"].to_dict() == {"T1": "negotiation", "T2": "survey"}
    assert state.buildings["next_stage"].to_dict() == {"B1": "survey"}
    log = pd.DataFrame({"building_id": ["B1"], "stage": ["摸底"], "date": ["2018-02-01"]})
    assert pg.progress_state(log, houses).buildings.loc["B1", "next_stage"] == "valuation"


def test_two_devices_that_give_other_days_for_one_stage_are_named(tmp_path):
    """The earlier day counts, as before; a repeated stage with something new is no conflict."""
    houses = pd.DataFrame({"node_id": ["A-L-001"] * 3}, ["B1", "B2", "B3"])
    store = pg.campaign.open_store(tmp_path / "campaign.gpkg", "示例")
    heads = "房屋编号,阶段,日期,卡点\n"
    (tmp_path / "甲.csv").write_text(heads + "B1,签约,2018-03-05,\nB2,签约,2018-03-01,\n", "utf-8")
    (tmp_path / "乙.csv").write_text(
        heads + "B1,签约,2018-03-02,\nB2,签约,2018-03-01,\nB3,签约,2018-03-09,\n", "utf-8"
    )
    (tmp_path / "丙.csv").write_text(heads + "B2,签约,2018-03-08,产权纠纷\n", "utf-8")
    pg.campaign.update_progress(store, [tmp_path / "甲.csv"], houses)
    with pytest.warns(UserWarning, match="1 reports give another day") as said:
        done = pg.campaign.update_progress(store, [tmp_path / "乙.csv"], houses)
    assert done["n_new"].tolist() == [2]
    text = str(said[0].message)
    assert "B1 签约 2018-03-05 (库 第1条 (甲.csv 第2行)), 2018-03-02 (乙.csv 第2行)" in text
    pg.campaign.update_progress(store, [tmp_path / "丙.csv"], houses)  # no warning
    state = pg.progress_state(store.log(), houses)
    assert f"{state.buildings['since']['B1']:%m-%d}" == "03-02"


@pytest.mark.parametrize(
    ("sheet", "cell", "formula"),
    [("房屋", "本次阶段", '=IF(1=1,"签约","")'), ("房屋", "日期", "=TODAY()"),
     ("租户", "卡点", '="拒迁"'), ("房屋", "C3", "=DATE(2018,3,1)")],
)  # fmt: skip
def test_a_formula_that_nobody_computed_is_no_blank(form, sheet, cell, formula):
    book = openpyxl.load_workbook(form)
    page = book[sheet]
    if cell == "C3":
        page["C3"] = formula
        where = "C3"
    else:
        column = [c.value for c in page[4]].index(cell) + 1
        page.cell(5, column).value = formula
        where = page.cell(5, column).coordinate
    book.save(form)
    with pytest.raises(pg.errors.LayerError, match=rf"no program has computed \(1: {where}\)"):
        pg.campaign.read_reports(form)


def test_tenants_reach_no_stage_that_they_don_t_go_through():
    """A tenant who signed had been through 测绘评估, which is of houses, in reports of the week."""
    stages = pg.campaign.stage_rules()
    houses = pd.DataFrame({"node_id": ["甲-L-001"], "task_class": ["task"]}, ["B1"])
    people = pd.DataFrame({"building_id": ["B1"], "node_id": ["甲-L-001"]}, ["T1"])
    log = pd.DataFrame({"tenant_id": ["T1"], "building_id": [None], "stage": ["signed"],
                        "date": ["2018-02-01"]})  # fmt: skip
    state = pg.progress_state(log, houses, tenants=people, as_of="2018-02-02")
    reached = state.reached[state.reached["kind"] == "tenant"]["stage"].tolist()
    assert reached == ["survey", "negotiation", "signed"]
    assert set(reached) <= set(stages.index[stages["tenants"].astype(bool)])
    assert state.tenants.loc["T1", "stage"] == "signed"


def test_groups_of_equal_rank_come_as_people_count():
    """第10组 stood before 第2组, and 第三组 before 第二组."""
    state = pg.progress_state(reports(("B1", "签约", "2018-02-01")), HOUSES, as_of="2018-02-02")
    for names in (["第10组", "第2组"], ["第十组", "第九组"]):
        plan = pd.DataFrame(
            {"node_id": ["A-L-001", "A-L-002"], "group": names, "stage": "demolished",
             "start": pd.Timestamp("2018-05-01"), "finish": pd.Timestamp("2018-06-01")},
        )  # fmt: skip
        groups = pg.supervision(plan, state, HOUSES).groups
        assert groups["rank"].tolist() == [1, 1]
        assert groups.index.tolist() == names[::-1]
