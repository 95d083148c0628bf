"""The campaign's promises, at full size: networks, exhaustive search, kills, pairs, speed.

``python benchmarks/campaign.py networks crews j30 kills pairs speed large sample`` runs the parts named; without a
name all. CPU seconds are of this process; a busy machine's clock says little.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import test_campaign_plan as plans
import test_campaign_state as states

import pinghu_geo as pg
from pinghu_geo.campaign.crews import least_in_order


def networks() -> None:
    """Critical path of all 480 networks against the published lengths."""
    wrong = []
    for network in plans.NETWORKS:
        found = pg.campaign.critical_path(*plans.as_tables(network))
        if found["earliest_finish"].max() != network["mpm_time"]:
            wrong.append(network["name"])
    print(f"networks: {len(plans.NETWORKS)} read, {len(wrong)} wrong {wrong[:5]}")


def crews(n: int = 300) -> None:
    """Least lateness against exhaustive search; optima of j30 against a plain model."""
    for seed in range(n):
        plans.test_least_lateness_equals_exhaustive_search(seed)
    print(f"crews: {n} random instances equal exhaustive search, for two goals each")
    j30()


def j30(works: tuple[float, ...] = (1, 10, 100, 400)) -> None:
    """Optima of the whole set j30, proven by our model, beside those of a plain model.

    What isn't proven with little work is searched again with more, when all others are through.
    """
    begin, odd, open_ = time.process_time(), [], list(plans.NETWORKS)
    for work in works:
        tried, open_ = open_, []
        for problem in tried:
            net = plans.network_of(problem)
            found = least_in_order(net, [plans.makespan(net)], work=work)
            if not plans.holds(net, found.start):
                odd.append(f"{problem['name']}: no plan")
            plain = plans.plain_model(problem, work=10 * work) if found.proven[0] else None
            if plain is None:
                open_.append(problem)
            elif found.values[0] != plain:
                odd.append(f"{problem['name']}: {found.values[0]} and {plain}")
        print(
            f"j30: {len(plans.NETWORKS)} read, {len(plans.NETWORKS) - len(open_)} proven by both "
            f"models with a work of {work}, different {odd}; "
            f"open {[problem['name'] for problem in open_]}; "
            f"{time.process_time() - begin:.0f} s CPU", flush=True,
        )  # fmt: skip


def kills(n: int = 100) -> None:
    """Writers killed at random moments: what was acknowledged is there, nothing twice."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place, files = folder / "campaign.gpkg", states.many_files(Path(name), 0, 400)
        told: set[str] = set()
        rng = random.Random(7)
        for k in range(n):
            left = [f for f in files if str(f) not in told] or files
            with states.writer(place, left) as one:
                one.stdout.readline()
                time.sleep(rng.uniform(0, 0.25))
                os.kill(one.pid, signal.SIGKILL)
                told |= {line.strip() for line in one.stdout}
            log = pg.campaign.open_store(place, "示例").log()
            there = {f"{folder}/{b[1:]}.csv" for b in log["building_id"]}
            if log.duplicated(["building_id", "stage"]).any() or not told <= there:
                print(f"kills: FAILED at {k}")
                return
            if not (log.groupby("building_id").size() == 2).all():
                print(f"kills: half a file at {k}")
                return
        print(f"kills: {n}, {len(told)} files acknowledged, all there, none twice, none half")


def pairs(n: int = 50) -> None:
    """Two writers at once, with a store that neither has made yet."""
    for k in range(n):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            place = folder / "campaign.gpkg"
            both = [states.writer(place, states.many_files(folder, j * 4, 4)) for j in range(2)]
            counts = [p.communicate()[0].count(".csv") for p in both]
            log = pg.campaign.open_store(place, "示例").log()
            if counts != [4, 4] or len(log) != 16:
                print(f"pairs: FAILED at {k}: {counts}, {len(log)}")
                return
    print(f"pairs: {n}, all landed")


def timed(what: str, work, limit: float):  # noqa: ANN001, ANN201
    """CPU seconds of a call."""
    begin, wall = time.process_time(), time.perf_counter()
    found = work()
    used = time.process_time() - begin
    print(f"  {what}: {used:.2f} s CPU, {time.perf_counter() - wall:.2f} s clock (bar {limit} s)")
    return found


