"""Due dates are those of the plan that was adopted, whatever is planned after it."""

import json
import re
import sqlite3
from contextlib import closing

import docx
import geopandas as gpd
import pandas as pd
import pgserver
import pytest
import shapely
from test_campaign_project import CAMPAIGN, HEAD, report, said, small_project

import pinghu_geo as pg
from conftest import building_frame
from pinghu_geo.campaign.baseline import DATES, baseline_of, held_schedule
from pinghu_geo.computing import project_campaign
from pinghu_geo.plan import read_plan

DAY = pd.Timestamp("2018-03-20")


@pytest.fixture
def project(tmp_path):
    """One crew for two groups' talks: who leaves lets the others come earlier."""
    return small_project(tmp_path)


def standing(project, as_of=DAY):
    return project_campaign(read_plan(project), as_of=as_of)


def given(campaign):
    """What anybody was told: days of all stages, and what lateness they make."""
    late = campaign.supervision.nodes[
        ["stage_due_on", "late_by_days", "late_since", "due", "signal"]
    ]
    return campaign.stage_dates(), late.sort_index(), campaign.nodes()["due"]


def without_house(folder, house):
    """Its evidence has changed: it stands outside the line."""
    old = pg.read_layer(folder / "房屋.gpkg", "buildings")
    moved = old.geometry.where(old.index != house, old.geometry.translate(yoff=200))
    pg.write_layer(old.set_geometry(moved), folder / "房屋.gpkg", "buildings")


def test_who_leaves_moves_nobody_elses_day(project, tmp_path):
    free = standing(project)[0]
    without_house(tmp_path, "B0")
    moved = standing(project)[0]
    gone = (set(free.tasks.nodes.index) - set(moved.tasks.nodes.index)).pop()
    # before adoption nobody was given a day, and some do move
    assert not free.stage_dates().drop(gone).equals(moved.stage_dates())
    # adopted with all houses
    old = pg.read_layer(tmp_path / "房屋.gpkg", "buildings")
    back = old.geometry.where(old.index != "B0", old.geometry.translate(yoff=-200))
    pg.write_layer(old.set_geometry(back), tmp_path / "房屋.gpkg", "buildings")
    pg.adopt_scheme(project)
    before, _, noted = standing(project)
    assert not [n for n in noted if "计划" in n]
    pd.testing.assert_frame_equal(before.stage_dates(), free.stage_dates())
    without_house(tmp_path, "B0")
    after, _, noted = standing(project)
    assert len(after.tasks.nodes) == len(before.tasks.nodes) - 1
    left = before.tasks.buildings.loc["B0", "node_id"]
    assert left not in set(after.nodes().index)
    for one, other in zip(given(before), given(after), strict=True):
        assert one.drop(left).equals(other)
    assert not [n for n in noted if "计划" in n]
    # the node keeps its row, and the plan from today is beside it
    kept = pg.campaign.open_store(tmp_path / "campaign.gpkg", "小河").baseline()
    assert left in set(kept.dates["node_id"])
    assert not after.replan.nodes["due"].equals(after.plan.nodes["due"])


def test_who_leaves_moves_nobody_to_another_group(project, tmp_path):
    """Reaches were balanced anew from today's tasks: 35 nodes of the sample changed hands."""
    layer = tmp_path / "房屋.gpkg"
    whole = layer.read_bytes()

    def leave():
        for house in ("B0", "B1"):
            without_house(tmp_path, house)
        return standing(project)[0]

    def hands(campaign):
        return campaign.tasks.buildings["node_id"].dropna().map(campaign.nodes()["group"])

    free = hands(leave())
    layer.write_bytes(whole)
    pg.adopt_scheme(project)
    before = standing(project)[0]
    assert not hands(before)[free.index].equals(free)  # free, some do
    after = leave()
    assert hands(after).equals(hands(before)[free.index])
    assert after.reaches.segments.values.tolist() == before.reaches.segments.values.tolist()
    # what each group has is today's
    loads = after.tasks.nodes.groupby("group")["demolish_floor_area_m2"].sum()
    assert after.reaches.loads["load"].to_dict() == pytest.approx(loads.to_dict())
    assert after.reaches.loads["load"].sum() < before.reaches.loads["load"].sum()
    # other groups are another division, at once, and a run says so
    project.write_text(
        (HEAD + CAMPAIGN).replace('groups = ["甲组", "乙组"]', 'groups = ["乙组", "甲组"]'), "utf-8"
    )
    other, _, noted = standing(project)
    assert other.nodes()["group"].iloc[0] == "乙组"
    assert [n for n in noted if "groups" in n]


