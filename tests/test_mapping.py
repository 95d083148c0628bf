"""Other people's names, words and rows are said where they belong: in reading and in the project."""

import contextlib
import json
import logging
import re
import shutil
import sqlite3
import tomllib

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pinghu_geo as pg
from pinghu_geo.intake.conditions import parse_condition
from pinghu_geo.nouns.schema import NOUNS, match_columns

ROWS = pd.DataFrame(
    {
        "OBJECTID": [11, 12, 13, 14],
        "Floor": [2, 3, 7, None],
        "tag": ["yes", "house", "shed", None],
        "addr:no": ["1", " ", "3", "it's"],
        "floors": [90, 91, 92, 93],
    }
)
X0, Y0 = 500_000, 2_500_000


@pytest.fixture
def houses(tmp_path):
    shapes = [shapely.box(X0 + x, Y0 + 5, X0 + x + 10, Y0 + 15) for x in (100, 200, 300, 400)]
    gpd.GeoDataFrame(ROWS, geometry=shapes, crs=4547).to_file(tmp_path / "raw.gpkg")
    return tmp_path / "raw.gpkg"


def kept(condition):
    found = parse_condition(condition, "buildings").holds(lambda n: ROWS[n], len(ROWS))
    return ROWS["OBJECTID"][found].tolist()


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("Floor = 3", [12]),
        ("Floor != 3", [11, 13]),  # of the last nobody knows
        ("not Floor = 3", [11, 13]),
        ("Floor is null", [14]),
        ("\"addr:no\" is null", [12]),  # a blank is no value
        ("addr:no is not null and Floor <= 7", [11, 13]),
        ("3 < Floor", [13]),
        ("tag in ('yes', 'shed')", [11, 13]),
        ("tag not in ('yes', 'shed')", [12]),
        ("addr:no = 'it''s'", [14]),
        ("addr:no >= 2", [13]),
        ("Floor = 2 or Floor = 3 and tag = 'nothing'", [11]),  # and binds closer
        ("(Floor = 2 or Floor = 3) and tag = 'house'", [12]),
        ("Floor IN (2, 7.0) AND tag IS NOT NULL", [11, 13]),
        ("Floor < floors", [11, 12, 13]),
        ("Floor is null or tag = 'yes'", [11, 14]),  # true or unknown is true
        ("Floor <> 2", [12, 13]),
        ("OBJECTID == 11", [11]),
    ],
)  # fmt: skip
def test_conditions_by_hand(condition, wanted):
    assert kept(condition) == wanted


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("Floor =", "lacks a column or a constant, at its end"),
        ("Floor = 3 3", "doesn't end there, at '3'"),
        ("Floor = 3; drop table x", "can't be read, at '; drop table x'"),
        ("(Floor = 3", "lacks a closing bracket"),
        ("tag = ''", "empty text"),
        ("3 = 3", "compares no column"),
        ("tag in (house)", "column in a list"),
        ("(" * 5000 + "Floor = 3", "nested too deep"),
        ("not " * 5000, "is no condition"),
        ("Floor = 'many'", "holds numbers"),
        ("", "is no condition"),
    ],
)
def test_conditions_that_are_none_say_where(condition, said):
    with pytest.raises(pg.errors.LayerError, match=said.replace("(", r"\(")):
        kept(condition)


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_a_layer_error(text):
    with contextlib.suppress(pg.errors.LayerError):
        assert callable(parse_condition(text, "buildings").holds)


def test_columns_are_named_either_way_and_the_files_own_are_kept(houses):
    for columns in (
        {"floors": "Floor", "building_id": "OBJECTID"},
        {"Floor": "floors", "OBJECTID": "building_id"},
    ):
        if "Floor" in columns:
            columns.pop("Floor")
            columns["floors"] = "Floor"
        read = pg.read_layer(houses, "buildings", columns=columns)
        assert read.index.tolist() == ["11", "12", "13", "14"]
        assert read["floors"].tolist()[:3] == [2, 3, 7]
        assert read["floors_2"].tolist() == [90, 91, 92, 93]


