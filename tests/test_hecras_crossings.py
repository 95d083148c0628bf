"""What geometry files of practice hold of bridges: own sections, abutments, several openings.

The texts are made here, in the columns of public models (Patuxent River, Upper Mississippi, HEC-RAS's
example 5); levels are compared with the same bridge said in other words.
"""

import numpy as np
import pandas as pd
import pytest
import rasopenings
from test_hecras import cells, geometry, section
from test_structures import read_by_others

import pinghu_geo as pg

DECK = "Deck Dist Width WeirC Skew NumUp NumDn MinLoCord MaxHiCord MaxSubmerge Is_Ogee"
COEFFICIENTS = "BR Coef=-1 , 0 , 0 ,, 0 ,,,0.8,{},,1,"


def deck(*points, coefficient=1.66):
    """Lines of a deck of offset, high and low chord, alike above and below."""
    columns = [cells(*column) for column in zip(*points, strict=True)]
    count = len(points)
    return [DECK, f"20,10,{coefficient},0, {count}, {count}, , , 0.95, 0, 0,0,,", *columns * 2]


def crossing(kind, *lines, rs="1.5"):
    head = [f"Type RM Length L Ch R = {kind} ,{rs:<8},,,", "Bridge Culvert--1,0,-1,-1, 0 "]
    return "\n".join([*head, *lines, "BC Design=,, 0 ,, 0 ,,,,,,", "", ""])


def read(folder, *crossings):
    sections = [section(rs) for rs in ("3", "2", "1", "0")]
    return pg.read_hecras(
        geometry(folder, *sections[:2], *crossings, *sections[2:]), units="SI"
    )  # fmt: skip


def levels(model, flow=300.0, **other):
    said = {"structures": model.structures, "structure_parts": model.structure_parts} | other
    return pg.water_profile(
        model.sections, flow, {"slope": 0.002}, banks=model.banks, **said
    )["level_m"].to_numpy()  # fmt: skip


OPEN = ((-50, 18, 0), (-20, 18, 0), (-20, 18, 16), (20, 18, 16), (20, 18, 0), (50, 18, 0))


def test_a_bridge_s_own_sections_and_abutments_are_read(tmp_path):
    own = [
        "BR U #Sta/Elev= 4 ", cells(-50, 20, -10, 9, 10, 9, 50, 20),
        "BR U #Mann= 3 ", cells(-50, 0.12, -10, 0.03, 10, 0.1), "BR U Banks=-10,10",
        "BR D #Sta/Elev= 3 ", cells(-50, 20, 0, 8, 50, 20),
        "BR D #Mann= 1 ", cells(-50, 0.05), "BR D Banks=,",
    ]  # fmt: skip
    abutment = [
        "Abutment Skew #Up #Dn= , 3 , 2 ", cells(-50, -30, -25), cells(17, 17, 8),
        cells(-50, -28), cells(16, 7),
    ]  # fmt: skip
    model = read(tmp_path, crossing(3, *deck(*OPEN), *abutment, COEFFICIENTS.format(0), *own))
    assert model.left_out.empty
    parts = model.structure_parts
    ground = parts[parts["part"] == "ground"]
    up, down = (ground[ground["side"] == side] for side in ("up", "down"))
    assert up["offset_m"].tolist() == [-50, -10, 10, 50]
    assert up["elevation_m"].tolist() == [20, 9, 9, 20]
    assert up["n"].tolist()[:3] == [0.12, 0.03, 0.1]
    assert set(up["left_bank_m"]), set(up["right_bank_m"]) == ({-10}, {10})
    assert down["offset_m"].tolist() == [-50, 0, 50]
    assert down["n"].tolist()[:2] == [0.05, 0.05]
    assert down["left_bank_m"].isna().all()
    stood = parts[parts["part"] == "abutment"]
    assert stood.groupby("side", sort=False)["offset_m"].agg(list).to_dict() == {
        "up": [-50, -30, -25], "down": [-50, -28],
    }  # fmt: skip
    assert stood.groupby("side", sort=False)["elevation_m"].agg(list).to_dict() == {
        "up": [17, 17, 8], "down": [16, 7],
    }  # fmt: skip
    # a deeper ground inside with a rougher bed is not the neighbour's nor nothing
    assert levels(model)[0] != pytest.approx(levels(model, structure_parts=parts[parts["part"] == "deck"])[0])  # fmt: skip  # noqa: E501


