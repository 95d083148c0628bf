import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from conftest import building_frame, river_frame
from pinghu_geo.schemes import alternatives


def rates(*rows):
    columns = ["use", "structure", "title", "building_yuan_m2", "relocation_yuan_m2"]
    return pd.DataFrame(rows, columns=columns, index=[f"R{k}" for k in range(len(rows))])


@pytest.fixture
def bill():
    return pd.DataFrame(
        {
            "use": ["residential", "residential", "industrial"],
            "structure": ["concrete", "brick_concrete", "steel"],
            "title": ["registered", "unregistered", "historical"],
            "demolish_floor_area_m2": [100.0, 50.0, 200.0],
        },
        index=["B1", "B2", "B3"],
    )


def test_the_most_specific_rate_applies(bill):
    table = rates(
        ("residential", None, None, 1000.0, 10.0),
        ("residential", None, "unregistered", 0.0, 10.0),
        (None, None, None, 500.0, np.nan),
    )
    cost = pg.compensation(bill, table)
    assert cost["rate"].tolist() == ["R0", "R1", "R2"]
    assert cost["building_yuan"].tolist() == [100_000, 0, 100_000]
    assert cost["relocation_yuan"].tolist() == [1000, 500, 0]
    assert cost["interruption_yuan"].tolist() == [0, 0, 0]
    heads = ["building_yuan", "relocation_yuan", "interruption_yuan"]
    assert cost["cost_yuan"].tolist() == cost[heads].sum(axis=1).tolist()


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (rates(("residential", None, None, 1.0, 0)), r"(?s)no rate for use=industrial.*\(1: B3\).*add a row"),
        (
            rates(("residential", None, None, 1.0, 0), (None, "concrete", None, 2.0, 0), (None,) * 3 + (3.0, 0)),
            r"2 equally specific rates \(R0, R1\).*B1",
        ),
        (rates((None, None, None, np.nan, 0)), "missing or negative building_yuan_m2"),
        (rates((None, None, None, 1.0, -5)), "missing or negative relocation_yuan_m2"),
        (rates(("住房", None, None, 1.0, 0)), "(?s)unknown words for use.*住房"),
        (rates((None, None, None, 1.0, 0), (None, None, None, 2.0, 0)), "has several rows and no use"),
        # a form that nobody filled in: it was told to have several rows
        (rates((None, None, None, 1.0, 0)).iloc[:0], "rates: has no rows"),
    ],
)  # fmt: skip
def test_bad_rates_are_refused(bill, table, problem):
    with pytest.raises(pg.PinghuError, match=problem):
        pg.compensation(bill, table)


def test_a_building_without_area_or_use_is_named(bill):
    with pytest.raises(pg.errors.RateError, match=r"neither floor area nor floors.*\(1: B2\)"):
        pg.compensation(
            bill.assign(demolish_floor_area_m2=[1, np.nan, 1]), rates((None,) * 3 + (1.0, 0))
        )
    with pytest.raises(pg.errors.RateError, match=r"no rate for use=NA .*\(1: B1\)"):
        pg.compensation(
            bill.assign(use=[None, "residential", "industrial"]),
            rates(("residential", None, None, 1.0, 0), ("industrial", None, None, 1.0, 0)),
        )


@pytest.mark.parametrize("others", [[], ["barn"]])
def test_the_first_word_that_no_rate_can_mean_is_named(bill, others):
    """One alone, and the first of several."""
    slip = bill.assign(use=["residential", "castle", "residential"])
    slip.loc["B3", "use"] = others[0] if others else "residential"
    table = rates(("residential", None, None, 1.0, 0), (None, None, None, 2.0, 0))
    many = "2: B2, B3" if others else "1: B2"
    with pytest.raises(pg.errors.LayerError, match=rf"such as 'castle' \({many}\)"):
        pg.compensation(slip, table)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([("residential", None, None, 1.0, 0), ("industrial", None, None, np.nan, 0)],
         r"missing or negative building_yuan_m2 \(1: R1\)"),
        ([("residential", None, None, 1.0, 0), ("industrial", None, None, 1.0, -1)],
         r"missing or negative relocation_yuan_m2 \(1: R1\)"),
        ([("residential", None, None, 1.0, 0), ("castle", None, None, 1.0, 0)],
         r"unknown words for use \(1: castle\)"),
    ],
)  # fmt: skip
def test_one_bad_row_of_several_rates_is_refused(bill, rows, problem):
    with pytest.raises(pg.errors.LayerError, match=problem):
        pg.compensation(bill, rates(*rows))