def test_reports_move_no_day(project, tmp_path):
    pg.adopt_scheme(project)
    before = standing(project)[0]
    pg.update_project(project, [report(tmp_path, "B0,,谈判,2018-02-20,\nB3,,签约,2018-03-01,\n")])
    after = standing(project)[0]
    pd.testing.assert_frame_equal(after.stage_dates(), before.stage_dates())
    pd.testing.assert_series_equal(after.nodes()["due"], before.nodes()["due"])
    assert after.state.reached["date"].max() == pd.Timestamp("2018-03-01")


CHANGES = {
    "capacity": ("工效.csv", "责任组,阶段,队伍数\n甲组,谈判,6\n乙组,谈判,6\n"),
    "handover": ("进场.csv", "河道,起点桩号,终点桩号,要求移交日期\nA,0,1000,2018-02-10\n"),
    "start": ("project.toml", (HEAD + CAMPAIGN).replace("2018-01-02", "2018-02-02")),
    "calendar": ("project.toml", (HEAD + CAMPAIGN).replace('"days"', '"weekdays"')),
    "work": ("project.toml", (HEAD + CAMPAIGN).replace("work = 0.5", "work = 0")),
    "groups": ("project.toml", (HEAD + CAMPAIGN).replace('["甲组", "乙组"]', '["乙组", "甲组"]')),
}


@pytest.mark.parametrize("key", CHANGES)
def test_what_the_project_says_later_is_named_and_moves_no_day(project, tmp_path, key):
    pg.adopt_scheme(project)
    before = standing(project)[0]
    name, text = CHANGES[key]
    (tmp_path / name).write_text(text, "utf-8")
    after, _, noted = standing(project)
    pd.testing.assert_frame_equal(after.stage_dates(), before.stage_dates())
    assert after.plan.nodes["needed_by"].equals(before.plan.nodes["needed_by"])
    assert after.plan.nodes["late_days"].equals(before.plan.nodes["late_days"])
    told = [n for n in noted if "--again" in n]
    assert len(told) == 1
    assert f"[campaign] 的 {key} 在采用第 1 版计划后已更改" in told[0]
    # the cure that it names
    pg.adopt_scheme(project, again="按新安排")
    again, _, noted = standing(project)
    assert not [n for n in noted if "--again" in n]
    pd.testing.assert_series_equal(again.plan.nodes["due"], again.replan.nodes["due"])


def with_another_house(folder):
    extra = building_frame({"A0": shapely.box(950, 5, 960, 20)}, floors=2.0, use="residential",
                           owner="新", tenants=0.0, tenure="private")  # fmt: skip
    old = pg.read_layer(folder / "房屋.gpkg", "buildings")
    pg.write_layer(pd.concat([extra, old]), folder / "房屋.gpkg", "buildings")


