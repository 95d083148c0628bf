"""What did a project file name? Its layers and tables, read and prepared; nothing is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.flood.directions import drawn_downstream
from pinghu_geo.flood.offsets import section_offsets
from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.coordinates import ONLY_WGS84
from pinghu_geo.intake.faults import check_summary, repair, scattered_rows, split_parts
from pinghu_geo.intake.formats import POSTGIS
from pinghu_geo.intake.grid import fit_grid
from pinghu_geo.intake.io import joined_and_said, layer_and_findings, table_and_findings
from pinghu_geo.intake.surveys import read_sections
from pinghu_geo.keys import table_source
from pinghu_geo.nouns.beside import Progress, Workers, side_by_side
from pinghu_geo.nouns.errors import CRSError, ProjectError, first_ids
from pinghu_geo.nouns.inert import source_name
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.notices import notify
from pinghu_geo.nouns.schema import NOUNS, code_label, same_crs, same_datum
from pinghu_geo.nouns.tables import crs_of
from pinghu_geo.plan import FLOOD_TABLES, Plan
from pinghu_geo.redline.drawn import named_by_rivers
from pinghu_geo.redline.lines import Widths
from pinghu_geo.river.axis import river_axis

__all__ = ["Inputs", "is_width_table", "path_and_options", "prepare_layer", "read_inputs"]

# what is done with rivers after they were read, in the project's CRS
RIVER_STEPS = ("join_gap_m", "axis_m", "direction", "dem")


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that was read.

    ``widths`` and ``lines`` are of the schemes that are drawn, by name; ``flood`` holds the tables
    of the section, ``surveyed`` the sections where they were surveyed and not designed.
    """

    layers: dict[str, gpd.GeoDataFrame]
    tables: dict[str, pd.DataFrame]
    flood: dict[str, pd.DataFrame]
    surveyed: pd.DataFrame | None
    widths: dict[str, Widths]
    lines: dict[str, gpd.GeoDataFrame]
    repairs: pd.DataFrame
    reading: list[str]

    @property
    def structures(self) -> pd.DataFrame | None:
        """Bridges, culverts, weirs, gates of the project, by their ids."""
        table = self.flood.get("structures")
        return None if table is None else table.set_index("structure_id")


def read_inputs(
    plan: Plan, *, known: Mapping[str, Any] | None = None, workers: Workers = 1
) -> Inputs:
    """Everything that a run computes with; layers that are ``known`` were read already."""
    with side_by_side(workers) as many:
        asked = _tables_of(plan)
        begun = iter(
            many.begin(_table_and_lines, asked, plan)
        )  # others read them beside the layers
        return _read_in_turn(plan, known, asked, begun)


class _Table(NamedTuple):
    """A table of a project: its place in it, its name there, what it is, and where it lies."""

    section: Literal["tables", "flood", "schemes"]
    name: str
    what: str
    given: Any


def _tables_of(plan: Plan) -> list[_Table]:
    """Tables that a run computes with, in the order in which they are told."""
    flood = [_Table("flood", key, what, plan.flood[key])
             for key, what in FLOOD_TABLES.items() if key in plan.flood]  # fmt: skip
    widths = [_Table("schemes", name, "widths", source["widths"])
              for name, source in plan.schemes.items()
              if "widths" in source and is_width_table(source["widths"])]  # fmt: skip
    tables = [_Table("tables", name, name, given) for name, given in plan.tables.items()]
    return [*tables, *flood, *widths]


def _read_in_turn(
    plan: Plan,
    known: Mapping[str, Any] | None,
    asked: list[_Table],
    begun: Iterator[tuple[_Table, tuple[pd.DataFrame, list[str]]]],
) -> Inputs:
    """Layers and tables, so that faults and what was read are told in the project's order."""
    said: list[str] = []

    def tables_of(section: str, name: str | None = None) -> dict[str, pd.DataFrame]:
        found = {}
        for one in asked:
            if one.section == section and name in (None, one.name):
                found[one.name], lines = next(begun)[1]
                said.extend(lines)
        return found

    read = {
        name: _read_prepared_layer(plan, name, name, source, said, known)
        for name, source in plan.layers.items()
    }
    layers = {name: layer for name, (layer, _) in read.items()}
    logs = {name: log for name, (_, log) in read.items()}
    tables, flood = tables_of("tables"), tables_of("flood")
    surveyed = (
        _surveyed_sections(plan, layers["rivers"]) if plan.flood and "design" not in flood else None
    )
    widths: dict[str, Widths] = {}
    lines: dict[str, gpd.GeoDataFrame] = {}
    for name, source in plan.schemes.items():
        if "widths" in source:
            table = tables_of("schemes", name)
            widths[name] = table[name] if table else _widths_of_sides(source["widths"])
        elif "least" not in source:
            line, logs[name] = _read_prepared_layer(
                plan, name, "red_line", source, said, rivers=layers.get("rivers")
            )
            lines[name] = line.assign(source="drawing")
    log = pd.concat({k: v for k, v in logs.items() if len(v)} or logs, names=["layer"])
    repairs = log.reset_index("layer").reset_index(drop=True)
    return Inputs(layers, tables, flood, surveyed, widths, lines, repairs, said)


