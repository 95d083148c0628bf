"""Water profiles: laws, errors, and an independent solver."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, reject, settings
from hypothesis import strategies as st

import pinghu_geo as pg
from pinghu_geo.flood import hydraulics, steady, water_profile
from pinghu_geo.flood.hydraulics import Scenario, scenario_levels
from pinghu_geo.flood.sections import Ground
from pinghu_geo.flood.survey import lay_sections

G = 9.81


def box(chainage=0.0, *, bed=0.0, half=5.0, high=6.0, n=0.03, **more):
    return pd.DataFrame(
        {
            "river": "R", "chainage_m": chainage, "offset_m": [-half, -half, half, half],
            "elevation_m": [bed + high, bed, bed, bed + high], "n": n, **more,
        }
    )  # fmt: skip


def reach(stations=11, spacing=50.0, slope=0.001, **shape):
    x = np.arange(stations) * spacing
    return pd.concat([box(c, bed=(x[-1] - c) * slope, **shape) for c in x], ignore_index=True)


@st.composite
def rough_sections(draw):
    """A section of random ground between high ends, with random roughness."""
    count = draw(st.integers(4, 14))
    numbers = st.floats(0.5, 8.0)
    gaps = draw(st.lists(numbers, min_size=count, max_size=count))
    z = draw(st.lists(st.floats(0.0, 6.0), min_size=count, max_size=count))
    n = draw(st.lists(st.sampled_from([0.02, 0.03, 0.05, 0.1]), min_size=count, max_size=count))
    x = np.cumsum(gaps)
    z = np.array([12.0, *z, 12.0])
    x = np.concatenate([[x[0] - 0.5], x, [x[-1] + 0.5]])
    return pd.DataFrame(
        {"river": "R", "chainage_m": 0.0, "offset_m": x, "elevation_m": z, "n": [n[0], *n, n[-1]]}
    )


def brute(section, level, left=-np.inf, right=np.inf):
    """Conveyance and area by the rules, in a plain loop over the ground."""
    x, z, n = (section[c].to_numpy(float) for c in ("offset_m", "elevation_m", "n"))
    area, k = 0.0, 0.0
    unit_a = unit_p = 0.0
    previous = None
    for i in range(len(x) - 1):
        zone = 0 if (x[i] + x[i + 1]) / 2 < left else (2 if (x[i] + x[i + 1]) / 2 > right else 1)
        key = (zone, n[i])
        if previous is not None and (key != previous or (zone != 1 and z[i] >= level)):
            k += unit_a ** (5 / 3) / unit_p ** (2 / 3) / previous[1] if unit_a > 0 else 0.0
            unit_a = unit_p = 0.0
        previous = key
        lo, hi = min(z[i], z[i + 1]), max(z[i], z[i + 1])
        if level <= lo:
            continue
        share = 1.0 if level >= hi else (level - lo) / (hi - lo)
        wide = (x[i + 1] - x[i]) * share
        mean = level - (lo + hi) / 2 if level >= hi else (level - lo) / 2
        unit_a += wide * mean
        area += wide * mean
        unit_p += np.hypot(x[i + 1] - x[i], hi - lo) * share
    k += unit_a ** (5 / 3) / unit_p ** (2 / 3) / previous[1] if unit_a > 0 else 0.0
    return area, k


@settings(max_examples=60, deadline=None)
@given(rough_sections(), st.floats(0.3, 11.0))
def test_overbank_conveyance_equals_a_plain_loop(section, depth):
    """All overbank: split at every change of n and every dry high point."""
    ends = section["offset_m"].iloc[[0, -1]].to_numpy()
    level = min(section["elevation_m"].min() + depth, 11.9)  # above the ends stand walls
    # a high point just at the level may count as dry or wet: the conveyance jumps there
    assume((section["elevation_m"] != level).all())
    bank = pd.DataFrame({"river": "R", "chainage_m": [0.0], "left_bank_m": [ends[1] - 1e-7]})
    ours = pg.flood.section_properties(section, level, banks=bank).iloc[0]
    area, k = brute(section, level, left=np.inf)
    assert ours["area_m2"] == pytest.approx(area, rel=1e-9, abs=1e-12)
    assert ours["conveyance_m3s"] == pytest.approx(k, rel=1e-6, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(rough_sections(), st.floats(0.2, 5.0), st.floats(0.01, 5.0))
def test_area_grows_with_stage(section, depth, more):
    low = section["elevation_m"].min() + depth
    one, two = (pg.flood.section_properties(section, z).iloc[0] for z in (low, low + more))
    assert two["area_m2"] > one["area_m2"]
    assert two["top_width_m"] >= one["top_width_m"] - 1e-9


@settings(max_examples=40, deadline=None)
@given(st.floats(2, 40), st.floats(0, 3), st.floats(0.1, 8), st.floats(0.1, 4))
def test_conveyance_of_a_channel_grows_with_stage(width, side, depth, more):
    one = pd.DataFrame(
        {"river": "R", "chainage_m": [0.0], "bed_level_m": [0.0], "bank_level_m": [20.0],
         "left_m": width + 20 * side, "right_m": width + 20 * side, "side_slope": side, "n": 0.03}
    )  # fmt: skip
    made = pg.design_sections(one)
    low, high = (
        pg.flood.section_properties(made, z)["conveyance_m3s"].iloc[0]
        for z in (depth, depth + more)
    )
    assert high > low


@settings(max_examples=40, deadline=None)
@given(rough_sections(), st.floats(1.0, 300.0), st.floats(1e-4, 0.02))
def test_normal_depth_inverts_the_discharge(section, discharge, slope):
    found = pg.flood.normal_levels(section, discharge, slope=slope)["normal_level_m"].iloc[0]
    bank = {"river": "R", "chainage_m": [0.0]}
    k = pg.flood.section_properties(section, pd.DataFrame({**bank, "level_m": [found]}))
    got = k["conveyance_m3s"].iloc[0] * np.sqrt(slope)
    # where a dry high point drowns, K may jump through the wanted value
    near = [
        pg.flood.section_properties(section, found + d)["conveyance_m3s"].iloc[0] * np.sqrt(slope)
        for d in (-1e-6, 1e-6)
    ]
    assert got == pytest.approx(discharge, rel=1e-6) or min(near) <= discharge <= max(near)


# a minimum below the flat ground at 5 m, and a higher one just above it
PARTED = pd.DataFrame({
    "river": "R", "chainage_m": 0.0, "offset_m": [0.5, 1, 2, 3, 4, 6, 8, 9.5, 10],
    "elevation_m": [12.0, 0, 0, 3, 5, 5, 2, 1, 12], "n": 0.02,
})  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(rough_sections(), st.floats(1.0, 200.0))
@example(PARTED, 86.0)
def test_the_critical_level_has_the_least_energy(section, discharge):
    found = pg.flood.critical_levels(section, discharge).iloc[0]
    bed = section["elevation_m"].min()
    levels = bed + np.linspace(0.02, 11.0, 400)

    place = {"river": "R", "chainage_m": 0.0}
    at = pd.DataFrame({**place, "level_m": [found["critical_level_m"], *levels]})
    p = pg.flood.section_properties(section, at)
    energy = p["level_m"] + p["alpha"] * (discharge / p["area_m2"]) ** 2 / (2 * G)
    least, scan = energy.iloc[0], energy.iloc[1:].min()
    assert least <= scan + (1e-6 if found["n_minima"] == 1 else 1e-3)


def test_an_area_by_itself_is_that_of_all_that_is_wet():
    wavy = pd.DataFrame({"river": "B", "chainage_m": 0.0, "offset_m": np.arange(-8.0, 9.0),
                         "elevation_m": 5.0 - np.resize([0, 4, 1, 3], 17), "n": 0.03})  # fmt: skip
    made = pd.concat([reach(stations=3), wavy])
    place = {"river": ["R", "B"], "chainage_m": 0.0}
    banks = pd.DataFrame(place | {"left_levee_m": -3.0, "left_levee_top_m": 3.0})
    held = place | {"from_offset_m": 1.0, "to_offset_m": 3.5, "top_m": 2.5, "obstacle": "permanent"}
    packed = lay_sections(made, banks=banks, obstacles=pd.DataFrame(held)).sections
    for level in np.linspace(0.1, 9.0, 40):
        rows, at = np.arange(len(packed)), np.full(len(packed), level)
        whole = packed.wetted(rows, at).area.sum(axis=1)
        assert packed.area(rows, at) == pytest.approx(whole, abs=1e-12)
        for row in rows:  # by itself, among others, in another order
            one = packed.wetted(rows[[row]], at[:1])
            among = packed.wetted(np.array([*rows[::-1], row]), np.r_[at, level])
            assert all(np.array_equal(x[0], y[-1]) for x, y in zip(one, among, strict=True))


def test_mirrored_sections_give_the_same():
    rng = np.random.default_rng(7)
    x = np.sort(rng.uniform(-30, 30, 25))
    z = np.abs(x) * 0.2 + rng.uniform(0, 0.8, 25)
    n = rng.choice([0.03, 0.06], 25)
    parts, mirrored = [], []
    for c in (0.0, 100.0, 200.0):
        place = {"river": "R", "chainage_m": c}
        parts.append(pd.DataFrame({**place, "offset_m": x, "elevation_m": z - c * 0.002, "n": n}))
        back = np.append(n[:-1][::-1], n[-1])  # n of a piece of ground stands at its left end
        mirrored.append(
            pd.DataFrame(
                {**place, "offset_m": -x[::-1], "elevation_m": z[::-1] - c * 0.002, "n": back}
            )
        )
    banks = {"river": "R", "chainage_m": [0.0, 100.0, 200.0]}
    one = pg.water_profile(
        pd.concat(parts), 60.0, {"slope": 0.002},
        banks=pd.DataFrame({**banks, "left_bank_m": x[8], "right_bank_m": x[15],
                            "length_left_m": 90.0, "length_right_m": 110.0}),
    )  # fmt: skip
    other = pg.water_profile(
        pd.concat(mirrored), 60.0, {"slope": 0.002},
        banks=pd.DataFrame({**banks, "left_bank_m": -x[15], "right_bank_m": -x[8],
                            "length_left_m": 110.0, "length_right_m": 90.0}),
    )  # fmt: skip
    assert one["level_m"].to_numpy() == pytest.approx(other["level_m"].to_numpy(), abs=1e-9)


@pytest.mark.parametrize("friction", steady.FRICTION)
@pytest.mark.parametrize("regime", ["subcritical", "supercritical", "mixed"])
def test_energy_balances(friction, regime):
    slope = 0.02 if regime == "supercritical" else 0.001
    ends = {"slope": slope}
    found = pg.water_profile(
        reach(slope=slope), 40.0, ends, upstream=ends, regime=regime, friction=friction
    )
    assert not found["doubts"].str.contains("critical_default|unbalanced").any()
    rest = found["energy_m"].diff(-1).iloc[:-1] - found["loss_m"].iloc[:-1]
    assert rest.abs().max() < 1e-8
    fast = found["regime"] == "supercritical"
    assert fast.all() if regime == "supercritical" else not fast.any()


def test_backwater_tends_to_normal_depth():
    made = reach(stations=400, spacing=20.0, slope=0.002)
    high, low = (
        pg.water_profile(made, 40.0, {"level_m": z})["depth_m"].to_numpy() for z in (3.5, 1.6)
    )
    normal = pg.flood.normal_levels(box(), 40.0, slope=0.002)["normal_level_m"].iloc[0]
    assert high[0] == pytest.approx(normal, abs=1e-6)
    assert low[0] == pytest.approx(normal, abs=1e-6)
    # from above and from below, without crossing
    assert (np.diff(high) > -1e-9).all()
    assert (np.diff(low) < 1e-9).all()


def test_all_at_once_and_step_by_step_agree():
    rng = np.random.default_rng(3)
    x = np.arange(60) * 25.0
    parts = [
        box(c, bed=(x[-1] - c) * 0.001 + rng.normal(0, 0.05), half=rng.uniform(4, 9)) for c in x
    ]
    laid = lay_sections(pd.concat(parts))
    rows = np.arange(60)[:, None]
    model = laid.model(rows, np.full((60, 1), 45.0))
    one = model.column(0)
    at_once, sure = steady._column_by_newton(one, 3.0, steady._typical_normal_depth(one))
    assert sure == 0
    marched, found = at_once[:, None].copy(), np.zeros((60, 1), int)
    marched[:-1] = np.nan
    steady._march_up(model, marched, found, np.array([59]))
    assert marched[:, 0] == pytest.approx(at_once, abs=1e-8)


def test_a_narrow_that_no_subcritical_water_passes_is_solved_alone_and_the_rest_from_near_levels():
    """Levels from near ones are those from scratch where the flow falls back on the critical one."""
    ground = reach(stations=80, spacing=20.0)
    laid = lay_sections(ground)
    rows, flow = np.arange(80)[:, None], np.full((80, 1), 60.0)
    open_ = steady.subcritical(laid.model(rows, flow), np.array([3.0]))[0]
    # walls leave a slit of a metre at the fortieth section: far too little for subcritical water
    at = laid.stations["chainage_m"].to_numpy()[40]
    walls = pd.DataFrame({"river": "R", "chainage_m": [at], "left_wall_m": -0.5,
                          "right_wall_m": 0.5})  # fmt: skip
    model = lay_sections(ground, banks=walls).model(rows, flow)
    level, how = steady.subcritical(model, np.array([3.0]))
    near, found = steady.subcritical(replace(model, guess=open_), np.array([3.0]))
    assert how[40, 0] == found[40, 0] == steady.CRITICAL
    assert near == pytest.approx(level, abs=1e-8)
    assert (near[41:] == open_[41:]).all()
    assert near[39, 0] > open_[39, 0] + 0.1


def test_bracketed_search_agrees_with_newton():
    made = lay_sections(reach(stations=2))
    model = made.model(np.array([[0], [1]]), np.full((2, 1), 40.0))
    below = model.state(np.array([1]), np.array([40.0]), np.array([2.5]))
    found, _ = steady._step_by_newton(model, np.array([0]), np.array([40.0]), below)
    original, steady._step_by_newton = (
        steady._step_by_newton,
        lambda *a: (below, np.zeros(1, bool)),
    )
    try:
        other, how = steady._standard_step(model, np.array([0]), np.array([40.0]), below)
    finally:
        steady._step_by_newton = original
    assert how[0] == steady.BALANCED
    assert other.level[0] == pytest.approx(found.level[0], abs=1e-9)
    again = model.state(np.array([0]), np.array([40.0]), found.level)
    assert all(np.array_equal(*both) for both in zip(found, again, strict=True))


def test_a_weir_makes_critical_depth_and_says_so():
    made = pd.concat([box(0.0, bed=0.1), box(50.0, bed=1.5), box(100.0, bed=0.0)])
    found = pg.water_profile(made, 40.0, {"level_m": 1.9})
    assert found["doubts"].str.contains("critical_default").tolist() == [False, True, False]
    critical = (16 / G) ** (1 / 3)
    assert found["depth_m"].iloc[1] == pytest.approx(critical, abs=1e-9)


def test_mixed_needs_both_ends_and_finds_the_jump():
    x = np.arange(0, 800.0, 20)
    bed = np.where(x <= 400, (400 - x) * 0.03, (400 - x) * 0.0005) + 1
    made = pd.concat([box(c, bed=z) for c, z in zip(x, bed, strict=True)])
    with pytest.raises(pg.errors.HydraulicsError, match="no upstream boundary for R"):
        pg.water_profile(made, 40.0, {"level_m": 3.6}, regime="mixed")
    found = pg.water_profile(made, 40.0, {"level_m": 3.8}, upstream={"slope": 0.03}, regime="mixed")
    fast = (found["regime"] == "supercritical").to_numpy()
    assert fast[0]
    assert not fast[-1]
    jump = int(np.flatnonzero(~fast)[0])
    assert not fast[jump:].any()
    # across the jump energy is lost, but the specific force below is the greater
    assert found["energy_m"].iloc[jump - 1] > found["energy_m"].iloc[jump]


def test_schemes_in_blocks_are_those_of_one_run(monkeypatch):
    made = pd.concat([reach(half=h, scheme=f"h{h}") for h in (4.0, 5.0, 6.0)])
    whole = water_profile(made, 20.0, {"slope": 0.001})
    monkeypatch.setattr(hydraulics, "POINTS_AT_ONCE", 5)
    assert len(hydraulics._some_schemes(made)) == 3
    pd.testing.assert_frame_equal(water_profile(made, 20.0, {"slope": 0.001}), whole)
    # what is wrong is said of all schemes, whatever block they are in
    bad = made.assign(n=np.where(made["scheme"] == "h4.0", made["n"], np.nan))
    with pytest.raises(pg.errors.HydraulicsError, match=r"\(22: "):
        water_profile(bad, 20.0, {"slope": 0.001})


def test_profiles_and_schemes_at_once_equal_one_by_one():
    made = pd.concat([reach(half=h, scheme=f"h{h}") for h in (4.0, 5.0, 6.0)])
    flows = pd.DataFrame({"profile": ["P=2%", "P=5%"], "discharge_m3s": [45.0, 30.0]})
    found = pg.water_profile(made, flows, {"slope": 0.001})
    assert found.groupby(["scheme", "profile"], sort=False).ngroups == 6
    assert found["scheme"].tolist() == sorted(found["scheme"])
    for (scheme, profile), rows in found.groupby(["scheme", "profile"]):
        one = pg.water_profile(
            reach(half=float(scheme[1:])),
            float(flows.set_index("profile")["discharge_m3s"][profile]),
            {"slope": 0.001},
        )
        assert rows["level_m"].to_numpy() == pytest.approx(one["level_m"].to_numpy(), abs=1e-9)


@st.composite
def built_into(draw):
    """What three schemes build into a reach of 11 sections: walls, blocks and idle water.

    Their tops lie well above the water or well below it: where it just overtops a block two levels
    balance, and which of them is found depends on where the search begins.
    """
    schemes = ["a", "b", "c"]
    place = st.integers(0, 10).map(lambda k: k * 50.0)
    side = st.floats(0.5, 4.0)
    blocks = [
        {
            "scheme": s, "river": "R", "chainage_m": draw(place), "from_offset_m": -draw(side),
            "to_offset_m": draw(side) - 0.4, "top_m": draw(st.sampled_from([0.3, 20.0])),
            "obstacle": draw(st.sampled_from(["blocked", "ineffective", "permanent"])),
        }
        for s in schemes
        for _ in range(draw(st.integers(1, 3)))
    ]  # fmt: skip
    walls = pd.DataFrame(
        [
            {
                "scheme": s, "river": "R", "chainage_m": k * 50.0, "left_bank_m": -4.5,
                "right_bank_m": 4.5, "left_wall_m": -4.4 if s == "b" and k > 6 else np.nan,
            }
            for s in schemes
            for k in range(11)
        ]
    )  # fmt: skip
    return pd.DataFrame(blocks), walls


@settings(max_examples=25, deadline=None)
@given(built_into(), st.booleans())
def test_schemes_that_share_sections_equal_each_alone(built, near):
    blocks, walls = built
    ground, ends = reach(slope=0.0005), {"slope": 0.0005}
    guess = []
    if near:
        none = walls[walls["scheme"] == "a"].drop(columns="scheme")
        guess = scenario_levels(ground, 30.0, ends, [Scenario()], banks=none)
    try:
        found = scenario_levels(
            ground, 30.0, ends, [Scenario()], near=guess, banks=walls, obstacles=blocks
        )[0]
    except pg.errors.HydraulicsError:
        reject()
    for scheme, rows in found.groupby("scheme", observed=True):
        mine = [t[t["scheme"] == scheme].drop(columns="scheme") for t in (walls, blocks)]
        alone = water_profile(ground, 30.0, ends, banks=mine[0], obstacles=mine[1])
        assume(not alone["doubts"].str.contains("unbalanced").any())
        np.testing.assert_allclose(rows["level_m"], alone["level_m"], atol=2e-8)


def test_three_models_side_by_side_are_each_as_alone():
    ground, ends = reach(stations=4, slope=0.0005), {"slope": 0.0005}
    asked = [Scenario(n_factor=f) for f in (0.8, 1.0, 1.3)]
    found = scenario_levels(ground, 30.0, ends, asked)
    for one, factor in zip(found, (0.8, 1.0, 1.3), strict=True):
        alone = water_profile(ground.assign(n=ground["n"] * factor), 30.0, ends)
        np.testing.assert_allclose(one["level_m"], alone["level_m"], atol=2e-8)


@pytest.mark.parametrize("columns", [1, 2, 9])
def test_a_bidiagonal_system_is_that_of_a_full_matrix(columns):
    rng = np.random.default_rng(5)
    r, diagonal, beside = rng.uniform(1, 2, (3, 6, columns))
    found = steady._solve_bidiagonal(r, diagonal, beside)
    for k in range(columns):
        full = np.diag(diagonal[:, k]) + np.diag(beside[:-1, k], 1)
        assert found[:, k] == pytest.approx(np.linalg.solve(full, -r[:, k]))


def test_a_zero_in_a_bracket_is_found_by_interpolation():
    """Cube root of 2: halving 0 to 2 forty times is what inverse interpolation saves."""
    calls = []

    def cubic(x, mask):
        calls.append(mask.sum())
        return x**3 - 2

    found = steady.bracketed(cubic, np.array([0.0]), np.array([2.0]))
    assert found[0] == pytest.approx(2 ** (1 / 3), abs=1e-12)
    assert len(calls) <= 14


@pytest.mark.parametrize("begin", [0, 1, 2])
def test_a_cover_over_a_part_of_a_section_takes_away_what_lies_above_it_there(begin):
    """30 m wide, a slab over one third of it 2 m above the bed, through which nothing passes."""
    section = pd.DataFrame({
        "river": "R", "chainage_m": 0.0, "offset_m": [0.0, 0, 10, 20, 30, 30],
        "elevation_m": [6.0, 0, 0, 0, 0, 6], "n": 0.03,
    })  # fmt: skip
    lid = np.full(6, np.nan)
    lid[begin + 1 : begin + 3] = 2.0
    if begin != 1:  # it begins at a wall that goes on above it
        lid[0 if begin == 0 else 5] = 6.0
    covered = section.assign(lid_m=lid)
    below, against = (pg.flood.section_properties(covered, z).iloc[0] for z in (1.5, 3.0))
    assert below["area_m2"] == pytest.approx(30 * 1.5)
    assert below["wetted_perimeter_m"] == pytest.approx(30 + 2 * 1.5)
    assert against["area_m2"] == pytest.approx(30 * 3 - 10 * (3 - 2))


def test_a_cover_from_end_to_end_closes_a_section_and_a_shorter_one_does_not():
    """A ditch whose banks the slab lies on: full it has no wall above, and no bank to overtop."""
    ditch = pd.DataFrame({
        "river": "R", "chainage_m": 0.0, "offset_m": [0.0, 5, 10], "elevation_m": [2.0, 0, 2],
        "n": 0.03, "lid_m": 2.0,
    })  # fmt: skip
    full = pg.flood.section_properties(ditch, 3.0).iloc[0]
    assert full["area_m2"] == pytest.approx(10.0)
    assert full["wetted_perimeter_m"] == pytest.approx(2 * np.hypot(5, 2) + 10)
    wide = pd.DataFrame({
        "river": "R", "chainage_m": 0.0, "offset_m": [0.0, 5, 20, 30],
        "elevation_m": [2.0, 0, 0, 2], "n": 0.03,
    })  # fmt: skip
    for first, last, ends in ((0, 3, np.inf), (0, 2, 2.0), (1, 3, 2.0)):
        lid = np.full(4, np.nan)
        lid[first : last + 1] = 2.0
        assert lay_sections(wide.assign(lid_m=lid)).sections.ends.tolist() == [ends]


def test_ground_is_cut_at_each_place_that_has_no_point_yet():
    """Two sections, one of a single slope; places at points and outside of them add none."""
    ground = Ground(
        np.array([0.0, 10, 0, 4, 8]),
        np.array([0.0, 5, 1, 1, 3]),
        np.full(5, 0.03),
        np.array([2, 3]),
    )
    section, at = np.array([0, 0, 0, 1, 1, 1, 1]), np.array([2.0, 6, 12, -1, 1, 4, 6])
    made = ground.cut_many(section, at)
    assert made.count.tolist() == [4, 5]
    assert made.x.tolist() == [0, 2, 6, 10, 0, 1, 4, 6, 8]
    assert made.z.tolist() == [0, 1, 3, 5, 1, 1, 1, 2, 3]


@pytest.mark.parametrize(("root", "answer"), [(5.0, 2.0), (-5.0, 0.0), (1.0, 1.0)])
def test_without_a_bracket_the_end_nearer_to_zero_is_the_answer(root, answer):
    """Beside one that has a zero in its bracket, so that the search goes on."""
    roots = np.array([np.sqrt(2), root])
    low, high = np.zeros(2), np.full(2, 2.0)
    found = steady.bracketed(lambda x, mask: x - roots[mask], low, high)
    assert found == pytest.approx([np.sqrt(2), answer], abs=1e-12)


@pytest.mark.parametrize("how", steady.FRICTION)
def test_the_growth_of_losses_is_that_of_their_differences(how):
    """Newton's method takes it: of expansions and contractions, over ways of one length."""
    ground = pd.concat([box(0.0, bed=0.1, half=4.0), box(80.0, half=7.0, n=0.04)])
    model = replace(
        lay_sections(ground).model(
            np.array([[0], [1]]), np.full((2, 1), 40.0), contraction=0.1, expansion=0.3
        ),
        friction=how,
    )
    flow = np.array([40.0])

    def lost(up, down):
        states = (model.state(np.array([k]), flow, np.array([z])) for k, z in ((0, up), (1, down)))
        return [float(one[0]) for one in model.losses(np.array([0]), *states)]

    step = 1e-5
    for up, down in ((2.6, 2.0), (2.1, 2.9)):
        _, by_up, by_down = lost(up, down)
        assert by_up == pytest.approx(
            (lost(up + step, down)[0] - lost(up - step, down)[0]) / (2 * step), rel=1e-6
        )
        assert by_down == pytest.approx(
            (lost(up, down + step)[0] - lost(up, down - step)[0]) / (2 * step), rel=1e-6
        )


