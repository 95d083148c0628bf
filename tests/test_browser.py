"""The command map and the notebook's live red line in headless Chromium with the network off."""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver"),
    pytest.mark.xdist_group("browser"),
]
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1400,900", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


@contextmanager
def browser():
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def results(sample_run):
    return sample_run


@pytest.fixture(scope="module")
def houses(results):
    """The tables that the map is held against."""
    layer = gpd.read_file(results / "results.gpkg", layer="affected").set_index("building_id")
    return pd.DataFrame(layer.drop(columns="geometry"))


@pytest.fixture(scope="module")
def page(results):
    with browser() as driver:
        driver.get((results / "map.html").as_uri())
        time.sleep(1)
        yield driver


@pytest.fixture(autouse=True)
def as_at_first(request):
    """Each test of the page begins with all houses on the last day."""
    yield
    if "page" in request.fixturenames:
        request.getfixturevalue("page").refresh()
        time.sleep(0.7)


def requests(driver):
    messages = [json.loads(one["message"])["message"] for one in driver.get_log("performance")]
    urls = [
        m["params"]["request"]["url"]
        for m in messages
        if m["method"] == "Network.requestWillBeSent"
    ]
    return [u for u in urls if not u.startswith(("data:", "blob:"))]


def choose(driver, name, word):
    """Set a filter as a person does."""
    from selenium.webdriver.support.ui import Select

    Select(
        driver.find_element("css selector", f"select[data-filter={name}]")
    ).select_by_visible_text(word)


def shown(driver):
    return sorted(driver.execute_script("return pgMap.shown()"))


def click_at(driver, x, y):
    """A click on the map, at its own pixels."""
    from selenium.webdriver import ActionChains

    left, top = driver.execute_script(
        "var b = pgMap.map.getContainer().getBoundingClientRect(); return [b.left, b.top]")  # fmt: skip
    mouse = ActionChains(driver)
    mouse.w3c_actions.pointer_action.move_to_location(int(left + x), int(top + y))
    mouse.w3c_actions.pointer_action.click()
    mouse.perform()
    time.sleep(0.6)


def test_no_request_no_error(page):
    urls = requests(page)
    assert len([u for u in urls if u.startswith("file://")]) == len(urls) <= 1
    assert page.get_log("browser") == []


def test_houses_are_drawn_at_start_in_the_colours_of_their_classes(page):
    page.execute_script("pgMap.map.setZoom(16, {animate: false})")
    page.execute_script("pgMap.openNode(pgMap.nodes()[0])")
    time.sleep(1)
    pixels = page.execute_script(
        "var n = 0; document.querySelectorAll('.leaflet-pg-houses-pane canvas').forEach(c => {"
        "var d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "for (var k = 3; k < d.length; k += 4) if (d[k]) n++;}); return n;"
    )
    assert pixels > 100


def test_no_name_lies_on_another_or_on_a_number_of_houses(page):
    """At every zoom; the numbers themselves stand where their houses are."""
    for zoom in (0, -1, 2):
        page.execute_script(
            "pgMap.map.setZoom(pgMap.map.getZoom() + arguments[0], {animate: false})", zoom
        )
        time.sleep(0.6)
        boxes = page.execute_script(
            "return [...document.querySelectorAll('.pg-count span, .pg-station span, .pg-river span')]"
            ".map(e => {const b = e.getBoundingClientRect();"
            " return [b.left, b.top, b.right, b.bottom, e.parentNode.className, e.textContent]})"
        )
        names = [b for b in boxes if b[4] != "pg-count"]
        assert names
        for one in names:
            for other in boxes:
                apart = (
                    one[2] <= other[0]
                    or other[2] <= one[0]
                    or one[3] <= other[1]
                    or other[3] <= one[1]
                )
                assert apart or one is other, (zoom, one[5], other[5])


