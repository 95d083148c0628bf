"""How does QGIS show our layers? Styles, labels, aliases and words of codes, and a project."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import geopandas as gpd
import pandas as pd
import shapely
from geopandas.array import GeometryDtype

from pinghu_geo.campaign.stages import TODO, stage_rules
from pinghu_geo.deliver.standing import JUNCTION_COLOUR, STRUCTURE_COLOUR
from pinghu_geo.deliver.styles import CLASS_LOOKS, MAP_LOOKS
from pinghu_geo.intake.writing import database_frame, with_one_shape
from pinghu_geo.nouns.door import with_ids_as_column, with_shapes
from pinghu_geo.nouns.files import require_suffix
from pinghu_geo.nouns.inert import database_name, visible_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.replacing import atomic_path
from pinghu_geo.nouns.schema import NOUNS, Lang, code_label, label

__all__ = ["StoredLayers", "as_stored", "layer_styles", "style_of", "write_qgis_project"]

# Version of the files' format: those of QGIS 3.22 are read by all later ones.
VERSION = "3.22.16"
CREATED = "2000-01-01T00:00:00Z"
GEOMETRY = "geom"
# Of a layer, what its colours tell apart; the first that is known of it.
TOLD_BY = {
    "affected": ("task_class", "verdict", "extent"), "progress": ("last_stage",),
    "nodes": ("status",), "changes": ("change",), "zones": ("kind",),
}  # fmt: skip
# What a house that is a task has reached; else what it is instead.
BY_STAGE = (
    f"CASE WHEN \"task_class\" = 'task' THEN 'task:' || coalesce(\"stage\", '{TODO}') "
    'ELSE "task_class" END'
)
LABELLED = {
    "affected": "building_id", "nodes": "node_id", "rivers": "river", "stations": "label",
    "parcels": "parcel_id", "zones": "zone_id", "progress": "building_id",
    "sections": "chainage_m", "structures": "label", "junctions": "label",
}  # fmt: skip
# Labels of houses are seen from here on [1 : so many].
CLOSE = {
    "affected": 5000,
    "parcels": 5000,
    "progress": 5000,
    "sections": 10000,
    "stations": 20000,
    "structures": 20000,
    "junctions": 20000,
}
FILLS = {k: v.fill for k, v in MAP_LOOKS.items()} | {k: v.fill for k, v in CLASS_LOOKS.items()}
FILLS |= {"task": "#f0a030", "saved": "#8cc0b0", "added": "#c0392b", "less": "#b9dcf7",
          "more": "#e67e22", "demolish": "#c0392b"}  # fmt: skip
OTHER_FILLS = ("#7fb069", "#c38d9e", "#41b3a3", "#e8a87c", "#85cdca", "#d27d2d")
# Switched off at first: what lies on that which is looked at.
HIDDEN = ("station_ticks", "sections", "parcels", "changes")
# Layers that are no nouns.
LAYER_WORDS = {"station_ticks": "ticks of the chainages", "inundation": "flooded area"}
SINGLE = {
    "buildings": "#e0e0e0", "rivers": "#1f6fb4", "stations": "#333333", "station_ticks": "#333333",
    "inundation": "#9ecae1", "parcels": "#fff7d6", "sections": "#6a51a3",
    "structures": STRUCTURE_COLOUR, "junctions": JUNCTION_COLOUR,
}  # fmt: skip
LINE = "#d00000"
# From the top of the map down.
ORDER = (
    "stations", "station_ticks", "progress", "nodes", "structures", "junctions", "red_line",
    "rivers", "sections", "changes", "affected", "parcels", "zones", "inundation", "buildings",
)  # fmt: skip
SHAPES = {
    "Polygon": ("Polygon", "fill"),
    "LineString": ("Line", "line"),
    "Point": ("Point", "marker"),
}


# QGIS names an address of its grammar here, which a parser might ask for
DOCTYPE = "<!DOCTYPE qgis>\n"
# Columns of whole numbers.
WHOLE = {c.name for n in NOUNS.values() for c in n.columns if c.dtype == "int"}


def as_stored(layer: pd.DataFrame, name: str) -> pd.DataFrame:
    """A layer as a GeoPackage holds it: ids as a column, counts as whole numbers."""
    kinds = getattr(layer, "dtypes", [None])
    if not isinstance(layer, pd.DataFrame) or any(isinstance(k, GeometryDtype) for k in kinds):
        layer = with_one_shape(with_shapes(layer, name), name, ".gpkg")
    elif isinstance(layer, gpd.GeoDataFrame):  # whose shapes were taken away
        layer = pd.DataFrame(layer)
    flat = with_ids_as_column(layer)
    counts = {}
    for column in flat.columns:
        if column in WHOLE and pd.api.types.is_float_dtype(flat[column]):
            known = flat[column].dropna()
            if ((known == known.round()) & (known.abs() < 2**53)).all():
                counts[column] = flat[column].astype("Int64")
    flat = flat.assign(**counts) if counts else flat
    stored: pd.DataFrame = database_frame(flat)
    return stored


class StoredLayers(dict[str, pd.DataFrame]):
    """Layers as a GeoPackage holds them, so that a file and a project of it are made of one."""

    @classmethod
    def of(cls, layers: Mapping[str, pd.DataFrame]) -> StoredLayers:
        """Layers as they are stored, those without rows left out."""
        if isinstance(layers, cls):
            return layers
        return cls({name: as_stored(one, name) for name, one in layers.items() if len(one)})


def kind_of_layer(name: str) -> str:
    """What a layer's style goes by: red lines of all schemes look alike."""
    return "red_line" if name.startswith("red_line") else name


