"""Rivers that meet and part in a project file: read, checked, computed, shown."""

import json

import geopandas as gpd
import meeting
import numpy as np
import pandas as pd
import pytest

import pinghu_geo as pg
from conftest import typed


def _levels(out):
    rows = pd.read_excel(out / "hydraulics.xlsx", sheet_name=0, header=2).dropna(how="all")
    return {r: part["水位 (m)"].to_numpy(float) for r, part in rows.groupby("河道", sort=False)}


def test_a_project_gives_the_levels_that_the_library_gives(tmp_path):
    """Combining by momentum and parting by energy, beside a river that is alone."""
    file = meeting.project(tmp_path)
    out = pg.run_project(file, tmp_path / "结果")
    rivers = pg.read_layer(tmp_path / "河道.gpkg", "rivers")
    design = pg.design_sections(pg.read_table(tmp_path / "设计断面.csv", "design"))
    made = pg.sections_from_dem(
        rivers, tmp_path / "地面高程.tif", design, n=0.05, half_width_m=30, spacing_m=100
    )
    profile = pg.water_profile(
        made.sections, pg.read_table(tmp_path / "设计流量.csv", "flows"),
        pg.read_table(tmp_path / "边界条件.csv", "boundaries"), banks=made.banks, rivers=rivers,
        junctions=pg.read_table(tmp_path / "汇流口.csv", "junctions"),
    )  # fmt: skip
    told = _levels(out)
    assert set(told) == set(meeting.LINES)
    for river, part in profile.groupby("river"):
        assert np.sort(told[river]) == pytest.approx(np.sort(part["level_m"]), abs=5e-3)
    # by momentum rivers meet at one level
    assert told["东溪"].min() == pytest.approx(told["西溪"].min(), abs=1e-9)
    assert "汇流口.csv" in json.loads((out / "manifest.json").read_text("utf-8"))["inputs"]
    hit = pg.read_layer(out / "results.gpkg", "affected", layer="affected")
    assert set(hit.index) == {"H1", "H2"}
    # 25 and 25 m³/s don't ask for one energy in branches 12 and 8 m wide: the house above the
    # parting is in review, that at the river alone isn't doubted
    assert hit["rise_alone_mm"].notna().to_dict() == {"H1": False, "H2": True}
    assert hit.loc["H1", "verdict"] == "review"
    profile = profile.set_index("river")
    assert profile.loc["干流", "doubts"].str.contains("split").any()


def test_what_a_junction_does_is_told_on_its_sheet(tmp_path):
    """Discharges as stated, a level for both rivers by momentum, and what was reckoned with."""
    out = pg.run_project(meeting.project(tmp_path), tmp_path / "结果", outputs=["hydraulics"])
    rows = pd.read_excel(out / "hydraulics.xlsx", sheet_name="汇流口", header=2)
    rows = rows.dropna(subset="汇流口").set_index(["汇流口", "河道"])
    assert rows.index.tolist() == [(name, river) for name, river, *_ in meeting.JUNCTIONS]
    assert rows["流量 (m³/s)"].tolist() == [meeting.FLOWS[r] for _, r, *_ in meeting.JUNCTIONS]
    assert rows["流向"].tolist() == [role for _, _, role, *_ in meeting.JUNCTIONS]
    assert rows["算法"].unique().tolist() == ["动量法", "能量法"]
    assert rows["长度 (m)"].iloc[:2].tolist() == [20, 25]
    assert rows["夹角 (°)"].iloc[:2].tolist() == [30, 40]
    levels = rows["水位 (m)"]
    assert levels["汇口", "东溪"] == levels["汇口", "西溪"]
    assert rows.loc[("汊口", "干流"), "提示"] == "按所给分流,各汊能头不一致"
    # on the map and among the layers
    out = pg.run_project(tmp_path / "project.toml", tmp_path / "图", outputs=["map", "gpkg"])
    page = (out / "map.html").read_text("utf-8")
    assert "汇流口 汊口" in page
    drawn = gpd.read_file(out / "results.gpkg", layer="junctions").set_index("junction")
    assert drawn["label"].tolist() == ["汇流口 汇口", "汇流口 汊口"]
    centre = drawn.geometry.centroid
    assert (centre.x - meeting.X).round(6).tolist() == [400, 800]
    assert (centre.y - meeting.Y).round(6).tolist() == [0, 0]


