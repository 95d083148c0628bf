"""What do the rasters hold? Tiles of one grid as metres, each cell a height or unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from pyproj import CRS

from pinghu_geo.flood.sections import Array
from pinghu_geo.intake.bounds import require_bounded_block
from pinghu_geo.intake.drivers import raster_driver, require_raster
from pinghu_geo.nouns.errors import CRSError, LayerError
from pinghu_geo.nouns.notices import notify, quiet_libraries
from pinghu_geo.nouns.schema import nearest, same_crs
from pinghu_geo.nouns.units import datum_stated, require_one_datum

__all__ = ["Rasters", "Source", "Window", "unit_of_heights"]

Source = str | Path | Sequence[str | Path]

# no ground and no flood is outside [m]: the Dead Sea is at -430, Qomolangma at 8849
LOWEST_M, HIGHEST_M = -500.0, 9000.0
# what programs write where they know nothing; without a word only where it stands alone
SENTINELS = np.array([
    0, -1, -9, -99, -99.9, -99.99, -100, -128, -999, -999.9, -999.99, -9999, -99999, -32768, -32767,
    -2147483648, 99, 255, 999, 999.9, 999.99, 8888, 9999, 99999, 32767, 65535, 2147483647,
])  # fmt: skip
# a sentinel is one where no other value comes within so many metres of it
ALONE_M = 5.0
# so many values beyond what ground has may each mean nodata
MOST_VOIDS = 3
# any other lowest value that stands so far below all others, more than once, is doubtful [m]
DOUBTFUL_M = 30.0
# a sentinel that stands so far below all others, but not alone, is doubtful, too [m]: whole metres
# and the edge of the sea leave less
DOUBTFUL_SENTINEL_M = 1.5
# how many cells of a file are looked at before one of its values is taken for nodata
SAMPLED_CELLS, BLOCK_CELLS, BLOCKS_ACROSS = 1_000_000, 32, 5
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
}  # fmt: skip
# what ground that is in another unit comes out as, if it is taken for metres
MISTAKEN = {"decimetres": 10.0, "centimetres": 100.0, "millimetres": 1000.0, "feet": 1 / 0.3048}
# ground and survey agree where they are so near (median) [m]
AGREE_M = 5.0
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


class _Tile(NamedTuple):
    """One file: where its cells lie in the common grid, and what its numbers mean."""

    path: Path
    row: int
    column: int
    rows: int
    columns: int
    scale: float
    offset: float
    metres: float
    declares: bool  # a nodata value, a mask or an alpha band

    def stored(self, height: float) -> float:
        """The file's own number for a height."""
        return (height / self.metres - self.offset) / self.scale


@dataclass(frozen=True, slots=True)
class Rasters:
    """Tiles on one grid; row 0, column 0 is the upper left cell of the first."""

    tiles: tuple[_Tile, ...]
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

    @classmethod
    def of(cls, source: Source, crs: Any, layer: str) -> Rasters:
        """Look at the tiles; refuse what is no height, no raster, or elsewhere."""
        paths = [source] if isinstance(source, str | Path) else list(source)
        if not paths:
            raise LayerError("is an empty list of tiles", layer=layer, hint='dem=["a.tif"]')
        seen = [_looked_at(Path(p), crs, layer) for p in paths]
        first = seen[0]
        tiles = []
        for one in seen:
            row, column = _place(one, first, layer)
            tiles.append(
                _Tile(one.path, row, column, one.rows, one.columns, one.scale, one.offset,
                      one.metres, one.declares)
            )  # fmt: skip
        datums = {one.path.name: one.datum for one in seen}
        require_one_datum(datums)
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
            with _one_sentence(tile.path, self.layer), _opened(tile.path) as file:
                block = Block(left - tile.column, top - tile.row, right - left, bottom - top)
                raw = file.read(1, window=block, masked=True)
            found = self._known(raw, tile)
            if found.shape == (rows, columns) and len(self.tiles) == 1:
                return found
            here = values[top - r0 : bottom - r0, left - c0 : right - c0]
            np.copyto(here, found, where=np.isnan(here))
        return values

    def _known(self, raw: Any, tile: _Tile) -> Array:
        """Heights of a block of a tile, NaN where its numbers mean that there is none."""
        if tile.path not in self.ordinary:
            self.ordinary[tile.path] = _ordinary(tile, self.layer)
        beside = self.ordinary[tile.path]
        stored, heights = np.ma.getdata(raw), _heights(raw, tile)
        none = _alone(stored, heights, tile, beside)
        beyond = _beyond(raw, heights, tile, self.layer)
        if none:
            heights[np.isin(stored, none)] = np.nan
        _require_no_doubt(heights, beside, tile, self.layer)
        new = [v for v in (*none, *beyond) if (tile.path, v) not in self.told]
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
            _cells_source(self), _footprints(shapes, self.crs_text), list(operations),
            output="pandas", strategy="raster-sequential", max_cells_in_memory=CELLS_AT_ONCE,
        )  # fmt: skip


