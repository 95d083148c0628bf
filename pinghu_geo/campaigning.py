"""Where does a project's campaign stand? Its tables, from the project file and the reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import geopandas as gpd
import pandas as pd

from pinghu_geo.campaign.baseline import Baseline, changed_inputs, digest_of, held_schedule
from pinghu_geo.campaign.faces import working_faces
from pinghu_geo.campaign.funds import months_in_words, payments
from pinghu_geo.campaign.oversight import supervision
from pinghu_geo.campaign.planning import Schedule, schedule
from pinghu_geo.campaign.progress import progress_state
from pinghu_geo.campaign.reaches import (
    BalancedReaches,
    balanced_reaches,
    reaches_as_they_are,
)
from pinghu_geo.campaign.reports import read_reports
from pinghu_geo.campaign.stages import UNITS, priority_rules, stage_rules, stage_words
from pinghu_geo.campaign.standing import Campaign
from pinghu_geo.campaign.store import POSTGRES, CampaignStore, open_store
from pinghu_geo.campaign.tasks import CampaignTasks, campaign_tasks
from pinghu_geo.deliver.board import NodeBoard, node_board
from pinghu_geo.deliver.msproject import write_msproject
from pinghu_geo.deliver.report import write_sheets
from pinghu_geo.deliver.workbook import none_said
from pinghu_geo.nouns.beside import Workers, side_by_side
from pinghu_geo.nouns.codes import TASK_CLASS
from pinghu_geo.nouns.door import as_text, ids_as_text, same_ids
from pinghu_geo.nouns.errors import LayerError, first_ids
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.notices import notify
from pinghu_geo.nouns.schema import Lang, label, numbers
from pinghu_geo.plan import CAMPAIGN_TABLES, Plan
from pinghu_geo.redline.overlap import totals
from pinghu_geo.schemes.alternatives import Assessment

__all__ = [
    "CampaignGiven",
    "campaign_board",
    "campaign_diagrams",
    "campaign_given",
    "campaign_msproject",
    "campaign_of",
    "campaign_sheets",
    "campaign_stages",
    "campaign_store",
    "campaign_tenants",
    "require_measured_work",
    "with_tenants_of_table",
    "write_campaign",
]

Frame = TypeVar("Frame", bound=pd.DataFrame)

# sheets that are written where they have no rows, too
LOOKED_FOR = ("crews lacking", "notices", "last seven days")
# of what each goal of a schedule sums: lateness by the metres held up, finishes by their rule
GOAL_UNITS = {
    "largest_lateness": "working days",
    "lateness": "working days × m",
    "priority": "working days × weight",
    "together": "working days",
}
# of a node, what a sheet on the wall shows; and the rest, by subject
NODE_COLUMNS = (
    "river", "bank", "from_m", "to_m", "group", "leader", "n_buildings", "n_tenants",
    "demolish_floor_area_m2", "needed_by", "due", "done_or_expected", "late_days", "stage",
    "signal", "late_by_days", "blocker", "blocker_since",
)  # fmt: skip
NODE_SUBJECTS = {
    "dates and cost of nodes": (
        "river", "group", "n_collective", "cost_yuan", "start", "due", "done_or_expected",
        "needed_by", "late_days", "float_days", "held_up_m",
    ),
    "order of nodes": ("river", "group", "start", "priority", "why"),
}  # fmt: skip


def campaign_stages(plan: Plan) -> pd.DataFrame:
    """Stages as the project has them."""
    named = plan.campaign["stages"]
    return stage_rules(None if named is None else plan.file(named))


def campaign_store(plan: Plan) -> CampaignStore:
    """Where the project keeps its reports."""
    place = str(plan.campaign["store"])
    where = place if place.startswith(POSTGRES) else plan.file(place)
    return open_store(where, plan.name, schema=plan.campaign["schema"])


def campaign_tenants(plan: Plan) -> pd.DataFrame | None:
    """Tenants as the project names them."""
    if "tenants" not in plan.campaign:
        return None
    table = plan.table(plan.campaign["tenants"], "tenants")
    if table.empty:  # a form that nobody filled in says of no house that nobody rents it
        raise LayerError(
            "has no rows", layer="tenants",
            hint="list the tenants; or leave tenants out of [campaign], and give the buildings a "
            "column of tenants (租户数), 0 where nobody rents",
        )  # fmt: skip
    return table.set_index("tenant_id")


def require_measured_work(plan: Plan, buildings: gpd.GeoDataFrame) -> None:
    """Refuse a campaign whose work no house's row measures, before a search and a flood."""
    units = set(campaign_stages(plan)["unit"].map(UNITS))
    known = {c for c in ("tenants", "floors", "floor_area_m2")
             if c in buildings.columns and buildings[c].notna().any()}  # fmt: skip
    lacks = []
    if "demolish_floor_area_m2" in units and not known & {"floors", "floor_area_m2"}:
        lacks.append("floor_area_m2")
    if "n_tenants" in units and "tenants" not in known and "tenants" not in plan.campaign:
        lacks.append("tenants")
    if lacks:
        what = ", ".join(f"{column} ({label(column, unit=False)})" for column in lacks)
        raise LayerError(
            f"lack {what}, by which their work is measured", layer="buildings",
            hint="give their buildings floor areas (建筑面积) or floors (层数), and a column of "
            "tenants (租户数), 0 where nobody rents, or their table: "
            'tenants = "租户.csv"  # in [campaign]',
        )  # fmt: skip


