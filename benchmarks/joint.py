"""One optimum for the whole river against exhaustive search, on random small rivers.

Run ``uv run python benchmarks/joint.py 300``. Rivers of three and four nodes that share one rise, of
which every design of one bank is tried; two rivers that join, every pair of designs; surveyed
sections, every design of both banks; sections with levees, which are refused. Designs are tried in
order of cost, each through `water_profile`, which the search knows nothing of, until one keeps the
rise; what is drawn between two stations is straight. ``--part=1/4`` takes every fourth river only,
``--log=FILE`` writes a line a river as it is done, and passes over those that the file holds already.
``uv run python benchmarks/joint.py node`` marches nodes of 100 stations with fifteen options a bank,
``... long`` searches rivers of that size; ``--seeds=8,4`` takes four from the eighth on.
"""

from __future__ import annotations

import itertools
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import pinghu_geo as pg

RATES = pd.DataFrame({"building_yuan_m2": [1000.0]})
LOSSES = {"contraction": 0.1, "expansion": 0.3}
SLOPE = {"slope": 0.002}
LOCKED = pd.DataFrame({"river": ["A"], "from_m": [0.0], "to_m": [1e4], "bank": ["right"]})
# what the search keeps below the rise allowed, and what it allows where that leaves nothing [m]
RESERVE_M, EXCESS_M = 2e-5, 1e-6
Case = dict[str, Any]


def river_frame(lines: dict[str, list[tuple[float, float]]]) -> gpd.GeoDataFrame:
    """Rivers from {name: coordinates}."""
    shapes = [shapely.LineString(xy) for xy in lines.values()]
    return gpd.GeoDataFrame(index=pd.Index(list(lines), name="river"), geometry=shapes, crs=4547)


def building_frame(shapes: dict[str, Any], **columns: Any) -> gpd.GeoDataFrame:
    """Buildings from {id: polygon}."""
    ids = pd.Index(list(shapes), name="building_id")
    return gpd.GeoDataFrame(columns, index=ids, geometry=list(shapes.values()), crs=4547)


def channel(
    bed: Any, at: Any, *, half: float, top: float, n: float, n_wall: float, river: str = "A"
) -> pd.DataFrame:
    """Rectangular sections."""
    table = pd.DataFrame({"river": river, "chainage_m": at, "bed_level_m": bed, "n": n})
    return pg.design_sections(
        table.assign(left_m=half, right_m=half, bank_level_m=np.asarray(bed) + top, n_wall=n_wall)
    )


def line(length: float, offset: float = 10.0, river: str = "A") -> pd.DataFrame:
    """The approved line."""
    return pd.DataFrame(
        {"river": river, "chainage_m": [0.0, length], "left_m": offset, "right_m": offset}
    )


def sections_of(case: Case) -> pd.DataFrame:
    """Sections of a case of the shape of joint_two_nodes.json."""
    return channel(
        case["bed_level_m"], np.array(case["stations_m"]), half=case["half_m"],
        top=case["bank_above_bed_m"], n=case["n"], n_wall=case["n_wall"],
    )  # fmt: skip


def flows_of(case: Case) -> Any:
    """The flood of a case, or all its floods: ``floods`` is {name: (discharge, rise allowed)}."""
    if "floods" not in case:
        return case["discharge_m3s"]
    flows = {name: flow for name, (flow, _) in case["floods"].items()}
    return pd.DataFrame({"profile": list(flows), "discharge_m3s": list(flows.values())})


def allowed_of(case: Case) -> Any:
    """The rise allowed, or that of each flood."""
    if "named" in case:
        return case["named"]
    if "floods" not in case:
        return float(case["allowed_mm"])
    return {name: mm for name, (_, mm) in case["floods"].items()}


def highest(allowed_mm: Any) -> Any:
    """Rise that designs of the search keep [m]."""
    return np.maximum(allowed_mm / 1000 - RESERVE_M, EXCESS_M)


def hit(every: Any, at: Any, x0: float, x1: float, room: float) -> Any:
    """Which lines, drawn straight between stations, move farther than a wall from x0 to x1 allows."""
    ends = np.union1d([x0, x1], at[(at > x0) & (at < x1)])
    return (np.array([np.interp(ends, at, moves) for moves in every]) > room).any(axis=1)


