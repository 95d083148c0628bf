"""Numbers as people write them: the one that a person reads, or none."""

import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import pinghu_geo as pg
from pinghu_geo.nouns.numerals import numbers_written, split_numbers


def read(*texts):
    return [None if math.isnan(v) else v for v in split_numbers(pd.Series(texts))["number"]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,300.5", 1300.5), ("1,300", 1300), ("12,345,678", 12345678), ("1 300.5", 1300.5),
        ("1\u00a0300", 1300), ("1'300'000", 1300000), ("1’300.5", 1300.5), ("１２．５", 12.5),
        ("１，３００", 1300), ("−5.5", -5.5), ("－３", -3), ("1.5E+03", 1500), ("2e-3", 0.002),
        (".5", 0.5), ("5.", 5), ("+7", 7), ("007", 7), (" 12.5 ", 12.5), ("250.75", 250.75),
        ("10,5", 10.5), ("0,8", 0.8), ("1300,50", 1300.5), ("1.300,50", 1300.5), ("0,800", 0.8),
        ("1 300,5", 1300.5), ("1.234.567", 1234567), ("1,5E+03", 1500),
    ],
)  # fmt: skip
def test_a_number_alone_in_its_column(text, value):
    assert read(text) == [value]


@pytest.mark.parametrize(
    "text",
    ["1,30,000", "1,3000", "12 5", "1'30", "1.2.3", "1,300,50", "--5", "1_300", "0x10", "5²", "3½",
     "1,", "(1,300)", "1.#IND", "-1.#QNAN", "inf", "nan", "三层", "10-12", "1/455", "②", "٣", "10+",
     "1,234e5", "01,300", "1, 300", "1,300 500", "¥45", "~10"],
)  # fmt: skip
def test_what_is_no_number_stays(text):
    assert numbers_written(pd.Series([text], dtype=object)).tolist() == [text]


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["10,5", "9", "12,25"], [10.5, 9, 12.25]),  # the whole column says so
        (["10,5", "9.25"], [None, 9.25]),  # it doesn't
        (["10,5", "1,300"], [10.5, None]),  # 1.3 or 1300
        (["0,800", "1,300"], [0.8, 1.3]),  # three decimals throughout
        (["1,300", "1.250,5"], [None, 1250.5]),
        (["1.300", "1.250,5"], [1300, 1250.5]),
        (["1.300", "10,5"], [None, None]),
        (["1.300", "9.5"], [1.3, 9.5]),
        (["1,300", "9.5", "850"], [1300, 9.5, 850]),
        (["1,300.5", "1300,5", "1,250"], [1300.5, None, None]),
        (["1 300,5", "850"], [1300.5, 850]),
        (["1,3000", "850"], [None, 850]),  # 13000 in some hands
        (["1,3000", "10,5"], [1.3, 10.5]),
    ],
)
def test_the_column_tells_what_a_comma_is(texts, values):
    assert read(*texts) == values
    assert read(*texts[::-1]) == values[::-1]


def test_units_in_cells():
    cells = pd.Series(["1,300 ㎡", "1.5万平方米", "0.2 公顷", "850", "2 亩地", "m2"], dtype=object)
    by = {"m2": 1, "万平方米": 1e4, "公顷": 1e4}
    got = numbers_written(cells, by, factor=100.0).tolist()
    assert got == [1300.0, 15000.0, 2000.0, 85000.0, "2 亩地", "m2"]


CENTS = st.lists(
    st.integers(-(10**11), 10**11).map(lambda n: Decimal(n) / 100), min_size=1, max_size=9
)


@given(
    CENTS,
    st.sampled_from([",", " ", "'", ""]),
)
def test_what_is_written_with_grouped_thousands_is_read_back(numbers, by):
    texts = [f"{n:,.2f}".replace(",", by) for n in numbers]
    assert read(*texts) == [float(n) for n in numbers]


@given(CENTS)
def test_what_is_written_with_decimal_commas_is_read_back(numbers):
    texts = [f"{n:,.2f}".translate(str.maketrans(",.", ".,")) for n in numbers]
    assert read(*texts) == [float(n) for n in numbers]


@example(["9000000.2"])
@given(st.lists(st.text("0123456789.,' -eE", max_size=9), max_size=6))
def test_no_text_becomes_a_number_of_other_digits(texts):
    """Whatever comes: the digits of the number read are those written, zeros at the ends aside."""
    for text, number in zip(texts, numbers_written(pd.Series(texts, dtype=object)), strict=True):
        if isinstance(number, float) and not math.isnan(number) and "e" not in text.lower():
            digits = "".join(c for c in text if c.isdigit()).lstrip("0")
            # as many digits as tell this number from all others: nine places may be more than it has
            said = f"{Decimal(repr(abs(number))):f}".replace(".", "")
            assert said.strip("0") == digits.strip("0")


def test_numbers_among_texts():
    mixed = pd.Series([1, 2.5, np.float32(3), "4,000", None, True, ""], dtype=object)
    assert numbers_written(mixed).astype(object).where(lambda s: s.notna(), None).tolist() == [
        1.0, 2.5, 3.0, 4000.0, None, True, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "value"), [("10,5", 10.5), ("0,8", 0.8), ("1.300,50", 1300.5), ("12.5m", 12.5),
                        ("1,250 cm", 12.5), ("９", 9.0), ("0.0125km", 12.5)]
)  # fmt: skip
def test_width_tables(cell, value, tmp_path):
    path = tmp_path / "w.csv"
    path.write_text(f'河道,桩号,左宽,右宽\n甲,K0+000,"{cell}",9\n', "utf-8")
    assert pg.read_table(path, "widths")["left_m"].tolist() == [value]


@pytest.mark.parametrize("cell", ["10,5,5", "1,30", "10,5 / 9", "12 5", "3尺"])
def test_what_a_width_table_leaves_open_is_named(cell, tmp_path):
    path = tmp_path / "w.csv"
    path.write_text(f'河道,桩号,左宽,右宽\n甲,K0+000,"{cell}",9\n甲,K0+100,9.5,9\n', "utf-8")
    faults = pg.check(path, "widths")
    assert faults[["fault", "id"]].values.tolist() == [["not_a_number", "2"]]
