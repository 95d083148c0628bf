"""What does the project file say? Layers, tables, schemes, rules; every key is known."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pinghu_geo.nouns.errors import ProjectError
from pinghu_geo.nouns.schema import nearest
from pinghu_geo.search.optimise import LIMITS as LEAST

__all__ = ["CAMPAIGN_TABLES", "FLOOD_TABLES", "SOURCE_KEYS", "Plan", "read_plan"]

SECTIONS = {
    "name",
    "note",
    "crs",
    "repair",
    "layers",
    "tables",
    "schemes",
    "rules",
    "flood",
    "published",
    "campaign",
}
LAYERS = ("buildings", "rivers", "parcels", "zones")
TABLES = ("rates", "segments", "walls", "locks")
# what a search within a rise may state besides the limits of the line
WITHIN_RISE = ("allowed_mm", "freeboard_m", "node_stations", "seconds")
RULES: dict[str, Any] = {
    "partial": "whole",
    "survey_tolerance_m": 0.5,
    "gap_m": 50.0,
    "max_length_m": 300.0,
    "zone_ratio": 0.5,
}
SOURCE_KEYS = {
    "path",
    "layer",
    "crs",
    "encoding",
    "id_column",
    "row_ids",
    "xy",
    "control",
    "columns",
    "where",
    "values",
}
# of one layer alone
OWN_KEYS = {"rivers": {"river_name", "join_gap_m"}, "buildings": {"storey_height_m"}}
# key of [flood]: noun of the table
FLOOD_TABLES = {
    "design": "design",
    "flows": "flows",
    "boundaries": "boundaries",
    "evidence": "evidence",
    "structures": "structures",
    "structure_parts": "structure_parts",
}
FLOOD: dict[str, Any] = {
    "dem": None,
    "rules": None,
    "n_ground": 0.05,
    "half_width_m": 50.0,
    "spacing_m": 20.0,
}
# key of [campaign]: noun of the table
CAMPAIGN_TABLES = {
    "tenants": "tenants",
    "handover": "handover",
    "capacity": "capacity",
    "cuts": "cuts",
    "fixed": "segments",
    "log": "progress",
}
CAMPAIGN: dict[str, Any] = {
    "adopted": None,
    "start": None,
    "calendar": "china",
    "stages": None,
    "store": "campaign.gpkg",
    "schema": "pinghu_campaign",
    "groups": None,
    "balance_by": "demolish_floor_area_m2",
    "banks": "together",
    "district_total": {},
    "thresholds": {},
    "blockers": [],
    "work": 4.0,
}
# what only the design institute can state
LIMITS = ("allowed_mm", "freeboard_m")


@dataclass(frozen=True, slots=True)
class Plan:
    """A project file that was read and found sound."""

    path: Path
    name: str
    note: str
    crs: int
    layers: dict[str, dict[str, Any]] = field(repr=False)  # may hold addresses with passwords
    tables: dict[str, str]
    schemes: dict[str, dict[str, Any]] = field(repr=False)
    rules: dict[str, Any]
    flood: dict[str, Any]
    published: dict[str, str]
    repair: bool = False
    campaign: dict[str, Any] = field(default_factory=dict, repr=False)  # may hold a password

    def file(self, name: str) -> Path:
        """A file that the project names, relative to the project file."""
        return self.path.parent / name


def read_plan(path: Path) -> Plan:
    """Read and check the project file; every key is known."""
    if not path.exists():
        raise ProjectError(
            f"there is no project file {path}", hint="pinghu demo shows one that works"
        )
    try:
        # Notepad saves a byte order mark that TOML doesn't allow
        raw = tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ProjectError(
            f"{path.name} is no valid TOML in UTF-8: {fault}",
            hint="names in Chinese stand in quotes",
        ) from fault
    mistakes = _Mistakes(path.name, path.read_text("utf-8-sig"))
    mistakes.known(raw, SECTIONS, path.name)
    raw = _sections(raw, mistakes)
    layers = {name: _source(v) for name, v in raw["layers"].items()}
    _layers(layers, mistakes)
    mistakes.known(raw["tables"], TABLES, "[tables]", "tables")
    mistakes.known(raw["rules"], RULES, "[rules]", "rules")
    flood = {}
    with mistakes.caught("flood"):
        flood = _flood(raw["flood"], mistakes)
    schemes = {n: v if isinstance(v, dict) else {"path": v} for n, v in raw["schemes"].items()}
    _schemes(schemes, mistakes, with_flood=bool(flood))
    campaign = {}
    with mistakes.caught("campaign", "adopted"):
        campaign = _campaign(raw["campaign"], schemes, mistakes)
    for key, check in STATED.items():
        with mistakes.caught(key):
            check(raw, path.name)
    mistakes.refuse()
    return Plan(
        path=path,
        name=str(raw.get("name", path.stem)),
        note=str(raw.get("note", "")),
        crs=raw["crs"],
        layers=layers,
        tables=raw["tables"],
        schemes=schemes,
        rules=RULES | raw["rules"],
        flood=flood,
        repair=raw.get("repair", False),
        published={str(k): str(v) for k, v in raw["published"].items()},
        campaign=campaign,
    )


@dataclass(slots=True)
class _Mistakes:
    """All that is wrong with a project file, each with its line, so that they are named at once."""

    name: str
    text: str = field(repr=False)
    found: list[tuple[int, ProjectError]] = field(default_factory=list)

    def known(self, given: Mapping[str, Any], known: Any, where: str, *path: str) -> None:
        """Note keys that aren't known; a slip of the pen must not be ignored."""
        for key in given:
            if key not in known:
                fault = ProjectError(f"{where}: {key!r} is not known", hint=nearest(key, known))
                self.found.append((_line_of(self.text, (*path, key)), fault))

    @contextmanager
    def caught(self, *path: str) -> Iterator[None]:
        """Note what a check refuses, and go on."""
        try:
            yield
        except ProjectError as fault:
            self.found.append((_line_of(self.text, path), fault))

    def refuse(self) -> None:
        """Raise what was found: one mistake as it is, several in the order of their lines."""
        faults = sorted(self.found, key=lambda one: one[0])
        if not faults:
            return
        places = [f"line {n}" if n else "nowhere" for n, _ in faults]
        if len(faults) == 1:
            line, fault = faults[0]
            place = f" ({places[0]})" if line else ""
            raise ProjectError(f"{fault.problem}{place}", hint=fault.hint)
        said = "; ".join(f"{p}: {f.problem}" for p, (_, f) in zip(places, faults, strict=True))
        raise ProjectError(
            f"{self.name} has {len(faults)} mistakes: {said}",
            hint="\n".join(f"# {p}\n{f.hint}" for p, (_, f) in zip(places, faults, strict=True)),
        )


