"""From a folder of other people's files to a project that runs."""

import json
import re
import shutil
import tomllib
import zipfile

import geopandas as gpd
import openpyxl
import pytest
import shapely

import pinghu_geo as pg
from conftest import typed
from pinghu_geo.keys import KEYS
from pinghu_geo.plan import read_plan

X0, Y0 = 500_000, 2_500_000


@pytest.fixture
def folder(tmp_path):
    """OSM-like buildings without sound ids, rivers in parts, a road, and a file that is none."""
    place = tmp_path / '城"市'
    place.mkdir()
    shapes = [shapely.box(X0 + x, Y0 + 5, X0 + x + 10, Y0 + 15) for x in (100, 200, 300)]
    gpd.GeoDataFrame(
        {"osm_id": ["1", "1", "2"], "building": "yes", "building:levels": [2, 3, 4]},
        geometry=shapes, crs=4547,
    ).to_crs(4490).to_file(place / "b.geojson")  # fmt: skip
    lines = {
        "O'Neill": [[(0, 0), (400, 0)], [(700, 0), (410, 0)]],
        "远": [[(0, 90_000), (50, 90_000)]],
        "断": [[(0, 20), (40, 20)], [(300, 20), (340, 20)]],
        None: [[(0, 60), (90, 60)]],
    }
    rows = [
        (n, shapely.LineString([(X0 + x, Y0 + y) for x, y in p]))
        for n, ps in lines.items()
        for p in ps
    ]
    gpd.GeoDataFrame(
        {"name": [n for n, _ in rows], "waterway": "river"}, geometry=[g for _, g in rows], crs=4547
    ).to_file(place / "lines.gpkg", layer="w")
    gpd.GeoDataFrame({"highway": ["a"]}, geometry=[rows[0][1]], crs=4547).to_file(
        place / "lines.gpkg", layer="r"
    )
    (place / "broken.shp").write_bytes(b"nothing")
    return place


def test_a_folder_becomes_a_project_that_runs_when_its_form_is_filled(folder):
    found = pg.new_project(folder).set_index(["file", "layer"])
    assert found["what"].to_dict() == {
        ("b.geojson", ""): "buildings", ("broken.shp", ""): "",
        ("lines.gpkg", "r"): "", ("lines.gpkg", "w"): "rivers",
    }  # fmt: skip
    said = tomllib.loads((folder / "project.toml").read_text("utf-8"))
    assert said["crs"] == 4547
    assert said["layers"]["buildings"] == {"path": "b.geojson", "row_ids": True}
    assert said["layers"]["rivers"] == {
        "path": "lines.gpkg", "layer": "w", "where": "\"name\" in ('O''Neill')", "join_gap_m": 20,
    }  # fmt: skip
    with pytest.raises(pg.errors.PinghuError):  # nobody has said how wide
        pg.run_project(folder / "project.toml", folder / "out")
    book = openpyxl.load_workbook(folder / "红线宽度.xlsx")
    sheet = book["红线宽度表"]
    assert [[c.value for c in row[:2]] for row in sheet["A2:B3"]] == [["O'Neill", "0.0"], ["O'Neill", "700.0"]]  # fmt: skip
    for row in (2, 3):
        sheet.cell(row, 3).value, sheet.cell(row, 4).value = 12, 15
    book.save(folder / "红线宽度.xlsx")
    pg.run_project(folder / "project.toml", folder / "out")
    hit = gpd.read_file(folder / "out" / "results.gpkg", layer="affected")
    assert hit["inside_m2"].tolist() == pytest.approx([70, 70, 70], abs=0.01)


def test_nothing_is_overwritten(folder):
    (folder / "补偿标准.xlsx").write_bytes(b"mine")
    pg.new_project(folder)
    assert (folder / "补偿标准.xlsx").read_bytes() == b"mine"
    (folder / "project.toml").write_text("mine", "utf-8")
    with pytest.raises(pg.errors.OutputError, match="already"):
        pg.new_project(folder)
    assert (folder / "project.toml").read_text("utf-8") == "mine"


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(pg.errors.ProjectError, match="no folder"):
        pg.new_project(tmp_path / "x")
    with pytest.raises(pg.errors.ProjectError, match="no layer of buildings"):
        pg.new_project(tmp_path)


