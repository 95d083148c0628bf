"""From a file of 1,000,000 footprints to inside areas: ``uv run python benchmarks/files.py``.

Each way runs in a process of its own: CPU seconds without imports, and the memory at the peak beyond the imports. The
ways: read everything and geopandas.overlay; pyogrio or pyarrow with the corridor's box, then shapely in bulk, covered
ones first; `read_layer(near=)` and the kernel of `affected`. All have to agree.
"""

from __future__ import annotations

import multiprocessing as mp
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from overlap import CRS, by_overlay, by_shapely, by_us, corridor, houses
from scale import peak_mib

import pinghu_geo as pg

N, CORNERS = 1_000_000, 10_000
SUFFIXES = ("parquet", "gpkg", "fgb", "shp")


def read_all(path: Path, _: Any) -> gpd.GeoDataFrame:
    """Everything, by the library."""
    read: Any = gpd.read_parquet if path.suffix == ".parquet" else pyogrio.read_dataframe
    return read(path)


def read_box(path: Path, box: Any) -> gpd.GeoDataFrame:
    """What meets the box, without columns, by the library."""
    if path.suffix == ".parquet":
        return gpd.read_parquet(path, columns=["geometry"], bbox=tuple(box.total_bounds))
    return pyogrio.read_dataframe(path, columns=[], bbox=tuple(box.total_bounds))


def read_ours(path: Path, box: Any) -> gpd.GeoDataFrame:
    """What is near the red line, checked and named."""
    return pg.read_layer(path, "buildings", near=box, near_m=1.0)


WAYS: dict[str, Any] = {
    "overlay": (read_all, by_overlay), "shapely": (read_box, by_shapely), "ours": (read_ours, by_us),
}  # fmt: skip


def run(way: str, path: Path, zone: bytes, said: Any) -> None:
    """One way, once, in this process, after a file of a few rows: imports don't count."""
    warnings.simplefilter("ignore")
    read, compute = WAYS[way]
    box = gpd.GeoDataFrame(geometry=[shapely.from_wkb(zone)], crs=CRS)
    compute(read(few_of(path), box).geometry.to_numpy(), zone)
    before, start = peak_mib(), time.process_time()
    areas = compute(read(path, box).geometry.to_numpy(), zone)
    said.put((time.process_time() - start, peak_mib() - before, float(areas.sum())))


def few_of(path: Path) -> Path:
    """Where a file of a few of the rows is."""
    return path.with_stem("few")


def write(frame: gpd.GeoDataFrame, path: Path) -> None:
    """As an export of the format is."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, write_covering_bbox=True, row_group_size=20_000)
    else:
        pyogrio.write_dataframe(frame, path)


def measured(way: str, path: Path, zone: bytes) -> tuple[float, float, float]:
    """Median of three processes: CPU seconds, MiB beyond the imports, sum of areas."""
    rows = []
    for _ in range(1 if way == "overlay" else 3):
        said: Any = mp.get_context("spawn").Queue()
        process = mp.get_context("spawn").Process(target=run, args=(way, path, zone, said))
        process.start()
        rows.append(said.get())
        process.join()
    return tuple(np.median(np.array(rows), axis=0).tolist())


def main() -> None:
    """Print the table."""
    line, rivers = corridor(CORNERS)
    frame = gpd.GeoDataFrame(
        {"building_id": np.arange(N).astype(str), "floors": 3},
        geometry=houses(N, line, rivers),
        crs=CRS,
    )
    # the corridor is a strip of a city twice as wide and five times as high
    x0, y0, x1, y1 = frame.total_bounds
    spread = np.random.default_rng(3).uniform([0, 0], [x1 - x0, 4 * (y1 - y0)], (N, 2))
    xy, of = shapely.get_coordinates(frame.geometry.to_numpy(), return_index=True)
    frame.geometry = shapely.set_coordinates(frame.geometry.to_numpy(), xy + spread[of])
    frame = frame.iloc[np.argsort(frame.hilbert_distance().to_numpy())]
    zone = shapely.to_wkb(line)
    print("| file | read + overlay | box + shapely | ours | ratios | MiB: overlay, shapely, ours |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for suffix in SUFFIXES:
            path = Path(folder) / f"houses.{suffix}"
            write(frame, path)
            write(frame[frame.intersects(line.envelope)].head(1000), few_of(path))
            found = {way: measured(way, path, zone) for way in WAYS}
            cpu, mib, areas = (np.array([found[w][k] for w in WAYS]) for k in range(3))
            np.testing.assert_allclose(areas, areas[0], rtol=1e-9)
            print(
                f"| {suffix} | {cpu[0]:.2f} s | {cpu[1]:.2f} s | {cpu[2]:.2f} s | "
                f"{cpu[0] / cpu[2]:.0f}x, {cpu[1] / cpu[2]:.1f}x | {mib[0]:,.0f}, {mib[1]:,.0f}, {mib[2]:,.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
