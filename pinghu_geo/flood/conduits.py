"""How much water is in a pipe? Area, wetted perimeter, width of closed shapes by depth; numpy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pinghu_geo.flood.sections import Array

__all__ = ["SHAPES", "Conduit", "root", "shape_outline"]

SHAPES = (
    "box", "circle", "arch", "pipe_arch", "ellipse", "semicircle", "low_arch", "high_arch",
    "conspan",
)  # fmt: skip
# points of half an outline; a circle drawn with them lacks 2e-6 of its area
POINTS = 512
# a Con/Span arch in parts of its span: radii of side, haunch and top, and its rise; those of the
# unit of 28 ft (4, 10, 40 ft, 5.75 ft above its legs), which others are taken to be like
CONSPAN, CONSPAN_RISE = (1 / 7, 5 / 14, 10 / 7), 5.75 / 28
# corner radius of a pipe arch where none is given [m]: 18 inches, HDS-5 chart 34
CORNER_M = 0.4572


def shape_outline(kind: str, span_m: float, rise_m: float) -> tuple[Array, Array]:
    """Half width of a shape by height above its invert (heights grow).

    Circle, ellipse and box are what their names say. ``semicircle`` and ``arch`` stand on a flat
    bottom: a circular arc through the springings and the crown, on vertical legs where the rise is
    more than half the span. ``low_arch`` is the arc without legs (an ellipse where it is higher),
    ``high_arch`` is an ellipse quarter on legs, of a third of the span high. ``conspan`` is an arch
    of three radii on legs, as HEC-RAS has the unit of 28 ft; others are taken to be like it.
    ``pipe_arch`` has a top circle, two corners and a bottom arc, tangent to one another.
    """
    half = span_m / 2
    turn = np.linspace(0.0, math.pi / 2, POINTS)
    if kind == "box":
        return np.array([half, half]), np.array([0.0, rise_m])
    if kind in ("circle", "ellipse"):
        turn = np.linspace(0.0, math.pi, 2 * POINTS)
        return half * np.sin(turn), rise_m / 2 * (1 - np.cos(turn))
    if kind == "pipe_arch":
        return _pipe_arch_outline(half, rise_m)
    if kind == "high_arch":
        crown = min(rise_m, span_m / 3)
    elif kind == "conspan":
        crown = min(rise_m, CONSPAN_RISE * span_m)
    elif kind == "low_arch":
        crown = rise_m
    else:
        crown = min(rise_m, half)
    leg = rise_m - crown
    if kind in ("arch", "semicircle", "low_arch") and crown <= half:
        radius = (half**2 + crown**2) / (2 * crown)
        start = math.asin(min(half / radius, 1.0))
        angle = np.linspace(start, 0.0, POINTS)
        width, height = radius * np.sin(angle), radius * np.cos(angle) - (radius - crown)
        width[0], height[0] = half, 0.0
    elif kind == "conspan":
        width, height = _conspan_arch(span_m, crown)
    else:
        width, height = half * np.cos(turn), crown * np.sin(turn)
    width[-1], height[-1] = 0.0, crown
    foot = ([half], [0.0]) if leg > 0 else ([], [])
    return np.r_[foot[0], width], np.r_[foot[1], leg + height]


def _conspan_arch(span: float, crown: float) -> tuple[Array, Array]:
    """Half width by height of an arch of three arcs, tangent to one another."""
    side, haunch, top = CONSPAN
    first, last = np.array([0.5 - side, 0.0]), np.array([0.0, CONSPAN_RISE - top])
    # the haunch's centre is haunch - side from the side's and top - haunch from the top's
    way = last - first
    far = float(np.hypot(*way))
    along = (far**2 + (haunch - side) ** 2 - (top - haunch) ** 2) / (2 * far)
    aside = math.sqrt((haunch - side) ** 2 - along**2)
    middle = first + (along * way + aside * np.array([way[1], -way[0]])) / far
    turns = (0.0, math.atan2(*(first - middle)[::-1]), math.atan2(*(middle - last)[::-1]),
             math.pi / 2)  # fmt: skip
    parts = [
        centre + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        for centre, radius, start, stop in zip(
            (first, middle, last), CONSPAN, turns[:-1], turns[1:], strict=True
        )
        for turn in [np.linspace(start, stop, POINTS // 3)]
    ]
    x, y = np.concatenate(parts).T
    return x * span, y * crown / CONSPAN_RISE


def _pipe_arch_outline(half: float, rise: float) -> tuple[Array, Array]:
    """Top circle, corners and bottom arc, tangent to one another."""
    spring = max(rise - half, 0.35 * rise)
    corner = min(CORNER_M, 0.8 * spring, 0.8 * half)
    a = half - corner
    bottom = (a**2 + spring**2 - corner**2) / (2 * (spring - corner))
    touch = math.atan2(a, bottom - spring)
    low = np.linspace(0.0, touch, POINTS // 3)
    middle = np.linspace(touch, math.pi / 2, POINTS // 3)
    top = np.linspace(0.0, math.pi / 2, POINTS)
    width = np.r_[bottom * np.sin(low), a + corner * np.sin(middle), half * np.cos(top)]
    height = np.r_[
        bottom * (1 - np.cos(low)),
        spring - corner * np.cos(middle),
        spring + (rise - spring) * np.sin(top),
    ]
    order = np.argsort(height, kind="stable")
    return width[order], height[order]


@dataclass(frozen=True, slots=True)
class _DepthTable:
    """A shape at many depths, for interpolation."""

    depth: Array
    half: Array
    area: Array
    perimeter: Array


@lru_cache(maxsize=256)
def _depth_table(kind: str, span: float, rise: float, blocked: float) -> _DepthTable:
    width, height = shape_outline(kind, span, rise)
    if blocked > 0:
        at = float(np.interp(blocked, height, width))
        keep = height > blocked
        width, height = np.r_[at, width[keep]], np.r_[blocked, height[keep]] - blocked
    dy, dw = np.diff(height), np.diff(width)
    area = np.r_[0.0, np.cumsum((width[1:] + width[:-1]) * dy)]
    side = np.r_[0.0, np.cumsum(2 * np.hypot(dy, dw))]
    return _DepthTable(height, width, area, side + 2 * width[0])


@dataclass(frozen=True, slots=True)
class Conduit:
    """A closed shape of one barrel, with its roughness."""

    kind: str
    span_m: float
    rise_m: float
    n: float
    n_bottom: float | None = None
    bottom_m: float = 0.0  # height up to which n_bottom holds
    blocked_m: float = 0.0  # filled from below

    @property
    def depth_m(self) -> float:
        """Free height of the opening."""
        return self.rise_m - self.blocked_m

    def _own_depth_table(self) -> _DepthTable:
        return _depth_table(self.kind, self.span_m, self.rise_m, self.blocked_m)

    def area(self, depth: Array) -> Array:
        """Area below depths [m²], exact between the outline's points."""
        y = np.clip(np.asarray(depth, float), 0.0, self.depth_m)
        if self.kind == "circle" and not self.blocked_m and self.span_m == self.rise_m:
            r = self.span_m / 2
            half = np.arccos(np.clip(1 - y / r, -1, 1))
            return np.asarray(r**2 * (half - np.sin(half) * np.cos(half)))
        t = self._own_depth_table()
        k = np.clip(np.searchsorted(t.depth, y, side="right") - 1, 0, len(t.depth) - 2)
        dy = y - t.depth[k]
        gap = t.depth[k + 1] - t.depth[k]
        grows = np.where(gap > 0, (t.half[k + 1] - t.half[k]) / np.where(gap > 0, gap, 1.0), 0.0)
        return np.asarray(t.area[k] + dy * (2 * t.half[k] + grows * dy))

    def perimeter(self, depth: Array) -> Array:
        """Wetted perimeter [m]; full, the top is wet too."""
        y = np.clip(np.asarray(depth, float), 0.0, self.depth_m)
        if self.kind == "circle" and not self.blocked_m and self.span_m == self.rise_m:
            r = self.span_m / 2
            return np.asarray(2 * r * np.arccos(np.clip(1 - y / r, -1, 1)))
        t = self._own_depth_table()
        side = np.interp(y, t.depth, t.perimeter)
        return np.asarray(side + np.where(y >= self.depth_m, 2 * t.half[-1], 0.0))

    def top(self, depth: Array) -> Array:
        """Width of the water's surface [m]; 0 where the pipe is full."""
        y = np.asarray(depth, float)
        if self.kind == "circle" and not self.blocked_m and self.span_m == self.rise_m:
            inside = np.clip(y * (self.span_m - y), 0, None)
            return np.asarray(2 * np.sqrt(inside))
        t = self._own_depth_table()
        return np.asarray(np.where(y < self.depth_m, 2 * np.interp(y, t.depth, t.half), 0.0))

    def roughness(self, depth: Array) -> Array:
        """Manning's n, composite where the bottom has its own: (Σ P n^1.5 / P)^(2/3)."""
        if self.n_bottom is None or self.n_bottom == self.n:
            return np.full(np.shape(depth), self.n)
        whole = self.perimeter(depth)
        low = np.minimum(self.perimeter(np.minimum(depth, self.bottom_m)), whole)
        if self.bottom_m <= 0:
            low = np.full(np.shape(whole), 2 * self._own_depth_table().half[0])
        share = np.where(whole > 0, low / np.where(whole > 0, whole, 1.0), 1.0)
        mixed = share * self.n_bottom**1.5 + (1 - share) * self.n**1.5
        return np.asarray(mixed ** (2 / 3))

    def conveyance(self, depth: Array) -> Array:
        """A R^(2/3) / n [m³/s]."""
        area, wet = self.area(depth), self.perimeter(depth)
        with np.errstate(invalid="ignore", divide="ignore"):
            k = area * (area / np.where(wet > 0, wet, np.inf)) ** (2 / 3) / self.roughness(depth)
        return np.asarray(k)

    def full(self) -> tuple[float, float]:
        """Area and conveyance of the full pipe."""
        y = np.array([self.depth_m])
        return float(self.area(y)[0]), float(self.conveyance(y)[0])

    def critical_depth(self, flow: float, gravity: float) -> float:
        """Depth at which Q²T = gA³; the full height where the crown is reached first."""
        return _critical_depth(self, flow, gravity)

    def normal_depth(self, flow: float, slope: float) -> float:
        """Depth of uniform flow; infinite where the pipe can't carry it with a free surface."""
        return _normal_depth(self, flow, slope) if slope > 0 else math.inf


