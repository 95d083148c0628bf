"""Every public function on a small world, and every table of it in other clothes.

`cases` lists (function, table, column, variation); `outcome` runs one and says what came of it:
``same``, ``refused`` (in the library's own words), or what must never be: ``wrong``, ``foreign``
(another library's error), ``mutated``, ``warned``.
"""

from __future__ import annotations

import copy
import re
import warnings
import zipfile
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import docx
import ezdxf
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pandas.testing import assert_frame_equal

import pinghu_geo as pg
from pinghu_geo.campaign.standing import Campaign
from pinghu_geo.nouns.schema import NOUNS

CRS = 4547


def world():
    """A river, nine houses, and whatever the functions make of them."""
    rivers = gpd.GeoDataFrame(
        {"start_m": [0.0], "chainage_sign": [1.0]},
        geometry=[shapely.LineString([(0, 0), (300, 20), (600, 0)])],
        index=pd.Index(["A"], name="river"), crs=CRS,
    )  # fmt: skip
    at, off = np.arange(40.0, 560, 60), np.array([8.0, -9, 20, 14, -14, 30, 9, -24, 0])
    buildings = gpd.GeoDataFrame(
        {"floors": 2.0, "floor_area_m2": [200.0] * 8 + [100.0], "use": "residential",
         "structure": ["concrete"] * 5 + ["brick_wood"] * 4, "title": "registered",
         "tenants": [1.0, 0, 2, 0, 1, 0, 0, 3, 0], "owner": list("甲乙丙丁戊己庚辛壬")},
        geometry=shapely.box(at, off + 4, at + 10, off + 14),
        index=pd.Index([f"100{k}" for k in range(9)], name="building_id"), crs=CRS,
    )  # fmt: skip
    end = float(rivers.length.iloc[0])
    row = {"river": "A", "chainage_m": [0.0, 300.0, end]}
    widths = pd.DataFrame({**row, "left_m": [15.0, 18, 15], "right_m": [14.0, 14, 16]})
    narrow = widths.assign(left_m=widths["left_m"] - 4.0)
    design = pd.DataFrame({**row, "bed_level_m": [5.0, 4.5, 4.0], "bank_level_m": [10.0, 9.5, 9.0],
                           "left_m": 9.0, "right_m": 8.0, "n": 0.03})  # fmt: skip
    sections = pg.design_sections(design)
    flows = pd.DataFrame({"river": ["A"], "chainage_m": [np.nan], "discharge_m3s": [60.0]})
    ends = pd.DataFrame({"river": ["A"], "boundary": ["normal"], "slope": [0.0016]})
    rates = pd.DataFrame({"use": ["residential", None], "structure": [None, None],
                          "building_yuan_m2": [8000.0, 100.0], "relocation_yuan_m2": [50.0, 5.0]},
                         index=["R1", "R2"])  # fmt: skip
    line, thin = pg.red_line(rivers, widths), pg.red_line(rivers, narrow)
    affected = pg.assess(line, buildings, rivers, rates=rates).affected
    zones = gpd.GeoDataFrame({"kind": ["renewal", "other"], "payer": ["甲", "乙"]},
                             geometry=shapely.box([0, 200], [-60, -60], [200, 400], [60, 60]),
                             index=pd.Index(["Z1", "Z2"], name="zone_id"), crs=CRS)  # fmt: skip
    segments = pd.DataFrame({"river": "A", "from_m": [0.0, 0.0, 300], "to_m": [300.0, 300, end],
                             "bank": ["left", "right", None], "group": ["甲", "乙", "丙"]})  # fmt: skip
    evidence = pd.DataFrame({"rise_alone_mm": 1.0, "rise_joint_mm": 2.0, "freeboard_m": 0.5,
                             "sewage_ok": True, "optional": True, "structure_ok": True,
                             "title_ok": True, "in_project": False},
                            index=affected.index)  # fmt: skip
    profile = pg.water_profile(sections, flows, ends)
    obstacles = pg.building_obstacles(buildings, sections, rivers)
    locks = pd.DataFrame({"river": ["A"], "from_m": [0.0], "to_m": [200.0], "bank": ["left"]})
    return locals()


def campaign(w):
    """What the campaign's functions take, of the same houses."""
    hit = w["affected"].assign(verdict=["demolish"] * 4 + ["retain"] + ["demolish"] * 2,
                               cleared_by=["本项目"] * 6 + ["甲"])  # fmt: skip
    tenants = pd.DataFrame(
        {"building_id": hit.index[[0, 0, 2]], "kind": ["dwelling", "shop", "factory"],
         "area_m2": [20.0, 30, 40], "lease_end": pd.to_datetime(["2018-02-01"] * 3)},
        index=pd.Index(["201", "202", "203"], name="tenant_id"),
    )  # fmt: skip
    tasks = pg.campaign_tasks(hit, tenants=tenants, segments=w["segments"])
    nodes, houses, people = tasks.nodes, tasks.buildings, tasks.tenants
    groups = pd.DataFrame({"group": ["甲", "乙", "丙"], "leader": ["子", "丑", "寅"]})
    cuts = pd.DataFrame({"river": "A", "chainage_m": [150.0, 300.0, 420.0]})
    handover = pd.DataFrame({"river": ["A", "A"], "from_m": [0.0, 300], "to_m": [300.0, 600],
                             "needed_by": pd.to_datetime(["2018-04-01", "2018-05-01"]),
                             "bank": ["left", None]})  # fmt: skip
    capacity = pd.DataFrame({"group": sorted(nodes["group"].dropna().unique()), "stage": "survey",
                             "per_day": 2.0, "crews": 1.0})  # fmt: skip
    log = pd.DataFrame({"building_id": [houses.index[0], houses.index[1], None],
                        "tenant_id": [None, None, "203"],
                        "stage": ["signed", "negotiation", "signed"],
                        "date": ["2018-02-01", "2018-02-03", "2018-02-05"],
                        "blocker": [None, "产权", None]})  # fmt: skip
    made = pg.schedule(nodes, handover=handover, capacity=capacity, start="2018-01-01", work=0)
    plan = made.activities
    state = pg.progress_state(log, houses, tenants=people)
    reached, by_stage = state.reached, state.stages
    shown = pg.working_faces(houses, w["rivers"], state=reached, plan=plan)
    faces = shown.stretches
    works = pd.DataFrame({"river": ["A"], "from_m": [0.0], "to_m": [600.0]})
    return locals()