def test_no_name_is_cut_at_the_edge_of_a_phone(page):
    """Of what is in sight: at its first zoom, nearer, and moved so that each name is at an edge."""
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    page.refresh()
    time.sleep(0.8)
    cut = (
        "const m = pgMap.map, box = m.getContainer().getBoundingClientRect(), cut = [];"
        "document.querySelectorAll('.pg-river span, .pg-station span').forEach(e => {"
        "const b = e.getBoundingClientRect(), at = e.parentNode.getBoundingClientRect();"
        "if (at.left < box.left || at.left > box.right || at.top < box.top || at.top > box.bottom) return;"
        "if (b.left < box.left || b.right > box.right || b.top < box.top || b.bottom > box.bottom)"
        " cut.push(e.textContent);}); return cut"
    )
    edges = (
        "return [...document.querySelectorAll('.pg-river')].flatMap(e => {"
        "const p = L.DomUtil.getPosition(e) || {x: parseFloat(e.style.left), y: parseFloat(e.style.top)};"
        "const q = pgMap.map.layerPointToContainerPoint([p.x, p.y]), s = pgMap.map.getSize();"
        "return [[q.x - 6, 0], [q.x - s.x + 6, 0], [0, q.y - 6], [0, q.y - s.y + 6]]})"
    )
    try:
        for zoom in (0, 1, 1):
            page.execute_script(
                "pgMap.map.setZoom(pgMap.map.getZoom() + arguments[0], {animate: false})", zoom
            )
            time.sleep(0.5)
            assert page.execute_script(cut) == []
            for dx, dy in page.execute_script(edges)[:8]:
                page.execute_script(
                    "pgMap.map.panBy([arguments[0], arguments[1]], {animate: false})", dx, dy
                )
                time.sleep(0.2)
                assert page.execute_script(cut) == [], (zoom, dx, dy)
                page.execute_script(
                    "pgMap.map.panBy([-arguments[0], -arguments[1]], {animate: false})", dx, dy
                )
                time.sleep(0.2)
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_classes_are_those_of_the_tables(page, houses, results):
    found = page.execute_script("return pgMap.classes()")
    task = houses["task_class"] == "task"
    shown_as = pg.campaign.stage_rules()["shown_as"].to_dict() | {"todo": "todo"}
    want = houses["task_class"].where(~task, houses["stage"].map(shown_as))
    for code, ids in found.items():
        assert sorted(ids) == sorted(want.index[want == code]), code
    assert sum(map(len, found.values())) == len(houses)
    legend = {row.get_attribute("data-klass"): row.text for row in
              page.find_elements("css selector", ".pg-legend div")}  # fmt: skip
    assert {c: int(re.search(r"(\d+) 栋", t)[1]) for c, t in legend.items()} == {
        c: len(ids) for c, ids in found.items() if c in legend}  # fmt: skip
    # and the sheet of the campaign's workbook says the same of each class
    book = pd.read_excel(results / "campaign.xlsx", sheet_name="分类汇总").set_index("分类")
    tasks = sum(len(found[c]) for c in set(shown_as.values()))
    assert book.loc["任务", "房屋栋数 (栋)"] == tasks
    for word, code in (("待核", "review"), ("保留", "retain"), ("他方清拆", "others")):
        assert book.loc[word, "房屋栋数 (栋)"] == len(found[code])
    said = page.find_element("css selector", ".pg-panel").text
    assert "合成数据" in said
    assert "避免拆除" in said


FILTERS = [
    ("river", "木古河", lambda h: h["river"] == "木古河"),
    ("bank", "右岸", lambda h: h["bank"] == "right"),
    ("klass", "待核", lambda h: h["task_class"] == "review"),
    ("stage", "谈判", lambda h: (h["task_class"] == "task") & (h["stage"] == "negotiation")),
    ("collective", "是", lambda h: h["tenure"] == "collective"),
]


@pytest.mark.parametrize(("name", "word", "rows"), FILTERS)
def test_filters_show_what_the_table_holds(page, houses, name, word, rows):
    choose(page, name, word)
    want = houses[rows(houses)]
    assert 0 < len(want) < len(houses)
    assert shown(page) == sorted(want.index)


