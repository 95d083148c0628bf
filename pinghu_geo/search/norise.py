"""Which design demolishes least without raising the flood? Node by node, then all of it checked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.hydraulics import Boundary, boundary_table, joined_last, water_profile
from pinghu_geo.flood.rises import freeboard, rise_table
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.survey import Laid, discharges, lay_sections
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import HydraulicsError, LayerError, OptimiseError
from pinghu_geo.nouns.schema import (
    require_columns,
    require_layer,
    require_polygons,
    require_valid,
)
from pinghu_geo.redline.lines import red_line
from pinghu_geo.river.centreline import Centrelines, lay_out
from pinghu_geo.river.chainage import format_chainage
from pinghu_geo.schemes.alternatives import Comparison, compare, sentences_html, table_html
from pinghu_geo.search.labels import EXCESS_M, LEAST_GROWTH, NodeSolution, touched_by
from pinghu_geo.search.offsets import (
    CLEAR_M,
    Approved,
    costs,
    locked,
    moves_of,
    prices,
    read_limits,
    touches,
    within_reach,
)
from pinghu_geo.search.optimise import (
    PRICE,
    Progress,
    building_states,
    exchanged,
    still_taken,
    stretches,
)
from pinghu_geo.search.stretch import (
    NODE_S,
    Node,
    Options,
    Reach,
    accepted,
    chosen_options,
    extents,
    halves_of,
    march,
    solve_stretch,
    taken_by,
    works_of,
)
from pinghu_geo.search.walls import (
    River,
    as_surveyed,
    as_tables,
    wall_menu,
)

__all__ = ["WithinRise", "least_demolition_within_rise"]

# what the search keeps below the rise allowed [m]: more than its tables and the profile differ
RESERVE_M = 2e-5
_COLUMNS = [
    "node_id", "river", "from_m", "to_m", "n_stations", "n_buildings", "before_yuan", "total_yuan",
    "bound_yuan", "gap_yuan", "proof",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class WithinRise:
    """The line that demolishes least within an allowed rise, its proof and its flood 控制壅高方案.

    Attributes
    ----------
    widths
        The line as a width table; wall_left, wall_right where the menu's walls are built.
    nodes
        One row a stretch that was searched: node_id, river, from_m, to_m, n_stations, n_buildings,
        before_yuan that the approved line costs, total_yuan, bound_yuan that no design of the menu
        can beat, gap_yuan, proof {optimal, feasible, base}.
    buildings
        One row a building within reach: river, bank, from_m, to_m, state {saved, added,
        demolished, near, spared} as drawn, cost_yuan.
    rise
        `rise_table` of the whole river before and after, by `water_profile`, with the freeboard
        after: the acceptance check, by code that the search doesn't use.
    sections, banks
        The sections of the design.
    comparison
        `compare` of the approved and the new line as drawn.
    allowed_mm
        Rise allowed.
    """

    widths: pd.DataFrame
    nodes: pd.DataFrame
    buildings: pd.DataFrame
    rise: pd.DataFrame
    sections: pd.DataFrame
    banks: pd.DataFrame
    comparison: Comparison
    allowed_mm: float
    stopped: bool
    done: _Done = field(repr=False)

    @property
    def largest_rise_mm(self) -> float:
        """Largest rise of the design flood anywhere [mm]."""
        return _largest(self.rise)

    @property
    def works_yuan(self) -> float:
        """What the works of the nodes cost, by the prices given."""
        return sum(works_of(node) for node in self.done.nodes)

    def summary(self) -> list[str]:
        """What a mayor needs to know, in a few sentences."""
        nodes = self.nodes
        proven = int((nodes["proof"] == "optimal").sum())
        lines = self.comparison.summary()
        lines.append(
            f"共搜索 {len(nodes)} 个节点,其中 {proven} 个已证明为所给选项下的最优;"
            f"设计洪水全河最大壅高 {self.largest_rise_mm:.1f} mm(允许 {self.allowed_mm:g} mm)。"
        )
        if self.stopped:
            lines.append("搜索中途停止,未搜索的节点保持原方案。")
        lines.append("筛查结果;是否可行以有资质单位的防洪评价为准。")
        return lines

    def price_of(self, building_id: object) -> pd.DataFrame:
        """See `what_would_save`."""
        still_taken(self.buildings, building_id)
        rows: list[list[Any]] = []
        for node in self.done.nodes:
            number = np.flatnonzero(node.reach.ids[node.who] == building_id)
            if not len(number):
                continue
            found = self._without(node, int(number[0]))
            if found is None:
                return pd.DataFrame(columns=[*PRICE, "largest_rise_mm"])
            new, rise = found
            p, reach = node.problem, node.reach
            taken = [touched_by(p, one.options) for one in (node.solution, new)]
            price = [
                new.cost - node.solution.cost,
                *exchanged(reach.ids[node.who], *taken),
                _largest(rise),
            ]
            move = reach.options.move()
            chainage = reach.river.stations["chainage_m"].to_numpy()[node.first : node.last + 1]
            moved = move[new.options] - move[node.solution.options]
            rows += [[*row, *price] for row in stretches(reach.name, chainage, moved)]
        return pd.DataFrame(rows, columns=[*PRICE, "largest_rise_mm"])

    def _without(self, node: Node, number: int) -> tuple[NodeSolution, pd.DataFrame] | None:
        """A node's cheapest design that spares a building, and the rise of the whole river."""
        works = np.where(node.problem.touch[number], np.inf, node.problem.station_cost)
        rise = self.rise

        def excess(found: NodeSolution) -> float:
            nonlocal rise
            made = {}
            for reach, chosen in self.done.reaches:
                options = chosen.copy()
                if reach.name == node.reach.name:
                    options[:, node.first : node.last + 1] = found.options
                made[reach.name] = as_tables(reach.river, halves_of(reach, options))
            rise = self.done.search.check(self.done.before, _joined(made))
            return (_largest(rise) - self.allowed_mm) / 1000

        new = accepted(replace(node.problem, station_cost=works), None, excess, NODE_S)
        return None if new is None else (new, rise)

    def _repr_html_(self) -> str:
        table = table_html(self.nodes, decimals=1, index=False)
        return f"<div>{sentences_html(self.summary())}{table}</div>"


