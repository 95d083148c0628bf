"""How deep does a shape reach in where one or two stretches of the edge pass by? In closed form.

Most shapes have beside them a short stretch of one bank or of both, each straight or bent one way.
Prolong the first and the last piece of a stretch. Where what lies beyond it is convex, the distance
from that is a convex function. Where the line itself is convex, a place is as deep as the nearest
of the pieces' straight lines is far: a concave function. So what of the shape's hull is deeper than
a level by all lines is a convex polygon, and deeper than it by the convex function, too, only if
one of its corners is: the greatest such level is bisected. No part inside is built. The place found
is measured against the whole edge; what isn't that simple is left to be cut into triangles.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from pinghu_geo.redline.pieces import LineEdges, vector_lengths

__all__ = ["depths_beside_stretches"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Shapes = NDArray[np.object_]
Ints = NDArray[np.intp]

# Pieces of a stretch, and how often one more is taken at an end that doesn't reach far enough.
LONGEST, PROLONGED = 10, 3
# Pieces less one of what most hulls have beside them.
SHORT = 4
# What is no farther from a hull's middle is beside it, in diameters.
AROUND = 1.5
# Corners of a hull.
MOST_CORNERS = 16
# Shapes that are looked at together: bounds the memory.
BATCH = 10_000
# A bend of less is rounding: the sine of its angle.
STRAIGHT = 1e-9
# How often a level is tried, and by what share of the tolerance beyond what is expected.
TRIES, A_LITTLE = 16, 0.2
# Farther than anything [m].
FAR_M = 1e9
# What rounding leaves of a depth [m].
ROUNDING_M = 1e-6


class _Hulls(NamedTuple):
    """Corners of convex hulls, one after the other, as seen from each hull's first."""

    xy: Floats
    of: Ints
    first: Ints
    origin: Floats

    @classmethod
    def around(cls, shapes: Shapes) -> _Hulls:
        """Hulls of shapes that have an area."""
        hulls, bent = shapes.copy(), ~_are_convex(shapes)
        hulls[bent] = shapely.convex_hull(shapes[bent])
        xy, of = shapely.get_coordinates(hulls, return_index=True)
        # without the first corner come again
        kept = np.append(of[1:] == of[:-1], False)
        xy, of = xy[kept], of[kept]
        first = np.flatnonzero(np.diff(of, prepend=-1))
        return cls(xy - xy[first][of], of, first, xy[first])

    @property
    def size(self) -> Ints:
        """Corners of each."""
        return np.diff(np.append(self.first, len(self.of)))

    def polygons(self, rows: Ints) -> tuple[Floats, Ints]:
        """Corners (n, most, 2) of some of them, and how many each has."""
        size = self.size[rows]
        at = np.minimum(np.arange(size.max(initial=1)), size[:, None] - 1)
        return self.xy[self.first[rows][:, None] + at], size


def _are_convex(shapes: Shapes) -> Bools:
    """Which shapes are plain polygons that turn one way at every corner: their own hulls."""
    plain = (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON) & (
        shapely.get_num_interior_rings(shapes) == 0
    )
    xy, of = shapely.get_coordinates(shapes[plain], return_index=True)
    first = np.flatnonzero(np.diff(of, prepend=-1))
    last = np.append(first, len(of))[1:] - 1
    step = np.diff(xy, axis=0, append=0.0)
    step[last] = step[first]  # each ring is closed
    x, y = step.T
    turn = np.append(x[:-1] * y[1:] - y[:-1] * x[1:], 0.0)
    turn[last] = turn[first]
    found = np.zeros(len(shapes), bool)
    found[plain] = (np.minimum.reduceat(turn, first) > 0) | (np.maximum.reduceat(turn, first) < 0)
    return found


class _Stretches(NamedTuple):
    """Stretches of the edge beside hulls: of which hull, first and last piece."""

    of: Ints
    low: Ints
    high: Ints

    def taken(self, rows: Ints | Bools) -> _Stretches:
        """Some of them."""
        return _Stretches(self.of[rows], self.low[rows], self.high[rows])

    def pieces(self) -> Ints:
        """Pieces (n, most) of each; the last comes again."""
        most = int((self.high - self.low).max(initial=0)) + 1
        return np.asarray(np.minimum(self.low[:, None] + np.arange(most), self.high[:, None]))


