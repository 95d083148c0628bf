"""Which ground does the water reach? Stretch by stretch along a river, in runs of wet cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import shapely

from pinghu_geo.flood.rasters import Rasters, Window
from pinghu_geo.flood.sections import Array

__all__ = ["Flooded", "flooded_ground"]

# cells looked at in one go, about
STRETCH_CELLS = 400_000
# but this many squares around one sample, or most cells would be looked at again and again
SQUARES = 2
# rows of cells that are drawn in one go
ROWS_AT_ONCE = 512


class Flooded(NamedTuple):
    """Ground that the water reaches from the river."""

    area: Any  # MultiPolygon
    depth_max_m: float
    unknown_m2: float  # near the centreline and without a height: neither wet nor dry
    ground_m: Array  # at the samples of the centreline
    bare: Array  # samples of the centreline without any known ground beside them


class _WetRuns(NamedTuple):
    """Wet cells that lie side by side in a row; columns from first to last."""

    row: Array
    first: Array
    last: Array
    depth: Array  # the greatest [m]
    course: Array  # whether the centreline runs through


def flooded_ground(place: Array, level: Array, rasters: Rasters, half_width_m: float) -> Flooded:
    """Ground below the level at the nearest sample of the centreline, connected to the river.

    ``place`` are samples of one centreline in its order, ``level`` the water at each. Memory holds
    one stretch and the runs of wet cells, however long the river is.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(place)
    beside = np.zeros(len(place), bool)
    at_centre = np.full(len(place), np.nan)
    parts, unknown = [], 0
    pad = half_width_m + 2 * max(rasters.cell, rasters.cell_y)
    for begin, end in _stretch_bounds(place, rasters, half_width_m):
        here = place[begin:end]
        low, high = here.min(axis=0) - pad, here.max(axis=0) + pad
        ground = rasters.window(low, high)
        at_centre[begin:end] = ground.at(here)
        corner = rasters.cells_of(low, high)[:2]
        beside[begin:end] = _has_height_beside(here, ground, half_width_m)
        wet = ground.values < level[begin:end].max()  # no other cell can be
        bare = ~np.isfinite(ground.values)
        near = (here, ground, corner, tree, rasters, half_width_m)
        (i, j, nearest), (_, _, lost) = (_cells_near(cells, *near) for cells in (wet, bare))
        mine = (nearest >= begin) & (nearest < end)
        i, j, nearest = i[mine], j[mine], nearest[mine]
        unknown += int(((lost >= begin) & (lost < end)).sum())
        depth = np.full(ground.values.shape, -np.inf)
        depth[i, j] = level[nearest] - ground.values[i, j]
        parts.append(_wet_runs(depth, _centreline_cells(place, (begin, end), ground), *corner))
    runs = _runs_in_order(parts)
    reached = _connected_to_river(runs)
    area = _runs_polygon(_WetRuns(*(v[reached] for v in runs)), rasters)
    deepest = float(runs.depth[reached].max()) if reached.any() else 0.0
    unknown_m2 = unknown * rasters.cell * rasters.cell_y
    return Flooded(area, deepest, unknown_m2, at_centre, ~beside)


def _stretch_bounds(
    place: Array, rasters: Rasters, half_width_m: float
) -> Iterator[tuple[int, int]]:
    """Pieces of the centreline whose surroundings hold few enough cells."""
    begin = 0
    square = (2 * half_width_m) ** 2 / (rasters.cell * rasters.cell_y)
    most = max(STRETCH_CELLS, SQUARES * square)
    while begin < len(place):
        low = np.minimum.accumulate(place[begin:]) - half_width_m
        high = np.maximum.accumulate(place[begin:]) + half_width_m
        cells = np.prod((high - low) / (rasters.cell, rasters.cell_y), axis=1)
        count = max(int(np.searchsorted(cells, most)), 8)
        yield begin, min(begin + count, len(place))
        begin += count


def _has_height_beside(here: Array, ground: Window, half_width_m: float) -> Array:
    """Whether any height is known in the square around each sample."""
    known = np.zeros(np.add(ground.values.shape, 1), np.int32)
    known[1:, 1:] = np.isfinite(ground.values).cumsum(axis=0, dtype=np.int32).cumsum(axis=1)
    column = (here[:, 0] - ground.x0) / ground.cell
    row = (here[:, 1] - ground.y0) / ground.cell_y
    wide, high = half_width_m / ground.cell, half_width_m / -ground.cell_y
    rows, columns = ground.values.shape
    c0, c1 = (np.clip(np.rint(column + k), 0, columns).astype(int) for k in (-wide, wide + 1))
    r0, r1 = (np.clip(np.rint(row + k), 0, rows).astype(int) for k in (-high, high + 1))
    return np.asarray(known[r1, c1] - known[r0, c1] - known[r1, c0] + known[r0, c0] > 0)


def _cells_near(
    asked: Array,
    here: Array,
    ground: Window,
    corner: tuple[int, int],
    tree: Any,
    rasters: Rasters,
    half_width_m: float,
) -> tuple[Array, Array, Array]:
    """Rows and columns of cells near a stretch, and the sample that each is nearest to."""
    i, j = np.nonzero(asked & _near_chord(here, ground, half_width_m))
    # by the common grid: a cell between two stretches gets the same place, and owner, in both
    x = rasters.x + (corner[1] + j + 0.5) * rasters.cell
    y = rasters.y - (corner[0] + i + 0.5) * rasters.cell_y
    _, nearest = tree.query(np.stack([x, y], axis=1), distance_upper_bound=half_width_m)
    return i, j, nearest


