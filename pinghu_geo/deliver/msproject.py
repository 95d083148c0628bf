"""How do planners of works open the schedule? As a file of Microsoft Project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from pinghu_geo.campaign.planning import Schedule
from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.stages import stage_rules, stage_words
from pinghu_geo.campaign.workdays import work_calendar
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import require_suffix
from pinghu_geo.nouns.inert import visible_text
from pinghu_geo.nouns.replacing import atomic_path
from pinghu_geo.nouns.schema import Lang
from pinghu_geo.nouns.tables import records_of

__all__ = ["write_msproject"]

NAMESPACE = "http://schemas.microsoft.com/project"
# A day is worked from 8 to 12 and from 13 to 17.
HOURS = (("08:00:00", "12:00:00"), ("13:00:00", "17:00:00"))
BEGINS, ENDS, DAY_HOURS = "T08:00:00", "T17:00:00", 8
# Codes of the format: a day's type is 1 (Sunday) to 7; finish to start; elapsed days; start no
# earlier than; days; daily exception; fixed duration; work.
FINISH_TO_START, ELAPSED_DAYS, NO_EARLIER, IN_DAYS, DAILY, FIXED, WORK = 1, 8, 4, 7, 1, 1, 1
# Lags are counted in tenths of a minute.
TENTHS_A_DAY = 24 * 60 * 10
CREATED = "2000-01-01T00:00:00"
AGAIN = 'plan = pg.schedule(tasks.nodes, start="2018-01-01")'
TENURES = ("collective", "private", "state")


@takes()
def write_msproject(
    plan: Schedule,
    target: str | Path,
    *,
    state: ProgressState | None = None,
    baseline: Schedule | None = None,
    stages: pd.DataFrame | None = None,
    calendar: str | pd.DataFrame = "days",
    title: str = "",
    lang: Lang = "zh",
) -> Path:
    """Write the schedule for Microsoft Project: nodes, stages, links, progress 进度计划.

    Parameters
    ----------
    plan
        Result of `schedule`.
    target
        ``.xml``; an existing file is replaced, whole or not at all.
    state
        Result of `progress_state`: how much of each stage is done, and since when.
    baseline
        The plan as adopted, where ``plan`` is one from today on.
    stages, calendar
        As they were given to `schedule`.
    title
        Name of the project.
    lang
        Language of the stages' names.

    Returns
    -------
    pathlib.Path
        What was written.

    Raises
    ------
    OutputError, LayerError
        The target is no .xml; the plan has no nodes, or some without activities, river or dates.

    Notes
    -----
    A river is a summary task, a node one below it, a stage a task. Stages are linked finish to
    start, with the days that must pass as elapsed days; a task starts no earlier than planned, so
    that the dates stay as they are when Project calculates: crews are not in its links. A node's
    last stage has the day on which the works need it as its deadline. Durations are working days
    of the calendar, which is in the file.

    References
    ----------
    Microsoft, Project XML data interchange schema (mspdi_pj12.xsd).

    Examples
    --------
    >>> tasks = pd.DataFrame({"river": "甲河", "bank": "left", "from_m": 0.0, "to_m": 40.0,
    ...     "n_buildings": 2, "n_tenants": 0, "demolish_floor_area_m2": 300.0}, ["甲河-L-001"])
    >>> plan = pg.schedule(tasks.rename_axis("node_id"), start="2018-01-02")
    >>> made = pg.deliver.write_msproject(plan, folder / "计划.xml")
    >>> "甲河-L-001" in made.read_text("utf-8")
    True
    """
    path = Path(target)
    require_suffix(path, ".xml")
    stages = stage_rules() if stages is None else stages
    _require_whole_plan(plan, stages)
    rows = _rows_of_tasks(plan, state, baseline, stages, lang)
    first, last = rows["start"].min(), rows["finish"].max()
    days = work_calendar(calendar, first, int((last - first).days) + 1)
    root = ElementTree.Element("Project", xmlns=NAMESPACE)
    _add_children(
        root, SaveVersion=12, Name=visible_text(title), Title=visible_text(title),
        CreationDate=CREATED, ScheduleFromStart=1, StartDate=_date_and_hour(first, BEGINS),
        FinishDate=_date_and_hour(last, ENDS), CalendarUID=1, DefaultStartTime=HOURS[0][0],
        DefaultFinishTime=HOURS[-1][1], MinutesPerDay=DAY_HOURS * 60,
        MinutesPerWeek=DAY_HOURS * 60 * 5, DaysPerMonth=20, NewTasksAreManual=0,
        StatusDate=None if state is None else _date_and_hour(state.as_of, ENDS),
    )  # fmt: skip
    _add_calendar(root, days.dates, first, last)
    groups = {g: k for k, g in enumerate(dict.fromkeys(rows["group"].dropna()), start=1)}
    tasks = ElementTree.SubElement(root, "Tasks")
    for row in records_of(rows):
        _add_task(tasks, row, days.dates)
    resources = ElementTree.SubElement(root, "Resources")
    for group, k in groups.items():
        one = ElementTree.SubElement(resources, "Resource")
        _add_children(one, UID=k, ID=k, Name=visible_text(group), Type=WORK)
    assigned = ElementTree.SubElement(root, "Assignments")
    for k, row in enumerate(records_of(rows[rows["group"].notna()]), start=1):
        one = ElementTree.SubElement(assigned, "Assignment")
        _add_children(
            one,
            UID=k,
            TaskUID=row["uid"],
            ResourceUID=groups[row["group"]],
            Start=_date_and_hour(row["start"], BEGINS),
            Finish=_date_and_hour(row["finish"], ENDS),
            Units=1,
        )
    ElementTree.indent(root)
    with atomic_path(path) as temporary:
        ElementTree.ElementTree(root).write(temporary, encoding="utf-8", xml_declaration=True)
    return path


def _require_whole_plan(plan: Schedule, stages: pd.DataFrame) -> None:
    """Refuse what no task can be made of: a plan is read whole or not at all."""
    nodes, work = plan.nodes, plan.activities
    if work.empty or nodes.empty:
        raise LayerError("has no nodes", layer="plan", hint=AGAIN)
    unnamed = nodes.index[nodes["river"].isna()]
    if len(unnamed):
        raise LayerError("has rows without a river", layer="plan", ids=unnamed, hint=AGAIN)
    idle = nodes.index[~nodes.index.isin(work["node_id"])]
    if len(idle):
        raise LayerError("has nodes without activities", layer="plan", ids=idle, hint=AGAIN)
    node, stage = work["node_id"], work["stage"]
    lost = node[~node.isin(nodes.index)].unique()
    if len(lost):
        raise LayerError(
            "has activities of nodes that it lacks", layer="plan", ids=lost, hint=AGAIN
        )
    undated = node[work[["start", "finish"]].isna().any(axis=1)].unique()
    if len(undated):
        raise LayerError(
            "has activities without start or finish", layer="plan", ids=undated, hint=AGAIN
        )
    strange = stage[~stage.isin(stages.index)].unique()
    if len(strange):
        raise LayerError(
            "speaks of stages that aren't there",
            layer="plan",
            ids=strange,
            hint="stages=stages, as they were given to schedule",
        )


def _rows_of_tasks(
    plan: Schedule,
    state: ProgressState | None,
    baseline: Schedule | None,
    stages: pd.DataFrame,
    lang: Lang,
) -> pd.DataFrame:
    """Summary tasks and tasks in the order of the file, with what the file says of each."""
    words = stage_words(stages, lang=lang)
    nodes, work = plan.nodes, plan.activities
    done = pd.DataFrame() if state is None else state.stages.set_index(["node_id", "stage"])
    adopted = pd.DataFrame()
    if baseline is not None:
        adopted = baseline.activities.set_index(["node_id", "stage"])
    by_node = dict(iter(work.groupby("node_id", sort=False)))
    rows: list[dict[str, Any]] = []

    def add(level: int, name: Any, **known: Any) -> dict[str, Any]:
        empty = dict.fromkeys(("group", "deadline", "ratio", "began", "ended", "was_start",
                               "was_finish", "before"))  # fmt: skip
        rows.append({"uid": len(rows) + 1, "level": level, "name": str(name)} | empty | known)
        return rows[-1]

    for river, mine in nodes.groupby("river", sort=False):
        ours = work[work["node_id"].isin(mine.index)]
        add(1, river, start=ours["start"].min(), finish=ours["finish"].max())
        for node in mine.index:
            part = by_node[node]
            uid: dict[str, int] = {}
            add(2, node, start=part["start"].min(), finish=part["finish"].max())
            tenures = _tenures_of_node(mine.loc[node])
            for row in part.to_dict("records"):
                stage = row["stage"]
                key = (node, stage)
                rule = stages.loc[stage]
                lag = max(_days_to_wait(dict(rule["wait_days"]), t) for t in tenures)
                before = [(uid[s], lag) for s in rule["after"] if s in uid]
                one = add(3, words.get(stage, stage), start=row["start"], finish=row["finish"],
                          group=row.get("group"), before=before)  # fmt: skip
                uid[stage] = one["uid"]
                if key in adopted.index:
                    one |= {f"was_{c}": adopted.at[key, c] for c in ("start", "finish")}
                if key in done.index:
                    ratio = float(done["done_ratio"].loc[key])
                    one |= {"ratio": ratio, "began": done.at[key, "first"],
                            "ended": done.at[key, "last"] if ratio >= 1 else pd.NaT}  # fmt: skip
            rows[-1]["deadline"] = mine.loc[node].get("needed_by")
    return pd.DataFrame(rows)


def _days_to_wait(waits: dict[str, int], tenure: str) -> int:
    return int(waits.get(tenure, waits.get("any", 0)))


def _tenures_of_node(node: pd.Series) -> list[str]:
    """Kinds of property in a node; one that isn't known waits as all others do."""
    return [t for t in TENURES if (node.get(f"n_{t}") or 0) > 0] or [""]


