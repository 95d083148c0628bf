"""HEC-RAS's text files: out, back in, and the same water."""

import numpy as np
import pandas as pd
import pytest
from test_flood import END, compound

import pinghu_geo as pg


@pytest.fixture
def model():
    sections, banks = compound(stations=4, river="示例河")
    banks = banks.assign(
        contraction=[0.1, 0.2, 0.1, 0.1], expansion=0.3, length_left_m=[45.0, 55, 50, 0],
        length_channel_m=[50.0, 50, 50, 0], length_right_m=[50.0, 48, 50, 0],
        right_levee_m=[40.0, np.nan, np.nan, np.nan], right_levee_top_m=[4.5, np.nan, np.nan, np.nan],
    )  # fmt: skip
    obstacles = pd.DataFrame(
        {
            "river": "示例河", "chainage_m": [50.0, 50.0, 100.0], "from_offset_m": [12.0, -60.0, -50.0],
            "to_offset_m": [20.0, -30.0, -20.0], "top_m": [6.0, 4.0, 3.9],
            "obstacle": ["blocked", "ineffective", "permanent"],
        }
    )  # fmt: skip
    flows = pd.DataFrame(
        {"river": "示例河", "chainage_m": [0.0, 100.0] * 2, "discharge_m3s": [200.0, 230, 120, 150],
         "profile": ["P=2%", "P=2%", "P=10%", "P=10%"]}
    )  # fmt: skip
    return {"sections": sections, "banks": banks, "obstacles": obstacles, "flows": flows}


def test_round_trip_gives_the_same_water(tmp_path, model):
    ends = pd.DataFrame(
        {"profile": ["P=2%", "P=10%"], "slope": [0.001, None], "level_m": [None, 3.4]}
    )
    made = pg.write_hecras(target=tmp_path / "河道", downstream=ends, **model)
    assert {p.suffix for p in made.values()} == {".prj", ".g01", ".f01", ".p01"}
    assert "SI Units" in made["project"].read_text("utf-8")
    back = pg.read_hecras(made["geometry"], made["flow"], units="SI")
    before = pg.water_profile(downstream=ends, **model)
    after = pg.water_profile(
        back.sections, back.flows, back.downstream, banks=back.banks, obstacles=back.obstacles
    )
    assert after["chainage_m"].tolist() == before["chainage_m"].tolist()
    # eight characters a number: a tenth of a millimetre
    assert after["level_m"].to_numpy() == pytest.approx(before["level_m"].to_numpy(), abs=1e-4)
    assert back.obstacles["obstacle"].tolist() == ["ineffective", "blocked", "permanent"]
    assert back.banks["right_levee_top_m"].iloc[0] == 4.5


@pytest.mark.parametrize("name", ["banks", "obstacles"])
def test_rows_meet_their_section_to_the_millimetre(tmp_path, model, name):
    def geometry(folder, off_m):
        there = model[name]["chainage_m"] + off_m
        tables = model | {name: model[name].assign(chainage_m=there)}
        made = pg.write_hecras(target=tmp_path / folder, downstream=END, **tables)
        return made["geometry"].read_text("utf-8").split("\n", 1)[1]

    same = geometry("a", 0.0)
    assert geometry("a", 0.0004) == same
    assert geometry("a", -0.0004) == same
    with pytest.raises(pg.errors.HydraulicsError, match="places where there is no section"):
        geometry("a", 0.0006)
    without = pg.write_hecras(target=tmp_path / "b", downstream=END, **model | {name: None})
    assert without["geometry"].read_text("utf-8").split("\n", 1)[1] != same


def test_walls_become_obstructions(tmp_path, model):
    walls = model["banks"].assign(left_wall_m=-30.0, right_wall_m=25.0)
    model = model | {"banks": walls, "obstacles": None, "flows": 200.0}
    made = pg.write_hecras(target=tmp_path / "a", downstream=END, **model)
    back = pg.read_hecras(made["geometry"], made["flow"], units="SI")
    assert set(back.obstacles["obstacle"]) == {"blocked"}
    one = pg.water_profile(downstream=END, **model)
    other = pg.water_profile(
        back.sections, back.flows, back.downstream, banks=back.banks, obstacles=back.obstacles
    )
    assert other["level_m"].to_numpy() == pytest.approx(one["level_m"].to_numpy(), abs=1e-4)


