"""Who is behind, by how much, and what holds it up? Supervision of nodes and groups (督查)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.stages import TODO, stage_codes, stage_rules, stage_words
from pinghu_geo.campaign.workdays import day_of
from pinghu_geo.nouns.door import same_ids, takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.numerals import counting_key
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang, nearest, numbers, require_columns
from pinghu_geo.nouns.tables import each_row

__all__ = ["Supervision", "supervision"]

# days behind the plan from which on a node is amber or red, and the days that a blocker may stand
THRESHOLDS = {"amber_days": 1.0, "red_days": 7.0, "blocker_days": 7.0}


@dataclass(frozen=True, slots=True)
class Supervision(Result):
    """What the supervisor's table, daily and weekly report say 督查督办.

    Attributes
    ----------
    nodes : pandas.DataFrame
        Indexed by node_id, worst first: group, stage_due and its day, stage reached, late_by_days
        (calendar) and late_since, the day by which the first stage that it lacks was due, signal
        {red, amber, green}, blocker, blocker_since, held_up_m, next_stage, due.
    groups : pandas.DataFrame
        Indexed by group, best first: rank, n_nodes, n_red, n_amber, n_green, n_buildings,
        n_demolished, n_left, rate_7, rate_14 [buildings a day], forecast, forecast_early,
        forecast_late (of a group with nothing left, when its last building came down).
    curve : pandas.DataFrame
        A row a day: planned and done buildings, m², tenants, yuan: sums of what is known, NA while
        nothing of it is.
    changes : pandas.DataFrame
        What was reached since a day, a row an id and stage: for daily and weekly reports.
    notices : pandas.DataFrame
        A row a red node, for the notice (督办通知书).
    """

    SHOWN: ClassVar = ("nodes",)
    NOUN: ClassVar = "campaign"

    nodes: pd.DataFrame
    groups: pd.DataFrame
    curve: pd.DataFrame
    changes: pd.DataFrame
    notices: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """How many nodes are late."""
        signals = [int((self.nodes["signal"] == s).sum()) for s in ("red", "amber", "green")]
        return [say("Nodes: {} red, {} amber, {} green.", lang, *signals)]


@takes(plan="activities", buildings="affected", faces="activities")
def supervision(
    plan: pd.DataFrame,
    state: ProgressState,
    buildings: pd.DataFrame,
    *,
    faces: pd.DataFrame | None = None,
    stages: pd.DataFrame | None = None,
    thresholds: Mapping[str, float] | None = None,
    since: Any = None,
    lang: Lang = "zh",
) -> Supervision:
    """Nodes and groups against the plan, as of the state's day 督查督办.

    Parameters
    ----------
    plan
        ``schedule(...).activities`` of the plan that is held against (the adopted one, not the
        re-plan).
    state
        Result of `progress_state`.
    buildings
        ``campaign_tasks(...).buildings``.
    faces
        ``working_faces(...).stretches``, for the metres that a node holds up.
    stages
        Result of `stage_rules`.
    thresholds
        amber_days, red_days [calendar days behind the plan], blocker_days [days that a blocker may
        stand before its node is amber]; by default 1, 7, 7.
    since
        Day from which on ``changes`` are listed; by default a week before.
    lang
        Language of what the notices demand: ``"zh"`` or ``"en"``.

    Returns
    -------
    Supervision
        ``nodes``, ``groups``, ``curve``, ``changes``, ``notices``.

    Raises
    ------
    LayerError
        A threshold is unknown, or the plan lacks a column.

    Notes
    -----
    A node is behind by the days since the earliest stage that should be over and isn't. Rates are
    buildings down a day over the last 7 and 14 days, of the last stage that clears; the forecast
    divides what is left by the rate of 14 days, its range by the larger and the smaller of the
    two rates; without a rate there is no forecast. A group with nothing left has no forecast but
    ``done_on``, the day on which its last building came down.

    Examples
    --------
    >>> houses = pd.DataFrame({"node_id": ["A-L-001"], "task_class": ["task"]}, ["B1"])
    >>> plan = pd.DataFrame({"node_id": "A-L-001", "stage": ["survey", "valuation"],
    ...     "group": "第1组", "finish": pd.to_datetime(["2018-01-05", "2018-01-10"])})
    >>> log = pd.DataFrame({"building_id": ["B1"], "stage": ["survey"], "date": ["2018-01-20"]})
    >>> state = pg.progress_state(log, houses)
    >>> found = pg.supervision(plan, state, houses)
    >>> found.nodes[["stage_due", "stage", "late_by_days", "signal"]].values.tolist()
    [['valuation', 'survey', 10, 'red']]
    """
    require_columns(plan, ["node_id", "stage", "finish"], "plan")
    stages = stage_rules() if stages is None else stages
    plan = plan.assign(stage=stage_codes(plan["stage"], stages, layer="plan"))
    limits = _checked_thresholds(thresholds)
    nodes = _signals_of_nodes(plan, state, buildings, stages, limits)
    nodes["held_up_m"] = _metres_held_up(nodes.index, faces)
    order = {"red": 0, "amber": 1, "green": 2}
    nodes = nodes.sort_values(["signal", "late_by_days", "held_up_m"], kind="stable",
                              key=lambda c: c.map(order) if c.name == "signal" else -c)  # fmt: skip
    groups = _forecasts_of_groups(nodes, state, buildings, stages)
    curve = _planned_and_done_curve(plan, state, buildings, stages)
    week = state.as_of - pd.Timedelta(days=7) if since is None else day_of(since, "since")
    changes = state.reached[(state.reached["date"] > week) & (state.reached["date"] <= state.as_of)]
    changes = changes.sort_values(["date", "node_id", "id"], kind="stable").reset_index(drop=True)
    return Supervision(
        nodes, groups, curve, changes, _notices_of_red_nodes(nodes, state.as_of, stages, lang)
    )


def _checked_thresholds(given: Mapping[str, float] | None) -> dict[str, float]:
    for key in given or {}:
        if key not in THRESHOLDS:
            raise LayerError(f"thresholds: {key!r} is not known", hint=nearest(key, THRESHOLDS))
    found = THRESHOLDS | dict(given or {})
    if not 0 <= found["amber_days"] <= found["red_days"]:
        raise LayerError("thresholds: red_days is below amber_days, or one below 0",
                         hint='thresholds={"amber_days": 1, "red_days": 7}')  # fmt: skip
    return found


def _signals_of_nodes(
    plan: pd.DataFrame,
    state: ProgressState,
    buildings: pd.DataFrame,
    stages: pd.DataFrame,
    limits: Mapping[str, float],
) -> pd.DataFrame:
    """A row a node: what should be over, what is, and how late."""
    codes = list(stages.index)
    due = plan.pivot_table(index="node_id", columns="stage", values="finish", aggfunc="max")
    due = due.reindex(columns=codes).astype("datetime64[ns]")
    table = pd.DataFrame(index=due.index)
    if "group" in plan:
        table["group"] = plan.groupby("node_id", sort=True)["group"].first()
    for column in ("river", "bank"):
        if column in buildings:
            table[column] = buildings.groupby("node_id")[column].first().reindex(table.index)
    now = state.as_of.to_datetime64().astype("datetime64[D]")
    days = due.to_numpy().astype("datetime64[D]")
    over = days <= now  # NaT is not
    top = np.where(over.any(axis=1), len(codes) - 1 - over[:, ::-1].argmax(axis=1), -1)
    words = np.array([*codes, TODO], object)
    table["stage_due"] = words[top]
    row = np.arange(len(table))
    on = np.where(top >= 0, days[row, top], np.datetime64("NaT", "D"))
    table["stage_due_on"] = on.astype("datetime64[ns]")
    there = state.nodes.reindex(table.index)
    table["stage"] = there["stage"].fillna(TODO)
    table["since"] = there["since"]
    n = there["n_buildings"].fillna(1).to_numpy()
    done = there.reindex(columns=[f"n_{c}" for c in codes]).fillna(0).to_numpy(float)
    open_ = (days < now) & (done < n[:, None])
    late = np.where(open_, (now - days).astype(int), 0).max(axis=1, initial=0)
    table["late_by_days"] = late
    since = np.where(open_, days, now).min(axis=1, initial=now)
    table["late_since"] = pd.Series(since, table.index, "datetime64[ns]").where(late > 0)
    table["blocker"], table["blocker_since"] = there["blocker"], there["blocker_since"]
    stuck = (now - there["blocker_since"].to_numpy().astype("datetime64[D]")).astype(float)
    held = there["blocker"].notna().to_numpy() & (stuck >= limits["blocker_days"])
    amber = (late >= limits["amber_days"]) | held
    table["signal"] = np.select([late >= limits["red_days"], amber], ["red", "amber"], "green")
    left = done < n[:, None]
    nexts = np.where(left.any(axis=1), left.argmax(axis=1), len(codes))
    table["next_stage"] = pd.Series(
        np.array([*codes, None], object)[nexts], table.index, dtype="str"
    )
    table["due"] = due.max(axis=1)
    return table


def _metres_held_up(nodes: pd.Index, faces: pd.DataFrame | None) -> pd.Series:
    """Metres of the stretches that wait for a node, each bank's."""
    found = pd.Series(0.0 if faces is not None else np.nan, index=nodes)
    if faces is None or faces.empty:
        return found
    open_ = faces[~faces["ready"]]
    who = open_["blocked_by"].str.split("、").explode()
    metres = open_["length_m"].reindex(who.index).groupby(who.to_numpy()).sum()
    return metres.reindex(nodes).fillna(0.0)


