"""What may a project file say? Every key once, for its check, its page, its schema, `explain`."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pinghu_geo.nouns.errors import ProjectError
from pinghu_geo.nouns.files import rule_file
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang, nearest

__all__ = [
    "KEYS", "Key", "defaults", "explain", "key_mistakes", "keys_below", "keys_page", "nouns_of",
    "project_schema", "table_source",
]  # fmt: skip

Path = tuple[str, ...]
# nouns that are layers: what is said of their files is said as of layers
DRAWN = {"buildings", "rivers", "parcels", "zones", "red_line"}
# kind: what it is called in Chinese and English, and its JSON schema
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "text": ("文字", "text", {"type": "string"}),
    "whole": ("整数", "whole number", {"type": "integer"}),
    "number": ("数", "number", {"type": "number"}),
    "truth": ("true 或 false", "true or false", {"type": "boolean"}),
    "file": ("文件", "file", {"type": "string", "minLength": 1}),
    "date": ("日期", "date", {"type": "string"}),
    "texts": ("文字的列表", "list of texts", {"type": "array", "items": {"type": "string"}}),
    "numbers": ("数的表", "table of numbers",
                {"type": "object", "additionalProperties": {"type": "number"}}),
    "words": ("列名的表", "table of names",
              {"type": "object", "additionalProperties": {"type": "string"}}),
    "meanings": ("词义的表", "table of words",
                 {"type": "object", "additionalProperties": {"type": "object"}}),
    "plan": ("表", "table", {"type": "object"}),
    "any": ("表", "table", {"type": "object"}),
}  # fmt: skip

# what TOML makes of each kind, and of what is in a table of it
TYPES: dict[str, Any] = {"text": str, "truth": bool, "whole": int, "number": int | float,
                         "date": datetime.date, "plan": dict, "any": dict}  # fmt: skip
INSIDE: dict[str, Any] = {"words": str, "meanings": dict, "numbers": int | float}

# a path may be numbers, or a search; a design surveyed sections
IN_PLACE = {"path": {"left", "right", "widths", "least"}, "design": {"sections"}}
# stands for a name of the user's own
NAME = "名称"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: what it may hold, its range, and what it means."""

    path: Path
    kind: tuple[str, ...]
    zh: str
    en: str
    example: str
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    noun: str = ""
    unit: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def dotted(self) -> str:
        """The path as people write it."""
        return ".".join(NAME if part == "*" else part for part in self.path)

    def holds(self, value: Any) -> bool:
        """Whether a value is of one of its kinds, and within its range."""
        if not any(_is_of_kind(value, kind) for kind in self.kind):
            return False
        if self.choices:
            named = value if isinstance(value, list) else [value]
            return bool(named) and set(named) <= set(self.choices)
        if isinstance(value, int | float) and not isinstance(value, bool):
            low = -math.inf if self.least is None else self.least
            return low <= value <= (math.inf if self.most is None else self.most)
        if "numbers" in self.kind and isinstance(value, dict):
            return self.least is None or all(v >= self.least for v in value.values())
        return True

    def may(self, lang: Lang = "zh") -> str:
        """What may stand there, in words."""
        at = 0 if lang == "zh" else 1
        if self.choices:
            words = " / ".join(self.choices)
            return f"{KINDS['texts'][at]}: {words}" if "texts" in self.kind else words
        low, high = self.least, self.most
        bounds = "" if low is None else f" >= {low:g}" if high is None else f" {low:g} … {high:g}"
        unit = f" [{self.unit}]" if self.unit else ""
        said = {
            str(KINDS[kind][at]) + (unit + bounds if kind in ("number", "whole") else "")
            for kind in self.kind
        }
        return (" / " if lang == "zh" else " or ").join(sorted(said))


def _read_keys() -> dict[Path, Key]:
    found = {}
    for dotted, said in rule_file(None, "keys.toml").items():
        row: dict[str, Any] = dict(said)
        row |= {k: tuple(said[k]) for k in ("kind", "choices") if k in said}
        path = tuple(dotted.split("."))
        found[path] = Key(path, **row)
    return found


KEYS: Mapping[Path, Key] = _read_keys()


def _matches_pattern(pattern: Path, path: Path) -> bool:
    return len(pattern) == len(path) and all(
        p in ("*", part) for p, part in zip(pattern, path, strict=True)
    )


def keys_below(path: Path = ()) -> dict[str, Key]:
    """Keys that may stand below a path; ``*`` where names are the user's own."""
    plain = {k.path[-1]: k for p, k in KEYS.items() if _matches_pattern(p[:-1], path)}
    own = next((k for p, k in KEYS.items() if _matches_pattern(p, path)), None)
    if own is None or not own.noun or "plan" not in own.kind or path[0] == "layers":
        return plain
    # what holds a file may say how it is read
    reading = ("layers", "*") if own.noun in DRAWN else ("tables", "*")
    return {p[-1]: k for p, k in KEYS.items() if p[:-1] == reading and p != path} | plain