def test_words_and_rows_that_are_meant(houses):
    read = pg.read_layer(
        houses, "buildings", id_column="OBJECTID", columns={"use": "tag"},
        values={"use": {"yes": "other", "": "public"}}, where="tag is null or tag in ('yes')",
    )  # fmt: skip
    assert read["use"].to_dict() == {"11": "other", "14": "public"}
    # names of the data model, where the file has none of its own
    read = pg.read_layer(
        houses,
        "buildings",
        id_column="OBJECTID",
        columns={"use": "tag"},
        where="use = 'residential'",
    )
    assert read.index.tolist() == ["12"]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"columns": {"floors": "Flor"}}, "has no column 'Flor'"),
        ({"columns": {"flors": "Floor"}}, "did you mean 'floors'"),
        ({"columns": {"floors": "Floor", "Floor": "tenants"}}, "two columns for tenants|two names"),
        ({"where": "Flor = 2"}, "did you mean 'Floor'"),
        ({"where": "Floor = 40"}, "has no row where Floor = 40"),
        ({"values": {"use": {"yes": "other"}}}, "no column holds"),
        ({"columns": {"use": "tag"}, "values": {"use": {"yes": "othr"}}}, "did you mean 'other'"),
        ({"join_gap_m": 3}, "only rivers are joined"),
    ],
)
def test_what_is_not_there_is_named(houses, said, problem):
    with pytest.raises(pg.errors.LayerError, match=problem):
        pg.read_layer(houses, "buildings", id_column="OBJECTID", **said)


def test_a_river_in_rows_and_parts_becomes_one_line(tmp_path):
    lines = [[(0, 0), (400, 0)], [(1000, 0), (410, 0)], [(0, 50), (0, 90)]]
    shapes = (
        shapely.linestrings([(X0 + x, Y0 + y) for x, y in lines[0]]),
        *(shapely.LineString([(X0 + x, Y0 + y) for x, y in line]) for line in lines[1:]),
    )
    raw = gpd.GeoDataFrame({"label": ["A", "A", None]}, geometry=list(shapes), crs=4547)
    raw.to_file(tmp_path / "rivers.gpkg")
    read = pg.read_layer(
        tmp_path / "rivers.gpkg", "rivers", river_name="label", where="label is not null",
        join_gap_m=20,
    )  # fmt: skip
    assert read.index.tolist() == ["A"]
    assert read.length["A"] == pytest.approx(1000)


PROJECT = """crs = 4547
[layers.buildings]
path = "raw.gpkg"
columns = { building_id = "OBJECTID", floors = "Floor" }
where = "Floor is not null"
[layers.rivers]
path = "rivers.geojson"
river_name = "label"
join_gap_m = 20
[schemes."原方案"]
widths = { left = 12, right = 15 }
[schemes."窄"]
widths = 4
"""


def test_all_of_it_in_a_project_file(houses):
    folder = houses.parent
    lines = [shapely.LineString([(X0, Y0), (X0 + 260, Y0)]),
             shapely.LineString([(X0 + 500, Y0), (X0 + 270, Y0)])]  # fmt: skip
    raw = gpd.GeoDataFrame({"label": ["甲", "甲"]}, geometry=lines, crs=4547)
    raw.to_crs(4490).to_file(folder / "rivers.geojson")
    (folder / "project.toml").write_text(PROJECT, "utf-8")
    faults = pg.check_project(folder / "project.toml", lang="en")
    assert not (faults["severity"] == "error").any(), faults.to_string()
    out = pg.run_project(folder / "project.toml", folder / "out")
    hit = gpd.read_file(out / "results.gpkg", layer="affected")
    # drawn rightwards, the left bank is to the north, 12 m wide: 7 m of the 10 m deep houses
    assert sorted(hit["building_id"]) == ["11", "12", "13"]
    assert hit["inside_m2"].tolist() == pytest.approx([70, 70, 70], abs=0.01)


