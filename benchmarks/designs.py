"""`assess_many` against a loop of shapely over the designs, in one run; CPU seconds a design.

Run ``uv run python benchmarks/designs.py``. 100,000 footprints along four meandering rivers of 21 km
in all, 1,000 designs that differ at stations every 20 m. The loop is the best that shapely does
design by design: a tree over the near buildings that is built once, `covers` first, `intersection`
for the rest; the red lines are given to it for nothing. It is timed on 20 designs.
"""

from __future__ import annotations

import time
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import pinghu_geo as pg

N, DESIGNS, LOOPED = 100_000, 1_000, 20
VERTICES = 2_500  # of the four centrelines together


def given() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, pd.DataFrame]:
    """Buildings, rivers and the designs in one table."""
    rng = np.random.default_rng(0)
    s = np.linspace(0, 5_250, VERTICES // 4)
    lines = [np.c_[513_000 + s, 2_510_000 + 900 * k + 120 * np.sin(s / 170 + k)] for k in range(4)]
    index = pd.Index([f"R{k}" for k in range(4)], name="river")
    rivers = gpd.GeoDataFrame(
        geometry=[shapely.linestrings(xy) for xy in lines], index=index, crs=4547
    )
    x, y = rng.uniform([512_800, 2_509_700], [518_450, 2_513_000], (N, 2)).T
    width, depth = rng.uniform(6, 16, (2, N))
    houses = gpd.GeoDataFrame(
        {"floor_area_m2": width * depth * 3},
        geometry=shapely.box(x, y, x + width, y + depth),
        crs=4547,
    )
    stations = pd.concat(
        pd.DataFrame(
            {"river": name, "chainage_m": np.append(np.arange(0, line.length, 20), line.length)}
        )
        for name, line in rivers.geometry.items()
    )
    table = pd.concat([stations] * DESIGNS, ignore_index=True)
    table["design"] = np.repeat([f"D{k:04d}" for k in range(DESIGNS)], len(stations))
    table[["left_m", "right_m"]] = 9 + rng.uniform(-3, 3, (len(table), 2))
    return houses, rivers, table


def looped(houses: gpd.GeoDataFrame, lines: list[Any]) -> list[np.ndarray]:
    """Areas inside by shapely, design by design."""
    shapes = houses.geometry.to_numpy()
    near = np.unique(shapely.STRtree(shapes).query(shapely.buffer(lines[0], 10)))
    tree = shapely.STRtree(shapes[near])
    found = []
    for line in lines:
        area = np.zeros(len(shapes))
        parts = shapely.get_parts(line)
        shapely.prepare(parts)
        for part in parts:
            hit = tree.query(part, predicate="intersects")
            whole = shapely.covers(part, shapes[near[hit]])
            area[near[hit[whole]]] += shapely.area(shapes[near[hit[whole]]])
            cut = near[hit[~whole]]
            area[cut] += shapely.area(shapely.intersection(shapes[cut], part))
        found.append(area)
    return found


def main() -> None:
    """Print a table of one line."""
    houses, rivers, table = given()
    times = []
    for _ in range(3):
        start = time.process_time()
        ours = pg.assess_many(table, houses, rivers)
        times.append((time.process_time() - start) / DESIGNS)
    per_design = float(np.median(times))
    names = table["design"].unique()[:LOOPED]
    lines = [pg.red_line(rivers, table[table["design"] == n]).geometry.union_all() for n in names]
    start = time.process_time()
    theirs = looped(houses, lines)
    loop = (time.process_time() - start) / LOOPED
    inside = ours.inside_m2.loc[names].reindex(columns=houses.index, fill_value=0.0).to_numpy()
    print(
        f"{N:,} buildings, {len(ours.buildings):,} of them taken by some design, {DESIGNS:,} designs: "
        f"assess_many {per_design * 1e3:.2f} ms a design, shapely {loop * 1e3:.1f} ms, ratio "
        f"{loop / per_design:.0f}x; areas differ by at most {np.abs(inside - theirs).max():.1e} m²"
    )


if __name__ == "__main__":
    main()
