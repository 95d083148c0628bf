"""1,000 mixed calls on 64 threads against the same calls one after another.

    python benchmarks/threads.py [--calls 1000] [--threads 64]

Every kind of reading, of analysis and of writing, in an order by chance. Each result is a digest:
of the bytes of what was written, of all values and shapes of what was returned, of the warnings
that the caller heard. The digests must be those of the serial run, call by call.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

import pinghu_geo as pg
from pinghu_geo.nouns.notices import heard

Call = Callable[[Path], object]


def digest(what: object) -> str:
    """Of a frame, a file, or anything that is told by its text."""
    found = hashlib.sha256()
    if isinstance(what, Path):
        for path in sorted([what] if what.is_file() else what.rglob("*")):
            if path.is_file():
                found.update(path.name.encode() + path.read_bytes())
    elif isinstance(what, pd.DataFrame):
        if isinstance(what, gpd.GeoDataFrame):
            found.update(b"".join(w or b"-" for w in shapely.to_wkb(what.geometry.to_numpy())))
            what = pd.DataFrame(what.drop(columns=what.geometry.name))
        found.update(what.to_csv().encode())
    else:
        found.update(repr(what).encode())
    return found.hexdigest()[:16]


def given(folder: Path) -> dict[str, Any]:
    """Layers and files that the calls share."""
    sample = pg.sample_folder()
    houses = pg.read_layer(sample / "房屋.shp", "buildings")
    rivers = pg.read_layer(sample / "河道.shp", "rivers")
    widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    line = pg.red_line(rivers, widths)
    hit = pg.affected(houses, line, rivers)
    near = houses[houses.index.isin(hit.index)].copy()
    unknown = near.copy()
    unknown["floor_area_m2"] = float("nan")
    for suffix in (".shp", ".gpkg", ".geojson", ".fgb", ".parquet"):
        pg.write_layer(near, folder / f"房屋{suffix}", "buildings")
    pg.write_layer(near, folder / "无索引.shp", "buildings")
    (folder / "无索引.shx").unlink()
    circles(folder / "圆.dxf", "utf-8")
    return {"houses": near, "unknown": unknown, "rivers": rivers, "line": line, "widths": widths}


def circles(path: Path, encoding: str) -> None:
    """A drawing whose areas depend on how arcs are drawn out."""
    import ezdxf

    drawing = ezdxf.new("R2010", setup=True)
    drawing.layers.add("红线")
    for k in range(20):
        drawing.modelspace().add_circle(
            (500000 + 50 * k, 2500000), 10 + k, dxfattribs={"layer": "红线"}
        )
    drawing.saveas(path, encoding=encoding)


def calls_of(at: Path, have: dict[str, Any]) -> dict[str, Call]:
    """Every kind of call; each has a folder of its own to write to."""
    houses, unknown, rivers = have["houses"], have["unknown"], have["rivers"]
    line, widths = have["line"], have["widths"]
    crs = houses.crs

    def written(write: Callable[[Path], object], name: str) -> Call:
        def call(folder: Path) -> object:
            write(folder / name)
            return folder

        return call

    def noticed(_: Path) -> object:
        with heard() as said:
            pg.affected(unknown, line, rivers)
        return said

    made: dict[str, Call] = {
        f"read {s}": (lambda _, s=s: pg.read_layer(at / f"房屋{s}", "buildings"))
        for s in (".shp", ".gpkg", ".geojson", ".fgb", ".parquet")
    }
    made |= {
        "read near": lambda _: pg.read_layer(at / "房屋.shp", "buildings", near=line),
        "read no shx": lambda _: pg.read_layer(at / "无索引.shp", "buildings"),
        "read dxf": lambda _: pg.read_layer(at / "圆.dxf", "red_line", layer="红线", crs=crs),
        "check": lambda _: pg.check(at / "房屋.shp", "buildings"),
        "red_line": lambda _: pg.red_line(rivers, widths),
        "affected": lambda _: pg.affected(houses, line, rivers),
        "estimated": noticed,
        "locate": lambda _: pg.locate(houses, rivers),
        "stations": lambda _: pg.stations(rivers),
        "map": written(lambda p: pg.command_map(pg.affected(houses, line, rivers), line, rivers).save(p), "图.html"),
        "ledger": written(lambda p: pg.write_ledger(pg.affected(houses, line, rivers), p), "台账.xlsx"),
        "gpkg": written(lambda p: pg.deliver.write_results({"h": houses, "r": rivers}, p), "a.gpkg"),
        "shp": written(lambda p: pg.write_layer(houses, p, "buildings"), "房屋.shp"),
        "table": written(lambda p: pg.write_table(widths, p), "宽度.xlsx"),
    }  # fmt: skip
    return made


def warned(have: dict[str, Any], turns: int, threads: int) -> int:
    """Warnings of estimates that callers lost while others read files, of so many."""
    heard_by: Counter[int] = Counter()
    stop = threading.Event()

    def shown(message: object, *_: object, **__: object) -> None:
        heard_by[threading.get_ident()] += "is estimated" in str(message)

    def read() -> None:
        while not stop.is_set():
            pg.read_layer(pg.sample_folder() / "河道.shp", "rivers")

    def estimate() -> int:
        before = heard_by[threading.get_ident()]
        for _ in range(turns):
            pg.redline.floor_area(have["unknown"])
        return turns - (heard_by[threading.get_ident()] - before)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = shown
        with ThreadPoolExecutor(threads) as pool:
            readers = [pool.submit(read) for _ in range(threads // 2)]
            lost = [pool.submit(estimate) for _ in range(threads // 2)]
            total = sum(one.result() for one in lost)
            stop.set()
            [one.result() for one in readers]
    return total


def main() -> int:
    """Serial, then parallel; say what differs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=64)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        (base / "given").mkdir()
        have = given(base / "given")
        kinds = calls_of(base / "given", have)
        order = [random.Random(k).choice(list(kinds)) for k in range(asked.calls)]  # noqa: S311

        def done(way: str, k: int) -> str:
            folder = base / way / str(k)
            folder.mkdir(parents=True)
            return digest(kinds[order[k]](folder))

        warnings.simplefilter("ignore")
        start = time.perf_counter()
        first = {kind: done("first", order.index(kind)) for kind in set(order)}
        one_by_one = [first[kind] for kind in order]  # the same call gives the same, serially
        for kind, told in first.items():
            k = order.index(kind)
            if done("again", k) != told:
                raise SystemExit(f"{kind} differs from run to run, one after another")
        serial = time.perf_counter() - start
        start = time.perf_counter()
        with ThreadPoolExecutor(asked.threads) as pool:
            at_once = list(pool.map(lambda k: done("threads", k), range(asked.calls)))
        parallel = time.perf_counter() - start
        wrong = Counter(order[k] for k in range(asked.calls) if at_once[k] != one_by_one[k])
        lost = warned(have, 10, min(asked.threads, 16))
        sys.stdout.write(
            f"{asked.calls} calls of {len(kinds)} kinds on {asked.threads} threads: "
            f"{sum(wrong.values())} differ {dict(wrong) or ''}; {lost} warnings lost "
            f"({serial:.0f} s for each kind twice, {parallel:.0f} s at once)\n"
        )
    return 1 if wrong or lost else 0


if __name__ == "__main__":
    sys.exit(main())
