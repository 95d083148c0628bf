"""The schedule as a file of Microsoft Project: dates, links, calendar, progress.

MPXJ, which needs Java, read a whole campaign back equal (benchmarks/msproject.py).
"""

from xml.etree import ElementTree

import pandas as pd
import pytest
from campaigns import whole_campaign

import pinghu_geo as pg

NS = {"p": "http://schemas.microsoft.com/project"}


def read(path):
    """Stages' tasks of a file, each with its node, and the file's root."""
    root = ElementTree.parse(path).getroot()
    rows, node = [], None
    for task in root.findall("p:Tasks/p:Task", NS):
        said = {e.tag.split("}")[1]: e.text for e in task if len(e) == 0}
        node = said["Name"] if said["OutlineLevel"] == "2" else node
        links = [{e.tag.split("}")[1]: e.text for e in one}
                 for one in task.findall("p:PredecessorLink", NS)]  # fmt: skip
        if said["OutlineLevel"] == "3":
            rows.append({"node": node, "links": links} | said)
    return pd.DataFrame(rows), root


def test_dates_links_and_progress_are_those_of_the_plan(tmp_path):
    c = whole_campaign(8)
    pg.deliver.write_msproject(c.plan, tmp_path / "s.xml", state=c.state, baseline=c.plan)
    rows, root = read(tmp_path / "s.xml")
    plan = c.plan.activities.set_index(["node_id", "stage"])
    assert len(rows) == len(plan)
    code = dict(zip(c.stages["zh"], c.stages.index, strict=True))
    done = c.state.stages.set_index(["node_id", "stage"])["done_ratio"]
    uid = rows.set_index(["node", "Name"])["UID"]
    for row in rows.itertuples():
        key = (row.node, code[row.Name])
        assert row.Start[:10] == f"{plan.at[key, 'start']:%Y-%m-%d}"
        assert row.Finish[:10] == f"{plan.at[key, 'finish']:%Y-%m-%d}"
        days = (plan.at[key, "finish"] - plan.at[key, "start"]).days + 1  # all days are worked
        assert row.Duration == f"PT{8 * days}H0M0S"
        assert int(row.PercentComplete) == int(100 * done[key] + 1e-9)
        after = [uid[row.node, c.stages.at[s, "zh"]] for s in c.stages.at[key[1], "after"]]
        assert [link["PredecessorUID"] for link in row.links] == after
        wait = 30 if key[1] == "negotiation" else 0
        assert all(int(link["LinkLag"]) == wait * 14400 for link in row.links)
    ends = rows.dropna(subset="Deadline").set_index("node")["Deadline"].str[:10]
    assert ends.to_dict() == c.plan.nodes["needed_by"].dt.strftime("%Y-%m-%d").to_dict()


@pytest.mark.parametrize("calendar", ["weekdays", "china"])
def test_the_files_calendar_is_the_plans(calendar, tmp_path):
    tasks = whole_campaign(4).tasks.nodes
    plan = pg.schedule(tasks, start="2018-01-29", calendar=calendar, work=0.0)
    pg.deliver.write_msproject(plan, tmp_path / "s.xml", calendar=calendar)
    rows, root = read(tmp_path / "s.xml")
    week = {int(d.find("p:DayType", NS).text): d.find("p:DayWorking", NS).text == "1"
            for d in root.iter(f"{{{NS['p']}}}WeekDay")}  # fmt: skip
    span = pd.date_range(plan.activities["start"].min(), plan.activities["finish"].max())
    worked = {d: week[(d.day_of_week + 1) % 7 + 1] for d in span}
    for one in root.iter(f"{{{NS['p']}}}Exception"):
        for d in pd.date_range(one.find("p:TimePeriod/p:FromDate", NS).text,
                               one.find("p:TimePeriod/p:ToDate", NS).text).normalize():  # fmt: skip
            worked[d] = one.find("p:DayWorking", NS).text == "1"
    spring = pd.Timestamp("2018-02-16"), pd.Timestamp("2018-02-24")  # holiday, make-up Saturday
    assert [worked[d] for d in spring] == ([False, True] if calendar == "china" else [True, False])
    for row, days in zip(rows.itertuples(), plan.activities["days"], strict=True):
        n = sum(worked[d] for d in pd.date_range(row.Start[:10], row.Finish[:10]))
        assert row.Duration == f"PT{8 * n}H0M0S"
        assert n == days


def test_texts_are_texts_and_the_same_plan_gives_the_same_bytes(tmp_path):
    tasks = whole_campaign(4).tasks.nodes
    tasks = tasks.assign(group="<b>&甲\x07")
    plan = pg.schedule(tasks, start="2018-01-29", work=0.0)
    for name in "ab":
        pg.deliver.write_msproject(plan, tmp_path / f"{name}.xml", title="<!ENTITY x>]]>")
    assert (tmp_path / "a.xml").read_bytes() == (tmp_path / "b.xml").read_bytes()
    _, root = read(tmp_path / "a.xml")
    assert root.find("p:Name", NS).text == "<!ENTITY x>]]>"
    assert root.find("p:Resources/p:Resource/p:Name", NS).text.startswith("<b>&甲")
    with pytest.raises(pg.errors.OutputError, match="xml"):
        pg.deliver.write_msproject(plan, tmp_path / "a.mpp")
    none = pg.campaign.Schedule(
        plan.activities.iloc[:0], plan.nodes.iloc[:0], plan.goals, plan.shortage
    )
    with pytest.raises(pg.errors.LayerError, match="has no nodes"):
        pg.deliver.write_msproject(none, tmp_path / "c.xml")
