"""Where does the river run? Centrelines from parts, from a river's area, or from its banks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pinghu_geo.nouns.door import takes, with_shapes
from pinghu_geo.nouns.errors import CRSError, LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang, require_layer, require_polygons, same_crs
from pinghu_geo.nouns.tables import crs_of

__all__ = ["JoinedRivers", "join_parts", "river_axis"]

# Half widths that are cut off an end: the diagonal to a corner, and a little of the fork.
FORK = 1.6
# Ends of lines within this meet [m].
TOUCHING_M = 1.0
# No covered reach is so long that joining across it should be proposed [m].
FARTHEST_M = 500.0
LOG = ["river", "change", "from_m", "to_m", "length_m"]


@dataclass(frozen=True, slots=True)
class JoinedRivers(Result):
    """Rivers as one line each, and the log of what was joined and turned 河道拼接结果."""

    layer: gpd.GeoDataFrame
    log: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """What was joined, turned and left out."""
        kinds = self.log["change"].value_counts()
        return [
            say(
                "{} rivers, each as one line: {} gaps bridged, {} parts turned, "
                "{} branches left out.",
                lang,
                len(self.layer),
                *(kinds.get(k, 0) for k in ("joined", "turned", "branch")),
            )
        ]


@takes()
def join_parts(rivers: gpd.GeoDataFrame, *, gap_m: float) -> JoinedRivers:
    """One line a river from parts in any order and direction, across covered reaches 河道拼接.

    Parameters
    ----------
    rivers
        LineStrings or MultiLineStrings, indexed by river; several rows of one river are its
        parts.
    gap_m
        A gap up to this [m] is bridged by a straight line: a covered reach (暗渠). The
        chainage counts it.

    Returns
    -------
    JoinedRivers
        ``layer``: one row a river, in order of appearance, with the first row's columns;
        ``log``: river, change {joined, turned, branch}, from_m, to_m, length_m [m, measured along
        the new line], one row a gap, a part that was turned round, or a part that was left out
        because it is the other branch around an island, or a ring, through which nothing runs
        (length_m is its own).

    Raises
    ------
    LayerError, CRSError
        A part is farther than ``gap_m`` from the others.

    Notes
    -----
    From the ends of the longest part the nearest part is added until none is left, turned round
    where its far end is the nearer one; the whole runs as most of its length was drawn. Of the
    branches around an island the way through on which the river is shortest is kept.
    Rings, such as water around or within an island, are left out and named.

    References
    ----------
    Dijkstra, A note on two problems in connexion with graphs, Numerische Mathematik 1 (1959)
    269-271 (the shortest way through).

    Examples
    --------
    >>> parts = shapely.MultiLineString([[(0, 0), (60, 0)], [(100, 0), (70, 0)]])
    >>> rivers = gpd.GeoDataFrame(geometry=[parts], index=["A"], crs=4547).rename_axis("river")
    >>> joined, log = pg.join_parts(rivers, gap_m=20)
    >>> float(joined.length["A"]), log["change"].tolist(), log["length_m"].tolist()
    (100.0, ['joined', 'turned'], [10.0, 30.0])
    """
    require_layer(rivers[~rivers.index.duplicated()], "rivers")
    shapes, logs = [], []
    names = rivers.index.unique()
    for name in names:
        geometry = shapely.force_2d(rivers.geometry[rivers.index == name].to_numpy())
        parts = [shapely.get_coordinates(p) for p in shapely.get_parts(geometry)]
        parts = [p for p in parts if len(p) > 1]
        if not parts:
            raise LayerError(
                "a centreline has no length",
                layer="rivers",
                ids=[name],
                hint="rivers = rivers[rivers.length > 0]",
            )
        touching_m = min(gap_m, TOUCHING_M)
        rings = [_is_ring(p, touching_m) for p in parts]
        if all(rings):  # then one of them is the river
            rings = [False] * len(parts)
        through = [p for p, ring in zip(parts, rings, strict=True) if not ring]
        stem, branches = _stem_and_branches(through, touching_m)
        branches += [p for p, ring in zip(parts, rings, strict=True) if ring]
        line, log = _line_through_parts(stem, _order_of_parts(stem, gap_m, str(name)), str(name))
        log = pd.concat([log, _branch_log(branches, line, str(name))], ignore_index=True)
        shapes.append(line)
        logs.append(log)
    layer = rivers[~rivers.index.duplicated()].set_geometry(shapes, crs=rivers.crs)
    log = pd.concat(logs, ignore_index=True) if logs else pd.DataFrame(columns=LOG)
    return JoinedRivers(layer, log)


def _is_ring(part: Any, touching_m: float) -> bool:
    """Whether a part ends where it begins, as water around an island does: nothing runs through."""
    long = float(np.hypot(*np.diff(part, axis=0).T).sum())
    return float(np.hypot(*(part[-1] - part[0]))) <= touching_m < long / 4


def _stem_and_branches(parts: list[Any], touching_m: float) -> tuple[list[Any], list[Any]]:
    """Parts along the river, and those that leave and meet it again: around islands."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components, dijkstra

    ends = np.array([[p[0], p[-1]] for p in parts]).reshape(-1, 2)
    spots = np.asarray(shapely.points(ends))
    near = shapely.STRtree(spots).query(spots, predicate="dwithin", distance=touching_m)
    size = (len(ends), len(ends))
    ones = coo_array((np.ones(near.shape[1]), tuple(near.astype(np.int32))), shape=size)
    count, node = connected_components(ones, directed=False)
    a, b = node.reshape(-1, 2).T
    tied = coo_array((np.ones(len(a)), (a, b)), shape=(count, count))
    pieces, piece = connected_components(tied, directed=False)
    if pieces > 1:  # parts with gaps between them: an island lies in one of these
        found = [
            _stem_and_branches([p for p, k in zip(parts, piece[a], strict=True) if k == one],
                               touching_m)
            for one in range(pieces)
        ]  # fmt: skip
        return [p for stem, _ in found for p in stem], [p for _, off in found for p in off]
    if len(parts) < count or (a == b).any():  # a tree, or a ring: nothing runs beside anything
        return parts, []
    long = np.array([np.hypot(*np.diff(p, axis=0).T).sum() for p in parts])
    by: dict[tuple[int, int], int] = {}
    for k in np.argsort(-long, kind="stable"):  # of a pair of branches the shorter is written last
        by[min(a[k], b[k]), max(a[k], b[k])] = int(k)
    pairs = np.array(list(by), np.int32).T
    weight = coo_array((long[list(by.values())], tuple(pairs)), shape=(count, count)).tocsr()
    free = np.flatnonzero(np.bincount(np.concatenate([a, b]), minlength=count) == 1)
    if len(free) < 2:
        return parts, []
    far, before = dijkstra(weight, directed=False, indices=free, return_predecessors=True)
    apart = np.where(np.isfinite(far[:, free]), far[:, free], -1.0)
    first, last = np.unravel_index(np.argmax(apart), apart.shape)
    way = [int(free[last])]
    while way[-1] != free[first]:
        way.append(int(before[first, way[-1]]))
    stem = {by[min(i, j), max(i, j)] for i, j in pairwise(way)}
    # parts that hang together off the stem meet it twice, or are a tributary and no branch
    on_way = set(way)
    rest = [k for k in range(len(parts)) if k not in stem]
    off = [(int(i), int(j)) for i, j in zip(a[rest], b[rest], strict=True)]
    hung = [(i, j) for i, j in off if not {i, j} & on_way]
    ends = np.array(hung, np.int32).reshape(-1, 2).T
    tied = coo_array((np.ones(len(hung)), tuple(ends)), shape=(count, count))
    group = connected_components(tied, directed=False)[1]
    meets: dict[int, set[int]] = {}
    own = [
        next((int(group[n]) for n in pair if n not in on_way), -1 - k)
        for k, pair in zip(rest, off, strict=True)
    ]
    for g, pair in zip(own, off, strict=True):
        meets.setdefault(g, set()).update(set(pair) & on_way)
    beside = [k for k, g in zip(rest, own, strict=True) if len(meets[g]) > 1]
    kept = [p for k, p in enumerate(parts) if k not in beside]
    return kept, [parts[k] for k in beside]


