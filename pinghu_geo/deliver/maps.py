"""How do I show it on a map? One HTML file that opens without any network: the command map."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from branca.element import MacroElement
from folium.plugins import MeasureControl
from folium.template import Template

from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.stages import TODO, stage_rules
from pinghu_geo.deliver.ground import ground_picture
from pinghu_geo.deliver.mapdata import card_columns, map_data, nodes_in_order, packed_shapes
from pinghu_geo.deliver.standing import (
    JUNCTION_COLOUR,
    STRUCTURE_COLOUR,
    junctions_on_plan,
    structures_on_plan,
)
from pinghu_geo.deliver.styles import value_text
from pinghu_geo.nouns.codes import TASK_CLASS
from pinghu_geo.nouns.door import takes, with_shapes
from pinghu_geo.nouns.errors import LayerError, OutputError
from pinghu_geo.nouns.inert import html_text, script_value, visible_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.replacing import atomic_path
from pinghu_geo.nouns.schema import Lang, code_label, label, one_of, require_layer
from pinghu_geo.river.centreline import stations
from pinghu_geo.schemes.alternatives import Comparison

__all__ = ["STATUS", "command_map", "in_degrees"]

# Six decimals of a degree are 0.1 m: enough for the eye, and a third of the file.
DEGREES = 6
# More features than this make a browser slow; the neighbours are the first to go.
MOST_NEIGHBOURS = 8000
# Edges of a line that have one box around them when neighbours are looked for.
EDGES_TOGETHER = 64
NEIGHBOURS_M = 80.0
# A hull reaches so far beyond its houses [m].
HULL_M = 4.0
# Where it is narrower than twice this it is left out [m].
SLIVER_M = 1.5
# Of more nodes than this it isn't: some 4 ms a node.
MOST_SMOOTHED = 400
# From this zoom on a house is some pixels wide; below, the houses of a place are one circle with
# their number.
SEEN_ZOOM = 16
# Chainages divisible by [m] are written from a zoom on, all others from 17 on: every 90 pixels.
# from this zoom on structures are named
STRUCTURE_ZOOM = 15
LABEL_ZOOMS = ((50_000, 8), (10_000, 11), (2_000, 13), (500, 15))
# A chainage that is searched for lies between points so many times closer than the labels.
FINER = 5
# Spacings of chainage labels [m] for long rivers, so that there are no more than this.
LABEL_STEPS = (500.0, 2_000.0, 10_000.0)
MOST_LABELS = 1_500
# Folium adds these for markers that the map doesn't use.
# A page takes no less than its own scripts and styles [bytes].
ROOM = 2**18
UNUSED = re.compile(r"bootstrap|font-?awesome|awesome|glyphicons", re.IGNORECASE)

WORDS = {
    "full": "wholly inside",
    "partial": "partly inside",
    "saved": "spared by the better design",
    "added": "taken by the better design alone",
}
COLOURS = {"full": "#c0392b", "partial": "#e67e22", "saved": "#27ae60", "added": "#8e44ad"}
STATUS = {code: (say(word, "zh"), COLOURS[code]) for code, word in WORDS.items()}
# of several schemes
SHADES = {"saved": ("#27ae60", "#16a085", "#9acd32"), "added": ("#8e44ad", "#c2185b", "#6d4c41")}
SCHEME_STYLES = (("#d00000", ""), ("#1565c0", "7 5"), ("#6a1b9a", "2 5"), ("#00796b", "10 4 2 4"))
CHANGED_POPUP = (
    "building_id", "status", "river", "bank", "chainage_m", "extent", "inside_m2",
    "demolish_floor_area_m2", "owner", "cost_yuan",
)  # fmt: skip


def in_degrees(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Shapes in longitude and latitude, as fine as the eye sees them."""
    found = shapes.to_crs(4326)
    rounded = shapely.set_precision(found.to_numpy(), 10.0**-DEGREES, mode="pointwise")
    return gpd.GeoSeries(rounded, found.index, crs=found.crs)