def works(w):
    """What the functions take that few rivers have: structures, cuts, marks, control points."""
    row = {"river": "A", "chainage_m": w["widths"]["chainage_m"]}
    banks = pd.DataFrame({**row, "left_bank_m": -5.0, "right_bank_m": 5.0})
    walls = pd.DataFrame({"wall": ["直墙", "缓坡"], "side_slope": [0.0, 1.0],
                          "n_wall": [0.02, 0.03], "wall_yuan_m": [900.0, 100.0]})  # fmt: skip
    cuts_ = pd.DataFrame({**row, "centre_m": 0.0, "bottom_m": 6.0,
                         "invert_m": [4.5, 4.0, 3.5], "side_slope": 1.0, "n": 0.025})  # fmt: skip
    earth = pg.flood.cut_sections(w["sections"], cuts_)
    from_offset = pd.DataFrame({"offset_m": [-12.0, 0.0], "n": [0.03, 0.025]})
    weirs = pd.DataFrame(
        {"river": "A", "chainage_m": [200.0, 400.0], "kind": ["weir", "bridge"],
         "crest_m": [5.2, np.nan], "crest": ["broad", None], "low_chord_m": [np.nan, 8.0],
         "deck_m": [np.nan, 9.0], "width_m": [np.nan, 6.0], "distance_m": [np.nan, 10.0]},
        index=pd.Index(["W1", "Q2"], name="structure_id"),
    )  # fmt: skip
    parts = pd.DataFrame({"structure_id": "Q2", "part": "pier", "offset_m": [-2.0, 2.0],
                          "pier_width_m": 0.8})  # fmt: skip
    fork = pd.concat([
        pd.DataFrame({"river": name, "chainage_m": [0.0, 200.0], "bed_level_m": beds,
                      "bank_level_m": 12.0, "left_m": 6.0, "right_m": 6.0, "n": 0.03})
        for name, beds in (("甲", [5.2, 5.0]), ("乙", [5.1, 5.0]), ("丙", [4.98, 4.6]))
    ], ignore_index=True)  # fmt: skip
    fork_sections = pg.design_sections(fork)
    fork_flows = pd.DataFrame({"river": ["甲", "乙", "丙"], "chainage_m": np.nan,
                               "discharge_m3s": [20.0, 15.0, 35.0]})  # fmt: skip
    fork_ends = pd.DataFrame({"river": ["丙"], "boundary": ["normal"], "slope": [0.002]})
    junctions = pd.DataFrame({"junction": "J", "river": ["甲", "乙", "丙"],
                              "role": ["in", "in", "out"], "length_m": 20.0})  # fmt: skip
    fork_profile = pg.water_profile(fork_sections, fork_flows, fork_ends, junctions=junctions)
    fork_rivers = gpd.GeoDataFrame(geometry=[
        shapely.LineString(line) for line in
        ([(0, 300), (200, 300)], [(0, 500), (200, 300)], [(200, 300), (400, 300)])
    ], index=pd.Index(["甲", "乙", "丙"], name="river"), crs=CRS)  # fmt: skip
    tops_ = pd.DataFrame({"river": ["A"], "boundary": ["normal"], "slope": [0.0016]})
    higher = pg.water_profile(w["sections"], 80.0, w["ends"])
    held = pd.DataFrame({"river": ["A"], "from_m": [0.0], "to_m": [150.0], "bank": ["left"],
                         "group": ["甲"]})  # fmt: skip
    few = w["buildings"].iloc[[0, 2, 4]]
    reference = w["buildings"].set_geometry(w["buildings"].translate(0.5, 0.2))
    parcels_ = gpd.GeoDataFrame(
        {"land_use": ["住宅", "工业"], "area_m2": [9000.0, 9000.0]},
        geometry=shapely.box([0, 300], [-60, -60], [300, 600], [90, 90]),
        index=pd.Index(["301", "302"], name="parcel_id"), crs=CRS,
    )  # fmt: skip
    marks = w["profile"][["river", "chainage_m", "level_m"]].assign(sd_m=0.05)
    zones_n = pd.DataFrame({"zone": ["上", "下"], "river": "A", "from_m": [0.0, 300.0],
                            "to_m": [300.0, 700.0]})  # fmt: skip
    xy = np.array([[100000, 20000], [101000, 20000], [100000, 21000], [101000, 21500.0]])
    control = pd.DataFrame(np.column_stack([xy, xy + [413000, 2490000]]), index=range(1, 5),
                           columns=["from_x_m", "from_y_m", "to_x_m", "to_y_m"])  # fmt: skip
    local = gpd.GeoDataFrame(
        index=pd.Index(["a", "b"], name="building_id"),
        geometry=shapely.box([100500, 100600], 20500, [100510, 100610], 20510),
    )
    ledger = pd.DataFrame({"building_id": w["buildings"].index, "leader": list("子丑寅卯辰巳午未申"),
                           "floors": 3.0}, index=range(2, 11))  # fmt: skip
    water = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 400, 20)],
                             index=pd.Index(["A"], name="river"), crs=CRS)  # fmt: skip
    sources = gpd.GeoDataFrame(geometry=[shapely.Point(0, 10)],
                               index=pd.Index(["A"], name="river"), crs=CRS)  # fmt: skip
    pieces = gpd.GeoDataFrame(
        {"name": ["A", "A"]}, index=pd.Index(["1", "2"], name="river"), crs=CRS,
        geometry=[shapely.LineString([(0, 0), (300, 0)]), shapely.LineString([(302, 0), (600, 9)])],
    ).set_index(pd.Index(["A", "B"], name="river"))  # fmt: skip
    multi = gpd.GeoDataFrame(
        geometry=[shapely.MultiPolygon([shapely.box(0, 0, 9, 9), shapely.box(20, 0, 30, 9)])],
        index=pd.Index(["M1"], name="building_id"), crs=CRS,
    )  # fmt: skip
    labelled = pg.stations(w["rivers"], spacing_m=200)
    faults = pg.check(w["buildings"].assign(floor_area_m2=np.nan), "buildings")
    activities = pd.DataFrame({"duration_days": [2.0, 3.0, 1.0]}, index=["a", "b", "c"])
    links = pd.DataFrame({"before": ["a", "b"], "after": ["c", "c"], "lag_days": [0.0, 1.0]})
    first = pg.assess(w["line"], w["buildings"], w["rivers"])
    second = pg.assess(w["thin"], w["buildings"], w["rivers"])
    days = pd.DataFrame({"date": pd.date_range("2018-01-06", periods=9, freq="7D"),
                         "working": True})  # fmt: skip
    spared = w["affected"].assign(state=["saved", "demolished", "saved"] + ["added"] * 4)
    far = w["rivers"].set_geometry(w["rivers"].translate(5e5, 2.5e6))
    reports = w["log"].assign(date=pd.to_datetime(w["log"]["date"]), by="子", note="")
    return {k: v for k, v in locals().items() if k not in ("w", "row", "xy")}


def ground(folder):
    """A raster of the ground around the river, made once."""
    import rasterio

    x, y = np.meshgrid(np.arange(-80, 680, 4.0), np.arange(90, -70, -4.0))
    level = 10.0 - x / 600 + np.abs(y) / 200
    place = rasterio.transform.from_origin(-82, 92, 4, 4)
    path = Path(folder) / "dem.tif"
    with rasterio.open(path, "w", driver="GTiff", width=x.shape[1], height=x.shape[0], count=1,
                       crs=CRS, dtype="float64", transform=place) as out:  # fmt: skip
        out.write(level, 1)
    return path


def drawing(figure):
    """What a drawing shows: its lines."""
    return [np.round(np.asarray(x.get_xydata(), float), 9).tolist()
            for axes in figure.axes for x in axes.lines]  # fmt: skip


def written(name, write, read):
    """What stands in a file that was written."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return read(path)


def shapes_of(layer, log=None):
    """What becomes of a layer's shapes, where its columns are handed on as they are."""
    return list(layer.geometry), log


def joined(found):
    """What a ledger brought to a layer."""
    return found.layer[["leader"]], found.unmatched


def entities(path):
    """What a drawing holds: layers, corners and texts."""
    return [
        [e.dxf.layer, e.dxf.text if e.dxftype() == "TEXT" else np.round(list(e), 6).tolist()]
        for e in ezdxf.readfile(path).modelspace()
        if e.dxftype() != "POINT"
    ]


