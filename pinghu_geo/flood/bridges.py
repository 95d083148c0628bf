"""How high does a bridge hold the water back? Low flow and pressure flow; numpy, SI.

Four sections: 3 and 2, surveyed just above and below the bridge, and BU and BD inside it, which are
their ground with deck, piers and abutments cut out. Numbers of equations are those of the HEC-RAS
Hydraulic Reference Manual 6.x, chapter 5; pressure flow is FHWA HDS-1's.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import CHANNEL, Array
from pinghu_geo.flood.steady import (
    BALANCED,
    CRITICAL,
    DIP_M,
    Model,
    State,
    bracketed,
    climb_to_positive,
    supercritical_step,
)

__all__ = [
    "ASSUMED_C", "METHODS", "Bridge", "Force", "Opened", "Site", "bridge_energy",
    "bridge_release", "bridge_run", "energy_at", "has_other_levels", "level_of",
    "section_force", "taking_over",
]  # fmt: skip

METHODS = ("energy", "momentum", "yarnell", "wspro")
# WSPRO's coefficient of discharge where none is given, as HEC-RAS's models have it at first
ASSUMED_C = 0.8
# coefficient of the sluice-gate equation against Y3/Z where none is given; HDS-1, figure on
# pressure flow, read to about 0.01; Y3 is taken to the energy line (docs/theory.md says why)
SLUICE = ((1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6), (0.27, 0.35, 0.41, 0.45, 0.475, 0.49, 0.50))

# levels at which others are looked for that balance the energy, too, and how well [m]
TRIED, NEARLY_M = 400, 0.05
# a little more water, at which another formula may take over [share], and where it is looked for
MORE, FARTHEST_M = 1.1, 2.0
# what a tenth of the discharge doesn't come to: a force below of so much more or less than critical
# flow's (a rectangle's grows with its power 4/3), an energy line higher by such a share of it
NEAR_CLASS_B, NEAR_DECK = 0.3, 0.5
# of two critical depths the other one is near if it takes so much more energy over the bed [share]
RIVAL = 0.1


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
    lid: float  # below it neither deck nor the top of an embankment is in the water [m]
    lengths: tuple[float, float, float]  # 3 to BU, BU to BD, BD to 2
    wspro: float = math.nan  # its coefficient of discharge C


class Opened(NamedTuple):
    """What an opening demands of the water above it, case by case; all (n,)."""

    energy: Array
    near: Array  # level above that is not far from the one of this energy
    control: Array  # words
    flow_class: Array

    @classmethod
    def by(
        cls, control: str | Array, energy: Array, near: Array | None = None, *,
        choked: Array | None = None,
    ) -> Opened:  # fmt: skip
        """What cases demand; of low flow class A or, where choked, B."""
        words = np.full(len(energy), control, object)
        kind = np.full(len(energy), "", object) if choked is None else np.where(choked, "B", "A")
        return cls(energy, energy if near is None else near, words, kind.astype(object))

    def take(self, some: Array) -> Opened:
        """Some of the cases."""
        return Opened(*(v[some] for v in self))

    def but(self, some: Array, other: Opened) -> Opened:
        """The same, and for some of the cases what the other says."""
        made = Opened(*(v.copy() for v in self))
        for own, new in zip(made, other, strict=True):
            own[some] = new
        return made

    def or_higher(self, other: Opened) -> Opened:
        """Of two the one that demands more, case by case."""
        more = np.flatnonzero(other.energy > self.energy)
        return self.but(more, other.take(more)) if len(more) else self


# --- states -----------------------------------------------------------------------------------


def energy_at(model: Model, rows: Array, flow: Array, level: Array) -> Array:
    """Energy lines of sections at levels; all (n,)."""
    return model.state(rows, flow, level).energy


def level_of(
    model: Model, rows: Array, flow: Array, energy: Array, near: Array
) -> tuple[Array, Array]:
    """Subcritical levels whose energy lines are given; critical, and False, where there is none.

    All (n,); ``near`` are levels to begin with.
    """
    level, calm = near.copy(), np.zeros(len(near), bool)
    left = np.arange(len(near))
    for _ in range(40):
        state = model.state(rows[left], flow[left], level[left])
        off = state.energy - energy[left]
        calm[left] = (np.abs(off) < 1e-11) & (state.grows > 0.1)
        on = ~calm[left] & np.isfinite(off) & (state.grows >= 0.1)
        left = left[on]
        if not len(left):
            break
        level[left] -= off[on] / state.grows[on]
    if not calm.all():
        lost = np.flatnonzero(~calm)
        level[lost], calm[lost] = _level_by_search(model, rows[lost], flow[lost], energy[lost])
    return level, calm


def _level_by_search(model: Model, rows: Array, flow: Array, energy: Array) -> tuple[Array, Array]:
    """The same by a bracketed search from the critical level upwards."""
    critical = model.critical(rows, flow)

    def excess(value: Array, mask: Array) -> Array:
        e = model.state(rows[mask], flow[mask], value).energy - energy[mask]
        return np.where(np.isfinite(e), e, -1e9)

    calm = excess(critical, np.ones(len(rows), bool)) < 0
    return np.where(calm, bracketed(excess, critical, energy), critical), calm


# --- low flow ---------------------------------------------------------------------------------


class Site(NamedTuple):
    """Where and under what an opening stands, case by case; all (n,)."""

    row_up: Array  # section 3
    row_down: Array  # section 2
    total: Array  # discharge past both [m³/s]
    below: State  # at section 2

    def take(self, some: Array) -> Site:
        """Some of the cases."""
        return Site(self.row_up[some], self.row_down[some], self.total[some], self.below.take(some))


def bridge_energy(model: Model, bridge: Bridge, flow: Array, site: Site) -> Opened:
    """Energy line that an opening demands at section 3 to pass ``flow``.

    Low flow by the methods asked, of which the highest counts; where its energy line (or its
    level) reaches the low chord, pressure flow too, of which the higher counts, or energy.
    """
    low = low_flow_energy(model, bridge, flow, site)
    if not bridge.pressure and bridge.methods == ("energy",):
        return low
    k = np.flatnonzero(_reaches_deck(model, bridge, low, site))
    if not len(k):
        return low
    some, below = site.take(k), low.take(k)
    if bridge.pressure:
        high = _pressure_demand(model, bridge, flow[k], some.below.level)
    else:
        below = _up_to_deck(model, bridge, below, some)
        high = _energy_demand(model, bridge, flow[k], some)
    return low.but(k, below.or_higher(high))


def low_flow_energy(model: Model, bridge: Bridge, flow: Array, site: Site) -> Opened:
    """The same by the methods of low flow alone, wherever the deck is."""
    by = {
        "energy": _energy_demand,
        "momentum": _momentum_demand,
        "yarnell": _yarnell_demand,
        "wspro": _wspro_demand,
        "piers": _piers_demand,
    }
    low, *others = (by[how](model, bridge, flow, site) for how in bridge.methods)
    for one in others:
        low = low.or_higher(one)
    return low


def _reaches_deck(model: Model, bridge: Bridge, opened: Opened, site: Site) -> Array:
    """Whether an energy line, or its level, lies above the low chord."""
    line = opened.energy
    if not bridge.by_energy:
        line = level_of(model, site.row_up, site.total, line, opened.near)[0]
    return np.asarray(line > bridge.pressure_from)


def _up_to_deck(model: Model, bridge: Bridge, low: Opened, site: Site) -> Opened:
    """What low flow demands as far as its formulas hold: until the water comes to the deck.

    There high flow begins (chapter 5), and by energy it may still find the deck out of the water:
    then neither leads past the low chord, so that the water stands against it (our reading: the
    manual compares low flow with pressure flow only).
    """
    chord = np.full(len(low.energy), bridge.pressure_from)
    if not bridge.by_energy:
        chord = energy_at(model, site.row_up, site.total, chord)
    return low._replace(
        energy=np.minimum(low.energy, chord), near=np.minimum(low.near, bridge.pressure_from)
    )


def _energy_demand(model: Model, bridge: Bridge, flow: Array, site: Site) -> Opened:
    """Standard steps 2 - BD - BU - 3: friction, contraction and expansion."""
    through, choked = site.below, np.zeros(len(flow), bool)
    for row in (bridge.down_row, bridge.up_row):
        through, found = model.step(np.full(len(flow), row), flow, through)
        choked |= found == CRITICAL
    through, _ = model.step(site.row_up, site.total, through)
    return Opened.by("energy", through.energy, through.level, choked=choked)


def has_other_levels(model: Model, bridge: Bridge, flow: Array, site: Site) -> bool:
    """Whether other subcritical levels balance the energy inside a bridge, too; one case, (1,).

    Or do so but for some centimetres. A deck in the water takes conveyance away at once: the water
    may stand beneath it, against it or over it. Taken is the level nearest to that below, as
    HEC-RAS's trials go (Hydraulic Reference Manual, chapter 2: they begin with the depth below). No
    rule makes more water never stand lower: what is lost beneath a deck may be more than over it.
    """
    through, many = site.below, np.zeros(TRIED, int)
    for row in (bridge.down_row, bridge.up_row):
        rows = np.array([row])
        taken, found = model.step(rows, flow, through)
        if found[0] == CRITICAL and _is_critical_elsewhere(model, rows, flow, taken):
            return True
        low, high = float(model.critical(rows, flow)[0]), float(taken.energy[0]) + 1.0
        if found[0] != CRITICAL and taken.level[0] < low:
            return True  # beneath the deck, and critical depth over it takes less energy
        level = np.linspace(low, high, TRIED)
        state = model.state(rows[many], flow[many], level)
        rest = model.residual(rows[many], state, through.take(many))[0]
        over, under = rest[level > taken.level[0]], -rest[level < taken.level[0]][::-1]
        for away in (over, under):  # it grows away from the level taken, and comes back
            back = np.maximum.accumulate(away) - away
            if ((away < NEARLY_M) & (back > DIP_M)).any():
                return True
        through = taken
    return False


def _is_critical_elsewhere(model: Model, rows: Array, flow: Array, taken: State) -> bool:
    """Whether hardly more energy has a minimum at another level; one case, (1,).

    Beneath a deck and over it the energy has one each. The lesser is critical depth, so that with a
    little more water it goes from the one to the other, and the level above with it.
    """
    bottom, energy = float(model.sections.bottom[rows[0]]), float(taken.energy[0])
    level = bottom + np.linspace(0.03, 1.0, TRIED) * (energy + 1.0 - bottom)
    many = np.zeros(TRIED, int)
    e = model.state(rows[many], flow[many], level).energy
    dips = (e[1:-1] < e[:-2] - DIP_M) & (e[1:-1] <= e[2:])
    other = np.abs(level[1:-1] - taken.level[0]) > 2 * (level[1] - level[0])
    return bool((dips & other & (e[1:-1] - energy < RIVAL * (energy - bottom))).any())


def taking_over(
    model: Model, bridge: Bridge, flow: Array, site: Site, energy: float
) -> list[Bridge]:
    """The bridge by formulas that take over with a little more or less water; one case, (1,).

    A tenth, the level below staying or changing as in uniform flow; ``energy`` is the line
    above. Yarnell's equation and momentum (class B), the inlet and the full opening under pressure,
    low flow and energy at the deck: the level above steps there, or both disagree how high it is.
    """
    found: list[Bridge] = []
    classed = "yarnell" in bridge.methods and "momentum" not in bridge.methods
    if classed and abs(momentum_to_spare(model, bridge, flow, site)[0]) < NEAR_CLASS_B:
        choked = momentum_to_spare(model, bridge, *_with_a_little_more(model, flow, site)) < 0
        rest = tuple(how for how in bridge.methods if how != "yarnell")
        other = "piers" if choked[0] else "momentum"
        found += [bridge._replace(methods=(*rest, other))] if _differs(choked) else []
    if bridge.pressure and energy > bridge.pressure_from:
        full = _with_a_little_more(model, flow, site)[1].below.level >= bridge.down_chord
        other_end = math.inf if full[0] else -math.inf
        found += [bridge._replace(down_chord=other_end)] if _differs(full) else []
    beneath = energy + NEAR_DECK * (energy - bridge.up_bed) < bridge.pressure_from
    if not bridge.pressure and bridge.methods != ("energy",) and not beneath:
        flow, site = _with_a_little_more(model, flow, site)
        wet = _reaches_deck(model, bridge, low_flow_energy(model, bridge, flow, site), site)
        jumps = _differs(wet) and "energy" not in bridge.methods
        if wet[0] or jumps:
            high = _energy_demand(model, bridge, flow, site)
            drowned = _reaches_deck(model, bridge, high, site)
            if (wet[0] and not drowned[0]) or (jumps and drowned.any()):
                ends = {"methods": ("energy",)}, {"pressure_from": math.inf}
                found += [bridge._replace(**end) for end in ends]
    return found


def _differs(yes: Array) -> bool:
    """Whether some are and some aren't."""
    return bool(yes.any() and not yes.all())


