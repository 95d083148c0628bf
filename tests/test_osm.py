"""Extracts of OpenStreetMap, made here: buildings with levels, rivers by name, islands, tags."""

import re

import geopandas as gpd
import pytest
import shapely

import pinghu_geo as pg
from pinghu_geo.intake.sight import sights

osmium = pytest.importorskip("osmium")


@pytest.fixture
def extract(tmp_path):
    """Write ways and relations as .osm.pbf: (id, points, tags)."""
    from osmium.osm.mutable import Node, Relation, Way

    def written(ways, relations=(), name="城.osm.pbf"):
        path = tmp_path / name
        places = list(dict.fromkeys(p for _, points, _ in ways for p in points))
        with osmium.SimpleWriter(str(path)) as file:
            for k, place in enumerate(places, 1):
                file.add_node(Node(id=k, location=place))
            for number, points, tags in ways:
                nodes = [places.index(p) + 1 for p in points]
                file.add_way(Way(id=number, nodes=nodes, tags=tags))
            for number, members, tags in relations:
                file.add_relation(Relation(id=number, members=members, tags=tags))
        return path

    return written


def square(x, y, size=0.0002):
    ring = [(x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y)]
    return [(round(a, 7), round(b, 7)) for a, b in ring]


def test_buildings_with_their_levels_and_tags(extract):
    path = extract(
        [
            (1, square(114.0, 22.5), {"building": "yes", "building:levels": "3", "name": '甲"楼\\'}),
            (2, square(114.01, 22.5, 0.001), {}),
            (3, square(114.0102, 22.5002), {}),
            (4, square(114.02, 22.5), {"building": "no"}),
            (5, square(114.03, 22.5), {"landuse": "residential"}),
        ],
        [(9, [("w", 2, "outer"), ("w", 3, "inner")],
          {"type": "multipolygon", "building": "house", "building:levels": "12"})],
    )  # fmt: skip
    read = pg.read_layer(path, "buildings")
    assert read["floors"].to_dict() == {"w1": 3, "r9": 12}
    assert read["name"]["w1"] == '甲"楼\\'
    assert shapely.get_num_interior_rings(read.geometry["r9"].geoms[0]) == 1
    assert pg.read_layer(path, "zones").shape[0] == 1
    # every row of a layer is there for whoever names it
    assert len(pg.read_layer(path, "buildings", layer="multipolygons")) == 4


def test_waterways_become_rivers_along_their_direction(extract):
    path = extract([
        (1, [(114.02, 22.5), (114.01, 22.5)], {"waterway": "river", "name": "Buji", "name:zh": "布吉河"}),
        # an island: the shorter way around it is kept
        (2, [(114.01, 22.5), (114.005, 22.5)], {"waterway": "river", "name": "Buji"}),
        (3, [(114.01, 22.5), (114.0075, 22.503), (114.005, 22.5)], {"waterway": "river", "name": "Buji"}),
        (4, [(114.0, 22.5), (114.005, 22.5)], {"waterway": "river", "name": "Buji"}),  # upstream
        (5, [(114.0, 22.51), (114.01, 22.51)], {"waterway": "stream", "name:zh": "无名溪"}),
        (6, [(114.0, 22.52), (114.01, 22.52)], {"waterway": "ditch"}),
        (7, [(114.0, 22.53), (114.01, 22.53)], {"waterway": "dam", "name": "Dam"}),
        (8, [(114.0, 22.54), (114.01, 22.54)], {"highway": "residential", "name": "Road"}),
    ])  # fmt: skip
    rivers = pg.read_layer(path, "rivers")
    assert rivers.index.tolist() == ["Buji"] * 4 + ["无名溪", "w6"]
    assert rivers["name_zh"].tolist()[0] == "布吉河"
    layer, log = pg.join_parts(rivers.to_crs(4547), gap_m=1)
    back = layer.to_crs(4326).geometry["Buji"]
    assert shapely.equals_exact(
        back,
        shapely.LineString([(114.02, 22.5), (114.01, 22.5), (114.005, 22.5), (114.0, 22.5)]),
        1e-6,
    )
    assert log[["river", "change"]].to_numpy().tolist() == [["Buji", "turned"], ["Buji", "branch"]]


