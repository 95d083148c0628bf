"""Where does a line as drawn meet walls? Pieces of wall in measure and offset, exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.schema import flat_shapes
from pinghu_geo.redline.lines import ARC_STEP_DEG
from pinghu_geo.river.centreline import Centrelines

__all__ = ["TOUCH_M", "Approved", "Contacts", "contacts"]

# a line that reaches into a wall by less only touches it [m]: widths are drawn to a micrometre
TOUCH_M = 1e-6
# places along the river closer than this are one [m]
ROUND_M = 1e-9


@dataclass(frozen=True, slots=True)
class Approved:
    """The approved line of one river: its offsets (2, rows) at measures that grow downstream."""

    name: str
    at: Array
    offsets: Array

    @classmethod
    def of(cls, lines: Centrelines, code: int, widths: pd.DataFrame) -> Approved:
        """Read from a width table."""
        name, scale = lines.names[code], lines.scales[code]
        mine = widths[widths["river"] == name]
        if mine.empty:
            raise LayerError(
                f"has no rows for {name}", layer="widths", hint="leave the river out of rivers, too"
            )
        at = scale.measure(mine["chainage_m"].to_numpy(float), twice="order")
        order = np.argsort(at, kind="stable")
        if (np.diff(at[order]) <= 0).any():
            raise LayerError(
                f"has two widths at one chainage of {name}, or gaps in it",
                layer="widths",
                hint="the search needs one row a chainage; draw a jump over a short stretch",
            )
        offsets = np.stack([mine[c].to_numpy(float)[order] for c in ("left_m", "right_m")])
        return cls(name, at[order], offsets)

    def base(self, measure: Array) -> Array:
        """Offsets (2, n) at measures."""
        return np.stack([np.interp(measure, self.at, one) for one in self.offsets])

    def slope(self) -> float:
        """Greatest change of offset along the river [m per m]."""
        return float(np.abs(np.diff(self.offsets) / np.diff(self.at)).max(initial=0.0))


class Contacts(NamedTuple):
    """Pieces of wall beside a river, as a line sees them.

    A piece lies between the measures ``at`` (n, 2) on a bank. A line meets it, or passes it closer
    than clear_m, where its move from the approved line is greater than ``room`` (n, 2), linear
    from one end to the other; where it is not greater than ``safe``, a little less, it surely keeps
    clear_m, however it slants. ``who`` numbers the buildings, ``ids`` are their rows in the layer.
    """

    who: Array
    side: Array
    at: Array
    room: Array
    safe: Array
    ids: Array


class _Strips(NamedTuple):
    """Straight pieces of centreline between its corners and the approved line's."""

    start: Array
    unit: Array
    length: Array
    at: Array  # measure of the start
    along: Array  # 1; 0 before the first and behind the last, where nothing is drawn any more


class _Fans(NamedTuple):
    """Triangles that close the outside of bends, in the order of flow."""

    corner: Array
    at: Array
    first: Array  # directions of both edges
    last: Array
    turn: Array  # 1 to the left, -1 to the right
    side: Array


class _WallParts(NamedTuple):
    """Parts of walls within strips or fans."""

    wall: Array
    side: Array
    at: Array  # measures of both ends
    away: Array  # offsets with which a line meets them
    slant: Array  # how many times clear_m a line keeps square to the river
    drawn: Array  # whether anything is drawn there


