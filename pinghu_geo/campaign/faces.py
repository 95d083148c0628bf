"""Where can the contractor work? Stretches along the rivers with nothing left standing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pinghu_geo.campaign.stages import stage_codes, stage_rules
from pinghu_geo.campaign.workdays import day_of
from pinghu_geo.nouns.door import same_ids, takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang, numbers, one_of, require_columns
from pinghu_geo.river.centreline import river_scales
from pinghu_geo.river.chainage import ChainageScale
from pinghu_geo.river.corridor import river_ends

__all__ = ["WorkingFaces", "clear_days", "working_faces"]

Days = NDArray[np.datetime64]
NEVER = np.datetime64("9999-12-31", "D")
ALWAYS = np.datetime64("0001-01-01", "D")
# what a standing house blocks at least [m]: outside a bend all of it may lie abreast of one point
LEAST_BLOCKED_M = 1.0


@dataclass(frozen=True, slots=True)
class WorkingFaces(Result):
    """Working faces along the rivers 施工作业面.

    Attributes
    ----------
    stretches : pandas.DataFrame
        In order along each river and bank: river, bank {left, right, both}, from_m, to_m,
        length_m [m], ready_on (NaT: nothing ever stood there, or no day is known), ready,
        blocked_by (nodes, or buildings without one), n_blocking.
    metres : pandas.DataFrame
        A row a river, bank and day on which something becomes ready: ready_m so far, blocked_m,
        works_m [m]; the first row is of what nothing ever stood on.
    receipts : pandas.DataFrame
        A row a ready stretch, for the transfer paper (移交单): river, bank, from_m, to_m, length_m,
        ready_on, nodes, handed_over_on (the last node's, NaT while one isn't handed over).
    """

    SHOWN: ClassVar = ("stretches",)

    stretches: pd.DataFrame
    metres: pd.DataFrame
    receipts: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """How much is ready to be built on."""
        ready = self.stretches["ready"].fillna(False).astype(bool)
        length = self.stretches["length_m"]
        return [
            say(
                "{} of {} m are ready as working faces.",
                lang,
                f"{length[ready].sum():,.0f}",
                f"{length.sum():,.0f}",
            )
        ]


@takes(buildings="affected", rivers="works", state="activities", plan="activities")
def working_faces(
    buildings: pd.DataFrame,
    rivers: gpd.GeoDataFrame | pd.DataFrame,
    *,
    state: pd.DataFrame | None = None,
    plan: pd.DataFrame | None = None,
    as_of: Any = None,
    banks: Literal["each", "both"] = "each",
    stages: pd.DataFrame | None = None,
) -> WorkingFaces:
    """Stretches of the works with nothing left standing, as of a date or by plan 施工作业面.

    Parameters
    ----------
    buildings
        ``campaign_tasks(...).buildings``: river, bank, from_m, to_m [m], task_class, node_id,
        others_due.
    rivers
        Centrelines; or a table with river, from_m, to_m [m] of the works.
    state
        ``progress_state(...).reached``: what is down by the reports.
    plan
        ``schedule(...).activities``: when the rest will be down. Without it only what is down
        counts.
    as_of
        Day for ``ready``; by default the last day of ``state``.
    banks
        Each bank by itself, or stretches where neither bank has anything standing.
    stages
        Result of `stage_rules`; the first stage with ``clears`` brings a building down.

    Returns
    -------
    WorkingFaces
        ``stretches``, ``metres``, ``receipts``.

    Raises
    ------
    LayerError
        A column is missing, or buildings lie on a river that isn't there.

    Notes
    -----
    A building blocks its stretch of chainage on its bank (on both where it stands across) until it
    is down, a metre at least: a house outside a bend may lie abreast of one point of the line. 保留
    never does. What others clear, 待核 and 待勘 block as well: by plan until the
    others' own day, or with no day. A stretch is ready at the last of its buildings; by plan, a
    node's houses are down when its stage is.

    Examples
    --------
    >>> houses = pd.DataFrame({"river": "A", "bank": "left", "from_m": [10.0, 40.0],
    ...     "to_m": [20.0, 60.0], "task_class": "task", "node_id": ["A-L-001", "A-L-002"]},
    ...     ["B1", "B2"])
    >>> works = pd.DataFrame({"river": ["A"], "from_m": [0.0], "to_m": [100.0]})
    >>> down = pd.DataFrame({"kind": ["building"], "id": ["B1"], "stage": ["demolished"],
    ...                      "date": pd.to_datetime(["2018-03-01"])})
    >>> found = pg.working_faces(houses, works, state=down)
    >>> left = found.stretches[found.stretches["bank"] == "left"]
    >>> left[["from_m", "to_m", "ready"]].values.tolist()
    [[0.0, 40.0, True], [40.0, 60.0, False], [60.0, 100.0, True]]
    """
    one_of(banks, ("each", "both"), "banks")
    require_columns(buildings, ["river", "bank", "from_m", "to_m", "task_class"], "buildings")
    stages = stage_rules() if stages is None else stages
    lines = rivers if isinstance(rivers, gpd.GeoDataFrame) else None
    works = _extent_of_works(rivers)
    scales = {} if lines is None else river_scales(lines)
    strange = buildings.loc[~buildings["river"].isin(works), "river"].unique()
    if len(strange):
        raise LayerError("lie on rivers without works", layer="buildings", ids=strange)
    clear, over = clear_days(buildings, state=state, plan=plan, stages=stages)
    if as_of is None:
        as_of = state["date"].max() if state is not None and len(state) else "1970-01-01"
    day = day_of(as_of, "as_of").to_datetime64().astype("datetime64[D]")
    blocking = (buildings["task_class"] != "retain").to_numpy()
    ends = _blocked_ends(river_ends(buildings, lines, "buildings")[0])
    node = buildings.get("node_id", pd.Series(pd.NA, index=buildings.index, dtype=object))
    who = node.where(node.notna(), buildings.index.to_series()).astype("str").to_numpy(object)
    stretches, metres = [], []
    for river, (lo, hi) in works.items():
        here = blocking & (buildings["river"] == river).to_numpy()
        for bank in ("left", "right") if banks == "each" else ("both",):
            sides = [bank, "both"] if banks == "each" else ["left", "right", "both"]
            mine = np.flatnonzero(here & buildings["bank"].isin(sides).to_numpy())
            rows = _stretches_of_bank(lo, hi, ends[mine], clear[mine], over[mine], who[mine], day)
            stretches += [
                {"river": river, "bank": bank} | _with_chainages(r, scales.get(river)) for r in rows
            ]
            metres += [{"river": river, "bank": bank} | r for r in _metres_by_day(rows, hi - lo)]
    columns = ["river", "bank", "from_m", "to_m", "length_m", "ready_on", "ready", "blocked_by",
               "n_blocking", "nodes", "handed_over_on"]  # fmt: skip
    table = pd.DataFrame(stretches, columns=columns)
    table["ready"] = table["ready"].astype(bool)
    receipts = table[table["ready"]].drop(columns=["ready", "blocked_by", "n_blocking"])
    return WorkingFaces(
        table.drop(columns=["nodes", "handed_over_on"]),
        pd.DataFrame(metres, columns=["river", "bank", "date", "ready_m", "blocked_m", "works_m"]),
        receipts.reset_index(drop=True),
    )


def _blocked_ends(ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ends of what each house blocks, the short ones about their middle."""
    lacks = np.maximum(LEAST_BLOCKED_M - (ends[:, 1] - ends[:, 0]), 0.0) / 2
    return np.stack([ends[:, 0] - lacks, ends[:, 1] + lacks], axis=1)


