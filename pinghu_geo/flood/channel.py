"""What does a channel convey? Sections designed from a few numbers, and their hydraulics."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.sections import Array, Ground, Wetted
from pinghu_geo.flood.steady import Model, critical_level, normal_level
from pinghu_geo.flood.survey import (
    GRAVITY_MS2,
    Laid,
    discharges,
    lay_sections,
    places,
    rows_of,
    sections_of_schemes,
)  # fmt: skip
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.schema import numbers, require_columns
from pinghu_geo.nouns.tables import groups_of

__all__ = [
    "by_zone",
    "critical_levels",
    "design_sections",
    "normal_levels",
    "section_properties",
    "with_roughness",
]


def by_zone(wet: Wetted) -> dict[str, Array]:
    """Conveyance and area of left overbank, channel and right overbank."""
    return {
        f"{what}_{zone}_{unit}": values[:, k]
        for what, unit, values in (("conveyance", "m3s", wet.conveyance), ("area", "m2", wet.area))
        for k, zone in enumerate(("left", "channel", "right"))
    }


# Widths of a bed that are stated to the decimetre differ by less than this [m].
SAME_BED_M = 0.1


@takes(levels="profile")
def section_properties(
    sections: pd.DataFrame,
    levels: pd.DataFrame | float,
    *,
    banks: pd.DataFrame | None = None,
    obstacles: pd.DataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """What cross-sections hold at given levels 断面水力要素.

    Parameters
    ----------
    sections, banks, obstacles, rivers
        As in `water_profile`.
    levels
        Level [m] for all sections, or a table: river, chainage_m, level_m, any number of rows a
        section.

    Returns
    -------
    pandas.DataFrame
        One row a section and level: area_m2, wetted_perimeter_m, top_width_m, conveyance_m3s
        (in all and by zone), alpha, bed_m, depth_m; repeated {above, below} where chainages occur
        twice.

    Raises
    ------
    HydraulicsError, LayerError
        A section can't be used, or a level speaks of none.

    References
    ----------
    HEC-RAS Hydraulic Reference Manual 6.x, chapter 2 (subdivision for conveyance, composite
    roughness, mean kinetic energy head).

    Examples
    --------
    >>> box = pd.DataFrame({"river": "示例河", "chainage_m": 0.0, "offset_m": [-5, -5, 5, 5],
    ...     "elevation_m": [4, 0, 0, 4], "n": 0.025})
    >>> pg.flood.section_properties(box, 2.0)[["area_m2", "wetted_perimeter_m"]].iloc[0].tolist()
    [20.0, 14.0]
    """
    laid = lay_sections(sections, banks=banks, obstacles=obstacles, rivers=rivers)
    if isinstance(levels, pd.DataFrame):
        require_columns(levels, ("level_m",), "levels")
        row, station = rows_of(levels, laid.stations, "levels")
        level = numbers(levels, "level_m", "levels").to_numpy()[row]
    else:
        station = np.arange(len(laid.stations))
        level = np.full(len(station), float(levels))
    wet = laid.sections.wetted(station, level)
    stations = laid.stations.iloc[station]
    bed = laid.sections.bottom[station]
    with np.errstate(invalid="ignore"):
        alpha = wet.alpha
    return pd.DataFrame(
        {
            **{c: stations[c].to_numpy() for c in _columns_of_place(stations)},
            "level_m": level,
            "bed_m": bed,
            "depth_m": level - bed,
            "area_m2": wet.area.sum(axis=1),
            "wetted_perimeter_m": laid.sections.perimeter(station, level),
            "top_width_m": wet.top.sum(axis=1),
            "conveyance_m3s": wet.total_conveyance,
            "alpha": alpha,
            **by_zone(wet),
        }
    )


def _columns_of_place(stations: pd.DataFrame) -> list[str]:
    """What names a section: which of two is meant only where a chainage occurs twice."""
    which = ["repeated"] if stations["repeated"].notna().any() else []
    return ["scheme", "river", "chainage_m", *which]


@takes()
def critical_levels(
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    *,
    banks: pd.DataFrame | None = None,
    obstacles: pd.DataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    gravity_ms2: float = GRAVITY_MS2,
) -> pd.DataFrame:
    """Level of least energy of every section and flood 临界水位.

    Parameters
    ----------
    sections, flows, banks, obstacles, rivers, gravity_ms2
        As in `water_profile`.

    Returns
    -------
    pandas.DataFrame
        One row a section and profile: repeated {above, below} where chainages occur twice,
        critical_level_m, and n_minima of the energy curve: above
        1 the section has several critical levels and the one of least energy is given.

    Raises
    ------
    HydraulicsError, LayerError
        As in `water_profile`.

    Notes
    -----
    The minimum of z + αQ²/(2gA²) over z: for a rectangle (q²/g)^(1/3) above the bed.

    References
    ----------
    HEC-RAS Hydraulic Reference Manual 6.x, chapter 2 (critical depth determination). Chow (1959),
    Open-Channel Hydraulics, McGraw-Hill, chapters 3 and 4.

    Examples
    --------
    >>> box = pd.DataFrame({"river": "示例河", "chainage_m": 0.0, "offset_m": [-5, -5, 5, 5],
    ...     "elevation_m": [4, 0, 0, 4], "n": 0.025})
    >>> round(float(pg.flood.critical_levels(box, 20.0)["critical_level_m"].iloc[0]), 7)
    0.7415327
    """

    def find(model: Model, rows: Array, q: Array) -> dict[str, Array]:
        level, minima = critical_level(model, rows, q)
        return {"critical_level_m": level, "n_minima": minima}

    laid = lay_sections(sections, banks=banks, obstacles=obstacles, rivers=rivers)
    return _levels_by_section(laid, flows, rivers, gravity_ms2, find)


@takes()
def normal_levels(
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    *,
    slope: float,
    banks: pd.DataFrame | None = None,
    obstacles: pd.DataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Level of uniform flow of every section and flood by Manning's formula 均匀流水位.

    Parameters
    ----------
    sections, flows, banks, obstacles, rivers
        As in `water_profile`.
    slope
        Energy slope, as a ratio.

    Returns
    -------
    pandas.DataFrame
        One row a section and profile: repeated {above, below} where chainages occur twice, and
        normal_level_m, at which K√slope is the discharge (missing: no more passes under a lid).

    Raises
    ------
    HydraulicsError, LayerError
        As in `water_profile`; the slope is not above 0.

    References
    ----------
    Chow (1959), Open-Channel Hydraulics, McGraw-Hill, chapters 5 (Manning's formula) and 6
    (computation of uniform flow).

    Examples
    --------
    >>> vee = pd.DataFrame({"river": "示例河", "chainage_m": 0.0, "offset_m": [-20, 0, 20],
    ...     "elevation_m": [10, 0, 10], "n": 0.02})
    >>> found = pg.flood.normal_levels(vee, 20.0, slope=0.001)
    >>> round(float(found["normal_level_m"].iloc[0]), 6)
    2.442067
    """
    if not slope > 0:
        raise HydraulicsError(
            f"slope={slope:g}; uniform flow needs one above 0", hint="slope=0.001, as a ratio"
        )

    def find(model: Model, rows: Array, q: Array) -> dict[str, Array]:
        level = normal_level(model.sections, rows, q, np.full(len(rows), slope))
        carried = model.sections.wetted(rows, level).total_conveyance * np.sqrt(slope)
        return {"normal_level_m": np.where(carried < q * (1 - 1e-6), np.nan, level)}

    laid = lay_sections(sections, banks=banks, obstacles=obstacles, rivers=rivers)
    return _levels_by_section(laid, flows, rivers, GRAVITY_MS2, find)


