"""Unknown is not zero: in sums, by whatever they are grouped, in words and in what is delivered."""

import json

import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from conftest import building_frame, river_frame

pytestmark = pytest.mark.filterwarnings("ignore:floor area of:UserWarning")
RIVER = river_frame({"A": [(0, 0), (300, 0)]})
LINES = {"宽": pg.red_line(RIVER, 12.0), "窄": pg.red_line(RIVER, 4.0)}
HOUSES = {"S": shapely.box(40, 8, 50, 18), "T": shapely.box(80, 8, 90, 18)}
RATES = pd.DataFrame({"building_yuan_m2": [1000.0]}, ["R1"])


def compared(lines=LINES, *, rates=None, **columns):
    return pg.compare(lines, building_frame(HOUSES, **columns), RIVER, rates=rates)


@pytest.mark.parametrize("columns", [{}, {"floors": [np.nan] * 2}, {"tenants": [np.nan] * 2}])
def test_nothing_known_is_na_in_every_sum(columns):
    found = compared(**columns)
    for table in (found.by_river, found.by_node, found.totals.loc[["宽"]]):
        sums = table.filter(regex="floor_area|tenants$|yuan")
        assert sums.isna().all().all(), table
    assert found.by_river["n_unknown"].tolist() == [2]
    assert found.by_river["n_tenants_unknown"].tolist() == [2]
    said = found.summary()[0]
    assert "少拆建筑面积不详(2 栋建筑面积不详)" in said
    assert "少清退租户数不详(2 栋租户数不详)" in said
    assert " 0 m²" not in said
    assert "补偿" not in said


def test_what_is_known_is_summed_and_what_is_not_is_counted():
    found = compared(floor_area_m2=[300.0, np.nan], tenants=[np.nan, 4])
    row = found.by_river.iloc[0]
    assert row[["avoided_floor_area_m2", "n_unknown"]].tolist() == [300, 1]
    assert row[["avoided_tenants", "n_tenants_unknown"]].tolist() == [4, 1]
    assert "少拆建筑面积 300 m²(另有 1 栋建筑面积不详)" in found.summary()[0]
    assert "少清退租户 4 户(另有 1 栋租户数不详)" in found.summary()[0]


def test_a_known_zero_stays_zero():
    found = compared(floor_area_m2=[0.0, 0.0], tenants=[0, 0], rates=RATES)
    assert found.by_river.filter(regex="avoided").to_numpy(float).tolist() == [[0, 0, 0]]
    assert "不详" not in found.summary()[0]
    # what no scheme touches costs nothing, whatever is known of it
    narrow = found.totals.loc["窄"]
    assert narrow[["n_buildings", "n_unknown", "n_tenants_unknown"]].tolist() == [0, 0, 0]


def test_a_negative_saving_is_said_as_more():
    lines = {"窄": LINES["窄"], "宽": LINES["宽"]}
    said = compared(lines, floor_area_m2=[300.0, 200.0], tenants=[1, 2], rates=RATES).summary()[0]
    assert said == (
        "宽 较 窄:避免拆除 0 栋,新增拆除 2 栋,多拆建筑面积 500 m²,多清退租户 3 户,增加补偿 50 万元。"
    )


def test_a_house_that_is_cut_less_keeps_its_tenants_and_whole_floor_area():
    lines = {"宽": LINES["宽"], "中": pg.red_line(RIVER, 10.0)}
    whole = compared(lines)
    assert whole.changes["change"].tolist() == ["less", "less"]
    # it goes by either scheme: nothing is saved, and that is known without its floor area
    assert whole.changes["avoided_floor_area_m2"].tolist() == [0, 0]
    assert compared(lines, floors=[np.nan, 2]).changes["avoided_floor_area_m2"].tolist() == [0, 0]
    tenants = compared(lines, tenants=[5, np.nan]).changes["avoided_tenants"]
    assert tenants.tolist() == [0, 0]


def test_a_house_in_both_schemes_saves_no_tenants_whether_they_are_counted_or_not():
    narrow = {"宽": LINES["宽"], "中": pg.red_line(RIVER, 10.0)}  # both cut less, both demolished
    found = compared(narrow)
    assert found.changes["change"].tolist() == ["less", "less"]
    assert found.changes["avoided_tenants"].tolist() == [0, 0]
    assert found.by_river["n_tenants_unknown"].tolist() == [0]
    assert "租户数不详" not in found.summary()[0]


def test_a_known_zero_beside_unknown_houses_is_no_sum():
    # S is taken by both, T by the wide line alone: of T nothing is known
    houses = {"S": shapely.box(40, 8, 50, 18), "T": shapely.box(80, 11, 90, 18)}
    lines = {"宽": LINES["宽"], "中": pg.red_line(RIVER, 10.0)}
    found = pg.compare(lines, building_frame(houses), RIVER)
    assert found.changes["change"].tolist() == ["less", "saved"]
    assert found.by_river["avoided_tenants"].isna().all()
    assert found.by_river["n_tenants_unknown"].tolist() == [1]
    assert "少清退租户数不详(1 栋租户数不详)" in found.summary()[0]
    assert "少拆建筑面积不详(1 栋建筑面积不详)" in found.summary()[0]


