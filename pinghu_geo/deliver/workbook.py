"""How is a workbook laid out? Formats, tables with sums, widths, what printing needs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.nouns.errors import OutputError
from pinghu_geo.nouns.inert import sheet_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import NOUNS, Column, Lang, code_label, label
from pinghu_geo.nouns.tables import is_unknown
from pinghu_geo.river.chainage import format_chainage
from pinghu_geo.schemes.cost import HEADS

__all__ = [
    "COLUMNS",
    "CREATED",
    "SIGNED",
    "Paper",
    "cell_of",
    "cells_of",
    "flat_rows",
    "kind_of",
    "new_workbook",
    "name_of_sheet",
    "none_said",
    "save_sheets",
]

# a no that says nothing is left blank; a no that is evidence is written
QUIET = {"needs_survey", "ambiguous", "contested"}
# Sums that make sense below a column; ratios, depths and chainages have none.
SUMMED = {
    "inside_m2",
    "footprint_m2",
    "demolish_floor_area_m2",
    "estimated_m2",
    "tenants",
    "n_tenants",
    "n_tenants_unknown",
    "n_buildings",
    "n_full",
    "n_partial",
    "n_survey",
    "n_unknown",
    "n_saved",
    "n_nodes",
    "n_red",
    "n_blocking",
    "length_m",
    "area_m2",
    "planned_yuan",
    "signed_yuan",
    "n_added",
    *HEADS.values(),
    "cost_yuan",
    "avoided_floor_area_m2",
    "avoided_tenants",
    "avoided_yuan",
}
# Texts stay texts: nothing that an owner is called becomes a formula, a number or a link.
# In memory: no temporary files, and the disk is written to once, where its errors are heard.
INERT = {
    "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False,
    "in_memory": True,
}  # fmt: skip
# of both languages, as offices have it
FONT = "微软雅黑"
# Rows of a sheet below its heading.
MOST_ROWS = 2**20 - 1
DAY_S = 86_400
# Columns of plain sheets are wrapped from here on [characters].
WRAPPED = 44
LINE_PT = 15
# Metres are shown to the centimetre in all workbooks; their cells hold what is known.
METRE_DIGITS = 2
# Letters, and what they may be reduced to in print.
TEXT_PT, LEAST_PT = 10, 8
# A column is 7 dots a character and 5 beside them, of 96 an inch.
CHARACTER_IN, PADDING_IN = 7 / 96, 5 / 96
# Chinese letters and what is as wide
WIDE = re.compile("[\u2e81-\U0010ffff]")
# Excel's number of a paper, and its longer side.
PAPERS, MARGIN_IN = {"A4": (9, 297 / 25.4), "A3": (8, 420 / 25.4)}, 0.4
# Above the headings of a sheet: title, and line of units.
HEAD_ROW = 2
# The widest column [characters]; what is longer is wrapped.
WIDEST = 36
SIGNED = "made by:               checked by:               date:               "
# Offices count money by tens of thousands.
WAN = 10_000
WAN_WORDS = {"zh": ("(元)", "(万元)"), "en": ("(yuan)", "(10,000 yuan)")}
# A fixed date of creation: the same input gives the same bytes.
CREATED = pd.Timestamp("2000-01-01")
COLUMNS: dict[str, Column] = {c.name: c for n in NOUNS.values() for c in n.columns}


@contextmanager
def new_workbook(path: Path) -> Iterator[Any]:
    """A workbook that is made in memory, and written where nothing went wrong."""
    import xlsxwriter

    made = BytesIO()
    book = xlsxwriter.Workbook(made, INERT)
    yield book
    book.close()
    path.write_bytes(made.getvalue())


def none_said(rows: pd.DataFrame, lang: Lang) -> pd.DataFrame:
    """A table without rows as one that says so in its first cell: 无."""
    if len(rows) or not len(rows.columns):
        return rows
    said = pd.DataFrame(index=[0], columns=rows.columns, dtype=object)
    said.iloc[0, 0] = say("none", lang)
    return said


def name_of_sheet(text: str) -> str:
    """A text as Excel lets a sheet be named: at most 31 characters, some of them never."""
    short = re.sub(r"[\[\]:*?/\\]", "_", text)[:31].strip("'") or "Sheet1"
    return f"{short}_" if short.lower() == "history" else short


def save_sheets(path: Path, sheets: Mapping[str, pd.DataFrame], lang: Lang) -> None:
    """Plain sheets, to read, filter, print and read back; the same bytes for the same tables."""
    with new_workbook(path) as book:
        book.set_properties({"created": CREATED})
        paper = Paper(book, lang)
        for name, rows in sheets.items():
            if len(rows) > MOST_ROWS:
                raise OutputError(
                    f"{name} has {len(rows):,} rows, and a sheet holds {MOST_ROWS:,} of them",
                    hint="write it in parts, each a table of its own",
                )
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            lines = np.ones(len(rows), int)
            headings = [sheet_text(one) for one in rows.columns]
            sheet.write_row(0, 0, headings, paper.formats["head"])
            for at, heading in enumerate(headings):
                cells = [_writable_cell(value) for value in rows.iloc[:, at]]
                wide = _write_plain_column(paper, sheet, at, heading, cells)
                lines = np.maximum(lines, np.ceil((wide + 3) / WRAPPED).astype(int))
            for row in np.flatnonzero(lines > 1):
                sheet.set_row(row + 1, LINE_PT * lines[row])
            sheet.set_row(0, 2 * LINE_PT)
            sheet.autofilter(0, 0, max(len(rows), 1), max(len(rows.columns) - 1, 0))
            paper.for_printing(sheet, "A4", "A3")


def _write_plain_column(paper: Paper, sheet: Any, at: int, heading: str, cells: list[Any]) -> Any:
    """A column of a plain sheet, as wide as what it shows; width of each cell [characters]."""
    digits = _decimals(cells)
    if digits is not None and heading.endswith("(m)"):
        digits = min(digits, METRE_DIGITS)
    style = None if digits is None else paper.number(digits)
    wide = np.zeros(len(cells), int)
    for row, value in enumerate(cells):
        if value is None or value == "":
            continue
        wide[row] = _width_of_text(_text_of_cell(value, digits))
        if isinstance(value, str):
            sheet.write_string(row + 1, at, value)
        elif isinstance(value, date):
            sheet.write_datetime(row + 1, at, value, paper.formats["day"])
        elif isinstance(value, bool):
            sheet.write_boolean(row + 1, at, value)
        else:
            sheet.write_number(row + 1, at, value, style)
    # a long heading stands in two lines
    head = _width_of_text(heading)
    head = head if head <= 10 else math.ceil(head / 2) + 1
    text = any(isinstance(value, str) for value in cells)
    most = min(max(head, int(wide.max(initial=0))) + 3, WRAPPED)
    paper.column(sheet, at, most, paper.formats["words" if text else "plain"])
    return wide


def _decimals(cells: list[Any]) -> int | None:
    """How many decimals of a column are read: five digits are enough; None: it has no numbers."""
    given = [value for value in cells if value is not None]
    if not given or any(isinstance(value, bool | str | date) for value in given):
        return None
    values = np.array(given, float)
    most = np.abs(values).max()
    if (values == np.round(values)).all():
        return 0
    return 2 if most >= 100 else 3 if most >= 10 else 4


def _text_of_cell(value: Any, decimals: int | None = None) -> str:
    """What a plain sheet shows of a value."""
    if decimals is not None:
        return f"{value:,.{decimals}f}"
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)


def _writable_cell(value: Any) -> Any:
    """A cell as a workbook holds it: number, truth, day or text; None for nothing."""
    if isinstance(value, str):
        return sheet_text(value)
    if is_unknown(value):
        return None
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, timedelta):
        return value.total_seconds() / DAY_S
    plain = isinstance(value, date) or (isinstance(value, Real | Decimal) and math.isfinite(value))
    return value if plain else sheet_text(value)


class Paper:
    """The workbook's formats, and tables laid out with them."""

    def __init__(self, book: Any, lang: Lang) -> None:
        self.book, self.lang = book, lang
        known = say("known: ", lang)
        self.widths: dict[str, dict[int, float]] = {}  # of the columns of each sheet [in]
        base = {"font_name": FONT, "font_size": TEXT_PT, "valign": "vcenter"}
        edge = base | {"border": 1, "border_color": "#BFBFBF"}
        self.formats = {
            "title": book.add_format(base | {"font_size": 16, "bold": True}),
            "note": book.add_format(base | {"font_color": "#B03A2E"}),
            "said": book.add_format(base),
            "plain": book.add_format(base | {"text_wrap": True}),
            "words": book.add_format(base | {"text_wrap": True, "indent": 1}),
            "section": book.add_format(base | {"bold": True, "font_size": 11}),
            "head": book.add_format(
                edge
                | {
                    "bold": True,
                    "bg_color": "#1F4E78",
                    "align": "center",
                    "font_color": "white",
                    "text_wrap": True,
                }
            ),
            "text": book.add_format(edge | {"num_format": "@", "indent": 1, "text_wrap": True}),
            "int": book.add_format(edge | {"num_format": "#,##0"}),
            "float": book.add_format(edge | {"num_format": "#,##0.00"}),
            "ratio": book.add_format(edge | {"num_format": "0.0%"}),
            "day": book.add_format(base | {"num_format": "yyyy-mm-dd"}),
            "date": book.add_format(edge | {"num_format": "yyyy-mm-dd", "align": "center"}),
            "sum_text": book.add_format(edge | {"bold": True, "bg_color": "#DDEBF7"}),
            "sum_int": book.add_format(
                edge | {"bold": True, "bg_color": "#DDEBF7", "num_format": "#,##0"}
            ),
            "sum_float": book.add_format(
                edge | {"bold": True, "bg_color": "#DDEBF7", "num_format": "#,##0.00"}
            ),
            "sum_int_known": book.add_format(
                edge | {"bold": True, "bg_color": "#DDEBF7", "num_format": f'"{known}"#,##0'}
            ),
            "sum_float_known": book.add_format(
                edge | {"bold": True, "bg_color": "#DDEBF7", "num_format": f'"{known}"#,##0.00'}
            ),
        }

    def sheet(
        self,
        name: str,
        rows: pd.DataFrame,
        *,
        title: str,
        said: str,
        headings: Mapping[str, str] | None = None,
        sums: bool = True,
        tens_of_thousands: bool = False,
    ) -> None:
        """A sheet with one table: title, unit line, numbered rows, sums, who made it, filter.

        ``said`` stands on the line of units; yuan are written in units of 10,000 where asked.
        """
        sheet = self.book.add_worksheet(name)
        sheet.write_string(0, 0, sheet_text(title), self.formats["title"])
        sheet.write_string(1, 0, sheet_text(said), self.formats["said"])
        sheet.set_row(0, 28)
        number = say("No.", self.lang)
        numbered = rows.copy(deep=False)
        numbered.insert(0, number, np.arange(1, len(rows) + 1))
        last = self.table(
            sheet, HEAD_ROW, numbered, headings=headings, sums=sums,
            tens_of_thousands=tens_of_thousands,
        )  # fmt: skip
        self.column(
            sheet, 0, max(len(str(len(rows))) + 3, _width_of_text(say("total", self.lang)) + 2)
        )
        if rows.empty:  # an empty sheet is no sheet that was forgotten
            sheet.write_string(HEAD_ROW + 1, 0, say("none", self.lang), self.formats["text"])
            last = max(last, HEAD_ROW + 1)
        # the sums stay outside the filter, or a filter would hide them
        across = len(numbered.columns) - 1
        sheet.autofilter(HEAD_ROW, 0, max(HEAD_ROW + len(rows), HEAD_ROW + 1), across)
        sheet.freeze_panes(HEAD_ROW + 1, 2)
        sheet.write_string(last + 2, 0, say(SIGNED, self.lang), self.formats["said"])
        beside = self.for_printing(sheet, "A4", "A3", head=HEAD_ROW, kept=1)
        if beside:  # above each page: from the kept columns a title can't reach over the others
            words = [sheet_text(t).replace("&", "&&")[:100] for t in (title, said)]
            sheet.set_header('&L&"{0},Bold"&14{1}\n&"{0},Regular"&10{2}'.format(FONT, *words))
            sheet.set_margins(left=MARGIN_IN, right=MARGIN_IN, top=0.9, bottom=0.6)
        sheet.print_area(HEAD_ROW if beside else 0, 0, last + 2, across)

    def number(self, decimals: int) -> Any:
        """The format of a number in a plain sheet, with its thousands apart."""
        key = f"number_{decimals}"
        if key not in self.formats:
            shown = "#,##0" + "." * bool(decimals) + "0" * decimals
            self.formats[key] = self.book.add_format(
                {"font_name": FONT, "font_size": TEXT_PT, "valign": "vcenter", "num_format": shown}
            )
        return self.formats[key]

    def column(self, sheet: Any, at: int, width: float, style: Any = None) -> None:
        """Set a column's width [characters]."""
        sheet.set_column(at, at, width, style)
        self.widths.setdefault(sheet.name, {})[at] = width * CHARACTER_IN + PADDING_IN

    def for_printing(self, sheet: Any, *sizes: str, head: int = 0, kept: int = 0) -> bool:
        """On the first of the sizes that leaves letters large enough, the heading on each page.

        Where the last one doesn't either, on pages side by side, each with the columns up to
        ``kept``, and then True. ``head`` is the row of the headings.
        """
        wide = [*self.widths.get(sheet.name, {}).values()]
        held = {size: (PAPERS[size][1] - 2 * MARGIN_IN) * TEXT_PT / LEAST_PT for size in sizes}
        size = next((size for size in sizes if sum(wide) <= held[size]), sizes[-1])
        sheet.set_landscape()
        sheet.set_paper(PAPERS[size][0])
        sheet.fit_to_pages(1, 0)
        beside = sum(wide) > held[size]
        if beside:
            own = sum(wide[: kept + 1])
            others = max(held[size] - own, held[size] / 2)
            sheet.fit_to_pages(math.ceil((sum(wide) - own) / others), 0)
            sheet.repeat_columns(0, kept)
        sheet.repeat_rows(0, head)
        sheet.set_margins(left=MARGIN_IN, right=MARGIN_IN, top=0.5, bottom=0.6)
        sheet.set_footer(say("&L&A&Rpage &P of &N", self.lang))
        return beside

    def table(
        self,
        sheet: Any,
        top: int,
        rows: pd.DataFrame,
        *,
        widths: bool = True,
        blank: Any = None,
        sums: bool = True,
        headings: Mapping[str, str] | None = None,
        tens_of_thousands: bool = False,
    ) -> int:
        """Lay a table out from a row on, ``blank`` for what is unknown; number of its last row."""
        lines = np.ones(len(rows), int)
        heads = 2
        for at, name in enumerate(rows.columns):
            wan = tens_of_thousands and str(name).endswith("_yuan")
            values = rows[name] / WAN if wan else rows[name]
            heading = sheet_text((headings or {}).get(name) or label(name, lang=self.lang))
            if wan:
                heading = heading.replace(*WAN_WORDS[self.lang])
            sheet.write_string(top, at, heading, self.formats["head"])
            kind = "float" if wan else kind_of(name, values)
            cells = cells_of(name, values, kind, self.lang)
            self._write_cells(sheet, top + 1, at, cells, kind, blank)
            if widths:
                shown = _widths_of(cells, kind)
                most = max(shown.max(initial=0), _width_of_sum(name, values, kind, self.lang))
                # a long heading stands in lines of its own, and needs no more than half
                least = min(
                    _width_of_text(heading), max(math.ceil(_width_of_text(heading) / 2) + 1, 8)
                )
                wide = min(max(most, least) + 3, WIDEST)
                self.column(sheet, at, wide)
                heads = max(heads, math.ceil((_width_of_text(heading) + 2) / (wide - 1)))
                lines = np.maximum(lines, np.ceil((shown + 2) / (wide - 1)).astype(int))
        for row in np.flatnonzero(lines > 1):
            sheet.set_row(top + 1 + int(row), LINE_PT * int(lines[row]))
        sheet.set_row(top, LINE_PT * heads)
        below = sums and len(rows) > 1
        below = below and any(c in SUMMED and rows[c].notna().any() for c in rows)
        if below:
            self._write_sums(sheet, top, rows, tens_of_thousands)
        return top + len(rows) + int(below)

    def _write_sums(
        self, sheet: Any, top: int, rows: pd.DataFrame, tens_of_thousands: bool
    ) -> None:
        """Row of sums; the value stands beside the formula for viewers that don't calculate."""
        row = top + len(rows) + 1
        for at, name in enumerate(rows.columns):
            if name in SUMMED and rows[name].notna().any():
                letter = _letter_of_column(at)
                wan = tens_of_thousands and str(name).endswith("_yuan")
                kind = "sum_int" if kind_of(name, rows[name]) == "int" and not wan else "sum_float"
                # a sum with blanks above it is one of what is known, and says so
                kind += "_known" if rows[name].isna().any() else ""
                formula = f"=SUBTOTAL(109,{letter}{top + 2}:{letter}{row})"
                value = float(rows[name].sum()) / (WAN if wan else 1)
                sheet.write_formula(row, at, formula, self.formats[kind], value)
            else:
                word = say("total", self.lang) if at == 0 else ""
                sheet.write_string(row, at, word, self.formats["sum_text"])

    def _write_cells(
        self, sheet: Any, top: int, at: int, cells: list[Any], kind: str, blank: Any
    ) -> None:
        """Cells of a column below one another."""
        style = self.formats[kind]
        write = {"text": sheet.write_string, "date": sheet.write_datetime}.get(
            kind, sheet.write_number
        )
        for row, value in enumerate(cells, start=top):
            if value is not None:
                write(row, at, value, style)
            elif blank is None:
                sheet.write_blank(row, at, None, style)
            else:
                sheet.write_string(row, at, blank, style)


