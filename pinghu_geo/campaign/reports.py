"""What do the returned forms, tables and field packages report? Their rows, into the store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pyogrio

from pinghu_geo.campaign.progress import (
    KEY,
    LOG_COLUMNS,
    SAID,
    fault_error,
    log_of,
    progress_faults,
)
from pinghu_geo.campaign.stages import stage_codes, stage_rules
from pinghu_geo.campaign.store import CampaignStore
from pinghu_geo.intake.formats import TABLES
from pinghu_geo.intake.headings import uncomputed_formulas
from pinghu_geo.intake.io import read_table
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import existing, require_signature
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.notices import notify
from pinghu_geo.nouns.tables import each_row, records_of

__all__ = ["FORM_HEADINGS", "FORM_MARK", "read_reports", "update_progress"]

# hidden sheet of a form: what it is and where its table begins
FORM_MARK = "_pinghu"
# heading of each column of a form, in English; the second part is filled in
FORM_HEADINGS = {
    "node_id": "node of demolition",
    "id": "id",
    "name": "owner (tenant)",
    "place": "bank, chainage",
    "amount": "floor area (m²)",
    "last_stage": "last stage",
    "last_date": "last date",
    "last_blocker": "last blocker",
    "stage": "this stage",
    "date": "date",
    "blocker": "blocker",
    "by": "reported by",
    "note": "note",
    "photo": "photo",
    "correction": "reason of a correction",
}
# a form's own day stands in the row above the headings
DAY_COLUMN = 3
HEADING_ROWS = 20
FILLED = ("stage", "date", "blocker", "by", "note", "photo", "correction")


def read_reports(
    source: str | Path, *, stages: pd.DataFrame | None = None, project: str | None = None
) -> pd.DataFrame:
    r"""Reports of a returned form, a table, or a field package 读取进度.

    Parameters
    ----------
    source
        Form as `write_forms` makes it, workbook or CSV with 房屋编号 (or 租户编号), 阶段, 日期, or
        GeoPackage with a layer ``progress``.
    stages
        Result of `stage_rules`.
    project
        Name of the project: a form or a package of another one is refused.

    Returns
    -------
    pandas.DataFrame
        building_id, tenant_id, stage, date, correction, by, blocker, note, photo, source (file and
        row): as `progress_state` takes it. Of a form only the rows that say something new.

    Raises
    ------
    LayerError
        The file can't be read, a stage is unknown, or a date can't be read for certain.

    Examples
    --------
    >>> said = folder / "日报.csv"
    >>> _ = said.write_text("房屋编号,阶段,日期\nB1,签约,2018-03-01\n", "utf-8")
    >>> pg.campaign.read_reports(said)[["building_id", "stage", "source"]].values.tolist()
    [['B1', 'signed', '日报.csv 第2行']]
    """
    stages = stage_rules() if stages is None else stages
    path = existing(Path(source), "progress")
    suffix = path.suffix.lower()
    if suffix == ".gpkg":
        rows = _reports_of_package(path, project, stages)
    elif suffix not in TABLES:
        raise LayerError(
            f"{path.name} is no file of reports", layer="progress", hint="use .xlsx, .csv or .gpkg"
        )
    elif (mark := _mark_of_form(path)) is not None:
        if project is not None and mark.get("project") not in (None, project):
            raise LayerError(
                f"{path.name} is a form of another project: {mark['project']}", layer="progress"
            )
        rows = _rows_of_form(path, mark, stages)
    else:
        table = read_table(path, "progress")
        rows = table.assign(source=[f"{path.name} 第{k}行" for k in table.index])
    if rows.empty:
        return pd.DataFrame(columns=list(LOG_COLUMNS)).astype({"date": "datetime64[ns]"})
    rows.index = pd.Index(rows["source"], name="row")
    return log_of(rows, stages).reset_index(drop=True)


def _mark_of_form(path: Path) -> dict[str, Any] | None:
    """What a form says of itself; None where the file is none."""
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        return None
    require_signature(path, "progress")
    with closing(_open_workbook(path)) as book:
        if FORM_MARK not in book.sheetnames:
            return None
        text = book[FORM_MARK]["A1"].value
    try:
        found = json.loads(str(text))
    except json.JSONDecodeError as fault:
        raise LayerError(
            f"{path.name}: the hidden sheet {FORM_MARK} was changed", layer="progress",
            hint="fill in a fresh form: pinghu forms project.toml",
        ) from fault  # fmt: skip
    return dict(found)


def _open_workbook(path: Path) -> Any:
    """A workbook's values."""
    import openpyxl

    try:
        return openpyxl.load_workbook(path, data_only=True)
    except Exception as fault:  # openpyxl lets many kinds of errors out of damaged files
        raise LayerError(
            f"{path.name} can't be read as a workbook", layer="progress",
            hint="open it in Excel and save it again", fault="unreadable",
        ) from fault  # fmt: skip