def style_of(
    name: str,
    layer: pd.DataFrame,
    *,
    codes: Mapping[str, Mapping[str, str]] | None = None,
    fixed: Sequence[str] = (),
    lang: Lang = "zh",
) -> Element:
    """Style of a layer as QGIS writes it: symbols, labels, aliases, words for codes.

    Parameters
    ----------
    name, layer
        The layer.
    codes
        Words by code of columns that are no nouns' or whose words are the project's.
    fixed
        Columns that are not to be edited.
    lang
        Language of aliases and words.
    """
    root = Element("qgis", version=VERSION, styleCategories="AllStyleCategories", labelsEnabled="0")
    kind = kind_of_layer(name)
    fields = [str(c) for c in layer.columns if c != getattr(layer, "_geometry_column_name", None)]
    words = {c: _words_by_code(kind, c, layer[c], (codes or {}).get(c), lang) for c in fields}
    if isinstance(layer, gpd.GeoDataFrame):
        _add_renderer(root, kind, layer, words, lang)
        _add_labels(root, kind, fields)
    _add_fields_of_form(root, kind, fields, words, fixed, lang)
    return root


def _words_by_code(
    kind: str, column: str, values: pd.Series, given: Mapping[str, str] | None, lang: Lang
) -> dict[str, str]:
    """Word by code of a column; none where it holds no codes."""
    if given is not None:
        return dict(given)
    own = [c for c in NOUNS[kind].columns if c.name == column] if kind in NOUNS else []
    same = own or [c for n in NOUNS.values() for c in n.columns if c.name == column]
    codes = {
        code: c.codes[code][0] if lang == "zh" else code_label(column, code, lang=lang)
        for c in same if c.dtype == "code" for code in c.codes
    }  # fmt: skip
    if not codes:
        return {}
    there = {str(v) for v in values.dropna().unique()}
    return codes | {v: v for v in sorted(there - set(codes))}


def _add_renderer(
    root: Element,
    kind: str,
    layer: gpd.GeoDataFrame,
    words: Mapping[str, dict[str, str]],
    lang: Lang,
) -> None:
    """One symbol, or one a code."""
    shape = _kind_of_shapes(layer)
    by = next((c for c in TOLD_BY.get(kind, ()) if c in layer and layer[c].notna().any()), None)
    if by is None:
        renderer = SubElement(root, "renderer-v2", type="singleSymbol", forceraster="0",
                              symbollevels="0", enableorderby="0")  # fmt: skip
        fill = LINE if kind == "red_line" else SINGLE.get(kind, "#bdbdbd")
        _add_symbol(SubElement(renderer, "symbols"), 0, shape, fill, kind)
        return
    attr, told = str(by), [(c, word, FILLS.get(c, "")) for c, word in words[by].items()]
    if by == "task_class" and "stage" in layer and layer["stage"].notna().any():
        attr, told = BY_STAGE, _stages_and_classes(words, lang)
    renderer = SubElement(root, "renderer-v2", type="categorizedSymbol", attr=attr, forceraster="0",
                          symbollevels="0", enableorderby="0")  # fmt: skip
    categories, symbols = SubElement(renderer, "categories"), SubElement(renderer, "symbols")
    for k, (code, word, fill) in enumerate(told):
        SubElement(categories, "category", value=visible_text(code), symbol=str(k), render="true",
                   label=visible_text(word))  # fmt: skip
        _add_symbol(symbols, k, shape, fill or OTHER_FILLS[k % len(OTHER_FILLS)], kind)


