"""What does the page of the map know? Houses, nodes, days and chainages, as few bytes as can be."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.stages import TODO
from pinghu_geo.deliver.styles import CLASS_LOOKS, MAP_LOOKS, letters, stage_words, value_text
from pinghu_geo.nouns.inert import visible_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang, code_label, label
from pinghu_geo.nouns.tables import records_of
from pinghu_geo.river.chainage import format_chainage

__all__ = ["card_columns", "house_classes", "map_data", "nodes_in_order", "packed", "packed_shapes"]

Ints = NDArray[np.integer[Any]]
# A millionth of a degree is 0.1 m.
MILLIONTH = 1e6
CARD = (
    "river", "bank", "chainage_m", "repeated", "node_id", "verdict", "reason", "extent",
    "inside_m2", "inside_ratio", "footprint_m2", "floors", "floors_source",
    "demolish_floor_area_m2", "floor_area_source", "structure", "use", "title", "tenure", "owner",
    "tenants", "parcel_id", "cleared_by", "task_class", "cost_yuan", "since", "blocker",
    "blocker_since",
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
    classes = _classes_of_legend(kinds, words, stages, lang, tasks=tasks)
    place = {one["code"]: k for k, one in enumerate(classes)}
    place["task"] = -1
    ids = affected.index.astype(str)
    numbered = {} if nodes is None else {n: k for k, n in enumerate(nodes_in_order(nodes).index)}
    of_node = affected.get("node_id", pd.Series(pd.NA, affected.index)).astype(object)
    (stepped, steps), day0, last = _stage_days_of_houses(affected, ids, state, stages, tasks=tasks)
    none = pd.Series(pd.NA, affected.index, dtype=object)
    tenure = affected.get("tenure", none).astype(object)
    houses = {
        "shapes": packed_shapes(affected.geometry),
        "ids": [visible_text(i) for i in ids], "fixed": packed([place[k] for k in kinds]),
        "node": packed([numbered.get(n, -1) for n in of_node]),
        "collective": packed([isinstance(t, str) and t == "collective" for t in tenure]),
        "stepped": packed(stepped), "steps": packed(steps),
        **{c: _coded_texts(affected.get(c, none), c, lang, unknown="") for c in ("river", "bank")},
        "owner": _coded_texts(affected.get("owner", none), "owner", lang),
    }  # fmt: skip
    shown = {str(s): place[str(k)] for s, k in stages["shown_as"].items()} if tasks else {}
    signs, said = letters(stages, lang=lang), stage_words(stages, lang=lang)
    return {
        "houses": houses,
        "nodes": [] if nodes is None else _panel_rows_of_nodes(nodes_in_order(nodes), lang),
        "classes": classes, "todo": place.get(TODO, 0), "day0": day0, "last": last,
        "stages": [{"code": s, "word": visible_text(said.get(s, s)), "letter": signs[s],
                    "klass": k} for s, k in shown.items()],
        "collective": bool("tenure" in affected and (affected["tenure"] == "collective").any()),
        "stations": _stations_by_river(stations, spacing_m), "words": _words_for_script(lang),
    }  # fmt: skip


def card_columns(affected: pd.DataFrame, lang: Lang) -> list[list[Any]]:
    """What a house's card says, a column each: its heading, its words, the word of each house."""
    found: list[list[Any]] = []
    # what nothing is known of has no row, but the owner, whom the search asks for
    for name in (c for c in CARD if c in affected and (c == "owner" or affected[c].notna().any())):
        if name == "owner":  # which the page has for its search
            found.append([label(name, lang=lang), name, ""])
        else:
            one = _coded_texts(affected[name], name, lang)
            found.append([label(name, lang=lang), one["w"], one["k"]])
    return found