@pytest.mark.parametrize("many", [1, 2, 3])
def test_models_side_by_side_are_as_many_as_they_were(many):
    ground = lay_sections(reach(stations=4))
    rows, flow = np.arange(4)[:, None], np.full((4, 1), 30.0)
    models = [ground.model(rows, flow, contraction=0.1 * k, expansion=0.3) for k in range(many)]
    beside = steady.side_by_side(models)
    assert [beside.size, beside.column(0).size, models[0].size] == [4, 4, 4]  # sections of a copy
    level, found = steady.subcritical(beside, np.full(many, 2.0))
    assert level.shape == (4, many)
    assert not found.any()
    for k, one in enumerate(models):
        assert level[:, k] == pytest.approx(steady.subcritical(one, np.full(1, 2.0))[0][:, 0])


def test_columns_of_one_guess_that_end_at_other_levels_are_each_as_alone():
    """Both are given the first one's levels, which the second one's end then changes."""
    ground = lay_sections(reach(stations=30, spacing=20.0))
    rows, flow = np.arange(30)[:, None], np.full((30, 1), 30.0)
    one = ground.model(rows, flow)
    ends = np.array([2.0, 2.4])
    alone = np.hstack([steady.subcritical(one, ends[[k]])[0] for k in range(2)])
    both = ground.model(np.hstack([rows, rows]), np.hstack([flow, flow]))
    for guess in (alone[:, [0, 0]], alone[:, [1, 1]]):
        level, found = steady.subcritical(replace(both, guess=guess.copy()), ends)
        assert level == pytest.approx(alone, abs=2e-8)
        assert not found.any()


