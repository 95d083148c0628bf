"""Places along a river and inside areas, against PostGIS on loopback."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pgserver import READY, fresh_database

import pinghu_geo as pg

pytestmark = [
    pytest.mark.skipif(not READY, reason="needs PostgreSQL with PostGIS"),
    pytest.mark.xdist_group("postgis"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A fresh database of our own."""
    pytest.importorskip("psycopg")
    with fresh_database(tmp_path_factory.mktemp("pg")) as one:
        yield one


def test_published_examples_of_postgis(base):
    # https://postgis.net/docs/ST_LineInterpolatePoint.html and ST_LineLocatePoint.html
    line = shapely.LineString([(25, 50), (100, 125), (150, 190)])
    rivers = gpd.GeoDataFrame({"river": ["A"]}, geometry=[line], crs=4547).set_index("river")
    at = pg.stations(rivers, spacing_m=line.length * 0.2).geometry.iloc[1]
    assert (at.x, at.y) == pytest.approx((51.5974135047432, 76.5974135047432))
    line = shapely.LineString([(1, 2), (4, 5), (6, 7)])
    rivers = rivers.set_geometry([line], crs=4547)
    spot = gpd.GeoDataFrame(geometry=[shapely.Point(4, 3)], crs=4547)
    where = pg.locate(spot, rivers).iloc[0]
    found = line.interpolate(where["chainage_m"])
    assert (found.x, found.y) == pytest.approx((3, 4))


def test_places_of_points(base, sample):
    rivers = sample["rivers"]
    rng = np.random.default_rng(3)
    name = "木古河"
    line = rivers.geometry[name]
    near = shapely.get_coordinates(line.interpolate(rng.uniform(0, line.length, 1500)))
    points = shapely.points(near + rng.normal(0, 25, near.shape))
    where = pg.locate(gpd.GeoDataFrame(geometry=points, crs=rivers.crs), rivers.loc[[name]])
    rows = base.execute(
        "SELECT ST_LineLocatePoint(l, p) * ST_Length(l), ST_Distance(l, p) FROM "
        "(SELECT ST_GeomFromWKB(%s) AS l) AS line, "
        "LATERAL (SELECT (d).path[1] AS k, (d).geom AS p FROM "
        "(SELECT ST_Dump(ST_GeomFromWKB(%s)) AS d) AS dumped) AS points ORDER BY k",
        [line.wkb, shapely.multipoints(points).wkb],
    ).fetchall()
    at, far = np.array(rows, float).T
    np.testing.assert_allclose(where["distance_m"], far, atol=1e-6)
    sure = np.abs(where["chainage_m"] - at) < 1e-5
    # where two places are equally near, to a millimetre, either is right
    other = shapely.distance(points, shapely.line_interpolate_point(line, at))
    np.testing.assert_allclose(other[~sure], where["distance_m"][~sure], atol=1e-3)
    assert sure.mean() > 0.99


def test_stations_are_where_postgis_puts_them(base, sample):
    for name, line in sample["rivers"].geometry.items():
        found = pg.stations(sample["rivers"].loc[[name]], spacing_m=137.0)
        rows = base.execute(
            "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_LineInterpolatePoint(ST_GeomFromWKB(%s), f) AS p "
            "FROM unnest(%s::float8[]) AS f) AS q",
            [line.wkb, list(np.clip(found["chainage_m"] / line.length, 0, 1))],
        ).fetchall()
        np.testing.assert_allclose(
            shapely.get_coordinates(found.geometry), np.array(rows), atol=1e-6
        )


@pytest.mark.parametrize("layer", ["buildings", "parcels"])
def test_every_id_and_area(base, sample, layer):
    features, line = sample[layer], sample["优化方案"]
    hit = pg.affected(features, line, sample["rivers"])
    base.execute("CREATE TEMP TABLE IF NOT EXISTS f (id text, g geometry); TRUNCATE f")
    with base.cursor().copy("COPY f FROM STDIN") as copy:
        for name, shape in features.geometry.items():
            copy.write_row((name, shape.wkb_hex))
    rows = base.execute(
        "SELECT id, ST_Area(ST_Intersection(g, l)) FROM f, (SELECT ST_GeomFromWKB(%s) AS l) AS line "
        "WHERE ST_Intersects(g, l)",
        [line.geometry.union_all().wkb],
    ).fetchall()
    exact = {name: area for name, area in rows if area > 0}
    assert set(hit.index) == set(exact)
    np.testing.assert_allclose(hit["inside_m2"], [exact[i] for i in hit.index], rtol=1e-6)


