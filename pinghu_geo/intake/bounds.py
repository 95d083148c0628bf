"""Is this more than a delivery can be? Counted before a library unfolds it.

A few kilobytes can say a sheet of 17 thousand million cells, a block that holds itself two to the
24th times, or parts within parts until the stack ends. What a file asks for is counted here, at
the pace of its bytes, and refused in words.
"""

from __future__ import annotations

import re
import sqlite3
import struct
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np

from pinghu_geo.nouns.errors import LayerError, reason
from pinghu_geo.nouns.messages import say

__all__ = [
    "SHORT_BYTES",
    "quoted_name",
    "require_bounded_base",
    "require_bounded_block",
    "require_bounded_book",
    "require_bounded_drawing",
    "require_bounded_sheet",
    "require_bounded_tiff",
    "without_nests",
]

# A district has some 100,000 houses; a ledger of them some 40 columns.
MOST_CELLS, MOST_TEXT = 3_000_000, 2**29
# Cells laid out where only few are filled: rows times columns of what surrounds them.
MOST_SPANNED = 20_000_000
# as many columns as a workbook has
MOST_COLUMNS = 16_384
# XML unfolded from a workbook [bytes]; beyond, its own writer would not have gone.
MOST_XML = 2 * 2**30
# Styles are laid out as thirty times their bytes.
MOST_STYLES = 2**24
# Entities of a drawing with all blocks inserted, and blocks within blocks.
MOST_ENTITIES, DEEPEST_BLOCKS = 3_000_000, 32
# Geometry collections within one another; below so many bytes none can nest too deep.
DEEPEST_PARTS, SHORT_BYTES = 32, 16_384
# Steps of SQLite for looking through a view, some seconds: a million rows joined take a tenth. One
# step may compute a long text, so that time is asked, too [s].
MOST_STEPS, STEPS_AT_ONCE, LONGEST_S = 400_000_000, 100_000, 20.0
# One value that is computed, and all that a view may hold beyond four times its file [bytes].
LONGEST_VALUE, MOST_VALUES = 2**26, 2**28
# What is known of a GeoPackage when it is opened in vain, and harmless: the reader says it.
HARMLESS = re.compile(
    "no such (table|column)|has no column|ambiguous column|malformed|not a database"
)
# Cells that are unfolded at once [bytes]: writers make tiles of 256, 512 or 4096 cells a side.
MOST_BLOCK = 2**28
# Overviews, masks and pages of a TIFF; beyond, there is no map.
MOST_DIRECTORIES, MOST_TAGS = 1000, 4096
# how a TIFF writes whole numbers, by their kind
WHOLE = {1: "B", 6: "B", 3: "H", 8: "H", 4: "I", 9: "I", 13: "I", 16: "Q", 17: "Q"}
# words of WKT that may hold others
HOLDERS = re.compile(r"(?:COLLECTION|MULTI|COMPOUND|CURVEPOLYGON)", re.IGNORECASE)


# --- workbooks -----------------------------------------------------------------------------------


def require_bounded_book(path: Path, what: str) -> None:
    """Refuse a workbook that would fill the memory when its sheets are laid out."""
    try:
        with zipfile.ZipFile(path) as book:
            parts = [i for i in book.infolist() if i.filename.endswith(".xml")]
            if sum(i.file_size for i in parts) > MOST_XML:
                raise _oversize_error(path, what, "unfolds to more than 2 GB")
            if any(i.filename.endswith("styles.xml") and i.file_size > MOST_STYLES for i in parts):
                raise _oversize_error(path, what, "has more styles than a table")
            shared = _shared_text_lengths(book, path, what)
            for part in parts:
                if re.fullmatch(r"/?xl/worksheets/[^/]+\.xml", part.filename):
                    _require_bounded_sheet(book, part, shared, path, what)
    except (zipfile.BadZipFile, expat.ExpatError, OSError, EOFError, ValueError) as fault:
        if isinstance(fault, LayerError):
            raise
        raise LayerError(
            f"{path.name} is no workbook that can be read: {reason(fault)}",
            layer=what,
            hint="open it in Excel and save it again",
            fault="unreadable",
        ) from fault


def _oversize_error(path: Path, what: str, why: str) -> LayerError:
    return LayerError(
        f"{path.name} {why}",
        layer=what,
        hint="delete what lies beyond the table (its rows and columns) and save it again, or save "
        "the table as .csv",
        fault="unreadable",
    )