G01 = """Geom Title=Test
Program Version=6.30

River Reach=Creek           ,Upper
Reach XY= 2
             1.0             2.0             3.0             4.0
Type RM Length L Ch R = 1 ,100.5   ,100,120,140
BEGIN DESCRIPTION:
Upper end
END DESCRIPTION:
Node Last Edited Time=Jan/01/2000 00:00:00
#Sta/Elev= 6
       0      20      10      10      30      10      32     9.5      50      10
      60      20
#Mann= 3 , 0 , 0
       0     .06       0      10     .03       0      50     .06       0
#XS Ineff= 1 , 0
       0       8      15
Permanent Ineff=
       T
Levee=-1,5,16,0,,,,,
Bank Sta=10,50
XS Rating Curve= 0 ,0
Exp/Cntr=.5,.2

Type RM Length L Ch R = 3 ,90
BEGIN DESCRIPTION:
a bridge
END DESCRIPTION:

Type RM Length L Ch R = 1 ,50.0    ,0,0,0
#Sta/Elev= 2
       0      20     100      19
#Mann= 1 , 0 , 0
       0     .05       0
Bank Sta=0,100
Exp/Cntr=.3,.1
"""


def test_a_us_geometry_is_read_by_hand(tmp_path):
    path = tmp_path / "a.g01"
    path.write_text(G01)
    found = pg.read_hecras(path, units="US")
    foot = 0.3048
    first = found.sections[found.sections["chainage_m"] == 0]
    assert first["offset_m"].to_numpy() == pytest.approx(np.array([0, 10, 30, 32, 50, 60]) * foot)
    assert first["n"].tolist() == [0.06, 0.03, 0.03, 0.03, 0.06, 0.06]
    banks = found.banks.iloc[0]
    assert banks["rs"] == "100.5"
    assert (banks["expansion"], banks["contraction"]) == (0.5, 0.2)
    assert banks["left_levee_top_m"] == pytest.approx(16 * foot)
    assert banks["length_right_m"] == pytest.approx(140 * foot)
    assert found.obstacles["obstacle"].tolist() == ["permanent"]
    assert found.sections["chainage_m"].unique() == pytest.approx([0, 120 * foot], abs=1e-3)


def test_refusals(tmp_path, model):
    with pytest.raises(pg.errors.LayerError, match="there is no file"):
        pg.read_hecras(tmp_path / "none.g01", units="SI")
    (tmp_path / "b.g01").write_text("Flow Title=x\n")
    with pytest.raises(pg.errors.LayerError, match="doesn't begin with 'Geom Title='"):
        pg.read_hecras(tmp_path / "b.g01", units="SI")
    (tmp_path / "c.g01").write_text("Geom Title=x\n")
    with pytest.raises(pg.errors.LayerError, match="holds no cross-sections"):
        pg.read_hecras(tmp_path / "c.g01", units="SI")
    curve = {"boundary": "rating", "discharge_m3s": 100.0, "level_m": 3.0}
    with pytest.raises(pg.errors.HydraulicsError, match="has no level, slope or critical depth"):
        pg.write_hecras(target=tmp_path / "d", downstream=curve, **model)
    assert not list(tmp_path.glob("d.*"))  # nothing half-written
    far = model["sections"].assign(offset_m=model["sections"]["offset_m"] + 38_500_000)
    with pytest.raises(pg.errors.HydraulicsError, match="doesn't fit HEC-RAS's eight characters"):
        pg.write_hecras(far, 100.0, END, tmp_path / "e")


# --- as institutes write them -----------------------------------------------------------------


def cells(*values):
    return "".join(("" if v is None else f"{v:g}").rjust(8) for v in values)


