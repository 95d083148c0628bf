"""The cheapest line: minimum cut against greedy search and HiGHS; one node with the water in it.

Run ``uv run python benchmarks/optimise.py``. 2,100 stations, 30 offsets, 2 banks, 1,500 buildings, drawn by
chance; then the sample's four rivers, drawing, counting and comparing included.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import replace

import numpy as np
from scipy import optimize, sparse

import pinghu_geo as pg
from pinghu_geo.mincut import LocalProblem, solve, touches, value


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


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
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
    sample = pg.sample_folder()
    rivers = pg.read_layer(sample / "河道.shp", "rivers")
    buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    rates = pg.read_table(sample / "补偿标准_示例.csv", "rates")
    start = time.process_time()
    done = pg.least_demolition(rivers, widths, buildings, {"clear_m": 0.3}, rates=rates)
    print(
        f"sample, four rivers, drawn and counted: {time.process_time() - start:.1f} s; {done.summary()[0]}"
    )


if __name__ == "__main__":
    main()