@pytest.mark.parametrize("kind", ["calm", "a fall in the middle", "under a cover", "far guesses"])
@pytest.mark.parametrize("cells", [20, 50_000])
def test_levels_found_at_once_are_those_of_one_step_after_the_other(kind, cells, monkeypatch):
    """From three levels at the lower end, with several columns at once and one after the other."""
    monkeypatch.setattr(steady, "CELLS", cells)
    x = np.arange(12) * 40.0
    bed = (x[-1] - x) * 0.0008
    if kind == "a fall in the middle":
        bed[:6] += 3.0  # critical above it, whatever stands below
    half = 5 + np.sin(x / 60)
    ground = pd.concat([box(c, bed=z, half=h) for c, z, h in zip(x, bed, half, strict=True)])
    if kind == "under a cover":
        lid = np.maximum(ground["elevation_m"], bed[5] + 2.2)
        ground["lid_m"] = lid.where(ground["chainage_m"] == x[5])
        ground["n_lid"] = np.where(ground["lid_m"].notna(), 0.1, np.nan)
    laid = lay_sections(ground)
    flow, ends = np.full(12, 30.0), np.array([2.0, 2.3, 3.1])
    model = laid.model(np.arange(12)[:, None], flow[:, None])
    assert bool(model.soffits) == (kind == "under a cover")
    expected = np.empty((12, 3))
    expected[-1] = ends
    below = model.state(np.full(3, 11), flow[:3], ends)
    critical = False
    for i in range(10, -1, -1):
        below, found = model.step(np.full(3, i), flow[:3], below)
        expected[i], critical = below.level, critical or (found == steady.CRITICAL).any()
    assert critical == (kind == "a fall in the middle")
    off = {"under a cover": 0.5, "far guesses": 1.5}  # below a cover a second level balances
    near = expected + off.get(kind, 0.02)
    made = model.levels_above(np.arange(12), flow, ends, near)
    assert made == pytest.approx(expected, abs=2e-8)


