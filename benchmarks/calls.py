"""Whole calls beside their peers, in one run: ``uv run --group bench python benchmarks/calls.py [--quick | --growth | name ...]``.

CPU seconds (`time.process_time`), in turns, medians; beside each the least that the machine could need for it: streaming
the coordinates, building an index, reading the bytes. The table goes to benchmarks/calls.csv, the growth in footprints,
corners, rivers and designs to docs/calls.png. ``--quick`` is the guard that CI runs: smaller layers, each ratio against
half of what was measured there.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import designs as designs_bench
import geopandas as gpd
import hydraulics
import numpy as np
import overlap
import pandas as pd
import shapely
from scipy.spatial import cKDTree

import pinghu_geo as pg
from pinghu_geo.redline.overlap import taken_by_line

HERE = Path(__file__).resolve()
ROOT = HERE.parents[1]
A_LITTLE_M = 1e-3
Row = dict[str, Any]
# What `pinghu run` wrote when its bar was set.
THEN = "gpkg,ledger,map"
# Half of what the small layers gave on 2 shared cores: the peer's CPU seconds by ours; of the red line those of 300
# vertices by those of 30,000, a vertex.
GUARD = {"affected": 2.6, "locate": 44.0, "designs": 5.3, "red_line": 2.2, "profile": 14.0}


def seconds(call: Callable[[], Any], times: int = 3) -> float:
    """Median CPU time of this process [s]."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return float(np.median(spent))


def peak_mib() -> float:
    """The most memory so far [MiB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# --- affected ----------------------------------------------------------------------------------


def by_shapely(
    features: gpd.GeoDataFrame, red_line: gpd.GeoDataFrame, rivers: gpd.GeoDataFrame
) -> pd.DataFrame:
    """What a skilled hand writes for the columns of `affected`: tree, covers first, all corners projected.

    The depth of the cut is left out, which no function of shapely gives.
    """
    shapes, zones = features.geometry.to_numpy(), red_line.geometry.to_numpy()
    shapely.prepare(zones)
    zone, who = shapely.STRtree(shapes).query(zones, predicate="intersects")
    inside = shapely.covers(zones[zone], shapes[who])
    area = np.where(inside, shapely.area(shapes[who]), 0.0)
    cut = shapely.intersection(shapes[who[~inside]], zones[zone[~inside]])
    area[~inside] = shapely.area(cut)
    table = pd.DataFrame({"who": who, "area": area, "river": red_line["river"].to_numpy()[zone]})
    table = table[table["area"] > 0]
    area = table.groupby("who")["area"].sum()
    table = table.drop_duplicates("who").set_index("who").loc[area.index]
    rows, lines = area.index.to_numpy(), rivers.geometry.loc[table["river"]].to_numpy()
    shapes = shapes[rows]
    footprint = shapely.area(shapes)
    xy, of = shapely.get_coordinates(shapes, return_index=True)
    along, offset = projected(xy, lines[of])
    first = np.searchsorted(of, np.arange(len(shapes)))
    low, high = np.minimum.reduceat(offset, first), np.maximum.reduceat(offset, first)
    near = shapely.get_coordinates(shapely.shortest_line(lines, shapes))[::2]
    return pd.DataFrame(
        {
            "river": table["river"].to_numpy(),
            "chainage_m": shapely.line_locate_point(lines, shapely.points(near)),
            "from_m": np.minimum.reduceat(along, first),
            "to_m": np.maximum.reduceat(along, first),
            "offset_min_m": low,
            "offset_max_m": high,
            "distance_m": shapely.distance(lines, shapes),
            "bank": np.where((low < 0) & (high > 0), "both", np.where(high > 0, "right", "left")),
            "footprint_m2": footprint,
            "inside_m2": area.to_numpy(),
            "inside_ratio": area.to_numpy() / footprint,
            "extent": np.where(footprint - area.to_numpy() < 1e-3, "full", "partial"),
        },
        index=features.index[rows],
    )


def projected(xy: Any, lines: Any) -> tuple[Any, Any]:
    """Measure and offset, right positive, of points beside their lines."""
    points = shapely.points(xy)
    along = shapely.line_locate_point(lines, points)
    ends = (np.maximum(along - A_LITTLE_M, 0), along + A_LITTLE_M)
    before, after = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines, at)) for at in ends
    )
    way, rel = after - before, xy - before
    side = np.where(way[:, 0] * rel[:, 1] - way[:, 1] * rel[:, 0] > 0, -1.0, 1.0)
    return along, side * shapely.distance(lines, points)


def layers(
    n: int, corners: int, systems: int = 1
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Footprints, red lines by river, and rivers."""
    line, rivers = overlap.corridor(corners, systems)
    shapes = overlap.houses(n, line, rivers)
    parts = shapely.get_parts(line)
    of = shapely.STRtree(rivers.geometry.to_numpy()).query_nearest(parts, all_matches=False)[1]
    red = gpd.GeoDataFrame({"river": rivers.index[of]}, geometry=parts, crs=overlap.CRS)
    index = pd.Index(np.arange(n).astype(str), name="building_id")
    return gpd.GeoDataFrame(index=index, geometry=shapes, crs=overlap.CRS), red, rivers


