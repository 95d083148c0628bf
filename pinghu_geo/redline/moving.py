"""Where does the line run when a few of its widths are moved? Drawn anew only where it changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pinghu_geo.nouns.tables import groups_of
from pinghu_geo.redline.lines import ARC_STEP_DEG, corridor_area, section_rows
from pinghu_geo.river.centreline import lay_out

__all__ = ["LineInStretches"]

# Rows of the width table in one stretch: few are drawn as fast as one, and more slow a move down.
ROWS = 12


class _Stretch(NamedTuple):
    """Rows of a width table that are drawn together."""

    code: int
    rows: pd.Index
    measure: NDArray[np.float64]


class LineInStretches:
    """A red line in overlapping stretches, whose union is the line that `red_line` draws.

    Each stretch begins and ends a row within its neighbours, so that a bend at the last row of one
    lies within the next.

    Parameters
    ----------
    table
        Result of `width_table`.
    rivers
        Centrelines drawn downstream, indexed by river.
    """

    def __init__(self, table: pd.DataFrame, rivers: gpd.GeoDataFrame) -> None:
        self.crs, self._lines = rivers.crs, lay_out(rivers)
        self._parts = list(_stretches_of_rows(table))
        shapes = [self._drawn_stretch(part, table) for part in self._parts]
        self._shapes = np.array([*shapes, None], object)[:-1]

    def _drawn_stretch(self, part: _Stretch, widths: pd.DataFrame) -> Any:
        """One stretch, as wide as the rows say."""
        left, right = widths.loc[part.rows, ["left_m", "right_m"]].to_numpy(float).T
        if not (left.any() or right.any()):
            return shapely.Polygon()
        rows = section_rows(part.measure, left, right, self._lines, part.code, step=False)
        return corridor_area(rows, np.radians(ARC_STEP_DEG), mitre=False, rounded=False)

    def moved(self, widths: pd.DataFrame, rows: pd.Index) -> tuple[LineInStretches, Any]:
        """The line with other widths at some rows, and the places that changed sides.

        Parameters
        ----------
        widths
            The whole table as it is now, on the index of the one given to begin with.
        rows
            Index of the rows whose widths are others.

        Returns
        -------
        tuple
            The line, a new one; and an array of polygons.
        """
        touched = [k for k, part in enumerate(self._parts) if part.rows.isin(rows).any()]
        found = object.__new__(LineInStretches)
        found.crs, found._lines, found._parts = self.crs, self._lines, self._parts
        found._shapes = self._shapes.copy()
        for k in touched:
            found._shapes[k] = self._drawn_stretch(self._parts[k], widths)
        before, after = (shapely.union_all(s[touched]) for s in (self._shapes, found._shapes))
        places = shapely.get_parts(shapely.symmetric_difference(before, after))
        return found, places[shapely.get_dimensions(places) == 2]

    def within(self, box: NDArray[np.float64]) -> gpd.GeoDataFrame:
        """The line as far as it reaches into a box: river by river, exact within the box."""
        bounds = shapely.bounds(self._shapes)
        meets = (bounds[:, :2] <= box[2:]).all(axis=1) & (bounds[:, 2:] >= box[:2]).all(axis=1)
        of: dict[str, list[Any]] = {}
        for k in np.flatnonzero(meets):
            river = self._lines.names[self._parts[k].code]
            of.setdefault(river, []).append(self._shapes[k])
        shapes = [shapely.union_all(some) for some in of.values()]
        names = pd.Series(list(of), dtype="str")
        return gpd.GeoDataFrame({"river": names}, geometry=shapes, crs=self.crs)


def _stretches_of_rows(table: pd.DataFrame) -> Iterator[_Stretch]:
    """Stretches of some rows, each from a row before the first of its own to one behind."""
    for (code, _), piece in groups_of(table.groupby(["code", "piece"], sort=True)):
        measure = piece["measure"].to_numpy(float)
        for first in range(0, max(len(piece) - 1, 1), ROWS):
            last = min(first + ROWS, len(piece) - 1)
            # rows of one chainage are a sudden change: they belong together
            low = max(int(np.searchsorted(measure, measure[first])) - 1, 0)
            high = int(np.searchsorted(measure, measure[last], side="right"))
            some = slice(low, high + 1)
            yield _Stretch(int(code), piece.index[some], measure[some])
