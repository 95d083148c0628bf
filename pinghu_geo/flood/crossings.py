"""What does a structure demand of the water above it? Openings, road, weir and gates in one; numpy.

A crossing stands between two neighbouring sections. Its parts share the discharge so that all have
one energy line upstream; from that comes the level of the section above it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeGuard

import numpy as np

from pinghu_geo.flood.bridges import (
    Bridge,
    Opened,
    Site,
    bridge_energy,
    bridge_release,
    bridge_run,
    energy_at,
    has_other_levels,
    level_of,
    taking_over,
)
from pinghu_geo.flood.conduits import root
from pinghu_geo.flood.culverts import Group, barrel_head
from pinghu_geo.flood.gates import Crest, Gates, crest_beside, crest_flow, gates_flow
from pinghu_geo.flood.sections import ENDLESS_M, Array
from pinghu_geo.flood.steady import (
    BALANCED,
    CRITICAL,
    Model,
    bracketed,
    climb_to_positive,
    supercritical_step,
)

__all__ = ["Crossing", "Passed", "Region"]

# an opening of less counts as none [m²]
SLIT_M2 = 1e-3
# a structure that asks for more is none that water passes, whose numbers would overflow [m]
NO_WATER_M = 1e6
# share of the discharge that an opening below a road is left at least
LEAST_SHARE = 1e-4
# what WSPRO's coefficient of discharge may be where none is given, and what it has to move [m]
WSPRO_RANGE, LEAST_MOVED_M = (0.7, 0.95), 0.0005
# a step that is told [m], and how near to the limit a road's submergence may be; both ours
STEP_M, NEAR_DROWNED = 0.02, 0.05


class Passed(NamedTuple):
    """How a discharge passes a crossing."""

    level: float  # of the section above [m]
    energy: float
    control: str  # what governs, joined by +
    flow_class: str  # A, B, C of bridges
    over: float  # over road or crest [m³/s]
    shares: tuple[float, ...]  # through each opening [m³/s]
    found: int  # CRITICAL where the energy stands below the section's least
    held: bool  # the idle areas of the section above


class Region(NamedTuple):
    """What belongs to one of several openings, between its stagnation points."""

    row_up: int  # the section above as far as its water goes
    row_down: int
    start: float  # offsets; infinite: to the section's end
    stop: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """All that stands between two neighbouring sections."""

    name: str
    kind: str
    openings: tuple[Bridge | Group, ...] = ()
    road: Crest | None = None
    gates: Gates | None = None
    gates_of: Mapping[str, Gates] = field(default_factory=dict)  # profiles with their own openings
    drowned: float = 0.95  # above this ratio a road or a crest is no weir: energy
    regions: tuple[Region | None, ...] = ()  # of several openings
    idle_below: float = -math.inf  # the water below covers an idle area of its section above it

    @property
    def shut(self) -> bool:
        """Whether what stands in its openings leaves none of them."""
        return bool(self.openings) and not any(_is_open(one) for one in self.openings)

    def passed(
        self, model: Model, rows: tuple[Array, Array], flow: Array, level: Array,
        profiles: Sequence[str],
    ) -> list[Passed]:  # fmt: skip
        """How discharges of profiles pass between two sections, the water below at levels (n,).

        Beside openings no water passes: the idle areas of the section above stay idle, even
        covered, until those below are covered too, or water runs over the road.
        """
        site = Site(*rows, flow, model.state(rows[1], flow, level))
        twins = [model.twin(row) if below < self.idle_below else None
                 for row, below in zip(rows[0].tolist(), level.tolist(), strict=True)]  # fmt: skip
        up = [row if twin is None else twin for row, twin in zip(rows[0], twins, strict=True)]
        found = self._passed(model, site._replace(row_up=np.array(up)), profiles)
        for k, twin in enumerate(twins):
            if twin is not None and (found[k].over > 0 or self._is_overrun(found[k])):
                [found[k]] = self._passed(model, site.take(np.array([k])), [profiles[k]])
            elif twin is not None:
                found[k] = found[k]._replace(held=True)
        return found

    def _is_overrun(self, passed: Passed) -> bool:
        """Whether water stands above the road, be it weir flow or not."""
        return self.road is not None and passed.energy > self.road.low

    def run_through(
        self, model: Model, row_up: int, row_down: int, flow: float, level: float
    ) -> tuple[float, str] | None:
        """Level below that supercritical water comes to, and how; None where it can't run through.

        Only a bridge of one opening lets it.
        """
        if len(self.openings) != 1 or not isinstance(self.openings[0], Bridge) or self.shut:
            return None
        bridge = self.openings[0]
        up, down, flows, levels = (np.array([v]) for v in (row_up, row_down, flow, level))
        above = model.state(up, flows, levels)
        if float(above.energy[0]) < min(bridge.clear):  # it touches no water: nothing is there
            made, how = supercritical_step(model.without_structures, up, flows, above, down)
            return (float(made[0]), "energy") if how[0] == BALANCED else None
        return bridge_run(model, bridge, (up, down), flows, levels)

    def released(
        self, model: Model, row_down: int, flow: float, passed: Passed, *, fell_back: bool
    ) -> float | None:
        """Supercritical level that a bridge lets out below, where its water passes critical depth.

        At class B, and under pressure by the inlet where the section below ``fell_back`` on its
        critical level; with water on the road too, or several openings, none is known.
        """
        low = passed.flow_class == "B"
        if passed.over > 0 or not (low or (fell_back and passed.control == "pressure_inlet")):
            return None
        if len(self.openings) != 1 or not isinstance(self.openings[0], Bridge):
            return None
        rows, flows = np.array([row_down]), np.array([flow])
        return bridge_release(model, self.openings[0], flows, rows, low=low)

    def doubted(
        self, model: Model, rows: tuple[int, int], level: float, passed: Passed, flow: float
    ) -> dict[str, float]:
        """Codes of what is doubtful of how a discharge passed, the water below at a level.

        Each with how far the level above may be off by it [m]; NaN where that isn't known.
        """
        up, down, flows = np.array([rows[0]]), np.array([rows[1]]), np.array([flow])
        site = Site(up, down, flows, model.state(down, flows, np.array([level])))
        found = {
            "wspro_assumed": self._moved_by_c(model, site, passed.level),
            "formula_step": self._step_nearby(model, site, passed),
        }
        found = {code: off for code, off in found.items() if off > 0}
        return found | ({"several_levels": math.nan} if self._several(model, site, passed) else {})

    def level_above(self, model: Model, site: Site) -> float:
        """Level above; one case, of gates as the row sets them."""
        rows = site.row_up, site.row_down
        return self.passed(model, rows, site.total, site.below.level, [""])[0].level

    def _moved_by_c(self, model: Model, site: Site, level: float) -> float:
        """How far other coefficients of WSPRO would move the level where none is given; else 0."""
        if not any(map(_lacks_c, self.openings)):
            return 0.0
        off = 0.0
        for c in WSPRO_RANGE:
            changed = (one._replace(wspro=c) if _lacks_c(one) else one for one in self.openings)
            twin = replace(self, openings=tuple(changed))
            off = max(off, abs(twin.level_above(model, site) - level))
        return off if off >= LEAST_MOVED_M else 0.0

    def _step_nearby(self, model: Model, site: Site, passed: Passed) -> float:
        """Step of the level where another formula takes over, if that is near; else 0."""
        off = 0.0
        free, rest = self._as_open()
        for k, place in enumerate(free):
            bridge = rest.openings[k]
            flow, at = np.array([passed.shares[place]]), site
            if not isinstance(bridge, Bridge) or not flow or passed.energy < min(bridge.clear):
                continue
            if len(free) > 1:
                road, line = rest._road_of_part(k), np.array([passed.energy])
                over = 0 * line if road is None else crest_flow(road, line, site.below.level)
                at = rest._site_of_part(model, k, flow + over, site)
            for one in taking_over(model, bridge, flow, at, passed.energy):
                openings = *self.openings[:place], one, *self.openings[place + 1 :]
                level = replace(self, openings=openings).level_above(model, site)
                off = max(off, abs(level - passed.level))
        if rest.road is not None and passed.energy > rest.road.low and len(free) == 1:
            tail = float(site.below.level[0]) - rest.road.low
            if abs(tail / (passed.energy - rest.road.low) - self.drowned) < NEAR_DROWNED:
                # a weir, or energy over deck and all
                other_end = -math.inf if passed.over > 0 else math.inf
                level = replace(self, drowned=other_end).level_above(model, site)
                off = max(off, abs(level - passed.level))
        return off if off >= STEP_M else 0.0

    def _several(self, model: Model, site: Site, passed: Passed) -> bool:
        """Whether other levels balance the energy in a bridge of one opening, too."""
        bridge = self.openings[0] if len(self.openings) == 1 else None
        if not isinstance(bridge, Bridge) or passed.control not in ("energy", "energy+road"):
            return False
        if passed.energy <= bridge.lid:
            return False
        return has_other_levels(model, bridge, np.array([passed.shares[0]]), site)

    def _passed(self, model: Model, site: Site, profiles: Sequence[str]) -> list[Passed]:
        """How all cases pass, with the section above as it is given."""
        if self.gates is not None:
            return _as_passed(model, site, *self._through_gates(model, self.gates, site, profiles))
        clear, level, energy = _clear_of_water(model, self.openings, site)
        plain = zip(level.tolist(), energy.tolist(), site.total.tolist(), strict=True)
        found = [Passed(z, e, "energy", "A", 0.0, (q,), BALANCED, False) for z, e, q in plain]
        if len(touched := np.flatnonzero(~clear)):
            some = site.take(touched)
            passed = _as_passed(model, some, *self._through_openings(model, some))
            for k, one in zip(touched, passed, strict=True):
                found[k] = one
        return found

    # --- weirs and gates

    def _through_gates(
        self, model: Model, base: Gates, site: Site, profiles: Sequence[str]
    ) -> tuple[Opened, Array, list[tuple[float, ...]]]:
        """What a weir with gates demands, what runs over its crest, and under its gates if any."""
        _, plain = _without_structure(model, site)
        made = [self.gates_of.get(profile, base) for profile in profiles]
        cases = zip(
            made, site.total.tolist(), site.below.energy.tolist(), plain.tolist(), strict=True
        )
        found = [self._weir_gate_energy(*one, model.gravity) for one in cases]
        energy, control, over = (np.array(v) for v in zip(*found, strict=True))
        through = zip(made, (site.total - over).tolist(), strict=True)
        shares: list[tuple[float, ...]] = [(q,) if one.gates else () for one, q in through]
        return Opened.by(control.astype(object), energy), over, shares

    def _weir_gate_energy(
        self, made: Gates, flow: float, tail: float, plain: float, gravity: float
    ) -> tuple[float, str, float]:
        """Energy line above a weir with gates; at least what the plain river would have.

        They drown by the energy line below: the manual speaks of the water's surface, HEC-RAS's
        own gates stand by the energy line (0.02 instead of 0.18 ft at its example 12).
        """
        tried: dict[float, tuple[float, float]] = {}  # over the crest and under gates

        def excess(energy: float) -> float:
            if energy not in tried:
                tried[energy] = gates_flow(made, energy, tail, gravity)
            return sum(tried[energy]) - flow

        below_bed = made.crest is None and not made.gates
        if below_bed or excess(plain) > 0:  # it would pass more under the plain river's line
            return plain, "energy", 0.0
        sills = [g.sill for g in made.gates if g.number and g.opening > 0]
        sills += [made.crest.low] if made.crest is not None else []
        low = max(min(sills, default=tail), tail, plain)
        energy = root(excess, low, _upper_bracket(excess, low))
        excess(energy)
        over, under = tried[energy]
        crest = "drop" if self.kind == "drop" else "weir"
        words = [w for w, q in (("gate", under), (crest, over)) if q > 1e-9 * flow]
        return energy, "+".join(words), over

    # --- bridges and culverts

    def _through_openings(
        self, model: Model, site: Site
    ) -> tuple[Opened, Array, list[tuple[float, ...]]]:
        """What openings that aren't closed and the road over them demand; without any a wall.

        And what runs over the road (n,) and through each opening.
        """
        free, rest = self._as_open()
        shares = np.zeros((len(site.total), len(self.openings)))
        if not free:
            level = site.below.level
            energy = self._energy_over_road(site, np.zeros(len(level)))
            return Opened.by("road", energy), site.total, [*map(tuple, shares.tolist())]
        through = rest._through_one if len(free) == 1 else rest._through_several
        found, over, shares[:, free] = through(model, site)
        return found, over, [*map(tuple, shares.tolist())]

    def _as_open(self) -> tuple[list[int], Crossing]:
        """Openings that aren't closed, and what has only these, with the road as a weir."""
        free = [k for k, opening in enumerate(self.openings) if _is_open(opening)]
        rest = self
        if 0 < len(free) < len(self.openings):
            rest = replace(
                self,
                openings=tuple(self.openings[k] for k in free),
                regions=tuple(self.regions[k] for k in free) if self.regions else (),
            )
        return free, replace(rest, road=rest._road_as_weir())

    def _road_as_weir(self) -> Crest | None:
        """The road as far as no opening goes by energy.

        Then that is all of its high flow, what runs over its deck too: a weir would count this
        water twice (Hydraulic Reference Manual, chapter 5, high flow computations). Of several
        openings each is computed by itself (chapter 7, computational procedure), with the road
        between its stagnation points.
        """
        by_energy = [isinstance(one, Bridge) and not one.pressure for one in self.openings]
        if self.road is None or not any(by_energy):
            return self.road
        regions = self.regions or (None,) * len(by_energy)
        own = [part for part, alone in zip(regions, by_energy, strict=True) if alone]
        if all(by_energy) or any(part is None for part in own):
            return None  # an opening without a part has the whole section
        return crest_beside(self.road, [(one.start, one.stop) for one in own if one is not None])

    def _over(self, energy: Array, level: Array) -> Array:
        """What runs over the road [m³/s]."""
        return crest_flow(self.road, energy, level) if self.road else np.zeros(len(energy))

    def _energy_over_road(self, site: Site, under: Array) -> Array:
        """Energy line at which the road carries what doesn't pass under it; most of a wall's.

        Never below the energy line of the water below: it gains nothing on its way.
        """
        level = site.below.level

        def excess(energy: Array, mask: Array) -> Array:
            return self._over(energy, level[mask]) + under[mask] - site.total[mask]

        wall = level + ENDLESS_M
        runs = excess(wall, np.ones(len(wall), bool)) > 0
        high = climb_to_positive(excess, level + 1.0, runs)
        found = np.where(runs, bracketed(excess, level, high), wall)
        return np.maximum(found, site.below.energy)

    def _through_one(self, model: Model, site: Site) -> tuple[Opened, Array, Array]:
        """One opening and the road over it, which share the discharge."""
        flow, level, opening = site.total, site.below.level, self.openings[0]
        found, through = _opening_demand(model, opening, flow, site), flow.copy()
        runs = self._over(found.energy, level) > 0
        drowned = runs & self._is_drowned(found.energy, level)
        if len(k := np.flatnonzero(runs & ~drowned)):
            part, through[k] = self._shared_with_road(model, site.take(k))
            found = found.but(k, part)
            drowned[k] = self._is_drowned(part.energy, level[k])
        if isinstance(opening, Bridge) and len(k := np.flatnonzero(drowned)):
            found = found.but(k, _drowned_demand(model, opening, site.take(k)))
            through[k] = flow[k]
        return found, flow - through, through[:, None]

    def _shared_with_road(self, model: Model, site: Site) -> tuple[Opened, Array]:
        """What one opening and the road demand, and the discharge that is left to the opening."""
        flow, level = site.total, site.below.level

        def excess(share: Array, mask: Array) -> Array:
            q = share * flow[mask]
            part = _opening_demand(model, self.openings[0], q, site.take(mask))
            return q + self._over(part.energy, level[mask]) - flow[mask]

        n = len(flow)
        share = bracketed(excess, np.full(n, LEAST_SHARE), np.ones(n), within=1e-11)
        through = share * flow
        found = _opening_demand(model, self.openings[0], through, site)
        found = found._replace(control=found.control + "+road")
        # hardly anything fits through: the road carries it
        if len(k := np.flatnonzero(share <= 1.1 * LEAST_SHARE)):
            energy = self._energy_over_road(site.take(k), through[k])
            found.energy[k] = found.near[k] = energy
        return found, through

    def _through_several(self, model: Model, site: Site) -> tuple[Opened, Array, Array]:
        """Several openings and the road over them, at the energy line that all have in common."""
        flow, level, everything = site.total, site.below.level, np.ones(len(site.total), bool)
        count = range(len(self.openings))

        roads = [self._road_of_part(k) for k in count]
        none = np.zeros(len(flow))

        def one(k: int, q: Array, over: Array, mask: Array) -> Opened:
            return self._part_demand(model, k, q, over, site.take(mask))

        def over_part(k: int, energy: Array, at: Array) -> Array:
            road = roads[k]
            return none[at] if road is None else crest_flow(road, energy, level[at])

        least = [one(k, 1e-5 * flow, none, everything).energy for k in count]
        most = [one(k, flow, none, everything).energy for k in count]

        def through(k: int, energy: Array, mask: Array) -> Array:
            """Share of the discharge that an opening passes under an energy line."""
            place = np.flatnonzero(mask)
            over = over_part(k, energy, place)

            def excess(share: Array, some: Array) -> Array:
                at = place[some]
                return one(k, share * flow[at], over[some], at).energy - energy[some]

            low = np.where(most[k][place] <= energy, 1.0, 1e-5)
            found = bracketed(excess, low, np.ones(len(low)), within=1e-10)
            return np.where(least[k][place] >= energy, 0.0, found)

        def excess(energy: Array, mask: Array) -> Array:
            shares = sum(through(k, energy, mask) for k in count)
            return (shares - 1) * flow[mask] + self._over(energy, level[mask])

        energy = bracketed(excess, site.below.energy, np.min(most, axis=0), within=1e-10)
        shares = np.stack([through(k, energy, everything) for k in count], axis=1)
        over = self._over(energy, level)
        some = [np.flatnonzero(shares[:, k] > 1e-9) for k in count]
        parts = [
            one(k, (shares[:, k] * flow)[at], over_part(k, energy[at], at), at)
            for k, at in enumerate(some)
        ]
        return _named_by_parts(energy, some, parts, over > 0), over, shares * flow[:, None]

    def _road_of_part(self, k: int) -> Crest | None:
        """What of the road is a weir beside one of several openings; None: that isn't known."""
        part = self.regions[k] if self.regions else None
        if part is None or self.road is None:
            return None
        return crest_beside(self.road, [(-math.inf, part.start), (part.stop, math.inf)])

    def _part_demand(self, model: Model, k: int, flow: Array, over: Array, site: Site) -> Opened:
        """Energy line that one of several openings demands, with its part of the sections.

        Past them goes what runs over its road, too.
        """
        return _opening_demand(
            model, self.openings[k], flow, self._site_of_part(model, k, flow + over, site)
        )

    def _site_of_part(self, model: Model, k: int, total: Array, site: Site) -> Site:
        """The part of the sections that one of several openings has, with what goes past it."""
        part = self.regions[k] if self.regions else None
        if part is None:
            return site
        up, down = (np.full(len(total), row) for row in part[:2])
        # below, too, the energy line is one for all openings, and each has its own level
        line = site.below.energy
        level, _ = level_of(model, down, total, line, line)
        return Site(up, down, total, model.state(down, total, level))

    def _is_drowned(self, energy: Array, level: Array) -> Array:
        """Whether the road's submergence is above the limit."""
        if self.road is None or not all(isinstance(o, Bridge) for o in self.openings):
            return np.zeros(len(energy), bool)
        head, tail = energy - self.road.low, level - self.road.low
        return (head > 0) & (tail > self.drowned * head)


