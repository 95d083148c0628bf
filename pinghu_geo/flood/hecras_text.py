"""What did the design institute model? HEC-RAS's text files of geometry and steady flow, in SI.

Geometry (.g01) and steady flow (.f01) are texts with numbers in columns of eight characters, in
which blanks have a meaning. River stations (RS) fall downstream; here chainages grow, so that a
section's chainage is the way from the uppermost one unless its description holds a chainage.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from pinghu_geo.flood.channel import with_roughness
from pinghu_geo.flood.hecras import (
    LEFT_OUT,
    OBSTACLE,
    UNITS,
    HecRas,
    and_listed,
    obstacle_table,
    plain_file,
    reach_names,
    with_left_out,
)
from pinghu_geo.flood.hecras_structures import (
    coefficients_mended,
    decks_mended,
    structures_between,
    structures_of_text,
)
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.steady import FRICTION, Regime
from pinghu_geo.nouns.errors import LayerError, PinghuError, reason
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import one_of
from pinghu_geo.river.chainage import parse_chainage

__all__ = ["BOUNDARY_KINDS", "COLUMN", "RIVER_NOTE", "read_hecras"]

COLUMN = 8  # characters a number
BOUNDARY_KINDS = {1: "level", 2: "critical", 3: "normal"}
# a section's description says its river in a second line where the name doesn't fit HEC-RAS
RIVER_NOTE = "River: "

# what stands in a reach, by the number of its type, and beside it, by the line it begins with
NODES = {
    "1": "section", "2": "culvert", "3": "bridge", "4": "multiple_opening",
    "5": "inline_structure", "6": "lateral_structure",
}  # fmt: skip
BESIDE = {
    "Junct Name": "junction", "Storage Area": "storage_area", "Connection": "connection",
    "Pump Station": "pump_station",
}  # fmt: skip
# a plan's line with its rule of averaging friction slopes: the manual's equations 2-13 to 2-16 in
# their order, of which public plans with results bear out 1 and 3; the names that two public
# readers of plans give to 2 and 4 (docs/theory.md) are these, too
FRICTION_RULE = "Friction Slope Method="
REGIMES: dict[str, Regime] = {"Mixed Flow": "mixed", "Supercritical Flow": "supercritical"}
# what a section may have that its tables don't: matters where a number in the line isn't 0
AT_SECTIONS = {
    "rating_curve": re.compile(r"XS Rating Curve"),
    "vertical_n": re.compile(r"Vertical n Elevations"),
    "skew": re.compile(r"Skew Angle"),
    "lid": re.compile(r"#?(XS )?Lid\b.*"),
    "ice": re.compile(r"Ice Thickness"),
}


def read_hecras(
    geometry: str | Path,
    flow: str | Path | None = None,
    *,
    units: Literal["SI", "US"],
    plan: str | Path | None = None,
) -> HecRas:
    """Geometry and steady flow files of HEC-RAS 读取HEC-RAS模型.

    Parameters
    ----------
    geometry
        Geometry file, ``.g01``.
    flow
        Steady flow file, ``.f01``.
    units
        ``"SI"`` or ``"US"`` (feet): the project file (.prj) says which; these files don't.
    plan
        Plan file, ``.p01``: how it averages friction slopes, and its regime.

    Returns
    -------
    HecRas
        Tables in SI. A description that is a chainage (``K1+234.5``) gives the section's
        chainage; otherwise it is the way from the uppermost section along the channel. A river of
        several reaches is as many rivers, ``"River, Reach"``. Bridges, culverts, inline weirs with
        gates, and junctions are ``structures``, ``structure_parts`` and ``junctions``;
        ``left_out`` names all else that stands in the files and not in these tables. Openings of
        gates stand in no geometry file and are 0: set opening_m.

    Raises
    ------
    LayerError
        A file is missing, is none of HEC-RAS's, or has places that can't be read.

    Notes
    -----
    Blanks in ineffective areas and obstructions: of an offset the section's edge, of a height no
    limit; in those of the kind left and right ("normal") a 0 or the section's first offset on the
    outer side is the edge, too, and a blank on the inner side means that there is none.

    References
    ----------
    HEC-RAS User's Manual 6.x, chapter 5 (ineffective flow areas, blocked obstructions); columns
    as in public models and the readers parserasgeo and ras-commander.

    Examples
    --------
    >>> bed = pd.DataFrame({"river": "示例河", "chainage_m": [0.0, 500.0],
    ...     "bed_level_m": [0.5, 0.0], "left_m": 10.0, "right_m": 10.0,
    ...     "bank_level_m": [5.5, 5.0], "n": 0.03})
    >>> made = pg.write_hecras(pg.design_sections(bed), 50.0, {"slope": 0.001}, folder / "示例")
    >>> back = pg.read_hecras(made["geometry"], made["flow"], units="SI")
    >>> back.sections["offset_m"].head(4).tolist(), len(back.left_out)
    ([-10.0, -10.0, 10.0, 10.0], 0)
    """
    one_of(units, UNITS, "units")
    foot = UNITS[units]
    with readable(geometry, flow, plan):
        found = _model_of_files(geometry, flow, foot)
        return found if plan is None else _with_plan(found, plan)


@contextmanager
def readable(*paths: str | Path | None) -> Iterator[None]:
    """Say of a place that holds no number, or one beyond any, in which files it stands."""
    try:
        yield
    except (ValueError, IndexError, KeyError, OverflowError) as fault:
        if isinstance(fault, PinghuError):
            raise
        names = " or ".join(Path(p).name for p in paths if p is not None)
        raise LayerError(
            f"{names} has a place that can't be read ({reason(fault)})",
            layer="hecras",
            hint="open it in HEC-RAS and save it again",
        ) from fault


def _with_plan(model: HecRas, plan: str | Path) -> HecRas:
    """A model with its plan's options; blanks are HEC-RAS's own defaults."""
    lines = [line.strip() for line in _file_lines(plan, "Plan Title=")]
    rules = [int(line.partition("=")[2]) for line in lines if line.startswith(FRICTION_RULE)]
    rule = rules[0] if rules else 1
    if not 1 <= rule <= len(FRICTION):
        raise LayerError(
            f"{Path(plan).name} averages friction slopes by rule {rule}, which isn't known here",
            layer="hecras",
            hint="without plan, and friction= of water_profile as it says",
        )
    regime: Regime = next((word for line, word in REGIMES.items() if line in lines), "subcritical")
    return replace(model, friction=FRICTION[rule - 1], regime=regime)


def _model_of_files(geometry: str | Path, flow: str | Path | None, foot: float) -> HecRas:
    """Tables of the files."""
    blocks = list(_node_blocks(_file_lines(geometry, "Geom Title=")))
    raw = [b for b in blocks if b["kind"] == "section"]
    if not raw:
        raise LayerError(f"{Path(geometry).name} holds no cross-sections", layer="hecras")
    if any(not b["river"] for b in raw):
        raise LayerError(
            f"{Path(geometry).name} has sections of no river, as HEC-RAS 1 wrote them",
            layer="hecras",
            hint="open it in HEC-RAS and save it again",
        )
    keys = _text_keys(raw, foot)
    sections, banks, obstacles = [], [], []
    for key, one in zip(keys, raw, strict=True):
        place = {"river": key["river"], "chainage_m": key["chainage_m"]}
        try:
            sections.append(_text_section(one, place, foot))
            banks.append({**key, **_text_banks(one, sections[-1], foot)})
            obstacles += [{**place, **row} for row in _text_obstacles(one, sections[-1], foot)]
        except (ValueError, IndexError, OverflowError) as fault:
            raise LayerError(
                f"{Path(geometry).name} has a section that can't be read ({reason(fault)})",
                layer="hecras",
                ids=[f"{one['river'].strip()} {one['rs']}"],
                hint="open it in HEC-RAS and save it again",
            ) from fault
    ways = dict(zip([b["river"] for b in raw], [k["river"] for k in keys], strict=True))
    between = structures_between(blocks, keys, ways)
    structures, parts, junctions, done = structures_of_text(blocks, between, ways, foot)
    points = pd.concat(sections, ignore_index=True)
    parts, thin = decks_mended(structures, parts, points)
    structures, parts, odd = coefficients_mended(structures, parts)
    rest = [b for k, b in enumerate(blocks) if k not in set(done)]
    left_out = and_listed(_left_out_table(rest, keys, ways), thin)
    left_out = and_listed(left_out, odd)
    flows = down = up = pd.DataFrame()
    if flow is not None:
        lines = _flow_lines(flow)
        flows, down, up, more = _text_flows(lines, pd.DataFrame(keys), ways, foot)
        left_out = and_listed(left_out, more)
    blocked = pd.DataFrame(obstacles, columns=["river", "chainage_m", *OBSTACLE])
    return HecRas(
        sections=with_left_out(points, left_out),
        banks=pd.DataFrame(banks),
        obstacles=obstacle_table(blocked, points),
        flows=flows,
        downstream=down,
        upstream=up,
        profile=pd.DataFrame(),
        structures=structures,
        left_out=left_out,
        structure_parts=parts,
        junctions=junctions,
    )


def _file_lines(path: str | Path, title: str) -> list[str]:
    path = plain_file(path)
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    if title not in text[:2000]:
        raise LayerError(
            f"{path.name} doesn't begin with {title!r}",
            layer="hecras",
            hint="geometry is .g01, steady flow .f01, plan .p01",
        )
    return text.splitlines()


def _flow_lines(path: str | Path) -> list[str]:
    """Lines of a steady flow file; an unsteady one begins alike."""
    lines = _file_lines(path, "Flow Title=")
    if any(line.startswith("Rch & RM=") for line in lines):
        raise LayerError(
            f"{Path(path).name} gives flows of no river, as HEC-RAS 1 wrote them",
            layer="hecras",
            hint="open it in HEC-RAS and save it again",
        )
    if any(line.startswith("Boundary Location=") for line in lines):
        raise LayerError(
            f"{Path(path).name} is an unsteady flow file",
            layer="hecras",
            hint="the steady flow file is .f01",
        )
    return lines


def _node_blocks(lines: list[str]) -> Iterable[dict[str, Any]]:
    """Sections, structures, junctions and areas in the file's order, each with its lines."""
    river = ""
    one: dict[str, Any] | None = None
    for line in lines:
        head, _, rest = line.partition("=")
        head = head.rstrip()
        if head not in BESIDE and head not in ("River Reach", "Type RM Length L Ch R"):
            if one is not None:
                one["lines"].append(line)
            continue
        if one is not None:
            yield one
        one = None
        if head == "River Reach":
            river = rest
        elif head in BESIDE:
            one = {"kind": BESIDE[head], "river": "", "rs": "", "lengths": [], "lines": []}
            one["name"] = rest.split(",")[0].strip()
        else:
            kind, rs, *lengths = (v.strip() for v in [*rest.split(","), ""])
            one = {"kind": NODES.get(kind, f"type_{kind}"), "river": river, "rs": rs}
            one |= {"lengths": lengths[:3], "lines": [], "name": ""}
    if one is not None:
        yield one


