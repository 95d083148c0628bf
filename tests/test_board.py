"""The board on the wall: what it says is what the tables say, and nothing else happens."""

import html
import json
import re
from dataclasses import replace

import pandas as pd
import pytest
from campaigns import campaign, works

import pinghu_geo as pg
from pinghu_geo.campaign.stages import stage_words
from pinghu_geo.deliver.styles import CLASS_LOOKS

TABLES = ("plan", "watched", "faces", "stages")


def board(c, **given):
    return pg.node_board(c["tasks"], state=c["state"], **{k: c[k] for k in TABLES}, **given).html


@pytest.fixture(scope="module")
def small():
    return campaign(20)


def cells(page):
    """Class, frame and words of every cell, in order."""
    found = re.findall(r'<button class="n s-(\w+) (\w*)"[^>]*>(.*?)</button>', page)
    return [(c, f, html.unescape(re.sub("<[^>]+>", "|", words))) for c, f, words in found]


def test_a_cell_a_node_in_its_row_with_its_stage_and_signal(small):
    nodes, watched, stages = (
        small["tasks"].nodes, small["watched"].nodes, small["stages"],
    )  # fmt: skip
    seen = cells(board(small))
    order = [n for _, part in nodes.groupby(["river", "bank"], sort=True) for n in part.index]
    assert len(seen) == len(order) == 20
    for node, (shown, frame, words) in zip(order, seen, strict=True):
        stage = small["state"].nodes.at[node, "stage"]
        letter = "未" if stage == "todo" else stages.at[stage, "letter"]
        assert shown == ("todo" if stage == "todo" else stages.at[stage, "shown_as"])
        assert frame == watched.at[node, "signal"].replace("green", "")
        assert f"|{node[-3:]}|{letter}|" in words
        assert ("|集|" in words) == (nodes.at[node, "n_collective"] > 0)
        assert f"{watched.at[node, 'due']:%m-%d}" in words
        assert nodes.at[node, "group"] in words
        assert "2栋6户" in words


def test_sums_and_changes_are_those_of_the_reports(small):
    page = board(small)
    cards = dict(re.findall(r'<i class="s-(\w+)">.*?<h2>\S+ <b>(\d+)</b>', page))
    classes = (
        small["state"].nodes["stage"].map({"todo": "todo"} | dict(small["stages"]["shown_as"]))
    )
    assert {k: int(v) for k, v in cards.items()} == {
        c: int((classes == c).sum()) for c in CLASS_LOOKS
    }
    assert "<b>40</b> 栋 · <b>120</b> 户 · <b>8,000</b> m²" in page


def test_a_day_of_another_year_says_its_year(small):
    """The board is of 2018; days of 2018 are written without it."""
    plan = small["plan"]
    nodes = plan.nodes.assign(due=pd.Timestamp("2018-12-26"))
    nodes.iloc[0, nodes.columns.get_loc("due")] = pd.Timestamp("2019-06-18")
    page = pg.node_board(small["tasks"], state=small["state"], plan=replace(plan, nodes=nodes)).html
    assert page.count("19-06-18") >= 1
    assert ">06-18" not in page
    assert ">12-26" in page
    assert "18-12-26 " not in page


def test_board_and_map_say_what_they_count(small):
    page = board(small)
    assert "内有 <b>" in page
    assert "节点阶段取其最慢一栋" in page
    state, hit = small["state"], small["tasks"].buildings
    drawn = pg.command_map(hit.join(state.buildings[["stage", "since"]]), works_line(small["tasks"]),
                           works(small["tasks"]), nodes=small["tasks"].nodes, state=state)  # fmt: skip
    text = drawn.get_root().render()
    assert "按房屋逐栋统计" in text
    others = hit[hit["task_class"] != "task"]
    assert ("不列为任务" in text) == bool(len(others))
    mixed = hit.assign(task_class=["task", "review", *["retain"] * (len(hit) - 2)])
    said = pg.command_map(mixed, works_line(small["tasks"]), works(small["tasks"]))
    area = hit["demolish_floor_area_m2"].iloc[1:].sum()
    told = f"其余 {area:,.0f} m² 不列为任务:待核 1 栋、保留 {len(hit) - 2} 栋"
    assert told in said.get_root().render()
    plain = pg.command_map(hit.drop(columns=["task_class", "node_id"]), works_line(small["tasks"]),
                           works(small["tasks"]))  # fmt: skip
    assert "按房屋逐栋统计" not in plain.get_root().render()


