import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

import pinghu_geo as pg
from conftest import CRS, building_frame, zone_frame


@pytest.fixture
def hit(houses, straight):
    return pg.affected(houses, pg.red_line(straight, 20.0), straight)


def test_inside_areas_by_hand(hit):
    assert hit["inside_m2"].round(9).to_dict() == {
        "inside": 100.0,
        "straddling": 50.0,
        "right": 100.0,
        "across": 100.0,
        # y from 10 to 20 of a 30 m square, less the hole's 10 x 5
        "hole": 250.0,
        "two": 50.0,
    }
    assert hit["extent"].to_dict() == {
        "inside": "full",
        "straddling": "partial",
        "right": "partial",
        "across": "full",
        "hole": "partial",
        "two": "partial",
    }
    assert hit.loc["hole", "inside_ratio"] == pytest.approx(250 / 700)
    assert hit.loc["straddling", "cut_depth_m"] == pytest.approx(5)
    assert hit.loc["inside", "cut_depth_m"] == pytest.approx(15)


def test_what_only_touches_is_not_affected(hit):
    assert {"touching", "outside"}.isdisjoint(hit.index)


def test_input_is_kept_in_order_and_not_changed(houses, straight):
    before = houses.copy()
    hit = pg.affected(houses, pg.red_line(straight, 20.0), straight)
    assert_geodataframe_equal(houses, before)
    assert list(hit.index) == [i for i in houses.index if i in set(hit.index)]
    assert hit.geometry.loc["two"].equals(houses.geometry.loc["two"])
    assert hit.loc["right", "use"] == "residential"


def test_floor_area_to_demolish(houses, straight):
    line = pg.red_line(straight, 20.0)
    with pytest.warns(UserWarning, match="floor area of 1 of 6 buildings is estimated"):
        hit = pg.affected(houses, line, straight)
    assert hit.loc["straddling", "demolish_floor_area_m2"] == 300
    assert hit.loc["right", ["demolish_floor_area_m2", "floor_area_source"]].tolist() == [
        800.0,
        "estimated",
    ]
    assert hit.loc["inside", "floor_area_source"] == "surveyed"
    share = pg.affected(houses, line, straight, partial_rule="share")
    assert share.loc["straddling", "demolish_floor_area_m2"] == pytest.approx(150)


def test_floor_area_unknown_stays_unknown(straight):
    house = building_frame({"B": shapely.box(0, 0, 10, 10)}, floors=np.nan)
    hit = pg.affected(house, pg.red_line(straight, 20.0), straight)
    assert hit["demolish_floor_area_m2"].isna().all()
    assert hit["floor_area_source"].isna().all()
    assert pg.totals(hit)["n_unknown"].tolist() == [1]


def test_overlapping_red_lines_count_once(confluence):
    house = building_frame({"B": shapely.box(495, -5, 505, 15)}, floors=1.0)
    both = pg.affected(house, pg.red_line(confluence, 10.0), confluence)
    assert both["inside_m2"].tolist() == [200.0]
    assert both["extent"].tolist() == ["full"]
    assert both["river"].tolist() == ["干流"]


def test_the_river_is_the_one_whose_line_touches(confluence):
    # nearer to the tributary, but only the main stem's line reaches it
    house = building_frame({"B": shapely.box(520, 15, 530, 25)}, floors=1.0)
    lines = pd.concat(
        [zone_frame(shapely.box(0, -20, 1000, 20), river="干流"),
         zone_frame(shapely.box(495, 0, 505, 400), river="支流")],
        ignore_index=True,
    )  # fmt: skip
    assert pg.affected(house, lines, confluence)["river"].tolist() == ["干流"]


def test_slivers_are_reported(straight):
    houses = building_frame(
        {
            "corner cut": shapely.box(0, 19.9, 10, 30),
            "corner left": shapely.box(20, 10, 30, 20.1),
            "half": shapely.box(40, 15, 50, 25),
        },
        floors=1.0,
    )
    hit = pg.affected(houses, pg.red_line(straight, 20.0), straight)
    assert hit["needs_survey"].to_dict() == {"corner cut": True, "corner left": True, "half": False}
    sure = pg.affected(houses, pg.red_line(straight, 20.0), straight, survey_tolerance_m=0.05)
    assert not sure["needs_survey"].any()


def test_parcels_go_through_the_same_function(sample):
    hit = pg.affected(sample["parcels"], sample["原方案"], sample["rivers"])
    assert hit.index.name == "parcel_id"
    assert "demolish_floor_area_m2" not in hit
    line = sample["原方案"].geometry.union_all()
    exact = sample["parcels"].geometry.intersection(line).area
    exact = exact[exact > 0]
    assert set(exact.index) == set(hit.index)
    np.testing.assert_allclose(hit["inside_m2"], exact.loc[hit.index], rtol=1e-6, atol=1e-6)


