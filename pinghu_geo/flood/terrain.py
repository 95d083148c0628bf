"""What does the ground say? Sections from a DEM, rasters at buildings, the flooded area."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.errors import CRSError, LayerError
from pinghu_geo.nouns.schema import (
    flat_shapes,
    numbers,
    require_columns,
    require_layer,
    require_polygons,
    same_crs,
)
from pinghu_geo.river.centreline import lay_out, points_at, river_codes, squares_at, stations
from pinghu_geo.river.chainage import format_chainage
from pinghu_geo.river.corridor import locate

__all__ = ["DemSections", "flood_levels", "inundation", "raster_values", "sections_from_dem"]

# elevations below this are a nodata value that was not declared [m]: the Dead Sea is at -430
LOWEST_M = -500.0
# the level of a flooded cell is taken from the centreline's point nearest to it [m]
ALONG_M = 2.0


class DemSections(NamedTuple):
    """Sections cut from a DEM with a surveyed bed, and where their channel ends.

    ``sections`` has the columns of `water_profile` and source {survey, dem}; ``banks`` has
    left_bank_m and right_bank_m, the ends of the surveyed bed.
    """

    sections: pd.DataFrame
    banks: pd.DataFrame


def sections_from_dem(
    rivers: gpd.GeoDataFrame,
    dem: str | Path | Sequence[str | Path],
    bed: pd.DataFrame,
    *,
    n: float,
    spacing_m: float = 20.0,
    half_width_m: float = 60.0,
    step_m: float | None = None,
) -> DemSections:
    """Cross-sections from a DEM with the surveyed channel burned in 地形断面.

    Parameters
    ----------
    rivers
        Centrelines, indexed by river.
    dem
        Elevation raster [m] in the same CRS, or several tiles of one resolution.
    bed
        Surveyed points of the channel: river, chainage_m, offset_m, elevation_m, n. Lidar sees
        the water's surface, so that without a survey there is no bed and no answer.
    n
        Manning's roughness of the ground outside the surveyed channel.
    spacing_m
        Between sections [m]; surveyed sections are kept where they are.
    half_width_m
        Reach of a section to each side [m].
    step_m
        Between points taken from the DEM [m]; by default its cell.

    Returns
    -------
    DemSections
        Sections from the first to the last surveyed one of each river, and their banks.

    Raises
    ------
    LayerError, CRSError
        A river without a surveyed bed; a DEM in another CRS, rotated, or with a nodata value it
        doesn't declare; holes of the DEM inside a section. Holes at a section's ends shorten it.

    Notes
    -----
    DEM: bilinear between the centres of four cells; NA if one of them is nodata. Bed: as surveyed
    at surveyed chainages; between them every point moves along a straight line from one surveyed
    section to the next, at equal shares of the way along the two beds.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> bed = pg.design_sections(pg.read_table(sample / "设计断面.csv", "design"))
    >>> made = pg.sections_from_dem(rivers, sample / "地面高程.tif", bed, n=0.05, spacing_m=100)
    >>> sorted(made.sections["source"].unique())
    ['dem', 'survey']
    """
    require_layer(rivers, "rivers")
    need = ("river", "chainage_m", "offset_m", "elevation_m", "n")
    require_columns(bed, need, "bed")
    lost = [name for name in rivers.index if name not in set(bed["river"])]
    if lost:
        raise LayerError(
            "has rivers without a surveyed bed; a DEM shows the water's surface, not the bed",
            layer="bed",
            ids=lost,
            hint="survey the channel, or leave the river out: rivers = rivers.drop(...)",
        )
    channel = _bed_sections(bed, rivers, spacing_m)
    lines = lay_out(rivers)
    points, banks = [], []
    for river, part in channel.groupby("river", sort=False):
        at = part["chainage_m"].unique()
        code = river_codes(pd.Series([river]), lines, "bed")[0]
        place, right = squares_at(lines, np.full(len(at), code), at)
        reach = half_width_m + float(np.abs(part["offset_m"]).max())
        ground = _Ground.read(dem, place, reach, rivers.crs)
        step = step_m or ground.cell
        offsets = np.arange(-np.floor(half_width_m / step), half_width_m / step + 1e-9) * step
        xy = place[:, None] + offsets[:, None] * right[:, None]
        made, ends = _merged(part, at, offsets, ground.at(xy), n, str(river))
        points.append(made)
        banks.append(ends)
    return DemSections(pd.concat(points, ignore_index=True), pd.concat(banks, ignore_index=True))


def _bed_sections(bed: pd.DataFrame, rivers: gpd.GeoDataFrame, spacing_m: float) -> pd.DataFrame:
    """Surveyed beds, and beds between them at regular stations."""
    regular = stations(rivers, spacing_m=spacing_m)
    parts = []
    for river, part in bed.groupby("river", sort=False):
        beds = [
            (float(at),
             *(numbers(p, c, "bed").to_numpy() for c in ("offset_m", "elevation_m", "n")))
            for at, p in part.groupby("chainage_m")
        ]  # fmt: skip
        at = regular.loc[regular["river"] == river, "chainage_m"].to_numpy(float)
        for k, (here, x, z, rough) in enumerate(beds):
            parts.append((river, here, x, z, rough))
            if k + 1 < len(beds):
                there = beds[k + 1][0]
                for between in at[(at > here + 0.01) & (at < there - 0.01)]:
                    share = (between - here) / (there - here)
                    parts.append((river, between, *_between(beds[k], beds[k + 1], share)))
    return pd.concat(
        [
            pd.DataFrame(
                {"river": r, "chainage_m": at, "offset_m": x, "elevation_m": z, "n": rough}
            )
            for r, at, x, z, rough in parts
        ],
        ignore_index=True,
    )


def _between(one: tuple[Any, ...], other: tuple[Any, ...], share: float) -> tuple[Array, ...]:
    """Bed at a share of the way from one surveyed bed to another."""
    way = [_way(x, z) for _, x, z, _ in (one, other)]
    knots = np.union1d(*way) if len(way[0]) != len(way[1]) else None
    if knots is None:  # the same corners in both: each moves to its partner
        return tuple((1 - share) * a + share * b for a, b in zip(one[1:], other[1:], strict=True))
    shapes = [
        np.stack([np.interp(knots, w, v) for v in s[1:]])
        for w, s in zip(way, (one, other), strict=True)
    ]
    return tuple((1 - share) * shapes[0] + share * shapes[1])


def _way(x: Array, z: Array) -> Array:
    """Share of the way along a bed at each of its points."""
    gone = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))])
    share: Array = gone / gone[-1]
    return share


def _merged(
    channel: pd.DataFrame, at: Array, offsets: Array, ground: Array, n: float, river: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ground outside the channel and the channel itself, as points from left to right."""
    by = channel.groupby("chainage_m")["offset_m"].agg(["min", "max"]).loc[at]
    left, right = (by[c].to_numpy()[:, None] for c in ("min", "max"))
    outside = (offsets < left) | (offsets > right)
    middle = int(np.searchsorted(offsets, 0.0))
    known = np.isfinite(ground) | ~outside
    # a hole on the way out ends the section there
    reach = np.concatenate(
        [
            np.minimum.accumulate(known[:, :middle][:, ::-1], axis=1)[:, ::-1],
            np.minimum.accumulate(known[:, middle:], axis=1),
        ],
        axis=1,
    )
    hole = np.isfinite(ground) & outside & ~reach
    if hole.any():
        raise LayerError(
            "has holes (nodata) inside cross-sections",
            layer="dem",
            ids=[f"{river} {format_chainage(c)}" for c in at[hole.any(axis=1)]],
            hint="fill the holes, or give a smaller half_width_m",
        )
    row, column = np.nonzero(outside & reach)
    dem = pd.DataFrame(
        {
            "river": river, "chainage_m": at[row], "offset_m": offsets[column],
            "elevation_m": ground[row, column], "n": n, "source": "dem",
        }
    )  # fmt: skip
    both = pd.concat([dem, channel.assign(source="survey")], ignore_index=True)
    # the right end of the survey begins ground of the DEM's roughness
    last = both.groupby("chainage_m")["offset_m"].transform("max")
    ends = by["max"].reindex(both["chainage_m"]).to_numpy()
    edge = (both["source"] == "survey") & (both["offset_m"] == ends) & (ends < last)
    both.loc[edge & ~both[edge].duplicated("chainage_m", keep="last"), "n"] = n
    order = both.sort_values(["chainage_m", "offset_m"], kind="stable", ignore_index=True)
    banks = pd.DataFrame(
        {"river": river, "chainage_m": at, "left_bank_m": left[:, 0], "right_bank_m": right[:, 0]}
    )
    return order, banks


