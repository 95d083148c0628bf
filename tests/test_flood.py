"""Rise, freeboard, encroachment, and buildings as obstacles."""

import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from conftest import building_frame, river_frame


def compound(stations=9, spacing=50.0, slope=0.001, river="A"):
    """A channel 20 m wide between overbanks 60 m wide."""
    x = np.arange(stations) * spacing
    offsets = [-70.0, -70, -10, -10, 10, 10, 70, 70]
    ground = np.array([9.0, 3, 3, 0, 0, 3, 3, 9])
    parts = [
        pd.DataFrame(
            {"river": river, "chainage_m": c, "offset_m": offsets,
             "elevation_m": ground + (x[-1] - c) * slope, "n": [0.06, 0.06, 0.03, 0.03, 0.03, 0.06, 0.06, 0.06]}
        )
        for c in x
    ]  # fmt: skip
    banks = pd.DataFrame(
        {"river": river, "chainage_m": x, "left_bank_m": -10.0, "right_bank_m": 10.0}
    )
    return pd.concat(parts, ignore_index=True), banks


END = {"slope": 0.001}


def test_nothing_changed_raises_nothing():
    sections, banks = compound()
    found = pg.flood_rise(sections, 150.0, END, after={}, banks=banks)
    columns = ["rise_mm", "energy_rise_mm", "rise_lossless_mm", "energy_rise_lossless_mm"]
    assert np.abs(found[columns].to_numpy()).max() < 1e-6  # 1e-9 m
    assert (found["conveyance_ratio"] == 1).all()


def test_a_house_raises_the_water_upstream_only():
    sections, banks = compound()
    house = pd.DataFrame(
        {"river": "A", "chainage_m": [200.0], "from_offset_m": [15.0], "to_offset_m": [40.0]}
    )
    found = pg.flood_rise(sections, 150.0, END, after={"obstacles": house}, banks=banks)
    found = found.set_index("chainage_m")
    assert (found.loc[250.0:, "rise_mm"].abs() < 1e-6).all()
    assert (found.loc[:150.0, "rise_mm"] > 0.1).all()
    assert (found.loc[:150.0, "energy_rise_mm"] > 0.1).all()
    # the losses of contraction and expansion only add to it
    assert (found.loc[:150.0, "rise_lossless_mm"] < found.loc[:150.0, "rise_mm"]).all()


def test_rise_needs_the_same_sections():
    sections, _ = compound()
    one = pg.water_profile(sections, 50.0, END)
    other = pg.water_profile(sections.assign(chainage_m=sections["chainage_m"] + 1), 50.0, END)
    with pytest.raises(
        pg.errors.HydraulicsError, match=r"sections that the profile before has not \(9: A K0\+001"
    ):
        pg.flood.rise_table(one, other)


def test_freeboard_by_hand():
    sections, banks = compound()
    profile = pg.water_profile(sections, 50.0, {"level_m": 2.0}, banks=banks)
    found = pg.freeboard(profile, sections, banks=banks).iloc[-1]
    assert found["left_top_m"] == 3.0
    assert found["freeboard_right_m"] == pytest.approx(1.0)
    levee = banks.assign(right_levee_m=20.0, right_levee_top_m=5.0)
    profile = pg.water_profile(sections, 50.0, {"level_m": 2.0}, banks=levee)
    assert pg.freeboard(profile, sections, banks=levee).iloc[-1][
        "freeboard_right_m"
    ] == pytest.approx(3.0)


@pytest.mark.parametrize("target", [0.1, 0.3])
def test_method_4_keeps_the_conveyance_at_the_target_level(target):
    sections, banks = compound()
    natural = pg.water_profile(sections, 250.0, END, banks=banks)
    walls = pg.flood.encroachments(sections, 250.0, END, banks=banks, target_rise_m=target)
    at = natural.assign(level_m=natural["level_m"] + target)[["river", "chainage_m", "level_m"]]
    inside = pg.flood.section_properties(sections, at, banks=walls.drop(columns="rise_m"))
    assert inside["conveyance_m3s"].to_numpy() == pytest.approx(
        natural["conveyance_m3s"].to_numpy(), rel=1e-4
    )
    # symmetric ground: as much from either side
    assert walls["left_wall_m"].to_numpy() == pytest.approx(
        -walls["right_wall_m"].to_numpy(), abs=0.01
    )
    assert (walls["right_wall_m"] >= 10.0).all()


