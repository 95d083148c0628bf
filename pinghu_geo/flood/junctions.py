"""Where do rivers meet or part? Levels across a junction by energy or momentum; HEC-RAS chapter 4.

A river whose water leaves it at a junction takes its lowest level from the rivers that carry on;
in a network these are solved first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from pinghu_geo.flood.bridges import Force, energy_at, level_of, section_force
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.steady import CRITICAL, Model, bracketed, critical_level
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.schema import nearest, numbers, one_of, require_columns

__all__ = [
    "Branch", "Junction", "energies_asked", "junction_level", "junction_table", "junctions_of",
    "level_with_less", "refuse_circles", "refuse_unknown_rivers",
]  # fmt: skip

# discharges in and out may differ by this share of their sum
BALANCE = 0.005
# no momentum holds the water of a junction so far above its critical levels [m]
MOST_RISE_M = 30.0
# a level so far below the critical one is told where none balances, so that this is doubted [m]
FALLS_M = 1e-6


class Branch(NamedTuple):
    """A river at a junction: the way across it and the angle to the common direction."""

    river: str
    length_m: float
    angle_deg: float


class Junction(NamedTuple):
    """Rivers that flow into a junction and out of it."""

    name: str
    method: str
    friction: bool
    weight: bool
    into: tuple[Branch, ...]
    out: tuple[Branch, ...]


def junction_table(given: pd.DataFrame | None) -> dict[str, Junction]:
    """Junctions by the rivers that flow into them; see `water_profile` for the columns."""
    if given is None or given.empty:
        return {}
    require_columns(given, ("junction", "river", "role"), "junctions")
    nameless = given["junction"].isna() | given["river"].isna()
    if nameless.any():
        raise HydraulicsError(
            "has rows without a junction or a river", layer="junctions", ids=given.index[nameless],
            hint="each row says its junction, its river and its role",
        )  # fmt: skip
    for word in given["role"]:
        one_of(word, ("in", "out"), "junctions: role")
    for role in ("in", "out"):
        rivers = given.loc[given["role"] == role, "river"]
        if rivers.duplicated().any():
            raise HydraulicsError(
                "has a river twice that flows into a junction or out of one", layer="junctions",
                ids=rivers[rivers.duplicated()].unique(),
                hint="a row a river and role; cut a river with two junctions in two, each with its "
                "own name",
            )  # fmt: skip
    found: dict[str, Junction] = {}
    for name, rows in given.groupby("junction", sort=False):
        one = _junction_of_rows(str(name), rows)
        found |= {branch.river: one for branch in one.into}
    return found


def _junction_of_rows(name: str, rows: pd.DataFrame) -> Junction:
    method = str(_said_once(name, rows, "method", "energy"))
    one_of(method, ("energy", "momentum"), "junctions: method")
    length = numbers(rows, "length_m", "junctions").to_numpy()
    angle = np.nan_to_num(numbers(rows, "angle_deg", "junctions").to_numpy())
    most = 90 if method == "momentum" else 180
    if ((angle < 0) | (angle > most)).any():
        raise HydraulicsError(
            f"has angles outside of 0 to {most} degrees",
            layer="junctions",
            ids=[f"{name} {r}" for r in rows["river"][(angle < 0) | (angle > most)]],
            hint="angle_deg is that between a branch and the common river, 0 to 90 by momentum on "
            "either side; by energy none is asked for",
        )
    sides: dict[str, list[Branch]] = {"in": [], "out": []}
    for river, role, way, turn in zip(rows["river"], rows["role"], length, angle, strict=True):
        sides[role].append(Branch(str(river), float(way), float(turn)))
    many = "in" if len(sides["out"]) == 1 else "out"
    if not sides["in"] or not sides["out"] or (len(sides["in"]) > 1 and len(sides["out"]) > 1):
        raise HydraulicsError(
            f"has {len(sides['in'])} rivers in and {len(sides['out'])} out",
            layer="junctions",
            ids=[name],
            hint="several flow into one, or one parts into several",
        )
    lacks = [b.river for b in sides[many] if not b.length_m >= 0]
    if lacks:
        raise HydraulicsError(
            "lacks the length across the junction",
            layer="junctions",
            ids=[f"{name} {river}" for river in lacks],
            hint="length_m from the last section of a branch to the first one beyond the junction",
        )
    friction, weight = (bool(_said_once(name, rows, c, True)) for c in ("friction", "weight"))
    return Junction(name, method, friction, weight, tuple(sides["in"]), tuple(sides["out"]))


def _said_once(name: str, rows: pd.DataFrame, column: str, default: object) -> object:
    """What the rows of a junction say of it as a whole."""
    said = list(rows[column].dropna().unique()) if column in rows.columns else []
    if len(said) > 1:
        raise HydraulicsError(
            f"says {said[0]} and {said[1]} in {column}", layer="junctions", ids=[name],
            hint="a junction has one method, friction and weight: the same in all its rows, or in "
            "one of them",
        )  # fmt: skip
    return said[0] if len(said) else default


def junctions_of(junctions: Mapping[str, Junction], river: str) -> tuple[str, ...]:
    """Rivers that have to be solved before one that flows into a junction."""
    return tuple(b.river for b in junctions[river].out) if river in junctions else ()


def refuse_unknown_rivers(junctions: Mapping[str, Junction], rivers: Sequence[str]) -> None:
    """Refuse junctions of rivers without sections."""
    branches = [b.river for one in junctions.values() for b in (*one.into, *one.out)]
    lost = [river for river in dict.fromkeys(branches) if river not in rivers]
    if lost:
        raise HydraulicsError(
            "names rivers that have no sections", layer="junctions", ids=lost,
            hint=nearest(lost[0], rivers),
        )  # fmt: skip


def refuse_circles(junctions: Mapping[str, Junction]) -> None:
    """Refuse junctions by which water would flow back into a river that it came from."""
    done: set[str] = set()

    def follow(river: str, way: tuple[str, ...]) -> None:
        if river in way:
            raise HydraulicsError(
                "lets water flow in a circle", layer="junctions",
                ids=way[way.index(river) :],
                hint="correct the role (流向) of one of these rivers, or the river of its row: "
                "water goes from each into the next, and never back",
            )  # fmt: skip
        if river not in done:
            for below in junctions_of(junctions, river):
                follow(below, (*way, river))
            done.add(river)

    for river in junctions:
        follow(river, ())


class End(NamedTuple):
    """A river's section at a junction."""

    branch: Branch
    row: int
    flow: float
    level: float  # NaN where it isn't known yet


