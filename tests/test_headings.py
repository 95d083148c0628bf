"""Tables as offices write them: headings, units, merged cells, datums; by hand, each kind."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from openpyxl import Workbook, load_workbook

import pinghu_geo as pg
from pinghu_geo.nouns.kinds import NOUNS
from pinghu_geo.nouns.units import unit_of


def csv(folder, text, name="t.csv", encoding="utf-8"):
    (folder / name).write_text(text, encoding)
    return folder / name


def xlsx(folder, rows, merges=(), name="t.xlsx", more=()):
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    for one in merges:
        sheet.merge_cells(one)
    for title, other in more:
        extra = book.create_sheet(title)
        for row in other:
            extra.append(row)
    book.save(folder / name)
    return folder / name


@pytest.mark.parametrize("end", [",", ",,", ", ", ""])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_commas_at_the_end_of_rows_shift_nothing(tmp_path, end, delimiter):
    text = f"河道,桩号,起点距,高程\nR,1+200,0,4{end}\nR,1+200,2,1\n".replace(",", delimiter)
    found = pg.read_table(csv(tmp_path, text), "sections")
    assert found.to_dict("list") == {
        "river": ["R", "R"], "chainage_m": [1200.0] * 2, "offset_m": [0.0, 2.0],
        "elevation_m": [4.0, 1.0],
    }  # fmt: skip
    assert found.index.tolist() == [2, 3]


def test_cells_beyond_the_heading_are_refused_by_row(tmp_path):
    text = "河道,流量\nR,12\nR,12,5\nR,7\n"
    with pytest.raises(pg.errors.LayerError, match=r"more cells than the heading .* \(1: 3\)"):
        pg.read_table(csv(tmp_path, text), "flows")


def test_rows_keep_their_numbers_past_blank_ones(tmp_path):
    found = pg.read_table(csv(tmp_path, "河道,流量\n\nR,12\n,\nS,13\n"), "flows")
    assert found.index.tolist() == [3, 5]


FLOWS = [["河道", "桩号", "流量", "频率"], ["A", 0, 110, "P=2%"], [None, 0, 80, "P=5%"],
         ["B", 0, 50, "P=2%"], [None, 0, 40, "P=5%"]]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "rows", "merges", "column", "wanted"),
    [
        ("flows", FLOWS, ["A2:A3", "A4:A5"], "river", ["A", "A", "B", "B"]),
        ("rates", [["用途", "结构", "房屋补偿单价"], ["住宅", "框架", 5000], [None, "砖混", 4000]],
         ["A2:A3"], "use", ["residential"] * 2),
        ("widths", [["河道", "桩号", "左宽", "右宽"], ["A", 0, 5, None], ["A", 100, 6, 7]],
         ["C2:D2"], "right_m", [5.0, 7.0]),
        ("segments", [["河道", "起点桩号", "终点桩号", "责任组"], ["A", 0, 9, "一组"],
                      ["A", 9, 12, None]], ["D2:D3"], "group", ["一组", "一组"]),
    ],
)  # fmt: skip
def test_a_merged_cell_speaks_for_what_it_covers(tmp_path, what, rows, merges, column, wanted):
    assert pg.read_table(xlsx(tmp_path, rows, merges), what)[column].tolist() == wanted


@pytest.mark.parametrize("column", ["建筑面积", "租户数"])
def test_a_merged_quantity_is_not_counted_twice(tmp_path, column):
    rows = [["房屋编号", column], ["H1", 300], ["H2", None]]
    with pytest.raises(pg.errors.LayerError, match=r"one merged .* for several rows.*\(2: 2, 3\)"):
        pg.read_table(xlsx(tmp_path, rows, ["B2:B3"]), "ledger")


def test_a_blank_river_among_named_ones_is_a_question(tmp_path):
    with pytest.raises(pg.errors.LayerError, match=r"rows without a river .* \(1: 3\)"):
        pg.read_table(csv(tmp_path, "河道,流量\nA,12\n,13\n"), "flows")
    assert len(pg.read_table(csv(tmp_path, "河道,流量\n,12\n"), "flows")) == 1  # speaks of all
    made = pd.DataFrame({"river": [None], "chainage_m": [0.0], "bed_level_m": [1.0],
                         "bank_level_m": [4.0], "left_m": [8.0], "right_m": [8.0], "n": [0.03]})  # fmt: skip
    with pytest.raises(pg.PinghuError, match="without a river"):
        pg.water_profile(pg.design_sections(made), 5.0, {"slope": 0.001})


def test_titles_units_second_headings_and_notes(tmp_path):
    rows = [
        ["君子布河设计水面线计算流量表"], ["单位:L/s"],
        ["河道", "桩号", "流量", "频率"],
        ["A", "K0+000", 110, "P=2%"], ["河道", "桩号", "流量", "频率"],
        ["A", "K0+100", 220, "P=2%"], ["合计", None, 330], ["注:本表流量为天然流量"],
    ]  # fmt: skip
    path = xlsx(tmp_path, rows, ["A1:D1"])
    found = pg.read_table(path, "flows")
    assert found["discharge_m3s"].tolist() == [0.11, 0.22]
    assert found.index.tolist() == [4, 6]
    seen = pg.check(path, "flows", lang="en")
    assert {"rows_left_out", "unit_converted"} <= set(seen["fault"])
    assert set(seen.loc[seen["fault"] == "rows_left_out", "id"]) == {"1", "2", "5", "7", "8"}


def test_headings_of_two_rows_and_a_row_of_units(tmp_path):
    rows = [
        ["河道", "桩号", "红线宽度", None], [None, None, "左岸", "右岸"], [None, "m", "dm", "m"],
        ["A", "1+000", 50, 6],
    ]  # fmt: skip
    found = pg.read_table(xlsx(tmp_path, rows, ["A1:A2", "B1:B2", "C1:D1"]), "widths")
    assert found.to_dict("list") == {
        "river": ["A"], "chainage_m": [1000.0], "left_m": [5.0], "right_m": [6.0]
    }  # fmt: skip


def test_a_river_named_in_the_title_fills_its_column(tmp_path):
    text = "河道名称:君子布河,,\n桩号,左宽,右宽\nK0+000,5,6\n"
    assert pg.read_table(csv(tmp_path, text), "widths")["river"].tolist() == ["君子布河"]


def test_a_second_table_on_a_sheet_is_refused_by_row(tmp_path):
    rows = [
        ["河道", "桩号", "左宽", "右宽"],
        ["A", 0, 5, 6],
        [],
        ["河道", "桩号", "流量"],
        ["A", 0, 9],
    ]
    with pytest.raises(pg.errors.LayerError, match="second table that begins in row 4"):
        pg.read_table(xlsx(tmp_path, rows), "widths")


WIDE = [["桩号", "左宽", "右宽"], ["K0+000", 5, 6], ["K0+100", 7, 8]]
NAMED = [["河道", *WIDE[0]], *(["A", *row] for row in WIDE[1:])]
OTHER = [NAMED[0], *(["B", *row[1:]] for row in NAMED[1:])]


@pytest.mark.parametrize(
    "around",
    [
        [],
        [("说明", [["填表说明"], ["一、桩号按设计"]]), ("空", [])],
        [("流量", [["河道", "流量"], ["A", 9]])],
    ],
)
def test_a_sheet_a_river_is_one_table(tmp_path, around):
    want = {"river": ["A", "A", "B", "B"], "chainage_m": [0.0, 100, 0, 100],
            "left_m": [5.0, 7, 5, 7], "right_m": [6.0, 8, 6, 8]}  # fmt: skip
    said = xlsx(tmp_path, NAMED, more=[("二", OTHER), *around])
    found = pg.read_table(said, "widths")
    assert found[list(want)].to_dict("list") == want
    assert found.index.tolist() == ["Sheet!2", "Sheet!3", "二!2", "二!3"]
    assert "Sheet, 二" in pg.check(said, "widths", lang="en").set_index("fault").loc[
        "sheets_joined", "problem"
    ]  # fmt: skip
    # no column says which river: the sheets' names do, whatever stands before them
    book = Workbook()
    book.active.title = "封面"
    book.active.append(["某河道红线宽度"])
    for name in "AB":
        sheet = book.create_sheet(name)
        for row in WIDE:
            sheet.append(row)
    for title, rows in around:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "named.xlsx")
    found = pg.read_table(tmp_path / "named.xlsx", "widths")
    assert found[list(want)].to_dict("list") == want
    one = pg.read_table(tmp_path / "named.xlsx", "widths", sheet="B")
    assert one["left_m"].tolist() == [5.0, 7.0]


def test_each_sheet_has_its_own_units(tmp_path):
    first = [["河道", "流量(L/s)"], ["A", 110]]
    second = [["河道", "流量(m³/h)"], ["B", 3600]]
    found = pg.read_table(xlsx(tmp_path, first, more=[("二", second)]), "flows")
    assert found["discharge_m3s"].tolist() == pytest.approx([0.11, 1.0])


@pytest.mark.parametrize(
    ("rows", "more", "match"),
    [
        (NAMED, [("备份", NAMED)], "the same 河道.*which is meant .*Sheet, 备份"),
        (NAMED, [("优化方案", [*NAMED[:2], ["A", "K0+100", 3, 3]])], "which is meant"),
        (NAMED, [("(2)", OTHER), ("旧", [NAMED[0], NAMED[2]])], "which is meant .*Sheet, 旧"),
        (WIDE, [("Sheet2", WIDE)], r"no river, and their names are none \(2: Sheet, Sheet2\)"),
        (WIDE, [("表2 (2)", WIDE)], "no river"),
    ],
)
def test_sheets_that_speak_of_the_same_are_a_question(tmp_path, rows, more, match):
    path = xlsx(tmp_path, rows, more=more)
    with pytest.raises(pg.errors.LayerError, match=match):
        pg.read_table(path, "widths")
    assert len(pg.read_table(path, "widths", sheet=0)) == 2
    assert len(pg.read_table(path, "widths", sheet=more[0][0])) == len(more[0][1]) - 1


def test_hidden_sheets_are_not_read(tmp_path):
    path = xlsx(tmp_path, NAMED, more=[("旧", NAMED), ("二", OTHER)])
    book = load_workbook(path)
    book["旧"].sheet_state = "hidden"
    book.save(path)
    assert pg.read_table(path, "widths")["river"].tolist() == ["A", "A", "B", "B"]
    book["二"].sheet_state = "veryHidden"
    book.save(path)
    assert pg.read_table(path, "widths")["river"].tolist() == ["A", "A"]
    assert pg.read_table(path, "widths", sheet="旧")["river"].tolist() == ["A", "A"]


@pytest.mark.parametrize(
    ("what", "heading", "cell", "column", "wanted"),
    [
        ("boundaries", "坡降(‰)", "2.2", "slope", 0.0022),
        ("boundaries", "比降(1/10000)", "22", "slope", 0.0022),
        ("boundaries", "坡降", "2.2‰", "slope", 0.0022),
        ("boundaries", "坡降", "1/455", "slope", 1 / 455),
        ("boundaries", "坡降", "1:455", "slope", 1 / 455),
        ("boundaries", "坡降", "0.22%", "slope", 0.0022),
        ("boundaries", "比降(1/n)", "455", "slope", 1 / 455),
        ("boundaries", "比降(万分之)", "22", "slope", 0.0022),
        ("boundaries", "比降(×10⁻³)", "2.2", "slope", 0.0022),
        ("boundaries", "比降", "１／455", "slope", 1 / 455),
        ("flows", "流量(Q)", "110", "discharge_m3s", 110.0),
        ("flows", "流量(P=2%)", "110", "discharge_m3s", 110.0),
        ("boundaries", "水位", "43.5m", "level_m", 43.5),
        ("boundaries", "水位", "4350cm", "level_m", 43.5),
        ("flows", "流量(L/s)", "110", "discharge_m3s", 0.11),
        ("flows", "流量(m³/h)", "3600", "discharge_m3s", 1.0),
        ("flows", "流量/(m³·s⁻¹)", "7", "discharge_m3s", 7.0),
        ("flows", "流量 [万m3/d]", "8.64", "discharge_m3s", 1.0),
        ("flows", "流量", "110 L/s", "discharge_m3s", 0.11),
        ("flows", "流量", '"12,5"', "discharge_m3s", 12.5),
        ("flows", "里程(km),流量", "1.2,3", "chainage_m", 1200.0),
        ("flows", "里程(km),流量", "K1+200,3", "chainage_m", 1200.0),
        ("flows", "里程km,流量", "1.2,3", "chainage_m", 1200.0),
        ("flows", "里程(km),流量", "1200m,3", "chainage_m", 1200.0),
        ("sections", "糙率(1/n)", "40", "n", 0.025),
        ("sections", "高程/m", "40", "elevation_m", 40.0),
        ("sections", "高程(cm)", "4000", "elevation_m", 40.0),
        ("rates", "房屋补偿单价(万元/m²)", "0.45", "building_yuan_m2", 4500.0),
        ("rates", "房屋补偿单价(万元/亩)", "300", "building_yuan_m2", 4500.0),
        ("rates", "房屋补偿单价(元/平方米)", "4500", "building_yuan_m2", 4500.0),
        ("rates", "房屋补偿单价(万/㎡)", "0.45", "building_yuan_m2", 4500.0),
        ("rates", "房屋补偿单价(元每平方米)", "4500", "building_yuan_m2", 4500.0),
        ("boundaries", "坡降(1e-4)", "22", "slope", 0.0022),
        ("boundaries", "坡降(E-3)", "2.2", "slope", 0.0022),
        ("sections", "高程(H/m)", "40", "elevation_m", 40.0),
        ("sections", "起点距(L/km)", "0.04", "offset_m", 40.0),
        ("flows", "流量（升每秒）", "110", "discharge_m3s", 0.11),
        ("ledger", "建筑面积(亩)", "3", "floor_area_m2", 2000.0),
        ("ledger", "建筑面积(含阳台)", "3", "floor_area_m2", 3.0),
    ],
)
def test_units_of_headings_and_cells(tmp_path, what, heading, cell, column, wanted):
    text = f"河道,{heading}\nR,{cell}\n" if what != "rates" else f"{heading}\n{cell}\n"
    found = pg.read_table(csv(tmp_path, text), what)[column].tolist()
    assert found == pytest.approx([wanted], rel=1e-12)


@pytest.mark.parametrize(
    ("what", "heading"),
    [
        ("rates", "搬迁费单价(元/户)"), ("rates", "搬迁费单价(元/人·月)"), ("rates", "房屋补偿单价(万元)"),
        ("flows", "流量(m)"), ("sections", "高程(m3/s)"), ("ledger", "建筑面积(元)"),
        ("rates", "房屋补偿单价(港元)"), ("flows", "流量(亿m3)"), ("flows", "流量(万m³/年)"),
        ("sections", "高程(丈)"), ("sections", "起点距(百米)"), ("ledger", "建筑面积(平方尺)"),
        ("flows", "桩号(华里),流量"), ("ledger", "建筑面积(sqft)"), ("boundaries", "比降(10-6)"),
        ("flows", "流量(m3/s/km2)"), ("flows", "流量(10m3/s)"), ("flows", "流量(x10)"),
        ("rates", "房屋补偿单价(角/m2)"), ("rates", "房屋补偿单价(元/平方米·年)"), ("boundaries", "坡降(1e-6)"),
    ],
)  # fmt: skip
def test_a_unit_of_something_else_is_refused(tmp_path, what, heading):
    with pytest.raises(pg.errors.LayerError, match="is in"):
        pg.read_table(csv(tmp_path, f"河道,{heading}\nR,3\n"), what)


@pytest.mark.parametrize(
    ("heading", "code"),
    [
        ("高程(珠江基面)", "pearl_river"), ("高程(m,珠江高程)", "pearl_river"),
        ("1985高程", "cnhd_1985"), ("高程(85国家高程基准)", "cnhd_1985"),
        ("高程(1956黄海)", "yellow_sea_1956"), ("黄海高程", "yellow_sea_1956"),
        ("高程(1985黄海高程)", "cnhd_1985"), ("吴淞高程", "wusong"), ("高程(85)", "cnhd_1985"),
        ("高程(56)", "yellow_sea_1956"),
    ],
)  # fmt: skip
def test_the_height_system_of_a_heading_is_kept(tmp_path, heading, code):
    text = f"河道,桩号,起点距,{heading}\nR,0,-2,4\nR,0,2,4\n".replace("m,", "m;")
    path = csv(tmp_path, text)
    found = pg.read_table(path, "sections")
    assert found["datum"].tolist() == [code] * 2
    assert found["elevation_m"].tolist() == [4.0] * 2
    assert "datum_stated" in set(pg.check(path, "sections")["fault"])


def test_height_systems_must_agree_in_a_run(tmp_path):
    title = "高程系统:珠江基面,,,,\n河道,桩号,起点距,高程,糙率\n"
    points = "".join(
        f"R,{c},{x},{z},0.03\n" for c in (0, 100) for x, z in ((-9, 5), (0, 1), (9, 5))
    )
    sections = pg.read_table(csv(tmp_path, title + points), "sections")
    assert set(sections["datum"]) == {"pearl_river"}
    for heading in ("水位(1985)", "水位(1956年黄海高程系)"):
        level = pg.read_table(csv(tmp_path, f"河道,{heading}\nR,3\n", "b.csv"), "boundaries")
        with pytest.raises(pg.errors.LayerError, match="珠江基面"):
            pg.water_profile(sections, 20.0, level)
    for heading in ("水位(珠江基面)", "水位"):
        level = pg.read_table(csv(tmp_path, f"河道,{heading}\nR,3\n", "b.csv"), "boundaries")
        assert len(pg.water_profile(sections, 20.0, level)) == 2


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("sections", "河道,桩号,起点距,高程(1956黄海),高程(1985)\nR,0,0,4.029,4.0\n"),
        ("flows", "河道,流量(P=1%),流量(P=2%)\nR,12,9\n"),
        ("flows", "河道,流量(m3/s),流量(L/s)\nR,12,9\n"),
        ("widths", "河道,桩号,左宽(现状),左宽(规划),右宽\nR,0,5,6,7\n"),
    ],
)
def test_two_columns_for_one_meaning_are_a_question(tmp_path, what, text):
    path = csv(tmp_path, text)
    with pytest.raises(pg.errors.LayerError, match="two columns for .*which is meant") as error:
        pg.read_table(path, what)
    hint = error.value.hint.replace("...", "path, what")
    assert len(eval(hint, {"pg": pg, "path": path, "what": what})) == 1


def test_two_columns_that_say_the_same_are_none(tmp_path):
    text = "河道,流量(m3/s),流量(L/s)\nR,12,12000\n"
    assert pg.read_table(csv(tmp_path, text), "flows")["discharge_m3s"].tolist() == [12.0]


def test_the_prefix_of_a_line_is_kept_and_lines_are_not_mixed(tmp_path):
    found = pg.read_table(
        csv(tmp_path, "河道,桩号,左宽,右宽\nR,DK1+000,5,6\nR,dk1+050,5,6\n"), "widths"
    )
    assert found["chainage_m"].tolist() == [1000.0, 1050.0]
    assert found["line"].tolist() == ["DK", "DK"]
    two = "河道,桩号,左宽,右宽\nR,左K1+000,5,6\nS,右K1+050,5,6\n"
    assert pg.read_table(csv(tmp_path, two), "widths")["line"].tolist() == ["左K", "右K"]
    with pytest.raises(pg.errors.ChainageError, match=r"several lines .* \(2: 2, 3\)"):
        pg.read_table(csv(tmp_path, two.replace("S,", "R,")), "widths")
    plain = "河道,桩号,左宽,右宽\nR,K1+000,5,6\nR,1050,5,6\n"
    assert "line" not in pg.read_table(csv(tmp_path, plain), "widths")


@pytest.mark.parametrize(
    ("prefix", "line"),
    [("DK", "DK"), ("AK", "AK"), ("ZK", "ZK"), ("CK", "CK"), ("左K", "左K"), ("右K", "右K"), ("ＤＫ", "DK"),
     ("dk", "DK"), ("YK", "YK")],
)  # fmt: skip
def test_any_prefix_is_kept_as_the_line(tmp_path, prefix, line):
    text = f"河道,桩号,左宽,右宽\nR,{prefix}1+200,5,6\nR,{prefix}1＋300.5,5,6\n"
    found = pg.read_table(csv(tmp_path, text), "widths")
    assert found["chainage_m"].tolist() == [1200.0, 1300.5]
    assert found["line"].tolist() == [line] * 2


@pytest.mark.parametrize(
    "cell", ["K1+20", "1+1200", "K1-200", "K1+200~K1+300", "1K+200", "K1+200左"]
)
def test_what_is_no_chainage_is_refused_by_row(tmp_path, cell):
    with pytest.raises(pg.errors.ChainageError, match=r"no chainage .* \(1: 2"):
        pg.read_table(csv(tmp_path, f"河道,桩号,左宽,右宽\nR,{cell},5,6\n"), "widths")


def test_a_row_of_texts_is_no_heading(tmp_path):
    found = pg.read_table(
        csv(tmp_path, "房屋编号,用途,权利人\nA-1,住宅,张三\nA-2,工业,李四\n"), "ledger"
    )
    assert found["owner"].tolist() == ["张三", "李四"]


def test_long_shapes_in_a_csv_are_read(tmp_path):
    ring = ", ".join(f"{513000 + 50 * np.cos(a):.6f} {2510000 + 50 * np.sin(a):.6f}"
                     for a in np.linspace(0, 2 * np.pi, 6000)[:-1])  # fmt: skip
    first = ring.split(",")[0]
    path = csv(tmp_path, f'房屋编号,层数,wkt\nH1,3,"POLYGON (({ring}, {first}))"\n')
    found = pg.read_layer(path, "buildings", crs=4547)
    assert found.area.iloc[0] == pytest.approx(np.pi * 2500, rel=1e-4)


def test_a_canal_with_different_tops_and_a_bed_width(tmp_path):
    text = (
        "河道,桩号,设计渠底高程,设计左堤顶高程,设计右堤顶高程,设计渠底宽度,边坡系数,糙率\n"
        "R,0+000,10,14,13,6,1.5,0.025\n"
    )
    made = pg.design_sections(pg.read_table(csv(tmp_path, text), "design"))
    # half the bed is 3 m wide; the left wall is 4 m high and stands back 6 m, the right one 4.5 m
    assert made["offset_m"].tolist() == [-9.0, -3.0, 3.0, 7.5]
    assert made["elevation_m"].tolist() == [14.0, 10.0, 10.0, 13.0]
    one = pd.DataFrame({"river": "R", "chainage_m": [0.0], "bed_level_m": [10.0],
                        "bank_level_m": [13.0], "left_top_m": [14.0], "left_m": [9.0],
                        "right_m": [7.5], "side_slope": [1.5], "n": [0.025]})  # fmt: skip
    pd.testing.assert_frame_equal(pg.design_sections(one), made)
    for lost, match in (("bank_level_m", "right_top_m|bank_level_m"), ("left_m", "left_m")):
        with pytest.raises(pg.errors.LayerError, match=f"lacks the column '({match})'"):
            pg.design_sections(one.drop(columns=lost))
    with pytest.raises(pg.PinghuError, match="without a bed between their walls"):
        pg.design_sections(one.assign(left_top_m=9.0))


@pytest.mark.parametrize(
    ("heading", "column"),
    [("流量Q(m³/s)", "discharge_m3s"), ("流量 Q", "discharge_m3s"), ("洪峰流量Qm (m3/s)", ""),
     ("Q(m3/s)", "discharge_m3s"), ("Qp (m³/s)", "discharge_m3s"), ("糙率n", "n"),
     ("高程H(m)", "elevation_m"), ("起点距L", "offset_m"), ("高程z1", "elevation_m")],
)  # fmt: skip
def test_the_letter_of_a_formula_behind_a_name(tmp_path, heading, column):
    what = "flows" if "流量" in heading or heading[0] == "Q" else "sections"
    found = pg.read_table(csv(tmp_path, f"河道,桩号,{heading}\nR,0,3\n"), what)
    assert column == "" or found[column].tolist() == [3.0]


def test_floods_side_by_side_under_one_heading_are_no_first_column(tmp_path):
    rows = [["河道", "桩号", "设计流量(m³/s)", None], [None, None, "P=1%", "P=2%"], ["R", 0, 12, 9]]
    found = pg.read_table(xlsx(tmp_path, rows, ["A1:A2", "B1:B2", "C1:D1"]), "flows")
    assert "discharge_m3s" not in found
    with pytest.raises(pg.PinghuError, match="discharge_m3s"):
        pg.water_profile(WALLS, found, {"slope": 0.001})


WALLS = pd.DataFrame({"river": "R", "chainage_m": np.repeat([0.0, 100.0], 4),
                      "offset_m": [-9.0, -9, 9, 9] * 2, "elevation_m": [5.0, 0, 0, 5] * 2, "n": 0.03})  # fmt: skip


def test_a_note_full_of_other_signs_is_no_delimiter(tmp_path):
    text = "河道,流量\nR,12\nS,13\n,\n备注:甲|乙|丙|丁;戊;己,\n"
    assert pg.read_table(csv(tmp_path, text), "flows")["discharge_m3s"].tolist() == [12.0, 13.0]


def test_an_empty_file_is_said(tmp_path):
    for path in (csv(tmp_path, ""), csv(tmp_path, "\n ,\n"), xlsx(tmp_path, [])):
        with pytest.raises(pg.errors.LayerError, match=f"{path.name} is empty"):
            pg.read_table(path, "flows")
    assert pg.read_table(csv(tmp_path, "河道,流量\n"), "flows").empty


ABOVE = {
    "widths": ["河道,桩号,左岸宽,右岸宽", "A,K0+000,1000,1200", "left_m", 10.0],
    "flows": ["河道,桩号,流量", "A,K0+000,1000", "discharge_m3s", 1.0],
    "sections": ["河道,桩号,起点距,高程,糙率", "A,K0+000,1000,1200,0.03", "offset_m", 10.0],
}


@pytest.mark.parametrize(
    ("what", "line"),
    [("widths", "单位:cm"), ("flows", "单位:m、L/s"), ("sections", "单位：厘米；升/秒")],
)
@pytest.mark.parametrize("place", [0, 1, 2])  # above, under the heading, at the end
def test_a_unit_that_stands_anywhere_speaks_for_the_table(tmp_path, what, line, place):
    heading, row, column, wanted = ABOVE[what]
    rows = [heading, row]
    rows.insert(place, line)
    assert pg.read_table(csv(tmp_path, "\n".join(rows)), what)[column].tolist() == [wanted]


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("flows", "单位:km\n河道,桩号,流量\nA,1.2,3"),
        ("widths", "单位:cm\n河道,桩号,左岸宽,右岸宽\nA,100,1000,1200"),
        ("rates", "单位:万元\n用途,房屋补偿单价\nresidential,0.8"),
        ("rates", "补偿标准(单位:千元)\n用途,房屋补偿单价\nresidential,8"),
        ("widths", "单位:丈\n河道,桩号,左岸宽,右岸宽\nA,K0+100,3,4"),
    ],
)
def test_a_unit_above_a_table_that_may_mean_two_things_is_a_question(tmp_path, what, text):
    with pytest.raises(pg.errors.LayerError, match="for the whole table; whether"):
        pg.read_table(csv(tmp_path, text), what)
    # what has nothing to do with numbers is no unit
    said = "\n".join(["编制单位:水务局", *text.split("\n")[1:]])
    assert len(pg.read_table(csv(tmp_path, said), what)) == 1


@pytest.mark.parametrize(
    ("what", "heading", "row"),
    [
        ("flows", "河道,桩号,流量,单位", "A,K0+100,60000,L/s"),
        ("widths", "河道,桩号,左岸宽,右岸宽,计量单位", "A,K0+100,1000,1000,cm"),
        ("rates", "用途,房屋补偿单价,单位", "residential,0.8,万元/㎡"),
    ],
)
def test_a_column_of_units_is_heard(tmp_path, what, heading, row):
    with pytest.raises(pg.errors.LayerError, match=r"has a column .*单位 that says .* \(1: 2\)"):
        pg.read_table(csv(tmp_path, f"{heading}\n{row}\n"), what)
    own = {"flows": "m³/s", "widths": "米", "rates": "元/㎡"}[what]
    fine = ",".join([*row.split(",")[:-1], own])
    assert len(pg.read_table(csv(tmp_path, f"{heading}\n{fine}\n"), what)) == 1


def test_units_in_brackets_below_the_heading(tmp_path):
    rows = [["A河蓝线宽度", None, None], ["单位:m"], ["桩号", "左岸宽", "右岸宽"],
            [None, "(cm)", "（厘米）"], ["K0+000", 1000, 1200]]  # fmt: skip
    found = pg.read_table(xlsx(tmp_path, rows), "widths")
    assert found[["left_m", "right_m"]].to_numpy().tolist() == [[10.0, 12.0]]


@pytest.mark.parametrize("last", ["平均,,10,12", "最大值,,10,12", "均值,,10,12", "合 计,,10,12"])
def test_sums_and_means_below_are_no_rivers(tmp_path, last):
    text = f"河道,桩号,左岸宽,右岸宽\nA,K0+000,10,12\n{last}\n"
    assert pg.read_table(csv(tmp_path, text), "widths")["river"].tolist() == ["A"]


@pytest.mark.parametrize(
    "note", ["注:高程为珠江基面", "说明：本表采用珠江高程", "备注1:高程系统为珠基"]
)
def test_the_height_system_of_a_note_is_kept(tmp_path, note):
    text = f"河道,桩号,起点距,高程,糙率\nA,K0+000,0,5,0.03\n{note}\n"
    assert pg.read_table(csv(tmp_path, text), "sections")["datum"].tolist() == ["pearl_river"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('用途,房屋补偿单价\n住宅,5000\n"商业,8000\n工业,3000\n', "from line 3 on is never closed"),
        ('用途,房屋补偿单价\n住宅,"5000\n商业,8000\n', "from line 2 on is never closed"),
        (
            '用途,房屋补偿单价,备注\n住宅,1,"a\n商业,2,b"c\n工业,3,d\n',
            "from line 2 on goes on behind",
        ),
        ('用途;房屋补偿单价;备注\n住宅;1;"6" 管"\n商业;2;b\n', "from line 2 on goes on behind"),
        ('"用途\n住宅,5000\n', "from line 1 on is never closed"),
        (
            "用途,房屋补偿单价\n住宅,5000\n" + '商业,"' + "8" * 200_000 + "\n工业,3\n",
            "never closed",
        ),
        (
            "用途,备注,房屋补偿单价\n住宅," + '"' + "长\n" * 90_000 + '",3\n',
            "line 2 on is never closed",
        ),
    ],
)
def test_a_quotation_mark_that_swallows_rows_is_refused_with_its_line(tmp_path, text, said):
    path = tmp_path / "标准.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(pg.errors.LayerError, match=said):
        pg.read_table(path, "rates")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_quotation_marks_and_line_ends_that_are_meant_are_read(tmp_path, end):
    lines = ["用途,备注,房屋补偿单价", '住宅,"甲,""乙""",5000', '商业,6" 管,8000', f'工业,"一{end}二",3000',
             "办公,一\u2028二\x0b,4000"]  # fmt: skip
    path = tmp_path / "标准.csv"
    path.write_bytes(end.join(lines).encode())
    read = pg.read_table(path, "rates")
    assert read["building_yuan_m2"].tolist() == [5000, 8000, 3000, 4000]
    assert read["备注"].tolist() == ['甲,"乙"', '6" 管', f"一{end}二", "一\u2028二\x0b"]


