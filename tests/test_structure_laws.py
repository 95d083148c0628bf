"""Laws that hold at whatever stands in a river: drawn structures in drawn valleys."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import pinghu_geo as pg

FOOT = 0.3048
SLOPE = 0.0006
# where the sections end: above it they are too short for the water, and nothing is promised [m]
ENDS_M = 9.0
SHAPES = ("arch", "low_arch", "high_arch", "semicircle", "ellipse", "conspan")
KINDS = ("bridge", "skewed bridge", "box", "pipe", *SHAPES, "groups", "weir", "ogee", "drop",
         "gate", "radial", "two")  # fmt: skip


def between(low, high):
    return st.floats(low, high, allow_nan=False)


VALLEYS = st.fixed_dictionaries({
    "width": between(6.0, 14.0), "side": between(0.0, 1.5), "plain": between(2.0, 15.0),
    "steep": between(0.3, 2.5), "q": between(5.0, 90.0),
})  # fmt: skip
SIZES = st.fixed_dictionaries({
    "left": between(0.25, 0.5), "right": between(0.25, 0.5), "height": between(1.0, 4.2),
    "thick": between(0.4, 1.5), "open": between(0.2, 1.8), "span": between(1.0, 3.0),
    "barrels": st.integers(1, 2), "piers": st.integers(0, 2), "road": st.booleans(),
    "method": st.sampled_from(["energy", "momentum", "yarnell", "energy+momentum+yarnell"]),
    "high_flow": st.sampled_from(["pressure", "energy"]),
})  # fmt: skip


def valley(made, scale=1.0):
    """A channel with sloping banks between plains, which rises upstream."""
    width, side, plain = made["width"], made["side"], made["plain"]
    bank = width / 2 + 4 * side
    x = np.array([-bank - plain, -bank - plain, -bank, -width / 2])
    z = np.array([ENDS_M, 4.6, 4.0, 0.0])
    parts = [
        pd.DataFrame({
            "river": "r", "chainage_m": at * scale, "offset_m": np.r_[x, -x[::-1]] * scale,
            "elevation_m": (np.r_[z, z[::-1]] + SLOPE * made["steep"] * (240 - at)) * scale,
            "n": 0.03 * scale ** (1 / 6),
        }) for at in np.arange(7) * 40.0
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def standing(kind, made, size, wider=0.0, scale=1.0):
    """What stands at 100 m, perhaps with a wider opening; all lengths times the scale."""
    width, height, thick = made["width"], size["height"], size["thick"]
    ends = {"from_offset_m": -width * size["left"], "to_offset_m": width * size["right"] + wider}
    bridge = {"kind": "bridge", "low_chord_m": 0.1 + height, "width_m": 8.0,
              "high_flow": size["high_flow"], "method": size["method"]}  # fmt: skip
    if size["road"]:
        bridge["deck_m"] = 0.2 + height + thick
    barrel = {"kind": "culvert", "barrels": size["barrels"], "length_m": 20.0, "invert_up_m": 0.12,
              "invert_down_m": 0.08, "n": 0.015}  # fmt: skip
    pipe = 0.7 * size["span"] + 0.4 + wider
    gate = {"kind": "gate", "n_gates": 2, "gate_width_m": width / 4 + wider / 2, "sill_m": 0.2,
            "gate_height_m": 2.0, "opening_m": size["open"], "crest_m": 2.3 + thick}  # fmt: skip
    crest = {"kind": "weir", "crest_m": 0.2 + 0.6 * height, **ends}
    beside = {"from_offset_m": 0.3, "to_offset_m": 1.9 + wider}
    rows = {
        "bridge": [bridge | ends | {"n_piers": size["piers"], "pier_width_m": 0.5}],
        "skewed bridge": [bridge | ends | {"skew_deg": 25.0}],
        "box": [barrel | {"shape": "box", "span_m": size["span"] + wider, "rise_m": 2.0,
                          "deck_m": 2.5 + thick}],
        "pipe": [barrel | {"shape": "circle", "rise_m": pipe, "deck_m": 4.3 + thick}],
        **{shape: [barrel | {"shape": shape, "span_m": size["span"] + wider, "rise_m": 1.6,
                             "deck_m": 2.1 + thick}] for shape in SHAPES},
        # two kinds of barrels at two heights below one road
        "groups": [
            barrel | {"shape": "box", "span_m": 0.6 * size["span"] + wider, "rise_m": 1.4,
                      "deck_m": 2.0 + thick},
            barrel | {"shape": "circle", "rise_m": 1.1, "barrels": 1, "invert_up_m": 0.42,
                      "invert_down_m": 0.4, "deck_m": 2.0 + thick},
        ],
        "weir": [crest],
        "ogee": [crest | {"crest": "ogee", "design_head_m": 1.2}],
        "drop": [crest | {"kind": "drop", "crest": "sharp"}],
        "gate": [gate],
        "radial": [gate | {"gate_kind": "radial", "trunnion_m": 2.2}],
        "two": [
            bridge | {"from_offset_m": -0.48 * width, "to_offset_m": -0.5, "method": "energy"},
            barrel | beside | {"barrels": 1, "shape": "box", "span_m": 1.5 + wider, "rise_m": 1.8,
                               "length_m": 10.0},
        ],
    }[kind]  # fmt: skip
    table = pd.DataFrame([{"river": "r", "chainage_m": 100.0} | row for row in rows])
    lengths = [c for c in table if c.endswith("_m")]
    table[lengths] *= scale
    if "n" in table:
        table["n"] *= scale ** (1 / 6)
    return table.set_axis(pd.Index(list("AB")[: len(rows)], name="structure_id"))


def profile(made, table=None, *, sections=None, q=None, scale=1.0):
    """The profile of a valley, by Froude's law where it is scaled."""
    sections = valley(made, scale) if sections is None else sections
    flow = (made["q"] if q is None else q) * scale**2.5
    return pg.water_profile(sections, flow, {"slope": SLOPE * made["steep"]}, structures=table)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=6, deadline=None, derandomize=True)
