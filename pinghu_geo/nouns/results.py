"""What does a function hand back? Tables that belong together, which say what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any, ClassVar

import pandas as pd
from geopandas.array import GeometryDtype

from pinghu_geo.nouns.inert import html_text
from pinghu_geo.nouns.schema import Lang, label

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
            table_html(t, decimals=self.DECIMALS, index=not isinstance(t.index, pd.RangeIndex))
            for t in shown
            if t is not None
        ]
        return f"<div>{sentences_html(self.summary())}{''.join(tables)}</div>"


def table_html(frame: pd.DataFrame, *, decimals: int = 0, index: bool = True) -> str:
    """A table for a notebook, with headings for people."""
    shapes = [c for c in frame if isinstance(frame[c].dtype, GeometryDtype)]
    shown = pd.DataFrame(frame).drop(columns=shapes).rename(columns=label)
    style = f"{{:,.{decimals}f}}".format
    made = shown.to_html(
        float_format=style, escape=True, border=0, index=index, max_rows=SHOWN_ROWS
    )
    return str(made)


def sentences_html(sentences: Iterable[str]) -> str:
    """Sentences for a notebook, a paragraph each."""
    return "".join(f"<p>{html_text(s)}</p>" for s in sentences)