def section(rs, *, x0=-50, ineff=None, blocked=None, flags=None, lengths="100,100,100", more=()):
    """A section 100 m wide in the text of a geometry file; blocks as (mode, values)."""
    lines = [f"Type RM Length L Ch R = 1 ,{rs:<8},{lengths}", "#Sta/Elev= 4 "]
    lines += [cells(x0, 20, x0 + 40, 10, x0 + 60, 10, x0 + 100, 20)]
    lines += ["#Mann= 1 , 0 , 0 ", cells(x0, 0.03, 0)]
    for head, block in (("#XS Ineff", ineff), ("#Block Obstruct", blocked)):
        if block:
            mode, values = block
            lines.append(f"{head}= {len(values) // 3} ,{mode:>2} ")
            lines += [cells(*values[k : k + 9]) for k in range(0, len(values), 9)]
        if head == "#XS Ineff" and flags:
            lines += ["Permanent Ineff=", "".join(f.rjust(8) for f in flags)]
    return "\n".join([*lines, f"Bank Sta={x0 + 40},{x0 + 60}", *more, "Exp/Cntr=0.3,0.1", "", ""])


def geometry(folder, *parts, reach="Creek           ,Upper           "):
    path = folder / "m.g01"
    path.write_text(f"Geom Title=x\n\nRiver Reach={reach}\n" + "".join(parts), "utf-8")
    return path


@pytest.mark.parametrize(
    ("block", "areas"),
    [
        # one left and one right: the outer side, blank or 0, is the section's edge
        ((0, [None, -30, 15, 30, None, 16]), [(-50, -30, 15), (30, 50, 16)]),
        ((0, [0, -30, 15, 30, 0, 16]), [(-50, -30, 15), (30, 50, 16)]),
        ((0, [None, None, None, 30, 0, 16]), [(30, 50, 16)]),
        ((0, [0, -30, 15, 0, 0, 0]), [(-50, -30, 15)]),
        ((0, [-50, 0, 15, 30, 50, 16]), [(-50, 0, 15), (30, 50, 16)]),  # 0 on the inner side
        ((0, [None, -30, None, 30, None, 16]), [(-50, -30, 120), (30, 50, 16)]),
        # the section's first offset on the outer side of the right one; none without an inner side
        ((0, [-50, -30, 15, 30, -50, 16]), [(-50, -30, 15), (30, 50, 16)]),
        ((0, [-50, -30, 15, None, -50, None]), [(-50, -30, 15)]),
        ((0, [None, None, 15, 30, 50, 16]), [(30, 50, 16)]),
        ((0, [None, -50, 15, 30, 50, 16]), [(30, 50, 16)]),  # no width
        ((0, [-50, -30, 15, 60, 0, 16]), [(-50, -30, 15)]),  # beyond the section
        # blocks anywhere: 0 is a place, a blank the edge
        ((-1, [0, 10, 15]), [(0, 10, 15)]),
        ((-1, [-40, 0, 15, 20, None, 16]), [(-40, 0, 15), (20, 50, 16)]),
        ((-1, [-40, -30, 15, -20, -10, None, 20, 30, 17, 35, 40, 18]),
         [(-40, -30, 15), (-20, -10, 120), (20, 30, 17), (35, 40, 18)]),
    ],
)  # fmt: skip
def test_blanks_in_ineffective_areas(block, areas, tmp_path):
    path = geometry(tmp_path, section("2", ineff=block), section("1"))
    found = pg.read_hecras(path, units="SI").obstacles
    assert found.iloc[:, 2:5].to_numpy().tolist() == [list(map(float, a)) for a in areas]
    assert set(found["obstacle"]) == {"ineffective"}


def test_an_obstruction_without_a_height_has_no_limit(tmp_path):
    path = geometry(tmp_path, section("2", blocked=(0, [0, -45, None, 40, 0, 12])), section("1"))
    model = pg.read_hecras(path, units="SI")
    found = model.obstacles
    assert found["from_offset_m"].tolist() == [-50, 40]
    assert found["top_m"].isna().tolist() == [True, False]
    assert set(found["obstacle"]) == {"blocked"}
    pg.water_profile(model.sections, 100.0, {"slope": 0.001}, obstacles=found)