class _Ground(NamedTuple):
    """Part of a DEM in memory."""

    values: Array  # (rows, columns), NaN: nodata
    x0: float  # centre of the first cell
    y0: float
    cell: float
    cell_y: float

    @classmethod
    def read(
        cls, dem: str | Path | Sequence[str | Path], place: Array, reach: float, crs: Any
    ) -> _Ground:
        """Read what lies around some points."""
        import rasterio
        from rasterio.windows import Window

        paths = [dem] if isinstance(dem, str | Path) else list(dem)
        grids = {p: _checked(p, crs) for p in paths}
        first = next(iter(grids.values()))
        pad = reach + 2 * max(first.cell, first.cell_y)
        low, high = place.min(axis=0) - pad, place.max(axis=0) + pad
        # the part of the common grid that is wanted, counted from the first tile's corner
        c0, c1 = (int(np.floor((x - first.x) / first.cell)) for x in (low[0], high[0]))
        r0, r1 = (int(np.floor((first.y - y) / first.cell_y)) for y in (high[1], low[1]))
        values = np.full((r1 - r0 + 1, c1 - c0 + 1), np.nan)
        for path, grid in grids.items():
            row, column = grid.place_in(first, path)
            top, left = max(row, r0), max(column, c0)
            bottom, right = min(row + grid.rows, r1 + 1), min(column + grid.columns, c1 + 1)
            if top >= bottom or left >= right:
                continue
            with rasterio.open(path) as file:
                part = file.read(
                    1,
                    window=Window(left - column, top - row, right - left, bottom - top),
                    masked=True,
                )
            part = part.astype(float).filled(np.nan)
            here = values[top - r0 : bottom - r0, left - c0 : right - c0]
            np.copyto(here, part, where=np.isnan(here) & (part > LOWEST_M))
        if np.isnan(values).all():
            raise LayerError(
                "doesn't cover the river", layer="dem", hint="check the tiles and their CRS"
            )
        return cls(
            values,
            first.x + (c0 + 0.5) * first.cell,
            first.y - (r0 + 0.5) * first.cell_y,
            first.cell,
            -first.cell_y,
        )

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