def raster_crs(source: Source, layer: str) -> CRS:
    """CRS that the first tile of a raster says it is in."""
    path = Path(source) if isinstance(source, str | Path) else Path(next(iter(source)))
    if not path.exists():
        raise LayerError(f"there is no file {path}", layer=layer)
    require_raster(path, layer)
    with _one_sentence(path, layer), quiet_libraries(), _opened(path) as file:
        if file.crs is not None:
            return CRS.from_wkt(file.crs.to_wkt())
    raise CRSError(
        f"{path.name} doesn't say its CRS",
        layer=layer,
        hint=f"gdal_edit.py -a_srs EPSG:4547 {path.name}, with the code of the survey",
    )


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


class _Seen(NamedTuple):
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


@contextmanager
def _one_sentence(path: Path, layer: str) -> Iterator[None]:
    """What GDAL says of a file that it can't read, as one error."""
    from rasterio.errors import RasterioError

    try:
        yield
    except RasterioError as fault:
        raise LayerError(
            f"{path.name} is no raster that can be read, or it is cut off",
            layer=layer,
            hint="a DEM is a GeoTIFF, IMG, ASC or VRT; clouds of points (.las, .laz) are gridded "
            "first",
        ) from fault


def _opened(path: Path) -> Any:
    """A raster, opened by the driver of its suffix, whatever its content may say."""
    import rasterio

    return rasterio.open(path, driver=raster_driver(path))


