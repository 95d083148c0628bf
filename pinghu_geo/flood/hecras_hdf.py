"""Which structures stand in a HEC-RAS result file (HDF)? Bridges, culverts, weirs and gates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.flood.gates import FOOT_SQRT
from pinghu_geo.flood.hecras_structures import GATE_CODES, METHOD_CODES, SHAPE_CODES
from pinghu_geo.nouns.errors import LayerError

__all__ = ["structures_of_hdf"]

_ROOT = "Geometry/Structures"
# our column: what the versions of HEC-RAS call it; lengths, then plain numbers
_BARREL = {
    "rise_m": ("Rise",), "span_m": ("Span",), "length_m": ("Length",),
    "invert_up_m": ("US Invert", "Invert US"), "invert_down_m": ("DS Invert", "Invert DS"),
    "n_bottom_to_m": ("Depth for Bottom Mann", "Depth Bot Mann"), "blocked_m": ("Depth Blocked",),
}  # fmt: skip
_BARREL_PLAIN = {
    "n": ("Mann Top", "Top Mann"), "n_bottom": ("Mann Bottom", "Bot Mann"),
    "entrance_loss": ("Entrance Loss", "Entrance Loss Coef"),
    "exit_loss": ("Exit Loss", "Exit Loss Coef"), "chart": ("Chart", "Chart ID"),
    "scale": ("Scale", "Scale ID"), "barrels": ("Barrels",),
}  # fmt: skip
_GATE = {
    "gate_width_m": ("Width",), "gate_height_m": ("Height",), "sill_m": ("Invert",),
    "sill_design_head_m": ("Spillway Design Head", "Design Head"),
    "trunnion_m": ("Radial Trunnion Height", "Trunnion Height"),
}  # fmt: skip
_GATE_PLAIN = {
    "exponent_trunnion": ("Radial Trunnion Exponent", "Trunnion Exponent"),
    "exponent_opening": ("Radial Opening Exponent", "Opening Exponent"),
    "exponent_head": ("Radial Height Exponent", "Head Exponent"), "orifice": ("Orifice Coef",),
}  # fmt: skip
# without these a barrel or a gate isn't known: the structure stays in the reader's list
_BARREL_NEEDS = ("rise_m", "span_m", "length_m", "invert_up_m", "invert_down_m", "n",
                 "entrance_loss", "exit_loss", "chart", "scale", "barrels")  # fmt: skip
_GATE_NEEDS = ("gate_width_m", "gate_height_m", "sill_m", "gate_coefficient", "orifice",
               "sill_coefficient")  # fmt: skip
_RADIAL_NEEDS = ("trunnion_m", "exponent_trunnion", "exponent_opening", "exponent_head")

Parts = list[dict[str, Any]]


def structures_of_hdf(
    file: Any, places: pd.DataFrame, foot: float
) -> tuple[pd.DataFrame, pd.DataFrame, list[int]]:
    """Tables structures and structure_parts, and the rows of ``places`` that they hold.

    ``places`` has river, kind, rs, above_m, below_m of each structure and ``at``, its row in the
    file. What the tables can't say (several openings, abutments, lateral structures, fields that a
    version of HEC-RAS names in another way) is left to the reader's list.
    """
    rows: dict[str, dict[str, Any]] = {}
    parts: Parts = []
    done: list[int] = []
    tables = _StructureTables(file, foot)
    for k, place in places.iterrows():
        if not math.isfinite(place["above_m"] - place["below_m"]):
            continue
        name = f"{place['river']} {place['rs']}"
        made = tables.structure(int(place["at"]), str(place["kind"]), name)
        if made is None or name in rows:
            continue
        row, more = made
        rows[name] = {
            "river": place["river"], "chainage_m": (place["above_m"] + place["below_m"]) / 2,
            **row, "rs": place["rs"], "above_m": place["above_m"], "below_m": place["below_m"],
        }  # fmt: skip
        parts += more
        done.append(int(str(k)))
    columns = ["river", "chainage_m", "kind", "rs", "above_m", "below_m"]
    table = pd.DataFrame(list(rows.values()), index=list(rows), columns=None if rows else columns)
    table.index.name = "structure_id"
    return table, pd.DataFrame(parts), done


class _StructureTables:
    """The file's tables of structures; a table that isn't there has no rows."""

    def __init__(self, file: Any, foot: float) -> None:
        self.foot, self.root = foot, FOOT_SQRT if foot != 1 else 1.0
        self.of: dict[str, Any] = {
            name: file[f"{_ROOT}/{name}"][:] if f"{_ROOT}/{name}" in file else None
            for name in (
                "Attributes", "Table Info", "Profile Data", "Bridge Coefficient Attributes",
                "Pier Attributes", "Pier Data", "Abutment Attributes", "Culvert Groups/Attributes",
                "Gate Groups/Attributes",
            )
        }  # fmt: skip

    def mine(self, name: str, at: int) -> list[dict[str, Any]]:
        """Rows of a table that belong to a structure."""
        rows = self.of[name]
        if rows is None or "Structure ID" not in (rows.dtype.names or ()):
            return []
        return [
            dict(zip(rows.dtype.names, r, strict=True)) for r in rows if r["Structure ID"] == at
        ]

    def points(self, name: str, info: Mapping[str, Any], what: str) -> np.ndarray[Any, Any]:
        """Pairs of a packed table."""
        start, count = (int(info.get(f"{what} ({word})", 0)) for word in ("Index", "Count"))
        values = self.of[name]
        if count == 0 or values is None:
            return np.empty((0, 2))
        if start < 0 or count < 0 or start + count > len(values):
            raise LayerError(
                f"says of {what} more than {name} holds", layer="hecras", hint="ask for it again"
            )
        return np.asarray(values[start : start + count], float)

    def structure(self, at: int, kind: str, name: str) -> tuple[dict[str, Any], Parts] | None:
        """Row and parts of a structure; None where the tables can't say all of it."""
        about = self.of["Attributes"][at]
        one = dict(zip(about.dtype.names, about, strict=True))
        lines = self.of["Table Info"]
        if lines is None or at >= len(lines) or self.mine("Abutment Attributes", at):
            return None
        info = dict(zip(lines.dtype.names, lines[at], strict=True))
        word = kind.split(maxsplit=1)[0].lower() if kind else ""
        if word == "inline":
            return self._inline_weir(one, info, at, name)
        # of a bridge's own sections the n isn't known here: the text has it
        own = any(int(info.get(f"{side} BR Profile (Count)", 0)) for side in ("US", "DS"))
        if word not in ("bridge", "culvert") or own:
            return None
        row = {
            "distance_m": _first_number(one, "Upstream Distance") * self.foot,
            "width_m": _first_number(one, "Weir Width") * self.foot,
            "weir_coefficient": _first_number(one, "Weir Coef") * self.root,
            "max_submergence": _first_number(one, "Weir Max Submergence"),
            "skew_deg": _first_number(one, "Weir Skew", otherwise=0.0),
        }
        deck = self._deck_parts(info, name)
        barrels = self._barrel_parts(at, name)
        if barrels:
            known = _has_all_fields(barrels, _BARREL_NEEDS)
            return ({"kind": "culvert", **row}, [*deck, *barrels]) if known else None
        coefficients = self.mine("Bridge Coefficient Attributes", at)
        if len(coefficients) != 1 or not deck:  # several openings have a row each
            return None
        options = _bridge_options(one, coefficients[0], self.foot)
        return {"kind": "bridge", **row, **options}, [*deck, *self._pier_parts(at, name)]

    def _deck_parts(self, info: Mapping[str, Any], name: str) -> Parts:
        """High and low chords of both faces, at the offsets of either."""
        parts: Parts = []
        for side, word in (("up", "US"), ("down", "DS")):
            high = self.points("Profile Data", info, f"{word} BR Weir Profile")
            low = self.points("Profile Data", info, f"{word} BR Lid Profile")
            parts += [
                {"structure_id": name, "part": "deck", "side": side, "offset_m": x * self.foot,
                 "deck_m": top * self.foot, "low_chord_m": chord * self.foot}
                for x, top, chord in _chords_at_offsets(high, low)
            ]  # fmt: skip
        return parts

    def _pier_parts(self, at: int, name: str) -> Parts:
        """Piers, of both faces apart where they differ."""
        parts: Parts = []
        for k, pier in enumerate(self.mine("Pier Attributes", at)):
            faces = [
                (_first_number(pier, f"{word} Station"),
                 self.points("Pier Data", pier, f"{word} Profile"))
                for word in ("US", "DS")
            ]  # fmt: skip
            (up, shape), (down, other) = faces
            alike = not len(other) or (up == down and np.array_equal(shape, other))
            for side, (place, points) in zip(("up", "down"), faces, strict=True):
                if alike and side == "down":
                    continue
                parts += [
                    {"structure_id": name, "part": "pier", "group": str(k),
                     "offset_m": place * self.foot, "pier_width_m": width * self.foot,
                     "elevation_m": z * self.foot} | ({} if alike else {"side": side})
                    for width, z in points
                ]  # fmt: skip
        return parts

    def _fields_in_si(
        self,
        row: Mapping[str, Any],
        long: Mapping[str, Sequence[str]],
        plain: Mapping[str, Sequence[str]],
    ) -> dict[str, float]:
        found = {ours: _first_number(row, *theirs) * self.foot for ours, theirs in long.items()}
        return found | {ours: _first_number(row, *theirs) for ours, theirs in plain.items()}

    def _barrel_parts(self, at: int, name: str) -> Parts:
        parts: Parts = []
        for one in self.mine("Culvert Groups/Attributes", at):
            code = _first_number(one, "Shape", "Shape ID", otherwise=0.0)
            parts.append({
                "structure_id": name, "part": "culvert", "group": _decoded_field(one, "Name"),
                "shape": SHAPE_CODES.get(int(code), "box"),
                **self._fields_in_si(one, _BARREL, _BARREL_PLAIN),
            })  # fmt: skip
        return parts

    def _inline_weir(
        self, one: Mapping[str, Any], info: Mapping[str, Any], at: int, name: str
    ) -> tuple[dict[str, Any], Parts] | None:
        crest = self.points("Profile Data", info, "Centerline Profile")
        if not len(crest):
            return None
        form = _crest_form(_decoded_field(one, "Weir Shape"))
        gates = [self._gate_part(g, name) for g in self.mine("Gate Groups/Attributes", at)]
        radial = [g for g in gates if g["gate_kind"] == "radial"]
        if not (_has_all_fields(gates, _GATE_NEEDS) and _has_all_fields(radial, _RADIAL_NEEDS)):
            return None
        row = {
            "kind": "gate" if gates else "weir", "crest": form,
            "weir_coefficient": _first_number(one, "Weir Coef") * self.root,
            "max_submergence": _first_number(one, "Weir Max Submergence"),
            "design_head_m": _first_number(one, "Weir Design EG Head") * self.foot,
        }  # fmt: skip
        parts: Parts = [
            {"structure_id": name, "part": "crest", "offset_m": x, "crest_m": z}
            for x, z in crest * self.foot
        ]
        return row, [*parts, *gates]

    def _gate_part(self, gate: Mapping[str, Any], name: str) -> dict[str, Any]:
        kind = GATE_CODES.get(int(_first_number(gate, "Method", otherwise=0.0)), "vertical")
        coefficient = "Radial Coef" if kind == "radial" else "Sluice Coef"
        return {
            "structure_id": name,
            "part": "gate",
            "group": _decoded_field(gate, "Name"),
            "gate_kind": kind,
            "gate_coefficient": _first_number(gate, coefficient),
            "sill_coefficient": _first_number(gate, "Weir Coef") * self.root,
            "sill_crest": _crest_form(_decoded_field(gate, "Spillway Shape")),
            "n_gates": _first_number(gate, "Openings", otherwise=1.0),
            "opening_m": 0.0,
            **self._fields_in_si(gate, _GATE, _GATE_PLAIN),
        }