def words_in(path):
    """What stands in papers of Word: paragraphs, and cells of tables."""
    papers = sorted(path.glob("*.docx")) if path.is_dir() else [path]
    found = []
    for paper in (docx.Document(p) for p in papers if p.exists()):
        found += [p.text for p in paper.paragraphs if p.text]
        found += [c.text for t in paper.tables for r in t.rows for c in r.cells]
    return found


def tags_and_texts(path):
    """Tags and texts of an XML file, in turn: a text is compared by itself."""
    return [w.strip() for w in re.split(r"(?<=>)|(?=</)", path.read_text("utf-8")) if w.strip()]


def layers_of_qgis(path):
    """Layers of a QGIS project: name, shapes, styles and the extent of the map."""
    with zipfile.ZipFile(path) as book:
        root = ElementTree.fromstring(book.read("q.qgs"))
    return [
        *([e.findtext("layername"), e.get("geometry"), len(e.findall(".//category"))]
          for e in root.iter("maplayer")),
        [float(e.text) for e in root.find("mapcanvas/extent")],
    ]  # fmt: skip


def reported(update):
    """What a store says of a report that it is given."""
    with TemporaryDirectory() as folder:
        said = Path(folder) / "日报.csv"
        said.write_text("房屋编号,阶段,日期\n1002,签约,2018-03-01\n", "utf-8")
        return update(pg.campaign.open_store(Path(folder) / "c.gpkg", "示例"), [said])


def sheets(write):
    """Cells of the sheets of a workbook that was written, by their headings."""
    return written("x.xlsx", write, lambda p: pd.read_excel(p, sheet_name=None, header=None))


