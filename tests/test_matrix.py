"""Every fault of the matrix is found and named, alone and in pairs; nothing is read silently wrong."""

import itertools

import numpy as np
import pandas as pd
import pytest
import shapely
from faultmatrix import FAULTS, FILES, N, clean

import pinghu_geo as pg
from pinghu_geo.intake.catalogue import FAULTS as CATALOGUE

# codes that need metres, or the columns that another fault takes away
METRIC = {"sliver", "huge_footprint", "scattered_parts", "duplicate_geometry", "overlap", "lonely",
          "area_mismatch", "floor_area_mismatch", "unit_suspect", "shifted", "far_apart"}  # fmt: skip
IDS = {"missing_id", "duplicate_id", "twin_id", "id_as_number", "bad_unit_number"}
CLEAN = clean()
FLOORS = {"not_whole", "floor_area_mismatch", "unit_suspect", "no_floor_area"}


@pytest.fixture(scope="module")
def sound():
    return clean()


def found(frame, fault):
    reference = CLEAN if fault.reading.get("reference") else None
    return pg.check(frame, "buildings", reference=reference, lang="en")


def test_nothing_is_reported_on_the_clean_layer(sound):
    assert pg.check(sound, reference=sound).empty


def test_there_are_enough():
    assert len(FAULTS) + len(FILES) >= 60
    known = set().union(*(f.codes for f in (*FAULTS.values(), *FILES.values())))
    assert known - set(CATALOGUE) == {"crs_contradicts"}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found_and_nothing_else(sound, name):
    fault = FAULTS[name]
    faults = found(fault.make(sound, 3), fault)
    assert set(faults["fault"]) == fault.codes
    assert faults[["layer", "severity", "problem", "advice"]].map(bool).all().all()
    if fault.touches == "row":
        row = fault.make(sound, 3)
        named = set(faults["id"]) - {"4"}  # a missing id is shown as its row
        assert named <= set(map(str, row.index[[3, 15]])) | {"nan"}


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_read_right_or_refused_with_its_name(sound, name, tmp_path):
    fault = FILES[name]
    path, reading = fault.write(sound, tmp_path)
    faults = pg.check(path, "buildings", lang="en", **reading)
    assert set(faults["fault"]) == fault.codes
    assert faults[["problem", "advice"]].map(bool).all().all()
    if not fault.readable:
        assert (faults["severity"] == "error").any()
        return
    read = pg.read_layer(path, "buildings", **reading)
    if reading.get("row_ids"):  # a drawing: shapes alone, in the order drawn
        np.testing.assert_allclose(read.bounds, sound.bounds, atol=fault.grid_m)
        return
    read = read.loc[sound.index]
    assert read["owner"].tolist() == sound["owner"].tolist()
    for column in ("footprint_m2", "floors", "floor_area_m2", "tenants"):
        np.testing.assert_allclose(read[column], sound[column], rtol=1e-9)
    for column in ("structure", "use", "title", "tenure"):
        assert read[column].tolist() == sound[column].tolist()
    np.testing.assert_allclose(read.area, sound.area, atol=fault.grid_m * sound.length.max())
    np.testing.assert_allclose(read.bounds, sound.bounds, atol=fault.grid_m)


def can_meet(one, other):
    """Whether two faults can be in one layer and both be seen."""
    a, b = FAULTS[one], FAULTS[other]
    if a.touches == b.touches == "layer" and not {one, other} & {"column_garbled", "no_floors"}:
        # of the place of a layer, and of its ids, there is one; areas against areas, too
        both_place = one in PLACES and other in PLACES
        both_ids = a.keeps == b.keeps == "noids"
        both_floors = a.keeps == b.keeps == "nofloors"
        if both_place or both_ids or both_floors:
            return False
    for first, second in ((a, b), (b, a)):
        if first.keeps == "noareas" and second.codes & METRIC:
            return False
        if first.keeps == "noids" and second.codes & IDS:
            return False
        if first.keeps == "nofloors" and (second.codes & FLOORS or "floor" in second.said):
            return False
    return True


PLACES = {n for n, f in FAULTS.items() if f.touches == "layer" and f.keeps in ("noareas",) or f.reading
          or n in ("beijing54", "xian80")}  # fmt: skip
# what one fault hides of the other although both are there, and why that is right
HIDES = {
    # a coordinate that is no number has no place: nothing is compared with it
    ("not_a_number_xy", "axes"), ("not_a_number_xy", "axes_degrees"),
}  # fmt: skip
PAIRS = [p for p in itertools.combinations(FAULTS, 2) if can_meet(*p) and p not in HIDES]


