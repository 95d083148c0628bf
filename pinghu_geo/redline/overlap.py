"""Who is hit, and by how much? Footprints and parcels against red lines and other zones."""

from __future__ import annotations

from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.notices import notify
from pinghu_geo.nouns.schema import (
    flat_shapes,
    name_of,
    numbers,
    one_of,
    require_columns,
    require_layer,
    require_polygons,
    require_valid,
)
from pinghu_geo.redline.areas import ROUNDING_M2, LaidZones, rows_near, shared_areas
from pinghu_geo.redline.depths import deepest
from pinghu_geo.river.centreline import lay_out
from pinghu_geo.river.corridor import located
from pinghu_geo.river.nearness import ROUNDING_M

__all__ = [
    "affected",
    "amounts_inside",
    "belongs_to",
    "demolished",
    "floor_area",
    "known_sums",
    "overlay_zones",
    "placed",
    "taken_by_line",
    "totals",
    "warn_estimated",
]


Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

# Outside areas below this are no area [m²]: the square of 3 cm, finer than any cadastre.
NO_AREA_M2 = 1e-3
# layers so far from the line are of another place, or in another grid than they state [m]
APART_M = 1000.0


@takes()
def affected(
    features: gpd.GeoDataFrame,
    red_line: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    partial_rule: Literal["whole", "share"] = "whole",
    survey_tolerance_m: float = 0.5,
) -> gpd.GeoDataFrame:
    """Buildings (or parcels) that the red line takes, with place and amount 受影响房屋.

    Parameters
    ----------
    features
        Footprints or parcels, indexed by their ids, in projected metres. All their columns
        are kept.
    red_line
        Polygons with a column ``river``; they may overlap.
    rivers
        Centrelines drawn downstream, indexed by river.
    partial_rule
        Floor area demolished of a building that is cut: all of it (``whole``), or in
        proportion to its footprint inside (``share``).
    survey_tolerance_m
        How well line and walls are known [m]; decides ``needs_survey``.

    Returns
    -------
    geopandas.GeoDataFrame
        The rows of ``features`` with a part inside, in their order and with their geometry;
        added are river, bank, chainage_m, from_m, to_m, offset_min_m, offset_max_m [m],
        ambiguous, repeated, footprint_m2, inside_m2 [m²], inside_ratio, cut_depth_m [m], extent,
        needs_survey and, where floors or floor areas are known, demolish_floor_area_m2 [m²]
        and floor_area_source.

    Raises
    ------
    LayerError, CRSError
        A layer can't be used, lacks ``river``, or is in another CRS. Of the features only those
        whose boxes meet the red line are judged: an invalid shape elsewhere is no fault here.

    Warns
    -----
    UserWarning
        Floor areas had to be estimated; once, with their number. All features lie more than 1 km
        from the red line: a grid is stated wrongly, or a layer is of another place.

    Notes
    -----
    Areas are against the *union* of the red lines: nothing counts twice where they overlap.
    A row's river is the one whose red line touches it, the nearest of several; of several equally
    near, the first by name.

    ``extent`` is ``full`` where less than 0.001 m² lies outside. ``cut_depth_m`` is how far
    the line would have to draw back to clear the building: the greatest distance of any point
    of the inside part from the red line's edge, to 0.01 m; a house across the whole strip so has
    half the strip's width. ``needs_survey`` marks slivers: a cut depth below the tolerance, or a
    remainder thinner than it on average along one side.

    References
    ----------
    OGC 06-103r4, Simple feature access, part 1: common architecture (area, intersection, distance).
    The area inside is the integral along the building's own outline (Green's theorem); see the page
    on theory.

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> hit = pg.affected(buildings, pg.red_line(rivers, 9.0), rivers)
    >>> bool((hit["inside_m2"] <= hit["footprint_m2"] + 1e-6).all())
    True
    """
    return taken_by_line(
        features,
        red_line,
        rivers,
        partial_rule=partial_rule,
        survey_tolerance_m=survey_tolerance_m,
    )


