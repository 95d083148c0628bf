"""What if the line ran here? A red line to be moved by hand in a notebook, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.stages import stage_rules
from pinghu_geo.campaign.tasks import CampaignTasks, campaign_tasks
from pinghu_geo.deliver.board import class_sums
from pinghu_geo.deliver.livepanel import LivePanel
from pinghu_geo.flood.hydraulics import water_profile
from pinghu_geo.flood.rises import rise_table
from pinghu_geo.nouns.door import BY_KEY, takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.notices import heard
from pinghu_geo.nouns.schema import flat_shapes, nearest, require_layer
from pinghu_geo.redline.areas import rows_near
from pinghu_geo.redline.depths import DEPTH_TOLERANCE_M
from pinghu_geo.redline.lines import red_line, width_table
from pinghu_geo.redline.moving import LineInStretches
from pinghu_geo.redline.overlap import affected, amounts_inside, totals
from pinghu_geo.river.centreline import lay_out
from pinghu_geo.schemes.cost import compensation
from pinghu_geo.search.following import moved_sections

__all__ = ["LiveRedLine", "live_red_line"]

# Houses this far beyond the widest line are drawn for orientation [m].
AROUND_M = 40.0
EVERYWHERE = np.array([-np.inf, -np.inf, np.inf, np.inf])
SIDES = ("left_m", "right_m")
# What sums of a move need; the fewer, the faster they follow the hand.
SUMMED = (
    "extent", "inside_m2", "cut_depth_m", "needs_survey", "demolish_floor_area_m2",
    "floor_area_source", "tenants", "cost_yuan",
)  # fmt: skip


@takes(water=BY_KEY)
def live_red_line(
    widths: pd.DataFrame,
    buildings: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    rates: pd.DataFrame | None = None,
    tasks: CampaignTasks | None = None,
    state: ProgressState | None = None,
    stages: pd.DataFrame | None = None,
    water: Mapping[str, Any] | None = None,
    most_m: float = 40.0,
) -> LiveRedLine:
    """Move the red line by hand in a notebook and watch the houses 红线手动调整.

    Parameters
    ----------
    widths
        Width table to begin with, as for `red_line`; it stays as it is.
    buildings
        Footprints, indexed by building_id.
    rivers
        Centrelines drawn downstream, indexed by river.
    rates
        Table for `compensation`; without it there is no cost.
    tasks
        Result of `campaign_tasks` of the line to begin with: the board's sums (nodes, buildings,
        households, floor area by class of stage) follow, too. A house that the line takes now
        joins a node or makes one; it hasn't begun, and who rents in it isn't known.
    state
        Result of `progress_state`; without it nothing has begun.
    stages
        Result of `stage_rules`.
    water
        Arguments of `water_profile` for the river as it is with the line to begin with: sections,
        flows, downstream and any of its options. The walls of the sections follow the line as
        `moved_sections` says, and the largest rise of each flood is told: a screening.
    most_m
        Greatest width on each side that can be set [m].

    Returns
    -------
    LiveRedLine
        Shown by a notebook (extra ``notebook``) as a map with handles on both edges of the line,
        sliders for a stretch, and the sums beside those of the line to begin with. Its
        ``widths`` and ``affected`` follow what is moved.

    Raises
    ------
    LayerError, CRSError, ChainageError, HydraulicsError
        A layer or the table can't be used, as `red_line`, `affected` and `water_profile` say; a
        width above ``most_m``; ipyleaflet isn't installed.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    >>> live = pg.live_red_line(widths, buildings, rivers)
    >>> live.set_widths("木古河", 0, 2000, left_m=6.0, right_m=6.0)
    >>> len(live.affected) < len(live.baseline)
    True
    """
    campaign = (
        None if tasks is None else (tasks, state, stage_rules() if stages is None else stages)
    )
    return LiveRedLine(widths, buildings, rivers, rates, most_m, campaign=campaign, water=water)


class LiveRedLine:
    """A red line that is moved by hand: made by `live_red_line`.

    Attributes
    ----------
    widths
        Width table as it is now; give it to `red_line` or `write_table`.
    affected, baseline
        Buildings taken now and by the line to begin with, as `affected` says, with rates with
        cost_yuan.
    panel
        The ipywidgets box that a notebook shows.
    """

    def __init__(
        self,
        widths: pd.DataFrame,
        buildings: gpd.GeoDataFrame,
        rivers: gpd.GeoDataFrame,
        rates: pd.DataFrame | None,
        most_m: float,
        *,
        campaign: tuple[CampaignTasks, ProgressState | None, pd.DataFrame] | None = None,
        water: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            import ipyleaflet  # noqa: F401
        except ImportError as fault:
            raise LayerError(
                "ipyleaflet isn't installed", hint='pip install "pinghu_geo[notebook]"'
            ) from fault
        require_layer(buildings, "buildings", crs=rivers.crs)
        self.lines = lay_out(rivers)
        table = width_table(widths, self.lines)
        if table.empty:
            raise LayerError("has no rows", layer="widths", hint="pg.widths_of(line, rivers)")
        wide = table[["left_m", "right_m"]].max(axis=1) > most_m
        if wide.any():
            raise LayerError(
                f"has widths above {most_m:g} m",
                layer="widths",
                ids=table.index[wide],
                hint=f"most_m={table[['left_m', 'right_m']].to_numpy().max():g}",
            )
        self.rivers, self.rates, self.most_m = rivers, rates, most_m
        table = table.reset_index(drop=True)
        self._line = LineInStretches(table, rivers)
        self._given = table.drop(columns=["code", "measure"])
        self.widths = self._given.copy()
        reach = red_line(rivers, self._given.assign(left_m=most_m, right_m=most_m))
        around = shapely.buffer(reach.geometry.to_numpy(), AROUND_M)
        near = shapely.STRtree(flat_shapes(buildings)).query(around, predicate="intersects")[1]
        self.buildings = buildings.iloc[np.unique(near)]
        self.baseline = self.affected = self._affected_of(self.buildings, self._line, EVERYWHERE)
        self._amounts = _columns_summed(self.baseline)
        self._totals_before = totals(self._amounts)
        self._campaign = campaign
        self.water = None if water is None else {"rivers": rivers, **water}
        self._levels = None if self.water is None else water_profile(**self.water)
        self._board_before = None if campaign is None else class_sums(*campaign)
        self._panel = LivePanel(self)
        self.panel = self._panel.box
        self._panel.choose_river()

    def set_widths(
        self,
        river: str,
        from_m: float,
        to_m: float,
        *,
        left_m: float | None = None,
        right_m: float | None = None,
    ) -> None:
        """Set the widths [m] of the rows of a river between two chainages, both included."""
        known = self._given["river"].unique()
        if river not in known:
            raise LayerError(f"{river!r} is not in the widths", hint=nearest(river, known))
        given = {"left_m": left_m, "right_m": right_m}
        sides = {name: float(width) for name, width in given.items() if width is not None}
        for name, width in sides.items():
            if not 0 <= width <= self.most_m:
                raise LayerError(f"{name}={width:g} isn't between 0 and most_m={self.most_m:g}")
        rows = (self.widths["river"] == river) & self.widths["chainage_m"].between(from_m, to_m)
        if not rows.any():
            raise LayerError(
                f"no row of {river} lies between {from_m:g} and {to_m:g} m",
                layer="widths",
                hint="put a row there: widths has the chainages",
            )
        self.set_widths_of_rows(self.widths.index[rows], sides)

    def reset(self, river: str) -> None:
        """Take a river back to the widths to begin with."""
        rows = self._given["river"] == river
        given = {side: self._given.loc[rows, side] for side in SIDES}
        self.set_widths_of_rows(self._given.index[rows], given)

    def sums(self) -> pd.DataFrame:
        """Sums of both lines [units as in `totals`], and their difference."""
        both = pd.concat([self._totals_before, totals(self._amounts)], ignore_index=True)
        table = pd.concat([both, both.diff().tail(1)])
        table.index = pd.Index(["原方案", "当前", "差"])
        return table

    def exchanged(self) -> tuple[pd.Index, pd.Index]:
        """Ids of the buildings that are spared now, and of those that are taken instead."""
        before, now = self.baseline.index, self._amounts.index
        return before[~before.isin(now)], now[~now.isin(before)]

    def red_line(self) -> gpd.GeoDataFrame:
        """The line as it is now, one row a river."""
        return red_line(self.rivers, self.widths)

    def board(self) -> pd.DataFrame | None:
        """The board's sums by class of stage, before and now; None without tasks."""
        if self._campaign is None:
            return None
        tasks, state, stages = self._campaign
        now = class_sums(self._tasks_now(tasks), state, stages)
        return pd.concat({"before": self._board_before, "now": now}, axis=1)

    def flood(self) -> pd.DataFrame | None:
        """Rise of each flood at each section, as `rise_table`; None without water."""
        if self.water is None or self._levels is None:
            return None
        made = moved_sections(self.water["sections"], self._given, self.widths, self.rivers,
                              banks=self.water.get("banks"))  # fmt: skip
        with heard():  # doubts are counted beside the rise, at each move
            after = water_profile(**{**self.water, "sections": made.sections, "banks": made.banks})
        return rise_table(self._levels, after)

    def _tasks_now(self, tasks: CampaignTasks) -> CampaignTasks:
        """Tasks of the line as it is now, in the nodes that were adopted."""
        known = tasks.buildings
        more = [c for c in known if c not in self.affected and c != "node_id"]
        hit = self.affected.join(pd.DataFrame(known[more]))
        people = tasks.tenants[tasks.tenants["building_id"].isin(hit.index)]
        counted = len(tasks.tenants) > 0
        with heard():
            now = campaign_tasks(hit, tenants=people if counted else None, rivers=self.rivers,
                                 frozen=known["node_id"].dropna())  # fmt: skip
        if counted:  # nobody asked who rents in houses that no line took before
            new = now.buildings.loc[~now.buildings.index.isin(known.index), "node_id"]
            now.nodes.loc[now.nodes.index.isin(new), "n_tenants"] = np.nan
        return now

    def _affected_of(
        self, buildings: gpd.GeoDataFrame, line: LineInStretches, box: Any
    ) -> gpd.GeoDataFrame:
        with heard():  # the sums say how much of the floor area is estimated, at each move
            hit = affected(buildings, _line_within(line, box), self.rivers)
        if self.rates is not None:
            hit["cost_yuan"] = compensation(hit, self.rates)["cost_yuan"]
        return hit

    def _amounts_of(self, near: Any, line: LineInStretches, box: Any) -> pd.DataFrame:
        """What the line takes of some rows, without their places: all that sums need."""
        area = shapely.union_all(_line_within(line, box).geometry.to_numpy())
        with heard():
            rows, amounts = amounts_inside(self.buildings, near, area)
        facts = self.buildings.drop(columns=[*amounts, "geometry"], errors="ignore").iloc[rows]
        hit = pd.concat([pd.DataFrame(facts), amounts], axis=1)
        if self.rates is not None:
            hit["cost_yuan"] = compensation(hit, self.rates)["cost_yuan"]
        return _columns_summed(hit)

    def set_widths_of_rows(self, rows: pd.Index, sides: Mapping[str, Any]) -> None:
        """Set widths of rows, if a line can be drawn with them, and count anew."""
        widths = self.widths.copy()
        for side, width in sides.items():
            widths.loc[rows, side] = width
        rivers = widths["river"].isin(widths.loc[rows, "river"].unique())
        if not widths.loc[rivers, list(SIDES)].to_numpy().any():
            width_table(widths[rivers], self.lines)  # says what is wrong
        line, moved = self._line.moved(widths, rows)
        self.widths, self._line = widths, line
        # an edge may be the nearest of a place no farther away than the place is deep
        deepest = self._amounts["cut_depth_m"].max() if len(self._amounts) else 0.0
        near = rows_near(self.buildings, moved, within_m=deepest + DEPTH_TOLERANCE_M)
        if not len(near):
            self._panel.show()
            return
        around = shapely.total_bounds([*moved, *self.buildings.geometry.iloc[near]])
        reach = 2 * self.most_m
        box = around + np.r_[-reach, -reach, reach, reach]
        again = self._amounts_of(near, line, box)
        if len(again) and again["cut_depth_m"].max() > reach - DEPTH_TOLERANCE_M:
            box = EVERYWHERE  # lines that meet are deeper than one of them is wide
            again = self._amounts_of(near, line, box)
        old = self.buildings.index[near]
        self._amounts = _with_rows_replaced(self._amounts, old, again)
        self._panel.show_sums()
        hit = self._affected_of(self.buildings.iloc[near], line, box)
        hit = _with_rows_replaced(self.affected, old, hit)
        self.affected = hit.loc[self.buildings.index[self.buildings.index.isin(hit.index)]]
        self._panel.show_rest()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.panel._repr_mimebundle_(**kwargs)


def _with_rows_replaced(table: Any, old: pd.Index, new: Any) -> Any:
    """A table with other rows in the place of some."""
    kept = table[~table.index.isin(old)]
    return new if kept.empty else kept if new.empty else pd.concat([kept, new])


def _line_within(line: LineInStretches, box: Any) -> gpd.GeoDataFrame:
    """The line within a box; all of it where none is there."""
    found = line.within(box)
    return found if shapely.area(found.geometry.to_numpy()).any() else line.within(EVERYWHERE)


def _columns_summed(hit: pd.DataFrame) -> pd.DataFrame:
    """What sums need of the buildings that are hit."""
    return pd.DataFrame(hit[[c for c in SUMMED if c in hit]])