class CampaignGiven(NamedTuple):
    """What [campaign] names, as it was read."""

    tables: dict[str, pd.DataFrame]
    stages: pd.DataFrame
    tenants: pd.DataFrame | None
    reports: pd.DataFrame | None  # those that were there before the store


def campaign_given(plan: Plan) -> CampaignGiven:
    """Read what [campaign] names, but for the store."""
    asked, stages = plan.campaign, campaign_stages(plan)
    tables = {
        key: plan.table(asked[key], what)
        for key, what in CAMPAIGN_TABLES.items()
        if key in asked and key not in ("tenants", "log")
    }
    tenants, reports = campaign_tenants(plan), None
    if "log" in asked:
        reports = read_reports(plan.file(asked["log"]), stages=stages, project=plan.name)
    return CampaignGiven(tables, stages, tenants, reports)


def with_tenants_of_table(
    plan: Plan, schemes: Mapping[str, Assessment], people: pd.DataFrame | None
) -> dict[str, Assessment]:
    """Schemes whose houses have as many tenants as the project's table of them.

    A house of the adopted scheme that the table doesn't name has none, as on the board. Of one
    that only other schemes take it isn't known that anybody asked: it keeps what its layer says.
    """
    if people is None:
        return dict(schemes)
    listed = people["building_id"].value_counts()
    adopted = schemes[plan.campaign["adopted"]].affected
    said = numbers(adopted, "tenants", "buildings")
    other = adopted.index[said.notna() & (said != listed.reindex(adopted.index, fill_value=0))]
    if len(other):
        notify(
            f"{len(other)} buildings have other tenants in their layer than in [campaign] tenants, "
            f"which counts: {first_ids(other)}"
        )
    done = {}
    for name, one in schemes.items():
        hit = one.affected
        count = listed.reindex(hit.index).astype(float)
        unlisted = numbers(hit, "tenants", "buildings").mask(hit.index.isin(adopted.index), 0.0)
        hit = hit.assign(tenants=count.fillna(unlisted))
        again = totals(hit)[["n_tenants", "n_tenants_unknown"]]
        done[name] = replace(one, affected=hit, totals=one.totals.assign(**again))
    return done


def _all_reports(before: pd.DataFrame | None, store: CampaignStore) -> pd.DataFrame:
    """Those of the store, and those that were there before it."""
    kept = store.log()
    if before is None:
        return kept
    return pd.concat([before, kept], ignore_index=True) if len(kept) else before


