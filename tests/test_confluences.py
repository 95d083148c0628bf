"""Rivers that join and part, and what holds the water at their ends: faults and laws."""

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import scipy.optimize
import shapely

import pinghu_geo as pg


def river(name, *, bed=0.0, count=3):
    at = np.arange(count) * 50.0
    return pg.design_sections(pd.DataFrame({
        "river": name, "chainage_m": at, "bed_level_m": bed + 0.0005 * (at[-1] - at),
        "left_m": 6.0, "right_m": 6.0, "bank_level_m": 8.0, "n": 0.03,
    }))  # fmt: skip


SECTIONS = pd.concat([river("a", bed=0.3), river("b", bed=0.3), river("c")], ignore_index=True)
FLOWS = pd.DataFrame({"river": ["a", "b", "c"], "discharge_m3s": [20.0, 15.0, 35.0]})
END = pd.DataFrame({"river": ["c"], "slope": [0.0005]})
JUNCTION = pd.DataFrame({
    "junction": "J", "river": ["a", "b", "c"], "role": ["in", "in", "out"],
    "length_m": [30.0, 40.0, np.nan], "angle_deg": [30.0, 45.0, np.nan], "method": "momentum",
})  # fmt: skip


def levels(junction=JUNCTION, *, sections=SECTIONS, end=END, flows=FLOWS):
    found = pg.water_profile(sections, flows, end, junctions=junction)
    return found.set_index([c for c in ("scheme", "river", "chainage_m") if c in found])["level_m"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"junction": ["J", None, "J"]}, "rows without a junction or a river.*: 1"),
        ({"river": ["a", None, "c"]}, "rows without a junction or a river.*: 1"),
        ({"river": ["a", "x", "c"]}, "names rivers that have no sections.*: x"),
        ({"river": ["a", "b", "x"]}, "names rivers that have no sections.*: x"),
        ({"river": ["a", "a", "c"]}, "has a river twice.*: a"),
        ({"angle_deg": [-9999.0, 45.0, np.nan]}, "angles outside of 0 to 90 degrees.*: J a"),
        ({"angle_deg": [30.0, 120.0, np.nan]}, "angles outside of 0 to 90 degrees.*: J b"),
        ({"angle_deg": [30.0, 181.0, 0.0], "method": "energy"}, "outside of 0 to 180.*: J b"),
        ({"angle_deg": [90.0, 90.0, np.nan]}, "finds no level at which the momentum"),
        ({"method": ["energy", "momentum", None]}, "says energy and momentum in method.*: J"),
        ({"friction": [True, False, None]}, "says True and False in friction.*: J"),
    ],
)
def test_junctions_that_cannot_be_are_named(change, words):
    with pytest.raises(pg.errors.HydraulicsError, match=words) as caught:
        levels(JUNCTION.assign(**change))
    assert caught.value.layer == "junctions"
    assert caught.value.hint


PARTING = pd.concat(
    [river("up", bed=0.3), river("a", count=4), river("b", count=4)], ignore_index=True
)
PARTS = pd.DataFrame({"junction": "J", "river": ["up", "a", "b"], "role": ["in", "out", "out"],
                      "length_m": [np.nan, 30.0, 30.0]})  # fmt: skip
PARTED_ENDS = pd.DataFrame({"river": ["a", "b"], "slope": 0.0005})
WEIR_IN_A = pd.DataFrame({"river": "a", "chainage_m": 75.0, "kind": "weir", "crest_m": [1.5]},
                         index=pd.Index(["W"], name="structure_id"))  # fmt: skip


@pytest.mark.parametrize("method", ["energy", "momentum"])
def test_branches_that_ask_for_different_energies_are_doubted_with_how_different(method):
    found = pg.water_profile(
        PARTING, pd.DataFrame({"river": ["up", "a", "b"], "discharge_m3s": [40.0, 20.0, 20.0]}),
        PARTED_ENDS, junctions=PARTS.assign(method=method), structures=WEIR_IN_A,
    )  # fmt: skip
    assert found["doubts"].str.contains("split").all()
    up = found[found["river"] == "up"]
    assert (found["unsure_m"].notna() == (found["river"] == "up")).all()
    row = up.iloc[-1]
    asked = [energy_asked_across(found[found["river"] == name].iloc[0]) for name in ("a", "b")]
    if method == "energy":
        assert row["energy_m"] == pytest.approx(asked[0], abs=1e-6)

    def less(y):
        return 0.3 + y + velocity_head(y) - (row["energy_m"] - (asked[0] - asked[1]))

    lower = 0.3 + scipy.optimize.brentq(less, 1.1, 9.0, xtol=1e-12)
    assert row["unsure_m"] == pytest.approx(row["level_m"] - lower, abs=1e-6)
    assert (np.diff(up["unsure_m"]) > 0).all()  # less is left of it upstream


@pytest.mark.parametrize("joined", ["at a junction", "on its way"])
def test_rivers_that_flow_into_one_that_parts_oddly_are_doubted_by_what_is_left_there(joined):
    """As two profiles differ of which the lower end is held that much lower; not above a fall."""
    sections = pd.concat([
        PARTING, river("t", bed=0.55, count=5), river("falls", bed=5.0), river("far", bed=5.9),
    ], ignore_index=True)  # fmt: skip
    flows = pd.DataFrame({"river": ["up", "a", "b", "t", "falls", "far"],
                          "discharge_m3s": [40.0, 20.0, 20.0, 25.0, 15.0, 15.0]})  # fmt: skip
    above = pd.DataFrame({
        "junction": ["K", "K", "K", "L", "L"], "river": ["t", "falls", "up", "far", "falls"],
        "role": ["in", "in", "out", "in", "out"], "length_m": [20.0, 20.0, np.nan, 20.0, 20.0],
    })  # fmt: skip
    ends, more = PARTED_ENDS, [PARTS, above]
    if joined == "on its way":
        into = pd.DataFrame({"river": ["t", "falls"], "joins": ["up", None],
                             "joins_at_m": [50.0, np.nan], "level_m": [np.nan, 7.0]})  # fmt: skip
        ends, more = pd.concat([ends, into], ignore_index=True), [PARTS, above[3:]]
    given = {"junctions": pd.concat(more, ignore_index=True)}
    found = pg.water_profile(sections, flows, ends, structures=WEIR_IN_A, **given)
    split = found["doubts"].str.contains("split")
    assert (split == ~found["river"].isin(["falls", "far"])).all()
    own = found["river"].isin(["up", "t"])
    assert (found["unsure_m"].notna() == own).all()
    low = found[found["river"] == "up"].iloc[-1]
    held = []
    rest = given["junctions"][~given["junctions"]["river"].isin(["a", "b"])]
    for level in (low["level_m"], low["level_m"] - low["unsure_m"]):
        end = pd.concat([pd.DataFrame({"river": ["up"], "level_m": [level]}), ends[2:]])
        held.append(pg.water_profile(
            sections[~sections["river"].isin(["a", "b"])], flows, end,
            junctions=rest[rest["junction"] != "J"],
        ).query("river in ['up', 't']")["level_m"])  # fmt: skip
    np.testing.assert_allclose(found.loc[own, "unsure_m"], held[0] - held[1], atol=1e-6)