@given(made=VALLEYS, size=SIZES)
def test_more_water_stands_no_lower_and_a_wider_opening_no_higher(kind, made, size):
    """Where one formula holds: between two of them the manual's levels jump (docs/theory.md)."""
    table = standing(kind, made, size)
    found = profile(made, table)
    more = profile(made, table, q=1.03 * made["q"])
    if found["level_m"].max() >= ENDS_M:
        return
    if of_one_formula(table, found, more):
        assert (more["level_m"] >= found["level_m"] - 1e-7).all()
    wide = profile(made, standing(kind, made, size, wider=0.35))
    if of_one_formula(table, found, wide):
        assert (wide["energy_m"] <= found["energy_m"] + 1e-6).all()


def of_one_formula(table, found, other):
    """Whether both come by one formula for one opening, so that the laws have to hold.

    Pressure flow by the inlet and by the full opening have coefficients of their own, and class B
    stands at the critical level inside: between them the manual's levels jump. Where the road of a
    bridge is drowned the water above and below the deck is one unit, or pushes against it: by
    Manning's formula a low slot more gives it 5/3 of the area's share and takes 2/3 of the
    perimeter's, bed and underside, so that it may convey less.
    """
    mine, theirs = (one["control"].dropna().tolist() for one in (found, other))
    bridges = table[table["kind"] == "bridge"]
    drowned = "deck_m" in bridges and (found["energy_m"].max() > bridges["deck_m"].min())
    return mine == theirs and not drowned


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=6, deadline=None, derandomize=True)
@given(made=VALLEYS, size=SIZES)
def test_a_mirror_and_feet_change_nothing(kind, made, size):
    """In feet, taken for metres, by Froude's law: no length is hidden in a formula."""
    found = profile(made, standing(kind, made, size))["level_m"].to_numpy()
    table = standing(kind, made, size)
    if found.max() >= ENDS_M:
        return
    if "from_offset_m" in table:
        ends = {"from_offset_m": -table["to_offset_m"], "to_offset_m": -table["from_offset_m"]}
        table = table.assign(**ends)
    turned = pd.concat([
        part.iloc[::-1].assign(offset_m=-part["offset_m"].to_numpy()[::-1])
        for _, part in valley(made).groupby("chainage_m", sort=False)
    ], ignore_index=True)  # fmt: skip
    mirrored = profile(made, table, sections=turned)
    np.testing.assert_allclose(mirrored["level_m"], found, atol=1e-7)
    feet = profile(made, standing(kind, made, size, scale=1 / FOOT), scale=1 / FOOT)
    np.testing.assert_allclose(feet["level_m"] * FOOT, found, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(made=VALLEYS, size=SIZES)
def test_where_offsets_count_from_changes_nothing(kind, made, size):
    """From the left end, as HEC-RAS counts, or from far away; a skewed road turns where it stands."""
    table = standing(kind, made, size)
    found = profile(made, table)["level_m"].to_numpy()
    sections = valley(made)
    for by in (37.25, -512.5):
        ends = {c: table[c] + by for c in ("from_offset_m", "to_offset_m") if c in table}
        moved = sections.assign(offset_m=sections["offset_m"] + by)
        other = profile(made, table.assign(**ends), sections=moved)["level_m"]
        np.testing.assert_allclose(other, found, atol=1e-7)


# width, side, plain, steep, q; left, right, height, piers
STEPPING = {
    "inlet, then full": ((9.44, 0.222, 10.75, 1.149, 81.6), (0.2025, 0.1326, 3.44, 1)),
    "inlet, then class B": ((8.92, 1.095, 11.19, 1.197, 78.6), (0.245, 0.162, 3.11, 2)),
    "inlet deep, then class B": ((7.77, 0.655, 13.49, 1.333, 74.2), (0.325, 0.203, 3.83, 2)),
}


@pytest.mark.parametrize("case", STEPPING)
def test_where_more_water_stands_lower_above_a_bridge_it_is_told(case):
    """Between formulas the manual's levels step: the doubt says so on one side of each at least."""
    given, (left, right, height, piers) = STEPPING[case]
    made = dict(zip(("width", "side", "plain", "steep", "q"), given, strict=True))
    size = {"left": left, "right": right, "height": height, "piers": piers, "thick": 1.0, "open": 1,
            "span": 2.0, "barrels": 1, "road": False, "method": "yarnell",
            "high_flow": "pressure"}  # fmt: skip
    flows = pd.DataFrame({"discharge_m3s": 0.4 * made["q"] * 1.05 ** np.arange(16)})
    flows["profile"] = [f"{k:02}" for k in range(16)]
    found = pg.water_profile(
        valley(made), flows, {"slope": SLOPE * made["steep"]},
        structures=standing("bridge", made, size),
    )  # fmt: skip
    above = found[found["structure_id"].notna()].sort_values("profile")
    fall = -np.diff(above["level_m"])
    told = above["doubts"].str.contains("formula_step").to_numpy()
    down = np.flatnonzero(fall > 1e-3)
    assert len(down) == 1
    assert (told[down] | told[down + 1]).all()
    assert np.fmax(*above["unsure_m"].to_numpy()[[down[0], down[0] + 1]]) >= fall[down[0]]
    assert not told[:3].any()  # far below the deck, and of class A
    assert told.sum() <= 5  # where a tenth of the discharge leads past the step, and nowhere else
    assert not found.loc[found["structure_id"].isna(), "doubts"].str.contains("formula_step").any()


@pytest.mark.parametrize("level", [4.0, 4.1])
def test_where_a_road_comes_out_of_the_water_below_its_weir_is_told(level):
    """Drowned it is passed by energy, over deck and all; with more water it is a weir again."""
    made = {"width": 12.4, "side": 1.43, "plain": 13.6, "steep": 1.91, "q": 84.0}
    size = {"left": 0.2567, "right": 0.2527, "height": 1.8145, "thick": 0.4074, "piers": 2,
            "open": 1.0, "span": 2.0, "barrels": 1, "road": True, "method": "energy+momentum",
            "high_flow": "pressure"}  # fmt: skip
    flows = pd.DataFrame({"profile": list("abcdef"), "discharge_m3s": 59.2 * 1.05 ** np.arange(6)})
    found = pg.water_profile(valley(made), flows, {"level_m": level},
                             structures=standing("skewed bridge", made, size))  # fmt: skip
    above = found[found["structure_id"].notna()].sort_values("profile")
    fall = -np.diff(above["level_m"])
    [down] = np.flatnonzero(fall > 1e-3)
    assert above["control"].tolist()[down : down + 2] == ["energy", "pressure_full+road"]
    assert above["doubts"].str.contains("formula_step").tolist()[down : down + 2] == [True, True]
    assert np.fmax(*above["unsure_m"].to_numpy()[down : down + 2]) >= fall[down]


@pytest.mark.parametrize(
    ("case", "first"), [("inlet, then full", 9), ("inlet deep, then class B", 14)]
)
def test_of_several_openings_each_tells_where_another_formula_takes_over(case, first):
    """Two alike share the water of one twice as wide, and step down where both do."""
    given, (left, right, height, _) = STEPPING[case]
    made = dict(zip(("width", "side", "plain", "steep", "q"), given, strict=True))
    wide = (left + right) * made["width"] / 2
    row = {"river": "r", "chainage_m": 100.0, "kind": "bridge", "low_chord_m": 0.1 + height,
           "width_m": 8.0, "method": "yarnell", "n_piers": 1, "pier_width_m": 0.4}  # fmt: skip
    ends = {"from_offset_m": [-0.4 - wide, 0.4], "to_offset_m": [-0.4, 0.4 + wide]}
    two = pd.DataFrame([row, row], index=pd.Index(["A", "B"], name="structure_id")).assign(**ends)
    flows = pd.DataFrame({"profile": ["far", "before", "after"],
                          "discharge_m3s": 0.4 * made["q"] * 1.05 ** np.array([3, first, first + 1])})  # fmt: skip
    found = pg.water_profile(
        valley(made), flows, {"slope": SLOPE * made["steep"]}, structures=two
    ).query("structure_id.notna()").set_index("profile")  # fmt: skip
    level, told = found["level_m"], found["doubts"].str.contains("formula_step")
    assert level["after"] < level["before"] - 0.02
    assert told["before"] or told["after"]
    assert not told["far"]
    assert found["unsure_m"].max() >= level["before"] - level["after"]


@pytest.mark.parametrize(
    ("method", "given", "opening"),
    [
        ("wspro", (8.021, 0.794, 8.2598, 2.9643, 57.6542), (0.4054, 0.2631, 1.6824, 0.7324, 0)),
        ("energy+momentum+yarnell", (7.0289, 0.3494, 10.8482, 2.1062, 50.2432),
         (0.3295, 0.2887, 1.6841, 1.1295, 1)),
        # critical depth goes from beneath the deck to over it
        ("energy", (8.021, 0.794, 8.2598, 2.9643, 57.6542), (0.4054, 0.2631, 1.6824, 0.7324, 0)),
        ("energy", (7.0289, 0.3494, 10.8482, 2.1062, 50.2432),
         (0.3295, 0.2887, 1.6841, 1.1295, 1)),
        # beneath the deck, where critical depth over it takes less energy
        ("energy+momentum+wspro", (7.5403, 0.9963, 13.6635, 1.5107, 105.3),
         (0.3144, 0.3276, 2.1034, 1.4835, 0)),
        ("energy", (9.1137, 0.9393, 10.364, 2.0242, 116.1), (0.389, 0.383, 2.1598, 0.8586, 0)),
    ],
)  # fmt: skip
def test_where_low_flow_and_energy_take_turns_at_a_deck_in_the_water_it_is_told(
    method, given, opening
):
    """More water stands up to a metre lower there, however the higher of both is taken."""
    made = dict(zip(("width", "side", "plain", "steep", "q"), given, strict=True))
    size = dict(zip(("left", "right", "height", "thick", "piers"), opening, strict=True))
    size |= {"open": 1, "span": 2.0, "barrels": 1, "road": True, "method": method,
             "high_flow": "energy"}  # fmt: skip
    flows = pd.DataFrame({"discharge_m3s": 0.6 * made["q"] * 1.05 ** np.arange(12)})
    flows["profile"] = [f"{k:02}" for k in range(12)]
    found = pg.water_profile(
        valley(made), flows, {"slope": SLOPE * made["steep"]},
        structures=standing("bridge", made, size),
    )  # fmt: skip
    above = found[found["structure_id"].notna()].sort_values("profile")
    told = above["doubts"].str.contains("formula_step|several_levels").to_numpy()
    down = np.flatnonzero(np.diff(above["level_m"]) < -1e-3)
    assert len(down)
    assert (told[down] | told[down + 1]).all()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=3, deadline=None, derandomize=True)