def test_method_5_reaches_the_target():
    sections, banks = compound(stations=5)
    walls = pg.flood.encroachments(
        sections, 250.0, {"level_m": 4.2}, banks=banks, target_rise_m=0.2, method=5,
        downstream_after={"level_m": 4.4},
    )  # fmt: skip
    assert walls["rise_m"].to_numpy() == pytest.approx(0.2, abs=0.003)


def test_encroachment_needs_banks_and_a_single_flood():
    sections, banks = compound(stations=3)
    with pytest.raises(pg.errors.HydraulicsError, match="lacks the channel's ends"):
        pg.flood.encroachments(sections, 250.0, END, banks=banks.head(2), target_rise_m=0.2)
    flows = pd.DataFrame({"profile": ["a", "b"], "discharge_m3s": [100.0, 200.0]})
    with pytest.raises(pg.errors.HydraulicsError, match="several floods or schemes"):
        pg.flood.encroachments(sections, flows, END, banks=banks, target_rise_m=0.2)


@pytest.fixture
def houses():
    return building_frame(
        {
            "crossed": shapely.box(195, -30, 205, -20),  # right bank: south of a river to the east
            "between": shapely.box(220, -40, 228, -25),
            "far": shapely.box(200, -200, 210, -190),
            "left": shapely.box(90, 15, 110, 25),
            "two": shapely.MultiPolygon(
                [shapely.box(298, 12, 302, 14), shapely.box(298, 20, 302, 24)]
            ),
        }
    )


def test_what_houses_block(houses):
    sections, _ = compound()
    rivers = river_frame({"A": [(0, 0), (1000, 0)]})
    found = pg.building_obstacles(houses, sections, rivers)
    rows = found.set_index("building_id")
    assert rows.loc[
        "crossed", ["chainage_m", "from_offset_m", "to_offset_m", "moved_m"]
    ].tolist() == [200, 20, 30, 0]
    assert rows.loc["between", ["chainage_m", "from_offset_m", "to_offset_m"]].tolist() == [
        200,
        25,
        40,
    ]
    assert rows.loc["between", "moved_m"] == pytest.approx(20.0, abs=4)
    assert "far" not in rows.index
    assert rows.loc["left", "to_offset_m"] == pytest.approx(-15)
    assert sorted(rows.loc["two", "to_offset_m"]) == pytest.approx([-20, -12])


def test_alone_and_together(houses):
    sections, banks = compound()
    rivers = river_frame({"A": [(0, 0), (1000, 0)]})
    given = {"banks": banks, "rivers": rivers}
    found = pg.building_rises(houses, sections, 250.0, END, allowed_mm=1e6, **given)
    assert found["joint"].all()
    assert found.loc["far", ["rise_alone_mm", "n_sections"]].tolist() == [0, 0]
    alone = found["rise_alone_mm"]
    assert (alone.drop("far") > 0).all()
    # the same as one profile with all of them, which shares no code with the search
    everything = pg.building_obstacles(houses, sections, rivers)
    rise = pg.flood_rise(sections, 250.0, END, after={"obstacles": everything}, banks=banks)
    assert found["rise_joint_mm"].max() == pytest.approx(rise["rise_mm"].max(), abs=1e-6)
    limit = float(alone.max())
    tight = pg.building_rises(houses, sections, 250.0, END, allowed_mm=limit, **given)
    assert not tight["joint"].all()
    assert tight.loc[tight["joint"], "rise_joint_mm"].max() <= limit
    kept = pg.building_obstacles(houses[tight["joint"]], sections, rivers)
    rise = pg.flood_rise(sections, 250.0, END, after={"obstacles": kept}, banks=banks)
    assert rise["rise_mm"].max() <= limit + 1e-6


