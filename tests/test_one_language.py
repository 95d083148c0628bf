"""One language at a time: no Chinese of ours with --lang en, no English sentence of ours without."""

import html
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import rasterio
import shapely
from typer.testing import CliRunner

import pinghu_geo as pg
from conftest import SHARED, building_frame, river_frame
from pinghu_geo.cli import app
from pinghu_geo.flood.profiles import DOUBTS
from pinghu_geo.nouns import codes
from pinghu_geo.nouns.schema import NOUNS, label, match_columns

CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff01-\uff60]+")
# three words of small letters in a row: a sentence, not a name, a unit or a command
ENGLISH = re.compile(r"\b[a-z]{2,}(?:['\u2019][a-z]+)? [a-z]{2,} [a-z]{2,}\b")
needs_reference = pytest.mark.skipif(
    not (SHARED / "reference" / "hecras").exists(), reason="the models are not here"
)
# words of the two projects: what a file delivers stays as it is delivered
WORDS = {
    "en": {"name": "Small river", "note": "made up", "wide": "wide", "narrow": "narrow", "least": "searched",
           "river": "A", "owner": "Smith", "group": "g", "blocker": "dispute", "tenant": "Jones"},
    "zh": {"name": "小河", "note": "编造", "wide": "宽", "narrow": "窄", "least": "寻优",
           "river": "甲河", "owner": "某", "group": "甲组", "blocker": "产权纠纷", "tenant": "乙"},
}  # fmt: skip
PROJECT = """crs = 4547
name = "{name}"
note = "{note}"
repair = true
{lang}
[layers]
buildings = "houses.gpkg"
rivers = "rivers.gpkg"
zones = "zones.gpkg"
parcels = "parcels.gpkg"
[tables]
rates = "rates.csv"
[schemes."{wide}"]
widths = "wide.csv"
[schemes."{narrow}"]
widths = "narrow.csv"
[schemes."{least}"]
least = {{ from = "{wide}", inward_m = 6, outward_m = 1, step_m = 1.0, clear_m = 0.3 }}
[flood]
design = "design.csv"
dem = "ground.tif"
flows = "flows.csv"
boundaries = "ends.csv"
allowed_mm = 1
freeboard_m = 0.0
[campaign]
adopted = "{wide}"
start = "2018-01-02"
groups = 2
tenants = "tenants.csv"
handover = "entry.csv"
log = "log.csv"
work = 0.1
blockers = ["{blocker}"]
district_total = {{ floor_area_m2 = 20000 }}
[published]
"{name}" = "41"
"""