def check_balance(junction: Junction, into: Sequence[End], out: Sequence[End]) -> None:
    """Refuse discharges that don't add up."""
    one, other = sum(e.flow for e in into), sum(e.flow for e in out)
    if abs(one - other) > BALANCE * max(one, other):
        parts = ", ".join(f"{e.branch.river} {e.flow:.4g}" for e in [*into, *out])
        raise HydraulicsError(
            f"{one:.4g} m³/s flow in and {other:.4g} out",
            layer="junctions",
            ids=[f"{junction.name}: {parts}"],
            hint="the discharges of flows at a junction add up; give the split",
        )


def junction_level(
    model: Model, junction: Junction, mine: End, into: Sequence[End], out: Sequence[End]
) -> float:
    """Level of a river's lowest section, from the levels beyond the junction.

    Energy: a standard step over the length across; parting, the branch that demands most counts
    (`energies_asked` tells how much more). Momentum: the forces of all branches balance, with one
    level in the rivers that join. Where no level of the river balances, as at a fall, it is a hair
    below the critical one.
    """
    check_balance(junction, into, out)
    if junction.method == "momentum":
        return _level_by_momentum(model, junction, mine, into, out)
    levels = []
    for end in out:
        length = mine.branch.length_m if len(out) == 1 else end.branch.length_m
        levels.append(_by_energy(model, mine, end, length)[0])
    return max(levels)


def energies_asked(model: Model, mine: End, out: Sequence[End]) -> list[float]:
    """Energy lines that branches ask for where a river parts [m].

    Of the discharges that really part they are one: HEC-RAS's split flow optimisation looks for
    those (Hydraulic Reference Manual, chapter 4).
    """
    return [_by_energy(model, mine, end, end.branch.length_m)[1] for end in out]


def level_with_less(model: Model, mine: End, level: float, less: float) -> float:
    """Level of a river's lowest section with so much less energy; at least the critical one [m]."""
    row, flow, near = np.array([mine.row]), np.array([mine.flow]), np.array([level])
    return float(level_of(model, row, flow, energy_at(model, row, flow, near) - less, near)[0][0])


