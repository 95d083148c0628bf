"""Least demolition within a rise: exhaustive search, laws, and the profile that checks it."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from conftest import building_frame, river_frame

RATES = pd.DataFrame({"building_yuan_m2": [1000.0]})
FLOW, SLOPE = 70.0, {"slope": 0.002}


def channel(length=400.0, spacing=20.0, river="A", half=8.0, top=4.0, **more):
    """A rectangle of 2 x half metres that falls 2 in 1,000."""
    at = np.arange(0, length + 1e-9, spacing)
    bed = 0.002 * (length - at)
    table = pd.DataFrame({"river": river, "chainage_m": at, "bed_level_m": bed, "n": 0.028})
    given = {"left_m": half, "right_m": half, "bank_level_m": bed + top, "n_wall": 0.022} | more
    return pg.design_sections(table.assign(**given))


def line(length=400.0, river="A", offset=10.0):
    return pd.DataFrame(
        {"river": river, "chainage_m": [0.0, length], "left_m": offset, "right_m": offset}
    )


@pytest.fixture(scope="module")
def street():
    """Houses close to both banks, so that what is given up on one can't be had on the other."""
    houses = {}
    for k in range(6):
        houses[f"L{k}"] = shapely.box(60 + 50 * k, 9.6 - 0.3 * (k % 3), 75 + 50 * k, 20)
        houses[f"R{k}"] = shapely.box(66 + 50 * k, -20, 80 + 50 * k, -10.6 - 0.3 * (k % 2))
    return river_frame({"A": [(0, 0), (400, 0)]}), building_frame(houses, floors=2)


LIMITS = {"inward_m": 2.0, "outward_m": 1.0, "step_m": 0.5, "taper": 0.1}


def search(street, allowed_mm=20, sections=None, limits=LIMITS, **more):
    rivers, buildings = street
    return pg.least_demolition_within_rise(
        rivers, line(), buildings, channel() if sections is None else sections, FLOW, SLOPE, limits,
        allowed_mm=allowed_mm, rates=RATES, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("top", "asked", "said"),
    [(4.0, None, []), (4.0, 9.0, ["不足所要求的超高"]), (0.5, None, ["高出岸顶"]),
     (0.5, 1.0, ["高出岸顶", "不足所要求的超高"])],
)  # fmt: skip
def test_a_flood_above_the_banks_is_said_beside_the_rise(street, top, asked, said):
    # the approved river has no such freeboard itself, and a rise of nothing says nothing of it
    best = search(street, 0, channel(top=top), freeboard_m=asked)
    least = best.rise[["freeboard_left_m", "freeboard_right_m"]].min(axis=1)
    told = [one for one in best.summary() if "岸顶" in one or "超高" in one]
    assert len(told) == len(said)
    # in the first lines, before what is proven
    assert best.summary()[1 : len(told) + 1] == told
    for one, word in zip(told, said, strict=True):
        assert word in one
        low = least < (0 if word == "高出岸顶" else asked)
        assert f"{len(least)} 个桩号点中" in one
        assert f"{low.sum()} 个" in one
        assert f"{abs(least.min()):.2f} m" in one


def test_the_rise_that_the_profile_finds_is_within_the_allowed_one(street):
    best = search(street)
    assert (best.nodes["proof"] == "river").all()
    assert best.certificate["proof"].tolist() == ["optimal"]
    assert 5 < best.largest_rise_mm <= 20
    saved = set(best.comparison.changes.loc[best.comparison.changes["change"] == "saved"].index)
    assert saved
    # the same design by another way: the design table moved, and a profile of it
    bed = pd.DataFrame({"river": "A", "chainage_m": np.arange(0, 401, 20.0)})
    bed = bed.assign(
        bed_level_m=0.002 * (400 - bed["chainage_m"]), left_m=8.0, right_m=8.0, n=0.028
    )
    bed = bed.assign(bank_level_m=bed["bed_level_m"] + 4, n_wall=0.022)
    moved = pg.moved_design(bed, line(), best.widths, street[0])
    before, after = (
        pg.water_profile(pg.design_sections(t), FLOW, SLOPE, contraction=0.1, expansion=0.3)
        for t in (bed, moved)
    )
    rise = pg.flood.rise_table(before, after)
    assert rise["rise_mm"].to_numpy() == pytest.approx(best.rise["rise_mm"].to_numpy(), abs=1e-6)
    assert (best.rise["freeboard_left_m"] > 0).all()
    # promise and count agree: what nodes cost is the compensation of the buildings still taken
    taken = best.comparison.schemes["控制壅高"].totals["cost_yuan"].iloc[0]
    works = best.nodes["total_yuan"].sum() - taken
    assert 0 <= works < 1000  # a yuan for each square metre that the line moves
    assert "已证明" in best.summary()[1]
    assert "<table" in best._repr_html_()