def affected_rows(n: int, corners: int = 10_000, systems: int = 1, times: int = 3) -> Iterator[Row]:
    """Whole `affected` against the pipeline, then both with the same columns; areas have to agree.

    Without depths is what `pinghu check` rehearses with: the call behind `affected`, with the same checks.
    """
    houses, red, rivers = layers(n, corners, systems)
    shapes = houses.geometry.to_numpy()
    hit, theirs = pg.affected(houses, red, rivers), by_shapely(houses, red, rivers)
    theirs = theirs.loc[hit.index]
    assert np.abs(hit["inside_m2"] - theirs["inside_m2"]).max() < 1e-5
    peer = seconds(lambda: by_shapely(houses, red, rivers), 1 if n > 300_000 else min(times, 2))
    limit = seconds(lambda: (shapely.bounds(shapes), shapely.get_coordinates(shapes).sum()))
    for work, call, note in (
        ("affected", pg.affected, "the peer has no depths"),
        ("affected without depths", partial(taken_by_line, depths=False), "the peer's columns"),
    ):
        ours = seconds(lambda: call(houses, red, rivers), times)  # noqa: B023
        yield {
            "work": f"{work}, {n:,} x {corners * systems:,}", "ours_s": ours, "peer_s": peer, "ratio": peer / ours,
            "bar": "12x", "limit_s": limit, "note": f"{len(hit):,} affected; {note}",
        }  # fmt: skip


def affected_row(n: int, corners: int = 10_000, systems: int = 1, times: int = 3) -> Row:
    """The first of them: with depths."""
    return next(affected_rows(n, corners, systems, times))


# --- locate and red lines ----------------------------------------------------------------------


def locate_row(n: int, looped: int = 2_000) -> Row:
    """`locate` beside 21 km of river with 4,200 vertices against the loop of `project`."""
    s = np.linspace(0, 21_000, 4_200)
    xy = np.c_[513_000 + s, 2_510_000 + 120 * np.sin(s / 170)]
    line = shapely.linestrings(xy)
    rivers = gpd.GeoDataFrame(index=pd.Index(["A"], name="river"), geometry=[line], crs=4547)
    rng = np.random.default_rng(0)
    at = xy[rng.integers(0, len(xy), n)] + rng.uniform(-60, 60, (n, 2))
    houses = gpd.GeoDataFrame(geometry=shapely.box(*at.T, *(at + (10, 12)).T), crs=4547)
    before = peak_mib()
    ours = seconds(lambda: pg.locate(houses, rivers), 3 if n < 500_000 else 1)
    beyond = peak_mib() - before
    start = time.process_time()
    for house in houses.geometry.to_numpy()[:looped]:
        along = [line.project(shapely.Point(c)) for c in house.exterior.coords[:-1]]
        min(along), max(along), line.distance(house)
    peer = (time.process_time() - start) * n / looped
    tree, corners = cKDTree(xy), shapely.get_coordinates(houses.geometry.to_numpy())
    limit = seconds(lambda: tree.query(corners), 1)
    return {
        "work": f"locate, {n:,} beside 21 km", "ours_s": ours, "peer_s": peer, "ratio": peer / ours, "bar": "100x, 512 MiB",
        "limit_s": limit, "note": f"{beyond:,.0f} MiB beyond the input",
    }  # fmt: skip


