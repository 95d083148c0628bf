"""Papers in Word: what they say is what the tables hold, and stays text."""

import re
import zipfile
from dataclasses import replace
from io import BytesIO

import campaigns
import docx
import geopandas as gpd
import pandas as pd
import pytest
import shapely
from docx import Document
from docx.oxml.ns import qn
from lxml import etree
from test_campaign_project import report, said, small_project

import pinghu_geo as pg
from pinghu_geo import campaigning
from pinghu_geo.nouns.notices import heard

HOSTILE = [
    "{{ 7*7 }}", "{%p if 1 %}", "{_{ one }_}", "</w:t></w:r><w:r><w:fldSimple w:instr='DDEAUTO'/>",
    "&amp; <b>", "]]>", "a\nb\tc", "\x07bell\x0cfeed\0nul", "\u202e反", "=1+1", "{# x #}", "$x$",
    "甲\r\n乙", "'\"`", "\ufffe半",
]  # fmt: skip
SHOWN = {"\x07bell\x0cfeed\0nul": "␇bell␌feed␀nul", "\u202e反": "<U+202E>反", "甲\r\n乙": "甲\n乙",
         "\ufffe半": "\ufffd半"}  # fmt: skip


def texts(path):
    """All texts of a document, cell by cell and paragraph by paragraph."""
    document = Document(path)
    cells = [c.text for t in document.tables for r in t.rows for c in r.cells]
    return cells + [p.text for p in document.paragraphs]


def table_after(path, *heads):
    """Rows of the table with these headings."""
    for table in Document(path).tables:
        rows = [[c.text for c in r.cells] for r in table.rows]
        if rows[0][: len(heads)] == list(heads):
            return rows[1:]
    raise AssertionError(heads)


def one_house(**columns):
    hit = campaigns.houses(1, each=1)
    return hit.assign(**columns)


@pytest.fixture(scope="module")
def made():
    return campaigns.campaign(20)


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_the_data_arrive_and_do_nothing(tmp_path, text):
    hit = one_house(owner=text)
    people = pd.DataFrame({"building_id": hit.index, "name": text}, ["T1"])
    path = pg.deliver.write_household_files(hit, tmp_path, tenants=people, project=text)[0]
    want = SHOWN.get(text, text)
    found = texts(path)
    assert found.count(want) == 2  # owner and tenant
    with zipfile.ZipFile(path) as packed:
        body = packed.read("word/document.xml")
        for name in packed.namelist():
            if name.endswith((".xml", ".rels")):
                etree.fromstring(packed.read(name))
    for field in (b"fldSimple", b"fldChar", b"instrText", b"w:hyperlink", b"DDEAUTO '"):
        assert b"<" + field not in body
    assert not [p for p in found if "{%" in p and text not in p]


def test_ids_are_names_within_the_folder(tmp_path):
    ids = ["../../etc/x", "CON", "a:b", "甲/乙", "x" * 300, "-rf"]
    hit = gpd.GeoDataFrame(
        {"owner": "某"}, geometry=[shapely.box(k, 0, k + 1, 1) for k in range(6)], crs=4547,
        index=pd.Index(ids, name="building_id"),
    )  # fmt: skip
    paths = pg.deliver.write_household_files(hit, tmp_path / "档")
    assert {p.parent for p in paths} == {tmp_path / "档"}
    assert len({p.name.casefold() for p in paths}) == 6
    assert sorted(p.name for p in tmp_path.iterdir()) == ["档"]
    for one, path in zip(ids, paths, strict=True):
        assert any(one in text for text in texts(path))


def test_bound_holds_what_single_files_hold_and_bytes_are_the_same_twice(tmp_path, made):
    houses = made["tasks"].buildings.head(3)
    given = {k: made[k] for k in ("state", "stages")} | {"nodes": made["tasks"].nodes}
    single = pg.deliver.write_household_files(houses, tmp_path / "一", **given)
    again = pg.deliver.write_household_files(houses, tmp_path / "二", **given)
    assert [p.read_bytes() for p in single] == [p.read_bytes() for p in again]
    bound = pg.deliver.write_household_files(houses, tmp_path / "订.docx", **given)
    assert [t.text for t in tables(bound[0])] == [t.text for p in single for t in tables(p)]
    pictures = [n for n in zipfile.ZipFile(bound[0]).namelist() if n.startswith("word/media/")]
    assert len(pictures) == 3
    days = {i.date_time for i in zipfile.ZipFile(bound[0]).infolist()}
    assert days == {(2000, 1, 1, 0, 0, 0)}


