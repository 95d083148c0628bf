"""What must be signed? Household files, weekly report, notices, transfers, report on schemes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from pinghu_geo.campaign.faces import WorkingFaces
from pinghu_geo.campaign.oversight import Supervision
from pinghu_geo.campaign.planning import Schedule
from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.stages import TODO, stage_rules
from pinghu_geo.campaign.tasks import CampaignTasks
from pinghu_geo.deliver.drafts import HOUSE_FACTS, own_template, paper_name
from pinghu_geo.deliver.styles import stage_words, value_text
from pinghu_geo.deliver.templates import Picture, fill_papers, template_bytes
from pinghu_geo.nouns.door import ids_as_text, takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import require_suffix
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang, code_label, require_layer
from pinghu_geo.nouns.tables import each_row
from pinghu_geo.river.chainage import format_chainage
from pinghu_geo.schemes import cost
from pinghu_geo.schemes.alternatives import Comparison
from pinghu_geo.search.optimise import LeastDemolition
from pinghu_geo.search.outcome import WithinRise

__all__ = [
    "write_household_files",
    "write_notices",
    "write_scheme_report",
    "write_transfers",
    "write_weekly_report",
]

HEADS = {column: column.removesuffix("_yuan") for column in cost.HEADS.values()}
PICTURE_MM = 150.0
# A week ahead, and a week back [days].
WEEK = 7


@takes(buildings="affected", tenants="tenants")
def write_household_files(
    buildings: gpd.GeoDataFrame,
    target: str | Path,
    *,
    tenants: pd.DataFrame | None = None,
    nodes: pd.DataFrame | None = None,
    state: ProgressState | None = None,
    stages: pd.DataFrame | None = None,
    around: gpd.GeoDataFrame | None = None,
    red_line: gpd.GeoDataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    template: str | Path | None = None,
    project: str = "",
    lang: Lang = "zh",
) -> list[Path]:
    """Write a Word file a house: owner, tenants, area, title, map, money, progress 一户一档.

    Parameters
    ----------
    buildings
        Affected buildings, with whatever was joined to them; ``campaign_tasks(...).buildings``.
    target
        Folder, for a file each that is named by its id; or ``.docx``, for all bound in one.
    tenants
        ``campaign_tasks(...).tenants``.
    nodes
        ``campaign_tasks(...).nodes``, for group and leader.
    state
        Result of `progress_state`.
    stages
        Result of `stage_rules`.
    around
        All buildings: neighbours on the extract of the map.
    red_line, rivers
        Drawn on it, too.
    template
        The office's own ``.docx``; see `write_templates`.
    project
        Its name, above each file.
    lang
        Language of our template and of codes.

    Returns
    -------
    list
        Paths that were written.

    Raises
    ------
    LayerError
        A layer or the template can't be used.

    Notes
    -----
    What isn't known says so. Texts of the data stay texts: none becomes a field, a tag or a part of
    the template. The same input gives the same bytes. Pictures need matplotlib.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> hit = pg.affected(buildings, pg.red_line(rivers, 9.0), rivers).head(2)
    >>> made = pg.deliver.write_household_files(hit, folder / "一户一档")
    >>> [p.stem for p in made] == [str(i) for i in hit.index]
    True
    """
    require_layer(buildings, "buildings", valid=False)
    stages = stage_rules() if stages is None else stages
    words = stage_words(stages, lang=lang)
    # one table may write an id as a number, another as text: they meet as people read them
    people = {} if tenants is None else {str(k): g for k, g in tenants.groupby("building_id")}
    of_node = pd.DataFrame() if nodes is None else pd.DataFrame(nodes)
    of_node = of_node.set_axis(ids_as_text(of_node.index))
    pictures = _pictures_of_houses(buildings, around, red_line, rivers, lang)
    reached: dict[str, pd.Series] = {}
    if state is not None:
        rows = state.reached[state.reached["kind"] == "building"]
        reached = {str(k): g.set_index("stage")["date"] for k, g in rows.groupby("id", sort=False)}
        standing = state.buildings.set_axis(ids_as_text(state.buildings.index))
        state = replace(state, buildings=standing)
    papers = {}
    for (one, row), picture in zip(_rows_with_index(buildings), pictures, strict=True):
        own = str(row.get("node_id"))
        node: Any = of_node.loc[own] if own in of_node.index else {}
        row |= {k: node.get(k) for k in ("group", "leader") if row.get(k) is None}
        paper = _texts_of_row(row, (*HOUSE_FACTS, *row), lang)
        if row.get("task_class") not in (None, "task"):  # it is of no node, and that is known
            paper |= {k: "—" for k in ("node_id", "group", "leader") if row.get(k) is None}
        paper |= {
            "building_id": str(one),
            "project": project,
            "map": picture,
            "place": _place_in_words(row, lang),
            "costs": _costs_by_head(row, lang),
        }
        paper |= _tenants_of_house(
            people.get(str(one)), known=tenants is not None, state=state, words=words, lang=lang
        )
        paper |= _progress_of_house(str(one), reached.get(str(one)), state, words, lang)
        papers[str(one)] = paper
    name = paper_name("household", lang)
    ours = own_template("household", lang)
    return fill_papers(papers, target, template_bytes(template, ours), title=name)


def _rows_with_index(frame: pd.DataFrame) -> list[tuple[Any, dict[str, Any]]]:
    """Index and values of each row, without geometry."""
    rows = pd.DataFrame(frame).drop(columns="geometry", errors="ignore").astype(object)
    rows = rows.where(rows.notna(), None)
    return [(k, {str(n): v for n, v in r.items()})
            for k, r in zip(rows.index, rows.to_dict("records"), strict=True)]  # fmt: skip


def _text_or_unknown(name: str, value: Any, lang: Lang) -> str:
    """A value as a paper says it: what isn't known says so."""
    return value_text(name, value, lang, unknown=say("unknown", lang))