def campaign_of(
    plan: Plan,
    given: CampaignGiven,
    affected: gpd.GeoDataFrame,
    layers: dict[str, gpd.GeoDataFrame],
    segments: pd.DataFrame | None,
    *,
    as_of: Any = None,
    work: float | None = None,
    workers: Workers = 1,
) -> Campaign:
    """All tables of a project's campaign, as of a day.

    Parameters
    ----------
    plan
        With a section [campaign].
    given
        What it names, as it was read.
    affected
        Buildings of the adopted scheme, with verdict and who clears them.
    layers
        Layers of the project.
    segments
        Responsible reaches, where they are given and not balanced.
    as_of
        Day; by default the log's last.
    work
        Limit of the schedule's search; by default what the project says.
    workers
        Processes that plan side by side.
    """
    asked, store = plan.campaign, campaign_store(plan)
    tables, stages, tenants, reports = given
    kept = store.baseline() if (adopted := store.scheme() == asked["adopted"]) else None
    rules = priority_rules(None if asked["stages"] is None else plan.file(asked["stages"]))
    groups = asked.get("groups")
    if isinstance(groups, str | dict):
        groups = plan.table(groups, "groups")
    inputs = _inputs_of_plan(plan, tables, stages, rules, segments, groups)
    tasks, reaches = _tasks_and_reaches(
        plan, affected, layers, segments, tables, store.nodes() if adopted else None, tenants,
        groups, _held_reaches(kept, inputs),
    )  # fmt: skip
    common: dict[str, Any] = {
        "stages": stages, "handover": tables.get("handover"),
        "capacity": _capacity_of_busy_groups(tables.get("capacity"), tasks, reaches, segments),
        "start": asked["start"], "calendar": asked["calendar"], "lang": plan.lang,
        "priority": rules, "rivers": layers["rivers"],
        "work": float(asked["work"]) if work is None else work,
    }  # fmt: skip
    with side_by_side(workers) as many:
        # as planned; and where something is reported what is left from that day on
        planned = many.begin(_scheduled, [tasks.nodes], common) if kept is None else None
        log = _all_reports(reports, store)
        people = tasks.tenants if "tenants" in asked else None
        log = _reports_of_adopted(log, tasks, layers["buildings"], tenants)
        if as_of is None and log.empty:
            as_of = asked["start"]  # nothing is reported yet: where we stand is the first day
        state = progress_state(log, tasks.buildings, stages=stages, tenants=people, as_of=as_of)
        reported: dict[str, Any] = {}
        if len(log):
            reported = {"progress": state.stages, "as_of": state.as_of}
        if reported or planned is None:
            again = schedule(tasks.nodes, **common, **reported)
        else:
            (again,) = planned.results()
        faces = working_faces(
            tasks.buildings, layers["rivers"], state=state.reached, plan=again.activities,
            as_of=state.as_of, stages=stages,
        )  # fmt: skip
        money = pd.DataFrame()
        if "cost_yuan" in tasks.buildings:
            money = payments(tasks.buildings, again.activities, state=state.reached, stages=stages)
        made = again
        if reported and planned is not None:
            (made,) = planned.results()
    if kept is not None:
        made = _adopted_plan(plan, kept, again, inputs, reported=bool(reported))
    elif adopted:
        notify(
            "the store holds no dates of the plan that was adopted: due dates are those of today's "
            f"plan and move with the tasks until pinghu adopt {plan.path.name} keeps them"
        )
    _say_what_was_signed_and_is_no_task(tasks, state.reached, stages)
    watched = supervision(
        made.activities, state, tasks.buildings, faces=faces.stretches, stages=stages,
        thresholds=asked["thresholds"] or None, lang=plan.lang,
    )  # fmt: skip
    return Campaign(
        asked["adopted"], stages, tasks, reaches, made, again, state, faces, watched, money,
        layers["rivers"], baseline=kept, inputs=inputs,
    )  # fmt: skip


def _inputs_of_plan(
    plan: Plan,
    tables: Mapping[str, pd.DataFrame],
    stages: pd.DataFrame,
    priority: Sequence[Mapping[str, str]],
    segments: pd.DataFrame | None,
    groups: Any,
) -> dict[str, str]:
    """Of what a plan is made from, a digest by the key of [campaign] that says it."""
    asked = plan.campaign
    reaches = (asked.get("balance_by"), asked.get("banks"), tables.get("cuts"), tables.get("fixed"))
    rules = stages.drop(columns=["zh", "en", "letter", "words", "article"], errors="ignore")
    return {
        "start": digest_of(asked["start"]),
        "calendar": digest_of(asked["calendar"]),
        "work": digest_of(float(asked["work"])),
        "stages": digest_of(rules, [rule["column"] for rule in priority]),
        "handover": digest_of(tables.get("handover")),
        "capacity": digest_of(tables.get("capacity")),
        "groups": digest_of(segments) if groups is None else digest_of(groups, *reaches),
    }


