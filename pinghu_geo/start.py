"""How does one begin? From a folder of other people's files to a project file and forms to fill."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.deliver.forms import write_blank_form
from pinghu_geo.intake.faults import repair, scattered_rows
from pinghu_geo.intake.io import read_layer
from pinghu_geo.intake.osm import NAMELESS
from pinghu_geo.intake.sight import SCHEMA_FILE, Sight, sights
from pinghu_geo.keys import project_schema
from pinghu_geo.nouns.errors import CRSError, LayerError, OutputError, PinghuError, ProjectError
from pinghu_geo.nouns.inert import console_text, shell_word
from pinghu_geo.nouns.messages import say, translated
from pinghu_geo.nouns.replacing import write_whole
from pinghu_geo.nouns.schema import (
    NOUNS,
    Lang,
    grid_of_place,
    is_mercator,
    match_columns,
    same_datum,
)
from pinghu_geo.nouns.tables import crs_of
from pinghu_geo.nouns.words import speaks_of
from pinghu_geo.river.axis import join_parts, river_axis
from pinghu_geo.river.centreline import river_scales

__all__ = ["new_project"]

# A covered reach up to so long [m] is bridged where a river comes in several parts.
JOIN_GAP_M = 20.0
# and where it comes in areas, the banks are taken in points so far apart [m].
AXIS_M = 5.0
GAP = re.compile(r"a part is ([\d,.]+) m from the others")
# Rivers so near to the buildings [m] are taken.
BESIDE_M = 500.0
# Forms for what may be missing: noun by file.
OPTIONAL = {"rates": "rates.xlsx", "segments": "reaches.xlsx", "walls": "walls.xlsx"}
FLOOD = {
    "design": "design sections.xlsx", "flows": "discharges.xlsx", "boundaries": "boundaries.xlsx",
    "evidence": "evidence.xlsx", "structures": "structures.xlsx",
    "structure_parts": "parts of structures.xlsx", "junctions": "junctions.xlsx",
}  # fmt: skip
# which stand after what is asked of every flood
LATER = ("structures", "structure_parts", "junctions")
CAMPAIGN = {
    "groups": "groups.xlsx", "tenants": "tenants.xlsx", "handover": "handover.xlsx",
    "capacity": "capacity.xlsx",
}  # fmt: skip
FORMS = OPTIONAL | FLOOD | CAMPAIGN
DRAWN_AMONG = "the drawing states no CRS; taken for the buildings', among which it lies: check that"
WIDTHS = "widths.xlsx"
# what a drawn line is called that is built to; other lines, such as 蓝线, are none of these
WORKS_LINE = r"红线|(?i:red_?line)"


@dataclass(slots=True)
class _TakenLayer:
    """A layer that was taken, and what the project file has to say of it."""

    seen: Sight
    frame: gpd.GeoDataFrame
    keys: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def new_project(
    folder: str | Path, *, name: str | None = None, crs: int | None = None, lang: Lang = "zh"
) -> pd.DataFrame:
    """Write a project file and forms for a folder of layers and tables 新建项目.

    Parameters
    ----------
    folder
        Where the files lie: layers, workbooks, rasters, in folders of it too.
    name
        Of the project; by default the folder's.
    crs
        EPSG code of the buildings where their file states none, as a drawing.
    lang
        Language of the project file's remarks, and of what it will say: ``"zh"`` or ``"en"``.

    Returns
    -------
    pandas.DataFrame
        What lies there, a row a layer, table or raster: file, layer, what (empty where nothing
        tells), why, rows, taken. ``project.toml`` in the folder takes the largest of each kind;
        the forms beside it are to be filled: ``红线宽度.xlsx``, unless a table of widths is there,
        ``补偿标准.xlsx``, ``责任段.xlsx``, ``挡墙.xlsx``; for the flood ``设计断面.xlsx``,
        ``设计流量.xlsx``, ``边界条件.xlsx``, ``留房依据.xlsx``, ``桥涵闸坝.xlsx``,
        ``建筑物构件.xlsx``, ``汇流口.xlsx``; for the campaign ``责任组.xlsx``, ``租户.xlsx``,
        ``进场计划.xlsx``, ``工效.xlsx``. A form that lies there is left alone.
        ``project.schema.json`` is what editors complete and check the project file by.

    Raises
    ------
    OutputError
        There is a project file already, which is never overwritten.
    ProjectError
        No buildings, or no rivers, were found.

    Examples
    --------
    >>> import shutil
    >>> for part in (*sample.glob("房屋.*"), *sample.glob("河道.*")):
    ...     _ = shutil.copy(part, folder)
    >>> pg.new_project(folder)[["file", "what"]].values.tolist()
    [['房屋.shp', 'buildings'], ['河道.shp', 'rivers']]
    >>> {"红线宽度.xlsx", "桥涵闸坝.xlsx"} <= {p.name for p in folder.iterdir()}
    True
    """
    place = Path(folder)
    if not os.path.isdir(place):  # False for names that no system has, too
        raise ProjectError(f"there is no folder {place}", hint="pinghu new .")
    target = place / "project.toml"
    if target.exists():
        raise OutputError(
            f"there is a project file already: {target}",
            hint=f"pinghu run {shell_word(target)} --out 结果",
        )
    found = sights(place)
    buildings = _take_buildings(_largest_layer(found, "buildings", place), crs)
    code = _grid_code(buildings.frame)
    dem = next((s for s in found if s.what == "dem"), None)
    rivers = _take_rivers(_largest_layer(found, "rivers", place), code, buildings.frame, dem)
    taken = {"buildings": buildings.seen, "rivers": rivers.seen}
    for what, one in (("buildings", buildings), ("rivers", rivers)):
        rest = [s for s in found if s.what == what and _place_of(s) != _place_of(one.seen)]
        if rest:
            one.notes.append(
                "a project reads one layer of these; join them to one layer if these count, too: "
                + ", ".join(_name_of(s, place) for s in rest[:20])
            )
    for what in ("parcels", "zones", "dem", *FORMS):
        if any(s.what == what for s in found):
            taken[what] = _largest_layer(found, what, place)
    tables = [s for s in found if s.what == "widths"]
    drawn = [s for s in found if s.what == "red_line" and re.search(WORKS_LINE, _name_of(s, place))]
    blank = place / say(WIDTHS, lang)
    if not tables and not drawn and not blank.exists():
        write_blank_form("widths", blank, rows=_ends_of_rivers(rivers.frame), lang=lang)
    for what, form in FORMS.items():
        blank = place / say(form, lang)
        if what not in taken and not blank.exists():
            write_blank_form(what, blank, rows=_rows_from_rivers(what, rivers.frame), lang=lang)
    if not (place / SCHEMA_FILE).exists():
        said = json.dumps(project_schema(), ensure_ascii=False, indent=1)
        write_whole(place / SCHEMA_FILE, said + "\n")
    title = name or place.resolve().name
    text = _project_text(place, title, code, buildings, rivers, taken, [*tables, *drawn], lang)
    write_whole(target, text)
    # an extract of OpenStreetMap holds several under one name
    chosen = {_place_of(s): s for s in (*taken.values(), *tables, *drawn)}
    found = [chosen.get(_place_of(s), s) for s in found]
    return pd.DataFrame(
        {
            "file": [_relative_path(s.path, place) for s in found],
            "layer": [s.layer or "" for s in found],
            "what": [s.what for s in found],
            "why": [s.why for s in found],
            "rows": [s.rows if s.rows >= 0 else pd.NA for s in found],
            "taken": [_place_of(s) in chosen for s in found],
        }
    )


def _largest_layer(found: Sequence[Sight], what: str, place: Path) -> Sight:
    """The layer of a kind with the most rows."""
    alike = [s for s in found if s.what == what]
    if not alike and what == "rivers":  # drawn by hand, and called by its name
        lines = [s for s in found if s.what == "" and "LineString" in s.geometry and s.rows > 0]
        if len(lines) == 1 and "roads" not in lines[0].why:
            alike = [lines[0]._replace(what=what, why=f"{lines[0].geometry}, the only lines here")]
    if not alike and what == "rivers":  # areas of water
        alike = [s._replace(what=what, why=f"{s.geometry} called {word}") for s in found
                 if s.what == "" and "Polygon" in s.geometry
                 and (word := speaks_of(s.layer or s.path.stem, "river", 3))]  # fmt: skip
    if not alike:
        kind = "Polygon" if what == "buildings" else "LineString"
        unknown = [_name_of(s, place) for s in found if s.what == "" and kind in s.geometry]
        named = ", ".join(unknown[:20]) or "-"
        if what == "buildings":
            raise ProjectError(
                f"{place} holds no layer of buildings that could be told; other areas: {named}",
                hint="call the file, or its layer, buildings or 房屋; or write project.toml",
            )
        raise ProjectError(
            f"{place} holds no layer of rivers that could be told; other lines: {named}",
            hint="call the file, or its layer, rivers or 河道; or write project.toml",
        )
    return max(alike, key=lambda s: s.rows)


def _place_of(seen: Sight) -> tuple[Path, str | None, str]:
    """Where a layer lies; an extract of OpenStreetMap holds several kinds in one place."""
    return seen.path, seen.layer, seen.geometry


def _name_of(seen: Sight, place: Path) -> str:
    """A layer as it is called in the folder, with its rows."""
    layer = f" [{seen.layer}]" if seen.layer else ""
    rows = f" ({seen.rows:,})" if seen.rows >= 0 else ""
    return f"{_relative_path(seen.path, place)}{layer}{rows}"


def _relative_path(path: Path, place: Path) -> str:
    return os.path.relpath(path, place).replace(os.sep, "/")


def _grid_code(frame: gpd.GeoDataFrame) -> int:
    """The layer's own grid where it is in metres, else the grid of the place on its datum."""
    crs = crs_of(frame)
    code = crs.to_epsg()
    metres = crs.is_projected and crs.axis_info[0].unit_name in ("metre", "meter")
    if metres and code and not is_mercator(crs):
        return code
    bounds = tuple(frame.total_bounds)
    grid = grid_of_place(crs, bounds)
    if same_datum(crs, gpd.GeoSeries(crs=grid).crs):
        return grid
    return cast("int", frame.estimate_utm_crs().to_epsg())  # each zone of UTM has a code