def spans(*rows):
    frame = pd.DataFrame(rows, columns=["bank", "from_m", "to_m"]).assign(river="A")
    return frame.set_axis([f"B{k}" for k in range(len(frame))])


def test_nodes_break_at_gaps_and_at_the_longest_length():
    hit = spans(
        ("left", 0, 20), ("left", 60, 90), ("left", 150, 160), ("right", 5, 6), ("left", 165, 320)
    )
    assert pg.node_ids(hit, gap_m=50, max_length_m=300).tolist() == [
        "A-L-001", "A-L-001", "A-L-002", "A-R-001", "A-L-002",
    ]  # fmt: skip
    assert pg.node_ids(hit, gap_m=60, max_length_m=300).tolist() == [
        "A-L-001", "A-L-001", "A-L-001", "A-R-001", "A-L-002",
    ]  # fmt: skip


def test_a_long_building_covers_the_gap_behind_it():
    hit = spans(("left", 0, 200), ("left", 10, 20), ("left", 220, 230))
    assert pg.node_ids(hit, gap_m=50).nunique() == 1


def test_nodes_do_not_depend_on_order_of_rows_and_read_chainage_either_way():
    hit = spans(("left", 0, 20), ("left", 160, 90), ("left", 400, 410))
    turned = pg.node_ids(hit.iloc[::-1])
    assert turned.reindex(hit.index).tolist() == pg.node_ids(hit).tolist()
    assert pg.node_ids(hit).tolist() == ["A-L-001", "A-L-002", "A-L-003"]


@pytest.mark.parametrize(
    ("ends", "wanted"),
    [
        # a building of 400 m, and shorter ones inside it, at its ends and beyond
        ([(0, 400), (100, 110)], ["001", "002"]),
        ([(0, 10), (5, 405), (20, 30)], ["001", "002", "001"]),
        ([(0, 400), (10, 20), (390, 410)], ["001", "002", "003"]),
        ([(0, 400), (0, 500), (40, 50)], ["001", "002", "003"]),
        ([(400, 0), (110, 100)], ["001", "002"]),
    ],
)
def test_a_building_longer_than_the_longest_node_is_alone(ends, wanted):
    hit = spans(*(("left", a, b) for a, b in ends))
    assert pg.node_ids(hit).str[-3:].tolist() == wanted


def test_node_table_adds_up_and_knows_who_is_responsible(sample):
    hit = pg.affected(sample["buildings"], sample["原方案"], sample["rivers"])
    hit["node_id"] = pg.node_ids(hit)
    table = pg.node_table(hit, sample["segments"])
    assert table["n_buildings"].sum() == len(hit)
    assert table["n_tenants"].sum() == hit["tenants"].sum()
    assert table.index.is_unique
    assert table["group"].notna().all()
    one = table.iloc[3]
    mine = hit[hit["node_id"] == one.name]
    assert one["from_m"] == mine[["from_m", "to_m"]].min().min()
    assert one.geometry.area == pytest.approx(mine.area.sum())
    assert table.geom_type.eq("MultiPolygon").all()


def test_overlapping_reaches_are_refused(sample):
    hit = pg.affected(sample["buildings"], sample["原方案"], sample["rivers"])
    hit["node_id"] = pg.node_ids(hit)
    twice = pd.concat([sample["segments"], sample["segments"].head(1)], ignore_index=True)
    with pytest.raises(pg.errors.LayerError, match="segments: has reaches that overlap"):
        pg.node_table(hit, twice)


@pytest.mark.parametrize("lengths", [{"max_length_m": 0.0}, {"gap_m": -0.1}])
def test_bad_lengths_are_refused(lengths):
    with pytest.raises(pg.errors.LayerError, match="give positive lengths"):
        pg.node_ids(spans(("left", 0, 1)), **lengths)


