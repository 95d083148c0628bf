"""Where is the centreline of a model that counts from the left? All its offsets, moved about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.flood.hecras import HecRas
from pinghu_geo.flood.sections import Array, middle_of_bed
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.schema import numbers, require_columns
from pinghu_geo.nouns.tables import each_row, groups_of
from pinghu_geo.river.chainage import format_chainage

__all__ = ["centred_model"]

Place = tuple[str, float]
# columns that are offsets, by table
OFFSETS = {
    "sections": ("offset_m",),
    "banks": ("left_bank_m", "right_bank_m", "left_levee_m", "right_levee_m"),
    "obstacles": ("from_offset_m", "to_offset_m"),
    "profile": ("left_wall_m", "right_wall_m"),
    "structures": ("from_offset_m", "to_offset_m", "limit_left_m", "limit_right_m"),
    "structure_parts": ("offset_m", "left_bank_m", "right_bank_m"),
}


@takes(centres="sections")
def centred_model(model: HecRas, *, centres: pd.DataFrame | None = None) -> HecRas:
    """A model with all offsets about the centreline, as houses and red lines count 模型偏距归算.

    Parameters
    ----------
    model
        Result of `read_hecras` or `read_hecras_results`, whose sections count from the left.
    centres
        Where the centreline crosses sections: river, chainage_m, and centre_m as the model counts
        offsets [m]. Elsewhere, and by default, it is the middle between the banks; without banks
        the middle of the lowest bed.

    Returns
    -------
    HecRas
        The same model: sections, banks, obstacles, structures with their parts, and encroachment
        walls have moved together, so that no level changes. ``banks`` says in ``centre_m`` where
        the centreline was. Two sections with a structure whose offsets are told once for both are
        moved by as much, the upper one's.

    Raises
    ------
    LayerError
        ``centres`` names a section that the model hasn't.

    References
    ----------
    HEC-RAS Hydraulic Reference Manual 6.x, chapter 3 (stations of a section from left to right
    looking downstream).

    Examples
    --------
    >>> bed = pd.DataFrame({"river": "R", "chainage_m": [0.0, 100.0], "bed_level_m": [2.0, 1.9],
    ...     "left_m": 5.0, "right_m": 5.0, "bank_level_m": 5.0, "n": 0.03})
    >>> made = pg.design_sections(bed).assign(offset_m=lambda s: s["offset_m"] + 40)
    >>> banks = pd.DataFrame({"river": "R", "chainage_m": [0.0, 100.0], "left_bank_m": 35.0,
    ...     "right_bank_m": 45.0})
    >>> file = pg.write_hecras(made, 20.0, {"slope": 0.001}, folder / "R", banks=banks)
    >>> model = pg.flood.centred_model(pg.read_hecras(folder / "R.g01", units="SI"))
    >>> float(model.sections["offset_m"].min()), model.banks["centre_m"].tolist()
    (-5.0, [40.0, 40.0])
    """
    centre = _middles(model) | _given_centres(model, centres)
    beside = {str(s.Index): ((s.river, s.above_m), (s.river, s.below_m))
              for s in each_row(model.structures)}  # fmt: skip
    for name, (above, below) in sorted(beside.items(), key=lambda one: one[1][0][1]):
        if _is_told_once(model, name):
            centre[below] = centre[above]
    moved: dict[str, Any] = {}
    for table in OFFSETS:
        rows = getattr(model, table)
        moved[table] = _moved(rows, table, _shifts(rows, table, centre, beside))
    moved["banks"] = moved["banks"].assign(centre_m=_shifts(model.banks, "banks", centre, beside))
    return replace(model, **moved)


def _middles(model: HecRas) -> dict[Place, float]:
    """The middle between the banks of each section; without banks that of its lowest bed."""
    found: dict[Place, float] = {}
    for (river, at), part in groups_of(model.sections.groupby(["river", "chainage_m"], sort=False)):
        x, z = part[["offset_m", "elevation_m"]].to_numpy(float).T
        found[str(river), float(at)] = middle_of_bed(x, z)
    if {"left_bank_m", "right_bank_m"} <= set(model.banks.columns):
        for row in each_row(model.banks.dropna(subset=["left_bank_m", "right_bank_m"])):
            found[row.river, row.chainage_m] = (row.left_bank_m + row.right_bank_m) / 2
    return found


def _given_centres(model: HecRas, centres: pd.DataFrame | None) -> dict[Place, float]:
    if centres is None:
        return {}
    require_columns(centres, ("river", "chainage_m", "centre_m"), "centres")
    at = numbers(centres, "centre_m", "centres")
    places = list(zip(centres["river"], centres["chainage_m"].astype(float), strict=True))
    known = set(zip(model.sections["river"], model.sections["chainage_m"], strict=True))
    if lost := [f"{r} {format_chainage(c)}" for r, c in places if (r, c) not in known]:
        raise LayerError(
            "names sections that the model hasn't",
            layer="centres",
            ids=lost,
            hint="model.banks[['river', 'chainage_m', 'rs']] are those that it has",
        )
    return {place: float(v) for place, v in zip(places, at, strict=True) if np.isfinite(v)}


def _is_told_once(model: HecRas, name: str) -> bool:
    """Whether offsets of a structure are told once for the sections on both its sides."""
    row = model.structures.loc[name]
    if any(pd.notna(row.get(column)) for column in OFFSETS["structures"]):
        return True
    parts = model.structure_parts
    own = parts[parts["structure_id"] == name] if len(parts) else parts
    sided = own["side"].notna() if "side" in own.columns else pd.Series(False, own.index)
    return bool((own["offset_m"].notna() & ~sided).any()) if "offset_m" in own.columns else False


def _shifts(
    rows: pd.DataFrame,
    table: str,
    centre: Mapping[Place, float],
    beside: Mapping[str, tuple[Place, Place]],
) -> Array:
    """How far to the left each row of a table moves."""
    if table == "structures":
        return np.array([centre[beside[str(name)][0]] for name in rows.index])
    if table == "structure_parts":
        below = rows.get("side", pd.Series(None, rows.index)) == "down"
        names = rows.get("structure_id", pd.Series(dtype=str))
        places = [beside[str(n)][int(b)] for n, b in zip(names, below, strict=True)]
        return np.array([centre[place] for place in places])
    at = zip(rows.get("river", []), rows.get("chainage_m", []), strict=True)
    return np.array([centre[str(r), float(c)] for r, c in at])


def _moved(rows: pd.DataFrame, table: str, by: Array) -> pd.DataFrame:
    """Rows of a table with their offsets about the centreline."""
    columns = [c for c in OFFSETS[table] if c in rows.columns]
    return rows.assign(**{c: rows[c].astype(float) - by for c in columns}) if len(rows) else rows
