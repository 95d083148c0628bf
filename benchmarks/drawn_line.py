"""Least demolition against exhaustive search on the line as drawn, on random small rivers.

Run ``uv run python benchmarks/drawn_line.py 300``. Each river bends, its approved line tapers, and
houses stand on both banks. Every choice of moves over the stations of the design found is tried:
what is drawn between two stations is drawn by `red_line`, and a house is paid for that comes within
clear_m of it. Where no building is decided between stations both must cost the same; elsewhere the
search may be dearer, never cheaper.
"""

from __future__ import annotations

import itertools
import sys
import time
import warnings
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import pinghu_geo as pg


class Instance(NamedTuple):
    """A river with all that the search is given."""

    rivers: gpd.GeoDataFrame
    widths: pd.DataFrame
    buildings: gpd.GeoDataFrame
    limits: dict[str, float]


def chance(seed: int) -> Instance:
    """A river of about 40 m with up to four houses."""
    rng = np.random.default_rng(seed)
    bend = np.cumsum(rng.uniform(-0.5, 0.5, rng.integers(1, 5)))
    step = np.stack([np.cos(bend), np.sin(bend)], axis=1) * (rng.uniform(30, 45) / len(bend))
    xy = np.vstack([[0.0, 0.0], np.cumsum(step, axis=0)]) + rng.uniform(0, 1000, 2)
    line = shapely.LineString(xy)
    rivers = gpd.GeoDataFrame(index=pd.Index(["R"], name="river"), geometry=[line], crs=4547)
    at = np.array([0.0, line.length])
    if rng.random() < 0.5:
        at = np.insert(at, 1, rng.uniform(10, line.length - 10))
    half = rng.uniform(6, 9)
    widths = pd.DataFrame(
        {"river": "R", "chainage_m": at, "left_m": half + rng.uniform(-0.5, 0.5, len(at)),
         "right_m": half + rng.uniform(-0.5, 0.5, len(at))}
    )  # fmt: skip
    houses = []
    for _ in range(rng.integers(1, 5)):
        m, side = rng.uniform(0, line.length), rng.choice([-1, 1])
        ahead = line.interpolate(min(m + 0.01, line.length)), line.interpolate(max(m - 0.01, 0))
        angle = np.arctan2(ahead[0].y - ahead[1].y, ahead[0].x - ahead[1].x)
        long, deep = rng.uniform(3, 14), rng.uniform(4, 9)
        box = shapely.box(-long / 2, 0, long / 2, deep)
        if rng.random() < 0.3:
            box = box.difference(shapely.box(0, -1, long, rng.uniform(1, deep - 1)))
        skew = rng.choice([0.0, rng.uniform(-0.5, 0.5)])
        box = shapely.affinity.rotate(box, skew, origin=(0, 0), use_radians=True)
        box = shapely.affinity.translate(box, 0, half + rng.uniform(-1.5, 1.5))
        box = shapely.affinity.scale(box, 1, side, origin=(0, 0))
        box = shapely.affinity.rotate(box, angle, origin=(0, 0), use_radians=True)
        middle = line.interpolate(m)
        houses.append(shapely.affinity.translate(box, middle.x, middle.y))
    buildings = gpd.GeoDataFrame(
        {"floor_area_m2": rng.integers(20, 400, len(houses)).astype(float)},
        index=pd.Index([f"H{k}" for k in range(len(houses))], name="building_id"),
        geometry=houses, crs=4547,
    )  # fmt: skip
    step_m = float(rng.choice([0.5, 1.0]))
    limits = {
        "inward_m": 2 * step_m, "outward_m": step_m, "step_m": step_m, "spacing_m": 10.0,
        "taper": float(rng.choice([0.2, 0.3, 0.5])), "clear_m": float(rng.choice([0.02, 0.1])),
        "move_yuan_m2": float(rng.choice([0.01, 1.0])),
        "works_yuan_m2": float(rng.choice([0.0, 0.5])),
        "change_yuan_m": float(rng.choice([0.0, 1.0])),
        "width_ratio": float(rng.choice([1.0, 0.97, 0.85])),
    }  # fmt: skip
    return Instance(rivers, widths, buildings, limits)


def exhaustive(case: Instance, stations: np.ndarray) -> float:
    """Cheapest of all lines over stations, without anything of the search's code."""
    limits, moves = case.limits, np.arange(-2, 2) * case.limits["step_m"]
    rows = case.widths.sort_values("chainage_m")
    base = [np.interp(stations, rows["chainage_m"], rows[c]) for c in ("left_m", "right_m")]
    gap = np.diff(stations)
    length = (np.append(gap, 0) + np.append(0, gap)) / 2
    taken, bends = _taken(case, stations, moves), _at_bends(case, stations, moves)
    cost = case.buildings["floor_area_m2"].to_numpy()
    found = {(a, b, 0): 0.0 for a in range(len(moves)) for b in range(len(moves))}
    for i in range(len(stations)):
        new: dict[tuple[int, int, int], float] = {}
        for (a, b, before), spent in found.items():
            offset = base[0][i] + moves[a], base[1][i] + moves[b]
            if sum(offset) < limits["width_ratio"] * (base[0][i] + base[1][i]) - 1e-9:
                continue
            if any(o < min(3.0, w[i]) - 1e-9 for o, w in zip(offset, base, strict=True)):
                continue
            held = before | bends.get((0, i, a), 0) | bends.get((1, i, b), 0)
            moved = abs(moves[a]) + abs(moves[b])
            paid = spent + length[i] * (
                limits["works_yuan_m2"] * sum(offset) + limits["move_yuan_m2"] * moved
            )
            if i == len(gap):
                new[a, b, held] = min(new.get((a, b, held), np.inf), paid)
                continue
            for c in range(len(moves)):
                for d in range(len(moves)):
                    turn = abs(moves[[c, d]] - moves[[a, b]])
                    if turn.max() > limits["taper"] * gap[i] + 1e-9:
                        continue
                    key = c, d, held | taken[0, i, a, c] | taken[1, i, b, d]
                    more = paid + limits["change_yuan_m"] * turn.sum()
                    new[key] = min(new.get(key, np.inf), more)
        found = new
    bits = 1 << np.arange(len(cost))
    return min(paid + cost[(held & bits) > 0].sum() for (_, _, held), paid in found.items())