def test_what_is_turned_and_bridged_is_said(houses):
    """Four parts from 0 to 600, the third drawn upstream; a branch around an island."""
    folder = houses.parent
    xy = [[(0, 0), (100, 0)], [(140, 0), (300, 0)], [(500, 0), (300, 0)],
          [(300, 0), (340, 60), (500, 0)], [(500, 0), (600, 0)]]  # fmt: skip
    lines = [shapely.LineString([(X0 + x, Y0 + y) for x, y in one]) for one in xy]
    raw = gpd.GeoDataFrame({"label": ["甲"] * 5}, geometry=lines, crs=4547)
    raw.to_file(folder / "rivers.gpkg")
    text = PROJECT.replace("rivers.geojson", "rivers.gpkg").replace("gap_m = 20", "gap_m = 50")
    (folder / "project.toml").write_text(text, "utf-8")
    found = pg.check_project(folder / "project.toml", lang="en")
    rows = found[found["fault"].isin(["part_turned", "gap_bridged", "branch_left_out"])]
    assert rows[["fault", "severity", "id"]].values.tolist() == [
        ["part_turned", "warning", "甲"], ["gap_bridged", "note", "甲"],
        ["branch_left_out", "note", "甲"]]  # fmt: skip
    assert "300.0-500.0 m, 200.0 m" in rows["problem"].iloc[0]
    assert "40.0 m at 100.0-140.0 m" in rows["problem"].iloc[1]
    out = pg.run_project(folder / "project.toml", folder / "out")
    log = (out / "reading.log").read_text("utf-8")
    assert "反向绘制" in log
    assert "已用直线相连" in log
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert any("甲" in said and "掉头" in said for said in summary["warnings"])
    # the same of a layer in Python, to whoever listens
    with pg_log() as heard:
        pg.read_layer(folder / "rivers.gpkg", "rivers", river_name="label", join_gap_m=50)
    assert any("part_turned" in line for line in heard)


