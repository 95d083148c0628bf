"""The ledger's sheets hold the tables, add up, are in one order, and cut nothing off."""

import re
from dataclasses import replace
from types import SimpleNamespace

import openpyxl
import pandas as pd
import pytest
import shapely
from campaigns import whole_campaign

import pinghu_geo as pg
from conftest import building_frame, river_frame
from pinghu_geo.campaigning import write_campaign

NUMBERS = int | float


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A campaign of two rivers whose names are out of order, and its ledger."""
    campaign = whole_campaign()
    place = tmp_path_factory.mktemp("l") / "l.xlsx"
    pg.write_ledger(campaign.tasks.buildings, place, campaign=campaign, nodes=campaign.nodes())
    return SimpleNamespace(campaign=campaign, book=openpyxl.load_workbook(place, data_only=True),
                           formulas=openpyxl.load_workbook(place), place=place)  # fmt: skip


def rows_of(sheet):
    """Table of a sheet, without numbers and sums."""
    heads = [c.value for c in sheet[3]]
    rows = [[c.value for c in row] for row in sheet.iter_rows(min_row=4)]
    rows = [r for r in rows if isinstance(r[0], int | float)]
    return pd.DataFrame(rows, columns=heads)


def test_an_empty_sheet_says_none(tmp_path):
    """Nobody knew whether nothing was late, or nothing had been written."""
    calm = whole_campaign(4)
    watched = calm.supervision
    watched = replace(watched, nodes=watched.nodes.assign(signal="green"))
    calm = replace(calm, supervision=watched)
    place = tmp_path / "l.xlsx"
    pg.write_ledger(calm.tasks.buildings, place, campaign=calm, nodes=calm.nodes())
    book = openpyxl.load_workbook(place)
    for name in book.sheetnames[1:]:
        rows = rows_of(book[name])
        assert (book[name].cell(4, 1).value == "无") == rows.empty, name
    assert rows_of(book["督查台账"]).empty


def test_sheets_of_what_was_looked_for_say_none(tmp_path):
    calm = whole_campaign(4)
    watched = calm.supervision
    empty = replace(watched, notices=watched.notices.iloc[:0], changes=watched.changes.iloc[:0])
    write_campaign(replace(calm, supervision=empty), tmp_path / "c.xlsx")
    sheets = pd.read_excel(tmp_path / "c.xlsx", sheet_name=None)
    for name in ("督办", "近七日"):
        assert sheets[name].iloc[:, 0].tolist() == ["无"], name
        assert sheets[name].iloc[:, 1:].isna().all(axis=None)
    # nothing of what isn't empty is changed
    write_campaign(calm, tmp_path / "d.xlsx")
    said = pd.read_excel(tmp_path / "d.xlsx", sheet_name=None)
    assert len(said["督查"]) == len(sheets["督查"]) == len(watched.nodes)


def test_a_check_without_faults_says_none(tmp_path):
    none = pg.check(pg.sample_folder() / "河道.shp", "rivers").iloc[:0]
    pg.deliver.write_faults(none, tmp_path / "check.xlsx")
    for name, rows in pd.read_excel(tmp_path / "check.xlsx", sheet_name=None).items():
        assert rows.iloc[:, 0].tolist() == ["无"], name


def test_every_sheet_gives_its_table_back(written):
    c, book = written.campaign, written.book
    houses = rows_of(book["征拆台账"]).set_index("房屋编号")
    given = c.tasks.buildings
    assert houses["红线内面积 (m²)"].to_dict() == pytest.approx(given["inside_m2"].to_dict())
    dates = rows_of(book["倒排工期"]).set_index("征拆节点")
    plan = c.plan.activities.set_index(["node_id", "stage"])["finish"]
    for node in dates.index:
        for stage, zh in c.stages["zh"].items():
            assert pd.Timestamp(dates.at[node, zh]) == plan[node, stage]
    duty = rows_of(book["责任分解表"])
    assert duty["房屋栋数 (栋)"].sum() == c.tasks.nodes["n_buildings"].sum() > 0
    assert duty["补偿金额 (万元)"].sum() * 1e4 == pytest.approx(c.tasks.nodes["cost_yuan"].sum())
    months = rows_of(book["资金测算(按月)"])
    assert months["计划支付 (万元)"].sum() * 1e4 == pytest.approx(c.payments["planned_yuan"].sum())
    people = rows_of(book["租户清退表"])
    assert set(people["租户编号"]) == set(c.tasks.tenants.index[c.tasks.tenants["node_id"].notna()])
    counts = rows_of(book["日报周报"]).set_index("阶段")
    reached = c.state.reached
    houses = reached[reached["kind"] == "building"]
    for stage, zh in c.stages["zh"].items():
        mine = houses.loc[houses["stage"] == stage, "date"]
        assert counts.at[zh, "累计(栋)"] == len(mine)
        assert counts.at[zh, "当日(栋)"] == (mine == c.state.as_of).sum()
    assert counts[["当日(栋)", "当日(户)", "近七日(户)"]].sum().min() > 0


def test_sums_are_formulas_with_their_values(written):
    seen = 0
    for sheet in written.formulas:
        for cell in (c for row in sheet.iter_rows() for c in row if c.data_type == "f"):
            letter, first, last = re.fullmatch(
                r"=SUBTOTAL\(109,([A-Z]+)(\d+):\1(\d+)\)", cell.value
            ).groups()
            values = [written.book[sheet.title][f"{letter}{k}"].value
                      for k in range(int(first), int(last) + 1)]  # fmt: skip
            cached = written.book[sheet.title][cell.coordinate].value
            assert cached == pytest.approx(sum(v for v in values if isinstance(v, NUMBERS)))
            seen += 1
    assert seen > 20


def test_rivers_come_in_one_order_everywhere(written):
    order = list(written.campaign.rivers.index)
    assert order != sorted(order)
    for name in ("征拆台账", "征拆节点", "节点推进表", "倒排工期", "租户清退表", "作业面"):
        assert list(dict.fromkeys(rows_of(written.book[name])["河道"])) == order, name


LONG = "深圳市龙岗区平湖街道新木社区居民委员会及其下属股份合作公司第一经济发展小组 Zhang-Wang"


@pytest.fixture(scope="module")
def long_names(tmp_path_factory):
    """The same with names and remarks that are long, and with sums of money that are large."""
    campaign = whole_campaign(8, groups=(LONG, f"{LONG}2"), blocker=LONG * 2)
    place = tmp_path_factory.mktemp("l") / "l.xlsx"
    given = campaign.tasks.buildings.assign(
        owner=LONG, cleared_by=LONG, reason=LONG, parcel_id=LONG, rise_band="0/0 31.5; " * 9,
        cost_yuan=123_456_789_012.0, inside_m2=98_765_432.1,
    )  # fmt: skip
    pg.write_ledger(given, place, campaign=campaign, nodes=campaign.nodes(), title=f"{LONG} & 台账")
    return SimpleNamespace(campaign=campaign, book=openpyxl.load_workbook(place, data_only=True))


def test_headings_are_those_of_their_noun(written):
    people = set(rows_of(written.book["租户清退表"]))
    assert {"租户名称", "租户类型", "承租面积 (m²)", "租约到期"} <= people
    for name in ("节点推进表", "责任分解表", "督查台账"):
        heads = set(rows_of(written.book[name]))
        assert "完成期限" in heads
        assert "清拆期限" not in heads  # which is a renewal area's


def test_who_pays_is_headed_as_in_the_campaign(written):
    assert "出资主体" in set(rows_of(written.book["资金测算(按主体)"]))


def test_pages_side_by_side_have_the_title_in_their_heads(long_names):
    """From the columns that are repeated a title can't reach over those beside them."""
    beside = [s for s in long_names.book.worksheets[1:] if (s.page_setup.fitToWidth or 1) > 1]
    assert beside
    for sheet in beside:
        assert f"{LONG} & 台账".replace("&", "&&") in sheet.oddHeader.left.text
        assert sheet.print_area.split("!")[1].startswith("$A$3:")


