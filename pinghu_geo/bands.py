"""How much of each shape do many corridors hold? Those that differ only in their widths.

A corridor is a union of convex pieces: strips beside the centreline, and the triangles of the
wedges outside its bends. Of each piece only one edge moves with the design. So every shape is cut
once, along the edges that stay, into parts that each lie in the same pieces for all designs; in a
design, of each part is covered what is inside of at least one of its pieces' moving edges.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from pinghu_geo.areas import Edges, mean_above
from pinghu_geo.redline import arc, bends

__all__ = ["Pieces", "areas_inside"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

# Numbers in one array of a step of the integration: what a processor keeps near at hand.
AT_ONCE = 200_000
# Cuts are rounded to this [m]: without a grid GEOS errs where edges almost coincide.
GRID_M = 1e-9
# Parts smaller than this are rounding [m²].
SLIVER_M2 = 1e-9
# Directions that are tried to see moving edges as graphs, and how far from them they must be.
DIRECTIONS, LEAST_SLANT = 64, 1e-3


class Pieces(NamedTuple):
    """Convex pieces, each inside of an edge that moves, seen from the piece's origin.

    A point ``along``, ``across`` (unit vectors) is inside of the edge where ``across`` is at most
    the width there, between ``near`` (pieces, designs) at ``along`` 0 and ``far`` at ``length``.
    """

    shape: Any
    origin: Floats
    along: Floats
    across: Floats
    length: Floats
    near: Floats
    far: Floats

    @classmethod
    def of(cls, rows: dict[str, Floats], arc_step: float, *, mitre: bool, rounded: bool) -> Pieces:
        """Pieces of one stretch of a corridor, of rows with the widths of all designs."""
        found = [cls._strips(rows, side) for side in ("left", "right")]
        turn, ray, last, before, after = bends(rows)
        wide = np.maximum(before, after)
        for i in np.flatnonzero((turn != 0) & (wide.max(axis=1) > 0)):
            between = arc(ray[i], last[i], arc_step, mitre=mitre)
            found.append(cls._fan(rows["p1"][i], np.vstack([ray[i], between, last[i]]), wide[i]))
        if rounded:
            unit = rows["unit"]
            for end, k, ahead in (("0", 0, -unit[0]), ("1", -1, unit[-1])):
                for name, side in (("left", 1.0), ("right", -1.0)):
                    square = side * np.array([-unit[k, 1], unit[k, 0]])
                    fan = np.vstack([square, arc(square, ahead, arc_step, mitre=False), ahead])
                    found.append(cls._fan(rows[f"p{end}"][k], fan, rows[f"{name}{end}"][k]))
        return cls.joined(found)

    @classmethod
    def joined(cls, parts: list[Pieces]) -> Pieces:
        """Pieces of several, one after the other; those that never hold anything are left out."""
        found = cls(*(np.concatenate(one) for one in zip(*parts, strict=True)))
        some = shapely.area(found.shape) > 0
        return cls(*(one[some] for one in found))

    @classmethod
    def _strips(cls, rows: dict[str, Floats], side: str) -> Pieces:
        """Strips on one side, square to the centreline."""
        unit, start, end = rows["unit"], rows["p0"], rows["p1"]
        across = np.stack([-unit[:, 1], unit[:, 0]], axis=1) * (1.0 if side == "left" else -1.0)
        near, far = rows[f"{side}0"], rows[f"{side}1"]
        most = [w.max(axis=1)[:, None] for w in (near, far)]
        ring = [start, end, end + across * most[1], start + across * most[0]]
        length = ((end - start) * unit).sum(axis=1)
        shape = shapely.polygons(np.stack(ring, axis=1))
        return cls(shape, start, unit, across, length, near, far)

    @classmethod
    def _fan(cls, centre: Floats, corners: Floats, radius: Floats) -> Pieces:
        """Triangles of a wedge with its corners at radius 1, the chords of which move out."""
        n, one, other = len(corners) - 1, corners[:-1], corners[1:]
        along = (other - one) / np.hypot(*(other - one).T)[:, None]
        across = np.stack([along[:, 1], -along[:, 0]], axis=1)
        reach = (across * one).sum(axis=1)
        across, reach = across * np.sign(reach)[:, None], np.abs(reach)
        width = reach[:, None] * radius
        out = centre + np.stack([one, other], axis=1) * radius.max()
        ring = np.concatenate([np.broadcast_to(centre, (n, 1, 2)), out], axis=1)
        origin = np.broadcast_to(centre, (n, 2))
        return cls(shapely.polygons(ring), origin, along, across, np.ones(n), width, width)


class _Parts(NamedTuple):
    """Parts of shapes: whose each is, and the pieces that it lies in, -1 where there are fewer."""

    shape: Any
    owner: Ints
    pieces: Ints


def areas_inside(shapes: Any, pieces: Pieces) -> Floats:
    """Area [m²] of each shape in each design, (designs, shapes)."""
    base = np.floor(pieces.origin.mean(axis=0))  # near the origin doubles are finer
    shapes, moved = (shapely.transform(one, lambda xy: xy - base) for one in (shapes, pieces.shape))
    pieces = pieces._replace(shape=moved, origin=pieces.origin - base)
    parts = _cut(shapes, pieces)
    count = (parts.pieces >= 0).sum(axis=1)
    inside = np.zeros((len(shapes), pieces.near.shape[1]))
    narrowest = pieces._replace(
        near=pieces.near.min(axis=1, keepdims=True), far=pieces.far.min(axis=1, keepdims=True)
    )
    for m in np.unique(count[count > 0]):
        some = np.flatnonzero(count == m)
        some = some[np.argsort(parts.owner[some], kind="stable")]
        shape, owner, index = parts.shape[some], parts.owner[some], parts.pieces[some, :m]
        area = np.bincount(owner, weights=shapely.area(shape), minlength=len(shapes))
        inside += area[:, None]
        # what is inside of one edge in the narrowest design is so in all
        edges = Edges.of(shape)
        height = np.maximum(*_Seen.of(edges, index[edges.owner], narrowest).heights(narrowest))
        most = np.full((len(some), m), -np.inf)
        np.maximum.at(most, edges.owner, height[:, :, 0])
        moves = np.asarray((most > 0).all(axis=1))[edges.owner]
        edges = Edges(edges.xy[:, moves], edges.owner[moves])
        _take_bare(inside, owner, edges, index, pieces)
    return np.clip(inside, 0.0, shapely.area(shapes)[:, None]).T


def _cut(shapes: Any, pieces: Pieces) -> _Parts:
    """Cut shapes so that each part lies wholly in each piece or outside of it, at its widest."""
    who, piece = shapely.STRtree(pieces.shape).query(shapes)
    meets = shapely.intersects(shapes[who], pieces.shape[piece])
    who, piece = who[meets], piece[meets]
    order = np.lexsort((piece, who))
    who, piece = who[order], piece[order]
    turn = np.arange(len(who)) - np.searchsorted(who, who)
    parts = _Parts(shapes, np.arange(len(shapes)), np.full((len(shapes), 1), -1))
    for k in range(int(turn.max(initial=-1)) + 1):
        now = np.full(len(shapes), -1)
        now[who[turn == k]] = piece[turn == k]
        parts = _cut_once(parts, now[parts.owner], pieces)
    return parts


def _cut_once(parts: _Parts, piece: Ints, pieces: Pieces) -> _Parts:
    """Cut each part by one piece, or by none (-1)."""
    box = shapely.bounds(parts.shape)
    edge = shapely.bounds(pieces.shape[piece])
    meets = (piece >= 0) & (box[:, :2] < edge[:, 2:]).all(axis=1)
    cut = np.flatnonzero(meets & (box[:, 2:] > edge[:, :2]).all(axis=1))
    with_it, without = (
        op(parts.shape[cut], pieces.shape[piece[cut]], grid_size=GRID_M)
        for op in (shapely.intersection, shapely.difference)
    )
    count = (parts.pieces >= 0).sum(axis=1)
    members = parts.pieces
    if len(cut) and count[cut].max() == members.shape[1]:
        members = np.concatenate([members, np.full((len(members), 1), -1)], axis=1)
    inner = members[cut]
    inner[np.arange(len(cut)), count[cut]] = piece[cut]
    kept = np.setdiff1d(np.arange(len(parts.owner)), cut)
    shape = np.concatenate([parts.shape[kept], without, with_it])
    owner = np.concatenate([parts.owner[kept], parts.owner[cut], parts.owner[cut]])
    members = np.concatenate([members[kept], members[cut], inner])
    # single polygons without the slivers that rounding leaves: on them GEOS is sure
    shape, of = shapely.get_parts(shape, return_index=True)
    some = shapely.area(shape) > SLIVER_M2
    return _Parts(shape[some], owner[of[some]], members[of[some]])


# --- what moving edges leave bare --------------------------------------------------------------


class _Seen(NamedTuple):
    """Both ends of edges as seen from pieces (n, m): how far away, and where along (0 to 1)."""

    pieces: Ints
    away: tuple[Floats, Floats]
    along: tuple[Floats, Floats]

    @classmethod
    def of(cls, edges: Edges, index: Ints, pieces: Pieces) -> _Seen:
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


def _take_bare(inside: Floats, owner: Ints, edges: Edges, index: Ints, pieces: Pieces) -> None:
    """Take from the area of each shape (rows of ``inside``) what no piece of a part covers.

    Parts have an ``owner`` and an ``index`` (n, m) of pieces; ``edges`` are theirs, in order. Seen
    in a direction in which the moving edges are graphs, the bare area of a part is the integral,
    along its outline, of the height between the highest edge below and the lowest one above.
    """
    up, sure = _upward(index, pieces)
    if not sure.all() and inside.shape[1] > 1:
        # widths that taper very differently: fewer designs at a time do so less
        half = inside.shape[1] // 2
        unsure = ~sure[edges.owner]
        some = Edges(edges.xy[:, unsure], edges.owner[unsure])
        for one in (slice(None, half), slice(half, None)):
            fewer = pieces._replace(near=pieces.near[:, one], far=pieces.far[:, one])
            _take_bare(inside[:, one], owner, some, index, fewer)
        edges = Edges(edges.xy[:, ~unsure], edges.owner[~unsure])
    size = max(1, AT_ONCE // (index.shape[1] * inside.shape[1]))
    for start in range(0, len(edges.owner), size):
        part = edges.owner[start : start + size]
        some = Edges(edges.xy[:, start : start + size], part)
        # how far each edge goes back, against the way to the right of upward
        dx, dy = some.xy[2:] - some.xy[:2]
        back = dy * up[part, 0] - dx * up[part, 1]
        bare = _mean_bare(some, index[part], up[part], pieces) * back[:, None]
        first = np.flatnonzero(np.diff(owner[part], prepend=-1))
        inside[owner[part[first]]] -= np.add.reduceat(bare, first, axis=0)


def _upward(index: Ints, pieces: Pieces) -> tuple[Floats, NDArray[np.bool_]]:
    """Direction in which each part's moving edges are graphs in all designs, and if it is sure."""
    if index.shape[1] == 1:
        return pieces.across[index[:, 0]], np.ones(len(index), bool)
    slope = (pieces.far - pieces.near) / pieces.length[:, None]
    least, most = slope.min(axis=1)[index, None], slope.max(axis=1)[index, None]
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