def _adopted_plan(
    plan: Plan, kept: Baseline, again: Schedule, inputs: Mapping[str, str], *, reported: bool
) -> Schedule:
    """The adopted plan for the tasks there are now; what it doesn't know is said."""
    held, new = held_schedule(again, kept)
    if new:
        notify(
            f"{len(new)} nodes or stages of them came after the plan was adopted: {first_ids(new)};"
            f" their due dates are today's until pinghu adopt {plan.path.name} keeps them"
        )
    if other := changed_inputs(kept.given, inputs):
        notify(
            f"of [campaign] {first_ids(other)} changed since plan {kept.number} was adopted; due "
            f'dates stay as adopted until pinghu adopt {plan.path.name} --again "why"'
        )
    if reported or other:
        return held
    dates, needs = ["start", "finish"], ["needed_by", "late_days"]
    same = again.activities[dates].equals(held.activities[dates])
    return again if same and again.nodes[needs].equals(held.nodes[needs]) else held


def _scheduled(rules: dict[str, Any], nodes: pd.DataFrame, _: Callable[[str], None]) -> Schedule:
    """A plan of all tasks."""
    return schedule(nodes, **rules)


def _say_what_was_signed_and_is_no_task(
    tasks: CampaignTasks, reached: pd.DataFrame, stages: pd.DataFrame
) -> None:
    """Tell of houses that evidence takes out of the tasks after their owners were signed with."""
    paid = stages.index[stages["pays"].astype(bool)]
    if not len(paid):
        return
    signed = reached[(reached["kind"] == "building") & (reached["stage"] == paid[0])]["id"]
    houses = tasks.buildings
    kinds = houses["task_class"].set_axis(ids_as_text(houses.index))
    kinds = kinds[kinds.isin(["retain", "review", "survey"])]
    late = kinds.index[kinds.index.isin(set(signed.astype(str)))]
    if len(late):
        notify(
            f"{len(late)} buildings were signed for, and by what is known now they stay or aren't "
            f"decided: {first_ids(late)}; decide before anything is paid or torn down"
        )


def _held_reaches(kept: Baseline | None, inputs: Mapping[str, str]) -> pd.DataFrame | None:
    """Reaches as adopted, which hold until the project says others; None where none do."""
    if kept is None or kept.reaches.empty or kept.given.get("groups") != inputs["groups"]:
        return None
    return kept.reaches


def _tasks_and_reaches(
    plan: Plan,
    affected: gpd.GeoDataFrame,
    layers: dict[str, gpd.GeoDataFrame],
    segments: pd.DataFrame | None,
    tables: dict[str, pd.DataFrame],
    frozen: pd.Series | None,
    tenants: pd.DataFrame | None,
    groups: Any,
    held: pd.DataFrame | None,
) -> tuple[CampaignTasks, BalancedReaches | None]:
    """Tasks by node, with the groups of given or adopted reaches, or of balanced ones."""
    asked = plan.campaign
    if tenants is not None:
        lost = ~tenants["building_id"].isin(layers["buildings"].index)
        if lost.any():
            raise LayerError("has tenants without a building", layer="tenants",
                             ids=tenants.index[lost],
                             hint="correct 房屋编号 in the row, or leave the row out")  # fmt: skip
        tenants = tenants[tenants["building_id"].isin(affected.index)]
    common: dict[str, Any] = {
        "tenants": tenants, "zones": layers.get("zones"), "frozen": frozen,
        "district_total": asked["district_total"], "gap_m": plan.rules["gap_m"],
        "max_length_m": plan.rules["max_length_m"],
        "rivers": layers["rivers"],
    }  # fmt: skip
    tasks = campaign_tasks(affected, segments=segments, **common)
    if groups is None or tasks.nodes.empty:
        return tasks, None
    if held is not None:
        tasks = tasks.by_reaches(held, tenants, layers["rivers"])
        return tasks, reaches_as_they_are(tasks.nodes, held, by=asked["balance_by"])
    reaches = balanced_reaches(
        tasks.nodes, groups, by=asked["balance_by"], banks=asked["banks"],
        rivers=layers["rivers"], cuts=tables.get("cuts"), fixed=tables.get("fixed"),
    )  # fmt: skip
    return tasks.by_reaches(reaches.segments, tenants, layers["rivers"]), reaches


