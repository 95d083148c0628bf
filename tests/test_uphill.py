"""Chainages that run up from the mouth, unsaid; and a design that overtops, said."""

import json

import numpy as np
import pandas as pd
import pytest

import pinghu_geo as pg
from conftest import river_frame
from pinghu_geo.project import summary_lines


def sections(bed, at=None):
    """Channels 20 m wide, walls 6 m high."""
    at = np.arange(len(bed)) * 500.0 if at is None else at
    table = pd.DataFrame({"river": "A", "chainage_m": at, "bed_level_m": bed})
    table["bank_level_m"] = table["bed_level_m"] + 6
    return pg.design_sections(table.assign(left_m=10.0, right_m=10.0, n=0.03))


@pytest.mark.parametrize(
    "bed",
    [[0.0, 0.5, 1.0, 1.5, 2.0], [0.0, 0.6, 0.5, 1.2, 1.9], [3.0, 4.0, 5.0, 6.0]],
)
def test_chainages_from_the_mouth_up_are_not_taken_for_an_adverse_bed(bed):
    made = sections(bed)
    with pytest.raises(pg.errors.HydraulicsError, match="run up from the mouth") as error:
        pg.water_profile(made, 50.0, {"slope": 0.001})
    river = river_frame({"A": [(0, 0), (500.0 * (len(bed) - 1), 0)]})
    space = {"rivers": river}
    exec(error.value.hint, space)
    found = pg.water_profile(made, 50.0, {"slope": 0.001}, rivers=space["rivers"])
    assert found["chainage_m"].is_monotonic_decreasing
    # the same river with its chainages turned has the same levels
    turned = sections(bed[::-1])
    plain = pg.water_profile(turned, 50.0, {"slope": 0.001})
    assert found["level_m"].to_numpy() == pytest.approx(plain["level_m"].to_numpy(), abs=1e-6)
    # whoever says that the bed rises is believed
    pg.water_profile(made, 50.0, {"level_m": max(bed) + 5}, rivers=river)


@pytest.mark.parametrize(
    "bed", [[2.0, 1.5, 1.0, 0.5, 0.0], [1.0, 0.5, 0.0, 1.8], [0.0, 0.1, 0.2, 0.3], [0.0, 3.0]]
)
def test_sills_holes_and_gentle_rises_are_computed(bed):
    pg.water_profile(sections(bed), 50.0, {"level_m": max(bed) + 4})


def test_a_design_that_overtops_is_said(tmp_path):
    flood = [
        {"river": "A", "profile": "50年一遇", "n_overtopped": 3, "freeboard_m_min": -0.42,
         "freeboard_at": "K1+200.0"},
        {"river": "B", "profile": "50年一遇", "n_overtopped": 0, "freeboard_m_min": 0.8,
         "freeboard_at": "K0+000.0"},
    ]  # fmt: skip
    said = {
        "schemes": [],
        "by_verdict": [],
        "least_said": {},
        "said": [],
        "warnings": [],
        "campaign": [],
    }
    (tmp_path / "summary.json").write_text(json.dumps(said | {"flood": flood}), "utf-8")
    assert summary_lines(tmp_path) == [
        "设计方案漫顶:A 50年一遇,3 个断面水位高于岸顶,最低超高 -0.42 m(K1+200.0)。"
    ]