def test_houses_that_no_section_tells_of_have_no_rise(houses):
    """Retained by 0 mm they would be on no evidence at all."""
    sections, banks = (t.assign(chainage_m=t["chainage_m"] + 100) for t in compound())
    end = float(sections["offset_m"].max())
    more = building_frame({
        "beside": shapely.box(300, -end - 30, 310, -end - 10),
        "over the end": shapely.box(300, -end - 5, 310, -end + 5),
        "above": shapely.box(60, -30, 70, -20), "below": shapely.box(530, -30, 540, -20),
        "another river's": shapely.box(500, 880, 510, 890),
    })  # fmt: skip
    rivers = river_frame({"A": [(0, 0), (1000, 0)], "B": [(0, 900), (1000, 900)]})
    both = pd.concat([houses, more])
    outside = ["left", "above", "below", "another river's"]
    both.loc["left", "geometry"] = shapely.box(70, 15, 90, 25)

    def untold(q):
        found = pg.building_rises(both, sections, q, END, rivers, banks=banks, allowed_mm=1e6)
        told = found["rise_joint_high_mm"].notna()
        assert (told == found["joint"]).all()
        assert (told == ~found["doubts"].str.contains("unsurveyed")).all()
        return told.index[~told].tolist()

    assert untold(250.0) == outside
    # high enough to stand above the ends of all sections
    flood = next(q for q in 250.0 * 2.0 ** np.arange(12)
                 if pg.water_profile(sections, q, END, banks=banks)["depth_m"].min() > 9)  # fmt: skip
    assert untold(flood) == ["far", "left", "beside", "over the end", *outside[1:]]


def test_houses_over_covered_reaches_have_no_rise(houses):
    sections, banks = compound()
    rivers = river_frame({"A": [(0, 0), (1000, 0)]})
    given = {"banks": banks, "allowed_mm": 1e6}
    there, channel = sections["chainage_m"] == 200, sections["offset_m"].abs() <= 10
    for under, wanted in ((there, ["crossed", "between"]), (there & channel, [])):
        roof = sections["elevation_m"].where(under) * 0 + 12.0
        lidded = pg.building_rises(
            houses, sections.assign(lid_m=roof, n_lid=0.015), 250.0, END, rivers, **given
        )
        covered = lidded["doubts"].str.contains("covered")
        assert covered.index[covered].tolist() == wanted
        assert lidded["rise_alone_mm"].isna().tolist() == covered.tolist()
    # a culvert between sections, with a house on it and one that stands out of it
    barrel = pd.DataFrame(
        {"river": "A", "chainage_m": 225.0, "kind": "culvert", "shape": "box", "span_m": 18.0,
         "rise_m": 5.0, "length_m": 20.0, "barrels": 2, "invert_up_m": 0.3, "invert_down_m": 0.25},
        index=pd.Index(["涵"], name="structure_id"),
    )  # fmt: skip
    there = pd.concat([houses, building_frame({"mouth": shapely.box(210, -40, 222, -25)})])
    culvert = pg.building_rises(there, sections, 250.0, END, rivers, structures=barrel, **given)
    covered = culvert["doubts"].str.contains("covered")
    assert covered.index[covered].tolist() == ["between"]


def test_dry_houses_raise_nothing(houses):
    sections, banks = compound()
    rivers = river_frame({"A": [(0, 0), (1000, 0)]})
    found = pg.building_rises(houses, sections, 40.0, END, rivers, banks=banks, allowed_mm=1.0)
    assert (found["rise_alone_mm"] == 0).all()
    assert found["joint"].all()


