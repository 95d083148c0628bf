"""The forms of `pinghu new`: filled in as their examples show, left empty, or half filled."""

import meeting
import openpyxl
import pandas as pd
import pytest

import pinghu_geo as pg
from pinghu_geo.deliver.forms import ASKED, ENGLISH, FORMS, heading_of
from pinghu_geo.nouns.schema import NOUNS
from pinghu_geo.start import FORMS as FILES


def test_every_form_of_a_new_project_has_an_example():
    assert set(FILES) <= set(FORMS)
    assert all(FORMS[what]["examples"] for what in FORMS)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("what", sorted(FILES))
def test_a_form_is_filled_in_as_its_example_shows(tmp_path, what, lang):
    """The words and numbers of the sheet of explanation, typed below the headings, are sound."""
    path = tmp_path / "表.xlsx"
    pg.deliver.write_blank_form(what, path, lang=lang)
    assert pg.read_table(path, what).empty  # the examples are no data
    book = openpyxl.load_workbook(path)
    sheet, about = book.worksheets
    names = ASKED.get(what, [c.name for c in NOUNS[what].columns])
    heads = {heading_of(NOUNS[what][n], lang): n for n in names}
    told = [cell.value for cell in sheet[1]]
    assert set(told) <= set(heads)
    rows = [list(row) for row in about.iter_rows(values_only=True)]
    examples = len(rows[0]) - 4
    assert examples == len(FORMS[what]["examples"])
    assert len(rows) == 1 + len(told)
    for k in range(examples):
        for at, row in enumerate(rows[1:], start=1):
            sheet.cell(2 + k, at).value = row[4 + k] or None
    # words of codes, and yes or no, are to be chosen
    lists = {str(r.sqref)[0] for r in sheet.data_validations.dataValidation}
    coded = [
        n
        for n in (heads[t] for t in told)
        if NOUNS[what][n].codes or NOUNS[what][n].dtype == "bool"
    ]
    assert len(lists) == len(coded)
    book.save(path)
    read = pg.read_table(path, what)
    faults = pg.check(path, what)
    assert not (faults["severity"] != "note").any(), faults.to_string()
    for k, example in enumerate(FORMS[what]["examples"]):
        for name, value in example.items():
            wanted = ENGLISH.get(value, value) if lang == "en" else value
            if NOUNS[what][name].dtype == "chainage" and isinstance(value, str):
                wanted = pg.parse_chainage(value)
            elif NOUNS[what][name].dtype == "date":
                wanted = pd.Timestamp(value)
            assert read[name].iloc[k] == wanted, name


KEYS = {"flood": ("structures", "structure_parts", "junctions", "evidence"),
        "tables": ("rates", "segments", "walls")}  # fmt: skip
CAMPAIGN = ("groups", "tenants", "handover", "capacity")


def _project(folder, what, *, filled=()):
    """A project that names the form of a table; of its cells those of the first row are filled."""
    pg.deliver.write_blank_form(what, folder / "表.xlsx", rows=filled)
    ends = dict.fromkeys(meeting.LINES, 0.0005)
    key = f'{what} = "表.xlsx"\n'
    more = key if what in KEYS["flood"] else ""
    file = meeting.project(folder, more="", ends=ends)
    text = file.read_text("utf-8").replace('junctions = "汇流口.csv"\n', "") + more
    if what in KEYS["tables"]:
        text = text.replace("[schemes.", f"[tables]\n{key}[schemes.", 1)
    if what in CAMPAIGN:
        text += '[campaign]\nadopted = "原方案"\nstart = "2018-01-02"\n' + key
        text += 'groups = ["第1组", "第2组"]\n' if what == "capacity" else ""
    file.write_text(text, "utf-8")
    return file


def _refusal(file):
    """What a run of a project is refused with; nothing where it works."""
    try:
        pg.run_project(file, file.parent / "结果", outputs=["summary"])
    except pg.PinghuError as fault:
        return str(fault)
    return ""


@pytest.mark.parametrize("what", [*KEYS["flood"], *KEYS["tables"], *CAMPAIGN])
def test_a_form_returned_empty_works_or_is_refused_by_name(tmp_path, what):
    file = _project(tmp_path, what)
    found = pg.check_project(file)
    errors = found[found["severity"] == "error"]
    if said := _refusal(file):
        assert "表.xlsx" in said
        assert errors["layer"].tolist() == [what]
    else:
        assert errors.empty, errors.to_string()


HALF = {
    "structures": {"structure_id": "1号桥"}, "structure_parts": {"structure_id": "1号桥"},
    "junctions": {"junction": "汇口"}, "rates": {"use": "residential"},
    "segments": {"river": "干流"}, "walls": {"wall": "悬臂式挡墙"}, "tenants": {"tenant_id": "Z1"},
    "handover": {"river": "干流"}, "capacity": {"group": "第1组"}, "evidence": {"sewage_ok": "是"},
    "groups": {"leader": "张三"},
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(HALF))
def test_a_form_that_is_half_filled_works_or_is_refused_by_name(tmp_path, what):
    """A first cell alone: what lacks is said of the form, as an error of `check`, too."""
    file = _project(tmp_path, what, filled=[HALF[what]])
    found = pg.check_project(file)
    errors = found[found["severity"] == "error"]
    if said := _refusal(file):
        assert "表.xlsx" in said
        assert set(errors["layer"]) == {what}
        assert errors["advice"].str.strip().astype(bool).all()
    else:
        assert errors.empty, errors.to_string()