class _Done(NamedTuple):
    """How a design was found, for what is asked of it later."""

    search: _Search
    given: tuple[pd.DataFrame, pd.DataFrame | None]
    before: pd.DataFrame
    nodes: list[Node]
    reaches: list[tuple[Reach, Array]]


@takes()
def least_demolition_within_rise(
    rivers: gpd.GeoDataFrame,
    widths: pd.DataFrame,
    buildings: gpd.GeoDataFrame,
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    limits: Mapping[str, float],
    *,
    allowed_mm: float,
    banks: pd.DataFrame | None = None,
    walls: pd.DataFrame | None = None,
    rates: pd.DataFrame | None = None,
    locks: pd.DataFrame | None = None,
    freeboard_m: float | None = None,
    contraction: float = 0.1,
    expansion: float = 0.3,
    node_stations: int = 25,
    seconds: float = 240.0,
    progress: Progress | None = None,
) -> WithinRise:
    """Red line that demolishes least while the flood rises no more than allowed 控制壅高最少拆迁.

    Parameters
    ----------
    rivers, widths, buildings, rates, locks
        As in `least_demolition`.
    sections, banks, flows, downstream
        The approved river as in `water_profile`: designed, surveyed or DEM sections. The first
        flood is the one that may not rise; the others are checked and reported.
    limits
        As in `least_demolition`; spacing_m and width_ratio are not used, because the stations are
        the sections and the water itself is the rule. A step_m of 1 keeps the menu small.
    allowed_mm
        Rise allowed at every section [mm].
    walls
        Menu of walls that may replace those that are there: wall, side_slope, n_wall, wall_yuan_m
        (beyond the wall that is there), and perhaps strip_m; see `moved_sections`.
    freeboard_m
        Height of both banks' tops above the flood that is kept [m]; where the approved river
        has less, its level may not rise at all. None: not a rule.
    contraction, expansion
        Coefficients of local losses.
    node_stations
        Most stations of a node: longer stretches are cut where fewest buildings stand.
    seconds
        Time for the whole search; nodes that are not reached stay as approved. Ctrl-C does the
        same.
    progress
        Called with a line of text before each node.

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
    Nodes are the stretches where the approved line touches buildings, with room for the line to
    move and return. Each is searched from downstream to upstream at the water level that really
    arrives there, with the energy equation of `water_profile` in every step; where no list of
    designs was cut short, the design is proven optimal for the menu. The river between nodes stays
    as approved. Heuristic are the extent of nodes, the order (a node takes what rise it needs
    before those upstream of it), and the menu's resolution.

    Dropped are designs in which Fr² passes 0.90, where levels no longer grow with those below;
    stretches where the approved river is that fast are left as they are.

    Sections with levees or walls in ``banks`` are refused: draw them as points.

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
    tell = progress or (lambda _: None)
    if not allowed_mm >= 0:
        raise LayerError(
            f"allowed_mm is {allowed_mm!r}", layer="limits", hint="a rise in mm, 0 or more"
        )
    given = read_limits(limits, priced=rates is not None)
    require_layer(rivers, "rivers")
    require_layer(buildings, "buildings", crs=rivers.crs, valid=False)
    require_polygons(buildings, "buildings")
    require_columns(widths, ("river", "chainage_m", "left_m", "right_m"), "widths")
    near = within_reach(buildings, red_line(rivers, widths), given)
    require_valid(buildings, "buildings", near=near)
    search = _Search(
        rivers, widths, buildings, rates, locks, given, flows, downstream,
        {"contraction": contraction, "expansion": expansion}, allowed_mm, freeboard_m,
        _menu(given, walls), node_stations, seconds,
        time.monotonic() + seconds, tell,
    )  # fmt: skip
    return search.run(sections, banks)


def _menu(limits: Mapping[str, float], walls: pd.DataFrame | None) -> Options:
    return Options(moves_of(limits), wall_menu(walls))


@dataclass(slots=True)
class _Search:
    """What is given, and how it is searched."""

    rivers: gpd.GeoDataFrame
    widths: pd.DataFrame
    buildings: gpd.GeoDataFrame
    rates: pd.DataFrame | None
    locks: pd.DataFrame | None
    limits: Mapping[str, float]
    flows: pd.DataFrame | float
    downstream: Boundary
    losses: dict[str, Any]
    allowed_mm: float
    freeboard_m: float | None
    options: Options
    node_stations: int
    seconds: float
    deadline: float
    tell: Progress
    stopped: bool = False

    def run(self, sections: pd.DataFrame, banks: pd.DataFrame | None) -> WithinRise:
        """Search river after river, each after the one it joins; then check all of it."""
        lines = lay_out(self.rivers)
        surveyed = as_surveyed(sections, banks, self.rivers)
        for name in surveyed:
            if name not in set(self.widths["river"]):
                raise LayerError(f"has no rows for {name}", layer="widths")
        for name in self.widths["river"].unique():
            if name not in surveyed:
                raise LayerError(
                    f"has no rows for {name}, whose red line is given",
                    layer="sections",
                    hint="survey it, or leave it out of widths",
                )
        laid = lay_sections(sections, banks=banks, rivers=self.rivers)
        before = self.profile(sections, banks)
        edges = boundary_table(self.downstream, "downstream")
        _check_confluences(before, edges)
        made = {name: _as_it_is(river) for name, river in surveyed.items()}
        nodes: list[Node] = []
        reaches = []
        for name in joined_last(laid.stations, edges):
            now = self.profile(*_joined(made)) if nodes else before
            reach = self.reach(name, surveyed[name], lines, laid, before)
            start = float(_first_flood(now, name)["level_m"].iloc[-1])
            found = self.search(reach, start)
            nodes += found
            reaches.append((reach, chosen_options(reach, found)))
            made[name] = as_tables(reach.river, halves_of(*reaches[-1]))
        return self.result(
            lines, _joined(made), _Done(self, (sections, banks), before, nodes, reaches)
        )

    def again(self, allowed_mm: float, works_weight: float) -> _Search:
        """The same search with another rise and other prices of works."""
        prices = {k: v * works_weight for k, v in self.limits.items() if "_yuan_" in k}
        walls = [
            None if w is None else w._replace(wall_yuan_m=w.wall_yuan_m * works_weight)
            for w in self.options.walls
        ]
        return replace(
            self,
            allowed_mm=allowed_mm,
            limits=dict(self.limits) | prices,
            options=self.options._replace(walls=walls),
            deadline=time.monotonic() + self.seconds,
            stopped=False,
        )

    def check(self, before: pd.DataFrame, made: _Tables) -> pd.DataFrame:
        """Rise and freeboard of a whole design, its flood computed anew."""
        sections, banks = made
        after = self.profile(sections, banks)
        top = freeboard(after, sections, banks=banks)
        return rise_table(before, after).assign(
            **{c: top[c] for c in ("freeboard_left_m", "freeboard_right_m")}
        )

    def result(self, lines: Centrelines, made: _Tables, done: _Done) -> WithinRise:
        """The design drawn, counted and checked."""
        sections, banks = made
        table = pd.concat(
            [_widths(lines, self.widths, reach, chosen) for reach, chosen in done.reaches],
            ignore_index=True,
        )
        drawn = {
            "原方案": red_line(self.rivers, self.widths),
            "控制壅高": red_line(self.rivers, table),
        }
        comparison = compare(drawn, self.buildings, self.rivers, rates=self.rates)
        rows = [_row(k, node) for k, node in enumerate(done.nodes, 1)]
        states = [
            building_states(
                r.name, r.ids, r.touch, r.cost, r.river.stations["chainage_m"].to_numpy(),
                taken_by(r, chosen), comparison,
            )
            for r, chosen in done.reaches
        ]  # fmt: skip
        return WithinRise(
            table,
            pd.DataFrame(rows, columns=_COLUMNS),
            pd.concat(states),
            self.check(done.before, (sections, banks)),
            sections,
            banks,
            comparison,
            self.allowed_mm,
            self.stopped,
            done,
        )

    def profile(self, sections: pd.DataFrame, banks: pd.DataFrame | None) -> pd.DataFrame:
        """Water profile of the whole river."""
        return water_profile(
            sections, self.flows, self.downstream, banks=banks, rivers=self.rivers, **self.losses
        )

    def reach(
        self, name: str, river: River, lines: Centrelines, laid: Laid, before: pd.DataFrame
    ) -> Reach:
        """One river: its options with their prices, its buildings, its base flow."""
        code = lines.names.index(name)
        approved = Approved.of(lines, code, self.widths)
        rows = np.flatnonzero((laid.stations["river"] == name).to_numpy())
        measure = laid.stations["measure"].to_numpy()[rows]
        base = approved.base(measure)
        clear = max(self.limits["clear_m"], CLEAR_M)
        touch = touches(self.buildings, lines, code, approved, measure, self.options.moves, clear)
        flow = next(iter(discharges(self.flows, laid.stations, self.rivers).values()))[rows]
        model = laid.model(rows[:, None], flow[:, None], **self.losses)
        own = _first_flood(before, name)
        level = own["level_m"].to_numpy()
        state = model.state(rows, flow, level)
        parts = flow[:, None] * state.share
        parts = parts[:-1] + parts[1:]
        length = (parts * model.lengths[rows[:-1]]).sum(axis=1) / parts.sum(axis=1)
        critical = own["doubts"].str.contains("critical_default|unbalanced", regex=True)
        calm = (state.grows > LEAST_GROWTH) & ~critical.to_numpy(bool)
        most = np.maximum(level + self.allowed_mm / 1000 - RESERVE_M, level + EXCESS_M)
        if self.freeboard_m is not None:
            top = np.minimum(river.top(0), river.top(1))
            most = np.maximum(np.minimum(most, top - self.freeboard_m), level + EXCESS_M)
        return Reach(
            name, river, self.buildings.index[touch.ids].to_numpy(), measure, base, touch,
            costs(self.buildings.iloc[touch.ids], self.rates),
            self.options, self.works(name, lines.scales[code].chainage(measure), measure, approved),
            model, np.append(length, 0.0), most, calm,
        )  # fmt: skip

    def works(self, name: str, chainage: Array, measure: Array, approved: Approved) -> Array:
        """Price of each option at each station (2, stations, options); infinite: not allowed."""
        options = self.options
        wall = np.array([0.0 if w is None else w.wall_yuan_m for w in options.walls])
        price = prices(
            approved.base(measure), measure, options.move(), options.base, self.limits,
            locked(self.locks, name, chainage), wall_yuan_m=wall[options.wall()],
        )  # fmt: skip
        still = np.arange(options.many) == options.base
        outside = (measure < approved.at[0] - 1e-6) | (measure > approved.at[-1] + 1e-6)
        price[:, outside] = np.where(still, price[:, outside], np.inf)
        shut = ~np.isfinite(price[:, :, options.base]).all(axis=0)
        if shut.any():
            raise OptimiseError(
                f"{name}: locks forbid the approved line, with which nodes begin and end, at",
                ids=[format_chainage(c) for c in chainage[shut]],
                hint="move the approved line there first: change its width table",
            )
        return price

    def search(self, reach: Reach, start: float) -> list[Node]:
        """Nodes of one river from downstream to upstream, each at the level that arrives there."""
        found: list[Node] = []
        at, level = len(reach.measure) - 1, start
        parts = extents(reach, self.limits, self.node_stations)
        for k, (first, last) in enumerate(parts):
            if self.stopped or time.monotonic() > self.deadline:
                self.stopped = True
                break
            self.tell(
                f"{reach.name} 节点 {k + 1}/{len(parts)} "
                f"{format_chainage(reach.chainage(first))}-{format_chainage(reach.chainage(last))}"
            )
            level = float(march(reach, last, at, level)[0])
            left = max(self.deadline - time.monotonic(), 1.0)
            try:
                node = solve_stretch(
                    reach, first, last, level, found, self.limits, min(left, NODE_S)
                )
            except KeyboardInterrupt:
                self.stopped = True
                break
            if node is not None:
                found.append(node)
                at, level = first, float(node.solution.levels[0])
            else:
                at = last
        return found


_Tables = tuple[pd.DataFrame, pd.DataFrame]


def _joined(made: Mapping[str, _Tables]) -> _Tables:
    """Sections and banks of all rivers."""
    points, banks = zip(*made.values(), strict=True)
    return pd.concat(points, ignore_index=True), pd.concat(banks, ignore_index=True)


def _as_it_is(river: River) -> _Tables:
    return as_tables(river, list(zip(river.middle, *river.halves, strict=True)))


def _first_flood(profile: pd.DataFrame, river: str) -> pd.DataFrame:
    """The design flood on one river, upstream first."""
    first = profile["profile"].iloc[0]
    return profile[(profile["profile"] == first) & (profile["river"] == river)]


def _check_confluences(before: pd.DataFrame, edges: pd.DataFrame) -> None:
    """A river can't bring more than the one it joins carries on."""
    if "joins" not in edges:
        return
    for row in edges[edges["boundary"] == "river"].to_dict("records"):
        own, main = (_first_flood(before, row[c]) for c in ("river", "joins"))
        if own.empty or main.empty:
            continue
        gap = (main["chainage_m"] - float(row["joins_at_m"])).abs().to_numpy()
        here = int(np.argmin(gap))
        below = float(main["discharge_m3s"].iloc[here : here + 2].max())
        brings = float(own["discharge_m3s"].iloc[-1])
        if brings > below * 1.001:
            raise HydraulicsError(
                f"gives {row['river']} {brings:g} m³/s where it joins {row['joins']}, which "
                f"carries only {below:g} m³/s on",
                layer="flows",
                ids=[f"{row['joins']} {format_chainage(float(row['joins_at_m']))}"],
                hint="a row of flows at the confluence, with what comes together there",
            )


