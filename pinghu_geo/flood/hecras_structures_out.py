"""How does HEC-RAS read our structures? Bridges, culverts, weirs, gates, junctions as its texts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.flood.bridge_rows import pier_centres
from pinghu_geo.flood.conduits import SHAPES
from pinghu_geo.flood.hecras_structures import GATE_CODES, METHOD_CODES, SHAPE_CODES
from pinghu_geo.flood.sections import Array, middle_of_bed
from pinghu_geo.flood.structure_rows import CRESTS, DEFAULTS, INLETS
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.schema import nearest
from pinghu_geo.nouns.tables import is_unknown, record_of, records_of

__all__ = [
    "RowWithDefaults", "abutment_lines", "barrel_lines", "crossing_head", "deck_lines",
    "deck_tables", "fixed_width_lines", "flag_line", "junction_lines", "method_lines",
    "own_section_lines", "pier_lines", "plain_number", "structure_lines",
]  # fmt: skip

GATE_HEAD = (
    "IW Gate Name Wd,H,Inv,GCoef,Exp_T,Exp_O,Exp_H,Type,WCoef,Is_Ogee,SpillHt,DesHd,#Openings"
)
TYPES = {"bridge": 3, "culvert": 2, "weir": 5, "gate": 5, "drop": 5}


def _fixed_width_number(value: float) -> str:
    """Number in eight characters; blank where there is none."""
    if value is None or not math.isfinite(value):
        return " " * 8
    for decimals in range(6, -1, -1):
        text = f"{value:.{decimals}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        if len(text) <= 8:
            return text.rjust(8)
    return f"{value:.1e}".rjust(8)


def fixed_width_lines(values: Iterable[float]) -> list[str]:
    """Numbers in eight characters each, ten a line; an empty line of none."""
    cells = [_fixed_width_number(v) for v in values]
    return ["".join(cells[k : k + 10]) for k in range(0, len(cells), 10)] or [""]


def plain_number(value: Any) -> str:
    """Number without what a float adds; empty where there is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return f"{float(value):.10g}"


