"""`check` says what `run` will do; only rows near the line are judged; `repair = true` has a log."""

import importlib.util
import json
import shutil

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

import pinghu_geo as pg
from conftest import building_frame, river_frame
from pinghu_geo.cli import app

pytestmark = pytest.mark.filterwarnings("ignore:floor area of:UserWarning")
RIVER = river_frame({"A": [(0, 0), (1000, 0)]})
BOW = [(0, 0), (10, 10), (10, 0), (0, 10)]
TEXT = (
    'crs = 4547\n{top}[layers]\nbuildings = "房屋.gpkg"\nrivers = "河道.gpkg"\n'
    '[schemes."原"]\nwidths = "宽度.csv"\n{more}'
)


def bow(x, y):
    return shapely.Polygon([(x + a, y + b) for a, b in BOW])


@pytest.fixture
def project(tmp_path):
    """Writes a project of given houses, and returns its file."""

    def write(shapes, *, top="", more="", crs=4547, **columns):
        place = {"xoff": 500_000, "yoff": 2_500_000}
        houses = building_frame(shapes, **({"floors": 2} | columns)).translate(**place)
        houses = building_frame(shapes, **({"floors": 2} | columns)).set_geometry(houses)
        river = RIVER.set_geometry(RIVER.translate(**place))
        houses.set_crs(4547).to_crs(crs).reset_index().to_file(tmp_path / "房屋.gpkg")
        pg.write_layer(river, tmp_path / "河道.gpkg", "rivers")
        (tmp_path / "宽度.csv").write_text(
            "河道,桩号,左宽,右宽\nA,0,20,20\nA,1000,20,20\n", "utf-8"
        )
        (tmp_path / "project.toml").write_text(TEXT.format(top=top, more=more), "utf-8")
        return tmp_path / "project.toml"

    return write


def errors(file):
    found = pg.check_project(file, lang="en")
    return found[found["severity"] == "error"]


HOUSE = {"H": shapely.box(100, 5, 110, 15)}
FAR, NEAR = {"bad": bow(500, 400)}, {"bad": bow(500, 5)}


def test_a_run_says_what_is_doubtful_of_the_houses_that_it_takes_and_of_no_others(
    project, tmp_path
):
    """A house drawn twice is counted twice; one beside the river that stands twice harms nobody."""
    far = shapely.box(100, 405, 110, 415)
    twice = {**HOUSE, "again": HOUSE["H"], "F": far, "F2": far}
    file = project(twice, floor_area_m2=200.0)
    out = pg.run_project(file, tmp_path / "out")
    log = (out / "reading.log").read_text("utf-8")
    assert "与 H 图形重复 (1: again)" in log
    assert "F2" not in log
    said = json.loads((out / "summary.json").read_text("utf-8"))["warnings"]
    assert [one for one in said if "拟拆房屋有 1 处疑点" in one and "again" in one]


def test_a_run_without_doubts_says_nothing(project, tmp_path):
    out = pg.run_project(project(HOUSE, floor_area_m2=200.0), tmp_path / "out")
    assert "疑点" not in (out / "reading.log").read_text("utf-8")


def test_a_project_without_a_fault_has_an_empty_list(project):
    found = pg.check_project(project(HOUSE, floor_area_m2=200.0, top=""))
    assert errors(project(HOUSE)).empty
    assert found.columns.tolist() == [
        "layer",
        "severity",
        "fault",
        "id",
        "field",
        "problem",
        "advice",
    ]


@pytest.mark.parametrize("bad", [bow(500, 400), bow(-300, 5), bow(500, -45)])
def test_a_bad_footprint_far_away_hinders_nobody_and_is_said(project, tmp_path, bad):
    file = project(HOUSE | {"bad": bad})
    out = pg.run_project(file, tmp_path / "out")
    assert json.loads((out / "summary.json").read_text("utf-8"))["schemes"][0]["n_buildings"] == 1
    found = pg.check_project(file)
    row = found[found["fault"] == "invalid_geometry"].iloc[0]
    assert (row["severity"], row["id"]) == ("warning", "bad")


def test_a_bad_footprint_at_the_line_is_refused_by_both_with_a_cure_that_works(project, tmp_path):
    file = project(HOUSE | NEAR)
    assert errors(file)["fault"].tolist() == ["invalid_geometry"]
    with pytest.raises(pg.errors.LayerError, match=r"buildings \(房屋.gpkg\): has invalid") as said:
        pg.run_project(file, tmp_path / "out")
    # what the hint says stands on a line of its own, above the first section
    file.write_text(said.value.hint + "\n" + file.read_text("utf-8"), "utf-8")
    assert errors(file).empty
    out = pg.run_project(file, tmp_path / "out")
    log = pd.read_excel(out / "repairs.xlsx", sheet_name="修复记录")
    assert list(log) == ["图层", "编号", "修复内容", "修复前面积 (m²)", "修复后面积 (m²)"]
    assert log.iloc[:, :2].astype(str).to_numpy().tolist() == [["buildings", "bad"]]
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert (summary["n_repaired"], summary["schemes"][0]["n_buildings"]) == (1, 2)
    assert summary["schemes"][0]["inside_m2"] == pytest.approx(100 + 50)


