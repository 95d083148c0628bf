"""Do the parts of this Shapefile go together, and which rows are near? Seen before GDAL reads.

The .shx is the authority: records stand in the .shp in any order, with gaps, and old ones that
nothing points at any more.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path

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
# Bytes of a record's head, and how its shape begins; bytes read at a time.
HEAD, SHAPE = 8, np.dtype([("type", "<i4"), ("box", "<f8", 4)])
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


def whole_shapefile(path: Path, what: str, seen: Findings, stack: ExitStack) -> Path:
    """Path of a Shapefile whose parts go together: a missing or stale .shx is rebuilt in a copy."""
    _require_whole(path, what)
    parts = parts_of(path)
    if ".dbf" not in parts:
        seen.add("no_dbf")
    if ".shx" not in parts or _stale(path, parts[".shx"]):
        seen.add("stale_shx" if ".shx" in parts else "no_shx")
        folder = stack.enter_context(scratch_folder(path.name))
        for suffix, part in parts.items():
            if suffix != ".shx":
                shutil.copy(part, folder / part.name)
        path = folder / path.name
        with gdal_options(SHAPE_RESTORE_SHX="YES"):
            pyogrio.read_info(path)
        parts = parts_of(path)
    shapes = max(parts[".shx"].stat().st_size - 100, 0) // 8
    if ".dbf" in parts and (rows := dbf_rows(parts[".dbf"])) != shapes:
        raise LayerError(
            f"{path.name} has {shapes:,} shapes but its .dbf {rows:,} rows: attributes would go to "
            "the wrong shapes",
            layer=what,
            hint="ask for the .shp, .shx and .dbf of one export",
            fault="unreadable",
        )
    return path


def rows_meeting(path: Path, boxes: NDArray[np.float64]) -> NDArray[np.intp] | None:
    """Rows whose boxes in the .shp meet any of the boxes; None where shapes have no boxes.

    A third of the time in which GDAL reads all shapes to look at their boxes.
    """
    parts = parts_of(path)
    begin, size = _index(parts[".shx"]).T * 2
    there = np.flatnonzero(size > 0)  # entries without a record have no geometry
    turn = there[np.argsort(begin[there], kind="stable")]
    begin, size = begin[turn], size[turn]
    blocks = np.flatnonzero(np.diff(begin // AT_ONCE, prepend=-1))
    rows = [np.zeros(0, np.intp)]
    with path.open("rb") as file:
        kind = int.from_bytes(file.read(100)[32:36], "little")
        if kind not in BOXED:
            return None
        for first, end in pairwise([*blocks, len(begin)]):
            length = begin[end - 1] + HEAD + size[end - 1] - begin[first]
            file.seek(begin[first])
            # the last shape may have no geometry, and be shorter than what is looked at
            block = file.read(length) + bytes(SHAPE.itemsize)
            anywhere = np.ndarray(length, SHAPE, block, strides=(1,))
            shape = anywhere[begin[first:end] - begin[first] + HEAD]
            if not np.isin(shape["type"], [0, kind]).all():
                return None
            x0, y0, x1, y1 = shape["box"].T
            meets = ~((x0 < x1) & (y0 < y1))  # a box without area may not be meant
            for west, south, east, north in boxes:
                meets |= (x0 <= east) & (x1 >= west) & (y0 <= north) & (y1 >= south)
            rows.append(first + np.flatnonzero(meets & (shape["type"] == kind)))
    found = np.sort(turn[np.concatenate(rows)])
    return found[~deleted_rows(parts[".dbf"])[found]] if ".dbf" in parts else found


def _index(shx: Path) -> NDArray[np.int64]:
    """Where each record of the .shp begins, and how long it is without its head, in words."""
    if shx.stat().st_size < 100:  # cut off within its head
        return np.zeros((0, 2), np.int64)
    index = np.fromfile(shx, ">i4", offset=100).astype(np.int64)
    return index[: len(index) // 2 * 2].reshape(-1, 2)


def _stale(path: Path, shx: Path) -> bool:
    """Whether a .shx isn't the index of its .shp.

    It is where each entry points at the head of a record of its length and, where records are
    numbered, of its number. GDAL goes by it all the same, and finds other shapes, or none.
    """
    begin, size = _index(shx).T
    there = np.flatnonzero((begin != 0) | (size != 0))  # no record: no geometry
    begin, size = begin[there], size[there]
    words = path.stat().st_size // 2
    if not len(there):
        return words > 50
    if begin.min() < 50 or size.min() < 2 or (begin + HEAD // 2 + size).max() > words:
        return True
    heads = _heads(path, begin)
    if (heads[:, 1] != size).any():
        return True
    # numbered by rows, records added later aside, or by their order in the file, or not at all
    numbers = heads[:, 0]
    by_rows = (numbers == there + 1) | (numbers > len(there))
    by_file = np.diff(numbers[np.argsort(begin, kind="stable")]) > 0
    if by_rows.all() or by_file.all():
        return False
    return len(np.unique(numbers)) == len(numbers) or len(np.unique(begin)) != len(begin)


def _heads(path: Path, begin: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number and length of the records that begin at these words of a .shp."""
    words = np.memmap(path, ">i2", "r", shape=(path.stat().st_size // 2,))
    at = begin[:, None] + np.arange(HEAD // 2)
    return np.ascontiguousarray(words[at]).view(">i4").astype(np.int64)


def _require_whole(path: Path, what: str) -> None:
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
