"""What runs over a weir and under a gate? Discharge from the energy line upstream; numpy, SI.

All formulas are those of the HEC-RAS Hydraulic Reference Manual, chapters 5 (road as a weir) and 8
(inline structures). Coefficients have their SI value, √m/s: 1.7 broad crest, 2.2 ogee, 1.44 a road.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.outlines import upper_line
from pinghu_geo.flood.sections import ENDLESS_M, Array

__all__ = [
    "FOOT_SQRT", "Crest", "Gate", "Gates", "crest_beside", "crest_flow", "gates_flow",
    "ogee_factor",
]  # fmt: skip

# a coefficient in √ft/s is this many √m/s
FOOT_SQRT = math.sqrt(0.3048)

# reduction of the flow over a road or a broad crest by the water below it, against the ratio of
# both heads above the crest: FHWA/RD-86/108 (1986), figure 10, paved road
BROAD = (
    (0.80, 0.85, 0.90, 0.93, 0.95, 0.97, 0.98, 0.99, 1.00),
    (1.00, 0.98, 0.92, 0.85, 0.80, 0.70, 0.60, 0.50, 0.0),
)
# ... over an ogee, against the share of the head that is left: (He - tail) / He; read from the
# figure on tailwater in USBR Design of Small Dams, 3rd ed., chapter 9, to about 0.02
OGEE = (
    (0.0, 0.05, 0.10, 0.15, 0.20, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80),
    (0.0, 0.52, 0.70, 0.79, 0.84, 0.905, 0.945, 0.97, 0.985, 0.995, 1.0),
)
# coefficient of an ogee under a head other than its design head, against their ratio: USBR Design
# of Small Dams, 3rd ed., chapter 9, to about 0.01
HEAD = (
    (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6),
    (0.78, 0.82, 0.85, 0.878, 0.9, 0.92, 0.94, 0.97, 1.0, 1.025, 1.05, 1.07),
)
# gates: submerged above this ratio of the heads, an orifice above the other
FREE, DROWNED = 0.67, 0.80
# a piece of a crest whose heads differ by less than this share is level
LEVEL = 1e-5
# places of a rule of Gauss and Legendre
NODES = 40
# the gate leaves the water where the head is this many times its opening
OUT, IN = 1.0, 1.25


class Crest(NamedTuple):
    """A crest as a line from left to right, and its coefficient [√m/s]."""

    x: Array
    z: Array
    coefficient: float
    ogee: bool = False
    design_head: float = math.nan
    sharp: bool = False

    @property
    def low(self) -> float:
        """Lowest point."""
        return float(self.z.min())


class Gate(NamedTuple):
    """Gates that are alike, some of them open."""

    number: float
    width: float
    height: float
    sill: float
    opening: float
    kind: str  # radial, vertical (sluice), overflow (open top)
    coefficient: float  # free flow under the gate, dimensionless
    orifice: float  # drowned, dimensionless
    trunnion: float  # height of the trunnion above the sill; radial gates
    exponents: tuple[float, float, float]  # of trunnion height, opening, head
    weir: Crest  # of the sill, where the gate is out of the water (x: one opening)


class Gates(NamedTuple):
    """A weir with gates."""

    crest: Crest | None
    gates: tuple[Gate, ...]


def ogee_factor(head: Array, design_head: float) -> Array:
    """Coefficient of an ogee under heads, per that under its design head."""
    if not design_head > 0:
        return np.ones_like(head)
    return np.asarray(np.interp(head / design_head, *HEAD))


def submerged_factor(head: Array, tail: Array, *, ogee: bool = False, sharp: bool = False) -> Array:
    """What the water below leaves of the flow over pieces of a crest; heads above their crest.

    Broad crests and roads by FHWA's curve, ogees by the Bureau's, sharp crests by Villemonte's
    (1 - (tail/head)^1.5)^0.385 (Engineering News-Record, 1947).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(head > 0, np.clip(tail / head, 0.0, 1.0), 0.0)
    if sharp:
        return np.asarray((1 - ratio**1.5) ** 0.385)
    if ogee:
        return np.asarray(np.interp(1 - ratio, *OGEE))
    return np.asarray(np.interp(ratio, *BROAD))


def crest_flow(crest: Crest, energy: Array | float, tail: Array | float) -> Array:
    """Discharge over a crest: ∫ C H^1.5 dx, less what submergence takes (HEC-RAS 5-17, 8-1).

    For one case or many. H is from the energy line upstream to the crest. Each place drowns by its
    own height (for "each section", chapter 5): the integral over straight pieces is exact, drowned
    or not, and doesn't hang on how a line is divided.
    """
    head = np.asarray(energy)[..., None] - crest.z
    wet = np.maximum(head, 0.0)
    falls, high = crest.z[1:] - crest.z[:-1], np.maximum(wet[..., 1:], wet[..., :-1])
    middle = (wet[..., 1:] + wet[..., :-1]) / 2  # of what is nearly level
    flat = middle**1.5
    tail = np.asarray(tail)[..., None]
    if (tail > crest.low).any():
        left = np.maximum(np.asarray(energy)[..., None] - tail, 0.0)
        kind = {"ogee": crest.ogee, "sharp": crest.sharp}
        grown = _sharp_integral(wet, left) if crest.sharp else _drowned_integral(wet, left, crest)
        flat = flat * submerged_factor(middle, middle - left, **kind)
    else:
        grown = 0.4 * wet**2.5
    with np.errstate(divide="ignore", invalid="ignore"):
        slanting = (grown[..., :-1] - grown[..., 1:]) / falls
    weight = np.where(np.abs(falls) > LEVEL * high, slanting, flat) * (crest.x[1:] - crest.x[:-1])
    flow: Array = crest.coefficient * weight.sum(axis=-1)
    return flow * ogee_factor(head.max(axis=-1), crest.design_head) if crest.ogee else flow


