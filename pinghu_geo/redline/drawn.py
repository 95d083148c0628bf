"""Which river is a red line of that somebody drew? That whose centreline runs within it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.schema import require_layer, require_polygons

__all__ = ["named_by_rivers"]

# Another river's centreline that runs within an area for more than this share of the longest
# leaves open which of the two it is of; the mouth of a tributary is far less.
AS_LONG = 0.5


@takes(red_line="features")
def named_by_rivers(red_line: gpd.GeoDataFrame, rivers: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A drawn red line with the river whose centreline runs longest within each area 所属河道.

    Parameters
    ----------
    red_line
        Polygons, such as of a drawing, that name no rivers; a row whose ``river`` is there keeps
        it.
    rivers
        Centrelines, indexed by their names, in the same CRS.

    Returns
    -------
    geopandas.GeoDataFrame
        The same rows with the column ``river``.

    Raises
    ------
    LayerError, CRSError
        An area holds no centreline, or two rivers run within it for a similar length; a layer
        can't be used.

    References
    ----------
    OGC 06-103r4, Simple feature access, part 1: common architecture (intersection, length).

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> drawn = pg.red_line(rivers, 15)[["geometry"]]
    >>> sorted(pg.redline.named_by_rivers(drawn, rivers)["river"]) == sorted(rivers.index)
    True
    """
    require_layer(red_line, "red_line", crs=rivers.crs)
    require_polygons(red_line, "red_line")
    require_layer(rivers, "rivers")
    none = pd.Series(None, red_line.index, dtype=object)
    given = (red_line["river"] if "river" in red_line.columns else none).astype(object)
    unnamed = given.isna().to_numpy()
    if not unnamed.any():
        return red_line
    names = rivers.index.unique()
    lines = np.array([shapely.union_all(rivers.geometry[rivers.index == n]) for n in names])
    areas = red_line.geometry.to_numpy()[unnamed]
    within = shapely.length(shapely.intersection(areas[:, None], lines))
    most = within.max(axis=1, initial=0.0)
    _require_one_each(red_line.index[unnamed], names, within, most)
    given[unnamed] = np.asarray(names)[within.argmax(axis=1)]
    return red_line.assign(river=given)


def _require_one_each(
    rows: pd.Index, names: pd.Index, within: NDArray[np.float64], most: NDArray[np.float64]
) -> None:
    """Refuse areas with no centreline, or with several of a similar length."""
    if (empty := most <= 0).any():
        raise LayerError(
            "names no river, and no centreline runs within it",
            layer="red_line",
            ids=rows[empty],
            hint=f'red_line["river"] = "{next(iter(names), "")}"  # a name for each row',
        )
    rivals = within > AS_LONG * most[:, None]
    if (several := rivals.sum(axis=1) > 1).any():
        between = names[rivals[several][0]]
        raise LayerError(
            f"names no river, and several run within it: {', '.join(map(str, between))}",
            layer="red_line",
            ids=rows[several],
            hint=f'red_line["river"] = "{between[0]}"  # a name for each row',
        )