def velocity_head(y, q=40.0):
    return (q / (12 * y)) ** 2 / (2 * 9.81)


def energy_asked_across(top, q=40.0):
    """By hand: 30 m of a channel 12 m wide with vertical walls, which parts there."""
    bed, g = 0.3, 9.81

    def head(y):
        return velocity_head(y, q)

    def off(y):
        k = 12 * y * (12 * y / (12 + 2 * y)) ** (2 / 3) / 0.03
        slope = ((q + top["discharge_m3s"]) / (k + top["conveyance_m3s"])) ** 2
        change = head(y) - (top["energy_m"] - top["level_m"])
        lost = 30 * slope + (0.3 if change > 0 else 0.1) * abs(change)
        return bed + y + head(y) - top["energy_m"] - lost

    y = scipy.optimize.brentq(off, (q**2 / g / 144) ** (1 / 3) * 1.01, 9.0, xtol=1e-12)
    return bed + y + head(y)


def test_a_house_at_a_parting_of_energies_apart_has_no_rise():
    rivers = gpd.GeoDataFrame(
        index=pd.Index(["up", "a", "b"], name="river"), crs=4547,
        geometry=[shapely.LineString(line) for line in (
            [(0, 0), (100, 0)], [(130, 0), (280, 0)], [(100, -30), (100, -180)],
        )],
    )  # fmt: skip
    houses = gpd.GeoDataFrame(
        index=pd.Index(["above", "in b"], name="building_id"), crs=4547,
        geometry=[shapely.box(40, 3, 60, 5), shapely.box(103, -90, 105, -70)],
    )  # fmt: skip
    flows = pd.DataFrame({"river": ["up", "a", "b"], "discharge_m3s": [40.0, 20.0, 20.0]})

    def rises(structures):
        return pg.building_rises(houses, PARTING, flows, PARTED_ENDS, rivers, allowed_mm=20.0,
                                 losses=(), junctions=PARTS, structures=structures)  # fmt: skip

    assert (rises(None)["rise_alone_mm"] > 1.0).all()
    doubted = rises(WEIR_IN_A)
    assert doubted["doubts"].str.contains("split").all()
    assert doubted["rise_alone_mm"].isna().all()


def test_rises_beside_a_river_that_no_junction_names_are_those_of_each_alone():
    """A second system of rivers was refused: junctions name rivers that it has not."""
    lines = {"up": [(0, 0), (100, 0)], "a": [(130, 0), (280, 0)], "b": [(100, -30), (100, -180)],
             "alone": [(0, 500), (100, 500)]}  # fmt: skip
    rivers = gpd.GeoDataFrame(
        index=pd.Index(list(lines), name="river"), crs=4547,
        geometry=[shapely.LineString(line) for line in lines.values()],
    )  # fmt: skip
    houses = gpd.GeoDataFrame(
        index=pd.Index(["above", "beside"], name="building_id"), crs=4547,
        geometry=[shapely.box(40, 3, 60, 5), shapely.box(40, 503, 60, 505)],
    )  # fmt: skip
    other = river("alone")
    flows = pd.DataFrame({"river": list(lines), "discharge_m3s": [40.0, 20.0, 20.0, 30.0]})
    ends = pd.DataFrame({"river": ["a", "b", "alone"], "slope": 0.0005})

    def rises(sections, who, junctions):
        names = sections["river"].unique()
        return pg.building_rises(
            houses.loc[who], sections, flows[flows["river"].isin(names)],
            ends[ends["river"].isin(names)], rivers, allowed_mm=20.0, losses=(),
            junctions=junctions,
        )["rise_alone_mm"]  # fmt: skip

    both = rises(pd.concat([PARTING, other]), ["above", "beside"], PARTS)
    each = pd.concat([rises(PARTING, ["above"], PARTS), rises(other, ["beside"], None)])
    assert (both > 1.0).all()
    pd.testing.assert_series_equal(both, each)


def test_only_the_flood_that_parts_wrongly_is_doubted():
    flows = pd.DataFrame({
        "river": ["up", "a", "b"] * 2, "profile": ["half"] * 3 + ["given"] * 3,
        "discharge_m3s": [40.0, 20.0, 20.0, 40.0, 28.0, 12.0],
    })  # fmt: skip
    found = pg.water_profile(PARTING, flows, PARTED_ENDS, junctions=PARTS)
    doubted = found["doubts"].str.contains("split")
    assert (doubted == (found["profile"] == "given")).all()
    half = pg.water_profile(PARTING, flows.head(3), PARTED_ENDS, junctions=PARTS)
    assert "unsure_m" not in half


@pytest.mark.parametrize("begin", [20.0, 33.0, 6.0])
def test_balanced_discharges_leave_no_energies_apart(begin):
    flows = pd.DataFrame({
        "river": ["up", "a", "b"] * 2, "profile": ["flood"] * 3 + ["less"] * 3,
        "discharge_m3s": [40.0, begin, 40.0 - begin, 20.0, 9.0, 11.0],
    })  # fmt: skip
    given = {"junctions": PARTS, "structures": WEIR_IN_A}
    made = pg.flood.balanced_flows(PARTING, flows, PARTED_ENDS, **given)
    q = made.pivot(index="profile", columns="river", values="discharge_m3s")
    np.testing.assert_allclose(q["a"] + q["b"], q["up"], rtol=1e-12)
    assert q["up"].to_dict() == {"flood": 40.0, "less": 20.0}
    assert (q["a"] < q["b"]).all()  # the weir stands in a
    found = pg.water_profile(PARTING, made, PARTED_ENDS, **given)
    assert not found["doubts"].str.contains("split").any()
    for _, one in found.groupby("profile"):
        tops = one.groupby("river", sort=False).first()
        asked = [
            energy_asked_across(tops.loc[name], q=tops["discharge_m3s"]["up"]) for name in "ab"
        ]
        assert asked[0] == pytest.approx(asked[1], abs=0.001)
    again = pg.flood.balanced_flows(PARTING, made, PARTED_ENDS, **given)
    np.testing.assert_allclose(again["discharge_m3s"], made["discharge_m3s"], atol=0.05)


