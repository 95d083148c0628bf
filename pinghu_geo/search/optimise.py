"""Which design demolishes least? Offsets of the red line for a whole river, with proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.survey import places, rows_of
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError, OptimiseError
from pinghu_geo.nouns.schema import (
    nearest,
    require_columns,
    require_layer,
    require_polygons,
    require_valid,
)
from pinghu_geo.redline.lines import red_line
from pinghu_geo.river.centreline import Centrelines, lay_out, river_scales
from pinghu_geo.river.chainage import format_chainage
from pinghu_geo.schemes.alternatives import Comparison, compare, sentences_html, table_html
from pinghu_geo.search.conveyance import Banks, bank_choices, together
from pinghu_geo.search.mincut import LocalProblem, Solution, solve
from pinghu_geo.search.offsets import (
    CLEAR_M,
    LIMITS,
    Approved,
    Touches,
    costs,
    counted_as_drawn,
    locked,
    moves_of,
    prices,
    read_limits,
    require_room,
    touches,
    within_reach,
)
from pinghu_geo.search.walls import River, Wall, as_surveyed, offset_at, wall_menu

__all__ = ["LIMITS", "LeastDemolition", "least_demolition", "moved_design", "what_would_save"]

Progress = Callable[[str], None]

# columns of the price of one more building
PRICE = [
    "river", "bank", "from_m", "to_m", "moved_m", "extra_yuan", "n_saved", "n_lost", "saved_ids",
    "lost_ids",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LeastDemolition:
    """The line that demolishes least under the local rule, and why 最少拆迁方案.

    Attributes
    ----------
    widths
        The line as an ordinary width table: to be edited, drawn (`red_line`), compared.
    certificate
        One row a river: stations, offsets tried, buildings within reach; total_yuan of the optimum,
        bound_yuan that no other line can beat by the rule of the stations, gap_yuan (0: proven);
        and of which it consists: works_yuan, counted_yuan for buildings that the line as drawn
        takes, near_yuan for those that it comes closer to than clear_m. What the line as drawn
        clears is not paid for.
    buildings
        One row a building within reach: river, bank, from_m, to_m, state {saved, added,
        demolished, near, spared} as drawn and against the approved line, cost_yuan, and for those
        demolished hindered_by, what keeps the line there.
    comparison
        `compare` of the approved and the new line as drawn.
    """

    widths: pd.DataFrame
    certificate: pd.DataFrame
    buildings: pd.DataFrame
    comparison: Comparison
    problems: dict[str, _River] = field(repr=False)

    def summary(self) -> list[str]:
        """What a mayor needs to know, in a few sentences."""
        proven = float(self.certificate["gap_yuan"].sum()) < 1.0
        lines = self.comparison.summary()
        word = (
            "已证明最优(指所给断面、偏移档与局部规则之内,两断面之间按较大偏移计)"
            if proven
            else "尚有差距,见证明表"
        )
        lines.append(
            f"红线偏移方案{word}:{int(self.certificate['n_stations'].sum()):,} 个断面、"
            f"{int(self.certificate['n_buildings'].sum()):,} 栋可及房屋。"
        )
        lines.append("仅为局部规则下的筛查,壅水以全河水面线复核,最终以防洪评价为准。")
        return lines

    def price_of(self, building_id: object) -> pd.DataFrame:
        """See `what_would_save`."""
        mine = still_taken(self.buildings, building_id)
        rows: list[list[Any]] = []
        for river in mine["river"]:
            one = self.problems[river]
            number = int(np.flatnonzero(one.ids == building_id)[0])
            works = one.problem.works.copy()
            for t in np.flatnonzero(one.problem.who == number):
                place = (one.problem.side[t], one.problem.station[t])
                works[place][max(one.problem.level[t], 0) :] = np.inf
            new = solve(replace(one.problem, works=works))
            if new is None:
                return pd.DataFrame(columns=[*PRICE, "least_ratio"])
            price = [
                new.cost - one.solution.cost,
                *exchanged(one.ids, one.solution.touched, new.touched),
                float(one.ratio(new.levels).min()),
            ]
            moved = one.grid.moves[new.levels] - one.grid.moves[one.solution.levels]
            rows += [[*row, *price] for row in stretches(river, one.grid.chainage, moved)]
        return pd.DataFrame(rows, columns=[*PRICE, "least_ratio"])

    def _repr_html_(self) -> str:
        table = table_html(self.certificate, index=False)
        return f"<div>{sentences_html(self.summary())}{table}</div>"


class _Grid(NamedTuple):
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
class _River:
    """One river's problem, its answer, and what is needed to read it."""

    name: str
    grid: _Grid
    problem: LocalProblem
    solution: Solution
    reach: Touches
    ids: Array  # building of each number
    banks: Banks | None  # of the conveyance rule
    menu: list[Wall | None]

    def ratio(self, levels: Array) -> Array:
        """Width, or conveyance where that is the rule, to the approved one at each station."""
        at = np.arange(levels.shape[1])
        if self.banks is None:
            new = self.grid.offsets[0, at, levels[0]] + self.grid.offsets[1, at, levels[1]]
            return np.asarray(new / self.grid.base.sum(axis=0))
        still = np.full_like(levels, self.grid.level0)
        held, was = (
            together(*(v[0, at, one[0]] + v[1, at, one[1]] for v in self.banks[:2]))
            for one in (levels, still)
        )
        return held / was


