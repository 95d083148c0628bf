"""One optimum for the whole river: exhaustive search through `water_profile`, and its laws.

Random rivers are a sample of ``benchmarks/joint.py``.
"""

import itertools
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from joint import (
    LOCKED,
    compared,
    fork,
    keeps,
    levees_refused,
    searched,
    searched_fork,
    sections_of,
    street,
    two_floods,
)

import pinghu_geo as pg
from pinghu_geo.search import stretch
from pinghu_geo.search.systems import Search
from pinghu_geo.search.trials import Work

SHARED = Path(__file__).resolve().parents[2] / "shared" / "reference" / "optimiser"


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


def test_the_band_of_losses_takes_the_place_of_the_sections_own():
    """As that of `building_rises` does; else a river with coefficients of its own had no band."""
    case = two_floods(7)
    ends = sections_of(case)[["river", "chainage_m"]].drop_duplicates(ignore_index=True)
    best = searched(case, locks=LOCKED, banks=ends.assign(contraction=0.1, expansion=0.3))
    flow = case["floods"]["P=1%"][0]
    band = best.band[best.band["profile"] == "P=1%"]
    for row in band.itertuples():
        own = ends.assign(contraction=row.contraction, expansion=row.expansion)
        was, now = (
            pg.water_profile(points, flow, {"slope": case["downstream_slope"]}, banks=own)
            for points in (sections_of(case), best.sections)
        )
        most = 1000 * (now["level_m"] - was["level_m"]).max()
        assert row.largest_rise_mm == pytest.approx(most, abs=0.01)
    assert band["largest_rise_mm"].round(1).nunique() == 4


@pytest.mark.parametrize("seed", [0, 3])
def test_stretches_searched_as_one_cost_the_same_together(seed, monkeypatch):
    case = street(seed, 3)
    apart = searched(case, locks=LOCKED, node_stations=1000)
    monkeypatch.setattr("pinghu_geo.search.stretch.MANY_STEPS", 0)
    one = searched(case, locks=LOCKED, node_stations=1000)
    assert len(one.nodes) == 1 < len(apart.nodes)
    assert set(one.certificate["proof"]) == set(apart.certificate["proof"]) == {"optimal"}
    total = apart.certificate["total_yuan"].sum()
    assert one.certificate["total_yuan"].sum() == pytest.approx(total)
    assert keeps(one)


@pytest.mark.parametrize(
    ("kind", "seed"),
    [("joined", 12), ("joined", 28), ("joined", 3), ("joined", 1005), ("joined", 1013), ("surveyed", 0), ("surveyed", 1),
     ("floods", 0), ("floods", 1), ("floods", 7), ("crossed", 0), ("crossed", 5),
     ("surveyed", 2), ("three", 5), ("four", 1)],
)  # fmt: skip
def test_random_rivers_against_exhaustive_search(kind, seed):
    best, wanted = compared(kind, seed)
    assert best.certificate["total_yuan"].sum() == pytest.approx(wanted)
    assert set(best.certificate["proof"]) == {"optimal"}
    assert keeps(best)


def test_each_flood_has_its_allowed_rise_and_both_bind():
    """Of two floods the dearer one bounds the design; what names no flood is refused."""
    case = two_floods(7)
    both = searched(case, locks=LOCKED)
    alone = {
        name: searched(case | {"floods": {name: one}}, locks=LOCKED).certificate["total_yuan"].sum()
        for name, one in case["floods"].items()
    }
    assert both.certificate["total_yuan"].sum() >= max(alone.values()) > min(alone.values())
    assert both.allowed == {name: mm for name, (_, mm) in case["floods"].items()}
    for name, (_, mm) in case["floods"].items():
        assert f"洪水 {name} 全河最大壅高" in "".join(both.summary())
        assert both.rise.loc[both.rise["profile"] == name, "rise_mm"].max() <= mm
    # the band of losses, each row by a profile of its own
    assert len(both.band) == 8
    for row in both.band[both.band["profile"] == "P=1%"].itertuples():
        flow = case["floods"]["P=1%"][0]
        losses = {"contraction": row.contraction, "expansion": row.expansion}
        was, now = (
            pg.water_profile(one, flow, {"slope": case["downstream_slope"]}, **losses)["level_m"]
            for one in (sections_of(case), both.sections)
        )
        assert row.largest_rise_mm == pytest.approx(1000 * (now - was).max(), abs=0.01)
        assert row.kept == (row.largest_rise_mm <= row.allowed_mm + 1e-3)
    price = pg.what_would_save(both, both.buildings.query("state == 'demolished'").index[0])
    assert (price["extra_yuan"] >= 0).all()
    with pytest.raises(pg.errors.LayerError, match="allowed_mm names 'P=5%'"):
        searched(case | {"floods": case["floods"], "named": {"P=5%": 20.0}}, locks=LOCKED)