def _take_buildings(seen: Sight, crs: int | None) -> _TakenLayer:
    """Buildings as they lie there, with numbers for ids where there are no sound ones."""
    reading: dict[str, Any] = {} if seen.layer is None else {"layer": seen.layer}
    if crs is not None and seen.crs is None:
        reading["crs"] = crs
    keys, notes = dict(reading), []
    try:
        frame = read_layer(seen.path, "buildings", **reading)
        sound = frame.index.is_unique and not frame.index.isna().any()
    except CRSError as fault:
        if crs is None and fault.fault == "no_crs":
            could = re.search(r"crs=(\d+)", fault.hint)
            code = could[1] if could else "4547"
            raise CRSError(
                fault.problem,
                layer="buildings",
                hint=f"pinghu new . --crs {code}  # if it was surveyed in this; ask who did",
                fault=fault.fault,
            ) from fault
        raise
    except LayerError:
        sound = False
    if not sound:
        keys["row_ids"] = True
        notes.append("no ids that are there and unique: rows are numbered")
        frame = read_layer(seen.path, "buildings", **keys)
    if "floors" not in frame.columns and "floor_area_m2" not in frame.columns:
        notes.append(
            "no floors, but heights: storey_height_m = 3.0 estimates them"
            if "height_m" in frame.columns
            else 'no floors, floor areas unknown; a column of them: columns = { floors = "..." }'
        )
    merged = len(scattered_rows(frame.to_crs(_grid_code(frame)).geometry.to_numpy()))
    if merged:
        keys["split_parts"] = True
        notes.append(f"{merged} rows are several houses each, merged by class: a row each")
    return _TakenLayer(seen, frame, keys, notes)


