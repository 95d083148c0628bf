"""How high must the water stand for a culvert to carry a discharge? FHWA HDS-5; numpy, SI.

Inlet control is HDS-5's regression of laboratory tests, a chart and a scale for each inlet. Outlet
control is the energy balance through the barrel: exit loss, water surface or full pipe, entrance
loss. The higher of both governs. Barrels of a group are alike; groups of a crossing and the road
above them share the discharge so that all have one energy line upstream.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.conduits import Conduit, root
from pinghu_geo.flood.sections import Array

__all__ = ["CHARTS", "Barrel", "Group", "barrel_head", "inlet_head", "outlet_head", "shared_head"]

# Q / (A √D) in feet per what it is in metres: HDS-5 Ku
KU = 1.811
# steps of the water surface in a barrel: depths between its two ends
STEPS = 160
# the inlet is unsubmerged below and submerged above, in feet; straight between (HDS-5, 3.1)
UNSUBMERGED, SUBMERGED = 3.5, 4.0

# (chart, scale): form, K, M, c, Y. All 57 inlets of HDS-5, table 9 of the 2nd edition
# (FHWA-NHI-01-020, 2001), which EPA SWMM 5.2 has as well (culvert.c). Two things are not verified:
# c of chart 41 scale 2 is 0.0463 there and 0.0473 in SWMM, which corrected it in 2018 (the 3rd
# edition was not at hand); the metal boxes of charts 16 to 19 have scales 2, 3 and 5 there, and 1
# to 3 here, as HEC-RAS is taken to count them
CHARTS: dict[tuple[int, int], tuple[int, float, float, float, float]] = {
    (1, 1): (1, 0.0098, 2.0, 0.0398, 0.67),  # circular concrete: square edge with headwall
    (1, 2): (1, 0.0018, 2.0, 0.0292, 0.74),  # groove end with headwall
    (1, 3): (1, 0.0045, 2.0, 0.0317, 0.69),  # groove end projecting
    (2, 1): (1, 0.0078, 2.0, 0.0379, 0.69),  # circular metal: headwall
    (2, 2): (1, 0.0210, 1.33, 0.0463, 0.75),  # mitered to slope
    (2, 3): (1, 0.0340, 1.50, 0.0553, 0.54),  # projecting
    (3, 1): (1, 0.0018, 2.50, 0.0300, 0.74),  # circular: beveled ring, 45°
    (3, 2): (1, 0.0018, 2.50, 0.0243, 0.83),  # beveled ring, 33.7°
    (8, 1): (1, 0.026, 1.0, 0.0347, 0.81),  # box: wingwalls flared 30° to 75°
    (8, 2): (1, 0.061, 0.75, 0.0400, 0.80),  # flared 90° or 15°
    (8, 3): (1, 0.061, 0.75, 0.0423, 0.82),  # not flared
    (9, 1): (2, 0.510, 0.667, 0.0309, 0.80),  # box: 45° flare, top edge bevel 0.043D
    (9, 2): (2, 0.486, 0.667, 0.0249, 0.83),  # 18° to 33.7° flare, top edge bevel 0.083D
    (10, 1): (2, 0.515, 0.667, 0.0375, 0.79),  # box: 90° headwall, chamfers 3/4 inch
    (10, 2): (2, 0.495, 0.667, 0.0314, 0.82),  # bevels 1/2 inch a foot, 45°
    (10, 3): (2, 0.486, 0.667, 0.0252, 0.865),  # bevels 1 inch a foot, 33.7°
    (11, 1): (2, 0.545, 0.667, 0.04505, 0.73),  # box: headwall skewed 45°, chamfers
    (11, 2): (2, 0.533, 0.667, 0.0425, 0.705),  # skewed 30°
    (11, 3): (2, 0.522, 0.667, 0.0402, 0.68),  # skewed 15°
    (11, 4): (2, 0.498, 0.667, 0.0327, 0.75),  # skewed 10° to 45°, bevels
    (12, 1): (2, 0.497, 0.667, 0.0339, 0.803),  # box: 45° flare, not offset, chamfer at the top
    (12, 2): (2, 0.493, 0.667, 0.0361, 0.806),  # 18.4° flare
    (12, 3): (2, 0.495, 0.667, 0.0386, 0.71),  # 18.4° flare, barrel skewed 30°
    (13, 1): (2, 0.497, 0.667, 0.0302, 0.835),  # box: offset flare 45°, bevel 0.042D
    (13, 2): (2, 0.495, 0.667, 0.0252, 0.881),  # 33.7°, bevel 0.083D
    (13, 3): (2, 0.493, 0.667, 0.0227, 0.887),  # 18.4°, bevel 0.083D
    (16, 1): (1, 0.0083, 2.0, 0.0379, 0.69),  # metal box: 90° headwall
    (16, 2): (1, 0.0145, 1.75, 0.0419, 0.64),  # thick wall projecting
    (16, 3): (1, 0.0340, 1.50, 0.0496, 0.57),  # thin wall projecting
    (29, 1): (1, 0.0100, 2.0, 0.0398, 0.67),  # lying ellipse: square edge with headwall
    (29, 2): (1, 0.0018, 2.5, 0.0292, 0.74),  # groove end with headwall
    (29, 3): (1, 0.0045, 2.0, 0.0317, 0.69),  # groove end projecting
    (30, 1): (1, 0.0100, 2.0, 0.0398, 0.67),  # standing ellipse: square edge with headwall
    (30, 2): (1, 0.0018, 2.5, 0.0292, 0.74),  # groove end with headwall
    (30, 3): (1, 0.0095, 2.0, 0.0317, 0.69),  # groove end projecting
    (34, 1): (1, 0.0083, 2.0, 0.0379, 0.69),  # pipe arch, 18 inch corner: 90° headwall
    (34, 2): (1, 0.0300, 1.0, 0.0463, 0.75),  # mitered
    (34, 3): (1, 0.0340, 1.5, 0.0496, 0.57),  # projecting
    (35, 1): (1, 0.0300, 1.5, 0.0496, 0.57),  # pipe arch, 18 inch corner: projecting
    (35, 2): (1, 0.0088, 2.0, 0.0368, 0.68),  # no bevels
    (35, 3): (1, 0.0030, 2.0, 0.0269, 0.77),  # bevels 33.7°
    (36, 1): (1, 0.0300, 1.5, 0.0496, 0.57),  # pipe arch, 31 inch corner: projecting
    (36, 2): (1, 0.0088, 2.0, 0.0368, 0.68),  # no bevels
    (36, 3): (1, 0.0030, 2.0, 0.0269, 0.77),  # bevels 33.7°
    (41, 1): (1, 0.0083, 2.0, 0.0379, 0.69),  # arch: 90° headwall
    (41, 2): (1, 0.0300, 1.0, 0.0473, 0.75),  # mitered
    (41, 3): (1, 0.0340, 1.5, 0.0496, 0.57),  # thin wall projecting
    (55, 1): (2, 0.534, 0.555, 0.0196, 0.90),  # circular: smooth tapered throat
    (55, 2): (2, 0.519, 0.640, 0.0210, 0.90),  # rough tapered throat
    (56, 1): (2, 0.536, 0.622, 0.0368, 0.83),  # elliptical face: tapered, beveled
    (56, 2): (2, 0.5035, 0.719, 0.0478, 0.80),  # tapered, square edges
    (56, 3): (2, 0.547, 0.800, 0.0598, 0.75),  # tapered, thin edge projecting
    (57, 1): (2, 0.475, 0.667, 0.0179, 0.97),  # rectangular: tapered throat
    (58, 1): (2, 0.560, 0.667, 0.0446, 0.85),  # side tapered, less favourable edges
    (58, 2): (2, 0.560, 0.667, 0.0378, 0.87),  # more favourable edges
    (59, 1): (2, 0.500, 0.667, 0.0446, 0.65),  # slope tapered, less favourable edges
    (59, 2): (2, 0.500, 0.667, 0.0378, 0.71),  # more favourable edges
}
# sizes that have a nomograph of their own and the same constants ("16-19", "41-43")
for _sizes in ((16, 17, 18, 19), (41, 42, 43)):
    CHARTS |= {(c, s): CHARTS[_sizes[0], s] for c in _sizes[1:] for s in (1, 2, 3)}
# inlets mitered to the slope: +0.7 S where others have -0.5 S
MITERED = {(2, 2), (34, 2), (41, 2), (42, 2), (43, 2)}
# Con/Span inlets by wingwall angle, as HEC-RAS has them, by their span to rise of 4:1 and 2:1
# are charts 60 and 61, of no published constants: they stand on the box's of chart 8
STANDING = {(60, 1): (8, 2), (60, 2): (8, 1), (60, 3): (8, 2), (61, 1): (8, 2), (61, 2): (8, 1),
            (61, 3): (8, 2)}  # fmt: skip


class Barrel(NamedTuple):
    """One barrel and how water enters and leaves it."""

    conduit: Conduit
    length_m: float
    up_m: float  # invert [m]
    down_m: float
    entrance: float  # loss coefficients
    exit: float
    chart: tuple[int, int]

    @property
    def slope(self) -> float:
        """Fall of the invert, as a ratio."""
        return (self.up_m - self.down_m) / self.length_m


class Group(NamedTuple):
    """Barrels that are alike."""

    barrel: Barrel
    number: int


class Head(NamedTuple):
    """Energy line upstream [m] and what it rests on."""

    energy: float
    control: str  # inlet, outlet
    full: bool  # the barrel runs full over a part of its length at least


def inlet_head(barrel: Barrel, flow: float, gravity: float) -> float:
    """Energy line upstream under inlet control [m].

    HDS-5 equations A.1 and A.2 (unsubmerged, form 1 and 2) below Q/(A√D) = 3.5, A.3 (submerged)
    above 4.0 in feet, and straight between; -0.5 S, or +0.7 S for mitered inlets.
    """
    chart = STANDING.get(barrel.chart, barrel.chart)
    form, k, m, c, y = CHARTS[chart]
    height = barrel.conduit.depth_m
    area, _ = barrel.conduit.full()
    load = KU * flow / (area * math.sqrt(height))
    slope = barrel.slope
    fall = 0.7 * slope if chart in MITERED else -0.5 * slope

    def unsubmerged(at: float) -> float:
        if form == 2:
            return float(k * at**m)
        q = at * area * math.sqrt(height) / KU
        depth = barrel.conduit.critical_depth(q, gravity)
        head = depth + q**2 / (2 * gravity * float(barrel.conduit.area(np.array(depth))) ** 2)
        return float(head / height + k * at**m + fall)

    def submerged(at: float) -> float:
        return float(c * at**2 + y + fall)

    if load <= UNSUBMERGED:
        head = unsubmerged(load)
    elif load >= SUBMERGED:
        head = submerged(load)
    else:
        share = (load - UNSUBMERGED) / (SUBMERGED - UNSUBMERGED)
        head = (1 - share) * unsubmerged(UNSUBMERGED) + share * submerged(SUBMERGED)
    return barrel.up_m + head * height


def outlet_head(
    barrel: Barrel, flow: float, level: float, velocity_head: float, gravity: float
) -> Head:
    """Energy line upstream under outlet control, from the water below the outlet.

    Exit loss k (V²/2g - α2V2²/2g), none where the water below is the faster, then the water surface
    by the direct step method from the outlet's depth (not below critical), full where it reaches
    the crown (Manning), then the entrance loss (HDS-5 equations 3.2 to 3.8; HEC-RAS Hydraulic
    Reference Manual, chapter 6).
    """
    pipe, high = barrel.conduit, barrel.conduit.depth_m
    area, conveyance = pipe.full()
    full_head = flow**2 / (2 * gravity * area**2)
    critical = pipe.critical_depth(flow, gravity)
    outside = level + velocity_head

    def head_lost(own: float) -> float:
        return barrel.exit * max(own - velocity_head, 0.0)

    def inside(depth: float) -> float:
        own = flow**2 / (2 * gravity * float(pipe.area(np.array(depth))) ** 2)
        return barrel.down_m + depth + own - head_lost(own)

    # hydraulic grade line if the outlet is full
    pressure = outside + head_lost(full_head) - full_head
    friction = (flow / conveyance) ** 2
    if pressure >= barrel.down_m + high:
        # full at the outlet: the line rises by friction, the crown by the slope
        spare = pressure - barrel.down_m - high
        gains = barrel.slope - friction
        if gains <= 0 or spare / gains >= barrel.length_m:
            top = pressure + barrel.length_m * friction
            return Head(top + (1 + barrel.entrance) * full_head, "outlet", True)
        end, full = _depth_upstream(
            barrel, flow, high * (1 - 1e-9), barrel.length_m - spare / gains, gravity
        )
        return _head_above_inlet(barrel, flow, end, True, gravity)
    depth = critical
    if critical < high and inside(critical) < outside:
        depth = root(lambda y: inside(y) - outside, critical, high)
    if depth >= high:  # critical depth is at the crown: the pipe runs full, at its own pressure
        top = barrel.down_m + high + barrel.length_m * friction
        return Head(top + (1 + barrel.entrance) * full_head, "outlet", True)
    end, full = _depth_upstream(barrel, flow, depth, barrel.length_m, gravity)
    return _head_above_inlet(barrel, flow, end, full, gravity)


def _head_above_inlet(
    barrel: Barrel, flow: float, depth: float, full: bool, gravity: float
) -> Head:
    """Energy line upstream from the depth (or pressure head) just inside the inlet."""
    area = float(barrel.conduit.area(np.array(min(depth, barrel.conduit.depth_m))))
    head = (1 + barrel.entrance) * flow**2 / (2 * gravity * area**2)
    return Head(barrel.up_m + depth + head, "outlet", full)


def _depth_upstream(
    barrel: Barrel, flow: float, depth: float, length: float, gravity: float
) -> tuple[float, bool]:
    """Depth a length upstream of a depth, and whether the pipe fills on the way.

    Direct steps: dx = d(y + V²/2g) / (S - Sf), on depths that crowd towards the normal one.
    """
    pipe, high = barrel.conduit, barrel.conduit.depth_m
    slope = barrel.slope
    normal = pipe.normal_depth(flow, slope)
    critical = pipe.critical_depth(flow, gravity)
    _, conveyance = pipe.full()
    if normal < critical and depth <= critical * (1 + 1e-9):
        return critical, False  # steep: the inlet is the control
    aim = max(normal, critical) if depth > normal else min(normal, high)
    if abs(aim - depth) < 1e-9:
        return depth, False
    s = np.linspace(0.0, 1.0, STEPS)
    y = depth + (aim - depth) * (1 - (1 - s) ** 4)
    y = np.minimum(y, high * (1 - 1e-12))
    middle = (y[1:] + y[:-1]) / 2
    energy = y + flow**2 / (2 * gravity * pipe.area(y) ** 2)
    friction = (flow / pipe.conveyance(middle)) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        dx = np.diff(energy) / (friction - slope)
    stops = ~np.isfinite(dx) | (dx < -1e-9)
    if stops.any():
        dx = dx[: int(np.argmax(stops))]
        y = y[: len(dx) + 1]
    x = np.r_[0.0, np.cumsum(np.maximum(dx, 0.0))]
    if length <= x[-1]:
        return float(np.interp(length, x, y)), False
    if y[-1] >= high * (1 - 1e-6):  # fills, and the rest is a full pipe
        return high + (length - float(x[-1])) * ((flow / conveyance) ** 2 - slope), True
    return float(y[-1]), False


def barrel_head(
    barrel: Barrel, flow: float, level: float, velocity_head: float, gravity: float
) -> Head:
    """Energy line upstream: the higher of inlet and outlet control."""
    if flow <= 0:
        return Head(max(level + velocity_head, barrel.up_m), "outlet", False)
    out = outlet_head(barrel, flow, level, velocity_head, gravity)
    entry = inlet_head(barrel, flow, gravity)
    return Head(entry, "inlet", out.full) if entry > out.energy else out


def group_flow(
    group: Group, energy: float, level: float, velocity_head: float, gravity: float, most: float
) -> float:
    """Discharge of a group under an energy line upstream, no more than ``most``."""

    def excess(q: float) -> float:
        return barrel_head(group.barrel, q, level, velocity_head, gravity).energy - energy

    if excess(1e-6) >= 0:
        return 0.0
    share = most / group.number
    if excess(share) <= 0:
        return most
    return group.number * root(excess, 1e-6, share, within=1e-11)


def shared_head(
    groups: Sequence[Group],
    flow: float,
    level: float,
    velocity_head: float,
    gravity: float,
    over: Callable[[float], float],
) -> tuple[float, Array, float]:
    """Energy line upstream [m], discharge of each group and over the road [m³/s].

    ``over`` gives the discharge over the road for an energy line.
    """

    def alone(q: float) -> float:
        return barrel_head(groups[0].barrel, q / groups[0].number, level, velocity_head,
                           gravity).energy  # fmt: skip

    if len(groups) == 1:
        top = alone(flow)
        if over(top) <= 0:
            return top, np.array([flow]), 0.0
        q = root(lambda q: q + over(alone(q)) - flow, 1e-6 * flow, flow, within=1e-11)
        top = alone(q)
        return top, np.array([q]), flow - q
    high = min(
        barrel_head(g.barrel, flow / g.number, level, velocity_head, gravity).energy for g in groups
    )
    low = max(level + velocity_head, min(g.barrel.up_m for g in groups))

    def split(top: float) -> Array:
        return np.array([group_flow(g, top, level, velocity_head, gravity, flow) for g in groups])

    top = root(lambda e: split(e).sum() + over(e) - flow, low, high, within=1e-10)
    return top, split(top), over(top)
