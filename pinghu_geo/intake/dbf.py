"""What do the cells of this .dbf say? Numbers and texts as written, where GDAL would lose some.

GDAL takes as much of a number as it understands ("1,300.5" is 1, "3F" is 3), keeps 15 digits, and
no text whose last character was cut. Where the bytes say so, columns are taken from the file
itself.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.encoding import dbf_head
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.numerals import numbers_written

__all__ = ["Table", "deleted_rows", "numbers_as_written", "say_cut_texts", "texts_decoded"]

# A double holds so many digits of any number.
EXACT_DIGITS = 15
# Bytes looked at at a time: some 100 MB with what is made of them.
AT_ONCE = 16_000_000
# All bits but the one that a blank has: NUL and a blank have none of them.
NO_BLANK = 0xDF
# encodings whose characters beyond ASCII begin with a high byte, and have two
DOUBLE = frozenset({"gbk", "gb18030", "gb2312", "big5", "cp950", "big5hkscs"})


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a .dbf, a row of bytes each, and its fields: kind, start, size, decimals.

    Names that aren't ASCII are blank: their encoding isn't known here.
    """

    cells: NDArray[np.uint8]
    fields: list[tuple[str, int, int, int]]
    names: list[str]

    @classmethod
    def of(cls, path: Path) -> Table:
        """Open a .dbf, whose rows are all there."""
        data = np.memmap(path, np.uint8, "r")
        rows, start, width = dbf_head(data[:32].tobytes())
        head = data[32:start].tobytes()
        fields, names, at = [], [], 1
        for k in range(0, len(head) - 31, 32):
            if head[k] == 0x0D:
                break
            fields.append((chr(head[k + 11]), at, head[k + 16], head[k + 17]))
            name = head[k : k + 11].partition(b"\0")[0]
            names.append(name.decode("ascii") if name.isascii() else "")
            at += head[k + 16]
        if at > width and rows:
            raise LayerError(
                f"{path.name} is damaged: its fields take {at} bytes of rows of {width}",
                hint="ask for it again",
                fault="unreadable",
            )
        wide = width if rows else max(at, 1)  # a table without rows may say no width at all
        return cls(data[start : start + rows * width].reshape(rows, wide), fields, names)

    def field(self, k: int, rows: NDArray[np.intp] | slice) -> NDArray[np.uint8]:
        """Cells of one field."""
        _, at, size, _ = self.fields[k]
        return np.asarray(self.cells[rows, at : at + size])

    def pieces(self, k: int, rows: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Cells of one field, some rows at a time, with the place of the first among the rows."""
        step = max(AT_ONCE // max(self.fields[k][2], 1), 1)
        every = len(rows) == len(self.cells)  # these are looked at where they are
        for first in range(0, len(rows), step):
            some = slice(first, first + step)
            yield first, self.field(k, some if every else rows[some])


def deleted_rows(path: Path, rows: NDArray[np.intp] | slice = slice(None)) -> NDArray[np.bool_]:
    """Whether each row is marked as deleted: it is still there, but doesn't count."""
    return np.asarray(Table.of(path).cells[rows, 0] == ord("*"))


def numbers_as_written(frame: Any, path: Path, rows: NDArray[np.intp], encoding: str) -> Any:
    """The frame with every column of numbers as the file has it; ``rows`` are those of the file.

    Columns that GDAL reads to the last digit stay as they are. What no number is stays a text,
    for `check` to name, and so does a whole number of more than 15 digits, which is an id.
    """
    table = Table.of(path)
    names = [c for c in frame.columns if c != frame.geometry.name] if len(rows) else []
    if len(names) != len(table.fields):
        return frame  # no field at all: GDAL makes one up
    made = {
        name: _column_of_field(table, k, rows, encoding)
        for k, name in enumerate(names)
        if table.fields[k][0] in "NF" and _has_odd_numbers(table, k, rows)
    }
    return frame.assign(**made) if made else frame


def plain_numbers(path: Path, names: Iterable[str]) -> set[str]:
    """Those of a Shapefile's fields whose every cell GDAL reads as it is written: numbers."""
    dbf = next((p for p in path.parent.glob("*") if p.stem == path.stem
                and p.suffix.lower() == ".dbf"), None)  # fmt: skip
    if dbf is None:
        return set()
    table = Table.of(dbf)
    rows, wanted = np.arange(len(table.cells)), set(names) - {""}
    return {
        name
        for k, (kind, _, _, _) in enumerate(table.fields)
        if kind in "NF"
        and (name := table.names[k]) in wanted
        and not _has_odd_numbers(table, k, rows)
    }


def _has_odd_numbers(table: Table, k: int, rows: NDArray[np.intp]) -> bool:
    """Whether a field has a cell that GDAL doesn't read as it is written."""
    kind, _, _, decimals = table.fields[k]
    whole = kind == "N" and decimals == 0
    return any(_odd_numbers(cells, whole).any() for _, cells in table.pieces(k, rows))


def _odd_numbers(cells: NDArray[np.uint8], whole: bool) -> NDArray[np.bool_]:
    """Cells that are neither blank nor a plain number of at most 15 digits before the point.

    GDAL writes decimals beyond what a double holds; only ids are read to the last digit.
    """
    odd, begun, ended, some = np.zeros((4, len(cells)), bool)
    points, before = np.zeros((2, len(cells)), np.uint8)
    stars = np.ones(len(cells), bool)  # the number was too wide for its field
    for byte in np.ascontiguousarray(cells.T):
        blank = (byte == ord(" ")) | (byte == 0)
        digit = (byte >= ord("0")) & (byte <= ord("9"))
        point = byte == ord(".")
        sign = (byte == ord("-")) | (byte == ord("+"))
        stars &= byte == ord("*")
        odd |= ~(blank | digit | point | sign) | (sign & begun) | (~blank & ended)
        ended |= blank & begun
        begun |= ~blank
        some |= digit
        points += point
        before += digit & (points == 0)
    odd |= (points > (0 if whole else 1)) | (before > EXACT_DIGITS) | (begun & ~some)
    return np.asarray(odd & ~stars)


def _column_of_field(table: Table, k: int, rows: NDArray[np.intp], encoding: str) -> pd.Series:
    """A field as numbers; as texts where it holds an id, or a text that is no number."""
    cells = np.ascontiguousarray(table.field(k, rows))
    raw = cells.view(f"S{cells.shape[1]}").ravel()
    texts = pd.Series(
        [one.replace(b"\0", b" ").decode(encoding, "replace").strip() for one in raw], dtype=object
    )
    texts = texts.where((texts != "") & (texts.str.strip("*") != ""), None)
    numbers = numbers_written(texts)
    plain = texts.str.fullmatch(r"[-+]?[0-9]+(\.0*)?", na=False)
    if (texts[plain].str.count("[0-9]") > EXACT_DIGITS).any() or numbers.dtype == object:
        return texts.where(~plain, texts.str.replace(r"\.0*$", "", regex=True))
    return numbers


def say_cut_texts(
    frame: Any, path: Path, rows: NDArray[np.intp], encoding: str, seen: Findings
) -> None:
    """Name the texts that their field cut inside a character; a reader drops that end silently."""
    table = Table.of(path)
    names = [c for c in frame.columns if c != frame.geometry.name] if len(rows) else []
    if len(names) != len(table.fields):
        return
    for k, name in enumerate(names):
        kind, _, size, _ = table.fields[k]
        if kind != "C" or not size:
            continue
        cut = [
            first + row + 1
            for first, cells in table.pieces(k, rows)
            for row in np.flatnonzero(_ends_inside_character(cells, encoding))
        ]
        seen.add("text_cut", [f"row {row}" for row in cut], str(name))


def _ends_inside_character(cells: NDArray[np.uint8], encoding: str) -> NDArray[np.bool_]:
    """Whether the text of each cell ends inside a character, at the field's end or before blanks.

    In UTF-8 the last lead byte tells how many bytes were to follow. In GBK, GB18030 and Big5 a run
    of high bytes begins with a character, so that an odd one ends inside of one.
    """
    bits = np.bitwise_or.reduce(cells, axis=0)
    if not (bits & 0x80).any():
        return np.zeros(len(cells), bool)
    # most fields are wider than any text in them
    cells = cells[:, : np.flatnonzero(bits & NO_BLANK)[-1] + 1]
    size = cells.shape[1]
    some = (cells & NO_BLANK) != 0
    last = np.where(some.any(axis=1), size - 1 - some[:, ::-1].argmax(axis=1), 0)
    found = cells[np.arange(len(cells)), last] > 0x7F
    rows = np.flatnonzero(found)
    end, place = last[rows], np.arange(size)
    if codecs.lookup(encoding).name == "utf-8":
        lead = (cells[rows] >= 0xC0) & (place <= end[:, None])
        at = np.where(lead.any(axis=1), size - 1 - lead[:, ::-1].argmax(axis=1), end)
        first = cells[rows, at]
        wanted = 1 + (first >= 0xC0).astype(int) + (first >= 0xE0) + (first >= 0xF0)
        found[rows] = end - at + 1 < wanted
    elif codecs.lookup(encoding).name in DOUBLE:
        low = np.where((cells[rows] <= 0x7F) & (place <= end[:, None]), place, -1).max(axis=1)
        found[rows] = (end - low) % 2 == 1
    else:
        found[:] = False
    return found


def texts_decoded(frame: Any, encoding: str, path: Path, seen: Findings) -> Any:
    """A frame whose names and texts were read byte by byte (Latin-1), in their encoding.

    A field cuts a text at its width, in Chinese often inside of a character: that end is left out.
    """
    names = {}
    for name in frame.columns.drop(frame.geometry.name):
        texts = frame[name]
        if texts.dtype == object or isinstance(texts.dtype, pd.StringDtype):
            given = texts.astype(object).where(texts.notna(), None)
            read = [None if t is None else _decoded_text(t, encoding, path)[0] for t in given]
            frame[name] = pd.Series(read, frame.index, dtype="str")
        names[name], broken = _decoded_text(str(name), encoding, path)
        if broken:
            seen.add("text_cut", column=names[name])
    return frame.rename(columns=names)


def _decoded_text(text: str, encoding: str, path: Path) -> tuple[str, bool]:
    """A text of single bytes in its encoding, and whether its last character was cut off."""
    raw = text.encode("latin-1")
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        read = decoder.decode(raw, final=False)
    except UnicodeDecodeError as fault:
        raise LayerError(
            f"{path.name} has a text that is no {encoding}: {raw[:40]!r}",
            hint='name its encoding: pg.read_layer(..., encoding="GBK")',
            fault="unreadable",
        ) from fault
    return read.strip(), bool(decoder.getstate()[0])