def _forecasts_of_groups(
    nodes: pd.DataFrame, state: ProgressState, buildings: pd.DataFrame, stages: pd.DataFrame
) -> pd.DataFrame:
    """A row a group: signals, rates, forecast."""
    columns = [
        "rank", "n_nodes", "n_red", "n_amber", "n_green", "n_buildings", "n_demolished", "n_left",
        "rate_7", "rate_14", "done_on", "forecast", "forecast_early", "forecast_late",
    ]  # fmt: skip
    if "group" not in nodes or nodes["group"].isna().all():
        return pd.DataFrame(columns=columns, index=pd.Index([], name="group"))
    down = str(stages.index[stages["clears"].astype(bool)][-1])
    table = nodes.groupby("group").size().to_frame("n_nodes")
    # equals stay in the order in which groups are counted
    table = table.loc[sorted(table.index, key=lambda name: counting_key(str(name)))]
    for word in ("red", "amber", "green"):
        table[f"n_{word}"] = (nodes["signal"] == word).groupby(nodes["group"]).sum()
    group = buildings["node_id"].map(nodes["group"])
    table["n_buildings"] = group.value_counts().reindex(table.index, fill_value=0)
    mine = state.reached
    mine = mine[(mine["kind"] == "building") & (mine["stage"] == down)]
    whose = mine["node_id"].map(nodes["group"])
    table["n_demolished"] = whose.value_counts().reindex(table.index, fill_value=0)
    table["n_left"] = table["n_buildings"] - table["n_demolished"]
    for days in (7, 14):
        recent = mine["date"] > state.as_of - pd.Timedelta(days=days)
        count = whose[recent].value_counts().reindex(table.index, fill_value=0)
        table[f"rate_{days}"] = count / days
    last = mine["date"].groupby(whose).max().reindex(table.index).astype("datetime64[ns]")
    table["done_on"] = last.where(table["n_left"] == 0)
    best, worst = table[["rate_7", "rate_14"]].max(axis=1), table[["rate_7", "rate_14"]].min(axis=1)
    for name, rate in (("forecast", table["rate_14"]), ("forecast_early", best),
                       ("forecast_late", worst)):  # fmt: skip
        days = np.ceil((table["n_left"] / rate.where(rate > 0)).to_numpy(float))
        ahead = np.full(len(days), np.timedelta64("NaT", "ns"))
        known = ~np.isnan(days)
        ahead[known] = days[known].astype(np.int64).astype("timedelta64[D]")
        when = state.as_of + pd.TimedeltaIndex(ahead)
        table[name] = pd.Series(when, table.index).where(table["n_left"] > 0)
    share = table["n_demolished"] / table["n_buildings"].where(table["n_buildings"] > 0)
    table["share"] = share.fillna(0)
    table = table.sort_values(["n_red", "n_amber", "share"], ascending=[True, True, False],
                              kind="stable")  # fmt: skip
    table["rank"] = _shared_ranks(table)
    return table[columns]


