"""Inside areas, ours against its peers, side by side in one run: ``uv run python benchmarks/overlap.py [--quick]``.

Footprints of 6 to 16 m by chance around four meandering rivers (synthetic); the red line has V corners. CPU seconds,
medians, in turns. Peers: geopandas.overlay; shapely in bulk (tree, covers first, then intersection); DuckDB spatial and
SedonaDB on the red line cut into pieces of 64 corners (the cutting counts), and so PostGIS, in a server of our own.
All have to agree. The table goes to benchmarks/overlap.csv; ``--quick`` is the guard of the ratios that CI runs.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import pinghu_geo as pg
from pinghu_geo.redline.areas import shared_areas

Shapes = Any
LENGTH_M, APART_M, CRS = 5_250.0, 3_000.0, 4547
# CPU seconds of this process, and of those that work for it.
CLOCKS: list[Callable[[], float]] = [time.process_time]
# Least ratios (peer / ours) that CI accepts: half of what is promised, for machines differ.
GUARD = {"overlay": 12.0, "shapely": 2.5}


def corridor(corners: int, systems: int = 1) -> tuple[Any, gpd.GeoDataFrame]:
    """Red line of four rivers a system, 21 km, with so many corners in each system; and the rivers."""
    s = np.linspace(0.0, LENGTH_M, corners // 8)
    rivers = []
    for k in range(4 * systems):
        x = s + 1.3 * LENGTH_M * (k // 4 % 9)
        y = APART_M * (k % 4 + 5 * (k // 36)) + 200 * np.sin(s / 150 + k) + 60 * np.sin(s / 37)
        rivers.append(np.column_stack([x, y]) + [500_000.0, 2_500_000.0])
    areas = []
    for xy in rivers:
        way = np.gradient(xy, axis=0)
        normal = np.column_stack([-way[:, 1], way[:, 0]]) / np.hypot(*way.T)[:, None]
        half = 9 + 2 * np.sin(np.arange(len(xy)) / 40)[:, None]
        ring = np.concatenate([xy + normal * half, (xy - normal * half)[::-1]])
        areas.append(shapely.make_valid(shapely.Polygon(ring), method="structure"))
    names = pd.Index([f"R{k}" for k in range(len(rivers))], name="river")
    return shapely.union_all(areas), gpd.GeoDataFrame(
        index=names, geometry=shapely.linestrings(np.stack(rivers)), crs=CRS
    )


def houses(n: int, zone: Any, rivers: gpd.GeoDataFrame, seed: int = 1) -> Shapes:
    """Footprints by chance: over the whole extent of one system, along the rivers of many."""
    rng = np.random.default_rng(seed)
    x0, y0, x1, y1 = zone.bounds
    x, y = rng.uniform(x0 - 300, x1 + 300, n), rng.uniform(y0 - 300, y1 + 300, n)
    if len(rivers) > 4:
        xy = shapely.get_coordinates(rivers.geometry.to_numpy())
        x, y = (xy[rng.integers(0, len(xy), n)] + rng.uniform(-220, 220, (n, 2))).T
    size = rng.uniform(6, 16, (2, n))
    return shapely.box(x, y, x + size[0], y + size[1])


# --- the peers: each gives the inside area of every footprint ----------------------------------


def by_us(shapes: Shapes, zone: bytes) -> Any:
    """The kernel of `affected`."""
    who, _, area = shared_areas(shapes, [shapely.from_wkb(zone)])
    return np.bincount(who, weights=area, minlength=len(shapes))


def by_overlay(shapes: Shapes, zone: bytes) -> Any:
    """What most people write."""
    left = gpd.GeoDataFrame({"k": np.arange(len(shapes))}, geometry=shapes, crs=CRS)
    right = gpd.GeoDataFrame(geometry=[shapely.from_wkb(zone)], crs=CRS)
    found = gpd.overlay(left, right)
    return np.bincount(found["k"], weights=found.area, minlength=len(shapes))


def by_shapely(shapes: Shapes, zone: bytes) -> Any:
    """Bulk functions: parts of the line against a tree of footprints, covered ones first."""
    parts = shapely.get_parts(shapely.from_wkb(zone))
    shapely.prepare(parts)
    part, who = shapely.STRtree(shapes).query(parts, predicate="intersects")
    inside = shapely.covers(parts[part], shapes[who])
    area = np.where(inside, shapely.area(shapes[who]), 0.0)
    cut = shapely.intersection(shapes[who[~inside]], parts[part[~inside]])
    area[~inside] = shapely.area(cut)
    return np.bincount(who, weights=area, minlength=len(shapes))


def pieces(zone: bytes, most: int = 64) -> Shapes:
    """A polygon cut across its longer side until each piece has few corners."""
    todo, done = shapely.get_parts(shapely.from_wkb(zone)), []
    while len(todo):
        big = shapely.get_num_coordinates(todo) > most
        done.append(todo[~big])
        todo = todo[big]
        x0, y0, x1, y1 = shapely.bounds(todo).T
        wide = (x1 - x0) > (y1 - y0)
        mx, my = np.where(wide, (x0 + x1) / 2, x1), np.where(wide, y1, (y0 + y1) / 2)
        low = shapely.box(x0, y0, mx, my)
        high = shapely.box(np.where(wide, mx, x0), np.where(wide, y0, my), x1, y1)
        todo = shapely.get_parts(
            np.concatenate([shapely.intersection(todo, low), shapely.intersection(todo, high)])
        )
        todo = todo[shapely.get_dimensions(todo) == 2]
    return np.concatenate(done)


def duckdb_peer(shapes: Shapes) -> Callable[[Shapes, bytes], Any]:
    """DuckDB spatial; the footprints are loaded beforehand, as in a database."""
    import duckdb
    import duckdb_extension_spatial

    file = next(Path(duckdb_extension_spatial.__path__[0]).rglob("*.duckdb_extension"))
    base = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 1})
    base.execute(f"LOAD '{file}'")
    frame = pd.DataFrame({"k": np.arange(len(shapes)), "g": shapely.to_wkb(shapes)})
    base.register("frame", frame)
    base.execute("CREATE TABLE f AS SELECT k, ST_GeomFromWKB(g) AS g FROM frame")

    def run(shapes: Shapes, zone: bytes) -> Any:
        cut = pd.DataFrame({"g": shapely.to_wkb(pieces(zone))})
        base.register("cut", cut)
        base.execute("CREATE OR REPLACE TABLE z AS SELECT ST_GeomFromWKB(g) AS g FROM cut")
        found = base.execute(
            "SELECT k, sum(ST_Area(ST_Intersection(f.g, z.g))) AS a FROM f JOIN z "
            "ON ST_Intersects(f.g, z.g) GROUP BY k"
        ).fetchnumpy()
        return np.bincount(found["k"], weights=found["a"], minlength=len(shapes))

    return run


def sedona_peer(shapes: Shapes) -> Callable[[Shapes, bytes], Any]:
    """SedonaDB, likewise."""
    import pyarrow as pa
    import sedonadb

    base = sedonadb.connect()
    frame = gpd.GeoDataFrame({"k": np.arange(len(shapes))}, geometry=shapes)
    base.create_data_frame(frame).to_memtable().to_view("f")

    def run(shapes: Shapes, zone: bytes) -> Any:
        cut = gpd.GeoDataFrame(geometry=pieces(zone))
        base.create_data_frame(cut).to_memtable().to_view("z", overwrite=True)
        found = pa.table(
            base.sql(
                "SELECT k, sum(ST_Area(ST_Intersection(f.geometry, z.geometry))) AS a FROM f JOIN z "
                "ON ST_Intersects(f.geometry, z.geometry) GROUP BY k"
            )
        ).to_pandas()
        return np.bincount(found["k"], weights=found["a"], minlength=len(shapes))

    return run


@contextmanager
def postgis_peer(shapes: Shapes) -> Iterator[Callable[[Shapes, bytes], Any]]:
    """PostGIS, likewise, with an index on the footprints; the time of its process is added."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from pgserver import READY, fresh_database

    if not READY:
        raise ImportError("no PostgreSQL with PostGIS is installed")
    with tempfile.TemporaryDirectory() as folder, fresh_database(Path(folder)) as base:
        base.execute("SET max_parallel_workers_per_gather = 0; SET jit = off")
        base.execute("CREATE TABLE f (k int, g geometry); CREATE TEMP TABLE z (g geometry)")
        with base.cursor().copy("COPY f FROM STDIN") as copy:
            for row in enumerate(shapely.to_wkb(shapes, hex=True)):
                copy.write_row(row)
        base.execute("CREATE INDEX ON f USING gist (g)")
        base.execute("ANALYZE f")
        process = Path(f"/proc/{base.info.backend_pid}/stat")
        ticks = os.sysconf("SC_CLK_TCK")
        CLOCKS.append(lambda: sum(map(int, process.read_text("ascii").split()[13:15])) / ticks)

        def run(shapes: Shapes, zone: bytes) -> Any:
            base.execute("TRUNCATE z")
            with base.cursor().copy("COPY z FROM STDIN") as copy:
                for piece in shapely.to_wkb(pieces(zone), hex=True):
                    copy.write_row((piece,))
            base.execute("ANALYZE z")
            found = base.execute(
                "SELECT k, sum(CASE WHEN ST_Covers(z.g, f.g) THEN ST_Area(f.g) "
                "ELSE ST_Area(ST_Intersection(f.g, z.g)) END) "
                "FROM z JOIN f ON ST_Intersects(f.g, z.g) GROUP BY k"
            ).fetchall()
            k, area = np.array(found).T
            return np.bincount(k.astype(int), weights=area, minlength=len(shapes))

        try:
            yield run
        finally:
            CLOCKS.pop()


