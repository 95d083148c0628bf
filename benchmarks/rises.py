"""What the doubt of a house's rise costs: the band of coefficients and that of roughness.

    python benchmarks/rises.py [sections] [houses]

CPU seconds of `building_rises` with one pair of coefficients, with four, and with n +- 10 %, in the
same run and in turns; without structures and with a bridge every 0.8 km.
"""

import sys
import time
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import pinghu_geo as pg

GAP_M, SLOPE, ROUNDS = 50.0, 0.001, 5
BAND = ((0.0, 0.0), (0.1, 0.3), (0.3, 0.5), (0.6, 0.8))
ORIGIN = (500_000.0, 2_500_000.0)


def river(count):
    """Compound channel of slightly changing width, and its centreline."""
    rng = np.random.default_rng(1)
    at = np.arange(count) * GAP_M
    bottom = SLOPE * (at[-1] - at)
    bed = pd.DataFrame({
        "river": "r", "chainage_m": at, "bed_level_m": bottom, "bank_level_m": bottom + 5,
        "left_m": 12 + rng.uniform(-1, 1, count), "right_m": 12 + rng.uniform(-1, 1, count),
        "side_slope": 1.0, "berm_level_m": bottom + 2.5, "berm_m": 2.0, "n": 0.03,
    })  # fmt: skip
    line = shapely.LineString([ORIGIN, (ORIGIN[0] + at[-1], ORIGIN[1])])
    rivers = gpd.GeoDataFrame(index=pd.Index(["r"], name="river"), geometry=[line], crs=4547)
    return pg.design_sections(bed), rivers, bed


def houses(bed, count):
    """Houses on the berms, each in a section."""
    rng = np.random.default_rng(2)
    at = rng.choice(bed["chainage_m"].to_numpy()[5:-5], count, replace=False)
    side = rng.choice([-1, 1], count)
    shapes = [
        shapely.box(ORIGIN[0] + x - 6, ORIGIN[1] + s * 8.5 - 1.2,
                    ORIGIN[0] + x + 6, ORIGIN[1] + s * 8.5 + 3)
        for x, s in zip(at, side, strict=True)
    ]  # fmt: skip
    index = pd.Index([f"b{k}" for k in range(count)], name="building_id")
    return gpd.GeoDataFrame(index=index, geometry=shapes, crs=4547)


def bridges(bed):
    """A bridge with a pier every 800 m."""
    at = bed["chainage_m"].to_numpy()[5:-5:16] + GAP_M / 2
    chord = np.interp(at, bed["chainage_m"], bed["bed_level_m"]) + 3.6
    index = pd.Index([f"S{k}" for k in range(len(at))], name="structure_id")
    return pd.DataFrame({"river": "r", "chainage_m": at, "kind": "bridge", "low_chord_m": chord,
                         "width_m": 8.0, "n_piers": 1, "pier_width_m": 1.0}, index=index)  # fmt: skip


def main() -> None:
    """One line with structures, one without."""
    warnings.simplefilter("ignore")
    count, many = (int(v) for v in (sys.argv[1:] + ["800", "60"][len(sys.argv) - 1 :])[:2])
    sections, rivers, bed = river(count)
    standing = houses(bed, many)
    ways = {"one pair": {"losses": ()}, "four": {"losses": BAND},
            "n +- 10 %": {"losses": (), "roughness_share": 0.1}}  # fmt: skip
    for name, more in (("no structures", {}), ("bridges", {"structures": bridges(bed)})):
        spent = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, options in ways.items():
                start = time.process_time()
                pg.building_rises(standing, sections, 80.0, {"slope": SLOPE}, rivers,
                                  allowed_mm=60, **options, **more)  # fmt: skip
                spent[way].append(time.process_time() - start)
        cost = {way: float(np.median(v)) for way, v in spent.items()}
        said = ", ".join(f"{w} {c:.2f} s ({c / cost['one pair']:.2f}x)" for w, c in cost.items())
        sys.stdout.write(f"{count} sections, {many} houses, {name}: {said}\n")


if __name__ == "__main__":
    main()