def crest_beside(crest: Crest, stretches: Sequence[tuple[float, float]]) -> Crest | None:
    """A crest without stretches of it; None where nothing is left."""
    x, z = crest.x, crest.z
    wall = float(z.max()) + ENDLESS_M
    for stretch in stretches:
        start, stop = (min(max(end, x[0]), x[-1]) for end in stretch)
        if start < stop:
            line = np.array([-np.inf, -np.inf, wall, wall, -np.inf, -np.inf])
            x, z = upper_line(x, z, np.array([x[0], start, start, stop, stop, x[-1]]), line)
    return crest._replace(x=x, z=z) if z.min() < wall else None


class _Kept(NamedTuple):
    """A curve of submergence: p + q/u between heads u, in shares of energy line less tail."""

    ends: Array  # (k,) of u
    p: Array  # (k + 1,)
    q: Array
    before: Array  # what makes the integral of u^1.5 (p + q/u) one line


def _kept_by(left: Array, kept: Array) -> _Kept:
    """From what is kept, linear between shares of the head that are left: 1/u."""
    slope = np.diff(kept) / np.diff(left)
    q = np.r_[0.0, slope[::-1]]
    p = np.r_[kept[-1], (kept[:-1] - slope * left[:-1])[::-1]]
    ends = 1 / left[:0:-1]
    steps = np.diff(p) * ends**2.5 / 2.5 + np.diff(q) * ends**1.5 / 1.5
    return _Kept(ends, p, q, -np.r_[0.0, np.cumsum(steps)])


KEPT = {True: _kept_by(*np.array(OGEE)),
        False: _kept_by(1 - np.array(BROAD[0])[::-1], np.array(BROAD[1])[::-1])}  # fmt: skip


def _drowned_integral(head: Array, left: Array, crest: Crest) -> Array:
    """∫ h^1.5 φ dh from nothing to heads, where the tail is ``left`` below the energy line."""
    kept = KEPT[crest.ogee]
    with np.errstate(divide="ignore", invalid="ignore"):
        k = np.searchsorted(kept.ends, np.where(head > 0, head / left, 0.0))
    wide = left**2.5 * kept.before[k] + kept.p[k] * head**2.5 / 2.5
    grown: Array = wide + kept.q[k] * left * head**1.5 / 1.5
    return grown


@cache
def _rule() -> tuple[Array, Array]:
    """Places and weights of Gauss and Legendre, found once."""
    at, weight = np.polynomial.legendre.leggauss(NODES)
    return at, weight


def _sharp_integral(head: Array, left: Array) -> Array:
    """The same by Villemonte's curve, with h = ``left`` cosh² y: the tail is tanh² y of the head.

    By Gauss and Legendre: in y the curve is smooth from where it drowns to where nothing flows.
    """
    at, weight = _rule()
    low = np.minimum(head, left)
    with np.errstate(divide="ignore", invalid="ignore"):
        end = np.arccosh(np.sqrt(np.where(left > 0, np.maximum(head / left, 1.0), 1.0)))
    y = 0.5 * end[..., None] * (at + 1)
    kept = (1 - np.tanh(y) ** 3) ** 0.385
    inner = (2 * np.cosh(y) ** 4 * np.sinh(y) * kept * weight).sum(axis=-1) * 0.5 * end
    grown: Array = 0.4 * low**2.5 + left**2.5 * inner
    return grown


def gates_flow(made: Gates, energy: float, tail: float, gravity: float) -> tuple[float, float]:
    """Discharge over the crest and through the gates."""
    over = float(crest_flow(made.crest, energy, tail)) if made.crest is not None else 0.0
    return over, sum(g.number * _gate_discharge(g, energy, tail, gravity) for g in made.gates)


def _gate_discharge(gate: Gate, energy: float, tail: float, gravity: float) -> float:
    """Discharge of one opening.

    Free: C √2g W T^a B^b H^c (radial, HEC-RAS 8-2) or C W B √(2gH) (vertical, 8-4); drowned between
    0.67 and 0.8: with 3(H - tail) for H (8-3, 8-5); above 0.8: an orifice (8-6), approached in a
    straight line over that range; a weir where the head is below the opening, mixed up to 1.25.
    """
    head = energy - gate.sill
    if head <= 0 or gate.opening <= 0 or gate.number <= 0:
        return 0.0
    spill = float(crest_flow(gate.weir, energy, tail))
    ratio = head / gate.opening
    if ratio <= OUT or gate.kind == "overflow":
        return spill
    below = max(tail - gate.sill, 0.0)
    drowned = below / head
    left = max(head - below, 0.0)
    area = gate.width * gate.opening
    orifice = gate.orifice * area * math.sqrt(2 * gravity * left)
    if drowned >= DROWNED:
        under = orifice
    elif drowned > FREE:
        share = (drowned - FREE) / (DROWNED - FREE)
        under = (1 - share) * _free_gate_discharge(gate, 3 * left, gravity) + share * orifice
    else:
        under = _free_gate_discharge(gate, head, gravity)
    if ratio >= IN:
        return under
    share = (ratio - OUT) / (IN - OUT)
    return (1 - share) * spill + share * under


def _free_gate_discharge(gate: Gate, head: float, gravity: float) -> float:
    if gate.kind == "radial":
        a, b, c = gate.exponents
        # the exponents stand for lengths in feet or metres alike: they add up to 1.5
        size = gate.trunnion**a * gate.opening**b * head**c
        return float(gate.coefficient * math.sqrt(2 * gravity) * gate.width * size)
    return float(gate.coefficient * gate.width * gate.opening * math.sqrt(2 * gravity * head))
