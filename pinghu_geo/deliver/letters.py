"""What is demanded, and what is handed over? Notices (督办通知书) and transfers (移交单)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.campaign.faces import WorkingFaces
from pinghu_geo.campaign.oversight import Supervision
from pinghu_geo.campaign.planning import Schedule
from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.stages import TODO, stage_rules
from pinghu_geo.campaign.tasks import CampaignTasks
from pinghu_geo.deliver.drafts import write_papers
from pinghu_geo.deliver.styles import stage_words
from pinghu_geo.deliver.wording import (
    place_in_words,
    rows_with_index,
    text_or_unknown,
    texts_of_row,
)
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang

__all__ = ["write_notices", "write_transfers"]


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
    """Write one notice per red node, with what is demanded of whom 督办通知书.

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
    for node, row in rows_with_index(watched.notices):
        if node in nodes.index:
            row = dict(rows_with_index(nodes.loc[[node]])[0][1]) | row  # noqa: PLW2901 - what is known more
        if plan is not None and node in plan.nodes.index:
            row["needed_by"] = plan.nodes.at[node, "needed_by"]
        paper = texts_of_row(row, ("group", "leader", "n_buildings", "n_tenants", "held_up_m",
                             "late_by_days", "stage_due_on", "needed_by", "blocker_since",
                             *row), lang)  # fmt: skip
        paper |= {k: words.get(row[k], str(row[k])) for k in ("stage", "stage_due")}
        none = say("none reported", lang)
        paper |= {"node_id": str(node), "project": project, "place": place_in_words(row, lang),
                  "blocker": str(row.get("blocker") or none),
                  "leader": str(row.get("leader") or "")}  # fmt: skip
        if row.get("blocker") is None:
            paper["blocker_since"] = "—"
        paper["said"] = _demand_in_words(row, paper, lang)
        paper["houses"] = _houses_behind(node, row["stage_due"], tasks, state, words, rank, lang)
        papers[str(node)] = paper
    if not papers:
        return []
    return write_papers("notice", papers, target, template, lang, named=True)


def _demand_in_words(row: Mapping[str, Any], paper: Mapping[str, Any], lang: Lang) -> str:
    """What the node should have reached, and since when the first of what it lacks is due."""
    told = (f"{row['date']:%Y-%m-%d}", paper["node_id"], paper["stage_due"],
            paper["stage_due_on"], paper["stage"])  # fmt: skip
    since = row["late_since"]
    if since == row["stage_due_on"]:
        return say("As of {}, node {} should have reached {} by {}; it stands at {} and is {} days "
                   "late.", lang, *told, paper["late_by_days"])  # fmt: skip
    return say("As of {}, node {} should have reached {} by {}; it stands at {}; the first stage "
               "that it lacks was due by {} and is {} days late.",
               lang, *told, f"{since:%Y-%m-%d}", paper["late_by_days"])  # fmt: skip


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
            "owner": text_or_unknown("owner", owner.get(k), lang),
            "stage": words.get(row["stage"], str(row["stage"])),
            "blocker": str(row["blocker"] or ""),
        }
        for k, row in rows_with_index(rows)
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
    """Write one paper per cleared stretch, to hand it over to the works 作业面移交单.

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
    for _, row in rows_with_index(faces.receipts):
        if not row["nodes"]:
            continue
        place = place_in_words({k: row[k] for k in ("river", "bank", "from_m", "to_m")}, lang)
        paper = texts_of_row(row, tuple(row), lang) | {"project": project, "place": place}
        if row["handed_over_on"] is None:
            paper["handed_over_on"] = say("not yet", lang)
        houses = _houses_of_face(row, tasks)
        paper["said"] = _transfer_in_words(place, houses, state, stages, lang)
        paper["houses"] = _houses_cleared(houses, state, down, lang)
        key = place if place not in papers else f"{place} {len(papers)}"
        papers[key] = paper
    if not papers:
        return []
    return write_papers("transfer", papers, target, template, lang, named=True)


def _houses_of_face(face: Mapping[str, Any], tasks: CampaignTasks | None) -> pd.DataFrame:
    """Houses of the stretch's nodes that stood within it."""
    if tasks is None:
        return pd.DataFrame()
    rows = tasks.buildings[tasks.buildings["node_id"].isin(face["nodes"].split("、"))]
    low, high = sorted((face["from_m"], face["to_m"]))
    ends = rows[["from_m", "to_m"]]
    found: pd.DataFrame = rows[(ends.min(axis=1) < high) & (ends.max(axis=1) > low)]
    return found


def _transfer_in_words(
    place: str,
    houses: pd.DataFrame,
    state: ProgressState | None,
    stages: pd.DataFrame,
    lang: Lang,
) -> str:
    """Whether the stretch can be handed over, or what has to be done there first."""
    between = _stages_before_transfer(stages)
    if state is None or houses.empty or not between:
        return say("On the stretch {} all houses are down; it is handed over to the works as a "
                   "working face.", lang, place)  # fmt: skip
    last = state.reached[
        (state.reached["stage"] == between[-1]) & (state.reached["kind"] == "building")
    ]
    done = set(last["id"].astype(str))
    open_ = [str(k) for k in houses.index if str(k) not in done]
    if not open_:
        return say("The stretch {} is cleared and is handed over to the works as a working face.",
                   lang, place)  # fmt: skip
    word = stage_words(stages, lang=lang)[between[-1]]
    return say("On the stretch {} all houses are down, and {} is open at {} of them: {}. It is "
               "handed over to the works as a working face once that is done.",
               lang, place, word, len(open_), say(", ", lang).join(open_))  # fmt: skip


def _stages_before_transfer(stages: pd.DataFrame) -> list[str]:
    """Stages between the last one that takes a house down and the transfer, in their order."""
    codes = [str(code) for code in stages.index]
    down = int(np.flatnonzero(stages["clears"].astype(bool))[-1])
    return codes[down + 1 : -1]


def _houses_cleared(
    rows: pd.DataFrame, state: ProgressState | None, down: str, lang: Lang
) -> list[dict[str, str]]:
    """Houses that stood on a stretch, and since when they are down."""
    days: dict[str, Any] = {}
    if state is not None:
        found = state.reached[
            (state.reached["stage"] == down) & (state.reached["kind"] == "building")
        ]
        days = dict(zip(found["id"].astype(str), found["date"], strict=True))
    names = ("owner", "floor_area_m2")
    return [texts_of_row(row, names, lang) | {
        "building_id": str(k), "cleared_on": text_or_unknown("", days.get(str(k)), lang)}
        for k, row in rows_with_index(rows)]  # fmt: skip