@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_is_that_of_exhaustive_search(seed):
    """All 3^6 designs of three stations, their floods by `water_profile`, against the search."""
    rng = np.random.default_rng(seed)
    rivers = river_frame({"A": [(0, 0), (100, 0)]})
    houses, at = {}, np.arange(0, 101, 25.0)
    for k in range(4):
        x, room, side = rng.uniform(26, 62), rng.uniform(8.7, 10.7), rng.choice([-1, 1])
        houses[f"H{k}"] = shapely.box(
            x, min(side * room, side * 20), x + 12, max(side * room, side * 20)
        )
    buildings = building_frame(houses, floors=rng.integers(1, 6, 4))
    moves = np.array([-1.0, 0.0, 1.0])
    sections = channel(100.0, 25.0)
    best = pg.least_demolition_within_rise(
        rivers, line(100.0), buildings, sections, FLOW, SLOPE,
        {"inward_m": 1, "outward_m": 1, "step_m": 1, "taper": 0.1, "clear_m": 0.02},
        allowed_mm=15, rates=RATES,
    )  # fmt: skip
    area = buildings.geometry.area * buildings["floors"] * 1000.0
    designs = np.zeros((3**6, 2, 5))
    designs[:, :, 1:4] = np.array(list(itertools.product(moves, repeat=6))).reshape(-1, 2, 3)
    cost = np.abs(designs).sum(axis=(1, 2)) * 25
    for k, shape in enumerate(buildings.geometry):
        x0, y0, x1, y1 = shape.bounds
        side, room = (0, y0) if y0 > 0 else (1, -y1)
        # the line is straight between stations: it is farthest out at an end of the wall or there
        ends = np.union1d([x0, x1], at[(at > x0) & (at < x1)])
        drawn = np.array([np.interp(ends, at, one) for one in designs[:, side]])
        hit = (drawn + 10 > room - 0.02).any(axis=1)
        cost += hit * round(area.iloc[k])
    tables = [
        sections.assign(offset_m=sections["offset_m"] + np.where(
            sections["offset_m"] < 0, -1, 1) * np.repeat(both.T, 2, axis=1).ravel(), scheme=str(k))
        for k, both in enumerate(designs)
    ]  # fmt: skip
    found = pg.water_profile(pd.concat(tables), FLOW, SLOPE, contraction=0.1, expansion=0.3)
    level = found.sort_values(["scheme", "chainage_m"])["level_m"].to_numpy().reshape(-1, 5)
    level = level[np.argsort(np.argsort(np.array([str(k) for k in range(3**6)])))]
    base = level[np.flatnonzero((designs == 0).all(axis=(1, 2)))[0]]
    fine = (level <= base + 0.015 - 2e-5 + 1e-9).all(axis=1)
    assert best.certificate["proof"].tolist() == ["optimal"]
    total, between = best.nodes["total_yuan"].sum(), best.done.found[0].reach.touch.between
    assert total >= cost[fine].min() - 0.5
    if not between.any():
        assert total == pytest.approx(cost[fine].min())
    assert fine.sum() < len(fine)
    # what is handed on holds no tables of the search, which are ten times as large
    stretches = [one for f in best.done.found for one in f.stretches]
    assert stretches
    assert not any(hasattr(one, "march") for one in stretches)


def test_laws(street):
    costs = [search(street, mm).nodes["total_yuan"].sum() for mm in (0, 5, 20, 60)]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[-1]
    # a larger menu is never dearer, one building less neither
    rivers, buildings = street
    smaller = search(street, limits=LIMITS | {"inward_m": 1.0}).nodes["total_yuan"].sum()
    assert costs[2] <= smaller
    fewer = search((rivers, buildings.drop("L2"))).nodes["total_yuan"].sum()
    assert fewer <= costs[2]
    flip = buildings.assign(geometry=buildings.geometry.scale(1, -1, origin=(0, 0)))
    assert search((rivers, flip)).nodes["total_yuan"].sum() == pytest.approx(costs[2])