@takes()
def command_map(
    affected: gpd.GeoDataFrame,
    red_line: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame],
    rivers: gpd.GeoDataFrame,
    *,
    buildings: gpd.GeoDataFrame | None = None,
    nodes: gpd.GeoDataFrame | None = None,
    zones: gpd.GeoDataFrame | None = None,
    comparison: Comparison | None = None,
    adopted: str | None = None,
    state: ProgressState | None = None,
    stages: pd.DataFrame | None = None,
    structures: pd.DataFrame | None = None,
    junctions: pd.DataFrame | None = None,
    ground: str | Path | None = None,
    ground_gcj02: bool = False,
    title: str | None = None,
    note: str = "",
    station_m: float = 100.0,
    lang: Lang = "zh",
) -> folium.Map:
    """Command map: who is affected, where, in which node; opens offline 作战指挥图.

    Parameters
    ----------
    affected
        Affected buildings; the columns that are present are shown in the popups.
    red_line
        Red line, or several by scheme.
    rivers
        Centrelines drawn downstream, indexed by river.
    buildings
        All buildings; those within 80 m of a red line are drawn in grey for orientation.
    nodes
        Result of `node_table`.
    zones
        Renewal and consolidation areas.
    comparison
        Result of `compare`: buildings that another scheme saves or adds get layers of their
        own.
    adopted
        The scheme of ``comparison`` whose buildings ``affected`` are; by default its baseline. Of
        another one, what it saves and adds against the baseline is drawn, and nothing of the rest:
        a house that only a scheme not adopted would save isn't saved.
    state
        Result of `progress_state`: the day, and the slider that replays the log. ``affected`` has
        task_class then, as ``campaign_tasks(...).buildings``.
    stages
        Result of `stage_rules`.
    structures
        Bridges, culverts, weirs, gates as in `water_profile`: drawn across their rivers.
    junctions
        Where rivers meet or part as in `water_profile`: a circle each, with its name.
    ground
        A picture to lie below all: an orthophoto (GeoTIFF with coordinates), an ``.mbtiles`` file,
        or a folder of tiles ``{z}/{x}/{y}.png``; cut to the lines and carried in the
        page, or beside it by ``save(path, ground_beside=True)``.
    ground_gcj02
        The picture is shifted as public Chinese maps are (GCJ-02), and is put where it belongs.
    title, note
        Shown beside the map; say in the note where the data come from.
    station_m
        Spacing of the chainage labels [m]; wider where a river is so long that they were too many.
    lang
        Language of what the map says: ``"zh"`` or ``"en"``.

    Returns
    -------
    folium.Map
        With ``save(path)`` that writes one self-contained file, whole or not at all.

    Raises
    ------
    LayerError, CRSError
        A layer can't be drawn.

    Notes
    -----
    Without ``ground`` there is no base map: public tiles need a network, and Chinese ones are
    shifted by some 600 m (GCJ-02). Texts of the data stay texts.

    Each affected house is of one class, and the legend's counts are those of the tables: of a
    campaign the five classes of stages for tasks, and what is no task by its class (他方清拆, 保留,
    待核, 待勘); else what stays, what is in review, and the rest by how much of it lies within.
    Fill, hatch and letter tell classes apart in grey, too. The adopted line is shown; other lines,
    and what other schemes save and add, are switched on in the list of layers.

    The panel lists nodes, the latest first; a click zooms to one and lists its houses, a click on a
    house, there or on the map, opens its card. Search knows nodes, ids, owners and chainages
    (``K3+400``). The slider shows, for a day, what is known today of that day: a correction counts
    from the day of what it corrects. Lateness is as of the state's day.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> line = pg.red_line(rivers, 9.0)
    >>> page = pg.command_map(pg.affected(buildings, line, rivers), line, rivers)
    >>> page.save(folder / "作战图.html")
    >>> "<script src=" in (folder / "作战图.html").read_text("utf-8")
    False
    """
    lines = dict(red_line) if isinstance(red_line, Mapping) else {"": red_line}
    if not lines:
        raise LayerError("no red line to draw", hint="pg.red_line(rivers, widths)")
    for name, line in lines.items():
        require_layer(line, f"red_line {name}", crs=rivers.crs)
    require_layer(affected, "affected", crs=rivers.crs)
    page = _OfflineMap(
        tiles=None,
        prefer_canvas=True,
        control_scale=False,
        zoom_control=True,
        attributionControl=False,
    )
    page.options["maxZoom"], page.options["minZoom"] = 21, 5
    page.options["fadeAnimation"] = False  # of tiles: some twelve frames more after each step
    edges = gpd.GeoSeries(pd.concat([line.geometry for line in lines.values()]), crs=rivers.crs)
    if ground is not None:
        picture, corners = ground_picture(ground, edges, gcj02=ground_gcj02)
        page.ground = picture
        words = html_text(say("ground picture", lang))
        folium.raster_layers.ImageOverlay(picture, corners, name=words, opacity=0.75).add_to(page)
    shown = _line_shown_first(lines, comparison, adopted)
    changed = [] if comparison is None else _changed_buildings(affected, comparison, adopted, lang)
    _add_ground_layers(page, zones, buildings, affected, lines, rivers, changed, shown, lang)
    for words, colour, rows in (one for one in changed if len(one[2])):
        _changed_layer(words, colour, rows, lang).add_to(page)
    if nodes is not None and len(nodes := with_shapes(nodes, "nodes")):
        ordered = nodes_in_order(nodes)
        hulls = gpd.GeoSeries(_hulls_of_nodes(ordered, affected, buildings), crs=nodes.crs)
        name = _swatch_html("#34495e", line=True) + html_text(say("{} nodes", lang, len(hulls)))
        _Drawn(name, hulls, "#34495e", weight=1.5, fill="rgba(52,73,94,.08)", nodes=True).add_to(
            page
        )
    standing: list[gpd.GeoDataFrame] = []
    if structures is not None and len(structures):
        standing.append(structures_on_plan(structures, rivers, lang))
        words = _swatch_html(STRUCTURE_COLOUR) + html_text(say("structures", lang))
        fill = "rgba(108,52,131,.35)"
        _Drawn(words, standing[-1].geometry, STRUCTURE_COLOUR, weight=1.5, fill=fill).add_to(page)
    if junctions is not None and len(junctions):
        standing.append(junctions_on_plan(junctions, rivers, lang))
        words = _swatch_html(JUNCTION_COLOUR) + html_text(say("junctions", lang))
        fill = "rgba(11,83,69,.2)"
        _Drawn(words, standing[-1].geometry, JUNCTION_COLOUR, weight=1.5, fill=fill).add_to(page)
    spacing_m = _label_spacing(station_m, float(rivers.length.sum()))
    folium.LayerControl(collapsed=False).add_to(page)
    data = map_data(
        affected, nodes, stations(rivers, spacing_m=spacing_m / FINER), spacing_m / FINER,
        state=state, stages=stage_rules() if stages is None else stages, lang=lang,
    )  # fmt: skip
    heading = say("Command map of the demolition", lang) if title is None else title
    said = _sums_html(affected, comparison, note, state, lang)
    MeasureControl(
        position="bottomleft",
        primary_length_unit="meters",
        secondary_length_unit="kilometers",
        primary_area_unit="sqmeters",
        secondary_area_unit="hectares",
        localization="cn" if lang == "zh" else "en",
    ).add_to(page)
    data["labels"] = _labels_by_zoom(stations(rivers, spacing_m=spacing_m), rivers, standing)
    data["drawn"] = [one.data for one in page._children.values() if isinstance(one, _Drawn)]
    x0, y0, x1, y1 = edges.to_crs(4326).total_bounds
    data["bounds"] = [[y0, x0], [y1, x1]]  # what the page opens with
    _SidePanel(heading, said, data, card_columns(affected, lang), lang).add_to(page)
    return page


