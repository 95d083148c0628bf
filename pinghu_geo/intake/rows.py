"""Which rows of a sheet are the table's? Notes, sums, second tables and ditto marks told apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.numerals import fold_unit
from pinghu_geo.nouns.schema import Noun, match_columns
from pinghu_geo.nouns.units import UNIT_WORDS, UNITS

__all__ = ["body_rows", "is_number", "is_units", "lonely", "remarks", "units_said"]

Row = Sequence[str | None]

# a row of units begins with no longer a cell, and has no longer ones [characters]
LONGEST_UNIT, LONGEST_HEADING = 6, 20
NUMBER = re.compile(r"[-+]?[\d.,]+(?:[eE][-+]?\d+)?|[KkＫ]?\s*\d+\s*[+＋]\s*\d+(?:\.\d+)?")
# rows below a table that are none of it
BELOW = re.compile(
    r"\s*(?:合\s*计|总\s*计|小\s*计|累\s*计|共\s*计|[总全]\s*长(?:度)?\s*(?:[(\uff08:\uff1a]|$)"
    r"|(?:平\s*均|最\s*[大小])\s*值?\s*$|均\s*值\s*$|注\s*\d*\s*[:\uff1a]"
    r"|备注\s*\d*\s*[:\uff1a]|说明\s*\d*\s*[:\uff1a]|制表|审核|编制|填表|校核)"
)
NOTE = re.compile(r"\s*(?:注|备注|说明)\s*\d*\s*[:\uff1a]")
# notes that go by number: 1、 2. (3)
POINT = re.compile(r"\s*[(\uff08]?\d{1,2}\s*[)\uff09、.\uff0e]\s*[^\s\d]")
CONTINUED = re.compile(r"\s*续\s*(?:上)?\s*[表页]")
UNIT_LINE = re.compile(r"单位\s*[:\uff1a]\s*([^\s)\uff09]+)")
_UNIT = "|".join(map(re.escape, UNIT_WORDS))
UNIT_NOTE = re.compile(rf"(?:单位(?:均?为|是|采用)?|以)({_UNIT})(?![a-z0-9/])")
RIVER_NAMED = re.compile(r"(?:河道|河流)(?:名称)?\s*[:\uff1a]")
# what says that a cell is the one above
DITTO = {"同上", "同前", "上同", "〃", "″", "〞", '"', "''", "\u201d", "\u201c", "ditto", "do."}
STEMS, LETTERS = "甲乙丙丁戊己庚辛壬癸", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def is_number(cell: str | None) -> bool:
    """Whether a cell is a number or a chainage."""
    return cell is not None and NUMBER.fullmatch(cell.strip()) is not None


def is_units(row: Row) -> bool:
    """Whether a row says nothing but units."""
    if any(c and len(c) > LONGEST_HEADING for c in row):
        return False
    some = False
    for word in (fold_unit(c).strip("()") for c in row if c):  # most rows end at the first
        if word in UNIT_WORDS:
            some = True
        elif word not in ("-", "/", "—", "1"):
            return False
    return some


def lonely(row: Iterable[str | None]) -> bool:
    """Whether a single cell is filled."""
    return sum(c is not None for c in row) == 1


def units_said(text: str) -> list[str]:
    """Units that a title or a note states: 单位:cm, 单位为厘米, 以厘米计."""
    found = [
        w for line in UNIT_LINE.findall(text) for w in re.split("[、,\uff0c;\uff1b。]", line) if w
    ]
    return [*map(fold_unit, found), *UNIT_NOTE.findall(fold_unit(text))]


def remarks(rows: Iterable[Row]) -> list[str]:
    """Notes and lines of units below the heading: they speak of the whole table."""
    texts = ((next((c for c in row if c), ""), row) for row in rows)
    return [
        text
        for text, row in texts
        if NOTE.match(text)
        or (lonely(row) and (UNIT_LINE.search(text) or (POINT.match(text) and units_said(text))))
    ]


def body_rows(
    cells: list[list[str | None]],
    first: int,
    heading: tuple[int, int],
    names: Sequence[str],
    kind: Noun,
    seen: Findings,
) -> list[int]:
    """Rows that hold the table; cells that say ditto hold what stands above them."""
    begin, depth = heading
    titles = [cells[r] for r in range(begin, begin + depth)]
    words = {a for c in kind.columns for a in (c.name, c.zh, *c.aliases)}
    filled = [r for r in range(first, len(cells)) if any(cells[r])]
    above = set(units_said(" ".join(c for row in cells[:first] for c in row if c)))
    left_out = [r + 1 for r in range(begin) if any(cells[r])]
    rows: list[int] = []
    single: list[int] = []
    if filled and _numbers_columns(cells[filled[0]], cells[filled[1]] if filled[1:] else None):
        left_out.append(filled.pop(0) + 1)
    for r in filled:
        row = cells[r]
        text = next(c for c in row if c)
        # the first cell tells nearly all rows for what they are
        again = row in titles or (len(text) <= LONGEST_UNIT and r > first and is_units(row))
        if again or BELOW.match(text) or (UNIT_LINE.search(text) and lonely(row)):
            left_out.append(r + 1)
            continue
        if re.split(r"[(\uff08\s]", text, maxsplit=1)[0] in words:
            _require_no_heading(row, r, kind)
        (single if _says_nothing(row, names, kind) else rows).append(r)
    _require_one_part(cells, rows, filled, above, kind)
    left_out += [r + 1 for r in _note_rows(cells, single, rows, titles, kind)]
    if left_out:
        seen.add("rows_left_out", sorted(left_out))
    _fill_ditto_cells(cells, rows)
    return rows


def _says_nothing(row: Row, names: Sequence[str], kind: Noun) -> bool:
    """Whether a row is one text, and none of what a row of this noun has to say.

    Of two columns one text is half a row, which lacks the other half.
    """
    if not lonely(row) or sum(map(bool, names)) < 3:
        return False
    place = next(k for k, c in enumerate(row) if c)
    known = match_columns([n for n in names if n], kind)
    column = known.get(names[place])
    codes = next((c.codes for c in kind.columns if c.name == column), {})
    if any(row[place] in (code, *words) for code, words in codes.items()):
        return False  # a word of its own column: a form that is filled in part
    need = set(kind.required) - {"river"} & set(known.values())
    return bool(need) and column not in need and not is_number(row[place])


def _note_rows(
    cells: Sequence[Row],
    single: Sequence[int],
    rows: Sequence[int],
    titles: Sequence[Row],
    kind: Noun,
) -> list[int]:
    """Rows of one text that are notes or titles of the same table; others are refused."""
    last = max(rows, default=-1)
    odd = []
    for r in single:
        text = next(c for c in cells[r] if c)
        after = next((row for row in cells[r + 1 :] if any(row)), [])
        same = after in titles and not RIVER_NAMED.search(text)
        if not (CONTINUED.match(text) or same or (r > last and POINT.match(text))):
            odd.append(r + 1)
    if odd:
        raise LayerError(
            "has rows of a single text: a title, a note or a second table (rows of the file)",
            layer=kind.name,
            ids=odd,
            hint="give each table a sheet or a file of its own, and each row its river",
            fault="unreadable",
        )
    return list(single)


def _require_one_part(
    cells: Sequence[Row], rows: Sequence[int], filled: Sequence[int], above: set[str], kind: Noun
) -> None:
    """Refuse a line of units between the rows, unless it says what those above say."""
    plain = {u for units in UNITS.values() for u, factor in units.items() if factor == 1}
    for r in filled:
        text = next(c for c in cells[r] if c)
        between = rows and rows[0] < r < rows[-1]
        other = set(units_said(text)) - (above or plain)
        if between and lonely(cells[r]) and other & set(UNIT_WORDS):
            raise LayerError(
                f"states the unit {min(other)} in row {r + 1}, between its rows",
                layer=kind.name,
                hint="give each table a sheet or a file of its own",
                fault="unreadable",
            )


def _numbers_columns(row: Row, after: Row | None) -> bool:
    """Whether a row counts the columns, as forms do: 1 2 3, (1) (2), ① ②, 甲 乙 1 2, A B C."""
    said = [unicodedata.normalize("NFKC", c).strip(" ()").upper() for c in row if c]
    if len(said) < 3 or len(said) < len(row) - 1:
        return False
    if after is not None and (after[0] or "").strip() == "2":
        return False  # rows of numbers
    signs = next((s for s in (STEMS, LETTERS) if said[0] == s[0]), "")
    stems = next((k for k, (w, s) in enumerate(zip(said, signs, strict=False)) if w != s), None)
    many = min(len(said), len(signs)) if stems is None else stems
    rest = said[many:]
    counts = [str(k) for k in range(1, len(rest) + 1)]
    onwards = [str(k) for k in range(many + 1, len(said) + 1)]
    return rest in (counts, onwards)


def _fill_ditto_cells(cells: list[list[str | None]], rows: Sequence[int]) -> None:
    """Put what stands above into cells that say ditto."""
    for above, r in zip(rows, rows[1:], strict=False):
        for c, cell in enumerate(cells[r]):
            if cell and cell.strip().lower() in DITTO:
                cells[r][c] = cells[above][c]


def _require_no_heading(row: Row, r: int, kind: Noun) -> None:
    """Refuse a row that begins another table."""
    filled = [c for c in row if c]
    found = match_columns(filled, kind)
    if len(found) > 1 and len(found) >= len(filled) / 2 and not any(map(is_number, filled)):
        raise LayerError(
            f"has a second table that begins in row {r + 1} ({', '.join(found)})",
            layer=kind.name,
            hint="give each table a sheet or a file of its own",
            fault="unreadable",
        )