def _line_of(text: str, path: Sequence[str]) -> int:
    """Line of a project file that holds most of a key's path, 0 where none does."""
    section: tuple[str, ...] = ()
    best, most = 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[[^\[\]]+\])\s*(#.*)?$", line):
            section = _header(header[1])
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


def _header(line: str) -> tuple[str, ...]:
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


def _sections(raw: Mapping[str, Any], mistakes: _Mistakes) -> dict[str, Any]:
    """The file with all of its sections, empty where they aren't there."""
    whole = dict(raw)
    for section in ("layers", "tables", "schemes", "rules", "flood", "published", "campaign"):
        whole.setdefault(section, {})
        with mistakes.caught(section):
            if not isinstance(whole[section], dict):
                whole[section] = {}
                raise ProjectError(
                    f"{mistakes.name}: {section} is no section", hint=f"write [{section}]"
                )
    return whole


def _layers(layers: Mapping[str, dict[str, Any]], mistakes: _Mistakes) -> None:
    mistakes.known(layers, LAYERS, "[layers]", "layers")
    for name in ("buildings", "rivers"):
        with mistakes.caught("layers"):
            if name not in layers:
                raise ProjectError(
                    f"{mistakes.name} names no {name}", hint=f'[layers]\n{name} = "..."'
                )
    for name, source in layers.items():
        where = f"[layers] {name}"
        mistakes.known(source, SOURCE_KEYS | OWN_KEYS.get(name, set()), where, "layers", name)
        with mistakes.caught("layers", name):
            _require_mapping(source, where)


def _schemes(
    schemes: Mapping[str, dict[str, Any]], mistakes: _Mistakes, *, with_flood: bool
) -> None:
    with mistakes.caught("schemes"):
        if not schemes:
            raise ProjectError(
                f"{mistakes.name} names no scheme",
                hint='[schemes."原方案"]\nwidths = "红线宽度.xlsx"',
            )
    for name, source in schemes.items():
        known = SOURCE_KEYS | {"widths", "interpolation", "least"}
        mistakes.known(source, known, f"[schemes] {name}", "schemes", name)
        with mistakes.caught("schemes", name):
            if sum(key in source for key in ("widths", "path", "least")) != 1:
                raise ProjectError(
                    f"scheme {name} needs either widths or path or least",
                    hint='widths = "红线宽度.xlsx", path = "红线.shp" as drawn, or '
                    'least = { from = "原方案", clear_m = 0.3 }: the line that demolishes least',
                )
            _require_mapping(source, f"[schemes] {name}")
        with mistakes.caught("schemes", name, "widths"):
            if "widths" in source:
                _require_widths(name, source["widths"])
        with mistakes.caught("schemes", name, "least"):
            if "least" in source:
                _least(name, source["least"], schemes, mistakes, with_flood=with_flood)


def _require_crs(raw: Mapping[str, Any], name: str) -> None:
    if not isinstance(raw.get("crs"), int):
        raise ProjectError(f"{name} doesn't say its crs", hint="crs = 4547")


def _require_repair(raw: Mapping[str, Any], name: str) -> None:
    if not isinstance(raw.get("repair", False), bool):
        raise ProjectError(f"{name} says of repair neither true nor false", hint="repair = true")


# plain words of a project file that must be there, or of one kind
STATED = {"crs": _require_crs, "repair": _require_repair}


def _require_mapping(source: Mapping[str, Any], where: str) -> None:
    """Refuse what `read_layer` couldn't take: tables of names and words, a text as condition."""
    example = {"columns": '{ floors = "Floor" }', "values": '{ use = { "yes" = "other" } }'}
    for key, text in example.items():
        given = source.get(key, {})
        inner = given.values() if isinstance(given, dict) else [None]
        if not all(isinstance(v, str if key == "columns" else dict) for v in inner):
            raise ProjectError(f"{where}: {key} is no table of this kind", hint=f"{key} = {text}")
    if not isinstance(source.get("where", ""), str):
        raise ProjectError(f"{where}: where is no text", hint='where = "Floor >= 2"')


def _require_widths(name: str, widths: Any) -> None:
    """Refuse widths that are neither a file, nor a number, nor a number for each bank."""
    numbers = widths if isinstance(widths, dict) else {"left": widths, "right": widths}
    sound = set(numbers) == {"left", "right"} and all(
        isinstance(v, int | float) and not isinstance(v, bool) and 0 <= v < math.inf
        for v in numbers.values()
    )
    if not sound and not isinstance(widths, str):
        raise ProjectError(
            f"scheme {name}: widths is neither a file nor a width [m]",
            hint='widths = "红线宽度.xlsx", widths = 15, or widths = { left = 12, right = 15 }',
        )


def _source(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"path": value}


def _least(
    name: str,
    asked: Any,
    schemes: Mapping[str, Mapping[str, Any]],
    mistakes: _Mistakes,
    *,
    with_flood: bool,
) -> None:
    """Refuse a search that doesn't start from a scheme with a width table."""
    if not isinstance(asked, dict) or "widths" not in schemes.get(asked.get("from", ""), {}):
        raise ProjectError(
            f"scheme {name}: least doesn't say which scheme with widths it starts from",
            hint='least = { from = "原方案", inward_m = 4, clear_m = 0.3 }',
        )
    known = ["from", *LEAST, *WITHIN_RISE]
    mistakes.known(asked, known, f"[schemes] {name} least", "schemes", name, "least")
    within = [key for key in WITHIN_RISE if key in asked]
    if within and not ("allowed_mm" in asked and with_flood):
        raise ProjectError(
            f"scheme {name}: least states {within[0]} without what a rise is computed from",
            hint="allowed_mm = 20 in it, and a section [flood] with the river's design",
        )


def _flood(given: dict[str, Any], mistakes: _Mistakes) -> dict[str, Any]:
    """The flood's part; empty where the project asks for none."""
    if not given:
        return {}
    mistakes.known(given, {**FLOOD, **FLOOD_TABLES, **dict.fromkeys(LIMITS)}, "[flood]", "flood")
    for key in ("design", "dem", "flows", "boundaries", *LIMITS):
        if key not in given:
            raise ProjectError(
                f"[flood] lacks {key}",
                hint="design, dem, flows and boundaries name files; allowed_mm and freeboard_m "
                "are the limits that the design institute states",
            )
    return FLOOD | given


def _campaign(
    given: dict[str, Any], schemes: Mapping[str, Any], mistakes: _Mistakes
) -> dict[str, Any]:
    """The campaign's part; empty where the project has none."""
    if not given:
        return {}
    mistakes.known(given, {**CAMPAIGN, **CAMPAIGN_TABLES}, "[campaign]", "campaign")
    adopted = given.get("adopted")
    if isinstance(adopted, list):
        raise ProjectError(
            f"[campaign] adopts {len(adopted)} schemes: {', '.join(map(str, adopted))}",
            hint=f'adopted = "{adopted[0] if adopted else next(iter(schemes))}": one scheme',
        )
    if adopted not in schemes:
        raise ProjectError(
            f"[campaign] adopts {adopted!r}, which is no scheme of the project"
            if adopted
            else "[campaign] doesn't say which scheme is adopted",
            hint=nearest(adopted, schemes) if adopted else f'adopted = "{next(iter(schemes))}"',
        )
    if "start" not in given:
        raise ProjectError("[campaign] lacks start, the first day", hint='start = "2017-11-01"')
    return CAMPAIGN | given
