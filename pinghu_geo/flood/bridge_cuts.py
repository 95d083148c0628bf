"""What is left of a section under a deck, between piers and embankments? numpy only.

All bridges of a river are cut at once: their sections lie one after the other in flat arrays, for
a section has some 60 points and numpy takes as long for 60 as for 1,000.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array

__all__ = [
    "HAIR_M", "Banks", "Line", "Pieces", "Pier", "bridge_grounds", "lowest_lid", "mean_bed",
    "pier_areas",
    "pieces_of",
]  # fmt: skip

# a pier as wide as its section ends so far within it; nearer places than this are one [m]
HAIR_M = 1e-6

# offset, elevation and n of a ground; offset, low chord and high chord of a deck
Line = tuple[Array, Array, Array]
# centre, elevations, widths
Pier = tuple[float, Array, Array]
Banks = tuple[float, float]
# points of a ground from left to right, as lists: x, z, n
Points = tuple[list[float], list[float], list[float]]


class Pieces(NamedTuple):
    """Stretches of sections without a bend in ground or deck, section after section; (n,)."""

    section: Array
    start: Array
    stop: Array
    under: Array  # (n, 2) ground at both ends
    soffit: Array  # (n, 2) low chord; NaN: no deck
    road: Array  # (n, 2) high chord
    n: Array
    solid: Array  # the low chord lies in the ground
    face: Array  # n of the ground's own wall at its start; NaN: there is none

    def of(self, section: int) -> Pieces:
        """Those of one section."""
        first, last = np.searchsorted(self.section, (section, section + 1)).tolist()
        return Pieces(*(v[first:last] for v in self))


class _Lines(NamedTuple):
    """Lines of many sections, one after the other; ``key`` orders points by section and place."""

    x: Array
    key: Array
    first: Array  # place of each section's first point
    last: Array

    def before(self, key: Array, section: Array) -> Array:
        """Place of the last point at or before others; of those outside the end of the line."""
        k = np.searchsorted(self.key, key, side="right") - 1
        found: Array = np.minimum(np.maximum(k, self.first[section]), self.last[section] - 1)
        return found

    def at(self, z: Array, k: Array, start: Array, stop: Array) -> Array:
        """Heights (n, 2) at both ends of stretches on the pieces of line after points ``k``."""
        x0, z0, z1 = self.x[k], z[k], z[k + 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = (z1 - z0) / (self.x[k + 1] - x0)
            straight = np.isfinite(z0) & np.isfinite(z1)
            ends = (
                np.where(straight, z0 + slope * (start - x0), z0),
                np.where(straight, z0 + slope * (stop - x0), z1),
            )
        made: Array = np.stack(ends, axis=1)
        return made


def _lines_of(places: list[list[Array]]) -> tuple[list[_Lines], Array]:
    """Lines of kinds (ground, deck) of each section, and the values that keys stand for.

    A key is the section times the number of values, and the rank of the place: whole numbers, so
    that no rounding parts or joins places.
    """
    flat = [np.concatenate(kind) for kind in places]
    values, rank = np.unique(np.concatenate(flat), return_inverse=True)
    ranks = np.split(rank.ravel(), np.cumsum([len(v) for v in flat])[:-1])
    made = []
    for kind, x, mine in zip(places, flat, ranks, strict=True):
        count = np.array([len(v) for v in kind])
        first = np.cumsum(count) - count
        key = np.repeat(np.arange(len(count)), count) * len(values) + mine
        made.append(_Lines(x, key, first, first + count - 1))
    return made, values


def pieces_of(grounds: Sequence[Line], decks: Sequence[Line]) -> Pieces:
    """Stretches without a bend of sections under their decks, each from left to right."""
    (bed, deck), values = _lines_of([[g[0] for g in grounds], [d[0] for d in decks]])
    z, n = (np.concatenate([g[c] for g in grounds]) for c in (1, 2))
    low, high = (np.concatenate([d[c] for d in decks]) for c in (1, 2))
    # a stretch is from a point of ground or deck to the next one
    keys = np.unique(np.concatenate([bed.key, deck.key]))
    each = keys // len(values)
    inside = (keys >= bed.key[bed.first][each]) & (keys <= bed.key[bed.last][each])
    keys, each = keys[inside], each[inside]
    x = values[keys % len(values)]
    pair = np.flatnonzero(each[1:] == each[:-1])
    keys, each, a, b = keys[pair], each[pair], x[pair], x[pair + 1]
    on_bed, on_deck = bed.before(keys, each), deck.before(keys, each)
    # ... or to where a chord crosses the ground
    along = (a >= deck.x[deck.first][each]) & (b <= deck.x[deck.last][each])
    ground = bed.at(z, on_bed, a, b)
    parts, places = [np.arange(len(a))], [a]
    for chord in (low, high):
        with np.errstate(invalid="ignore"):
            u, v = (ground - deck.at(chord, on_deck, a, b)).T
            k = np.flatnonzero(along & np.isfinite(u) & (u * v < 0))
        parts.append(k)
        places.append(a[k] + (b[k] - a[k]) * u[k] / (u[k] - v[k]))
    of, start = np.concatenate(parts), np.concatenate(places)
    turn = np.lexsort((start, of))
    of, start = of[turn], start[turn]
    new = np.r_[True, (of[1:] != of[:-1]) | (start[1:] != start[:-1])] & (start < b[of])
    of, start = of[new], start[new]
    stop = np.where(np.r_[of[1:] == of[:-1], False], np.r_[start[1:], 0.0], b[of])
    each, on_bed, on_deck = each[of], on_bed[of], on_deck[of]
    middle = (start + stop) / 2
    under = bed.at(z, on_bed, start, stop)
    soffit, road = (deck.at(chord, on_deck, start, stop) for chord in (low, high))
    decked = (deck.x[deck.first][each] <= middle) & (middle <= deck.x[deck.last][each])
    solid = decked & (soffit.sum(axis=1) <= under.sum(axis=1) + 1e-9)
    soffit[~decked], road[~decked] = np.nan, np.nan
    # of points above each other the first one's n is the wall's
    wall = np.searchsorted(bed.key, keys)
    upright = bed.key[np.minimum(wall + 1, len(bed.key) - 1)] == keys
    upright &= wall + 1 < len(bed.key)
    upright = upright[of] & (start == a[of])
    face = np.where(upright, n[np.minimum(wall, len(n) - 1)][of], np.nan)
    return Pieces(each, start, stop, under, soffit, road, n[on_bed], solid, face)


def bridge_grounds(
    pieces: Pieces, piers: Sequence[Sequence[Pier]], banks: Sequence[Banks] | None = None
) -> tuple[list[Line], list[tuple[Array, ...]]]:
    """Ground and lid of each section with its deck and piers in it.

    Where the low chord lies in the ground the embankment is solid up to the high chord. What of a
    pier is wider than below it (debris, a pier's head) lowers the low chord over the water, which
    runs beneath it. A pier's face has the n of the ground that it looks to, and is of its part of
    the section (channel or overbank).
    """
    banks = banks if banks is not None else [(math.nan, math.nan)] * len(piers)
    pieces = _below_pier_heads(pieces, piers)
    (x, z, n), lid, covered = _ground_and_lid(pieces)
    ends = np.arange(len(piers) + 1)
    at = np.searchsorted(pieces.section, ends).tolist()
    points = [v.tolist() for v in (x, z, n)]
    made = []
    for k, (some, bank) in enumerate(zip(piers, banks, strict=True)):
        own: Points = tuple(v[2 * at[k] : 2 * at[k + 1]] for v in points)
        for centre, heights, width in some:
            wider = np.flatnonzero(np.diff(width) > 0)
            shaft = int(wider[0]) + 1 if len(wider) else len(heights)
            own = _ground_with_pier(own, centre, heights[:shaft], width[:shaft], bank)
        made.append(own)
    under = np.searchsorted(covered, ends).tolist()
    lids = [tuple(v[2 * a : 2 * b] for v in lid) for a, b in itertools.pairwise(under)]
    return _without_repeated_points(made), lids


def _ground_and_lid(pieces: Pieces) -> tuple[Line, tuple[Array, ...], Array]:
    """Points of the ground, two a piece, and of the lid with the n of its two sides.

    An embankment is ground up to the soffit beside it, without a wetted length, and a lid from
    there to the road: so its face is wet below the soffit only, and its road when the water runs
    over it. And the section of each piece that has a lid.
    """
    section, start, stop, under, soffit, road, n, solid, face = pieces
    x, filled = np.stack([start, stop], axis=1), solid & ~np.isnan(road[:, 0])
    raised = np.maximum(under, _soffits_beside(pieces)[:, None])
    raised = np.where(raised > under, np.minimum(raised, road), under)
    z = np.where(filled[:, None], raised, under)
    rough = np.repeat(np.where(filled, 0.0, n), 2).reshape(-1, 2)
    # a wall of the ground has its own n, any other face that of the side that it looks to
    wall = ~(solid[1:] | solid[:-1]) & np.isfinite(face[1:])
    looks = np.where(wall, face[1:], np.where(z[:-1, 1] > z[1:, 0], rough[1:, 0], rough[:-1, 1]))
    rough[:-1, 1] = np.where(section[1:] == section[:-1], looks, rough[:-1, 1])
    low = np.where(filled[:, None], z, soffit)
    sides = np.where(filled, (np.zeros(len(n)), n), np.nan)
    covered = ~(np.isnan(low[:, 0]) | np.isnan(road[:, 0]))
    lid = (*(v[covered].ravel() for v in (x, low, road)), *np.repeat(sides[:, covered], 2, axis=1))
    return (x.ravel(), z.ravel(), rough.ravel()), lid, section[covered]


def _soffits_beside(pieces: Pieces) -> Array:
    """Soffit of the opening beside each piece if that is an embankment; the higher of two.

    Open ground beside an embankment has no soffit: its face is wet as high as it is.
    """
    place, count = np.arange(len(pieces.solid)), len(pieces.solid)
    section, solid = pieces.section, pieces.solid
    before = np.maximum.accumulate(np.where(solid, -1, place))
    after = np.minimum.accumulate(np.where(solid, count, place)[::-1])[::-1]
    found = np.full(count, -np.inf)
    for beside, end in ((before, 1), (after, 0)):
        near = np.clip(beside, 0, count - 1)
        there = solid & (near == beside) & (section[near] == section)
        soffit = pieces.soffit[near, end]
        soffit = np.where(np.isnan(soffit), np.inf, soffit)
        found = np.where(there, np.maximum(found, soffit), found)
    return found


# --- pier heads -------------------------------------------------------------------------------


class _Piece(NamedTuple):
    """A piece by itself: ground, low and high chord at both ends."""

    start: float
    stop: float
    under: tuple[float, float]
    soffit: tuple[float, float]
    road: tuple[float, float]
    n: float
    solid: bool
    face: float


def _below_pier_heads(pieces: Pieces, piers: Sequence[Sequence[Pier]]) -> Pieces:
    """Pieces whose low chord is lowered to the underside of what piers carry above water."""
    headed = [
        k for k, some in enumerate(piers) if any((np.diff(width) > 0).any() for *_, width in some)
    ]
    if not headed:
        return pieces
    parts = []
    for k in range(len(piers)):
        part = pieces.of(k)
        if k in headed:
            rows = [_Piece(*one) for one in zip(*map(_as_said, part[1:]), strict=True)]
            rows = _rows_below_pier_heads(rows, piers[k])
            columns = (np.array(column) for column in zip(*rows, strict=True))
            part = Pieces(np.full(len(rows), k), *columns)
        parts.append(part)
    return Pieces(*(np.concatenate(v) for v in zip(*parts, strict=True)))


def _as_said(values: Array) -> list[object]:
    """A column of pieces, one by one; pairs as pairs."""
    rows = values.tolist()
    return [tuple(one) for one in rows] if values.ndim == 2 else rows


def _rows_below_pier_heads(pieces: list[_Piece], piers: Sequence[Pier]) -> list[_Piece]:
    for centre, at, width in piers:
        wider = np.flatnonzero(np.diff(width) > 0)
        if not len(wider):
            continue
        reach = np.maximum.accumulate(width[wider[0] :]) / 2
        x = np.r_[centre - reach[::-1], centre + reach]
        z = np.r_[at[wider[0] :][::-1], at[wider[0] :]]
        for k in np.flatnonzero(np.diff(x) > 0):
            line = float(x[k]), float(x[k + 1]), float(z[k]), float(z[k + 1])
            pieces = [part for one in pieces for part in _piece_below_line(one, *line)]
    return pieces


def _piece_below_line(
    one: _Piece, start: float, stop: float, first: float, last: float
) -> list[_Piece]:
    """A piece in parts, whose low chord is at most a straight line where that one is over it."""
    if math.isnan(one.soffit[0]) or one.solid or one.stop <= start or one.start >= stop:
        return [one]

    def line(x: float) -> float:
        return first + (last - first) * (x - start) / (stop - start)

    a, b = max(one.start, start), min(one.stop, stop)
    cuts = {one.start, a, b, one.stop}
    for other in (one.soffit, one.under):  # where it meets the low chord or the ground
        gaps = [line(x) - _between(one, other, x) for x in (a, b)]
        if gaps[0] * gaps[1] < 0:
            cuts.add(a + (b - a) * gaps[0] / (gaps[0] - gaps[1]))
    parts = []
    for left, right in itertools.pairwise(sorted(cuts)):
        under, soffit, road = (
            (_between(one, pair, left), _between(one, pair, right))
            for pair in (one.under, one.soffit, one.road)
        )
        if a <= left and right <= b:
            soffit = min(soffit[0], line(left)), min(soffit[1], line(right))
        parts.append(one._replace(
            start=left, stop=right, under=under, soffit=soffit, road=road,
            solid=sum(soffit) <= sum(under) + 1e-9,
            face=one.face if left == one.start else math.nan,
        ))  # fmt: skip
    return parts


def _between(one: _Piece, ends: tuple[float, float], x: float) -> float:
    """Height at a place of a piece, between those at its ends."""
    share = (x - one.start) / (one.stop - one.start) if one.stop > one.start else 0.0
    return ends[0] if ends[0] == ends[1] else ends[0] + (ends[1] - ends[0]) * share


def lowest_lid(pieces: Pieces, piers: Sequence[Pier]) -> float:
    """Lowest point of the deck's underside, of pier heads and of the tops of embankments."""
    lids = np.where(pieces.solid[:, None], pieces.road, pieces.soffit)
    heads = [float(at[:-1][np.diff(width) > 0].min(initial=np.inf)) for _, at, width in piers]
    return min(float(np.fmin.reduce(lids, axis=None, initial=np.inf)), *heads, math.inf)


# --- piers ------------------------------------------------------------------------------------


def _value_at(x: list[float], values: list[float], at: float) -> float:
    """Value of a line at a place, as `numpy.interp` has it."""
    k = bisect_right(x, at) - 1
    if k < 0 or k == len(x) - 1 or x[k] == at:
        return values[max(k, 0)]
    return values[k] + (values[k + 1] - values[k]) / (x[k + 1] - x[k]) * (at - x[k])


def _ground_with_pier(
    ground: Points, centre: float, at: Array, width: Array, banks: Banks
) -> Points:
    """Ground raised to the pier, whose widths grow nowhere upwards.

    An edge on a bank or on a point of the ground covers it by a hair: the face stands on the side
    that it looks to, and no rounding decides. Lists, since a pier is a handful of numbers.
    """
    x, z, n = ground
    levels, widths = at.tolist(), width.tolist()
    foot, top = _value_at(x, z, centre), levels[-1]
    if top <= foot:
        return ground
    heights = sorted({foot, *(h for h in levels if foot < h < top), top})
    half = [_value_at(levels, widths, h) / 2 for h in heights]
    left = [(_pier_edge(x, centre - h, -1, banks), z) for h, z in zip(half, heights, strict=True)]
    right = [(_pier_edge(x, centre + h, 1, banks), z) for h, z in zip(half, heights, strict=True)]
    a, b = left[0][0], right[0][0]
    before, after = bisect_left(x, a), bisect_right(x, b)
    points = [(a, _value_at(x, z, a)), *left, *right[::-1], (b, _value_at(x, z, b))]
    rough = [n[before - 1]] * len(left) + [n[bisect_right(x, centre) - 1]]
    rough += [n[after - 1]] * (len(points) - len(rough))
    return (
        x[:before] + [p[0] for p in points] + x[after:],
        z[:before] + [p[1] for p in points] + z[after:],
        n[:before] + rough + n[after:],
    )


def _pier_edge(x: list[float], place: float, side: int, banks: Banks) -> float:
    """Where a pier's edge stands: a hair over a point or a bank, within the section."""
    k = bisect_left(x, place)
    marks = [*x[max(k - 1, 0) : k + 1], *(bank for bank in banks if math.isfinite(bank))]
    near = min(marks, key=lambda mark: abs(mark - place))
    if abs(near - place) <= HAIR_M:
        place = near + side * HAIR_M
    # what is wider than the section ends with it
    return min(max(place, x[0] + HAIR_M), x[-1] - HAIR_M)


def _without_repeated_points(grounds: Sequence[Points]) -> list[Line]:
    """Grounds without points that are said twice."""
    count = np.array([len(one[0]) for one in grounds])
    x, z, n = (np.array([v for one in grounds for v in one[c]]) for c in range(3))
    keep = np.r_[True, (x[1:] != x[:-1]) | (z[1:] != z[:-1])]
    keep[np.cumsum(count) - count] = True
    last = np.r_[keep[1:], True]  # of equal points the last one's n holds
    ends = np.cumsum(np.add.reduceat(keep, np.cumsum(count) - count, dtype=int))
    parts = (np.split(v, ends[:-1]) for v in (x[keep], z[keep], n[last]))
    return [*zip(*parts, strict=True)]


def pier_areas(piers: Sequence[Pier], ground: Line) -> tuple[Array, Array]:
    """Levels and the area of all piers below them.

    Between these levels a width is one or nearly so: 200 more are laid where a pier tapers.
    """
    x, z, _ = ground
    if not piers:
        return np.array([0.0, 1.0]), np.zeros(2)
    feet = [float(np.interp(centre, x, z)) for centre, *_ in piers]
    ends = [np.r_[foot, at[at > foot]] for foot, (_, at, _) in zip(feet, piers, strict=True)]
    levels = np.concatenate(ends)
    if any((width != width[0]).any() for *_, width in piers):
        levels = np.concatenate([levels, np.linspace(levels.min(), levels.max(), 200)])
    levels = np.unique(levels)
    total, rise = np.zeros(len(levels)), levels[1:] - levels[:-1]
    for foot, (_, at, width) in zip(feet, piers, strict=True):
        wide = np.interp(levels, at, width)
        within = (levels[:-1] >= foot) & (levels[1:] <= at[-1])
        total[1:] += ((wide[1:] + wide[:-1]) / 2 * rise * within).cumsum()
    return levels, total


# --- the bed ----------------------------------------------------------------------------------


def mean_bed(x: Array, z: Array, spans: Sequence[tuple[float, float]], chord: float) -> float:
    """Mean elevation of a section's ground below a chord, within stretches.

    Of the ground, not of what is left below the soffit: under the crown of an arch or the high end
    of a sloping deck the opening is as wide as a point.
    """
    a, b, h0, h1 = x[:-1], x[1:], chord - z[:-1], chord - z[1:]
    wide = area = 0.0
    for start, stop in spans:
        p, q = (np.minimum(np.maximum(v, start), stop) for v in (a, b))
        k = np.flatnonzero(q > p)
        slope = (h1[k] - h0[k]) / (b[k] - a[k])
        d0, d1 = (h0[k] + slope * (v[k] - a[k]) for v in (p, q))
        top, low = np.maximum(d0, d1), np.minimum(d0, d1)
        with np.errstate(divide="ignore", invalid="ignore"):  # what rises above the chord is dry
            share = np.where(low >= 0, 1.0, np.where(top > 0, top / (top - low), 0.0))
        run = (q[k] - p[k]) * share
        wide += float(run.sum())
        area += float((run * (np.maximum(top, 0.0) + np.maximum(low, 0.0)) / 2).sum())
    return chord - area / wide if wide > 0 else chord
