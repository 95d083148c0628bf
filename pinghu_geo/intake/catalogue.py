"""What can be wrong with a delivery? Every fault by its code, in both languages, and their list.

A fault is written in rules/faults.toml and nowhere else: the reader, `check` and the documentation
take its severity, its words and its advice from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from pinghu_geo.nouns.errors import PinghuError
from pinghu_geo.nouns.files import rule_file
from pinghu_geo.nouns.messages import translated

__all__ = ["FAULTS", "FIELDS", "Fault", "Findings", "errors_first"]

Severity = Literal["error", "warning", "note"]
FIELDS = ["layer", "severity", "fault", "id", "field", "problem", "advice"]
RANK = {"error": 0, "warning": 1, "note": 2}
NO_ROW = "-"


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault: how bad, what is said of it, and what to do, in Chinese and English."""

    severity: Severity
    zh: str
    en: str
    cure_zh: str
    cure_en: str


FAULTS: Mapping[str, Fault] = {
    code: Fault(**row) for code, row in rule_file(None, "faults.toml").items()
}


@dataclass(slots=True)
class Findings:
    """Faults found so far in one layer, in one language."""

    layer: str
    lang: Literal["zh", "en"] = "zh"
    _tables: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        fault: str,
        ids: Iterable[object] = (NO_ROW,),
        column: str = "",
        *,
        severity: Severity | None = None,
        **said: Any,
    ) -> None:
        """Add a fault of some rows; what is said may differ from row to row (a sequence)."""
        rows = [str(i) for i in ids]
        if not rows:
            return
        kind = FAULTS[fault]
        zh = self.lang == "zh"
        problem, cure = (kind.zh, kind.cure_zh) if zh else (kind.en, kind.cure_en)
        if isinstance(why := said.get("reason"), str):
            said["reason"] = translated(why, self.lang)
        table = {
            "layer": self.layer,
            "severity": severity or kind.severity,
            "fault": fault,
            "id": rows,
            "field": column,
            "problem": _text_by_row(problem, len(rows), column, said),
            "advice": _text_by_row(cure, len(rows), column, said),
        }
        self._tables.append(table)

    def add_error(self, error: PinghuError) -> None:
        """Add what a reader refused, under the code that the error carries."""
        rows = [str(i) for i in error.ids] or [NO_ROW]
        table = {
            "layer": self.layer,
            "severity": "error",
            "fault": error.fault or "unreadable",
            "id": rows,
            "field": "",
            # whose rows are listed beside it need not say them again
            "problem": error.problem_in(self.lang) if error.ids else error.said_in(self.lang),
            "advice": error.hint_in(self.lang),
        }
        self._tables.append(table)

    def table(self) -> pd.DataFrame:
        """All that was found, errors first."""
        if not self._tables:
            return pd.DataFrame(columns=FIELDS)
        tables = [pd.DataFrame(t) for t in self._tables]
        return errors_first(pd.concat(tables, ignore_index=True)[FIELDS])

    def __iter__(self) -> Iterator[str]:
        """Each fault as a line, for the log."""
        for row in self.table().itertuples():
            yield f"{row.layer}: {row.severity} {row.fault} {row.id}: {row.problem}"


def errors_first(faults: pd.DataFrame) -> pd.DataFrame:
    """Rows of faults by severity, otherwise in their order."""
    rank = faults["severity"].map(RANK).to_numpy()
    return faults.iloc[np.argsort(rank, kind="stable")].reset_index(drop=True)


def _text_by_row(text: str, n: int, column: str, said: Mapping[str, Any]) -> list[str] | str:
    """A text with its blanks filled in, row by row where anything differs by row."""
    many = {
        k: v for k, v in said.items() if isinstance(v, Sequence | np.ndarray) and type(v) is not str
    }
    one = {k: v for k, v in said.items() if k not in many} | {"field": column}
    if not many:
        return text.format(**one)
    return [text.format(**one, **{k: v[i] for k, v in many.items()}) for i in range(n)]