def speed() -> None:
    """10,000 reports into a store; the state of 2,000 nodes as of a day."""
    n = 4000
    stages = list(pg.campaign.stage_rules().index)
    houses = pd.DataFrame(
        {"node_id": [f"A-L-{k // 2:04d}" for k in range(n)], "task_class": "task", "river": "A",
         "bank": "left", "from_m": 20.0 * np.arange(n), "to_m": 20.0 * np.arange(n) + 9,
         "demolish_floor_area_m2": 400.0, "cost_yuan": 1e6},
        index=[f"B{k}" for k in range(n)],
    )  # fmt: skip
    log = pd.DataFrame({"房屋编号": np.repeat(houses.index, 3)[:10_000], "阶段": "",
                        "日期": (["2018-01-05", "2018-02-01", "2018-03-01"] * n)[:10_000]})  # fmt: skip
    log["阶段"] = (["测绘评估", "谈判", "签约"] * n)[:10_000]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "日报.csv"
        log.to_csv(path, index=False)
        store = pg.campaign.open_store(Path(name) / "campaign.gpkg", "示例")
        told = timed("10,000 reports taken in",
                     lambda: pg.campaign.update_progress(store, [path], houses), 2)  # fmt: skip
        kept = store.log()
    plan = pd.DataFrame({"node_id": np.repeat(houses["node_id"].unique(), len(stages)),
                         "stage": stages * (n // 2), "finish": pd.Timestamp("2018-02-20"),
                         "group": "甲"})  # fmt: skip
    assert told["n_new"].tolist() == [10_000]

    def standing() -> None:
        state = pg.progress_state(kept, houses, as_of="2018-02-15")
        faces = pg.working_faces(houses, states.works(1e5), state=state.reached)
        pg.supervision(plan, state, houses, faces=faces.stretches)

    timed("state, faces, supervision of 2,000 nodes", standing, 1)


def large() -> None:
    """2,000 nodes, 100 groups: a plan, with its gaps."""
    rng = np.random.default_rng(3)
    parts = [plans.node_frame(500, river=r) for r in "ABCD"]
    nodes = pd.concat(parts)
    nodes["n_buildings"] = rng.integers(1, 8, len(nodes))
    nodes["n_tenants"] = rng.integers(0, 20, len(nodes))
    nodes["demolish_floor_area_m2"] = nodes["n_buildings"] * 400.0
    reaches = timed("reaches of 100 groups", lambda: pg.balanced_reaches(nodes, 100), 2)
    print(reaches.certificate.to_string(index=False))
    nodes["group"] = ""
    for row in reaches.segments.itertuples():
        inside = (nodes["river"] == row.river) & nodes["from_m"].between(row.from_m, row.to_m)
        nodes.loc[inside, "group"] = row.group
    stages = ["survey", "valuation", "negotiation", "vacated", "demolished"]
    capacity = pd.DataFrame([{"group": g, "stage": s, "crews": 1}
                             for g in nodes["group"].unique() for s in stages])  # fmt: skip
    entry = pd.concat([plans.entry("2018-05-15", r, m_per_day=200.0) for r in "ABCD"])
    plan = timed("2,000 nodes, 100 groups",
                 lambda: pg.schedule(nodes, None, entry, capacity, "2018-01-02", "china"), 120)  # fmt: skip
    print(plan.goals.to_string(index=False))


def sample() -> None:
    """Each scheme of the sample adopted: reaches, largest lateness and second goal, by itself."""
    from dataclasses import replace

    from pinghu_geo import campaigning
    from pinghu_geo.campaign import crews as crews_module
    from pinghu_geo.computing import computed_project
    from pinghu_geo.plan import read_plan
    from pinghu_geo.project import sample_folder

    calls: dict[str, tuple[tuple, dict]] = {}
    kept = {name: getattr(campaigning, name) for name in ("schedule", "balanced_reaches")}

    def noted(name: str):  # noqa: ANN202
        def call(*args, **given):  # noqa: ANN002, ANN003, ANN202
            calls.setdefault(name, (args, given))
            return kept[name](*args, **given)

        return call

    plan = read_plan(sample_folder() / "project.toml")
    searched = crews_module._search_groups
    for scheme in [*plan.schemes][::-1]:
        calls.clear()
        for name in kept:
            setattr(campaigning, name, noted(name))
        of_it = replace(plan, campaign=plan.campaign | {"adopted": scheme, "store": "/nowhere.gpkg",
                                                       "work": 0.0})  # fmt: skip
        of_it.campaign.pop("log", None)
        computed_project(of_it)
        for name, call in kept.items():
            setattr(campaigning, name, call)
        args, given = calls["balanced_reaches"]
        reaches = timed(
            f"{scheme}: reaches", lambda a=args, g=given: pg.balanced_reaches(*a, **g), 2
        )
        print(reaches.certificate.to_string(index=False))
        args, given = calls["schedule"]
        given["work"] = 4.0
        ends = []

        def timed_search(*a, ends=ends, **g):  # noqa: ANN002, ANN003, ANN202
            found = searched(*a, **g)
            ends.append((time.process_time(), time.perf_counter()))
            return found

        crews_module._search_groups = timed_search
        begin = time.process_time(), time.perf_counter()
        found = pg.schedule(*args, **given)
        crews_module._search_groups = searched
        for goal, end in zip(found.goals["goal"], ends, strict=True):
            print(f"  {scheme}: {len(args[0])} nodes, {goal} after {end[0] - begin[0]:.1f} s CPU, "
                  f"{end[1] - begin[1]:.1f} s clock, load {os.getloadavg()[0]:.0f}")  # fmt: skip
        print(found.goals.to_string(index=False), flush=True)


if __name__ == "__main__":
    parts = {"networks": networks, "crews": crews, "j30": j30, "kills": kills, "pairs": pairs, "speed": speed,
             "large": large, "sample": sample}  # fmt: skip
    for part in sys.argv[1:] or parts:
        parts[part]()
    print(json.dumps({"done": sys.argv[1:] or list(parts)}))