def course(long: float, vertices: int, every: float = 0.0) -> gpd.GeoDataFrame:
    """One meandering river."""
    s = np.linspace(0, long, vertices)
    line = shapely.linestrings(np.c_[513_000 + s, 2_510_000 + 120 * np.sin(s / 170)])
    line = shapely.segmentize(line, every) if every else line
    return gpd.GeoDataFrame(index=pd.Index(["A"], name="river"), geometry=[line], crs=4547)


def red_line_rows() -> Iterator[Row]:
    """Red lines of a dense course and of a long river; the peer is GEOS's own flat buffer."""
    few, many, far = course(1_500, 300), course(1_500, 30_000), course(21_000, 4_200, 5.0)
    base = seconds(lambda: pg.red_line(few, (9.0, 12.0)), 5)
    for name, rivers, bar in (
        ("1.5 km with 30,000 vertices", many, "1 s, 50 times 300 vertices"),
        ("21 km at 5 m", far, "0.12 s"),
    ):
        ours = seconds(lambda: pg.red_line(rivers, (9.0, 12.0)))  # noqa: B023
        peer = seconds(lambda: rivers.geometry.buffer(9.0, cap_style="flat"))  # noqa: B023
        yield {
            "work": f"red_line, {name}", "ours_s": ours, "peer_s": peer, "ratio": peer / ours, "bar": bar,
            "limit_s": peer, "note": f"{ours / base:.0f} times the course with 300 vertices; GEOS's buffer has one width",
        }  # fmt: skip


# --- designs and profiles ----------------------------------------------------------------------


def designs_row(n: int, number: int, looped: int = 10) -> Row:
    """All designs over the same buildings, against shapely on the near ones, its tree kept."""
    designs_bench.N, designs_bench.DESIGNS = n, number
    houses, rivers, table = designs_bench.given()
    pg.assess_many(table[table["design"] == "D0000"], houses, rivers)  # imports what it needs
    ours = seconds(lambda: pg.assess_many(table, houses, rivers)) / number
    names = table["design"].unique()[:looped]
    lines = [pg.red_line(rivers, table[table["design"] == k]).geometry.union_all() for k in names]
    peer = seconds(lambda: designs_bench.looped(houses, lines), 1) / looped
    return {
        "work": f"assess_many, {number:,} designs x {n:,}, each", "ours_s": ours, "peer_s": peer, "ratio": peer / ours,
        "bar": "250x, 1 ms", "limit_s": seconds(lambda: table.select_dtypes("number").sum()) / number,
        "note": "red lines are given to the peer",
    }  # fmt: skip


def profile_rows(number: int = 100) -> Iterator[Row]:
    """One water profile against a compiled peer and a loop, and many designs of the river."""
    at = np.arange(hydraulics.STATIONS) * hydraulics.SPACING
    banks = pd.DataFrame(
        {"river": "R", "chainage_m": at, "left_bank_m": -16.0, "right_bank_m": 16.0}
    )
    one, end = hydraulics.river(0), {"slope": hydraulics.SLOPE}
    found = pg.water_profile(one, hydraulics.Q, end, banks=banks)
    ours = seconds(lambda: pg.water_profile(one, hydraulics.Q, end, banks=banks), 5)
    least = seconds(lambda: one.select_dtypes("number").sum(), 5)
    level = float(found["level_m"].iloc[-1])
    name, peer = (
        "a loop of secants",
        seconds(lambda: hydraulics.plain_loop(one, level, search="secant"), 1),
    )
    yield {
        "work": "one profile, 2,100 x 60 points, loop", "ours_s": ours, "peer_s": peer, "ratio": peer / ours,
        "bar": "", "limit_s": least, "note": name,
    }  # fmt: skip
    if number:
        if (peer_s := by_stream1d(one, level)) is not None:
            yield {
                "work": "one profile, 2,100 x 60 points, stream1d", "ours_s": ours, "peer_s": peer_s, "ratio": peer_s / ours,
                "bar": "5x", "limit_s": least, "note": "stream1d is Rust; its sections are made beforehand",
            }  # fmt: skip
        many = pd.concat(
            [hydraulics.river(k).assign(scheme=f"d{k}") for k in range(number)], ignore_index=True
        )
        before = peak_mib()
        ours = seconds(lambda: pg.water_profile(many, hydraulics.Q, end, banks=banks), 1)
        yield {
            "work": f"{number} designs x 2,100 x 60 points", "ours_s": ours, "peer_s": np.nan, "ratio": np.nan,
            "bar": "5 s, 800 MiB", "limit_s": seconds(lambda: many.select_dtypes("number").sum()),
            "note": f"{peak_mib() - before:,.0f} MiB beyond the input",
        }  # fmt: skip