def _widths(lines: Centrelines, widths: pd.DataFrame, reach: Reach, chosen: Array) -> pd.DataFrame:
    """Width table of one river: the approved rows and the stations that moved."""
    code = lines.names.index(reach.name)
    approved = Approved.of(lines, code, widths)
    inside = (reach.measure > approved.at[0]) & (reach.measure < approved.at[-1])
    measure = np.union1d(np.round(approved.at, 6), np.round(reach.measure[inside], 6))
    move = reach.options.move()[chosen]
    left, right = (
        np.round(base + np.interp(measure, reach.measure, one), 6)
        for base, one in zip(approved.base(measure), move, strict=True)
    )
    table = pd.DataFrame(
        {
            "river": reach.name,
            "chainage_m": np.round(lines.scales[code].chainage(measure), 6),
            "left_m": left,
            "right_m": right,
        }
    )
    if len(reach.options.walls) > 1:
        at = np.clip(np.searchsorted(reach.measure, measure + 1e-3, side="right") - 1, 0, None)
        names = np.array([None if w is None else w.name for w in reach.options.walls], dtype=object)
        for side, word in enumerate(("left", "right")):
            table[f"wall_{word}"] = names[reach.options.wall()[chosen[side, at]]]
    return table


def _row(number: int, node: Node) -> list[Any]:
    """One row of the table of nodes."""
    found, reach = node.solution, node.reach
    changed = bool((found.options != reach.options.base).any())
    proof = "optimal" if found.proven else ("feasible" if changed else "base")
    return [
        f"Y{number:03d}", reach.name, reach.chainage(node.first), reach.chainage(node.last),
        node.last - node.first + 1, len(node.who), node.before, found.cost,
        min(found.bound, found.cost), max(found.cost - found.bound, 0.0), proof,
    ]  # fmt: skip


def _largest(rise: pd.DataFrame) -> float:
    """Largest rise of the first flood [mm]."""
    first = rise["profile"].iloc[0]
    return float(rise.loc[rise["profile"] == first, "rise_mm"].max())