def _texts_of_row(row: Mapping[str, Any], names: Sequence[str], lang: Lang) -> dict[str, Any]:
    return {name: _text_or_unknown(name, row.get(name), lang) for name in names}


def _place_in_words(row: Mapping[str, Any], lang: Lang) -> str:
    """River, bank and chainage, or the chainages between which something lies."""
    river, bank = (_text_or_unknown(k, row.get(k), lang) for k in ("river", "bank"))
    at = row.get("chainage_m")
    if at is None and row.get("from_m") is not None:
        ends = sorted(float(row[c]) for c in ("from_m", "to_m") if row[c] is not None)
        where = "–".join(format_chainage(e, decimals=0) for e in ends)
    else:
        where = _text_or_unknown("chainage_m", at, lang)
    return f"{river} {bank} {where}"


def _costs_by_head(row: Mapping[str, Any], lang: Lang) -> list[dict[str, str]]:
    """Compensation by head, and its sum."""
    words = {"building": say("building", lang), "relocation": say("relocation", lang),
             "interruption": say("interruption of business", lang)}  # fmt: skip
    found = [
        {
            "head": words.get(w) or code_label("head", w, lang=lang),
            "yuan": _text_or_unknown(c, row[c], lang),
        }
        for c, w in HEADS.items()
        if row.get(c) is not None
    ]
    if row.get("cost_yuan") is not None:
        sum_ = {
            "head": say("in all", lang),
            "yuan": _text_or_unknown("cost_yuan", row["cost_yuan"], lang),
        }
        found.append(sum_)
    return found


def _tenants_of_house(
    rows: pd.DataFrame | None,
    *,
    known: bool,
    state: ProgressState | None,
    words: Mapping[str, str],
    lang: Lang,
) -> dict[str, Any]:
    """Tenants of a house, each with its stage."""
    if not known:
        return {"tenants": [], "tenants_said": say("No table of tenants is given.", lang)}
    if rows is None:
        return {"tenants": [], "tenants_said": say("No tenant is on record.", lang)}
    found = []
    for one, row in _rows_with_index(rows):
        paper = _texts_of_row(row, ("name", "kind", "area_m2", "lease_end", *row), lang)
        paper["tenant_id"] = str(one)
        stage = (
            None if state is None or one not in state.tenants.index else state.tenants["stage"][one]
        )
        paper["stage"] = _text_or_unknown(
            "", words.get(str(stage)) if stage is not None else None, lang
        )
        found.append(paper)
    return {"tenants": found, "tenants_said": say("{} tenants on record.", lang, len(found))}


def _progress_of_house(
    one: str,
    reached: pd.Series | None,
    state: ProgressState | None,
    words: Mapping[str, str],
    lang: Lang,
) -> dict[str, Any]:
    """What was reached when, and what stands in the way."""
    if state is None:
        said = say("No progress is reported.", lang)
    else:
        said = say("As of {}.", lang, f"{state.as_of:%Y-%m-%d}")
    now = state.buildings.loc[one] if state is not None and one in state.buildings.index else None
    if now is not None and pd.notna(now["blocker"]):
        since = _text_or_unknown("", now["blocker_since"], lang)
        said += say(" Blocked since {}: {}.", lang, since, now["blocker"])
    rows = []
    for code, word in words.items():
        if code == TODO:
            continue
        day = None if reached is None else reached.get(code)
        last = now is not None and now["stage"] == code
        note = now["note"] if last and now is not None and pd.notna(now["note"]) else ""
        rows.append({"stage": word, "note": str(note),
                     "date": "—" if day is None else f"{day:%Y-%m-%d}"})  # fmt: skip
    return {"progress": rows, "progress_said": said}


