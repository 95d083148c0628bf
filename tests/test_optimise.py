"""The line that demolishes least: promises against the drawn line, limits, prices."""

import warnings

import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from conftest import building_frame, river_frame

RATES = pd.DataFrame({"building_yuan_m2": [1000.0]})


@pytest.fixture
def street():
    """A straight river; houses on the left bank, free land on the right."""
    rivers = river_frame({"A": [(0, 0), (400, 0)]})
    houses = {f"L{k}": shapely.box(60 + 30 * k, 8, 75 + 30 * k, 20) for k in range(6)}
    houses["R0"] = shapely.box(150, -22, 165, -12.2)
    buildings = building_frame(houses, floors=2)
    widths = pd.DataFrame(
        {"river": "A", "chainage_m": [0.0, 400.0], "left_m": 10.0, "right_m": 10.0}
    )
    return rivers, widths, buildings


LIMITS = {"inward_m": 4, "outward_m": 4, "step_m": 0.5, "spacing_m": 10}


def solve(street, limits=None, **more):
    rivers, widths, buildings = street
    return pg.least_demolition(
        rivers, widths, buildings, LIMITS | (limits or {}), rates=RATES, **more
    )


def test_the_line_moves_to_the_free_bank(street):
    best = solve(street)
    assert best.certificate["gap_yuan"].tolist() == [0.0]
    states = best.buildings["state"]
    assert (states[[f"L{k}" for k in range(6)]] == "saved").all()
    # 2 cm clear of the walls at 8 m: moved by 2.5 m, and the width is kept
    for k in range(6):
        beside = best.widths[best.widths["chainage_m"].between(60 + 30 * k, 75 + 30 * k)]
        assert {60 + 30 * k, 75 + 30 * k} <= set(beside["chainage_m"])  # corners are stations
        assert (beside["left_m"] <= 7.5).all()
    assert (best.widths[["left_m", "right_m"]].sum(axis=1) >= 20 - 1e-9).all()
    # R0 stands 12.2 m away: 12.5 would take it, so the houses opposite are saved at its price or not
    assert states["R0"] in ("added", "spared")
    assert best.comparison.schemes["最少拆迁"].affected.index.tolist() == (
        ["R0"] if states["R0"] == "added" else []
    )


def test_what_the_search_estimates_is_not_said_of_what_the_line_takes(street):
    """A report said "423 of 423 buildings" of schemes that take 395 and 386: the search's reach."""
    rivers, widths, buildings = street
    some = buildings.assign(floor_area_m2=np.where(buildings.index == "R0", 200.0, np.nan))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        pg.least_demolition(rivers, widths, some, LIMITS, rates=RATES)
    said = [str(one.message) for one in told]
    # all six on the left reach into the line as approved; R0 only into one that was moved
    assert "floor area of 6 of 6 buildings is estimated" in "".join(said)
    assert [one for one in said if "search" in one] == [
        f"floor area of {len(some) - 1} of {len(some)} buildings within reach of the search is "
        "estimated as footprint x floors"
    ]


def test_the_approved_line_stays_where_nothing_is_gained(street):
    rivers, widths, buildings = street
    best = pg.least_demolition(
        rivers, widths, buildings[["geometry", "floors"]].loc[["R0"]], LIMITS
    )
    assert (best.widths[["left_m", "right_m"]] == 10.0).all().all()
    assert best.certificate["total_floor_area_m2"].tolist() == [0.0]


def test_a_menu_of_the_approved_line_alone_is_said(street):
    every = pd.DataFrame({"river": "A", "from_m": [0.0], "to_m": [400.0]})
    for best in (solve(street, {"inward_m": 0.4, "outward_m": 0.3}), solve(street, locks=every)):
        assert (best.widths[["left_m", "right_m"]] == 10.0).all().all()
        assert any("A:" in s and "只有一种红线可选" in s for s in best.summary())
    assert not any("只有一种红线可选" in s for s in solve(street).summary())