def tables(path):
    return [c for t in Document(path).tables for r in t.rows for c in r.cells]


def test_a_household_file_says_what_the_tables_hold(tmp_path, made):
    hit = made["tasks"].buildings.head(1).assign(
        building_yuan=1234.0, relocation_yuan=66.0, cost_yuan=1300.0, title="registered",
        floor_area_m2=float("nan"),
    )  # fmt: skip
    rows = made["state"].reached
    rows = rows[rows["id"] == hit.index[0]].set_index("stage")["date"]
    path = pg.deliver.write_household_files(hit, tmp_path, state=made["state"],
                                            nodes=made["tasks"].nodes)[0]  # fmt: skip
    facts = {}
    for row in Document(path).tables[0].rows:
        cells = [c.text for c in row.cells]
        facts |= {cells[0]: cells[1], cells[2]: cells[3]}
    assert facts["权利人"] == "某"
    assert facts["产权情况"] == "有证"
    assert facts["建筑面积 (m²)"] == "不详"
    assert facts["责任组"] == made["tasks"].nodes["group"].iloc[0]
    # without zones nobody asked who clears; with them it may be unknown of a house
    assert facts["清拆主体"] == "未提供更新整备片区"
    asked = pg.deliver.write_household_files(hit.assign(cleared_by=pd.NA), tmp_path / "片区")[0]
    assert [
        c.text
        for r in Document(asked).tables[0].rows
        for c in r.cells
        if "清拆主体" in [x.text for x in r.cells]
    ][1] == "不详"
    costs = table_after(path, "科目", "金额 (元)")
    assert costs == [["房屋补偿", "1,234"], ["搬迁补偿", "66"], ["合计", "1,300"]]
    words = made["stages"]["zh"]
    want = [[words[s], f"{rows[s]:%Y-%m-%d}" if s in rows else "—"] for s in words.index]
    assert [r[:2] for r in table_after(path, "阶段", "完成日期")] == want


def test_an_estimate_stands_with_its_mark_in_a_household_file(tmp_path, made):
    """100 m² by 2 storeys that were counted from a height: 200 m², both estimated."""
    hit = made["tasks"].buildings.head(1).assign(
        floors=2, floors_source="estimated", footprint_m2=100.0, floor_area_m2=float("nan"),
        floor_area_source="estimated",
    )  # fmt: skip
    for lang, floors, area in (("zh", "2(按高度估算)", "200(估算)"),
                               ("en", "2 (estimated from the height)", "200 (estimated)")):  # fmt: skip
        path = pg.deliver.write_household_files(hit, tmp_path / lang, lang=lang)[0]
        cells = [c.text for row in Document(path).tables[0].rows for c in row.cells]
        facts = dict(zip(cells[::2], cells[1::2], strict=True))
        assert facts[pg.nouns.label("floors", lang=lang)] == floors
        assert facts[pg.nouns.label("floor_area_m2", lang=lang)] == area
    surveyed = hit.assign(
        floor_area_m2=180.0, floor_area_source="surveyed", floors_source="surveyed"
    )
    path = pg.deliver.write_household_files(surveyed, tmp_path / "known")[0]
    cells = [c.text for row in Document(path).tables[0].rows for c in row.cells]
    assert {"180", "2"} <= set(cells)


def test_tenants_are_those_of_the_house_under_their_own_headings(tmp_path, made):
    hit = made["tasks"].buildings.head(2)
    people = pd.DataFrame({"building_id": hit.index[0], "name": ["甲", "乙"], "kind": "shop",
                           "area_m2": [10.0, None]}, ["T1", "T2"])  # fmt: skip
    first, second = pg.deliver.write_household_files(hit, tmp_path, tenants=people)
    rows = table_after(first, "租户编号", "租户名称", "租户类型")
    assert [r[:2] for r in rows] == [["T1", "甲"], ["T2", "乙"]]
    assert rows[1][3] == "不详"
    assert "登记租户 2 户。" in texts(first)
    assert "无登记租户。" in texts(second)


