"""Where along the river is it? Chainage, bank and offsets of features beside a centreline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

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

__all__ = [
    "along_rivers",
    "confluences",
    "locate",
    "require_rivers",
    "river_ends",
    "transfer_chainage",
]

# A footprint is followed along the river this many of its own diameters to either side.
REACH_DIAMETERS = 4.0
# Segments of a centreline that are looked at as one where few are expected to matter.
SEGMENTS_IN_A_ROW = 8
POINT = 0  # as shapely numbers its types
# Golden section: each step leaves 0.618 of a wall, so 25 steps leave 6e-6 of it.
GOLDEN, GOLDEN_STEPS = 0.6180339887498949, 25
# Pairs of corner and segment measured at once: bounds the memory to some 300 MB.
PAIRS_AT_ONCE = 2_000_000
Shapes = NDArray[np.object_]


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
        nearest; of several equally near, the first in ``rivers``.

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
        types = {c: float for c in columns if c.endswith("_m")} | {"ambiguous": bool}
        empty = pd.DataFrame(index=features.index, columns=columns)
        return empty.astype(dict.fromkeys(("river", "bank", "repeated"), "str") | types)
    shapes = flat_shapes(features)
    wanted = None if river is None else river_codes(river.reindex(features.index), lines, "river")
    seed = _seeds(shapes, lines, wanted)
    at = _follow(shapes, lines, seed)
    low, high = at["offset_min"], at["offset_max"]
    bank = np.where(
        (low < -SAME_PLACE_M) & (high > SAME_PLACE_M),
        "both",
        np.where(high + low > 0, "right", "left"),
    )
    return pd.DataFrame(
        {
            "river": np.array(lines.names, object)[seed.river],
            "bank": bank,
            "chainage_m": lines.chainage(seed.river, at["measure"]),
            "from_m": lines.chainage(seed.river, at["from"]),
            "to_m": lines.chainage(seed.river, at["to"]),
            "offset_min_m": low,
            "offset_max_m": high,
            "distance_m": seed.distance,
            "ambiguous": seed.tied | at["cut"] | _nearer_elsewhere(shapes, lines, seed, at),
            "repeated": pd.array(lines.repeated(seed.river, at["measure"]), dtype="str"),
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
                first = _as_drawn(values, scale, table.iloc[rows], rivers)
        except ChainageError as fault:
            raise ChainageError(f"{river}: {fault}", layer=layer) from fault
        found[rows] = scale.along(first).reshape(-1, len(columns))
    return np.asarray(found)


def _as_drawn(
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


@dataclass(frozen=True, slots=True)
class _Seeds:
    """Where each feature is nearest to its river, and the stretch that it is followed on."""

    river: Ints
    near_from: Floats  # first and last measure that are nearest [m]
    near_to: Floats
    distance: Floats
    tied: NDArray[np.bool_]  # another river or stretch is exactly as near
    reach: Floats  # followed so far to either side [m]


def _seeds(shapes: Shapes, lines: Centrelines, wanted: Ints | None) -> _Seeds:
    """Nearest segment of each feature, on its river where one is wanted."""
    segments = lines.segments()
    if wanted is None:
        (who, seg), distance = shapely.STRtree(segments).query_nearest(
            shapes, all_matches=True, return_distance=True
        )
    else:
        parts = []
        for k in np.unique(wanted):
            lo, mine = lines.first[k], np.flatnonzero(wanted == k)
            (i, j), d = shapely.STRtree(segments[lo : lines.first[k + 1]]).query_nearest(
                shapes[mine], all_matches=True, return_distance=True
            )
            parts.append((mine[i], j + lo, d))
        who, seg, distance = (np.concatenate(p) for p in zip(*parts, strict=True))
    order = np.lexsort((seg, who))
    who, seg, distance = who[order], seg[order], distance[order]
    first = _firsts(who)
    count = np.diff(np.append(first, len(who)))

    river = lines.river[seg[first]]
    nearest_m = _touch_measure(shapes[who], segments[seg], lines, seg)
    box = shapely.bounds(shapes)
    diameter = np.hypot(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
    reach = np.maximum(REACH_DIAMETERS * diameter, 1.0)
    # ties: the same stretch touches at several segments, or another stretch is as near
    seed_m = nearest_m[:, 0][first]
    same = (lines.river[seg] == np.repeat(river, count)) & (
        nearest_m[:, 0] - np.repeat(seed_m, count) <= np.repeat(reach, count)
    )
    near_to = np.maximum.reduceat(np.where(same, nearest_m[:, 1], -np.inf), first)
    near_from = np.minimum.reduceat(np.where(same, nearest_m[:, 0], np.inf), first)
    tied = ~np.logical_and.reduceat(same, first)
    return _Seeds(river, near_from, near_to, distance[first], tied, reach)


def _touch_measure(shapes: Shapes, segments: Any, lines: Centrelines, seg: Ints) -> Floats:
    """First and last measure (n, 2) at which each segment is nearest to the feature."""
    xy = shapely.get_coordinates(shapely.shortest_line(segments, shapes)).reshape(-1, 2, 2)[:, 0]
    found = np.repeat(_along(xy, lines, seg)[:, None], 2, axis=1)
    crossing = np.flatnonzero(shapely.intersects(segments, shapes))
    if len(crossing):
        shared = shapely.intersection(segments[crossing], shapes[crossing])
        points, part = shapely.get_coordinates(shared, return_index=True)
        along = _along(points, lines, seg[crossing][part])
        starts = _firsts(part)
        rows = crossing[part[starts]]
        found[rows, 0] = np.minimum.reduceat(along, starts)
        found[rows, 1] = np.maximum.reduceat(along, starts)
    return found


def _firsts(sorted_rows: Ints) -> Ints:
    """Where each run of equal numbers begins."""
    return np.flatnonzero(np.append(True, np.diff(sorted_rows) > 0))


def _along(xy: Floats, lines: Centrelines, seg: Ints) -> Floats:
    """Measure of points that lie on the given segments."""
    part = ((xy - lines.start[seg]) * lines.step[seg]).sum(axis=1) / lines.length[seg]
    return np.asarray(lines.measure[seg] + np.clip(part, 0.0, lines.length[seg]))


def _follow(shapes: Shapes, lines: Centrelines, seed: _Seeds) -> dict[str, Any]:
    """Lay every corner on the stretch around its feature's seed; reduce to one row a feature."""
    xy, who = shapely.get_coordinates(shapes, return_index=True)
    lo_m = np.maximum(seed.near_from - seed.reach, 0.0)
    hi_m = seed.near_to + seed.reach
    # segments of all rivers lie behind one another, so one search finds every stretch
    base = np.concatenate([[0.0], np.cumsum(lines.length)])
    river_base = base[lines.first[:-1]][seed.river]
    lo = np.searchsorted(base[1:], river_base + lo_m, side="right")
    hi = np.searchsorted(base[:-1], river_base + hi_m, side="left")
    lo = np.clip(lo, lines.first[seed.river], lines.first[seed.river + 1] - 1)
    hi = np.clip(hi, lo + 1, lines.first[seed.river + 1])

    distance, measure, offset, at_end = (np.empty(len(xy)) for _ in range(4))
    for part in _chunks((hi - lo)[who]):
        rows = who[part]
        d, seg = _nearest_segment(xy[part], lines, lo[rows], hi[rows])
        distance[part] = d
        measure[part], offset[part] = _project(xy[part], lines, seg, d, lo[rows], hi[rows])
        # at the end of the stretch though the river goes on: the true answer lies beyond
        first, last = lines.first[seed.river[rows]], lines.first[seed.river[rows] + 1]
        at_end[part] = ((measure[part] <= lines.measure[lo[rows]]) & (lo[rows] > first)) | (
            (measure[part] >= lines.measure[hi[rows] - 1] + lines.length[hi[rows] - 1])
            & (hi[rows] < last)
        )
    starts = _firsts(who)
    near_from, near_to = _nearest_stretch(shapes, lines, seed)
    least = np.minimum.reduceat(offset, starts)
    most = np.maximum.reduceat(offset, starts)
    # the nearest point may lie within a wall; a feature across the river has offset 0 inside
    one_side = (least > 0) | (most < 0)
    least = np.where(one_side & (least > 0), np.minimum(least, seed.distance), least)
    most = np.where(one_side & (most < 0), np.maximum(most, -seed.distance), most)
    beyond = _far_walls(shapes, lines, xy, distance, who, (lo, hi), one_side)
    least = np.where(one_side & (least < 0), np.minimum(least, -beyond), least)
    most = np.where(one_side & (most > 0), np.maximum(most, beyond), most)
    return {
        "measure": (near_from + near_to) / 2,
        "from": np.minimum(np.minimum.reduceat(measure, starts), seed.near_from),
        "to": np.maximum(np.maximum.reduceat(measure, starts), seed.near_to),
        "offset_min": least,
        "offset_max": most,
        "far": np.maximum.reduceat(distance, starts),
        "cut": np.maximum.reduceat(at_end, starts) > 0,
        "corner_distance": distance,
        "corner": who,
    }