@takes()
def least_demolition(
    rivers: gpd.GeoDataFrame,
    widths: pd.DataFrame,
    buildings: gpd.GeoDataFrame,
    limits: Mapping[str, float],
    *,
    rates: pd.DataFrame | None = None,
    locks: pd.DataFrame | None = None,
    sections: pd.DataFrame | None = None,
    banks: pd.DataFrame | None = None,
    profile: pd.DataFrame | None = None,
    walls: pd.DataFrame | None = None,
    progress: Progress | None = None,
) -> LeastDemolition:
    """Red line that demolishes least under local rules, proven 最少拆迁红线.

    Parameters
    ----------
    rivers
        Centrelines drawn downstream, indexed by river.
    widths
        The approved red line: river, chainage_m, left_m, right_m [m].
    buildings
        Footprints, indexed by building_id, with what `rates` distinguish and floor areas.
    limits
        What the design may do; what is left out has the value in brackets.

        - inward_m, outward_m: how far the line may move [6 m each]
        - step_m [0.5], spacing_m [10]: the grid of offsets and stations
        - taper: change of offset along the river [0.2 m per m]
        - least_half_m: least distance of the line from the centreline [3]
        - clear_m: distance from walls that are spared [0.02]; give the accuracy of the survey, or
          the design saves houses by centimetres that nobody has measured
        - width_ratio: left and right together, to the approved line [1]
        - conveyance_ratio: conveyance of the channel, to the approved one [1]; with sections
        - works_yuan_m2: price of the works per square metre [0]
        - change_yuan_m: price of each metre by which the offset changes from one station to the
          next [0]; a small one keeps the line from zigzagging where that saves little
        - move_yuan_m2: price of each square metre by which the line is moved [1; without rates
          0.001], which keeps it where nothing is gained
    rates
        Table for `compensation`; without it, a square metre of floor area counts as one yuan.
    locks
        Stretches where the line is bound: river, from_m, to_m, bank (missing: both), least_m and
        most_m (its offset [m]); neither: it stays where it is (a bridge, a finished reach).
    sections, banks, profile
        The approved river as in `water_profile`, and its profile. With them the local rule is the
        conveyance of the channel at the profile's first flood instead of the width, and the
        stations are the sections; designed, surveyed and DEM sections alike.
    walls
        With sections: menu of walls that may replace those that are there, see `moved_sections`.
        At each offset the wall is the cheapest with which the bank conveys what it does now; where
        none does, the one that conveys most.
    progress
        Called with a line of text before each river.

    Returns
    -------
    LeastDemolition
        A width table, its proof, the buildings, and the comparison with the approved line.

    Raises
    ------
    OptimiseError
        No line keeps the limits: the stations and the limit at fault are named.
    RateError, LayerError, CRSError
        The layers can't be used, or a building within reach has no rate or floor area.

    Notes
    -----
    The local rule is the width: at every station left and right together are at least
    ``width_ratio`` of the approved line, so that a channel of the same depth passes as much; or
    the conveyance below the approved water level, with Manning's formula and the composite
    roughness of `water_profile`. Both are a screen: `least_demolition_within_rise` searches with
    the water itself, and the flood-impact evaluation decides.

    A building within reach counts with its whole floor area, once, as soon as the line comes within
    ``clear_m`` of any wall at any station beside it; between stations the higher offset of the two
    counts: that is the rule of the stations, of which the optimum is proven. So a building that is
    promised to stay is clear of the line as drawn. One that the drawn line clears though a station
    beside it lies further out is counted as drawn, and the river is searched again, so that none
    is paid for that stays; one that is closer than ``clear_m`` is paid for, and called near.
    Offsets between the stations of the approved table are interpolated.

    Every rule is an implication and every cost belongs to one offset, one change of offset, or one
    building: the optimum is a minimum cut, and the greatest flow is the bound.

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
    >>> float(best.certificate["gap_yuan"].sum())
    0.0
    >>> int((best.buildings["state"] == "saved").sum()) > 0
    True
    """
    tell = progress or (lambda _: None)
    given = read_limits(limits, priced=rates is not None)
    require_layer(rivers, "rivers")
    require_layer(buildings, "buildings", crs=rivers.crs, valid=False)
    require_polygons(buildings, "buildings")
    require_columns(widths, ("river", "chainage_m", "left_m", "right_m"), "widths")
    lines = lay_out(rivers)
    approved = red_line(rivers, widths)
    require_valid(buildings, "buildings", near=within_reach(buildings, approved, given))
    surveyed = _surveyed(sections, banks, profile, walls, rivers)
    menu = wall_menu(walls)
    solved: dict[str, _River] = {}
    for code, name in enumerate(lines.names):
        tell(f"searching the line {name}")
        line = Approved.of(lines, code, widths)
        measure = _stations(line, given)
        if surveyed is not None:
            river, level = _of_river(surveyed, name)
            at = river.stations["measure"].to_numpy()
            own = np.flatnonzero((at >= line.at[0] - 1e-6) & (at <= line.at[-1] + 1e-6))
            measure = at[own]
        grid = _grid(lines, code, line, measure, given)
        clear = max(given["clear_m"], CLEAR_M)
        reach = touches(buildings, lines, code, line, grid.measure, grid.moves, clear)
        cost = costs(buildings.iloc[reach.ids], rates)
        choice = (
            None
            if surveyed is None
            else bank_choices(river, own, level[own], grid.base, grid.moves, menu)
        )
        held = locked(locks, name, grid.measure, lines.scales[code])
        problem = _problem(grid, reach, cost, given, choice, held)
        solution = solve(problem)
        if solution is None:
            raise _conflict(name, grid, problem)
        ids = buildings.index[reach.ids].to_numpy()
        mine = _River(name, grid, problem, solution, reach, ids, choice, menu)
        solved[name] = _as_drawn(mine, rivers, buildings, given)
    table = pd.concat([_widths(one) for one in solved.values()], ignore_index=True)
    drawn = red_line(rivers, table)
    found = compare({"原方案": approved, "最少拆迁": drawn}, buildings, rivers, rates=rates)
    states = [_states(one, found) for one in solved.values()]
    proof = [_proof(one, own) for one, own in zip(solved.values(), states, strict=True)]
    return LeastDemolition(table, pd.DataFrame(proof), pd.concat(states), found, solved)


