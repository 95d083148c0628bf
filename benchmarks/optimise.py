"""The cheapest line: minimum cut against greedy search and HiGHS; one node with the water in it.

Run ``uv run python benchmarks/optimise.py``. 2,100 stations, 30 offsets, 2 banks, 1,500 buildings, drawn by
chance; nodes of 25 and 40 stations with fifteen options a bank; then the sample's four rivers, drawing,
counting and comparing included, and HEC-RAS's methods 4 and 5, which know nothing of buildings.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import optimize, sparse

import pinghu_geo as pg
from pinghu_geo.flood.sections import Ground, pack
from pinghu_geo.flood.steady import Model
from pinghu_geo.search.mincut import LocalProblem, solve, touches, value
from pinghu_geo.search.problem import NodeProblem
from pinghu_geo.search.trials import solve_node


def chance(stations: int, levels: int, buildings: int, seed: int = 0) -> LocalProblem:
    """Works that grow away from the middle level, buildings of three stations each."""
    rng = np.random.default_rng(seed)
    works = np.abs(np.arange(levels) - 0.6 * levels) * 5000.0
    works = np.round(works + rng.uniform(0, 3000, (2, stations, levels)))
    works[:, :, :3] = np.inf
    who = np.repeat(np.arange(buildings), 3)
    station = np.repeat(rng.integers(1, stations - 1, buildings), 3) + np.tile(
        [-1, 0, 1], buildings
    )
    level = np.repeat(rng.integers(levels // 5, levels, buildings), 3) + rng.integers(
        0, 3, len(who)
    )
    need = np.clip(round(1.2 * levels) - np.arange(levels), 0, levels)
    return LocalProblem(
        works, who, np.repeat(rng.integers(0, 2, buildings), 3), station,
        np.minimum(level, levels - 1), np.round(rng.uniform(2e5, 4e6, buildings)), 2, 20.0,
        np.tile(need, (stations, 1)),
    )  # fmt: skip


def greedy(problem: LocalProblem, start: np.ndarray, passes: int = 2) -> float:
    """Building by building: draw the line in beside it, and out opposite, if that is cheaper."""
    levels, best = start.copy(), value(problem, start)
    for _ in range(passes):
        for b in np.argsort(-problem.cost):
            rows = np.flatnonzero(problem.who == b)
            if not touches(problem, levels)[b]:
                continue
            trial = levels.copy()
            for t in rows:
                s, i = problem.side[t], problem.station[t]
                give = trial[s, i] - (problem.level[t] - 1)
                reach = np.arange(max(i - 12, 0), min(i + 13, trial.shape[1]))
                taper = np.maximum(give - problem.most_change * np.abs(reach - i), 0)
                trial[s, reach] = np.minimum(trial[s, reach], levels[s, reach] - taper)
                trial[1 - s, reach] = np.maximum(trial[1 - s, reach], levels[1 - s, reach] + taper)
            if (trial < 0).any() or (trial >= problem.works.shape[2]).any():
                continue
            if (cost := value(problem, trial)) < best:
                levels, best = trial, cost
    return best


def highs(problem: LocalProblem) -> tuple[float, float]:
    """The same model for HiGHS: [level >= k] as variables; its optimum and CPU seconds."""
    _, n, k = problem.works.shape
    x = np.arange(2 * n * (k + 1)).reshape(2, n, k + 1)  # level >= 0 .. k
    y = x.size + np.arange(len(problem.cost))
    z = x.size + len(y) + np.arange(2 * (n - 1) * (k - 1)).reshape(2, n - 1, k - 1)
    size = x.size + len(y) + z.size
    cost, lower, upper = np.zeros(size), np.zeros(size), np.ones(size)
    finite = np.where(np.isfinite(problem.works), problem.works, 1e9)
    cost[x[:, :, 1:k]] = np.diff(finite, axis=2)
    cost[y], cost[z] = problem.cost, problem.change_cost
    lower[x[:, :, 0]], upper[x[:, :, k]] = 1, 0
    pairs = [(x[:, :, 1:], x[:, :, :-1])]  # a <= b
    d = problem.most_change
    pairs += [(x[:, 1:, d:], x[:, :-1, : k + 1 - d]), (x[:, :-1, d:], x[:, 1:, : k + 1 - d])]
    pairs += [(x[problem.side, problem.station, problem.level], y[problem.who])]
    a, b = (np.concatenate([p[j].ravel() for p in pairs]) for j in (0, 1))
    rows = np.arange(len(a))
    parts = [
        sparse.csr_matrix(
            (np.r_[np.ones(len(a)), -np.ones(len(a))], (np.r_[rows, rows], np.r_[a, b])),
            (len(a), size),
        )
    ]
    high = [np.zeros(len(a))]
    for one, other in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
        u, v, w = x[:, one, 1:k].ravel(), x[:, other, 1:k].ravel(), z.ravel()
        r = np.arange(len(u))
        parts.append(
            sparse.csr_matrix(
                (np.r_[np.ones(len(u)), -np.ones(2 * len(u))], (np.r_[r, r, r], np.r_[u, v, w])),
                (len(u), size),
            )
        )
        high.append(np.zeros(len(u)))
    station, left = np.nonzero(problem.least_right > 0)
    u, v = x[0, station, left + 1], x[1, station, problem.least_right[station, left]]
    r = np.arange(len(u))
    parts.append(
        sparse.csr_matrix((-np.ones(2 * len(u)), (np.r_[r, r], np.r_[u, v])), (len(u), size))
    )
    high.append(-np.ones(len(u)))
    start = time.process_time()
    done = optimize.milp(
        cost, integrality=np.zeros(size), bounds=optimize.Bounds(lower, upper),
        constraints=optimize.LinearConstraint(sparse.vstack(parts), -np.inf, np.concatenate(high)),
    )  # fmt: skip
    return float(done.fun + finite[:, :, 0].sum()), time.process_time() - start


def node(stations: int, seed: int, buildings: int) -> tuple[NodeProblem, np.ndarray]:
    """Five offsets by three walls on each bank (earth, slope, smooth), 3 cm of rise, by chance."""
    rng = np.random.default_rng(seed)
    walls = [(0.0, 0.015, 30), (0.5, 0.022, 18), (1.0, 0.028, 8)]
    options = [(k, w, 7.0 + k - 2.5 * s, s, n, c + 2 * k) for k in range(5)
               for w, (s, n, c) in enumerate(walls)]  # fmt: skip
    bed = 0.02 * (stations - 1 - np.arange(stations))
    rows = np.arange(stations * 225).reshape(stations, 15, 15)
    parts = []
    for i in range(stations):
        for _, _, a, sa, na, _ in options:
            for _, _, b, sb, nb, _ in options:
                x = [-a - sa * 20, -a, 0, b, b + sb * 20]
                parts.append(
                    (x, bed[i] + np.array([20, 0, 0, 0, 20.0]), [na, 0.028, 0.028, nb, nb])
                )
    x, z, n = (np.concatenate([p[k] for p in parts]) for k in range(3))
    ground = Ground(x.astype(float), z, n.astype(float), np.full(rows.size, 5))
    none = np.full(rows.size, np.nan)
    model = Model(pack(ground, banks=(none, none)), rows.reshape(-1, 1), np.full((rows.size, 1), 110.0),
                  np.full((rows.size, 3), 20.0), np.full(rows.size, 0.1), np.full(rows.size, 0.3))  # fmt: skip
    level, wall, price = (np.array([o[k] for o in options]) for k in (0, 1, 5))
    far = np.abs(level[:, None] - level)
    change = np.where(far <= 2, 2.0 * far + 5 * (wall[:, None] != wall), np.inf)
    works = np.tile(price, (2, stations, 1)).astype(float)
    works[:, [0, -1], :14] = np.inf
    touch = np.zeros((buildings, 2, stations, 15), bool)
    for b in range(buildings):
        i, q, side = (
            int(rng.integers(1, stations - 2)),
            int(rng.integers(1, 5)),
            int(rng.integers(2)),
        )
        touch[b, side, i], touch[b, side, i + 1] = (
            level >= q,
            level >= max(1, q - int(rng.integers(2))),
        )
    base = np.full((2, stations), 14)
    problem = NodeProblem(
        model, rows, np.full(stations, 110.0), works, change, touch,
        rng.integers(60, 400, buildings).astype(float), 3.0, np.full(stations, 99.0),
    )  # fmt: skip
    levels = np.full(stations, 3.0)
    for i in range(stations - 2, -1, -1):
        below = model.state(rows[[i + 1], 14, 14], np.array([110.0]), levels[[i + 1]])
        levels[i] = model.step(rows[[i], 14, 14], np.array([110.0]), below)[0].level[0]
    return replace(problem, most_level=levels + 0.03), base


def floodways(river: str, allowed_mm: float) -> None:
    """The same rise by HEC-RAS's methods 4 and 5, greedy by floor area, and by the search."""
    sample = pg.sample_folder()
    rivers = pg.read_layer(sample / "河道.shp", "rivers").loc[[river]]
    buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    rates = pg.read_table(sample / "补偿标准_示例.csv", "rates")
    widths, design, flows = (
        pg.read_table(sample / f"{f}.csv", n)
        for f, n in (("红线宽度_原方案", "widths"), ("设计断面", "design"), ("设计流量", "flows"))
    )
    widths, design, flows = (t[t["river"] == river] for t in (widths, design, flows))
    sections, slope = pg.design_sections(design), {"slope": 0.0022}
    limits = {"inward_m": 6, "outward_m": 0, "step_m": 0.5, "clear_m": 0.02}
    best = pg.least_demolition_within_rise(
        rivers,
        widths,
        buildings,
        sections,
        flows,
        slope,
        limits,
        allowed_mm=allowed_mm,
        rates=rates,
    )
    line = pg.red_line(rivers, widths)
    schemes = {"approved": line, "search": best.comparison.schemes["控制壅高"].red_line}
    # the channel of these methods is a strip in the middle, so that walls may narrow all the rest
    middle = design[["river", "chainage_m"]].assign(left_bank_m=-2.0, right_bank_m=2.0)
    for method in (4, 5):
        walls = pg.flood.encroachments(
            sections, flows, slope, banks=middle, target_rise_m=allowed_mm / 1000, method=method
        )
        moved = walls[["river", "chainage_m"]].assign(
            left_m=2.0 - walls["left_wall_m"].fillna(-np.inf),
            right_m=2.0 + walls["right_wall_m"].fillna(np.inf),
        )
        old = widths.sort_values("chainage_m")
        for c in ("left_m", "right_m"):
            approved = np.interp(moved["chainage_m"], old["chainage_m"], old[c])
            moved[c] = np.minimum(moved[c], approved)
        schemes[f"method {method}"] = pg.red_line(rivers, moved)
    found = pg.compare(schemes, buildings, rivers, rates=rates)
    base = found.totals["cost_yuan"].iloc[0]
    print(f"{river}, walls may only move inward, {allowed_mm:g} mm of rise; compensation avoided:")
    for name in list(schemes)[1:]:
        row = found.totals.loc[name]
        print(
            f"  {name}: {(base - row['cost_yuan']) / 1e6:.1f} million yuan, {row['n_buildings']:.0f} buildings left"
        )


