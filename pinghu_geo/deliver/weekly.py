"""What happened this week, and what comes next? The weekly report (周报)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from pinghu_geo.campaign.baseline import Baseline
from pinghu_geo.campaign.faces import WorkingFaces
from pinghu_geo.campaign.oversight import Supervision
from pinghu_geo.campaign.planning import Schedule
from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.stages import stage_rules
from pinghu_geo.campaign.tasks import CampaignTasks
from pinghu_geo.deliver.drafts import write_papers
from pinghu_geo.deliver.styles import stage_words
from pinghu_geo.deliver.templates import Picture
from pinghu_geo.deliver.wording import (
    rows_with_index,
    text_or_unknown,
    texts_of_row,
)
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import first_ids
from pinghu_geo.nouns.files import require_suffix
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang
from pinghu_geo.nouns.tables import each_row

__all__ = ["write_weekly_report"]

# A week ahead, and a week back [days].
WEEK = 7
# Of late nodes so many are named.
SHOWN = 20


@takes()
def write_weekly_report(
    tasks: CampaignTasks,
    state: ProgressState,
    watched: Supervision,
    target: str | Path,
    *,
    plan: Schedule | None = None,
    faces: WorkingFaces | None = None,
    baseline: Baseline | None = None,
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
    baseline
        The plan that is held against, as the store keeps it: it is named, with those before it.
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
    sums += _handover_in_words(plan, state, words, lang)
    if baseline is not None:
        sums += baseline.in_words(lang=lang)
    late = watched.nodes[signal != "green"]
    paper: dict[str, Any] = {
        "project": project, "sums": sums, "late": [],
        "period": f"{since:%Y-%m-%d} – {state.as_of:%Y-%m-%d}",
        "curve": _picture_of_curve(watched.curve, state, lang),
        "groups": [_group_in_words(r | {"group": g}, lang)
                   for g, r in rows_with_index(watched.groups)],
        "faces": _faces_in_words(faces, lang),
        "next": _stages_due_next_week(plan, state, tasks, words, lang),
    }  # fmt: skip
    for node, row in rows_with_index(late):
        one = texts_of_row(row, ("group", "late_by_days"), lang) | {"node_id": str(node)}
        one |= {k: words.get(row[k], str(row[k])) for k in ("stage", "stage_due")}
        one["blocker"] = str(row["blocker"] or "")
        paper["late"].append(one)
    paper |= _week_by_stage(tasks, watched.changes, words, lang)
    return write_papers("weekly", {"": paper}, target, template, lang)[0]


def _group_in_words(row: dict[str, Any], lang: Lang) -> dict[str, Any]:
    """A group's row; of one that has nothing left to take down, since when."""
    said = texts_of_row(row, list(row), lang)
    if pd.notna(row["done_on"]):
        said["forecast"] = say("done on {}", lang, f"{row['done_on']:%Y-%m-%d}")
    return said


def _sums_in_words(tasks: CampaignTasks, watched: Supervision, lang: Lang) -> list[str]:
    """What is to clear, and what is down."""
    nodes = tasks.nodes
    area = pd.to_numeric(nodes["demolish_floor_area_m2"], errors="coerce")
    said = [say("{} nodes, {} buildings, {} m² of floor area to demolish.", lang, len(nodes),
                f"{nodes['n_buildings'].sum():,.0f}",
                say("unknown", lang) if area.isna().all() else f"{area.sum():,.0f}")]  # fmt: skip
    if undecided := tasks.undecided(lang=lang):
        said.append(say("Besides these stand within the line, {}.", lang, undecided))
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


def _handover_in_words(
    plan: Schedule | None, state: ProgressState, words: Mapping[str, str], lang: Lang
) -> list[str]:
    """How many nodes have reached the last stage, and of those that are needed which are late."""
    last = list(words)[-1]
    there = state.nodes["stage"] == last
    said = [say("Handed over (stage {}): {} of {} nodes.", lang, words[last], int(there.sum()),
                len(there))]  # fmt: skip
    if plan is None or "needed_by" not in plan.nodes:
        return said
    needed = plan.nodes["needed_by"].reindex(there.index)
    lacking = needed[(needed < state.as_of) & ~there].sort_values(kind="stable").index
    if needed.notna().any():
        said.append(say("Needed by this day: {} nodes; handed over later than needed: {}; late and "
                        "not yet handed over: {}.", lang, int((needed <= state.as_of).sum()),
                        int((there & (state.nodes["since"] > needed)).sum()),
                        len(lacking)))  # fmt: skip
    if len(lacking):
        said.append(say("Late with it, the earliest needed first: {}.", lang,
                        first_ids(lacking, most=SHOWN).replace(", ", say(", ", lang))))  # fmt: skip
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
        say("{} stretches whose houses are down wait to be handed over ({} m).", lang, len(open_),
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
            "group": text_or_unknown("group", group.get(r.node_id), lang),
            "finish": f"{r.finish:%Y-%m-%d}",
        }
        for r in each_row(rows.sort_values(["finish", "node_id"]))
    ]


def _picture_of_curve(curve: pd.DataFrame, state: ProgressState, lang: Lang) -> Picture | None:
    if find_spec("matplotlib") is None or curve.empty:
        return None
    from pinghu_geo.deliver.extracts import curve_picture

    return Picture(curve_picture(curve, state.as_of, lang=lang), 160)