def test_branches_alike_take_half_each_and_what_joins_them_below_stays_theirs():
    flows = pd.DataFrame({
        "river": ["up", "a", "b", "b"], "chainage_m": [np.nan, np.nan, np.nan, 100.0],
        "discharge_m3s": [40.0, 30.0, 10.0, 10.0 + 1e-9],
    })  # fmt: skip
    made = pg.flood.balanced_flows(PARTING, flows, PARTED_ENDS, PARTS)
    assert "profile" not in made
    assert made["river"].tolist() == ["up", "a", "b", "b"]
    assert made["chainage_m"].tolist()[3] == 100.0
    np.testing.assert_allclose(made["discharge_m3s"], [40.0, 20.0, 20.0, 20.0], atol=0.02)
    assert np.diff(made["discharge_m3s"])[-1] == pytest.approx(1e-9, rel=1e-4)


def drop_above(parting):
    """The river above ends on a step 4 m high: its level is critical, whatever is below."""
    return parting.assign(elevation_m=parting["elevation_m"] + 4.0 * (parting["river"] == "up"))


def test_branches_below_a_step_are_held_to_one_energy_too():
    flows = pd.DataFrame({"river": ["up", "a", "b"], "discharge_m3s": [40.0, 30.0, 10.0]})
    sections = drop_above(PARTING)
    found = pg.water_profile(sections, flows, PARTED_ENDS, junctions=PARTS)
    # the river above has its level whatever the branches ask for, but parts oddly at its end
    assert found["doubts"].str.contains("split").tolist() == [False] * 2 + [True] * 9
    assert "unsure_m" not in found
    made = pg.flood.balanced_flows(sections, flows, PARTED_ENDS, PARTS)
    np.testing.assert_allclose(made["discharge_m3s"], [40.0, 20.0, 20.0], atol=0.05)


@pytest.mark.parametrize("joins", ["one", "both"])
def test_what_a_branch_has_less_the_rivers_that_it_flows_into_have_less(joins):
    sections = pd.concat([
        river("up", bed=0.9), river("a", bed=0.3), river("b", bed=0.3), river("t", bed=0.3),
        river("down"),
    ], ignore_index=True)  # fmt: skip
    into = ["a", "t"] if joins == "one" else ["a", "b", "t"]
    below = pd.DataFrame({"junction": "K", "river": [*into, "down"],
                          "role": [*["in"] * len(into), "out"], "length_m": 20.0})  # fmt: skip
    flows = pd.DataFrame({"river": ["up", "a", "b", "t", "down"],
                          "discharge_m3s": [40.0, 30.0, 10.0, 5.0, 35.0]})  # fmt: skip
    ends = pd.DataFrame({"river": ["down", "b"], "slope": 0.0005})
    if joins == "both":
        flows.loc[4, "discharge_m3s"], ends = 45.0, ends.head(1)
    made = pg.flood.balanced_flows(sections, flows, ends, pd.concat([PARTS, below]))
    q = made.set_index("river")["discharge_m3s"]
    assert q["a"] < 25.0
    assert q["a"] + q["b"] == pytest.approx(40.0)
    assert q["t"] == 5.0
    assert q["down"] == pytest.approx(q["a"] + 5.0 if joins == "one" else 45.0)
    found = pg.water_profile(sections, made, ends, junctions=pd.concat([PARTS, below]))
    assert not found["doubts"].str.contains("split").any()


def test_no_split_is_said_to_be_found_where_faster_water_parts():
    flows = pd.DataFrame({"river": ["up", "a", "b"], "discharge_m3s": [40.0, 30.0, 10.0]})
    given = {"upstream": pd.DataFrame({"river": ["up", "a", "b"], "slope": 0.0005})}
    asked = PARTING, flows, PARTED_ENDS, PARTS
    with pytest.raises(pg.errors.HydraulicsError, match="regime='supercritical'") as caught:
        pg.flood.balanced_flows(*asked, regime="supercritical", **given)
    # the cure as it stands
    exec(caught.value.hint, {}, given)
    assert given["regime"] == "mixed"
    found = pg.flood.balanced_flows(*asked, **given)
    assert found["discharge_m3s"].sum() == pytest.approx(80.0)


@pytest.mark.parametrize("stands_in", ["a", "b"])
def test_where_what_a_branch_asks_for_steps_the_split_is_that_at_the_step(stands_in):
    """From the low chord on a bridge is passed under pressure, a metre higher: no split is even."""
    row = {"river": stands_in, "chainage_m": 75.0, "kind": "bridge", "low_chord_m": 1.75,
           "deck_m": 6.0, "from_offset_m": -3.0, "to_offset_m": 3.0, "sluice": 0.25}  # fmt: skip
    given = {"junctions": PARTS, "structures": pd.DataFrame([row], index=["B"])}
    flows = pd.DataFrame({"river": ["up", "a", "b"], "discharge_m3s": [40.0, 20.0, 20.0]})
    with pytest.warns(UserWarning, match=r"a and b ask for energies 0\.\d+ m apart .* split of up"):
        made = pg.flood.balanced_flows(PARTING, flows, PARTED_ENDS, **given)
    other = "ab".replace(stands_in, "")
    q = made.set_index("river")["discharge_m3s"]
    assert q["a"] + q["b"] == pytest.approx(40.0)
    apart = []
    for by in (0.0, 0.001):
        parted = q + pd.Series({"up": 0.0, stands_in: by, other: -by})
        table = parted.rename("discharge_m3s").reset_index()
        found = pg.water_profile(PARTING, table, PARTED_ENDS, **given)
        assert found["doubts"].iloc[2] == "split"
        asked = {
            name: energy_asked_across(found[found["river"] == name].iloc[0])
            for name in (stands_in, other)
        }
        apart.append(asked[stands_in] - asked[other])
        if not by:  # it neither falls short of what the other asks for, nor is it above
            assert found["energy_m"].iloc[2] == pytest.approx(asked[other], abs=1e-6)
    assert apart[0] < -0.1
    assert apart[1] > 0.1


@pytest.mark.parametrize("why", ["a high bed", "a wall"])
def test_a_branch_that_stays_dry_is_left_out_by_the_cure_as_it_stands(why):
    wall = WEIR_IN_A.assign(crest_m=4.9) if why == "a wall" else None
    high = 6.0 * ((PARTING["river"] == "b") & (why == "a high bed"))
    space = {
        "sections": PARTING.assign(elevation_m=PARTING["elevation_m"] + high), "junctions": PARTS,
        "structures": wall, "flows": pd.DataFrame({
            "river": ["up", "a", "b"] * 2, "profile": ["less"] * 3 + ["flood"] * 3,
            "discharge_m3s": [20.0, 5.0, 15.0, 40.0, 28.0, 12.0],
        }),
    }  # fmt: skip

    def balanced():
        asked = (space["sections"], space["flows"], PARTED_ENDS, space["junctions"])
        return pg.flood.balanced_flows(*asked, structures=space["structures"])

    with pytest.raises(pg.errors.HydraulicsError, match="however its discharge parts.*: up") as no:
        balanced()
    exec(no.value.hint, space)
    wet = "b" if why == "a wall" else "a"
    made = balanced()
    assert made["river"].tolist() == ["up", wet]
    assert made["profile"].tolist() == ["less"] * 2
    assert made["discharge_m3s"].tolist() == [20.0, 20.0]
    found = pg.water_profile(
        space["sections"], made, PARTED_ENDS,
        **{name: space[name] for name in ("junctions", "structures")},
    )  # fmt: skip
    assert not found["doubts"].str.contains("split").any()


