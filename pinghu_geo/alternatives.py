"""Which design is better, building by building? Schemes assessed, and held against another."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.cost import compensation
from pinghu_geo.errors import LayerError
from pinghu_geo.nodes import node_ids
from pinghu_geo.overlap import affected, totals
from pinghu_geo.schema import label, nearest

__all__ = ["Assessment", "Comparison", "assess", "compare"]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What one scheme does: its affected buildings and their sums 方案评估.

    Attributes
    ----------
    affected
        Buildings that the scheme takes, with node_id and, where rates were given, cost.
    totals
        One row of sums, works area [m²] and number of nodes included.
    """

    affected: gpd.GeoDataFrame
    totals: pd.DataFrame

    def _repr_html_(self) -> str:
        return _table(self.totals)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Schemes against a baseline 方案比选.

    Attributes
    ----------
    baseline
        Name of the scheme that the others are held against.
    totals
        One row a scheme, indexed by its name.
    changes
        One row a building whose state differs from the baseline's: scheme, building_id,
        change {saved, added, less, more}, river, bank, chainage_m, node_id, extent and inside
        area before and after, and what is avoided: floor area [m²], tenants, yuan (negative
        where more is taken).
    by_river, by_node
        Sums of ``changes`` by scheme and river, and by scheme and node.
    schemes
        Assessment of each scheme.
    """

    baseline: str
    totals: pd.DataFrame
    changes: gpd.GeoDataFrame
    by_river: pd.DataFrame
    by_node: pd.DataFrame
    schemes: dict[str, Assessment]

    def summary(self) -> list[str]:
        """One sentence a scheme: what it saves against the baseline."""
        said = []
        for scheme, row in _sums(self.changes, ["scheme"]).iterrows():
            text = (
                f"{scheme} 较 {self.baseline}:避免拆除 {row['n_saved']:,.0f} 栋,"
                f"新增拆除 {row['n_added']:,.0f} 栋,"
                f"少拆建筑面积 {row['avoided_floor_area_m2']:,.0f} m²,"
                f"少清退租户 {row['avoided_tenants']:,.0f} 户"
            )
            if self.changes["avoided_yuan"].notna().any():
                text += f",节省补偿 {row['avoided_yuan'] / 1e4:,.0f} 万元"
            said.append(text + "。")
        return said

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(s)}</p>" for s in self.summary())
        return f"<div>{_table(self.totals)}{lines}</div>"


def _table(frame: pd.DataFrame) -> str:
    shown = frame.rename(columns=label)
    return str(shown.to_html(float_format="{:,.0f}".format, escape=True, border=0))


def assess(
    red_line: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    rates: pd.DataFrame | None = None,
    partial_rule: Literal["whole", "share"] = "whole",
    survey_tolerance_m: float = 0.5,
    gap_m: float = 50.0,
    max_length_m: float = 300.0,
) -> Assessment:
    """Affected buildings of one scheme, their cost, nodes and sums 方案评估.

    Parameters
    ----------
    red_line
        Polygons with a column ``river``.
    buildings
        Footprints, indexed by building_id.
    rivers
        Centrelines drawn downstream, indexed by river.
    rates
        Table for `compensation`; without it there is no cost.
    partial_rule, survey_tolerance_m
        Passed to `affected`.
    gap_m, max_length_m
        Passed to `node_ids` [m].

    Returns
    -------
    Assessment
        Affected buildings with node_id, and one row of sums.

    Raises
    ------
    LayerError, CRSError, RateError
        A layer can't be used, or a building has no rate.

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> found = pg.assess(pg.red_line(rivers, 9.0), buildings, rivers)
    >>> bool(found.totals["n_buildings"].iloc[0] == len(found.affected))
    True
    """
    hit = affected(
        buildings,
        red_line,
        rivers,
        partial_rule=partial_rule,
        survey_tolerance_m=survey_tolerance_m,
    )
    hit["node_id"] = node_ids(hit, gap_m=gap_m, max_length_m=max_length_m)
    if rates is not None:
        hit = hit.join(compensation(hit, rates))
    sums = totals(hit)
    sums["works_m2"] = red_line.geometry.union_all().area
    sums["n_nodes"] = hit["node_id"].nunique()
    return Assessment(hit, sums)


def compare(
    schemes: Mapping[str, gpd.GeoDataFrame],
    buildings: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    rates: pd.DataFrame | None = None,
    baseline: str | None = None,
    partial_rule: Literal["whole", "share"] = "whole",
    survey_tolerance_m: float = 0.5,
    gap_m: float = 50.0,
    max_length_m: float = 300.0,
) -> Comparison:
    """Any number of schemes against a baseline, building by building 方案比选.

    Parameters
    ----------
    schemes
        Red line of each scheme by its name.
    buildings
        Footprints, indexed by building_id.
    rivers
        Centrelines drawn downstream, indexed by river.
    rates
        Table for `compensation`; without it there is no cost.
    baseline
        Name of the scheme to hold the others against; the first by default.
    partial_rule, survey_tolerance_m
        Passed to `affected`.
    gap_m, max_length_m
        Passed to `node_ids` [m].

    Returns
    -------
    Comparison
        Tables of totals, changes by building, and their sums by river and node.

    Raises
    ------
    LayerError
        Fewer than one scheme, or an unknown baseline.
    CRSError, RateError
        As `assess`.

    Notes
    -----
    A node is named after the baseline's nodes; an added building after the scheme's own.

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> both = pg.compare({"宽": pg.red_line(rivers, 9.0), "窄": pg.red_line(rivers, 8.0)},
    ...                   buildings, rivers)
    >>> set(both.changes["change"]) <= {"saved", "less"}
    True
    """
    names = list(schemes)
    if not names:
        raise LayerError("no scheme to compare", hint='pg.compare({"原方案": red_line}, ...)')
    baseline = names[0] if baseline is None else baseline
    if baseline not in schemes:
        raise LayerError(f"baseline {baseline!r} is no scheme", hint=nearest(baseline, names))
    done = {
        name: assess(
            line,
            buildings,
            rivers,
            rates=rates,
            partial_rule=partial_rule,
            survey_tolerance_m=survey_tolerance_m,
            gap_m=gap_m,
            max_length_m=max_length_m,
        )
        for name, line in schemes.items()
    }
    sums = pd.concat({name: one.totals.iloc[0] for name, one in done.items()}, axis=1).T
    sums = sums.astype(done[baseline].totals.dtypes.to_dict()).rename_axis("scheme")
    parts = [
        _changes(done[baseline].affected, one.affected).assign(scheme=name)
        for name, one in done.items()
        if name != baseline
    ] or [_changes(done[baseline].affected, done[baseline].affected).assign(scheme=baseline)]
    changes = pd.concat(parts, ignore_index=True)
    changes = changes[["scheme", *changes.columns.drop(["scheme", "geometry"]), "geometry"]]
    return Comparison(
        baseline=baseline,
        totals=sums,
        changes=gpd.GeoDataFrame(changes, geometry="geometry", crs=buildings.crs),
        by_river=_sums(changes, ["scheme", "river"]),
        by_node=_sums(changes, ["scheme", "node_id"]),
        schemes=done,
    )


def _changes(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> pd.DataFrame:
    """Buildings whose state differs, those of the baseline first, in their order."""
    ids = before.index.append(after.index.difference(before.index, sort=False))
    old, new = before.reindex(ids), after.reindex(ids)
    inside_old, inside_new = old["inside_m2"].fillna(0.0), new["inside_m2"].fillna(0.0)
    change = np.select(
        [
            new["extent"].isna(),
            old["extent"].isna(),
            inside_new < inside_old - 1e-6,
            inside_new > inside_old + 1e-6,
        ],
        ["saved", "added", "less", "more"],
        default="",
    )

    def avoided(column: str) -> pd.Series:
        if column not in before:
            return pd.Series(np.nan, index=ids)
        return old[column].fillna(0) - new[column].fillna(0)

    place = ["river", "bank", "chainage_m", "node_id", "geometry"]
    table = old[place].where(old["extent"].notna(), new[place])
    tenants = avoided("tenants")
    table = pd.DataFrame(table).assign(
        building_id=ids,
        change=change,
        extent_before=old["extent"],
        extent_after=new["extent"],
        inside_before_m2=inside_old,
        inside_after_m2=inside_new,
        avoided_floor_area_m2=avoided("demolish_floor_area_m2"),
        avoided_tenants=tenants.fillna(0).astype(int),
        avoided_yuan=avoided("cost_yuan"),
    )
    first = ["building_id", "change"]
    table = table[[*first, *table.columns.drop([*first, "geometry"]), "geometry"]]
    return table[change != ""].reset_index(drop=True)


def _sums(changes: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Counts and sums of changes by group."""
    one = changes[by].assign(
        n_saved=(changes["change"] == "saved").astype(int),
        n_added=(changes["change"] == "added").astype(int),
        avoided_floor_area_m2=changes["avoided_floor_area_m2"].astype(float),
        avoided_tenants=changes["avoided_tenants"],
        avoided_yuan=changes["avoided_yuan"].astype(float),
    )
    return one.groupby(by, sort=False, dropna=False).sum()