def _branch_log(branches: list[Any], line: Any, name: str) -> pd.DataFrame:
    """Where each branch that was left out leaves the line and meets it again."""
    rows = []
    for one in branches:
        at = np.sort(shapely.line_locate_point(line, shapely.points([one[0], one[-1]])))
        rows.append([name, "branch", *at, float(np.hypot(*np.diff(one, axis=0).T).sum())])
    return pd.DataFrame(rows, columns=LOG)


def _order_of_parts(parts: list[Any], gap_m: float, name: str) -> list[tuple[int, bool]]:
    """The parts of one river as they follow each other, and which are turned: the lesser length.

    From the longest on, the nearest is added; the whole runs as most of it was drawn.
    """
    long = [np.hypot(*np.diff(p, axis=0).T).sum() for p in parts]
    order = [(int(np.argmax(long)), False)]
    left = set(range(len(parts))) - {order[0][0]}
    head, tail = parts[order[0][0]][0], parts[order[0][0]][-1]
    widest = 0.0
    while left:
        choices = [
            (
                _gap_to_part(parts[k], head if at_head else tail, last=at_head != turned),
                k,
                at_head,
                turned,
            )
            for k in left
            for at_head in (False, True)
            for turned in (False, True)
        ]
        gap, k, at_head, turned = min(choices)
        widest = max(widest, gap)
        left.remove(k)
        part = parts[k][::-1] if turned else parts[k]
        if at_head:
            order.insert(0, (k, turned))
            head = part[0]
        else:
            order.append((k, turned))
            tail = part[-1]
    if widest > gap_m:  # the widest of all: to bridge the first would only find the next
        raise LayerError(
            f"a part is {widest:,.1f} m from the others",
            layer="rivers",
            ids=[name],
            hint=f"rivers = pg.join_parts(rivers, gap_m={np.ceil(widest):.0f}).layer"
            "  # or draw the line between"
            if widest <= FARTHEST_M
            else "draw the line between, or leave out what is no part of this river",
        )
    if sum(long[k] for k, turned in order if turned) > sum(long) / 2:
        return [(k, not turned) for k, turned in reversed(order)]
    return order