def test_an_ineffective_area_counts_only_above_its_level():
    """10 m wide, 2 of them ineffective up to 2 m: at 2 m still 8 x 2."""
    idle = pd.DataFrame(
        {"river": "R", "chainage_m": [0.0], "from_offset_m": [1.0], "to_offset_m": [3.0],
         "top_m": [2.0], "obstacle": "ineffective"}
    )  # fmt: skip
    found = [
        pg.flood.section_properties(box(), z, obstacles=idle)["area_m2"].iloc[0]
        for z in (1.0, 2.0, 2.5)
    ]
    assert found == pytest.approx([8.0, 16.0, 25.0])


def test_a_tributary_takes_the_level_of_the_main_river():
    main = reach(slope=0.0005).assign(river="干流")
    side = reach(stations=5, slope=0.001, half=3.0).assign(river="支流")
    side["elevation_m"] += main.loc[main["chainage_m"] == 250.0, "elevation_m"].min()
    flows = pd.DataFrame(
        {
            "river": ["干流", "干流", "支流"],
            "chainage_m": [0.0, 250.0, 0.0],
            "discharge_m3s": [30.0, 42, 12],
        }
    )
    ends = pd.DataFrame(
        {"river": ["支流", "干流"], "joins": ["干流", None], "joins_at_m": [250.0, np.nan],
         "slope": [np.nan, 0.0005]}
    )  # fmt: skip
    found = pg.water_profile(pd.concat([side, main]), flows, ends).set_index(
        ["river", "chainage_m"]
    )
    assert found.loc[("支流", 200.0), "level_m"] == pytest.approx(
        found.loc[("干流", 250.0), "level_m"]
    )
    assert found.loc[("干流", 200.0), "discharge_m3s"] == 30
    assert found.loc[("干流", 250.0), "discharge_m3s"] == 42


