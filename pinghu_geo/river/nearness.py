"""What of the centrelines is nearest to each feature? Places, stretches and offsets, exact.

Features that are close together share the segments that may matter to any of them: those no farther
from the middle of their group than the nearest by more than the group is wide. Of these only few
matter to one feature, and only they are measured to its corners. What is nearest is so found among
some fifteen segments, however long the rivers are, and nothing that could be nearer is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from pinghu_geo.river.centreline import SAME_PLACE_M, Centrelines, Floats, Ints

__all__ = ["Beside", "beside"]

Shapes = NDArray[np.object_]
Shorts = NDArray[np.int32]
Truths = NDArray[np.bool_]
Spans = tuple[Floats, Floats]

AREAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
# A footprint is followed along the river this many of its own diameters to either side.
REACH_DIAMETERS = 4.0
# What is no more than this farther is as near [m]: coordinates with a zone number are 7 nm apart.
ROUNDING_M = 1e-6
# What a distance of nothing may come to [m].
TOUCHING_M = 1e-9
# Golden section: each step leaves 0.618 of a wall, so 25 steps leave 6e-6 of it.
GOLDEN, GOLDEN_STEPS = 0.6180339887498949, 25
# How far along a wall it is tried whether it leads away from the river, as a share of it.
PROBE = 1e-3
# Pairs of a point and a segment measured at once, what a processor keeps near at hand; and pairs
# of all features that are taken together, which bounds the memory.
AT_ONCE, TOGETHER = 40_000, 400_000


class Beside(NamedTuple):
    """Where each feature is beside its river, one row each."""

    river: Ints
    near_from: Floats  # first and last measure within a millimetre of as near as any [m]
    near_to: Floats
    start: Floats  # first and last measure of what is nearest to any corner [m]
    end: Floats
    offset_min: Floats  # right of the flow positive [m]
    offset_max: Floats
    distance: Floats
    ambiguous: Truths

    @classmethod
    def empty(cls, n: int) -> Beside:
        """Columns to be filled in."""
        a, b, c, d, e, f, g = (np.empty(n) for _ in range(7))
        return cls(np.empty(n, np.intp), a, b, c, d, e, f, g, np.empty(n, bool))


def beside(shapes: Shapes, lines: Centrelines, wanted: Ints | None) -> Beside:
    """Place of each feature beside the river that is wanted, or beside the nearest one.

    ``shapes`` are plain or multiple points, lines or valid polygons in two dimensions, none
    empty. Of places that are equally near the first counts, by the rivers' names and the flow.
    """
    found = Beside.empty(len(shapes))
    segments = _Segments.of(lines)
    box = shapely.bounds(shapes)
    order, begin, size, listed = _groups_with_segments(box, lines, wanted)
    corners = shapely.get_num_coordinates(shapes)[order]
    kind = shapely.get_type_id(shapes)
    plain = (kind <= shapely.GeometryType.POLYGON) & (shapely.get_num_interior_rings(shapes) == 0)
    for part in _slices_by_weight(size * corners, TOGETHER):
        rows = order[part]
        some = _Features.of(shapes[rows], box[rows], kind[rows], plain=bool(plain[rows].all()))
        mine = None if wanted is None else wanted[rows]
        pairs = _Pairs.narrowed(some, begin[part], size[part], listed, segments, mine)
        for column, values in zip(
            found, _places_of_features(some, pairs, lines, segments), strict=True
        ):
            column[rows] = values
    return found


class _Segments(NamedTuple):
    """Segments of all rivers, column by column."""

    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    ux: Floats
    uy: Floats
    length: Floats
    measure: Floats
    river: Ints
    turn: Floats  # of its river by name: that of the first is 0

    @classmethod
    def of(cls, lines: Centrelines) -> _Segments:
        """The columns of centrelines that are laid out."""
        unit = lines.step / lines.length[:, None]
        x0, y0 = lines.start.T.copy()
        x1, y1 = lines.end.T.copy()
        ux, uy = unit.T.copy()
        turn = np.argsort(np.argsort(np.asarray(lines.names, str))).astype(float)[lines.river]
        return cls(x0, y0, x1, y1, ux, uy, lines.length, lines.measure, lines.river, turn)

    def squares(self, x: Floats, y: Floats, seg: Ints) -> Floats:
        """Squares of the distances of points from the segments given with them."""
        x, y = x - self.x0[seg], y - self.y0[seg]
        ux, uy = self.ux[seg], self.uy[seg]
        along = x * ux
        along += y * uy
        np.maximum(along, 0.0, out=along)
        np.minimum(along, self.length[seg], out=along)
        ux *= along
        uy *= along
        x -= ux
        y -= uy
        x *= x
        y *= y
        x += y
        return x


class _Features(NamedTuple):
    """Corners of some features, each once, with the wall from each to the next on its ring or line.

    The wall of a point, and of the last corner of an open line, has no length.
    """

    shapes: Shapes
    box: Floats
    point: Truths
    areal: Truths
    x: Floats
    y: Floats
    who: Ints
    first: Ints  # where the corners of each begin, and where all end
    next: Ints
    ends: Floats  # (4, corners): ax, ay, bx, by

    @classmethod
    def of(cls, shapes: Shapes, box: Floats, kind: Shorts, *, plain: bool) -> _Features:
        """Corners and walls of shapes; of plain ones each is one line or ring."""
        xy, who = shapely.get_coordinates(shapes, return_index=True)
        path = who if plain else _path_of_corners(shapes)
        x, y = xy.T.copy()
        last = np.flatnonzero(np.append(path[1:] != path[:-1], True))
        begin = np.append(0, last[:-1] + 1)
        closed = (last > begin) & (x[begin] == x[last]) & (y[begin] == y[last])
        following = np.arange(1, len(x) + 1)
        following[last] = last
        following[last[closed] - 1] = begin[closed]
        kept = np.ones(len(x), bool)
        kept[last[closed]] = False
        place = np.cumsum(kept) - 1
        x, y, who, after = x[kept], y[kept], who[kept], place[following[kept]]
        first = np.searchsorted(who, np.arange(len(shapes) + 1))
        ends = np.stack([x, y, x[after], y[after]])
        point, areal = kind == shapely.GeometryType.POINT, np.isin(kind, AREAL)
        return cls(shapes, box, point, areal, x, y, who, first, after, ends)


def _path_of_corners(shapes: Shapes) -> Ints:
    """The ring or line that each corner is on, as a number that rises."""
    parts = shapely.get_parts(shapes)
    areas = shapely.get_dimensions(parts) == 2
    parts[areas] = shapely.boundary(parts[areas])
    return np.asarray(shapely.get_coordinates(shapely.get_parts(parts), return_index=True)[1])


# --- which segments may matter -----------------------------------------------------------------


def _groups_with_segments(
    box: Floats, lines: Centrelines, wanted: Ints | None
) -> tuple[Ints, Ints, Ints, Ints]:
    """Features in the order of groups, and of each the run of segments listed for its group."""
    centre, radius = (box[:, :2] + box[:, 2:]) / 2, _half_diagonals(box)
    length = float(lines.length.mean())
    # cells two to four times as wide as a feature: smaller ones hold hardly more than one each
    level = np.ceil(np.log2(2 * np.maximum(2 * radius, length))).astype(np.int32)
    column, row = np.floor(centre.T / np.exp2(level)).astype(np.int64)
    keys = [np.zeros(len(box), np.int64) if wanted is None else wanted, level, column, row]
    key = np.zeros(len(box), np.int64)
    for one in keys:  # where these numbers run over, groups are smaller than they might be
        key = key * (int(np.ptp(one)) + 1) + (one - one.min())
    order = np.argsort(key)
    new = np.ones(len(order), bool)
    new[1:] = np.logical_or.reduce([np.diff(one[order]) != 0 for one in keys])
    group, first = np.cumsum(new) - 1, np.flatnonzero(new)
    low = np.minimum.reduceat(centre[order], first)
    high = np.maximum.reduceat(centre[order], first)
    middle = (low + high) / 2
    reach = np.hypot(*(high - low).T) + 4 * np.maximum.reduceat(radius[order], first)
    tree = shapely.STRtree(lines.segments())
    mine = None if wanted is None else wanted[order[first]]
    reach += _distance_from_river(middle, lines, tree, mine) + SAME_PLACE_M
    near = shapely.box(*(middle - reach[:, None]).T, *(middle + reach[:, None]).T)
    of, seg = tree.query(near)
    seg = seg[np.lexsort((seg, of))]
    size = np.bincount(of, minlength=len(first))
    return order, (np.cumsum(size) - size)[group], size[group], seg


def _half_diagonals(box: Floats) -> Floats:
    """Half of the diagonal of each box."""
    return np.asarray(np.hypot(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]) / 2)


def _distance_from_river(
    xy: Floats, lines: Centrelines, tree: shapely.STRtree, wanted: Ints | None
) -> Floats:
    """Distance of points from the river that is wanted, or any, whose segments the tree holds."""
    points = np.asarray(shapely.points(xy))
    if wanted is None:
        return np.asarray(tree.query_nearest(points, all_matches=False, return_distance=True)[1])
    found = np.empty(len(xy))
    for k in np.unique(wanted):
        own = shapely.STRtree(tree.geometries[lines.river == k])
        mine = own.query_nearest(points[wanted == k], all_matches=False, return_distance=True)
        found[wanted == k] = mine[1]
    return found


class _Pairs(NamedTuple):
    """Pairs of a feature and a segment that may be nearest to some point of it."""

    who: Ints
    seg: Ints
    first: Ints  # where the pairs of each feature begin, and where all end
    far: Floats  # of the middle of the feature's box [m]
    wanted: Truths  # whether it is of a river that is wanted

    @classmethod
    def narrowed(
        cls,
        some: _Features,
        begin: Ints,
        size: Ints,
        listed: Ints,
        segments: _Segments,
        wanted: Ints | None,
    ) -> _Pairs:
        """Those of the listed pairs that may matter.

        A corner is at most a diameter farther from what is nearest to the feature than the feature
        is, and the middle of its box half a diameter from any corner.
        """
        who = np.repeat(np.arange(len(size)), size)
        seg = listed[_places_in_runs(size) + np.repeat(begin, size)]
        radius, first = _half_diagonals(some.box), np.cumsum(size) - size
        x, y = (some.box[:, :2] + some.box[:, 2:]).T / 2
        square = segments.squares(x[who], y[who], seg)
        mine = np.ones(len(who), bool)
        if wanted is not None:
            mine = segments.river[seg] == wanted[who]
        least, best = _least_of_runs(np.where(mine, square, np.inf), first, size)
        # one segment's distance from the corners is no less than the feature's from its river
        over = segments.squares(some.x, some.y, seg[best][some.who])
        limit = np.sqrt(np.minimum.reduceat(over, some.first[:-1])) + 3 * radius + SAME_PLACE_M
        kept = np.flatnonzero(square <= (limit**2)[who])
        who = who[kept]
        first = np.searchsorted(who, np.arange(len(size) + 1))
        return cls(who, seg[kept], first, np.sqrt(square[kept]), mine[kept])


def _places_in_runs(size: Ints) -> Ints:
    """0, 1, 2, ... of each run, one after the other."""
    ends = np.cumsum(size)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - size, size)


def _least_of_runs(values: Floats, first: Ints, size: Ints) -> tuple[Floats, Ints]:
    """Least value of each run, and where it first stands."""
    least = np.minimum.reduceat(values, first)
    hit = np.flatnonzero(values == np.repeat(least, size))
    return least, hit[np.searchsorted(hit, first)]


def _slices_by_weight(weight: Ints, most: int) -> Iterator[slice]:
    """Slices of rows whose weights sum up to little more than so much."""
    total = np.cumsum(weight)
    start = 0
    while start < len(weight):
        done = total[start - 1] if start else 0
        stop = max(int(np.searchsorted(total, done + most, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


# --- one chunk of features ---------------------------------------------------------------------


class _Corners(NamedTuple):
    """Distances of all corners from the segments that their features are paired with."""

    square: Floats  # of each corner the feature's segments in turn
    first: Ints
    size: Ints

    @classmethod
    def of(cls, x: Floats, y: Floats, who: Ints, pairs: _Pairs, segments: _Segments) -> _Corners:
        """Measure points, each against the pairs of its feature."""
        size = np.diff(pairs.first)[who]
        first = np.cumsum(size) - size
        square = np.empty(int(size.sum()))
        for part in _slices_by_weight(size, AT_ONCE):
            n = size[part]
            row = np.repeat(np.arange(part.start, part.stop), n)
            seg = pairs.seg[_places_in_runs(n) + np.repeat(pairs.first[who[part]], n)]
            at = first[part.start]
            square[at : at + len(row)] = segments.squares(x[row], y[row], seg)
        return cls(square, first, size)

    def least(self, kept: Truths, who: Ints, pairs: _Pairs) -> tuple[Floats, Ints]:
        """Least square of each point over some of the pairs, and at which pair it first stands."""
        square, begin = self.square, pairs.first[who]
        if not kept.all():
            at = _places_in_runs(self.size) + np.repeat(begin, self.size)
            square = np.where(kept[at], square, np.inf)
        least, best = _least_of_runs(square, self.first, self.size)
        return least, best - self.first + begin


def _places_of_features(
    some: _Features, pairs: _Pairs, lines: Centrelines, segments: _Segments
) -> Beside:
    """Place of each feature: the nearest stretch, and all corners laid about it."""
    corners = _Corners.of(some.x, some.y, some.who, pairs, segments)
    seen, _ = corners.least(pairs.wanted, some.who, pairs)
    starts = some.first[:-1]
    seed = _nearest_stretches(some, pairs, segments, np.sqrt(np.minimum.reduceat(seen, starts)))
    lo, hi = _segments_around(seed, lines)
    inside = (pairs.seg >= lo[pairs.who]) & (pairs.seg < hi[pairs.who])
    square, best = corners.least(inside, some.who, pairs)
    distance = np.sqrt(square)
    distance[distance < TOUCHING_M] = 0.0
    rows = some.who
    measure, offset = _measures_and_offsets(
        some, pairs.seg[best], distance, segments, (lo[rows], hi[rows])
    )
    # at the end of the stretch though the river goes on: the true answer lies beyond
    first, last = lines.first[seed.river], lines.first[seed.river + 1]
    ends = lines.measure[lo], lines.measure[hi - 1] + lines.length[hi - 1]
    cut = ((measure <= ends[0][rows]) & (lo > first)[rows]) | (
        (measure >= ends[1][rows]) & (hi < last)[rows]
    )
    elsewhere = np.zeros(len(cut), bool)
    if not inside.all():
        other = np.sqrt(corners.least(~inside, rows, pairs)[0])
        elsewhere = other < distance - SAME_PLACE_M
    low = np.minimum.reduceat(offset, starts)
    high = np.maximum.reduceat(offset, starts)
    # the nearest point may lie within a wall; a feature across the river has offset 0 inside
    right, left = low > 0, high < 0
    low = np.where(right, np.minimum(low, seed.distance), low)
    high = np.where(left, np.maximum(high, -seed.distance), high)
    beyond = _far_walls(some, pairs, segments, distance, pairs.seg[best], inside, right | left)
    low = np.where(left, np.minimum(low, -beyond), low)
    high = np.where(right, np.maximum(high, beyond), high)
    start = np.minimum(np.minimum.reduceat(measure, starts), seed.touch_from)
    end = np.maximum(np.maximum.reduceat(measure, starts), seed.touch_to)
    unsure = seed.tied | np.logical_or.reduceat(cut | elsewhere, starts)
    return Beside(
        seed.river, seed.near_from, seed.near_to, start, end, low, high, seed.distance, unsure
    )


class _Seeds(NamedTuple):
    """The stretch of its river that is nearest to each feature."""

    river: Ints
    near_from: Floats
    near_to: Floats
    touch_from: Floats  # first and last measure that is nearest, or within [m]
    touch_to: Floats
    distance: Floats
    tied: Truths  # another river or stretch is as near
    reach: Floats  # to be followed so far to either side [m]


def _nearest_stretches(some: _Features, pairs: _Pairs, segments: _Segments, seen: Floats) -> _Seeds:
    """Nearest stretch of each feature, whose nearest corner is at the distance ``seen``."""
    pair, wall = _walls_near(some, pairs, segments, seen)
    seg = pairs.seg[pair]
    far = _wall_distances(some.ends[:, wall], segments, seg)
    held, at_start, at_end = _ends_in_areas(some, pairs, segments)
    gap = np.full(len(pairs.seg), np.inf)
    np.minimum.at(gap, pair, far)
    gap[held] = 0.0
    own = np.where(pairs.wanted, gap, np.inf)
    distance = np.minimum.reduceat(own, pairs.first[:-1])
    distance[distance < TOUCHING_M] = 0.0
    # where it is nearest; and what is within a millimetre of as near, which of a point is the same
    exact = gap + np.where(some.point, 0.0, TOUCHING_M)[pairs.who]
    tie = own <= (distance + ROUNDING_M)[pairs.who]
    some_near = np.flatnonzero(tie[pair] & (far <= exact[pair]))
    at = pair[some_near], wall[some_near]
    touch = _touching_spans(some.ends[:, at[1]], segments, pairs.seg[at[0]], exact[at[0]])
    limit = np.where(some.point, -1.0, distance + SAME_PLACE_M)[pairs.who]
    some_near = np.flatnonzero(pairs.wanted[pair] & (far <= limit[pair]))
    near = pair[some_near], wall[some_near]
    about = _spans_near_walls(some.ends[:, near[1]], segments, pairs.seg[near[0]], limit[near[0]])
    touches, stretches = (
        _reach_of_pairs(len(gap), *one) for one in ((at[0], touch), (near[0], about))
    )
    for end, place in ((at_start, np.zeros(len(gap))), (at_end, segments.length[pairs.seg])):
        # an end that is within the feature's area belongs to it
        touches[0][end] = np.minimum(touches[0], place)[end]
        touches[1][end] = np.maximum(touches[1], place)[end]
    return _joined_stretches(some, pairs, segments, own, distance, touches, stretches)


def _reach_of_pairs(n: int, pair: Ints, span: Spans) -> Spans:
    """From where to where along its segment each pair reaches, of several spans of it."""
    first, last = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(first, pair, span[0])
    np.maximum.at(last, pair, span[1])
    return first, last


def _joined_stretches(
    some: _Features,
    pairs: _Pairs,
    segments: _Segments,
    own: Floats,
    distance: Floats,
    touches: Spans,
    stretches: Spans,
) -> _Seeds:
    """What lies beside the first of the nearest segments is one stretch with it."""
    who, n = pairs.who, len(distance)
    tie = np.flatnonzero(own <= distance[who] + ROUNDING_M)
    runs = np.searchsorted(tie, pairs.first)
    seed = tie[_least_of_runs(segments.turn[pairs.seg[tie]], runs[:-1], np.diff(runs))[1]]
    base = segments.measure[pairs.seg]
    low, high = (base + one for one in touches)
    reach = np.maximum(2 * REACH_DIAMETERS * _half_diagonals(some.box), 1.0)
    river = segments.river[pairs.seg[seed]]
    mine = segments.river[pairs.seg] == river[who]
    alike = mine[tie] & (low[tie] <= (low[seed] + reach)[who[tie]])
    tied = np.zeros(n, bool)
    tied[who[tie[~alike]]] = True
    alike = tie[alike]
    least = np.full(n, np.inf)
    np.minimum.at(least, who[alike], own[alike])
    least += np.where(some.point, 0.0, TOUCHING_M)
    alike = alike[own[alike] <= least[who[alike]]]
    touch_from, touch_to = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(touch_from, who[alike], low[alike])
    np.maximum.at(touch_to, who[alike], high[alike])
    near_from, near_to = touch_from.copy(), touch_to.copy()
    low, high = (base + one for one in stretches)
    same = mine & (base <= (touch_to + reach)[who])
    same &= base + segments.length[pairs.seg] >= (touch_from - reach)[who]
    same = np.flatnonzero(same & (low <= high))
    np.minimum.at(near_from, who[same], low[same])
    np.maximum.at(near_to, who[same], high[same])
    return _Seeds(river, near_from, near_to, touch_from, touch_to, distance, tied, reach)


def _touching_spans(ends: Floats, segments: _Segments, seg: Ints, limit: Floats) -> Spans:
    """From where to where segments cross walls, or are no farther from them than a limit."""
    ax, ay, bx, by = ends
    wx, wy = bx - ax, by - ay
    long = np.maximum(wx * wx + wy * wy, np.finfo(float).tiny)
    length = segments.length[seg]
    places, turns = [], []
    for x, y, at in (
        (segments.x0[seg] - ax, segments.y0[seg] - ay, np.zeros(len(seg))),
        (segments.x1[seg] - ax, segments.y1[seg] - ay, length),
    ):
        share = np.clip((x * wx + y * wy) / long, 0.0, 1.0)
        places.append(((x - share * wx) ** 2 + (y - share * wy) ** 2, at))
        turns.append(wx * y - wy * x)
    for x, y in ((ax, ay), (bx, by)):
        places.append((segments.squares(x, y, seg), _foot_along_segments(x, y, segments, seg)))
    ux, uy, x0, y0 = (one[seg] for one in (segments.ux, segments.uy, segments.x0, segments.y0))
    sides = ux * (ay - y0) - uy * (ax - x0), ux * (by - y0) - uy * (bx - x0)
    crosses = (turns[0] * turns[1] < 0) & (sides[0] * sides[1] < 0)
    at = length * turns[0] / np.where(crosses, turns[0] - turns[1], 1.0)
    places.append((np.where(crosses, 0.0, np.inf), at))
    low, high = np.full(len(seg), np.inf), np.full(len(seg), -np.inf)
    for square, at in places:
        near = np.sqrt(square) <= limit
        low = np.where(near, np.minimum(low, at), low)
        high = np.where(near, np.maximum(high, at), high)
    return low, high


def _walls_near(
    some: _Features, pairs: _Pairs, segments: _Segments, seen: Floats
) -> tuple[Ints, Ints]:
    """Pairs of a pair and a wall, of those that may be no farther apart than what was seen."""
    limit = seen + 2 * SAME_PLACE_M
    west, south, east, north = some.box.T
    left, right = np.minimum(segments.x0, segments.x1), np.maximum(segments.x0, segments.x1)
    low, high = np.minimum(segments.y0, segments.y1), np.maximum(segments.y0, segments.y1)
    who, seg = pairs.who, pairs.seg
    maybe = np.flatnonzero(pairs.far <= (limit + _half_diagonals(some.box))[who])
    who, seg = who[maybe], seg[maybe]
    x = np.maximum(np.maximum(left[seg] - east[who], west[who] - right[seg]), 0.0)
    y = np.maximum(np.maximum(low[seg] - north[who], south[who] - high[seg]), 0.0)
    near = np.flatnonzero(x * x + y * y <= (limit**2)[who])
    maybe, who, seg = maybe[near], who[near], seg[near]
    size = np.diff(some.first)[who]
    wall = _places_in_runs(size) + np.repeat(some.first[who], size)
    pair, seg = np.repeat(maybe, size), np.repeat(seg, size)
    limit = np.repeat(limit[who], size)
    ax, ay, bx, by = some.ends
    x = np.maximum(left[seg] - np.maximum(ax, bx)[wall], np.minimum(ax, bx)[wall] - right[seg])
    y = np.maximum(low[seg] - np.maximum(ay, by)[wall], np.minimum(ay, by)[wall] - high[seg])
    np.maximum(x, 0.0, out=x)
    np.maximum(y, 0.0, out=y)
    near = np.flatnonzero(x * x + y * y <= limit**2)
    return pair[near], wall[near]


def _wall_distances(ends: Floats, segments: _Segments, seg: Ints) -> Floats:
    """Distance between walls and segments; 0 where they cross."""
    ax, ay, bx, by = ends
    x0, y0, x1, y1 = (one[seg] for one in segments[:4])
    ends_off = np.minimum(segments.squares(ax, ay, seg), segments.squares(bx, by, seg))
    wx, wy = bx - ax, by - ay
    long = np.maximum(wx * wx + wy * wy, np.finfo(float).tiny)
    turns = []
    for x, y in ((x0 - ax, y0 - ay), (x1 - ax, y1 - ay)):
        share = np.clip((x * wx + y * wy) / long, 0.0, 1.0)
        ends_off = np.minimum(ends_off, (x - share * wx) ** 2 + (y - share * wy) ** 2)
        turns.append(wx * y - wy * x)
    ux, uy = segments.ux[seg], segments.uy[seg]
    sides = ux * (ay - y0) - uy * (ax - x0), ux * (by - y0) - uy * (bx - x0)
    crosses = (turns[0] * turns[1] < 0) & (sides[0] * sides[1] < 0)
    return np.asarray(np.where(crosses, 0.0, np.sqrt(ends_off)))


def _ends_in_areas(
    some: _Features, pairs: _Pairs, segments: _Segments
) -> tuple[Truths, Truths, Truths]:
    """Which segments have an end within their feature's area: any, the first, the last."""
    west, south, east, north = some.box.T
    found = []
    for ends in ((segments.x0, segments.y0), (segments.x1, segments.y1)):
        x, y = (one[pairs.seg] for one in ends)
        within = (x >= west[pairs.who]) & (x <= east[pairs.who])
        within &= (y >= south[pairs.who]) & (y <= north[pairs.who])
        maybe = np.flatnonzero(within & some.areal[pairs.who])
        inside = np.zeros(len(x), bool)
        inside[maybe] = shapely.intersects_xy(some.shapes[pairs.who[maybe]], x[maybe], y[maybe])
        found.append(inside)
    return found[0] | found[1], found[0], found[1]


