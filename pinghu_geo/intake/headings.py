"""Where does the table begin, and which cells does a cell speak for? Grids of cells as tables."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from pinghu_geo.intake.bounds import require_bounded_sheet
from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.rows import body_rows, is_number, is_units, remarks, units_said
from pinghu_geo.nouns.codes import DATUM
from pinghu_geo.nouns.columns import Column
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.inert import given_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.numerals import fold_unit
from pinghu_geo.nouns.schema import Noun, match_columns, nearest
from pinghu_geo.nouns.units import (
    COINS,
    UNIT_WORDS,
    cell_units,
    datum_stated,
    looks_like_unit,
    unit_stated,
)

__all__ = [
    "Grid",
    "column_names",
    "csv_grid",
    "explains_form",
    "is_height",
    "meanings",
    "sheet_grids",
    "sheet_named",
    "sheets_of",
    "table_of",
    "uncomputed_formulas",
]

# a heading stands in the first rows, in at most so many of them
HEADING_ROWS, DEEPEST = 12, 3
# the first headings of the sheet that explains a form
EXPLAINED = ("column", "required", "unit", "what may stand there")
# where a delimiter is looked for [characters]
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
LOOKED_AT = 1_000_000
# a cell of a workbook with a formula and no value
NO_VALUE = re.compile(
    rb"<c ([^>]*)>\s*<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"
)
DELIMITERS = (",", "\t", ";", "\uff0c", "|")
# texts that stand for nothing, as pandas takes them
BLANK = {
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
}  # fmt: skip
# a column that says the unit of each row
UNIT_COLUMN = ("单位", "计量单位", "unit", "units")
RIVER_LINE = re.compile(r"(?:河道|河流)(?:名称)?\s*[:\uff1a]\s*([^\s,\uff0c;\uff1b、)\uff09]+)")
# a merged quantity is one for all its rows: repeating it would count it again
SUMMED = ("m²", "元", "户", "栋")


@dataclass
class Grid:
    """Cells of a sheet as text, None where blank; ``rows`` are the numbers people see."""

    cells: list[list[str | None]]
    name: str = ""
    # merged cells: first row and column, last row and column, counted from 0
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: bool = False

    @property
    def width(self) -> int:
        """Columns of the widest row."""
        return max((len(row) for row in self.cells), default=0)


def csv_grid(text: str) -> Grid:
    """Cells of a delimited text; the delimiter is the one that cuts most of its first lines."""
    lines = [line for line in text[:LOOKED_AT].splitlines()[:HEADING_ROWS] if line.strip()]
    found = max(DELIMITERS, key=lambda d: (*_lines_and_fields_cut(lines, d), -DELIMITERS.index(d)))
    rows: list[list[str]] = []
    try:
        rows.extend(_strict_rows(text, found))
    except csv.Error as fault:
        if "field larger" not in str(fault):
            raise ValueError(_place_of_odd_quote(text, found)) from fault
        rows = _rows_with_long_cells(text, found)
    return Grid([[_text_or_none(given_text(c)) for c in row] for row in rows])


def _strict_rows(text: str, delimiter: str) -> Any:
    """Rows of a delimited text, by its lines: a StringIO would take four times the text.

    Strict, or a quotation mark that is never closed would take all that follows into its cell.
    """
    lines = (line[0] for line in LINE.finditer(text))
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)


def _place_of_odd_quote(text: str, delimiter: str) -> str:
    """Where the quotation mark opens that Python's reader stumbled on."""
    rows = _strict_rows(text, delimiter)
    line = 1
    try:
        for _ in rows:
            line = rows.line_num + 1
    except csv.Error as fault:
        if "end of data" not in str(fault):
            return say("a text from line {} on goes on behind its quotation mark", "en", line)
    return say("a quotation mark from line {} on is never closed", "en", line)


