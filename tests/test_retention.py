"""Verdicts: three-valued, by rules that are data."""

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import pinghu_geo as pg
from conftest import building_frame
from pinghu_geo.nouns.schema import label

LIMITS = {"allowed_mm": 10.0, "freeboard_m": 0.5}
GOOD = {
    "in_project": False, "rise_alone_mm": 1.0, "rise_joint_mm": 5.0, "freeboard_m": 0.8,
    "sewage_ok": True, "optional": True, "structure_ok": True, "title_ok": True,
}  # fmt: skip


def judge(**change):
    evidence = pd.DataFrame([GOOD | change], index=pd.Index(["B1"], name="building_id"))
    return pg.retention_verdict(evidence[[]], evidence, limits=LIMITS).iloc[0]


def test_all_true_is_retain():
    found = judge()
    assert found["verdict"] == "retain"
    assert found["reason"] == "各项条件均满足:单独壅高 1.0 mm,共同壅高 5.0 mm"


@pytest.mark.parametrize(
    ("change", "verdict", "reason"),
    [
        ({"rise_alone_mm": 10.0}, "retain", "各项条件均满足"),
        ({"rise_alone_mm": 10.1}, "demolish", "单独保留壅高 10.1 mm,允许 10.0 mm"),
        ({"rise_joint_mm": 12.0}, "demolish", "与其他保留房屋共同壅高 12.0 mm"),
        ({"freeboard_m": 0.2}, "demolish", "地面高出设计洪水位 0.20 m,要求 0.50 m"),
        ({"in_project": True}, "demolish", "由实施主体清拆"),
        ({"sewage_ok": False}, "demolish", "不符合排污标准"),
        ({"optional": False}, "demolish", "工程布置需要拆除"),
        ({"structure_ok": False}, "demolish", "结构安全鉴定不合格"),
        ({"title_ok": False}, "review", "未登记建筑"),
        ({"sewage_ok": None, "title_ok": None}, "review", "缺少依据:排污达标、权属合法"),
        ({"rise_alone_mm": np.nan}, "review", "缺少依据:单独保留壅高"),
        # what fails goes before what is missing
        ({"sewage_ok": None, "rise_alone_mm": 50.0}, "demolish", "单独保留壅高 50.0 mm"),
    ],
)
def test_each_rule(change, verdict, reason):
    found = judge(**change)
    assert found["verdict"] == verdict
    assert reason in found["reason"]
    if verdict != "retain" and "缺少" not in reason:
        assert found["deciding"]


def test_a_limit_of_nothing_is_one():
    """No rise at all is allowed, and no freeboard asked for; just that much is still in order."""
    limits = {"allowed_mm": 0.0, "freeboard_m": 0.0}
    rows = {
        "even": {"rise_alone_mm": 0.0, "rise_joint_mm": 0.0, "freeboard_m": 0.0},
        "rise": {"rise_alone_mm": 0.4, "rise_joint_mm": 0.4, "freeboard_m": 0.0},
        "deep": {"rise_alone_mm": 0.0, "rise_joint_mm": 0.0, "freeboard_m": -0.01},
    }
    evidence = pd.DataFrame({k: GOOD | row for k, row in rows.items()}).T.infer_objects()
    found = pg.retention_verdict(evidence[[]], evidence, limits=limits)
    assert found["verdict"].tolist() == ["retain", "demolish", "demolish"]


def test_what_is_lacking_is_named_without_its_unit():
    assert judge(rise_alone_mm=np.nan)["reason"] == "缺少依据:单独保留壅高"


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(GOOD)), st.none(), min_size=1))
def test_missing_evidence_is_never_retain(missing):
    assert judge(**missing)["verdict"] != "retain"


def test_every_combination_of_three_values():
    names = ["sewage_ok", "optional", "title_ok"]
    for values in itertools.product([True, False, None], repeat=3):
        found = judge(**dict(zip(names, values, strict=True)))["verdict"]
        if values[0] is False or values[1] is False:
            assert found == "demolish"
        elif values[2] is False or None in values:
            assert found == "review"
        else:
            assert found == "retain"


def test_no_evidence_at_all_is_review():
    affected = pd.DataFrame(index=pd.Index(["A", "B"], name="building_id"))
    found = pg.retention_verdict(affected, affected, limits=LIMITS)
    assert found["verdict"].tolist() == ["review", "review"]


def test_refusals():
    affected = pd.DataFrame(index=pd.Index(["B1"], name="building_id"))
    evidence = pd.DataFrame([GOOD], index=affected.index)
    with pytest.raises(
        pg.errors.LayerError, match="needs the limit 'allowed_mm', which is not given"
    ):
        pg.retention_verdict(affected, evidence, limits={})
    with pytest.raises(pg.errors.LayerError, match=r"not affected \(1: X\)"):
        pg.retention_verdict(affected, evidence.rename(index={"B1": "X"}), limits=LIMITS)
    with pytest.raises(pg.errors.LayerError, match="two rows for a building"):
        pg.retention_verdict(affected, pd.concat([evidence] * 2), limits=LIMITS)
    with pytest.raises(pg.errors.LayerError, match="'大概' in sewage_ok .* neither yes nor no"):
        pg.retention_verdict(affected, evidence.assign(sewage_ok="大概"), limits=LIMITS)


