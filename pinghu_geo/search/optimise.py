"""Which design demolishes least? Offsets of the red line for a whole river, with proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.survey import lay_sections, places, rows_of
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError, OptimiseError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import (
    Lang,
    nearest,
    require_columns,
    require_layer,
    require_polygons,
    require_valid,
)
from pinghu_geo.nouns.tables import groups_of
from pinghu_geo.redline.lines import Widths, red_line, width_rows
from pinghu_geo.river.centreline import lay_out
from pinghu_geo.river.chainage import ChainageScale, format_chainage
from pinghu_geo.schemes.alternatives import Comparison, compare
from pinghu_geo.search.contacts import TOUCH_M, Approved, Contacts, contacts
from pinghu_geo.search.conveyance import Banks, bank_choices, together
from pinghu_geo.search.jogs import Bends, LineRules, bend_rule, bends_said, less_bent
from pinghu_geo.search.mincut import LocalProblem, Solution, solve
from pinghu_geo.search.offsets import (
    LIMITS,
    costs,
    locked,
    moves_of,
    prices,
    read_limits,
    require_room,
    within_reach,
)
from pinghu_geo.search.problem import SAME_COST
from pinghu_geo.search.stakes import stakes, straight
from pinghu_geo.search.thresholds import Touches, changes, counted_as_drawn, touches_of
from pinghu_geo.search.walls import River, Wall, as_surveyed, offset_at, wall_menu

__all__ = [
    "LIMITS", "LeastDemolition", "least_demolition", "moved_design", "what_would_save",
    "widths_that_save",
]  # fmt: skip

Progress = Callable[[str], None]

# before anything is searched
NOTHING = Solution(np.zeros((2, 0), int), np.zeros(0, bool), 0.0, 0.0)
# columns of the price of one more building
PRICE = [
    "river", "bank", "from_m", "to_m", "moved_m", "extra_yuan", "n_saved", "n_lost", "saved_ids",
    "lost_ids",
]  # fmt: skip


# names of the designs that a search compares
APPROVED, FOUND, WITHIN = "原方案", "最少拆迁", "控制壅高"


def searched_against(comparison: Comparison, lang: Lang) -> list[str]:
    """What a search's comparison says, its own names in the language, too."""
    names = {
        APPROVED: say("the approved design", lang),
        FOUND: say("the least demolition", lang),
        WITHIN: say("the design within the rise", lang),
    }
    said = replace(comparison, baseline=names.get(comparison.baseline, comparison.baseline),
                   changes=comparison.changes.replace({"scheme": names}))  # fmt: skip
    return said.summary(lang=lang)


