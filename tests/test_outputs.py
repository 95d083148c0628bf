import functools
import importlib
import itertools
import json
import pickle
import re
import subprocess
import sys
import zipfile
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from typer.testing import CliRunner

import pinghu_geo as pg
from conftest import building_frame, river_frame, typed
from pinghu_geo.cli import app
from pinghu_geo.deliver import workbook
from pinghu_geo.nouns.schema import CODE_LISTS, NOUNS, canonical_codes, code_label


@pytest.fixture(scope="module")
def done(sample_run):
    """One run of the sample project."""
    return sample_run


def sheet_rows(path, name):
    """Rows of a sheet of the ledger, without the sums and who made it."""
    rows = pd.read_excel(path, sheet_name=name, header=2)
    return rows[pd.to_numeric(rows["序号"], errors="coerce").notna()]


def test_the_workbook_adds_up_to_the_summary(done):
    said = json.loads((done / "summary.json").read_text("utf-8"))
    base = next(row for row in said["schemes"] if row["scheme"] == said["adopted"])
    rows = pd.read_excel(
        done / "ledger.xlsx", sheet_name="征拆台账", header=2, dtype={"房屋编号": str}
    )
    rows = rows[: list(rows["序号"]).index("合计") + 1]
    body = rows.iloc[:-1]
    assert len(body) == base["n_buildings"]
    assert body["拆除建筑面积 (m²)"].sum() == pytest.approx(base["demolish_floor_area_m2"])
    assert body["补偿金额 (元)"].sum() == pytest.approx(base["cost_yuan"])
    assert rows["补偿金额 (元)"].iloc[-1] == pytest.approx(base["cost_yuan"])
    nodes = sheet_rows(done / "ledger.xlsx", "征拆节点")
    classes = pd.read_excel(done / "campaign.xlsx", sheet_name="分类汇总").set_index("分类")
    assert classes["房屋栋数 (栋)"].sum() == base["n_buildings"]
    assert nodes["房屋栋数 (栋)"].sum() == classes.loc["任务", "房屋栋数 (栋)"]
    parcels = sheet_rows(done / "ledger.xlsx", "宗地台账")
    assert parcels["宗地编号"].is_unique
    schemes = sheet_rows(done / "ledger.xlsx", "方案比选表").set_index("方案")
    assert schemes.at[said["adopted"], "补偿金额 (万元)"] * 1e4 == pytest.approx(base["cost_yuan"])
    changes = sheet_rows(done / "ledger.xlsx", "方案差异")
    for line in said["said"]:
        own = changes[changes["方案"] == line.split(" ")[0]]
        assert f"避免拆除 {(own['变化'] == '避免拆除').sum()} 栋" in line


def test_campaign_sheets_say_units_banks_and_reasons(done):
    sheets = pd.read_excel(done / "campaign.xlsx", sheet_name=None)
    assert sheets["分类汇总"]["分类"].tolist() == ["任务", "待核", "待勘", "保留", "他方清拆"]
    goals = sheets["工期目标"].set_index("目标")["单位"]
    assert goals.to_dict() == {
        "最大延误": "工作日", "加权总延误": "工作日·m", "优先节点": "工作日·权重",
        "相邻集中": "工作日",
    }  # fmt: skip
    assert sheets["责任段工作量"]["项目"].eq("拆除建筑面积 (m²)").all()
    for name in ("责任段", "责任段工作量"):
        assert sheets[name]["岸别"].eq("两岸").all()
    money = sheets["资金测算"]
    theirs = money["分类"] == "他方清拆"
    assert money.loc[theirs, "月份"].eq("他方未给期限").all()
    assert money["月份"].notna().all()
    assert sheet_rows(done / "ledger.xlsx", "资金测算(按月)")["月份"].iloc[-1] == "他方未给期限"
    # a house that isn't ours to clear has no stage to come
    state = sheets["房屋状态"]
    assert state["分类"].notna().all()
    assert state.loc[state["分类"] != "任务", "下一阶段"].isna().all()
    assert (
        state.loc[(state["分类"] == "任务") & (state["阶段"] != "移交"), "下一阶段"].notna().all()
    )
    assert sheets["租户状态"].columns[1] == "分类"
    order = list(dict.fromkeys(sheets["节点"]["河道"]))
    assert order == ["君子布河", "鹅公岭河", "山厦河", "木古河"]


def test_sums_stand_in_the_order_of_their_codes_or_names(done):
    sheet = openpyxl.load_workbook(done / "ledger.xlsx")["汇总"]
    first = [cell.value for cell in sheet["A"]]

    def rows_of(heading):
        at = first.index(f"按{heading}") + 2
        return first[at : first.index("合计", at)]

    assert rows_of("岸别") == ["左岸", "右岸"]
    assert rows_of("压占程度") == ["全部", "部分"]
    assert rows_of("结论") == ["拆除", "保留", "待核"]
    assert rows_of("分类") == ["任务", "待核", "待勘", "保留", "他方清拆"]
    assert rows_of("责任组") == [*(f"第{k}组" for k in range(1, 11)), "(无)"]
    assert rows_of("清拆主体")[0] == "本项目"
    assert rows_of("清拆主体")[1:] == sorted(rows_of("清拆主体")[1:])
    assert rows_of("产权情况") == ["有证", "历史遗留", "无证"]
    assert rows_of("片区编号")[-1] == "(无)"
    duties = sheet_rows(done / "ledger.xlsx", "责任分解表")
    assert list(dict.fromkeys(duties["河道"])) == ["君子布河", "鹅公岭河", "山厦河", "木古河"]


