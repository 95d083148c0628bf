"""When is each stage of each node due, and can it be in time? The schedule of the campaign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pinghu_geo.campaign.crews import least_extra_crews, least_of_groups
from pinghu_geo.campaign.network import FAR, NO_NEED, Goal, Network, passes
from pinghu_geo.campaign.stages import (
    ancestors,
    priority_rules,
    stage_codes,
    stage_rules,
    stage_words,
    work_days,
)
from pinghu_geo.campaign.workdays import WorkDays, day_of, work_calendar
from pinghu_geo.nouns.door import as_text, takes
from pinghu_geo.nouns.errors import LayerError, first_ids
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang, numbers, require_columns
from pinghu_geo.nouns.tables import each_row
from pinghu_geo.river.corridor import along_rivers, require_rivers, river_ends

__all__ = ["Schedule", "days_of_nodes", "needed_by", "schedule"]

Ints = NDArray[np.int64]
GOALS = ("largest_lateness", "lateness", "priority", "together")
TENURES = ("collective", "private", "state")
SPARE_DAYS = 1200


@dataclass(frozen=True, slots=True)
class Schedule(Result):
    """The plan of a campaign 倒排工期.

    Attributes
    ----------
    activities : pandas.DataFrame
        A row a node and stage: days, earliest and latest dates, float_days, critical; start and
        finish as planned with the crews there are; state {done, running, planned}. What is done
        has the days on which it was, and no float.
    nodes : pandas.DataFrame
        Indexed by node_id: river, bank, from_m, to_m, length_m along the river [m], group and
        geometry where the tasks have them, needed_by, start, due (the last stage's planned
        finish), late_days, float_days, critical, priority and why; float and priority are NA where
        all is done.
    goals : pandas.DataFrame
        Each goal in order: value, bound, gap_ratio, proof {optimal, feasible}.
    shortage : pandas.DataFrame
        Groups whose open nodes can't be in time: nodes, days, the fewest crews more that would
        do, by stage, and the days that no crew can save.
    """

    SHOWN: ClassVar = ("goals", "nodes")

    activities: pd.DataFrame
    nodes: pd.DataFrame
    goals: pd.DataFrame
    shortage: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """Sentences for people: in time or not, and what it would take."""
        if self.nodes.empty:
            return [say("There are no nodes: the adopted scheme has no buildings of ours to clear.",
                        lang)]  # fmt: skip
        done = self.nodes["next_stage"].isna()
        late = self.nodes["late_days"] > 0
        if done.all():
            lines = [say("All {} nodes are handed over, the last on {}.", lang, len(done),
                         f"{self.nodes['due'].max():%Y-%m-%d}")]  # fmt: skip
            if late.any():
                lines.append(say("{} of them were late, by {} working days at most.", lang,
                                 late.sum(), self.nodes["late_days"].max()))  # fmt: skip
            return lines
        if "needed_by" in self.nodes and self.nodes["needed_by"].isna().all():
            last = self.nodes["due"].max()
            return [say("{} nodes can all be handed over by {}; without a plan of entry (handover) "
                        "it isn't checked whether that is in time.", lang, len(self.nodes),
                        f"{last:%Y-%m-%d}")]  # fmt: skip
        lines = [say("{} nodes, {} of which can't be working faces in time.", lang,
                     len(done), (late & ~done).sum())]  # fmt: skip
        if (late & done).any():
            lines.append(say("{} nodes were handed over late.", lang, (late & done).sum()))
        first = self.goals.iloc[0]
        least = say("at least {} working days", lang, f"{first['bound']:.0f}")
        proof = say("proven least", lang) if first["proof"] == "optimal" else least
        lines.append(say("The largest lateness is {} working days ({}).", lang,
                         f"{first['value']:.0f}", proof))  # fmt: skip
        for row in each_row(self.shortage):
            days = row.late_days, row.late_days_then
            group = row.group or say("all nodes", lang)
            if row.crews_more <= 0:
                said = say(
                    "{}: {} working days late, and more crews don't help.", lang, group, days[0]
                )
            elif row.proof == "optimal":
                said = say("{}: at least {} crews more ({}) bring the lateness from {} to {} "
                           "working days.",
                           lang, group, row.crews_more, row.where, *days)  # fmt: skip
            else:
                said = say("{}: {} crews more ({}) bring the lateness from {} to {} working days.",
                           lang, group, row.crews_more, row.where, *days)  # fmt: skip
            lines.append(said)
        return lines


@dataclass(frozen=True, slots=True)
class _WorkNetwork:
    """Activities of all nodes, stage by stage, with what is done and what runs."""

    table: pd.DataFrame  # node (position), stage, days, state, release, done_start, done_finish
    before: Ints
    after: Ints
    lag: Ints
    last: Ints  # the last activity of each node
    need: Ints  # of each node


@takes(tasks="nodes", handover="handover", capacity="capacity", progress="activities")
def schedule(
    tasks: pd.DataFrame,
    stages: pd.DataFrame | None = None,
    handover: pd.DataFrame | None = None,
    capacity: pd.DataFrame | None = None,
    start: Any = None,
    calendar: str | pd.DataFrame = "days",
    *,
    progress: pd.DataFrame | None = None,
    as_of: Any = None,
    priority: Sequence[dict[str, str]] | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    work: float = 4.0,
    lang: Lang = "zh",
) -> Schedule:
    """Dates of all stages of all nodes, as little late as can be 倒排工期.

    Parameters
    ----------
    tasks
        Nodes: indexed by node_id, with river, bank, from_m, to_m [m], what the stages count
        (n_buildings, n_tenants, demolish_floor_area_m2), group where crews are limited,
        n_collective where it comes first, and not_before where a node is stuck until a day.
    stages
        Result of `stage_rules`.
    handover
        The contractor's entry: river, from_m, to_m, needed_by (and bank); or a line of speed:
        enters (day at from_m) and m_per_day towards to_m.
    capacity
        group, stage, per_day [units a crew and working day], crews. A blank stage is for crews
        that do all stages of the group; blank crews are one; what isn't named isn't limited.
    start
        First day of the campaign.
    calendar
        ``"days"``, ``"weekdays"``, ``"china"`` (holidays and make-up days as announced), or a table
        with date and working for the days that differ from Monday to Friday.
    progress
        node_id, stage, first, last, done_ratio: ``progress_state(...).stages``. What is done is
        fixed, what runs goes on.
    as_of
        Day of the re-plan: nothing new starts before it. By default the last day of ``progress``.
    priority
        Rules as in ``rules/stages.toml``; by default its own.
    rivers
        Centrelines; needed where they have chainage equations (断链).
    work
        Limit of the search for each goal, over all groups, in the solver's own unit (about a
        second); 0 for a plan without search.
    lang
        Language of ``why`` and ``where``: ``"zh"`` or ``"en"``.

    Returns
    -------
    Schedule
        ``activities``, ``nodes``, ``goals``, ``shortage``.

    Raises
    ------
    LayerError
        A capacity is 0, a need lies before the start, a node has no group, a group has no node,
        units are not known.

    Warns
    -----
    UserWarning
        The plan runs into a year whose official calendar isn't known.

    Notes
    -----
    One crew works on one stage of one node at a time: more crews let more nodes go on at once,
    they don't shorten one. Earliest and latest dates are without regard to crews (critical path;
    backward from the contractor's need, and from the end of the plan where there is none); float
    is their difference, negative where even that is too late. With crews, goal after goal, each
    group's by itself (crews belong to one group, so the sum of the groups' optima is the
    whole's): least largest lateness; least lateness in sum, weighted by the metres of working
    face held up; priority nodes early; all early and neighbours at once. Lateness is in working
    days of the calendar. Calendar days that the law makes one wait are counted as the most
    working days that so many can hold, so they are never cut short. The largest lateness is shared
    by all groups: none is searched for less than what the latest can't help. Bounds on the other
    goals are the solver's, or those of Lagrange's relaxation of the capacities where they are
    better: with a price for each crew and day every node is planned by itself, exactly.

    References
    ----------
    Fisher (1981), The Lagrangian relaxation method for solving integer programming problems.

    Examples
    --------
    >>> nodes = pd.DataFrame({"river": "A", "bank": "left", "from_m": [0.0, 60.0],
    ...     "to_m": [50.0, 90.0], "n_buildings": [4, 2], "n_tenants": [10, 3],
    ...     "demolish_floor_area_m2": [2000.0, 500.0], "group": "第1组"}, ["A-L-001", "A-L-002"])
    >>> entry = pd.DataFrame({"river": ["A"], "from_m": [0.0], "to_m": [100.0],
    ...                       "needed_by": ["2018-06-30"]})
    >>> plan = pg.schedule(nodes, handover=entry, start="2018-01-01")
    >>> plan.nodes["late_days"].tolist(), plan.nodes["due"].dt.strftime("%m-%d").tolist()
    ([0, 0], ['02-22', '02-09'])
    """
    require_columns(tasks, ["river", "bank", "from_m", "to_m"], "tasks")
    if not tasks.index.is_unique:
        raise LayerError(
            "has nodes twice", layer="tasks", ids=tasks.index[tasks.index.duplicated()]
        )
    if not 0 <= work < np.inf:
        raise LayerError(f"work={work} is no limit of work", hint="work=4.0; 0 for no search")
    stages = stage_rules() if stages is None else stages
    first = day_of(start, "start")
    days = work_days(tasks, stages, capacity)
    given = tasks.index
    # of plans that are equally good one is taken by the ids, whatever the order of the rows
    tasks = tasks.iloc[np.argsort(as_text(pd.Series(given)).to_numpy(object), kind="stable")]
    days = days.reindex(tasks.index)
    tasks = tasks.assign(**_places_along_river(tasks, rivers))
    said = needed_by(tasks, handover, start=first, rivers=rivers)
    ahead = (said.max() - first).days if said.notna().any() else 0
    cal = work_calendar(calendar, first, SPARE_DAYS + ahead + int(days.to_numpy().sum()))
    job = _work_network(tasks, stages, days, cal, said, progress, as_of)
    groups, crews = _crews_of_groups(tasks, stages, capacity)
    solved, goals = _planned_starts(tasks, stages, job, groups, crews, priority, work)
    activities = _table_of_activities(tasks, stages, job, solved, cal)
    nodes = _table_of_nodes(
        tasks, activities, job, said, priority, stage_words(stages, lang=lang), lang
    )
    activities = activities.drop(columns="finish_number")
    short = _shortage_of_crews(stages, job, groups, crews, nodes, work, lang)
    nodes = nodes.reindex(given)
    place = given.get_indexer(pd.Index(activities["node_id"]))
    activities = activities.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)
    if len(activities):
        cal.warn_beyond(activities["finish"].max())
    return Schedule(activities, nodes, goals, short)


# --- what is needed when ---


def _places_along_river(tasks: pd.DataFrame, rivers: gpd.GeoDataFrame | None) -> dict[str, Any]:
    """Where each node lies along its river, and how long it is."""
    low, high = river_ends(tasks, rivers, "tasks")[0].T
    return {"low": low, "length_m": high - low}


def needed_by(
    tasks: pd.DataFrame,
    handover: pd.DataFrame | None,
    *,
    start: pd.Timestamp | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    along: bool = False,
) -> pd.Series:
    """The day on which the contractor needs each node, the first of several; NaT for none.

    ``along`` says that the ends of the nodes are lengths along their river already.
    """
    found = pd.Series(pd.NaT, index=tasks.index, dtype="datetime64[ns]", name="needed_by")
    if handover is None or handover.empty:
        return found
    require_columns(handover, ["river", "from_m", "to_m"], "handover")
    if "needed_by" not in handover and not {"enters", "m_per_day"} <= set(handover.columns):
        require_columns(handover, ["needed_by"], "handover")
    ends = river_ends(tasks, None if along else rivers, "tasks")[0]
    require_rivers(handover, rivers, "handover", nodes=tasks)
    ways = along_rivers(handover, ["from_m", "to_m"], rivers, "handover")
    for label, row, day, (a, b) in zip(
        handover.index, handover.to_dict("records"), _entry_days(handover), ways.tolist(),
        strict=True,
    ):  # fmt: skip
        lo, hi = sorted((a, b))
        meets = (tasks["river"] == row["river"]).to_numpy() & (ends[:, 0] < hi) & (ends[:, 1] > lo)
        side = row.get("bank")
        if isinstance(side, str) and side != "both":
            meets &= tasks["bank"].isin([side, "both"]).to_numpy()
        when = np.full(len(tasks), day, "datetime64[D]")
        if pd.notna(row.get("m_per_day")):
            near = np.where(b >= a, ends[:, 0] - a, a - ends[:, 1])
            when = when + (np.maximum(near, 0) // row["m_per_day"]).astype("timedelta64[D]")
        if start is not None and (when[meets] < start.to_datetime64()).any():
            nodes = tasks.index[meets & (when < start.to_datetime64())]
            raise LayerError(
                f"needs working faces before the campaign's start on {start:%Y-%m-%d}: "
                f"{first_ids(nodes)}",
                layer="handover",
                ids=[label],
                hint="correct the date in the row, or start earlier",
            )
        earlier = meets & ~(found.to_numpy() <= when)
        found[earlier] = when[earlier].astype("datetime64[ns]")
    return found


def _entry_days(handover: pd.DataFrame) -> list[np.datetime64]:
    """Day of each row: needed_by, or the day on which a line of speed begins."""
    none = pd.Series(pd.NaT, index=handover.index)
    days = pd.to_datetime(handover.get("needed_by", none), errors="coerce")
    days = days.fillna(pd.to_datetime(handover.get("enters", none), errors="coerce"))
    if days.isna().any():
        raise LayerError("has rows without a date", layer="handover",
                         ids=handover.index[days.isna()],
                         hint="needed_by, or enters and m_per_day")  # fmt: skip
    speed = numbers(handover, "m_per_day", "handover")
    if (speed <= 0).any():
        raise LayerError(
            "has a speed of 0 or less", layer="handover", ids=handover.index[speed <= 0]
        )
    return list(days.to_numpy().astype("datetime64[D]"))


# --- what there is to do ---


def _work_network(
    tasks: pd.DataFrame,
    stages: pd.DataFrame,
    days: pd.DataFrame,
    cal: WorkDays,
    said: pd.Series,
    progress: pd.DataFrame | None,
    as_of: Any,
) -> _WorkNetwork:
    """Activities and links; done ones are over, running ones have the rest before them."""
    n, m = len(tasks), len(stages)
    codes = list(stages.index)
    table = pd.DataFrame(
        {"node": np.repeat(np.arange(n), m), "stage": np.tile(np.arange(m), n),
         "days": days[codes].to_numpy(np.int64).ravel()}
    )  # fmt: skip
    state = _reported_shares(tasks, codes, progress)
    now = _first_open_day(cal, progress, as_of)
    table["ratio"], table["first"], table["last"] = state
    done = table["ratio"].to_numpy() >= 1
    first_open = table.assign(done=done).groupby("node")["done"].transform("cumprod").to_numpy(bool)
    opening = ~done & np.concatenate([[True], first_open[:-1]])[: len(done)]
    opening |= ~done & (table["stage"] == 0).to_numpy()
    started = ~done & (table["ratio"].to_numpy() > 0)
    left = np.ceil(np.round((1 - table["ratio"].clip(0, 1)) * table["days"], 9)).astype(np.int64)
    left[started] = np.maximum(left[started], 1)
    hold = pd.to_datetime(tasks.get("not_before", pd.Series(pd.NaT, index=tasks.index)))
    held = np.where(hold.notna(), cal.index_at(hold.fillna(pd.Timestamp(0))), 0)[table["node"]]
    release = np.full(len(table), now)
    release[opening] = np.maximum(now, held[opening])
    over = cal.last_at(table["last"].fillna(pd.Timestamp(0))) + 1
    table["release"] = np.where(done, np.maximum(over, 0), release)
    table["left"] = np.where(done, 0, left)
    running = started & opening & (release <= now)
    table["state"] = np.select([done, running], ["done", "running"], "planned")
    before, after, lag = _links_within_nodes(tasks, stages, cal)
    fixed = done[after] | running[after]
    keep = ~fixed
    need = np.where(said.notna(), cal.last_at(said.fillna(pd.Timestamp(0))) + 1, NO_NEED)
    last = np.arange(n, dtype=np.int64) * m + _last_stage(stages)
    return _WorkNetwork(table, before[keep], after[keep], lag[keep], last, need.astype(np.int64))


def _last_stage(stages: pd.DataFrame) -> int:
    """The stage that ends a node: none comes after it."""
    needed = {s for row in stages["after"] for s in row}
    ends = [k for k, s in enumerate(stages.index) if s not in needed]
    if len(ends) != 1:
        raise LayerError("ends in several stages", layer="stages", ids=stages.index[ends],
                         hint="let one last stage come after all others")  # fmt: skip
    return ends[0]


def _first_open_day(cal: WorkDays, progress: pd.DataFrame | None, as_of: Any) -> int:
    """Number of the first day on which anything new can start."""
    if as_of is None:
        if progress is None or progress["last"].isna().all():
            return 0
        as_of = progress["last"].max()
    return int(cal.index_at(day_of(as_of, "as_of"))[0])


def _reported_shares(
    tasks: pd.DataFrame, codes: list[str], progress: pd.DataFrame | None
) -> tuple[NDArray[np.float64], NDArray[np.datetime64], NDArray[np.datetime64]]:
    """Share done, first and last day, of each node and stage."""
    size = len(tasks) * len(codes)
    ratio, none = np.zeros(size), np.full(size, np.datetime64("NaT", "ns"))
    first, last = none, none.copy()
    if progress is None or progress.empty:
        return ratio, first, last
    require_columns(progress, ["node_id", "stage", "first", "last", "done_ratio"], "progress")
    node = tasks.index.get_indexer(pd.Index(progress["node_id"]))
    stage = pd.Index(codes).get_indexer(pd.Index(progress["stage"]))
    if (node < 0).any():
        raise LayerError("speaks of unknown nodes", layer="progress",
                         ids=progress["node_id"][node < 0].unique())  # fmt: skip
    if (stage < 0).any():
        raise LayerError("speaks of unknown stages", layer="progress",
                         ids=progress["stage"][stage < 0].unique())  # fmt: skip
    at = node * len(codes) + stage
    ratio[at] = progress["done_ratio"].to_numpy(float)
    first = first.copy()
    first[at] = pd.to_datetime(progress["first"]).to_numpy().astype("datetime64[ns]")
    last[at] = pd.to_datetime(progress["last"]).to_numpy().astype("datetime64[ns]")
    return ratio, first, last


def _links_within_nodes(
    tasks: pd.DataFrame, stages: pd.DataFrame, cal: WorkDays
) -> tuple[Ints, Ints, Ints]:
    """Links within each node: from every stage before, with the days that one has to wait."""
    codes = list(stages.index)
    earlier = ancestors(stages)
    before, after, lag = [], [], []
    base = np.arange(len(tasks), dtype=np.int64) * len(codes)
    rules = zip(codes, stages["wait_days"], stages["after"], strict=True)
    for k, (stage, wait_days, awaited) in enumerate(rules):
        wait = _days_to_wait(tasks, wait_days, cal)
        for other in (s for s in codes if s in earlier[stage]):  # a set has no order to rely on
            before.append(base + codes.index(other))
            after.append(base + k)
            lag.append(wait if other in awaited else np.zeros_like(wait))
    if not before:
        none = np.zeros(0, np.int64)
        return none, none, none
    return np.concatenate(before), np.concatenate(after), np.concatenate(lag)


def _days_to_wait(tasks: pd.DataFrame, rule: dict[str, float], cal: WorkDays) -> Ints:
    """Working days to wait before a stage, by the tenures in each node; the longest of several."""
    if not rule:
        return np.zeros(len(tasks), np.int64)
    most = {word: cal.most_in(int(rule.get(word, rule.get("any", 0)))) for word in TENURES}
    other = cal.most_in(int(rule.get("any", 0)))
    found = np.zeros(len(tasks), np.int64)
    known = np.zeros(len(tasks))
    for word in TENURES:
        count = numbers(tasks, f"n_{word}", "tasks").fillna(0).to_numpy()
        found = np.where(count > 0, np.maximum(found, most[word]), found)
        known += count
    total = numbers(tasks, "n_buildings", "tasks").fillna(np.inf).to_numpy()
    unknown = max([other, *(most.values() if "any" not in rule else ())])
    return np.where(known < total, np.maximum(found, unknown), found).astype(np.int64)


def _crews_of_groups(
    tasks: pd.DataFrame, stages: pd.DataFrame, capacity: pd.DataFrame | None
) -> tuple[NDArray[np.object_], dict[tuple[str, str | None], int]]:
    """Group of each node, and the crews of each group and stage (None: of all its stages)."""
    if capacity is None:
        return np.full(len(tasks), "", object), {}
    require_columns(capacity, ["group", "stage"], "capacity")
    require_columns(tasks, ["group"], "tasks")
    if tasks["group"].isna().any():
        raise LayerError("has nodes without a group", layer="tasks",
                         ids=tasks.index[tasks["group"].isna()],
                         hint="pg.balanced_reaches gives every node one; in a project, "
                         "[campaign] groups = 10 does")  # fmt: skip
    crews = numbers(capacity, "crews", "capacity")
    bad = (crews < 1) | (crews != crews.round()) & crews.notna()
    if bad.any():
        raise LayerError("has a number of crews that is no whole number of 1 or more",
                         layer="capacity", ids=capacity.index[bad],
                         hint="a group without a crew would never be done")  # fmt: skip
    idle = [g for g in capacity["group"].dropna().unique() if g not in set(tasks["group"])]
    if idle:
        raise LayerError("names groups without a reach: no node is theirs", layer="capacity",
                         ids=idle, hint="correct the names, or leave the rows out")  # fmt: skip
    said = stage_codes(capacity["stage"], stages, layer="capacity")
    keys = [(str(g), None if pd.isna(s) else str(s))
            for g, s in zip(capacity["group"], said, strict=True)]  # fmt: skip
    twice = {k for k in keys if keys.count(k) > 1}
    if twice:
        raise LayerError("states a group and stage twice", layer="capacity",
                         ids=[f"{g} {s or ''}" for g, s in sorted(twice, key=str)])  # fmt: skip
    limits = dict(sorted(zip(keys, crews.fillna(1).astype(int), strict=True), key=str))
    return tasks["group"].astype("str").to_numpy(object), limits


# --- the plan ---


def _network_of_group(
    job: _WorkNetwork, stages: pd.DataFrame, nodes: Ints, group: str, crews: dict[Any, int]
) -> tuple[Network, Ints, list[tuple[str, str | None]]]:
    """Activities of some nodes, with the group's crews; and their places among all."""
    mine = np.flatnonzero(np.isin(job.table["node"].to_numpy(), nodes))
    place = np.full(len(job.table), -1, np.int64)
    place[mine] = np.arange(len(mine))
    link = place[job.after] >= 0
    keys = [k for k in crews if k[0] == group]
    user, resource = [], []
    stage = job.table["stage"].to_numpy()[mine]
    for r, (_, code) in enumerate(keys):
        who = (
            np.arange(len(mine))
            if code is None
            else np.flatnonzero(stage == stages.index.get_loc(code))
        )
        user.append(who)
        resource.append(np.full(len(who), r))
    need = np.full(len(job.table), NO_NEED)
    need[job.last] = job.need
    row = job.table.iloc[mine]
    used = np.concatenate(user).astype(np.int64) if user else np.zeros(0, np.int64)
    net = Network(
        days=row["left"].to_numpy(np.int64),
        before=place[job.before[link]],
        after=place[job.after[link]],
        lag=job.lag[link],
        user=used,
        resource=np.concatenate(resource).astype(np.int64) if user else used,
        amount=np.ones(len(used), np.int64),
        capacity=np.array([crews[k] for k in keys], np.int64),
        need=need[mine],
        release=row["release"].to_numpy(np.int64),
        running=(row["state"] != "planned").to_numpy(),
    )
    return net, mine, keys