def _rows_of_form(path: Path, mark: Mapping[str, Any], stages: pd.DataFrame) -> pd.DataFrame:
    """The rows of a form that say something new."""
    rows: list[dict[str, Any]] = []
    formulas = uncomputed_formulas(path)
    with closing(_open_workbook(path)) as book:
        for title, kind in mark["sheets"].items():
            sheet = _sheet_of_form(book, title, path)
            first, at = _row_and_places_of_heading(sheet, f"{path.name}, {sheet.title}")
            _require_computed(formulas.get(sheet.title, {}), first, at, sheet, path)
            day = sheet.cell(first - 1, DAY_COLUMN).value
            for number in range(first + 1, sheet.max_row + 1):
                cells = sheet[number]
                one = {k: cells[c].value for k, c in at.items()}
                if _text_or_none(one["id"]) or any(_text_or_none(one.get(k)) for k in FILLED):
                    source = f"{path.name} {sheet.title} 第{number}行"
                    rows.append(_report_of_row(one, kind, day, source))
    return _rows_with_news(rows, stages)


def _require_computed(
    formulas: Mapping[tuple[int, int], str],
    first: int,
    at: Mapping[str, int],
    sheet: Any,
    path: Path,
) -> None:
    """Refuse formulas without a value where a form is filled in: they are no blanks."""
    filled = {at[k] + 1 for k in ("id", "last_stage", "last_blocker", *FILLED) if k in at}
    lost = [(r, c) for r, c in formulas
            if (r > first and c in filled) or (r, c) == (first - 1, DAY_COLUMN)]  # fmt: skip
    if lost:
        raise LayerError(
            f"{path.name}, {sheet.title}: cells with formulas that no program has computed",
            layer="progress",
            ids=[sheet.cell(r, c).coordinate for r, c in sorted(lost)],
            hint="open the workbook in Excel or WPS, save it, and take it in again",
        )


def _rows_with_news(rows: Sequence[Mapping[str, Any]], stages: pd.DataFrame) -> pd.DataFrame:
    """Of rows with their last state those that say something new."""
    said = [r for r in rows if r["new"]]
    table = pd.DataFrame(said, columns=[*LOG_COLUMNS, "last_stage", "new"])
    if table.empty:
        return table
    blank = table["stage"].isna()
    table.loc[blank, "stage"] = table.loc[blank, "last_stage"]
    table.index = pd.Index(table["source"], name="row")
    last = stage_codes(table["last_stage"], stages, layer="progress")
    now = stage_codes(table["stage"], stages, layer="progress")
    same = (now == last) & ~table["new"].eq("more")
    return table[~same.to_numpy()].drop(columns=["last_stage", "new"])


def _sheet_of_form(book: Any, title: str, path: Path) -> Any:
    """The sheet of a form: by its name, or by its title where somebody renamed it."""
    if title in book.sheetnames:
        return book[title]
    for sheet in book.worksheets:
        if f"({title})" in str(sheet["A1"].value):
            return sheet
    raise LayerError(
        f"{path.name} lacks the sheet {title}, but has {', '.join(book.sheetnames)}",
        layer="progress",
        hint="give the sheet its name back; where it is gone: pinghu forms project.toml",
    )


