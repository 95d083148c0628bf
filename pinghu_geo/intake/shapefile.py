"""Do the parts of this Shapefile go together, and which rows are near? Seen before GDAL reads.

The .shx is the authority: records stand in the .shp in any order, with gaps, and old ones that
nothing points at any more.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
from numpy.typing import NDArray

from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.dbf import deleted_rows
from pinghu_geo.intake.encoding import dbf_rows
from pinghu_geo.intake.gdal import gdal_options
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.replacing import scratch_folder

__all__ = ["part_stamps", "parts_of", "rows_meeting", "whole_shapefile"]

# Types of shapes whose records begin with their box: all but points (ESRI white paper, 1998).
BOXED = {3, 5, 8, 13, 15, 18, 23, 25, 28, 31}
# Bytes of a record's head, and how a record begins; bytes read at a time.
HEAD = 8
RECORD = np.dtype([("number", ">i4"), ("size", ">i4"), ("type", "<i4"), ("box", "<f8", 4)])
AT_ONCE = 2_000_000


def parts_of(path: Path) -> dict[str, Path]:
    """The files of a Shapefile by their suffix, however it is written."""
    return {p.suffix.lower(): p for p in path.parent.glob("*") if p.stem == path.stem}


def part_stamps(source: str | Path) -> dict[str, tuple[int, int, int]]:
    """What tells a Shapefile's parts from others under their names; empty for other sources."""
    path = Path(source)
    if path.suffix.lower() != ".shp" or not path.exists():
        return {}
    stamps = {}
    for suffix, part in parts_of(path).items():
        with suppress(FileNotFoundError):  # replaced in this moment
            now = part.stat()
            stamps[suffix] = (now.st_ino, now.st_size, now.st_mtime_ns)
    return stamps


def whole_shapefile(
    path: Path,
    what: str,
    seen: Findings,
    stack: ExitStack,
    boxes: NDArray[np.float64] | None = None,
) -> tuple[Path, NDArray[np.intp] | None]:
    """A Shapefile whose parts go together: a missing or stale .shx is rebuilt in a copy.

    Its path and, where boxes are given, the rows that may meet them; see `rows_meeting`.
    """
    _require_whole_file(path, what)
    parts = parts_of(path)
    if ".dbf" not in parts:
        seen.add("no_dbf")
    stale, rows = (True, None) if ".shx" not in parts else _check_index_and_boxes(path, boxes)
    if stale:
        seen.add("stale_shx" if ".shx" in parts else "no_shx")
        folder = stack.enter_context(scratch_folder(path.name))
        for suffix, part in parts.items():
            if suffix != ".shx":
                shutil.copy(part, folder / part.name)
        path = folder / path.name
        with gdal_options(SHAPE_RESTORE_SHX="YES"):
            pyogrio.read_info(path)
        parts = parts_of(path)
        rows = _check_index_and_boxes(path, boxes)[1]
    shapes = max(parts[".shx"].stat().st_size - 100, 0) // 8
    if ".dbf" in parts and (n := dbf_rows(parts[".dbf"])) != shapes:
        raise LayerError(
            f"{path.name} has {shapes:,} shapes but its .dbf {n:,} rows: attributes would go to "
            "the wrong shapes",
            layer=what,
            hint="ask for the .shp, .shx and .dbf of one export",
            fault="unreadable",
        )
    return path, _rows_not_deleted(rows, parts)


def rows_meeting(path: Path, boxes: NDArray[np.float64]) -> NDArray[np.intp] | None:
    """Rows whose boxes in the .shp meet any of the boxes; None where shapes have no boxes.

    A third of the time in which GDAL reads all shapes to look at their boxes.
    """
    return _rows_not_deleted(_check_index_and_boxes(path, boxes)[1], parts_of(path))


def _rows_not_deleted(
    rows: NDArray[np.intp] | None, parts: dict[str, Path]
) -> NDArray[np.intp] | None:
    """Rows without those that the .dbf marks as deleted."""
    if rows is None or ".dbf" not in parts:
        return rows
    return rows[~deleted_rows(parts[".dbf"], rows)]


