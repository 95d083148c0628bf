"""What does the ground say? Sections from a DEM, rasters at buildings, the flooded area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.flood.between import Standing, levels_between, standing_on
from pinghu_geo.flood.floodplain import flooded_ground
from pinghu_geo.flood.offsets import require_across
from pinghu_geo.flood.rasters import Rasters, Source, unit_of_heights
from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.notices import notify
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import (
    Lang,
    flat_shapes,
    numbers,
    require_columns,
    require_layer,
    require_polygons,
)
from pinghu_geo.nouns.tables import places_of
from pinghu_geo.nouns.units import datum_of, require_one_datum
from pinghu_geo.river.centreline import (
    Centrelines,
    Ints,
    by_measure,
    lay_out,
    points_at,
    river_codes,
    stations,
)
from pinghu_geo.river.chainage import format_chainage
from pinghu_geo.river.corridor import locate

__all__ = ["DemSections", "flood_levels", "inundation", "raster_values", "sections_from_dem"]

# ground beside a bed is not so far from the bed's ends, unless its heights are others [m]
FAR_M = 15.0
# nor is the ground at the centreline from the flood level, over most of a river [m]
DEEP_M = 50.0
# water may stand so many times deeper over the ground than ground may lie above it
BELOW_TIMES = 3.0
SCALE_HINT = (
    "gdal_edit.py -scale 0.1 dem.tif declares decimetres, -units ft feet; heights of another datum "
    "are to be shifted first"
)
# cells in memory at once
WINDOW_CELLS = 500_000
# the level of a flooded cell is taken from the centreline's point nearest to it [m]
ALONG_M = 2.0
# so many equal heights are no ground
SEVERAL = 5
# of a footprint at least so much is to be known for its mean ground; ours, no standard says it
LEAST_KNOWN = 0.9
# a level that falls by less across a structure isn't told of [m]
LEAST_FALL_M = 0.01
# so many places along a river tell whether its ground and its levels are of one system
PLACES = 41


@dataclass(frozen=True, slots=True)
class DemSections(Result):
    """Sections cut from a DEM with a surveyed bed, and where their channel ends 地形断面结果.

    ``sections`` has the columns of `water_profile` and source {survey, dem}; ``banks`` has
    left_bank_m and right_bank_m, the ends of the surveyed bed.
    """

    sections: pd.DataFrame
    banks: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """How many sections, and what they were cut from."""
        cut = self.sections.groupby(["river", "chainage_m"], sort=False)["source"]
        return [
            say(
                "{} sections of {} rivers, {} of them with ground from the DEM.",
                lang,
                cut.ngroups,
                self.sections["river"].nunique(),
                int(cut.agg(lambda s: bool((s == "dem").any())).sum()),
            )
        ]


@takes()
def sections_from_dem(
    rivers: gpd.GeoDataFrame,
    dem: Source,
    bed: pd.DataFrame,
    *,
    n: float,
    spacing_m: float = 20.0,
    half_width_m: float = 60.0,
    step_m: float | None = None,
    structures: pd.DataFrame | None = None,
) -> DemSections:
    """Cross-sections from a DEM with the surveyed channel burned in 地形断面.

    Parameters
    ----------
    rivers
        Centrelines, indexed by river.
    dem
        Elevation raster [m] in the same CRS, or several tiles of one resolution.
    bed
        Surveyed points of the channel: river, chainage_m, offset_m, elevation_m, n; offsets about
        the centreline, from left to right (else `section_offsets`). Lidar sees the water's
        surface, so that without a survey there is no bed and no answer.
    n
        Manning's roughness of the ground outside the surveyed channel.
    spacing_m
        Between sections [m]; surveyed sections are kept where they are.
    half_width_m
        Reach of a section to each side [m].
    step_m
        Between points taken from the DEM [m]; by default its cell.
    structures
        Bridges, culverts, weirs as in `water_profile`: no section is made within their length
        (length_m, width_m), so that a long covered reach lies between two sections.

    Returns
    -------
    DemSections
        Sections from the first to the last surveyed one of each river, and their banks.

    Raises
    ------
    LayerError, CRSError
        A river without a surveyed bed; offsets that run back, or on one side of the centreline; a
        DEM in another CRS, rotated, in another unit or datum than the bed; sections without ground
        on a side; holes of the DEM inside a section. Holes at a section's ends shorten it.

    Notes
    -----
    DEM: bilinear between the centres of four cells; NA if one of them is nodata. Bed: as surveyed
    at surveyed chainages; between them every point moves along a straight line from one surveyed
    section to the next, at equal shares of the way along the two beds.

    References
    ----------
    Merwade, Cook and Coonrod, GIS techniques for creating river terrain models for hydrodynamic
    modeling and flood inundation mapping, Environmental Modelling and Software 23 (2008) 1300-1311.

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
    require_across(bed, "bed")
    lost = [name for name in rivers.index if name not in set(bed["river"])]
    if lost:
        raise LayerError(
            "has rivers without a surveyed bed; a DEM shows the water's surface, not the bed",
            layer="bed",
            ids=lost,
            hint="survey the channel, or leave the river out: rivers = rivers.drop(...)",
        )
    rasters = Rasters.of(dem, rivers.crs, "dem")
    require_one_datum({"bed": bed, "dem": rasters.datum})
    lines = lay_out(rivers)
    regular: pd.DataFrame = stations(rivers, spacing_m=spacing_m)
    if structures is not None:
        regular = _outside_structures(regular, structures, lines)
    channel = _bed_sections(bed, lines, regular)
    points, banks = [], []
    for river, part in channel.groupby("river", sort=False):
        at = part["_at"].unique()
        code = river_codes(pd.Series([river]), lines, "bed")[0]
        place, flow = points_at(lines, np.full(len(at), code), at)
        right = np.stack([flow[:, 1], -flow[:, 0]], axis=1)
        step = step_m or rasters.cell
        offsets = np.arange(-np.floor(half_width_m / step), half_width_m / step + 1e-9) * step
        ground = _heights_at(rasters, place[:, None] + offsets[:, None] * right[:, None])
        made, ends = _ground_with_bed(part, at, offsets, ground, n, str(river))
        points.append(made)
        which = lines.scales[code].repeated(ends["_at"], said=ends["chainage_m"])
        banks.append(ends.drop(columns="_at").assign(repeated=which))
    sections = pd.concat(points, ignore_index=True)
    if datum := datum_of(bed):  # the ground is above the same, or was refused
        sections["datum"] = datum
    edges = pd.concat(banks, ignore_index=True)
    if edges["repeated"].isna().all():  # no chainage occurs twice
        edges = edges.drop(columns="repeated")
    return DemSections(sections, edges)


