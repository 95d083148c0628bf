"""Chainages that run up from the mouth, unsaid; and a design that overtops, said."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

import pinghu_geo as pg
from conftest import building_frame, river_frame
from pinghu_geo.project import summary_lines

X, Y = 506_000.0, 2_503_000.0


def sections(bed, at=None):
    """Channels 20 m wide, walls 6 m high."""
    at = np.arange(len(bed)) * 500.0 if at is None else at
    table = pd.DataFrame({"river": "A", "chainage_m": at, "bed_level_m": bed})
    table["bank_level_m"] = table["bed_level_m"] + 6
    return pg.design_sections(table.assign(left_m=10.0, right_m=10.0, n=0.03))


@pytest.mark.parametrize(
    "bed",
    [[0.0, 0.5, 1.0, 1.5, 2.0], [0.0, 0.6, 0.5, 1.2, 1.9], [3.0, 4.0, 5.0, 6.0]],
)
def test_chainages_from_the_mouth_up_are_not_taken_for_an_adverse_bed(bed):
    made = sections(bed)
    with pytest.raises(pg.errors.HydraulicsError, match="run up from the mouth") as error:
        pg.water_profile(made, 50.0, {"slope": 0.001})
    river = river_frame({"A": [(0, 0), (500.0 * (len(bed) - 1), 0)]})
    space = {"rivers": river}
    exec(error.value.hint, space)
    found = pg.water_profile(made, 50.0, {"slope": 0.001}, rivers=space["rivers"])
    assert found["chainage_m"].is_monotonic_decreasing
    # the same river with its chainages turned has the same levels
    turned = sections(bed[::-1])
    plain = pg.water_profile(turned, 50.0, {"slope": 0.001})
    assert found["level_m"].to_numpy() == pytest.approx(plain["level_m"].to_numpy(), abs=1e-6)
    # whoever says that the bed rises is believed
    pg.water_profile(made, 50.0, {"level_m": max(bed) + 5}, rivers=river)


@pytest.mark.parametrize(
    "bed", [[2.0, 1.5, 1.0, 0.5, 0.0], [1.0, 0.5, 0.0, 1.8], [0.0, 0.1, 0.2, 0.3], [0.0, 3.0]]
)
def test_sills_holes_and_gentle_rises_are_computed(bed):
    pg.water_profile(sections(bed), 50.0, {"level_m": max(bed) + 4})


def test_a_design_that_overtops_is_said(tmp_path):
    flood = [
        {"river": "A", "profile": "50年一遇", "n_overtopped": 3, "freeboard_m_min": -0.42,
         "freeboard_at": "K1+200.0"},
        {"river": "B", "profile": "50年一遇", "n_overtopped": 0, "freeboard_m_min": 0.8,
         "freeboard_at": "K0+000.0"},
    ]  # fmt: skip
    said = {
        "schemes": [],
        "by_verdict": [],
        "least_said": {},
        "said": [],
        "warnings": [],
        "campaign": [],
    }
    (tmp_path / "summary.json").write_text(json.dumps(said | {"flood": flood}), "utf-8")
    assert summary_lines(tmp_path) == [
        "设计方案漫顶:A 50年一遇,3 个断面水位高于岸顶,最低超高 -0.42 m(K1+200.0)。"
    ]


def _project_that_overtops(tmp_path, more=""):
    """Level water of 3 and 3.5 m in rivers with banks at 2.9, 3.4 and 6 m."""
    rivers = river_frame(
        {name: [(X, Y + k), (X + 400, Y + k)] for k, name in ((0, "A"), (900, "B"), (1800, "C"))}
    )
    house = building_frame({"S": shapely.box(X + 20, Y + 12, X + 30, Y + 22)}, floors=1)
    pg.write_layer(rivers, tmp_path / "河道.gpkg", "rivers")
    pg.write_layer(house, tmp_path / "房屋.gpkg", "buildings")
    at = np.tile([0.0, 200.0, 400.0], 3)
    river = np.repeat(["A", "B", "C"], 3)
    tops = pd.Series(river).map({"A": 2.9, "B": 3.4, "C": 6.0})
    design = pd.DataFrame({"river": river, "chainage_m": at, "bed_level_m": 0.0, "left_m": 10.0,
                           "right_m": 10.0, "bank_level_m": 6.0, "left_top_m": tops, "right_top_m": 6.0, "n": 1e-4})  # fmt: skip
    design.to_csv(tmp_path / "设计断面.csv", index=False)
    floods = [(r, p) for p in ("P=5%", "P=2%") for r in "ABC"]
    flows = pd.DataFrame(floods, columns=["river", "profile"]).assign(
        chainage_m=0.0, discharge_m3s=1.0
    )
    flows.to_csv(tmp_path / "设计流量.csv", index=False)
    # next to no flow: the water stands level
    ends = flows[["river", "profile"]].assign(
        level_m=flows["profile"].map({"P=5%": 3.0, "P=2%": 3.5})
    )
    ends.to_csv(tmp_path / "边界条件.csv", index=False)
    with rasterio.open(
        tmp_path / "地面高程.tif", "w", driver="GTiff", width=60, height=250, count=1, dtype="float32",
        crs=4547, transform=rasterio.Affine(10, 0, X - 100, 0, -10, Y + 2200),
    ) as dem:  # fmt: skip
        dem.write(np.full((1, 250, 60), 6.0, "float32"))
    file = tmp_path / "project.toml"
    file.write_text(
        'crs = 4547\n[layers]\nbuildings = "房屋.gpkg"\nrivers = "河道.gpkg"\n[schemes."原"]\nwidths = 15\n'
        '[flood]\ndesign = "设计断面.csv"\nflows = "设计流量.csv"\nboundaries = "边界条件.csv"\n'
        'dem = "地面高程.tif"\nallowed_mm = 20\nfreeboard_m = 0.0\n' + more, "utf-8",
    )  # fmt: skip
    return file


def test_a_run_says_where_the_design_overtops(tmp_path):
    """The lower bank of one river in both floods, of another in the greater; levels by hand."""
    file = _project_that_overtops(tmp_path)
    pg.run_project(file, tmp_path / "结果")
    said = [line for line in summary_lines(tmp_path / "结果") if "漫顶" in line]
    # a section every 20 m; where the least freeboard stands is a matter of the last digit
    assert [line.partition("(")[0] for line in said] == [
        "设计方案漫顶:A P=5%,21 个断面水位高于岸顶,最低超高 -0.10 m",
        "设计方案漫顶:A P=2%,21 个断面水位高于岸顶,最低超高 -0.60 m",
        "设计方案漫顶:B P=2%,21 个断面水位高于岸顶,最低超高 -0.10 m",
    ]


def test_a_freeboard_by_a_standard_is_told_and_in_no_level(tmp_path):
    """River C's banks stand 3 and 2.5 m above the floods: below 2.7 m in the greater one."""
    file = _project_that_overtops(
        tmp_path,
        'bank_freeboard_m = 2.7\nbank_freeboard_standard = "某标准"\n'
        'bank_freeboard_clause = "第 9 条"\n',
    )
    pg.run_project(file, tmp_path / "结果")
    flood = json.loads((tmp_path / "结果" / "summary.json").read_text("utf-8"))["flood"]
    of_c = {row["profile"]: row for row in flood if row["river"] == "C"}
    assert [of_c[p]["n_below_freeboard"] for p in ("P=5%", "P=2%")] == [0, 21]
    assert of_c["P=2%"]["freeboard_source"] == "某标准 第 9 条"
    assert of_c["P=2%"]["freeboard_m_min"] == pytest.approx(2.5, abs=1e-3)
    said = [line for line in summary_lines(tmp_path / "结果") if "不足" in line and "C " in line]
    assert len(said) == 1
    assert said[0].startswith(
        "不足 某标准 第 9 条 要求的超高 2.7 m(由项目给定,软件未核对):C P=2%,21 个断面,最小 2.50 m"
    )
    rows = pd.read_excel(tmp_path / "结果" / "hydraulics.xlsx", sheet_name="超高", header=2)
    assert set(rows["超高依据(由项目给定)"].dropna()) == {"某标准 第 9 条"}
    assert set(rows["要求超高 (m)"].dropna()) == {2.7}


