"""What does the drawing say, and what does the draughtsman get back? Layers from and to DXF."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from pinghu_geo.intake.bounds import require_bounded_drawing
from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.drivers import drawing_for_one_driver
from pinghu_geo.intake.encoding import text_encoding
from pinghu_geo.intake.gdal import gdal_options
from pinghu_geo.intake.labels import with_labels
from pinghu_geo.nouns.door import with_shapes
from pinghu_geo.nouns.errors import LayerError, OutputError
from pinghu_geo.nouns.files import require_suffix
from pinghu_geo.nouns.inert import drawing_name, drawing_text
from pinghu_geo.nouns.replacing import atomic_path, require_place, scratch_folder
from pinghu_geo.nouns.schema import NOUNS, nearest, numbers, require_layer

__all__ = ["drawing_layers", "ARC_STEP_DEG", "read_dxf", "write_dxf"]

# Arcs become chords of so many degrees: within 1 cm of the arc for radii up to 1 km.
ARC_STEP_DEG = 0.5
# $INSUNITS of a drawing's header: what is neither unitless (0) nor metres (6).
DRAWING_UNITS = {1: "inch", 2: "foot", 4: "mm", 5: "cm", 7: "km", 14: "dm"}
# group codes of flags, which the format keeps in 16 bits
FLAGS = re.compile(rb"[+-]?\d{1,5}")
# what GDAL tells of an entity besides layer and text
ENTITY_COLUMNS = ["PaperSpace", "SubClasses", "Linetype", "EntityHandle"]

# An outline open by less [m] is closed: a survey's centimetre.
CLOSED_M = 0.01
# AutoCAD Color Index of the layers in turn: red, blue, green, magenta, cyan, yellow.
COLOURS = (1, 5, 3, 6, 4, 2)


def read_dxf(
    path: Path, layer: str | None, encoding: str | None, what: str, seen: Findings
) -> gpd.GeoDataFrame:
    """Entities of one CAD layer; where the noun has polygons, areas from whatever encloses one.

    Closed polylines, circles, hatches and what is in blocks; open polylines that meet end to end;
    the two bank lines of a reach, each of which is the other's nearest. Texts within houses say
    their structure and floors.
    """
    raw = path.read_bytes()
    if raw.startswith(b"AutoCAD Binary DXF"):
        raise LayerError(
            f"{path.name} is a binary DXF",
            layer=what,
            hint="save it as ASCII DXF",
            fault="unreadable",
        )
    require_bounded_drawing(raw, path.name, what)
    raw = _without_hidden_in_blocks(raw, layer, seen)
    frame = _read_entities(path, raw, encoding, what)
    unit = re.search(rb"\$INSUNITS\s+70\s+(\d+)", raw)
    if unit and int(unit[1]) in DRAWING_UNITS:
        seen.add("drawing_unit", unit=DRAWING_UNITS[int(unit[1])])
    frame = _shown_entities(frame, raw, layer, seen)
    names = sorted(frame["Layer"].dropna().unique())
    if layer is None and len(names) > 1:
        raise LayerError(
            f"{path.name} has {len(names)} CAD layers: {', '.join(names)}",
            layer=what,
            hint=f"pg.read_layer(..., layer={names[0]!r})",
        )
    if layer is not None:
        if layer not in names:
            raise LayerError(
                f"{path.name} has no CAD layer {layer!r}", layer=what, hint=nearest(layer, names)
            )
        frame = frame[frame["Layer"] == layer].reset_index(drop=True)
    if "Polygon" in NOUNS[what].geometry:
        frame = _with_lines_as_areas(frame, what, seen)
    if what == "buildings" and "Text" in frame.columns:
        frame = with_labels(frame, seen)
    return frame.drop(columns=ENTITY_COLUMNS, errors="ignore")


def drawing_layers(path: Path) -> list[tuple[str, str, int]]:
    """CAD layers that a drawing shows: name, the geometry of most entities, how many there are."""
    seen = Findings("drawing")
    raw = _without_hidden_in_blocks(path.read_bytes(), None, seen)
    frame = _shown_entities(_read_entities(path, raw, None, "drawing"), raw, None, seen)
    found = []
    for name, rows in frame.groupby("Layer", sort=True):
        kinds = rows.geom_type.value_counts()
        found.append((str(name), str(kinds.index[0]) if len(kinds) else "", len(rows)))
    return found


def _read_entities(path: Path, raw: bytes, encoding: str | None, what: str) -> gpd.GeoDataFrame:
    """All entities of a drawing, with the names of their layers decoded."""
    found = encoding or _encoding_of_texts(raw, path.name)
    options = {"DXF_ENCODING": found, "OGR_ARC_STEPSIZE": ARC_STEP_DEG}
    with gdal_options(**options), scratch_folder(path.name) as folder:
        copy = folder / path.name
        copy.write_bytes(drawing_for_one_driver(raw, path.name, what))
        frame = pyogrio.read_dataframe(copy, CLOSED_LINE_AS_POLYGON="YES", on_invalid="ignore")
    for column in frame.columns.intersection(["Layer", "Text"]):
        frame[column] = frame[column].map(_unescaped_text, na_action="ignore")
    return frame


def _shown_entities(
    frame: gpd.GeoDataFrame, raw: bytes, layer: str | None, seen: Findings
) -> gpd.GeoDataFrame:
    """What a drawing shows in its model: no frames of sheets, nothing invisible or frozen.

    A layer that is asked for by name is read even where it is frozen or switched off.
    """
    paper = frame["PaperSpace"].fillna(0).astype(int).to_numpy() != 0
    lines = [line.strip() for line in raw.split(b"\n")]
    handles, hidden = _hidden_handles_and_layers(lines)
    names = {_unescaped_text(_decoded_name(name, raw)) for name in hidden} - {layer}
    off = frame["EntityHandle"].isin(handles).to_numpy() & ~paper
    frozen = frame["Layer"].isin(names).to_numpy() & ~paper
    if off.any():
        ids = frame["EntityHandle"][off]
        seen.add("hidden_entities", [f"handle {h}" for h in ids], why="invisible")
    if frozen.any():
        where = frame["Layer"][frozen & ~off]
        n = where.value_counts()
        seen.add("hidden_entities", [f"layer {name}" for name in n.index],
                 why=[f"on a layer that is frozen or off, {k} in all" for k in n])  # fmt: skip
    shown: gpd.GeoDataFrame = frame[~(paper | off | frozen)].reset_index(drop=True)
    return shown


def _hidden_handles_and_layers(lines: list[bytes]) -> tuple[set[str], list[bytes]]:
    """Handles of invisible entities, and layers that are frozen or switched off."""
    codes, values = lines[0::2], [*lines[1::2], b""]  # the last may have been cut off
    begins = [k for k, code in enumerate(codes) if code == b"0"]
    handles: set[str] = set()
    layers: list[bytes] = []
    for first, last in pairwise([*begins, len(codes)]):
        is_layer = values[first] == b"LAYER"
        said = codes[first:last]
        if not is_layer and b"60" not in said:
            continue
        own = dict(
            zip(reversed(said), reversed(values[first:last]), strict=False)
        )  # the first wins
        flags = own.get(b"70", b"0")
        frozen = FLAGS.fullmatch(flags) and int(flags) & 1
        if is_layer and (frozen or own.get(b"62", b"7").startswith(b"-")):
            layers.append(own.get(b"2", b""))
        elif not is_layer and own.get(b"60") == b"1":
            handles.add(own.get(b"5", b"").decode("ascii", "replace"))
    return handles, layers


def _without_hidden_in_blocks(raw: bytes, layer: str | None, seen: Findings) -> bytes:
    """A drawing whose blocks hold only what is shown: GDAL draws all that is in a block."""
    begin, end = _section_range(raw, b"BLOCKS")
    if begin == end:
        return raw
    lines = raw[begin : end - 1].split(b"\n")
    codes = [c.strip() for c in lines[0::2]]
    values = [v.strip() for v in lines[1::2]]
    hidden = {
        name
        for name in _hidden_handles_and_layers([line.strip() for line in raw.split(b"\n")])[1]
        if _unescaped_text(_decoded_name(name, raw)) != layer
    }
    starts = [k for k, code in enumerate(codes) if code == b"0"]
    kept, left_out, block, dropping = [], [], b"", False
    for first, last in pairwise([0, *starts, len(codes)]):
        own = dict(zip(reversed(codes[first:last]), reversed(values[first:last]), strict=False))
        kind = own.get(b"0", b"")
        if kind == b"BLOCK":
            block = own.get(b"2", b"")
        if kind not in (b"VERTEX", b"SEQEND", b"ATTRIB"):  # these go with what they belong to
            dropping = kind not in (b"", b"BLOCK", b"ENDBLK", b"ENDSEC", b"SECTION") and (
                own.get(b"60") == b"1" or own.get(b"8") in hidden
            )
            if dropping:
                left_out.append(_unescaped_text(_decoded_name(block, raw)))
        if not dropping:
            kept += lines[2 * first : 2 * last]
    if not left_out:
        return raw
    n = Counter(left_out)
    seen.add(
        "hidden_entities",
        [f"block {name}" for name in n],
        why=[f"invisible, or on a layer that is frozen or off, {k} in all" for k in n.values()],
    )
    return raw[:begin] + b"\n".join([*kept, b""]) + raw[end:]


def _section_range(raw: bytes, name: bytes) -> tuple[int, int]:
    """Where the groups of a section of a drawing begin and end."""
    group = rb"[ \t]*0[ \t]*\r?\n[ \t]*SECTION[ \t]*\r?\n[ \t]*2[ \t]*\r?\n[ \t]*%s[ \t]*\r?\n"
    found = re.search(rb"(?:^|\n)" + group % name, raw)
    if found is None:
        return 0, 0
    end = re.compile(rb"\n[ \t]*0[ \t]*\r?\n[ \t]*ENDSEC").search(raw, found.end() - 1)
    return found.end(), len(raw) if end is None else end.start() + 1


def _decoded_name(name: bytes, raw: bytes) -> str:
    return name.decode(_encoding_of_texts(raw, "drawing"), "replace")


def _encoding_of_texts(raw: bytes, name: str) -> str:
    """Encoding of a drawing's texts, by their bytes; where few could be both, by its header.

    The header's code page alone is often the program's default and not that of the texts.
    砖 and 破 in GBK are letters in UTF-8. A drawing that declares Chinese, and would hold no
    Chinese character in UTF-8, is in GBK.
    """
    found = text_encoding(raw, name).name
    chinese = re.search(rb"\$DWGCODEPAGE\s+3\s+ANSI_936\b", raw) is not None
    if found != "UTF-8" or not chinese or raw.isascii():
        return found
    # in UTF-8 a Chinese character has three bytes, of which the first is one of these
    return found if re.search(rb"[\xe3-\xef][\x80-\xbf]{2}", raw) else "GBK"


def _unescaped_text(text: str) -> str:
    """Text with AutoCAD's escapes, U+5EFA behind a backslash, as the characters meant."""
    return re.sub(r"\\U\+([0-9A-Fa-f]{4})", lambda found: chr(int(found[1], 16)), text)


