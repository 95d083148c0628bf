"""What did the surveyor hand over? Cross-sections in the files of their programs, and back.

Which file it is, its content tells: several programs share a suffix. Points keep the order and the
offsets of the file, with left negative where its definition says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.encoding import text_encoding
from pinghu_geo.intake.formats import cell_grids
from pinghu_geo.intake.hintcad import RelativeTo, is_hintcad, sections_of_hintcad
from pinghu_geo.intake.io import table_and_findings
from pinghu_geo.intake.sdf import sections_of_sdf
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import ChainageError, LayerError
from pinghu_geo.nouns.files import existing, require_suffix
from pinghu_geo.nouns.replacing import atomic_path
from pinghu_geo.nouns.schema import nearest, numbers, require_columns, require_layer
from pinghu_geo.nouns.tables import groups_of
from pinghu_geo.nouns.units import datum_stated
from pinghu_geo.river.centreline import river_scales
from pinghu_geo.river.chainage import begun_anew, chainage_prefix, parse_chainage
from pinghu_geo.river.corridor import locate

__all__ = ["read_sections", "write_sections"]

# points of one section lie so near to each other along the river [m]
APART_M = 5.0
# surveyed sections are no nearer to each other than that, most of them [m]
NEAREST_M = 1.0
# coordinates are larger than any offset or height [m]
COORDINATE_M = 20_000.0
CHAINAGE = re.compile(r"[^\W\d_]*\s*-?\d+\s*\+\s*\d{3}(?:\.\d+)?", re.IGNORECASE)
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
DISTANCE = ("起点距", "偏距", "距离", "平距", "中距", "offset", "distance")
# what else a column of points may hold: neither an offset nor a height
NEITHER = ("间距", "高差", "水深", "深度", "埋深", "读数")
METRES = re.compile(r"[(\[]\s*(?:m|米)\s*[)\]]", re.IGNORECASE)
HEIGHT = ("高程", "标高", "elevation", "height", "level")


class _SectionPoint(NamedTuple):
    """A point as it stands in a file; ``chainage`` is the text of its section."""

    row: int
    chainage: str
    offset: float
    height: float


Row = tuple[int, list[str]]


@takes()
def read_sections(
    source: str | Path,
    *,
    river: str | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    encoding: str | None = None,
    centre: str | Path | None = None,
    relative_to: RelativeTo | None = None,
) -> pd.DataFrame:
    r"""Surveyed cross-sections from the files of survey programs 读取断面测量成果.

    Parameters
    ----------
    source
        CASS ``.hdm`` (``BEGIN,chainage[:number]``, then offset and height a line) or ``.dat``
        (point, code, east, north, height); HintCAD (纬地) ``.hdm``; HEC-RAS ``.sdf``; a text with
        the chainage on a line of its own and a point a line below, or a section a line
        (chainage, then offset and height in turn); ``.csv`` and ``.xlsx`` as a table, a sheet
        or a block a section (the chainage in the sheet's name or above the block), wide rows,
        or columns for the left and the right side.
    river
        Name of the river, where the file doesn't say it.
    rivers
        Centrelines; points with coordinates are referred to them. Where it holds one river, that
        is the name, too.
    encoding
        Of a text; by default found from its bytes.
    centre
        HintCAD's ground at the centre (``.dmx``); by default the one of the same name beside it.
    relative_to
        What distances and heights of HintCAD's points count from: the point before, or the centre.
        By default the point before, asked about where all distances grow.

    Returns
    -------
    pandas.DataFrame
        A row a point in the order of the file: river, chainage_m, offset_m, elevation_m, perhaps n
        and line; the index is the row of the file. Offsets are as the file counts them;
        `section_offsets` brings other counts to the centreline.

    Raises
    ------
    LayerError
        A file of another kind (what stands in its first lines is said), rows that are no points, a
        river that is not named, coordinates without ``rivers``, points that lie in no sections.
    ChainageError
        A chainage can't be read.

    Notes
    -----
    CASS: offsets are about the centre peg, facing the growing chainage, negative to the left; a
    section without a centre peg counts from its left end, all positive. ``.dat`` points are
    gathered to sections where they lie within 5 m along the river of the next; a section's chainage
    is their middle. HEC-RAS: offsets along the cut line, 0 where it crosses the stream's
    centreline, else midway between the banks; the chainage is the station, which grows upstream.
    A HintCAD (纬地) ``.hdm`` begins with HINTCAD5.83_HDM_SHUJU, then come three rows a section: the
    chainage; for the left and for the right how many points, and distance and height of each, away
    from the centre. Without that first line, and an EICAD ``.hdm`` (widths of a road), they are
    told apart and refused.

    References
    ----------
    CASS .hdm: LiDAR360 user guide, appendix "断面成果输出文件格式". CASS .dat: CASS reference
    manual, chapter 5.1 坐标数据文件. SDF: HEC-RAS User's Manual, "RAS GIS Import File". HintCAD:
    HintCAD tutorial, 13.8 (.hdm), as public readers and writers of it and of .dmx cite and do it;
    Chen, Tang & Jiang 2017 (卷宗 25). EICAD: EICAD user manual, appendix, 1.2 (.HDM).

    Examples
    --------
    >>> _ = (folder / "a.hdm").write_text("BEGIN,0.000:1\n-6,52\n0,48\n6,52\n")
    >>> pg.intake.read_sections(folder / "a.hdm", river="R")["offset_m"].tolist()
    [-6.0, 0.0, 6.0]
    """
    path = existing(Path(source), "sections")
    if path.is_dir():
        raise LayerError(f"{path.name} is a folder", layer="sections", hint="give the file in it")
    name = _river_name(river, rivers)
    if path.suffix.lower() in (".xlsx", ".xlsm", ".csv"):
        return _sections_from_cells(path, name, encoding)
    raw = path.read_bytes()
    text = raw.decode(encoding or text_encoding(raw, path.name).name or "utf-8", "replace")
    lines = [(k, line.strip()) for k, line in enumerate(text.lstrip("\ufeff").splitlines(), 1)]
    lines = [
        (k, unicodedata.normalize("NFKC", line).replace("−", "-")) for k, line in lines if line
    ]
    if any(line.upper().startswith("BEGIN CROSS-SECTIONS") for _, line in lines):
        return sections_of_sdf([line for _, line in lines], rivers)
    if not lines:
        raise LayerError(f"{path.name} is empty", layer="sections", hint="export it again")
    rows = [(k, re.split(r"\s*[,;\t]\s*|\s+", line.strip(" ,;\t"))) for k, line in lines]
    if all(_is_dat_line(line) for _, line in lines):
        return _sections_from_coordinates(
            [_point_of_dat_line(k, line) for k, line in lines], rivers, path
        )
    if is_hintcad(rows):
        where = None if centre is None else Path(centre)
        found = sections_of_hintcad(rows, path, where, relative_to)
        return _table_of_points([_SectionPoint(*p) for p in found], name, path)
    if rows[0][1][0].upper() == "BEGIN":
        return _sections_from_hdm(rows, name, rivers, path)
    return _sections_from_rows(rows, lines, name, path, encoding)


@takes()
def write_sections(sections: pd.DataFrame, target: str | Path) -> None:
    """Cross-sections of one river as a CASS file ``.hdm``, whole or not at all 写出断面文件.

    Parameters
    ----------
    sections
        River, chainage_m, offset_m (negative to the left), elevation_m.
    target
        ``.hdm``; an existing file is replaced.

    Raises
    ------
    LayerError
        Several rivers, or points without offset or height.

    References
    ----------
    CASS .hdm: LiDAR360 user guide, appendix "断面成果输出文件格式".

    Examples
    --------
    >>> box = pd.DataFrame({"river": "R", "chainage_m": 0.0, "offset_m": [-5.0, 5.0],
    ...     "elevation_m": [3.0, 3.0]})
    >>> pg.intake.write_sections(box, folder / "b.hdm")
    >>> pg.intake.read_sections(folder / "b.hdm", river="R")["offset_m"].tolist()
    [-5.0, 5.0]
    """
    path = Path(target)
    require_suffix(path, ".hdm")
    require_columns(sections, ("river", "chainage_m", "offset_m", "elevation_m"), "sections")
    if sections["river"].nunique() > 1:
        raise LayerError(
            "hold several rivers, a .hdm holds one",
            layer="sections",
            ids=sections["river"].unique(),
            hint='for name, one in sections.groupby("river"): write one file each',
        )
    values = {
        c: numbers(sections, c, "sections") for c in ("chainage_m", "offset_m", "elevation_m")
    }
    bad = pd.DataFrame(values).isna().any(axis=1)
    if bad.any():
        raise LayerError(
            "have points without chainage, offset or height",
            layer="sections",
            ids=sections.index[bad],
            hint="sections = sections.dropna()",
        )
    table = pd.DataFrame(values)
    lines = []
    # two places of one chainage are a block each; their numbers tell them apart
    key = pd.factorize(table["chainage_m"])[0]
    section = begun_anew(key, table["offset_m"].to_numpy())
    for number, part in groups_of(table.groupby(section)):
        lines.append(f"BEGIN,{part['chainage_m'].iloc[0]:.3f}:{number + 1}")
        lines += [f"{x:.3f},{z:.3f}" for x, z in part[["offset_m", "elevation_m"]].to_numpy()]
    with atomic_path(path) as temporary:
        temporary.write_text("\r\n".join(lines) + "\r\n", "ascii", newline="")


def _folded(line: str) -> str:
    """A line with full-width characters and the minus of typesetting as programs write them."""
    return unicodedata.normalize("NFKC", line).replace("\N{MINUS SIGN}", "-")


def _river_name(river: str | None, rivers: gpd.GeoDataFrame | None) -> str | None:
    if rivers is not None:
        require_layer(rivers, "rivers")
        if river is not None and river not in rivers.index:
            raise LayerError(
                f"doesn't hold the river {river!r}", layer="rivers",
                hint=nearest(river, map(str, rivers.index)),
            )  # fmt: skip
        if river is None and len(rivers) == 1:
            return str(rivers.index[0])
    return river


# --- texts ------------------------------------------------------------------------------------


def _sections_from_rows(
    rows: Sequence[Row],
    lines: Sequence[tuple[int, str]],
    name: str | None,
    path: Path,
    encoding: str | None,
) -> pd.DataFrame:
    """A text that begins like no format: a table with its headings, blocks, or wide rows."""
    if any(_is_heading_of_table(line) for _, line in lines):
        if path.suffix.lower() != ".txt":
            raise _unknown_format_error(rows, path)
        return _sections_from_cells(path, name, encoding)
    _refuse_other_formats(rows, path)
    points = _points_of_rows(rows, path, "")
    if not points:
        raise _unknown_format_error(rows, path)
    made = _table_of_points(points, name, path)
    datum = _datum_of_titles(rows)
    return made.assign(datum=datum) if datum else made


def _number_in_cell(text: str, row: int, path: Path) -> float:
    if not NUMBER.fullmatch(text):
        raise LayerError(
            f"{path.name} has {text!r} where a number is expected (row of the file)",
            layer="sections",
            ids=[row],
            hint="correct it, or take the line out",
        )
    return float(text)


def _sections_from_hdm(
    rows: Sequence[Row], name: str | None, rivers: gpd.GeoDataFrame | None, path: Path
) -> pd.DataFrame:
    """CASS: BEGIN, chainage and perhaps a number; offset and height, or coordinates, a line."""
    points: list[_SectionPoint] = []
    placed: list[tuple[int, str, float, float, float]] = []
    chainage, begun = "", [row for row, cells in rows if cells[0].upper() == "BEGIN"]
    filled = [r for (r, c), (_, after) in pairwise(rows) if c[0].upper() == "BEGIN"
              and after[0].upper() != "BEGIN"]  # fmt: skip
    if empty := sorted(set(begun) - set(filled)):
        raise LayerError(
            f"{path.name} has sections without points (rows of the file)",
            layer="sections",
            ids=empty,
            hint="survey them, or take their BEGIN out",
        )
    for row, cells in rows:
        if cells[0].upper() == "BEGIN":
            chainage = cells[1].split(":")[0] if len(cells) > 1 else ""
            continue
        values = [_number_in_cell(c, row, path) for c in cells]
        if len(values) == 2:
            points.append(_SectionPoint(row, chainage, *values))
        elif len(values) == 3 and min(abs(values[0]), abs(values[1])) > COORDINATE_M:
            placed.append((row, chainage, values[0], values[1], values[2]))
        else:
            raise _no_point_error(row, cells, path)
    if placed and points:
        raise _no_point_error(placed[0][0], rows[0][1], path)
    return (
        _sections_from_coordinates(placed, rivers, path)
        if placed
        else _table_of_points(points, name, path)
    )


def _no_point_error(row: int, cells: Iterable[str], path: Path) -> LayerError:
    return LayerError(
        f"{path.name} has {','.join(cells)!r} where offset and height are expected (row of the "
        "file)",
        layer="sections",
        ids=[row],
        hint="a point a line: offset, height",
    )


def _is_heading_of_table(line: str) -> bool:
    """Whether a line names columns for chainage, offset and height, with a mark between them."""
    cells = [c.strip() for c in re.split(r"[,;\t]", line)]
    wanted = (("桩号", "里程", "chainage", "station"), DISTANCE, HEIGHT)
    return all(any(w in c.lower() for c in cells for w in words) for words in wanted) and (
        len(cells) > len(wanted) - 1 and not any(NUMBER.fullmatch(c) for c in cells)
    )


def _is_dat_line(line: str) -> bool:
    cells = [c.strip() for c in line.split(",")]
    return (
        len(cells) >= 5
        and all(NUMBER.fullmatch(c) for c in cells[2:5])
        and min(abs(float(cells[2])), abs(float(cells[3]))) > COORDINATE_M
    )


def _point_of_dat_line(row: int, line: str) -> tuple[int, str, float, float, float]:
    cells = [c.strip() for c in line.split(",")]
    return (row, "", *(float(c) for c in cells[2:5]))  # type: ignore[return-value]


def _refuse_other_formats(rows: Sequence[Row], path: Path) -> None:
    """Say what a file is that holds no heights of sections."""
    numeric = [[c for c in cells if NUMBER.fullmatch(c)] for _, cells in rows]
    counts = [len(n) for n in numeric]
    # a chainage, then a row for either side: how many pairs, and the pairs
    counted = [
        bool(n) and len(n) == len(cells) and n[0].isdigit() and len(n) == 1 + 2 * int(n[0])
        for n, (_, cells) in zip(numeric, rows, strict=True)
    ]
    relative = any(
        _chainage_alone_in_row(rows[k][1]) and counted[k + 1] and counted[k + 2]
        for k in range(len(rows) - 2)
    )
    kind = ""
    if relative:
        kind = "it looks like a HintCAD (纬地) section file without its line HINTCAD5.83_HDM_SHUJU"
    elif all(c == 2 for c in counts) and not any(
        _chainage_alone_in_row(cells) for _, cells in rows
    ):
        kind = "it looks like a longitudinal profile (.dmx: chainage and height), not sections"
    if kind:
        raise _unknown_format_error(rows, path, kind)


def _unknown_format_error(
    rows: Sequence[Row], path: Path, kind: str = "it is no format that is known"
) -> LayerError:
    first = " / ".join(",".join(cells)[:40] for _, cells in rows[:3])
    return LayerError(
        f"{path.name} holds no sections that can be read: {kind}; its first lines are {first}",
        layer="sections",
        hint="export it as CASS .hdm (BEGIN,chainage; offset,height), .csv or .xlsx",
    )


def _chainage_alone_in_row(cells: Sequence[str]) -> str:
    """The chainage that a row says, if it says nothing else."""
    filled = [c for c in cells if c]
    text = " ".join(filled)
    if found := CHAINAGE.search(text):
        rest = text[: found.start()] + text[found.end() :]
        if not re.search(r"\d", rest):
            return found[0]
    if len(filled) == 1 and NUMBER.fullmatch(filled[0]):
        return filled[0]
    if (
        len(filled) == 2
        and re.match(r"(?:断面|桩号|里程)", filled[0])
        and NUMBER.fullmatch(filled[1])
    ):
        return filled[1]
    return ""


def _points_of_rows(rows: Sequence[Row], path: Path, chainage: str) -> list[_SectionPoint]:
    """Points of blocks, of wide rows, and of columns for the two sides, in the file's order."""
    points: list[_SectionPoint] = []
    columns: dict[str, int] = {}
    waiting: tuple[int, list[float]] | None = None  # a row of offsets whose heights come below
    for row, cells in rows:
        filled = [c for c in cells if c]
        if at := _chainage_alone_in_row(cells):
            chainage, columns = at, {}
            continue
        if found := _columns_of_heading(cells):
            _require_metres(row, [cells[k] for k in found.values()], path)
            columns = found
            continue
        if all(METRES.fullmatch(c) for c in filled):
            continue
        _require_points_below(row, filled, path)
        label = next(
            (c for c in filled if not NUMBER.fullmatch(c) and not CHAINAGE.fullmatch(c)), ""
        )
        values = [float(c) for c in filled if NUMBER.fullmatch(c)]
        head = next((c for c in filled if CHAINAGE.fullmatch(c)), "")
        if any(w in label for w in DISTANCE) and len(values) > 1:
            chainage = head or chainage
            waiting = (row, values)
        elif waiting is not None and any(w in label for w in HEIGHT):
            points += _points_of_row_pair(waiting, (row, values), chainage, path)
            waiting = None
        elif columns:
            points += _points_under_heading(row, cells, columns, chainage, path)
        elif head and len(values) >= 4 and len(values) % 2 == 0:
            points += [
                _SectionPoint(row, head, x, z) for x, z in zip(*[iter(values)] * 2, strict=True)
            ]
        elif not head and len(values) >= 5 and len(values) % 2 and len(values) == len(filled):
            at_number = f"{values[0]:g}"
            points += [
                _SectionPoint(row, at_number, x, z)
                for x, z in zip(*[iter(values[1:])] * 2, strict=True)
            ]
        elif len(values) == 2 and len(filled) == 2 and chainage:
            points.append(_SectionPoint(row, chainage, *values))
        elif values:
            raise (
                _unknown_format_error(rows, path)
                if not points
                else _no_point_error(row, filled, path)
            )
    return points


def _require_metres(row: int, headings: Sequence[str], path: Path) -> None:
    """Refuse a heading of points that are in another unit."""
    stated = [
        re.search(r"[(\[/]\s*([a-z]+|[^\W\d_]*米)\s*[)\]]?$", h, re.IGNORECASE) for h in headings
    ]
    odd = [s[1] for s in stated if s and s[1].lower() not in ("m", "米")]
    if odd:
        raise LayerError(
            f"{path.name} has points in {odd[0]}, not in metres (row of the file)",
            layer="sections",
            ids=[row],
            hint="a table with a column 桩号 is converted; or write metres",
        )


def _require_points_below(row: int, cells: Sequence[str], path: Path) -> None:
    """Refuse a heading whose columns are no offset and height: they would be taken for them."""
    names = [re.sub(r"[(\[/].*", "", c).strip().lower() for c in cells]
    if sum(n in (*DISTANCE, *HEIGHT, *NEITHER) for n in names) > 1:
        raise LayerError(
            f"{path.name} has the heading {','.join(cells)}, which names no offset and height (row "
            "of the file)",
            layer="sections",
            ids=[row],
            hint="increments (间距) are summed in a table with a column 桩号; write depths and "
            "differences (高差) as heights",
        )


def _datum_of_titles(rows: Sequence[Row]) -> str:
    """Code of the height system that the rows without numbers name."""
    titles = [" ".join(c) for _, c in rows if not any(NUMBER.fullmatch(x) for x in c)]
    return datum_stated(" ".join(titles), "sections")


def _points_of_row_pair(
    one: tuple[int, list[float]], other: tuple[int, list[float]], chainage: str, path: Path
) -> list[_SectionPoint]:
    if len(one[1]) != len(other[1]):
        raise LayerError(
            f"{path.name} has {len(one[1])} offsets but {len(other[1])} heights (rows of the file)",
            layer="sections",
            ids=[one[0], other[0]],
            hint="give each offset its height",
        )
    return [_SectionPoint(one[0], chainage, x, z) for x, z in zip(one[1], other[1], strict=True)]


def _columns_of_heading(cells: Sequence[str]) -> dict[str, int]:
    """Which column holds what, where a row is a heading: of one side or of both."""
    found: dict[str, int] = {}
    for k, cell in enumerate(cells):
        if not cell or NUMBER.fullmatch(cell):
            continue
        side = "left_" if "左" in cell else "right_" if "右" in cell else ""
        if any(w in cell for w in DISTANCE):
            found.setdefault(f"{side}x", k)
        elif any(w in cell for w in HEIGHT):
            found.setdefault(f"{side}z", k)
    whole = {"x", "z"} <= set(found) or {"left_x", "left_z", "right_x", "right_z"} <= set(found)
    return found if whole else {}


def _points_under_heading(
    row: int, cells: Sequence[str], columns: dict[str, int], chainage: str, path: Path
) -> list[_SectionPoint]:
    """Points of a row under a heading: one, or one of each side."""
    points = []
    for side, sign in (("", 1.0), ("left_", -1.0), ("right_", 1.0)):
        pair = [columns.get(f"{side}{c}") for c in "xz"]
        if None in pair:
            continue
        texts = [cells[k] if k < len(cells) else "" for k in pair if k is not None]
        if not any(texts):
            continue
        x, z = (_number_in_cell(t, row, path) for t in texts)
        points.append(_SectionPoint(row, chainage, sign * abs(x) if side else x, z))
    return points


# --- sheets -----------------------------------------------------------------------------------


def _sections_from_cells(path: Path, name: str | None, encoding: str | None) -> pd.DataFrame:
    """A table of sections, or sheets and blocks of them."""
    seen = Findings("sections")
    grids = cell_grids(path, "sections", seen, encoding)
    tables, points, block_rows = [], [], list[Row]()
    for grid in grids:
        if grid.hidden:
            continue
        rows = [
            (k, [_folded(c or "").strip() for c in row])
            for k, row in enumerate(grid.cells, 1)
            if any(row)
        ]
        if not any(NUMBER.fullmatch(c) for _, cells in rows for c in cells):
            continue  # a cover, or notes
        try:
            sheet: Any = grid.name or 0
            table, _ = table_and_findings(path, "sections", sheet=sheet, encoding=encoding)
        except LayerError:  # blocks are several tables
            table = pd.DataFrame()
        if {"chainage_m", "offset_m", "elevation_m"} <= set(table.columns):
            tables.append(table)
            continue
        in_name = CHAINAGE.search(unicodedata.normalize("NFKC", grid.name))
        points += _points_of_rows(rows, path, in_name[0] if in_name else "")
        block_rows += rows
    if points:
        made = _table_of_points(points, name, path)
        if _has_two_sides(grids):  # both sides run away from the centre
            made = made.sort_values(["chainage_m", "offset_m"], kind="stable")
        datum = _datum_of_titles(block_rows)
        tables.append(made.assign(datum=datum) if datum else made)
    if not tables:
        raise LayerError(
            f"{path.name} holds no sections that can be read",
            layer="sections",
            hint="columns 桩号, 起点距, 高程; or a sheet or a block a section, its chainage above",
        )
    found = pd.concat(tables)
    _require_chainages(found.index[found["chainage_m"].isna()].tolist(), path)
    if "river" not in found.columns:
        found.insert(0, "river", _require_river_name(name, path))
    return found


def _has_two_sides(grids: Iterable[Any]) -> bool:
    return any(
        {"left_x", "right_x"} <= set(_columns_of_heading([c or "" for c in row]))
        for grid in grids
        for row in grid.cells
    )


def _require_river_name(name: str | None, path: Path) -> str:
    if name is None:
        raise LayerError(
            f"{path.name} doesn't say its river",
            layer="sections",
            hint='pg.intake.read_sections(..., river="君子布河")',
        )
    return name


def _require_chainages(blank: Sequence[int], path: Path) -> None:
    """Refuse points of sections whose place is not said."""
    if blank:
        raise LayerError(
            f"{path.name} has points whose section has no chainage (rows of the file)",
            layer="sections",
            ids=blank,
            hint="write the chainage above each section, or into each row, or into the name of its "
            "sheet",
        )


def _table_of_points(points: Sequence[_SectionPoint], name: str | None, path: Path) -> pd.DataFrame:
    """Points as a table, with their chainages read."""
    if not points:
        raise LayerError(f"{path.name} holds no points", layer="sections", hint="export it again")
    _require_chainages([p.row for p in points if not p.chainage], path)
    texts = list(dict.fromkeys(p.chainage for p in points))
    lines = {t: chainage_prefix(t) for t in texts}
    if len(set(lines.values())) > 1:
        raise ChainageError(
            f"{path.name} mixes chainages of several lines (桩号冠号)",
            layer="sections",
            ids=sorted({w or "K" for w in lines.values()}),
            hint="a file a line",
        )
    read = {t: parse_chainage(t, prefix=lines[t] or "K") for t in texts}
    gaps = np.abs(np.diff(list(read.values())))
    if len(gaps) > 1 and np.median(gaps) < NEAREST_M and all(NUMBER.fullmatch(t) for t in texts):
        raise ChainageError(
            f"{path.name} has sections less than {NEAREST_M:g} m apart: are their chainages in km",
            layer="sections",
            ids=texts,
            hint="write chainages as K1+200, or as metres",
        )
    found = pd.DataFrame(
        {
            "river": _require_river_name(name, path),
            "chainage_m": [read[p.chainage] for p in points],
            "offset_m": [p.offset for p in points],
            "elevation_m": [p.height for p in points],
        },
        index=pd.Index([p.row for p in points], name="row"),
    )
    line = next(iter(lines.values()))
    return found.assign(line=line) if line else found


# --- coordinates ------------------------------------------------------------------------------


def _sections_from_coordinates(
    placed: Sequence[tuple[int, str, float, float, float]],
    rivers: gpd.GeoDataFrame | None,
    path: Path,
) -> pd.DataFrame:
    """Points with coordinates (east, north, height) as sections across their river."""
    if rivers is None:
        raise LayerError(
            f"{path.name} holds coordinates, which need the centrelines to be sections of",
            layer="sections",
            hint="pg.intake.read_sections(..., rivers=rivers)",
        )
    row = pd.Index([p[0] for p in placed], name="row")
    at = np.array([p[2:] for p in placed])
    shapes = gpd.GeoDataFrame(geometry=shapely.points(at[:, :2]), index=row, crs=rivers.crs)
    where = locate(shapes, rivers)
    if (where["distance_m"] > 1000.0).any():
        raise LayerError(
            f"{path.name} has points more than 1 km from any river (rows of the file)",
            layer="sections",
            ids=row[where["distance_m"] > 1000.0],
            hint="is it in the CRS of rivers; a .dat is point, code, east (Y), north (X), height",
        )
    measure = np.array(
        [
            shapely.line_locate_point(rivers.geometry.loc[r], p)
            for r, p in zip(where["river"], shapes.geometry, strict=True)
        ]
    )
    found = pd.DataFrame(
        {"river": where["river"].to_numpy(), "chainage_m": np.nan, "_measure": measure,
         "offset_m": where["offset_min_m"].to_numpy(), "elevation_m": at[:, 2]}, index=row
    )  # fmt: skip
    stated = [p[1] for p in placed]
    if all(stated):
        found["chainage_m"] = [parse_chainage(c) for c in stated]
    else:
        found = _gather_into_sections(found, rivers)
    order = ["river", "chainage_m", "offset_m"]
    return found.sort_values(order, kind="stable").drop(columns="_measure")


def _gather_into_sections(found: pd.DataFrame, rivers: gpd.GeoDataFrame) -> pd.DataFrame:
    """Points of one river within a few metres along it as one section, at their middle."""
    scales = river_scales(rivers)
    parts = []
    for river, points in found.groupby("river", sort=False):
        part = points.sort_values("_measure", kind="stable")
        group = np.cumsum(np.diff(part["_measure"], prepend=part["_measure"].iloc[0]) > APART_M)
        spread = part.groupby(group)["_measure"].agg(["min", "max", "size"])
        wide = (spread["max"] - spread["min"] > 2 * APART_M) | (spread["size"] < 2)
        if wide.any():
            bad = np.isin(group, spread.index[wide])
            raise LayerError(
                f"has points that don't lie in sections across {river} (rows of the file)",
                layer="sections",
                ids=part.index[bad],
                hint=f"points of a section lie within {APART_M:g} m along the river; leave out the "
                "others",
            )
        middle = part.groupby(group)["_measure"].median()
        part["chainage_m"] = np.round(scales[str(river)].chainage(middle.to_numpy()), 3)[group]
        parts.append(part)
    return pd.concat(parts)
