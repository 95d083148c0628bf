"""30 payloads in every text column of every output: none runs, none is lost."""

import json
import re
import warnings
import zipfile
from pathlib import Path

import ezdxf
import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from test_browser import CHROMIUM, DRIVER, browser, requests
from test_inert import PAYLOADS as ALL

import pinghu_geo as pg
from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.drawing import read_dxf
from pinghu_geo.nouns.inert import (
    cell_text,
    drawing_text,
    given_text,
    sheet_text,
    visible_text,
)
from pinghu_geo.nouns.schema import label

# pandas keeps no half characters among its texts
PAYLOADS = [text for text in ALL if text != "\ud83d"]
TEXTS = ["owner", "title", "use", "structure", "tenure", "cleared_by", "reason", "node_id", "zone_id", "parcel_id"]  # fmt: skip
# what a template that ran would have left: a folder, a product, a name
RAN = "{{ 7*7 }}{{cycler.__init__.__globals__.os.mkdir('pwned')}}"
RIVER = f"{RAN}</script><script>window.hit=1</script>`${{window.hit=1}}\u202e=1+1"


@pytest.fixture(scope="module")
def given():
    boxes = [shapely.box(20 * k, 0, 20 * k + 10, 10) for k in range(len(PAYLOADS))]
    ids = pd.Index([f"{k}{text}" for k, text in enumerate(PAYLOADS)], name="building_id")
    columns = {name: PAYLOADS[k:] + PAYLOADS[:k] for k, name in enumerate(TEXTS)}
    houses = gpd.GeoDataFrame({**columns, "floors": 1.0}, geometry=boxes, index=ids, crs=4547)
    river = gpd.GeoDataFrame(
        geometry=[shapely.LineString([(0, 0), (1000, 0)])],
        index=pd.Index([RIVER], name="river"),
        crs=4547,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lines = {
            RAN + "a/../b": pg.red_line(river, 20.0),
            "<img src=x onerror=window.hit=1>{{8*8}}": pg.red_line(river, 5.0),
        }
        hit = pg.affected(houses, lines[RAN + "a/../b"], river)
        hit["verdict"] = "demolish"
        comparison = pg.compare(lines, houses, river)
    hit["node_id"] = pg.node_ids(hit)
    return houses, river, lines, hit, comparison


@pytest.fixture(scope="module")
def page(given, tmp_path_factory):
    houses, river, lines, hit, comparison = given
    zones = gpd.GeoDataFrame(
        {"kind": RAN, "name": "{%x%}", "payer": "{# 3 #}"},
        geometry=[shapely.box(0, 0, 400, 9)], index=pd.Index([RAN], name="zone_id"), crs=4547,
    )  # fmt: skip
    segments = pd.DataFrame(
        {"river": RIVER, "from_m": 0.0, "to_m": 1000.0, "group": RAN, "leader": RIVER}, index=[2]
    )
    path = tmp_path_factory.mktemp("map") / "map.html"
    pg.command_map(
        hit, lines, river, buildings=houses, nodes=pg.node_table(hit, segments), zones=zones,
        comparison=comparison, title=RIVER, note=RIVER,
    ).save(path)  # fmt: skip
    return path.read_text("utf-8")


def test_no_template_of_the_data_is_left_or_run_in_a_map(page, monkeypatch, tmp_path):
    assert not Path("pwned").exists()
    for sign in (
        "{{ 7",
        "{{7",
        "{{8",
        "{{cycler",
        "{# 3",
        "{%x",
        "\u202e",
        "<img src=x",
        "${window",
    ):
        assert sign not in page
    assert "<script>window.hit" not in page
    # each payload arrives, as entities within strings of the script
    assert page.count("cycler") > 10
    assert "\u4e00" * 120 in page


def test_two_maps_of_the_same_are_the_same_and_ids_like_hashes_stay(given):
    houses, river, lines, *_ = given
    houses = houses.iloc[:2].set_axis(
        pd.Index(["d41d8cd98f00b204e9800998ecf8427e", "0" * 32], name="building_id")
    )
    line = next(iter(lines.values()))
    hit = pg.affected(houses, line, river)
    first, second = (pg.command_map(hit, line, river).page() for _ in range(2))
    assert first == second
    assert "d41d8cd98f00b204e9800998ecf8427e" in first


def test_cells_and_headings_of_a_workbook_are_strings(given, tmp_path):
    *_, hit, comparison = given
    pg.write_ledger(
        hit,
        tmp_path / "l.xlsx",
        comparison=comparison,
        title=RIVER,
        note="a\0\x01b",
        published={"=1+1": "@x"},
    )
    book = openpyxl.load_workbook(tmp_path / "l.xlsx")
    strings = {
        c.value for sheet in book for row in sheet.iter_rows() for c in row if c.data_type != "f"
    }
    assert {sheet_text(t) for t in hit["owner"]} <= strings
    formulas = {
        c.value for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"
    }
    assert all(f.startswith("=SUBTOTAL(109,") for f in formulas)
    with zipfile.ZipFile(tmp_path / "l.xlsx") as parts:
        assert not any("externalLink" in n or "hyperlink" in n for n in parts.namelist())


def test_forms_open_whoever_the_group_and_whatever_the_blockers(tmp_path):
    houses = pd.DataFrame(
        {"node_id": "A-L-001", "river": "A", "bank": "left", "chainage_m": 1.0, "owner": PAYLOADS},
        index=[str(k) for k in range(len(PAYLOADS))],
    )
    log = pd.DataFrame({"building_id": ["0"], "stage": ["谈判"], "date": ["2018-03-01"]})
    state = pg.progress_state(log, houses)
    words = ['say "no"', "\x1b[2J", "\uffff"]
    for group, blockers in [("\x1b\uffff=1+1", words), ("&lt;\x00", ["a,b"]), ("甲", ["x" * 300])]:
        nodes = pd.DataFrame({"group": [group]}, ["A-L-001"])
        made = pg.deliver.write_forms(
            houses, nodes, state, tmp_path, project="\uffff\x1b'", blockers=blockers
        )
        book = openpyxl.load_workbook(made[0])
        cells = {c.value for row in book["房屋"].iter_rows() for c in row if c.data_type == "s"}
        assert {sheet_text(t) for t in PAYLOADS} <= cells
        assert not [c for row in book["房屋"].iter_rows() for c in row if c.data_type == "f"]
        lists = [
            r.formula1 for r in book["房屋"].data_validations.dataValidation if r.type == "list"
        ]
        assert len(lists) == (2 if blockers is words else 1)
        assert all(re.fullmatch(r'"(?:[^"]|"")*"', one) for one in lists)
        assert len(pg.campaign.read_reports(made[0], project="\uffff\x1b'")) == 0


def test_a_table_with_hostile_headings_comes_back(given, tmp_path):
    *_, hit, _ = given
    table = pd.DataFrame({"=cmd": hit["owner"].to_numpy(), "{{1}}": 1.5, "+x": "-5"})
    pg.write_table(table, tmp_path / "t.csv")
    raw = (tmp_path / "t.csv").read_text("utf-8-sig")
    assert raw.startswith("'=cmd,{{1}},'+x\n")
    pg.write_table(table, tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    assert all(c.data_type in "sn" for row in sheet.iter_rows() for c in row)
    assert [c.value for c in sheet[1]] == ["=cmd", "{{1}}", "+x"]
    back = pd.read_csv(tmp_path / "t.csv", dtype=str, keep_default_na=False)
    assert [given_text(t) for t in back["'=cmd"]] == [
        re.sub("\r\n?", "\n", cell_text(t)) for t in table["=cmd"]
    ]
    assert set(back["'+x"]) == {"-5"}


def test_a_drawing_holds_each_text_in_one_line(tmp_path):
    points = gpd.GeoDataFrame(
        {"label": PAYLOADS}, geometry=[shapely.Point(k, 0) for k in range(len(PAYLOADS))], crs=4547
    )
    pg.write_dxf({"桩号": points}, tmp_path / "t.dxf")
    texts = [e.plain_text() for e in ezdxf.readfile(tmp_path / "t.dxf").modelspace()]
    want = [drawing_text(t).replace("^ ", "^") for t in PAYLOADS]
    assert texts == want
    # GDAL leaves out texts that are nothing, and reads the others alike
    found = read_dxf(tmp_path / "t.dxf", "桩号", None, "rivers", Findings("rivers", "en"))
    assert set(found["Text"].dropna()) == set(want)
    for name in ("a\nb", "a\0", "x\r\n0\r\nEOF", "", "n" * 256, "a`b", "\t", " a"):
        with pytest.raises(pg.errors.LayerError, match="can't be called"):
            pg.write_dxf({name: points}, tmp_path / "no.dxf")
    assert not (tmp_path / "no.dxf").exists()


def test_a_database_holds_each_text_and_name(given, tmp_path):
    houses, *_ = given
    odd = houses.assign(
        **{"fid": [7] * len(houses), "geom": "x", "A\0b": 1, 'q"; DROP TABLE x;--': 2, "Owner": 3}
    )
    pg.deliver.write_results(
        {"gpkg_contents": odd, "a\0b": houses, 'x"y': houses}, tmp_path / "r.gpkg"
    )
    layers = list(pyogrio.list_layers(tmp_path / "r.gpkg")[:, 0])
    assert layers == ["_gpkg_contents", "a␀b", 'x"y', "layer_styles"]
    back = pyogrio.read_dataframe(tmp_path / "r.gpkg", layer="_gpkg_contents")
    assert back["owner"].tolist() == [cell_text(t) for t in houses["owner"]]
    assert back["_fid"].tolist() == [7] * len(houses)
    assert 'q"; DROP TABLE x;--' in back.columns


def test_errors_move_no_cursor():
    fault = pg.PinghuError("bad\x1b[2J", ids=["\x1b]0;t\x07", "a\nb"], hint="one\x9b\ntwo")
    assert not re.search("[\x00-\x09\x0b-\x1f\x80-\x9f]", str(fault))
    assert fault.ids == ("\x1b]0;t\x07", "a\nb")
    assert str(fault).count("\n") == 3
    assert visible_text("\x1b") == "␛"


def test_a_browser_runs_nothing_and_shows_each_text(page, tmp_path):
    if not (CHROMIUM and DRIVER):
        pytest.skip("needs chromium and chromedriver")
    (tmp_path / "map.html").write_text(page, "utf-8")
    with browser() as driver:
        driver.get((tmp_path / "map.html").as_uri())
        seen = driver.execute_script(
            "var texts = []; pgMap.shown().forEach(function (id) { pgMap.openHouse(id);"
            "  document.querySelectorAll('.pg-popup tr').forEach(function (row) {"
            "    if (row.cells[0].textContent === arguments[0]) texts.push(row.cells[1].textContent);"
            "  }); });"
            "document.querySelectorAll('.pg-nodes tbody tr').forEach(r => r.click());"
            "Object.values(window).forEach(function (one) {"
            "  if (one instanceof L.GeoJSON) one.eachLayer(function (l) {"
            "    if (l.getBounds && l.feature) l.fire('click', {latlng: l.getBounds().getCenter()}, true);"
            "  }); });"
            "return [texts, window.hit || 0, document.title, document.querySelector('.pg-panel h1').textContent]".replace(
                "arguments[0]", json.dumps(label("owner"))
            )
        )
        asked = [u for u in requests(driver) if not u.startswith("file:")]
        severe = [e for e in driver.get_log("browser") if e["level"] == "SEVERE"]
    texts, hit, title, heading = seen
    assert hit == 0
    assert not asked
    assert not severe
    assert {visible_text(t, lines=True) for t in PAYLOADS} <= set(texts)
    assert heading == RIVER
    assert title == RIVER