def _near_chord(here: Array, ground: Window, half_width_m: float) -> Array:
    """Cells that may be near a stretch: within its bulge of the straight line along it."""
    rows, columns = ground.values.shape
    x = ground.x0 + np.arange(columns) * ground.cell
    y = ground.y0 + np.arange(rows) * ground.cell_y
    way = here[-1] - here[0]
    length = np.hypot(*way)
    if not length:
        return np.ones((rows, columns), bool)
    across = np.array([-way[1], way[0]]) / length
    bulge = (here - here[0]) @ across
    off = (x - here[0, 0])[None] * across[0] + (y - here[0, 1])[:, None] * across[1]
    return np.asarray((off >= bulge.min() - half_width_m) & (off <= bulge.max() + half_width_m))


def _centreline_cells(place: Array, stretch: tuple[int, int], ground: Window) -> Array:
    """Cells that the centreline runs through, from a sample before the stretch to one behind."""
    from rasterio import Affine
    from rasterio.features import rasterize

    line = place[max(stretch[0] - 1, 0) : stretch[1] + 1]
    shape = shapely.linestrings(line) if len(line) > 1 else shapely.points(line[0])
    grid = Affine(
        ground.cell, 0.0, ground.x0 - ground.cell / 2,
        0.0, ground.cell_y, ground.y0 - ground.cell_y / 2,
    )  # fmt: skip
    return np.asarray(
        rasterize([shape], ground.values.shape, transform=grid, all_touched=True), bool
    )


def _wet_runs(depth: Array, course: Array, r0: int, c0: int) -> _WetRuns:
    """Runs of cells with water, by rows and columns of the common grid."""
    columns = depth.shape[1] + 1  # a dry one behind, or runs would go round the edge
    wet = np.zeros((depth.shape[0], columns), bool)
    wet[:, :-1] = depth > 0
    step = np.diff(wet.ravel().astype(np.int8), prepend=0)
    begin, end = np.flatnonzero(step == 1), np.flatnonzero(step == -1)
    if not len(begin):
        return _WetRuns(*(np.zeros(0, t) for t in (int, int, int, float, bool)))
    padded = np.full(wet.shape, -np.inf)
    padded[:, :-1] = depth
    edges = np.column_stack([begin, end]).ravel()
    deepest = np.maximum.reduceat(padded.ravel(), edges)[::2]
    crossed = np.zeros(wet.shape, bool)
    crossed[:, :-1] = course
    before = np.append(0, np.cumsum(crossed.ravel()))
    row, first = np.divmod(begin, columns)
    return _WetRuns(
        row + r0, first + c0, first + c0 + (end - begin) - 1, deepest, before[end] > before[begin]
    )


def _runs_in_order(parts: list[_WetRuns]) -> _WetRuns:
    """Runs of all stretches by row and column."""
    runs = _WetRuns(*(np.concatenate(v) for v in zip(*parts, strict=True)))
    order = np.lexsort((runs.first, runs.row))
    return _WetRuns(*(v[order] for v in runs))


def _connected_to_river(runs: _WetRuns) -> Array:
    """Runs that hang together with the river's course, over corners too."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(runs.row)
    if not n:
        return np.zeros(0, bool)
    west = runs.first.min() - 2
    width = int(runs.last.max() - west) + 3
    begin = runs.row * width + (runs.first - west)
    end = runs.row * width + (runs.last - west)
    pairs = []
    for down, reach in ((0, 1), (1, 1)):  # the next one in the row, those in the row below
        low = np.searchsorted(end, begin + down * width - reach)
        high = np.searchsorted(begin, end + down * width + reach, side="right")
        count = np.maximum(high - low, 0)
        one = np.repeat(np.arange(n), count)
        other = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        pairs.append(np.stack([one, np.repeat(low, count) + other]))
    one, other = np.concatenate(pairs, axis=1).astype(np.int32)  # others fail unheard in scipy 1.11
    links = coo_array((np.ones(len(one), bool), (one, other)), shape=(n, n))
    _, part = connected_components(links, directed=False)
    return np.isin(part, part[runs.course])


def _runs_polygon(runs: _WetRuns, rasters: Rasters) -> Any:
    """The runs as one MultiPolygon along the edges of cells."""
    from rasterio import Affine
    from rasterio.features import shapes

    pieces = []
    top = int(runs.row.min()) if len(runs.row) else 0
    bounds = (
        np.arange(top, int(runs.row.max()) + ROWS_AT_ONCE + 1, ROWS_AT_ONCE)
        if len(runs.row)
        else np.zeros(0, int)
    )
    at = np.searchsorted(runs.row, bounds)
    for row, a, b in zip(bounds[:-1], at[:-1], at[1:], strict=True):
        if a == b:
            continue
        left, right = int(runs.first[a:b].min()), int(runs.last[a:b].max())
        edge = np.zeros((int(runs.row[b - 1] - row) + 1, right - left + 2), np.int8)
        np.add.at(edge, (runs.row[a:b] - row, runs.first[a:b] - left), 1)
        np.add.at(edge, (runs.row[a:b] - row, runs.last[a:b] - left + 1), -1)
        wet = np.cumsum(edge, axis=1, dtype=np.int8)[:, :-1].astype(np.uint8)
        grid = Affine(
            rasters.cell, 0.0, rasters.x + left * rasters.cell,
            0.0, -rasters.cell_y, rasters.y - row * rasters.cell_y,
        )  # fmt: skip
        pieces += [shapely.geometry.shape(s) for s, _ in shapes(wet, mask=wet > 0, transform=grid)]
    area = shapely.union_all(pieces) if pieces else shapely.MultiPolygon()
    return shapely.MultiPolygon([area]) if isinstance(area, shapely.Polygon) else area