def test_a_late_task_gets_its_days_once_and_not_in_the_past(project, tmp_path):
    pg.adopt_scheme(project)
    before = standing(project)[0]
    pg.update_project(project, [report(tmp_path, "B0,,谈判,2018-03-10,\n")])
    with_another_house(tmp_path)
    now, _, noted = standing(project, None)
    new = now.tasks.buildings.loc["A0", "node_id"]
    assert new not in set(before.tasks.nodes.index)
    assert [n for n in noted if new in n and "pinghu adopt" in n]
    assert now.stage_dates().loc[new].min() >= pd.Timestamp("2018-03-10")
    pd.testing.assert_frame_equal(now.stage_dates().drop(new), before.stage_dates())
    kept_days = now.stage_dates().loc[new]
    told = pg.adopt_scheme(project)
    assert "1 个节点的期限已存入填报库。" in told
    (tmp_path / "工效.csv").write_text("责任组,阶段,队伍数\n甲组,谈判,9\n乙组,谈判,9\n", "utf-8")
    later, _, noted = standing(project, "2018-06-01")
    assert not [n for n in noted if new in n]
    assert later.stage_dates().loc[new].equals(kept_days)
    store = pg.campaign.open_store(tmp_path / "campaign.gpkg", "小河")
    days = store.baseline().dates.set_index("node_id")["as_of"]
    assert set(days[new]) == {pd.Timestamp("2018-03-10")}
    assert set(days.drop(new)) == {pd.Timestamp("2018-01-02")}
    assert not [t for t in pg.adopt_scheme(project) if "已存入" in t]  # nothing is left to keep


def of_version_1(path):
    """As it was before dates were kept."""
    with closing(sqlite3.connect(path)) as base:
        for table in ("baselines", "baseline_dates", "store_version"):
            base.execute(f"DROP TABLE {table}")
            base.execute("DELETE FROM gpkg_contents WHERE table_name = ?", (table,))
        base.commit()


def test_a_store_without_dates_opens_and_gets_them_once(project, tmp_path):
    pg.adopt_scheme(project)
    first = standing(project)[0]
    place = tmp_path / "campaign.gpkg"
    of_version_1(place)
    held = place.read_bytes()
    out = pg.run_project(project, tmp_path / "out")
    told = json.loads((out / "summary.json").read_text("utf-8"))["warnings"]
    assert [
        w for w in told if "填报库中没有所采用工期的日期" in w and "pinghu adopt project.toml" in w
    ]
    assert place.read_bytes() == held  # a run only reads
    pg.update_project(project, [report(tmp_path, "B0,,谈判,2018-02-20,\n")])
    kept = pg.campaign.open_store(place, "小河").baseline()
    assert kept.number == 1
    without_house(tmp_path, "B5")
    after, _, noted = standing(project)
    assert not [n for n in noted if "没有所采用工期" in n]
    assert after.stage_dates().equals(first.stage_dates().loc[after.tasks.nodes.index])


def test_a_plan_is_adopted_anew_with_a_reason_and_the_old_one_is_named(project, tmp_path):
    pg.adopt_scheme(project)
    before = standing(project)[0]
    pg.update_project(project, [report(tmp_path, "B0,,谈判,2018-03-20,\n")])
    late = standing(project)[0]
    assert (late.supervision.nodes["late_by_days"] > 0).any()
    with pytest.raises(pg.errors.ProjectError, match="without a reason") as fault:
        pg.adopt_scheme(project, again=" ")
    assert "--again" in fault.value.hint
    told = said("adopt", project, "--again", "围堰推迟")
    assert "期限按第 2 版计划(采用时填报截至 2018-03-20)" in told
    assert "重新采用的理由:围堰推迟" in told
    moved = re.search(r"期限推后的节点 (\d+) 个,提前的 (\d+) 个", told)
    after = standing(project)[0]
    due, was = after.nodes()["due"], before.nodes()["due"]
    assert [int(n) for n in moved.groups()] == [(due > was).sum(), (due < was).sum()]
    assert due.equals(late.nodes()["done_or_expected"])
    assert (after.supervision.nodes["late_by_days"] == 0).all()
    kept = pg.campaign.open_store(tmp_path / "campaign.gpkg", "小河").baseline()
    assert (kept.number, kept.reason) == (2, "围堰推迟")
    assert kept.before[["number", "as_of"]].values.tolist() == [[1, pd.Timestamp("2018-01-02")]]
    with closing(sqlite3.connect(tmp_path / "campaign.gpkg")) as base:
        rows = base.execute("SELECT node_id, stage, finish FROM baseline_dates WHERE baseline = 1")
        old = pd.DataFrame(rows, columns=["node_id", "stage", "finish"])
        for table in ("baselines", "baseline_dates"):
            for text in (f"DELETE FROM {table}", f"UPDATE {table} SET fid = fid + 99"):
                with pytest.raises(sqlite3.IntegrityError, match="adopted plans stay"):
                    base.execute(text)
    dates = before.stage_dates().stack()
    assert old.set_index(["node_id", "stage"])["finish"].to_dict() == {
        k: f"{v:%Y-%m-%d}" for k, v in dates.items()
    }
    papers = pg.project_papers(project, tmp_path / "文书")
    weekly = docx.Document(next(papers.glob("周报_*.docx")))
    text = "\n".join(p.text for p in weekly.paragraphs)
    assert "期限按第 2 版计划" in text
    assert "第 1 版计划(采用时填报截至 2018-01-02)不再作数" in text