def _capacity_of_busy_groups(
    capacity: pd.DataFrame | None,
    tasks: CampaignTasks,
    reaches: BalancedReaches | None,
    segments: pd.DataFrame | None,
) -> pd.DataFrame | None:
    """Capacities of the groups that have nodes; one that has no reach at all is refused later."""
    if capacity is None or tasks.nodes.empty:
        return None  # nobody has anything to do
    known = reaches.segments if reaches is not None else segments
    if known is None:
        return capacity
    idle = set(known["group"]) - set(tasks.nodes["group"])
    return capacity[~capacity["group"].isin(idle)]


def _reports_of_adopted(
    log: pd.DataFrame,
    tasks: CampaignTasks,
    buildings: gpd.GeoDataFrame,
    tenants: pd.DataFrame | None,
) -> pd.DataFrame:
    """Reports on what the adopted scheme takes; what of the rest is there is said, not counted."""
    ours = set(as_text(pd.Series(tasks.buildings.index)))
    spared = set(as_text(pd.Series(buildings.index))) - ours
    other = log["building_id"].isin(spared)
    if tenants is not None:
        theirs = tenants.index[tenants["building_id"].isin(spared)]
        other |= log["tenant_id"].isin(set(as_text(pd.Series(theirs))))
    if other.any():
        ids = log.loc[other, "building_id"].fillna(log["tenant_id"]).unique()
        notify(
            f"{other.sum()} reports are on {len(ids)} buildings or tenants that the adopted scheme "
            f"doesn't take, and aren't counted: {first_ids(ids)}"
        )
    return log[~other]


def write_campaign(campaign: Campaign, target: Path, *, lang: Lang = "zh") -> None:
    """Write the tables of a campaign, each headed as its noun has it."""
    sheets = campaign_sheets(campaign, lang=lang)
    own = ("payments", "groups", "loads of reaches")
    nouns = dict.fromkeys(sheets, "activities") | {say(k, lang): "campaign" for k in own}
    write_sheets(sheets, target, nouns=nouns, lang=lang)


def campaign_sheets(campaign: Campaign, *, lang: Lang = "zh") -> dict[str, pd.DataFrame]:
    """The tables of a campaign by the names of their sheets."""
    state, watched, nodes = campaign.state, campaign.supervision, campaign.nodes()
    nodes = _in_order_of_rivers(nodes, campaign)
    share = campaign.tasks.share
    share = share.assign(column=[label(c, lang=lang) for c in share["column"]])
    classes = campaign.tasks.classes.loc[list(TASK_CLASS)]
    again = None if campaign.replan is campaign.plan else campaign.replan.activities
    sheets = {
        "classes": classes,
        "share of district": share,
        "nodes of tasks": _columns_present(nodes, NODE_COLUMNS),
        **{name: _columns_present(nodes, columns) for name, columns in NODE_SUBJECTS.items()},
        **_sheets_of_reaches(campaign.reaches, lang),
        "schedule": campaign.plan.activities,
        "goals of schedule": _goals_with_units(campaign.plan.goals, lang),
        "crews lacking": campaign.plan.shortage,
        "schedule from today": again,
        "supervision": watched.nodes,
        "groups": watched.groups,
        "notices": watched.notices,
        "last seven days": watched.changes,
        "progress curve": watched.curve.reset_index(),
        "stretches of faces": campaign.faces.stretches,
        "handover of faces": campaign.faces.receipts,
        "state of buildings": _with_class(state.buildings, campaign.tasks.buildings),
        "state of tenants": _with_class(state.tenants, campaign.tasks.tenants),
        "payments": months_in_words(campaign.payments, lang),
    }
    words = stage_words(campaign.stages) if lang == "zh" else {}
    # what was looked for and isn't there is said; the other sheets are left out
    for name in LOOKED_FOR:
        table = sheets[name]
        if table is not None and table.empty:
            sheets[name] = none_said(table.reset_index() if table.index.name else table, lang)
    return {say(k, lang): _rounded_numbers(_stages_in_words(t, words)) for k, t in sheets.items()
            if t is not None and len(t)}  # fmt: skip


def _in_order_of_rivers(nodes: Frame, campaign: Campaign) -> Frame:
    """Nodes by river in the order of their layer, as in the ledger."""
    order = campaign.rivers.index.get_indexer(pd.Index(nodes["river"]))
    return nodes.iloc[order.argsort(kind="stable")]