# --- the run -----------------------------------------------------------------------------------


def in_turns(works: dict[str, Callable[[], Any]], runs: dict[str, int]) -> dict[str, float]:
    """Median CPU seconds of each; all have to give the same areas."""
    spent: dict[str, list[float]] = {name: [] for name in works}
    right = None
    for turn in range(max(runs.values())):
        for name, work in works.items():
            if turn >= runs[name]:
                continue
            start = sum(clock() for clock in CLOCKS)
            found = work()
            spent[name].append(sum(clock() for clock in CLOCKS) - start)
            right = found if right is None else right
            np.testing.assert_allclose(found, right, atol=2e-6, err_msg=name)
    return {name: float(np.median(s)) for name, s in spent.items()}


DATABASES: dict[str, Callable[[Shapes], Any]] = {
    "duckdb": duckdb_peer, "sedonadb": sedona_peer, "postgis": postgis_peer,
}  # fmt: skip


def measured(n: int, corners: int, systems: int, peers: list[str], runs: int) -> dict[str, Any]:
    """One line of the table."""
    line, rivers = corridor(corners, systems)
    zone, shapes = shapely.to_wkb(line), houses(n, line, rivers)
    known: dict[str, Callable[[Shapes, bytes], Any]] = {
        "ours": by_us, "overlay": by_overlay, "shapely": by_shapely,
    }  # fmt: skip
    with ExitStack() as stack:
        for name, make in DATABASES.items():
            if name in peers:
                try:
                    peer: Any = make(shapes)
                    known[name] = stack.enter_context(peer) if hasattr(peer, "__enter__") else peer
                except (ImportError, StopIteration) as fault:
                    print(f"{name} is left out: {fault}", file=sys.stderr)
        works = {
            name: (lambda one=one: one(shapes, zone))
            for name, one in known.items()
            if name in ("ours", *peers)
        }
        few = {"overlay": 3}
        spent = in_turns(works, {name: min(runs, few.get(name, runs)) for name in works})
    row: dict[str, Any] = {"footprints": n, "corners": corners * systems, "systems": systems}
    row |= {f"{name}_s": s for name, s in spent.items()}
    row |= {f"{name}_ratio": s / spent["ours"] for name, s in spent.items() if name != "ours"}
    if systems == 1:
        frame = gpd.GeoDataFrame({"floors": 3.0}, index=np.arange(n).astype(str), geometry=shapes, crs=CRS)  # fmt: skip
        red = gpd.GeoDataFrame(
            {"river": rivers.index}, geometry=shapely.buffer(rivers.geometry.to_numpy(), 9), crs=CRS
        )
        start = time.process_time()
        pg.affected(frame, red, rivers)
        row["affected_s"] = time.process_time() - start
    row["affected_share"] = float((by_us(shapes, zone) > 0).mean())
    return row