def packed(numbers: Iterable[int] | Ints) -> str:
    """Whole numbers as text: seven bits a byte, the sign in the lowest bit; in base 64."""
    given = np.asarray(numbers if isinstance(numbers, np.ndarray) else list(numbers), np.int64)
    bits = (given << 1) ^ (given >> 63)
    longest = -(-int(bits.max(initial=1)).bit_length() // 7)
    used = np.ones((len(bits), longest + 1), bool)
    groups = np.empty((len(bits), longest), np.uint8)
    for k in range(longest):
        left = bits >> 7
        used[:, k + 1] = left > 0
        groups[:, k] = bits & 127 | used[:, k + 1] << 7
        bits = left
    return base64.b64encode(groups[used[:, :-1]].tobytes()).decode("ascii")


def _classes_of_legend(
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
    # a house has the letter of its stage, of which a class may have several
    own = {look: "".join(of_stage[str(s)] for s in stages.index[stages["shown_as"] == look])
           for look in set(stages["shown_as"])} if lang == "zh" else {}  # fmt: skip
    own[TODO] = of_stage[TODO] + own.get(TODO, "")
    found = []
    for code in codes:
        look = MAP_LOOKS[code]
        word = words[code] if code in words else code_label("status", code, lang=lang)
        letter = signs.get(code) or (of_stage[TODO] if code == TODO else first[code])
        found.append({"code": code, "word": word, "fill": look.fill, "mark": look.ink,
                      "hatch": look.hatch, "letter": letter,
                      "signs": signs_of if len(signs_of := own.get(code, "")) > 1 else "",
                      "count": int((kinds == code).sum()) or int(code in CLASS_LOOKS)})  # fmt: skip
    return found


def _stage_days_of_houses(
    affected: pd.DataFrame,
    ids: pd.Index,
    state: ProgressState | None,
    stages: pd.DataFrame,
    *,
    tasks: bool,
) -> tuple[tuple[Ints, Ints], int, int]:
    """Stages that each house reached: how many, and each with its day from the first; last day."""
    rank = {str(s): k for k, s in enumerate(stages.index)}
    none: Ints = np.empty(0, np.int64)
    house, of, day = none, none, none
    first = last = 0
    if tasks and state is None:
        stage = affected.get("stage", pd.Series(TODO, affected.index)).astype(object).map(rank)
        house = np.flatnonzero(stage.notna())
        of, day = stage.iloc[house].to_numpy(np.int64), 0 * house
    elif tasks and state is not None:
        rows = state.reached[state.reached["kind"] == "building"]
        rows = rows[rows["stage"].isin(rank)]
        number = pd.Series(range(len(ids)), ids).reindex(rows["id"].astype(str)).to_numpy(float)
        rows, number = rows[~np.isnan(number)], number[~np.isnan(number)].astype(np.int64)
        days = (rows["date"] - pd.Timestamp(0)).dt.days.to_numpy(np.int64)
        last = (state.as_of - pd.Timestamp(0)).days
        first = int(days.min(initial=last))
        turn = np.argsort(number, kind="stable")
        house, day = number[turn], days[turn] - first
        of = rows["stage"].map(rank).to_numpy(np.int64)[turn]
    steps = np.column_stack([of, day]).ravel()
    return (np.bincount(house, minlength=len(ids)), steps), first, last - first


def packed_shapes(shapes: gpd.GeoSeries) -> dict[str, str]:
    """Rings, or lines, in millionths of a degree, each point as its difference from the last.

    Shells run one way and holes the other, so that houses on one another are filled together.
    """
    geometry = shapes.to_crs(4326).to_numpy()
    gone = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    geometry = shapely.orient_polygons(np.where(gone, np.array(None), geometry))
    parts, of_house = shapely.get_parts(geometry, return_index=True)
    if len(parts) and shapely.get_dimensions(parts[0]) == 1:
        rings, of_part = parts, np.arange(len(parts))
    else:
        rings, of_part = shapely.get_rings(parts, return_index=True)
    xy, of_ring = shapely.get_coordinates(rings, return_index=True)
    whole = np.rint(xy * MILLIONTH).astype(np.int64)
    return {
        "xy": packed(np.diff(whole, axis=0, prepend=whole[:1] * 0).ravel()),
        "parts": packed(np.bincount(of_house[of_part], minlength=len(geometry))),
        "rings": packed(np.bincount(of_ring, minlength=len(rings))),
    }


def _coded_texts(values: pd.Series, name: str, lang: Lang, *, unknown: str = "—") -> dict[str, Any]:
    """Texts of a column; where few of them differ, as numbers into their list."""
    codes, unique = pd.factorize(values.astype(object), use_na_sentinel=True)
    words = [visible_text(value_text(name, v, lang), lines=True) for v in unique] + [unknown]
    codes = np.where(codes < 0, len(unique), codes)
    if 2 * len(words) < len(codes):
        return {"w": words, "k": packed(codes)}
    return {"w": [words[c] for c in codes], "k": ""}


def nodes_in_order(nodes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Nodes, the latest first; among equals as they lie along the rivers."""
    if "late_by_days" not in nodes:
        return nodes
    rank = nodes.get("signal", pd.Series(pd.NA, nodes.index)).map(SIGNALS).fillna(3)
    late = -pd.to_numeric(nodes["late_by_days"], errors="coerce").fillna(0)
    return nodes.iloc[np.lexsort((np.arange(len(nodes)), late, rank))]


def _panel_rows_of_nodes(nodes: gpd.GeoDataFrame, lang: Lang) -> list[dict[str, Any]]:
    """What the panel says of each node."""
    rows = pd.DataFrame(nodes).drop(columns="geometry", errors="ignore").astype(object)
    rows = rows.where(rows.notna(), None)
    found = []
    for node, row in zip(rows.index, records_of(rows), strict=True):
        ends = sorted(float(row[c]) for c in ("from_m", "to_m") if row[c] is not None)
        between = "–".join(format_chainage(e, decimals=0) for e in ends)
        amount = []
        if row["n_buildings"] is not None:
            amount.append(say("{} buildings ", lang, f"{row['n_buildings']:,.0f}").strip())
        if row.get("n_tenants") is not None:
            amount.append(say("{} households ", lang, f"{row['n_tenants']:,.0f}").strip())
        late, since = row.get("late_by_days"), row.get("late_since")
        due = row.get("due")
        found.append({
            "id": visible_text(node), "river": visible_text(row["river"]),
            "bank": code_label("bank", row["bank"], lang=lang),
            "where": f"{code_label('bank', row['bank'], lang=lang)} {between}".strip(),
            "group": "" if row.get("group") is None else visible_text(row["group"]),
            "leader": "" if row.get("leader") is None else visible_text(row["leader"]),
            "late": say("{} days late ", lang, f"{late:.0f}").strip() if late else "",
            "since": say("(since {})", lang, f"{since:%Y-%m-%d}") if late and since else "",
            "due": "" if due is None else f"{due:%Y-%m-%d}", "amount": " ".join(amount),
            "signal": row.get("signal") or "",
            "collective": int((row.get("n_collective") or 0) > 0),
        })  # fmt: skip
    return found


def _stations_by_river(points: gpd.GeoDataFrame, spacing_m: float) -> list[dict[str, Any]]:
    """Where each river's chainages lie, to find one that is searched for."""
    xy = shapely.get_coordinates(points.geometry.to_crs(4326).to_numpy())
    table = pd.DataFrame({"river": points["river"].to_numpy(), "c": points["chainage_m"].to_numpy(),
                          "x": xy[:, 0], "y": xy[:, 1]}).round(6)  # fmt: skip
    return [{"river": visible_text(river), "most": 1.5 * spacing_m,
             "at": part[["c", "x", "y"]].to_numpy().tolist()}
            for river, part in table.groupby("river", sort=False)]  # fmt: skip


def _words_for_script(lang: Lang) -> dict[str, Any]:
    """Words that the script puts together."""
    return {
        "all": say("all: {}", lang, "{}"), "river": label("river", lang=lang),
        "bank": label("bank", lang=lang), "group": label("group", lang=lang),
        "stage": label("stage", lang=lang), "klass": say("class", lang),
        "collective": say("collective property", lang), "yes": say("yes", lang),
        "no": say("no", lang), "todo": code_label("stage", TODO, lang=lang),
        "todo_letter": say("N ", lang).strip(), "houses": say("buildings ", lang).strip(),
        "nodes": say("nodes, the latest first ({})", lang, "{}"),
        "nodes_plain": say("nodes ({})", lang, "{}"),
        "houses_of": say("({} buildings of the node)", lang, "{}"),
        "back": say("back to all", lang), "print_node": say("print this node", lang),
        "id": label("building_id", lang=lang), "nothing": say("nothing found", lang),
        "due": label("due", lang=lang, noun="nodes"),
        "north": say("N", lang),
        "node_heads": [say("node", lang), say("stage, group", lang), say("late, due", lang),
                       say("how much", lang)],
    }  # fmt: skip