@dataclass(frozen=True, slots=True)
class LeastDemolition(Result):
    """The line that demolishes least under the local rule, and why 最少拆迁方案.

    Attributes
    ----------
    widths
        The line as an ordinary width table: to be edited, drawn (`red_line`), compared.
    certificate
        One row a river: stations, offsets tried, buildings within reach, and decided_between, how
        many of them no threshold at a single station decides exactly; total_yuan of the line as
        drawn, bound_yuan that no other line beats by these thresholds, gap_yuan (0: proven), and
        drawn_bound_yuan, that no line drawn over the same stations beats at all (the total where
        decided_between is 0); and of which the total consists: works_yuan, counted_yuan for
        buildings that the line as drawn takes, near_yuan for those that it comes closer to than
        clear_m. What the line as drawn clears is not paid for. close_bends of both banks within
        bend_every_m of the one before, close_bends_before of the line as searched (both NA without
        that rule), and bends_yuan, what the line costs more for the rule: bounds are of lines
        without it, by the offsets given at every station.
    buildings
        One row a building within reach: river, bank, from_m, to_m, state {saved, added,
        demolished, near, spared} as drawn and against the approved line, cost_yuan, and for those
        demolished hindered_by, what keeps the line there.
    comparison
        `compare` of the approved and the new line as drawn.
    searched
        The width table before bends were taken out; ``widths`` where they weren't.
    """

    SHOWN: ClassVar = ("certificate",)

    widths: pd.DataFrame
    certificate: pd.DataFrame
    buildings: pd.DataFrame
    comparison: Comparison
    searched: pd.DataFrame
    bends: Bends | None = field(repr=False)
    problems: dict[str, _RiverProblem] = field(repr=False)

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """What a mayor needs to know, in a few sentences."""
        proof = self.certificate
        between = int(proof["decided_between"].sum())
        found = [one.solution for one in self.problems.values()]
        least = sum(one.cost for one in found) - float(proof["drawn_bound_yuan"].sum())
        lines = searched_against(self.comparison, lang)
        if sum(one.gap for one in found) >= 1.0:
            word = say("not closed, see the certificate", lang)
        elif least < 1.0:
            word = say("proven optimal as drawn (of the sections, offsets and local rules given)",
                       lang)  # fmt: skip
        else:
            word = say("proven optimal as decided at the sections (of the sections, offsets and "
                       "local rules given)", lang)  # fmt: skip
        lines.append(
            say("The line by offsets is {}: {} sections, {} buildings within reach.", lang, word,
                f"{int(proof['n_stations'].sum()):,}", f"{int(proof['n_buildings'].sum()):,}")
        )  # fmt: skip
        if between:
            lines.append(
                say("The corners of {} buildings lie on no section: they are decided between two, "
                    "on the safe side; no line drawn on these sections saves more than {} besides.",
                    lang, f"{between:,}", f"{least:,.0f}")
            )  # fmt: skip
        if self.bends is not None:
            now, was = (int(proof[c].sum()) for c in ("close_bends", "close_bends_before"))
            lines.append(bends_said(self.bends, now, was, float(proof["bends_yuan"].sum()), lang))
        fixed = [name for name, one in self.problems.items() if one.reach.fixed]
        if fixed:
            lines.append(say("{}: the offsets are less than one step (step_m) or locked all along: "
                             "there is one line to choose.", lang,
                             say(", ", lang).join(fixed)))  # fmt: skip
        lines.append(say("A screening by local rules alone: the level of the whole river has to be "
                         "computed, and the flood-impact evaluation decides.", lang))  # fmt: skip
        return lines

    def price_of(self, building_id: object) -> pd.DataFrame:
        """See `what_would_save`."""
        rows: list[list[Any]] = []
        for river, new in self._rivers_sparing(building_id).items():
            if new is None:
                return pd.DataFrame(columns=[*PRICE, "least_ratio"])
            one = self.problems[river]
            # without the rule on bends, so that the price is the building's alone; one that just
            # this rule takes is compared with the line that is drawn
            number = int(np.flatnonzero(one.ids == building_id)[0])
            was = replace(one, line=None) if one.solution.touched[number] else one
            price = [
                new.cost - was.cost,
                *exchanged(one.ids, was.touched, new.touched),
                float(one.ratio(new.solution.levels).min()),
            ]
            moved = new.moves - was.moves
            rows += [[*row, *price] for row in stretches(river, one.grid.chainage, moved)]
        return pd.DataFrame(rows, columns=[*PRICE, "least_ratio"])

    def widths_for(self, building_id: object) -> pd.DataFrame:
        """See `widths_that_save`."""
        new = self._rivers_sparing(building_id)
        if any(one is None for one in new.values()):
            return self.widths.iloc[:0]
        rivers = self.problems | {k: one for k, one in new.items() if one is not None}
        # as searched, as what they cost is
        tables = [_width_table(replace(one, line=None)) for one in rivers.values()]
        return pd.concat(tables, ignore_index=True)

    def _rivers_sparing(self, building_id: object) -> dict[str, _RiverProblem | None]:
        """The rivers beside a building, searched again with lines that spare it; None: no such."""
        found: dict[str, _RiverProblem | None] = {}
        for river in still_taken(self.buildings, building_id)["river"]:
            one = self.problems[river]
            number = int(np.flatnonzero(one.ids == building_id)[0])
            found[river] = _solved_sparing(one, number)
        return found


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


class _LineSetting(NamedTuple):
    """Where a river's line is drawn, and what stands beside it."""

    river: gpd.GeoDataFrame  # one row
    scale: ChainageScale
    approved: Approved
    shapes: Array  # all buildings
    clear_m: float