def test_what_becomes_of_houses_is_written_in_chinese(street, tmp_path):
    rivers, widths, buildings = street
    across = building_frame({"M0": shapely.box(350, -12, 365, 12)}, floors=2)
    best = solve((rivers, widths, pd.concat([buildings, across])))
    pg.write_table(best.buildings, tmp_path / "去留.xlsx")
    said = pd.read_excel(tmp_path / "去留.xlsx").set_index("房屋编号")
    assert said.loc["L0", "状态"] == "避免拆除"
    assert said.loc["M0", ["状态", "受限于"]].tolist() == ["拆除", "超出可移范围"]
    line = pg.red_line(rivers, widths)
    rest = pg.remainders(pg.affected(buildings, line, rivers), line)
    for table in (pg.what_would_save(best, "M0"), rest):
        pg.write_table(table, tmp_path / "表.xlsx")
        heads = pd.read_excel(tmp_path / "表.xlsx").columns
        assert not [h for h in heads if h[0].isascii()]


def test_a_house_within_reach_of_two_rivers_is_counted_for_each_and_said(street):
    _, widths, buildings = street
    rivers = river_frame({"A": [(0, 0), (400, 0)], "B": [(0, -34), (400, -34)]})
    both = pd.concat([widths, widths.assign(river="B")], ignore_index=True)
    best = solve((rivers, both, buildings))
    assert best.certificate.set_index("river")["n_shared"].to_dict() == {"A": 1, "B": 1}
    assert sorted(best.buildings.loc["R0", "river"]) == ["A", "B"]
    assert any("1 栋房屋同在几条河的可达范围内" in line for line in best.summary())
    alone = solve(street)
    assert alone.certificate["n_shared"].tolist() == [0]
    assert "几条河" not in " ".join(alone.summary())


@pytest.mark.parametrize("widths", [10, (10, 10.0), {"left": 10, "right": 10}])
def test_constant_widths_are_a_width_table(street, widths):
    rivers, table, buildings = street
    found, wanted = (
        pg.least_demolition(rivers, w, buildings, LIMITS, rates=RATES) for w in (widths, table)
    )
    pd.testing.assert_frame_equal(found.widths, wanted.widths)
    with pytest.raises(pg.errors.LayerError, match="is no width"):
        pg.least_demolition(rivers, {"left": 10}, buildings, LIMITS, rates=RATES)


def test_locks_bind_the_line(street):
    bridge = pd.DataFrame({"river": "A", "from_m": [100.0], "to_m": [160.0]})
    best = solve(street, locks=bridge)
    held = best.widths[best.widths["chainage_m"].between(100, 160)]
    assert (held[["left_m", "right_m"]] == 10.0).all().all()
    kept = best.buildings.loc[["L2", "L3"], "state"]  # 120-135 and 150-165 m
    assert (kept == "demolished").all()
    assert set(best.buildings.loc[["L2", "L3"], "hindered_by"]) == {"least_half"}
    wide = pd.DataFrame(
        {"river": "A", "from_m": [0.0], "to_m": [400.0], "bank": "right", "most_m": [11.0]}
    )
    best = solve(street, locks=wide)
    assert best.widths["right_m"].max() <= 11.0
    assert (best.buildings.loc["L0", "state"]) == "demolished"
    assert best.buildings.loc["L0", "hindered_by"] == "width"