def small(folder: Path, lang: str) -> Path:
    """A project with all that a run can write, a houseful of it."""
    words = WORDS[lang]
    river = words["river"]
    boxes = {
        f"B{k}": shapely.box(100 * k + 50, 5 if k < 6 else 14, 100 * k + 60, 25) for k in range(8)
    }
    boxes["B8"] = shapely.Polygon([(450, -20), (460, -4), (460, -20), (450, -4)])  # a bow-tie
    houses = building_frame(
        boxes, floors=2.0, use="residential", owner=words["owner"], tenants=1.0,
        tenure=["private"] * 7 + ["collective"] * 2, title="registered", structure="brick_concrete",
    )  # fmt: skip
    houses.to_file(folder / "houses.gpkg")
    pg.write_layer(river_frame({river: [(0, 0), (1000, 0)]}), folder / "rivers.gpkg", "rivers")
    zone = {"zone_id": ["Z1"], "kind": ["renewal"], "payer": ["P"]}
    shape = [shapely.box(500, -50, 700, 50)]
    gpd.GeoDataFrame(zone, geometry=shape, crs=4547).to_file(folder / "zones.gpkg")
    plots = {"parcel_id": ["L1"], "owner": [words["owner"]], "land_use": ["x"]}
    shape = [shapely.box(0, 0, 1000, 40)]
    gpd.GeoDataFrame(plots, geometry=shape, crs=4547).to_file(folder / "parcels.gpkg")
    ends = [0, 250, 500, 750, 1000]
    files = {
        "wide": f"river,chainage_m,left_m,right_m\n{river},0,17,17\n{river},1000,17,17\n",
        "narrow": f"river,chainage_m,left_m,right_m\n{river},0,10,10\n{river},1000,10,10\n",
        "rates": "use,building_yuan_m2\nresidential,5000\n",
        "tenants": "tenant_id,building_id,name\n"
        + "".join(f"T{k},B{k},{words['tenant']}\n" for k in range(8)),
        "entry": f"river,from_m,to_m,needed_by\n{river},0,1000,2018-01-30\n",
        "log": f"building_id,stage,date,blocker\nB0,survey,2018-01-05,{words['blocker']}\n"
        "B1,negotiation,2018-02-25,\n",
        "design": "river,chainage_m,bed_level_m,bank_level_m,left_m,right_m,side_slope,n\n"
        + "".join(f"{river},{x},{7 - x / 500},{9.5 - x / 500},8,8,0,0.03\n" for x in ends),
        "flows": f"river,chainage_m,discharge_m3s,profile\n{river},0,60,P=2%\n",
        "ends": f"river,slope\n{river},0.002\n",
    }
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    x, y = np.meshgrid(np.arange(-45, 1055, 10.0), np.arange(95, -105, -10.0))
    ground = (9.6 - x / 500 + 0.01 * abs(y)).astype("float32")
    made = rasterio.transform.from_origin(-50, 100, 10, 10)
    with rasterio.open(folder / "ground.tif", "w", driver="GTiff", width=ground.shape[1],
                       height=ground.shape[0], count=1, dtype="float32", crs=4547, nodata=-9999,
                       transform=made) as file:  # fmt: skip
        file.write(ground, 1)
    path = folder / "project.toml"
    lang_line = 'lang = "en"' if lang == "en" else ""
    path.write_text(PROJECT.format(**words, lang=lang_line), "utf-8")
    return path


def told(*words) -> str:
    """What the shell says, progress and all."""
    got = CliRunner().invoke(app, [str(w) for w in words])
    if got.exception is not None and not isinstance(got.exception, SystemExit):
        raise got.exception
    return got.output


def of_page(path: Path):
    """What a page shows: its words, labels and what its scripts set."""
    page = path.read_text("utf-8")
    for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL):
        if "const facts" in script or "var map_" in script:  # ours, not a library's
            yield "script", "\n".join(re.findall(r'"((?:[^"\\]|\\.)*)"', script))
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    yield "page", html.unescape(re.sub(r"<[^>]*>", "\n", bare))
    yield from (("label", t) for t in re.findall(r'(?:aria-label|title)="([^"]*)"', bare))


def of_book(path: Path):
    """What a workbook shows: sheets, cells, formats, feet, lists to choose from."""
    book = openpyxl.load_workbook(path)
    yield "title", str(book.properties.title or "")
    for sheet in (s for s in book if s.sheet_state != "veryHidden"):
        yield "sheet", sheet.title
        yield f"{sheet.title} footer", str(sheet.oddFooter.right.text or "")
        for row in sheet.iter_rows():
            for cell in row:
                yield f"{sheet.title}!{cell.coordinate}", str(cell.value or "")
                yield f"{sheet.title}!{cell.coordinate} form", str(cell.number_format or "")
        for rule in sheet.data_validations.dataValidation:
            yield f"{sheet.title} list", f"{rule.formula1} {rule.error} {rule.errorTitle}"


