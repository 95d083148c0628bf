"""Footprints near a corridor from files of a million: ours against pyogrio and pyarrow alone.

Run ``uv run python benchmarks/reading.py``. Peers read the same rows with the same box and nothing else; ours
adds the checks, canonical names, types, codes and ids. CPU seconds, median of 5, one process.

The last columns are what it costs to open files as a stranger's (driver by suffix, marks, bytes looked at before
they are decoded, options of the thread alone, errors in words): the same call with that switched out, 15 times in
turns. At most 5 % or 10 ms, whichever is more; the exit status says so.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

import pinghu_geo as pg

N, SIDE_M = 1_000_000, 60_000
BOX = (519_900.0, 2_519_900.0, 541_100.0, 2_523_100.0)


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


def trusted_shapefile(path: Path, *_: Any) -> tuple[Path, Any]:
    """The rows that meet boxes, from a Shapefile whose parts are believed to go together."""
    from pinghu_geo.intake.shapefile import (
        _entries_of_shx,
        _heads_of_records,
        _rows_not_deleted,
        parts_of,
    )

    begin, size = _entries_of_shx(path.with_suffix(".shx"))
    rows = []
    for first, _, _, record in _heads_of_records(path, begin, size):
        x0, y0, x1, y1 = record["box"].T
        west, south, east, north = BOX
        rows.append(
            first + np.flatnonzero((x0 <= east) & (x1 >= west) & (y0 <= north) & (y1 >= south))
        )
    return path, _rows_not_deleted(np.concatenate(rows), parts_of(path))


@contextmanager
def trusting() -> Iterator[None]:
    """Files are opened as if nobody ever sent a wrong one."""
    from pinghu_geo.intake import formats

    out: dict[str, Any] = {
        "for_one_driver": lambda path, *_: path,
        "require_signature": lambda *_: None,
        "unpacked": lambda path, _, layer, *__: (path, layer),
        "own_errors": lambda *_: nullcontext(),
        "require_sound": lambda *_: None,
        "gdal_options": lambda **_: nullcontext(),
        "whole_shapefile": trusted_shapefile,
    }
    kept = {name: getattr(formats, name) for name in out}
    for name, one in out.items():
        setattr(formats, name, one)
    try:
        yield
    finally:
        for name, one in kept.items():
            setattr(formats, name, one)


def without_safety(work: Callable[[], Any]) -> Callable[[], Any]:
    """The same with safety switched out."""

    def trustful() -> Any:
        with trusting():
            return work()

    return trustful


def side_by_side(*works: Callable[[], Any], runs: int = 5) -> list[tuple[float, Any]]:
    """Median CPU seconds of the runs of each, in turns, and what the last one gave."""
    spent = np.empty((runs, len(works)))
    found: list[Any] = [None] * len(works)
    for run in range(runs):
        for k, work in enumerate(works):
            start = time.process_time()
            found[k] = work()
            spent[run, k] = time.process_time() - start
    return list(zip(np.median(spent, axis=0).tolist(), found, strict=True))


def main() -> int:
    """Print the table."""
    dear = []
    warnings.simplefilter("ignore")
    frame = footprints()
    line = gpd.GeoDataFrame(
        {"river": ["A"]}, geometry=[shapely.box(520_000, 2_520_000, 541_000, 2_523_000)], crs=4547
    )
    with tempfile.TemporaryDirectory() as folder:
        files = {s: Path(folder) / f"houses.{s}" for s in ("parquet", "fgb", "gpkg", "shp")}
        frame.to_parquet(files["parquet"], write_covering_bbox=True, row_group_size=20_000)
        for suffix in ("fgb", "gpkg", "shp"):
            pyogrio.write_dataframe(frame, files[suffix])
        print(
            "| format | rows | library alone | whole file | `read_layer(near=)` | ratio | safety | of it |\n"
            "|---|---|---|---|---|---|---|---|"
        )
        for suffix, path in files.items():
            peer = gpd.read_parquet if suffix == "parquet" else pyogrio.read_dataframe
            start = time.process_time()
            peer(path)
            whole = time.process_time() - start
            (alone, rows), (ours, found) = side_by_side(
                lambda peer=peer, path=path: peer(path, bbox=BOX),
                lambda path=path: pg.read_layer(path, "buildings", near=line),
            )
            assert len(found) == len(rows)
            read = lambda path=path: pg.read_layer(path, "buildings", near=line)  # noqa: E731
            (safe, one), (bare, other) = side_by_side(read, without_safety(read), runs=15)
            assert one.equals(other)
            more = safe - bare
            if more > max(0.05 * bare, 0.010):
                dear.append(suffix)
            print(
                f"| {suffix} | {len(found):,} | {alone:.3f} | {whole:.2f} | {ours:.3f} | {ours / alone:.2f}x "
                f"| {1000 * more:+.1f} ms | {more / bare:+.1%} |"
            )
    print(f"safety costs too much: {dear}" if dear else "safety costs at most 5 % or 10 ms")
    return 1 if dear else 0


if __name__ == "__main__":
    sys.exit(main())
