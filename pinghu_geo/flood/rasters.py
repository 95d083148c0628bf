"""What do the rasters hold? Tiles of one grid as metres, each cell a height or unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from pinghu_geo.flood.cells import (
    Tile,
    edge_heights,
    known_heights,
    one_sentence,
    opened,
    ordinary_heights,
)
from pinghu_geo.flood.sections import Array
from pinghu_geo.intake.bounds import require_bounded_block
from pinghu_geo.intake.drivers import require_raster
from pinghu_geo.nouns.errors import CRSError, LayerError
from pinghu_geo.nouns.notices import notify, quiet_libraries
from pinghu_geo.nouns.schema import same_crs
from pinghu_geo.nouns.units import datum_stated, require_one_datum

__all__ = ["Rasters", "Source", "Window", "raster_crs", "tiles_of", "unit_of_heights"]

Source = str | Path | Sequence[str | Path]

# what GDAL reads but can't change: it is written anew instead
READ_ONLY = (".asc", ".txt", ".xyz", ".bil", ".jpg", ".png")
# cells in memory at once
CELLS_AT_ONCE = 1_000_000
# units of a band as programs write them, in metres
METRES = {
    "": 1.0, "m": 1.0, "metre": 1.0, "meter": 1.0, "metres": 1.0, "meters": 1.0, "米": 1.0,
    "dm": 0.1, "decimetre": 0.1, "decimeter": 0.1, "分米": 0.1, "cm": 0.01, "centimetre": 0.01,
    "centimeter": 0.01, "centimetres": 0.01, "centimeters": 0.01, "厘米": 0.01, "mm": 0.001,
    "millimetre": 0.001, "millimeter": 0.001, "millimetres": 0.001, "millimeters": 0.001,
    "毫米": 0.001, "km": 1000.0, "kilometre": 1000.0, "kilometer": 1000.0, "ft": 0.3048,
    "foot": 0.3048, "feet": 0.3048, "英尺": 0.3048, "international foot": 0.3048,
    "us survey foot": 1200 / 3937, "us survey feet": 1200 / 3937, "ftus": 1200 / 3937,
    "us-ft": 1200 / 3937, "foot_us": 1200 / 3937, "us_survey_foot": 1200 / 3937,
    "feet us": 1200 / 3937, "ft us": 1200 / 3937, "foot us": 1200 / 3937, "us foot": 1200 / 3937,
    "us feet": 1200 / 3937, "us ft": 1200 / 3937, "sft": 1200 / 3937,
}  # fmt: skip
# what ground that is in another unit comes out as, if it is taken for metres
MISTAKEN = {"decimetres": 10.0, "centimetres": 100.0, "millimetres": 1000.0, "feet": 1 / 0.3048}
# ground and survey agree where they are so near (median) [m]
AGREE_M = 5.0
# tiles that differ by so much where they meet, nearly all in one direction, are said [m]
STEP_M, SAME_WAY = 0.3, 0.9
# cells looked at across, and the fewest that tell anything
SEAM_CELLS, FEW_CELLS = 256, 5
# a unit explains a difference if it leaves no more of it than this
EXPLAINED = 0.1


class Window(NamedTuple):
    """Part of a grid in memory."""

    values: Array  # (rows, columns) [m], NaN: unknown
    x0: float  # centre of the first cell
    y0: float
    cell: float
    cell_y: float  # negative: rows run south

    def at(self, xy: Array) -> Array:
        """Bilinear elevations of points (..., 2); NaN beside nodata."""
        c, r = (xy[..., 0] - self.x0) / self.cell, (xy[..., 1] - self.y0) / self.cell_y
        rows, columns = self.values.shape
        i, j = np.floor(r).astype(int), np.floor(c).astype(int)
        inside = (i >= 0) & (j >= 0) & (i < rows - 1) & (j < columns - 1)
        i, j = np.clip(i, 0, rows - 2), np.clip(j, 0, columns - 2)
        u, v = c - j, r - i
        z = self.values
        found: Array = (
            z[i, j] * (1 - u) * (1 - v)
            + z[i, j + 1] * u * (1 - v)
            + z[i + 1, j] * (1 - u) * v
            + z[i + 1, j + 1] * u * v
        )
        return np.where(inside, found, np.nan)


@dataclass(frozen=True, slots=True)
class Rasters:
    """Tiles on one grid; row 0, column 0 is the upper left cell of the first."""

    tiles: tuple[Tile, ...]
    layer: str
    x: float
    y: float
    cell: float
    cell_y: float
    crs_text: str
    datum: str  # height system by the vertical CRS; empty where there is none
    # per file: heights that occur in it; what was taken for nodata and said
    ordinary: dict[Path, Array] = field(default_factory=dict, repr=False)
    told: set[tuple[Path, float]] = field(default_factory=set, repr=False)
    # files that are kept open, and by whom
    files: dict[Path, Any] = field(default_factory=dict, repr=False)
    held: list[ExitStack] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, source: Source, crs: Any, layer: str) -> Rasters:
        """Look at the tiles; refuse what is no height, no raster, or elsewhere."""
        seen = [_file_grid(path, crs, layer) for path in tiles_of(source, layer)]
        first = seen[0]
        tiles = []
        for one in seen:
            row, column = _tile_corner(one, first, layer)
            tiles.append(
                Tile(one.path, row, column, one.rows, one.columns, one.scale, one.offset,
                      one.metres, one.declares)
            )  # fmt: skip
        datums = {one.path.name: one.datum for one in seen}
        require_one_datum(datums)
        _require_matching_edges(tiles, layer)
        return cls(
            tuple(tiles), layer, first.x, first.y, first.cell, first.cell_y, first.crs_text,
            next(filter(None, datums.values()), ""),
        )  # fmt: skip

    @property
    def first(self) -> tuple[int, int]:
        """Row and column of the upper left cell of all tiles."""
        return min(t.row for t in self.tiles), min(t.column for t in self.tiles)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns from there to the last."""
        row, column = self.first
        return (
            max(t.row + t.rows for t in self.tiles) - row,
            max(t.column + t.columns for t in self.tiles) - column,
        )

    def cells_of(self, low: Array, high: Array) -> tuple[int, int, int, int]:
        """First row and column, rows and columns of the cells around a box."""
        c0, c1 = (int(np.floor((x - self.x) / self.cell)) for x in (low[0], high[0]))
        r0, r1 = (int(np.floor((self.y - y) / self.cell_y)) for y in (high[1], low[1]))
        return r0, c0, r1 - r0 + 1, c1 - c0 + 1

    def window(self, low: Array, high: Array) -> Window:
        """Heights of the cells around a box; the earlier tile wins where two have one."""
        r0, c0, rows, columns = self.cells_of(low, high)
        return Window(
            self.read(r0, c0, rows, columns),
            self.x + (c0 + 0.5) * self.cell,
            self.y - (r0 + 0.5) * self.cell_y,
            self.cell,
            -self.cell_y,
        )

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Files stay open for the blocks that are read from now on."""
        with ExitStack() as stack:
            self.held.append(stack)
            try:
                yield
            finally:
                self.held.pop()
                self.files.clear()

    def _file(self, path: Path) -> Any:
        """A file that is open for now, or as long as all are kept open."""
        if not self.held:
            return opened(path)
        if path not in self.files:
            self.files[path] = self.held[-1].enter_context(opened(path))
        return nullcontext(self.files[path])

    def read(self, r0: int, c0: int, rows: int, columns: int) -> Array:
        """Heights of a block of cells of the common grid."""
        from rasterio.windows import Window as Block

        values = np.full((rows, columns), np.nan)
        for tile in self.tiles:
            top, left = max(tile.row, r0), max(tile.column, c0)
            bottom = min(tile.row + tile.rows, r0 + rows)
            right = min(tile.column + tile.columns, c0 + columns)
            if top >= bottom or left >= right:
                continue
            block = Block(left - tile.column, top - tile.row, right - left, bottom - top)
            with one_sentence(tile.path, self.layer), self._file(tile.path) as file:
                raw = file.read(1, window=block, masked=True)
            found = self._known_tile_heights(raw, tile)
            if found.shape == (rows, columns) and len(self.tiles) == 1:
                return found
            here = values[top - r0 : bottom - r0, left - c0 : right - c0]
            np.copyto(here, found, where=np.isnan(here))
        return values

    def _known_tile_heights(self, raw: Any, tile: Tile) -> Array:
        """Heights of a block of a tile, NaN where its numbers mean that there is none."""
        if tile.path not in self.ordinary:
            self.ordinary[tile.path] = ordinary_heights(tile, self.layer)
        heights, none = known_heights(raw, self.ordinary[tile.path], tile, self.layer)
        new = [v for v in none if (tile.path, v) not in self.told]
        self.told.update((tile.path, v) for v in new)
        if new:
            notify(
                f"{self.layer}: {tile.path.name} holds {', '.join(f'{v:g}' for v in new)}, which "
                "it doesn't declare as nodata and no height comes near; taken for nodata"
            )
        return heights

    def covers(self, xy: Array) -> Array:
        """Whether points lie within a tile."""
        row = np.floor((self.y - xy[..., 1]) / self.cell_y)
        column = np.floor((xy[..., 0] - self.x) / self.cell)
        found = np.zeros(xy.shape[:-1], bool)
        for t in self.tiles:
            found |= (
                (row >= t.row) & (row < t.row + t.rows)
                & (column >= t.column) & (column < t.column + t.columns)
            )  # fmt: skip
        return found

    def shares(self, shapes: Any, operations: Sequence[str]) -> Any:
        """Statistics of the cells that each shape covers, weighed by the share of each cell."""
        from exactextract import exact_extract

        return exact_extract(
            _cells_source(self), _footprint_source(shapes, self.crs_text), list(operations),
            output="pandas", strategy="raster-sequential", max_cells_in_memory=CELLS_AT_ONCE,
        )  # fmt: skip


def tiles_of(source: Any, layer: str) -> list[Path]:
    """Files that are named, as a list; refused where that is none."""
    one = isinstance(source, str | PathLike)
    other = isinstance(source, bytes | Mapping | pd.DataFrame) or not isinstance(source, Iterable)
    named: list[Any] = [source] if one or other else list(source)
    wrong = [p for p in named if not isinstance(p, str | PathLike)]
    if wrong or (other and not one):
        what = wrong[0] if wrong else source
        raise LayerError(
            f"is no name of a raster but {type(what).__name__}",
            layer=layer,
            hint='dem="地面高程.tif", or several tiles: dem=["a.tif", "b.tif"]',
        )
    if not named:
        raise LayerError("is an empty list of tiles", layer=layer, hint='dem=["a.tif"]')
    return [Path(p) for p in named]


def raster_crs(source: Source, layer: str) -> CRS:
    """CRS that the first tile of a raster says it is in."""
    path = tiles_of(source, layer)[0]
    if not path.exists():
        raise LayerError(f"there is no file {path}", layer=layer)
    require_raster(path, layer)
    with one_sentence(path, layer), quiet_libraries(), opened(path) as file:
        own = None if file.crs is None else CRS.from_wkt(file.crs.to_wkt())
    if own is not None and not _is_local_crs(own):
        return own
    raise CRSError(
        f"{path.name} doesn't say its CRS",
        layer=layer,
        hint=f"gdal_translate -a_srs EPSG:4547 {path.name} {path.stem}.tif, with the code of the "
        "survey"
        if path.suffix.lower() in READ_ONLY
        else f"gdal_edit.py -a_srs EPSG:4547 {path.name}, with the code of the survey",
    )


def _is_local_crs(crs: CRS) -> bool:
    """Whether a CRS is a grid of its own that says nothing of where it lies on the Earth."""
    return "Engineering" in crs.type_name


def unit_of_heights(ground: Array, known: Array) -> str:
    """Unit in which ground is given, if it isn't metres, as known heights beside it tell.

    Empty where the two agree, ``"another datum"`` where no unit explains how far they are apart.
    """
    both = np.isfinite(ground - known)
    if both.sum() < 2:
        return ""
    off = float(np.median(np.abs((ground - known)[both])))
    if off <= AGREE_M:
        return ""
    left = {u: np.median(np.abs(ground[both] / f - known[both])) for u, f in MISTAKEN.items()}
    best = min(left, key=lambda unit: float(left[unit]))
    return best if left[best] <= EXPLAINED * off else "another datum"


# --- one file ---------------------------------------------------------------------------------


class _FileGrid(NamedTuple):
    path: Path
    x: float
    y: float
    cell: float
    cell_y: float
    rows: int
    columns: int
    crs_text: str
    scale: float
    offset: float
    metres: float
    declares: bool
    datum: str


def _file_grid(path: Path, crs: Any, layer: str) -> _FileGrid:
    """Grid and meaning of a file."""
    from rasterio.enums import MaskFlags

    if not path.exists():
        raise LayerError(f"there is no file {path}", layer=layer)
    require_raster(path, layer)
    with one_sentence(path, layer), quiet_libraries():  # one without a place is refused below
        file = opened(path)
    with file:
        own = None if file.crs is None else CRS.from_wkt(file.crs.to_wkt())
        if own is None or not same_crs(own, crs):
            code = own and own.to_epsg()
            name = f"EPSG:{code}" if code else own.name if own else "no CRS"
            raise CRSError(
                f"{path.name} is in {name}, the layer in {crs.name}",
                layer=layer,
                hint="gdalwarp -t_srs EPSG:4547 in.tif out.tif, with the layer's code"
                if own is not None and not _is_local_crs(own)
                else f"gdal_translate -a_srs EPSG:4547 {path.name} {path.stem}.tif, with the "
                "code of the survey"
                if path.suffix.lower() in READ_ONLY
                else f"gdal_edit.py -a_srs EPSG:4547 {path.name}, with the code of the survey",
            )
        grid = file.transform
        if grid.b or grid.d or grid.a <= 0 or grid.e >= 0:
            raise LayerError(
                f"{path.name} is rotated or drawn upside down",
                layer=layer,
                hint="gdalwarp makes a grid along the axes, north up",
            )
        _require_heights(file, path, layer)
        if not (np.isfinite([file.scales[0], file.offsets[0]]).all() and file.scales[0]):
            raise LayerError(
                f"{path.name} states the scale {file.scales[0]:g} and offset {file.offsets[0]:g}",
                layer=layer,
                hint=f"gdal_edit.py -scale 1 -offset 0 {path.name}, or what is true",
            )
        down, across = file.block_shapes[0]
        require_bounded_block(down, across, file.dtypes[0], path, layer)
        return _FileGrid(
            path, grid.c, grid.f, grid.a, -grid.e, file.height, file.width,
            str(file.crs.to_wkt()), float(file.scales[0]), float(file.offsets[0]),
            _metres_per_unit(file, own, path, layer),
            MaskFlags.all_valid not in file.mask_flag_enums[0],
            datum_stated(own.sub_crs_list[-1].name) if own.is_compound else "",
        )  # fmt: skip


def _require_heights(file: Any, path: Path, layer: str) -> None:
    """Refuse pictures, classes and stacks: which of their numbers are heights is not said."""
    from rasterio.enums import ColorInterp

    bands = [k for k in file.colorinterp if k is not ColorInterp.alpha]
    if len(bands) != 1:
        raise LayerError(
            f"{path.name} has {len(bands)} bands, as a picture or a stack has; heights are one",
            layer=layer,
            hint="gdal_translate -b 1 in.tif out.tif, with the band that holds heights",
        )
    dtype = file.dtypes[0]
    plain = file.scales[0] == 1.0 and file.offsets[0] == 0.0
    if ColorInterp.palette in bands or dtype.startswith("complex") or (dtype == "uint8" and plain):
        raise LayerError(
            f"{path.name} holds {'colours' if ColorInterp.palette in bands else dtype}, as a "
            "hillshade or a map of classes does, and no heights",
            layer=layer,
            hint="give the DEM itself; if these are metres: gdal_translate -ot Float32",
        )


def _metres_per_unit(file: Any, own: CRS, path: Path, layer: str) -> float:
    """Metres of one unit of the heights, by the band or else by the vertical CRS."""
    stated = _unit_word(file.units[0] or "")
    vertical = [a for a in own.axis_info if a.direction in ("up", "down")]
    if vertical and vertical[0].direction == "down":
        raise LayerError(
            f"{path.name} holds depths ({own.name}), not heights", layer=layer, hint="turn its sign"
        )
    by_crs = float(vertical[0].unit_conversion_factor) if vertical else None
    if not stated:
        return by_crs or 1.0
    if stated not in METRES:
        raise LayerError(
            f"{path.name} states the unit {file.units[0]!r}, which is not known",
            layer=layer,
            hint=f"gdal_edit.py -units m {path.name} states metres",
        )
    if by_crs is not None and not np.isclose(by_crs, METRES[stated], rtol=1e-4):
        raise LayerError(
            f"{path.name} states the unit {file.units[0]!r} but a CRS with heights in "
            f"{vertical[0].unit_name}",
            layer=layer,
            hint=f"gdal_edit.py -units m {path.name}, or -a_srs, with what is true",
        )
    return METRES[stated]


def _unit_word(text: str) -> str:
    """A unit without brackets and without what it is counted above: m a.s.l., feet (US)."""
    word = re.sub(r"[\[\](){}()]", " ", text.strip().lower())
    word = re.sub(r"\b(above\b.*|a\.?\s?[sm]\.?\s?s?\.?\s?l\.?|m\.?s\.?l\.?)$", " ", word.strip())
    word = " ".join(word.split())
    return "" if word in ("unknown", "none", "n/a", "-") else word


def _tile_corner(one: _FileGrid, first: _FileGrid, layer: str) -> tuple[int, int]:
    """Row and column of a tile's corner, counted from the first tile's."""
    row, column = (first.y - one.y) / first.cell_y, (one.x - first.x) / first.cell
    off = max(abs(row - round(row)), abs(column - round(column)))
    same = np.isclose([one.cell, one.cell_y], [first.cell, first.cell_y], rtol=1e-6).all()
    if not same or off > 0.01:
        raise LayerError(
            f"has tiles that don't lie on one grid: {one.path.name} has cells of "
            f"{one.cell:g} m, the first {first.cell:g} m"
            if not same
            else f"has tiles that don't lie on one grid: {one.path.name} lies {off:.2f} of "
            f"a cell beside {first.path.name}",
            layer=layer,
            hint="gdalbuildvrt or gdalwarp makes one grid of them",
        )
    return round(row), round(column)


# --- where tiles meet -------------------------------------------------------------------------


def _require_matching_edges(tiles: list[Tile], layer: str) -> None:
    """Refuse tiles of another unit or height system than those beside them, as their edges tell."""
    for k, one in enumerate(tiles):
        for other in tiles[:k]:
            step = _seam_heights(other, one, layer)
            if step.size < FEW_CELLS:
                continue
            off = float(np.median(step[:, 1] - step[:, 0]))
            low, high = (other, one) if off > 0 else (one, other)
            names = f"{high.path.name}, {low.path.name}"
            if abs(off) > AGREE_M:
                unit = unit_of_heights(*(step[:, [1, 0]] if off > 0 else step).T)
                raise LayerError(
                    f"has tiles whose heights don't meet: of {names} the first lies "
                    f"{abs(off):.2f} m higher where they touch (median); are they {unit}"
                    if unit in MISTAKEN
                    else f"has tiles whose heights don't meet: of {names} the first lies "
                    f"{abs(off):.2f} m higher where they touch (median)",
                    layer=layer,
                    hint=f"gdal_edit.py -scale 0.1 {high.path.name} declares decimetres, -units ft "
                    "feet; heights of another datum are to be shifted first",
                )
            same_way = np.mean(np.sign(step[:, 1] - step[:, 0]) == np.sign(off))
            if abs(off) > STEP_M and same_way > SAME_WAY:
                notify(
                    f"{layer}: of {names} the first lies {abs(off):.2f} m higher where they touch "
                    "(median); are they of one height system"
                )


def _seam_heights(one: Tile, other: Tile, layer: str) -> Array:
    """Heights of two tiles at the places where they overlap, or else touch: (places, 2)."""
    top, left = max(one.row, other.row), max(one.column, other.column)
    bottom = min(one.row + one.rows, other.row + other.rows)
    right = min(one.column + one.columns, other.column + other.columns)
    rows, columns = bottom - top, right - left
    if min(rows, columns) < 0 or max(rows, columns) <= 0:
        return np.zeros((0, 2))
    if rows and columns:
        i, j = top + max(rows - SEAM_CELLS, 0) // 2, left + max(columns - SEAM_CELLS, 0) // 2
        block = (i, j, min(rows, SEAM_CELLS), min(columns, SEAM_CELLS))
        both = [edge_heights(tile, block, layer).ravel() for tile in (one, other)]
    else:  # two cells on either side, carried on to the seam
        both = []
        for tile in (one, other):
            if columns:
                above = tile.row + tile.rows == top
                block = (top - 2 if above else top, left, 2, min(columns, SEAM_CELLS**2))
                pair = edge_heights(tile, block, layer)
                near, far = pair[:: -1 if above else 1]
            else:
                before = tile.column + tile.columns == left
                block = (top, left - 2 if before else left, min(rows, SEAM_CELLS**2), 2)
                pair = edge_heights(tile, block, layer)
                near, far = pair[:, :: -1 if before else 1].T
            both.append(near + (near - far) / 2)
    step: Array = np.stack(both, axis=1)
    found: Array = step[np.isfinite(step).all(axis=1)]
    return found


# --- all tiles as one for exactextract ---------------------------------------------------------


def _footprint_source(shapes: Any, crs: str) -> Any:
    """Footprints for exactextract as WKB; a GeoDataFrame would go through GeoJSON, row by row.

    They carry the raster's own text of the CRS: that the two are the same was checked by code, and
    libraries of different age write the same CRS differently.
    """
    from exactextract.feature import Feature, FeatureSource

    class Footprint(Feature):  # type: ignore[misc]
        def __init__(self, wkb: bytes) -> None:
            super().__init__()
            self.wkb = wkb

        def geometry(self) -> bytes:
            return self.wkb

        def fields(self) -> list[str]:
            return []

    class Footprints(FeatureSource):  # type: ignore[misc]
        def count(self) -> int:
            return len(shapes)

        def __iter__(self) -> Iterator[Footprint]:
            return iter([Footprint(wkb) for wkb in shapely.to_wkb(shapes)])

        def srs_wkt(self) -> str:
            return crs

    return Footprints()


def _cells_source(rasters: Rasters) -> Any:
    """All tiles as one raster for exactextract."""
    from exactextract.raster import RasterSource

    (row, column), (rows, columns) = rasters.first, rasters.shape
    left, top = rasters.x + column * rasters.cell, rasters.y - row * rasters.cell_y

    class Cells(RasterSource):  # type: ignore[misc]
        def res(self) -> tuple[float, float]:
            return rasters.cell, rasters.cell_y

        def extent(self) -> tuple[float, float, float, float]:
            return left, top - rows * rasters.cell_y, left + columns * rasters.cell, top

        def srs_wkt(self) -> str:
            return rasters.crs_text

        def nodata_value(self) -> None:
            return None

        def read_window(self, x0: int, y0: int, nx: int, ny: int) -> Any:
            found = rasters.read(row + y0, column + x0, ny, nx)
            none = np.isnan(found)
            return np.ma.masked_array(found, none) if none.any() else found

    return Cells()
