"""Where does the campaign stand on a day? All its tables as one object, as papers are given it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import pandas as pd

from pinghu_geo.campaign.baseline import Baseline
from pinghu_geo.campaign.faces import WorkingFaces
from pinghu_geo.campaign.oversight import Supervision
from pinghu_geo.campaign.planning import Schedule
from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.reaches import BalancedReaches
from pinghu_geo.campaign.stages import TODO
from pinghu_geo.campaign.tasks import CampaignTasks
from pinghu_geo.nouns.door import require_some_nodes, same_ids, with_named_ids
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result, sentences_html, table_html
from pinghu_geo.nouns.schema import Lang

__all__ = ["Campaign"]


@dataclass(frozen=True, slots=True)
class Campaign(Result):
    """All tables of a campaign as of a day 征拆推进."""

    scheme: str
    stages: pd.DataFrame
    tasks: CampaignTasks
    reaches: BalancedReaches | None
    plan: Schedule  # as adopted: what is held against
    replan: Schedule  # from where we stand
    state: ProgressState
    faces: WorkingFaces
    supervision: Supervision
    payments: pd.DataFrame
    rivers: gpd.GeoDataFrame
    proven: str = ""  # of the adopted line, where it was searched for
    baseline: Baseline | None = None  # as the store keeps it; None before it does
    inputs: Mapping[str, str] = field(default_factory=dict)  # a digest of what the plan is from

    def nodes(self) -> gpd.GeoDataFrame:
        """Nodes of tasks with dates, state and signal, for map and ledger.

        ``due`` is the adopted plan's day, which nodes are held against; ``done_or_expected`` the
        day on which the last stage was reached, or will be from where we stand.
        """
        table: gpd.GeoDataFrame = with_named_ids(self.tasks.nodes, "nodes").copy()
        for layer in ("replan", "state", "supervision"):
            if len(theirs := getattr(self, layer).nodes.index):
                require_some_nodes(table.index, theirs, layer)
        for column in ("start", "needed_by", "late_days", "float_days", "critical", "priority",
                       "why"):  # fmt: skip
            table[column] = self.replan.nodes[column].reindex(table.index)
        table["due"] = self.plan.nodes["due"].reindex(table.index)
        table["done_or_expected"] = self.replan.nodes["due"].reindex(table.index)
        now = self.state.nodes.reindex(table.index)
        table["stage"] = now["stage"].fillna(TODO)
        shown = {TODO: TODO} | dict(self.stages["shown_as"])
        table["status"] = table["stage"].map(shown)
        watched = self.supervision.nodes.reindex(table.index)
        for column in ("signal", "late_by_days", "late_since", "held_up_m"):
            table[column] = watched[column]
        for column in ("blocker", "blocker_since"):
            table[column] = now[column]
        return table

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """Sentences for people: classes, plan, where we stand."""
        groups = self.supervision.groups
        down = self.supervision.curve.get("done_buildings", pd.Series(dtype=float)).dropna()
        lines = [say("The scheme adopted is {}.", lang, self.scheme),
                 *self.tasks.summary(lang=lang)]  # fmt: skip
        if self.baseline is not None:
            lines += self.baseline.in_words(lang=lang)
        lines += self.plan.summary(lang=lang)
        signals = [(self.supervision.nodes["signal"] == s).sum() for s in ("red", "amber", "green")]
        lines.append(
            say("As of {}: {} buildings demolished; nodes: {} red, {} amber, {} green.", lang,
                f"{self.state.as_of:%Y-%m-%d}", f"{down.iloc[-1] if len(down) else 0:.0f}",
                *signals)
        )  # fmt: skip
        if self.replan is not self.plan:
            again = self.replan.summary(lang=lang)
            lines += [say("Planned anew from this state: {}", lang, line) for line in again]
        if len(groups) and groups["rank"].nunique() > 1:  # all alike: nobody is first
            ends = [_names_at_rank(groups, groups["rank"].iloc[k], lang) for k in (0, -1)]
            lines.append(say("First: {}; last: {}.", lang, *ends))
        return lines

    def nodes_in_words(self, affected: pd.Series, *, lang: Lang = "zh") -> str:
        """How many nodes all affected houses make, and how many of them hold our tasks.

        Parameters
        ----------
        affected
            node_id of each house of the adopted scheme, as `compare` counts them.
        lang
            Language of the sentence.
        """
        houses = self.tasks.buildings
        ours = houses.index[houses["task_class"] == "task"]
        all_, some = affected.nunique(), affected.reindex(same_ids(ours, affected.index)).nunique()
        return say(
            "All affected buildings make {} nodes: {} of them hold tasks, which by themselves make "
            "the campaign's {} nodes; {} hold none, only buildings that stay, that others clear or "
            "that aren't decided.", lang, all_, some, len(self.tasks.nodes), all_ - some,
        )  # fmt: skip

    def _repr_html_(self) -> str:
        return f"<div>{sentences_html(self.summary())}{table_html(self.nodes())}</div>"

    def stage_dates(self) -> pd.DataFrame:
        """Day by which each stage of each node is planned to end, a column a stage."""
        plan = self.plan.activities
        dates = plan.pivot_table(index="node_id", columns="stage", values="finish", aggfunc="max")
        dates = dates.reindex(index=self.tasks.nodes.index, columns=self.stages.index)
        return dates.rename_axis(None, axis=1)

    def duties(self) -> pd.DataFrame:
        """What each group has to clear in each river, and how much of it is late."""
        nodes = self.nodes()
        nodes = nodes.assign(n_nodes=1, n_red=(nodes["signal"] == "red").astype(int))
        for column in ("group", "leader"):
            if column not in nodes:
                nodes[column] = pd.NA
        sums = ["n_nodes", "n_red", "n_buildings", "n_tenants", "demolish_floor_area_m2",
                "cost_yuan"]  # fmt: skip
        sums = [c for c in sums if c in nodes]
        keys = ["group", "leader", "river"]
        groups = pd.DataFrame(nodes).groupby(keys, dropna=False, sort=False, observed=True)
        found = groups[sums].agg(_whole_sum)
        found["from_m"], found["to_m"] = groups["from_m"].min(), groups["to_m"].max()
        found["start"], found["due"] = groups["start"].min(), groups["due"].max()
        return found.reset_index()

    def stage_counts(self, *, by: str | None = None) -> pd.DataFrame:
        """Houses and tenants that reached each stage: on the day, in seven days, in all.

        Parameters
        ----------
        by
            ``"group"`` counts for each group.
        """
        reached = self.state.reached
        nodes = self.tasks.nodes
        reached = reached[reached["node_id"].isin(nodes.index)]
        group = nodes["group"] if "group" in nodes else pd.Series(pd.NA, nodes.index, dtype="str")
        keys = ["stage"] if by is None else [by, "stage"]
        rows = reached.assign(group=reached["node_id"].map(group))
        week = rows["date"] > self.state.as_of - pd.Timedelta(days=7)
        today = rows["date"] == self.state.as_of
        found = {}
        for kind, word in (("building", "buildings"), ("tenant", "tenants")):
            mine = rows["kind"] == kind
            for when, name in ((today, "today"), (week, "week"), (mine, "all")):
                found[f"n_{word}_{name}"] = rows[mine & when].groupby(keys, dropna=False).size()
        table = pd.DataFrame(found).fillna(0).astype(int)
        order = {code: k for k, code in enumerate(self.stages.index)}
        if by is None:
            return table.reindex(self.stages.index, fill_value=0).rename_axis("stage").reset_index()
        table = table.reset_index()
        first = {g: k for k, g in enumerate(dict.fromkeys(group))}
        rank = pd.DataFrame({"a": table[by].map(first), "b": table["stage"].map(order)})
        return table.loc[rank.sort_values(["a", "b"]).index].reset_index(drop=True)


def _whole_sum(values: pd.Series) -> object:
    """A sum over what isn't known isn't known."""
    amounts: pd.Series = pd.to_numeric(values)
    return amounts.sum(skipna=False)


def _names_at_rank(groups: pd.DataFrame, rank: int, lang: Lang) -> str:
    """All groups that share a rank: none of them is before another."""
    return ("、" if lang == "zh" else ", ").join(map(str, groups.index[groups["rank"] == rank]))