class _BentLine(NamedTuple):
    """A line that bends seldom: moves (2, stations), where it bends, whom it takes, its cost."""

    moves: Array
    knots: Array
    touched: Array
    cost: float


@dataclass(frozen=True, slots=True)
class _RiverProblem:
    """One river's problem, its answer, and what is needed to read it."""

    name: str
    place: _LineSetting
    grid: _StationGrid
    problem: LocalProblem
    solution: Solution
    reach: Touches
    ids: Array  # building of each number
    banks: Banks | None  # of the conveyance rule
    menu: list[Wall | None]
    surely: Solution = NOTHING  # with what a line takes whatever it does beside, and nothing else
    line: _BentLine | None = None  # instead of the solution's, by the rule on bends

    @property
    def moves(self) -> Array:
        """Moves (2, stations) of the line that is drawn."""
        searched = self.grid.moves[self.solution.levels]
        return searched if self.line is None else self.line.moves

    @property
    def touched(self) -> Array:
        """Which buildings are paid for."""
        return self.solution.touched if self.line is None else self.line.touched

    @property
    def cost(self) -> float:
        """What the line that is drawn costs."""
        return self.solution.cost if self.line is None else self.line.cost

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


@takes(stations="widths")
def least_demolition(
    rivers: gpd.GeoDataFrame,
    widths: Widths,
    buildings: gpd.GeoDataFrame,
    limits: Mapping[str, float],
    *,
    rates: pd.DataFrame | None = None,
    locks: pd.DataFrame | None = None,
    sections: pd.DataFrame | None = None,
    banks: pd.DataFrame | None = None,
    profile: pd.DataFrame | None = None,
    walls: pd.DataFrame | None = None,
    stations: pd.DataFrame | None = None,
    bend_every_m: float | None = None,
    bend_yuan: float | None = None,
    progress: Progress | None = None,
) -> LeastDemolition:
    """Red line that demolishes least under local rules, proven 最少拆迁红线.

    Parameters
    ----------
    rivers
        Centrelines drawn downstream, indexed by river.
    widths
        The approved red line: river, chainage_m, left_m, right_m [m]; or what `red_line` takes for
        constant widths: a number, a pair, or ``{"left": 8, "right": 12}``.
    buildings
        Footprints, indexed by building_id, with what `rates` distinguish and floor areas.
    limits
        What the design may do; what is left out has the value in brackets.

        - inward_m, outward_m: how far the line may move [6 m each]
        - step_m [0.5], spacing_m [10]: the grid of offsets, and of stations where no corner of a
          building needs one
        - taper: change of offset along the river [0.2 m per m]
        - least_half_m: least distance of the line from the centreline [3]
        - clear_m: distance from walls that are spared [0.02]; give the accuracy of the survey, or
          the design saves houses by centimetres that nobody has measured
        - width_ratio: left and right together, to the approved line [1]
        - conveyance_ratio: conveyance of the channel, to the approved one [1]; with sections
        - works_yuan_m2: price of the works per square metre [0]
        - works_yuan_m3: price of each cubic metre dug beyond the approved sections, by average end
          areas [0]; with sections. Ground that a narrower channel leaves isn't credited.
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
    stations
        Where the line may bend, a table of river and chainage_m; without it the line's own bends,
        corners of buildings, and one every spacing_m. Not with sections, which are the stations.
    bend_every_m, bend_yuan
        A bank changes its direction once in ``bend_every_m`` [m], unless closer bends save houses
        worth ``bend_yuan``, as in `least_demolition_within_rise`. None: wherever that is cheapest.
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

    A building counts with its whole floor area, once, where the line as `red_line` draws it comes
    within ``clear_m`` of any of its walls. The line is straight from station to station, so that
    corners of buildings are stations where that leaves at least step_m / taper to the next (bends
    of the approved line come first), and a regular station without that room moves onto the corner.
    Then whether a building is taken is decided by the offset at single stations, exactly, and the
    optimum is that of all lines drawn over these stations. Where corners stand closer, some pairs
    of offsets take a building and others don't: two thresholds cover those that do, the building is
    one of ``decided_between``, and what is promised to stay is clear of the line as drawn. One that
    is paid for though the line clears it gets other thresholds and the river is searched again, so
    that none is paid for that stays; one that the bound on drawn lines doesn't count is asked for
    a line that spares it, which is taken where it is cheaper; one that is closer than ``clear_m``
    is paid for, and called near. ``drawn_bound_yuan`` counts only what is taken for sure: no line
    drawn over the same stations costs less. With one building more or fewer the corners, and so the
    stations, differ; ``stations`` compares over the same ones.

    With ``bend_every_m`` places of the optimum where bends follow closely are then drawn straight
    from bend to bend, where that costs less than the bends do; such a line needs no offset of the
    menu between its bends. It isn't proven to be the best such line: the total is counted anew on
    the line as drawn, and ``gap_yuan`` is what it costs more than the bound of all lines without
    the rule.

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
    bends = bend_rule(bend_every_m, bend_yuan, priced=rates is not None)
    require_layer(rivers, "rivers")
    require_layer(buildings, "buildings", crs=rivers.crs, valid=False)
    require_polygons(buildings, "buildings")
    lines = lay_out(rivers)
    widths = width_rows(widths, lines)
    require_columns(widths, ("river", "chainage_m", "left_m", "right_m"), "widths")
    approved = red_line(rivers, widths)
    require_valid(buildings, "buildings", near=within_reach(buildings, approved, given))
    surveyed = _sections_and_profile(sections, banks, profile, walls, rivers, given)
    menu = wall_menu(walls)
    solved: dict[str, _RiverProblem] = {}
    for code, name in enumerate(lines.names):
        tell(f"searching the line {name}")
        place = _LineSetting(
            rivers.iloc[[code]], lines.scales[code], Approved.of(lines, code, widths),
            buildings.geometry.to_numpy(), given["clear_m"],
        )  # fmt: skip
        moves = moves_of(given)
        walls_met = contacts(
            buildings, lines, code, place.approved, moves,
            clear_m=place.clear_m, taper=given["taper"],
        )  # fmt: skip
        if surveyed is not None:
            river, level = _river_with_levels(surveyed, name)
            at, ends = river.stations["measure"].to_numpy(), place.approved.at[[0, -1]]
            own = np.flatnonzero((at >= ends[0] - 1e-6) & (at <= ends[1] + 1e-6))
            measure = at[own]
            require_room(measure, given, name)
        elif stations is None:
            measure = stakes(place.approved, walls_met, moves, given, name)
        else:
            measure = _given_measures(stations, place)
            require_room(measure, given, name)
        grid = _station_grid(place, measure, moves)
        choice = (
            None
            if surveyed is None
            else bank_choices(
                river, own, level[own], grid.base, grid.moves, menu, digs=given["works_yuan_m3"] > 0
            )
        )
        change = changes(measure, moves, given["taper"])
        held = [
            *locked(locks, name, grid.measure, lines.scales[code]),
            *([] if surveyed is None else _locked_by_covers(river, own)),
        ]
        bare = _local_problem(grid, given, change, choice, held)
        reach = touches_of(walls_met, measure, moves, change, np.isfinite(bare.works))
        cost = costs(buildings.iloc[reach.ids], rates)
        ids = buildings.index[reach.ids].to_numpy()
        problem = replace(bare, cost=cost)
        mine = _RiverProblem(name, place, grid, problem, NOTHING, reach, ids, choice, menu)
        found = _best_as_drawn(mine)
        if found is None:
            raise _conflict_error(name, grid, bare)
        solved[name] = found if bends is None else _less_bent(found, walls_met, given, bends)
    searched = pd.concat([_width_table(replace(one, line=None)) for one in solved.values()],
                         ignore_index=True)  # fmt: skip
    table = pd.concat([_width_table(one) for one in solved.values()], ignore_index=True)
    drawn = red_line(rivers, table)
    both = compare({APPROVED: approved, FOUND: drawn}, buildings, rivers, rates=rates)
    states = [_states_with_hindrance(one, both) for one in solved.values()]
    proof = [
        _certificate_row(one, own, bends) for one, own in zip(solved.values(), states, strict=True)
    ]
    return LeastDemolition(
        table, pd.DataFrame(proof), pd.concat(states), both, searched, bends, solved
    )


def _less_bent(
    one: _RiverProblem, walls: Contacts, limits: Mapping[str, float], bends: Bends
) -> _RiverProblem:
    """A river whose line bends closely only where that is worth it, counted anew as drawn."""
    grid, p = one.grid, one.problem
    wide = None if one.banks is not None else (limits["width_ratio"] - 1) * grid.base.sum(axis=0)
    rules = LineRules(
        grid.measure, grid.moves, p.works, limits["change_yuan_m"], limits["taper"], wide,
        p.least_right, walls, p.cost,
    )  # fmt: skip
    moves = less_bent(rules, bends, one.moves)
    knots = np.zeros(moves.shape[1], bool)
    knots[[0, -1]] = True
    for own in moves:
        knots[bends.stations(own, grid.measure)] = True
    made = replace(one, line=_BentLine(moves, knots, one.touched, 0.0))
    line = red_line(one.place.river, _width_table(made)).geometry.to_numpy()
    near = max(one.place.clear_m - TOUCH_M, 0.0)
    area = shapely.union_all(line)
    touched = np.asarray(shapely.dwithin(area, one.place.shapes[one.reach.ids], near))
    works = sum(rules.works_of(side, 0, moves[side]) for side in (0, 1))
    cost = works + float(p.cost[touched].sum())

    def value(line: Array, paid: float) -> float:
        return paid + bends.price * sum(bends.close(own, grid.measure) for own in line)

    if value(moves, cost) > value(one.moves, one.cost):
        return one
    return replace(made, line=_BentLine(moves, knots, touched, cost))


def _solved_river(one: _RiverProblem) -> _RiverProblem | None:
    """A river's answer, in which no building is paid that its line as drawn clears.

    The thresholds of those that are paid for so are set anew, and the river is searched again,
    until there are none: the line found stays possible at what it costs less them, so that each
    round is cheaper. None: no line keeps the rules.
    """
    while True:
        problem = _with_touches(one.problem, one.reach, one.reach.level)
        solution = solve(problem)
        if solution is None:
            return None
        one = replace(one, problem=problem, solution=solution)
        line = red_line(one.place.river, _width_table(one)).geometry.to_numpy()
        paid = solution.touched & (problem.cost > 0)
        reach = counted_as_drawn(
            one.reach, solution.levels, paid, one.place.shapes, line, one.place.clear_m
        )
        if reach is None:
            return one
        one = replace(one, reach=reach)


def _solved_sparing(one: _RiverProblem, number: int) -> _RiverProblem | None:
    """A river's answer among lines that spare a building; None: there is no such line."""
    # dearer than all that a line can cost: taken only where every line takes it
    cost, works = one.problem.cost.copy(), one.problem.works
    dear = cost.sum() + np.where(np.isfinite(works), works, 0.0).max(axis=2).sum()
    dear += one.problem.change_cost * works.shape[2] * works.shape[1] * 2
    cost[number] = np.ceil(dear) + 1.0
    new = _solved_river(replace(one, problem=replace(one.problem, cost=cost), line=None))
    return None if new is None or new.solution.touched[number] else new


