"""In which language is it said? One catalogue: the English sentence of the code, and its Chinese.

A sentence stands once in the code, in English, and once in rules/messages.toml, in Chinese, with {}
for what is filled in. Errors keep their English text; whoever shows one asks for a language.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Literal, NamedTuple

__all__ = ["Said", "catalogue", "merged", "read_said", "say", "translated"]

Lang = Literal["zh", "en"]


# a sentence on a line of a project file
PLACED = re.compile(r"(.+) \(line (\d+)\)")
# between the mistakes of a project file, and between reports that can't be
MISTAKES = re.compile(r"; (?=line \d+: |nowhere: |report on |and \d+ more$)")


class Said(NamedTuple):
    """A sentence taken apart: its template, and what was filled in."""

    key: str
    values: tuple[str, ...]


@cache
def catalogue() -> Mapping[str, str]:
    """Chinese by English template; an empty text where both are the same."""
    found = tomllib.loads((files("pinghu_geo") / "rules" / "messages.toml").read_text("utf-8"))
    return {key: zh for part in found.values() for key, zh in part.items()}


@cache
def _templates() -> list[tuple[str, str]]:
    """Templates, the most particular first, with the literal to look for first."""
    made = []
    for key in catalogue():
        literals = [literal for literal, _, _, _ in Formatter().parse(key)]
        if not "".join(literals).strip():
            continue
        # one that begins with words says more than one that begins with whatever
        rank = (not literals[0], -len("".join(literals)), len(literals))
        made.append((rank, key, max(literals, key=len)))
    made.sort(key=lambda one: one[0])
    return [(key, part) for _, key, part in made]


@cache
def _pattern(key: str) -> re.Pattern[str]:
    """A template's pattern: of a thousand a run needs a few."""
    return re.compile(
        "".join(
            re.escape(literal) + ("" if name is None else "(.*?)")
            for literal, name, _, _ in Formatter().parse(key)
        )
    )


def read_said(text: str) -> Said | None:
    """The template of a sentence and its values; None where the catalogue has none."""
    for key, part in _templates():
        if part in text and (found := _pattern(key).fullmatch(text)):
            return Said(key, found.groups())
    return None


class _TranslatableValue(str):
    """A value that is a sentence itself where the catalogue says so: {:t}."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return _translated_pieces(str(self)) if spec == "t" else format(str(self), spec)


def _translated_pieces(text: str) -> str:
    """A list of sentences, or of alternatives, each translated."""
    for between, joined in ((MISTAKES, ";"), (re.compile("$^"), ""), (re.compile(" or "), "或")):
        parts = between.split(text)
        if len(parts) > 1 or joined == "":
            found = [translated(part, "zh") for part in parts]
            if all(read_said(part) is not None for part in parts):
                return joined.join(found)
    return text


def translated(text: str, lang: Lang) -> str:
    """A sentence in a language; one that the catalogue doesn't have stays English."""
    if lang == "en" or not text:
        return text
    if placed := PLACED.fullmatch(text):  # whatever sentence it is, it ends with where it stands
        return catalogue()["{} (line {})"].format(*map(_TranslatableValue, placed.groups()))
    found = read_said(text)
    if found is not None:
        zh = catalogue()[found.key]
        return zh.format(*map(_TranslatableValue, found.values)) if zh else text
    lines = text.split("\n")
    return text if len(lines) == 1 else "\n".join(translated(line, lang) for line in lines)


def say(template: str, lang: Lang, *values: object) -> str:
    """A sentence of ours in a language, filled in."""
    zh = catalogue()[template] if lang == "zh" else ""
    return (zh or template).format(*values)


def merged(sentences: Iterable[str]) -> list[str]:
    """Sentences without those that say the same of less, such as of one scheme among others."""
    most: dict[str, tuple[tuple[float, ...], str]] = {}
    for text in sentences:
        found = read_said(text)
        key = text if found is None else found.key
        numbers = tuple(float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*\.?\d*", text))
        if key not in most or numbers > most[key][0]:
            most[key] = (numbers, text)
    return sorted(text for _, text in most.values())