@pytest.mark.parametrize(
    "lines",
    ["bank_freeboard_m = 0.6", 'bank_freeboard_standard = "GB 50286-2013"',
     'bank_freeboard_m = 0.6\nbank_freeboard_standard = "GB 50286-2013"\n'
     'bank_freeboard_clause = " "'],
)  # fmt: skip
def test_a_freeboard_without_its_source_is_refused(tmp_path, lines):
    file = _project_that_overtops(tmp_path, lines + "\n")
    with pytest.raises(pg.errors.ProjectError, match="a number with its standard and its clause"):
        pg.run_project(file, tmp_path / "结果")


def test_a_run_says_how_many_are_in_review_for_want_of_what_a_form_asks(tmp_path):
    file = _project_that_overtops(tmp_path)
    wanted = "待核中 1 栋缺少依据:填入 {}(项目文件 [flood] evidence 所指的表)"
    out = pg.run_project(file, tmp_path / "a", outputs=["summary"])
    assert wanted.format("留房依据.xlsx") in summary_lines(out)
    form = tmp_path / "依据.xlsx"
    pg.deliver.write_blank_form("evidence", form, rows=[{"building_id": "S", "sewage_ok": "是"}])
    text = file.read_text("utf-8")
    file.write_text(text + 'evidence = "依据.xlsx"\n', "utf-8")
    out = pg.run_project(file, tmp_path / "b", outputs=["summary"])
    assert wanted.format("依据.xlsx") in summary_lines(out)  # the other four are blank
    told = {"building_id": "S"} | dict.fromkeys(
        ("sewage_ok", "optional", "structure_ok", "title_ok"), "是"
    )
    pg.deliver.write_blank_form("evidence", form, rows=[told])
    out = pg.run_project(file, tmp_path / "c", outputs=["summary"])
    # nobody has told whether a developer clears it: no layer of zones, no cell of the form
    assert wanted.format("依据.xlsx") in summary_lines(out)
    pg.deliver.write_blank_form("evidence", form, rows=[told | {"in_project": "否"}])
    out = pg.run_project(file, tmp_path / "d", outputs=["summary", "gpkg"])
    assert not [line for line in summary_lines(out) if "缺少依据" in line]
    judged = gpd.read_file(out / "results.gpkg", layer="affected").iloc[0]
    assert "属更新整备范围" not in judged["reason"]