def flat_rows(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Index and the columns that are there, without geometry."""
    have = [c for c in columns if c in frame.columns and (frame.empty or _says_something(frame[c]))]
    rows = pd.DataFrame(frame)[have]
    return rows.reset_index() if frame.index.name and frame.index.name not in have else rows


def _says_something(values: pd.Series) -> bool:
    """Whether a column has a value; notices that nothing has to say are blank texts."""
    known = values.dropna()
    return len(known) > 0 and not (known.dtype != bool and (known == "").all())


def kind_of(name: str, values: pd.Series) -> str:
    """Format of a column."""
    column = COLUMNS.get(name)
    dtype = column.dtype if column else ""
    if pd.api.types.is_datetime64_any_dtype(values) or dtype == "date":
        return "date"
    if dtype in ("text", "code", "chainage", "bool") or not pd.api.types.is_numeric_dtype(values):
        return "text"
    if name.endswith("_ratio"):
        return "ratio"
    whole = dtype == "int" or name.endswith("_yuan")
    # a count of ours whose column has no noun
    return "int" if whole or pd.api.types.is_integer_dtype(values) else "float"


def cells_of(name: str, values: pd.Series, kind: str, lang: Lang) -> list[Any]:
    """Values of a column's cells; each distinct text is put into words once."""
    if kind not in ("text", "date"):
        numbers = pd.to_numeric(values, errors="coerce").astype("float64")
        gone = numbers.isna().tolist()
        return [None if no else v for v, no in zip(numbers.tolist(), gone, strict=True)]
    if values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) != "string":
        return [cell_of(name, v, kind, lang) for v in values]  # True and 1 would be one
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    said = [*(cell_of(name, v, kind, lang) for v in distinct), None]
    return [said[k] for k in codes.tolist()]


