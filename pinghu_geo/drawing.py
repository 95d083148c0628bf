"""How do I hand it to the draughtsman? Layers as a DXF drawing that CAD programs open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from pinghu_geo.errors import LayerError, OutputError
from pinghu_geo.io import atomic_path
from pinghu_geo.schema import require_layer

__all__ = ["write_dxf"]

# AutoCAD Color Index of the layers in turn: red, blue, green, magenta, cyan, yellow.
COLOURS = (1, 5, 3, 6, 4, 2)
# What no layer of a drawing may be called.
FORBIDDEN = set('<>/\\":;?*|=`')


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
    if path.suffix.lower() != ".dxf":
        raise OutputError(f"{path.name} is no .dxf", hint=f"use {path.stem}.dxf")
    try:
        import ezdxf
    except ImportError as fault:
        raise OutputError("ezdxf isn't installed", hint='pip install "pinghu_geo[dxf]"') from fault
    crs = next(iter(layers.values())).crs if layers else None
    for name, layer in layers.items():
        require_layer(layer.reset_index(), name, crs=crs)
        if bad := FORBIDDEN & set(name):
            raise LayerError(
                f"a drawing's layer can't be called {name!r}",
                hint=f"leave out {' '.join(sorted(bad))}",
            )
    drawing = ezdxf.new("R2010", setup=True, units=ezdxf.units.M)
    style = drawing.styles.new("中文", dxfattribs={"font": "simsun.ttc"})
    for k, (name, layer) in enumerate(layers.items()):
        drawing.layers.add(name, color=COLOURS[k % len(COLOURS)])
        _draw(drawing.modelspace(), name, layer, text_height_m, style.dxf.name)
    with atomic_path(path) as temporary:
        drawing.saveas(temporary)


def _draw(space: Any, name: str, layer: gpd.GeoDataFrame, height: float, style: str) -> None:
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
    labels = layer["label"].astype(str).to_numpy()[row[points]]
    bearing = (
        layer["bearing_deg"].to_numpy()[row[points]]
        if "bearing_deg" in layer
        else (np.zeros(len(points)))
    )
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