def _extent_of_works(rivers: gpd.GeoDataFrame | pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Extent of the works on each river, in chainages whose differences are lengths."""
    if isinstance(rivers, gpd.GeoDataFrame):
        found = {}
        for river, scale in river_scales(rivers).items():
            ends = np.ravel(scale.along([0.0, scale.length_m]))
            found[river] = (float(ends.min()), float(ends.max()))
        return found
    require_columns(rivers, ["river", "from_m", "to_m"], "rivers")
    both = np.stack([numbers(rivers, c, "rivers") for c in ("from_m", "to_m")], axis=1)
    if np.isnan(both).any():
        raise LayerError("has works without both ends", layer="rivers",
                         ids=rivers.index[np.isnan(both).any(axis=1)])  # fmt: skip
    ends = np.sort(both, axis=1)
    names = map(str, rivers["river"])
    return dict(zip(names, zip(*ends.T.tolist(), strict=True), strict=True))


def clear_days(
    buildings: pd.DataFrame,
    *,
    state: pd.DataFrame | None,
    plan: pd.DataFrame | None,
    stages: pd.DataFrame,
) -> tuple[Days, Days]:
    """Day on which each building is down, and handed over; NEVER where none is known."""
    down = stages.index[stages["clears"].astype(bool)]
    if not len(down):
        raise LayerError("has no stage that clears a building", layer="stages",
                         hint="clears = true at 拆除")  # fmt: skip
    last = stages.index[-1]
    clear = _reported_days(buildings, state, str(down[0]))
    over = _reported_days(buildings, state, str(last))
    if plan is None:
        return clear, over
    node = buildings.get("node_id", pd.Series(pd.NA, index=buildings.index, dtype=object))
    said = stage_codes(plan["stage"], stages, layer="plan")
    finish = plan[said == down[0]].groupby("node_id")["finish"].max()
    planned = _days_or_never(finish.reindex(node))
    theirs = _days_or_never(buildings.get("others_due", pd.Series(pd.NaT, index=buildings.index)))
    later = np.where(buildings["task_class"] == "others", theirs, planned)
    return np.where(clear == NEVER, later, clear), over


def _reported_days(buildings: pd.DataFrame, state: pd.DataFrame | None, stage: str) -> Days:
    if state is None or state.empty:
        return np.full(len(buildings), NEVER)
    rows = state[(state["stage"] == stage) & (state["kind"] == "building")].set_index("id")["date"]
    rows.index = same_ids(rows.index, buildings.index)
    return _days_or_never(rows.reindex(buildings.index))


def _days_or_never(dates: pd.Series) -> Days:
    days = pd.to_datetime(dates).to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), NEVER, days)


def _stretches_of_bank(
    lo: float,
    hi: float,
    ends: NDArray[np.float64],
    clear: Days,
    over: Days,
    who: NDArray[np.object_],
    day: np.datetime64,
) -> list[dict[str, Any]]:
    """Stretches of one bank: neighbours that are ready for the same reason are one."""
    order = np.lexsort(ends.T[::-1])  # by their lower ends
    clear, over, who = clear[order], over[order], who[order]
    spans = np.clip(ends[order], lo, hi)
    cuts = np.unique(np.concatenate([[lo, hi], spans.ravel()]))
    if len(cuts) < 2:
        return []
    size = len(cuts) - 1
    ready, handed = np.full(size, ALWAYS), np.full(size, ALWAYS)
    at = np.searchsorted(cuts, spans)
    for (a, b), when, then in zip(at.tolist(), clear, over, strict=True):
        np.maximum(ready[a:b], when, out=ready[a:b])
        np.maximum(handed[a:b], then, out=handed[a:b])
    # stretches that are ready now are one face; what is to come is told apart by its day
    kind = np.where(ready <= day, ALWAYS, ready)
    edge = np.flatnonzero(np.concatenate([[True], kind[1:] != kind[:-1], [True]]))
    long, reach = np.diff(cuts), np.maximum.accumulate(at[:, 1])
    begins = np.searchsorted(reach, edge[:-1], side="right")  # none before reaches so far
    stops = np.searchsorted(at[:, 0], edge[1:], side="left")
    rows = []
    for a, b, i, j in zip(edge[:-1], edge[1:], begins, stops, strict=True):
        covers = i + np.flatnonzero(at[i:j, 1] > a)
        open_ = covers[clear[covers] > day]
        when, then = ready[a:b].max(), handed[a:b].max()
        rows.append({
            "from_m": float(cuts[a]), "to_m": float(cuts[b]),
            "length_m": float(cuts[b] - cuts[a]), "ready_on": _timestamp_or_none(when),
            "ready": bool(when <= day), "blocked_by": "、".join(dict.fromkeys(who[open_])),
            "n_blocking": len(open_), "nodes": "、".join(dict.fromkeys(who[covers])),
            "handed_over_on": _timestamp_or_none(then),
            "pieces": (long[a:b], ready[a:b]),
        })  # fmt: skip
    return rows


def _with_chainages(row: dict[str, Any], scale: ChainageScale | None) -> dict[str, Any]:
    """A stretch with its ends as chainages."""
    if scale is None or not scale.equations:
        return row
    return row | {c: float(scale.said(row[c])) for c in ("from_m", "to_m")}


def _timestamp_or_none(day: np.datetime64) -> pd.Timestamp | Any:
    return pd.NaT if day in (ALWAYS, NEVER) else pd.Timestamp(day)


def _metres_by_day(rows: list[dict[str, Any]], works_m: float) -> list[dict[str, Any]]:
    """Metres that are ready by each day; the first row is of what nothing ever stood on."""
    if not rows:
        return []
    long = np.concatenate([r["pieces"][0] for r in rows])
    when = np.concatenate([r["pieces"][1] for r in rows])
    days = np.unique(np.concatenate([[ALWAYS], when[when < NEVER]]))
    found = []
    for day in days:
        ready = float(long[when <= day].sum())
        found.append(
            {
                "date": _timestamp_or_none(day),
                "ready_m": ready,
                "blocked_m": works_m - ready,
                "works_m": works_m,
            }
        )
    return found
