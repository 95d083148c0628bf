"""How does a layer leave? Whole or not at all, in names and words that the format takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.intake.formats import PARQUET
from pinghu_geo.intake.gdal import write_frame
from pinghu_geo.nouns.door import clean, with_ids_as_column, with_named_ids, with_shapes
from pinghu_geo.nouns.errors import LayerError, OutputError
from pinghu_geo.nouns.inert import cell_text, database_name
from pinghu_geo.nouns.replacing import SHAPEFILE_PARTS, atomic_parts, atomic_path
from pinghu_geo.nouns.schema import Noun, noun

__all__ = ["database_frame", "with_one_shape", "write_layer"]

# Longest text in a .dbf field [bytes].
DBF_TEXT_BYTES = 254


def write_layer(
    frame: gpd.GeoDataFrame, target: str | Path, what: str, *, encoding: str | None = None
) -> None:
    """Write a layer whole or not at all; Shapefiles with Chinese names in GBK 写出图层.

    Parameters
    ----------
    frame
        Layer under canonical names.
    target
        ``.shp``, ``.gpkg``, ``.geojson``, ``.fgb`` or ``.parquet``. An existing file is
        replaced.
    what
        Its noun; decides the Chinese field names and words of a Shapefile.
    encoding
        Of a Shapefile; the .cpg says so. By default GBK, or UTF-8 where a character isn't in GBK.

    Raises
    ------
    LayerError
        The suffix is not known; a table without geometry, or with a second one.
    OutputError
        Field names collide after the cut to 10 bytes, texts are too long, ``encoding`` lacks one
        of their characters, or the file can't be written.

    References
    ----------
    ESRI Shapefile Technical Description (1998); OGC 12-128, GeoPackage Encoding Standard; RFC 7946
    (GeoJSON); GeoParquet 1.1 (OGC).

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> pg.write_layer(rivers, folder / "河道.shp", "rivers")
    >>> pg.read_layer(folder / "河道.shp", "rivers").index.tolist() == rivers.index.tolist()
    True
    """
    path = Path(target)
    suffix = path.suffix.lower()
    if suffix not in {".shp", ".gpkg", ".geojson", ".fgb"} | PARQUET:
        raise LayerError(
            f"{path.name} has a suffix that can't be written",
            layer=what,
            hint="use .gpkg, .shp, .geojson, .fgb or .parquet",
        )
    frame = clean(frame, what)
    frame = with_one_shape(frame, what, suffix)
    frame = with_named_ids(frame, what)
    if frame.columns.inferred_type != "string":
        frame = frame.rename(columns=str)
    flat = with_ids_as_column(frame)
    if suffix in PARQUET:
        with atomic_path(path) as temporary:
            frame.to_parquet(temporary, write_covering_bbox=True)
        return
    # two numbers a corner: 8 bytes each, or a digit with its comma
    corners = shapely.count_coordinates(frame.geometry.to_numpy())
    room = corners * (4 if suffix == ".geojson" else 16)
    if suffix != ".shp":
        with atomic_path(path, room=room) as temporary:
            write_frame(database_frame(flat), temporary, layer=database_name(path.stem))
        return
    encoding = encoding or ("GBK" if not len(_rows_not_encodable(flat, "GBK")) else "UTF-8")
    if len(lost := _rows_not_encodable(flat, encoding)):
        raise OutputError(
            f"holds characters that {encoding} doesn't have",
            ids=lost,
            hint='pg.write_layer(..., encoding="UTF-8")',
        )
    flat = _frame_for_shapefile(database_frame(flat), noun(what), encoding)
    with atomic_parts(path, drop=SHAPEFILE_PARTS, room=room) as folder:
        made = folder / path.name
        write_frame(flat, made, encoding=encoding)
        made.with_suffix(".cpg").write_text(encoding, "ascii")


def _rows_not_encodable(flat: gpd.GeoDataFrame, encoding: str) -> list[object]:
    """Ids of rows, and names of columns, with a character that an encoding doesn't have."""

    def fits(text: object) -> bool:
        try:
            str(text).encode(encoding)
        except UnicodeEncodeError:
            return False
        return True

    lost: list[object] = [c for c in flat.columns if not fits(c)]
    rows = np.zeros(len(flat), bool)
    for column in flat.columns.drop([flat.geometry.name]):
        if not pd.api.types.is_numeric_dtype(flat[column]):
            rows |= ~flat[column].map(fits).to_numpy(bool)
    return [*lost, *flat.iloc[:, 0][rows]]


