"""Which designs are worth a choice? Demolition against works against rise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd

from pinghu_geo.flood.obstruction import Progress
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang
from pinghu_geo.search.amounts import amount_said, amounts, in_own_unit, is_priced
from pinghu_geo.search.joint import lower_hull
from pinghu_geo.search.norise import searched_within
from pinghu_geo.search.outcome import WithinRise

__all__ = ["TradeOffs", "trade_offs"]

# words of a certificate that mean that no design is better
PROVEN = ("optimal", "one_line", "nothing_to_spare")


@dataclass(frozen=True, slots=True)
class TradeOffs(Result):
    """Designs that differ in the buildings they take, none worse than another in all 方案权衡.

    ``table`` has one row a design, ``rivers`` one row a design and river; ``designs`` holds them by
    name; ``left_out`` names those searched that take the same buildings as one with less rise, or
    that another beats; ``merged`` says of each that takes the same buildings as which other.
    """

    table: pd.DataFrame
    rivers: pd.DataFrame
    designs: dict[str, WithinRise]
    left_out: list[str]
    merged: dict[str, str]

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """What a centimetre of rise is worth, from corner to corner of the hull."""
        hull = self.table[self.table["on_hull"]]
        lines = [
            say(
                "{} designs that no other one beats in all; {} on the hull.",
                lang,
                len(self.table),
                len(hull),
            )
        ]
        for _, part in hull.groupby("works_weight", sort=False):
            names, demolition = part["scheme"].tolist(), amounts(part, "demolition")
            saved = -demolition.diff() / part["allowed_mm"].diff() * 10
            lines += [
                say(
                    "From {} to {}: each centimetre more of allowed rise saves {} on average.",
                    lang,
                    one,
                    other,
                    amount_said(price, lang, priced=is_priced(part)),
                )
                for one, other, price in zip(names[:-1], names[1:], saved.iloc[1:], strict=True)
            ]
        comma = say(", ", lang)
        for first in dict.fromkeys(self.merged.values()):
            same = comma.join(name for name, one in self.merged.items() if one == first)
            lines.append(say("{} take the same buildings as {}, and are one row with it.", lang,
                             same, first))  # fmt: skip
        beaten = [name for name in self.left_out if name not in self.merged]
        if beaten:
            lines.append(say("{} are beaten in all by another design.", lang, comma.join(beaten)))
        return lines


@takes()
def trade_offs(
    best: WithinRise,
    *,
    allowed_mm: Sequence[float] = (0.0, 10.0, 20.0, 50.0),
    works_weights: Sequence[float] = (1.0,),
    progress: Progress | None = None,
    lang: Lang = "zh",
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
    lang
        Language of the designs' names: ``"zh"`` or ``"en"``.

    Returns
    -------
    TradeOffs
        One row a design (without rates in m² of floor area: demolition_floor_area_m2,
        floor_area_m2_per_cm and so on): allowed_mm, works_weight, n_buildings demolished,
        demolition_yuan, near_yuan for those that the line passes closer than clear_m, works_yuan,
        largest_rise_mm; total_yuan that the search
        made least and bound_yuan that no design can beat, by its weight; proven_ratio, the share
        of rivers proven optimal; on_hull, whether it lies on the lower convex hull of total_yuan
        over allowed_mm; and yuan_per_cm: what each centimetre more of allowed rise saves in
        demolition, on average up to the next row of the same weight: houses are saved one by one,
        so that the next one alone may save nothing. Designs that take the same buildings are one,
        that of the first weight and the least rise (``merged``); one that another beats in
        demolition, works and rise is left out.

        ``rivers`` has the same of each river: demolition_yuan, near_yuan, works_yuan, total_yuan,
        bound_yuan, proof, on_hull, yuan_per_cm. Rivers that join share a bound, which stands at the
        one at the mouth (`WithinRise.certificate`).

    Raises
    ------
    LayerError
        ``best`` holds no rise; rises or weights are no finite numbers, 0 or more, none at all, or
        one of them twice.

    References
    ----------
    Ehrgott, Multicriteria Optimization, 2nd ed., Springer (2005) (efficient designs; supported ones
    lie on the hull).

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
    >>> bool(found.table["demolition_floor_area_m2"].is_monotonic_decreasing)
    True
    """
    if not isinstance(best, WithinRise):
        raise LayerError(
            "has no rise to be traded", layer="best",
            hint="best = pg.least_demolition_within_rise(...)",
        )  # fmt: skip
    _require_numbers("allowed_mm", allowed_mm, "allowed_mm=(0, 10, 20, 50)")
    _require_numbers("works_weights", works_weights, "works_weights=(1.0, 2.0)")
    tell = progress or (lambda _: None)
    search = best.done.search
    rows, rivers, designs = [], [], {}
    for weight in works_weights:
        for rise in sorted(allowed_mm):
            name = say("rise {} mm", lang, f"{rise:g}")
            name += f"×{weight:g}" if len(works_weights) > 1 else ""
            tell(f"searching {name}")
            found = searched_within(search.asked.again(rise, weight), search.now, tell=tell)
            taken = found.buildings[found.buildings["state"].isin(["demolished", "added"])]
            proof = found.certificate["proof"]
            of: dict[str, str | float] = {
                "scheme": name, "allowed_mm": rise, "works_weight": weight,
            }  # fmt: skip
            own = _totals_by_river(found, taken, weight)
            rivers.append(own.assign(**of))
            rows.append(
                {
                    **of,
                    "n_buildings": len(taken),
                    "demolition_yuan": float(amounts(taken, "cost").sum()),
                    "near_yuan": float(own["near_yuan"].sum()),
                    "works_yuan": float(own["works_yuan"].sum()),
                    "largest_rise_mm": round(found.largest_rise_mm, 6),
                    "total_yuan": float(own["total_yuan"].sum()),
                    "bound_yuan": float(own["bound_yuan"].sum()),
                    "proven_ratio": float(proof.isin(PROVEN).mean()),
                    "_ids": frozenset(taken.index),
                }
            )
            designs[name] = found
    tried = pd.DataFrame(rows)
    table = _non_dominated(tried)
    each = pd.concat(rivers, ignore_index=True)
    each = each[each["scheme"].isin(table["scheme"])].reset_index(drop=True)
    names = ["scheme", "river", "allowed_mm", "works_weight"]
    each = _with_price_per_cm(each, ["river", "works_weight"])
    each = each[[*names, *each.columns.drop(names)]]
    priced = search.asked.priced
    return TradeOffs(
        in_own_unit(_with_price_per_cm(table, ["works_weight"]), priced=priced),
        in_own_unit(each, priced=priced),
        {name: designs[name] for name in table["scheme"]},
        [name for name in designs if name not in set(table["scheme"])],
        _same_buildings(tried),
    )


