"""The command map in a browser: ``uv run python benchmarks/map_pages.py [HOUSES ...]``.

Meandering rivers (21 km for 5,000, 210 km for 50,000) with so many affected houses, each with
owner, class, stage and cost, in their nodes; all other houses near the line, too. Said are
the CPU seconds of building and writing the page, its size, when it is ready by the browser's own
clock (houses painted, the panel filled), and what a step of panning or zooming costs: until the
next frame is painted, the longest frame until all tiles and names are there, and until they are.
Each bar stands beside its figure. Chromium runs without a screen and without a network, on
whatever else the machine does: its load is said, and beside each time by the clock stands the CPU
time of the page's main thread.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import pinghu_geo as pg

LENGTH_M, CRS = 5_250.0, 4547
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1920,1080",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
# Steps that a person does with the mouse; each waits until the frame after it is painted, and then
# until nothing waits to be drawn: the longest of these frames is told, too.
STEP = """
const done = arguments[arguments.length - 1], map = pgMap.map, step = arguments[0];
const at = performance.now();
if (step[0] === "pan") map.panBy([step[1], step[2]], {animate: false});
else map.setZoom(map.getZoom() + step[1], {animate: false});
const busy = performance.now() - at;
let painted = 0, begin = at, longest = 0, whole = 0;
(function frame() {
  requestAnimationFrame(() => setTimeout(() => {
    const now = performance.now();
    if (!painted) painted = now - at;
    longest = Math.max(longest, now - begin);
    begin = now;
    if (pgMap.waiting()) { frame(); return; }
    if (!whole) { whole = now - at; frame(); return; }  // the frame in which the last is painted
    done([busy, painted, longest, whole]);
  }, 0));
})();
"""


def rivers_for(n: int) -> gpd.GeoDataFrame:
    """Sine-shaped rivers side by side: 21 km for 5,000 houses, as dense for more."""
    s = np.linspace(0, LENGTH_M, 700)
    lines = {
        f"河{k + 1}": shapely.LineString(
            np.column_stack([500_000 + s, 2_500_000 + 1_500 * k + 300 * np.sin(s / 500 + k)])
        )
        for k in range(max(1, round(n / 1_250)))
    }
    index = pd.Index(list(lines), name="river")
    return gpd.GeoDataFrame(index=index, geometry=list(lines.values()), crs=CRS)


def houses_along(rivers: gpd.GeoDataFrame, n: int, *, seed: int = 7) -> gpd.GeoDataFrame:
    """L-shaped houses in rows at both banks, none on another; some ``n`` of them within 40 m."""
    rng = np.random.default_rng(seed)
    middle = []
    for line in rivers.geometry:
        along = np.arange(10, line.length - 10, 15.0)
        a, b = (shapely.get_coordinates(shapely.line_interpolate_point(line, along + d))
                for d in (0, 0.1))  # fmt: skip
        across = (b - a)[:, ::-1] * [1, -1] / 0.1
        middle += [a + across * d for d in (-67, -52, -37, -22, 22, 37, 52, 67)]
    at = np.concatenate(middle)
    # of the rows 22 and 37 m off, of which all houses lie within 40 m or reach over the line
    at = at[rng.random(len(at)) < n / (len(at) / 2)]
    shapes = []
    for (x, y), turn in zip(at, rng.uniform(0, np.pi, len(at)), strict=True):
        wide, high, cut = rng.uniform(7, 11), rng.uniform(6, 8), rng.uniform(0.3, 0.6)
        ring = np.array([[0, 0], [wide, 0], [wide, high * cut], [wide * cut, high * cut],
                         [wide * cut, high], [0, high]]) - [wide / 2, high / 2]  # fmt: skip
        c, s = np.cos(turn), np.sin(turn)
        shapes.append(shapely.Polygon(ring @ [[c, -s], [s, c]] + [x, y]))
    frame = gpd.GeoDataFrame(
        {
            "floors": rng.integers(1, 8, len(at)),
            "owner": [f"户主{k // 2:05d}" for k in range(len(at))],
            "tenure": rng.choice(["private", "collective"], len(at), p=[0.9, 0.1]),
            "title": rng.choice(["registered", "historical", "unregistered"], len(at)),
        },
        index=pd.Index([f"H{k:06d}" for k in range(len(at))], name="building_id"),
        geometry=shapes, crs=CRS,
    )  # fmt: skip
    return frame.assign(floor_area_m2=frame.area * frame["floors"])


def campaign_of(n: int) -> dict[str, Any]:
    """What a command map is given: the affected as tasks, their nodes, a log of two years."""
    rivers = rivers_for(n)
    houses = houses_along(rivers, n)
    line = pg.red_line(rivers, 40.0)
    hit = pg.affected(houses, line, rivers)
    rng = np.random.default_rng(3)
    hit["cost_yuan"] = rng.uniform(2e5, 3e6, len(hit)).round(2)
    hit["floor_area_m2"] = houses["floor_area_m2"].reindex(hit.index)
    segments = pd.DataFrame(
        {"river": np.repeat(rivers.index, 3), "from_m": [0.0, 2_000, 4_000] * len(rivers),
         "to_m": [2_000.0, 4_000, 9_000] * len(rivers),
         "group": [f"第{k + 1}组" for k in range(3 * len(rivers))], "leader": "某人"}
    )  # fmt: skip
    tasks = pg.campaign_tasks(hit, segments=segments)
    stages = pg.campaign.stage_rules().index.to_numpy()
    last = rng.integers(0, len(stages) + 1, len(hit))
    k = np.repeat(np.arange(len(hit)), last)
    s = np.concatenate([np.arange(one) for one in last])
    first = pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 60, len(hit)), "D")
    log = pd.DataFrame({"building_id": hit.index.to_numpy()[k], "stage": stages[s],
                        "date": first[k] + pd.to_timedelta(30 * s, "D")})  # fmt: skip
    state = pg.progress_state(log, tasks.buildings, as_of="2018-08-31")
    given = tasks.buildings.join(state.buildings[["stage", "since"]])
    return {"affected": given, "red_line": line, "rivers": rivers, "buildings": houses,
            "nodes": tasks.nodes, "state": state}  # fmt: skip


def written(given: dict[str, Any], file: Path) -> float:
    """CPU seconds of building the map and writing its page."""
    begin = time.process_time()
    pg.command_map(**given).save(file)
    return time.process_time() - begin


class Step(NamedTuple):
    """Milliseconds of a step."""

    script: float
    painted: float
    longest: float
    whole: float
    cpu: float


class Page:
    """A page in Chromium with the network off."""

    def __init__(self) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        for flag in FLAGS:
            options.add_argument(flag)
        options.binary_location = shutil.which("chromium") or ""
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_script_timeout(120)
        self.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})

    def cpu_s(self) -> float:
        """CPU seconds that the main thread has spent on tasks."""
        found = self.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return float({m["name"]: m["value"] for m in found}["TaskDuration"])

    def ready(self, file: Path) -> tuple[float, float]:
        """Seconds until the page is ready: by the clock, and of the CPU of its new process."""
        self.driver.get(file.as_uri())
        clock = self.driver.execute_async_script(
            "const done = arguments[0]; (function ask() {"
            "const m = performance.getEntriesByName('pg-ready')[0];"
            "if (m) done(m.startTime); else setTimeout(ask, 20); })();"
        )
        return clock / 1000, self.cpu_s()

    def step(self, *what: Any) -> Step:
        """What one step costs."""
        begin = self.cpu_s()
        told = self.driver.execute_async_script(STEP, list(what))
        return Step(*told, 1000 * (self.cpu_s() - begin))


def steps_of(page: Page, turns: int) -> dict[str, list[Step]]:
    """All steps of panning and zooming, from the whole down to single houses and back again."""
    page.driver.execute_script("pgMap.map.options.zoomSnap = 1")
    first = int(page.driver.execute_script("return pgMap.map.getZoom()"))
    kinds: dict[str, list[Step]] = {"pan": [], "zoom": []}
    for turn in range(turns):
        for zoom in [*range(first + 1, 20), *range(18, first - 1, -1)]:
            now = page.driver.execute_script("return pgMap.map.getZoom()")
            own = {"zoom": [page.step("zoom", zoom - now)], "pan": []}
            time.sleep(0.3)
            for x, y in ((300, 0), (-300, 0), (0, 200), (0, -200)) if turn == 0 else ():
                own["pan"].append(page.step("pan", x, y))
                time.sleep(0.15)
            for kind, steps in own.items():
                kinds[kind] += steps
            if turn == 0:
                print(f"    to zoom {zoom}: " + "; ".join(
                    f"{kind} {max(s.painted for s in steps):.0f} ms until painted, longest frame "
                    f"{max(s.longest for s in steps):.0f}, CPU {max(s.cpu for s in steps):.0f}"
                    for kind, steps in own.items()), flush=True)  # fmt: skip
    return kinds


def say_steps(kinds: dict[str, list[Step]], bars: dict[str, str]) -> None:
    """Print the middle and the worst step of each kind beside its bar."""
    for kind, steps in kinds.items():
        for what in ("painted", "longest", "whole", "cpu"):
            found = np.sort([getattr(one, what) for one in steps])
            words = {"painted": "until painted", "longest": "longest frame until all is drawn",
                     "whole": "until all is drawn", "cpu": "CPU of the main thread"}[what]  # fmt: skip
            bar = bars.get(kind, "") if what == "painted" else ""
            print(f"  {kind}, {words}: median {np.median(found):.0f} ms, "
                  f"most {found[-1]:.0f}, next {found[-2]:.0f}, {found[-3]:.0f}; "
                  f"{len(found)} steps{bar}")  # fmt: skip


# none is set for building 5,000 and for zooming among 50,000
BARS = {5_000: {"size": "6 MB", "ready": "1 s", "pan": "50 ms", "zoom": "50 ms"},
        50_000: {"size": "15 MB", "built": "6 s", "ready": "3 s", "pan": "60 ms"}}  # fmt: skip


def main(counts: list[int]) -> None:
    """Print size, times of building, ready and of steps, each beside its bar."""
    warnings.simplefilter("ignore")
    for n in counts:
        bars = {what: f" (bar {bar})" for what, bar in BARS.get(n, {}).items()}
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / "map.html"
            given = campaign_of(n)
            built = written(given, file)
            print(f"{len(given['affected']):,} houses, {len(given['nodes'])} nodes: built and "
                  f"written in {built:.1f} s CPU{bars.get('built', '')}, "
                  f"{file.stat().st_size / 1e6:.1f} MB{bars.get('size', '')} "
                  f"(load {os.getloadavg()[0]:.1f})", flush=True)  # fmt: skip
            for last in (False, False, True):
                page = Page()
                try:
                    clock, cpu = page.ready(file)
                    print(f"  ready after {clock:.2f} s by the clock{bars.get('ready', '')}, "
                          f"{cpu:.2f} s CPU (load {os.getloadavg()[0]:.1f})", flush=True)  # fmt: skip
                    if last:
                        say_steps(steps_of(page, 3), bars)
                finally:
                    page.driver.quit()


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]] or [5_000, 50_000])