def test_own_sections_like_those_beside_a_bridge_change_nothing(tmp_path):
    """The neighbour's ground said once more, about a pier that the water touches."""
    pier = PIERS[: len(PIERS) // 2]
    same = read(tmp_path, crossing(3, *deck(*OPEN), *pier, COEFFICIENTS.format(0)))
    own = [
        line
        for head in ("BR U", "BR D")
        for line in (f"{head} #Sta/Elev= 4 ", cells(-50, 20, -10, 10, 10, 10, 50, 20),
                     f"{head} #Mann= 1 ", cells(-50, 0.03), f"{head} Banks=-10,10")
    ]  # fmt: skip
    said = read(tmp_path, crossing(3, *deck(*OPEN), *pier, COEFFICIENTS.format(0), *own))
    for flow in (50.0, 300.0, 900.0):
        assert levels(said, flow) == pytest.approx(levels(same, flow), abs=1e-9)


def test_an_abutment_with_a_steep_face_is_a_shorter_opening(tmp_path):
    """Solid below its line from the section's end to its face, as the road's embankment is."""
    narrow = ((-50, 30, 0), (-8, 30, 0), (-8, 30, 25), (20, 30, 25), (20, 30, 0), (50, 30, 0))
    wide = ((-50, 30, 0), (-20, 30, 0), (-20, 30, 25), (20, 30, 25), (20, 30, 0), (50, 30, 0))
    short = read(tmp_path, crossing(3, *deck(*narrow), COEFFICIENTS.format(-1)))
    face = ["Abutment Skew #Up #Dn= , 3 , 3 ", *[cells(-50, -8, -8), cells(30, 30, 0)] * 2]
    long = read(tmp_path, crossing(3, *deck(*wide), *face, COEFFICIENTS.format(-1)))
    assert long.left_out.empty
    for flow in (50.0, 300.0):
        assert levels(long, flow) == pytest.approx(levels(short, flow), abs=1e-9)
    without = read(tmp_path, crossing(3, *deck(*wide), COEFFICIENTS.format(-1)))
    assert levels(long)[1] > levels(without)[1] + 0.01


@pytest.mark.parametrize(
    "line", ["Abutment Skew #Up #Dn=20, 2 , 2 ", "BR U #XS Ineff= 1 , 0 ", "BR D Ice= 1"]
)
def test_what_is_not_known_of_a_bridge_leaves_it_out(line, tmp_path):
    more = [line, cells(-50, -20), cells(17, 17), cells(-50, -20), cells(17, 17)]
    model = read(tmp_path, crossing(3, *deck(*OPEN), COEFFICIENTS.format(0), *more))
    assert model.left_out["kind"].tolist() == ["bridge"]


def test_piers_stand_where_each_face_has_them(tmp_path):
    """A river that bends between the faces: piers below stand elsewhere than those above."""
    pier = [
        "Pier Skew, UpSta & Num, DnSta & Num=  ,-5, 2 ,7, 2 , 0 , 0 , 0 ,,",
        cells(1, 1), cells(0, 16), cells(2, 2), cells(0, 16),
        "Pier Skew, UpSta & Num, DnSta & Num=  ,3, 2 ,3, 2 , 0 , 0 , 0 ,,",
        cells(1, 1), cells(0, 16), cells(1, 1), cells(0, 16),
    ]  # fmt: skip
    model = read(tmp_path, crossing(3, *deck(*OPEN), *pier, COEFFICIENTS.format(0)))
    piers = model.structure_parts.query("part == 'pier'")
    found = [
        tuple(v) for v in piers[["group", "side", "offset_m", "pier_width_m"]].fillna("").values
    ]  # noqa: E501
    assert list(dict.fromkeys(found)) == [
        ("0", "up", -5.0, 1.0), ("0", "down", 7.0, 2.0), ("1", "", 3.0, 1.0),
    ]  # fmt: skip
    levels(model)


@pytest.mark.parametrize(("end", "at"), [(-30, -40), (-50, -40), (-60, -55), (-60, -49.8)])
def test_a_pier_beside_its_deck_is_left_away_and_listed(end, at, tmp_path):
    """As in a public model of the Châteauguay; HEC-RAS computes it where no water is.

    Before the deck's end, where the deck has no low chord, or beyond the section (example Canal).
    """
    short = [
        (end, 18, 0 if end < -50 else None),
        (-20, 18, 0),
        (-20, 18, 16),
        (20, 18, 16),
        (20, 18, 0),
        (30, 18, 0),
    ]
    pier = [
        f"Pier Skew, UpSta & Num, DnSta & Num=  ,{at}, 2 ,{at - 1}, 2 , 0 , 0 , 0 ,,",
        cells(1, 1), cells(0, 16), cells(1, 1), cells(0, 16),
    ]  # fmt: skip
    model = read(tmp_path, crossing(3, *deck(*short), *pier, COEFFICIENTS.format(0)))
    assert not (model.structure_parts["part"] == "pier").any()
    assert model.left_out[["kind", "name"]].values.tolist() == [["pier", "beside the deck"]]
    without = read(tmp_path, crossing(3, *deck(*short), COEFFICIENTS.format(0)))
    assert levels(model).tolist() == levels(without).tolist()


TWO = (
    (-50, 19, 0), (-12, 19, 0), (-12, 19, 15), (4, 19, 15), (4, 19, 0),
    (7, 19, 0), (7, 19, 15.5), (14, 19, 15.5), (14, 19, 0), (50, 19, 0),
)  # fmt: skip
PIERS = [
    line
    for at in (-4, 10)
    for line in (f"Pier Skew, UpSta & Num, DnSta & Num=  ,{at}, 2 ,{at}, 2 , 0 , 0 , 0 ,,",
                 *[cells(1, 1), cells(0, 15)] * 2)
]  # fmt: skip
BARRELS = [
    "Multiple Barrel Culv=2,1.5,2,10,0.013,0.5,1,8,1,12.5,12.4, 2,Box #1      , 0 ,20",
    cells(18, 18, 21, 21), "Culvert Bottom n=0.02",
]  # fmt: skip
LIMITS = ["BC Mult= 3 ,-50,8,-50,8", "BC Mult= 3 ,2,17,2,17", "BC Mult= 2 ,12,50,12,50"]


@pytest.mark.parametrize("coefficients", [2, 1])
def test_several_openings_are_read_a_row_each(coefficients, tmp_path):
    """Two bridges and two boxes in one road; limits overlap, the nearest opening counts."""
    said = [COEFFICIENTS.format(-1), COEFFICIENTS.format(0)][:coefficients]
    model = read(tmp_path, crossing(4, *deck(*TWO), *PIERS, *said, *BARRELS, *LIMITS))
    assert model.left_out.empty
    table = model.structures
    assert table.index.tolist() == ["Creek 1.5 #1", "Creek 1.5 #2", "Creek 1.5 #3"]
    assert table["kind"].tolist() == ["bridge", "bridge", "culvert"]
    assert table["limit_left_m"].tolist() == [-50, 2, 12]
    assert table["limit_right_m"].tolist() == [8, 17, 50]
    assert table["high_flow"].tolist()[:2] == ["energy", ["energy", "pressure"][coefficients - 1]]
    boxes = table.iloc[2]
    assert (boxes["from_offset_m"], boxes["to_offset_m"]) == (17.0, 22.0)
    assert (boxes["barrels"], boxes["rise_m"], boxes["span_m"]) == (2, 1.5, 2)
    piers = (
        model.structure_parts.query("part == 'pier'").groupby("structure_id")["offset_m"].unique()
    )  # noqa: E501
    assert piers.map(list).to_dict() == {"Creek 1.5 #1": [-4.0], "Creek 1.5 #2": [10.0]}


def test_several_openings_as_read_are_those_said_by_hand(tmp_path):
    said = [COEFFICIENTS.format(0)]
    model = read(tmp_path, crossing(4, *deck(*TWO), *PIERS, *said, *BARRELS, *LIMITS))
    place = {
        "river": "Creek", "chainage_m": 150.0, "weir_coefficient": 1.66, "distance_m": 20.0,
        "width_m": 10.0, "deck_m": 19.0, "orifice": 0.8, "max_submergence": 0.95,
        "weight": False,
    }  # fmt: skip
    bridge = {**place, "kind": "bridge", "n_piers": 1, "pier_width_m": 1.0}
    rows = pd.DataFrame([
        bridge | {"from_offset_m": -12.0, "to_offset_m": 4.0, "low_chord_m": 15.0,
                  "limit_left_m": -50.0, "limit_right_m": 8.0},
        bridge | {"from_offset_m": 7.0, "to_offset_m": 14.0, "low_chord_m": 15.5,
                  "limit_left_m": 2.0, "limit_right_m": 17.0},
        place | {"kind": "culvert", "shape": "box", "rise_m": 1.5, "span_m": 2.0, "length_m": 10.0,
                 "n": 0.013, "n_bottom": 0.02, "entrance_loss": 0.5, "exit_loss": 1.0, "chart": 8,
                 "scale": 1, "invert_up_m": 12.5, "invert_down_m": 12.4, "barrels": 2,
                 "from_offset_m": 17.0, "to_offset_m": 22.0, "limit_left_m": 12.0,
                 "limit_right_m": 50.0},
    ], index=pd.Index(["a", "b", "c"], name="structure_id"))  # fmt: skip
    piers = pd.DataFrame([
        {"structure_id": name, "part": "pier", "offset_m": at, "pier_width_m": 1.0,
         "elevation_m": z, "group": name} for name, at in (("a", -4.0), ("b", 10.0))
        for z in (0.0, 15.0)
    ])  # fmt: skip
    by_hand = {"structures": rows.assign(n_piers=np.nan, pier_width_m=np.nan),
               "structure_parts": piers}  # fmt: skip
    for flow in (60.0, 250.0, 600.0):
        assert levels(model, flow) == pytest.approx(levels(model, flow, **by_hand), abs=1e-6)


@pytest.mark.parametrize(
    "limits",
    [
        ["BC Mult= 1 ,-50,8,-50,8", *LIMITS[1:]],  # by conveyance
        LIMITS[:2],  # barrels of no opening
        [],
    ],
)
def test_openings_that_are_not_known_leave_the_crossing_out(limits, tmp_path):
    text = crossing(4, *deck(*TWO), COEFFICIENTS.format(0), *BARRELS, *limits)
    model = read(tmp_path, text)
    assert model.structures.empty
    assert model.left_out["kind"].tolist() == ["multiple_opening"]


@pytest.mark.parametrize(
    ("offsets", "said"), [([0.0], "single point of its abutment"), ([5.0, 0.0], "run back")]
)
def test_lines_that_are_none_are_refused(offsets, said, tmp_path):
    model = read(tmp_path, crossing(3, *deck(*OPEN), COEFFICIENTS.format(0)))
    odd = [{"structure_id": "Creek 1.5", "part": "abutment", "offset_m": at, "elevation_m": 12.0}
           for at in offsets]  # fmt: skip
    parts = pd.DataFrame([*model.structure_parts.to_dict("records"), *odd])
    with pytest.raises(pg.errors.HydraulicsError, match=said):
        levels(model, structure_parts=parts)


def test_own_sections_abutments_and_piers_are_written_as_read(tmp_path):
    own = [
        "BR U #Sta/Elev= 4 ", cells(-50, 20, -10, 9, 10, 9, 50, 20),
        "BR U #Mann= 3 ", cells(-50, 0.12, -10, 0.03, 10, 0.1), "BR U Banks=-10,10",
        "BR D #Sta/Elev= 3 ", cells(-50, 20, 0, 8, 50, 20), "BR D Banks=,",
    ]  # fmt: skip
    stood = [
        "Abutment Skew #Up #Dn= , 3 , 2 ", cells(-50, -30, -25), cells(17, 17, 8),
        cells(-50, -28), cells(16, 7),
        "Pier Skew, UpSta & Num, DnSta & Num=  ,-5, 2 ,7, 2 , 0 , 0 , 0 ,,",
        cells(1, 1), cells(0, 16), cells(2, 2), cells(0, 16),
    ]  # fmt: skip
    first = read(tmp_path, crossing(3, *deck(*OPEN), *stood, COEFFICIENTS.format(0), *own))
    files = pg.write_hecras(
        first.sections, 300.0, {"slope": 0.002}, tmp_path / "again", banks=first.banks,
        structures=first.structures, structure_parts=first.structure_parts,
    )  # fmt: skip
    back = pg.read_hecras(files["geometry"], files["flow"], units="SI")
    assert back.left_out.empty
    columns = ["part", "side", "group", "offset_m", "elevation_m", "n", "left_bank_m",
               "right_bank_m", "pier_width_m", "deck_m", "low_chord_m"]  # fmt: skip
    one, other = (m.structure_parts[columns] for m in (first, back))
    pd.testing.assert_frame_equal(one, other, check_dtype=False, atol=1e-3)
    assert levels(back) == pytest.approx(levels(first), abs=1e-6)


@pytest.mark.parametrize(
    ("coefficients", "said"),
    [
        # energy, momentum, Yarnell, its K, WSPRO, -, sluice, orifice, high flow, Cd, used, low chord
        ("-1 , 0 , 0 ,, 0 ,,,0.8,-1,,0,", {"method": "energy", "high_flow": "energy"}),
        ("-1 , 1 , 0 ,, 0 ,,,0.8,0,1.2,0,", {"method": "energy+momentum", "pier_drag": 1.2}),
        (" 1 ,-1 ,-1 ,1.25, 0 ,,0.34,0.8,0,2,0,", {"method": "energy+momentum+yarnell"}),
        (" 1 , 1 , 1 ,1.25, 1 ,,,,1,2,3,", {"method": "wspro", "high_flow": "energy"}),
        ("-1 ,-1 , 0 ,, 0 ,,,0.8,0,,2,", {"method": "momentum"}),
        ("-1 , 0 , 0 ,, 0 ,,,0.8,0,,1,16.5", {"method": "energy", "pressure_chord_m": 16.5}),
    ],
)
def test_methods_of_a_bridge_s_text(coefficients, said, tmp_path):
    """As in BEAVCREK, Baxter, MULTOPEN, BOGCHIT and Patuxent River; written, they are the same."""
    model = read(tmp_path, crossing(3, *deck(*OPEN), f"BR Coef={coefficients}"))
    found = model.structures.iloc[0]
    assert {column: found[column] for column in said} == said
    files = pg.write_hecras(
        model.sections, 300.0, {"slope": 0.002}, tmp_path / "again", banks=model.banks,
        structures=model.structures, structure_parts=model.structure_parts,
    )  # fmt: skip
    back = pg.read_hecras(files["geometry"], files["flow"], units="SI").structures.iloc[0]
    assert {column: back[column] for column in said} == said


def test_pressure_flow_is_tried_from_the_chord_that_is_said(tmp_path):
    """The energy line stands above the low chord of 12 m; one of 40 m is never reached."""
    low = [(x, high, 12 if soffit == 16 else soffit) for x, high, soffit in OPEN]
    plain, higher = (
        read(tmp_path, crossing(3, *deck(*low), f"BR Coef=-1 , 0 , 0 ,, 0 ,,,0.8,0,,1,{chord}"))
        for chord in ("", "40")
    )
    controls = [
        pg.water_profile(
            m.sections, 300.0, {"slope": 0.002}, banks=m.banks, structures=m.structures,
            structure_parts=m.structure_parts,
        )["control"].dropna().tolist()
        for m in (plain, higher)
    ]  # fmt: skip
    assert controls[0][0].startswith("pressure")
    assert controls[1] == ["energy"]


def test_the_water_s_weight_pushes_down_a_bed_but_never_up_one():
    """Inside a bridge whose bed rises the weight is none; where it falls, it lowers the level."""
    bed = pd.DataFrame({"river": "r", "chainage_m": [0.0, 100.0, 120.0, 220.0],
                        "bed_level_m": [0.3, 0.2, 0.2, 0.1], "left_m": 10.0, "right_m": 10.0,
                        "bank_level_m": 9.0, "n": 0.03})  # fmt: skip
    sections = pg.design_sections(bed)
    row = {"river": "r", "chainage_m": 110.0, "kind": "bridge", "method": "momentum",
           "width_m": 10.0, "low_chord_m": 8.0, "n_piers": 1, "pier_width_m": 1.0}  # fmt: skip
    found = {}
    for fall in (-0.2, 0.0, 0.2):
        parts = pd.DataFrame([
            {"structure_id": "b", "part": "ground", "side": side, "offset_m": x, "elevation_m": z,
             "n": 0.03}
            for side, floor in (("up", 0.2 + fall), ("down", 0.2))
            for x, z in ((-10.0, 9.0), (-10.0, floor), (10.0, floor), (10.0, 9.0))
        ])  # fmt: skip
        for weight in (True, False):
            table = pd.DataFrame([row | {"weight": weight}], index=["b"])
            found[fall, weight] = pg.water_profile(
                sections, 60.0, {"level_m": 2.6}, structures=table, structure_parts=parts
            )["level_m"].iloc[1]
    assert found[-0.2, True] == pytest.approx(found[-0.2, False], abs=1e-9)
    assert found[0.0, True] == pytest.approx(found[0.0, False], abs=1e-9)
    assert found[0.2, True] < found[0.2, False] - 1e-3


def heights(figure):
    """Elevations of all shapes in a drawing of a structure, apart from water and ground."""
    return np.concatenate([p.get_xy()[:, 1] for p in figure.axes[0].patches])


def test_embankments_and_abutments_are_drawn_down_to_the_ground(tmp_path):
    """A low chord of 0 or none is the embankment, not a wall down to the datum."""
    none = [(x, high, low or None) for x, high, low in OPEN]
    abutment = ["Abutment Skew #Up #Dn= , 2 , 2 ", *[cells(-20, -12), cells(16, 11)] * 2]
    for points in (OPEN, none):
        text = crossing(3, *deck(*points), *abutment, COEFFICIENTS.format(0))
        model = read(tmp_path, text)
        figure = pg.plot_section(
            model.sections, "Creek", 100.0, structures=model.structures,
            structure_parts=model.structure_parts,
        )  # fmt: skip
        drawn = heights(figure)
        assert drawn.min() == pytest.approx(10.5)  # the ground at -12, below the abutment's foot
        assert drawn.max() == 18
        bridge = figure.axes[0].patches[0].get_xy()
        assert bridge[bridge[:, 0] == 20][:, 1].tolist() == pytest.approx([16, 12.5, 18, 18])


def test_a_long_section_has_structures_whose_levels_are_parts(tmp_path):
    """At their decks; where nobody says a level a dotted line, not a box below the bed."""
    model = read(tmp_path, crossing(3, *deck(*OPEN), COEFFICIENTS.format(0)))
    found = pg.water_profile(
        model.sections, 300.0, {"slope": 0.002}, banks=model.banks, structures=model.structures,
        structure_parts=model.structure_parts,
    )  # fmt: skip
    said = {"structures": model.structures, "structure_parts": model.structure_parts}
    axes = pg.plot_long_section(found, "Creek", **said).axes[0]
    deck_drawn = axes.collections[-1].get_paths()[0].vertices[:, 1]
    assert (deck_drawn.min(), deck_drawn.max()) == (16, 18)
    bare = pg.plot_long_section(found, "Creek", structures=model.structures).axes[0]
    assert len(bare.collections) == len(axes.collections) - 1
    assert bare.get_ylim()[0] > found["bed_m"].min() - 1


# --- several openings, written ----------------------------------------------------------------


def written(folder, model, flow=300.0, **other):
    """A model written and read again."""
    said = {"structures": model.structures, "structure_parts": model.structure_parts} | other
    files = pg.write_hecras(
        model.sections, flow, {"slope": 0.002}, folder / "again", banks=model.banks, **said
    )
    return pg.read_hecras(files["geometry"], files["flow"], units="SI")


def test_several_openings_are_written_as_they_were_read(tmp_path):
    """Two bridges with piers, methods of their own, two boxes, own sections and an abutment."""
    own = [
        line
        for head in ("BR U", "BR D")
        for line in (f"{head} #Sta/Elev= 4 ", cells(-50, 20, -11, 9.5, 11, 9.5, 50, 20),
                     f"{head} #Mann= 1 ", cells(-50, 0.04))
    ]  # fmt: skip
    stood = ["Abutment Skew #Up #Dn= , 2 , 2 ", *[cells(-12, -9), cells(15, 9)] * 2]
    said = [COEFFICIENTS.format(-1), COEFFICIENTS.format(0)]
    text = crossing(4, *deck(*TWO), *PIERS, *stood, *said, *BARRELS, *LIMITS, *own)
    first = read(tmp_path, text)
    back = written(tmp_path, first)
    assert back.left_out.empty
    for name, keys in (("structures", ["rs"]), ("structure_parts", ["structure_id"])):
        one, other = (getattr(m, name) for m in (first, back))
        columns = [c for c in one if c not in keys and one[c].notna().any()]
        pd.testing.assert_frame_equal(
            one[columns].reset_index(drop=True), other[columns].reset_index(drop=True),
            check_dtype=False, atol=1e-3, rtol=0, obj=name,
        )  # fmt: skip
    for flow in (60.0, 250.0, 600.0):
        assert levels(back, flow) == pytest.approx(levels(first, flow), abs=1e-6)


def test_hec_ras_s_example_of_several_openings_comes_back(tmp_path):
    """Five boxes and two bridges (MULTOPEN): the same levels, and another reader's same openings."""
    sections, banks, idle, structures, parts = rasopenings.tables()
    flows = pd.DataFrame([{"river": "r", "profile": n, "discharge_m3s": q * 0.3048**3}
                          for n, q, *_ in rasopenings.FLOODS])  # fmt: skip
    ends = pd.DataFrame([{"river": "r", "profile": n, "level_m": z * 0.3048}
                         for n, _, z, _ in rasopenings.FLOODS])  # fmt: skip
    same = {"banks": banks, "obstacles": idle, "structures": structures, "structure_parts": parts}
    ours = pg.water_profile(sections, flows, ends, **same)
    files = pg.write_hecras(sections, flows, ends, tmp_path / "m", **same)
    back = pg.read_hecras(files["geometry"], files["flow"], units="SI")
    assert back.structures["kind"].tolist() == ["culvert", "bridge", "bridge"]
    read = pg.water_profile(
        back.sections, back.flows, back.downstream, banks=back.banks, obstacles=back.obstacles,
        structures=back.structures, structure_parts=back.structure_parts,
    )  # fmt: skip
    np.testing.assert_allclose(read["level_m"], ours["level_m"], atol=1e-4)
    assert read["control"].dropna().tolist() == ours["control"].dropna().tolist()
    text = files["geometry"].read_text("utf-8")
    kinds = [line.split()[2] for line in text.splitlines() if line.startswith("BC Mult=")]
    assert kinds == ["2", "3", "3"]
    theirs = read_by_others(files["geometry"])
    assert [kind for kind, _ in theirs.node_rs_list("r", "1")] == [1, 4, 1]
    # they leave such nodes unread; called a bridge, its road, piers and barrels are theirs too
    alone = tmp_path / "alone.g01"
    alone.write_text(text.replace("Type RM Length L Ch R = 4", "Type RM Length L Ch R = 3"))
    (crossing_,) = read_by_others(alone).structures.bridges.values()
    assert len(crossing_.piers) == 22
    assert [group.num_barrels for group in crossing_.culvert_groups] == [5]
    assert crossing_.roadway.hi_chord_up[0] == pytest.approx(216.93 * 0.3048, abs=1e-3)
    assert max(crossing_.roadway.lo_chord_up) == pytest.approx(215.7 * 0.3048, abs=1e-3)


def said_by_hand():
    """Two bridges and a box of rows alone, whose limits nobody said."""
    place = {"river": "Creek", "chainage_m": 150.0, "deck_m": 19.0}
    bridge = {**place, "kind": "bridge", "width_m": 10.0}
    return pd.DataFrame([
        bridge | {"from_offset_m": 7.0, "to_offset_m": 14.0, "low_chord_m": 15.5},
        bridge | {"from_offset_m": -12.0, "to_offset_m": 4.0, "low_chord_m": 15.0, "n_piers": 2.0,
                  "pier_width_m": 0.6},
        place | {"kind": "culvert", "shape": "box", "rise_m": 1.5, "span_m": 2.0, "barrels": 3,
                 "length_m": 10.0, "invert_up_m": 12.5, "invert_down_m": 12.4,
                 "from_offset_m": 17.0, "to_offset_m": 26.0},
    ], index=pd.Index(["b", "a", "c"], name="structure_id"))  # fmt: skip


def test_openings_said_by_rows_alone_are_written_from_left_to_right(tmp_path):
    model = read(tmp_path)
    rows = said_by_hand()
    back = written(tmp_path, model, structures=rows, structure_parts=None)
    assert back.structures["kind"].tolist() == ["bridge", "bridge", "culvert"]
    boxes = back.structures.iloc[2]
    assert (boxes["from_offset_m"], boxes["to_offset_m"]) == pytest.approx((17.0, 26.0))
    text = (tmp_path / "again.g01").read_text("utf-8").splitlines()
    limits = [line for line in text if line.startswith("BC Mult=")]
    assert limits == ["BC Mult= 3 ,-50,7,-50,7", "BC Mult= 3 ,4,17,4,17", "BC Mult= 2 ,14,50,14,50"]
    for flow in (60.0, 250.0, 600.0):
        by_hand = levels(model, flow, structures=rows, structure_parts=None)
        assert levels(back, flow) == pytest.approx(by_hand, abs=1e-6)


def test_openings_of_one_road_share_what_one_of_them_says_of_it(tmp_path):
    """The box has no width of its own: it lies below the road of 10 m, not one of the default."""
    model = read(tmp_path)
    rows = said_by_hand().assign(width_m=[16.0, np.nan, np.nan], distance_m=[20.0, np.nan, np.nan])
    whole = rows.assign(width_m=16.0, distance_m=20.0)
    got, wanted = (levels(model, structures=t, structure_parts=None) for t in (rows, whole))
    assert got.tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"width_m": [10.0, 12.0, 10.0]}, "differ in width_m"),
        ({"friction": [True, False, None]}, "differ in friction"),
        ({"from_offset_m": [7.0, -12.0, np.nan]}, "doesn't say where it lies"),
        ({"skew_deg": 10.0}, "stands askew below one road with others and lacks limit_left_m"),
    ],
)
def test_openings_that_one_crossing_of_hec_ras_cannot_hold_are_named(change, said, tmp_path):
    model = read(tmp_path)
    rows = said_by_hand().assign(**change)
    with pytest.raises(pg.errors.HydraulicsError, match=said):
        written(tmp_path, model, structures=rows, structure_parts=None)