def test_the_filter_of_groups_and_the_order_of_the_nodes(page, houses, results):
    nodes = gpd.read_file(results / "results.gpkg", layer="nodes").set_index("node_id")
    listed = page.execute_script("return pgMap.nodes()")
    assert sorted(listed) == sorted(nodes.index)
    rank = nodes["signal"].map({"red": 0, "amber": 1, "green": 2})
    order = [(rank[n], -nodes.at[n, "late_by_days"]) for n in listed]
    assert order == sorted(order)
    choose(page, "group", "第6组")
    mine = nodes.index[nodes["group"] == "第6组"]
    assert sorted(page.execute_script("return pgMap.nodes()")) == sorted(mine)
    assert shown(page) == sorted(houses.index[houses["node_id"].isin(mine)])


@pytest.mark.parametrize("day", ["2018-01-25", "2018-05-02", "2018-08-31"])
def test_the_slider_replays_the_log(page, houses, day):
    log = pg.campaign.read_reports(pg.sample_folder() / "进度日志_示例.csv")
    slider = page.find_element("css selector", ".pg-time input")
    back = (pd.Timestamp("2018-08-31") - pd.Timestamp(day)).days
    page.execute_script(
        "var s = arguments[0]; s.value = +s.max - arguments[1]; s.dispatchEvent(new Event('input'))",
        slider, back,
    )  # fmt: skip
    assert page.find_element("css selector", ".pg-time span").text == day
    ours = houses[houses["task_class"] == "task"]
    log = log[log["building_id"].isin(ours.index)]
    want = pg.progress_state(log, ours, as_of=day).buildings["stage"]
    found = page.execute_script("return pgMap.stages()")
    assert {k: found[k] for k in ours.index} == want.reindex(ours.index).fillna("todo").to_dict()


def test_a_click_on_a_node_lists_its_houses_and_one_there_opens_its_card(page, houses):
    row = page.find_element("css selector", ".pg-nodes tbody tr")
    node = row.get_attribute("data-node")
    row.click()
    time.sleep(0.6)
    listed = [e.get_attribute("data-house") for e in
              page.find_elements("css selector", ".pg-houses [data-house]")]  # fmt: skip
    assert sorted(listed) == sorted(houses.index[houses["node_id"] == node])
    page.find_element("css selector", ".pg-houses [data-house]").click()
    time.sleep(0.6)
    card = page.find_element("css selector", ".leaflet-popup-content").text
    assert f"房屋编号 {listed[0]}" in card
    assert f"征拆节点 {node}" in card
    assert "桩号 K" in card


def test_a_click_on_a_house_in_a_hull_is_the_house_and_beside_it_the_node(page, houses):
    node = houses["node_id"].value_counts().index[0]
    page.execute_script("pgMap.openNode(arguments[0])", node)
    time.sleep(0.8)
    one = houses.index[houses["node_id"] == node][0]
    at = page.execute_script("var p = pgMap.point(arguments[0]); return [p.x, p.y]", one)
    click_at(page, *at)
    card = page.find_element("css selector", ".leaflet-popup-content").text
    assert f"房屋编号 {one}" in card


def search(page, text):
    from selenium.webdriver import ActionChains

    box = page.find_element("css selector", ".pg-search input")
    box.clear()
    ActionChains(page).click(box).send_keys(text).pause(0.3).perform()
    found = [e.text for e in page.find_elements("css selector", ".pg-found button")]
    ActionChains(page).send_keys("\n").pause(0.6).perform()
    return found


def test_search_knows_ids_owners_nodes_and_chainages(page, houses):
    one = houses.index[7]
    assert search(page, one)[0].startswith(one)
    assert f"房屋编号 {one}" in page.find_element("css selector", ".leaflet-popup-content").text
    owner = houses["owner"].iloc[20]
    assert len(search(page, owner)) == (houses["owner"] == owner).sum()
    node = houses["node_id"].dropna().iloc[5]
    assert node in search(page, node)
    assert page.find_element("css selector", ".pg-houses h2").text.startswith(node)
    rivers = pg.read_layer(pg.sample_folder() / "河道.shp", "rivers")
    found = search(page, "k3+450")
    assert len(found) == (rivers.length > 3450).sum()
    lat, lng = page.execute_script("var c = pgMap.map.getCenter(); return [c.lat, c.lng]")
    at = gpd.GeoSeries([shapely.Point(lng, lat)], crs=4326).to_crs(rivers.crs)[0]
    line = rivers.geometry.loc[found[0].split()[0]]
    assert at.distance(line.interpolate(3450)) < 1.5
    assert search(page, "没有这个") == []
    assert page.find_element("css selector", ".pg-found").text == "没有找到"
    assert page.get_log("browser") == []


