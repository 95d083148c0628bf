"""Which level stands between two sections? Straight lines, but at a structure, where it steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.schema import numbers, require_columns
from pinghu_geo.river.chainage import ChainageScale

__all__ = ["Standing", "levels_between", "shares_below", "standing_on"]


class Standing(NamedTuple):
    """Where structures of one river begin and end, along it, and their schemes (None: all)."""

    middle: Array
    begin: Array
    end: Array
    scheme: NDArray[np.object_]

    def of(self, scheme: object) -> Standing:
        """Those of one scheme."""
        mine = np.array([s is None or s == scheme for s in self.scheme], bool)
        return Standing(self.middle[mine], self.begin[mine], self.end[mine], self.scheme[mine])


def standing_on(
    structures: pd.DataFrame | None, scales: Mapping[str, ChainageScale]
) -> dict[str, Standing]:
    """Structures by river: half of their length (length_m, width_m) up and down of their place."""
    if structures is None or structures.empty:
        return {}
    require_columns(structures, ("river", "chainage_m"), "structures")
    half = np.zeros(len(structures))
    for column in ("length_m", "width_m"):
        if column in structures.columns:
            half = np.fmax(half, numbers(structures, column, "structures").to_numpy(float) / 2)
    place = numbers(structures, "chainage_m", "structures").to_numpy(float)
    said = structures["scheme"] if "scheme" in structures.columns else None
    of = np.full(len(structures), None, object)
    if said is not None:
        of = said.astype(object).where(said.notna(), None).to_numpy(object)
    found = {}
    for river, every in structures.groupby("river", sort=False).indices.items():
        rows = every[np.isfinite(place[every])]
        at, far = place[rows], half[rows]
        if (scale := scales.get(str(river))) is not None:
            at = scale.measure(at, beyond=True)
        found[str(river)] = Standing(at, at - far, at + far, of[rows])
    return found


def levels_between(along: Array, level: Array, here: Array, standing: Standing | None) -> Array:
    """Levels at places along a river from those of its sections; NaN beyond them."""
    if len(along) < 2:
        return np.where(here == along, level, np.nan) if len(along) else np.full(len(here), np.nan)
    j, share = shares_below(along, here, standing)
    # between equal levels exactly they, for ground as high as the water is dry
    found = np.where(share < 1, level[j] + share * (level[j + 1] - level[j]), level[j + 1])
    return np.where((here >= along[0]) & (here <= along[-1]), found, np.nan)


def shares_below(
    along: Array, here: Array, standing: Standing | None
) -> tuple[NDArray[np.intp], Array]:
    """The section above each place, and the share that the section below it has in the level there.

    ``along``: sections in ascending order, two or more; ``here``: places between them. Where a
    structure stands in between the level steps: as far as its upper face it is that above it, from
    its lower face on that below, and straight from one to the other.
    """
    j = np.clip(np.searchsorted(along, here, side="right") - 1, 0, len(along) - 2)
    low, high = along[j], along[j + 1]
    if standing is not None and len(standing.begin):
        begin, end = low.copy(), high.copy()
        at = standing.middle
        within = np.clip(np.searchsorted(along, at, side="right") - 1, 0, len(along) - 2)
        for gap in np.unique(within[(at > along[0]) & (at < along[-1])]):
            mine, there = within == gap, j == gap
            begin[there] = max(standing.begin[mine].min(), along[gap])
            end[there] = min(standing.end[mine].max(), along[gap + 1])
        low, high = begin, end
    wide = high - low
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(wide > 0, (here - low) / wide, (here > low).astype(float))
    return j, np.where(here >= along[-1], 1.0, np.clip(share, 0.0, 1.0))