def test_a_smoother_wall_makes_room(street):
    wall = {"wall": ["光面直墙"], "side_slope": 0.0, "n_wall": 0.014}
    plain = search(street, allowed_mm=5)
    cheap = search(street, allowed_mm=5, walls=pd.DataFrame(wall | {"wall_yuan_m": 10.0}))
    dear = search(street, allowed_mm=5, walls=pd.DataFrame(wall | {"wall_yuan_m": 1e9}))
    assert cheap.nodes["total_yuan"].sum() < plain.nodes["total_yuan"].sum()
    assert dear.nodes["total_yuan"].sum() == pytest.approx(plain.nodes["total_yuan"].sum())
    assert "光面直墙" in set(cheap.widths["wall_left"]) | set(cheap.widths["wall_right"])
    assert cheap.largest_rise_mm <= 5
    # the table that comes out makes the same river again
    made, banks = pg.search.moved_sections(
        channel(), line(), cheap.widths, street[0], walls=pd.DataFrame(wall | {"wall_yuan_m": 10.0})
    )
    again = pg.water_profile(made, FLOW, SLOPE, banks=banks, contraction=0.1, expansion=0.3)
    assert again["level_m"].to_numpy() == pytest.approx(cheap.rise["level_after_m"].to_numpy())


def test_works_cost_what_the_volumes_of_excavation_say(street):
    made = channel()
    ends = made.groupby("chainage_m")["elevation_m"].transform("max")
    beyond = [made.assign(offset_m=x, elevation_m=ends).drop_duplicates("chainage_m")
              for x in (-30.0, 30.0)]  # fmt: skip
    made = pd.concat([beyond[0], made, beyond[1]]).sort_values(
        ["chainage_m", "offset_m"], kind="stable"
    )
    banks = made[["river", "chainage_m"]].drop_duplicates()
    banks = banks.assign(left_bank_m=-8.0, right_bank_m=8.0)
    limits = LIMITS | {"works_yuan_m3": 60.0, "move_yuan_m2": 0.0}
    best = search(street, sections=made, limits=limits, banks=banks)
    assert (best.buildings["state"] == "saved").any()
    now, _ = pg.search.moved_sections(made, line(), best.widths, street[0], banks=banks)
    dug = pg.flood.excavation(made, now)["cut_m3"].sum()
    assert dug > 10
    assert best.works_yuan == pytest.approx(60 * dug, rel=1e-6)
    # where digging is dear the line stays narrow
    dear = search(street, sections=made, limits=limits | {"works_yuan_m3": 1e5}, banks=banks)
    assert dear.works_yuan == 0


def test_freeboard_and_locks_bind(street):
    free = search(street, 60)
    level = free.rise["level_before_m"] - 0.002 * (400 - free.rise["chainage_m"])
    tight = search(street, 60, freeboard_m=float(4 - level.max() - 0.01))
    assert tight.largest_rise_mm <= 10.01
    assert free.largest_rise_mm > 20
    bridge = pd.DataFrame({"river": "A", "from_m": [100.0], "to_m": [200.0]})
    held = search(street, locks=bridge).widths
    held = held[held["chainage_m"].between(100, 200)]
    assert (held[["left_m", "right_m"]] == 10).all().all()
    out = bridge.assign(bank="left", most_m=8.0)
    with pytest.raises(pg.errors.OptimiseError, match=r"forbid the approved line.*K0\+100"):
        search(street, locks=out)


def test_time_and_interruption_leave_the_rest_as_approved(street, monkeypatch):
    late = search(street, seconds=0.0)
    assert late.stopped
    assert late.nodes.empty
    assert (late.widths[["left_m", "right_m"]] == 10).all().all()
    assert "寻优中途停止,尚未寻优 A:保持原方案" in "".join(late.summary())
    assert late.certificate["proof"].tolist() == ["base"]
    monkeypatch.setattr(
        "pinghu_geo.search.joint.March.run",
        lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt),
    )
    assert search(street).stopped


