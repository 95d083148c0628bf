"""How do I hand tables over? For people in a workbook or .csv, all layers in a GeoPackage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa

from pinghu_geo.deliver.qgis import StoredLayers, layer_styles, style_of
from pinghu_geo.deliver.workbook import COLUMNS, cell_of, name_of_sheet, none_said, save_sheets
from pinghu_geo.intake.faults import check_summary
from pinghu_geo.intake.gdal import gdal_options, write_frame
from pinghu_geo.nouns.door import columns_once, with_ids_as_column
from pinghu_geo.nouns.errors import OutputError
from pinghu_geo.nouns.files import require_suffix
from pinghu_geo.nouns.inert import csv_text, database_name
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.replacing import atomic_path
from pinghu_geo.nouns.schema import CODE_LISTS, Lang, code_label, label, spoken
from pinghu_geo.river.chainage import format_chainage

__all__ = ["write_faults", "write_results", "write_sheets", "write_table"]

# types of columns that get into a database by Arrow as they do without it
PLAIN = ("bool", "boolean", "float64", "int64", "Int64", "str")


def write_table(
    frame: pd.DataFrame, target: str | Path, *, noun: str | None = None, lang: Lang = "zh"
) -> None:
    """Write a table for people: Chinese headings, chainages as K1+200 表格.

    Parameters
    ----------
    frame
        Table under canonical names, such as widths or stations; geometry is left out.
    target
        ``.xlsx`` or ``.csv`` (UTF-8 with a mark, so that Excel reads it); an existing file is
        replaced, whole or not at all.
    noun
        Kind of table, whose word a column has where several nouns have one of its name, such as
        ``"search"``.
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
    said = _readable_table(frame, lang, noun)
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".csv":
            said = said.map(csv_text).rename(columns=csv_text)
            said.to_csv(temporary, index=False, encoding="utf-8-sig", lineterminator="\n")
        else:
            save_sheets(temporary, {name_of_sheet(path.stem): said}, lang)


def write_sheets(
    sheets: Mapping[str, pd.DataFrame],
    target: str | Path,
    *,
    nouns: Mapping[str, str] | None = None,
    lang: Lang = "zh",
) -> None:
    """Write tables for people, a sheet each, as `write_table` writes one 多表工作簿.

    Parameters
    ----------
    sheets
        Table under canonical names by the name of its sheet.
    target
        ``.xlsx``; an existing file is replaced, whole or not at all.
    nouns
        Noun of a sheet by its name, whose word a column has where several nouns have one of its
        name, such as ``"nodes"``.
    lang
        Language of headings and words: ``"zh"`` or ``"en"``; both are read back.

    Raises
    ------
    OutputError
        The suffix is another, there are no sheets, or Excel lets none be named so.

    Examples
    --------
    >>> widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    >>> pg.deliver.write_sheets({"宽度": widths, "前十行": widths.head(10)}, folder / "表.xlsx")
    >>> list(pd.read_excel(folder / "表.xlsx", sheet_name=None))
    ['宽度', '前十行']
    """
    path = Path(target)
    require_suffix(path, ".xlsx")
    _require_names_of_sheets(list(sheets), path)
    with atomic_path(path) as temporary:
        of = nouns or {}
        said = {name: _readable_table(t, lang, of.get(name)) for name, t in sheets.items()}
        save_sheets(temporary, said, lang)


def _require_names_of_sheets(names: list[str], path: Path) -> None:
    """Refuse what Excel lets no sheet be named, and names that it takes for one."""
    if not names:
        raise OutputError(
            f"{path.name} would have no sheet", hint="give a table by the name of its sheet"
        )
    taken: set[str] = set()
    for name in names:
        right = name_of_sheet(name)
        if right != name:
            raise OutputError(f"Excel lets no sheet be named {name!r}", hint=f"name it {right!r}")
        if name.lower() in taken:
            raise OutputError(
                f"two sheets are named {name!r} (Excel takes capitals for small letters)",
                hint=f"name one of them {name_of_sheet(name[:29] + '_2')!r}",
            )
        taken.add(name.lower())


