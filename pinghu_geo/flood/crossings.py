"""What does a structure demand of the water above it? Openings, road, weir and gates in one; numpy.

A crossing stands between two neighbouring sections. Its parts share the discharge so that all have
one energy line upstream; from that comes the level of the section above it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.bridges import (
    Bridge,
    Opened,
    Site,
    bridge_energy,
    bridge_release,
    bridge_run,
    level_of,
)
from pinghu_geo.flood.conduits import root
from pinghu_geo.flood.culverts import Group, barrel_head
from pinghu_geo.flood.gates import Crest, Gates, crest_flow, gates_flow
from pinghu_geo.flood.sections import ENDLESS_M
from pinghu_geo.flood.steady import BALANCED, CRITICAL, Model, supercritical_step

__all__ = ["Crossing", "Passed"]

# an opening of less counts as none [m²]
SLIT_M2 = 1e-3
# a structure that asks for more is none that water passes, whose numbers would overflow [m]
NO_WATER_M = 1e6


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
    # of several openings: the rows of the sections above and below as far as each one's water goes
    regions: tuple[tuple[int, int] | None, ...] = ()
    idle_below: float = -math.inf  # the water below covers an idle area of its section above it

    @property
    def shut(self) -> bool:
        """Whether what stands in its openings leaves none of them."""
        return bool(self.openings) and not any(_is_open(one) for one in self.openings)

    def passed(
        self, model: Model, row_up: int, row_down: int, flow: float, level: float, profile: str
    ) -> Passed:
        """How the discharge of a profile passes, with the water below at a level.

        Beside openings no water passes: the idle areas of the section above stay idle, even
        covered, until those below are covered too, or water runs over the road.
        """
        twin = model.twin(row_up)
        if twin is not None and level < self.idle_below:
            found = self._passed(model, twin, row_down, flow, level, profile)
            if not found.over > 0:
                return found._replace(held=True)
        return self._passed(model, row_up, row_down, flow, level, profile)

    def run_through(
        self, model: Model, row_up: int, row_down: int, flow: float, level: float
    ) -> tuple[float, str] | None:
        """Level below that supercritical water comes to, and how; None where it can't run through.

        Only a bridge of one opening lets it.
        """
        if len(self.openings) != 1 or not isinstance(self.openings[0], Bridge) or self.shut:
            return None
        bridge = self.openings[0]
        rows, flows = np.array([row_up]), np.array([flow])
        above = model.state(rows, flows, np.array([level]))
        if float(above.energy[0]) < min(bridge.clear):  # it touches no water: nothing is there
            plain = _model_without_structure(model, row_up)
            made, how = supercritical_step(plain, rows, flows, above, np.array([row_down]))
            return (float(made[0]), "energy") if how[0] == BALANCED else None
        return bridge_run(model, bridge, flow, row_up, row_down, level)

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
        return bridge_release(model, self.openings[0], flow, row_down, low=low)

    def _passed(
        self, model: Model, row_up: int, row_down: int, flow: float, level: float, profile: str
    ) -> Passed:
        gates = self.gates_of.get(profile, self.gates)
        rows, flows = np.array([row_down]), np.array([flow])
        below = model.state(rows, flows, np.array([level]))
        site = Site(row_up, row_down, flow, below)
        if gates is not None:
            energy, control, over = self._weir_gate_energy(model, gates, site)
            shares: tuple[float, ...] = (flow - over,) if gates.gates else ()
            found = Opened(energy, control, "")
        elif plain := _level_of_no_contact(model, self.openings, site):
            return Passed(*plain, "energy", "A", 0.0, (flow,), 0, False)
        else:
            found, over, shares = self._openings_and_road(model, site, level)
        found = found._replace(energy=min(found.energy, level + NO_WATER_M))
        top, calm = level_of(model, row_up, flow, found.energy)
        energy = found.energy if calm else float(
            model.state(np.array([row_up]), flows, np.array([top])).energy[0]
        )  # fmt: skip
        how = 0 if calm else CRITICAL
        return Passed(top, energy, found.control, found.flow_class, over, shares, how, False)

    # --- weirs and gates

    def _weir_gate_energy(self, model: Model, made: Gates, site: Site) -> tuple[float, str, float]:
        """Energy line above a weir with gates; at least what the plain river would have.

        They drown by the energy line below: the manual speaks of the water's surface, HEC-RAS's
        own gates stand by the energy line (0.02 instead of 0.18 ft at its example 12).
        """
        flow, plain = site.total, _energy_without_structure(model, site)
        if made.crest is None and not made.gates:  # a crest below the bed
            return plain, "energy", 0.0
        tail = float(site.below.energy[0])
        sills = [g.sill for g in made.gates if g.number and g.opening > 0]
        sills += [made.crest.low] if made.crest is not None else []
        low = max(min(sills, default=tail), tail)

        def excess(energy: float) -> float:
            return sum(gates_flow(made, energy, tail, model.gravity)) - flow

        energy = root(excess, low, _upper_bracket(excess, low))
        if plain > energy:
            return plain, "energy", 0.0
        over, under = gates_flow(made, energy, tail, model.gravity)
        crest = "drop" if self.kind == "drop" else "weir"
        words = [w for w, q in (("gate", under), (crest, over)) if q > 1e-9 * flow]
        return energy, "+".join(words), over

    # --- bridges and culverts

    def _openings_and_road(
        self, model: Model, site: Site, level: float
    ) -> tuple[Opened, float, tuple[float, ...]]:
        """Openings that aren't closed and the road over them; without any a wall."""
        free = [k for k, opening in enumerate(self.openings) if _is_open(opening)]
        shares = np.zeros(len(self.openings))
        if not free:
            energy = level + ENDLESS_M
            if self._over(energy, level) > site.total:
                energy = root(lambda e: self._over(e, level) - site.total, level, energy)
            return Opened(energy, "road", ""), site.total, tuple(shares.tolist())
        rest = replace(
            self,
            openings=tuple(self.openings[k] for k in free),
            regions=tuple(self.regions[k] for k in free) if self.regions and len(free) > 1 else (),
        )
        found, spill, through = rest._through_all(model, site, level)
        shares[free] = through
        return found, spill, tuple(shares.tolist())

    def _over(self, energy: float, level: float) -> float:
        """What runs over the road [m³/s]."""
        return crest_flow(self.road, energy, level) if self.road is not None else 0.0

    def _through_all(
        self, model: Model, site: Site, level: float
    ) -> tuple[Opened, float, tuple[float, ...]]:
        """Openings and the road over them."""
        flow, line = site.total, float(site.below.energy[0])

        def over(energy: float) -> float:
            return self._over(energy, level)

        def one(k: int, q: float) -> Opened:
            part = self.regions[k] if self.regions else None
            if part is None:
                return _opening_demand(model, self.openings[k], q, site)
            up, down = part
            # below, too, the energy line is one for all openings, and each has its own level
            own = np.array([level_of(model, down, q, line)[0]])
            below = model.state(np.array([down]), np.array([q]), own)
            return _opening_demand(model, self.openings[k], q, Site(up, down, q, below))

        if len(self.openings) == 1:
            whole = one(0, flow)
            if over(whole.energy) <= 0:
                return whole, 0.0, (flow,)
            if self._is_drowned(whole, level):
                return self._drowned_demand(model, site), 0.0, (flow,)
            q = root(lambda q: q + over(one(0, q).energy) - flow, 1e-4 * flow, flow, within=1e-11)
            part = one(0, q)
            energy = part.energy
            if q <= 1.1e-4 * flow:  # hardly anything fits through: the road carries it
                energy = root(
                    lambda e: over(e) + q - flow,
                    level,
                    _upper_bracket(lambda e: over(e) + q - flow, level),
                )
            if self._is_drowned(Opened(energy, "", ""), level):
                return self._drowned_demand(model, site), 0.0, (flow,)
            return Opened(energy, f"{part.control}+road", part.flow_class), flow - q, (q,)
        energy, shares = self._shared_energy(one, over, flow, line)
        parts = [one(k, q) for k, q in enumerate(shares) if q > 1e-9 * flow]
        spill = over(energy)
        words = list(dict.fromkeys(p.control for p in parts)) + (["road"] if spill > 0 else [])
        kinds = "".join(sorted({p.flow_class for p in parts}))
        return Opened(energy, "+".join(words), kinds[-1:]), spill, tuple(shares)

    def _shared_energy(
        self,
        one: Callable[[int, float], Opened],
        over: Callable[[float], float],
        flow: float,
        low: float,
    ) -> tuple[float, list[float]]:
        """Energy line at which openings and road pass the whole discharge."""
        least = 1e-5 * flow

        def share(k: int, energy: float) -> float:
            if one(k, least).energy >= energy:
                return 0.0
            if one(k, flow).energy <= energy:
                return flow
            return root(lambda q: one(k, q).energy - energy, least, flow, within=1e-10)

        def excess(energy: float) -> float:
            return sum(share(k, energy) for k in range(len(self.openings))) + over(energy) - flow

        high = min(one(k, flow).energy for k in range(len(self.openings)))
        energy = root(excess, low, high, within=1e-10)
        return energy, [share(k, energy) for k in range(len(self.openings))]

    def _is_drowned(self, found: Opened, level: float) -> bool:
        """Whether the road's submergence is above the limit."""
        if self.road is None or not all(isinstance(o, Bridge) for o in self.openings):
            return False
        head, tail = found.energy - self.road.low, level - self.road.low
        return head > 0 and tail / head > self.drowned

    def _drowned_demand(self, model: Model, site: Site) -> Opened:
        """Drowned: bridges by the energy method over deck and all, others by a plain step."""
        bridges = [o for o in self.openings if isinstance(o, Bridge)]
        if len(bridges) == 1 and len(self.openings) == 1:
            plain = bridges[0]._replace(methods=("energy",), pressure=False)
            return bridge_energy(model, plain, site.total, site)
        return Opened(_energy_without_structure(model, site), "energy", "")


