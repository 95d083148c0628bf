"""How much of each shape do many corridors hold? Those that differ only in their widths.

A corridor is a union of convex pieces: strips beside the centreline, and the triangles of the
wedges outside its bends. Of each piece only one edge moves with the design. So every shape is cut
once, along the edges that stay, into parts that each lie in the same pieces for all designs; in a
design, of each part is covered what is inside of at least one of its pieces' moving edges.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from pinghu_geo.redline.areas import Edges, mean_above
from pinghu_geo.redline.lines import Strips, fans, turns

__all__ = ["AT_ONCE", "Pieces", "areas_inside", "product"]

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
Ints = NDArray[np.intp]

# Numbers in one array of a step of the integration: what a processor keeps near at hand.
AT_ONCE = 32_000
# Multiplications that OpenBLAS does on one thread (4 x 65,536 in its interface/gemm.c).
ONE_THREAD = 262_144
# Edges in one step, however few the designs.
MOST_EDGES = 256
# Edges that run back less than this [m] have nothing below them.
UPRIGHT_M = 1e-9
# Parts smaller than this are rounding [m²].
SLIVER_M2 = 1e-9
# Directions that are tried to see moving edges as graphs, and how far from them they must be.
DIRECTIONS, LEAST_SLANT = 64, 1e-3


class Pieces(NamedTuple):
    """Convex pieces, each inside of an edge that moves, seen from the piece's origin.

    Their corners at their widest are ``ring`` (pieces, 4, 2); of a triangle one stands twice.

    A point ``along``, ``across`` (unit vectors) is inside of the edge where ``across`` is at most
    the width there, between that at ``along`` 0 and that at ``length``. Both are made of two
    ``row`` (pieces, 2) of the ``widths`` (rows, designs), of which they take the shares ``near``
    and ``far`` (pieces, 2): many pieces lie between the same rows of a table.
    """

    ring: Floats
    origin: Floats
    along: Floats
    across: Floats
    length: Floats
    row: Ints
    near: Floats
    far: Floats
    widths: Floats

    @classmethod
    def of(
        cls,
        strips: Strips,
        left: Floats,
        right: Floats,
        arc_step: float,
        *,
        mitre: bool,
        rounded: bool,
    ) -> Pieces:
        """Pieces of one stretch of a corridor: widths are (rows of the table, designs)."""
        beyond, wider = _widths_outside_bends(strips, left, right)
        widths = np.concatenate([left, right, wider])
        most, unit = widths.max(axis=1), strips.unit
        first = {"left": 0, "right": len(left)}
        found = [cls._side_strips(strips, side, k, most) for side, k in first.items()]
        turn, ray, last = turns(unit)
        bent = np.flatnonzero(turn)
        corners = fans(ray[bent], last[bent], arc_step, mitre=mitre)
        found.append(cls._bend_fans(strips.p1[bent], corners, *beyond, most))
        if rounded:
            for centre, k, ahead, share in (
                (strips.p0[0], 0, -unit[0], strips.t0[0]),
                (strips.p1[-1], -1, unit[-1], strips.t1[-1]),
            ):
                for name, side in (("left", 1.0), ("right", -1.0)):
                    square = side * np.array([-unit[k, 1], unit[k, 0]])
                    fan = fans(square[None], ahead[None], arc_step, mitre=False)
                    row = first[name] + strips.row[[k], None] + np.arange(2)
                    shares = np.array([[1 - share, share]])
                    found.append(cls._bend_fans(centre[None], fan, row, shares, most))
        return cls._one_after_another(found)._replace(widths=widths)

    @classmethod
    def joined(cls, parts: list[Pieces]) -> Pieces:
        """Pieces of several, one after the other; those that never hold anything are left out."""
        before = np.cumsum([0, *(len(one.widths) for one in parts[:-1])])
        parts = [one._replace(row=one.row + n) for one, n in zip(parts, before, strict=True)]
        found = cls._one_after_another(parts)
        some = shapely.area(shapely.polygons(found.ring)) > 0
        kept: dict[str, Any] = {name: getattr(found, name)[some] for name in cls._fields[:-1]}
        return found._replace(**kept)

    @classmethod
    def _one_after_another(cls, parts: list[Pieces]) -> Pieces:
        """All pieces and all widths of several."""
        return cls(*(np.concatenate(one) for one in zip(*parts, strict=True)))

    @classmethod
    def _side_strips(cls, strips: Strips, side: str, first: int, most: Floats) -> Pieces:
        """Strips on one side, square to the centreline, whose widths begin at the first row.

        Of each row only the ``most`` in any design is known here.
        """
        unit, start, end = strips.unit, strips.p0, strips.p1
        across = np.stack([-unit[:, 1], unit[:, 0]], axis=1) * (1.0 if side == "left" else -1.0)
        row = first + strips.row[:, None] + np.arange(2)
        near, far = (np.stack([1 - t, t], axis=1) for t in (strips.t0, strips.t1))
        wide = [(most[row] * share).sum(axis=1)[:, None] for share in (near, far)]
        ring = np.stack([start, end, end + across * wide[1], start + across * wide[0]], axis=1)
        length = ((end - start) * unit).sum(axis=1)
        return cls(ring, start, unit, across, length, row, near, far, most[:0, None])

    @classmethod
    def _bend_fans(
        cls,
        centre: Floats,
        corners: tuple[Floats, Ints],
        row: Ints,
        share: Floats,
        most: Floats,
    ) -> Pieces:
        """Triangles of wedges with their corners at radius 1, the chords of which move out."""
        fan, of = corners
        chord = of[1:] == of[:-1]
        one, other, of = fan[:-1][chord], fan[1:][chord], of[:-1][chord]
        along = (other - one) / np.hypot(*(other - one).T)[:, None]
        across = np.stack([along[:, 1], -along[:, 0]], axis=1)
        reach = (across * one).sum(axis=1)
        across, reach = across * np.sign(reach)[:, None], np.abs(reach)
        origin, row, share = centre[of], row[of], share[of]
        wide = (most[row] * share).sum(axis=1)[:, None]
        ring = np.stack([origin, origin, origin + wide * one, origin + wide * other], axis=1)
        share = share * reach[:, None]
        return cls(ring, origin, along, across, np.ones(len(of)), row, share, share, most[:0, None])

    def heights(self, xy: Floats, index: Ints) -> Floats:
        """How far places (n, 2) are outside of the moving edges of pieces (n, m).

        It is told as shares (n, m, 3) of one and of both rows of widths.
        """
        seen = xy[:, None] - self.origin[index]
        away = _dot(seen, self.across[index])
        along = _dot(seen, self.along[index]) / self.length[index]
        near, far = self.near[index], self.far[index]
        return np.concatenate([away[..., None], -near - along[..., None] * (far - near)], axis=2)

    def values(self, shares: Floats, index: Ints) -> Floats:
        """What shares (..., 3) of pieces (...) come to in each design (..., designs)."""
        first, second = self.widths[self.row[index, 0]], self.widths[self.row[index, 1]]
        first *= shares[..., 1, None]
        first += shares[..., 0, None]
        second *= shares[..., 2, None]
        first += second
        return np.asarray(first)

    def slopes(self, index: Ints) -> tuple[Floats, Floats]:
        """Least and greatest slope of the moving edges of pieces in any design."""
        shares = np.zeros((len(index), 3))
        shares[:, 1:] = (self.far[index] - self.near[index]) / self.length[index, None]
        found = np.empty((2, len(index)))
        size = max(1, AT_ONCE // self.widths.shape[1])
        for k in range(0, len(index), size):
            some = slice(k, k + size)
            slope = self.values(shares[some], index[some])
            found[0, some], found[1, some] = slope.min(axis=1), slope.max(axis=1)
        return found[0], found[1]

    def at_widths(self, widths: Floats) -> Pieces:
        """The same pieces in one design, or in some."""
        return self._replace(widths=widths.reshape(len(self.widths), -1))

    def sides(self) -> Floats:
        """Of each edge the a, b, c (pieces, 4, 3) with a·x + b·y + c [m] the distance inwards."""
        ring = self.ring
        way = np.roll(ring, -1, axis=1) - ring
        seen = ring - ring[:, :1]
        left = (seen[..., 0] * way[..., 1] - seen[..., 1] * way[..., 0]).sum(axis=1) > 0
        length = np.hypot(way[..., 0], way[..., 1])
        long = np.where(left[:, None], 1.0, -1.0) * np.where(length > 0, length, np.inf)
        a, b = -way[..., 1] / long, way[..., 0] / long
        c = -(a * ring[..., 0] + b * ring[..., 1])
        return np.stack([a, b, np.where(length > 0, c, 1.0)], axis=2)  # no edge: all is inside


def _widths_outside_bends(
    strips: Strips, left: Floats, right: Floats
) -> tuple[tuple[Ints, Floats], Floats]:
    """Rows of widths outside of each bend, their shares, and the rows that aren't in the table.

    Where widths change at once, a bend is as wide as the wider of its neighbours.
    """
    turn = turns(strips.unit)[0]
    bent = np.flatnonzero(turn)
    base = np.where(turn[bent] > 0, len(left), 0)
    before, after = base + strips.row[bent], base + strips.row[bent + 1]
    t_before, t_after = strips.t1[bent], strips.t0[bent + 1]
    same = (before == after) & (t_before == t_after)
    same |= (before + 1 == after) & (t_before == 1) & (t_after == 0)
    sudden = np.flatnonzero(~same)
    row, share = after[:, None] + np.arange(2), np.stack([1 - t_after, t_after], axis=1)
    widths = np.concatenate([left, right])
    wide = [
        widths[k] + t[sudden, None] * (widths[k + 1] - widths[k])
        for k, t in ((before[sudden], t_before), (after[sudden], t_after))
    ]
    row[sudden] = len(widths) + np.arange(len(sudden))[:, None]
    share[sudden] = 1.0, 0.0
    return (row, share), np.maximum(*wide)


def areas_inside(shapes: Shapes, pieces: Pieces) -> tuple[Ints, Floats]:
    """Positions of shapes near the pieces, and area [m²] of each in each design, (n, designs)."""
    outlines = np.asarray(shapely.polygons(pieces.ring))
    who, piece = shapely.STRtree(outlines).query(shapes, "intersects")
    near, who = np.unique(who, return_inverse=True)
    base = np.floor(pieces.origin.mean(axis=0))  # near the origin doubles are finer
    shapes = shapely.transform(shapes[near], lambda xy: xy - base)
    pieces = pieces._replace(ring=pieces.ring - base, origin=pieces.origin - base)
    parts = _cut_by_pieces(shapes, pieces, who, piece)
    area = np.bincount(parts.owner, parts.areas(), len(shapes)).astype(float)
    count = (parts.pieces >= 0).sum(axis=1)
    above = _EdgesAbove.of(parts.take(count == 1), pieces)
    inside = above.areas_below_lowest(area)
    above.subtract(inside)
    for m in np.unique(count[count > 1]):
        some = parts.take(count == m)
        _subtract_bare(inside, some.owner, some.edges(), some.pieces[:, :m], pieces)
    np.clip(inside, 0.0, shapely.area(shapes)[:, None], out=inside)
    return near, inside


def _dot(a: Floats, b: Floats) -> Floats:
    """Scalar products of vectors in the plane."""
    return np.asarray(a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1])


# --- cutting -----------------------------------------------------------------------------------


class _OwnedRings(NamedTuple):
    """Rings with the area to their left, in the order of the shapes that own them.

    Corners ``xy`` (n, 2), whose ``ring`` each is; of each ring the ``owner`` and the ``pieces``
    that it lies in, -1 where there are fewer. A hole is a ring with the hole to its right.
    """

    xy: Floats
    ring: Ints
    owner: Ints
    pieces: Ints

    @classmethod
    def of(cls, shapes: Shapes) -> _OwnedRings:
        """Rings of polygons and multipolygons."""
        parts, owner = shapely.get_parts(shapes, return_index=True)
        rings, of = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        open_ = np.diff(ring, append=-1) == 0  # the last corner repeats the first
        none = np.zeros((len(rings), 0), np.intp)
        return cls(xy[open_], ring[open_], owner[of], none)

    def take(self, kept: NDArray[np.bool_]) -> _OwnedRings:
        """Some of the rings."""
        at, number = kept[self.ring], np.cumsum(kept) - 1
        return _OwnedRings(self.xy[at], number[self.ring[at]], self.owner[kept], self.pieces[kept])

    def first(self) -> Ints:
        """Position of the first corner of the ring of each corner."""
        new = np.diff(self.ring, prepend=-1) != 0
        return np.asarray(np.flatnonzero(new)[np.cumsum(new) - 1])

    def after(self) -> Ints:
        """Position of the corner after each."""
        last = np.flatnonzero(np.diff(self.ring, append=-1))
        after = np.arange(1, len(self.ring) + 1)
        after[last] = np.append(0, last[:-1] + 1)[: len(last)]
        return after

    def areas(self) -> Floats:
        """Signed areas [m²]: those of holes are negative."""
        x, y = self.xy.T - self.xy.T[:, self.first()]
        after = self.after()
        twice = x * y[after] - y * x[after]
        return np.asarray(np.bincount(self.ring, weights=twice, minlength=len(self.owner)) / 2)

    def edges(self) -> Edges:
        """Edges with the ring that each belongs to."""
        return Edges(np.concatenate([self.xy.T, self.xy[self.after()].T]), self.ring)

    def away(self, side: Floats) -> Floats:
        """How far corners are inside of a side (pieces, 3) of the last of their pieces [m]."""
        a, b, c = side[self.pieces[:, -1]].T[:, self.ring]
        a *= self.xy[:, 0]
        b *= self.xy[:, 1]
        a += b
        a += c
        return np.asarray(a)

    def split(self, away: Floats) -> list[_OwnedRings]:
        """What is on the side of a line where corners are ``away`` of it, and on the other.

        Edges that run to and fro along the line, where a ring falls apart, cancel out in sums.
        """
        after = self.after()
        crosses = np.sign(away) * np.sign(away[after]) < 0
        place = np.divide(away, away - away[after], out=np.zeros_like(away), where=crosses)
        at = self.xy + place[:, None] * (self.xy[after] - self.xy)
        both, ring = np.stack([self.xy, at], axis=1).reshape(-1, 2), np.repeat(self.ring, 2)
        halves = []
        for side in (away >= 0, away <= 0):
            kept = np.stack([side, crosses], axis=1).ravel()
            half = self._replace(xy=both[kept], ring=ring[kept])
            halves.append(half.take(np.abs(half.areas()) > SLIVER_M2))
        return halves

    @classmethod
    def joined(cls, some: list[_OwnedRings]) -> _OwnedRings:
        """All rings of several."""
        before = np.cumsum([0, *(len(one.owner) for one in some[:-1])])
        ring = np.concatenate([one.ring + n for one, n in zip(some, before, strict=True)])
        xy, _, owner, pieces = (np.concatenate(one) for one in zip(*some, strict=True))
        return cls(xy, ring, owner, pieces)


def _cut_by_pieces(shapes: Shapes, pieces: Pieces, who: Ints, piece: Ints) -> _OwnedRings:
    """Cut shapes so that each part lies wholly in each piece or outside of it, at its widest.

    Shape and piece of the pairs that meet come in the order of the shapes.
    """
    first = np.searchsorted(who, np.arange(len(shapes) + 1))
    count = np.diff(first)
    rings, sides, done = _OwnedRings.of(shapes), pieces.sides(), []
    for k in range(int(count.max(initial=0))):
        more = count[rings.owner] > k
        done.append(rings.take(~more))
        rings = rings.take(more)
        rings = _cut_by_one_piece(rings, piece[first[rings.owner] + k], sides)
    done.append(rings)
    most = max(1, rings.pieces.shape[1])
    for k, some in enumerate(done):
        held = -np.sort(-some.pieces, axis=1)
        done[k] = some._replace(
            pieces=np.pad(held, ((0, 0), (0, most - held.shape[1])), constant_values=-1)
        )
    rings = _OwnedRings.joined(done)
    return rings.take(np.asarray((rings.pieces >= 0).any(axis=1)))


def _cut_by_one_piece(rings: _OwnedRings, piece: Ints, sides: Floats) -> _OwnedRings:
    """Cut each ring by the sides of one piece."""
    rings = rings._replace(pieces=np.column_stack([rings.pieces, piece]))
    begin = np.searchsorted(rings.ring, np.arange(len(piece)))
    meets = np.ones(len(piece), bool)
    for k in range(4 if len(piece) else 0):
        meets &= np.maximum.reduceat(rings.away(sides[:, k]), begin) > 0
    rings.pieces[~meets, -1] = -1
    done, rings = [rings.take(~meets)], rings.take(meets)
    for k in range(4):
        rings, outside = _split_by_side(rings, sides[:, k])
        outside.pieces[:, -1] = -1
        done.append(outside)
    return _OwnedRings.joined([*done, rings])


def _split_by_side(rings: _OwnedRings, side: Floats) -> tuple[_OwnedRings, _OwnedRings]:
    """What of rings is inside of a side of the last of their pieces, and what is outside."""
    away = rings.away(side)
    begin = np.searchsorted(rings.ring, np.arange(len(rings.owner)))
    low, high = (
        reduce.reduceat(away, begin) if len(begin) else np.zeros(0)
        for reduce in (np.minimum, np.maximum)
    )
    crossed = (low < 0) & (high > 0)
    inside, outside = rings.take(crossed).split(away[crossed[rings.ring]])
    return (
        _OwnedRings.joined([rings.take(~crossed & (low >= 0)), inside]),
        _OwnedRings.joined([rings.take(~crossed & (low < 0)), outside]),
    )


# --- what moving edges leave bare --------------------------------------------------------------


class _EdgesAbove(NamedTuple):
    """Edges of parts that lie in one piece each, where some design leaves something bare.

    What is outside of the moving edge is the integral, along a part's outline, of the height above
    it: nothing for edges that the narrowest design covers. Each edge has a ``shape`` that it is of,
    a ``piece``, the heights of both ``ends`` (2, n, 3), and how far it goes ``back``, against the
    way along the piece. Some lie ``always`` above, even of the widest design.
    """

    shape: Ints
    piece: Ints
    ends: Floats
    back: Floats
    always: NDArray[np.bool_]
    pieces: Pieces

    @classmethod
    def of(cls, parts: _OwnedRings, pieces: Pieces) -> _EdgesAbove:
        """Edges of parts, in the order of the rows of widths."""
        after, piece = parts.after(), parts.pieces[parts.ring, 0]
        height = pieces.heights(parts.xy, piece[:, None])[:, 0]
        low, high = (
            pieces.at_widths(widths).values(height, piece)[:, 0]
            for widths in (pieces.widths.max(axis=1), pieces.widths.min(axis=1))
        )
        # how far each edge goes back, against the way along the piece
        (dx, dy), (east, north) = (parts.xy[after] - parts.xy).T, pieces.across[piece].T
        back = dy * east - dx * north
        high, low = np.maximum(high, high[after]), np.minimum(low, low[after])
        some = np.flatnonzero((np.abs(back) > UPRIGHT_M) & (high > 0))
        shape, piece = parts.owner[parts.ring[some]], piece[some]
        order = np.lexsort((shape, *pieces.row[piece].T))
        some, shape, piece = some[order], shape[order], piece[order]
        ends = np.stack([height[some], height[after[some]]])
        return cls(shape, piece, ends, back[some], low[some] >= -UPRIGHT_M, pieces)

    def areas_below_lowest(self, area: Floats) -> Floats:
        """Areas of shapes less what is above those edges that are so always, (n, designs)."""
        from scipy import sparse  # slow to import, and only many designs at once need it

        k, widths = self.always, self.pieces.widths
        mean = self.ends[:, k].sum(axis=0) * self.back[k, None] / 2
        shape = np.tile(self.shape[k], 2)
        area = area - np.bincount(self.shape[k], weights=mean[:, 0], minlength=len(area))
        lost = sparse.csr_array(
            (mean[:, 1:].T.ravel(), (shape, self.pieces.row[self.piece[k]].T.ravel())),
            shape=(len(area), len(widths)),
        )
        found = lost @ widths
        return np.subtract(area[:, None], found, out=found)

    def subtract(self, inside: Floats) -> None:
        """Take from areas (n, designs) what is above the edges that some design's edge crosses."""
        some = np.flatnonzero(~self.always)
        row, (first, last) = self.pieces.row[self.piece[some]], self.ends[:, some]
        shape, back = self.shape[some], self.back[some]
        new = (np.diff(row, axis=0, prepend=-1) != 0).any(axis=1)
        begin = np.maximum.accumulate(np.where(new, np.arange(len(some)), 0))
        new |= (np.arange(len(some)) - begin) % max(1, AT_ONCE // inside.shape[1]) == 0
        starts = [*np.flatnonzero(new).tolist(), len(some)]
        ones = np.ones((1, inside.shape[1]))
        for k in itertools.starmap(slice, itertools.pairwise(starts)):
            moving = np.concatenate([ones, self.pieces.widths[row[k.start]]])
            above = mean_above(product(first[k], moving), product(last[k], moving))
            _subtract_sums(inside, shape[k], back[k], above)


def _subtract_sums(inside: Floats, shape: Ints, weight: Floats, mean: Floats) -> None:
    """Take means (n, designs) times their weights from the shapes that they are of, in order."""
    new = np.ones(len(shape), bool)
    np.not_equal(shape[1:], shape[:-1], out=new[1:])
    sums = np.zeros((np.count_nonzero(new), len(shape)))
    sums[new.cumsum() - 1, np.arange(len(shape))] = weight
    inside[shape[new]] -= product(sums, mean)


def product(a: Floats, b: Floats) -> Floats:
    """The matrix product, in blocks that BLAS multiplies on the thread that asks.

    Of larger ones it gives each core a share, and the cores wait for one another: on a machine
    that does something else, too, forty times longer than such a product takes.
    """
    inner, found = max(a.shape[1], 1), np.empty((len(a), b.shape[1]))
    wide = 8 * max(1, round(math.sqrt(2 * ONE_THREAD / inner) / 8))
    high = max(1, ONE_THREAD // (inner * wide))
    for k in range(0, len(a), high):
        rows, part = a[k : k + high], found[k : k + high]
        for j in range(0, b.shape[1], wide):
            np.matmul(rows, b[:, j : j + wide], out=part[:, j : j + wide])
    return found


def _subtract_bare(inside: Floats, owner: Ints, edges: Edges, index: Ints, pieces: Pieces) -> None:
    """Take from the area of each shape (rows of ``inside``) what no piece of a part covers.

    Parts have an ``owner`` and an ``index`` (n, m) of pieces; ``edges`` are theirs. Seen in
    a direction in which the moving edges are graphs, the bare area of a part is the integral,
    along its outline, of the height between the highest edge below and the lowest one above.
    """
    up, sure = _graph_directions(index, pieces)
    if not sure.all() and inside.shape[1] > 1:
        # widths that taper very differently: fewer designs at a time do so less
        half = inside.shape[1] // 2
        unsure = ~sure[edges.owner]
        steep = Edges(edges.xy[:, unsure], edges.owner[unsure])
        for one in (slice(None, half), slice(half, None)):
            fewer = pieces.at_widths(pieces.widths[:, one])
            _subtract_bare(inside[:, one], owner, steep, index, fewer)
        edges = Edges(edges.xy[:, ~unsure], edges.owner[~unsure])
    # how far each edge goes back, against the way to the right of upward
    (dx, dy), (right, ahead) = edges.xy[2:] - edges.xy[:2], up[edges.owner].T
    back = dy * right - dx * ahead
    some = np.flatnonzero(np.abs(back) > UPRIGHT_M)
    part = edges.owner[some]
    high = _HeightsUp.of(edges.xy[:, some], index[part], up[part], pieces)
    bare = high.ever_bare(part, len(index))
    high, shape, back = high.take(bare), owner[part[bare]], back[some[bare]]
    order, steps = high.steps(shape)
    shape, back = shape[order], back[order]
    for some_edges, heights in zip(steps, high.take(order).values(steps), strict=True):
        mean = _mean_bare_height(*heights)
        _subtract_sums(inside, shape[some_edges], back[some_edges], mean)


class _HeightsUp(NamedTuple):
    """Heights of edges of parts above the moving edges of m pieces, seen in a direction.

    At both ``ends`` (n, 2, m, 3) they are told as shares, as `Pieces.heights` does, of the distance
    from a moving edge, and ``slant`` is by how much a step upwards grows it; ``below`` (n, m) says
    whether the piece lies below its edge.
    """

    ends: Floats
    slant: Floats
    below: NDArray[np.bool_]
    piece: Ints
    pieces: Pieces

    @classmethod
    def of(cls, xy: Floats, index: Ints, up: Floats, pieces: Pieces) -> _HeightsUp:
        """Heights of edges ``xy`` (4, n), each above its pieces (n, m)."""
        taper = (pieces.far[index] - pieces.near[index]) / pieces.length[index][..., None]
        rise, run = (_dot(way[index], up[:, None]) for way in (pieces.across, pieces.along))
        slant = np.concatenate([rise[..., None], -run[..., None] * taper], axis=2)
        below = pieces.at_widths(pieces.widths[:, 0]).values(slant, index)[..., 0] > 0
        ends = [pieces.heights(end.T, index) for end in np.split(xy, 2)]
        return cls(np.stack(ends, axis=1), slant, below, index, pieces)

    def take(self, some: Ints) -> _HeightsUp:
        """Those of some of the edges."""
        return _HeightsUp(
            self.ends[some], self.slant[some], self.below[some], self.piece[some], self.pieces
        )

    def ever_bare(self, part: Ints, n: int) -> Ints:
        """Edges of n parts below which some design leaves something bare.

        What the narrowest design covers, all do.
        """
        narrowest = self.pieces.at_widths(self.pieces.widths.min(axis=1))
        height = np.maximum(
            *(narrowest.values(self.ends[:, k], self.piece)[..., 0] for k in range(2))
        )
        most = np.full((n, height.shape[1]), -np.inf)
        np.maximum.at(most, part, height)
        moves = np.asarray((most > 0).all(axis=1))
        bare = ((height > 0) | ~self.below).all(axis=1)
        return np.flatnonzero(moves[part] & bare)

    def steps(self, shape: Ints) -> tuple[Ints, list[slice]]:
        """An order in which neighbours share rows of widths, and steps through it.

        Within a step edges come in the order of the shapes that they are of.
        """
        n, m = self.piece.shape
        order = np.lexsort((self.pieces.row[self.piece[:, 0], 0], self.below.all(axis=1)))
        size = max(1, min(MOST_EDGES, AT_ONCE // (m * self.pieces.widths.shape[1])))
        step = np.arange(n) // size
        order = order[np.lexsort((shape[order], step))]
        return order, [slice(k, k + size) for k in range(0, n, size)]

    def values(self, steps: list[slice]) -> Iterator[tuple[Floats, Floats, NDArray[np.bool_]]]:
        """Heights of both ends in each design (k, m, designs), and what lies below, by steps."""
        n, m = self.piece.shape
        ones = np.ones((1, self.pieces.widths.shape[1]))
        shares = np.concatenate([self.ends, self.slant[:, None]], axis=1)
        # numbers of rows of widths within each step
        step = np.repeat(np.arange(len(steps)), [len(self.piece[k]) for k in steps])
        row = self.pieces.row[self.piece] + step[:, None, None] * len(self.pieces.widths)
        row, at = np.unique(row, return_inverse=True)
        step, row = np.divmod(row, len(self.pieces.widths))
        cuts = np.searchsorted(step, np.arange(len(steps) + 1))
        at = np.broadcast_to(at.reshape(n, 1, m, 2), (n, 3, m, 2))
        for k, (begin, end) in zip(steps, itertools.pairwise(cuts.tolist()), strict=True):
            share = shares[k].reshape(-1, 3)
            first, second = (at[k].reshape(-1, 2) - begin).T
            factors = np.zeros((len(share), end - begin + 1))
            every = np.arange(len(share))
            # where both are one row, all of it is the first's share
            factors[every, second], factors[every, first] = share[:, 2], share[:, 1]
            factors[:, -1] = share[:, 0]
            moving = np.concatenate([self.pieces.widths[row[begin:end]], ones])
            found = product(factors, moving)
            first, last, slant = np.moveaxis(found.reshape(-1, 3, m, ones.size), 1, 0)
            first /= slant
            last /= slant
            yield first, last, self.below[k]


def _graph_directions(index: Ints, pieces: Pieces) -> tuple[Floats, NDArray[np.bool_]]:
    """Direction in which each part's moving edges are graphs in all designs, and if it is sure."""
    used, at = np.unique(index, return_inverse=True)
    slope = pieces.slopes(used)
    least, most = (one[at].reshape(*index.shape, 1) for one in slope)
    angle = np.arange(DIRECTIONS) * np.pi / DIRECTIONS
    ways = np.stack([np.cos(angle), np.sin(angle)])
    rise, run = pieces.across[index] @ ways, pieces.along[index] @ ways
    one, other = rise - run * least, rise - run * most
    steep = np.sqrt(1 + np.maximum(least**2, most**2))
    slant = np.minimum(np.abs(one), np.abs(other)) / steep * (one * other > 0)
    worst = slant.min(axis=1)
    best = np.argmax(worst, axis=1)
    row = np.arange(len(index))
    # at least one of the edges has to have its piece below
    below = (one[row, :, best] > 0).any(axis=1)
    return ways.T[best] * np.where(below, 1.0, -1.0)[:, None], worst[row, best] > LEAST_SLANT


def _mean_bare_height(h0: Floats, h1: Floats, below: NDArray[np.bool_]) -> Floats:
    """Mean height of the bare part below edges (n) of an outline, (n, designs).

    Given are the heights of their ends above the edges of m pieces, and which lie below them.
    """
    step = h1 - h0
    over = below.all()

    def height(h: Floats) -> Floats:
        """Between the lowest edge with its piece below and the highest with its piece above."""
        if over:
            return np.asarray(h.min(axis=1))
        under = below[..., None]
        ceiling = np.minimum(0.0, -np.where(under, -np.inf, h).max(axis=1))
        return np.asarray(np.where(under, h, np.inf).min(axis=1) + ceiling)

    # between the places where any two edges cross, the height changes evenly
    a, b = h0, step
    if not over:
        a, b = (np.concatenate([np.zeros_like(h[:, :1]), h], axis=1) for h in (h0, step))
    pairs = list(itertools.combinations(range(a.shape[1]), 2))
    place = np.empty((len(pairs), *h0[:, 0].shape))
    for k, (i, j) in enumerate(pairs):
        apart = b[:, j] - b[:, i]
        apart[apart == 0] = np.inf
        np.divide(a[:, i] - a[:, j], apart, out=place[k])
    np.maximum(place, 0.0, out=place)
    np.minimum(place, 1.0, out=place)
    if len(place) > 1:
        place.sort(axis=0)
    before, now = place[0], height(h0 + place[0][:, None] * step)
    mean = mean_above(height(h0), now)
    mean *= before
    for here in place[1:]:
        low, now = now, height(h0 + here[:, None] * step)
        part = mean_above(low, now)
        part *= here - before
        mean += part
        before = here
    rest = mean_above(now, height(h1))
    rest *= 1.0 - before
    mean += rest
    return mean