@pytest.mark.parametrize(
    ("lengths", "wanted"),
    [
        # houses that touch, and one 0.4 m on
        ({"gap_m": 0.0}, ["001", "001", "002"]),
        ({"gap_m": 0.4}, ["001", "001", "001"]),
        ({"gap_m": 0.4, "max_length_m": 0.9}, ["001", "002", "002"]),
        ({"gap_m": 0.4, "max_length_m": 1.0}, ["001", "001", "002"]),
        ({"gap_m": np.inf, "max_length_m": np.inf}, ["001", "001", "001"]),
    ],
)
def test_nodes_may_be_as_short_and_as_long_as_one_likes(lengths, wanted):
    hit = spans(("left", 0.0, 0.5), ("left", 0.5, 1.0), ("left", 1.4, 1.4))
    assert pg.node_ids(hit, **lengths).str[-3:].tolist() == wanted


def test_one_building_without_a_node_is_named_and_no_building_makes_no_node(straight, houses):
    hit = pg.affected(houses, pg.red_line(straight, 20.0), straight)
    hit["node_id"] = pg.node_ids(hit)
    none = pg.node_table(hit.head(0))
    assert none.empty
    assert none.columns.tolist() == pg.node_table(hit).columns.tolist()
    hit.loc[hit.index[1], "node_id"] = pd.NA
    with pytest.raises(pg.errors.LayerError, match=rf"without a node \(1: {hit.index[1]}\)"):
        pg.node_table(hit)


@pytest.fixture
def choice(straight, houses):
    schemes = {"原": pg.red_line(straight, 20.0), "移": pg.red_line(straight, (14.0, 26.0))}
    price = rates((None, None, None, 10.0, 0))
    return pg.compare(schemes, houses, straight, rates=price), houses


def test_saved_and_added_by_hand(choice):
    comparison, _ = choice
    changes = comparison.changes.set_index("building_id")
    assert changes["change"].to_dict() == {
        "inside": "less", "straddling": "saved", "right": "more", "hole": "less", "two": "saved",
    }  # fmt: skip
    assert changes.loc["straddling", "avoided_floor_area_m2"] == 300
    assert changes.loc["straddling", "avoided_yuan"] == 3000
    assert changes.loc["inside", ["extent_before", "extent_after"]].tolist() == ["full", "partial"]
    assert comparison.totals["n_buildings"].to_dict() == {"原": 6, "移": 4}
    assert (
        "避免拆除 2 栋,新增拆除 0 栋,少拆建筑面积 500 m²,少清退租户 6 户" in comparison.summary()[0]
    )


def test_changes_explain_the_difference_of_the_totals(sample):
    schemes = {k: sample[k] for k in ("原方案", "优化方案")}
    found = pg.compare(schemes, sample["buildings"], sample["rivers"], rates=sample["rates"])
    a, b = (found.totals.loc[k] for k in schemes)
    changes = found.changes
    assert (changes["change"] == "saved").sum() - (changes["change"] == "added").sum() == (
        a["n_buildings"] - b["n_buildings"]
    )
    for column, total in (
        ("avoided_yuan", "cost_yuan"), ("avoided_tenants", "n_tenants"),
        ("avoided_floor_area_m2", "demolish_floor_area_m2"),
    ):  # fmt: skip
        assert changes[column].sum() == pytest.approx(a[total] - b[total])
        assert found.by_river[column].sum() == pytest.approx(changes[column].sum())
        assert found.by_node[column].sum() == pytest.approx(changes[column].sum())
    moved = (changes["inside_before_m2"] - changes["inside_after_m2"]).sum()
    assert moved == pytest.approx(a["inside_m2"] - b["inside_m2"])


def test_a_scheme_against_itself_changes_nothing_and_against_another_is_antisymmetric(
    choice, straight
):
    _, houses = choice
    line, other = pg.red_line(straight, 20.0), pg.red_line(straight, (14.0, 26.0))
    assert pg.compare({"a": line, "b": line}, houses, straight).changes.empty
    ab = pg.compare({"a": line, "b": other}, houses, straight).changes.set_index("building_id")
    ba = pg.compare({"b": other, "a": line}, houses, straight).changes.set_index("building_id")
    assert set(ab.index) == set(ba.index)
    flip = {"saved": "added", "added": "saved", "less": "more", "more": "less"}
    assert ab["change"].map(flip).to_dict() == ba["change"].to_dict()
    np.testing.assert_allclose(
        ab["avoided_floor_area_m2"], -ba["avoided_floor_area_m2"].reindex(ab.index)
    )


