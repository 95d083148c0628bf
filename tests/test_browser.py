"""The command map and the notebook's live red line in headless Chromium with the network off."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

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
def page(tmp_path_factory):
    folder = pg.run_project(
        pg.sample_folder() / "project.toml", tmp_path_factory.mktemp("map") / "out"
    )
    with browser() as driver:
        driver.get((folder / "map.html").as_uri())
        time.sleep(1)
        yield driver


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
    for status in ("全部压占", "部分压占", "符合保留条件", "寻优方案 避免拆除"):
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