def by_stream1d(sections: pd.DataFrame, level: float) -> float | None:
    """CPU seconds of stream1d (Rust) on the same sections; none where it isn't installed."""
    try:
        import stream1d
    except ImportError:
        print(
            "stream1d is not installed: uv run --group bench python benchmarks/calls.py",
            file=sys.stderr,
        )
        return None
    made = [
        stream1d.CrossSection(
            hydraulics.STATIONS * hydraulics.SPACING - float(at), part["offset_m"].tolist(),
            part["elevation_m"].tolist(), [float(part["offset_m"].iloc[0]), -16.0, 16.0], [0.05, 0.03, 0.05],
        )
        for at, part in sections.groupby("chainage_m")
    ]  # fmt: skip
    inputs = stream1d.SteadyInputs(made, hydraulics.Q, downstream_wsel=level)
    return seconds(lambda: stream1d.solve_steady(inputs), 3)


# --- by hand and from the shell ----------------------------------------------------------------


def live_row() -> Row:
    """From a moved handle to the new sums, 5,000 houses near the line; the median of 9 moves."""
    rng = np.random.default_rng(0)
    rivers = course(12_000, 2_400)
    xy = shapely.get_coordinates(rivers.geometry.to_numpy())
    at = xy[rng.integers(0, len(xy), 5_000)] + rng.uniform(-45, 45, (5_000, 2))
    houses = gpd.GeoDataFrame(
        {"floors": np.full(len(at), 3.0)}, geometry=shapely.box(*at.T, *(at + (9, 11)).T), crs=4547
    )
    stations = np.append(np.arange(0, rivers.length.iloc[0], 20.0), rivers.length.iloc[0])
    widths = pd.DataFrame({"river": "A", "chainage_m": stations, "left_m": 9.0, "right_m": 9.0})
    live = pg.live_red_line(widths, houses, rivers, most_m=30.0)
    spent, whole, told = [], [], []
    shapes = live.buildings.geometry.to_numpy()
    least = seconds(lambda: shapely.get_coordinates(shapes).sum(), 9)
    live._panel.sums.observe(lambda _: told.append(time.process_time()), "value")
    for k in range(9):
        start = time.process_time()
        live.set_widths("A", 6_000.0, 6_100.0, left_m=9.0 + (k + 1) % 5)
        spent.append(told[-1] - start)
        whole.append(time.process_time() - start)
    return {
        "work": f"live red line, {len(live.buildings):,} near houses", "ours_s": float(np.median(spent)), "peer_s": np.nan,
        "ratio": np.nan, "bar": "0.05 s", "limit_s": least, "note": f"{len(live.affected):,} of them taken; with the map {np.median(whole):.2f} s",
    }  # fmt: skip


def process(*command: str, times: int = 3) -> tuple[float, float]:
    """Median CPU and wall time of a whole process with its children [s].

    Modules are compiled before, as they are where a package was installed and once used.
    """
    cpu, wall = [], []
    unset = "PYTHONDONTWRITEBYTECODE"
    environment = {name: value for name, value in os.environ.items() if name != unset}
    for _ in range(times + 1):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment)  # noqa: S603
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        wall.append(time.perf_counter() - start)
    return float(np.median(cpu[1:])), float(np.median(wall[1:]))


