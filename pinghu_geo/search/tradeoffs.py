"""Which designs are worth a choice? Demolition against works against rise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.search.norise import WithinRise
from pinghu_geo.search.optimise import Progress

__all__ = ["TradeOffs", "trade_offs"]


class TradeOffs(NamedTuple):
    """Designs that differ in the buildings they take, none worse than another in all 方案权衡.

    ``table`` has one row a design; ``designs`` holds them by its name.
    """

    table: pd.DataFrame
    designs: dict[str, WithinRise]


def trade_offs(
    best: WithinRise,
    *,
    allowed_mm: Sequence[float] = (0.0, 10.0, 20.0, 50.0),
    works_weights: Sequence[float] = (1.0,),
    progress: Progress | None = None,
) -> TradeOffs:
    """Demolition against works against rise: the designs really worth a choice 多方案权衡.

    Parameters
    ----------
    best
        A design found by `least_demolition_within_rise`; the same search is run again.
    allowed_mm
        Rises to be tried [mm].
    works_weights
        What the prices of works are multiplied with: above 1 a design that builds less is found.
    progress
        Called with a line of text before each search.

    Returns
    -------
    TradeOffs
        One row a design: allowed_mm, works_weight, n_buildings demolished, demolition_yuan
        (without rates: m² of floor area), works_yuan, largest_rise_mm, proof (the share of nodes
        proven optimal), and yuan_per_cm: what each centimetre more of allowed rise saves in
        demolition up to the next row of the
        same weight. Designs that take the same buildings are one; one that another beats in
        demolition, works and rise is left out.

    Raises
    ------
    LayerError
        A rise or a weight is below 0.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers").loc[["木古河"]]
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    >>> design = pg.read_table(sample / "设计断面.csv", "design")
    >>> part = design[(design["river"] == "木古河") & (design["chainage_m"] <= 600)]
    >>> line = widths[(widths["river"] == "木古河") & (widths["chainage_m"] <= 600)]
    >>> best = pg.least_demolition_within_rise(rivers, line, buildings, pg.design_sections(part),
    ...     60.0, {"slope": 0.002}, {"step_m": 1.0, "inward_m": 2, "outward_m": 0}, allowed_mm=20)
    >>> found = pg.trade_offs(best, allowed_mm=[0, 20, 50])
    >>> bool(found.table["demolition_yuan"].is_monotonic_decreasing)
    True
    """
    for name, given in (("allowed_mm", allowed_mm), ("works_weights", works_weights)):
        if not all(v >= 0 for v in given):
            raise LayerError(f"{name} below 0", layer="limits", hint=f"{name}=(0, 10, 20, 50)")
    tell = progress or (lambda _: None)
    search, sections = best.done.search, best.done.given
    rows, designs = [], {}
    for weight in works_weights:
        for rise in sorted(allowed_mm):
            name = f"壅高{rise:g}mm" + (f"×{weight:g}" if len(works_weights) > 1 else "")
            tell(f"searching {name}")
            found = search.again(rise, weight).run(*sections)
            taken = found.buildings[found.buildings["state"].isin(["demolished", "added"])]
            rows.append(
                {
                    "scheme": name,
                    "allowed_mm": rise,
                    "works_weight": weight,
                    "n_buildings": len(taken),
                    "demolition_yuan": float(taken["cost_yuan"].sum()),
                    "works_yuan": found.works_yuan / (weight or 1.0),
                    "largest_rise_mm": found.largest_rise_mm,
                    "proof": float((found.nodes["proof"] == "optimal").mean()),
                    "_ids": frozenset(taken.index),
                }
            )
            designs[name] = found
    table = _worth_a_choice(pd.DataFrame(rows))
    return TradeOffs(table, {name: designs[name] for name in table["scheme"]})


def _worth_a_choice(table: pd.DataFrame) -> pd.DataFrame:
    """Designs that differ in buildings and that no other beats, with the price of a centimetre."""
    table = table.drop_duplicates("_ids").reset_index(drop=True)
    value = table[["demolition_yuan", "works_yuan", "largest_rise_mm"]].to_numpy()
    value = np.round(value, 3)
    better = (value[:, None] <= value[None]).all(axis=2) & (value[:, None] < value[None]).any(
        axis=2
    )
    table = table[~better.any(axis=0)].drop(columns="_ids")
    table = table.sort_values(["works_weight", "allowed_mm"], ignore_index=True)
    by = table.groupby("works_weight")
    saved = table["demolition_yuan"] - by["demolition_yuan"].shift(-1)
    more = (by["allowed_mm"].shift(-1) - table["allowed_mm"]) / 10
    return table.assign(yuan_per_cm=saved / more)
