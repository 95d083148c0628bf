"""How deep does it reach into the red line? The deepest point, wherever it lies.

The depth of a point is its distance from the line's edge. On a wall it may be greatest between
two corners, on a wide footprint within it: a house across the whole strip has no corner inside.
So each inside part is cut into triangles, and these are halved until none can hide a point that is
deeper by more than the tolerance. The distance from one edge is convex: over a triangle it lies
below the plane through its values at the corners, and the lesser of two distances below the lesser
of two planes. On the ridge of a straight strip that bound is exact, so few are halved at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

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
# Edges of a stretch that is taken as one.
LONGEST_STRETCH = 24
# Posts along the edge are no further apart [m], unless there were more than so many.
POST_M, MOST_POSTS = 2.0, 1_000_000
# Posts that are looked at of each point.
POSTS = 8
# What coordinates with a zone number leave of a distance [m].
ROUNDING_M = 1e-6
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
    shapely.prepare(line)
    edges = _LineEdges.of(line)
    inside, of = shapely.get_parts(_parts_inside(shapes, line), return_index=True)
    areal = shapely.get_dimensions(inside) == 2
    inside, of = inside[areal], of[areal]
    cut, part = shapely.get_parts(shapely.constrained_delaunay_triangles(inside), return_index=True)
    corners = shapely.get_coordinates(cut).reshape(-1, 4, 2)[:, :3]
    owner = of[part]
    for begin in range(0, len(owner), TRIANGLES_AT_ONCE):
        some = slice(begin, begin + TRIANGLES_AT_ONCE)
        _raise_depths(found, corners[some], owner[some], edges, tolerance_m)
    return found


@dataclass(frozen=True)
class _LineEdges:
    """The line's edge: its straight pieces, and two indexes of them.

    Along each piece are posts, its ends among them, none further apart than twice ``half``: of the
    posts beside the nearest place one is no further off than the root of the distance's square and
    that of ``half``.
    """

    start: Floats
    step: Floats
    square: Floats
    ring: Ints
    posts: Any
    before: Ints  # the edge that comes to each post
    behind: Ints  # and the one that leaves it
    half: float

    @classmethod
    def of(cls, line: Any) -> _LineEdges:
        """All edges of the line that have a length."""
        rings = shapely.get_rings(shapely.get_parts(line))
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        kept = (ring[1:] == ring[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
        ends = np.stack([xy[:-1][kept], xy[1:][kept]], axis=1)
        ring = ring[:-1][kept]
        step = ends[:, 1] - ends[:, 0]
        long = _vector_lengths(step)
        apart = max(POST_M, float(long.sum()) / MOST_POSTS)
        n = np.ceil(long / apart).astype(np.intp)
        edge = np.repeat(np.arange(len(n)), n)
        begin = np.cumsum(n) - n
        share = (np.arange(len(edge)) - begin[edge]) / n[edge]
        # each ring is closed: its first post is reached by its last edge
        before = edge - (share == 0)
        first = np.flatnonzero(np.diff(ring, prepend=-1))
        before[begin[first]] = np.append(first[1:], len(ring)) - 1
        posts = cKDTree(ends[edge, 0] + share[:, None] * step[edge])
        half = float((long / n).max()) / 2
        square = (step**2).sum(axis=1)
        return cls(ends[:, 0], step, square, ring, posts, before, edge, half)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of the pieces themselves, which few lookups need."""
        ends = np.stack([self.start, self.start + self.step], axis=1)
        return shapely.STRtree(np.asarray(shapely.linestrings(ends)))

    def nearest(self, xy: Floats) -> tuple[Ints, Floats]:
        """The nearest edge of each point, and how far it is."""
        far, post = self.posts.query(xy, k=POSTS)
        # what is not beside one of these posts is further off than the first of them
        limit = np.sqrt(far[:, 0] ** 2 + self.half**2) + ROUNDING_M
        which, column = np.nonzero(far <= limit[:, None])
        post = post[which, column]
        which = np.concatenate([which, which])
        edge = np.concatenate([self.before[post], self.behind[post]])
        gap = self.distance(xy[which], edge)
        order = np.lexsort((gap, which))
        first = order[np.flatnonzero(np.diff(which[order], prepend=-1))]
        edge, gap = edge[first], gap[first]
        unsure = np.flatnonzero(far[:, -1] <= limit)
        if len(unsure):
            (_, edge[unsure]), gap[unsure] = self.tree.query_nearest(
                shapely.points(xy[unsure]), all_matches=False, return_distance=True
            )
        return edge, gap

    def distance(self, xy: Floats, edge: Ints) -> Floats:
        """Distance of points (..., 2) from edges (...)."""
        return _vector_lengths(xy - self.foot(xy, edge))

    def foot(self, xy: Floats, edge: Ints) -> Floats:
        """The nearest place of edges (...) to points (..., 2)."""
        start, step = self.start[edge], self.step[edge]
        along = ((xy - start) * step).sum(axis=-1) / self.square[edge]
        return np.asarray(start + np.clip(along, 0.0, 1.0)[..., None] * step)