def test_the_sample_from_the_shell(tmp_path):
    sample = pg.sample_folder()
    for file in sample.iterdir():
        if file.suffix != ".toml":
            shutil.copy(file, tmp_path)
    code, text, err = typed("new", tmp_path)
    assert code == 0, err
    assert "✓ 房屋  房屋.shp" in text
    assert "✓ 河道  河道.shp" in text
    assert "地面高程  地面高程.tif" in text
    said = tomllib.loads((tmp_path / "project.toml").read_text("utf-8"))
    assert set(said["schemes"]) == {"红线宽度_原方案", "红线宽度_优化方案"}
    assert said["tables"] == {"rates": "补偿标准_示例.csv", "segments": "责任段.csv"}
    assert not (tmp_path / "红线宽度.xlsx").exists()
    faults = pg.check_project(tmp_path / "project.toml")
    assert not (faults["severity"] == "error").any(), (
        faults[faults["severity"] == "error"].head().to_string()
    )


@pytest.mark.parametrize(
    "name", ["地形.tif", "DTM_5m.tif", "地面高程.tif", "terrain.tif", "ground.tif"]
)
def test_the_ground_is_told_by_its_name(folder, name):
    shutil.copy(pg.sample_folder() / "地面高程.tif", folder / name)
    found = pg.new_project(folder).set_index("file")
    assert found.at[name, "what"] == "dem"
    assert f'# dem = "{name}"' in (folder / "project.toml").read_text("utf-8")


def test_the_form_of_reaches_names_each_river_from_end_to_end(folder):
    pg.new_project(folder)
    rows = list(openpyxl.load_workbook(folder / "责任段.xlsx").worksheets[0].values)
    assert rows[0][:3] == ("河道", "起点桩号", "终点桩号")
    widths = list(openpyxl.load_workbook(folder / "红线宽度.xlsx").worksheets[0].values)
    assert [row[:3] for row in rows[1:]] == [("O'Neill", widths[1][1], widths[2][1])]


def test_a_second_layer_of_houses_is_not_passed_over_in_silence(folder):
    """Half of the houses in another file: none of them was computed with, and nothing said so."""
    houses = gpd.read_file(folder / "b.geojson")
    houses.iloc[:1].to_file(folder / "房屋_西.geojson")
    code, said, err = typed("new", str(folder))
    assert code == 0, err
    assert "未取:房屋_西.geojson" in said
    text = (folder / "project.toml").read_text("utf-8")
    assert "如应一并计算,先合并为一个图层:房屋_西.geojson (1)" in text


def test_rivers_that_are_left_out_are_named(tmp_path):
    sample = pg.sample_folder()
    rivers = gpd.read_file(sample / "河道.shp")
    houses = gpd.read_file(sample / "房屋.shp")
    houses[houses.intersects(rivers.geometry[0].buffer(100))].to_file(tmp_path / "房屋.gpkg")
    rivers.to_file(tmp_path / "河道.gpkg")
    pg.new_project(tmp_path)
    text = (tmp_path / "project.toml").read_text("utf-8")
    rest = re.search(r"未取的河\((\d) 条\):(.*)", text)
    assert rest, text
    assert "木古河" in rest[2]
    assert len(rest[2].split(", ")) == int(rest[1])


def test_a_check_writes_nothing_that_nobody_asked_for(folder, monkeypatch):
    monkeypatch.chdir(folder)
    typed("new", ".")
    before = sorted(p.name for p in folder.iterdir())
    _, said, _ = typed("check", "project.toml", "--no-isolate")
    assert sorted(p.name for p in folder.iterdir()) == before
    assert "pinghu check project.toml --out check.xlsx" in said
    typed("check", "project.toml", "--no-isolate", "--out", "check.xlsx")
    assert (folder / "check.xlsx").exists()


