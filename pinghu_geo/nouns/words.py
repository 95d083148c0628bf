"""What does a name of a column mean that no list has? It is taken apart into words."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise, product
from typing import Any

__all__ = [
    "guesses", "initials", "may_mean", "meanings", "river_words", "speaks_of", "unaccented",
    "unnumbered", "value_meant",
]  # fmt: skip

# words, digits apart; of a compound of small and large letters each part that begins large
PART = re.compile(r"[^\W\d_]+|\d+")
TURN = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# what an office puts before all its names: b3_, byg054
PREFIX = re.compile(r"^[a-z]{1,3}\d{1,3}_?(?=[^\W\d_])", re.IGNORECASE)
SQUARE = re.compile(r"(?<![^\W_])m(?:2|²)(?!\w)|(?<=[a-z_])m2$|㎡|²", re.IGNORECASE)
# so many letters a .dbf leaves of a name; its underscores may be lost since
CUT_AT = 10
CUT_BARE = 8
# shorter words are none within a compound: `no` is in many
WITHIN = 3
# what stands before the words of a value
NUMBERING = re.compile(r"^\s*\d[\d_.\-\s:、,]*(?=[^\W\d_])")
SHORT_ONES = {"id", "nb", "nr", "ht", "no"}
NEVER_FIRST = {"no", "nr", "ht"}
# of a stem so many letters of an ending
ENDING = 6
# of an unknown word that an office may put before or behind its names
OFFICE = 5
# so many letters two words must share for one to be taken for a form of the other
STEM = 5
# so many characters of Chinese, Japanese or Korean mean something within a name that isn't known
SIGNS = 2
# and so many letters of a word that turns a name
TURNING = 4

Concepts = frozenset[str]
WHICH: Concepts = frozenset({"which"})


@cache
def _word_rules() -> dict[str, Any]:
    return tomllib.loads((files("pinghu_geo") / "rules" / "words.toml").read_text("utf-8"))


@cache
def _concepts_by_word() -> Mapping[str, Concepts]:
    """Concepts that a word stands for, such as floor for étages."""
    found: dict[str, set[str]] = {}
    for concept, words in _word_rules()["words"].items():
        for word in words:
            found.setdefault(unaccented(word), set()).add(concept)
    return {word: frozenset(concepts) for word, concepts in found.items() if word[-1] != "*"}


@cache
def _concepts_by_stem() -> Mapping[str, Concepts]:
    """Concepts of words that stand for all their endings."""
    found: dict[str, set[str]] = {}
    for concept, words in _word_rules()["words"].items():
        for word in words:
            if word.endswith("*"):
                found.setdefault(unaccented(word[:-1]), set()).add(concept)
    return {word: frozenset(concepts) for word, concepts in found.items()}


def unaccented(word: str) -> str:
    """Small letters without accents; Chinese, Japanese and Korean as they stand."""
    plain = unicodedata.normalize("NFKD", word.lower())
    letters = "".join(c for c in plain if not 0x300 <= ord(c) <= 0x36F)
    latin = letters.translate({0x142: "l", 0xDF: "ss", 0xF8: "o", 0xE6: "ae", 0x131: "i",
                               0x111: "d", 0xF0: "d", 0x153: "oe"})  # fmt: skip
    return unicodedata.normalize("NFC", latin)


@cache
def _columns_by_initials(noun: str) -> Mapping[str, str]:
    """All first letters of Chinese words, and the column each stands for."""
    found: dict[str, str] = {}
    for column, (before, core, after) in _word_rules()["initials"].get(noun, {}).items():
        for letters in product(before or [""], core, after or [""]):
            found.setdefault("".join(letters), SAME.get(column, column))
    return found


def initials(name: str, noun: str) -> str | None:
    """The column that the first letters of Chinese words stand for, of one kind of table."""
    return _columns_by_initials(noun).get(name.strip().upper())


def _ways_to_cut(text: str) -> Iterator[tuple[Concepts, ...]]:
    """Every way to cut a part of a name into words that are known; none where a rest is not."""
    words = _concepts_by_word()
    if text in words:
        yield (words[text],)
    latin = text.isascii() or "\u0400" <= text[0] <= "\u04ff"
    for end in range(len(text) - 1, 0, -1):
        head = text[:end]
        if head not in words or (latin and end < WITHIN and head not in SHORT_ONES - NEVER_FIRST):
            continue
        for rest in _ways_to_cut(text[end:]):
            if not latin or len(text) - end >= WITHIN or text[end:] in SHORT_ONES:
                yield (words[head], *rest)
    for stem, concepts in _concepts_by_stem().items():
        if text.startswith(stem) and len(text) - len(stem) <= ENDING:
            yield (concepts,)


def _parts_of_name(name: str) -> list[str]:
    """The parts of a name as it is written, folded, without an office's prefix."""
    text = SQUARE.sub("_sqm_", unicodedata.normalize("NFKC", name).strip())
    text = PREFIX.sub("", text)
    mixed = not (text.isupper() or text.islower())
    return [unaccented(p) for p in PART.findall(TURN.sub("_", text) if mixed else text)]