def test_levees_are_refused():
    assert levees_refused(0)


def with_rises(case, change):
    """What changes the rise allowed of each flood."""
    if "floods" not in case:
        return {"allowed_mm": change(case["allowed_mm"])}
    return {"floods": {name: (q, change(mm)) for name, (q, mm) in case["floods"].items()}}


def test_rows_of_no_station_are_refused():
    with pytest.raises(pg.errors.LayerError, match="node_stations is 0"):
        searched(street(2, 2), node_stations=0)


def mirrored(case):
    """Houses on the other bank; which bank is free doesn't matter, for none is locked."""
    flipped = [
        b | {"bounds_m": [x0, -y1, x1, -y0]}
        for b, (x0, y0, x1, y1) in ((b, b["bounds_m"]) for b in case["buildings"])
    ]
    return {"buildings": flipped}


def twice_as_large(case):
    """By Froude's law: discharge by 2 to the 5/2, n by 2 to the 1/6, areas by 4."""
    double = {
        "stations_m": [2 * x for x in case["stations_m"]],
        "bed_level_m": [2 * z for z in case["bed_level_m"]],
        "buildings": [b | {"bounds_m": [2 * x for x in b["bounds_m"]]} for b in case["buildings"]],
        "discharge_m3s": 2**2.5 * case["discharge_m3s"],
        **with_rises(case, lambda mm: 2 * (mm - 0.02) + 0.02),
        "limits": case["limits"] | {"inward_m": 2, "step_m": 2, "clear_m": 0.04, "least_half_m": 6},
    } | {k: 2 * case[k] for k in ("half_m", "bank_above_bed_m", "offset_m")}
    double |= {k: 2 ** (1 / 6) * case[k] for k in ("n", "n_wall")}
    if "floods" in case:
        double["floods"] = {k: (2**2.5 * q, mm) for k, (q, mm) in double["floods"].items()}
    return double


NEVER_DEARER = {
    "more rise": lambda case: with_rises(case, lambda mm: mm + 10),
    "farther out": lambda case: {"limits": case["limits"] | {"outward_m": 1}},
    "farther in": lambda case: {"limits": case["limits"] | {"inward_m": 2}},
    "one house fewer": lambda case: {"buildings": case["buildings"][1:]},
}


def proven_total(case, **more):
    """What the optimum of a case costs: small rivers are all proven."""
    best = searched(case, **more)
    assert best.certificate["proof"].tolist() == ["optimal"]
    return best.certificate["total_yuan"].sum()


@cache
def total_as_it_is(case):
    """The same of a case written as text: laws draw the same rivers."""
    return proven_total(json.loads(case))


drawn_rivers = st.builds(
    lambda seed, nodes, pitch: street(seed, nodes, pitch=pitch),
    st.integers(0, 10**6), st.integers(2, 3), st.integers(3, 5),
) | st.integers(0, 10**6).map(two_floods)  # fmt: skip
few = settings(
    max_examples=2, derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate]
)


@pytest.mark.parametrize("law", NEVER_DEARER)
@few
@given(case=drawn_rivers)
def test_what_can_only_help_never_costs_more(law, case):
    assert proven_total(case | NEVER_DEARER[law](case)) <= total_as_it_is(json.dumps(case)) + 1e-6


