"""Which days were they given? The plan as adopted, whose dates stay whatever is planned later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pandas as pd

from pinghu_geo.campaign.planning import Schedule, days_of_nodes
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang

__all__ = ["DATES", "Baseline", "baseline_of", "changed_inputs", "digest_of", "held_schedule"]

# of a stage of a node what is kept, with its SQL type; of the node what stands in each of its rows
DATES = {
    "start": "DATE", "finish": "DATE", "needed_by": "DATE", "late_days": "INTEGER",
    "days": "INTEGER", "days_left": "INTEGER", "state": "TEXT",
    "earliest_start": "DATE", "earliest_finish": "DATE", "latest_start": "DATE",
    "latest_finish": "DATE", "float_days": "INTEGER", "critical": "INTEGER",
}  # fmt: skip
OF_NODE = ("needed_by", "late_days")
HISTORY = ["number", "as_of", "reason"]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A plan as it was adopted 基准计划: nothing in it moves.

    Attributes
    ----------
    number
        1 for the plan adopted first, then counted on.
    as_of
        Day on which the reports stood when it was adopted.
    reason
        Why it took the place of the one before; empty for the first.
    given
        Of what it was planned from, a digest by the key of [campaign].
    goals, shortage
        As of `Schedule`, when it was adopted.
    reaches
        Responsible reaches, as `BalancedReaches.segments`; empty where the project gives them.
    dates
        A row a node and stage: node_id, stage, start, finish, needed_by and late_days of the node,
        days, days_left, state, earliest and latest dates, float_days, critical, as_of: the day on
        which the node's dates were kept.
    before
        The plans adopted before it: number, as_of, reason.
    """

    number: int
    as_of: pd.Timestamp
    reason: str
    given: Mapping[str, str]
    goals: pd.DataFrame
    shortage: pd.DataFrame
    reaches: pd.DataFrame
    dates: pd.DataFrame
    before: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=HISTORY))

    def in_words(self, *, lang: Lang = "zh") -> list[str]:
        """Which plan is held against, why, and which ones came before it."""
        lines = [say("Due dates are those of plan {}, adopted with the reports until {}.", lang,
                     self.number, f"{self.as_of:%Y-%m-%d}")]  # fmt: skip
        if self.reason:
            lines.append(say("Why it was adopted anew: {}.", lang, self.reason))
        for row in self.before.itertuples():
            why = say(" ({})", lang, row.reason) if row.reason else ""
            lines.append(say("Plan {}, adopted with the reports until {}{}, no longer holds.", lang,
                             row.number, f"{row.as_of:%Y-%m-%d}", why))  # fmt: skip
        return lines


def baseline_of(
    plan: Schedule,
    as_of: pd.Timestamp,
    given: Mapping[str, str],
    reason: str = "",
    reaches: pd.DataFrame | None = None,
) -> Baseline:
    """What is kept of a plan when it is adopted; the store gives it its number."""
    nodes, dates = plan.nodes, plan.activities.drop(columns="group", errors="ignore").copy()
    for column in OF_NODE:
        known = nodes[column] if column in nodes else pd.Series(dtype=object)
        dates[column] = known.reindex(pd.Index(dates["node_id"])).to_numpy()
    dates["as_of"] = as_of
    dates = dates.reindex(columns=["node_id", "stage", *DATES, "as_of"])
    reaches = pd.DataFrame() if reaches is None else reaches
    return Baseline(0, as_of, reason, dict(given), plan.goals, plan.shortage, reaches, dates)


def held_schedule(today: Schedule, kept: Baseline) -> tuple[Schedule, list[str]]:
    """The adopted plan for the tasks of today, and the nodes of which it doesn't hold all stages.

    Parameters
    ----------
    today
        A plan of today's tasks: which nodes and stages there are, and the dates of those that the
        adopted plan doesn't know.
    kept
        The adopted plan; what it knows of nodes that are no tasks any more isn't counted.
    """
    work = today.activities
    if work.empty:
        return today, []
    keys = pd.MultiIndex.from_arrays([work["node_id"].astype(str), work["stage"].astype(str)])
    known = kept.dates.set_index(["node_id", "stage"])
    at = known.index.get_indexer(keys)
    there = at >= 0
    held = work.copy()
    if there.any():
        for column in set(DATES) - set(OF_NODE):
            old = known[column].take(at[there]).set_axis(work.index[there])
            held[column] = old.reindex(work.index).where(there, work[column]).astype(
                work[column].dtype
            )  # fmt: skip
    nodes = today.nodes.copy()
    days = days_of_nodes(held, nodes.index)
    nodes[days.columns] = days
    # the last stage of a node ends last
    last = held.sort_values("finish", kind="stable").groupby("node_id", sort=False).tail(1)
    last = last.set_index("node_id")
    nodes["due"] = last["finish"].reindex(nodes.index)
    nodes["float_days"] = last["float_days"].reindex(nodes.index)
    of_node = known[list(OF_NODE)].groupby(level="node_id", sort=False).first()
    ours = nodes.index.isin(of_node.index)
    for column in OF_NODE:
        old = of_node[column].reindex(nodes.index)
        nodes[column] = old.where(ours, nodes[column]).astype(nodes[column].dtype)
    new = list(dict.fromkeys(work["node_id"][~there].astype(str)))
    return Schedule(held, nodes, kept.goals, kept.shortage), new


def digest_of(*given: Any) -> str:
    """A digest of tables and values: the same for the same content, on every machine."""
    said = [_texts_of_table(one) if isinstance(one, pd.DataFrame) else str(one) for one in given]
    return sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()[:16]


def _texts_of_table(table: pd.DataFrame) -> list[list[str]]:
    rows = table.reset_index()
    blank = {"nan", "NaT", "None", "<NA>"}
    return [[str(c), *("" if str(v) in blank else str(v) for v in rows[c])] for c in rows.columns]


def changed_inputs(kept: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Keys of [campaign] that say something else than when the plan was adopted."""
    return [key for key in now if key in kept and kept[key] != now[key]]