def of_layers(path: Path):
    """What the tables of a GeoPackage hold."""
    for layer in gpd.list_layers(path)["name"]:
        table = pd.DataFrame(gpd.read_file(path, layer=layer))
        table = table.drop(columns="geometry", errors="ignore")
        if layer == "layer_styles":
            for name, text in zip(table["f_table_name"], table["styleQML"], strict=True):
                yield from of_style(name, text)
            continue
        yield f"{layer} columns", " | ".join(map(str, table.columns))
        for name in table.select_dtypes(["object", "str"]):
            yield f"{layer}.{name}", "\n".join(map(str, table[name].dropna().unique()))


def of_style(at: str, text: str):
    """What a style, a project of QGIS or a schedule shows: names of fields, codes, tasks."""
    root = ElementTree.fromstring(text)
    for one in root.iter():
        if one.tag in ("alias", "category", "Option"):
            yield f"{at} {one.tag}", one.get("label") or one.get("name") or ""
        elif one.tag.endswith("}Name"):
            yield f"{at} task", one.text or ""


def of_schedule(path: Path):
    yield from of_style("schedule", path.read_text("utf-8"))


def of_qgis(path: Path):
    with zipfile.ZipFile(path) as book:
        yield from of_style("project", book.read(f"{path.stem}.qgs").decode("utf-8"))


def of_text(path: Path):
    yield "text", path.read_text("utf-8")


# a drawing's letters are shapes: it is looked at as a picture
READERS = {".html": of_page, ".xlsx": of_book, ".gpkg": of_layers, ".pdf": lambda _: (),
           ".xml": of_schedule, ".qgz": of_qgis, ".json": of_text, ".log": of_text, ".txt": of_text, ".toml": of_text}  # fmt: skip


@pytest.fixture(scope="module", params=["en", "zh"])
def spoken(request, tmp_path_factory):
    """Everything that a small project writes and says, in one language."""
    lang = request.param
    folder = tmp_path_factory.mktemp(lang)
    project, out = small(folder, lang), folder / "out"
    said = {
        "run": told("run", project, "--out", out),
        "check": told("check", project, "--out", folder / "check.xlsx", "--no-isolate"),
    }
    raw = folder / "raw"
    raw.mkdir()
    for name in ("houses.gpkg", "rivers.gpkg", "ground.tif"):
        (raw / name).write_bytes((folder / name).read_bytes())
    extra = ("--lang", lang)
    said["new"] = told("new", raw, *extra)
    said["explain"] = told("explain", "least", *extra)
    places = [
        folder / "check.xlsx",
        *out.rglob("*"),
        *(p for p in raw.iterdir() if p.suffix in (".xlsx", ".toml")),
    ]
    shown = [(f"$ {name}", "", text.replace(str(folder), "")) for name, text in said.items()]
    shown += [
        (p.name, at, text) for p in places if p.is_file() for at, text in READERS[p.suffix](p)
    ]
    return lang, shown


# keys of files for programs, names of the project's own files, and what a key's example is
PROGRAM = re.compile(r'"[a-z_0-9]+":|\b(?:pg|pinghu)\b[^\n]*')


def test_what_is_written_and_said_is_in_one_language(spoken):
    lang, shown = spoken
    assert len(shown) > 1000
    strange = []
    for place, at, text in shown:
        if place in ("manifest.json", "project.schema.json"):  # for programs
            continue
        found = CHINESE.findall(text) if lang == "en" else []
        if lang == "zh":
            found = ENGLISH.findall(PROGRAM.sub(" ", text))
        strange += [(place, at, word) for word in found]
    unique = list(dict.fromkeys(strange))
    assert not unique, "\n".join(map(str, unique[:200]))


def test_a_run_says_the_same_sentences_in_both_languages(spoken):
    lang, shown = spoken
    run = next(text for place, _, text in shown if place == "$ run")
    one = {"en": "proven optimal as drawn", "zh": "已证明最优"}[lang]
    assert one in run or {"en": "not closed", "zh": "尚有差距"}[lang] in run
    assert {"en": "The scheme adopted is wide.", "zh": "采用宽。"}[lang] in run
    # of schemes, and of what the search may reach: each once
    for estimated in (
        {"en": "buildings is estimated as", "zh": "建筑面积按基底面积"}[lang],
        {"en": "of the search is estimated as", "zh": "寻优可及范围内"}[lang],
    ):
        assert run.count(estimated) <= 1