@pytest.mark.parametrize("case", ["three", "again", "dry"])
def test_splits_that_cannot_be_found_are_named(case):
    sections, junctions, flows, ends = (
        PARTING,
        PARTS,
        {"up": 40.0, "a": 20.0, "b": 20.0},
        ["a", "b"],
    )
    if case == "dry":
        high = sections["elevation_m"] + 6.0 * (sections["river"] == "b")
        sections, words = sections.assign(elevation_m=high), "however its discharge parts.*: up"
    else:
        sections = pd.concat([sections, river("c"), river("d")])
        flows |= {"c": 10.0, "d": 10.0}
    if case == "three":
        words, ends = "parts into 3.*: up", ["a", "b", "c"]
        sections = sections[sections["river"] != "d"]
        junctions = pd.DataFrame({"junction": "J", "river": ["up", "a", "b", "c"],
                                  "role": ["in", "out", "out", "out"], "length_m": 30.0})  # fmt: skip
        flows = {"up": 40.0, "a": 20.0, "b": 10.0, "c": 10.0}
    elif case == "again":
        words, ends = "a branch that parts again.*: up", ["b", "c", "d"]
        more = pd.DataFrame({"junction": "K", "river": ["a", "c", "d"],
                             "role": ["in", "out", "out"], "length_m": 30.0})  # fmt: skip
        junctions = pd.concat([junctions, more], ignore_index=True)
    table = pd.DataFrame({"river": list(flows), "discharge_m3s": list(flows.values())})
    with pytest.raises(pg.errors.HydraulicsError, match=words) as caught:
        pg.flood.balanced_flows(
            sections, table, pd.DataFrame({"river": ends, "slope": 0.0005}), junctions
        )
    assert caught.value.hint


def test_two_junctions_that_one_river_leaves_are_named():
    two = pd.DataFrame({"junction": ["J", "J", "K", "K"], "river": ["a", "c", "b", "c"],
                        "role": ["in", "out"] * 2, "length_m": 20.0})  # fmt: skip
    with pytest.raises(pg.errors.HydraulicsError, match=r"flows into a junction or out.*: c"):
        levels(two)


def test_a_river_that_falls_into_a_junction_has_no_common_level_but_an_energy():
    high = pd.concat([river("a", bed=5.0), river("b", bed=0.3), river("c")], ignore_index=True)
    with pytest.raises(pg.errors.HydraulicsError, match="fall into the water of the others.*: J a"):
        levels(sections=high)
    found = levels(JUNCTION.assign(method="energy"), sections=high)
    assert found["", "b", 100.0] == levels(JUNCTION.assign(method="energy"))["", "b", 100.0]


def test_a_river_has_a_junction_or_a_boundary():
    both = pd.concat([END, pd.DataFrame({"river": ["a"], "level_m": [9.0]})], ignore_index=True)
    with pytest.raises(pg.errors.HydraulicsError, match=r"flow into a junction.*: a"):
        levels(end=both)
    # one boundary for all rivers speaks of those that have no junction
    assert (levels(end={"slope": 0.0005}) == levels()).all()


@pytest.mark.parametrize("method", ["energy", "momentum"])
def test_the_order_of_a_junctions_rows_changes_nothing(method):
    table = JUNCTION.assign(method=[None, method, None])
    assert (levels(table) == levels(table.iloc[::-1])).all()


@pytest.mark.parametrize("method", ["energy", "momentum"])
def test_a_junction_of_no_length_is_one_of_a_hair(method):
    none, hair = (levels(JUNCTION.assign(method=method, length_m=way)) for way in (0.0, 1e-7))
    np.testing.assert_allclose(none, hair, atol=1e-6)


def test_the_weight_of_water_in_a_momentum_junction_by_hand():
    """No length, no friction: both forces and the weight over the step of the beds are one sum."""
    table = JUNCTION.assign(length_m=0.0, angle_deg=[0.0, 60.0, np.nan], friction=False)
    found = levels(table)
    z, below = found["", "a", 100.0], found["", "c", 0.0]

    def force(q, depth):
        return q**2 / (9.81 * 12 * depth) + 12 * depth**2 / 2

    far = below - 0.05
    total = -force(35, far)
    for q, turn in ((20, 1.0), (15, 0.5)):
        total += force(q, z - 0.3) * turn
        total += (0.3 - 0.05) / 2 * 12 * ((z - 0.3) * turn + far * q / 35)
    assert total == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("bed", [1.75, 1.9, 2.0])
def test_a_branch_that_falls_into_a_momentum_junction_does_not_hold_up_the_other(bed):
    """Its bed is under water, its critical level isn't: that was the level of both."""
    high = pd.concat([river("a", bed=0.3), river("b", bed=bed), river("c")], ignore_index=True)
    with pytest.raises(
        pg.errors.HydraulicsError, match="fall into the water of the.*: J b"
    ) as said:
        levels(sections=high)
    cure = {"junctions": JUNCTION.copy()}
    exec(said.value.hint, cure)
    found = levels(cure["junctions"], sections=high)
    assert found["", "c", 0.0] > bed
    assert found["", "b", 100.0] > bed + ((15 / 12) ** 2 / 9.81) ** (1 / 3)
    assert found["", "a", 100.0] == levels(JUNCTION.assign(method="energy"))["", "a", 100.0]


@pytest.mark.parametrize("method", ["energy", "momentum"])
@pytest.mark.parametrize("parts", [False, True])
def test_a_fall_at_a_junction_is_doubted_like_one_between_sections(method, parts):
    """No level balances there: the critical one is taken, and was told within a river only."""
    sections, flows, end, given, top = SECTIONS, FLOWS, END, JUNCTION, "a"
    if parts:
        flows = pd.DataFrame({"river": ["up", "a", "b"], "discharge_m3s": [40.0, 20.0, 20.0]})
        sections, end, given, top = PARTING, PARTED_ENDS, PARTS, "up"
    higher = sections["elevation_m"] + 1.7 * sections["river"].isin(["a", "b"]) * (not parts)
    higher += 1.9 * (sections["river"] == "up")
    found = pg.water_profile(
        sections.assign(elevation_m=higher), flows, end, junctions=given.assign(method=method)
    )
    last = found[found["river"] == top].iloc[-1]
    assert last["froude"] == pytest.approx(1, abs=1e-5)
    assert last["regime"] == "critical"
    assert "critical_default" in last["doubts"]