def test_repair_is_said_with_true_or_false(project):
    with pytest.raises(pg.errors.ProjectError, match="must be true or false"):
        pg.check_project(project(HOUSE, top='repair = "yes"\n'))


def test_a_layer_that_run_transforms_is_no_error(project, tmp_path):
    for crs in (4490, 4526, 4326):
        file = project(HOUSE, crs=crs)
        assert errors(file).empty, crs
        pg.run_project(file, tmp_path / f"out{crs}")


def test_a_layer_that_run_refuses_is_an_error(project, tmp_path):
    file = project(HOUSE, crs=2383)  # Xian 1980: another datum
    found = errors(file)
    assert len(found) == 1
    assert "another datum" in found["problem"].iloc[0]
    with pytest.raises(pg.errors.CRSError, match="another datum"):
        pg.run_project(file, tmp_path / "out")


@pytest.mark.parametrize("driver", ["GeoJSON", "KML"])
def test_degrees_of_a_third_datum_are_read_as_the_hint_says(project, tmp_path, driver):
    """JGD2011 in GeoJSON: its degrees are called WGS 84, for the format knows no other."""
    file = project(HOUSE)
    metres = pg.read_layer(tmp_path / "房屋.gpkg", "buildings").set_crs(6677, allow_override=True)
    river = pg.read_layer(tmp_path / "河道.gpkg", "rivers").set_crs(6677, allow_override=True)
    pg.write_layer(river, tmp_path / "河道.gpkg", "rivers")
    degrees = metres.to_crs(6668).set_crs(4326, allow_override=True)
    suffix = f".{driver.lower()}"
    plain = degrees.reset_index()[["building_id", "geometry"]]
    plain.to_file(tmp_path / f"房屋{suffix}", driver=driver)
    text = file.read_text("utf-8").replace("crs = 4547", "crs = 6677")
    text = text.replace("房屋.gpkg", f"房屋{suffix}")
    file.write_text(text, "utf-8")
    with pytest.raises(pg.errors.CRSError, match="another datum") as said:
        pg.run_project(file, tmp_path / "out")
    cure = said.value.hint.split("  #")[0]
    line = next(x for x in text.splitlines() if x.startswith("buildings"))
    file.write_text(text.replace(line, cure), "utf-8")
    found = pg.check_project(file, lang="en")
    assert found.loc[found["fault"] == "format_crs", "severity"].tolist() == ["warning"]
    out = pg.run_project(file, tmp_path / "out")
    assert "JGD2011" in (out / "reading.log").read_text("utf-8")
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert summary["schemes"][0]["inside_m2"] == pytest.approx(100, abs=1e-3)


def test_degrees_of_a_format_that_names_its_crs_stay_what_it_says(tmp_path):
    house = building_frame(HOUSE).translate(500_000, 2_500_000).set_crs(4547).to_crs(4326)
    house.to_file(tmp_path / "a.gpkg")
    with pytest.raises(pg.errors.CRSError, match="the file says"):
        pg.read_layer(tmp_path / "a.gpkg", "buildings", crs=6668, row_ids=True)
    house.to_file(tmp_path / "a.geojson")
    with pytest.raises(pg.errors.CRSError, match="the file says"):  # these are no metres
        pg.read_layer(tmp_path / "a.geojson", "buildings", crs=4547, row_ids=True)


def test_what_a_search_would_refuse_is_found(project, tmp_path):
    more = '[schemes."少"]\nleast = {from = "原", inward_m = 4, step_m = 1}\n'
    file = project(HOUSE, more=more, floors=float("nan"))
    found = errors(file)
    assert found["layer"].tolist() == ["buildings"]
    assert "neither floor area nor floors" in found["problem"].iloc[0]
    with pytest.raises(pg.errors.LayerError, match="neither floor area nor floors"):
        pg.run_project(file, tmp_path / "out")
    assert errors(project(HOUSE, more=more)).empty
    # of a house out of its reach nothing need be known
    far = HOUSE | {"far": shapely.box(500, 400, 510, 410)}
    assert errors(project(far, more=more, floors=[2.0, float("nan")])).empty


def test_limits_that_leave_no_line_are_found(project, tmp_path):
    """Only the search itself knows: two locks that no taper can join."""
    (tmp_path / "锁定.csv").write_text(
        "river,from_m,to_m,bank,least_m,most_m\nA,0,500,left,23,\nA,505,1000,left,,17\n", "utf-8"
    )
    more = '[tables]\nlocks = "锁定.csv"\n[schemes."少"]\nleast = {from = "原", step_m = 1}\n'
    file = project(HOUSE, more=more)
    with pytest.raises(pg.errors.OptimiseError, match="no line within the taper") as said:
        pg.run_project(file, tmp_path / "out")
    found = errors(file)
    assert found["problem"].tolist() == [said.value.said]
    free = "river,from_m,to_m,bank,least_m,most_m\nA,0,400,left,19,\nA,600,1000,left,,21\n"
    (tmp_path / "锁定.csv").write_text(free, "utf-8")
    assert errors(file).empty