def _foot_along_segments(x: Floats, y: Floats, segments: _Segments, seg: Ints) -> Floats:
    """How far along their segments points are nearest to them."""
    along = (x - segments.x0[seg]) * segments.ux[seg] + (y - segments.y0[seg]) * segments.uy[seg]
    return np.asarray(np.clip(along, 0.0, segments.length[seg]))


def _spans_near_walls(
    ends: Floats, segments: _Segments, seg: Ints, limit: Floats
) -> tuple[Floats, Floats]:
    """From where to where along segments they are within a limit of walls.

    Of each segment and each wall this is where the one is within the other's capsule: two discs
    and what lies beside the wall, whose places on a line are one interval.
    """
    x, y, length = segments.x0[seg], segments.y0[seg], segments.length[seg]
    a, b = (np.stack([ends[k] - x, ends[k + 1] - y], axis=1) for k in (0, 2))
    unit = np.stack([segments.ux[seg], segments.uy[seg]], axis=1)
    near, far = _line_spans_near_walls(a, b, unit, limit)
    return np.maximum(near, 0.0), np.minimum(far, length)


def _line_spans_near_walls(
    a: Floats, b: Floats, unit: Floats, limit: Floats
) -> tuple[Floats, Floats]:
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
    beside = _span_between(-(a * axis).sum(axis=1), cosine, np.zeros(len(a)), long)
    within = _span_between(axis[:, 1] * a[:, 0] - axis[:, 0] * a[:, 1], sine, -limit, limit)
    low, high = np.maximum(beside[0], within[0]), np.minimum(beside[1], within[1])
    meets = (low <= high) & (long > 0)
    near = np.where(meets, np.minimum(near, low), near)
    return near, np.where(meets, np.maximum(far, high), far)