NAMES = {"structures": "桥涵闸坝.xlsx", "junctions": "汇流口.xlsx", "groups": "责任组.xlsx",
         "tenants": "租户.xlsx"}  # fmt: skip


def test_a_filled_form_is_known_when_the_project_is_begun_anew(tmp_path):
    """Filled forms in the folder: `new` takes them, and names them in project.toml."""
    meeting.project(tmp_path)
    for path in (*tmp_path.glob("*.csv"), tmp_path / "project.toml"):
        path.unlink()
    pg.new_project(tmp_path)
    for what, row in (
        ("structures", {"structure_id": "1号桥", "river": "干流", "chainage_m": "K0+100", "kind": "bridge"}),
        ("junctions", {"junction": "汇口", "river": "东溪", "role": "in"}),
        ("groups", {"group": "第1组"}), ("tenants", {"tenant_id": "Z1", "building_id": "H1"}),
    ):  # fmt: skip
        path = tmp_path / NAMES[what]
        pg.deliver.write_blank_form(what, path, rows=[row])
    (tmp_path / "project.toml").unlink()
    found = pg.new_project(tmp_path).set_index("file")
    told = {w: f for f, w in found["what"].items() if w in FILES}
    assert told == NAMES
    text = (tmp_path / "project.toml").read_text("utf-8")
    assert '# junctions = "汇流口.xlsx"' in text
    assert '# groups = "责任组.xlsx"' in text


def test_tenants_that_nobody_listed_are_not_none(tmp_path):
    file = _project(tmp_path, "tenants")
    with pytest.raises(pg.errors.LayerError, match=r"tenants \(表.xlsx\): has no rows"):
        pg.run_project(file, tmp_path / "结果")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("what", sorted(FILES))
@pytest.mark.parametrize("left", ["no_form", "blank_form", "csv", "moved_down"])
def test_an_explanation_alone_is_never_read_as_data(tmp_path, what, lang, left):
    """A form that was deleted or cleared, or whose other sheet was saved as CSV."""
    path = tmp_path / "表.xlsx"
    pg.deliver.write_blank_form(what, path, lang=lang)
    book = openpyxl.load_workbook(path)
    sheet, about = book.worksheets
    if left == "blank_form":
        sheet.delete_rows(1, 10)
    else:
        book.remove(sheet)
    if left == "moved_down":
        about.insert_rows(1, 2)
    book.save(path)
    if left == "csv":
        table = pd.read_excel(path, header=None)
        path = tmp_path / "表-说明.csv"
        table.to_csv(path, index=False, header=False)
    with pytest.raises(pg.errors.LayerError, match="is empty|the explanation of a form"):
        pg.read_table(path, what)
    faults = pg.check(path, what)
    assert faults["fault"].tolist() == ["unreadable"]
    if left == "no_form":  # nor where it is named
        with pytest.raises(pg.errors.LayerError, match="the explanation of a form"):
            pg.read_table(path, what, sheet=about.title)


def test_a_new_project_takes_no_explanation_for_a_table(tmp_path):
    meeting.project(tmp_path)
    (tmp_path / "project.toml").unlink()
    pg.deliver.write_blank_form("evidence", tmp_path / "空表.xlsx")
    table = pd.read_excel(tmp_path / "空表.xlsx", sheet_name=1, header=None)
    (tmp_path / "空表.xlsx").unlink()
    table.to_csv(tmp_path / "留房依据-说明.csv", index=False, header=False)
    found = pg.new_project(tmp_path).set_index("file")
    assert found.loc["留房依据-说明.csv", "what"] == ""
    assert (tmp_path / "留房依据.xlsx").exists()


@pytest.mark.parametrize(("lang", "between", "units"), [
    ("zh", ";", {"building": "栋/天", "household": "户/天", "m2": "m²/天", "node": "按节点"}),
    ("en", "; ", {"building": "buildings a day", "household": "households a day",
                  "m2": "m² a day", "node": "node"}),
])  # fmt: skip
def test_the_form_of_capacity_says_what_each_stage_is_counted_in(tmp_path, lang, between, units):
    """Whoever typed 2 for every stage had 2 buildings surveyed a day, and 2 m² taken down."""
    path = tmp_path / "表.xlsx"
    pg.deliver.write_blank_form("capacity", path, lang=lang)
    about = openpyxl.load_workbook(path).worksheets[1]
    may = {row[0]: row[3] for row in about.iter_rows(values_only=True)}
    parts = may["每队每日工效" if lang == "zh" else "per day"].split(between)
    rules = pg.campaign.stage_rules()
    for code, rule in rules.iterrows():
        word = rule["zh"] if lang == "zh" else code.replace("_", " ")
        (said,) = [part for part in parts if word in part]
        assert units[rule["unit"]] in said
