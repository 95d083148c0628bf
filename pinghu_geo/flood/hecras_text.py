"""How do we exchange with the design institute? HEC-RAS's text files in and out, in SI.

Geometry (.g01), steady flow (.f01) and plan (.p01) are texts with numbers in columns of eight
characters. River stations (RS) fall downstream; here chainages grow, so that a section's chainage
is the way from the uppermost one unless its description holds a chainage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from pinghu_geo.flood.channel import with_roughness
from pinghu_geo.flood.hecras import OBSTACLE, UNITS, HecRas
from pinghu_geo.flood.hydraulics import boundary_table, for_profile
from pinghu_geo.flood.survey import discharges, for_river, lay_sections
from pinghu_geo.nouns.errors import HydraulicsError, LayerError
from pinghu_geo.nouns.files import atomic_path
from pinghu_geo.nouns.inert import field_text
from pinghu_geo.nouns.schema import one_of
from pinghu_geo.river.chainage import format_chainage, parse_chainage

__all__ = ["read_hecras", "write_hecras"]

COLUMN = 8  # characters a number
# what may be lost by that [m, m³/s]
ROUNDED = 5e-4
# n is given by offset, so that above a vertical wall it changes this far behind it [m]
BEHIND_WALL_M = 1e-3

_KINDS = {1: "level", 2: "critical", 3: "normal"}


def read_hecras(
    geometry: str | Path, flow: str | Path | None = None, *, units: Literal["SI", "US"]
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

    Returns
    -------
    HecRas
        Tables in SI. A description that is a chainage (``K1+234.5``) gives the section's
        chainage; otherwise it is the way from the uppermost section along the channel.

    Raises
    ------
    LayerError
        A file is missing or is none of HEC-RAS's.

    Examples
    --------
    >>> bed = pd.DataFrame({"river": "示例河", "chainage_m": [0.0, 500.0],
    ...     "bed_level_m": [0.5, 0.0], "left_m": 10.0, "right_m": 10.0,
    ...     "bank_level_m": [5.5, 5.0], "n": 0.03})
    >>> made = pg.write_hecras(folder / "示例", pg.design_sections(bed), 50.0, {"slope": 0.001})
    >>> back = pg.read_hecras(made["geometry"], made["flow"], units="SI")
    >>> back.sections["offset_m"].head(4).tolist()
    [-10.0, -10.0, 10.0, 10.0]
    """
    one_of(units, UNITS, "units")
    foot = UNITS[units]
    lines = _lines(geometry, "Geom Title=")
    raw = list(_raw_sections(lines))
    if not raw:
        raise LayerError(f"{Path(geometry).name} holds no cross-sections", layer="hecras")
    keys = _text_keys(raw, foot)
    sections, banks, obstacles = [], [], []
    for key, one in zip(keys, raw, strict=True):
        place = {"river": key["river"], "chainage_m": key["chainage_m"]}
        sections.append(_text_section(one, place, foot))
        banks.append({**key, **_text_banks(one, foot)})
        obstacles += [{**place, **row} for row in _text_obstacles(one, foot)]
    flows, down, up = (
        _text_flows(_lines(flow, "Flow Title="), pd.DataFrame(keys), foot)
        if flow is not None
        else (pd.DataFrame(), pd.DataFrame(), pd.DataFrame())
    )
    empty = pd.DataFrame(columns=["river", "chainage_m", *OBSTACLE])
    return HecRas(
        pd.concat(sections, ignore_index=True),
        pd.DataFrame(banks),
        pd.DataFrame(obstacles) if obstacles else empty,
        flows,
        down,
        up,
        pd.DataFrame(),
        pd.DataFrame(),
    )


def _lines(path: str | Path, title: str) -> list[str]:
    path = Path(path)
    if not path.exists():
        raise LayerError(f"there is no file {path}", layer="hecras")
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    if title not in text[:2000]:
        raise LayerError(
            f"{path.name} doesn't begin with {title!r}",
            layer="hecras",
            hint="geometry is .g01, steady flow .f01",
        )
    return text.splitlines()


def _raw_sections(lines: list[str]) -> Iterable[dict[str, Any]]:
    """Lines of each cross-section (node type 1) under river and reach."""
    river = ""
    one: dict[str, Any] | None = None
    for line in lines:
        if line.startswith("River Reach="):
            river = line.partition("=")[2]
        if line.startswith(("Type RM Length", "River Reach=", "Junct Name=")):
            if one is not None:
                yield one
            one = None
            if line.startswith("Type RM Length"):
                kind, rs, *lengths = (v.strip() for v in line.partition("=")[2].split(","))
                if kind == "1":
                    one = {"river": river, "rs": rs, "lengths": lengths, "lines": []}
        elif one is not None:
            one["lines"].append(line)
    if one is not None:
        yield one