@pytest.mark.parametrize(("lang", "words"), [
    ("zh", ["能量法", "能量法+漫路(B类水流)", "闸孔式压力流", "动量法(C类水流)"]),
    ("en", ["energy", "energy+road (class B)", "pressure inlet", "momentum (class C)"]),
])  # fmt: skip
@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_ways_through_structures_are_words_in_plain_tables_and_read_back_as_codes(
    tmp_path, lang, words, suffix
):
    codes = ["energy", "energy+road B", "pressure_inlet", "momentum C"]
    levels = pd.DataFrame({"profile": "100年", "river": "甲河", "chainage_m": range(4),
                           "level_m": 12.3, "control": codes})  # fmt: skip
    made = tmp_path / f"水面线.{suffix}"
    pg.write_table(levels, made, lang=lang)
    raw = pd.read_excel(made) if suffix == "xlsx" else pd.read_csv(made)
    assert raw[pg.nouns.label("control", lang=lang)].tolist() == words
    assert pg.read_table(made, "profile")["control"].tolist() == codes


@pytest.mark.parametrize(("method", "word"), [
    ("energy", "能量法"), ("energy+momentum", "能量法+动量法"), ("yarnell", "Yarnell公式"),
    ("momentum + wspro", "动量法+WSPRO法"),
])  # fmt: skip
def test_methods_of_bridges_are_words_in_a_plain_table_and_read_back_as_codes(
    tmp_path, method, word
):
    bridges = pg.read_table(pg.sample_folder() / "桥涵闸坝.csv", "structures").assign(method=method)
    pg.write_table(bridges, tmp_path / "桥.xlsx")
    assert set(pd.read_excel(tmp_path / "桥.xlsx")["低水算法"]) == {word}
    again = pg.read_table(tmp_path / "桥.xlsx", "structures")["method"]
    assert set(again) == {method.replace(" ", "")}


CODED = [(kind.name, column.name) for kind in NOUNS.values() for column in kind.columns
         if column.name in CODE_LISTS and column.dtype == "text"]  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(("kind", "name"), CODED)
def test_the_words_of_each_pair_of_codes_are_read_back_and_sound(kind, name, lang):
    """Some words hold the comma that others are listed by; a class of flow may stand behind."""
    column = NOUNS[kind][name]
    pairs = [CODE_LISTS[name].join(p) for p in itertools.permutations(column.codes, 2)]
    cells = [*column.codes, *pairs]
    if name == "control":
        cells += [f"{cell} {flow}" for cell, flow in zip(cells, itertools.cycle("ABC"))]
    words = pd.Series([code_label(name, cell, lang=lang) for cell in cells])
    assert len(column.codes) > 3
    assert canonical_codes(words, column).tolist() == cells
    table = pd.DataFrame({name: [*cells, "", None]})
    faults = pg.check(table, kind)
    assert not (faults["field"].eq(name) & faults["severity"].eq("error")).any()
    listed = ", ".join(words[:3]) if name == "doubts" else "+".join(words[:3])
    wanted = CODE_LISTS[name].join(list(column.codes)[:3])
    assert canonical_codes(pd.Series([listed]), column).tolist() == [wanted]


@pytest.mark.parametrize("cell", ["energy D", "energy+", "energy+tunnel", "tunnel B", "B"])
def test_what_is_no_list_of_codes_is_named(cell):
    faults = pg.check(pd.DataFrame({"control": ["energy B", cell]}), "profile")
    told = faults[faults["field"].eq("control") & faults["fault"].eq("unknown_code")]
    assert told["id"].tolist() == ["1"]


def test_a_junction_has_one_method():
    faults = pg.check(pd.DataFrame({"method": ["energy", "energy+momentum"]}), "junctions")
    assert faults.loc[faults["fault"].eq("unknown_code"), "id"].tolist() == ["1"]


def test_rivers_come_on_the_wall_in_the_order_of_their_layer(done):
    """Board and diagrams had them by name, the ledger as the layer has them."""
    rivers = list(pg.read_layer(pg.sample_folder() / "河道.shp", "rivers").index)
    assert rivers != sorted(rivers)
    heads = re.findall(r"<h3>([^<]+)<span>", (done / "board.html").read_text("utf-8"))
    assert list(dict.fromkeys(heads)) == rivers
    assert len(heads) == 2 * len(rivers)


def test_each_count_of_nodes_says_what_it_counts(done):
    """One heading stood for all affected houses' nodes, for the tasks' and for the search's."""
    book = done / "ledger.xlsx"
    schemes = sheet_rows(book, "方案比选表").set_index("方案")
    tasks = sheet_rows(book, "征拆节点")["征拆节点"].dropna()
    duties = sheet_rows(book, "责任分解表")
    assert duties["征拆节点 (个)"].sum() == len(tasks)
    texts = [str(c) for row in openpyxl.load_workbook(book)["汇总"].iter_rows(values_only=True)
             for c in row if c is not None]  # fmt: skip
    (said,) = [t for t in texts if t.startswith("受影响节点 ") and "任务" in t]
    everything, some, own, none = map(int, re.findall(r"(\d+) 个", said))
    assert (everything, own) == (schemes.loc["寻优方案", "受影响节点 (个)"], len(tasks))
    assert some + none == everything
    houses = gpd.read_file(done / "results.gpkg", layer="affected")
    found = pg.node_ids(
        houses.set_index("building_id"), gap_m=50, max_length_m=300,
        rivers=pg.read_layer(pg.sample_folder() / "河道.shp", "rivers"),
    )  # fmt: skip
    task = (houses["task_class"] == "task").to_numpy()
    assert (found.nunique(), found[task].nunique()) == (everything, some)
    proof = pd.read_excel(next(done.glob("proof_*.xlsx")))
    searched = pd.read_excel(next(done.glob("searched_*.xlsx")))
    assert proof["寻优节点 (个)"].sum() <= len(searched)
    assert searched["寻优节点"].str.startswith("Y").all()
    for name in ("责任组", "责任段工作量"):
        assert pd.read_excel(done / "campaign.xlsx", name)["征拆节点 (个)"].sum() == len(tasks)


