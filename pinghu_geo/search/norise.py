"""Which design demolishes least without raising the flood? All of a river at once, then checked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.boundaries import Boundary
from pinghu_geo.flood.obstruction import LOSSES, Progress
from pinghu_geo.flood.rises import rise_table
from pinghu_geo.nouns.beside import Begun, SideBySide, Workers, side_by_side, silent
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.schema import require_columns, require_layer, require_polygons, require_valid
from pinghu_geo.redline.lines import Widths, red_line, width_rows
from pinghu_geo.river.centreline import Centrelines, lay_out
from pinghu_geo.schemes.alternatives import Assessment, assess, compare_assessed
from pinghu_geo.search.amounts import in_own_unit
from pinghu_geo.search.fates import APPROVED, WITHIN, building_states, n_shared
from pinghu_geo.search.found import (
    RIVER_COLUMNS,
    SearchedRiver,
    certificate_row,
    node_table,
    width_table,
)
from pinghu_geo.search.jogs import bend_rule
from pinghu_geo.search.offsets import moves_of, read_limits, say_estimated, within_reach
from pinghu_geo.search.outcome import SearchRecord, WithinRise
from pinghu_geo.search.reaches import (
    Asked,
    LaidOut,
    Tables,
    allowed_by_flood,
    check_confluences,
    largest_rise,
)
from pinghu_geo.search.stretch import Options, Reach, extents
from pinghu_geo.search.systems import Search, river_systems
from pinghu_geo.search.walls import as_surveyed, wall_menu

__all__ = ["least_demolition_within_rise", "searched_within"]


@takes()
def least_demolition_within_rise(
    rivers: gpd.GeoDataFrame,
    widths: Widths,
    buildings: gpd.GeoDataFrame,
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    limits: Mapping[str, float],
    *,
    allowed_mm: float | Mapping[str, float],
    banks: pd.DataFrame | None = None,
    walls: pd.DataFrame | None = None,
    rates: pd.DataFrame | None = None,
    locks: pd.DataFrame | None = None,
    freeboard_m: float | None = None,
    contraction: float = 0.1,
    expansion: float = 0.3,
    node_stations: int = 25,
    bend_every_m: float | None = None,
    bend_yuan: float | None = None,
    structures: pd.DataFrame | None = None,
    structure_parts: pd.DataFrame | None = None,
    seconds: float | None = None,
    workers: Workers = 1,
    progress: Progress | None = None,
) -> WithinRise:
    """Red line that demolishes least while the flood rises no more than allowed 控制壅高最少拆迁.

    Parameters
    ----------
    rivers, widths, buildings, rates, locks
        As in `least_demolition`.
    sections, banks, flows, downstream
        The approved river as in `water_profile`: designed, surveyed or DEM sections.
    limits
        As in `least_demolition`; spacing_m and width_ratio are not used, because the stations are
        the sections and the water itself is the rule. A step_m of 1 keeps the menu small.
    allowed_mm
        Rise allowed at every section [mm], of the first flood of ``flows``; or of several by their
        ``profile``, such as ``{"P=2%": 20, "P=1%": 50}``: a design keeps all of them. Floods that
        aren't named are checked and reported.
    walls
        Menu of walls that may replace those that are there: wall, side_slope, n_wall, wall_yuan_m
        (beyond the wall that is there), and perhaps strip_m; see `moved_sections`.
    freeboard_m
        Height of both banks' tops above the flood that is kept [m]; where the approved river
        has less, its level may not rise at all. None: not a rule.
    contraction, expansion
        Coefficients of local losses.
    node_stations
        Most stations of a row of ``nodes``: longer stretches are shown in several rows, cut where
        fewest buildings stand. The design doesn't depend on it.
    bend_every_m
        Way along the river in which a bank may change its direction once [m], unless closer bends
        save a house worth ``bend_yuan``. None: the line bends wherever that is cheapest.
    bend_yuan
        What a house has to be worth so that the line steps aside for it and back, and the other
        bank with it: four close bends, of which each costs a quarter; yuan, or m² of floor area
        without ``rates``. None: 500,000 yuan, 200 m².
    structures, structure_parts
        Bridges, culverts, weirs and gates, see `water_profile`: the sections beside them stay as
        approved, and all levels are computed with them.
    seconds
        Time after which rivers that are not yet searched stay as approved. None: the search ends
        by its work alone, so that the same input always gives the same design. Ctrl-C ends it, too.
    workers
        Processes that search rivers which don't join side by side, this one among them; each takes
        some 0.4 GB and a second to start. The design is the same for any number of them; only with
        ``seconds`` more of them search more rivers in that time.
    progress
        Called with a line of text before each river.

    Returns
    -------
    WithinRise
        Width table, nodes with their proof, sections, and the rise found by `water_profile`.

    Raises
    ------
    HydraulicsError, LayerError, RateError, OptimiseError
        The layers can't be used, or the approved river itself has no subcritical profile.

    Notes
    -----
    Searched are the stretches where the approved line touches buildings, with room for the line to
    move and return; between them the river stays as approved. All stretches of a river share the
    rise allowed, and are searched together: lists of cost and level are marched from the mouth up
    with the energy equation of `water_profile` in every step, and dropped where the least that all
    further stretches cost can't beat the best design known. A building is paid for where the
    straight line between two stations takes it. Where no list was cut short, the
    design is proven optimal for the whole river, for the menu of offsets and walls, at the levels
    allowed less 0.02 mm. In stretches of many steps designs that cost 0.02 % less at most may be
    passed over: then that is the gap, unless it is closed with little more work. Rivers that join
    share the level where they meet: they are searched together, by branching on it, and what is
    proven is proven of all of them.

    With ``bend_every_m`` the optimum is then drawn with fewer bends: straight from bend to bend or
    with longer slants, at any offset between those of the menu, wherever that costs less than the
    bends and all rivers still keep what is allowed, by marches of their own. That isn't proven to
    be the best such line; what it costs more than the bound of all lines of the menu is its gap.

    Dropped are designs in which Fr² passes 0.90, where levels no longer grow with those below;
    stretches where the approved river is that fast are left as they are.

    Sections with levees or walls in ``banks`` are refused: draw them as points.

    References
    ----------
    Irnich and Desaulniers, Shortest path problems with resource constraints, in: Column Generation,
    Springer (2005). Geoffrion, Lagrangean relaxation for integer programming, Mathematical
    Programming Study 2 (1974) 82-114. HEC-RAS Hydraulic Reference Manual 6.x, chapter 2 (energy
    equation).

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers").loc[["木古河"]]
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    >>> design = pg.read_table(sample / "设计断面.csv", "design")
    >>> part = design[(design["river"] == "木古河") & (design["chainage_m"] <= 600)]
    >>> line = widths[(widths["river"] == "木古河") & (widths["chainage_m"] <= 600)]
    >>> best = pg.least_demolition_within_rise(rivers, line, buildings, pg.design_sections(part),
    ...     60.0, {"slope": 0.002}, {"step_m": 1.0, "inward_m": 2, "outward_m": 2}, allowed_mm=20)
    >>> best.largest_rise_mm <= 20
    True
    """
    rises = allowed_mm.values() if isinstance(allowed_mm, Mapping) else [allowed_mm]
    if not all(rise >= 0 for rise in rises):
        raise LayerError(
            f"allowed_mm is {allowed_mm!r}", layer="limits", hint="a rise in mm, 0 or more"
        )
    if node_stations < 1:
        raise LayerError(
            f"node_stations is {node_stations!r}", layer="limits", hint="node_stations=25"
        )
    given = read_limits(limits, priced=rates is not None)
    require_layer(rivers, "rivers")
    require_layer(buildings, "buildings", crs=rivers.crs, valid=False)
    require_polygons(buildings, "buildings")
    widths = width_rows(widths, lay_out(rivers))
    require_columns(widths, ("river", "chainage_m", "left_m", "right_m"), "widths")
    approved = red_line(rivers, widths)
    near = within_reach(buildings, approved, given)
    require_valid(buildings, "buildings", near=near)
    say_estimated(buildings.iloc[near])
    asked = Asked(
        rivers, widths, approved, buildings, rates, locks, given, flows, downstream,
        {"contraction": contraction, "expansion": expansion}, allowed_mm, freeboard_m,
        _option_menu(given, walls), node_stations,
        bend_rule(bend_every_m, bend_yuan, priced=rates is not None), structures, structure_parts,
        seconds,
    )  # fmt: skip
    now = LaidOut.of(asked.laid_out(sections, banks))
    return searched_within(asked, now, tell=progress or silent, workers=workers)


def _option_menu(limits: Mapping[str, float], walls: pd.DataFrame | None) -> Options:
    return Options(moves_of(limits), wall_menu(walls))


def searched_within(
    asked: Asked, now: LaidOut, *, tell: Progress = silent, workers: Workers = 1
) -> WithinRise:
    """Search river after river, each after the one it joins; then check all of it."""
    lines = lay_out(asked.rivers)
    surveyed = as_surveyed(now.case.laid)
    for name in surveyed:
        if name not in set(asked.widths["river"]):
            raise LayerError(f"has no rows for {name}", layer="widths")
    for name in asked.widths["river"].unique():
        if name not in surveyed:
            raise LayerError(
                f"has no rows for {name}, whose red line is given",
                layer="sections",
                hint="survey it, or leave it out of widths",
            )
    asked = replace(asked, allowed=allowed_by_flood(asked.allowed_mm, now.profile))
    check_confluences(now)
    until = np.inf if asked.seconds is None else time.monotonic() + asked.seconds
    search = Search(asked, now, until)
    systems = river_systems(list(now.case.order), now.case.edges.downstream)
    with side_by_side(workers) as many:
        many.start(_searched_system, len(systems))
        # of what is searched these need nothing
        approved = many.begin(_assessed, [asked.approved], asked)
        before = many.begin(_levels_by_losses, [now], search)
        reaches = {name: asked.reach(surveyed[name], lines, now) for name in now.case.order}
        found = {f.reach.name: f for f in _searched_rivers(search, systems, reaches, many, tell)}
        done = SearchRecord(search, [found[name] for name in reaches], systems)
        return _checked(lines, done, many, approved, before)


class _System(NamedTuple):
    """Rivers that join, and where each is searched."""

    names: list[str]
    reaches: dict[str, Reach]
    where: dict[str, list[tuple[int, int]]]

    def n_stations(self) -> int:
        """At how many stations a line is searched for."""
        return sum(last - first + 1 for part in self.where.values() for first, last in part)


def _searched_rivers(
    search: Search,
    systems: list[list[str]],
    reaches: dict[str, Reach],
    many: SideBySide,
    tell: Progress,
) -> list[SearchedRiver]:
    """All rivers, each system by itself; after Ctrl-C those that weren't searched as approved.

    The largest first, or processes would end by waiting for it; in the order of the survey where
    time is limited, of which it could take all.
    """
    asked = [
        _System(names, mine, {name: extents(mine[name], search.asked.limits) for name in names})
        for names in systems
        for mine in [{name: reaches[name] for name in names}]
    ]
    if search.deadline == np.inf:
        asked.sort(key=_System.n_stations, reverse=True)
    found: dict[str, list[SearchedRiver]] = {}
    beside = many.each(_searched_system, asked, search, tell=tell, until=lambda: search.interrupted)
    try:
        for one, (rivers, stopped) in beside:
            found[one.names[0]] = rivers
            search.stopped |= stopped
    except KeyboardInterrupt:
        search.stopped = search.interrupted = True
    return [
        river
        for one in asked
        for river in found.get(one.names[0]) or search.system(*one, tell=tell)
    ]


def _searched_system(
    search: Search, one: _System, tell: Progress
) -> tuple[list[SearchedRiver], bool]:
    """One system, and whether its search was stopped."""
    return search.system(*one, tell=tell), search.stopped


def _checked(
    lines: Centrelines,
    done: SearchRecord,
    many: SideBySide,
    approved: Begun[gpd.GeoDataFrame, Assessment],
    before: Begun[LaidOut, _Levels],
) -> WithinRise:
    """The design drawn and counted, and beside it checked by its levels."""
    asked, now = done.search.asked, done.tables(done.found)
    checked = many.begin(_checked_levels, [now], (done.search, before.results()[0]))
    table, searched = (
        pd.concat([width_table(lines, asked.widths, f.reach, f.line()) for f in found],
                  ignore_index=True)
        for found in (done.found, [f.as_searched() for f in done.found])
    )  # fmt: skip
    comparison = compare_assessed(
        {
            APPROVED: approved.results()[0],
            WITHIN: _assessed(asked, red_line(asked.rivers, table)),
        }
    )
    states = [
        building_states(
            f.reach.name, f.reach.ids, f.reach.touch, f.reach.cost,
            f.reach.river.stations["chainage_m"].to_numpy(),
            f.taken(), comparison,
        )
        for f in done.found
    ]  # fmt: skip
    proof = pd.DataFrame(
        [certificate_row(f, asked.bends) for f in done.found], columns=RIVER_COLUMNS
    )
    nodes = node_table(done.found, asked.node_stations)
    proof["n_shared"] = n_shared(states)
    proof, nodes, fates = (
        in_own_unit(one, priced=asked.priced) for one in (proof, nodes, pd.concat(states))
    )
    ((rise, band),) = checked.results()
    return WithinRise(
        table,
        proof,
        nodes,
        fates,
        rise,
        *now,
        comparison,
        next(iter(asked.allowed.values())),
        searched,
        band,
        done.search.stopped,
        done,
    )


def _assessed(asked: Asked, line: gpd.GeoDataFrame, _: Progress = silent) -> Assessment:
    """A line with those that it takes."""
    return assess(line, asked.buildings, asked.rivers, rates=asked.rates)


_Levels = dict[tuple[float, float], pd.DataFrame]  # by coefficients of local losses


def _levels_by_losses(search: Search, laid: LaidOut, _: Progress = silent) -> _Levels:
    """Profiles by all pairs of coefficients that a house may cause."""
    stated = search.now.case.laid.stations[["contraction", "expansion"]].notna().any(axis=None)
    known = () if stated else (tuple(search.asked.losses.values()),)
    others = [pair for pair in LOSSES if pair not in known]
    return dict.fromkeys(known, laid.profile) | dict(
        zip(others, laid.case.levels(others, laid.profile), strict=True)
    )


def _checked_levels(
    of: tuple[Search, _Levels], now: Tables, _: Progress
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rise by the profile of all rivers, and the largest by each pair of coefficients."""
    search, before = of
    after = LaidOut.of(search.asked.laid_out(*now))
    levels, rows = _levels_by_losses(search, after), []
    for contraction, expansion in LOSSES:
        rise = rise_table(*(one[contraction, expansion] for one in (before, levels)))
        for name, most in search.asked.allowed.items():
            largest = largest_rise(rise, name)
            kept = largest <= most + 1e-3
            rows.append([contraction, expansion, name, largest, most, kept])
    columns = ["contraction", "expansion", "profile", "largest_rise_mm", "allowed_mm", "kept"]
    return search.now.rise_to(after), pd.DataFrame(rows, columns=columns)
