"""How does a paper say what a table holds? Rows, values and places as texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.deliver.styles import value_text
from pinghu_geo.deliver.workbook import COLUMNS
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang, label
from pinghu_geo.river.chainage import format_chainage

__all__ = ["in_words", "place_in_words", "rows_with_index", "text_or_unknown", "texts_of_row"]

# what is blank, in a table of texts
UNKNOWN = "—"
# columns that name columns
NAMES_OF_COLUMNS = {"column", "field"}


def rows_with_index(frame: pd.DataFrame) -> list[tuple[Any, dict[str, Any]]]:
    """Index and values of each row, without geometry."""
    rows = pd.DataFrame(frame).drop(columns="geometry", errors="ignore").astype(object)
    rows = rows.where(rows.notna(), None)
    return [(k, {str(n): v for n, v in r.items()})
            for k, r in zip(rows.index, rows.to_dict("records"), strict=True)]  # fmt: skip


def text_or_unknown(name: str, value: Any, lang: Lang) -> str:
    """A value as a paper says it: what isn't known says so."""
    return value_text(name, value, lang, unknown=say("unknown", lang))


def texts_of_row(row: Mapping[str, Any], names: Sequence[str], lang: Lang) -> dict[str, Any]:
    """The named values of a row, each as a paper says it; what is estimated says that it is."""
    found = {name: text_or_unknown(name, row.get(name), lang) for name in names}
    if "floors" in found and row.get("floors_source") == "estimated":
        found["floors"] = say("{} (estimated from the height)", lang, found["floors"])
    if "floor_area_m2" in found and row.get("floor_area_source") == "estimated":
        area = row.get("floor_area_m2")
        if area is None and None not in (row.get("footprint_m2"), row.get("floors")):
            area = float(row["footprint_m2"]) * float(row["floors"])  # as `redline.floor_area`
        if area is not None:
            said = text_or_unknown("floor_area_m2", area, lang)
            found["floor_area_m2"] = say("{} (estimated)", lang, said)
    return found


def place_in_words(row: Mapping[str, Any], lang: Lang) -> str:
    """River, bank and chainage, or the chainages between which something lies."""
    river, bank = (text_or_unknown(k, row.get(k), lang) for k in ("river", "bank"))
    at = row.get("chainage_m")
    if at is None and row.get("from_m") is not None:
        ends = sorted(float(row[c]) for c in ("from_m", "to_m") if row[c] is not None)
        where = "–".join(format_chainage(e, decimals=0) for e in ends)
    else:
        where = text_or_unknown("chainage_m", at, lang)
    return f"{river} {bank} {where}"


def in_words(
    frame: pd.DataFrame, *, noun: str | None = None, lang: Lang = "zh", decimals: int = 2
) -> pd.DataFrame:
    """A table as people read it: headings, codes, chainages, days and numbers in words 表格文字.

    Parameters
    ----------
    frame
        Any table under canonical names, or one column of it; geometry is left out. What has no word
        stays as it is.
    noun
        Kind of table, whose word a column has where several nouns have one of its name.
    lang
        ``"zh"`` or ``"en"``.
    decimals
        Decimals of numbers that are not whole; money has none, shares are percents with one.

    Returns
    -------
    DataFrame
        Texts, to show and not to compute with; the same rows in their order, the index in words,
        too, and — for what is not known. `write_table` writes one whose numbers stay numbers.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> line = pg.red_line(rivers, pg.read_table(sample / "红线宽度_原方案.csv", "widths"))
    >>> hit = pg.affected(pg.read_layer(sample / "房屋.shp", "buildings"), line, rivers)
    >>> pg.deliver.in_words(hit)[["岸别", "桩号", "压占程度"]].iloc[0].to_list()
    ['左岸', 'K0+348.7', '部分']
    """
    table = pd.DataFrame(frame).drop(columns="geometry", errors="ignore")
    said = {at: _texts_of_column(table.iloc[:, at], lang, decimals) for at in range(table.shape[1])}
    rows = pd.DataFrame(said, dtype=object)
    rows.index = _axis_in_words(table.index, lang, lambda name: name)
    rows.columns = _axis_in_words(
        table.columns, lang, lambda c: label(str(c), lang=lang, noun=noun)
    )
    rows.index.names = [n if n is None else label(str(n), lang=lang, noun=noun)
                        for n in table.index.names]  # fmt: skip
    return rows


def _texts_of_column(values: pd.Series, lang: Lang, decimals: int) -> list[str]:
    """One column in words; its numbers have all the same decimals."""
    # of columns in two rows the upper one says what is counted
    name = str(values.name[0] if isinstance(values.name, tuple) else values.name)
    if pd.api.types.is_float_dtype(values) and not _has_form(name):
        known = values.astype("float64").to_numpy()
        whole = bool((known[~np.isnan(known)] % 1 == 0).all())
        form = f"{{:,.{0 if whole else decimals}f}}"
        return [UNKNOWN if np.isnan(v) else form.format(v) for v in known]
    return [_text_of_value(name, v, lang) for v in values]


def _text_of_value(name: str, value: Any, lang: Lang) -> str:
    """One value in words: a list as one text, the name of a column as its heading."""
    if isinstance(value, list | tuple | set | np.ndarray):
        between = "、" if lang == "zh" else ", "
        return between.join(value_text(name, one, lang) for one in value) or UNKNOWN
    if name in NAMES_OF_COLUMNS and isinstance(value, str):
        return label(value, lang=lang) or UNKNOWN
    return value_text(name, value, lang) or UNKNOWN


def _has_form(name: str) -> bool:
    """Whether numbers of a column are shown in a form of its own, as `value_text` does."""
    column = COLUMNS.get(name)
    chainage = column is not None and column.dtype == "chainage"
    return chainage or name.endswith(("_ratio", "_yuan"))


def _axis_in_words(axis: pd.Index, lang: Lang, unnamed: Callable[[Any], Any]) -> pd.Index:
    """Index or headings: a level that is named after a column holds values of it."""
    levels = []
    for at, name in enumerate(axis.names):
        values = axis.get_level_values(at)
        said = [unnamed(v) if name is None else _text_of_value(str(name), v, lang)
                for v in values]  # fmt: skip
        levels.append(pd.Index(said, dtype=object))
    return levels[0] if len(levels) == 1 else pd.MultiIndex.from_arrays(levels)