def _levels_by_section(
    laid: Laid,
    flows: pd.DataFrame | float,
    rivers: gpd.GeoDataFrame | None,
    gravity: float,
    find: Callable[[Model, Array, Array], dict[str, Array]],
) -> pd.DataFrame:
    """One row a profile and section, each by itself."""
    parts = []
    for name, q in discharges(flows, laid.stations, rivers).items():
        rows = np.arange(len(laid.stations))
        model = laid.model(rows[:, None], q[:, None], gravity=gravity)
        part = laid.stations[_columns_of_place(laid.stations)].assign(
            profile=name, discharge_m3s=q, **find(model, rows, q)
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


@takes(stations="design")
def design_sections(stations: pd.DataFrame) -> pd.DataFrame:
    """Cross-sections of a designed channel from a few numbers a station 设计断面.

    Parameters
    ----------
    stations
        One row a station: river, chainage_m, bed_level_m [m], bank_level_m (top of both walls)
        [m], left_m and right_m (from the centreline to the top of the walls) [m], n of the bed.
        Optional: side_slope (horizontal to 1 vertical; 0, the default, is a vertical wall),
        n_wall (roughness of walls or revetment; default n), berm_level_m with berm_m (a level
        berm of that width on each side: a compound channel), scheme. Instead of bank_level_m, or
        beside it, left_top_m and right_top_m where the walls are of different height; instead of
        left_m and right_m, bed_width_m: half of it to each side of the centreline.

    Returns
    -------
    pandas.DataFrame
        Points of sections, from left to right: river, chainage_m, offset_m, elevation_m, n, and
        scheme where it was given.

    Raises
    ------
    HydraulicsError, LayerError
        A channel without a bed between its walls; walls that lean inwards; a bed_width_m beside
        left_m and right_m that differs by more than 0.1 m from what these leave.

    Notes
    -----
    The four shapes of the books: rectangle (side_slope 0), trapezoid, compound (berm), and walls
    or revetments with a roughness of their own (n_wall), whose composite roughness follows the
    channel rule of `water_profile`.

    References
    ----------
    Chow (1959), Open-Channel Hydraulics, McGraw-Hill, chapter 2 (geometric elements of channel
    sections). HEC-RAS Hydraulic Reference Manual 6.x, chapter 2 (composite roughness of the
    channel).

    Examples
    --------
    >>> one = pd.DataFrame({"river": "示例河", "chainage_m": [0.0], "bed_level_m": [0.0],
    ...     "left_m": 8.0, "right_m": 8.0, "bank_level_m": [3.0], "side_slope": 1.0, "n": 0.03})
    >>> pg.design_sections(one)["offset_m"].tolist()
    [-8.0, -5.0, 5.0, 8.0]
    """
    need = ("river", "chainage_m", "bed_level_m", "n")
    require_columns(stations, need, "design")
    v = {c: numbers(stations, c, "design").to_numpy() for c in need[1:]}
    slope, wall, berm_level, berm = (
        numbers(stations, c, "design").to_numpy()
        for c in ("side_slope", "n_wall", "berm_level_m", "berm_m")
    )
    slope, wall = np.nan_to_num(slope), np.where(np.isfinite(wall), wall, v["n"])
    has = np.isfinite(berm_level) & (np.nan_to_num(berm) > 0)
    bed = v["bed_level_m"]
    berm, shelf = np.where(has, berm, 0.0), np.where(has, berm_level, bed)
    sides, heights = [], []
    bad = has & ~(berm_level > bed)
    both = numbers(stations, "bank_level_m", "design").to_numpy()
    for side in ("left", "right"):
        top = _side_values(stations, f"{side}_top_m", "bank_level_m", both)
        # how far each corner stands back from the top of the wall
        back = np.stack(
            [np.zeros(len(stations)), slope * (top - shelf)]
            + [slope * (top - shelf) + berm, slope * (top - bed) + berm],
            axis=1,
        )
        half = numbers(stations, "bed_width_m", "design").to_numpy() / 2
        wide = _side_values(stations, f"{side}_m", "bed_width_m", half + back[:, 3])
        sides.append(wide[:, None] - back)
        heights.append(np.stack([top, shelf, shelf, bed], axis=1))
        bad |= ~(top > bed) | (has & ~(berm_level < top))
    x = np.hstack([-sides[0], sides[1][:, ::-1]])
    bad |= ~(x[:, 3] < x[:, 4])
    if bad.any():
        raise HydraulicsError(
            "has channels without a bed between their walls",
            layer="design",
            ids=places(stations.reset_index(drop=True), np.flatnonzero(bad)),
            hint="widen left_m and right_m, lower side_slope, or check the levels",
        )
    _require_one_shape(stations, x[:, 4] - x[:, 3], slope)
    z = np.hstack([heights[0], heights[1][:, ::-1]])
    rough = np.repeat(wall[:, None], 8, axis=1)
    rough[:, 3] = v["n"]
    keep = np.ones(x.shape, bool)
    keep[~has, 1:3] = keep[~has, 5:7] = False
    row = np.nonzero(keep)[0]
    made = {
        "river": stations["river"].to_numpy()[row],
        "chainage_m": v["chainage_m"][row],
        "offset_m": x[keep],
        "elevation_m": z[keep],
        "n": rough[keep],
    }
    for column in ("scheme", "datum", "line"):
        if column in stations.columns:
            made[column] = stations[column].to_numpy()[row]
    return pd.DataFrame(made)


def _require_one_shape(stations: pd.DataFrame, bed_m: Array, slope: Array) -> None:
    """Refuse walls that lean inwards, and a bed whose stated width isn't that between the walls."""
    said = numbers(stations, "bed_width_m", "design").to_numpy()
    at = places(stations.reset_index(drop=True), np.arange(len(stations)))
    if (slope < 0).any():
        raise HydraulicsError(
            "has side slopes below 0: walls that lean over the water",
            layer="design",
            ids=np.asarray(at)[slope < 0],
            hint="side_slope is metres outwards for each metre up; 0 is a vertical wall",
        )
    if (differ := np.abs(said - bed_m) > SAME_BED_M).any():
        k = int(np.flatnonzero(differ)[0])
        raise HydraulicsError(
            f"states a bed of {said[k]:.2f} m where left_m, right_m and side_slope leave "
            f"{bed_m[k]:.2f} m",
            layer="design",
            ids=np.asarray(at)[differ],
            hint="leave bed_width_m blank, or left_m and right_m, or correct side_slope",
        )


def _side_values(stations: pd.DataFrame, own: str, common: str, both: Array) -> Array:
    """What a side of the channel has of its own, else what both have."""
    if own not in stations.columns and common not in stations.columns:
        require_columns(stations, (common if own.endswith("top_m") else own,), "design")
    values = numbers(stations, own, "design").to_numpy()
    return np.asarray(np.where(np.isfinite(values), values, both))


@takes(ranges="sections")
def with_roughness(
    sections: pd.DataFrame, ranges: pd.DataFrame, *, rivers: gpd.GeoDataFrame | None = None
) -> pd.DataFrame:
    """Cross-sections with Manning's n by ranges of offsets 分区糙率.

    Parameters
    ----------
    sections
        Points of sections: river, chainage_m, offset_m, elevation_m.
    ranges
        From where on, to the right, each n holds: offset_m, n; with river and chainage_m for
        single sections, without them for all. The first range reaches the section's left end.
        Of sections of one chainage the column repeated says which is meant {above, below}.
    rivers
        Centrelines; needed where an equation (断链) makes chainages occur twice.

    Returns
    -------
    pandas.DataFrame
        The sections with a point more where a range begins between points, and the column n.

    Raises
    ------
    HydraulicsError, LayerError
        A section has no range, a chainage several sections, or the tables can't be used.

    References
    ----------
    HEC-RAS Hydraulic Reference Manual 6.x, chapter 3, table 3-1 (Manning's n). Chow (1959),
    Open-Channel Hydraulics, McGraw-Hill, chapter 5 (values of n).

    Examples
    --------
    >>> box = pd.DataFrame({"river": "示例河", "chainage_m": 0.0, "offset_m": [-9, -5, 5, 9],
    ...     "elevation_m": [4, 0, 0, 4]})
    >>> made = pg.flood.with_roughness(box, pd.DataFrame({"offset_m": [-9, 0], "n": [0.03, 0.025]}))
    >>> made[["offset_m", "n"]].to_numpy().tolist()
    [[-9.0, 0.03], [-5.0, 0.03], [0.0, 0.025], [5.0, 0.025], [9.0, 0.025]]
    """
    require_columns(ranges, ("offset_m", "n"), "ranges")
    require_columns(sections, ("river", "chainage_m", "offset_m", "elevation_m"), "sections")
    if sections.empty or ranges.empty:
        raise HydraulicsError(
            "has no rows", layer="sections" if sections.empty else "ranges",
            hint="read it again: pg.read_table(..., \"sections\")",
        )  # fmt: skip
    number, stations = sections_of_schemes(sections, rivers, "sections")
    everywhere = not {"river", "chainage_m"} <= set(ranges.columns)
    row, place = (None, None) if everywhere else rows_of(ranges, stations, "ranges")
    if place is not None and len(bare := np.setdiff1d(np.arange(len(stations)), place)):
        raise HydraulicsError(
            "has no roughness for a section",
            layer="ranges",
            ids=places(stations, bare),
            hint="one or more rows for each section, or no river and chainage_m at all",
        )
    parts = []
    for at, part in groups_of(sections.groupby(number)):
        mine = ranges if row is None else ranges.iloc[row[place == at]]
        parts.append(_section_with_roughness(part, mine.sort_values("offset_m")))
    return pd.concat(parts, ignore_index=True)


def _section_with_roughness(part: pd.DataFrame, ranges: pd.DataFrame) -> pd.DataFrame:
    x, z = (numbers(part, c, "sections").to_numpy() for c in ("offset_m", "elevation_m"))
    starts, n = (numbers(ranges, c, "ranges").to_numpy() for c in ("offset_m", "n"))
    ground = Ground(x, z, np.zeros(len(x)), np.array([len(x)]))
    for at in starts:
        ground = ground.cut(np.array([at]))
    place = np.clip(np.searchsorted(starts, ground.x, side="right") - 1, 0, None)
    same = {c: part[c].iloc[0] for c in part.columns if c in ("river", "chainage_m", "scheme")}
    return pd.DataFrame(
        {**same, "offset_m": ground.x, "elevation_m": ground.z, "n": n[place]},
        index=range(len(ground.x)),
    )