def _check_index_and_boxes(
    path: Path, boxes: NDArray[np.float64] | None
) -> tuple[bool, NDArray[np.intp] | None]:
    """Whether the .shx isn't the index of its .shp; and which rows meet boxes, None where unknown.

    It is the index where each entry points at the head of a record of its length and, where
    records are numbered, of its number. GDAL goes by it all the same, and finds other shapes, or
    none. Heads and boxes are looked at on one way through the file.
    """
    begin, size = _entries_of_shx(parts_of(path)[".shx"])
    turn: NDArray[Any] = np.arange(len(begin), dtype=np.int32)
    if len(begin) and not begin.all():
        turn = turn[(begin != 0) | (size != 0)]  # no record: no geometry
        begin, size = begin[turn], size[turn]
    if (begin[1:] < begin[:-1]).any():
        order = np.argsort(begin, kind="stable")
        turn, begin, size = turn[order], begin[order], size[order]
    words = path.stat().st_size // 2
    if not len(turn):
        return words > 50, None if boxes is None else np.zeros(0, np.intp)
    if begin[0] < 50 or size.min() < 2 or not _are_records_inside(begin, size, words):
        return True, None
    numbers = np.empty(len(turn), np.int32)
    by_row = True
    boxed = boxes is not None
    rows = [np.zeros(0, np.intp)]
    for first, end, kind, record in _heads_of_records(path, begin, size):
        if (record["size"].astype(np.int32) != size[first:end]).any():
            return True, None
        numbers[first:end] = record["number"]
        by_row = by_row and bool((numbers[first:end] - 1 == turn[first:end]).all())
        own = record["type"] == kind
        boxed = boxed and kind in BOXED and bool(own.all() or (own | (record["type"] == 0)).all())
        if boxed and boxes is not None:
            rows.append(first + np.flatnonzero(_may_meet_boxes(record["box"], boxes) & own))
    if not by_row and _is_misnumbered(numbers, turn, begin):
        return True, None
    if not boxed:
        return False, None
    return False, np.sort(turn[np.concatenate(rows)]).astype(np.intp)


def _are_records_inside(begin: NDArray[np.int32], size: NDArray[np.int32], words: int) -> bool:
    """Whether all records, in the order of the file, end within its so many words."""
    room = words - HEAD // 2
    if int(begin[-1]) + int(size.max()) <= room:  # as a rule, and quickly told
        return True
    return bool((begin.astype(np.int64) + size <= room).all())


def _may_meet_boxes(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of so many boxes meet any of the given ones, or have no area and may not be meant."""
    x0, y0, x1, y1 = np.ascontiguousarray(box.T)
    meets: NDArray[np.bool_] = ~((x0 < x1) & (y0 < y1))
    for west, south, east, north in boxes:
        meets |= (x0 <= east) & (x1 >= west) & (y0 <= north) & (y1 >= south)
    return meets


def _heads_of_records(
    path: Path, begin: NDArray[np.int32], size: NDArray[np.int32]
) -> Iterator[tuple[int, int, int, Any]]:
    """How the records of a .shp begin, so many at a time, in its order; and the kind it says."""
    starts = np.arange(int(begin[0]), int(begin[-1]) + 1, AT_ONCE // 2)
    blocks = np.unique(np.searchsorted(begin, starts.astype(np.int32)))
    block = bytearray()
    with path.open("rb") as file:
        kind = int.from_bytes(file.read(100)[32:36], "little")
        for first, end in pairwise([*blocks.tolist(), len(begin)]):
            start = 2 * int(begin[first])
            length = 2 * (int(begin[end - 1]) + int(size[end - 1])) + HEAD - start
            # the last shape may have no geometry, and be shorter than what is looked at
            if len(block) < length + RECORD.itemsize:
                block = bytearray(length + RECORD.itemsize)
            file.seek(start)
            file.readinto(memoryview(block)[:length])
            # as bytes, which numpy takes at once, and not field by field
            anywhere = np.ndarray(length, f"V{RECORD.itemsize}", block, strides=(1,))
            at = 2 * (begin[first:end] - begin[first]).astype(np.intp)
            yield first, end, kind, anywhere[at].view(RECORD)


def _entries_of_shx(shx: Path) -> NDArray[np.int32]:
    """Where each record of the .shp begins, and how long it is without its head, in words."""
    if shx.stat().st_size < 100:  # cut off within its head
        return np.zeros((2, 0), np.int32)
    index = np.fromfile(shx, ">i4", offset=100)
    return index[: len(index) // 2 * 2].reshape(-1, 2).T.astype(np.int32, order="C")


def _is_misnumbered(
    numbers: NDArray[np.int32], rows: NDArray[np.int32], begin: NDArray[np.int32]
) -> bool:
    """Whether records, in the order of the file, carry the numbers of other rows."""
    # numbered by rows, records added later aside, or by their order in the file, or not at all
    if ((numbers - 1 == rows) | (numbers > len(rows))).all() or (numbers[1:] > numbers[:-1]).all():
        return False
    return len(np.unique(numbers)) == len(numbers) or len(np.unique(begin)) != len(begin)


def _require_whole_file(path: Path, what: str) -> None:
    """Refuse a .shp that is shorter than its header says."""
    with path.open("rb") as file:
        head = file.read(100)
    size = path.stat().st_size
    said = 2 * int.from_bytes(head[24:28], "big")
    if len(head) < 100 or said > size:
        raise LayerError(
            f"{path.name} was cut off: {size:,} bytes of {said:,}",
            layer=what,
            hint="ask for it again",
            fault="unreadable",
        )