# --- layers -----------------------------------------------------------------------------------


def _swatch_html(colour: str, *, line: bool = False, dash: str = "") -> str:
    if line:
        stroke = "dotted" if dash.startswith("2") else "dashed" if dash else "solid"
        look = f"width:22px;margin:0 5px 3px 0;border-top:3px {stroke} {colour}"
    else:
        look = f"width:12px;height:12px;margin:0 5px -1px 3px;background:{colour}"
    return f'<i style="display:inline-block;{look}"></i>'


def _styled_layer(
    frame: gpd.GeoDataFrame,
    name: str,
    colour: str,
    *,
    weight: float = 1,
    dash: str = "",
    fill: float = 0.55,
    show: bool = True,
    popup: list[str] | None = None,
    catches: bool = True,
) -> folium.GeoJson:
    """One layer with one style: folium writes a switch over all features for any other."""
    data = frame.set_geometry(in_degrees(frame.geometry))
    style = {
        "color": colour,
        "weight": weight,
        "fillColor": colour,
        "fillOpacity": fill,
        "fill": fill > 0,
        "dashArray": dash,
    }
    return folium.GeoJson(
        json.loads(data.to_json(show_bbox=False, drop_id=True)),
        name=name,
        show=show,
        style_function=lambda _, style=style: style,
        smooth_factor=0.5,
        interactive=catches and popup is not None,
        popup=folium.GeoJsonPopup(popup, labels=True, localize=False, max_width=420)
        if popup
        else None,
    )