def test_a_balanced_split_is_that_of_one_energy(tmp_path):
    """The wide branch takes more, both heads agree, and no house is in review for it."""
    file = meeting.project(tmp_path, more='split = "balanced"\n')
    out = pg.run_project(file, tmp_path / "结果", outputs=["hydraulics", "gpkg"])
    rows = pd.read_excel(out / "hydraulics.xlsx", sheet_name="汇流口", header=2)
    rows = rows.dropna(subset="汇流口").set_index(["汇流口", "河道"])
    flow = rows["流量 (m³/s)"]
    assert flow["汊口", "左汊"] + flow["汊口", "右汊"] == pytest.approx(50, abs=0.01)
    assert flow["汊口", "左汊"] > 28
    assert "提示" not in rows  # the sheet of the split that is given has it
    hit = pg.read_layer(out / "results.gpkg", "affected", layer="affected")
    assert hit["rise_alone_mm"].notna().all()


def test_an_english_workbook_of_junctions_is_read(tmp_path):
    """English headings and words, and a sheet of another name."""
    table = pd.DataFrame({
        "Junction": ["M", "M", "M"], "River": ["东溪", "西溪", "干流"], "Role": ["in", "in", "out"],
        "Length (m)": [20, 25, None], "Angle (deg)": [30, 40, None],
        "Method": ["momentum", None, None], "Friction": ["yes", None, None],
    })  # fmt: skip
    with pd.ExcelWriter(tmp_path / "meet.xlsx") as book:
        table.to_excel(book, sheet_name="where rivers meet", index=False)
    read = pg.read_table(tmp_path / "meet.xlsx", "junctions")
    assert read["role"].tolist() == ["in", "in", "out"]
    assert read["length_m"].iloc[:2].tolist() == [20, 25]
    assert read["angle_deg"].iloc[:2].tolist() == [30, 40]
    assert read["friction"].iloc[0] == True  # noqa: E712


LOOP = pd.DataFrame([("回口", "左汊", "汇入", 20, "", ""), ("回口", "东溪", "流出", "", "", "")],
                    columns=meeting.HEADINGS)  # fmt: skip
NO_END = {"左汊": 0.0005, "独河": 0.0005}


@pytest.mark.parametrize(
    ("wrong", "who", "said"),
    [
        ({"r1_河道": "西西溪"}, ["西西溪"], "有河道图层没有的河道"),
        ({"r1_长度(m)": ""}, ["汇口 西溪"], "缺少汇流口的长度"),
        ({"r1_河道": "东溪"}, ["东溪"], "同一条河两次流入或流出汇流口"),
        ({"r0_夹角(°)": 120}, ["汇口 东溪"], "夹角不在 0 至 90 度之间"),
        ({"r0_夹角(°)": 200}, ["2"], "超出合理范围"),
        ({"r0_流向": "来"}, ["2"], "流向 '来'"),
        ({"r1_河道": ""}, ["3"], "河道为空"),
        ({"r1_算法": "能量法"}, ["汇口"], "method 既写 momentum 又写 energy"),
        ({"r2_流向": "汇入"}, ["汇口"], "3 条河流入、0 条流出"),
    ],
)
def test_check_says_what_is_wrong_with_a_junction(tmp_path, wrong, who, said):
    """Cured, each is the table of the next test."""
    file = meeting.project(tmp_path, junctions=meeting.junction_rows(**wrong))
    _is_told(file, "junctions", who, said)


@pytest.mark.parametrize(
    ("wrong", "layer", "who", "said"),
    [
        ({"flows": {"左汊": 30.0}}, "junctions", ["汊口: 干流 50, 左汊 30, 右汊 25"],
         "流入 50 m³/s,流出 55 m³/s"),
        ({"junctions": pd.concat([meeting.junction_rows(), LOOP])}, "junctions",
         ["东溪", "干流", "左汊"], "水流成环"),
        ({"ends": NO_END | {"右汊": 0.0005, "东溪": 0.0005}}, "boundaries", ["东溪"],
         "流入汇流口的河又给了边界条件"),
        ({"ends": NO_END}, "boundaries", ["-"], "右汊 缺少边界条件"),
    ],
)  # fmt: skip
def test_check_says_what_does_not_go_with_the_junctions(tmp_path, wrong, layer, who, said):
    file = meeting.project(tmp_path, **wrong)
    _is_told(file, layer, who, said)
    with pytest.raises(pg.PinghuError):
        pg.run_project(file, tmp_path / "out")