class RowWithDefaults:
    """A row of the table with the defaults of `water_profile`."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row

    def __call__(self, column: str, default: Any = None) -> Any:
        """What it says of a column, or a default."""
        value = self.row.get(column)
        if is_unknown(value):
            return DEFAULTS.get(column) if default is None else default
        return value


def structure_lines(
    name: str,
    row: Mapping[str, Any],
    parts: Mapping[str, pd.DataFrame],
    rs: str,
    grounds: list[tuple[Array, Array]],
    gap: float,
) -> list[str]:
    """Lines of one structure between two sections, whose grounds are given, in SI."""
    said = RowWithDefaults(row)
    kind = row["kind"]
    words = [" ".join(str(name).split()), *_gate_opening_lines(parts)]
    lines = crossing_head(TYPES[kind], rs, words)
    if kind in ("bridge", "culvert"):
        lines.append(flag_line(said))
        lines += deck_lines(said, deck_tables(said, parts, grounds), gap)
        lines += pier_lines(said, parts, grounds) if kind == "bridge" else []
        if kind == "culvert":
            middle = float(grounds[0][0].mean())
            lines += barrel_lines(said, parts, gap, (middle, middle))
        else:
            lines += [*abutment_lines(parts), *method_lines(name, said), *own_section_lines(parts)]
        return [*lines, "BC Design=,, 0 ,, 0 ,,,,,,", ""]
    _refuse_sharp_crests(name, said, parts)
    return [*lines, *_inline_lines(said, parts, grounds[0]), ""]


def crossing_head(code: int, rs: str, words: list[str]) -> list[str]:
    """How a block between two sections begins, with its description."""
    return [f"Type RM Length L Ch R = {code} ,{rs:<8},,,", "BEGIN DESCRIPTION:", *words,
            "END DESCRIPTION:"]  # fmt: skip


def flag_line(said: RowWithDefaults) -> str:
    """Flags of momentum (friction, weight) and of the energy that pressure flow is tried by."""
    flags = [said("friction", True), said("weight", True),
             said("pressure_by", "energy") == "energy"]  # fmt: skip
    bridge = said.row["kind"] == "bridge"
    first = ",".join("-1" if f else "0" for f in flags) if bridge else "0,0,1"
    return f"Bridge Culvert-{first},-1, 0 "


def _gate_opening_lines(parts: Mapping[str, pd.DataFrame]) -> list[str]:
    """Gate openings in words: the geometry file has no place for them."""
    found = []
    for part in ("gate", "setting"):
        for one in parts.get(part, pd.DataFrame()).to_dict("records"):
            if pd.notna(one.get("opening_m")):
                of = " ".join(str(one[c]) for c in ("profile", "group") if pd.notna(one.get(c)))
                found.append(f"Gate opening {of}: {plain_number(one['opening_m'])} m")
    return found


def deck_tables(
    said: RowWithDefaults, parts: Mapping[str, pd.DataFrame], grounds: list[tuple[Array, Array]]
) -> list[Array]:
    """Offset, deck and low chord of the deck, above and below."""
    sides = []
    for side, ground in zip(("up", "down"), grounds, strict=True):
        if "deck" in parts:
            rows = parts["deck"]
            mine = rows[rows["side"] == side] if rows["side"].notna().any() else rows
            table = mine[["offset_m", "deck_m", "low_chord_m"]].to_numpy(float)
        else:
            table = _flat_deck(said, said.row["kind"], ground)
        sides.append(table)
    return sides


def deck_lines(said: RowWithDefaults, sides: list[Array], gap: float) -> list[str]:
    """Deck and roadway of a crossing, by its tables above and below."""
    width = float(said("width_m"))
    before = float(said("distance_m", (gap - width) / 2))
    count = ", ".join(str(len(s)) for s in sides)
    lines = [
        "Deck Dist Width WeirC Skew NumUp NumDn MinLoCord MaxHiCord MaxSubmerge Is_Ogee",
        f"{plain_number(max(before, 0.0))},{plain_number(width)},"
        f"{plain_number(said('weir_coefficient', CRESTS['road']))},"
        f"{plain_number(said('skew_deg'))}, {count}, , , "
        f"{plain_number(said('max_submergence'))}, 0, 0,0,,",
    ]
    for table in sides:
        for column in range(3):
            lines += fixed_width_lines(table[:, column])
    return lines


def _along_the_road(said: RowWithDefaults, offsets: Array, ground: tuple[Array, Array]) -> Array:
    """Offsets across the flow as those along a road at a skew, which shrink to them."""
    if not (skew := float(said("skew_deg", 0.0))):
        return offsets
    middle = middle_of_bed(*ground)
    along: Array = middle + (offsets - middle) / math.cos(math.radians(skew))
    return along


def _flat_deck(said: RowWithDefaults, kind: str, ground: tuple[Array, Array]) -> Array:
    """Deck of a row as points: solid outside the abutments, from end to end of the section."""
    x, z = ground
    high = float(said("deck_m", float(z.max()) + 10.0))
    first, last = _along_the_road(said, x[[0, -1]], ground).tolist()
    if kind == "culvert":
        return np.array([[first, high, np.nan], [last, high, np.nan]])
    low, solid = float(said("low_chord_m", math.nan)), float(z.min()) - 1.0
    a, b = float(said("from_offset_m", first)), float(said("to_offset_m", last))
    rows = [[a, high, low], [b, high, low]]
    if a > first:
        rows = [[first, high, solid], [a, high, solid], *rows]
    if b < last:
        rows = [*rows, [b, high, solid], [last, high, solid]]
    return np.array(rows)


def pier_lines(
    said: RowWithDefaults, parts: Mapping[str, pd.DataFrame], grounds: list[tuple[Array, Array]]
) -> list[str]:
    """Piers, each above and below; of a row between its abutments."""
    z = grounds[0][1]
    floor, top = float(z.min()) - 1.0, float(said("low_chord_m", float(z.max()) + 10.0))
    piers: list[list[tuple[float, list[float], list[float]]]] = []  # each above and below
    if "pier" in parts:
        rows = parts["pier"]
        by = "group" if rows["group"].notna().all() else "offset_m"
        for _, part in rows.groupby(by, sort=False):
            faces = []
            for side in ("up", "down"):
                mine = part[part["side"].isna() | (part["side"] == side)]
                mine = mine if len(mine) else part
                width, level = mine["pier_width_m"].to_list(), mine["elevation_m"].to_list()
                if np.isnan(level).all():
                    width, level = [width[0]] * 2, [floor, top]
                faces.append((float(mine["offset_m"].iloc[0]), width, level))
            piers.append(faces)
    elif float(said("n_piers", 0)):
        wide = float(said("pier_width_m"))
        at = zip(*(_piers_of_row(said, ground, wide) for ground in grounds), strict=True)
        piers = [[(float(c), [wide, wide], [floor, top]) for c in both] for both in at]
    turn = math.radians(abs(float(said("pier_skew_deg", 0.0))))
    long = float(said("width_m"))
    lines = []
    for faces in piers:
        places = ",".join(f"{plain_number(at)}, {len(along)} " for at, along, _ in faces)
        lines.append(f"Pier Skew, UpSta & Num, DnSta & Num= ,{places}, 0 , 0 , 0 ,,")
        for _, along, level in faces:
            width = [math.cos(turn) * w + math.sin(turn) * long for w in along]  # across the flow
            lines += [*fixed_width_lines(width), *fixed_width_lines(level)]
    return lines


def _piers_of_row(said: RowWithDefaults, ground: tuple[Array, Array], wide: float) -> Array:
    """Centres of a row's piers along the road; across the flow they stand at equal distances."""
    first, last = _along_the_road(said, ground[0][[0, -1]], ground).tolist()
    ends = [float(said("from_offset_m", first)), float(said("to_offset_m", last))]
    count, shrunk = int(said("n_piers")), math.cos(math.radians(float(said("skew_deg", 0.0))))
    middle = middle_of_bed(*ground) if shrunk < 1 else 0.0
    a, b = (middle + (v - middle) * shrunk for v in ends)
    return _along_the_road(said, pier_centres(a, b, count, wide), ground)