def _project_beside_a_zone(tmp_path, east):
    """A project with a form of evidence, and a zone of renewal so far east of its house."""
    file = _project_that_overtops(tmp_path, 'evidence = "依据.xlsx"\n')
    zone = gpd.GeoDataFrame(
        {"zone_id": ["Z"], "kind": ["renewal"]},
        geometry=[shapely.box(X + east, Y, X + east + 60, Y + 40)], crs=4547,
    ).set_index("zone_id")  # fmt: skip
    pg.write_layer(zone, tmp_path / "更新.gpkg", "zones")
    text = file.read_text("utf-8").replace("[schemes", 'zones = "更新.gpkg"\n[schemes', 1)
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize(("east", "within"), [(0, True), (200, False)])
def test_a_blank_cell_of_the_form_denies_no_layer_of_zones(tmp_path, east, within):
    """A zone around the house, and one 200 m away: the form's column of zones is left blank."""
    file = _project_beside_a_zone(tmp_path, east)
    told = {"building_id": "S"} | dict.fromkeys(
        ("sewage_ok", "optional", "structure_ok", "title_ok"), "是"
    )
    pg.deliver.write_blank_form("evidence", tmp_path / "依据.xlsx", rows=[told])
    out = pg.run_project(file, tmp_path / "结果", outputs=["summary", "gpkg"])
    judged = gpd.read_file(out / "results.gpkg", layer="affected").iloc[0]
    assert (judged["verdict"] == "demolish") is within, judged["reason"]
    assert "属更新整备范围" not in judged["reason"]


@pytest.mark.parametrize(("east", "said"), [(0, "否"), (200, "是")])
def test_evidence_that_contradicts_the_layer_of_zones_is_refused(tmp_path, east, said):
    """The verdict followed the form, and who clears the house the layer."""
    file = _project_beside_a_zone(tmp_path, east)
    pg.deliver.write_blank_form(
        "evidence", tmp_path / "依据.xlsx", rows=[{"building_id": "S", "in_project": said}]
    )
    with pytest.raises(pg.errors.LayerError, match="(?s)属更新整备范围.*: S"):
        pg.run_project(file, tmp_path / "结果", outputs=["summary"])
