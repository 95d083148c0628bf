"""Texts of a surveyor's drawing: 混3 within an outline is its structure and its floors."""

import re

import ezdxf
import geopandas as gpd
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from conftest import river_frame, typed

PLACE = (500_000, 2_500_000)
SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10)]


def drawing(path, houses, texts, layer="JMD", **lines):
    """A drawing with outlines at (x, y), texts at points, and lines of other layers."""
    doc = ezdxf.new("R2000")
    doc.encoding = "gbk"
    space = doc.modelspace()
    for x, y, size in houses:
        points = [(PLACE[0] + x + size * a, PLACE[1] + y + size * b) for a, b in SQUARE]
        space.add_lwpolyline(points, close=True, dxfattribs={"layer": layer})
    for text, x, y in texts:
        at = (PLACE[0] + x, PLACE[1] + y)
        space.add_text(text, dxfattribs={"layer": layer, "insert": at, "height": 1.5})
    for name, points in lines.items():
        moved = [(PLACE[0] + x, PLACE[1] + y) for x, y in points]
        space.add_lwpolyline(moved, dxfattribs={"layer": name})
    doc.saveas(path)
    return path


def read(path):
    faults = pg.check(path, "buildings", layer="JMD", crs=4547, row_ids=True, lang="en")
    frame = pg.read_layer(path, "buildings", layer="JMD", crs=4547, row_ids=True)
    assert (frame.geom_type == "Polygon").all()
    return frame, faults.set_index("fault")


@pytest.mark.parametrize(
    ("text", "structure", "floors"),
    [
        ("混3", "brick_concrete", 3),
        ("砼12", "concrete", 12),
        ("砖混 2", "brick_concrete", 2),
        ("简", "light", None),
        ("棚房", "light", None),
        ("钢1层", "steel", 1),
        ("混\uff13", "brick_concrete", 3),
    ],
)
def test_a_label_says_structure_and_floors(tmp_path, text, structure, floors):
    frame, faults = read(drawing(tmp_path / "a.dxf", [(0, 0, 1), (20, 0, 1)], [(text, 5, 5)]))
    assert frame["structure"].tolist()[0] == structure
    assert frame["structure"].isna().tolist() == [False, True]
    known = frame["floors"].iloc[0] if "floors" in frame else None
    assert pd.isna(known) if floors is None else known == floors
    assert not faults.index.isin(["texts_left_out", "label_outside", "labels_differ"]).any()


def test_floors_below_ground_are_no_floors(tmp_path):
    frame, faults = read(drawing(tmp_path / "a.dxf", [(0, 0, 1)], [("砼5-2", 5, 5)]))
    assert frame["floors"].tolist() == [5]
    assert "2 floors below" in faults.loc["floors_below", "problem"]


def test_a_label_is_of_the_smallest_outline_around_it(tmp_path):
    houses, texts = [(0, 0, 4), (10, 10, 1)], [("混3", 15, 15), ("砼7", 35, 35)]
    frame, _ = read(drawing(tmp_path / "a.dxf", houses, texts))
    assert frame["floors"].tolist() == [7, 3]


def test_an_outline_that_crosses_itself_holds_its_label(tmp_path):
    path = drawing(tmp_path / "a.dxf", [(0, 0, 1)], [("混3", 8, 5)])
    doc = ezdxf.readfile(path)
    outline = doc.modelspace().query("LWPOLYLINE")[0]
    x, y = PLACE
    outline.set_points([(x, y), (x + 10, y + 10), (x + 10, y), (x, y + 10)], format="xy")
    doc.saveas(path)
    frame, faults = read(path)
    assert frame["floors"].tolist() == [3]
    assert "invalid_geometry" in faults.index


def test_labels_that_differ_leave_a_house_unknown_and_equal_ones_dont(tmp_path):
    texts = [("混3", 2, 2), ("砖2", 8, 8), ("混4", 22, 2), ("混 4", 28, 8)]
    frame, faults = read(drawing(tmp_path / "a.dxf", [(0, 0, 1), (20, 0, 1)], texts))
    assert frame["floors"].isna().tolist() == [True, False]
    assert frame["floors"].tolist()[1] == 4
    assert faults.loc["labels_differ", "id"] == "row 1"
    assert "混3, 砖2" in faults.loc["labels_differ", "problem"]