def test_the_shell_speaks_one_language(folder):
    code, said, _ = typed("new", str(folder), "--lang", "en")
    assert code == 0
    assert not set(re.sub(r'城\\?"市', "", said)) & CHINESE
    text = (folder / "project.toml").read_text("utf-8")
    assert 'lang = "en"' in text
    (folder / "project.toml").write_text(text.replace('"widths.xlsx"', "-1", 1), "utf-8")
    code, said, fault = typed("run", str(folder / "project.toml"), "--out", str(folder / "out"))
    assert code == 2
    assert fault.startswith("error: ")
    assert "widths must be file or number" in fault
    code, said, fault = typed(
        "run", str(folder / "project.toml"), "--out", str(folder / "out"), "--lang", "zh"
    )
    assert fault.startswith("错误:")
    assert "widths 须为 文件或数 [m],不小于 0或表" in fault
    (folder / "project.toml").write_text(text.replace('"widths.xlsx"', "15", 1), "utf-8")
    code, said, steps = typed("run", str(folder / "project.toml"), "--out", str(folder / "out"))
    assert "reading the layers" in steps
    assert "look at this first" in said
    assert "floor area of 3 of 3 buildings" in said
    log = (folder / "out" / "reading.log").read_text("utf-8")
    assert "buildings: 3 rows of b.geojson" in log
    code, _, steps = typed(
        "run", str(folder / "project.toml"), "--out", str(folder / "out"), "--force", "-q"
    )
    assert (code, steps) == (0, "")


CHINESE = {chr(c) for c in range(0x4E00, 0x9FFF)}


def test_version_keys_and_schema_from_the_shell(tmp_path):
    def told(*words):
        _, out, err = typed(*words)
        return out + err

    assert told("--version").strip() == f"pinghu_geo {pg.__version__}"
    assert "join_gap_m = 20" in told("explain", "join_gap_m")
    assert "\n  flood.allowed_mm: " in told("explain", "flood")
    assert {line.split(":")[0] for line in told("explain").splitlines()} == {
        key.dotted for key in KEYS.values()
    }
    assert "是否指 'join_gap_m'" in told("explain", "join_gap")
    told("schema", "--out", str(tmp_path / "s.json"))
    assert json.loads((tmp_path / "s.json").read_text("utf-8")) == pg.project_schema()


def test_a_drawing_and_a_zip_are_looked_into(folder):
    ezdxf = pytest.importorskip("ezdxf")
    drawing = ezdxf.new()
    drawing.header["$INSUNITS"] = 6
    for name, points in {"河道中心线": [(0, 0), (400, 0)], "图框": [(0, -9), (900, -9)]}.items():
        drawing.layers.add(name)
        line = [(X0 + x, Y0 + y) for x, y in points]
        drawing.modelspace().add_lwpolyline(line, dxfattribs={"layer": name})
    (folder / "lines.gpkg").unlink()
    drawing.saveas(folder / "总图.dxf")
    # the buildings in a zip, in their own projected CRS
    houses = gpd.read_file(folder / "b.geojson").to_crs(4547)
    (folder / "b.geojson").unlink()
    houses.to_file(folder / "houses.gpkg")
    with zipfile.ZipFile(folder / "房屋.zip", "w") as made:
        made.write(folder / "houses.gpkg", "交付/houses.gpkg")
    (folder / "houses.gpkg").unlink()
    found = pg.new_project(folder).set_index(["file", "layer"])
    assert found["what"].to_dict()["总图.dxf", "河道中心线"] == "rivers"
    assert found["what"].to_dict()["总图.dxf", "图框"] == ""
    said = tomllib.loads((folder / "project.toml").read_text("utf-8"))
    assert said["layers"]["buildings"]["path"] == "房屋.zip"
    assert said["layers"]["rivers"] == {
        "path": "总图.dxf", "layer": "河道中心线", "crs": 4547, "row_ids": True,
    }  # fmt: skip
    text = (folder / "project.toml").read_text("utf-8")
    assert "请核对" in text
    (folder / "project.toml").write_text(text.replace('"红线宽度.xlsx"', "15", 1), "utf-8")
    out = pg.run_project(folder / "project.toml", folder / "out")
    assert len(gpd.read_file(out / "results.gpkg", layer="affected")) == 3


def test_forms_that_nobody_filled_are_no_tables(folder):
    pg.new_project(folder)
    (folder / "project.toml").unlink()
    found = pg.new_project(folder).set_index("file")
    assert not found.loc[[f for f in found.index if f.endswith(".xlsx")], "what"].any()
    assert "project.schema.json" not in found.index
    said = tomllib.loads((folder / "project.toml").read_text("utf-8"))
    assert said["tables"] == {}