def _outside_structures(
    regular: pd.DataFrame, structures: pd.DataFrame, lines: Centrelines
) -> pd.DataFrame:
    """Stations that stand in no structure's length."""
    require_columns(structures, ("river", "chainage_m"), "structures")
    free = np.ones(len(regular), bool)
    for river, mine in structures.groupby("river", sort=False):
        rows = np.flatnonzero(regular["river"] == river)
        if not len(rows):
            continue
        code = int(river_codes(pd.Series([river]), lines, "structures")[0])
        scale = lines.scales[code]
        at = _measure_of_stations(regular.iloc[rows], lines, code)
        middle = scale.measure(
            numbers(mine, "chainage_m", "structures").to_numpy(float), beyond=True
        )
        half = np.zeros(len(mine))
        for column in ("length_m", "width_m"):
            if column in mine.columns:
                long = numbers(mine, column, "structures").to_numpy(float)
                half = np.fmax(half, long / 2)
        free[rows] = ~(np.abs(at[:, None] - middle) < half).any(axis=1)
    return regular[free]


def _measure_of_stations(mine: pd.DataFrame, lines: Centrelines, code: int) -> Array:
    """Measures of one river's drawn stations [m]: their place says which of two is meant."""
    own = slice(lines.first[code], lines.first[code + 1])
    course = shapely.linestrings(np.vstack([lines.start[own], lines.end[own][-1:]]))
    near = shapely.line_locate_point(course, np.asarray(mine.geometry))
    return lines.scales[code].measure(mine["chainage_m"].to_numpy(float), near=near)


