"""How much of each shape lies in each zone? Exact, at a cost that grows with the boundary nearby.

With W(x, y) the winding number of a zone, and a place x0 left of a shape, the shared area is the
integral of G(x, y) = ∫ W from x0 to x along the shape's own outline (Green's theorem). G needs W
beside the shape and the zone's edges that meet the shape's box, nothing else: no intersection is
built, and a zone of 200,000 corners costs what the few of them near each shape cost.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["Edges", "mean_above", "shared_areas"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

# What less is shared is rounding: at eastings with a zone number doubles are 7 nm apart [m²].
ROUNDING_M2 = 1e-6
# Nearer than this to an edge, a reference point is on no sure side of it [m].
UNSURE_M = 1e-6
# How far reference points are from the corners of the boxes: CAD aligns corners with walls [m].
ASIDE_M = (0.0137, 0.0071)
# Edges of a zone that are looked up together.
CHAIN = 8
# Cells of the mask that tells shapes near a zone's boundary from all others.
CELLS = 4_000_000
# Shapes near a boundary, and pairs of edges, taken at a time: bounds the memory.
BATCH, AT_ONCE = 50_000, 2_000_000
# Pairs of edges of one shape and one zone from which on the areas are left to GEOS.
SWEPT = 200_000


def shared_areas(shapes: Any, zones: Any) -> tuple[Ints, Ints, Floats]:
    """Position of shape, position of zone and shared area [m²] of all pairs that share any.

    Both are arrays of valid, two-dimensional polygons or multipolygons in metres; zones may overlap
    one another. Pairs come in the order of the shapes, then of the zones. Areas are within
    rounding of the exact ones: 1e-9 of a shape's, also where boundaries touch or coincide.
    """
    shapes, zones = np.asarray(shapes, object), np.asarray(zones, object)
    if not len(shapes) or not len(zones):
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0)
    # a part is looked up faster than a whole of many parts, which share no area
    parts, owner = shapely.get_parts(zones, return_index=True)
    shapely.prepare(parts)
    box = shapely.bounds(shapes)
    near, mask = _near(box, parts)
    cells = mask.cells(box[near])
    crossed = mask.crossed(cells)
    holders = _holders(mask, parts)
    # what no boundary comes near is whole inside, or not at all, as its region is
    k, part = _held(mask.region[cells[1], cells[0]][~crossed], holders)
    who = near[~crossed][k]
    found = [(who, part, shapely.area(shapes[who]))]
    edges = Edges.of(parts)
    chains = edges.chains()
    for rows in np.array_split(near[crossed], crossed.sum() // BATCH + 1):
        base = box[rows, :2] - ASIDE_M
        column, row = mask.cells(np.concatenate([base, base], axis=1))[:2]
        region = mask.region[row, column]
        held, unknown = _held(region, holders), np.flatnonzero(region == 0)
        point, part = _holding(base[unknown], parts)
        holds = np.append(held[0], unknown[point]), np.append(held[1], part)
        found.append(_across(rows, box, shapes, parts, edges, chains, holds))
    who, part, shared = (np.concatenate(one) for one in zip(*found, strict=True))
    pair, at = np.unique(who * len(zones) + owner[part], return_inverse=True)
    who, zone = np.divmod(pair, len(zones))
    whole = shapely.area(shapes[who])
    area = np.minimum(np.bincount(at, weights=shared, minlength=len(pair)), whole)
    some = area > np.minimum(ROUNDING_M2, whole / 2)
    return who[some], zone[some], area[some]


class Edges(NamedTuple):
    """Directed edges (x0, y0, x1, y1) with the area to their left, and whose each is, in order."""

    xy: Floats
    owner: Ints

    @classmethod
    def of(cls, polygons: Any) -> Edges:
        """All edges of polygons that have a length."""
        parts, of = shapely.get_parts(polygons, return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        hole = np.append(False, part[1:] == part[:-1])[: len(part)]
        back = shapely.is_ccw(rings) == hole
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        x, y = xy.T.copy()
        joined = (ring[1:] == ring[:-1]) & ((x[1:] != x[:-1]) | (y[1:] != y[:-1]))
        ends = np.stack([x[:-1][joined], y[:-1][joined], x[1:][joined], y[1:][joined]])
        ring = ring[:-1][joined]
        if (turned := back[ring]).any():
            ends[:, turned] = ends[[2, 3, 0, 1]][:, turned]
        return cls(ends, of[part[ring]])

    def chains(self) -> Any:
        """Index of the boxes of so many edges in turn, as wide as reference points are aside."""
        begin = np.arange(0, len(self.owner), CHAIN)
        low = np.minimum.reduceat(np.minimum(self.xy[:2], self.xy[2:]), begin, axis=1)
        high = np.maximum.reduceat(np.maximum(self.xy[:2], self.xy[2:]), begin, axis=1)
        return shapely.STRtree(shapely.box(*low, *(high.T + ASIDE_M).T))


# --- which shapes are near a boundary ---------------------------------------------------------


class _Mask(NamedTuple):
    """A grid around all zones: which cells a boundary crosses, and the free regions between."""

    corner: Floats
    cell: float
    sums: NDArray[np.int32]
    region: NDArray[np.int32]

    def cells(self, box: Floats) -> NDArray[np.int32]:
        """First and last column and row of boxes; what is outside belongs to the empty rim."""
        rows, columns = self.region.shape
        found = np.empty((4, len(box)), np.int32)
        for k, last in enumerate((columns, rows, columns, rows)):
            at = (box[:, k] - self.corner[k % 2]) / self.cell
            found[k] = np.clip(at, 0, last - 1, out=at)
        return found

    def crossed(self, cells: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether a boundary crosses any of the cells."""
        i0, j0, i1, j1 = cells
        wide, s = self.sums.shape[1], self.sums.ravel()
        below, above = j0 * wide, (j1 + 1) * wide
        inside = s[above + i1 + 1] - s[above + i0] - s[below + i1 + 1] + s[below + i0]
        return np.asarray(inside > 0)


