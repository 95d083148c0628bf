"""What a water profile says of itself: blocked sections, tributaries, feet read as metres."""

import warnings

import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from conftest import building_frame, river_frame


def channel(river="主", length=1000.0, foot=0.0, **more):
    """A channel 20 m wide and 8 m deep that falls 1 in 1,000 to its foot."""
    at = np.arange(0.0, length + 1, 100.0)
    bed = foot + (length - at) / 1000
    given = {"left_m": 10.0, "right_m": 10.0, "bank_level_m": bed + 8, "n": 0.03} | more
    table = pd.DataFrame({"river": river, "chainage_m": at, "bed_level_m": bed})
    return pg.design_sections(table.assign(**given))


def says(found, word):
    """Chainages that a doubt is said of."""
    return found.loc[found["doubts"].str.split(",").map(set(word).issubset), "chainage_m"].tolist()


def wall(a, b, **more):
    return pd.DataFrame(
        {"river": ["主"], "chainage_m": [500.0], "from_offset_m": [a], "to_offset_m": [b]}
    ).assign(**more)


@pytest.mark.parametrize(
    ("obstacle", "said"),
    [
        pytest.param(wall(-50.0, 50.0, top_m=6.0), [500.0], id="closed to 6 m"),
        pytest.param(
            pd.concat([wall(-50.0, 1.0, top_m=6.0), wall(1.0, 50.0, top_m=7.0)]), [500.0],
            id="closed by two",
        ),
        pytest.param(wall(-8.0, 8.0, top_m=6.0), [], id="open on both sides"),
        pytest.param(wall(-50.0, 50.0, top_m=0.7), [], id="silt on the bed"),
    ],
)  # fmt: skip
def test_a_blocked_section_is_said(obstacle, said):
    found = pg.water_profile(channel(), 50.0, {"level_m": 3.0}, obstacles=obstacle)
    assert says(found, ["blocked"]) == said


def test_a_section_that_is_closed_for_good_is_refused():
    with pytest.raises(pg.errors.HydraulicsError, match=r"closed from bank to bank.*K0\+500"):
        pg.water_profile(channel(), 50.0, {"level_m": 3.0}, obstacles=wall(-50.0, 50.0))
    pg.water_profile(channel(), 50.0, {"level_m": 3.0}, obstacles=wall(-50.0, 8.0))


def joined(**flows):
    """Two rivers; the second joins the first at its middle."""
    sections = pd.concat([channel(), channel("支", 300.0, 1.0)])
    downstream = pd.DataFrame(
        {"river": ["主", "支"], "level_m": [3.0, np.nan], "joins": [None, "主"],
         "joins_at_m": [np.nan, 450.0]}
    )  # fmt: skip
    return pg.water_profile(sections, pd.DataFrame(flows), downstream)


def test_a_discharge_that_does_not_grow_below_a_tributary_is_said():
    flat = joined(river=["主", "支"], discharge_m3s=[50.0, 20.0])
    assert says(flat, ["tributary"]) == [500.0, 600.0, 700.0, 800.0, 900.0, 1000.0]
    late = joined(
        river=["主", "主", "支"], chainage_m=[np.nan, 800.0, np.nan], discharge_m3s=[50, 70, 20]
    )
    assert says(late, ["tributary"]) == [500.0, 600.0, 700.0]
    less = joined(
        river=["主", "主", "支"], chainage_m=[np.nan, 500.0, np.nan], discharge_m3s=[50, 40, 20]
    )
    assert 500.0 in says(less, ["tributary"])
    for at in (400.0, 450.0, 500.0):
        grows = joined(
            river=["主", "主", "支"], chainage_m=[np.nan, at, np.nan], discharge_m3s=[50, 70, 20]
        )
        assert says(grows, ["tributary"]) == []


def test_only_the_flood_that_does_not_grow_is_doubted():
    found = joined(
        river=["主", "主", "主", "支", "支"],
        chainage_m=[np.nan, 450.0, np.nan, np.nan, np.nan],
        profile=["20", "20", "5", "20", "5"],
        discharge_m3s=[50.0, 70.0, 30.0, 20.0, 10.0],
    )
    assert set(found.loc[found["doubts"].str.contains("tributary"), "profile"]) == {"5"}