def _nearest_stretch(shapes: Shapes, lines: Centrelines, seed: _Seeds) -> tuple[Floats, Floats]:
    """First and last measure that are within a millimetre of as near as any to each feature.

    The middle between them is what `locate` calls its chainage: where a wall runs parallel to the
    river it is the middle of the wall, however the drawing is turned and rounded. Of each piece
    of centreline and each wall this is where the one is within the other's capsule: two discs
    and what lies beside the wall, whose places on a line are one interval.
    """
    limit = seed.distance + SAME_PLACE_M
    who, seg = shapely.STRtree(lines.segments()).query(
        shapes, predicate="dwithin", distance=limit + SAME_PLACE_M
    )
    low, high = lines.measure[seg], lines.measure[seg] + lines.length[seg]
    mine = (lines.river[seg] == seed.river[who]) & (
        (low <= (seed.near_to + seed.reach)[who]) & (high >= (seed.near_from - seed.reach)[who])
    )
    who, seg = who[mine], seg[mine]
    ends, begin = _walls(shapes)
    count = np.diff(begin)[who]
    wall = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - begin[who], count)
    who, seg = np.repeat(who, count), np.repeat(seg, count)
    unit = lines.step[seg] / lines.length[seg, None]
    near, far = _within(
        ends[wall, 0] - lines.start[seg], ends[wall, 1] - lines.start[seg], unit, limit[who]
    )
    near, far = np.maximum(near, 0.0), np.minimum(far, lines.length[seg])
    # a point has one nearest place, which is known
    some = (near <= far) & (shapely.get_type_id(shapes) != POINT)[who]
    first, last = seed.near_from.copy(), seed.near_to.copy()
    np.minimum.at(first, who[some], lines.measure[seg[some]] + near[some])
    np.maximum.at(last, who[some], lines.measure[seg[some]] + far[some])
    return first, last