def _row_and_places_of_heading(sheet: Any, where: str) -> tuple[int, dict[str, int]]:
    """The row of the headings, wherever rows were put in above it; and the place of each."""
    for number in range(1, min(sheet.max_row, HEADING_ROWS) + 1):
        texts = [_text_or_none(c.value) for c in sheet[number]]
        for lang in ("zh", "en"):
            heads = {k: say(word, lang) for k, word in FORM_HEADINGS.items()}
            at = {k: texts.index(t) for k, t in heads.items() if t in texts}
            if "id" in at and "stage" in at:
                return number, at
    raise LayerError(
        f"{where}: the headings were changed",
        layer="progress",
        hint="fill in a fresh form: pinghu forms project.toml",
    )


def _report_of_row(one: Mapping[str, Any], kind: str, day: Any, source: str) -> dict[str, Any]:
    """A row of a form as a report, and whether it says anything."""
    text = {k: _text_or_none(one.get(k)) for k in (*FILLED, "id", "last_stage", "last_blocker")}
    more = (text["blocker"] != text["last_blocker"] or text["note"] or text["photo"]
            or text["correction"])  # fmt: skip
    given = one.get("date")
    return {
        "building_id": text["id"] if kind == "building" else None,
        "tenant_id": text["id"] if kind == "tenant" else None,
        "stage": text["stage"], "date": day if given in (None, "") else given,
        **{k: text[k] for k in ("correction", *SAID)}, "source": source,
        "last_stage": text["last_stage"],
        "new": "more" if more else ("stage" if text["stage"] else ""),
    }  # fmt: skip