def test_houses_dry_by_the_own_coefficients_may_be_wet_in_their_band(houses):
    """They were told to raise nothing, with any n and any losses."""
    sections, banks = compound()
    rivers = river_frame({"A": [(0, 0), (1000, 0)]})
    pier = pd.DataFrame(
        {"river": "A", "chainage_m": [300.0, 350.0], "from_offset_m": -4.0, "to_offset_m": 4.0}
    )
    given = {"banks": banks, "allowed_mm": 1e6, "obstacles": pier}
    rough = sections.assign(n=sections["n"] * 1.1)
    by_losses, by_n = False, False
    for q in (82.0, 88.5):
        flood = (q, END, rivers)
        own = pg.building_rises(houses, sections, *flood, losses=(), **given)
        told = pg.building_rises(houses, sections, *flood, roughness_share=0.1, **given)
        more = pg.building_rises(houses, rough, *flood, losses=(), **given)
        for column in ("alone", "joint"):
            alone = own[f"rise_{column}_mm"], more[f"rise_{column}_mm"]
            high = told[f"rise_{column}_high_mm"]
            assert (high >= np.maximum(*alone) - 1e-6).all()
        assert (told["rise_rough_high_mm"] >= more["rise_alone_mm"] - 1e-6).all()
        pairs = [
            pg.building_rises(
                houses, sections, *flood, losses=(), contraction=c, expansion=e, **given
            )
            for c, e in ((0.0, 0.0), (0.3, 0.5), (0.6, 0.8))
        ]
        most = np.max([own["rise_alone_mm"], *(t["rise_alone_mm"] for t in pairs)], axis=0)
        assert (told["rise_alone_high_mm"] >= most - 1e-6).all()
        dry = own["rise_alone_mm"] == 0
        # what nothing rises at has no place
        risen = told["rise_alone_mm"] > 1e-3
        assert (told["rise_at_m"].notna() == risen).all()
        assert (told["rise_river"].notna() == risen).all()
        by_losses |= bool((dry & (pairs[-1]["rise_alone_mm"] > 0.1)).any())
        by_n |= bool((dry & (more["rise_alone_mm"] > 0.01)).any())
    assert by_losses
    assert by_n


def test_water_of_the_band_above_a_section_s_end_leaves_houses_beyond_it_untold():
    sections, banks = compound()
    ends = sections["elevation_m"] - sections.groupby("chainage_m")["elevation_m"].transform("min")
    sections = sections[ends < 8]  # the overbank's flat ends it
    rivers = river_frame({"A": [(0, 0), (1000, 0)]})
    beyond = building_frame({"beyond": shapely.box(195, -90, 205, -75)})
    given = {"banks": banks, "allowed_mm": 10.0, "losses": ()}
    flood = next(
        q for q in np.arange(100.0, 120.0, 0.5)
        if 2.9 < pg.water_profile(sections, q, END, banks=banks)["depth_m"].max() < 2.98
    )  # fmt: skip
    dry = pg.building_rises(beyond, sections, flood, END, rivers, **given)
    assert dry.loc["beyond", ["rise_alone_mm", "doubts"]].tolist() == [0, ""]
    told = pg.building_rises(beyond, sections, flood, END, rivers, roughness_share=0.1, **given)
    assert "unsurveyed" in told.loc["beyond", "doubts"]
    assert np.isnan(told.loc["beyond", "rise_alone_mm"])
    assert not told.loc["beyond", "joint"]


def test_near_critical_floods_give_no_rise(houses):
    sections, banks = compound(slope=0.02)
    rivers = river_frame({"A": [(0, 0), (1000, 0)]})
    found = pg.building_rises(
        houses, sections, 250.0, {"slope": 0.02}, rivers, banks=banks, allowed_mm=10
    )
    near = found["n_sections"] > 0
    assert found.loc[near, "rise_alone_mm"].isna().all()
    assert not found.loc[near & (found.index != "far"), "joint"].any()


