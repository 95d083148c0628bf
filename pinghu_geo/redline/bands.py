"""How much of each shape do many corridors hold? Those that differ only in their widths.

A corridor is a union of convex pieces: strips beside the centreline, and the triangles of the
wedges outside its bends. Of each piece only one edge moves with the design. So every shape is cut
once, along the edges that stay, into parts that each lie in the same pieces for all designs; in a
design, of each part is covered what is inside of at least one of its pieces' moving edges.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from pinghu_geo.redline.areas import Edges, mean_above
from pinghu_geo.redline.lines import bends, fans

__all__ = ["Pieces", "areas_inside"]

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
Ints = NDArray[np.intp]

# Numbers in one array of a step of the integration: what a processor keeps near at hand.
AT_ONCE = 100_000
# Edges that run back less than this [m] have nothing below them.
UPRIGHT_M = 1e-12
# Parts smaller than this are rounding [m²].
SLIVER_M2 = 1e-9
# Directions that are tried to see moving edges as graphs, and how far from them they must be.
DIRECTIONS, LEAST_SLANT = 64, 1e-3


class Pieces(NamedTuple):
    """Convex pieces, each inside of an edge that moves, seen from the piece's origin.

    Their corners at their widest are ``ring`` (pieces, 4, 2); of a triangle one stands twice.

    A point ``along``, ``across`` (unit vectors) is inside of the edge where ``across`` is at most
    the width there, between ``near`` (pieces, designs) at ``along`` 0 and ``far`` at ``length``.
    """

    ring: Floats
    origin: Floats
    along: Floats
    across: Floats
    length: Floats
    near: Floats
    far: Floats

    @classmethod
    def of(
        cls, rows: dict[str, Floats], arc_step: float, *, mitre: bool, rounded: bool
    ) -> list[Pieces]:
        """Pieces of one stretch of a corridor, of rows with the widths of all designs."""
        found = [cls._side_strips(rows, side) for side in ("left", "right")]
        turn, ray, last, before, after = bends(rows)
        wide = np.maximum(before, after)
        bent = np.flatnonzero((turn != 0) & (wide.max(axis=1) > 0))
        corners = fans(ray[bent], last[bent], arc_step, mitre=mitre)
        found.append(cls._bend_fans(rows["p1"][bent], corners, wide[bent]))
        if rounded:
            unit = rows["unit"]
            for end, k, ahead in (("0", 0, -unit[0]), ("1", -1, unit[-1])):
                for name, side in (("left", 1.0), ("right", -1.0)):
                    square = side * np.array([-unit[k, 1], unit[k, 0]])
                    fan = fans(square[None], ahead[None], arc_step, mitre=False)
                    centre, radius = rows[f"p{end}"][[k]], rows[f"{name}{end}"][[k]]
                    found.append(cls._bend_fans(centre, fan, radius))
        return found

    @classmethod
    def joined(cls, parts: list[Pieces]) -> Pieces:
        """Pieces of several, one after the other; those that never hold anything are left out."""
        some = shapely.area(shapely.polygons(np.concatenate([one.ring for one in parts]))) > 0
        cuts = np.cumsum([len(one.ring) for one in parts])[:-1]
        kept = zip(parts, np.split(some, cuts), strict=True)
        parts = [one if k.all() else cls(*(v[k] for v in one)) for one, k in kept]
        return cls(*(np.concatenate(one) for one in zip(*parts, strict=True)))

    @classmethod
    def _side_strips(cls, rows: dict[str, Floats], side: str) -> Pieces:
        """Strips on one side, square to the centreline."""
        unit, start, end = rows["unit"], rows["p0"], rows["p1"]
        across = np.stack([-unit[:, 1], unit[:, 0]], axis=1) * (1.0 if side == "left" else -1.0)
        near, far = rows[f"{side}0"], rows[f"{side}1"]
        most = [w.max(axis=1)[:, None] for w in (near, far)]
        ring = [start, end, end + across * most[1], start + across * most[0]]
        length = ((end - start) * unit).sum(axis=1)
        return cls(np.stack(ring, axis=1), start, unit, across, length, near, far)

    @classmethod
    def _bend_fans(cls, centre: Floats, corners: tuple[Floats, Ints], radius: Floats) -> Pieces:
        """Triangles of wedges with their corners at radius 1, the chords of which move out."""
        fan, of = corners
        chord = of[1:] == of[:-1]
        one, other, of = fan[:-1][chord], fan[1:][chord], of[:-1][chord]
        along = (other - one) / np.hypot(*(other - one).T)[:, None]
        across = np.stack([along[:, 1], -along[:, 0]], axis=1)
        reach = (across * one).sum(axis=1)
        across, reach = across * np.sign(reach)[:, None], np.abs(reach)
        width, origin = reach[:, None] * radius[of], centre[of]
        most = radius.max(axis=1)[of, None]
        ring = np.stack([origin, origin, origin + most * one, origin + most * other], axis=1)
        return cls(ring, origin, along, across, np.ones(len(of)), width, width)

    def sides(self) -> Floats:
        """Of each edge the a, b, c (pieces, 4, 3) with a·x + b·y + c [m] the distance inwards."""
        ring = self.ring
        left = np.asarray(shapely.is_ccw(shapely.linearrings(ring)))
        way = np.roll(ring, -1, axis=1) - ring
        length = np.hypot(way[..., 0], way[..., 1])
        long = np.where(left[:, None], 1.0, -1.0) * np.where(length > 0, length, np.inf)
        a, b = -way[..., 1] / long, way[..., 0] / long
        c = -(a * ring[..., 0] + b * ring[..., 1])
        return np.stack([a, b, np.where(length > 0, c, 1.0)], axis=2)  # no edge: all is inside


def areas_inside(shapes: Shapes, pieces: Pieces) -> tuple[Ints, Floats]:
    """Positions of shapes near the pieces, and area [m²] of each in each design, (designs, n)."""
    outlines = np.asarray(shapely.polygons(pieces.ring))
    who, piece = shapely.STRtree(outlines).query(shapes, "intersects")
    near, who = np.unique(who, return_inverse=True)
    base = np.floor(pieces.origin.mean(axis=0))  # near the origin doubles are finer
    shapes = shapely.transform(shapes[near], lambda xy: xy - base)
    pieces = pieces._replace(ring=pieces.ring - base, origin=pieces.origin - base)
    parts = _cut_by_pieces(shapes, pieces, who, piece)
    count = (parts.pieces >= 0).sum(axis=1)
    inside = np.zeros((len(shapes), pieces.near.shape[1]))
    narrowest = pieces._replace(
        near=pieces.near.min(axis=1, keepdims=True), far=pieces.far.min(axis=1, keepdims=True)
    )
    for m in np.unique(count[count > 0]):
        some = parts.take(count == m)
        index = some.pieces[:, :m]
        inside += np.bincount(some.owner, weights=some.areas(), minlength=len(shapes))[:, None]
        if m == 1:
            _subtract_above_edge(inside, some.owner, some.edges(), index[:, 0], pieces, narrowest)
        else:
            edges = _edges_ever_bare(some.edges(), index, narrowest)
            _subtract_bare(inside, some.owner, edges, index, pieces)
    return near, np.clip(inside, 0.0, shapely.area(shapes)[:, None], out=inside).T


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

    def after(self) -> Ints:
        """Position of the corner after each."""
        last = np.flatnonzero(np.diff(self.ring, append=-1))
        after = np.arange(1, len(self.ring) + 1)
        after[last] = np.append(0, last[:-1] + 1)[: len(last)]
        return after

    def areas(self) -> Floats:
        """Signed areas [m²]: those of holes are negative."""
        x, y = (self.xy - self.xy[np.searchsorted(self.ring, self.ring)]).T
        after = self.after()
        twice = x * y[after] - y * x[after]
        return np.asarray(np.bincount(self.ring, weights=twice, minlength=len(self.owner)) / 2)

    def edges(self) -> Edges:
        """Edges with the ring that each belongs to."""
        return Edges(np.concatenate([self.xy.T, self.xy[self.after()].T]), self.ring)

    def away(self, sides: Floats) -> Floats:
        """How far corners are inside of the sides of the last of their pieces [m], (n, 4)."""
        at = sides[self.pieces[self.ring, -1]]
        return np.asarray(at[..., 0] * self.xy[:, :1] + at[..., 1] * self.xy[:, 1:] + at[..., 2])

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
    turn = np.arange(len(who)) - np.searchsorted(who, who)
    rings, sides = _OwnedRings.of(shapes), pieces.sides()
    for k in range(int(turn.max(initial=-1)) + 1):
        now = np.full(len(shapes), -1)
        now[who[turn == k]] = piece[turn == k]
        rings = _cut_by_one_piece(rings, now[rings.owner], sides)
    return rings._replace(pieces=-np.sort(-rings.pieces, axis=1))


def _cut_by_one_piece(rings: _OwnedRings, piece: Ints, sides: Floats) -> _OwnedRings:
    """Cut each ring by the sides of one piece, or of none (-1)."""
    rings = rings._replace(pieces=np.column_stack([rings.pieces, piece]))
    reach = np.maximum.reduceat(
        rings.away(sides), np.searchsorted(rings.ring, np.arange(len(piece))), axis=0
    )
    meets = (piece >= 0) & (reach > 0).all(axis=1)
    rings.pieces[~meets, -1] = -1
    done, rings = [rings.take(~meets)], rings.take(meets)
    for k in range(4):
        rings, outside = rings.split(rings.away(sides)[:, k])
        outside.pieces[:, -1] = -1
        done.append(outside)
    return _OwnedRings.joined([*done, rings])


# --- what moving edges leave bare --------------------------------------------------------------


class _EndsFromPieces(NamedTuple):
    """Both ends of edges as seen from pieces (n, m): how far away, and where along (0 to 1)."""

    pieces: Ints
    away: tuple[Floats, Floats]
    along: tuple[Floats, Floats]

    @classmethod
    def of(cls, edges: Edges, index: Ints, pieces: Pieces) -> _EndsFromPieces:
        """Ends of edges from the pieces at the index."""
        away, along = [], []
        for xy in (edges.xy[:2].T, edges.xy[2:].T):
            seen = xy[:, None] - pieces.origin[index]
            away.append((seen * pieces.across[index]).sum(axis=2)[..., None])
            along.append(
                ((seen * pieces.along[index]).sum(axis=2) / pieces.length[index])[..., None]
            )
        return cls(index, (away[0], away[1]), (along[0], along[1]))

    def heights(self, pieces: Pieces) -> tuple[Floats, Floats]:
        """How far both ends are outside of the moving edges (n, m, designs)."""
        near = pieces.near[self.pieces]
        step = pieces.far[self.pieces] - near
        (a0, a1), (t0, t1) = self.away, self.along
        return a0 - near - t0 * step, a1 - near - t1 * step


def _subtract_above_edge(
    inside: Floats, owner: Ints, edges: Edges, piece: Ints, pieces: Pieces, narrowest: Pieces
) -> None:
    """Take from the area of each shape (rows of ``inside``) what is outside of one moving edge.

    Parts have an ``owner`` and lie in one ``piece`` each; ``edges`` are theirs. What is outside is
    the integral, along a part's outline, of the height above the moving edge: nothing for edges
    that the ``narrowest`` design covers.
    """
    part = edges.owner
    seen = _EndsFromPieces.of(edges, piece[part, None], pieces)
    # heights are these by 1, near and far
    ends = [
        np.concatenate([away[:, 0], along[:, 0] - 1, -along[:, 0]], axis=1)
        for away, along in zip(seen.away, seen.along, strict=True)
    ]
    highest = np.maximum(*seen.heights(narrowest))[:, 0, 0]
    # how far each edge goes back, against the way along the piece
    (dx, dy), (east, north) = edges.xy[2:] - edges.xy[:2], pieces.across[piece[part]].T
    back = dy * east - dx * north
    some = np.flatnonzero((np.abs(back) > UPRIGHT_M) & (highest > 0))
    some = some[np.lexsort((owner[part[some]], piece[part[some]]))]
    mine, of = owner[part[some]], piece[part[some]]
    size = max(1, AT_ONCE // inside.shape[1])
    new = np.diff(of, prepend=-1) != 0
    new[::size] = True
    # where the edges of another shape begin, in a step and in all
    first = np.flatnonzero(new | (np.diff(mine, prepend=-1) != 0))
    starts = np.append(np.flatnonzero(new), len(some))
    steps = np.searchsorted(first, starts)
    for k in range(len(starts) - 1):
        at, begin = some[starts[k] : starts[k + 1]], first[steps[k] : steps[k + 1]]
        strip = of[starts[k]]
        moving = np.stack([np.ones(inside.shape[1]), pieces.near[strip], pieces.far[strip]])
        outside = mean_above(*(end[at] @ moving for end in ends))
        outside *= back[at, None]
        inside[mine[begin]] -= np.add.reduceat(outside, begin - starts[k], axis=0)


def _edges_ever_bare(edges: Edges, index: Ints, narrowest: Pieces) -> Edges:
    """Edges of parts that some design leaves bare: what the narrowest covers, all do."""
    height = np.maximum(
        *_EndsFromPieces.of(edges, index[edges.owner], narrowest).heights(narrowest)
    )
    most = np.full(index.shape, -np.inf)
    np.maximum.at(most, edges.owner, height[:, :, 0])
    moves = np.asarray((most > 0).all(axis=1))[edges.owner]
    return Edges(edges.xy[:, moves], edges.owner[moves])


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
            fewer = pieces._replace(near=pieces.near[:, one], far=pieces.far[:, one])
            _subtract_bare(inside[:, one], owner, steep, index, fewer)
        edges = Edges(edges.xy[:, ~unsure], edges.owner[~unsure])
    # how far each edge goes back, against the way to the right of upward
    (dx, dy), (right, ahead) = edges.xy[2:] - edges.xy[:2], up[edges.owner].T
    back = dy * right - dx * ahead
    some = np.flatnonzero(np.abs(back) > UPRIGHT_M)
    some = some[np.argsort(owner[edges.owner[some]], kind="stable")]
    size = max(1, AT_ONCE // (index.shape[1] * inside.shape[1]))
    for start in range(0, len(some), size):
        at = some[start : start + size]
        part = edges.owner[at]
        bare = _mean_bare_height(Edges(edges.xy[:, at], part), index[part], up[part], pieces)
        bare *= back[at, None]
        first = np.flatnonzero(np.diff(owner[part], prepend=-1))
        inside[owner[part[first]]] -= np.add.reduceat(bare, first, axis=0)


def _graph_directions(index: Ints, pieces: Pieces) -> tuple[Floats, NDArray[np.bool_]]:
    """Direction in which each part's moving edges are graphs in all designs, and if it is sure."""
    used, at = np.unique(index, return_inverse=True)
    slope = (pieces.far[used] - pieces.near[used]) / pieces.length[used, None]
    least, most = (
        one[at].reshape(*index.shape, 1) for one in (slope.min(axis=1), slope.max(axis=1))
    )
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


