"""How much money falls due when, for what, and from whom? By the plan, and by what was signed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pinghu_geo.campaign.stages import stage_codes, stage_rules
from pinghu_geo.nouns.door import same_ids, takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang, numbers, require_columns
from pinghu_geo.schemes import cost

__all__ = ["months_in_words", "payments"]

# what a payment is for, by the column it comes from: the heads of `compensation`
HEADS = {column: column.removesuffix("_yuan") for column in cost.HEADS.values()}


@takes(buildings="affected", plan="activities", state="activities")
def payments(
    buildings: pd.DataFrame,
    plan: pd.DataFrame,
    *,
    state: pd.DataFrame | None = None,
    stages: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Payments by month, head and payer: as planned, and as signed 资金测算.

    Parameters
    ----------
    buildings
        ``campaign_tasks(...).buildings``: node_id, task_class, payer, others_due, and
        building_yuan, relocation_yuan, interruption_yuan or cost_yuan [yuan].
    plan
        ``schedule(...).activities``.
    state
        ``progress_state(...).reached``.
    stages
        Result of `stage_rules`; the stage with ``pays`` makes the money due.

    Returns
    -------
    pandas.DataFrame
        month (``2018-03``; NA where no day is known), head {building, relocation, interruption,
        cost}, payer, task_class {task, others}, planned_yuan, signed_yuan (of the month in which
        it was signed), n_buildings, n_unpriced.

    Raises
    ------
    LayerError
        No column of money is there, or no stage pays.

    Notes
    -----
    Money falls due in the month of signing: compensation comes before removal (Art. 27 of
    国有土地上房屋征收与补偿条例). Only tasks and what others clear are paid; 保留 is not, and 待核
    and 待勘 not before they are settled. What others clear falls due by their own day. Sums are of
    priced buildings (NA where none of them is priced); ``n_unpriced`` counts the others.

    References
    ----------
    国有土地上房屋征收与补偿条例 (2011) Art. 17 (heads), 27 (compensation before removal).

    Examples
    --------
    >>> houses = pd.DataFrame({"node_id": ["A-L-001"], "task_class": ["task"], "payer": ["本项目"],
    ...                        "cost_yuan": [120000.0]}, ["B1"])
    >>> plan = pd.DataFrame({"node_id": ["A-L-001"], "stage": ["signed"],
    ...                      "finish": pd.to_datetime(["2018-03-20"])})
    >>> pg.payments(houses, plan)[["month", "head", "planned_yuan", "signed_yuan"]].values.tolist()
    [['2018-03', 'cost', 120000.0, 0.0]]
    """
    require_columns(buildings, ["node_id", "task_class", "payer"], "buildings")
    require_columns(plan, ["node_id", "stage", "finish"], "plan")
    stages = stage_rules() if stages is None else stages
    plan = plan.assign(stage=stage_codes(plan["stage"], stages, layer="plan"))
    pays = stages.index[stages["pays"].astype(bool)]
    if not len(pays):
        raise LayerError("has no stage that pays", layer="stages", hint="pays = true at 签约")
    heads = {c: h for c, h in HEADS.items() if c in buildings} or {"cost_yuan": "cost"}
    require_columns(buildings, list(heads), "buildings")
    paid = buildings[buildings["task_class"].isin(["task", "others"])]
    finish = plan[plan["stage"] == pays[0]].groupby("node_id")["finish"].max()
    planned = pd.to_datetime(finish.reindex(paid["node_id"]).set_axis(paid.index))
    due = pd.to_datetime(paid.get("others_due", pd.Series(pd.NaT, index=paid.index)))
    planned = planned.where(paid["task_class"] == "task", due)
    signed = pd.Series(pd.NaT, index=paid.index, dtype="datetime64[ns]")
    if state is not None and len(state):
        rows = state[(state["stage"] == pays[0]) & (state["kind"] == "building")]
        day = rows.set_index("id")["date"]
        day.index = same_ids(day.index, paid.index)
        signed = pd.to_datetime(day.reindex(paid.index))
    parts = []
    for column, head in heads.items():
        money = numbers(paid, column, "buildings")
        for when, name in ((planned, "planned_yuan"), (signed, "signed_yuan")):
            keep = slice(None) if name == "planned_yuan" else when.notna().to_numpy()
            parts.append(pd.DataFrame({
                "month": when.dt.strftime("%Y-%m"), "head": head, "payer": paid["payer"],
                "task_class": paid["task_class"], name: money,
                "n_buildings": 1 if name == "planned_yuan" else 0,
                "n_unpriced": money.isna().astype(int) if name == "planned_yuan" else 0,
                "n_signed": 0 if name == "planned_yuan" else 1,
            })[keep])  # fmt: skip
    keys = ["month", "head", "payer", "task_class"]
    rows = pd.concat(parts, ignore_index=True)
    groups = rows.groupby(keys, dropna=False, sort=True)
    sums = groups.sum(min_count=0)
    for name, count in (("planned_yuan", "n_buildings"), ("signed_yuan", "n_signed")):
        # nobody is 0; somebody whose price isn't known is NA
        sums[name] = groups[name].sum(min_count=1).where(sums[count] > 0, 0.0)
    sums = sums.reset_index()
    order = [*keys, "planned_yuan", "signed_yuan", "n_buildings", "n_unpriced"]
    rank = {h: k for k, h in enumerate([*HEADS.values(), "cost"])}
    at = np.lexsort((sums["payer"].astype(str), sums["head"].map(rank), sums["month"].fillna("~")))
    return sums.iloc[at][order].reset_index(drop=True)


def months_in_words(payments: pd.DataFrame, lang: Lang) -> pd.DataFrame:
    """Payments, saying why no month is known: what others clear isn't planned here."""
    if payments.empty:
        return payments
    month = payments["month"].astype(object)
    theirs = month.isna() & (payments["task_class"] == "others")
    return payments.assign(month=month.mask(theirs, say("no day given by who clears", lang)))