def _goals_of_group(
    tasks: pd.DataFrame, job: _WorkNetwork, mine: Ints, rank: NDArray[np.float64]
) -> list[Goal]:
    """The goals of one group, in their order."""
    place = np.full(len(job.table), -1, np.int64)
    place[mine] = np.arange(len(mine))
    ends = place[job.last]
    nodes = np.flatnonzero(ends >= 0)
    asked = nodes[job.need[nodes] > NO_NEED]
    metres = np.maximum(np.round(tasks["length_m"].to_numpy(float)), 1).astype(np.int64)
    first = nodes[rank[nodes] < rank.max(initial=0)]
    weight = (rank.max(initial=0) - rank[first]).astype(np.int64)
    order = nodes[
        np.lexsort(
            (tasks["low"].to_numpy(float)[nodes], tasks["river"].astype(str).to_numpy()[nodes])
        )
    ]
    beside = tasks["river"].to_numpy()[order[:-1]] == tasks["river"].to_numpy()[order[1:]]
    one, other = order[:-1][beside], order[1:][beside]
    return [
        Goal(GOALS[0], "largest_lateness", ends[asked], np.ones(len(asked), np.int64)),
        Goal(GOALS[1], "lateness", ends[asked], metres[asked]),
        Goal(GOALS[2], "finish", ends[first], weight, 0.25),
        Goal(GOALS[3], "together", ends[one], np.ones(len(one), np.int64), 0.125, ends[other]),
    ]


