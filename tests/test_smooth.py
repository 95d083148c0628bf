"""A line an engineer would draw: bends that follow closely have to save a house worth a sum."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shapely
from drawn_line import chance
from joint import building_frame, line, river_frame, searched

import pinghu_geo as pg
from pinghu_geo.deliver import schemereport
from pinghu_geo.search import jogs
from pinghu_geo.search.contacts import Contacts


def close_bends(moves, measure, every_m):
    """Bends less than a way behind the last one, counted by hand."""
    slopes = [0.0, *((b - a) / (y - x) for a, b, x, y in
                     zip(moves, moves[1:], measure, measure[1:], strict=False)), 0.0]  # fmt: skip
    last, many = None, 0
    for at, before, after in zip(measure, slopes, slopes[1:], strict=False):
        if abs(after - before) > 1e-6:  # widths are written to a micrometre
            many += last is not None and at - last < every_m - 1e-6
            last = at
    return many


def saw(floors=3):
    """A straight river; houses on the left bank stand out every 60 m, each beside one station."""
    at = np.arange(0, 401.0, 20.0)
    return {
        "stations_m": at.tolist(), "bed_level_m": (0.003 * (400 - at)).tolist(), "half_m": 8.0,
        "bank_above_bed_m": 5.0, "n": 0.028, "n_wall": 0.022, "discharge_m3s": 60.0,
        "downstream_slope": 0.003, "offset_m": 10.0, "allowed_mm": 20.0, "yuan_m2_floor": 1000.0,
        "limits": {"inward_m": 2, "outward_m": 2, "step_m": 1, "taper": 0.1, "clear_m": 0.02},
        "buildings": [
            {"id": f"H{k}", "floors": floors, "bounds_m": [x - 4.0, 9.4, x + 4.0, 20.0]}
            for k, x in enumerate((100.0, 160.0, 220.0, 280.0))
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def zigzag():
    return searched(saw())


def test_without_the_rule_the_line_zigzags_and_no_bends_are_counted(zigzag):
    assert zigzag.certificate["close_bends"].isna().all()
    assert zigzag.certificate["bends_yuan"].tolist() == [0.0]
    pd.testing.assert_frame_equal(zigzag.searched, zigzag.widths)
    moves = zigzag.widths["left_m"].to_numpy() - 10
    assert close_bends(moves, zigzag.widths["chainage_m"].to_numpy(), 30) >= 6


def test_a_line_bends_seldom_and_its_rise_and_cost_are_those_of_the_line_drawn(zigzag):
    best = searched(saw(), bend_every_m=30.0)
    row, before = best.certificate.iloc[0], zigzag.certificate.iloc[0]
    measure = best.widths["chainage_m"].to_numpy()
    many = sum(close_bends(best.widths[c].to_numpy(), measure, 30) for c in ("left_m", "right_m"))
    assert row["close_bends"] == many < row["close_bends_before"]
    # all houses are worth more than the sum, and stay
    assert best.buildings["state"].tolist() == ["saved"] * 4
    # what it costs is counted of the line drawn: its moves at a yuan a square metre
    moves = np.abs(best.widths[["left_m", "right_m"]].to_numpy() - 10)
    assert row["total_yuan"] == pytest.approx(20.0 * moves.sum())
    assert row["bound_yuan"] == pytest.approx(before["total_yuan"])
    assert (
        row["gap_yuan"] == pytest.approx(row["bends_yuan"]) == row["total_yuan"] - row["bound_yuan"]
    )
    assert row["proof"] == "optimal_before_bends"
    # each stretch says what is proven of it, and what fewer bends cost there
    assert best.nodes["proof"].eq("river_before_bends").all()
    assert best.nodes["gap_yuan"].sum() == pytest.approx(row["gap_yuan"])
    assert best.nodes["bound_yuan"].sum() == pytest.approx(row["bound_yuan"])
    assert zigzag.nodes["proof"].eq("river").all()
    assert "较密转折由" in "".join(best.summary())
    pd.testing.assert_frame_equal(best.searched, zigzag.widths)
    assert best.largest_rise_mm <= 20
    figure = pg.plot_widths(line(400.0), best.widths, "A", searched=best.searched)
    texts = [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
    assert "寻优所得(未减转折)" in texts


def test_a_house_worth_less_than_the_sum_bends_no_line(zigzag):
    # each house is worth 8 x 10.6 x 3 x 1000 = 254,400 yuan; both jogs' four bends cost the sum
    dear = searched(saw(), bend_every_m=100.0, bend_yuan=1e7)
    assert dear.certificate["close_bends"].iloc[0] == 0
    assert dear.certificate["total_yuan"].iloc[0] >= zigzag.certificate["total_yuan"].iloc[0]
    for column in ("left_m", "right_m"):
        assert (
            close_bends(dear.widths[column].to_numpy(), dear.widths["chainage_m"].to_numpy(), 100)
            == 0
        )
    with pytest.raises(pg.errors.LayerError, match="bend_every_m is -1"):
        searched(saw(), bend_every_m=-1)


@pytest.mark.parametrize(
    ("dearer", "said"),
    [
        ([600.0, 0.2], "由 9 处减为 3 处,较寻优所得方案多花 600 元。"),
        ([-0.2, -900.0], "由 9 处减为 3 处。与寻优所得红线相比,乙偏距取在所给移动量之间,共少花 900 元。"),
        # the sum of both would hide the one that costs more
        ([600.0, -900.0], "与寻优所得红线相比,乙偏距取在所给移动量之间,共少花 900 元;甲共多花 600 元。"),
    ],
)  # fmt: skip
def test_rivers_that_cost_less_with_fewer_bends_are_told_apart_from_those_that_cost_more(
    dearer, said
):
    rows = pd.DataFrame({
        "river": ["甲", "乙"], "close_bends": [1, 2], "close_bends_before": [4, 5],
        "bends_yuan": dearer,
    })  # fmt: skip
    assert said in jogs.bends_said(jogs.Bends(30.0, 500.0), rows, "zh")


def widths_by_hand(table, approved, at):
    """Offsets (2, n) of a width table and of the approved one at chainages."""
    return [
        np.stack([np.interp(at, t["chainage_m"], t[c]) for c in ("left_m", "right_m")])
        for t in (table.sort_values("chainage_m"), approved.sort_values("chainage_m"))
    ]


@pytest.mark.parametrize("seed", [1, 3, 5, 11, 40, 41])
def test_by_local_rules_too_a_line_bends_seldom_and_is_counted_as_drawn(seed):
    case = chance(seed)
    given = (case.rivers, case.widths, case.buildings, case.limits)
    plain = pg.least_demolition(*given)
    best = pg.least_demolition(*given, bend_every_m=15.0, bend_yuan=40.0)
    pd.testing.assert_frame_equal(best.searched, plain.widths)
    row, before = best.certificate.iloc[0], plain.certificate.iloc[0]
    assert before[["close_bends", "close_bends_before"]].isna().all()
    measure = best.widths["chainage_m"].to_numpy()
    new, old = widths_by_hand(best.widths, case.widths, measure)
    # widths are written to a micrometre: a change of direction by as little is none
    keep = [np.abs(np.diff(np.r_[0, np.diff(m) / np.diff(measure), 0])) > 1e-4 for m in new - old]
    many = sum(int((np.diff(measure[k]) < 15 - 1e-6).sum()) for k in keep)
    assert row["close_bends"] == many <= row["close_bends_before"]
    # the houses that the line as drawn comes near to are those that are paid for
    line_ = pg.red_line(case.rivers, best.widths).geometry.iloc[0]
    near = case.buildings.geometry.dwithin(line_, case.limits["clear_m"] - 1e-6)
    paid = case.buildings.loc[near, "floor_area_m2"].round().sum()
    assert row["counted_floor_area_m2"] + row["near_floor_area_m2"] == pytest.approx(paid)
    assert row["total_floor_area_m2"] == pytest.approx(paid + row["works_floor_area_m2"])
    assert row["bends_floor_area_m2"] == pytest.approx(
        row["total_floor_area_m2"] - before["total_floor_area_m2"]
    )
    # with the price of bends it is never dearer than the line as searched
    assert (
        row["total_floor_area_m2"] + 10 * row["close_bends"]
        <= before["total_floor_area_m2"] + 10 * row["close_bends_before"] + 1e-6
    )
    at = np.linspace(0, case.rivers.length.iloc[0], 200)
    new, old = widths_by_hand(best.widths, case.widths, at)
    assert (new.sum(axis=0) >= case.limits["width_ratio"] * old.sum(axis=0) - 1e-5).all()
    slope = np.abs(np.diff(new - old)) / np.diff(at)
    assert slope.max() <= case.limits["taper"] + 1e-6


def alone(area, **more):
    """A house whose front stands 0.6 m within the line, on a straight river."""
    rivers = river_frame({"R": [(0, 0), (200, 0)]})
    house = building_frame({"H": shapely.box(96, 9.4, 104, 20)}, floor_area_m2=[float(area)])
    return pg.least_demolition(rivers, 10.0, house, {"step_m": 1.0}, **more)


def test_by_local_rules_slants_grow_long_where_there_is_room():
    plain, best = alone(150), alone(150, bend_every_m=30.0)
    assert plain.buildings["state"].tolist() == best.buildings["state"].tolist() == ["saved"]
    for side in ("left_m", "right_m"):
        at, moves = best.widths["chainage_m"].to_numpy(), best.widths[side].to_numpy() - 10
        assert close_bends(plain.widths[side].to_numpy() - 10, plain.widths["chainage_m"], 30) > 0
        assert close_bends(moves, at, 30) == 0
    # moved at 0.001 a square metre, summed over both banks' stations by trapezia
    moved = np.abs(best.widths[["left_m", "right_m"]].to_numpy() - 10)
    area = (np.diff(best.widths["chainage_m"])[:, None] * (moved[1:] + moved[:-1]) / 2).sum()
    assert best.certificate["total_floor_area_m2"].iloc[0] == pytest.approx(area / 1000, abs=0.02)
    figure = pg.plot_widths(line(200.0, river="R"), best.widths, "R", searched=best.searched)
    assert "寻优所得(未减转折)" in [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
    assert any("较密转折" in said for said in best.summary())


@pytest.mark.parametrize(("area", "state"), [(150, "demolished"), (250, "saved")])
def test_by_local_rules_a_house_has_to_be_worth_the_sum(area, state):
    # nothing else may move: a jog of three bends a bank, two of them close, 4 x 50 m2 in all
    locks = pd.DataFrame({"river": "R", "from_m": [0.0, 115.0], "to_m": [85.0, 200.0]})
    assert alone(area, locks=locks).buildings["state"].tolist() == ["saved"]
    best = alone(area, locks=locks, bend_every_m=30.0)
    assert best.buildings["state"].tolist() == [state]
    assert best.certificate["close_bends"].iloc[0] == (4 if state == "saved" else 0)
    if state == "demolished":  # the line as searched spares it, for 150 m2 less and the works
        works = alone(area, locks=locks).certificate["total_floor_area_m2"].iloc[0]
        price = pg.what_would_save(best, "H")
        assert price["extra_floor_area_m2"].tolist() == pytest.approx([works - 150.0] * 2)
        assert price["saved_ids"].iloc[0] == ["H"]
        proposal = pg.search.widths_that_save(best, "H")
        pd.testing.assert_frame_equal(proposal, best.searched)


def test_the_report_on_schemes_speaks_of_a_search_in_its_language():
    best = {"new": alone(150, bend_every_m=30.0)}
    rows, said = schemereport._proof_rows_and_lines(best, "en")
    assert any("bends at most once in 30 m" in text for text in said)
    assert not re.search(r"[\u4e00-\u9fff]", "".join(said))
    assert rows[0]["proof"] in ("optimal", "optimal before bends")


def test_the_report_on_schemes_counts_houses_as_its_tables_do():
    best = {"new": alone(150, bend_every_m=30.0)}
    _, said = schemereport._proof_rows_and_lines(best, "zh")
    assert not any("最少拆迁 较" in text for text in said)  # said of the project's schemes, above
    houses = pd.DataFrame({
        "river": ["甲", "甲", "乙", "甲", "甲"], "state": ["near", "near", *["demolished"] * 2, "saved"],
    }, index=["clear", "beside", "both", "both", "saved"])  # fmt: skip
    affected = pd.DataFrame({"river": ["甲"]}, index=["both"])
    changes = pd.DataFrame({
        "scheme": ["新", "新", "旧"], "change": ["saved"] * 3,
        "building_id": ["clear", "saved", "beside"],
    })  # fmt: skip
    compared = SimpleNamespace(schemes={"新": SimpleNamespace(affected=affected)}, changes=changes)
    found = schemereport._as_counted(houses, compared, "新")
    assert found["state"].to_dict() == {
        "clear": "saved", "beside": "near", "both": "demolished", "saved": "saved",
    }  # fmt: skip
    assert found["river"].tolist() == ["甲"] * 4


def corridor(stations, house, floors=10, **more):
    """A house on the left bank of a straight river, for which the menu of a metre jumps."""
    at = np.arange(stations) * 20.0
    case = {
        "stations_m": at.tolist(), "bed_level_m": (0.003 * (at[-1] - at)).tolist(), "half_m": 8.0,
        "bank_above_bed_m": 5.0, "n": 0.028, "n_wall": 0.022, "discharge_m3s": 60.0,
        "downstream_slope": 0.003, "offset_m": 10.0, "allowed_mm": 30.0,
        "yuan_m2_floor": 1000.0,
        "limits": {"inward_m": 3, "outward_m": 3, "step_m": 1.5, "taper": 0.1, "clear_m": 0.02},
        "buildings": [
            {"id": "H", "floors": floors, "bounds_m": [house[0], 8.55, house[1], 20.0]}
        ],
    }  # fmt: skip
    return searched(case, bend_every_m=30.0, **more)


def test_slants_grow_longer_at_offsets_between_those_of_the_menu():
    # from 0 to 1.5 m within 40 m it passes 0.75 m, which no line of the menu does
    best = corridor(21, (145.0, 175.0))
    assert best.buildings["state"].tolist() == ["saved"]
    row = best.certificate.iloc[0]
    assert row["close_bends"] == 0 < row["close_bends_before"]
    moves = best.widths["left_m"].to_numpy() - 10
    assert (np.abs(moves / 1.5 - np.round(moves / 1.5)) > 0.1).any()
    # the flood by code that the search doesn't use, and the cost counted as drawn
    assert best.largest_rise_mm <= 30.0
    both = np.abs(best.widths[["left_m", "right_m"]].to_numpy() - 10)
    assert row["total_yuan"] == pytest.approx(20.0 * both.sum(), abs=0.01)
    assert row["total_yuan"] == pytest.approx(best.nodes["total_yuan"].sum())
    assert best.bends.empty


@pytest.mark.parametrize("floors", [1, 10])
def test_bends_that_stay_save_a_house_worth_more_than_the_sum(floors):
    # the line is bound on both sides, so that its slants can't be longer than 20 m
    locks = pd.DataFrame({"river": "A", "from_m": [0.0, 115.0], "to_m": [45.0, 160.0]})
    best = corridor(9, (65.0, 95.0), floors, locks=locks)
    worth = 30 * 11.45 * floors * 1000.0
    kept = worth > 500_000
    assert best.buildings["state"].tolist() == ["saved" if kept else "demolished"]
    # its two ends are places of their own, each kept by it
    assert best.bends["saved_yuan"].tolist() == ([worth] * 2 if kept else [])
    assert best.certificate["close_bends"].iloc[0] == best.bends["close_bends"].sum()
    assert ("保住了直线会压占的房屋" in "".join(best.summary())) == kept
    assert "所保价值较低" not in "".join(best.summary())


@pytest.mark.parametrize("seed", range(20))
def test_ways_judged_together_change_what_drawing_each_of_them_changes(seed):
    rng = np.random.default_rng(seed)
    n, menu = 30, np.arange(-3.0, 3.0)
    measure = np.cumsum(rng.uniform(10, 30, n))
    works = rng.integers(0, 50, (2, n, len(menu))) * 1.0
    works[..., [0, 1, 5]] += np.where(rng.random((2, n, 3)) < 0.1, np.inf, 0.0)
    ends = np.sort(rng.uniform(measure[0], measure[-1], (25, 2)), axis=1)
    room = rng.uniform(-3, 3, (25, 2))
    walls = Contacts(
        rng.integers(0, 12, 25), rng.integers(0, 2, 25), ends, room, room, np.arange(12)
    )
    rules = jogs.LineRules(
        measure, menu, works, 7.0, 0.2, np.full(n, -4.0), None, walls,
        rng.integers(1, 90, 12) * 1.0,
    )  # fmt: skip
    bends = jogs.Bends(60.0, 40.0)
    moves = np.zeros((2, n))
    for side in (0, 1):  # jogs of one station or more, which slant no more than they may
        for at in rng.choice(np.arange(2, n - 3), 4, replace=False):
            moves[side, at : at + 2] = rng.integers(-1, 2)
    line = jogs.BentLine(rules, bends, moves)
    ways = [w for side, a, b in line.close_pairs() for w in line.ways_to_bend_less(side, a, b)]
    judged = line.judged(ways)
    closer = bends.close(moves, measure).sum()
    for k, way in enumerate(ways):
        drawn = line.with_changes(way)
        other = jogs.BentLine(rules, bends, drawn)
        assert judged.fewer[k] == closer - bends.close(drawn, measure).sum()
        assert judged.dearer[k] == pytest.approx(other.cost() - line.cost(), abs=1e-9)
        assert judged.worth[k] == pytest.approx(
            rules.cost[other.held > 0].sum() - rules.cost[line.held > 0].sum(), abs=1e-9
        )
        steep = np.abs(np.diff(drawn)) > 0.2 * np.diff(measure) + 1e-9
        narrow = drawn.sum(axis=0) < -4.0 - 1e-9
        before = np.abs(np.diff(moves)) > 0.2 * np.diff(measure) + 1e-9
        assert judged.allowed[k] == (not (steep & ~before).any() and not narrow.any())
    assert len(ways) > 20
