"""Water profiles against a plain loop over sections; rasters at buildings against exactextract.

Run ``uv run python benchmarks/hydraulics.py``. A river of 21 km, 2,100 sections, 60 points each. The loop
is what one writes first: section by section, numpy for its points, a root finder of scipy for its level;
with a bracket (brentq), and with the secant method from a good first guess. All give the same levels.
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
from scipy.optimize import brentq, newton

import pinghu_geo as pg

Array = np.ndarray

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


def properties(x: Array, z: Array, n: Array, level: float) -> tuple[float, float, float]:
    """Area, conveyance and alpha of one section, in zones split at 16 m."""
    low, high = np.minimum(z[:-1], z[1:]), np.maximum(z[:-1], z[1:])
    share = np.clip((level - low) / np.maximum(high - low, 1e-12), 0, 1)
    area = np.diff(x) * share * (level - low - (high - low) * share / 2)
    wet = np.hypot(np.diff(x), high - low) * share
    middle = (x[:-1] + x[1:]) / 2
    a, k = [], []
    for zone in (middle < -16, np.abs(middle) < 16, middle > 16):
        parts = [zone]
        if not zone[len(zone) // 2]:  # an overbank is split at dry high points
            dry = np.flatnonzero(zone & (z[:-1] >= level))
            cut = np.split(np.flatnonzero(zone), np.searchsorted(np.flatnonzero(zone), dry))
            parts = [p for p in cut if len(p)]
        a.append(sum(area[p].sum() for p in parts))
        k.append(
            sum(
                area[p].sum() ** (5 / 3) / wet[p].sum() ** (2 / 3) / n[:-1][p][0]
                for p in parts
                if area[p].sum() > 0
            )
        )
    flux = sum(kk**3 / aa**2 for aa, kk in zip(a, k, strict=True) if aa > 0)
    return sum(a), sum(k), flux * sum(a) ** 2 / sum(k) ** 3


def plain_loop(sections: pd.DataFrame, level: float, *, search: str) -> Array:
    """Standard step from the lowest section up, one section at a time."""
    rows = [
        [part[c].to_numpy() for c in ("offset_m", "elevation_m", "n")]
        for _, part in sections.groupby("chainage_m")
    ]
    levels = [level]
    area, k, alpha = properties(*rows[-1], level)
    for row in rows[-2::-1]:
        head = alpha * (Q / area) ** 2 / (2 * G)

        def miss(guess: float) -> float:
            a2, k2, alpha2 = properties(*row, guess)  # noqa: B023
            head2 = alpha2 * (Q / a2) ** 2 / (2 * G)
            c = 0.1 if head2 < head else 0.3  # noqa: B023
            loss = SPACING * (2 * Q / (k + k2)) ** 2 + c * abs(head2 - head)  # noqa: B023
            return guess + head2 - levels[-1] - head - loss  # noqa: B023

        if search == "brentq":
            found = brentq(miss, levels[-1] - 0.5, levels[-1] + 5, xtol=1e-10)
        else:
            found = newton(miss, levels[-1] + SPACING * (Q / k) ** 2, tol=1e-10)
        area, k, alpha = properties(*row, found)
        levels.append(found)
    return np.array(levels[::-1])


def structures(low_chord_m: float) -> pd.DataFrame:
    """Forty of them: twenty bridges on two piers, ten triple boxes, ten weirs."""
    places = np.linspace(20, STATIONS - 20, 40).astype(int) * SPACING + SPACING / 2
    rows = []
    for k, at in enumerate(places):
        bed = STATIONS * SPACING * SLOPE - at * SLOPE
        one = {
            "river": "R",
            "chainage_m": at,
            "kind": ("bridge", "bridge", "culvert", "weir")[k % 4],
        }
        if one["kind"] == "bridge":
            one |= {
                "low_chord_m": bed + low_chord_m,
                "width_m": 6.0,
                "n_piers": 2,
                "pier_width_m": 0.8,
            }
        elif one["kind"] == "culvert":
            one |= {"shape": "box", "span_m": 6.0, "rise_m": 3.5, "number": 3, "length_m": 8.0,
                    "invert_up_m": bed + 0.1, "invert_down_m": bed}  # fmt: skip
        else:
            one |= {"crest_m": bed + 1.0, "crest": "broad"}
        rows.append(one)
    return pd.DataFrame(rows, index=pd.Index([f"S{k}" for k in range(40)], name="structure_id"))


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
    print(f"one profile: {ours:.3f} s")
    for search in ("brentq", "secant"):
        start = time.process_time()
        theirs = plain_loop(one, found["level_m"].iloc[-1], search=search)
        loop = time.process_time() - start
        worst = np.abs(found["level_m"] - theirs).max()
        print(
            f"  loop with {search}: {loop:.2f} s, {loop / ours:.0f}x; levels within {worst:.0e} m"
        )
    for chord, flow in ((6.5, "free"), (3.0, "under pressure")):
        table = structures(chord)
        held = seconds(lambda: pg.water_profile(one, Q, end, banks=banks, structures=table))  # noqa: B023
        print(f"  with 40 structures, {flow}: {held:.3f} s, {held / ours:.1f}x")
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