def large_project(folder: Path, n: int = 110_000) -> None:
    """A project of so many buildings that don't overlap, four rivers and two schemes, without a flood."""
    line, rivers = overlap.corridor(10_000)
    rng = np.random.default_rng(0)
    x0, y0, x1, y1 = np.array(line.bounds) + (-300, -300, 300, 300)
    side = np.sqrt((x1 - x0) * (y1 - y0) / n)
    at = np.stack(np.meshgrid(np.arange(x0, x1, side), np.arange(y0, y1, side)), 2).reshape(-1, 2)
    size = rng.uniform(6, 16, at.shape)
    at += rng.uniform(0, 1, at.shape) * (side - size - 0.1)
    ids = pd.Index([f"B{k:06d}" for k in range(len(at))], name="编号")
    uses = {
        "层数": rng.integers(1, 8, len(at)),
        "用途": rng.choice(["住宅", "厂房", "商业"], len(at)),
    }
    houses = gpd.GeoDataFrame(
        uses, index=ids, geometry=shapely.box(*at.T, *(at + size).T), crs=4547
    )
    houses.reset_index().to_file(folder / "房屋.shp", encoding="utf-8")
    rivers.reset_index(names="河道").to_file(folder / "河道.shp", encoding="utf-8")
    schemes = []
    for name, width in (("原方案", 9.0), ("优化方案", 7.0)):
        ends = [(k, at, width, width) for k, g in rivers.geometry.items() for at in (0.0, g.length)]
        pd.DataFrame(ends, columns=["河道", "桩号", "左宽", "右宽"]).to_csv(
            folder / f"{name}.csv", index=False
        )
        schemes.append(f'[schemes."{name}"]\nwidths = "{name}.csv"\n')
    head = 'name = "大图层"\ncrs = 4547\n[layers]\nbuildings = "房屋.shp"\nrivers = "河道.shp"\n'
    (folder / "project.toml").write_text(head + "".join(schemes), "utf-8")


def process_rows() -> Iterator[Row]:
    """Commands as they are typed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large_project(folder)
        project, data = str(folder / "project.toml"), [*folder.glob("*.shp"), *folder.glob("*.dbf")]
        sample = ROOT / "data" / "shapefiles"
        bare, own = (
            process(sys.executable, "-c", code)[0] for code in ("pass", "import geopandas")
        )
        read, of_sample = (
            seconds(lambda files=files: [file.read_bytes() for file in files])
            for files in (data, [file for file in sample.iterdir() if file.is_file()])
        )
        for work, bar, times, command in (
            ("import pinghu_geo", "0.04 s", 5, [sys.executable, "-c", "import pinghu_geo"]),
            ("pinghu --help", "0.29 s", 5, ["pinghu", "--help"]),
            (
                "pinghu check, 110,000 buildings",
                "1.8 s",
                3,
                ["pinghu", "check", project, "--out", str(folder / "check.xlsx")],
            ),
            (
                "pinghu run, 110,000 buildings, 4 rivers, 2 schemes",
                "2.5 s",
                1,
                ["pinghu", "run", project, "--out", str(folder / "out"), "--force"],
            ),
            *(
                (
                    f"pinghu run, sample{'' if only else ', all outputs'}{only and ' --only '}{only}",
                    "6 s" if only == THEN else "",
                    1,
                    [
                        "pinghu",
                        "run",
                        str(sample / "project.toml"),
                        "--out",
                        str(folder / "sample"),
                        "--force",
                    ]
                    + (["--only", only] if only else []),
                )
                for only in (THEN, "")
            ),
        ):
            cpu, wall = process(*command, times=times)
            yield {
                "work": work, "ours_s": cpu, "peer_s": np.nan, "ratio": np.nan, "bar": bar,
                "limit_s": read if "110" in work else of_sample if "sample" in work else bare,
                "note": f"wall {wall:.2f} s; import geopandas alone {own:.2f} s of CPU",
            }  # fmt: skip


# --- the run -----------------------------------------------------------------------------------

ALL: dict[str, Callable[[], Any]] = {
    "affected": lambda: [*affected_rows(300_000), *affected_rows(1_000_000)],
    "locate": lambda: [locate_row(1_000_000)],
    "designs": lambda: [designs_row(100_000, 1_000)],
    "red_line": lambda: list(red_line_rows()),
    "profile": lambda: list(profile_rows()),
    "live": lambda: [live_row()],
    "process": lambda: list(process_rows()),
}


def guard() -> int:
    """The ratios that CI holds; 1 where one is missed."""
    dense = course(1_500, 300), course(1_500, 30_000)
    few, many = (seconds(lambda r=r: pg.red_line(r, (9.0, 12.0))) for r in dense)
    found = {
        "affected": affected_row(50_000)["ratio"],
        "locate": locate_row(20_000, 200)["ratio"],
        "designs": designs_row(20_000, 50, 3)["ratio"],
        "red_line": 100 * few / many,
        "profile": next(profile_rows(0))["ratio"],
    }
    print({k: round(v, 1) for k, v in found.items()}, "must be at least", GUARD)
    return int(any(found[k] < least for k, least in GUARD.items()))


def grown() -> pd.DataFrame:
    """CPU seconds of calls as their layers grow: one of footprints, corners, rivers and designs at a time."""
    rows = []
    for n in (10_000, 30_000, 100_000, 300_000):
        rows.append(("footprints", n, affected_row(n, 5_000, times=1)))
    for corners in (2_000, 10_000, 50_000):
        rows.append(("corners", corners, affected_row(30_000, corners, times=1)))
    for systems in (1, 4, 16):
        rows.append(("rivers", 4 * systems, affected_row(20_000, 2_000, systems, times=1)))
    for number in (10, 100, 300):
        rows.append(("designs", number, designs_row(5_000, number, 3)))
    return pd.DataFrame(
        [{"of": of, "n": n, "ours_s": r["ours_s"], "peer_s": r["peer_s"]} for of, n, r in rows]
    )


def draw(table: pd.DataFrame, target: Path) -> None:
    """One small picture each: what grows, and the CPU seconds of both."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator

    figure, axes = plt.subplots(1, 4, figsize=(11, 2.8), layout="constrained")
    for axis, (of, part) in zip(axes, table.groupby("of", sort=False), strict=True):
        for column, word in (("peer_s", "shapely"), ("ours_s", "pinghu_geo")):
            axis.loglog(part["n"], part[column], "o-", label=word)
        axis.set_xticks(part["n"], [f"{n:,}" for n in part["n"]], fontsize=8)
        axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter("")
        axis.yaxis.set_minor_formatter("")
        unit = "a design" if of == "designs" else ""
        axis.set(xlabel=of, title=f"CPU seconds {unit}".strip())
    axes[0].legend()
    figure.savefig(target, dpi=110)


