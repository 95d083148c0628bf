"""One optimum for the whole river: exhaustive search through `water_profile`, and its laws."""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from conftest import building_frame, river_frame

SHARED = Path(__file__).resolve().parents[2] / "shared" / "reference" / "optimiser"
RATES = pd.DataFrame({"building_yuan_m2": [1000.0]})
LOSSES = {"contraction": 0.1, "expansion": 0.3}


def channel(bed, at, *, half, top, n, n_wall, river="A"):
    table = pd.DataFrame({"river": river, "chainage_m": at, "bed_level_m": bed, "n": n})
    return pg.design_sections(
        table.assign(left_m=half, right_m=half, bank_level_m=np.asarray(bed) + top, n_wall=n_wall)
    )


def line(length, offset=10.0, river="A"):
    return pd.DataFrame(
        {"river": river, "chainage_m": [0.0, length], "left_m": offset, "right_m": offset}
    )


def searched(case, **more):
    """The search on one case of the shape of joint_two_nodes.json."""
    at = np.array(case["stations_m"])
    houses = {b["id"]: shapely.box(*b["bounds_m"]) for b in case["buildings"]}
    return pg.least_demolition_within_rise(
        river_frame({"A": [(0, 0), (at[-1], 0)]}),
        line(at[-1], case["offset_m"]),
        building_frame(houses, floors=[b["floors"] for b in case["buildings"]]),
        sections_of(case),
        case["discharge_m3s"],
        {"slope": case["downstream_slope"]},
        case["limits"],
        allowed_mm=case["allowed_mm"],
        rates=pd.DataFrame({"building_yuan_m2": [case["yuan_m2_floor"]]}),
        **more,
    )


