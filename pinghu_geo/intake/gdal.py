"""How does GDAL read this one file? Its options for this thread alone, not for the process."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyogrio

__all__ = ["gdal_options", "write_frame"]

FAILURE = 3  # CE_Failure of GDAL's CPLErr

_one_at_a_time = threading.RLock()


@contextmanager
def gdal_options(**options: Any) -> Iterator[None]:
    """Options of GDAL's configuration for what this thread reads or writes in the block.

    pyogrio sets them for all threads at once, so that a read of another thread, ours or the
    user's, would run with them, or lose them half-way.
    """
    gdal = _library()
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

    Some of its drivers go on after a write that failed, and some say so only when the file is
    closed, where pyogrio doesn't look: a file without its index, or without its end, would pass
    for a whole one.
    """
    if path.suffix.lower() == ".geojson":  # whose driver never looks: through memory
        text = BytesIO()
        pyogrio.write_dataframe(frame, text, driver="GeoJSON", **options)
        path.write_bytes(text.getvalue())
        return
    gdal = _library()
    if gdal is not None:
        gdal.CPLErrorReset()
    pyogrio.write_dataframe(frame, path, **options)
    if gdal is not None and gdal.CPLGetLastErrorType() >= FAILURE:
        said = gdal.CPLGetLastErrorMsg().decode("utf-8", "replace")
        raise pyogrio.errors.DataSourceError(said or "a write failed")


@cache
def _library() -> Any:
    """The library of GDAL that pyogrio uses, for what pyogrio has no words for; None if unknown."""
    here = Path(pyogrio.__file__).parent
    for place in [*here.glob("_ogr*"), *here.parent.glob("pyogrio.libs/*gdal*")]:
        try:
            gdal = ctypes.CDLL(str(place))
            get, put = gdal.CPLGetThreadLocalConfigOption, gdal.CPLSetThreadLocalConfigOption
            gdal.CPLGetLastErrorMsg.restype = ctypes.c_char_p
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