def exhaustive(case: Case, free: Any = None) -> float:
    """Cost of the cheapest of all designs of the left bank that keep the rise allowed.

    Designs in order of cost, each through `water_profile`, which the search knows nothing of.
    """
    at, limits = np.array(case["stations_m"]), case["limits"]
    moves = np.arange(-limits["inward_m"], limits["outward_m"] + 1)
    every = np.array(list(itertools.product(moves, repeat=len(at) - 2)))
    every = np.pad(every, ((0, 0), (1, 1)))
    steep = np.abs(np.diff(every, axis=1)) > limits["taper"] * np.diff(at) + 1e-9
    every = every[~steep.any(axis=1)]
    if free is not None:
        every = every[(every[:, ~free] == 0).all(axis=1)]
    cost = np.abs(every) @ np.r_[10.0, np.full(len(at) - 2, 20.0), 10.0]
    for b in case["buildings"]:
        x0, y0, x1, y1 = b["bounds_m"]
        price = round((x1 - x0) * (y1 - y0) * b["floors"] * case["yuan_m2_floor"])
        cost += price * hit(every, at, x0, x1, y0 - limits["clear_m"] - case["offset_m"])
    base = sections_of(case)
    flow, ends = flows_of(case), {"slope": case["downstream_slope"]}
    losses = LOSSES | {"structures": case.get("structures")}
    still = pg.water_profile(base, flow, ends, **losses)
    still = still.sort_values(["profile", "chainage_m"])["level_m"].to_numpy()
    allowed = allowed_of(case)
    most = [allowed] if isinstance(allowed, float) else [allowed[k] for k in sorted(allowed)]
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
        found = pg.water_profile(pd.concat(tables), flow, ends, **losses)
        level = found.sort_values(["scheme", "profile", "chainage_m"])["level_m"].to_numpy()
        rise = level.reshape(len(some), -1) - still
        limit = np.repeat(highest(np.array(most)), len(at))
        fine = (rise <= limit + 1e-9).all(axis=1)
        if fine.any():
            return float(cost[some[np.argmax(fine)]])
    raise AssertionError("not even the approved line keeps the rise")


def designs(stations: int, limits: dict[str, float]) -> tuple[Any, Any]:
    """All moves of one bank with both ends as approved, and what they cost by themselves."""
    moves = np.arange(-limits["inward_m"], limits["outward_m"] + 1)
    every = np.pad(np.array(list(itertools.product(moves, repeat=stations - 2))), ((0, 0), (1, 1)))
    return every, np.abs(every) @ np.r_[10.0, np.full(stations - 2, 20.0), 10.0]


def fork(seed: int, *, rival: bool = False) -> Case:
    """Two rivers that join, houses on the left bank of each, one rise.

    ``rival``: the river at the mouth has cheap houses just below the confluence, so that to spare
    them takes rise from the dear ones of the other.
    """
    rng = np.random.default_rng(seed)
    at = {"A": np.arange(0, 201.0, 20.0), "B": np.arange(0, 121.0, 20.0)}
    joins = float(rng.choice([50.0, 60.0, 75.0] if rival else [30.0, 70.0, 110.0, 150.0, 187.0]))
    lines = {"A": [(0, 0), (200, 0)], "B": [(joins, 320), (joins, 200)]}
    beds = {"A": 0.002 * (200 - at["A"]), "B": 0.002 * (200 - joins) + 0.002 * (120 - at["B"])}
    houses, floors = {}, []
    taken: dict[str, list[Any]] = {"A": [], "B": []}
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


def searched_fork(case: Case, *, locked: str = "right", **more: Any) -> pg.search.WithinRise:
    """The search on two rivers that join; one bank of both is ``locked``."""
    still = LOCKED.assign(bank=locked)
    return pg.least_demolition_within_rise(
        case["rivers"],
        pd.concat([line(case["at"][r][-1], case.get("offset_m", 10.0), river=r) for r in "AB"]),
        case["houses"],
        pd.concat(case["sections"].values()),
        case["flows"],
        case["ends"],
        case["limits"],
        allowed_mm=case["allowed_mm"],
        rates=RATES,
        locks=pd.concat([still, still.assign(river="B")]),
        **more,
    )