def require_bounded_sheet(rows: int, columns: int, path: Path) -> None:
    """Refuse a sheet whose last cell, seen once it is read, lies too far out."""
    if rows * columns > MOST_SPANNED or columns > MOST_COLUMNS:
        raise _oversize_error(path, "", f"has a sheet of {rows:,} rows and {columns:,} columns")


def _feed_parser(book: zipfile.ZipFile, name: str, parser: Any) -> None:
    """Feed a part of a workbook to a parser, no more at once than a block."""
    with book.open(name) as part:
        while block := part.read(2**20):
            parser.Parse(block, False)
        parser.Parse(b"", True)


def _shared_text_lengths(book: zipfile.ZipFile, path: Path, what: str) -> list[int]:
    """How long each of the texts is that cells refer to."""
    lengths: list[int] = []
    name = next((n for n in book.namelist() if n.lower().endswith("xl/sharedstrings.xml")), None)
    if name is None:
        return lengths

    def begun(tag: str, _: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "si":
            lengths.append(0)

    def said(text: str) -> None:
        if lengths:
            lengths[-1] += len(text)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.CharacterDataHandler = begun, said
    _feed_parser(book, name, parser)
    if sum(lengths) > MOST_TEXT:
        raise _oversize_error(path, what, "holds more text than a ledger")
    return lengths


def _require_bounded_sheet(
    book: zipfile.ZipFile, part: zipfile.ZipInfo, shared: list[int], path: Path, what: str
) -> None:
    """Count a sheet's cells, how far they lie apart, and what texts they refer to."""
    rows = columns = cells = text = row = merged = 0
    kind = value = place = ""

    def begun(tag: str, given: dict[str, str]) -> None:
        nonlocal rows, columns, cells, row, kind, value, merged, place
        if tag[-1] == "c" and tag.rpartition(":")[2] == "c":
            cells += 1
            kind, value, place = given.get("t", ""), "", given.get("r", "")
            if cells > MOST_CELLS:
                raise _oversize_error(path, what, f"has a sheet of more than {MOST_CELLS:,} cells")
        elif tag.rpartition(":")[2] in ("v", "is", "f"):  # formats alone are no end of a table
            at = re.match("[A-Z]+", place)
            rows, columns = max(rows, row), max(columns, _column_number(at[0]) if at else 1)
            if rows * columns > MOST_SPANNED:
                said = f"has a sheet of {rows:,} rows and {columns:,} columns"
                raise _oversize_error(path, what, said)
        elif tag.rpartition(":")[2] in ("mergeCell", "hyperlink"):
            merged += _cells_in_range(given.get("ref", ""))
            if merged > MOST_SPANNED // 10:
                raise _oversize_error(
                    path, what, f"has a sheet with {merged:,} cells merged or linked"
                )
        elif tag.rpartition(":")[2] == "row":
            row = int(given.get("r", row + 1))

    def read(one: str) -> None:
        nonlocal value
        if kind == "s" and len(value) < 12:
            value += one.strip()

    def ended(tag: str) -> None:
        nonlocal text, kind
        if kind == "s" and tag.rpartition(":")[2] == "c":
            if value.isdecimal() and int(value) < len(shared):
                text += shared[int(value)]
            kind = ""
            if text > MOST_TEXT:
                raise _oversize_error(path, what, "repeats its texts beyond what a ledger holds")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.CharacterDataHandler = begun, read
    parser.EndElementHandler = ended
    parser.buffer_text = True
    _feed_parser(book, part.filename, parser)


def _cells_in_range(place: str) -> int:
    """How many cells lie between two corners, such as A1:B9."""
    corners = re.findall(r"\$?([A-Z]{1,3})\$?(\d{1,7})", place)
    if len(corners) != 2:
        return 1
    (left, top), (right, bottom) = corners
    across = abs(_column_number(right) - _column_number(left)) + 1
    return across * (abs(int(bottom) - int(top)) + 1)


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters[:4]:
        number = 26 * number + ord(letter) - 64
    return number


# --- databases -----------------------------------------------------------------------------------


def require_bounded_base(path: Path, what: str) -> None:
    """Refuse a database that computes rows without end, or values that would fill the memory."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True)) as base:
        base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        most = max(MOST_VALUES, 4 * path.stat().st_size)
        given = base.execute(
            "SELECT name, type = 'view' FROM sqlite_master WHERE type = 'view' OR "
            "type = 'table' AND sql LIKE '%AS%(%' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        ).fetchall()
        for name, is_view in given:
            _interrupt_when_too_long(base)
            try:
                columns = [
                    quoted_name(column)
                    for _, column, *_, hidden in base.execute(
                        f"PRAGMA table_xinfo({quoted_name(name)})"
                    )
                    if is_view or hidden == 2
                ]
                if not columns:
                    continue
                lengths = " + ".join(f"total(length(CAST({c} AS BLOB)))" for c in columns)
                query = f"SELECT {lengths} FROM {quoted_name(name)}"  # noqa: S608 - quoted
                (held,) = base.execute(query).fetchone()
            except sqlite3.Error as fault:
                if HARMLESS.search(str(fault)):
                    continue
                raise _view_error(path, what, name, str(fault)) from fault
            if held > most:
                raise _view_error(path, what, name, "too big")


def quoted_name(name: str) -> str:
    """A name of a table or a column as SQL takes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def _interrupt_when_too_long(base: sqlite3.Connection) -> None:
    """Interrupt what is asked next when it takes too many steps, or too long."""
    steps, end = 0, time.monotonic() + LONGEST_S

    def goes_on_too_long() -> bool:
        nonlocal steps
        steps += STEPS_AT_ONCE
        return steps > MOST_STEPS or time.monotonic() > end

    base.set_progress_handler(goes_on_too_long, STEPS_AT_ONCE)


def _view_error(path: Path, what: str, name: str, said: str) -> LayerError:
    name = repr(name)
    if "interrupted" in said:
        text = say("{} has a view {} that computes rows without end", "en", path.name, name)
    elif "too big" in said:
        text = say("{} computes in {} more text than a table holds", "en", path.name, name)
    else:
        text = say("{} has a view {} that can't be looked through: {}", "en", path.name, name, said)
    return LayerError(
        text, layer=what, hint="ask the sender for the table itself", fault="unreadable"
    )


# --- rasters -------------------------------------------------------------------------------------


def require_bounded_tiff(path: Path, what: str) -> None:
    """Refuse a GeoTIFF of which one tile or strip would fill the memory: holes take no bytes."""
    for tags in _tiff_directories(path):
        width, height = tags.get(256, 0), tags.get(257, 0)
        down = tags.get(323, min(tags.get(278, height), height))
        bytes_of_one = tags.get(277, 1) * max(tags.get(258, 8) // 8, 1)
        require_bounded_block(down, tags.get(322, width), f"V{bytes_of_one}", path, what)


def require_bounded_block(down: int, across: int, dtype: str, path: Path, what: str) -> None:
    """Refuse a raster of which the cells that are unfolded at once would fill the memory."""
    if down * across * np.dtype(dtype).itemsize > max(MOST_BLOCK, path.stat().st_size):
        raise LayerError(
            f"{path.name} has tiles of {across:,} x {down:,} cells, which are unfolded at once",
            layer=what,
            hint="gdal_translate -co TILED=YES in.tif out.tif makes tiles of 256 x 256",
            fault="unreadable",
        )


def _tiff_directories(path: Path) -> Iterator[dict[int, int]]:
    """Whole numbers in each directory of a TIFF, by their tag; as far as it can be read."""
    with suppress(struct.error, OSError, OverflowError), path.open("rb") as file:
        head = file.read(16)
        order = "<" if head[:2] == b"II" else ">"
        big = struct.unpack_from(order + "H", head, 2)[0] == 43
        count, field = (order + "Q", order + "HHQ8s") if big else (order + "H", order + "HHI4s")
        place = order + ("Q" if big else "I")
        seen: set[int] = set()
        at = struct.unpack_from(place, head, 8 if big else 4)[0]
        while at and at not in seen and len(seen) < MOST_DIRECTORIES:
            seen.add(at)
            file.seek(at)
            many = struct.unpack(count, file.read(struct.calcsize(count)))[0]
            raw = file.read(min(many, MOST_TAGS) * struct.calcsize(field))
            after = file.read(struct.calcsize(place))
            tags: dict[int, int] = {}
            for tag, kind, values, held in struct.iter_unpack(field, raw):
                if values == 1 and kind in WHOLE and tag not in tags:  # of two the first counts
                    form = order + WHOLE[kind]
                    if struct.calcsize(form) > len(held):
                        file.seek(struct.unpack(place, held)[0])
                        tags[tag] = struct.unpack(form, file.read(8))[0]
                    else:
                        tags[tag] = struct.unpack_from(form, held)[0]
            yield tags
            at = struct.unpack(place, after)[0] if many <= MOST_TAGS else 0


# --- drawings ------------------------------------------------------------------------------------


def require_bounded_drawing(raw: bytes, name: str, what: str) -> None:
    """Refuse a drawing whose blocks, inserted in one another or in arrays, have no end."""
    if b"INSERT" not in raw and b"MINSERT" not in raw:
        return
    lines = raw.split(b"\n")
    start = next((k for k, line in enumerate(lines[:64]) if line.strip() == b"0"), 0)
    own: dict[bytes, int] = {}
    inserts: dict[bytes, list[list[Any]]] = {}
    block, entity = b"", b""
    for code, value in zip(lines[start::2], lines[start + 1 :: 2], strict=False):
        group = code.strip()
        if group == b"0":
            entity = value.strip()
            if entity in (b"SECTION", b"ENDBLK"):
                block = b""
            own[block] = own.get(block, 0) + 1
            if entity == b"INSERT":
                inserts.setdefault(block, []).append([b"", 1, 1])
        elif group == b"2" and entity == b"BLOCK":
            block = value.strip().upper()
        elif entity == b"INSERT" and group in (b"2", b"70", b"71"):
            at = (b"2", b"70", b"71").index(group)
            one = value.strip().upper()
            inserts[block][-1][at] = one if at == 0 else _repeat_count(one)
    total = _count_of_entities(b"", own, inserts, {}, 0)
    if total > MOST_ENTITIES:
        many = f"{total:,.0f}" if np.isfinite(total) else "endlessly many"
        raise LayerError(
            f"{name} unfolds to {many} entities by blocks within blocks",
            layer=what,
            hint="explode or purge the blocks in the CAD program and save it again",
            fault="unreadable",
        )


def _repeat_count(text: bytes) -> int:
    return max(int(text), 1) if re.fullmatch(rb"-?\d{1,9}", text) else 1


def _count_of_entities(
    block: bytes, own: dict[bytes, int], inserts: Any, known: dict[bytes, float], depth: int
) -> float:
    """Entities of a block with all that it inserts; infinite where it comes to itself."""
    if block in known:
        return known[block]
    if depth > DEEPEST_BLOCKS:
        return float("inf")
    total = float(own.get(block, 0))
    for name, across, down in inserts.get(block, ()):
        total += across * down * max(_count_of_entities(name, own, inserts, known, depth + 1), 1.0)
    known[block] = total
    return total


# --- geometries ----------------------------------------------------------------------------------


def without_nests(shapes: Any) -> Any:
    """WKT or WKB with those left out that nest deeper than any shape: they end the stack."""
    kept = np.array(shapes, object, copy=True)
    for k, one in enumerate(kept):
        if one is None or len(one) < 400:
            continue
        if isinstance(one, str):
            deep = _depth_of_wkt(one) > DEEPEST_PARTS
        else:
            deep = len(one) > SHORT_BYTES and _depth_of_wkb(bytes(one)) > DEEPEST_PARTS
        if deep:
            kept[k] = None if not isinstance(one, str) else "nested without end"
    return kept


def _depth_of_wkt(text: str) -> int:
    """How deep words that hold others stand within one another, at most."""
    if len(HOLDERS.findall(text)) <= DEEPEST_PARTS:
        return 0
    depth = most = 0
    for sign in re.findall("[()]", text):
        depth += 1 if sign == "(" else -1
        most = max(most, depth)
    return most


def _depth_of_wkb(raw: bytes) -> int:
    """How deep parts of a WKB stand within one another; beyond the bound nothing is counted."""
    at, left, most = 0, [1], 0
    while left and at + 5 <= len(raw):
        if left[-1] == 0:
            left.pop()
            continue
        left[-1] -= 1
        order = "<" if raw[at] else ">"
        kind, at = struct.unpack_from(f"{order}I", raw, at + 1)[0], at + 5
        flags, plain = kind >> 28, kind & 0x0FFFFFFF
        size = 16 + 8 * (bool(flags & 8) + bool(flags & 4))
        thousands, plain = divmod(plain, 1000)
        size += 8 * {1: 1, 2: 1, 3: 2}.get(thousands, 0)
        at += 4 if flags & 2 else 0
        if plain == 1:
            at += size
            continue
        if at + 4 > len(raw):
            break
        count, at = struct.unpack_from(f"{order}I", raw, at)[0], at + 4
        if plain in (2, 8):
            at += count * size
        elif plain in (3, 17):
            for _ in range(min(count, len(raw))):
                if at + 4 > len(raw):
                    return most
                at += 4 + size * struct.unpack_from(f"{order}I", raw, at)[0]
        else:
            left.append(count)
            most = max(most, len(left))
            if most > DEEPEST_PARTS + 1:
                break
    return most
