"""What does the page of the map know? Houses, nodes, days and chainages, as few bytes as can be."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.stages import TODO
from pinghu_geo.deliver.styles import CLASS_LOOKS, MAP_LOOKS, letters, stage_words, value_text
from pinghu_geo.nouns.inert import visible_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang, code_label, label
from pinghu_geo.river.chainage import format_chainage

__all__ = ["house_classes", "map_data"]

# A millionth of a degree is 0.1 m.
MILLIONTH = 1e6
CARD = (
    "river", "bank", "chainage_m", "repeated", "node_id", "extent", "inside_m2", "inside_ratio",
    "footprint_m2", "floors", "demolish_floor_area_m2", "floor_area_source", "structure", "use",
    "title", "tenure", "owner", "tenants", "parcel_id", "cleared_by", "task_class", "cost_yuan",
    "verdict", "reason", "since", "blocker", "blocker_since",
)  # fmt: skip
NOT_TASKS = ("others", "retain", "review", "survey")
SIGNALS = {"red": 0, "amber": 1, "green": 2}


def house_classes(affected: pd.DataFrame, lang: Lang) -> tuple[pd.Series, dict[str, str]]:
    """Class of each house, and words of the classes; of a task, whose class is its stage, "task".

    With task_class the classes are those of the campaign; else those of the verdict, what has none
    being in review; else how much of a house lies within. What isn't known is in review.
    """
    words = {
        "full": say("wholly inside", lang), "partial": say("partly inside", lang),
        "others": say("others clear it", lang), "retain": say("may stay", lang),
        "review": say("in review", lang), "survey": say("to be surveyed", lang),
    }  # fmt: skip
    if "task_class" in affected:
        known = affected["task_class"].astype(object)
        return known.where(known.notna(), "review"), words
    found = affected["extent"].astype(object)
    if "verdict" in affected:
        verdict = affected["verdict"].astype(object)
        found = found.where(verdict != "retain", "retain")
        found = found.where(verdict.isin(["retain", "demolish"]), "review")
    return found.where(found.notna(), "review"), words


def map_data(
    affected: gpd.GeoDataFrame,
    nodes: gpd.GeoDataFrame | None,
    hulls: gpd.GeoSeries | None,
    stations: gpd.GeoDataFrame,
    spacing_m: float,
    *,
    state: ProgressState | None,
    stages: pd.DataFrame,
    lang: Lang,
) -> dict[str, Any]:
    """All that the page's script asks for, as plain lists and texts."""
    kinds, words = house_classes(affected, lang)
    tasks = "task_class" in affected
    classes = _classes(kinds, words, stages, lang, tasks=tasks)
    place = {one["code"]: k for k, one in enumerate(classes)}
    place["task"] = -1
    ids = affected.index.astype(str)
    numbered = {} if nodes is None else {n: k for k, n in enumerate(_in_order(nodes).index)}
    of_node = affected.get("node_id", pd.Series(pd.NA, affected.index))
    reached, day0, last = _days(affected, ids, state, stages, tasks=tasks)
    none = pd.Series(pd.NA, affected.index, dtype=object)
    houses: dict[str, Any] = _shapes(affected.geometry)
    houses |= {
        "ids": [visible_text(i) for i in ids], "fixed": [place[k] for k in kinds],
        "node": [numbered.get(n, -1) for n in of_node.astype(object)],
        "owner": _texts(affected.get("owner", none), "owner", lang, unknown=""),
        "river": _texts(affected.get("river", none), "river", lang, unknown=""),
        "bank": _texts(affected.get("bank", none), "bank", lang, unknown=""),
        "collective": [int(isinstance(t, str) and t == "collective")
                       for t in affected.get("tenure", none).astype(object)],
        "reached": reached,
        "card": [{"label": label(c, lang=lang), "values": _coded(affected[c], c, lang)}
                 for c in CARD if c in affected],
    }  # fmt: skip
    shown = {s: place[str(k)] for s, k in stages["shown_as"].items()} if tasks else {}
    signs, said = letters(stages, lang=lang), stage_words(stages, lang=lang)
    return {
        "houses": houses,
        "nodes": [] if nodes is None else _nodes(_in_order(nodes), hulls, lang),
        "classes": classes, "todo": place.get(TODO, 0), "day0": day0, "last": last,
        "stages": [{"code": str(s), "word": visible_text(said.get(str(s), s)), "letter": signs[s],
                    "klass": k} for s, k in shown.items()],
        "collective": bool("tenure" in affected and (affected["tenure"] == "collective").any()),
        "stations": _stations(stations, spacing_m), "words": _words(lang),
    }  # fmt: skip