def test_a_node_in_negotiation_is_counted_as_unsigned_and_not_as_not_begun(small):
    assert stage_words(small["stages"])["todo"] == "未启动"
    boxes = re.findall(r"<h2>(\S+) ", board(small))
    assert boxes[:5] == ["未签约", "已签约", "已腾空", "已拆除", "已移交"]


def works_line(tasks):
    return pg.red_line(works(tasks), 15.0)


def test_changes_against_yesterday_are_what_a_board_of_yesterday_showed():
    today, before = campaign(30, as_of="2018-03-14"), campaign(30, as_of="2018-03-13")
    count = r"<h2>\S+ <b>(\d+)</b>"
    now, then = (list(map(int, re.findall(count, board(c)))) for c in (today, before))
    said = re.findall(r"较昨日 (±0|[+-]\d+)", board(today))
    assert [int(s.replace("±", "")) for s in said] == [
        a - b for a, b in zip(now, then, strict=True)
    ]
    assert any(now[k] != then[k] for k in range(5))


def test_the_worst_stand_below_with_blocker_and_face(small):
    page = board(small)
    below = page[page.index("<footer>") :]
    named = [html.unescape(n) for n in re.findall(r"</th><td>([^<]+)</td>", below)]
    assert named == list(small["watched"].nodes.index[:6])
    assert "产权纠纷(自 02-" in below


def test_what_a_node_holds_up_is_the_stretch_that_waits_for_it():
    c = campaign(6, as_of="2018-02-01", each=1)
    stretches = c["faces"].stretches
    wait = stretches[~stretches["ready"]]
    assert len(wait)
    for row in wait.itertuples():
        ends = (pg.format_chainage(x, decimals=0) for x in (row.from_m, row.to_m))
        assert "–".join(ends) in board(c)


def test_unknown_is_said_and_not_counted_as_nothing(small):
    hit = small["tasks"].buildings.drop(columns=["tenants"])
    hit.loc[hit.index[0], "demolish_floor_area_m2"] = float("nan")
    page = pg.node_board(pg.campaign_tasks(hit)).html
    assert "户数不详" in page
    assert "(另 1 节点不详)" in page
    assert "0户" not in page
    assert "尚无进度填报" in page
    assert cells(page)[0][:2] == ("todo", "")
    assert "集体物业" not in pg.node_board(pg.campaign_tasks(hit.drop(columns=["tenure"]))).html


def test_many_nodes_show_number_and_letter_and_the_rest_on_a_click():
    c = campaign(128)
    page = board(c)
    assert not any("栋" in words for _, _, words in cells(page))
    facts = json.loads(re.search(r"const facts=(.*),box=", page)[1])
    assert len(facts) == 128
    assert {word for word, _ in facts[0]} >= {"节点", "桩号", "责任组", "房屋", "租户", "计划移交"}


def test_a_page_asks_for_nothing_and_is_the_same_twice(small, tmp_path):
    page = board(small, reload_s=60)
    assert not re.search(r"(src|href)=|url\(|https?:|@import", page)
    assert page == board(small, reload_s=60)
    assert "const wait=60000" in page
    assert "const wait=0" in board(small, reload_s=0)
    path = pg.node_board(small["tasks"]).save(tmp_path / "board.html")
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")
    with pytest.raises(pg.errors.LayerError, match="reload_s"):
        board(small, reload_s=-1)


def test_texts_of_strangers_stay_texts():
    evil = "</script><script>alert(1)</script>{{7*7}}${x}\"'"
    c = campaign(12, blocker=evil, groups=(f"{evil}1", "二组"), rivers=(f"河{evil}", "乙河"))
    page = board(c, title=evil, note=evil)
    assert page.count("<script>") == 1
    assert page.count("</script>") == 1
    assert "{{7" not in page
    assert "${x" not in page
    assert html.unescape(re.search("<title>(.*?)</title>", page)[1]) == evil


def luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_is_read_on_every_fill_and_the_classes_differ_in_grey():
    grey = []
    for look in CLASS_LOOKS.values():
        light, dark = sorted((luminance(look.fill), luminance(look.ink)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5
        grey.append(116 * luminance(look.fill) ** (1 / 3) - 16)
    assert all(a - b >= 10 for a, b in zip(grey, grey[1:], strict=False))


def test_no_nodes_no_fault(small):
    none = small["tasks"].buildings.iloc[:0]
    assert "没有任务节点" in pg.node_board(pg.campaign_tasks(none)).html


def test_stages_that_are_not_there_are_named(small):
    fewer = small["stages"].drop(index="signed")
    with pytest.raises(pg.errors.LayerError, match="signed"):
        pg.node_board(small["tasks"], state=small["state"], stages=fewer)
    assert isinstance(small["state"].as_of, pd.Timestamp)