def _shared_ranks(table: pd.DataFrame) -> list[int]:
    """Ranks of groups in order; equal ones share a rank."""
    ranks: list[int] = []
    last = None
    for k, row in enumerate(zip(table["n_red"], table["n_amber"], table["share"], strict=True)):
        ranks.append(ranks[-1] if row == last else k + 1)
        last = row
    return ranks


def _planned_and_done_curve(
    plan: pd.DataFrame, state: ProgressState, buildings: pd.DataFrame, stages: pd.DataFrame
) -> pd.DataFrame:
    """Planned and actual sums by day: 栋 and m² down, 户 out, yuan signed."""
    down = str(stages.index[stages["clears"].astype(bool)][-1])
    out = stages.index[stages["tenants"].astype(bool)]
    pays = stages.index[stages["pays"].astype(bool)]
    ours = buildings[buildings["node_id"].notna()]
    one = pd.Series(1.0, index=ours.index)
    amounts = {
        "buildings": (down, one),
        "floor_area_m2": (down, _amounts_or_none(ours, "demolish_floor_area_m2")),
        "tenants": (str(out[-1]) if len(out) else down, _amounts_or_none(ours, "tenants")),
        "cost_yuan": (str(pays[0]) if len(pays) else down, _amounts_or_none(ours, "cost_yuan")),
    }
    finish = plan.set_index(["node_id", "stage"])["finish"]
    lines = {}
    for name, (stage, amount) in amounts.items():
        if amount is None:
            continue
        if stage in set(plan["stage"]):
            when = ours["node_id"].map(finish.xs(stage, level="stage"))
            lines[f"planned_{name}"] = _running_sum(amount, when)
        rows = state.reached[state.reached["stage"] == stage]
        people = rows[(rows["kind"] == "tenant") & rows["node_id"].notna()]
        rows = rows[rows["kind"] == "building"]
        rows = rows.assign(id=same_ids(pd.Index(rows["id"]), ours.index))
        rows = rows[rows["id"].isin(ours.index)]
        if name == "tenants" and len(state.tenants):
            done = people.groupby("date").size().cumsum().astype(float)
        else:
            done = _running_sum(amount.reindex(rows["id"]), rows["date"].to_numpy())
        lines[f"done_{name}"] = done
    if not lines:
        return pd.DataFrame()
    days = pd.DatetimeIndex(sorted({state.as_of, *(d for v in lines.values() for d in v.index)}))
    table = pd.DataFrame(
        {k: _sums_on_all_days(v, days) for k, v in lines.items()}, days.rename("date")
    )
    after = table.index > state.as_of
    table.loc[after, [c for c in table.columns if c.startswith("done_")]] = np.nan
    return table