def _popup_texts(frame: pd.DataFrame, columns: tuple[str, ...], lang: Lang) -> pd.DataFrame:
    """Values as people read them, under headings for people, inert in HTML."""
    shown = {}
    for name in columns:
        if name in frame.columns:
            shown[label(name, lang=lang)] = [
                html_text(value_text(name, v, lang)) for v in frame[name]
            ]
    return pd.DataFrame(shown, index=frame.index)


def _changed_buildings(
    affected: gpd.GeoDataFrame, comparison: Comparison, adopted: str | None, lang: Lang
) -> list[tuple[str, str, gpd.GeoDataFrame]]:
    """Buildings that schemes save and add: each other one, or the adopted one alone."""
    one_of(adopted or comparison.baseline, comparison.schemes, "adopted")
    changes = comparison.changes
    names = list(dict.fromkeys(changes["scheme"]))
    chosen = [n for n in names if adopted in (None, comparison.baseline, n)]
    parts = []
    for k, name in enumerate(names):
        own = changes[changes["scheme"] == name]
        ids = {what: own.loc[own["change"] == what, "building_id"] for what in ("saved", "added")}
        # the rows given, where they hold the building: they may know more of it
        sources = {
            "saved": affected
            if name != adopted
            else comparison.schemes[comparison.baseline].affected,
            "added": affected if name == adopted else comparison.schemes[name].affected,
        }
        for what, source in sources.items() if name in chosen else ():
            words, colour = say(WORDS[what], lang), COLOURS[what]
            if len(names) > 1:
                words = say("spared by {}" if what == "saved" else "taken by {} alone", lang, name)
                colour = SHADES[what][k % len(SHADES[what])]
            parts.append((words, colour, source[source.index.isin(ids[what])]))
    return parts


def _line_shown_first(
    lines: Mapping[str, Any], comparison: Comparison | None, adopted: str | None
) -> str:
    """Name of the line that is shown from the start."""
    wanted = adopted or (comparison.baseline if comparison is not None else "")
    return wanted if wanted in lines else next(iter(lines))


def _add_ground_layers(
    page: folium.Map,
    zones: gpd.GeoDataFrame | None,
    buildings: gpd.GeoDataFrame | None,
    affected: gpd.GeoDataFrame,
    lines: Mapping[str, gpd.GeoDataFrame],
    rivers: gpd.GeoDataFrame,
    changed: list[tuple[str, str, gpd.GeoDataFrame]],
    adopted: str,
    lang: Lang,
) -> None:
    """What lies below the houses: zones, neighbours, rivers, red lines."""
    if zones is not None and len(zones):
        _zones_layer(zones, lang).add_to(page)
    if buildings is not None:
        _add_neighbours(buildings, affected, changed, list(lines.values()), page, lang)
    words = _swatch_html("#2e86c1", line=True) + html_text(say("centrelines", lang))
    _Drawn(words, rivers.geometry, "#2e86c1", weight=2, open=True).add_to(page)
    # the adopted line is the red one, and lies below the dashes of those that it is compared with
    own, *others = SCHEME_STYLES
    ordered = sorted(lines.items(), key=lambda one: one[0] != adopted)
    for k, (name, line) in enumerate(ordered):
        colour, dash = others[(k - 1) % len(others)] if name != adopted else own
        swatch = _swatch_html(colour, line=True, dash=dash)
        if name == adopted:
            words = say("red line {}", lang, name).strip()
        else:
            words = say("compare: red line {}", lang, name)
        weight = 2.2 if name == adopted else 1.8
        _Drawn(swatch + html_text(words), line.geometry, colour, weight=weight, dash=dash,
               show=name == adopted).add_to(page)  # fmt: skip


def _changed_layer(words: str, colour: str, rows: gpd.GeoDataFrame, lang: Lang) -> folium.GeoJson:
    """Buildings that another scheme saves or adds, off until they are asked for."""
    ids = rows.index.astype(str).to_numpy()
    frame = pd.DataFrame(rows.drop(columns="geometry")).assign(building_id=ids, status=words)
    facts = _popup_texts(frame, CHANGED_POPUP, lang)
    layer = gpd.GeoDataFrame(facts, geometry=rows.geometry.to_numpy(), crs=rows.crs)
    name = _swatch_html(colour) + html_text(
        say("compare: {} ({} buildings)", lang, words, f"{len(rows):,}")
    )
    return _styled_layer(
        layer, name, colour, weight=4, fill=0, show=False, popup=list(facts.columns)
    )