# Each text that is seen, with its contrast against what lies behind it (WCAG 2.1, 1.4.3).
CONTRASTS = """
const parts = c => { const f = c.match(/[\\d.]+/g).map(Number); return f.length < 4 ? [...f, 1] : f; };
const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3]));
const light = c => { const v = c.map(x => x / 255).map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
const found = [];
for (const one of document.querySelectorAll("body *")) {
  if (one.closest("svg, script, style, canvas") || !one.getClientRects().length) continue;
  if (![...one.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
  let grounds = [], up = one;
  for (; up; up = up.parentElement) {
    const c = parts(getComputedStyle(up).backgroundColor);
    grounds.push(c);
    if (c[3] === 1) break;
  }
  let ground = [255, 255, 255];
  for (const c of grounds.reverse()) ground = over(c, ground);
  const ink = over(parts(getComputedStyle(one).color), ground), a = light(ink), b = light(ground);
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  found.push([ratio, one.className + ": " + one.textContent.slice(0, 30)]);
}
return found;
"""


def test_every_text_of_map_and_board_is_read(page, results):
    page.execute_script("pgMap.openNode(pgMap.nodes()[0])")
    page.find_element("css selector", ".pg-houses [data-house]").click()
    time.sleep(0.6)
    of_map = page.execute_script(CONTRASTS)
    page.get((results / "board.html").as_uri())
    of_board = page.execute_script(CONTRASTS)
    page.get((results / "map.html").as_uri())
    assert len(of_map) > 100
    assert len(of_board) > 100
    assert [one for one in of_map + of_board if one[0] < 4.5] == []


def test_one_line_is_shown_and_others_are_compared_on_demand(page):
    boxes = {e.text: e.find_element("css selector", "input") for e in
             page.find_elements("css selector", ".leaflet-control-layers-overlays label")}  # fmt: skip
    lines = {t: b.is_selected() for t, b in boxes.items() if "红线" in t and "外" not in t}
    assert lines == {"比较:红线 原方案": False, "比较:红线 优化方案": False, "红线 寻优方案": True}
    strokes = {e.text: e.find_element("css selector", "i").get_attribute("style") for e in
               page.find_elements("css selector", ".leaflet-control-layers-overlays label")}  # fmt: skip
    solid_red = [t for t, s in strokes.items() if "solid rgb(208, 0, 0)" in s]
    assert solid_red == ["红线 寻优方案"]  # the red line is the red one
    other = next(b for t, b in boxes.items() if t.startswith("比较:寻优方案 避免拆除"))
    assert not other.is_selected()
    other.click()
    assert other.is_selected()
    assert page.get_log("browser") == []