def _mean_bare(edges: Edges, index: Ints, up: Floats, pieces: Pieces) -> Floats:
    """Mean height of the bare part below edges (n) of an outline, (n, designs)."""
    h0, h1 = _Seen.of(edges, index, pieces).heights(pieces)
    if index.shape[1] == 1:
        return mean_above(h0[:, 0], h1[:, 0])
    slope = (pieces.far[index] - pieces.near[index]) / pieces.length[index][..., None]
    rise = (pieces.across[index] * up[:, None]).sum(axis=2)[..., None]
    run = (pieces.along[index] * up[:, None]).sum(axis=2)[..., None]
    upright = rise - run * slope
    h0, h1, below = h0 / upright, h1 / upright, upright > 0
    # between the places where any two of all edges cross, the height changes evenly
    zero = np.zeros_like(h0[:, :1])
    a, b = np.concatenate([zero, h0], axis=1), np.concatenate([zero, h1], axis=1)
    i, j = np.triu_indices(a.shape[1], 1)
    d0, d1 = a[:, i] - a[:, j], b[:, i] - b[:, j]
    apart = d0 - d1
    place = np.clip(np.divide(d0, apart, out=np.zeros_like(d0), where=apart != 0), 0.0, 1.0)
    place = np.sort(np.concatenate([zero, place, zero + 1.0], axis=1), axis=1)
    height = np.empty_like(place)
    for k in range(place.shape[1]):
        h = h0 + place[:, k : k + 1] * (h1 - h0)
        lowest = np.where(below, h, np.inf).min(axis=1)
        ceiling = np.minimum(0.0, -np.where(below, -np.inf, h).max(axis=1))
        height[:, k] = np.maximum(lowest + ceiling, 0.0)
    return np.asarray(((height[:, 1:] + height[:, :-1]) / 2 * np.diff(place, axis=1)).sum(axis=1))
