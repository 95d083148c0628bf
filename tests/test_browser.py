"""The command map in headless Chromium, opened from disk with the network off."""

import json
import shutil
import time

import pytest

import pinghu_geo as pg

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver"),
    pytest.mark.xdist_group("browser"),
]
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1400,900", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver")
    folder = pg.run_project(
        pg.sample_folder() / "project.toml", tmp_path_factory.mktemp("map") / "out"
    )
    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    driver.get((folder / "map.html").as_uri())
    time.sleep(1)
    yield driver
    driver.quit()


def requests(driver):
    messages = [json.loads(one["message"])["message"] for one in driver.get_log("performance")]
    urls = [
        m["params"]["request"]["url"]
        for m in messages
        if m["method"] == "Network.requestWillBeSent"
    ]
    return [u for u in urls if not u.startswith(("data:", "blob:"))]


def ids(driver, status):
    """Ids in the layer whose legend begins with a status."""
    return driver.execute_script(
        "var found = []; Object.values(window).forEach(function (one) {"
        "  if (one instanceof L.GeoJSON) one.eachLayer(function (l) {"
        "    if (l.feature && l.feature.properties['状态'] === arguments[0])"
        "      found.push(l.feature.properties.key); }.bind(null)); });"
        "return found;".replace("arguments[0]", json.dumps(status))
    )


def test_no_request_no_error(page):
    urls = requests(page)
    assert len([u for u in urls if u.startswith("file://")]) == len(urls) <= 1
    assert page.get_log("browser") == []


def test_buildings_are_drawn_at_start(page):
    colours = page.execute_script(
        "var c = document.querySelector('canvas.leaflet-zoom-animated').getContext('2d');"
        "var d = c.getImageData(0, 0, c.canvas.width, c.canvas.height).data, n = 0;"
        "for (var k = 0; k < d.length; k += 4)"
        "  if (d[k] > 200 && d[k+1] > 100 && d[k+1] < 150 && d[k+2] < 80 && d[k+3] > 100) n++;"
        "return n;"
    )
    assert colours > 100, "no pixel in the colour of partly affected buildings"


def test_legend_counts_what_the_layers_hold(page):
    said = page.find_element("css selector", ".leaflet-control-layers").text
    for status in ("全部压占", "部分压占", "优化方案 避免拆除", "寻优方案 避免拆除"):
        found = ids(page, status)
        assert len(set(found)) == len(found) > 0
        assert f"{status} {len(found)} 栋" in said
    panel = page.find_element("css selector", ".pg-panel").text
    assert "合成数据" in panel
    assert "避免拆除" in panel
    assert page.find_element("css selector", ".leaflet-control-scale").text.endswith("m")


def test_search_finds_a_building_and_opens_its_popup(page):
    from selenium.webdriver import ActionChains

    wanted = ids(page, "部分压占")[7]
    box = page.find_element("css selector", "input.search-input")
    ActionChains(page).click(box).send_keys(wanted).pause(1).send_keys("\n").perform()
    time.sleep(2)
    popup = page.find_element("css selector", ".leaflet-popup-content").text
    assert f"房屋编号 {wanted}" in popup
    assert "桩号 K" in popup
    assert page.find_elements("css selector", ".pg-station")
    assert page.get_log("browser") == []


def test_a_layer_can_be_switched_off(page):
    label = next(
        e for e in page.find_elements("css selector", ".leaflet-control-layers label")
        if "征拆节点" in e.text
    )  # fmt: skip
    box = label.find_element("css selector", "input")
    assert not box.is_selected()
    box.click()
    assert box.is_selected()
    assert page.get_log("browser") == []