@pytest.mark.parametrize("names", ["written", "long_names"])
def test_nothing_is_cut_off(names, request):
    """A column is as wide as its widest text, or its row as high as the lines of it."""
    written = request.getfixturevalue(names)
    from PIL import ImageFont

    files = pytest.importorskip("matplotlib.font_manager")
    font = ImageFont.truetype(files.findfont("DejaVu Sans"), 100)
    digit = font.getlength("0") / 100

    def wide(text):
        """Width in digits: a Chinese sign stands in a square of the letter's size."""
        return sum(1 / digit if ord(c) > 0x2E80 else font.getlength(c) / 100 / digit for c in text)

    for sheet in written.book.worksheets[1:]:
        # columns beside one another that are as wide stand in the file as one
        widths = {k: one.width for one in sheet.column_dimensions.values()
                  for k in range(one.min, one.max + 1)}  # fmt: skip
        for row in sheet.iter_rows(min_row=3):
            high = sheet.row_dimensions[row[0].row].height or 15
            for cell in row:
                room = widths[cell.column] - 1
                if isinstance(cell.value, NUMBERS) and not isinstance(cell.value, bool):
                    digits = f"{cell.value:,.2f}" if "0.00" in cell.number_format else (
                        f"{100 * cell.value:.1f}%" if "%" in cell.number_format else
                        f"{cell.value:,.0f}")  # fmt: skip
                    bold = 1.15 if cell.font.b else 1.0
                    assert wide(digits) * bold <= room + 1, (sheet.title, cell.coordinate, digits)
                if not isinstance(cell.value, str) or str(cell.value).startswith("制表"):
                    continue
                assert wide(cell.value) <= room * round(high / 15) + 0.5, (sheet.title, cell.value)


def test_changes_beside_a_campaign_bear_no_ids_that_are_its_nodes(written, tmp_path):
    """A comparison numbers its own nodes from 001, as the campaign has numbered others."""
    rivers = river_frame({"甲": [(506_000, 2_503_000), (506_400, 2_503_000)]})
    houses = building_frame({"S": shapely.box(506_020, 2_503_012, 506_030, 2_503_022)}, floors=1)
    lines = {"宽": pg.red_line(rivers, 15), "窄": pg.red_line(rivers, 10)}
    both = pg.compare(lines, houses, rivers)
    c, heads = written.campaign, {}
    for name, given in {"with": c, "without": None}.items():
        place = tmp_path / f"{name}.xlsx"
        pg.write_ledger(c.tasks.buildings, place, campaign=given, comparison=both)
        heads[name] = rows_of(openpyxl.load_workbook(place)["方案差异"])
    assert heads["with"]["房屋编号"].tolist() == heads["without"]["房屋编号"].tolist() == ["S"]
    assert "征拆节点" in heads["without"]
    assert "征拆节点" not in heads["with"]