def _pictures_of_houses(
    buildings: gpd.GeoDataFrame,
    around: gpd.GeoDataFrame | None,
    red_line: gpd.GeoDataFrame | None,
    rivers: gpd.GeoDataFrame | None,
    lang: Lang,
) -> Any:
    """A picture of each house's place; none where matplotlib isn't there."""
    if find_spec("matplotlib") is None:
        return [None] * len(buildings)
    from pinghu_geo.deliver.extracts import house_extracts

    drawn = house_extracts(buildings, around=around, red_line=red_line, rivers=rivers, lang=lang)
    return (Picture(png, PICTURE_MM) if png else None for png in drawn)


@takes()
def write_weekly_report(
    tasks: CampaignTasks,
    state: ProgressState,
    watched: Supervision,
    target: str | Path,
    *,
    plan: Schedule | None = None,
    faces: WorkingFaces | None = None,
    stages: pd.DataFrame | None = None,
    template: str | Path | None = None,
    project: str = "",
    lang: Lang = "zh",
) -> Path:
    """Write the weekly report of a campaign as a Word file 周报.

    Parameters
    ----------
    tasks
        Result of `campaign_tasks`.
    state
        Result of `progress_state`: its day is the report's.
    watched
        Result of `supervision`: its ``changes`` are what was done in the week.
    target
        ``.docx``.
    plan
        Result of `schedule` from where we stand: what is planned for next week.
    faces
        Result of `working_faces`.
    stages
        Result of `stage_rules`.
    template
        The office's own ``.docx``; see `write_templates`.
    project
        Its name.
    lang
        Language of our template and of codes.

    Returns
    -------
    pathlib.Path
        What was written.

    Raises
    ------
    OutputError, LayerError
        The target is no .docx; the template can't be used.

    Examples
    --------
    >>> houses = gpd.GeoDataFrame({"river": "甲河", "bank": "left", "from_m": [0.0], "to_m": [9.0],
    ...     "needs_survey": False, "extent": "full", "inside_m2": 90.0, "tenants": 0,
    ...     "demolish_floor_area_m2": 180.0}, geometry=[shapely.box(0, 5, 9, 15)], crs=4547,
    ...     index=pd.Index(["B1"], name="building_id"))
    >>> tasks = pg.campaign_tasks(houses)
    >>> log = pd.DataFrame({"building_id": ["B1"], "stage": ["摸底"], "date": ["2018-03-01"]})
    >>> state = pg.progress_state(log, tasks.buildings)
    >>> plan = pg.schedule(tasks.nodes, start="2018-01-02")
    >>> watched = pg.supervision(plan.activities, state, tasks.buildings)
    >>> pg.deliver.write_weekly_report(tasks, state, watched, folder / "周报.docx").name
    '周报.docx'
    """
    require_suffix(Path(target), ".docx")
    stages = stage_rules() if stages is None else stages
    words = stage_words(stages, lang=lang)
    since = state.as_of - pd.Timedelta(days=WEEK - 1)
    signal = watched.nodes["signal"]
    sums = _sums_in_words(tasks, watched, lang)
    sums.append(say("Red {}, amber {}, green {} nodes.", lang, *(int((signal == s).sum())
                    for s in ("red", "amber", "green"))))  # fmt: skip
    late = watched.nodes[signal != "green"]
    paper: dict[str, Any] = {
        "project": project, "sums": sums, "late": [],
        "period": f"{since:%Y-%m-%d} – {state.as_of:%Y-%m-%d}",
        "curve": _picture_of_curve(watched.curve, state, lang),
        "groups": [_texts_of_row(r | {"group": g}, ("group", *watched.groups.columns), lang)
                   for g, r in _rows_with_index(watched.groups)],
        "faces": _faces_in_words(faces, lang),
        "next": _stages_due_next_week(plan, state, tasks, words, lang),
    }  # fmt: skip
    for node, row in _rows_with_index(late):
        one = _texts_of_row(row, ("group", "late_by_days"), lang) | {"node_id": str(node)}
        one |= {k: words.get(row[k], str(row[k])) for k in ("stage", "stage_due")}
        one["blocker"] = str(row["blocker"] or "")
        paper["late"].append(one)
    paper |= _week_by_stage(tasks, watched.changes, words, lang)
    name = paper_name("weekly", lang)
    own = own_template("weekly", lang)
    given = template_bytes(template, own)
    return fill_papers({"": paper}, target, given, title=name)[0]