def _drawn(case: Instance, tables: list[pd.DataFrame]) -> list[int]:
    """Buildings within clear_m of each drawn line, as bits; all are drawn at once."""
    if not tables:
        return []
    names = [f"R{k}" for k in range(len(tables))]
    copies = gpd.GeoDataFrame(
        index=pd.Index(names, name="river"),
        geometry=[case.rivers.geometry.iloc[0]] * len(names), crs=case.rivers.crs,
    )  # fmt: skip
    rows = pd.concat([t.assign(river=n) for t, n in zip(tables, names, strict=True)])
    drawn = pg.red_line(copies, rows).set_index("river").geometry.reindex(names).to_numpy()
    shapes = case.buildings.geometry.to_numpy()
    near = shapely.dwithin(drawn[:, None], shapes, case.limits["clear_m"])
    return [int(n) for n in near @ (1 << np.arange(len(shapes)))]


def _side(case: Instance, at: np.ndarray, side: int, move: np.ndarray) -> pd.DataFrame:
    """Width table of one bank: the approved rows in between, too."""
    rows = case.widths.sort_values("chainage_m")
    own = rows["chainage_m"].to_numpy()
    measure = np.union1d(at, own[(own > at[0]) & (own < at[-1])])
    name = ("left_m", "right_m")[side]
    wide = np.interp(measure, own, rows[name]) + np.interp(measure, at, move)
    table = pd.DataFrame({"river": "R", "chainage_m": measure, "left_m": 0.0, "right_m": 0.0})
    return table.assign(**{name: wide})


def _taken(
    case: Instance, stations: np.ndarray, moves: np.ndarray
) -> dict[tuple[int, int, int, int], int]:
    """Buildings that the line takes in each gap between stations, for each pair of moves."""
    keys, tables = [], []
    for side, i in itertools.product((0, 1), range(len(stations) - 1)):
        at = stations[[i, i + 1]]
        for a, c in itertools.product(range(len(moves)), repeat=2):
            pair = moves[[a, c]]
            if abs(pair[1] - pair[0]) <= case.limits["taper"] * (at[1] - at[0]) + 1e-9:
                keys.append((side, i, a, c))
                tables.append(_side(case, at, side, pair))
    return dict(zip(keys, _drawn(case, tables), strict=True))


def _at_bends(
    case: Instance, stations: np.ndarray, moves: np.ndarray
) -> dict[tuple[int, int, int], int]:
    """Buildings within the fan outside of each bend that is a station, for each move."""
    xy = shapely.get_coordinates(case.rivers.geometry.iloc[0])
    corners = np.cumsum(np.hypot(*np.diff(xy, axis=0).T))[:-1]
    keys, tables = [], []
    for side, i in itertools.product((0, 1), range(len(stations))):
        if (np.abs(corners - stations[i]) < 1e-4).any():
            for a, move in enumerate(moves):
                ends = stations[i] + np.array([-2e-3, 2e-3])
                keys.append((side, i, a))
                tables.append(_side(case, ends, side, np.array([move, move])))
    return dict(zip(keys, _drawn(case, tables), strict=True))


def compared(seed: int) -> tuple[float, float, pd.Series]:
    """Cost of the design found, of the best by exhaustive search, and the design's proof."""
    case = chance(seed)
    best = pg.least_demolition(case.rivers, case.widths, case.buildings, case.limits)
    scale = pg.river.river_scales(case.rivers)["R"]
    stations = scale.measure(best.widths["chainage_m"].to_numpy())
    proof = best.certificate.iloc[0]
    return float(proof["total_floor_area_m2"]), exhaustive(case, np.asarray(stations)), proof


def main(many: int) -> None:
    """Print how many are equal, and how much dearer the others are."""
    warnings.simplefilter("ignore")
    rows = []
    start = time.process_time()
    for seed in range(many):
        found, wanted, proof = compared(seed)
        between, bound = proof["decided_between"], proof["drawn_bound_floor_area_m2"]
        rows.append((between, found, wanted, bound))
        if found > wanted + 0.01:
            print(
                f"river {seed}: {between} decided between stations, {found:.2f} for {wanted:.2f}",
                flush=True,
            )
        if (
            found < wanted - 0.01
            or (between == 0 and found > wanted + 0.01)
            or bound > wanted + 0.01
        ):
            print("WRONG", seed, between, found, wanted, bound)
    between, found, wanted, bound = np.array(rows).T
    none, over = between == 0, found / np.maximum(wanted, 1e-9) - 1
    same = np.abs(found - wanted) < 0.01
    print(
        f"{many} rivers, {time.process_time() - start:.0f} s CPU. Nothing decided between stations: "
        f"{none.sum()}, {same[none].sum()} of them equal to exhaustive search. Others: "
        f"{(~none).sum()}, {same[~none].sum()} equal, the rest {np.round(100 * np.sort(over[~same]), 2)} % dearer"
        f"; cheaper: {(found < wanted - 0.01).sum()}. "
        f"Bound of all drawn lines: above the optimum {(bound > wanted + 0.01).sum()} times, equal to "
        f"the total {(found - bound < 0.01).sum()} times."
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