def test_notices_name_each_red_node_and_the_houses_behind(tmp_path, made):
    watched = made["watched"]
    paths = pg.deliver.write_notices(watched, tmp_path, tasks=made["tasks"], state=made["state"])
    assert len(paths) == len(watched.notices) > 2
    order = ["todo", *made["stages"].index]
    for path, (node, row) in zip(paths, watched.notices.iterrows(), strict=True):
        now = made["state"].buildings
        now = now.loc[now["node_id"] == node, "stage"]
        behind = now[now.map(order.index) < order.index(row["stage_due"])]
        found = table_after(path, "房屋编号", "权利人")
        assert [r[0] for r in found] == list(behind.index)
        said = next(text for text in texts(path) if f"已滞后 {row['late_by_days']} 天" in text)
        last_day = re.findall(r"\d{4}-\d\d-\d\d(?= 前完成)|(?<=限期 )[\d-]{10}", said)[-1]
        assert row["date"] - pd.Timestamp(last_day) == pd.Timedelta(days=row["late_by_days"])


def test_no_red_node_no_notice(tmp_path):
    calm = campaigns.campaign(4, as_of="2018-01-03")
    assert pg.deliver.write_notices(calm["watched"], tmp_path / "督办") == []
    assert not (tmp_path / "督办").exists()


def test_transfers_are_of_stretches_where_something_stood(tmp_path, made):
    tasks, state = made["tasks"], made["state"]
    faces = pg.working_faces(tasks.buildings, campaigns.works(tasks), state=state.reached,
                             as_of=state.as_of)  # fmt: skip
    paths = pg.deliver.write_transfers(faces, tmp_path, tasks=made["tasks"], state=made["state"])
    rows = faces.receipts[faces.receipts["nodes"] != ""]
    assert len(paths) == len(rows) > 0
    listed = {r[0] for p in paths for r in table_after(p, "房屋编号", "权利人")}
    down = made["state"].reached.query("stage == 'demolished' and kind == 'building'")["id"]
    assert listed == set(down)


@pytest.mark.parametrize(("removed", "said_"), [
    ([], "房屋已全部拆除,其中 2 栋尚未完成“清运”(B1、B2)"),
    (["B1"], "房屋已全部拆除,其中 1 栋尚未完成“清运”(B2)"),
    (["B1", "B2"], "段已清空,作为施工作业面移交施工单位。"),
])  # fmt: skip
def test_a_transfer_says_cleared_once_the_rubble_is_gone(tmp_path, removed, said_):
    houses = gpd.GeoDataFrame(
        {"river": "甲河", "bank": "left", "from_m": [10.0, 20.0], "to_m": [18.0, 28.0],
         "needs_survey": False, "demolish_floor_area_m2": 90.0, "inside_m2": 9.0,
         "extent": "full", "cut_depth_m": 1.0},
        geometry=[shapely.box(x, 3, x + 8, 9) for x in (10, 20)], crs=4547,
        index=pd.Index(["B1", "B2"], name="building_id"),
    )  # fmt: skip
    tasks = pg.campaign_tasks(houses)
    rivers = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (90, 0)])], crs=4547,
                              index=pd.Index(["甲河"], name="river"))  # fmt: skip
    rows = [(b, s, d) for b in houses.index
            for s, d in (("signed", "2018-02-01"), ("demolished", "2018-03-01"))]  # fmt: skip
    rows += [(b, "removed", "2018-03-05") for b in removed]
    log = pd.DataFrame(rows, columns=["building_id", "stage", "date"])
    state = pg.progress_state(log, tasks.buildings, as_of="2018-03-06")
    faces = pg.working_faces(tasks.buildings, rivers, state=state.reached, as_of="2018-03-06")
    (path,) = pg.deliver.write_transfers(faces, tmp_path, tasks=tasks, state=state)
    told = "\n".join(texts(path))
    assert said_ in told
    assert ("已清空" in told) == (len(removed) == 2)
    assert [r[3] for r in table_after(path, "房屋编号", "权利人")] == ["2018-03-01"] * 2


