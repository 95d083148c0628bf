"""How does an office report? A workbook a group: its tasks, their last state, cells to fill in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.reports import FORM_HEADINGS, FORM_MARK
from pinghu_geo.campaign.stages import TODO, stage_rules
from pinghu_geo.deliver.styles import stage_words
from pinghu_geo.deliver.workbook import CREATED, new_workbook
from pinghu_geo.intake.headings import EXPLAINED
from pinghu_geo.nouns.door import require_known_rows, require_some_nodes, takes
from pinghu_geo.nouns.files import rule_file
from pinghu_geo.nouns.inert import file_names, sheet_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.numerals import counting_key
from pinghu_geo.nouns.replacing import atomic_path
from pinghu_geo.nouns.schema import UNITS_EN, Column, Lang, code_label, label, noun, require_columns
from pinghu_geo.river.chainage import format_chainage

__all__ = ["write_blank_form", "write_forms"]

# so many rows of a blank form have their lists
BLANK_ROWS = 2_000
HEADING_ROW = 4  # as people count: title, what to do, day, heading
DAY_CELL = "C3"
WIDTHS = {"node_id": 17, "id": 12, "name": 14, "place": 16, "amount": 11, "last_stage": 10,
          "last_date": 11, "last_blocker": 16, "stage": 11, "date": 12, "blocker": 20, "by": 10,
          "note": 20, "photo": 14, "correction": 18}  # fmt: skip
LOCKED = ("node_id", "id", "name", "place", "amount", "last_stage", "last_date", "last_blocker")


@takes(buildings="affected", tenants="tenants")
def write_forms(
    buildings: pd.DataFrame,
    nodes: pd.DataFrame,
    state: ProgressState,
    folder: str | Path,
    *,
    tenants: pd.DataFrame | None = None,
    stages: pd.DataFrame | None = None,
    project: str = "",
    blockers: Sequence[str] = (),
    lang: Lang = "zh",
) -> list[Path]:
    """Write the forms for progress, one workbook per group 进度填报表.

    Parameters
    ----------
    buildings
        ``campaign_tasks(...).buildings``.
    nodes
        ``campaign_tasks(...).nodes``, with group; nodes without one share a form.
    state
        Result of `progress_state`: the last state of each row.
    folder
        Where the workbooks go; each replaces its forerunner whole.
    tenants
        ``campaign_tasks(...).tenants``, for a second sheet.
    stages
        Result of `stage_rules`.
    project
        Its name stands in the form, so that a form of another project is refused.
    blockers
        Suggestions for the column 卡点, which takes any text.
    lang
        Language of the forms: ``"zh"`` or ``"en"``; both are read back.

    Returns
    -------
    list
        Paths, a group each, such as ``进度填报_第1组.xlsx``.

    Raises
    ------
    LayerError
        A column is missing.

    Notes
    -----
    Ids and last states are locked (without a password: it guards against slips, not against
    intent); stages are a drop-down list; the blocker that stands is filled in, to be changed or
    cleared. `read_reports` reads a returned form and yields only what changed.

    Examples
    --------
    >>> houses = pd.DataFrame({"node_id": ["A-L-001"], "river": "A", "bank": "left",
    ...                        "chainage_m": [120.0], "owner": ["甲"]}, ["B1"])
    >>> nodes = pd.DataFrame({"group": ["第1组"]}, ["A-L-001"])
    >>> log = pd.DataFrame({"building_id": ["B1"], "stage": ["谈判"], "date": ["2018-03-01"]})
    >>> made = pg.deliver.write_forms(houses, nodes, pg.progress_state(log, houses), folder)
    >>> [p.name for p in made], len(pg.campaign.read_reports(made[0]))
    (['进度填报_第1组.xlsx'], 0)
    """
    require_columns(buildings, ["node_id", "river", "bank"], "buildings")
    require_columns(nodes, ["group"], "nodes")
    stages = stage_rules() if stages is None else stages
    ours = buildings[buildings["node_id"].notna()]
    require_some_nodes(pd.Index(ours["node_id"]), nodes.index, "nodes")
    group = nodes["group"].astype("str").where(nodes["group"].notna(), say("no group", lang))
    names = file_names(group)
    made = []
    for name in sorted(dict.fromkeys(group), key=counting_key):
        mine = group.index[group == name]
        houses = ours[ours["node_id"].isin(mine)]
        require_known_rows(houses, houses.index.isin(state.buildings.index), "buildings")
        rows = _locked_rows(houses, houses, state.buildings, stages, lang)
        sheets = {say("house list", lang): ("building", rows)}
        if tenants is not None and len(people := tenants[tenants["node_id"].isin(mine)]):
            require_known_rows(people, people["building_id"].isin(buildings.index), "tenants",
                           "are of houses that buildings lacks")  # fmt: skip
            homes = buildings.reindex(people["building_id"]).set_axis(people.index)
            require_known_rows(people, people.index.isin(state.tenants.index), "tenants")
            rows = _locked_rows(people, homes, state.tenants, stages, lang)
            sheets[say("tenant list", lang)] = ("tenant", rows)
        path = Path(folder) / say("progress_{}.xlsx", lang, names[name])
        with atomic_path(path) as temporary, new_workbook(temporary) as book:
            _write_form(book, sheets, stages, state, name, project, blockers, lang)
        made.append(path)
    return made


# what the work of a stage is counted in, by the unit of its rule
STAGE_UNITS = {"building": "buildings a day", "household": "households a day", "m2": "m² a day",
               "node": "node, a fixed time"}  # fmt: skip
FORMS = rule_file(None, "forms.toml")
ENGLISH = FORMS.pop("english")
# of tables that have more columns, or compute others: what is asked of whoever fills them
ASKED = {what: tuple(said["asked"]) for what, said in FORMS.items() if "asked" in said}


def write_blank_form(
    what: str,
    path: str | Path,
    *,
    rows: Sequence[Mapping[str, Any]] = (),
    lang: Lang = "zh",
) -> None:
    """Write a form to fill for a table: headings, lists, and a sheet that explains it 空白填报表.

    Parameters
    ----------
    what
        Noun of the table, such as ``"widths"`` or ``"rates"``.
    path
        Workbook, ``.xlsx``.
    rows
        What is known already, by canonical names.
    lang
        Language of the form: ``"zh"`` or ``"en"``; both are read back.

    Notes
    -----
    The sheet of explanation says what each column holds, and shows rows as examples, a column each:
    it is never read as data.

    Examples
    --------
    >>> pg.deliver.write_blank_form("rates", folder / "补偿标准.xlsx", rows=[{"use": "mixed"}])
    >>> pg.read_table(folder / "补偿标准.xlsx", "rates")["use"].tolist()
    ['mixed']
    """
    kind = noun(what)
    asked = ASKED.get(what, tuple(c.name for c in kind.columns))
    columns = [c for c in kind.columns if c.name in asked and c.name not in ("line", "piece")]
    with atomic_path(Path(path)) as temporary, new_workbook(temporary) as book:
        title = kind.zh if lang == "zh" else kind.name
        book.set_properties({"title": title, "created": CREATED})
        styles = _styles_of_book(book)
        sheet = book.add_worksheet(title)
        for at, column in enumerate(columns):
            sheet.write_string(0, at, heading_of(column, lang), styles["head"])
            sheet.set_column(at, at, 16, None if column.dtype in ("float", "int") else
                             styles["white"])  # fmt: skip
            words = [word_of(code, column, lang) for code in column.codes]
            if column.dtype == "bool":
                words = [say(word, lang) for word in ("yes", "no")]
            if words:
                sheet.data_validation(1, at, BLANK_ROWS, at, {"validate": "list", "source": words})
        for k, row in enumerate(rows, start=1):
            for at, column in enumerate(columns):
                value = row.get(column.name)
                if column.codes and value is not None:
                    value = word_of(str(value), column, lang)
                if value is not None:
                    sheet.write_string(k, at, sheet_text(value))
        sheet.freeze_panes(1, 0)
        about = book.add_worksheet(say("explanation", lang))
        _write_explanation(about, columns, FORMS.get(what, {}).get("examples", []), styles, lang)


def heading_of(column: Column, lang: Lang) -> str:
    """Heading of a column of one kind of table, with its unit."""
    if lang == "en":
        return label(column.name, lang="en")
    unit = f" ({column.unit})" if column.unit and column.dtype != "chainage" else ""
    return column.zh + unit


def word_of(code: str, column: Column, lang: Lang) -> str:
    """Word of a code of a column of one kind of table."""
    if lang == "en":
        return code.replace("_", " ")
    return column.codes[code][0] if code in column.codes else code


def _write_explanation(
    sheet: Any,
    columns: Sequence[Column],
    examples: Sequence[Mapping[str, Any]],
    styles: dict[str, Any],
    lang: Lang,
) -> None:
    """What each heading means: whether it is needed, its unit, what may stand there, for example.

    Rows of examples stand upright, a column each, so that nobody's reader takes them for data.
    """
    heads = [say(h, lang) for h in EXPLAINED]
    heads += [say("example {} (no data)", lang, k) for k in range(1, len(examples) + 1)]
    for at, head in enumerate(heads):
        sheet.write_string(0, at, head, styles["head"])
        sheet.set_column(at, at, (18, 8, 8, 60)[at] if at < 4 else 18)
    kinds = {"float": "number", "int": "whole number", "date": "date, such as 2018-03-01",
             "chainage": "chainage, such as K1+200, or metres", "bool": "yes / no",
             "text": "text"}  # fmt: skip
    for k, column in enumerate(columns, start=1):
        may = say(", ", lang).join(word_of(code, column, lang) for code in column.codes)
        may = may or say(kinds[column.dtype], lang)
        if column.minimum is not None and not column.codes:
            may = say("{}, not below {}", lang, may, f"{column.minimum:g}")
        if column.name == "per_day":
            may = say("{}, in the unit of the stage: {}", lang, may, _units_of_stages(lang))
        name = column.zh if lang == "zh" else label(column.name, lang="en", unit=False)
        unit = column.unit if lang == "zh" else UNITS_EN.get(column.unit, column.unit)
        needed = say("yes" if column.required else "no", lang)
        shown = [_example_text(one.get(column.name), column, lang) for one in examples]
        for at, text in enumerate((name, needed, unit, may, *shown)):
            sheet.write_string(k, at, text)


def _units_of_stages(lang: Lang) -> str:
    """What a day's work is counted in, stages of one unit together: 拆除 m²."""
    stages = stage_rules()
    words = stage_words(stages, lang=lang)
    said = []
    for unit, rows in stages.groupby("unit", sort=False):
        names = say(", ", lang).join(words[str(code)] for code in rows.index)
        said.append(f"{names} {say(STAGE_UNITS[str(unit)], lang)}")
    return (";" if lang == "zh" else "; ").join(said)