def exhaustive_fork(case: Case) -> float:
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
        fine = (worst <= highest(case["allowed_mm"]) + 1e-9).to_numpy()
        if fine.any():
            return float(total[begin + int(np.argmax(fine))])
    raise AssertionError("not even the approved lines keep the rise")


def street(seed: int, nodes: int, pitch: int = 5) -> Case:
    """Houses on the left bank, a node each, ``pitch`` stations apart, for one rise."""
    rng = np.random.default_rng(seed)
    length = 20.0 * (pitch * nodes - 1)
    at = np.arange(0, length + 1e-9, 20.0)
    houses = [
        {
            "id": f"H{k}",
            "floors": int(rng.integers(1, 7)),
            "bounds_m": [22.0 + 20 * pitch * k, rng.uniform(9.1, 9.9), 38.0 + 20 * pitch * k, 20.0],
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


def searched(case: Case, *, upwards: bool = False, **more: Any) -> pg.search.WithinRise:
    """The search on one case of the shape of joint_two_nodes.json.

    ``upwards``: chainages are counted from the mouth up.
    """
    at = np.array(case["stations_m"])
    rivers, sections = river_frame({"A": [(0, 0), (at[-1], 0)]}), sections_of(case)
    if upwards:
        rivers = rivers.assign(start_m=at[-1], chainage_sign=-1)
        sections = sections.assign(chainage_m=at[-1] - sections["chainage_m"])
    houses = {b["id"]: shapely.box(*b["bounds_m"]) for b in case["buildings"]}
    return pg.least_demolition_within_rise(
        rivers,
        line(at[-1], case["offset_m"]),
        building_frame(houses, floors=[b["floors"] for b in case["buildings"]]),
        sections,
        flows_of(case),
        {"slope": case["downstream_slope"]},
        case["limits"],
        allowed_mm=allowed_of(case),
        rates=pd.DataFrame({"building_yuan_m2": [case["yuan_m2_floor"]]}),
        structures=case.get("structures"),
        **more,
    )


def two_floods(seed: int) -> Case:
    """Three nodes on one river; a design and a check flood, each with its allowed rise.

    Each may rise by a part of what it rises where all houses are spared, so that now one binds, now
    the other, now both at different places.
    """
    case, rng = street(seed, 3, pitch=3), np.random.default_rng(seed + 1)
    flow = case["discharge_m3s"]
    flows = {"P=2%": flow, "P=1%": flow * rng.uniform(1.2, 1.8)}
    case["limits"] |= {"taper": 0.2}
    base, at = sections_of(case), np.array(case["stations_m"])
    spared = np.zeros(len(at))
    for b in case["buildings"]:
        x0, _, x1, _ = b["bounds_m"]
        spared[(at > x0 - 20) & (at < x1 + 20)] = 1.0
    moved = np.where(base["offset_m"] < 0, np.repeat(spared, len(base) // len(at)), 0.0)
    both = pd.concat(
        [base.assign(scheme="0"), base.assign(scheme="1", offset_m=base["offset_m"] + moved)]
    )
    floods = {}
    for name, q in flows.items():
        found = pg.water_profile(both, q, {"slope": case["downstream_slope"]}, **LOSSES)
        level = found.sort_values(["scheme", "chainage_m"])["level_m"].to_numpy().reshape(2, -1)
        rise = 1000 * (level[1] - level[0]).max()
        floods[name] = (q, float(np.round(rise * rng.uniform(0.4, 0.9), 2)))
    return case | {"floods": floods}


def crossed(seed: int) -> Case:
    """Two nodes for one rise, and a culvert under a road between them."""
    case, rng = street(seed, 2, pitch=4), np.random.default_rng(seed + 1)
    up = 3  # the station just above the culvert
    bed = np.array(case["bed_level_m"])
    case["limits"] |= {"taper": 0.2}
    return case | {
        "allowed_mm": float(np.round(rng.uniform(5, 80), 1)),
        "structures": pd.DataFrame(
            {
                "river": "A", "chainage_m": case["stations_m"][up] + 10, "kind": "culvert",
                "shape": "box", "span_m": 7.0, "rise_m": 3.0, "barrels": 2, "length_m": 10.0,
                "invert_up_m": bed[up] - 0.01, "invert_down_m": bed[up + 1] + 0.01,
                "deck_m": bed[up] + 4.5,
            },
            index=pd.Index(["K1"], name="structure_id"),
        ),
    }  # fmt: skip


def natural(rng: np.random.Generator, kind: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Five surveyed sections 25 m apart: a vee, a bed with floodplains, or a skew one."""
    shapes = {
        "vee": ([-9, -3, 0.5, 4, 8], [3, 0.8, 0, 0.6, 3], (-9, 8)),
        "plain": ([-40, -8, -6, 6, 8, 45], [3.2, 2, 0, 0, 2, 3.5], (-8, 8)),
        "skew": ([-30, -10, -9, -2, 5, 7, 7.5, 20], [5, 2.6, 1, 0, 0.3, 1.2, 2.8, 4], (-10, 7.5)),
    }
    x, z, (left, right) = shapes[kind]
    at = np.arange(0, 101, 25.0)
    parts = [
        pd.DataFrame(
            {"river": "A", "chainage_m": c, "offset_m": np.array(x, float),
             "elevation_m": np.array(z) + 0.002 * (100 - c) + rng.normal(0, 0.02),
             "n": rng.choice([0.025, 0.03, 0.05], len(x))}
        )
        for c in at
    ]  # fmt: skip
    banks = pd.DataFrame(
        {"river": "A", "chainage_m": at, "left_bank_m": left, "right_bank_m": right}
    )
    return pd.concat(parts, ignore_index=True), banks


def surveyed(seed: int, kind: str) -> tuple[pg.search.WithinRise, float]:
    """The search on surveyed sections, and what the cheapest of all designs of both banks costs."""
    rng = np.random.default_rng(seed)
    sections, banks = natural(rng, kind)
    rivers = river_frame({"A": [(0, 0), (100, 0)]})
    houses = {}
    for k, side in enumerate([1, -1, 1]):
        x, room = rng.uniform(26, 62), rng.uniform(9.0, 9.9)
        ends = sorted((side * room, side * 20))
        houses[f"H{k}"] = shapely.box(x, ends[0], x + 12, ends[1])
    buildings = building_frame(houses, floors=[1, 2, 3])
    best = pg.least_demolition_within_rise(
        rivers, line(100.0), buildings, sections, 30.0, SLOPE,
        {"inward_m": 1, "outward_m": 1, "step_m": 1, "taper": 0.1}, allowed_mm=10, banks=banks,
        rates=RATES,
    )  # fmt: skip
    at = np.arange(0, 101, 25.0)
    every = np.zeros((3**6, 2, 5))
    every[:, :, 1:4] = np.array(list(itertools.product([-1.0, 0, 1], repeat=6))).reshape(-1, 2, 3)
    cost = np.abs(every).sum(axis=(1, 2)) * 25
    price = buildings.geometry.area * buildings["floors"] * 1000.0
    for k, shape in enumerate(buildings.geometry):
        x0, y0, x1, y1 = shape.bounds
        side, room = (0, y0) if y0 > 0 else (1, -y1)
        cost += round(price.iloc[k]) * hit(every[:, side], at, x0, x1, room - 0.02 - 10.0)
    base = pg.water_profile(sections, 30.0, SLOPE, banks=banks, **LOSSES)["level_m"].to_numpy()
    for k in np.argsort(cost, kind="stable"):
        widths = pd.DataFrame({"river": "A", "chainage_m": at, "left_m": 10 + every[k, 0],
                               "right_m": 10 + every[k, 1]})  # fmt: skip
        try:
            made = pg.search.moved_sections(sections, line(100.0), widths, rivers, banks=banks)
        except pg.errors.HydraulicsError:  # no bed is left: no design
            continue
        found = pg.water_profile(made.sections, 30.0, SLOPE, banks=made.banks, **LOSSES)
        if (found["level_m"].to_numpy() <= base + highest(10.0) + 1e-8).all():
            return best, float(cost[k])
    raise AssertionError("not even the approved lines keep the rise")


def levees_refused(seed: int) -> bool:
    """Whether sections with levees are refused."""
    sections, banks = natural(np.random.default_rng(seed), ("vee", "plain", "skew")[seed % 3])
    banks["left_levee_m"], banks["left_levee_crest_m"] = banks["left_bank_m"], 3.5
    try:
        pg.least_demolition_within_rise(
            river_frame({"A": [(0, 0), (100, 0)]}), line(100.0),
            building_frame({"H": shapely.box(40, 9.5, 52, 20)}, floors=[1]), sections, 30.0, SLOPE,
            {"inward_m": 1, "outward_m": 1, "step_m": 1}, allowed_mm=10, banks=banks, rates=RATES,
        )  # fmt: skip
    except pg.errors.HydraulicsError:
        return True
    return False


def compared(kind: str, seed: int) -> tuple[pg.search.WithinRise, float]:
    """The design found, and what the cheapest of all costs."""
    if kind == "joined":
        case = fork(seed, rival=seed % 2 == 1)
        return searched_fork(case), exhaustive_fork(case)
    if kind == "surveyed":
        return surveyed(seed, ("vee", "plain", "skew")[seed % 3])
    if kind == "floods":
        case = two_floods(seed)
        return searched(case, locks=LOCKED), exhaustive(case)
    if kind == "crossed":  # beside the culvert nothing moves
        case = crossed(seed)
        return searched(case, locks=LOCKED), exhaustive(case, ~np.isin(np.arange(8), (3, 4)))
    case = street(seed, {"three": 3, "four": 4}[kind], pitch=4)
    if kind == "three":
        return searched(case, locks=LOCKED), exhaustive(case)
    # of four nodes only stations beside houses may move, so that all designs can be tried
    at = np.array(case["stations_m"])
    free = np.isin(
        at, [x for b in case["buildings"] for x in (b["bounds_m"][0] - 2, b["bounds_m"][2] + 2)]
    )
    still = pd.DataFrame(
        {"river": "A", "from_m": at[~free] - 5, "to_m": at[~free] + 5, "bank": "left"}
    )
    return searched(case, locks=pd.concat([LOCKED, still])), exhaustive(case, free)


def long_river(seed: int, houses: int = 40) -> pg.search.WithinRise:
    """The search on 2 km with five offsets by three walls on each bank, 30 mm of rise, by chance."""
    rng = np.random.default_rng(seed)
    at = np.arange(0, 1981.0, 20.0)
    sections = channel(0.001 * (1980 - at), at, half=11.0, top=6.0, n=0.028, n_wall=0.030)
    shapes = {}
    for k in range(houses):
        x, near, side = rng.uniform(25, 1930), rng.uniform(7.1, 10.9), rng.choice([-1, 1])
        ends = sorted((side * near, side * (near + 9)))
        shapes[f"H{k}"] = shapely.box(x, ends[0], x + rng.uniform(8, 20), ends[1])
    walls = pd.DataFrame(
        {"wall": ["dressed", "smooth"], "side_slope": 0.0, "n_wall": [0.022, 0.015],
         "wall_yuan_m": [900.0, 2200.0]}
    )  # fmt: skip
    return pg.least_demolition_within_rise(
        river_frame({"A": [(0, 0), (1980, 0)]}), line(1980.0, 11.0),
        building_frame(shapes, floors=rng.integers(1, 7, houses)), sections, 110.0,
        {"slope": 0.001}, {"inward_m": 4, "outward_m": 0, "step_m": 1, "taper": 0.1},
        allowed_mm=30, walls=walls, rates=RATES, node_stations=1000,
    )  # fmt: skip


def node(first: int, many: int) -> None:
    """100 stations with fifteen options a bank, until the gap is below 1 %."""
    from optimise import node as made

    from pinghu_geo.search.trials import solve_node

    for seed in range(first, first + many):
        problem, base = made(100, seed, 40)
        start = time.process_time()
        done = solve_node(problem, known=base, enough=0.01, seconds=6000.0)
        spent = time.process_time() - start
        assert done is not None
        gap = (done.cost - done.bound) / done.cost
        print(f"seed {seed}: 100 stations x 15 options, 40 buildings: {spent:.1f} s CPU, "
              f"{'proven' if done.proven else f'gap {gap:.2%}'}", flush=True)  # fmt: skip


def long_rivers(first: int, many: int) -> None:
    """The same size through the public function, profiles, drawing and counting included."""
    for seed in range(first, first + many):
        start = time.process_time()
        best = long_river(seed)
        proof = best.certificate.iloc[0]
        print(f"seed {seed}: {time.process_time() - start:.1f} s CPU, {len(best.nodes)} nodes, "
              f"{proof['proof']}, {proof['total_yuan']:,.0f} yuan, gap {proof['gap_yuan']:.0f}, "
              f"rise {best.largest_rise_mm:.3f} mm", flush=True)  # fmt: skip


def keeps(best: pg.search.WithinRise) -> bool:
    """Whether the acceptance check finds every flood within its allowed rise."""
    most = best.rise.groupby("profile")["rise_mm"].max()
    return all(most[name] <= allowed for name, allowed in best.allowed.items())


SHARES = {
    "joined": 0.3, "four": 0.2, "surveyed": 0.15, "three": 0.1, "floods": 0.15, "crossed": 0.1,
}  # fmt: skip


def judged(kind: str, seed: int) -> list[str]:
    """Kind, seed, cost found and wanted, whether it is proven, right or WRONG, CPU seconds."""
    start = time.process_time()
    best, wanted = compared(kind, seed)
    total = float(best.certificate["total_yuan"].sum())
    proven = bool((best.certificate["proof"] == "optimal").all())
    bound = float(best.certificate["bound_yuan"].sum())
    fine = abs(total - wanted) <= 0.5 and bound <= wanted + 0.5 and keeps(best)
    spent = time.process_time() - start
    return [kind, str(seed), f"{total:.2f}", f"{wanted:.2f}", "proven" if proven else "open",
            "equal" if fine else "WRONG", f"{spent:.1f}"]  # fmt: skip


def main(many: int, log: str | None, part: tuple[int, int]) -> None:
    """Print how many are equal, and which not."""
    warnings.simplefilter("ignore")
    rows = [line.split() for line in Path(log).read_text().splitlines()] if log else []
    known = {(row[0], row[1]) for row in rows}
    wanted = [(kind, 1000 + k) for kind, s in SHARES.items() for k in range(round(s * many))]
    # kinds in turns, so that a run cut short has seen all of them
    for kind, seed in sorted(wanted, key=lambda one: one[1])[part[0] - 1 :: part[1]]:
        if (kind, str(seed)) in known:
            continue
        rows.append(judged(kind, seed))
        if log:
            with Path(log).open("a") as out:
                out.write(" ".join(rows[-1]) + "\n")
        if rows[-1][5] == "WRONG":
            print(*rows[-1], flush=True)
    for kind in SHARES:
        mine = [row for row in rows if row[0] == kind]
        equal, proven = (sum(row[k] == w for row in mine) for k, w in ((5, "equal"), (4, "proven")))
        print(f"{kind}: {len(mine)} rivers, {equal} equal to exhaustive search, {proven} proven, "
              f"{sum(float(row[6]) for row in mine):.0f} s CPU", flush=True)  # fmt: skip
    refused = sum(levees_refused(seed) for seed in range(10))
    print(f"levees: {refused} of 10 refused")


if __name__ == "__main__":
    options = dict(one.removeprefix("--").split("=") for one in sys.argv[1:] if "=" in one)
    plain = [one for one in sys.argv[1:] if "=" not in one]
    if plain[:1] in (["node"], ["long"]):
        first, many = (int(v) for v in options.get("seeds", "0,8").split(","))
        (node if plain == ["node"] else long_rivers)(first, many)
    else:
        if "log" in options:
            Path(options["log"]).touch()
        one, all_ = (int(n) for n in options.get("part", "1/1").split("/"))
        main(int(plain[0]) if plain else 300, options.get("log"), (one, all_))