RULE = '[[rule]]\nid="r"\ncolumn="noise_db"\ntest="at_most"\nlimit=60\nfails="review"\nzh="噪声 {value:.0f}"\nen="noise"\narticle="第一条"\nsource="示例"\n'


def test_rules_of_one_s_own(tmp_path):
    path = tmp_path / "规则.toml"
    path.write_text(RULE, "utf-8")
    rules = pg.schemes.retention_rules(path)
    affected = pd.DataFrame({"noise_db": [50.0, 70.0]}, index=["A", "B"])
    found = pg.retention_verdict(affected, affected[[]], limits={}, rules=rules)
    assert found["verdict"].tolist() == ["retain", "review"]
    assert found["reason"].tolist()[1] == "噪声 70"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (("limit=60\n", ""), "a limit belongs to at_most and at_least"),
        (('fails="review"', 'fails="retain"'), "use one of demolish, review"),
        (('test="at_most"', 'test="atmost"'), "did you mean 'at_most'"),
        (('article="第一条"\n', ""), "rule r lacks article"),
        (("limit=60", "limits=60"), "'limits' is not known"),
        (("[[rule]]", "[[rule"), "no valid TOML"),
    ],
)
def test_bad_rules_are_refused(tmp_path, change, match):
    path = tmp_path / "规则.toml"
    path.write_text(RULE.replace(*change), "utf-8")
    with pytest.raises(pg.errors.LayerError, match=match):
        pg.schemes.retention_rules(path)


def test_the_legal_line_by_hand(straight):
    widths = pd.DataFrame(
        {"river": "A", "chainage_m": [0.0, 1000.0], "left_m": 8.0, "right_m": 6.0}
    )
    line = pg.redline.management_line(straight, widths, rule="zhejiang_flood_channel")
    assert line.area.sum() == pytest.approx(1000 * (8 + 6 + 14))
    assert line[["kind", "article", "bound"]].iloc[0].tolist() == [
        "management",
        "第十八条",
        "at_least",
    ]
    with pytest.raises(pg.errors.LayerError, match="rule='shenzhen' is not known"):
        pg.redline.management_line(straight, widths, rule="shenzhen")


def test_every_legal_rule_has_law_and_article():
    table = pg.redline.management_rules()
    assert table.notna().all().all()
    assert set(table["bound"]) == {"at_least", "at_most"}
    assert not table["jurisdiction"].str.contains("深圳").any()


def test_who_clears_by_share_and_priority():
    houses = building_frame(
        {
            "in": shapely.box(0, 0, 10, 10),
            "most": shapely.box(20, 0, 30, 10),
            "little": shapely.box(38, 0, 48, 10),
            "both": shapely.box(60, 0, 70, 10),
            "none": shapely.box(100, 0, 110, 10),
        }
    )
    zones = building_frame(
        {
            "Z1": shapely.box(-5, -5, 26, 15), "Z2": shapely.box(40, -5, 41, 15),
            "Z3": shapely.box(55, -5, 75, 15), "Z4": shapely.box(58, -5, 72, 15),
        },
        kind=["renewal", "other", "consolidation", "renewal"],
        payer=["甲公司", "乙", "丙整备", None],
    )  # fmt: skip
    zones.index.name = "zone_id"
    found = pg.clearing(houses, zones)
    assert found["zone_id"].tolist()[:2] == ["Z1", "Z1"]
    assert found["zone_id"].isna().tolist() == [False, False, True, False, True]
    assert found.loc["both", "zone_id"] == "Z4"  # renewal goes first
    assert found["cleared_by"].tolist() == ["甲公司", "甲公司", "本项目", "Z4", "本项目"]
    assert found["contested"].tolist() == [False, False, True, True, False]
    assert found.loc["most", "zone_ratio"] == pytest.approx(0.6)
    assert found.index.equals(houses.index)
    other = pg.clearing(houses, zones, priority=("consolidation", "renewal", "other"))
    assert other.loc["both", "cleared_by"] == "丙整备"
    with pytest.raises(pg.errors.LayerError, match="zones: kind='park' is not known"):
        pg.clearing(houses, zones.assign(kind="park"))


def test_the_law_is_named_in_the_language_asked_for():
    evidence = pd.DataFrame(
        [GOOD | {"rise_alone_mm": 11.0}], index=pd.Index(["B1"], name="building_id")
    )
    said = {
        lang: pg.retention_verdict(evidence[[]], evidence, limits=LIMITS, lang=lang)
        .iloc[0]["deciding"]
        for lang in ("zh", "en")
    }  # fmt: skip
    assert said["zh"].startswith("防洪法第二十二条")
    assert said["en"].startswith("Flood Control Law, article 22")


