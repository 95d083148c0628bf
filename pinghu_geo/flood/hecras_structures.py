"""Which structures stand in a HEC-RAS text? Bridges, culverts, weirs, gates, junctions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.flood.channel import with_roughness
from pinghu_geo.flood.gates import FOOT_SQRT
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.structure_rows import MOST
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.tables import groups_of

__all__ = [
    "GATE_CODES", "METHOD_CODES", "PARSED", "SHAPE_CODES", "coefficients_mended", "decks_mended",
    "open_stretches", "structures_between", "structures_of_text",
]  # fmt: skip

COLUMN = 8
# kinds of the reader's blocks that become tables here
PARSED = ("bridge", "culvert", "multiple_opening", "inline_structure", "junction")
SHAPE_CODES = {
    1: "circle", 2: "box", 3: "pipe_arch", 4: "ellipse", 5: "arch", 6: "semicircle",
    7: "low_arch", 8: "high_arch", 9: "conspan",
}  # fmt: skip
# the answer of low flow that is used. 3 is WSPRO: of the program's example 13 it moves the level
# below the bridge, too, as no other does; 4 is what is left
METHOD_CODES = {1: "energy", 2: "momentum", 3: "wspro", 4: "yarnell"}
GATE_CODES = {0: "vertical", 1: "radial", 2: "overflow"}

# a bridge's own sections; what else such lines say the tables can't
SIDES = {"up": "BR U", "down": "BR D"}
OWN_SECTION = tuple(f"{s} {w}=" for s in SIDES.values() for w in ("#Sta/Elev", "#Mann", "Banks"))

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
    block has that the tables can't say (lateral structures, openings by conveyance) is left to the
    reader's list.
    """
    rows: dict[str, dict[str, Any]] = {}
    parts: list[dict[str, Any]] = []
    done: list[int] = []
    grounds = _grounds_beside(blocks)
    for k, one in enumerate(blocks):
        if k not in between or one["kind"] not in PARSED:
            continue
        river, above, below = between[k]
        if not (math.isfinite(above) and math.isfinite(below)) or above == below:
            continue
        made = _openings_of_block(one, grounds.get(k, {}), foot)
        for i, (row, more) in enumerate(made):
            name = f"{river} {one['rs']}" + (f" #{i + 1}" if len(made) > 1 else "")
            name = _unused_name(name, rows)
            rows[name] = {
                "river": river, "chainage_m": (above + below) / 2, **row, "rs": one["rs"],
                "above_m": above, "below_m": below,
            }  # fmt: skip
            parts += [{"structure_id": name, **part} for part in more]
        done += [k] if made else []
    junctions = []
    for k, one in enumerate(blocks):
        if one["kind"] == "junction":
            found = _junction_rows(one, ways, foot)
            junctions += found
            done += [k] if found else []
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "structure_id"
    return table, pd.DataFrame(parts), pd.DataFrame(junctions), done


# columns of a list of what is left out
LISTED = ["kind", "name", "river", "rs", "above_m", "below_m"]