def _mean_bare_height(edges: Edges, index: Ints, up: Floats, pieces: Pieces) -> Floats:
    """Mean height of the bare part below edges (n) of an outline, (n, designs)."""
    h0, h1 = _EndsFromPieces.of(edges, index, pieces).heights(pieces)
    slope = (pieces.far[index] - pieces.near[index]) / pieces.length[index][..., None]
    rise = (pieces.across[index] * up[:, None]).sum(axis=2)[..., None]
    run = (pieces.along[index] * up[:, None]).sum(axis=2)[..., None]
    upright = rise - run * slope
    h0, h1, below = h0 / upright, h1 / upright, upright > 0
    zero, one = np.zeros_like(h0[:, :1]), np.ones_like(h0[:, :1])

    def height(place: Floats) -> Floats:
        """Between the lowest edge with its piece below and the highest with its piece above."""
        h = h0 + place * (h1 - h0)
        if below.all():
            return np.asarray(h.min(axis=1))
        ceiling = np.minimum(0.0, -np.where(below, -np.inf, h).max(axis=1))
        return np.asarray(np.where(below, h, np.inf).min(axis=1) + ceiling)

    # between the places where any two edges cross, the height changes evenly
    a, b = h0, h1
    if not below.all():
        a, b = (np.concatenate([zero, h], axis=1) for h in (h0, h1))
    i, j = np.triu_indices(a.shape[1], 1)
    d0, d1 = a[:, i] - a[:, j], b[:, i] - b[:, j]
    apart = d0 - d1
    place = np.clip(np.divide(d0, apart, out=np.zeros_like(d0), where=apart != 0), 0.0, 1.0)
    place = np.concatenate([np.sort(place, axis=1), one], axis=1)
    mean, before, last = zero[:, 0], zero, height(zero)
    for k in range(place.shape[1]):
        here = place[:, k : k + 1]
        now = height(here)
        mean = mean + (here - before)[:, 0] * mean_above(last, now)
        before, last = here, now
    return np.asarray(mean)