def test_chainages_from_the_mouth_run_the_other_way(straight):
    rivers = straight.assign(chainage_sign=-1, start_m=500.0)
    name = rivers.index[0]
    made = reach().assign(river=name)
    up = made.assign(chainage_m=500.0 - made["chainage_m"])
    one = pg.water_profile(made, 40.0, {"slope": 0.001})
    other = pg.water_profile(up, 40.0, {"slope": 0.001}, rivers=rivers)
    assert other["chainage_m"].iloc[0] == 500.0
    assert other["level_m"].to_numpy() == pytest.approx(one["level_m"].to_numpy(), abs=1e-9)


def test_rating_curve():
    curve = pd.DataFrame(
        {"boundary": "rating", "discharge_m3s": [10.0, 50.0, 90.0], "level_m": [1.0, 2.0, 2.8]}
    )
    found = pg.water_profile(reach(), 40.0, curve)
    assert found["level_m"].iloc[-1] == pytest.approx(1.75)
    with pytest.raises(
        pg.errors.HydraulicsError, match=r"runs from 10 to 90 m³/s and doesn't reach 100"
    ):
        pg.water_profile(reach(), 100.0, curve)


def test_walls_levees_and_idle_water():
    wide = box(half=20.0)

    def area(level, **kind):
        return pg.flood.section_properties(wide, level, **kind).iloc[0]

    place = {"river": "R", "chainage_m": [0.0]}
    walls = pd.DataFrame({**place, "left_wall_m": [-8.0], "right_wall_m": [8.0]})
    found = area(2.0, banks=walls)
    assert found["area_m2"] == pytest.approx(32.0)
    assert found["wetted_perimeter_m"] == pytest.approx(20.0)  # both walls count
    # its foot lies between two surveyed points
    left = pd.DataFrame({**place, "left_levee_m": [-8.0], "left_levee_top_m": [2.5]})
    assert area(2.0, banks=left)["area_m2"] == pytest.approx(56.0)
    assert area(2.0, banks=left)["wetted_perimeter_m"] == pytest.approx(28 + 2 + 2)
    assert area(3.0, banks=left)["area_m2"] == pytest.approx(120.0)
    levee = pd.DataFrame({**place, "right_levee_m": [8.0], "right_levee_top_m": [2.5]})
    assert area(2.0, banks=levee)["area_m2"] == pytest.approx(56.0)
    assert area(2.0, banks=levee)["wetted_perimeter_m"] == pytest.approx(28 + 2 + 2)
    # to the crest it is wet, and dry behind
    assert area(2.5, banks=levee)["area_m2"] == pytest.approx(28 * 2.5)
    assert area(2.5, banks=levee)["wetted_perimeter_m"] == pytest.approx(28 + 2 * 2.5)
    assert area(3.0, banks=levee)["area_m2"] == pytest.approx(120.0)  # overtopped
    idle = pd.DataFrame(
        {
            **place,
            "from_offset_m": [8.0],
            "to_offset_m": [20.0],
            "top_m": [2.5],
            "obstacle": "ineffective",
        }
    )
    assert area(2.0, obstacles=idle)["area_m2"] == pytest.approx(56.0)
    assert area(3.0, obstacles=idle)["area_m2"] == pytest.approx(120.0)
    still = idle.assign(obstacle="permanent")
    assert area(3.0, obstacles=still)["area_m2"] == pytest.approx(84.0 + 12 * 0.5)
    house = idle.assign(obstacle="blocked", from_offset_m=2.0, to_offset_m=8.0)
    found = area(2.0, obstacles=house)
    assert found["area_m2"] == pytest.approx(68.0)
    assert found["wetted_perimeter_m"] == pytest.approx(44 - 6 + 4)
    flat = area(3.0, obstacles=house)  # overtopped: water stands on it
    assert flat["area_m2"] == pytest.approx(120 - 15)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: s.assign(n=0.0), r"roughness .* missing or not above 0 \(11: R K0\+000"),
        (lambda s: s.assign(n=np.nan), "roughness"),
        (
            lambda s: s.iloc[::-1].assign(chainage_m=s["chainage_m"].to_numpy()),
            "offsets that run back",
        ),
        (lambda s: s.assign(elevation_m=np.nan), "lacks elevation_m in rows"),
        (lambda s: s.drop(columns="offset_m"), "lacks the column 'offset_m'"),
        (lambda s: s.groupby("chainage_m").head(1), "single point"),
        (lambda s: s.assign(offset_m=2.0), r"no width \(11: R K0\+000"),
        (lambda s: s.head(0), "has no rows"),
    ],
)
def test_bad_sections_are_named(change, match):
    with pytest.raises(pg.PinghuError, match=match):
        pg.water_profile(change(reach()), 40.0, {"slope": 0.001})


