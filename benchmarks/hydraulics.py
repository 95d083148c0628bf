"""Water profiles against a plain loop over sections; rasters at buildings against exactextract.

Run ``uv run python benchmarks/hydraulics.py``. A river of 21 km, 2,100 sections, 60 points each. The loop
is what one writes first: sections from top to bottom, points in a Python loop, the secant method. Both
give the same levels.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from exactextract import exact_extract
from rasterio import Affine

import pinghu_geo as pg

STATIONS, POINTS, SPACING = 2100, 60, 10.0
SLOPE, Q, G = 0.001, 100.0, 9.81


def river(seed: int) -> pd.DataFrame:
    """A meandering channel between overbanks, each section a little different."""
    rng = np.random.default_rng(seed)
    x = -40 + np.arange(POINTS) * 4 / 3  # with points at the banks, 16 m to either side
    at = np.arange(STATIONS) * SPACING
    bank = np.where(np.abs(x) < 10, 0, np.minimum((np.abs(x) - 10) * 0.5, 3))
    z = (STATIONS * SPACING - at)[:, None] * SLOPE + bank + rng.normal(0, 0.05, (STATIONS, POINTS))
    z += np.maximum(np.abs(x) - 16, 0) * 0.05
    n = np.where((x >= -16) & (x < 16 - 1e-9), 0.03, 0.05)
    return pd.DataFrame(
        {
            "river": "R", "chainage_m": np.repeat(at, POINTS), "offset_m": np.tile(x, STATIONS),
            "elevation_m": z.ravel(), "n": np.tile(n, STATIONS),
        }
    )  # fmt: skip


def properties(
    x: list[float], z: list[float], n: list[float], level: float
) -> tuple[float, float, float]:
    """Area, conveyance, alpha of a section in zones split at 16 m, point by point."""
    zones = {0: [0.0, 0.0], 1: [0.0, 0.0], 2: [0.0, 0.0]}  # area, conveyance
    a = p = 0.0
    last: tuple[int, float] | None = None

    def close() -> None:
        nonlocal a, p
        if last is not None and a > 0:
            zones[last[0]][0] += a
            zones[last[0]][1] += a ** (5 / 3) / p ** (2 / 3) / last[1]
        a = p = 0.0

    for i in range(len(x) - 1):
        middle = (x[i] + x[i + 1]) / 2
        zone = 0 if middle < -16 else (2 if middle > 16 else 1)
        if last != (zone, n[i]) or (zone != 1 and z[i] >= level):
            close()
        last = (zone, n[i])
        low, high = min(z[i], z[i + 1]), max(z[i], z[i + 1])
        if level <= low:
            continue
        share = 1.0 if level >= high else (level - low) / (high - low)
        wide = (x[i + 1] - x[i]) * share
        a += wide * (level - low - (high - low) * share / 2)
        p += ((x[i + 1] - x[i]) ** 2 + (high - low) ** 2) ** 0.5 * share
    close()
    area, k = (sum(v[j] for v in zones.values()) for j in (0, 1))
    flux = sum(v[1] ** 3 / v[0] ** 2 for v in zones.values() if v[0] > 0)
    return area, k, flux * area**2 / k**3


def plain_loop(sections: pd.DataFrame, level: float) -> np.ndarray:
    """Standard step from the lowest section up, one section and one point at a time."""
    rows = [
        [list(map(float, part[c])) for c in ("offset_m", "elevation_m", "n")]
        for _, part in sections.groupby("chainage_m")
    ]
    levels = [level]
    area, k, alpha = properties(*rows[-1], level)
    for x, z, n in rows[-2::-1]:
        head = alpha * (Q / area) ** 2 / (2 * G)
        below = levels[-1] + head

        def miss(guess: float) -> tuple[float, tuple[float, float, float]]:
            a2, k2, alpha2 = properties(x, z, n, guess)  # noqa: B023
            head2 = alpha2 * (Q / a2) ** 2 / (2 * G)
            c = 0.1 if head2 < head else 0.3  # noqa: B023
            loss = SPACING * (2 * Q / (k + k2)) ** 2 + c * abs(head2 - head)  # noqa: B023
            return guess + head2 - below - loss, (a2, k2, alpha2)  # noqa: B023

        one = levels[-1] + SPACING * (Q / k) ** 2
        two = one + 0.01
        f1, _ = miss(one)
        f2, found = miss(two)
        while abs(f2) > 1e-9:
            one, two, f1 = two, two - f2 * (two - one) / (f2 - f1), f2
            f2, found = miss(two)
        levels.append(two)
        area, k, alpha = found
    return np.array(levels[::-1])


def seconds(call: object, times: int = 5) -> float:
    """Median CPU time [s]."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        call()  # type: ignore[operator]
        spent.append(time.process_time() - start)
    return float(np.median(spent))