@few
@given(case=drawn_rivers, node_stations=st.integers(1, 9))
@example(case=two_floods(1), node_stations=1)
def test_another_way_of_looking_changes_nothing(case, node_stations):
    total = pytest.approx(total_as_it_is(json.dumps(case)))
    assert proven_total(case, node_stations=node_stations) == total
    assert proven_total(case, upwards=True) == total
    assert proven_total(case | mirrored(case)) == total


@few
@given(case=drawn_rivers)
def test_a_river_twice_as_large_by_froude_s_law_has_the_same_design(case):
    # the price of each house is rounded to a yuan, before it counts four times and after
    rounded = 2.5 * len(case["buildings"])
    total = 4 * total_as_it_is(json.dumps(case))
    assert proven_total(case | twice_as_large(case)) == pytest.approx(total, rel=1e-9, abs=rounded)


def as_seen(case, way):
    """A case of two rivers that join, seen in another way; which bank is locked then."""
    rivers, houses, ends = case["rivers"], case["houses"], case["ends"]
    sections, flows = case["sections"], case["flows"]
    if way == "mirrored":
        flip = [1, 0, 0, -1, 0, 0]
        return case | {
            "rivers": rivers.set_geometry(rivers.geometry.affine_transform(flip)),
            "houses": houses.set_geometry(houses.geometry.affine_transform(flip)),
        }, "left"
    if way == "counted upwards":
        own = sections["A"].assign(chainage_m=200 - sections["A"]["chainage_m"])
        return case | {
            "rivers": rivers.assign(start_m=[200.0, 0.0], chainage_sign=[-1, 1]),
            "sections": sections | {"A": own}, "flows": flows.assign(chainage_m=[200.0, 0.0]),
            "ends": ends.assign(joins_at_m=200 - ends["joins_at_m"]),
        }, "right"  # fmt: skip
    if way == "in another order":
        back = {k: case[k].iloc[::-1] for k in ("rivers", "houses", "flows", "ends")}
        return case | back | {"sections": {k: sections[k] for k in "BA"}}, "right"
    # twice as large by Froude's law: the same design, four times the area
    lengths = ["chainage_m", "offset_m", "elevation_m"]
    twice = {
        k: v.assign(**{c: 2 * v[c] for c in lengths}, n=2 ** (1 / 6) * v["n"])
        for k, v in sections.items()
    }
    big = [2, 0, 0, 2, 0, 0]
    return case | {
        "rivers": rivers.set_geometry(rivers.geometry.affine_transform(big)),
        "houses": houses.set_geometry(houses.geometry.affine_transform(big)),
        "sections": twice, "flows": flows.assign(discharge_m3s=2**2.5 * flows["discharge_m3s"]),
        "ends": ends.assign(joins_at_m=2 * ends["joins_at_m"]), "offset_m": 20.0,
        "at": {k: 2 * v for k, v in case["at"].items()},
        "allowed_mm": 2 * (case["allowed_mm"] - 0.02) + 0.02,
        "limits": case["limits"]
        | {"inward_m": 2, "step_m": 2, "clear_m": 0.04, "least_half_m": 6},
    }, "right"  # fmt: skip


def test_laws_of_rivers_that_join():
    """The same of two rivers that join and share the rise where they meet."""
    case = fork(1005, rival=True)

    def cost(made, locked="right", **more):
        best = searched_fork(made, locked=locked, **more)
        assert set(best.certificate["proof"]) == {"optimal"}
        return best.certificate["total_yuan"].sum()

    total = cost(case)
    assert cost(case | {"allowed_mm": case["allowed_mm"] + 10}) <= total
    assert cost(case | {"limits": case["limits"] | {"outward_m": 1}}) <= total
    assert cost(case | {"houses": case["houses"].iloc[1:]}) <= total
    assert cost(case, node_stations=4) == total
    for way in ("mirrored", "counted upwards", "in another order"):
        assert cost(*as_seen(case, way)) == pytest.approx(total), way
    assert cost(*as_seen(case, "twice as large")) == pytest.approx(4 * total)