def _sums_in_words(tasks: CampaignTasks, watched: Supervision, lang: Lang) -> list[str]:
    """What is to clear, and what is down."""
    nodes = tasks.nodes
    area = pd.to_numeric(nodes["demolish_floor_area_m2"], errors="coerce")
    said = [say("{} nodes, {} buildings, {} m² of floor area to demolish.", lang, len(nodes),
                f"{nodes['n_buildings'].sum():,.0f}",
                say("unknown", lang) if area.isna().all() else f"{area.sum():,.0f}")]  # fmt: skip
    if area.isna().any() and area.notna().any():
        said.append(say("The floor area of {} nodes isn't known.", lang, int(area.isna().sum())))
    done = watched.curve.get("done_buildings", pd.Series(dtype=float)).dropna()
    planned = watched.curve.get("planned_buildings", pd.Series(dtype=float))
    if len(done):
        due = planned.loc[: done.index[-1]].dropna()
        said.append(say("{} buildings are down; planned by this day: {}.", lang,
                        f"{done.iloc[-1]:,.0f}",
                        f"{due.iloc[-1]:,.0f}" if len(due) else say("unknown", lang)))  # fmt: skip
    return said


def _week_by_stage(
    tasks: CampaignTasks, changes: pd.DataFrame, words: Mapping[str, str], lang: Lang
) -> dict[str, Any]:
    """What was reached within the week, by stage."""
    if changes.empty:
        return {"week": [], "week_said": say("Nothing was reported as done this week.", lang)}
    area = tasks.buildings.get("demolish_floor_area_m2", pd.Series(dtype=float))
    area.index = area.index.astype(str)
    rows = []
    for code, word in words.items():
        mine = changes[changes["stage"] == code]
        if mine.empty:
            continue
        houses = mine.loc[mine["kind"] == "building", "id"].astype(str)
        m2 = pd.to_numeric(area.reindex(houses), errors="coerce")
        shown = f"{m2.sum():,.0f}" if m2.notna().any() or m2.empty else say("unknown", lang)
        if m2.isna().any() and m2.notna().any():
            shown += say(" (and {})", lang, say("{} buildings unknown", lang, int(m2.isna().sum())))
        people = str(int((mine["kind"] == "tenant").sum()))
        rows.append({"stage": word, "buildings": str(len(houses)), "households": people,
                     "area": shown})  # fmt: skip
    return {"week": rows, "week_said": say("Stages reached within the week:", lang)}


def _faces_in_words(faces: WorkingFaces | None, lang: Lang) -> list[str]:
    if faces is None or faces.stretches.empty:
        return [say("No working faces are given.", lang)]
    rows = faces.stretches
    ready = rows[rows["ready"].astype(bool)]["length_m"].sum()
    open_ = faces.receipts[
        faces.receipts["handed_over_on"].isna() & (faces.receipts["nodes"] != "")
    ]
    whole = rows["length_m"].sum()
    return [
        say("{} m of {} m of bank are clear.", lang, f"{ready:,.0f}", f"{whole:,.0f}"),
        say("{} cleared stretches wait to be handed over ({} m).", lang, len(open_),
            f"{open_['length_m'].sum():,.0f}"),
    ]  # fmt: skip


def _stages_due_next_week(
    plan: Schedule | None,
    state: ProgressState,
    tasks: CampaignTasks,
    words: Mapping[str, str],
    lang: Lang,
) -> list[dict[str, str]]:
    """Stages that the plan ends within the coming week."""
    if plan is None:
        return []
    rows = plan.activities
    last = state.as_of + pd.Timedelta(days=WEEK)
    rows = rows[(rows["finish"] > state.as_of) & (rows["finish"] <= last)]
    done = state.nodes.reindex(rows["node_id"])
    n = done["n_buildings"].to_numpy(float)
    reached = [
        done[f"n_{s}"].iloc[k] if f"n_{s}" in done else 0 for k, s in enumerate(rows["stage"])
    ]
    rows = rows[~(pd.Series(reached, rows.index, dtype=float) >= n)]
    group = tasks.nodes.get("group", pd.Series(dtype=object))
    return [
        {
            "node_id": str(r.node_id),
            "stage": words.get(r.stage, str(r.stage)),
            "group": _text_or_unknown("group", group.get(r.node_id), lang),
            "finish": f"{r.finish:%Y-%m-%d}",
        }
        for r in each_row(rows.sort_values(["finish", "node_id"]))
    ]


