"""How does GDAL read this one file? Its options for this thread alone, not for the process."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pyogrio

__all__ = ["gdal_options"]

_one_at_a_time = threading.RLock()


@contextmanager
def gdal_options(**options: Any) -> Iterator[None]:
    """Options of GDAL's configuration for what this thread reads or writes in the block.

    pyogrio sets them for all threads at once, so that a read of another thread, ours or the
    user's, would run with them, or lose them half-way.
    """
    thread = _of_the_thread()
    if thread is None:  # a GDAL that can't be asked: one after the other
        with _one_at_a_time:
            before = {key: pyogrio.get_gdal_config_option(key) for key in options}
            pyogrio.set_gdal_config_options(options)
            try:
                yield
            finally:
                pyogrio.set_gdal_config_options(before)
        return
    get, put = thread
    kept = {key.encode(): get(key.encode(), None) for key in options}
    for key, value in options.items():
        put(key.encode(), str(value).encode())
    try:
        yield
    finally:
        for name, old in kept.items():
            put(name, old)


@cache
def _of_the_thread() -> tuple[Callable[..., Any], Callable[..., Any]] | None:
    """GDAL's own functions for options of one thread, out of the library that pyogrio uses."""
    here = Path(pyogrio.__file__).parent
    places = [*here.glob("_ogr*"), *here.parent.glob("pyogrio.libs/*gdal*")]
    for place in places:
        try:
            library = ctypes.CDLL(str(place))
            get = library.CPLGetThreadLocalConfigOption
            put = library.CPLSetThreadLocalConfigOption
        except (OSError, AttributeError):
            continue
        get.argtypes, get.restype = [ctypes.c_char_p, ctypes.c_char_p], ctypes.c_char_p
        put.argtypes, put.restype = [ctypes.c_char_p, ctypes.c_char_p], None
        put(b"PINGHU_PROBE", b"1")  # and not of a second copy that is loaded beside it
        ours = pyogrio.get_gdal_config_option("PINGHU_PROBE") is not None
        put(b"PINGHU_PROBE", None)
        if ours:
            return get, put
    return None