def _crest_form(word: str) -> str:
    """Our word for HEC-RAS's shape of a crest."""
    return next((form for form in ("ogee", "sharp") if form in word.lower()), "broad")


def _has_all_fields(parts: Parts, needs: Sequence[str]) -> bool:
    return all(math.isfinite(part[column]) for part in parts for column in needs)


def _first_number(row: Mapping[str, Any], *names: str, otherwise: float = math.nan) -> float:
    """The first of some fields that the file has."""
    for name in names:
        if name in row:
            value = float(row[name])
            return value if math.isfinite(value) else otherwise
    return otherwise


def _decoded_field(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name, b"")
    return value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else str(value)


def _chords_at_offsets(
    high: np.ndarray[Any, Any], low: np.ndarray[Any, Any]
) -> list[tuple[float, float, float]]:
    """High and low chord at one set of offsets: a step of either stands as two points."""
    if len(high) < 2 or len(low) < 2:
        return []
    if len(high) == len(low) and (high[:, 0] == low[:, 0]).all():
        return [(x, a, b) for (x, a), (_, b) in zip(high, low, strict=True)]
    found = []
    for x in np.unique(np.r_[high[:, 0], low[:, 0]]):
        sides = [(_height_beside(high, x, s), _height_beside(low, x, s)) for s in ("left", "right")]
        found += [(float(x), *sides[0])]
        if sides[1] != sides[0]:
            found.append((float(x), *sides[1]))
    return found


