"""Which moves make the line as drawn take a building? Pairs of them, or thresholds at stations.

Between two stations the line is straight, and which pairs of moves let it take a building is known
from its walls (`contacts`). The search that marches from station to station counts just those
pairs. The minimum cut counts a building by thresholds: taken as soon as the move at some station is
one of these or greater. Where a corner is a station the pairs are just that; elsewhere they are
covered by the two thresholds that count fewest pairs too many, so that what is promised to stay
stays, and the building is one that is decided between stations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import shapely

from pinghu_geo.flood.sections import Array
from pinghu_geo.search.contacts import TOUCH_M, Contacts

__all__ = ["Touches", "counted_as_drawn", "changes", "pieces_in_gaps", "touches_of"]

# corners closer to a station than this are at it [m]
AT_STATION_M = 1e-5
# pairs of moves looked at at once
PAIRS_AT_ONCE = 4_000_000


class _BuildingGaps(NamedTuple):
    """One row a building, bank and gap between stations that it stands beside.

    ``safe`` (rows, moves) is the least move at the lower station with which the line may take the
    building, by move at the upper one; ``sure`` that with which it surely does. ``cover`` (rows, 2)
    are the thresholds at both stations, ``too_many`` how many pairs they count too many.
    """

    who: Array
    side: Array
    gap: Array
    safe: Array
    sure: Array
    cover: Array
    too_many: Array


class _AllowedMoves(NamedTuple):
    """Moves that are allowed: the least and greatest (2, stations), and most change in each gap."""

    low: Array
    high: Array
    change: Array


@dataclass(frozen=True, slots=True)
class Touches:
    """From which move on the line takes buildings, station by station.

    Rows of ``who``, ``side``, ``station`` and ``level``, the first move that counts as taking the
    building, and ``sure``, the first that takes it whatever the line does beside; the number of
    moves stands for none. Buildings are numbered, ``ids`` are their rows in the layer,
    ``from_station`` and ``to_station`` the first and last station that they bind, and ``between``
    says whether some pair of moves counts though the line clears the building between stations.
    With ``pairs`` a building counts by `pairs_take`, not by ``level``.
    """

    who: Array
    side: Array
    station: Array
    level: Array
    sure: Array
    ids: Array
    from_station: Array
    to_station: Array
    between: Array
    gaps: _BuildingGaps
    menu: _AllowedMoves
    pairs: bool = False

    def pairs_take(self, moves: Array) -> Array:
        """Rows of ``gaps`` in which a line with moves (2, stations) may take the building."""
        gaps = self.gaps
        upper, lower = (moves[gaps.side, gaps.gap + j] for j in (0, 1))
        return np.asarray(lower >= gaps.safe[np.arange(len(upper)), upper])

    def surely_taken(self, moves: Array) -> Array:
        """Whether a line with moves (2, stations) takes each building, however it is drawn."""
        gaps = self.gaps
        upper, lower = (moves[gaps.side, gaps.gap + j] for j in (0, 1))
        found = np.zeros(len(self.ids), bool)
        found[gaps.who[lower >= gaps.sure[np.arange(len(upper)), upper]]] = True
        return found

    @property
    def fixed(self) -> bool:
        """Whether there is but one line to choose."""
        return bool((self.menu.low == self.menu.high).all())


def changes(measure: Array, moves: Array, taper: float) -> Array:
    """How many moves further the line may be at the next station, for each gap."""
    if len(moves) < 2:
        return np.zeros(len(measure) - 1, int)
    step = float(moves[1] - moves[0])
    most = np.floor(taper * np.diff(measure) / step + 1e-9)
    return np.asarray(np.minimum(most, len(moves)), dtype=int)


def touches_of(
    found: Contacts,
    measure: Array,
    moves: Array,
    change: Array,
    allowed: Array | None = None,
    *,
    pairs: bool = False,
) -> Touches:
    """Thresholds at stations; ``allowed`` (2, stations, moves) are the moves that may be chosen.

    What is decided between stations is covered by the thresholds that count fewest pairs of moves
    too many; ``pairs``: it is the pairs that count, and nothing is covered.
    """
    n, k = len(measure), len(moves)
    low, high = np.zeros((2, n), int), np.full((2, n), k - 1)
    if allowed is not None:
        low, high = allowed.argmax(axis=2), k - 1 - allowed[:, :, ::-1].argmax(axis=2)
    menu = _AllowedMoves(low, high, change)
    row, gap, share, room, safe = pieces_in_gaps(found, measure)
    near = safe.min(axis=1) < moves[-1] - TOUCH_M
    row, gap, share, room, safe = (v[near] for v in (row, gap, share, room, safe))
    key = (found.who[row] * 2 + found.side[row]) * (n - 1) + gap
    order = np.argsort(key, kind="stable")
    begin = np.flatnonzero(np.append(True, np.diff(key[order]) > 0)[: len(order)])
    who, side, first = found.who[row], found.side[row], order[begin]
    safe, surely = (_least_move_in_gap(moves, share, limit, order, begin) for limit in (safe, room))
    rows = len(first)
    gaps = _BuildingGaps(
        who[first], side[first], gap[first], safe, surely, np.full((rows, 2), k), np.zeros(rows)
    )
    sure = _surely_taking_moves(gaps, menu)
    nobody = np.full(rows, -1)
    if pairs:
        low, high = _move_range(gaps, menu, k)
        doubtful = np.minimum(high, surely - 1) - np.maximum(low, safe) + 1
        gaps = gaps._replace(too_many=np.maximum(doubtful, 0).sum(axis=1))
        made = _touches_of_gaps(gaps, menu, sure, found.ids, None)
        # both stations of a gap bind a building that some pair of moves there takes
        begin, end = np.full(len(found.ids), n), np.full(len(found.ids), -1)
        np.minimum.at(begin, gaps.who, gaps.gap)
        np.maximum.at(end, gaps.who, gaps.gap + 1)
        return replace(made, pairs=True, from_station=begin, to_station=end)
    gaps = _gaps_with_cover(gaps, menu, sure, nobody, nobody)
    return _touches_of_gaps(gaps, menu, sure, found.ids, None)


def _least_move_in_gap(
    moves: Array, share: Array, room: Array, order: Array, begin: Array
) -> Array:
    """Least move at the lower station that meets any of the pieces of a gap, by the upper move."""
    least = np.minimum(*(_least_move_of_piece(moves, share[:, j], room[:, j]) for j in (0, 1)))[
        order
    ]
    return np.asarray(np.minimum.reduceat(least, begin) if len(begin) else least)


def pieces_in_gaps(found: Contacts, measure: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Pieces of wall cut at stations: row, gap, and at both ends share of the gap, room, safe."""
    order = np.argsort(found.at, axis=1)
    at, room, safe = (np.take_along_axis(v, order, axis=1) for v in found[2:5])
    here = np.clip(np.searchsorted(measure, at), 0, len(measure) - 1)
    for near in (here, np.maximum(here - 1, 0)):
        at = np.where(np.abs(at - measure[near]) < AT_STATION_M, measure[near], at)
    last = len(measure) - 2
    one = np.clip(np.searchsorted(measure, at[:, 0], side="right") - 1, 0, last)
    end = np.clip(np.searchsorted(measure, at[:, 1]) - 1, one, last)
    many = end - one + 1
    many[(at[:, 1] < measure[0]) | (at[:, 0] > measure[-1])] = 0
    row = np.repeat(np.arange(len(many)), many)
    gap = one[row] + np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
    ends = np.stack([measure[gap], measure[gap + 1]], axis=1)
    part = np.clip(at[row], ends[:, :1], ends[:, 1:])
    share = (part - ends[:, :1]) / (ends[:, 1:] - ends[:, :1])
    long = (at[:, 1] - at[:, 0])[row, None]
    way = np.where(long > 0, (part - at[row, :1]) / np.where(long > 0, long, 1.0), [0.0, 1.0])
    room, safe = (_values_at_shares(v[row], way) for v in (room, safe))
    return row, gap, share, room, safe


