"""What does the office know of a house? Household files (一户一档), to be signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.stages import TODO, stage_rules
from pinghu_geo.deliver.drafts import HOUSE_FACTS, write_papers
from pinghu_geo.deliver.styles import stage_words
from pinghu_geo.deliver.templates import Picture
from pinghu_geo.deliver.wording import (
    place_in_words,
    rows_with_index,
    text_or_unknown,
    texts_of_row,
)
from pinghu_geo.nouns.door import ids_as_text, require_known_nodes, takes
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang, code_label, require_layer
from pinghu_geo.schemes import cost

__all__ = ["write_household_files"]

HEADS = {column: column.removesuffix("_yuan") for column in cost.HEADS.values()}
PICTURE_MM = 150.0


@takes(buildings="affected", tenants="tenants", around="buildings")
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
    """Write one Word file per house: owner, tenants, area, title, map, money, progress 一户一档.

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
    if nodes is not None and "node_id" in buildings:
        require_known_nodes(buildings, of_node)
    pictures = _pictures_of_houses(buildings, around, red_line, rivers, lang)
    reached: dict[str, pd.Series] = {}
    if state is not None:
        rows = state.reached[state.reached["kind"] == "building"]
        reached = {str(k): g.set_index("stage")["date"] for k, g in rows.groupby("id", sort=False)}
        standing = state.buildings.set_axis(ids_as_text(state.buildings.index))
        state = replace(state, buildings=standing)
    papers = {}
    for (one, row), picture in zip(rows_with_index(buildings), pictures, strict=True):
        own = str(row.get("node_id"))
        node: Any = of_node.loc[own] if own in of_node.index else {}
        row |= {k: node.get(k) for k in ("group", "leader") if row.get(k) is None}
        paper = texts_of_row(row, (*HOUSE_FACTS, *row), lang)
        if row.get("task_class") not in (None, "task"):  # it is of no node, and that is known
            paper |= {k: "—" for k in ("node_id", "group", "leader") if row.get(k) is None}
        if "cleared_by" not in row:  # nobody asked who clears: that isn't unknown of this house
            paper["cleared_by"] = say("no zones given", lang)
        signed = _day_of_signing(reached.get(str(one)), stages)
        paper |= {
            "building_id": str(one),
            "project": project,
            "map": picture,
            "place": place_in_words(row, lang),
            "costs": _costs_by_head(row, lang),
            "costs_said": _reservation_of_costs(row, signed, lang),
        }
        if _class_of_house(row) == "retain" and not signed:  # neither demolished nor paid
            paper |= {"costs": [], "demolish_floor_area_m2": "—"}
        paper |= _tenants_of_house(
            people.get(str(one)), known=tenants is not None, state=state, words=words, lang=lang
        )
        paper |= _progress_of_house(str(one), reached.get(str(one)), state, words, lang)
        papers[str(one)] = paper
    return write_papers("household", papers, target, template, lang)


def _class_of_house(row: Mapping[str, Any]) -> str:
    """Its class in the campaign, or what the verdict makes of it; a task where nobody asked."""
    verdict = row.get("verdict")
    told = row.get("task_class") or (verdict if verdict in ("retain", "review") else None)
    return str(told or "task")


def _day_of_signing(reached: pd.Series | None, stages: pd.DataFrame) -> str:
    """Day on which what is paid for was reached; empty where it wasn't."""
    days = [] if reached is None else [
        reached[code] for code in stages.index[stages["pays"].astype(bool)] if code in reached
    ]  # fmt: skip
    return f"{min(days):%Y-%m-%d}" if days else ""


def _reservation_of_costs(row: Mapping[str, Any], signed: str, lang: Lang) -> str:
    """Why nothing is paid for a house, or why its sum is no promise; empty for a task."""
    kind = _class_of_house(row)
    if signed and kind in ("retain", "review", "survey"):
        word = code_label("task_class", kind, lang=lang)
        return say("Signed for on {}, and by what is known now {}: to be decided before anything "
                   "is paid.", lang, signed, word)  # fmt: skip
    if kind == "retain":
        return say("The house stays: no compensation is due.", lang)
    if all(row.get(c) is None for c in (*HEADS, "cost_yuan")):
        return say("No price is known.", lang)
    if kind == "others":
        who = text_or_unknown("cleared_by", row.get("cleared_by"), lang)
        return say("{} clears and pays; by the rates of this project, for information:", lang, who)
    if kind in ("review", "survey"):
        return say("Whether it is demolished isn't decided; if it is:", lang)
    return ""


def _costs_by_head(row: Mapping[str, Any], lang: Lang) -> list[dict[str, str]]:
    """Compensation by head, and its sum."""
    words = {"building": say("building", lang), "relocation": say("relocation", lang),
             "interruption": say("interruption of business", lang)}  # fmt: skip
    found = [
        {
            "head": words.get(w) or code_label("head", w, lang=lang),
            "yuan": text_or_unknown(c, row[c], lang),
        }
        for c, w in HEADS.items()
        if row.get(c) is not None
    ]
    if row.get("cost_yuan") is not None:
        sum_ = {
            "head": say("in all", lang),
            "yuan": text_or_unknown("cost_yuan", row["cost_yuan"], lang),
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
    for one, row in rows_with_index(rows):
        paper = texts_of_row(row, ("name", "kind", "area_m2", "lease_end", *row), lang)
        paper["tenant_id"] = str(one)
        stage = (
            None if state is None or one not in state.tenants.index else state.tenants["stage"][one]
        )
        paper["stage"] = text_or_unknown(
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
        since = text_or_unknown("", now["blocker_since"], lang)
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