# both hang on the discharge alone, which is one for many levels below
@lru_cache(maxsize=1024)
def _critical_depth(pipe: Conduit, flow: float, gravity: float) -> float:
    high = pipe.depth_m

    def excess(y: float) -> float:
        a, t = float(pipe.area(np.array(y))), float(pipe.top(np.array(y)))
        return gravity * a**3 - flow**2 * t

    if excess(high * (1 - 1e-9)) < 0:
        return high
    return root(excess, 1e-9 * high, high * (1 - 1e-9))


@lru_cache(maxsize=1024)
def _normal_depth(pipe: Conduit, flow: float, slope: float) -> float:
    wanted = flow / math.sqrt(slope)
    y = np.linspace(0.0, pipe.depth_m, 200)[1:]
    y[-1] *= 1 - 1e-9
    enough = np.flatnonzero(pipe.conveyance(y) >= wanted)
    if not len(enough):
        return math.inf
    first = int(enough[0])
    low = float(y[first - 1]) if first else 1e-9

    def excess(depth: float) -> float:
        return float(pipe.conveyance(np.array(depth))) - wanted

    return root(excess, low, float(y[first]))


def root(f: Callable[[float], float], low: float, high: float, *, within: float = 1e-12) -> float:
    """Zero of a function that changes its sign between two places.

    Inverse quadratic interpolation or bisection by Chandrupatla's criterion (Advances in
    Engineering Software 28 (1997) 145-149). Where the sign doesn't change, the end nearer to zero
    is returned.
    """
    b, a = low, high
    fb, fa = f(b), f(a)
    if fa == 0 or fb == 0 or (fa > 0) == (fb > 0):
        return a if abs(fa) <= abs(fb) else b
    t = 0.5
    for _ in range(200):
        x = a + t * (b - a)
        fx = f(x)
        if (fx > 0) == (fa > 0):
            c, fc = a, fa
        else:
            c, fc, b, fb = b, fb, a, fa
        a, fa = x, fx
        best = a if abs(fa) < abs(fb) else b
        floor = within / 2 * max(1.0, abs(best))
        width = abs(b - a)
        if fa == 0 or width <= 2 * floor:
            return best
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        t = 0.5
        if phi**2 < xi and (1 - phi) ** 2 < 1 - xi:
            t = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (
                fc - fb
            )
        margin = floor / width
        t = min(max(t, margin), 1 - margin)
    return a if abs(fa) < abs(fb) else b
