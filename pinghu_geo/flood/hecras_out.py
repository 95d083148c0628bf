"""How does the design institute get our sections? As a HEC-RAS project of text files, in SI."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.boundaries import Boundary, boundary_table, for_profile
from pinghu_geo.flood.hecras import ENDLESS_M, reach_names
from pinghu_geo.flood.hecras_openings_out import crossing_lines
from pinghu_geo.flood.hecras_structures_out import junction_lines, structure_lines
from pinghu_geo.flood.hecras_text import (
    BOUNDARY_KINDS,
    COLUMN,
    FRICTION_RULE,
    REGIMES,
    RIVER_NOTE,
)
from pinghu_geo.flood.junctions import junction_table
from pinghu_geo.flood.steady import FRICTION, Friction, Regime
from pinghu_geo.flood.structures import parts_by_kind, with_structures
from pinghu_geo.flood.survey import (
    Laid,
    discharges,
    for_river,
    lay_sections,
    rows_of,
    sections_apart,
)
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.inert import field_text
from pinghu_geo.nouns.replacing import atomic_parts
from pinghu_geo.nouns.schema import one_of
from pinghu_geo.nouns.tables import groups_of, records_of
from pinghu_geo.river.centreline import river_scales
from pinghu_geo.river.chainage import format_chainage

__all__ = ["write_hecras"]

# what may be lost by eight characters a number [m, m³/s]
ROUNDED = 5e-4
# n is given by offset, so that above a vertical wall it changes this far behind it [m]
BEHIND_WALL_M = 1e-3
# characters of a river's and a reach's name, and of a river station
NAME, STATION = 16, 8


@takes()
def write_hecras(
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    target: str | Path,
    *,
    banks: pd.DataFrame | None = None,
    obstacles: pd.DataFrame | None = None,
    structures: pd.DataFrame | None = None,
    structure_parts: pd.DataFrame | None = None,
    junctions: pd.DataFrame | None = None,
    upstream: Boundary | None = None,
    friction: Friction = "average_conveyance",
    regime: Regime = "subcritical",
    rivers: gpd.GeoDataFrame | None = None,
    title: str = "",
) -> dict[str, Path]:
    """Write sections, floods and boundaries as a HEC-RAS project in SI 导出HEC-RAS模型.

    Parameters
    ----------
    sections, flows, downstream, banks, obstacles, structures, structure_parts, junctions
        As in `water_profile`, of a single scheme; boundaries of kind level, slope or critical.
        Encroachment walls are written as blocked obstructions, which act alike.
    upstream, friction, regime
        As in `water_profile`; the rule and the regime stand in the plan.
    target
        Path without suffix; ``.prj``, ``.g01``, ``.f01`` and ``.p01`` are added.
    rivers
        Centrelines; needed where they have chainage equations (断链): reach lengths are along them.
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
    description, from where `read_hecras` takes it back. ``"River, Reach"`` is a reach of a river;
    names beyond HEC-RAS's 16 characters are cut there and stand whole in the descriptions. Openings
    of gates have no place in a geometry file and stand in the description. Bridges and culverts
    below one road are a crossing of several openings with their limits; what HEC-RAS has once for
    a crossing (its road, own sections, flags of momentum) has to be one for all of them. WSPRO's
    coefficient and debris are not written.

    References
    ----------
    HEC-RAS User's Manual 6.x (geometry, steady flow, plan and project files); layout as in public
    models.

    Examples
    --------
    >>> bed = pd.DataFrame({"river": "示例河", "chainage_m": [0.0, 500.0],
    ...     "bed_level_m": [0.5, 0.0], "left_m": 10.0, "right_m": 10.0,
    ...     "bank_level_m": [5.5, 5.0], "n": 0.03})
    >>> made = pg.write_hecras(pg.design_sections(bed), 50.0, {"slope": 0.001}, folder / "模型")
    >>> sorted(p.name for p in made.values())
    ['模型.f01', '模型.g01', '模型.p01', '模型.prj']
    """
    one_of(regime, ("subcritical", *REGIMES.values()), "regime")
    one_of(friction, FRICTION, "friction")
    target, title = Path(target), title or Path(target).name
    laid = lay_sections(sections, banks=banks, obstacles=obstacles, rivers=rivers)
    scales = None if rivers is None else river_scales(rivers)
    laid = with_structures(laid, structures, structure_parts, scales)
    stations = laid.stations
    if "lid_m" in sections.columns and sections["lid_m"].notna().any():
        raise HydraulicsError(
            "has covered sections (lid_m), which aren't written",
            layer="sections",
            hint='sections = sections.drop(columns="lid_m")'
            "  # and say so; or write them as a culvert",
        )
    if stations["scheme"].nunique() > 1:
        raise HydraulicsError(
            "holds several schemes; HEC-RAS has a geometry file for each",
            layer="sections",
            hint='sections[sections["scheme"] == "..."]',
        )
    number, places = sections_apart(sections, rivers, "sections")
    keys = places[["river", "measure"]].to_numpy(object)
    points = {tuple(keys[k]): part for k, part in groups_of(sections.groupby(number))}
    stations = stations.assign(rs=_river_stations(stations))
    q = discharges(flows, stations, rivers)
    edges = {"Up": boundary_table(upstream, "upstream"),
             "Dn": boundary_table(downstream, "downstream")}  # fmt: skip
    wanted = {"subcritical": ["Dn"], "supercritical": ["Up"]}.get(regime, ["Up", "Dn"])
    named = {word: line for line, word in REGIMES.items()}
    title = field_text(title)
    crossings = _StructureLines(laid, structures, structure_parts, junctions)
    texts = {
        "project": (".prj", _project_text(title)),
        "geometry": (".g01", _geometry_text(title, points, stations, obstacles, crossings)),
        "flow": (".f01", _flow_text(title, stations, q, edges, wanted, junctions)),
        "plan": (
            ".p01",
            [f"Plan Title={title}", "Program Version=6.50", f"Short Identifier={title[:24]}",
             "Geom File=g01", "Flow File=f01", named.get(regime, "Subcritical Flow"),
             f"{FRICTION_RULE} {FRICTION.index(friction) + 1} ", "Run HTab= 1"],
        ),
    }  # fmt: skip
    made = {name: target.with_name(target.name + suffix) for name, (suffix, _) in texts.items()}
    with atomic_parts(made["project"]) as folder:
        for name, (_, lines) in texts.items():
            text = "\r\n".join(lines) + "\r\n"
            (folder / made[name].name).write_text(text, "utf-8", newline="")
    return made


def _river_stations(stations: pd.DataFrame) -> list[str]:
    """Metres to the lowest section of the river, which fall downstream as HEC-RAS wants."""
    end = stations.groupby("river")["measure"].transform("max")
    rivers = stations["river"]
    for decimals in (2, 3, 1, 0):
        texts = (end - stations["measure"]).map(lambda v, d=decimals: f"{v:.{d}f}")
        if texts.str.len().max() <= STATION and not (rivers + "|" + texts).duplicated().any():
            return list(texts)
    raise HydraulicsError(
        "holds sections that HEC-RAS's eight characters can't tell apart",
        layer="sections",
        hint="write the rivers one by one",
    )


def _names_in_files(rivers: Iterable[str]) -> dict[str, tuple[str, str, str]]:
    """River and reach in the files, and the name that these don't give back, if so."""
    found: dict[str, tuple[str, str]] = {}
    for river in rivers:
        name, _, reach = (field_text(v.strip()) for v in river.partition(","))
        pair = (name, reach or "1") if name else (field_text(river), "1")
        k = 1
        cut = tuple(v[:NAME].strip() for v in pair)
        while cut in found.values():  # two long names that begin alike
            k += 1
            cut = (cut[0], f"{pair[1][: NAME - len(str(k)) - 1]}~{k}")
        found[river] = (cut[0], cut[1])
    back = reach_names([p[0] for p in found.values()], [p[1] for p in found.values()])
    return {
        river: (*pair, "" if river == read else river)
        for (river, pair), read in zip(found.items(), back, strict=True)
    }


