"""Real layers, and every id and area of them against results by others."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg


@pytest.fixture(scope="module")
def swellendam(shared):
    """Swellendam (ZA): OSM buildings with levels, OSM rivers, cadastral farms; UTM 34S."""
    path = shared / "data" / "swellendam" / "swellendam_epsg32734.gpkg"
    buildings = pg.read_layer(path, "buildings", layer="buildings", id_column="full_id")
    rivers = pg.read_layer(path, "rivers", layer="rivers", id_column="full_id")
    return buildings, rivers, pg.red_line(rivers, (60.0, 45.0))


@pytest.fixture(scope="module")
def bayreuth(shared):
    """Bayreuth (DE): OSM buildings and the Roter Main, drawn in five parts; UTM 32N."""
    path = shared / "data" / "bayreuth" / "bayreuth_epsg32632.gpkg"
    buildings = pg.read_layer(path, "buildings", layer="buildings", row_ids=True)
    ways = gpd.read_file(path, layer="waterways")
    main = ways[ways["name"] == "Roter Main"]
    rivers = gpd.GeoDataFrame(
        index=pd.Index(["Roter Main"], name="river"),
        geometry=[shapely.multilinestrings(main.geometry.to_numpy())], crs=ways.crs,
    )  # fmt: skip
    return buildings, rivers, pg.red_line(rivers, 150.0)


def by_plain_loop(buildings, line):
    """Inside areas by intersecting each pair, one after the other."""
    found = {}
    for name, shape in buildings.geometry.items():
        area = sum(shape.intersection(part).area for part in getattr(line, "geoms", [line]))
        if area > 0:
            found[name] = area
    return found


def by_duckdb(buildings, line):
    """Inside areas by DuckDB's spatial extension, from WKB."""
    duckdb = pytest.importorskip("duckdb")
    extension = pytest.importorskip("duckdb_extension_spatial")
    from pathlib import Path

    file = next(Path(extension.__path__[0]).rglob("*.duckdb_extension"))
    base = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    base.execute(f"LOAD '{file}'")
    base.register("b", pd.DataFrame({"id": buildings.index, "g": buildings.geometry.to_wkb()}))
    base.execute("CREATE TABLE line AS SELECT ST_GeomFromWKB(?::BLOB) AS g", [line.wkb])
    rows = base.execute(
        "SELECT b.id, ST_Area(ST_Intersection(ST_GeomFromWKB(b.g), line.g)) AS a FROM b, line "
        "WHERE ST_Intersects(ST_GeomFromWKB(b.g), line.g)"
    ).fetchall()
    return {name: area for name, area in rows if area > 0}


@pytest.mark.parametrize("place", ["swellendam", "bayreuth"])
@pytest.mark.parametrize("oracle", [by_plain_loop, by_duckdb])
def test_every_id_and_area_against_others(request, place, oracle):
    buildings, rivers, line = request.getfixturevalue(place)
    numeric = buildings.drop(columns="floors", errors="ignore")
    hit = pg.affected(numeric, line, rivers)
    exact = oracle(buildings, line.geometry.union_all())
    assert len(exact) > 50
    assert set(hit.index) == set(exact)
    np.testing.assert_allclose(hit["inside_m2"], [exact[i] for i in hit.index], rtol=1e-6)


def test_swellendam_s_dirt_is_named(swellendam, shared):
    buildings, rivers, line = swellendam
    faults = pg.check(buildings)
    assert set(faults["fault"]) == {"not_a_number", "null_value", "overlap"}
    with pytest.raises(pg.errors.LayerError, match="texts such as .* in floors"):
        pg.redline.floor_area(buildings)
    known = buildings.assign(floors=pd.to_numeric(buildings["floors"], errors="coerce"))
    with pytest.warns(UserWarning, match="is estimated as footprint x floors"):
        hit = pg.affected(known, line, rivers)
    assert pg.totals(hit)["n_unknown"].iloc[0] == hit["floors"].isna().sum()
    farms = pg.read_layer(
        shared / "data" / "swellendam" / "swellendam_epsg32734.gpkg", "parcels", layer="farms"
    )
    assert (pg.check(farms)["fault"] == "invalid_geometry").sum() == 16  # as its README says


def test_swellendam_s_parcels(swellendam, shared):
    _, rivers, line = swellendam
    path = shared / "data" / "swellendam" / "swellendam_epsg32734.gpkg"
    farms = pg.read_layer(path, "parcels", layer="farms", row_ids=True)
    with pytest.raises(pg.errors.LayerError, match=r"has invalid geometry \(3: .*\)"):
        pg.affected(farms, line, rivers)  # of 16 in all, those that the line may meet
    mended = pg.repair(farms)
    assert len(mended.log) == 16
    hit = pg.affected(mended.layer, line, rivers)
    # slivers are compared as areas: GEOS' own noise on a parcel of square kilometres
    exact = by_plain_loop(mended.layer, line.geometry.union_all())
    assert {i for i, a in exact.items() if a > 1e-6} <= set(hit.index)
    near = [i for i in hit.index if i in exact]
    np.testing.assert_allclose(
        hit.loc[near, "inside_m2"], [exact[i] for i in near], rtol=1e-6, atol=1e-5
    )


