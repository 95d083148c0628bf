"""The cheapest line under local rules: exhaustive search, HiGHS, published optima, laws."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from pinghu_geo.search.mincut import LocalProblem, _cost_unit, solve, value


def random_problem(seed, *, stations=4, levels=4, buildings=4, pair=True, across=0, holes=0.1):
    rng = np.random.default_rng(seed)
    works = np.round(rng.uniform(0, 60, (2, stations, levels)), 2)
    works[rng.random(works.shape) < holes] = np.inf
    rows = []
    for b in range(buildings):
        for side in (0, 1) if b < across else (int(rng.integers(2)),):
            for i in rng.choice(
                stations, size=min(int(rng.integers(1, 4)), stations), replace=False
            ):
                rows.append((b, side, int(i), int(rng.integers(1 if b < across else 0, levels))))
    who, side, station, level = (np.array([r[j] for r in rows], int) for j in range(4))
    least = np.sort(
        rng.integers(0, levels + (1 if rng.random() < 0.2 else 0), (stations, levels)), axis=1
    )
    return LocalProblem(
        works, who, side, station, level, np.round(rng.uniform(5, 90, buildings), 2),
        int(rng.integers(1, 3)), float(rng.integers(0, 4)), least[:, ::-1] if pair else None,
    )  # fmt: skip


def exhaustive(problem):
    n, k = problem.works.shape[1:]
    lines = itertools.product(range(k), repeat=2 * n)
    return min(value(problem, np.array(line).reshape(2, n)) for line in lines)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.integers(0, 2))
def test_optimum_is_that_of_exhaustive_search(seed, pair, across):
    problem = random_problem(seed, stations=3, levels=3, pair=pair, across=across)
    found, best = solve(problem), exhaustive(problem)
    if found is None:
        assert best == np.inf
        return
    assert found.cost == pytest.approx(best, abs=1e-6)
    assert found.cost == pytest.approx(value(problem, found.levels))
    assert found.gap == pytest.approx(0, abs=1e-6)


def milp(problem):
    """The same model as a mixed-integer programme, written down without the cut's tricks."""
    _, n, k = problem.works.shape
    x = np.arange(2 * n * k).reshape(2, n, k)  # level is exactly k
    y = x.size + np.arange(len(problem.cost))
    z = y[-1] + 1 + np.arange(2 * (n - 1)).reshape(2, n - 1)  # change of level
    size = z.size + x.size + len(y)
    cost = np.zeros(size)
    cost[x] = np.where(np.isfinite(problem.works), problem.works, 0)
    cost[y], cost[z] = problem.cost, problem.change_cost
    upper = np.ones(size)
    upper[x[~np.isfinite(problem.works)]] = 0
    upper[z] = problem.most_change
    rows, low, high = [], [], []

    def rule(terms, lo, hi):
        row = np.zeros(size)
        for index, factor in terms:
            row[index] += factor
        rows.append(row)
        low.append(lo)
        high.append(hi)

    for s, i in itertools.product(range(2), range(n)):
        rule([(x[s, i], 1)], 1, 1)
        if i + 1 < n:
            step = [(x[s, i], np.arange(k)), (x[s, i + 1], -np.arange(k))]
            rule([*step, (z[s, i], -1)], -np.inf, 0)
            rule([*step, (z[s, i], 1)], 0, np.inf)
    for b, s, i, q in zip(problem.who, problem.side, problem.station, problem.level, strict=True):
        rule([(x[s, i, q:], 1), (y[b], -1)], -np.inf, 0)
    if problem.least_right is not None:
        for i, left in itertools.product(range(n), range(k)):
            least = problem.least_right[i, left]
            rule([(x[0, i, : left + 1], 1), (x[1, i, least:], -1)], -np.inf, 0)
    integral = np.zeros(size)
    integral[x] = 1
    done = optimize.milp(
        cost, integrality=integral, bounds=optimize.Bounds(0, upper),
        constraints=optimize.LinearConstraint(sparse.csr_matrix(np.array(rows)), low, high),
    )  # fmt: skip
    return done.fun if done.success else np.inf