def test_a_tributary_starts_at_the_level_of_the_river_it_joins():
    rivers = river_frame({"A": [(0, 0), (400, 0)], "B": [(200, 300), (200, 20)]})
    houses = {f"A{k}": shapely.box(230 + 30 * k, 9.2, 245 + 30 * k, 20) for k in range(4)}
    houses |= {f"B{k}": shapely.box(209.4, 60 + 60 * k, 220, 80 + 60 * k) for k in range(3)}
    sections = pd.concat(
        [
            channel(),
            channel(280.0, river="B", bed_level_m=0.4 + 0.002 * (280 - np.arange(0, 281, 20.0))),
        ]
    )
    ends = pd.DataFrame(
        {"river": ["A", "B"], "slope": [0.002, np.nan], "joins": [None, "A"], "joins_at_m": [np.nan, 200.0]}
    )  # fmt: skip
    flows = pd.DataFrame({"river": ["A", "B"], "chainage_m": 0.0, "discharge_m3s": [70.0, 40.0]})
    widths = pd.concat([line(), line(280.0, "B")])
    best = pg.least_demolition_within_rise(
        rivers,
        widths,
        building_frame(houses, floors=1),
        sections,
        flows,
        ends,
        LIMITS,
        allowed_mm=20,
    )
    assert set(best.nodes["river"]) == {"A", "B"}
    assert best.nodes["river"].iloc[0] == "A"
    assert best.largest_rise_mm <= 20
    with pytest.raises(
        pg.errors.HydraulicsError, match=r"B 90 m³/s where it joins A.*only 70 m³/s.*K0\+200"
    ):
        pg.least_demolition_within_rise(
            rivers, widths, building_frame(houses, floors=1), sections, flows.assign(discharge_m3s=[70.0, 90.0]),
            ends, LIMITS, allowed_mm=20,
        )  # fmt: skip


def test_what_can_t_be_searched_is_said(street):
    with pytest.raises(pg.errors.LayerError, match="allowed_mm is -1"):
        search(street, -1)
    with pytest.raises(pg.errors.LayerError, match="did you mean 'taper'"):
        search(street, limits={"tapper": 1})
    buildings = street[1]
    rivers = river_frame({"A": [(0, 0), (400, 0)], "B": [(0, 500), (400, 500)]})
    with pytest.raises(pg.errors.LayerError, match="widths: has no rows for A"):
        pg.least_demolition_within_rise(
            rivers, line(river="B"), buildings, channel(), FLOW, SLOPE, LIMITS, allowed_mm=20
        )
    both = pd.concat([line(), line(river="B")])
    with pytest.raises(
        pg.errors.LayerError, match="sections: has no rows for B, whose red line is given"
    ):
        pg.least_demolition_within_rise(
            rivers, both, buildings, channel(), FLOW, SLOPE, LIMITS, allowed_mm=20
        )
    # a torrent: nothing is searched where the base is not subcritical
    steep = channel(bed_level_m=0.05 * (400 - np.arange(0, 401, 20.0)), bank_level_m=30.0)
    wild = search(street, sections=steep)
    assert wild.nodes.empty


def test_sparing_one_more_building_is_priced_with_its_rise(street):
    best = search(street, allowed_mm=20)
    left = best.buildings.index[best.buildings["state"] == "demolished"]
    assert len(left)
    free = search(street, allowed_mm=60)
    found = {i: pg.what_would_save(best, i) for i in left}
    assert any(len(t) for t in found.values())
    for i, table in found.items():
        assert (table["extra_yuan"] >= 0).all()
        assert (table["largest_rise_mm"] <= 20.001).all()
        # the proposal, drawn, takes what it says and nothing else that stays today
        rows, taken = pg.search.widths_that_save(best, i), set()
        if len(table):
            drawn = pg.red_line(street[0], rows)
            taken = set(pg.affected(street[1], drawn, street[0]).index)
            before = set(best.comparison.schemes["控制壅高"].affected.index)
            assert i not in taken
            assert taken - before <= set(table["lost_ids"].iloc[0])
        assert rows.empty == table.empty
        for saved, lost in zip(table["saved_ids"], table["lost_ids"], strict=True):
            assert i in saved
            assert not set(saved) & set(lost)
    # with more rise more can be spared, and what is spared already has no price
    assert (free.buildings["state"] == "demolished").sum() < len(left)
    gone = best.buildings.index[best.buildings["state"] == "saved"]
    with pytest.raises(pg.errors.LayerError, match="no building that the design demolishes"):
        pg.what_would_save(best, gone[0])