def test_decks_and_own_sections_that_differ_below_one_road_are_named(tmp_path):
    model = read(tmp_path)
    rows = said_by_hand()
    deck_of_b = [{"structure_id": "b", "part": "deck", "offset_m": x, "deck_m": 19.0,
                  "low_chord_m": 15.5} for x in (7.0, 14.0)]  # fmt: skip
    with pytest.raises(pg.errors.HydraulicsError, match="in different lines"):
        written(tmp_path, model, structures=rows, structure_parts=pd.DataFrame(deck_of_b))
    ground_of_b = [{"structure_id": "b", "part": "ground", "offset_m": x, "elevation_m": z}
                   for x, z in ((-50.0, 20.0), (-10.0, 10.0), (10.0, 10.0), (50.0, 20.0))]  # fmt: skip
    with pytest.raises(pg.errors.HydraulicsError, match="sections of their own that differ"):
        written(tmp_path, model, structures=rows, structure_parts=pd.DataFrame(ground_of_b))


@pytest.mark.parametrize(("up", "aside"), [(2000.0, 0.0), (0.0, 5000.0), (0.0, -5000.0)])
def test_several_openings_are_the_same_on_a_plateau_and_wherever_offsets_count_from(
    up, aside, tmp_path
):
    """Their parts of the section ended at 1,000 m of height and of offset."""
    model = read(tmp_path)
    rows = said_by_hand()
    model.sections["left_out"] = None
    moved = model.sections.assign(
        offset_m=model.sections["offset_m"] + aside, elevation_m=model.sections["elevation_m"] + up
    )
    banks = model.banks.assign(
        left_bank_m=model.banks["left_bank_m"] + aside,
        right_bank_m=model.banks["right_bank_m"] + aside,
    )
    there = rows.assign(
        **{c: rows[c] + aside for c in ("from_offset_m", "to_offset_m")},
        **{c: rows[c] + up for c in ("deck_m", "low_chord_m", "invert_up_m", "invert_down_m")},
    )
    for flow in (60.0, 600.0):
        here = levels(model, flow, structures=rows, structure_parts=None)
        found = pg.water_profile(
            moved, flow, {"slope": 0.002}, banks=banks, structures=there
        )["level_m"].to_numpy()  # fmt: skip
        assert found - up == pytest.approx(here, abs=1e-6)