W = world()
W |= campaign(W)
W["receipts"] = W["shown"].receipts
W["watched"] = pg.supervision(W["plan"], W["state"], W["houses"], faces=W["faces"])
W["standing"] = Campaign(
    "方案", pg.campaign.stage_rules(), W["tasks"], None, W["made"], W["made"], W["state"],
    W["shown"], W["watched"], pg.payments(W["houses"], W["plan"], state=W["reached"]), W["rivers"],
)  # fmt: skip
W["planned"] = W["made"].nodes
W["compared"] = pg.compare(
    {"a": W["line"], "b": W["thin"]}, W["buildings"], W["rivers"], rates=W["rates"]
)
W["tops"] = pg.freeboard(W["profile"], W["sections"])
W["buildings_at"] = (
    pg.affected(W["buildings"], W["line"], W["rivers"])
    .join(pg.flood_levels(W["buildings"], W["profile"], W["rivers"])[["flood_level_m"]])
    .assign(ground_m=9.0)
)
W |= works(W)
FOLDER = TemporaryDirectory()
DEM = ground(FOLDER.name)
NEAR, PARQUET = (Path(FOLDER.name) / name for name in ("near.gpkg", "houses.parquet"))
pg.write_layer(W["buildings"], NEAR, "buildings")
W["buildings"].to_parquet(PARQUET)
COORDINATES = Path(FOLDER.name) / "points.dat"
COORDINATES.write_text("".join(
    f"{k},,{5e5 + x},{2.5e6 + y},{5 + abs(y - 10) / 5}\n"
    for k, (x, y) in enumerate((x, y) for x in (150.0, 151.0, 450.0) for y in (0.0, 10.0, 20.0))
), "utf-8")  # fmt: skip
SLOPE = {"slope": 0.0016}
LIMITS = {"clear_m": 0.3, "step_m": 1.0, "inward_m": 3.0, "outward_m": 3.0}
NEAR_LIMITS = {"clear_m": 0.3, "step_m": 1.0, "inward_m": 1.0, "outward_m": 0.0}
GIVEN = {"allowed_mm": 10, "freeboard_m": 0}
# function: its tables by their names in the world, and how it is called with them
CALLS = {
    "red_line": ("rivers widths", lambda t: pg.red_line(t["rivers"], t["widths"])),
    "widths_of": ("line rivers", lambda t: pg.widths_of(t["line"], t["rivers"], spacing_m=100)),
    "affected": ("buildings line rivers",
                 lambda t: pg.affected(t["buildings"], t["line"], t["rivers"])),
    "locate": ("buildings rivers", lambda t: pg.locate(t["buildings"], t["rivers"])),
    "stations": ("rivers", lambda t: pg.stations(t["rivers"])),
    "transfer": ("design rivers",
                 lambda t: pg.transfer_chainage(t["design"], t["rivers"], t["rivers"])),
    "totals": ("affected", lambda t: pg.totals(t["affected"], "bank")),
    "floor_area": ("buildings", lambda t: pg.redline.floor_area(t["buildings"])),
    "overlay": ("buildings zones", lambda t: pg.redline.overlay_zones(t["buildings"], t["zones"])),
    "remainders": ("affected line", lambda t: pg.remainders(t["affected"], t["line"])),
    "compensation": ("affected rates", lambda t: pg.compensation(t["affected"], t["rates"])),
    "clearing": ("affected zones", lambda t: pg.clearing(t["affected"], t["zones"])),
    "node_ids": ("affected rivers", lambda t: pg.node_ids(t["affected"], rivers=t["rivers"])),
    "node_table": ("affected segments", lambda t: pg.node_table(t["affected"], t["segments"])),
    "assess": ("line buildings rivers rates",
               lambda t: pg.assess(t["line"], t["buildings"], t["rivers"], rates=t["rates"])),
    "compare": ("line thin buildings rivers rates",
                lambda t: pg.compare({"a": t["line"], "b": t["thin"]}, t["buildings"], t["rivers"],
                                     rates=t["rates"])),
    "assess_many": ("widths narrow buildings rivers",
                    lambda t: pg.assess_many({"a": t["widths"], "b": t["narrow"]}, t["buildings"],
                                             t["rivers"])),
    "retention": ("affected evidence",
                  lambda t: pg.retention_verdict(t["affected"], t["evidence"], limits=GIVEN)),
    "design_sections": ("design", lambda t: pg.design_sections(t["design"])),
    "water_profile": ("sections flows ends obstacles rivers",
                      lambda t: pg.water_profile(t["sections"], t["flows"], t["ends"],
                                                 obstacles=t["obstacles"], rivers=t["rivers"])),
    "normal_levels": ("sections flows", lambda t: pg.flood.normal_levels(
        t["sections"], t["flows"], slope=0.0016)),
    "freeboard": ("profile sections rivers", lambda t: pg.freeboard(
        t["profile"], t["sections"], rivers=t["rivers"])),
    "flood_rise": ("sections flows obstacles",
                   lambda t: pg.flood_rise(t["sections"], t["flows"], SLOPE,
                                           after={"obstacles": t["obstacles"]})),
    "obstacles": ("buildings sections rivers weirs",
                  lambda t: pg.building_obstacles(t["buildings"], t["sections"], t["rivers"],
                                                  structures=t["weirs"])),
    "rises": ("few sections flows rivers",
              lambda t: pg.building_rises(t["few"], t["sections"], t["flows"], SLOPE,
                                          t["rivers"], allowed_mm=5.0)),
    "flood_levels": ("buildings profile rivers weirs",
                     lambda t: pg.flood_levels(t["buildings"], t["profile"], t["rivers"],
                                               structures=t["weirs"])),
    "moved_design": ("design widths narrow rivers",
                     lambda t: pg.moved_design(t["design"], t["widths"], t["narrow"], t["rivers"])),
    "least": ("rivers widths buildings rates locks",
              lambda t: pg.least_demolition(t["rivers"], t["widths"], t["buildings"], LIMITS,
                                            rates=t["rates"], locks=t["locks"]).widths),
    "tasks": ("hit tenants segments zones",
              lambda t: pg.campaign_tasks(t["hit"], tenants=t["tenants"], segments=t["segments"],
                                          zones=t["zones"])),
    "reaches": ("nodes groups cuts rivers",
                lambda t: pg.balanced_reaches(t["nodes"], t["groups"], cuts=t["cuts"],
                                              rivers=t["rivers"])),
    "work_days": ("nodes capacity",
                  lambda t: pg.campaign.work_days(t["nodes"], capacity=t["capacity"])),
    "schedule": ("nodes handover capacity by_stage",
                 lambda t: pg.schedule(t["nodes"], handover=t["handover"], capacity=t["capacity"],
                                       progress=t["by_stage"], start="2018-01-01", work=0)),
    "state": ("log houses people",
              lambda t: pg.progress_state(t["log"], t["houses"], tenants=t["people"])),
    "faults": ("log houses people",
               lambda t: pg.campaign.progress_faults(t["log"], t["houses"], tenants=t["people"])),
    "faces": ("houses rivers reached plan",
              lambda t: pg.working_faces(t["houses"], t["rivers"], state=t["reached"],
                                         plan=t["plan"])),
    "faces of works": ("houses works reached plan",
                       lambda t: pg.working_faces(t["houses"], t["works"], state=t["reached"],
                                                  plan=t["plan"])),
    "supervision": ("plan houses faces",
                    lambda t: pg.supervision(t["plan"], W["state"], t["houses"],
                                             faces=t["faces"])),
    "long section": ("profile tops buildings_at",
                     lambda t: drawing(pg.plot_long_section(
                         t["profile"], "A", before=t["profile"], tops=t["tops"],
                         buildings=t["buildings_at"]))),
    "plot of widths": ("widths narrow", lambda t: drawing(pg.plot_widths(
        t["widths"], t["narrow"], "A"))),
    "plot of a section": ("sections obstacles rivers", lambda t: drawing(pg.plot_section(
        t["sections"], "A" if "A" in t["rivers"].index else "1", 300.0, obstacles=t["obstacles"],
        rivers=t["rivers"]))),
    "section of a bridge": ("weirs parts", lambda t: [
        np.round(p.get_path().vertices, 6).tolist() for p in pg.plot_section(
            W["sections"], "A", 300.0, structures=t["weirs"], structure_parts=t["parts"],
        ).axes[0].patches]),
    "ledger": ("affected", lambda t: sheets(lambda p: pg.write_ledger(t["affected"], p))),
    "table": ("profile", lambda t: sheets(lambda p: pg.write_table(t["profile"], p))),
    "layer": ("buildings", lambda t: written("x.gpkg", lambda p: pg.write_layer(
        t["buildings"], p, "buildings"), lambda p: gpd.read_file(p).drop(columns="geometry"))),
    "sections written": ("sections", lambda t: written(
        "x.hdm", lambda p: pg.intake.write_sections(t["sections"], p),
        lambda p: pg.intake.read_sections(p, river="A"))),
    "hecras": ("sections flows", lambda t: written(
        "x", lambda p: pg.write_hecras(t["sections"], t["flows"], SLOPE, p),
        lambda p: [re.sub(r"=\w+ +,1 ", "=R,1 ", q.read_text("utf-8"))  # whatever the river's name
                   for q in sorted(p.parent.glob("x.*"))])),
    "map": ("affected line rivers", lambda t: pg.command_map(
        t["affected"], t["line"], t["rivers"]) and None),
    "payments": ("houses plan reached",
                 lambda t: pg.payments(t["houses"], t["plan"], state=t["reached"])),
    # what some of these take besides, and functions of single rooms
    "profile past structures": (
        "sections flows ends banks weirs parts", lambda t: pg.water_profile(
            t["sections"], t["flows"], t["ends"], banks=t["banks"], structures=t["weirs"],
            structure_parts=t["parts"])),
    "profile past a junction": (
        "fork_sections fork_flows fork_ends junctions", lambda t: pg.water_profile(
            t["fork_sections"], t["fork_flows"], t["fork_ends"], junctions=t["junctions"])),
    "levels at a junction": ("fork_profile junctions", lambda t: pg.flood.junction_levels(
        t["fork_profile"], t["junctions"])),
    "long section at a junction": ("fork_profile junctions", lambda t: drawing(
        pg.plot_long_section(t["fork_profile"], "甲", junctions=t["junctions"]))),
    "hydraulics of a junction": ("fork_profile junctions", lambda t: sheets(
        lambda p: pg.deliver.write_hydraulics(t["fork_profile"], p, junctions=t["junctions"]))),
    "map with a junction": ("junctions", lambda t: pg.command_map(
        W["affected"], W["line"], W["fork_rivers"], junctions=t["junctions"]) and None),
    "profile from both ends": ("sections ends tops_", lambda t: pg.water_profile(
        t["sections"], 60.0, t["ends"], upstream=t["tops_"], regime="mixed")),
    "profile on equations": ("sections flows banks obstacles rivers", lambda t: (
        pg.flood.critical_levels(t["sections"], t["flows"], banks=t["banks"],
                                 obstacles=t["obstacles"], rivers=t["rivers"]),
        pg.flood.normal_levels(t["sections"], t["flows"], slope=0.0016, banks=t["banks"],
                               obstacles=t["obstacles"], rivers=t["rivers"]))),
    "section properties": ("sections profile banks obstacles rivers", lambda t: (
        pg.flood.section_properties(t["sections"], t["profile"], banks=t["banks"],
                                    obstacles=t["obstacles"], rivers=t["rivers"]))),
    "bends": ("profile rivers", lambda t: pg.flood.bend_rises(t["profile"], t["rivers"])),
    "freeboard of banks": ("profile sections banks", lambda t: pg.freeboard(
        t["profile"], t["sections"], banks=t["banks"])),
    "rise past obstacles": ("banks obstacles ends", lambda t: pg.flood_rise(
        W["sections"], 60.0, t["ends"], banks=t["banks"], obstacles=t["obstacles"],
        after={"obstacles": W["obstacles"].iloc[:1]})),
    "rises past obstacles": ("banks obstacles ends", lambda t: pg.building_rises(
        W["buildings"].iloc[:1], W["sections"], 60.0, t["ends"], W["rivers"], allowed_mm=5.0,
        banks=t["banks"], obstacles=t["obstacles"])),
    "rise table": ("profile higher", lambda t: pg.flood.rise_table(t["profile"], t["higher"])),
    "encroachments": ("sections flows ends banks obstacles", lambda t: pg.flood.encroachments(
        t["sections"], t["flows"], t["ends"], banks=t["banks"], target_rise_m=0.1,
        downstream_after=t["ends"], obstacles=t["obstacles"])),
    "calibrate": ("sections flows ends marks zones_n", lambda t: pg.flood.calibrate_roughness(
        t["sections"], t["flows"], t["ends"], t["marks"], reaches=t["zones_n"]).zones),
    "cut sections": ("sections cuts_ rivers", lambda t: pg.flood.cut_sections(
        t["sections"], t["cuts_"], rivers=t["rivers"])),
    "cut banks": ("sections earth banks rivers", lambda t: pg.flood.cut_banks(
        t["sections"], t["earth"], banks=t["banks"], rivers=t["rivers"])),
    "excavation": ("sections earth rivers", lambda t: pg.flood.excavation(
        t["sections"], t["earth"], rivers=t["rivers"])),
    "roughness": ("sections from_offset rivers", lambda t: pg.flood.with_roughness(
        t["sections"], t["from_offset"], rivers=t["rivers"])),
    "section lines": ("sections rivers", lambda t: pg.flood.section_lines(
        t["sections"], t["rivers"])),
    "section offsets": ("sections", lambda t: pg.flood.section_offsets(t["sections"])),
    "inundation": ("profile rivers weirs", lambda t: pg.inundation(
        t["profile"], DEM, t["rivers"], half_width_m=40.0, structures=t["weirs"])),
    "raster values": ("buildings", lambda t: pg.raster_values(t["buildings"], DEM)),
    "sections of the ground": ("rivers sections weirs", lambda t: [
        getattr(pg.sections_from_dem(t["rivers"], DEM, t["sections"], n=0.05, spacing_m=300.0,
                                     half_width_m=30.0, structures=t["weirs"]), name) for name in ("sections", "banks")]),
    "directions": ("rivers", lambda t: shapes_of(*pg.flood.drawn_downstream(t["rivers"], dem=DEM))),
    "confluences": ("rivers", lambda t: pg.river.confluences(t["rivers"])),
    "scales": ("rivers", lambda t: [list(s.chainage(np.array([0.0, 300.0]))) for s in
                                    pg.river.river_scales(t["rivers"]).values()]),
    "ticks": ("rivers", lambda t: pg.river.station_ticks(t["rivers"])),
    "join parts": ("pieces", lambda t: shapes_of(*pg.join_parts(t["pieces"], gap_m=5.0))),
    "axis": ("water sources", lambda t: pg.river_axis(t["water"], t["sources"])),
    "belongs to": ("buildings zones", lambda t: pg.redline.belongs_to(t["buildings"], t["zones"])),
    "management line": ("rivers widths", lambda t: pg.redline.management_line(
        t["rivers"], t["widths"], rule="hangzhou")),
    "named lines": ("line rivers", lambda t: pg.redline.named_by_rivers(t["line"], t["rivers"])),
    "uncertainty": ("buildings line", lambda t: pg.redline.position_uncertainty(
        t["buildings"], t["line"], sigma_m=0.5)),
    "differences": ("rivers", lambda t: pg.differences(W["first"], W["second"], t["rivers"])),
    "live": ("widths buildings rivers rates", lambda t: pg.live_red_line(
        t["widths"], t["buildings"], t["rivers"], rates=t["rates"]).affected),
    "live with tasks": ("houses nodes", lambda t: pg.live_red_line(
        W["widths"], W["buildings"], W["rivers"], state=W["state"],
        tasks=replace(W["tasks"], buildings=t["houses"], nodes=t["nodes"])).affected),
    "many designs with rates": ("rates", lambda t: pg.assess_many(
        {"a": W["widths"]}, W["buildings"], W["rivers"], rates=t["rates"]).totals),
    "moved sections": ("sections widths narrow rivers banks walls", lambda t: (
        pg.search.moved_sections(t["sections"], t["widths"], t["narrow"], t["rivers"],
                                 banks=t["banks"], walls=t["walls"]))),
    "least with conveyance": ("sections banks profile walls widths", lambda t: (
        pg.least_demolition(W["rivers"], W["widths"], W["buildings"].iloc[:3], LIMITS,
                            sections=t["sections"], banks=t["banks"], profile=t["profile"],
                            walls=t["walls"], stations=t["widths"]).widths)),
    "within a rise": ("rivers widths few sections flows ends banks walls rates locks",
                      lambda t: pg.least_demolition_within_rise(
                          t["rivers"], t["widths"], t["few"], t["sections"], t["flows"],
                          t["ends"], NEAR_LIMITS, allowed_mm=20.0, banks=t["banks"], walls=t["walls"],
                          rates=t["rates"], locks=t["locks"]).widths),
    "tasks along the river": ("hit rivers", lambda t: pg.campaign_tasks(
        t["hit"], rivers=t["rivers"]).nodes),
    "node table along the river": ("affected segments rivers", lambda t: pg.node_table(
        t["affected"], t["segments"], rivers=t["rivers"])),
    "reaches with fixed ones": ("nodes held", lambda t: pg.balanced_reaches(
        t["nodes"], ["甲", "乙", "丙"], fixed=t["held"])),
    "schedule on days": ("nodes days rivers", lambda t: pg.schedule(
        t["nodes"], start="2018-01-01", work=0, calendar=t["days"], rivers=t["rivers"]).nodes),
    "critical path": ("activities links", lambda t: pg.campaign.critical_path(
        t["activities"], t["links"])),
    "progress told twice": ("houses people reports", lambda t: reported(
        lambda store, files: pg.campaign.update_progress(
            store, files, t["houses"], tenants=t["people"], before=t["reports"]))),
    "board": ("houses nodes people faces", lambda t: pg.node_board(
        replace(W["tasks"], buildings=t["houses"], nodes=t["nodes"], tenants=t["people"]),
        state=W["state"], plan=W["made"],
        faces=replace(W["shown"], stretches=t["faces"])).html),
    "time against chainage": ("plan faces handover segments rivers", lambda t: drawing(
        pg.plot_time_chainage(replace(W["made"], activities=t["plan"]), "A", state=W["state"], faces=t["faces"],
                              handover=t["handover"], segments=t["segments"],
                              rivers=t["rivers"]))),
    "long section past structures": ("profile weirs parts rivers", lambda t: drawing(
        pg.plot_long_section(t["profile"], "A", structures=t["weirs"], structure_parts=t["parts"],
                             rivers=t["rivers"]))),
    "plot of widths with houses": ("widths spared rivers narrow", lambda t: drawing(pg.plot_widths(
        t["widths"], W["narrow"], "A", buildings=t["spared"], rivers=t["rivers"],
        searched=t["narrow"]))),
    "forms": ("houses nodes people", lambda t: written("f", lambda p: pg.deliver.write_forms(
        t["houses"], t["nodes"], W["state"], p, tenants=t["people"]), lambda p: [
            pd.read_excel(q, sheet_name=None, header=None) for q in sorted(p.iterdir())])),
    "sheets": ("profile widths", lambda t: sheets(lambda p: pg.deliver.write_sheets(
        {"水面线": t["profile"], "宽度": t["widths"]}, p))),
    "fault list": ("faults", lambda t: (pg.intake.check_summary(t["faults"]), sheets(
        lambda p: pg.deliver.write_faults(t["faults"], p)))),
    "results": ("buildings rivers", lambda t: written(
        "r.gpkg", lambda p: pg.deliver.write_results(
            {"buildings": t["buildings"], "rivers": t["rivers"]}, p),
        lambda p: {"buildings": gpd.read_file(p, layer="buildings").drop(
            columns="geometry", errors="ignore")}
        if "buildings" in gpd.list_layers(p)["name"].tolist() else {})),
    "drawing": ("buildings line labelled", lambda t: written(
        "d.dxf", lambda p: pg.write_dxf(
            {"房屋": t["buildings"], "红线": t["line"], "桩号": t["labelled"]}, p), entities)),
    "ledger with all": ("affected parcels_ nodes rivers", lambda t: sheets(
        lambda p: pg.write_ledger(
            t["affected"], p, parcels=t["parcels_"], nodes=t["nodes"], rivers=t["rivers"]))),
    "hydraulics": ("profile tops rivers", lambda t: sheets(
        lambda p: pg.deliver.write_hydraulics(
            t["profile"], p, freeboard=t["tops"], rivers=t["rivers"]))),
    "map with all": ("affected buildings nodes zones weirs", lambda t: pg.command_map(
        t["affected"], W["line"], W["rivers"], buildings=t["buildings"], nodes=t["nodes"],
        zones=t["zones"], structures=t["weirs"]) and None),
    "hecras with all": ("sections flows ends banks weirs rivers", lambda t: written(
        "x", lambda p: pg.write_hecras(t["sections"], t["flows"], t["ends"], p, banks=t["banks"],
                                       structures=t["weirs"], rivers=t["rivers"]),
        lambda p: [q.read_text("utf-8") for q in sorted(p.parent.glob("x.*"))])),
    "hecras of a junction": ("junctions parts", lambda t: written(
        "x", lambda p: (
            pg.write_hecras(W["fork_sections"], W["fork_flows"], W["fork_ends"], p,
                            junctions=t["junctions"]),
            pg.write_hecras(W["sections"], W["flows"], W["ends"], p.with_name("xx"),
                            structures=W["weirs"], structure_parts=t["parts"])),
        lambda p: [q.read_text("utf-8") for q in sorted(p.parent.glob("x*.*"))])),
    "hecras obstacles": ("obstacles", lambda t: written(
        "x", lambda p: pg.write_hecras(W["sections"], W["flows"], W["ends"], p,
                                       obstacles=t["obstacles"]),
        lambda p: [q.read_text("utf-8") for q in sorted(p.parent.glob("x.*"))])),
    "hecras upper ends": ("tops_", lambda t: written(
        "x", lambda p: pg.write_hecras(W["sections"], W["flows"], W["ends"], p, regime="mixed",
                                       upstream=t["tops_"]),
        lambda p: [q.read_text("utf-8") for q in sorted(p.parent.glob("x.*"))])),
    # papers, by their words
    "household files": ("houses people nodes buildings line rivers", lambda t: written(
        "f", lambda p: pg.deliver.write_household_files(
            t["houses"], p, tenants=t["people"], nodes=t["nodes"], state=W["state"],
            around=t["buildings"], red_line=t["line"], rivers=t["rivers"]), words_in)),
    "weekly report": ("houses nodes people faces", lambda t: written(
        "r.docx", lambda p: pg.deliver.write_weekly_report(
            replace(W["tasks"], buildings=t["houses"], nodes=t["nodes"], tenants=t["people"]),
            W["state"], W["watched"], p, plan=W["made"],
            faces=replace(W["shown"], stretches=t["faces"])), words_in)),
    "notices": ("houses nodes", lambda t: written("n.docx", lambda p: pg.deliver.write_notices(
        W["watched"], p, tasks=replace(W["tasks"], buildings=t["houses"], nodes=t["nodes"])),
        words_in)),
    "transfers": ("receipts houses nodes", lambda t: written(
        "t.docx", lambda p: pg.deliver.write_transfers(
            replace(W["shown"], receipts=t["receipts"]), p, state=W["state"],
            tasks=replace(W["tasks"], buildings=t["houses"], nodes=t["nodes"])), words_in)),
    "msproject": ("plan planned days", lambda t: written(
        "p.xml", lambda p: pg.deliver.write_msproject(
            replace(W["made"], activities=t["plan"], nodes=t["planned"]), p, state=W["state"],
            baseline=W["made"], calendar=t["days"]), tags_and_texts)),
    "qgis": ("buildings line rivers nodes", lambda t: written(
        "q.qgz", lambda p: pg.deliver.write_qgis_project(
            {"buildings": t["buildings"], "red_line": t["line"], "rivers": t["rivers"],
             "nodes": t["nodes"]}, p.with_name("q.gpkg"), p), layers_of_qgis)),
    "ledger of a campaign": ("houses nodes people plan planned faces rivers", lambda t: sheets(
        lambda p: pg.write_ledger(W["affected"], p, campaign=replace(
            W["standing"], rivers=t["rivers"],
            tasks=replace(W["tasks"], buildings=t["houses"], nodes=t["nodes"],
                          tenants=t["people"]),
            replan=replace(W["made"], activities=t["plan"], nodes=t["planned"]),
            faces=replace(W["shown"], stretches=t["faces"]))))),
    "scheme report": ("rivers widths", lambda t: written(
        "s.docx", lambda p: pg.deliver.write_scheme_report(
            W["compared"], p, rivers=t["rivers"], widths={"a": t["widths"]}), words_in)),
    "wall map": ("affected line rivers buildings weirs", lambda t: written(
        "w.pdf", lambda p: pg.deliver.wall_maps(
            t["affected"], t["line"], t["rivers"], p, buildings=t["buildings"],
            structures=t["weirs"]),
        lambda p: p.read_bytes()[:5].decode())),
    "field package": ("houses nodes people", lambda t: written(
        "x.gpkg", lambda p: pg.deliver.write_field_package(
            t["houses"], t["nodes"], W["state"], p, tenants=t["people"]),
        lambda p: {n: len(gpd.read_file(p, layer=n)) for n in gpd.list_layers(p)["name"]})),
    "fit grid": ("control", lambda t: [getattr(pg.fit_grid(t["control"], CRS), name) for name in ("parameters", "residuals")]),
    "apply grid": ("local", lambda t: shapes_of(pg.apply_grid(t["local"], pg.fit_grid(W["control"], CRS)))),
    "shift": ("buildings reference", lambda t: pg.intake.layer_shift(
        t["buildings"], t["reference"])),
    "gcj02": ("buildings", lambda t: shapes_of(pg.intake.from_gcj02(t["buildings"]))),
    "split parts": ("multi", lambda t: shapes_of(pg.intake.split_parts(t["multi"]))),
    "repair": ("buildings", lambda t: shapes_of(*pg.repair(t["buildings"]))),
    "check": ("buildings rivers", lambda t: pg.check(t["buildings"], reference=t["rivers"])),
    "join ledger": ("buildings ledger", lambda t: joined(pg.join_ledger(t["buildings"], t["ledger"]))),
    "near": ("line", lambda t: pg.read_layer(NEAR, "buildings", near=t["line"])),
    "sections from coordinates": ("far", lambda t: pg.intake.read_sections(
        COORDINATES, rivers=t["far"])),
    "parquet": ("line rivers", lambda t: written(
        "p.parquet", lambda p: pg.affected_parquet(PARQUET, t["line"], t["rivers"], p),
        lambda p: pd.read_parquet(p).drop(columns="geometry", errors="ignore"))),
}  # fmt: skip
NOUN = {
    "line": "red_line", "thin": "red_line", "narrow": "widths", "ends": "boundaries",
    "hit": "affected", "houses": "affected", "people": "tenants", "log": "progress",
    "plan": "activities", "by_stage": "activities", "reached": "activities", "works": "segments",
    "faces": "activities", "receipts": "activities", "tops": "profile", "buildings_at": "affected",
    "fork_profile": "profile", "fork_rivers": "rivers", "fork_sections": "sections",
    "fork_flows": "flows", "fork_ends": "boundaries",
    "tops_": "boundaries", "weirs": "structures", "parts": "structure_parts", "marks": "profile",
    "higher": "profile", "zones_n": "segments", "cuts_": "sections", "earth": "sections",
    "from_offset": "sections", "pieces": "rivers", "water": "rivers", "sources": "rivers",
    "held": "segments", "days": "campaign", "links": "campaign", "reports": "progress",
    "labelled": "stations", "parcels_": "parcels", "local": "buildings", "multi": "buildings",
    "planned": "nodes", "reference": "buildings", "few": "buildings", "spared": "affected", "far": "rivers",
}  # fmt: skip