def _example_text(value: Any, column: Column, lang: Lang) -> str:
    """A value of an example as one types it; blank where none is needed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return say("yes" if value else "no", lang)
    if column.codes:
        return word_of(value, column, lang)
    return str(ENGLISH.get(value, value) if lang == "en" else value)


def _locked_rows(
    who: pd.DataFrame, homes: pd.DataFrame, state: pd.DataFrame, stages: pd.DataFrame, lang: Lang
) -> pd.DataFrame:
    """The locked part of a form, in the order of the nodes downstream."""
    words = stage_words(stages, lang=lang)
    table = pd.DataFrame({"node_id": who["node_id"], "id": who.index.astype("str")}, who.index)
    none = pd.Series(pd.NA, index=who.index, dtype=object)
    table["name"] = who.get("name", who.get("owner", none))
    at = homes.get("chainage_m", none)
    table["place"] = [
        " ".join(filter(None, (code_label("bank", b, lang=lang),
                               format_chainage(float(c)) if pd.notna(c) else "")))
        for b, c in zip(homes["bank"], at, strict=True)
    ]  # fmt: skip
    table["amount"] = pd.to_numeric(
        who.get("demolish_floor_area_m2", who.get("area_m2", none)), errors="coerce"
    )
    last = state.reindex(who.index)
    table["last_stage"] = last["stage"].fillna(TODO).map(words)
    table["last_date"] = last["since"]
    table["last_blocker"] = last["blocker"]
    order = np.lexsort((pd.to_numeric(at, errors="coerce").to_numpy(float),
                        table["node_id"].astype(str)))  # fmt: skip
    return table.iloc[order]


def _write_form(
    book: Any,
    sheets: dict[str, tuple[str, pd.DataFrame]],
    stages: pd.DataFrame,
    state: ProgressState,
    group: str,
    project: str,
    blockers: Sequence[str],
    lang: Lang,
) -> None:
    """One workbook."""
    about = sheet_text(say("progress of {}", lang, group))
    book.set_properties({"title": about, "created": CREATED})
    styles = _styles_of_book(book)
    for title, (kind, rows) in sheets.items():
        sheet = book.add_worksheet(title)
        heads = list(FORM_HEADINGS)
        heading = sheet_text(say("{} progress form ({}) {}", lang, project, title, group).strip())
        sheet.write_string(0, 0, heading, styles["title"])
        told = say("State as of {}. Fill in the white columns only; leave rows without news blank; "
                   "clear a blocker that is gone; a step back needs its reason.", lang,
                   f"{state.as_of:%Y-%m-%d}")  # fmt: skip
        sheet.write_string(1, 0, told, styles["note"])
        told = say("date of this report (where a row has none)", lang)
        sheet.merge_range(2, 0, 2, 1, told, styles["note"])
        sheet.write_blank(DAY_CELL, None, styles["date"])
        for at, name in enumerate(heads):
            sheet.write_string(HEADING_ROW - 1, at, say(FORM_HEADINGS[name], lang), styles["head"])
            sheet.set_column(at, at, WIDTHS[name])
        for k, row in enumerate(rows.to_dict("records"), start=HEADING_ROW):
            for at, name in enumerate(heads):
                value = row.get("last_blocker") if name == "blocker" else row.get(name)
                _write_cell(sheet, k, at, value, name, styles)
        _validate_cells(sheet, rows, stages, kind, blockers, lang)
        sheet.freeze_panes(HEADING_ROW, 2)
        # no sorting: white cells alone could be sorted, and would leave the ids that they are of
        sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})
        sheet.autofilter(HEADING_ROW - 1, 0, HEADING_ROW - 1 + max(len(rows), 1), len(heads) - 1)
        sheet.set_landscape()
        sheet.set_paper(8)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(HEADING_ROW - 1)
    mark = {"project": project or None, "group": group, "heading": HEADING_ROW, "day": DAY_CELL,
            "as_of": f"{state.as_of:%Y-%m-%d}",
            "sheets": {t: kind for t, (kind, _) in sheets.items()}}  # fmt: skip
    hidden = book.add_worksheet(FORM_MARK)
    hidden.write_string(0, 0, json.dumps(mark))  # in ASCII: no name can break the sheet
    hidden.very_hidden()


def _styles_of_book(book: Any) -> dict[str, Any]:
    base = {"font_name": "微软雅黑", "font_size": 10, "valign": "vcenter"}
    edge = base | {"border": 1, "border_color": "#BFBFBF"}
    grey = edge | {"bg_color": "#EDEDED", "locked": True}
    white = edge | {"locked": False}
    return {
        "title": book.add_format(base | {"font_size": 14, "bold": True}),
        "note": book.add_format(base | {"font_color": "#7F3F00"}),
        "head": book.add_format(edge | {"bold": True, "bg_color": "#1F4E78", "font_color": "white",
                                        "text_wrap": True, "align": "center"}),
        "grey": book.add_format(grey | {"num_format": "@", "indent": 1}),
        "grey_date": book.add_format(grey | {"num_format": "yyyy-mm-dd"}),
        "grey_number": book.add_format(grey | {"num_format": "#,##0.0"}),
        "white": book.add_format(white | {"num_format": "@", "text_wrap": True, "indent": 1}),
        "date": book.add_format(white | {"num_format": "yyyy-mm-dd"}),
    }  # fmt: skip


def _write_cell(
    sheet: Any, row: int, at: int, value: Any, name: str, styles: dict[str, Any]
) -> None:
    """A cell: text as text, blank where nothing is known."""
    locked = name in LOCKED
    if name in ("last_date", "date"):
        style = styles["grey_date" if locked else "date"]
        if value is None or pd.isna(value):
            sheet.write_blank(row, at, None, style)
        else:
            sheet.write_datetime(row, at, pd.Timestamp(value).to_pydatetime(), style)
    elif value is None or pd.isna(value):
        sheet.write_blank(row, at, None, styles["grey" if locked else "white"])
    elif name == "amount":
        sheet.write_number(row, at, float(value), styles["grey_number"])
    else:
        text = sheet_text(value)
        sheet.write_string(row, at, text, styles["grey" if locked else "white"])


def _validate_cells(
    sheet: Any,
    rows: pd.DataFrame,
    stages: pd.DataFrame,
    kind: str,
    blockers: Sequence[str],
    lang: Lang,
) -> None:
    """Lists and limits of the cells to fill in."""
    heads = list(FORM_HEADINGS)
    first, last = HEADING_ROW, HEADING_ROW + max(len(rows), 1) - 1
    own = stages if kind == "building" else stages[stages["tenants"].astype(bool)]
    spoken = stage_words(stages, lang=lang)
    known = [spoken[str(stage)] for stage in own.index]
    at = heads.index("stage")
    if words := _drop_down_words(known):
        sheet.data_validation(first, at, last, at, {
            "validate": "list", "source": words, "error_title": say("stage", lang),
            "error_message": say("choose a stage from the list", lang),
        })  # fmt: skip
    day = {"validate": "date", "criteria": "between", "minimum": pd.Timestamp("2000-01-01"),
           "maximum": pd.Timestamp("2100-01-01"), "error_title": say("date", lang),
           "error_message": say("a date, such as 2018-03-01", lang)}  # fmt: skip
    at = heads.index("date")
    sheet.data_validation(first, at, last, at, day)
    sheet.data_validation(DAY_CELL, day)
    if words := _drop_down_words(b for b in blockers if b):
        at = heads.index("blocker")
        sheet.data_validation(first, at, last, at, {
            "validate": "list", "source": words, "error_type": "information",
            "show_error": False,
        })  # fmt: skip


def _drop_down_words(words: Iterable[str]) -> list[str]:
    """Words of a drop-down list, as a formula of a workbook holds them; none where it can't."""
    texts = [sheet_text(w).replace('"', '""') for w in words]
    held = all("," not in t and "\n" not in t for t in texts)
    return texts if held and len(",".join(texts).encode("utf-16-le")) <= 2 * 255 else []
