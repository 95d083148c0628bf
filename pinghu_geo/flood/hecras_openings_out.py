"""How does HEC-RAS read several openings below one road? As one crossing with a line for each."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pinghu_geo.flood.bridge_rows import NO_ROWS, rows_of_this_side
from pinghu_geo.flood.hecras_structures import open_stretches
from pinghu_geo.flood.hecras_structures_out import (
    RowWithDefaults,
    abutment_lines,
    barrel_lines,
    crossing_head,
    deck_lines,
    deck_tables,
    flag_line,
    method_lines,
    own_section_lines,
    pier_lines,
    plain_number,
)
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.structure_rows import ROAD, StructureRow, rows_of_one_road
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.tables import is_unknown

__all__ = ["crossing_lines"]

MULTIPLE = 4  # HEC-RAS's number of such a node
KINDS = {"culvert": 2, "bridge": 3}
# what HEC-RAS has once for the bridges of a crossing
OF_BRIDGES = ("friction", "weight", "pressure_by")
# places and levels so near are one [m]
NEAR = 1e-6
FINE = 1000.0  # limits that nobody said lie a millimetre beside their openings at most

Table = NDArray[np.float64]
Parts = Mapping[str, pd.DataFrame]
Ends = list[tuple[float, float]]


class _Opening(NamedTuple):
    """One opening, and from where to where it reaches above and below."""

    name: Hashable
    said: RowWithDefaults
    parts: Parts
    ends: Ends


def crossing_lines(
    openings: Mapping[Hashable, tuple[Mapping[str, Any], Parts]],
    rs: str,
    grounds: list[tuple[Array, Array]],
    gap: float,
) -> list[str]:
    """Lines of bridges and culverts below one road, in SI; grounds of the sections beside it."""
    names = list(openings)
    rows = _rows_of_one_road({name: row for name, (row, _) in openings.items()})
    found = []
    for name, (_, parts) in openings.items():
        said = RowWithDefaults(rows[name])
        found.append(_Opening(name, said, parts, _ends_of_opening(name, said, parts, grounds)))
    found.sort(key=lambda one: sum(one.ends[0]))
    bridges = [one for one in found if one.said.row["kind"] == "bridge"]
    lines = crossing_head(MULTIPLE, rs, ["、".join(" ".join(str(n).split()) for n in names)])
    lines.append(flag_line(bridges[0].said if bridges else found[0].said))
    lines += deck_lines(found[0].said, _deck_of_crossing(found, grounds), gap)
    for one in bridges:
        lines += pier_lines(one.said, one.parts, grounds)
    standing = _abutments(bridges)
    lines += abutment_lines({"abutment": standing} if standing.size else {})
    for one in bridges:
        lines += method_lines(str(one.name), one.said)
    for one in found:
        if one not in bridges:
            lines += barrel_lines(one.said, one.parts, gap, one.ends[0])
    lines += _limit_lines(found, grounds)
    lines += own_section_lines(_own_sections(bridges))
    return [*lines, "BC Design=,, 0 ,, 0 ,,,,,,", ""]


def _rows_of_one_road(
    rows: Mapping[Hashable, Mapping[str, Any]],
) -> dict[Hashable, Mapping[str, Any]]:
    """Rows that say of their road and bridges what HEC-RAS has once; refuses what differs."""
    filled = rows_of_one_road([StructureRow(row, name) for name, row in rows.items()])
    for kinds, columns in ((tuple(KINDS), ROAD), (("bridge",), OF_BRIDGES)):
        mine = [one for one in filled if one.row["kind"] in kinds]
        for column in columns:
            said = {one.row[column] if one.has(column) else None for one in mine}
            if len(said) > 1:
                raise HydraulicsError(
                    f"has openings below one road that differ in {column}, "
                    "which HEC-RAS has once for a crossing",
                    layer="structures", ids=list(rows),
                    hint=f"one {column} for all, or a section between them",
                )  # fmt: skip
    return {one.name: one.row for one in filled}


def _ends_of_opening(
    name: Hashable, said: RowWithDefaults, parts: Parts, grounds: list[tuple[Array, Array]]
) -> Ends:
    """From where to where an opening reaches, above and below."""
    if said.row["kind"] == "culvert":
        ends = said("from_offset_m"), said("to_offset_m")
        if any(is_unknown(v) for v in ends):
            raise HydraulicsError(
                "is one of several openings and doesn't say where it lies",
                layer="structures", ids=[name], hint="fill in from_offset_m and to_offset_m",
            )  # fmt: skip
        return [(float(ends[0]), float(ends[1]))] * 2
    found: Ends = []
    for side, table, beside in zip(
        ("up", "down"), deck_tables(said, parts, grounds), grounds, strict=True
    ):
        own = rows_of_this_side(parts, "ground", side)
        x, z = own[["offset_m", "elevation_m"]].to_numpy(float).T if len(own) else beside
        free = open_stretches(table[:, 0], table[:, 2], x, z)
        found.append((free[0][0], free[-1][1]) if free else found[0])
    return found


def _deck_of_crossing(found: list[_Opening], grounds: list[tuple[Array, Array]]) -> list[Table]:
    """One deck above all openings, above and below: offset, road, low chord."""
    bridges = [one for one in found if one.said.row["kind"] == "bridge"]
    drawn = [one for one in found if "deck" in one.parts]
    if not drawn:
        return [_flat_deck_of_crossing(found, bridges, grounds[0])] * 2
    flat = [float(one.said("deck_m", math.nan)) for one in found if one not in drawn]
    levels = [v for v in flat if math.isfinite(v)]
    made = []
    for side in (0, 1):
        tables = [deck_tables(one.said, one.parts, grounds)[side] for one in drawn]
        bare = any(one not in drawn for one in bridges)
        if bare or not _are_of_one_road(tables, levels):
            raise HydraulicsError(
                "has openings below one road that draw it in different lines, "
                "which HEC-RAS has once for a crossing",
                layer="structures", ids=[one.name for one in found],
                hint="give each bridge the deck of the whole crossing: offset_m and deck_m of the "
                "same road, low_chord_m blank or below the ground beside its own opening",
            )  # fmt: skip
        own = [t for t, one in zip(tables, drawn, strict=True) if one in bridges] or tables[:1]
        made.append(_one_deck(own, [one.ends[side] for one in drawn if one in bridges]))
    return made


def _are_of_one_road(tables: list[Table], levels: list[float]) -> bool:
    """Whether decks are one line, and as high as those say who draw none."""
    first = tables[0]
    at = np.unique(np.concatenate([t[:, 0] for t in tables]))
    same = all(
        np.abs(t[[0, -1], 0] - first[[0, -1], 0]).max() < NEAR
        and np.allclose(
            np.interp(at, t[:, 0], t[:, 1]), np.interp(at, first[:, 0], first[:, 1]),
            rtol=0, atol=NEAR, equal_nan=True,
        )
        for t in tables
    )  # fmt: skip
    return same and all(np.abs(first[:, 1] - v).max() < NEAR for v in levels)


def _one_deck(tables: list[Table], ends: Ends) -> Table:
    """Decks of several bridges, from left to right, as one: each above its own opening."""
    first = tables[0]
    if all(t.shape == first.shape and np.abs(t[:, 0] - first[:, 0]).max() < NEAR for t in tables):
        return np.column_stack([first[:, :2], np.fmax.reduce([t[:, 2] for t in tables])])
    stops = [-math.inf, *((a[1] + b[0]) / 2 for a, b in pairwise(ends)), math.inf]
    rows = []
    for table, a, b in zip(tables, stops[:-1], stops[1:], strict=True):
        edges = [
            [[v, *(np.interp(v, table[:, 0], table[:, c]) for c in (1, 2))]] if math.isfinite(v)
            else np.empty((0, 3)) for v in (a, b)
        ]  # fmt: skip
        rows += [edges[0], table[(table[:, 0] > a) & (table[:, 0] < b)], edges[1]]
    return np.vstack(rows)


def _flat_deck_of_crossing(
    found: list[_Opening], bridges: list[_Opening], ground: tuple[Array, Array]
) -> Table:
    """Deck of rows alone as points: solid between and beside the bridges."""
    x, z = ground
    high = float(found[0].said("deck_m", float(z.max()) + 10.0))
    solid = float(z.min()) - 1.0 if bridges else math.nan
    points = [(float(x[0]), high, solid)]
    for one in bridges:
        a, b = float(one.said("from_offset_m", x[0])), float(one.said("to_offset_m", x[-1]))
        low = float(one.said("low_chord_m", math.nan))
        points += [(a, high, solid), (a, high, low), (b, high, low), (b, high, solid)]
    points.append((float(x[-1]), high, solid))
    # at the section's ends one point is enough
    points = points[2:] if points[0][0] == points[1][0] and bridges else points
    points = points[:-2] if points[-1][0] == points[-2][0] and bridges else points
    return np.array(points)


def _abutments(bridges: list[_Opening]) -> pd.DataFrame:
    """Abutments of all bridges, each once: HEC-RAS has them for the crossing."""
    known: dict[tuple[Any, ...], pd.DataFrame] = {}
    for one in bridges:
        rows = one.parts.get("abutment", NO_ROWS)
        if len(rows):
            for _, part in rows.groupby("group", sort=False, dropna=False):
                line = part[["side", "offset_m", "elevation_m"]]
                known.setdefault(tuple(line.astype(str).to_numpy().ravel()), part)
    made = [part.assign(group=str(k)) for k, part in enumerate(known.values())]
    return pd.concat(made) if made else pd.DataFrame()


def _own_sections(bridges: list[_Opening]) -> Parts:
    """Own sections of the bridges, which HEC-RAS has once for the crossing."""
    said = [one.parts.get("ground") for one in bridges]
    first = said[0] if said else None
    columns = ["side", "offset_m", "elevation_m", "n", "left_bank_m", "right_bank_m"]
    for other in said[1:]:
        both = first is not None and other is not None
        if both and first[columns].reset_index(drop=True).equals(  # type: ignore[index]
            other[columns].reset_index(drop=True)  # type: ignore[index]
        ):
            continue
        if first is not None or other is not None:
            raise HydraulicsError(
                "has bridges below one road with sections of their own that differ, "
                "which HEC-RAS has once for a crossing",
                layer="structure_parts", ids=[one.name for one in bridges],
                hint="the same ground for each bridge of the crossing",
            )  # fmt: skip
    return {} if first is None else {"ground": first}


def _limit_lines(found: list[_Opening], grounds: list[tuple[Array, Array]]) -> list[str]:
    """A line an opening: its kind, and its limits above and below.

    Where nobody said them they are the openings beside it, between which the water parts. Below
    they are moved as the opening is, where offsets count from elsewhere there.
    """
    lines = []
    edges = [(float(x[0]), float(x[-1])) for x, _ in grounds]
    for k, one in enumerate(found):
        kind = KINDS[str(one.said.row["kind"])]
        unsaid = [c for c in ("limit_left_m", "limit_right_m") if is_unknown(one.said(c))]
        if unsaid and one.said("skew_deg"):
            raise HydraulicsError(
                f"stands askew below one road with others and lacks {unsaid[0]}",
                layer="structures", ids=[one.name], hint="fill in limit_left_m and limit_right_m",
            )  # fmt: skip
        left = found[k - 1].ends[0][1] if k else edges[0][0]
        right = found[k + 1].ends[0][0] if k + 1 < len(found) else edges[0][1]
        left, right = math.floor(left * FINE) / FINE, math.ceil(right * FINE) / FINE
        above = float(one.said("limit_left_m", left)), float(one.said("limit_right_m", right))
        bridges = [b for b in found if KINDS[str(b.said.row["kind"])] == KINDS["bridge"]]
        near = min(bridges or [one], key=lambda b: abs(sum(b.ends[0]) - sum(one.ends[0])))  # noqa: B023
        moved = near.ends[1][0] - near.ends[0][0]
        below = (
            edges[1][0] if above[0] <= edges[0][0] else above[0] + moved,
            edges[1][1] if above[1] >= edges[0][1] else above[1] + moved,
        )
        lines.append(f"BC Mult= {kind} ,{','.join(plain_number(v) for v in (*above, *below))}")
    return lines