@contextlib.contextmanager
def pg_log():
    """What the package logs meanwhile."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    log = logging.getLogger("pinghu_geo")
    was = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        log.removeHandler(handler)
        log.setLevel(was)


def test_a_river_turned_as_a_whole_is_said(houses, tmp_path):
    folder = houses.parent
    lines = [shapely.LineString([(X0 + 500, Y0), (X0, Y0)]),  # ends upstream, alone
             shapely.LineString([(X0 + 500, Y0 - 400), (X0 + 500, Y0 + 400)])]  # fmt: skip
    raw = gpd.GeoDataFrame({"label": ["甲", "乙"]}, geometry=lines, crs=4547)
    raw.to_file(folder / "rivers.gpkg")
    text = PROJECT.replace("rivers.geojson", "rivers.gpkg")
    text = text.replace("join_gap_m = 20", 'direction = "confluence"')
    (folder / "project.toml").write_text(text, "utf-8")
    found = pg.check_project(folder / "project.toml", lang="en")
    assert found.loc[found["fault"] == "river_turned", "id"].tolist() == ["甲"]


def test_a_check_of_a_project_advises_keys_of_its_file(houses):
    folder = houses.parent
    lines = [shapely.LineString([(X0, Y0), (X0 + 260, Y0)]),
             shapely.LineString([(X0 + 270, Y0), (X0 + 500, Y0)])]  # fmt: skip
    parts = gpd.GeoDataFrame({"label": ["甲"]}, geometry=[shapely.MultiLineString(lines)], crs=4547)
    parts.to_file(folder / "rivers.geojson")
    (folder / "宽.csv").write_text("河道,桩号,甲宽,乙宽\n甲,0,12,15\n甲,500,12,15\n", "utf-8")
    text = PROJECT.replace("join_gap_m = 20\n", "").replace("widths = 4", 'widths = "宽.csv"')
    (folder / "project.toml").write_text(text, "utf-8")
    found = pg.check_project(folder / "project.toml")
    assert found.loc[found["fault"] == "in_pieces", "advice"].tolist() == ["join_gap_m = 20"]
    assert found.loc[found["fault"] == "missing_column", "advice"].tolist() == [
        'columns = { left_m = "列名" }', 'columns = { right_m = "列名" }']  # fmt: skip


@pytest.mark.parametrize("near", [None, "used"])
def test_rates_that_ask_for_a_column_name_the_projects_keys_for_it(houses, near):
    folder = houses.parent
    line = shapely.LineString([(X0, Y0), (X0 + 500, Y0)])
    river = gpd.GeoDataFrame({"label": ["甲"]}, geometry=[line], crs=4547)
    river.to_file(folder / "rivers.geojson")
    if near:
        gpd.read_file(houses).assign(**{near: "住宅"}).to_file(houses)
    (folder / "价.csv").write_text("用途,房屋补偿单价\n住宅,900\n", "utf-8")
    text = PROJECT + '[tables]\nrates = "价.csv"\n'
    (folder / "project.toml").write_text(text, "utf-8")
    with pytest.raises(pg.errors.LayerError, match="lacks the column 'use'") as told:
        pg.run_project(folder / "project.toml", folder / "out")
    assert 'columns = { use = "列名" }' in told.value.hint
    (folder / "价.csv").write_text("用途,房屋补偿单价\n,900\n", "utf-8")  # the other cure
    pg.run_project(folder / "project.toml", folder / "out")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("widths = 4", "widths = -4", "widths must be file or number"),
        ("widths = 4", "widths = { left = 4 }", "neither a file nor a width"),
        ('where = "Floor is not null"', "where = 3", "where must be text"),
        ('river_name = "label"', 'river_nme = "label"', "did you mean 'river_name'"),
        ('where = "Floor is not null"', "join_gap_m = 3", "'join_gap_m' is not known"),
        (
            'columns = { building_id = "OBJECTID", floors = "Floor" }',
            "columns = 3",
            "columns must be table of names",
        ),
    ],
)
def test_a_project_that_maps_wrongly_is_refused(tmp_path, old, new, said):
    (tmp_path / "project.toml").write_text(PROJECT.replace(old, new), "utf-8")
    with pytest.raises(pg.errors.ProjectError, match=said):
        pg.run_project(tmp_path / "project.toml", tmp_path / "out")


def written(folder, **columns):
    n = len(next(iter(columns.values())))
    shapes = [shapely.box(X0 + 20 * k, Y0, X0 + 20 * k + 10, Y0 + 10) for k in range(n)]
    path = folder / "raw.geojson"
    gpd.GeoDataFrame(columns, geometry=shapes, crs=4547).to_crs(4490).to_file(path)
    return path


# column names of such files, written down from memory: column -> what it means here
SCHEMATA = {
    "overture": {"id": "building_id", "num_floors": "floors", "height": "height_m"},
    "osm": {"osm_id": "building_id", "building:levels": "floors"},
    "plateau": {
        "gml_id": "building_id",
        "storeysAboveGround": "floors",
        "measuredHeight": "height_m",
    },
    "esri": {"OBJECTID": "building_id", "Floor": "floors", "Shape_Area": None},
    "survey": {"编号": "building_id", "地上层数": "floors", "FWJG": "structure", "GHYT": "use"},
    "census": {"建筑编号": "building_id", "层": "floors", "户主": "owner"},
    "microsoft": {"height": "height_m", "confidence": None},
    "bare": {"fid": "building_id", "楼层": "floors", "floor_id": None},
}


@pytest.mark.parametrize("schema", SCHEMATA)
def test_columns_of_public_schemata(schema):
    wanted = {k: v for k, v in SCHEMATA[schema].items() if v}
    assert match_columns(SCHEMATA[schema], NOUNS["buildings"]) == wanted


def test_a_row_number_is_an_id_only_where_nothing_better_is(tmp_path):
    path = written(tmp_path, OBJECTID=[1, 2], 房屋编号=["A", "B"])
    assert pg.read_layer(path, "buildings").index.tolist() == ["A", "B"]
    assert "rival_column" not in set(pg.check(path, "buildings")["fault"])


def test_the_osm_id_that_is_filled_is_taken(tmp_path):
    path = written(tmp_path, osm_id=["7", None, "9"], osm_way_id=[None, "7", None])
    assert pg.read_layer(path, "buildings").index.tolist() == ["r7", "w7", "r9"]


def test_floors_from_heights_at_a_stated_storey_height(tmp_path):
    path = written(tmp_path, id=["a", "b", "c", "d"], height=[9.1, 2.0, None, 30.0],
                   num_floors=[None, None, None, 8])  # fmt: skip
    read = pg.read_layer(path, "buildings", storey_height_m=3.0)
    assert read["floors"].astype(object).where(read["floors"].notna(), None).tolist() == [3, 1, None, 8]  # fmt: skip
    assert read["floors_source"].fillna("-").tolist() == ["estimated", "estimated", "-", "surveyed"]
    assert "floors_source" not in pg.read_layer(path, "buildings").columns
    with pg_log() as heard:
        pg.read_layer(path, "buildings", storey_height_m=3.0)
    assert any("floors of 2 of 4 rows are estimated from heights, 3 m" in line for line in heard)
    found = pg.check(path, "buildings", storey_height_m=3.0)
    assert "floors_source" not in set(found["field"])
    with pytest.raises(pg.errors.LayerError, match="2 to 10 m"):
        pg.read_layer(path, "buildings", storey_height_m=30)


def test_code_dialects_are_told_from_all_codes_and_said(tmp_path):
    path = written(tmp_path, 编号=["a", "b", "c"], FWJG=[3, 5, 4], GHYT=["11", "10", "112"])
    read = pg.read_layer(path, "buildings")
    assert read["structure"].tolist() == ["concrete", "brick_wood", "brick_concrete"]
    assert read["use"].tolist() == ["residential"] * 3
    said = pg.check(path, "buildings", lang="en")
    assert said["fault"].tolist().count("code_dialect") == 2
    # one code of another system, and nothing is assumed
    path = written(tmp_path, 编号=["a", "b"], FWJG=[3, 8], GHYT=["11", "27"])
    read = pg.read_layer(path, "buildings")
    assert read["structure"].tolist() == ["3", "8"]
    assert read["use"].tolist() == ["11", "27"]


FIVE = """nmae = "x"
crs = "4547"

