"""Reaches and schedules: networks by others, exhaustive search, and what must always hold."""

import itertools
import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp

import pinghu_geo as pg
from conftest import SHARED
from pinghu_geo.campaign.crews import in_turn, least_extra_crews, least_in_order, least_of_groups
from pinghu_geo.campaign.network import NO_NEED, Goal, Network, passes
from pinghu_geo.campaign.prices import priced
from pinghu_geo.campaign.standing import Campaign
from pinghu_geo.campaign.workdays import work_calendar

J30 = SHARED / "reference" / "schedule" / "psplib_j30.json"
NETWORKS = json.loads(J30.read_text("utf-8")) if J30.exists() else []
needs_networks = pytest.mark.skipif(not NETWORKS, reason="the PSPLIB networks are not here")


def node_frame(n, *, river="A", length=40.0, gap=20.0, **columns):
    lo = np.arange(n) * (length + gap)
    base = {"river": river, "bank": "left", "from_m": lo, "to_m": lo + length}
    base |= {"n_buildings": 3, "n_tenants": 6, "demolish_floor_area_m2": 1000.0}
    return pd.DataFrame(base | columns, index=[f"{river}-L-{k + 1:03d}" for k in range(n)])


def entry(day, river="A", **columns):
    row = {"river": river, "from_m": 0.0, "to_m": 1e5, "needed_by": pd.Timestamp(day)} | columns
    return pd.DataFrame([row])


# --- the critical path ---


def as_tables(network):
    names = [str(k + 1) for k in range(len(network["durations"]))]
    activities = pd.DataFrame({"duration_days": network["durations"]}, names)
    pairs = [(str(k + 1), str(b)) for k, after in enumerate(network["successors"]) for b in after]
    return activities, pd.DataFrame(pairs, columns=["before", "after"])


@needs_networks
@pytest.mark.parametrize("network", NETWORKS[::8], ids=lambda n: n["name"])
def test_the_published_length_of_the_critical_path(network):
    found = pg.campaign.critical_path(*as_tables(network))
    assert found["earliest_finish"].max() == network["mpm_time"]
    assert (found["latest_start"] >= found["earliest_start"]).all()
    # a critical way leads from the first activity to the last
    assert found.iloc[[0, -1]]["critical"].all()


def test_floats_by_hand():
    # a(2) -> c(1), b(3) -> c: a may wait a day; a lag of 2 behind a makes it critical
    activities = pd.DataFrame({"duration_days": [2, 3, 1]}, ["a", "b", "c"])
    links = pd.DataFrame({"before": ["a", "b"], "after": ["c", "c"], "lag_days": [2, 0]})
    found = pg.campaign.critical_path(activities, links)
    assert found["float_days"].tolist() == [0, 1, 0]
    assert found["earliest_start"].tolist() == [0, 0, 4]
    late = pg.campaign.critical_path(activities, links, due_days=4)
    assert late["float_days"].tolist() == [-1, 0, -1]


def test_circles_and_strangers_are_named():
    activities = pd.DataFrame({"duration_days": [1, 1]}, ["a", "b"])
    circle = pd.DataFrame({"before": ["a", "b"], "after": ["b", "a"]})
    with pytest.raises(pg.errors.LayerError, match=r"in a circle \(2: a, b\)"):
        pg.campaign.critical_path(activities, circle)
    with pytest.raises(pg.errors.LayerError, match=r"unknown activities \(1: z\)"):
        pg.campaign.critical_path(activities, pd.DataFrame({"before": ["a"], "after": ["z"]}))


# --- with crews ---


def network_of(problem):
    """A PSPLIB problem in our terms: the last activity is wanted on day 0."""
    days = np.array(problem["durations"], np.int64)
    pairs = [(a, b - 1) for a, after in enumerate(problem["successors"]) for b in after]
    before, after = np.array(pairs, np.int64).T
    asks = np.array(problem["requests"], np.int64)
    user, resource = np.nonzero(asks)
    need = np.full(len(days), NO_NEED)
    need[-1] = 0
    n = len(days)
    return Network(
        days, before, after, np.zeros(len(before), np.int64), user, resource, asks[user, resource],
        np.array(problem["capacities"], np.int64), need, np.zeros(n, np.int64), np.zeros(n, bool),
    )  # fmt: skip


def makespan(net):
    return Goal("makespan", "largest_lateness", np.array([len(net.days) - 1]), np.ones(1, int))


