"""Any table as people read it: no codes, no pandas signs, nothing lost."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pinghu_geo as pg
from pinghu_geo.nouns.numerals import counting_key
from pinghu_geo.nouns.schema import NOUNS, label

in_words = pg.deliver.in_words
TABLE = pd.DataFrame(
    {
        "verdict": ["retain", None],
        "bank": ["left", "both"],
        "chainage_m": [1234.5, np.nan],
        "inside_ratio": [0.125, np.nan],
        "cost_yuan": [1234567.8, np.nan],
        "depth_m": [2.0, 3.456],
        "n_tenants": pd.array([3, None], "Int64"),
        "needs_survey": [True, False],
        "due": pd.to_datetime(["2018-03-01", None]),
        "control": ["inlet+weir A", None],
        "saved_ids": [["B1", "B2"], []],
        "reason": ["", "说明"],
        "老名": ["left", "right"],
    },
    pd.Index(["B1", "B2"], name="building_id"),
)


def test_codes_chainages_days_and_numbers_are_words():
    first, second = in_words(TABLE).to_numpy().tolist()
    assert first == ["保留", "左岸", "K1+234.5", "12.5%", "1,234,568", "2.00", "3", "是",
                     "2018-03-01", "进口控制+堰流(A类水流)", "B1、B2", "—", "left"]  # fmt: skip
    assert second == ["—", "两岸", "—", "—", "—", "3.46", "—", "否", "—", "—", "—", "说明", "right"]


def test_headings_and_index_are_words_in_both_languages():
    zh, en = in_words(TABLE), in_words(TABLE, lang="en")
    assert zh.index.name == "房屋编号"
    assert zh.columns[:3].tolist() == ["结论", "岸别", "桩号"]
    assert en["verdict"].tolist() == ["retain", "—"]
    assert en["needs survey"].tolist() == ["yes", "no"]
    assert en["saved ids"].iloc[0] == "B1, B2"
    by_verdict = in_words(TABLE.groupby("verdict").size().to_frame("n_buildings"))
    assert by_verdict.index.tolist() == ["保留"]
    assert by_verdict.index.name == "结论"
    assert by_verdict.columns.tolist() == ["房屋栋数 (栋)"]


def test_columns_in_two_rows_and_names_of_columns():
    money = pd.DataFrame({"month": ["2018-01"] * 2, "head": ["building", "relocation"],
                          "planned_yuan": [10.0, 20.4]})  # fmt: skip
    wide = in_words(money.pivot_table(index="month", columns="head", values=["planned_yuan"]))
    assert wide.columns.tolist() == [("计划支付 (元)", "房屋补偿"), ("计划支付 (元)", "搬迁补偿")]
    assert wide.iloc[0].tolist() == ["10", "20"]
    named = in_words(pd.DataFrame({"column": ["demolish_floor_area_m2"]}))
    assert named["项目"].tolist() == ["拆除建筑面积 (m²)"]


def test_a_word_of_a_kind_of_table_and_whole_numbers():
    table = pd.DataFrame({"n_nodes": [3.0, 2.0], "depth_m": [1.0, 2.0]})
    assert in_words(table, noun="campaign").columns[0] == "征拆节点 (个)"
    assert in_words(table)["受影响节点 (个)"].tolist() == ["3", "2"]
    assert in_words(table, decimals=1).iloc[:, 1].tolist() == ["1", "2"]
    assert in_words(table + 0.25, decimals=1).iloc[:, 1].tolist() == ["1.2", "2.2"]


def test_counts_of_nodes_are_told_apart_in_english():
    said = [label("n_nodes", lang="en", noun=noun) for noun in ("totals", "campaign", "search")]
    assert said == ["affected nodes", "nodes to clear", "searched nodes"]


@pytest.mark.parametrize("noun", NOUNS)
def test_no_code_of_any_table_is_left_in_chinese(noun):
    for column in NOUNS[noun].columns:
        codes = [code for code in column.codes if isinstance(code, str)]
        said = in_words(pd.DataFrame({column.name: codes}))
        assert not set(said.iloc[:, 0]) & {code for code in codes if len(code) > 1}, column.name


@given(st.lists(st.one_of(st.none(), st.floats(allow_infinity=False, width=32)), max_size=8))
def test_rows_stay_and_what_is_unknown_is_a_dash(values):
    table = pd.DataFrame({"depth_m": pd.array(values, "Float64")}, range(5, 5 + len(values)))
    said = in_words(table)
    assert said.index.tolist() == table.index.tolist()
    gone = [pd.isna(v) for v in values]
    assert (said.iloc[:, 0] == "—").tolist() == gone


def test_geometry_is_left_out_and_the_table_itself_stays():
    rivers = pg.read_layer(pg.sample_folder() / "河道.shp", "rivers")
    before = rivers.copy()
    assert "geometry" not in in_words(rivers)
    pd.testing.assert_frame_equal(rivers, before)


@given(st.permutations(range(1, 100)))
def test_groups_come_as_people_count(numbers):
    signs = "一二三四五六七八九"

    def chinese(n):
        tens, ones = divmod(n, 10)
        ten = ("" if tens == 1 else signs[tens - 1]) + "十" if tens else ""
        return ten + (signs[ones - 1] if ones else "")

    for write in (str, chinese):
        said = sorted((f"第{write(n)}组" for n in numbers), key=counting_key)
        assert said == [f"第{write(n)}组" for n in range(1, 100)]
