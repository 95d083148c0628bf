"""How much higher does the water stand on the outside of a bend? Superelevation along rivers."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.schema import numbers, require_columns
from pinghu_geo.nouns.tables import groups_of
from pinghu_geo.river.centreline import river_scales

__all__ = ["bend_rises"]

# C of EM 1110-2-1601 (1994), table 2-4: tranquil flow, and rapid flow in a simple curve
TRANQUIL, RAPID = 0.5, 1.0
# bends below so many widths are tighter than that manual advises
TIGHT = 3.0
# the bend is seen over the water's width, and at least this far each way [m]
LEAST_M = 10.0
# what lies this near to a straight line [-] is one
STRAIGHT = 1e-9


@takes()
def bend_rises(profile: pd.DataFrame, rivers: gpd.GeoDataFrame) -> pd.DataFrame:
    """Rise of the water on the outside of bends, beside the levels and not in them 弯道超高.

    Parameters
    ----------
    profile
        Of `water_profile`: river, chainage_m, velocity_ms, top_width_m, froude.
    rivers
        Centrelines.

    Returns
    -------
    pandas.DataFrame
        On the index of ``profile``: its keys, radius_m of the centreline there (infinite where it
        is straight), outer_bank {left, right} (missing where it is straight), bend_rise_m above the
        mean level, and tight, whether the radius is below three widths. What has no width,
        speed or Froude number, or lies beyond the centreline, is missing.

    Raises
    ------
    LayerError, ChainageError
        The tables don't fit one another.

    Notes
    -----
    C V² W / (g R), with C = 0.5 in tranquil and 1 in rapid flow. R is that of the circle through
    the centreline here and one width up and down (at least 10 m). It is half of the difference
    between the banks; the level of the profile is that of the centreline, and stays. Nothing adds
    it to a verdict or a bank: whoever sets a freeboard says whether it is in it.

    References
    ----------
    USACE EM 1110-2-1601 (1994), Hydraulic Design of Flood Control Channels, equation 2-31 and
    table 2-4.

    Examples
    --------
    >>> turn = np.linspace(0, np.pi / 2, 200)
    >>> line = shapely.LineString(100 * np.stack([np.sin(turn), np.cos(turn)], axis=1))
    >>> rivers = gpd.GeoDataFrame(index=pd.Index(["示例河"], name="river"), geometry=[line],
    ...     crs=4547)
    >>> water = pd.DataFrame({"river": ["示例河"], "chainage_m": 80.0, "velocity_ms": 3.0,
    ...     "top_width_m": 20.0, "froude": 0.6})
    >>> pg.flood.bend_rises(water, rivers)[["outer_bank", "bend_rise_m"]].round(3).values.tolist()
    [['left', 0.092]]
    """
    need = ("river", "chainage_m", "velocity_ms", "top_width_m", "froude")
    require_columns(profile, need, "profile")
    at, speed, width, froude = (numbers(profile, c, "profile").to_numpy(float) for c in need[1:])
    radius, turns = np.full(len(profile), np.nan), np.zeros(len(profile))
    scales, lines = river_scales(rivers), rivers.geometry
    keys = [c for c in ("scheme", "profile", "river", "chainage_m", "repeated") if c in profile]
    by = [profile[c].to_numpy() for c in ("scheme", "profile", "river") if c in profile]
    place = pd.Series(np.arange(len(profile)))
    for key, rows in groups_of(place.groupby(by, sort=False, dropna=False)):
        river = key[-1] if isinstance(key, tuple) else key
        if river not in scales:
            continue
        k = rows.to_numpy()
        measure = scales[str(river)].measure(at[k], twice="order", beyond=True)
        step = np.fmax(width[k], LEAST_M)
        radius[k], turns[k] = _radius_of_bend(lines.loc[river], measure, step)
    c = np.where(froude < 1, TRANQUIL, np.where(froude >= 1, RAPID, np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = c * speed**2 * width / (9.81 * radius)
    outer = [None if turn == 0 else "right" if turn > 0 else "left" for turn in turns.tolist()]
    return profile[keys].assign(
        radius_m=radius,
        outer_bank=pd.Series(outer, profile.index, dtype="str"),
        bend_rise_m=rise,
        tight=pd.Series(radius < TIGHT * width, profile.index, dtype="boolean").mask(
            np.isnan(radius) | np.isnan(width)
        ),
    )


def _radius_of_bend(line: Any, measure: Array, step: Array) -> tuple[Array, Array]:
    """Radius of the circle through three points of a line, and which way it turns (left: 1)."""
    inside = (measure >= 0) & (measure <= line.length)
    # at the ends the circle goes through three points that the line has
    middle = np.clip(measure, step, np.maximum(line.length - step, step))
    before, here, after = (
        shapely.get_coordinates(shapely.line_interpolate_point(line, m))
        for m in (middle - step, middle, np.minimum(middle + step, line.length))
    )
    one, other, far = here - before, after - here, after - before
    cross = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    sides = np.prod([np.hypot(*v.T) for v in (one, other, far)], axis=0)
    straight = np.abs(cross) <= STRAIGHT * np.hypot(*one.T) * np.hypot(*other.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        radius = np.where(straight, np.inf, sides / (2 * np.abs(cross)))
    known = inside & (sides > 0)
    return np.where(known, radius, np.nan), np.where(known & ~straight, np.sign(cross), 0.0)