def test_any_scheme_can_be_the_baseline_and_one_alone_is_fine(choice, straight, houses):
    lines = {"a": pg.red_line(straight, 20.0), "b": pg.red_line(straight, 10.0)}
    assert (
        pg.compare(lines, houses, straight, baseline="b").changes["change"].eq("saved").sum() == 0
    )
    alone = pg.compare({"a": lines["a"]}, houses, straight)
    assert alone.changes.empty
    assert alone.summary() == []
    with pytest.raises(pg.errors.LayerError, match="baseline 'c' is no scheme"):
        pg.compare(lines, houses, straight, baseline="c")
    with pytest.raises(pg.errors.LayerError, match="no scheme to compare"):
        pg.compare({}, houses, straight)


def test_html_for_notebooks_is_escaped(straight):
    houses = building_frame({"<b>": shapely.box(0, 0, 5, 5)}, floors=1.0)
    lines = {"<script>": pg.red_line(straight, 20.0), "b": pg.red_line(straight, 1.0)}
    shown = pg.compare(lines, houses, straight)._repr_html_()
    assert "<script>" not in shown
    assert "房屋栋数" in shown


def test_assessment_shows_its_totals(straight, houses):
    one = pg.assess(pg.red_line(straight, 20.0), houses, straight)
    assert "拆除建筑面积" in one._repr_html_()
    assert one.totals["works_m2"].tolist() == [40_000]
    assert isinstance(one.affected, gpd.GeoDataFrame)


@pytest.fixture(scope="module")
def three_schemes():
    sample = pg.sample_folder()
    buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    rivers = pg.read_layer(sample / "河道.shp", "rivers")
    rates = pg.read_table(sample / "补偿标准_示例.csv", "rates")
    lines = [
        pg.red_line(rivers, pg.read_table(sample / f"红线宽度_{n}方案.csv", "widths"))
        for n in ("原", "优化")
    ]
    lines.append(pg.red_line(rivers, 8.0))
    return rivers, [pg.assess(line, buildings, rivers, rates=rates) for line in lines]


def test_a_scheme_differs_in_nothing_from_itself(three_schemes):
    rivers, (a, _, _) = three_schemes
    found = pg.differences(a, a, rivers)
    assert found.buildings.empty
    assert found.redesigned.empty


def test_differences_change_their_sign_and_add_up(three_schemes):
    rivers, (a, b, c) = three_schemes
    ab, ba, bc, ac = (
        pg.differences(x, y, rivers).buildings.set_index("building_id")
        for x, y in ((a, b), (b, a), (b, c), (a, c))
    )
    sums = ["avoided_floor_area_m2", "avoided_tenants", "avoided_yuan", "moved_m"]
    pd.testing.assert_frame_equal(
        ab[sums].astype(float).sort_index(), -ba[sums].astype(float).sort_index(), atol=1e-6
    )
    swap = {"saved": "added", "added": "saved", "less": "more", "more": "less"}
    assert ab["change"].map(swap).to_dict() == ba["change"].to_dict()
    inside = [t["inside_before_m2"] - t["inside_after_m2"] for t in (ab, bc, ac)]
    both = inside[0].add(inside[1], fill_value=0.0)
    both = both[both.abs() > 1e-6]
    pd.testing.assert_series_equal(
        both.sort_index(), inside[2].sort_index(), check_names=False, atol=1e-5
    )


def test_the_second_scheme_s_redesigned_nodes(three_schemes):
    """make_sample.py moves the line by 6 m at most, at ten reaches."""
    rivers, (a, b, _) = three_schemes
    found = pg.differences(a, b, rivers)
    nodes, rows = found.redesigned, found.buildings
    assert 8 <= len(nodes) <= 12
    assert nodes["n_saved"].sum() == (rows["change"] == "saved").sum()
    assert nodes["avoided_floor_area_m2"].sum() == pytest.approx(
        rows["avoided_floor_area_m2"].sum()
    )
    assert rows["moved_m"].abs().max() <= 6.01
    # a saved house is saved because the line moved towards the river on its bank
    saved = rows[(rows["change"] == "saved") & (rows["bank"] != "both")]
    assert (saved["moved_m"] < 0).all()
    assert (nodes["from_m"] < nodes["to_m"]).all()