def _best_as_drawn(one: _RiverProblem) -> _RiverProblem | None:
    """A river's answer, with other thresholds where these let a cheaper line be drawn.

    What is decided between stations is covered by two thresholds of several that would do. A
    building that is paid for, and that the bound on all drawn lines doesn't count, is asked for
    lines that spare it: where one is cheaper its thresholds are taken for the whole river.
    """
    found, asked = _solved_river(one), set[int]()
    while found is not None:
        if not found.reach.between.any():  # then all that is counted is taken for sure
            return replace(found, surely=found.solution)
        sure = solve(_with_touches(found.problem, found.reach, found.reach.sure))
        if sure is None:
            return replace(found, surely=found.solution)
        found, cost = replace(found, surely=sure), found.problem.cost
        open_ = np.flatnonzero(found.solution.touched & ~sure.touched & (cost > 0))
        left = [int(k) for k in open_[np.argsort(-cost[open_])] if k not in asked]
        for number in left:
            asked.add(number)
            new = _solved_sparing(found, number)
            if new is not None and new.cost < found.cost - found.solution.gap - SAME_COST:
                found = _solved_river(replace(new, problem=replace(new.problem, cost=cost)))
                break
        else:
            return found
    return None


def _with_touches(problem: LocalProblem, reach: Touches, level: Array) -> LocalProblem:
    """The problem with first moves that take buildings, by row of ``reach``."""
    some = level < problem.works.shape[2]
    return replace(
        problem, who=reach.who[some], side=reach.side[some], station=reach.station[some],
        level=level[some],
    )  # fmt: skip


