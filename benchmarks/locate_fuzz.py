"""`locate` against brute force, and against itself on drawings that are turned: ``uv run python benchmarks/locate_fuzz.py 100000``.

Bends, hairpins with parallel limbs, ties on whole metres; printed are the features that differ in river, in distance by
more than 1e-8 m or in chainage by more than 1e-6 m, and how far turning moves a chainage, where the answer isn't ambiguous.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from shapely import affinity

import pinghu_geo as pg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
AT_A_TIME, KINDS = 1_000, ("bends", "hairpin", "walk")
CENTRE = (500_000, 2_500_000)


def turned(layer: gpd.GeoDataFrame, degrees: float) -> gpd.GeoDataFrame:
    """A layer turned about a corner of the zone."""
    shapes = [affinity.rotate(g, degrees, origin=CENTRE) for g in layer.geometry]
    return layer.set_geometry(shapes, crs=layer.crs)


def main(n: int) -> None:
    """Compare until so many features were seen."""
    from placed import features, placed, rivers

    seen = seed = wrong = moved = 0
    worst, most = 0.0, 0.0
    while seen < n:
        rng = np.random.default_rng(seed)
        line = rivers(rng, KINDS[seed % 3])
        some = features(rng, line, AT_A_TIME)
        found = pg.locate(some, line)
        river, chainage, distance = placed(some.geometry.to_numpy(), line)
        off = np.abs(found["chainage_m"].to_numpy() - chainage)
        bad = (found["river"].to_numpy() != line.index.to_numpy()[river]) | (off > 1e-6)
        bad |= np.abs(found["distance_m"].to_numpy() - distance) > 1e-8
        for k in np.flatnonzero(bad)[:3]:
            print(
                f"seed {seed}, {k}: {some.geometry[k].geom_type} {found.iloc[k].tolist()}, by force {chainage[k]:.6f}"
            )
        wrong, worst = wrong + int(bad.sum()), max(worst, float(off[~bad].max()))
        angle = float(rng.uniform(0, 360))
        again = pg.locate(turned(some, angle), turned(line, angle))
        gap = np.abs(again["chainage_m"] - found["chainage_m"]).to_numpy()
        sure = ~(found["ambiguous"] | again["ambiguous"]).to_numpy() & (
            shapely.get_dimensions(some.geometry) == 2
        )
        moved, most = (
            moved + int((gap[sure] > 1e-6).sum()),
            max(most, float(gap[sure].max(initial=0))),
        )
        seen, seed = seen + AT_A_TIME, seed + 1
    print(
        f"{seen:,} features: {wrong} differ from brute force, the others by at most {worst:.1e} m; turning moves "
        f"{moved} chainages by more than 1e-6 m, none by more than {most:.1e} m"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
