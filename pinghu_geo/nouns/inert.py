"""How does a text from a stranger stay a text? One door for each kind of output, each with its law.

Owners, notes, schemes and ids come from other offices. Whatever they hold, they are neither
markup nor template, script, formula, code of a drawing, command of a terminal, or path. Every
output takes its texts through its door here, and through no other.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

__all__ = [
    "source_name",
    "without_secrets",
    "cell_text",
    "console_text",
    "csv_text",
    "database_name",
    "drawing_name",
    "drawing_text",
    "field_text",
    "figure_text",
    "file_names",
    "given_text",
    "html_text",
    "json_text",
    "script_value",
    "sheet_text",
    "shell_word",
    "visible_text",
    "word_text",
]

# Control pictures stand for the controls in their order; delete has one of its own.
PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
# where tabs and line breaks may stay
INNER_PICTURES = {code: sign for code, sign in PICTURES.items() if code not in (9, 10, 13)}
# What turns the reading order of what follows: marks, embeddings, overrides, isolates.
RIGHT_TO_LEFT = {"R", "AL", "AN", "RLE", "LRE", "RLO", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI"}
TURNING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
# What no UTF-8 file, or no XML file, can hold.
UNENCODABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")
# Signs with a meaning in markup, templates and scripts, and the line breaks only scripts know.
MARKUP = {ord(c): f"&#{ord(c)};" for c in "'`{}$\r\u2028\u2029"}
MARKUP |= {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}
UNFIT_FOR_SCRIPTS = re.compile(f"[&<>'`{{}}$\u2028\u2029\x85\x7f{TURNING}]")
JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
# What a spreadsheet takes for a formula (CWE-1236), in full width, too, which input methods type.
FORMULA = re.compile(r"[\s']*[=+\-@＝＋－＠]|'*[\t\r\n]")  # noqa: RUF001 - meant
PLAIN_NUMBER = re.compile(r"[-+]?(\d[\d,]*\.?\d*|\.\d+)(e[-+]?\d+)?%?|-", re.IGNORECASE)
# Longest text of a workbook's cell [characters], of a file's stem [bytes of UTF-8; file systems
# hold 255 with whatever stands before and behind], of a drawing's layer [characters] and text
# [bytes; AutoCAD takes more, other readers cut there, in the midst of a character].
CELL_CHARACTERS, STEM_BYTES, LAYER_CHARACTERS, DRAWN_BYTES = 32_767, 120, 255, 255
# Names of devices on Windows, whatever their suffix.
DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)
UNFIT_FOR_FILES = re.compile(r'[<>:"/\\|?*]')
UNFIT_FOR_LAYERS = re.compile(r"[<>/\\\":;?*|=`,]")


def visible_text(value: object, *, lines: bool = False) -> str:
    """Text whose controls are seen as their pictures: no NUL, escape or half character is left.

    With ``lines`` its tabs and line breaks stay, for where they are shown.
    """
    text = str(value)
    if text.isprintable():  # no control, no half character
        return text
    return UNENCODABLE.sub("\ufffd", text).translate(INNER_PICTURES if lines else PICTURES)


def html_text(value: object, *, isolated: bool = True) -> str:
    """Text in HTML, or in a string that a script makes HTML of 网页文字.

    Law: parsed as HTML it is one text node equal to what was given; rendered as a template any
    number of times it stays as it is; it turns no text but its own. ``isolated=False`` where no
    element may stand, as in a title.
    """
    text = UNENCODABLE.sub("\ufffd", str(value))
    shown = text.translate(INNER_PICTURES).translate(MARKUP)
    if shown.isascii() or not _has_right_to_left(shown):
        return shown
    shown = re.sub(f"[{TURNING}]", lambda sign: f"&#{ord(sign[0])};", shown)
    return f"<bdi>{shown}</bdi>" if isolated else shown


def _has_right_to_left(text: str) -> bool:
    """Whether a text holds what is read from right to left, or signs that turn the order."""
    return any(unicodedata.bidirectional(c) in RIGHT_TO_LEFT for c in set(text))


def word_text(value: object) -> str:
    """Text within a Word document's markup, and within a template's 文档文字.

    Law: read back it is what was given, tabs and line breaks included, other controls as their
    pictures and signs that turn the order as their codes; it is no field, no tag, no template.
    """
    text = re.sub("\r\n?", "\n", UNENCODABLE.sub("\ufffd", str(value)))
    unseen = f"[\x80-\x9f\u2028\u2029{TURNING}]"
    text = re.sub(unseen, lambda sign: f"<U+{ord(sign[0]):04X}>", text)
    return text.translate(INNER_PICTURES).translate(MARKUP | {ord("%"): "&#37;"})


def script_value(value: Any) -> str:
    """A value as JSON within a script 脚本数据.

    Law: as JSON, and as JavaScript, it is the value given; it neither ends the script nor is a
    template, a comment, or a line break.
    """
    said = json.dumps(value, ensure_ascii=False, allow_nan=False)
    said = UNENCODABLE.sub(lambda half: f"\\u{ord(half[0]):04x}", said)
    # braces outside texts are the JSON's own; a list of texts has none
    plain = "{" not in said and "}" not in said
    return _escaped_for_scripts(said) if plain else JSON_TEXT.sub(_escaped_text, said)


def json_text(value: Any) -> str:
    """A value as JSON in a file, for programs and for people 数据文件.

    Law: as JSON it is the value given; shown on a terminal or in an editor, no text of it moves a
    cursor or turns the reading order.
    """
    said = json.dumps(value, ensure_ascii=False, indent=1)
    unseen = f"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff{TURNING}]"
    return re.sub(unseen, lambda sign: f"\\u{ord(sign[0]):04x}", said) + "\n"


def _escaped_for_scripts(text: str) -> str:
    return UNFIT_FOR_SCRIPTS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def _escaped_text(text: re.Match[str]) -> str:
    return _escaped_for_scripts(text[0])


def cell_text(value: object) -> str:
    """Text of a database's or a Shapefile's cell 单元格文字.

    Law: the whole text arrives, line breaks and tabs included: no NUL cuts it short.
    """
    return UNENCODABLE.sub("\ufffd", str(value)).replace("\0", "␀")


def sheet_text(value: object) -> str:
    """Text in a workbook's cell or heading, which is to be written as a string 表格文字.

    Law: read back it is what was given, without the controls that no workbook holds; Excel opens
    the file.
    """
    text = str(value)
    if not text.isprintable():  # most are
        text = UNENCODABLE.sub("\ufffd", re.sub("\r\n?", "\n", text))
        text = text.translate(dict.fromkeys(INNER_PICTURES))
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"


def csv_text(value: Any) -> Any:
    """A cell or heading of a .csv, which can't say that a text is one; numbers stay numbers.

    Law: no spreadsheet takes it for a formula, and `given_text` gives it back, its line breaks as
    line feeds.
    """
    if not isinstance(value, str):
        return value
    # before Python 3.13 no lone carriage return is quoted: what follows would be a row of its own
    text = re.sub("\r\n?", "\n", cell_text(value))
    return f"'{text}" if FORMULA.match(text) and not PLAIN_NUMBER.fullmatch(text) else text


def given_text(value: Any) -> Any:
    """The text that `csv_text` made a cell of."""
    if isinstance(value, str) and value[:1] == "'" and FORMULA.match(value[1:]):
        return value[1:]
    return value


def drawing_text(value: object) -> str:
    """Text of a DXF's TEXT entity 图纸文字.

    Law: one line, no codes: every reader and every CAD program shows the signs given. Percent
    signs in a row, and backslashes, which some would take for codes, stand in full width; a text
    of more than 255 bytes ends in an ellipsis.
    """
    text = visible_text(value).replace("^", "^ ")
    text = re.sub("%(?=%)|(?<=%)%", "％", text).replace("\\", "＼")  # noqa: RUF001 - meant
    if len(text.encode()) <= DRAWN_BYTES:
        return text
    return text.encode()[: DRAWN_BYTES - 3].decode("utf-8", "ignore").rstrip("^") + "…"


def drawing_name(value: object) -> str:
    """Name of a DXF's layer, without what a drawing's names can't hold 图层名.

    Law: no line break (which would begin another group of the file), at most 255 characters, not
    empty, no blanks around.
    """
    text = UNFIT_FOR_LAYERS.sub("_", visible_text(value)).strip()
    return text[:LAYER_CHARACTERS] or "_"


def field_text(value: object) -> str:
    """Text in a file of lines whose fields commas part, such as HEC-RAS's 行内字段.

    Law: one field of one line.
    """
    return visible_text(value).replace(",", "，")  # noqa: RUF001 - meant


def database_name(value: object) -> str:
    """Name of a table or column of a GeoPackage 数据库名称.

    Law: the whole name arrives: no NUL cuts it short; it is none of the tables and columns that
    the format keeps for itself.
    """
    text = visible_text(value).strip() or "_"
    kept = re.match(r"(gpkg|sqlite|rtree|ogr)_", text, re.IGNORECASE)
    return f"_{text}" if kept or text.lower() in ("fid", "geom", "rowid", "ogc_fid") else text


def console_text(value: object) -> str:
    """One line on a terminal or in a log 终端文字.

    Law: one line that moves no cursor, changes no colour or title, and turns no reading order.
    """
    text = UNENCODABLE.sub("\ufffd", str(value))
    if text.isprintable():
        return text
    unseen = f"[\x80-\x9f\u2028\u2029{TURNING}]"
    return re.sub(unseen, lambda sign: f"<U+{ord(sign[0]):04X}>", text.translate(PICTURES))


def shell_word(value: object) -> str:
    """A path as one word of a command that is typed 命令行中的路径.

    Examples
    --------
    >>> shell_word("资料/project.toml"), shell_word("资料 一/project.toml")
    ('资料/project.toml', '"资料 一/project.toml"')
    """
    text = console_text(value)
    if not re.search(r"[^\w@%+=:,./\\~-]", text):
        return text
    # double quotes are those of every shell; none of these is a sign in a path of Windows
    return '"' + re.sub(r'(["$`]|\\(?=["$`]|$))', r"\\\1", text) + '"'


def figure_text(value: object) -> str:
    """Text in a figure of matplotlib, where dollars would begin a formula 图中文字.

    Law: drawn as given. A label that begins with an underscore would be left out of a legend.
    """
    text = visible_text(value).replace("$", r"\$")
    return f"\u200b{text}" if text.startswith("_") else text


def file_names(texts: Iterable[str]) -> dict[str, str]:
    """Stems of files named by texts, such as schemes 文件名.

    Law: each is one name on Windows, macOS and Linux, within the folder; different texts have
    different names, where case and composed characters don't count; a text that is such a name
    is its own.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for text in dict.fromkeys(texts):
        name = _sound_file_name(text)
        if name != text or _folded_name(name) in taken:
            mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
            name = f"{name}_{mark}"
        names[text] = name
        taken.add(_folded_name(name))
    return names