WIDTHS = ["河道", "桩号", "左宽", "右宽"]
ONE, TWO = ["A", "K0+000", 5, 6], ["A", "K0+100", 7, 8]


@pytest.mark.parametrize("word", ["同上", "〃", "″", "同前", '"', "''"])
def test_what_says_ditto_is_what_stands_above(tmp_path, word):
    rows = [WIDTHS, ONE, [word, "K0+100", word, 8], [word, "K0+200", 9, word]]
    found = pg.read_table(xlsx(tmp_path, rows), "widths")
    assert found["river"].tolist() == ["A"] * 3
    assert found[["left_m", "right_m"]].to_numpy().tolist() == [[5, 6], [5, 8], [9, 8]]
    of_nothing = pg.read_table(xlsx(tmp_path, [WIDTHS, [word, *ONE[1:]]]), "widths")
    with pytest.raises(pg.errors.LayerError, match="names rivers"):
        pg.red_line(RIVER, of_nothing)


RIVER = gpd.GeoDataFrame(
    geometry=[shapely.LineString([(0, 0), (300, 0)])], index=pd.Index(["A"], name="river"), crs=4547
)


@pytest.mark.parametrize(
    "counts",
    [
        [1, 2, 3, 4], ["(1)", "(2)", "(3)", "(4)"], ["①", "②", "③", "④"], ["A", "B", "C", "D"],
        ["甲", "乙", 1, 2], ["甲", 1, 2, 3], ["（１）", "（２）", "（３）", "（４）"],
    ],
)  # fmt: skip
def test_a_row_that_counts_the_columns_is_no_row(tmp_path, counts):
    path = xlsx(tmp_path, [WIDTHS, counts, ONE, TWO])
    found = pg.read_table(path, "widths")
    assert found["left_m"].tolist() == [5.0, 7.0]
    seen = pg.check(path, "widths")
    assert set(seen.loc[seen["fault"] == "rows_left_out", "id"]) == {"2"}