def _text_or_none(value: Any) -> str | None:
    """A cell's text; none where it is blank."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def _reports_of_package(path: Path, project: str | None, stages: pd.DataFrame) -> pd.DataFrame:
    """Reports of a GeoPackage: its layer ``progress``, and that of tenants."""
    require_signature(path, "progress")
    names = [str(n) for n in pyogrio.list_layers(path)[:, 0]]
    if "progress" not in names:
        raise LayerError(
            f"{path.name} has no layer progress, but {', '.join(names) or 'none'}", layer="progress"
        )
    if "campaign" in names and project is not None:
        of = pyogrio.read_dataframe(path, layer="campaign")
        if len(of) and of["project"].iloc[0] != project:
            raise LayerError(
                f"{path.name} holds the log of another project: {of['project'].iloc[0]}",
                layer="progress",
            )
    parts = [
        _reports_of_layer(path, n, stages) for n in ("progress", "progress_tenants") if n in names
    ]
    return pd.concat([p for p in parts if len(p)] or parts[:1])


def _reports_of_layer(path: Path, layer: str, stages: pd.DataFrame) -> pd.DataFrame:
    """Reports of one layer; of one with last states only what changed."""
    table = pd.DataFrame(pyogrio.read_dataframe(path, layer=layer, fid_as_index=True))
    table = table.drop(columns="geometry", errors="ignore")
    if "last_stage" in table:
        kind = "tenant" if layer.endswith("tenants") else "building"
        table = table.astype(object).where(table.notna(), None)
        rows = [
            _report_of_row(
                one | {"id": one[f"{kind}_id"]}, kind, None, f"{path.name} {layer} 第{k}行"
            )
            for k, one in zip(table.index, records_of(table), strict=True)
        ]
        return _rows_with_news(rows, stages)
    where = pd.Series([f"{path.name} 第{k}行" for k in table.index], table.index, dtype="str")
    if "source" in table:
        where = table["source"].where(table["source"].notna(), where)
    return table.assign(source=where)


@takes(buildings="affected", tenants="tenants", before="progress")
def update_progress(
    store: CampaignStore,
    files: Sequence[str | Path],
    buildings: pd.DataFrame,
    *,
    stages: pd.DataFrame | None = None,
    tenants: pd.DataFrame | None = None,
    today: Any = None,
    elsewhere: Mapping[str, str] | None = None,
    project: str | None = None,
    before: pd.DataFrame | None = None,
) -> pd.DataFrame:
    r"""Put the reports of files into the store, one transaction a file 更新进度.

    Parameters
    ----------
    store
        Result of `open_store`.
    files
        What `read_reports` reads.
    buildings, tenants, stages, elsewhere
        As for `progress_state`.
    today
        Reports of later days are refused; without it none are.
    project
        As for `read_reports`.
    before
        Reports that are kept elsewhere and count as well, as `read_reports` gives them.

    Returns
    -------
    pandas.DataFrame
        A row a file: file, n_reports, n_new, n_known (the same report was there already).

    Raises
    ------
    LayerError
        A file has faults; nothing of it is kept, the files before it are.

    Examples
    --------
    >>> said = folder / "日报.csv"
    >>> _ = said.write_text("房屋编号,阶段,日期\nB1,签约,2018-03-01\n", "utf-8")
    >>> store = pg.campaign.open_store(folder / "campaign.gpkg", "示例")
    >>> houses = pd.DataFrame({"node_id": ["A-L-001"]}, ["B1"])
    >>> [pg.campaign.update_progress(store, [said], houses)["n_new"].tolist() for _ in "12"]
    [[1], [0]]
    """
    stages = stage_rules() if stages is None else stages
    elsewhere_kept = None if before is None else log_of(before, stages)
    done = []
    for file in files:
        rows = read_reports(file, stages=stages, project=project)

        def new(kept: pd.DataFrame, rows: pd.DataFrame = rows) -> pd.DataFrame:
            old = kept.assign(source=_places_in_store(kept))
            if elsewhere_kept is not None and len(elsewhere_kept):
                old = pd.concat([elsewhere_kept, old], ignore_index=True)
            return _new_reports(old, rows, buildings, stages, tenants, today, elsewhere)

        added = store.append(new)
        distinct = len(rows.drop_duplicates(list(KEY)))
        done.append({"file": Path(file).name, "n_reports": len(rows), "n_new": added,
                     "n_known": distinct - added})  # fmt: skip
    return pd.DataFrame(done, columns=["file", "n_reports", "n_new", "n_known"])


def _places_in_store(kept: pd.DataFrame) -> list[str]:
    """Where reports of the store stand, for people."""
    return [f"库 第{k}条 ({s})" if isinstance(s, str) else f"库 第{k}条"
            for k, s in zip(kept.index, kept["source"], strict=True)]  # fmt: skip


def _new_reports(
    kept: pd.DataFrame,
    rows: pd.DataFrame,
    buildings: pd.DataFrame,
    stages: pd.DataFrame,
    tenants: pd.DataFrame | None,
    today: Any,
    elsewhere: Mapping[str, str] | None,
) -> pd.DataFrame:
    """What of the rows is not in the log yet; refused where they and the log can't both be."""
    whole = pd.concat([kept, rows], ignore_index=True)
    faults = progress_faults(
        whole, buildings, stages=stages, tenants=tenants, today=today, elsewhere=elsewhere
    )
    mine = faults["row"].isin(rows["source"]) | faults["other_row"].isin(rows["source"])
    if mine.any():
        raise fault_error(faults[mine])
    fresh = ~whole.duplicated(list(KEY))
    found = whole[fresh.to_numpy()].iloc[int(fresh.iloc[: len(kept)].sum()) :]
    _say_other_days(kept, found, stages)
    return found[list(LOG_COLUMNS)]


def _say_other_days(kept: pd.DataFrame, found: pd.DataFrame, stages: pd.DataFrame) -> None:
    """Say which stages were reported before, of another day, as by two devices that went out.

    A report that repeats a stage for what is new about it (a blocker, a note) is none of these.
    """
    key = ["building_id", "tenant_id", "stage"]
    plain = [rows[rows[["correction", "blocker", "note", "photo"]].isna().all(axis=1)]
             for rows in (kept, found)]  # fmt: skip
    before = plain[0].sort_values("date", kind="stable").drop_duplicates(key)
    both = plain[1].merge(before, on=key, suffixes=("", "_before"))
    both = both[both["date"] != both["date_before"]]
    if both.empty:
        return
    words = dict(stages["zh"])
    said = [
        f"{row.building_id if isinstance(row.building_id, str) else row.tenant_id} "
        f"{words.get(row.stage, row.stage)} {row.date_before:%Y-%m-%d} ({row.source_before}), "
        f"{row.date:%Y-%m-%d} ({row.source})"
        for row in each_row(both.head(5))
    ]
    notify(
        f"progress: {len(both)} reports give another day for a stage that was reported before; the "
        f"earlier day counts, a correction with its reason changes it: {'; '.join(said)}"
    )