def _text_keys(raw: list[dict[str, Any]], foot: float) -> list[dict[str, Any]]:
    """River, chainage and river station of each section."""
    reaches: dict[str, set[str]] = {}
    for one in raw:
        name, _, reach = (v.strip() for v in one["river"].partition(","))
        one["name"], one["reach"] = name, reach
        reaches.setdefault(name, set()).add(reach)
    keys: list[dict[str, Any]] = []
    gone: dict[str, float] = {}
    for one in raw:
        several = len(reaches[one["name"]]) > 1
        river = f"{one['name']}, {one['reach']}" if several else one["name"]
        keys.append({"river": river, "chainage_m": gone.get(river, 0.0), "rs": one["rs"]})
        lengths = [float(v or 0) * foot for v in one["lengths"]]
        gone[river] = round(gone.get(river, 0.0) + (lengths[1] if len(lengths) > 1 else 0.0), 4)
    said = [_described(one["lines"]) for one in raw]
    if all(v is not None for v in said):
        for key, value in zip(keys, said, strict=True):
            key["chainage_m"] = value
    return keys


def _described(lines: list[str]) -> float | None:
    """Chainage that a section's description is."""
    for k, line in enumerate(lines[:-1]):
        if line.startswith("BEGIN DESCRIPTION"):
            try:
                return parse_chainage(lines[k + 1].strip())
            except ValueError:
                return None
    return None


def _numbers_after(lines: list[str], head: str) -> tuple[list[float], str]:
    """Numbers in columns below a heading, and the heading's own values."""
    for k, line in enumerate(lines):
        if line.startswith(head):
            values: list[float] = []
            for row in lines[k + 1 :]:
                cells = [row[i : i + COLUMN].strip() for i in range(0, len(row), COLUMN)]
                if not cells or any(c and not re.fullmatch(r"[-+.\dEe]+", c) for c in cells):
                    break
                values += [float(c) for c in cells if c]
            return values, line.partition("=")[2]
    return [], ""


def _text_section(one: Mapping[str, Any], place: dict[str, Any], foot: float) -> pd.DataFrame:
    points, _ = _numbers_after(one["lines"], "#Sta/Elev=")
    rough, _ = _numbers_after(one["lines"], "#Mann=")
    xz = np.array(points).reshape(-1, 2) * foot
    ranges = np.array(rough).reshape(-1, 3)
    section = pd.DataFrame({**place, "offset_m": xz[:, 0], "elevation_m": xz[:, 1]})
    return with_roughness(
        section, pd.DataFrame({"offset_m": ranges[:, 0] * foot, "n": ranges[:, 1]})
    )


def _text_banks(one: Mapping[str, Any], foot: float) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in zip(("left", "channel", "right"), one["lengths"], strict=False):
        found[f"length_{name}_m"] = float(value) * foot if value else np.nan
    for line in one["lines"]:
        head, _, rest = line.partition("=")
        if head not in ("Bank Sta", "Exp/Cntr", "Levee"):
            continue
        cells = [float(c) if c.strip() else np.nan for c in rest.split(",")]
        if head == "Bank Sta":
            found["left_bank_m"], found["right_bank_m"] = cells[0] * foot, cells[1] * foot
        elif head == "Exp/Cntr":
            found["expansion"], found["contraction"] = cells[0], cells[1]
        elif head == "Levee":
            for side, at in (("left", 0), ("right", 3)):
                if len(cells) > at + 2 and cells[at] == -1:
                    found[f"{side}_levee_m"] = cells[at + 1] * foot
                    found[f"{side}_levee_top_m"] = cells[at + 2] * foot
    return found


def _text_obstacles(one: Mapping[str, Any], foot: float) -> list[dict[str, Any]]:
    rows = []
    permanent = []
    for k, line in enumerate(one["lines"]):
        if line.startswith("Permanent Ineff="):
            permanent = [c == "T" for c in one["lines"][k + 1].split()]
    for head in ("#XS Ineff=", "#Block Obstruct="):
        values, _ = _numbers_after(one["lines"], head)
        for k, (a, b, top) in enumerate(np.array(values).reshape(-1, 3) * foot):
            kind = "blocked"
            if head == "#XS Ineff=":
                kind = "permanent" if k < len(permanent) and permanent[k] else "ineffective"
            rows.append(dict(zip(OBSTACLE, (a, b, top, kind), strict=True)))
    return rows