def test_schemes_that_a_tributary_does_not_have_take_its_first():
    parts = [river(n, bed=b).assign(scheme=s) for n, b, s in
             (("a", 0.3, "1"), ("a", 0.3, "2"), ("b", 0.3, "1"), ("c", 0.0, "1"))]  # fmt: skip
    found = levels(sections=pd.concat(parts, ignore_index=True))
    assert (found["2", "a"] == found["1", "a"]).all()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"boundary": "level"}, "lacks level_m of a boundary level"),
        ({"boundary": "level", "level_m": np.nan}, "lacks level_m of a boundary level"),
        ({"boundary": "normal"}, "lacks slope of a boundary normal"),
        ({"boundary": "river"}, "lacks joins of a boundary river"),
        ({"joins": "b"}, "lacks joins_at_m of a boundary river"),
        ({"boundary": "rating", "level_m": [1.0, 2.0, 3.0]}, "lacks discharge_m3s of a boundary"),
        ({"boundary": "rating", "discharge_m3s": [1.0, 50.0, np.nan], "level_m": [1.0, 2.0, 3.0]},
         "lacks discharge_m3s of a boundary rating.*: 2"),
        ({"boundary": "rating", "discharge_m3s": [1.0, 20.0, 50.0], "level_m": [1.0, 3.0, 2.0]},
         "rating curve of a that falls.*: 1, 2"),
        ({"boundary": "rating", "discharge_m3s": [1.0, 20.0, 20.0], "level_m": [1.0, 2.0, 3.0]},
         "rating curve of a that falls.*: 1, 2"),
    ],
)  # fmt: skip
def test_boundaries_that_say_less_than_their_kind_needs_are_named(rows, words):
    count = max(len(v) if isinstance(v, list) else 1 for v in rows.values())
    table = pd.DataFrame({"river": ["a"] * count, **rows})
    with pytest.raises(pg.errors.HydraulicsError, match=words):
        pg.water_profile(river("a"), 20.0, table)


def test_a_tributary_waits_for_every_river_that_it_joins():
    """It joins one river in one flood and another in the next, which itself joins the first."""
    end = pd.DataFrame({
        "river": ["c", "a", "a", "b"], "profile": [None, "p", "q", None],
        "slope": [0.0005, np.nan, np.nan, np.nan], "joins": [None, "c", "b", "c"],
        "joins_at_m": [np.nan, 50.0, 50.0, 100.0],
    })  # fmt: skip
    flows = FLOWS.merge(pd.DataFrame({"profile": ["p", "q"]}), how="cross")
    found = pg.water_profile(SECTIONS, flows, end).set_index(["profile", "river", "chainage_m"])
    level = found["level_m"]
    assert level["p", "a", 100.0] == pytest.approx(level["p", "c", 50.0])
    assert level["q", "a", 100.0] == pytest.approx(level["q", "b", 50.0])


def covered(lid, **columns):
    at = np.repeat([0.0, 50.0, 100.0], 4)
    bed = (100 - at) * 0.001
    ground = bed + np.tile([0.0, 0.0, 0.0, 0.0], 3)
    return pd.DataFrame({
        "river": "r", "chainage_m": at, "offset_m": np.tile([-3.0, -1.0, 1.0, 3.0], 3),
        "elevation_m": ground, "n": 0.02, "lid_m": bed + lid, **columns,
    })  # fmt: skip


def test_a_full_covered_reach_has_no_uniform_flow_beyond_what_it_carries():
    """Full: 6 x 2 m, wetted all around; beyond it no level is uniform (it was 16,777,217 m)."""
    full = 12 * (12 / 16) ** (2 / 3) / 0.02 * math.sqrt(0.001)
    sections = covered(2.0, n_lid=0.02)
    with pytest.raises(pg.errors.HydraulicsError, match=f"no uniform flow.*carries {full:.4g}"):
        pg.water_profile(sections, 1.01 * full, {"slope": 0.001})
    found = pg.flood.normal_levels(sections, 1.01 * full, slope=0.001)
    assert found["normal_level_m"].isna().all()
    less = pg.water_profile(sections, 0.9 * full, {"slope": 0.001})
    assert less["depth_m"].iloc[-1] < 2
    held = pg.water_profile(sections, 1.01 * full, {"level_m": 3.0})
    rise = 50 * (1.01**2 - 1) * 0.001  # of its energy line above the bed's fall
    assert held["level_m"].diff().dropna().to_numpy() == pytest.approx([-0.05 - rise] * 2, abs=1e-8)


def test_the_underside_of_a_lid_has_a_roughness_or_the_grounds():
    for bad in (-0.02, 0.0):
        with pytest.raises(pg.errors.HydraulicsError, match=r"n_lid of nothing or less.*: r K0"):
            pg.water_profile(covered(2.0, n_lid=bad), 20.0, {"level_m": 3.0})
    blank, said = (
        pg.water_profile(covered(2.0, n_lid=n), 20.0, {"level_m": 3.0})["level_m"]
        for n in (np.nan, 0.02)
    )
    assert (blank - said).abs().max() < 1e-9


def calibrated(**columns):
    sections = river("r", count=5)
    true = pg.water_profile(sections.assign(n=0.036), 40.0, {"level_m": 2.0})
    marks = true[["river", "chainage_m", "level_m"]].iloc[:3].assign(**columns)
    return pg.flood.calibrate_roughness(sections, 40.0, {"level_m": 2.0}, marks)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"chainage_m": [np.nan, 50.0, 100.0]}, "without a river or a chainage.*: 0"),
        ({"river": ["r", None, "r"]}, "without a river or a chainage.*: 1"),
        ({"level_m": [2.3, 2.2, -9999.0]}, "stand for no measurement.*: 2"),
    ],
)
def test_marks_that_are_none_are_named(columns, words):
    with pytest.raises(pg.errors.HydraulicsError, match=words) as caught:
        calibrated(**columns)
    assert caught.value.layer == "marks"


@pytest.mark.parametrize("sd", [1e-9, 0.05, 1e12])
def test_what_all_marks_doubt_alike_changes_nothing(sd):
    assert calibrated(sd_m=sd).zones["factor"].item() == pytest.approx(1.2, abs=1e-6)


def test_a_mark_that_does_not_say_how_sure_it_is_weighs_as_the_others_do():
    level = calibrated().marks["level_m"] + [0.1, 0.0, 0.0]
    some, alike = (
        calibrated(level_m=level, sd_m=sd).zones["factor"].item()
        for sd in ([np.nan, 0.02, 0.02], 0.02)
    )
    assert some == pytest.approx(alike, abs=1e-9)


