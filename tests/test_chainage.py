import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pinghu_geo as pg
from pinghu_geo.river.chainage import ChainageScale, begun_anew, chainage_prefix


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("K12+669.5", 12669.5),
        ("12+669.5", 12669.5),
        ("k0+000", 0.0),
        ("Ｋ１＋２３４．５", 1234.5),
        (" K 1 + 020 ", 1020.0),
        ("-0+020", -20.0),
        ("12669.5", 12669.5),
        (12, 12.0),
        (np.float64(3.5), 3.5),
    ],
)
def test_parse_reads_every_accepted_form(text, metres):
    assert pg.parse_chainage(text) == metres


@pytest.mark.parametrize("text", ["K1+5", "K1+1234", "K1-200", "", "abc", "K1+2O0", None, np.nan])
def test_parse_refuses_the_rest_and_shows_the_forms(text):
    with pytest.raises(
        pg.errors.ChainageError, match=r"(?s)is not a chainage.*K12\+669\.5, 12\+669\.5"
    ):
        pg.parse_chainage(text)


def test_published_reach_is_6771_m():
    # civilcn.com 1408498795694139: 12+669 to 19+440, 6.771 km
    assert pg.parse_chainage("19+440") - pg.parse_chainage("12+669") == 6771


@given(st.integers(-(10**7), 10**8))
def test_format_and_parse_are_inverse(decimetres):
    metres = decimetres / 10
    assert pg.parse_chainage(pg.format_chainage(metres).replace("K", "")) == pytest.approx(metres)


def test_scale_runs_either_way():
    down = ChainageScale(100.0, 12669.0, 1)
    assert down.chainage([0, 100]).tolist() == [12669, 12769]
    up = ChainageScale(100.0, 100.0, -1)
    assert up.chainage([0, 30, 100]).tolist() == [100, 70, 0]
    assert up.measure([70.0]).tolist() == [30.0]


def test_long_chain_has_two_points_for_one_chainage():
    # at 300 m the survey says K0+300 and goes on from K0+250: K0+260 occurs twice
    scale = ChainageScale.from_text(1000.0, 0.0, 1, "K0+300=K0+250")
    assert scale.chainage([299, 300, 350]).tolist() == [299, 250, 300]
    assert scale.measure([260.0], twice="upstream").tolist() == [260.0]
    assert scale.measure([260.0], twice="downstream").tolist() == [310.0]


def test_short_chain_has_a_gap():
    scale = ChainageScale.from_text(1000.0, 0.0, 1, "K0+300=K0+350")
    assert scale.chainage([300, 310]).tolist() == [350, 360]
    with pytest.raises(
        pg.errors.ChainageError, match=r"in the gap of a chainage equation.*K0\+320"
    ):
        scale.measure([320.0])


def test_two_equations_add_up():
    scale = ChainageScale.from_text(1000.0, 0.0, 1, "K0+300=K0+350；K0+650=K0+600")
    # 300 m to the first, 300 m on to the second, then from 600
    assert scale.chainage([600.0, 700.0]).tolist() == [600.0, 700.0]
    assert scale.measure(scale.chainage([650.0]), twice="downstream").tolist() == [650.0]


def test_equations_may_lie_less_than_a_metre_apart():
    scale = ChainageScale.from_text(1000.0, 0.0, 1, "K0+300=K0+350；K0+350.5=K0+400")
    # half a metre on from 350 the second one: 600 m lie 299.5 m below it
    assert scale.chainage([300.25, 600.0]).tolist() == [350.25, 699.5]


def test_only_the_chainages_of_the_gap_are_named():
    scale = ChainageScale.from_text(1000.0, 0.0, 1, "K0+300=K0+350")
    with pytest.raises(pg.errors.ChainageError, match=r"\(1: K0\+320\.0\)"):
        scale.measure([100.0, 320.0, 700.0])


def test_a_short_section_within_a_long_one_of_its_chainage_begins_anew():
    """0 to 100 m, then 10 to 60: all of the shorter one lies within the longer."""
    found = begun_anew(np.zeros(6, int), np.array([0.0, 50, 100, 10, 30, 60]))
    assert found.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("equations", "problem"),
    [("K0+300", "is not a chainage equation"), ("K5+000=K5+100", "out of order or outside")],
)
def test_bad_equations_are_refused(equations, problem):
    with pytest.raises(pg.errors.ChainageError, match=problem):
        ChainageScale.from_text(1000.0, 0.0, 1, equations)


def test_outside_is_refused_with_the_river_s_range():
    with pytest.raises(
        pg.errors.ChainageError, match=r"(?s)K1\+200\.0.*from K0\+000\.00 to K1\+000\.00"
    ):
        ChainageScale(1000.0).measure([1200.0])


def test_nan_is_refused():
    with pytest.raises(pg.errors.ChainageError, match="outside the river"):
        ChainageScale(1000.0).measure([np.nan])