def _columns_present(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Those of the columns that are there, without geometry."""
    return pd.DataFrame(table)[[c for c in columns if c in table]]


def _stages_in_words(table: pd.DataFrame, words: dict[str, str]) -> pd.DataFrame:
    """Stages as the project calls them: an office's own have no word elsewhere."""
    stages = [c for c in ("stage", "next_stage", "stage_due") if c in table]
    return table.assign(**{c: table[c].map(lambda v: words.get(v, v)) for c in stages})


def _sheets_of_reaches(reaches: BalancedReaches | None, lang: Lang) -> dict[str, pd.DataFrame]:
    """Reaches, their loads and the proof, each saying what the load is, and which banks."""
    if reaches is None:
        return {}
    proof = reaches.certificate.rename(columns={"by": "column"})
    proof = proof.assign(column=[label(c, lang=lang) for c in proof["column"]])
    segments, loads = (t.assign(bank=t["bank"].fillna("both"))
                       for t in (reaches.segments, reaches.loads))  # fmt: skip
    loads.insert(list(loads).index("load"), "column", proof["column"].iloc[0])
    return {"reaches": segments, "loads of reaches": loads, "proof of reaches": proof}


def _goals_with_units(goals: pd.DataFrame, lang: Lang) -> pd.DataFrame:
    """The goals of a schedule, each with the unit of its value and bound."""
    said = goals.copy()
    said.insert(list(said).index("value"), "unit",
                [say(GOAL_UNITS[goal], lang) for goal in goals["goal"]])  # fmt: skip
    return said


def _with_class(state: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Where houses or tenants stand, with their class: what stays has no next stage."""
    if "task_class" not in tasks or state.empty:
        return state
    own = tasks["task_class"].set_axis(same_ids(tasks.index, state.index)).reindex(state.index)
    said = state.copy()
    said.insert(0, "task_class", own)
    return said.assign(next_stage=said["next_stage"].where(own.isna() | (own == "task")))


def _rounded_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers as people read them: two decimals, ratios four."""
    floats = table.select_dtypes("float").columns
    return table.round({c: 4 if str(c).endswith("_ratio") else 2 for c in floats})


def campaign_board(campaign: Campaign, plan: Plan) -> NodeBoard:
    """The board on the wall of a project's campaign."""
    tasks = replace(campaign.tasks, nodes=_in_order_of_rivers(campaign.tasks.nodes, campaign))
    return node_board(
        tasks, state=campaign.state, plan=campaign.plan, watched=campaign.supervision,
        faces=campaign.faces, stages=campaign.stages,
        note=" · ".join(text for text in (plan.note, campaign.proven) if text),
        title=say("{} · board", plan.lang, plan.name), lang=plan.lang,
    )  # fmt: skip


def campaign_diagrams(campaign: Campaign, plan: Plan, target: Path) -> bool:
    """Write a sheet a river of time against chainage; False where matplotlib isn't there."""
    if find_spec("matplotlib") is None:
        return False
    from pinghu_geo.deliver.chainages import plot_time_chainage, write_sheets_of_plots

    nodes, handover = campaign.plan.nodes, plan.campaign.get("handover")
    if nodes.empty:
        return False
    nodes = _in_order_of_rivers(nodes, campaign)
    if handover is not None:
        handover = plan.table(handover, CAMPAIGN_TABLES["handover"])
    sheets = (
        plot_time_chainage(
            campaign.plan, river, state=campaign.state, faces=campaign.faces.stretches,
            handover=handover, stages=campaign.stages, rivers=campaign.rivers, lang=plan.lang,
            segments=campaign.reaches.segments if campaign.reaches else None,
        )
        for river in dict.fromkeys(nodes["river"])
    )  # fmt: skip
    write_sheets_of_plots(sheets, target)
    return True


def campaign_msproject(campaign: Campaign, plan: Plan, target: Path) -> None:
    """Write the schedule for Microsoft Project, where there is one."""
    if campaign.replan.activities.empty:
        return
    again = campaign.replan is not campaign.plan
    write_msproject(
        campaign.replan, target, state=campaign.state if again else None,
        baseline=campaign.plan if again else None, stages=campaign.stages,
        calendar=plan.campaign["calendar"], title=plan.name, lang=plan.lang,
    )  # fmt: skip