def _stages_and_classes(
    words: Mapping[str, dict[str, str]], lang: Lang
) -> list[tuple[str, str, str]]:
    """Of houses: what is a task by its stage, in the colour of its class, the rest by class."""
    classes = stage_rules()["shown_as"].to_dict()
    told = [
        (f"task:{TODO}", code_label("stage", TODO, lang=lang), FILLS[TODO])]  # fmt: skip
    for code, word in words["stage"].items():
        if code != TODO:
            told.append((f"task:{code}", word, FILLS.get(classes.get(code, ""), "")))
    return told + [(c, w, FILLS.get(c, "")) for c, w in words["task_class"].items() if c != "task"]


def _kind_of_shapes(layer: gpd.GeoDataFrame) -> str:
    shapes = layer.geometry.to_numpy()
    known = shapes[~shapely.is_missing(shapes)]
    first = str(known[0].geom_type) if len(known) else "Polygon"
    return first.removeprefix("Multi")


def _rgba_text(colour: str, alpha: int = 255) -> str:
    return ",".join(str(int(colour[k : k + 2], 16)) for k in (1, 3, 5)) + f",{alpha}"


def _add_symbol(symbols: Element, number: int, shape: str, fill: str, kind: str) -> None:
    """A symbol of one plain layer."""
    word = SHAPES[shape][1]
    symbol = SubElement(symbols, "symbol", type=word, name=str(number), alpha="1",
                        clip_to_extent="1", force_rhr="0")  # fmt: skip
    empty = kind in ("red_line", "zones")
    edge, wide = (fill, "0.6") if empty else ("#404040", "0.4" if kind == "nodes" else "0.15")
    alpha = 30 if empty else 150 if kind == "nodes" else 220
    if shape == "Polygon":
        made = "SimpleFill"
        said = {"color": _rgba_text(fill, alpha), "style": "solid",
                "outline_color": _rgba_text(edge), "outline_style": "solid",
                "outline_width": wide, "outline_width_unit": "MM"}  # fmt: skip
    elif shape == "LineString":
        made = "SimpleLine"
        said = {"line_color": _rgba_text(fill), "line_style": "solid", "line_width": "0.5",
                "line_width_unit": "MM"}  # fmt: skip
    else:
        made = "SimpleMarker"
        said = {"name": "circle", "color": _rgba_text(fill), "outline_color": _rgba_text("#ffffff"),
                "size": "1.6", "size_unit": "MM"}  # fmt: skip
    layer = SubElement(symbol, "layer", {"class": made, "enabled": "1", "locked": "0", "pass": "0"})
    for key, value in said.items():
        SubElement(layer, "prop", k=key, v=value)


def _add_labels(root: Element, kind: str, fields: Sequence[str]) -> None:
    """Labels with a white edge, so that they read on any ground."""
    by = LABELLED.get(kind)
    if by is None or by not in fields:
        return
    root.set("labelsEnabled", "1")
    settings = SubElement(SubElement(root, "labeling", type="simple"), "settings",
                          calloutType="simple")  # fmt: skip
    style = SubElement(settings, "text-style", fieldName=by, isExpression="0", fontSize="9",
                       fontSizeUnit="Point", textColor="17,17,17,255", fontFamily="Microsoft YaHei",
                       textOpacity="1")  # fmt: skip
    SubElement(style, "text-buffer", bufferDraw="1", bufferSize="0.8", bufferSizeUnits="MM",
               bufferColor="255,255,255,255")  # fmt: skip
    SubElement(settings, "placement", placement="1" if kind != "rivers" else "2")
    close = CLOSE.get(kind)
    SubElement(settings, "rendering", drawLabels="1", obstacle="1", scaleMin="1",
               scaleVisibility="1" if close else "0", scaleMax=str(close or 0))  # fmt: skip