def test_ends_of_a_group_s_nodes_aren_t_called_those_of_its_reach(done):
    duties = (
        sheet_rows(done / "ledger.xlsx", "责任分解表").dropna(subset="河道").set_index("责任组")
    )
    reaches = pd.read_excel(done / "campaign.xlsx", "责任段").set_index("责任组")
    assert not {"起点桩号", "终点桩号"} & set(duties)
    for group, row in duties.iterrows():
        first, last = (pg.parse_chainage(row[c]) for c in ("首个节点起点", "末个节点终点"))
        own = reaches.loc[group]
        assert pg.parse_chainage(own["起点桩号"]) <= first + 0.1
        assert last <= pg.parse_chainage(own["终点桩号"]) + 0.1


def test_metres_have_as_many_decimals_everywhere_and_empty_notices_no_column(done, tmp_path):
    book = openpyxl.load_workbook(done / "hydraulics.xlsx")
    # notices are words, not codes; a column of none isn't there
    told = sheet_rows(done / "hydraulics.xlsx", "水面线")["提示"].dropna()
    assert len(told)
    assert not told.str.contains("[a-z]").any()
    levels = pd.DataFrame({"profile": "100年", "river": "甲河", "chainage_m": [0.0, 50.0],
                           "level_m": [12.3, 12.1], "doubts": ""})  # fmt: skip
    for doubts, head in (("", None), ("froude,alpha", "弗劳德数大于0.9、动能修正系数大于2")):
        one = tmp_path / f"水{len(doubts)}.xlsx"
        pg.deliver.write_hydraulics(levels.assign(doubts=["", doubts]), one)
        rows = sheet_rows(one, "水面线")
        assert rows["提示"].iloc[1] == head if head else "提示" not in rows
    pg.deliver.write_hydraulics(levels.assign(doubts=["", "split"], unsure_m=[np.nan, 0.087]), one)
    rows = sheet_rows(one, "水面线")
    assert rows.loc[1, ["提示", "水位可能偏差 (m)"]].tolist() == [
        "按所给分流,各汊能头不一致",
        0.087,
    ]
    pg.deliver.write_table(levels.assign(doubts=["", "left_out"]), tmp_path / "表.xlsx")
    assert pd.read_excel(tmp_path / "表.xlsx")["提示"].tolist()[1] == "有未计入的建筑物"
    plain = openpyxl.load_workbook(next(done.glob("rise_*.xlsx"))).active
    for sheet, head in ((book["超高"], 3), (plain, 1)):
        at = [c.value for c in sheet[head]].index("左岸超高 (m)")
        assert sheet[head + 1][at].number_format == "#,##0.00"
    # what bends add stands beside the freeboard, on the outer bank, and in no level
    rows = sheet_rows(done / "hydraulics.xlsx", "超高")
    bend = rows["凹岸水面抬高,未计入水位 (m)"]
    assert set(rows["凹岸"].dropna()) == {"左岸", "右岸"}
    assert (bend.dropna() >= 0).all()
    assert bend.max() > 0
    top = rows["左岸顶高程 (m)"] - rows["左岸超高 (m)"]
    assert top.dropna().to_numpy() == pytest.approx(rows["水位 (m)"][top.notna()].to_numpy())
    # a day stands in its row as all else does
    days = openpyxl.load_workbook(done / "campaign.xlsx")["倒排工期"]
    first, day = days[2][0], days[2][6]
    assert (day.alignment.vertical, day.font.name, day.font.size) == (
        first.alignment.vertical, first.font.name, first.font.size)  # fmt: skip


def points_in_print(sheet):
    """Size of letters of 10 points, where all columns stand on one sheet of paper; how many."""
    columns = [d.width for d in sheet.column_dimensions.values() for _ in range(d.min, d.max + 1)]
    # a column's unit is 7 of 96 dots an inch; A3 (8) and A4 (9) lie on their side
    paper_mm = {8: 420, 9: 297}[sheet.page_setup.paperSize]
    paper_mm -= 25.4 * (sheet.page_margins.left + sheet.page_margins.right)
    return 10 * paper_mm / (sum(columns) * 7 / 96 * 25.4), len(columns)


def test_the_sheet_of_houses_prints_large_enough_to_read(done):
    sheet = openpyxl.load_workbook(done / "ledger.xlsx")["征拆台账"]
    points, many = points_in_print(sheet)
    assert sheet.page_setup.paperSize == 8
    assert points >= 8
    assert 12 <= many <= 18


def test_every_sheet_of_a_campaign_prints_large_enough_to_read(done):
    book = openpyxl.load_workbook(done / "campaign.xlsx")
    small = {s.title: points_in_print(s) for s in book if points_in_print(s)[0] < 8}
    assert not small
    heads = [c.value for n in book.sheetnames if n.startswith("节点") for c in book[n][1]]
    assert book["节点"].page_setup.paperSize == 8
    assert "清拆期限" not in {c.value for sheet in book for c in sheet[1]}  # a renewal area's
    payments = {c.value for c in book["资金测算"][1]}
    assert "出资主体" in payments
    assert "实施主体" not in payments
    assert {"卡点", "完成期限", "红黄绿", "优先理由", "补偿金额 (元)", "机动时间 (工作日)"} <= set(
        heads
    )


