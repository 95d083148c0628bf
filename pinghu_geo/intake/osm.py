"""What does OpenStreetMap call it? Extracts, tags as columns, waterways with names."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd
import pyogrio

from pinghu_geo.intake.drivers import plain_xml
from pinghu_geo.intake.gdal import gdal_options
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.notices import notify
from pinghu_geo.nouns.replacing import scratch_folder
from pinghu_geo.nouns.schema import nearest, noun

__all__ = ["NAMELESS", "OSM", "OSM_LAYERS", "read_osm", "whole_shapes", "with_tags"]

# an extract, and what openstreetmap.org exports
OSM = {".pbf", ".osm"}
# noun: the layer of an extract that holds it, and which rows are meant
WATERWAYS = ("river", "stream", "canal", "drain", "ditch", "tidal_channel", "wadi")
OSM_LAYERS = {
    "buildings": ("multipolygons", "building IS NOT NULL AND building <> 'no'"),
    "rivers": ("lines", "waterway IN (" + ", ".join(f"'{w}'" for w in WATERWAYS) + ")"),
    "parcels": ("multipolygons", "landuse IS NOT NULL"),
    "zones": ("multipolygons", "landuse IS NOT NULL"),
}
LAYERS = ("lines", "multilinestrings", "multipolygons")
# tags that aren't columns of the driver's own, as it writes them: "key"=>"value", ...
TAG = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
# no more tags become columns than this: the most frequent
MOST_TAGS = 200
# what a waterway without a name is called
NAMELESS = re.compile(r"w\d+")
# a river is called by its local name, or by one in Chinese or English where that isn't there
NAMES = ("name", "name:zh", "name:zh-Hans", "name:en")


def read_osm(path: Path, what: str, layer: str | None, stack: ExitStack) -> Any:
    """An extract's buildings, waterways, or land; with ``layer`` all rows of that layer."""
    meant = OSM_LAYERS.get(what)
    if layer is None and meant is None:
        raise LayerError(
            f"{path.name} has no layer of {what}",
            layer=what,
            hint="buildings, rivers, parcels and zones are read of an extract of OSM",
        )
    if layer is not None and layer not in LAYERS:
        raise LayerError(
            f"{path.name} has no layer {layer!r}", layer=what, hint=nearest(layer, LAYERS)
        )
    # nodes beyond 100 MB are kept in a file
    room = stack.enter_context(scratch_folder(path.name))
    written = path.suffix.lower() == ".osm"  # its nodes may stand in any order
    if written:
        path = plain_xml(path, what, stack, root="osm")
    indexing = "NO" if written else "YES"
    stack.enter_context(gdal_options(CPL_TMPDIR=room, OSM_USE_CUSTOM_INDEXING=indexing))
    name, rows = meant if layer is None and meant is not None else (str(layer), None)
    frame = pyogrio.read_dataframe(path, layer=name, where=rows, on_invalid="ignore")
    frame = with_tags(frame)
    empty = frame.columns[frame.isna().all()].difference(["osm_id", "osm_way_id", "geometry"])
    frame = frame.drop(columns=empty)
    if layer is None and what in ("parcels", "zones"):
        ids = ("r" + frame["osm_id"]).fillna("w" + frame["osm_way_id"])
        frame = frame.assign(**{str(noun(what).index): ids})
    return _named_rivers(frame) if what == "rivers" and layer is None else frame


def whole_shapes(frame: Any, path: Path) -> Any:
    """Rows whose shape is there: at its edge an extract holds ways of which most nodes are not."""
    none = (frame.geometry.isna() | frame.geometry.is_empty).to_numpy()
    if not none.any():
        return frame
    notify(f"{path.name}: {none.sum()} of {len(none)} rows are cut off at the extract's edge")
    return frame[~none].reset_index(drop=True)


def with_tags(frame: Any) -> Any:
    """The frame with a column for each tag that its column ``other_tags`` holds."""
    if "other_tags" not in frame.columns:
        return frame
    texts = frame["other_tags"]
    some = texts.notna().to_numpy()
    rows = [
        {_unescaped_text(k): _unescaped_text(v) for k, v in TAG.findall(str(text))}
        for text in texts[some].to_numpy()
    ]
    if not any(rows):
        return frame
    found = pd.DataFrame(rows, index=texts.index[some], dtype="str")
    found = found.drop(columns=[c for c in found.columns if c in frame.columns])
    most = found.notna().sum().sort_values(ascending=False, kind="stable").index[:MOST_TAGS]
    tags = found[[c for c in found.columns if c in set(most)]].reindex(frame.index)
    return pd.concat([frame.drop(columns="other_tags"), tags], axis=1)


def _unescaped_text(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _named_rivers(frame: Any) -> Any:
    """Waterways by their local name; those without any by their id."""
    river = pd.Series(pd.NA, index=frame.index, dtype="str")
    for name in NAMES:
        if name in frame.columns:
            river = river.fillna(frame[name])
    frame = frame.assign(river=river.fillna("w" + frame["osm_id"].astype("str")))
    if "name:zh" not in frame.columns and "name:zh-Hans" in frame.columns:
        frame = frame.rename(columns={"name:zh-Hans": "name:zh"})
    return frame.rename(columns={"name": "name_local", "name:zh": "name_zh"})
