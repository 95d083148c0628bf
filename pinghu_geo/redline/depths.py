"""How deep does it reach into the red line? The deepest point, wherever it lies.

The depth of a point is its distance from the line's edge. On a wall it may be greatest between
two corners, on a wide footprint within it: a house across the whole strip has no corner inside.
So each inside part is cut into triangles, and these are halved until none can hide a point that is
deeper by more than the tolerance. The distance from one edge is convex: over a triangle it lies
below the plane through its values at the corners, and the lesser of two distances below the lesser
of two planes. On the ridge of a straight strip that bound is exact, so few are halved at all.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["deepest"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

# The depth of the deepest point is known to this [m].
DEPTH_TOLERANCE_M = 0.01
# Shapes in one cell of this size are cut by the line's part in their common window [m].
WINDOW_M = 500.0
# Triangles that are measured at once: bounds the memory.
TRIANGLES_AT_ONCE = 200_000
# Edges of a stretch that is taken as one.
LONGEST_STRETCH = 24
PAIRS = ((0, 1), (0, 2), (1, 2))


def deepest(shapes: Any, line: Any, *, tolerance_m: float = DEPTH_TOLERANCE_M) -> Floats:
    """Greatest distance [m] of any point of each shape's part inside a line from the line's edge.

    Parameters
    ----------
    shapes
        Array of valid polygons or multipolygons, in metres.
    line
        The line's area, as one (multi)polygon.
    tolerance_m
        The answer is at most this much too small [m], and never too large.

    Returns
    -------
    numpy.ndarray
        Depths; 0 of shapes that share no area with the line.
    """
    found = np.zeros(len(shapes))
    if not len(shapes) or shapely.is_empty(line):
        return found
    shapely.prepare(line)
    edges = _Edges.of(line)
    inside, of = shapely.get_parts(_inside(shapes, line), return_index=True)
    areal = shapely.get_dimensions(inside) == 2
    inside, of = inside[areal], of[areal]
    cut, part = shapely.get_parts(shapely.constrained_delaunay_triangles(inside), return_index=True)
    corners = shapely.get_coordinates(cut).reshape(-1, 4, 2)[:, :3]
    owner = of[part]
    for begin in range(0, len(owner), TRIANGLES_AT_ONCE):
        some = slice(begin, begin + TRIANGLES_AT_ONCE)
        _deepen(found, corners[some], owner[some], edges, tolerance_m)
    return found


class _Edges(NamedTuple):
    """The line's edge: its straight pieces, and their index."""

    start: Floats
    step: Floats
    square: Floats
    ring: Ints
    tree: Any

    @classmethod
    def of(cls, line: Any) -> _Edges:
        """All edges of the line that have a length."""
        rings = shapely.get_rings(shapely.get_parts(line))
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        kept = (ring[1:] == ring[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
        ends = np.stack([xy[:-1][kept], xy[1:][kept]], axis=1)
        step = ends[:, 1] - ends[:, 0]
        tree = shapely.STRtree(shapely.linestrings(ends))
        return cls(ends[:, 0], step, (step**2).sum(axis=1), ring[:-1][kept], tree)

    def nearest(self, xy: Floats) -> tuple[Ints, Floats]:
        """The nearest edge of each point, and how far it is."""
        # corners are shared by triangles: each place is looked up once
        places, at = np.unique(xy, axis=0, return_inverse=True)
        (_, edge), far = self.tree.query_nearest(
            shapely.points(places), all_matches=False, return_distance=True
        )
        at = at.ravel()
        return edge[at], far[at]

    def distance(self, xy: Floats, edge: Ints) -> Floats:
        """Distance of points (..., 2) from edges (...)."""
        return _length(xy - self.foot(xy, edge))

    def foot(self, xy: Floats, edge: Ints) -> Floats:
        """The nearest place of edges (...) to points (..., 2)."""
        start, step = self.start[edge], self.step[edge]
        along = ((xy - start) * step).sum(axis=-1) / self.square[edge]
        return np.asarray(start + np.clip(along, 0.0, 1.0)[..., None] * step)


def _length(gap: Floats) -> Floats:
    """Lengths of vectors."""
    return np.asarray(np.sqrt((gap * gap).sum(axis=-1)))


def _inside(shapes: Any, line: Any) -> Any:
    """What of each shape is inside the line; cut cell by cell, so that a long line costs little."""
    found = np.array(shapes, object)
    cut = np.flatnonzero(~shapely.contains_properly(line, shapes))
    if not len(cut):
        return found
    box = shapely.bounds(shapes[cut])
    cell = np.floor(box[:, :2] / WINDOW_M).astype(np.int64)
    _, of = np.unique(cell, axis=0, return_inverse=True)
    parts = shapely.get_parts(line)
    tree = shapely.STRtree(parts)
    order = np.argsort(of.ravel(), kind="stable")
    begin = np.flatnonzero(np.diff(of.ravel()[order], prepend=-1))
    for rows in np.split(order, begin[1:]):
        low, high = box[rows, :2].min(axis=0) - 1.0, box[rows, 2:].max(axis=0) + 1.0
        near = parts[tree.query(shapely.box(*low, *high))]
        window = shapely.union_all([_clipped(one, low, high) for one in near])
        found[cut[rows]] = shapely.intersection(shapes[cut[rows]], window)
    return found


def _clipped(part: Any, low: Floats, high: Floats) -> Any:
    """A part of the line within a window."""
    quick = shapely.clip_by_rect(part, *low, *high)
    # the fast way may leave an invalid shape where the line runs along the window
    return (
        quick if shapely.is_valid(quick) else shapely.intersection(part, shapely.box(*low, *high))
    )


def _deepen(found: Floats, corners: Floats, owner: Ints, edges: _Edges, tolerance_m: float) -> None:
    """Raise the depths found so far to those of the triangles (n, 3, 2), halving what is open."""
    while len(owner):
        edge, depth = edges.nearest(corners.reshape(-1, 2))
        np.maximum.at(found, owner, depth.reshape(-1, 3).max(axis=1))
        near = edge.reshape(-1, 3)
        still = _bounds_along(corners, near, edges) > found[owner] + tolerance_m
        corners, owner, near = corners[still], owner[still], near[still]
        bound, place = _bounds(corners, near, edges)
        still = bound > found[owner] + tolerance_m
        corners, owner, place, bound = corners[still], owner[still], place[still], bound[still]
        if not len(owner):
            return
        np.maximum.at(found, owner, edges.nearest(place)[1])
        still = bound > found[owner] + tolerance_m
        corners, owner = _halved(corners[still]), np.repeat(owner[still], 2)


def _bounds_along(corners: Floats, near: Ints, edges: _Edges) -> Floats:
    """Upper bound where all corners are nearest to one stretch of the edge, infinite elsewhere.

    Every place of the chord between the outermost feet has one of the stretch beside it, no
    further off than the stretch's corners are; and the distance from the chord is convex.
    """
    rows = np.arange(len(corners))
    first, last = near.argmin(axis=1), near.argmax(axis=1)
    low, high = near[rows, first], near[rows, last]
    some = (edges.ring[low] == edges.ring[high]) & (high - low <= LONGEST_STRETCH)
    a = edges.foot(corners[rows, first], low)
    chord = edges.foot(corners[rows, last], high) - a
    long = _length(chord)
    unit = chord / np.maximum(long, 1e-12)[:, None]
    aside = np.zeros(len(corners))
    for step in range(1, LONGEST_STRETCH + 1):
        on = np.flatnonzero(some & (low + step <= high))
        if not len(on):
            break
        gap = edges.start[low[on] + step] - a[on]
        off = np.where(
            long[on] > 0, np.abs(gap[:, 0] * unit[on, 1] - gap[:, 1] * unit[on, 0]), _length(gap)
        )
        aside[on] = np.maximum(aside[on], off)
    gap = corners - a[:, None]
    along = np.clip((gap * unit[:, None]).sum(axis=2), 0.0, long[:, None])
    far = _length(gap - along[:, :, None] * unit[:, None]).max(axis=1)
    return np.where(some, far + aside, np.inf)


def _bounds(corners: Floats, near: Ints, edges: _Edges) -> tuple[Floats, Floats]:
    """Least upper bound of the depth within each triangle, and the place where it would be."""
    n = len(corners)
    far = edges.distance(corners[:, :, None, :], np.repeat(near[:, None, :], 3, axis=1))
    rows = np.arange(n)
    # from one edge alone: greatest at a corner
    at = far.argmax(axis=1)
    most = np.take_along_axis(far, at[:, None, :], axis=1)[:, 0]
    one = most.argmin(axis=1)
    bound, place = most[rows, one], corners[rows, at[rows, one]]
    for i, j in PAIRS:
        value = np.minimum(far[:, :, i], far[:, :, j])
        top = value.argmax(axis=1)
        both, there = value[rows, top], corners[rows, top]
        ahead = far[:, :, i] - far[:, :, j]
        for u, v in PAIRS:
            crosses = ahead[:, u] * ahead[:, v] < 0
            way = np.where(crosses, ahead[:, u] - ahead[:, v], 1.0)
            share = np.where(crosses, ahead[:, u] / way, 0.0)
            level = far[:, u, i] + share * (far[:, v, i] - far[:, u, i])
            higher = crosses & (level > both)
            both = np.where(higher, level, both)
            between = corners[:, u] + share[:, None] * (corners[:, v] - corners[:, u])
            there = np.where(higher[:, None], between, there)
        less = both < bound
        bound, place = np.where(less, both, bound), np.where(less[:, None], there, place)
    return bound, place


def _halved(corners: Floats) -> Floats:
    """Both halves of each triangle, cut at the middle of its longest side."""
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
    first = sides.argmax(axis=1)[:, None] + np.arange(3)
    a, b, c = np.moveaxis(np.take_along_axis(corners, (first % 3)[:, :, None], axis=1), 1, 0)
    middle = (a + b) / 2
    return np.stack([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)], 1).reshape(-1, 3, 2)
