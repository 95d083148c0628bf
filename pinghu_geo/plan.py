"""What does the project file say? Layers, tables, schemes, rules; every key is known."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyproj

from pinghu_geo.campaign.workdays import day_of
from pinghu_geo.intake.conditions import parse_condition
from pinghu_geo.intake.formats import POSTGIS
from pinghu_geo.intake.io import read_table
from pinghu_geo.keys import defaults, key_mistakes, keys_below, nouns_of, refused_list, table_source
from pinghu_geo.nouns.errors import LayerError, ProjectError, reason
from pinghu_geo.nouns.files import existing, parsed_toml, require_plain
from pinghu_geo.nouns.inert import shell_word
from pinghu_geo.nouns.schema import Lang, nearest

__all__ = ["BANK_FREEBOARD", "CAMPAIGN_TABLES", "FLOOD_TABLES", "WITHIN_RISE", "Plan", "read_plan"]

# what a search within a rise may state besides the limits of the line
WITHIN_RISE = ("allowed_mm", "freeboard_m", "node_stations", "seconds")
# sections that may be missing
SECTIONS = ("layers", "tables", "schemes", "rules", "flood", "published", "campaign", "map")
# whose files are read, and have to be there; a campaign's store is made when it is first used
READ = ("layers", "tables", "schemes", "flood", "map")
# key of a section: noun of its table
FLOOD_TABLES = nouns_of("flood")
# groups may be a number, too, and are read where they are asked for
CAMPAIGN_TABLES = {k: v for k, v in nouns_of("campaign").items() if k != "groups"}
# where the example of a key names a scheme
SCHEME = re.compile(r'\b(adopted|from) = "原方案"')
# outputs that come of a section, of which the others need nothing
OUTPUTS_OF = {
    "campaign": ("campaign", "board", "diagram", "schedule"),
    "flood": ("hydraulics",),
}
# what only the design institute can state
LIMITS = ("allowed_mm", "freeboard_m")
# what banks are to have above the flood, and who says so
BANK_FREEBOARD = ("bank_freeboard_m", "bank_freeboard_standard", "bank_freeboard_clause")


@dataclass(frozen=True, slots=True)
class Plan:
    """A project file that was read and found sound."""

    path: Path
    name: str
    note: str
    crs: int
    layers: dict[str, dict[str, Any]] = field(repr=False)  # may hold addresses with passwords
    tables: dict[str, dict[str, Any]]
    schemes: dict[str, dict[str, Any]] = field(repr=False)
    rules: dict[str, Any]
    flood: dict[str, Any]
    published: dict[str, str]
    repair: bool = False
    lang: Lang = "zh"
    campaign: dict[str, Any] = field(default_factory=dict, repr=False)  # may hold a password
    map: dict[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] | None = None  # None: all that there is something for

    def writes(self, output: str) -> bool:
        """Whether an output is wanted; whether there is something for it, its writer knows."""
        return self.outputs is None or output in self.outputs

    def only(self, outputs: str | Iterable[str] | None) -> Plan:
        """The plan with other outputs; None leaves those of the file."""
        if outputs is None:
            return self
        given = [outputs] if isinstance(outputs, str) else list(outputs)
        named = [one.strip() for word in given for one in word.split(",")]
        key = keys_below()["outputs"]
        if not key.holds(named):
            raise refused_list(self.path.name, key, named)
        _require_sections(named, {"campaign": self.campaign, "flood": self.flood})
        return replace(self, outputs=tuple(named))

    def file(self, name: str) -> Path:
        """A file that the project names, relative to the project file."""
        return self.path.parent / name

    def tiles(self, given: str | list[str]) -> list[Path]:
        """Rasters that the project names, one or a list, relative to the project file."""
        return [self.file(name) for name in ([given] if isinstance(given, str) else given)]

    def table(self, given: Any, what: str) -> pd.DataFrame:
        """A table that the project names: a file, or a file and how it is read."""
        reading = table_source(given)
        return read_table(self.file(reading.pop("path")), what, **reading)


def _half_width(line: str) -> str:
    """A line of TOML with the signs that a Chinese keyboard writes for those of TOML."""
    return line.translate(str.maketrans("“”‘’\uff1d【】", "\"\"''=[]"))


def read_plan(path: Path) -> Plan:
    """Read and check the project file; every key is known."""
    if not os.path.exists(path):
        raise ProjectError(
            f"there is no project file {path}", hint="pinghu demo shows one that works"
        )
    require_plain(path, "project")
    if path.is_dir():
        raise ProjectError(
            f"{path} is a folder", hint=f"pinghu run {shell_word(path / 'project.toml')}"
        )
    try:
        # Notepad saves a byte order mark that TOML doesn't allow
        raw = parsed_toml(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise _refused_toml(path, fault) from fault
    mistakes = _ProjectMistakes(path.name, path.read_text("utf-8-sig"))
    of_keys = [
        (_line_of_key(mistakes.text, at), fault) for at, fault in key_mistakes(raw, path.name)
    ]
    raw = {k: {} for k in SECTIONS} | {
        k: v for k, v in raw.items() if k not in SECTIONS or isinstance(v, dict)
    }
    with mistakes.caught("campaign", "adopted"):  # which says more of two than that it is no text
        _require_one_adopted(raw["campaign"], raw["schemes"])
    mistakes.found += of_keys
    layers = {name: table_source(v) for name, v in raw["layers"].items()}
    schemes = {name: table_source(v) for name, v in raw["schemes"].items()}
    _check_schemes(schemes, mistakes, raw["flood"])
    with mistakes.caught("crs"):
        _require_known_crs(raw.get("crs"))
    with mistakes.caught("campaign", "start"):
        _require_sound_start(raw["campaign"])
    with mistakes.caught("flood", "sections"):
        _one_bed(raw["flood"])
    with mistakes.caught("flood", "bank_freeboard_m"):
        _require_freeboards_source(raw["flood"])
    with mistakes.caught("layers", "rivers", "direction"):
        _require_sound_direction(layers.get("rivers", {}))
    with mistakes.caught("outputs"):
        named = raw.get("outputs")
        _require_sections(named if isinstance(named, list) else [], raw)
    _note_missing_files(raw, path.parent, mistakes)
    mistakes.name_schemes(schemes)
    mistakes.look_in_remarks()
    mistakes.refuse()
    return Plan(
        path=path,
        name=str(raw.get("name", path.stem)),
        note=str(raw.get("note", "")),
        crs=raw["crs"],
        layers=layers,
        tables={name: table_source(v) for name, v in raw["tables"].items()},
        schemes=schemes,
        rules=defaults("rules") | raw["rules"],
        flood=_with_defaults("flood", raw["flood"]),
        repair=raw.get("repair", False),
        lang=raw.get("lang", "zh"),
        published={str(k): str(v) for k, v in raw["published"].items()},
        campaign=_named_groups(_with_defaults("campaign", raw["campaign"]), raw.get("lang")),
        map=raw["map"],
        outputs=tuple(raw["outputs"]) if "outputs" in raw else None,
    )


def _refused_toml(path: Path, fault: Exception) -> ProjectError:
    """What is to be said of a project file that is no TOML."""
    said = str(fault)
    line = re.search(r"at line (\d+)", said)
    whole = "" if line is None else path.read_text("utf-8-sig")
    text = "" if line is None else whole.splitlines()[int(line[1]) - 1]
    hint = "names in Chinese stand in quotes"
    if isinstance(fault, UnicodeDecodeError):
        hint = "save it as UTF-8"
    elif isinstance(fault, RecursionError):
        hint = "pinghu demo shows one that works"
    elif line and (header := _header_in_remarks(whole, int(line[1]), text.split("=")[0])):
        hint = f"take away the # of line {header[0]}, too: {header[1]}"
    elif re.search(r"Cannot (declare|overwrite|redefine|mutate)", said):
        hint = "a key or a section stands once in the file: put both together"
    elif "\\" in text:
        slashed = re.sub(r"\\\\?", "/", text.strip())
        hint = f"write paths with /: {slashed}"
    elif re.search("[“”‘’\uff1d【】]", text):
        hint = f"quotes, = and brackets are half-width: {_half_width(text.strip())}"
    return ProjectError(f"{path.name} is no valid TOML in UTF-8: {reason(fault)}", hint=hint)


def _require_sections(outputs: Iterable[Any], sections: Mapping[str, Any]) -> None:
    """Refuse outputs for which the project says nothing."""
    for section, needing in OUTPUTS_OF.items():
        for word in outputs:
            if word in needing and not sections.get(section):
                raise ProjectError(
                    f"output {word} needs a section [{section}], which the project hasn't",
                    hint=f"pinghu explain {section}",
                )


def _note_missing_files(
    given: Any, folder: Path, mistakes: _ProjectMistakes, at: tuple[str, ...] = ()
) -> None:
    """Note files that aren't there, and conditions that can't be read."""
    known = keys_below(at)
    for word, value in given.items() if isinstance(given, dict) else ():
        place = (*at, str(word))
        if place[0] not in READ or (key := known.get(word) or known.get("*")) is None:
            continue
        _note_missing_files(value, folder, mistakes, place)
        for name in value if isinstance(value, list) else [value]:
            with mistakes.caught(*place):
                if isinstance(name, str) and "file" in key.kind and not name.startswith(POSTGIS):
                    _require_there(folder, name, str(word))
        if word == "where" and isinstance(value, str):
            with mistakes.caught(*place):
                try:
                    parse_condition(value, at[-1])
                except LayerError as fault:
                    raise ProjectError(fault.problem, hint=fault.hint) from fault


def _require_there(folder: Path, name: str, word: str) -> None:
    """Refuse the name of a file that isn't there; the cure is the nearest that is, as typed."""
    path = folder / name
    try:
        existing(path, word)
    except LayerError as fault:
        here = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, here, n=1, cutoff=0.6)
        meant = Path(name).with_name(close[0]).as_posix() if close else ""
        raise ProjectError(
            fault.problem,
            hint=f'{word} = "{meant}"'
            if meant
            else f"put {path.name} into {path.parent}, or name the file that is meant",
        ) from fault