def _planned_starts(
    tasks: pd.DataFrame,
    stages: pd.DataFrame,
    job: _WorkNetwork,
    groups: NDArray[np.object_],
    crews: dict[tuple[str, str | None], int],
    priority: Sequence[dict[str, str]] | None,
    work: float,
) -> tuple[Ints, pd.DataFrame]:
    """Starts of all activities, and the goals over all groups."""
    rank = _ranks_of_nodes(tasks, priority)
    parts = []
    for name in dict.fromkeys(groups.tolist()):
        net, mine, _ = _network_of_group(job, stages, np.flatnonzero(groups == name), name, crews)
        parts.append((net, mine, _goals_of_group(tasks, job, mine, rank)))
    found = least_of_groups([(net, goals) for net, _, goals in parts], work=work)
    start = np.zeros(len(job.table), np.int64)
    for (_, mine, _), one in zip(parts, found, strict=True):
        start[mine] = one.start
    rows = []
    for k, name in enumerate(GOALS):
        whole = max if k == 0 else sum  # the latest of all groups; sums of theirs
        value, bound = (whole([0, *(getattr(f, what)[k] for f in found)])
                        for what in ("values", "bounds"))  # fmt: skip
        rows.append(_goal_row(name, value, bound))
    return start, pd.DataFrame(rows)


