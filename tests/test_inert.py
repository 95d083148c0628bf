"""Text from a stranger stays text: the laws of each door, and 30 payloads at each output."""

import json
import re
from html.parser import HTMLParser

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinghu_geo.nouns import inert

PAYLOADS = [
    "{{ 7*7 }}", "{{cycler.__init__.__globals__.os.mkdir('pwned')}}", "{# 3 #}z", "{%x%}", "{{", "}}", "{%",
    "<script>window.hit=1</script>", "</script><script>window.hit=1</script>", "<img src=x onerror=window.hit=1>",
    "\"><svg onload=window.hit=1>", "' onmouseover='window.hit=1", "${window.hit=1}", "`+(window.hit=1)+`",
    "a\u2028b\u2029c", "abc\u202egnp.exe", "\u2066x\u2069", "=1+1", "=HYPERLINK(\"http://127.0.0.1:9/\",\"x\")",
    "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)", "\t=1+1", "\r=1+1", "＝1+1", "'=1+1",
    "%%u%%d\\P{\\C1;x}^J\\U+4E00", "line\nbreak\n0\nEOF", "\x1b[31mred\x1b]0;t\x07", "a\x00b", "../../ESC",
    "CON", "改线/西段", "一" * 120, "_x0041_", "javascript:window.hit=1", "]]>", "<!--", "&lt;&#123;", "\ud83d",
    "\x9b31m", "$\\frac{", "x'); DROP TABLE affected;--", "\x85", "\r\nSet-Cookie: x",
]  # fmt: skip
ANY = st.one_of(st.sampled_from(PAYLOADS), st.text(), st.text("{}%#$`<>&'\"\\/=+-@\t\r\n\0 ab…'"))


class _Seen(HTMLParser):
    def __init__(self):
        super().__init__()
        self.text, self.tags = "", []

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)


def encodable(text):
    return inert.UNENCODABLE.sub("\ufffd", text)


@given(ANY)
def test_html_is_one_text_equal_to_what_was_given(text):
    made = inert.html_text(text)
    seen = _Seen()
    seen.feed(made)
    seen.close()
    assert seen.text == encodable(text).translate(inert.INNER_PICTURES)
    assert set(seen.tags) <= {"bdi"}
    assert not set(made) & set("{}`$'\"\u202e\u2028")
    assert jinja2.Template(made, keep_trailing_newline=True).render() == made


@given(ANY)
def test_a_script_value_is_the_value_and_nothing_else(text):
    made = inert.script_value({"a": [text, {"b": text}]})
    assert json.loads(made) == {"a": [text, {"b": text}]}
    inside = "".join(re.findall(r'"(?:[^"\\]|\\.)*"', made))
    assert not set(inside) & set("<>&{}`$'\u2028\u2029\u202e\x85")
    made.encode()
    assert jinja2.Template(made, keep_trailing_newline=True).render() == made


@given(ANY)
def test_a_csv_cell_is_no_formula_and_comes_back(text):
    made = inert.csv_text(text)
    assert not re.match(r"[\s]*[=@＝＠]|[\t\r\n]", made)
    if re.match(r"\s*[+\-＋－]", made):
        assert made == "-" or float(made.replace(",", "").rstrip("%")) is not None
    assert "\r" not in made
    assert inert.given_text(made) == re.sub("\r\n?", "\n", encodable(text).replace("\0", "␀"))


@given(ANY)
def test_what_a_terminal_shows_is_one_line_without_commands(text):
    made = inert.console_text(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", made)
    made.encode()


@given(ANY)
def test_json_in_a_file_is_the_value_and_moves_no_cursor(text):
    made = inert.json_text({"a": [text, {text: 1}]})
    assert json.loads(made) == {"a": [text, {text: 1}]}
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", made
    )
    made.encode()


@given(ANY)
def test_texts_and_names_of_drawings_and_databases_hold_no_codes(text):
    for made in (inert.drawing_text(text), inert.drawing_name(text), inert.database_name(text)):
        assert not re.search("[\x00-\x1f]", made)
        made.encode()
    drawn = inert.drawing_text(text)
    assert "%%" not in drawn
    assert "\\" not in drawn
    assert not re.search(r"\^(?! )", drawn)
    assert 0 < len(inert.drawing_name(text)) <= 255
    assert not inert.database_name(text).lower().startswith(("gpkg_", "sqlite_", "rtree_"))


@given(st.lists(ANY, max_size=8))
def test_file_names_stay_in_their_folder_and_apart(texts):
    names = inert.file_names(texts)
    assert len({n.casefold() for n in names.values()}) == len(set(texts))
    for name in names.values():
        assert 0 < len(name.encode()) <= 140
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', name)
        assert name.strip(". ") == name
        assert not inert.DEVICES.fullmatch(name)


def test_a_name_that_is_one_stays():
    assert inert.file_names(["原方案", "优化 2.1"]) == {"原方案": "原方案", "优化 2.1": "优化 2.1"}
    made = inert.file_names(["x/../../ESC", "x:..:..:ESC"])
    assert len(set(made.values())) == 2


@pytest.mark.parametrize("text", ["-5", "+86", "-1,300.5", "-", "3.5e-3", "-12%"])
def test_numbers_in_a_csv_stay_numbers(text):
    assert inert.csv_text(text) == text
