"""What functions find: frozen tables that are unpacked in order, shown escaped, said in sentences."""

import dataclasses
import importlib
import inspect

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from campaigns import campaign

import pinghu_geo as pg
from conftest import building_frame, river_frame
from pinghu_geo.nouns.results import Result, table_html

ROOMS = ("nouns", "river", "intake", "redline", "flood", "schemes", "search", "campaign", "deliver")
EVIL = "<script>alert(1)</script>"
# no table: a scale, a project's live line, a page
NO_TABLES = {"ChainageScale", "LiveRedLine", "NodeBoard", "CampaignStore"}


def classes():
    for room in ROOMS:
        module = importlib.import_module(f"pinghu_geo.{room}")
        for name in dir(module):
            found = getattr(module, name)
            if inspect.isclass(found) and not issubclass(found, Exception):
                yield name, found


def test_every_result_is_frozen_and_of_one_kind():
    names = dict(classes())
    assert len(names) > 20
    for name, found in names.items():
        if name in NO_TABLES:
            continue
        assert issubclass(found, Result), name
        assert not issubclass(found, tuple), name
        assert found.__dataclass_params__.frozen, name
        assert "summary" in vars(found), name


def test_no_public_function_hands_back_a_bare_tuple():
    for room in ("", *(f".{r}" for r in ROOMS)):
        module = importlib.import_module(f"pinghu_geo{room}")
        for name in dir(module):
            found = getattr(module, name)
            if inspect.isfunction(found) and not name.startswith("_"):
                given = str(inspect.signature(found).return_annotation)
                assert not given.startswith("tuple"), f"{room}.{name}"


def houses():
    return building_frame({"A": shapely.box(10, 5, 20, 15), EVIL: shapely.box(40, -15, 50, -5)},
                          floors=2, use="residential")  # fmt: skip


def line(left=12.0):
    return pd.DataFrame({"river": "A", "chainage_m": [0.0, 100.0], "left_m": left, "right_m": 12.0})


def rivers():
    return river_frame({"A": [(0, 0), (100, 0)]})


def bed():
    return pd.DataFrame({"river": "A", "chainage_m": [0.0, 100.0], "bed_level_m": 0.0,
                         "left_m": 8.0, "right_m": 8.0, "bank_level_m": 3.0, "n": 0.03})  # fmt: skip


@pytest.fixture(scope="module")
def found():
    """One of nearly every kind, small, with a hostile name in it."""
    schemes = {"原": pg.red_line(rivers(), line()), EVIL: pg.red_line(rivers(), line(2.0))}
    compared = pg.compare(schemes, houses(), rivers())
    control = pd.DataFrame({"from_x_m": [0.0, 100, 0, 100], "from_y_m": [0.0, 0, 100, 100],
                            "to_x_m": [500000.0, 500100, 500000, 500100],
                            "to_y_m": [2500000.0, 2500000, 2500100, 2500100.1]})  # fmt: skip
    ledger = pd.DataFrame({"leader": [EVIL]}, index=pd.Index(["B9"], name="building_id"))
    both = pd.concat([ledger, pd.DataFrame({"leader": ["b"]}, index=["A"])])
    part = pg.redline.position_uncertainty(houses(), schemes["原"], sigma_m=1.0)
    run = campaign(6)
    return {
        "assess": compared.schemes["原"],
        "compare": compared,
        "differences": pg.differences(*compared.schemes.values(), rivers()),
        "designs": pg.assess_many({"宽": line(), EVIL: line(3.0)}, houses(), rivers()),
        "repair": pg.repair(houses(), "buildings"),
        "join_parts": pg.join_parts(rivers(), gap_m=1.0),
        "join_ledger": pg.join_ledger(houses(), both.rename_axis("building_id")),
        "layer_shift": pg.intake.layer_shift(houses(), houses()),
        "fit_grid": pg.fit_grid(control, 4547),
        "uncertainty": part,
        "moved": pg.search.moved_sections(pg.design_sections(bed()), line(), line(11.0), rivers()),
        "reaches": pg.balanced_reaches(run["tasks"].nodes, 2),
        **{k: v for k, v in run.items() if isinstance(v, Result)},
    }


def test_it_is_unpacked_in_the_order_declared(found):
    layer, log = found["repair"]
    assert isinstance(layer, gpd.GeoDataFrame)
    assert list(log) == ["id", "change", "area_before_m2", "area_after_m2"]
    sections, banks = found["moved"]
    assert "offset_m" in sections
    assert "left_bank_m" in banks
    layer, unmatched, conflicts = found["join_ledger"]
    assert set(unmatched["side"]) == {"layer", "ledger"}
    assert "ledger" in conflicts
    for one in found.values():
        tables = [f.name for f in dataclasses.fields(one)
                  if isinstance(getattr(one, f.name), pd.DataFrame)]  # fmt: skip
        assert [id(t) for t in one if t is not None] == [id(getattr(one, n)) for n in tables]


def test_it_cannot_be_changed(found):
    with pytest.raises(dataclasses.FrozenInstanceError):
        found["repair"].layer = None


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_says_itself_in_one_language(found, lang):
    for name, one in found.items():
        for said in one.summary(lang=lang):
            plain = said.replace(EVIL, "").replace("原", "").replace("宽", "")
            chinese = any("\u4e00" <= c <= "\u9fff" for c in plain)
            if lang == "zh":
                assert chinese, (name, said)
            else:
                assert not any("\u4e00" <= c <= "\u9fff" for c in plain.replace("一组", "").replace("二组", "")), (name, said)  # fmt: skip


def test_a_notebook_shows_nothing_that_runs(found):
    shown = {name: one._repr_html_() for name, one in found.items()}
    assert all("<table" in html or name == "layer_shift" for name, html in shown.items())
    assert all("<script" not in html for html in shown.values())
    assert "&lt;script" in shown["compare"]
    assert "geometry" not in shown["differences"]


def test_a_notebook_shows_few_rows_of_many():
    many = pd.DataFrame({"n_buildings": np.arange(50_000)})
    assert table_html(many).count("<tr") < 70


def test_sentences_say_what_is_in_the_tables(found):
    zh = {name: " ".join(one.summary()) for name, one in found.items()}
    assert zh["repair"] == "2 个要素中修复了 0 个。"
    assert zh["join_parts"] == "1 条河各成一线:跨接缺口 0 处,掉转方向 0 段,略去支汊 0 段。"
    assert zh["join_ledger"] == "2 个要素中 1 个挂上台账;台账 1 行无对应;0 处两边不一致。"
    assert zh["assess"] == "影响 2 栋,其中整栋 0 栋。"
    assert zh["moved"] == "1 条河共 2 个断面。"
    # of the second scheme the left line is 10 m nearer: the house on the left stays
    assert zh["differences"].startswith("优化 1 个节点:避免拆除 1 栋,新增 0 栋")