def taken_by_line(
    features: gpd.GeoDataFrame,
    red_line: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    partial_rule: Literal["whole", "share"] = "whole",
    survey_tolerance_m: float = 0.5,
    depths: bool = True,
) -> gpd.GeoDataFrame:
    """What `affected` says; without depths cut_depth_m is NA, and slivers are known by width alone.

    Depths take as long as all the rest, and nothing is refused for them.
    """
    one_of(partial_rule, ("whole", "share"), "partial_rule")
    name = name_of(features, "features")
    # the layer that differs from the other two is the one to be transformed
    require_layer(rivers, "rivers", valid=False)
    require_layer(red_line, "red_line", crs=rivers.crs)
    box = require_layer(features, name, crs=rivers.crs, valid=False)
    require_polygons(features, name)
    require_polygons(red_line, "red_line")
    require_columns(red_line, ["river"], "red_line")
    if red_line.empty:
        raise LayerError("has no rows", layer="red_line", hint="pg.red_line(rivers, widths)")

    # most rivers' lines share nothing, and are put together as they are
    line = shapely.disjoint_subset_union_all(flat_shapes(red_line))
    # what is far away is neither judged nor measured
    zones = LaidZones.around(line, box)
    near = rows_near(features, zones, box=box)
    require_valid(features, name, near=near, parameter="features")
    rows, amounts = amounts_inside(
        features, near, line, laid=zones, share=partial_rule == "share",
        survey_tolerance_m=survey_tolerance_m, depths=depths,
    )  # fmt: skip
    if not len(rows):
        _warn_far_layers(features, line, name)
    hit = placed(features.iloc[rows], red_line, rivers)
    hit[amounts.columns] = amounts
    return hit


