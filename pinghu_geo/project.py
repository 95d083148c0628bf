"""Run it all from one project file: layers in, one folder of results out."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
import tomllib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from pinghu_geo.alternatives import Comparison, compare
from pinghu_geo.centreline import station_ticks, stations
from pinghu_geo.errors import CRSError, OutputError, PinghuError, ProjectError
from pinghu_geo.faults import FIELDS, check
from pinghu_geo.io import read_layer, read_table
from pinghu_geo.maps import command_map
from pinghu_geo.nodes import node_table
from pinghu_geo.overlap import affected, belongs_to, totals
from pinghu_geo.redline import red_line
from pinghu_geo.report import write_ledger, write_results
from pinghu_geo.schema import label, nearest, same_crs

__all__ = ["check_project", "run_project", "sample_folder"]

SECTIONS = {"name", "note", "crs", "layers", "tables", "schemes", "rules", "published"}
LAYERS = ("buildings", "rivers", "parcels", "zones")
TABLES = ("rates", "segments")
RULES: dict[str, Any] = {
    "partial": "whole",
    "survey_tolerance_m": 0.5,
    "gap_m": 50.0,
    "max_length_m": 300.0,
    "zone_ratio": 0.5,
}
SOURCE_KEYS = {"path", "layer", "crs", "encoding", "id_column", "row_ids"}
PACKAGES = ("pinghu_geo", "geopandas", "shapely", "pandas", "numpy", "pyproj", "pyogrio", "folium")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Project:
    """A project file that was read and found sound."""

    path: Path
    name: str
    note: str
    crs: int
    layers: dict[str, dict[str, Any]]
    tables: dict[str, str]
    schemes: dict[str, dict[str, Any]]
    rules: dict[str, Any]
    published: dict[str, str]

    def file(self, name: str) -> Path:
        """A file that the project names, relative to the project file."""
        return self.path.parent / name


def sample_folder() -> Path:
    """Folder of the synthetic sample 示例数据目录.

    Returns
    -------
    pathlib.Path
        With ``project.toml`` and the layers it names; see its ``README.md``.

    Examples
    --------
    >>> (pg.sample_folder() / "project.toml").exists()
    True
    """
    here = Path(__file__).parent
    checkout = here.parent / "data" / "shapefiles"
    return checkout if (checkout / "project.toml").exists() else here / "sample"


def run_project(
    project: str | Path,
    out: str | Path,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Run a project file and write one folder of results 运行项目.

    Parameters
    ----------
    project
        TOML file: layers, tables, schemes, rules; see README.
    out
        Folder for the results; it appears whole or not at all.
    force
        Replace the folder if it exists and was made by this function.
    progress
        Called with a line of text before each step.

    Returns
    -------
    pathlib.Path
        The folder: results.gpkg, ledger.xlsx, map.html, summary.json, manifest.json. Two runs
        on the same input give the same bytes.

    Raises
    ------
    ProjectError
        The project file is wrong.
    OutputError
        The folder exists.
    PinghuError
        A layer can't be used; the message names it.

    Examples
    --------
    >>> made = pg.run_project(sample / "project.toml", folder / "结果")
    >>> sorted(p.name for p in made.iterdir())
    ['ledger.xlsx', 'manifest.json', 'map.html', 'results.gpkg', 'summary.json']
    """
    tell = progress or (lambda _: None)
    plan = _load(Path(project))
    target = Path(out)
    _refuse_overwrite(target, force=force)
    tell("读取图层")
    data = _read(plan)
    tell("计算红线与受影响房屋")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        found = _compute(plan, data)
    notes = sorted({str(w.message) for w in said if issubclass(w.category, UserWarning)})
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / "out"
        made.mkdir()
        _write(plan, data, found, notes, made, tell)
        if target.exists():
            shutil.rmtree(target)
        os.replace(made, target)
    return target


def check_project(project: str | Path) -> pd.DataFrame:
    """Faults of all layers and tables of a project at once 项目数据检查.

    Parameters
    ----------
    project
        TOML file.

    Returns
    -------
    pandas.DataFrame
        As `check`; a layer that can't be read at all is a row too.

    Raises
    ------
    ProjectError
        The project file is wrong.
    """
    plan = _load(Path(project))
    found = []
    readers: dict[str, Callable[[], Any]] = {
        name: partial(_layer, plan, name) for name in plan.layers
    }
    for name, path in plan.tables.items():
        readers[name] = partial(read_table, plan.file(path), name)
    for name, source in plan.schemes.items():
        if "widths" in source:
            readers[name] = partial(read_table, plan.file(source["widths"]), "widths")
        else:
            readers[name] = partial(_drawn, plan, source)
    for name, read in readers.items():
        what = (
            name
            if name not in plan.schemes
            else ("widths" if "widths" in plan.schemes[name] else "red_line")
        )
        try:
            faults = check(read(), what)
        except PinghuError as fault:
            problem, _, advice = str(fault).partition("\n\nHint: ")
            faults = pd.DataFrame(
                [["", "error", "unreadable", "-", "", problem, advice]], columns=FIELDS
            )
        found.append(faults.assign(layer=name))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=FIELDS)