@pytest.mark.parametrize(
    "rows", [[["1", "2", "3", "4"], ["2", "3", "4", "5"]], [["1", "2", "3", "5"]]]
)
def test_rows_of_small_numbers_are_rows(tmp_path, rows):
    found = pg.read_table(xlsx(tmp_path, [WIDTHS, *rows]), "widths")
    assert found["river"].tolist() == [row[0] for row in rows]


@pytest.mark.parametrize(
    "between",
    [
        [["续表"], WIDTHS], [["续上表 2"], WIDTHS], [["A河红线宽度(续)"], WIDTHS],
        [["续表 单位:m"], WIDTHS], [["(续表)单位:m"], WIDTHS],
    ],
)  # fmt: skip
def test_a_table_that_goes_on_is_one(tmp_path, between):
    found = pg.read_table(xlsx(tmp_path, [WIDTHS, ONE, *between, TWO]), "widths")
    assert found["river"].tolist() == ["A", "A"]


@pytest.mark.parametrize(
    "between",
    [
        [["续表 单位:cm"], WIDTHS], [["设计流量"]], [[], ["B河宽度"]], [[], ["河道:B"], WIDTHS],
        [["支流段"]], [["单位:cm"]],
    ],
)  # fmt: skip
def test_a_title_among_the_rows_is_a_question(tmp_path, between):
    path = xlsx(tmp_path, [WIDTHS, ONE, *between, TWO])
    with pytest.raises(pg.errors.LayerError, match="between its rows|of a single text"):
        pg.read_table(path, "widths")