def _picture_of_curve(curve: pd.DataFrame, state: ProgressState, lang: Lang) -> Picture | None:
    if find_spec("matplotlib") is None or curve.empty:
        return None
    from pinghu_geo.deliver.extracts import curve_picture

    return Picture(curve_picture(curve, state.as_of, lang=lang), 160)


@takes()
def write_notices(
    watched: Supervision,
    target: str | Path,
    *,
    tasks: CampaignTasks | None = None,
    state: ProgressState | None = None,
    plan: Schedule | None = None,
    stages: pd.DataFrame | None = None,
    template: str | Path | None = None,
    project: str = "",
    lang: Lang = "zh",
) -> list[Path]:
    """Write a notice a red node, with what is demanded of whom 督办通知书.

    Parameters
    ----------
    watched
        Result of `supervision`: ``notices``.
    target
        Folder, for a file a node; or ``.docx``, for all bound in one.
    tasks
        Result of `campaign_tasks`: leader, chainages, counts.
    state
        Result of `progress_state`: which houses aren't where they should be.
    plan
        Result of `schedule`: until when the works need the place.
    stages
        Result of `stage_rules`.
    template
        The office's own ``.docx``; see `write_templates`.
    project
        Its name.
    lang
        Language of our template and of codes.

    Returns
    -------
    list
        Paths that were written; none where no node is red.

    Raises
    ------
    LayerError
        The template can't be used.

    Notes
    -----
    The number of the notice and the day until which it is to be done are left to be written: they
    are the office's to decide.

    Examples
    --------
    >>> houses = pd.DataFrame({"node_id": ["A-L-001"], "task_class": ["task"]}, ["B1"])
    >>> plan = pd.DataFrame({"node_id": "A-L-001", "stage": ["survey", "valuation"],
    ...     "group": "第1组", "finish": pd.to_datetime(["2018-01-05", "2018-01-10"])})
    >>> log = pd.DataFrame({"building_id": ["B1"], "stage": ["survey"], "date": ["2018-01-20"]})
    >>> found = pg.supervision(plan, pg.progress_state(log, houses), houses)
    >>> [p.name for p in pg.deliver.write_notices(found, folder / "督办通知书")]
    ['督办通知书_A-L-001.docx']
    """
    stages = stage_rules() if stages is None else stages
    words = stage_words(stages, lang=lang)
    rank = {code: k for k, code in enumerate((TODO, *stages.index))}
    nodes = pd.DataFrame() if tasks is None else pd.DataFrame(tasks.nodes)
    if tasks is not None and not set(watched.notices.index) <= set(nodes.index):
        raise LayerError(
            "speaks of nodes that tasks doesn't have",
            layer="watched",
            ids=[n for n in watched.notices.index if n not in nodes.index],
            hint="tasks are those whose progress was supervised",
        )
    papers: dict[str, dict[str, Any]] = {}
    for node, row in _rows_with_index(watched.notices):
        if node in nodes.index:
            row = dict(_rows_with_index(nodes.loc[[node]])[0][1]) | row  # noqa: PLW2901 - what is known more
        if plan is not None and node in plan.nodes.index:
            row["needed_by"] = plan.nodes.at[node, "needed_by"]
        paper = _texts_of_row(row, ("group", "leader", "n_buildings", "n_tenants", "held_up_m",
                             "late_by_days", "stage_due_on", "needed_by", "blocker_since",
                             *row), lang)  # fmt: skip
        paper |= {k: words.get(row[k], str(row[k])) for k in ("stage", "stage_due")}
        none = say("none reported", lang)
        paper |= {"node_id": str(node), "project": project, "place": _place_in_words(row, lang),
                  "blocker": str(row.get("blocker") or none),
                  "leader": str(row.get("leader") or "")}  # fmt: skip
        if row.get("blocker") is None:
            paper["blocker_since"] = "—"
        paper["said"] = say(
            "As of {}, node {} should have reached {} by {}; it stands at {} and is {} days late.",
            lang, f"{row['date']:%Y-%m-%d}", node, paper["stage_due"], paper["stage_due_on"],
            paper["stage"], paper["late_by_days"])  # fmt: skip
        paper["houses"] = _houses_behind(node, row["stage_due"], tasks, state, words, rank, lang)
        papers[str(node)] = paper
    if not papers:
        return []
    name = paper_name("notice", lang)
    own = own_template("notice", lang)
    given = template_bytes(template, own)
    return fill_papers(papers, target, given, title=name, prefix=f"{name}_")


