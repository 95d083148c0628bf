"""A map of a river of 300 km and one of a reach of 300 m: both can be read."""

import base64
import json
import re

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from test_browser import CHROMIUM, DRIVER, browser

import pinghu_geo as pg
from conftest import building_frame, river_frame
from pinghu_geo.deliver import mapdata, maps


def page_of(line, at, widths=15.0):
    rivers = river_frame({"A": line})
    boxes = [a if len(a) == 4 else (a[0] - 5, a[1] - 4, a[0] + 5, a[1] + 4) for a in at]
    houses = {f"B{k}": shapely.box(*box) for k, box in enumerate(boxes)}
    buildings = building_frame(houses, floors=1)
    red = pg.red_line(rivers, widths)
    hit = pg.affected(buildings, red, rivers)
    hit["node_id"] = pg.node_ids(hit, gap_m=50, max_length_m=300)
    nodes = pg.node_table(hit)
    return hit, nodes, buildings, pg.command_map(hit, red, rivers, buildings=buildings, nodes=nodes)


@pytest.mark.filterwarnings("ignore:floor area")
def test_a_long_river_shows_few_chainages():
    at = [(x, 12.0) for x in np.linspace(1000, 299_000, 120)]
    _, _, _, page = page_of([(0, 0), (300_000, 0)], at)
    text = page.page()
    known = json.loads(re.search(r'id="pg-data">(.*?)</script>', text, re.DOTALL)[1])
    labels = [one[4] for one in known["labels"] if one[3] == "pg-station"]
    assert len(labels) <= maps.MOST_LABELS
    # those of 10 km are written from afar
    assert labels.count(8) + labels.count(11) == 31


@pytest.mark.filterwarnings("ignore:floor area")
def test_from_afar_each_house_is_counted_once(tmp_path):
    if not (CHROMIUM and DRIVER):
        pytest.skip("needs chromium and chromedriver")
    at = [(x, 12.0) for x in np.linspace(1000, 299_000, 120)]
    hit, _, _, page = page_of([(0, 0), (300_000, 0)], at)
    page.save(tmp_path / "map.html")
    with browser() as driver:
        driver.get((tmp_path / "map.html").as_uri())
        levels = driver.execute_script(
            "var found = {}; for (var z = 5; z < 18; z++) { pgMap.map.setZoom(z, {animate: false});"
            "found[z] = pgMap.groups(); } return found;"
        )
        # and those of them that are in view stand on the page
        seen = driver.execute_script(
            "pgMap.map.setZoom(8, {animate: false}); pgMap.groups();"
            "return [...document.querySelectorAll('.pg-count span')].map(e => +e.textContent);"
        )
        circles = driver.execute_script(
            "var found = []; for (var z = 8; z < 15; z++) { pgMap.map.setZoom(z, {animate: false});"
            "pgMap.groups(); found.push([...document.querySelectorAll('.pg-count span')].map(e => {"
            "var b = e.getBoundingClientRect();"
            "return [(b.left + b.right) / 2, (b.top + b.bottom) / 2, b.width]; })); } return found;"
        )
    assert sorted(seen) == sorted(levels["8"])
    for level in circles:
        x, y, wide = np.array(level).T
        apart = np.hypot(x[:, None] - x, y[:, None] - y) - (wide[:, None] + wide) / 2
        assert (apart[~np.eye(len(x), dtype=bool)] > 0).all()
    # at each distance every house is counted once, in circles that don't lie on one another
    for zoom, counts in levels.items():
        assert sum(counts) == (len(hit) if int(zoom) < maps.SEEN_ZOOM else 0)
        assert len(counts) <= 300_000 / (156_543 * 44 / 2 ** int(zoom)) + 2


# zooms as given one after another, each until all is drawn; points said to canvases, frame by frame
ZOOMED = """
const done = arguments[arguments.length - 1], steps = [...arguments[0]], frames = [];
let tiles = null;
window.points = 0;
pgMap.map.eachLayer(one => { if (one.repaint) tiles = one; });
for (const name of window.counted ? [] : ["lineTo", "moveTo", "rect"]) {
  const drawn = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (...given) {
    if (this.canvas.side) window.points += name === "rect" ? 4 : 1;
    return drawn.apply(this, given);
  };
}
const pictures = () => Object.fromEntries(Object.entries(tiles._tiles).filter(([, one]) => one.current)
  .map(([key, one]) => [key, one.el.dots && new Uint32Array(one.el.getContext("2d").getImageData(
    0, 0, one.el.width, one.el.height).data.buffer).some(dot => dot) ? one.el.toDataURL() : ""]));
window.counted = true;
const before = pictures();
(function next() {
  if (!steps.length) { done([before, pictures(), frames]); return; }
  pgMap.map.setZoom(steps.shift(), {animate: false});
  (function frame() {
    window.points = 0;
    requestAnimationFrame(() => setTimeout(() => {
      if (window.points) frames.push(window.points);
      if (pgMap.waiting()) frame(); else next();
    }, 0));
  })();
})();
"""