@pytest.mark.parametrize(
    ("notes", "wanted"),
    [
        (["1、自中心线量起", "2、已扣除堤顶路"], 500.0), (["1. 宽度单位为厘米"], 5.0),
        (["(1)以厘米计"], 5.0), (["注:1.单位cm;2.自中心线"], 5.0), (["说明:宽度单位为厘米"], 5.0),
        (["注:宽度均以cm计。"], 5.0), (["注:单位为现场核定"], 500.0),
    ],
)  # fmt: skip
def test_numbered_notes_and_the_units_in_words(tmp_path, notes, wanted):
    rows = [WIDTHS, ["A", "K0+000", 500, 600], *([n] for n in notes)]
    found = pg.read_table(xlsx(tmp_path, rows), "widths")
    assert found["left_m"].tolist() == [wanted]


@pytest.mark.parametrize("last", ["总长", "全长(m)", "共计", "总长度"])
def test_a_length_in_all_is_no_river(tmp_path, last):
    found = pg.read_table(xlsx(tmp_path, [WIDTHS, ONE, [last, 1200]]), "widths")
    assert found["river"].tolist() == ["A"]
    named = pg.read_table(xlsx(tmp_path, [WIDTHS, ["总干渠", *ONE[1:]]]), "widths")
    assert named["river"].tolist() == ["总干渠"]