ZONES = pd.DataFrame({"zone": ["u", "l"], "river": "r", "from_m": [0.0, 100.0],
                      "to_m": [100.0, 200.0]})  # fmt: skip


@pytest.mark.parametrize(
    ("marks", "zones", "words"),
    [
        ({}, {"most_factor": [0.5 + 1e-7, 2.0]}, "reaches: has bounds that hold no factor.*: u"),
        ({}, {"least_factor": ["x", 1.0]}, "reaches: has texts such as 'x' in least_factor.*: 0"),
        (
            {"chainage_m": [110.0, 150.0, 160.0]},
            {},
            "reaches: has zones that no mark tells of.*: u",
        ),
    ],
)
def test_zones_that_cannot_be_told_are_named(marks, zones, words):
    sections = river("r", count=5)
    table = pd.DataFrame({"river": "r", "chainage_m": [0.0, 50.0, 150.0],
                          "level_m": [2.3, 2.2, 2.1]}).assign(**marks)  # fmt: skip
    with pytest.raises(pg.errors.PinghuError, match=words):
        pg.flood.calibrate_roughness(
            sections, 40.0, {"level_m": 2.0}, table, reaches=ZONES.assign(**zones)
        )


def bridged(covered, *, two=False, own=False):
    """A compound river of 1 km with a wide bridge (or two, side by side), some of it covered."""
    parts = []
    for at in (0.0, 200.0, 250.0, 600.0, 650.0, 700.0, 1000.0):
        bed = (1000 - at) * 0.001
        part = pd.DataFrame({"offset_m": [-40.0, -10, -10, 10, 10, 40],
                             "elevation_m": np.array([6.0, 3, 0, 0, 3, 6]) + bed, "n": 0.03})  # fmt: skip
        if at in covered:
            part = pd.DataFrame({
                "offset_m": [-5.0, -5, 5, 5], "elevation_m": np.array([2.5, 0, 0, 2.5]) + bed,
                "n": 0.018, "lid_m": 2.5 + bed, "n_lid": 0.015,
            })  # fmt: skip
        parts.append(part.assign(river="R", chainage_m=at))
    bridge = {"river": "R", "chainage_m": 225.0, "kind": "bridge", "width_m": 40.0,
              "low_chord_m": 2.975, "deck_m": 3.975}  # fmt: skip
    rows = [bridge]
    if two:
        rows = [
            bridge | {"from_offset_m": a, "to_offset_m": b} for a, b in ((-10.0, -1.0), (1.0, 10.0))
        ]
    names = pd.Index([f"桥{k}" for k in range(len(rows))], name="structure_id")
    said = {"structures": pd.DataFrame(rows, index=names)}
    if own:
        ground = {"structure_id": "桥0", "part": "ground", "offset_m": [-10.0, -10, 10, 10],
                  "elevation_m": [3.8, 0.8, 0.8, 3.8], "n": 0.02}  # fmt: skip
        said["structure_parts"] = pd.DataFrame(ground)
    return pd.concat(parts, ignore_index=True), said


@pytest.mark.parametrize(
    ("made", "covered"),
    [({}, ()), ({"two": True}, ()), ({"own": True}, ()), ({}, (600.0, 650.0, 700.0))],
    ids=["one", "two", "own", "covered"],
)
def test_marks_of_a_rougher_river_give_its_n_and_its_levels(made, covered):
    """The ground in bridges kept its n while it was fitted, and covers theirs once it was."""
    sections, said = bridged(covered, **made)
    rough = sections.assign(**{c: sections[c] * 1.4 for c in ("n", "n_lid") if c in sections})
    flood = (60.0 if covered else 90.0), {"level_m": 2.0}
    true = pg.water_profile(rough, *flood, **said)
    marks = true[["river", "chainage_m", "level_m"]]
    found = pg.flood.calibrate_roughness(sections, *flood, marks, **said)
    assert found.zones["factor"].to_numpy() == pytest.approx(1.4, abs=1e-6)
    assert found.marks["residual_m"].abs().max() < 1e-6
    # with other n than the best, too, what is handed on stands as high as what was fitted
    zones = pd.DataFrame({"zone": ["above", "below"], "river": "R", "from_m": [0.0, 225.0],
                          "to_m": [225.0, 1000.0], "most_factor": [1.2, 2.0]})  # fmt: skip
    found = pg.flood.calibrate_roughness(sections, *flood, marks, reaches=zones, **said)
    again = pg.water_profile(found.sections, *flood, **said)
    np.testing.assert_allclose(again["level_m"], found.marks["computed_m"], atol=1e-6)


def test_a_zone_whose_n_stands_at_its_bound_is_named():
    """Marks of n a fifth higher: with room for it nothing is said, with room for a tenth it is."""
    sections = river("r", count=5)
    true = pg.water_profile(sections.assign(n=sections["n"] * 1.2), 40.0, {"level_m": 2.0})
    marks = true[["river", "chainage_m", "level_m"]].iloc[:3]
    for most, held in ((2.0, False), (1.1, True)):
        zone = pd.DataFrame({"zone": ["上段"], "river": "r", "from_m": 0.0, "to_m": 1e4,
                             "most_factor": most})  # fmt: skip
        found = pg.flood.calibrate_roughness(sections, 40.0, {"level_m": 2.0}, marks, reaches=zone)
        assert found.zones["at_bound"].tolist() == [held]
        assert [t for t in found.summary() if "边界" in t] == (
            ["上段 的糙率取到给定范围的边界:按洪痕还应再变,或洪痕不足以定出。"] if held else []
        )


def test_marks_say_their_flood_where_there_are_several():
    sections = river("r", count=5)
    flows = pd.DataFrame({"profile": ["p", "q"], "discharge_m3s": [40.0, 60.0]})
    true = pg.water_profile(sections.assign(n=0.036), flows, {"level_m": 2.0})
    marks = true[["river", "chainage_m", "level_m", "profile"]].iloc[[0, 1, 6]]
    found = pg.flood.calibrate_roughness(sections, flows, {"level_m": 2.0}, marks)
    assert found.zones["factor"].item() == pytest.approx(1.2, abs=1e-6)
    with pytest.raises(pg.errors.HydraulicsError, match="which flood left them.*: 0, 1, 6"):
        pg.flood.calibrate_roughness(
            sections, flows, {"level_m": 2.0}, marks.drop(columns="profile")
        )
    both = pd.concat([sections.assign(scheme=s) for s in "12"], ignore_index=True)
    with pytest.raises(pg.errors.HydraulicsError, match="holds several schemes.*: 1, 2"):
        pg.flood.calibrate_roughness(both, flows, {"level_m": 2.0}, marks)