@pytest.mark.parametrize("one", FAULTS)
def test_all_pairs_of_faults_that_can_meet(sound, one):
    missed = []
    for a, b in PAIRS:
        if a != one:
            continue
        first, second = FAULTS[a], FAULTS[b]
        # what changes the place of all comes last, as it does in life
        order = sorted(((first, 3), (second, 8)), key=lambda f: f[0].touches == "layer")
        frame = sound
        for fault, row in order:
            frame = fault.make(frame, row)
        reference = first if first.reading else second
        codes = set(found(frame, reference)["fault"])
        if not (first.codes | second.codes) - {"null_value"} <= codes:
            missed.append((a, b, sorted((first.codes | second.codes) - codes)))
    assert not missed


# formats that tell a hole from a part by where it lies: a ring outside of the others is a part
BY_PLACE = ("gbk", "gb18030", "utf8", "shx", "shp", "dbf", "zipped", "mif", "gdb")


CARRIED = ("blank", "use_unknown", "owner_html", "owner_formula", "tenants_negative", "id_twice",
           "floors_half", "area_digit", "footprint_off", "bow_tie", "hole_outside", "sliver_thin",
           "huge", "far_parts", "drawn_twice", "overlapping", "lonely", "area_in_mu", "no_floors")  # fmt: skip


@pytest.mark.parametrize("name", [n for n, f in FILES.items() if f.readable and n != "dxf_frozen"])
def test_faults_in_the_layer_are_found_through_every_file(sound, name, tmp_path):
    fault = FILES[name]
    missed = []
    for inner in CARRIED:
        if name.startswith("xlsx") and inner == "owner_formula":
            continue  # a workbook's formula has no text: what is shown there is its result
        if name == "csv_corners" and inner in ("hole_outside", "far_parts", "id_twice"):
            continue  # a list of corners has neither holes nor parts
        if name == "xlsx_units" and inner in ("area_in_mu", "no_floors"):
            continue
        folder = tmp_path / inner
        folder.mkdir()
        path, reading = fault.write(FAULTS[inner].make(sound, 3), folder)
        if inner == "hole_outside" and name.startswith(BY_PLACE):
            read = pg.read_layer(path, "buildings", **reading).geometry["B03"]
            assert read.area == pytest.approx(sound.geometry["B03"].area + 2)  # 2 x 2 m, halved
            continue
        codes = set(pg.check(path, "buildings", lang="en", **reading)["fault"])
        wanted = (FAULTS[inner].codes | fault.codes) - {"null_value"}
        if not wanted <= codes:
            missed.append((inner, sorted(wanted - codes)))
    assert not missed


def test_the_shift_of_gcj02_is_measured_and_undone(sound):
    moved = FAULTS["gcj02"].make(sound, 0)
    shift = pg.intake.layer_shift(moved, sound)
    assert shift.n_matched == N
    assert shift.cause == "gcj02"
    assert np.hypot(shift.dx_m, shift.dy_m) == pytest.approx(601, abs=3)  # as PRACTICE.md measured
    back = pg.intake.from_gcj02(moved)
    assert shapely.distance(back.centroid, sound.centroid).max() < 1e-4


def test_what_a_fault_is_called_is_in_both_languages():
    for code, fault in CATALOGUE.items():
        assert fault.severity in ("error", "warning", "note")
        assert fault.zh, code
        assert fault.zh != fault.en or code == "unreadable"
        assert fault.cure_zh, code
        assert fault.cure_en, code


def test_the_documentation_has_the_table():
    from make_faults import document

    assert (
        pg.sample_folder().parent.parent.joinpath("docs/faults.md").read_text("utf-8") == document()
    )


def test_a_summary_has_a_row_a_fault(sound):
    bad = FAULTS["blank"].make(FAULTS["blank"].make(FAULTS["bow_tie"].make(sound, 1), 2), 3)
    summary = pg.intake.check_summary(pg.check(bad))
    assert summary["severity"].tolist() == ["error", "note", "note", "note"]
    assert summary.set_index("field").loc["use", ["count", "ids"]].tolist() == [2, "B02, B03"]
    assert pg.intake.check_summary(pg.check(sound)).empty
    texts = summary.set_index("field")["problem"]
    assert not texts["use"].endswith("…")  # both say the same


def test_a_summary_tells_that_others_say_other_things(sound):
    rows = pd.DataFrame(
        {"layer": "buildings", "severity": "note", "fault": "gap", "field": "geometry",
         "id": ["A", "B"], "problem": ["is 0.2 m off", "is 7 m off"], "advice": "see"}
    )  # fmt: skip
    assert pg.intake.check_summary(rows)["problem"].tolist() == ["is 0.2 m off …"]
    assert pg.intake.check_summary(rows.head(1))["problem"].tolist() == ["is 0.2 m off"]
