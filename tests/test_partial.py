"""Remainders and position errors, by hand and by simulation."""

import numpy as np
import pytest
import shapely
from scipy import stats

import pinghu_geo as pg
from conftest import building_frame, zone_frame


@pytest.fixture
def cut(straight):
    """Red line y <= 10 beside houses that reach into it."""
    line = zone_frame(shapely.box(0, -10, 1000, 10))
    houses = building_frame(
        {
            "touch": shapely.box(0, 9.95, 10, 20),
            "half": shapely.box(20, 0, 30, 18),
            "thin": shapely.box(40, 6, 80, 12.5),
            "cut": shapely.box(100, 8, 110, 20),
            "fork": shapely.Polygon(
                [(120, 5), (140, 5), (140, 30), (135, 30), (135, 9), (125, 9), (125, 30), (120, 30)]
            ),
            "inside": shapely.box(200, 0, 210, 8),
            "outside": shapely.box(220, 11, 230, 20),
        },
        floors=1,
    )
    return line, houses, pg.affected(houses, line, straight)


def test_remainders_by_hand(cut):
    line, _, hit = cut
    found = pg.remainders(hit, line)
    assert found.index.tolist() == ["touch", "half", "thin", "cut", "fork"]
    assert found["suggestion"].tolist() == ["keep", "whole", "whole", "cut", "whole"]
    assert found["rest_m2"].tolist() == pytest.approx([100, 80, 100, 100, 200])
    assert found["n_parts"].tolist() == [1, 1, 1, 1, 2]
    assert found["rest_width_m"].tolist() == pytest.approx([10, 8, 2.5, 10, 5], abs=0.02)
    assert found["demolish_share"].tolist() == pytest.approx([0, 1, 1, 1 / 6, 1])
    assert "剩余部分被分为 2 块" in found.loc["fork", "reason"]
    assert "44%" in found.loc["half", "reason"]


def test_rules_for_remainders_are_data(cut, tmp_path):
    line, _, hit = cut
    path = tmp_path / "规则.toml"
    path.write_text('otherwise = "whole"\n', "utf-8")
    assert set(pg.remainders(hit, line, rules=path)["suggestion"]) == {"whole"}
    for text, match in (
        ('otherwise = "halve"', "otherwise='halve'"),
        (
            'otherwise = "cut"\n[[rule]]\nsuggestion = "cut"\ncolumn = "rest_m"\nat_most = 1',
            "did you mean",
        ),
        (
            'otherwise = "cut"\n[[rule]]\nsuggestion = "cut"\ncolumn = "rest_m2"',
            "either at_most or at_least",
        ),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(pg.errors.LayerError, match=match):
            pg.remainders(hit, line, rules=path)


def test_probabilities_by_hand(cut):
    line, houses, _ = cut
    found = pg.redline.position_uncertainty(houses, line, sigma_m=0.5)
    rows = found.buildings
    assert rows.loc["touch", "signed_m"] == pytest.approx(0.05)
    assert rows.loc["touch", "probability"] == pytest.approx(stats.norm.cdf(0.1))
    assert rows.loc["outside", "signed_m"] == pytest.approx(-1.0)
    assert rows.loc["outside", "probability"] == pytest.approx(stats.norm.cdf(-2))
    assert rows.loc["inside", "probability"] == pytest.approx(1.0)
    assert rows.index[rows["field_check"]].tolist() == ["touch"]


def test_quantiles_against_simulation():
    rng = np.random.default_rng(1)
    houses = building_frame(
        {
            f"B{k}": shapely.box(20 * k, 10 + d, 20 * k + 10, 20 + d)
            for k, d in enumerate(rng.normal(0, 0.6, 40))
        },
        floors=2,
    )
    line = zone_frame(shapely.box(0, -10, 1000, 10))
    found = pg.redline.position_uncertainty(houses, line, sigma_m=0.5)
    p = found.buildings["probability"].to_numpy()
    draws = (np.random.default_rng(5).random((40_000, len(p))) < p).sum(axis=1)
    simulated = np.quantile(draws, [0.1, 0.5, 0.9])  # a median may fall between two counts
    assert np.abs(found.totals["n_buildings"].to_numpy() - simulated).max() <= 1
    area = found.totals["demolish_floor_area_m2"].to_numpy()
    assert area == pytest.approx(found.totals["n_buildings"].to_numpy() * 200, abs=250)


def test_sigma_must_be_stated(cut):
    line, houses, _ = cut
    with pytest.raises(TypeError, match="sigma_m"):
        pg.redline.position_uncertainty(houses, line)
    with pytest.raises(pg.errors.LayerError, match="sigma_m=0"):
        pg.redline.position_uncertainty(houses, line, sigma_m=0)


def test_a_missing_file_of_rules_is_named(cut, tmp_path):
    line, _, hit = cut
    with pytest.raises(pg.errors.LayerError, match="rules: there is no file"):
        pg.remainders(hit, line, rules=tmp_path / "没有.toml")