def _walls(shapes: Shapes) -> tuple[Floats, Ints]:
    """Ends (n, 2, 2) of the walls of all features, in order, and where those of each begin."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    areas = shapely.get_dimensions(parts) == 2
    parts[areas] = shapely.boundary(parts[areas])
    parts, part = shapely.get_parts(parts, return_index=True)
    xy, path = shapely.get_coordinates(parts, return_index=True)
    last = np.append(path[1:] != path[:-1], True)
    alone = last & np.append(True, path[1:] != path[:-1])[: len(path)]  # a point is its own wall
    at = np.flatnonzero(~last | alone)
    ends = np.stack([xy[at], xy[np.where(alone[at], at, at + 1)]], axis=1)
    owner = of[part][path[at]]
    return ends, np.searchsorted(owner, np.arange(len(shapes) + 1))


def _within(a: Floats, b: Floats, unit: Floats, limit: Floats) -> tuple[Floats, Floats]:
    """From where to where lines from the origin are within a limit of walls from a to b [m].

    Where nowhere, the first is beyond the second.
    """
    near, far = np.full(len(a), np.inf), np.full(len(a), -np.inf)
    for end in (a, b):
        along = (end * unit).sum(axis=1)
        aside = end[:, 0] * unit[:, 1] - end[:, 1] * unit[:, 0]
        half = np.sqrt(np.maximum(limit**2 - aside**2, 0.0))
        meets = np.abs(aside) <= limit
        near = np.where(meets, np.minimum(near, along - half), near)
        far = np.where(meets, np.maximum(far, along + half), far)
    wall = b - a
    long = np.hypot(*wall.T)
    axis = wall / np.maximum(long, 1e-12)[:, None]
    cosine = (unit * axis).sum(axis=1)
    sine = axis[:, 0] * unit[:, 1] - axis[:, 1] * unit[:, 0]
    beside = _slab(-(a * axis).sum(axis=1), cosine, np.zeros(len(a)), long)
    within = _slab(axis[:, 1] * a[:, 0] - axis[:, 0] * a[:, 1], sine, -limit, limit)
    low, high = np.maximum(beside[0], within[0]), np.minimum(beside[1], within[1])
    meets = (low <= high) & (long > 0)
    near = np.where(meets, np.minimum(near, low), near)
    return near, np.where(meets, np.maximum(far, high), far)


def _slab(at: Floats, slope: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """From where to where at + slope * t lies between low and high; everywhere, or nowhere."""
    level = np.abs(slope) < 1e-12
    steep = np.where(level, 1.0, slope)
    ends = np.stack([(low - at) / steep, (high - at) / steep])
    inside = (at >= low) & (at <= high)
    return (
        np.where(level, np.where(inside, -np.inf, np.inf), ends.min(axis=0)),
        np.where(level, np.where(inside, np.inf, -np.inf), ends.max(axis=0)),
    )


def _far_walls(
    shapes: Shapes,
    lines: Centrelines,
    xy: Floats,
    distance: Floats,
    who: Ints,
    stretch: tuple[Ints, Ints],
    wanted: NDArray[np.bool_],
) -> Floats:
    """Greatest distance of any point of each feature: inside a bend it may lie within a wall.

    There the distance to the polyline is the least of linear functions, so along a wall it is
    concave, and a golden section search finds its maximum. Only walls are searched that start
    from the farthest corner and lead away from the river.
    """
    starts = _firsts(who)
    far = np.maximum.reduceat(distance, starts)
    parts = shapely.get_parts(shapes)
    areas = shapely.get_dimensions(parts) == 2
    parts[areas] = shapely.boundary(parts[areas])
    path = shapely.get_coordinates(shapely.get_parts(parts), return_index=True)[1]
    end = np.flatnonzero((path[1:] == path[:-1]) & wanted[who[1:]])
    farthest = distance >= far[who] - SAME_PLACE_M
    walls = np.concatenate(
        [
            np.stack([end[farthest[end]], end[farthest[end]] + 1], axis=1),
            np.stack([end[farthest[end + 1]] + 1, end[farthest[end + 1]]], axis=1),
        ]
    )
    lo, hi = (edge[who[walls[:, 0]]] for edge in stretch)
    at, step = xy[walls[:, 0]], xy[walls[:, 1]] - xy[walls[:, 0]]

    def measured(t: Floats, rows: Any) -> Floats:
        points = at[rows] + t[:, None] * step[rows]
        found = np.empty(len(points))
        for part in _chunks((hi - lo)[rows]):
            found[part] = _nearest_segment(points[part], lines, lo[rows][part], hi[rows][part])[0]
        return found

    everyone = np.arange(len(walls))
    probe = measured(np.full(len(walls), 1e-3), everyone)
    rising = np.flatnonzero(probe > distance[walls[:, 0]] + 1e-9)
    low, high = np.zeros(len(rising)), np.ones(len(rising))
    for _ in range(GOLDEN_STEPS if len(rising) else 0):
        one, other = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        right = measured(one, rising) < measured(other, rising)
        low, high = np.where(right, one, low), np.where(right, high, other)
    if len(rising):
        np.maximum.at(far, who[walls[rising, 0]], measured((low + high) / 2, rising))
    return far


def _chunks(pairs: Ints) -> Iterator[slice]:
    """Slices of rows with a bounded number of pairs each."""
    total = np.cumsum(pairs)
    start = 0
    while start < len(pairs):
        done = total[start - 1] if start else 0
        stop = max(int(np.searchsorted(total, done + PAIRS_AT_ONCE, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


def _nearest_segment(xy: Floats, lines: Centrelines, lo: Ints, hi: Ints) -> tuple[Floats, Ints]:
    """Nearest of the segments lo..hi-1 to each point, the first of equals, and its distance."""
    count = hi - lo
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    row = np.repeat(np.arange(len(xy)), count)
    seg = np.arange(len(row)) - np.repeat(first - lo, count)
    rel = xy[row] - lines.start[seg]
    step, length = lines.step[seg], lines.length[seg]
    along = np.clip((rel * step).sum(axis=1) / length**2, 0.0, 1.0)
    gap = rel - along[:, None] * step
    square = (gap * gap).sum(axis=1)
    least = np.minimum.reduceat(square, first)
    hit = np.flatnonzero(square <= np.repeat(least, count))
    best = hit[np.searchsorted(row[hit], np.arange(len(xy)))]
    return np.sqrt(least), seg[best]


def _project(
    xy: Floats, lines: Centrelines, seg: Ints, distance: Floats, lo: Ints, hi: Ints
) -> tuple[Floats, Floats]:
    """Measure and signed offset (right positive) of points on their nearest segments.

    At a vertex of the centreline the side is judged against the sum of both directions: the
    cross product with either segment alone is wrong within the wedge outside the bend.
    """
    rel = xy - lines.start[seg]
    unit = lines.step[seg] / lines.length[seg, None]
    along = (rel * unit).sum(axis=1)
    measure = lines.measure[seg] + np.clip(along, 0.0, lines.length[seg])
    direction = unit.copy()
    before, after = along <= 0, along >= lines.length[seg]
    other = np.where(before, seg - 1, np.where(after, seg + 1, seg))
    inside = (other >= lo) & (other < hi)
    other = np.where(inside, other, seg)
    turn = lines.step[other] / lines.length[other, None]
    direction = np.where((before | after)[:, None], unit + turn, unit)
    vertex = np.where(after[:, None], lines.end[seg], lines.start[seg])
    rel = xy - vertex
    cross = direction[:, 0] * rel[:, 1] - direction[:, 1] * rel[:, 0]
    return measure, np.where(cross > 0, -distance, distance)


def _nearer_elsewhere(
    shapes: Shapes, lines: Centrelines, seed: _Seeds, at: dict[str, Any]
) -> NDArray[np.bool_]:
    """Whether some corner is nearer to another river, or to another stretch of its own."""
    result = np.zeros(len(shapes), bool)
    who, seg = _foreign_segments(shapes, lines, seed, at["far"])
    if not len(who):
        return result
    corners = np.searchsorted(at["corner"], np.arange(len(shapes) + 1))
    count = corners[who + 1] - corners[who]
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    corner = np.arange(count.sum()) - np.repeat(first - corners[who], count)
    xy = shapely.get_coordinates(shapes)
    pieces = lines.segments()[seg]
    far = shapely.distance(shapely.points(xy[corner]), np.repeat(pieces, count))
    nearer = far < at["corner_distance"][corner] - SAME_PLACE_M
    result[np.repeat(who, count)[nearer]] = True
    return result


def _foreign_segments(
    shapes: Shapes, lines: Centrelines, seed: _Seeds, far: Floats
) -> tuple[Ints, Ints]:
    """Pairs of feature and segment outside its stretch, as near as its farthest corner.

    Several segments in a row are looked at as one, and those within the stretch are dropped
    before any distance is measured: almost nothing is left.
    """
    starts = np.concatenate(
        [
            np.arange(lo, hi, SEGMENTS_IN_A_ROW)
            for lo, hi in zip(lines.first[:-1], lines.first[1:], strict=True)
        ]
    )
    ends = np.minimum(starts + SEGMENTS_IN_A_ROW, lines.first[lines.river[starts] + 1])
    row_of = np.repeat(np.arange(len(starts)), ends - starts + 1)
    seg = np.arange(len(row_of)) - row_of  # each row holds one corner more than segments
    last = np.append(np.diff(row_of) > 0, True)
    xy = np.where(
        last[:, None],
        lines.end[np.minimum(seg, len(lines.end)) - 1],
        lines.start[np.minimum(seg, len(lines.start) - 1)],
    )
    rows = shapely.linestrings(xy, indices=row_of)
    box = shapely.bounds(shapes)
    wide = shapely.box(box[:, 0] - far, box[:, 1] - far, box[:, 2] + far, box[:, 3] + far)
    who, row = shapely.STRtree(rows).query(wide)

    def outside(first: Ints, last: Ints, whole: bool) -> NDArray[np.bool_]:
        low, high = lines.measure[first], lines.measure[last] + lines.length[last]
        reach_lo, reach_hi = (seed.near_from - seed.reach)[who], (seed.near_to + seed.reach)[who]
        within = (
            (low >= reach_lo) & (high <= reach_hi)
            if whole
            else ((low <= reach_hi) & (high >= reach_lo))
        )
        return np.asarray((lines.river[first] != seed.river[who]) | ~within)

    keep = outside(starts[row], ends[row] - 1, whole=True)
    who, row = who[keep], row[keep]
    keep = shapely.dwithin(shapes[who], rows[row], far[who])
    who, row = who[keep], row[keep]
    count = ends[row] - starts[row]
    first = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.intp)
    seg = np.arange(count.sum()) - np.repeat(first - starts[row], count)
    who = np.repeat(who, count)
    keep = outside(seg, seg, whole=False)
    return who[keep], seg[keep]