def _houses_behind(
    node: Any,
    due: str,
    tasks: CampaignTasks | None,
    state: ProgressState | None,
    words: Mapping[str, str],
    rank: Mapping[str, int],
    lang: Lang,
) -> list[dict[str, str]]:
    """Houses of a node that aren't where they should be."""
    if state is None:
        return []
    rows = state.buildings[state.buildings["node_id"] == node]
    rows = rows[rows["stage"].map(rank).fillna(0) < rank.get(due, 0)]
    owner = pd.Series(dtype=object)
    if tasks is not None and "owner" in tasks.buildings:
        owner = tasks.buildings["owner"]
    return [
        {
            "building_id": str(k),
            "owner": _text_or_unknown("owner", owner.get(k), lang),
            "stage": words.get(row["stage"], str(row["stage"])),
            "blocker": str(row["blocker"] or ""),
        }
        for k, row in _rows_with_index(rows)
    ]


@takes()
def write_transfers(
    faces: WorkingFaces,
    target: str | Path,
    *,
    tasks: CampaignTasks | None = None,
    state: ProgressState | None = None,
    stages: pd.DataFrame | None = None,
    template: str | Path | None = None,
    project: str = "",
    lang: Lang = "zh",
) -> list[Path]:
    """Write a paper a cleared stretch, to hand it over to the works 作业面移交单.

    Parameters
    ----------
    faces
        Result of `working_faces`: ``receipts``. A stretch where nothing ever stood needs none.
    target
        Folder, for a file a stretch; or ``.docx``, for all bound in one.
    tasks, state
        Results of `campaign_tasks` and `progress_state`: which houses stood there, and since when
        they are down.
    stages
        Result of `stage_rules`.
    template
        The office's own ``.docx``; see `write_templates`.
    project
        Its name.
    lang
        Language of our template and of codes.

    Returns
    -------
    list
        Paths that were written; none where nothing is cleared.

    Raises
    ------
    LayerError
        The template can't be used.

    Examples
    --------
    >>> houses = pd.DataFrame({"river": "甲河", "bank": "left", "from_m": [10.0], "to_m": [20.0],
    ...     "node_id": ["甲河-L-001"], "task_class": ["task"]}, ["B1"])
    >>> rivers = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (90, 0)])], crs=4547,
    ...                           index=pd.Index(["甲河"], name="river"))
    >>> log = pd.DataFrame({"building_id": ["B1"], "stage": ["demolished"], "date": ["2018-03-01"]})
    >>> reports = pd.DataFrame({"building_id": ["B1"], "stage": ["signed"], "date": ["2018-02-01"]})
    >>> state = pg.progress_state(pd.concat([log, reports]), houses)
    >>> faces = pg.working_faces(houses, rivers, state=state.reached, as_of="2018-03-02")
    >>> made = pg.deliver.write_transfers(faces, folder / "移交", state=state)
    >>> [p.name for p in made]
    ['作业面移交单_甲河 左岸 K0+000–K0+090.docx']
    """
    stages = stage_rules() if stages is None else stages
    down = str(stages.index[stages["clears"].astype(bool)][-1])
    papers: dict[str, dict[str, Any]] = {}
    for _, row in _rows_with_index(faces.receipts):
        if not row["nodes"]:
            continue
        place = _place_in_words({k: row[k] for k in ("river", "bank", "from_m", "to_m")}, lang)
        paper = _texts_of_row(row, tuple(row), lang) | {"project": project, "place": place}
        if row["handed_over_on"] is None:
            paper["handed_over_on"] = say("not yet", lang)
        paper["said"] = say("The stretch {} is cleared and is handed over to the works as a "
                            "working face.", lang, place)  # fmt: skip
        paper["houses"] = _houses_cleared(row, tasks, state, down, lang)
        key = place if place not in papers else f"{place} {len(papers)}"
        papers[key] = paper
    if not papers:
        return []
    name = paper_name("transfer", lang)
    own = own_template("transfer", lang)
    given = template_bytes(template, own)
    return fill_papers(papers, target, given, title=name, prefix=f"{name}_")