def plain_model(problem, work=20):
    """The least length as CP-SAT's own examples find it; None where that takes more work."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    horizon = sum(problem["durations"])
    spans, ends = [], []
    for k, d in enumerate(problem["durations"]):
        s = model.new_int_var(0, horizon, "")
        e = model.new_int_var(0, horizon, "")
        spans.append(model.new_interval_var(s, d, e, f"{k}"))
        ends.append((s, e))
    for k, after in enumerate(problem["successors"]):
        for b in after:
            model.add(ends[b - 1][0] >= ends[k][1])
    for r, most in enumerate(problem["capacities"]):
        asks = [row[r] for row in problem["requests"]]
        model.add_cumulative(spans, asks, most)
    model.minimize(ends[-1][1])
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = work
    proven = solver.solve(model) == cp_model.OPTIMAL
    return round(solver.objective_value) if proven else None


@needs_networks
@pytest.mark.parametrize("problem", NETWORKS[3::60], ids=lambda n: n["name"])
def test_our_model_proves_the_optimum_of_a_plain_one(problem):
    net = network_of(problem)
    found = least_in_order(net, [makespan(net)], work=20)
    assert found.proven == [True]
    assert found.values == [plain_model(problem)]
    assert holds(net, found.start)


def holds(net, start):
    """Whether a plan keeps every link and every capacity."""
    finish = start + net.days
    kept = (start[net.after] >= finish[net.before] + net.lag).all()
    for r, most in enumerate(net.capacity):
        who, amount = net.user[net.resource == r], net.amount[net.resource == r]
        for day in range(int(finish.max(initial=0))):
            runs = (start[who] <= day) & (day < finish[who])
            kept &= amount[runs].sum() <= most
    return bool(kept and (start >= net.release).all())


def exhaustive(net, goal):
    """Least value of a goal over every order in which activities can be handed out."""
    best = None
    n = len(net.days)
    needs = [set(net.before[net.after == k].tolist()) for k in range(n)]
    for order in itertools.permutations(range(n)):
        place = {k: i for i, k in enumerate(order)}
        if any(place[a] > place[k] for k in range(n) for a in needs[k]):
            continue
        start = np.zeros(n, np.int64)
        use = [{} for _ in net.capacity]
        for k in order:
            at = max([int(net.release[k]), *(
                int(start[a] + net.days[a] + net.lag[(net.before == a) & (net.after == k)].max())
                for a in needs[k])])  # fmt: skip
            mine = net.resource[net.user == k]
            while any(use[r].get(d, 0) + 1 > net.capacity[r]
                      for r in mine for d in range(at, at + int(net.days[k]))):  # fmt: skip
                at += 1
            start[k] = at
            for r in mine:
                for d in range(at, at + int(net.days[k])):
                    use[r][d] = use[r].get(d, 0) + 1
        late = np.maximum(start[goal.of] + net.days[goal.of] - net.need[goal.of], 0)
        value = int(late.max() if goal.kind == "largest_lateness" else (late * goal.weight).sum())
        best = value if best is None else min(best, value)
    return best


@pytest.mark.parametrize("seed", range(40))
def test_least_lateness_equals_exhaustive_search(seed):
    rng = np.random.default_rng(seed)
    nodes, steps = (3, 2) if seed % 2 else (2, 3)
    n = nodes * steps
    days = rng.integers(1, 6, n)
    first = np.flatnonzero(np.arange(n) % steps < steps - 1)
    need = np.full(n, NO_NEED)
    ends = np.arange(nodes) * steps + steps - 1
    need[ends] = rng.integers(2, 14, nodes)
    net = Network(
        days, first, first + 1, rng.integers(0, 3, len(first)), np.arange(n), np.arange(n) % steps,
        np.ones(n, int), rng.integers(1, 3, steps), need, rng.integers(0, 3, n), np.zeros(n, bool),
    )  # fmt: skip
    metres = rng.integers(1, 100, nodes)
    largest = Goal("a", "largest_lateness", ends, np.ones(nodes, int))
    total = Goal("b", "lateness", ends, metres)
    for goal in (largest, total):
        found = least_in_order(net, [goal], work=5)
        assert found.proven == [True]
        assert found.values == [exhaustive(net, goal)]
        assert holds(net, found.start)
    both = least_in_order(net, [largest, total], work=5)
    assert both.values[0] == exhaustive(net, largest)
    assert holds(net, in_turn(net))
    # a price of crews bounds the least, and never lies above it
    plan, least = in_turn(net), exhaustive(net, total)
    late = np.maximum(plan[ends] + days[ends] - need[ends], 0)
    bounds = [
        low for low, _ in priced(net, [total], [], plan, int((late * metres).sum()), rounds=80)
    ]
    assert bounds == sorted(bounds)
    assert all(low <= least for low in bounds)
    kept = [low for low, _ in priced(net, [largest, total], both.values[:1], both.start,
                                     both.values[1], rounds=80)]  # fmt: skip
    assert all(low <= both.values[1] for low in kept)


@pytest.mark.parametrize("seed", range(12))
def test_neighbours_together_equal_exhaustive_search_of_all_days(seed):
    # to finish with a neighbour may be worth a wait, so that every day is tried, not every order
    rng = np.random.default_rng(300 + seed)
    days, release = rng.integers(1, 3, 4), rng.integers(0, 2, 4)
    ends, need = np.array([1, 3]), np.full(4, NO_NEED)
    need[ends] = rng.integers(2, 6, 2)
    net = Network(
        days, np.array([0, 2]), ends, rng.integers(0, 2, 2), np.arange(4), np.array([0, 1, 0, 1]),
        np.ones(4, int), np.ones(2, int), need, release, np.zeros(4, bool),
    )  # fmt: skip
    weight = rng.integers(1, 6, 1)
    goals = [Goal("a", "largest_lateness", ends, np.ones(2, int)),
             Goal("b", "together", ends[:1], weight, 0.125, ends[1:])]  # fmt: skip
    found = least_in_order(net, goals, work=5)
    best = None
    for start in itertools.product(range(net.horizon()), repeat=4):
        finish = np.array(start) + days
        late = int(np.maximum(finish[ends] - need[ends], 0).max())
        apart = int(finish.sum() + weight[0] * abs(finish[1] - finish[3]))
        if (best is None or (late, apart) < best) and holds(net, np.array(start)):
            best = late, apart
    assert tuple(found.values) == best
    assert all(found.proven)
    assert holds(net, found.start)


@pytest.mark.parametrize("seed", range(8))
def test_fewest_crews_more_equal_exhaustive_search(seed):
    rng = np.random.default_rng(100 + seed)
    nodes, steps = 3, 2
    n = nodes * steps
    first = np.arange(n)[::steps]
    ends = first + steps - 1
    need = np.full(n, NO_NEED)
    need[ends] = rng.integers(2, 8, nodes)
    none = np.zeros(n, bool)
    net = Network(
        rng.integers(1, 6, n), first, first + 1, np.zeros(nodes, int), np.arange(n),
        np.arange(n) % steps, np.ones(n, int), np.ones(steps, int), need, np.zeros(n, int), none,
    )  # fmt: skip
    goal = Goal("a", "largest_lateness", ends, np.ones(nodes, int))
    alone = passes(net.days, net.before, net.after, net.lag).earliest + net.days
    most = int(np.maximum(alone[ends] - need[ends], 0).max())
    extra, proven = least_extra_crews(net, goal, most, work=5)
    assert proven
    sums = [
        sum(more)
        for more in itertools.product(range(nodes), repeat=steps)
        if exhaustive(replace(net, capacity=net.capacity + np.array(more)), goal) <= most
    ]
    assert extra.sum() == min(sums)
    assert exhaustive(replace(net, capacity=net.capacity + extra), goal) <= most


def one_crew(many, days=3):
    """So many nodes of one stage for one crew, all wanted when the first can be over."""
    n, none = np.arange(many), np.zeros(0, np.int64)
    return Network(
        np.full(many, days), none, none, none, n, np.zeros(many, int), np.ones(many, int),
        np.ones(1, int), np.full(many, days), np.zeros(many, int), np.zeros(many, bool),
    )  # fmt: skip


def test_prices_alone_prove_what_a_queue_at_one_crew_costs():
    # the k-th is 3 k days late, whatever the order: 3 * (0 + 1 + ... + 19) = 570, 10 m each
    net = one_crew(20)
    total = Goal("b", "lateness", np.arange(20), np.full(20, 10))
    *_, (low, _) = priced(net, [total], [], in_turn(net), 5700, rounds=300)
    assert 5700 * 0.98 <= low <= 5700


def test_groups_share_the_largest_lateness_and_add_up_the_rest():
    # alone, three nodes are 6 days late at worst, and two 3: the second group may be as late as
    # the first, and isn't, for its own sum
    parts = []
    for many in (3, 2):
        of = np.arange(many)
        goals = [Goal("a", "largest_lateness", of, np.ones(many, int)),
                 Goal("b", "lateness", of, np.full(many, 10))]  # fmt: skip
        parts.append((one_crew(many), goals))
    found = least_of_groups(parts, work=1)
    assert [one.values for one in found] == [[6, 90], [6, 30]]
    assert all(all(one.proven) for one in found)
    assert (found[1].start + 3).max() - 3 == 3


# --- the schedule ---


CREWS = pd.DataFrame(
    [
        {"group": "甲", "stage": s, "crews": 1}
        for s in ("survey", "negotiation", "vacated", "demolished")
    ]
)


def test_days_by_hand_with_one_crew():
    # each node: 1 + 2 + (30) + 3 + 2 + 3 + 2 + 1 + 1 days; negotiating is the narrow place
    nodes = node_frame(3, group="甲")
    free = pg.schedule(nodes, start="2018-01-01")
    assert free.nodes["due"].dt.strftime("%m-%d").tolist() == ["02-14"] * 3
    one = pg.schedule(nodes, capacity=CREWS, start="2018-01-01")
    ends = sorted(one.nodes["due"].dt.strftime("%m-%d"))
    assert ends == ["02-14", "02-17", "02-20"]
    wanted = pg.schedule(nodes, None, entry("2018-02-16"), CREWS, "2018-01-01")
    assert sorted(wanted.nodes["late_days"]) == [0, 1, 4]
    short = wanted.shortage.iloc[0]
    assert (short["late_days"], short["late_days_then"], short["proof"]) == (4, 0, "optimal")
    assert short["crews_more"] >= 1
    assert [t for t in wanted.summary() if "天" in t or "日" in t] == [
        "最大延误 4 个工作日(已证最小)。",
        f"甲:至少增加 {short['crews_more']} 支队伍({short['where']}),延误由 4 个工作日减到 0 个工作日。",
    ]
    assert wanted.summary(lang="en")[-1].endswith("bring the lateness from 4 to 0 working days.")


def test_the_smallest_addition_of_crews_does_and_one_less_does_not():
    nodes = node_frame(3, group="甲")
    plan = pg.schedule(nodes, None, entry("2018-02-16"), CREWS, "2018-01-01")
    short = plan.shortage.iloc[0]
    stages = list(CREWS["stage"])
    fits = []
    for extra in itertools.product(range(3), repeat=len(stages)):
        if sum(extra) <= short["crews_more"]:
            more = CREWS.assign(crews=[1 + x for x in extra])
            if sum(extra) in (short["crews_more"], short["crews_more"] - 1):
                late = pg.schedule(nodes, None, entry("2018-02-16"), more, "2018-01-01", work=0.5)
                if late.nodes["late_days"].max() <= short["late_days_then"]:
                    fits.append(sum(extra))
    assert min(fits) == short["crews_more"]


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 12), st.integers(100, 4000)),
             min_size=1, max_size=4),
    st.integers(0, 40), st.randoms(use_true_random=False),
)  # fmt: skip
@settings(max_examples=12, deadline=None)
def test_laws_of_a_schedule(rows, slack, random):
    nodes = node_frame(len(rows), group="甲")
    nodes[["n_buildings", "n_tenants"]] = [r[:2] for r in rows]
    nodes["demolish_floor_area_m2"] = [float(r[2]) for r in rows]
    day = pd.Timestamp("2018-02-01") + pd.Timedelta(days=slack)
    plan = pg.schedule(nodes, None, entry(day), CREWS, "2018-01-01", work=2)
    got = plan.activities
    days = (got["latest_start"] - got["earliest_start"]).dt.days
    assert (got["float_days"] == days)[got["float_days"] >= 0].all()
    worst = plan.nodes["late_days"].max()
    later = pg.schedule(nodes, None, entry(day + pd.Timedelta(days=3)), CREWS, "2018-01-01", work=2)
    assert later.nodes["late_days"].max() <= worst
    more = CREWS.assign(crews=[2, 1, 1, 1])
    richer = pg.schedule(nodes, None, entry(day), more, "2018-01-01", work=2)
    assert richer.nodes["late_days"].max() <= worst
    order = list(nodes.index)
    random.shuffle(order)
    turned = pg.schedule(nodes.loc[order], None, entry(day), CREWS, "2018-01-01", work=2)
    assert turned.goals["value"].iloc[:2].tolist() == plan.goals["value"].iloc[:2].tolist()
    again = pg.schedule(nodes, None, entry(day), CREWS, "2018-01-01", work=2)
    pd.testing.assert_frame_equal(again.nodes, plan.nodes)


def test_calendars():
    nodes = node_frame(1, n_buildings=20)  # negotiating takes 20 days
    kinds = {k: pg.schedule(nodes, start="2018-01-02", calendar=k).activities for k in
             ("days", "weekdays", "china")}  # fmt: skip
    for kind, table in kinds.items():
        one = table[table["stage"] == "negotiation"].iloc[0]
        days = pd.date_range(one["start"], one["finish"])
        worked = {"days": len(days), "weekdays": (days.weekday < 5).sum()}
        # 2018: Spring Festival 15-21 February, make-up days 11 and 24 February
        rest = pd.date_range("2018-02-15", "2018-02-21")
        makeup = pd.DatetimeIndex(["2018-02-11", "2018-02-24"])
        official = [d for d in days if (d.weekday() < 5 or d in makeup) and d not in rest]
        assert worked.get(kind, len(official)) == 20, kind
    with pytest.warns(UserWarning, match="not known beyond"):
        pg.schedule(nodes, start="2030-01-02", calendar="china")
    table = pd.DataFrame({"date": ["2018-01-02"], "working": [False]})
    plan = pg.schedule(nodes, start="2018-01-02", calendar=table)
    assert plan.activities["start"].min() == pd.Timestamp("2018-01-03")


def test_what_is_done_is_fixed_and_what_runs_goes_on():
    nodes = node_frame(2, group="甲")
    done = pd.DataFrame(
        [
            ("A-L-001", "survey", "2018-01-02", "2018-01-05", 1.0),
            ("A-L-001", "valuation", "2018-01-08", "2018-01-09", 0.5),
            ("A-L-002", "survey", "2018-01-02", "2018-01-20", 1.0),
        ],
        columns=["node_id", "stage", "first", "last", "done_ratio"],
    ).astype({"first": "datetime64[ns]", "last": "datetime64[ns]"})
    plan = pg.schedule(nodes, None, None, CREWS, "2018-01-01", progress=done, as_of="2018-02-01")
    got = plan.activities.set_index(["node_id", "stage"])
    assert got.loc[("A-L-001", "survey"), "state"] == "done"
    assert got.loc[("A-L-001", "survey"), "finish"] == pd.Timestamp("2018-01-05")
    running = got.loc[("A-L-001", "valuation")]
    assert (running["state"], running["days_left"]) == ("running", 1)
    assert (running["start"], running["finish"]) == (
        pd.Timestamp("2018-01-08"), pd.Timestamp("2018-02-01"))  # fmt: skip
    planned = got[got["state"] == "planned"]
    assert (planned["start"] >= pd.Timestamp("2018-02-01")).all()
    held = nodes.assign(not_before=pd.to_datetime(["2018-03-01", None]))
    stuck = pg.schedule(held, None, None, CREWS, "2018-01-01", progress=done, as_of="2018-02-01")
    rest = stuck.activities.query("node_id == 'A-L-001' and state != 'done'")
    assert rest["start"].iloc[1:].min() >= pd.Timestamp("2018-03-01")


def test_what_is_done_has_its_days_and_neither_float_nor_rank():
    nodes = node_frame(3, group="甲")
    done = done_on({"A-L-001": "2018-02-20"})  # 4 days late, before two that aren't late
    begun = pd.DataFrame([{"node_id": "A-L-002", "stage": "survey", "done_ratio": 0.5,
                           "first": pd.Timestamp("2018-02-20"),
                           "last": pd.Timestamp("2018-02-20")}])  # fmt: skip
    need = pd.concat([entry("2018-02-16"), entry("2018-12-31")])
    need["from_m"], need["to_m"] = [0.0, 50.0], [50.0, 1e5]
    plan = pg.schedule(nodes, None, need, CREWS, "2018-01-01", as_of="2018-02-25",
                       progress=pd.concat([done, begun]))  # fmt: skip
    got = plan.activities.set_index(["node_id", "stage"])
    over = got.loc["A-L-001"]
    for which in ("earliest", "latest"):
        assert (over[f"{which}_start"] == pd.Timestamp("2018-01-02")).all()
        assert (over[f"{which}_finish"] == pd.Timestamp("2018-02-20")).all()
    assert over["float_days"].isna().all()
    assert not over["critical"].any()
    assert got.drop("A-L-001")["float_days"].notna().all()
    # what runs has begun when it did, and ends when the rest of it can
    runs = got.loc[("A-L-002", "survey")]
    assert runs[["start", "earliest_start", "latest_start"]].unique().tolist() == [
        pd.Timestamp("2018-02-20")
    ]
    assert runs["earliest_finish"] >= pd.Timestamp("2018-02-25")
    assert (got["earliest_finish"] >= got["earliest_start"]).all()
    assert (got["latest_finish"] >= got["latest_start"]).all()
    assert plan.nodes["late_days"].tolist() == [4, 0, 0]
    assert plan.nodes["float_days"].isna().tolist() == [True, False, False]
    assert plan.nodes["float_days"].dtype == "Int64"
    assert f"机动 {plan.nodes['float_days'].iloc[1]} 个工作日" in plan.nodes["why"].iloc[1]
    assert not plan.nodes["why"].str.contains(r"\d\.\d").any()
    assert plan.nodes["priority"].isna().tolist() == [True, False, False]
    assert sorted(plan.nodes["priority"].dropna()) == [1, 2]


STAGES = ["survey", "valuation", "negotiation", "signed", "vacated", "demolished", "removed",
          "handed_over"]  # fmt: skip


def done_on(days):
    """Reports by which all stages of a node ended on its day."""
    return pd.DataFrame(
        [{"node_id": node, "stage": stage, "first": pd.Timestamp("2018-01-02"),
          "last": pd.Timestamp(day), "done_ratio": 1.0}
         for node, day in days.items() for stage in STAGES]
    )  # fmt: skip


def test_what_is_handed_over_is_told_as_past():
    nodes = node_frame(3, group="甲")
    ids = list(nodes.index)

    def planned(days):
        return pg.schedule(nodes, None, entry("2018-02-16"), CREWS, "2018-01-01",
                           progress=done_on(days), as_of="2018-02-25")  # fmt: skip

    # needed by the 16th: the second is in time, the first 4 days late, the third 6
    last = planned({ids[0]: "2018-02-20", ids[1]: "2018-02-16", ids[2]: "2018-02-22"})
    assert last.nodes["late_days"].tolist() == [4, 0, 6]
    assert last.summary() == [
        "3 个节点已全部移交,最后一个在 2018-02-22。", "其中 2 个晚于进场要求,至多晚 6 个工作日。",
    ]  # fmt: skip
    assert last.shortage.empty  # no crew changes what is over
    some = planned({ids[0]: "2018-02-20", ids[1]: "2018-02-14"})
    assert some.summary()[:2] == [
        "3 个节点,其中 1 个不能按期提供作业面。", "另有 1 个节点已移交,但晚于进场要求。",
    ]  # fmt: skip
    assert some.shortage["late_nodes"].tolist() == [ids[2]]
    early = planned({ids[0]: "2018-02-10", ids[1]: "2018-02-09", ids[2]: "2018-02-12"})
    assert early.summary() == ["3 个节点已全部移交,最后一个在 2018-02-12。"]
    free = pg.schedule(nodes, capacity=CREWS, start="2018-01-01", as_of="2018-02-25",
                       progress=done_on(dict.fromkeys(ids, "2018-02-20")))  # fmt: skip
    assert free.summary() == ["3 个节点已全部移交,最后一个在 2018-02-20。"]


def test_a_line_of_speed_reaches_each_node_in_its_turn():
    nodes = node_frame(3)
    line = pd.DataFrame([{"river": "A", "from_m": 0.0, "to_m": 1000.0,
                          "enters": pd.Timestamp("2018-06-01"), "m_per_day": 10.0}])  # fmt: skip
    plan = pg.schedule(nodes, handover=line, start="2018-01-01")
    assert plan.nodes["needed_by"].dt.strftime("%m-%d").tolist() == ["06-01", "06-07", "06-13"]
    back = line.assign(from_m=160.0, to_m=0.0)
    plan = pg.schedule(nodes, handover=back, start="2018-01-01")
    assert plan.nodes["needed_by"].dt.strftime("%m-%d").tolist() == ["06-13", "06-07", "06-01"]


def test_collective_nodes_come_first_where_the_works_can_wait():
    nodes = node_frame(4, group="甲", n_collective=[0, 0, 0, 1])
    plan = pg.schedule(nodes, None, entry("2018-12-31"), CREWS, "2018-01-01")
    assert plan.nodes["due"].idxmin() == "A-L-004"
    assert plan.nodes["priority"].idxmin() == "A-L-004"
    assert plan.nodes.loc["A-L-004", "why"].startswith("集体物业先行")


def test_bad_plans_are_refused_in_their_own_words():
    nodes = node_frame(2, group=["甲", None])
    refuse = pytest.raises(pg.errors.LayerError, match=r"nodes without a group \(1: A-L-002\)")
    with refuse:
        pg.schedule(nodes, capacity=CREWS, start="2018-01-01")
    whole = nodes.assign(group="甲")
    cases = {
        "capacity of 0": {"capacity": CREWS.assign(per_day=0.0)},
        "no whole number of 1": {"capacity": CREWS.assign(crews=0)},
        "groups without a reach": {"capacity": CREWS.assign(group="乙")},
        "unknown stage": {"capacity": CREWS.assign(stage="拆呀")},
        "before the campaign's start": {"handover": entry("2017-12-31")},
        "calendar='lunar' is not known": {"calendar": "lunar"},
        r"worked and that it isn't \(2: 0, 1\)": {
            "calendar": pd.DataFrame({"date": ["2018-01-02"] * 2, "working": [True, False]})
        },
        "start='01/03/2018' could be another day": {"start": "01/03/2018"},
        "start='2018-02-29' is no date": {"start": "2018-02-29"},
        "work=nan is no number": {"work": float("nan")},
    }
    for words, given_ in cases.items():
        with pytest.raises(pg.errors.LayerError, match=words):
            pg.schedule(whole, **({"start": "2018-01-01"} | given_))
    with pytest.raises(pg.errors.LayerError, match="start=None is no date"):
        pg.schedule(whole)
    with pytest.raises(pg.errors.LayerError, match=r"lack n_tenants .*\(1: A-L-001\)"):
        pg.schedule(whole.assign(n_tenants=[None, 2]), start="2018-01-01")


def test_days_are_read_as_people_write_them():
    for day in (
        "2020-02-29",
        "2020/2/29",
        "2020年2月29日",
        "20200229",
        pd.Timestamp("2020-02-29 08:00"),
    ):
        plan = pg.schedule(node_frame(1), start=day)
        assert plan.nodes["start"].tolist() == [pd.Timestamp("2020-02-29")]
    with pytest.raises(pg.errors.LayerError, match=r"less than no work to do \(1: A-L-001\)"):
        pg.schedule(node_frame(1, n_buildings=-1), start="2018-01-02")
    with pytest.warns(UserWarning, match="not known before 2004"):
        pg.schedule(node_frame(1), start="1999-01-02", calendar="china")


def test_bad_groups_and_loads_are_refused_in_their_own_words():
    nodes = node_frame(3)
    for groups in (1.5, "甲组", True, None):
        with pytest.raises(pg.errors.LayerError, match="no number of groups and no list of names"):
            pg.balanced_reaches(nodes, groups)
    with pytest.raises(pg.errors.LayerError, match="without end|or above 1e.09"):
        pg.balanced_reaches(nodes.assign(demolish_floor_area_m2=[np.inf, 1, 1]), 2)


def test_stages_in_a_circle_are_named(tmp_path):
    text = "".join(
        f'[[stage]]\ncode="{c}"\nzh="{c}"\nletter="{c}"\nunit="node"\nshown_as="todo"\nafter=["{a}"]\n'
        for c, a in (("x", "y"), ("y", "x"))
    )
    (tmp_path / "s.toml").write_text(text, "utf-8")
    with pytest.raises(pg.errors.LayerError, match=r"in a circle \(2: x, y\)"):
        pg.campaign.stage_rules(tmp_path / "s.toml")


# --- reaches ---


def loads(values, river="A"):
    lo = np.arange(len(values)) * 100.0
    return pd.DataFrame(
        {"river": river, "bank": "left", "from_m": lo, "to_m": lo + 50, "load": values},
        index=[f"{river}-{k}" for k in range(len(values))],
    )


def test_the_textbook_partition():
    found = pg.balanced_reaches(loads(np.arange(1, 10) * 100.0), 3, by="load")
    assert found.loads["load"].tolist() == [1500, 1300, 1700]
    assert found.certificate.loc[0, ["largest_load", "groups_needed"]].tolist() == [1700, 4]


def brute(parts, k):
    """Least largest load by trying every partition of every line."""

    def splits(values, m):
        for cuts in itertools.combinations(range(1, len(values)), m - 1):
            edges = [0, *cuts, len(values)]
            yield max(sum(values[a:b]) for a, b in itertools.pairwise(edges))

    best = np.inf
    for share in itertools.product(*(range(1, len(p) + 1) for p in parts)):
        if sum(share) == k:
            best = min(best, max(min(splits(p, m)) for p, m in zip(parts, share, strict=True)))
    return best


@given(
    st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=6), min_size=1, max_size=3),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_no_partition_has_a_smaller_largest_load(parts, data):
    k = data.draw(st.integers(len(parts), sum(map(len, parts))))
    nodes = pd.concat([loads(np.array(p, float), f"R{j}") for j, p in enumerate(parts)])
    found = pg.balanced_reaches(nodes, k, by="load")
    assert found.loads["load"].max() == brute(parts, k)
    assert len(found.loads) == k
    assert found.loads["load"].sum() == nodes["load"].sum()
    assert found.loads["n_nodes"].sum() == len(nodes)


@pytest.mark.parametrize("seed", range(3))
def test_medium_partitions_equal_an_integer_programme(seed):
    """HiGHS: node i in reach r; reaches in order; least largest load."""
    rng = np.random.default_rng(seed)
    values, k = rng.integers(1, 100, 14), 4
    n = len(values)
    size = n * k + 1
    rows, low, high = [], [], []
    for i in range(n):
        row = np.zeros(size)
        row[i * k : i * k + k] = 1
        rows.append(row), low.append(1), high.append(1)
    for r in range(k):
        row = np.zeros(size)
        row[r : n * k : k] = values
        row[-1] = -1
        rows.append(row), low.append(-np.inf), high.append(0)
    for i in range(n - 1):  # the number of the reach doesn't fall, and grows by one at most
        row = np.zeros(size)
        row[(i + 1) * k : (i + 2) * k] = np.arange(k)
        row[i * k : i * k + k] -= np.arange(k)
        rows.append(row), low.append(0), high.append(1)
    cost = np.zeros(size)
    cost[-1] = 1
    kind = np.ones(size)
    kind[-1] = 0
    from scipy.optimize import Bounds

    top = np.ones(size)
    top[-1] = np.inf
    best = milp(cost, constraints=LinearConstraint(np.array(rows), low, high), integrality=kind,
                bounds=Bounds(np.zeros(size), top))  # fmt: skip
    found = pg.balanced_reaches(loads(values.astype(float)), k, by="load")
    assert found.loads["load"].max() == pytest.approx(best.fun, abs=1e-6)


def test_cuts_lie_in_gaps_and_only_where_they_may():
    nodes = loads(np.array([5.0, 5, 5, 5]))
    # one of the two places lies within a node
    cuts = pd.DataFrame({"river": "A", "chainage_m": [120.0, 290.0]})
    found = pg.balanced_reaches(nodes, 2, by="load", cuts=cuts)
    assert found.segments["to_m"].tolist() == [290, 350]
    with pytest.raises(pg.errors.LayerError, match="3 groups for 2 stretches"):
        pg.balanced_reaches(nodes, 3, by="load", cuts=cuts)


def test_nodes_that_overlap_stay_together_and_banks_can_be_apart():
    nodes = loads(np.array([1.0, 1, 1, 1])).assign(
        bank=["left", "right", "both", "right"],
        from_m=[0.0, 30, 200, 300],
        to_m=[50.0, 80, 250, 350],
    )
    found = pg.balanced_reaches(nodes, 3, by="load")
    assert found.loads["n_nodes"].tolist() == [2, 1, 1]
    apart = pg.balanced_reaches(nodes, 2, by="load", banks="apart")
    whose = []
    for row in nodes.itertuples():
        mine, middle = apart.segments, (row.from_m + row.to_m) / 2
        mine = mine[
            (mine["bank"] == row.bank) & (mine["from_m"] <= middle) & (middle < mine["to_m"])
        ]
        whose.append(mine["group"].tolist())
    assert whose == [["第1组"], ["第2组"], ["第1组"], ["第2组"]]
    with pytest.raises(pg.errors.LayerError, match="1 groups for 2 rivers"):
        pg.balanced_reaches(nodes, 1, by="load", banks="apart")


def test_fixed_stretches_stay_with_their_group():
    nodes = loads(np.array([9.0, 1, 1, 1, 1, 1]))
    fixed = pd.DataFrame({"river": "A", "from_m": [0.0], "to_m": [250.0], "group": ["老组"]})
    found = pg.balanced_reaches(nodes, ["新组", "老组"], by="load", fixed=fixed)
    assert found.segments["group"].tolist() == ["老组", "新组"]
    assert found.loads.loc["老组", "load"] == 11
    both = pd.concat([fixed, fixed.assign(from_m=200.0, to_m=500.0, group="新组")])
    with pytest.raises(pg.errors.LayerError, match="to two groups: 老组 and 新组"):
        pg.balanced_reaches(nodes, ["新组", "老组"], by="load", fixed=both)
    with pytest.raises(pg.errors.LayerError, match="not known or negative"):
        pg.balanced_reaches(nodes.assign(load=[None, 1, 1, 1, 1, 1]), 2, by="load")


def test_passes_do_not_depend_on_the_order_of_links():
    rng = np.random.default_rng(1)
    n = 60
    pairs = [(a, b) for a in range(n) for b in range(a + 1, n) if rng.random() < 0.08]
    before, after = np.array(pairs).T
    days, lag = rng.integers(0, 9, n), rng.integers(0, 3, len(pairs))
    one = passes(days, before, after, lag)
    turn = rng.permutation(len(pairs))
    other = passes(days, before[turn], after[turn], lag[turn])
    assert (one.earliest == other.earliest).all()
    assert (one.latest == other.latest).all()
    # longest ways by brute relaxation
    early = np.zeros(n, int)
    for _ in range(n):
        np.maximum.at(early, after, early[before] + days[before] + lag)
    assert (one.earliest == early).all()


def test_a_need_in_years_leaves_a_float_of_years():
    nodes = node_frame(1)
    near, far = (
        pg.schedule(nodes, handover=entry(day), start="2018-01-01").nodes["float_days"].iloc[0]
        for day in ("2018-12-31", "2035-12-31")
    )
    assert far - near == (pd.Timestamp("2035-12-31") - pd.Timestamp("2018-12-31")).days


@pytest.mark.parametrize(
    ("calendar", "day"),
    [("days", "2017-12-31"), ("weekdays", "2017-12-29"), ("china", "2017-12-29")],
)
def test_dates_before_the_first_day_are_dates(calendar, day):
    """The 1st of January 2018 is a Monday, and a holiday; the 30th and 31st are a weekend."""
    found = work_calendar(calendar, pd.Timestamp("2018-01-01"), 10)
    assert found.date_at([-1])[0] == pd.Timestamp(day)
    assert found.date_at([-6])[0] < found.date_at([-5])[0] < found.date_at([0])[0]


def test_rows_on_a_river_without_nodes_are_said():
    """Without the layer of rivers a misspelt name would free a node of its date in silence."""
    nodes = node_frame(2, group="甲")
    wrong = entry("2018-06-30", "a")
    with pytest.warns(UserWarning, match=r"1 rows of handover are on rivers where no node lies"):
        pg.schedule(nodes, None, wrong, CREWS, "2018-01-01", work=0.1)
    cuts = pd.DataFrame({"river": ["B"], "chainage_m": [50.0]}, index=["界1"])
    with pytest.warns(UserWarning, match="1 rows of cuts .*: 界1"):
        pg.balanced_reaches(nodes.assign(n_tenants=1), 1, by="n_tenants", cuts=cuts)


def test_groups_of_one_rank_are_named_together():
    """Three groups shared the first rank, and the first of them by name was said to be ahead."""
    groups = pd.DataFrame({"rank": [1, 1, 3, 4, 4]}, index=["甲", "乙", "丙", "丁", "戊"])
    silent = SimpleNamespace(summary=lambda *, lang: [])
    watched = SimpleNamespace(
        groups=groups, curve=pd.DataFrame(), nodes=pd.DataFrame({"signal": ["green"]})
    )
    state = SimpleNamespace(as_of=pd.Timestamp("2018-03-01"))
    one = SimpleNamespace(scheme="宽", tasks=silent, plan=silent, replan=silent, state=state,
                          supervision=watched, baseline=None)  # fmt: skip
    assert Campaign.summary(one)[-1] == "进度第一:甲、乙;最后:丁、戊。"
    assert Campaign.summary(one, lang="en")[-1] == "First: 甲, 乙; last: 丁, 戊."


INTERRUPTED = """
import signal
import numpy as np
from pinghu_geo.campaign.crews import least_extra_crews, least_in_order
from pinghu_geo.campaign.network import Goal, Network
none = np.zeros(3, bool)
net = Network(np.array([2, 3, 2]), *np.zeros((3, 0), int), np.arange(3), np.zeros(3, int),
              np.ones(3, int), np.ones(1, int), np.array([2, 4, 5]), np.zeros(3, int), none)
goals = [Goal(a, a, np.arange(3), np.ones(3, int)) for a in ("largest_lateness", "lateness")]
solve = [lambda: least_in_order(net, goals, work=1),
         lambda: least_extra_crews(net, goals[0], 2, work=1)]
for one in solve:
    one()
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        print("heard")
"""


def test_ctrl_c_is_heard_after_a_search():
    """The solver gave it back to the system: it ended the process, and half a folder stayed."""
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.returncode) == ("heard\nheard\n", 0), ran.stderr