def _plain_number(value: float) -> str:
    """A number that stands between commas, with all its digits but those below a micrometre."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _fixed_width_number(value: float) -> str:
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


def _fixed_width_lines(values: Iterable[float], wide: int) -> list[str]:
    cells = [_fixed_width_number(v) for v in values]
    return ["".join(cells[k : k + wide]) for k in range(0, len(cells), wide)]


def _project_text(title: str) -> list[str]:
    return [
        f"Proj Title={title}", "Current Plan=p01", "Default Exp/Contr=0.3,0.1", "SI Units",
        "Geom File=g01", "Flow File=f01", "Plan File=p01",
    ]  # fmt: skip


def _geometry_text(
    title: str,
    points: Mapping[tuple[str, float], pd.DataFrame],
    stations: pd.DataFrame,
    obstacles: pd.DataFrame | None,
    crossings: _StructureLines,
) -> list[str]:
    lines = [f"Geom Title={title}", "Program Version=6.50", ""]
    lines += crossings.junction_lines(stations)
    blocks: dict[int, pd.DataFrame] = {}
    if obstacles is not None and not obstacles.empty:
        row, station = rows_of(obstacles, stations, "obstacles")
        blocks = {k: obstacles.iloc[row[station == k]] for k in np.unique(station).tolist()}
    river, names = None, _names_in_files(stations["river"].unique())
    lengths = ["length_left_m", "length_channel_m", "length_right_m"]
    for i, one in enumerate(records_of(stations)):
        if one["river"] != river:
            river = one["river"]
            name, reach, note = names[river]
            lines += [f"River Reach={name:<{NAME}},{reach:<{NAME}}", "Reach XY= 0 "]
        follows = stations.iloc[i + 1] if i + 1 < len(stations) else None
        same = follows is not None and follows["river"] == river
        gap = follows["measure"] - one["measure"] if same and follows is not None else 0.0
        ways = ",".join(f"{_plain_number(gap if pd.isna(one[c]) else one[c])}" for c in lengths)
        lines += [f"Type RM Length L Ch R = 1 ,{one['rs']:<8},{ways}", "BEGIN DESCRIPTION:"]
        lines += [format_chainage(one["chainage_m"], decimals=3)]
        lines += [RIVER_NOTE + " ".join(note.split())] if note else []
        lines += ["END DESCRIPTION:"]
        lines += _section_text(points[one["river"], one["measure"]], one, blocks.get(i))
        lines += crossings.lines_below(i, stations)
    return lines


class _StructureLines:
    """Structures between sections and junctions between rivers, as lines."""

    def __init__(
        self,
        laid: Laid,
        structures: pd.DataFrame | None,
        parts: pd.DataFrame | None,
        junctions: pd.DataFrame | None,
    ) -> None:
        self.laid, self.junctions = laid, junctions
        self.table = pd.DataFrame() if structures is None else structures
        self.parts = parts_by_kind(parts, self.table)
        self.below = {row: one.name.split("、") for row, one in laid.crossings.items()}

    def lines_below(self, row: int, stations: pd.DataFrame) -> list[str]:
        """Lines of what stands below a section."""
        names = self.below.get(row)
        if not names:
            return []
        ids = [i for i in self.table.index if str(i) in names]
        g = self.laid.ground
        sides = (slice(int(g.start[k]), int(g.start[k] + g.count[k])) for k in (row, row + 1))
        grounds = [(g.x[part], g.z[part]) for part in sides]
        up, down = (float(stations["rs"].iloc[k]) for k in (row, row + 1))
        gap = stations["length_channel_m"].iloc[row]
        gap = abs(up - down) if pd.isna(gap) else float(gap)
        rs = f"{(up + down) / 2:.3f}".rstrip("0")[:STATION]
        openings = {i: (self.table.loc[i].to_dict(), self.parts.get(i, {})) for i in ids}
        if len(ids) > 1:
            return crossing_lines(openings, rs, grounds, gap)
        return structure_lines(str(ids[0]), *openings[ids[0]], rs, grounds, gap)

    def junction_lines(self, stations: pd.DataFrame) -> list[str]:
        """Lines of the junctions, which stand before the reaches."""
        if self.junctions is None or self.junctions.empty:
            return []
        names = _names_in_files(stations["river"].unique())
        return junction_lines(self.junctions, names, NAME)


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
    lines = [f"#Sta/Elev= {len(x)} ", *_fixed_width_lines(np.stack([x, z], 1).ravel(), 10)]
    lines += [f"#Mann= {change.sum()} , 0 , 0 ", *_fixed_width_lines(triples, 9)]
    for head, kinds, rows in _obstacle_rows(points, one, blocks):
        if rows:
            # -1: blocks anywhere; 0 would be one to the left and one to the right
            lines += [f"{head}= {len(rows)} ,-1 ", *_fixed_width_lines(np.ravel(rows), 9)]
            if head == "#XS Ineff":
                flags = ["T" if k == "permanent" else "F" for k in kinds]
                flags = [f.rjust(COLUMN) for f in flags]
                lines.append("Permanent Ineff=")
                lines += ["".join(flags[k : k + 10]) for k in range(0, len(flags), 10)]
    levee = [
        f"-1,{_plain_number(one[f'{s}_levee_m'])},{_plain_number(one[f'{s}_levee_top_m'])}"
        if pd.notna(one[f"{s}_levee_m"])
        else "0,,"
        for s in ("left", "right")
    ]
    if "-1" in "".join(levee):
        lines.append(f"Levee={','.join(levee)},,,,")
    banks = (
        end if pd.isna(one[f"{side}_bank_m"]) else one[f"{side}_bank_m"]
        for side, end in (("left", x[0]), ("right", x[-1]))
    )
    # at a point of the section its very text, or rounding would put the bank outside
    lines.append(
        "Bank Sta="
        + ",".join(_fixed_width_number(v).strip() if v in x else _plain_number(v) for v in banks)
    )
    lines.append("XS Rating Curve= 0 ,0")
    expansion, contraction = (
        d if pd.isna(one[c]) else one[c] for c, d in (("expansion", 0.3), ("contraction", 0.1))
    )
    return [*lines, f"Exp/Cntr={_plain_number(expansion)},{_plain_number(contraction)}", ""]


def _obstacle_rows(
    points: pd.DataFrame, one: Mapping[str, Any], blocks: pd.DataFrame | None
) -> list[tuple[str, list[str], list[list[float]]]]:
    """Ineffective areas and obstructions of a section; walls are obstructions to the ends."""
    found: dict[str, tuple[list[str], list[list[float]]]] = {
        "#XS Ineff": ([], []), "#Block Obstruct": ([], []),
    }  # fmt: skip
    high = float(points["elevation_m"].max()) + ENDLESS_M
    x = points["offset_m"].to_numpy(float)
    for row in [] if blocks is None else blocks.to_dict("records"):
        kind = row.get("obstacle") or "blocked"
        top = row.get("top_m", np.nan)
        kinds, rows = found["#Block Obstruct" if kind == "blocked" else "#XS Ineff"]
        kinds.append(kind)
        a, b = np.clip([row["from_offset_m"], row["to_offset_m"]], x[0], x[-1])
        rows.append([a, b, high if pd.isna(top) else top])
    for wall, a, b in (
        (one["left_wall_m"], x[0], one["left_wall_m"]),
        (one["right_wall_m"], one["right_wall_m"], x[-1]),
    ):
        if pd.notna(wall) and a < b:
            found["#Block Obstruct"][1].append([a, b, high])
    return [(head, kinds, rows) for head, (kinds, rows) in found.items()]


def _flow_text(
    title: str,
    stations: pd.DataFrame,
    q: Mapping[str, Any],
    edges: Mapping[str, pd.DataFrame],
    wanted: list[str],
    junctions: pd.DataFrame | None,
) -> list[str]:
    # whose water comes from or goes on at a junction, which has its level from there
    joined = junction_table(junctions).values()
    inner = {"Dn": {b.river for j in joined for b in j.into},
             "Up": {b.river for j in joined for b in j.out}}  # fmt: skip
    names = [field_text(name or "PF 1") for name in q]
    reaches = {r: v[:2] for r, v in _names_in_files(stations["river"].unique()).items()}
    lines = [f"Flow Title={title}", "Program Version=6.50", f"Number of Profiles= {len(q)} "]
    lines += [f"Profile Names={','.join(names)}"]
    table = np.stack(list(q.values()), axis=1)
    for river, part in groups_of(stations.groupby("river", sort=False)):
        rows = part.index.to_numpy()
        new = np.r_[True, np.any(np.diff(table[rows], axis=0) != 0, axis=1)]
        for row in rows[new]:
            name, reach = reaches[river]
            at = f"{name:<{NAME}},{reach:<{NAME}},{stations.loc[row, 'rs']:<{STATION}}"
            lines.append(f"River Rch & RM={at}")
            lines += _fixed_width_lines(table[row], 10)
    for river in stations["river"].unique():
        for k, name in enumerate(q):
            lines_of = {
                end: _boundary_lines(edges[end], river, name, end=end, wanted=end in wanted)
                for end in ("Up", "Dn") if river not in inner[end]
            }  # fmt: skip
            if not any(lines_of.values()):
                continue
            place = ",".join(f"{v:<{NAME}}" for v in reaches[river])
            lines += [f"Boundary for River Rch & Prof#={place}, {k + 1} "]
            for end in ("Up", "Dn"):
                lines += lines_of.get(end) or [f"{end} Type= 0 "]
    return lines


def _boundary_lines(
    edges: pd.DataFrame, river: str, profile: str, *, end: str, wanted: bool
) -> list[str]:
    """Lines of a river's boundary at one end; none where there is none and none is wanted."""
    kinds = {v: c for c, v in BOUNDARY_KINDS.items()}
    mine = edges[for_river(edges, river) & for_profile(edges, profile)]
    if mine.empty and not wanted:
        return []
    if len(mine) != 1 or mine.iloc[0]["boundary"] not in kinds:
        raise HydraulicsError(
            f"has no level, slope or critical depth for {river} {profile}".rstrip(),
            layer="boundaries" if end == "Dn" else "upstream boundaries",
            hint="one such row a river and profile; rating curves are not written",
        )
    one = mine.iloc[0]
    lines = [f"{end} Type= {kinds[one['boundary']]} "]
    if one["boundary"] == "level":
        lines += [f"{end} Known WS={_plain_number(one['level_m'])}"]
    elif one["boundary"] == "normal":
        lines += [f"{end} Slope={one['slope']:.9g}"]
    return lines
