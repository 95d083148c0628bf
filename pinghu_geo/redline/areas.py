"""How much of each shape lies in each zone? Exact, at a cost that grows with the boundary nearby.

With W(x, y) the winding number of a zone, and a place x0 left of a shape, the shared area is the
integral of G(x, y) = ∫ W from x0 to x along the shape's own outline (Green's theorem). G needs W
beside the shape and the zone's edges that meet the shape's box, nothing else: no intersection is
built, and a zone of 200,000 corners costs what the few of them near each shape cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["CHAIN", "Edges", "LaidZones", "mean_above", "rows_near", "shared_areas"]

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
Ints = NDArray[np.intp]
Shorts = NDArray[np.int32]

# What less is shared is rounding: at eastings with a zone number doubles are 7 nm apart [m²].
ROUNDING_M2 = 1e-6
# Nearer than this to an edge, a reference point is on no sure side of it [m].
UNSURE_M = 1e-6
# How far reference points are from the corners of the boxes: CAD aligns corners with walls [m].
ASIDE_M = (0.0137, 0.0071)
# Edges of a zone that are looked up together.
CHAIN = 6
# Cells of the mask that tells shapes near a zone's boundary from all others.
CELLS = 4_000_000
# Shapes near a boundary, and pairs of edges, taken at a time: bounds the memory.
BATCH, AT_ONCE = 20_000, 2_000_000
# Added below, it makes nothing of nothing by nothing, and alters nothing else.
TINY = 1e-300
# Pairs of edges of one shape and one zone from which on the areas are left to GEOS.
SWEPT = 200_000


def shared_areas(
    shapes: Shapes, zones: Shapes | Sequence[object] | LaidZones
) -> tuple[Ints, Ints, Floats]:
    """Position of shape, position of zone and shared area [m²] of all pairs that share any.

    Both are arrays of valid polygons or multipolygons in metres, none empty; zones may overlap
    one another. Pairs come in the order of the shapes, then of the zones. Areas are within
    rounding of the exact ones: 1e-9 of a shape's, also where boundaries touch or coincide.
    """
    shapes = np.asarray(shapes, object)
    if not isinstance(zones, LaidZones):
        zones = np.asarray(zones, object)
    if not len(shapes) or not len(zones):
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0)
    box = shapely.bounds(shapes)
    laid = zones if isinstance(zones, LaidZones) else LaidZones.around(zones, box)
    parts, owner, mask = laid.parts, laid.owner, laid.mask
    region = mask.regions(box)
    # what no boundary comes near is whole inside, or not at all, as its region is
    who, part = _shapes_in_regions(region, laid.holders)
    found = [(who, part, shapely.area(shapes[who]))]
    edges = Edges.of(parts)
    chains = edges.chains()
    # the four numbers of an edge side by side: looking one up reads one line of the cache
    edges = edges._replace(xy=np.asfortranarray(edges.xy))
    crossed = np.flatnonzero(region == 0)
    for rows in np.array_split(crossed, len(crossed) // BATCH + 1):
        base = box[rows, :2] - ASIDE_M
        region = mask.regions(np.concatenate([base, base], axis=1))
        held, unknown = _shapes_in_regions(region, laid.holders), np.flatnonzero(region == 0)
        pairs = laid.tree.query(shapes[rows[unknown]])
        point, part = _points_in_zones(base[unknown], pairs, parts)
        holds = np.append(held[0], unknown[point]), np.append(held[1], part)
        found.append(_areas_near_boundary(rows, box, shapes, parts, edges, chains, holds))
    who, part, shared = (np.concatenate(one) for one in zip(*found, strict=True))
    pair, at = np.unique(who * len(laid) + owner[part], return_inverse=True)
    who, zone = np.divmod(pair, len(laid))
    whole = shapely.area(shapes[who])
    area = np.minimum(np.bincount(at, weights=shared, minlength=len(pair)), whole)
    some = area > np.minimum(ROUNDING_M2, whole / 2)
    return who[some], zone[some], area[some]


def rows_near(frame: Any, zones: Any, *, within_m: float = 0.0, box: Floats | None = None) -> Ints:
    """Positions of the rows whose boxes meet zones, or come as near to them; in their order.

    Boxes only: whether a shape is valid needn't be known, and nothing is missed. They may be given,
    and so may zones that were laid out.
    """
    if box is None:
        box = shapely.bounds(frame.geometry.to_numpy())
    wide = box + np.r_[[-within_m] * 2, [within_m] * 2] if within_m else box
    laid = zones if isinstance(zones, LaidZones) else LaidZones.around(zones, wide)
    if not len(box) or not len(laid.parts):
        return np.zeros(0, np.intp)
    region = laid.mask.regions(wide)
    found = np.zeros(len(box), bool)
    found[_shapes_in_regions(region, laid.holders)[0]] = True
    crossed = np.flatnonzero(region == 0)
    boxes: Shapes = np.asarray(shapely.box(*wide[crossed].T))
    who, part = laid.tree.query(boxes)
    order = np.argsort(part, kind="stable")  # one part after the other stays in the cache
    who, part = who[order], part[order]
    if within_m:
        exact: Shapes = np.asarray(shapely.box(*box[crossed].T))
        meets = shapely.dwithin(laid.parts[part], exact[who], within_m)
    else:
        meets = shapely.intersects(laid.parts[part], boxes[who])
    found[crossed[who[meets]]] = True
    return np.flatnonzero(found)


@dataclass(frozen=True)
class LaidZones:
    """Zones as both functions look at them, laid out once for all that is asked of them."""

    parts: Shapes  # a part is looked up faster than a whole of many parts, which share no area
    owner: Ints  # of each part
    n: int
    mask: _BoundaryMask
    tree: shapely.STRtree
    holders: tuple[Ints, Ints]

    @classmethod
    def around(cls, zones: Any, box: Floats) -> LaidZones:
        """Zones laid out for shapes whose boxes are such as these; empty zones are none."""
        zones = np.atleast_1d(np.asarray(zones, object))
        parts, owner = shapely.get_parts(zones, return_index=True)
        placed = ~shapely.is_empty(parts)
        parts, owner = parts[placed], owner[placed]
        shapely.prepare(parts)
        mask = _BoundaryMask.of(parts, box)
        tree = _box_tree(*shapely.bounds(parts).T.reshape(2, 2, -1))
        return cls(parts, owner, len(zones), mask, tree, _zones_of_regions(mask, parts, tree))

    def __len__(self) -> int:
        return self.n


class Edges(NamedTuple):
    """Directed edges (x0, y0, x1, y1) with the area to their left, and whose each is, in order."""

    xy: Floats
    owner: Ints

    @classmethod
    def of(cls, polygons: Shapes) -> Edges:
        """All edges of polygons that have a length."""
        rings, of, hole = _rings_of_polygons(np.asarray(polygons, object))
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        x, y = xy.T.copy()
        joined = (ring[1:] == ring[:-1]) & ((x[1:] != x[:-1]) | (y[1:] != y[:-1]))
        ring = ring[:-1][joined]
        ends = np.stack([x[:-1][joined], y[:-1][joined], x[1:][joined], y[1:][joined]])
        first = np.searchsorted(ring, np.arange(len(rings)))
        base = ends[:2, np.minimum(first, len(ring) - 1)][:, ring]
        x0, y0, x1, y1 = ends - np.concatenate([base, base])
        ccw = np.bincount(ring, weights=x0 * y1 - x1 * y0, minlength=len(rings)) > 0
        if (turned := (ccw == hole)[ring]).any():
            ends[:, turned] = ends[[2, 3, 0, 1]][:, turned]
        return cls(ends, of[ring])

    def chains(self) -> shapely.STRtree:
        """Index of the boxes of so many edges in turn, as wide as reference points are aside."""
        begin = np.arange(0, len(self.owner), CHAIN)
        low = np.minimum.reduceat(np.minimum(self.xy[:2], self.xy[2:]), begin, axis=1)
        high = np.maximum.reduceat(np.maximum(self.xy[:2], self.xy[2:]), begin, axis=1)
        return _box_tree(low, high)


def _box_tree(low: Floats, high: Floats) -> shapely.STRtree:
    """Index of boxes, grown so that it finds what reference points beside a shape are in."""
    return shapely.STRtree(np.asarray(shapely.box(*low, *(high.T + ASIDE_M).T)))


def _rings_of_polygons(polygons: Shapes) -> tuple[Any, Ints, NDArray[np.bool_]]:
    """Rings, whose each is, in order, and whether it is a hole: a plain polygon counts as one."""
    plain = (shapely.get_type_id(polygons) == shapely.GeometryType.POLYGON) & (
        shapely.get_num_interior_rings(polygons) == 0
    )
    of = np.arange(len(polygons))
    if plain.all():
        return polygons, of, np.zeros(len(polygons), bool)
    parts, whole = shapely.get_parts(polygons[~plain], return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    hole = np.append(False, part[1:] == part[:-1])[: len(part)]
    rings = np.concatenate([polygons[plain], rings])
    of = np.concatenate([of[plain], of[~plain][whole[part]]])
    hole = np.concatenate([np.zeros(plain.sum(), bool), hole])
    order = np.argsort(of, kind="stable")
    return rings[order], of[order], hole[order]


# --- which shapes are near a boundary ---------------------------------------------------------


class _BoundaryMask(NamedTuple):
    """A grid around all zones: which cells a boundary crosses, and the free regions between.

    Between two boundaries may be several, as runs on rows joined to one above make them.
    """

    corner: Floats
    cell: float
    on: NDArray[np.bool_]
    run: Shorts  # of each cell: free cells side by side on a row; 0 where a boundary crosses
    region: Shorts  # of each run

    @classmethod
    def of(cls, zones: Shapes, box: Floats) -> _BoundaryMask:
        """Mask of zones, with cells as large as most of the boxes."""
        bounds = shapely.total_bounds(zones)
        some = box[:: max(1, len(box) // 1000)]
        extent = bounds[2:] - bounds[:2]
        size = np.median(some[:, 2:] - some[:, :2]) if len(some) else extent.max()
        least = max(np.sqrt(np.prod(extent) / CELLS), extent.max() / 1e5)
        cell = float(max(min(size, extent.max()), least))
        corner = bounds[:2] - cell
        # steps shorter than a cell: what a step crosses are the cells of its two ends' box
        walk = shapely.segmentize(shapely.boundary(zones), 0.9 * cell)
        xy, line = shapely.get_coordinates(shapely.get_parts(walk), return_index=True)
        column, row = ((xy - corner) / cell).T.astype(np.intp)
        step = line[1:] == line[:-1]
        on = np.zeros(np.ceil(extent[::-1] / cell).astype(int) + 3, bool)
        on[row, column] = True
        for r, c in ((row[1:], column[:-1]), (row[:-1], column[1:])):
            on[r[step], c[step]] = True
        return cls(corner, cell, on, *_runs_and_regions(on))

    def regions(self, box: Floats) -> Shorts:
        """Free region of each box; 0 where a boundary crosses its cells, or some beside them."""
        last = np.array(self.on.shape[::-1]) - 1
        # what is outside belongs to the empty rim
        i0, j0, i1, j1 = (
            np.clip((box[:, k] - self.corner[k % 2]) / self.cell, 0, last[k % 2]).astype(np.int32)
            for k in range(4)
        )
        at = j0 * (last[0] + 1) + i0
        found: Shorts = self.region[self.run.ravel().take(at)]
        size = np.maximum(i1 - i0, j1 - j0) + 1
        block, wide = self.on, 1
        while wide < size.max(initial=0):
            # whether a boundary crosses any of twice as many cells each way from here on
            block = block.copy()
            block[:-wide] |= block[wide:]
            block[:, :-wide] |= block[:, wide:]
            some = np.flatnonzero((size > wide) & (size <= 2 * wide))
            found[some[block.ravel().take(at[some])]] = 0
            wide *= 2
        return found


def _runs_and_regions(on: NDArray[np.bool_]) -> tuple[Shorts, Shorts]:
    """Number of each cell's free run (0: none), and the run whose number each run's region has.

    A run is joined to one on the row above: two that touch do so where one of them begins.
    """
    free = ~on
    first = free.copy()
    first[:, 1:] &= on[:, :-1]
    run = np.cumsum(first, dtype=np.int32)
    touch = first[1:] | first[:-1]
    touch &= free[1:]
    touch &= free[:-1]
    at = np.flatnonzero(touch)
    above = np.arange(int(run[-1]) + 1, dtype=np.int32)
    above[run[at + on.shape[1]]] = run[at]
    while not np.array_equal(above, further := above[above]):
        above = further
    run = run.reshape(on.shape)
    run *= free
    return run, above


def _shapes_in_regions(region: Shorts, holders: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Pairs of a place and a zone that holds it, of places in free regions."""
    known, zone = holders
    holds = np.zeros(max(int(region.max(initial=0)), int(known.max(initial=0))) + 1, bool)
    holds[known] = True
    inside = np.flatnonzero(holds[region])
    order = inside[np.argsort(region[inside], kind="stable")]
    begin = np.searchsorted(region[order], known)
    size = np.searchsorted(region[order], known, side="right") - begin
    return order[_consecutive_numbers(begin, size)], np.repeat(zone, size)