# --- clothes ----------------------------------------------------------------------------------


def _decimal(v):
    return v.map(lambda x: None if pd.isna(x) else Decimal(repr(float(x)))).astype(object)


NUMBERS = {
    "Float64": lambda v: v.astype("Float64"),
    "arrow": lambda v: v.astype("double[pyarrow]"),
    "category": lambda v: v.astype("category"),
    "decimal": _decimal,
    "object": lambda v: v.astype(object).where(v.notna(), None),
    "text": lambda v: v.map(repr).where(v.notna(), ""),
    "arrow text": lambda v: v.map(repr).where(v.notna()).astype("string[pyarrow]"),
    "full width": lambda v: v.map(
        lambda x: repr(x).translate({k: k + 0xFEE0 for k in range(48, 58)})
    ).where(v.notna(), None),
    "float32": lambda v: v.astype("float32") if (v.dropna() == v.dropna().round()).all() else None,
    "int": lambda v: v.astype(int) if v.notna().all() and (v == v.round()).all() else None,
    "word": lambda v: v.astype(object).where(np.arange(len(v)) > 0, "不详"),
    "sparse": lambda v: v.astype(pd.SparseDtype(float)),
    "spare category": lambda v: v.astype("category").cat.add_categories([-1.0]),
    "date": lambda v: pd.to_datetime(["2024-01-01"] * len(v)),
}
TEXTS = {
    "category": lambda v: v.astype("category"),
    "object": lambda v: v.astype(object).where(v.notna(), None),
    "arrow": lambda v: v.astype("string[pyarrow]"),
    "string": lambda v: v.astype("string"),
    "pd.NA": lambda v: v.astype(object).where(v.notna(), pd.NA),
    "np.str_": lambda v: v.map(np.str_, na_action="ignore").astype(object),
    "spare category": lambda v: pd.Series(
        pd.Categorical(v, [*v.dropna().unique(), "多余"], ordered=True), v.index
    ),
}
BLANKS = {"blanks": lambda v: (" " + v + " ").where(v.notna())}
CODES = {
    "capitals": lambda v: v.str.upper(),
    "slip": lambda v: v.where(np.arange(len(v)) > 0, "residentail"),
    "none": lambda v: v.where(v.notna(), ""),
}