class _Bank(NamedTuple):
    """Pieces of stretches as seen from their hulls (n, k): start, direction and length."""

    x: Floats
    y: Floats
    east: Floats
    north: Floats
    long: Floats

    @classmethod
    def of(cls, beside: _Stretches, edges: LineEdges, origin: Floats) -> _Bank:
        """Pieces of stretches beside hulls that begin at an origin each."""
        piece = beside.pieces()
        x, y = np.moveaxis(edges.start[piece], 2, 0)
        east, north = np.moveaxis(edges.step[piece], 2, 0)
        long = np.sqrt(edges.square[piece])
        x0, y0 = origin[beside.of].T
        return cls(x - x0[:, None], y - y0[:, None], east / long, north / long, long)

    def heights(self, x: Floats, y: Floats) -> Floats:
        """How far places (n, m) are left of each piece's line (n, m, k)."""
        found = (y[:, :, None] - self.y[:, None]) * self.east[:, None]
        found -= (x[:, :, None] - self.x[:, None]) * self.north[:, None]
        return found

    def distances(self, x: Floats, y: Floats) -> Floats:
        """Distance (n, m) of places (n, m) from what lies right of all lines; 0 in there."""
        height = self.heights(x, y)
        beyond = (x[:, :, None] - self.x[:, None]) * self.east[:, None]
        beyond += (y[:, :, None] - self.y[:, None]) * self.north[:, None]
        beyond -= np.clip(beyond, 0.0, self.long[:, None])
        left = (height > 0).any(axis=2)
        square = (height * height + beyond * beyond).min(axis=2)
        return np.where(left, np.sqrt(square), 0.0)

    def taken(self, rows: Ints | Bools) -> _Bank:
        """Some of them."""
        return _Bank(*(one[rows] for one in self))


