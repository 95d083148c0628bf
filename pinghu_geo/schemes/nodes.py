"""Who clears what? Demolition nodes along the rivers and the groups responsible for reaches."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.schema import flat_shapes, require_columns
from pinghu_geo.nouns.tables import places_of
from pinghu_geo.redline.overlap import totals
from pinghu_geo.river.corridor import along_rivers, river_ends

__all__ = ["node_ids", "node_table"]

BANK_LETTER = {"left": "L", "right": "R", "both": "B"}


@takes()
def node_ids(
    affected: pd.DataFrame,
    *,
    gap_m: float = 50.0,
    max_length_m: float = 300.0,
    rivers: gpd.GeoDataFrame | None = None,
) -> pd.Series:
    """Demolition node of each affected building 征拆节点.

    Parameters
    ----------
    affected
        With river, bank, from_m, to_m [m].
    gap_m
        A stretch without affected buildings longer than this [m] starts a new node.
    max_length_m
        A node is not extended beyond this length [m]; a single longer building is a node of
        its own.
    rivers
        Centrelines; needed where they have chainage equations (断链), across which lengths are
        no differences of chainages.

    Returns
    -------
    pandas.Series
        Text such as ``君子布河-L-012`` on the index of ``affected``: river, bank (L, R, B for
        buildings across the river), number by growing chainage.

    Raises
    ------
    LayerError
        A column is missing, or a length is not positive.

    Examples
    --------
    >>> hit = pd.DataFrame({"river": "山厦河", "bank": "left",
    ...                     "from_m": [0.0, 40.0, 200.0], "to_m": [20.0, 60.0, 220.0]})
    >>> pg.node_ids(hit, gap_m=50).tolist()
    ['山厦河-L-001', '山厦河-L-001', '山厦河-L-002']
    """
    require_columns(affected, ["river", "bank", "from_m", "to_m"], "affected")
    if gap_m < 0 or max_length_m <= 0:
        raise LayerError(
            f"gap_m is {gap_m} and max_length_m {max_length_m}",
            hint="give positive lengths in metres",
        )
    found = pd.Series(index=affected.index, dtype="str", name="node_id")
    ends, _ = river_ends(affected, rivers)
    for (river, bank), rows in places_of(affected.groupby(["river", "bank"], sort=True)).items():
        low, high = ends[rows].T
        order = np.lexsort((high, low))
        number = _node_numbers(low[order], high[order], gap_m, max_length_m)
        names = [f"{river}-{BANK_LETTER[bank]}-{k + 1:03d}" for k in number]
        found.iloc[rows[order]] = names
    return found


def _node_numbers(
    low: NDArray[np.float64], high: NDArray[np.float64], gap_m: float, max_length_m: float
) -> NDArray[np.intp]:
    """Number the runs of intervals sorted by their low ends; one that is too long is alone."""
    number = np.empty(len(low), np.intp)
    nodes, node, start, end = 0, -1, -np.inf, -np.inf
    for k, (lo, hi) in enumerate(zip(low, high, strict=True)):
        if hi - lo > max_length_m:
            number[k], nodes = nodes, nodes + 1
            continue
        if node < 0 or lo - end > gap_m or hi - start > max_length_m:
            node, start, end, nodes = nodes, lo, hi, nodes + 1
        else:
            end = max(end, hi)
        number[k] = node
    return number


@takes()
def node_table(
    affected: gpd.GeoDataFrame,
    segments: pd.DataFrame | None = None,
    *,
    rivers: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Demolition nodes with their sums and the group responsible 征拆节点表.

    Parameters
    ----------
    affected
        With node_id, and cost_yuan where known.
    segments
        Responsible reaches (切段包干): river, from_m, to_m [m], group; optional bank, leader,
        start, due. They may not overlap on one bank.
    rivers
        Centrelines; needed where they have chainage equations (断链).

    Returns
    -------
    geopandas.GeoDataFrame
        Indexed by node_id, by river, bank and number: river, bank, from_m, to_m [m],
        n_buildings, n_full, n_partial, n_tenants, demolish_floor_area_m2 [m²], cost_yuan,
        group, leader, start, due (NA where no reach fits), and the footprints
        as a MultiPolygon.

    Raises
    ------
    LayerError
        A column is missing, or reaches overlap.

    Notes
    -----
    A node is the responsibility of the reach that its middle lies in.

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> hit = pg.affected(buildings, pg.red_line(rivers, 9.0), rivers)
    >>> hit["node_id"] = pg.node_ids(hit)
    >>> int(pg.node_table(hit)["n_buildings"].sum()) == len(hit)
    True
    """
    require_columns(affected, ["node_id", "river", "bank", "from_m", "to_m"], "affected")
    if not isinstance(affected, gpd.GeoDataFrame):
        raise LayerError(
            "is a table without geometry",
            layer="affected",
            hint='affected = buildings.loc[affected.index, ["geometry"]].join(affected)',
        )
    alone = affected["node_id"].isna()
    if alone.any():
        raise LayerError(
            "has buildings without a node",
            layer="affected",
            ids=affected.index[alone],
            hint='affected["node_id"] = pg.node_ids(affected)',
        )
    affected = affected.sort_values("node_id", kind="stable")
    groups = affected.groupby("node_id", sort=True)
    along, said = river_ends(affected, rivers)
    by = pd.DataFrame(along, columns=["low", "high"]).groupby(affected["node_id"].to_numpy())
    table = groups[["river", "bank"]].first()
    table["from_m"] = said[by["low"].idxmin().to_numpy(int), 0]
    table["to_m"] = said[by["high"].idxmax().to_numpy(int), 1]
    middle = (by["low"].min() + by["high"].max()) / 2
    sums = totals(affected, "node_id").drop(columns=["inside_m2"])
    table = table.join(sums)
    table = table.join(_responsible_groups(table, middle, segments, rivers))
    footprints, of = shapely.get_parts(flat_shapes(affected), return_index=True)
    node = pd.factorize(affected["node_id"], sort=True)[0][of]
    shapes = np.empty(0, object)
    if len(affected):
        shapes = np.asarray(shapely.multipolygons(footprints, indices=node))
    return gpd.GeoDataFrame(table, geometry=shapes, crs=affected.crs)


