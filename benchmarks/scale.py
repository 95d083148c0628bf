"""More footprints than memory: ``uv run python benchmarks/scale.py SHARED_DATA [MILLIONS]``.

A real layer (Shenzhen, OSM, 109,609 footprints) laid side by side until there are so many million, sorted in strips,
with 280 river reaches across it; read by `affected_parquet` in one process under a limit of memory (2 GiB of data
beyond the imports), and by Dask with one and two workers.
"""

from __future__ import annotations

import multiprocessing as mp
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import pinghu_geo as pg

GROUP_ROWS, LIMIT_BYTES, CRS = 50_000, 2 * 2**30, 4547


def tiled(data: Path, folder: Path, millions: float) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """A file a tile, and the red line and rivers across all of them."""
    file = data / "shenzhen" / "shenzhen_buildings_epsg4547.parquet"
    houses = pg.repair(pg.read_layer(file, "buildings", row_ids=True)).layer[["geometry"]]
    houses = houses.iloc[np.argsort(houses.hilbert_distance().to_numpy())]
    x0, y0, x1, y1 = houses.total_bounds
    wide, high = np.ceil([(x1 - x0) / 1000, (y1 - y0) / 1000]) * 1000
    tiles = max(1, round(millions * 1e6 / len(houses)))
    columns = int(np.ceil(np.sqrt(tiles)))
    rivers = {}
    for k in range(tiles):
        dx, dy = wide * (k % columns), high * (k // columns)
        moved = houses.set_geometry(houses.translate(dx, dy))
        moved.index = pd.Index([f"{k}-{i}" for i in houses.index], name="building_id")
        moved.to_parquet(
            folder / f"t{k:04d}.parquet", write_covering_bbox=True, row_group_size=GROUP_ROWS
        )
        s = np.linspace(x0, x1, 800)
        y = (y0 + y1) / 2 + 3_000 * np.sin((s - x0) / 4_000)
        rivers[f"R{k}"] = shapely.LineString(np.column_stack([s + dx, y + dy]))
    frame = gpd.GeoDataFrame(
        index=pd.Index(list(rivers), name="river"), geometry=list(rivers.values()), crs=CRS
    )
    return pg.red_line(frame, 15.0), frame


def peak_mib() -> float:
    """Greatest memory of this process."""
    status = Path("/proc/self/status").read_text("ascii")
    return float(status.split("VmHWM:")[1].split()[0]) / 1024


def alone(folder: Path, line: Any, rivers: Any, target: Path, said: Any) -> None:
    """In one process of its own, under the limit."""
    warnings.simplefilter("ignore")
    used = peak_mib()
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT_BYTES, LIMIT_BYTES))
    start = time.monotonic()
    parts = pg.affected_parquet(folder, line, rivers, target)
    said.put((time.monotonic() - start, used, peak_mib(), parts))


def main(data: Path, millions: float) -> None:
    """Print what it took."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        (base / "in").mkdir()
        line, rivers = tiled(data, base / "in", millions)
        said: Any = mp.get_context("spawn").Queue()
        run = mp.get_context("spawn").Process(
            target=alone, args=(base / "in", line, rivers, base / "one", said)
        )
        run.start()
        wall, before, peak, parts = said.get()
        run.join()
        rows = sum(len(pd.read_parquet(f, columns=[])) for f in (base / "in").iterdir())
        print(
            f"{rows:,} footprints, {int(parts['n_rows'].sum()):,} in the row groups read, "
            f"{int(parts['n_affected'].sum()):,} affected: {wall:.1f} s, "
            f"{peak:,.0f} MiB at the peak, {before:,.0f} of them before the first row",
            flush=True,
        )
        from distributed import Client, LocalCluster

        for workers in (1, 2):
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None, memory_limit="2GiB"
            )
            with cluster, Client(cluster) as client:
                start = time.monotonic()
                again = pg.affected_parquet(
                    base / "in", line, rivers, base / f"dask{workers}", client=client
                )
                print(f"Dask, {workers} workers: {time.monotonic() - start:.1f} s", flush=True)
            pd.testing.assert_frame_equal(parts, again)
            one, other = (
                gpd.read_parquet(base / k).drop(columns="geometry")
                for k in ("one", f"dask{workers}")
            )
            pd.testing.assert_frame_equal(one, other)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 20.0)