def test_half_a_house_is_enough_and_of_areas_of_one_kind_the_larger_share_clears():
    box = shapely.box
    houses = building_frame(
        {"half": box(0, 0, 10, 10), "two": box(100, 0, 110, 10), "less": box(200, 0, 210, 10)},
        floors=1.0,
    )
    zones = gpd.GeoDataFrame(
        {"kind": ["renewal", "renewal", "renewal", "consolidation", "renewal"]},
        index=pd.Index(["Z1", "Z2", "Z3", "Z4", "Z5"], name="zone_id"),
        geometry=[
            box(-5, -5, 5, 15), box(104, -5, 120, 15), box(103, -5, 120, 15),
            box(99, -5, 120, 15), box(190, -5, 204.9, 15),
        ],
        crs=houses.crs,
    )  # fmt: skip
    found = pg.clearing(houses, zones)
    assert found["zone_id"].fillna("").tolist() == ["Z1", "Z3", ""]
    assert found["zone_ratio"].tolist()[:2] == pytest.approx([0.5, 0.7])
    assert found["contested"].tolist() == [False, True, True]
    assert found["cleared_by"].tolist() == ["Z1", "Z3", "本项目"]


@pytest.mark.parametrize(("cut_m", "group"), [(99.9, "二组"), (100.0, "二组"), (100.1, "一组")])
def test_a_node_belongs_to_the_reach_that_its_middle_lies_in_or_begins(straight, cut_m, group):
    hit = pg.affected(
        building_frame({"H": shapely.box(90, 5, 110, 15)}, floors=1.0),
        pg.red_line(straight, 20.0),
        straight,
    )
    hit["node_id"] = pg.node_ids(hit)
    reaches = pd.DataFrame(
        {"river": "A", "from_m": [0.0, cut_m], "to_m": [cut_m, 200.0], "group": ["一组", "二组"]}
    )
    assert pg.node_table(hit, reaches)["group"].tolist() == [group]


@pytest.mark.parametrize(("cut_m", "group"), [(129.9, "二组"), (130.1, "一组")])
def test_the_middle_of_a_node_is_that_of_all_its_houses(straight, cut_m, group):
    """From 100 to 160 m: the first house ends at 110, the last one begins at 150."""
    houses = building_frame(
        {"a": shapely.box(100, 5, 110, 15), "b": shapely.box(150, 5, 160, 15)}, floors=1.0
    )
    hit = pg.affected(houses, pg.red_line(straight, 20.0), straight)
    hit["node_id"] = pg.node_ids(hit)
    reaches = pd.DataFrame(
        {"river": "A", "from_m": [0.0, cut_m], "to_m": [cut_m, 200.0], "group": ["一组", "二组"]}
    )
    found = pg.node_table(hit, reaches)
    assert found["group"].tolist() == [group]
    assert found[["from_m", "to_m"]].to_numpy().tolist() == [[100.0, 160.0]]


def test_a_reach_of_one_bank_answers_for_that_bank(straight):
    houses = building_frame(
        {"north": shapely.box(100, 5, 110, 15), "south": shapely.box(100, -15, 110, -5)}, floors=1.0
    )
    hit = pg.affected(houses, pg.red_line(straight, 20.0), straight)
    hit["node_id"] = pg.node_ids(hit)
    reaches = pd.DataFrame(
        {"river": "A", "from_m": 0.0, "to_m": 200.0, "group": ["一组", "二组"],
         "bank": ["left", "right"]}
    )  # fmt: skip
    assert pg.node_table(hit, reaches)["group"].to_dict() == {"A-L-001": "一组", "A-R-001": "二组"}
    left = pg.node_table(hit, reaches.head(1))["group"]
    assert left.fillna("").to_dict() == {"A-L-001": "一组", "A-R-001": ""}