def _take_rivers(
    seen: Sight, code: int, buildings: gpd.GeoDataFrame, dem: Sight | None
) -> _TakenLayer:
    """Rivers that pass the buildings, with what makes one line a river of them."""
    reading: dict[str, Any] = {} if seen.layer is None else {"layer": seen.layer}
    if seen.path.suffix.lower() == ".dxf":
        reading |= _crs_of_drawing(seen, reading, buildings)
    areas = "Polygon" in seen.geometry
    try:
        frame = read_layer(seen.path, "rivers", **reading).to_crs(code)
    except LayerError:
        if areas:
            raise
        frame = read_layer(seen.path, "rivers", row_ids=True, **reading)
        notes = [DRAWN_AMONG] if "crs" in reading else []
        notes += ['no names of rivers: rows are numbered; if there is a column: river_name = "..."']
        return _TakenLayer(seen, frame.to_crs(code), {**reading, "row_ids": True}, notes)
    near = _rivers_beside_buildings(frame, buildings.to_crs(code))
    whole, apart, turned, lines = _whole_rivers(near, areas=areas)
    if not whole:
        raise ProjectError(
            f"{seen.path.name}: no river that has a name passes the buildings as one line",
            hint="pg.join_parts(rivers, gap_m=100)  # see which parts are apart",
        )
    keys, notes = dict(reading), []
    if len(whole) < len(frame.index.unique()):
        listed = ", ".join("'" + one.replace("'", "''") + "'" for one in whole)
        # the file's own name is asked of the file; where only values told it, ours
        named = match_columns(seen.columns, NOUNS["rivers"])
        column = next((g for g, n in named.items() if n == "river"), "river")
        quoted = '"' + column.replace('"', '""') + '"'
        keys["where"] = f"{quoted} in ({listed})"
        notes.append("only rivers with a name that pass the buildings and join to one line")
        rest = [str(r) for r in frame.index.unique() if pd.notna(r) and str(r) not in whole]
        if rest:
            names = ", ".join(rest[:20]) + (", ..." if len(rest) > 20 else "")
            notes.append(f"left out ({len(rest)}): {names}")
    if apart:
        notes.append(
            f"parts more than {JOIN_GAP_M:g} m apart, or a line across itself: "
            + ", ".join(apart[:20])
        )
    if turned:
        notes.append(
            "parts that are drawn the other way than the rest are turned, see which way is "
            "downstream: " + ", ".join(turned[:20])
        )
    some = frame[frame.index.isin(whole)]
    if len(some) != len(whole) or (shapely.get_num_geometries(some.geometry.to_numpy()) > 1).any():
        keys["join_gap_m"] = JOIN_GAP_M
    if areas:
        keys |= {"axis_m": AXIS_M, "direction": "confluence" if dem is None else "dem"}
        keys |= {} if dem is None else {"dem": dem.path}
        notes.append(
            "areas of water: the line in their middle, and direction says which way it flows"
        )
    else:
        notes.append(
            "rivers are drawn downstream: that tells left from right. "
            'direction = "dem" and dem = "...", or direction = "confluence" turn them'
        )
    return _TakenLayer(seen, gpd.GeoDataFrame(pd.concat(lines)), keys, notes)