def test_two_runs_are_the_same_and_the_outputs_hold_the_adopted_days(project, tmp_path):
    pg.adopt_scheme(project)
    before = standing(project)[0]
    pg.update_project(project, [report(tmp_path, "B0,,谈判,2018-03-20,\n")])
    without_house(tmp_path, "B1")
    held = (tmp_path / "campaign.gpkg").read_bytes()
    one, other = (pg.run_project(project, tmp_path / name) for name in ("a", "b"))
    for path in one.iterdir():
        if path.name != "manifest.json":
            assert path.read_bytes() == (other / path.name).read_bytes(), path.name
    assert (tmp_path / "campaign.gpkg").read_bytes() == held
    was = before.nodes()["due"]
    nodes = gpd.read_file(one / "results.gpkg", layer="nodes").set_index("node_id")
    assert pd.to_datetime(nodes["due"]).dt.tz_localize(None).tolist() == was[nodes.index].tolist()
    sheet = pd.read_excel(one / "campaign.xlsx", sheet_name="节点").set_index("征拆节点")
    assert pd.to_datetime(sheet["完成期限"]).tolist() == was[sheet.index].tolist()
    xml = (one / "schedule.xml").read_text("utf-8")
    finishes = set(re.findall(r"<Baseline>.*?<Finish>(\d{4}-\d\d-\d\d)", xml, re.DOTALL))
    ours = before.plan.activities
    ours = ours[ours["node_id"].isin(nodes.index)]
    assert finishes == {f"{d:%Y-%m-%d}" for d in ours["finish"]}


# --- the store ---


@pytest.fixture(params=["gpkg", "postgresql"])
def store(request, tmp_path):
    if request.param == "gpkg":
        place = tmp_path / "campaign.gpkg"

        def change(text):
            with closing(sqlite3.connect(place)) as base:
                base.execute(text.format(s=""))
                base.commit()

        yield lambda: pg.campaign.open_store(place, "示例"), change
        return
    if not pgserver.READY:
        pytest.skip("no PostgreSQL with PostGIS on this machine")
    with pgserver.fresh_database(tmp_path) as base:
        info = base.info
        place = f"postgresql://{info.user}@127.0.0.1:{info.port}/{info.dbname}"

        def change(text):
            base.execute(text.format(s="pinghu_campaign."))
            base.commit()

        yield lambda: pg.campaign.open_store(place, "示例"), change


NODES = pd.DataFrame(
    {"river": "A", "bank": "left", "from_m": [0.0, 60.0], "to_m": [50.0, 90.0], "n_buildings": [4, 2],
     "n_tenants": [10, 3], "demolish_floor_area_m2": [2000.0, 500.0], "group": "第1组"},
    ["A-L-001", "A-L-002"],
)  # fmt: skip
ENTRY = pd.DataFrame({"river": ["A"], "from_m": [0.0], "to_m": [55.0], "needed_by": ["2018-02-01"]})
HOUSES = pd.Series({"B1": "A-L-001", "B2": "A-L-002"})


def planned(nodes=NODES, start="2018-01-01"):
    crews = pd.DataFrame({"group": ["第1组"], "stage": [None], "crews": [1]})
    return pg.schedule(nodes, handover=ENTRY, capacity=crews, start=start)