def town(length_m: float, many: int, seed: int = 0) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """A winding river with a corner every 10 m, and houses whose fronts stand 6 to 16 m from it."""
    rng = np.random.default_rng(seed)
    turn = np.cumsum(rng.normal(0, 0.02, int(length_m / 10)))
    turn = np.sin(np.arange(len(turn)) / 40) + 0.3 * np.sin(turn)
    xy = np.vstack(
        [[0.0, 0.0], np.cumsum(10 * np.stack([np.cos(turn), np.sin(turn)], axis=1), axis=0)]
    )
    line = shapely.LineString(xy)
    rivers = gpd.GeoDataFrame(index=pd.Index(["R"], name="river"), geometry=[line], crs=4547)
    houses = []
    for at in rng.uniform(0, line.length, many):
        k = min(int(at / 10), len(turn) - 1)
        box = shapely.box(-rng.uniform(3, 8), 0, rng.uniform(3, 8), rng.uniform(6, 12))
        box = shapely.affinity.translate(box, 0, rng.uniform(6, 16))
        box = shapely.affinity.rotate(box, rng.normal(0, 0.1), origin=(0, 0), use_radians=True)
        box = shapely.affinity.scale(box, 1, rng.choice([-1, 1]), origin=(0, 0))
        box = shapely.affinity.rotate(box, turn[k], origin=(0, 0), use_radians=True)
        place = line.interpolate(at)
        houses.append(shapely.affinity.translate(box, place.x, place.y))
    buildings = gpd.GeoDataFrame(
        {"floor_area_m2": rng.uniform(80, 900, many).round()},
        index=pd.Index([f"H{k}" for k in range(many)], name="building_id"), geometry=houses, crs=4547,
    )  # fmt: skip
    return rivers, buildings