def _date_and_hour(day: Any, hour: str) -> str:
    return f"{pd.Timestamp(day):%Y-%m-%d}{hour}"


def _add_children(element: ElementTree.Element, **said: Any) -> None:
    """Children with a text, in their order; those without a value are left out."""
    for name, value in said.items():
        if value is not None and value is not pd.NaT:
            ElementTree.SubElement(element, name).text = str(value)


def _add_working_times(element: ElementTree.Element) -> None:
    times = ElementTree.SubElement(element, "WorkingTimes")
    for begins, ends in HOURS:
        _add_children(ElementTree.SubElement(times, "WorkingTime"), FromTime=begins, ToTime=ends)


def _add_calendar(root: ElementTree.Element, worked: Any, first: Any, last: Any) -> None:
    """Monday to Friday, or all seven days where all are worked; then what is otherwise."""
    span = pd.date_range(first, last)
    is_worked = np.isin(span.to_numpy().astype("datetime64[D]"), worked)
    every_day = bool(is_worked.all()) and len(span) > 5
    usual = np.ones(len(span), bool) if every_day else span.day_of_week.to_numpy() < 5
    calendar = ElementTree.SubElement(ElementTree.SubElement(root, "Calendars"), "Calendar")
    _add_children(calendar, UID=1, Name="Standard", IsBaseCalendar=1, BaseCalendarUID=-1)
    week = ElementTree.SubElement(calendar, "WeekDays")
    for kind in range(1, 8):
        works = every_day or 2 <= kind <= 6
        day = ElementTree.SubElement(week, "WeekDay")
        _add_children(day, DayType=kind, DayWorking=int(works))
        if works:
            _add_working_times(day)
    other = list(_runs_of_exceptions(span, is_worked, usual))
    if not other:
        return
    exceptions = ElementTree.SubElement(calendar, "Exceptions")
    for begins, ends, works in other:
        one = ElementTree.SubElement(exceptions, "Exception")
        _add_children(one, EnteredByOccurrences=0)
        _add_children(
            ElementTree.SubElement(one, "TimePeriod"),
            FromDate=_date_and_hour(begins, "T00:00:00"),
            ToDate=_date_and_hour(ends, "T23:59:00"),
        )
        _add_children(one, Occurrences=(ends - begins).days + 1, Type=DAILY, DayWorking=int(works))
        if works:
            _add_working_times(one)