def test_conflicts_name_the_stations(street):
    both = pd.DataFrame(
        {
            "river": "A",
            "from_m": [100.0] * 2,
            "to_m": [120.0] * 2,
            "bank": ["left", "right"],
            "most_m": [9.0] * 2,
        }
    )
    with pytest.raises(
        pg.errors.OptimiseError, match=r"can't reach the width .* \(4: K0\+100.0, K0\+105.0"
    ):
        solve(street, locks=both)
    with pytest.raises(
        pg.errors.OptimiseError,
        match=r"no offset of the left bank keeps its limits .* \(4: K0\+100",
    ):
        solve(street, locks=both.head(1).assign(most_m=2.0))
    steep = pd.DataFrame({"river": "A", "from_m": [100.0, 120.0], "to_m": [110.0, 130.0], "bank": "left",
                          "least_m": [13.5, np.nan], "most_m": [np.nan, 6.5]})  # fmt: skip
    with pytest.raises(pg.errors.OptimiseError, match="within the taper"):
        solve(street, {"taper": 0.1, "width_ratio": 0.5}, locks=steep)
    with pytest.raises(pg.errors.LayerError, match="did you mean 'taper'"):
        solve(street, {"tapr": 0.1})
    with pytest.raises(pg.errors.LayerError, match="step_m is 0"):
        solve(street, {"step_m": 0})


def test_a_building_that_can_t_be_priced_is_named(street):
    rivers, widths, buildings = street
    with pytest.raises(pg.PinghuError, match=r"neither floor area nor floors.*L1"):
        pg.least_demolition(
            rivers,
            widths,
            buildings.assign(floors=buildings["floors"].where(buildings.index != "L1")),
            LIMITS,
        )


def test_what_would_save(street):
    bank = {"river": "A", "from_m": [0.0], "to_m": [400.0], "bank": "right", "most_m": [12.0]}
    rivers, widths, buildings = street
    best = solve(street, {"works_yuan_m2": 0.0}, locks=pd.DataFrame(bank))
    gone = best.buildings.index[best.buildings["state"] == "demolished"]
    none = pg.what_would_save(best, gone[0])  # needs 12.5 m on the right, which is locked at 12
    assert none.empty
    assert pg.search.widths_that_save(best, gone[0]).empty
    with pytest.raises(pg.errors.LayerError, match="no building that the design demolishes"):
        pg.what_would_save(best, "R0")
    # a house in the way of the free bank: saving all of L costs R0
    near = pd.concat(
        [buildings, building_frame({"R1": shapely.box(150, -22, 165, -10.5)}, floors=9)]
    )
    best = pg.least_demolition(rivers, widths, near, LIMITS, rates=RATES)
    lost = best.buildings[best.buildings["hindered_by"] == "cost"]
    for name in lost.index:
        price = pg.what_would_save(best, name)
        assert (price["extra_yuan"] >= 0).all()
        assert all(name in ids for ids in price["saved_ids"])
        # the proposal as a width table: drawn, it spares the house and those that it names
        table = pg.search.widths_that_save(best, name)
        assert table.columns.tolist() == best.widths.columns.tolist()
        taken = pg.affected(near, pg.red_line(rivers, table), rivers).index
        assert name not in taken
        lost = set(price["lost_ids"].iloc[0])
        assert lost <= set(taken)


def test_constant_widths_are_drawn_as_a_table_is(street):
    rivers, widths, buildings = street
    best = pg.least_demolition(rivers, 10.0, buildings, LIMITS)
    drawn = [
        [line.get_xydata().tolist() for line in
         pg.plot_widths(before, best.widths, "A", buildings=best.buildings, rivers=rivers).axes[0].lines]
        for before in (10.0, {"left": 10, "right": 10}, widths)
    ]  # fmt: skip
    assert drawn[0] == drawn[1] == drawn[2]
    with pytest.raises(
        pg.errors.LayerError, match="rivers: widths of 10.0 all along need"
    ) as error:
        pg.plot_widths(10.0, best.widths, "A")
    # the hint works as it is typed
    names = {"pg": pg, "best": best, "rivers": rivers}
    exec(error.value.hint.replace("9.0", "10.0").replace("一号河", "A"), names)


@pytest.fixture(scope="module")
def on_sample():
    sample = pg.sample_folder()
    rivers = pg.read_layer(sample / "河道.shp", "rivers")
    buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    rates = pg.read_table(sample / "补偿标准_示例.csv", "rates")
    return pg.least_demolition(rivers, widths, buildings, {}, rates=rates)