def _widths_of(cells: list[Any], kind: str) -> Any:
    """Width of each cell [characters]."""
    if kind == "date":
        return np.array([0 if v is None else 10 for v in cells])
    if kind == "text":
        known: dict[Any, int] = {v: _width_of_text(v) for v in set(cells)}
        return np.array([known[v] for v in cells], int)
    numbers = np.array([0.0 if v is None else v for v in cells])
    whole = np.floor(np.log10(np.maximum(np.abs(numbers), 1))).astype(int) + 1
    decimals = {"float": 3, "ratio": 4}.get(kind, 0)
    return whole + (whole - 1) // 3 + decimals + (numbers < 0)


def _width_of_sum(name: Any, values: pd.Series, kind: str, lang: Lang) -> int:
    """Width of the sum below a column [characters]: bold, and with a word where it isn't whole."""
    if name not in SUMMED or kind == "text" or values.notna().sum() == 0:
        return 0
    known = _width_of_text(say("known: ", lang)) if values.isna().any() else 0
    return int(_widths_of([float(values.sum())], kind)[0]) + 1 + known


def cell_of(name: str, value: Any, kind: str, lang: Lang) -> Any:
    """Value of a cell: text as people read it, numbers as numbers, NA as nothing."""
    if is_unknown(value):
        return None
    if kind == "date":
        return pd.Timestamp(value).to_pydatetime()
    if kind != "text":
        return float(value)
    if isinstance(value, bool | np.bool_):
        return say("yes", lang) if value else ("" if name in QUIET else say("no", lang))
    column = COLUMNS.get(name)
    if column is not None and column.dtype == "chainage":
        return format_chainage(float(value))
    return sheet_text(code_label(name, value, lang=lang))


def _width_of_text(text: str | None) -> int:
    """Width of a text in characters; a Chinese one counts twice. Of lines, that of the longest."""
    if text is None:
        return 0
    return max(len(line) + len(WIDE.findall(line)) for line in text.split("\n"))


def _letter_of_column(at: int) -> str:
    from xlsxwriter.utility import xl_col_to_name

    return str(xl_col_to_name(at))