# --- the project file -------------------------------------------------------------------------


def _load(path: Path) -> _Project:
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
    for section in ("layers", "tables", "schemes", "rules", "published"):
        if not isinstance(raw.get(section, {}), dict):
            raise ProjectError(f"{path.name}: {section} is no section", hint=f"write [{section}]")
    layers = {name: _source(v) for name, v in raw.get("layers", {}).items()}
    _known(layers, LAYERS, "[layers]")
    for name in ("buildings", "rivers"):
        if name not in layers:
            raise ProjectError(f"{path.name} names no {name}", hint=f'[layers]\n{name} = "..."')
    for name, source in layers.items():
        _known(source, SOURCE_KEYS, f"[layers] {name}")
    _known(raw.get("tables", {}), TABLES, "[tables]")
    _known(raw.get("rules", {}), RULES, "[rules]")
    schemes = {
        n: v if isinstance(v, dict) else {"path": v} for n, v in raw.get("schemes", {}).items()
    }
    if not schemes:
        raise ProjectError(
            f"{path.name} names no scheme", hint='[schemes."原方案"]\nwidths = "红线宽度.xlsx"'
        )
    for name, source in schemes.items():
        _known(source, SOURCE_KEYS | {"widths", "interpolation"}, f"[schemes] {name}")
        if ("widths" in source) == ("path" in source):
            raise ProjectError(
                f"scheme {name} needs either widths or path",
                hint='widths = "红线宽度.xlsx", or path = "红线.shp" as drawn',
            )
    if not isinstance(raw.get("crs"), int):
        raise ProjectError(f"{path.name} doesn't say its crs", hint="crs = 4547")
    return _Project(
        path=path,
        name=str(raw.get("name", path.stem)),
        note=str(raw.get("note", "")),
        crs=raw["crs"],
        layers=layers,
        tables=raw.get("tables", {}),
        schemes=schemes,
        rules=RULES | raw.get("rules", {}),
        published={str(k): str(v) for k, v in raw.get("published", {}).items()},
    )


def _source(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"path": value}


def _known(given: Mapping[str, Any], known: Any, where: str) -> None:
    """Refuse a key that isn't known; a slip of the pen must not be ignored."""
    for key in given:
        if key not in known:
            raise ProjectError(f"{where}: {key!r} is not known", hint=nearest(key, known))


def _refuse_overwrite(target: Path, *, force: bool) -> None:
    if not target.exists():
        return
    if not force:
        raise OutputError(f"{target} exists", hint="--force replaces it, or choose another folder")
    if not (target / "manifest.json").exists():
        raise OutputError(
            f"{target} was not made by pinghu, so it is not replaced", hint="choose another folder"
        )


# --- the steps --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Data:
    """Everything that was read."""

    layers: dict[str, gpd.GeoDataFrame]
    tables: dict[str, pd.DataFrame]
    schemes: dict[str, gpd.GeoDataFrame]


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything that was computed."""

    comparison: Comparison
    affected: gpd.GeoDataFrame
    nodes: gpd.GeoDataFrame
    parcels: gpd.GeoDataFrame | None


def _layer(plan: _Project, name: str) -> gpd.GeoDataFrame:
    source = dict(plan.layers[name])
    return _in_crs(plan, read_layer(plan.file(source.pop("path")), name, **source), name)


def _drawn(plan: _Project, source: dict[str, Any]) -> gpd.GeoDataFrame:
    """A red line as it was drawn."""
    rest = {k: v for k, v in source.items() if k not in ("path", "interpolation")}
    line = read_layer(plan.file(source["path"]), "red_line", **rest)
    return _in_crs(plan, line, "red_line").assign(source="drawing")


def _in_crs(plan: _Project, layer: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """The layer in the project's CRS; a change of datum is not done silently."""
    if same_crs(layer.crs, wanted := gpd.GeoSeries(crs=plan.crs).crs):
        return layer
    here, there = layer.crs.datum, wanted.datum
    if here is None or there is None or here.name != there.name:
        raise CRSError(
            f"is in {layer.crs.name}, the project in {wanted.name}: another datum, and PROJ would "
            "shift it roughly or not at all",
            layer=name,
            hint="have it transformed with the official parameters",
        )
    return layer.to_crs(wanted)


def _read(plan: _Project) -> _Data:
    layers = {name: _layer(plan, name) for name in plan.layers}
    tables = {name: read_table(plan.file(path), name) for name, path in plan.tables.items()}
    schemes = {}
    for name, source in plan.schemes.items():
        if "widths" in source:
            widths = read_table(plan.file(source["widths"]), "widths")
            schemes[name] = red_line(
                layers["rivers"], widths, interpolation=source.get("interpolation", "linear")
            )
        else:
            schemes[name] = _drawn(plan, source)
    return _Data(layers, tables, schemes)


