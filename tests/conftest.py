"""The bestiary: rivers and buildings that every test file draws from, made in code."""

from __future__ import annotations

import contextlib
import fcntl
import io
import signal
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from pinghu_geo.cli import main

CRS = 4547
SHARED = Path(__file__).resolve().parents[2] / "shared"

# what takes longest begins first, so that no worker is left alone with it at the end
LONGEST = (
    "test_outputs.py::test_demo_says",
    "test_notebooks.py",
    "test_browser.py",
    "test_session.py",
    "test_kills.py",
    "test_distributed.py",
    "test_norise.py",
    "test_joint.py",
    "test_one_language.py",
)


def pytest_collection_modifyitems(items):
    """Sort what takes longest to the front, each file's tests together and in their order."""
    place = {name: k for k, name in enumerate(LONGEST)}
    items.sort(
        key=lambda item: next((k for name, k in place.items() if name in item.nodeid), len(place))
    )


def river_frame(lines, **columns):
    """Rivers from {name: coordinates}."""
    return gpd.GeoDataFrame(
        columns,
        index=pd.Index(list(lines), name="river"),
        geometry=[shapely.LineString(xy) for xy in lines.values()],
        crs=CRS,
    )


def building_frame(shapes, **columns):
    """Buildings from {id: polygon}."""
    return gpd.GeoDataFrame(
        columns,
        index=pd.Index(list(shapes), name="building_id"),
        geometry=list(shapes.values()),
        crs=CRS,
    )


def zone_frame(*shapes, river="A"):
    """A red line as drawn."""
    columns = {"river": river, "kind": "works", "source": "drawing"}
    return gpd.GeoDataFrame(columns, index=range(len(shapes)), geometry=list(shapes), crs=CRS)


@pytest.fixture
def straight():
    """A river that flows 1,000 m to the east: its left bank is the north."""
    return river_frame({"A": [(0, 0), (1000, 0)]})


@pytest.fixture
def bend():
    """An L: 100 m to the east, then 100 m to the north (a left turn)."""
    return river_frame({"A": [(0, 0), (100, 0), (100, 100)]})


@pytest.fixture
def hairpin():
    """Two limbs 40 m apart that flow east and back west."""
    return river_frame({"A": [(0, 0), (300, 0), (300, 40), (0, 40)]})


@pytest.fixture
def confluence():
    """A tributary from the north that ends on the main stem."""
    return river_frame({"干流": [(0, 0), (1000, 0)], "支流": [(500, 400), (500, 0)]})


@pytest.fixture
def houses(straight):
    """Hand-computable houses beside the straight river, red line at 20 m on both sides."""
    box = shapely.box
    return building_frame(
        {
            "inside": box(100, 5, 110, 15),
            "straddling": box(200, 15, 210, 25),
            "touching": box(300, 20, 310, 30),
            "outside": box(400, 50, 410, 60),
            "right": box(500, -25, 520, -15),
            "across": box(600, -5, 610, 5),
            "hole": shapely.Polygon(
                box(700, 10, 730, 40).exterior.coords, [box(710, 15, 720, 35).exterior.coords]
            ),
            "two": shapely.MultiPolygon([box(800, 15, 810, 25), box(820, 30, 830, 40)]),
        },
        floors=[2.0, 3, 1, 1, 4, 1, 2, 1],
        floor_area_m2=[200.0, 300, 100, 100, np.nan, 100, 1400, 200],
        structure="concrete",
        use="residential",
        title="registered",
        tenants=[1.0, 2, 0, 5, 3, 0, 0, 4],
    )


def typed(*words):
    """Exit status, output and errors of a command line, in this process: no second start."""
    out, err, before = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
    hook = sys.unraisablehook
    code = None
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr("sys.argv", ["pinghu", *map(str, words)])
        try:
            main()
        except SystemExit as left:
            code = left.code
        finally:
            signal.signal(signal.SIGTERM, before)
            sys.unraisablehook = hook
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="session")
def sample():
    """The bundled sample: buildings, parcels, rivers, zones, red lines of both schemes, rates."""
    folder = pg.sample_folder()
    layers = {
        "buildings": pg.read_layer(folder / "房屋.shp", "buildings"),
        "parcels": pg.read_layer(folder / "宗地.shp", "parcels"),
        "rivers": pg.read_layer(folder / "河道.shp", "rivers"),
        "zones": pg.read_layer(folder / "更新整备.shp", "zones"),
        "rates": pg.read_table(folder / "补偿标准_示例.csv", "rates"),
        "segments": pg.read_table(folder / "责任段.csv", "segments"),
    }
    for name in ("原方案", "优化方案"):
        widths = pg.read_table(folder / f"红线宽度_{name}.csv", "widths")
        layers[name] = pg.red_line(layers["rivers"], widths)
    return layers


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory, worker_id):
    """Folder of a run of the sample project: made once for all workers, and only looked at."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent
    folder = base / "结果"
    with (base / "sample_run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():  # it appears whole or not at all
            pg.run_project(pg.sample_folder() / "project.toml", folder)
    return folder


@pytest.fixture(scope="session")
def shared():
    """Folder of real and reference data beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the data folder {SHARED.name} beside the checkout")
    return SHARED
