"""The ledger of many houses: ``uv run python benchmarks/ledger.py [HOUSES]``.

The campaign of ``map_pages.py`` (50,000 houses along 210 km) with tenants, a plan, money and all
that an office asks for, written and read back: CPU seconds of the whole workbook and of 汇总 and
征拆台账 alone, its size, and how many cells of all tables, those of 汇总 among them, openpyxl reads
differently (none). Each sum is read as its formula, as the value kept beside it, and as LibreOffice
computes it again without that value: all are the sum of the table's column.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import openpyxl
import pandas as pd
from map_pages import campaign_of
from openpyxl.utils import get_column_letter

import pinghu_geo as pg
from pinghu_geo.deliver import ledger
from pinghu_geo.deliver.workbook import QUIET, WAN, Paper
from pinghu_geo.nouns.schema import code_label


def whole_campaign(n: int) -> tuple[dict[str, Any], pg.campaign.Campaign]:
    """What a ledger is given."""
    given = campaign_of(n)
    hit, rivers, state = given["affected"], given["rivers"], given["state"]
    ids = hit.index.to_numpy()[::2]
    people = pd.DataFrame(
        {"building_id": ids, "kind": "shop", "name": [f"商户{k:05d}" for k in range(len(ids))],
         "area_m2": 40.0, "lease_end": "2019-01-31"},
        index=pd.Index([f"Z{k:06d}" for k in range(len(ids))], name="tenant_id"),
    )  # fmt: skip
    segments = pd.DataFrame({"river": rivers.index, "from_m": 0.0, "to_m": 9e3,
                             "group": [f"第{k + 1}组" for k in range(len(rivers))],
                             "leader": "某人"})  # fmt: skip
    tasks = pg.campaign_tasks(hit.drop(columns=["stage", "since", "node_id", "task_class"]),
                              tenants=people, segments=segments)  # fmt: skip
    entry = pd.DataFrame({"river": rivers.index, "from_m": 0.0, "to_m": 1e6,
                          "enters": "2019-05-01", "m_per_day": 20.0})  # fmt: skip
    plan = pg.schedule(tasks.nodes, handover=entry, start="2018-01-02", work=0.0)
    stages = pg.campaign.stage_rules()
    faces = pg.working_faces(tasks.buildings, rivers, state=state.reached, plan=plan.activities,
                             as_of=state.as_of)  # fmt: skip
    watched = pg.supervision(plan.activities, state, tasks.buildings, faces=faces.stretches)
    money = pg.payments(tasks.buildings, plan.activities, state=state.reached)
    whole = pg.campaign.Campaign("原方案", stages, tasks, None, plan, plan, state, faces, watched,
                                 money, rivers)  # fmt: skip
    return given | {"affected": tasks.buildings}, whole


class Laid(NamedTuple):
    """A table as it was given to be laid out on a sheet, from the row of its headings on."""

    sheet: str
    top: int
    rows: pd.DataFrame
    wan: bool
    blank: Any


def cells_that_differ(laid: Laid, sheet: Any) -> tuple[int, list[str]]:
    """How many cells a table has, and those that aren't what it says.

    Read by openpyxl below the headings, column by column: numbers as numbers, days as days,
    chainages parsed again, codes by their words, everything else as its text.
    """
    rows, first = laid.rows, laid.top + 2
    if rows.empty:
        return 0, []
    read = sheet.iter_rows(min_row=first, max_row=first - 1 + len(rows), values_only=True,
                           max_col=len(rows.columns))  # fmt: skip
    wrong = []
    for name, cells in zip(rows.columns, zip(*read, strict=True), strict=True):
        share = WAN if laid.wan and str(name).endswith("_yuan") else 1
        for given, cell in zip(rows[name], cells, strict=True):
            if not (_is_equal(str(name), given, cell, share)
                    or (pd.isna(given) and cell == laid.blank)):  # fmt: skip
                wrong.append(f"{laid.sheet} {name}: {given!r} is {cell!r}")
    return len(rows) * len(rows.columns), wrong


def sums_that_differ(laid: Laid, formulas: Any, kept: Any, again: Any) -> tuple[int, list[str]]:
    """How many sums stand below a table, and those that aren't the sum of its column.

    Each is a formula over the rows of its own column and no other, the value kept beside it is
    the sum of the table's column, and so is what LibreOffice computes of the formula.
    """
    row, wrong, n = laid.top + 2 + len(laid.rows), list[str](), 0
    for at, name in enumerate(laid.rows.columns, 1):
        said = formulas.cell(row, at).value
        if not str(said).startswith("="):
            continue
        n += 1
        letter = get_column_letter(at)
        if said != f"=SUBTOTAL(109,{letter}{laid.top + 2}:{letter}{row - 1})":
            wrong.append(f"{laid.sheet} {name}: {said}")
        share = WAN if laid.wan and str(name).endswith("_yuan") else 1
        want = math.fsum(laid.rows[name].dropna().astype(float)) / share
        for who, book in (("kept", kept), ("LibreOffice", again)):
            value = None if book is None else book.cell(row, at).value
            if book is not None and not (isinstance(value, int | float)
                                         and np.isclose(value, want, rtol=1e-12, atol=1e-9)):  # fmt: skip
                wrong.append(f"{laid.sheet} {name}: {who} {value!r} for {want!r}")
    return n, wrong


def computed_again(file: Path, folder: Path) -> Path | None:
    """The workbook as LibreOffice computes it, from formulas without any kept value.

    None where LibreOffice isn't installed.
    """
    if (office := shutil.which("soffice")) is None:
        return None
    bare = folder / "bare" / file.name
    bare.parent.mkdir()
    with zipfile.ZipFile(file) as one, zipfile.ZipFile(bare, "w", zipfile.ZIP_DEFLATED) as other:
        for name in one.namelist():
            held = one.read(name)
            if name.startswith("xl/worksheets/"):
                held = re.sub(rb"(</f>)<v>[^<]*</v>", rb"\1", held)
            other.writestr(name, held)
    profile = (folder / "profile").as_uri()
    subprocess.run(
        [office, f"-env:UserInstallation={profile}", "--headless", "--convert-to", "xlsx",
         "--outdir", str(folder / "again"), str(bare)],
        check=True, capture_output=True, timeout=900,
    )  # fmt: skip
    return folder / "again" / file.name


def _is_equal(name: str, given: Any, cell: Any, share: int) -> bool:
    """Whether a cell says what the table says."""
    if given is None or pd.isna(given):
        return cell is None
    if isinstance(given, bool | np.bool_):
        return cell in (("是",) if given else (None, "") if name in QUIET else ("否",))
    if isinstance(given, pd.Timestamp):
        return bool(pd.Timestamp(cell) == given)
    if isinstance(given, str):
        return cell in (given, code_label(name, given, lang="zh"))
    if isinstance(cell, str) and cell.startswith("K"):
        return abs(pg.parse_chainage(cell) - float(given)) <= 0.05 + 1e-9
    return isinstance(cell, int | float) and np.isclose(cell * share, float(given), rtol=1e-12)


def main(n: int) -> None:
    """Print what it takes."""
    warnings.simplefilter("ignore")
    given, whole = whole_campaign(n)
    spent: dict[str, float] = {}
    tables: list[Laid] = []
    one_sheet, one_table = Paper.sheet, Paper.table

    def timed(self: Paper, name: str, rows: pd.DataFrame, **how: Any) -> None:
        begin = time.process_time()
        one_sheet(self, name, rows, **how)
        spent[name] = time.process_time() - begin

    def noted(self: Paper, sheet: Any, top: int, rows: pd.DataFrame, **how: Any) -> int:
        wan = bool(how.get("tens_of_thousands"))
        tables.append(Laid(sheet.name, top, rows, wan, how.get("blank")))
        return one_table(self, sheet, top, rows, **how)

    Paper.sheet, Paper.table = timed, noted  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "台账.xlsx"
        begin = time.process_time()
        pg.write_ledger(given["affected"], file, nodes=whole.tasks.nodes, campaign=whole)
        took = time.process_time() - begin
        Paper.sheet, Paper.table = one_sheet, one_table  # type: ignore[method-assign]
        print(f"{n:,} houses: whole workbook {took:.1f} s CPU (bar 20 s for 50,000), "
              f"{file.stat().st_size / 1e6:.1f} MB (load {os.getloadavg()[0]:.1f})")  # fmt: skip
        two = Path(folder) / "two.xlsx"
        columns = [c for c in [*ledger.BUILDING_COLUMNS, "geometry"] if c in given["affected"]]
        begin = time.process_time()
        pg.write_ledger(given["affected"][columns], two)
        print(f"汇总 and 征拆台账 alone: {time.process_time() - begin:.1f} s CPU (bar 8 s)")
        read_back(file, tables, spent, Path(folder))


def read_back(file: Path, tables: list[Laid], spent: dict[str, float], folder: Path) -> None:
    """Print how many cells and sums openpyxl and LibreOffice read otherwise than the tables."""
    formulas = openpyxl.load_workbook(file)
    kept = openpyxl.load_workbook(file, data_only=True)
    other = computed_again(file, folder)
    again = None if other is None else openpyxl.load_workbook(other, data_only=True)
    n_cells, n_sums, wrong, odd = 0, 0, list[str](), list[str]()
    for sheet in kept.worksheets:
        own = [one for one in tables if one.sheet == sheet.title]
        print(f"  {sheet.title}: {sheet.max_row} x {sheet.max_column}, {len(own)} tables, "
              f"{spent.get(sheet.title, np.nan):.2f} s")  # fmt: skip
        for one in own:
            more, bad = cells_that_differ(one, sheet)
            n_cells, wrong = n_cells + more, wrong + bad
            more, bad = sums_that_differ(one, formulas[sheet.title], sheet,
                                         None if again is None else again[sheet.title])  # fmt: skip
            n_sums, odd = n_sums + more, odd + bad
    by = "openpyxl" if again is None else "openpyxl and LibreOffice"
    print(f"openpyxl reads {n_cells:,} cells of {len(tables)} tables on {len(kept.worksheets)} "
          f"sheets: {len(wrong)} differ; {by} find {n_sums} sums: {len(odd)} differ")  # fmt: skip
    print("\n".join([*wrong[:20], *odd[:20]]))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
