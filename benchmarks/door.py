"""What the door for tables costs at 100,000 buildings: ``python benchmarks/door.py``.

Times `affected` as it stands and what `clean` takes of it, in turns, on buildings laid along one
river with every column that a survey delivers; and `campaign_tasks` and `working_faces` on 100,000
houses that are all hit. Prints the shares at the median of the turns.
"""

import statistics
import time
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import pinghu_geo as pg
from pinghu_geo.nouns.door import clean

N = 100_000


def town() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """A winding river, its red line, and 100,000 buildings on both banks."""
    rng = np.random.default_rng(1)
    x = np.linspace(0, 40_000, 2_000)
    line = shapely.linestrings(np.stack([x, 300 * np.sin(x / 700)], axis=1))
    rivers = gpd.GeoDataFrame(geometry=[line], index=pd.Index(["A"], name="river"), crs=4547)
    xy = np.stack([rng.uniform(0, 40_000, N), rng.uniform(-900, 900, N)], axis=1)
    size = rng.uniform(6, 18, (N, 2))
    codes = {c: rng.choice(w, N) for c, w in {
        "use": ["residential", "industrial"], "structure": ["concrete", "brick_wood"],
        "title": ["registered", "historical"], "tenure": ["private", "collective"],
    }.items()}  # fmt: skip
    buildings = gpd.GeoDataFrame(
        {**codes, "floors": 3.0, "floor_area_m2": 300.0, "tenants": 2.0,
         "owner": [f"甲{k}" for k in range(N)]},
        geometry=shapely.box(*xy.T, *(xy + size).T),
        index=pd.Index([f"B{k:06d}" for k in range(N)], name="building_id"), crs=4547,
    )  # fmt: skip
    return buildings, pg.red_line(rivers, 60.0), rivers


def seconds(run) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    buildings, line, rivers = town()
    tables = {"features": buildings, "red_line": line, "rivers": rivers}
    shares, whole = [], []
    for _ in range(7):
        door = seconds(lambda: [clean(t, n) for n, t in tables.items()])
        whole.append(seconds(lambda: pg.affected(buildings, line, rivers)))
        shares.append(door / whole[-1])
    assert all(clean(t, n) is t for n, t in tables.items())
    print(f"affected {statistics.median(whole):.2f} s, of it the door "
          f"{100 * statistics.median(shares):.1f} %")  # fmt: skip

    hit = buildings.join(pg.locate(buildings, rivers)).assign(
        inside_m2=9.0, extent="full", demolish_floor_area_m2=300.0, needs_survey=False,
        verdict="demolish",
    )  # fmt: skip
    houses = pg.campaign_tasks(hit).buildings
    calls = {
        "campaign_tasks": (lambda: pg.campaign_tasks(hit), [(hit, "affected")]),
        "working_faces": (
            lambda: pg.working_faces(houses, rivers),
            [(houses, "affected"), (rivers, "rivers")],
        ),
    }
    for name, (run, given) in calls.items():
        both = [(seconds(run), seconds(lambda t=given: [clean(*g) for g in t])) for _ in range(3)]
        whole, door = (statistics.median(v) for v in zip(*both, strict=True))
        print(f"{name} {whole:.2f} s, of it the door {100 * door / whole:.1f} %")
