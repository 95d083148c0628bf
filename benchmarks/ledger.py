"""The ledger of many houses: ``uv run python benchmarks/ledger.py [HOUSES]``.

The campaign of ``map_pages.py`` (50,000 houses along 210 km) with tenants, a plan, money and all
that an office asks for, written and read back: CPU seconds of the whole workbook and of 汇总 and
征拆台账 alone, its size, and how many cells openpyxl reads differently (none).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
from map_pages import campaign_of

import pinghu_geo as pg
from pinghu_geo.deliver import ledger
from pinghu_geo.deliver.workbook import HEAD_ROW, QUIET, WAN, Paper
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


def cells_that_differ(rows: pd.DataFrame, sheet: Any, *, wan: bool) -> tuple[int, list[str]]:
    """How many cells a sheet has, and those that aren't what the table says.

    Read by openpyxl below the headings, column by column: numbers as numbers, days as days,
    chainages parsed again, codes by their words, everything else as its text.
    """
    read = sheet.iter_rows(min_row=HEAD_ROW + 2, max_row=HEAD_ROW + 1 + len(rows), values_only=True)
    columns = list(zip(*read, strict=True))[1:]  # the first is the running number
    wrong = [] if len(columns) == len(rows.columns) or rows.empty else ["other columns"]
    for name, cells in zip(rows.columns, columns, strict=False):
        share = WAN if wan and str(name).endswith("_yuan") else 1
        for given, cell in zip(rows[name], cells, strict=True):
            if not _is_equal(str(name), given, cell, share):
                wrong.append(f"{sheet.title} {name}: {given!r} is {cell!r}")
    return len(rows) * len(rows.columns), wrong


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
    tables: dict[str, tuple[pd.DataFrame, bool]] = {}
    laid = Paper.sheet

    def timed(self: Paper, name: str, rows: pd.DataFrame, **how: Any) -> None:
        begin = time.process_time()
        laid(self, name, rows, **how)
        tables[name] = rows, bool(how.get("tens_of_thousands"))
        spent[name] = time.process_time() - begin

    Paper.sheet = timed  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "台账.xlsx"
        begin = time.process_time()
        pg.write_ledger(given["affected"], file, nodes=whole.tasks.nodes, campaign=whole)
        took = time.process_time() - begin
        book = openpyxl.load_workbook(file, read_only=True)
        cells = {s.title: (s.max_row, s.max_column) for s in book.worksheets}
        print(f"{n:,} houses: {took:.1f} s CPU, {file.stat().st_size / 1e6:.1f} MB "
              f"(load {os.getloadavg()[0]:.1f})")  # fmt: skip
        for name, (rows, columns) in cells.items():
            print(f"  {name}: {rows} x {columns}, {spent.get(name, np.nan):.2f} s")
        n_cells, wrong = 0, list[str]()
        for name, (rows, wan) in tables.items():
            more, bad = cells_that_differ(rows, book[name], wan=wan)
            n_cells, wrong = n_cells + more, wrong + bad
        print(f"openpyxl reads {n_cells:,} cells of {len(tables)} sheets: {len(wrong)} differ")
        print("\n".join(wrong[:20]))
        book.close()
        begin = time.process_time()
        pg.write_ledger(
            given["affected"][
                [c for c in [*ledger.BUILDING_COLUMNS, "geometry"] if c in given["affected"]]
            ],
            file,
        )
        print(f"汇总 and 征拆台账 alone: {time.process_time() - begin:.1f} s CPU")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
