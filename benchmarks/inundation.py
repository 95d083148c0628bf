"""`inundation` of 1.8 km at 0.5 m, in a process of its own: ``python benchmarks/inundation.py``.

Prints CPU time and how far the peak of memory goes beyond what the imports take; bars: 1 s, 200 MB.
"""

import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio.features
import scipy.sparse.csgraph
import scipy.spatial
import shapely
from rasterio.transform import Affine

import pinghu_geo as pg

CELL, LENGTH = 0.5, 1800.0
IMPORTED = (rasterio.features, scipy.spatial, scipy.sparse.csgraph, pg.inundation)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def valley(path: Path, wave_m: float) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Ground that rises 2 % to both sides of a river, straight or in bends of a given width."""
    x = np.arange(0, LENGTH + 100, CELL) + CELL / 2
    y = np.arange(0, 240 + 2 * wave_m, CELL) + CELL / 2
    middle = 120 + wave_m * (1 + np.sin(x / 150))
    ground = 50 - 0.001 * x + 0.02 * np.abs(y[:, None] - middle)
    grid = Affine(CELL, 0, 513000, 0, -CELL, 2510000 + len(y) * CELL)
    with rasterio.open(
        path, "w", driver="GTiff", width=len(x), height=len(y), count=1, dtype="float32",
        crs="EPSG:4547", transform=grid, tiled=True,
    ) as file:  # fmt: skip
        file.write(ground[::-1].astype("float32"), 1)
    along = np.arange(50.0, LENGTH + 50, 5)
    at = np.column_stack([513000 + along, 2510000 + np.interp(along, x, middle)])
    river = gpd.GeoDataFrame(
        geometry=[shapely.linestrings(at)], index=pd.Index(["R"], name="river"), crs=4547
    )
    end = float(river.length.iloc[0])
    level = {"river": "R", "chainage_m": [0.0, end], "level_m": [51.0, 49.2]}
    return river, pd.DataFrame(level)


if __name__ == "__main__":
    missed = False
    with TemporaryDirectory() as folder:
        for wave_m in (0.0, 60.0):
            river, profile = valley(Path(folder) / f"{wave_m:g}.tif", wave_m)
            before, start = peak_mb(), time.process_time()
            found = pg.inundation(profile, Path(folder) / f"{wave_m:g}.tif", river)
            seconds, more = time.process_time() - start, peak_mb() - before
            print(f"bends of {wave_m:g} m: {found['flooded_m2'].iloc[0]:.0f} m2 in "
                  f"{seconds:.2f} s CPU, peak {more:.0f} MB more than the imports")  # fmt: skip
            missed |= seconds > 1 or more > 200
    sys.exit(missed)
