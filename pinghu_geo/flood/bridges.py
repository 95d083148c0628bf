"""How high does a bridge hold the water back? Low flow and pressure flow; numpy, SI.

Four sections: 3 and 2, surveyed just above and below the bridge, and BU and BD inside it, which are
their ground with deck, piers and abutments cut out. Numbers of equations are those of the HEC-RAS
Hydraulic Reference Manual 6.x, chapter 5; pressure flow is FHWA HDS-1's.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.conduits import root
from pinghu_geo.flood.outlines import crossings, line_at
from pinghu_geo.flood.sections import CHANNEL, Array
from pinghu_geo.flood.steady import (
    BALANCED,
    CRITICAL,
    Model,
    State,
    bracketed,
    critical_level,
    supercritical_step,
)

__all__ = [
    "HAIR_M", "METHODS", "Bridge", "Force", "Line", "Opened", "Piece", "Site", "bridge_energy",
    "bridge_ground", "bridge_release", "bridge_run", "energy_at", "level_of", "mean_bed",
    "pieces_of", "section_force",
]  # fmt: skip

METHODS = ("energy", "momentum", "yarnell", "wspro")
# a pier as wide as its section ends so far within it; nearer places than this are one [m]
HAIR_M = 1e-6
# what is left of the level of a balance of forces, as a share of the level
ROOT_WITHIN = 1e-14
# coefficient of the sluice-gate equation against Y3/Z where none is given; HDS-1, figure on
# pressure flow, read to about 0.01; Y3 is taken to the energy line (docs/theory.md says why)
SLUICE = ((1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6), (0.27, 0.35, 0.41, 0.45, 0.475, 0.49, 0.50))


# offset, elevation and n of a ground; offset, low chord and high chord of a deck
Line = tuple[Array, Array, Array]


class Bridge(NamedTuple):
    """One opening of a bridge."""

    up_row: int  # BU and BD among the model's sections
    down_row: int
    methods: tuple[str, ...]  # low flow: the highest of them
    drag: float  # Cd of the piers (momentum)
    yarnell: float  # K
    friction: bool  # forces in the momentum balance
    weight: bool
    pressure: bool  # high flow by orifice; otherwise by energy
    by_energy: bool  # pressure is looked for by the energy line, otherwise by the level
    sluice: float  # Cd with the inlet submerged; NaN: by Y3/Z
    orifice: float  # C with both ends submerged
    up_chord: float  # highest low chord [m]
    pressure_from: float  # level of the energy line from which on pressure flow is tried [m]
    down_chord: float
    up_area: float  # net area of the full opening [m²]
    down_area: float
    up_bed: float  # mean bed of the opening [m]
    pier_area: tuple[Array, Array]  # level [m] and area of the piers below it, at section 2
    pier_area_up: tuple[Array, Array]  # ... at section 3
    clear: tuple[float, float]  # what touches sections 3 and 2 begins here [m]
    lengths: tuple[float, float, float]  # 3 to BU, BU to BD, BD to 2
    wspro: float = math.nan  # its coefficient of discharge C


class Opened(NamedTuple):
    """What an opening demands of the water above it."""

    energy: float
    control: str
    flow_class: str


def bridge_ground(
    pieces: list[Piece],
    piers: Iterable[tuple[float, Array, Array]],
    banks: tuple[float, float] = (math.nan, math.nan),
) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array, Array, Array]]:
    """Ground and lid of a section with deck and piers in it.

    A pier is its centre, elevations, widths. Where the low chord lies in the ground the embankment
    is solid up to the high chord. What of a pier is wider than below it (debris, a pier's head)
    lowers the low chord over the water, which runs beneath it. A pier's face has the n of the
    ground that it looks to, and is of its part of the section (channel or overbank).
    """
    piers = list(piers)
    made, lid = _ground_and_lid(_pieces_below_pier_heads(pieces, piers))
    for centre, at, width in piers:
        wider = np.flatnonzero(np.diff(width) > 0)
        shaft = int(wider[0]) + 1 if len(wider) else len(at)
        made = _ground_with_pier(made, centre, at[:shaft], width[:shaft], banks)
    return _without_repeated_points(made), lid


def pieces_of(ground: Line, deck: Line) -> list[Piece]:
    """Stretches of a section without a bend in ground or deck, from left to right."""
    x, z, n = ground
    dx, low, high = deck
    bends = np.unique(np.concatenate([x, dx, crossings(x, z, dx, low), crossings(x, z, dx, high)]))
    bends = bends[(bends >= x[0]) & (bends <= x[-1])]
    a, b = bends[:-1], bends[1:]
    middle = (a + b) / 2
    under, soffit, road = (
        np.stack(line_at(*line, a, b), axis=1) for line in ((x, z), (dx, low), (dx, high))
    )
    decked = (dx[0] <= middle) & (middle <= dx[-1])
    solid = decked & (soffit.sum(axis=1) <= under.sum(axis=1) + 1e-9)
    rough = n[np.searchsorted(x, middle, side="right") - 1]
    first = np.searchsorted(x, a)  # of points above each other the first one's n is the wall's
    face = np.where((first + 1 < len(x)) & (x[np.minimum(first + 1, len(x) - 1)] == a), n[first],
                    np.nan)  # fmt: skip
    columns = (a, b, under, soffit, road, rough, decked, solid, face)
    return [
        Piece(start, stop, tuple(u), tuple(s) if d else None, tuple(r) if d else None, k, full, f)
        for start, stop, u, s, r, k, d, full, f in zip(*(c.tolist() for c in columns), strict=True)
    ]


class Piece(NamedTuple):
    """A stretch of a section without a bend: ground, low and high chord at both ends."""

    start: float
    stop: float
    under: tuple[float, float]
    soffit: tuple[float, float] | None
    road: tuple[float, float] | None
    n: float
    solid: bool
    face: float  # n of the ground's own wall at its start; NaN: there is none


def _ground_and_lid(
    pieces: list[Piece],
) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array, Array, Array]]:
    """Points of the ground, and of the lid with the n of its two sides.

    An embankment is ground up to the soffit beside it, without a wetted length, and a lid from
    there to the road: so its face is wet below the soffit only, and its road when the water runs
    over it.
    """
    none = math.nan, math.nan
    start, stop, under, soffit, road, n, solid, face = (
        np.array([none if v is None else v for v in column]) for column in zip(*pieces, strict=True)
    )
    x, filled = np.stack([start, stop], axis=1), solid & ~np.isnan(road[:, 0])
    raised = np.maximum(under, np.array(_soffits_beside(pieces))[:, None])
    raised = np.where(raised > under, np.minimum(raised, road), under)
    z = np.where(filled[:, None], raised, under)
    rough = np.repeat(np.where(filled, 0.0, n), 2)
    # a wall of the ground has its own n, any other face that of the side that it looks to
    wall = ~(solid[1:] | solid[:-1]) & np.isfinite(face[1:])
    last, first = rough[1:-1:2], rough[2::2]
    last[:] = np.where(wall, face[1:], np.where(z[:-1, 1] > z[1:, 0], first, last))
    low = np.where(filled[:, None], z, soffit)
    sides = np.where(filled, (np.zeros(len(n)), n), np.nan)
    covered = ~(np.isnan(low[:, 0]) | np.isnan(road[:, 0]))
    lid = (*(v[covered].ravel() for v in (x, low, road)), *np.repeat(sides[:, covered], 2, axis=1))
    return (x.ravel(), z.ravel(), rough), lid


def _pieces_below_pier_heads(
    pieces: list[Piece], piers: Iterable[tuple[float, Array, Array]]
) -> list[Piece]:
    """Pieces whose low chord is lowered to the underside of what piers carry above water."""
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
    one: Piece, start: float, stop: float, first: float, last: float
) -> list[Piece]:
    """A piece in parts, whose low chord is at most a straight line where that one is over it."""
    if one.soffit is None or one.solid or one.stop <= start or one.start >= stop:
        return [one]

    def line(x: float) -> float:
        return first + (last - first) * (x - start) / (stop - start)

    a, b = max(one.start, start), min(one.stop, stop)
    cuts = {one.start, a, b, one.stop}
    for other in (one.soffit, one.under):  # where it meets the low chord or the ground
        gaps = [line(x) - _between(one, other, x) for x in (a, b)]
        if gaps[0] * gaps[1] < 0:
            cuts.add(a + (b - a) * gaps[0] / (gaps[0] - gaps[1]))
    ends = sorted(cuts)
    parts = []
    for left, right in itertools.pairwise(ends):
        under, soffit, road = (
            (_between(one, pair, left), _between(one, pair, right))
            for pair in (one.under, one.soffit, one.road or one.soffit)
        )
        if a <= left and right <= b:
            soffit = min(soffit[0], line(left)), min(soffit[1], line(right))
        parts.append(one._replace(
            start=left, stop=right, under=under, soffit=soffit, road=road if one.road else None,
            solid=sum(soffit) <= sum(under) + 1e-9,
            face=one.face if left == one.start else math.nan,
        ))  # fmt: skip
    return parts


def _between(one: Piece, ends: tuple[float, float], x: float) -> float:
    """Height at a place of a piece, between those at its ends."""
    share = (x - one.start) / (one.stop - one.start) if one.stop > one.start else 0.0
    return ends[0] if ends[0] == ends[1] else ends[0] + (ends[1] - ends[0]) * share


def _soffits_beside(pieces: list[Piece]) -> list[float]:
    """Soffit of the opening beside each piece if that is an embankment; the higher of two."""
    found = [-math.inf] * len(pieces)
    # open ground beside an embankment has no soffit: its face is wet as high as it is
    for order, end in ((range(len(pieces)), 1), (range(len(pieces))[::-1], 0)):
        beside = -math.inf
        for k in order:
            if pieces[k].solid:
                found[k] = max(found[k], beside)
            else:
                beside = math.inf if (soffit := pieces[k].soffit) is None else soffit[end]
    return found


def _without_repeated_points(ground: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
    """Points without those said twice."""
    x, z, n = ground
    keep = np.r_[True, (np.diff(x) != 0) | (np.diff(z) != 0)]
    last = np.r_[keep[1:], True]  # of equal points the last one's n holds
    return x[keep], z[keep], n[last]


def _ground_with_pier(
    ground: tuple[Array, Array, Array],
    centre: float,
    at: Array,
    width: Array,
    banks: tuple[float, float],
) -> tuple[Array, Array, Array]:
    """Ground raised to the pier, whose widths grow nowhere upwards.

    An edge on a bank or on a point of the ground covers it by a hair: the face stands on the side
    that it looks to, and no rounding decides.
    """
    x, z, n = ground
    foot = float(np.interp(centre, x, z))
    top = float(at[-1])
    if top <= foot:
        return ground
    heights = np.unique(np.r_[foot, at[(at > foot) & (at < top)], top])
    half = np.interp(heights, at, width) / 2
    # what is wider than the section ends with it
    first, last = x[0] + HAIR_M, x[-1] - HAIR_M
    marks = np.r_[x, [bank for bank in banks if math.isfinite(bank)]]

    def edges(places: Array, side: int) -> Array:
        near = marks[np.abs(marks - places[:, None]).argmin(axis=1)]
        close = np.abs(near - places) <= HAIR_M
        placed = np.where(close, near + side * HAIR_M, places)
        return np.asarray(np.clip(placed, first, last))

    left = [*zip(edges(centre - half, -1), heights, strict=True)]
    right = [*zip(edges(centre + half, 1)[::-1], heights[::-1], strict=True)]
    a, b = left[0][0], right[-1][0]
    before, after = x < a, x > b
    za, zb = np.interp([a, b], x, z)
    rough = float(n[np.searchsorted(x, centre, side="right") - 1])
    points = [(a, za), *left, *right, (b, zb)]
    px, pz = (np.array(v) for v in zip(*points, strict=True))
    pn = np.full(len(px), rough)
    pn[: len(left)] = n[np.searchsorted(x, a) - 1]
    pn[len(left) + 1 :] = n[np.searchsorted(x, b, side="right") - 1]
    ends = ((x, px), (z, pz), (n, pn))
    raised = (np.concatenate([old[before], new, old[after]]) for old, new in ends)
    return tuple(raised)  # type: ignore[return-value]


# --- states -----------------------------------------------------------------------------------


def one_state(model: Model, row: int, flow: float, level: float) -> State:
    """State of a single section."""
    return model.state(np.array([row]), np.array([flow]), np.array([level]))


def energy_at(model: Model, row: int, flow: float, level: float) -> float:
    """Energy line of a section at a level."""
    return float(one_state(model, row, flow, level).energy[0])


def level_of(model: Model, row: int, flow: float, energy: float) -> tuple[float, bool]:
    """Subcritical level whose energy line is given; critical, and False, where there is none."""
    level = energy
    for _ in range(40):
        state = one_state(model, row, flow, level)
        off = float(state.energy[0]) - energy
        grows = float(state.grows[0])
        if abs(off) < 1e-11 and grows > 0.1:
            return level, True
        if not math.isfinite(off) or grows < 0.1:
            break
        level -= off / grows
    rows, q = np.array([row]), np.array([flow])
    critical = model.critical(row, flow)

    def excess(value: Array, mask: Array) -> Array:
        e = model.state(rows[mask], q[mask], value).energy - energy
        return np.where(np.isfinite(e), e, -1e9)

    if excess(critical, np.ones(1, bool))[0] >= 0:
        return float(critical[0]), False
    return float(bracketed(excess, critical, np.array([energy]))[0]), True


# --- low flow ---------------------------------------------------------------------------------


class Site(NamedTuple):
    """Where and under what an opening stands."""

    row_up: int  # section 3
    row_down: int  # section 2
    total: float  # discharge past both [m³/s]
    below: State  # at section 2


def bridge_energy(model: Model, bridge: Bridge, flow: float, site: Site) -> Opened:
    """Energy line that an opening demands at section 3 to pass ``flow``.

    Low flow by the methods asked, of which the highest counts; where its energy line (or its
    level) reaches the low chord, pressure flow too, or energy, and again the higher counts.
    """
    by = {
        "energy": _energy_demand,
        "momentum": _momentum_demand,
        "yarnell": _yarnell_demand,
        "wspro": _wspro_demand,
    }
    answers = [by[how](model, bridge, flow, site) for how in bridge.methods]
    low = max(answers, key=lambda one: one.energy)
    if not bridge.pressure and "energy" in bridge.methods:
        return low
    reached = low.energy
    if not bridge.by_energy:
        reached = level_of(model, site.row_up, site.total, low.energy)[0]
    if reached <= bridge.pressure_from:
        return low
    if bridge.pressure:
        high = _pressure_demand(model, bridge, flow, float(site.below.level[0]))
    else:
        high = _energy_demand(model, bridge, flow, site)
    return high if high.energy > low.energy else low


def _energy_demand(model: Model, bridge: Bridge, flow: float, site: Site) -> Opened:
    """Standard steps 2 - BD - BU - 3: friction, contraction and expansion."""
    through, critical = site.below, False
    steps = ((bridge.down_row, flow), (bridge.up_row, flow), (site.row_up, site.total))
    for row, q in steps:
        rows, flows = np.array([row]), np.array([q])
        through, found = model.step(rows, flows, through)
        critical |= bool(found[0] == CRITICAL) and row != site.row_up
    return Opened(float(through.energy[0]), "energy", "B" if critical else "A")


class Force(NamedTuple):
    """A section's thrust A ȳ, momentum flux β Q²/(gA) [m³], area, discharge, conveyance, bed."""

    thrust: float
    flux: float
    area: float
    flow: float
    conveyance: float
    bed: float  # mean one of the channel: the level less its area over its width


def section_force(model: Model, row: int, flow: float, level: float) -> Force:
    """Thrust and momentum flux of a section at a level."""
    wet = model.sections.wetted(np.array([row]), np.array([level]))
    area, k = wet.area[0].tolist(), wet.conveyance[0].tolist()
    whole = sum(k)
    shared = sum(c**2 / a for a, c in zip(area, k, strict=True) if a > 0)
    flux = flow**2 / model.gravity * shared / whole**2 if whole > 0 else math.nan
    wide, deep = float(wet.top[0, CHANNEL]), area[CHANNEL]
    bed = level - deep / wide if wide > 0 else float(model.sections.bottom[row])
    return Force(_thrust(model, row, level), flux, sum(area), flow, whole, bed)


def _thrust(model: Model, row: int, level: float) -> float:
    """Thrust of a section at a level [m³]."""
    return float(model.sections.thrust(np.array([row]), np.array([level]))[0])


def _momentum_demand(model: Model, bridge: Bridge, flow: float, site: Site) -> Opened:
    """Momentum in three steps (equations 5-1 to 5-4), as force over γ [m³].

    What deck, piers and abutments take of sections 2 and 3 carries the still water's pressure, and
    piers a drag of ½ Cd A_p/A3 Q²/(gA3) besides. Where the water below has less momentum than
    critical flow in the bridge (class B), the level inside is critical.
    """
    z = float(site.below.level[0])
    outside = section_force(model, site.row_down, site.total, z)
    # section 2 less what stands before it is BD at the level of section 2
    wanted = _thrust(model, bridge.down_row, z) + outside.flux
    last, kind = outside, "A"
    inner = _inner_bed_slope(model, bridge)
    for row, length, slope in (
        (bridge.down_row, bridge.lengths[2], 0.0), (bridge.up_row, bridge.lengths[1], inner)
    ):  # fmt: skip
        z, critical = _level_of_force(model, bridge, row, flow, wanted, last, (length, slope), z)
        kind = "B" if critical else kind
        last = section_force(model, row, flow, z)
        wanted = last.thrust + last.flux
    level = _level_above_bridge(model, bridge, site, wanted, last, z)
    return Opened(energy_at(model, site.row_up, site.total, level), "momentum", kind)


def _inner_bed_slope(model: Model, bridge: Bridge) -> float:
    """Slope of the bed inside: the water's weight pushes down it.

    It never pushes up: HEC-RAS's manual doesn't say so, but of its example 7 a bed that rises by 3
    ft below an arch (Napa Creek 979) would hold the water 0.86 ft above HEC-RAS's level.
    """
    fall = model.sections.bottom[bridge.up_row] - model.sections.bottom[bridge.down_row]
    return max(float(fall / bridge.lengths[1]), 0.0) if bridge.lengths[1] > 0 else 0.0


def _friction_less_weight(
    bridge: Bridge, one: Force, other: Force, length: float, slope: float = 0.0
) -> float:
    """Friction less weight of the water between two sections [m³] (equation 5-1).

    The friction slope is that of the average conveyance, as in the energy method.
    """
    volume = (one.area + other.area) / 2 * length
    rubs = 0.0
    if bridge.friction:
        rubs = ((one.flow + other.flow) / (one.conveyance + other.conveyance)) ** 2 * volume
    return rubs - (slope * volume if bridge.weight else 0.0)


def _level_of_force(
    model: Model,
    bridge: Bridge,
    row: int,
    flow: float,
    wanted: float,
    last: Force,
    way: tuple[float, float],
    start: float,
) -> tuple[float, bool]:
    """Subcritical level at which a section's force is what is wanted, friction and weight too.

    ``way`` is the length to the section below and the slope of its bed.
    """

    def excess(z: float) -> float:
        mine = section_force(model, row, flow, z)
        return mine.thrust + mine.flux - wanted - _friction_less_weight(bridge, mine, last, *way)

    return _level_of_balance(excess, float(model.critical(row, flow)[0]), start)


def _level_above_bridge(
    model: Model, bridge: Bridge, site: Site, wanted: float, last: Force, start: float
) -> float:
    """Level at section 3 from the force at BU, with what stands before it and its drag."""
    row, total = site.row_up, site.total

    def excess(z: float) -> float:
        mine = section_force(model, row, total, z)
        free = _thrust(model, bridge.up_row, z)
        piers = float(np.interp(z, *bridge.pier_area_up))
        drag = bridge.drag / 2 * piers / mine.area * total**2 / (model.gravity * mine.area)
        rubs = _friction_less_weight(bridge, mine, last, bridge.lengths[0])
        return free + mine.flux - wanted - drag - rubs

    return _level_of_balance(excess, float(model.critical(row, total)[0]), start)[0]


def _level_of_balance(
    excess: Callable[[float], float], critical: float, start: float
) -> tuple[float, bool]:
    """Subcritical level at which nothing is in excess; critical, and True, where there is none."""
    excess = cache(excess)
    if excess(critical) >= 0:
        return critical, True
    high = max(start, critical) + 0.5
    while excess(high) < 0:
        high += 1.0
    return root(excess, critical, high, within=ROOT_WITHIN), False


def _yarnell_demand(model: Model, bridge: Bridge, flow: float, site: Site) -> Opened:
    """Drop of the surface at piers, 2K(K + 10ω - 0.6)(α + 15α⁴) V²/2g (equation 5-5).

    Class A only, from experiments with piers and no other losses; α is the share of section 2 that
    piers take, ω its velocity head over its hydraulic depth. At class B momentum holds, as the
    manual has it: Yarnell's level may then lie below the critical one of section 3.
    """
    if (forced := _momentum_demand(model, bridge, flow, site)).flow_class == "B":
        return forced
    row, level = site.row_down, float(site.below.level[0])
    wet = model.sections.wetted(np.array([row]), np.array([level]))
    area, top = float(wet.area.sum()), float(wet.top.sum())
    head = (flow / area) ** 2 / (2 * model.gravity)
    share = float(np.interp(level, *bridge.pier_area)) / area
    k, omega = bridge.yarnell, head / (area / top) if top > 0 else 0.0
    rise = 2 * k * (k + 10 * omega - 0.6) * (share + 15 * share**4) * head
    # where the bed rises steeply section 3 is critical
    above = max(level + rise, float(model.critical(site.row_up, site.total)[0]))
    return Opened(energy_at(model, site.row_up, site.total, above), "yarnell", "A")


def _wspro_demand(model: Model, bridge: Bridge, flow: float, site: Site) -> Opened:
    """Friction by parts and the expansion below the bridge, with its coefficient C.

    Friction between sections is L Q²/(K1 K2); the expansion from BD to section 2 loses
    Q²/(2gA2²) (2β2 - α2 - 2β_b (A2/A_b) + α_b (A2/A_b)²) with α_b = 1/C², β_b = 1/C (FHWA WSPRO,
    HEC-RAS equations 5-9 to 5-13). C is given: of FHWA's charts by the kind of embankment.
    """
    c = bridge.wspro if math.isfinite(bridge.wspro) else 0.8
    below = site.below
    z2 = float(below.level[0])
    outside = section_force(model, site.row_down, site.total, z2)
    alpha = float(below.velocity_head[0]) * 2 * model.gravity * outside.area**2 / site.total**2
    beta = outside.flux * model.gravity * outside.area / site.total**2

    def friction(one: float, other: float, length: float) -> float:
        return length * flow**2 / (one * other)

    def steps(z: float) -> tuple[float, float]:
        inside = one_state(model, bridge.down_row, flow, z)
        area = section_force(model, bridge.down_row, flow, z).area
        ratio = outside.area / area
        grows = 2 * beta - alpha - 2 / c * ratio + ratio**2 / c**2
        lost = (site.total / outside.area) ** 2 / (2 * model.gravity) * max(grows, 0.0)
        k = float(inside.conveyance[0])
        rubs = friction(k, float(below.conveyance[0]), bridge.lengths[2])
        return float(inside.energy[0]), float(below.energy[0]) + lost + rubs

    rows, flows = np.array([bridge.down_row]), np.array([flow])
    low = critical_level(model, rows, flows)[0]

    def excess(level: Array, mask: Array) -> Array:
        del mask
        have, need = steps(float(level[0]))
        return np.array([have - need])

    critical = bool(excess(low, rows)[0] >= 0)
    z = low if critical else bracketed(excess, low, np.array([z2 + 5.0]))
    k_down = float(one_state(model, bridge.down_row, flow, float(z[0])).conveyance[0])
    k_up = float(one_state(model, bridge.up_row, flow, float(z[0])).conveyance[0])
    energy = steps(float(z[0]))[0] + friction(k_down, k_up, bridge.lengths[1])
    level, _ = level_of(model, site.row_up, site.total, energy)
    k_outer = float(one_state(model, site.row_up, site.total, level).conveyance[0])
    energy += friction(k_up, k_outer, bridge.lengths[0])
    return Opened(energy, "wspro", "B" if critical else "A")


# --- class C ---------------------------------------------------------------------------------


def bridge_run(
    model: Model, bridge: Bridge, flow: float, row_up: int, row_down: int, level: float
) -> tuple[float, str] | None:
    """Level below a bridge that supercritical water runs through, and by which method (class C).

    From section 3 down, by energy, or by momentum where only that is asked or the energy doesn't
    suffice (Hydraulic Reference Manual, chapter 5, class C low flow). None where the water can't
    stay supercritical, or reaches the deck: then the bridge is passed from below.
    """
    ways: tuple[str, ...] = ("energy", "momentum")
    if "energy" not in bridge.methods and "momentum" in bridge.methods:
        ways = ("momentum",)
    rows = (row_up, bridge.up_row, bridge.down_row, row_down)
    for how in ways:
        levels = (
            _energy_run(model, rows, flow, level)
            if how == "energy"
            else _momentum_run(model, bridge, flow, row_up, row_down, level)
        )
        if levels is None:
            continue
        if max(level, *levels[:2]) > min(bridge.up_chord, bridge.down_chord):
            return None
        return levels[2], how
    return None


def bridge_release(
    model: Model, bridge: Bridge, flow: float, row_down: int, *, low: bool
) -> float | None:
    """Supercritical level at section 2 of water that passed critical depth in the bridge.

    From the end of the bridge whose momentum at critical depth is the higher, the upper one of
    equals. Low flow (class B) by momentum, and by energy where that finds none (Hydraulic Reference
    Manual, chapter 5). After pressure flow by energy, of which the manual says nothing: HEC-RAS's
    own level below a bridge under pressure (its example 9) is that one within 0.001 ft, and 0.09
    ft lower than by momentum.
    """
    rows, ways = (bridge.up_row, bridge.down_row, row_down), _ways_down(model, bridge, row_down)
    levels = [float(model.critical(row, flow)[0]) for row in rows[:2]]
    forces = [section_force(model, row, flow, z) for row, z in zip(rows[:2], levels, strict=True)]
    up, down = (one.thrust + one.flux for one in forces)
    # where too little comes down from BU, BD is critical too
    ends = (1,) if down > up else (0, 1)
    found = []
    if low:
        found = [
            _levels_of_forces(model, bridge, flow, ways[k + 1 :], forces[k], (up, down)[k])
            for k in ends
        ]
    found += [_energy_run(model, rows[k:], flow, levels[k]) for k in ends]
    return next((made[-1] for made in found if made is not None), None)


def _energy_run(
    model: Model, rows: tuple[int, ...], flow: float, level: float
) -> list[float] | None:
    """Supercritical levels at sections below the first of ``rows`` by energy."""
    found = []
    for above, row in itertools.pairwise(rows):
        known = one_state(model, above, flow, level)
        made, how = supercritical_step(
            model, np.array([above]), np.array([flow]), known, np.array([row])
        )
        if how[0] != BALANCED:
            return None
        level = float(made[0])
        found.append(level)
    return found


def _momentum_run(
    model: Model, bridge: Bridge, flow: float, row_up: int, row_down: int, level: float
) -> list[float] | None:
    """Supercritical levels at BU, BD and section 2 by momentum, equations 5-4 to 5-1 downwards."""
    outside = section_force(model, row_up, flow, level)
    piers = float(np.interp(level, *bridge.pier_area_up))
    drag = bridge.drag / 2 * piers / outside.area * flow**2 / (model.gravity * outside.area)
    force = section_force(model, bridge.up_row, flow, level).thrust + outside.flux - drag
    ways = _ways_down(model, bridge, row_down)
    return _levels_of_forces(model, bridge, flow, ways, outside, force)


class _Way(NamedTuple):
    """A step down through a bridge."""

    row: int  # where it leads
    front: int  # the section whose thrust stands there: BD before its piers and abutments
    length: float
    slope: float


def _ways_down(model: Model, bridge: Bridge, row_down: int) -> list[_Way]:
    """Steps from section 3 to BU, BD and section 2."""
    up, down = bridge.up_row, bridge.down_row
    slopes = (0.0, _inner_bed_slope(model, bridge), 0.0)
    ends = ((up, up), (down, down), (row_down, down))
    both = zip(ends, bridge.lengths, slopes, strict=True)
    return [_Way(*end, length, slope) for end, length, slope in both]


def _levels_of_forces(
    model: Model, bridge: Bridge, flow: float, ways: list[_Way], last: Force, force: float
) -> list[float] | None:
    """Supercritical levels along ways down from a section, by the force that it hands on."""
    found = []
    for way in ways:
        rows = np.array([way.row])

        def excess(
            value: Array, mask: Array, way: _Way = way, last: Force = last, force: float = force
        ) -> Array:
            del mask
            z = float(value[0])
            mine = section_force(model, way.row, flow, z)
            thrust = mine.thrust
            if way.front != way.row:
                thrust = section_force(model, way.front, flow, z).thrust
            rubs = _friction_less_weight(bridge, mine, last, way.length, way.slope)
            return np.array([force - rubs - thrust - mine.flux])

        critical = critical_level(model, rows, np.array([flow]))[0]
        bottom = float(model.sections.bottom[way.row])
        low = np.array([bottom + 0.02 * (float(critical[0]) - bottom)])
        if excess(critical, rows)[0] <= 0 or excess(low, rows)[0] >= 0:
            return None
        level = float(bracketed(excess, low, critical)[0])
        last = section_force(model, way.row, flow, level)
        force = last.thrust + last.flux
        found.append(level)
    return found


# --- pressure flow ----------------------------------------------------------------------------


def _pressure_demand(model: Model, bridge: Bridge, flow: float, level: float) -> Opened:
    """Orifice: inlet submerged (equation 5-14), or both ends (5-15).

    Q = Cd A √2g (E3 - bed - Z/2)^½, Z from the mean bed to the low chord and the head from the
    mean bed to the energy line; Q = C A √(2g (E3 - z2)) where the water below covers the low
    chord.
    """
    g = model.gravity
    if level >= bridge.down_chord:
        area = min(bridge.up_area, bridge.down_area)
        head = (flow / (bridge.orifice * area)) ** 2 / (2 * g)
        return Opened(level + head, "pressure_full", "")
    height = bridge.up_chord - bridge.up_bed

    def above_bed(coefficient: float) -> float:
        return (flow / (coefficient * bridge.up_area)) ** 2 / (2 * g) + height / 2

    if math.isfinite(bridge.sluice):
        return Opened(bridge.up_bed + above_bed(bridge.sluice), "pressure_inlet", "")
    y, coefficient = height * 1.3, 0.45
    for _ in range(60):  # the coefficient grows with the depth, which then falls: a contraction
        y = (y + above_bed(coefficient)) / 2
        coefficient = float(np.interp(y / height, *SLUICE))
    return Opened(bridge.up_bed + above_bed(coefficient), "pressure_inlet", "")


def mean_bed(x: Array, z: Array, spans: list[tuple[float, float]], chord: float) -> float:
    """Mean elevation of a section's ground below a chord, within stretches.

    Of the ground, not of what is left below the soffit: under the crown of an arch or the high end
    of a sloping deck the opening is as wide as a point.
    """
    a, b, h0, h1 = x[:-1], x[1:], chord - z[:-1], chord - z[1:]
    joined: list[tuple[float, float]] = []  # pieces from bend to bend are many
    for start, stop in spans:
        first = joined.pop()[0] if joined and start == joined[-1][1] else start
        joined.append((first, stop))
    wide = area = 0.0
    for start, stop in joined:
        p, q = np.clip(a, start, stop), np.clip(b, start, stop)
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