def decks_mended(
    structures: pd.DataFrame, parts: pd.DataFrame, sections: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Parts whose decks have no thickness where their low chord lies above them, and their list.

    HEC-RAS computes such decks, often beyond the opening, where both lie in the ground, and piers
    that stand beside their deck or section; here they would be refused as a slip. Such piers are
    left away. The list is for what is left out: kind, name, river, rs.
    """
    none = pd.DataFrame(columns=["kind", "name", "river", "rs"])
    if parts.empty or not {"low_chord_m", "deck_m"} <= set(parts.columns):
        return parts, none
    high = (parts["low_chord_m"] > parts["deck_m"]).to_numpy(bool)
    low = parts["low_chord_m"].where(~high, parts["deck_m"])
    beside = _piers_beside_decks(structures, parts, sections)
    lists = [
        structures.loc[parts.loc[which, "structure_id"].unique(), ["river", "rs"]].assign(
            kind=kind, name=name
        )
        for which, kind, name in (
            (high, "deck", "low chord above deck"), (beside, "pier", "beside the deck"),
        )
    ]  # fmt: skip
    listed = pd.concat(lists, ignore_index=True)
    return parts.assign(low_chord_m=low)[~beside].reset_index(drop=True), listed[none.columns]


def coefficients_mended(
    structures: pd.DataFrame, parts: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Structures and parts without coefficients beyond what any has, and the list of these.

    HEC-RAS computes with them; here one would refuse the whole model. Blank, they are the usual.
    """
    made, lists = [], [pd.DataFrame(columns=LISTED)]
    for table in (structures, parts):
        for column in [c for c in MOST if c in table.columns]:
            values = pd.to_numeric(table[column], errors="coerce")
            odd = (values > MOST[column]).to_numpy(bool)
            if odd.any():
                owner = table["structure_id"] if "structure_id" in table.columns else table.index
                said = structures.loc[np.asarray(owner)[odd], LISTED[2:]]
                names = [f"{column} {v:g}" for v in values[odd]]
                lists.append(said.assign(kind="coefficient", name=names)[LISTED])
                table = table.assign(**{column: values.mask(odd)})  # noqa: PLW2901
        made.append(table)
    filled = [one for one in lists if len(one)] or lists
    return made[0], made[1], pd.concat(filled, ignore_index=True)


def _piers_beside_decks(
    structures: pd.DataFrame, parts: pd.DataFrame, sections: pd.DataFrame
) -> Array:
    """Which rows are of piers that stand where there is no deck, no low chord, or no section."""
    found = np.zeros(len(parts), bool)
    piers = parts[parts["part"] == "pier"]
    if piers.empty:
        return found
    said = structures.to_dict("index")
    for (name, _), rows in groups_of(piers.groupby(["structure_id", "group"], sort=False)):
        one, mine = said[name], parts[parts["structure_id"] == name]
        for face, place in (("up", "above_m"), ("down", "below_m")):
            own = mine[_of_face(mine, face)]
            pier = rows[_of_face(rows, face)]
            line = own[own["part"] == "deck"]
            ground = own[own["part"] == "ground"]
            if ground.empty:
                here = sections["river"].eq(one["river"]) & sections["chainage_m"].eq(one[place])
                ground = sections[here]
            if pier.empty or len(line) < 2 or ground.empty:
                continue
            at, half = float(pier["offset_m"].iloc[0]), float(pier["pier_width_m"].max()) / 2
            x, low = line[["offset_m", "low_chord_m"]].to_numpy(float).T
            inside = (x[:-1] <= at) & (x[1:] >= at) & np.isfinite(low[:-1])
            edges = ground["offset_m"].min(), ground["offset_m"].max()
            stands = inside.any() and edges[0] <= at - half and at + half <= edges[1]
            found[rows.index] |= not stands
    return found


def _of_face(rows: pd.DataFrame, face: str) -> pd.Series[bool]:
    """Which rows stand on a face of a bridge, or on both."""
    side = rows["side"] if "side" in rows.columns else pd.Series(None, rows.index, object)
    return side.isna() | (side == face)


def _unused_name(name: str, taken: Mapping[str, Any]) -> str:
    k, tried = 1, name
    while tried in taken:
        k, tried = k + 1, f"{name} ({k + 1})"
    return tried


Row = dict[str, Any]
Opening = tuple[Row, list[Row]]


def _grounds_beside(blocks: list[dict[str, Any]]) -> dict[int, dict[str, Array]]:
    """Points of the sections beside each crossing of several openings, in the file's unit."""
    found: dict[int, dict[str, Array]] = {}
    last: Mapping[str, Any] = {"lines": []}
    open_: list[int] = []
    for k, one in enumerate(blocks):
        if one["kind"] == "section":
            for j in open_:
                found[j]["down"] = _section_points(one["lines"], "#Sta/Elev=")
            open_, last = [], one
        elif one["kind"] == "multiple_opening":
            found[k] = {"up": _section_points(last["lines"], "#Sta/Elev=")}
            open_.append(k)
    return found


def _section_points(lines: list[str], head: str, each: int = 2) -> Array:
    """Rows of numbers below a heading that says how many."""
    for k, line in enumerate(lines):
        if line.startswith(head):
            count = int(_number_or_default(line.partition("=")[2].split(",")[0], 0))
            values, _ = _fixed_width_numbers(lines, k + 1, each * count)
            return np.array(values, float).reshape(-1, each)
    return np.empty((0, each))


def _openings_of_block(
    one: Mapping[str, Any], grounds: Mapping[str, Array], foot: float
) -> list[Opening]:
    """Rows and parts of a block, a row an opening; none where the tables can't say all of it."""
    lines = one["lines"]
    if one["kind"] == "inline_structure":
        found = _inline_weir(lines, foot)
        return [found] if found else []
    row, deck = _deck_row_and_parts(lines, foot)
    barrels = _barrel_groups_of(lines, foot)
    inside = _own_sections(lines, foot)
    abutments = _abutment_parts(lines, foot)
    if abutments is None or _says_more_of_own_sections(lines):
        return []
    options = [
        _bridge_options([*lines, line], foot) for line in lines if line.startswith("BR Coef=")
    ]
    if one["kind"] == "multiple_opening":
        bridge = [*_pier_parts(lines, foot), *inside, *abutments]
        return _several_openings(lines, row, deck, (barrels, bridge, options), grounds, foot)
    if barrels:
        groups = [part for part, _ in barrels]
        return [({"kind": "culvert", **row}, [*deck, *groups])]
    if not deck:
        return []
    options = options or [_bridge_options(lines, foot)]
    parts = [*deck, *_pier_parts(lines, foot), *inside, *abutments]
    return [({"kind": "bridge", **row, **options[0]}, parts)]


def _says_more_of_own_sections(lines: list[str]) -> bool:
    """Whether a bridge's own sections have what isn't known here, such as idle areas."""
    heads = tuple(SIDES.values())
    return any(line.startswith(heads) and not line.startswith(OWN_SECTION) for line in lines)


def _barrel_groups_of(lines: list[str], foot: float) -> list[tuple[Row, list[float]]]:
    """Groups of barrels, each with the offsets of its barrels in the section above."""
    found: list[tuple[Row, list[float]]] = []
    for k, line in enumerate(lines):
        part = _barrel_part(line, foot)
        if part:
            at: list[float] = []
            if line.startswith("Multiple"):
                values, _ = _fixed_width_numbers(lines, k + 1, 2 * int(part["barrels"]))
                at = [v * foot for v in values[::2]]
            found.append((part, at))
        elif found and line.startswith("Culvert Bottom n="):  # what follows a barrel says more
            found[-1][0]["n_bottom"] = _number_or_default(line.partition("=")[2])
        elif found and line.startswith("Culvert Bottom Depth="):
            found[-1][0]["n_bottom_to_m"] = _number_or_default(line.partition("=")[2]) * foot
        elif found and line.startswith("Culvert Depth Blocked="):
            found[-1][0]["blocked_m"] = _number_or_default(line.partition("=")[2]) * foot
    return found


def _several_openings(
    lines: list[str],
    row: Row,
    deck: list[Row],
    of: tuple[list[tuple[Row, list[float]]], list[Row], list[Row]],
    grounds: Mapping[str, Array],
    foot: float,
) -> list[Opening]:
    """Openings of one road: each with its limits, and its share of deck, piers and barrels.

    ``BC Mult`` has a line an opening: its kind (2 culverts, 3 bridge; 1, by conveyance, isn't
    known here), and its limits in the section above and below. Limits of neighbours overlap, so
    that spans, piers and barrels belong to the opening whose middle is nearest. ``BR Coef`` has a
    line a bridge, or one for all.
    """
    barrels, bridge, options = of
    limits = [[_number_or_default(v) for v in _comma_fields(v)] for v in lines
              if v.startswith("BC Mult=")]  # fmt: skip
    kinds = [int(c[0]) for c in limits]
    spans = _open_spans(deck, bridge, grounds, foot)
    lost = (3 in kinds and not options) or (barrels and 2 not in kinds)
    if not limits or not set(kinds) <= {2, 3} or not spans or lost:
        return []
    middles = np.array([(c[1] + c[2]) / 2 * foot for c in limits])

    def owner(at: float, kind: int) -> int:
        near = [k for k, found in enumerate(kinds) if found == kind]
        inside = [k for k in near if limits[k][1] * foot <= at <= limits[k][2] * foot] or near
        return min(inside, key=lambda k: abs(float(middles[k]) - at))

    of_span = [owner((a + b) / 2, 3) for a, b in spans["up"]]
    if sorted(set(of_span)) != [k for k, kind in enumerate(kinds) if kind == 3]:
        return []

    def mine(part: Row, k: int) -> bool:
        at = part["offset_m"]
        away = [max(a - at, at - b, 0.0) for a, b in spans[part.get("side") or "up"]]
        return of_span[int(np.argmin(away))] == k

    found: list[Opening] = []
    for k, (kind, (_, left, right, *_)) in enumerate(zip(kinds, limits, strict=True)):
        said = row | {"limit_left_m": left * foot, "limit_right_m": right * foot}
        if kind == 3:
            own = [part if mine(part, k) else part | {"low_chord_m": math.nan} for part in deck]
            own += [part for part in bridge if part["part"] != "pier" or mine(part, k)]
            found.append(
                (
                    {
                        "kind": "bridge",
                        **said,
                        **options[min(kinds[:k].count(3), len(options) - 1)],
                    },
                    own,
                )
            )
            continue
        groups = [(p, at) for p, at in barrels if at and owner(float(np.mean(at)), 2) == k]
        if not groups:
            return []
        ends = [(min(at) - p["span_m"] / 2, max(at) + p["span_m"] / 2) for p, at in groups]
        said |= {"from_offset_m": min(a for a, _ in ends), "to_offset_m": max(b for _, b in ends)}
        said |= groups[0][0] if len(groups) == 1 else {}
        known = {"rise_m": groups[0][0]["rise_m"], "invert_up_m": groups[0][0]["invert_up_m"]}
        found.append(({**known, **said, "kind": "culvert"}, [*deck, *(p for p, _ in groups)]))
    return found


def _open_spans(
    deck: list[Row], bridge: list[Row], grounds: Mapping[str, Array], foot: float
) -> dict[str, list[tuple[float, float]]]:
    """Stretches of either side where the low chord lies above the ground; {} where they differ."""
    found = {}
    for side in SIDES:
        line = [(p["offset_m"], p["low_chord_m"]) for p in deck if p["side"] == side]
        own = [(p["offset_m"], p["elevation_m"]) for p in bridge
               if p["part"] == "ground" and p["side"] == side]  # fmt: skip
        ground = np.array(own) if own else grounds.get(side, np.empty((0, 2))) * foot
        if len(line) < 2 or len(ground) < 2:
            return {}
        found[side] = open_stretches(*np.array(line).T, *ground.T)
    return found if len(found["up"]) == len(found["down"]) else {}


def open_stretches(dx: Array, low: Array, x: Array, z: Array) -> list[tuple[float, float]]:
    """Stretches where a low chord of offsets dx lies above the ground of offsets x."""
    stops = np.unique(np.r_[dx, x])
    stops = stops[(stops >= dx[0]) & (stops <= dx[-1])]
    free = np.zeros(len(stops) - 1, bool)
    for part in (0.01, 0.5, 0.99):
        at = stops[:-1] + part * np.diff(stops)
        free |= np.interp(at, dx, low) > np.interp(at, x, z) + 1e-6
    ends = np.flatnonzero(np.diff(np.r_[False, free, False].astype(int)))
    return [(float(stops[a]), float(stops[b])) for a, b in ends.reshape(-1, 2)]


def _own_sections(lines: list[str], foot: float) -> list[Row]:
    """A bridge's own sections, above and below, with their n and banks."""
    found: list[Row] = []
    for side, head in SIDES.items():
        points = _section_points(lines, f"{head} #Sta/Elev=")
        if not len(points):
            continue
        if np.isnan(points).any():
            raise ValueError(f"{head} #Sta/Elev= lacks numbers")
        section = pd.DataFrame({
            "river": "", "chainage_m": 0.0, "offset_m": points[:, 0], "elevation_m": points[:, 1],
        })  # fmt: skip
        rough = _section_points(lines, f"{head} #Mann=")
        if len(rough):
            section = with_roughness(section, pd.DataFrame(rough, columns=["offset_m", "n"]))
        banks = next((_comma_fields(v) for v in lines if v.startswith(f"{head} Banks=")), [])
        left, right = [*(_number_or_default(v) * foot for v in banks), math.nan, math.nan][:2]
        for point in section.to_dict("records"):
            found.append({
                "part": "ground", "side": side, "offset_m": point["offset_m"] * foot,
                "elevation_m": point["elevation_m"] * foot, "n": point.get("n", math.nan),
                "left_bank_m": left, "right_bank_m": right,
            })  # fmt: skip
    return found


def _abutment_parts(lines: list[str], foot: float) -> list[Row] | None:
    """Abutments, solid below their lines; None where one stands askew, which isn't known here."""
    found: list[Row] = []
    number = 0
    for k, line in enumerate(lines):
        if not line.startswith("Abutment Skew #Up #Dn="):
            continue
        skew, *counts = [*_comma_fields(line), "", ""][:3]
        if _number_or_default(skew, 0.0) != 0:
            return None
        at = k + 1
        for side, count in zip(SIDES, counts, strict=True):
            size = int(_number_or_default(count, 0))
            x, at = _fixed_width_numbers(lines, at, size)
            z, at = _fixed_width_numbers(lines, at, size)
            found += [
                {"part": "abutment", "side": side, "group": str(number), "offset_m": a * foot,
                 "elevation_m": b * foot} for a, b in zip(x, z, strict=True)
            ]  # fmt: skip
        number += 1
    return found


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
    lines: list[str], foot: float
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
                "part": "deck", "side": side, "offset_m": x * foot, "deck_m": high * foot,
                "low_chord_m": low * foot,
            })  # fmt: skip
    return row, parts