def _houses_cleared(
    face: Mapping[str, Any],
    tasks: CampaignTasks | None,
    state: ProgressState | None,
    down: str,
    lang: Lang,
) -> list[dict[str, str]]:
    """Houses of the stretch's nodes that stood within it."""
    if tasks is None:
        return []
    rows = tasks.buildings[tasks.buildings["node_id"].isin(face["nodes"].split("、"))]
    low, high = sorted((face["from_m"], face["to_m"]))
    ends = rows[["from_m", "to_m"]]
    rows = rows[(ends.min(axis=1) < high) & (ends.max(axis=1) > low)]
    days: dict[str, Any] = {}
    if state is not None:
        found = state.reached[
            (state.reached["stage"] == down) & (state.reached["kind"] == "building")
        ]
        days = dict(zip(found["id"].astype(str), found["date"], strict=True))
    names = ("owner", "floor_area_m2")
    return [_texts_of_row(row, names, lang) | {
        "building_id": str(k), "cleared_on": _text_or_unknown("", days.get(str(k)), lang)}
        for k, row in _rows_with_index(rows)]  # fmt: skip


@takes()
def write_scheme_report(
    comparison: Comparison,
    target: str | Path,
    *,
    rivers: gpd.GeoDataFrame,
    searched: Mapping[str, LeastDemolition | WithinRise] | None = None,
    widths: Mapping[str, pd.DataFrame] | None = None,
    reservations: Sequence[str] = (),
    template: str | Path | None = None,
    project: str = "",
    note: str = "",
    lang: Lang = "zh",
) -> Path:
    """Write the report on schemes: tables, maps, proof and reservations 方案比选报告.

    Parameters
    ----------
    comparison
        Result of `compare`.
    target
        ``.docx``.
    rivers
        Centrelines.
    searched
        Results of `least_demolition` (within a rise, too) by the name of their scheme.
    widths
        Width tables by scheme: the baseline's and those of what was searched are drawn.
    reservations
        Sentences that stand among the reservations, such as a run's warnings.
    template
        The office's own ``.docx``; see `write_templates`.
    project, note
        Its name, and where the data come from.
    lang
        Language of our template and of codes.

    Returns
    -------
    pathlib.Path
        What was written.

    Raises
    ------
    OutputError, LayerError
        The target is no .docx; a layer or the template can't be used.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> lines = {"甲": pg.red_line(rivers, 9.0), "乙": pg.red_line(rivers, 8.0)}
    >>> found = pg.compare(lines, buildings, rivers)
    >>> pg.deliver.write_scheme_report(found, folder / "比选.docx", rivers=rivers).name
    '比选.docx'
    """
    require_suffix(Path(target), ".docx")
    require_layer(rivers, "rivers")
    searched = {} if searched is None else searched
    for name in searched:
        if name not in comparison.schemes:
            raise LayerError(f"{name!r} was searched for and isn't compared", layer="searched",
                             hint="pg.compare(schemes, buildings, rivers)")  # fmt: skip
    proofs, proof_said = _proof_rows_and_lines(searched, lang)
    paper = {
        "project": project, "note": note, "baseline": comparison.baseline,
        "said": comparison.summary(lang=lang), "proofs": proofs, "proof_said": proof_said,
        "totals": [_row_of_totals(k, r, lang) for k, r in _rows_with_index(comparison.totals)],
        "by_river": [_row_of_change(k, r, lang) for k, r in _rows_with_index(comparison.by_river)],
        "maps": _maps_of_changes(comparison, rivers, lang),
        "widths": _plots_of_widths(comparison, searched, widths or {}, rivers, lang),
        "reservations": _reservations_in_words(comparison, searched, reservations, lang),
    }  # fmt: skip
    name = paper_name("schemes", lang)
    own = own_template("schemes", lang)
    given = template_bytes(template, own)
    return fill_papers({"": paper}, target, given, title=name)[0]


def _ten_thousands_of_yuan(yuan: Any, lang: Lang) -> str:
    """Yuan in ten thousands, as offices say sums."""
    return say("unknown", lang) if yuan is None or pd.isna(yuan) else f"{yuan / 1e4:,.2f}"


def _row_of_totals(scheme: Any, row: dict[str, Any], lang: Lang) -> dict[str, str]:
    row = {k: round(v) if k.endswith("_m2") and v is not None else v for k, v in row.items()}
    names = ("n_buildings", "n_full", "demolish_floor_area_m2", "n_tenants", "works_m2", "n_nodes")
    found = _texts_of_row(row, names, lang)
    for column, lost in (("demolish_floor_area_m2", "n_unknown"),
                         ("n_tenants", "n_tenants_unknown")):  # fmt: skip
        if row.get(lost) and row.get(column) is not None:
            found[column] += say(" (and {})", lang, say("{} buildings unknown", lang, row[lost]))
    return found | {
        "scheme": str(scheme),
        "cost": _ten_thousands_of_yuan(row.get("cost_yuan"), lang),
    }


