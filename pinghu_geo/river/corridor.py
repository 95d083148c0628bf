"""Where along the river is it? Chainage, bank and offsets of features beside a centreline."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import ChainageError, LayerError, first_ids
from pinghu_geo.nouns.notices import notify
from pinghu_geo.nouns.schema import (
    flat_shapes,
    name_of,
    nearest,
    numbers,
    require_columns,
    require_layer,
)
from pinghu_geo.river.centreline import (
    SAME_PLACE_M,
    Centrelines,
    Floats,
    Ints,
    by_measure,
    lay_out,
    points_at,
    river_codes,
    river_scales,
)
from pinghu_geo.river.chainage import ChainageScale
from pinghu_geo.river.nearness import beside

__all__ = [
    "along_rivers",
    "confluences",
    "locate",
    "located",
    "require_rivers",
    "river_ends",
    "transfer_chainage",
]

BANKS = pd.array(["left", "right", "both"], dtype="str")


@takes()
def locate(
    features: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    river: pd.Series | None = None,
) -> pd.DataFrame:
    """Position of each feature beside its river: chainage, bank, offsets 定位.

    Parameters
    ----------
    features
        Points, lines or polygons in projected metres; they need not touch a river.
    rivers
        Centrelines drawn downstream, indexed by river, in the same CRS.
    river
        The river that each feature is referred to, on the features' index. By default the
        nearest; of several equally near, the first by name.

    Returns
    -------
    pandas.DataFrame
        On the features' index: river; bank {left, right, both}, facing downstream;
        chainage_m, from_m, to_m [m]; offset_min_m, offset_max_m [m], negative to the left of
        the centreline and positive to the right; distance_m [m] to the centreline, 0 where it
        is touched; ambiguous; repeated {above, below}: where a long chain (长链) makes
        chainage_m occur twice, whether the place lies above or below it, else missing.

    Raises
    ------
    LayerError, CRSError, ChainageError
        A layer can't be used, or a river is unknown.

    Notes
    -----
    ``chainage_m`` is the middle of the stretch of the centreline that is within a millimetre of
    as near to the feature as any: the nearest point, or the middle of a wall that runs parallel
    to the river, or of what lies across it. From there the centreline is followed up and down by
    four diameters of the feature, and ``from_m``, ``to_m`` (in the order of flow) and the offsets
    are those of the feature on this stretch: a building on the neck of a meander so belongs to one
    limb, the nearer. ``ambiguous`` marks where the answer could jump: another river or
    stretch is nearer to some corner, or a corner's nearest point is at the end of the stretch
    (inside a bend, about its centre).

    The nearest points are exact for the polyline as drawn; on a straight river all columns
    are exact.

    References
    ----------
    ISO 19148:2021, Geographic information: linear referencing (measures and lateral offsets). OGC
    06-103r4, Simple feature access, part 1: common architecture (area, intersection, distance).

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> where = pg.locate(buildings.head(3), rivers)
    >>> where.columns.tolist()[:5]
    ['river', 'bank', 'chainage_m', 'from_m', 'to_m']
    """
    require_layer(rivers, "rivers")
    require_layer(features, name_of(features, "features"), crs=rivers.crs)
    lines = lay_out(rivers)
    wanted = None if river is None else river_codes(river.reindex(features.index), lines, "river")
    return located(features, lines, wanted)


def located(features: gpd.GeoDataFrame, lines: Centrelines, wanted: Ints | None) -> pd.DataFrame:
    """What `locate` says of features that are sound, referred to rivers by their numbers."""
    columns = [
        "river",
        "bank",
        "chainage_m",
        "from_m",
        "to_m",
        "offset_min_m",
        "offset_max_m",
        "distance_m",
        "ambiguous",
        "repeated",
    ]
    if features.empty:
        words = dict.fromkeys(("river", "bank", "repeated"), "str")
        types = {c: "float" for c in columns if c.endswith("_m")} | {"ambiguous": "bool"} | words
        return pd.DataFrame(index=features.index, columns=columns).astype(types)
    at = beside(flat_shapes(features), lines, wanted)
    measure, low, high = (at.near_from + at.near_to) / 2, at.offset_min, at.offset_max
    bank = np.where(high + low > 0, 1, 0)
    bank[(low < -SAME_PLACE_M) & (high > SAME_PLACE_M)] = 2
    return pd.DataFrame(
        {
            "river": pd.array(lines.names, dtype="str").take(at.river),
            "bank": BANKS.take(bank),
            "chainage_m": lines.chainage(at.river, measure),
            "from_m": lines.chainage(at.river, at.start),
            "to_m": lines.chainage(at.river, at.end),
            "offset_min_m": low,
            "offset_max_m": high,
            "distance_m": at.distance,
            "ambiguous": at.ambiguous,
            "repeated": pd.array(lines.repeated(at.river, measure), dtype="str"),
        },
        index=features.index,
    )


@takes(places="profile")
def transfer_chainage(
    places: pd.DataFrame,
    rivers: gpd.GeoDataFrame,
    new_rivers: gpd.GeoDataFrame,
    *,
    columns: tuple[str, ...] = ("chainage_m",),
) -> pd.DataFrame:
    """Chainages on a re-designed centreline of places known on the old one 桩号转换.

    Parameters
    ----------
    places
        With ``river`` and columns of chainages [m] on the old centrelines.
    rivers, new_rivers
        Old and new centrelines drawn downstream, indexed by river, in one CRS; the names of
        the rivers stay.
    columns
        The columns to transfer, e.g. ``("from_m", "to_m")``.

    Returns
    -------
    pandas.DataFrame
        On the index of ``places``: the columns, now on the new centrelines; moved_m [m], the
        farthest that a place lies from its new one; ambiguous, where another stretch of the
        new centreline is nearly as near or the order of a row's places is lost.

    Raises
    ------
    LayerError, CRSError, ChainageError
        A river is unknown, a chainage lies outside its river, or a column is missing.

    Notes
    -----
    A place goes to the nearest point of the new centreline. So nodes keep their names after a
    realignment: transfer from_m and to_m, and keep node_id.

    References
    ----------
    ISO 19148:2021, Geographic information: linear referencing (measures and lateral offsets).

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> places = pd.DataFrame({"river": ["木古河"], "chainage_m": [1200.0]})
    >>> pg.transfer_chainage(places, rivers, rivers)["chainage_m"].round(3).tolist()
    [1200.0]
    """
    require_columns(places, ["river", *columns], "places")
    lines, new = lay_out(rivers), lay_out(new_rivers)
    code = river_codes(places["river"], lines, "places")
    new_code = river_codes(places["river"], new, "places")
    found = pd.DataFrame(index=places.index)
    old_m, new_m = [], []
    moved = np.zeros(len(places))
    unsure = np.zeros(len(places), bool)
    for column in columns:
        measure = np.empty(len(places))
        for k in np.unique(code):
            given = numbers(places, column, "places").to_numpy()[code == k]
            try:
                measure[code == k] = lines.scales[k].measure(given)
            except ChainageError as fault:
                raise ChainageError(f"{lines.names[k]}: {fault}", layer="places") from fault
        points = gpd.GeoDataFrame(
            geometry=shapely.points(points_at(lines, code, measure)[0]),
            index=places.index,
            crs=rivers.crs,
        )
        # by the way along the rivers: chainages may jump, and turn places about
        where = locate(points, by_measure(new_rivers), river=places["river"])
        old_m.append(measure)
        new_m.append(where["chainage_m"].to_numpy(float))
        found[column] = new.chainage(new_code, new_m[-1])
        moved = np.maximum(moved, where["distance_m"].to_numpy())
        unsure |= where["ambiguous"].to_numpy()
    before, after = (np.sign(np.diff(np.stack(way), axis=0)) for way in (old_m, new_m))
    unsure |= (before * after < 0).any(axis=0)
    return found.assign(moved_m=moved, ambiguous=unsure)


def river_ends(
    table: pd.DataFrame, rivers: gpd.GeoDataFrame | None, layer: str = "affected"
) -> tuple[Floats, Floats]:
    """Both ends of each row along its river, the lower first (n, 2), and their chainages.

    Ends are chainages, too, but where a river has equations: there they are metres along it that
    grow as chainages do (`along_rivers`).
    """
    require_columns(table, ["river", "from_m", "to_m"], layer)
    given = np.stack([numbers(table, c, layer).to_numpy() for c in ("from_m", "to_m")], axis=1)
    ends = along_rivers(table, ["from_m", "to_m"], rivers, layer)
    order = np.argsort(ends, axis=1, kind="stable")
    return np.take_along_axis(ends, order, axis=1), np.take_along_axis(given, order, axis=1)


def require_rivers(
    table: pd.DataFrame, rivers: gpd.GeoDataFrame | None, layer: str, *, nodes: pd.DataFrame
) -> None:
    """Refuse rows on rivers that the layer of rivers doesn't hold.

    Without it a name may be wrong, or a river have no node: rows that meet none are said.
    """
    if rivers is None:
        idle = ~table["river"].isin(nodes["river"])
        if idle.any():
            notify(
                f"{idle.sum()} rows of {layer} are on rivers where no node lies, and do nothing: "
                f"{first_ids(table.index[idle])}; with rivers= their names are checked"
            )
        return
    lost = ~table["river"].isin(rivers.index)
    if lost.any():
        raise LayerError("names rivers that rivers lacks", layer=layer, ids=table.index[lost],
                         hint=nearest(table.loc[lost, "river"].iloc[0], rivers.index))  # fmt: skip


def along_rivers(
    table: pd.DataFrame, columns: list[str], rivers: gpd.GeoDataFrame | None, layer: str
) -> Floats:
    """Chainages (n, columns) of a table such that their differences are lengths along the river.

    They are themselves but where a river has equations: there they are metres along it that grow
    as chainages do (`ChainageScale.along`). A drawn row tells which of two places of one chainage
    is meant; of one that isn't drawn such a chainage is refused.
    """
    given = np.stack([numbers(table, c, layer).to_numpy() for c in columns], axis=1)
    scales = {} if rivers is None else river_scales(rivers)
    if not any(scale.equations for scale in scales.values()):
        return np.asarray(given)
    found = given.copy()
    for river, rows in table.groupby("river").indices.items():
        if river not in scales:
            raise LayerError(
                f"names the river {river!r}, which rivers doesn't hold",
                layer=layer,
                hint=nearest(river, scales),
            )
        scale, values = scales[str(river)], given[rows].ravel()
        if not scale.equations:
            continue
        try:
            first, last = (scale.measure(values, twice=w) for w in ("upstream", "downstream"))
            if not np.array_equal(first, last):
                first = _measures_as_drawn(values, scale, table.iloc[rows], rivers)
        except ChainageError as fault:
            raise ChainageError(f"{river}: {fault}", layer=layer) from fault
        found[rows] = scale.along(first).reshape(-1, len(columns))
    return np.asarray(found)


def _measures_as_drawn(
    values: Floats, scale: ChainageScale, rows: pd.DataFrame, rivers: gpd.GeoDataFrame | None
) -> Floats:
    """Measures of chainages of which some occur twice: where the rows are drawn."""
    if rivers is None or not isinstance(rows, gpd.GeoDataFrame):
        return scale.measure(values)  # refuses them
    parts = rows[["river", "geometry"]].reset_index(drop=True).explode(index_parts=False)
    of = parts.index.to_numpy()
    parts = parts.reset_index(drop=True)
    where = locate(parts, by_measure(rivers), river=parts["river"])
    ends = where.groupby(of).agg({"from_m": "min", "to_m": "max"}).to_numpy(float)
    many = len(values) // len(rows)
    if many == 1:
        return scale.measure(values, near=ends.mean(axis=1))
    # a table's first end is the upper one, or the one of the lower chainage
    both = [scale.measure(values, near=e.ravel()).reshape(-1, 2) for e in (ends, ends[:, ::-1])]
    off = [np.abs(m - e).sum(axis=1) for m, e in zip(both, (ends, ends[:, ::-1]), strict=True)]
    return np.where((off[0] <= off[1])[:, None], *both).ravel()


@takes()
def confluences(rivers: gpd.GeoDataFrame, *, tolerance_m: float = 20.0) -> pd.DataFrame:
    """Where rivers end on, or start from, another river 汇流口.

    Parameters
    ----------
    rivers
        Centrelines drawn downstream, indexed by river.
    tolerance_m
        An end this close to another river joins it [m].

    Returns
    -------
    pandas.DataFrame
        One row a join: tributary, end {mouth, source}, river (the one it joins), chainage_m
        there, bank that it comes from, gap_m [m, between the drawn lines]. A *source* on
        another river is a bifurcation, or a tributary drawn the wrong way: turn it with
        ``rivers.geometry.reverse()``.

    Raises
    ------
    LayerError, CRSError
        A centreline can't be used.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> pg.river.confluences(rivers)[["tributary", "end", "river"]].values.tolist()
    [['山厦河', 'mouth', '鹅公岭河']]
    """
    lines = lay_out(rivers)
    rows = []
    for k, name in enumerate(lines.names):
        others = rivers[np.arange(len(rivers)) != k]
        if others.empty:
            continue
        long = lines.scales[k].length_m
        for end, measure, behind in (
            ("source", 0.0, min(1.0, long)),
            ("mouth", long, max(long - 1.0, 0.0)),
        ):
            code = np.array([k, k])
            xy = points_at(lines, code, np.array([measure, behind]))[0]
            ends = gpd.GeoDataFrame(geometry=shapely.points(xy), crs=rivers.crs)
            where = locate(ends, others)
            gap = where["distance_m"].iloc[0]
            if gap <= tolerance_m:
                stem = where["river"].iloc[0]
                side = locate(ends, others, river=pd.Series(stem, ends.index))["bank"].iloc[1]
                rows.append([name, end, stem, where["chainage_m"].iloc[0], side, gap])
    columns = ["tributary", "end", "river", "chainage_m", "bank", "gap_m"]
    return pd.DataFrame(rows, columns=columns)