def _integers(i):
    """Ids that read the same where they are numbers; else a running number."""
    return i.astype(int) if all(str(v).isdigit() for v in i) else pd.Index(range(len(i)))


IDS = {
    "int": lambda i: _integers(i).rename(i.name),
    "float": lambda i: _integers(i).astype(float).rename(i.name),
    "Int64": lambda i: _integers(i).astype("Int64").rename(i.name),
    "category": lambda i: pd.CategoricalIndex(i, name=i.name),
    "arrow": lambda i: i.astype("string[pyarrow]"),
    "unnamed": lambda i: i.rename(None),
    "river": lambda i: i.rename("river"),
    "building_id": lambda i: i.rename("building_id"),
    "chainage_m": lambda i: i.rename("chainage_m"),
    "levels": lambda i: pd.MultiIndex.from_arrays([i, range(len(i))]),
    "blank": lambda i: pd.Index([*i[:-1], None], name=i.name, dtype=object),
    "geometry": lambda i: i.rename("geometry"),
    "mixed": lambda i: pd.Index(
        [int(v) if k % 2 and str(v).isdigit() else v for k, v in enumerate(i)],
        dtype=object,
        name=i.name,
    ),
}
ROWS = {
    "twice": lambda f: f.set_axis([0] * len(f)),
    "column twice": lambda f: pd.concat([f, f[[f.columns[0]]]], axis=1),
    "capital twin": lambda f: f.assign(**{str(f.columns[0]).upper(): 1}),
    "more columns": lambda f: f.assign(**{"备注": "=1+1", "cost": 1, "列 1": None}),
    "int columns": lambda f: f.assign(**{"x": 1}).rename(columns={"x": 0}),
    "levels": lambda f: pd.concat({"x": f}, axis=1),
    "geom": lambda f: f.rename_geometry("geom"),
    "second": lambda f: f.assign(other=f.centroid),
    "geometry second": lambda f: f.rename_geometry("geom").assign(geometry=f.centroid.to_numpy()),
    "heights": lambda f: f.set_geometry(shapely.force_3d(f.geometry.to_numpy(), 9.0), crs=f.crs),
    "compound": lambda f: f.set_crs("EPSG:4547+5737", allow_override=True),
    "inactive": lambda f: gpd.GeoDataFrame(f.drop(columns="geometry")),
    "plain": pd.DataFrame,
    "object shapes": lambda f: pd.DataFrame(f).assign(geometry=list(f.geometry)),
    "no rows": lambda f: f.iloc[:0],
    "all NA": lambda f: f.assign(**{c: None for c in f.columns if c != "geometry"}),
    "inf": lambda f: f.assign(**dict.fromkeys(f.select_dtypes("float").columns, np.inf)),
}  # fmt: skip
# tables that say something else: what comes of them only has to be said in the library's words
OTHER = ("no rows", "all NA", "inf")
AS_DELIVERED = ("word", "date", "slip")