def test_on_a_phone_nothing_covers_title_and_search(page):
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    page.refresh()
    time.sleep(0.8)
    uncovered = (
        "var ok = []; document.querySelectorAll('.pg-head h1, .pg-search input').forEach(e => {"
        "var b = e.getBoundingClientRect();"
        "[[.05, .5], [.5, .5], [.95, .5]].forEach(p => ok.push(e.contains(document.elementFromPoint("
        "b.left + p[0] * b.width, b.top + p[1] * b.height))));}); return ok;"
    )
    try:
        assert page.execute_script(uncovered) == [True] * 6
        page.find_element("css selector", ".pg-handle").click()
        assert page.execute_script(uncovered) == [True] * 6
        assert page.execute_script("return document.documentElement.scrollWidth") == 390
        page.find_element("css selector", ".pg-nodes tbody tr").click()
        time.sleep(0.5)
        assert not page.find_elements("css selector", ".pg-sheet.open")
        assert page.execute_script(uncovered) == [True] * 6  # nothing has moved up
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_all_rivers_are_seen_until_the_map_is_taken_in_hand(page, results):
    """Opened wide and drawn narrow, as a phone that is turned; what somebody looks at stays."""
    rivers = gpd.read_file(results / "results.gpkg", layer="rivers").to_crs(4326).total_bounds
    ask = "const b = pgMap.map.getBounds(); return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()]"

    def sees():
        west, south, east, north = page.execute_script(ask)
        return west < rivers[0] and south < rivers[1] and east > rivers[2] and north > rivers[3]

    try:
        for width, height in ((844, 390), (390, 844), (1400, 900), (390, 844)):
            phone = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
            page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
            time.sleep(0.8)
            assert sees(), (width, height)
            west, south, east, north = page.execute_script(ask)
            across = (rivers[2] - rivers[0]) / (east - west) * width
            along = (rivers[3] - rivers[1]) / (north - south) * height
            # 28 pixels on each side are left free, and the bounds hold the houses, too
            assert max(across / (width - 56), along / (height - 56)) > 0.8, (width, height)
        page.execute_script("pgMap.openNode(pgMap.nodes()[3])")
        time.sleep(0.6)
        phone = {"width": 360, "height": 800, "deviceScaleFactor": 2, "mobile": True}
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
        time.sleep(0.8)
        assert not sees()
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_measure_says_metres_and_hectares_in_chinese(page):
    """Against the ellipsoid; the tool takes a sphere, which is up to 0.6 % off."""
    from pyproj import Geod
    from selenium.webdriver import ActionChains

    page.execute_script("pgMap.openNode(pgMap.nodes()[3])")
    time.sleep(0.6)
    toggle = page.find_element("css selector", ".leaflet-control-measure-toggle")
    ActionChains(page).move_to_element(toggle).pause(0.3).perform()
    page.find_element("css selector", ".leaflet-control-measure .js-start").click()
    corners = [(300, 300), (600, 300), (600, 500)]
    for x, y in corners:
        click_at(page, x, y)
    page.find_element("css selector", ".leaflet-control-measure .js-finish").click()
    time.sleep(0.5)
    said = page.find_element("css selector", ".leaflet-popup-content").text
    places = page.execute_script(
        "return arguments[0].map(p => { var q = pgMap.map.containerPointToLatLng(p); return [q.lng, q.lat]; })",
        corners)  # fmt: skip
    area, around = Geod(ellps="WGS84").polygon_area_perimeter(*zip(*places, strict=True))
    found = re.search(r"([\d,]+) 平方米 \(([\d.,]+) 公顷\)\s+([\d,]+) 米", said)
    assert float(found[1].replace(",", "")) == pytest.approx(abs(area), rel=0.006)
    assert float(found[2]) == pytest.approx(abs(area) / 1e4, abs=0.006 + 0.006 * abs(area) / 1e4)
    assert float(found[3].replace(",", "")) == pytest.approx(around, rel=0.006)