def test_flags_stay_with_their_area(tmp_path):
    """The left side has none, but its flag stands there all the same."""
    block = (0, [None, None, None, 30, 0, 16])
    path = geometry(tmp_path, section("2", ineff=block, flags="FT"), section("1"))
    assert pg.read_hecras(path, units="SI").obstacles["obstacle"].tolist() == ["permanent"]


def test_lines_that_an_editor_trimmed(tmp_path):
    block = (-1, [-40, -30, 15, -20, -10, None, -5, 0, None, 20, 30, 17])
    text = section("2", ineff=block, flags="FTFT")
    trimmed = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    path = geometry(tmp_path, trimmed, section("1"))
    found = pg.read_hecras(path, units="SI").obstacles
    assert found["top_m"].tolist() == [15, 120, 120, 17]
    assert found["obstacle"].tolist() == ["ineffective", "permanent", "ineffective", "permanent"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("#Mann= 1", "#Mann= 0"), ("      20     -10", "             -10"), ("0.03", "****"),
     ("#Sta/Elev= 4", "#Sta/Elev= 6")],
)  # fmt: skip
def test_sections_that_cant_be_read_are_named(old, new, tmp_path):
    text = section("2.5").replace(old, new)
    assert text != section("2.5")
    path = geometry(tmp_path, text, section("1"))
    with pytest.raises(pg.errors.LayerError, match=r"Creek\s+,Upper\s+2\.5"):
        pg.read_hecras(path, units="SI")


@pytest.mark.parametrize(
    "ranges",
    [
        [(-50, None), (-50, 0.03)],  # a left overbank of no width
        [(-50, 0), (-50, 0.03)],
        [(-50, 0.03), (50, None)],
        [(-50, 0.03), (50, 0)],
        [(-50, 0), (None, 0), (None, 0), (-50, 0.03)],  # places that nobody filled in
    ],
)
def test_a_range_without_width_needs_no_n(ranges, tmp_path):
    """As in the program's own examples."""
    old = f"#Mann= 1 , 0 , 0 \n{cells(-50, 0.03, 0)}"
    values = [v for x, n in ranges for v in (x, n, 0)]
    rows = [cells(*values[k : k + 9]) for k in range(0, len(values), 9)]
    text = section("2").replace(old, "\n".join([f"#Mann= {len(ranges)} , 0 , 0 ", *rows]))
    assert text != section("2")
    path = geometry(tmp_path, text, section("1"))
    plain = geometry(tmp_path, section("2"), section("1"))
    plain = pg.read_hecras(plain, units="SI").sections
    path = geometry(tmp_path, text, section("1"))
    found = pg.read_hecras(path, units="SI").sections
    columns = ["offset_m", "elevation_m", "n"]
    assert found[columns].ffill().values.tolist() == plain[columns].ffill().values.tolist()


def test_a_levee_without_a_height_is_as_high_as_the_ground(tmp_path):
    """As in the program's own example of Bald Eagle Creek."""
    more = ["Levee=-1,-30,,-1,25,13"]
    path = geometry(tmp_path, section("2", more=more), section("1"))
    model = pg.read_hecras(path, units="SI")
    first = model.banks.iloc[0]
    assert (first["left_levee_m"], first["left_levee_top_m"]) == (-30, 15)
    assert (first["right_levee_m"], first["right_levee_top_m"]) == (25, 13)
    pg.water_profile(model.sections, 100.0, {"slope": 0.001}, banks=model.banks)


def test_files_of_hec_ras_1_are_refused_by_name(tmp_path):
    path = tmp_path / "old.g01"
    path.write_text("Geom Title=x\n\nReach=Creek\n" + section("2") + section("1"), "utf-8")
    with pytest.raises(pg.errors.LayerError, match="of no river, as HEC-RAS 1 wrote them"):
        pg.read_hecras(path, units="SI")
    flow = tmp_path / "old.f01"
    flow.write_text("Flow Title=x\nRch & RM=Creek,2\n   300\n", "utf-8")
    new = geometry(tmp_path, section("2"), section("1"))
    with pytest.raises(pg.errors.LayerError, match="of no river, as HEC-RAS 1 wrote them"):
        pg.read_hecras(new, flow, units="SI")


