"""What is told of each section of a water profile? Its table, and what to doubt."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.flood.channel import by_zone
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.steady import BALANCED, CRITICAL, UNBALANCED, Model, critical_level
from pinghu_geo.flood.survey import Laid, places
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.tables import words_of

__all__ = ["level_tables", "profile_tables", "with_doubt"]

# a level farther from what is demanded from below was computed from above [m]
RUN_THROUGH_M = 1e-6
FROUDE_LIMIT = 0.9
# critical levels are looked for where they may matter, as HEC-RAS does
FROUDE_NEAR = 0.7
# faster water isn't measured in metres [m/s]
FASTEST_MS = 10.0
REGIMES = ("subcritical", "supercritical", "critical")
SUBCRITICAL, SUPERCRITICAL, AT_CRITICAL = range(3)
DOUBTS = (
    "critical_default", "unbalanced", "carried", "froude", "conveyance_ratio", "above_ends",
    "spacing", "alpha", "several_minima", "left_out", "pressurised", "blocked", "tributary",
    "implausible", "several_levels", "wspro_assumed", "formula_step",
    "split",  # told once all branches are known
)  # fmt: skip
OF_CROSSINGS = ("several_levels", "wspro_assumed", "formula_step")


def profile_tables(
    model: Model, laid: Laid, level: Array, found: Array, profiles: list[str]
) -> pd.DataFrame:
    """Profiles as a table."""
    parts = [
        _profile_columns(model.column(k), laid, level[:, k], found[:, k], name)
        for k, name in enumerate(profiles)
    ]
    made: dict[str, Any] = {k: np.concatenate([one[k] for one in parts]) for k in parts[0]}
    stations, own = laid.stations, made["_row"]
    # each text is made once: a column of texts holds them as they are
    made["regime"] = pd.array(REGIMES, dtype="str").take(made["regime"])
    made["doubts"] = _doubt_texts(made["doubts"])
    for column in ("structure_id", "control"):
        made[column] = pd.array(made[column], dtype="str")
    made["repeated"] = words_of(stations["repeated"])[own]
    profile = pd.array(profiles, dtype="str").take(np.repeat(np.arange(len(parts)), len(level)))
    scheme, river, chainage = (
        stations[c].array.take(own) for c in ("scheme", "river", "chainage_m")
    )
    named = {"scheme": scheme, "profile": profile, "river": river, "chainage_m": chainage}
    return pd.DataFrame(named | made)


def _profile_columns(
    model: Model, laid: Laid, level: Array, found: Array, profile: str
) -> dict[str, Array]:
    """What the water does along one profile."""
    rows, q, g = model.rows[:, 0], model.discharge[:, 0], model.gravity
    wet = model.sections.wetted(rows, level)
    state = model.state_of(wet, q, level)
    dry = ~(level > model.sections.bottom[rows]) | ~np.isfinite(state.energy)
    if dry.any():
        raise HydraulicsError(
            f"finds no level of {laid.stations['river'][rows[0]]} at which its sections carry the "
            "discharge",
            layer="sections",
            ids=places(laid.stations, rows[dry]),
            hint="ineffective areas, walls or obstacles may close these sections",
        )
    own = laid.own(rows)
    area, top, k = wet.area.sum(axis=1), wet.top.sum(axis=1), wet.total_conveyance
    alpha = wet.alpha
    froude = np.sqrt(alpha * q**2 * top / (g * area**3))
    near = np.flatnonzero((froude > FROUDE_NEAR) | (found == CRITICAL))
    critical, minima = np.full(len(rows), np.nan), np.ones(len(rows), int)
    critical[near], minima[near] = critical_level(model, rows[near], q[near])
    up, down = state.take(slice(None, -1)), state.take(slice(1, None))
    loss = np.append(model.losses(rows[:-1], up, down)[0], np.nan)
    through = _crossing_columns(model, level, state.energy, loss)

    def of_station(column: str) -> Array:
        return np.asarray(laid.stations[column].to_numpy(bool)[own])

    bits = {
        "critical_default": found == CRITICAL,
        "unbalanced": found == UNBALANCED,
        "carried": _carried_from_unbalanced(found, state.grows < 0),
        "froude": froude > FROUDE_LIMIT,
        "conveyance_ratio": _conveyance_jumps(k),
        "above_ends": level > model.sections.ends[rows],
        "spacing": np.append(np.abs(np.diff(state.velocity_head)) > 0.15, False) | (loss > 0.3),
        "alpha": alpha > 2.0,
        "several_minima": minima > 1,
        "left_out": of_station("beyond"),
        "pressurised": top < 1e-6,
        "blocked": of_station("blocked"),
        "tributary": of_station(f"ungrown {profile}"),
        "implausible": of_station("odd") | (q / area > FASTEST_MS),
        **through.pop("doubted"),
    }
    regime = np.where(state.grows < 0, SUPERCRITICAL, SUBCRITICAL)
    return {
        "discharge_m3s": q, "level_m": level, "energy_m": state.energy,
        "critical_level_m": critical, "bed_m": model.sections.bottom[rows],
        "depth_m": level - model.sections.bottom[rows], "velocity_ms": q / area,
        "froude": froude, "area_m2": area,
        "wetted_perimeter_m": model.sections.perimeter(rows, level),
        "top_width_m": top, "conveyance_m3s": k, "alpha": alpha,
        "friction_slope": (q / k) ** 2, "loss_m": loss, **by_zone(wet),
        "regime": np.where(found == CRITICAL, AT_CRITICAL, regime),
        "doubts": sum(mask.astype(int) << DOUBTS.index(name) for name, mask in bits.items()),
        **through, "repeated": np.empty(0), "_row": own,
    }  # fmt: skip


def level_tables(
    model: Model, laid: Laid, level: Array, found: Array, profiles: list[str]
) -> pd.DataFrame:
    """Levels only, of all profiles at once."""
    del found
    rows = laid.own(model.rows.T.ravel())
    stations = laid.stations
    names = list(dict.fromkeys(profiles))
    code = np.array([names.index(p) for p in profiles])
    made: dict[str, Any] = {
        "profile": pd.Categorical.from_codes(np.repeat(code, len(model.rows)), pd.Index(names)),
        "discharge_m3s": model.discharge.T.ravel(),
        "level_m": level.T.ravel(),
        "chainage_m": stations["chainage_m"].to_numpy()[rows],
        "repeated": stations["repeated"].to_numpy()[rows],
        "_row": rows,
    }
    for column in ("scheme", "river"):
        codes, words = pd.factorize(stations[column])
        made[column] = pd.Categorical.from_codes(codes[rows], pd.Index(list(words)))
    return pd.DataFrame(made)


def _crossing_columns(model: Model, level: Array, energy: Array, loss: Array) -> dict[str, Any]:
    """What stands below each section and how the water passes it; its loss, in place."""
    size = len(level)
    (named, control), (over, unsure) = np.full((2, size), None, object), np.full((2, size), np.nan)
    doubted = {code: np.zeros(size, bool) for code in OF_CROSSINGS}
    places = [
        *model.crossings,
        *(model.twins[row] for row in model.crossings if row in model.twins),
    ]
    for i in np.flatnonzero(np.isin(model.rows[:-1, 0] % model.size, places)).tolist():
        station = model.station(int(model.rows[i, 0]))
        [one] = model.crossed(i, [0], [float(level[i + 1])])
        named[i] = model.crossings[station].name
        control[i] = one.control + (f" {one.flow_class}" if one.flow_class not in ("", "A") else "")
        over[i] = one.over
        if abs(one.level - level[i]) > RUN_THROUGH_M and (
            ran := model.run_through(i, 0, float(level[i]))
        ):  # not passed from below: supercritical water runs through
            control[i], over[i] = f"{ran[1]} C", 0.0
        else:
            said = model.doubted(i, float(level[i + 1]), one)
            for code in said:
                doubted[code][i] = True
            unsure[i] = max((off for off in said.values() if off > 0), default=math.nan)
        loss[i] = energy[i] - energy[i + 1]
    return {
        "structure_id": named,
        "control": control,
        "over_m3s": over,
        "unsure_m": unsure,
        "doubted": doubted,
    }


def _carried_from_unbalanced(found: Array, fast: Array) -> Array:
    """Which levels were computed from an unbalanced one: up to a control, or down to a jump."""
    carried = np.zeros(len(found), bool)
    if not (found == UNBALANCED).any():
        return carried
    for order, ruled in ((range(len(found))[::-1], ~fast), (range(len(found)), fast)):
        on = False
        for i in order:
            on = on and bool(ruled[i])
            carried[i] |= on and found[i] == BALANCED
            on = found[i] != CRITICAL and (on or found[i] == UNBALANCED)
    return carried


def _conveyance_jumps(k: Array) -> Array:
    """Where the conveyance differs too much from the next section's."""
    ratio = np.append(k[:-1] / k[1:], 1.0)
    return (ratio < 0.7) | (ratio > 1.4)


def with_doubt(table: pd.DataFrame, rows: Array, code: str) -> pd.DataFrame:
    """A table of profiles with one doubt more in some rows (n,)."""
    said = table["doubts"]
    more = said.where(said == "", said + ",") + code
    return table.assign(doubts=said.mask(rows & ~said.str.contains(code), more))


def _doubt_texts(number: Array) -> Any:
    """Codes of rows, joined by commas."""
    kinds, which = np.unique(number, return_inverse=True)
    texts = [",".join(n for i, n in enumerate(DOUBTS) if kind >> i & 1) for kind in kinds]
    return pd.array(texts, dtype="str").take(which)