def contacts(
    buildings: gpd.GeoDataFrame,
    lines: Centrelines,
    code: int,
    approved: Approved,
    moves: Array,
    *,
    clear_m: float,
    taper: float,
) -> Contacts:
    """Walls that a line meets when it moves away from the approved one (an ascending list [m]).

    `red_line` draws strips square to each piece of centreline and closes the outside of bends
    with fans of triangles; in both, a wall is straight in measure and offset. So a building that a
    line meets at all is met at an end of one of these pieces, or where the line itself bends.
    """
    most = float(approved.offsets.max() + moves[-1]) + clear_m
    shapes = flat_shapes(buildings)
    strips = _centreline_strips(lines, code, approved.at, clear_m)
    end = strips.start + strips.unit * strips.length[:, None]
    axes = np.asarray(shapely.linestrings(np.stack([strips.start, end], axis=1)))
    tree = shapely.STRtree(axes)
    near = np.unique(tree.query(shapes, predicate="dwithin", distance=most)[0])
    walls, owner = _wall_ends(shapes[near])
    within = shapely.linestrings(walls)
    cuts = [
        _walls_in_strips(strips, walls, tree.query(within, predicate="dwithin", distance=most),
                np.hypot(1.0, approved.slope() + taper)),
        _walls_in_fans(_bend_fans(lines, code, approved.at), walls, within, most),
    ]  # fmt: skip
    wall, side, at, away, slant, drawn = (np.concatenate(v) for v in zip(*cuts, strict=True))
    who = owner[wall]
    # a building that covers the centreline is met wherever the line lies
    inside, piece = tree.query(shapes[near], predicate="contains")
    if len(inside):
        ends = strips.at[piece, None] + np.outer(strips.length[piece], [0.0, 1.0])
        who, at = np.concatenate([who, inside, inside]), np.concatenate([at, ends, ends])
        side = np.concatenate([side, np.repeat([0, 1], len(piece))])
        away = np.concatenate([away, np.zeros((2 * len(piece), 2))])
        slant, drawn = (np.concatenate([v, np.ones(2 * len(piece))]) for v in (slant, drawn))
    base = approved.base(at)
    room = away - clear_m - np.where(side[:, None] == 0, base[0], base[1])
    safe = room - clear_m * (slant - 1.0)[:, None]
    room[drawn == 0] = np.inf
    reach = safe.min(axis=1) < moves[-1] - TOUCH_M
    ids, number = np.unique(who[reach], return_inverse=True)
    return Contacts(number, side[reach], at[reach], room[reach], safe[reach], near[ids])


def _centreline_strips(lines: Centrelines, code: int, at: Array, beyond_m: float) -> _Strips:
    """Pieces of the centreline from the first of ``at`` to the last, and so much beyond both."""
    mine = slice(lines.first[code], lines.first[code + 1])
    first, start = lines.measure[mine], lines.start[mine]
    unit = lines.step[mine] / lines.length[mine, None]
    cuts = np.union1d(first[(first > at[0]) & (first < at[-1])], at)
    row = np.clip(np.searchsorted(first, cuts, side="right") - 1, 0, len(first) - 1)
    begin = start[row] + unit[row] * (cuts - first[row])[:, None]
    row, tail = row[:-1], begin[-1]
    length = np.diff(cuts)
    found = _Strips(begin[:-1], unit[row], length, cuts[:-1], np.ones(len(length)))
    if not beyond_m:
        return found
    ends = _Strips(
        np.stack([begin[0] - unit[row[0]] * beyond_m, tail]), unit[row[[0, -1]]],
        np.full(2, beyond_m), cuts[[0, -1]], np.zeros(2),
    )  # fmt: skip
    return _Strips(*(np.concatenate(v) for v in zip(found, ends, strict=True)))


def _bend_fans(lines: Centrelines, code: int, at: Array) -> _Fans:
    """The triangles that `red_line` draws outside of the bends between the first and last row."""
    mine = slice(lines.first[code], lines.first[code + 1])
    unit = lines.step[mine] / lines.length[mine, None]
    measure = lines.measure[mine][1:]
    turn = np.arctan2(
        unit[:-1, 0] * unit[1:, 1] - unit[:-1, 1] * unit[1:, 0], (unit[:-1] * unit[1:]).sum(axis=1)
    )
    bends = np.flatnonzero((measure > at[0]) & (measure < at[-1]) & (np.abs(turn) > ROUND_M))
    turn, unit = turn[bends], unit[bends]
    many = np.maximum(np.ceil(np.abs(turn) / np.radians(ARC_STEP_DEG)), 1).astype(int)
    of = np.repeat(np.arange(len(bends)), many)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(many) - many, many)
    sign = np.where(turn > 0, 1.0, -1.0)
    # the ray square to the piece before, on the outside
    ray = np.stack([unit[:, 1], -unit[:, 0]], axis=1) * sign[:, None]
    edges = []
    for k in (nth, nth + 1):
        angle = turn[of] * k / many[of]
        cos, sin = np.cos(angle), np.sin(angle)
        x, y = ray[of].T
        edges.append(np.stack([x * cos - y * sin, x * sin + y * cos], axis=1))
    side = np.where(sign > 0, 1, 0)[of]
    corner = lines.start[mine][bends + 1]
    return _Fans(corner[of], measure[bends][of], edges[0], edges[1], sign[of], side)