def _named_groups(campaign: dict[str, Any], lang: str | None) -> dict[str, Any]:
    """A number of groups by their names, in the language of the file: names stay, whoever looks."""
    groups = campaign.get("groups")
    if lang != "en" or isinstance(groups, bool) or not isinstance(groups, int) or groups < 1:
        return campaign
    return campaign | {"groups": [f"group {k + 1}" for k in range(groups)]}


def _with_defaults(section: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """A section with what holds where nothing is stated; empty where the project has none."""
    return defaults(section) | dict(given) if given else {}


@dataclass(slots=True)
class _ProjectMistakes:
    """All that is wrong with a project file, each with its line, so that they are named at once."""

    name: str
    text: str = field(repr=False)
    found: list[tuple[int, ProjectError]] = field(default_factory=list)

    @contextmanager
    def caught(self, *path: str) -> Iterator[None]:
        """Note what a check refuses, and go on."""
        try:
            yield
        except ProjectError as fault:
            self.found.append((_line_of_key(self.text, path), fault))

    def name_schemes(self, schemes: Mapping[str, Mapping[str, Any]]) -> None:
        """Let hints that name a scheme name one of the project's that can stand there."""
        wide = (name for name, one in schemes.items() if "widths" in one)
        told = {"adopted": next(iter(schemes), None), "from": next(wide, None)}

        def named(found: re.Match[str]) -> str:
            name = told[found[1]]
            return found[0] if name is None else f'{found[1]} = "{name}"'

        self.found = [
            (line, ProjectError(fault.problem, hint=SCHEME.sub(named, fault.hint)))
            for line, fault in self.found
        ]

    def look_in_remarks(self) -> None:
        """Where what is lacking stands in the file as a remark, hint at taking its # away."""
        told = []
        for line, fault in self.found:
            there, hint = None, fault.hint
            if lost := re.match(r"(\w+) = .*$", hint):
                there = _line_in_remarks(self.text, line, lost[1])
            elif word := re.search(r"'(\w+)' is not known$", fault.problem):
                there = _header_in_remarks(self.text, line, word[1])
            if there is not None:
                hint = f"take away the # of line {there[0]}, too: {there[1]}"
            told.append((line, ProjectError(fault.problem, hint=hint)))
        self.found = told

    def refuse(self) -> None:
        """Raise what was found: one mistake as it is, several in the order of their lines."""
        # what a key may be and what it is asked for may both find the same
        once = {(line, fault.hint): (line, fault) for line, fault in reversed(self.found)}
        faults = sorted(once.values(), key=lambda one: one[0])
        if not faults:
            return
        if len(faults) == 1:
            line, fault = faults[0]
            if line == 0:
                raise fault
            problem = f"{fault.problem} (line {line})"
            raise ProjectError(problem, layer=self.name, hint=fault.hint)
        places = [f"line {n}" if n else "nowhere" for n, _ in faults]
        said = "; ".join(f"{p}: {f.problem}" for p, (_, f) in zip(places, faults, strict=True))
        raise ProjectError(
            f"{self.name} has {len(faults)} mistakes: {said}",
            hint="\n".join(
                f"# {p}\n{f.hint}" if n else f.hint
                for p, (n, f) in zip(places, faults, strict=True)
            ),
        )


def _line_of_key(text: str, path: Sequence[str]) -> int:
    """Line of a project file that holds most of a key's path, 0 where none does."""
    section: tuple[str, ...] = ()
    best, most = 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[[^\[\]]+\])\s*(#.*)?$", line):
            section = _path_of_header(header[1])
        if header and path and section[: len(path)] == tuple(path) and most < len(path):
            best, most = number, len(path)  # of a section that only such headers open
        if section != tuple(path[: len(section)]):
            continue
        score, rest = len(section), line
        for key in () if header else path[len(section) :]:
            hit = re.search(rf"""(?:^|[{{,.])\s*["']?{re.escape(key)}["']?\s*[=.]""", rest)
            if hit is None:
                break
            score, rest = score + 1, "," + rest[hit.end() :].lstrip("{ ")
        if score > most:
            best, most = number, score
    return best


def _header_in_remarks(text: str, line: int, word: str) -> tuple[int, str] | None:
    """The section that a line's key belongs to and whose own line, above it, is a remark."""
    for number in range(line - 1, 0, -1):
        one = text.splitlines()[number - 1]
        if re.match(r"\s*\[", one):
            return None
        if header := re.match(r"\s*#\s*(\[[^\[\]]+\])", one):
            known = keys_below(_path_of_header(header[1]))
            return (number, header[1]) if word.strip() in known else None
    return None


def _line_in_remarks(text: str, line: int, word: str) -> tuple[int, str] | None:
    """The line of a key, in the section that a line is in, which is a remark."""
    section: str | None = None
    wanted, found = None, []
    for number, one in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(#?)\s*(\[[^\[\]]+\])\s*(#.*)?$", one):
            section = header[2]
        if number == line:
            wanted = section
        if hit := re.match(rf"\s*#\s*({re.escape(word)} = .*)$", one):
            found.append((section, number, hit[1]))
    return next(((n, said) for s, n, said in found if s == wanted is not None), None)


def _path_of_header(line: str) -> tuple[str, ...]:
    """Path that a line such as ``[schemes."原方案"]`` opens."""
    try:
        inner: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ("",)
    path: list[str] = []
    while isinstance(inner, dict) and inner:
        key = next(iter(inner))
        path.append(key)
        inner = inner[key]
    return tuple(path)


def _check_schemes(
    schemes: Mapping[str, dict[str, Any]], mistakes: _ProjectMistakes, flood: Mapping[str, Any]
) -> None:
    """What the keys of schemes say together."""
    with mistakes.caught("schemes"):
        if not schemes and re.search(r"(?m)^\s*\[schemes\]", mistakes.text):
            raise ProjectError(
                f"{mistakes.name} names no scheme",
                hint='[schemes."原方案"]\nwidths = "红线宽度.xlsx"',
            )
    for name, source in schemes.items():
        with mistakes.caught("schemes", name):
            if sum(key in source for key in ("widths", "path", "least")) != 1:
                raise ProjectError(
                    f"scheme {name} needs either widths or path or least",
                    hint='widths = "红线宽度.xlsx", path = "红线.shp" as drawn, or '
                    'least = { from = "原方案", clear_m = 0.3 }: the line that demolishes least',
                )
        with mistakes.caught("schemes", name, "widths"):
            _require_both_widths(name, source.get("widths"))
        with mistakes.caught("schemes", name, "least"):
            if "least" in source:
                _require_sound_search(name, source["least"], schemes, flood)


def _require_both_widths(name: str, widths: Any) -> None:
    """Refuse a width for one bank alone."""
    if isinstance(widths, dict) and set(widths) < {"left", "right"}:
        raise ProjectError(
            f"scheme {name}: widths is neither a file nor a width [m] for each bank",
            hint='widths = "红线宽度.xlsx", widths = 15, or widths = { left = 12, right = 15 }',
        )


def _require_sound_search(
    name: str, asked: Any, schemes: Mapping[str, Mapping[str, Any]], flood: Mapping[str, Any]
) -> None:
    """Refuse a search that doesn't start from a scheme with a width table."""
    if not isinstance(asked, dict) or "widths" not in schemes.get(str(asked.get("from")), {}):
        raise ProjectError(
            f"scheme {name}: least doesn't say which scheme with widths it starts from",
            hint='least = { from = "原方案", inward_m = 4, clear_m = 0.3 }',
        )
    within = [key for key in WITHIN_RISE if key in asked]
    if within and not ("allowed_mm" in asked and flood):
        raise ProjectError(
            f"scheme {name}: least states {within[0]} without what a rise is computed from",
            hint="allowed_mm = 20 in it, and a section [flood] with the river's design",
        )
    if within and "junctions" in flood:
        raise ProjectError(
            f"scheme {name}: least states {within[0]}, and a search within a rise knows no "
            "junctions ([flood] junctions): rivers that it searches join another one",
            hint=f"leave {', '.join(within)} out of it: it searches by width and conveyance then; "
            "or, where no river parts, leave junctions out, and let boundaries say which river "
            "each joins and where (joins, joins_at_m)",
        )


def _require_sound_direction(rivers: Mapping[str, Any]) -> None:
    """Refuse a direction by a DEM that isn't named, and areas of which nothing tells it."""
    way = rivers.get("direction", "drawn")
    if way == "dem" and "dem" not in rivers:
        raise ProjectError(
            '[layers] rivers: direction = "dem" names no dem', hint='dem = "地面高程.tif"'
        )
    if "axis_m" in rivers and way == "drawn":
        raise ProjectError(
            "[layers] rivers: no shape tells which way water flows in it",
            hint='direction = "dem" and dem = "地面高程.tif", or direction = "confluence"',
        )


def _one_bed(flood: Mapping[str, Any]) -> None:
    """Refuse a bed that is designed and surveyed."""
    if {"design", "sections"} <= set(flood):
        raise ProjectError(
            "[flood] names both design and sections; the river's bed is one of them",
            hint='sections = "断面.hdm"',
        )


def _require_freeboards_source(flood: Mapping[str, Any]) -> None:
    """Refuse a freeboard of the banks without the standard and the clause that it comes from."""
    named = [key for key in BANK_FREEBOARD if str(flood.get(key, "")).strip()]
    if named and len(named) < len(BANK_FREEBOARD):
        lacks = [key for key in BANK_FREEBOARD if key not in named]
        raise ProjectError(
            f"[flood] lacks {', '.join(lacks)}: a freeboard of the banks is a number with its "
            "standard and its clause",
            hint="fill in bank_freeboard_m, bank_freeboard_standard and bank_freeboard_clause, or "
            "leave all three out",
        )


def _require_known_crs(code: Any) -> None:
    """Refuse an EPSG code that there isn't; that it is a number is seen with the keys."""
    try:
        if type(code) is int:
            pyproj.CRS.from_epsg(code)
    except pyproj.exceptions.CRSError as error:
        raise ProjectError(
            f"crs = {code} is no EPSG code of a reference system", hint="crs = 4547"
        ) from error


def _require_sound_start(campaign: Mapping[str, Any]) -> None:
    """Refuse a first day that is no day."""
    if isinstance(campaign.get("start"), str):
        try:
            day_of(campaign["start"], "start")
        except LayerError as fault:
            raise ProjectError(
                f"[campaign] {fault.problem}", hint='start = "2017-11-01"'
            ) from fault


def _require_one_adopted(campaign: Mapping[str, Any], schemes: Mapping[str, Any]) -> None:
    """Refuse a campaign that adopts no one scheme of the project."""
    adopted = campaign.get("adopted")
    if isinstance(adopted, list):
        raise ProjectError(
            f"[campaign] adopts {len(adopted)} schemes: {', '.join(map(str, adopted))}; "
            "a campaign is about one",
            hint='adopted = "原方案"',
        )
    if isinstance(adopted, str) and adopted not in schemes:
        raise ProjectError(
            f"[campaign] adopts {adopted!r}, which is no scheme of the project",
            hint=nearest(adopted, schemes),
        )