def _require_numbers(name: str, given: object, hint: str) -> None:
    """Refuse what is no list of finite numbers, 0 or more."""
    fine = isinstance(given, Iterable) and not isinstance(given, str)
    values = list(given) if isinstance(given, Iterable) and fine else []
    fine = bool(values) and all(
        isinstance(v, Real) and np.isfinite(float(v)) and float(v) >= 0 for v in values
    )
    if not fine:
        raise LayerError(
            f"{name} is {given!r}, no list of numbers, each 0 or more", layer="limits",
            hint=hint,
        )  # fmt: skip
    distinct = {f"{float(v):g}": float(v) for v in values}
    if len(distinct) < len(values):
        kept = ", ".join(distinct)
        raise LayerError(
            f"{name} has numbers more than once, as far as six digits tell", layer="limits",
            hint=f"{name}=({kept},)",
        )  # fmt: skip


def _totals_by_river(found: WithinRise, taken: pd.DataFrame, weight: float) -> pd.DataFrame:
    """What a design demolishes and builds on each river, and what is proven of it."""
    proof = found.certificate
    table = proof[["river", "proof"]].assign(
        total_yuan=amounts(proof, "total"), bound_yuan=amounts(proof, "bound")
    )
    cost = amounts(taken, "cost").groupby(taken["river"])
    kept = found.buildings[found.buildings["state"] == "near"]
    near = amounts(kept, "cost")
    sums = cost.agg(["size", "sum"]).reindex(table["river"])
    works = [one.works() / (weight or 1.0) for one in found.done.found]
    return table.assign(
        n_buildings=sums["size"].fillna(0).to_numpy(int),
        demolition_yuan=sums["sum"].fillna(0.0).to_numpy(),
        near_yuan=near.groupby(kept["river"]).sum().reindex(table["river"]).fillna(0.0).to_numpy(),
        works_yuan=works,
    )


def _same_buildings(tried: pd.DataFrame) -> dict[str, str]:
    """Designs that take the same buildings as one before them, by that one."""
    first = tried.groupby("_ids", sort=False)["scheme"].transform("first")
    again = tried["scheme"] != first
    return dict(zip(tried.loc[again, "scheme"], first[again], strict=True))


def _non_dominated(table: pd.DataFrame) -> pd.DataFrame:
    """Designs that differ in buildings and that no other beats."""
    table = table.drop_duplicates("_ids").reset_index(drop=True)
    value = table[["demolition_yuan", "works_yuan", "largest_rise_mm"]].to_numpy()
    value = np.round(value, 3)
    better = (value[:, None] <= value[None]).all(axis=2) & (value[:, None] < value[None]).any(
        axis=2
    )
    best = ~np.asarray(better.any(axis=0))
    table = table.loc[best].drop(columns="_ids")
    return table.sort_values(["works_weight", "allowed_mm"], ignore_index=True)


def _with_price_per_cm(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Designs by growing rise, with the lower hull of what they cost and a centimetre's price."""
    parts = []
    for _, part in table.sort_values([*by, "allowed_mm"]).groupby(by, sort=False):
        hull = lower_hull(part["allowed_mm"].to_numpy(float), part["total_yuan"].to_numpy(float))
        more = -part["allowed_mm"].diff(-1) / 10
        parts.append(
            part.assign(
                on_hull=np.isin(np.arange(len(part)), hull),
                yuan_per_cm=part["demolition_yuan"].diff(-1) / more,
            )
        )
    return pd.concat(parts, ignore_index=True)