@pytest.mark.parametrize("flow", [40.0, 160.0, 400.0])
def test_a_road_at_a_skew_is_written_along_itself(flow, tmp_path):
    """Its deck was written to the section's ends, from which it shrank when read; and its piers."""
    at = np.repeat([0.0, 60.0, 120.0, 180.0], 6)
    bed = np.tile([5.0, 2.5, 0.0, 0.0, 2.5, 5.0], 4) + (180 - at) * 0.001
    shift = np.repeat([0.0, 0.0, 3.0, 3.0], 6)  # the bed turns aside below the bridge
    offset = np.tile([-30.0, -8.0, -6.0, 6.0, 8.0, 40.0], 4) + shift
    sections = pd.DataFrame(
        {"river": "R", "chainage_m": at, "offset_m": offset, "elevation_m": bed, "n": 0.03}
    )
    bridge = pd.DataFrame(
        {"river": "R", "chainage_m": 90.0, "kind": "bridge", "low_chord_m": 2.6, "deck_m": 3.2,
         "from_offset_m": -5.0, "to_offset_m": 7.0, "width_m": 8.0, "n_piers": 2,
         "pier_width_m": 0.8, "skew_deg": 30.0},
        index=pd.Index(["S"], name="structure_id"),
    )  # fmt: skip
    ends = {"slope": 0.001}
    wanted = pg.water_profile(sections, flow, ends, structures=bridge)
    pg.write_hecras(sections, flow, ends, tmp_path / "m", structures=bridge)
    model = pg.read_hecras(tmp_path / "m.g01", units="SI")
    found = pg.water_profile(
        model.sections, flow, ends, banks=model.banks, structures=model.structures,
        structure_parts=model.structure_parts,
    )  # fmt: skip
    assert found["level_m"].to_numpy() == pytest.approx(wanted["level_m"].to_numpy(), abs=1e-4)
    assert found["control"].dropna().tolist() == wanted["control"].dropna().tolist()


