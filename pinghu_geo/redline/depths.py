"""How deep does it reach into the red line? The deepest point, wherever it lies.

The depth of a point is its distance from the line's edge. On a wall it may be greatest between
two corners, on a wide footprint within it: a house across the whole strip has no corner inside.
Beside one bank or two that bend one way it is found in closed form (`stretches`). Elsewhere each
inside part is cut into triangles, and these are halved until none can hide a point that is deeper
by more than the tolerance. The distance from one edge is convex: over a triangle it lies
below the plane through its values at the corners, and the lesser of two distances below the lesser
of two planes. On the ridge of a straight strip that bound is exact, so few are halved at all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from pinghu_geo.redline.pieces import LineEdges, vector_lengths
from pinghu_geo.redline.stretches import depths_beside_stretches

__all__ = ["DEPTH_TOLERANCE_M", "deepest"]

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
Ints = NDArray[np.intp]

# The depth of the deepest point is known to this [m].
DEPTH_TOLERANCE_M = 0.01
# Shapes in one cell of this size are cut by the line's part in their common window [m].
WINDOW_M = 500.0
# Triangles that are measured at once: bounds the memory.
TRIANGLES_AT_ONCE = 200_000
PAIRS = ((0, 1), (0, 2), (1, 2))


def deepest(shapes: Shapes, line: Any, *, tolerance_m: float = DEPTH_TOLERANCE_M) -> Floats:
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
    line = shapely.orient_polygons(line)
    shapely.prepare(line)
    edges = LineEdges.of(line)
    found, known = depths_beside_stretches(shapes, line, edges, tolerance_m)
    rest = np.flatnonzero(~known)
    inside, of = shapely.get_parts(_parts_inside(shapes[rest], line), return_index=True)
    areal = shapely.get_dimensions(inside) == 2
    inside, of = inside[areal], rest[of[areal]]
    cut, part = shapely.get_parts(shapely.constrained_delaunay_triangles(inside), return_index=True)
    corners = shapely.get_coordinates(cut).reshape(-1, 4, 2)[:, :3]
    owner = of[part]
    for begin in range(0, len(owner), TRIANGLES_AT_ONCE):
        some = slice(begin, begin + TRIANGLES_AT_ONCE)
        _raise_depths(found, corners[some], owner[some], edges, tolerance_m)
    return found


def _parts_inside(shapes: Shapes, line: Any) -> Shapes:
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
        within = [_part_in_window(one, low, high) for one in near]
        window = within[0] if len(within) == 1 else shapely.union_all(within)
        found[cut[rows]] = shapely.intersection(shapes[cut[rows]], window)
    return found


def _part_in_window(part: Any, low: Floats, high: Floats) -> Any:
    """A part of the line within a window."""
    # the fast way may fail, or leave an invalid shape, where the line runs along the window
    try:
        quick = shapely.clip_by_rect(part, *low, *high)
    except shapely.GEOSException:
        quick = None
    if quick is not None and shapely.is_valid(quick):
        return quick
    return shapely.intersection(part, shapely.box(*low, *high))


def _raise_depths(
    found: Floats, corners: Floats, owner: Ints, edges: LineEdges, tolerance_m: float
) -> None:
    """Raise the depths found so far to those of the triangles (n, 3, 2), halving what is open."""
    # corners are shared by triangles: each place is looked up once
    flat = corners.reshape(-1, 2)
    places, at = np.unique(flat[:, 0] + 1j * flat[:, 1], return_inverse=True)
    edge, depth = edges.nearest(np.stack([places.real, places.imag], axis=1))
    near = edge[at].reshape(-1, 3)
    np.maximum.at(found, owner, depth[at].reshape(-1, 3).max(axis=1))
    while len(owner):
        bound, place = _depth_bounds(corners, near, edges)
        still = bound > found[owner] + tolerance_m
        corners, owner, near = corners[still], owner[still], near[still]
        place, bound = place[still], bound[still]
        if not len(owner):
            return
        np.maximum.at(found, owner, edges.nearest(place)[1])
        still = bound > found[owner] + tolerance_m
        corners, near, owner = corners[still], near[still], owner[still]
        if not len(owner):
            return
        corners, near, depth = _halved_triangles(corners, near, edges)
        np.maximum.at(found, owner, depth)
        owner = np.repeat(owner, 2)


def _depth_bounds(corners: Floats, near: Ints, edges: LineEdges) -> tuple[Floats, Floats]:
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


def _halved_triangles(corners: Floats, near: Ints, edges: LineEdges) -> tuple[Floats, Ints, Floats]:
    """Both halves of each triangle, cut at the middle of its longest side, and how deep that is."""
    sides = vector_lengths(corners - np.roll(corners, -1, axis=1))
    turn = (sides.argmax(axis=1)[:, None] + np.arange(3)) % 3
    a, b, c = np.moveaxis(np.take_along_axis(corners, turn[:, :, None], axis=1), 1, 0)
    i, j, k = np.take_along_axis(near, turn, axis=1).T
    middle = (a + b) / 2
    edge, depth = edges.nearest(middle)
    halves = np.stack([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)], 1)
    beside = np.stack([np.stack([i, edge, k], 1), np.stack([edge, j, k], 1)], 1)
    return halves.reshape(-1, 3, 2), beside.reshape(-1, 3), depth