def guard() -> int:
    """The ratios that CI holds; 1 where one is missed."""
    row = measured(100_000, 10_000, 1, ["overlay", "shapely"], 3)
    missed = {k: v for k, v in GUARD.items() if row[f"{k}_ratio"] < v}
    print({k: round(row[f"{k}_ratio"], 1) for k in GUARD}, "must be at least", GUARD)
    return int(bool(missed))


def draw(table: pd.DataFrame, target: Path) -> None:
    """CPU seconds by corners of the red line, and by peer where all ran."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    growth = table.iloc[4:]
    for name, word in (("shapely", "shapely in bulk"), ("ours", "pinghu_geo")):
        left.loglog(growth["corners"], growth[f"{name}_s"], "o-", label=word)
    left.set(xlabel="corners of the red line", ylabel="CPU seconds", title="100,000 footprints")
    left.legend()
    names = ["ours", *DATABASES, "shapely", "overlay"]
    shown = table.iloc[:3][[f"{n}_s" for n in names if f"{n}_s" in table]].T
    shown.index = shown.index.str.removesuffix("_s").str.replace("ours", "pinghu_geo")
    shown.columns = [
        f"{n / 1e6:g}M x {c / 1e3:g}k" for n, c in table.iloc[:3][["footprints", "corners"]].values
    ]
    shown.plot.barh(ax=right, logx=True, xlabel="CPU seconds", title="footprints x corners")
    figure.savefig(target, dpi=110)


def main() -> None:
    """Print the table, and write it."""
    peers = ["overlay", "shapely", *DATABASES]
    rows = [
        measured(100_000, 10_000, 1, peers, 5),
        measured(100_000, 50_000, 1, peers, 5),
        measured(1_000_000, 10_000, 1, peers, 5),
        measured(1_000_000, 10_000, 70, ["shapely"], 3),
    ]
    for corners in (2_000, 10_000, 50_000, 200_000):
        rows.append(measured(100_000, corners, 1, ["shapely"], 5))
    table = pd.DataFrame(rows)
    table.round(4).to_csv(Path(__file__).with_suffix(".csv"), index=False)
    draw(table, Path(__file__).parents[1] / "docs" / "overlap.png")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if "--quick" in sys.argv:
        sys.exit(guard())
    main()