def _goal_row(name: str, value: int, bound: int) -> dict[str, Any]:
    gap = 0.0 if value <= bound else (value - bound) / value
    return {"goal": name, "value": value, "bound": bound, "gap_ratio": gap,
            "proof": "optimal" if value <= bound else "feasible"}  # fmt: skip


def _ranks_of_nodes(
    tasks: pd.DataFrame, priority: Sequence[dict[str, str]] | None
) -> NDArray[np.float64]:
    """Rank of each node by the first rule that fits; 0 comes first."""
    rules = priority_rules() if priority is None else list(priority)
    rank = np.full(len(tasks), float(len(rules)))
    for k, rule in reversed(list(enumerate(rules))):
        if rule["column"] in tasks:
            fits = numbers(tasks, rule["column"], "tasks").fillna(0).to_numpy() > 0
            rank[fits] = k
    return rank


def _table_of_activities(
    tasks: pd.DataFrame, stages: pd.DataFrame, job: _WorkNetwork, start: Ints, cal: WorkDays
) -> pd.DataFrame:
    """The table of activities, with dates."""
    row = job.table
    left = row["left"].to_numpy(np.int64)
    deadline = np.full(len(row), FAR)
    deadline[job.last] = np.where(job.need > NO_NEED, job.need, FAR)
    found = passes(left, job.before, job.after, job.lag,
                   release=row["release"].to_numpy(np.int64), deadline=deadline)  # fmt: skip
    done = (row["state"] == "done").to_numpy()
    running = (row["state"] == "running").to_numpy()
    node = row["node"].to_numpy()
    table = pd.DataFrame({"node_id": tasks.index.to_numpy()[node],
                          "stage": stages.index.to_numpy()[row["stage"]]})  # fmt: skip
    table["group"] = tasks["group"].to_numpy()[node] if "group" in tasks else pd.NA
    table["state"] = row["state"].astype("str")
    table["days"] = row["days"]
    table["days_left"] = left
    # what has begun or is over has its own days, whatever the network would allow
    begun = row["first"].notna() & (done | running)
    for name, at in (("earliest_", found.earliest), ("latest_", found.latest), ("", start)):
        first, last = cal.date_at(at), cal.date_at(np.maximum(at + left - 1, at - 1))
        table[f"{name}start"] = row["first"].where(begun, first).astype("datetime64[ns]")
        table[f"{name}finish"] = row["last"].where(done, last).astype("datetime64[ns]")
    spare = found.latest - found.earliest
    least = int(spare[~done].min()) if (~done).any() else 0
    table.insert(list(table).index("start"), "float_days",
                 pd.Series(spare, dtype="Int64").mask(done))  # fmt: skip
    table.insert(list(table).index("start"), "critical", (spare <= max(0, least)) & ~done)
    table["finish_number"] = start + left
    return table


