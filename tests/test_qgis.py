"""Layers styled for QGIS, its project, and the package that goes to the field and comes back."""

import re
import sqlite3
import zipfile
from contextlib import closing
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from campaigns import campaign, whole_campaign

import pinghu_geo as pg
from conftest import building_frame
from pinghu_geo.deliver.qgis import as_stored


def styles_of(path):
    """Style of each layer as the file holds it."""
    with closing(sqlite3.connect(path)) as base:
        rows = base.execute(
            "select f_table_name, styleQML from layer_styles where useAsDefault = 1 "
            "and f_table_schema = '' and (f_geometry_column = 'geom' or f_table_name = 'campaign' "
            "or f_table_name like '%tenants')"
        ).fetchall()
    return {name: ElementTree.fromstring(text) for name, text in rows}


def words_of(style, column):
    listed = style.findall(f"fieldConfiguration/field[@name='{column}']//Option[@type='QString']")
    return {one.get("value"): one.get("name") for one in listed}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    c = whole_campaign(8)
    hit = c.tasks.buildings.assign(verdict="demolish")
    layers = {
        "affected": hit,
        "nodes": c.nodes(),
        "rivers": c.rivers,
        "red_line_原方案": hit[["geometry"]],
    }
    place = tmp_path_factory.mktemp("q")
    for name in ("a", "b"):
        (place / name).mkdir()
        pg.deliver.write_results(layers, place / name / "r.gpkg")
        pg.deliver.write_qgis_project(layers, place / name / "r.gpkg", place / name / "r.qgz")
    return layers, place


def test_every_layer_has_a_default_style_whose_words_and_fields_are_the_layers(results):
    layers, place = results
    path = place / "a" / "r.gpkg"
    styles = styles_of(path)
    assert set(styles) == set(layers)
    for name, style in styles.items():
        fields = list(pyogrio.read_info(path, layer=name)["fields"])
        aliases = {a.get("field"): a.get("name") for a in style.find("aliases")}
        assert list(aliases) == fields
        attribute = style.find("renderer-v2").get("attr")
        told_by = re.findall(r'"(\w+)"', attribute or "") or [attribute]
        assert attribute is None or set(told_by) <= set(fields)
        labelled = style.find("labeling/settings/text-style")
        assert labelled is None or labelled.get("fieldName") in fields
        symbols = {s.get("name") for s in style.findall("renderer-v2/symbols/symbol")}
        used = {c.get("symbol") for c in style.findall("renderer-v2/categories/category")}
        assert used <= symbols
    assert words_of(styles["affected"], "bank")["left"] == "左岸"
    assert {a.get("field"): a.get("name") for a in styles["nodes"].find("aliases")}[
        "due"
    ] == "完成期限"
    stages = {c.get("value"): c.get("label") for c in styles["nodes"].iter("category")}
    assert stages["signed"] == "已签约"
    shown = set(layers["nodes"]["status"])
    assert len(shown) > 2
    assert shown <= set(stages)


def test_counts_are_whole_numbers_and_unknown_ones_stay_unknown(tmp_path):
    houses = building_frame({"A": shapely.box(0, 0, 9, 9), "B": shapely.box(20, 0, 29, 9)},
                            tenants=[3.0, np.nan], floors=2.5)  # fmt: skip
    pg.deliver.write_results({"buildings": houses}, tmp_path / "r.gpkg")
    with closing(sqlite3.connect(tmp_path / "r.gpkg")) as base:
        rows = base.execute("select tenants, typeof(tenants), floors from buildings").fetchall()
    assert rows == [(3, "integer", 2.5), (None, "null", 2.5)]


def test_the_project_opens_what_lies_beside_it(results):
    layers, place = results
    with zipfile.ZipFile(place / "a" / "r.qgz") as book:
        root = ElementTree.fromstring(book.read("r.qgs"))
    assert root.find("projectCrs/spatialrefsys/authid").text == "EPSG:4547"
    there = root.findall("projectlayers/maplayer")
    ids = [one.find("id").text for one in there]
    assert ids == [one.get("id") for one in root.iter("layer-tree-layer")]
    # QGIS 3.22 gives a layer another id where ours has ten letters or fewer, and shows none then
    assert all(len(one) > 10 for one in ids)
    # without this QGIS reads no projectCrs and hides all labels that are seen from near
    assert root.find("properties/SpatialRefSys/ProjectionsEnabled").text == "1"
    said = [one.find("layername").text for one in there]
    assert said == [one.get("name") for one in root.iter("layer-tree-layer")]
    assert "受影响房屋" in said
    assert {one.find("datasource").text.partition("=")[2] for one in there} == set(layers)
    for one in there:
        name = one.find("datasource").text.partition("=")[2]
        place_, _, table = one.find("datasource").text.partition("|layername=")
        assert place_ == "./r.gpkg"
        assert len(gpd.read_file(place / "a" / place_, layer=table)) == len(layers[name])
        assert one.find("renderer-v2") is not None
    extent = [
        float(root.find(f"mapcanvas/extent/{k}").text) for k in ("xmin", "ymin", "xmax", "ymax")
    ]
    assert extent[0] <= layers["affected"].total_bounds[0]
    assert extent[2] >= layers["affected"].total_bounds[2]
    for name in ("r.gpkg", "r.qgz"):
        assert (place / "a" / name).read_bytes() == (place / "b" / name).read_bytes()