def depths_beside_stretches(
    shapes: Shapes, line: shapely.Geometry, edges: LineEdges, tolerance_m: float
) -> tuple[Floats, Bools]:
    """Depth of each shape [m], and whether it is known; elsewhere the stretches are not so simple.

    Parameters
    ----------
    shapes
        Valid polygons or multipolygons, in metres.
    line
        The line's area, prepared, with the area to the left of its edges.
    edges
        Its edges.
    tolerance_m
        A depth is at most this much too small.

    Returns
    -------
    tuple
        Depths and whether they are known.
    """
    depth, known = np.zeros(len(shapes)), np.zeros(len(shapes), bool)
    for some in np.array_split(np.arange(len(shapes)), len(shapes) // BATCH + 1):
        hulls = _Hulls.around(shapes[some])
        rows, most, place = _deepest_places(hulls, shapes[some], edges, tolerance_m)
        # a place of the hull may be none of the shape, which has a corner more than it then
        other = shapely.get_num_coordinates(shapes[some[rows]]) > hulls.size[rows] + 1
        rows = some[rows]
        x, y = place.T
        kept = shapely.contains_xy(line, x, y)
        unsure = np.flatnonzero(kept & other)
        kept[unsure] = shapely.dwithin(
            shapes[rows[unsure]], shapely.points(place[unsure]), ROUNDING_M
        )
        rows, most, place = rows[kept], most[kept], place[kept]
        if len(rows):
            depth[rows] = edges.nearest(place)[1]
            known[rows] = depth[rows] >= most - tolerance_m
    return depth, known


def _deepest_places(
    hulls: _Hulls, shapes: Shapes, edges: LineEdges, tolerance_m: float
) -> tuple[Ints, Floats, Floats]:
    """Rows whose stretches are simple: how deep no part is beyond, and a place about as deep."""
    beside, sound = _stretches_beside(hulls, shapes, edges)
    beside = beside.taken(sound[beside.of])
    longest = np.zeros(len(hulls.first), np.intp)
    np.maximum.at(longest, beside.of, beside.high - beside.low)
    found = [(np.zeros(0, np.intp), np.zeros(0), np.zeros((0, 2)))]
    # few stretches are long, and all that are looked at together are as long as the longest
    for some in (longest < SHORT, longest >= SHORT):
        part = beside.taken(some[beside.of])
        if len(part.of):
            bank = _Bank.of(part, edges, hulls.origin)
            found.append(_levels_of_simple(hulls, sound & some, part, bank, tolerance_m))
    rows, level, place = (np.concatenate(one) for one in zip(*found, strict=True))
    return rows, level, place + hulls.origin[rows]


def _levels_of_simple(
    hulls: _Hulls, wanted: Bools, beside: _Stretches, bank: _Bank, tolerance_m: float
) -> tuple[Ints, Floats, Floats]:
    """Hulls of those wanted whose stretches are simple, with level and place from their origin."""
    east, north = bank.east, bank.north
    bend = east[:, :-1] * north[:, 1:] - north[:, :-1] * east[:, 1:]
    # no more than a right angle in all: nowhere do its lines look at each other
    little = (east * east[:, :1] + north * north[:, :1] > 0).all(axis=1)
    lines = np.asarray((bend >= -STRAIGHT).all(axis=1))
    simple = little & (lines | (bend <= STRAIGHT).all(axis=1)) & _none_beyond(beside, bank, lines)
    n = len(hulls.first)
    bad = np.bincount(beside.of[~simple], minlength=n) > 0
    bad |= np.bincount(beside.of[~lines], minlength=n) > 1
    rows = np.flatnonzero(wanted & ~bad)
    level, place, found = _greatest_levels(hulls, rows, beside, bank, lines, tolerance_m)
    return rows[found], level[found], place[found]


def _stretches_beside(hulls: _Hulls, shapes: Shapes, edges: LineEdges) -> tuple[_Stretches, Bools]:
    """Stretches of the edge beside each hull; and for which hulls they are few and reach past it.

    They hold all pieces that meet a hull's box, and those nearest to its corners.
    """
    n, m = len(hulls.first), len(edges.ring)
    places = hulls.xy + hulls.origin[hulls.of]
    post = edges.posts.query(places)[1]
    meets, piece = edges.meeting(shapes)
    near = [edges.before[post], edges.behind[post], piece]
    both = np.unique(np.concatenate([hulls.of, hulls.of, meets]) * m + np.concatenate(near))
    of, piece = np.divmod(both, m)
    # one stretch goes on unless it went away from the hull meanwhile
    west, south, east, north = shapely.bounds(shapes).T
    middle = np.column_stack([west + east, south + north])[of[1:]] / 2
    gone = (
        np.maximum(
            vector_lengths(edges.start[piece[:-1] + 1 - m] - middle),
            vector_lengths(edges.start[piece[1:]] - middle),
        )
        > AROUND * np.hypot(east - west, north - south)[of[1:]]
    )
    skipped = np.diff(piece) - 1
    turns = (np.diff(of) > 0) | (np.diff(edges.ring[piece]) > 0)
    turns |= (skipped > LONGEST) | (skipped > 0) & gone
    last = np.append(np.flatnonzero(turns), len(of) - 1)
    first = np.append(0, last[:-1] + 1)
    of, low, high = of[first], piece[first], piece[last]
    # each corner with each stretch beside its hull
    size = hulls.size[of]
    owner = np.repeat(np.arange(len(of)), size)
    begin = np.cumsum(size) - size
    corner = np.arange(len(owner)) + (hulls.first[of] - begin)[owner]
    x, y = places[corner].T
    (x0, y0), (east, north) = edges.start.T, edges.step.T
    for _ in range(PROLONGED + 1):
        k = low[owner]
        begins = np.logical_and.reduceat((x - x0[k]) * east[k] + (y - y0[k]) * north[k] >= 0, begin)
        k = high[owner]
        ends = np.logical_and.reduceat(
            (x - x0[k] - east[k]) * east[k] + (y - y0[k] - north[k]) * north[k] <= 0, begin
        )
        whole = begins & ends
        if whole.all():
            break
        low = np.where(begins, low, np.maximum(low - 1, 0))
        high = np.where(ends, high, np.minimum(high + 1, m - 1))
    whole &= (edges.ring[low] == edges.ring[high]) & (high - low < LONGEST)
    count = np.bincount(of, minlength=n)
    sound = (count <= 2) & (np.bincount(of[~whole], minlength=n) == 0)
    return _Stretches(of, low, high), sound & (hulls.size <= MOST_CORNERS)


def _none_beyond(beside: _Stretches, bank: _Bank, lines: Bools) -> Bools:
    """Whether nothing of the other stretch beside a hull lies beyond each of two."""
    clear = np.ones(len(beside.of), bool)
    first = np.flatnonzero(beside.of[1:] == beside.of[:-1])
    one, other = np.append(first, first + 1), np.append(first + 1, first)
    mine, theirs = bank.taken(one), bank.taken(other)
    start = mine.heights(theirs.x, theirs.y)
    end = mine.heights(theirs.x + theirs.long * theirs.east, theirs.y + theirs.long * theirs.north)
    left = (np.minimum(start, end) >= 0).all(axis=(1, 2))
    # right of all lines is what a piece of the other has right of each: the last it enters, the
    # first it leaves
    way = np.where(start == end, 1.0, end - start)
    cut = -start / way
    enters = np.where(end < start, cut, np.where((start == end) & (start > 0), np.inf, 0.0))
    leaves = np.where(end > start, cut, 1.0)
    most = np.minimum(leaves.min(axis=2), 1.0) - np.maximum(enters.max(axis=2), 0.0)
    clear[one] = np.where(lines[one], left, (most <= 0).all(axis=1))
    return clear


def _greatest_levels(
    hulls: _Hulls, rows: Ints, beside: _Stretches, bank: _Bank, lines: Bools, tolerance_m: float
) -> tuple[Floats, Floats, Bools]:
    """The greatest level that some place of each hull is as deep as, at most, and a place near it.

    A level is reached where the hull, cut by all lines moved inward by it, has a corner as far from
    the convex outside. How much further it is tells the next level to try: half of it, for banks
    that run side by side.
    """
    number = np.full(len(hulls.first), -1)
    number[rows] = np.arange(len(rows))
    known = number[beside.of] >= 0
    field = _Field.of(len(rows), number[beside.of[known]], bank.taken(known), lines[known])
    polygon, size = hulls.polygons(rows)
    outside = field.by_outside(polygon)
    inward = field.by_lines(polygon)
    value = np.minimum(inward, outside)
    every, best = np.arange(len(rows)), value.argmax(axis=1)
    low, place = value[every, best], polygon[every, best]
    high = np.minimum(field.heights(polygon).max(axis=1).min(axis=1), outside.max(axis=1))
    found, low = low > 0, np.maximum(low, 0.0)
    # between banks that run side by side a place is deepest where both are as far
    amid = (inward[every, best] + outside[every, best]) / 2 - A_LITTLE * tolerance_m
    at = np.where(field.has >= 0, np.clip(amid, low, np.maximum(high, low)), low)
    left = every
    for k in range(TRIES):
        left = left[high[left] - low[left] > tolerance_m / 2]
        if not len(left):
            break
        some, level = field.taken(left), at[left]
        reach, where, deep = _reach_of_level(polygon[left], size[left], some, level)
        reached = reach >= level - ROUNDING_M
        high[left[~reached]] = level[~reached]
        yes = left[reached]
        low[yes], place[yes], found[yes] = deep[reached], where[reached], True
        more = np.where(np.isfinite(reach), np.clip(reach - level, -FAR_M, FAR_M) / 2, -FAR_M)
        more = np.where(some.has >= 0, level + more, np.where(reached, deep, -FAR_M))
        at[left] = more + np.where(reached, A_LITTLE, -A_LITTLE) * tolerance_m
        beyond = (at[left] <= low[left]) | (at[left] >= high[left]) | (k % 4 == 3)
        at[left] = np.where(beyond, (low[left] + high[left]) / 2, at[left])
    return high, place, found & (high - low <= tolerance_m)


def _reach_of_level(
    polygon: Floats, size: Ints, field: _Field, level: Floats
) -> tuple[Floats, Floats, Floats]:
    """How far from the outside what is as high as a level reaches, where, and how deep that is.

    Without an outside, and with lines that look at each other, that is amid all corners.
    """
    cut, left = _clipped_polygons(polygon, size, field.lines, level)
    here = np.arange(cut.shape[1]) < left[:, None]
    row, column = np.nonzero(here)
    far = np.full(here.shape, -np.inf)
    far[row, column] = field.taken(row).by_outside(cut[row, column][:, None])[:, 0]
    best, rows = far.argmax(axis=1), np.arange(len(cut))
    amid = (cut * here[..., None]).sum(axis=1) / np.maximum(left, 1)[:, None]
    where = np.where((field.has >= 0)[:, None], cut[rows, best], amid)
    deep = np.minimum(level, far[rows, best])
    alone = np.flatnonzero(field.has < 0)
    deep[alone] = np.maximum(field.taken(alone).by_lines(amid[alone][:, None])[:, 0], level[alone])
    return far[rows, best], where, deep


class _Field(NamedTuple):
    """What bounds the depth beside each hull: heights over lines, distance from what is outside."""

    lines: Floats  # (n, k, 3): a x + b y + c; what is no line is far away
    outside: _Bank
    has: Ints  # place of its outside, or -1

    @classmethod
    def of(cls, n: int, of: Ints, bank: _Bank, lines: Bools) -> _Field:
        """From the stretches beside n hulls, in their order."""
        rows = np.flatnonzero(lines)
        second = np.diff(of[rows], prepend=-1) == 0
        x, y, east, north, _ = bank.taken(rows)
        found = np.full((n, 2, x.shape[1], 3), (0.0, 0.0, FAR_M))
        made = np.stack([-north, east, north * x - east * y], axis=2)
        # the last piece come again cuts nothing more
        again = (x[:, 1:] == x[:, :-1]) & (y[:, 1:] == y[:, :-1])
        made[:, 1:][again] = 0.0, 0.0, FAR_M
        found[of[rows], second.astype(int)] = made
        has = np.full(n, -1)
        has[of[~lines]] = np.arange(int((~lines).sum()))
        return cls(found.reshape(n, 2 * x.shape[1], 3), bank.taken(~lines), has)

    def taken(self, rows: Ints) -> _Field:
        """Some of them."""
        return self._replace(lines=self.lines[rows], has=self.has[rows])

    def heights(self, xy: Floats) -> Floats:
        """Heights (n, m, k) of places (n, m, 2)."""
        return np.asarray(xy @ self.lines[:, :, :2].swapaxes(1, 2) + self.lines[:, None, :, 2])

    def by_lines(self, xy: Floats) -> Floats:
        """The least height (n, m)."""
        return np.asarray(self.heights(xy).min(axis=2))

    def by_outside(self, xy: Floats) -> Floats:
        """Distance (n, m) from what is outside, where that is convex."""
        far = np.full(xy.shape[:2], FAR_M)
        some = np.flatnonzero(self.has >= 0)
        far[some] = self.outside.taken(self.has[some]).distances(xy[some, :, 0], xy[some, :, 1])
        return far


def _clipped_polygons(xy: Floats, size: Ints, lines: Floats, level: Floats) -> tuple[Floats, Ints]:
    """What of convex polygons is as high as a level by all lines: corners, and how many of them."""
    xy, size = xy.copy(), size.copy()
    constant = lines[:, :, 2] - level[:, None]
    least = (xy @ lines[:, :, :2].swapaxes(1, 2)).min(axis=1) + constant
    for k in np.flatnonzero((least < 0).any(axis=0)):
        cut = np.flatnonzero(least[:, k] < 0)
        a, b, _ = lines[cut, k].T
        height = xy[cut, :, 0] * a[:, None] + xy[cut, :, 1] * b[:, None] + constant[cut, k][:, None]
        own = np.arange(xy.shape[1]) < size[cut][:, None]
        some = np.flatnonzero(((height < 0) & own).any(axis=1))
        if not len(some):
            continue
        cut, height, own = cut[some], height[some], own[some]
        x, y = np.moveaxis(xy[cut], 2, 0)
        following = np.where(own, (np.arange(x.shape[1]) + 1) % size[cut][:, None], 0)
        after = np.take_along_axis(height, following, axis=1)
        crosses = own & ((height < 0) != (after < 0))
        share = np.where(crosses, height / np.where(crosses, height - after, 1.0), 0.0)
        step = (np.take_along_axis(one, following, axis=1) - one for one in (x, y))
        there = [one + share * way for one, way in zip((x, y), step, strict=True)]
        kept = np.stack([own & (height >= 0), crosses], axis=2).reshape(len(cut), -1)
        pairs = zip((x, y), there, strict=True)
        made = [np.stack(pair, axis=2).reshape(len(cut), -1) for pair in pairs]
        place = np.cumsum(kept, axis=1)
        size[cut] = place[:, -1]
        if size.max() > xy.shape[1]:
            xy = np.concatenate([xy, xy[:, -1:]], axis=1)
        row, column = np.nonzero(kept)
        at = cut[row], place[row, column] - 1
        xy[at] = np.stack([one[row, column] for one in made], axis=1)
    return xy, size
