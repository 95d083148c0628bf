"""What does a name of a column mean that no list has? It is taken apart into words."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise

__all__ = ["meanings"]

# words, digits apart; of a compound of small and large letters each part that begins large
PART = re.compile(r"[^\W\d_]+")
TURN = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# what an office puts before all its names: b3_, byg054
PREFIX = re.compile(r"^[a-z]{1,3}\d{1,3}_?(?=[^\W\d_])", re.IGNORECASE)
# shorter words are none within a compound: `no` is in many
WITHIN = 2


@cache
def _lexicon() -> Mapping[str, frozenset[str]]:
    """Concepts that a word stands for, such as floor for étages."""
    found: dict[str, set[str]] = {}
    text = (files("pinghu_geo") / "rules" / "words.toml").read_text("utf-8")
    for concept, words in tomllib.loads(text).items():
        for word in words:
            found.setdefault(_folded(word), set()).add(concept)
    return {word: frozenset(concepts) for word, concepts in found.items()}


def _folded(word: str) -> str:
    """Small letters without accents; Chinese, Japanese and Korean as they stand."""
    plain = unicodedata.normalize("NFKD", word.lower())
    letters = "".join(c for c in plain if not 0x300 <= ord(c) <= 0x36F)
    return unicodedata.normalize("NFC", letters.replace("ł", "l").replace("ß", "ss"))


def _cuts(text: str) -> Iterator[tuple[str, ...]]:
    """Every way to cut a part of a name into words that are known; none where a rest is not."""
    words = _lexicon()
    if text in words:
        yield (text,)
    for end in range(len(text) - 1, WITHIN - 1 if text.isascii() else 0, -1):
        if text[:end] in words and (text[:end] not in ("no", "de", "do", "da", "di", "d")):
            for rest in _cuts(text[end:]):
                yield (text[:end], *rest)


@cache
def _concepts(name: str) -> tuple[frozenset[str], ...]:
    """What the words of a name stand for; nothing where one of them is unknown."""
    bare = PREFIX.sub("", unicodedata.normalize("NFKC", name).strip())
    if name.isupper() or name.islower():
        parts = PART.findall(bare)
    else:
        parts = PART.findall(TURN.sub("_", bare))
    found: list[frozenset[str]] = []
    for part in parts:
        cut = next(_cuts(_folded(part)), None)
        if cut is None:
            return ()
        found += [_lexicon()[word] for word in cut]
    # a number behind its noun says which one it is
    if any("floor" in a and "number" in b for a, b in pairwise(found)):
        return ()
    return tuple(found)


def meanings(name: object, noun: str, *, late: bool = False) -> str | None:
    """The column that a name made of known words speaks of, of one kind of table; or none.

    A name is refused that holds a word which could turn its meaning (below the ground, of the
    roof, of the lot, of the year): such words aren't in the lexicon, and every word must be.
    What is ``late`` is to be believed where nothing better is there, such as a mere identifier.
    """
    found = _concepts(str(name))
    if not found:
        return None
    for column, (needed, allowed) in (LATE if late else RULES).get(noun, {}).items():
        if all(any(one & part for one in found) for part in needed) and all(
            one & allowed for one in found
        ):
            return SAME.get(column, column)
    return None


def _rule(*needed: str, with_: str = "") -> tuple[list[frozenset[str]], frozenset[str]]:
    """Concepts of which each must occur (one of several where | stands), and those that may."""
    parts = [frozenset(part.split("|")) for part in needed]
    return parts, frozenset().union(*parts, with_.split(), ["filler"])


RULES = {
    "buildings": {
        "floor_area_m2": _rule("floor|built", "area|english_area", with_="building most"),
        "total_area": _rule("most", "building", "area|english_area"),
        "footprint_m2": _rule("ground", "area|english_area", with_="building"),
        "floors": _rule("floor", "count|number|above|most|storeys", with_="building floor"),
        "height_m": _rule("height", "building|measured", with_="building measured"),
        "parcel_id": _rule("parcel", "id", with_="permanent"),
        "building_id": _rule("building", "id", with_="permanent"),
    },
    "parcels": {
        "parcel_id": _rule("parcel", "id", with_="permanent"),
        "area_m2": _rule("area", with_="parcel"),
    },
    "rivers": {"river": _rule("river", "name")},
}
LATE = {
    "buildings": {
        "height_m": _rule("height"),
        "building_id": _rule("id", with_="permanent"),
    },
    "parcels": {"parcel_id": _rule("id", with_="permanent")},
}
# two rules for one column
SAME = {"total_area": "floor_area_m2"}