@pytest.mark.parametrize("cell", ["=2+3", "=SUM(D2:D3)", '=IF(D2>1,"5","")'])
def test_a_formula_that_nothing_has_computed_is_no_blank(tmp_path, cell):
    path = xlsx(tmp_path, [WIDTHS, ["A", "K0+000", cell, 6], TWO, ["合计", None, "=SUM(C2:C3)"]])
    found = pg.read_table(path, "widths")
    assert found["left_m"].tolist() == [cell, 7.0]
    with pytest.raises(pg.errors.LayerError, match=r"left_m"):
        pg.red_line(RIVER, found)


def test_two_units_for_one_measure_are_a_question(tmp_path):
    rows = [["单位:m"], WIDTHS, ONE, ["注:单位为厘米"]]
    with pytest.raises(pg.errors.LayerError, match="for the whole table; whether"):
        pg.read_table(xlsx(tmp_path, rows), "widths")


# --- the kinds that were read wrong, each in further clothes -----------------------------------


@pytest.mark.parametrize("end", [",", ",,", ", ,"])
@pytest.mark.parametrize(
    ("what", "text", "last", "wanted"),
    [
        ("design", "河道,桩号,设计河底高程,岸顶高程,左宽,右宽,糙率,岸壁糙率\nR,0,1,4,8,8,0.03,0.02", "n_wall",
         0.02),
        ("widths", "河道,桩号,左宽,右宽\nR,0,5,6", "right_m", 6.0),
        ("flows", "河道,流量,频率\nR,12,P=2%", "profile", "P=2%"),
        ("rates", "用途,结构,房屋补偿单价,搬迁费单价\n住宅,框架,5000,20", "relocation_yuan_m2", 20.0),
        ("segments", "河道,起点桩号,终点桩号,责任组,岸别\nR,0,9,一组,左岸", "bank", "left"),
        ("ledger", "房屋编号,建筑面积,租户数\nH1,300,4", "tenants", 4.0),
    ],
)  # fmt: skip
def test_commas_behind_an_optional_last_column_leave_it(tmp_path, what, text, last, wanted, end):
    neat = pg.read_table(csv(tmp_path, f"{text}\n"), what)
    assert neat[last].tolist() == [wanted]
    found = pg.read_table(csv(tmp_path, f"{text}{end}\n"), what)
    pd.testing.assert_frame_equal(found, neat)


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ('"12,5"', 12.5), ('"0,5"', 0.5), ('"12,50"', 12.5), ('"12，5"', 12.5), ("12．5", 12.5),
        ('"1.234,5"', 1234.5), ('"1,234.5"', 1234.5), ('"8,000"', 8000.0), ('"1 234"', 1234.0),
    ],
)  # fmt: skip
def test_a_comma_in_a_number_parts_what_it_parts(tmp_path, cell, wanted):
    found = pg.read_table(csv(tmp_path, f"河道,流量\nR,{cell}\n"), "flows")
    assert found["discharge_m3s"].tolist() == [wanted]