def _text_flows(
    lines: list[str], keys: pd.DataFrame, foot: float
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Discharges and boundaries; river stations become chainages."""
    names: list[str] = []
    flows, ends = [], []
    where: dict[str, Any] = {}
    count = 0

    def river_of(text: str) -> str:
        name, reach = (v.strip() for v in text.split(",")[:2])
        full = f"{name}, {reach}"
        return full if full in set(keys["river"]) else name

    for k, line in enumerate(lines):
        head, _, rest = line.partition("=")
        if head == "Number of Profiles":
            count = int(rest)
        elif head == "Profile Names":
            names = [v.strip() for v in rest.split(",")][:count]
        elif head == "River Rch & RM":
            river, rs = river_of(rest), rest.split(",")[2].strip()
            values, _ = _numbers_after(lines[k:], "River Rch & RM=")
            at = keys[(keys["river"] == river) & (keys["rs"] == rs)]["chainage_m"]
            if at.empty:
                raise LayerError(
                    f"gives a flow at {river} {rs}, which has no section", layer="hecras"
                )
            flows += [
                {
                    "river": river,
                    "chainage_m": at.iloc[0],
                    "discharge_m3s": v * foot**3,
                    "profile": n,
                }
                for n, v in zip(names, values, strict=False)
            ]
        elif head == "Boundary for River Rch & Prof#":
            where = {"river": river_of(rest), "profile": names[int(rest.split(",")[2]) - 1]}
        elif head in ("Up Type", "Dn Type") and int(rest) in _KINDS:
            ends.append({**where, "end": head[:2], "boundary": _KINDS[int(rest)]})
        elif head in ("Up Known WS", "Dn Known WS"):
            ends[-1]["level_m"] = float(rest) * foot
        elif head in ("Up Slope", "Dn Slope"):
            ends[-1]["slope"] = float(rest)
    table = pd.DataFrame(ends, columns=["river", "profile", "end", "boundary", "level_m", "slope"])
    down, up = (table[table["end"] == e].drop(columns="end") for e in ("Dn", "Up"))
    return pd.DataFrame(flows), down.reset_index(drop=True), up.reset_index(drop=True)


# --- texts out --------------------------------------------------------------------------------


def write_hecras(
    target: str | Path,
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: pd.DataFrame | Mapping[str, Any],
    *,
    banks: pd.DataFrame | None = None,
    obstacles: pd.DataFrame | None = None,
    title: str = "",
) -> dict[str, Path]:
    """Write sections, floods and boundaries as a HEC-RAS project in SI 导出HEC-RAS模型.

    Parameters
    ----------
    target
        Path without suffix; ``.prj``, ``.g01``, ``.f01`` and ``.p01`` are added.
    sections, flows, downstream, banks, obstacles
        As in `water_profile`, of a single scheme; boundaries of kind level, slope or critical.
        Encroachment walls are written as blocked obstructions, which act alike.
    title
        Title of project, geometry, flow and plan.

    Returns
    -------
    dict
        The paths: project, geometry, flow, plan.

    Raises
    ------
    HydraulicsError, LayerError, OutputError
        The tables can't be used, or hold what these files can't.

    Notes
    -----
    Numbers have eight characters, as the format wants, and what half a millimetre would be lost
    of is refused. River stations are metres to the lowest section; the chainage stands in the
    description, from where `read_hecras` takes it back.

    Examples
    --------
    >>> bed = pd.DataFrame({"river": "示例河", "chainage_m": [0.0, 500.0],
    ...     "bed_level_m": [0.5, 0.0], "left_m": 10.0, "right_m": 10.0,
    ...     "bank_level_m": [5.5, 5.0], "n": 0.03})
    >>> made = pg.write_hecras(folder / "模型", pg.design_sections(bed), 50.0, {"slope": 0.001})
    >>> sorted(p.name for p in made.values())
    ['模型.f01', '模型.g01', '模型.p01', '模型.prj']
    """
    target, title = Path(target), title or Path(target).name
    laid = lay_sections(sections, banks=banks, obstacles=obstacles)
    stations = laid.stations
    if stations["scheme"].nunique() > 1:
        raise HydraulicsError(
            "holds several schemes; HEC-RAS has a geometry file for each",
            layer="sections",
            hint='sections[sections["scheme"] == "..."]',
        )
    stations = stations.assign(rs=_river_stations(stations))
    q = discharges(flows, stations)
    edges = boundary_table(downstream, "downstream")
    title = field_text(title)
    texts = {
        "project": (".prj", _project_text(title)),
        "geometry": (".g01", _geometry_text(title, sections, stations, obstacles)),
        "flow": (".f01", _flow_text(title, stations, q, edges)),
        "plan": (
            ".p01",
            [f"Plan Title={title}", "Program Version=6.50", f"Short Identifier={title[:24]}",
             "Geom File=g01", "Flow File=f01", "Subcritical Flow", "Run HTab= 1"],
        ),
    }  # fmt: skip
    made = {}
    for name, (suffix, lines) in texts.items():
        made[name] = target.with_name(target.name + suffix)
        with atomic_path(made[name]) as path:
            path.write_text("\r\n".join(lines) + "\r\n", "utf-8", newline="")
    return made


def _river_stations(stations: pd.DataFrame) -> list[str]:
    """Metres to the lowest section of the river, which fall downstream as HEC-RAS wants."""
    end = stations.groupby("river")["measure"].transform("max")
    return [f"{v:.2f}" for v in end - stations["measure"]]


def _cell(value: float) -> str:
    """Number in eight characters, as exact as fits."""
    if not np.isfinite(value):
        return " " * COLUMN
    for decimals in range(6, -1, -1):
        text = f"{value:.{decimals}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        if len(text) <= COLUMN and abs(float(text) - value) <= ROUNDED:
            return text.rjust(COLUMN)
    raise HydraulicsError(
        f"holds {value:g}, which doesn't fit HEC-RAS's eight characters",
        layer="sections",
        hint="use offsets from the centreline and heights above the survey's datum",
    )


def _columns(values: Iterable[float], wide: int) -> list[str]:
    cells = [_cell(v) for v in values]
    return ["".join(cells[k : k + wide]) for k in range(0, len(cells), wide)]


def _project_text(title: str) -> list[str]:
    return [
        f"Proj Title={title}", "Current Plan=p01", "Default Exp/Contr=0.3,0.1", "SI Units",
        "Geom File=g01", "Flow File=f01", "Plan File=p01",
    ]  # fmt: skip


def _geometry_text(
    title: str, sections: pd.DataFrame, stations: pd.DataFrame, obstacles: pd.DataFrame | None
) -> list[str]:
    lines = [f"Geom Title={title}", "Program Version=6.50", ""]
    points = dict(iter(sections.groupby(["river", "chainage_m"])))
    blocks = (
        {}
        if obstacles is None or obstacles.empty
        else dict(iter(obstacles.groupby(["river", "chainage_m"])))
    )
    river = None
    lengths = ["length_left_m", "length_channel_m", "length_right_m"]
    for i, one in enumerate(stations.to_dict("records")):
        if one["river"] != river:
            river = one["river"]
            lines += [f"River Reach={field_text(river):<16},{'1':<16}", "Reach XY= 0 "]
        follows = stations.iloc[i + 1] if i + 1 < len(stations) else None
        same = follows is not None and follows["river"] == river
        gap = follows["measure"] - one["measure"] if same and follows is not None else 0.0
        ways = ",".join(f"{gap if pd.isna(one[c]) else one[c]:g}" for c in lengths)
        key = (one["river"], one["chainage_m"])
        lines += [f"Type RM Length L Ch R = 1 ,{one['rs']:<8},{ways}", "BEGIN DESCRIPTION:"]
        lines += [format_chainage(one["chainage_m"], decimals=3), "END DESCRIPTION:"]
        lines += _section_text(points[key], one, blocks.get(key))
    return lines


def _section_text(
    points: pd.DataFrame, one: Mapping[str, Any], blocks: pd.DataFrame | None
) -> list[str]:
    x, z = points["offset_m"].to_numpy(float), points["elevation_m"].to_numpy(float)
    n = points["n"].ffill().to_numpy(float)
    change = np.r_[True, n[1:] != n[:-1]]
    change[-1] = len(n) == 1  # the last point begins no ground
    on_wall = np.r_[False, x[1:] == x[:-1]]
    starts = np.where(on_wall, x + BEHIND_WALL_M, x)[change]
    triples = np.stack([starts, n[change], np.zeros(change.sum())], axis=1).ravel()
    lines = [f"#Sta/Elev= {len(x)} ", *_columns(np.stack([x, z], 1).ravel(), 10)]
    lines += [f"#Mann= {change.sum()} , 0 , 0 ", *_columns(triples, 9)]
    for head, kinds, rows in _obstacle_rows(points, one, blocks):
        if rows:
            lines += [f"{head}= {len(rows)} , 0 ", *_columns(np.ravel(rows), 9)]
            if head == "#XS Ineff":
                flags = ("T" if k == "permanent" else "F" for k in kinds)
                lines += ["Permanent Ineff=", "".join(f.rjust(COLUMN) for f in flags)]
    levee = [
        f"-1,{one[f'{s}_levee_m']:g},{one[f'{s}_levee_top_m']:g}"
        if pd.notna(one[f"{s}_levee_m"])
        else "0,,"
        for s in ("left", "right")
    ]
    if "-1" in "".join(levee):
        lines.append(f"Levee={','.join(levee)},,,,")
    left = x[0] if pd.isna(one["left_bank_m"]) else one["left_bank_m"]
    right = x[-1] if pd.isna(one["right_bank_m"]) else one["right_bank_m"]
    lines.append(f"Bank Sta={left:g},{right:g}")
    lines.append("XS Rating Curve= 0 ,0")
    expansion, contraction = (
        d if pd.isna(one[c]) else one[c] for c, d in (("expansion", 0.3), ("contraction", 0.1))
    )
    return [*lines, f"Exp/Cntr={expansion:g},{contraction:g}", ""]


def _obstacle_rows(
    points: pd.DataFrame, one: Mapping[str, Any], blocks: pd.DataFrame | None
) -> list[tuple[str, list[str], list[list[float]]]]:
    """Ineffective areas and obstructions of a section; walls are obstructions to the ends."""
    found: dict[str, tuple[list[str], list[list[float]]]] = {
        "#XS Ineff": ([], []), "#Block Obstruct": ([], []),
    }  # fmt: skip
    high = float(points["elevation_m"].max()) + 100.0
    for row in [] if blocks is None else blocks.to_dict("records"):
        kind = row.get("obstacle") or "blocked"
        top = row.get("top_m", np.nan)
        kinds, rows = found["#Block Obstruct" if kind == "blocked" else "#XS Ineff"]
        kinds.append(kind)
        rows.append([row["from_offset_m"], row["to_offset_m"], high if pd.isna(top) else top])
    x = points["offset_m"].to_numpy(float)
    for wall, a, b in (
        (one["left_wall_m"], x[0], one["left_wall_m"]),
        (one["right_wall_m"], one["right_wall_m"], x[-1]),
    ):
        if pd.notna(wall) and a < b:
            found["#Block Obstruct"][1].append([a, b, high])
    return [(head, kinds, rows) for head, (kinds, rows) in found.items()]


def _flow_text(
    title: str, stations: pd.DataFrame, q: Mapping[str, Any], edges: pd.DataFrame
) -> list[str]:
    names = [name or "PF 1" for name in q]
    lines = [f"Flow Title={title}", "Program Version=6.50", f"Number of Profiles= {len(q)} "]
    lines += [f"Profile Names={','.join(map(field_text, names))}"]
    table = np.stack(list(q.values()), axis=1)
    for river, part in stations.groupby("river", sort=False):
        rows = part.index.to_numpy()
        new = np.r_[True, np.any(np.diff(table[rows], axis=0) != 0, axis=1)]
        for row in rows[new]:
            lines += [
                f"River Rch & RM={field_text(river):<16},{'1':<16},{stations.loc[row, 'rs']:<8}"
            ]
            lines += _columns(table[row], 10)
    for river in stations["river"].unique():
        for k, name in enumerate(q):
            mine = edges[for_river(edges, river) & for_profile(edges, name)]
            kinds = {v: c for c, v in _KINDS.items()}
            if len(mine) != 1 or mine.iloc[0]["boundary"] not in kinds:
                raise HydraulicsError(
                    f"has no level, slope or critical depth for {river} {name}".rstrip(),
                    layer="boundaries",
                    hint="one such row a river and profile; rating curves are not written",
                )
            one = mine.iloc[0]
            lines += [f"Boundary for River Rch & Prof#={field_text(river):<16},{'1':<16}, {k + 1} "]
            lines += ["Up Type= 0 ", f"Dn Type= {kinds[one['boundary']]} "]
            if one["boundary"] == "level":
                lines += [f"Dn Known WS={one['level_m']:g}"]
            elif one["boundary"] == "normal":
                lines += [f"Dn Slope={one['slope']:g}"]
    return lines