def drawn() -> None:
    """21 km with 1,500 houses, from footprints to the line drawn, counted and compared."""
    rivers, buildings = town(21_000, 1500)
    start = time.process_time()
    best = pg.least_demolition(rivers, 10.0, buildings, {})
    spent = time.process_time() - start
    print(f"21 km, 1,500 houses, drawn and counted: {spent:.1f} s CPU")
    print(best.certificate.T.to_string())


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    drawn()
    problem = chance(2100, 30, 1500)
    start = time.process_time()
    best = solve(problem)
    cut = time.process_time() - start
    assert best is not None
    print(f"minimum cut: {best.cost:,.0f} yuan in {cut:.2f} s, gap {best.gap:g}")
    middle = np.full((2, 2100), 18)
    start = time.process_time()
    found = greedy(problem, middle)
    print(f"greedy: {found / best.cost - 1:+.2%} in {time.process_time() - start:.1f} s")
    print(f"nothing moved: {value(problem, middle) / best.cost - 1:+.1%}")
    optimum, spent = highs(replace(problem))
    print(
        f"HiGHS (linear programme): {optimum / best.cost - 1:+.1e} relative in {spent:.1f} s, {spent / cut:.0f}x"
    )
    for stations in (25, 40):
        spent, proven = [], 0
        for seed, many in ((0, 10), (1, 10), (0, 25), (1, 25), (2, 25)):
            case, base = node(stations, seed, many * stations // 25)
            start = time.perf_counter()
            done = solve_node(case, known=base)
            spent.append(time.perf_counter() - start)
            proven += done.proven
        print(
            f"node of {stations} stations: {np.round(spent, 1)} s, {proven} of {len(spent)} proven"
        )
    floodways("木古河", 50)
    sample = pg.sample_folder()
    rivers = pg.read_layer(sample / "河道.shp", "rivers")
    buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    rates = pg.read_table(sample / "补偿标准_示例.csv", "rates")
    start = time.process_time()
    local = pg.least_demolition(rivers, widths, buildings, {"clear_m": 0.3}, rates=rates)
    print(
        f"sample, four rivers, drawn and counted: {time.process_time() - start:.1f} s; {local.summary()[0]}"
    )
    design, flows, ends = (
        pg.read_table(sample / f"{f}.csv", n)
        for f, n in (("设计断面", "design"), ("设计流量", "flows"), ("边界条件", "boundaries"))
    )
    start = time.process_time()
    within = pg.least_demolition_within_rise(
        rivers, widths, buildings, pg.design_sections(design), flows, ends,
        {"inward_m": 6, "outward_m": 1, "step_m": 0.5, "clear_m": 0.3}, allowed_mm=20, rates=rates,
    )  # fmt: skip
    print(f"sample within 20 mm of rise: {time.process_time() - start:.1f} s; {within.summary()}")


if __name__ == "__main__":
    main()