@given(made=VALLEYS, size=SIZES, low=between(2.0, 8.5))
def test_water_gains_no_energy_on_its_way_through(kind, made, size, low):
    """However deep the structure and its road are drowned."""
    size = size | {"height": max(size["height"], 1.5)}  # its road above the barrel beside it
    found = pg.water_profile(valley(made), made["q"], {"level_m": low},
                             structures=standing(kind, made, size))  # fmt: skip
    energy = found["energy_m"].to_numpy()
    assert (np.diff(energy)[found["structure_id"].notna().to_numpy()[:-1]] < 1e-9).all()


@pytest.mark.parametrize(
    ("kind", "valley_", "span", "thick", "low"),
    [
        ("high_arch", (9.22, 0.0, 7.46, 1.69, 84.47), 1.31, 0.61, 7.39),
        ("arch", (6.29, 0.83, 13.09, 1.34, 89.45), 1.38, 0.55, 5.92),
        ("low_arch", (7.06, 0.11, 2.19, 2.14, 78.53), 1.82, 0.51, 7.14),
    ],
)
def test_a_drowned_culvert_gains_nothing_where_the_water_below_is_the_faster(
    kind, valley_, span, thick, low
):
    """Most runs over the road, so that the barrel is slow: no exit loss, and none that is a gain."""
    made = dict(zip(("width", "side", "plain", "steep", "q"), valley_, strict=True))
    size = {"left": 0.4, "right": 0.4, "height": 2.0, "thick": thick, "open": 1.0, "span": span,
            "barrels": 2, "piers": 0, "road": True, "method": "energy", "high_flow": "energy"}  # fmt: skip
    found = pg.water_profile(valley(made), made["q"], {"level_m": low},
                             structures=standing(kind, made, size))  # fmt: skip
    at = int(np.flatnonzero(found["structure_id"].notna())[0])
    assert found["control"][at] == "outlet+road"
    assert found["energy_m"][at] >= found["energy_m"][at + 1]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(made=VALLEYS, size=SIZES, kind=st.sampled_from(["bridge", "skewed bridge", "weir", "drop"]))
