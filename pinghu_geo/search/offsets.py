"""Where may the line lie, and what does it cost there? Limits, moves, locks, prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.errors import ChainageError, LayerError, OptimiseError
from pinghu_geo.nouns.notices import heard, notify
from pinghu_geo.nouns.schema import nearest, numbers, require_columns
from pinghu_geo.redline.areas import rows_near
from pinghu_geo.redline.overlap import floor_area
from pinghu_geo.river.chainage import ChainageScale
from pinghu_geo.schemes.cost import compensation

__all__ = [
    "LIMITS", "costs", "locked", "moves_of", "prices", "read_limits", "require_room",
    "say_estimated",
]  # fmt: skip

# What a planner may state, and what holds where nothing is stated. Lengths [m], prices [yuan].
LIMITS: Mapping[str, float | None] = {
    "inward_m": 6.0,  # how far the line may move towards the river
    "outward_m": 6.0,  # ... and away from it
    "step_m": 0.5,  # between the offsets that are tried
    "spacing_m": 10.0,  # between stations
    "taper": 0.2,  # change of offset along the river, m per m
    "least_half_m": 3.0,  # least distance of the line from the centreline
    "clear_m": 0.02,  # how far the line keeps from a wall that it spares
    "width_ratio": 1.0,  # left and right together, to the approved line
    "conveyance_ratio": 1.0,  # conveyance of the channel, to the approved one
    "works_yuan_m2": 0.0,  # each square metre inside the line
    "works_yuan_m3": 0.0,  # each cubic metre dug beyond the approved sections
    "change_yuan_m": 0.0,  # each metre by which the offset changes from station to station
    "move_yuan_m2": None,  # each square metre between the approved line and the new one
}
# the line keeps at least this far from a wall that it spares [m]: more than the drawing rounds
CLEAR_M = 0.02

# "As far as the river goes", in a lock [m].
FAR_M = 1e9


def read_limits(given: Mapping[str, float], *, priced: bool) -> dict[str, float]:
    """Limits with those that are left out; unknown or senseless ones are refused.

    Moving the line costs just enough to keep it where nothing is gained: a yuan a square metre,
    or, where square metres of floor stand for yuan, a thousandth of one.
    """
    for key, number in given.items():
        if key not in LIMITS:
            raise LayerError(f"{key!r} is not known", layer="limits", hint=nearest(key, LIMITS))
        if number == 0 and key in ("step_m", "spacing_m"):
            raise LayerError(
                f"{key} is {number!r}", layer="limits", hint=f"{key} is above 0: {LIMITS[key]:g}"
            )
        if not np.isfinite(number) or number < 0:
            raise LayerError(
                f"{key} is {number!r}", layer="limits", hint="lengths and prices are not negative"
            )
    least_price = {"move_yuan_m2": 1.0 if priced else 0.001}
    return {k: float(v or 0.0) for k, v in (dict(LIMITS) | least_price | dict(given)).items()}


def require_room(measure: Array, limits: Mapping[str, float], river: str) -> None:
    """Refuse stations so close that the taper allows no step between them: the line would freeze.

    A taper of 0 is a wish: a line that moves as a whole.
    """
    gap = np.diff(measure)
    frozen = limits["taper"] * gap / limits["step_m"] + 1e-9 < 1
    if limits["taper"] > 0 and gap[frozen].sum() > gap.sum() / 2:
        usual = float(np.median(gap[frozen]))
        step = np.floor(limits["taper"] * usual * 1e6) / 1e6
        most = limits["taper"] * usual
        raise OptimiseError(
            f"{river}: a taper of {limits['taper']!r} allows {most:.6g} m from station to station, "
            f"{usual:.6g} m on, less than step_m = {limits['step_m']!r}: the line couldn't move",
            hint=f'limits = limits | {{"step_m": {step:.6f}}}  # or a larger taper or spacing_m',
        )


def within_reach(
    buildings: gpd.GeoDataFrame, approved: gpd.GeoDataFrame, limits: Mapping[str, float]
) -> Array:
    """Positions of the buildings whose boxes the line may come to, wherever it is moved."""
    most = max(limits["outward_m"], 0.0) + max(limits["clear_m"], CLEAR_M)
    return np.asarray(rows_near(buildings, approved.geometry.to_numpy(), within_m=most))


def say_estimated(near: gpd.GeoDataFrame) -> None:
    """Say how many buildings within reach of all rivers count by an estimated floor area."""
    with heard() as said:
        area = floor_area(near)["floor_area_m2"]
    if said:
        guessed = (numbers(near, "floor_area_m2", "buildings").isna() & area.notna()).sum()
        notify(
            f"floor area of {guessed} of {len(near)} buildings within reach of the search is "
            "estimated as footprint x floors"
        )


def costs(near: gpd.GeoDataFrame, rates: pd.DataFrame | None) -> Array:
    """What each building costs when it goes, in whole yuan."""
    with heard():  # `say_estimated` says it, once for all rivers
        area = floor_area(near)["floor_area_m2"]
    priced = near.drop(columns=["demolish_floor_area_m2"], errors="ignore")
    priced = priced.assign(demolish_floor_area_m2=area)
    if rates is not None:
        return np.asarray(np.round(compensation(priced, rates)["cost_yuan"].to_numpy(float)))
    if area.isna().any():
        raise LayerError(
            "have neither floor area nor floors, so that what they count is not known",
            layer="buildings",
            ids=area.index[area.isna()],
            hint="survey them, or give rates and their floor areas",
        )
    return np.asarray(np.round(area.to_numpy(float)))


def locked(
    locks: pd.DataFrame | None, name: str, measure: Array, scale: ChainageScale
) -> list[tuple[int, Array, Any, Any]]:
    """Side, stations, least and most offset of each lock of a river."""
    if locks is None or locks.empty:
        return []
    require_columns(locks, ("river", "from_m", "to_m"), "locks")
    found = []
    least, most = (numbers(locks, c, "locks").to_numpy() for c in ("least_m", "most_m"))
    bank = locks["bank"].astype(object) if "bank" in locks else pd.Series(None, locks.index)
    for k, row in enumerate(locks.to_dict("records")):
        if row["river"] != name:
            continue
        try:
            ends = np.clip(np.array([row["from_m"], row["to_m"]], float), -FAR_M, FAR_M)
            low, high = np.sort(scale.measure(ends, beyond=True))
        except ChainageError as fault:
            raise ChainageError(f"{name}: {fault}", layer="locks") from fault
        at = np.flatnonzero((measure >= low - 1e-6) & (measure <= high + 1e-6))
        for side, word in enumerate(("left", "right")):
            if bank.iloc[k] in (word, None, "both") or pd.isna(bank.iloc[k]):
                found.append((side, at, least[k], most[k]))
    return found


def moves_of(limits: Mapping[str, float]) -> Array:
    """Moves of the line that are tried, inward to outward [m]; nothing is among them."""
    down, up = (
        int(np.floor(limits[k] / limits["step_m"] + 1e-9)) for k in ("inward_m", "outward_m")
    )
    return np.asarray(np.arange(-down, up + 1) * limits["step_m"])


def prices(
    base: Array,
    measure: Array,
    moves: Array,
    still: int,
    limits: Mapping[str, float],
    locks: list[tuple[int, Array, Any, Any]],
    *,
    wall_yuan_m: Array | float = 0.0,
    dug_m2: Array | float = 0.0,
) -> Array:
    """Price of each move at each station (2, stations, moves); infinite: not allowed.

    ``base`` (2, stations) are the approved offsets, ``still`` is the move of nothing, ``dug_m2``
    the area that a move digs at a station: with half the way to both neighbours, the volume by
    average end areas.
    """
    gap = np.diff(measure)
    # each station stands for half the way to its neighbours
    length = (np.r_[gap, 0] + np.r_[0, gap]) / 2
    offset = base[:, :, None] + moves
    price = limits["works_yuan_m2"] * offset + limits["move_yuan_m2"] * np.abs(moves) + wall_yuan_m
    price = price + limits["works_yuan_m3"] * dug_m2
    price = np.round(price * length[:, None], 3)
    price[offset < np.minimum(limits["least_half_m"], base[:, :, None]) - 1e-9] = np.inf
    for side, at, least, most in locks:
        free = np.ones((len(at), len(moves)), bool)
        if np.isnan(least) and np.isnan(most):
            free[:] = np.arange(len(moves)) == still
        if np.isfinite(least):
            free &= offset[side, at] >= least - 1e-9
        if np.isfinite(most):
            free &= offset[side, at] <= most + 1e-9
        price[side, at] = np.where(free, price[side, at], np.inf)
    return np.asarray(price)