def _add_neighbours(
    buildings: gpd.GeoDataFrame,
    affected: gpd.GeoDataFrame,
    changed: list[tuple[str, str, gpd.GeoDataFrame]],
    lines: list[gpd.GeoDataFrame],
    page: folium.Map,
    lang: Lang,
) -> None:
    """Buildings near the line, in grey."""
    require_layer(buildings, "buildings", crs=affected.crs, valid=False)
    edges = np.concatenate([line.geometry.to_numpy() for line in lines])
    whole = shapely.get_parts(shapely.union_all(edges))  # lines of schemes lie on one another
    corners, ring = shapely.get_coordinates(shapely.get_rings(whole), return_index=True)
    follows = ring[1:] == ring[:-1]
    ends = np.stack([corners[:-1][follows], corners[1:][follows]], 1)
    # who stands within a line is drawn already, so the edges are all that is near; few to a node
    # of the tree, or most of those that are measured are far away
    tree = shapely.STRtree(np.asarray(shapely.linestrings(ends)), node_capacity=2)
    drawn = affected.index.union([i for _, _, found in changed for i in found.index])
    around = np.unique(_boxes_around(ends, NEIGHBOURS_M).query(buildings.geometry.to_numpy())[0])
    other = buildings.iloc[around[~buildings.index[around].isin(drawn)]]
    (house, _), far = tree.query_nearest(
        other.geometry.to_numpy(), max_distance=NEIGHBOURS_M, return_distance=True,
        all_matches=False,
    )  # fmt: skip
    rows = other.iloc[np.sort(house[np.argsort(far, kind="stable")[:MOST_NEIGHBOURS]])]
    if len(rows):
        said = say("not affected: {} buildings within {} m of a line", lang, f"{len(rows):,}",
                   f"{NEIGHBOURS_M:g}")  # fmt: skip
        name = _swatch_html("#b0b0a8") + html_text(said)
        _Drawn(name, rows.geometry, "#8d8d85", weight=0.6, fill="#dcdcd6", small=True).add_to(page)


def _boxes_around(ends: Any, within_m: float) -> shapely.STRtree:
    """Index of boxes that hold what comes as near to edges (n, 2, 2), one for some in turn."""
    first = np.arange(0, len(ends), EDGES_TOGETHER)
    low = np.minimum.reduceat(ends.min(axis=1), first) - within_m
    high = np.maximum.reduceat(ends.max(axis=1), first) + within_m
    return shapely.STRtree(np.asarray(shapely.box(*low.T, *high.T)))


def _zones_layer(zones: gpd.GeoDataFrame, lang: Lang) -> folium.GeoJson:
    facts = _popup_texts(zones.reset_index(), ("zone_id", "name", "payer"), lang)
    if "kind" in zones:
        words = {"renewal": "urban renewal", "consolidation": "land consolidation",
                 "other": "another project"}  # fmt: skip
        kinds = [say(words[k], lang) if k in words else str(k) for k in zones["kind"]]
        facts[label("kind", lang=lang, noun="zones")] = list(map(html_text, kinds))
    layer = gpd.GeoDataFrame(facts, geometry=zones.geometry.to_numpy(), crs=zones.crs)
    name = _swatch_html("#d7bde2") + html_text(
        say("renewal and consolidation: {} areas", lang, len(zones))
    )
    return _styled_layer(
        layer, name, "#9b59b6", weight=1.2, fill=0.15, dash="4 3", popup=list(facts.columns)
    )