def test_a_covered_section_has_no_bank_and_no_freeboard():
    """The middle of a pipe's side was its bank, and water above it overtopped it."""
    turn = np.linspace(np.pi, 3 * np.pi, 33)
    at = np.array([0.0, 50.0, 100.0])
    pipe = pd.concat([
        pd.DataFrame({
            "river": "A", "chainage_m": c, "offset_m": np.round(2 * np.cos(turn), 6),
            "elevation_m": np.round(2 + 2 * np.sin(turn) + 0.001 * (100 - c), 6), "n": 0.015,
        }) for c in at
    ], ignore_index=True)  # fmt: skip
    found = pg.freeboard(pg.water_profile(pipe, 10.0, END), pipe)
    assert found.filter(regex="top|freeboard").isna().all(axis=None)
    # a cover from wall to wall, and one over the channel alone
    sections, banks = compound()
    inside = sections["offset_m"].abs() <= 10
    for under, lost in ((sections["offset_m"].abs() <= 70, True), (inside, False)):
        roof = sections["elevation_m"].where(under) * 0 + 12.0
        covered = sections.assign(lid_m=roof, n_lid=0.015)
        top = pg.freeboard(pg.water_profile(covered, 50.0, END), covered)
        assert (top["left_top_m"].isna() == lost).all()
        assert (top["freeboard_right_m"].isna() == lost).all()
    # the banks of the channel lie under the second
    assert pg.freeboard(
        pg.water_profile(covered, 50.0, END, banks=banks), covered, banks=banks
    )["left_top_m"].isna().all()  # fmt: skip


def test_freeboard_of_several_schemes_is_that_of_each():
    sections, banks = compound()
    higher = sections["elevation_m"] + 1.5 * (sections["offset_m"].abs() == 70)
    both = pd.concat([sections.assign(scheme="a"), sections.assign(scheme="b", elevation_m=higher)])
    profile = pg.water_profile(both, 250.0, END, banks=banks)
    shuffled = profile.sample(frac=1, random_state=1)
    found = pg.freeboard(shuffled, both)
    assert found.index.equals(shuffled.index)
    for name in "ab":
        mine = both["scheme"] == name
        alone = pg.freeboard(profile[profile["scheme"] == name], both[mine])
        pd.testing.assert_frame_equal(found[found["scheme"] == name].sort_index(), alone)
    assert (found[found["scheme"] == "b"]["left_top_m"] > 10.5 - 1e-9).all()
    with pytest.raises(pg.errors.HydraulicsError, match="the profile says none"):
        pg.freeboard(profile.drop(columns="scheme"), both)


@pytest.mark.parametrize("reach", [20.0, 90.0])
def test_sections_of_the_main_river_over_a_house_do_not_clear_it_out_of_its_creek(reach):
    """It stood in the main river's long section only; a house past the creek's last one does."""
    rivers = river_frame({"main": [(0, 0), (1000, 0)], "creek": [(0, 60), (900, 60)]})
    sections = pd.concat([
        pd.DataFrame({"river": name, "chainage_m": np.repeat(at, 2),
                      "offset_m": np.tile([-wide, wide], len(at))})
        for name, at, wide in (("main", np.arange(0, 1001, 50.0), reach),
                               ("creek", np.arange(25.0, 801, 100), 12.0))
    ])  # fmt: skip
    houses = building_frame({
        "between": shapely.box(145, 63, 160, 70), "crossed": shapely.box(120, 63, 130, 70),
        "past": shapely.box(845, 63, 860, 70), "far": shapely.box(295, 5, 310, 12),
    })  # fmt: skip
    found = pg.building_obstacles(houses, sections, rivers)
    creek = found[found["river"] == "creek"].set_index("building_id")
    both = creek.loc[["between", "crossed"]]
    assert both["chainage_m"].tolist() == [125.0, 125.0]
    assert both["from_offset_m"].tolist() == pytest.approx([-10.0, -10.0])
    assert both["to_offset_m"].tolist() == pytest.approx([-3.0, -3.0])
    main = found[found["river"] == "main"].set_index("building_id")
    assert set(main.index) == ({"between", "past", "far"} if reach > 70 else {"far"})
    assert main.loc["far", "moved_m"] == 0
    if reach > 70:
        assert main.loc["between", ["from_offset_m", "to_offset_m"]].tolist() == [-70.0, -63.0]
        assert "past" not in creek.index
