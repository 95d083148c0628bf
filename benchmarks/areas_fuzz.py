"""Shared areas against GEOS on many pairs by chance: ``uv run python benchmarks/areas_fuzz.py 1000000``.

Stars, everything on a lattice (shared edges, corners on edges, holes, parts), and shapes cut out of their zones; in
local coordinates, in a 3-degree zone, and with the zone's number in front. Printed is the greatest difference.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
AT_A_TIME = 20_000


def main(n: int) -> None:
    """Compare until so many pairs were seen."""
    from pairs import KINDS, PLACES, pairs

    from pinghu_geo.redline.areas import shared_areas

    worst: dict[tuple[str, str], float] = {}
    seen, seed = 0, 0
    while seen < n:
        for kind in KINDS:
            for place in PLACES:
                shapes, zones, exact = pairs(np.random.default_rng(seed), AT_A_TIME, kind, place)
                who, zone, area = shared_areas(shapes, zones)
                found = np.zeros(len(shapes))
                found[who] = area
                off = float(np.abs(found - exact).max()) if (who == zone).all() else np.inf
                worst[kind, place] = max(off, worst.get((kind, place), 0.0))
                seen, seed = seen + len(shapes), seed + 1
                if off > 1e-6:
                    print(f"seed {seed - 1}, {kind}, {place}: {off:.2e} m²", flush=True)
    print(f"{seen:,} pairs; greatest difference by kind and place [m²]:")
    for (kind, place), off in worst.items():
        print(f"  {kind:8} {place:9} {off:.1e}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