def _vector_lengths(gap: Floats) -> Floats:
    """Lengths of vectors."""
    return np.asarray(np.sqrt((gap * gap).sum(axis=-1)))


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
    found: Floats, corners: Floats, owner: Ints, edges: _LineEdges, tolerance_m: float
) -> None:
    """Raise the depths found so far to those of the triangles (n, 3, 2), halving what is open."""
    # corners are shared by triangles: each place is looked up once
    flat = corners.reshape(-1, 2)
    places, at = np.unique(flat[:, 0] + 1j * flat[:, 1], return_inverse=True)
    edge, depth = edges.nearest(np.stack([places.real, places.imag], axis=1))
    near = edge[at].reshape(-1, 3)
    np.maximum.at(found, owner, depth[at].reshape(-1, 3).max(axis=1))
    while len(owner):
        still = _bounds_by_stretch(corners, near, edges) > found[owner] + tolerance_m
        corners, owner, near = corners[still], owner[still], near[still]
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


def _bounds_by_stretch(corners: Floats, near: Ints, edges: _LineEdges) -> Floats:
    """Upper bound where all corners are nearest to one stretch of the edge, infinite elsewhere.

    Every place of the chord between the outermost feet has one of the stretch beside it, no
    further off than the stretch's corners are; and the distance from the chord is convex. What
    bulges towards a triangle is nearer than the chord: only what falls back from it counts.
    """
    rows = np.arange(len(corners))
    first, last = near.argmin(axis=1), near.argmax(axis=1)
    low, high = near[rows, first], near[rows, last]
    some = (edges.ring[low] == edges.ring[high]) & (high - low <= LONGEST_STRETCH)
    a = edges.foot(corners[rows, first], low)
    chord = edges.foot(corners[rows, last], high) - a
    long = _vector_lengths(chord)
    unit = chord / np.maximum(long, 1e-12)[:, None]
    gap = corners - a[:, None]
    height = gap[:, :, 1] * unit[:, None, 0] - gap[:, :, 0] * unit[:, None, 1]
    side = np.where((height >= 0).all(axis=1), 1.0, np.where((height <= 0).all(axis=1), -1.0, 0.0))
    side[long == 0] = 0.0
    back, ahead = np.zeros(len(corners)), np.zeros(len(corners))
    for step in range(1, LONGEST_STRETCH + 1):
        on = np.flatnonzero(some & (low + step <= high))
        if not len(on):
            break
        off = edges.start[low[on] + step] - a[on]
        aside = off[:, 1] * unit[on, 0] - off[:, 0] * unit[on, 1]
        # where the chord has no length or the triangle lies across it, all that is aside counts
        one_side = side[on] != 0
        aside = np.where(long[on] > 0, aside, _vector_lengths(off))
        aside = np.where(one_side, aside * side[on], np.abs(aside))
        back[on] = np.maximum(back[on], np.where(one_side, -aside, aside))
        ahead[on] = np.maximum(ahead[on], aside)
    along = np.clip((gap * unit[:, None]).sum(axis=2), 0.0, long[:, None])
    far = _vector_lengths(gap - along[:, :, None] * unit[:, None]).max(axis=1)
    return np.where(some, np.maximum(far + back, ahead), np.inf)


def _depth_bounds(corners: Floats, near: Ints, edges: _LineEdges) -> tuple[Floats, Floats]:
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


def _halved_triangles(
    corners: Floats, near: Ints, edges: _LineEdges
) -> tuple[Floats, Ints, Floats]:
    """Both halves of each triangle, cut at the middle of its longest side, and how deep that is."""
    sides = _vector_lengths(corners - np.roll(corners, -1, axis=1))
    turn = (sides.argmax(axis=1)[:, None] + np.arange(3)) % 3
    a, b, c = np.moveaxis(np.take_along_axis(corners, turn[:, :, None], axis=1), 1, 0)
    i, j, k = np.take_along_axis(near, turn, axis=1).T
    middle = (a + b) / 2
    edge, depth = edges.nearest(middle)
    halves = np.stack([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)], 1)
    beside = np.stack([np.stack([i, edge, k], 1), np.stack([edge, j, k], 1)], 1)
    return halves.reshape(-1, 3, 2), beside.reshape(-1, 3), depth
