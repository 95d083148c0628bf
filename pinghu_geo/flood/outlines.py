"""How do the lines of a section lie to each other: ground, deck, template? numpy only.

A line is its points from left to right; where two have one place it has a vertical face there.
"""

from __future__ import annotations

import numpy as np

from pinghu_geo.flood.sections import Array

__all__ = ["crossings", "line_at", "stops_of", "upper_line"]


def stops_of(x: Array, other_x: Array, *more: Array) -> Array:
    """Places where one of two lines bends, and others, where both lines are."""
    stops = np.unique(np.concatenate([x, other_x, *more]))
    inside: Array = (stops >= max(x[0], other_x[0])) & (stops <= min(x[-1], other_x[-1]))
    return stops[inside]


def line_at(x: Array, z: Array, start: Array, stop: Array) -> tuple[Array, Array]:
    """Elevation at both ends of stretches, by the piece of line through the middle of each."""
    k = np.searchsorted(x, (start + stop) / 2, side="right") - 1
    k = np.minimum(np.maximum(k, 0), len(x) - 2)
    x0, z0, z1 = x[k], z[k], z[k + 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (z1 - z0) / (x[k + 1] - x0)
        straight = np.isfinite(z0) & np.isfinite(z1)
        return (
            np.where(straight, z0 + slope * (start - x0), z0),
            np.where(straight, z0 + slope * (stop - x0), z1),
        )


def crossings(x: Array, z: Array, other_x: Array, other_z: Array) -> Array:
    """Where two lines cross between their points."""
    stops = stops_of(x, other_x)
    a, b = stops[:-1], stops[1:]
    one, other = line_at(x, z, a, b), line_at(other_x, other_z, a, b)
    with np.errstate(invalid="ignore"):
        u, v = one[0] - other[0], one[1] - other[1]
        k = np.flatnonzero(np.isfinite(u) & (u * v < 0))
    found: Array = a[k] + (b[k] - a[k]) * u[k] / (u[k] - v[k])
    return found


def upper_line(x: Array, z: Array, other_x: Array, other_z: Array) -> tuple[Array, Array]:
    """The higher of two lines where both are, with two points at each place."""
    stops = stops_of(x, other_x, crossings(x, z, other_x, other_z))
    a, b = stops[:-1], stops[1:]
    one, other = line_at(x, z, a, b), line_at(other_x, other_z, a, b)
    ends = [np.maximum(p, q) for p, q in zip(one, other, strict=True)]
    return np.stack([a, b], axis=1).ravel(), np.stack(ends, axis=1).ravel()