def _near(box: Floats, zones: Any) -> tuple[Ints, _Mask]:
    """Shapes whose boxes meet that of all zones, and the mask to tell them apart."""
    bounds = shapely.total_bounds(zones)
    meets = (box[:, 0] < bounds[2]) & (box[:, 2] > bounds[0])
    near = np.flatnonzero(meets & (box[:, 1] < bounds[3]) & (box[:, 3] > bounds[1]))
    some = box[near[:: max(1, len(near) // 1000)]]
    size = np.median(some[:, 2:] - some[:, :2]) if len(near) else np.inf
    extent = bounds[2:] - bounds[:2]
    cell = float(max(min(size, extent.max()), np.sqrt(np.prod(extent) / CELLS), extent.max() / 1e5))
    corner = bounds[:2] - cell
    shape = tuple(np.ceil(extent[::-1] / cell).astype(int) + 3)
    # steps shorter than a cell: what a step crosses are the cells of its two ends' box
    walk = shapely.segmentize(shapely.boundary(zones), 0.9 * cell)
    xy, line = shapely.get_coordinates(shapely.get_parts(walk), return_index=True)
    column, row = ((xy - corner) / cell).T.astype(np.intp)
    step = line[1:] == line[:-1]
    on = np.zeros(shape, bool)
    on[row, column] = True
    for r, c in ((row[1:], column[:-1]), (row[:-1], column[1:])):
        on[r[step], c[step]] = True
    sums = np.zeros((shape[0] + 1, shape[1] + 1), np.int32)
    np.cumsum(on, axis=0, dtype=np.int32, out=sums[1:, 1:])
    np.cumsum(sums, axis=1, out=sums)
    return near, _Mask(corner, cell, sums, ndimage.label(~on)[0])


def _held(region: Ints, holders: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Pairs of a place and a zone that holds it, of places in free regions."""
    known, zone = holders
    holds = np.zeros(max(int(region.max(initial=0)), int(known.max(initial=0))) + 1, bool)
    holds[known] = True
    inside = np.flatnonzero(holds[region])
    order = inside[np.argsort(region[inside], kind="stable")]
    begin = np.searchsorted(region[order], known)
    size = np.searchsorted(region[order], known, side="right") - begin
    return order[_runs(begin, size)], np.repeat(zone, size)


def _holders(mask: _Mask, zones: Any) -> tuple[Ints, Ints]:
    """Pairs of a free region and a zone that holds it: any cell speaks for its region."""
    region = mask.region.ravel()
    cell = np.zeros(int(region.max()) + 1, np.intp)
    begin = np.flatnonzero(np.diff(region, prepend=-1))
    cell[region[begin]] = begin
    place = np.stack(np.unravel_index(cell, mask.region.shape)[::-1], axis=1)
    known, zone = _holding(mask.corner + (place + 0.5) * mask.cell, zones)
    free = known > 0  # region 0 is the boundary's own cells
    return known[free], zone[free]


def _holding(xy: Floats, zones: Any) -> tuple[Ints, Ints]:
    """Pairs of a point and a zone that holds it."""
    point, zone = shapely.STRtree(zones).query(shapely.points(xy))
    order = np.argsort(zone, kind="stable")  # one zone after the other stays in the cache
    point, zone = point[order], zone[order]
    inside = shapely.contains_xy(zones[zone], *xy[point].T)
    return point[inside], zone[inside]


def _runs(begin: Ints, size: Ints) -> Ints:
    """begin, begin + 1, ... of each run, one after the other."""
    ends = np.cumsum(size)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(begin - ends + size, size)


# --- shapes that a boundary may cross ---------------------------------------------------------


def _across(
    rows: Ints,
    box: Floats,
    shapes: Any,
    zones: Any,
    edges: Edges,
    chains: Any,
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
    area = winding * shapely.area(shapes[who])
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
    for part, index in _clipped(xy, size[shape, 1]):
        count = np.diff(first)[local[index]]
        for some in np.split(np.arange(len(index)), _cuts(count)):
            k = index[some]
            theirs = np.repeat(np.arange(len(k)), count[some])
            base = origin[shape[k[theirs]]].T
            mine = own.xy[:, _runs(first[local[k]], count[some])] - np.concatenate([base, base])
            shared = _integral(mine, part[:, some[theirs]])
            area += np.bincount(at[k[theirs]], weights=shared, minlength=len(pair))
    area[unsure] = shapely.area(shapely.intersection(shapes[who[unsure]], zones[of[unsure]]))
    return who, of, area


def _cuts(count: Ints) -> Ints:
    """Where to cut a sequence so that no piece counts much more than may be in memory."""
    total = np.cumsum(count)
    last = int(total[-1]) if len(total) else 0
    return np.searchsorted(total, np.arange(AT_ONCE, last, AT_ONCE))


def _edges_near(
    rows: Ints, origin: Floats, size: Floats, shapes: Any, edges: Edges, chains: Any
) -> tuple[Ints, Ints, Floats]:
    """Pairs of a shape and an edge that meets its box, and the edge as seen from its corner."""
    shape, chain = chains.query(shapes[rows])
    begin = chain * CHAIN
    n = np.minimum(CHAIN, len(edges.owner) - begin)
    shape, edge = np.repeat(shape, n), _runs(begin, n)
    base = origin[shape].T
    xy = edges.xy[:, edge] - np.concatenate([base, base])
    (x0, y0, x1, y1), (wide, high) = xy, size[shape].T
    meets = (np.maximum(x0, x1) >= 0) & (np.minimum(x0, x1) <= wide)
    meets &= (np.maximum(y0, y1) >= 0) & (np.minimum(y0, y1) <= high)
    return shape[meets], edge[meets], xy[:, meets]


def _distance_from_origin(xy: Floats) -> Floats:
    """Distance of the origin from each segment."""
    x0, y0, x1, y1 = xy
    dx, dy = x1 - x0, y1 - y0
    # beside zero there are edges whose square is nothing
    square = np.maximum(dx**2 + dy**2, np.finfo(float).tiny)
    t = np.clip(-(x0 * dx + y0 * dy) / square, 0.0, 1.0)
    return np.asarray(np.hypot(x0 + t * dx, y0 + t * dy))


def _clipped(xy: Floats, top: Floats) -> tuple[tuple[Floats, Ints], tuple[Floats, Ints]]:
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


def _integral(a: Floats, b: Floats) -> Floats:
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
    """Mean of what is above 0 of values that change evenly from the first to the second."""
    mean = (np.maximum(d0, 0.0) + np.maximum(d1, 0.0)) / 2
    # where they change sign, a triangle is left of the trapezoid
    mixed = np.nonzero((d0 > 0) != (d1 > 0))
    mean[mixed] *= 2 * mean[mixed] / np.abs(d1[mixed] - d0[mixed])
    return np.asarray(mean)


def _x_at(edge: Floats, y: Floats) -> Floats:
    """Where edges are at heights that they reach."""
    x0, y0, x1, y1 = edge
    return np.asarray(x0 + np.clip((y - y0) / (y1 - y0), 0.0, 1.0) * (x1 - x0))