def test_numbers_of_a_plain_sheet_are_shown_short_and_kept_whole(tmp_path):
    rows = pd.DataFrame({
        "金额": [233931169.2222222, None], "栋": [1234567, 1], "比": [0.70294, 1.2],
        "水位": [45.12345, 9.0], "注": ["12.5", "x"], "混": ["甲", 12.123456],
    })  # fmt: skip
    pg.deliver.write_sheets({"表": rows}, tmp_path / "表.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "表.xlsx")["表"]
    assert [c.number_format for c in sheet[2]][:4] == [
        "#,##0.00",
        "#,##0",
        "#,##0.0000",
        "#,##0.000",
    ]
    assert [c.value for c in sheet[2]] == [
        233931169.2222222,
        1234567,
        0.70294,
        45.12345,
        "12.5",
        "甲",
    ]
    assert [c.value for c in sheet[3]] == [None, 1, 1.2, 9, "x", 12.123456]


def test_water_has_no_column_of_land_and_schemes_that_differ(tmp_path):
    """The wetted area stood under 宗地面积; schemes were one another's rows, or a blank column."""
    one = pd.DataFrame({"scheme": "", "profile": "100年", "river": "甲河", "chainage_m": [0.0, 50.0],
                        "level_m": [12.3, 12.1], "area_m2": [30.0, 31.0]})  # fmt: skip
    path = tmp_path / "水力.xlsx"
    pg.deliver.write_hydraulics(one, path, freeboard=one.drop(columns="area_m2"))
    for name in ("水面线", "超高"):
        assert "方案" not in pd.read_excel(path, sheet_name=name, header=2)
    assert sheet_rows(path, "水面线")["过水面积 (m²)"].tolist() == [30.0, 31.0]
    two = pd.concat([one.assign(scheme="宽"), one.assign(scheme="窄", level_m=[12.5, 12.4])])
    pg.deliver.write_hydraulics(two, path, freeboard=two.drop(columns="area_m2"))
    for name in ("水面线", "超高"):
        found = sheet_rows(path, name)
        assert found["方案"].tolist() == ["宽", "宽", "窄", "窄"]
        assert found["水位 (m)"].tolist() == [12.3, 12.1, 12.5, 12.4]


def test_a_sheet_has_the_name_of_its_file(tmp_path):
    rows = pd.DataFrame({"注": ["甲"]})
    for stem, name in (("宽度", "宽度"), ("a[1]" + "长" * 40, "a_1_" + "长" * 27),
                       ("history", "history_")):  # fmt: skip
        pg.write_table(rows, tmp_path / f"{stem}.xlsx")
        assert openpyxl.load_workbook(tmp_path / f"{stem}.xlsx").sheetnames == [name]


@pytest.mark.parametrize(
    ("names", "said", "right"),
    [
        (["a/b"], "named 'a/b'", "a_b"), (["长" * 32], "no sheet be named", "长" * 31),
        ([""], "named ''", "Sheet1"), (["'甲'"], "no sheet be named", "甲"),
        (["History"], "no sheet be named", "History_"), (["a", "A"], "two sheets", "A_2"),
    ],
)  # fmt: skip
def test_names_that_excel_refuses_have_one_that_it_takes(tmp_path, names, said, right):
    rows, target = pd.DataFrame({"注": ["甲"]}), tmp_path / "表.xlsx"
    with pytest.raises(pg.errors.OutputError, match=re.escape(said)) as caught:
        pg.deliver.write_sheets(dict.fromkeys(names, rows), target)
    assert caught.value.hint.endswith(repr(right))
    assert not target.exists()
    cured = [*names[:-1], right]
    pg.deliver.write_sheets(dict.fromkeys(cured, rows), target)
    assert openpyxl.load_workbook(target).sheetnames == cured


def test_a_workbook_without_sheets_is_refused(tmp_path):
    with pytest.raises(pg.errors.OutputError, match="no sheet"):
        pg.deliver.write_sheets({}, tmp_path / "表.xlsx")


def test_a_table_too_wide_for_any_paper_goes_on_beside_it(tmp_path):
    wide = pd.DataFrame({f"栏目{k}": ["一段占满一整格的、相当长的说明文字"] for k in range(25)})
    pg.deliver.write_sheets({"宽": wide, "窄": wide.iloc[:, :3]}, tmp_path / "表.xlsx")
    book = openpyxl.load_workbook(tmp_path / "表.xlsx")
    points, _ = points_in_print(book["宽"])
    across = book["宽"].page_setup.fitToWidth
    assert points < 8 <= points * across
    assert book["宽"].print_title_cols == "$A:$A"  # whose row it is, on each page
    assert book["窄"].page_setup.paperSize == 9
    assert book["窄"].print_title_cols is None


def test_the_sheets_of_houses_hold_all_that_is_known_of_them(done):
    book = openpyxl.load_workbook(done / "ledger.xlsx")
    names = ["征拆台账", *(n for n in book.sheetnames if n.startswith("附表"))]
    heads = {c.value for n in names for c in book[n][3]}
    ids = [[row[1].value for row in book[n].iter_rows(min_row=4, max_col=2)
            if isinstance(row[0].value, int | float)] for n in names]  # fmt: skip
    assert len(ids[0]) > 200
    assert all(one == ids[0] for one in ids)
    assert {"单独保留壅高 (mm)", "压占比例", "适用标准", "理由", "权利人", "片区编号"} <= heads


def test_every_sheet_is_frozen_filtered_and_made_for_printing(done):
    book = openpyxl.load_workbook(done / "ledger.xlsx")
    sheets = ["汇总", "征拆台账", "宗地台账", "征拆节点", "节点推进表", "责任分解表", "倒排工期",
              "督查台账", "租户清退表", "资金测算(按月)", "资金测算(按科目)", "资金测算(按主体)",
              "作业面", "作业面移交", "日报周报", "周报(按组)", "方案比选表", "方案差异"]  # fmt: skip
    subjects = ["附表1 位置与压占", "附表2 留房审查", "附表3 补偿测算", "附表4 壅水影响"]
    assert book.sheetnames == sheets + subjects
    hydraulics = openpyxl.load_workbook(done / "hydraulics.xlsx")
    assert hydraulics.sheetnames == ["水面线", "超高"]
    for sheet in [*book.worksheets[1:], *hydraulics.worksheets]:
        assert sheet.freeze_panes == "C4"
        assert sheet.auto_filter.ref.startswith("A3:")
        assert sheet.print_title_rows == "$1:$3"
        assert sheet.print_area.startswith(f"'{sheet.title}'!$A$1:")
        assert sheet["A1"].value.endswith(sheet.title)
        assert sheet["A2"].value.startswith(("单位:", "金额单位:"))
        assert sheet["A3"].value == "序号"
        last = [c.value for c in sheet["A"] if c.value]
        assert last[-1].startswith("制表:")
        points, _ = points_in_print(sheet)
        across = sheet.page_setup.fitToWidth or 1
        assert points * across >= 8, sheet.title
    text = " ".join(str(c.value) for row in book["汇总"].iter_rows() for c in row if c.value)
    assert "合成数据" in text
    assert "144,000 m²" in text


def test_published_figures_stand_beside_the_computed_ones(done):
    said = json.loads((done / "summary.json").read_text("utf-8"))
    assert said["published"]["避免拆除房屋"] == "41 栋"
    assert said["schemes"][0]["n_buildings"] != 41
    assert any("估算" in w for w in said["warnings"])


def test_results_hold_all_layers(done):
    names = set(pyogrio.list_layers(done / "results.gpkg")[:, 0])
    assert names == {
        "affected",
        "nodes",
        "red_line_原方案",
        "red_line_优化方案",
        "red_line_寻优方案",
        "layer_styles",
        "buildings",
        "zones",
        "rivers",
        "stations",
        "station_ticks",
        "changes",
        "parcels",
        "sections",
        "inundation",
        "structures",
    }
    standing = gpd.read_file(done / "results.gpkg", layer="structures").set_index("structure_id")
    assert all(label.endswith(name) for name, label in standing["label"].items())
    assert set(standing["kind"]) == {"bridge", "culvert", "weir", "gate"}
    rivers = gpd.read_file(done / "results.gpkg", layer="rivers").set_index("river")
    across = rivers.loc[standing["river"]].geometry.reset_index(drop=True)
    assert standing.geometry.reset_index(drop=True).intersects(across).all()
    with zipfile.ZipFile(done / "results.qgz") as book:
        opened = book.read("results.qgs").decode()
    assert "layername=structures" in opened
    assert "桥涵闸坝" in opened
    layer = gpd.read_file(done / "results.gpkg", layer="affected")
    assert layer.crs.to_epsg() == 4547
    assert layer["building_id"].is_unique


def test_the_manifest_names_every_input(done):
    manifest = json.loads((done / "manifest.json").read_text("utf-8"))
    assert {"房屋.dbf", "房屋.shp", "宗地.shp", "红线宽度_原方案.csv", "project.toml"} <= set(
        manifest["inputs"]
    )
    assert all(re.fullmatch("[0-9a-f]{64}", h) for h in manifest["inputs"].values())
    assert manifest["rules"]["gap_m"] == 50
    assert manifest["versions"]["pinghu_geo"] == pg.__version__


def test_the_map_names_no_resource_outside_itself(done):
    page = (done / "map.html").read_text("utf-8")
    assert not re.search(r"<script[^>]+src=", page)
    assert not re.search(r"<link[^>]+href=", page)
    styles = "".join(re.findall(r"<style>.*?</style>", page, re.DOTALL))
    assert not re.search(r"url\(\s*['\"]?(?!data:|#)", styles)
    assert "合成数据" in page


HOSTILE = "<img src=x onerror=alert(1)>${1}`=1+1"


@pytest.fixture
def hostile(straight):
    houses = building_frame(
        {f"B</script>{HOSTILE}": shapely.box(0, 0, 10, 10), "110101199003078211": shapely.box(20, 0, 30, 10)},
        floors=1.0, owner=["=HYPERLINK(\"x\")", f"\x07{HOSTILE}"], use="residential",
    )  # fmt: skip
    return houses, pg.red_line(straight, 20.0)


def test_hostile_texts_come_out_inert_in_the_map(hostile, straight, tmp_path):
    houses, line = hostile
    hit = pg.affected(houses, line, straight)
    pg.command_map(hit, line, straight, title=HOSTILE, note=HOSTILE).save(tmp_path / "m.html")
    page = (tmp_path / "m.html").read_text("utf-8")
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_hostile_texts_come_out_inert_in_the_workbook(hostile, straight, tmp_path):
    houses, line = hostile
    hit = pg.affected(houses, line, straight)
    pg.write_ledger(hit, tmp_path / "l.xlsx", title=HOSTILE, note=HOSTILE)
    sheet = openpyxl.load_workbook(tmp_path / "l.xlsx")["征拆台账"]
    cells = {c.value: c.data_type for row in sheet.iter_rows(min_row=2) for c in row}
    assert cells['=HYPERLINK("x")'] == "s" or cells['=HYPERLINK("x")'] == "inlineStr"
    assert "110101199003078211" in cells
    assert HOSTILE in cells


def test_outputs_are_whole_or_not_there(hostile, straight, tmp_path):
    houses, line = hostile
    hit = pg.affected(houses, line, straight)
    with pytest.raises(pg.errors.OutputError, match=r"(?s)is no .xlsx.*use l.xlsx"):
        pg.write_ledger(hit, tmp_path / "l.xls")
    with pytest.raises(pg.errors.OutputError, match="is no .gpkg"):
        pg.deliver.write_results({"a": hit}, tmp_path / "r.shp")
    with pytest.raises(pg.errors.LayerError, match="no red line to draw"):
        pg.command_map(hit, {}, straight)
    assert list(tmp_path.iterdir()) == []


def test_maps_show_in_notebooks_without_network(hostile, straight):
    houses, line = hostile
    shown = pg.command_map(pg.affected(houses, line, straight), line, straight)._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert not re.search(r"&lt;script src=", shown)


# --- project files ----------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path, straight, houses):
    """A small project on disk; returns a function that rewrites its file."""
    pg.write_layer(houses.drop(columns="structure"), tmp_path / "房屋.shp", "buildings")
    pg.write_layer(straight, tmp_path / "河道.gpkg", "rivers")
    (tmp_path / "宽度.csv").write_text("河道,桩号,左宽,右宽\nA,0,20,20\nA,1000,20,20\n", "utf-8")

    def write(
        text='crs = 4547\n[layers]\nbuildings="房屋.shp"\nrivers="河道.gpkg"\n[schemes."原"]\nwidths="宽度.csv"\n',
    ):
        (tmp_path / "project.toml").write_text(text, "utf-8-sig")
        return tmp_path / "project.toml"

    return write


def test_a_small_project_without_parcels_or_rates(project, tmp_path):
    out = pg.run_project(project(), tmp_path / "out")
    said = json.loads((out / "summary.json").read_text("utf-8"))
    assert said["schemes"][0]["n_buildings"] == 6
    assert said["n_parcels"] is None


@pytest.mark.parametrize(
    ("more", "assessed", "own_gap_m"),
    [
        ("", 2, []),
        # the search assesses by the usual rules, and draws straight from width to width
        ("[rules]\ngap_m = 60\n", 4, [60, 60]),
        ('interpolation = "step"\n', 3, [50]),
    ],
)
def test_a_run_reads_first_and_does_each_thing_once(
    project, tmp_path, monkeypatch, more, assessed, own_gap_m
):
    """Files are read once, before anything is computed; no scheme is assessed again as it was."""
    done = []

    def counted(place, name):
        real = getattr(importlib.import_module(place), name)

        @functools.wraps(real)
        def call(*given, **options):
            done.append((name, place, given, options))
            return real(*given, **options)

        monkeypatch.setattr(f"{place}.{name}", call)

    for place, names in {
        "pinghu_geo.inputs": ("layer_and_findings", "table_and_findings"),
        "pinghu_geo.computing": ("red_line", "assessed"),
        "pinghu_geo.designing": ("least_demolition",),
        "pinghu_geo.schemes.alternatives": ("assessed", "taken_by_line"),
    }.items():
        for name in names:
            counted(place, name)
    text = project().read_text("utf-8-sig")
    if more.startswith("inter"):
        text, more = text + more, ""
    asked = '[schemes."最少"]\nleast={from="原", inward_m=4, outward_m=4, step_m=1}\n'
    pg.run_project(project(text + asked + more), tmp_path / "out")
    names = [name for name, *_ in done]
    read = [str(given[0]) for name, _, given, _ in done if name.endswith("_and_findings")]
    assert [Path(p).name for p in read] == ["房屋.shp", "河道.gpkg", "宽度.csv"]
    assert names.index("least_demolition") == len(read)
    assert names.count("least_demolition") == 1
    assert names.count("assessed") == names.count("taken_by_line") == assessed
    own = [o for name, place, _, o in done if (name, place[-9:]) == ("assessed", "computing")]
    assert [options["gap_m"] for options in own] == own_gap_m
    assert names.count("red_line") == (1 if own_gap_m == [50] else 0)


def test_a_project_may_ask_for_the_line_that_demolishes_least(project, tmp_path):
    text = project().read_text("utf-8-sig")
    asked = '[schemes."最少"]\nleast={from="原", inward_m=4, outward_m=4, step_m=1}\n'
    out = pg.run_project(project(text + asked), tmp_path / "out")
    said = json.loads((out / "summary.json").read_text("utf-8"))
    assert [row["scheme"] for row in said["schemes"]] == ["原", "最少"]
    # the line that bends as often as it pays is the best, and the one that bends seldom no better
    often = asked.replace("step_m=1", "step_m=1, bend_every_m=0")
    best = pg.run_project(project(text + often), tmp_path / "often") / "summary.json"
    (best,), (seldom,) = json.loads(best.read_text("utf-8"))["least"]["最少"], said["least"]["最少"]
    assert best["gap_floor_area_m2"] == 0 <= seldom["gap_floor_area_m2"]
    assert seldom["bound_floor_area_m2"] == pytest.approx(best["bound_floor_area_m2"])
    assert said["schemes"][1]["n_buildings"] <= said["schemes"][0]["n_buildings"]
    # the map says what is proven of the scheme
    assert best["proof"] == "optimal"
    assert "最少:" in (page := (out / "map.html").read_text("utf-8"))
    assert code_label("proof", seldom["proof"]) in page
    widths = pg.read_table(out / "widths_最少.xlsx", "widths")
    assert (widths["left_m"] + widths["right_m"] >= 40 - 1e-6).all()
    with pytest.raises(pg.errors.ProjectError, match="least doesn't say which scheme with widths"):
        pg.run_project(project(text + asked.replace('from="原"', 'from="旧"')), tmp_path / "b")
    with pytest.raises(
        pg.errors.ProjectError, match="(?s)'inward' is not known.*did you mean 'inward_m'"
    ):
        pg.run_project(project(text + asked.replace("inward_m", "inward")), tmp_path / "c")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[layers]", "[layer]", "(?s)'layer' is not known.*did you mean 'layers'"),
        ("buildings=", "building=", "(?s)'building' is not known.*did you mean 'buildings'"),
        ("crs = 4547", "", "(?s)lacks crs.*crs = 4547"),
        ("crs = 4547", "crs = ", "is no valid TOML"),
        ('widths="宽度.csv"', "", "needs either widths or path"),
        ('rivers="河道.gpkg"', "", "lacks rivers"),
        ('[schemes."原"]\nwidths="宽度.csv"', "", "lacks schemes"),
        ("宽度.csv", "宽.csv", '(?s)there is no file .*宽.csv.*widths = "宽度.csv"'),
        ("crs = 4547", "crs = 2435", "(?s)another datum.*official parameters"),
        (
            "crs = 4547",
            "crs = 4547\n[rules]\ngap = 5\n",
            "(?s)'gap' is not known.*did you mean 'gap_m'",
        ),
    ],
)
def test_bad_projects_are_refused_and_leave_nothing(project, tmp_path, old, new, problem):
    text = project().read_text("utf-8-sig").replace(old, new)
    with pytest.raises(pg.PinghuError, match=problem):
        pg.run_project(project(text), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert {p.suffix for p in tmp_path.iterdir()} <= {
        ".shp",
        ".shx",
        ".dbf",
        ".prj",
        ".cpg",
        ".gpkg",
        ".csv",
        ".toml",
    }


def test_a_failed_run_keeps_the_folder_that_was_there(project, tmp_path):
    out = pg.run_project(project(), tmp_path / "out")
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    with pytest.raises(pg.errors.OutputError, match="(?s)exists.*--force"):
        pg.run_project(project(), out)
    (tmp_path / "宽度.csv").write_text("河道,桩号,左宽,右宽\nA,0,-1,20\nA,1000,20,20\n", "utf-8")
    with pytest.raises(pg.errors.LayerError, match="negative widths"):
        pg.run_project(project(), out, force=True)
    assert before == {p.name: p.read_bytes() for p in out.iterdir()}
    other = tmp_path / "mine"
    other.mkdir()
    with pytest.raises(pg.errors.OutputError, match="was not made by pinghu"):
        pg.run_project(project(), other, force=True)


def test_layers_of_one_datum_are_brought_together(project, tmp_path, straight):
    pg.write_layer(straight.to_crs(4526), tmp_path / "河道.gpkg", "rivers")
    out = pg.run_project(project(), tmp_path / "out")
    assert json.loads((out / "summary.json").read_text("utf-8"))["schemes"][0]["n_buildings"] == 6


def test_a_red_line_as_drawn(project, tmp_path, straight):
    line = pg.red_line(straight, 20.0)
    pg.write_layer(line.drop(columns=["source", "works_m2"]), tmp_path / "红线.gpkg", "red_line")
    text = project().read_text("utf-8-sig").replace('widths="宽度.csv"', 'path="红线.gpkg"')
    out = pg.run_project(project(text), tmp_path / "out")
    assert json.loads((out / "summary.json").read_text("utf-8"))["schemes"][0]["n_buildings"] == 6


def test_check_project_reports_unreadable_layers_as_rows(project, tmp_path):
    (tmp_path / "宽度.csv").write_text("河道,桩号,左宽,右宽\nA,K1+5,20,20\n", "utf-8")
    faults = pg.check_project(project())
    row = faults[faults["fault"] == "unreadable"].iloc[0]
    assert row["layer"] == "原"
    assert row["id"] == "2: K1+5"
    assert "可写 K12+669.5" in row["advice"]


# --- the shell --------------------------------------------------------------------------------


def shell(*words, cwd):
    run = subprocess.run(
        [sys.executable, "-m", "pinghu_geo", *map(str, words)], cwd=cwd, capture_output=True,
        text=True, encoding="utf-8", timeout=900, check=False,
    )  # fmt: skip
    return run.returncode, run.stdout, run.stderr


def test_demo_says_where_the_results_are_and_two_runs_are_byte_identical(
    done, tmp_path, monkeypatch
):
    """The run of the fixture and one in a process of its own, to the last byte."""
    code, out, err = shell("demo", cwd=tmp_path)
    assert code == 0, err
    assert "避免拆除" in out
    assert "合成数据" in out
    assert "41 栋" in out
    assert "读取图层" in err
    assert len(err.splitlines()) >= 7  # a line each step
    again = tmp_path / "pinghu_demo"
    assert {p.name for p in done.iterdir()} == {p.name for p in again.iterdir()}
    for part in done.iterdir():
        assert part.read_bytes() == (again / part.name).read_bytes(), part.name
    monkeypatch.chdir(tmp_path)
    code, out, err = typed("demo")
    assert (code, out) == (2, "")
    assert "--force" in err
    assert "Traceback" not in err


def test_demo_replaces_its_folder_when_it_is_asked_to(project, tmp_path, monkeypatch):
    """By a small project in the sample's place."""
    text = '[published]\n"避免拆除房屋" = "41 栋"\n'
    project(project().read_text("utf-8-sig") + text)
    monkeypatch.setattr("pinghu_geo.project.sample_folder", lambda: tmp_path)
    words = ["demo", "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(app, words).exit_code == 0
    made = (tmp_path / "out" / "map.html").stat().st_mtime_ns
    with pytest.raises(pg.errors.OutputError, match="--force"):
        CliRunner().invoke(app, words, catch_exceptions=False)
    assert (tmp_path / "out" / "map.html").stat().st_mtime_ns == made
    got = CliRunner().invoke(app, [*words, "--force"], catch_exceptions=False)
    assert got.exit_code == 0
    assert "避免拆除房屋 41 栋" in got.stdout
    assert (tmp_path / "out" / "map.html").stat().st_mtime_ns > made


def test_run_and_check_from_the_shell(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = typed("run", project(), "--out", "out")
    assert code == 0, err
    assert "房屋栋数 6 栋,全部压占" in out
    assert re.search(r"拆除建筑面积 [\d,]+ m²,.*工程用地面积 [\d,]+ m²,受影响节点 \d+ 个", out)
    # once as a command of its own
    code, out, err = shell("check", "project.toml", "--out", "check.xlsx", cwd=tmp_path)
    assert "错误 0 项" not in out or code == 0
    assert (tmp_path / "check.xlsx").exists()
    code, out, err = typed("run", "none.toml", "--out", "x")
    assert code == 2
    assert "没有项目文件 none.toml" in err
    assert "Traceback" not in err
    assert typed("run")[0] == 2


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_tables_are_read_back_and_drawn_again(tmp_path, sample, suffix):
    widths = pg.widths_of(sample["原方案"], sample["rivers"])
    pg.write_table(widths, tmp_path / f"宽度{suffix}")
    again = pg.read_table(tmp_path / f"宽度{suffix}", "widths")
    for column in ("chainage_m", "left_m", "right_m"):
        assert again[column].tolist() == pytest.approx(widths[column].tolist(), abs=5e-4)
    assert pg.red_line(sample["rivers"], again).area.sum() == pytest.approx(
        sample["原方案"].area.sum(), rel=1e-3
    )
    pg.write_table(pg.stations(sample["rivers"]), tmp_path / f"桩号{suffix}")
    with pytest.raises(pg.errors.OutputError, match="is no .xlsx or .csv"):
        pg.write_table(widths, tmp_path / "a.doc")


def test_a_plain_sheet_holds_each_kind_of_cell_as_what_it_is(tmp_path):
    table = pd.DataFrame({
        "数": [1.5, np.nan, 1e300], "整": pd.array([1, None, 3], "Int64"),
        "文": ["=1+1", "", None], "真": [True, False, None], "无": [None] * 3,
        "日": pd.to_datetime(["2018-08-31", None, "2018-09-01"]),
        "杂": [np.int64(2), "不详", Decimal("0.25")], "极": ["a", np.inf, -np.inf],
        "时": [timedelta(days=1.5), None, np.bool_(True)], "列": [(1, 2), {3}, ["a"]],
    })  # fmt: skip
    pg.write_table(table, tmp_path / "表.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "表.xlsx").active
    found = {column[0].value: [cell.value for cell in column[1:]] for column in sheet.columns}
    assert found == {
        "数": [1.5, None, 1e300], "整": [1, None, 3], "文": ["=1+1", None, None],
        "真": [True, False, None], "无": [None] * 3,
        "日": [datetime(2018, 8, 31), None, datetime(2018, 9, 1)], "杂": [2, "不详", 0.25],
        "极": ["a", "inf", "-inf"], "时": [1.5, None, True], "列": ["(1, 2)", "{3}", "['a']"],
    }  # fmt: skip
    assert type(found["真"][0]) is bool
    assert sheet["C2"].data_type == "s"  # no formula


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    pg.write_table(pd.DataFrame({"a": range(3)}), tmp_path / "a.xlsx")
    with pytest.raises(pg.errors.OutputError, match="a has 4 rows, and a sheet holds 3 of"):
        pg.write_table(pd.DataFrame({"a": range(4)}), tmp_path / "a.xlsx")
    assert len(pd.read_excel(tmp_path / "a.xlsx")) == 3


def test_ticks_run_from_left_to_right(straight):
    ticks = pg.river.station_ticks(straight, spacing_m=500, length_m=8)
    assert np.ravel(ticks.geometry.iloc[1].coords).tolist() == pytest.approx([500, 4, 500, -4])


def test_a_project_that_hits_nothing_still_gives_all_results(project, tmp_path):
    (tmp_path / "宽度.csv").write_text("河道,桩号,左宽,右宽\nA,850,1,1\nA,1000,1,1\n", "utf-8")
    out = pg.run_project(project(), tmp_path / "out")
    said = json.loads((out / "summary.json").read_text("utf-8"))
    assert said["schemes"][0]["n_buildings"] == 0
    assert "受影响房屋 0 栋" in (out / "map.html").read_text("utf-8")
    assert openpyxl.load_workbook(out / "ledger.xlsx").sheetnames[0] == "汇总"


def test_the_rules_of_a_project_hold_for_parcels_too(project, tmp_path, houses):
    plots = houses[["geometry"]].rename_axis("parcel_id")
    pg.write_layer(plots, tmp_path / "宗地.gpkg", "parcels")
    text = project().read_text("utf-8-sig").replace('rivers="', 'parcels="宗地.gpkg"\nrivers="')
    out = pg.run_project(project(text + "[rules]\nsurvey_tolerance_m = 50\n"), tmp_path / "out")
    for layer in ("affected", "parcels"):
        found = gpd.read_file(out / "results.gpkg", layer=layer)
        assert found["needs_survey"].astype(bool).all(), layer


def test_the_map_of_an_adopted_scheme_shows_what_it_saves_and_nothing_of_the_others(tmp_path):
    """One house near the line, one further out on the other bank; each scheme spares another one."""
    river = river_frame({"A": [(0, 0), (100, 0)]})
    houses = building_frame(
        {"北": shapely.box(40, 6, 50, 16), "南": shapely.box(60, -16, 70, -6)}, floors=1
    )
    lines = {
        name: pg.red_line(
            river,
            pd.DataFrame({"river": "A", "chainage_m": [0.0, 100.0], "left_m": a, "right_m": b}),
        )
        for name, a, b in (("原", 8.0, 8.0), ("让北", 5.0, 8.0), ("让南", 8.0, 5.0))
    }
    found = pg.compare(lines, houses, river)
    hit = found.schemes["让北"].affected
    assert list(hit.index) == ["南"]

    def layers(adopted):
        page = pg.command_map(
            hit, lines, river, buildings=houses, comparison=found, adopted=adopted
        )
        page.save(tmp_path / "m.html")
        text = (tmp_path / "m.html").read_text("utf-8")
        text = re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), text)
        return {words: int(n) for words, n in re.findall(r">([^<>]*) (\d+) 栋", text)}

    shown = layers("让北")
    assert shown["比较:让北 避免拆除"] == 1
    assert not [words for words in shown if "让南 避免拆除" in words]
    with pytest.raises(pg.errors.LayerError, match="did you mean '让北'"):
        layers("让北方案")


@pytest.mark.parametrize("kind", ["str", "date32[pyarrow]"])
@pytest.mark.parametrize("sizes", [(2, 1), (1, 1, 1), (3, 0), (0, 3)])
def test_a_table_of_several_pieces_is_stored_as_one_that_was_handed_over(tmp_path, kind, sizes):
    """Another process has it in one piece, and its GeoPackage was another by two bytes."""
    said = pd.Series(["2018-01-02", None, "2018-03-04"]).astype("str").astype(kind)
    parts = [pd.DataFrame({"building_id": range(n), "said": said[:n]}) for n in sizes]
    table = pd.concat(parts, ignore_index=True).set_index("building_id")
    layer = gpd.GeoDataFrame(
        table, geometry=gpd.points_from_xy(range(len(table)), range(len(table))), crs=4547
    )
    for name, one in {"a": layer, "b": pickle.loads(pickle.dumps(layer))}.items():
        pg.deliver.write_results({"changes": one}, tmp_path / f"{name}.gpkg")
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