@pytest.mark.parametrize(("columns", "words", "paid"), [
    ({"task_class": "task"}, "", True),
    ({"task_class": "retain"}, "本房屋保留,不作补偿。", False),
    ({"verdict": "retain"}, "本房屋保留,不作补偿。", False),
    ({"task_class": "others", "cleared_by": "某公司"}, "由某公司清拆并支付补偿", True),
    ({"task_class": "review"}, "是否拆除尚未确定", True),
    ({"verdict": "review"}, "是否拆除尚未确定", True),
    ({"task_class": "survey"}, "是否拆除尚未确定", True),
])  # fmt: skip
def test_a_household_file_pays_only_who_is_demolished(tmp_path, columns, words, paid):
    """The file of a house that stays held the sum of its demolition, to be signed."""
    hit = one_house(**columns).assign(building_yuan=900.0, cost_yuan=900.0)
    (path,) = pg.deliver.write_household_files(hit, tmp_path)
    told = "\n".join(texts(path))
    assert ("科目" in told and "900" in told) == paid
    known = ("不作补偿", "支付补偿", "尚未确定", "没有可用的补偿标准")
    assert words in told if words else not any(k in told for k in known)
    cells = [c.text for row in Document(path).tables[0].rows for c in row.cells]
    area = cells[cells.index("拆除建筑面积 (m²)") + 1]
    assert (area == "—") == (not paid)


@pytest.mark.parametrize("kind", ["retain", "review", "survey", "task"])
def test_a_house_signed_for_that_is_no_task_any_more_is_to_be_decided(tmp_path, made, kind):
    """Evidence that came after the signature made its file say that nothing is due."""
    signed = made["state"].reached.query("kind == 'building' and stage == 'signed'").iloc[0]
    hit = made["tasks"].buildings.loc[[signed["id"]]].assign(task_class=kind, cost_yuan=900.0)
    (path,) = pg.deliver.write_household_files(hit, tmp_path, state=made["state"])
    told = "\n".join(texts(path))
    assert "900" in told
    assert "不作补偿" not in told
    assert (f"已于 {signed['date']:%Y-%m-%d} 签约" in told) == (kind != "task")


@pytest.mark.parametrize(("verdict", "reported", "told"), [
    ("retain", "signed", True), ("review", "signed", True), ("retain", "negotiation", False),
    ("demolish", "signed", False),
])  # fmt: skip
def test_houses_signed_for_that_are_no_tasks_any_more_are_told(verdict, reported, told):
    stages = pg.campaign.stage_rules()
    hit = campaigns.houses(2).assign(verdict="demolish")
    first = hit.index[0]
    log = pd.DataFrame({"building_id": [first], "stage": [reported], "date": ["2018-02-01"]})
    hit.loc[first, "verdict"] = verdict
    tasks = pg.campaign_tasks(hit)
    state = pg.progress_state(log, tasks.buildings)
    with heard() as notes:
        campaigning._say_what_was_signed_and_is_no_task(tasks, state.reached, stages)
    assert [str(first) in str(n) and "signed for" in str(n) for n in notes] == [True] * told


def test_the_weekly_report_counts_the_week(tmp_path):
    made = campaigns.campaign(20, as_of="2018-03-12")
    path = pg.deliver.write_weekly_report(
        made["tasks"], made["state"], made["watched"], tmp_path / "周报.docx", plan=made["plan"],
        faces=made["faces"],
    )  # fmt: skip
    changes = made["watched"].changes
    words = made["stages"]["zh"]
    assert len(changes) > 5
    want = changes[changes["kind"] == "building"].groupby("stage").size()
    got = {r[0]: int(r[1]) for r in table_after(path, "阶段", "房屋 (栋)")}
    assert got == {words[s]: n for s, n in want.items()}
    late = made["watched"].nodes.query("signal != 'green'")
    assert [r[0] for r in table_after(path, "征拆节点", "责任组", "应达阶段")] == list(late.index)
    assert "2018-03-06 – 2018-03-12" in texts(path)