def abutment_lines(parts: Mapping[str, pd.DataFrame]) -> list[str]:
    """Abutments, each above and below."""
    if "abutment" not in parts:
        return []
    lines: list[str] = []
    rows = parts["abutment"]
    for _, part in rows.groupby("group", sort=False, dropna=False):
        sides = [part[part["side"].isna() | (part["side"] == s)] for s in ("up", "down")]
        count = ", ".join(str(len(s)) for s in sides)
        lines.append(f"Abutment Skew #Up #Dn= , {count} ")
        for side in sides:
            for column in ("offset_m", "elevation_m"):
                lines += fixed_width_lines(side[column].astype(float)) if len(side) else []
    return lines


def own_section_lines(parts: Mapping[str, pd.DataFrame]) -> list[str]:
    """A bridge's own sections; n where it changes."""
    if "ground" not in parts:
        return []
    lines: list[str] = []
    rows = parts["ground"]
    for side, head in (("up", "BR U"), ("down", "BR D")):
        mine = rows[rows["side"].isna() | (rows["side"] == side)]
        if mine.empty:
            continue
        points = mine[["offset_m", "elevation_m"]].to_numpy(float)
        lines += [f"{head} #Sta/Elev= {len(points)} ", *fixed_width_lines(points.ravel())]
        known = mine[["offset_m", "n"]].astype(float).dropna().to_numpy()
        rough = known[np.r_[True, np.diff(known[:, 1]) != 0][: len(known)]]
        if len(rough):
            lines += [f"{head} #Mann= {len(rough)} ", *fixed_width_lines(rough.ravel())]
        banks = [mine[c].dropna() for c in ("left_bank_m", "right_bank_m")]
        said = ",".join(plain_number(b.iloc[0]) if len(b) else "" for b in banks)
        lines.append(f"{head} Banks={said}")
    return lines