[layers.buildings]
path = "b.gpkg"
colums = { floors = "Floor" }
[layers.rivers]
path = "r.gpkg"
[schemes."原方案"]
widths = -3
[schemes."少拆"]
least = { from = "原方案", clear = 0.3 }
[rules]
gap = 50
"""


def test_all_mistakes_are_named_at_once_with_their_lines(tmp_path):
    (tmp_path / "project.toml").write_text(FIVE, "utf-8")
    for name in ("b.gpkg", "r.gpkg"):
        (tmp_path / name).touch()
    with pytest.raises(pg.errors.ProjectError, match="has 6 mistakes") as told:
        pg.check_project(tmp_path / "project.toml")
    said = str(told.value)
    for line, problem, cure in (
        (1, "'nmae' is not known", "did you mean 'name'?"),
        (2, "crs must be whole number", "crs = 4547"),
        (6, "'colums' is not known", "did you mean 'columns'?"),
        (10, "widths must be", "widths = 15"),
        (12, "'clear' is not known", "did you mean 'clear_m'?"),
        (14, "'gap' is not known", "did you mean 'gap_m'?"),
    ):
        assert re.search(rf"line {line}: [^;]*{problem}", said), said
        assert f"# line {line}\n" in said
        assert cure in said.partition(f"# line {line}\n")[2].partition("# line")[0]


# (line, a part of what is said in English and in Chinese, what to type)
FIVES = {
    """crs = 4547
lang = "fr"
[layers]
rivers = "河道x.shp"
[layer.buildings]
path = "房屋.shp"
[schemes.a]
widths = { left = 12 }
[campaign]
adopted = "c"
""": [(2, "lang must be one of zh, en", "lang 须为 zh, en 之一", "zh, en"),
        (3, "lacks buildings", "缺少 buildings", 'buildings = "房屋.shp"'),
        (4, "no file", "没有文件", 'rivers = "河道.shp"'),
        (5, "'layer' is not known", "没有 'layer' 这一项", "'layers'"),
        (8, "neither a file nor a width", "没有写两岸宽度", "widths = 15"),
        (9, "lacks start", "缺少 start", 'start = "2017-11-01"'),
        (10, "adopts 'c'", "采用的 'c' 不是项目的方案", "a")],
    """crs = 4547