# What stands below "times the limit", by the beginning of the work.
LIMITS = {
    "affected": "corners and boxes streamed once",
    "locate": "nearest vertex of each corner, by a k-d tree",
    "assess_many": "numbers of the designs summed once",
    "red_line": "GEOS's own buffer",
    "one profile": "numbers of the sections summed once",
    "100 designs": "numbers of the sections summed once",
    "live": "corners streamed once",
    "import": "Python started",
    "pinghu --help": "Python started",
    "pinghu": "files read as bytes",
}
HEAD = """# Speed of whole calls

What a hand feels: whole calls beside the best that can be written in their place, in one run. CPU seconds of a machine with
two cores that others used, too: the ratios count, and "times the limit" says how far a call is from what the machine
needs at the least, which stands beside it. `uv run --group bench python benchmarks/calls.py` measures all of it anew and writes this page, `--growth` the
picture; `--quick` is the guard that CI runs on smaller layers.

| work | CPU s | peer | ratio | bar | times the limit | the limit | |
|---|---|---|---|---|---|---|---|
"""
TAIL = """
Peers: of `affected` a pipeline in vectorised shapely (tree, covers first, areas, all corners projected, sides, offsets),
which doesn't say how deep a building is cut, nearly half of our time: the second rows leave that out of ours, too, as the rehearsal of
`pinghu check` does; of `locate` a loop over shapely's `project`; of designs shapely over the near buildings with its tree kept, the red lines given; of a profile stream1d (Rust) and a loop of
secants. Whole processes find their modules compiled, as where a package was installed and once used; without that (with
`PYTHONDONTWRITEBYTECODE`) `import geopandas` alone takes a second more. Their bars were set for the outputs of then: since
then `pinghu run` also writes campaign, board, papers for Project and QGIS, workbooks of hydraulics and of what was searched,
and the sample has bridges, a covered reach and a gate. A run of the 110,000 writes what it wrote then: it has no flood and no campaign. `benchmarks/locate_fuzz.py` holds places against brute force (100,000 features beside bends, hairpins and walks, a fifth on whole metres for ties, each turned, too: none differs, 95 s of CPU), `benchmarks/areas_fuzz.py` areas against GEOS.

What stands between a call and its bar, on the same machine, partly under load. A design of `assess_many` is some 70,000 edges of
parts of houses beside its line, each a mean of a height above a moving edge (a dozen passes, 0.2 ns a number and pass while
they stay in the cache), 0.2 ms; 13,000 edges where two strips overlap, 0.35 ms; the rest (tables of a million rows, cutting, sums) is
paid once. The first call of a process takes half a second more, for pages of memory touched for the first time. `affected`:
nearly half are depths, which the peer doesn't have. `pinghu check` is two processes, for files are opened in one with limits:
0.1 s the one that waits (typer), 0.6 s of imports in the other (geopandas alone 0.5), 0.3 s GDAL's reading of 110,000 rows by
itself, 0.2 s the search for faults, 0.4 both schemes computed in rehearsal, without depths, for which nothing is refused. `pinghu run` of them takes
0.4 s more, for depths and scipy's k-d tree, until it writes for 1.7 s: 0.65 SQLite's 30 MB with their indexes, 0.5 the 94,000 cells of the
ledger, 0.5 the map; folium (it compiles 145 templates, 0.25 s) is imported while a process is idle. A thread beside
it gains nothing: pyogrio keeps Python's lock while GDAL writes, and both took longer than one after the other.
A run works with a process a processor (`--workers`). Nothing beside it, two processes take 5.4 to 6.3 s of wall for the three outputs of the sample
(median of 13 runs 5.6; one process 9.4), 7.3 to 7.7 for all, 2.3 to 2.5 for 110,000 buildings (3.6). What needs nothing of a search is begun before it, and whoever waits does
what nobody has begun. Of the sample's run by two processes some 0.4 s are imports, 0.7 reading, 0.5 sections, 1.9 its search, 1.0 levels and the rises of
120 houses under four pairs of coefficients, 0.8 the campaign, 0.5 what is written. Products of small matrices stay on one thread: beside other work OpenBLAS's two took forty times as long.

Few footprints along many rivers are where `affected` is least ahead: 20,000 along 64 rivers, 1,120 km of outline, take
0.18 s where the pipeline takes 0.31.
"""
PICTURE = "\n![CPU seconds as footprints, corners, rivers and designs grow](calls.png)\n"