@pytest.mark.parametrize("seed", range(6))
def test_optimum_is_that_of_highs_on_medium_instances(seed):
    problem = random_problem(seed, stations=30, levels=8, buildings=25, holes=0.02, across=seed % 3)
    found, best = solve(problem), milp(problem)
    assert (found is None) == (best == np.inf)
    if found is not None:
        assert found.cost == pytest.approx(best, abs=1e-4)
        assert found.gap == pytest.approx(0, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_laws(seed):
    problem = random_problem(seed, stations=5, levels=5, buildings=6, holes=0.0)
    found = solve(problem)
    fewer = replace(problem, cost=np.append(problem.cost[:-1], 0.0))
    freer = replace(problem, most_change=problem.most_change + 1)
    dearer = replace(
        problem, works=problem.works * 3, cost=problem.cost * 3, change_cost=problem.change_cost * 3
    )
    back = replace(
        problem,
        works=problem.works[:, ::-1],
        station=problem.works.shape[1] - 1 - problem.station,
        least_right=problem.least_right[::-1],
    )
    if found is None:
        assert solve(fewer) is None
        return
    assert solve(fewer).cost <= found.cost + 1e-6  # one building less never costs more
    assert solve(freer).cost <= found.cost + 1e-6  # nor does a gentler rule
    assert solve(dearer).cost == pytest.approx(3 * found.cost, abs=1e-5)
    assert solve(back).cost == pytest.approx(found.cost, abs=1e-6)  # upstream or downstream


@pytest.mark.parametrize("seed", range(5))
def test_costs_beyond_32_bits_are_exact_too(seed):
    """scipy's flows wrap around at 2**31; these costs need 50 bits."""
    problem = random_problem(seed, stations=3, levels=3, pair=False, holes=0.0)
    scale = 1e9 + 7
    huge = replace(
        problem,
        works=np.round(problem.works * scale),
        cost=np.round(problem.cost * scale),
        change_cost=round(problem.change_cost * scale),
    )
    found = solve(huge)
    assert found.cost == exhaustive(huge)
    assert found.gap == 0


@pytest.mark.parametrize("k", range(10))
def test_published_optima(shared, k):
    path = shared / "reference" / "optimiser" / "P1_redline_local_10.json"
    case = json.loads(path.read_text("utf-8"))["cases"][k]
    works = np.array(
        [[[np.inf if v is None else v for v in r] for r in s] for s in case["works_cost"]]
    )
    rows = [
        (b, x["side"], int(i), q)
        for b, x in enumerate(case["buildings"])
        for i, q in x["touched_from_level"].items()
    ]
    who, side, station, level = (np.array([r[j] for r in rows]) for j in range(4))
    cost = np.array([x["cost"] for x in case["buildings"]])
    found = solve(LocalProblem(works, who, side, station, level, cost, case["max_level_change"]))
    assert found.cost == pytest.approx(case["optimum"], abs=0.005)
    assert found.gap == pytest.approx(0, abs=1e-6)


def test_rules_that_no_line_keeps_are_told_where_sums_fill_64_bits():
    """One station allows no level at all; what nothing may cut adds up beyond 64 bits."""
    works = np.full((2, 40, 4), 4e17 / 320)
    works[0, 20, :] = np.inf
    none = np.zeros(0, int)
    problem = LocalProblem(works, none, none, none, none, np.zeros(0), 1)
    assert solve(problem) is None
    works[0, 20, 2] = 7.0
    assert solve(problem).levels[0, 20] == 2


def test_costs_are_counted_as_finely_as_64_bits_hold():
    """20,000 of 123,456,789.123457: in millionths they are more than 2^60, in tenths of them not."""
    works = np.full((2, 1000, 10), 123_456_789.123457)
    many = replace(random_problem(0), works=works, cost=np.zeros(4), change_cost=0.0)
    assert _cost_unit(many) == pytest.approx(1e-5)
    assert _cost_unit(replace(many, works=works[:, :10])) == pytest.approx(1e-6)


def test_so_many_buildings_between_both_sides_are_refused_unless_they_go_anyway():
    """Nine that either side may spare are 512 problems; nine that stand in the line are none."""
    who = np.repeat(np.arange(9), 2)
    side = np.tile([0, 1], 9)
    works = np.zeros((2, 1, 3))
    works[:, :, 0] = 100.0  # to keep off costs more than a building
    common = (works, who, side, np.zeros(18, int))
    rest = (np.full(9, 10.0), 1)
    with pytest.raises(ValueError, match="9 buildings can be touched from both sides"):
        solve(LocalProblem(*common, np.full(18, 2), *rest))
    found = solve(LocalProblem(*common, np.zeros(18, int), *rest))
    assert found.cost == 90.0
    assert found.gap == 0


@pytest.mark.parametrize("seed", range(4))
def test_costs_finer_than_a_millionth_leave_a_gap_that_is_true(seed):
    """Each of six levels may be counted a millionth too cheap, and the line is as much dearer."""
    none = np.zeros(0, int)
    works = np.random.default_rng(seed).uniform(0, 60, (2, 3, 3))
    problem = LocalProblem(works, none, none, none, none, np.zeros(0), 2)
    found, best = solve(problem), exhaustive(problem)
    assert found.bound <= best <= found.cost == value(problem, found.levels)
    assert 0 < found.gap <= 6e-6


@pytest.mark.parametrize("dear", [0, 1])
def test_of_two_levels_that_count_the_same_the_bound_knows_the_cheaper(dear):
    """Half a millionth dearer is the lower level of both banks, or the upper one."""
    none = np.zeros(0, int)
    works = np.full((2, 1, 2), 3.0)
    works[:, :, dear] += 5e-7
    found = solve(LocalProblem(works, none, none, none, none, np.zeros(0), 1))
    assert found.bound == pytest.approx(6.0, abs=1e-9)
    assert found.gap == pytest.approx(found.cost - 6.0, abs=1e-9)