def _values_at_shares(ends: Array, way: Array) -> Array:
    """Values between two ends (n, 2) at shares (n, 2) of the way; infinite ones have no way."""
    with np.errstate(invalid="ignore"):
        middle = ends[:, :1] + way * (ends[:, 1:] - ends[:, :1])
    return np.where(way == 0, ends[:, :1], np.where(way == 1, ends[:, 1:], middle))


def _least_move_of_piece(moves: Array, share: Array, room: Array) -> Array:
    """Least move at the lower station that exceeds a room in between, by move at the upper one."""
    k, limit = len(moves), room + TOUCH_M
    rest = limit[:, None] - (1 - share)[:, None] * moves
    part = np.where(share > 0, share, 1.0)[:, None]
    found = np.searchsorted(moves, rest / part, side="right")
    at_upper = np.where(rest < 0, 0, k)
    return np.asarray(np.where(share[:, None] > 0, found, at_upper))


def _move_range(gaps: _BuildingGaps, menu: _AllowedMoves, k: int) -> tuple[Array, Array]:
    """Least and greatest move at the lower station that may follow each at the upper one."""
    level, change = np.arange(k), menu.change[gaps.gap, None]
    low = np.maximum(menu.low[gaps.side, gaps.gap + 1, None], level - change)
    high = np.minimum(menu.high[gaps.side, gaps.gap + 1, None], level + change)
    shut = (level < menu.low[gaps.side, gaps.gap, None]) | (
        level > menu.high[gaps.side, gaps.gap, None]
    )
    return low, np.where(shut, -1, high)