def test_what_touches_no_water_changes_nothing(made, size, kind):
    """A deck above the energy line without piers or abutments in the water; a crest in the bed."""
    plain = profile(made)
    top = float(plain["energy_m"].max()) + 0.05
    if kind in ("weir", "drop"):
        row = {"kind": kind, "crest_m": -0.1}
    else:
        row = {"kind": "bridge", "low_chord_m": top, "deck_m": top + size["thick"],
               "width_m": 8.0, "method": size["method"], "high_flow": size["high_flow"],
               "skew_deg": 25.0 * (kind == "skewed bridge")}  # fmt: skip
    table = pd.DataFrame([{"river": "r", "chainage_m": 100.0, **row}],
                         index=pd.Index(["A"], name="structure_id"))  # fmt: skip
    found = profile(made, table)
    np.testing.assert_allclose(found["level_m"], plain["level_m"], atol=1e-9, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=2, deadline=None, derandomize=True)
@given(made=VALLEYS, size=SIZES, idle=st.booleans(),
       regime=st.sampled_from(["subcritical", "mixed"]))  # fmt: skip
def test_columns_at_once_are_what_each_is_by_itself(kind, made, size, idle, regime):
    """Schemes and floods are solved as columns: some overflow the road, some touch nothing."""
    ground, end = valley(made), {"slope": SLOPE * made["steep"]}
    sections = pd.concat([
        ground.assign(scheme="a"), ground.assign(scheme="b", n=0.045),
        ground.assign(scheme="c", elevation_m=ground["elevation_m"] + 0.2),
    ], ignore_index=True)  # fmt: skip
    flows = pd.DataFrame({"profile": list("pqrs"),
                          "discharge_m3s": made["q"] * np.array([0.1, 0.5, 1.0, 2.0])})  # fmt: skip
    given = {"structures": standing(kind, made, size), "regime": regime, "upstream": end}
    if idle:  # beside the opening, above and below: held where the water below leaves them dry
        half = made["width"] / 2
        given["obstacles"] = pd.DataFrame([
            {"river": "r", "chainage_m": at, "from_offset_m": a, "to_offset_m": b, "top_m": 3.2,
             "obstacle": "ineffective"}
            for at in (80.0, 120.0) for a, b in ((-99.0, -half), (half, 99.0))
        ])  # fmt: skip
    settings_ = pd.DataFrame({"structure_id": "A", "part": "setting", "profile": ["q", "s"],
                              "opening_m": [0.3, 1.7]})  # fmt: skip
    gated = kind in ("gate", "radial")
    together = pg.water_profile(
        sections, flows, end, structure_parts=settings_ if gated else None, **given
    )
    for (scheme, flood), mine in together.groupby(["scheme", "profile"], sort=False):
        own = settings_[settings_["profile"] == flood] if gated else None
        alone = pg.water_profile(
            sections[sections["scheme"] == scheme], flows[flows["profile"] == flood], end,
            structure_parts=own, **given,
        )  # fmt: skip
        columns = ["level_m", "energy_m", "over_m3s"]
        np.testing.assert_allclose(
            mine[columns].to_numpy(float), alone[columns].to_numpy(float), atol=1e-9, rtol=0
        )
        assert mine["control"].fillna("").tolist() == alone["control"].fillna("").tolist()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=1, deadline=None, derandomize=True)