def openings(limits=None, culvert=None):
    wide = pg.design_sections(pd.DataFrame({
        "river": "r", "chainage_m": [0.0, 50.0, 100.0], "bed_level_m": [0.1, 0.05, 0.0],
        "left_m": 15.0, "right_m": 15.0, "bank_level_m": 6.0, "n": 0.03,
    }))  # fmt: skip
    road = {"river": "r", "chainage_m": 75.0, "deck_m": 4.0, "width_m": 8.0}
    table = pd.DataFrame(
        [
            {**road, "kind": "bridge", "low_chord_m": 2.5, "from_offset_m": -14.0,
             "to_offset_m": -2.0},
            {**road, "kind": "culvert", "shape": "box", "span_m": 4.0, "rise_m": 2.0,
             "length_m": 8.0, "invert_up_m": 0.03, "invert_down_m": 0.02, "from_offset_m": 4.0,
             "to_offset_m": 8.0, **(culvert or {})},
        ],
        index=pd.Index(["A", "B"], name="structure_id"),
    )  # fmt: skip
    for column, values in (limits or {}).items():
        table[column] = values
    return pg.water_profile(wide, 60.0, {"level_m": 2.3}, structures=table)


def test_limits_of_openings_leave_no_gap_and_barrels_fit_between_their_offsets():
    nan = np.nan
    meet = {"limit_right_m": [1.0, nan], "limit_left_m": [nan, 1.0]}
    apart = {"limit_right_m": [-1.0, nan], "limit_left_m": [nan, 3.0]}
    assert openings(meet)["level_m"].notna().all()
    with pytest.raises(pg.errors.HydraulicsError, match="gap between -1 and 3 m.*: A, B"):
        openings(apart)
    with pytest.raises(pg.errors.HydraulicsError, match="4 m wide together.*from 4 to 5 m.*: B"):
        openings(culvert={"to_offset_m": 5.0})
    with pytest.raises(pg.errors.HydraulicsError, match="its offsets outside its section.*: B"):
        openings(culvert={"from_offset_m": 13.0, "to_offset_m": 17.0})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"elevation_m": [6.0, -9999.0, 0.1, 6.0]}, "in elevation_m that stand for no.*: 1"),
        ({"n": -0.03}, "an n of nothing or less.*: 0, 1, 2, 3"),
        ({"left_bank_m": 5.0, "right_bank_m": -5.0}, "left bank right of the right one.*: 0"),
        ({"part": "deck", "low_chord_m": 2.0, "deck_m": -9999.0}, "in deck_m that stand for no"),
    ],
)
def test_parts_that_cannot_be_are_named(change, words):
    sections = river("r", count=5)
    bridge = pd.DataFrame(
        {"river": "r", "chainage_m": 125.0, "kind": "bridge", "low_chord_m": 4.0, "deck_m": 5.0},
        index=pd.Index(["S"], name="structure_id"),
    )
    parts = pd.DataFrame({
        "structure_id": "S", "part": "ground", "offset_m": [-6.0, -6.0, 6.0, 6.0],
        "elevation_m": [6.0, 0.1, 0.1, 6.0],
    }).assign(**change)  # fmt: skip
    with pytest.raises(pg.errors.HydraulicsError, match=words) as caught:
        pg.water_profile(sections, 40.0, {"level_m": 2.0}, structures=bridge, structure_parts=parts)
    assert caught.value.layer == "structure_parts"


@pytest.mark.parametrize(
    "losses", [(0.1, 0.3), (("a", 0.3),), ((None, 0.3),), None, "ab", ((-0.1, 0.3),)]
)
def test_losses_that_are_no_pairs_are_named(losses):
    at, north = 5e5, 2.5e6
    rivers = gpd.GeoDataFrame(
        index=pd.Index(["r"], name="river"), crs=4547,
        geometry=[shapely.LineString([(at, north), (at + 100, north)])],
    )  # fmt: skip
    house = gpd.GeoDataFrame(
        index=pd.Index(["h"], name="building_id"), crs=4547,
        geometry=[shapely.box(at + 40, north + 4, at + 60, north + 12)],
    )  # fmt: skip
    with pytest.raises(pg.errors.HydraulicsError, match="no pair of coefficients from 0 to 1"):
        pg.building_rises(
            house, river("r"), 40.0, {"level_m": 2.0}, rivers, allowed_mm=5.0, losses=losses
        )


@pytest.mark.parametrize("slope", [500.0, 1.5, 1e-7, 1e-14])
def test_slopes_that_no_river_has_are_named(slope):
    """5 per mille written as 5, or a 0 too many."""
    with pytest.raises(pg.errors.HydraulicsError, match="which no river has"):
        pg.water_profile(river("r"), 40.0, {"slope": slope})


def test_options_that_water_profile_has_not_are_named():
    marks = pd.DataFrame({"river": ["r"], "chainage_m": 0.0, "level_m": 2.3})
    with pytest.raises(pg.errors.PinghuError, match="option='contration' is not known") as caught:
        pg.flood.calibrate_roughness(river("r"), 40.0, {"level_m": 2.0}, marks, contration=0.1)
    assert "contraction" in caught.value.hint


GATE = pd.DataFrame(
    {"river": "r", "chainage_m": 75.0, "kind": "gate", "gate_width_m": 3.0, "gate_height_m": 2.0,
     "sill_m": 0.3, "opening_m": 0.5, "crest_m": 4.0},
    index=pd.Index(["G"], name="structure_id"),
)  # fmt: skip


@pytest.mark.parametrize("names", [["p", "Q"], ["x", "y"], ["p", None]])
def test_openings_of_a_flood_that_is_not_computed_are_named(names):
    flows = pd.DataFrame({"profile": ["p", "q"], "discharge_m3s": [10.0, 12.0]})
    parts = pd.DataFrame({"structure_id": "G", "part": "setting", "profile": ["p", "q"],
                          "opening_m": [1.0, 1.5]})  # fmt: skip

    def solved(parts, flows=flows):
        return pg.water_profile(
            river("r"), flows, {"level_m": 1.5}, structures=GATE, structure_parts=parts
        )

    assert solved(parts)["level_m"].notna().all()
    # of two floods in the table one may be computed by itself
    assert solved(parts, flows.iloc[:1])["level_m"].notna().all()
    if names[1] is None:  # a setting for a flood without a name in flows
        flows, names = 10.0, ["p", "q"]
    with pytest.raises(pg.errors.HydraulicsError, match="profiles that flows hasn't") as caught:
        solved(parts.assign(profile=names), flows)
    space = {"structure_parts": parts.assign(profile=names)}
    exec(caught.value.hint, space)
    assert solved(space["structure_parts"], flows)["level_m"].notna().all()


