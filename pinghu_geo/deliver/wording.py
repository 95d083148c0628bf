"""How does a paper say what a table holds? Rows, values and places as texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pinghu_geo.deliver.styles import value_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang
from pinghu_geo.river.chainage import format_chainage

__all__ = ["place_in_words", "rows_with_index", "text_or_unknown", "texts_of_row"]


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