@pytest.mark.parametrize(
    ("flows", "ends", "match"),
    [
        (40.0, {"level_m": -3.0}, r"downstream level -3\.000 m of R lies below the bed"),
        (40.0, {"slope": 0.0}, "needs one above 0"),
        (40.0, {"slop": 0.1}, "did you mean 'slope'"),
        (40.0, {}, "says neither level_m, slope, joins nor boundary"),
        (40.0, pd.DataFrame({"river": ["Q"], "slope": [0.001]}), "no downstream boundary for R"),
        (40.0, pd.DataFrame({"slope": [0.001, 0.002]}), "more than one downstream boundary"),
        (40.0, {"joins": "X", "joins_at_m": 3.0}, "R joins X, which has no sections"),
        (-1.0, {"slope": 0.001}, "not above 0"),
        (pd.DataFrame({"chainage_m": [200.0], "discharge_m3s": [3.0]}), {"slope": 0.001},
         r"no discharge for the upper sections \(4: R K0\+000"),
    ],
)  # fmt: skip
def test_bad_floods_and_boundaries_are_named(flows, ends, match):
    with pytest.raises(pg.errors.HydraulicsError, match=match):
        pg.water_profile(reach(), flows, ends)


@pytest.mark.parametrize(
    ("kind", "table", "match"),
    [
        ("banks", {"left_bank_m": -9.0}, "places banks outside their section"),
        ("banks", {"left_bank_m": 2.0, "right_bank_m": -2.0}, "left bank right of the right one"),
        ("banks", {"left_bank_m": 5.0}, "left bank right of the right one"),  # at its right end
        ("banks", {"right_bank_m": -5.0}, "left bank right of the right one"),
        ("banks", {"left_levee_m": -2.0}, "left levee without a top"),
        ("banks", {"chainage_m": 7.0}, "speaks of places where there is no section"),
        ("obstacles", {"from_offset_m": 3.0, "to_offset_m": 1.0}, "not left of to_offset_m"),
        (
            "obstacles",
            {"from_offset_m": 1.0, "to_offset_m": 3.0, "obstacle": "ineffective"},
            "without top_m",
        ),
        (
            "obstacles",
            {"from_offset_m": 1.0, "to_offset_m": 3.0, "obstacle": "blokced"},
            "did you mean 'blocked'",
        ),
    ],
)
def test_bad_banks_and_obstacles_are_named(kind, table, match):
    frame = pd.DataFrame([{"river": "R", "chainage_m": 50.0, **table}])
    with pytest.raises(pg.PinghuError, match=match):
        pg.water_profile(reach(), 40.0, {"slope": 0.001}, **{kind: frame})