class _Grid(NamedTuple):
    """Cells of a raster: upper left corner, size [m], number, CRS."""

    x: float
    y: float
    cell: float
    cell_y: float
    rows: int
    columns: int
    crs: str  # as the raster writes it

    def place_in(self, first: _Grid, path: str | Path) -> tuple[int, int]:
        """Row and column of its corner, counted from the first tile's."""
        row, column = (first.y - self.y) / first.cell_y, (self.x - first.x) / first.cell
        off = max(abs(row - round(row)), abs(column - round(column)))
        same = np.isclose([self.cell, self.cell_y], [first.cell, first.cell_y], rtol=1e-6).all()
        if not same or off > 0.01:
            raise LayerError(
                f"has tiles that don't lie on one grid: {Path(path).name} has cells of "
                f"{self.cell:g} m, the first {first.cell:g} m",
                layer="dem",
                hint="gdalbuildvrt or gdalwarp makes one grid of them",
            )
        return round(row), round(column)


def _checked(path: str | Path, crs: Any) -> _Grid:
    """Grid of a raster that can be used."""
    import rasterio

    if not Path(path).exists():
        raise LayerError(f"there is no file {path}", layer="raster")
    with rasterio.open(path) as file:
        name = Path(path).name
        if file.crs is None or not same_crs(CRS.from_wkt(file.crs.to_wkt()), crs):
            raise CRSError(
                f"{name} is in {file.crs or 'no CRS'}, the layer in {crs.name}",
                layer="raster",
                hint="gdalwarp -t_srs EPSG:4547 in.tif out.tif, with the layer's code",
            )
        grid = file.transform
        if grid.b or grid.d or grid.a <= 0 or grid.e >= 0:
            raise LayerError(
                f"{name} is rotated or drawn upside down",
                layer="raster",
                hint="gdalwarp makes a grid along the axes, north up",
            )
        if file.nodata is None and _undeclared(file):
            raise LayerError(
                f"{name} holds values below {LOWEST_M:g} and declares no nodata value",
                layer="raster",
                hint="gdal_edit.py -a_nodata -9999 raster.tif, with its value",
            )
        return _Grid(
            grid.c, grid.f, grid.a, -grid.e, file.height, file.width, str(file.crs.to_wkt())
        )


def _undeclared(file: Any) -> bool:
    """Whether values that no ground or flood has stand in a raster."""
    return any(
        bool((file.read(1, window=window) < LOWEST_M).any()) for _, window in file.block_windows(1)
    )


# --- rasters at buildings ---------------------------------------------------------------------