@pytest.mark.parametrize(("thick", "said"), [("0,0.3,0", ["ice"]), ("0,0,0", [])])
def test_ice_is_named_once_where_there_is_some(thick, said, tmp_path):
    more = [f"Ice Thickness={thick}", "Ice Mann=0.04,0.04,0.04", "Ice Specific Gravity=0.916"]
    path = geometry(tmp_path, section("2", more=more), section("1"))
    assert pg.read_hecras(path, units="SI").left_out["kind"].tolist() == said


BRIDGE = "Type RM Length L Ch R = 3 ,1.5     ,,,\nNode Name=Old Bridge\nDeck Dist= 1\n 99999 X\n"


def node(kind, rs):
    return f"Type RM Length L Ch R = {kind} ,{rs:<8},,,\nBEGIN DESCRIPTION:\nit\nEND DESCRIPTION:\n"


def test_a_bridge_is_named_and_doubts_what_lies_above(tmp_path):
    path = geometry(tmp_path, section("3"), section("2"), BRIDGE, section("1"))
    model = pg.read_hecras(path, units="SI")
    assert model.left_out.values.tolist() == [
        ["bridge", "Old Bridge", "Creek", "1.5", 100.0, 200.0]
    ]
    marks = model.sections.drop_duplicates("chainage_m")["left_out"]
    assert marks.fillna("").tolist() == ["", "bridge Old Bridge 1.5", ""]
    found = pg.water_profile(model.sections, 100.0, {"slope": 0.001})
    assert found["doubts"].str.contains("left_out").tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("kind", "word"),
    [(2, "culvert"), (4, "multiple_opening"), (5, "inline_structure"), (6, "lateral_structure")],
)
def test_every_structure_is_named(kind, word, tmp_path):
    path = geometry(tmp_path, section("3"), node(kind, "2.5"), section("2"), section("1"))
    model = pg.read_hecras(path, units="SI")
    assert model.left_out[["kind", "name", "above_m", "below_m"]].values.tolist() == [
        [word, "it", 0.0, 100.0]
    ]
    found = pg.water_profile(model.sections, 100.0, {"slope": 0.001})
    assert found["doubts"].str.contains("left_out").tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("line", "kind"),
    [("XS Rating Curve= 2 ,0", "rating_curve"), ("Vertical n Elevations= 3 ", "vertical_n"),
     ("Skew Angle= 15 ", "skew"), ("XS Rating Curve= 0 ,0", None), ("Skew Angle= 0 ", None)],
)  # fmt: skip
def test_what_a_section_has_beyond_its_tables_is_named(line, kind, tmp_path):
    path = geometry(tmp_path, section("2"), section("1", more=[line]))
    assert pg.read_hecras(path, units="SI").left_out["kind"].tolist() == ([kind] if kind else [])


def network(folder):
    """Two reaches of a river and a tributary at a junction, a bridge in the lowest reach."""
    path = geometry(
        folder,
        section("9"),
        section("8"),
        "River Reach=Creek           ,Lower           \n",
        section("3"),
        BRIDGE,
        section("1"),
        "Junct Name=J1\nUp River,Reach=Creek           ,Upper           \n"
        "Dn River,Reach=Creek           ,Lower           \n",
        "Storage Area=Pond,1,2\nStorage Area Is2D=0\nStorage Area=Mesh,1,2\nStorage Area Is2D=-1\n",
    )
    return pg.read_hecras(path, units="SI")


def test_junctions_and_areas_are_named(tmp_path):
    found = network(tmp_path).left_out
    assert found["kind"].tolist() == ["bridge", "junction", "storage_area", "flow_area_2d"]
    assert found["name"].tolist() == ["Old Bridge", "J1", "Pond", "Mesh"]
    assert found["river"].fillna("").tolist() == ["Creek, Lower", "Creek, Upper", "", ""]