@pytest.mark.parametrize("cell", ['"1,2,0"', '"12,5,"', '"1.2.3"', '"12,5 13"'])
def test_a_number_that_is_none_is_no_other_number(tmp_path, cell):
    found = pg.read_table(csv(tmp_path, f"河道,流量\nR,{cell}\n"), "flows")
    with pytest.raises(pg.errors.LayerError, match="discharge_m3s"):
        pg.water_profile(WALLS, found, {"slope": 0.001})


@pytest.mark.parametrize(
    "heading", ["糙率(1/n)", "糙率n(1/n)", "糙率[1/n]", "糙率（1／n）", "糙率 (1/n)"]
)
@pytest.mark.parametrize("what", ["sections", "design"])
def test_a_roughness_turned_over_is_turned_back(tmp_path, heading, what):
    if what == "sections":
        text = f"河道,桩号,起点距,高程,{heading}\nR,0,0,4,40\n"
    else:
        text = f"河道,桩号,设计河底高程,岸顶高程,左宽,右宽,{heading},岸壁糙率(1/n)\nR,0,1,4,8,8,40,50\n"
    found = pg.read_table(csv(tmp_path, text), what)
    assert found["n"].tolist() == pytest.approx([1 / 40], rel=1e-12)
    assert what == "sections" or found["n_wall"].tolist() == pytest.approx([1 / 50], rel=1e-12)


