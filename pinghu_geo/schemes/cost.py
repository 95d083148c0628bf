"""What does it cost, and who pays? Compensation by a table of rates, and who clears what."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pinghu_geo.nouns.codes import OWN
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError, RateError
from pinghu_geo.nouns.schema import NOUNS, nearest, one_of, require_columns
from pinghu_geo.redline.overlap import overlay_zones

__all__ = ["clearing", "compensation"]

# a lesser share of a footprint is a touching edge
TOUCHING = 1e-6
# shares alike within this many digits are equal
DIGITS = 9

KEYS = ("use", "structure", "title")
HEADS = {
    "building_yuan_m2": "building_yuan",
    "relocation_yuan_m2": "relocation_yuan",
    "interruption_yuan_m2": "interruption_yuan",
}


@takes()
def compensation(affected: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """Compensation for each affected building, by head 征收补偿.

    Parameters
    ----------
    affected
        With demolish_floor_area_m2 [m²] and those of use, structure, title that the rates
        distinguish.
    rates
        Columns use, structure, title (an empty cell means any) and building_yuan_m2,
        relocation_yuan_m2, interruption_yuan_m2 [yuan/m² of floor area]; the last two may be
        missing, an empty cell in them is no claim.

    Returns
    -------
    pandas.DataFrame
        On the index of ``affected``: rate (label of the row of ``rates`` applied),
        building_yuan, relocation_yuan, interruption_yuan and their sum cost_yuan [yuan].

    Raises
    ------
    RateError
        A building has no rate, or two equally specific ones, or no floor area.
    LayerError
        A column is missing, or a rate is missing or negative.

    Notes
    -----
    Of the rows that fit a building, the one that states most of use, structure and title
    applies. Money is floor area times rate and is not rounded, so sums by any grouping add
    up. The heads are those of Art. 17 of 国有土地上房屋征收与补偿条例 (2011): value of the
    house, removal and temporary housing, interruption of business. Art. 24: whether an
    unregistered building is compensated is decided after investigation; the table of rates
    has to say so, with a row of its own (0 if nothing is due).

    References
    ----------
    国有土地上房屋征收与补偿条例 (2011) Art. 17 (heads), 19 (value), 24 (unregistered buildings).

    Examples
    --------
    >>> hit = pd.DataFrame({"use": ["residential"], "demolish_floor_area_m2": [120.0]}, ["B1"])
    >>> rates = pd.DataFrame({"use": ["residential"], "building_yuan_m2": [1000.0]}, ["R1"])
    >>> pg.compensation(hit, rates)[["rate", "cost_yuan"]].values.tolist()
    [['R1', 120000.0]]
    """
    require_columns(affected, ["demolish_floor_area_m2"], "affected")
    prices = _unit_prices(rates)
    keys = [k for k in KEYS if k in rates and rates[k].notna().any()]
    require_columns(affected, keys, "affected")
    for key in keys:
        _require_codes(affected, key)
    area = affected["demolish_floor_area_m2"].astype(float)
    if area.isna().any():
        raise RateError(
            "have neither floor area nor floors, so nothing can be priced",
            layer="affected",
            ids=affected.index[area.isna()],
            hint="write their 层数 or 建筑面积 in the layer of buildings; of heights "
            "storey_height_m = 3.0 in [layers.buildings] makes floors; in Python set "
            'affected.loc[ids, "demolish_floor_area_m2"]',
        )
    row = _rate_rows(affected, rates, keys)
    money = {name: area.to_numpy() * prices[head][row] for head, name in HEADS.items()}
    table = pd.DataFrame(money, index=affected.index)
    table.insert(0, "rate", rates.index.astype(str).to_numpy()[row])
    table["cost_yuan"] = table[list(HEADS.values())].sum(axis=1)
    return table


def _require_codes(affected: pd.DataFrame, key: str) -> None:
    """Refuse words that no rate can mean: a catch-all is for what is unknown, not for a slip."""
    codes = NOUNS["rates"][key].codes
    strange = affected[key].notna() & ~affected[key].isin(codes)
    if strange.any():
        word = affected.loc[strange, key].iloc[0]
        raise LayerError(
            f"has unknown words for {key}, such as {word!r}",
            layer="affected",
            ids=affected.index[strange],
            hint=f"{nearest(word, codes)}; or count them as unknown: "
            f'affected.loc[affected["{key}"] == {word!r}, "{key}"] = pd.NA'
            f"  # for which rates need a row whose {key} is empty",
        )


def _unit_prices(rates: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Unit prices by head, each row's; refused where the first is missing or any negative."""
    require_columns(rates, ["building_yuan_m2"], "rates")
    prices = {}
    for head in HEADS:
        values = rates[head].astype(float) if head in rates else pd.Series(0.0, rates.index)
        bad = values < 0 if head != "building_yuan_m2" else ~(values >= 0)
        if bad.any():
            raise LayerError(
                f"has rows with a missing or negative {head}",
                layer="rates",
                ids=rates.index[bad],
                hint="state 0 where nothing is due",
            )
        prices[head] = np.asarray(values.fillna(0.0), float)
    for key in set(KEYS) & set(rates.columns):
        unknown = ~rates[key].dropna().isin(NOUNS["rates"][key].codes)
        if unknown.any():
            raise LayerError(
                f"has unknown words for {key}",
                layer="rates",
                ids=rates[key].dropna()[unknown].unique(),
                hint=f"use {', '.join(NOUNS['rates'][key].codes)}",
            )
    return prices