def _sections_and_profile(
    sections: pd.DataFrame | None,
    banks: pd.DataFrame | None,
    profile: pd.DataFrame | None,
    walls: pd.DataFrame | None,
    rivers: gpd.GeoDataFrame,
    limits: Mapping[str, float],
) -> tuple[dict[str, River], pd.DataFrame] | None:
    """Sections of each river and the profile of the first flood; None without sections."""
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
    return as_surveyed(lay_sections(sections, banks=banks, rivers=rivers)), first


def _river_with_levels(
    surveyed: tuple[dict[str, River], pd.DataFrame], name: str
) -> tuple[River, Array]:
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


def _locked_by_covers(river: River, own: Array) -> list[tuple[int, Array, Any, Any]]:
    """Locks of both banks, as of `locked`, at those stations whose sections are covered."""
    covers = np.flatnonzero(np.isin(own, list(river.covered)))
    return [(side, covers, np.nan, np.nan) for side in (0, 1)]


def _given_measures(stations: pd.DataFrame, place: _LineSetting) -> Array:
    """Measures of the stations that are given, within the approved line and with its ends."""
    require_columns(stations, ("river", "chainage_m"), "stations")
    own = stations.loc[stations["river"] == place.approved.name, "chainage_m"]
    at = place.scale.measure(own.to_numpy(float), twice="order")
    ends = place.approved.at[[0, -1]]
    inside = at[(at > ends[0] + 1e-6) & (at < ends[1] - 1e-6)]
    return np.unique(np.round(np.concatenate([ends, inside]), 6))