def test_two_areas_at_one_house_are_contested_and_a_touching_edge_is_none():
    """1.5 millionths of a house are a share, half a millionth is an edge that touches."""
    box = shapely.box
    houses = building_frame({f"h{k}": box(300 * k, 0, 300 * k + 100, 100) for k in range(3)})
    zones = gpd.GeoDataFrame(
        {"kind": ["renewal", "consolidation", "renewal", "renewal"]},
        index=pd.Index(["Z1", "Z2", "Z3", "Z4"], name="zone_id"),
        geometry=[
            box(-10, 0, 60, 100), box(60, 0, 110, 100),
            box(400 - 1.5e-4, 0, 410, 100), box(700 - 0.5e-4, 0, 710, 100),
        ],
        crs=houses.crs,
    )  # fmt: skip
    found = pg.clearing(houses, zones)
    assert found["zone_id"].fillna("").tolist() == ["Z1", "", ""]
    assert found["contested"].tolist() == [True, True, False]


def test_a_building_that_is_cut_less_saves_what_it_costs_less(straddling_twice):
    before, after = straddling_twice
    found = alternatives._changed_buildings(
        before.assign(cost_yuan=100.0, tenants=3.0), after.assign(cost_yuan=60.0, tenants=3.0)
    )
    row = found.set_index("building_id").loc["H"]
    assert (row["change"], row["avoided_yuan"], row["avoided_tenants"]) == ("less", 40.0, 0)
    areas = (t.assign(demolish_floor_area_m2=a) for t, a in ((before, 50.0), (after, 20.0)))
    assert alternatives._changed_buildings(*areas)["avoided_floor_area_m2"].tolist() == [30.0]
    # where a building counts as a whole, it goes as it went
    assert alternatives._changed_buildings(before, after, whole=True)[
        "avoided_floor_area_m2"
    ].tolist() == [0.0]


def test_nodes_of_a_comparison_are_300_m_long_at_most():
    """Houses each 40 m: one chain of 570 m, which 50 m don't break and 300 m do."""
    rivers = river_frame({"A": [(0, 0), (1000, 0)]})
    houses = building_frame(
        {f"H{k:02d}": shapely.box(100 + 40 * k, 5, 110 + 40 * k, 15) for k in range(15)},
        floor_area_m2=100.0,
    )
    line = pg.red_line(rivers, 20.0)
    found = pg.compare({"a": line, "b": line}, houses, rivers).schemes["a"].affected
    spans = found.groupby("node_id").agg({"from_m": "min", "to_m": "max"})
    assert len(spans) == 2
    assert (spans["to_m"] - spans["from_m"]).max() <= 300


@pytest.fixture
def straddling_twice():
    """A house that the line cuts by 5 m, and by 2."""
    river = river_frame({"A": [(0, 0), (1000, 0)]})
    house = building_frame({"H": shapely.box(200, 15, 210, 25)}, floor_area_m2=100.0)
    both = [pg.affected(house, pg.red_line(river, half), river) for half in (20.0, 17.0)]
    return [hit.assign(node_id=pg.node_ids(hit)) for hit in both]


def test_one_river_with_equations_is_enough_to_ask_where_a_building_is():
    """On B, 310 m down, K0+260 is said a second time: by its chainage alone it stands at neither."""
    rivers = river_frame(
        {"A": [(0, 0), (1000, 0)], "B": [(0, 500), (1000, 500)]},
        equations=["", "K0+300=K0+250"],
    )
    houses = building_frame(
        {"a": shapely.box(400, 5, 410, 15), "b": shapely.box(305, 505, 315, 515)}, floors=1
    )
    line = pd.concat([pg.red_line(rivers.iloc[[0]], 20.0), pg.red_line(rivers.iloc[[1]], 30.0)])
    hit = pg.affected(houses, line, rivers)
    found = alternatives._line_reach(line, hit, rivers)
    assert dict(zip(hit.index, found, strict=True)) == pytest.approx({"a": 20.0, "b": 30.0})


@pytest.fixture
def across_a_long_chain():
    """K0+250 to K0+300 are said twice; houses before, on either of both places, and behind."""
    river = river_frame({"A": [(0, 0), (1000, 0)]}, equations=["K0+300=K0+250"])
    houses = building_frame(
        {f"h{x}": shapely.box(x, 12, x + 6, 18) for x in (100, 290, 340, 600)}, floors=1
    )
    wide, narrow = pg.red_line(river, 20.0), pg.red_line(river, 10.0)
    end = pd.DataFrame({"river": "A", "chainage_m": [500.0, 950], "left_m": 20.0, "right_m": 20.0})
    return river, houses, {"wide": wide, "narrow": narrow, "end": pg.red_line(river, end)}


