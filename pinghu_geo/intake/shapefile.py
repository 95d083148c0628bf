"""Do the parts of this Shapefile go together, and which rows are near? Seen before GDAL reads."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyogrio
from numpy.typing import NDArray

from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.encoding import dbf_head, dbf_rows
from pinghu_geo.intake.gdal import gdal_options
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import scratch_folder

__all__ = ["parts_of", "rows_meeting", "whole_shapefile"]

# Types of shapes whose records begin with their box: all but points (ESRI white paper, 1998).
BOXED = {3, 5, 8, 13, 15, 18, 23, 25, 28, 31}
# Bytes of a record's head, and how its shape begins; bytes read at a time.
HEAD, SHAPE = 8, np.dtype([("type", "<i4"), ("box", "<f8", 4)])
AT_ONCE = 2_000_000


def parts_of(path: Path) -> dict[str, Path]:
    """The files of a Shapefile by their suffix, however it is written."""
    return {p.suffix.lower(): p for p in path.parent.glob("*") if p.stem == path.stem}


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
    blocks = np.flatnonzero(np.diff(begin // AT_ONCE, prepend=-1))
    rows = [np.zeros(0, np.intp)]
    with path.open("rb") as file:
        kind = int.from_bytes(file.read(100)[32:36], "little")
        if kind not in BOXED:
            return None
        for first, end in pairwise([*blocks, len(begin)]):
            length = begin[end - 1] + HEAD + size[end - 1] - begin[first]
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
    found = np.concatenate(rows)
    return found[~_deleted(parts[".dbf"], found)] if ".dbf" in parts else found


def _deleted(dbf: Path, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether rows are marked as deleted in the .dbf: they are still there, but don't count."""
    data = np.memmap(dbf, np.uint8, "r")
    _, start, width = dbf_head(data[:32].tobytes())
    return np.asarray(data[start + rows * width] == ord("*"))


def _index(shx: Path) -> NDArray[np.int64]:
    """Where each record of the .shp begins, and how long it is without its head, in words."""
    index = np.fromfile(shx, ">i4", offset=100).astype(np.int64)
    return index[: len(index) // 2 * 2].reshape(-1, 2)


def _stale(path: Path, shx: Path) -> bool:
    """Whether a .shx isn't the index of its .shp: its records don't follow one another.

    GDAL goes by it all the same, and finds other shapes, or none.
    """
    begin, size = _index(shx).T
    begins = np.append(begin, path.stat().st_size // 2)
    return bool(begins[0] != 50 or (begin + 4 + size != begins[1:]).any())


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