[layers.buildings]
path = "房屋.shp"
where = "层数 >= "
storey_height_m = 30
[layers.rivers]
path = "河道.shp"
row_ids = "true"
[schemes.a]
widths = "没有.csv"
[schemes.b]
least = { inward_m = 6 }
""": [(4, "where lacks a column or a constant, at its end", "where 缺少列名或常数,在末尾", "floors >= 2"),
        (5, "storey_height_m must be number", "storey_height_m 须为 数", "storey_height_m = 3.0"),
        (8, "row_ids must be true or false", "row_ids 须为 true 或 false", "row_ids = true"),
        (10, "no file", "没有文件", "没有.csv"),
        (12, "which scheme with widths", "没有写明从哪个有 widths 的方案出发", 'from = "a"')],
}  # fmt: skip


@pytest.mark.parametrize("text", FIVES, ids=["sections and files", "values and conditions"])
def test_mistakes_of_every_kind_are_named_in_both_languages(tmp_path, text):
    for name in ("房屋.shp", "河道.shp"):
        (tmp_path / name).touch()
    path = tmp_path / "project.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(pg.errors.ProjectError) as told:
        pg.check_project(path)
    for k, (lang, place, cure) in enumerate(
        (("en", "line {}", "Hint:"), ("zh", "第 {} 行", "提示:"))
    ):
        said, _, hints = told.value.in_language(lang).partition(cure)
        for line, *words in FIVES[text]:
            at = place.format(line)
            assert any(words[k] in part for part in re.split(f"{at}:", said)[1:]), (at, said)
            assert words[2] in hints.partition(f"# {at}\n")[2].partition("\n# ")[0], (at, hints)
    assert not re.search("[a-z]{3,} [a-z]{3,} [a-z]{3,}", said), said


def test_one_mistake_is_said_plainly(tmp_path):
    for name in ("raw.gpkg", "rivers.geojson"):
        (tmp_path / name).touch()
    (tmp_path / "project.toml").write_text(PROJECT.replace("left = 12", "lft = 12"), "utf-8")
    with pytest.raises(pg.errors.ProjectError, match=r"widths: 'lft' is not known \(line 11\)"):
        pg.check_project(tmp_path / "project.toml")


def test_every_key_is_explained_checked_and_in_the_schema():
    from pinghu_geo.keys import KEYS, keys_below, keys_page
    from pinghu_geo.search.offsets import LIMITS

    page = keys_page()
    for path, key in KEYS.items():
        assert key.holds(tomllib_value(key)), key.dotted
        assert f"`{key.dotted}`" in page
        assert pg.explain(key.dotted).startswith(key.dotted)
        assert re.search("[\u4e00-\u9fff]", key.zh)
        assert path[:-1] == () or keys_below(path[:-1])
    with pytest.raises(pg.errors.ProjectError, match="did you mean 'join_gap_m'"):
        pg.explain("join_gap")
    # what a search takes is stated there and here: neither may lack a key of the other
    assert {*LIMITS} < {p[-1] for p in KEYS if p[:3] == ("schemes", "*", "least")}


def tomllib_value(key):
    """The value that a key's example gives to it, or to what is around it."""
    value = tomllib.loads(key.example)
    if len(key.path) == 1:  # [layers] ...
        return value.get(key.path[0], {})
    name = key.path[-1]
    if name == "*":
        return next(iter(value.values()))
    while name not in value:
        value = next(v for v in value.values() if isinstance(v, dict))
    return value[name]


def test_the_schema_takes_what_the_check_takes():
    import jsonschema

    schema = pg.project_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    check = jsonschema.Draft7Validator(schema)
    sample = tomllib.loads((pg.sample_folder() / "project.toml").read_text("utf-8"))
    assert not list(check.iter_errors(sample))
    assert not list(check.iter_errors(tomllib.loads(PROJECT)))
    wrong = [
        (e.path[-1] if e.path else "", e.validator) for e in check.iter_errors(tomllib.loads(FIVE))
    ]
    assert ("crs", "type") in wrong  # each of the mistakes that are of one key
    assert ("rules", "additionalProperties") in wrong


def test_tables_are_mapped_as_layers_are(tmp_path):
    for name in ("raw.gpkg", "rivers.geojson"):
        (tmp_path / name).touch()
    (tmp_path / "价.csv").write_text("kind,yuan each\nhut,900\n", "utf-8")
    text = (
        PROJECT
        + '[tables.rates]\npath = "价.csv"\ncolumns = { use = "kind", building_yuan_m2 = "yuan each" }\n'
        'values = { use = { hut = "residential" } }\n'
    )
    (tmp_path / "project.toml").write_text(text, "utf-8")
    from pinghu_geo.plan import read_plan

    plan = read_plan(tmp_path / "project.toml")
    table = plan.table(plan.tables["rates"], "rates")
    assert table[["use", "building_yuan_m2"]].to_numpy().tolist() == [["residential", 900.0]]