def _station_grid(place: _LineSetting, measure: Array, moves: Array) -> _StationGrid:
    """Stations of a river, the approved offsets there, and the moves to be tried."""
    still = int(np.flatnonzero(np.abs(moves) < 1e-9)[0])
    base = place.approved.base(measure)
    return _StationGrid(measure, place.scale.chainage(measure), base, moves, still)


def _local_problem(
    grid: _StationGrid,
    limits: Mapping[str, float],
    change: Array,
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
        change,
        change_cost=limits["change_yuan_m"] * limits["step_m"],
        least_right=least_right,
    )  # fmt: skip


def _conflict_error(name: str, grid: _StationGrid, problem: LocalProblem) -> OptimiseError:
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


def _width_table(one: _RiverProblem) -> pd.DataFrame:
    grid, approved = one.grid, one.place.approved
    # rows of the approved table that are no stations stay, so that what isn't moved is as it was
    far = np.abs(approved.at[:, None] - grid.measure)
    own = far.min(axis=1) > 1e-5
    own[1:-1] &= ~straight(approved)
    kept = np.ones(len(grid.measure), bool)
    if one.line is not None:  # straight from bend to bend
        kept = one.line.knots.copy()
        bent = np.append(np.insert(~straight(approved), 0, True), True)
        kept[far[bent].argmin(axis=1)[far[bent].min(axis=1) <= 1e-5]] = True
    measure = np.union1d(grid.measure[kept], approved.at[own])
    left, right = (
        np.round(base + np.interp(measure, grid.measure, move), 6)
        for base, move in zip(approved.base(measure), one.moves, strict=True)
    )
    table = pd.DataFrame(
        {
            "river": one.name,
            "chainage_m": one.place.scale.chainage(measure),
            "left_m": left,
            "right_m": right,
        }
    )
    if one.banks is not None and len(one.menu) > 1:
        names = np.array([None if w is None else w.name for w in one.menu], dtype=object)
        step = np.ptp(grid.moves) / max(len(grid.moves) - 1, 1) or 1.0
        levels = np.floor((one.moves - grid.moves[0]) / step + 1e-7).astype(int)
        for side, word in enumerate(("left", "right")):
            at = np.clip(np.searchsorted(grid.measure, measure + 1e-3) - 1, 0, None)
            table[f"wall_{word}"] = names[one.banks.wall[side, at, levels[side, at]]]
    return table