def _rate_rows(affected: pd.DataFrame, rates: pd.DataFrame, keys: list[str]) -> NDArray[np.intp]:
    """Position of the rate that applies to each building, judged once a combination."""
    if rates.empty:
        raise RateError(
            "has no rows", layer="rates", hint="fill in 用途 and 房屋补偿单价, a row for each use"
        )
    if not keys:
        if len(rates) != 1:
            raise RateError(
                "has several rows and no use, structure or title to tell them apart",
                layer="rates",
                hint="add a column use, structure or title",
            )
        return np.zeros(len(affected), np.intp)
    combos = affected[keys].astype(object).where(affected[keys].notna(), None)
    code, distinct = pd.factorize(pd.MultiIndex.from_frame(combos))
    stated = rates[keys].notna()
    row = np.empty(len(distinct), np.intp)
    for k, words in enumerate(distinct):
        fits = np.ones(len(rates), bool)
        for key, word in zip(keys, words, strict=True):
            fits &= (~stated[key] | (rates[key] == word)).to_numpy()
        weight = np.where(fits, stated.sum(axis=1), -1)
        said = ", ".join(
            f"{key}={'NA' if pd.isna(w) else w}" for key, w in zip(keys, words, strict=True)
        )
        ids = affected.index[code == k]
        if weight.max(initial=-1) < 0:
            raise RateError(
                f"have no rate for {said}",
                layer="affected",
                ids=ids,
                hint="add a row for it to rates (an empty cell means any)",
            )
        best = np.flatnonzero(weight == weight.max())
        if len(best) > 1:
            both = ", ".join(map(str, rates.index[best]))
            raise RateError(
                f"have {len(best)} equally specific rates ({both}) for {said}",
                layer="affected",
                ids=ids,
                hint="let one of these rows state more of use, structure, title",
            )
        row[k] = best[0]
    return np.asarray(row[code])


@takes()
def clearing(
    affected: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    *,
    priority: Sequence[str] = ("renewal", "consolidation", "other"),
    least_ratio: float = 0.5,
) -> pd.DataFrame:
    """Who clears each building: a renewal or consolidation project, or the works 清拆主体.

    Parameters
    ----------
    affected
        Buildings inside the red line, indexed by building_id.
    zones
        Renewal areas, consolidation areas and other projects in the same CRS, indexed by
        zone_id: kind {renewal, consolidation, other}, payer.
    priority
        Kinds in the order in which they come first where areas overlap; of one kind the area with
        the larger share, of equal shares the first by its id.
    least_ratio
        Share of the footprint from which on an area takes the building.

    Returns
    -------
    pandas.DataFrame
        On the index of ``affected``: zone_id, zone_kind, zone_ratio (share of the footprint),
        cleared_by (the area's payer, or ``本项目``), in_project, contested (several areas, or a
        share above 0 that is less than least_ratio: to be settled by people). One row a building:
        none is paid twice.

    Raises
    ------
    LayerError, CRSError
        A layer can't be used, or a kind is not in ``priority``.

    Examples
    --------
    >>> houses = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> zones = pg.read_layer(sample / "更新整备.shp", "zones")
    >>> found = pg.clearing(houses, zones)
    >>> bool(found.loc[found["in_project"], "zone_id"].notna().all())
    True
    """
    require_columns(zones, ("kind",), "zones")
    for kind in zones["kind"].unique():
        one_of(str(kind), priority, "zones: kind")
    pairs = overlay_zones(affected, zones)
    pairs.columns = pd.Index(["who", "zone", "shared_m2", "ratio"])
    pairs["rank"] = pairs["zone"].map(zones["kind"]).map({k: i for i, k in enumerate(priority)})
    found = pd.DataFrame(index=affected.index)
    takes = pairs[pairs["ratio"] >= least_ratio]
    takes = takes.assign(alike=-takes["ratio"].round(DIGITS), name=takes["zone"].astype(str))
    first = takes.sort_values(["rank", "alike", "name"]).drop_duplicates("who").set_index("who")
    found["zone_id"] = first["zone"].reindex(found.index)
    found["zone_kind"] = found["zone_id"].map(zones["kind"])
    found["zone_ratio"] = first["ratio"].reindex(found.index)
    payer = zones["payer"] if "payer" in zones.columns else pd.Series(pd.NA, index=zones.index)
    payer = payer.fillna(pd.Series(zones.index.astype(str), index=zones.index))
    found["cleared_by"] = found["zone_id"].map(payer).astype("str").fillna(OWN)
    found["in_project"] = found["zone_id"].notna()
    touched = pairs[pairs["ratio"] > TOUCHING].groupby("who").size()
    several = touched.reindex(found.index, fill_value=0) > 1
    some = pairs[pairs["ratio"] > TOUCHING].drop_duplicates("who").set_index("who")["ratio"]
    found["contested"] = several | (some.reindex(found.index).notna() & ~found["in_project"])
    return found