def _wall_ends(shapes: Any) -> tuple[Array, Array]:
    """Ends (n, 2, 2) of all walls, and whose each is."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    at = np.flatnonzero(ring[1:] == ring[:-1])
    return np.stack([xy[at], xy[at + 1]], axis=1), of[part[ring[at]]]


def _walls_in_strips(strips: _Strips, walls: Array, pairs: Array, slant: float) -> _WallParts:
    """Parts of walls within the strips beside them, on both banks."""
    wall, piece = pairs
    unit = strips.unit[piece, None]
    rel = walls[wall] - strips.start[piece, None]
    along = (rel * unit).sum(axis=2)
    left = unit[..., 0] * rel[..., 1] - unit[..., 1] * rel[..., 0]
    length, found = strips.length[piece, None], []
    for side, sign in ((0, 1.0), (1, -1.0)):
        low, high = _positive_shares([along, length - along, sign * left])
        k = np.flatnonzero(low <= high)
        share = np.stack([low[k], high[k]], axis=1)
        down = (
            np.clip(_values_at_shares(along[k], share), 0.0, length[k])
            * strips.along[piece[k], None]
        )
        away = np.maximum(sign * _values_at_shares(left[k], share), 0.0)
        found.append(
            _WallParts(wall[k], np.full(len(k), side), strips.at[piece[k], None] + down, away,
                 np.full(len(k), slant), strips.along[piece[k]])
        )  # fmt: skip
    return _WallParts(*(np.concatenate(v) for v in zip(*found, strict=True)))


def _walls_in_fans(fans: _Fans, walls: Array, shapes: Any, most: float) -> _WallParts:
    """Parts of walls within the fans of bends; a chord of radius 1 lies at its edges' middle."""
    tree = shapely.STRtree(np.asarray(shapely.points(fans.corner)))
    wall, fan = tree.query(shapes, predicate="dwithin", distance=most)
    rel = walls[wall] - fans.corner[fan, None]
    first, last, turn = fans.first[fan, None], fans.last[fan, None], fans.turn[fan, None]
    behind = turn * (first[..., 0] * rel[..., 1] - first[..., 1] * rel[..., 0])
    before = turn * (rel[..., 0] * last[..., 1] - rel[..., 1] * last[..., 0])
    low, high = _positive_shares([behind, before])
    k = np.flatnonzero(low <= high)
    middle = (fans.first + fans.last)[fan[k]] / 2
    near = np.hypot(*middle.T)  # distance of the chord, of radius 1
    away = (
        _values_at_shares(rel[k, :, 0], np.stack([low, high], axis=1)[k]) * middle[:, :1]
        + _values_at_shares(rel[k, :, 1], np.stack([low, high], axis=1)[k]) * middle[:, 1:]
    )
    return _WallParts(
        wall[k], fans.side[fan[k]], np.repeat(fans.at[fan[k], None], 2, axis=1),
        np.maximum(away / near[:, None] ** 2, 0.0), 1 / near, np.ones(len(k)),
    )  # fmt: skip


def _positive_shares(values: list[Array]) -> tuple[Array, Array]:
    """Shares of the way from first to second between which all of some values (n, 2) are positive.

    Where nowhere, the first is greater than the second.
    """
    low, high = np.zeros(len(values[0])), np.ones(len(values[0]))
    for value in values:
        a, b = value[:, 0] + ROUND_M, value[:, 1] + ROUND_M
        cross = a / np.where(a == b, 1.0, a - b)
        low = np.where((a < 0) & (b >= 0), np.maximum(low, cross), low)
        high = np.where((a >= 0) & (b < 0), np.minimum(high, cross), high)
        high = np.where((a < 0) & (b < 0), -1.0, high)
    return low, high


def _values_at_shares(ends: Array, share: Array) -> Array:
    """Values between two ends (n, 2) at shares (n, 2) of the way."""
    found: Array = ends[:, :1] + share * (ends[:, 1:] - ends[:, :1])
    return found
