"""What does `check` tell beyond errors? Columns that aren't read, and what a run would note."""

import json

import meeting
import pandas as pd
import pytest

import pinghu_geo as pg


def _houses(folder, **columns):
    """The houses of the project with columns of their own."""
    file = meeting.project(folder)
    houses = pg.read_layer(folder / "房屋.gpkg", "buildings").assign(**columns)
    pg.write_layer(houses, folder / "房屋.gpkg", "buildings")
    return file, pg.read_layer(folder / "房屋.gpkg", "buildings")


@pytest.mark.parametrize(
    ("name", "words", "column", "codes"),
    [
        ("产权", ["有证", "历史遗留"], "title", ["registered", "historical"]),
        ("产权", ["无房产证", "有房产证"], "title", ["unregistered", "registered"]),
        ("产权", ["集体", "私人"], "tenure", ["collective", "private"]),
        ("房屋产权", ["国有产权", "私产"], "tenure", ["state", "private"]),
        ("权属类型", ["集体所有", None], "tenure", ["collective", None]),
        ("property right", ["private", "state"], "tenure", ["private", "state"]),
    ],
)
def test_a_property_right_is_what_its_words_say(tmp_path, name, words, column, codes):
    _, read = _houses(tmp_path, **{name: words})
    assert [None if pd.isna(v) else v for v in read[column]] == codes
    assert not ({"title", "tenure"} - {column}) & set(read.columns)


def test_both_rights_are_read_side_by_side(tmp_path):
    _, read = _houses(tmp_path, 产权=["有证", "无证"], 权属=["集体", "私有"])
    assert read["title"].tolist() == ["registered", "unregistered"]
    assert read["tenure"].tolist() == ["collective", "private"]


def test_a_right_that_no_words_tell_is_asked_about(tmp_path):
    file, read = _houses(tmp_path, 产权=["红本在手", "另有约定"])
    assert not {"title", "tenure"} & set(read.columns)
    found = pg.check_project(file)
    asked = found[found["fault"] == "unsure_column"]
    assert asked["advice"].tolist() == ['是则写明 columns = { title = "产权" }']
    # said, it is read, and its words are the next thing to say
    text = file.read_text("utf-8").replace(
        'buildings = "房屋.gpkg"',
        'buildings = { path = "房屋.gpkg", columns = { title = "产权" } }',
    )
    file.write_text(text, "utf-8")
    found = pg.check_project(file)
    assert set(found.loc[found["fault"] == "unknown_code", "field"]) == {"title"}


def test_a_table_of_rates_by_property_right_is_read(tmp_path):
    path = tmp_path / "补偿标准.csv"
    path.write_text("用途,产权,房屋补偿单价\n住宅,有证,4500\n住宅,无证,1500\n", "utf-8")
    assert pg.read_table(path, "rates")["title"].tolist() == ["registered", "unregistered"]


def test_columns_that_nothing_reads_are_named_in_one_line_a_layer(tmp_path):
    file, _ = _houses(tmp_path, 网格员="张三", 备注=["甲", "乙"], 产权="集体", 户型=[1, 2])
    table = pd.read_csv(tmp_path / "设计流量.csv").assign(来源="水文站")
    table.to_csv(tmp_path / "设计流量.csv", index=False)
    found = pg.check_project(file)
    told = found[found["fault"] == "unread_columns"].set_index("layer")
    assert told["problem"].to_dict() == {
        "buildings": "未读取的列(3):网格员、备注、户型",
        "flows": "未读取的列(1):来源",
    }
    assert set(told["severity"]) == {"note"}
    # a column that a condition asks for is read
    text = file.read_text("utf-8").replace(
        'buildings = "房屋.gpkg"', 'buildings = { path = "房屋.gpkg", where = "户型 >= 1" }'
    )
    file.write_text(text, "utf-8")
    found = pg.check_project(file, lang="en")
    told = found[found["fault"] == "unread_columns"].set_index("layer")
    assert told.loc["buildings", "problem"] == "columns that aren't read (2): 网格员, 备注"


CAMPAIGN = '[campaign]\nadopted = "原方案"\nstart = "2018-01-02"\n'


def test_what_a_campaign_is_measured_by_is_asked_for_before_the_flood(tmp_path, monkeypatch):
    """Missing tenants were told after search and flood had been computed."""
    file = meeting.project(tmp_path, more=CAMPAIGN)
    houses = pg.read_layer(tmp_path / "房屋.gpkg", "buildings").drop(columns="tenants")
    pg.write_layer(houses, tmp_path / "房屋.gpkg", "buildings")
    found = pg.check_project(file)
    [row] = found[found["severity"] == "error"].to_dict("records")
    assert row["layer"] == "buildings"
    assert "租户数" in row["problem"]
    assert "0" in row["advice"]
    monkeypatch.setattr("pinghu_geo.designing.designed_river", None)  # nobody comes there
    with pytest.raises(pg.errors.LayerError, match=r"buildings \(房屋.gpkg\): lack tenants"):
        pg.run_project(file, tmp_path / "结果")


def test_check_tells_what_a_run_would_note(tmp_path):
    """Floor areas that are estimated, working days that aren't known: told with the results."""
    file = meeting.project(tmp_path, more=CAMPAIGN.replace("2018", "1998"))
    found = pg.check_project(file)
    told = found[found["fault"] == "run_notice"]
    assert set(told["severity"]) == {"note"}
    assert set(told["layer"]) == {"project.toml"}
    assert len(pg.intake.check_summary(told)) == len(told) == 2  # none stands for another
    noted = " ".join(told["problem"])
    assert "2 栋房屋中有 2 栋" in noted
    assert "放假安排" in noted
    out = pg.run_project(file, tmp_path / "结果", outputs=["summary"])
    said = json.loads((out / "summary.json").read_text("utf-8"))["warnings"]
    # but for what is said of the houses of a scheme, which check says of all
    assert {f"运行时会提示:{one}" for one in said} == set(told["problem"])


def test_a_bridge_by_two_methods_is_no_fault():
    """energy+momentum, which the column has always held, was none of its words."""
    path = pg.sample_folder() / "桥涵闸坝.csv"
    table = pg.read_table(path, "structures")
    assert table["method"].dropna().str.contains("+", regex=False).any()
    found = pg.check(table, "structures")
    assert found[found["field"] == "method"].empty
    found = pg.check(table.assign(method="energy+guess"), "structures")
    assert set(found.loc[found["field"] == "method", "fault"]) == {"unknown_code"}