def _is_ticked(cell: str) -> bool:
    """Whether a box of HEC-RAS's editor is ticked: -1, or 1 (which Baxter's HDF has as ticked)."""
    return _number_or_default(cell, 0.0) != 0


def _bridge_options(lines: list[str], foot: float) -> dict[str, Any]:
    """Methods and coefficients of a bridge; HEC-RAS's are dimensionless."""
    found: dict[str, Any] = {}
    for line in lines:
        if line.startswith("Bridge Culvert-"):
            flags = [c.strip() for c in line.removeprefix("Bridge Culvert-").split(",")]
            found["friction"], found["weight"] = (_is_ticked(flag) for flag in flags[:2])
            found["pressure_by"] = "energy" if _is_ticked(flags[2]) else "level"
        elif line.startswith("BR Coef="):
            c = [*_comma_fields(line), *[""] * 12]
            computed = ["energy"]
            for method, at in (("momentum", 1), ("yarnell", 2), ("wspro", 4)):
                computed += [method] if _is_ticked(c[at]) else []
            # the answer used: 0 the highest of those computed, else one of them
            used = METHOD_CODES.get(int(_number_or_default(c[10], 0)))
            found["method"] = used or "+".join(computed)
            found["high_flow"] = "energy" if _is_ticked(c[8]) else "pressure"
            found["pressure_chord_m"] = _number_or_default(c[11]) * foot
            for column, at in (
                ("yarnell_k", 3), ("sluice", 6), ("orifice", 7), ("pier_drag", 9)
            ):  # fmt: skip
                found[column] = _number_or_default(c[at])
    return found


