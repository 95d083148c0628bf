"""How do I hand it over? The ledger (台账) as a workbook, and all layers in one GeoPackage."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.intake.faults import check_summary
from pinghu_geo.intake.gdal import gdal_options, write_frame
from pinghu_geo.intake.io import database_frame, with_one_shape
from pinghu_geo.nouns.door import columns_once, takes, with_ids_as_column, with_named_ids
from pinghu_geo.nouns.errors import OutputError
from pinghu_geo.nouns.files import require_suffix
from pinghu_geo.nouns.inert import csv_text, database_name, sheet_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.replacing import atomic_path
from pinghu_geo.nouns.schema import NOUNS, Column, Lang, code_label, label, spoken
from pinghu_geo.redline.overlap import totals
from pinghu_geo.river.chainage import format_chainage
from pinghu_geo.schemes.alternatives import Comparison

__all__ = [
    "new_workbook",
    "write_faults",
    "write_ledger",
    "write_results",
    "write_sheets",
    "write_table",
]

# What a clerk needs on one sheet of paper; everything else stands on sheets by subject.
BUILDING_COLUMNS = [
    "river", "node_id", "bank", "chainage_m", "repeated", "extent", "inside_m2", "floors",
    "demolish_floor_area_m2", "use", "tenure", "owner", "tenants", "cleared_by", "verdict",
    "needs_survey", "cost_yuan",
]  # fmt: skip
BUILDING_SUBJECTS = {
    "annex 1 place and line": [
        "river", "bank", "chainage_m", "repeated", "from_m", "to_m", "footprint_m2",
        "inside_m2", "inside_ratio", "cut_depth_m", "parcel_id", "zone_id", "contested",
        "ambiguous",
    ],
    "annex 2 what may stay": [
        "verdict", "reason", "deciding", "rise_alone_mm", "rise_alone_low_mm",
        "rise_alone_high_mm", "rise_joint_mm", "rise_joint_low_mm", "rise_joint_high_mm",
        "rise_band", "rise_decided_by", "flood_level_m", "freeboard_m", "sewage_ok", "optional",
        "structure_ok", "title_ok",
    ],
    "annex 3 compensation": [
        "owner", "structure", "use", "title", "tenure", "demolish_floor_area_m2",
        "floor_area_source", "rate", "building_yuan", "relocation_yuan", "interruption_yuan",
        "cost_yuan",
    ],
}  # fmt: skip
PARCEL_COLUMNS = [
    "river",
    "bank",
    "from_m",
    "to_m",
    "extent",
    "inside_m2",
    "inside_ratio",
    "land_use",
    "owner",
    "n_buildings",
    "n_tenants",
    "demolish_floor_area_m2",
    "cost_yuan",
]
NODE_COLUMNS = [c.name for c in NOUNS["nodes"].columns]
CHANGE_COLUMNS = [
    "scheme",
    "building_id",
    "change",
    "river",
    "bank",
    "chainage_m",
    "repeated",
    "node_id",
    "extent_before",
    "extent_after",
    "inside_before_m2",
    "inside_after_m2",
    "avoided_floor_area_m2",
    "avoided_tenants",
    "avoided_yuan",
]
PROFILE_COLUMNS = [
    "profile",
    "river",
    "chainage_m",
    "discharge_m3s",
    "bed_m",
    "level_m",
    "energy_m",
    "depth_m",
    "velocity_ms",
    "froude",
    "area_m2",
    "conveyance_m3s",
    "regime",
    "doubts",
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
    "n_buildings",
    "n_full",
    "n_partial",
    "n_survey",
    "n_unknown",
    "n_saved",
    "n_added",
    "building_yuan",
    "relocation_yuan",
    "interruption_yuan",
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
# Columns of plain sheets are wrapped from here on [characters].
WRAPPED = 44
LINE_PT = 15
# Letters, and what they may be reduced to in print.
TEXT_PT, LEAST_PT = 10, 8
# A column is 7 dots a character and 5 beside them, of 96 an inch.
CHARACTER_IN, PADDING_IN = 7 / 96, 5 / 96
# Excel's number of a paper, and its longer side.
PAPERS, MARGIN_IN = {"A4": (9, 297 / 25.4), "A3": (8, 420 / 25.4)}, 0.4
# A fixed date of creation: the same input gives the same bytes.
CREATED = pd.Timestamp("2000-01-01")
_COLUMN: dict[str, Column] = {c.name: c for n in NOUNS.values() for c in n.columns}


@takes()
def write_ledger(
    affected: gpd.GeoDataFrame,
    target: str | Path,
    *,
    parcels: gpd.GeoDataFrame | None = None,
    nodes: gpd.GeoDataFrame | None = None,
    comparison: Comparison | None = None,
    profile: pd.DataFrame | None = None,
    title: str | None = None,
    note: str = "",
    published: Mapping[str, str] | None = None,
    lang: Lang = "zh",
) -> None:
    """Write the ledger: summary, buildings, parcels, nodes, schemes 征拆台账.

    Parameters
    ----------
    affected
        Affected buildings, with whatever was joined to them.
    target
        ``.xlsx``; an existing file is replaced, whole or not at all.
    parcels
        Affected parcels, with their sums where they were joined.
    nodes
        Result of `node_table`.
    comparison
        Result of `compare`.
    profile
        Result of `water_profile`.
    title, note
        Stand above the summary; say in the note where the data come from.
    published
        Figures published elsewhere, shown beside the computed ones.
    lang
        Language of sheets, headings and words: ``"zh"`` or ``"en"``.

    Raises
    ------
    OutputError
        The target isn't an .xlsx, or can't be written (open in Excel).

    Notes
    -----
    Ids and all texts are written as text: nothing becomes a formula or a number. What a clerk needs
    of a house stands on 征拆台账, to be printed on A3; where it lies, why it may stay and how its
    compensation adds up stand on sheets of their own (附表), in the same order.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> hit = pg.affected(buildings, pg.red_line(rivers, 9.0), rivers)
    >>> pg.write_ledger(hit, folder / "征拆台账.xlsx")
    >>> sheets = pd.read_excel(folder / "征拆台账.xlsx", sheet_name=None)
    >>> list(sheets)
    ['汇总', '征拆台账', '附表1 位置与压占', '附表3 补偿测算']
    """
    path = Path(target)
    require_suffix(path, ".xlsx")
    affected = with_named_ids(affected, "affected")
    title = say("ledger of the demolition", lang) if title is None else title
    about = {"title": sheet_text(title), "comments": sheet_text(note), "created": CREATED}
    # a byte a row, however it is packed
    with atomic_path(path, room=len(affected)) as place, new_workbook(place) as book:
        book.set_properties(about)
        paper = _Paper(book, lang)
        _summary(paper, affected, comparison, title, note, published or {})
        paper.sheet(say("ledger", lang), affected, BUILDING_COLUMNS)
        if parcels is not None:
            paper.sheet(say("parcels", lang), with_named_ids(parcels, "parcels"), PARCEL_COLUMNS)
        if nodes is not None:
            named = with_named_ids(nodes, "nodes")
            paper.sheet(say("nodes of demolition", lang), named, NODE_COLUMNS)
        if comparison is not None and len(comparison.schemes) > 1:
            paper.sheet(say("changes by scheme", lang), comparison.changes, CHANGE_COLUMNS)
        if profile is not None:
            paper.sheet(say("water levels", lang), profile, PROFILE_COLUMNS)
        for name, columns in BUILDING_SUBJECTS.items():
            # a sheet that says nothing beyond the first one is none
            if set(_flat(affected, columns)) - {*BUILDING_COLUMNS, affected.index.name}:
                paper.sheet(say(name, lang), affected, columns)


@contextmanager
def new_workbook(path: Path) -> Iterator[Any]:
    """A workbook that is made in memory, and written where nothing went wrong."""
    import xlsxwriter

    made = BytesIO()
    book = xlsxwriter.Workbook(made, INERT)
    yield book
    book.close()
    path.write_bytes(made.getvalue())


def write_table(frame: pd.DataFrame, target: str | Path, *, lang: Lang = "zh") -> None:
    """Write a table for people: Chinese headings, chainages as K1+200 表格.

    Parameters
    ----------
    frame
        Table under canonical names, such as widths or stations; geometry is left out.
    target
        ``.xlsx`` or ``.csv`` (UTF-8 with a mark, so that Excel reads it); an existing file is
        replaced, whole or not at all.
    lang
        Language of headings and words: ``"zh"`` or ``"en"``; both are read back.

    Raises
    ------
    OutputError, LayerError, ChainageError
        The suffix is another; columns of one name; a chainage that is no number.

    Notes
    -----
    `read_table` reads it back: widths can be edited in Excel and drawn again. Chainages are
    written to the millimetre, all other numbers as they are.

    Examples
    --------
    >>> widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    >>> pg.write_table(widths, folder / "宽度.xlsx")
    >>> again = pg.read_table(folder / "宽度.xlsx", "widths")
    >>> bool((again["left_m"].to_numpy() == widths["left_m"].to_numpy()).all())
    True
    """
    path = Path(target)
    if path.suffix.lower() not in (".xlsx", ".csv"):
        raise OutputError(f"{path.name} is no .xlsx or .csv", hint=f"use {path.stem}.xlsx")
    said = _for_people(frame, lang)
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".csv":
            said = said.map(csv_text).rename(columns=csv_text)
            said.to_csv(temporary, index=False, encoding="utf-8-sig", lineterminator="\n")
        else:
            _save(temporary, {"Sheet1": said}, lang)


def write_sheets(
    sheets: Mapping[str, pd.DataFrame], target: str | Path, *, lang: Lang = "zh"
) -> None:
    """Write tables for people, a sheet each, as `write_table` writes one 多表工作簿.

    Parameters
    ----------
    sheets
        Table under canonical names by the name of its sheet.
    target
        ``.xlsx``; an existing file is replaced, whole or not at all.
    lang
        Language of headings and words: ``"zh"`` or ``"en"``; both are read back.

    Raises
    ------
    OutputError
        The suffix is another.

    Examples
    --------
    >>> widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    >>> pg.deliver.write_sheets({"宽度": widths, "前十行": widths.head(10)}, folder / "表.xlsx")
    >>> list(pd.read_excel(folder / "表.xlsx", sheet_name=None))
    ['宽度', '前十行']
    """
    path = Path(target)
    require_suffix(path, ".xlsx")
    with atomic_path(path) as temporary:
        _save(temporary, {name: _for_people(frame, lang) for name, frame in sheets.items()}, lang)


def _for_people(frame: pd.DataFrame, lang: Lang) -> pd.DataFrame:
    """A table with headings and words for people, chainages as text, the index if it has a name."""
    once = columns_once(spoken(frame, lang), "table")
    rows = pd.DataFrame(once.drop(columns="geometry", errors="ignore"))
    rows = with_ids_as_column(rows) if frame.index.name in _COLUMN else rows
    said = pd.DataFrame(index=rows.index)
    for name in rows.columns:
        column = _COLUMN.get(name)
        if column is not None and column.dtype == "chainage":
            text = rows[name].dropna().map(lambda v: format_chainage(v, decimals=3))
            said[name] = text.reindex(rows.index)
        elif column is not None and column.dtype in ("code", "bool"):
            said[name] = [_cell(name, v, "text", lang) for v in rows[name]]
        else:
            said[name] = rows[name]
    return said.rename(columns=lambda name: label(name, lang=lang))


def write_faults(faults: pd.DataFrame, target: str | Path, *, lang: Lang = "zh") -> None:
    """Write what `check` found: a sheet with a row a fault, a sheet with all rows 问题清单.

    Parameters
    ----------
    faults
        Result of `check` or `check_project`.
    target
        ``.xlsx``; an existing file is replaced, whole or not at all.
    lang
        Language of the headings.

    Raises
    ------
    OutputError
        The target isn't an .xlsx.

    Examples
    --------
    >>> faults = pg.check(sample / "房屋.shp", "buildings")
    >>> pg.deliver.write_faults(faults, folder / "check.xlsx")
    >>> list(pd.read_excel(folder / "check.xlsx", sheet_name=None))
    ['汇总', '明细']
    """
    path = Path(target)
    require_suffix(path, ".xlsx")
    names = (say("summary", lang), say("rows", lang))
    sheets = {}
    for name, table in zip(names, (check_summary(faults), faults), strict=True):
        said = table.assign(
            severity=[code_label("severity", s, lang=lang) for s in table["severity"]]
        )
        sheets[name] = said.rename(columns=lambda c: label(c, lang=lang))
    with atomic_path(path) as temporary:
        _save(temporary, sheets, lang)


def _save(path: Path, sheets: Mapping[str, pd.DataFrame], lang: Lang) -> None:
    """Plain sheets, to read, filter, print and read back; the same bytes for the same tables."""
    options = {"options": INERT}
    dates = {"date_format": "yyyy-mm-dd", "datetime_format": "yyyy-mm-dd"}
    made = BytesIO()
    with pd.ExcelWriter(made, engine="xlsxwriter", engine_kwargs=options, **dates) as book:
        book.book.set_properties({"created": CREATED})
        paper = _Paper(book.book, lang)
        for name, table in sheets.items():
            rows = table.map(_writable)
            rows.to_excel(book, sheet_name=name, index=False, freeze_panes=(1, 0))
            sheet = book.sheets[name]
            lines = np.ones(len(rows), int)
            for at, heading in enumerate(map(sheet_text, rows.columns)):
                sheet.write_string(0, at, heading, paper.formats["head"])
                cells = rows.iloc[:, at].astype(object)
                wide = pd.Series([0 if pd.isna(v) else _wide(_shown(v)) for v in cells])
                # a long heading stands in two lines
                head = _wide(heading) if _wide(heading) <= 10 else math.ceil(_wide(heading) / 2) + 1
                most = min(max(head, wide.max()) + 3, WRAPPED)
                text = cells.map(lambda v: isinstance(v, str)).any()
                paper.column(sheet, at, most, paper.formats["words" if text else "plain"])
                lines = np.maximum(lines, np.ceil((wide + 3) / WRAPPED).to_numpy(int))
            for row in np.flatnonzero(lines > 1):
                sheet.set_row(row + 1, LINE_PT * lines[row])
            sheet.set_row(0, 2 * LINE_PT)
            sheet.autofilter(0, 0, max(len(rows), 1), max(len(rows.columns) - 1, 0))
            paper.for_printing(sheet, "A4", "A3")
    path.write_bytes(made.getvalue())


def _shown(value: Any) -> str:
    """What a plain sheet shows of a value."""
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)


def _writable(value: Any) -> Any:
    """A cell, texts as a workbook holds them."""
    return sheet_text(value) if isinstance(value, str) else value


class _Paper:
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
            "text": book.add_format(edge | {"num_format": "@", "indent": 1}),
            "int": book.add_format(edge | {"num_format": "#,##0"}),
            "float": book.add_format(edge | {"num_format": "#,##0.00"}),
            "ratio": book.add_format(edge | {"num_format": "0.0%"}),
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

    def sheet(self, name: str, frame: pd.DataFrame, columns: list[str]) -> None:
        """A sheet with one table: frozen heading, filter, sums, made for printing."""
        sheet = self.book.add_worksheet(name)
        rows = _flat(frame, columns)
        last = self.table(sheet, 0, rows)
        # the sums stay outside the filter, or a filter would hide them
        sheet.autofilter(0, 0, max(len(rows), 1), max(len(rows.columns) - 1, 0))
        sheet.freeze_panes(1, 1)
        self.for_printing(sheet, "A3")
        sheet.print_area(0, 0, last, max(len(rows.columns) - 1, 0))

    def column(self, sheet: Any, at: int, width: float, style: Any = None) -> None:
        """Set a column's width [characters]."""
        sheet.set_column(at, at, width, style)
        self.widths.setdefault(sheet.name, {})[at] = width * CHARACTER_IN + PADDING_IN

    def for_printing(self, sheet: Any, *sizes: str) -> None:
        """On the first of the sizes that leaves letters large enough, the heading on each page.

        Where the last one doesn't either, on pages side by side, each with the first column.
        """
        wide = [*self.widths.get(sheet.name, {}).values()]
        held = {size: (PAPERS[size][1] - 2 * MARGIN_IN) * TEXT_PT / LEAST_PT for size in sizes}
        size = next((size for size in sizes if sum(wide) <= held[size]), sizes[-1])
        sheet.set_landscape()
        sheet.set_paper(PAPERS[size][0])
        sheet.fit_to_pages(1, 0)
        if sum(wide) > held[size]:
            others = max(held[size] - wide[0], held[size] / 2)
            sheet.fit_to_pages(math.ceil(sum(wide[1:]) / others), 0)
            sheet.repeat_columns(0)
        sheet.repeat_rows(0)
        sheet.set_margins(left=MARGIN_IN, right=MARGIN_IN, top=0.5, bottom=0.6)
        sheet.set_footer(say("&L&A&Rpage &P of &N", self.lang))

    def table(
        self, sheet: Any, top: int, rows: pd.DataFrame, *, widths: bool = True, blank: Any = None
    ) -> int:
        """Lay a table out from a row on, ``blank`` for what is unknown; number of its last row."""
        for at, name in enumerate(rows.columns):
            heading = sheet_text(label(name, lang=self.lang))
            sheet.write_string(top, at, heading, self.formats["head"])
            kind = _kind(name, rows[name])
            cells = [_cell(name, v, kind, self.lang) for v in rows[name]]
            cells = [blank if value is None else value for value in cells]
            for k, value in enumerate(cells, start=top + 1):
                self._write(sheet, k, at, value, kind)
            if widths:
                wide = max([_wide(heading), *(_wide(c, kind) for c in cells[:500])], default=8)
                self.column(sheet, at, min(max(wide + 2, 8), 34))
        sheet.set_row(top, 30)
        if len(rows) > 1:
            self._sums(sheet, top, rows)
        return top + len(rows) + (1 if len(rows) > 1 else 0)

    def _sums(self, sheet: Any, top: int, rows: pd.DataFrame) -> None:
        """Row of sums; the value stands beside the formula for viewers that don't calculate."""
        row = top + len(rows) + 1
        for at, name in enumerate(rows.columns):
            if name in SUMMED and rows[name].notna().any():
                letter = _letter(at)
                kind = "sum_int" if _kind(name, rows[name]) == "int" else "sum_float"
                # a sum with blanks above it is one of what is known, and says so
                kind += "_known" if rows[name].isna().any() else ""
                formula = f"=SUBTOTAL(109,{letter}{top + 2}:{letter}{row})"
                sheet.write_formula(row, at, formula, self.formats[kind], float(rows[name].sum()))
            else:
                word = say("total", self.lang) if at == 0 else ""
                sheet.write_string(row, at, word, self.formats["sum_text"])

    def _write(self, sheet: Any, row: int, at: int, value: Any, kind: str) -> None:
        style = self.formats[kind]
        if value is None:
            sheet.write_blank(row, at, None, style)
        elif isinstance(value, str):
            sheet.write_string(row, at, value, style)
        elif kind == "date":
            sheet.write_datetime(row, at, value, style)
        else:
            sheet.write_number(row, at, value, style)