def _gap_to_part(part: Any, end: Any, *, last: bool) -> float:
    """Distance from a part's last or first point to an end of the chain."""
    return float(np.hypot(*(part[-1 if last else 0] - end)))


def _line_through_parts(
    parts: list[Any], order: list[tuple[int, bool]], name: str
) -> tuple[Any, pd.DataFrame]:
    """The line through the parts in their order, and what was joined or turned."""
    rows: list[list[Any]] = []
    xy: list[Any] = []
    measure = 0.0
    for k, turned in order:
        part = parts[k][::-1] if turned else parts[k]
        if xy:
            gap = float(np.hypot(*(part[0] - xy[-1][-1])))
            if gap > 0:
                rows.append([name, "joined", measure, measure + gap, gap])
            measure += gap
        long = float(np.hypot(*np.diff(part, axis=0).T).sum())
        if turned:
            rows.append([name, "turned", measure, measure + long, long])
        measure += long
        xy.append(part)
    line = shapely.remove_repeated_points(shapely.linestrings(np.vstack(xy)))
    return line, pd.DataFrame(rows, columns=LOG)


def river_axis(
    areas: gpd.GeoDataFrame,
    sources: gpd.GeoSeries | gpd.GeoDataFrame | None,
    *,
    spacing_m: float | None = None,
    join_gap_m: float | None = None,
) -> gpd.GeoDataFrame:
    """Centreline of a river from its areas, or from two banks made into one 河道中心线.

    Parameters
    ----------
    areas
        Polygons of the water, or both bank lines as one MultiLineString, indexed by river.
    sources
        A point near the upstream end of each river, on the same index: no shape tells which
        way water flows. With None the axis runs either way; see
        `pinghu_geo.flood.drawn_downstream`.
    spacing_m
        Distance of the points on the banks that the axis is computed from [m]; at most a
        quarter of the river's width, by default a twelfth of its mean width.
    join_gap_m
        A river in several areas, such as on both sides of bridges, gets the axis of each, joined
        across gaps up to this [m]; areas too short to have one, and water in the court of an
        island, are passed over and counted.

    Returns
    -------
    geopandas.GeoDataFrame
        Indexed by river: the axis drawn downstream, from end to end of the area;
        asymmetry_m [m], the greatest difference between its distances to the two nearest
        banks away from the ends; spacing_m [m] as used; n_left_out, how many areas were passed
        over.

    Raises
    ------
    LayerError, CRSError
        A polygon is no river: too short for its width, or too narrow for the spacing; a
        source is missing, occurs twice, or is in another CRS.

    Notes
    -----
    The medial axis by Voronoi cells of points on the banks: of its branches the longest path
    is kept, its forks into the corners of both ends are cut off, half a width from the end, and
    replaced by a straight continuation to the edge. It isn't smoothed; the zigzag left by the
    points is below a quarter of the spacing and is removed with that tolerance.

    References
    ----------
    Brandt, J.W., Algazi, V.R.: Continuous skeleton computation by Voronoi diagram. CVGIP:
    Image Understanding 55(3), 1992.

    Examples
    --------
    >>> water = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 400, 20)], index=["A"], crs=4547)
    >>> axis = pg.river_axis(water, gpd.GeoSeries([shapely.Point(0, 10)], ["A"], crs=4547))
    >>> [tuple(round(float(v), 3) for v in c) for c in axis.geometry["A"].coords]
    [(0.0, 10.0), (400.0, 10.0)]
    """
    areas = with_shapes(areas, "areas")
    sources = with_shapes(sources, "sources") if isinstance(sources, pd.DataFrame) else sources
    require_layer(areas[~areas.index.duplicated()], "areas")
    shapes = [_merged_polygon(_area_between_banks(g)) for g in areas.geometry]
    areas = areas.set_geometry(shapes, crs=areas.crs)
    require_layer(areas.reset_index(drop=True), "areas")
    require_polygons(areas, "areas")
    if join_gap_m is None:
        _require_one_area(areas)
    begins = None if sources is None else _upstream_points(sources, areas)
    rows = []
    for name in areas.index.unique():
        own = shapely.get_parts(areas.geometry[areas.index == name].to_numpy())
        line, *said = _axis_of_parts(own, spacing_m, join_gap_m, str(name), areas.crs)
        if begins is not None:
            ends = shapely.points([line.coords[0], line.coords[-1]])
            if np.argmin(shapely.distance(ends, begins[name])):
                line = shapely.reverse(line)
        rows.append((line, *said))
    lines, asymmetries, spacings, left_out = zip(*rows, strict=True) if rows else ((),) * 4
    return gpd.GeoDataFrame(
        {
            "asymmetry_m": list(asymmetries),
            "spacing_m": list(spacings),
            "n_left_out": np.array(left_out, int),
        },
        index=pd.Index(areas.index.unique().to_list(), name="river", dtype="str"),
        geometry=list(lines),
        crs=areas.crs,
    )