def _as_drawn(
    one: _River, rivers: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, limits: Mapping[str, float]
) -> _River:
    """A river's answer in which no building is paid that its line as drawn clears.

    Such buildings are counted as drawn and the river is searched again, until there are none: the
    line found stays possible at what it costs less them, so that each round is cheaper.
    """
    shapes = buildings.geometry.to_numpy()
    while True:
        line = red_line(rivers.loc[[one.name]], _widths(one)).geometry.to_numpy()
        reach = counted_as_drawn(
            one.reach, one.solution.levels, one.solution.touched, shapes, line, limits["clear_m"]
        )
        if reach is None:
            return one
        problem = replace(one.problem, level=reach.level)
        solution = solve(problem)
        if solution is None:  # can't be: the line found keeps all rules
            return one
        one = replace(one, problem=problem, reach=reach, solution=solution)


def _surveyed(
    sections: pd.DataFrame | None,
    banks: pd.DataFrame | None,
    profile: pd.DataFrame | None,
    walls: pd.DataFrame | None,
    rivers: gpd.GeoDataFrame,
) -> tuple[dict[str, River], pd.DataFrame] | None:
    """Sections of each river and the profile of the first flood; None without sections."""
    if sections is None or profile is None:
        for given, name in ((sections, "sections"), (profile, "profile"), (walls, "walls")):
            if given is not None:
                raise LayerError(
                    "need sections and their profile", layer=name,
                    hint="sections=..., banks=..., profile=pg.water_profile(sections, ...)",
                )  # fmt: skip
        return None
    require_columns(profile, ("river", "chainage_m", "level_m", "profile"), "profile")
    first = profile[profile["profile"] == profile["profile"].iloc[0]]
    return as_surveyed(sections, banks, rivers), first


def _of_river(surveyed: tuple[dict[str, River], pd.DataFrame], name: str) -> tuple[River, Array]:
    """Sections of a river and the water level at each."""
    if name not in surveyed[0]:
        raise LayerError(
            f"has no rows for {name}", layer="sections", hint=nearest(name, surveyed[0])
        )
    river, profile = surveyed[0][name], surveyed[1]
    own = profile[profile["river"] == name].drop(columns="scheme", errors="ignore")
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


