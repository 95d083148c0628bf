"""Which structures stand in a HEC-RAS text? Bridges, culverts, weirs, gates, junctions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.flood.gates import FOOT_SQRT
from pinghu_geo.nouns.messages import say

__all__ = [
    "GATE_CODES", "PARSED", "SHAPE_CODES", "decks_mended", "structures_between",
    "structures_of_text",
]  # fmt: skip

COLUMN = 8
# kinds of the reader's blocks that become tables here
PARSED = ("bridge", "culvert", "inline_structure", "junction")
SHAPE_CODES = {
    1: "circle", 2: "box", 3: "pipe_arch", 4: "ellipse", 5: "arch", 6: "semicircle",
    7: "low_arch", 8: "high_arch", 9: "conspan",
}  # fmt: skip
GATE_CODES = {0: "vertical", 1: "radial", 2: "overflow"}

# sections inside a bridge that are a person's own, and abutments: the tables can't say them
UNSAID = ("BR U #Sta/Elev=", "BR D #Sta/Elev=", "Abutment")

Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, list[int]]


def structures_between(
    blocks: list[dict[str, Any]], keys: list[dict[str, Any]], ways: Mapping[str, str]
) -> dict[int, tuple[str, float, float]]:
    """River and the chainages of the sections above and below, of each block between sections."""
    found: dict[int, tuple[str, float, float]] = {}
    open_: list[int] = []
    lowest: dict[str, float] = {}
    above = iter(keys)
    for k, one in enumerate(blocks):
        river = ways.get(one["river"], "")
        if one["kind"] == "section":
            at = next(above)["chainage_m"]
            for j in open_:
                name, before, _ = found[j]
                found[j] = (name, before, at if name == river else math.nan)
            open_, lowest[river] = [], at
        elif one["river"]:
            found[k] = (river, lowest.get(river, math.nan), math.nan)
            open_.append(k)
    return found


def structures_of_text(
    blocks: list[dict[str, Any]],
    between: Mapping[int, tuple[str, float, float]],
    ways: Mapping[str, str],
    foot: float,
) -> Tables:
    """Tables structures, structure_parts, junctions, and the numbers of the blocks they hold.

    ``between`` has the river and the chainages above and below of each structure's block. What a
    block has that the tables can't say (multiple openings, lateral structures) is left to the
    reader's list.
    """
    rows: dict[str, dict[str, Any]] = {}
    parts: list[dict[str, Any]] = []
    done: list[int] = []
    for k, one in enumerate(blocks):
        if k not in between or one["kind"] not in PARSED:
            continue
        river, above, below = between[k]
        if not (math.isfinite(above) and math.isfinite(below)) or above == below:
            continue
        name = _unused_name(f"{river} {one['rs']}", rows)
        made = _structure_of_block(one, name, foot)
        if made is None:
            continue
        row, more = made
        rows[name] = {
            "river": river, "chainage_m": (above + below) / 2, **row, "rs": one["rs"],
            "above_m": above, "below_m": below,
        }  # fmt: skip
        parts += more
        done.append(k)
    junctions = []
    for k, one in enumerate(blocks):
        if one["kind"] == "junction":
            found = _junction_rows(one, ways, foot)
            junctions += found
            done += [k] if found else []
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "structure_id"
    return table, pd.DataFrame(parts), pd.DataFrame(junctions), done


def decks_mended(
    structures: pd.DataFrame, parts: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Parts whose decks have no thickness where their low chord lies above them, and their list.

    HEC-RAS computes such decks, often beyond the opening, where both lie in the ground; here they
    would be refused as a slip. The list is for what is left out: kind, name, river, rs.
    """
    none = pd.DataFrame(columns=["kind", "name", "river", "rs"])
    if parts.empty or not {"low_chord_m", "deck_m"} <= set(parts.columns):
        return parts, none
    high = (parts["low_chord_m"] > parts["deck_m"]).to_numpy(bool)
    if not high.any():
        return parts, none
    low = parts["low_chord_m"].where(~high, parts["deck_m"])
    mended = structures.loc[parts.loc[high, "structure_id"].unique()]
    listed = mended[["river", "rs"]].assign(kind="deck", name="low chord above deck")
    return parts.assign(low_chord_m=low), listed.reset_index(drop=True)[none.columns]