def _bed_sections(bed: pd.DataFrame, lines: Centrelines, regular: pd.DataFrame) -> pd.DataFrame:
    """Surveyed beds, and beds between them at regular stations, in the order of their chainage."""
    parts = []
    for river, part in bed.groupby("river", sort=False):
        code = int(river_codes(pd.Series([river]), lines, "bed")[0])
        scale = lines.scales[code]
        said, x, z, rough = (
            numbers(part, c, "bed").to_numpy()
            for c in ("chainage_m", "offset_m", "elevation_m", "n")
        )
        place = scale.measure(said, twice="order")
        beds = [
            (float(at), x[rows], z[rows], rough[rows], said[rows])
            for at, rows in sorted(places_of(pd.Series(place).groupby(place)).items())
        ]
        mine = regular[regular["river"] == river]
        own = mine["chainage_m"].to_numpy(float)
        at = _measure_of_stations(mine, lines, code)
        for k, (here, x, z, rough, said) in enumerate(beds):
            parts.append((river, said[0], here, x, z, rough))
            if k + 1 < len(beds):
                there = beds[k + 1][0]
                for j in np.flatnonzero((at > here + 0.01) & (at < there - 0.01)):
                    share = (at[j] - here) / (there - here)
                    made = _bed_between(beds[k][:4], beds[k + 1][:4], share)
                    parts.append((river, own[j], at[j], *made))
    count = [len(part[3]) for part in parts]
    names, said, place = (np.repeat([part[k] for part in parts], count) for k in range(3))
    x, z, rough = (np.concatenate([part[k] for part in parts]) for k in (3, 4, 5))
    return pd.DataFrame(
        {
            "river": names.astype(object), "chainage_m": said, "offset_m": x, "elevation_m": z,
            "n": rough, "_at": place,
        }
    )  # fmt: skip


def _bed_between(one: tuple[Any, ...], other: tuple[Any, ...], share: float) -> tuple[Array, ...]:
    """Bed at a share of the way from one surveyed bed to another."""
    way = [_share_along_bed(x, z) for _, x, z, _ in (one, other)]
    knots = np.union1d(*way) if len(way[0]) != len(way[1]) else None
    if knots is None:  # the same corners in both: each moves to its partner
        return tuple((1 - share) * a + share * b for a, b in zip(one[1:], other[1:], strict=True))
    shapes = [
        np.stack([np.interp(knots, w, v) for v in s[1:]])
        for w, s in zip(way, (one, other), strict=True)
    ]
    return tuple((1 - share) * shapes[0] + share * shapes[1])


def _share_along_bed(x: Array, z: Array) -> Array:
    """Share of the way along a bed at each of its points."""
    gone = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))])
    share: Array = gone / gone[-1]
    return share