def _add_fields_of_form(
    root: Element,
    kind: str,
    fields: Sequence[str],
    words: Mapping[str, dict[str, str]],
    fixed: Sequence[str],
    lang: Lang,
) -> None:
    """Alias of each field, and a list of words where it holds codes."""
    forms = SubElement(root, "fieldConfiguration")
    for name in fields:
        column = database_name(name)
        field = SubElement(forms, "field", name=column, configurationFlags="None")
        edit = SubElement(field, "editWidget")
        config = SubElement(edit, "config")
        edit.set("type", "ValueMap" if words[name] else _edit_widget(name))
        if words[name]:
            outer = SubElement(config, "Option", type="Map")
            listed = SubElement(outer, "Option", type="List", name="map")
            for code, word in words[name].items():
                one = SubElement(listed, "Option", type="Map")
                SubElement(one, "Option", type="QString", name=visible_text(word),
                           value=visible_text(code))  # fmt: skip
        elif _edit_widget(name) == "DateTime":
            outer = SubElement(config, "Option", type="Map")
            for key, value in {
                "display_format": "yyyy-MM-dd",
                "field_format": "yyyy-MM-dd",
            }.items():
                SubElement(outer, "Option", type="QString", name=key, value=value)
            for key in ("allow_null", "calendar_popup"):
                SubElement(outer, "Option", type="bool", name=key, value="true")
        elif _edit_widget(name) == "ExternalResource":
            outer = SubElement(config, "Option", type="Map")
            for key, value in {
                "DocumentViewer": "1",
                "RelativeStorage": "1",
                "StorageMode": "0",
            }.items():
                SubElement(outer, "Option", type="int", name=key, value=value)
    aliases = SubElement(root, "aliases")
    editable = SubElement(root, "editable")
    for k, name in enumerate(fields):
        column = database_name(name)
        word = label(name, lang=lang, noun=kind)
        SubElement(aliases, "alias", index=str(k), field=column, name=word)
        SubElement(editable, "field", name=column, editable="0" if name in fixed else "1")


def _edit_widget(column: str) -> str:
    dtype = next((c.dtype for n in NOUNS.values() for c in n.columns if c.name == column), "")
    if column == "photo":
        return "ExternalResource"
    return "DateTime" if dtype == "date" else "TextEdit"