@pytest.mark.skipif(importlib.util.find_spec("rasterio") is None, reason="no rasterio")
@pytest.mark.parametrize(
    ("file", "old", "new", "refused"),
    [
        # the search begins and ends as approved: where locks forbid that, it can't begin
        ("锁定.csv", "", "river,from_m,to_m,least_m\n木古河,100,300,99\n", "locks forbid"),
        # only the flood itself knows: a river that flows nowhere
        ("设计流量.csv", "木古河", "木古水", "木古"),
    ],
)
def test_what_the_water_would_refuse_is_found(file, old, new, refused, tmp_path):
    home = shutil.copytree(pg.project.sample_folder(), tmp_path / "sample")
    plan = home / "project.toml"
    if old:
        text = (home / file).read_text("utf-8-sig")
        assert old in text
        (home / file).write_text(text.replace(old, new), "utf-8")
    else:
        (home / file).write_text(new, "utf-8")
        plan.write_text(
            plan.read_text("utf-8").replace("[tables]", f'[tables]\nlocks = "{file}"'), "utf-8"
        )
    found = pg.check_project(plan, lang="en")
    found = found[found["severity"] == "error"]
    assert found.astype(str).agg(" ".join, axis=1).str.contains(refused).any()


def test_what_a_table_lacks_is_found_before_the_run(project, tmp_path):
    (tmp_path / "标准.csv").write_text("用途,房屋补偿单价\n厂房,1000\n", "utf-8")
    more = '[tables]\nrates = "标准.csv"\n'
    file = project(HOUSE, more=more, use="residential")
    found = errors(file)
    with pytest.raises(pg.PinghuError) as said:
        pg.run_project(file, tmp_path / "out")
    assert said.value.problem in found["problem"].iloc[-1]


def test_only_what_meets_the_line_is_judged():
    line = pg.red_line(RIVER, 20.0)
    layer = building_frame(HOUSE | FAR, floors=1)
    assert pg.affected(layer, line, RIVER).index.tolist() == ["H"]
    ends = {"river": ["A", "A"], "chainage_m": [0.0, 1000.0], "left_m": 20.0, "right_m": 20.0}
    assert pg.assess_many({"一": pd.DataFrame(ends)}, layer, RIVER).buildings.index.tolist() == [
        "H"
    ]
    found = pg.redline.position_uncertainty(layer, line, sigma_m=1.0)
    assert found.buildings.index.tolist() == ["H"]
    best = pg.least_demolition(RIVER, pd.DataFrame(ends), layer, {"step_m": 1.0})
    assert best.buildings.index.tolist() == ["H"]
    layer = building_frame(HOUSE | NEAR, floors=1)
    for use in (
        lambda: pg.affected(layer, line, RIVER),
        lambda: pg.assess_many({"一": pd.DataFrame(ends)}, layer, RIVER),
        lambda: pg.redline.position_uncertainty(layer, line, sigma_m=1.0),
        lambda: pg.least_demolition(RIVER, pd.DataFrame(ends), layer, {"step_m": 1.0}),
    ):
        with pytest.raises(pg.errors.LayerError, match=r"buildings: has invalid .*1: bad"):
            use()


def test_zones_far_from_every_feature_are_not_judged():
    zones = gpd.GeoDataFrame(
        geometry=[shapely.box(90, 0, 120, 30), bow(500, 400)],
        index=pd.Index(["Z1", "Z2"], name="zone_id"),
        crs=4547,
    )
    assert pg.redline.belongs_to(building_frame(HOUSE), zones).tolist() == ["Z1"]
    with pytest.raises(pg.errors.LayerError, match=r"zones: has invalid .*1: Z2"):
        pg.redline.belongs_to(building_frame({"F": shapely.box(500, 400, 520, 420)}), zones)


CAMPAIGN = '[campaign]\nadopted = "原"\nstart = "2018-01-02"\ngroups = 1\n'


def test_a_late_refusal_is_the_only_error(project):
    """Thirty bow ties far away hinder no one; the campaign lacks the tenants of two nodes."""
    far = {f"far{k}": bow(20 * k, 400) for k in range(30)}
    houses = HOUSE | {"G": shapely.box(700, 5, 710, 15)} | far
    file = project(houses, floor_area_m2=200.0, more=CAMPAIGN)
    found = errors(file)
    assert found["problem"].str.contains("n_tenants").all()
    assert found["id"].tolist() == ["A-L-001", "A-L-002"]
    rest = pg.check_project(file)
    assert (rest["fault"] == "invalid_geometry").sum() == 30
    said = CliRunner().invoke(app, ["check", str(file), "--no-isolate", "--lang", "en"])
    assert said.exit_code == 2
    assert "1 of the kinds are errors" in said.output