def canal():
    at = np.arange(0.0, 301.0, 50.0)
    return pg.design_sections(pd.DataFrame({
        "river": "r", "chainage_m": at, "bed_level_m": 10 + 0.001 * (300 - at), "left_m": 9.0,
        "right_m": 9.0, "bank_level_m": 18.0, "n": 0.03,
    }))  # fmt: skip


@pytest.mark.parametrize(("column", "kind"), [("crest", "drop"), ("crest", "weir"),
                                              ("sill_crest", "gate")])  # fmt: skip
def test_a_sharp_crest_is_not_written_as_a_broad_one(tmp_path, column, kind):
    """Drowned it stood 0.33 m off when it was read again, and nobody said so."""
    more = {"n_gates": 2, "gate_width_m": 4.0, "sill_m": 10.4, "gate_height_m": 3.0,
            "opening_m": 3.0} if kind == "gate" else {}  # fmt: skip
    structures = pd.DataFrame(
        {"river": "r", "chainage_m": [125.0], "kind": kind, "crest_m": 10.6, column: "sharp"}
        | more,
        index=pd.Index(["W"], name="structure_id"),
    )
    given = (canal(), 60.0, {"slope": 0.001}, tmp_path / "m")
    with pytest.raises(pg.errors.HydraulicsError, match="sharp crest.*: W") as caught:
        pg.write_hecras(*given, structures=structures)
    space = {"structures": structures}
    exec(caught.value.hint, space)
    made = pg.write_hecras(*given, structures=space["structures"])
    back = pg.read_hecras(made["geometry"], made["flow"], units="SI")
    parts = back.structure_parts
    if kind == "gate":
        parts = parts.assign(opening_m=np.where(parts["part"] == "gate", 3.0, np.nan))
    again = pg.water_profile(
        back.sections, back.flows, back.downstream, banks=back.banks, structures=back.structures,
        structure_parts=parts,
    )  # fmt: skip
    ours = pg.water_profile(*given[:3], structures=space["structures"])
    np.testing.assert_allclose(again["level_m"], ours["level_m"], atol=1e-6)


def test_gates_with_a_sharp_sill_are_not_written_as_broad_ones(tmp_path):
    structures = pd.DataFrame(
        {"river": "r", "chainage_m": [125.0], "kind": "gate", "crest_m": 14.0},
        index=pd.Index(["W"], name="structure_id"),
    )
    structure_parts = pd.DataFrame(
        {"structure_id": "W", "part": "gate", "group": ["a"], "n_gates": 2, "gate_width_m": 4.0,
         "sill_m": 10.4, "gate_height_m": 3.0, "opening_m": 3.0, "sill_crest": "sharp"}
    )  # fmt: skip
    given = (canal(), 60.0, {"slope": 0.001}, tmp_path / "m")
    with pytest.raises(pg.errors.HydraulicsError, match="sharp sill.*: W") as caught:
        pg.write_hecras(*given, structures=structures, structure_parts=structure_parts)
    space = {"structure_parts": structure_parts}
    exec(caught.value.hint, space)
    pg.write_hecras(*given, structures=structures, structure_parts=space["structure_parts"])