def layer_styles(styles: Mapping[str, Element], layers: Mapping[str, Any]) -> pd.DataFrame:
    """The table ``layer_styles`` that QGIS looks up when a layer is opened."""
    rows = [
        {
            "f_table_catalog": "", "f_table_schema": "", "f_table_name": database_name(name),
            "f_geometry_column": GEOMETRY if isinstance(layers[name], gpd.GeoDataFrame) else "",
            "styleName": "pinghu", "styleQML": _text_of_document(style), "styleSLD": "",
            "useAsDefault": True,
            "description": "", "owner": "", "ui": "",
            "update_time": pd.Timestamp(CREATED).tz_localize(None),
        }
        for name, style in styles.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _text_of_document(root: Element) -> str:
    return DOCTYPE + ElementTree.tostring(root, encoding="unicode")


def write_qgis_project(
    layers: Mapping[str, pd.DataFrame],
    database: str | Path,
    target: str | Path,
    *,
    codes: Mapping[str, Mapping[str, str]] | None = None,
    fixed: Sequence[str] = (),
    adopted: str | None = None,
    title: str = "",
    lang: Lang = "zh",
) -> None:
    """Write a project that opens a GeoPackage beside it, with styles, labels, words QGIS工程.

    Parameters
    ----------
    layers
        As they were given to `write_results`.
    database
        That file; the project names it, and is to lie beside it.
    target
        ``.qgz``; an existing file is replaced, whole or not at all.
    codes
        Words by code of columns, beyond those of the nouns.
    fixed
        Columns that are not to be edited.
    adopted
        Scheme whose red line is shown; by default the first.
    title
        Name of the project.
    lang
        Language of aliases and words.

    Raises
    ------
    OutputError
        The target is no .qgz, or can't be written.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> pg.deliver.write_results({"rivers": rivers}, folder / "results.gpkg")
    >>> pg.deliver.write_qgis_project(
    ...     {"rivers": rivers}, folder / "results.gpkg", folder / "results.qgz")
    """
    require_suffix(Path(target), ".qgz")
    layers = StoredLayers.of(layers)
    styles = {name: style_of(name, layer, codes=codes, fixed=fixed, lang=lang)
              for name, layer in layers.items()}  # fmt: skip
    root = Element("qgis", version=VERSION, projectname=visible_text(title))
    SubElement(root, "title").text = visible_text(title)
    spatial = {n: v for n, v in layers.items() if n in styles}
    names = sorted(spatial, key=lambda n: _rank_of_layer(n, spatial[n]))
    crs = next((v.crs for v in spatial.values() if isinstance(v, gpd.GeoDataFrame)), None)
    if crs is not None:
        _add_crs(SubElement(root, "projectCrs"), crs)
    tree = SubElement(root, "layer-tree-group")
    line = next((n for n in names if n == f"red_line_{adopted}"), _first_red_line(names))
    for name in names:
        shown = name not in HIDDEN and (kind_of_layer(name) != "red_line" or name == line)
        SubElement(tree, "layer-tree-layer", id=_id_of_layer(names, name),
                   name=visible_text(_word_for_layer(name, lang)),
                   checked="Qt::Checked" if shown else "Qt::Unchecked", expanded="0",
                   providerKey="ogr", source=_source_of_layer(database, name))  # fmt: skip
    canvas = SubElement(root, "mapcanvas", name="theMapCanvas")
    SubElement(canvas, "units").text = "meters"
    _add_extent(canvas, [v for v in spatial.values() if isinstance(v, gpd.GeoDataFrame)])
    if crs is not None:
        _add_crs(SubElement(canvas, "destinationsrs"), crs)
    made = SubElement(root, "projectlayers")
    for name in names:
        layer = spatial[name]
        is_map = isinstance(layer, gpd.GeoDataFrame)
        shape = (
            SHAPES[_kind_of_shapes(layer)][0]
            if isinstance(layer, gpd.GeoDataFrame)
            else "No geometry"
        )
        one = SubElement(made, "maplayer", type="vector", geometry=shape,
                         labelsEnabled=styles[name].get("labelsEnabled", "0"))  # fmt: skip
        SubElement(one, "id").text = _id_of_layer(names, name)
        SubElement(one, "datasource").text = _source_of_layer(database, name)
        SubElement(one, "layername").text = visible_text(_word_for_layer(name, lang))
        if is_map:
            _add_crs(SubElement(one, "srs"), layer.crs)
        SubElement(one, "provider", encoding="UTF-8").text = "ogr"
        one.extend(styles[name])
    order = SubElement(root, "properties")
    # without it QGIS reads no projectCrs, takes metres for degrees, and hides labels of houses
    system = SubElement(order, "SpatialRefSys")
    SubElement(system, "ProjectionsEnabled", type="int").text = "1"
    paths = SubElement(order, "Paths")
    SubElement(paths, "Absolute", type="bool").text = "false"
    text = _text_of_document(root)
    path = Path(target)
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as book:
        # a fixed date: the same input gives the same bytes
        entry = zipfile.ZipInfo(f"{path.stem}.qgs", (2000, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        book.writestr(entry, text)


def _first_red_line(names: Sequence[str]) -> str:
    return next((n for n in names if kind_of_layer(n) == "red_line"), "")


def _word_for_layer(name: str, lang: Lang) -> str:
    """What a layer is called in the list of layers."""
    kind = kind_of_layer(name)
    if lang == "en" or (kind not in NOUNS and kind not in LAYER_WORDS):
        return name
    word = say(LAYER_WORDS[kind], lang) if kind in LAYER_WORDS else NOUNS[kind].zh
    return f"{word} {name.removeprefix('red_line_')}" if name.startswith("red_line_") else word


def _rank_of_layer(name: str, layer: Any) -> tuple[int, str]:
    """Place of a layer from the top; tables without shapes come last."""
    kind = kind_of_layer(name)
    at = ORDER.index(kind) if kind in ORDER else len(ORDER)
    return (at if isinstance(layer, gpd.GeoDataFrame) else len(ORDER) + 1, "")


def _id_of_layer(names: Sequence[str], name: str) -> str:
    # QGIS takes no id of ten letters or fewer, and gives the layer one that its tree doesn't know
    return f"pinghu_geo_layer_{names.index(name):03d}"


def _source_of_layer(database: str | Path, name: str) -> str:
    return f"./{Path(database).name}|layername={database_name(name)}"


def _add_crs(element: Element, crs: Any) -> None:
    system = SubElement(element, "spatialrefsys")
    SubElement(system, "wkt").text = crs.to_wkt()
    authority = crs.to_authority()
    if authority is not None:
        SubElement(system, "authid").text = ":".join(authority)


def _add_extent(canvas: Element, layers: Sequence[gpd.GeoDataFrame]) -> None:
    bounds = [v.total_bounds for v in layers if len(v)]
    if not bounds:
        return
    extent = SubElement(canvas, "extent")
    low = [min(b[k] for b in bounds) for k in (0, 1)]
    high = [max(b[k] for b in bounds) for k in (2, 3)]
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), (*low, *high), strict=True):
        SubElement(extent, name).text = repr(float(value))