def _rivers_beside_buildings(
    frame: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Rivers with a name that pass the buildings, whole."""
    drawn = ~(frame.is_empty | frame.geometry.isna())
    named = frame[drawn & np.asarray(frame.index.notna())]
    beside = shapely.box(*buildings.total_bounds).buffer(BESIDE_M)
    near = named[named.intersects(beside)].index.unique()
    return named[named.index.isin(near[~near.astype(str).str.fullmatch(NAMELESS.pattern)])]


def _whole_rivers(
    near: gpd.GeoDataFrame, *, areas: bool
) -> tuple[list[str], list[str], list[str], list[gpd.GeoDataFrame]]:
    """Names of rivers whose parts make one line, that don't, of which parts turn; and the lines."""
    whole, apart, turned = [], [], []
    lines = []
    for river in near.index.unique():
        parts = near[near.index == river]
        try:
            if areas:
                sound = repair(parts, "zones").layer
                line = river_axis(sound, None, spacing_m=AXIS_M, join_gap_m=JOIN_GAP_M)
            else:
                line, log = join_parts(parts, gap_m=JOIN_GAP_M)
                turned += [str(river)] if (log["change"] == "turned").any() else []
            river_scales(line)  # a line that crosses itself is no river
            lines.append(line)
            whole.append(str(river))
        except PinghuError as fault:
            gap = GAP.search(str(fault))
            apart.append(f"{river} ({gap[1]} m)" if gap else str(river))
    return whole, apart, turned, lines


def _crs_of_drawing(
    seen: Sight, reading: dict[str, Any], buildings: gpd.GeoDataFrame
) -> dict[str, int]:
    """The buildings' own CRS for a drawing, which states none, where it lies among them."""
    crs = crs_of(buildings)
    code = crs.to_epsg()
    frame = read_layer(seen.path, "rivers", row_ids=True, crs=code, **reading)
    around = shapely.box(*buildings.total_bounds).buffer(BESIDE_M)
    if code is None or not crs.is_projected or not frame.intersects(around).any():
        raise ProjectError(
            f"{seen.path.name} doesn't say its CRS and doesn't lie among the buildings",
            hint="ask who drew it, then write project.toml with crs = ... below [layers.rivers]",
        )
    return {"crs": int(code)}


def _ends_of_rivers(rivers: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Rows of the form of widths: both ends of each river."""
    return [
        {"river": river, "chainage_m": f"{at:.1f}"}
        for (river, scale), length in zip(river_scales(rivers).items(), rivers.length, strict=True)
        # rounded inwards: a chainage beyond the end would be refused
        for at in scale.chainage([0.0, int(length * 10) / 10])
    ]


def _rows_from_rivers(what: str, rivers: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """What of a form's rows the rivers tell: a row a river, or one for each of its ends."""
    if what == "design":
        return _ends_of_rivers(rivers)
    if what == "segments":  # a reach a river, to be divided
        ends = _ends_of_rivers(rivers)
        return [{"river": one["river"], "from_m": one["chainage_m"], "to_m": other["chainage_m"]}
                for one, other in zip(ends[::2], ends[1::2], strict=True)]  # fmt: skip
    return [{"river": river} for river in rivers.index] if what in ("flows", "boundaries") else []


def _toml_value(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"


def _toml_comment(text: str) -> str:
    """A remark on one line, whatever a file is called."""
    return "# " + " ".join(console_text(text).split())


def _project_text(
    place: Path,
    name: str,
    code: int,
    buildings: _TakenLayer,
    rivers: _TakenLayer,
    taken: dict[str, Sight],
    schemes: Sequence[Sight],
    lang: Lang,
) -> str:
    """The project file, commented."""
    invalid = not shapely.is_valid(buildings.frame.geometry.to_numpy()).all()
    lines = [
        f"#:schema {SCHEMA_FILE}",
        _toml_comment(
            say(
                "Written by pinghu new; every line may be changed. What a key means: {}",
                lang,
                "pinghu explain join_gap_m",
            )
        ),
        _toml_comment(
            say(
                "Check: {}; run: {}",
                lang,
                "pinghu check project.toml",
                f"pinghu run project.toml --out {say('results', lang)}",
            )
        ),
        f"name = {_toml_value(name)}",
        f"crs = {code}  "
        + _toml_comment(say("the CRS that is computed in, projected in metres", lang)),
        f"repair = {_toml_value(invalid)}  "
        + _toml_comment(say("invalid geometry is repaired, and each change logged", lang)),
    ]
    lines += [] if lang == "zh" else [f"lang = {_toml_value(lang)}"]
    for what, one in (("buildings", buildings), ("rivers", rivers)):
        lines += ["", f"[layers.{what}]", _toml_comment(translated(one.seen.why, lang))]
        lines += [_toml_comment(translated(note, lang)) for note in one.notes]
        lines += [f"path = {_toml_value(_relative_path(one.seen.path, place))}"]
        lines += [
            f"{key} = "
            + _toml_value(_relative_path(value, place) if isinstance(value, Path) else value)
            for key, value in one.keys.items()
        ]
    if "dem" in taken and "dem" not in rivers.keys:
        lines += [
            '# direction = "dem"',
            f"# dem = {_toml_value(_relative_path(taken['dem'].path, place))}",
        ]
    for what in ("parcels", "zones"):
        if what in taken:
            word = NOUNS[what].zh if lang == "zh" else what
            lines += [
                "",
                f"# [layers.{what}]  "
                + _toml_comment(say("{}: take away the # where it can be used", lang, word)),
                _toml_comment(f"path = {_toml_value(_relative_path(taken[what].path, place))}"),
            ]
            lines += [
                _toml_comment(f"layer = {_toml_value(layer)}")
                for layer in [taken[what].layer]
                if layer
            ]
    lines += ["", "[tables]"]
    for what, form in OPTIONAL.items():
        given = _relative_path(taken[what].path, place) if what in taken else say(form, lang)
        entry = f"{what} = {_toml_value(given)}"
        word = NOUNS[what].zh if lang == "zh" else what
        later = _toml_comment(say("{}: take away the # when it is filled in", lang, word))
        lines.append(entry if what in taken else f"# {entry}  {later}")
    lines += _schemes_lines(place, schemes, buildings, lang)
    lines += _flood_lines(place, taken, lang)
    return "\n".join([*lines, *_campaign_lines(place, taken, schemes, lang)]) + "\n"


def _schemes_lines(
    place: Path, given: Sequence[Sight], buildings: _TakenLayer, lang: Lang
) -> list[str]:
    """A scheme for each table of widths and each drawn line, or one for the form to be filled."""
    lines: list[str] = []
    for k, one in enumerate(given):
        own = one.layer or one.path.stem
        scheme = own if k or len(given) > 1 else say("approved", lang)
        key = "widths" if one.what == "widths" else "path"
        lines += ["", f"[schemes.{_toml_value(scheme)}]",
                  f"{key} = {_toml_value(_relative_path(one.path, place))}"]  # fmt: skip
        if key == "path":
            lines += [f"layer = {_toml_value(one.layer)}"] if one.layer else []
            code = crs_of(buildings.frame).to_epsg()
            lines += [f"crs = {code}"] if one.crs is None and code else []
    if not given:
        lines += ["", f"[schemes.{_toml_value(say('approved', lang))}]",
                  f"widths = {_toml_value(say(WIDTHS, lang))}  "
                  + _toml_comment(say("fill in the widths on the left and on the right", lang)),
                  _toml_comment(say("The same width all along needs no form: {}", lang,
                              say("{}, or {}", lang, "widths = 15",
                                  "widths = { left = 12, right = 15 }")))]  # fmt: skip
    return lines


def _files_or_forms(
    forms: Mapping[str, str], taken: Mapping[str, Sight], place: Path, lang: Lang
) -> dict[str, str]:
    """Files of tables that are there, else the forms to be filled."""
    return {
        k: _relative_path(taken[k].path, place) if k in taken else say(form, lang)
        for k, form in forms.items()
    }


def _campaign_lines(
    place: Path, taken: dict[str, Sight], schemes: Sequence[Sight], lang: Lang
) -> list[str]:
    """The section of the campaign, to be used when a scheme is adopted."""
    files = _files_or_forms(CAMPAIGN, taken, place, lang)
    first = say("approved", lang)
    if len(schemes) > 1:
        first = schemes[0].layer or schemes[0].path.stem
    return [
        "",
        _toml_comment(say("The campaign: when a scheme is adopted, take away the #", lang)),
        "# [campaign]",
        f"# adopted = {_toml_value(first)}",
        f"# start = {_toml_value('2017-11-01')}  {_toml_comment(say('the first day', lang))}",
        *(f"# {k} = {_toml_value(v)}" for k, v in files.items()),
    ]


def _flood_lines(place: Path, taken: dict[str, Sight], lang: Lang) -> list[str]:
    """The section of the flood, to be used when its forms are filled in and a DEM is there."""
    head = say("Design flood and what may stay: when the forms are filled, take away the #", lang)
    dem = _relative_path(taken["dem"].path, place) if "dem" in taken else say("ground.tif", lang)
    files = _files_or_forms(FLOOD, taken, place, lang)
    limits = say("the design institute states both", lang)
    return [
        "",
        _toml_comment(head),
        "# [flood]",
        *(f"# {k} = {_toml_value(v)}" for k, v in files.items() if k not in LATER),
        f"# dem = {_toml_value(dem)}",
        f"# allowed_mm = 20  {_toml_comment(limits)}",
        "# freeboard_m = 0.0",
        f"# bank_freeboard_m = 0.6  {_toml_comment(say('with its source, both:', lang))}",
        f"# bank_freeboard_standard = {_toml_value('GB 50286-2013')}",
        f"# bank_freeboard_clause = {_toml_value(say('the clause that the design cites', lang))}",
        _toml_comment(say("Where bridges, weirs, gates stand, where rivers meet or part:", lang)),
        *(f"# {k} = {_toml_value(files[k])}" for k in LATER),
    ]