def test_a_node_prints_with_its_facts_its_houses_and_what_is_drawn(page, houses, results):
    nodes = gpd.read_file(results / "results.gpkg", layer="nodes").set_index("node_id")
    row = page.find_elements("css selector", ".pg-nodes tbody tr")[3]
    node = row.get_attribute("data-node")
    row.click()
    time.sleep(0.6)
    view = page.execute_script("var b = pgMap.map.getBounds(); return [b.getWest(), b.getSouth()]")
    page.execute_script("window.print = () => { window.printed = 1; }")
    page.find_element("xpath", "//button[text()='打印本节点']").click()
    assert page.execute_script("return window.printed") == 1
    mine = houses[houses["node_id"] == node]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        page.execute_script("window.dispatchEvent(new Event('beforeprint'))")
        sheet = page.find_element("css selector", ".pg-panel").text
        for text in (node, nodes.at[node, "group"], f"滞后{nodes.at[node, 'late_by_days']:.0f}天",
                     f"(自 {nodes.at[node, 'late_since']:%Y-%m-%d})",
                     "红线 寻优方案", "桥涵闸坝", *mine.index):  # fmt: skip
            assert text in sheet
        assert "比较:" not in sheet  # which isn't shown
        counts = {e.get_attribute("data-klass"): e.text for e in
                  page.find_elements("css selector", ".pg-legend div")}  # fmt: skip
        assert sum(int(re.search(r"(\d+) 栋", t)[1]) for t in counts.values()) == len(mine)
        inside = page.execute_script(
            "var b = pgMap.map.getContainer().getBoundingClientRect();"
            "return arguments[0].map(id => { var p = pgMap.point(id);"
            " return p.x > 0 && p.y > 0 && p.x < b.width && p.y < b.height; })", list(mine.index))  # fmt: skip
        assert all(inside)
        for control in ("zoom", "layers", "measure"):
            one = page.find_element("css selector", f".leaflet-control-{control}")
            assert not one.is_displayed()
        assert not page.find_element("css selector", ".pg-nodes").is_displayed()
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        page.execute_script("window.dispatchEvent(new Event('afterprint'))")
    time.sleep(0.5)
    assert page.find_element("css selector", ".leaflet-control-layers").is_displayed()
    back = page.execute_script("var b = pgMap.map.getBounds(); return [b.getWest(), b.getSouth()]")
    assert back == pytest.approx(view, abs=2e-3)


def test_the_list_of_layers_covers_no_card(page, houses):
    for one in houses.index[[3, 60, 150]]:
        page.execute_script("pgMap.openHouse(arguments[0])", one)
        time.sleep(0.7)
        apart = page.execute_script(
            "var a = document.querySelector('.leaflet-popup').getBoundingClientRect();"
            "var b = document.querySelector('.leaflet-control-layers').getBoundingClientRect();"
            "return a.right <= b.left || a.top >= b.bottom;"
        )
        assert apart, one


def test_rings_say_of_which_classes_the_houses_are(page, houses):
    """The sum of all rings' parts is the legend's count of each class."""
    sums = page.execute_script(
        "var sums = {}; pgMap.rings().forEach(one => Object.entries(one).forEach("
        "([code, n]) => { sums[code] = (sums[code] || 0) + n; })); return sums;"
    )
    classes = page.execute_script("return pgMap.classes()")
    assert {c: n for c, n in sums.items() if n} == {c: len(i) for c, i in classes.items() if i}
    drawn = page.execute_script(
        "return [...document.querySelectorAll('.pg-count span')].map(e => e.style.backgroundImage)"
    )
    assert drawn
    assert all("conic-gradient" in one for one in drawn)


def test_a_board_on_the_wall_reloads_itself_but_not_under_a_hand(tmp_path):
    from campaigns import campaign

    if not (CHROMIUM and DRIVER):
        pytest.skip("needs chromium and chromedriver")

    def written(day):
        c = campaign(6, as_of=day)
        pg.node_board(c["tasks"], state=c["state"], reload_s=1).save(tmp_path / "board.html")

    said = "return document.body.innerText"
    written("2018-03-13")
    with browser() as driver:
        driver.get((tmp_path / "board.html").as_uri())
        assert "2018-03-13" in driver.execute_script(said)
        written("2018-03-14")
        waited(driver, lambda: "2018-03-14" in driver.execute_script(said), 20)
        # somebody reads a node's facts: they stay
        driver.execute_script("document.querySelector('button.n').click()")
        written("2018-03-15")
        time.sleep(2.5)
        assert "2018-03-14" in driver.execute_script(said)


def test_it_prints_on_one_sheet_of_a3(page):
    made = page.execute_cdp_cmd(
        "Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True}
    )
    pdf = base64.b64decode(made["data"])
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert [(round(float(w)), round(float(h))) for w, h in boxes] == [(1191, 842)]


# --- the live red line in JupyterLab