def _text_keys(raw: list[dict[str, Any]], foot: float) -> list[dict[str, Any]]:
    """River, chainage and river station of each section."""
    names, reaches = ([one["river"].partition(",")[k].strip() for one in raw] for k in (0, 2))
    rivers = reach_names(names, reaches)
    noted: dict[str, str] = {}
    for one in raw:
        if note := _described_river(one["lines"]):
            noted.setdefault(one["river"], note)
    keys: list[dict[str, Any]] = []
    gone: dict[str, float] = {}
    for one, named in zip(raw, rivers, strict=True):
        river = noted.get(one["river"], named)
        keys.append({"river": river, "chainage_m": gone.get(river, 0.0), "rs": one["rs"]})
        lengths = [_number_or_nan(v) * foot for v in one["lengths"]]
        way = np.nan_to_num(lengths[1]) if len(lengths) > 1 else 0.0
        gone[river] = round(gone.get(river, 0.0) + float(way), 4)
    said = [_described_chainage(one["lines"]) for one in raw]
    if all(v is not None for v in said):
        for key, value in zip(keys, said, strict=True):
            key["chainage_m"] = value
    return keys


def _description_lines(lines: list[str]) -> list[str]:
    """Lines of a node's description."""
    for k, line in enumerate(lines):
        if line.startswith("BEGIN DESCRIPTION"):
            end = next((i for i in range(k, len(lines)) if "END DESCRIPTION" in lines[i]), k)
            return [v.strip() for v in lines[k + 1 : end]]
    return []