def _pier_parts(lines: list[str], foot: float) -> list[Row]:
    """Piers; one that stands askew as wide as it is across the flow, cos θ w + sin θ L.

    Of both faces apart where they differ.
    """
    parts: list[Row] = []
    number = 0
    long = _deck_row_and_parts(lines, 1.0)[0].get("width_m", math.nan)
    for k, line in enumerate(lines):
        if not line.startswith("Pier Skew, UpSta & Num"):
            continue
        c = [*_comma_fields(line), *[""] * 8]
        turn = math.radians(abs(_number_or_default(c[0], 0.0)))
        at, faces = k + 1, []
        for station, count in ((c[1], c[2]), (c[3], c[4])):
            size = int(_number_or_default(count, 0))
            width, at = _fixed_width_numbers(lines, at, size)
            level, at = _fixed_width_numbers(lines, at, size)
            if turn and math.isfinite(long):
                width = [math.cos(turn) * w + math.sin(turn) * long for w in width]
            faces.append((_number_or_default(station), width, level))
        alike = faces[0] == faces[1] or not faces[1][1]
        for side, (place, width, level) in zip(SIDES, faces, strict=True):
            said = {"part": "pier", "group": str(number), "offset_m": place * foot}
            if not alike:
                said["side"] = side
            elif side == "down":
                break
            parts += [said | {"pier_width_m": w * foot, "elevation_m": z * foot}
                      for w, z in zip(width, level, strict=True)]  # fmt: skip
        number += 1
    return parts


def _barrel_part(line: str, foot: float) -> dict[str, Any] | None:
    """Barrels of a culvert line: one (``Culvert=``) or several alike."""
    many = line.startswith("Multiple Barrel Culv=")
    if not many and not line.startswith("Culvert="):
        return None
    c = [*_comma_fields(line), *[""] * 16]
    code = int(_number_or_default(c[0], 0))
    rise = _number_or_default(c[1]) * foot
    span = _number_or_default(c[2]) * foot
    return {
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
    lines: list[str], foot: float
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
                parts.append({"part": "crest", "offset_m": x, "crest_m": z})
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
            parts.append(_gate_part(lines[k + 1], foot, root))
            row["kind"] = "gate"
    return (row, parts) if parts else None


def _gate_part(line: str, foot: float, root: float) -> dict[str, Any]:
    c = [*(v.strip() for v in line.split(",")), *[""] * 24]
    ogee = c[10] == "-1"
    return {
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
        "trunnion_m": (_number_or_default(c[14]) or math.nan) * foot,  # 0 of gates that have none
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