def test_a_line_may_reach_farther_than_half_a_kilometre():
    """A management range of a wide river is drawn back from 700 to 600 m."""
    river = river_frame({"A": [(0, 0), (1000, 0)]})
    houses = building_frame({"H": shapely.box(200, 595, 210, 605)}, floors=1)
    a, b = (pg.assess(pg.red_line(river, half), houses, river) for half in (700.0, 600.0))
    found = pg.differences(a, b, river)
    assert found.buildings["moved_m"].tolist() == [-100.0]
    assert found.redesigned["moved_left_m"].tolist() == [-100.0]


def test_a_house_that_is_cut_less_keeps_no_tenant_though_nobody_knows_how_many(straight):
    """It is demolished all the same: 0 tenants are avoided, whatever their number."""
    houses = building_frame(
        {"H": shapely.box(200, 15, 210, 25)}, floor_area_m2=100.0, tenants=[np.nan]
    )
    lines = {"a": pg.red_line(straight, 20.0), "b": pg.red_line(straight, 17.0)}
    found = pg.compare(lines, houses, straight).changes
    assert found[["change", "avoided_tenants"]].values.tolist() == [["less", 0]]


def test_what_is_assessed_without_a_word_is_what_the_signature_says(straight):
    """Houses 70 m apart are two nodes, 50 m two of one; 0.7 m inside needs no survey."""
    houses = building_frame(
        {f"h{x}": shapely.box(x, 19.3, x + 10, 29.3) for x in (100, 160, 240)}, floors=1
    )
    wide, none = pg.red_line(straight, 20.0), pg.red_line(straight, 5.0)
    one = pg.assess(wide, houses, straight)
    both = pg.compare({"wide": wide, "none": none}, houses, straight)
    for hit in (one.affected, both.schemes["wide"].affected):
        assert hit["node_id"].tolist() == ["A-L-001", "A-L-001", "A-L-002"]
        assert not hit["needs_survey"].any()
    found = pg.differences(one, pg.assess(none, houses, straight), straight)
    assert found.buildings["redesign_id"].tolist() == ["A-D01", "A-D01", "A-D02"]
    assert found.summary(lang="en") == [
        "2 nodes are re-designed: 3 buildings saved, 0 added, 0 taken less of, 0 more."
    ]


def test_the_sentence_of_a_comparison_by_hand(straight):
    """300 and 200 m² at 1,000 yuan, 4 tenants and an unknown number of them, either way round."""
    box = shapely.box
    houses = building_frame(
        {"a": box(100, 12, 110, 18), "b": box(200, 12, 210, 18), "c": box(300, 12, 310, 18)},
        floor_area_m2=[300.0, 200, np.nan], tenants=[4.0, np.nan, 0],
    )  # fmt: skip
    lines = {"wide": pg.red_line(straight, 20.0), "narrow": pg.red_line(straight, 10.0)}
    known, price = houses.drop(index="c"), rates((None, None, None, 1000.0, 0))
    said = pg.compare(lines, known, straight, rates=price).summary(lang="en")
    assert said == [
        "narrow against wide: spares 2 buildings, takes 0 others, 500 m² of floor area less, 4 "
        "tenants less (and 1 buildings with unknown tenants), 50 times 10,000 yuan of "
        "compensation less."
    ]
    said = pg.compare(lines, known, straight, rates=price, baseline="narrow").summary(lang="en")
    assert said == [
        "wide against narrow: spares 0 buildings, takes 2 others, 500 m² of floor area more, 4 "
        "tenants more (and 1 buildings with unknown tenants), 50 times 10,000 yuan of "
        "compensation more."
    ]
    assert pg.compare(lines, houses.loc[["c"]], straight).summary(lang="en") == [
        "narrow against wide: spares 1 buildings, takes 0 others, floor area less by an unknown "
        "amount (1 buildings of unknown floor area), 0 tenants less."
    ]