def _lacks_c(opening: Bridge | Group) -> TypeGuard[Bridge]:
    """Whether an opening is passed by WSPRO without its coefficient of discharge."""
    if not isinstance(opening, Bridge):
        return False
    return "wspro" in opening.methods and not math.isfinite(opening.wspro)


def _is_open(opening: Bridge | Group) -> bool:
    """Whether an opening isn't closed by what stands in it."""
    return isinstance(opening, Group) or min(opening.up_area, opening.down_area) >= SLIT_M2


def _upper_bracket(f: Callable[[float], float], low: float) -> float:
    """Place above ``low`` at which f is positive."""
    step = 0.25
    for _ in range(60):
        if f(low + step) > 0:
            break
        step *= 1.6
    return low + step


def _named_by_parts(energy: Array, some: list[Array], parts: list[Opened], road: Array) -> Opened:
    """What openings demand together, named by what each says of some of the cases, and the road."""
    words: list[list[str]] = [[] for _ in energy]
    kinds: list[list[str]] = [[""] for _ in energy]
    for at, part in zip(some, parts, strict=True):
        for k, word, kind in zip(at, part.control, part.flow_class, strict=True):
            words[k].append(word)
            kinds[k].append(kind)
    for k in np.flatnonzero(road):
        words[k].append("road")
    control = np.array(["+".join(dict.fromkeys(said)) for said in words], object)
    kind_of_all = np.array([max(said) for said in kinds], object)
    return Opened.by(control, energy)._replace(flow_class=kind_of_all)