def test_what_is_promised_on_the_sample_is_what_affected_counts(on_sample):
    assert on_sample.certificate["gap_yuan"].abs().max() < 1e-6
    drawn = on_sample.comparison.schemes["最少拆迁"].affected
    taken = on_sample.buildings[on_sample.buildings["state"].isin(["demolished", "added"])]
    # nobody who is promised to stay is touched
    assert set(drawn.index) <= set(taken.index)
    assert drawn["cost_yuan"].sum() <= taken["cost_yuan"].sum() + len(taken)
    # between two stations the line may spare a building that the rule counts: few
    assert len(taken) - len(drawn) <= 0.02 * len(taken) + 1


def test_no_worse_than_the_approved_line_and_the_second_scheme(on_sample):
    costs = on_sample.comparison.totals["cost_yuan"]
    assert costs["最少拆迁"] < costs["原方案"]
    sample = pg.sample_folder()
    rivers = pg.read_layer(sample / "河道.shp", "rivers")
    second = pg.red_line(rivers, pg.read_table(sample / "红线宽度_优化方案.csv", "widths"))
    buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    rates = pg.read_table(sample / "补偿标准_示例.csv", "rates")
    other = pg.assess(second, buildings, rivers, rates=rates).totals["cost_yuan"].iloc[0]
    assert costs["最少拆迁"] < other


def test_widths_are_an_ordinary_table(on_sample):
    widths = on_sample.widths
    assert widths.columns.tolist() == ["river", "chainage_m", "left_m", "right_m"]
    by = widths.groupby("river")
    gap = by["chainage_m"].diff().abs().to_numpy()[:, None]
    change = by[["left_m", "right_m"]].diff().abs().to_numpy()
    # taper 0.2, and the approved line's own changes
    assert np.nanmax(change - 0.2 * gap) <= 0.2
    assert "最少拆迁 较 原方案" in on_sample.summary()[0]
    assert "gap_yuan" in on_sample.certificate
    assert on_sample._repr_html_().startswith("<div>")


def test_the_flood_of_the_moved_line_is_what_the_readme_says():
    """Computed by `water_profile` on the sample's terrain: code that the search doesn't share."""
    sample = pg.sample_folder()
    rivers = pg.read_layer(sample / "河道.shp", "rivers")
    buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    best = pg.least_demolition(
        rivers, widths, buildings, {"inward_m": 4, "outward_m": 4, "clear_m": 0.3}
    )
    changes = best.comparison.changes["change"].value_counts()
    assert changes["saved"] - changes["added"] == pytest.approx(200, abs=25)
    design = pg.read_table(sample / "设计断面.csv", "design")
    flows = pg.read_table(sample / "设计流量.csv", "flows")
    ends = pg.read_table(sample / "边界条件.csv", "boundaries")
    was, now = (
        pg.sections_from_dem(
            rivers, sample / "地面高程.tif", pg.design_sections(d), n=0.05, half_width_m=50
        )
        for d in (design, pg.moved_design(design, widths, best.widths, rivers))
    )
    rise = pg.flood_rise(
        was.sections, flows, ends, after={"sections": now.sections, "banks": now.banks},
        banks=was.banks, rivers=rivers,
    )  # fmt: skip
    assert rise[["rise_mm", "rise_lossless_mm"]].max().max() < 10.0


# --- the conveyance of sections as the rule


def surveyed(street, *, slope=0.0, n_wall=0.022, bed=0.0):
    """Sections every 20 m along the street, their banks 2 m inside the line, and their profile."""
    at = np.arange(0, 401, 20.0)
    low = 0.002 * (400 - at)
    table = pd.DataFrame({"river": "A", "chainage_m": at, "bed_level_m": low, "left_m": 8.0,
                          "right_m": 8.0, "bank_level_m": low + 4, "n": 0.028, "n_wall": n_wall,
                          "side_slope": slope})  # fmt: skip
    made = pg.design_sections(table)
    return {"sections": made, "profile": pg.water_profile(made, 70.0, {"slope": 0.002})}