@pytest.fixture
def tables(base):
    """Two schemas with tables as a bureau has them, and the address to read them from."""
    base.execute("""
        CREATE SCHEMA "不动产";
        CREATE TABLE "不动产"."房屋" (ZRZH text, "层数" int, "权利人" text, note jsonb, geom geometry(Polygon, 4547));
        INSERT INTO "不动产"."房屋" VALUES
          ('B1', 3, '张三', '{"a": 1}', ST_MakeEnvelope(513000, 2510000, 513010, 2510010, 4547)),
          ('B2', 2, NULL, NULL, ST_MakeEnvelope(519000, 2510000, 519010, 2510010, 4547)),
          ('B3', 1, '李四', NULL, NULL);
        CREATE TABLE plain (id int, shape geometry(Point, 0));
        CREATE TABLE "drop table plain; --" (river text, geom geometry(LineString, 4547));
        INSERT INTO "drop table plain; --" VALUES
          ('A', ST_SetSRID(ST_MakeLine(ST_MakePoint(513000, 2510000), ST_MakePoint(514000, 2510000)), 4547));
    """)
    info = base.info
    yield f"postgresql://postgres@{info.host}:{info.port}/postgres"
    base.execute(
        'DROP SCHEMA "不动产" CASCADE; DROP TABLE plain; DROP TABLE "drop table plain; --"'
    )


def test_tables_are_read_with_their_names_crs_and_index(base, tables):
    houses = pg.read_layer(tables, "buildings", layer="房屋")
    assert houses.index.tolist() == ["B1", "B2", "B3"]
    assert houses["floors"].tolist() == [3, 2, 1]
    assert houses["owner"].fillna("").tolist() == ["张三", "", "李四"]
    assert houses.crs.to_epsg() == 4547
    assert houses.area.fillna(0).tolist() == [100, 100, 0]
    assert "no_geometry" in set(pg.check(tables, "buildings", layer="不动产.房屋")["fault"])
    line = gpd.GeoDataFrame(geometry=[shapely.box(513000, 2510000, 513500, 2510500)], crs=4547)
    assert pg.read_layer(tables, "buildings", layer="房屋", near=line).index.tolist() == ["B1"]
    # what the database compares as we do it leaves out itself; the rest is compared here
    for asked, ids in (("层数 >= 2", ["B1", "B2"]), ("权利人 = '张三'", ["B1"]),
                       ("权利人 is not null and 层数 < 3", ["B3"]), ("not 层数 = 3", ["B2", "B3"])):  # fmt: skip
        rows = pg.read_layer(tables, "buildings", layer="房屋", where=asked)
        assert rows.index.tolist() == ids
    # a name is only ever a name
    rivers = pg.read_layer(tables, "rivers", layer="drop table plain; --")
    assert rivers.length.tolist() == [1000]
    assert base.execute("SELECT count(*) FROM plain").fetchone() == (0,)


def test_databases_that_cannot_be_read_say_why(tables):
    with pytest.raises(
        pg.errors.LayerError, match=r"has 3 such tables with geometry: public.*不动产.房屋"
    ):
        pg.read_layer(tables, "buildings")
    with pytest.raises(
        pg.errors.LayerError, match=r"(?s)has 0 such tables.*did you mean '不动产.房屋'"
    ):
        pg.read_layer(tables, "buildings", layer="不动产.房")
    with pytest.raises(pg.errors.CRSError, match="doesn't say its coordinate reference system"):
        pg.read_layer(tables, "zones", layer="plain", row_ids=True)
    wrong = tables.replace("postgres@", "nobody:geheim@")
    with pytest.raises(pg.errors.LayerError, match="the database can't be read") as said:
        pg.read_layer(wrong, "buildings")
    assert "geheim" not in str(said.value)
