"""How do sheets of a workbook become one table? Told apart where they speak of the same things."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.schema import Column, Noun, label

__all__ = ["one_table"]

# what software calls a sheet that no one named, or that is one of several versions
NO_RIVER = re.compile(r"\s*(sheet|工作表|表|第?[一二三四五六七八九十\d]+[张期段页]?|\d+)\s*\d*\s*"
                      r"(\(\d+\))?\s*", re.IGNORECASE)  # fmt: skip
# columns that say of what a row speaks, besides all codes and chainages
KEYS = frozenset((
    "river", "offset_m", "profile", "scheme", "group", "wall", "building_id", "parcel_id",
    "tenant_id", "structure_id", "point", "date", "zone_id",
))  # fmt: skip


def one_table(
    tables: Mapping[str, pd.DataFrame], path: Path, kind: Noun, seen: Findings
) -> pd.DataFrame:
    """Sheets of one heading as one table: a sheet a river, or a sheet a part of one.

    The index is sheet and row, as a workbook writes it. Sheets that speak of the same things, such
    as a copy, an older state or a scheme each, are no one table.
    """
    parts = [t.set_axis([f"{name}!{row}" for row in t.index]) for name, t in tables.items()]
    along = any(c.name == "river" for c in kind.columns)
    if along and not any("river" in t for t in parts):
        if unnamed := [n for n in tables if NO_RIVER.fullmatch(n)]:
            raise LayerError(
                f"{path.name} has {len(tables)} sheets of one heading and no river, and their "
                "names are none",
                layer=kind.name,
                ids=unnamed,
                hint="call each sheet by its river, or add a column 河道",
            )
        parts = [t.assign(river=name.strip()) for name, t in zip(tables, parts, strict=True)]
    whole = pd.concat(parts)
    _require_distinct_sheets(whole, np.repeat(list(tables), [len(t) for t in parts]), path, kind)
    seen.add("sheets_joined", sheets=", ".join(tables))
    return whole


def _require_distinct_sheets(
    whole: pd.DataFrame, sheet: np.ndarray, path: Path, kind: Noun
) -> None:
    """Refuse sheets that speak of the same things."""
    keys = [c.name for c in kind.columns if c.name in whole.columns and _is_key_column(c)]
    keys = keys or list(whole.columns)
    said = pd.DataFrame(whole[keys]).assign(_sheet=sheet).drop_duplicates()
    again = said.duplicated(keys, keep=False)
    if again.any():
        names = list(dict.fromkeys(said.loc[again, "_sheet"]))
        raise LayerError(
            f"{path.name} has several sheets of one heading that speak of the same "
            f"{', '.join(label(k) for k in keys)}; which is meant",
            layer=kind.name,
            ids=names,
            hint=f'pg.read_table("{path.name}", "{kind.name}", sheet="{names[0]}")',
        )


def _is_key_column(column: Column) -> bool:
    return column.name in KEYS or (column.dtype in ("code", "chainage") and column.name != "datum")