@pytest.mark.parametrize(
    "cell", ["43.5m", "43.5米", "43.5 m", "４３．５ｍ", "43500mm", "435dm", "0.0435km"]
)
def test_a_level_with_its_unit_is_that_level(tmp_path, cell):
    path = csv(tmp_path, f"河道,水位\nR,{cell}\n")
    low = WALLS.assign(elevation_m=WALLS["elevation_m"] + 40)
    levels = pg.water_profile(low, 20.0, pg.read_table(path, "boundaries"))["level_m"]
    assert levels.iloc[-1] == pytest.approx(43.5, abs=1e-9)


@pytest.mark.parametrize("cell", ["43.5m3", "43.5m/s", "约43.5", "43.5丈"])
def test_a_level_in_another_unit_is_refused_before_it_is_computed(tmp_path, cell):
    path = csv(tmp_path, f"河道,水位\nR,{cell}\n")
    with pytest.raises(pg.errors.LayerError, match="level_m"):
        pg.water_profile(WALLS, 20.0, pg.read_table(path, "boundaries"))


@pytest.mark.parametrize("heading", ["间距", "间距(m)", "间距/m", "间距（米）"])
def test_increments_under_any_heading_are_summed(tmp_path, heading):
    rows = "".join(f"R,0,{x},{z}\n" for x, z in zip((0, 2, 3, 5), (4, 1, 1, 4), strict=True))
    found = pg.read_table(csv(tmp_path, f"河道,桩号,{heading},高程\n{rows}"), "sections")
    assert found["offset_m"].tolist() == [0.0, 2.0, 5.0, 10.0]


