"""Which straight pieces of a line's edge are near? The nearest to a place, all that meet a box."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from pinghu_geo.redline.areas import CHAIN, Edges

__all__ = ["LineEdges", "vector_lengths"]

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
Ints = NDArray[np.intp]

# Posts along the edge are no further apart [m], unless there were more than so many; where all but
# so small a share of the pieces are long, half of what these exceed.
POST_M, MOST_POSTS, SHORT = 2.0, 1_000_000, 0.1
# Posts that are looked at of each point, and those that lie in a leaf of their tree.
POSTS, LEAF = 8, 32
# What coordinates with a zone number leave of a distance [m].
ROUNDING_M = 1e-6


@dataclass(frozen=True)
class LineEdges:
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
    def of(cls, line: Any) -> LineEdges:
        """All edges of the line that have a length."""
        from scipy.spatial import cKDTree  # slow to import, and only depths need it

        rings = shapely.get_rings(shapely.get_parts(line))
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        kept = (ring[1:] == ring[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
        ends = np.stack([xy[:-1][kept], xy[1:][kept]], axis=1)
        ring = ring[:-1][kept]
        step = ends[:, 1] - ends[:, 0]
        long = vector_lengths(step)
        short = float(np.quantile(long, SHORT)) if len(long) else 0.0
        apart = max(POST_M, short / 2, float(long.sum()) / MOST_POSTS)
        n = np.ceil(long / apart).astype(np.intp)
        edge = np.repeat(np.arange(len(n)), n)
        begin = np.cumsum(n) - n
        share = (np.arange(len(edge)) - begin[edge]) / n[edge]
        # each ring is closed: its first post is reached by its last edge
        before = edge - (share == 0)
        first = np.flatnonzero(np.diff(ring, prepend=-1))
        before[begin[first]] = np.append(first[1:], len(ring)) - 1
        places = ends[edge, 0] + share[:, None] * step[edge]
        posts = cKDTree(places, leafsize=LEAF, balanced_tree=False)
        half = float((long / n).max()) / 2
        square = (step**2).sum(axis=1)
        return cls(ends[:, 0], step, square, ring, posts, before, edge, half)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of the pieces themselves, which few lookups need."""
        ends = np.stack([self.start, self.start + self.step], axis=1)
        return shapely.STRtree(np.asarray(shapely.linestrings(ends)))

    @cached_property
    def chains(self) -> shapely.STRtree:
        """Index of the boxes of some pieces in turn."""
        ends = np.concatenate([self.start, self.start + self.step], axis=1)
        return Edges(ends.T, self.ring).chains()

    def meeting(self, shapes: Shapes) -> tuple[Ints, Ints]:
        """Pairs of a shape and a piece whose boxes meet."""
        box = shapely.bounds(shapes)
        of, chain = self.chains.query(shapes)
        of, piece = np.repeat(of, CHAIN), (chain[:, None] * CHAIN + np.arange(CHAIN)).ravel()
        known = piece < len(self.ring)
        of, piece = of[known], piece[known]
        start = self.start[piece]
        end = start + self.step[piece]
        low, high = box[of, :2], box[of, 2:]
        meets = (np.maximum(start, end) >= low) & (np.minimum(start, end) <= high)
        some = meets.all(axis=1)
        return of[some], piece[some]

    def nearest(self, xy: Floats) -> tuple[Ints, Floats]:
        """The nearest edge of each point, and how far it is."""
        far, post = self.posts.query(xy, k=POSTS)
        # what is not beside one of these posts is further off than the first of them
        limit = np.sqrt(far[:, 0] ** 2 + self.half**2) + ROUNDING_M
        which, column = np.nonzero(far <= limit[:, None])
        post = post[which, column]
        edge, other = self.before[post], self.behind[post]
        gap, far_other = (self.distance(xy[which], one) for one in (edge, other))
        edge, gap = np.where(far_other < gap, other, edge), np.minimum(gap, far_other)
        least = np.minimum.reduceat(gap, np.flatnonzero(np.diff(which, prepend=-1)))
        best = np.flatnonzero(gap == least[which])
        edge, gap = edge[best[np.searchsorted(which[best], np.arange(len(xy)))]], least
        unsure = np.flatnonzero(far[:, -1] <= limit)
        if len(unsure):
            (_, edge[unsure]), gap[unsure] = self.tree.query_nearest(
                shapely.points(xy[unsure]), all_matches=False, return_distance=True
            )
        return edge, gap

    def distance(self, xy: Floats, edge: Ints) -> Floats:
        """Distance of points (..., 2) from edges (...)."""
        return vector_lengths(xy - self.foot(xy, edge))

    def foot(self, xy: Floats, edge: Ints) -> Floats:
        """The nearest place of edges (...) to points (..., 2)."""
        start, step = self.start[edge], self.step[edge]
        gap = xy - start
        along = (gap[..., 0] * step[..., 0] + gap[..., 1] * step[..., 1]) / self.square[edge]
        return np.asarray(start + np.clip(along, 0.0, 1.0)[..., None] * step)


def vector_lengths(gap: Floats) -> Floats:
    """Lengths of vectors."""
    return np.asarray(np.sqrt(gap[..., 0] ** 2 + gap[..., 1] ** 2))