def test_what_no_label_or_no_house_has_is_said(tmp_path):
    texts = [("平湖小学", 5, 5), ("仓库2", 5, 6), ("混3", 50, 50)]
    frame, faults = read(drawing(tmp_path / "a.dxf", [(0, 0, 1)], texts))
    assert len(frame) == 1
    assert "floors" not in frame or frame["floors"].isna().all()
    said = faults.loc["texts_left_out", "problem"]
    assert said.startswith("2 texts")
    assert "平湖小学, 仓库2" in said
    assert "混3" in faults.loc["label_outside", "problem"]


def test_a_word_that_may_mean_two_structures_is_asked_for(tmp_path):
    path = drawing(tmp_path / "a.dxf", [(0, 0, 1)], [("砖2", 5, 5)])
    frame, faults = read(path)
    assert frame["floors"].tolist() == [2]
    assert frame["structure"].isna().all() or frame["structure"].tolist() == ["砖"]
    assert "unknown_code" in faults.index
    said = {"structure": {"砖": "brick_wood"}}
    frame = pg.read_layer(path, "buildings", layer="JMD", crs=4547, row_ids=True, values=said)
    assert frame["structure"].tolist() == ["brick_wood"]


def test_texts_of_other_layers_are_left_to_others(tmp_path):
    path = drawing(tmp_path / "a.dxf", [(0, 0, 1)], [("混3", 5, 5)], layer="房屋")
    line = pg.read_layer(
        drawing(tmp_path / "b.dxf", [(0, 0, 1)], [], HX=[(0, 0), (5, 5)]),
        "rivers", layer="HX", crs=4547, row_ids=True,
    )  # fmt: skip
    assert len(line) == 1
    frame = pg.read_layer(path, "buildings", layer="房屋", crs=4547, row_ids=True)
    assert frame["floors"].tolist() == [3]


def test_a_project_is_made_of_one_drawing_once_its_crs_is_said(tmp_path):
    drawing(
        tmp_path / "平湖地形图.dxf", [(0, 5, 1), (40, 5, 1)], [("混3", 5, 10)],
        中心线=[(-100, 0), (200, 0)], HX=[(-100, 15), (200, 15)],
    )  # fmt: skip
    with pytest.raises(pg.errors.CRSError, match="coordinate reference system") as said:
        pg.new_project(tmp_path)
    assert "pinghu new . --crs " in said.value.hint
    code, _, err = typed("new", str(tmp_path), "--crs", "4547")
    assert code == 0, err
    project = tmp_path / "project.toml"
    text = project.read_text("utf-8")
    project.write_text(re.sub(r"(?m)^widths = .*", "widths = 10", text), "utf-8")
    out = pg.run_project(project, tmp_path / "out")
    found = pg.read_layer(out / "results.gpkg", "buildings", layer="affected")
    # 100 m² x 3 floors; the other house is unknown
    assert found["demolish_floor_area_m2"].dropna().tolist() == [300]


