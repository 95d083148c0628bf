"""What does it cost to spare one more building? The question, asked of any design found."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pandas as pd

from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.errors import LayerError

__all__ = [
    "PRICE", "Priced", "exchanged", "moved_stretches", "still_taken", "what_would_save",
    "widths_that_save",
]  # fmt: skip

# columns of the price of one more building
PRICE = [
    "river", "bank", "from_m", "to_m", "moved_m", "extra_yuan", "n_saved", "n_lost", "saved_ids",
    "lost_ids",
]  # fmt: skip


class Priced(Protocol):
    """A design that can say what sparing one more building costs."""

    def price_of(self, building_id: object) -> pd.DataFrame:
        """See `what_would_save`."""

    def widths_for(self, building_id: object) -> pd.DataFrame:
        """See `widths_that_save`."""


def what_would_save(best: Priced, building_id: object) -> pd.DataFrame:
    """The cheapest change that spares one more building, and its price 保留一栋的代价.

    Parameters
    ----------
    best
        Result of `least_demolition` or `least_demolition_within_rise`.
    building_id
        A building that it demolishes.

    Returns
    -------
    pandas.DataFrame
        One row a bank and stretch where the line moves, river, bank, from_m, to_m, moved_m (the
        largest change of offset, negative towards the river); and on every row extra_yuan, what
        the whole design costs more, n_saved and n_lost, buildings spared and lost in all, and
        their ids; least_ratio, the least width or conveyance to the approved one anywhere, or
        within a rise largest_rise_mm. No row: no line within the limits spares it. With a rule on
        bends lines are compared as searched, without it; a building that just this rule takes is
        compared with the line drawn, and extra_yuan may be below 0.

    Raises
    ------
    LayerError
        The building is not among those that are demolished.

    Notes
    -----
    The same search with the building fixed as spared: nothing infeasible is ever proposed, and no
    cheaper change exists within the limits (where nothing is decided between stations). Within a
    rise the whole river is searched again, so that the price holds what the building takes from the
    rise that others would have had, and the flood of all rivers accepts the change.
    `widths_that_save` is the proposal as a width table.

    References
    ----------
    Picard, Maximal closure of a graph and applications to combinatorial problems, Management
    Science 22 (1976) 1268-1272.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers").loc[["木古河"]]
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    >>> best = pg.least_demolition(rivers, widths[widths["river"] == "木古河"], buildings,
    ...     {"spacing_m": 20, "step_m": 1.0})
    >>> left = best.buildings[best.buildings["hindered_by"] == "cost"]
    >>> found = [pg.what_would_save(best, i) for i in left.index]
    >>> all((t["extra_floor_area_m2"] >= 0).all() for t in found)
    True
    """
    return best.price_of(building_id)


def widths_that_save(best: Priced, building_id: object) -> pd.DataFrame:
    """Width table of the cheapest change that spares one more building 保留一栋的红线宽度.

    Parameters
    ----------
    best, building_id
        As in `what_would_save`, which says what it costs.

    Returns
    -------
    pandas.DataFrame
        The whole design, with the line moved so that the building stays: an ordinary width table,
        to be drawn, edited and compared. No row: no line within the limits spares it.

    Raises
    ------
    LayerError
        The building is not among those that are demolished.

    References
    ----------
    Picard, Maximal closure of a graph and applications to combinatorial problems, Management
    Science 22 (1976) 1268-1272.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers").loc[["木古河"]]
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    >>> best = pg.least_demolition(rivers, widths[widths["river"] == "木古河"], buildings,
    ...     {"spacing_m": 20, "step_m": 1.0})
    >>> gone = best.buildings.query("hindered_by == 'cost'").index[0]
    >>> line = pg.red_line(rivers, pg.search.widths_that_save(best, gone))
    >>> gone in pg.affected(buildings, line, rivers).index
    False
    """
    return best.widths_for(building_id)


def still_taken(buildings: pd.DataFrame, building_id: object) -> pd.DataFrame:
    """Rows of a building that a design demolishes."""
    mine = buildings[buildings.index == building_id]
    mine = mine[mine["state"].isin(["demolished", "added", "near"])]
    if mine.empty:
        raise LayerError(
            f"{building_id!r} is no building that the design demolishes",
            layer="buildings",
            hint='best.buildings[best.buildings["state"] == "demolished"] lists them',
        )
    return mine


def exchanged(ids: Array, before: Array, after: Array) -> list[Any]:
    """How many buildings are spared and lost, and which."""
    saved, lost = list(ids[before & ~after]), list(ids[~before & after])
    return [len(saved), len(lost), saved, lost]


def moved_stretches(river: str, chainage: Array, moved: Array) -> list[list[Any]]:
    """River, bank, ends and largest move of each run of stations that move (2, stations)."""
    found = []
    for side, word in enumerate(("left", "right")):
        edge = np.flatnonzero(np.diff(np.r_[False, moved[side] != 0, False].astype(int)))
        for a, b in edge.reshape(-1, 2).tolist():
            run = moved[side, a:b]
            most = float(run[np.argmax(np.abs(run))])
            found.append([river, word, chainage[a], chainage[b - 1], most])
    return found