def test_the_weekly_report_says_what_is_handed_over_and_what_is_late_with_it(tmp_path):
    made = campaigns.campaign(10, as_of="2018-04-10")
    state, plan = made["state"], made["plan"]
    last = made["stages"].index[-1]
    there = state.nodes["stage"] == last
    assert there.sum() == 1  # the ninth of ten nodes, reported eight times
    done = there.index[there][0]
    # the tenth of March asks for the node that is there and for two others, the day itself for one
    needed = pd.Series(pd.NaT, plan.nodes.index, dtype="datetime64[ns]")
    late = [n for n in needed.index if n != done][:3]
    needed[[done, *late]] = pd.to_datetime(["2018-03-10", "2018-03-12", "2018-03-10", "2018-04-10"])
    path = pg.deliver.write_weekly_report(
        made["tasks"], state, made["watched"], tmp_path / "周报.docx", faces=made["faces"],
        plan=replace(plan, nodes=plan.nodes.assign(needed_by=needed)),
    )  # fmt: skip
    told = texts(path)
    assert "10 个节点中已移交 1 个(到“移交”阶段)。" in told
    assert "至今应移交 4 个;其中迟于要求才移交 1 个,逾期仍未移交 2 个。" in told
    assert f"逾期未移交(按要求移交日期先后):{late[1]}、{late[0]}。" in told


def test_board_and_weekly_report_say_what_is_no_task_yet(tmp_path):
    """When all nodes were handed over, nothing said that houses in review still stand."""
    hit = campaigns.houses(4)
    words = {hit.index[0]: "review", hit.index[1]: "review", hit.index[2]: "retain"}
    verdict = pd.Series(words).reindex(hit.index, fill_value="demolish")
    tasks = pg.campaign_tasks(hit.assign(verdict=verdict, needs_survey=hit.index == hit.index[3]))
    state = pg.progress_state(
        pd.DataFrame(columns=["building_id", "stage", "date"]), tasks.buildings, as_of="2018-03-01"
    )
    plan = pg.schedule(tasks.nodes, start="2018-01-02", work=0.0)
    watched = pg.supervision(plan.activities, state, tasks.buildings)
    path = pg.deliver.write_weekly_report(tasks, state, watched, tmp_path / "周报.docx", plan=plan)
    assert "红线内另有房屋尚未列为任务:待核 2 栋、待勘 1 栋。" in texts(path)
    # by what key a measured house becomes a task is said, in both languages
    assert "survey_tolerance_m" in next(t for t in tasks.summary() if "现场测定" in t)
    assert any("survey_tolerance_m" in t for t in tasks.summary(lang="en"))
    board = pg.node_board(tasks, state=state, plan=plan, watched=watched)
    assert "尚未列为任务:待核 2 栋、待勘 1 栋" in board.html
    decided = pg.campaign_tasks(hit)
    assert decided.undecided() == ""
    assert "尚未列为任务" not in pg.node_board(decided).html


def test_the_report_on_schemes_holds_the_tables_of_compare(tmp_path):
    rivers = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (400, 0)])], crs=4547,
                              index=pd.Index(["甲河"], name="river"))  # fmt: skip
    houses = gpd.GeoDataFrame(
        {"floors": 2.0, "use": "residential"},
        geometry=[shapely.box(50 * k, 8 if k < 4 else 12, 50 * k + 10, 20) for k in range(6)],
        crs=4547, index=pd.Index([f"B{k}" for k in range(6)], name="building_id"),
    )  # fmt: skip
    lines = {"宽": pg.red_line(rivers, 15.0), "窄": pg.red_line(rivers, 10.0)}
    with pytest.warns(match="estimated"):
        found = pg.compare(lines, houses, rivers)
    path = pg.deliver.write_scheme_report(found, tmp_path / "比选.docx", rivers=rivers, note="合成")
    rows = {r[0]: r for r in table_after(path, "方案", "房屋栋数 (栋)")}
    assert rows["宽"][1] == "6"
    assert rows["窄"][1] == "4"
    assert rows["宽"][5] == "不详"  # no rates: not 0
    assert table_after(path, "方案", "河道")[0][:4] == ["窄", "甲河", "2", "0"]
    assert any("按基底面积乘层数估算" in t for t in texts(path))
    assert "没有寻优得出的方案。" in texts(path)
    assert loose_above_signatures(path) == []