def test_forms_in_english_are_read_back(tmp_path):
    folder = tmp_path
    project = small(folder, "en")
    told("forms", project, "--out", folder / "forms")
    path = next((folder / "forms").glob("*.xlsx"))
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    heads = [c.value for c in sheet[4]]
    sheet.cell(5, heads.index("this stage") + 1).value = "signed"
    sheet.cell(5, heads.index("date") + 1).value = pd.Timestamp("2018-02-26").to_pydatetime()
    book.save(path)
    assert not [t for _, text in of_book(path) for t in CHINESE.findall(text)]
    rows = pg.campaign.read_reports(path)
    assert rows["stage"].tolist() == ["signed"]


def test_an_error_in_english_names_no_chinese_noun():
    fault = pg.errors.LayerError("lacks the column 'floors' (层数)", layer="buildings", hint="a")
    assert "(层数)" in str(fault)
    assert fault.in_language("en").startswith("buildings: lacks the column 'floors'.")
    own = pg.errors.LayerError("has the unknown use '厂' (某处)", layer="buildings")
    assert "(某处)" in own.in_language("en")  # what was delivered stays


def test_a_blank_form_in_english_is_read_back(tmp_path):
    for what in ("widths", "rates", "segments", "design", "flows", "boundaries"):
        pg.deliver.write_blank_form(what, tmp_path / f"{what}.xlsx", lang="en")
        book = openpyxl.load_workbook(tmp_path / f"{what}.xlsx")
        sheet = book.worksheets[0]
        heads = [c.value for c in sheet[1]]
        kind = NOUNS[what]
        known = match_columns(heads, kind)
        wanted = [c.name for c in kind.columns if c.name not in ("line", "piece")]
        assert [known.get(h) for h in heads] == wanted
        assert all(head.isascii() or not CHINESE.search(head) for head in heads)


@pytest.mark.parametrize(
    ("corner", "size", "code"),
    [((510000, 2510000), 9, 4506), ((2510000, 510000), 9, 4547), ((114, 22.6), 0.01, 4490),
     ((-4e6, -4e6), 9, 4547)],
)  # fmt: skip
def test_what_coordinates_could_be_is_said_in_one_language(tmp_path, corner, size, code):
    """ "; ... 33 in all" stood among the candidates; of degrees the cure was a grid in metres."""
    house = shapely.box(*corner, corner[0] + size, corner[1] + size)
    gpd.GeoDataFrame({"ID": ["A"]}, geometry=[house], crs=4547).to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").unlink()
    with pytest.raises(pg.PinghuError) as told:
        pg.read_layer(tmp_path / "a.shp", "buildings")
    said = told.value.said_in("zh")
    assert not re.search(r"\b(in all|none|unless|degrees)\b", said)
    assert f"crs={code})" in told.value.hint


def test_every_doubt_about_water_has_a_word():
    assert {*DOUBTS} <= {*codes.DOUBT}


@needs_reference
def test_tables_of_a_model_have_headings_in_chinese():
    folder = SHARED / "reference"
    one = folder / "structures" / "BEAVCREK"
    models = [pg.read_hecras(one / "BEAVCREK.g01", one / "BEAVCREK.f01", units="US"),
              pg.flood.read_hecras_results(folder / "hecras" / "FLODENCR.p01.hdf")]  # fmt: skip
    tables = ("sections", "banks", "obstacles", "flows", "downstream", "structures",
              "structure_parts", "profile", "left_out")  # fmt: skip
    for model in models:
        for name in tables:
            said = {c: label(c) for c in getattr(model, name).columns}
            assert all(CHINESE.search(word) or word == "n" for word in said.values()), said