def _with_a_little_more(model: Model, flow: Array, site: Site) -> tuple[Array, Site]:
    """A case, and four a little off: less and more water, below at its level or uniform."""
    less, more = (_uniform_level(model, site, share) for share in (1 / MORE, MORE))
    z = site.below.level[0]
    level = np.array([z, z, z, less, more])
    ratio = np.array([1.0, 1 / MORE, MORE, 1 / MORE, MORE])
    up, row, total = site.row_up[[0] * 5], site.row_down[[0] * 5], site.total * ratio
    return flow * ratio, Site(up, row, total, model.state(row, total, level))


def _uniform_level(model: Model, site: Site, share: float) -> float:
    """Level below at which the section conveys a share of what it does, away from its level.

    The first one: where banks are overtopped the conveyance may fall before it grows.
    """
    level, row = float(site.below.level[0]), int(site.row_down[0])
    end = model.sections.bottom[row] if share < 1 else level + FARTHEST_M
    tried = np.linspace(level, end, 101)[1:-1]
    k = model.sections.wetted(np.full(len(tried), row), tried).total_conveyance
    beyond = (k - share * float(site.below.conveyance[0])) * (share - 1) >= 0
    return float(tried[np.argmax(beyond)] if beyond.any() else tried[-1])


class Force(NamedTuple):
    """A section's thrust A ȳ, momentum flux β Q²/(gA) [m³], area, discharge, conveyance, bed."""

    thrust: Array
    flux: Array
    area: Array
    flow: Array
    conveyance: Array
    bed: Array  # mean one of the channel: the level less its area over its width

    @property
    def whole(self) -> Array:
        """Thrust and flux [m³]."""
        return self.thrust + self.flux

    def take(self, some: Array) -> Force:
        """Some of the cases."""
        return Force(*(v[some] for v in self))