def _drowned_demand(model: Model, bridge: Bridge, site: Site) -> Opened:
    """Drowned: a bridge by the energy method over deck and all."""
    plain = bridge._replace(methods=("energy",), pressure=False)
    return bridge_energy(model, plain, site.total, site)


def _without_structure(model: Model, site: Site) -> tuple[Array, Array]:
    """Levels and energy lines above as if nothing stood there but the ground."""
    found, _ = model.without_structures.step(site.row_up, site.total, site.below)
    return found.level, found.energy


def _clear_of_water(
    model: Model, openings: tuple[Bridge | Group, ...], site: Site
) -> tuple[Array, Array, Array]:
    """Where decks, piers and embankments all keep clear of the water: then nothing is there.

    And the levels and energy lines above, NaN elsewhere. HEC-RAS computes its four sections even
    so, which moves the bed's fall between two sections into the bridge: some millimetres of its
    own.
    """
    clear = np.zeros(len(site.total), bool)
    level, energy = np.full((2, len(clear)), np.nan)
    bridges = [one for one in openings if isinstance(one, Bridge)]
    if not bridges or len(bridges) < len(openings):
        return clear, level, energy
    up, down = (min(one.clear[k] for one in bridges) for k in (0, 1))
    if math.isfinite(up) and len(k := np.flatnonzero(site.below.energy < down)):
        level[k], energy[k] = _without_structure(model, site.take(k))
        clear[k] = energy[k] < up
    return clear, level, energy


