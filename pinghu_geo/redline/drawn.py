"""Which river is a red line of that somebody drew? That whose centreline runs within it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

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
        Polygons, such as of a drawing, that name no rivers; a column ``river`` that is there is
        replaced.
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
    names = rivers.index.unique()
    lines = np.array([shapely.union_all(rivers.geometry[rivers.index == n]) for n in names])
    within = shapely.length(shapely.intersection(red_line.geometry.to_numpy()[:, None], lines))
    longest = within.argmax(axis=1) if len(names) else np.zeros(len(red_line), int)
    most = within.max(axis=1, initial=0.0)
    rivals = (within > AS_LONG * most[:, None]).sum(axis=1)
    if (empty := most <= 0).any():
        raise LayerError(
            "names no river, and no centreline runs within it",
            layer="red_line",
            ids=red_line.index[empty],
            hint=f'red_line["river"] = "{next(iter(names), "")}"  # a name for each row',
        )
    if (open_ := rivals > 1).any():
        between = ", ".join(map(str, names[within[open_][0] > AS_LONG * most[open_][0]]))
        raise LayerError(
            f"names no river, and several run within it: {between}",
            layer="red_line",
            ids=red_line.index[open_],
            hint=f'red_line["river"] = "{names[longest[open_][0]]}"  # a name for each row',
        )
    return red_line.assign(river=np.asarray(names)[longest])