def _label(column):
    def dress(v):
        return v.map(lambda w: column.codes[w][0] if w in column.codes else w)

    return dress


def _dresses(name):
    """Every variation of a table: (column or what else, variation, function)."""
    frame = W[name]
    what = NOUNS[NOUN.get(name, name)]
    known = {c.name: c for c in what.columns} | {c.name: c for c in NOUNS["buildings"].columns}
    for column in frame.columns:
        c = known.get(column)
        if c is None or column == "geometry":
            continue
        clothes = {"float": NUMBERS, "int": NUMBERS, "chainage": NUMBERS, "bool": {}}.get(c.dtype)
        if clothes is None:
            clothes = TEXTS | (CODES | BLANKS | {"label": _label(c)} if c.dtype == "code" else {})
            clothes = clothes | (BLANKS if column == "river" else {})
        for word, dress in clothes.items():
            yield column, word, dress
    if what.index is not None:
        for word, dress in IDS.items():
            if what.name != "rivers" or word in ("category", "arrow", "unnamed", "river", "levels"):
                yield "index", word, dress
    layer = isinstance(frame, gpd.GeoDataFrame)
    for word, dress in ROWS.items():
        shape = word in (
            "geom", "second", "geometry second", "heights", "compound", "inactive", "plain",
            "object shapes",
        )  # fmt: skip
        if (shape and not layer) or (word == "twice" and what.index is not None):
            continue
        yield "rows", word, dress


def cases():
    """All variations of all tables of all functions."""
    return [
        (call, name, place, word)
        for call, (tables, _) in CALLS.items()
        for name in tables.split()
        for place, word, _ in _dresses(name)
    ] + [
        (call, "*", "river", word)
        for call in CALLS
        for word in ("integers", "mixed")
        # are of one river by its name
        if call not in ("time against chainage", "section of a bridge")
    ]


DRESSES = {
    (name, place, word): dress
    for name in {n for tables, _ in CALLS.values() for n in tables.split()}
    for place, word, dress in _dresses(name)
}