def _looked_at(path: Path, crs: Any, layer: str) -> _Seen:
    """Grid and meaning of a file."""
    from rasterio.enums import MaskFlags

    if not path.exists():
        raise LayerError(f"there is no file {path}", layer=layer)
    require_raster(path, layer)
    with _one_sentence(path, layer), quiet_libraries():  # one without a place is refused below
        file = _opened(path)
    with file:
        own = None if file.crs is None else CRS.from_wkt(file.crs.to_wkt())
        if own is None or not same_crs(own, crs):
            code = own and own.to_epsg()
            name = f"EPSG:{code}" if code else own.name if own else "no CRS"
            raise CRSError(
                f"{path.name} is in {name}, the layer in {crs.name}",
                layer=layer,
                hint="gdalwarp -t_srs EPSG:4547 in.tif out.tif, with the layer's code"
                if own is not None
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
        down, across = file.block_shapes[0]
        require_bounded_block(down, across, file.dtypes[0], path, layer)
        return _Seen(
            path, grid.c, grid.f, grid.a, -grid.e, file.height, file.width,
            str(file.crs.to_wkt()), float(file.scales[0]), float(file.offsets[0]),
            _metres(file, own, path, layer),
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


def _metres(file: Any, own: CRS, path: Path, layer: str) -> float:
    """Metres of one unit of the heights, by the band or else by the vertical CRS."""
    stated = (file.units[0] or "").strip()
    if stated:
        if stated.lower() not in METRES:
            raise LayerError(
                f"{path.name} states the unit {stated!r}, which is not known",
                layer=layer,
                hint=nearest(stated.lower(), [u for u in METRES if u]),
            )
        return METRES[stated.lower()]
    vertical = [a for a in own.axis_info if a.direction in ("up", "down")]
    if vertical and vertical[0].direction == "down":
        raise LayerError(
            f"{path.name} holds depths ({own.name}), not heights", layer=layer, hint="turn its sign"
        )
    return float(vertical[0].unit_conversion_factor) if vertical else 1.0


def _place(one: _Seen, first: _Seen, layer: str) -> tuple[int, int]:
    """Row and column of a tile's corner, counted from the first tile's."""
    row, column = (first.y - one.y) / first.cell_y, (one.x - first.x) / first.cell
    off = max(abs(row - round(row)), abs(column - round(column)))
    same = np.isclose([one.cell, one.cell_y], [first.cell, first.cell_y], rtol=1e-6).all()
    if not same or off > 0.01:
        raise LayerError(
            f"has tiles that don't lie on one grid: {one.path.name} has cells of "
            f"{one.cell:g} m, the first {first.cell:g} m",
            layer=layer,
            hint="gdalbuildvrt or gdalwarp makes one grid of them",
        )
    return round(row), round(column)


# --- what a cell holds ------------------------------------------------------------------------


def _heights(raw: Any, tile: _Tile) -> Array:
    """Numbers of a file as metres; NaN where they can be none."""
    heights = np.ma.getdata(raw).astype(float)
    if (tile.scale, tile.offset, tile.metres) != (1.0, 0.0, 1.0):
        with np.errstate(invalid="ignore", over="ignore"):
            heights *= tile.scale
            heights += tile.offset
            heights *= tile.metres
    known = (heights >= LOWEST_M) & (heights <= HIGHEST_M)
    if np.ma.is_masked(raw):
        known &= ~np.ma.getmaskarray(raw)
    if not known.all():
        heights[~known] = np.nan
    return heights


def _sampled(tile: _Tile, layer: str) -> tuple[Array, Array]:
    """Cells of a file as stored and as metres: all of a small one, blocks all over a large one."""
    from rasterio.windows import Window as Block

    size = (tile.rows, tile.columns)
    if tile.rows * tile.columns <= SAMPLED_CELLS:
        blocks = [Block(0, 0, tile.columns, tile.rows)]
    else:
        r, c = (np.linspace(0, max(n - BLOCK_CELLS, 0), BLOCKS_ACROSS).astype(int) for n in size)
        blocks = [
            Block(int(j), int(i), min(BLOCK_CELLS, size[1]), min(BLOCK_CELLS, size[0]))
            for i in r
            for j in c
        ]
    with _one_sentence(tile.path, layer), _opened(tile.path) as file:
        parts = [file.read(1, window=b, masked=True) for b in blocks]
    stored = np.concatenate([np.ma.getdata(p).ravel() for p in parts])
    heights = np.concatenate([_heights(p, tile).ravel() for p in parts])
    known = np.isfinite(heights)
    return stored[known], heights[known]


def _ordinary(tile: _Tile, layer: str) -> Array:
    """Heights that occur in a file, to the centimetre, without those that stand for none."""
    stored, heights = _sampled(tile, layer)
    return np.unique(np.round(heights[~np.isin(stored, _alone(stored, heights, tile))], 2))


def _alone(stored: Array, heights: Array, tile: _Tile, beside: Array | None = None) -> list[float]:
    """Stored values that mean nodata, as how far they are from all other heights tells."""
    found: list[float] = []
    while True:
        more = []
        for edge, up in zip(_ends(heights), (True, False), strict=True):
            value = float(tile.stored(edge))
            if _is_sentinel(value) and _gap(heights, beside, edge, up=up) > ALONE_M:
                more.append(float(stored[heights == edge][0]))
        if not more:
            return found
        found += more
        heights = np.where(np.isin(stored, found), np.nan, heights)


def _ends(heights: Array) -> tuple[float, float]:
    """Lowest and highest; NaN where there is none."""
    # fmin and fmax pass NaN over without a copy
    return (
        float(np.fmin.reduce(heights, axis=None, initial=np.nan)),
        float(np.fmax.reduce(heights, axis=None, initial=np.nan)),
    )


def _beyond(raw: Any, heights: Array, tile: _Tile, layer: str) -> list[float]:
    """Stored values that no ground has and nobody declared; refused where they are many."""
    lost = np.isnan(heights) & ~np.ma.getmaskarray(raw)
    values = np.unique(np.ma.getdata(raw)[lost].astype(float))
    values = values[np.isfinite(values)]
    if len(values) <= MOST_VOIDS:
        return [float(v) for v in values]
    low, high = ((v * tile.scale + tile.offset) * tile.metres for v in (values[0], values[-1]))
    raise LayerError(
        f"{tile.path.name} has {int(lost.sum())} cells from {low:g} to {high:g} m, which no ground "
        "has: another unit, or nodata that a resampling mixed in",
        layer=layer,
        hint="gdal_edit.py -units cm dem.tif states a unit; resample again with the nodata stated: "
        "gdalwarp -srcnodata -9999 in.tif out.tif",
    )


def _require_no_doubt(heights: Array, beside: Array, tile: _Tile, layer: str) -> None:
    """Refuse a value that may be nodata or a hole in the ground."""
    low, high = _ends(heights)
    # a number that often means nodata is in doubt sooner where none is declared
    soon = not tile.declares and _is_sentinel(tile.stored(low))
    apart = DOUBTFUL_SENTINEL_M if soon else DOUBTFUL_M
    if not max(high, beside.max(initial=-np.inf)) - low > apart:
        return
    count = int((heights == low).sum())
    if count > 1 and _gap(heights, beside, low, up=True) > apart:
        value = tile.stored(low)
        raise LayerError(
            f"{tile.path.name} has {count} cells of exactly {value:g}, all others lie more than "
            f"{apart:g} m higher: nodata or ground",
            layer=layer,
            hint=f"gdal_edit.py -a_nodata {value:g} {tile.path.name}, if nodata; if not, "
            "-a_nodata -9999 says so",
        )


def _gap(heights: Array, beside: Array | None, edge: float, *, up: bool) -> float:
    """How far the next height is from the lowest or the highest; 0 where there is no other."""
    nearest = np.inf
    for values in (heights, beside):
        if values is not None and values.size:
            off = (values - edge)[values != edge] * (1 if up else -1)
            nearest = min(nearest, float(np.fmin.reduce(off, axis=None, initial=np.inf)))
    return nearest if np.isfinite(nearest) else 0.0


def _is_sentinel(stored: float) -> bool:
    """Whether programs write this number where they know nothing."""
    return bool(np.isclose(stored, SENTINELS, rtol=1e-6, atol=1e-6).any())


def _footprints(shapes: Any, crs: str) -> Any:
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
