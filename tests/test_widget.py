"""The red line that is moved by hand: what it says is what `affected` says."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg

pytest.importorskip("ipyleaflet")


@pytest.fixture
def live():
    """A straight river of 100 m with houses on both sides, a row of widths each 10 m."""
    names = pd.Index(["河"], name="river")
    rivers = gpd.GeoDataFrame(
        geometry=[shapely.LineString([(5e5, 25e5), (500100, 25e5)])], index=names, crs=4547
    )
    corners = [(20, 8), (50, 8), (80, 12), (50, -26)]
    houses = gpd.GeoDataFrame(
        {"floors": 2.0},
        geometry=[
            shapely.box(5e5 + x, 25e5 + y, 5e5 + x + 8, 25e5 + y + 8)
            for x, y in [*corners, (0, 900)]
        ],
        index=pd.Index(["L1", "L2", "L3", "R1", "far"], name="building_id"),
        crs=4547,
    )
    at = np.arange(0.0, 101.0, 10.0)
    widths = pd.DataFrame({"river": "河", "chainage_m": at, "left_m": 10.0, "right_m": 10.0})
    return pg.live_red_line(widths, houses, rivers, most_m=30.0)


def test_moved_lines_take_what_affected_says(live):
    assert live.affected.index.tolist() == ["L1", "L2"]
    assert "far" not in live.buildings.index
    live.set_widths("河", 40, 60, left_m=5.0, right_m=10.0)
    assert live.affected.index.tolist() == ["L1"]
    # of L1, 8 m long and from 8 m out, 2 m are inside
    assert live.affected["inside_m2"].tolist() == pytest.approx([16.0])
    live.set_widths("河", 40, 60, right_m=30.0)
    expected = pg.affected(live.buildings, pg.red_line(live.rivers, live.widths), live.rivers)
    pd.testing.assert_frame_equal(live.affected, expected)
    assert live.affected.index.tolist() == ["L1", "R1"]
    sums = live.sums()
    assert sums["n_buildings"].tolist() == [2, 2, 0]
    assert sums["n_full"].tolist() == [0, 1, 1]
    live.reset("河")
    pd.testing.assert_frame_equal(live.affected, live.baseline)


def test_sliders_set_the_stretch_and_say_who_is_saved(live):
    panel = live._panel
    panel.stretch.value = (40.0, 60.0)
    assert len(panel._handles.layers) == 6
    panel.width["left_m"].value = 4.0
    assert live.widths["left_m"].tolist() == [10.0] * 4 + [4.0] * 3 + [10.0] * 4
    assert [f["id"] for f in panel._layers["saved"].data["features"]] == ["L2"]
    assert [f["id"] for f in panel._layers["partial"].data["features"]] == ["L1"]
    assert "少拆 1 栋,多拆 0 栋" in panel.sums.value
    panel.reset.click()
    assert "少拆 0 栋" in panel.sums.value
    assert panel.width["left_m"].value == 10.0


def test_a_handle_let_go_sets_the_width_there(live):
    panel = live._panel
    panel.stretch.value = (80.0, 80.0)
    handle = panel._handles.layers[0]
    spot = gpd.GeoSeries.from_xy([500083.0], [2500017.04], crs=4547).to_crs(4326)
    handle.location = (spot.y[0], spot.x[0])
    assert live.widths["left_m"].tolist() == [10.0] * 8 + [17.0] + [10.0] * 2
    assert live.affected.index.tolist() == ["L1", "L2", "L3"]
    again = panel._handles.layers[0].location
    back = gpd.GeoSeries.from_xy([again[1]], [again[0]], crs=4326).to_crs(4547)
    assert (back.x[0], back.y[0]) == pytest.approx((500080.0, 2500017.0), abs=1e-3)
    # across the river there is no width below 0
    handle = panel._handles.layers[0]
    spot = gpd.GeoSeries.from_xy([500080.0], [2499990.0], crs=4547).to_crs(4326)
    handle.location = (spot.y[0], spot.x[0])
    assert live.widths["left_m"].iloc[8] == 0.0


def test_a_click_on_a_house_says_what_is_taken(live):
    live.set_widths("河", 0, 100, left_m=9.0)
    live._panel._describe_house(feature={"id": "L1"}, event="click")
    assert "<b>L1</b><br>原方案:红线内面积 (m²) 16," in live._panel.house.value
    assert "当前:红线内面积 (m²) 8," in live._panel.house.value
    live._panel._describe_house(feature={"id": "R1"}, event="click")
    assert live._panel.house.value == "<b>R1</b><br>原方案:不拆<br>当前:不拆"


def test_costs_follow(live):
    rates = pd.DataFrame({"building_yuan_m2": [1000.0]}, index=["R"])
    at = live.widths[["river", "chainage_m", "left_m", "right_m"]]
    dear = pg.live_red_line(at, live.buildings, live.rivers, rates=rates, most_m=30.0)
    assert dear.sums().loc["原方案", "cost_yuan"] == pytest.approx(2 * 64 * 2 * 1000)
    dear.set_widths("河", 0, 100, left_m=5.0)
    assert dear.sums()["cost_yuan"].tolist() == pytest.approx([256_000, 0, -256_000])
    assert dear.affected.empty


def test_what_can_t_be_set_is_refused(live):
    with pytest.raises(pg.errors.LayerError, match="(?s)'溪' is not in the widths.*use one of 河"):
        live.set_widths("溪", 0, 100, left_m=5.0)
    with pytest.raises(pg.errors.LayerError, match="left_m=31 isn't between 0 and most_m=30"):
        live.set_widths("河", 0, 100, left_m=31.0)
    with pytest.raises(pg.errors.LayerError, match=r"no row of 河 lies between 41 and 49 m"):
        live.set_widths("河", 41, 49, left_m=5.0)
    with pytest.raises(pg.errors.LayerError, match=r"(?s)widths above 8 m.*most_m=10"):
        pg.live_red_line(live.widths, live.buildings, live.rivers, most_m=8.0)
    # of two widths one, or a line that can't be drawn, changes nothing
    with pytest.raises(pg.errors.LayerError, match="right_m=31"):
        live.set_widths("河", 0, 100, left_m=5.0, right_m=31.0)
    with pytest.raises(pg.errors.LayerError, match="0 on both sides throughout"):
        live.set_widths("河", 0, 100, left_m=0.0, right_m=0.0)
    assert (live.widths[["left_m", "right_m"]] == 10.0).all(axis=None)


def test_the_boards_sums_follow_the_line(live):
    people = pd.DataFrame({"building_id": ["L1", "L1", "L2"], "kind": "shop"},
                          index=pd.Index(["Z1", "Z2", "Z3"], name="tenant_id"))  # fmt: skip
    houses = live.buildings.assign(floors=[2.0, 3.0, 4.0, 5.0])
    hit = pg.affected(houses, live.red_line(), live.rivers)
    tasks = pg.campaign_tasks(hit, tenants=people, gap_m=10.0, rivers=live.rivers)
    log = pd.DataFrame({"building_id": ["L1", "L2", "L2"],
                        "stage": ["signed", "signed", "demolished"],
                        "date": ["2018-01-05", "2018-01-05", "2018-02-01"]})  # fmt: skip
    state = pg.progress_state(log, tasks.buildings)
    at = live.widths[["river", "chainage_m", "left_m", "right_m"]]
    moved = pg.live_red_line(at, houses, live.rivers, tasks=tasks, state=state, most_m=30.0)
    board = moved.board()
    pd.testing.assert_frame_equal(board["before"], board["now"])
    stages = pg.campaign.stage_rules()
    signed, down = stages["shown_as"]["signed"], stages["shown_as"]["demolished"]
    assert board["now"]["n_nodes"].to_dict() == dict.fromkeys(board.index, 0) | {signed: 1, down: 1}
    assert board["now"].loc[[signed, down], "n_tenants"].tolist() == [2, 1]
    # L2 is spared, R1 (5 floors of 64 m2) taken instead: nobody knows who rents there
    moved.set_widths("河", 40, 60, left_m=4.0, right_m=30.0)
    now = moved.board()["now"]
    assert now["n_nodes"].to_dict() == dict.fromkeys(board.index, 0) | {signed: 1, "todo": 1}
    assert now.loc["todo", ["n_buildings", "demolish_floor_area_m2"]].tolist() == [1, 320.0]
    assert pd.isna(now.loc["todo", "n_tenants"])
    assert now.loc["todo", "n_tenants_unknown"] == 1
    assert now.loc[signed, "demolish_floor_area_m2"] == 128.0
    shown = moved._panel.board.value
    assert "<td>0 → <b>1</b></td><td>0 → <b>1</b></td><td>0 → <b>不详</b></td>" in shown
    moved.reset("河")
    pd.testing.assert_frame_equal(moved.board()["now"], board["before"])


def test_the_flood_follows_the_line(live):
    at = live.widths[["river", "chainage_m", "left_m", "right_m"]]
    bed = pd.DataFrame({"river": "河", "chainage_m": [0.0, 50.0, 100.0], "n": 0.03, "left_m": 8.0,
                        "right_m": 8.0, "bed_level_m": [1.0, 0.5, 0.0],
                        "bank_level_m": [6.0, 5.5, 5.0]})  # fmt: skip
    water = {"sections": pg.design_sections(bed), "flows": 50.0, "downstream": {"slope": 0.01}}
    wet = pg.live_red_line(at, live.buildings, live.rivers, water=water, most_m=30.0)
    assert wet.flood()["rise_mm"].tolist() == pytest.approx([0, 0, 0], abs=1e-9)
    wet.set_widths("河", 0, 100, left_m=6.0)
    narrow = pg.design_sections(bed.assign(left_m=4.0))
    levels = pg.water_profile(narrow, 50.0, {"slope": 0.01}, rivers=live.rivers)
    was = pg.water_profile(rivers=live.rivers, **water)
    rise = 1000 * (levels["level_m"] - was["level_m"])
    assert rise.max() > 100
    assert wet.flood()["rise_mm"].tolist() == pytest.approx(rise.tolist(), abs=1e-6)
    assert f"水位最大壅高 {rise.max():.1f} mm,在 河 K0+" in wet._panel.flood.value
    assert "筛查" in wet._panel.flood.value
    # a wall that leaves no bed is no design; its sums stand, and the line can be moved back
    wet.set_widths("河", 0, 100, left_m=0.0, right_m=1.0)
    assert "墙移动后没有河底" in wet._panel.flood.value
    assert len(wet.affected) < 2
    wet.reset("河")
    assert wet.flood()["rise_mm"].tolist() == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)


def test_a_line_in_stretches_is_the_line():
    """Bends, a sudden change, a gap, two rivers that meet: drawn anew only where it moves."""
    from pinghu_geo.redline.lines import width_table
    from pinghu_geo.redline.moving import LineInStretches
    from pinghu_geo.river.centreline import lay_out

    rng = np.random.default_rng(5)
    s = np.linspace(0, 800, 90)
    bendy = np.column_stack([5e5 + s, 25e5 + 60 * np.sin(s / 60)])
    joins = [(500400, 2500400), (500400, bendy[45, 1])]
    rivers = gpd.GeoDataFrame(geometry=[shapely.LineString(bendy), shapely.LineString(joins)],
                              index=pd.Index(["甲", "乙"], name="river"), crs=4547)  # fmt: skip
    at = np.concatenate([np.arange(0, 401, 10.0), [400.0], np.arange(410, 600, 10.0)])
    later = np.arange(650, 900, 10.0)
    widths = pd.concat([
        pd.DataFrame({"river": "甲", "chainage_m": at, "piece": "a"}),
        pd.DataFrame({"river": "甲", "chainage_m": later, "piece": "b"}),
        pd.DataFrame({"river": "乙", "chainage_m": np.linspace(0, 300, 25), "piece": ""}),
    ], ignore_index=True)  # fmt: skip
    widths["left_m"], widths["right_m"] = rng.uniform(0, 20, (2, len(widths)))
    line = LineInStretches(width_table(widths, lay_out(rivers)), rivers)
    for _ in range(12):
        rows = widths.index[(k := int(rng.integers(len(widths)))) : k + int(rng.integers(1, 9))]
        before = widths.copy()
        widths.loc[rows, "left_m"] = rng.uniform(0, 20, len(rows))
        line, moved = line.moved(widths, rows)
        whole, was = (pg.red_line(rivers, one) for one in (widths, before))
        drawn = line.within(np.array([-np.inf, -np.inf, np.inf, np.inf])).set_index("river")
        for name, shape in whole.set_index("river").geometry.items():
            assert shapely.area(shape ^ drawn.geometry[name]) < 1e-6
        differs = whole.union_all() ^ was.union_all()
        assert shapely.area(differs - shapely.buffer(shapely.union_all(moved), 1e-6)) < 1e-6
        box = shapely.box(*shapely.total_bounds(moved))
        part = line.within(np.array(box.bounds)).union_all()
        assert shapely.area((part ^ whole.union_all()) & box) < 1e-6
