"""What can go wrong, named by what failed. Every error says what to type next."""

from __future__ import annotations

import errno
import re
import struct
import zlib
from collections.abc import Iterable
from functools import cache
from itertools import islice
from lzma import LZMAError
from types import ModuleType
from typing import Any

from pinghu_geo.nouns.inert import console_text, without_secrets
from pinghu_geo.nouns.kinds import NOUNS
from pinghu_geo.nouns.messages import Lang, catalogue, read_said, say, translated

__all__ = [
    "CRSError",
    "ChainageError",
    "HydraulicsError",
    "LayerError",
    "OptimiseError",
    "OutputError",
    "PinghuError",
    "ProjectError",
    "RateError",
    "own_slip",
    "reason",
]

# What libraries raise when a damaged file has led them astray: of their own doing, not of the file.
SLIPS = (
    AssertionError, AttributeError, IndexError, KeyError, NameError, RecursionError,
    StopIteration, TypeError, ZeroDivisionError, struct.error,
)  # fmt: skip
# what pandas says; it counts rows from 0
OPEN_QUOTE = re.compile(r"EOF inside string starting at row (\d+)")
NO_NUMBER = re.compile(
    r"(?:could not convert string to float|invalid literal for int\(\).*?): (.+)"
)


class PinghuError(Exception):
    """Base of every error that `pinghu_geo` raises on purpose.

    Parameters
    ----------
    problem
        What is wrong, without the layer's name and without a full stop.
    layer
        The table at fault, e.g. ``"buildings"``.
    ids
        Index labels of the rows at fault; the message shows the first five.
    hint
        What to type next.
    fault
        Code under which `check` lists it; see `pinghu_geo.intake.catalogue`.

    Attributes
    ----------
    layer : str
        The table at fault; empty where no table is.
    ids : tuple
        All the labels at fault.
    fault : str
        The code; empty where `check` has none of its own for it.
    problem : str
        What is wrong, without layer and ids.
    key, values
        The sentence's key in the catalogue, and what is filled in.
    said, hint : str
        The two halves of the message: what is wrong, and what to type next.
    """

    def __init__(
        self,
        problem: str,
        *,
        layer: str = "",
        ids: Iterable[object] = (),
        hint: str = "",
        fault: str = "",
    ) -> None:
        self.layer = layer
        self.fault = fault
        self.ids = tuple(ids)
        self.problem = problem
        text = f"{layer}: {problem}" if layer else problem
        if self.ids:
            text += f" ({len(self.ids)}: {first_ids(self.ids)})"
        # what a file is called, or holds, moves no cursor of the terminal that shows it
        self.said = console_text(without_secrets(f"{text}."))
        self.hint = "\n".join(map(console_text, without_secrets(hint).split("\n")))
        super().__init__(f"{self.said}\n\nHint: {self.hint}" if hint else self.said)

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process gets the parts: of the message alone nothing could be made."""
        return _made_again, (type(self), self.__dict__, self.args)

    @property
    def key(self) -> str:
        """Key of the sentence in the catalogue: its English template."""
        found = read_said(self.problem)
        return self.problem if found is None else found.key

    @property
    def values(self) -> tuple[str, ...]:
        """What is filled into the sentence."""
        found = read_said(self.problem)
        return () if found is None else found.values

    def said_in(self, lang: Lang) -> str:
        """What is wrong, in a language."""
        if lang == "en":
            return english_alone(self.said)
        text = translated(self.problem, lang)
        if self.layer:
            name, blank, rest = self.layer.partition(" ")
            text = f"{NOUNS[name].zh if name in NOUNS else name}{blank}{rest}:{text}"
        if self.ids:
            text += f"({len(self.ids)}:{first_ids(self.ids)})"
        return console_text(without_secrets(f"{text}。"))

    def problem_in(self, lang: Lang) -> str:
        """What is wrong, without layer and ids, in a language."""
        said = translated(self.problem, lang) if lang == "zh" else english_alone(self.problem)
        return console_text(without_secrets(said))

    def hint_in(self, lang: Lang) -> str:
        """What to type next, in a language."""
        return translated(self.hint, lang) if lang == "zh" else english_alone(self.hint)

    def in_language(self, lang: Lang) -> str:
        """The whole message in a language; ``str()`` of it is English."""
        if lang == "en":
            return english_alone(str(self))
        hint = self.hint_in(lang)
        return f"{self.said_in(lang)}\n\n提示:{hint}" if hint else self.said_in(lang)


def _made_again(
    kind: type[PinghuError], parts: dict[str, Any], args: tuple[str, ...]
) -> PinghuError:
    """An error as it was, its message and notes included."""
    made = kind.__new__(kind, *args)
    made.__dict__.update(parts)
    return made


def english_alone(text: str) -> str:
    """An English sentence without the Chinese nouns of ours that stand in brackets behind words."""
    return OURS.sub(lambda found: "" if found[1] in _own_words() else found[0], text)


OURS = re.compile(r" \(([^()]*[\u4e00-\u9fff][^()]*(?:\([^()]*\))?)\)")


@cache
def _own_words() -> frozenset[str]:
    """Labels of columns with and without their units, and the terms that sentences name."""
    labels = {f"{c.zh}{tail}" for n in NOUNS.values() for c in n.columns
              for tail in ("", f" ({c.unit})")}  # fmt: skip
    terms = {word for key in catalogue() for word in OURS.findall(key)}
    return frozenset(labels | terms)


class LayerError(PinghuError, ValueError):
    """A table lacks something, or holds something that can't be used."""