def _row_of_change(key: Any, row: dict[str, Any], lang: Lang) -> dict[str, str]:
    scheme, river = key
    names = ("n_saved", "n_added", "avoided_floor_area_m2", "avoided_tenants")
    return _texts_of_row(row, names, lang) | {
        "scheme": str(scheme),
        "river": str(river),
        "saved": _ten_thousands_of_yuan(row.get("avoided_yuan"), lang),
    }


def _proof_rows_and_lines(
    searched: Mapping[str, LeastDemolition | WithinRise], lang: Lang
) -> tuple[list[dict[str, str]], list[str]]:
    """The certificate of each search, river by river, and its sentences."""
    rows, said = [], []
    for name, best in searched.items():
        said += [f"{name}: {text}" for text in best.summary()]
        for _, row in _rows_with_index(best.certificate):
            proven = row["gap_yuan"] is not None and row["gap_yuan"] < 1.0
            word = code_label("proof", row["proof"], lang=lang) if "proof" in row else ""
            if not word:
                word = say("proven", lang) if proven else say("not proven", lang)
            rows.append({"scheme": name, "river": str(row["river"]), "proof": word,
                         "total": _ten_thousands_of_yuan(row["total_yuan"], lang),
                         "bound": _ten_thousands_of_yuan(row["bound_yuan"], lang),
                         "gap": _ten_thousands_of_yuan(row["gap_yuan"], lang)})  # fmt: skip
    return rows, said


def _maps_of_changes(
    comparison: Comparison, rivers: gpd.GeoDataFrame, lang: Lang
) -> list[dict[str, Any]]:
    """Where each scheme spares and takes, against the baseline."""
    if find_spec("matplotlib") is None:
        return []
    from pinghu_geo.deliver.extracts import changes_picture

    base, found = comparison.schemes[comparison.baseline], []
    for name, one in comparison.schemes.items():
        if name == comparison.baseline:
            continue
        rows = comparison.changes[comparison.changes["scheme"] == name]
        still = one.affected[
            ~one.affected.index.isin(rows.loc[rows["change"] == "added", "building_id"])
        ]
        png = changes_picture(rows, still, rivers, [base.red_line, one.red_line], lang=lang)
        said = say("map: {} against {}", lang, name, comparison.baseline)
        found.append({"picture": Picture(png, 170), "said": said})
    return found


def _plots_of_widths(
    comparison: Comparison,
    searched: Mapping[str, LeastDemolition | WithinRise],
    widths: Mapping[str, pd.DataFrame],
    rivers: gpd.GeoDataFrame,
    lang: Lang,
) -> list[dict[str, Any]]:
    """Width of the line along each river, before and after, where both are known."""
    before = widths.get(comparison.baseline)
    if find_spec("matplotlib") is None or before is None:
        return []
    from pinghu_geo.deliver.extracts import figure_png
    from pinghu_geo.deliver.plots import plot_widths

    found = []
    for name, best in searched.items():
        for river in dict.fromkeys(best.widths["river"]):
            if river not in set(before["river"]):
                continue
            figure = plot_widths(before, best.widths, river, buildings=best.buildings,
                                 rivers=rivers, searched=best.searched, lang=lang)  # fmt: skip
            found.append({"picture": Picture(figure_png(figure), 170), "said": f"{name} · {river}"})
    return found


def _reservations_in_words(
    comparison: Comparison,
    searched: Mapping[str, LeastDemolition | WithinRise],
    given: Sequence[str],
    lang: Lang,
) -> list[str]:
    """What the figures don't say: what was estimated, what isn't known, what others decide."""
    found = []
    for name, row in _rows_with_index(comparison.totals):
        if row.get("estimated_m2"):
            found.append(say("{}: {} m² of the floor area are estimated as footprint times floors.",
                             lang, name, f"{row['estimated_m2']:,.0f}"))  # fmt: skip
        if row.get("n_unknown"):
            found.append(say("{}: the floor area of {} buildings isn't known.", lang, name,
                             row["n_unknown"]))  # fmt: skip
        if row.get("n_survey"):
            found.append(say("{}: {} buildings touch the line by less than its accuracy: "
                             "survey them.", lang, name, row["n_survey"]))  # fmt: skip
    if comparison.totals.get("cost_yuan") is None:
        found.append(say("No prices are given: no compensation is computed.", lang))
    else:
        found.append(say("Compensation is computed by the rates given; valuation decides.", lang))
    if searched:
        found.append(say("A proof holds within the moves and widths given to the search, and no "
                         "further.", lang))  # fmt: skip
    found.append(say("Whether a design passes the flood is decided by the flood-impact evaluation.",
                     lang))  # fmt: skip
    return [*found, *given]