def _hulls_of_nodes(
    nodes: gpd.GeoDataFrame, affected: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame | None
) -> Any:
    """What is around the houses of each node, without the houses between that stay."""
    own = nodes.geometry.to_numpy()
    hulls = shapely.buffer(shapely.convex_hull(own), HULL_M, quad_segs=3)
    if buildings is None:
        return hulls
    near = np.unique(shapely.STRtree(hulls).query(buildings.geometry.to_numpy())[0])
    rest = buildings.geometry.to_numpy()[near[~buildings.index[near].isin(affected.index)]]
    rest = rest[shapely.is_valid(rest)]
    node, house = shapely.STRtree(rest).query(hulls, predicate="intersects").reshape(2, -1)
    near, of_house = np.unique(house, return_inverse=True)
    stay = shapely.buffer(rest[near], HULL_M / 4, join_style="mitre")
    for k in np.unique(node):
        gone = shapely.disjoint_subset_union_all(stay[of_house[node == k]])
        # houses may lie on one another, and then a node's shape is not a valid one
        houses = shapely.get_parts(own[k])
        cut = shapely.STRtree(houses).query(gone, predicate="intersects")
        left = shapely.union_all([shapely.difference(hulls[k], gone), *houses[cut]])
        if len(nodes) <= MOST_SMOOTHED:
            # slivers between a house that stays and the hull's edge, or another one, say nothing
            wide = shapely.buffer(shapely.buffer(left, -SLIVER_M), SLIVER_M)
            around = shapely.difference(shapely.buffer(shapely.union_all(houses), SLIVER_M), gone)
            left = shapely.union_all([shapely.intersection(wide, left), around, *houses[cut]])
        parts = shapely.get_parts(left)
        # what was cut off holds no house of the node
        holds = shapely.STRtree(parts).query(houses, predicate="intersects")[1]
        hulls[k] = shapely.multipolygons(parts[np.unique(holds)])
    return hulls


def _label_spacing(asked_m: float, long_m: float) -> float:
    """Spacing of chainage labels: no more of them than a browser moves with ease."""
    return next((s for s in (asked_m, *LABEL_STEPS) if long_m / s <= MOST_LABELS and s >= asked_m),
                LABEL_STEPS[-1])  # fmt: skip


def _others_told(classes: pd.Series, area: pd.Series, lang: Lang) -> list[str]:
    """What the affected houses are that nobody here clears, and their floor area; or nothing."""
    counts = classes[classes != "task"].value_counts()
    words = [
        say(
            "{}: {} buildings", lang, code_label("task_class", code, lang=lang), f"{counts[code]:,}"
        )
        for code in TASK_CLASS
        if counts.get(code, 0) > 0
    ]
    if not words:
        return []
    rest = f"{area[classes != 'task'].sum():,.0f}"
    return [say("the other {} m² are no tasks: {}", lang, rest, say(", ", lang).join(words))]


def _sums_html(
    affected: gpd.GeoDataFrame,
    comparison: Comparison | None,
    note: str,
    state: ProgressState | None,
    lang: Lang,
) -> str:
    """Sums above the list: the affected, and what each scheme saves; the day."""
    area = affected.get("demolish_floor_area_m2", pd.Series(np.nan, affected.index)).astype(float)
    unknown = int(area.isna().sum())
    count = f"<b>{html_text(say('{} buildings affected', lang, f'{len(affected):,}'))}</b>"
    if unknown and unknown == len(area):
        said = say("floor area unknown", lang)
    else:
        said = say("{} m² of floor area to demolish", lang, f"{area.sum():,.0f}")
    guess = area[affected.get("floor_area_source", pd.Series("", affected.index)) == "estimated"]
    if guess.sum() > 0:
        told = say("of which {} m² estimated", lang, f"{guess.sum():,.0f}")
        said += f",{told}" if lang == "zh" else f", {told}"
    if 0 < unknown < len(area):
        said += say("(and {})", lang, say("{} buildings unknown", lang, f"{unknown:,}"))
    parts = [f"{count}{',' if lang == 'zh' else ', '}{html_text(said)}"]
    if "task_class" in affected:
        own = affected["task_class"] == "task"
        told = say("of them to clear: {} buildings, {} m² of floor area", lang, f"{own.sum():,}",
                   f"{area[own].sum():,.0f}")  # fmt: skip
        lost = int(area[own].isna().sum())
        if lost:
            told += say("(and {})", lang, say("{} buildings unknown", lang, f"{lost:,}"))
        parts.append(html_text(told))
        parts += [html_text(text) for text in _others_told(affected["task_class"], area, lang)]
    if state is not None:
        parts.insert(0, f"<b>{html_text(say('As of {}.', lang, f'{state.as_of:%Y-%m-%d}'))}</b>")
    if comparison is not None:
        parts += [html_text(s) for s in comparison.summary(lang=lang)]
    if note:
        parts.append(f'<span class="pg-note">{html_text(note)}</span>')
    return "<br>".join(parts)