@cache
def _concepts_of_part(part: str) -> tuple[Concepts, ...] | None:
    """What a part of a name stands for, in as few words as can be; None if it isn't known."""
    if part == "1":  # the first of several
        return (frozenset({"main"}),)
    return min(_ways_to_cut(part), key=len, default=None)


def _concepts_of_name(parts: Sequence[str]) -> tuple[Concepts, ...] | None:
    """What the parts of a name stand for; None where one of them is unknown."""
    found = [_concepts_of_part(part) for part in parts]
    known = [one for one in found if one is not None]
    if not parts or len(known) < len(found):
        return None
    flat = tuple(c for one in known for c in one)
    # a number behind its noun may say which one it is, unless there are several of it
    which = any("floor" in a and "storeys" not in a and "number" in b and "count" not in b
                for a, b in pairwise(flat))  # fmt: skip
    return (*flat, WHICH) if which else flat


def _first_column_meant(found: Sequence[Concepts] | None, noun: str, rules: Any) -> str | None:
    """The first column whose rule the words of a name fulfil."""
    return next(_columns_meant(found, noun, rules), None)


def _columns_meant(found: Sequence[Concepts] | None, noun: str, rules: Any) -> Iterator[str]:
    """Every column whose rule the words of a name fulfil."""
    if not found:
        return
    for column, (needed, allowed) in rules.get(noun, {}).items():
        if all(any(one & part for one in found) for part in needed) and all(
            one & allowed for one in found
        ):
            yield SAME.get(column, column)


@cache
def meanings(name: str, noun: str, *, late: bool = False) -> str | None:
    """The column that a name made of known words speaks of, of one kind of table; or none.

    A name is refused that holds a word which turns its meaning (below the ground, of the roof,
    of the year) or isn't known. One that a program cut at 10 letters is completed where all
    words that begin so agree. What is ``late`` is to be believed where nothing better is there,
    such as a mere identifier.
    """
    rules = LATE if late else RULES
    if noun not in rules:
        return None
    parts = _parts_of_name(name)
    found = _concepts_of_name(parts)
    if found is None and len(name) == CUT_AT and name.isascii():
        told = {
            None
            if any("other" in one for one in whole)
            else _first_column_meant(whole, noun, rules)
            for whole in _completions_of_name(parts)
        }
        return told.pop() if len(told) == 1 else None
    return _first_column_meant(found, noun, rules)


def _completions_of_name(parts: list[str]) -> Iterator[tuple[Concepts, ...]]:
    """What a name cut short could have been."""
    if len(parts) < 1 or len(parts[-1]) < 2:
        return
    last = parts[-1]
    heads = [(last[:end], last[end:]) for end in range(len(last) - 1)]
    for head, rest in heads:
        if head and _concepts_of_part(head) is None:
            continue
        words = [w for w in _concepts_by_word() if w.startswith(rest) and len(w) > len(rest)]
        for word in words if len(rest) > 1 else ():
            whole = _concepts_of_name([*parts[:-1], *([head] if head else []), word])
            if whole is not None:
                yield whole
        if words:
            return


@cache
def guesses(name: str, noun: str) -> tuple[str, ...]:
    """The columns that a name may speak of, the likeliest first; what it holds has to tell.

    Such are a mere area or code, a name cut short that could go on in several ways, and a name
    with one short word that isn't known before or behind it.
    """
    if noun not in RULES:
        return ()
    parts = _parts_of_name(name)
    found = _concepts_of_name(parts)
    options: list[str] = []
    if found is not None:
        options += _columns_meant(found, noun, GUESSED)
    if not options and CUT_BARE <= len(name) <= CUT_AT and name.isascii():
        for whole in _completions_of_name(parts):
            options += _columns_meant(whole, noun, RULES)
    for rest, odd in ((parts[1:], parts[:1]), (parts[:-1], parts[-1:])):
        if found is None and rest and len(odd[0]) <= OFFICE and not odd[0].isdigit():
            for rules in (RULES, LATE, GUESSED):
                options += _columns_meant(_concepts_of_name(rest), noun, rules)
    return tuple(dict.fromkeys(options or _columns_nearly_known(parts, noun)))


def _columns_nearly_known(parts: Sequence[str], noun: str) -> Iterator[str]:
    """Columns that a name speaks of whose words are mostly known, misspelt, or in another form."""
    found: list[Concepts] = []
    for part in parts:
        found += _concepts_of_part(part) or _meanings_alike(part)
    if not found or any("other" in one for one in found):
        return
    for rules in (RULES, LATE, GUESSED):
        yield from _columns_meant(found, noun, rules)