def _height_beside(line: np.ndarray[Any, Any], x: float, side: str) -> float:
    """Height of a line at an offset, just before a step there (left) or just after it (right)."""
    here = np.flatnonzero(line[:, 0] == x)
    if len(here):
        return float(line[here[0 if side == "left" else -1], 1])
    return float(np.interp(x, line[:, 0], line[:, 1]))


def _bridge_options(one: Mapping[str, Any], said: Mapping[str, Any], foot: float) -> dict[str, Any]:
    """Methods and coefficients of a bridge; HEC-RAS's are dimensionless."""

    def yes(row: Mapping[str, Any], name: str, otherwise: float = 0.0) -> bool:
        return _first_number(row, name, otherwise=otherwise) != 0

    computed = ["energy"]
    for word, name in (("momentum", "Use Momentum"), ("yarnell", "Use Yarnell"),
                       ("wspro", "Use WSPro")):  # fmt: skip
        computed += [word] if yes(said, name) else []
    used = METHOD_CODES.get(int(_first_number(said, "Method", otherwise=0.0)))
    return {
        "method": used or "+".join(computed),
        "high_flow": "energy" if yes(said, "Use High Standard Step") else "pressure",
        "pressure_by": "energy" if yes(one, "Use EG for Pressure Criteria", 1.0) else "level",
        "friction": yes(one, "Use Friction in Momentum", 1.0),
        "weight": yes(one, "Use Weight in Momentum", 1.0),
        "pier_drag": _first_number(said, "Momentum Cd"),
        "yarnell_k": _first_number(said, "Yarnell K"),
        "sluice": _first_number(said, "Submerged Inlet Cd"),
        "orifice": _first_number(said, "Submerged Inlet-Outlet Cd"),
        "pressure_chord_m": _first_number(said, "Low Cord Weir Check") * foot,
    }
