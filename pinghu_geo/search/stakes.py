"""Where may the line bend? Rows of the approved table, corners of buildings, regular stations."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.search.contacts import Approved, Contacts
from pinghu_geo.search.offsets import require_room

__all__ = ["stakes", "straight"]

# regular stations without a taper are this much of the spacing apart from others
LEAST_SHARE = 0.25
# a row of the approved table that is off the straight line by less only rounds it [m]
BEND_M = 0.01
# corners closer than this along the river are one, and one that bulges less is none [m]
SAME_M = 1e-6
FLAT_M = 1e-3


def stakes(
    approved: Approved, found: Contacts, moves: Array, limits: Mapping[str, float], river: str
) -> Array:
    """Measures of the stations of a river: between them the line is straight.

    Each is so far from the next that the taper allows a step between them. First come the bends of
    the approved line; then corners of buildings, the nearest to the river first, with which it is
    decided exactly whether the line takes them; then the other rows of the approved table, and
    regular stations. One that a corner leaves no room for has moved onto it.
    """
    taper, spacing = limits["taper"], limits["spacing_m"]
    apart = limits["step_m"] / taper if taper > 0 else LEAST_SHARE * spacing
    first, last = (float(v) for v in np.round(approved.at[[0, -1]], 6))
    taken = [first, last]
    regular = np.arange(first, last, spacing)
    require_room(np.arange(first, max(last, first + 2 * spacing), spacing), limits, river)
    rows, plain = approved.at[1:-1], straight(approved, BEND_M)
    for places in (rows[~plain], _deciding_corners(found, moves), rows[plain], regular):
        for at in np.round(places, 6).tolist():
            k = bisect_left(taken, at)
            below, above = taken[max(k - 1, 0)], taken[min(k, len(taken) - 1)]
            if at - below >= apart - 1e-6 and above - at >= apart - 1e-6:
                insort(taken, at)
    return np.array(taken)


def straight(approved: Approved, within_m: float = 1e-7) -> Array:
    """Which rows of the approved table, but its first and last, lie on the line without them."""
    at, own = approved.at, approved.offsets
    share = (at[1:-1] - at[:-2]) / (at[2:] - at[:-2])
    off = own[:, 1:-1] - (own[:, :-2] + share * (own[:, 2:] - own[:, :-2]))
    found: Array = (np.abs(off) <= within_m).all(axis=0)
    return found


def _deciding_corners(found: Contacts, moves: Array) -> Array:
    """Measures of corners within reach that decide on their building, the nearest first.

    A straight line that meets a building at all meets a corner of its convex hull.
    """
    key = np.concatenate([found.who, found.who]) * 2 + np.concatenate([found.side, found.side])
    at, room = np.concatenate(found.at.T), np.concatenate(found.safe.T)
    order = np.lexsort((room, at, key))
    points = np.stack([key, at, room], axis=1)[order].tolist()
    hull: list[list[float]] = []
    base = 0  # where the corners of the building at hand begin
    for point in points:
        if hull and hull[-1][0] != point[0]:
            base = len(hull)
        if len(hull) > base and point[1] - hull[-1][1] < SAME_M:
            continue  # behind the corner before
        while len(hull) - base > 1 and _bulge_below_chord(hull[-2], hull[-1], point) < FLAT_M:
            hull.pop()
        hull.append(point)
    corners = np.array(hull).reshape(-1, 3)
    corners = corners[corners[:, 2] < moves[-1]]
    return np.asarray(corners[np.argsort(corners[:, 2], kind="stable"), 1])


def _bulge_below_chord(one: list[float], middle: list[float], other: list[float]) -> float:
    """How far a corner lies below the straight line between two others [m]."""
    share = (middle[1] - one[1]) / (other[1] - one[1])
    return one[2] + share * (other[2] - one[2]) - middle[2]
