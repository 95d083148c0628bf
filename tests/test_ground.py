"""A picture of the ground below the map lies where it belongs, from every kind of source."""

import base64
import json
import re
import sqlite3
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from rasterio.io import MemoryFile

import pinghu_geo as pg
from conftest import river_frame
from pinghu_geo.deliver.ground import HALF_M, ground_picture

X, Y = 510_000.0, 2_510_000.0
# a red square of 40 m in a green field, at this place of the grid
MARK = (X + 300, Y + 120)


def lines():
    return gpd.GeoSeries([shapely.box(X, Y, X + 600, Y + 300)], crs=4547)


def seen(uri, corners):
    """Centre of what is red, in metres of the grid."""
    with MemoryFile(base64.b64decode(uri.partition(",")[2])) as memory, memory.open() as file:
        r, g, b = (band.astype(int) for band in file.read())
    rows, columns = np.nonzero((r > 180) & (g < 90) & (b < 90))
    (south, west), (north, east) = corners
    to_web = pyproj.Transformer.from_crs(4326, 3857, always_xy=True)
    (x0, x1), (y0, y1) = to_web.transform([west, east], [south, north])
    x = x0 + (columns.mean() + 0.5) * (x1 - x0) / r.shape[1]
    y = y1 - (rows.mean() + 0.5) * (y1 - y0) / r.shape[0]
    return pyproj.Transformer.from_crs(3857, 4547, always_xy=True).transform(x, y)


def colours_at(x, y, crs):
    """What stands at places of a CRS: red within the mark, green elsewhere."""
    there = pyproj.Transformer.from_crs(crs, 4547, always_xy=True).transform(x, y)
    mark = (np.abs(there[0] - MARK[0]) < 20) & (np.abs(there[1] - MARK[1]) < 20)
    return np.where(mark, 255, 20), np.where(mark, 0, 160), np.where(mark, 0, 60)


def raster(path, crs, bounds, px=0.5, **how):
    x0, y0, x1, y1 = bounds
    wide, high = int((x1 - x0) / px), int((y1 - y0) / px)
    x, y = np.meshgrid(x0 + (np.arange(wide) + 0.5) * px, y1 - (np.arange(high) + 0.5) * px)
    with rasterio.open(
        path, "w", driver="GTiff", width=wide, height=high, count=3, dtype="uint8",
        crs=crs, transform=rasterio.Affine(px, 0, x0, 0, -px, y1), **how,
    ) as file:  # fmt: skip
        file.write(np.stack(colours_at(x, y, crs)).astype("uint8"))
    return path