def test_a_sum_that_is_known_in_part_says_so_in_both_tables_of_the_schemes(tmp_path):
    """By river stood 3 tenants where the text above said 3, and of one house unknown."""
    rivers = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (400, 0)])], crs=4547,
                              index=pd.Index(["甲河"], name="river"))  # fmt: skip
    houses = gpd.GeoDataFrame(
        {"floor_area_m2": [100.0, 200.0, None], "tenants": [1.0, 3.0, None]},
        geometry=[shapely.box(50 * k, 12 if k else 8, 50 * k + 10, 20) for k in range(3)],
        crs=4547, index=pd.Index(["B0", "B1", "B2"], name="building_id"),
    )  # fmt: skip
    lines = {"宽": pg.red_line(rivers, 15.0), "窄": pg.red_line(rivers, 10.0)}
    path = pg.deliver.write_scheme_report(pg.compare(lines, houses, rivers), tmp_path / "比选.docx",
                                          rivers=rivers)  # fmt: skip
    wide = next(r for r in table_after(path, "方案", "房屋栋数 (栋)") if r[0] == "宽")
    assert wide[3:5] == ["300(另有 1 栋不详)", "4(另有 1 栋不详)"]
    spared = table_after(path, "方案", "河道")[0]
    assert spared[2:6] == ["2", "0", "200(另有 1 栋不详)", "3(另有 1 栋不详)"]


def loose_above_signatures(path):
    """Texts between the last thing said and the signatures that Word may leave on another page."""
    body = list(Document(path).element.body)
    at = max(k for k, one in enumerate(body) if one.tag == qn("w:tbl"))
    loose = []
    for one in reversed(body[:at]):
        last = list(one.iter(qn("w:tr")))[-1] if one.tag == qn("w:tbl") else one
        parts = list(last.iter(qn("w:p")))
        loose += ["".join(p.itertext()) for p in parts if p.find(f".//{qn('w:keepNext')}") is None]
        if one.tag == qn("w:tbl") or "".join(one.itertext()) not in ("", "签字"):
            return loose
    raise AssertionError(path)


@pytest.mark.parametrize("as_of", ["2018-03-12", "2019-01-31"])
def test_signatures_never_stand_on_a_page_alone(tmp_path, as_of):
    """The box of a weekly report stood on page 2: what was signed could be swapped."""
    made = campaigns.campaign(20, as_of=as_of)
    tasks, state, watched = made["tasks"], made["state"], made["watched"]
    paths = [
        pg.deliver.write_weekly_report(
            tasks, state, watched, tmp_path / "周报.docx", plan=made["plan"], faces=made["faces"]
        ),
        *pg.deliver.write_household_files(tasks.buildings.head(1), tmp_path / "户", state=state),
        *pg.deliver.write_notices(watched, tmp_path / "督办")[:1],
        *pg.deliver.write_transfers(made["faces"], tmp_path / "交", tasks=tasks, state=state)[:1],
    ]
    assert len(paths) == 4
    assert [loose_above_signatures(path) for path in paths] == [[]] * 4


# --- the office's own templates ---


def template(tmp_path, text, name="一户一档.docx"):
    document = docx.Document()
    for line in ("{%p for one in papers %}", text, "{%p endfor %}"):
        document.add_paragraph(line)
    document.save(tmp_path / name)
    return tmp_path / name


def test_an_office_replaces_a_template(tmp_path):
    own = template(tmp_path, "户主:{{ one.owner }}({{ one.building_id }})")
    path = pg.deliver.write_household_files(one_house(), tmp_path / "出", template=own)[0]
    assert "户主:某(H0000-0)" in texts(path)


def test_a_field_that_an_office_has_made_bold_in_part_is_filled(tmp_path):
    """Word and LibreOffice cut a field into runs where letters of it look different."""
    document = docx.Document()
    document.add_paragraph("{%p for one in papers %}")
    line = document.add_paragraph("某街道办事处 ")
    for k, part in enumerate(("{{ one", ".own", "er }}(", "{{ one.building_id", " }})")):
        line.add_run(part).bold = k % 2 == 0
    document.add_paragraph("{%p endfor %}")
    document.save(tmp_path / "一户一档.docx")
    path = pg.deliver.write_household_files(
        one_house(), tmp_path / "出", template=tmp_path / "一户一档.docx"
    )[0]
    assert "某街道办事处 某(H0000-0)" in texts(path)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{{ one.ownr }}", "asks for 'ownr'"),
        ("{{ one.owner + }}", "can't be filled in"),
        ("{{ ''.__class__.__mro__ }}", "can't be filled in|asks for"),
        ("{{ one.map._image.tpl.save('x.docx') }}", "can't be filled in|asks for"),
        ("{{ one.update({'a': 1}) }}", "can't be filled in"),
        ("{% include 'a' %}", "can't be filled in|can't be read"),
    ],
)
def test_templates_reach_nothing_and_mistakes_are_said(tmp_path, text, match):
    own = template(tmp_path, text)
    with pytest.raises(pg.errors.LayerError, match=match) as told:
        pg.deliver.write_household_files(one_house(), tmp_path / "出", template=own)
    assert "一户一档.docx" in told.value.said
    assert not list((tmp_path / "出").glob("*")) if (tmp_path / "出").exists() else True