def days_of_nodes(activities: pd.DataFrame, nodes: pd.Index) -> pd.DataFrame:
    """Of each node its first day, whether it is critical, and which stage is next and when."""
    by_node = activities.groupby("node_id", sort=False)
    open_ = activities[activities["state"] != "done"].groupby("node_id", sort=False).first()
    return pd.DataFrame(
        {"start": by_node["start"].min().reindex(nodes),
         "critical": by_node["critical"].any().reindex(nodes),
         "next_stage": open_["stage"].reindex(nodes), "next_start": open_["start"].reindex(nodes)},
        index=nodes,
    )  # fmt: skip


def _table_of_nodes(
    tasks: pd.DataFrame,
    activities: pd.DataFrame,
    job: _WorkNetwork,
    said: pd.Series,
    priority: Sequence[dict[str, str]] | None,
    words: dict[str, str],
    lang: Lang,
) -> pd.DataFrame:
    """The table of nodes: when, how late, and why this one now."""
    keep = ("river", "bank", "from_m", "to_m", "length_m", "group", "geometry")
    table = tasks[[c for c in keep if c in tasks]].copy()
    table["needed_by"] = said
    days = days_of_nodes(activities, table.index)
    table["start"] = days["start"]
    table["due"] = activities["finish"].to_numpy()[job.last]
    number = activities["finish_number"].to_numpy()[job.last]
    late = np.where(job.need > NO_NEED, np.maximum(number - job.need, 0), 0)
    table["late_days"] = late
    table["float_days"] = activities["float_days"].iloc[job.last].set_axis(table.index)
    for column in ("critical", "next_stage", "next_start"):
        table[column] = days[column]
    rules = priority_rules() if priority is None else list(priority)
    rank = _ranks_of_nodes(tasks, priority)
    over = table["next_stage"].isna()
    spare = table["float_days"].fillna(0).to_numpy(np.int64)
    order = np.lexsort((table["next_start"].to_numpy(), spare, rank, -late, over.to_numpy()))
    table["priority"] = pd.Series(order.argsort() + 1, table.index, dtype="Int64").mask(over)
    table["why"] = [
        _reason_in_words(row, rules[int(r)][lang] if r < len(rules) else "", words, lang)
        for row, r in zip(table.itertuples(), rank, strict=True)
    ]
    return table