def _surely_taking_moves(gaps: _BuildingGaps, menu: _AllowedMoves) -> Array:
    """First moves at both stations (rows, 2) that take the building whatever the other one is."""
    k = gaps.safe.shape[1]
    low, high = _move_range(gaps, menu, k)
    upper = (gaps.sure <= low) | (high < low)
    level = np.arange(k)
    worst = np.maximum(menu.low[gaps.side, gaps.gap, None], level - menu.change[gaps.gap, None])
    fits = worst <= np.minimum(
        menu.high[gaps.side, gaps.gap, None], level + menu.change[gaps.gap, None]
    )
    held = np.take_along_axis(gaps.sure, np.minimum(worst, k - 1), axis=1)
    lower = (held <= level) | ~fits
    # true from some move on, of those that a line can have at all
    ends = []
    for true, shut, most in zip(
        (upper, lower), (high < low, ~fits), (menu.high[gaps.side, gaps.gap + j] for j in (0, 1)),
        strict=True,
    ):  # fmt: skip
        begin = k - np.logical_and.accumulate(true[:, ::-1], axis=1).sum(axis=1)
        begin = np.maximum(begin, shut.argmin(axis=1))
        ends.append(np.where(begin > most, k, begin))
    # what a neighbouring gap makes sure is sure
    n = menu.low.shape[1]
    place = ((gaps.who * 2 + gaps.side) * n + gaps.gap)[:, None] + np.array([0, 1])
    keys, inverse = np.unique(place, return_inverse=True)
    found = np.full(len(keys), k)
    np.minimum.at(found, inverse.ravel(), np.stack(ends, axis=1).ravel())
    return np.asarray(found[inverse].reshape(place.shape))