def test_trade_offs_differ_in_buildings_and_none_beats_another(street):
    best = search(street)
    found = pg.trade_offs(best, allowed_mm=[0, 5, 6, 20, 60])
    table = found.table
    assert table["demolition_yuan"].is_monotonic_decreasing
    assert table["demolition_yuan"].is_unique
    assert (table["largest_rise_mm"] <= table["allowed_mm"] + 1e-6).all()
    taken = [
        frozenset(d.comparison.schemes["控制壅高"].affected.index) for d in found.designs.values()
    ]
    assert len(set(taken)) == len(taken) == len(table) >= 3
    price = table["yuan_per_cm"].to_numpy()
    step = -np.diff(table["demolition_yuan"]) / np.diff(table["allowed_mm"]) * 10
    assert price[:-1] == pytest.approx(step)
    assert np.isnan(price[-1])
    assert (table["proven_ratio"] == 1.0).all()
    searched = {f"壅高{rise}mm" for rise in (0, 5, 6, 20, 60)}
    assert set(found.left_out) == searched - set(table["scheme"]) != set()
    said = " ".join(found.summary())
    assert all(name in said for name in found.left_out)
    # rows that are one are said to be, with the one that they are
    assert set() != set(found.merged) <= set(found.left_out)
    for name, other in found.merged.items():
        one, two = (search(street, float(n[2:-2])).comparison.schemes["控制壅高"].affected.index
                    for n in (name, other))  # fmt: skip
        assert set(one) == set(two)
        assert re.search(rf"{name}[^。]* 与 {other} 所拆房屋相同,并为一行。", said)
    assert table["bound_yuan"].tolist() == pytest.approx(table["total_yuan"].tolist())
    # the one river is all of it
    rivers = found.rivers.drop(columns=["river", "proof"])
    assert rivers.equals(table[rivers.columns])
    assert set(found.rivers["proof"]) == {"optimal"}
    # no design lies below a line between two of the hull, whose slopes grow
    hull = table[table["on_hull"]]
    slope = np.diff(hull["total_yuan"]) / np.diff(hull["allowed_mm"])
    assert (np.diff(slope) > 0).all()
    line = np.interp(table["allowed_mm"], hull["allowed_mm"], hull["total_yuan"])
    assert (table["total_yuan"] >= line - 1e-6).all()
    # what was made least is what is demolished, passed too closely, and built
    parts = table[["demolition_yuan", "near_yuan", "works_yuan"]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(table["total_yuan"].to_numpy())
    # a price is said from corner to corner of the hull, which a design between them isn't on
    ends = range(len(hull) - 1)
    said = [text for text in found.summary(lang="en") if text.startswith("From ")]
    assert len(hull) < len(table)
    assert len(said) == len(ends)
    for k, text in zip(ends, said, strict=True):
        one, other = hull.iloc[k], hull.iloc[k + 1]
        saved = one["demolition_yuan"] - other["demolition_yuan"]
        price = 10 * saved / (other["allowed_mm"] - one["allowed_mm"])
        assert text.startswith(f"From {one['scheme']} to {other['scheme']}: each centimetre")
        assert f"saves {price:,.0f} yuan on average" in text
    assert "平均可省" in found.summary()[1]


def test_trade_offs_take_lists_of_numbers(street):
    best = search(street)
    for name in ("allowed_mm", "works_weights"):
        for given in ([], [-1.0], [np.nan], [np.inf], [None], ["20"], "20", 20.0):
            with pytest.raises(pg.errors.LayerError, match="no list of numbers") as error:
                pg.trade_offs(best, **{name: given})
            assert error.value.hint.startswith(f"{name}=(")
        # of rises that are called the same, one design was lost and its rows stood twice
        for given in ([20, 5, 20.0], [20.0, 20.0000001, 5]):
            with pytest.raises(pg.errors.LayerError, match="more than once") as error:
                pg.trade_offs(best, **{name: given})
            assert error.value.hint == f"{name}=(20, 5,)"


def test_trade_offs_need_a_rise():
    with pytest.raises(pg.errors.LayerError, match="has no rise to be traded"):
        pg.trade_offs(None)


def test_within_a_rise_too_no_house_is_paid_that_the_drawn_line_clears():
    """As in `test_optimise`: P holds the line, and beside Q it lies below the further station's."""
    rivers = river_frame({"A": [(0, 0), (400, 0)]})
    p, q = shapely.box(196, 9.52, 204, 20), shapely.box(205, 9.76, 206, 20)
    houses = building_frame({"P": p, "Q": q}, floor_area_m2=[1000.0, 1.0])
    limits = LIMITS | {"taper": 0.05, "step_m": 0.5, "move_yuan_m2": 1.0}
    both, alone = (
        pg.least_demolition_within_rise(
            rivers, line(), rows, channel(), FLOW, SLOPE, limits, allowed_mm=50
        )
        for rows in (houses, houses.loc[["P"]])
    )
    assert alone.buildings["state"].tolist() == ["saved"]
    assert both.buildings["state"].tolist() == ["saved", "saved"]
    assert (
        both.certificate["total_floor_area_m2"].sum()
        == alone.certificate["total_floor_area_m2"].sum()
    )
    assert both.largest_rise_mm <= 50


@pytest.fixture(scope="module")
def searched(street):
    return search(street)


@pytest.mark.parametrize(
    ("change", "said", "unsaid"),
    [
        ({}, "A:所得方案已证明为全河最优", "尚未证明"),
        # feasible: no word of proof, and how far it may be off, in yuan and as a share
        ({"proof": "feasible", "bound_yuan": 75_000.0, "gap_yuan": 25_000.0, "total_yuan": 100_000.0},
         "A:所得方案可行,尚未证明全河最优,与下界相差至多 25,000 元(25.00%)", "已证明"),
        ({"proof": "base", "bound_yuan": 0.0, "gap_yuan": 100_000.0, "total_yuan": 100_000.0},
         "尚未证明全河最优,与下界相差至多 100,000 元(100.00%)", "已证明"),
        # ... and what it takes where it wasn't searched
        ({"proof": "feasible", "n_unsearched": 3, "gap_yuan": 1.0},
         "A:未寻优处有 3 栋按原方案征拆", "已证明"),
        # the line as searched is proven, the one with fewer bends isn't
        ({"proof": "optimal_before_bends", "gap_yuan": 600.0},
         "减少转折后多花 600 元,是否为此类红线中的最优未证明", "所得方案已证明"),
        # proven of the thresholds: what was decided on the safe side is said
        ({"decided_between": 3}, "其中 3 栋与个别备选线相距极近", "尚未证明"),
        # nothing to search is neither proven nor feasible
        ({"n_nodes": 0}, "", "最优"),
    ],
)  # fmt: skip
def test_words_say_what_is_proven_and_of_what(searched, change, said, unsaid):
    words = "\n".join(
        replace(searched, certificate=searched.certificate.assign(**change)).summary()
    )
    assert said in words
    assert unsaid not in words


def test_one_river_proven_and_another_not_are_two_sentences(searched):
    other = searched.certificate.assign(
        river="B", proof="feasible", gap_yuan=10.0, total_yuan=100.0
    )
    both = pd.concat([searched.certificate, other], ignore_index=True)
    words = replace(searched, certificate=both).summary()
    assert sum("A:所得方案已证明" in w and "B" not in w for w in words) == 1
    assert sum("B:所得方案可行" in w and "(10.00%)" in w for w in words) == 1
    short = replace(searched, certificate=both).proof_in_short()
    assert short == "A:已证最优;B:可行,未证最优(与下界相差至多 10 元)"


def test_map_and_board_say_that_banks_are_overtopped(searched):
    """0.7 m above the right bank at one station, in the first flood."""
    low = searched.rise.assign(freeboard_right_m=[-0.7, *searched.rise["freeboard_right_m"][1:]])
    assert "漫顶" not in searched.proof_in_short()
    assert (
        replace(searched, rise=low).proof_in_short().startswith("洪水漫顶,最多高出岸顶 0.70 m;A:")
    )
    said = replace(searched, rise=low).summary()
    assert any("1 个高出岸顶,最多 0.70 m" in line for line in said)


def test_a_menu_of_one_line_is_no_proof(street):
    """Offsets of less than a step, or locks all along: nothing was chosen."""
    all_along = pd.DataFrame({"river": "A", "from_m": [0.0], "to_m": [400.0]})
    for best in (
        search(street, limits=LIMITS | {"inward_m": 0.2, "outward_m": 0.2}),
        search(street, locks=all_along),
    ):
        assert best.certificate["proof"].tolist() == ["one_line"]
        words = "".join(best.summary())
        assert "A:移动量小于一档(step_m)或全线锁定,只有一种红线可选" in words
        assert "已证明" not in words
        assert best.proof_in_short() == "A:只有一种红线可选"
        assert best.proof_in_short(lang="en") == "A: one line"


def test_without_rates_sums_are_floor_areas_and_called_so(street):
    """200 m² of floor area a house: no column and no sentence of it says yuan."""
    rivers, buildings = street
    best = pg.least_demolition_within_rise(
        rivers, line(), buildings, channel(), FLOW, SLOPE, LIMITS, allowed_mm=5, bend_every_m=30.0
    )
    local = pg.least_demolition(rivers, line(), buildings, {"inward_m": 2, "step_m": 1.0})
    gone = best.buildings[best.buildings["state"].isin(["demolished", "added"])]
    house = (buildings.geometry.area * 2).round()
    assert gone["cost_floor_area_m2"].tolist() == house[gone.index].tolist()
    total = best.certificate["total_floor_area_m2"].sum()
    assert gone["cost_floor_area_m2"].sum() <= total < gone["cost_floor_area_m2"].sum() + 5
    price = pg.what_would_save(best, gone.index[0])
    assert {"extra_floor_area_m2", "moved_m"} <= set(price.columns)
    trade = pg.trade_offs(best, allowed_mm=[0, 5])
    assert {"demolition_floor_area_m2", "floor_area_m2_per_cm"} <= set(trade.table.columns)
    tables = [best.certificate, best.nodes, best.buildings, best.bends, local.certificate,
              local.buildings, price, trade.table, trade.rivers]  # fmt: skip
    assert not [c for t in tables for c in t.columns if "yuan" in c]
    assert np.isnan(best.works_yuan)
    for lang, said in (("zh", "元"), ("en", "yuan")):
        for one in (best, local, trade):
            # nothing is priced, so no sum of money is told
            assert not [s for s in one.summary(lang=lang) if said in s and "单元" not in s]
    assert "200 m² 建筑面积以上" in "".join(best.summary())


def with_cover(sections, first, last, height):
    """Sections of a rectangle, of which some lie under a flat lid so high above the bed."""
    under = sections["chainage_m"].between(first, last)
    bed = sections.groupby("chainage_m")["elevation_m"].transform("min")
    lid = np.maximum(bed + height, sections["elevation_m"])
    return sections.assign(lid_m=lid.where(under), n_lid=np.where(under, 0.03, np.nan))


@pytest.fixture(scope="module")
def covered(street):
    """The street where 160 to 240 m are covered so low that the water stands against the lid."""
    return search(street, sections=with_cover(channel(), 160, 240, 1.7))


def test_covered_sections_stay_as_they_are(covered, street):
    rivers, _ = street
    given = with_cover(channel(), 160, 240, 1.7)
    lids = covered.sections.dropna(subset="lid_m").groupby("chainage_m")["lid_m"].min()
    wanted = given.dropna(subset="lid_m").groupby("chainage_m")["lid_m"].min()
    pd.testing.assert_series_equal(lids, wanted)
    moved = covered.widths.set_index("chainage_m")[["left_m", "right_m"]] - 10.0
    assert (moved.loc[150:250].abs() < 1e-9).all().all()
    assert (moved.abs() > 0.4).any().any()
    before = pg.water_profile(given, FLOW, SLOPE, rivers=rivers)
    assert before["doubts"].str.contains("pressurised").sum() == 5


def test_the_flood_of_a_design_with_a_cover_is_that_of_its_own_tables(covered, street):
    rivers, _ = street
    given = with_cover(channel(), 160, 240, 1.7)
    before, after = (
        pg.water_profile(points, FLOW, SLOPE, banks=banks, rivers=rivers)
        for points, banks in ((given, None), (covered.sections, covered.banks))
    )
    rise = pg.flood.rise_table(before, after)["rise_mm"].to_numpy()
    assert rise == pytest.approx(covered.rise["rise_mm"].to_numpy(), abs=1e-6)
    assert 0.0 < rise.max() <= 20.0


@pytest.mark.parametrize("more", [
    {"length_left_m": 30.0, "length_channel_m": 26.0, "length_right_m": 25.0},
    {"contraction": 0.3, "expansion": 0.5},
])  # fmt: skip
def test_what_banks_say_besides_stays_in_the_design(street, more):
    own = channel(half=8.0).groupby("chainage_m")["offset_m"].agg(["min", "max"]).reset_index()
    banks = pd.DataFrame({
        "river": "A", "chainage_m": own["chainage_m"], "left_bank_m": own["min"],
        "right_bank_m": own["max"], **more,
    })  # fmt: skip
    rivers, _ = street
    best = search(street, banks=banks, allowed_mm=0, limits=LIMITS | {"outward_m": 0.0})
    for column, value in more.items():
        assert (best.banks[column] == value).all()
    before = pg.water_profile(channel(), FLOW, SLOPE, banks=banks, rivers=rivers)
    assert best.rise["level_before_m"].to_numpy() == pytest.approx(before["level_m"].to_numpy())
    after = pg.water_profile(best.sections, FLOW, SLOPE, banks=best.banks, rivers=rivers)
    assert best.rise["level_after_m"].to_numpy() == pytest.approx(after["level_m"].to_numpy())
    # nothing can move inward without a rise, so the flood is the same one
    assert best.rise["rise_mm"].abs().max() < 1e-6


def test_what_is_left_out_of_the_survey_is_still_said_of_the_design(street):
    sections = channel()
    sections["left_out"] = np.where(sections["chainage_m"] == 300, "bridge", "")
    best = search(street, sections=sections)
    assert best.rise["doubts"].str.contains("left_out").sum() == 16  # at and above it


def test_walls_of_covered_sections_can_t_be_moved(street):
    rivers, _ = street
    given = with_cover(channel(), 160, 240, 1.7)
    narrow = pd.DataFrame({"river": "A", "chainage_m": [0.0, 50.0, 60.0, 400.0],
                           "left_m": [10.0, 10.0, 9.0, 9.0], "right_m": 10.0})  # fmt: skip
    with pytest.raises(pg.errors.HydraulicsError, match="covered sections") as refused:
        pg.search.moved_sections(given, line(), narrow, rivers)
    assert len(refused.value.ids) == 5
    back = narrow.assign(left_m=[9.0, 9.0, 10.0, 10.0])
    made = pg.search.moved_sections(given, line(), back, rivers)
    assert made.sections["lid_m"].notna().sum() == given["lid_m"].notna().sum()


def test_a_search_by_conveyance_leaves_covered_sections_alone(street):
    rivers, buildings = street
    given = with_cover(channel(), 160, 240, 1.7)
    profile = pg.water_profile(given, FLOW, SLOPE, rivers=rivers)
    best = pg.least_demolition(
        rivers, line(), buildings, LIMITS, sections=given, profile=profile, rates=RATES
    )
    moved = best.widths.set_index("chainage_m")[["left_m", "right_m"]] - 10.0
    assert (moved.loc[160:240].abs() < 1e-9).all().all()
    assert (moved.abs() > 0.4).any().any()


def test_what_was_not_searched_is_not_called_optimal(street):
    """Water too fast for a search: the houses in the approved line stand there."""
    fast = channel()
    fast["elevation_m"] += 0.03 * (400 - fast["chainage_m"])
    rivers, buildings = street
    best = pg.least_demolition_within_rise(
        rivers, line(), buildings, fast, FLOW, {"slope": 0.032}, LIMITS, allowed_mm=20, rates=RATES
    )
    proof = best.certificate.iloc[0]
    assert (proof["n_nodes"], proof["proof"]) == (0, "base")
    taken = (best.buildings["state"] == "demolished").sum()
    assert proof["n_unsearched"] == taken > 0
    words = "".join(best.summary())
    assert f"保持原方案,其中 {taken} 栋或可保留而未寻优(流速过快" in words
    assert best.proof_in_short() == "A:维持原方案,未证最优"
    far = buildings.iloc[:1].translate(yoff=300.0).to_frame("geometry").assign(floors=2)
    nothing = pg.least_demolition_within_rise(
        rivers, line(), far, fast, FLOW, {"slope": 0.032}, LIMITS, allowed_mm=20, rates=RATES
    )
    proof = nothing.certificate.iloc[0]
    assert (proof["n_unsearched"], proof["proof"]) == (0, "nothing_to_spare")
    assert "A:没有可寻优的节点,保持原方案(红线可达范围内没有建筑)" in "".join(nothing.summary())


def test_a_river_searched_in_part_is_proven_in_part(street):
    """Steep above 200 m, where the water is too fast, and mild below."""
    sections = channel()
    steep = sections["chainage_m"] < 200
    sections.loc[steep, "elevation_m"] += 0.03 * (200 - sections.loc[steep, "chainage_m"])
    best = search(street, sections=sections)
    proof = best.certificate.iloc[0]
    assert proof["n_nodes"] > 0
    assert proof["proof"] == "part"
    assert proof["n_unsearched"] > 0
    assert f"未寻优处有 {proof['n_unsearched']} 栋" in " ".join(best.summary())
    assert "已证明为全河最优" not in " ".join(best.summary())