def _compute(plan: _Project, data: _Data) -> _Found:
    rules, layers = plan.rules, data.layers
    comparison = compare(
        data.schemes,
        layers["buildings"],
        layers["rivers"],
        rates=data.tables.get("rates"),
        gap_m=rules["gap_m"],
        max_length_m=rules["max_length_m"],
        partial_rule=rules["partial"],
        survey_tolerance_m=rules["survey_tolerance_m"],
    )
    hit = comparison.schemes[comparison.baseline].affected.copy()
    if "zones" in layers:
        zones = layers["zones"]
        hit["zone_id"] = belongs_to(hit, zones, least_ratio=rules["zone_ratio"])
    parcels = None
    if "parcels" in layers:
        hit["parcel_id"] = belongs_to(hit, layers["parcels"])
        parcels = affected(
            layers["parcels"],
            data.schemes[comparison.baseline],
            layers["rivers"],
            survey_tolerance_m=rules["survey_tolerance_m"],
        )
        on = totals(hit, "parcel_id")
        on = on[on.index.notna()].drop(columns=["inside_m2", "n_full", "n_partial", "n_survey"])
        parcels = parcels.join(on)
        count = [c for c in ("n_buildings", "n_tenants", "n_unknown") if c in parcels]
        parcels[count] = parcels[count].fillna(0).astype(int)
    nodes = node_table(hit, data.tables.get("segments"))
    return _Found(comparison, hit, nodes, parcels)


def _write(
    plan: _Project, data: _Data, found: _Found, notes: list[str], folder: Path, tell: Progress
) -> None:
    layers, comparison = data.layers, found.comparison
    tell("写出成果数据库 results.gpkg")
    lines = pd.concat([line.assign(scheme=name) for name, line in data.schemes.items()])
    out = {
        "affected": found.affected,
        "nodes": found.nodes,
        "red_line": lines.reset_index(drop=True),
        "rivers": layers["rivers"],
        "stations": stations(layers["rivers"]),
        "station_ticks": station_ticks(layers["rivers"]),
        "changes": comparison.changes,
    }
    if found.parcels is not None:
        out["parcels"] = found.parcels
    write_results(out, folder / "results.gpkg")
    tell("写出台账 ledger.xlsx")
    write_ledger(
        found.affected,
        folder / "ledger.xlsx",
        parcels=found.parcels,
        nodes=found.nodes,
        comparison=comparison,
        title=f"{plan.name} · 征拆台账",
        note=plan.note,
        published=plan.published,
    )
    tell("写出作战图 map.html")
    command_map(
        found.affected,
        data.schemes,
        layers["rivers"],
        buildings=layers["buildings"],
        nodes=found.nodes,
        zones=layers.get("zones"),
        comparison=comparison,
        title=f"{plan.name} · 作战指挥图",
        note=plan.note,
    ).save(folder / "map.html")
    tell("写出 summary.json 与 manifest.json")
    _dump(_summary(plan, found, notes), folder / "summary.json")
    _dump(_manifest(plan), folder / "manifest.json")


def _summary(plan: _Project, found: _Found, notes: list[str]) -> dict[str, Any]:
    comparison = found.comparison

    def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
        return json.loads(table.reset_index().to_json(orient="records", double_precision=6))  # type: ignore[no-any-return]

    return {
        "name": plan.name,
        "note": plan.note,
        "baseline": comparison.baseline,
        "schemes": rows(comparison.totals),
        "said": comparison.summary(),
        "by_river": rows(totals(found.affected, "river")),
        "by_bank": rows(totals(found.affected, "bank")),
        "changes_by_river": rows(comparison.by_river),
        "changes_by_node": rows(comparison.by_node),
        "n_parcels": None if found.parcels is None else len(found.parcels),
        "warnings": notes,
        "published": plan.published,
    }


def _manifest(plan: _Project) -> dict[str, Any]:
    """What went in: a hash of each file, versions, rules."""
    files = {plan.path}
    named = [s["path"] for s in plan.layers.values()] + list(plan.tables.values())
    named += [s.get("widths", s.get("path")) for s in plan.schemes.values()]
    for name in named:
        path = plan.file(name)
        files |= (
            {p for p in path.parent.glob("*") if p.stem == path.stem and p.is_file()}
            if path.suffix.lower() == ".shp"
            else {path}
        )
    return {
        "inputs": {
            os.path.relpath(p, plan.path.parent).replace(os.sep, "/"): hashlib.sha256(
                p.read_bytes()
            ).hexdigest()
            for p in sorted(files)
            if p.is_file()
        },
        "crs": plan.crs,
        "rules": plan.rules,
        "versions": {name: version(name) for name in PACKAGES}
        | {"python": platform.python_version()},
    }


def _dump(what: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(what, ensure_ascii=False, indent=1) + "\n", "utf-8")


def summary_lines(folder: Path) -> list[str]:
    """What a run found, as lines for the shell: published figures beside the computed ones."""
    said = json.loads((folder / "summary.json").read_text("utf-8"))
    lines: list[str] = []
    for row in said["schemes"]:
        facts = [
            f"{label(k, unit=False)} {v:,.0f}"
            for k, v in row.items()
            if k != "scheme" and isinstance(v, int | float)
        ]
        lines.append(f"{row['scheme']}:{','.join(facts)}")
    return [*lines, *said["said"], *(f"注意:{w}" for w in said["warnings"])]