def raster_values(
    features: gpd.GeoDataFrame, raster: str | Path, *, column: str = "value"
) -> pd.DataFrame:
    """Values of a raster within each footprint, by exact shares of cells 栅格取值.

    Parameters
    ----------
    features
        Polygons, indexed by their ids.
    raster
        Flood depth, flood level or ground [m], in the same CRS.
    column
        What the results are called.

    Returns
    -------
    pandas.DataFrame
        On the features' index: {column}_mean, {column}_min, {column}_max of the cells touched,
        and covered_ratio, the share of the footprint with a value; NA where there is none.

    Raises
    ------
    LayerError, CRSError
        Another CRS, geometry that can't be used, or a nodata value that is not declared: -9999
        would enter the means.

    Notes
    -----
    exactextract weighs each cell by the share of it that the footprint covers, so that a house
    smaller than a cell has a value too.

    Examples
    --------
    >>> houses = pg.read_layer(sample / "房屋.shp", "buildings").head(3)
    >>> pg.raster_values(houses, sample / "地面高程.tif", column="ground_m").columns.tolist()
    ['ground_m_mean', 'ground_m_min', 'ground_m_max', 'covered_ratio']
    """
    from exactextract import exact_extract

    require_layer(features, "features")
    require_polygons(features, "features")
    grid = _checked(raster, features.crs)
    names = [f"{column}_{k}" for k in ("mean", "min", "max")] + ["covered_ratio"]
    if features.empty:
        return pd.DataFrame(columns=names, index=features.index, dtype=float)
    shapes = flat_shapes(features)
    found = exact_extract(
        str(raster), _footprints(shapes, grid.crs), ["mean", "min", "max", "count"],
        output="pandas", strategy="raster-sequential",
    )  # fmt: skip
    share = found["count"].to_numpy(float) * grid.cell * grid.cell_y / shapely.area(shapes)
    values = [found[k].to_numpy(float) for k in ("mean", "min", "max")]
    some = share > 0
    return pd.DataFrame(
        {
            **{c: np.where(some, v, np.nan) for c, v in zip(names, values, strict=False)},
            "covered_ratio": np.clip(share, 0.0, 1.0),
        },
        index=features.index,
    )


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


# --- levels on the ground ---------------------------------------------------------------------


def flood_levels(
    features: gpd.GeoDataFrame,
    profile: pd.DataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    dem: str | Path | None = None,
) -> pd.DataFrame:
    """Flood level beside each building, its depth and freeboard 房屋设计洪水位.

    Parameters
    ----------
    features
        Polygons, indexed by their ids.
    profile
        Of `water_profile`, one flood and scheme.
    rivers
        Centrelines in the same CRS.
    dem
        Ground [m]; without it depth and freeboard are NA.

    Returns
    -------
    pandas.DataFrame
        On the features' index: flood_level_m, the level at the building's chainage (NA outside
        the profile); ground_m, the mean ground within the footprint; flood_depth_m, freeboard_m
        (ground less level; negative: the ground lies below the flood).

    Raises
    ------
    LayerError, CRSError
        Layers that can't be used, or a profile of several floods.

    Notes
    -----
    The level is carried across the flow from the centreline: it says nothing of walls in between.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> houses = pg.read_layer(sample / "房屋.shp", "buildings").head(2)
    >>> level = pd.DataFrame({"river": "君子布河", "chainage_m": [0.0, 6200.0],
    ...     "level_m": [56.0, 43.0]})
    >>> bool(pg.flood_levels(houses, level, rivers)["flood_level_m"].notna().all())
    True
    """
    _single(profile)
    where = locate(features, rivers)
    level = _level_at(profile, where["river"].to_numpy(), where["chainage_m"].to_numpy())
    found = pd.DataFrame({"flood_level_m": level}, index=features.index)
    ground = np.full(len(found), np.nan)
    if dem is not None:
        ground = raster_values(features, dem, column="ground_m")["ground_m_mean"].to_numpy()
    found["ground_m"] = ground
    found["freeboard_m"] = found["ground_m"] - found["flood_level_m"]
    found["flood_depth_m"] = (-found["freeboard_m"]).clip(lower=0)
    return found


def _single(profile: pd.DataFrame) -> None:
    require_columns(profile, ("river", "chainage_m", "level_m"), "profile")
    for column in ("profile", "scheme"):
        if column in profile.columns and profile[column].nunique() > 1:
            raise LayerError(
                f"holds several values of {column}",
                layer="profile",
                hint=f'profile = profile[profile["{column}"] == {profile[column].iloc[0]!r}]',
            )