def test_every_id_and_area_against_a_plain_loop(sample):
    line = sample["原方案"].geometry.union_all()
    near = sample["buildings"][sample["buildings"].distance(line) < 5]
    exact = {i: s.intersection(line).area for i, s in near.geometry.items()}
    exact = {i: a for i, a in exact.items() if a > 0}
    hit = pg.affected(sample["buildings"], sample["原方案"], sample["rivers"])
    assert set(hit.index) == set(exact)
    np.testing.assert_allclose(hit["inside_m2"], [exact[i] for i in hit.index], rtol=1e-6)


def test_zones_shares_and_owners(straight):
    houses = building_frame({"B": shapely.box(0, 0, 10, 10), "C": shapely.box(50, 0, 60, 10)})
    zones = gpd.GeoDataFrame(
        index=pd.Index(["Z1", "Z2"], name="zone_id"),
        geometry=[shapely.box(0, 0, 4, 10), shapely.box(4, 0, 20, 10)],
        crs=CRS,
    )
    shares = pg.redline.overlay_zones(houses, zones)
    assert shares.values.tolist() == [["B", "Z1", 40.0, 0.4], ["B", "Z2", 60.0, 0.6]]
    owner = pg.redline.belongs_to(houses, zones)
    assert owner["B"] == "Z2"
    assert pd.isna(owner["C"])
    assert pg.redline.belongs_to(houses, zones, least_ratio=0.7).isna().all()


def test_totals_add_up_however_grouped(sample):
    hit = pg.affected(sample["buildings"], sample["原方案"], sample["rivers"])
    hit = hit.join(pg.compensation(hit, sample["rates"]))
    whole = pg.totals(hit).iloc[0]
    for by in ("river", "bank", "use", "title", ["river", "bank"], "structure"):
        parts = pg.totals(hit, by).sum()
        np.testing.assert_allclose(parts[whole.index].astype(float), whole.astype(float))
    assert whole["n_full"] + whole["n_partial"] == whole["n_buildings"] == len(hit)
    assert whole["estimated_m2"] == pytest.approx(
        hit.loc[hit["floor_area_source"] == "estimated", "demolish_floor_area_m2"].sum()
    )


def test_totals_keep_rows_without_a_group(hit):
    hit = hit.assign(owner=[None, "甲", "甲", None, "乙", "乙"])
    assert pg.totals(hit, "owner")["n_buildings"].sum() == 6


def test_nothing_affected_is_an_empty_table(houses, straight):
    far = zone_frame(shapely.box(0, 500, 10, 510))
    assert pg.affected(houses, far, straight).empty


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda b: b.set_crs(None, allow_override=True), "(?s)buildings: has no coordinate.*set_crs"),
        (lambda b: b.to_crs(4490), "(?s)whose unit is degree.*to_crs"),
        (
            lambda b: b.translate(506_000, 2_511_000).to_frame("geometry").to_crs(3857),
            r"18 % too large at 22.7 N",
        ),
        (lambda b: pd.concat([b, b.head(1)]), r"(?s)has duplicate ids \(1: inside\).*duplicated"),
        (lambda b: b.set_geometry([None, *b.geometry[1:]]), r"without geometry \(1: inside\)"),
        (
            lambda b: b.set_geometry(
                [shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 9)]), *b.geometry[1:]], crs=CRS
            ),
            r"(?s)has invalid geometry \(1: inside\).*pg.repair",
        ),
        (lambda b: b.set_geometry(b.centroid), "Point where polygons are needed"),
    ],
)  # fmt: skip
def test_bad_buildings_are_refused(houses, straight, spoil, problem):
    with pytest.raises(pg.PinghuError, match=problem):
        pg.affected(spoil(houses), pg.red_line(straight, 20.0), straight)


def test_bad_red_lines_are_refused(houses, straight):
    line = pg.red_line(straight, 20.0)
    with pytest.raises(
        pg.errors.CRSError, match=r"(?s)red_line: is in .*120E.* but .*114E.*to_crs\(4547\)"
    ):
        pg.affected(houses, line.set_crs(4549, allow_override=True), straight)
    with pytest.raises(pg.errors.LayerError, match="lacks the column 'river'"):
        pg.affected(houses, line.drop(columns="river"), straight)
    with pytest.raises(
        pg.errors.LayerError, match="names rivers that the layer of rivers doesn't have"
    ):
        pg.affected(houses, line.assign(river="黄河"), straight)
    with pytest.raises(pg.errors.LayerError, match="red_line: has no rows"):
        pg.affected(houses, line.iloc[:0], straight)
    with pytest.raises(pg.errors.LayerError, match="did you mean 'share'"):
        pg.affected(houses, line, straight, partial_rule="shares")


def test_texts_among_numbers_are_named(houses, straight):
    houses["floors"] = ["2", "1;2", "1", "1", "4", "1", "2", "1"]
    with pytest.raises(
        pg.errors.LayerError, match=r"(?s)texts such as '1;2' in floors.*straddling.*to_numeric"
    ):
        pg.affected(houses, pg.red_line(straight, 20.0), straight)