def placed(
    features: gpd.GeoDataFrame, red_line: gpd.GeoDataFrame, rivers: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Features that red lines touch with their place: river, bank, chainages and offsets."""
    lines = lay_out(rivers)
    code = _rivers_of_features(features, red_line, rivers)
    where = located(features, lines, code).drop(columns="distance_m")
    hit: gpd.GeoDataFrame = features.copy()
    hit[where.columns] = where
    return hit


def amounts_inside(
    features: gpd.GeoDataFrame,
    near: NDArray[np.intp],
    line: shapely.Geometry,
    *,
    laid: LaidZones | None = None,
    share: bool = False,
    survey_tolerance_m: float = 0.5,
    depths: bool = True,
) -> tuple[NDArray[np.intp], pd.DataFrame]:
    """How much the line takes of which features: all of `affected` but their places.

    Parameters
    ----------
    features
        Valid footprints or parcels in the rows ``near``, the only ones that are looked at.
    near
        Positions of rows.
    line
        All of the red line as one area.
    laid
        The same, where it is laid out already.
    share
        Of a cut building only its share is demolished.
    survey_tolerance_m
        As for `affected` [m].
    depths
        Whether cut_depth_m is computed; NA otherwise.

    Returns
    -------
    tuple
        Positions of the rows that are hit; and a row each with the columns of `affected` from
        footprint_m2 on.
    """
    shapes = flat_shapes(features.iloc[near])
    some, _, inside = shared_areas(shapes, [line] if laid is None else laid)
    rows, shapes = near[some], shapes[some]
    footprint = shapely.area(shapes)
    outside = footprint - inside
    full = outside < np.minimum(NO_AREA_M2, footprint / 2)
    deep = deepest(shapes, line) if depths else np.full(len(rows), np.nan)
    thin = outside < survey_tolerance_m * np.sqrt(footprint)
    ratio = inside / footprint
    found = pd.DataFrame(
        {
            "footprint_m2": footprint,
            "inside_m2": inside,
            "inside_ratio": ratio,
            "cut_depth_m": deep,
            "extent": np.where(full, "full", "partial"),
            "needs_survey": (deep < survey_tolerance_m) | (thin & ~full),
        },
        index=features.index[rows],
    )
    area = demolished(features.iloc[rows], footprint, ratio if share else np.ones(len(rows)))
    found[area.columns] = area
    return rows, found


def demolished(features: gpd.GeoDataFrame, footprint: Floats, ratio: Floats) -> pd.DataFrame:
    """Floor area demolished of each feature and where it is from; no column if nothing is known."""
    known = [c for c in ("floors", "floor_area_m2", "floor_area_source") if c in features]
    if not {"floors", "floor_area_m2"} & set(known):
        return pd.DataFrame(index=features.index)
    area = floor_area(pd.DataFrame(features[known]).assign(footprint_m2=footprint))
    return pd.DataFrame(
        {
            "demolish_floor_area_m2": area["floor_area_m2"] * ratio,
            "floor_area_source": area["floor_area_source"],
        }
    )


def _rivers_of_features(
    hit: gpd.GeoDataFrame, red_line: gpd.GeoDataFrame, rivers: gpd.GeoDataFrame
) -> Ints:
    """Number of the river whose red line touches each feature; of several, the nearest, by name.

    Each feature shares some area with one of the lines.
    """
    known = {str(r): k for k, r in enumerate(rivers.index)}
    named = red_line["river"].map(lambda r: known.get(str(r), -1)).to_numpy(np.intp)
    if (named < 0).any():
        raise LayerError(
            "names rivers that the layer of rivers doesn't have",
            layer="red_line",
            ids=red_line["river"][named < 0].unique(),
            hint=f"rivers has {', '.join(known)}",
        )
    shapes, zones = hit.geometry.to_numpy(), red_line.geometry.to_numpy()
    who, zone = shapely.STRtree(zones).query(shapes)
    # where several boxes meet a feature the shapes themselves tell
    unsure = np.bincount(who, minlength=len(shapes))[who] > 1
    shapely.prepare(zones)
    unsure[unsure] = ~shapely.intersects(zones[zone[unsure]], shapes[who[unsure]])
    who, river = np.unique(np.stack([who, named[zone]])[:, ~unsure], axis=1)
    far = np.zeros(len(who))
    several = np.bincount(who, minlength=len(shapes))[who] > 1
    far[several] = shapely.distance(
        shapes[who[several]], rivers.geometry.to_numpy()[river[several]]
    )
    first = np.flatnonzero(np.diff(who, prepend=-1))
    least = np.repeat(np.minimum.reduceat(far, first), np.diff(first, append=len(who)))
    turn = np.argsort(np.argsort(np.asarray(list(known), str)))
    order = np.lexsort((turn[river], far > least + ROUNDING_M, who))
    return np.asarray(river[order][first])


@takes()
def floor_area(buildings: pd.DataFrame) -> pd.DataFrame:
    """Floor area of each building, surveyed where known, else estimated and marked 建筑面积.

    Parameters
    ----------
    buildings
        With floor_area_m2 [m²] or floors, or both; footprints from footprint_m2 [m²] or the
        geometry.

    Returns
    -------
    pandas.DataFrame
        On the buildings' index: floor_area_m2 [m²], NA where neither is known;
        floor_area_source {surveyed, estimated}.

    Raises
    ------
    LayerError
        Texts stand where numbers belong.

    Warns
    -----
    UserWarning
        Some areas are estimated; once, with their number.

    Notes
    -----
    Estimate: footprint times floors, as registration software fills the surveyed area
    (SCJZMJ) when it is missing. It counts neither balconies nor set-backs.

    References
    ----------
    GB/T 17986.1-2000 房产测量规范 (surveyed floor area, 建筑面积); SCJZMJ and ZCS are fields of the
    real-estate registration database (table ZRZ).

    Examples
    --------
    >>> one = pd.DataFrame({"floors": [3.0], "footprint_m2": [100.0]}, index=["B1"])
    >>> with warnings.catch_warnings(action="ignore"):
    ...     pg.redline.floor_area(one).values.tolist()
    [[300.0, 'estimated']]
    """
    index = buildings.index
    known = numbers(buildings, "floor_area_m2", "buildings")
    if "footprint_m2" in buildings:
        footprint = numbers(buildings, "footprint_m2", "buildings")
    else:
        footprint = pd.Series(shapely.area(buildings.geometry.to_numpy()), index=index)
    if (below := known < 0).any():
        raise LayerError(
            "has floor areas below 0",
            layer="buildings",
            ids=index[below],
            hint='correct them, or count them as unknown: buildings["floor_area_m2"] = '
            'buildings["floor_area_m2"].where(buildings["floor_area_m2"] >= 0)',
        )
    floors = numbers(buildings, "floors", "buildings")
    guess = footprint * floors.where(floors > 0)  # no storeys at all: nobody counted them
    stated = buildings.get("floor_area_source", pd.Series(index=index, dtype="str"))
    source = stated.where(stated.notna(), "surveyed").where(known.notna(), "estimated")
    estimated = known.isna() & guess.notna()
    if estimated.any():
        warn_estimated(int(estimated.sum()), len(index))
    area = known.where(known.notna(), guess)
    return pd.DataFrame({"floor_area_m2": area, "floor_area_source": source.where(area.notna())})


def _warn_far_layers(features: gpd.GeoDataFrame, line: shapely.Geometry, name: str) -> None:
    """Warn of layers far from each other: an empty answer would look like a finding."""
    x0, y0, x1, y1 = features.total_bounds
    left, low, right, high = shapely.bounds(line)
    apart = np.hypot(max(left - x1, x0 - right, 0.0), max(low - y1, y0 - high, 0.0))
    if apart > APART_M:
        notify(
            f"{name} and the red line lie {apart / 1000:,.1f} km apart: nothing is affected. "
            "Are both in the grid that they state? pg.check(...) looks at their coordinates"
        )


def warn_estimated(n: int, total: int) -> None:
    """Warn whoever called the library, once, of floor areas that had to be estimated."""
    notify(
        f"floor area of {n} of {total} buildings is estimated as footprint x floors "
        "(floor_area_source = 'estimated')"
    )


@takes()
def overlay_zones(features: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> pd.DataFrame:
    """Share of each feature in each zone: parcels, renewal areas, other projects 叠加分析.

    Parameters
    ----------
    features
        Polygons, indexed by their ids.
    zones
        Polygons, indexed by their ids, in the same CRS; they may overlap.

    Returns
    -------
    pandas.DataFrame
        One row a pair that shares area, in the order of the features and then of the zones:
        columns named as the two indexes (``feature_id``, ``zone_id`` where they have no
        name), shared_m2 [m²] and shared_ratio (of the feature's area).

    Raises
    ------
    LayerError, CRSError
        A layer can't be used.

    References
    ----------
    OGC 06-103r4, Simple feature access, part 1: common architecture (area, intersection, distance).

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings").head(50)
    >>> parcels = pg.read_layer(sample / "宗地.shp", "parcels")
    >>> pg.redline.overlay_zones(buildings, parcels).columns.tolist()
    ['building_id', 'parcel_id', 'shared_m2', 'shared_ratio']
    """
    require_layer(features, name_of(features, "features"))
    require_polygons(features, name_of(features, "features"))
    require_layer(zones, name_of(zones, "zones"), crs=features.crs, valid=False)
    require_polygons(zones, name_of(zones, "zones"))
    shapes = flat_shapes(features)
    near = _zones_near_shapes(zones, shapes)
    require_valid(zones, name_of(zones, "zones"), near=near)
    who, zone, shared = shared_areas(shapes, flat_shapes(zones)[near])
    zone = near[zone]
    left, right = features.index.name or "feature_id", zones.index.name or "zone_id"
    if left == right:  # zones that are features of one kind with the others
        right = "zone_id" if left != "zone_id" else "other_id"
    return pd.DataFrame(
        {
            left: features.index[who],
            right: zones.index[zone],
            "shared_m2": shared,
            "shared_ratio": shared / shapely.area(shapes)[who],
        }
    )


def _zones_near_shapes(zones: gpd.GeoDataFrame, shapes: NDArray[np.object_]) -> NDArray[np.intp]:
    """Positions of the zones whose boxes meet some shape's box."""
    tree = shapely.STRtree(np.asarray(shapely.box(*shapely.bounds(shapes).T)))
    boxes = shapely.box(*shapely.bounds(zones.geometry.to_numpy()).T)
    return np.unique(tree.query(boxes)[0])


@takes()
def belongs_to(
    features: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, *, least_ratio: float = 0.0
) -> pd.Series:
    """Id of the zone that holds most of each feature, such as its parcel 所属宗地.

    Parameters
    ----------
    features
        Polygons, indexed by their ids.
    zones
        Polygons, indexed by their ids, in the same CRS.
    least_ratio
        A zone counts only if it holds at least this share of the feature (0-1).

    Returns
    -------
    pandas.Series
        On the features' index, named as the zones' index; NA where no zone qualifies. Of
        zones with equal shares, the first by its id.

    Raises
    ------
    LayerError, CRSError
        A layer can't be used.

    References
    ----------
    OGC 06-103r4, Simple feature access, part 1: common architecture (area, intersection, distance).

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings").head(50)
    >>> parcels = pg.read_layer(sample / "宗地.shp", "parcels")
    >>> pg.redline.belongs_to(buildings, parcels).name
    'parcel_id'
    """
    shares = overlay_zones(features, zones)
    left, right = shares.columns[:2]
    shares = shares[shares["shared_ratio"] >= least_ratio]
    most = shares.groupby(left)["shared_m2"].transform("max")
    best = shares[shares["shared_m2"] >= most - ROUNDING_M2]
    if best[left].duplicated().any():
        best = best.iloc[np.argsort(best[right].to_numpy(str), kind="stable")].drop_duplicates(left)
    return best.set_index(left)[right].reindex(features.index).rename(right)


# --- totals -----------------------------------------------------------------------------------


@takes()
def totals(affected: pd.DataFrame, by: str | list[str] | None = None) -> pd.DataFrame:
    """Sums of affected buildings, whole or by river, bank, use, title, node 汇总.

    Parameters
    ----------
    affected
        Result of `affected`, with cost_yuan where it was joined.
    by
        Column or columns to group by; rows with NA there form a group of their own.

    Returns
    -------
    pandas.DataFrame
        One row a group in order of their appearance downstream (one row in all without
        ``by``): n_buildings, n_full, n_partial, inside_m2 [m²],
        demolish_floor_area_m2 [m², of those whose floor area is known], estimated_m2 [m², part
        of it that is estimated], n_unknown (buildings without any floor area), n_tenants,
        n_tenants_unknown (buildings whose tenants nobody counted), n_survey and, where present,
        cost_yuan [yuan]. A sum is NA where nothing of it is known; cost_yuan where anything of it
        is unknown.

    Raises
    ------
    LayerError
        A column to group by is missing, or texts stand where numbers are summed.

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> hit = pg.affected(buildings, pg.red_line(rivers, 9.0), rivers)
    >>> by_river = pg.totals(hit, "river")
    >>> int(by_river["n_buildings"].sum()) == len(hit)
    True
    """
    keys = [by] if isinstance(by, str) else list(by or [])
    require_columns(affected, keys, "affected")
    none = pd.Series(np.nan, index=affected.index)
    area = numbers(affected, "demolish_floor_area_m2", "affected")
    estimated = affected.get("floor_area_source", none) == "estimated"
    tenants = numbers(affected, "tenants", "affected")
    one = pd.DataFrame(
        {
            "n_buildings": 1,
            "n_full": (affected["extent"] == "full").astype(int),
            "n_partial": (affected["extent"] == "partial").astype(int),
            "inside_m2": affected["inside_m2"],
            "demolish_floor_area_m2": area,
            "estimated_m2": area.where(estimated | area.isna(), 0.0),
            "n_unknown": area.isna().astype(int),
            "n_tenants": tenants,
            "n_tenants_unknown": tenants.isna().astype(int),
            # not known whether: to be surveyed
            "n_survey": affected["needs_survey"].astype("boolean").fillna(True).astype(int),
        },
        index=affected.index,
    )
    if "cost_yuan" in affected:
        one["cost_yuan"] = numbers(affected, "cost_yuan", "affected")
    if keys:
        return known_sums(one, [affected[k] for k in keys])
    if one.empty:
        return one.sum().to_frame().T.astype(one.dtypes.to_dict() | {"n_tenants": "Int64"})
    return known_sums(one, [pd.Series(0, affected.index)]).reset_index(drop=True)


def known_sums(one: pd.DataFrame, groups: list[pd.Series]) -> pd.DataFrame:
    """Sums by group in which what is unknown is not 0.

    Areas and tenants are sums of the known, NA where none of the group is; how many are unknown
    is counted in columns of their own. Money has no such column: one unknown, and its sum is NA.
    """
    by = one.groupby(groups, sort=False, dropna=False)
    sums = by.sum(min_count=1)
    for name in sums.columns:
        if name.endswith("_yuan"):
            sums[name] = sums[name].where(by[name].count() == by.size())
        elif name.endswith("_tenants"):
            sums[name] = sums[name].round().astype("Int64")
    return sums