def tiles(folder, zoom):
    """Tiles around the mark."""
    side = 2 * HALF_M / 2**zoom
    x, y = pyproj.Transformer.from_crs(4547, 3857, always_xy=True).transform(*MARK)
    for i in range(int((x + HALF_M) // side) - 3, int((x + HALF_M) // side) + 4):
        for j in range(int((HALF_M - y) // side) - 3, int((HALF_M - y) // side) + 4):
            at = (np.arange(256) + 0.5) * side / 256
            xx, yy = np.meshgrid(i * side - HALF_M + at, HALF_M - j * side - at)
            place = folder / str(zoom) / str(i) / f"{j}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            with rasterio.open(place, "w", driver="PNG", width=256, height=256, count=3,
                               dtype="uint8") as file:  # fmt: skip
                file.write(np.stack(colours_at(xx, yy, 3857)).astype("uint8"))
    return folder


def mbtiles(path, folder):
    """The same tiles in one file, rows from the south (MBTiles 1.3)."""
    with sqlite3.connect(path) as base:
        base.execute("create table metadata (name text, value text)")
        base.execute("create table tiles (zoom_level int, tile_column int, tile_row int, "
                     "tile_data blob)")  # fmt: skip
        zooms = set()
        for one in folder.glob("*/*/*.png"):
            z, x, y = (int(part) for part in (one.parts[-3], one.parts[-2], one.stem))
            zooms.add(z)
            row = (z, x, 2**z - 1 - y, one.read_bytes())
            base.execute("insert into tiles values (?, ?, ?, ?)", row)
        base.executemany("insert into metadata values (?, ?)", [
            ("name", "t"), ("format", "png"), ("minzoom", str(min(zooms))),
            ("maxzoom", str(max(zooms)))])  # fmt: skip
    base.close()
    return path


pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.mark.parametrize("kind", ["grid", "degrees", "tiles", "mbtiles"])
def test_a_mark_on_the_ground_lies_where_it_is(tmp_path, kind):
    around = (X - 200, Y - 200, X + 800, Y + 500)
    if kind == "grid":
        source = raster(tmp_path / "a.tif", 4547, around)
    elif kind == "degrees":
        degrees = pyproj.Transformer.from_crs(4547, 4490, always_xy=True)
        source = raster(tmp_path / "a.tif", 4490, degrees.transform_bounds(*around), px=5e-6)
    else:
        source = tiles(tmp_path / "t", 17)
        if kind == "mbtiles":
            source = mbtiles(tmp_path / "a.mbtiles", source)
    found = seen(*ground_picture(source, lines(), gcj02=False))
    # a pixel of a tile of zoom 17 is 1.1 m here
    assert found == pytest.approx(MARK, abs=1.2)


def test_a_picture_that_is_shifted_is_put_back(tmp_path):
    plain = raster(tmp_path / "a.tif", 4547, (X - 200, Y - 200, X + 800, Y + 500))
    with rasterio.open(plain) as file:
        colours, transform = file.read(), file.transform
    # where GCJ-02 puts the mark: what comes back from there is the mark
    web = gpd.GeoDataFrame(geometry=gpd.points_from_xy([MARK[0]], [MARK[1]]), crs=4547)
    moved = web
    for _ in range(20):
        back = pg.intake.from_gcj02(moved)
        dx, dy = MARK[0] - back.geometry.x.iloc[0], MARK[1] - back.geometry.y.iloc[0]
        moved = moved.set_geometry(moved.translate(dx, dy))
    east, north = moved.geometry.x.iloc[0] - MARK[0], moved.geometry.y.iloc[0] - MARK[1]
    assert np.hypot(east, north) > 300
    with rasterio.open(
        tmp_path / "b.tif", "w", driver="GTiff", width=colours.shape[2], height=colours.shape[1],
        count=3, dtype="uint8", crs=4547,
        transform=rasterio.Affine.translation(east, north) * transform,
    ) as file:  # fmt: skip
        file.write(colours)
    found = seen(*ground_picture(tmp_path / "b.tif", lines(), gcj02=True))
    assert found == pytest.approx(MARK, abs=1.0)


def test_what_is_no_picture_of_the_place_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("x", "utf-8")
    (tmp_path / "b.tif").write_bytes(b"II*\0nothing")
    (tmp_path / "leer").mkdir()
    far = raster(tmp_path / "far.tif", 4547, (X + 9e3, Y, X + 9.1e3, Y + 100))
    for source, match in ((tmp_path / "a.txt", "no picture"), (tmp_path / "b.tif", "no picture"),
                          (tmp_path / "leer", "holds no tiles"), (far, "shows nothing"),
                          (tmp_path / "nichts.tif", "no picture")):  # fmt: skip
        with pytest.raises(pg.errors.LayerError, match=match):
            ground_picture(source, lines(), gcj02=False)


@pytest.mark.filterwarnings("ignore:floor area")
def test_the_map_carries_it_and_asks_for_nothing(tmp_path):
    source = raster(tmp_path / "a.tif", 4547, (X - 200, Y - 200, X + 800, Y + 500))
    rivers = river_frame({"甲河": [(X, Y + 100), (X + 600, Y + 120)]}).set_crs(
        4547, allow_override=True
    )
    line = pg.red_line(rivers, 20.0)
    houses = gpd.GeoDataFrame(
        {"floors": [2]}, geometry=[shapely.box(X + 90, Y + 95, X + 100, Y + 105)], crs=4547,
        index=["H1"],
    ).rename_axis("building_id")  # fmt: skip
    hit = pg.affected(houses, line, rivers)
    page = pg.command_map(hit, line, rivers, ground=source)
    text = page.page()
    assert len(re.findall(r"data:image/jpeg;base64,", text)) == 1
    assert text == pg.command_map(hit, line, rivers, ground=source).page()
    assert "底图" in text or "\\u5e95\\u56fe" in text
    # beside the page, under a name that is the picture's own
    again = pg.command_map(hit, line, rivers, ground=source)
    again.save(tmp_path / "作战 图.html", ground_beside=True)
    beside = (tmp_path / "作战 图.html").read_text("utf-8")
    assert "data:image/jpeg" not in beside
    (picture,) = tmp_path.glob("作战 图-*.jpg")
    assert beside.count(quote(picture.name)) == 1
    carried = "data:image/jpeg;base64," + base64.b64encode(picture.read_bytes()).decode()
    assert beside == text.replace(carried, quote(picture.name))


@pytest.mark.filterwarnings("ignore:floor area")
@pytest.mark.parametrize("beside", [True, False])
def test_a_project_says_whether_the_picture_lies_beside_the_page(tmp_path, beside):
    raster(tmp_path / "影像.tif", 4547, (X - 200, Y - 200, X + 800, Y + 500), px=4.0)
    river_frame({"甲河": [(X, Y + 100), (X + 600, Y + 120)]}).set_crs(
        4547, allow_override=True
    ).to_file(tmp_path / "河道.gpkg")
    gpd.GeoDataFrame(
        {"building_id": ["H1"], "floors": [2]}, crs=4547,
        geometry=[shapely.box(X + 90, Y + 95, X + 100, Y + 105)],
    ).to_file(tmp_path / "房屋.gpkg")  # fmt: skip
    (tmp_path / "project.toml").write_text(
        'crs = 4547\n[layers]\nbuildings = "房屋.gpkg"\nrivers = "河道.gpkg"\n'
        '[schemes."原方案"]\nwidths = 20\n'
        f'[map]\nground = "影像.tif"\nground_beside = {str(beside).lower()}\n', "utf-8")  # fmt: skip
    out = pg.run_project(tmp_path / "project.toml", tmp_path / "结果")
    pictures = list(out.glob("map-*.jpg"))
    page = (out / "map.html").read_text("utf-8")
    assert len(pictures) == beside
    assert ("data:image/jpeg" in page) is not beside
    assert all(p.name in page for p in pictures)
    outputs = json.loads((out / "manifest.json").read_text("utf-8"))["outputs"]
    assert {p.name for p in pictures} == {n for n in outputs if n.endswith(".jpg")}