def test_names_of_other_languages_and_rivers_as_areas(tmp_path):
    """Indonesian files: bangunan are houses; a sungai in two areas that meet becomes one line."""
    house = [shapely.box(X0 + x, Y0 + 25, X0 + x + 10, Y0 + 35) for x in (100, 300)]
    gpd.GeoDataFrame({"id": [1, 2]}, geometry=house, crs=4547).to_file(tmp_path / "bangunan.gpkg")
    water = [
        shapely.box(X0, Y0 - 10, X0 + 200, Y0 + 10),
        shapely.box(X0 + 200, Y0 - 10, X0 + 400, Y0 + 10),
    ]
    gpd.GeoDataFrame({"nama": ["Kali Satu", "Kali Satu"]}, geometry=water, crs=4547).to_file(
        tmp_path / "sungai.gpkg"
    )
    found = pg.new_project(tmp_path).set_index("file")
    assert found["what"].to_dict() == {"bangunan.gpkg": "buildings", "sungai.gpkg": "rivers"}
    path = tmp_path / "project.toml"
    said = tomllib.loads(path.read_text("utf-8"))["layers"]["rivers"]
    assert said["axis_m"] == 5
    assert said["direction"] == "confluence"
    text = path.read_text("utf-8").replace('widths = "红线宽度.xlsx"', "widths = 30")
    path.write_text(text, "utf-8")
    out = tmp_path / "结果"
    code, _, err = typed("run", path, "--out", out)
    assert code == 0, err
    hit = gpd.read_file(out / "results.gpkg", layer="buildings")
    assert len(hit) == 2


@pytest.mark.parametrize(
    ("wrong", "cured"),
    [('name = “平湖”', 'name = "平湖"'), ('name\uff1d"平湖"', 'name="平湖"'), ("【rules】", "[rules]"),
     (r'note = "D:\数据\x"', 'note = "D:/数据/x"'), (r'note = "D:\\a\x"', 'note = "D:/a/x"')],
)  # fmt: skip
def test_a_line_that_is_no_toml_is_told_as_it_has_to_be(tmp_path, wrong, cured):
    """The cure for all of them was that names in Chinese stand in quotes."""
    project = tmp_path / "project.toml"
    project.write_text(f"crs = 4547\n{wrong}\n", "utf-8")
    with pytest.raises(pg.errors.ProjectError) as told:
        pg.check_project(project)
    assert told.value.hint.endswith(f": {cured}")


def test_a_section_that_stands_twice_is_said_to(tmp_path):
    project = tmp_path / "project.toml"
    project.write_text("[rules]\ngap_m = 50\n[rules]\n", "utf-8")
    with pytest.raises(pg.errors.ProjectError) as told:
        pg.check_project(project)
    assert told.value.hint == "a key or a section stands once in the file: put both together"


def test_every_commented_line_of_a_form_works_or_says_what_else_it_needs(tmp_path):
    """A line below another that stayed a remark was refused as a key of the section before."""
    sample = pg.sample_folder()
    for pattern in (
        "房屋.*",
        "河道.*",
        "宗地.*",
        "更新整备.*",
        "地面高程.tif",
        "红线宽度_原方案.csv",
    ):
        for path in sample.glob(pattern):
            shutil.copy(path, tmp_path)
    pg.new_project(tmp_path)
    lines = (tmp_path / "project.toml").read_text("utf-8").splitlines()
    remarks = [k for k, one in enumerate(lines) if re.match(r"# (\[|\w+ = )", one)]
    assert len(remarks) == 30
    other = tmp_path / "other.toml"
    for k in remarks:
        now, taken = list(lines), [k]
        while True:
            for n in taken:
                now[n] = re.sub("^# ", "", now[n])
            other.write_text("\n".join(now) + "\n", "utf-8")
            try:
                read_plan(other)
                break
            except pg.errors.ProjectError as fault:
                taken = [n for n, one in enumerate(now) if _asks_for(fault, n, one)]
            assert taken, lines[k]


def _asks_for(fault, at, line):
    """Whether a refusal names a remark of the file, by its line and how it begins, or by its key."""
    said = re.match(r"# (\[[^\]]+\]|\w+)", line)
    if said is None:
        return False
    by_line = f"take away the # of line {at + 1}, too: {said[1]}" in fault.hint
    assert by_line == (f"第 {at + 1} 行行首的 # 也要去掉:{said[1]}" in fault.hint_in("zh"))
    return by_line or re.search(rf"^fill in .*\b{said[1]}\b.*or leave", fault.hint) is not None