def _labels_by_zoom(
    points: gpd.GeoDataFrame, rivers: gpd.GeoDataFrame, standing: Sequence[gpd.GeoDataFrame] = ()
) -> list[list[Any]]:
    """Names of rivers, structures, junctions, and chainages: the more, the closer one looks."""
    middles = shapely.line_interpolate_point(rivers.geometry.to_numpy(), 0.5, normalized=True)
    at = gpd.GeoSeries(np.append(points.geometry.to_numpy(), middles), crs=points.crs)
    kinds = [("pg-station", _zoom_of_chainage(c)) for c in points["chainage_m"]]
    kinds += [("pg-river", 0)] * len(rivers)
    texts = [visible_text(text) for text in (*points["label"], *rivers.index)]
    for some in standing:
        at = gpd.GeoSeries([*at, *some["point"]], crs=points.crs)
        kinds += [("pg-station", STRUCTURE_ZOOM)] * len(some)
        texts += [visible_text(text) for text in some["label"]]
    places = shapely.get_coordinates(at.to_crs(4326)).round(DEGREES).tolist()
    return [[y, x, text, *kind] for (x, y), text, kind in zip(places, texts, kinds, strict=True)]


def _zoom_of_chainage(chainage_m: float) -> int:
    """From which zoom on a chainage is written: the rounder it is, the farther away."""
    return next((z for step, z in LABEL_ZOOMS if chainage_m % step < 0.5), 17)


class _Drawn(folium.map.Layer):
    """A layer that the script draws below the houses, with its place in the list of layers."""

    _template = Template("""
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = L.layerGroup();
        ({{ this._parent.get_name() }}.pgDrawn ||= []).push({{ this.get_name() }});
        {% endmacro %}
        """)

    def __init__(
        self,
        name: str,
        shapes: gpd.GeoSeries,
        colour: str,
        *,
        weight: float,
        dash: str = "",
        fill: str = "",
        show: bool = True,
        **how: bool,
    ) -> None:
        super().__init__(name=name, overlay=True, show=show)
        self._name = "Drawn"
        self.data = {"shapes": packed_shapes(shapes), "colour": colour, "weight": weight,
                     "dash": [int(d) for d in dash.split()], "fill": fill, **how}  # fmt: skip