def _is_open(opening: Bridge | Group) -> bool:
    """Whether an opening isn't closed by what stands in it."""
    return isinstance(opening, Group) or min(opening.up_area, opening.down_area) >= SLIT_M2


def _upper_bracket(f: Callable[[float], float], low: float) -> float:
    """Place above ``low`` at which f is positive."""
    step = 0.25
    for _ in range(60):
        if f(low + step) > 0:
            return low + step
        step *= 1.6
    return low + step


def _energy_without_structure(model: Model, site: Site) -> float:
    """Energy line above as if nothing stood there but the ground."""
    return _level_without_structure(model, site)[1]


def _level_without_structure(model: Model, site: Site) -> tuple[float, float]:
    """Level and energy line above as if nothing stood there but the ground."""
    rows, flows = np.array([site.row_up]), np.array([site.total])
    found, _ = _model_without_structure(model, site.row_up).step(rows, flows, site.below)
    return float(found.level[0]), float(found.energy[0])


def _model_without_structure(model: Model, row_up: int) -> Model:
    """The model with the whole way below a section, of which a bridge leaves the part above it."""
    gaps = model.gaps.get(row_up % model.size)
    if gaps is None:
        return model
    ways = model.lengths.copy()
    ways[row_up] = gaps
    return model.with_lengths(ways)


def _level_of_no_contact(
    model: Model, openings: tuple[Bridge | Group, ...], site: Site
) -> tuple[float, float] | None:
    """Level and energy line above where decks, piers and embankments all keep clear of the water.

    Then nothing is there; None where they don't.

    HEC-RAS computes its four sections even so, which moves the bed's fall between two sections into
    the bridge: some millimetres of its own.
    """
    bridges = [one for one in openings if isinstance(one, Bridge)]
    if not bridges or len(bridges) < len(openings):
        return None
    up, down = (min(one.clear[k] for one in bridges) for k in (0, 1))
    if not (float(site.below.energy[0]) < down and math.isfinite(up)):
        return None
    plain = _level_without_structure(model, site)
    return plain if plain[1] < up else None


def _opening_demand(model: Model, opening: Bridge | Group, flow: float, site: Site) -> Opened:
    """Energy line that an opening demands to pass a discharge."""
    if isinstance(opening, Bridge):
        return bridge_energy(model, opening, flow, site)
    head = barrel_head(
        opening.barrel,
        flow / opening.number,
        float(site.below.level[0]),
        float(site.below.velocity_head[0]),
        model.gravity,
    )
    return Opened(head.energy, head.control, "")