@given(made=VALLEYS, size=SIZES)
def test_rises_of_a_band_are_those_of_each_pair_and_each_roughness_by_itself(kind, made, size):
    """Pairs of coefficients and factors of n are columns beside one another, too, with houses."""
    sections, end = valley(made), {"slope": SLOPE * made["steep"]}
    table = standing(kind, made, size)
    flows = pd.DataFrame(
        {"profile": ["small", "great"], "discharge_m3s": made["q"] * np.r_[0.4, 1]}
    )
    rivers = gpd.GeoDataFrame(index=pd.Index(["r"], name="river"),
                              geometry=[shapely.LineString([(0, 0), (240, 0)])], crs=4547)  # fmt: skip
    half = made["width"] / 2
    houses = gpd.GeoDataFrame(
        index=pd.Index(["above", "below", "between"], name="building_id"), crs=4547,
        geometry=[shapely.box(x - 3, 0.6 * half, x + 3, half + 2) for x in (40.0, 160.0, 190.0)],
    )  # fmt: skip
    # inside bridges the band leaves the river's own coefficients, which a profile's take
    own, share = (0.1, 0.3), 0.15
    inside = (table["kind"] == "bridge").any()
    pairs = (own,) if inside else ((0.0, 0.0), own, (0.6, 0.8))
    told = pg.building_rises(
        houses, sections, flows, end, rivers, allowed_mm=30.0, losses=pairs, roughness_share=share,
        structures=table,
    )  # fmt: skip
    blocks = pg.building_obstacles(houses, sections, rivers, structures=table)

    def rises(pair, factor=1.0):
        """Of all houses, each as a scheme of obstacles of its own."""
        given = {"structures": table, "contraction": pair[0], "expansion": pair[1]}
        rough = sections.assign(n=sections["n"] * factor)
        without = pg.water_profile(rough, flows, end, **given)["level_m"].to_numpy()
        made = {}
        for house in known:
            block = blocks[blocks["building_id"] == house]
            kept = pg.water_profile(rough, flows, end, obstacles=block, **given)["level_m"]
            made[house] = float((kept - without).max()) * 1000
        return pd.Series(made, dtype=float)

    known = told.index[told["rise_alone_mm"].notna()][KINDS.index(kind) % 3 :][:1]  # by turns
    band = pd.concat([rises(pair) for pair in pairs], axis=1).loc[known]
    rough = pd.concat([rises(own, f) for f in (1 - share, 1 + share)], axis=1).loc[known]
    both, told = pd.concat([band, rough], axis=1), told.loc[known]
    for house in known:
        said = [float(p.split(" ")[1]) for p in told.loc[house, "rise_band"].split("; ")]
        assert said == pytest.approx(band.loc[house].tolist(), abs=0.051)
    wanted = {
        "rise_alone_mm": band[pairs.index(own)], "rise_alone_low_mm": both.min(axis=1),
        "rise_alone_high_mm": both.max(axis=1),
        "rise_rough_high_mm": rough.max(axis=1).clip(lower=band[pairs.index(own)]),
    }  # fmt: skip
    for column, values in wanted.items():
        np.testing.assert_allclose(told[column], values, atol=1e-6, rtol=0, err_msg=column)