def test_a_plan_comes_back_from_the_store_as_it_was(store):
    opened, change = store
    plan = planned()
    one = opened()
    assert one.baseline() is None
    kept = baseline_of(plan, DAY, {"start": "x"})
    assert one.adopt("方案", HOUSES, kept) == 2
    back = opened().baseline()
    held, new = held_schedule(plan, back)
    assert new == []
    pd.testing.assert_frame_equal(held.activities, plan.activities)
    pd.testing.assert_frame_equal(held.nodes, plan.nodes)
    pd.testing.assert_frame_equal(held.goals, plan.goals)
    assert held.shortage.values.tolist() == plan.shortage.values.tolist()
    assert len(plan.shortage) == 1  # too late on 1 February: something was kept
    assert dict(back.given) == {"start": "x"}
    # a second adoption changes nothing, whatever it says
    later = planned(start="2018-01-20")
    assert one.adopt("方案", HOUSES, baseline_of(later, DAY, {})) == 0
    held, _ = held_schedule(later, opened().baseline())
    dated = ["node_id", "stage", *(c for c in DATES if c in plan.activities)]
    pd.testing.assert_frame_equal(held.activities[dated], plan.activities[dated])
    # one adopted anew does, and the old one stays
    again = baseline_of(later, pd.Timestamp("2018-04-01"), {}, "推迟")
    assert one.adopt("方案", HOUSES, again, again=True) == 2
    back = opened().baseline()
    assert (back.number, back.reason, back.as_of) == (2, "推迟", pd.Timestamp("2018-04-01"))
    assert back.before["number"].tolist() == [1]
    pd.testing.assert_frame_equal(
        held_schedule(later, back)[0].activities[dated], later.activities[dated]
    )


def test_what_comes_later_is_added_and_what_leaves_is_not_counted(store):
    opened, _ = store
    first = planned(NODES.iloc[:1])
    opened().adopt("方案", HOUSES, baseline_of(first, DAY, {}))
    both = planned(start="2018-02-01")
    held, new = held_schedule(both, opened().baseline())
    assert new == ["A-L-002"]
    assert held.nodes.at["A-L-001", "due"] == first.nodes.at["A-L-001", "due"]
    assert held.nodes.at["A-L-002", "due"] == both.nodes.at["A-L-002", "due"]
    day = pd.Timestamp("2018-05-01")
    assert opened().adopt("方案", HOUSES, baseline_of(held, day, {})) == 1
    back = opened().baseline()
    assert back.dates.groupby("node_id")["as_of"].first().to_dict() == {
        "A-L-001": DAY, "A-L-002": day}  # fmt: skip
    alone, new = held_schedule(planned(NODES.iloc[1:], start="2018-06-01"), back)
    assert new == []
    assert alone.nodes.index.tolist() == ["A-L-002"]
    assert alone.nodes.at["A-L-002", "due"] == both.nodes.at["A-L-002", "due"]


def test_a_store_of_a_newer_version_is_refused_by_name(store):
    opened, change = store
    opened().adopt("方案", HOUSES, baseline_of(planned(), DAY, {}))
    change("INSERT INTO {s}store_version (version) VALUES (7)")
    for ask in ("log", "nodes", "scheme", "baseline"):
        with pytest.raises(pg.errors.ProjectError, match="store is of version 7, .* knows 2"):
            getattr(opened(), ask)()


def test_a_store_of_an_older_version_takes_dates(store):
    opened, change = store
    opened().adopt("方案", HOUSES)
    for table in ("baseline_dates", "baselines", "store_version"):
        change(f"DROP TABLE {{s}}{table}")
    if type(opened()).__name__ == "_Postgres":
        change("DROP FUNCTION {s}adopted_plans_stay()")
    else:
        change("DELETE FROM gpkg_contents WHERE table_name LIKE 'baseline%' OR "
               "table_name = 'store_version'")  # fmt: skip
    assert opened().baseline() is None
    assert opened().scheme() == "方案"
    assert opened().adopt("方案", HOUSES, baseline_of(planned(), DAY, {})) == 2
    assert opened().baseline().number == 1