DRIVERS = {".gdb": {"driver": "OpenFileGDB", "TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"}}
WORDS = ["a", "A ", "a'b", "100%", "a_b", "", None, "3"]
CELLS = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from([None, -1.5, 0.0, 2.0, 3.0]),
              st.sampled_from([0, 2, 7])), min_size=1, max_size=6,
)  # fmt: skip


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".parquet", ".shp", ".gdb"])
@given(rows=CELLS, text=st.deferred(lambda: CONDITIONS))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_the_file_leaves_out_is_what_we_would(tmp_path, suffix, rows, text):
    columns = {
        "word": [r[0] for r in rows],
        "number": [r[1] for r in rows],
        "whole": [r[2] for r in rows],
    }
    frame = gpd.GeoDataFrame(
        {"bldg_id": [f"B{k}" for k in range(len(rows))], **columns},
        geometry=[shapely.box(k, 0, k + 1, 1) for k in range(len(rows))], crs=4547,
    ).astype({"word": "str"})  # fmt: skip
    path = tmp_path / f"x{suffix}"
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    frame.to_parquet(path) if suffix == ".parquet" else frame.to_file(
        path, **DRIVERS.get(suffix, {})
    )
    whole = gpd.read_parquet(path) if suffix == ".parquet" else gpd.read_file(path)
    wanted = whole["bldg_id"][parse_condition(text, "x").holds(lambda n: whole[n], len(whole))]
    if wanted.empty:
        with pytest.raises(pg.errors.LayerError, match="has no row where"):
            pg.read_layer(path, "buildings", where=text)
        return
    assert pg.read_layer(path, "buildings", where=text).index.tolist() == wanted.tolist()


LEAVES = st.one_of(
    st.builds('word {} {}'.format, st.sampled_from(["=", "!=", "<"]),
              st.sampled_from(["'a'", "'a''b'", "'100%'", "'a_b'", "'3'"])),
    st.builds("{} {} {}".format, st.sampled_from(["number", "whole"]),
              st.sampled_from(["=", "!=", "<", ">=", ">"]), st.sampled_from(["0", "2", "2.5"])),
    st.builds("{} is {}".format, st.sampled_from(["word", "number"]), st.sampled_from(["null", "not null"])),
    st.sampled_from(["whole in (2, 7)", "word in ('a', 'a_b')", "word not in ('a')", "number = whole"]),
)  # fmt: skip
CONDITIONS = st.recursive(
    LEAVES,
    lambda part: st.one_of(
        st.builds("({} and {})".format, part, part), st.builds("({} or {})".format, part, part),
        st.builds("not {}".format, part),
    ),
    max_leaves=4,
)  # fmt: skip


def test_a_condition_is_left_to_the_file_and_written_by_us():
    from pinghu_geo.intake.conditions import as_sql, weaker

    node = weaker(parse_condition("na\"me = 'O''Neill' and n >= 2".replace('na"me', '"na""me"'), "x"),
                  {'na"me': "text", "n": "number"})  # fmt: skip
    assert as_sql(node, sqlite=False) == """("na""me" LIKE '%O''Neill%' AND "n" >= 2.0)"""
    assert weaker(parse_condition("not n = 2 or n = 3", "x"), {"n": "number"}) is None
    assert weaker(parse_condition("levels > 2", "x"), {"levels": "text"}) is None


def test_texts_among_numbers_of_a_geopackage_are_not_lost(tmp_path):
    path = tmp_path / "x.gpkg"
    gpd.GeoDataFrame({"building_id": ["a", "b"], "floor_area_m2": [5.0, 7.0]},
                     geometry=[shapely.box(0, 0, 1, 1)] * 2, crs=4547).to_file(path)  # fmt: skip
    with contextlib.closing(sqlite3.connect(path)) as base:
        for (name,) in base.execute(
            "select name from sqlite_master where type='trigger'"
        ).fetchall():
            base.execute(f"drop trigger {name}")  # they call functions of GDAL's
        base.execute("update x set floor_area_m2 = '1,300' where building_id = 'b'")
        base.commit()
    read = pg.read_layer(path, "buildings", where="floor_area_m2 < 2000")
    assert read["floor_area_m2"].tolist() == [5.0, 1300.0]
