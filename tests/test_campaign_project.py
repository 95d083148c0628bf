"""A project's campaign from its file and from the shell: adopt, forms, reports, any day."""

import json
import os
import re
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

import pinghu_geo as pg
from conftest import building_frame, river_frame
from pinghu_geo.cli import app
from pinghu_geo.nouns.messages import translated

HEAD = """crs = 4547
name = "小河"
[layers]
buildings = "房屋.gpkg"
rivers = "河道.gpkg"
[tables]
rates = "标准.csv"
[schemes."宽"]
widths = "宽.csv"
[schemes."窄"]
widths = "窄.csv"
"""
CAMPAIGN = """[campaign]
adopted = "窄"
start = "2018-01-02"
calendar = "days"
groups = ["甲组", "乙组"]
tenants = "租户.csv"
handover = "进场.csv"
capacity = "工效.csv"
work = 0.5
"""


@pytest.fixture
def project(tmp_path):
    """A small project in a folder of its own."""
    return small_project(tmp_path)


def small_project(tmp_path):
    """Eight houses at a river of 1 km; the narrow scheme spares the last two."""
    houses = building_frame(
        {f"B{k}": shapely.box(100 * k + 50, 5 if k < 6 else 14, 100 * k + 60, 20) for k in range(8)},
        floors=2.0, use="residential", owner="某", tenants=1.0, tenure="private",
    )  # fmt: skip
    pg.write_layer(houses, tmp_path / "房屋.gpkg", "buildings")
    pg.write_layer(river_frame({"A": [(0, 0), (1000, 0)]}), tmp_path / "河道.gpkg", "rivers")
    for name, wide in (("宽", 17), ("窄", 10)):
        text = f"河道,桩号,左宽,右宽\nA,0,{wide},{wide}\nA,1000,{wide},{wide}\n"
        (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    files = {
        "标准": "用途,房屋补偿单价\n住宅,5000\n",
        "租户": "租户编号,房屋编号,租户名称\n" + "".join(f"T{k},B{k},某\n" for k in range(8)),
        "进场": "河道,起点桩号,终点桩号,要求移交日期\nA,0,1000,2018-06-30\n",
        "工效": "责任组,阶段,队伍数\n甲组,谈判,1\n乙组,谈判,1\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    path = tmp_path / "project.toml"
    path.write_text(HEAD + CAMPAIGN, "utf-8")
    return path


def said(*words):
    got = CliRunner().invoke(app, [str(w) for w in words])
    if got.exception is not None and not isinstance(got.exception, SystemExit):
        raise got.exception
    assert got.exit_code == 0, got.output
    return got.output


def report(folder, text, name="日报.csv"):
    (folder / name).write_text("房屋编号,租户编号,阶段,日期,更正原因\n" + text, "utf-8")
    return folder / name


def test_a_run_is_about_the_adopted_scheme(project, tmp_path):
    out = pg.run_project(project, tmp_path / "out")
    told = json.loads((out / "summary.json").read_text("utf-8"))
    assert told["adopted"] == "窄"
    assert told["campaign"][0] == "采用窄。"
    layer = gpd.read_file(out / "results.gpkg", layer="affected").set_index("building_id")
    assert layer.index.tolist() == [f"B{k}" for k in range(6)]
    assert set(layer["task_class"]) == {"task"}
    nodes = gpd.read_file(out / "results.gpkg", layer="nodes")
    assert nodes["n_buildings"].sum() == 6
    assert set(nodes["group"]) == {"甲组", "乙组"}
    assert nodes["due"].notna().all()
    sheets = pd.read_excel(out / "campaign.xlsx", sheet_name=None)
    assert {"分类汇总", "节点", "责任段", "倒排工期", "督查", "作业面", "资金测算"} <= set(sheets)
    assert sheets["资金测算"]["计划支付 (元)"].sum() == pytest.approx(6 * 150 * 2 * 5000)
    assert not (tmp_path / "campaign.gpkg").exists()  # a run only reads


ALWAYS = {"summary.json", "manifest.json", "reading.log"}
OF_OUTPUT = {
    "gpkg": {"results.gpkg", "results.qgz"}, "ledger": {"ledger.xlsx"}, "map": {"map.html"},
    "campaign": {"campaign.xlsx"}, "board": {"board.html"}, "diagram": {"time_chainage.pdf"},
    "schedule": {"schedule.xml"}, "summary": set(),
}  # fmt: skip


def test_a_run_writes_the_outputs_that_are_wanted_and_they_are_the_same(project, tmp_path):
    whole = pg.run_project(project, tmp_path / "whole")
    held = {p.name: p.read_bytes() for p in whole.iterdir()}
    assert set(held) == ALWAYS.union(*OF_OUTPUT.values())
    for output, files in OF_OUTPUT.items():
        out = pg.run_project(project, tmp_path / output, outputs=[output])
        assert {p.name for p in out.iterdir()} == ALWAYS | files, output
        for name in {"summary.json", "reading.log"} | files:
            assert (out / name).read_bytes() == held[name], name
        assert set(json.loads((out / "manifest.json").read_text("utf-8"))["outputs"]) == (
            {"summary.json", "reading.log"} | files
        )
    project.write_text('outputs = ["board", "schedule"]\n' + project.read_text("utf-8"), "utf-8")
    out = pg.run_project(project, tmp_path / "file")
    assert {p.name for p in out.iterdir()} == ALWAYS | {"board.html", "schedule.xml"}
    # the shell comes first, and takes several names in either way
    said("run", project, "--out", tmp_path / "a", "--only", "ledger, map", "--quiet")
    said("run", project, "--out", tmp_path / "b", "--only", "map", "--only", "ledger")
    for name in ("a", "b"):
        assert {p.name for p in (tmp_path / name).iterdir()} == ALWAYS | {"ledger.xlsx", "map.html"}
    # a folder of fewer results takes the place of one of more
    pg.run_project(project, whole, outputs=["map"], force=True)
    assert {p.name for p in whole.iterdir()} == ALWAYS | {"map.html"}


def test_outputs_that_there_are_none_of_are_refused_before_anything_is_read(project, tmp_path):
    with pytest.raises(pg.errors.ProjectError, match="outputs must be") as fault:
        pg.run_project(project, tmp_path / "o", outputs=["ledger", "bord"])
    assert fault.value.hint == "did you mean 'board'?"
    assert translated(str(fault.value), "zh").startswith(
        "project.toml:outputs 须为列表,由下列若干项组成:summary, gpkg"
    )
    with pytest.raises(pg.errors.ProjectError, match="outputs must be a list"):
        pg.run_project(project, tmp_path / "o", outputs=[])
    with pytest.raises(
        pg.errors.ProjectError, match=r"output hydraulics needs a section \[flood\]"
    ):
        pg.run_project(project, tmp_path / "o", outputs=["map", "hydraulics"])
    text = project.read_text("utf-8")
    for given, why in (('["bord"]', "outputs must be a list of some of"), ("[]", "outputs must be"),
                       ('"map"', "outputs must be"), ("[1]", "outputs must be"),
                       ('["hydraulics"]', r"needs a section \[flood\].*line 1")):  # fmt: skip
        project.write_text(f"outputs = {given}\n{text}", "utf-8")
        with pytest.raises(pg.errors.ProjectError, match=why):
            pg.run_project(project, tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_from_forms_to_a_board_of_any_day(project, tmp_path):
    lines = said("forms", project, "--out", tmp_path / "填报").split("接下来")[0].split()
    assert [line.rpartition("/")[2] for line in lines if line.endswith("xlsx")] == [
        "进度填报_甲组.xlsx", "进度填报_乙组.xlsx"]  # fmt: skip
    package = tmp_path / "填报" / "外业填报包.gpkg"
    assert pg.campaign.read_reports(package).empty
    assert package.with_suffix(".qgz").exists()
    form = tmp_path / "填报" / "进度填报_甲组.xlsx"
    book = openpyxl.load_workbook(form)
    sheet = book["房屋"]
    heads = [c.value for c in sheet[4]]
    first = sheet.cell(5, heads.index("编号") + 1).value
    for name, value in {"本次阶段": "签约", "日期": "2018-02-20", "填报人": "甲"}.items():
        sheet.cell(5, heads.index(name) + 1).value = value
    book.save(form)
    told = said("update", project, form, "--today", "2018-03-01")
    assert "填报 1 条,新增 1 条" in told
    assert "新增 0 条,已有 1 条" in said("update", project, form, "--today", "2018-03-01")
    told = said("update", project, report(tmp_path, f",T{first[1:]},签约,2018-03-02,\n"),
                "--today", "2018-03-05")  # fmt: skip
    assert "新增 1 条" in told
    said("campaign", project, "--out", tmp_path / "a", "--as-of", "2018-02-25")
    said("campaign", project, "--out", tmp_path / "b")
    for name, house, tenant in (("a", "签约", "未启动"), ("b", "签约", "签约")):
        sheets = pd.read_excel(tmp_path / name / "campaign.xlsx", sheet_name=None)
        states = sheets["房屋状态"].set_index("房屋编号")["阶段"]
        assert states[first] == house
        assert sheets["租户状态"].set_index("租户编号").loc[f"T{first[1:]}", "阶段"] == tenant


FAULTS = {
    "B9,,签约,2018-02-01,": "no building of this campaign",
    "B7,,签约,2018-02-01,": "belongs to the scheme 宽 only",
    ",T7,签约,2018-02-01,": "no tenant of this campaign",
    "B1,,签约,2018-12-01,": "in the future",
    "B1,,签约,43160,": "Excel's numbers of days: 43160 would be 2018-03-01",
    "B1,,签约,二月,": "can't be read for certain",
    "B1,,签约,,": r"reports without a date \(1: 日报.csv 第2行\)",
    "B1,,拆掉,2018-02-01,": "unknown stage '拆掉'",
    "B1,,拆除,2018-02-01,": "拆除 without 签约",
}


def test_reports_that_cannot_be_are_refused_in_their_own_words(project, tmp_path):
    for text, words in FAULTS.items():
        with pytest.raises(pg.errors.LayerError, match=words):
            pg.update_project(project, [report(tmp_path, text + "\n")], today="2018-03-01")
    kept = pg.campaign.open_store(tmp_path / "campaign.gpkg", "小河")
    assert kept.log().empty
    assert kept.scheme() == "窄"


def test_an_adopted_scheme_without_a_task_has_a_campaign(project, tmp_path):
    """No house on the line, groups and crews named: nothing to do is no mistake."""
    text = "河道,桩号,左宽,右宽\nA,0,1,1\nA,1000,1,1\n"
    (tmp_path / "窄.csv").write_text(text, "utf-8")
    told = said("campaign", project, "--out", tmp_path / "推进")
    assert "没有征拆节点" in told
    assert "没有可填的表" in said("forms", project, "--out", tmp_path / "填报")
    out = pg.run_project(project, tmp_path / "out")
    sheets = pd.read_excel(out / "campaign.xlsx", sheet_name=None)
    assert sheets["分类汇总"]["房屋栋数 (栋)"].tolist() == [0] * 5
    assert sheets["作业面"]["长度 (m)"].tolist() == [1000, 1000]
    with pytest.raises(pg.errors.LayerError, match="belongs to the scheme 宽 only"):
        pg.update_project(project, [report(tmp_path, "B0,,签约,2018-02-01,\n")])


def test_a_campaign_of_nothing_but_houses_of_others(project, tmp_path):
    zone = gpd.GeoDataFrame(
        {"name": ["更新单元"], "kind": "renewal", "due": pd.Timestamp("2018-05-01")},
        index=pd.Index(["Z1"], name="zone_id"), geometry=[shapely.box(0, 0, 1000, 60)], crs=4547,
    )  # fmt: skip
    pg.write_layer(zone, tmp_path / "片区.gpkg", "zones")
    text = (HEAD + CAMPAIGN).replace("[tables]", 'zones = "片区.gpkg"\n[tables]')
    project.write_text(text, "utf-8")
    told = said("campaign", project, "--out", tmp_path / "推进")
    assert "他方清拆:6 栋" in told
    assert "没有征拆节点" in told
    sheets = pd.read_excel(tmp_path / "推进" / "campaign.xlsx", sheet_name=None)
    faces = sheets["作业面"]
    # six houses of 10 m block the works all the same, until their own clearers are due
    assert faces.groupby("可移交")["长度 (m)"].sum().to_dict() == {"否": 60, "是": 1940}
    due = faces.loc[faces["可移交"] == "否", "可移交日期"]
    assert pd.to_datetime(due).eq(pd.Timestamp("2018-05-01")).all()


# bad input in the project's tables: the shell names table, file, row, and a cure
BAD_TABLES = {
    "工效.csv": {
        "责任组,阶段,队伍数\n甲组,谈判,1\n丙组,谈判,1\n": "工效 (工效.csv):写到没有责任段的组",
        "责任组,阶段,队伍数\n甲组,谈判,0\n乙组,谈判,1\n": "(1:2)",
        "责任组,阶段,每队每日工效\n甲组,谈判,0\n乙组,谈判,1\n": "工效 (工效.csv):",
    },
    "进场.csv": {
        "河道,起点桩号,终点桩号,要求移交日期\nA,0,1000,2018-06-30\nA,0,150,2017-06-30\n": (
            "进场计划 (进场.csv):要求移交作业面的日期早于推进开始日 2018-01-02:A-L-001(1:3)"
        ),
        "河道,起点桩号,终点桩号,要求移交日期\nB,0,1000,2018-06-30\n": (
            "进场计划 (进场.csv):有河道图层中没有的河道(1:2)"
        ),
        "河道,起点桩号,终点桩号,要求移交日期\nA,0,1000,六月底\n": (
            "进场计划 (进场.csv):needed_by(要求移交日期)有 '六月底',不是日期(1:2)"
        ),
        "河道,起点桩号,终点桩号,要求移交日期\nA,0,1000,43281\n": "43281 应为 2018-06-30(1:2)",
    },
    "租户.csv": {
        "租户编号,房屋编号\nT0,B0\nT9,B99\n": "租户 (租户.csv):有租户没有对应的房屋(1:T9)",
        "租户编号,房屋编号\nT0,B0\nT0,B1\n": "租户 (租户.csv):租户编号为空或重复(1:T0)",
    },
}


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, them in BAD_TABLES.items() for t in them])
def test_the_shell_names_the_file_of_a_bad_table(project, name, text):
    (project.parent / name).write_text(text, "utf-8")
    with pytest.raises(pg.errors.LayerError) as caught:
        pg.campaign_project(project, project.parent / "推进")
    assert BAD_TABLES[name][text] in caught.value.said_in("zh")
    assert caught.value.hint_in("zh")
    assert not re.search(r"\bp[dg]\.|\] = ", caught.value.hint)  # nobody types Python there


@pytest.mark.parametrize(
    ("lost", "wanted"),
    [(["tenants"], "租户数"), (["floors"], "层数"), (["floors", "tenants"], "层数")],
)
def test_the_shell_says_which_column_of_the_houses_a_campaign_lacks(project, lost, wanted):
    file = project.parent / "房屋.gpkg"
    whole = gpd.read_file(file)
    whole.drop(columns=lost).to_file(file)
    text = project.read_text("utf-8").replace('tenants = "租户.csv"\n', "")
    project.write_text(text, "utf-8")
    with pytest.raises(pg.errors.LayerError) as caught:
        pg.campaign_project(project, project.parent / "推进")
    assert wanted in caught.value.hint_in("zh")
    assert not re.search(r"\bp[dg]\.|\] = ", caught.value.hint)  # nobody types Python there
    told = pg.check_project(project)
    assert caught.value.hint_in("zh") in told.loc[told["severity"] == "error", "advice"].tolist()
    whole.to_file(file)  # as the hint says
    assert pg.check_project(project)["severity"].ne("error").all()


def test_a_check_says_the_rows_of_a_refusal_once(project):
    (project.parent / "进场.csv").write_text(
        "河道,起点桩号,终点桩号,要求移交日期\nB,0,1000,2018-06-30\n"
    )
    told = pg.check_project(project)
    row = told[told["layer"].str.startswith("handover")].iloc[0]
    assert (row["id"], row["problem"]) == ("2", "有河道图层中没有的河道")


def test_the_day_a_node_is_held_against_is_one_in_all_that_is_written(project, tmp_path):
    """campaign.xlsx and ledger had the day of the plan from today, past days of what is done too."""
    stages = ["摸底", "测绘评估", "谈判", "签约", "清租腾空", "拆除", "清运", "移交"]
    text = "".join(f"B0,,{s},2018-0{k + 1}-05,\n" for k, s in enumerate(stages))
    said("update", project, report(tmp_path, text), "--today", "2018-09-01")
    out = pg.run_project(project, tmp_path / "out", outputs=["campaign", "ledger", "gpkg", "board"])
    sheets = pd.read_excel(out / "campaign.xlsx", sheet_name=None)
    plan, nodes = sheets["倒排工期"], sheets["节点"].set_index("征拆节点")
    last = plan[plan["阶段"] == "移交"].set_index("征拆节点")["计划完成"]
    again = sheets["重排工期"]
    again = again[again["阶段"] == "移交"].set_index("征拆节点")["计划完成"]
    assert nodes["完成期限"].to_dict() == last.to_dict()
    assert nodes["实际或预计完成"].to_dict() == again.to_dict()
    assert nodes.loc["A-L-001", "实际或预计完成"] == pd.Timestamp("2018-08-05")  # as reported
    assert (nodes["实际或预计完成"].iloc[1:] > pd.Timestamp("2018-08-05")).all()
    ledger = pd.read_excel(out / "ledger.xlsx", sheet_name="节点推进表", header=2)
    ledger = ledger.dropna(subset="征拆节点").set_index("征拆节点")["完成期限"]
    assert ledger.reindex(last.index).to_dict() == last.to_dict()
    layer = gpd.read_file(out / "results.gpkg", layer="nodes").set_index("node_id")
    assert pd.to_datetime(layer["due"]).to_dict() == last.to_dict()
    board = (out / "board.html").read_text("utf-8")
    assert all(f"{day:%m-%d}" in board for day in last)


@pytest.mark.parametrize("surveyed", ["all", "adopted"])
@pytest.mark.parametrize("counted", [True, False])
def test_tenants_of_the_table_are_one_number_in_all_that_is_written(project, surveyed, counted):
    """Ledger and comparison said unknown, or what the houses' layer said, beside the board's."""
    folder = project.parent
    file, people = folder / "房屋.gpkg", [("T0", "B0"), ("T1", "B0"), ("T2", "B3")]
    people += [("T6", "B6")] if surveyed == "all" else []
    whole = gpd.read_file(file)
    whole = whole.assign(tenants=5.0) if counted else whole.drop(columns="tenants")
    whole.to_file(file)
    rows = "".join(f"{t},{b},某\n" for t, b in people)
    (folder / "租户.csv").write_text(f"租户编号,房屋编号,租户名称\n{rows}", "utf-8")
    out = pg.run_project(project, folder / "out", outputs=["ledger", "gpkg"])
    ledger = pd.read_excel(out / "ledger.xlsx", sheet_name="征拆台账", header=2)
    of = ledger.dropna(subset="房屋编号").set_index("房屋编号")["租户数 (户)"]
    assert of.reindex([f"B{k}" for k in range(6)]).tolist() == [2, 0, 0, 1, 0, 0]
    nodes = gpd.read_file(out / "results.gpkg", layer="nodes")
    assert nodes["n_tenants"].sum() == 3
    told = json.loads((out / "summary.json").read_text("utf-8"))["schemes"]
    schemes = {row["scheme"]: row for row in told}
    assert (schemes["窄"]["n_tenants"], schemes["窄"]["n_tenants_unknown"]) == (3, 0)
    # of a house that the adopted scheme leaves nobody asked, unless table or layer have it
    lost = 0 if counted else 2 - (surveyed == "all")
    more = (surveyed == "all") + (5 * (2 - (surveyed == "all")) if counted else 0)
    assert (schemes["宽"]["n_tenants"], schemes["宽"]["n_tenants_unknown"]) == (3 + more, lost)


def test_houses_of_which_table_and_layer_count_other_tenants_are_said(project):
    (project.parent / "租户.csv").write_text("租户编号,房屋编号\nT0,B0\nT1,B0\n", "utf-8")
    told = said("run", project, "--out", project.parent / "out", "--only", "summary")
    assert "6 栋房屋的租户数与租户表不一致,以租户表为准:B0, B1" in told


def test_what_is_late_by_now_is_said_beside_the_plan(project, tmp_path):
    told = said("campaign", project, "--out", tmp_path / "前", "--as-of", "2017-12-01")
    assert "其中 0 个不能按期" in told
    assert "进度第一" not in told  # both groups stand at the start
    assert "按现状重排" not in told
    said("update", project, report(tmp_path, "B0,,测绘评估,2018-02-10,\n"), "--today", "2018-03-01")
    told = said("campaign", project, "--out", tmp_path / "后", "--as-of", "2019-05-01").splitlines()
    assert "6 个节点,其中 0 个不能按期提供作业面。" in told
    assert "按现状重排:6 个节点,其中 6 个不能按期提供作业面。" in told


def test_reports_that_cannot_be_are_named_in_chinese(project, tmp_path):
    text = "B1,,签约,2018-02-01,\nB1,,谈判,2018-02-03,\nB7,,签约,2018-02-01,\n,X,签约,2018-02-01,\n"
    with pytest.raises(pg.errors.LayerError) as caught:
        pg.update_project(project, [report(tmp_path, text)])
    assert caught.value.said_in("zh") == (
        "进度记录:有不可能的填报:B7(日报.csv 第4行)只属方案宽,不在采用方案之内;"
        "B1(日报.csv 第3行 与 日报.csv 第2行)谈判 晚于 签约,又没有更正原因;"
        "X(日报.csv 第5行)不是本次征拆的租户(3:B7, B1, X)。"
    )


def test_groups_without_a_name_and_twice_are_named(project, tmp_path):
    project.write_text((HEAD + CAMPAIGN).replace('["甲组", "乙组"]', '"组.csv"'), "utf-8")
    for rows, words in (
        ("甲组,甲\n,乙\n", r"groups \(组.csv\): has rows without a group's name \(1: 3\)"),
        ("甲组,甲\n甲组,乙\n", r"groups \(组.csv\): has groups twice \(1: 甲组\)"),
    ):
        (tmp_path / "组.csv").write_text(f"责任组,责任人\n{rows}", "utf-8")
        with pytest.raises(pg.errors.LayerError, match=words):
            pg.campaign_project(project, tmp_path / "推进")


def test_nodes_keep_their_ids_after_adoption(project, tmp_path):
    pg.adopt_scheme(project)
    before = pg.campaign.open_store(tmp_path / "campaign.gpkg", "小河").nodes()
    extra = building_frame({"A0": shapely.box(10, 5, 20, 20)}, floors=2.0, use="residential",
                           owner="新", tenants=0.0, tenure="private")  # fmt: skip
    old = pg.read_layer(tmp_path / "房屋.gpkg", "buildings")
    pg.write_layer(pd.concat([extra, old]), tmp_path / "房屋.gpkg", "buildings")
    out = pg.run_project(project, tmp_path / "out")
    after = gpd.read_file(out / "results.gpkg", layer="affected").set_index("building_id")[
        "node_id"
    ]
    assert after[before.index].tolist() == before.tolist()
    assert after["A0"] in set(before) or after["A0"] > before.max()


PLANS = {
    'adopted = ["宽", "窄"]': "adopts 2 schemes: 宽, 窄; a campaign is about one",
    'adopted = "宅"': "'宅', which is no scheme",
    "": "lacks adopted",
}


@pytest.mark.parametrize("line", PLANS)
def test_project_files_that_adopt_no_one_scheme_are_refused(project, line):
    project.write_text((HEAD + CAMPAIGN).replace('adopted = "窄"', line), "utf-8")
    with pytest.raises(pg.errors.ProjectError, match=PLANS[line]):
        pg.campaign_project(project, project.parent / "out")


def test_a_first_day_that_is_none_is_refused_with_its_line(project):
    project.write_text((HEAD + CAMPAIGN).replace("2018-01-02", "二月"), "utf-8")
    with pytest.raises(pg.errors.ProjectError) as caught:
        pg.update_project(project, [])
    assert caught.value.said_in("zh") == (
        "project.toml:[campaign] start='二月' 不是日期(第 14 行)。"
    )


def test_what_is_odd_about_a_campaign_is_said_on_the_screen(project, tmp_path):
    report(tmp_path, "B7,,签约,2018-02-01,\nB1,,签约,2018-02-02,\n", "旧日志.csv")
    text = (HEAD + CAMPAIGN).replace('"days"', '"china"').replace("2018-01-02", "2018-01-03")
    more = 'log = "旧日志.csv"\ndistrict_total = { floor_area_m2 = 3600 }\n'
    project.write_text(text + more, "utf-8")
    told = said("campaign", project, "--out", tmp_path / "推进")
    assert "任务占全区(建筑面积)50.00%" in told
    share = pd.read_excel(tmp_path / "推进" / "campaign.xlsx", sheet_name="占全区比例")
    assert share.iloc[0].tolist()[:4] == ["建筑面积 (m²)", 1800, 3600, 0.5]
    assert "注意:1 条填报涉及采用方案不拆的 1 处" in told
    assert "1 条填报涉及" in (tmp_path / "推进" / "summary.txt").read_text("utf-8")


def test_a_store_of_another_project_or_scheme_is_refused(project, tmp_path):
    pg.campaign.open_store(tmp_path / "campaign.gpkg", "大河").adopt("窄", pd.Series({"B1": "x"}))
    with pytest.raises(pg.errors.ProjectError, match="another project: 大河, not 小河"):
        pg.run_project(project, tmp_path / "out")
    (tmp_path / "campaign.gpkg").unlink()
    pg.campaign.open_store(tmp_path / "campaign.gpkg", "小河").adopt("宽", pd.Series({"B1": "x"}))
    with pytest.raises(pg.errors.ProjectError, match="two schemes are adopted: 宽 in the store"):
        pg.update_project(project, [report(tmp_path, "B1,,签约,2018-02-01,\n")])


def test_reports_on_spared_houses_are_said_and_not_counted(project, tmp_path):
    report(tmp_path, "B7,,签约,2018-02-01,\nB1,,签约,2018-02-02,\n", "旧日志.csv")
    project.write_text(HEAD + CAMPAIGN + 'log = "旧日志.csv"\n', "utf-8")
    out = pg.run_project(project, tmp_path / "out")
    told = json.loads((out / "summary.json").read_text("utf-8"))
    assert any("1 条填报涉及采用方案不拆的 1 处" in w and "B7" in w for w in told["warnings"])
    states = pd.read_excel(out / "campaign.xlsx", sheet_name="房屋状态").set_index("房屋编号")
    assert states.loc["B1", "阶段"] == "签约"


def test_new_reports_are_held_against_the_log_that_was_there_before(project, tmp_path):
    report(tmp_path, "B1,,签约,2018-02-10,\n", "旧日志.csv")
    project.write_text(HEAD + CAMPAIGN + 'log = "旧日志.csv"\n', "utf-8")
    with pytest.raises(
        pg.errors.LayerError, match=r"日报.csv 第2行 and 旧日志.csv 第2行: 谈判 after 签约"
    ):
        pg.update_project(project, [report(tmp_path, "B1,,谈判,2018-02-20,\n")])
    told = pg.update_project(
        project, [report(tmp_path, "B1,,签约,2018-02-10,\nB1,,拆除,2018-03-01,\n")]
    )
    assert told[["n_new", "n_known"]].values.tolist() == [[1, 1]]


def test_the_wall_is_written_with_the_reports(project, tmp_path):
    wall = tmp_path / "墙"
    pg.update_project(project, [report(tmp_path, "B0,,谈判,2018-02-20,\n")], board=wall)
    assert sorted(p.name for p in wall.iterdir()) == ["board.html", "map.html"]
    before = (wall / "board.html").read_bytes()
    assert "截至 2018-02-20" in before.decode()
    told = said("update", project, report(tmp_path, "B1,,谈判,2018-02-25,\n"), "--board", wall)
    assert all(str(wall / name) in told for name in ("board.html", "map.html"))
    assert "台账与各表未更新" in told
    assert "作战板、作战图" not in told
    assert "截至 2018-02-25" in (wall / "board.html").read_text("utf-8")
    said("campaign", project, "--out", tmp_path / "月初", "--as-of", "2018-02-20")
    assert (tmp_path / "月初" / "board.html").read_bytes() == before
    assert (tmp_path / "月初" / "time_chainage.pdf").read_bytes().startswith(b"%PDF")


def test_what_a_run_would_note_is_noted_by_an_update_that_computes(project, tmp_path):
    """The wall was written without a word of what changed since the plan was adopted."""
    said("update", project, report(tmp_path, "B0,,谈判,2018-02-20,\n"))
    project.write_text((HEAD + CAMPAIGN).replace("2018-01-02", "2018-02-02"), "utf-8")
    later = report(tmp_path, "B1,,谈判,2018-02-25,\n")
    told = said("update", project, later, "--board", tmp_path / "墙")
    assert "start 在采用第 1 版计划后已更改" in told
    assert '--again "理由"' in told


@pytest.mark.parametrize("name", ["summary.txt", "manifest.json"])
def test_a_disk_that_fails_at_any_file_of_a_day_is_said_and_the_old_day_stays(
    project, tmp_path, monkeypatch, name
):
    out = tmp_path / "推进"
    pg.campaign_project(project, out, as_of="2018-02-20")
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    write = Path.write_text, Path.write_bytes

    def failing(which):
        def written(self, *given, **more):
            if self.name == name:
                raise OSError(28, "No space left on device")
            return write[which](self, *given, **more)

        return written

    monkeypatch.setattr(Path, "write_text", failing(0))
    monkeypatch.setattr(Path, "write_bytes", failing(1))
    with pytest.raises(pg.errors.OutputError, match="the disk is full"):
        pg.campaign_project(project, out, as_of="2018-02-25", force=True)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


def test_what_a_person_changed_in_a_folder_of_reports_is_kept(project, tmp_path):
    out = tmp_path / "推进"
    pg.campaign_project(project, out)
    pg.campaign_project(project, out, force=True)
    assert not list(out.glob("*_kept*"))
    with (out / "campaign.xlsx").open("ab") as file:
        file.write(b"changed")
    (out / "mine.txt").write_text("mine")
    pg.campaign_project(project, out, force=True)
    assert (out / "campaign_kept1.xlsx").read_bytes().endswith(b"changed")
    assert (out / "mine.txt").read_text() == "mine"
    # one of an earlier version, which listed nothing, is still its own
    (out / "manifest.json").unlink()
    pg.campaign_project(project, out, force=True)
    (out / "manifest.json").write_text("[]")
    (out / "summary.txt").unlink()
    with pytest.raises(pg.errors.OutputError, match="not made by pinghu"):
        pg.campaign_project(project, out, force=True)


def test_a_manifest_that_lists_no_files_is_no_crash(project, tmp_path):
    out = pg.run_project(project, tmp_path / "out")
    said = json.loads((out / "manifest.json").read_text("utf-8"))
    (out / "manifest.json").write_text(json.dumps(said | {"outputs": 5}), "utf-8")
    pg.run_project(project, out, force=True)
    assert isinstance(json.loads((out / "manifest.json").read_text("utf-8"))["outputs"], dict)


OWN_STAGES = """[[stage]]
code = "known"
zh = "入户"
letter = "入"
unit = "building"
shown_as = "todo"
[[stage]]
code = "agreed"
zh = "协商签约"
letter = "约"
unit = "household"
days = 2
shown_as = "signed"
pays = true
[[stage]]
code = "gone"
zh = "推平"
letter = "推"
unit = "m2"
days = 0.01
shown_as = "demolished"
clears = true
"""


def test_an_office_reads_its_own_words_for_its_own_stages(project, tmp_path):
    project.write_text((HEAD + CAMPAIGN).replace('capacity = "工效.csv"', 'stages = "阶段.toml"'))
    (tmp_path / "阶段.toml").write_text(OWN_STAGES, "utf-8")
    said("campaign", project, "--out", tmp_path / "推进", "--as-of", "2018-05-01")
    sheets = pd.read_excel(tmp_path / "推进" / "campaign.xlsx", sheet_name=None)
    assert set(sheets["倒排工期"]["阶段"]) == {"入户", "协商签约", "推平"}
    assert set(sheets["督查"]["下一阶段"]) == {"入户"}
    assert set(sheets["督查"]["应达阶段"]) == {"推平"}
    assert sheets["督办"]["督办事项"].str.startswith("推平应于").all()
    assert sheets["节点附表2 先后依据"]["优先理由"].str.contains("入户").all()


@pytest.mark.parametrize(
    ("line", "hint"),
    [('days = "两天"', "days = 1.5"), ('after = "known"', 'after = ["survey"]'),
     ("letter = 1", 'letter = "..."'), ('pays = "是"', "pays = true"),
     ("wait_days = 30", "wait_days = {any = 30}"), ('wait_days = { any = "30" }', "wait_days = {any = 30}")],
)  # fmt: skip
def test_a_stage_of_another_kind_is_refused_with_one_that_is_none(tmp_path, line, hint):
    key = line.partition(" ")[0]
    first = [row for row in OWN_STAGES.splitlines()[:6] if not row.startswith(f"{key} ")]
    (tmp_path / "阶段.toml").write_text("\n".join([*first, line]), "utf-8")
    with pytest.raises(
        pg.errors.LayerError, match=f"stage 1: {key} = .* of another kind"
    ) as caught:
        pg.campaign.stage_rules(tmp_path / "阶段.toml")
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("call", "spoilt"),
    [(call, kind) for kind in ("folder", "file", "report", "scheme") for call in ("adopt", "update")
     if (call, kind) != ("adopt", "report")],
)  # fmt: skip
def test_what_an_update_cannot_use_is_said_before_the_work(
    project, tmp_path, monkeypatch, call, spoilt
):
    """Computing a campaign takes a minute: a store that can't be written is known before."""
    daily = report(tmp_path, "B1,,谈判,2018-02-25,\n")
    store = project.parent / "campaign.gpkg"
    if spoilt == "folder":
        store.mkdir()
    elif spoilt == "file":
        pg.adopt_scheme(project)
        access = os.access
        monkeypatch.setattr(os, "access", lambda p, *way: Path(p) != store and access(p, *way))
    elif spoilt == "report":
        daily = tmp_path / "日抱.csv"
    else:
        kept = pg.campaign.open_store(store, "another name of the same")
        monkeypatch.setattr(
            type(kept), "scheme", lambda _: "another scheme than the project's", raising=True
        )

    def worked(*_, **__):
        raise AssertionError("computed first")

    monkeypatch.setattr("pinghu_geo.office.project_campaign", worked)
    said = {"folder": "is a folder", "file": "can't be written",
            "report": "there is no file", "scheme": "two schemes are adopted"}[spoilt]  # fmt: skip
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(pg.PinghuError, match=said):
        pg.adopt_scheme(project) if call == "adopt" else pg.update_project(project, [daily])
    assert sorted(tmp_path.rglob("*")) == before
