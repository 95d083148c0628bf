"""What does the project file say? Layers, tables, schemes, rules; every key is known."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
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
    _known(raw, SECTIONS, path.name)
    for section in ("layers", "tables", "schemes", "rules", "flood", "published", "campaign"):
        if not isinstance(raw.get(section, {}), dict):
            raise ProjectError(f"{path.name}: {section} is no section", hint=f"write [{section}]")
    layers = {name: _source(v) for name, v in raw.get("layers", {}).items()}
    _known(layers, LAYERS, "[layers]")
    for name in ("buildings", "rivers"):
        if name not in layers:
            raise ProjectError(f"{path.name} names no {name}", hint=f'[layers]\n{name} = "..."')
    for name, source in layers.items():
        _known(source, SOURCE_KEYS | OWN_KEYS.get(name, set()), f"[layers] {name}")
        _require_mapping(source, f"[layers] {name}")
    _known(raw.get("tables", {}), TABLES, "[tables]")
    _known(raw.get("rules", {}), RULES, "[rules]")
    flood = _flood(raw.get("flood", {}))
    schemes = {
        n: v if isinstance(v, dict) else {"path": v} for n, v in raw.get("schemes", {}).items()
    }
    if not schemes:
        raise ProjectError(
            f"{path.name} names no scheme", hint='[schemes."原方案"]\nwidths = "红线宽度.xlsx"'
        )
    for name, source in schemes.items():
        _known(source, SOURCE_KEYS | {"widths", "interpolation", "least"}, f"[schemes] {name}")
        if sum(key in source for key in ("widths", "path", "least")) != 1:
            raise ProjectError(
                f"scheme {name} needs either widths or path or least",
                hint='widths = "红线宽度.xlsx", path = "红线.shp" as drawn, or '
                'least = { from = "原方案", clear_m = 0.3 }: the line that demolishes least',
            )
        _require_mapping(source, f"[schemes] {name}")
        if "widths" in source:
            _require_widths(name, source["widths"])
        if "least" in source:
            _least(name, source["least"], schemes, with_flood=bool(flood))
    _require_stated(raw, path.name)
    return Plan(
        path=path,
        name=str(raw.get("name", path.stem)),
        note=str(raw.get("note", "")),
        crs=raw["crs"],
        layers=layers,
        tables=raw.get("tables", {}),
        schemes=schemes,
        rules=RULES | raw.get("rules", {}),
        flood=flood,
        repair=raw.get("repair", False),
        published={str(k): str(v) for k, v in raw.get("published", {}).items()},
        campaign=_campaign(raw.get("campaign", {}), schemes),
    )


def _require_stated(raw: Mapping[str, Any], name: str) -> None:
    """Refuse a project file whose plain words are missing, or of another kind."""
    if not isinstance(raw.get("crs"), int):
        raise ProjectError(f"{name} doesn't say its crs", hint="crs = 4547")
    if not isinstance(raw.get("repair", False), bool):
        raise ProjectError(f"{name} says of repair neither true nor false", hint="repair = true")


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


def _known(given: Mapping[str, Any], known: Any, where: str) -> None:
    """Refuse a key that isn't known; a slip of the pen must not be ignored."""
    for key in given:
        if key not in known:
            raise ProjectError(f"{where}: {key!r} is not known", hint=nearest(key, known))


def _least(
    name: str, asked: Any, schemes: Mapping[str, Mapping[str, Any]], *, with_flood: bool
) -> None:
    """Refuse a search that doesn't start from a scheme with a width table."""
    if not isinstance(asked, dict) or "widths" not in schemes.get(asked.get("from", ""), {}):
        raise ProjectError(
            f"scheme {name}: least doesn't say which scheme with widths it starts from",
            hint='least = { from = "原方案", inward_m = 4, clear_m = 0.3 }',
        )
    _known(asked, ["from", *LEAST, *WITHIN_RISE], f"[schemes] {name} least")
    within = [key for key in WITHIN_RISE if key in asked]
    if within and not ("allowed_mm" in asked and with_flood):
        raise ProjectError(
            f"scheme {name}: least states {within[0]} without what a rise is computed from",
            hint="allowed_mm = 20 in it, and a section [flood] with the river's design",
        )


def _flood(given: dict[str, Any]) -> dict[str, Any]:
    """The flood's part; empty where the project asks for none."""
    if not given:
        return {}
    _known(given, {**FLOOD, **FLOOD_TABLES, **dict.fromkeys(LIMITS)}, "[flood]")
    for key in ("design", "dem", "flows", "boundaries", *LIMITS):
        if key not in given:
            raise ProjectError(
                f"[flood] lacks {key}",
                hint="design, dem, flows and boundaries name files; allowed_mm and freeboard_m "
                "are the limits that the design institute states",
            )
    return FLOOD | given


def _campaign(given: dict[str, Any], schemes: Mapping[str, Any]) -> dict[str, Any]:
    """The campaign's part; empty where the project has none."""
    if not given:
        return {}
    _known(given, {**CAMPAIGN, **CAMPAIGN_TABLES}, "[campaign]")
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