def section_force(model: Model, rows: Array, flow: Array, level: Array) -> Force:
    """Thrust and momentum flux of sections at levels; all (n,)."""
    wet = model.sections.wetted(rows, level)
    area, k = wet.area, wet.conveyance
    whole, wide = k.sum(axis=1), wet.top[:, CHANNEL]
    shared = np.divide(k * k, area, out=np.zeros_like(k), where=area > 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        flux = flow**2 / model.gravity * shared / np.where(whole > 0, whole, np.nan) ** 2
        bed = np.where(wide > 0, level - area[:, CHANNEL] / wide, model.sections.bottom[rows])
    return Force(_thrust(model, rows, level), flux, area.sum(axis=1), flow, whole, bed)


def _thrust(model: Model, rows: Array, level: Array) -> Array:
    """Thrust of sections at levels [m³]."""
    return model.sections.thrust(rows, level)


def _momentum_demand(model: Model, bridge: Bridge, flow: Array, site: Site) -> Opened:
    """Momentum in three steps (equations 5-1 to 5-4), as force over γ [m³].

    What deck, piers and abutments take of sections 2 and 3 carries the still water's pressure, and
    piers a drag of ½ Cd A_p/A3 Q²/(gA3) besides. Where the water below has less momentum than
    critical flow in the bridge (class B), the level inside is critical.
    """
    z, n = site.below.level, len(flow)
    down, up = np.full(n, bridge.down_row), np.full(n, bridge.up_row)
    critical = model.critical(
        np.concatenate([down, up, site.row_up]), np.concatenate([flow, flow, site.total])
    ).reshape(3, n)
    last, choked = section_force(model, site.row_down, site.total, z), np.zeros(n, bool)
    # section 2 less what stands before it is BD at the level of section 2
    wanted = _thrust(model, down, z) + last.flux
    ways = (bridge.lengths[2], 0.0), (bridge.lengths[1], _inner_bed_slope(model, bridge))
    for row, least, way in zip((down, up), critical[:2], ways, strict=True):
        z, none = _level_of_force(model, bridge, row, flow, wanted, last, way, (least, z))
        choked |= none
        last = section_force(model, row, flow, z)
        wanted = last.whole
    level = _level_above_bridge(model, bridge, site, wanted, last, (critical[2], z))
    energy = energy_at(model, site.row_up, site.total, level)
    return Opened.by("momentum", energy, level, choked=choked)


def _inner_bed_slope(model: Model, bridge: Bridge) -> float:
    """Slope of the bed inside: the water's weight pushes down it.

    It never pushes up: HEC-RAS's manual doesn't say so, but of its example 7 a bed that rises by 3
    ft below an arch (Napa Creek 979) would hold the water 0.86 ft above HEC-RAS's level.
    """
    fall = model.sections.bottom[bridge.up_row] - model.sections.bottom[bridge.down_row]
    return max(float(fall / bridge.lengths[1]), 0.0) if bridge.lengths[1] > 0 else 0.0


def _friction_less_weight(
    bridge: Bridge, one: Force, other: Force, length: float, slope: float = 0.0
) -> Array:
    """Friction less weight of the water between two sections [m³] (equation 5-1).

    The friction slope is that of the average conveyance, as in the energy method.
    """
    volume = (one.area + other.area) / 2 * length
    rubs = np.zeros(len(volume))
    if bridge.friction:
        rubs = ((one.flow + other.flow) / (one.conveyance + other.conveyance)) ** 2 * volume
    return rubs - (slope * volume if bridge.weight else 0.0)


def _level_of_force(
    model: Model,
    bridge: Bridge,
    rows: Array,
    flow: Array,
    wanted: Array,
    last: Force,
    way: tuple[float, float],
    ends: tuple[Array, Array],
) -> tuple[Array, Array]:
    """Subcritical levels at which a section's force is what is wanted, friction and weight too.

    ``way`` is the length to the section below and the slope of its bed; ``ends`` are the critical
    levels and those below.
    """

    def excess(z: Array, mask: Array) -> Array:
        mine = section_force(model, rows[mask], flow[mask], z)
        rubs = _friction_less_weight(bridge, mine, last.take(mask), *way)
        return mine.whole - wanted[mask] - rubs

    return _level_of_balance(excess, *ends)


def _level_above_bridge(
    model: Model, bridge: Bridge, site: Site, wanted: Array, last: Force,
    ends: tuple[Array, Array],
) -> Array:  # fmt: skip
    """Levels at section 3 from the force at BU, with what stands before it and its drag."""
    up = np.full(len(wanted), bridge.up_row)

    def excess(z: Array, mask: Array) -> Array:
        mine = section_force(model, site.row_up[mask], site.total[mask], z)
        free = _thrust(model, up[mask], z)
        rubs = _friction_less_weight(bridge, mine, last.take(mask), bridge.lengths[0])
        return free + mine.flux - wanted[mask] - _pier_drag(model, bridge, mine, z) - rubs

    return _level_of_balance(excess, *ends)[0]


def _pier_drag(model: Model, bridge: Bridge, above: Force, level: Array) -> Array:
    """Drag of the piers by the water of section 3, ½ Cd A_p/A3 Q²/(gA3) [m³]."""
    piers = np.interp(level, *bridge.pier_area_up)
    push = above.flow**2 / (model.gravity * above.area)
    return np.asarray(bridge.drag / 2 * piers / above.area * push)


def _level_of_balance(
    excess: Callable[[Array, Array], Array], critical: Array, start: Array
) -> tuple[Array, Array]:
    """Subcritical levels at which nothing is in excess; critical, and True, where there is none."""
    none = excess(critical, np.ones(len(critical), bool)) >= 0
    high = climb_to_positive(excess, np.maximum(start, critical) + 0.5, ~none)
    return np.where(none, critical, bracketed(excess, critical, high)), none


def _yarnell_demand(model: Model, bridge: Bridge, flow: Array, site: Site) -> Opened:
    """Drop of the surface at piers, 2K(K + 10ω - 0.6)(α + 15α⁴) V²/2g (equation 5-5).

    Class A only, from experiments with piers and no other losses; α is the share of section 2 that
    piers take, ω its velocity head over its hydraulic depth. At class B momentum holds, as the
    manual has it: Yarnell's level may then lie below the critical one of section 3.
    """
    forced = _momentum_demand(model, bridge, flow, site)
    choked = np.flatnonzero(forced.flow_class == "B")
    return _piers_demand(model, bridge, flow, site).but(choked, forced.take(choked))


def _piers_demand(model: Model, bridge: Bridge, flow: Array, site: Site) -> Opened:
    """Yarnell's equation (5-5) by itself, whatever the class."""
    level = site.below.level
    wet = model.sections.wetted(site.row_down, level)
    area, top = wet.area.sum(axis=1), wet.top.sum(axis=1)
    head = (flow / area) ** 2 / (2 * model.gravity)
    share = np.interp(level, *bridge.pier_area) / area
    k, omega = bridge.yarnell, head * top / area
    rise = 2 * k * (k + 10 * omega - 0.6) * (share + 15 * share**4) * head
    # where the bed rises steeply section 3 is critical
    above = np.maximum(level + rise, model.critical(site.row_up, site.total))
    energy = energy_at(model, site.row_up, site.total, above)
    return Opened.by("yarnell", energy, above, choked=np.zeros(len(flow), bool))


def momentum_to_spare(model: Model, bridge: Bridge, flow: Array, site: Site) -> Array:
    """Force below over that of critical flow inside, less one: class B where it is negative.

    The end of the bridge that leaves less; without friction and weight.
    """
    rows = [np.full(len(flow), row) for row in (bridge.down_row, bridge.up_row)]
    below = section_force(model, site.row_down, site.total, site.below.level)
    wanted = _thrust(model, rows[0], site.below.level) + below.flux
    critical = [section_force(model, row, flow, model.critical(row, flow)).whole for row in rows]
    return np.asarray(wanted / np.maximum(*critical)) - 1.0


def _wspro_demand(model: Model, bridge: Bridge, flow: Array, site: Site) -> Opened:
    """Friction by parts and the expansion below the bridge, with its coefficient C.

    Friction between sections is L Q²/(K1 K2); the expansion from BD to section 2 loses
    Q²/(2gA2²) (2β2 - α2 - 2β_b (A2/A_b) + α_b (A2/A_b)²) with α_b = 1/C², β_b = 1/C (FHWA WSPRO,
    HEC-RAS equations 5-9 to 5-13). C is given: of FHWA's charts by the kind of embankment.
    """
    c = bridge.wspro if math.isfinite(bridge.wspro) else ASSUMED_C
    below, g = site.below, model.gravity
    down, up = np.full(len(flow), bridge.down_row), np.full(len(flow), bridge.up_row)
    outside = section_force(model, site.row_down, site.total, below.level)
    alpha = below.velocity_head * 2 * g * outside.area**2 / site.total**2
    beta = outside.flux * g * outside.area / site.total**2

    def expansion(z: Array, mask: Array) -> Array:
        ratio = outside.area[mask] / model.sections.area(down[mask], z)
        grows = 2 * beta[mask] - alpha[mask] - 2 / c * ratio + ratio**2 / c**2
        head = (site.total / outside.area)[mask] ** 2 / (2 * g)
        return np.asarray(head * np.maximum(grows, 0.0))

    def excess(z: Array, mask: Array) -> Array:
        inside, outer = model.state(down[mask], flow[mask], z), below.take(mask)
        friction = bridge.lengths[2] * flow[mask] ** 2 / (inside.conveyance * outer.conveyance)
        return np.asarray(inside.energy - outer.energy - expansion(z, mask) - friction)

    low = model.critical(down, flow)
    choked = excess(low, np.ones(len(flow), bool)) >= 0
    z = np.where(choked, low, bracketed(excess, low, below.level + 5.0))
    inside = model.state(down, flow, z)
    k_up = model.state(up, flow, z).conveyance
    energy = inside.energy + bridge.lengths[1] * flow**2 / (inside.conveyance * k_up)
    level, _ = level_of(model, site.row_up, site.total, energy, energy)
    k_outer = model.state(site.row_up, site.total, level).conveyance
    energy = energy + bridge.lengths[0] * flow**2 / (k_up * k_outer)
    return Opened.by("wspro", energy, choked=choked)


# --- class C ---------------------------------------------------------------------------------


def bridge_run(
    model: Model, bridge: Bridge, rows: tuple[Array, Array], flow: Array, level: Array
) -> tuple[float, str] | None:
    """Level below a bridge that supercritical water runs through, and by which method (class C).

    One case, all (1,). From section 3 down, by energy, or by momentum where only that is asked or
    the energy doesn't suffice (Hydraulic Reference Manual, chapter 5, class C low flow). None where
    the water can't stay supercritical, or reaches the deck: then the bridge is passed from below.
    """
    ways: tuple[str, ...] = ("energy", "momentum")
    if "energy" not in bridge.methods and "momentum" in bridge.methods:
        ways = ("momentum",)
    along = (rows[0], np.array([bridge.up_row]), np.array([bridge.down_row]), rows[1])
    for how in ways:
        levels = (
            _energy_run(model, along, flow, level)
            if how == "energy"
            else _momentum_run(model, bridge, flow, rows, level)
        )
        if levels is None:
            continue
        if max(level[0], *levels[:2]) > min(bridge.up_chord, bridge.down_chord):
            return None
        return levels[2], how
    return None


def bridge_release(
    model: Model, bridge: Bridge, flow: Array, row_down: Array, *, low: bool
) -> float | None:
    """Supercritical level at section 2 of water that passed critical depth in the bridge.

    One case, all (1,). From the end of the bridge whose momentum at critical depth is the higher,
    the upper one of equals. Low flow (class B) by momentum, and by energy where that finds none
    (Hydraulic Reference Manual, chapter 5). After pressure flow by energy, of which the manual says
    nothing: HEC-RAS's own level below a bridge under pressure (its example 9) is that one within
    0.001 ft, and 0.09 ft lower than by momentum.
    """
    rows = (np.array([bridge.up_row]), np.array([bridge.down_row]), row_down)
    ways = _ways_down(model, bridge, row_down)
    levels = [model.critical(row, flow) for row in rows[:2]]
    forces = [section_force(model, row, flow, z) for row, z in zip(rows[:2], levels, strict=True)]
    # where too little comes down from BU, BD is critical too
    ends = (1,) if forces[1].whole[0] > forces[0].whole[0] else (0, 1)
    found = []
    if low:
        found = [
            _levels_of_forces(model, bridge, flow, ways[k + 1 :], forces[k], forces[k].whole)
            for k in ends
        ]
    found += [_energy_run(model, rows[k:], flow, levels[k]) for k in ends]
    return next((made[-1] for made in found if made is not None), None)


def _energy_run(
    model: Model, rows: tuple[Array, ...], flow: Array, level: Array
) -> list[float] | None:
    """Supercritical levels at sections below the first of ``rows`` by energy."""
    found = []
    for above, row in itertools.pairwise(rows):
        known = model.state(above, flow, level)
        level, how = supercritical_step(model, above, flow, known, row)
        if how[0] != BALANCED:
            return None
        found.append(float(level[0]))
    return found


def _momentum_run(
    model: Model, bridge: Bridge, flow: Array, rows: tuple[Array, Array], level: Array
) -> list[float] | None:
    """Supercritical levels at BU, BD and section 2 by momentum, equations 5-4 to 5-1 downwards."""
    outside = section_force(model, rows[0], flow, level)
    force = _thrust(model, np.array([bridge.up_row]), level) + outside.flux
    force = force - _pier_drag(model, bridge, outside, level)
    return _levels_of_forces(
        model, bridge, flow, _ways_down(model, bridge, rows[1]), outside, force
    )


class _Way(NamedTuple):
    """A step down through a bridge; rows are (1,)."""

    row: Array  # where it leads
    front: Array  # the section whose thrust stands there: BD before its piers and abutments
    length: float
    slope: float


def _ways_down(model: Model, bridge: Bridge, row_down: Array) -> list[_Way]:
    """Steps from section 3 to BU, BD and section 2."""
    up, down = np.array([bridge.up_row]), np.array([bridge.down_row])
    slopes = (0.0, _inner_bed_slope(model, bridge), 0.0)
    ends = ((up, up), (down, down), (row_down, down))
    both = zip(ends, bridge.lengths, slopes, strict=True)
    return [_Way(*end, length, slope) for end, length, slope in both]


def _levels_of_forces(
    model: Model, bridge: Bridge, flow: Array, ways: list[_Way], last: Force, force: Array
) -> list[float] | None:
    """Supercritical levels along ways down from a section, by the force that it hands on."""
    found = []
    for way in ways:

        def excess(
            z: Array, mask: Array, way: _Way = way, last: Force = last, force: Array = force
        ) -> Array:
            mine = section_force(model, way.row[mask], flow[mask], z)
            rubs = _friction_less_weight(bridge, mine, last.take(mask), way.length, way.slope)
            return force[mask] - rubs - _thrust(model, way.front[mask], z) - mine.flux

        critical, one = model.critical(way.row, flow), np.ones(1, bool)
        bottom = model.sections.bottom[way.row]
        low = bottom + 0.02 * (critical - bottom)
        if excess(critical, one)[0] <= 0 or excess(low, one)[0] >= 0:
            return None
        level = bracketed(excess, low, critical)
        last = section_force(model, way.row, flow, level)
        force = last.whole
        found.append(float(level[0]))
    return found


# --- pressure flow ----------------------------------------------------------------------------


def _pressure_demand(model: Model, bridge: Bridge, flow: Array, level: Array) -> Opened:
    """Orifice: inlet submerged (equation 5-14), or both ends (5-15).

    Q = Cd A √2g (E3 - bed - Z/2)^½, Z from the mean bed to the low chord and the head from the
    mean bed to the energy line; Q = C A √(2g (E3 - z2)) where the water below covers the low
    chord.
    """
    area, twice_g = min(bridge.up_area, bridge.down_area), 2 * model.gravity
    full = np.flatnonzero(level >= bridge.down_chord)
    inlet = Opened.by("pressure_inlet", bridge.up_bed + _head_of_inlet(bridge, flow, twice_g))
    head = (flow / (bridge.orifice * area)) ** 2 / twice_g
    return inlet.but(full, Opened.by("pressure_full", (level + head)[full]))


def _head_of_inlet(bridge: Bridge, flow: Array, twice_g: float) -> Array:
    """Energy line Y above the mean bed where the inlet is submerged [m].

    Y/Z - ½ = (Q/A)² / (2g Z Cd²). Without a given coefficient it is the table's for Y/Z: Newton's
    method from the place between the table's own loads.
    """
    height = bridge.up_chord - bridge.up_bed
    load = (flow / bridge.up_area) ** 2 / (twice_g * height)
    if math.isfinite(bridge.sluice):
        return np.asarray((load / bridge.sluice**2 + 0.5) * height)
    places, coefficients = (np.array(v) for v in SLUICE)
    slopes = np.concatenate([[0.0], np.diff(coefficients) / np.diff(places), [0.0]])
    ratio = np.interp(load, (places - 0.5) * coefficients**2, places)
    for _ in range(6):
        c, slope = np.interp(ratio, places, coefficients), slopes[np.searchsorted(places, ratio)]
        off = (ratio - 0.5) * c**2 - load
        ratio = ratio - off / (c**2 + 2 * (ratio - 0.5) * c * slope)
    return np.asarray(ratio * height)