def _reason_in_words(row: Any, rule: str, words: dict[str, str], lang: Lang) -> str:
    """Why this node now, in a few words."""
    if pd.isna(row.next_stage):
        return say("all done", lang)
    said = [rule] if rule else []
    if row.late_days:
        said.append(say("{} working days after the entry", lang, row.late_days))
    if pd.notna(row.needed_by):
        said.append(say("float of {} working days", lang, row.float_days))
        said.append(say("by {} {} m must be handed over", lang, f"{row.needed_by:%Y-%m-%d}",
                        f"{row.length_m:.0f}"))  # fmt: skip
    if row.critical:
        said.append(say("critical", lang))
    said.append(say("next: {}", lang, words[row.next_stage]))
    return say("; ", lang).join(said)


def _shortage_of_crews(
    stages: pd.DataFrame,
    job: _WorkNetwork,
    groups: NDArray[np.object_],
    crews: dict[tuple[str, str | None], int],
    nodes: pd.DataFrame,
    work: float,
    lang: Lang,
) -> pd.DataFrame:
    """Groups whose open nodes are late, and the fewest crews more with which they needn't be."""
    columns = ["group", "late_days", "n_late", "late_nodes", "crews_more", "where",
               "late_days_then", "proof"]  # fmt: skip
    rows = []
    open_ = nodes["next_stage"].notna().to_numpy()  # no crew changes what is handed over
    late = np.where(open_, nodes["late_days"].to_numpy(), 0)
    behind = list(dict.fromkeys(groups[late > 0].tolist()))
    each = max(work, 1.0) / max(len(behind) / 4, 1)
    for name in behind:
        mine = np.flatnonzero((groups == name) & open_)
        net, place, keys = _network_of_group(job, stages, mine, name, crews)
        early = passes(net.days, net.before, net.after, net.lag, release=net.release).earliest
        ends = np.flatnonzero(net.need > NO_NEED)
        best = int(np.maximum(early[ends] + net.days[ends] - net.need[ends], 0).max(initial=0))
        extra, proven = np.zeros(len(keys), np.int64), True
        if best < late[mine].max():
            goal = Goal("", "largest_lateness", ends, np.ones(len(ends), np.int64))
            extra, proven = least_extra_crews(net, goal, best, work=each)
        words = [stage_words(stages, lang=lang)[s] if s else say("all stages", lang)
                 for _, s in keys]  # fmt: skip
        where = say(", ", lang).join(
            f"{word} +{x}" for word, x in zip(words, extra, strict=True) if x
        )
        ids = nodes.index[mine][late[mine] > 0]
        rows.append((name, int(late[mine].max()), len(ids), "、".join(map(str, ids)),
                     int(extra.sum()), where, best,
                     "optimal" if proven else "feasible"))  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
