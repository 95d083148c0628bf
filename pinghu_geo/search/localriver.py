"""What may a river's line be by local rules, and what does it cost there? One river's problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.survey import lay_sections, places, rows_of
from pinghu_geo.nouns.errors import LayerError, OptimiseError
from pinghu_geo.nouns.schema import nearest, require_columns
from pinghu_geo.river.centreline import Centrelines
from pinghu_geo.river.chainage import ChainageScale, format_chainage
from pinghu_geo.search.contacts import Approved, Contacts, contacts
from pinghu_geo.search.conveyance import Banks, bank_choices, together
from pinghu_geo.search.mincut import LocalProblem
from pinghu_geo.search.offsets import costs, locked, moves_of, prices, require_room
from pinghu_geo.search.stakes import stakes
from pinghu_geo.search.thresholds import Touches, changes, touches_of
from pinghu_geo.search.walls import River, Wall, as_surveyed, wall_menu

__all__ = ["LocalRiver", "LocalRules", "Surveyed", "no_line_error"]


class Surveyed(NamedTuple):
    """Sections by river, the profile of the first flood, and the menu of walls."""

    rivers: dict[str, River]
    profile: pd.DataFrame
    menu: list[Wall | None]

    @classmethod
    def of(
        cls,
        sections: pd.DataFrame | None,
        banks: pd.DataFrame | None,
        profile: pd.DataFrame | None,
        walls: pd.DataFrame | None,
        rivers: gpd.GeoDataFrame,
        limits: Mapping[str, float],
    ) -> Surveyed | None:
        """Read from their tables; None without sections."""
        if sections is None or profile is None:
            for given, name in ((sections, "sections"), (profile, "profile"), (walls, "walls")):
                if given is not None:
                    raise LayerError(
                        "need sections and their profile", layer=name,
                        hint="sections=..., banks=..., profile=pg.water_profile(sections, ...)",
                    )  # fmt: skip
            if limits["works_yuan_m3"] > 0:
                raise LayerError(
                    "works_yuan_m3 needs sections: without them it isn't known what is dug",
                    layer="limits",
                    hint='limits = limits | {"works_yuan_m3": 0.0, "works_yuan_m2": 500.0}',
                )
            return None
        require_columns(profile, ("river", "chainage_m", "level_m", "profile"), "profile")
        if profile.empty:
            raise LayerError(
                "has no rows", layer="profile", hint="profile=pg.water_profile(sections, ...)"
            )
        first = profile[profile["profile"] == profile["profile"].iloc[0]]
        laid = lay_sections(sections, banks=banks, rivers=rivers)
        return cls(as_surveyed(laid), first, wall_menu(walls))

    def river(self, name: str) -> tuple[River, Array]:
        """Sections of a river and the water level at each."""
        if name not in self.rivers:
            raise LayerError(
                f"has no rows for {name}", layer="sections", hint=nearest(name, self.rivers)
            )
        river = self.rivers[name]
        own = self.profile[self.profile["river"] == name].drop(columns="scheme", errors="ignore")
        row, station = rows_of(own, river.stations, "profile")
        level = np.full(len(river.stations), np.nan)
        level[station] = own["level_m"].to_numpy()[row]
        if np.isnan(level).any():
            raise LayerError(
                "has no level at sections", layer="profile",
                ids=places(river.stations, np.flatnonzero(np.isnan(level))),
                hint="compute it from the same sections",
            )  # fmt: skip
        return river, level


class LocalRules(NamedTuple):
    """What holds on all rivers; ``stations`` where the line may bend, None: where it is best."""

    limits: Mapping[str, float]
    rates: pd.DataFrame | None
    locks: pd.DataFrame | None
    stations: pd.DataFrame | None
    surveyed: Surveyed | None  # of the conveyance rule


class _StationGrid(NamedTuple):
    """Stations of a river, the approved offsets (2, stations) there, and the moves to be tried."""

    measure: Array
    chainage: Array
    base: Array
    moves: Array
    level0: int  # the move of nothing

    @property
    def offsets(self) -> Array:
        """Offset of each move (2, stations, moves)."""
        found: Array = self.base[:, :, None] + self.moves
        return found


@dataclass(frozen=True, slots=True)
class LocalRiver:
    """One river's problem: where its line may lie, what that costs, and whom it takes.

    ``bare`` is the problem with the prices of the buildings, but without what takes them; that is
    in ``reach``, whose thresholds may be set anew.
    """

    centreline: gpd.GeoDataFrame  # one row
    scale: ChainageScale
    approved: Approved
    grid: _StationGrid
    bare: LocalProblem
    walls: Contacts
    reach: Touches
    ids: Array  # building of each number
    shapes: Array  # of all buildings
    banks: Banks | None  # of the conveyance rule
    menu: list[Wall | None]
    limits: Mapping[str, float]

    @classmethod
    def of(
        cls,
        rules: LocalRules,
        rivers: gpd.GeoDataFrame,
        lines: Centrelines,
        code: int,
        widths: pd.DataFrame,
        buildings: gpd.GeoDataFrame,
    ) -> LocalRiver:
        """The problem of the river with a code."""
        limits, name, scale = rules.limits, lines.names[code], lines.scales[code]
        approved = Approved.of(lines, code, widths)
        moves = moves_of(limits)
        walls = contacts(
            buildings, lines, code, approved, moves, clear_m=limits["clear_m"],
            taper=limits["taper"],
        )  # fmt: skip
        held: list[tuple[int, Array, Any, Any]] = []
        banks, menu = None, list[Wall | None]()
        if rules.surveyed is None:
            measure = (
                stakes(approved, walls, moves, limits, name)
                if rules.stations is None
                else _given_measures(rules.stations, approved, scale, limits)
            )
            grid = _grid_at(measure, approved, scale, moves)
        else:
            river, level = rules.surveyed.river(name)
            at, ends = river.stations["measure"].to_numpy(), approved.at[[0, -1]]
            own = np.flatnonzero((at >= ends[0] - 1e-6) & (at <= ends[1] + 1e-6))
            require_room(at[own], limits, name)
            grid, menu = _grid_at(at[own], approved, scale, moves), rules.surveyed.menu
            digs = limits["works_yuan_m3"] > 0
            banks = bank_choices(river, own, level[own], grid.base, moves, menu, digs=digs)
            # both banks stay at sections that are covered
            covers = np.flatnonzero(np.isin(own, list(river.covered)))
            held = [(side, covers, np.nan, np.nan) for side in (0, 1)]
        locks = [*locked(rules.locks, name, grid.measure, scale), *held]
        bare = _bare_problem(grid, limits, banks, locks)
        allowed = np.isfinite(bare.works)
        reach = touches_of(walls, grid.measure, moves, np.asarray(bare.most_change), allowed)
        bare = replace(bare, cost=costs(buildings.iloc[reach.ids], rules.rates))
        return cls(
            rivers.iloc[[code]], scale, approved, grid, bare, walls, reach,
            buildings.index[reach.ids].to_numpy(), buildings.geometry.to_numpy(), banks, menu,
            limits,
        )  # fmt: skip

    @property
    def name(self) -> str:
        """The river's."""
        return self.approved.name

    def problem(self, level: Array | None = None) -> LocalProblem:
        """With what takes buildings: from the moves of ``reach`` on, or from others on, by row."""
        reach = self.reach
        first = reach.level if level is None else level
        some = first < self.bare.works.shape[2]
        return replace(
            self.bare, who=reach.who[some], side=reach.side[some], station=reach.station[some],
            level=first[some],
        )  # fmt: skip

    def ratio(self, levels: Array) -> Array:
        """Width, or conveyance where that is the rule, to the approved one at each station."""
        grid, at = self.grid, np.arange(levels.shape[1])
        if self.banks is None:
            new = grid.offsets[0, at, levels[0]] + grid.offsets[1, at, levels[1]]
            return np.asarray(new / grid.base.sum(axis=0))
        still = np.full_like(levels, grid.level0)
        held, was = (
            together(*(v[0, at, one[0]] + v[1, at, one[1]] for v in self.banks[:2]))
            for one in (levels, still)
        )
        return held / was