def _readable_table(frame: pd.DataFrame, lang: Lang, noun: str | None = None) -> pd.DataFrame:
    """A table with headings and words for people, chainages as text, the index if it has a name."""
    once = columns_once(spoken(frame, lang), "table")
    rows = pd.DataFrame(once.drop(columns="geometry", errors="ignore"))
    rows = with_ids_as_column(rows) if frame.index.name in COLUMNS else rows
    said = pd.DataFrame(index=rows.index)
    for name in rows.columns:
        column = COLUMNS.get(name)
        if column is not None and column.dtype == "chainage":
            text = rows[name].dropna().map(lambda v: format_chainage(v, decimals=3))
            said[name] = text.reindex(rows.index)
        elif name in CODE_LISTS or (column is not None and column.dtype in ("code", "bool")):
            said[name] = [cell_of(name, v, "text", lang) for v in rows[name]]
        else:
            said[name] = rows[name]
    return said.rename(columns=lambda name: label(name, lang=lang, noun=noun))


def write_faults(faults: pd.DataFrame, target: str | Path, *, lang: Lang = "zh") -> None:
    """Write what `check` found: one sheet with a row per fault, one with all rows 问题清单.

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
        sheets[name] = none_said(said, lang).rename(columns=lambda c: label(c, lang=lang))
    with atomic_path(path) as temporary:
        save_sheets(temporary, sheets, lang)


def write_results(
    layers: Mapping[str, pd.DataFrame],
    target: str | Path,
    *,
    codes: Mapping[str, Mapping[str, str]] | None = None,
    fixed: Sequence[str] = (),
    lang: Lang = "zh",
) -> None:
    """Write layers into one GeoPackage, styled for QGIS, whole or not at all 成果数据库.

    Parameters
    ----------
    layers
        Layer by its name in the file; empty ones are left out.
    target
        ``.gpkg``; an existing file is replaced.
    codes
        Words by code of columns, beyond those of the nouns.
    fixed
        Columns that are not to be edited.
    lang
        Language of aliases and words.

    Raises
    ------
    OutputError
        The target isn't a .gpkg.

    Notes
    -----
    The table ``layer_styles`` holds a default style a layer, which QGIS takes when the layer is
    opened: colours by stage, verdict or extent, labels, an alias a field, and words for codes,
    which are stored as they are. Counts are whole numbers.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> pg.deliver.write_results({"rivers": rivers}, folder / "results.gpkg")
    >>> len(gpd.read_file(folder / "results.gpkg", layer="rivers")) == len(rivers)
    True
    """
    path = Path(target)
    require_suffix(path, ".gpkg")
    kept = StoredLayers.of(layers)
    styles = {name: style_of(name, layer, codes=codes, fixed=fixed, lang=lang)
              for name, layer in kept.items()}  # fmt: skip
    # a fixed date of change: the same input gives the same bytes
    with gdal_options(OGR_CURRENT_DATE="2000-01-01T00:00:00.000Z"), atomic_path(path) as temporary:
        for name, flat in kept.items():
            shapes = {"promote_to_multi": True} if isinstance(flat, gpd.GeoDataFrame) else {}
            kinds = flat.drop(columns=flat.geometry.name).dtypes if shapes else flat.dtypes
            # days that are no moments get to GDAL by Arrow alone, what is plain in two thirds of
            # the time, and what is mixed not at all
            days = any(isinstance(kind, pd.ArrowDtype) for kind in kinds)
            arrow = days or all(str(kind) in PLAIN for kind in kinds)
            whole = _in_one_piece(flat) if arrow else flat
            write_frame(whole, temporary, layer=database_name(name), use_arrow=arrow, **shapes)
        if styles:
            write_frame(layer_styles(styles, kept), temporary, layer="layer_styles")


def _in_one_piece(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with each column in one piece, as a table lies that another process was handed.

    What was put together of several lies in pieces; GDAL takes them in turn and counts its turns in
    the file's head.
    """
    made = frame.copy(deep=False)
    for name, kind in frame.dtypes.items():
        if str(kind) == "str" or isinstance(kind, pd.ArrowDtype):
            found = frame[name].array.__arrow_array__()
            one = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
            made[name] = pd.array(one, kind)
    return made