@pytest.mark.parametrize(
    ("change", "doubted"),
    [
        pytest.param({}, False, id="as it is"),
        pytest.param({"n": 0.0003}, True, id="n in thousandths"),
        pytest.param({"n": 30.0}, True, id="Strickler's k as n"),
        pytest.param({"foot": 8000.0}, True, id="a plateau in feet"),
        pytest.param({"foot": 4500.0}, False, id="a plateau in metres"),
    ],
)
def test_what_cannot_be_metres_is_doubted(change, doubted):
    found = pg.water_profile(channel(**change), 50.0, {"slope": 0.001})
    assert found["doubts"].str.contains("implausible").all() == doubted
    assert found["doubts"].str.contains("implausible").any() == doubted


def test_cubic_feet_and_kilometres_are_doubted():
    fast = pg.water_profile(channel(left_m=3.0, right_m=3.0), 50.0 * 35.31, {"slope": 0.1})
    assert fast["doubts"].str.contains("implausible").any()
    steep = channel().assign(chainage_m=lambda t: t["chainage_m"] / 1000 * 3)
    found = pg.water_profile(steep, 50.0, {"slope": 0.001})
    assert found["doubts"].str.contains("implausible").all()


def test_a_search_without_nodes_says_why():
    rivers = river_frame({"A": [(0, 0), (400, 0)]})
    widths = pd.DataFrame({"river": "A", "chainage_m": [0.0, 400.0], "left_m": 10.0,
                           "right_m": 10.0})  # fmt: skip
    limits = {"inward_m": 2.0, "outward_m": 1.0, "step_m": 0.5, "taper": 0.1}
    at = np.arange(0.0, 401.0, 20.0)

    def why(house, fall, flow=70.0, deep=4.0):
        bed = fall * (400 - at)
        table = pd.DataFrame({"river": "A", "chainage_m": at, "bed_level_m": bed, "n": 0.028,
                              "left_m": 8.0, "right_m": 8.0, "bank_level_m": bed + deep})  # fmt: skip
        found = pg.least_demolition_within_rise(
            rivers, widths, building_frame({"B": house}, floors=2), pg.design_sections(table), flow,
            {"slope": fall}, limits, allowed_mm=20,
            rates=pd.DataFrame({"building_yuan_m2": [1000.0]}),
        )  # fmt: skip
        assert found.certificate["n_nodes"].tolist() == [0]
        return next(t for t in found.summary() if "没有可寻优的节点" in t)

    assert "没有建筑" in why(shapely.box(100, 80, 120, 90), 0.002)
    assert "未涉及建筑" in why(shapely.box(100, 10.5, 120, 20), 0.002)
    assert "流速过快" in why(shapely.box(180, 9, 200, 20), 0.03)
    assert "K0+" in why(shapely.box(180, 9, 200, 20), 0.03)


def test_estimated_floor_areas_are_said_once_a_call():
    """Two rivers, four houses each in the line, without floor areas: one notice, of all eight."""
    rivers = river_frame({"A": [(0, 0), (400, 0)], "B": [(0, 500), (400, 500)]})
    shapes = {f"{r}{k}": shapely.box(60 + 40 * k, y + 8, 75 + 40 * k, y + 20)
              for r, y in (("A", 0), ("B", 500)) for k in range(4)}  # fmt: skip
    houses = building_frame(shapes, floors=2).drop(columns="floor_area_m2", errors="ignore")
    widths = pd.DataFrame({"river": list("AABB"), "chainage_m": [0.0, 400.0] * 2,
                           "left_m": 10.0, "right_m": 10.0})  # fmt: skip
    rates = pd.DataFrame({"building_yuan_m2": [1000.0]})
    lines = {"a": pg.red_line(rivers, 10.0), "b": pg.red_line(rivers.loc[["A"]], 10.0)}
    limits = {"inward_m": 4, "outward_m": 4, "step_m": 0.5, "spacing_m": 10}
    calls = {
        "compare": lambda: pg.compare(lines, houses, rivers),
        "least_demolition": lambda: pg.least_demolition(rivers, widths, houses, limits,
                                                        rates=rates),
        "affected": lambda: pg.affected(houses, lines["a"], rivers),
    }  # fmt: skip
    for name, call in calls.items():
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            call()
        texts = [str(w.message) for w in said]
        # a search says of its reach what the line says of what it takes: once each, of both rivers
        of_reach = [
            t for t in texts if "8 of 8 buildings within reach of the search is estimated" in t
        ]
        assert len(of_reach) == (name == "least_demolition"), (name, texts)
        assert len(texts) == 1 + len(of_reach), (name, texts)
        assert sum("8 of 8 buildings is estimated" in t for t in texts) == 1, name
        assert {w.filename for w in said} == {__file__}  # of whoever called