def _classes(
    kinds: pd.Series, words: dict[str, str], stages: pd.DataFrame, lang: Lang, *, tasks: bool
) -> list[dict[str, Any]]:
    """Classes of the legend, each with fill, hatch and letter; those of stages always."""
    codes = list(CLASS_LOOKS) if tasks else []
    rest = NOT_TASKS if tasks else ("full", "partial", "retain", "review")
    there = set(kinds)
    codes += [c for c in rest if c in there]
    signs = {
        "full": say("W", lang), "partial": say("P", lang), "others": say("O", lang),
        "retain": say("S", lang), "review": say("R", lang), "survey": say("M", lang),
    }  # fmt: skip
    of_stage = letters(stages, lang=lang)
    first = {look: of_stage[str(k)] for k, look in stages["shown_as"][::-1].items()}
    found = []
    for code in codes:
        look = MAP_LOOKS[code]
        word = words[code] if code in words else code_label("status", code, lang=lang)
        letter = signs.get(code) or (of_stage[TODO] if code == TODO else first[code])
        found.append({"code": code, "word": word, "fill": look.fill, "mark": look.ink,
                      "hatch": look.hatch, "letter": letter,
                      "count": int((kinds == code).sum()) or int(code in CLASS_LOOKS)})  # fmt: skip
    return found


def _days(
    affected: pd.DataFrame,
    ids: pd.Index,
    state: ProgressState | None,
    stages: pd.DataFrame,
    *,
    tasks: bool,
) -> tuple[dict[int, list[int]], int, int]:
    """Stages that each house reached, with their days from the first one on; and the last day."""
    rank = {str(s): k for k, s in enumerate(stages.index)}
    if not tasks:
        return {}, 0, 0
    if state is None:
        stage = affected.get("stage", pd.Series(TODO, affected.index))
        found = {k: [rank[s], 0] for k, s in enumerate(stage) if s in rank}
        return found, 0, 0
    rows = state.reached[(state.reached["kind"] == "building") & state.reached["stage"].isin(rank)]
    number = pd.Series(range(len(ids)), ids)
    house = number.reindex(rows["id"].astype(str)).to_numpy(float)
    days = (rows["date"] - pd.Timestamp(0)).dt.days.to_numpy()
    known = ~np.isnan(house)
    last = (state.as_of - pd.Timestamp(0)).days
    first = int(min(days[known], default=last))
    steps: dict[int, list[int]] = {}
    for k, s, d in zip(house[known], rows["stage"][known].map(rank), days[known], strict=True):
        steps.setdefault(int(k), []).extend((int(s), int(d) - first))
    return steps, first, last - first