def _given_measures(
    stations: pd.DataFrame, approved: Approved, scale: ChainageScale, limits: Mapping[str, float]
) -> Array:
    """Measures of the stations that are given, within the approved line and with its ends."""
    require_columns(stations, ("river", "chainage_m"), "stations")
    own = stations.loc[stations["river"] == approved.name, "chainage_m"]
    at = scale.measure(own.to_numpy(float), twice="order")
    ends = approved.at[[0, -1]]
    inside = at[(at > ends[0] + 1e-6) & (at < ends[1] - 1e-6)]
    measure = np.unique(np.round(np.concatenate([ends, inside]), 6))
    require_room(measure, limits, approved.name)
    return np.asarray(measure)


def _grid_at(
    measure: Array, approved: Approved, scale: ChainageScale, moves: Array
) -> _StationGrid:
    still = int(np.flatnonzero(np.abs(moves) < 1e-9)[0])
    return _StationGrid(measure, scale.chainage(measure), approved.base(measure), moves, still)


def _bare_problem(
    grid: _StationGrid,
    limits: Mapping[str, float],
    banks: Banks | None,
    locks: list[tuple[int, Array, Any, Any]],
) -> LocalProblem:
    """The local problem of one river, without its buildings."""
    offsets, base = grid.offsets, grid.base
    works = prices(
        base, grid.measure, grid.moves, grid.level0, limits, locks,
        wall_yuan_m=0.0 if banks is None else banks.price,
        dug_m2=0.0 if banks is None else banks.dug,
    )  # fmt: skip
    if banks is None:
        need = limits["width_ratio"] * base.sum(axis=0)[:, None] - offsets[0]
        least_right = (offsets[1][:, None, :] < need[:, :, None] - 1e-9).sum(axis=2)
    else:
        still = (v[:, :, grid.level0].sum(axis=0) for v in banks[:2])
        least_right = banks.least_right(limits["conveyance_ratio"] * together(*still))
    none = np.zeros(0, int)
    return LocalProblem(
        works, none, none, none, none, np.zeros(0),
        changes(grid.measure, grid.moves, limits["taper"]),
        change_cost=limits["change_yuan_m"] * limits["step_m"],
        least_right=least_right,
    )  # fmt: skip


