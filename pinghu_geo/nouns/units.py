"""In which unit, above which datum? What headings and cells say, and what a column holds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from pinghu_geo.nouns.codes import DATUM
from pinghu_geo.nouns.columns import Column
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.numerals import fold_unit

__all__ = [
    "BRACKETS", "UNITS", "UNIT_WORDS", "Stated", "cell_units", "datum_of",
    "datum_stated", "looks_like_unit", "ratios_written", "require_one_datum", "turned_over",
    "unit_of", "unit_stated",
]  # fmt: skip

# Units as multiples of the one that a column is kept in. 15 mu are a hectare.
UNITS: dict[str, dict[str, float]] = {
    "m²": {
        "m2": 1, "平方米": 1, "平米": 1, "平方": 1, "亩": 2000 / 3, "公顷": 1e4, "ha": 1e4,
        "hm2": 1e4, "万m2": 1e4, "万平方米": 1e4, "万平米": 1e4, "万平": 1e4,
        "km2": 1e6, "平方公里": 1e6, "平方千米": 1e6, "万亩": 2e7 / 3,
    },
    "m": {"m": 1, "米": 1, "km": 1e3, "公里": 1e3, "千米": 1e3, "dm": 0.1, "分米": 0.1,
          "cm": 0.01, "厘米": 0.01, "mm": 1e-3, "毫米": 1e-3, "ft": 0.3048, "英尺": 0.3048},
    "mm": {"mm": 1, "毫米": 1, "cm": 10, "厘米": 10, "m": 1000, "米": 1000},
    "m/s": {"m/s": 1, "米/秒": 1, "cm/s": 0.01, "km/h": 1 / 3.6, "ft/s": 0.3048},
    "m³/s": {
        "m3/s": 1, "立方米/秒": 1, "立方米每秒": 1, "方/秒": 1, "m3s-1": 1, "cms": 1,
        "l/s": 1e-3, "升/秒": 1e-3, "升每秒": 1e-3, "m3/min": 1 / 60, "l/min": 1e-3 / 60,
        "m3/h": 1 / 3600,
        "立方米/小时": 1 / 3600, "立方米/时": 1 / 3600, "m3/d": 1 / 86400, "立方米/日": 1 / 86400,
        "立方米/天": 1 / 86400, "万m3/d": 1 / 8.64, "万m3/h": 1e4 / 3600, "cfs": 0.3048**3,
        "ft3/s": 0.3048**3,
    },
    "元": {"元": 1, "千元": 1e3, "万元": 1e4, "百万元": 1e6, "亿元": 1e8},
    "元/m²": {"元/m2": 1, "元/平方米": 1, "元/平米": 1, "元/平方": 1, "千元/m2": 1e3,
            "万元/m2": 1e4, "万/m2": 1e4, "万/平方米": 1e4, "万/平米": 1e4,
            "万元/平方米": 1e4, "万元/平米": 1e4, "元/亩": 1.5e-3, "元每平方米": 1, "元每平米": 1,
            "cny/m2": 1, "rmb/m2": 1, "yuan/m2": 1,
            "万元/亩": 15, "元/公顷": 1e-4, "万元/公顷": 1},
    "元/m": {"元/m": 1, "元/米": 1, "元/延米": 1, "万元/m": 1e4, "万元/米": 1e4, "万元/延米": 1e4,
           "万元/km": 10, "万元/公里": 10, "yuan/m": 1, "cny/m": 1, "rmb/m": 1},
    "ratio": {"‰": 1e-3, "%": 1e-2, "‱": 1e-4, "1/1000": 1e-3, "1/10000": 1e-4, "1/100": 1e-2,
              "1/100000": 1e-5, "1/万": 1e-4, "1/千": 1e-3, "千分之一": 1e-3, "万分之一": 1e-4,
              "千分率": 1e-3, "百分率": 1e-2, "万分率": 1e-4, "m/m": 1, "m/km": 1e-3,
              "m/千米": 1e-3, "mm/m": 1e-3, "cm/m": 1e-2, "10-3": 1e-3, "10-4": 1e-4, "x10-3": 1e-3,
              "x10-4": 1e-4, "百分之": 1e-2, "千分之": 1e-3, "万分之": 1e-4, "十万分之": 1e-5,
              "1e-3": 1e-3, "1e-4": 1e-4, "1e-5": 1e-5, "e-3": 1e-3, "e-4": 1e-4, "e-5": 1e-5},
}  # fmt: skip
# columns without a unit whose numbers are still written in several
RATIOS = ("slope", "friction_slope")
# headings that turn a number over: n of 1/n, 455 of a slope of 1/455
TURNED = {"1/n": ("n", "n_wall", *RATIOS), "1/i": RATIOS, "1:n": RATIOS, "1:i": RATIOS,
          "1/m": RATIOS, "1:m": RATIOS}  # fmt: skip
# what amounts are in that are none of yuan
COINS = re.compile(r"(?:千|万|百万|亿)?(?:元|美元|港元|港币|欧元|usd|hkd|hk\$)(?:/.+)?")
# what else looks like a unit, and is therefore no remark: 丈, 百米, 亿m3, 10-5; one letter is a
# symbol, as in 流量(Q)
_LATIN = (
    "inch|inches|in|foot|feet|ft|yards?|yd|miles?|mi|nmi|acres?|sqft|gal|hm|km|dm|cm|mm|ha|kg|min"
)
_MEASURE = (
    r"(?:平方|立方)?[市英华公海]?(?:丈|尺|寸|里|码|链|[千分厘毫]?米|亩|顷|加仑|升|方)"
    rf"|(?:{_LATIN})[23]?"
)
UNIT_LIKE = re.compile(
    rf"[十百千万亿]+|[十百千万亿]*(?:{_MEASURE}|m[23]?|l)"
    rf"(?:(?:/|每)(?:{_MEASURE}|[mlshda天日时秒年]|小时))?"
    r"|[x/]?10\*{0,2}-?\d+|x10|1?e-?\d+"
    rf"|(?:10)+(?:{_MEASURE}|m[23]?)(?:/[a-z日时秒天]+)?"
    # whatever it is of something: m3/s/km2, 角/m2
    r"|.*(?:/|每)(?:[km]?m[23]?|平方米|平米|亩|公顷|[shd]|min|秒|日|天|年|月|小时|人|户|间|栋)"
)
# a quantity's sign over its unit, as ISO 80000 writes headings: H/m
SIGN_OVER = re.compile(r"[a-z]{1,2}/(.+)")
# words that end with the sign of feet
ENDS_LIKE_FEET = re.compile(r"(?:left|shift|lift|draft|shaft|raft)$")
# the longest first: 万元 ends with 元
UNIT_WORDS = sorted({u for units in UNITS.values() for u in units}, key=len, reverse=True)
BRACKETS = re.compile(r"[(\[【](.*?)[)\]】]")
# Words of height systems; 1985 first, which is above the Yellow Sea, too.
DATUM_WORDS: dict[str, re.Pattern[str]] = {
    "cnhd_1985": re.compile(
        r"1985|(?:国家|黄海)85|85(?:国家|高程|黄海|基准)|八五|(?:高程|标高|水位|高)[(_\[【]?85(?!\d)"
    ),
    "yellow_sea_1956": re.compile(
        r"1956|(?:国家|黄海)56|56(?:国家|高程|黄海|基准)|黄海|(?:高程|标高|水位|高)[(_\[【]?56(?!\d)"
    ),
    "pearl_river": re.compile(r"珠江|珠基"),
    "wusong": re.compile(r"吴淞"),
    "dagu": re.compile(r"大沽"),
    "local": re.compile(r"假定|假设|相对高程|独立高程"),
}
# 1/455, 1:455, 2.2/1000
FRACTION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*[/:：∶]\s*(\d+(?:\.\d+)?)\s*")


class Stated(NamedTuple):
    """Unit that a heading states; numbers are multiplied by ``factor``, or turned over."""

    unit: str
    factor: float
    turned: bool = False


def _dimension_of_column(column: Column) -> str:
    return "ratio" if column.name in RATIOS else column.unit


def _words_in_heading(name: object) -> list[str]:
    """What stands in a heading's brackets, piece by piece, and behind its last slash."""
    text = unicodedata.normalize("NFKC", str(name)).strip()
    found = [
        w for inside in BRACKETS.findall(text) for w in (inside, *re.split(r"[,;、:\s]+", inside))
    ]
    folded = (re.sub(r"[·⋅*]", "", fold_unit(w)) for w in found if w.strip())
    return [w.replace("−", "-").replace("×", "x") for w in folded]