def _span_between(at: Floats, slope: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """From where to where at + slope * t lies between low and high; everywhere, or nowhere."""
    level = np.abs(slope) < 1e-12
    steep = np.where(level, 1.0, slope)
    ends = np.stack([(low - at) / steep, (high - at) / steep])
    inside = (at >= low) & (at <= high)
    return (
        np.where(level, np.where(inside, -np.inf, np.inf), ends.min(axis=0)),
        np.where(level, np.where(inside, np.inf, -np.inf), ends.max(axis=0)),
    )


def _segments_around(seed: _Seeds, lines: Centrelines) -> tuple[Ints, Ints]:
    """First segment of the surroundings that each feature is followed on, and the one after."""
    # segments of all rivers lie behind one another, so one search finds every stretch
    base = np.concatenate([[0.0], np.cumsum(lines.length)])
    at = base[lines.first[:-1]][seed.river]
    first, last = lines.first[seed.river], lines.first[seed.river + 1]
    low = at + np.maximum(seed.touch_from - seed.reach, 0.0)
    lo = np.clip(np.searchsorted(base[1:], low, side="right"), first, last - 1)
    hi = np.searchsorted(base[:-1], at + seed.touch_to + seed.reach, side="left")
    return lo, np.clip(hi, lo + 1, last)


def _measures_and_offsets(
    some: _Features, seg: Ints, distance: Floats, segments: _Segments, stretch: tuple[Ints, Ints]
) -> tuple[Floats, Floats]:
    """Measure and signed offset (right positive) of corners on their nearest segments.

    At a vertex of the centreline the side is judged against the sum of both directions: the
    cross product with either segment alone is wrong within the wedge outside the bend.
    """
    lo, hi = stretch
    x, y = some.x - segments.x0[seg], some.y - segments.y0[seg]
    ux, uy, length = segments.ux[seg], segments.uy[seg], segments.length[seg]
    along = x * ux + y * uy
    measure = segments.measure[seg] + np.clip(along, 0.0, length)
    before, after = along <= 0, along >= length
    at = np.flatnonzero(before | after)
    other = np.where(before[at], seg[at] - 1, seg[at] + 1)
    other = np.where((other >= lo[at]) & (other < hi[at]), other, seg[at])
    ahead = after[at]
    x[at] = np.where(ahead, some.x[at] - segments.x1[seg[at]], x[at])
    y[at] = np.where(ahead, some.y[at] - segments.y1[seg[at]], y[at])
    ux[at] += segments.ux[other]
    uy[at] += segments.uy[other]
    return measure, np.where(ux * y - uy * x > 0, -distance, distance)


def _far_walls(
    some: _Features,
    pairs: _Pairs,
    segments: _Segments,
    distance: Floats,
    nearest: Ints,
    inside: Truths,
    one_side: Truths,
) -> Floats:
    """Greatest distance of any point of each feature: inside a bend it may lie within a wall.

    There the distance to the polyline is the least of linear functions, so along a wall it is
    concave, and a golden section search finds its maximum. Only walls are searched that start
    from the farthest corner and lead away from the river.
    """
    far = np.maximum.reduceat(distance, some.first[:-1])
    farthest = (distance >= far[some.who] - SAME_PLACE_M) & one_side[some.who]
    here = np.arange(len(some.x))
    there = some.next
    onward, back = here[farthest & (there != here)], here[farthest[there] & (there != here)]
    at, to = np.append(onward, there[back]), np.append(there[onward], back)
    dx, dy = some.x[to] - some.x[at], some.y[to] - some.y[at]
    # beside what is nearest to the corner the wall would have to lead away
    x, y = some.x[at] + PROBE * dx, some.y[at] + PROBE * dy
    least = (distance[at] + TOUCHING_M) ** 2
    away = np.flatnonzero(segments.squares(x, y, nearest[at]) > least)

    def measured(share: Floats, rows: Ints) -> Floats:
        who = some.who[at[rows]]
        x, y = some.x[at[rows]] + share * dx[rows], some.y[at[rows]] + share * dy[rows]
        return _Corners.of(x, y, who, pairs, segments).least(inside, who, pairs)[0]

    away = away[measured(np.full(len(away), PROBE), away) > least[away]] if len(away) else away
    if not len(away):
        return far
    low, high = np.zeros(len(away)), np.ones(len(away))
    for _ in range(GOLDEN_STEPS):
        one, other = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        right = measured(one, away) < measured(other, away)
        low, high = np.where(right, one, low), np.where(right, high, other)
    np.maximum.at(far, some.who[at[away]], np.sqrt(measured((low + high) / 2, away)))
    return far