def test_doubts_go_up_a_tributary(tmp_path):
    model = network(tmp_path)
    sections = model.sections.copy()
    upper = sections["river"] == "Creek, Upper"
    sections.loc[upper, "left_out"] = None  # the junction, but not the bridge, is computed
    sections.loc[upper, "elevation_m"] += 1
    for at, doubted in ((0.0, True), (100.0, False)):  # above and below the bridge
        ends = pd.DataFrame(
            {"river": ["Creek, Lower", "Creek, Upper"], "slope": [0.001, np.nan],
             "joins": [None, "Creek, Lower"], "joins_at_m": [np.nan, at]}
        )  # fmt: skip
        lower = sections[~upper] if at == 0 else pd.concat(
            [sections[~upper]]
            + [sections[~upper & (sections["chainage_m"] == 100)].assign(chainage_m=c) for c in (200, 300)]
        )  # fmt: skip
        if at:
            ends.loc[1, "joins_at_m"] = 250.0
        found = pg.water_profile(pd.concat([sections[upper], lower]), 50.0, ends)
        mine = found[found["river"] == "Creek, Upper"]["doubts"].str.contains("left_out")
        assert mine.tolist() == [doubted] * 2


def test_flows_of_other_geometries_are_named(tmp_path):
    """HEC-RAS keeps flows of reaches that were deleted, and passes them over."""
    path = geometry(tmp_path, section("2.50"), section("1"))
    flow = tmp_path / "m.f01"
    text = "Flow Title=x\nNumber of Profiles= 1 \nProfile Names=PF 1\nRiver Rch & RM={},{},{}\n{}\n"
    gone = "River Rch & RM=Old,Gone,9\n      99\nBoundary for River Rch & Prof#=Old,Gone, 1 \n"
    gone += "Up Type= 0 \nDn Type= 3 \nDn Slope=0.5\n"
    gone += (
        "Boundary for River Rch & Prof#=Creek,Upper, 1 \nUp Type= 0 \nDn Type= 3 \nDn Slope=0.002\n"
    )
    flow.write_text(text.format("Creek", "Upper", "2.5", "      50") + gone)
    model = pg.read_hecras(path, flow, units="SI")
    assert model.flows["discharge_m3s"].tolist() == [50]
    assert model.left_out["kind"].tolist() == ["flow", "boundary"]
    assert model.downstream[["river", "slope"]].values.tolist() == [["Creek", 0.002]]
    flow.write_text(text.format("Old", "Gone", "9", "      50"))
    with pytest.raises(pg.errors.LayerError, match="no flow in any reach"):
        pg.read_hecras(path, flow, units="SI")
    flow.write_text("Flow Title=x\nBoundary Location=Creek,Upper,2\n")
    with pytest.raises(pg.errors.LayerError, match="unsteady"):
        pg.read_hecras(path, flow, units="SI")


@pytest.mark.parametrize(
    "rivers",
    [["君子布河上游整治段左岸支流二号箱涵"], ["A very long name of a river", "A very long name of another"],
     ["Creek, Upper", "Creek, Lower"], ["Creek, Upper"], ["a, b, c"], ["short", "Creek, Upper reach of many"]],
)  # fmt: skip
def test_names_and_digits_survive(rivers, tmp_path):
    sections, banks = compound(stations=3, river="x")
    shift = 1234.567
    sections["offset_m"] += shift
    banks = banks[["river", "chainage_m", "left_bank_m", "right_bank_m"]].copy()
    banks[["left_bank_m", "right_bank_m"]] += shift
    banks["left_bank_m"] += 0.123456
    many = pd.concat([sections.assign(river=r) for r in rivers])
    beside = pd.concat([banks.assign(river=r) for r in rivers])
    level = {"level_m": 3.123456}
    flows = pd.DataFrame({"river": rivers, "discharge_m3s": np.arange(len(rivers)) + 100.0})
    made = pg.write_hecras(many, flows, level, tmp_path / "m", banks=beside)
    for line in made["geometry"].read_text("utf-8").splitlines():
        if line.startswith("River Reach="):
            assert all(len(v.strip()) <= 16 for v in line.partition("=")[2].split(","))
    back = pg.read_hecras(made["geometry"], made["flow"], units="SI")
    assert back.sections["river"].drop_duplicates().tolist() == rivers
    assert back.flows["river"].drop_duplicates().tolist() == rivers
    assert back.downstream["river"].tolist() == rivers
    assert back.downstream["level_m"].tolist() == [3.123456] * len(rivers)
    assert back.banks["left_bank_m"].to_numpy() == pytest.approx(beside["left_bank_m"], abs=1e-6)
    pg.water_profile(back.sections, back.flows, back.downstream, banks=back.banks)