def rasters(count: int = 100_000) -> tuple[float, float]:
    """CPU seconds of `raster_values` and of exactextract itself."""
    rng = np.random.default_rng(0)
    side = int(np.sqrt(count)) + 1
    x, y = np.meshgrid(np.arange(side) * 25.0, np.arange(side) * 25.0)
    corner = np.stack([x.ravel(), y.ravel()], 1)[:count] + rng.uniform(0, 10, (count, 2))
    shapes = shapely.box(*corner.T, *(corner + rng.uniform(8, 13, (count, 2))).T)
    houses = gpd.GeoDataFrame(geometry=shapes, crs=4547)
    houses.index = pd.Index([f"B{i}" for i in range(count)], name="building_id")
    cells = int(side * 25 / 5) + 10
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "depth.tif"
        with rasterio.open(
            path, "w", driver="GTiff", height=cells, width=cells, count=1, dtype="float32",
            crs="EPSG:4547", transform=Affine(5, 0, -10, 0, -5, cells * 5 - 10), nodata=-9999,
            tiled=True,
        ) as file:  # fmt: skip
            file.write(rng.uniform(0, 3, (cells, cells)).astype("float32"), 1)
        ours = seconds(lambda: pg.raster_values(houses, path), 3)
        plain = gpd.GeoDataFrame(geometry=shapes, crs=4547)
        theirs = seconds(
            lambda: exact_extract(
                str(path), plain, ["mean", "min", "max", "count"], output="pandas",
                strategy="raster-sequential",
            ),
            3,
        )  # fmt: skip
    return ours, theirs


def main() -> None:
    """Print the table."""
    banks = pd.DataFrame(
        {
            "river": "R",
            "chainage_m": np.arange(STATIONS) * SPACING,
            "left_bank_m": -16.0,
            "right_bank_m": 16.0,
        }
    )
    one = river(0)
    end = {"slope": SLOPE}
    found = pg.water_profile(one, Q, end, banks=banks)
    ours = seconds(lambda: pg.water_profile(one, Q, end, banks=banks))
    start = time.process_time()
    theirs = plain_loop(one, found["level_m"].iloc[-1])
    loop = time.process_time() - start
    print(f"one profile: {ours:.3f} s; plain loop {loop:.2f} s: {loop / ours:.0f}x")
    print(f"  largest difference of a level {np.abs(found['level_m'] - theirs).max():.1e} m")
    many = pd.concat([river(k).assign(scheme=f"d{k}") for k in range(100)], ignore_index=True)
    start = time.process_time()
    rows = pg.water_profile(many, Q, end, banks=banks)
    spent = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"100 designs: {spent:.1f} s for {len(rows):,} rows, peak {peak:.2f} GiB")
    ours, theirs_s = rasters()
    print(
        f"100,000 buildings: {ours:.2f} s, exactextract {theirs_s:.2f} s: ratio {ours / theirs_s:.2f}"
    )


if __name__ == "__main__":
    main()