def _with_lines_as_areas(frame: gpd.GeoDataFrame, what: str, seen: Findings) -> gpd.GeoDataFrame:
    """The entities with every line that encloses an area, alone or with others, as polygon.

    Houses and parcels have no banks: two of their lines enclose nothing together.
    """
    shapes = frame.geometry.to_numpy().copy()
    line = shapely.get_type_id(shapes) == shapely.GeometryType.LINESTRING
    shapes = _closed_within_survey(shapes, line, seen)
    ring = line & shapely.is_closed(shapes) & (shapely.get_num_coordinates(shapes) >= 4)
    shapes[ring] = [shapely.Polygon(one.coords) for one in shapes[ring]]
    frame = frame.set_geometry(shapes)
    open_lines = np.flatnonzero(line & ~ring)
    if len(open_lines) < 2:
        return frame
    joined = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(shapes[open_lines])))
    closed = shapely.is_closed(joined) & (shapely.get_num_coordinates(joined) >= 4)
    made = [shapely.Polygon(one.coords) for one in joined[closed]]
    banks = what not in ("buildings", "parcels")
    rest, pairs = _paired_banks(joined[~closed]) if banks else (list(joined[~closed]), [])
    for area, caps in pairs:
        row = len(frame) - len(open_lines) + len(made) + 1
        seen.add("banks_paired", [f"row {row}"], caps=" + ".join(f"{c:,.1f} m" for c in caps))
        made.append(area)
    kept = frame.drop(index=frame.index[open_lines])
    common = frame.iloc[[open_lines[0]] * (len(made) + len(rest))]
    drawn = common.set_geometry(np.array([*made, *rest], object))
    return gpd.GeoDataFrame(pd.concat([kept, drawn], ignore_index=True), geometry="geometry")


