"""Tables in clothes that were computed wrong or fell into pandas' own errors, one kind a test.

The generator (``variations.py``) has all kinds by all functions; here are those that it found in
more than one place, each with others of its kind.
"""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from variations import CALLS, W

import pinghu_geo as pg
from pinghu_geo.nouns.door import clean, with_ids_as_column


def called(call, **changed):
    tables = {n: W[n] for n in CALLS[call][0].split()}
    return CALLS[call][1](tables | changed)


@pytest.mark.parametrize(("ids", "name"), [("river", "river_id"), ("geometry", "geometry_id")])
def test_ids_named_like_a_column_are_written_beside_it(ids, name, tmp_path):
    rivers = gpd.GeoDataFrame(
        {"river": ["甲"]}, geometry=[shapely.LineString([(0, 0), (9, 0)])], index=["一"], crs=4547
    ).rename_axis(ids)
    assert list(with_ids_as_column(pd.DataFrame(rivers)))[0] == name
    pg.deliver.write_results({"rivers": rivers}, tmp_path / "r.gpkg")
    assert gpd.read_file(tmp_path / "r.gpkg", layer="rivers")[name].tolist() == ["一"]
    empty = {"rivers": rivers, "none": rivers.iloc[:0]}
    pg.deliver.write_results(empty, tmp_path / "e.gpkg")
    assert gpd.list_layers(tmp_path / "e.gpkg")["name"].tolist() == ["rivers", "layer_styles"]


@pytest.mark.parametrize("name", ["geom", "形状", "shape"])
def test_shapes_of_nodes_stay_whatever_their_column_is_called(name):
    nodes = W["nodes"].rename_geometry(name)
    assert clean(nodes, "nodes").geometry.name == "geometry"
    found = called("schedule on days", nodes=nodes)
    assert found.geometry.tolist() == W["nodes"].geometry.tolist()


@pytest.mark.parametrize(
    ("call", "table", "dress", "match"),
    [
        ("calibrate", "marks", lambda t: pd.concat([t, t["river"]], axis=1), "several columns"),
        ("calibrate", "zones_n", lambda t: t.assign(to_m="不详"), "texts such as '不详' in to_m"),
        ("calibrate", "zones_n", lambda t: t.iloc[:0], "reaches: has no rows"),
        ("least with conveyance", "profile", lambda t: t.iloc[:0], "profile: has no rows"),
        ("schedule on days", "days", lambda t: pd.concat([t, t["date"]], axis=1), "several col"),
        ("long section past structures", "weirs", lambda t: t.assign(kind="wier"), "kind='wier'"),
        ("hecras of a junction", "junctions", lambda t: t.assign(river="Z"), "without sections"),
        ("forms", "nodes", lambda t: t.set_axis(range(len(t))), "none of the nodes"),
        ("forms", "houses", lambda t: t.set_axis(range(len(t))), "houses that buildings|no state"),
        ("forms", "people", lambda t: t.set_axis(range(len(t))), "tenants: have no state"),
    ],
)
def test_what_no_row_can_be_of_is_refused_in_a_sentence(call, table, dress, match):
    with pytest.raises(pg.PinghuError, match=match):
        called(call, **{table: dress(W[table])})


def test_numbers_of_no_rows_and_edges_of_no_section_are_none():
    rates = W["rates"].assign(building_yuan_m2=pd.NaT)
    assert clean(rates.iloc[:0], "rates")["building_yuan_m2"].dtype == float
    banks = W["banks"].assign(river=pd.NA, chainage_m=float("nan"))
    found = called("cut banks", banks=pd.concat([banks, banks]))
    assert found["river"].notna().all()


def test_layers_of_no_rows_or_no_shapes_are_not_pandas_matter():
    nowhere = CALLS["axis"][1]({**W, "water": W["water"].iloc[:0]})
    assert nowhere is not None
    for bad in (pd.DataFrame(W["nodes"]), pd.DataFrame(W["nodes"]).drop(columns="geometry")):
        with pytest.raises(pg.PinghuError, match="nodes"):
            called("map with all", nodes=bad)
    with pytest.raises(pg.PinghuError, match="bearings without end"):
        called("drawing", labelled=W["labelled"].assign(bearing_deg=float("inf")))
    parcels = W["parcels_"].rename_axis("chainage_m")
    assert clean(parcels, "parcels").index.name == "parcel_id"
