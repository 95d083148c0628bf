"""The axis of a long meandering river: `python benchmarks/axis.py` prints the CPU time it takes.

The river is a sine-generated curve (Langbein and Leopold 1966), so that its axis is known: 264 km
long, 90 to 150 m wide, in ten areas with 60,000 corners in all.
"""

from __future__ import annotations

import argparse
import time

import geopandas as gpd
import numpy as np
import shapely

import pinghu_geo as pg

LONG_M = 264_000.0
WAVE_M = 3_200.0
BEND = 1.6  # greatest angle to the valley [rad]


def meander(long_m: float, step_m: float) -> np.ndarray:
    """Points of a sine-generated curve, at even steps along it."""
    s = np.arange(0.0, long_m + step_m / 2, step_m)
    angle = BEND * np.sin(2 * np.pi * s / WAVE_M)
    way = np.column_stack([np.cos(angle), np.sin(angle)]) * step_m
    return np.vstack([[0.0, 0.0], np.cumsum(way[:-1], axis=0)]) + (500_000, 2_500_000)


def areas(
    corners: int, parts: int, *, gap_m: float, seed: int = 0
) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """The river's water in parts, and the points of its true axis."""
    chance = np.random.default_rng(seed)
    each = corners // 2
    xy = meander(LONG_M, LONG_M / (each - 1))
    ahead = np.gradient(xy, axis=0)
    normal = np.column_stack([-ahead[:, 1], ahead[:, 0]]) / np.hypot(*ahead.T)[:, None]
    s = np.linspace(0.0, LONG_M, each)
    half = 60 + 15 * np.sin(2 * np.pi * s / 7_300)
    left = xy + normal * (half + chance.normal(0, 0.3, each))[:, None]
    right = xy - normal * (half + chance.normal(0, 0.3, each))[:, None]
    skip = int(np.ceil(gap_m / (LONG_M / (each - 1))))
    ends = np.linspace(0, each, parts + 1).astype(int)
    shapes = [
        shapely.polygons(np.vstack([left[a : b - skip], right[a : b - skip][::-1]]))
        for a, b in zip(ends[:-1], ends[1:], strict=True)
    ]
    frame = gpd.GeoDataFrame(geometry=shapes, index=["A"] * parts, crs=4547).rename_axis("river")
    return frame, xy


def main() -> None:
    """Measure, and say how far the axis is from the true one."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--corners", type=int, default=60_000)
    asked.add_argument("--parts", type=int, default=10)
    given = asked.parse_args()
    water, xy = areas(given.corners, given.parts, gap_m=20)
    print(f"{shapely.get_num_coordinates(water.geometry.to_numpy()).sum():,} corners")
    for _ in range(3):
        begin = time.process_time()
        axis = pg.river_axis(water, None, join_gap_m=200)
        spent = time.process_time() - begin
        line = axis.geometry.iloc[0]
        off = shapely.distance(shapely.points(xy[100:-100]), line)
        print(f"{spent:.2f} s CPU, {line.length / 1000:.1f} km, {off.max():.2f} m off at most")


if __name__ == "__main__":
    main()