def sections_of(case):
    return channel(
        case["bed_level_m"], np.array(case["stations_m"]), half=case["half_m"],
        top=case["bank_above_bed_m"], n=case["n"], n_wall=case["n_wall"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def cases():
    path = SHARED / "joint_two_nodes.json"
    if not path.exists():
        pytest.skip("needs shared/reference/optimiser beside the checkout")
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("k", range(24))
def test_two_nodes_that_compete_for_one_rise(cases, k):
    best = searched(cases[k], node_stations=5)
    assert best.nodes["total_yuan"].sum() == pytest.approx(cases[k]["joint_optimum_yuan"])
    assert best.certificate["proof"].tolist() == ["optimal"]
    assert best.largest_rise_mm <= cases[k]["allowed_mm"]


def hit(every, at, x0, x1, room):
    """Which lines, drawn straight between stations, move farther than a wall from x0 to x1 allows."""
    ends = np.union1d([x0, x1], at[(at > x0) & (at < x1)])
    return (np.array([np.interp(ends, at, moves) for moves in every]) > room).any(axis=1)


def exhaustive(case):
    """Cost of the cheapest of all designs of the left bank that keep the rise allowed.

    Designs in order of cost, each through `water_profile`, which the search knows nothing of.
    """
    at, limits = np.array(case["stations_m"]), case["limits"]
    moves = np.arange(-limits["inward_m"], limits["outward_m"] + 1)
    every = np.array(list(itertools.product(moves, repeat=len(at) - 2)))
    every = np.pad(every, ((0, 0), (1, 1)))
    steep = np.abs(np.diff(every, axis=1)) > limits["taper"] * np.diff(at) + 1e-9
    every = every[~steep.any(axis=1)]
    cost = np.abs(every) @ np.r_[10.0, np.full(len(at) - 2, 20.0), 10.0]
    for b in case["buildings"]:
        x0, y0, x1, y1 = b["bounds_m"]
        price = round((x1 - x0) * (y1 - y0) * b["floors"] * case["yuan_m2_floor"])
        cost += price * hit(every, at, x0, x1, y0 - limits["clear_m"] - case["offset_m"])
    base = sections_of(case)
    flow, ends = case["discharge_m3s"], {"slope": case["downstream_slope"]}
    still = pg.water_profile(base, flow, ends, **LOSSES)["level_m"].to_numpy()
    many = len(base) // len(at)
    order = np.argsort(cost, kind="stable")
    for some in np.array_split(order, max(len(order) // 128, 1)):
        tables = [
            base.assign(
                offset_m=base["offset_m"]
                - np.where(base["offset_m"] < 0, np.repeat(every[k], many), 0.0),
                scheme=f"{i:03d}",
            )
            for i, k in enumerate(some)
        ]
        found = pg.water_profile(pd.concat(tables), flow, ends, **LOSSES)
        level = found.sort_values(["scheme", "chainage_m"])["level_m"].to_numpy()
        rise = level.reshape(len(some), -1) - still
        fine = (rise <= case["allowed_mm"] / 1000 - 2e-5 + 1e-9).all(axis=1)
        if fine.any():
            return cost[some[np.argmax(fine)]]
    raise AssertionError("not even the approved line keeps the rise")


def designs(stations, limits):
    """All moves of one bank with both ends as approved, and what they cost by themselves."""
    moves = np.arange(-limits["inward_m"], limits["outward_m"] + 1)
    every = np.pad(np.array(list(itertools.product(moves, repeat=stations - 2))), ((0, 0), (1, 1)))
    return every, np.abs(every) @ np.r_[10.0, np.full(stations - 2, 20.0), 10.0]


def fork(seed, *, rival=False):
    """Two rivers that join, houses on the left bank of each, one rise.

    ``rival``: the river at the mouth has cheap houses just below the confluence, so that to spare
    them takes rise from the dear ones of the other.
    """
    rng = np.random.default_rng(seed)
    at = {"A": np.arange(0, 201.0, 20.0), "B": np.arange(0, 121.0, 20.0)}
    joins = float(rng.choice([50.0, 60.0, 75.0] if rival else [30.0, 70.0, 110.0, 150.0, 187.0]))
    lines = {"A": [(0, 0), (200, 0)], "B": [(joins, 320), (joins, 200)]}
    beds = {"A": 0.002 * (200 - at["A"]), "B": 0.002 * (200 - joins) + 0.002 * (120 - at["B"])}
    houses, floors, taken = {}, [], {"A": [], "B": []}
    for k in range(4):
        river, near = "AABB"[k], rng.uniform(9.1, 9.9)
        x = (
            rng.uniform(70, 100) + 30 * (k % 2)
            if river == "A"
            else rng.uniform(25, 45) + 30 * (k % 2)
        )
        box = [x, near, x + 14, 20.0]
        if river == "B":  # the left bank of a river that runs south lies to the east
            box = [joins + near, 320 - x - 14, joins + 20, 320 - x]
        houses[f"{river}{k}"] = shapely.box(*box)
        floors.append(int(rng.integers(1, 7)) * (5 if rival and river == "B" else 1))
        taken[river].append((x, x + 14, near, round(14 * (20 - near) * floors[-1] * 1000.0)))
    sections = {
        r: channel(beds[r], at[r], half=8.0, top=5.0, n=0.028, n_wall=0.022, river=r) for r in at
    }
    flows = pd.DataFrame(
        {"river": ["A", "B"], "chainage_m": 0.0, "discharge_m3s": [rng.uniform(50, 80), rng.uniform(20, 45)]}
    )  # fmt: skip
    ends = pd.DataFrame(
        {"river": ["A", "B"], "slope": [0.002, np.nan], "joins": [None, "A"], "joins_at_m": [np.nan, joins]}
    )  # fmt: skip
    return {
        "rivers": river_frame(lines), "houses": building_frame(houses, floors=floors),
        "sections": sections, "flows": flows, "ends": ends, "taken": taken, "at": at,
        "allowed_mm": float(rng.choice([30, 40, 50, 60] if rival else [5, 10, 15, 20, 30])),
        "limits": {"inward_m": 1, "outward_m": 0, "step_m": 1, "taper": 0.1, "clear_m": 0.02},
    }  # fmt: skip


def searched_fork(case):
    return pg.least_demolition_within_rise(
        case["rivers"],
        pd.concat([line(case["at"][r][-1], river=r) for r in "AB"]),
        case["houses"],
        pd.concat(case["sections"].values()),
        case["flows"],
        case["ends"],
        case["limits"],
        allowed_mm=case["allowed_mm"],
        rates=RATES,
        locks=pd.concat([LOCKED, LOCKED.assign(river="B")]),
    )


def exhaustive_fork(case):
    """Cost of the cheapest pair of left banks that keeps the rise on both rivers."""
    every, cost = {}, {}
    for river, at in case["at"].items():
        every[river], cost[river] = designs(len(at), case["limits"])
        for x0, x1, near, price in case["taken"][river]:
            taken = hit(every[river], at, x0, x1, near - case["limits"]["clear_m"] - 10.0)
            cost[river] = cost[river] + price * taken
        # beside the houses that stand there nothing is gained by moving
        beside = np.zeros(len(at), bool)
        for x0, x1, *_ in case["taken"][river]:
            beside[np.searchsorted(at, x0, side="right") - 1 : np.searchsorted(at, x1) + 1] = True
        useful = (every[river][:, ~beside] == 0).all(axis=1)
        every[river], cost[river] = every[river][useful], cost[river][useful]
    pairs = np.array(list(itertools.product(range(len(every["A"])), range(len(every["B"])))))
    total = cost["A"][pairs[:, 0]] + cost["B"][pairs[:, 1]]
    pairs, total = (v[np.argsort(total, kind="stable")] for v in (pairs, total))
    base = pd.concat(case["sections"].values())
    options = {"rivers": case["rivers"], **LOSSES}
    still = pg.water_profile(base, case["flows"], case["ends"], **options)
    for begin in range(0, len(pairs), 96):
        tables = [
            case["sections"][river].assign(
                offset_m=lambda t, m=every[river][k[j]]: (
                    t["offset_m"] - np.where(t["offset_m"] < 0, np.repeat(m, len(t) // len(m)), 0.0)
                ),
                scheme=f"{i:03d}",
            )
            for i, k in enumerate(pairs[begin : begin + 96])
            for j, river in enumerate("AB")
        ]
        found = pg.water_profile(pd.concat(tables), case["flows"], case["ends"], **options)
        was = found[["river", "chainage_m"]].merge(still, how="left")["level_m"].to_numpy()
        worst = (found["level_m"] - was).groupby(found["scheme"]).max()
        fine = (worst <= case["allowed_mm"] / 1000 - 2e-5 + 1e-9).to_numpy()
        if fine.any():
            return total[begin + int(np.argmax(fine))]
    raise AssertionError("not even the approved lines keep the rise")


@pytest.mark.parametrize(("seed", "rival"), [(12, False), (28, False), (2, True)])
def test_two_rivers_that_join_against_exhaustive_search(seed, rival):
    case = fork(seed, rival=rival)
    best = searched_fork(case)
    assert best.certificate["total_yuan"].sum() == pytest.approx(exhaustive_fork(case))
    assert best.certificate["proof"].tolist() == ["optimal"] * 2
    assert best.largest_rise_mm <= case["allowed_mm"]


LOCKED = pd.DataFrame({"river": ["A"], "from_m": [0.0], "to_m": [1e4], "bank": ["right"]})


def street(seed, nodes):
    """Houses on the left bank, a node each, with one station between nodes, for one rise."""
    rng = np.random.default_rng(seed)
    length = 20.0 * (5 * nodes - 1)
    at = np.arange(0, length + 1e-9, 20.0)
    houses = [
        {
            "id": f"H{k}",
            "floors": int(rng.integers(1, 7)),
            "bounds_m": [22.0 + 100 * k, rng.uniform(9.1, 9.9), 38.0 + 100 * k, 20.0],
        }
        for k in range(nodes)
    ]
    return {
        "stations_m": at.tolist(), "bed_level_m": (0.003 * (length - at)).tolist(), "half_m": 8.0,
        "bank_above_bed_m": 5.0, "n": 0.028, "n_wall": 0.022,
        "discharge_m3s": float(rng.uniform(60, 90)), "downstream_slope": 0.003, "offset_m": 10.0,
        "limits": {"inward_m": 1, "outward_m": 0, "step_m": 1, "taper": 0.1, "clear_m": 0.02},
        "allowed_mm": float(rng.choice([10, 15, 20, 30])), "yuan_m2_floor": 1000.0,
        "buildings": houses,
    }  # fmt: skip


@pytest.mark.parametrize("seed", [1, 4])
def test_three_nodes_against_exhaustive_search(seed):
    case = street(seed, 3)
    best = searched(case, locks=LOCKED)
    assert len(best.nodes) == 3
    assert best.nodes["total_yuan"].sum() == pytest.approx(exhaustive(case))
    assert best.certificate["proof"].tolist() == ["optimal"]