def nouns_of(section: str) -> dict[str, str]:
    """Keys of a section that hold tables, with the kind of table."""
    return {name: key.noun for name, key in keys_below((section,)).items() if key.noun}


def defaults(section: str) -> dict[str, Any]:
    """What holds of a section's keys where nothing is stated; None where that is nothing."""
    return {
        name: key.default
        for name, key in keys_below((section,)).items()
        if not key.noun and not key.required
    }


def _is_of_kind(value: Any, kind: str) -> bool:
    """Whether a value read from TOML is of a kind."""
    if isinstance(value, bool):
        return kind == "truth"
    if isinstance(value, float) and not math.isfinite(value):
        return False
    if kind == "file":
        return isinstance(value, str) and bool(value.strip())
    if kind in INSIDE:
        held = list(value.values()) if isinstance(value, dict) else [None]
        plain = kind != "numbers" or (bool(held) and all(_is_of_kind(v, "number") for v in held))
        return plain and all(isinstance(v, INSIDE[kind]) for v in held)
    if kind == "texts":
        return isinstance(value, list) and all(isinstance(v, str) for v in value)
    return isinstance(value, TYPES[kind])


def _place_in_file(path: Path, name: str) -> str:
    return f"[{path[0]}] {' '.join(path[1:])}".strip() if path else name


def key_mistakes(
    given: Mapping[str, Any], name: str, path: Path = ()
) -> Iterator[tuple[Path, ProjectError]]:
    """Keys that aren't known, values that can't stand there, keys that have to be there."""
    known = keys_below(path)
    where = _place_in_file(path, name)
    for word, value in given.items():
        key = known.get(word) or known.get("*")
        at = (*path, word)
        if key is None:
            yield at, ProjectError(f"{where}: {word!r} is not known", hint=nearest(word, known))
        elif not key.holds(value):
            if key.choices and "texts" in key.kind:
                yield at, refused_list(where, key, value)
                continue
            hint = key.example if not key.choices else nearest(value, key.choices)
            what = key.may("en") if not key.choices else f"one of {', '.join(key.choices)}"
            yield at, ProjectError(f"{where}: {word} must be {what}", hint=hint)
        elif isinstance(value, dict) and "plan" in key.kind:
            yield from key_mistakes(value, name, at)
    for word, key in known.items():
        if key.required and word not in given and _is_required_here(word, given):
            yield path, ProjectError(f"{where} lacks {word}", hint=_example_in_section(key))


def refused_list(where: str, key: Key, value: Any) -> ProjectError:
    """A list with something that is none of the key's choices, or with nothing."""
    odd = [one for one in value if one not in key.choices] if isinstance(value, list) else [value]
    return ProjectError(
        f"{where}: {key.path[-1]} must be a list of some of {', '.join(key.choices)}",
        hint=nearest(odd[0], key.choices) if odd and odd[0] not in key.choices else key.example,
    )


def _is_required_here(word: str, given: Mapping[str, Any]) -> bool:
    """A key may be missing where another stands in its place."""
    return not IN_PLACE.get(word, set()) & set(given)


def _example_in_section(key: Key) -> str:
    """The key as it is typed into its section, which is there: it may not stand there twice."""
    inside = key.path[0] in ("layers", "flood", "campaign") and len(key.path) == 2
    return f"{key.example}  # in [{key.path[0]}]" if inside else key.example


def explain(word: str = "", *, lang: Lang = "zh") -> str:
    """What a key of the project file means, what it may hold, and an example 项目文件的键.

    Parameters
    ----------
    word
        A key such as ``join_gap_m``, or its whole path such as ``layers.rivers.join_gap_m``; a
        section such as ``flood`` is explained with its keys, and without a word all are listed.
    lang
        ``"zh"`` or ``"en"``.

    Returns
    -------
    str
        A paragraph for each place where the key may stand; a line for each key of a list.

    Raises
    ------
    ProjectError
        There is no such key; the nearest one is named.

    Examples
    --------
    >>> print(pg.explain("join_gap_m", lang="en"))
    layers.rivers.join_gap_m: number [m] >= 0
      rivers in several rows or parts become one line each, across gaps up to this (covered reaches)
      join_gap_m = 20
    """
    asked = tuple(part.strip("[]\"' ") for part in word.split("."))
    if asked == ("",):
        return "\n".join(_line_on_key(key, lang) for key in KEYS.values())
    found = [k for p, k in KEYS.items() if p[-len(asked) :] == asked or _matches_pattern(p, asked)]
    if not found:
        names = dict.fromkeys([p[-1] for p in KEYS if p[-1] != "*"])
        raise ProjectError(f"{word!r} is no key of a project file", hint=nearest(asked[-1], names))
    within = [k for p, k in KEYS.items() if p[:-1] == asked]
    return "\n".join(
        [_paragraph_on_key(key, lang) for key in found]
        + [f"  {_line_on_key(key, lang)}" for key in within]
    )