def _responsible_groups(
    table: pd.DataFrame,
    middle: pd.Series,
    segments: pd.DataFrame | None,
    rivers: gpd.GeoDataFrame | None,
) -> pd.DataFrame:
    """Group, leader and dates of the reach that holds each node's middle."""
    columns = ["group", "leader", "start", "due"]
    empty = pd.DataFrame(index=table.index, columns=columns, dtype=object)
    if segments is None:
        return empty
    require_columns(segments, ["river", "from_m", "to_m", "group"], "segments")
    reach = segments.reset_index(drop=True)
    ends = reach[["from_m", "to_m"]].to_numpy(float)
    if rivers is not None:
        ends = along_rivers(reach, ["from_m", "to_m"], rivers, "segments")
    reach[["low", "high"]] = np.sort(ends, axis=1)
    if "bank" not in reach:
        reach["bank"] = pd.NA
    pairs = (
        table[["river", "bank"]]
        .assign(middle=middle, node_id=table.index)
        .merge(reach.assign(reach=reach.index), on="river", suffixes=("", "_reach"))
    )
    fits = (
        (pairs["low"] <= pairs["middle"])
        & (pairs["middle"] < pairs["high"])
        & (pairs["bank_reach"].isna() | (pairs["bank_reach"] == pairs["bank"]))
    )
    pairs = pairs[fits]
    double = pairs["node_id"].duplicated(keep=False)
    if double.any():
        raise LayerError(
            "has reaches that overlap",
            layer="segments",
            ids=segments.index[pairs.loc[double, "reach"].unique()],
            hint="let each reach end where the next begins",
        )
    have = [c for c in columns if c in reach]
    return empty[[]].join(pairs.set_index("node_id")[have]).reindex(columns=columns)