def test_a_band_that_the_limit_runs_through_is_for_review_and_says_from_where_on():
    """8 to 13 mm by other coefficients, 10 allowed; the first that exceeds it is named."""
    by = "0.3/0.5"
    found = judge(rise_alone_mm=9.0, rise_alone_low_mm=8.0, rise_alone_high_mm=13.0,
                  rise_decided_by=by)  # fmt: skip
    assert found["verdict"] == "review"
    assert "8.0" in found["reason"]
    assert "13.0" in found["reason"]
    assert by in found["reason"]
    # who decided is said of the building alone, not of all together
    joint = judge(rise_joint_mm=9.0, rise_joint_low_mm=8.0, rise_joint_high_mm=13.0,
                  rise_decided_by=by)  # fmt: skip
    assert joint["verdict"] == "review"
    assert by not in joint["reason"]
    assert joint["deciding"].startswith("防洪法")  # the article that the band leaves open
    assert judge(sewage_ok=None)["deciding"] == ""
    # wholly above it is no doubt
    above = judge(rise_alone_mm=12.0, rise_alone_low_mm=11.0, rise_alone_high_mm=13.0)
    assert above["verdict"] == "demolish"


@pytest.mark.parametrize("end", ["low", "high"])
def test_a_band_of_one_end_is_no_band(end):
    """What the other end is nobody knows, so neither retained nor taken by the number alone."""
    for value in (2.0, 50.0):
        given = {"rise_alone_mm": value, f"rise_alone_{end}_mm": value}
        found = judge(**given)
        assert found["verdict"] == "review"
        other = {"low": "high", "high": "low"}[end]
        assert label(f"rise_alone_{other}_mm", lang="zh", unit=False) in found["reason"]


def test_a_band_that_goes_up_and_down_names_those_above():
    """On a real river: 22.6, 19.1, 335.2 and 14.2 mm, 20 allowed; 335 where a bridge is drowned."""
    band = {"rise_alone_mm": 9.0, "rise_alone_low_mm": 4.2, "rise_alone_high_mm": 335.2}
    text = "0/0 12.6; 0.1/0.3 9.0; 0.3/0.5 335.2; 0.6/0.8 4.2"
    found = judge(**band, rise_band=text, rise_decided_by="0/0", rise_grows_at="人民桥")
    assert found["reason"] == (
        "单独保留壅高随损失系数(收缩/扩散)为 4.2~335.2 mm,允许 10.0 mm,其中 0/0、0.3/0.5 时超限"
        ";在 人民桥 处成倍增大,该处改由另一公式控制"
    )
    # from one pair on all are above: as before
    rising = text.replace("12.6", "2.6").replace(" 4.2", " 11.0")
    assert ",0.3/0.5 起超限" in judge(**band, rise_band=rising, rise_decided_by="0.3/0.5")["reason"]
    # where roughness alone decides, the pairs have nothing to say
    rough = judge(**band, rise_band="0/0 4.2; 0.6/0.8 9.0", rise_decided_by="n x 0.9")
    assert "(收缩/扩散)、糙率为 4.2~335.2 mm" in rough["reason"]
    assert ",n x 0.9 起超限" in rough["reason"]


def test_a_rise_that_is_not_known_says_why():
    """Above a structure that isn't computed: review, and the structure is why."""
    unknown = {"rise_alone_mm": np.nan, "rise_joint_mm": np.nan}
    found = judge(**unknown, doubts="alpha,left_out,spacing")
    assert found["verdict"] == "review"
    assert found["reason"] == (
        "缺少依据:单独保留壅高(有未计算的建筑物)、共同保留壅高(有未计算的建筑物)"
    )
    assert judge(**unknown, doubts="alpha")["reason"] == "缺少依据:单独保留壅高、共同保留壅高"
    parted = judge(**unknown, doubts="split")
    assert parted["verdict"] == "review"
    assert "单独保留壅高(按所给分流,各汊能头不一致)" in parted["reason"]


def test_the_sample_has_houses_in_review_for_the_band_alone(sample_run):
    """All else is known of them and speaks for them; the reason says what the verdict hangs on."""
    hit = gpd.read_file(sample_run / "results.gpkg", layer="affected").set_index("building_id")
    low, high = hit["rise_alone_low_mm"], hit["rise_alone_high_mm"]
    hangs = hit[(low <= 20) & (high > 20)]
    # the README of the sample: what the water leaves undecided was surveyed twice
    assert hangs[["sewage_ok", "structure_ok"]].notna().all(axis=None)
    asked = ["sewage_ok", "optional", "structure_ok", "title_ok"]
    fine = hangs[hangs[asked].astype(bool).all(axis=1) & ~hangs["in_project"].astype(bool)]
    assert len(fine) >= 3
    assert set(fine["verdict"]) == {"review"}
    for one in fine.itertuples():
        band = dict(pair.split(" ") for pair in one.rise_band.split("; "))
        first = next(losses for losses, rise in band.items() if float(rise) > 20)
        assert one.reason.startswith(
            f"单独保留壅高随损失系数(收缩/扩散)为 {one.rise_alone_low_mm:.1f}"
            f"~{one.rise_alone_high_mm:.1f} mm,允许 20.0 mm,{first} 起超限"
        )
        assert "糙率" not in one.reason  # the sample doesn't vary it
        assert "缺少依据" not in one.reason
        assert one.deciding.startswith("防洪法")