def _gaps_with_cover(
    gaps: _BuildingGaps, menu: _AllowedMoves, sure: Array, upper: Array, lower: Array
) -> _BuildingGaps:
    """Gaps with the thresholds that count fewest pairs too many.

    They are greater than ``upper`` and ``lower`` (rows,). Pairs with a move that takes the building
    surely need no cover.
    """
    rows, k = gaps.safe.shape
    cover, many = np.full((rows, 2), k), np.zeros(rows)
    for start in range(0, rows, max(PAIRS_AT_ONCE // (k + 1) ** 2, 1)):
        part = slice(start, start + max(PAIRS_AT_ONCE // (k + 1) ** 2, 1))
        mine = _BuildingGaps(*(v[part] for v in gaps))
        cover[part], many[part] = _tightest_cover(mine, menu, sure[part], upper[part], lower[part])
    return gaps._replace(cover=cover, too_many=many)


def _tightest_cover(
    gaps: _BuildingGaps, menu: _AllowedMoves, sure: Array, upper: Array, lower: Array
) -> tuple[Array, Array]:
    """Thresholds at both stations, and how many pairs of moves they count too many."""
    k = gaps.safe.shape[1]
    low, high = _move_range(gaps, menu, k)
    level = np.arange(k)
    high = np.minimum(high, sure[:, 1:] - 1)
    high = np.where(level < sure[:, :1], high, -1)
    first = np.maximum(gaps.safe, low)
    first = np.where(first <= high, first, k)
    none = np.full((len(first), 1), k)
    # with each threshold at the upper station, 0 to k, the one that the lower one then needs
    below = np.minimum.accumulate(np.concatenate([none, first], axis=1), axis=1)
    clear = np.minimum(high, gaps.sure - 1)  # pairs up to here don't surely take the building
    extra = np.maximum(clear - low + 1, 0)
    above = np.concatenate([extra[:, ::-1].cumsum(axis=1)[:, ::-1], none * 0], axis=1)
    counted = clear[:, None, :] - np.maximum(low[:, None, :], below[:, :, None]) + 1
    beside = (np.maximum(counted, 0) * (level < np.arange(k + 1)[:, None])).sum(axis=2)
    many = (above + beside).astype(float)
    many[(np.arange(k + 1) <= upper[:, None]) | (below <= lower[:, None])] = np.inf
    best = k - many[:, ::-1].argmin(axis=1)  # of equals that at the lower station alone
    rows = np.arange(len(best))
    return np.stack([best, below[rows, best]], axis=1), many[rows, best]


def _touches_of_gaps(
    gaps: _BuildingGaps, menu: _AllowedMoves, sure: Array, ids: Array, between: Array | None
) -> Touches:
    """Rows a building, bank and station."""
    k, n = gaps.safe.shape[1], menu.low.shape[1]
    place = ((gaps.who * 2 + gaps.side) * n + gaps.gap)[:, None] + np.array([0, 1])
    keys, inverse = np.unique(place, return_inverse=True)
    level, surely = np.full(len(keys), k), np.full(len(keys), k)
    np.minimum.at(level, inverse.ravel(), np.minimum(gaps.cover, sure).ravel())
    np.minimum.at(surely, inverse.ravel(), sure.ravel())
    some = level < k
    keys, level, surely = keys[some], level[some], surely[some]
    who, side, station = keys // (2 * n), keys // n % 2, keys % n
    if between is None:
        between = np.zeros(len(ids), bool)
        between[gaps.who[gaps.too_many > 0]] = True
        between[who[surely <= menu.low[side, station]]] = False  # taken whatever is chosen
    never = np.isin(gaps.who, who, invert=True)
    first, last = np.full(len(ids), n), np.full(len(ids), -1)
    np.minimum.at(first, np.append(who, gaps.who[never]), np.append(station, gaps.gap[never]))
    np.maximum.at(last, np.append(who, gaps.who[never]), np.append(station, gaps.gap[never] + 1))
    return Touches(who, side, station, level, surely, ids, first, last, between, gaps, menu)


def counted_as_drawn(
    touch: Touches, moves: Array, taken: Array, shapes: Array, line: Array, clear_m: float
) -> Touches | None:
    """Pairs or thresholds that don't count what a line clears though it is ``taken`` by them.

    Whatever pairs of moves take a building, two thresholds beyond those of a line with ``moves``
    (2, stations) that clears it cover them. None: nothing is counted that is cleared.
    """
    rows = np.flatnonzero(taken)
    area = shapely.union_all(line)
    shapely.prepare(area)
    free = np.zeros(len(taken), bool)
    free[rows[~shapely.dwithin(area, shapes[touch.ids[rows]], max(clear_m - TOUCH_M, 0.0))]] = True
    if not free.any():
        return None
    gaps, k = touch.gaps, touch.gaps.safe.shape[1]
    mine = np.flatnonzero(free[gaps.who])
    upper, lower = (moves[gaps.side[mine], gaps.gap[mine] + j] for j in (0, 1))
    # the line that was drawn is proof that these moves, and all within them, don't take it
    cleared = np.arange(k) <= upper[:, None]
    for stairs in (safe := gaps.safe.copy(), surely := gaps.sure.copy()):
        stairs[mine] = np.where(cleared, np.maximum(stairs[mine], lower[:, None] + 1), stairs[mine])
    gaps = gaps._replace(safe=safe, sure=surely)
    sure, cover = _surely_taking_moves(gaps, touch.menu), gaps.cover.copy()
    if not touch.pairs:
        own = _BuildingGaps(*(v[mine] for v in gaps))
        cover[mine] = _gaps_with_cover(own, touch.menu, sure[mine], upper, lower).cover
    gaps = gaps._replace(cover=cover)
    made = _touches_of_gaps(gaps, touch.menu, sure, touch.ids, touch.between)
    if not touch.pairs:
        return made
    return replace(made, pairs=True, from_station=touch.from_station, to_station=touch.to_station)