def _level_at(profile: pd.DataFrame, river: Array, chainage: Array) -> Array:
    """Level between sections; NaN outside them."""
    level = np.full(len(chainage), np.nan)
    for name, part in profile.sort_values("chainage_m").groupby("river"):
        mine = river == name
        level[mine] = np.interp(
            chainage[mine], part["chainage_m"], part["level_m"], left=np.nan, right=np.nan
        )
    return level


def inundation(
    profile: pd.DataFrame,
    dem: str | Path | Sequence[str | Path],
    rivers: gpd.GeoDataFrame,
    *,
    half_width_m: float = 100.0,
) -> gpd.GeoDataFrame:
    """Ground below the computed level that the river reaches 淹没范围.

    Parameters
    ----------
    profile
        Of `water_profile`, one flood and scheme.
    dem
        Ground [m] in the same CRS.
    rivers
        Centrelines.
    half_width_m
        How far from the centreline ground is looked at [m].

    Returns
    -------
    geopandas.GeoDataFrame
        One row a river: river, geometry, flooded_m2, depth_max_m. Low ground that no water
        reaches over lower ground is left out.

    Raises
    ------
    LayerError, CRSError
        Layers that can't be used.

    Notes
    -----
    Cell by cell: the level at the centreline's nearest point, less the ground. A screening: no
    flow is computed outside the sections.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers").loc[["君子布河"]]
    >>> level = pd.DataFrame({"river": "君子布河", "chainage_m": [0.0, 6200.0],
    ...     "level_m": [56.0, 43.0]})
    >>> pg.inundation(level, sample / "地面高程.tif", rivers).geom_type.tolist()
    ['MultiPolygon']
    """
    _single(profile)
    require_layer(rivers, "rivers")
    lines = lay_out(rivers)
    rows = []
    for k, river in enumerate(lines.names):
        part = profile[profile["river"] == river]
        if part.empty:
            continue
        span = np.sort(lines.scales[k].measure(part["chainage_m"].to_numpy(float)))[[0, -1]]
        measure = np.append(np.arange(span[0], span[1], ALONG_M), span[1])
        place, _ = points_at(lines, np.full(len(measure), k), measure)
        level = _level_at(part, np.full(len(measure), river), lines.scales[k].chainage(measure))
        rows.append((river, *_flooded(place, level, dem, rivers.crs, half_width_m)))
    table = pd.DataFrame(rows, columns=["river", "geometry", "flooded_m2", "depth_max_m"])
    return gpd.GeoDataFrame(table, geometry="geometry", crs=rivers.crs)


def _flooded(
    place: Array, level: Array, dem: Any, crs: Any, half_width_m: float
) -> tuple[Any, float, float]:
    """Area below the level that is connected to the river, and the greatest depth."""
    from rasterio import Affine
    from rasterio.features import rasterize, shapes
    from scipy import ndimage

    ground = _Ground.read(dem, place, half_width_m, crs)
    i, j = np.nonzero(np.isfinite(ground.values))
    xy = np.stack([ground.x0 + j * ground.cell, ground.y0 + i * ground.cell_y], axis=1)
    cells = shapely.points(xy)
    at, nearest = shapely.STRtree(shapely.points(place)).query_nearest(
        cells, max_distance=half_width_m, all_matches=False
    )
    depth = np.full(ground.values.shape, -np.inf)
    depth[i[at], j[at]] = level[nearest] - ground.values[i[at], j[at]]
    wet = depth > 0
    grid = Affine(
        ground.cell, 0.0, ground.x0 - ground.cell / 2,
        0.0, ground.cell_y, ground.y0 - ground.cell_y / 2,
    )  # fmt: skip
    course = rasterize([shapely.linestrings(place)], wet.shape, transform=grid, all_touched=True)
    parts, _ = ndimage.label(wet, structure=np.ones((3, 3)))
    reached = np.isin(parts, np.setdiff1d(np.unique(parts[(course > 0) & wet]), [0]))
    found = [
        shapely.geometry.shape(one)
        for one, value in shapes(reached.astype(np.uint8), mask=reached, transform=grid)
        if value
    ]
    area = shapely.union_all(found) if found else shapely.MultiPolygon()
    if area.geom_type == "Polygon":
        area = shapely.MultiPolygon([area])
    deepest = float(depth[reached].max()) if reached.any() else 0.0
    return area, float(shapely.area(area)), deepest