class CRSError(PinghuError, ValueError):
    """A coordinate reference system is missing, geographic, or not the other layer's."""


class ChainageError(PinghuError, ValueError):
    """A chainage (桩号) can't be read, or lies outside its river."""


class HydraulicsError(PinghuError, ValueError):
    """A water profile can't be computed from what was given."""


class OptimiseError(PinghuError, ValueError):
    """No design keeps the limits that were given."""


class RateError(PinghuError, ValueError):
    """A building has no compensation rate, or more than one."""


class ProjectError(PinghuError, ValueError):
    """A project file is wrong, or names something that isn't there."""


class OutputError(PinghuError, RuntimeError):
    """A result can't be written where it was asked for."""


def own_slip(fault: BaseException) -> bool:
    """Whether an error is a mistake in our own lines, which no file can cause.

    A name that isn't defined, or an attribute that a module or an object of ours lacks. Said of a
    file, such a mistake would send its owner to look for damage that isn't there.
    """
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not _is_own_module(trace.tb_frame.f_globals.get("__name__", "")):
        return False
    if isinstance(fault, AttributeError):
        lacks = fault.obj
        return isinstance(lacks, ModuleType) or _is_own_module(type(lacks).__module__)
    return isinstance(fault, NameError)


def _is_own_module(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] == "pinghu_geo"


def reason(fault: BaseException) -> str:
    """What a library says of a file, in words for whoever has the file."""
    text = str(fault).strip().rstrip(".")
    if isinstance(fault, UnicodeDecodeError):
        byte = f"0x{fault.object[fault.start]:02x}"
        text = say("its byte {} is no {}", "en", byte, fault.encoding.upper())
    elif isinstance(fault, zlib.error | LZMAError):
        text = say("what is packed in it is damaged", "en")
    elif isinstance(fault, RecursionError):
        text = say("its parts nest without end", "en")
    elif isinstance(fault, MemoryError):
        text = say("it takes more memory than there is", "en")
    elif isinstance(fault, SLIPS) or not text or getattr(fault, "errno", 0) == errno.EINVAL:
        text = say("it is damaged, or not what its name says", "en")
    elif isinstance(fault, OSError) and fault.strerror:
        text = fault.strerror.lower()
    elif found := OPEN_QUOTE.search(text):
        text = say("a quotation mark from line {} on is never closed", "en", int(found[1]) + 1)
    elif found := NO_NUMBER.fullmatch(text):
        text = say("{} is no number", "en", found[1])
    return text[:300]


def first_ids(ids: Iterable[object], most: int = 5) -> str:
    """Show the first few labels, with an ellipsis where there are more."""
    shown = [str(one) for one in islice(ids, most + 1)]
    return ", ".join(shown[:most]) + (", ..." if len(shown) > most else "")