def _zones_of_regions(
    mask: _BoundaryMask, zones: Shapes, tree: shapely.STRtree
) -> tuple[Ints, Ints]:
    """Pairs of a free region and a zone that holds it: any cell speaks for its region."""
    on = np.flatnonzero(mask.on)
    beside = np.concatenate([on + 1, on - 1])  # what nothing is beside is whole rows: outside
    region = mask.region[mask.run.ravel()[beside]]
    cell = np.zeros(len(mask.region), np.intp)
    cell[region] = beside
    cell[0] = 0  # the boundary's own cells
    region = np.flatnonzero(cell)
    row, column = np.divmod(cell[region], mask.on.shape[1])
    xy = mask.corner + (np.column_stack([column, row]) + 0.5) * mask.cell
    known, zone = _points_in_zones(xy, tree.query(shapely.points(xy)), zones)
    return region[known], zone


def _points_in_zones(xy: Floats, pairs: Any, zones: Shapes) -> tuple[Ints, Ints]:
    """Pairs of a point and a zone that holds it, among those that may."""
    point, zone = pairs
    order = np.argsort(zone, kind="stable")  # one zone after the other stays in the cache
    point, zone = point[order], zone[order]
    inside = shapely.contains_xy(zones[zone], *xy[point].T)
    return point[inside], zone[inside]