def _errors(file):
    found = pg.check_project(file)
    return found[found["severity"] == "error"]


def _is_told(file, layer, who, said):
    found = _errors(file)
    mine = found[found["layer"] == layer]
    assert mine["id"].tolist() == who
    assert mine["problem"].str.contains(said, regex=False).all()
    assert mine["advice"].str.strip().astype(bool).all()
    assert not mine["advice"].str.contains("junctions[", regex=False).any()
    assert set(found["layer"]) == {layer}


def test_all_that_is_wrong_with_junctions_is_told_at_once(tmp_path):
    rows = meeting.junction_rows(**{"r0_夹角(°)": 120, "r4_长度(m)": "", "r1_河道": "西西溪"})
    found = _errors(meeting.project(tmp_path, junctions=rows))
    assert found["id"].tolist() == ["汇口 东溪", "汊口 左汊", "西西溪"]


def test_which_of_two_columns_is_meant_is_typed_in_the_project_file(tmp_path):
    """The cure was a call of `read_table`, of whoever types no Python."""
    rows = meeting.junction_rows()
    rows["长度(km)"] = [9, 9, "", "", 9, 9]
    file = meeting.project(tmp_path, junctions=rows)
    (cure,) = _errors(file)["advice"]
    assert 'columns = { length_m = "长度(m)" }' in cure
    line = cure.split("#")[0].strip()
    text = file.read_text("utf-8")
    cured = text.replace('"汇流口.csv"', f'{{ path = "汇流口.csv", {line} }}')
    file.write_text(cured, "utf-8")
    assert _errors(file).empty


def test_which_of_two_sheets_is_meant_is_typed_in_the_project_file(tmp_path):
    file = meeting.project(tmp_path)
    with pd.ExcelWriter(tmp_path / "汇流口.xlsx") as book:
        for sheet in ("原", "改"):
            meeting.junction_rows().to_excel(book, sheet_name=sheet, index=False)
    file.write_text(file.read_text("utf-8").replace("汇流口.csv", "汇流口.xlsx"), "utf-8")
    cures = _errors(file)["advice"].unique()
    assert len(cures) == 1
    line = cures[0].split("#")[0].strip()
    assert line == 'sheet = "原"'
    text = file.read_text("utf-8")
    cured = text.replace('"汇流口.xlsx"', f'{{ path = "汇流口.xlsx", {line} }}')
    file.write_text(cured, "utf-8")
    assert _errors(file).empty


def test_a_search_within_a_rise_refuses_junctions_before_it_begins(tmp_path):
    least = '[schemes."少拆"]\nleast = { from = "原方案", step_m = 2.0, allowed_mm = 20 }\n'
    file = meeting.project(tmp_path, least=least)
    with pytest.raises(pg.errors.ProjectError, match="knows no junctions") as told:
        pg.check_project(file)
    assert "leave allowed_mm out" in told.value.hint
    code, _, fault = typed("run", file, "--out", tmp_path / "结果")
    assert code == 2
    assert "汇流口" in fault
    # the cure: by width and conveyance; the flood is computed with the junctions
    file.write_text(file.read_text("utf-8").replace(", allowed_mm = 20 }", " }"), "utf-8")
    out = pg.run_project(file, tmp_path / "结果", outputs=["hydraulics"])
    with pd.ExcelFile(out / "hydraulics.xlsx") as book:
        assert "汇流口" in book.sheet_names


def test_a_sound_table_of_junctions_has_nothing_to_fill_in(tmp_path):
    """Blank lengths and angles of the common river were told row by row."""
    found = pg.check_project(meeting.project(tmp_path))
    assert found[found["layer"] == "junctions"].empty
    assert not (found["severity"] == "error").any()


def test_the_keys_of_junctions_are_explained():
    code, said, _ = typed("explain", "flood.junctions")
    assert code == 0
    assert "汇流口" in said
    assert "balanced" in typed("explain", "split")[1]