def conveyance(made, banks, level):
    """By `section_properties`, which knows nothing of the search."""
    held = pg.flood.section_properties(made, level, banks=banks)
    return held["conveyance_m3s"].to_numpy()


@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_no_section_conveys_less(street, slope):
    given = surveyed(street, slope=slope)
    best = solve(street, {"outward_m": 3.0}, **given)
    assert best.certificate["gap_yuan"].tolist() == [0.0]
    rivers, widths, _ = street
    made, banks = pg.search.moved_sections(given["sections"], widths, best.widths, rivers)
    level = given["profile"][["river", "chainage_m", "level_m"]]
    now = conveyance(made, banks, level)
    assert (now >= conveyance(given["sections"], None, level) * (1 - 1e-6)).all()
    assert (best.buildings["state"] == "saved").any()
    # half the conveyance is a weaker rule
    freer = solve(street, {"outward_m": 3.0, "conveyance_ratio": 0.5}, **given)
    assert freer.certificate["total_yuan"].sum() <= best.certificate["total_yuan"].sum()


def test_a_smooth_wall_spares_what_an_earth_bank_can_t(street):
    given = surveyed(street, slope=1.0, n_wall=0.03)
    wall = {"wall": ["直墙"], "side_slope": 0.0, "n_wall": 0.016}
    limits = {"outward_m": 0.0}
    earth = solve(street, limits, **given)
    cheap = solve(street, limits, walls=pd.DataFrame(wall | {"wall_yuan_m": 100.0}), **given)
    dear = solve(street, limits, walls=pd.DataFrame(wall | {"wall_yuan_m": 1e9}), **given)
    assert (earth.buildings["state"] != "saved").all()
    assert (cheap.buildings["state"] == "saved").any()
    assert set(cheap.widths["wall_left"].dropna()) == {"直墙"}
    assert dear.certificate["total_yuan"].sum() == earth.certificate["total_yuan"].sum()
    rivers, widths, _ = street
    made, banks = pg.search.moved_sections(
        given["sections"],
        widths,
        cheap.widths,
        rivers,
        walls=pd.DataFrame(wall | {"wall_yuan_m": 1.0}),
    )
    level = given["profile"][["river", "chainage_m", "level_m"]]
    held = conveyance(made, banks, level) / conveyance(given["sections"], None, level)
    assert (held >= 1 - 1e-6).all()


def test_sections_need_their_profile(street):
    given = surveyed(street)
    with pytest.raises(pg.errors.LayerError, match="sections: need sections and their profile"):
        solve(street, sections=given["sections"])
    with pytest.raises(pg.errors.LayerError, match="walls: need sections"):
        solve(street, walls=pd.DataFrame())
    with pytest.raises(pg.errors.LayerError, match="limits: works_yuan_m3 needs sections"):
        solve(street, {"works_yuan_m3": 60.0})
    with pytest.raises(pg.errors.LayerError, match=r"profile: has no level at sections.*K0\+400"):
        solve(street, sections=given["sections"], profile=given["profile"].head(20))


@pytest.mark.parametrize("clear_m", [0.02, 0.4])
def test_the_promise_is_the_count_to_the_yuan(street, clear_m):
    """Works, buildings counted on the drawn line, and those it only comes close to: no rest."""
    best = solve(street, {"clear_m": clear_m, "step_m": 0.7, "outward_m": 2.0})
    proof = best.certificate.iloc[0]
    assert proof["total_yuan"] == proof["works_yuan"] + proof["counted_yuan"] + proof["near_yuan"]
    counted = best.comparison.schemes["最少拆迁"].totals["cost_yuan"].iloc[0]
    assert proof["counted_yuan"] == pytest.approx(counted, abs=1.0)
    taken = best.buildings["state"].isin(["demolished", "added"])
    assert set(best.buildings.index[taken]) == set(
        best.comparison.schemes["最少拆迁"].affected.index
    )