def looks_like_unit(word: str) -> bool:
    """Whether a folded word is a unit, whether or not it is one that we know; `l` alone is not."""
    return word in UNIT_WORDS or bool(
        COINS.fullmatch(word) or (word != "l" and UNIT_LIKE.fullmatch(word))
    )


def unit_stated(name: object, column: Column, layer: str = "") -> Stated:
    """Unit that a delivery's heading states; a unit of something else is refused.

    A remark in brackets, such as 面积(含阳台), is none.
    """
    units = UNITS.get(_dimension_of_column(column), {})
    words = _words_in_heading(name)
    for word in words:
        if column.name in TURNED.get(word, ()):
            return Stated(word, 1.0, turned=True)
        if word in units:
            return Stated(word, units[word])
        over = SIGN_OVER.fullmatch(word)
        if over and over[1] in units and word not in UNIT_WORDS:
            return Stated(over[1], units[over[1]])
    if units:
        other = [w for w in words if looks_like_unit(w)]
        if other:
            raise LayerError(
                f"has {column.zh} in {other[0]} ({str(name)!r}); {column.name} is in "
                f"{column.unit or 'a ratio'}",
                layer=layer,
                hint="convert it, or give the column a name of its own, so that it isn't taken",
                fault="unreadable",
            )
    return Stated("", 1.0) if words else _unit_at_end(name, column, units)