def _closed_within_survey(shapes: Any, line: Any, seen: Findings) -> Any:
    """Lines whose end lies within the survey's centimetre of their beginning, closed, and said."""
    found = shapes.copy()
    for k in np.flatnonzero(line & ~shapely.is_closed(shapes)):
        xy = shapely.get_coordinates(shapes[k])
        gap = float(np.hypot(*(xy[-1] - xy[0])))
        if len(xy) >= 4 and gap <= CLOSED_M < shapely.length(shapes[k]) / 10:
            found[k] = shapely.linestrings([*xy[:-1], xy[0]])
            seen.add("unclosed_ring", [f"row {k + 1}"])
    return found


def _paired_banks(lines: Any) -> tuple[list[Any], list[tuple[Any, tuple[float, float]]]]:
    """Lines that each have the other's ends nearest, as areas with the lengths of their ends."""
    if len(lines) < 2:
        return list(lines), []
    ends = np.array([[one.coords[0][:2], one.coords[-1][:2]] for one in lines])
    gap = np.linalg.norm(ends[:, None, :, None] - ends[None, :, None, :], axis=-1)
    along, across = gap[..., 0, 0] + gap[..., 1, 1], gap[..., 0, 1] + gap[..., 1, 0]
    least = np.minimum(along, across)
    np.fill_diagonal(least, np.inf)
    best = least.argmin(axis=1)
    rest, pairs, taken = [], [], set()
    for k, one in enumerate(lines):
        other = int(best[k])
        if k in taken:
            continue
        area = None
        if best[other] == k:
            back = lines[other].coords[:: -1 if along[k, other] <= across[k, other] else 1]
            area = shapely.Polygon([*one.coords, *back])
        if area is None or not area.is_valid:
            rest.append(one)
            continue
        caps = gap[k, other].diagonal() if along[k, other] <= across[k, other] else (
            gap[k, other, 0, 1], gap[k, other, 1, 0])  # fmt: skip
        pairs.append((area, (float(caps[0]), float(caps[1]))))
        taken |= {k, other}
    return rest, pairs


