"""Which way does the water flow? Centrelines turned downstream, by the ground or by confluences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from pinghu_geo.flood.rasters import Rasters, Source, raster_crs, tiles_of
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError, first_ids
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.notices import notify
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang, require_layer

__all__ = ["Downstream", "drawn_downstream"]

# Heights are taken at so many places along a river.
PLACES = 101
# A trend of the heights is believed from so many standard deviations on.
SURE = 3.0
# ... and from this fall on [m]: less is within the error of heights taken from the air.
LEAST_FALL_M = 0.3


@dataclass(frozen=True, slots=True)
class Downstream(Result):
    """Rivers drawn downstream, and what told which way that is 河道流向."""

    layer: gpd.GeoDataFrame
    log: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """Which rivers were turned, and of which nothing tells."""
        return [
            say(
                "{} of {} rivers were turned downstream; of {} nothing tells.",
                lang,
                int(self.log["turned"].sum()),
                len(self.log),
                int((self.log["told_by"] == "nothing").sum()),
            )
        ]


@takes()
def drawn_downstream(
    rivers: gpd.GeoDataFrame, *, dem: Source | None = None, near_m: float = 50.0
) -> Downstream:
    """Turn rivers so that each is drawn downstream, by the ground or by confluences 判断流向.

    Parameters
    ----------
    rivers
        One LineString a river, indexed by river; drawn either way.
    dem
        Heights of the ground, in any CRS: the river runs down where they fall along it. Without
        a DEM, or where it doesn't tell, the end at which a river meets another one is its mouth.
    near_m
        An end this close to another river, away from that one's own ends, meets it [m].

    Returns
    -------
    Downstream
        ``layer``: the rivers, those turned that were drawn upstream; ``log``: a row a river:
        told_by {dem, confluence, nothing}, turned, fall_m [m, of the ground from the upper to the
        lower fifth; NA without a DEM]. A river of which nothing tells is left as drawn, and said.

    Raises
    ------
    LayerError, CRSError
        A centreline or a raster can't be used; the DEM covers no river at all.

    Notes
    -----
    Along a river a DEM shows bridges, banks and noise beside the bed, so that a trend is asked
    for: Mann and Kendall's test over heights at up to 101 places, at least a cell apart, beyond
    three standard deviations, and a fall of 0.3 m.

    References
    ----------
    Kendall, M.G.: Rank Correlation Methods. Griffin, London, 4th ed. 1975 (variance of S).

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> rivers.geometry = rivers.reverse()  # drawn upstream
    >>> layer, log = pg.flood.drawn_downstream(rivers, dem=sample / "地面高程.tif")
    >>> log["told_by"].unique().tolist(), bool(log["turned"].all())
    (['dem'], True)
    """
    require_layer(rivers, "rivers")
    shapes = rivers.geometry.to_numpy().copy()
    single = shapely.get_type_id(shapes) == shapely.GeometryType.LINESTRING
    if not single.all():
        raise LayerError(
            "come in several parts",
            layer="rivers",
            ids=rivers.index[~single],
            hint="rivers = pg.join_parts(rivers, gap_m=20).layer",
        )
    trend, fall = _ground_trends(shapes, rivers.crs, dem)
    meeting = _mouth_by_confluence(shapes, near_m)
    way = np.where(trend != 0, trend, meeting)
    told = np.where(trend != 0, "dem", np.where(meeting != 0, "confluence", "nothing"))
    shapes[way < 0] = shapely.reverse(shapes[way < 0])
    if (unknown := rivers.index[way == 0]).size:
        notify(
            f"rivers: which way {len(unknown)} of {len(rivers)} flow isn't told by ground or "
            f"confluences; left as drawn: {first_ids(unknown)}"
        )
    log = pd.DataFrame({"told_by": told, "turned": way < 0, "fall_m": fall}, rivers.index)
    return Downstream(rivers.set_geometry(shapes, crs=rivers.crs), log)


def _ground_trends(shapes: Any, crs: Any, dem: Source | None) -> tuple[Any, Any]:
    """Whether the ground falls (1) or rises (-1) along each line, or neither; and its fall [m]."""
    trend, fall = np.zeros(len(shapes), int), np.full(len(shapes), np.nan)
    if dem is None:
        return trend, fall
    tiles = tiles_of(dem, "dem")
    own = raster_crs(tiles, "dem")
    rasters = Rasters.of(tiles, own, "dem")
    place = Transformer.from_crs(crs, own, always_xy=True)
    # a cell of the raster along the line, in the rivers' metres
    unit = 111_320.0 if own.is_geographic else own.axis_info[0].unit_conversion_factor
    metres = rasters.cell * unit
    some = False
    for k, line in enumerate(shapes):
        count = int(np.clip(shapely.length(line) / metres, 2, PLACES - 1)) + 1
        on = shapely.line_interpolate_point(line, np.linspace(0, 1, count), normalized=True)
        xy = np.column_stack(place.transform(*shapely.get_coordinates(on).T))
        pad = 2 * np.array([rasters.cell, rasters.cell_y])
        heights = rasters.window(xy.min(axis=0) - pad, xy.max(axis=0) + pad).at(xy)
        known = heights[np.isfinite(heights)]
        some |= len(known) > 0
        if len(known) < 4:
            continue
        fifth = max(len(known) // 5, 1)
        fall[k] = np.median(known[:fifth]) - np.median(known[-fifth:])
        trend[k] = -_kendall_trend(known) if abs(fall[k]) >= LEAST_FALL_M else 0
    if not some:
        raise LayerError(
            "doesn't cover the rivers", layer="dem", hint="check the tiles and their CRS"
        )
    fall[trend < 0] *= -1
    return trend, fall


def _kendall_trend(values: Any) -> int:
    """Whether values rise (1) or fall (-1) beyond chance, by all pairs of them."""
    n = len(values)
    later, earlier = np.tril_indices(n, -1)
    score = float(np.sign(values[later] - values[earlier]).sum())
    ties = np.unique(values, return_counts=True)[1]
    spread = (n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
    sure = abs(score) > SURE * np.sqrt(spread) or (n < 10 and abs(score) == n * (n - 1) / 2)
    return int(np.sign(score)) if sure else 0


def _mouth_by_confluence(shapes: Any, near_m: float) -> Any:
    """Whether a line's last (1) or first (-1) point alone meets another line between its ends."""
    ends = np.stack([shapely.get_point(shapes, 0), shapely.get_point(shapes, -1)])
    tree = shapely.STRtree(shapes)
    meets = np.zeros((2, len(shapes)), bool)
    for at in (0, 1):
        one, other = tree.query(ends[at], predicate="dwithin", distance=near_m)
        apart = one != other
        one, other = one[apart], other[apart]
        to_ends = shapely.distance(ends[at][one], ends[:, other]).min(axis=0)
        meets[at, one[to_ends > near_m]] = True
    return meets[1].astype(int) - meets[0].astype(int)