def _unit_at_end(name: object, column: Column, units: Mapping[str, float]) -> Stated:
    """Unit that a heading without brackets ends with."""
    plain = BRACKETS.sub("", unicodedata.normalize("NFKC", str(name)).lower())
    *before, last = re.split(r"[\s_\-]+", plain.strip())
    if any(before) and last in units:  # deck_m is in metres, and none in km
        return Stated(last, units[last])
    tail = re.sub(r"[\s_\-]+", "", plain).removesuffix("/")
    if tail == column.name.replace("_", "") or ENDS_LIKE_FEET.search(tail):  # DECKM; left
        return Stated("", 1.0)
    for unit in sorted(units, key=len, reverse=True):
        if tail.endswith(unit) and len(tail) > len(unit):
            return Stated(unit, units[unit])
    return Stated("", 1.0)


def unit_of(name: object, column: Column) -> tuple[str, float]:
    """Unit that a delivery's column name states, and what its numbers are to be multiplied by."""
    found = unit_stated(name, column)
    return found.unit, found.factor


def cell_units(column: Column) -> dict[str, float]:
    """Units that may stand behind a number of a column, as multiples of the column's own."""
    return {column.unit: 1.0, **UNITS.get(_dimension_of_column(column), {})}


def ratios_written(values: pd.Series, column: Column) -> pd.Series:
    """A column of ratios with 1/455 and 1:455 as numbers; all else as it came."""
    if _dimension_of_column(column) != "ratio" or pd.api.types.is_numeric_dtype(values):
        return values

    def ratio(value: object) -> object:
        plain = unicodedata.normalize("NFKC", value) if isinstance(value, str) else ""
        found = FRACTION.fullmatch(plain)
        return float(found[1]) / float(found[2]) if found and float(found[2]) else value

    return values.astype(object).map(ratio)


# --- height systems ---------------------------------------------------------------------------


def datum_stated(text: object, layer: str = "") -> str:
    """Code of the height system that a text names; empty where it names none.

    Several are refused: which of them a height is above is not said.
    """
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", str(text)))
    found = [code for code, words in DATUM_WORDS.items() if words.search(plain)]
    if found[:2] == ["cnhd_1985", "yellow_sea_1956"] and "1956" not in plain:
        found.remove("yellow_sea_1956")
    if len(found) > 1:
        raise LayerError(
            f"names several height systems at once ({str(text)!r})",
            layer=layer,
            hint="say which one the heights are in",
            fault="unreadable",
        )
    return found[0] if found else ""


def require_one_datum(tables: Mapping[str, pd.DataFrame | str | None]) -> None:
    """Refuse tables of one run whose heights are stated above different datums.

    A table states it in its column ``datum``; a text is the code itself. What says nothing is
    taken as it comes.
    """
    said: dict[str, str] = {}
    for name, table in tables.items():
        for code in _datum_codes(table):
            said.setdefault(code, name)
    if len(said) > 1:
        (one, first), (other, second) = list(said.items())[:2]
        raise LayerError(
            f"has heights in {DATUM[other][0]} but {first} in {DATUM[one][0]}"
            if first != second
            else f"has heights in {DATUM[one][0]} and in {DATUM[other][0]}",
            layer=second,
            hint="shift one to the other by what the survey office gives for the place, and "
            "correct its column datum",
        )


def datum_of(table: pd.DataFrame) -> str:
    """Code of the height system that every row of a table states; empty where some say nothing."""
    if "datum" not in table.columns or table["datum"].isna().any():
        return ""
    codes = set(_datum_codes(table))
    return codes.pop() if len(codes) == 1 else ""


def _datum_codes(table: pd.DataFrame | str | None) -> Iterable[str]:
    if table is None or isinstance(table, str):
        return [table] if table else []
    if "datum" not in table.columns:
        return []
    words = {w: code for code, all_words in DATUM.items() for w in (code, *all_words)}
    return [
        words.get(str(v), "") or datum_stated(v) or "local"
        for v in table["datum"].dropna().unique()
        if str(v).strip()
    ]


def turned_over(values: pd.Series) -> pd.Series:
    """One over each number; what is none, and 0, is left as it is."""
    return values.map(
        lambda v: 1.0 / v if isinstance(v, float | np.floating) and v and np.isfinite(v) else v
    )