def _stations(approved: Approved, limits: Mapping[str, float]) -> Array:
    """Measures of the stations: regular ones, and those of the approved table itself.

    With the table's own stations an unmoved line is drawn as it was.
    """
    at = approved.at
    regular = np.arange(at[0], at[-1], limits["spacing_m"])
    measure = np.union1d(np.round(regular, 6), np.round(at, 6))
    keep = np.r_[True, np.diff(measure) > 0.25 * limits["spacing_m"]] | np.isin(
        measure, np.round(at, 6)
    )
    return np.asarray(measure[keep])


def _grid(
    lines: Centrelines,
    code: int,
    approved: Approved,
    measure: Array,
    limits: Mapping[str, float],
) -> _Grid:
    """Stations of a river, the approved offsets there, and the moves to be tried."""
    require_room(measure, limits, lines.names[code])
    moves = moves_of(limits)
    base = approved.base(measure)
    still = int(np.flatnonzero(np.abs(moves) < 1e-9)[0])
    return _Grid(measure, lines.scales[code].chainage(measure), base, moves, still)


def _problem(
    grid: _Grid,
    reach: Touches,
    cost: Array,
    limits: Mapping[str, float],
    banks: Banks | None,
    locks: list[tuple[int, Array, Any, Any]],
) -> LocalProblem:
    """The local problem of one river."""
    offsets, base, gap = grid.offsets, grid.base, np.diff(grid.measure)
    works = prices(
        base, grid.measure, grid.moves, grid.level0, limits, locks,
        wall_yuan_m=0.0 if banks is None else banks.price,
    )  # fmt: skip
    if banks is None:
        need = limits["width_ratio"] * base.sum(axis=0)[:, None] - offsets[0]
        least_right = (offsets[1][:, None, :] < need[:, :, None] - 1e-9).sum(axis=2)
    else:
        still = (v[:, :, grid.level0].sum(axis=0) for v in banks[:2])
        least_right = banks.least_right(limits["conveyance_ratio"] * together(*still))
    most_change = np.floor(limits["taper"] * gap / limits["step_m"] + 1e-9).astype(int)
    return LocalProblem(
        works,
        reach.who,
        reach.side,
        reach.station,
        reach.level,
        cost,
        most_change,
        change_cost=limits["change_yuan_m"] * limits["step_m"],
        least_right=least_right,
    )


def _conflict(name: str, grid: _Grid, problem: LocalProblem) -> OptimiseError:
    """Which limits and stations leave no line."""
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


# --- what came out ----------------------------------------------------------------------------


def _widths(one: _River) -> pd.DataFrame:
    levels = one.solution.levels
    left, right = np.round(one.grid.base + one.grid.moves[levels], 6)
    table = pd.DataFrame(
        {"river": one.name, "chainage_m": one.grid.chainage, "left_m": left, "right_m": right}
    )
    if one.banks is not None and len(one.menu) > 1:
        names = np.array([None if w is None else w.name for w in one.menu], dtype=object)
        for side, word in enumerate(("left", "right")):
            at = np.arange(levels.shape[1])
            table[f"wall_{word}"] = names[one.banks.wall[side, at, levels[side]]]
    return table


def _proof(one: _River, states: pd.DataFrame) -> dict[str, Any]:
    paid = float(one.problem.cost[one.solution.touched].sum())
    near = float(states.loc[states["state"] == "near", "cost_yuan"].sum())
    return {
        "river": one.name,
        "n_stations": len(one.grid.measure),
        "n_offsets": one.problem.works.shape[2],
        "n_buildings": len(one.ids),
        "total_yuan": one.solution.cost,
        "bound_yuan": one.solution.bound,
        "gap_yuan": one.solution.gap,
        "works_yuan": one.solution.cost - paid,
        "counted_yuan": paid - near,
        "near_yuan": near,
    }


def _states(one: _River, found: Comparison) -> pd.DataFrame:
    """Buildings within reach, what becomes of them, and what keeps the line on them."""
    after = one.solution.touched
    table = building_states(
        one.name, one.ids, one.reach, one.problem.cost, one.grid.chainage, after, found
    )
    drawn = table["state"].isin(["demolished", "added"]).to_numpy()
    return table.assign(hindered_by=_hindered(one, np.flatnonzero(after & drawn)))


