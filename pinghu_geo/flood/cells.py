"""Is a cell a height, or does its number stand for none? Files of heights, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.survey import HIGHEST_M, LOWEST_M
from pinghu_geo.intake.drivers import raster_driver
from pinghu_geo.nouns.errors import LayerError

__all__ = ["Tile", "edge_heights", "known_heights", "one_sentence", "opened", "ordinary_heights"]

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
# ... and any highest that stands so far above: masts and towers do, but not in whole metres
DOUBTFUL_HIGH_M = 100.0
# a sentinel that stands so far below all others, but not alone, is doubtful, too [m]: the edge of
# the sea leaves less, and whole metres leave this
DOUBTFUL_SENTINEL_M, DOUBTFUL_WHOLE_M = 0.5, 1.5
# a number is whole within this
WHOLE = 1e-6
# cells beside a hole, and how far they lie beyond all others where a resampling mixed them [m]
RIM_CELLS, MIXED_M = 2, 10.0
# to which heights that occur in a file are kept [m]
CENTIMETRE = 0.01
# how many cells of a file are looked at before one of its values is taken for nodata
SAMPLED_CELLS, BLOCK_CELLS, BLOCKS_ACROSS = 1_000_000, 32, 5


class Tile(NamedTuple):
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


@contextmanager
def one_sentence(path: Path, layer: str) -> Iterator[None]:
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


def opened(path: Path) -> Any:
    """A raster, opened by the driver of its suffix, whatever its content may say."""
    import rasterio

    return rasterio.open(path, driver=raster_driver(path))


# --- what a cell holds ------------------------------------------------------------------------


def known_heights(raw: Any, beside: Array, tile: Tile, layer: str) -> tuple[Array, list[float]]:
    """Heights of a block, NaN where its numbers mean that there is none, and those numbers."""
    stored, heights = np.ma.getdata(raw), _heights_in_metres(raw, tile)
    none = _isolated_sentinels(stored, heights, tile, beside)
    beyond = _impossible_values(raw, heights, tile, layer)
    if none:
        heights[np.isin(stored, none)] = np.nan
    _refuse_mixed_nodata(raw, heights, tile, layer)
    _refuse_doubtful_values(heights, beside, tile, layer)
    return heights, [*none, *beyond]


def edge_heights(tile: Tile, block: tuple[int, int, int, int], layer: str) -> Array:
    """Heights of a block (row, column, rows, columns of the common grid); NaN for sentinels."""
    from rasterio.windows import Window as Block

    row, column, rows, columns = block
    with one_sentence(tile.path, layer), opened(tile.path) as file:
        here = Block(column - tile.column, row - tile.row, columns, rows)
        raw = file.read(1, window=here, masked=True)
    heights = _heights_in_metres(raw, tile)
    heights[np.isin(np.ma.getdata(raw).astype(float), SENTINELS)] = np.nan
    return heights


def _heights_in_metres(raw: Any, tile: Tile) -> Array:
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


def _sampled_cells(tile: Tile, layer: str) -> tuple[Array, Array]:
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
    with one_sentence(tile.path, layer), opened(tile.path) as file:
        parts = [file.read(1, window=b, masked=True) for b in blocks]
    for part in parts:
        _refuse_mixed_nodata(part, _heights_in_metres(part, tile), tile, layer)
    stored = np.concatenate([np.ma.getdata(p).ravel() for p in parts])
    heights = np.concatenate([_heights_in_metres(p, tile).ravel() for p in parts])
    known = np.isfinite(heights)
    return stored[known], heights[known]


def ordinary_heights(tile: Tile, layer: str) -> Array:
    """Heights that occur in a file, to the centimetre, without those that stand for none."""
    stored, heights = _sampled_cells(tile, layer)
    own = heights[~np.isin(stored, _isolated_sentinels(stored, heights, tile))]
    return np.unique(np.round(own / CENTIMETRE)) * CENTIMETRE


def _isolated_sentinels(
    stored: Array, heights: Array, tile: Tile, beside: Array | None = None
) -> list[float]:
    """Stored values that mean nodata, as how far they are from all other heights tells."""
    found: list[float] = []
    while True:
        more = []
        for edge, up in zip(_lowest_and_highest(heights), (True, False), strict=True):
            value = float(tile.stored(edge))
            if _is_sentinel(value) and _distance_to_next(heights, beside, edge, up=up) > ALONE_M:
                more.append(float(stored[heights == edge][0]))
        if not more:
            return found
        found += more
        heights = np.where(np.isin(stored, found), np.nan, heights)


def _lowest_and_highest(heights: Array) -> tuple[float, float]:
    """Lowest and highest; NaN where there is none."""
    # fmin and fmax pass NaN over without a copy
    return (
        float(np.fmin.reduce(heights, axis=None, initial=np.nan)),
        float(np.fmax.reduce(heights, axis=None, initial=np.nan)),
    )


def _impossible_values(raw: Any, heights: Array, tile: Tile, layer: str) -> list[float]:
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


def _refuse_doubtful_values(heights: Array, beside: Array, tile: Tile, layer: str) -> None:
    """Refuse a value that may be nodata, or a hole or a tower in the ground."""
    low, high = _lowest_and_highest(heights)
    if np.isnan(low):
        return
    spread = max(high, beside.max(initial=-np.inf)) - min(low, beside.min(initial=np.inf))
    for edge, up in ((low, True), (high, False)):
        value = tile.stored(edge)
        apart = _doubtful_distance(value, beside, tile, low=up)
        if not spread > apart:
            continue
        count = int((heights == edge).sum())
        if count == 1:  # one cell alone: a mistake only where nothing else explains it
            apart = max(apart, DOUBTFUL_M if up else DOUBTFUL_HIGH_M)
        if not _distance_to_next(heights, beside, edge, up=up) > apart:
            continue
        raise LayerError(
            f"{tile.path.name} has {count} cells of exactly {value:g}, all others lie more than "
            f"{apart:g} m {'higher' if up else 'lower'}: nodata or ground",
            layer=layer,
            hint=f"gdal_edit.py -a_nodata {value:g} {tile.path.name}, if nodata; if not, "
            "-a_nodata -9999 says so",
        )


def _doubtful_distance(value: float, beside: Array, tile: Tile, *, low: bool) -> float:
    """How far from all others a lowest or highest value is in doubt [m]."""
    if not low:
        whole = not tile.declares and abs(value - round(value)) < WHOLE
        return DOUBTFUL_M if whole else DOUBTFUL_HIGH_M
    if tile.declares or not _is_sentinel(value):
        return DOUBTFUL_M
    # a number that often means nodata is in doubt sooner where none is declared
    whole = bool((np.abs(beside - np.round(beside)) < WHOLE).all())
    return DOUBTFUL_WHOLE_M if whole else DOUBTFUL_SENTINEL_M


def _refuse_mixed_nodata(raw: Any, heights: Array, tile: Tile, layer: str) -> None:
    """Refuse cells around undeclared nodata that a resampling made of it and of the ground.

    They lie between the two, so that neither stands alone; all of them are beside the hole.
    """
    if tile.declares or heights.ndim != 2:
        return
    void = np.isnan(heights) & ~np.ma.getmaskarray(raw)
    if len(np.unique(np.ma.getdata(raw)[void].astype(float))) > MOST_VOIDS:
        return  # refused as what no ground has
    edges = _lowest_and_highest(heights)
    if edges[1] - edges[0] > MIXED_M:
        for edge in edges:
            same = np.abs(heights - edge) <= CENTIMETRE
            if _is_sentinel(tile.stored(edge)) and same.sum() > 1:
                void |= same
    if not void.any():
        return
    from scipy.ndimage import binary_dilation

    known = np.isfinite(heights) & ~void
    rim = binary_dilation(void, np.ones((3, 3), bool), iterations=RIM_CELLS) & known
    others = heights[known & ~rim]
    if not others.size:
        return
    low, high = others.min() - MIXED_M, others.max() + MIXED_M
    mixed = rim & ((heights < low) | (heights > high))
    # one cell may be a pit; the hole itself lies beyond, or it would be ground
    if mixed.sum() > 1:
        raise LayerError(
            f"{tile.path.name} has {int(mixed.sum())} cells beside holes that lie "
            f"{MIXED_M:g} m and more beyond all others: nodata that a resampling mixed in",
            layer=layer,
            hint="gdalwarp -srcnodata -9999 in.tif out.tif resamples again, with the nodata stated",
        )


def _distance_to_next(heights: Array, beside: Array | None, edge: float, *, up: bool) -> float:
    """How far the next height is from the lowest or the highest; 0 where there is no other."""
    nearest = np.inf
    for values, same in ((heights, 0.0), (beside, CENTIMETRE)):
        if values is not None and values.size:
            off = (values - edge) * (1 if up else -1)
            nearest = min(nearest, float(np.fmin.reduce(off[off > same], initial=np.inf)))
    return nearest if np.isfinite(nearest) else 0.0


def _is_sentinel(stored: float) -> bool:
    """Whether programs write this number where they know nothing."""
    return bool(np.isclose(stored, SENTINELS, rtol=1e-6, atol=1e-6).any())