def combined(count, seed=0):
    """Cases of one to four variations of the tables of one call, the same ones each time.

    The cases of a call don't depend on which other calls there are.
    """
    found, each, known = [], -(-count // len(CALLS)), cases()
    for call in CALLS:
        single = [c[1:] for c in known if c[0] == call]
        chance = np.random.default_rng([seed, *call.encode()])
        for k in range(each):
            many = min(1 + k % 4, len(single))
            taken = chance.choice(len(single), many, replace=False)
            # one thing has one variation: a text as float32 is another number
            once = {single[n][:2]: single[n] for n in sorted(taken.tolist())}
            found.append((call, list(once.values())))
    return [case for k in range(each) for case in found[k::each]]


ORDER = {"index": 1, "rows": 2}  # columns first, the whole table last


def dressed(call, changes):
    """The tables of a call with some variations; None where they can't be worn together."""
    tables = {n: W[n] for n in CALLS[call][0].split()}
    for name, place, word in sorted(changes, key=lambda c: ORDER.get(c[1], 0)):
        try:
            tables |= _in_clothes(tables, name, place, word)
        except Exception:  # a variation that takes away what the next one is of
            return None
        if tables.get(name, 0) is None:
            return None
    return tables


def _in_clothes(tables, name, place, word):
    """What one variation makes of the tables."""
    if name == "*":
        found = {}
        for k, (n, frame) in enumerate(tables.items()):
            river = "1" if word == "mixed" and k % 2 else 1
            if n == "rivers":
                found[n] = frame.rename(index={"A": river})
            elif "river" in frame.columns:
                column = pd.Series([river] * len(frame), frame.index, dtype=object)
                found[n] = frame.assign(river=column)
        return found
    frame, dress = tables[name], DRESSES[name, place, word]
    if place == "rows":
        return {name: dress(frame)}
    if place == "index":
        return {name: frame.set_axis(dress(frame.index))}
    values = dress(frame[place])
    if values is None:
        return {name: None}
    values = pd.Series(np.asarray(values, object), frame.index, dtype=values.dtype)
    return {name: frame.assign(**{place: values})}


# --- what came of it --------------------------------------------------------------------------

NEAT = {}


def plain(result):
    """A result as nested lists of plain values, without ids."""
    if isinstance(result, pd.Series):
        result = result.to_frame("values")
    if isinstance(result, pd.DataFrame):
        return {str(c): [_value(v) for v in result[c]] for c in result.columns}
    if is_dataclass(result):
        return {f.name: plain(getattr(result, f.name)) for f in fields(result) if f.repr}
    if isinstance(result, dict):
        return {str(k): plain(v) for k, v in result.items()}
    if isinstance(result, tuple | list):
        return [plain(v) for v in result]
    return _value(result)


def _value(v):
    if isinstance(v, shapely.Geometry):
        return v.wkb if not shapely.has_z(v) else shapely.force_2d(v).wkb
    if v is None or v is pd.NA or (not isinstance(v, str) and np.ndim(v) == 0 and pd.isna(v)):
        return None
    if isinstance(v, bool | np.bool_):
        return float(v)
    if isinstance(v, int | float | np.number | Decimal):
        return float(f"{float(v):.9g}") + 0.0
    return str(v)


# warnings that are the library's own words
OURS = ("floor area of", "plot")
NAMED_AFTER_RIVERS = ("river", "node_id", "redesign_id", "joins", "rise_river")
# what a function carries along from the table that was varied, and ids themselves
CARRIED = (
    "building_id",
    "B",
    "rate",
    "geom",
    "other",
    "geometry_other",
    "备注",
    "cost",
    "列 1",
    "0",
)


def _river_a(text):
    """A text without the name of its one river, before nodes and in headings."""
    text = re.sub(r"^1(?= (左岸|右岸|两岸) )", "A", text)
    return re.sub(r"(?<=>)1(?=<span>)", "A", re.sub(r"\b[A1]-[LRB]-", "", text))


def differs(found, wanted, places, names):
    """First place where a result says something else than the neat one."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, value in wanted.items():
            carried = key in CARRIED or key in places
            carried |= key == "zone_id" and "zones" in names
            carried |= "*" in names and key in NAMED_AFTER_RIVERS
            if carried:
                continue
            if key not in found:
                return key
            if said := differs(found[key], value, places, names):
                return f"{key}.{said}".rstrip(".")
        return ""
    if isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        said = (differs(*both, places, names) for both in zip(found, wanted, strict=True))
        return next((s for s in said if s), "")
    if "*" in names and isinstance(wanted, str):  # rivers and nodes are named anew
        same = _river_a(str(found)) == _river_a(wanted)
        return "" if same or (found, wanted) in (("1", "A"), (1.0, "A")) else "."
    return "" if found == wanted else "."


def outcome(call, changes):
    """What became of a call with some variations, and the words for it."""
    tables = dressed(call, changes)
    if tables is None:
        return "same", "nothing to vary"
    if call not in NEAT:
        NEAT[call] = plain(CALLS[call][1]({n: W[n] for n in CALLS[call][0].split()}))
    before = {n: copy.deepcopy(t) for n, t in tables.items()}
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            found = plain(CALLS[call][1](tables))
        except pg.PinghuError as fault:
            found = fault
        except Exception as fault:
            return "foreign", f"{type(fault).__name__}: {str(fault)[:150]}"
    for n, table in tables.items():
        try:
            assert_frame_equal(table, before[n])
        except AssertionError as fault:
            return "mutated", f"{n}: {str(fault)[:100]}"
    other = any(word in OTHER for *_, word in changes)
    leaked = [str(w.message)[:100] for w in heard if not _is_ours(w, other)]
    if leaked:
        return "warned", leaked[0]
    return _said(call, changes, found)


def _is_ours(warning, other):
    """Whether the library said it: to who called it, and of what isn't sound if `other`."""
    if str(warning.message).startswith(OURS):
        return True
    return other and warning.category is UserWarning and warning.filename == __file__


def _said(call, changes, found):
    """What a call that came through said."""
    if isinstance(found, Exception):
        return "refused", str(found).split("\n")[0][:150]
    # what is delivered is shown as it is
    shown = call in ("ledger", "layer", "ledger with all", "results", "household files",
                     "notices", "transfers", "weekly report")  # fmt: skip
    # shapes that were taken away leave a table beside the map
    bare = call == "qgis" and any(w in ("inactive", "object shapes", "plain") for *_, w in changes)
    # ids that are no numbers are numbered anew, and the ledger shows them
    bare |= call == "ledger with all" and any(
        change[:2] == ("nodes", "index") and change[2] in ("int", "float", "Int64")
        for change in map(tuple, changes)
    )
    mended = call == "repair" and any(word == "heights" for *_, word in changes)
    if (
        mended
        or bare
        or call in ("table", "sheets", "fault list", "check")
        # one text, in which the structures' names stand
        or (
            call == "hecras with all"
            and any((n, p) == ("weirs", "index") or n == "*" for n, p, *_ in changes)
        )
        or any(word in OTHER or (shown and word in AS_DELIVERED) for *_, word in changes)
    ):
        return "other", ""
    places = {place for _, place, _ in changes}
    names = {name for name, *_ in changes}
    if "*" in names and call == "node_ids":
        places.add("values")  # nodes are named after the river
    if call == "belongs to" and "zones" in names:
        places.add("values")  # ids of zones
    if any(word == "inactive" for *_, word in changes):
        places.add("geometry")  # a table without shapes gives none
    said = differs(found, NEAT[call], places, names)
    return ("wrong", said) if said else ("same", "")