def _summary(
    paper: _Paper,
    affected: gpd.GeoDataFrame,
    comparison: Comparison | None,
    title: str,
    note: str,
    published: Mapping[str, str],
) -> None:
    """First sheet: what it is, the sums, the schemes, and by river, bank, use and title."""
    lang = paper.lang
    sheet = paper.book.add_worksheet(say("summary", lang))
    f = paper.formats
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, sheet_text(title), f["title"])
    sheet.set_row(0, 28)
    row = 1
    if note:
        sheet.write_string(row, 0, sheet_text(note), f["note"])
        row += 1
    whole = totals(affected)
    row = _section(paper, sheet, row + 1, say("sums", lang), whole)
    if comparison is not None:
        both = comparison.totals.reset_index()
        row = _section(paper, sheet, row, say("schemes compared", lang), both, sums=False)
        for line in comparison.summary(lang=lang):
            sheet.write_string(row - 1, 0, sheet_text(line), f["said"])
            row += 1
        row += 1
    if published:
        table = pd.DataFrame(
            {
                say("published (of the real case, not computed here)", lang): list(published),
                say("figure", lang): list(published.values()),
            }
        )
        row = _section(
            paper, sheet, row, say("Published figures, to compare with", lang), table, sums=False
        )
    for key in ("river", "bank", "extent", "verdict", "cleared_by", "use", "title", "zone_id"):
        if key in affected and affected[key].notna().any():
            table = totals(affected, key).reset_index()
            table[key] = table[key].astype(object).where(table[key].notna(), say("(none)", lang))
            row = _section(paper, sheet, row, say("by {}", lang, label(key, lang=lang, unit=False)),
                           table)  # fmt: skip
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 14, 14)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)