def _ground_with_bed(
    channel: pd.DataFrame, at: Array, offsets: Array, ground: Array, n: float, river: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ground outside the channel and the channel itself, as points from left to right."""
    by = channel.groupby("_at")["offset_m"].agg(["min", "max"]).loc[at]
    said = channel.groupby("_at")["chainage_m"].first().loc[at].to_numpy()
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
    _require_ground(ground, outside, offsets, said, river)
    hole = np.isfinite(ground) & outside & ~reach
    if hole.any():
        raise LayerError(
            "has holes (nodata) inside cross-sections",
            layer="dem",
            ids=[f"{river} {format_chainage(c)}" for c in said[hole.any(axis=1)]],
            hint="fill the holes, or give a smaller half_width_m",
        )
    _require_ground_near_bed(channel, offsets, np.where(outside & reach, ground, np.nan))
    row, column = np.nonzero(outside & reach)
    dem = pd.DataFrame(
        {
            "river": river, "chainage_m": said[row], "offset_m": offsets[column],
            "elevation_m": ground[row, column], "n": n, "source": "dem", "_at": at[row],
        }
    )  # fmt: skip
    both = pd.concat([dem, channel.assign(source="survey")], ignore_index=True)
    # the right end of the survey begins ground of the DEM's roughness
    last = both.groupby("_at")["offset_m"].transform("max")
    ends = by["max"].reindex(both["_at"]).to_numpy()
    edge = (both["source"] == "survey") & (both["offset_m"] == ends) & (ends < last)
    both.loc[edge & ~both[edge].duplicated("_at", keep="last"), "n"] = n
    # by growing chainage, whichever way that runs; along the river where it jumps
    way = 1.0 if said[-1] >= said[0] else -1.0
    order = both.assign(_at=both["_at"] * way).sort_values(
        ["_at", "offset_m"], kind="stable", ignore_index=True
    )
    banks = pd.DataFrame(
        {
            "river": river, "chainage_m": said, "left_bank_m": left[:, 0],
            "right_bank_m": right[:, 0], "_at": at,
        }
    )  # fmt: skip
    rows = order.drop(columns="_at")
    return rows, banks if way > 0 else banks[::-1].reset_index(drop=True)


def _heights_at(rasters: Rasters, xy: Array) -> Array:
    """Elevations at the points of many sections (sections, points, 2), a few sections at a time."""
    found = np.full(xy.shape[:2], np.nan)
    pad = 2 * max(rasters.cell, rasters.cell_y)
    begin = 0
    while begin < len(xy):
        low = np.minimum.accumulate(xy[begin:].min(axis=1)) - pad
        high = np.maximum.accumulate(xy[begin:].max(axis=1)) + pad
        cells = np.prod((high - low) / (rasters.cell, rasters.cell_y), axis=1)
        end = begin + max(int(np.searchsorted(cells, WINDOW_CELLS)), 1)
        window = rasters.window(low[end - begin - 1], high[end - begin - 1])
        found[begin:end] = window.at(xy[begin:end])
        begin = end
    if np.isnan(found).all():
        raise LayerError(
            "doesn't cover the river", layer="dem", hint="check the tiles and their CRS"
        )
    return found


def _require_ground(ground: Array, outside: Array, offsets: Array, at: Array, river: str) -> None:
    """Refuse sections that have no ground at all on a side: a tile may be missing."""
    for side, mine in (("left", offsets < 0), ("right", offsets > 0)):
        wanted = outside & mine
        bare = np.asarray(wanted.any(axis=1) & ~(wanted & np.isfinite(ground)).any(axis=1))
        if bare.any():
            raise LayerError(
                f"has no ground on the {side} of sections; is a tile missing",
                layer="dem",
                ids=_stretch_labels(at, bare, river),
                hint='dem=["a.tif", "b.tif"], with all tiles of the river; or a bed that ends '
                "where the DEM does",
            )


def _stretch_labels(chainage: Array, bare: Array, river: str) -> list[str]:
    """Stretches of a river where something is missing, as people name them."""
    step = np.diff(bare.astype(int), prepend=0, append=0)
    begin, end = np.flatnonzero(step == 1), np.flatnonzero(step == -1) - 1
    return [
        f"{river} {format_chainage(chainage[a])} to {format_chainage(chainage[b])}"
        if a < b
        else f"{river} {format_chainage(chainage[a])}"
        for a, b in zip(begin, end, strict=True)
    ]


def _require_ground_near_bed(channel: pd.DataFrame, offsets: Array, ground: Array) -> None:
    """Refuse a DEM whose ground beside the bed is nowhere near the bed's own ends."""
    # by place, as the rows of the ground are: a chainage may occur twice, or grow upstream
    ends = channel.groupby("_at", sort=False).agg(
        left=("elevation_m", "first"), right=("elevation_m", "last")
    )
    beside, known = [], []
    for side, mine in (("left", offsets < 0), ("right", offsets > 0)):
        part = ground[:, mine][:, ::-1] if side == "left" else ground[:, mine]
        some = np.isfinite(part)
        first = np.argmax(some, axis=1)
        beside.append(np.where(some.any(axis=1), part[np.arange(len(part)), first], np.nan))
        known.append(ends[side])
    _require_near_known(
        np.concatenate(beside), np.concatenate(known), "the ends of the surveyed bed"
    )


def _require_near_known(ground: Array, known: Array, what: str, *, most_m: float = FAR_M) -> None:
    """Refuse ground in another unit, or far from heights that it should be near."""
    unit = unit_of_heights(ground, known)
    off = ground - known
    far = float(np.median(off[np.isfinite(off)])) if np.isfinite(off).any() else 0.0
    if unit and (unit != "another datum" or far > most_m or far < -BELOW_TIMES * most_m):
        said = "are heights of another system" if unit == "another datum" else f"are they {unit}"
        raise LayerError(
            f"lies {abs(far):.0f} m {'above' if far > 0 else 'below'} {what} (median); {said}",
            layer="dem",
            hint=SCALE_HINT,
        )
    known_ground = ground[np.isfinite(ground)]
    if unit and len(known_ground) >= SEVERAL and np.ptp(known_ground) == 0:
        raise LayerError(
            f"is {known_ground[0]:g} m everywhere beside the river, {abs(far):.0f} m from {what}",
            layer="dem",
            hint="gdalinfo -stats dem.tif shows what it holds; give the raster of the ground",
        )
    if unit and far < -most_m:
        notify(f"dem: lies {-far:.0f} m below {what} (median); is it the ground")


# --- rasters at buildings ---------------------------------------------------------------------


@takes()
def raster_values(
    features: gpd.GeoDataFrame, raster: Source, *, column: str = "value"
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

    References
    ----------
    Baston, exactextract (software, github.com/isciences/exactextract): shares of cells.

    Examples
    --------
    >>> houses = pg.read_layer(sample / "房屋.shp", "buildings").head(3)
    >>> pg.raster_values(houses, sample / "地面高程.tif", column="ground_m").columns.tolist()
    ['ground_m_mean', 'ground_m_min', 'ground_m_max', 'covered_ratio']
    """
    require_layer(features, "features")
    require_polygons(features, "features")
    return _values_within(features, Rasters.of(raster, features.crs, "raster"), column)


def _values_within(features: gpd.GeoDataFrame, rasters: Rasters, column: str) -> pd.DataFrame:
    """Statistics of the cells within each footprint."""
    names = [f"{column}_{k}" for k in ("mean", "min", "max")] + ["covered_ratio"]
    if features.empty:
        return pd.DataFrame(columns=names, index=features.index, dtype=float)
    shapes = flat_shapes(features)
    found = rasters.shares(shapes, ["mean", "min", "max", "count"])
    share = found["count"].to_numpy(float) * rasters.cell * rasters.cell_y / shapely.area(shapes)
    values = [found[k].to_numpy(float) for k in ("mean", "min", "max")]
    some = share > 0
    return pd.DataFrame(
        {
            **{c: np.where(some, v, np.nan) for c, v in zip(names, values, strict=False)},
            "covered_ratio": np.clip(share, 0.0, 1.0),
        },
        index=features.index,
    )


# --- levels on the ground ---------------------------------------------------------------------


@takes()
def flood_levels(
    features: gpd.GeoDataFrame,
    profile: pd.DataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    dem: Source | None = None,
    structures: pd.DataFrame | None = None,
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
    structures
        Those that the profile was computed with: where they begin and end.

    Returns
    -------
    pandas.DataFrame
        On the features' index: flood_level_m, the level at the building's chainage (NA outside
        the profile); ground_m, the mean ground within the footprint (NA where the DEM knows less
        than nine tenths of it); flood_depth_m, freeboard_m (ground less level; negative: the ground
        lies below the flood).

    Raises
    ------
    LayerError, CRSError
        Layers that can't be used, or a profile of several floods; a DEM in another unit or height
        system than the profile, as it says or as the ground at the centreline tells.

    Notes
    -----
    The level is carried across the flow from the centreline: it says nothing of walls in between.
    Between sections it lies on a straight line, but where a structure stands: as far as the upper
    face it is that above the structure, from the lower face on that below. Without ``structures``
    it is that above down to the section below, the safe side; where buildings stand there, a notice
    tells by how much that may be too high.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> houses = pg.read_layer(sample / "房屋.shp", "buildings").head(2)
    >>> level = pd.DataFrame({"river": "君子布河", "chainage_m": [0.0, 6200.0],
    ...     "level_m": [56.0, 43.0]})
    >>> bool(pg.flood_levels(houses, level, rivers)["flood_level_m"].notna().all())
    True
    """
    _require_one_flood(profile)
    lines = lay_out(rivers)
    where = locate(features, by_measure(rivers))
    code = river_codes(where["river"], lines, "rivers")
    standing = _standing_by_river(structures, profile, lines)
    measure = where["chainage_m"].to_numpy(float)
    level = _level_at(profile, lines, code, measure, standing)
    if structures is None:
        _say_unplaced_structures(profile, lines, code, measure)
    found = pd.DataFrame({"flood_level_m": level}, index=features.index)
    ground = np.full(len(found), np.nan)
    if dem is not None:
        rasters = Rasters.of(dem, rivers.crs, "dem")
        require_one_datum({"profile": profile, "dem": rasters.datum})
        _require_ground_near_levels(rasters, profile, lines)
        require_polygons(features, "features")
        within = _values_within(features, rasters, "ground_m")
        known = within["covered_ratio"] >= LEAST_KNOWN
        ground = within["ground_m_mean"].where(known).to_numpy()
    found["ground_m"] = ground
    found["freeboard_m"] = found["ground_m"] - found["flood_level_m"]
    found["flood_depth_m"] = (-found["freeboard_m"]).clip(lower=0)
    return found


def _require_ground_near_levels(
    rasters: Rasters, profile: pd.DataFrame, lines: Centrelines
) -> None:
    """Refuse ground in another unit or system than the levels, as the centreline tells.

    Houses don't tell it: they stand on hills, too. Where no ground is known at the centreline,
    nothing is told.
    """
    grounds, levels = [np.zeros(0)], [np.zeros(0)]
    pad = 2 * np.array([rasters.cell, rasters.cell_y])
    for k, name in enumerate(lines.names):
        part = profile[profile["river"] == name]
        if part.empty:
            continue
        at = lines.scales[k].measure(part["chainage_m"].to_numpy(float), twice="order", beyond=True)
        measure = np.linspace(np.nanmin(at), np.nanmax(at), PLACES)
        code = np.full(PLACES, k)
        place, _ = points_at(lines, code, measure)
        with rasters.kept_open():
            heights = [rasters.window(xy - pad, xy + pad).at(xy) for xy in place]
        grounds.append(np.array(heights, float))
        levels.append(_level_at(part, lines, code, measure, {}))
    _require_near_known(
        np.concatenate(grounds), np.concatenate(levels),
        "the flood level, at the centreline", most_m=DEEP_M,
    )  # fmt: skip


def _require_one_flood(profile: pd.DataFrame) -> None:
    require_columns(profile, ("river", "chainage_m", "level_m"), "profile")
    for column in ("profile", "scheme"):
        if column in profile.columns and profile[column].nunique() > 1:
            raise LayerError(
                f"holds several values of {column}",
                layer="profile",
                hint=f'profile = profile[profile["{column}"] == {profile[column].iloc[0]!r}]',
            )


def _standing_by_river(
    structures: pd.DataFrame | None, profile: pd.DataFrame, lines: Centrelines
) -> dict[str, Standing]:
    """Where structures stand along each river; unsaid, at the section below each of the profile."""
    scales = {str(name): scale for name, scale in zip(lines.names, lines.scales, strict=True)}
    if structures is not None:
        scheme = profile["scheme"].iloc[0] if "scheme" in profile.columns and len(profile) else None
        return {r: one.of(scheme) for r, one in standing_on(structures, scales).items()}
    found: dict[str, Standing] = {}
    if "structure_id" not in profile.columns:
        return found
    for river, part in profile.groupby("river", sort=False):
        if (scale := scales.get(str(river))) is None:
            continue
        at = scale.measure(part["chainage_m"].to_numpy(float), twice="order", beyond=True)
        order = np.argsort(at, kind="stable")
        stands = part["structure_id"].notna().to_numpy(bool)[order]
        above, below = at[order][:-1][stands[:-1]], at[order][1:][stands[:-1]]
        none = np.full(len(below), None, object)
        found[str(river)] = Standing((above + below) / 2, below, below, none)
    return found


def _say_unplaced_structures(
    profile: pd.DataFrame, lines: Centrelines, river: Ints, measure: Array
) -> None:
    """Say how much too high places beside structures may stand that nobody places."""
    if "structure_id" not in profile.columns:
        return
    names, most = [], 0.0
    for k, name in enumerate(lines.names):
        part = profile[profile["river"] == name]
        if part["structure_id"].isna().all():
            continue
        at = lines.scales[k].measure(part["chainage_m"].to_numpy(float), twice="order", beyond=True)
        order = np.argsort(at, kind="stable")
        part, at = part.iloc[order], at[order]
        for j in np.flatnonzero(part["structure_id"].notna())[: len(part) - 1].tolist():
            fall = float(part["level_m"].iloc[j] - part["level_m"].iloc[j + 1])
            here = (river == k) & (measure > at[j]) & (measure < at[j + 1])
            if fall >= LEAST_FALL_M and here.any():
                names.append(str(part["structure_id"].iloc[j]))
                most = max(most, fall)
    if names:
        notify(
            f"profile: between the sections beside {', '.join(dict.fromkeys(names))} the level "
            f"above is taken, below their ends up to {most:.2f} m too high; structures=structures "
            "tells where they end"
        )


def _level_at(
    profile: pd.DataFrame,
    lines: Centrelines,
    river: Ints,
    measure: Array,
    standing: Mapping[str, Standing],
) -> Array:
    """Level between sections, by the way along the river; NaN outside them."""
    level = np.full(len(measure), np.nan)
    for k, name in enumerate(lines.names):
        part, mine = profile[profile["river"] == name], river == k
        if part.empty or not mine.any():
            continue
        at = lines.scales[k].measure(part["chainage_m"].to_numpy(float), twice="order", beyond=True)
        order = np.argsort(at, kind="stable")
        known = part["level_m"].to_numpy(float)[order]
        there = standing.get(str(name))
        level[mine] = levels_between(at[order], known, measure[mine], there)
    return level


@takes()
def inundation(
    profile: pd.DataFrame,
    dem: Source,
    rivers: gpd.GeoDataFrame,
    *,
    half_width_m: float = 100.0,
    structures: pd.DataFrame | None = None,
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
    structures
        Those that the profile was computed with, at which its level steps as in `flood_levels`.

    Returns
    -------
    geopandas.GeoDataFrame
        One row a river: river, geometry, flooded_m2, depth_max_m, and unknown_m2, how much of the
        ground that was looked at has no height (holes under houses, what no tile covers): it isn't
        flooded, nor is it dry. Low ground that no water reaches over lower ground is left out.

    Raises
    ------
    LayerError, CRSError
        Layers that can't be used.

    Notes
    -----
    Cell by cell: the level at the centreline's nearest point, less the ground; ground as high as
    the level stays dry; cells without a height are counted apart, and water doesn't pass them. Of
    a DEM in whole decimetres each cell counts as it is stored: what lay 5 cm below the water before
    it was rounded isn't known any more. A screening: no flow is computed outside the sections.

    References
    ----------
    Poulter and Halpin, Raster modelling of coastal flooding from sea-level rise, International
    Journal of Geographical Information Science 22 (2008) 167-182 (ground that the water reaches).

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers").loc[["君子布河"]]
    >>> level = pd.DataFrame({"river": "君子布河", "chainage_m": [0.0, 6200.0],
    ...     "level_m": [56.0, 43.0]})
    >>> pg.inundation(level, sample / "地面高程.tif", rivers).geom_type.tolist()
    ['MultiPolygon']
    """
    _require_one_flood(profile)
    require_layer(rivers, "rivers")
    rasters = Rasters.of(dem, rivers.crs, "dem")
    require_one_datum({"profile": profile, "dem": rasters.datum})
    lines = lay_out(rivers)
    standing = _standing_by_river(structures, profile, lines)
    rows = []
    for k, river in enumerate(lines.names):
        part = profile[profile["river"] == river]
        if part.empty:
            continue
        at = lines.scales[k].measure(part["chainage_m"].to_numpy(float), twice="order")
        span = np.sort(at)[[0, -1]]
        measure = np.append(np.arange(span[0], span[1], ALONG_M), span[1])
        place, _ = points_at(lines, np.full(len(measure), k), measure)
        level = _level_at(part, lines, np.full(len(measure), k), measure, standing)
        if structures is None:
            _say_unplaced_structures(part, lines, np.full(len(measure), k), measure)
        found = flooded_ground(place, level, rasters, half_width_m)
        bare = found.bare | ~rasters.covers(place)
        if bare.any():
            raise LayerError(
                "leaves stretches of the river without ground; is a tile missing",
                layer="dem",
                ids=_stretch_labels(lines.scales[k].chainage(measure), bare, str(river)),
                hint='dem=["a.tif", "b.tif"], with all tiles of the river; or the profile of the '
                "reach that the DEM covers",
            )
        _require_near_known(
            found.ground_m, level, "the flood level, at the centreline", most_m=DEEP_M
        )
        area = float(shapely.area(found.area))
        rows.append((river, found.area, area, found.depth_max_m, found.unknown_m2))
    columns = ["river", "geometry", "flooded_m2", "depth_max_m", "unknown_m2"]
    table = pd.DataFrame(rows, columns=columns)
    return gpd.GeoDataFrame(table, geometry="geometry", crs=rivers.crs)