def with_one_shape(frame: Any, what: str, suffix: str) -> Any:
    """The layer itself; refused without geometry, and with more of it than a file holds."""
    frame = with_shapes(frame, what)
    other = frame.select_dtypes("geometry").columns.drop(frame.geometry.name)
    if len(other) and suffix not in PARQUET:
        raise LayerError(
            f"has geometries in {', '.join(map(str, other))}, too; a {suffix} holds one a row",
            layer=what,
            hint=f"{what} = {what}.drop(columns={[str(c) for c in other]!r})"
            "  # or write a .parquet",
        )
    return frame


def database_frame(flat: Any) -> Any:
    """A layer or table with names and texts that a database takes whole, and no name twice."""
    flat, names = flat.copy(deep=False), {}
    taken: set[str] = set()
    shapes = [flat.geometry.name] if isinstance(flat, gpd.GeoDataFrame) else []
    for column in flat.columns.drop(shapes):
        name = plain = database_name(column)
        while name.lower() in taken:
            name = f"{plain}_{len(taken)}"
        names[column] = name
        taken.add(name.lower())
        if not pd.api.types.is_numeric_dtype(flat[column]):
            values = flat[column].to_numpy(object)
            if not "".join(v for v in values if isinstance(v, str)).isprintable():
                rows = np.array([isinstance(v, str) and not v.isprintable() for v in values])
                shown = flat[column].astype(object)
                shown[rows] = [cell_text(v) for v in shown[rows]]
                flat[column] = shown
    return flat.rename(columns=names)


def _frame_for_shapefile(flat: gpd.GeoDataFrame, kind: Noun, encoding: str) -> gpd.GeoDataFrame:
    """Chinese names of at most 10 bytes and Chinese words, as offices expect them."""
    labels = {c.name: c for c in kind.columns}
    names: dict[str, str] = {}
    flat = flat.copy()
    for column in flat.columns.drop([flat.geometry.name]):
        if column in labels and labels[column].codes:
            words = {code: w[0] for code, w in labels[column].codes.items()}
            flat[column] = flat[column].map(lambda v, words=words: words.get(v, v))
        text = labels[column].zh if column in labels else str(column)
        names[column] = text.encode(encoding)[:10].decode(encoding, "ignore")
    clash = [n for n in names.values() if list(names.values()).count(n) > 1]
    if clash:
        raise OutputError(
            "field names are equal after the cut to 10 bytes",
            ids=clash,
            hint="rename a column, or write a GeoPackage",
        )
    _refuse_long_texts(flat, encoding)
    return flat.rename(columns=names)


def _refuse_long_texts(flat: gpd.GeoDataFrame, encoding: str) -> None:
    """Refuse texts that a .dbf would cut off."""
    for column in flat.columns.drop([flat.geometry.name]):
        if not pd.api.types.is_numeric_dtype(flat[column]):
            size = flat[column].dropna().map(lambda v: len(str(v).encode(encoding, "replace")))
            if (size > DBF_TEXT_BYTES).any():
                raise OutputError(
                    f"texts of {column!r} are longer than the {DBF_TEXT_BYTES} bytes of a .dbf",
                    ids=size.index[size > DBF_TEXT_BYTES],
                    hint="write a GeoPackage",
                )
