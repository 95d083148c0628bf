"""`locate` against a loop over rows with shapely's `project`, in one run; CPU seconds.

Run ``uv run python benchmarks/locate.py``. One million 10 m x 12 m footprints within 60 m of 21 km of
meandering river (4,200 vertices). The loop is timed on 2,000 of them and scaled.
"""

from __future__ import annotations

import resource
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import pinghu_geo as pg

N, LOOPED = 1_000_000, 2_000


def main() -> None:
    """Print one line."""
    s = np.linspace(0, 21_000, 4_200)
    xy = np.c_[513_000 + s, 2_510_000 + 120 * np.sin(s / 170)]
    line = shapely.linestrings(xy)
    rivers = gpd.GeoDataFrame(index=pd.Index(["A"], name="river"), geometry=[line], crs=4547)
    rng = np.random.default_rng(0)
    at = xy[rng.integers(0, len(xy), N)] + rng.uniform(-60, 60, (N, 2))
    x, y = at.T
    houses = gpd.GeoDataFrame(geometry=shapely.box(x, y, x + 10, y + 12), crs=4547)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    pg.locate(houses, rivers)
    ours = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    for house in houses.geometry.to_numpy()[:LOOPED]:
        along = [line.project(shapely.Point(c)) for c in house.exterior.coords[:-1]]
        min(along), max(along), line.distance(house)
    loop = (time.process_time() - start) * N / LOOPED
    print(
        f"{N:,} footprints: locate {ours:.1f} s, loop {loop:.0f} s (scaled), ratio {loop / ours:.1f}x; "
        f"peak memory {memory / 2**20:.2f} GiB, of it {before / 2**20:.2f} GiB the input"
    )
    start = time.process_time()
    fine = gpd.GeoDataFrame(
        index=rivers.index, geometry=[shapely.segmentize(line, 5.0)], crs=rivers.crs
    )
    pg.red_line(fine, (9.0, 12.0))
    print(f"red line of {line.length:,.0f} m at 5 m vertices: {time.process_time() - start:.2f} s")


if __name__ == "__main__":
    main()