def page(table: pd.DataFrame) -> str:
    """The page of the documentation."""
    lines = []
    for row in table.itertuples():
        cells = [f"{value:,.3g}" if np.isfinite(value) else "" for value in (
            row.ours_s, row.peer_s, row.ratio, row.ours_s / row.limit_s)]  # fmt: skip
        bar, note = ("" if pd.isna(text) else text for text in (row.bar, row.note))
        least = next(words for begin, words in LIMITS.items() if row.work.startswith(begin))
        cells = [row.work, *cells[:3], bar, cells[3], least if cells[3] else "", note]
        lines.append(f"| {' | '.join(cells)} |")
    drawn = PICTURE if (ROOT / "docs" / "calls.png").exists() else ""
    return HEAD + "\n".join(lines) + "\n" + TAIL + drawn


def main(names: list[str]) -> None:
    """Print the table, and write it."""
    file, rows = HERE.with_suffix(".csv"), []
    for name in names or ALL:
        for row in ALL[name]():
            rows.append({"call": name, **row})
            print(
                {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}, flush=True
            )
    table = pd.DataFrame(rows)
    if names and file.exists():
        old = pd.read_csv(file)
        table = pd.concat([old[~old["call"].isin(names)], table])
    table = table.sort_values("call", key=lambda c: c.map(list(ALL).index), kind="stable")
    table.to_csv(file, index=False, float_format="%.5g")
    (ROOT / "docs" / "calls.md").write_text(page(table), "utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if "--quick" in sys.argv:
        sys.exit(guard())
    if "--growth" in sys.argv:
        draw(grown(), ROOT / "docs" / "calls.png")
    else:
        main(sys.argv[1:])