class _SidePanel(MacroElement):
    """The panel beside the map, and the script that draws houses, filters, searches, prints."""

    _template = Template("""
        {% macro header(this, kwargs) %}
        <meta charset="utf-8"><title>{{ this.title }}</title>
        <meta name="viewport" content="width=device-width,initial-scale=1">
        <style>{{ this.look }}</style>
        {% endmacro %}
        {% macro html(this, kwargs) %}
        {{ this.panel }}
        <!--pg-data-->
        {% endmacro %}
        {% macro script(this, kwargs) %}
        {{ this.code }}({{ this._parent.get_name() }});
        {% endmacro %}
        """)

    def __init__(
        self, title: str, said: str, data: dict[str, Any], card: list[list[Any]], lang: Lang
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Furniture"
        self.title = html_text(title, isolated=False)
        # data, which a browser reads far faster than a script that says the same
        known = script_value({**data, "seen_zoom": SEEN_ZOOM})
        self.data = f'<script type="application/json" id="pg-data">{known}</script>\n' + "\n".join(
            f'<script type="application/json" class="pg-card">{script_value(column)}</script>'
            for column in card
        )
        pages = files("pinghu_geo") / "deliver" / "pages"
        self.look = (pages / "map.css").read_text("utf-8")
        self.code = (pages / "map.js").read_text("utf-8").rstrip()
        hint = html_text(say("search: node, id, owner, K3+400", lang), isolated=False)
        time = ""
        if data["last"] > 0:
            time = (f'<h2>{html_text(say("as of the day", lang))}</h2><div class="pg-time">'
                    f'<button aria-label="{html_text(say("play", lang))}">▶</button>'
                    f'<input type="range" min="0" aria-label="{html_text(say("day", lang))}">'
                    "<span></span></div>")  # fmt: skip
        nodes = html_text(say("classes and nodes", lang))
        rings = html_text(say("Rings: houses by class; with a red rim: a node that is late", lang))
        told = any(one["signal"] for one in data["nodes"])  # whether any is late is known
        rings = rings if told else html_text(say("Rings: houses by class", lang))
        if any(one["code"] == TODO for one in data["classes"]):
            counted = say(
                "Each house counts by itself; on the board a node counts whole, where its last "
                "house stands",
                lang,
            )
            rings += f"<br>{html_text(counted)}"
        self.panel = (
            f'<div class="pg-panel"><div class="pg-head"><h1>{html_text(title)}</h1>'
            f'<div class="pg-search"><input type="search" placeholder="{hint}" aria-label="{hint}">'
            '<div class="pg-found" hidden></div></div></div>'
            f'<div class="pg-sheet"><button class="pg-handle">{nodes} <i>▲</i></button>'
            f'<div class="pg-body"><div class="pg-said">{said}</div>{time}'
            f'<h2>{html_text(say("class", lang))}</h2><div class="pg-legend"></div>'
            f'<div class="pg-ring">{rings}</div><div class="pg-drawn"></div>'
            f'<h2 class="pg-filters-head">{html_text(say("show only", lang))}</h2>'
            '<div class="pg-filters"></div><div class="pg-houses"></div>'
            '<h2 class="pg-nodes-head"></h2><div class="pg-nodes"></div></div></div></div>'
        )  # fmt: skip


# --- offline ----------------------------------------------------------------------------------


class _OfflineMap(folium.Map):
    """A folium map whose page carries all scripts and styles in itself."""

    ground = ""  # the picture below all, as text

    def page(self) -> str:
        """The whole page as text; the same map gives the same text."""
        text = self.get_root().render()
        text = re.sub(r'<script src="([^"]+)"></script>', _inline_script, text)
        text = re.sub(r'<link rel="stylesheet" href="([^"]+)"\s*/?>', _inline_style, text)
        text = _renumber_elements(text, self.get_root())
        for one in self._children.values():  # what is large comes last, and is looked through once
            if isinstance(one, _SidePanel):
                text = text.replace("<!--pg-data-->", one.data, 1)
        return text

    def save(  # type: ignore[override]
        self, outfile: str | Path, *, ground_beside: bool = False, **_: Any
    ) -> None:
        """Write the page, whole or not at all; into a file only.

        ``ground_beside`` puts the ground picture into a file of its own beside the page. It is
        named by what it shows and written first, so that no page has another page's picture.
        """
        target, text = Path(outfile), self.page()
        if ground_beside and self.ground:
            picture = base64.b64decode(self.ground.partition(",")[2])
            name = f"{target.stem}-{hashlib.sha256(picture).hexdigest()[:8]}.jpg"
            with atomic_path(target.with_name(name)) as temporary:
                temporary.write_bytes(picture)
            text = text.replace(self.ground, quote(name))
        with atomic_path(target, room=ROOM) as temporary:
            temporary.write_text(text, "utf-8")

    def _repr_html_(self, **_: Any) -> str:
        page = html.escape(self.page())
        return f'<iframe srcdoc="{page}" style="width:100%;height:620px;border:none"></iframe>'


def _renumber_elements(text: str, root: Any) -> str:
    """The page with its elements numbered, so that the same map gives the same text.

    Only names that the page's own elements have: an id of a house may look like one.
    """
    elements, own = [root], set()
    while elements:
        one = elements.pop()
        own.add(one._id)
        elements += one._children.values()
        elements += [
            part for name in ("header", "html", "script") if (part := getattr(one, name, 0))
        ]
    names: dict[str, str] = {}

    def numbered(found: re.Match[str]) -> str:
        return names.setdefault(found[0], f"{len(names):032x}") if found[0] in own else found[0]

    return re.sub(r"[0-9a-f]{32}", numbered, text)


def _offline_resource(url: str) -> str:
    from offlinefolium.elements import _res

    if url not in _res:
        raise OutputError(
            f"no offline copy of {url}", hint="keep folium and folium-offline at one version"
        )
    return str(_res[url])


def _inline_script(match: re.Match[str]) -> str:
    if UNUSED.search(match[1]):
        return ""
    return f"<script>{_offline_resource(match[1])}</script>"


def _inline_style(match: re.Match[str]) -> str:
    if UNUSED.search(match[1]):
        return ""
    # pictures that aren't in the style sheet itself would be asked for from the network
    css = re.sub(r"url\((?!\s*['\"]?data:)[^)]*\)", "none", _offline_resource(match[1]))
    return f"<style>{css}</style>"