def _rows_with_long_cells(text: str, delimiter: str) -> list[list[str]]:
    """Rows with cells longer than Python's reader takes: shapes of many corners."""
    frame = pd.read_csv(
        io.BytesIO(text.encode()), encoding="utf-8", dtype=str, sep=delimiter, header=None,
        skipinitialspace=True, keep_default_na=False, skip_blank_lines=False,
    )  # fmt: skip
    rows: list[list[str]] = frame.to_numpy(object).tolist()
    longest = csv.field_size_limit()
    for n, row in enumerate(rows):
        if any(len(cell) > longest and "\n" in cell for cell in row if isinstance(cell, str)):
            raise ValueError(say("a quotation mark from line {} on is never closed", "en", n + 1))
    return rows


def _lines_and_fields_cut(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    """Lines that a delimiter cuts, and into how many fields at most."""
    try:
        fields = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error:
        fields = [1 + line.count(delimiter) for line in lines]
    return sum(n > 1 for n in fields), max(fields, default=0)


def _text_or_none(cell: Any) -> str | None:
    text = None if cell is None else str(cell)
    return None if text is None or text.strip() in BLANK else text


def sheet_grids(path: Path, cell_text: Any) -> list[Grid]:
    """All sheets of a workbook, with their merged cells."""
    from openpyxl import load_workbook

    book = load_workbook(path, data_only=True)
    uncomputed = uncomputed_formulas(path)
    grids = []
    for sheet in book.worksheets:
        # formats and comments may go on to the last row there is; the table ends before
        filled = [at for at, cell in sheet._cells.items() if cell.value is not None]
        filled += uncomputed.get(sheet.title, {})
        last, wide = (
            (max(ends, default=1) for ends in zip(*filled, strict=True)) if filled else (1, 1)
        )
        require_bounded_sheet(last, wide, path)
        laid = sheet.iter_rows(max_row=last, max_col=wide, values_only=True)
        cells = [[_text_or_none(cell_text(v)) for v in row] for row in laid]
        for (row, column), formula in uncomputed.get(sheet.title, {}).items():
            cells[row - 1][column - 1] = formula
        merged = [
            (r.min_row - 1, r.min_col - 1, r.max_row - 1, r.max_col - 1)
            for r in sheet.merged_cells.ranges
        ]
        grids.append(Grid(cells, sheet.title, merged, hidden=sheet.sheet_state != "visible"))
    book.close()
    return grids


def uncomputed_formulas(path: Path) -> dict[str, dict[tuple[int, int], str]]:
    """Formulas of a workbook that no program has computed, by sheet and place (row, column)."""
    return _uncomputed_formulas(path) if _has_uncomputed(path) else {}


def _has_uncomputed(path: Path) -> bool:
    """Whether a workbook holds formulas without a value: a program wrote it, none computed it."""
    with zipfile.ZipFile(path) as book:
        for name in book.namelist():
            if not re.fullmatch(r"/?xl/worksheets/[^/]+\.xml", name):
                continue
            rest = b""
            with book.open(name) as part:
                while block := part.read(2**20):
                    rest += block
                    if any(b't="str"' not in cell[1] for cell in NO_VALUE.finditer(rest)):
                        return True
                    rest = rest[rest.rfind(b"<c ") :] if b"<c " in rest else b""
    return False


def _uncomputed_formulas(path: Path) -> dict[str, dict[tuple[int, int], str]]:
    """Formulas that stand where a value is missing, as texts: they are no numbers, and no blanks.

    By sheet and place, as openpyxl counts.
    """
    from openpyxl import load_workbook

    books = [load_workbook(path, data_only=known) for known in (True, False)]
    found = {
        sheet.title: {
            at: f"={getattr(cell.value, 'text', cell.value)}".replace("==", "=")
            for at, cell in sheet._cells.items()
            if cell.data_type == "f" and values._cells[at].value is None
        }
        for values, sheet in zip(*(book.worksheets for book in books), strict=True)
    }
    for book in books:
        book.close()
    return found


def table_of(grid: Grid, kind: Noun, seen: Findings) -> pd.DataFrame:
    """The one table of a sheet under its headings; the index is the row of the file.

    A merged cell speaks for all that it covers. Titles above the heading, rows of units, repeated
    headings and notes below are no rows of it; a second table is refused.
    """
    if not any(any(row) for row in grid.cells):
        return pd.DataFrame()
    width = grid.width
    cells = [row + [None] * (width - len(row)) for row in grid.cells]
    begin, depth = _place_of_heading(cells, grid.merged, kind)
    names = _names_from_heading(cells, grid.merged, begin, depth, kind)
    first = begin + depth
    if first < len(cells) and is_units(cells[first]):
        names = [
            f"{n}({fold_unit(u).strip('()')})" if n and u and is_units([u]) else n
            for n, u in zip(names, cells[first], strict=True)
        ]
        first += 1
    title = " ".join(c for row in cells[:begin] for c in row if c)
    names = _names_with_stated_units(
        names, " ".join([title, *remarks(cells[first:])]), cells[first:], kind
    )
    _fill_merged(cells, names, grid.merged, first, kind)
    rows = body_rows(cells, first, (begin, depth), names, kind, seen)
    frame = pd.DataFrame([cells[r] for r in rows], columns=range(width), dtype=object)
    frame.index = pd.Index([r + 1 for r in rows], name="row")
    kept = [k for k in range(width) if names[k] or frame[k].notna().any()]
    _require_heading_above_cells(frame, names, kept, kind)
    _require_one_unit(frame, names, kept, kind)
    frame = frame[kept].set_axis(_distinct_names([names[k] for k in kept], kept, kind), axis=1)
    river = RIVER_LINE.search(title)
    if (
        river
        and "river" in column_names(kind)
        and "river" not in match_columns(names, kind).values()
    ):
        frame.insert(0, "river", river[1])
    return frame


def meanings(grid: Grid, kind: Noun) -> set[str]:
    """Columns of a noun that the heading of a sheet names."""
    if not any(any(row) for row in grid.cells):
        return set()
    cells = [row + [None] * (grid.width - len(row)) for row in grid.cells[: 2 * HEADING_ROWS]]
    begin, depth = _place_of_heading(cells, grid.merged, kind)
    names = _names_from_heading(cells, grid.merged, begin, depth, kind)
    return set(match_columns([n for n in names if n], kind).values())


def sheets_of(grids: list[Grid], kind: Noun) -> list[str]:
    """Sheets that hold a table of a noun: the first that is one, and those of the same heading.

    Hidden sheets, covers and explanations are none, nor is a sheet of other columns.
    """
    filled = [g for g in grids if not g.hidden and any(any(row) for row in g.cells)]
    shown = [g for g in filled if not explains_form(g)]
    named = {g.name: meanings(g, kind) for g in shown}
    need = set(kind.required) - {"river"}  # the sheet's name may be the river
    first = next((n for n, found in named.items() if len(found) > 1 and found >= need), None)
    if first is None:
        return [shown[0].name] if shown else []
    same = named[first]
    return [
        n
        for n, found in named.items()
        if n == first
        or (len(found) > 1 and found >= need and (found >= same or same >= found)
            and ("river" in found) == ("river" in same))
    ]  # fmt: skip


def explains_form(grid: Grid) -> bool:
    """Whether a sheet is the explanation of a form of ours, whose examples are no data."""
    first = next((row for row in grid.cells if any(row)), [])
    told = tuple(str(cell or "").strip() for cell in first[: len(EXPLAINED)])
    return told in {tuple(say(head, lang) for head in EXPLAINED) for lang in ("zh", "en")}


def column_names(kind: Noun) -> set[str]:
    """Names of a noun's columns."""
    return {c.name for c in kind.columns}


def _place_of_heading(
    cells: list[list[str | None]], merged: list[tuple[int, int, int, int]], kind: Noun
) -> tuple[int, int]:
    """Row where the heading begins, and of how many rows it is."""
    best, place = (0, 0), (0, 1)
    for begin in range(min(HEADING_ROWS, len(cells))):
        # cells merged downwards say of how many rows the heading is
        least = max((r1 - r0 + 1 for r0, _, r1, _ in merged if r0 == begin), default=1)
        for depth in range(min(least, DEEPEST), DEEPEST + 1):
            rows = cells[begin : begin + depth]
            if len(rows) < depth or any(is_number(c) for c in rows[-1]):
                break
            names = _names_from_heading(cells, merged, begin, depth, kind)
            # a title over a heading is no part of it: the fewest rows that name as many columns
            found = (len(match_columns([n for n in names if n], kind)), -depth)
            if found[0] and found > best:
                best, place = found, (begin, depth)
    if not best[0]:
        filled = (k for k, row in enumerate(cells) if any(row))
        return next(filled), 1
    return place


def _names_from_heading(
    cells: list[list[str | None]],
    merged: list[tuple[int, int, int, int]],
    begin: int,
    depth: int,
    kind: Noun,
) -> list[str]:
    """Names of columns from the rows of a heading: joined, or the lowest where that is known."""
    rows = [list(row) for row in cells[begin : begin + depth]]
    for r0, c0, r1, c1 in merged:
        for r in range(max(r0, begin), min(r1, begin + depth - 1) + 1):
            for c in range(c0, min(c1, len(rows[0]) - 1) + 1):
                rows[r - begin][c] = cells[r0][c0]
    stacks = [
        [p for k, p in enumerate(parts) if p and p not in parts[:k]]
        for parts in ([r[c] for r in rows] for c in range(len(rows[0])))
    ]
    joined = ["".join(s.strip() for s in stack) for stack in stacks]
    if depth == 1:
        return joined
    known = match_columns([j for j in joined if j], kind)
    taken = set(known.values())
    for k, stack in enumerate(stacks):
        if joined[k] in known or not stack:
            continue
        # what stands over several columns names none of them
        alone = sum(other[:1] == stack[:1] for other in stacks) == 1
        for part in (stack[-1], stack[0]) if alone else (stack[-1],):
            found = match_columns([part], kind).get(part)
            if found and found not in taken and joined.count(joined[k]) == 1:
                joined[k] = part
                taken.add(found)
                break
    return joined


def _names_with_stated_units(
    names: list[str], title: str, body: Sequence[Sequence[str | None]], kind: Noun
) -> list[str]:
    """Headings with the unit and the height system that a title or a note states."""
    words = units_said(title)
    heights = "datum" in column_names(kind)
    code = datum_stated(title, kind.name) if heights else ""
    known = match_columns([n for n in names if n], kind)
    found = []
    for k, name in enumerate(names):
        said = ""
        column = kind[known[name]] if name in known else None
        if column and words and not unit_stated(name, column, kind.name).unit:
            said += _unit_above(words, column, [row[k] for row in body], kind)
        if column and code and is_height(column.name) and not datum_stated(name):
            said += f"({DATUM[code][0]})"
        found.append(name + said)
    return found


def _unit_above(
    words: Sequence[str], column: Column, cells: Sequence[str | None], kind: Noun
) -> str:
    """Unit of a column by what is said above the table; refused where that may mean two things."""
    units = cell_units(column)
    word = next((w for w in words if w in units), "")
    several = {units[w] for w in words if w in units}
    money = column.unit.startswith("元/") and any(COINS.fullmatch(w) and w != "元" for w in words)
    if money and not word:
        unclear = next(w for w in words if COINS.fullmatch(w))
    elif column.dtype == "chainage":
        plain = [c for c in cells if c and re.fullmatch(r"\s*-?[\d.]+\s*", c)]
        unclear = word if plain and units.get(word, 1.0) != 1.0 else ""
        word = ""
    else:
        odd = (w for w in words if w not in UNIT_WORDS and looks_like_unit(w))
        unclear = next(odd, "") if column.unit and not word else ""
        unclear = word if len(several) > 1 else unclear
    if unclear:
        raise LayerError(
            f"states the unit {unclear} for the whole table; whether {column.zh} is in it, is not "
            "said",
            layer=kind.name,
            hint=f"write the unit into the heading: {column.zh}({column.unit})",
            fault="unreadable",
        )
    return f"({word})" if word else ""


def _require_one_unit(
    frame: pd.DataFrame, names: Sequence[str], kept: Sequence[int], kind: Noun
) -> None:
    """Refuse a column of units that says another unit than the columns beside it are in."""
    known = match_columns([n for n in names if n], kind)
    own = {u for n in known.values() for u, factor in cell_units(kind[n]).items() if factor == 1}
    own |= {fold_unit(u) for u in own}
    for k in kept:
        if fold_unit(names[k]) not in UNIT_COLUMN or names[k] in known:
            continue
        odd = frame[k].map(
            lambda c: bool(c) and fold_unit(c) not in own and looks_like_unit(fold_unit(c))
        )
        if odd.any():
            raise LayerError(
                f"has a column {names[k]} that says {frame.loc[odd, k].iloc[0]} (rows of the file)",
                layer=kind.name,
                ids=frame.index[odd],
                hint="convert these rows, or write the unit behind each number",
                fault="unreadable",
            )


def is_height(column: str) -> bool:
    """Whether a column holds heights above a datum."""
    return column.endswith(("elevation_m", "level_m", "top_m", "height_m"))


def _fill_merged(
    cells: list[list[str | None]],
    names: list[str],
    merged: list[tuple[int, int, int, int]],
    first: int,
    kind: Noun,
) -> None:
    """Give every cell of the body that a merged one covers its value."""
    known = match_columns([n for n in names if n], kind)
    for r0, c0, r1, c1 in merged:
        if r1 < first or cells[r0][c0] is None:
            continue
        column = kind[known[names[c0]]] if names[c0] in known else None
        if column and column.unit in SUMMED and r1 > max(r0, first):
            raise LayerError(
                f"has one merged {names[c0]} for several rows, which can't be told how to share "
                "(rows of the file)",
                layer=kind.name,
                ids=range(max(r0, first) + 1, r1 + 2),
                hint="give each row its own",
                fault="unreadable",
            )
        for r in range(max(r0, first), r1 + 1):
            for c in range(c0, c1 + 1):
                cells[r][c] = cells[r0][c0]


def _require_heading_above_cells(
    frame: pd.DataFrame, names: list[str], kept: list[int], kind: Noun
) -> None:
    """Refuse cells to the right of the last heading: whose they are is not said."""
    last = max((k for k, n in enumerate(names) if n), default=-1)
    beyond = [k for k in kept if k > last]
    if beyond and last >= 0:
        rows = frame.index[frame[beyond].notna().any(axis=1)]
        raise LayerError(
            "has rows with more cells than the heading has (rows of the file)",
            layer=kind.name,
            ids=rows,
            hint="a comma too many, or decimal commas: put quotes around such cells",
            fault="unreadable",
        )


def _distinct_names(names: list[str], kept: list[int], kind: Noun) -> list[str]:
    """Names with a number behind those that occur again and mean nothing to us."""
    known = match_columns([n for n in names if n], kind)
    found: list[str] = []
    for name, k in zip(names, kept, strict=True):
        plain = name.strip() or f"Unnamed: {k}"
        again = sum(f == plain or f.startswith(f"{plain}.") for f in found)
        found.append(f"{plain}.{again}" if again and name not in known else plain)
    return found


def sheet_named(grids: list[Grid], sheet: str | int, path: Path, what: str) -> Grid:
    """A sheet by its name or position."""
    names = [g.name for g in grids]
    if isinstance(sheet, str):
        if sheet not in names:
            raise LayerError(
                f"{path.name} has no sheet {sheet!r}", layer=what, hint=nearest(sheet, names)
            )
        return grids[names.index(sheet)]
    if not -len(grids) <= sheet < len(grids):
        raise LayerError(
            f"{path.name} has {len(grids)} sheets, none at {sheet}", layer=what,
            hint=f"use one of {', '.join(names)}",
        )  # fmt: skip
    return grids[sheet]