def test_shares_of_a_house_that_is_cut_less_are_avoided_and_rows_are_numbered(straight):
    """By share, half of the house is taken, then a fifth."""
    houses = building_frame(
        {"H": shapely.box(200, 15, 210, 25), "I": shapely.box(300, 11, 310, 13)},
        floor_area_m2=100.0,
    )
    lines = {k: pg.red_line(straight, half) for k, half in (("a", 20.0), ("b", 17.0), ("c", 10.0))}
    schemes = pg.compare(lines, houses, straight, partial_rule="share")
    assert schemes.changes.index.tolist() == list(range(3))
    rows = schemes.changes.set_index(["scheme", "building_id"])
    assert rows["avoided_floor_area_m2"].to_dict() == pytest.approx(
        {("b", "H"): 30.0, ("c", "H"): 50.0, ("c", "I"): 100.0}
    )
    found = pg.differences(schemes.schemes["a"], schemes.schemes["b"], straight).buildings
    assert found["avoided_floor_area_m2"].tolist() == pytest.approx([30.0])


def test_affected_buildings_whose_chainage_occurs_twice_are_counted_once(across_a_long_chain):
    """Two of four houses in the one scheme, none in the others."""
    river, houses, lines = across_a_long_chain
    words = "{} affected buildings have a chainage that occurs twice"
    for names, count in ((("wide", "narrow"), 2), (("wide", "wide"), 2), (("narrow", "end"), 0)):
        schemes = {f"{k} {name}": lines[name] for k, name in enumerate(names)}
        said = pg.compare(schemes, houses, river).summary(lang="en")
        assert [words.format(count) in one for one in said].count(True) == (count > 0)


def test_redesigned_nodes_part_by_metres_along_the_river_not_by_what_is_said(across_a_long_chain):
    """From 296 to 340 m along there are 44 m, from K0+296 to K0+290 none."""
    river, houses, lines = across_a_long_chain
    a, b = (pg.assess(lines[name], houses, river) for name in ("wide", "narrow"))
    for gap_m, nodes in (
        (43.9, ["D01", "D02", "D03", "D04"]),
        (44.0, ["D01", "D02", "D02", "D03"]),
    ):
        found = pg.differences(a, b, river, gap_m=gap_m).buildings
        assert found["redesign_id"].str[-3:].tolist() == nodes


def test_a_redesigned_stretch_moves_as_far_as_its_farthest_building():
    """On the left the line draws back by 2 m at one house and by 6 at the next, 20 m on."""
    rivers = river_frame({"A": [(0, 0), (1000, 0)]})
    houses = building_frame(
        {"near": shapely.box(200, 15, 210, 25), "far": shapely.box(230, 12, 240, 25)},
        floor_area_m2=100.0,
    )
    at = [0.0, 215, 225, 1000]
    lines = [
        pg.red_line(
            rivers,
            pd.DataFrame({"river": "A", "chainage_m": at, "left_m": left, "right_m": 20.0}),
        )
        for left in (20.0, [18.0, 18, 14, 14])
    ]
    schemes = pg.compare(dict(zip("ab", lines, strict=True)), houses, rivers).schemes
    found = pg.differences(schemes["a"], schemes["b"], rivers)
    assert found.buildings.set_index("building_id")["moved_m"].to_dict() == {
        "near": -2.0, "far": -6.0,
    }  # fmt: skip
    assert found.redesigned["moved_left_m"].tolist() == [-6.0]
    assert found.redesigned[["from_m", "to_m"]].to_numpy().tolist() == [[200.0, 240.0]]


def test_each_node_has_the_shape_of_its_own_houses():
    """Rows come in any order; nodes are listed by name."""
    rivers = river_frame({"A": [(0, 0), (1000, 0)]})
    houses = building_frame(
        {"south": shapely.box(100, -15, 110, -5), "north": shapely.box(500, 5, 520, 15)},
        floor_area_m2=100.0,
    )
    hit = pg.affected(houses, pg.red_line(rivers, 20.0), rivers).loc[["south", "north"]]
    hit["node_id"] = ["A-R-001", "A-L-001"]
    found = pg.node_table(hit)
    assert found.area.to_dict() == {"A-L-001": 200.0, "A-R-001": 100.0}