def _section(
    paper: _Paper, sheet: Any, row: int, heading: str, table: pd.DataFrame, *, sums: bool = True
) -> int:
    """A heading and a table below one another; the next free row after a gap."""
    sheet.write_string(row, 0, heading, paper.formats["section"])
    unknown = say("unknown", paper.lang)
    if sums:
        return paper.table(sheet, row + 1, table, widths=False, blank=unknown) + 2
    for at, name in enumerate(table.columns):
        sheet.write_string(
            row + 1, at, sheet_text(label(name, lang=paper.lang)), paper.formats["head"]
        )
        kind = _kind(name, table[name])
        for k, value in enumerate(table[name], start=row + 2):
            cell = _cell(name, value, kind, paper.lang)
            paper._write(sheet, k, at, unknown if cell is None else cell, kind)
    sheet.set_row(row + 1, 30)
    return row + 1 + len(table) + 2


def _flat(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Index and the columns that are there, without geometry."""
    have = [c for c in columns if c in frame.columns and (frame.empty or frame[c].notna().any())]
    rows = pd.DataFrame(frame)[have]
    return rows.reset_index() if frame.index.name and frame.index.name not in have else rows


def _kind(name: str, values: pd.Series) -> str:
    """Format of a column."""
    column = _COLUMN.get(name)
    dtype = column.dtype if column else ""
    if pd.api.types.is_datetime64_any_dtype(values) or dtype == "date":
        return "date"
    if dtype in ("text", "code", "chainage", "bool") or not pd.api.types.is_numeric_dtype(values):
        return "text"
    if name.endswith("_ratio"):
        return "ratio"
    return "int" if dtype == "int" or name.endswith("_yuan") else "float"


def _cell(name: str, value: Any, kind: str, lang: Lang) -> Any:
    """Value of a cell: text as people read it, numbers as numbers, NA as nothing."""
    if (
        value is None
        or value is pd.NaT
        or value is pd.NA
        or (np.isscalar(value) and pd.isna(value))
    ):
        return None
    if kind == "date":
        return pd.Timestamp(value).to_pydatetime()
    if kind != "text":
        return float(value)
    if isinstance(value, bool | np.bool_):
        return say("yes", lang) if value else ("" if name in QUIET else say("no", lang))
    column = _COLUMN.get(name)
    if column is not None and column.dtype == "chainage":
        return format_chainage(float(value))
    return sheet_text(code_label(name, value, lang=lang))


def _wide(value: Any, kind: str = "text") -> int:
    """Width in characters; a Chinese one counts twice."""
    if value is None:
        return 0
    if kind == "date":
        return 10
    text = (
        value if isinstance(value, str) else f"{value:,.2f}" if kind == "float" else f"{value:,.0f}"
    )
    return sum(2 if ord(c) > 0x2E80 else 1 for c in text)


def _letter(at: int) -> str:
    from xlsxwriter.utility import xl_col_to_name

    return str(xl_col_to_name(at))


def write_results(layers: Mapping[str, gpd.GeoDataFrame], target: str | Path) -> None:
    """Write layers into one GeoPackage, whole or not at all 成果数据库.

    Parameters
    ----------
    layers
        Layer by its name in the file; empty ones are left out.
    target
        ``.gpkg``; an existing file is replaced.

    Raises
    ------
    OutputError
        The target isn't a .gpkg.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> pg.deliver.write_results({"rivers": rivers}, folder / "results.gpkg")
    >>> len(gpd.read_file(folder / "results.gpkg", layer="rivers")) == len(rivers)
    True
    """
    path = Path(target)
    require_suffix(path, ".gpkg")
    # a fixed date of change: the same input gives the same bytes
    with gdal_options(OGR_CURRENT_DATE="2000-01-01T00:00:00.000Z"), atomic_path(path) as temporary:
        for name, given in layers.items():
            layer = with_one_shape(given, name, ".gpkg")
            flat = with_ids_as_column(layer)
            if len(flat):
                flat = database_frame(flat)
                table = database_name(name)
                write_frame(flat, temporary, layer=table, promote_to_multi=True)