def _folded_name(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _sound_file_name(text: str) -> str:
    """A text without what no file may be called, cut to what every file system holds."""
    plain = re.sub(f"[\x80-\x9f\u2028\u2029{TURNING}]", "_", visible_text(text))
    plain = UNFIT_FOR_FILES.sub("_", plain).strip(". ")
    # a name that begins with a dot is hidden, with a hyphen taken for an option
    plain = re.sub("^-+", "_", plain)
    plain = plain.encode()[:STEM_BYTES].decode("utf-8", "ignore").rstrip(". ")
    return f"_{plain}" if not plain or DEVICES.fullmatch(plain) else plain


# Whatever stands between an address's scheme and its last @, where that has a password; and
# passwords given by name.
SECRETS = (
    (re.compile(r"([a-zA-Z][\w+.-]+:/+)[^\n]*:[^\n]*@"), r"\1***@"),
    (
        re.compile(
            r"(?i)\b((?:ssl)?pass(?:word|wd|file)?|pwd|token|secret|api_?key)"
            r"(\s*=\s*)('[^'\n]*'|\"[^\"\n]*\"|[^\s&;,'\"]+)"
        ),
        r"\1\2***",
    ),
)


def source_name(source: object) -> str:
    """What a file is called; a database has no name that could be told without its address."""
    text = str(source)
    return "the database" if "://" in text else text.replace("\\", "/").rstrip("/").split("/")[-1]


def without_secrets(text: str) -> str:
    """A text without the passwords of the addresses in it."""
    for secret, shown in SECRETS:
        text = secret.sub(shown, text)
    return text