def test_more_blocks_than_two_are_written_as_blocks(tmp_path):
    sections, _ = compound(stations=2, river="r")
    blocks = pd.DataFrame(
        {"river": "r", "chainage_m": 0.0, "from_offset_m": np.arange(12) * 3.0 - 30,
         "to_offset_m": np.arange(12) * 3.0 - 28, "top_m": 4.0,
         "obstacle": ["ineffective", "permanent"] * 6}
    )  # fmt: skip
    made = pg.write_hecras(sections, 50.0, END, tmp_path / "m", obstacles=blocks)
    assert "#XS Ineff= 12 ,-1" in made["geometry"].read_text()
    back = pg.read_hecras(made["geometry"], units="SI").obstacles
    assert back["from_offset_m"].tolist() == blocks["from_offset_m"].tolist()
    assert back["obstacle"].tolist() == blocks["obstacle"].tolist()


# --- HDF --------------------------------------------------------------------------------------


def hdf(path, reaches, *, structures=(), junctions=()):
    """A geometry file of HEC-RAS 6 without levees, as (river, reach, stations) and structures."""
    h5py = pytest.importorskip("h5py")
    text = "S32"
    rows = [
        (r, c, rs, 100.0, 100.0, 100.0, -10.0, 10.0, 0.1, 0.3)
        for r, c, all_rs in reaches
        for rs in all_rs
    ]
    fields = [("River", text), ("Reach", text), ("RS", text)]
    fields += [
        (n, "f4")
        for n in (
            "Len Left",
            "Len Channel",
            "Len Right",
            "Left Bank",
            "Right Bank",
            "Contr",
            "Expan",
        )
    ]
    n = len(rows)
    at = np.stack([np.arange(n) * 4, np.full(n, 4)], 1)
    ground = np.tile(np.array([[-50, 20], [-10, 10], [10, 10], [50, 20]], "f4"), (n, 1))
    with h5py.File(path, "w") as file:
        file.attrs["Units System"] = np.bytes_(b"SI Units")
        xs = file.create_group("Geometry/Cross Sections")
        xs["Attributes"] = np.array(rows, fields)
        xs["Station Elevation Info"], xs["Station Elevation Values"] = at, ground
        xs["Manning's n Info"] = np.stack([np.arange(n), np.ones(n, int)], 1)
        xs["Manning's n Values"] = np.tile(np.array([[-50, 0.03]], "f4"), (n, 1))
        block = [("Left Sta", "f4"), ("Right Sta", "f4"), ("Elevation", "f4"), ("Permanent", "u1")]
        xs["Ineffective Info"] = np.array([[0, 1]] + [[1, 0]] * (n - 1))
        xs["Ineffective Blocks"] = np.array([(-50, -30, np.nan, 0)], block)
        lines = [("River Name", text), ("Reach Name", text), ("DS Type", text), ("DS Name", text)]
        file["Geometry/River Centerlines/Attributes"] = np.array(
            [(r, c, "Junction" if (r, c) in junctions else "External", "J1") for r, c, _ in reaches], lines
        )  # fmt: skip
        if structures:
            said = [
                (s, text)
                for s in ("Type", "River", "Reach", "RS", "US River", "US Reach", "US RS", "DS RS")
            ]
            file["Geometry/Structures/Attributes"] = np.array(structures, said)
    return path