def _described_chainage(lines: list[str]) -> float | None:
    """Chainage that a section's description is."""
    for line in _description_lines(lines)[:1]:
        if "+" not in line:  # "41.76" is a river station, K0+041.76 a chainage
            return None
        try:
            return parse_chainage(line)
        except ValueError:
            return None
    return None


def _described_river(lines: list[str]) -> str:
    """River that a section's description names."""
    second = _description_lines(lines)[1:2]
    return second[0].removeprefix(RIVER_NOTE) if second and second[0].startswith(RIVER_NOTE) else ""


def _number_or_nan(text: str) -> float:
    """A cell's number; NaN where it is blank."""
    plain = text.strip()
    return float(plain) if plain else math.nan


def _rows_below(lines: list[str], head: str, each: int) -> tuple[Array, str]:
    """Rows of ``each`` numbers below a heading that says how many; blanks are NaN."""
    wide = 80 // COLUMN // each * each  # numbers a line: 10, but of triples 9
    for k, line in enumerate(lines):
        if not line.startswith(head):
            continue
        said = line.partition("=")[2]
        rest = (len(lines) - k) * (80 // COLUMN) // each + 1  # no more than could stand there
        count = min(int(_number_or_nan(said.split(",")[0]) or 0), rest)
        values: list[float] = []
        for row in lines[k + 1 :]:
            if len(values) >= count * each:
                break
            cells = row.ljust(wide * COLUMN)
            at = range(0, wide * COLUMN, COLUMN)
            values += [_number_or_nan(cells[i : i + COLUMN]) for i in at]
        values = (values + [math.nan] * count * each)[: count * each]
        return np.array(values, float).reshape(-1, each), said
    return np.empty((0, each)), ""


def _text_section(one: Mapping[str, Any], place: dict[str, Any], foot: float) -> pd.DataFrame:
    points, _ = _rows_below(one["lines"], "#Sta/Elev=", 2)
    ranges, _ = _rows_below(one["lines"], "#Mann=", 3)
    none = ~(ranges[:, 1] > 0)
    ranges, none = (v[~(np.isnan(ranges[:, 0]) & none)] for v in (ranges, none))
    # a range without width, as of an overbank that isn't there, needs no n
    stops = np.append(ranges[1:, 0], points[-1:, 0])[: len(ranges)]
    ranges = ranges[~(none & (ranges[:, 0] >= stops))]
    if not len(points) or np.isnan(points).any():
        raise ValueError("#Sta/Elev= lacks numbers")
    if not len(ranges) or np.isnan(ranges[:, :2]).any():
        raise ValueError("#Mann= lacks numbers")
    xz = points * foot
    section = pd.DataFrame({**place, "offset_m": xz[:, 0], "elevation_m": xz[:, 1]})
    return with_roughness(
        section, pd.DataFrame({"offset_m": ranges[:, 0] * foot, "n": ranges[:, 1]})
    )


def _text_banks(one: Mapping[str, Any], points: pd.DataFrame, foot: float) -> dict[str, float]:
    """Banks, lengths, coefficients, levees; a levee without a height is as high as the ground."""
    found: dict[str, float] = {}
    for name, value in zip(("left", "channel", "right"), one["lengths"], strict=False):
        found[f"length_{name}_m"] = _number_or_nan(value) * foot
    for line in one["lines"]:
        head, _, rest = line.partition("=")
        if head not in ("Bank Sta", "Exp/Cntr", "Levee"):
            continue
        cells = [_number_or_nan(c) for c in rest.split(",")[:6]]
        if head == "Bank Sta":
            found["left_bank_m"], found["right_bank_m"] = cells[0] * foot, cells[1] * foot
        elif head == "Exp/Cntr":
            found["expansion"], found["contraction"] = cells[0], cells[1]
        elif head == "Levee":
            for side, at in (("left", 0), ("right", 3)):
                if len(cells) > at + 2 and cells[at] == -1:
                    place, top = cells[at + 1] * foot, cells[at + 2] * foot
                    ground = points[["offset_m", "elevation_m"]].to_numpy(float).T
                    top = float(np.interp(place, *ground)) if math.isnan(top) else top
                    found[f"{side}_levee_m"], found[f"{side}_levee_top_m"] = place, top
    return found


def _text_obstacles(
    one: Mapping[str, Any], points: pd.DataFrame, foot: float
) -> list[dict[str, Any]]:
    """Ineffective areas and obstructions; an offset left blank is the section's edge."""
    rows = []
    permanent: list[str] = []
    for k, line in enumerate(one["lines"]):
        if line.startswith("Permanent Ineff="):
            permanent = " ".join(one["lines"][k + 1 : k + 3]).split()
    edges = points["offset_m"].iloc[0], points["offset_m"].iloc[-1]
    for head in ("#XS Ineff=", "#Block Obstruct="):
        areas, said = _rows_below(one["lines"], head, 3)
        beside = _number_or_nan(([*said.split(","), ""])[1] or "0") == 0  # one left, one right
        for k, (a, b, top) in enumerate(areas):
            if not np.nan_to_num([a, b, top]).any() or (beside and math.isnan((b, a)[k])):
                continue  # this side has none
            # the outer end may be 0, or the section's first offset on either side
            from_edge = math.isnan(a) or (beside and k == 0 and (a == 0 or a > b))
            to_edge = math.isnan(b) or (beside and k == 1 and (b == 0 or b < a))
            kind = "blocked"
            if head == "#XS Ineff=":
                kind = "permanent" if permanent[k : k + 1] == ["T"] else "ineffective"
            left, right = edges[0] if from_edge else a * foot, edges[1] if to_edge else b * foot
            if left == right or (beside and left > right):  # all of it lies beyond the section
                continue
            values = (left, right, top * foot, kind)
            rows.append(dict(zip(OBSTACLE, values, strict=True)))
    return rows


def _left_out_table(
    blocks: list[dict[str, Any]], keys: list[dict[str, Any]], ways: Mapping[str, str]
) -> pd.DataFrame:
    """What stands between, at and beside the sections, with the sections above and below it."""
    rows: list[dict[str, Any]] = []
    open_rows: list[dict[str, Any]] = []  # structures that wait for the section below
    lowest: dict[str, float] = {}
    above = iter(keys)
    for one in blocks:
        river = ways.get(one["river"], "")
        if one["kind"] == "section":
            at = next(above)["chainage_m"]
            for row in open_rows:
                row["below_m"] = at if row["river"] == river else math.nan
            open_rows, lowest[river] = [], at
            here = {"name": "", "river": river, "rs": one["rs"], "above_m": at, "below_m": at}
            rows += [{"kind": kind, **here} for kind in _left_out_kinds(one["lines"])]
        elif one["river"]:
            row = {"kind": one["kind"], "name": _node_name(one), "river": river, "rs": one["rs"]}
            row["above_m"] = lowest.get(river, math.nan)
            rows.append(row)
            open_rows.append(row)
    for one in blocks:
        if one["kind"] == "junction":
            for line in one["lines"]:
                if line.startswith("Up River,Reach="):
                    river = _river_of_line(line.partition("=")[2], ways)
                    end = {"river": river, "above_m": lowest.get(river, math.nan)}
                    rows.append({"kind": "junction", "name": one["name"], "rs": "", **end})
        elif not one["river"]:
            flat = any(re.match(r"Storage Area Is2D=\s*-1", line) for line in one["lines"])
            rows.append({"kind": "flow_area_2d" if flat else one["kind"], "name": one["name"]})
    return pd.DataFrame(rows, columns=LEFT_OUT)


def _left_out_kinds(lines: list[str]) -> Iterable[str]:
    """What a section has that its tables leave out; of ice left, channel and right count."""
    found: dict[str, None] = {}
    for line in lines:
        head, _, rest = line.partition("=")
        for kind, known in AT_SECTIONS.items():
            said = rest if kind == "ice" else rest.split(",")[0]
            if known.fullmatch(head.strip()) and re.search(r"[1-9]", said):
                found[kind] = None
    return found


def _node_name(one: Mapping[str, Any]) -> str:
    """Name or description of a structure."""
    named = [v.partition("=")[2].strip() for v in one["lines"] if v.startswith("Node Name=")]
    return " ".join([*named, *_description_lines(one["lines"])][:1])


def _river_of_line(text: str, ways: Mapping[str, str]) -> str:
    """River of this model by the river and reach of a line of the file."""
    wanted = [v.strip() for v in text.split(",")[:2]]
    return next((k for r, k in ways.items() if [v.strip() for v in r.split(",")[:2]] == wanted), "")


def _profile_count(said: str, lines: list[str]) -> int:
    count = int(said)
    if not 0 < count <= 10 * len(lines):  # each has a number for every change of flow
        raise ValueError(say("{} profiles in {} lines", "en", count, len(lines)))
    return count


def _text_flows(
    lines: list[str], keys: pd.DataFrame, ways: Mapping[str, str], foot: float
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Discharges, boundaries, and those left out; river stations become chainages."""
    names: list[str] = []
    flows: list[dict[str, Any]] = []
    ends: list[dict[str, Any]] = []
    more: list[dict[str, Any]] = []
    where: dict[str, Any] = {}
    count = 1
    for k, line in enumerate(lines):
        head, _, rest = line.partition("=")
        if head == "Number of Profiles":
            count = _profile_count(rest, lines)
            names = [f"PF {i + 1}" for i in range(count)]
        elif head == "Profile Names":
            names = [v.strip() for v in rest.split(",")][:count]
        elif head == "River Rch & RM":
            if not _river_of_line(rest, ways):  # of another geometry: HEC-RAS passes them over, too
                name = " ".join(rest.replace(",", " ").split())
                more.append({"kind": "flow", "name": name})
                continue
            at = _section_of_line(rest, keys, ways)
            values = [_number_or_nan(v) for row in lines[k + 1 : k + 1 + -(-count // 10)] for v in
                      (row[i : i + COLUMN] for i in range(0, len(row), COLUMN))]  # fmt: skip
            flows += [
                {**at, "discharge_m3s": v * foot**3, "profile": n}
                for n, v in zip(names, values, strict=False)
            ]
        elif head == "Boundary for River Rch & Prof#":
            profile = int(rest.split(",")[2])
            where = {"river": _river_of_line(rest, ways), "profile": names[profile - 1]}
        elif head in ("Up Type", "Dn Type") and int(rest):
            if int(rest) in BOUNDARY_KINDS and where.get("river"):
                ends.append({**where, "end": head[:2], "boundary": BOUNDARY_KINDS[int(rest)]})
            else:
                name = f"{head} {rest.strip()} {where.get('profile', '')}".strip()
                more.append({"kind": "boundary", "name": name, "river": where.get("river", "")})
        elif head in ("Up Known WS", "Dn Known WS") and ends and where.get("river"):
            ends[-1]["level_m"] = float(rest) * foot
        elif head in ("Up Slope", "Dn Slope") and ends and where.get("river"):
            ends[-1]["slope"] = float(rest)
    if not flows:
        raise LayerError(
            "gives no flow in any reach of the geometry",
            layer="hecras",
            hint="geometry and flow belong to one plan: see its .p01",
        )
    table = pd.DataFrame(ends, columns=["river", "profile", "end", "boundary", "level_m", "slope"])
    down, up = (
        table[table["end"] == e].drop(columns="end").reset_index(drop=True) for e in ("Dn", "Up")
    )
    columns = ["river", "chainage_m", "discharge_m3s", "profile"]
    return pd.DataFrame(flows, columns=columns), down, up, pd.DataFrame(more, columns=LEFT_OUT)


def _section_of_line(text: str, keys: pd.DataFrame, ways: Mapping[str, str]) -> dict[str, Any]:
    """River and chainage of the section that a line of the flow file names."""
    river, rs = _river_of_line(text, ways), (text.split(",")[2]).strip()
    mine = keys[keys["river"] == river]
    same = mine[mine["rs"] == rs]
    if same.empty:  # 1124.80 and 1124.8 are one station
        value = pd.to_numeric(mine["rs"].str.rstrip("*"), errors="coerce")
        same = mine[value == pd.to_numeric(rs.rstrip("*"), errors="coerce")]
    if same.empty:
        name = " ".join(text.split(",", maxsplit=1)[0].split())
        raise LayerError(
            f"gives a flow at {name} {rs}, which has no section",
            layer="hecras",
            hint="geometry and flow belong to one plan: see its .p01",
        )
    return {"river": river, "chainage_m": same["chainage_m"].iloc[0]}