def method_lines(name: str, said: RowWithDefaults) -> list[str]:
    """Methods of low and high flow; HEC-RAS uses one of those computed, or the highest."""
    words = [w.strip() for w in str(said("method", "energy")).split("+")]
    if len(words) > 1 and "energy" not in words:
        raise HydraulicsError(
            f"takes the highest of {' and '.join(words)}; HEC-RAS's highest includes energy",
            layer="structures",
            ids=[name],
            hint="add energy to method, or take one of them",
        )
    used = 0 if len(words) > 1 else {v: k for k, v in METHOD_CODES.items()}[words[0]]
    flags = ["-1" if w in words else "0" for w in ("momentum", "yarnell")]
    high = "-1" if said("high_flow", "pressure") == "energy" else "0"
    return [
        f"BR Coef=-1 ,{flags[0]} ,{flags[1]} ,{plain_number(said('yarnell_k'))}, "
        f"{'-1' if 'wspro' in words else '0'} ,,{plain_number(said('sluice', math.nan))},"
        f"{plain_number(said('orifice'))},{high},{plain_number(said('pier_drag'))},{used},"
        f"{plain_number(said('pressure_chord_m', math.nan))}",
        "WSPro=,,,, 1 ,,,, 0 ,,,, 0 ,,,,-1 ,-1 ,-1 , 0 , 0 , 0 , 0 , 0 ",
    ]


def barrel_lines(
    said: RowWithDefaults,
    parts: Mapping[str, pd.DataFrame],
    gap: float,
    between: tuple[float, float],
) -> list[str]:
    """Groups of barrels side by side ``between`` two offsets; in one place if these are one."""
    codes = {v: k for k, v in SHAPE_CODES.items()}
    rows = [
        RowWithDefaults({**said.row, **{c: v for c, v in part.items() if not is_unknown(v)}})
        for part in (records_of(parts["culvert"]) if "culvert" in parts else [{}])
    ]
    counts = [int(one("barrels")) for one in rows]
    spans = np.repeat([float(one("span_m", one("rise_m"))) for one in rows], counts)
    a, b = between
    spare = (b - a - spans.sum()) / max(len(spans) - 1, 1)
    if len(spans) == 1 or a == b:  # one stands in the middle; where none is said, all do
        at = np.full(len(spans), (a + b) / 2)
    else:
        at = a + np.cumsum(spans) - spans / 2 + spare * np.arange(len(spans))
    lines: list[str] = []
    for k, (one, stood) in enumerate(zip(rows, np.split(at, np.cumsum(counts)[:-1]), strict=True)):
        shape = str(one("shape", SHAPES[0]))
        chart = (
            one("chart", INLETS[shape][0]),
            one("scale", 1 if one("chart", 0) else INLETS[shape][1]),
        )
        values = [codes[shape], one("rise_m"), one("span_m", one("rise_m")), one("length_m", gap),
                  one("n"), one("entrance_loss"), one("exit_loss"), *chart, one("invert_up_m"),
                  one("invert_down_m")]  # fmt: skip
        label = str(one("group", f"Culvert # {k + 1}"))[:12]
        lines.append(
            f"Multiple Barrel Culv={','.join(map(plain_number, values))}, "
            f"{counts[k]},{label:<12}, 0 ,5"
        )
        lines += fixed_width_lines(np.repeat(stood, 2))
        lines.append(f"Culvert Bottom n={plain_number(one('n_bottom', one('n')))}")
        for column, head in (("n_bottom_to_m", "Bottom Depth"), ("blocked_m", "Depth Blocked")):
            if float(one(column, 0.0) or 0.0) > 0:
                lines.append(f"Culvert {head}={plain_number(one(column))}")
    return lines


def _refuse_sharp_crests(
    name: Any, said: RowWithDefaults, parts: Mapping[str, pd.DataFrame]
) -> None:
    """Refuse crests that drown as sharp ones: the file knows broad ones and ogees."""
    forms = {"crest": said("crest", "broad"), "sill_crest": said("sill_crest", "broad")}
    for column, form in forms.items():
        if str(form) == "sharp":
            raise HydraulicsError(
                "has a sharp crest, which drowns as HEC-RAS's broad ones and ogees don't",
                layer="structures", ids=[name],
                hint=f'structures = structures.replace({{"{column}": {{"sharp": "broad"}}}})'
                "  # and compute with it, too",
            )  # fmt: skip
    if "gate" in parts and (parts["gate"].get("sill_crest", pd.Series(dtype=str)) == "sharp").any():
        raise HydraulicsError(
            "has a gate with a sharp sill, which drowns as HEC-RAS's broad ones and ogees don't",
            layer="structure_parts", ids=[name],
            hint='structure_parts = structure_parts.replace({"sill_crest": {"sharp": "broad"}})'
            "  # and compute with it, too",
        )  # fmt: skip