def _line_on_key(key: Key, lang: Lang) -> str:
    said = key.zh if lang == "zh" else key.en
    name = key.dotted if lang == "zh" else key.dotted.replace(NAME, "NAME")
    return f"{name}: {re.split('[;;]', said)[0]}"


def _paragraph_on_key(key: Key, lang: Lang) -> str:
    zh = lang == "zh"
    facts = [f"{key.dotted if zh else key.dotted.replace(NAME, 'NAME')}: {key.may(lang)}"]
    if key.required:
        facts.append(say("required", lang))
    if key.default not in (None, {}, []):
        facts.append(say("by default {}", lang, _toml_value(key.default)))
    said = key.zh if zh else key.en
    example = key.example if zh else key.example.replace("原方案", say("approved", lang))
    shown = example.replace("\n", "\n  ")
    return "\n".join(["; ".join(facts), f"  {said}", f"  {shown}"])


def _toml_value(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def project_schema() -> dict[str, Any]:
    """JSON schema of the project file, by which editors complete and check it 项目文件模式.

    Returns
    -------
    dict
        Draft 7, as ``pinghu schema`` writes it.

    Examples
    --------
    >>> pg.project_schema()["properties"]["repair"]["type"]
    'boolean'
    """
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "pinghu_geo project.toml",
        **_object_schema(()),
    }


def _object_schema(path: Path) -> dict[str, Any]:
    """The schema of a table of keys."""
    known = keys_below(path)
    free = known.pop("*", None)
    made: dict[str, Any] = {
        "type": "object",
        "properties": {name: _value_schema(key, (*path, name)) for name, key in known.items()},
        "additionalProperties": False if free is None else _value_schema(free, (*path, "*")),
    }
    needed = [
        name for name, key in known.items() if key.required and _is_required_here(name, known)
    ]
    return made | ({"required": needed} if needed else {})


def _value_schema(key: Key, path: Path) -> dict[str, Any]:
    """The schema of one key's value."""
    kinds = [_object_schema(path) if kind == "plan" else dict(KINDS[kind][2]) for kind in key.kind]
    if key.choices and "texts" in key.kind:
        kinds = [{"type": "array", "items": {"type": "string", "enum": list(key.choices)},
                  "minItems": 1}]  # fmt: skip
    bounds: dict[str, Any] = {"minimum": key.least, "maximum": key.most}
    bounds = {word: bound for word, bound in bounds.items() if bound is not None}
    enum: dict[str, Any] = {"enum": list(key.choices)} if key.choices else {}
    more: dict[str, dict[str, Any]] = {"number": bounds, "integer": bounds, "string": enum}
    kinds = [kind | more.get(kind["type"], {}) for kind in kinds]
    about: dict[str, Any] = {"description": f"{key.zh}\n{key.en}\n{key.example}"}
    if key.default is not None:
        about["default"] = key.default
    return about | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds})


def keys_page() -> str:
    """The page of all keys, for the documentation."""
    lines = ["# Keys of project.toml 项目文件的键", ""]
    lines += ["Made from the table that checks the file. `pinghu explain KEY` prints a row of it; "
              "`pinghu schema` writes the JSON schema by which editors complete and check a "
              "project file. 名称 stands for a name of your own.", ""]  # fmt: skip
    sections: dict[str, list[Key]] = {}
    for path, key in KEYS.items():
        sections.setdefault(path[0] if len(path) > 1 or "plan" in key.kind else "", []).append(key)
    for section, keys in sections.items():
        lines += [f"## {f'[{section}]' if section else 'above the first section'}", ""]
        lines += [
            "| key | may hold | default | meaning | 含义 | example |",
            "|---|---|---|---|---|---|",
        ]
        for key in keys:
            default = "**required**" if key.required else ""
            if key.default not in (None, {}, []):
                default = f"`{_toml_value(key.default)}`"
            cells = [f"`{key.dotted}`", key.may("en"), default, key.en, key.zh, f"`{key.example}`"]
            lines.append("| " + " | ".join(map(_markdown_cell, cells)) + " |")
        lines.append("")
    return "\n".join(lines)


def _markdown_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "` `")


def table_source(value: Any) -> dict[str, Any]:
    """How a table or layer is read: a file alone stands for its path."""
    return dict(value) if isinstance(value, Mapping) else {"path": value}
