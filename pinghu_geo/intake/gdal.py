"""How does GDAL read this one file? Its options for this thread alone, not for the process."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pyogrio
from pyogrio.errors import DataSourceError

__all__ = ["gdal_options", "write_frame"]

FAILURE = 3  # CE_Failure of GDAL's CPLErr

_one_at_a_time = threading.RLock()


@contextmanager
def gdal_options(**options: Any) -> Iterator[None]:
    """Options of GDAL's configuration for what this thread reads or writes in the block.

    pyogrio sets them for all threads at once, so that a read of another thread, ours or the
    user's, would run with them, or lose them half-way.
    """
    gdal = _gdal_library()
    if gdal is None:  # one that can't be asked: one after the other
        with _one_at_a_time:
            before = {key: pyogrio.get_gdal_config_option(key) for key in options}
            pyogrio.set_gdal_config_options(options)
            try:
                yield
            finally:
                pyogrio.set_gdal_config_options(before)
        return
    kept = {k.encode(): gdal.CPLGetThreadLocalConfigOption(k.encode(), None) for k in options}
    for key, value in options.items():
        gdal.CPLSetThreadLocalConfigOption(key.encode(), str(value).encode())
    try:
        yield
    finally:
        for name, old in kept.items():
            gdal.CPLSetThreadLocalConfigOption(name, old)


def write_frame(frame: pd.DataFrame, path: Path, **options: Any) -> None:
    """Write a layer through GDAL and believe it only if nothing failed on the way.

    Some of its drivers go on after a write that failed, some never look (.prj, GeoJSON), and some
    say so only when the file is closed, where pyogrio doesn't look: a file without its index, or
    without its end, would pass for a whole one. What SQLite doesn't guard goes through memory, from
    where Python writes it, which says what fails. A GeoPackage is written without SQLite's journal
    and waits for the disk: nobody sees it before it is whole, and then all of it is brought there.
    """
    gdal = _gdal_library()
    if gdal is None or path.suffix.lower() == ".gpkg":
        with gdal_options(OGR_SQLITE_SYNCHRONOUS="OFF", OGR_SQLITE_JOURNAL="MEMORY"):
            _write_and_check(gdal, frame, str(path), options)
        _require_geopackage_mark(path)
        return
    folder = f"/vsimem/{uuid4().hex}"
    try:
        _write_and_check(gdal, frame, f"{folder}/{path.name}", options)
        for name in pyogrio.vsi_listtree(folder):
            path.with_name(name.rpartition("/")[2]).write_bytes(_bytes_in_memory(gdal, name))
    finally:
        pyogrio.vsi_rmtree(folder)


def _write_and_check(gdal: Any, frame: pd.DataFrame, path: str, options: dict[str, Any]) -> None:
    """Write with pyogrio, and raise what only the library says."""
    if gdal is not None:
        gdal.CPLErrorReset()
    pyogrio.write_dataframe(frame, path, **options)
    if gdal is not None and gdal.CPLGetLastErrorType() >= FAILURE:
        said = gdal.CPLGetLastErrorMsg().decode("utf-8", "replace")
        raise DataSourceError(said or "a write failed")


def _require_geopackage_mark(path: Path) -> None:
    """Refuse a GeoPackage that doesn't say that it is one: GDAL passes over such a failure."""
    with path.open("rb") as file:
        head = file.read(72)
    if path.suffix.lower() == ".gpkg" and (head[68:] != b"GPKG" or not any(head[60:64])):
        raise DataSourceError("a write failed")


def _bytes_in_memory(gdal: Any, name: str) -> bytes:
    """What a file of GDAL's memory holds."""
    size = ctypes.c_ulonglong()
    place = gdal.VSIGetMemFileBuffer(name.encode(), ctypes.byref(size), 0)
    return ctypes.string_at(place, size.value) if place else b""


@cache
def _gdal_library() -> Any:
    """The library of GDAL that pyogrio uses, for what pyogrio has no words for; None if unknown."""
    here = Path(pyogrio.__file__).parent
    for place in [*here.glob("_ogr*"), *here.parent.glob("pyogrio.libs/*gdal*")]:
        try:
            gdal = ctypes.CDLL(str(place))
            get, put = gdal.CPLGetThreadLocalConfigOption, gdal.CPLSetThreadLocalConfigOption
            gdal.CPLGetLastErrorMsg.restype = ctypes.c_char_p
            held = gdal.VSIGetMemFileBuffer
            held.restype = ctypes.c_void_p
            held.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_ulonglong), ctypes.c_int]
        except (OSError, AttributeError):
            continue
        get.argtypes, get.restype = [ctypes.c_char_p, ctypes.c_char_p], ctypes.c_char_p
        put.argtypes, put.restype = [ctypes.c_char_p, ctypes.c_char_p], None
        put(b"PINGHU_PROBE", b"1")  # and not a second copy that is loaded beside it
        ours = pyogrio.get_gdal_config_option("PINGHU_PROBE") is not None
        put(b"PINGHU_PROBE", None)
        if ours:
            return gdal
    return None