def _unused_name(name: str, taken: Mapping[str, Any]) -> str:
    k, tried = 1, name
    while tried in taken:
        k, tried = k + 1, f"{name} ({k + 1})"
    return tried


def _structure_of_block(
    one: Mapping[str, Any], name: str, foot: float
) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    if one["kind"] == "inline_structure":
        return _inline_weir(one["lines"], name, foot)
    lines = one["lines"]
    if any(line.startswith(UNSAID) for line in lines):
        return None
    row, parts = _deck_row_and_parts(lines, name, foot)
    barrels = [p for line in lines if (p := _barrel_part(line, name, foot))]
    if barrels:
        for k, line in enumerate(lines):  # what follows a barrel says more of it
            of = sum(1 for v in lines[: k + 1] if _barrel_part(v, name, foot)) - 1
            if line.startswith("Culvert Bottom n=") and of >= 0:
                barrels[of]["n_bottom"] = _number_or_default(line.partition("=")[2])
            elif line.startswith("Culvert Bottom Depth=") and of >= 0:
                barrels[of]["n_bottom_to_m"] = _number_or_default(line.partition("=")[2]) * foot
            elif line.startswith("Culvert Depth Blocked=") and of >= 0:
                barrels[of]["blocked_m"] = _number_or_default(line.partition("=")[2]) * foot
        return {"kind": "culvert", **row}, [*parts, *barrels]
    if not parts:
        return None
    return {"kind": "bridge", **row, **_bridge_options(lines)}, [
        *parts, *_pier_parts(lines, name, foot)
    ]  # fmt: skip


def _number_or_default(text: str, default: float = math.nan) -> float:
    text = text.strip()
    try:
        return float(text) if text else default
    except ValueError:
        return default


def _comma_fields(line: str) -> list[str]:
    return [c.strip() for c in line.partition("=")[2].split(",")]