def test_doubts_are_flagged():
    steep = pg.water_profile(reach(slope=0.012), 40.0, {"slope": 0.012})
    assert steep["doubts"].str.contains("froude").all()
    shallow = pg.water_profile(reach(high=1.0), 40.0, {"slope": 0.001})
    assert shallow["doubts"].str.contains("above_ends").all()
    far = pg.water_profile(reach(spacing=500.0), 40.0, {"slope": 0.001})
    assert far["doubts"].str.contains("spacing").iloc[:-1].all()
    uneven = pd.concat([box(0.0, bed=0.1), box(50.0, half=12.0)])
    found = pg.water_profile(uneven, 40.0, {"level_m": 3.0})
    assert "conveyance_ratio" in found["doubts"].iloc[0]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_where_idle_water_sets_in_no_level_balances(share):
    """Idle, the level would have to stand above the top; live, below it: what's above is in doubt."""
    made = reach(stations=4, spacing=2000.0, slope=0.0002)
    at = 2000.0
    end = {"level_m": 2.0}
    idle = pd.DataFrame(
        {"river": "R", "chainage_m": at, "from_offset_m": [-1e3, 3.0],
         "to_offset_m": [-3.0, 1e3], "top_m": 99.0, "obstacle": "ineffective"}
    )  # fmt: skip
    low = pg.water_profile(made, 20.0, end)["level_m"].iloc[1]
    high = pg.water_profile(made, 20.0, end, obstacles=idle)["level_m"].iloc[1]
    assert high > low + 0.01
    top = low + share * (high - low)
    found = pg.water_profile(made, 20.0, end, obstacles=idle.assign(top_m=top))
    said = [set(d.split(",")) & {"unbalanced", "carried"} for d in found["doubts"]]
    assert said == [{"carried"}, {"unbalanced"}, set(), set()]
    assert found["level_m"].iloc[1] == pytest.approx(top, abs=1e-6)
    clear = pg.water_profile(made, 20.0, end, obstacles=idle.assign(top_m=high + 0.01))
    assert not clear["doubts"].str.contains("unbalanced|carried").any()


def test_two_critical_levels_are_counted():
    """A deep slot beside a wide shelf: energy has two minima."""
    slot = pd.DataFrame(
        {"river": "R", "chainage_m": 0.0, "offset_m": [-1.0, -1, 1, 1, 80, 80],
         "elevation_m": [8.0, 0, 0, 3, 3, 8], "n": 0.03}
    )  # fmt: skip
    banks = pd.DataFrame({"river": "R", "chainage_m": [0.0], "right_bank_m": [1.0]})
    found = pg.flood.critical_levels(slot, 14.0, banks=banks).iloc[0]
    assert found["n_minima"] == 2
    # 7 m²/s in the slot alone, which is full only at 3 m: (q²/g)^(1/3) = 1.709
    assert found["critical_level_m"] == pytest.approx((7**2 / G) ** (1 / 3), abs=1e-6)


def test_of_two_critical_levels_the_one_of_less_energy_counts():
    """12 m²/s in the slot alone: 2.448 m of water with 3.673 m of energy; over the shelf 3.3 m."""
    slot = pd.DataFrame(
        {"river": "R", "chainage_m": 0.0, "offset_m": [-1.0, -1, 1, 1, 80, 80],
         "elevation_m": [8.0, 0, 0, 3, 3, 8], "n": 0.03}
    )  # fmt: skip
    banks = pd.DataFrame({"river": "R", "chainage_m": [0.0], "right_bank_m": [1.0]})
    found = pg.flood.critical_levels(slot, 24.0, banks=banks).iloc[0]
    assert found["n_minima"] == 2
    alone = (12**2 / G) ** (1 / 3)
    assert found["critical_level_m"] > 3 > alone
    # slot and shelf as two channels side by side (Manning; walls count to the slot's perimeter)
    y = np.linspace(3.01, 4, 991)
    area = np.stack([2 * y, 79 * (y - 3)])
    wet = np.stack([2 + y + 3, 79 + (y - 3)])
    carries = area * (area / wet) ** (2 / 3)
    speed = 24 * carries / carries.sum(axis=0) / area
    energy = y + (carries / carries.sum(axis=0) * speed**2).sum(axis=0) / (2 * G)
    assert energy.min() < 1.5 * alone
    assert found["critical_level_m"] == pytest.approx(y[energy.argmin()], abs=2e-3)


def swmm_depths(stage, *, count=40, dx=25.0, slope=0.002, discharge=20.0):
    """Depths that SWMM's dynamic wave settles at in a rectangular channel 10 m wide."""
    from swmm.toolkit import output, shared_enum, solver

    bed = (count - np.arange(count + 1)) * dx * slope
    text = [
        "[OPTIONS]", "FLOW_UNITS CMS", "FLOW_ROUTING DYNWAVE", "START_DATE 01/01/2020",
        "START_TIME 00:00:00", "REPORT_START_DATE 01/01/2020", "REPORT_START_TIME 00:00:00",
        "END_DATE 01/01/2020", "END_TIME 12:00:00", "REPORT_STEP 01:00:00", "ROUTING_STEP 1",
        "INERTIAL_DAMPING NONE", "NORMAL_FLOW_LIMITED SLOPE", "VARIABLE_STEP 0.5",
        "MAX_TRIALS 20", "HEAD_TOLERANCE 0.000001", "MIN_SURFAREA 0.01", "[JUNCTIONS]",
        *(f"J{i} {bed[i]:.6f} 20 0 0 0" for i in range(count)),
        "[OUTFALLS]", f"J{count} {bed[count]:.6f} FIXED {bed[count] + stage} NO", "[CONDUITS]",
        *(f"C{i} J{i} J{i + 1} {dx} 0.03 0 0 {discharge}" for i in range(count)),
        "[XSECTIONS]", *(f"C{i} RECT_OPEN 15 10 0 0 1" for i in range(count)),
        "[INFLOWS]", f'J0 FLOW "" FLOW 1 1 {discharge}', "[REPORT]", "NODES ALL",
    ]  # fmt: skip
    return text, bed, (solver, output, shared_enum)


@pytest.mark.parametrize("stage", [1.2, 2.2])
def test_swmm_on_a_prismatic_reach(stage, tmp_path, capfd):
    text, bed, (solver, output, shared_enum) = swmm_depths(stage)
    (tmp_path / "a.inp").write_text("\n".join(text) + "\n")
    solver.swmm_run(*(str(tmp_path / f"a.{s}") for s in ("inp", "rpt", "out")))
    handle = output.init()
    output.open(handle, str(tmp_path / "a.out"))
    last = output.get_times(handle, shared_enum.Time.NUM_PERIODS) - 1
    theirs = output.get_node_attribute(handle, last, shared_enum.NodeAttribute.INVERT_DEPTH)
    output.close(handle)
    x = np.arange(len(bed)) * 25.0
    made = pd.concat([box(c, bed=z, high=15.0) for c, z in zip(x, bed, strict=True)])
    found = pg.water_profile(made, 20.0, {"level_m": stage}, contraction=0, expansion=0)
    # half a millimetre: SWMM averages depths in a conduit and stores single precision
    assert np.abs(found["depth_m"].to_numpy() - np.array(theirs)).max() < 5e-4