def test_a_template_that_is_none_is_refused(tmp_path):
    (tmp_path / "一户一档.docx").write_bytes(b"no zip")
    with pytest.raises(pg.errors.LayerError, match="no docx by content"):
        pg.deliver.write_household_files(one_house(), tmp_path / "出",
                                         template=tmp_path / "一户一档.docx")  # fmt: skip
    with zipfile.ZipFile(tmp_path / "大.docx", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("word/document.xml", b"0" * (65 * 2**20))
    with pytest.raises(pg.errors.LayerError, match="too large"):
        pg.deliver.write_household_files(
            one_house(), tmp_path / "出", template=tmp_path / "大.docx"
        )
    with zipfile.ZipFile(tmp_path / "空.docx", "w") as empty:
        empty.writestr("a", b"")
    with pytest.raises(pg.errors.LayerError, match="can't be read as a Word document"):
        pg.deliver.write_household_files(
            one_house(), tmp_path / "出", template=tmp_path / "空.docx"
        )


def test_our_templates_in_both_languages_are_filled(tmp_path):
    for lang in ("zh", "en"):
        folder = tmp_path / lang
        names = [p.name for p in pg.deliver.write_templates(folder, lang=lang)]
        assert len(names) == 5
        first = (folder / names[0]).read_bytes()
        assert first[:2] == b"PK"
        path = pg.deliver.write_household_files(
            one_house(), tmp_path / f"{lang}出", template=folder / names[0], lang=lang
        )[0]
        plain = pg.deliver.write_household_files(one_house(), tmp_path / f"{lang}无", lang=lang)[0]
        assert path.read_bytes() == plain.read_bytes()
        chinese = [t for t in texts(path) if any("\u4e00" <= c <= "\u9fff" for c in t)]
        # of an English file, nothing but what the data say
        assert lang == "zh" or not {t.replace("甲河", "").replace("某", "") for t in chinese} - {
            " left K0+000–K0+010", "", "floors (层)"}  # fmt: skip


# --- a whole project ---


def test_papers_of_a_project_come_whole_and_twice_the_same(tmp_path):
    project = small_project(tmp_path)
    report(tmp_path, "B0,,签约,2018-02-01,\nB0,,拆除,2018-02-09,\n")
    said("update", project, tmp_path / "日报.csv", "--today", "2018-03-01", "-q")
    told = said("papers", project, "--out", tmp_path / "文书", "-q")
    assert "一户一档" in told
    out = tmp_path / "文书"
    assert sorted(p.name for p in (out / "一户一档").iterdir()) == [f"B{k}.docx" for k in range(6)]
    assert (out / "周报_2018-02-09.docx").exists()
    assert (out / "方案比选报告.docx").exists()
    again = pg.project_papers(project, tmp_path / "再")
    first, second = ({str(p.relative_to(f)): p.read_bytes() for p in f.rglob("*") if p.is_file()}
                     for f in (out, again))  # fmt: skip
    assert first == second
    with pytest.raises(pg.errors.OutputError, match="exists"):
        pg.project_papers(project, out)


@pytest.mark.parametrize("widths", ["4", "{ left = 4, right = 4 }"])
def test_papers_of_schemes_as_wide_all_along(tmp_path, widths):
    project = small_project(tmp_path)
    text = project.read_text("utf-8")
    wide = f'[schemes."同宽"]\nwidths = {widths}\n\n[campaign]'
    project.write_text(text.replace("[campaign]", wide, 1), "utf-8")
    told = said("papers", project, "--out", tmp_path / "文书", "-q")
    for path in (tmp_path / "文书").iterdir():
        assert (path.name in told) == (path.name != "manifest.json"), path.name
    assert any("同宽" in text for text in texts(tmp_path / "文书" / "方案比选报告.docx"))


def test_every_paper_is_written_by_the_offices_own_template(tmp_path):
    import docx

    project = small_project(tmp_path)
    report(tmp_path, "B0,,签约,2018-02-01,\n")
    said("update", project, tmp_path / "日报.csv", "--today", "2018-03-01", "-q")
    folder = tmp_path / "模板"
    said("templates", folder)
    for path in folder.iterdir():
        draft = docx.Document(path)
        draft.paragraphs[1].insert_paragraph_before(f"街道办 {path.stem} 第{{{{ loop.index }}}}号")
        draft.save(path)
    said("papers", project, "--out", tmp_path / "文书", "--templates", folder, "--bound", "-q")
    out = tmp_path / "文书"
    found = {p.stem.split("_")[0]: docx.Document(p) for p in out.glob("*.docx")}
    assert {"一户一档", "周报", "督办通知书", "方案比选报告"} <= set(found)
    for kind, paper in found.items():
        words = [p.text for p in paper.paragraphs]
        assert f"街道办 {kind} 第1号" in words
        assert not any("{" in text for text in words)
    cells = [c.text for t in found["方案比选报告"].tables for row in t.rows for c in row.cells]
    assert {"宽", "窄"} <= set(cells)
    assert len(found["方案比选报告"].inline_shapes) >= 1


def test_a_slip_in_a_templates_name_is_said_before_the_work(tmp_path):
    project = small_project(tmp_path)
    folder = tmp_path / "模板"
    pg.deliver.write_templates(folder)
    (folder / "周报.docx").rename(folder / "週报.docx")
    with pytest.raises(pg.errors.LayerError, match="template of no paper") as told:
        pg.project_papers(project, tmp_path / "文书", templates=folder)
    assert "周报.docx" in told.value.hint
    assert not (tmp_path / "文书").exists()


def test_a_template_is_read_in_memory_only():
    """Two templates drawn up are the same bytes, whatever the clock says."""
    from pinghu_geo.deliver.drafts import PAPERS, own_template

    for kind in PAPERS:
        assert own_template(kind, "zh") == own_template(kind, "zh")
        assert zipfile.ZipFile(BytesIO(own_template(kind, "en"))).testzip() is None


def test_ids_meet_as_people_read_them(tmp_path):
    """Houses by number, reports and tenants by text: progress, blocker and tenants are found."""
    hit = campaigns.houses(1, each=2)
    hit.index = pd.Index([101, 102], name="building_id")
    log = pd.DataFrame({"building_id": ["101", "102"], "stage": ["survey", "survey"],
                        "date": ["2018-02-01", "2018-02-02"], "blocker": [None, "产权纠纷"]})  # fmt: skip
    state = pg.progress_state(log, pg.campaign_tasks(hit).buildings)
    people = pd.DataFrame({"building_id": ["101"], "name": "房客甲"}, ["T1"])
    for ids in ([101, 102], ["101", "102"]):
        kind = type(ids[0])
        mine = hit.set_axis(pd.Index(ids, name="building_id")).assign(node_id=kind(7))
        groups = pd.DataFrame({"group": ["第三组"]}, index=pd.Index(["7"], name="node_id"))
        paths = pg.deliver.write_household_files(
            mine, tmp_path / kind.__name__, state=state, tenants=people, nodes=groups
        )
        first, second = ("".join(texts(p)) for p in paths)
        assert "2018-02-01" in first
        assert "房客甲" in first
        assert "第三组" in first
        assert "产权纠纷" in second
        assert "2018-02-02" in second


@pytest.mark.parametrize("months", [1, 11, 29, 31, 35, 47, 120])
def test_the_curve_of_a_plan_of_any_length_warns_nobody(months):
    """Warnings are errors here: matplotlib had no interval for plans of nearly three years."""
    from pinghu_geo.deliver.extracts import curve_picture

    days = pd.date_range("2018-01-02", periods=months, freq="MS")
    curve = pd.DataFrame({"planned_buildings": range(months), "done_buildings": 0}, index=days)
    assert curve_picture(curve, days[0])[:4] == b"\x89PNG"