def _fixed_width_numbers(lines: list[str], start: int, count: int) -> tuple[list[float], int]:
    """Numbers in columns of eight characters, ten a line, and the line after them."""
    most = 10 * max(len(lines) - start, 0)
    if not 0 <= count <= most:
        raise ValueError(say("{} numbers where {} can stand", "en", count, most))
    rows = -(-count // 10)
    values: list[float] = []
    for line in lines[start : start + rows]:
        cells = line.ljust(80)
        values += [_number_or_default(cells[i : i + COLUMN]) for i in range(0, 80, COLUMN)]
    return (values + [math.nan] * count)[:count], start + rows


def _deck_row_and_parts(
    lines: list[str], name: str, foot: float
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Deck and roadway: its columns, and its two lines as parts."""
    heads = (i for i, v in enumerate(lines) if v.startswith("Deck Dist Width WeirC"))
    k = next(heads, -1)
    if k < 0:
        return {}, []
    c = [_number_or_default(v) for v in lines[k + 1].split(",")]
    c += [math.nan] * (10 - len(c))
    row = {
        "distance_m": c[0] * foot,
        "width_m": c[1] * foot,
        "weir_coefficient": c[2] * (FOOT_SQRT if foot != 1 else 1.0),
        "skew_deg": c[3] if math.isfinite(c[3]) else 0.0,
        "max_submergence": c[8],
    }
    parts: list[dict[str, Any]] = []
    at = k + 2
    for side, count in (("up", c[4]), ("down", c[5])):
        size = int(count) if math.isfinite(count) else 0
        rows = []
        for _ in range(3):
            values, at = _fixed_width_numbers(lines, at, size)
            rows.append(values)
        for x, high, low in zip(*rows, strict=True):
            parts.append({
                "structure_id": name, "part": "deck", "side": side, "offset_m": x * foot,
                "deck_m": high * foot, "low_chord_m": low * foot,
            })  # fmt: skip
    return row, parts


def _bridge_options(lines: list[str]) -> dict[str, Any]:
    """Methods and coefficients of a bridge; HEC-RAS's are dimensionless."""
    found: dict[str, Any] = {}
    for line in lines:
        if line.startswith("Bridge Culvert-"):
            flags = [c.strip() for c in line.removeprefix("Bridge Culvert-").split(",")]
            found["friction"], found["weight"] = flags[0] == "-1", flags[1] == "-1"
            found["pressure_by"] = "energy" if flags[2] == "-1" else "level"
        elif line.startswith("BR Coef="):
            c = [*_comma_fields(line), *[""] * 12]
            computed = ["energy"]
            computed += ["momentum"] if c[1] == "-1" else []
            computed += ["yarnell"] if c[2] == "-1" else []
            computed += ["wspro"] if c[4] == "-1" else []
            # the answer used: 0 the highest of those computed, else one of them
            used = {"1": "energy", "2": "momentum", "3": "yarnell", "4": "wspro"}.get(c[10])
            found["method"] = used or "+".join(computed)
            found["high_flow"] = "energy" if c[8] == "-1" else "pressure"
            for column, at in (
                ("yarnell_k", 3), ("sluice", 6), ("orifice", 7), ("pier_drag", 9)
            ):  # fmt: skip
                found[column] = _number_or_default(c[at])
    return found


def _pier_parts(lines: list[str], name: str, foot: float) -> list[dict[str, Any]]:
    """Piers; one that stands askew as wide as it is across the flow, cos θ w + sin θ L."""
    parts: list[dict[str, Any]] = []
    number = 0
    long = _deck_row_and_parts(lines, name, 1.0)[0].get("width_m", math.nan)
    for k, line in enumerate(lines):
        if not line.startswith("Pier Skew, UpSta & Num"):
            continue
        c = [*_comma_fields(line), *[""] * 8]
        size = int(_number_or_default(c[2], 0))
        width, at = _fixed_width_numbers(lines, k + 1, size)
        level, _ = _fixed_width_numbers(lines, at, size)
        turn = math.radians(abs(_number_or_default(c[0], 0.0)))
        if turn and math.isfinite(long):
            width = [math.cos(turn) * w + math.sin(turn) * long for w in width]
        for w, z in zip(width, level, strict=True):
            parts.append(
                {
                    "structure_id": name,
                    "part": "pier",
                    "group": str(number),
                    "offset_m": _number_or_default(c[1]) * foot,
                    "pier_width_m": w * foot,
                    "elevation_m": z * foot,
                }
            )
        number += 1
    return parts


def _barrel_part(line: str, name: str, foot: float) -> dict[str, Any] | None:
    """Barrels of a culvert line: one (``Culvert=``) or several alike."""
    many = line.startswith("Multiple Barrel Culv=")
    if not many and not line.startswith("Culvert="):
        return None
    c = [*_comma_fields(line), *[""] * 16]
    code = int(_number_or_default(c[0], 0))
    rise = _number_or_default(c[1]) * foot
    span = _number_or_default(c[2]) * foot
    return {
        "structure_id": name,
        "part": "culvert",
        "shape": SHAPE_CODES.get(code, "box"),
        "rise_m": rise,
        "span_m": span if math.isfinite(span) else rise,
        "length_m": _number_or_default(c[3]) * foot,
        "n": _number_or_default(c[4]),
        "entrance_loss": _number_or_default(c[5]),
        "exit_loss": _number_or_default(c[6]),
        "chart": _number_or_default(c[7]),
        "scale": _number_or_default(c[8]),
        "invert_up_m": _number_or_default(c[9]) * foot,
        "invert_down_m": _number_or_default(c[10 if many else 11]) * foot,
        "barrels": _number_or_default(c[11], 1.0) if many else 1.0,
        "group": c[12 if many else 13].strip(),
    }


def _inline_weir(
    lines: list[str], name: str, foot: float
) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """Inline weir with its crest and gates."""
    root = FOOT_SQRT if foot != 1 else 1.0
    row: dict[str, Any] = {"kind": "weir"}
    parts: list[dict[str, Any]] = []
    for k, line in enumerate(lines):
        if line.startswith("#Inline Weir SE="):
            size = int(_number_or_default(line.partition("=")[2], 0))
            values, _ = _fixed_width_numbers(lines, k + 1, 2 * size)
            for x, z in np.array(values).reshape(-1, 2) * foot:
                parts.append({"structure_id": name, "part": "crest", "offset_m": x, "crest_m": z})
        elif line.startswith("IW Dist,WD,Coef"):
            c = [*(v.strip() for v in lines[k + 1].split(",")), *[""] * 9]
            ogee = c[6] == "-1"
            row |= {
                "weir_coefficient": _number_or_default(c[2]) * root,
                "crest": "ogee" if ogee else "broad",
                "max_submergence": _number_or_default(c[4]),
                "design_head_m": _number_or_default(c[8]) * foot if ogee else math.nan,
            }
        elif line.startswith("IW Gate Name"):
            parts.append(_gate_part(lines[k + 1], name, foot, root))
            row["kind"] = "gate"
    return (row, parts) if parts else None


def _gate_part(line: str, name: str, foot: float, root: float) -> dict[str, Any]:
    c = [*(v.strip() for v in line.split(",")), *[""] * 24]
    ogee = c[10] == "-1"
    return {
        "structure_id": name,
        "part": "gate",
        "group": c[0],
        "gate_width_m": _number_or_default(c[1]) * foot,
        "gate_height_m": _number_or_default(c[2]) * foot,
        "sill_m": _number_or_default(c[3]) * foot,
        "gate_coefficient": _number_or_default(c[4]),
        "exponent_trunnion": _number_or_default(c[5]),
        "exponent_opening": _number_or_default(c[6]),
        "exponent_head": _number_or_default(c[7]),
        "gate_kind": GATE_CODES.get(int(_number_or_default(c[8], 0)), "vertical"),
        "sill_coefficient": _number_or_default(c[9]) * root,
        "sill_crest": "ogee" if ogee else "broad",
        "sill_design_head_m": _number_or_default(c[12]) * foot if ogee else math.nan,
        "n_gates": _number_or_default(c[13], 1.0),
        "trunnion_m": _number_or_default(c[14]) * foot,
        "orifice": _number_or_default(c[15]),
        "opening_m": 0.0,
    }


def _junction_rows(
    one: Mapping[str, Any], ways: Mapping[str, str], foot: float
) -> list[dict[str, Any]]:
    """Rivers of a junction with lengths and angles; the branches have them in order."""
    ends: list[tuple[str, str]] = []
    lengths: list[tuple[float, float]] = []
    method, friction, weight = "energy", True, True
    for line in one["lines"]:
        if line.startswith(("Up River,Reach=", "Dn River,Reach=")):
            wanted = [v.strip() for v in line.partition("=")[2].split(",")[:2]]
            river = next(
                (k for r, k in ways.items() if [v.strip() for v in r.split(",")[:2]] == wanted), ""
            )
            ends.append(("in" if line.startswith("Up") else "out", river))
        elif line.startswith("Junc L&A="):
            c = _comma_fields(line)
            lengths.append((_number_or_default(c[0]) * foot, _number_or_default(c[1], 0.0)))
        elif line.startswith("Junct Desc="):
            flags = [v.strip() for v in line.rpartition("=")[2].split(",")[-3:]]
            momentum, friction, weight = (f == "-1" for f in (flags[0], flags[1], flags[2]))
            method = "momentum" if momentum else "energy"
    if not ends or any(not river for _, river in ends):
        return []
    if not lengths or not all(math.isfinite(way) for way, _ in lengths):
        return []  # no junction can be computed without them
    many = "in" if sum(r == "in" for r, _ in ends) > 1 else "out"
    left = iter(lengths)
    rows = []
    for role, river in ends:
        way, turn = next(left, (math.nan, 0.0)) if role == many or len(ends) == 2 else (
            math.nan, 0.0
        )  # fmt: skip
        rows.append({
            "junction": one["name"], "river": river, "role": role, "length_m": way,
            "angle_deg": turn, "method": method, "friction": friction, "weight": weight,
        })  # fmt: skip
    return rows