def test_a_geometry_hdf_with_several_reaches(tmp_path):
    """The same river station stands in two reaches; the bridge is in the second."""
    bridge = ("Bridge", "Creek", "Lower", "1.5", "Creek", "Lower", "2", "1")
    reaches = [("Creek", "Upper", ["3", "2", "1"]), ("Creek", "Lower", ["3", "2", "1"])]
    path = hdf(tmp_path / "m.g01.hdf", reaches, structures=[bridge], junctions={("Creek", "Upper")})
    model = pg.flood.read_hecras_results(path)
    assert model.banks["left_levee_m"].isna().all()
    assert model.left_out[["kind", "river", "above_m"]].values.tolist() == [
        ["bridge", "Creek, Lower", 100.0], ["junction", "Creek, Upper", 200.0],
    ]  # fmt: skip
    assert model.structures.empty  # the file says nothing of its deck
    assert model.obstacles["top_m"].tolist() == [120.0]  # no height: no limit
    flat = pg.water_profile(
        model.sections, 100.0, {"slope": 0.001}, banks=model.banks, obstacles=model.obstacles
    )
    doubted = flat["doubts"].str.contains("left_out").groupby(flat["river"]).sum()
    assert doubted.to_dict() == {"Creek, Lower": 2, "Creek, Upper": 3}


@pytest.mark.parametrize(
    "raw", [b"version https://git-lfs.github.com/spec/v1\n", b"", b"\x89HDF\r\n"]
)
def test_what_is_no_hdf_is_refused(raw, tmp_path):
    pytest.importorskip("h5py")
    path = tmp_path / "a.p01.hdf"
    path.write_bytes(raw)
    with pytest.raises(pg.errors.LayerError, match="is no HDF file"):
        pg.flood.read_hecras_results(path)


@pytest.mark.parametrize("path", ["", 5, None, b"m.g01", "folder"])
def test_what_is_no_file_is_named(path, tmp_path):
    path = tmp_path if path == "folder" else path
    bed = pd.DataFrame({"river": "r", "chainage_m": [0.0, 500.0], "bed_level_m": [0.5, 0.0],
                        "left_m": 10.0, "right_m": 10.0, "bank_level_m": 5.0, "n": 0.03})  # fmt: skip
    made = pg.write_hecras(pg.design_sections(bed), 50.0, {"slope": 0.001}, tmp_path / "m")
    calls = [lambda: pg.read_hecras(path, units="SI"), lambda: pg.flood.read_hecras_results(path)]
    if path is not None:
        calls += [
            lambda: pg.read_hecras(made["geometry"], path, units="SI"),
            lambda: pg.read_hecras(made["geometry"], units="SI", plan=path),
        ]
    for call in calls:
        with pytest.raises(pg.errors.LayerError, match="is no path of a file|is a folder"):
            call()


@pytest.mark.parametrize(
    ("kind", "column", "odd", "row"),
    [
        ("weir", "weir_coefficient", 4.0, {"crest_m": 1.0}),
        ("culvert", "entrance_loss", 6.0,
         {"shape": "box", "span_m": 3.0, "rise_m": 2.0, "invert_up_m": 0.3, "invert_down_m": 0.25,
          "n": 0.015, "deck_m": 3.5, "length_m": 20.0}),
    ],
)  # fmt: skip
def test_a_coefficient_that_no_structure_has_is_told_and_the_model_computed(
    kind, column, odd, row, tmp_path
):
    bed = pd.DataFrame({"river": "r", "chainage_m": np.arange(4) * 50.0,
                        "bed_level_m": [0.3, 0.2, 0.1, 0.0], "left_m": 10.0, "right_m": 10.0,
                        "bank_level_m": 5.0, "n": 0.03})  # fmt: skip
    table = pd.DataFrame([{"river": "r", "chainage_m": 75.0, "kind": kind, column: 1.2345, **row}],
                         index=pd.Index(["S"], name="structure_id"))  # fmt: skip
    made = pg.write_hecras(pg.design_sections(bed), 30.0, {"level_m": 2.0}, tmp_path / "m",
                           structures=table)  # fmt: skip
    text = made["geometry"].read_text("utf-8")
    assert "1.2345" in text
    made["geometry"].write_text(text.replace("1.2345", str(odd)), "utf-8")
    back = pg.read_hecras(made["geometry"], made["flow"], units="SI")
    told = back.left_out[back.left_out["kind"] == "coefficient"]
    assert told["name"].tolist() == [f"{column} {odd:g}"]
    found = pg.water_profile(
        back.sections, back.flows, back.downstream, banks=back.banks,
        structures=back.structures, structure_parts=back.structure_parts,
    )  # fmt: skip
    assert found["level_m"].notna().all()