def _running_sum(values: pd.Series, days: Any) -> pd.Series:
    """Sum of what is known until each day; NA while nothing of it is."""
    by_day = values.groupby(days)
    return by_day.sum().cumsum().where(by_day.count().cumsum() > 0)


def _sums_on_all_days(sums: pd.Series, days: pd.DatetimeIndex) -> pd.Series:
    """Sums on all days: 0 before the first."""
    if sums.empty:
        return pd.Series(0.0, days)
    found = sums.reindex(days, method="ffill")
    return found.where(days >= sums.index.min(), 0.0)


def _amounts_or_none(ours: pd.DataFrame, column: str) -> pd.Series | None:
    return numbers(ours, column, "buildings") if column in ours else None


def _notices_of_red_nodes(
    nodes: pd.DataFrame, day: pd.Timestamp, stages: pd.DataFrame, lang: Lang
) -> pd.DataFrame:
    """A row a red node, for the notice."""
    red, words = nodes[nodes["signal"] == "red"], stage_words(stages, lang=lang)
    rows = pd.DataFrame(red.drop(columns=["signal", "since"]))
    rows.insert(0, "date", day)
    rows["demand"] = [
        _demand_text(r, words, lang)
        + (say("; held up by: {}", lang, r.blocker) if isinstance(r.blocker, str) else "")
        for r in each_row(red)
    ]
    return rows


def _demand_text(row: Any, words: Mapping[str, str], lang: Lang) -> str:
    """What is due of a node, and since when the first of what it lacks is."""
    due, late, since = row.stage_due_on, row.late_by_days, row.late_since
    told = (words[row.stage_due], f"{due:%Y-%m-%d}", words[row.stage])
    if since == due:
        return say("{} is due by {}; now {}, {} days behind", lang, *told, late)
    return say("{} is due by {}; now {}; the first stage lacking was due by {}, {} days behind",
               lang, *told, f"{since:%Y-%m-%d}", late)  # fmt: skip