def test_walls_are_left_out_by_the_key_that_the_refusal_names(tmp_path):
    drawing(
        tmp_path / "图.dxf", [(0, 5, 1), (40, 5, 1)], [("混3", 5, 10)],
        JMD=[(0, 3), (60, 3)], 中心线=[(-100, 0), (200, 0)],
    )  # fmt: skip
    pg.new_project(tmp_path, crs=4547)
    project = tmp_path / "project.toml"
    text = re.sub(r"(?m)^widths = .*", "widths = 10", project.read_text("utf-8"))
    project.write_text(text, "utf-8")
    with pytest.raises(pg.errors.LayerError, match="LineString where polygons") as said:
        pg.run_project(project, tmp_path / "out")
    asked = pg.check_project(project, lang="en").set_index("fault").loc["wrong_geometry"]
    assert (asked["severity"], asked["id"], asked["advice"]) == ("error", "3", "areas_only = true")
    cure = said.value.hint.split("  #")[0]
    assert cure == "areas_only = true"
    text = text.replace("[layers.buildings]", f"[layers.buildings]\n{cure}")
    project.write_text(text, "utf-8")
    faults = pg.check_project(project, lang="en").set_index("fault")
    assert (faults.loc["no_area", "id"], faults.loc["no_area", "severity"]) == ("3", "warning")
    assert "wrong_geometry" not in faults.index
    out = pg.run_project(project, tmp_path / "out")
    assert len(pg.read_layer(out / "results.gpkg", "buildings", layer="affected")) == 2
    assert "areas_only" in (out / "reading.log").read_text("utf-8")


def test_the_cure_in_python_leaves_the_areas(tmp_path):
    path = drawing(tmp_path / "图.dxf", [(0, 5, 1)], [], JMD=[(0, 3), (60, 3)])
    buildings = pg.read_layer(path, "buildings", layer="JMD", crs=4547, row_ids=True)
    centre = [(PLACE[0] + x, PLACE[1]) for x in (-100, 200)]
    rivers = river_frame({"A": centre}).set_crs(4547, allow_override=True)
    with pytest.raises(pg.errors.LayerError, match="polygons are needed") as said:
        pg.affected(buildings, pg.red_line(rivers, 10), rivers)
    found = {"buildings": buildings}
    exec(said.value.hint, {}, found)
    assert len(pg.affected(found["buildings"], pg.red_line(rivers, 10), rivers)) == 1


def test_a_drawn_red_line_is_of_the_river_that_runs_within_it(tmp_path):
    drawing(
        tmp_path / "图.dxf", [(0, 5, 1), (40, 25, 1)], [("混3", 5, 10)],
        中心线=[(-100, 0), (200, 0)], 红线=[(-100, 15), (200, 15), (200, -15), (-100, -15), (-100, 15)],
        蓝线=[(-100, 35), (200, 35), (200, -35), (-100, -35), (-100, 35)],
    )  # fmt: skip
    code, out, err = typed("new", str(tmp_path), "--crs", "4547")
    assert code == 0, err
    assert "红线宽度.xlsx" not in out
    assert not (tmp_path / "红线宽度.xlsx").exists()
    project = tmp_path / "project.toml"
    text = project.read_text("utf-8")
    assert '[schemes."原方案"]\npath = "图.dxf"\nlayer = "红线"\ncrs = 4547\n' in text
    assert "蓝线" not in text
    faults = pg.check_project(project, lang="en").set_index("fault")
    assert not faults["severity"].eq("error").any()
    assert "it is of 1" in faults.loc["river_by_centreline", "problem"]
    out = pg.run_project(project, tmp_path / "out")
    found = pg.read_layer(out / "results.gpkg", "buildings", layer="affected")
    assert (found["river"].tolist(), found["inside_m2"].tolist()) == (["1"], [100])


LINES = {"A": [(0, 0), (100, 0)], "B": [(50, 100), (50, 0)]}


@pytest.mark.parametrize(
    ("box", "river"),
    [((0, -10, 100, 10), "A"), ((40, 20, 60, 100), "B"), ((0, 50, 10, 60), None),
     ((30, -30, 70, 30), None)],
)  # fmt: skip
def test_an_area_is_of_the_centreline_that_is_longest_in_it(box, river):
    rivers = river_frame(LINES)
    areas = gpd.GeoDataFrame(geometry=[shapely.box(*box)], crs=rivers.crs)
    if river is not None:
        assert pg.redline.named_by_rivers(areas, rivers)["river"].tolist() == [river]
        return
    with pytest.raises(pg.errors.LayerError, match="names no river") as said:
        pg.redline.named_by_rivers(areas, rivers)
    exec(said.value.hint, {}, {"red_line": areas})
    assert areas["river"].isin(["A", "B"]).all()
