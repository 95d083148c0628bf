"""What does a function hand back? Tables that belong together, which say what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from geopandas.array import GeometryDtype

from pinghu_geo.nouns.inert import html_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang, code_label, label
from pinghu_geo.nouns.tables import is_unknown

__all__ = ["Result", "sentences_html", "table_html"]

TABLE = re.compile(r"(gpd\.Geo|pd\.)DataFrame( \| None)?")
# rows of a table that a notebook shows
SHOWN_ROWS = 60


class Result:
    """Base of what functions find: frozen tables, unpacked in the order declared 结果.

    ``layer, log = pg.repair(layer)`` gives the tables in the order in which the class declares
    them. A notebook shows `summary` and the tables of ``SHOWN`` (all of them, unless a class says
    which), escaped and cut at 60 rows.
    """

    __slots__ = ()
    SHOWN: ClassVar[tuple[str, ...]] = ()
    DECIMALS: ClassVar[int] = 0
    NOUN: ClassVar[str | None] = None  # whose words its columns have, where several nouns have one

    @classmethod
    def tables(cls) -> tuple[str, ...]:
        """Names of the tables, in the order in which they are declared."""
        return tuple(f.name for f in fields(cls) if TABLE.fullmatch(str(f.type)))  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, name) for name in self.tables())

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """Sentences for people: what was found."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        shown = (getattr(self, name) for name in self.SHOWN or self.tables())
        tables = [
            table_html(t, decimals=self.DECIMALS, index=not isinstance(t.index, pd.RangeIndex),
                       noun=self.NOUN)
            for t in shown
            if t is not None
        ]  # fmt: skip
        return f"<div>{sentences_html(self.summary())}{''.join(tables)}</div>"


def table_html(
    frame: pd.DataFrame, *, decimals: int = 0, index: bool = True, noun: str | None = None
) -> str:
    """A table for a notebook, headings and codes in words, blank where nothing is known."""
    shapes = [c for c in frame if isinstance(frame[c].dtype, GeometryDtype)]
    shown = pd.DataFrame(frame).drop(columns=shapes)
    for column in shown.columns:
        if not pd.api.types.is_numeric_dtype(shown[column]):
            shown[column] = [_cell_in_words(column, v) for v in shown[column]]
    if index and shown.index.nlevels == 1 and not pd.api.types.is_numeric_dtype(shown.index):
        words = [_cell_in_words(str(shown.index.name), v) for v in shown.index]
        shown.index = pd.Index(words, name=shown.index.name)
    shown = shown.rename(columns=partial(label, noun=noun))
    shown.index.names = [name and label(str(name), noun=noun) for name in shown.index.names]
    style = f"{{:,.{decimals}f}}".format
    made = shown.to_html(
        float_format=style, escape=True, border=0, index=index, max_rows=SHOWN_ROWS, na_rep=""
    )
    return str(made)


def _cell_in_words(column: str, value: Any) -> str:
    """A cell that is no number, as workbooks have it."""
    if is_unknown(value):
        return ""
    if isinstance(value, bool | np.bool_):
        return say("yes" if value else "no", "zh")
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return code_label(column, value)


def sentences_html(sentences: Iterable[str]) -> str:
    """Sentences for a notebook, a paragraph each."""
    return "".join(f"<p>{html_text(s)}</p>" for s in sentences)