@pytest.mark.filterwarnings("ignore:floor area")
def test_a_frame_draws_few_tiles_and_tiles_drawn_again_are_as_new(tmp_path):
    if not (CHROMIUM and DRIVER):
        pytest.skip("needs chromium and chromedriver")
    at = [(x, y) for x in np.arange(50, 10_000, 14.0) for y in (-12.0, 12.0)]
    hit, _, _, page = page_of([(0, 0), (10_000, 0)], at)
    page.save(tmp_path / "map.html")
    with browser() as driver:
        driver.set_script_timeout(60)
        driver.get((tmp_path / "map.html").as_uri())
        driver.execute_script("pgMap.map.options.zoomSnap = 1")
        driver.execute_async_script(ZOOMED, [15])
        before, after, frames = driver.execute_async_script(ZOOMED, [17, 19, 16, 14, 15])
    assert before == after
    assert any(before.values())
    # of 512 dots at zoom 16, a tile of which holds some 90 houses of four points and their hulls
    assert len(hit) > 1400
    assert len(frames) >= 5
    assert max(frames) < 1500 + 4000, frames


@pytest.mark.filterwarnings("ignore:floor area")
def test_hulls_of_nodes_hold_no_house_that_stays():
    # a house that stays lies between two deep ones that go; another one is far away
    at = [(10, 5, 20, 45), (50, 5, 60, 45), (30, 25, 40, 35), (90, 60)]
    hit, nodes, buildings, _ = page_of([(0, 0), (150, 0)], at)
    rest = buildings[~buildings.index.isin(hit.index)]
    assert len(rest)
    plain = shapely.union_all(nodes.geometry.convex_hull.to_numpy())
    assert rest.intersects(plain).any()  # else there is nothing to see here
    hulls = shapely.union_all(maps._hulls_of_nodes(nodes, hit, buildings))
    assert not rest.intersects(hulls).any()
    assert hit.within(hulls.buffer(1e-6)).all()


@pytest.mark.filterwarnings("ignore:floor area")
def test_houses_of_a_node_that_lie_on_one_another_stay_within_its_hull():
    # two footprints of one house, drawn twice, and a house beside it that stays
    at = [(10, 5, 20, 14), (14, 8, 24, 14.5), (26, 2, 36, 14.5), (24.5, 15.5, 30, 24)]
    hit, nodes, buildings, _ = page_of([(0, 0), (150, 0)], at)
    assert len(hit) == 3
    assert not nodes.is_valid.all()  # a shape of houses on one another is none that GEOS unites
    hulls = shapely.union_all(maps._hulls_of_nodes(nodes, hit, buildings))
    assert not buildings.loc[["B3"]].intersects(hulls).any()
    assert hit.within(hulls.buffer(1e-6)).all()


def whole_numbers(text):
    """What the page's script reads of a packed text."""
    found, value, shift = [], 0, 0
    for byte in base64.b64decode(text):
        value += (byte & 127) << shift
        shift += 7
        if byte < 128:
            found.append(-(value + 1) // 2 if value % 2 else value // 2)
            value = shift = 0
    return found


@given(st.lists(st.integers(-(2**31), 2**31 - 1)))
def test_packed_numbers_are_the_numbers(numbers):
    assert whole_numbers(mapdata.packed(numbers)) == numbers


def test_packed_shapes_are_the_shapes_a_tenth_of_a_metre_near():
    ring = shapely.box(114.0, 22.5, 114.001, 22.501).difference(
        shapely.box(114.0003, 22.5003, 114.0006, 22.5006)
    )
    shapes = gpd.GeoSeries([ring, None, shapely.box(113.9, 22.4, 113.9001, 22.4001)], crs=4326)
    made = {name: whole_numbers(text) for name, text in mapdata.packed_shapes(shapes).items()}
    assert (made["parts"], made["rings"]) == ([2, 0, 1], [5, 5, 5])
    xy = np.cumsum(np.reshape(made["xy"], (-1, 2)), axis=0) / 1e6
    shell, hole, other = xy[:5], xy[5:10], xy[10:]
    again = shapely.Polygon(shell, [hole])
    assert again.symmetric_difference(ring).area < 1e-12
    assert shapely.Polygon(other).symmetric_difference(shapes[2]).area < 1e-12
    # a hole runs against its shell: filled together with others it stays a hole
    assert shapely.is_ccw(shapely.LinearRing(shell)) != shapely.is_ccw(shapely.LinearRing(hole))


def test_a_chainage_is_written_the_farther_away_the_rounder_it_is():
    assert [maps._zoom_of_chainage(c) for c in (0.0, 50_000, 10_000, 4_000, 500, 300)] == [
        8,
        8,
        11,
        13,
        15,
        17,
    ]
    assert maps._label_spacing(100.0, 21_000) == 100
    assert maps._label_spacing(100.0, 300_000) == 500