def _shapes(shapes: gpd.GeoSeries) -> dict[str, list[int]]:
    """Rings in millionths of a degree, each point as its difference from the one before."""
    geometry = shapes.to_crs(4326).to_numpy()
    gone = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    parts, of_house = shapely.get_parts(np.where(gone, None, geometry), return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    xy, of_ring = shapely.get_coordinates(rings, return_index=True)
    whole = np.rint(xy * MILLIONTH).astype(np.int64)
    first = np.concatenate([np.ones(min(len(of_ring), 1), bool), of_ring[1:] != of_ring[:-1]])
    steps = np.diff(whole, axis=0, prepend=whole[:1] * 0)
    steps[first] = whole[first]
    n = np.bincount(of_house[of_part], minlength=len(geometry))
    return {"xy": steps.ravel().tolist(), "parts": n.tolist(),
            "rings": np.bincount(of_ring, minlength=len(rings)).tolist()}  # fmt: skip


def _texts(values: pd.Series, name: str, lang: Lang, *, unknown: str) -> list[str]:
    """Texts of a column, each different value turned into words once."""
    codes, unique = pd.factorize(values.astype(object), use_na_sentinel=True)
    words = [visible_text(value_text(name, v, lang), lines=True) for v in unique]
    return [words[c] if c >= 0 else unknown for c in codes]


def _coded(values: pd.Series, name: str, lang: Lang) -> dict[str, Any] | list[str]:
    """Texts of a column; where few of them differ, as numbers into their list."""
    codes, unique = pd.factorize(values.astype(object), use_na_sentinel=True)
    words = [visible_text(value_text(name, v, lang), lines=True) for v in unique] + ["—"]
    codes = np.where(codes < 0, len(unique), codes)
    if 2 * len(words) < len(codes):
        return {"d": words, "k": codes.tolist()}
    return [words[c] for c in codes]


def _in_order(nodes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Nodes, the latest first; among equals as they lie along the rivers."""
    if "late_by_days" not in nodes:
        return nodes
    rank = nodes.get("signal", pd.Series(pd.NA, nodes.index)).map(SIGNALS).fillna(3)
    late = -pd.to_numeric(nodes["late_by_days"], errors="coerce").fillna(0)
    return nodes.iloc[np.lexsort((np.arange(len(nodes)), late, rank))]


def _nodes(
    nodes: gpd.GeoDataFrame, hulls: gpd.GeoSeries | None, lang: Lang
) -> list[dict[str, Any]]:
    """What the panel says of each node."""
    rows = pd.DataFrame(nodes).drop(columns="geometry", errors="ignore").astype(object)
    rows = rows.where(rows.notna(), None)
    around = [None] * len(nodes) if hulls is None else hulls.reindex(nodes.index).to_numpy()
    found = []
    for (node, row), hull in zip(rows.iterrows(), around, strict=True):
        ends = sorted(float(row[c]) for c in ("from_m", "to_m") if row[c] is not None)
        between = "–".join(format_chainage(e, decimals=0) for e in ends)
        amount = []
        if row["n_buildings"] is not None:
            amount.append(say("{} buildings ", lang, f"{row['n_buildings']:,.0f}").strip())
        if row.get("n_tenants") is not None:
            amount.append(say("{} households ", lang, f"{row['n_tenants']:,.0f}").strip())
        late = row.get("late_by_days")
        due = row.get("due")
        found.append({
            "id": visible_text(node), "river": visible_text(row["river"]),
            "bank": code_label("bank", row["bank"], lang=lang),
            "where": f"{code_label('bank', row['bank'], lang=lang)} {between}".strip(),
            "group": "" if row.get("group") is None else visible_text(row["group"]),
            "late": say("{} days late ", lang, f"{late:.0f}").strip() if late else "",
            "due": "" if due is None else f"{due:%Y-%m-%d}", "amount": " ".join(amount),
            "signal": row.get("signal") or "",
            "collective": int((row.get("n_collective") or 0) > 0),
            "hull": None if hull is None else _rings(hull),
        })  # fmt: skip
    return found


def _rings(hull: Any) -> list[list[list[float]]]:
    rings = shapely.get_exterior_ring(shapely.get_parts(hull))
    return [np.round(shapely.get_coordinates(r), 6).tolist() for r in rings]


def _stations(points: gpd.GeoDataFrame, spacing_m: float) -> list[dict[str, Any]]:
    """Where each river's chainages lie, to find one that is searched for."""
    xy = shapely.get_coordinates(points.geometry.to_crs(4326).to_numpy())
    table = pd.DataFrame({"river": points["river"].to_numpy(), "c": points["chainage_m"].to_numpy(),
                          "x": xy[:, 0], "y": xy[:, 1]}).round(6)  # fmt: skip
    return [{"river": visible_text(river), "most": 1.5 * spacing_m,
             "at": part[["c", "x", "y"]].to_numpy().tolist()}
            for river, part in table.groupby("river", sort=False)]  # fmt: skip


def _words(lang: Lang) -> dict[str, Any]:
    """Words that the script puts together."""
    return {
        "all": say("all: {}", lang, "{}"), "river": label("river", lang=lang),
        "bank": label("bank", lang=lang), "group": label("group", lang=lang),
        "stage": label("stage", lang=lang), "klass": say("class", lang),
        "collective": say("collective property", lang), "yes": say("yes", lang),
        "no": say("no", lang), "todo": code_label("status", TODO, lang=lang),
        "todo_letter": say("N ", lang).strip(), "houses": say("buildings ", lang).strip(),
        "nodes": say("nodes, the latest first ({})", lang, "{}"),
        "houses_of": say("({} buildings of the node)", lang, "{}"),
        "back": say("back to all", lang), "print_node": say("print this node", lang),
        "id": label("building_id", lang=lang), "nothing": say("nothing found", lang),
        "north": say("N", lang),
        "node_heads": [say("node", lang), say("stage, group", lang), say("late, due", lang),
                       say("how much", lang)],
    }  # fmt: skip