def _inline_lines(
    said: RowWithDefaults, parts: Mapping[str, pd.DataFrame], ground: Any
) -> list[str]:
    x, z = ground
    if "crest" in parts:
        crest = parts["crest"][["offset_m", "crest_m"]].to_numpy(float)
    else:
        level = float(said("crest_m", float(z.max()) + 1.0))
        a, b = float(said("from_offset_m", x[0])), float(said("to_offset_m", x[-1]))
        crest = np.array([[a, level], [b, level]])
    form = str(said("crest", "broad"))
    ogee = form == "ogee"
    lines = [
        "IW Pilot Flow=0",
        f"#Inline Weir SE= {len(crest)} ",
        *fixed_width_lines(crest.ravel()),
    ]
    coefficient = said("weir_coefficient", CRESTS[form])
    lines += [
        "IW Dist,WD,Coef,Skew,MaxSub,Min_El,Is_Ogee,SpillHt,DesHd",
        f"1,1,{plain_number(coefficient)},0,{plain_number(said('max_submergence'))},,"
        f"{'-1' if ogee else '0'} ,"
        f",{plain_number(said('design_head_m', math.nan))},0,0,",
    ]
    rows = records_of(parts["gate"]) if "gate" in parts else []
    if not rows and said("gate_width_m", 0):
        rows = [{}]
    codes = {v: k for k, v in GATE_CODES.items()}
    for k, part in enumerate(rows):
        own = {c: v for c, v in part.items() if isinstance(v, str) or pd.notna(v)}
        one = RowWithDefaults({**said.row, **own})
        sill = str(one("sill_crest", "broad"))
        count = int(one("n_gates", 1))
        values = [one("gate_width_m"), one("gate_height_m"), one("sill_m"),
                  one("gate_coefficient"), one("exponent_trunnion"), one("exponent_opening"),
                  one("exponent_head")]  # fmt: skip
        lines += [
            GATE_HEAD,
            f"{str(one('group', f'Gate {k + 1}'))[:12]:<12},"
            f"{','.join(map(plain_number, values))}, "
            f"{codes[str(one('gate_kind', 'vertical'))]} ,"
            f"{plain_number(one('sill_coefficient', CRESTS[sill]))},"
            f"{'-1' if sill == 'ogee' else '0'} ,,"
            f"{plain_number(one('sill_design_head_m', math.nan))}, {count} ,"
            f"{plain_number(one('trunnion_m', one('gate_height_m')))},"
            f"{plain_number(one('orifice'))},"
            " 0 ,0.8,,0,0,0, 0 ",
            *fixed_width_lines([float(x.mean())] * count),
        ]
    return lines


def junction_lines(
    junctions: pd.DataFrame, names: Mapping[str, tuple[str, str, str]], wide: int
) -> list[str]:
    """Lines of all junctions; rivers by their names in the file."""
    lines: list[str] = []
    lost = ~junctions["river"].isin(names)
    if lost.any():
        raise HydraulicsError(
            "names rivers without sections", layer="junctions", ids=junctions.index[lost],
            hint=nearest(junctions.loc[lost, "river"].iloc[0], names),
        )  # fmt: skip
    for name, rows in junctions.groupby("junction", sort=False):
        one = RowWithDefaults(record_of(rows.iloc[0]))
        flags = [one("method", "energy") == "momentum", one("friction", True), one("weight", True)]
        said = ", ".join("-1" if f else "0" for f in flags)
        lines += [f"Junct Name={str(name)[:wide]:<{wide}}", f"Junct Desc=, {said}",
                  "Junct X Y & Text X Y=0,0,0,0"]  # fmt: skip
        for role, head in (("in", "Up"), ("out", "Dn")):
            for river in rows.loc[rows["role"] == role, "river"]:
                file_name, reach, _ = names[river]
                lines.append(f"{head} River,Reach={file_name:<{wide}},{reach:<{wide}}")
        many = "in" if (rows["role"] == "in").sum() > 1 else "out"
        branches = rows if len(rows) == 2 else rows[rows["role"] == many]
        for branch in branches.to_dict("records"):
            turn = branch.get("angle_deg")
            turn = 0.0 if turn is None or pd.isna(turn) else turn
            lines.append(f"Junc L&A={plain_number(branch.get('length_m'))},{plain_number(turn)}")
        lines.append("")
    return lines