LIVE = """import pinghu_geo as pg
folder = pg.sample_folder()
rivers = pg.read_layer(folder / "河道.shp", "rivers")
buildings = pg.read_layer(folder / "房屋.shp", "buildings")
live = pg.live_red_line(pg.read_table(folder / "红线宽度_原方案.csv", "widths"), buildings, rivers)
live"""


@pytest.fixture
def lab(tmp_path):
    """Address of a JupyterLab with a notebook of one cell."""
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("jupyterlab")
    pytest.importorskip("ipyleaflet")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    note = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LIVE)], metadata=kernel)
    (tmp_path / "work").mkdir()
    nbformat.write(note, tmp_path / "work" / "live.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {k: str(tmp_path / k) for k in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    command = (
        "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--LabApp.news_url=None",
    )  # fmt: skip
    with (tmp_path / "log").open("w") as log, subprocess.Popen(
        [sys.executable, *command], cwd=tmp_path / "work", env=os.environ | own, stdout=log,
        stderr=log,
    ) as server:  # fmt: skip
        try:
            for _ in range(120):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/lab/tree/live.ipynb"
        finally:
            server.terminate()


def waited(driver, what, seconds=90):
    """The first true value of a function, tried again and again."""
    from selenium.common.exceptions import WebDriverException

    for _ in range(2 * seconds):
        try:
            if found := what():
                return found
        except WebDriverException:  # not there yet, or drawn anew meanwhile
            pass
        time.sleep(0.5)
    raise AssertionError(driver.find_element("css selector", "body").text[-2000:])


def test_a_handle_dragged_in_jupyter_moves_the_line(lab):
    from selenium.webdriver import ActionChains, Keys

    with browser() as driver:
        driver.get(lab)

        def run():
            driver.find_element("css selector", ".jp-Notebook .cm-content").click()
            keys = ActionChains(driver).key_down(Keys.SHIFT).send_keys(Keys.ENTER)
            keys.key_up(Keys.SHIFT).perform()
            time.sleep(2)
            return driver.find_element("css selector", ".jp-InputPrompt").text != "[ ]:"

        waited(driver, run)
        waited(driver, lambda: driver.find_elements("css selector", "path.leaflet-interactive"))

        def titles():
            found = driver.find_elements("css selector", ".leaflet-div-icon")
            return [one.get_attribute("title") for one in found]

        before = waited(driver, titles)
        assert len(before) == 32, "16 stations from 0 to 300 m, on both banks"
        handle = driver.find_elements("css selector", ".leaflet-div-icon")[16]
        ActionChains(driver).drag_and_drop_by_offset(handle, 0, 12).perform()
        after = waited(driver, lambda: (now := titles()) != before and len(now) == 32 and now)
        moved = [k for k in range(32) if after[k] != before[k]]
        assert moved == [16]
        assert after[16].rsplit(" ", 2)[0] == before[16].rsplit(" ", 2)[0]
        said = driver.find_element("css selector", ".jp-OutputArea").text
        assert "房屋栋数 (栋) 305" in said
        urls = {u.split("/")[2] for u in requests(driver)}
        assert {u.split(":")[0] for u in urls} == {"127.0.0.1"}


def test_without_a_campaign_nothing_is_said_of_progress(tmp_path, sample):
    if not (CHROMIUM and DRIVER):
        pytest.skip("needs chromium and chromedriver")
    hit = pg.affected(sample["buildings"], sample["原方案"], sample["rivers"])
    hit["node_id"] = pg.node_ids(hit)
    nodes = pg.node_table(hit)
    page = pg.command_map(hit, sample["原方案"], sample["rivers"], nodes=nodes)
    page.save(tmp_path / "map.html")
    with browser() as driver:
        driver.get((tmp_path / "map.html").as_uri())
        time.sleep(1)
        table = driver.find_element("css selector", ".pg-nodes").text
        assert nodes.index[0] in table
        rings = driver.find_element("css selector", ".pg-panel").get_attribute("textContent")
        for word in ("未启动", "滞后"):
            assert word not in table.split("\n", 1)[1]
        assert "有滞后节点" not in rings
