"""Work that other processes are sent to do; they import this module and nothing of pytest."""

import os
import signal
import sys
import time
from pathlib import Path

from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.notices import notify


def square(common, item, tell):
    """What is told, noticed and found of a number; ``common`` says how long each takes [s]."""
    tell(f"begin {item}")
    time.sleep(common.get(item, 0))
    notify(f"note {item}")
    tell(f"end {item}")
    return item**2


def refuse(common, item, tell):
    """As `square`, but some numbers are refused."""
    found = square(common, item, tell)
    if item < 0:
        raise LayerError("is below 0", layer="widths", ids=[item], hint="widths = 9", fault="low")
    return found


def where(common, item, tell):
    """The process that did it, once as many are at work as there are to be."""
    folder, many = common
    folder.mkdir(exist_ok=True)
    (folder / str(os.getpid())).touch()
    end = time.monotonic() + 30
    while len(list(folder.iterdir())) < many and time.monotonic() < end:
        time.sleep(0.01)
    return os.getpid()


def wait_for(common, item, tell):
    """Done at once by the one that asks; by another once somebody was in the folder."""
    asks, folder = common
    end = time.monotonic() + 30
    while os.getpid() != asks and not folder.exists() and time.monotonic() < end:
        time.sleep(0.01)


def imported(common, item, tell):
    """Whether a module is there already."""
    return item in sys.modules


class Tallied:
    """Counts how often it was handed over."""

    times = 0

    def __reduce__(self):
        Tallied.times += 1
        return Tallied, ()


def which(common, item, tell):
    """Where what is handed over lies, and in which process."""
    return id(common[0]), id(item), os.getpid()


def die(common, item, tell):
    """End the process, unless it is the one that asks."""
    if os.getpid() == common:
        time.sleep(0.05)
        return item
    return os.kill(os.getpid(), signal.SIGKILL)


def die_early(common, item, tell):
    """As `die`; meanwhile the one that asks tells of what comes later."""
    if os.getpid() != common:
        return os.kill(os.getpid(), signal.SIGKILL)
    for _ in range(20 if item == "mine" else 5):
        time.sleep(0.1)
        if item != "mine":
            tell(str(item))
    return item


class OfTwoParts(Exception):
    """An error that its message alone doesn't make again."""

    def __init__(self, one, other):
        super().__init__(f"{one} and {other}")


def doubled(common, item, tell):
    """Of a number in whatever clothes, and of what all have in common."""
    return float(item) * 2 + len(common)


def slip(common, item, tell):
    """A mistake of ours, or a result that no other process can be given."""
    time.sleep(0 if os.getpid() != common else 2 if item == "mine" else 0)
    if item == "mistake":
        raise KeyError(item)
    if item == "two parts":
        raise OfTwoParts(item, "other")
    return item if item == "mine" else (lambda: item)


def wait_here(common, item, tell):
    """Say who works, and work for ever but on the first number."""
    (Path(common) / str(os.getpid())).touch()
    if item:
        time.sleep(600)
    return item
