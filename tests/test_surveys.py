"""Section surveys in the files of their programs: one river, one set of points, every clothing."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_headings import csv, xlsx

import pinghu_geo as pg
from conftest import river_frame

X = [-6.0, -5.0, 0.0, 5.0, 6.0]
Z = {0.0: [52.0, 48, 47.5, 48, 52], 100.0: [51.9, 47.9, 47.4, 47.9, 51.9]}
POINTS = [(at, x, z) for at in Z for x, z in zip(X, Z[at], strict=True)]
WANTED = pd.DataFrame(POINTS, columns=["chainage_m", "offset_m", "elevation_m"])


def text(folder, name, content, encoding="utf-8"):
    (folder / name).write_text(content, encoding)
    return folder / name


def same(found, shift=0.0):
    assert found["river"].unique().tolist() == ["R"]
    for column in WANTED:
        wanted = WANTED[column] + (shift if column == "offset_m" else 0)
        assert found[column].to_numpy() == pytest.approx(wanted.to_numpy(), abs=1e-9), column


def block(at, head, point="{x:g},{z:g}"):
    return head.format(at=at, km=f"K0+{at:03.0f}") + "\n" + "".join(
        point.format(x=x, z=z) + "\n" for a, x, z in POINTS if a == at
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "head", "point"),
    [
        ("a.hdm", "BEGIN,{at:g}:1", "{x:g},{z:g}"),
        ("a.hdm", "begin , {at:.3f}", "{x:.3f} , {z:.3f}"),
        ("a.HDM", "BEGIN,{km}:2", "{x:g},{z:g}"),
        ("a.txt", "{at:g}", "{x:g} {z:g}"),
        ("a.txt", "{km}", "{x:g}\t{z:g}"),
        ("a.txt", "断面 {km}", "{x:g},{z:g}"),
        ("a.txt", "桩号:{km}", "{x:g},{z:g}"),
        ("a.zdm", "{km}", "{x:g} {z:g}"),
        ("a.csv", "断面 {km},\n起点距,高程", "{x:g},{z:g}"),
        ("a.csv", "断面 {km},\n高程,起点距", "{z:g},{x:g}"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_blocks_of_points(tmp_path, name, head, point, encoding):
    path = text(tmp_path, name, "\n".join(block(at, head, point) for at in Z), encoding)
    same(pg.intake.read_sections(path, river="R"))


def test_wide_rows(tmp_path):
    pairs = {at: ",".join(f"{x:g},{z:g}" for x, z in zip(X, Z[at], strict=True)) for at in Z}
    for name in ("a.txt", "a.csv"):
        rows = "".join(f"K0+{at:03.0f},{pairs[at]}\n" for at in Z)
        same(pg.intake.read_sections(text(tmp_path, name, rows), river="R"))
    rows = "".join(f"{at:g} {pairs[at].replace(',', ' ')}\n" for at in Z)
    same(pg.intake.read_sections(text(tmp_path, "b.txt", rows), river="R"))
    rows = [[f"K0+{at:03.0f}", "起点距(m)", *X] if k else [None, "高程(m)", *Z[at]]
            for at in Z for k in (1, 0)]  # fmt: skip
    same(pg.intake.read_sections(xlsx(tmp_path, rows), river="R"))
    broken = [[*rows[0]], rows[1][:-1]]
    with pytest.raises(pg.errors.LayerError, match=r"5 offsets but 4 heights .*\(2: 1, 2\)"):
        pg.intake.read_sections(xlsx(tmp_path, broken), river="R")


def test_a_sheet_a_section_with_the_chainage_in_its_name(tmp_path):
    sheets = [
        (
            f"断面K0+{at:03.0f}",
            [["起点距", "高程"], *([x, z] for x, z in zip(X, Z[at], strict=True))],
        )
        for at in Z
    ]
    path = xlsx(tmp_path, [["君子布河横断面测量成果"], ["测量单位:某院"]], more=sheets)
    same(pg.intake.read_sections(path, river="R"))
    with pytest.raises(pg.errors.LayerError, match="doesn't say its river"):
        pg.intake.read_sections(path)
    unnamed = xlsx(tmp_path, sheets[0][1], name="b.xlsx")
    with pytest.raises(pg.errors.LayerError, match="section has no chainage"):
        pg.intake.read_sections(unnamed, river="R")


def test_several_sheets_of_tables_are_all_read(tmp_path):
    rows = [
        [["河道", "桩号", "起点距", "高程"], *(["R", at, x, z] for a, x, z in POINTS if a == at)]
        for at in Z
    ]
    path = xlsx(tmp_path, rows[0], more=[("二", rows[1])])
    same(pg.intake.read_sections(path))


def test_columns_for_the_left_and_the_right(tmp_path):
    rows = []
    for at, z in Z.items():
        rows += [[f"桩号K0+{at:03.0f}"], ["左距离", "左高程", "右距离", "右高程"]]
        rows += [[0, z[2], None, None], [5, z[1], 5, z[3]], [6, z[0], 6, z[4]]]
    same(pg.intake.read_sections(xlsx(tmp_path, rows), river="R"))
    text_rows = "\n".join(",".join("" if c is None else str(c) for c in r) for r in rows)
    same(pg.intake.read_sections(csv(tmp_path, text_rows), river="R"))


@pytest.mark.parametrize("direction", [1, -1])
def test_coordinates_are_laid_along_the_river(tmp_path, direction):
    start, along = np.array([513000.0, 2510000.0]), np.array([0.6, 0.8]) * direction
    right = np.array([along[1], -along[0]])
    river = river_frame(
        {"R": [tuple(start - 50 * along), tuple(start + 200 * along)]}, start_m=-50.0
    )
    lines, hdm = [], []
    for k, (at, x, z) in enumerate(reversed(POINTS)):
        e, n = start + at * along + x * right + 0.3 * (k % 3 - 1) * along  # not quite in line
        lines.append(f"{k},{'' if k % 2 else 'DM'},{e:.4f},{n:.4f},{z:g}\n")
    found = pg.intake.read_sections(text(tmp_path, "a.dat", "".join(lines)), rivers=river)
    assert found["chainage_m"].unique() == pytest.approx([0, 100], abs=0.31)
    assert found["offset_m"].tolist() == pytest.approx(WANTED["offset_m"].tolist(), abs=1e-3)
    assert found["elevation_m"].tolist() == WANTED["elevation_m"].tolist()
    for at in Z:
        hdm.append(f"BEGIN,{at:g}:1\n")
        for a, x, z in POINTS:
            if a == at:
                e, n = start + at * along + x * right
                hdm.append(f"{e:.4f},{n:.4f},{z:g}\n")
    found = pg.intake.read_sections(text(tmp_path, "a.hdm", "".join(hdm)), rivers=river)
    assert found["offset_m"].to_numpy() == pytest.approx(WANTED["offset_m"].to_numpy(), abs=1e-3)
    assert found["chainage_m"].tolist() == WANTED["chainage_m"].tolist()
    with pytest.raises(pg.errors.LayerError, match="need the centrelines"):
        pg.intake.read_sections(tmp_path / "a.dat", river="R")
    far = text(tmp_path, "b.dat", "1,,2510000,513000,4\n2,,2510001,513000,4\n")
    with pytest.raises(pg.errors.LayerError, match="more than 1 km from any river"):
        pg.intake.read_sections(far, rivers=river)
    e, n = start + 50 * along
    loose = text(tmp_path, "c.dat", "".join(lines) + f"99,,{e:.3f},{n:.3f},4\n")
    with pytest.raises(pg.errors.LayerError, match=r"don't lie in sections across R .*\(1: 11\)"):
        pg.intake.read_sections(loose, rivers=river)


SDF = """BEGIN HEADER:
UNITS: {units}
END HEADER:
BEGIN STREAM NETWORK:
REACH:
STREAM ID: R
REACH ID: Upper
CENTERLINE:
0, 0, ,
0, 500, ,
END:
END STREAM NETWORK:
BEGIN CROSS-SECTIONS:
{sections}
END CROSS-SECTIONS:
"""


@pytest.mark.parametrize(("units", "foot"), [("METRIC", 1.0), ("US CUSTOMARY", 0.3048)])
def test_hec_ras_sections_are_about_their_stream(tmp_path, units, foot):
    sections = "".join(
        f"CROSS-SECTION:\nSTREAM ID:R\nREACH ID:Upper\nSTATION:{at / foot:.6f}{star}\nCUT LINE:\n"
        f"{-6 / foot}, 50\n{6 / foot}, 50\nBANK POSITIONS: 0.1, 0.9\nN VALUES:\n0.0, 0.05\n0.2, 0.03\n"
        "SURFACE LINE:\n"
        + "".join(f"{x / foot:.6f}, 50, {z / foot:.6f}\n" for x, z in zip(X, Z[at], strict=True))
        + "END:\n"
        for at, star in ((0.0, ""), (100.0, "*"))
    )
    path = text(tmp_path, "a.sdf", SDF.format(units=units, sections=sections))
    found = pg.intake.read_sections(path)
    assert found["offset_m"].to_numpy() == pytest.approx(WANTED["offset_m"].to_numpy(), abs=1e-5)
    assert found["elevation_m"].to_numpy() == pytest.approx(
        WANTED["elevation_m"].to_numpy(), abs=1e-5
    )
    assert found["chainage_m"].to_numpy() == pytest.approx(
        WANTED["chainage_m"].to_numpy(), abs=1e-5
    )
    assert found["n"].tolist() == [0.05, 0.05, 0.03, 0.03, 0.03] * 2
    assert found["river"].unique().tolist() == ["R"]


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.hdm", "K0+000\n2 5.0 -1.2 8.0 0.3\n2 4.0 -1.0 9.0 0.5\n", "HintCAD .*K0\\+000 / 2,5.0"),
        ("a.dmx", "0.000 48.5\n20.000 48.4\n40.000 48.3\n", "longitudinal profile"),
        ("a.hdm", "HINTCAD5.83_HDM_SHUJU\nabc def 1 2 3\n", "not as HintCAD writes it"),
        ("a.hdm", "HINTCAD5.83_TF_SHUJU\n1 2 3\n4 5 6\n", "its first lines are HINTCAD5.83_TF"),
        ("a.hdx", "x y z\n", "is no format that is known|holds no points"),
        ("a.txt", "", "is empty"),
        ("a.hdm", "BEGIN,0:1\n-6,52\nabc,3\n", r"'abc' where a number is expected .*\(1: 3\)"),
        ("a.hdm", "BEGIN,0:1\n-6,52,9\n", r"where offset and height are expected .*\(1: 2\)"),
        ("a.hdm", "BEGIN\n-6,52\n", "section has no chainage"),
    ],
)
def test_what_is_no_section_is_refused_with_its_first_lines(tmp_path, name, content, match):
    with pytest.raises(pg.errors.LayerError, match=match):
        pg.intake.read_sections(text(tmp_path, name, content), river="R")


def test_the_line_of_the_chainages_is_kept(tmp_path):
    path = text(tmp_path, "a.hdm", "BEGIN,DK0+000:1\n-6,52\n6,52\n")
    assert pg.intake.read_sections(path, river="R")["line"].tolist() == ["DK", "DK"]
    path = text(tmp_path, "a.hdm", "BEGIN,DK0+000:1\n-6,52\n6,52\nBEGIN,K0+100:2\n-6,52\n6,52\n")
    with pytest.raises(pg.errors.ChainageError, match="mixes chainages of several lines"):
        pg.intake.read_sections(path, river="R")


def test_a_section_without_a_centre_peg_is_asked_for_and_fitted(tmp_path):
    path = text(
        tmp_path,
        "a.hdm",
        "BEGIN,0:1\n0,52\n1,48\n11,48\n12,52\nBEGIN,100:2\n0,52\n1,48\n11,48\n12,52\n",
    )
    found = pg.intake.read_sections(path, river="R").assign(n=0.03)
    assert found["offset_m"].tolist() == [0, 1, 11, 12] * 2
    fitted = pg.flood.section_offsets(found, origin="left_bank", centre_m="middle")
    assert fitted["offset_m"].tolist() == [-6, -5, 5, 6] * 2
    level = pg.water_profile(fitted, 20.0, {"slope": 0.001})
    assert len(level) == 2


def test_what_is_written_is_read_back(tmp_path):
    sections = WANTED.assign(river="R")
    pg.intake.write_sections(sections, tmp_path / "a.hdm")
    assert (tmp_path / "a.hdm").read_text().splitlines()[:2] == ["BEGIN,0.000:1", "-6.000,52.000"]
    same(pg.intake.read_sections(tmp_path / "a.hdm", river="R"))
    with pytest.raises(pg.errors.LayerError, match="hold several rivers"):
        pg.intake.write_sections(
            pd.concat([sections, sections.assign(river="S")]), tmp_path / "b.hdm"
        )
    with pytest.raises(pg.PinghuError, match=r"\.hdm"):
        pg.intake.write_sections(sections, tmp_path / "b.txt")
    assert not (tmp_path / "b.hdm").exists()


@pytest.mark.parametrize(
    ("record", "match"),
    [
        ("STATION: abc\nSURFACE LINE:\n0,0,1\n5,0,1\n", "station is no number"),
        ("SURFACE LINE:\n0,0,1\n5,0,1\n", "station is no number"),
        ("STATION: 5\nSURFACE LINE:\nfoo\n5,0\n", "without a surface line"),
        ("STATION: 5\n", "without a surface line"),
    ],
)
def test_a_broken_sdf_is_one_sentence(tmp_path, record, match):
    section = f"CROSS-SECTION:\nSTREAM ID: R\n{record}END:\n"
    path = text(tmp_path, "a.sdf", SDF.format(units="METRIC", sections=section))
    with pytest.raises(pg.errors.LayerError, match=match):
        pg.intake.read_sections(path)
    with pytest.raises(pg.errors.LayerError, match="is a folder"):
        pg.intake.read_sections(tmp_path, river="R")


# the bed of WANTED as HintCAD writes it: from the centre outwards, each from the point before
HINTCAD = "HINTCAD5.83_HDM_SHUJU\r\n" + "".join(
    f"{at}\r\n2\t 5.000\t 0.000\t 1.000\t {left}\r\n2 5.0 0 1.0 {right}\r\n\r\n"
    for at, left, right in (("0.000", "4.000", "3.5"), ("K0+100", "4.000", "3.500"))
)
DMX = "HINTCAD5.83_DMX_SHUJU\r\n       0.000\t 48.000\r\n     K0+100\t 47.500\r\n"


def test_hintcad_is_read_with_the_profile_beside_it(tmp_path):
    path = text(tmp_path, "横断面.HDM", HINTCAD)
    with pytest.raises(pg.errors.LayerError, match=r"the \.dmx, which isn't beside it"):
        pg.intake.read_sections(path, river="R")
    text(tmp_path, "横断面.dmx", DMX)
    found = pg.intake.read_sections(path, river="R")
    assert found["chainage_m"].tolist() == [0.0] * 5 + [100.0] * 5
    assert found["offset_m"].tolist() == [-6.0, -5, 0, 5, 6] * 2
    assert found["elevation_m"].tolist() == [52.0, 48, 48, 48, 51.5, 51.5, 47.5, 47.5, 47.5, 51]
    other = text(tmp_path, "zdm.dmx", DMX.replace("48.000", "8.000").split("\r\n", 1)[1])
    moved = pg.intake.read_sections(path, river="R", centre=other)
    assert moved["elevation_m"].tolist()[:5] == [12.0, 8, 8, 8, 11.5]
    profile = pg.water_profile(found.assign(n=0.03), 20.0, {"slope": 0.001})
    assert len(profile) == 2


def test_hintcad_of_distances_from_the_centre_is_asked_about(tmp_path):
    text(tmp_path, "a.dmx", "0 48\n")
    path = text(tmp_path, "a.hdm", "HINTCAD5.83_HDM_SHUJU\n0\n3 2 0 5 1 6 4\n1 5 0\n")
    with pytest.raises(pg.errors.LayerError, match="from the point before, .* or from the centre"):
        pg.intake.read_sections(path, river="R")
    for how, offsets, heights in (
        ("previous", [-13.0, -7, -2, 0, 5], [53.0, 49, 48, 48, 48]),
        ("centre", [-6.0, -5, -2, 0, 5], [52.0, 49, 48, 48, 48]),
    ):
        found = pg.intake.read_sections(path, river="R", relative_to=how)
        assert found["offset_m"].tolist() == offsets
        assert found["elevation_m"].tolist() == heights


@pytest.mark.parametrize(
    ("hdm", "dmx", "match"),
    [
        ("0\n1 5 0\n", "0 48\n", r"a chainage, a row for the left.*\(1: 3\)"),
        ("0\n2 5 0\n1 5 0\n", "0 48\n", r"how many points, .*\(1: 3\)"),
        ("0\n1 -5 0\n1 5 0\n", "0 48\n", r"how many points, .*\(1: 3\)"),
        ("0\n1 5 0\n1 5 x\n", "0 48\n", r"how many points, .*\(1: 4\)"),
        ("20\n1 5 0\n1 5 0\n", "0 48\n", r"a.dmx: has no height for centres .*\(1: 20\)"),
        ("0\n1 5 0\n1 5 0\n", "0 48 3\n", r"'0 48 3' where chainage and height .*\(1: 1\)"),
        ("0\n1 5 0\n1 5 0\n", "0 48\n0.000 49\n", r"two heights for one chainage .*\(1: 2\)"),
    ],
)
def test_a_broken_hintcad_file_is_refused_by_row(tmp_path, hdm, dmx, match):
    text(tmp_path, "a.dmx", dmx)
    path = text(tmp_path, "a.hdm", "HINTCAD5.83_HDM_SHUJU\n" + hdm)
    with pytest.raises(pg.errors.LayerError, match=match):
        pg.intake.read_sections(path, river="R")


def test_the_table_of_kinds_names_tests_that_are_there():
    here = Path(__file__).parent
    page = (here.parent / "docs" / "surveys.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d.*) \| `(test_\w+)` \| (.*) \|$", page, re.MULTILINE)
    for kind, module, names in rows:
        source = (here / f"{module}.py").read_text("utf-8")
        lost = [n for n in re.findall(r"`(\w+)`", names) if f"def {n}(" not in source]
        assert not lost, f"{kind}: {lost}"
    points = {int(n) for kind, *_ in rows for n in re.findall(r"\d+", kind)}
    assert points == set(range(1, 15))


HDM = "BEGIN,{}:1\n-5,44\n{}\n5,44\n"


@pytest.mark.parametrize("height", ["0", "-9999", "-99", "9999", "-32768", "99999"])
def test_a_height_that_stands_for_no_measurement_is_refused(tmp_path, height):
    path = tmp_path / "a.hdm"
    rows = [f"{at}|{'0,40' if at != 100 else f'0,{height}'}" for at in (0, 100, 200)]
    path.write_text("".join(HDM.format(*row.split("|")) for row in rows), "utf-8")
    read = pg.intake.read_sections(path, river="R").assign(n=0.03)
    with pytest.raises(pg.errors.HydraulicsError, match=r"no measurement.*\(1: R K0\+100"):
        pg.water_profile(read, 50.0, {"slope": 0.001})
    with pytest.raises(pg.errors.HydraulicsError, match="no measurement"):
        pg.flood.normal_levels(read, 50.0, slope=0.001)


@pytest.mark.parametrize("height", ["0", "-1", "-99", "9999"])
@pytest.mark.parametrize("lost", [(100,), (0, 100), (0, 100, 200)])
def test_a_height_not_measured_is_refused_in_however_many_sections(tmp_path, height, lost):
    """The other points of its section lie where the sections without one lie."""
    path = tmp_path / "a.hdm"
    rows = [(at, f"-4,{height if at in lost else 40}\n4,40.5") for at in (0, 100, 200, 300)[-4:]]
    path.write_text("".join(HDM.format(*row) for row in (rows[:2] if len(lost) == 1 else rows)))
    read = pg.intake.read_sections(path, river="R").assign(n=0.03)
    with pytest.raises(pg.errors.HydraulicsError, match="no measurement"):
        pg.water_profile(read, 50.0, {"slope": 0.001})


@pytest.mark.parametrize(
    "heights", [[(44, 0, 44)] * 3, [(9, 0, 9), (8, -1, 8), (7, 1, 7)], [(44, 34, 44), (9, 0, 9)]]
)
def test_a_bed_at_nothing_is_a_bed(heights):
    table = pd.concat(
        pd.DataFrame({"river": "R", "chainage_m": 100.0 * k, "offset_m": [-5.0, 0, 5],
                      "elevation_m": z, "n": 0.03}) for k, z in enumerate(heights)
    )  # fmt: skip
    assert len(pg.flood.normal_levels(table, 5.0, slope=0.001)) == len(heights)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("BEGIN,0\nBEGIN,100\n-5,4\n5,4\n", r"without points .*\(1: 1\)"),
        ("BEGIN,0\n-5,4\n5,4\nBEGIN,100\n", r"without points .*\(1: 4\)"),
        ("".join(f"BEGIN,0.{k}00\n-5,4\n0,1\n5,4\n" for k in range(3)), "chainages in km"),
    ],
)
def test_a_file_of_sections_that_lacks_something_is_refused(tmp_path, text, match):
    (tmp_path / "a.hdm").write_text(text, "utf-8")
    with pytest.raises(pg.PinghuError, match=match):
        pg.intake.read_sections(tmp_path / "a.hdm", river="R")


@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
@pytest.mark.parametrize("mark", ["\t", ","])
@pytest.mark.parametrize("encoding", ["gbk", "utf-16"])
def test_a_table_as_text_is_a_table(tmp_path, name, mark, encoding):
    rows = "".join(f"K0+{at:03.0f},{x:g},{z:g}\n" for at, x, z in POINTS)
    table = ("君子布河断面\n桩号,起点距(m),高程(m)\n" + rows).replace(",", mark)
    same(pg.intake.read_sections(text(tmp_path, name, table, encoding), river="R"))
    # a chainage in the first row of each section only: its other points have none
    table = re.sub(r"(K0\+\d{3})(.*\n)((?:\1.*\n)*)",
                   lambda m: m[1] + m[2] + m[3].replace(m[1], ""), table)  # fmt: skip
    with pytest.raises(pg.errors.LayerError, match=r"no chainage .*\(8: 4, 5, 6, 7"):
        pg.intake.read_sections(text(tmp_path, name, table, encoding), river="R")
    read = pg.read_table(text(tmp_path, "b.csv", table, encoding), "sections")
    read = read.assign(river="R", n=0.03)
    with pytest.raises(pg.errors.HydraulicsError, match="lacks chainage_m") as error:
        pg.water_profile(read, 5.0, {"slope": 0.001})
    names = {"sections": read}
    exec(error.value.hint, names)
    same(names["sections"])


def test_a_minus_of_typesetting_is_a_minus(tmp_path):
    same(pg.intake.read_sections(text(tmp_path, "a.hdm", "".join(
        block(at, "BEGIN,{at:g}").replace("-", "\N{MINUS SIGN}") for at in Z)), river="R"))  # fmt: skip


@pytest.mark.parametrize(
    "head", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"AC1027\x00\xff", b"PK\x03\x04\xff\x81"]
)
@pytest.mark.parametrize("name", ["a.hdm", "a.xls", "a.csv"])
def test_what_is_no_text_is_said_to_be_none(tmp_path, head, name):
    (tmp_path / name).write_bytes(head + b"\0\xff\xfe" * 60)
    with pytest.raises(pg.errors.LayerError, match=r"no text by content"):
        pg.intake.read_sections(tmp_path / name, river="R")


def test_points_in_no_known_order_are_refused_with_the_first_lines(tmp_path):
    with pytest.raises(pg.errors.LayerError, match="first lines are K0"):
        pg.intake.read_sections(text(tmp_path, "a.txt", "K0+020\n52/6 48/0 52/6\n"), river="R")


def test_chainages_in_kilometres_are_asked_about_in_tables(tmp_path):
    rows = "".join(f"R,0.{k:02},{x},{z}\n" for k in (2, 4, 6) for x, z in ((-5, 4), (5, 4)))
    for read in (lambda p: pg.read_table(p, "sections"), pg.intake.read_sections):
        with pytest.raises(pg.errors.ChainageError, match="are their chainages in km"):
            read(csv(tmp_path, "河道,桩号,起点距,高程\n" + rows))
        for unit, factor in (("km", 1000.0), ("m", 1.0)):
            found = read(csv(tmp_path, f"河道,桩号({unit}),起点距,高程\n" + rows))
            assert found["chainage_m"].unique() == pytest.approx(
                np.array([0.02, 0.04, 0.06]) * factor
            )


@pytest.mark.parametrize(
    ("heading", "match"),
    [
        ("间距,高程", "names no offset and height"),
        ("距离,高差", "names no offset and height"),
        ("起点距(m),水深(m)", "names no offset and height"),
        ("起点距(cm),高程(cm)", "points in cm, not in metres"),
        ("起点距(m),高程(毫米)", "points in 毫米, not in metres"),
        ("偏距/m,标高/dm", "points in dm, not in metres"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_the_heading_of_a_block_is_heard(tmp_path, heading, match, name):
    """Points below were taken for offset and height in metres, whatever stood above them."""
    content = "".join(block(at, "断面 {km}\n" + heading) for at in Z)
    with pytest.raises(pg.errors.LayerError, match=match):
        pg.intake.read_sections(text(tmp_path, name, content), river="R")


@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
@pytest.mark.parametrize(
    ("title", "datum"),
    [("1956黄海高程系", "yellow_sea_1956"), ("高程:珠江基面", "pearl_river"), ("", None)],
)
def test_the_height_system_above_blocks_is_kept(tmp_path, name, title, datum):
    heads = "断面 {km}\n起点距(m),高程/m\n(m),(m)"
    content = f"君子布河横断面 {title}\n" + "".join(block(at, heads) for at in Z)
    read = pg.intake.read_sections(text(tmp_path, name, content), river="R")
    same(read)
    assert (read["datum"].unique().tolist() == [datum]) if datum else "datum" not in read
