"""Which rows are meant? Conditions such as ``floors >= 2 and use != 'shed'``, read by us alone.

The text of a condition is parsed here and goes no further: it is never a driver's command, SQL or
Python, whatever is written in it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.intake.bounds import quoted_name
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.schema import nearest

__all__ = ["Condition", "as_arrow", "as_sql", "parse_condition", "require_names", "weaker"]

LONGEST = 10_000
DEEPEST = 50
TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w]))
    | '(?P<text>(?:[^']|'')*)'
    | "(?P<quoted>(?:[^"]|"")*)"
    | (?P<word>[^\W\d][\w:.]*)
    | (?P<sign><=|>=|!=|<>|==|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE,
)
SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge,
}  # fmt: skip
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
KEYWORDS = {"and", "or", "not", "in", "is", "null"}
SHOWN = "write it like: floors >= 2 and (use = 'shop' or owner is not null), text in single quotes"

Values = Callable[[str], pd.Series]
Test = Callable[[Values], pd.Series]
# a condition as it was read: ("and", parts), ("or", parts), ("not", part),
# ("null", column, wanted), ("compare", column, sign, (kind, value))
Node = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition: the columns that it names, and the test of the rows."""

    text: str
    names: frozenset[str]
    node: Node
    layer: str

    def holds(self, values: Values, size: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Rows for which it is true; where it is unknown it doesn't hold."""
        found = _test_of_node(self.node, self.layer)(values).fillna(False).to_numpy(bool)
        return found if len(found) == size else np.zeros(size, bool)


def parse_condition(text: str, layer: str) -> Condition:
    """Read a condition: columns, constants, ``= != < <= > >= in and or not is null``, brackets."""
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise LayerError("where is no condition", layer=layer, hint=SHOWN)
    reader = _ConditionParser(text, layer)
    node = reader.either(0)
    if reader.at < len(reader.tokens):
        raise reader.refused("doesn't end there")
    return Condition(text, frozenset(reader.names), node, layer)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: str
    start: int

    @property
    def keyword(self) -> str:
        word = self.value.lower() if self.kind == "word" else ""
        return word if word in KEYWORDS else ""


class _ConditionParser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str, layer: str) -> None:
        self.text, self.layer, self.at = text, layer, 0
        self.names: set[str] = set()
        self.tokens: list[_Token] = []
        start = 0
        while start < len(text.rstrip()):
            found = TOKEN.match(text, start)
            if found is None:
                raise self.refused("can't be read", start)
            kind = str(found.lastgroup)
            self.tokens.append(_Token(kind, found[kind], found.start(kind)))
            start = found.end()

    def refused(self, problem: str, start: int | None = None) -> LayerError:
        if start is None:
            start = self.tokens[self.at].start if self.at < len(self.tokens) else len(self.text)
        rest = self.text[start : start + 30].strip()
        place = f"at {rest!r}" if rest else "at its end"
        return LayerError(f"where {problem}, {place}", layer=self.layer, hint=SHOWN)

    def keyword(self, *words: str) -> bool:
        """Whether the next tokens are these words, which are then passed."""
        ahead = self.tokens[self.at : self.at + len(words)]
        if [t.keyword for t in ahead] != list(words):
            return False
        self.at += len(words)
        return True

    def sign(self, *signs: str) -> str:
        """The next sign, if it is one of these, which is then passed."""
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "sign" and token.value in signs:
                self.at += 1
                return token.value
        return ""

    def either(self, depth: int) -> Node:
        parts = [self.both(depth)]
        while self.keyword("or"):
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else ("or", parts)

    def both(self, depth: int) -> Node:
        parts = [self.one(depth)]
        while self.keyword("and"):
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else ("and", parts)

    def one(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise self.refused("is nested too deep")
        if self.keyword("not"):
            return "not", self.one(depth + 1)
        if self.sign("("):
            inner = self.either(depth + 1)
            if not self.sign(")"):
                raise self.refused("lacks a closing bracket")
            return inner
        return self.comparison()

    def comparison(self) -> Node:
        left = self.operand()
        if self.keyword("is"):
            wanted = not self.keyword("not")
            if not self.keyword("null"):
                raise self.refused("has no null after is")
            return "null", self.column(left), wanted
        if self.keyword("not", "in"):
            return "not", _any_equal_node(self.column(left), self.constants())
        if self.keyword("in"):
            return _any_equal_node(self.column(left), self.constants())
        sign = self.sign("<=", ">=", "!=", "<>", "==", "=", "<", ">")
        if not sign:
            raise self.refused("has no comparison")
        sign = {"<>": "!=", "==": "="}.get(sign, sign)
        right = self.operand()
        if left[0] != "column":
            left, right, sign = right, left, TURNED.get(sign, sign)
        return "compare", self.column(left), sign, right

    def operand(self) -> tuple[str, Any]:
        """A column's name, or a constant."""
        if self.at >= len(self.tokens) or self.tokens[self.at].keyword:
            raise self.refused("lacks a column or a constant")
        token = self.tokens[self.at]
        if token.kind == "sign":
            raise self.refused("lacks a column or a constant")
        self.at += 1
        if token.kind == "number":
            return "number", float(token.value)
        if token.kind == "text":
            if not token.value.strip():
                self.at -= 1
                raise LayerError(
                    "where compares with an empty text, which is no value",
                    layer=self.layer,
                    hint="is null, or is not null",
                )
            return "text", token.value.replace("''", "'").strip()
        if token.kind == "word" and token.value.lower() in ("true", "false"):
            return "text", token.value.lower()
        name = token.value.replace('""', '"')
        self.names.add(name)
        return "column", name

    def column(self, operand: tuple[str, Any]) -> str:
        if operand[0] != "column":
            raise self.refused("compares no column")
        return str(operand[1])

    def constants(self) -> list[tuple[str, Any]]:
        """What stands in the brackets behind ``in``."""
        if not self.sign("("):
            raise self.refused("has no list in brackets after in")
        found = [self.operand()]
        while self.sign(","):
            found.append(self.operand())
        if not self.sign(")"):
            raise self.refused("lacks a closing bracket")
        if any(kind == "column" for kind, _ in found):
            raise self.refused("has a column in a list; text stands in single quotes")
        return found


def _test_of_node(node: Node, layer: str) -> Test:
    """The test of rows that a condition means."""
    match node:
        case ("and" | "or" as word, parts):
            how = operator.and_ if word == "and" else operator.or_
            return _joined_test([_test_of_node(part, layer) for part in parts], how)
        case ("not", part):
            inner = _test_of_node(part, layer)
            return lambda values: ~inner(values)
        case ("null", name, wanted):
            return _null_test(name, wanted=wanted)
        case (_, name, sign, right):
            return _comparison_test(name, sign, right, layer)
    raise AssertionError(node)


def _joined_test(parts: list[Test], how: Callable[[Any, Any], Any]) -> Test:
    if len(parts) == 1:
        return parts[0]

    def test(values: Values) -> pd.Series:
        found = parts[0](values)
        for part in parts[1:]:
            found = how(found, part(values))
        return found

    return test


def _null_test(name: str, *, wanted: bool) -> Test:
    def test(values: Values) -> pd.Series:
        found = _is_blank(values(name))
        return pd.Series(found if wanted else ~found).astype("boolean")

    return test


def _is_blank(values: pd.Series) -> pd.Series:
    """Where there is no value: NA, or a text of nothing but blanks, which is what a .dbf has."""
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return values.isna()
    return values.isna() | (values.astype("str").str.strip() == "")


def _any_equal_node(name: str, constants: Iterable[tuple[str, Any]]) -> Node:
    return "or", [("compare", name, "=", one) for one in constants]


def _comparison_test(name: str, sign: str, right: tuple[str, Any], layer: str) -> Test:
    """A column against a constant or another column; NA where either has no value."""
    kind, value = right

    def test(values: Values) -> pd.Series:
        column = values(name)
        other = values(value) if kind == "column" else None
        left, against = _comparable_sides(
            column, kind, value if other is None else other, name, layer
        )
        found = pd.Series(SIGNS[sign](left, against), index=column.index).astype("boolean")
        unknown = left.isna() | _is_blank(column)
        if other is not None:
            unknown = unknown | against.isna() | _is_blank(other)
        return found.mask(unknown.to_numpy(bool))

    return test


def _comparable_sides(
    column: pd.Series, kind: str, value: Any, name: str, layer: str
) -> tuple[pd.Series, Any]:
    """Both sides as numbers, days or text, whichever they are."""
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if pd.api.types.is_datetime64_any_dtype(column) and kind == "text":
        day = pd.to_datetime(value, errors="coerce")
        if pd.isna(day):
            raise _unlike_error(name, "days", value, layer)
        return column, day
    if kind == "column":
        if numeric or pd.api.types.is_numeric_dtype(value):
            return _as_numbers(column), _as_numbers(value)
        return _as_texts(column), _as_texts(value)
    if kind == "number":
        return _as_numbers(column), value
    if numeric:
        try:
            return _as_numbers(column), float(value)
        except ValueError:
            raise _unlike_error(name, "numbers", value, layer) from None
    return _as_texts(column), value


def _unlike_error(name: str, held: str, value: Any, layer: str) -> LayerError:
    return LayerError(
        f"where compares column {name!r}, which holds {held}, with {value!r}",
        layer=layer,
        hint=f"{name} is not null",
    )


def _as_numbers(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").astype("float64")


def _as_texts(values: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(values):
        return values.map({True: "true", False: "false"})
    return values.astype("str").str.strip()


def require_names(condition: Condition, known: Iterable[str], layer: str) -> None:
    """Refuse a condition on a column that isn't there."""
    have = list(known)
    for name in sorted(condition.names):
        if name not in have:
            raise LayerError(
                f"where names {name!r}, which is no column", layer=layer, hint=nearest(name, have)
            )


# --- what the file itself may leave out ---------------------------------------------------------


def weaker(condition: Condition, kinds: Mapping[str, str]) -> Node | None:
    """A condition that all rows meet that are meant, of comparisons that every driver makes alike.

    ``kinds`` says of the file's columns which hold numbers, and which texts. The condition itself
    is tested on what comes through, so that a driver decides nothing, and only spares work.
    """
    return _weaker_node(condition.node, kinds)


def _weaker_node(node: Node, kinds: Mapping[str, str]) -> Node | None:
    match node:
        case ("and", parts):
            found = [w for p in parts if (w := _weaker_node(p, kinds)) is not None]
            return ("and", found) if found else None
        case ("or", parts):
            all_of = [_weaker_node(p, kinds) for p in parts]
            return None if None in all_of else ("or", all_of)
        case ("null", name, False) if name in kinds:
            return "known", name
        case ("compare", name, sign, ("number", value)) if kinds.get(name) == "number":
            return "number", name, sign, value
        case ("compare", name, "=", ("text", value)) if kinds.get(name) == "text":
            return "holds", name, value  # blanks about a text count for nothing
    return None  # what is denied, or compared with a column, or ordered as text


def as_sql(node: Node, *, sqlite: bool) -> str:
    """A weaker condition for OGR or SQLite, written by us: names and texts are quoted."""
    match node:
        case ("and" | "or" as word, parts):
            return "(" + f" {word.upper()} ".join(as_sql(p, sqlite=sqlite) for p in parts) + ")"
        case ("known", name):
            return f"{quoted_name(name)} IS NOT NULL"
        case ("holds", name, text):
            return f"{quoted_name(name)} LIKE '%{text.replace(chr(39), 2 * chr(39))}%'"
        case (_, name, sign, value):
            said = f"{quoted_name(name)} {'<>' if sign == '!=' else sign} {value!r}"
            # SQLite keeps texts such as 1,300 among numbers, which we read
            return f"({said} OR typeof({quoted_name(name)}) = 'text')" if sqlite else said
    raise AssertionError(node)


def as_arrow(node: Node) -> Any:
    """A weaker condition for a dataset of Arrow."""
    import pyarrow.compute as pc

    match node:
        case ("and" | "or" as word, parts):
            return reduce(operator.and_ if word == "and" else operator.or_, map(as_arrow, parts))
        case ("known", name):
            return ~pc.field(name).is_null()
        case ("holds", name, text):
            return pc.match_substring(pc.field(name), text)
        case (_, name, sign, value):
            return SIGNS[sign](pc.field(name), value)
    raise AssertionError(node)
