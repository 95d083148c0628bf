"""Every sentence that the package says has its Chinese, once, with the same things filled in."""

import json
import re
from string import Formatter

import pytest
from sentences import sentences

import pinghu_geo as pg
from pinghu_geo.nouns.messages import catalogue, merged, read_said, translated

SAID = {}
for place in sentences():
    SAID.setdefault(place[3], place)
# nothing but what is filled in: the sentence stands where it is made
SAID = {t: p for t, p in SAID.items() if re.search(r"[^\W\d_]{2}|;", t)}


def fields(text):
    return [name for _, name, _, _ in Formatter().parse(text) if name is not None]


def test_every_sentence_has_its_chinese():
    """Paste what is listed into rules/messages.toml, with the Chinese ("" for mere code)."""
    lost = [f"{json.dumps(t, ensure_ascii=False)} = \"\"  # {m}:{n}" for t, (m, n, _, _) in SAID.items()
            if t not in catalogue()]  # fmt: skip
    assert not lost, "\n" + "\n".join(lost)


def test_the_catalogue_holds_no_sentence_that_nobody_says():
    import tomllib
    from importlib.resources import files

    said = tomllib.loads((files("pinghu_geo") / "rules" / "messages.toml").read_text("utf-8"))[
        "said"
    ]
    everything = {text for *_, text in sentences()}
    assert [key for key in said if key not in everything] == []


def test_chinese_has_the_same_fields():
    for key, zh in catalogue().items():
        values = [f"<{k}>" for k in range(len(fields(key)))]
        filled = key.format(*values)
        found = read_said(filled)
        assert found is not None
        # a sentence is taken apart as it was put together
        assert found.key == key or "".join(found.values) == "".join(values), key
        if zh:
            said = translated(filled, "zh")
            assert all(said.count(v) == 1 for v in values), said
            ours = ":t" in zh or any("\u4e00" <= c <= "\u9fff" for c in zh)
            assert ours or not re.search(r"\w", key), key


def test_an_error_speaks_both_languages():
    fault = pg.errors.LayerError(
        "has two columns for a, or two names for 'b', in columns", layer="buildings (房屋.shp)",
        ids=["1", "2"], hint="did you mean 'c'?",
    )  # fmt: skip
    assert fault.key == "has two columns for {}, or two names for {}, in columns"
    assert fault.values == ("a", "'b'")
    assert str(fault).startswith("buildings (房屋.shp): has two columns for a")
    assert fault.in_language("en") == str(fault)
    assert fault.in_language("zh") == (
        "房屋 (房屋.shp):columns 中 a 有两列,或 'b' 有两个名称(2:1, 2)。\n\n提示:是否指 'c'?"
    )


def test_what_is_filled_in_stays_as_it_is():
    odd = "x: {0} is not known {:t} {boom}"
    assert odd in pg.errors.LayerError(f"there is no file {odd}").in_language("zh")
    assert translated("what nobody says", "zh") == "what nobody says"


def test_of_notices_that_say_the_same_the_one_of_most_is_kept():
    text = "floor area of {} of {} buildings is estimated as footprint x floors (floor_area_source = 'estimated')"
    assert merged([text.format(12, 25), text.format(14, 32), "other"]) == [
        text.format(14, 32),
        "other",
    ]


def test_a_project_file_with_mistakes_is_told_in_chinese(tmp_path):
    (tmp_path / "project.toml").write_text('crs = "4547"\nnmae = 1\n[layers]\nbuildings = "a"\nrivers = "b"\n'
                                           '[schemes."x"]\nwidths = -1\n', "utf-8")  # fmt: skip
    with pytest.raises(pg.errors.ProjectError) as told:
        pg.check_project(tmp_path / "project.toml")
    said = told.value.in_language("zh")
    assert "第 1 行:project.toml:crs 须为 整数,不小于 1024" in said
    assert "第 2 行:project.toml:没有 'nmae' 这一项" in said
    assert "是否指 'name'?" in said
    assert "must be" not in said