def _runs_of_exceptions(
    span: pd.DatetimeIndex, worked: Any, usual: Any
) -> Iterator[tuple[Any, Any, bool]]:
    """Stretches of days that are worked, or aren't, against the week's rule."""
    other = np.flatnonzero(worked != usual)
    breaks = np.flatnonzero((np.diff(other) > 1) | (np.diff(worked[other].astype(int)) != 0)) + 1
    for run in np.split(other, breaks):
        if len(run):
            yield span[run[0]], span[run[-1]], bool(worked[run[0]])


def _add_task(tasks: ElementTree.Element, row: dict[str, Any], worked: Any) -> None:
    """One task of the file, its fields in the order of the schema."""
    ends = [np.datetime64(pd.Timestamp(row[c]), "D") for c in ("start", "finish")]
    days = int(np.searchsorted(worked, ends[1], "right") - np.searchsorted(worked, ends[0]))
    summary = row["level"] < 3
    hours = f"PT{max(days, 0) * DAY_HOURS}H0M0S"
    asked = ("deadline", "ratio", "began", "ended", "was_start", "was_finish")
    known = {k: None if row[k] is None or pd.isna(row[k]) else row[k] for k in asked}
    ratio = known["ratio"]
    one = ElementTree.SubElement(tasks, "Task")
    _add_children(
        one,
        UID=row["uid"],
        ID=row["uid"],
        Name=visible_text(row["name"]),
        Type=FIXED,
        IsNull=0,
        OutlineLevel=row["level"],
        Start=_date_and_hour(row["start"], BEGINS),
        Finish=_date_and_hour(row["finish"], ENDS),
        Duration=hours,
        DurationFormat=IN_DAYS,
        EffortDriven=0,
        Estimated=0,
        Milestone=0,
        Summary=int(summary),
        PercentComplete=None if ratio is None else int(100 * ratio + 1e-9),
        ActualStart=known["began"] and _date_and_hour(known["began"], BEGINS),
        ActualFinish=known["ended"] and _date_and_hour(known["ended"], ENDS),
        ConstraintType=0 if summary else NO_EARLIER,
        CalendarUID=-1,
        ConstraintDate=None if summary else _date_and_hour(row["start"], BEGINS),
        Deadline=known["deadline"] and _date_and_hour(known["deadline"], ENDS),
    )
    for uid, lag in row["before"] or ():
        _add_children(ElementTree.SubElement(one, "PredecessorLink"), PredecessorUID=uid,
             Type=FINISH_TO_START, CrossProject=0, LinkLag=int(lag) * TENTHS_A_DAY,
             LagFormat=ELAPSED_DAYS)  # fmt: skip
    if known["was_start"] is not None:
        was = {c: known[f"was_{c}"] for c in ("start", "finish")}
        _add_children(
            ElementTree.SubElement(one, "Baseline"),
            Number=0,
            Start=_date_and_hour(was["start"], BEGINS),
            Finish=_date_and_hour(was["finish"], ENDS),
        )