def write_dxf(
    layers: Mapping[str, gpd.GeoDataFrame], target: str | Path, *, text_height_m: float = 2.5
) -> None:
    """Write layers as a DXF drawing, whole or not at all CAD图.

    Parameters
    ----------
    layers
        Layer by its name in the drawing. Polygons become closed polylines, lines open ones;
        points become texts where they have a column ``label``, else points. All in one CRS.
    target
        ``.dxf``; an existing file is replaced.
    text_height_m
        Height of the texts [m]; a station's text is turned across the flow.

    Raises
    ------
    LayerError, CRSError
        A layer can't be drawn, or its name is none that a drawing allows.
    OutputError
        The target isn't a .dxf, or ezdxf isn't installed.

    Notes
    -----
    AutoCAD 2010 format in UTF-8, in metres; holes of polygons are closed polylines of their own.

    References
    ----------
    Autodesk, AutoCAD 2010 DXF Reference.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> drawing = {"红线": pg.red_line(rivers, 9.0), "桩号": pg.stations(rivers)}
    >>> pg.write_dxf(drawing, folder / "红线.dxf")
    >>> line = pg.read_layer(folder / "红线.dxf", "red_line", layer="红线", crs=4547)
    >>> len(line), line.geom_type.unique().tolist()
    (4, ['Polygon'])
    """
    path = Path(target)
    require_suffix(path, ".dxf")
    try:
        from ezdxf import filemanagement, units
    except ImportError as fault:
        raise OutputError("ezdxf isn't installed", hint='pip install "pinghu_geo[dxf]"') from fault
    layers = {name: with_shapes(layer, name) for name, layer in layers.items()}
    crs = next(iter(layers.values())).crs if layers else None
    for name, layer in layers.items():
        require_layer(layer.reset_index(drop=True), name, crs=crs)
    _require_sound_names(list(layers))
    require_place(path)
    drawing = filemanagement.new("R2010", setup=True, units=units.M)
    style = drawing.styles.new("中文", dxfattribs={"font": "simsun.ttc"})
    for k, (name, layer) in enumerate(layers.items()):
        if name in drawing.layers:  # every drawing has 0, and Defpoints, which is not printed
            drawing.layers.get(name).dxf.color = COLOURS[k % len(COLOURS)]
        else:
            drawing.layers.add(name, color=COLOURS[k % len(COLOURS)])
        _draw_layer(drawing.modelspace(), name, layer, text_height_m, style.dxf.name)
    with atomic_path(path) as temporary:
        drawing.saveas(temporary)


