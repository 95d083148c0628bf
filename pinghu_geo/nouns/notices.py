"""Who hears what is not an error? Notices reach the one who asked, whatever other threads do.

The filters of Python's `warnings` belong to the whole process: a thread that silences or records
takes the warnings of all others. Here both are of the thread, or of the call.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from pinghu_geo.nouns.messages import merged

__all__ = ["heard", "noticed_once", "notify", "quiet_libraries"]

P = ParamSpec("P")
T = TypeVar("T")

PACKAGE = __name__.partition(".")[0]

_listener: ContextVar[list[str] | None] = ContextVar("listener", default=None)


def notify(text: str) -> None:
    """Hand a notice to whoever listens around this call, else warn whoever called the library."""
    listener = _listener.get()
    if listener is not None:
        listener.append(text)
        return
    frame, depth = sys._getframe(), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(PACKAGE):
        frame, depth = frame.f_back, depth + 1
    warnings.warn(text, UserWarning, stacklevel=depth)


@contextmanager
def heard() -> Iterator[list[str]]:
    """All notices of the calls inside, instead of warnings."""
    said: list[str] = []
    token = _listener.set(said)
    try:
        yield said
    finally:
        _listener.reset(token)


def noticed_once(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What a call returns; of its notices that say the same of more and of less, one is handed on.

    Within another such call, or where somebody listens, all are theirs.
    """
    if _listener.get() is not None:
        return function(*args, **kwargs)
    said: list[str] = []
    try:
        with heard() as said:
            return function(*args, **kwargs)
    finally:
        for text in said if len(said) < 2 else merged(said):
            notify(text)


class _QuietInThread(threading.local):
    """How many blocks around this thread want quiet; matches any text there and nothing else."""

    depth = 0

    def match(self, _: str) -> bool:
        return self.depth > 0


_here = _QuietInThread()
_FILTER: Any = ("ignore", _here, Warning, None, 0)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """No warnings of other libraries on this thread; those of other threads stay what they are."""
    if getattr(sys.flags, "context_aware_warnings", False):  # Python that keeps them apart itself
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
        return
    if not warnings.filters or warnings.filters[0] is not _FILTER:
        # stays: on a thread that doesn't want quiet it matches nothing
        warnings.filters.insert(0, _FILTER)  # type: ignore[attr-defined]
    _here.depth += 1
    try:
        yield
    finally:
        _here.depth -= 1