@pytest.mark.parametrize("metres", [-20, -0.04, -1234.5, 0, 999.96, 1e6 + 0.5])
def test_own_label_is_read_back(metres):
    assert pg.parse_chainage(pg.format_chainage(metres)) == round(metres, 1)
    text = pg.format_chainage(metres, prefix="DK")
    assert pg.parse_chainage(text, prefix="DK") == round(metres, 1)


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("1234.5m", 1234.5), ("1234.5 米", 1234.5), ("1.2km", 1200.0), ("1.2 公里", 1200.0), ("1.2千米", 1200.0),
        ("K1+200m", 1200.0), ("K1+200.5米", 1200.5), ("K12.669", 12669.0), ("k0.0205", 20.5),
        ("桩号K1+200", 1200.0), ("Ｋ１＋２００", 1200.0), ("K-0+020.0", -20.0), ("-K0+020", -20.0),
        ("１２００ｍ", 1200.0),
    ],
)  # fmt: skip
def test_units_full_width_and_points(text, metres):
    assert pg.parse_chainage(text) == pytest.approx(metres, abs=1e-9)


@pytest.mark.parametrize(
    "text", ["DK12+669", "AK0+100", "左K1+200", "右K1+200", "ZK1+200", "新K0+000"]
)
def test_the_prefix_of_another_line_is_named_and_never_dropped(text):
    prefix = text.rstrip("0123456789+")
    with pytest.raises(
        pg.errors.ChainageError, match=rf"of the line '{prefix}', not of 'K'"
    ) as error:
        pg.parse_chainage(text)
    # the hint works as typed
    assert eval(error.value.hint.partition(",  where")[0].rsplit(", where", 1)[0], {"pg": pg}) >= 0
    with pytest.raises(pg.errors.ChainageError, match="of the line 'K'"):
        pg.parse_chainage("K1+200", prefix=prefix)


@pytest.mark.parametrize("text", ["K1.2", "--0+020", "-K-0+020", "K1+200km", "1.2.3", "K1+200 800"])
def test_what_may_mean_two_things_is_refused(text):
    with pytest.raises(pg.errors.ChainageError, match="is not a chainage"):
        pg.parse_chainage(text)


@pytest.mark.parametrize(
    ("decimals", "text"), [(0, "K1+005"), (1, "K1+005.0"), (2, "K1+005.00"), (3, "K1+005.000")]
)
def test_metres_have_three_digits_before_any_point(decimals, text):
    assert pg.format_chainage(1005, decimals=decimals) == text


@pytest.mark.parametrize(
    ("text", "prefix"),
    [("DK12+669", "DK"), ("左k1+200", "左K"), ("K1+200", ""), ("12+669", ""), ("A-12", "")],
)
def test_the_prefix_of_a_chainage(text, prefix):
    assert chainage_prefix(text) == prefix


def test_which_of_two_places_and_whether_there_are_two():
    """Of a long chain, and past the river's ends, where a chainage goes on."""
    scale = ChainageScale.from_text(1000.0, 0.0, 1, "K0+860=K0+800")
    at = [-5.0, 700, 830, 890, 950, 1005]
    assert scale.repeated(at).tolist() == [None, None, "above", "below", None, None]
    assert scale.once(at).tolist() == [True, True, False, False, True, True]
    assert ChainageScale(1000.0).once(at).all()


def test_a_list_that_runs_neither_way_tells_nothing():
    scale = ChainageScale.from_text(1000.0, 0.0, 1, "K0+860=K0+800")
    found = scale.measure([790, 840, 830, 870], twice="order")
    assert found.tolist() == [790, 840, 890, 930]
    with pytest.raises(pg.errors.ChainageError, match=r"twice.*K0\+830"):
        scale.measure([100, 830, 50], twice="order")


@pytest.mark.parametrize(
    ("offsets", "section"),
    [
        ([-10, 0, 10, -10, 0, 10], [0, 0, 0, 1, 1, 1]),
        ([-10, 0, 10, -10, 0, 10, -9, 9], [0, 0, 0, 1, 1, 1, 2, 2]),
        # a wall that leans back, in the first section and in the second
        ([-10, -5, 5, 4, 10], [0] * 5),
        ([-10, 0, 10, -10, 8, 7.8, 10], [0, 0, 0, 1, 1, 1, 1]),
        ([-10, 0, 10, 9], [0] * 4),
        # of the first section's 20 m the second covers the farther 10, which are all of its own
        ([0, 1, 20, 10, 15, 20], [0, 0, 0, 1, 1, 1]),
        # a ditch of half a metre, surveyed twice
        ([0, 0.25, 0.5, 0, 0.25, 0.5], [0, 0, 0, 1, 1, 1]),
    ],
)
def test_a_section_begins_anew_where_it_runs_back_over_most_of_the_one_before(offsets, section):
    found = begun_anew(np.zeros(len(offsets), int), np.array(offsets, float))
    assert found.tolist() == section


@pytest.mark.parametrize("given", ["K1+200", None, np.nan, np.inf, np.datetime64("2026-01-01")])
def test_what_is_no_number_has_no_label(given):
    with pytest.raises(pg.errors.ChainageError, match="is no chainage"):
        pg.format_chainage(given)


def test_two_places_as_far_apart_as_the_tolerance_are_one():
    """A chain too long by just a centimetre, and by a metre where a metre is allowed."""
    scale = ChainageScale(10.0, equations=((0.01, 0.0),))
    assert scale.measure(0.0).tolist() == 0.0
    assert scale.repeated([0.0]).tolist() == [None]
    metre = ChainageScale(10.0, equations=((1.0, 0.0),))
    assert metre.measure(0.0, tolerance_m=1.0) == 0.0
    with pytest.raises(pg.errors.ChainageError, match="occur twice"):
        metre.measure(0.0)
    assert metre.repeated([0.0]).tolist() == ["above"]