def _certificate_row(
    one: _RiverProblem, states: pd.DataFrame, bends: Bends | None
) -> dict[str, Any]:
    paid = float(one.problem.cost[one.touched].sum())
    lines = [one.moves, one.grid.moves[one.solution.levels]]
    now, was = (
        pd.NA if bends is None else sum(bends.close(own, one.grid.measure) for own in moves)
        for moves in lines
    )
    near = float(states.loc[states["state"] == "near", "cost_yuan"].sum())
    return {
        "river": one.name,
        "n_stations": len(one.grid.measure),
        "n_offsets": one.problem.works.shape[2],
        "n_buildings": len(one.ids),
        "decided_between": int(one.reach.between.sum()),
        "total_yuan": one.cost,
        "bound_yuan": min(one.solution.bound, one.cost),
        "gap_yuan": max(one.cost - one.solution.bound, 0.0),
        "drawn_bound_yuan": min(one.surely.bound, one.solution.bound, one.cost),
        "works_yuan": one.cost - paid,
        "counted_yuan": paid - near,
        "near_yuan": near,
        "close_bends": now,
        "close_bends_before": was,
        "bends_yuan": one.cost - one.solution.cost,
    }


def _states_with_hindrance(one: _RiverProblem, found: Comparison) -> pd.DataFrame:
    """Buildings within reach, what becomes of them, and what keeps the line on them."""
    after = one.touched
    table = building_states(
        one.name, one.ids, one.reach, one.problem.cost, one.grid.chainage, after, found
    )
    drawn = table["state"].isin(["demolished", "added"]).to_numpy()
    return table.assign(hindered_by=_hindrance_codes(one, np.flatnonzero(after & drawn)))


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
    gaps = reach.gaps
    some = (gaps.safe < gaps.safe.shape[1]).any(axis=1)
    sides = pd.Series(gaps.side[some]).groupby(gaps.who[some]).agg(["min", "max"])
    sides = sides.reindex(range(len(cost)))
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


def _hindrance_codes(one: _RiverProblem, demolished: Array) -> list[str]:
    """What keeps the line on each building that still goes, by the rules at its own stations."""
    p, found = one.problem, [""] * len(one.problem.cost)
    wanted = set(demolished.tolist())
    lowest = np.isfinite(p.works).argmax(axis=2)
    highest = p.works.shape[2] - 1 - np.isfinite(p.works[:, :, ::-1]).argmax(axis=2)
    touched = pd.DataFrame({"who": p.who, "side": p.side, "station": p.station, "level": p.level})
    for who, rows in groups_of(touched.groupby("who")):
        if who not in wanted:
            continue
        side, station = rows["side"].to_numpy(), rows["station"].to_numpy()
        below = rows["level"].to_numpy() - 1
        if (below < 0).any():
            found[who] = "reach"  # further inside than the line may move
        elif (below < lowest[side, station]).any():
            found[who] = "least_half"
        elif p.least_right is not None and _is_too_narrow(p, side, station, below, highest):
            found[who] = "width" if one.banks is None else "conveyance"
        else:
            found[who] = "cost"  # to spare it costs more elsewhere
    return found


def _is_too_narrow(
    p: LocalProblem, side: Array, station: Array, below: Array, highest: Array
) -> bool:
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
    >>> all((t["extra_yuan"] >= 0).all() for t in found)
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

    def widths_for(self, building_id: object) -> pd.DataFrame:
        """See `widths_that_save`."""


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
