"""Footprints near a corridor from files of a million: ours against pyogrio and pyarrow alone.

Run ``uv run python benchmarks/reading.py``. Peers read the same rows with the same box and nothing else; ours
adds the checks, canonical names, types, codes and ids. CPU seconds, median of 5, one process.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

import pinghu_geo as pg

N, SIDE_M = 1_000_000, 60_000


def footprints() -> gpd.GeoDataFrame:
    """Houses of 12 x 9 m by chance, in the order of a Hilbert curve."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, SIDE_M, (2, N)) + np.array([[500_000.0], [2_500_000.0]])
    frame = gpd.GeoDataFrame(
        {"building_id": np.arange(N).astype(str), "floors": rng.integers(1, 9, N)},
        geometry=shapely.box(x, y, x + 12, y + 9),
        crs=4547,
    )
    return frame.iloc[np.argsort(frame.hilbert_distance().to_numpy())]


def side_by_side(*works: Callable[[], Any]) -> list[tuple[float, Any]]:
    """Median CPU seconds of five runs of each, in turns, and what the last one gave."""
    spent = np.empty((5, len(works)))
    found: list[Any] = [None] * len(works)
    for run in range(5):
        for k, work in enumerate(works):
            start = time.process_time()
            found[k] = work()
            spent[run, k] = time.process_time() - start
    return list(zip(np.median(spent, axis=0).tolist(), found, strict=True))


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    frame = footprints()
    line = gpd.GeoDataFrame(
        {"river": ["A"]}, geometry=[shapely.box(520_000, 2_520_000, 541_000, 2_523_000)], crs=4547
    )
    box = (519_900.0, 2_519_900.0, 541_100.0, 2_523_100.0)
    with tempfile.TemporaryDirectory() as folder:
        files = {s: Path(folder) / f"houses.{s}" for s in ("parquet", "fgb", "gpkg", "shp")}
        frame.to_parquet(files["parquet"], write_covering_bbox=True, row_group_size=20_000)
        for suffix in ("fgb", "gpkg", "shp"):
            pyogrio.write_dataframe(frame, files[suffix])
        print(
            "| format | rows | library alone | whole file | `read_layer(near=)` | ratio |\n|---|---|---|---|---|---|"
        )
        for suffix, path in files.items():
            peer = gpd.read_parquet if suffix == "parquet" else pyogrio.read_dataframe
            start = time.process_time()
            peer(path)
            whole = time.process_time() - start
            (alone, rows), (ours, found) = side_by_side(
                lambda peer=peer, path=path: peer(path, bbox=box),
                lambda path=path: pg.read_layer(path, "buildings", near=line),
            )
            assert len(found) == len(rows)
            print(
                f"| {suffix} | {len(found):,} | {alone:.3f} | {whole:.2f} | {ours:.3f} | {ours / alone:.2f}x |"
            )


if __name__ == "__main__":
    main()