def test_bayreuth_s_river_comes_in_parts_and_is_one_line(bayreuth):
    _, rivers, _ = bayreuth
    scale = pg.river.river_scales(rivers)["Roter Main"]
    assert scale.length_m == pytest.approx(21_625.79, abs=0.01)


def test_a_line_through_shenzhen(shared):
    buildings = pg.read_layer(
        shared / "data" / "shenzhen" / "shenzhen_buildings_epsg4547.parquet",
        "buildings",
        row_ids=True,
    )
    assert len(buildings) == 109_609
    faults = pg.check(buildings)["fault"].value_counts()
    assert faults["invalid_geometry"] == 4  # as its README says
    buildings = pg.repair(buildings).layer
    course = shapely.LineString([(511_500, 2_507_000), (513_500, 2_509_500), (514_500, 2_512_500)])
    rivers = gpd.GeoDataFrame(index=pd.Index(["一条线"], name="river"), geometry=[course], crs=4547)
    line = pg.red_line(rivers, 60.0)
    hit = pg.affected(buildings.drop(columns="floors"), line, rivers)
    near = buildings[buildings.distance(line.geometry[0]) < 1]
    assert set(hit.index) == set(by_plain_loop(near, line.geometry[0]))


def test_jakarta_is_repaired_and_computed_with(shared):
    path = shared / "data" / "jakarta" / "jakarta_osm_building_epsg32748.parquet"
    buildings = pg.read_layer(path, "buildings", row_ids=True)
    assert (pg.check(buildings)["fault"] == "invalid_geometry").sum() == 9  # as its README says
    mended = pg.repair(buildings).layer
    x0, y0, x1, y1 = mended.total_bounds
    course = shapely.LineString([(703_000, 9_316_000), (702_000, 9_312_000), (704_000, 9_308_000)])
    rivers = gpd.GeoDataFrame(
        index=pd.Index(["Ciliwung?"], name="river"), geometry=[course], crs=mended.crs
    )
    line = pg.red_line(rivers, 50.0)
    hit = pg.affected(mended, line, rivers)
    near = mended[mended.distance(line.geometry[0]) < 1]
    exact = by_plain_loop(near, line.geometry[0])
    assert set(hit.index) == set(exact)
    np.testing.assert_allclose(hit["inside_m2"], [exact[i] for i in hit.index], rtol=1e-6)


def test_real_dirt_reads_right_or_says_why(shared):
    messy = shared / "data" / "messy" / "original"
    chongqing = pg.read_layer(messy / "chongqing_shp" / "区县界_area.shp", "zones", row_ids=True)
    text = " ".join(str(v) for v in chongqing.drop(columns="geometry").to_numpy().ravel())
    assert "渝中区" in text
    with pytest.raises(pg.errors.CRSError, match="doesn't say its coordinate reference system"):
        pg.read_layer(messy / "chinese_encoding.shp", "zones", row_ids=True)
    anhui = pg.read_layer(messy / "chinese_encoding.shp", "zones", row_ids=True, crs=4490)
    assert len(anhui) == 78
    assert any("县" in str(v) for v in anhui.drop(columns="geometry").to_numpy().ravel())
    union = pg.read_layer(
        messy / "nts_broken" / "error_union.shp", "parcels", row_ids=True, crs=32633
    )
    assert len(union) == 511
    assert (pg.check(union)["fault"] == "invalid_geometry").sum() == 78  # as its README says
    broken = shared / "data" / "swellendam" / "original" / "exercise_data" / "shapefile"
    rivers = pg.read_layer(broken / "rivers.shp", "rivers", row_ids=True)
    # by their .shx GDAL finds 19 rivers, 7 of them without geometry, and no water at all: the .shx
    # are not the indexes of these .shp, whose records are sound
    assert len(rivers) == 20
    assert rivers.is_valid.all()
    assert len(pg.read_layer(broken / "water.shp", "zones", row_ids=True)) == 37
    for name, kind in (("rivers", "rivers"), ("water", "zones")):
        found = pg.check(broken / f"{name}.shp", kind, row_ids=True)
        assert set(found["fault"]) == {"stale_shx", "geographic_crs"}


def test_a_flood_from_a_real_dem(shared, tmp_path):
    """Bayreuth's terrain, river and buildings, with an invented channel: end to end."""
    from real import bayreuth_flood

    found = bayreuth_flood(shared / "data", tmp_path)
    profile, rises = found["profile"], found["rises"]
    assert len(profile) > 200
    assert profile["energy_m"].is_monotonic_decreasing
    rest = profile["energy_m"].diff(-1).iloc[:-1] - profile["loss_m"].iloc[:-1]
    assert rest.abs().max() < 1e-8
    assert found["area"]["flooded_m2"].iloc[0] > 1e5
    assert (rises["rise_alone_mm"] > 0.01).any()
    assert rises.loc[rises["joint"], "rise_joint_mm"].max() <= 10.0
