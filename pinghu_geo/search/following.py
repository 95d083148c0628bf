"""Which river is it once the line has moved? Sections and designed channels that follow it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.channel import design_sections
from pinghu_geo.flood.offsets import require_about_centre
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.survey import lay_sections, places
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import HydraulicsError, LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang, nearest
from pinghu_geo.redline.lines import Widths, width_rows
from pinghu_geo.river.centreline import lay_out
from pinghu_geo.river.chainage import ChainageScale
from pinghu_geo.search.walls import Half, Wall, as_surveyed, as_tables, wall_menu

__all__ = ["MovedSections", "moved_design", "moved_sections"]


@dataclass(frozen=True, slots=True)
class MovedSections(Result):
    """Sections whose walls follow a line, and their banks 移位断面."""

    sections: pd.DataFrame
    banks: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """How many sections there are."""
        at = self.sections[["river", "chainage_m"]].drop_duplicates()
        return [say("{} sections of {} rivers.", lang, len(at), at["river"].nunique())]


@takes(before="widths", after="widths")
def moved_sections(
    sections: pd.DataFrame,
    before: Widths,
    after: Widths,
    rivers: gpd.GeoDataFrame,
    *,
    banks: pd.DataFrame | None = None,
    walls: pd.DataFrame | None = None,
) -> MovedSections:
    """Surveyed or DEM sections whose walls follow the red line to another width table 移位断面.

    Parameters
    ----------
    sections, banks
        As in `water_profile`; without banks the ends of a section are its banks' tops.
    before, after
        Width tables of the approved and the new line, or constant widths as for `red_line`.
        ``after`` may name walls in wall_left and wall_right (missing: the wall that is there).
    rivers
        Centrelines, for the chainages.
    walls
        Menu of walls: wall, side_slope, n_wall, wall_yuan_m, and perhaps strip_m (between line and
        wall's top [m]).

    Returns
    -------
    MovedSections
        ``sections`` and ``banks``, for `water_profile`.

    Raises
    ------
    HydraulicsError, LayerError
        The tables can't be used, or a moved wall leaves no bed.

    Notes
    -----
    Each wall (all that stands beside the bank above the lowest tenth of the channel) moves as the
    line does on its bank, and the bed between it and the middle is stretched. Ground behind a wall
    stays; a wall moved inward leaves fill as high as its top.

    Examples
    --------
    >>> bed = pd.DataFrame({"river": "示例河", "chainage_m": [0.0, 100.0], "bed_level_m": 0.0,
    ...     "left_m": 8.0, "right_m": 8.0, "bank_level_m": 3.0, "n": 0.03})
    >>> rivers = gpd.GeoDataFrame({"river": ["示例河"]}, crs=4547,
    ...     geometry=[shapely.LineString([(0, 0), (100, 0)])]).set_index("river")
    >>> line = bed[["river", "chainage_m"]].assign(left_m=10.0, right_m=10.0)
    >>> made = pg.search.moved_sections(
    ...     pg.design_sections(bed), line, line.assign(left_m=9.0), rivers
    ... )
    >>> made.sections["offset_m"].head(4).tolist()
    [-8.0, -7.0, -7.0, 0.0]
    """
    menu = {None if w is None else w.name: w for w in wall_menu(walls)}
    require_about_centre(sections, "sections")
    lines = lay_out(rivers)
    scales = dict(zip(lines.names, lines.scales, strict=True))
    before, after = width_rows(before, lines), width_rows(after, lines)
    points, ends = [], []
    for name, river in as_surveyed(lay_sections(sections, banks=banks, rivers=rivers)).items():
        measure = river.stations["measure"].to_numpy()
        made: list[list[Half]] = []
        for side, word in enumerate(("left", "right")):
            named = _wall_names_at(after, name, scales[name], measure, f"wall_{word}", menu)
            was, now = (
                _offsets_at(table, name, scales[name], measure, f"{word}_m", layer="widths")
                for table in (before, after)
            )
            new = []
            for i, move in enumerate(now - was):
                half = river.rebuilt(side, i, was[i], move, menu[named[i]])
                if half is None and i in river.covered:
                    raise HydraulicsError(
                        "moves the walls of covered sections (lid_m)",
                        layer="after",
                        ids=places(river.stations, np.array(list(river.covered))),
                        hint="keep the approved widths there, or survey the reach as it will be",
                    )
                if half is None:
                    raise HydraulicsError(
                        "leaves no bed between moved walls",
                        layer="after",
                        ids=places(river.stations, np.array([i])),
                        hint="a smaller move, or a steeper wall",
                    )
                new.append(half)
            made.append(new)
        pairs = [(m, a, b) for m, a, b in zip(river.middle, *made, strict=True)]
        table, edge = as_tables(river, pairs)
        points.append(table)
        ends.append(edge)
    return MovedSections(pd.concat(points, ignore_index=True), pd.concat(ends, ignore_index=True))


@takes(before="widths", after="widths")
def moved_design(
    design: pd.DataFrame, before: Widths, after: Widths, rivers: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Designed channel whose walls follow the red line to another width table 移位设计断面.

    Parameters
    ----------
    design
        Stations for `design_sections`: river, chainage_m, left_m, right_m and the rest.
    before, after
        Width tables of the approved and the new red line, or constant widths as for `red_line`.
    rivers
        Centrelines, for the chainages.

    Returns
    -------
    pandas.DataFrame
        ``design`` with left_m and right_m moved as the line moves on each bank. With it
        `water_profile` computes the flood of the new line, which the search knows nothing of.

    Raises
    ------
    LayerError
        A river of the design is missing from a width table.

    References
    ----------
    Chow (1959), Open-Channel Hydraulics, McGraw-Hill, chapter 2 (geometric elements of channel
    sections).

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> design = pg.read_table(sample / "设计断面.csv", "design")
    >>> names = [f"红线宽度_{n}方案.csv" for n in ("原", "优化")]
    >>> old, new = (pg.read_table(sample / n, "widths") for n in names)
    >>> made = pg.moved_design(design, old, new, rivers)
    >>> wide = made["left_m"] + made["right_m"] - design["left_m"] - design["right_m"]
    >>> bool(wide.abs().max() < 1e-6)
    True
    """
    lines = lay_out(rivers)
    scales = dict(zip(lines.names, lines.scales, strict=True))
    before, after = width_rows(before, lines), width_rows(after, lines)
    made = _with_wall_tops(design)
    for river in design["river"].unique():
        if river not in scales:
            raise LayerError(
                f"names the river {river!r}, which rivers doesn't hold",
                layer="design",
                hint=nearest(river, scales),
            )
        scale = scales[river]
        mine = (design["river"] == river).to_numpy()
        at = scale.measure(design.loc[mine, "chainage_m"].to_numpy(float), twice="order")
        for column in ("left_m", "right_m"):
            was, now = (
                _offsets_at(table, river, scale, at, column, layer=layer)
                for layer, table in (("before", before), ("after", after))
            )
            moved = np.round(now - was, 6)
            made.loc[mine, column] = made.loc[mine, column] + moved
            if "bed_width_m" in made:  # the bed between them
                made.loc[mine, "bed_width_m"] = made.loc[mine, "bed_width_m"] + moved
    return made


def _with_wall_tops(design: pd.DataFrame) -> pd.DataFrame:
    """A design whose left_m and right_m stand there where only bed_width_m said how wide it is."""
    made, sides = design.copy(), ("left_m", "right_m")
    if all(c in made.columns and made[c].notna().all() for c in sides):
        return made
    keys = [c for c in ("scheme", "river", "chainage_m") if c in made.columns]
    ends = design_sections(design).groupby(keys, sort=False, dropna=False)["offset_m"]
    at = pd.MultiIndex.from_frame(made[keys])
    for column, tops in zip(sides, (-ends.min(), ends.max()), strict=True):
        own = made[column] if column in made.columns else pd.Series(np.nan, made.index)
        made[column] = own.fillna(pd.Series(tops.reindex(at).to_numpy(), made.index))
    return made


def _offsets_at(
    table: pd.DataFrame,
    name: str,
    scale: ChainageScale,
    measure: Array,
    column: str,
    *,
    layer: str,
) -> Array:
    """Offsets of a river's width table at measures."""
    rows = table[table["river"] == name]
    if rows.empty:
        raise LayerError(f"has no rows for {name}", layer=layer)
    at = scale.measure(rows["chainage_m"].to_numpy(float), twice="order")
    order = np.argsort(at, kind="stable")
    return np.asarray(np.interp(measure, at[order], rows[column].to_numpy(float)[order]))


def _wall_names_at(
    table: pd.DataFrame,
    name: str,
    scale: ChainageScale,
    measure: Array,
    column: str,
    menu: Mapping[str | None, Wall | None],
) -> list[str | None]:
    """Wall of each section: that of the row of the table at it or just upstream."""
    if column not in table.columns:
        return [None] * len(measure)
    rows = table[table["river"] == name]
    at = scale.measure(rows["chainage_m"].to_numpy(float), twice="order")
    order = np.argsort(at, kind="stable")
    words = rows[column].astype(object).to_numpy()[order]
    place = np.clip(np.searchsorted(at[order], measure + 1e-6, side="right") - 1, 0, None)
    found = [None if pd.isna(w) else str(w) for w in words[place]]
    for word in found:
        if word not in menu:
            raise LayerError(
                f"names the wall {word!r}, which the menu doesn't hold",
                layer="widths",
                hint=nearest(str(word), [w for w in menu if w]),
            )
    return found