def building_states(
    river: str,
    ids: Array,
    reach: Touches,
    cost: Array,
    chainage: Array,
    after: Array,
    found: Comparison,
) -> pd.DataFrame:
    """What becomes of the buildings within reach: ``after`` by the rule, ``found`` as drawn."""
    before, drawn = (np.isin(ids, s.affected.index) for s in found.schemes.values())
    state = np.select(
        [after & ~drawn, before & ~drawn, ~before & drawn, drawn],
        ["near", "saved", "added", "demolished"],
        "spared",
    )
    sides = pd.Series(reach.side).groupby(reach.who).agg(["min", "max"]).reindex(range(len(cost)))
    bank = np.where(
        sides["min"] == sides["max"], np.where(sides["min"] == 0, "left", "right"), "both"
    )
    return pd.DataFrame(
        {
            "river": river,
            "bank": bank,
            "from_m": chainage[reach.from_station],
            "to_m": chainage[reach.to_station],
            "state": state,
            "cost_yuan": cost,
        },
        index=pd.Index(ids, name="building_id"),
    )


def _hindered(one: _River, demolished: Array) -> list[str]:
    """What keeps the line on each building that still goes, by the rules at its own stations."""
    p, found = one.problem, [""] * len(one.problem.cost)
    wanted = set(demolished.tolist())
    lowest = np.isfinite(p.works).argmax(axis=2)
    highest = p.works.shape[2] - 1 - np.isfinite(p.works[:, :, ::-1]).argmax(axis=2)
    for who, rows in pd.DataFrame(
        {"who": p.who, "side": p.side, "station": p.station, "level": p.level}
    ).groupby("who"):
        if who not in wanted:
            continue
        side, station = rows["side"].to_numpy(), rows["station"].to_numpy()
        below = rows["level"].to_numpy() - 1
        if (below < 0).any():
            found[who] = "reach"  # further inside than the line may move
        elif (below < lowest[side, station]).any():
            found[who] = "least_half"
        elif p.least_right is not None and _too_narrow(p, side, station, below, highest):
            found[who] = "width" if one.banks is None else "conveyance"
        else:
            found[who] = "cost"  # to spare it costs more elsewhere
    return found


def _too_narrow(p: LocalProblem, side: Array, station: Array, below: Array, highest: Array) -> bool:
    """Whether the other bank can't make room for what this one would give up."""
    least = p.least_right
    if least is None:
        return False
    if side[0] == 0:
        return bool((least[station, below] > highest[1, station]).any())
    return bool((least[station, highest[0, station]] > below).any())


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
        within a rise largest_rise_mm. No row: no line within the limits spares it.

    Raises
    ------
    LayerError
        The building is not among those that are demolished.

    Notes
    -----
    The same search with the building fixed as spared: nothing infeasible is ever proposed, and no
    cheaper change exists within the limits. Within a rise the building's node is searched again,
    and the flood of the whole river with the other nodes as they are accepts the change.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers").loc[["木古河"]]
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    >>> best = pg.least_demolition(rivers, widths[widths["river"] == "木古河"], buildings,
    ...     {"spacing_m": 20, "step_m": 1.0})
    >>> left = best.buildings[best.buildings["hindered_by"] == "cost"]
    >>> found = [pg.what_would_save(best, i) for i in left.index]
    >>> all((t["extra_yuan"] >= 0).all() for t in found)
    True
    """
    return best.price_of(building_id)


@takes(before="widths", after="widths")
def moved_design(
    design: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame, rivers: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Designed channel whose walls follow the red line to another width table 移位设计断面.

    Parameters
    ----------
    design
        Stations for `design_sections`: river, chainage_m, left_m, right_m and the rest.
    before, after
        Width tables of the approved and the new red line.
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
    scales = river_scales(rivers)
    made = design.copy()
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
                offset_at(table, river, scale, at, column, layer=layer)
                for layer, table in (("before", before), ("after", after))
            )
            made.loc[mine, column] = made.loc[mine, column] + np.round(now - was, 6)
    return made


class Priced(Protocol):
    """A design that can say what sparing one more building costs."""

    def price_of(self, building_id: object) -> pd.DataFrame:
        """See `what_would_save`."""


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


def stretches(river: str, chainage: Array, moved: Array) -> list[list[Any]]:
    """River, bank, ends and largest move of each run of stations that move (2, stations)."""
    found = []
    for side, word in enumerate(("left", "right")):
        edge = np.flatnonzero(np.diff(np.r_[False, moved[side] != 0, False].astype(int)))
        for a, b in edge.reshape(-1, 2).tolist():
            run = moved[side, a:b]
            most = float(run[np.argmax(np.abs(run))])
            found.append([river, word, chainage[a], chainage[b - 1], most])
    return found