@pytest.mark.parametrize(
    ("merged", "asked"),
    [
        ("A2:A3", {"use": "industrial", "structure": "brick_concrete"}),
        ("A2:A3", {"use": "commercial", "structure": "brick_concrete"}),
        ("A3:A4", {"use": "residential", "structure": "brick_wood"}),
        ("A2:A4", {"use": "industrial", "structure": "concrete"}),
    ],
)
def test_a_merged_use_prices_no_other_use(tmp_path, merged, asked):
    """Its blank cells, unread, were rates of every use: a factory was paid as a dwelling."""
    first, last = (int(cell[1:]) for cell in merged.split(":"))
    rows = [["用途", "结构", "房屋补偿单价"], ["住宅", "框架", 5000], ["住宅", "砖混", 4000],
            ["住宅", "砖木", 3000]]  # fmt: skip
    if merged == "A3:A4":
        rows[1][0], rows[2][0], rows[3][0] = "住宅", "工业", "工业"
    for k in range(first, last):
        rows[k][0] = None
    rates = pg.read_table(xlsx(tmp_path, rows, [merged]), "rates")
    assert rates["use"].notna().all()
    house = pd.DataFrame({"demolish_floor_area_m2": [100.0], "floor_area_m2": 100.0,
                          "title": "registered", **asked}, index=["H"])  # fmt: skip
    with pytest.raises(pg.errors.RateError, match="have no rate for use="):
        pg.compensation(house, rates)
    own = {"use": rates["use"].iloc[-1], "structure": rates["structure"].iloc[-1]}
    paid = pg.compensation(house.assign(**own), rates)["cost_yuan"]
    assert paid.tolist() == [100.0 * rates["building_yuan_m2"].iloc[-1]]


@pytest.mark.parametrize(
    ("what", "heading", "row"),
    [
        ("design", ["河道", "桩号", "设计河底高程", "岸顶高程", "左宽", "右宽", "糙率"], [0, 1, 4, 8, 8, 0.03]),
        ("sections", ["河道", "桩号", "起点距", "高程", "糙率"], [0, -2, 4, 0.03]),
        ("widths", ["河道", "桩号", "左宽", "右宽"], [0, 5, 6]),
        ("flows", ["河道", "桩号", "流量"], [0, 12]),
        ("segments", ["河道", "起点桩号", "终点桩号", "责任组"], [0, 9, "一组"]),
    ],
)  # fmt: skip
def test_a_merged_river_is_the_river_of_all_its_rows_in_every_table(tmp_path, what, heading, row):
    rows = [
        [name, row[0] + 100 * k, *row[1:]] for k, name in enumerate(["A", None, "B", None, None])
    ]
    merged = xlsx(tmp_path, [heading, *rows], ["A2:A3", "A4:A6"])
    written = [[name, *one[1:]] for name, one in zip("AABBB", rows, strict=True)]
    neat = pg.read_table(xlsx(tmp_path, [heading, *written], name="n.xlsx"), what)
    assert neat["river"].tolist() == list("AABBB")
    pd.testing.assert_frame_equal(pg.read_table(merged, what), neat)
    with pytest.raises(pg.errors.LayerError, match=r"rows without a river .* \(3: 3, 5, 6\)"):
        pg.read_table(xlsx(tmp_path, [heading, *rows], name="u.xlsx"), what)


def test_the_documented_names_of_columns_are_in_their_own_units():
    """deck_m was read in km, low_chord_m and lid_m in dm; glued, as shapefiles cut them, too."""
    for noun in NOUNS.values():
        for column in noun.columns:
            for name in (column.name, column.name.upper(), column.name.replace("_", "").upper()):
                said = unit_of(name, column)
                assert said[1] == 1.0, (noun.name, name, said)


@pytest.mark.parametrize(
    ("heading", "value"),
    [("deck_m", 3.6), ("deck_km", 3600.0), ("deck_ft", 1.09728), ("DECKM", 3.6), ("deck m", 3.6)],
)
def test_the_last_word_of_a_heading_is_its_unit(tmp_path, heading, value):
    file = tmp_path / "桥.csv"
    file.write_text(f"structure_id,river,chainage_m,kind,{heading}\nB,r,5,bridge,3.6\n", "utf-8")
    assert pg.read_table(file, "structures")["deck_m"].tolist() == pytest.approx([value])


def test_left_is_no_length_in_feet(tmp_path):
    """The left side of a red line was 0.3048 of what the table said, the right side all of it."""
    file = tmp_path / "widths.csv"
    file.write_text("river,chainage,left,right\nr,0,10,12\nr,100,10,12\n", "utf-8")
    found = pg.read_table(file, "widths")
    assert found[["left_m", "right_m"]].to_numpy().tolist() == [[10.0, 12.0]] * 2