def _opening_demand(model: Model, opening: Bridge | Group, flow: Array, site: Site) -> Opened:
    """Energy line that an opening demands to pass a discharge."""
    if isinstance(opening, Bridge):
        return bridge_energy(model, opening, flow, site)
    below, barrel, g = site.below, opening.barrel, model.gravity
    cases = zip(flow.tolist(), below.level.tolist(), below.velocity_head.tolist(), strict=True)
    heads = [barrel_head(barrel, q / opening.number, z, fast, g) for q, z, fast in cases]
    control = np.array([head.control for head in heads], object)
    return Opened.by(control, np.array([head.energy for head in heads]))


def _as_passed(
    model: Model, site: Site, found: Opened, over: Array, shares: list[tuple[float, ...]]
) -> list[Passed]:
    """How each case passes, from what is demanded of the water above it."""
    energy = np.minimum(found.energy, site.below.level + NO_WATER_M)
    near = np.minimum(found.near, energy)
    top, calm = level_of(model, site.row_up, site.total, energy, near)
    if not calm.all():
        energy = np.where(calm, energy, energy_at(model, site.row_up, site.total, top))
    columns = (v.tolist() for v in (top, energy, found.control, found.flow_class, over))
    how = np.where(calm, BALANCED, CRITICAL).tolist()
    cases = zip(*columns, shares, how, [False] * len(how), strict=True)
    return [Passed._make(one) for one in cases]