@pytest.mark.parametrize("kind", ["bridge", "weir"])
def test_limits_of_a_single_structure_lie_the_right_way_round(kind):
    row = {"bridge": {"low_chord_m": 3.0, "deck_m": 4.0}, "weir": {"crest_m": 1.0}}[kind]
    table = pd.DataFrame(
        [{"river": "r", "chainage_m": 75.0, "kind": kind, "limit_left_m": 4.0,
          "limit_right_m": -4.0, **row}], index=pd.Index(["S"], name="structure_id"),
    )  # fmt: skip
    with pytest.raises(pg.errors.HydraulicsError, match="limits the wrong way round.*: S"):
        pg.water_profile(river("r"), 40.0, {"level_m": 2.0}, structures=table)


def deck_in_the_water(flow, **columns):
    """A slab over the whole width of a rectangle 12 m wide, from 1.2 to 1.6 m."""
    table = pd.DataFrame(
        [{"river": "r", "chainage_m": 75.0, "kind": "bridge", "low_chord_m": 1.2, "deck_m": 1.6,
          "width_m": 8.0, "high_flow": "energy", **columns}],
        index=pd.Index(["S"], name="structure_id"),
    )  # fmt: skip
    return pg.water_profile(river("r"), flow, {"level_m": 2.5}, structures=table)


@pytest.mark.parametrize("method", ["energy", "energy+momentum"])
def test_high_flow_by_energy_is_all_of_it_and_no_weir_besides(method):
    """What runs over the deck is in the energy's sections already (HEC-RAS, chapter 5)."""
    found = [
        deck_in_the_water(40.0, method=method, **road)
        for road in ({}, {"weir_coefficient": 0.3}, {"weir_coefficient": 2.4},
                     {"max_submergence": 0.2})
    ]  # fmt: skip
    for one in found:
        assert one["level_m"].iloc[1] > 2.5
        assert one["over_m3s"].iloc[1] == 0
        assert "road" not in one["control"].iloc[1]
        np.testing.assert_allclose(one["level_m"], found[0]["level_m"], atol=1e-12)


@pytest.mark.parametrize("method", ["wspro", "momentum", "yarnell", "energy+momentum+wspro"])
def test_where_energy_finds_the_deck_in_the_water_it_alone_counts(method):
    """Chapter 5: high flow begins there; WSPRO knows no deck, and said metres more."""
    piers = {"n_piers": 3, "pier_width_m": 0.8, "wspro_c": 0.7}
    given = piers | ({} if method != "yarnell" else {"yarnell_k": 1.25})
    found = deck_in_the_water(40.0, method=method, **given)
    energy = deck_in_the_water(40.0, method="energy", **piers)
    assert energy["energy_m"].iloc[1] > 2.5  # the deck ends at 1.6
    np.testing.assert_allclose(found["level_m"], energy["level_m"], atol=1e-9)
    # a deck that no water comes to leaves low flow as it was
    high = {"low_chord_m": 9.0, "deck_m": 9.5}
    low = [deck_in_the_water(40.0, method=method, **(given | high | {"high_flow": how}))
           for how in ("energy", "pressure")]  # fmt: skip
    np.testing.assert_allclose(low[0]["level_m"], low[1]["level_m"], atol=1e-12)


@pytest.mark.parametrize("by", ["energy", "level"])
def test_where_only_low_flow_finds_the_deck_in_the_water_the_water_stands_at_the_low_chord(by):
    """Its formulas hold up to there; energy's level is below; it is told how far both are off."""
    given = {"method": "momentum", "n_piers": 3, "pier_width_m": 1.6, "pier_drag": 4.0,
             "pressure_by": by}  # fmt: skip
    free = {"low_chord_m": 9.0, "deck_m": 9.5}
    low = deck_in_the_water(40.0, **(given | free)).iloc[1]
    energy = deck_in_the_water(40.0, **(given | free | {"method": "energy"})).iloc[1]
    line = "level_m" if by == "level" else "energy_m"
    assert low[line] > energy[line] + 0.1
    for share in (0.1, 0.5, 0.9):
        chord = energy[line] + share * (low[line] - energy[line])
        found = deck_in_the_water(40.0, **given, low_chord_m=chord, deck_m=chord + 0.4).iloc[1]
        assert found[line] == pytest.approx(chord, abs=1e-6)
        assert "formula_step" in found["doubts"]
        off = max(low["level_m"] - found["level_m"], found["level_m"] - energy["level_m"])
        assert found["unsure_m"] == pytest.approx(off, rel=0.15)  # momentum feels the deck a little


def test_the_energy_through_a_deck_in_the_water_by_hand():
    """Three standard steps with the slab cut out, both its sides wet, losses 0.1 and 0.3."""
    flow, end, wide, n, g = 40.0, 2.5, 12.0, 0.03, 9.81

    def state(bed, level, slab):
        area = wide * (level - bed - slab)
        wet = wide + 2 * (level - bed) + (2 * wide if slab else 0.0)
        return level + (flow / area) ** 2 / 2 / g, (flow / area) ** 2 / 2 / g, (
            area ** (5 / 3) / wet ** (2 / 3) / n)  # fmt: skip

    below, level = state(0.0, end, 0.0), end
    for bed, slab, way in ((0.0, 0.4, 21.0), (0.025, 0.4, 8.0), (0.025, 0.0, 21.0)):

        def excess(z, bed=bed, slab=slab, way=way, below=below):
            energy, head, k = state(bed, z, slab)
            loss = (0.3 if head > below[1] else 0.1) * abs(head - below[1])
            return energy - below[0] - way * (2 * flow / (k + below[2])) ** 2 - loss

        level = scipy.optimize.brentq(excess, 1.9, 6.0, xtol=1e-12)
        below = state(bed, level, slab)
    assert deck_in_the_water(flow, method="energy")["level_m"].iloc[1] == pytest.approx(
        level, abs=1e-6
    )


@pytest.mark.parametrize("gravity", [-9.81, 0.0, 32.2, 1e9])
def test_a_gravity_that_is_not_the_earths_is_named(gravity):
    with pytest.raises(pg.errors.HydraulicsError, match="none of the earth's"):
        pg.water_profile(river("r"), 40.0, {"level_m": 2.0}, gravity_ms2=gravity)


def test_a_long_section_names_the_junctions_at_its_ends():
    """Of the river that parts at its lower end, of a branch at its upper one."""
    pytest.importorskip("matplotlib")
    flows = pd.DataFrame({"river": ["up", "a", "b"], "discharge_m3s": [40.0, 20.0, 20.0]})
    found = pg.water_profile(PARTING, flows, PARTED_ENDS, junctions=PARTS)
    for name, at, others in (("up", 100.0, "J: a、b"), ("a", 0.0, "J: up、b")):
        axes = pg.plot_long_section(found, name, junctions=PARTS).axes[0]
        [said] = [text for text in axes.texts if text.get_text()]
        assert (said.get_text(), said.xy[0]) == (others, at)