def no_line_error(river: LocalRiver) -> OptimiseError:
    """Which limits and stations leave no line."""
    name, grid, problem = river.name, river.grid, river.bare
    n, k = problem.works.shape[1:]
    none = ~np.isfinite(problem.works).any(axis=2)
    if none.any():
        side, station = np.argwhere(none)[0]
        return OptimiseError(
            f"{name}: no offset of the {('left', 'right')[side]} bank keeps its limits at stations",
            ids=[format_chainage(c) for c in grid.chainage[none.any(axis=0)]],
            hint="least_half_m, or least_m and most_m of locks, leave nothing there",
        )
    if problem.least_right is not None:
        open_ = np.array(
            [
                any(
                    np.isfinite(problem.works[0, i, a])
                    and problem.least_right[i, a] < k
                    and np.isfinite(problem.works[1, i, problem.least_right[i, a] :]).any()
                    for a in range(k)
                )
                for i in range(n)
            ]
        )
        if not open_.all():
            return OptimiseError(
                f"{name}: left and right together can't reach the width or conveyance asked for",
                ids=[format_chainage(c) for c in grid.chainage[~open_]],
                hint="a larger outward_m, smaller width_ratio or conveyance_ratio, other locks",
            )
    return OptimiseError(
        f"{name}: locks and limits of neighbouring stations leave no line within the taper",
        hint="a larger taper, or locks that leave room to pass from one to the other",
    )