@cache
def _meanings_alike(part: str) -> tuple[Concepts, ...]:
    """What the words within a part that isn't known stand for; none where nothing is like it."""
    if part.isdigit():
        return ()
    least = STEM if part.isascii() or "\u0400" <= part[0] <= "\u04ff" else SIGNS
    words = _concepts_by_word()
    inside = [w for w in words if len(w) >= least and w in part]
    turning = [w for w in words if len(w) >= min(least, TURNING) and w in part]
    turns = [words[w] for w in turning if "other" in words[w]]
    inside = [w for w in inside if not any(w != v and w in v for v in inside)]
    if not inside and len(part) > least:  # cut short, or with another ending, or misspelt
        inside = [w for w in words if len(w) > least and w[0] == part[0] and _is_near_word(part, w)]
        turns += [words[w] for w in inside if "other" in words[w]]
    return (*(words[w] for w in inside), *turns)


def _is_near_word(one: str, other: str) -> bool:
    """Whether two words begin alike, or differ by one slip of the keyboard."""
    alike = next((k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
                 min(len(one), len(other)))  # fmt: skip
    if alike >= STEM and max(len(one), len(other)) - alike <= WITHIN:
        return True
    back = next((k for k, (a, b) in enumerate(zip(one[::-1], other[::-1], strict=False))
                 if a != b), min(len(one), len(other)))  # fmt: skip
    longest = max(len(one), len(other))
    swapped = len(one) == len(other) and alike + back == longest - 2
    swapped = swapped and one[alike] == other[alike + 1] and one[alike + 1] == other[alike]
    return bool(alike + back >= longest - 1 or swapped)


@cache
def may_mean(name: str, noun: str, column: str) -> bool:
    """Whether a name of which a word isn't known could speak of a column: nothing in it says not.

    Such a word is one of another column's, or one that turns a name: of the roof, of the year.
    """
    parts = _parts_of_name(name)
    if _concepts_of_name(parts) is not None:
        return False
    allowed = {"filler"}.union(*(
        set().union(*needed) | with_
        for rules in (RULES, LATE, GUESSED)
        for key, (needed, with_) in rules.get(noun, {}).items()
        if SAME.get(key, key) == column
    ))  # fmt: skip
    words = [p for p in parts if not p.isdigit()]
    told = [one for p in words for one in (_concepts_of_part(p) or _meanings_alike(p))]
    return all(one & allowed for one in told)


def speaks_of(text: str, concept: str, least: int) -> str | None:
    """The word of a title that means something, of so many letters; none where another turns it."""
    parts = _parts_of_name(text)
    told = [one for p in parts for one in (_concepts_of_part(p) or ())]
    if any("other" in one for one in told):
        return None
    plural = {p: p.removesuffix("s") for p in parts}
    words = _concepts_by_word()
    return next((p for p in parts if (len(p) >= least or not p.isascii())
                 and (concept in words.get(p, ()) or concept in words.get(plural[p], ()))),
                None)  # fmt: skip


@cache
def _value_words(column: str) -> Mapping[str, str]:
    """Words of other languages that columns of codes hold, and the code that each means."""
    codes = _word_rules().get("values", {}).get(column, {})
    return {unaccented(word): code for code, words in codes.items() for word in words}


@cache
def _words_without_meaning() -> frozenset[str]:
    """Words that say nothing in a value: building, of, type."""
    concepts = {"building", "filler", "type"}
    return frozenset(w for w, c in _concepts_by_word().items() if c & concepts) | {
        "block",
        "area",
        "zone",
    }


def value_meant(value: str, column: str) -> str | None:
    """The code that a value of another language means; "" where it is known and no code of ours.

    Of a phrase every word has to be known, and all have to mean the same: Office Block,
    4_1_office; not non-residential.
    """
    words = _value_words(column)
    text = unaccented(unnumbered(value).strip())
    if not words or text in words:
        return words.get(text)
    parts = [unaccented(p) for p in PART.findall(TURN.sub("_", unnumbered(value)))]
    known = {words[p] for p in parts if p in words}
    told = len(known) == 1 and all(p in words or p in _words_without_meaning() for p in parts)
    return known.pop() if told else None


def unnumbered(value: str) -> str:
    """A value without the number or the code of numbers before its words: 10-住宅, 4_1_office."""
    return NUMBERING.sub("", value)


@cache
def river_words() -> re.Pattern[str]:
    """What names of rivers hold: 河 at the end, a word such as Creek, or the end of Mühlbach."""
    rules = _word_rules()["names"]["rivers"]
    signs, ends = "".join(rules["signs"]), "|".join(rules["ends"])
    words = "|".join(sorted(map(re.escape, rules["words"])))
    return re.compile(rf"[{signs}]\s*$|\b(?:{words})\b|(?:{ends})\b", re.IGNORECASE)


def _column_rule(*needed: str, with_: str = "") -> tuple[list[Concepts], Concepts]:
    """Concepts of which each must occur (one of several where | stands), and those that may."""
    parts = [frozenset(part.split("|")) for part in needed]
    return parts, frozenset().union(*parts, with_.split(), ["filler"])


BUILT_OF = "building main describes type code construction struct work"
RULES = {
    "buildings": {
        "floor_area_m2": _column_rule(
            "floor|built", "area|english_area", with_="building most metric measured floor_surface"
        ),
        "surface": _column_rule("floor_surface", with_="building most metric measured area"),
        "total_area": _column_rule("most", "building", "area|english_area", with_="metric"),
        "footprint_m2": _column_rule(
            "ground", "area|english_area", with_="building metric measured"
        ),
        "covered": _column_rule("ground_surface", with_="building metric area english_area"),
        "floors": _column_rule(
            "floor|storeys", "count|number|above|most|storeys", with_="building grade measured"
        ),
        "height_m": _column_rule("height", "building|measured|metric", with_="metric"),
        "tall": _column_rule("height", "building", with_="most metric measured"),
        "owner": _column_rule("owner", with_="name person building main parcel"),
        "structure": _column_rule("construction", with_=f"{BUILT_OF} name"),
        "built_as": _column_rule("building", "struct", with_=BUILT_OF),
        "use": _column_rule("use", with_="building main describes type code name"),
        "tenants": _column_rule("tenant", "count|number"),
        "rooms": _column_rule("room", "count|number", with_="building"),
        "parcel_id": _column_rule("parcel", "id", with_="permanent"),
        "building_id": _column_rule("building", "id", with_="permanent code number"),
        "cadastral_id": _column_rule("cadastral", "id|number|code", with_="building permanent"),
    },
    "parcels": {
        "parcel_id": _column_rule(
            "parcel|cadastral", "id|number", with_="permanent cadastral code parcel"
        ),
        "coded": _column_rule("parcel|cadastral", "code|id", "permanent", with_="cadastral number"),
        "lot_id": _column_rule("lot", "id", with_="permanent parcel cadastral"),
        "area_m2": _column_rule(
            "area", with_="parcel metric official cadastral land most soil lot"
        ),
        "soil_area": _column_rule(
            "soil", "area|english_area", with_="most metric lot official parcel"
        ),
        "metric_area": _column_rule(
            "english_area", "metric", with_="parcel official cadastral land"
        ),
        "land_use": _column_rule("use", with_="parcel land main describes type code name"),
        "land_type": _column_rule("land", "type|code", with_="parcel describes code use"),
        "owner": _column_rule("owner", with_="name person parcel land main"),
    },
    "rivers": {
        "river": _column_rule("river", "name", with_="official"),
        "bare": _column_rule("name", with_="official describes permanent"),
    },
}
LATE = {
    "buildings": {
        "height_m": _column_rule("height"),
        "building_id": _column_rule("id", with_="permanent main"),
    },
    "parcels": {"parcel_id": _column_rule("id", with_="permanent main")},
}
# to be believed where what the column holds agrees
GUESSED = {
    "buildings": {
        "footprint_m2": _column_rule("area|english_area", with_="building ground official metric"),
        "floor_area_m2": _column_rule("area|english_area", with_="building official metric most"),
        "floors": _column_rule("floor|storeys", with_="building main number which grade above"),
        "building_id": _column_rule("building|cadastral|id", "code|number|id",
                             with_="permanent cadastral building"),
        "code": _column_rule("code", with_="permanent"),
        "structure": _column_rule("material|work|construction|struct",
                           with_=f"{BUILT_OF} material wall"),
        "use": _column_rule("type", with_="building main describes code"),
    },
    "parcels": {
        "parcel_id": _column_rule("id|parcel|cadastral", with_="permanent code number lot"),
        "lot_id": _column_rule("lot", "id|number|code", with_="permanent parcel"),
        "area_m2": _column_rule("area|english_area",
                         with_="parcel official land metric cadastral most lot"),
        "land_use": _column_rule("type", with_="parcel land describes code"),
    },
    "rivers": {},
}  # fmt: skip
# several rules for one column
SAME = {
    "total_area": "floor_area_m2", "surface": "floor_area_m2", "covered": "footprint_m2",
    "code": "building_id", "built_as": "structure", "own_id": "building_id",
    "high": "floors", "tall": "height_m",
    "used": "use", "named": "river", "soil_area": "area_m2", "lot_id": "parcel_id",
    "cadastral_id": "building_id", "coded": "parcel_id", "metric_area": "area_m2",
    "land_type": "land_use", "bare": "river",
}  # fmt: skip