def test_redesigned_nodes_and_nodes():
    one, other = (pg.assess(line, building_frame(HOUSES), RIVER) for line in LINES.values())
    found = pg.differences(one, other, RIVER).redesigned
    sums = ["avoided_floor_area_m2", "avoided_tenants", "avoided_yuan"]
    assert found[sums].isna().all().all()
    nodes = pg.node_table(one.affected)
    assert nodes[["n_tenants", "demolish_floor_area_m2"]].isna().all().all()
    assert nodes["n_unknown"].sum() == nodes["n_tenants_unknown"].sum() == 2


def test_money_is_na_where_one_price_is_unknown():
    hit = pg.affected(building_frame(HOUSES, cost_yuan=[5.0, np.nan]), LINES["宽"], RIVER)
    assert pg.totals(hit)["cost_yuan"].isna().tolist() == [True]
    assert pg.totals(hit, "chainage_m")["cost_yuan"].tolist()[0] == 5.0


def test_many_designs_as_one_by_one():
    ends = {"river": ["A", "A"], "chainage_m": [0.0, 300.0]}
    tables = {
        w: pd.DataFrame(ends | {"left_m": [w, w], "right_m": [w, w]}) for w in (12.0, 9.0, 4.0)
    }
    for columns in ({}, {"floor_area_m2": [7.0, np.nan], "tenants": [np.nan, 2.0]}):
        houses = building_frame(HOUSES, **columns)
        many = pg.assess_many(tables, houses, RIVER).totals
        for width in tables:
            one = pg.totals(pg.affected(houses, pg.red_line(RIVER, width), RIVER)).iloc[0]
            same = one.index.intersection(many.columns)
            pd.testing.assert_series_equal(
                many.loc[width, same].astype(object), one[same].astype(object), check_names=False
            )


def test_chances_of_unknown_floor_areas_are_unknown():
    line = LINES["宽"]
    none = pg.redline.position_uncertainty(building_frame(HOUSES), line, sigma_m=1.0).totals
    assert none["demolish_floor_area_m2"].isna().all()
    assert none["n_unknown"].tolist() == [2, 2, 2]
    some = building_frame(HOUSES, floor_area_m2=[100.0, np.nan])
    found = pg.redline.position_uncertainty(some, line, sigma_m=1.0).totals
    assert found["demolish_floor_area_m2"].tolist() == pytest.approx([100, 100, 100])
    assert found["n_unknown"].tolist() == [1, 1, 1]


def test_map_and_ledger_say_unknown(tmp_path):
    found = compared()
    hit = found.schemes["宽"].affected
    pg.command_map(hit, LINES, RIVER, comparison=found).save(tmp_path / "m.html")
    page = (tmp_path / "m.html").read_text("utf-8")
    page += json.loads(f'"{page}"') if page.isascii() else ""
    assert "拆除建筑面积不详" in page or "\\u62c6\\u9664\\u5efa\\u7b51\\u9762\\u79ef\\u4e0d" in page
    pg.write_ledger(hit, tmp_path / "l.xlsx", comparison=found)
    sheet = openpyxl.load_workbook(tmp_path / "l.xlsx")["汇总"]
    rows = [[c.value for c in row] for row in sheet.iter_rows()]
    at = next(k for k, row in enumerate(rows) if "拆除建筑面积 (m²)" in row)
    assert rows[at + 1][rows[at].index("拆除建筑面积 (m²)")] == "不详"
    assert rows[at + 1][rows[at].index("租户数 (户)")] == "不详"


def test_the_sum_below_a_column_with_blanks_says_that_it_is_of_the_known(tmp_path):
    houses = building_frame(HOUSES, floor_area_m2=[100.0, np.nan])
    pg.write_ledger(pg.affected(houses, LINES["宽"], RIVER), tmp_path / "l.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "l.xlsx")["征拆台账"]
    at = next(c.column for c in sheet[3] if c.value == "拆除建筑面积 (m²)")
    row = next(c.row for c in sheet["A"] if c.value == "合计")
    assert "已知" in sheet.cell(row, at).number_format
    inside = next(c.column for c in sheet[3] if str(c.value).startswith("红线内面积"))
    assert "已知" not in sheet.cell(row, inside).number_format


def test_no_storeys_are_unknown_and_no_area_is_below_nothing():
    """Houses of 0 floors were 0 m² "estimated"; an area of -5 m² was subtracted from the sum."""
    rivers = river_frame({"A": [(0, 0), (100, 0)]})
    shapes = {k: shapely.box(10 + 20 * n, -5, 20 + 20 * n, 5) for n, k in enumerate("abc")}
    houses = building_frame(shapes, floors=[0, 2, 0], floor_area_m2=[np.nan, np.nan, 50.0])
    with pytest.warns(UserWarning, match="1 of 3 buildings is estimated"):
        hit = pg.affected(houses, pg.red_line(rivers, 10.0), rivers)
    assert hit["demolish_floor_area_m2"].fillna(-1).tolist() == [-1, 200, 50]
    sums = pg.totals(hit)
    assert sums["n_unknown"].tolist() == [1]
    assert sums["demolish_floor_area_m2"].tolist() == [250]
    bad = houses.assign(floor_area_m2=[np.nan, -5.0, 50.0])
    with pytest.raises(pg.errors.LayerError, match=r"below 0 \(1: b\)") as said:
        pg.affected(bad, pg.red_line(rivers, 10.0), rivers)
    names = {"buildings": bad}
    exec(said.value.hint.partition(": ")[2], {}, names)  # noqa: S102 - the cure is typed as it stands
    assert names["buildings"]["floor_area_m2"].isna().tolist() == [True, True, False]