def basin_of(case, monkeypatch):
    """Rivers that join as the search has them, and what it found."""
    seen = []
    whole = Search.smoothed

    def smoothed(self, basin, solution, found):
        seen.append((basin, solution))
        return whole(self, basin, solution, found)

    monkeypatch.setattr(Search, "smoothed", smoothed)
    searched_fork(case)
    return seen[0]


@pytest.mark.parametrize("seed", [1001, 1005])
def test_what_is_known_for_other_levels_is_what_a_search_finds(seed, monkeypatch):
    basin, solution = basin_of(fork(seed, rival=True), monkeypatch)
    for one in solution.rivers.values():
        assert one.chain.solve(one.level, one.solution.cost) is None
        assert one.chain.solve(one.level, one.solution.cost + 1).cost == one.solution.cost
    inner = basin.inflows[0].basin
    for share in np.random.default_rng(0).permutation(17) / 16:
        level = inner.lowest + share * (inner.highest - inner.lowest)
        found, alone = inner.solve(level), inner.chain().solve(level)
        assert (found is None) == (alone is None)
        if found is not None:
            assert (found.cost, found.bound) == pytest.approx((alone.cost, alone.bound))
            one = found.rivers[inner.reach.name]
            levels = one.chain.levels(one.solution, level)
            assert (levels <= inner.reach.most + 1e-6).all()
            # what stands too high isn't kept, nor what is too fast
            assert not one.chain.keeps(one.solution, level + 1)
            for stretch, options in zip(one.chain.stretches, one.solution.options, strict=True):
                own = levels[:, stretch.first : stretch.last + 1]
                assert stretch.march.calm(options, own)
                assert not stretch.march.calm(options, own - 2)


@pytest.mark.parametrize("seed", [0, 3, 4])
def test_rivers_of_many_steps_cost_no_less_than_is_true_and_hardly_more(seed, monkeypatch):
    case = street(seed, 3)
    true = float(searched(case, locks=LOCKED).certificate["total_yuan"].sum())
    monkeypatch.setattr("pinghu_geo.search.trials.MANY_STEPS", 0)
    found = searched(case, locks=LOCKED, node_stations=1000)
    total, bound = (float(found.certificate[c].sum()) for c in ("total_yuan", "bound_yuan"))
    assert len(found.nodes) > 1
    assert bound <= true + 0.5 <= total + 1.0
    assert total - bound <= 0.01 * total
    assert keeps(found)


@pytest.mark.parametrize("most", [0, 10, 100])
def test_rivers_whose_work_is_spent_promise_no_more_than_is_true(most, monkeypatch):
    case = fork(1005, rival=True)
    total = searched_fork(case).certificate["total_yuan"].sum()
    monkeypatch.setattr("pinghu_geo.search.basin.Work", lambda **more: Work(most=most, **more))
    monkeypatch.setattr("pinghu_geo.search.joint.Work", lambda **more: Work(most=most, **more))
    found = searched_fork(case).certificate
    assert found["bound_yuan"].sum() <= total + 0.5
    if (found["proof"] == "optimal").all():
        assert found["total_yuan"].sum() == pytest.approx(total)


@pytest.mark.parametrize("seed", range(10))
def test_options_stay_that_a_way_from_end_to_end_takes_and_no_others(seed):
    rng = np.random.default_rng(seed)
    works, change = rng.random((2, 5, 4)), rng.random((4, 4))
    works[rng.random(works.shape) < 0.3] = np.inf
    change[rng.random(change.shape) < 0.4] = np.inf
    wanted = np.full(works.shape, np.inf)
    for side in (0, 1):
        for way in itertools.product(range(4), repeat=5):
            own = works[side, range(5), way]
            if np.isfinite(own).all() and np.isfinite(change[way[:-1], way[1:]]).all():
                wanted[side, range(5), way] = own
    np.testing.assert_array_equal(stretch.on_some_way(works, change), wanted)
