"""Which number did a person write here? Texts to numbers, each as its column is written, or none.

A comma groups thousands or stands before decimals; which of the two, a column as a whole tells,
and where it doesn't, the text stays a text for `check` to name. No text becomes another number
than the one that a person reads: "10,5" is never 105, "3F" never 3.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd

__all__ = ["counting_key", "fold_unit", "numbers_written", "split_numbers"]

# The signs that Chinese numbers are counted with, each at its value
COUNTING = "〇一二三四五六七八九十"
STEMS = "甲乙丙丁戊己庚辛壬癸"
COUNTED = re.compile(
    rf"([0-9]+|[{STEMS}]|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九]+)"
)

# Full-width forms, kinds of minus, apostrophes and blanks as the plain ones. Not by NFKC, which
# would make 52 of 5² and 31 of 3½ (with a fraction's slash).
PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
PLAIN |= dict.fromkeys((0x2212, 0x2012, 0x2013, 0xFE63), ord("-"))
PLAIN |= dict.fromkeys((0x2019, 0x2018, 0x02BC), ord("'"))
PLAIN |= dict.fromkeys((0xA0, 0x2002, 0x2003, 0x2007, 0x2009, 0x202F, 0x3000), ord(" "))

# A number as a whole, and what stands behind it: a unit, or what makes it no number.
WRITTEN = re.compile(
    r"(?P<sign>[-+]?) ?(?P<body>[0-9]+(?:[.,' ][0-9]+)*\.?|\.[0-9]+)(?P<power>[eE][-+]?[0-9]+)?"
    r" ?(?P<rest>.*)"
)
DIGITS = re.compile(r"[0-9]+")
POINT = re.compile(r"[0-9]+\.[0-9]*|\.[0-9]+")
# 1,300: thousands in most columns, decimals in a few
MAYBE_COMMA = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
# 1.300: decimals in most columns, thousands in a few
MAYBE_POINT = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
GROUPED = re.compile(r"[1-9][0-9]{0,2}([ '])[0-9]{3}(?:\1[0-9]{3})*(?P<decimals>[.,][0-9]+)?")
BY_COMMA = re.compile(
    r"[1-9][0-9]{0,2}(?:,[0-9]{3}){2,}(?:\.[0-9]*)?|[1-9][0-9]{0,2},[0-9]{3}\.[0-9]*"
)
BY_POINT = re.compile(
    r"[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}(?:,[0-9]+)?|[1-9][0-9]{0,2}\.[0-9]{3},[0-9]+"
)
COMMA = re.compile(r"(?:0|[1-9][0-9]*),[0-9]+")
THREE_DECIMALS = re.compile(r"[0-9]+,[0-9]{3}")

# 1,3000: 万 set apart in a few hands, decimals where the column has decimal commas
MAYBE_WAN = re.compile(r"[1-9][0-9]{0,3},[0-9]{4}")

# What the ways of writing say of their column: "," stands before decimals, "." does, or neither.
KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("digits", DIGITS), ("maybe_point", MAYBE_POINT), ("point", POINT),
    ("maybe_comma", MAYBE_COMMA), ("by_comma", BY_COMMA), ("by_point", BY_POINT),
    ("grouped", GROUPED), ("maybe_wan", MAYBE_WAN), ("comma", COMMA),
)  # fmt: skip
SAYS_POINT, SAYS_COMMA = (
    {"point", "by_comma", "grouped_point"},
    {"comma", "by_point", "grouped_comma"},
)


def split_numbers(values: pd.Series) -> pd.DataFrame:
    """Numbers of a column and the text behind each, such as its unit 数值与单位.

    Parameters
    ----------
    values
        Texts, numbers, or a mixture.

    Returns
    -------
    pandas.DataFrame
        By the index of ``values``: ``number`` (NaN where a text is none, or where its column
        leaves open which number it is) and ``unit``, the text behind it as `fold_unit` writes it
        ("" where there is none).

    Notes
    -----
    Read are digits with a decimal point; thousands grouped by commas, blanks or apostrophes, in
    groups of three only; powers of ten; full-width characters. A decimal comma is read where
    every number of the column can be read so and at least one only so; of ``1,300`` in such a
    column only where all others have three decimals, too. ``1.300`` is 1300 only beside numbers
    such as ``1.300,5``.

    Examples
    --------
    >>> split_numbers(pd.Series(["1,300.5", "２５０ ㎡", "3F"])).values.tolist()
    [[1300.5, ''], [250.0, 'm2'], [3.0, 'f']]
    >>> split_numbers(pd.Series(["10,5", "9"]))["number"].tolist()
    [10.5, 9.0]
    >>> split_numbers(pd.Series(["10,5", "9.25"]))["number"].tolist()
    [nan, 9.25]
    """
    number, unit = np.full(len(values), np.nan), np.full(len(values), "", object)
    found: list[tuple[int, str, re.Match[str]]] = []
    for k, value in enumerate(values):
        if isinstance(value, str):
            if value.isascii() and value.isdigit():  # most are, and tell nothing of the others
                number[k] = float(value)
                continue
            text = " ".join(value.translate(PLAIN).split())
            if (match := WRITTEN.fullmatch(text)) and (kind := _way_of_writing(match)):
                found.append((k, kind, match))
        elif not isinstance(value, bool | np.bool_) and isinstance(value, Real | Decimal):
            number[k] = float(value)
    read = _readers_by_way(found)
    for k, kind, match in found:
        unit[k] = fold_unit(match["rest"]) if match["rest"] else ""
        plain = read[kind](match["body"]) if kind in read else None
        if plain is not None:
            number[k] = float(match["sign"] + plain + (match["power"] or ""))
    return pd.DataFrame({"number": number, "unit": unit}, index=values.index)


def counting_key(text: str) -> tuple[tuple[bool, int, str], ...]:
    """What texts are sorted by as people count: 第2组 before 第10组, 甲组 before 乙组.

    Examples
    --------
    >>> sorted(["第10组", "第2组", "十二组", "三组"], key=counting_key)
    ['三组', '十二组', '第2组', '第10组']
    >>> sorted(["乙组", "丙组", "甲组"], key=counting_key)
    ['甲组', '乙组', '丙组']
    """
    parts = COUNTED.split(unicodedata.normalize("NFKC", text))
    return tuple((odd := bool(at % 2), _counted(part) if odd else 0, "" if odd else part)
                 for at, part in enumerate(parts))  # fmt: skip


def _counted(text: str) -> int:
    """A number in digits, in Chinese up to 九十九, or a stem (甲 is the first)."""
    if text in STEMS:
        return STEMS.index(text) + 1
    if text[0] not in COUNTING:
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return int("".join(str(COUNTING.index(sign)) for sign in ones))
    return 10 * (COUNTING.index(tens[-1]) if tens else 1) + (COUNTING.index(ones) if ones else 0)


def fold_unit(text: str) -> str:
    """A unit as it is compared: ``㎡``, ``m^2`` and ``M²`` are all m2."""
    return re.sub(r"[\s^]+", "", unicodedata.normalize("NFKC", text)).lower()


def numbers_written(
    values: pd.Series, units: Mapping[str, float] | None = None, *, factor: float = 1.0
) -> pd.Series:
    """A column's numbers; where a text is none, it stays among them for `check` to name 数值.

    Parameters
    ----------
    values
        Texts, numbers, or a mixture; blank texts are missing.
    units
        What may stand behind a number, as `fold_unit` writes it, and its multiple of the unit
        that the column is kept in.
    factor
        Multiple for numbers without a unit of their own: that of the column's heading.

    Returns
    -------
    pandas.Series
        Floats; objects where a text stays.

    Examples
    --------
    >>> numbers_written(pd.Series(["1,300", "2万㎡", "不详"]), {"万m2": 1e4}).tolist()
    [1300.0, 20000.0, '不详']
    """
    if pd.api.types.is_bool_dtype(values):
        return values
    if pd.api.types.is_numeric_dtype(values):
        return values.astype(float) * factor if factor != 1.0 else values.astype(float)
    given = values.astype(object).where(values.notna().to_numpy(), None)
    blank = np.array([v is None or (isinstance(v, str) and not v.strip()) for v in given], bool)
    split = split_numbers(given)
    known = {fold_unit(unit): by for unit, by in (units or {}).items()} | {"": factor}
    by = split["unit"].map(known).astype(float)
    number = split["number"] * by
    lost = number.isna().to_numpy() & ~blank
    return number.astype(object).where(~lost, given) if lost.any() else number


def _way_of_writing(match: re.Match[str]) -> str:
    """The way in which a number is written; none where it is in no way that people read."""
    body = match["body"]
    kind = next((name for name, way in KINDS if way.fullmatch(body)), "")
    if kind == "grouped" and (decimals := GROUPED.fullmatch(body)["decimals"]):  # type: ignore[index]
        kind = "grouped_comma" if decimals[0] == "," else "grouped_point"
    powers = {"digits", "point", "maybe_point", "comma"}
    return "" if match["power"] and kind not in powers else kind


def _readers_by_way(
    found: list[tuple[int, str, re.Match[str]]],
) -> dict[str, Callable[[str], str | None]]:
    """How each way of writing is read in this column; ways that stay open are left out."""
    kinds = {kind for _, kind, _ in found}
    point, comma = bool(kinds & SAYS_POINT), bool(kinds & SAYS_COMMA)
    readers: dict[str, Callable[[str], str | None]] = {
        "digits": str,
        "point": str,
        "grouped": lambda body: re.sub("[ ']", "", body),
        "grouped_point": lambda body: re.sub("[ ']", "", body),
        "by_comma": lambda body: body.replace(",", ""),
    }
    if not comma:
        readers |= {"maybe_point": str, "maybe_comma": lambda body: body.replace(",", "")}
    elif not point:
        if "maybe_point" in kinds and "by_point" not in kinds:
            return readers  # 10,5 beside 1.300: two hands, and no telling what either meant
        readers |= dict.fromkeys(
            ("comma", "by_point", "grouped_comma", "maybe_point", "maybe_wan"),
            lambda body: re.sub("[. ']", "", body).replace(",", "."),
        )
        said = [match["body"] for _, kind, match in found if kind in SAYS_COMMA]
        if all(THREE_DECIMALS.fullmatch(body) for body in said):
            readers["maybe_comma"] = lambda body: body.replace(",", ".")
    return readers