def _consecutive_numbers(begin: Ints, size: Ints) -> Ints:
    """begin, begin + 1, ... of each run, one after the other."""
    ends = np.cumsum(size)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(begin - ends + size, size)


# --- shapes that a boundary may cross ---------------------------------------------------------


def _areas_near_boundary(
    rows: Ints,
    box: Floats,
    shapes: Shapes,
    zones: Shapes,
    edges: Edges,
    chains: shapely.STRtree,
    holds: tuple[Ints, Ints],
) -> tuple[Ints, Ints, Floats]:
    """Shared areas of shapes near a boundary, by integrals along their outlines.

    ``holds`` are the pairs of a shape and a zone that its reference point is in.
    """
    origin = box[rows, :2] - ASIDE_M
    size = box[rows, 2:] - origin
    shape, edge, xy = _edges_near(rows, origin, size, shapes, edges, chains)
    # pairs of a shape and a zone, by one number
    n = len(holds[0])
    both = np.append(holds[0], shape) * len(zones) + np.append(holds[1], edges.owner[edge])
    pair, at = np.unique(both, return_inverse=True)
    winding = np.bincount(at[:n], minlength=len(pair))
    at = at[n:]
    who, of = rows[pair // len(zones)], pair % len(zones)
    held = np.flatnonzero(winding)
    area = np.zeros(len(pair))
    area[held] = winding[held] * shapely.area(shapes[who[held]])
    touched = np.unique(shape)
    own = Edges.of(shapes[rows[touched]])
    first = np.searchsorted(own.owner, np.arange(len(touched) + 1))
    local = np.searchsorted(touched, shape)
    # many edges against many: there GEOS, which sweeps, is ahead
    corners = np.bincount(at, weights=np.diff(first)[local], minlength=len(pair))
    unsure = corners > SWEPT
    unsure[at[_distance_from_origin(xy) < UNSURE_M]] = True
    kept = ~unsure[at]
    shape, local, at, xy = shape[kept], local[kept], at[kept], xy[:, kept]
    for part, index in _edges_right_of_origin(xy, size[shape, 1]):
        count = np.diff(first)[local[index]]
        for some in np.split(np.arange(len(index)), _batch_cuts(count)):
            k = index[some]
            theirs = np.repeat(np.arange(len(k)), count[some])
            base = origin[shape[k[theirs]]].T
            mine = own.xy[:, _consecutive_numbers(first[local[k]], count[some])] - np.concatenate(
                [base, base]
            )
            shared = _area_between_edges(mine, part[:, some[theirs]])
            area += np.bincount(at[k[theirs]], weights=shared, minlength=len(pair))
    area[unsure] = shapely.area(shapely.intersection(shapes[who[unsure]], zones[of[unsure]]))
    return who, of, area


def _batch_cuts(count: Ints) -> Ints:
    """Where to cut a sequence so that no piece counts much more than may be in memory."""
    total = np.cumsum(count)
    last = int(total[-1]) if len(total) else 0
    return np.searchsorted(total, np.arange(AT_ONCE, last, AT_ONCE))


def _edges_near(
    rows: Ints, origin: Floats, size: Floats, shapes: Shapes, edges: Edges, chains: shapely.STRtree
) -> tuple[Ints, Ints, Floats]:
    """Pairs of a shape and an edge that meets its box, and the edge as seen from its corner."""
    shape, chain = chains.query(shapes[rows])
    begin = chain * CHAIN
    n = np.minimum(CHAIN, len(edges.owner) - begin)
    shape, edge = np.repeat(shape, n), _consecutive_numbers(begin, n)
    x0, y0, x1, y1 = edges.xy.T[edge].T
    west, south, east, north = np.concatenate([origin, origin + size], axis=1)[shape].T
    meets = (np.maximum(x0, x1) >= west) & (np.minimum(x0, x1) <= east)
    meets &= (np.maximum(y0, y1) >= south) & (np.minimum(y0, y1) <= north)
    some = np.flatnonzero(meets)
    shape, edge = shape[some], edge[some]
    base = origin[shape].T
    return shape, edge, edges.xy[:, edge] - np.concatenate([base, base])


def _distance_from_origin(xy: Floats) -> Floats:
    """Distance of the origin from each segment."""
    x0, y0, x1, y1 = xy
    dx, dy = x1 - x0, y1 - y0
    # beside zero there are edges whose square is nothing
    square = np.maximum(dx**2 + dy**2, np.finfo(float).tiny)
    t = np.clip(-(x0 * dx + y0 * dy) / square, 0.0, 1.0)
    return np.asarray(np.hypot(x0 + t * dx, y0 + t * dy))


def _edges_right_of_origin(
    xy: Floats, top: Floats
) -> tuple[tuple[Floats, Ints], tuple[Floats, Ints]]:
    """Edges right of the line x = 0, and for each that crosses it above y = 0 the change beyond.

    Left of the line only the winding number along it counts. Where an edge crosses the line, that
    number changes from there upwards, as if a vertical edge came down to the crossing.
    """
    x0, y0, x1, y1 = xy
    left0, left1 = x0 <= 0, x1 <= 0
    kept = np.flatnonzero(~(left0 & left1))
    crosses = np.flatnonzero(left0 != left1)
    enters = left0[crosses]
    a, b = xy[:2, crosses], xy[2:, crosses]
    y = a[1] - a[0] * (b[1] - a[1]) / (b[0] - a[0])
    cut = xy.copy()
    cut[0, crosses[enters]], cut[1, crosses[enters]] = 0.0, y[enters]
    cut[2, crosses[~enters]], cut[3, crosses[~enters]] = 0.0, y[~enters]
    above = (y > 0) & (y < top[crosses])
    y, enters, crosses = y[above], enters[above], crosses[above]
    far, zero = top[crosses], np.zeros(len(y))
    up = np.stack([zero, np.where(enters, far, y), zero, np.where(enters, y, far)])
    return (cut[:, kept], kept), (up, crosses)


def _area_between_edges(a: Floats, b: Floats) -> Floats:
    """Signed area right of edges b and left of edges a, over the heights that both have."""
    low = np.maximum(np.minimum(a[1], a[3]), np.minimum(b[1], b[3]))
    high = np.minimum(np.maximum(a[1], a[3]), np.maximum(b[1], b[3]))
    right = np.maximum(a[0], a[2]) > np.minimum(b[0], b[2])
    some = np.flatnonzero((high > low) & right)
    a, b, low, high = a[:, some], b[:, some], low[some], high[some]
    d0 = _x_at(a, low) - _x_at(b, low)
    d1 = _x_at(a, high) - _x_at(b, high)
    area = np.zeros(right.shape)
    signs = np.sign(a[3] - a[1]) * np.sign(b[1] - b[3])
    area[some] = signs * (high - low) * mean_above(d0, d1)
    return area


def mean_above(d0: Floats, d1: Floats) -> Floats:
    """Mean of what is above 0 of values that change evenly from the first to the second.

    With S = d0 + d1 and A = |d0| + |d1| it is (A + S)² / 8A, whatever the signs.
    """
    size, sums = np.abs(d0), np.abs(d1)
    size += sums
    np.add(d0, d1, out=sums)
    sums += size
    sums *= sums
    size *= 8.0
    size += TINY
    sums /= size
    return np.asarray(sums)


def _x_at(edge: Floats, y: Floats) -> Floats:
    """Where edges are at heights that they reach."""
    x0, y0, x1, y1 = edge
    return np.asarray(x0 + np.clip((y - y0) / (y1 - y0), 0.0, 1.0) * (x1 - x0))