def _read_prepared_layer(
    plan: Plan,
    name: str,
    what: str,
    source: dict[str, Any],
    log: list[str],
    known: Mapping[str, Any] | None = None,
    rivers: gpd.GeoDataFrame | None = None,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """A layer as the run computes with it, and the log of its repair."""
    if known and name in known:
        layer, seen = known[name]
    else:
        path, reading = path_and_options(plan, source)
        layer, seen = layer_and_findings(path, what, lang=plan.lang, **reading)
    rows = len(layer)
    prepared = prepare_layer(plan, layer, what, seen, rivers)
    log += _lines_of_reading(plan, name, source, rows, seen)
    return prepared


def _table_and_lines(plan: Plan, table: _Table, _: Progress) -> tuple[pd.DataFrame, list[str]]:
    """A table that is computed with, and what was read of it."""
    source = table_source(table.given)
    path, reading = path_and_options(plan, source)
    found, seen = table_and_findings(path, table.what, lang=plan.lang, **reading)
    return found, _lines_of_reading(plan, table.name, source, len(found), seen)


def _lines_of_reading(
    plan: Plan, name: str, source: dict[str, Any], rows: int, seen: Findings
) -> list[str]:
    """What was read of a file, and what was odd about it, a line a kind of fault."""
    word = NOUNS[name].zh if name in NOUNS and plan.lang == "zh" else name
    place = source_name(source["path"])
    lines = [say("{}: {} rows of {}", plan.lang, word, f"{rows:,}", place)]
    found = seen.table()
    for row in check_summary(found).itertuples() if len(found) else ():
        kind = code_label("severity", row.severity, lang=plan.lang)
        lines.append(f"  [{kind}] {row.field}: {row.problem} ({row.count}: {row.ids})")
    return lines


def prepare_layer(
    plan: Plan,
    layer: gpd.GeoDataFrame,
    what: str,
    seen: Findings,
    rivers: gpd.GeoDataFrame | None = None,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """A layer in the project's CRS, and repaired with its log where the project says so.

    What is joined or turned for it is added to what was ``seen``; a drawn red line that names no
    rivers is of those that run within it.
    """
    said = plan.layers.get(what, {})
    layer = _layer_in_project_crs(plan, layer, what)
    if what == "rivers":
        layer = _rivers_as_lines(plan, layer, said, seen)
    if what == "buildings":
        layer = _with_one_house_a_row(_areas_asked_for(layer, said, seen), said)
    log = pd.DataFrame(columns=["id", "change", "area_before_m2", "area_after_m2"])
    if said.get("repair", plan.repair):
        mended = repair(layer, what, lang=plan.lang)
        layer, log = mended.layer, mended.log
    if what == "red_line" and rivers is not None:
        was = layer["river"].isna() if "river" in layer.columns else layer.geometry.notna()
        layer = named_by_rivers(layer, rivers)
        found = layer["river"][was.to_numpy()]
        seen.add("river_by_centreline", found.index, "river", name=found.tolist())
    return layer, log


def _areas_asked_for(
    layer: gpd.GeoDataFrame, said: dict[str, Any], seen: Findings
) -> gpd.GeoDataFrame:
    """Rows without the points and lines of a drawing, where the project says so; said which."""
    flat = shapely.get_dimensions(layer.geometry.to_numpy()) < 2
    if not said.get("areas_only") or not flat.any():
        return layer
    kinds = layer.geometry.geom_type[flat]
    seen.add("no_area", layer.index[flat], "geometry", is_a=kinds.tolist())
    return layer[~flat]


def _with_one_house_a_row(layer: gpd.GeoDataFrame, said: dict[str, Any]) -> gpd.GeoDataFrame:
    """Rows of one part each where the project says so; else it is said that they aren't."""
    if said.get("split_parts"):
        return split_parts(layer)
    if merged := len(scattered_rows(layer.geometry.to_numpy())):
        notify(
            f"{merged} of {len(layer)} rows of buildings are several houses each, merged by class: "
            "split_parts = true in [layers.buildings] makes them a row each"
        )
    return layer


def _rivers_as_lines(
    plan: Plan, layer: gpd.GeoDataFrame, said: dict[str, Any], seen: Findings
) -> gpd.GeoDataFrame:
    """Rivers as one line each, drawn downstream, as far as the project says how."""
    if (axis_m := said.get("axis_m")) is not None:
        areas = repair(layer, "zones", lang=plan.lang).layer
        layer = river_axis(areas, None, spacing_m=axis_m, join_gap_m=said.get("join_gap_m", 0.0))
    elif (gap_m := said.get("join_gap_m")) is not None:
        layer = joined_and_said(layer, gap_m, seen)
        found = seen.table()
        if (turned := found.loc[found["fault"] == "part_turned", "id"].unique()).size:
            notify(
                f"rivers: parts of {first_ids(turned)} are drawn the other way than the rest and "
                "were turned: see in reading.log where, and which way the water flows"
            )
    if (way := said.get("direction", "drawn")) != "drawn":
        dem = plan.tiles(said["dem"]) if way == "dem" else None
        layer, log = drawn_downstream(layer, dem=dem)
        turned = log[log["turned"]]
        told = {"dem": say("the ground", seen.lang), "confluence": say("confluences", seen.lang)}
        seen.add("river_turned", turned.index, "geometry", how=[told[t] for t in turned["told_by"]])
    return layer


def path_and_options(plan: Plan, source: dict[str, Any]) -> tuple[Path | str, dict[str, Any]]:
    """File (or database) of a layer, and how it is to be read."""
    passed = (
        "path",
        "interpolation",
        "control",
        "repair",
        "split_parts",
        "areas_only",
        *RIVER_STEPS,
    )
    reading = {k: v for k, v in source.items() if k not in passed}
    if "control" in source:
        reading["grid"] = fit_grid(plan.table(source["control"], "control"), plan.crs)
    path = source["path"]
    return (path if path.startswith(POSTGIS) else plan.file(path)), reading


def _layer_in_project_crs(plan: Plan, layer: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """The layer in the project's CRS; a change of datum is not done silently."""
    if same_crs(layer.crs, wanted := crs_of(gpd.GeoSeries(crs=plan.crs))):
        return layer
    if not same_datum(layer.crs, wanted):
        path = str(plan.layers.get(name, {}).get("path", ""))
        degrees = wanted.geodetic_crs.to_2d().to_epsg() if wanted.geodetic_crs else None
        if degrees and crs_of(layer).is_geographic and path.lower().endswith(ONLY_WGS84):
            raise CRSError(
                f"is called {crs_of(layer).name}, as all degrees are in this format; the project "
                f"is in {wanted.name}, of another datum",
                layer=name,
                hint=f'{name} = {{ path = "{path}", crs = {degrees} }}  # in [layers], if they are '
                "degrees of the project's datum",
            )
        raise CRSError(
            f"is in {crs_of(layer).name}, the project in {wanted.name}: another datum, and PROJ "
            "would shift it roughly or not at all",
            layer=name,
            hint="have it transformed with the official parameters, or name a table of control "
            'points: control = "控制点.csv"',
        )
    return layer.to_crs(wanted)


def _widths_of_sides(widths: Any) -> tuple[float, float]:
    """A scheme's widths that are the same all along every river."""
    sides = widths if isinstance(widths, dict) else {"left": widths, "right": widths}
    return float(sides["left"]), float(sides["right"])


def is_width_table(widths: Any) -> bool:
    """Whether a scheme's widths are a table, and no numbers."""
    return isinstance(widths, str) or (isinstance(widths, dict) and "path" in widths)


def _surveyed_sections(plan: Plan, rivers: gpd.GeoDataFrame) -> pd.DataFrame:
    """Surveyed sections, as the project says that they count."""
    said = table_source(plan.flood["sections"])
    found = read_sections(plan.file(said["path"]), rivers=rivers, river=said.get("river"))
    n = found["n"] if "n" in found.columns else pd.Series(np.nan, found.index)
    # a point without n has that of the point before
    begun = ~found.duplicated(["river", "chainage_m"])
    if "n" in said:
        n = n.where(n.notna() | ~begun, said["n"])
    if (lost := begun & n.isna()).any():
        raise ProjectError(
            f"{said['path']} has sections without roughness (糙率 n): {int(lost.sum())}",
            hint=f'sections = {{ path = "{said["path"]}", n = 0.03 }}  # in [flood]',
        )
    counted: dict[str, Any] = {k: said[k] for k in ("origin", "order", "centre_m") if k in said}
    found = found.assign(n=n)
    return section_offsets(found, **counted) if counted else found