def _upstream_points(sources: Any, areas: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """One point near the upstream end of each river, where the areas lie."""
    if not isinstance(sources, (gpd.GeoSeries, gpd.GeoDataFrame)):
        raise LayerError(
            f"is a {type(sources).__name__}, not points by river",
            layer="sources",
            hint="gpd.GeoSeries(points, index=rivers, crs=areas.crs)",
        )
    points: gpd.GeoSeries = sources.geometry
    if points.crs is not None and not same_crs(points.crs, areas.crs):
        raise CRSError(
            f"is in {points.crs.name}, the areas in {crs_of(areas).name}",
            layer="sources",
            hint="sources = sources.to_crs(areas.crs)",
        )
    points = gpd.GeoSeries(points[points.notna() & ~points.is_empty])
    missing = areas.index.unique().difference(points.index)
    if len(missing):
        raise LayerError(
            "rivers have no point at their upstream end",
            layer="sources",
            ids=missing,
            hint="give a point near the upstream end of each, on an index of rivers: "
            'sources.set_index("river")',
        )
    twice = points.index.duplicated() & points.index.isin(areas.index)
    if twice.any():
        raise LayerError(
            "has several points for a river",
            layer="sources",
            ids=points.index[twice].unique(),
            hint="sources = sources[~sources.index.duplicated()]",
        )
    return points


def _require_one_area(areas: gpd.GeoDataFrame) -> None:
    """Refuse rivers in several areas, where nothing says how they hang together."""
    several = shapely.get_num_geometries(areas.geometry.to_numpy()) > 1
    several |= areas.index.duplicated(keep=False)
    if several.any():
        raise LayerError(
            "comes in several areas, such as on both sides of a bridge",
            layer="areas",
            ids=areas.index[several].unique(),
            hint="draw the water through below what covers it, or join the axes of all: "
            "pg.river_axis(areas, None, join_gap_m=50)",
        )


def _axis_of_parts(
    parts: Any, spacing_m: float | None, gap_m: float | None, name: str, crs: Any
) -> tuple[Any, float, float, int]:
    """One river's axis, its greatest asymmetry, the spacing used, and areas passed over."""
    lines, asymmetry, spacing, refused = [], [], [], []
    through = _areas_outside_courts(parts)
    for area in through:
        # a twelfth of the width w: a strip of length l has the area l w, the boundary 2 (l + w)
        step = spacing_m or float(area.area / area.length) / 6
        try:
            line = _extend_to_edge(_medial_path(area, step, name), area, name, step)
        except LayerError as fault:
            refused.append(fault)
            continue
        lines.append(line)
        asymmetry.append(_bank_asymmetry(line, area))
        spacing.append(step)
    if not lines or (refused and gap_m is None):
        raise refused[0]
    if len(lines) > 1:
        layer = gpd.GeoDataFrame(geometry=lines, index=pd.Index([name] * len(lines)), crs=crs)
        lines = list(join_parts(layer.rename_axis("river"), gap_m=float(gap_m or 0)).layer.geometry)
    return lines[0], max(asymmetry), min(spacing), len(parts) - len(through) + len(refused)


def _areas_outside_courts(parts: Any) -> Any:
    """Areas that a river may run through: not those in the court of an island of another."""
    shells = shapely.polygons(shapely.get_exterior_ring(parts))
    inner, outer = shapely.STRtree(shells).query(shells, predicate="within")
    courts = np.unique(
        inner[(inner != outer) & (shapely.area(shells)[inner] < shapely.area(shells)[outer])]
    )
    return np.delete(parts, courts)


def _merged_polygon(shape: Any) -> Any:
    """A polygon of parts that touch; islands are its holes."""
    if shape is None or shape.geom_type != "MultiPolygon" or not shape.is_valid:
        return shape
    return shapely.union_all(shapely.get_parts(shape))


def _area_between_banks(banks: Any) -> Any:
    """The area between two bank lines, whichever way they are drawn; a polygon as it is."""
    lines = shapely.get_parts(banks)
    if banks.geom_type != "MultiLineString" or len(lines) != 2:
        return banks
    one, other = (shapely.get_coordinates(line) for line in lines)
    # the end of one bank goes on to the nearer end of the other
    if np.hypot(*(one[-1] - other[0])) > np.hypot(*(one[-1] - other[-1])):
        other = other[::-1]
    return shapely.polygons(np.vstack([one, other]))


def _medial_path(area: Any, spacing_m: float, name: str) -> Any:
    """Longest path through the Voronoi edges inside an area."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import Voronoi

    xy = shapely.get_coordinates(shapely.segmentize(shapely.boundary(area), spacing_m))
    origin = xy.mean(axis=0)  # far from 0 the cells would be rounded
    cells = Voronoi(np.unique(np.round(xy - origin, 6), axis=0))
    shapely.prepare(area)
    nodes = cells.vertices + origin
    pairs = np.asarray(cells.ridge_vertices, np.int32)
    inside = np.append(shapely.contains_xy(area, nodes), False)  # the last: none, at -1
    pairs = pairs[inside[pairs].all(axis=1)]
    if not len(pairs):
        raise LayerError(
            "is too narrow for the spacing",
            layer="areas",
            ids=[name],
            hint="give a smaller spacing_m",
        )
    # scipy before 1.12 reads nothing but 32-bit indices, and says so only as a warning
    one, other = pairs.T
    long = np.maximum(np.hypot(*(nodes[one] - nodes[other]).T), 1e-9)
    graph = coo_array((long, (one, other)), shape=(len(nodes), len(nodes))).tocsr()
    part = connected_components(graph, directed=False)[1]
    biggest = np.flatnonzero(part == np.argmax(np.bincount(part)))
    # in a tree, the farthest node from anywhere is an end of the longest path
    first = _farthest_node(graph, biggest[0])[0]
    last, before = _farthest_node(graph, first)
    path = [last]
    while path[-1] != first:
        path.append(before[path[-1]])
    return shapely.linestrings(nodes[path[::-1]])


def _farthest_node(graph: Any, start: int) -> tuple[int, Any]:
    """Node farthest from the start, and the way back from every node."""
    from scipy.sparse.csgraph import dijkstra

    far, before = dijkstra(graph, directed=False, indices=[start], return_predecessors=True)
    return int(np.argmax(np.where(np.isfinite(far[0]), far[0], -1.0))), before[0]


def _extend_to_edge(line: Any, area: Any, name: str, spacing_m: float) -> Any:
    """Cut the forks into the corners off both ends and go straight on to the edge."""
    bank = shapely.boundary(area)
    shapely.prepare(bank)
    # the median of many, as the arm beside an island is narrower than the river
    along = shapely.line_interpolate_point(line, np.linspace(0.1, 0.9, 17), normalized=True)
    width = 2 * float(np.median(shapely.distance(along, bank)))
    long = float(shapely.length(line))
    if long < 3 * width:
        raise LayerError(
            "is too short for its width to be a river",
            layer="areas",
            ids=[name],
            hint="is it a pond? draw its axis by hand",
        )
    at = np.linspace(0.0, long, max(int(long / spacing_m), 8) + 1)
    # half widths just behind the forks of both ends
    beside = np.array([at[at > width][0], at[at < long - width][-1]])
    half = shapely.distance(shapely.line_interpolate_point(line, beside), bank)
    body = shapely.get_coordinates(line)
    measure = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(body, axis=0).T))])
    # the axis forks half a width from the end and runs to a corner: 1.41 half widths to cut
    start, stop = FORK * half[0], long - FORK * half[1]
    keep = (measure > start) & (measure < stop)
    kept = shapely.simplify(shapely.linestrings(body[keep]), spacing_m / 4)
    xy = shapely.get_coordinates(kept)
    ends = [_exit_point(xy[::-1], area, width), _exit_point(xy, area, width)]
    return shapely.simplify(shapely.linestrings(np.vstack([ends[0], xy, ends[1]])), spacing_m / 4)


def _exit_point(xy: Any, area: Any, width: float) -> Any:
    """Point where the line's last quarter width, gone on straight, leaves the area."""
    line = shapely.linestrings(xy)
    back = shapely.get_coordinates(
        shapely.line_interpolate_point(line, max(shapely.length(line) - width / 4, 0.0))
    )[0]
    along = (xy[-1] - back) / np.hypot(*(xy[-1] - back))
    ray = shapely.linestrings([xy[-1], xy[-1] + 20 * width * along])
    out = shapely.get_coordinates(shapely.intersection(ray, shapely.boundary(area)))
    if not len(out):
        return xy[-1:]
    return out[[np.argmin(np.hypot(*(out - xy[-1]).T))]]


def _bank_asymmetry(line: Any, area: Any) -> float:
    """Greatest difference of the distances to the left and right bank, away from the ends."""
    long = float(shapely.length(line))
    bank = shapely.boundary(area)
    at = np.linspace(0.15 * long, 0.85 * long, 200)
    xy = shapely.get_coordinates(shapely.line_interpolate_point(line, at))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(line, at + 0.5)) - xy
    normal = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / np.hypot(*ahead.T)[:, None]
    shapely.prepare(bank)
    reach = 4 * float(shapely.distance(shapely.points(xy), bank).max())
    pieces = _straight_pieces(bank)
    tree = shapely.STRtree(pieces)
    sides = []
    for sign in (1.0, -1.0):
        rays = np.asarray(shapely.linestrings(np.stack([xy, xy + sign * reach * normal], axis=1)))
        ray, piece = tree.query(rays)
        hit = shapely.intersection(rays[ray], pieces[piece])
        away = shapely.distance(shapely.points(xy[ray]), hit)
        nearest = np.full(len(xy), np.inf)
        np.fmin.at(nearest, ray, away)
        sides.append(nearest)
    difference = np.abs(sides[0] - sides[1])
    return float(np.max(difference[np.isfinite(difference)], initial=0.0))


def _straight_pieces(bank: Any) -> NDArray[np.object_]:
    """Each straight piece of a boundary as a line of its own."""
    xy, part = shapely.get_coordinates(shapely.get_parts(bank), return_index=True)
    same = part[1:] == part[:-1]
    return np.asarray(shapely.linestrings(np.stack([xy[:-1][same], xy[1:][same]], axis=1)))