def wild(seed):
    """A river as bad as they come: pools, ledges, walls, levees, idle water, any discharge."""
    rng = np.random.default_rng(seed)
    gaps = rng.uniform(5, 200, int(rng.integers(2, 20)))
    at, bed, parts = np.cumsum(gaps), 100.0, []
    slope = 10 ** rng.uniform(-4, -1.2)
    for chainage, gap in zip(at, gaps, strict=True):
        bed -= slope * gap * rng.uniform(-0.3, 2.3)
        count = int(rng.integers(5, 15))
        x = np.r_[-40.0, np.sort(np.round(rng.uniform(-39, 39, count - 2), 1)), 40.0]
        z = bed + rng.uniform(0, 5, count) * (np.abs(x) / 40 + 0.1)
        z[[0, -1]] += 3
        n = rng.choice([0.02, 0.035, 0.1], count)
        parts.append(
            pd.DataFrame(
                {"river": "R", "chainage_m": chainage, "offset_m": x, "elevation_m": z, "n": n}
            )
        )
    sections = pd.concat(parts)
    low = sections.groupby("chainage_m")["elevation_m"].min().to_numpy()
    banks = pd.DataFrame(
        {"river": "R", "chainage_m": at, "left_bank_m": -15.0, "right_bank_m": 12.0,
         "left_wall_m": np.where(rng.random(len(at)) < 0.3, -20.0, np.nan),
         "right_levee_m": np.where(rng.random(len(at)) < 0.3, 14.0, np.nan)}
    ).assign(right_levee_top_m=low + rng.uniform(0, 3))  # fmt: skip
    start = rng.uniform(-30, 20, 3)
    obstacles = pd.DataFrame(
        {"river": "R", "chainage_m": rng.choice(at, 3), "from_offset_m": start,
         "to_offset_m": start + rng.uniform(1, 15, 3), "top_m": bed + rng.uniform(0, 8, 3),
         "obstacle": rng.choice(["blocked", "ineffective", "permanent"], 3)}
    )  # fmt: skip
    return sections, banks, obstacles, 10 ** rng.uniform(-0.5, 3), max(slope, 1e-4), rng


@pytest.mark.parametrize("regime", ["subcritical", "supercritical", "mixed"])
@pytest.mark.parametrize("seed", range(25))
def test_any_river_balances_or_says_so(seed, regime):
    """Levels are finite, and energy balances wherever nothing is flagged and nothing jumps."""
    sections, banks, obstacles, discharge, slope, rng = wild(seed)
    end = {"slope": slope} if seed % 2 else {"boundary": "critical"}
    found = pg.water_profile(
        sections, discharge, end, upstream=end, banks=banks, obstacles=obstacles, regime=regime,
        friction=rng.choice(steady.FRICTION),
    )  # fmt: skip
    assert np.isfinite(found[["level_m", "energy_m", "froude"]].to_numpy()).all()
    rest = (found["energy_m"].diff(-1) - found["loss_m"]).iloc[:-1].abs().to_numpy()
    said = found["doubts"].str.contains("critical_default|unbalanced").to_numpy()
    kind = found["regime"].to_numpy()
    excused = said[:-1] | said[1:] | (kind[:-1] != kind[1:])
    assert rest[~excused].max(initial=0.0) < 1e-6


def test_a_slow_inflow_is_no_control_of_a_mixed_profile():
    """A deep normal level upstream presses more than the pool does, but it can't run ahead of it."""
    made = reach(stations=8, slope=0.0005)
    plain = pg.water_profile(made, 20.0, {"level_m": 1.9})
    mixed = pg.water_profile(
        made, 20.0, {"level_m": 1.9}, upstream={"level_m": 4.0}, regime="mixed"
    )
    assert mixed["level_m"].to_numpy() == pytest.approx(plain["level_m"].to_numpy(), abs=1e-8)


def test_a_deep_inflow_above_a_steep_reach_begins_at_its_critical_depth():
    """Nothing holds the water up there: of the level that is given and the critical one, the lower."""
    x = np.arange(0, 200.0, 20)
    made = pd.concat([box(c, bed=(200 - c) * 0.03) for c in x])
    found = pg.water_profile(
        made, 40.0, {"boundary": "critical"}, upstream={"level_m": 6 + 6.0}, regime="mixed"
    )
    critical = (16 / G) ** (1 / 3)  # 4 m²/s
    assert found["depth_m"].iloc[0] == pytest.approx(critical, abs=1e-6)
    assert (found["depth_m"].iloc[1:] < critical).all()
    # as far down as the water quickens its depth falls towards the normal one
    assert (found["depth_m"].diff().iloc[1:] < 0).all()


def test_a_river_that_nothing_can_pass_is_refused():
    closed = pd.DataFrame(
        {"river": "R", "chainage_m": [0.0], "from_offset_m": [-5.0], "to_offset_m": [5.0],
         "top_m": [5e6], "obstacle": "permanent"}
    )  # fmt: skip
    with pytest.raises(
        pg.errors.HydraulicsError, match=r"closed from bank to bank .* \(1: R K0\+000"
    ):
        pg.water_profile(
            pd.concat([box(0.0, bed=0.1), box(50.0)]), 10.0, {"level_m": 2.0}, obstacles=closed
        )


@pytest.mark.parametrize(
    ("how", "slope"),
    [("average_conveyance", (20 / 150) ** 2), ("average_slope", 0.025), ("geometric", 0.02),
     ("harmonic", 0.016)],
)  # fmt: skip
def test_means_of_two_friction_slopes_by_hand(how, slope):
    """Of 0.01 and 0.04: 10 m³/s through 100 and through 50 m³/s (HEC-RAS, equations 2-17 to 2-20)."""
    up, down = (
        SimpleNamespace(discharge=np.array([10.0]), conveyance=np.array([k]), slope=np.array([1.0]))
        for k in (100.0, 50.0)
    )
    assert steady._friction_slope(how, up, down)[0] == pytest.approx([slope])


def test_hundreds_of_floods_are_computed_without_a_word_of_pandas():
    """Warnings are errors here: pandas warned of a fragmented frame from a hundred floods on."""
    q = np.linspace(5.0, 60.0, 150)
    flows = pd.DataFrame({"river": "R", "chainage_m": 0.0, "discharge_m3s": q,
                          "profile": [f"{k:03d}" for k in range(150)]})  # fmt: skip
    found = water_profile(reach(4), flows, {"slope": 0.001})
    alone = water_profile(reach(4), float(q[70]), {"slope": 0.001})
    of_one = found.loc[found["profile"] == "070", "level_m"]
    np.testing.assert_allclose(of_one, alone["level_m"], atol=1e-9)