def filled(path, sql, *values):
    """What the device writes into the package."""
    with closing(sqlite3.connect(path)) as base:
        base.create_function("ST_IsEmpty", 1, lambda _: 0)
        for name in ("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            base.create_function(name, 1, lambda _: 0.0)
        assert base.execute(sql, values).rowcount == 1
        base.commit()


def test_a_field_package_comes_back_with_what_was_filled_in_and_conflicts_are_named(tmp_path):
    c = whole_campaign(8)
    common = {"tenants": c.tasks.tenants, "stages": c.stages, "project": "甲"}
    paths = [tmp_path / f"{k}.gpkg" for k in "12"]
    for path in paths:
        pg.deliver.write_field_package(c.tasks.buildings, c.tasks.nodes, c.state, path, **common)
        assert pg.campaign.read_reports(path, project="甲").empty
    # days without hours, which no time zone shifts
    with closing(sqlite3.connect(paths[0])) as base:
        for layer in ("progress", "progress_tenants"):
            kinds = {row[1]: row[2] for row in base.execute(f"pragma table_info({layer})")}
            assert (kinds["date"], kinds["last_date"]) == ("DATE", "DATE")
    style = styles_of(paths[0])["progress"]
    assert words_of(style, "stage")["signed"] == "签约"
    editable = {f.get("field") or f.get("name"): f.get("editable") for f in style.find("editable")}
    assert editable["stage"] == editable["photo"] == "1"
    assert editable["building_id"] == editable["last_stage"] == "0"
    first = c.tasks.nodes.index[1]  # its houses are surveyed
    house = c.tasks.buildings.index[c.tasks.buildings["node_id"] == first][0]
    sql = "update progress set stage = ?, date = ?, photo = ? where building_id = ?"
    filled(paths[0], sql, "valuation", "2018-03-05", "DCIM/甲.jpg", house)
    filled(paths[1], sql, "negotiation", "2018-03-02", "", house)
    filled(
        paths[0],
        "update progress_tenants set blocker = ?, date = ? where tenant_id = ?",
        "设备未搬",
        "2018-03-09",
           c.tasks.tenants.index[3])  # fmt: skip
    store = pg.campaign.open_store(tmp_path / "store.gpkg", "甲")
    reached = c.state.reached
    house_rows = reached["kind"] == "building"
    before = pd.DataFrame({
        "building_id": reached["id"].where(house_rows), "tenant_id": reached["id"].where(~house_rows),
        "stage": reached["stage"], "date": reached["date"],
        "source": [f"原 {k}" for k in range(len(reached))],
    })  # fmt: skip
    given = {"tenants": c.tasks.tenants, "stages": c.stages, "project": "甲", "before": before}
    update = pg.campaign.update_progress
    said = update(store, paths[:1], c.tasks.buildings, **given)
    assert said[["n_reports", "n_new"]].values.tolist() == [[2, 2]]
    log = store.log()
    mine = log[(log["building_id"] == house) & (log["stage"] == "valuation")].iloc[0]
    assert (mine["date"], mine["photo"]) == (pd.Timestamp("2018-03-05"), "DCIM/甲.jpg")
    # the same package again says nothing new
    assert update(store, paths[:1], c.tasks.buildings, **given)["n_new"].tolist() == [0]
    with pytest.raises(pg.errors.LayerError, match=rf"{house}") as fault:
        update(store, paths[1:], c.tasks.buildings, **given)
    assert "2.gpkg progress" in str(fault.value)
    assert "1.gpkg progress" in str(fault.value)
    with pytest.raises(pg.errors.LayerError, match="another project"):
        pg.campaign.read_reports(paths[0], project="乙")


def test_tenants_of_a_field_package_come_in_by_the_door(tmp_path):
    """A column that is there twice is refused in a sentence, as in forms and household files."""
    run = campaign(4)
    people = pd.DataFrame({"building_id": run["tasks"].buildings.index[:2], "name": ["甲", "乙"]},
                          index=pd.Index(["T1", "T2"], name="tenant_id"))  # fmt: skip
    twice = pd.concat([people, people[["name"]]], axis=1)
    with pytest.raises(pg.errors.LayerError, match="several columns of one name"):
        pg.deliver.write_field_package(run["tasks"].buildings, run["tasks"].nodes, run["state"],
                                       tmp_path / "a.gpkg", tenants=twice)  # fmt: skip


COLUMNS_OF_ALL_TYPES = {
    "whole": [1, 2**40, -3],
    "known": pd.array([1, None, 3], dtype="Int64"),
    "small": np.array([1, 2, 3], np.int8),
    "real": [0.1, np.nan, np.inf],
    "single": np.array([0.1, 2, 3], np.float32),
    "yes": [True, False, True],
    "perhaps": pd.array([True, None, False], dtype="boolean"),
    "text": ["甲", None, ""],
    "none": pd.array([None] * 3, dtype="str"),
    "kind": pd.Categorical(["a", "b", None]),
    "mixed": [1, "a", None],
    "when": pd.to_datetime(["2018-03-01", None, "2018-03-02 10:00:00.5"], format="ISO8601"),
}


@pytest.mark.parametrize("column", COLUMNS_OF_ALL_TYPES)
def test_a_column_of_any_type_is_stored_as_without_arrow(column, tmp_path):
    shapes = shapely.box([0, 20, 40], 0, [10, 30, 50], 10)
    layer = gpd.GeoDataFrame({column: COLUMNS_OF_ALL_TYPES[column]}, geometry=shapes, crs=4547)
    pg.deliver.write_results({"a": layer}, tmp_path / "a.gpkg")
    stored = as_stored(layer, "a")
    pyogrio.write_dataframe(
        stored, tmp_path / "b.gpkg", layer="a", promote_to_multi=True, use_arrow=False
    )
    told = []
    for name in ("a", "b"):
        with closing(sqlite3.connect(tmp_path / f"{name}.gpkg")) as base:
            kept = base.execute("select sql from sqlite_master where name = 'a'").fetchall()
            told.append((kept, base.execute("select * from a").fetchall()))
    assert told[0] == told[1]
    assert len(told[0][1]) == 3