def _by_energy(model: Model, mine: End, beyond: End, length: float) -> tuple[float, float]:
    """Level of a river's lowest section by a standard step, and the energy line asked of it.

    The energy beyond and what is lost on the way: less than the river's own where it falls over
    its critical level.
    """
    rows, flows = np.array([mine.row]), np.array([mine.flow])
    below = model.state(np.array([beyond.row]), np.array([beyond.flow]), np.array([beyond.level]))
    ways = model.lengths.copy()
    ways[mine.row] = length
    across = model.with_lengths(ways)
    above, found = across.step(rows, flows, below)
    lost = across.losses(rows, above, below)[0]
    falls = FALLS_M if found[0] == CRITICAL else 0.0
    return float(above.level[0]) - falls, float(below.energy[0] + lost[0])


def _level_by_momentum(
    model: Model, junction: Junction, mine: End, into: Sequence[End], out: Sequence[End]
) -> float:
    """Specific forces in the common direction (equations 4-2 to 4-9).

    Into one: Σ F_i cosθ_i - friction + weight = F_out. Out of one: F_in = Σ F_j cosθ_j + friction
    - weight. Friction of half the length by each side's area, the far side's by its share of the
    discharge.
    """
    joins = len(out) == 1
    branches = into if joins else out
    single = out[0] if joins else mine
    above = list(into) if joins else [mine]
    rows, flows = np.array([e.row for e in above]), np.array([e.flow for e in above])
    critical = critical_level(model, rows, flows)[0]
    least = {end.branch.river: float(z) for end, z in zip(above, critical, strict=True)}
    falls = least[mine.branch.river] - FALLS_M
    if joins:
        beds = {end.branch.river: model.sections.bottom[end.row] for end in into}
        _refuse_falling_branches(junction, beds, single.level)

    def excess(level: Array, mask: Array) -> Array:
        del mask

        def force(end: End, *, common: bool) -> Force:
            known = not common
            z = np.array([end.level]) if known else np.maximum(level, least[end.branch.river])
            return section_force(model, np.array([end.row]), np.array([end.flow]), z)

        far = force(single, common=not joins)
        total = -far.whole
        for end in branches:
            near = force(end, common=joins)
            turn = math.cos(math.radians(end.branch.angle_deg))
            rubs = _friction_less_weight(junction, near, far, end, turn)
            total = total + near.whole * turn + (-rubs if joins else rubs)
        return total if joins else -total

    low, one = np.array([critical.min()]), np.ones(1, bool)
    if excess(low, one)[0] >= 0:
        return falls
    high = low + 1.0
    while excess(high, one)[0] < 0:
        high = high + 1.0
        if high[0] > critical.max() + MOST_RISE_M:
            raise HydraulicsError(
                "finds no level at which the momentum of its rivers balances",
                layer="junctions",
                ids=[junction.name],
                hint='junctions["method"] = "energy"  # or correct angle_deg: branches across the '
                "common river push nothing along it",
            )
    level = float(bracketed(excess, low, high)[0])
    _refuse_falling_branches(junction, least, level + FALLS_M)
    return level


def _refuse_falling_branches(junction: Junction, least: Mapping[str, float], level: float) -> None:
    """Refuse momentum where branches fall into the common river: there is no one level.

    By their beds, or their critical levels: the highest would hold up the other rivers.
    """
    high = [river for river, z in least.items() if z >= level]
    if high:
        raise HydraulicsError(
            "has rivers that fall into the water of the others",
            layer="junctions",
            ids=[f"{junction.name} {river}" for river in high],
            hint='junctions["method"] = "energy"  # by momentum rivers meet at one level',
        )


def _friction_less_weight(
    junction: Junction, near: Force, far: Force, end: End, turn: float
) -> Array:
    """Friction less weight between a branch and the common river [m³].

    The weight goes by the mean beds (Hydraulic Reference Manual, chapter 2), those of the channels.
    """
    half = end.branch.length_m / 2
    share = near.flow / far.flow
    found = np.zeros(len(share))
    if junction.friction:
        slope = ((near.flow + far.flow) / (near.conveyance + far.conveyance)) ** 2
        found += slope * half * (near.area * turn + far.area * share)
    if junction.weight:  # the slope of the beds times half the length
        fall = (near.bed - far.bed) / 2 * (1 if len(junction.out) == 1 else -1)
        found -= fall * (near.area * turn + far.area * share)
    return found