def test_an_extract_alone_becomes_a_project_that_runs(extract, tmp_path):
    houses = [(k, square(114.001 + 0.001 * k, 22.5001), {"building": "yes", "building:levels": "2"})
              for k in range(1, 8)]  # fmt: skip
    river = [(11, [(114.0, 22.5), (114.006, 22.5)], {"waterway": "river", "name": "小河"}),
             (12, [(114.006, 22.5), (114.012, 22.5)], {"waterway": "river", "name": "小河"})]  # fmt: skip
    extract(houses + river)
    found = pg.new_project(tmp_path)
    assert found["what"].tolist() == ["buildings", "rivers"]
    text = (tmp_path / "project.toml").read_text("utf-8")
    plan = text.replace('widths = "红线宽度.xlsx"', "widths = 15")
    (tmp_path / "project.toml").write_text(plan, "utf-8")
    out = pg.run_project(tmp_path / "project.toml", tmp_path / "out")
    hit = gpd.read_file(out / "results.gpkg", layer="affected")
    assert len(hit) == 7
    assert set(hit["river"]) == {"小河"}


def test_what_only_calls_itself_an_extract_is_refused(tmp_path):
    path = tmp_path / "x.osm.pbf"
    path.write_bytes(b"<OGRVRTDataSource></OGRVRTDataSource>")
    with pytest.raises(pg.errors.LayerError, match="is no pbf by content"):
        pg.read_layer(path, "buildings")
    path.write_bytes(b"\0\0\0\x0d\n\tOSMHeader" + b"<OGRVRTDataSource>" * 9)
    with pytest.raises(pg.errors.LayerError, match="can't be read"):
        pg.read_layer(path, "buildings")


def test_what_openstreetmap_exports_is_read_as_an_extract_is(extract):
    ways = [
        (2, square(114.01, 22.5), {"building": "yes", "building:levels": "3", "name": "甲楼"}),
        (1, square(114.0, 22.5), {"building": "house"}),
        (5, [(114.0, 22.53), (114.01, 22.53)], {"waterway": "river", "name": "布吉河"}),
    ]
    one, other = extract(ways), extract(ways, name="城.osm")
    for what in ("buildings", "rivers"):
        wanted, read = pg.read_layer(one, what), pg.read_layer(other, what)
        assert read.geometry.geom_equals_exact(wanted.geometry, 1e-7).all()
        assert read.drop(columns="geometry").equals(wanted.drop(columns="geometry"))
    assert [s.what for s in sights(other.parent)] == ["buildings", "rivers"] * 2


def test_a_house_cut_off_at_the_edge_is_left_out_and_said(extract):
    path = extract([(1, square(114.0, 22.5), {"building": "yes"}),
                    (2, square(114.01, 22.5), {"building": "yes"})], name="城.osm")  # fmt: skip
    text = path.read_text("utf-8")
    nodes = re.findall(r'<nd ref="(\d+)"/>', text)
    for node in (nodes[5], nodes[6], nodes[8]):  # of the second house one corner is left
        text = re.sub(rf'\s*<node id="{node}"[^>]*/>', "", text)
    path.write_text(text, "utf-8")
    with pytest.warns(UserWarning, match="1 of 2 rows are cut off at the extract's edge"):
        assert pg.read_layer(path, "buildings").index.tolist() == ["w1"]


@pytest.mark.parametrize(
    "text",
    ['<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY a "b">]><osm/>', "<gpx><osm/></gpx>",
     '<OGRVRTDataSource><!--<osm--><OGRVRTLayer name="a"/></OGRVRTDataSource>', "<osm><way></osm>"],
    ids=["entities", "another root", "a script of GDAL's", "not well-formed"],
)  # fmt: skip
def test_what_is_no_map_of_openstreetmap_is_refused(tmp_path, text):
    path = tmp_path / "map.osm"
    path.write_text(text, "utf-8")
    with pytest.raises(pg.errors.LayerError, match=r"map\.osm is no osm by content"):
        pg.read_layer(path, "buildings")