def _require_sound_names(names: list[str]) -> None:
    """Refuse names of layers that CAD refuses, or takes for one another."""
    for name in names:
        if name != (fit := drawing_name(name)):
            raise LayerError(f"a drawing's layer can't be called {name!r}", hint=f"call it {fit!r}")
    twins = {n for n in names if sum(n.upper() == other.upper() for other in names) > 1}
    if twins:
        raise LayerError(
            "has layers whose names differ by capitals only, which CAD takes for one",
            ids=sorted(twins),
            hint="rename one of them",
        )


def _draw_layer(space: Any, name: str, layer: gpd.GeoDataFrame, height: float, style: str) -> None:
    """Draw one layer."""
    shapes, row = shapely.get_parts(layer.geometry.to_numpy(), return_index=True)
    kind = shapely.get_dimensions(shapes)
    for ring in shapely.get_rings(shapes[kind == 2]):
        space.add_lwpolyline(
            shapely.get_coordinates(ring)[:-1], close=True, dxfattribs={"layer": name}
        )
    for line in shapes[kind == 1]:
        space.add_lwpolyline(shapely.get_coordinates(line), dxfattribs={"layer": name})
    points = np.flatnonzero(kind == 0)
    if "label" not in layer.columns:
        for xy in shapely.get_coordinates(shapes[points]):
            space.add_point(tuple(xy), dxfattribs={"layer": name})
        return
    labels = layer["label"].map(drawing_text).to_numpy()[row[points]]
    turned = numbers(layer, "bearing_deg", name).fillna(0.0).to_numpy()
    if np.isinf(turned).any():
        raise LayerError(
            "has bearings without end", layer=name, ids=layer.index[np.isinf(turned)],
            hint="leave bearing_deg blank where it isn't known",
        )  # fmt: skip
    bearing = turned[row[points]]
    for xy, text, turn in zip(
        shapely.get_coordinates(shapes[points]), labels, bearing, strict=True
    ):
        space.add_text(
            text,
            height=height,
            rotation=float(-turn % 360),
            dxfattribs={
                "layer": name,
                "style": style,
                "insert": tuple(xy),
            },
        )
