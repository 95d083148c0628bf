"""`affected` against `geopandas.overlay`, side by side in one run; CPU seconds, median of 5.

Run ``uv run python benchmarks/overlap.py``. Footprints are synthetic: 10 m squares strewn within
300 m of the sample's rivers. `affected` also finds river, chainage, bank, depth and extent; the
kernel alone (inside areas only) stands beside it.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import pinghu_geo as pg
from pinghu_geo.overlap import _shared_parts

REPEATS = 5


def cpu_seconds(work: Callable[[], object]) -> float:
    """Median CPU time of a piece of work."""
    spent = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return statistics.median(spent)


def strewn(rivers: gpd.GeoDataFrame, n: int) -> gpd.GeoDataFrame:
    """Footprints of 10 m x 10 m within 300 m of the rivers."""
    rng = np.random.default_rng(0)
    lines = rivers.geometry.to_numpy()
    which = rng.choice(len(lines), n, p=rivers.length / rivers.length.sum())
    at = shapely.get_coordinates(
        shapely.line_interpolate_point(lines[which], rng.random(n), normalized=True)
    )
    x, y = (at + rng.uniform(-300, 300, (n, 2))).T
    ids = pd.Index([f"B{k}" for k in range(n)], name="building_id")
    return gpd.GeoDataFrame(
        {"floors": 3.0}, index=ids, geometry=shapely.box(x, y, x + 10, y + 10), crs=rivers.crs
    )


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    rivers = pg.read_layer(pg.sample_folder() / "河道.shp", "rivers")
    line = pg.red_line(rivers, 9.0)
    vertices = int(shapely.get_num_coordinates(line.geometry.to_numpy()).sum())
    print(
        f"red line of {rivers.length.sum():,.0f} m, {vertices:,} vertices; CPU seconds, median of 5"
    )
    print("| footprints | geopandas.overlay | pg.affected | ratio | kernel alone | ratio |")
    print("|---|---|---|---|---|---|")
    for n in (10_000, 100_000):
        buildings = strewn(rivers, n)
        shapes = buildings.geometry.to_numpy()
        zone = np.array([line.geometry.union_all()])
        theirs = cpu_seconds(lambda b=buildings: gpd.overlay(b.reset_index(), line))  # type: ignore[misc]
        ours = cpu_seconds(lambda b=buildings: pg.affected(b, line, rivers))  # type: ignore[misc]
        kernel = cpu_seconds(lambda s=shapes, z=zone: _shared_parts(s, z))  # type: ignore[misc]
        print(
            f"| {n:,} | {theirs:.3f} | {ours:.3f} | {theirs / ours:.1f}x "
            f"| {kernel:.3f} | {theirs / kernel:.1f}x |"
        )


if __name__ == "__main__":
    main()