def test_a_price_of_change_straightens_the_line(street):
    plain = solve(street, {"outward_m": 3.0})
    calm = solve(street, {"outward_m": 3.0, "change_yuan_m": 1000.0})

    def zigzag(best):
        return best.widths[["left_m", "right_m"]].diff().abs().sum().sum()

    assert zigzag(calm) < zigzag(plain)
    # nothing costs less for it, and a price that is high enough allows but one shift of it all
    assert calm.certificate["total_yuan"].sum() >= plain.certificate["total_yuan"].sum()
    still = solve(street, {"change_yuan_m": 1e9})
    assert (still.widths[["left_m", "right_m"]].nunique() == 1).all()


@pytest.mark.parametrize("clear_m", [0.02, 0.5])
@pytest.mark.parametrize("bank", [1, -1])
def test_a_house_that_the_drawn_line_clears_is_not_paid_for(bank, clear_m):
    """Between two stations the line lies lower than at the further one, and Q stands in the gap.

    P holds the line at 8 m at 22 m; at 30 m it may lie at 9.5 m, so that beside Q, whose corners
    are too near to P's to be stations, it is at 8.4 m at most. By the higher of both stations Q, at
    9 m, is taken.
    """
    rivers = river_frame({"A": [(0, 0), (200, 0)]})
    flip = lambda b: shapely.affinity.scale(b, 1, bank, origin=(0, 0))  # noqa: E731
    p, q = flip(shapely.box(18, 8.02, 22, 20)), flip(shapely.box(23.5, 9, 24, 20))
    houses = building_frame({"P": p, "Q": q}, floor_area_m2=[1000.0, 5.0])
    widths = pd.DataFrame(
        {"river": "A", "chainage_m": [0.0, 200.0], "left_m": 10.0, "right_m": 10.0}
    )
    limits = LIMITS | {"taper": 0.2, "clear_m": clear_m, "move_yuan_m2": 1.0}
    both = pg.least_demolition(rivers, widths, houses, limits)
    alone = pg.least_demolition(
        rivers, widths, houses.loc[["P"]], limits, stations=both.widths[["river", "chainage_m"]]
    )
    proof = both.certificate.iloc[0]
    assert proof["near_floor_area_m2"] == 0.0
    assert proof["total_floor_area_m2"] == alone.certificate["total_floor_area_m2"].iloc[0]
    assert proof["bound_floor_area_m2"] <= proof["total_floor_area_m2"]
    assert both.buildings["state"].tolist() == ["saved", "saved"]
    drawn = pg.red_line(rivers, both.widths).geometry.iloc[0]
    assert min(drawn.distance(p), drawn.distance(q)) >= clear_m - 0.004
    with pytest.raises(pg.errors.LayerError, match="'Q' is no building that the design demolishes"):
        pg.what_would_save(both, "Q")


def test_a_house_closer_than_the_distance_asked_for_is_paid_and_called_near():
    """clear_m is the survey's accuracy: what the line passes closer is not surely spared."""
    rivers = river_frame({"A": [(0, 0), (200, 0)]})
    houses = building_frame({"Q": shapely.box(95, 10.3, 105, 20)}, floor_area_m2=5.0)
    widths = pd.DataFrame(
        {"river": "A", "chainage_m": [0.0, 200.0], "left_m": 10.0, "right_m": 10.0}
    )
    best = pg.least_demolition(
        rivers, widths, houses, LIMITS | {"clear_m": 0.5, "move_yuan_m2": 1.0}
    )
    assert best.buildings["state"].tolist() == ["near"]
    assert best.certificate[
        ["near_floor_area_m2", "counted_floor_area_m2"]
    ].to_numpy().tolist() == [[5.0, 0.0]]
