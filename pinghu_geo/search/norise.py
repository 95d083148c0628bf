"""Which design demolishes least without raising the flood? All of a river at once, then checked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.hydraulics import Boundary, boundary_table, joined_last, water_profile
from pinghu_geo.flood.obstruction import LOSSES
from pinghu_geo.flood.rises import freeboard, rise_table
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.structures import with_structures
from pinghu_geo.flood.survey import Laid, discharges, lay_sections
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import HydraulicsError, LayerError, OptimiseError
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
from pinghu_geo.nouns.tables import each_row
from pinghu_geo.redline.lines import Widths, red_line, width_rows
from pinghu_geo.river.centreline import Centrelines, lay_out, river_scales
from pinghu_geo.river.chainage import ChainageScale, format_chainage
from pinghu_geo.schemes.alternatives import Comparison, compare
from pinghu_geo.search.basin import Basin, BasinSolution, Inflow
from pinghu_geo.search.contacts import Approved
from pinghu_geo.search.jogs import Bends, bend_rule, bends_said
from pinghu_geo.search.joint import ChainSolution, Stretch
from pinghu_geo.search.offsets import (
    CLEAR_M,
    costs,
    locked,
    moves_of,
    prices,
    read_limits,
    require_room,
    within_reach,
)
from pinghu_geo.search.optimise import (
    APPROVED,
    PRICE,
    WITHIN,
    Progress,
    building_states,
    exchanged,
    searched_against,
    still_taken,
    stretches,
)
from pinghu_geo.search.problem import (
    EXCESS_M,
    LEAST_GROWTH,
    SAME_COST,
    beside,
    design_works,
    touched_by,
    works_within,
)
from pinghu_geo.search.smooth import places_of, smoothed_rivers
from pinghu_geo.search.stretch import Base, Options, Reach, extents, halves_of, taken_by
from pinghu_geo.search.thresholds import Touches, counted_as_drawn, touches
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
_RIVER_COLUMNS = [
    "river", "n_nodes", "decided_between", "before_yuan", "total_yuan", "bound_yuan", "gap_yuan",
    "proof", "close_bends", "close_bends_before", "bends_yuan",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class WithinRise(Result):
    """The line that demolishes least within an allowed rise, its proof and its flood 控制壅高方案.

    Attributes
    ----------
    widths
        The line as a width table; wall_left, wall_right where the menu's walls are built.
    certificate
        One row a river: n_nodes; decided_between, how many buildings some pairs of moves count for
        though the slant of the line drawn straight between their stations may clear them (the safe
        side, by some millimetres); before_yuan that the approved line costs where it is searched,
        total_yuan, bound_yuan that no design of the menu along the whole river can beat, gap_yuan,
        proof {optimal, feasible, base}. Of rivers that join it is of all together: what is left to
        prove stands at the one at the mouth. close_bends of both banks within bend_every_m of the
        one before, close_bends_before of the line as searched (both NA without that rule), and
        bends_yuan, what the line costs more for the rule: the bound is of lines without it.
    nodes
        One row a stretch that was searched: node_id, river, from_m, to_m, n_stations, n_buildings,
        before_yuan, total_yuan, bound_yuan and gap_yuan (what it may cost too much at most, with
        all that it takes from the stretches upstream), proof {river: part of a design that is
        proven for its whole river; feasible; base: as approved, and not proven}.
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
        Rise allowed of the first flood.
    searched
        The width table before bends were taken out; ``widths`` where they weren't.
    band
        The design over the band of loss coefficients of `building_rises`: contraction, expansion,
        profile, largest_rise_mm, allowed_mm and kept. The search holds for its own coefficients
        alone.
    """

    SHOWN: ClassVar = ("certificate", "nodes")
    DECIMALS: ClassVar = 1

    widths: pd.DataFrame
    certificate: pd.DataFrame
    nodes: pd.DataFrame
    buildings: pd.DataFrame
    rise: pd.DataFrame
    sections: pd.DataFrame
    banks: pd.DataFrame
    comparison: Comparison
    allowed_mm: float
    searched: pd.DataFrame
    band: pd.DataFrame
    stopped: bool
    done: _SearchRecord = field(repr=False)

    @property
    def largest_rise_mm(self) -> float:
        """Largest rise of the first flood that has an allowed one, anywhere [mm]."""
        return _largest_rise(self.rise, next(iter(self.allowed)))

    @property
    def allowed(self) -> dict[str, float]:
        """Rise allowed [mm] by flood: a design keeps that of each."""
        return self.done.search.allowed

    @property
    def bends(self) -> pd.DataFrame:
        """Where bends follow closely, and what they save.

        One row a place: river, from_m, to_m, close_bends of both banks, and saved_yuan, what the
        houses cost that both banks drawn straight there would take. Empty without that rule.
        """
        rule = self.done.search.bends
        rows = [
            [found.reach.name, found.reach.chainage(one.first + place.first),
             found.reach.chainage(one.first + place.last), place.bends, place.worth]
            for found in self.done.found
            for one, options in zip(found.stretches, found.solution.options, strict=True)
            for place in ([] if rule is None else places_of(
                one.problem, found.reach.options,
                found.reach.measure[one.first : one.last + 1], options, rule,
            ))
        ]  # fmt: skip
        columns = ["river", "from_m", "to_m", "close_bends", "saved_yuan"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def works_yuan(self) -> float:
        """What the works cost where the river was searched, by the prices given."""
        return sum(found.works() for found in self.done.found)

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """What a mayor needs to know, in a few sentences."""
        lines = [
            *searched_against(self.comparison, lang),
            *_proof_sentences(self.certificate, lang),
            *self._bend_sentences(lang),
            *self._unsearched_sentences(lang),
        ]
        lines += [
            say("The design flood rises by at most {} mm anywhere on the rivers ({} mm allowed).",
                lang, f"{_largest_rise(self.rise, name):.1f}", f"{most:g}")
            if len(self.allowed) == 1 else
            say("The flood {} rises by at most {} mm anywhere on the rivers ({} mm allowed).",
                lang, name, f"{_largest_rise(self.rise, name):.1f}", f"{most:g}")
            for name, most in self.allowed.items()
        ]  # fmt: skip
        lines.append(self._over_the_band(lang))
        if self.stopped:
            lines.append(say("The search was stopped: stretches that it hadn't reached keep the "
                             "approved design.", lang))  # fmt: skip
        lines.append(say("This is a screening; the flood-impact evaluation by a qualified office "
                         "decides.", lang))  # fmt: skip
        return lines

    def _over_the_band(self, lang: Lang) -> str:
        """What the design rises by with other loss coefficients."""
        least, most = self.band["largest_rise_mm"].min(), self.band["largest_rise_mm"].max()
        if self.band["kept"].all():
            return say("Over the band of local loss coefficients the rise allowed is kept (largest "
                       "rise {} to {} mm).", lang, f"{least:.1f}", f"{most:.1f}")  # fmt: skip
        over = self.band[~self.band["kept"]]
        pairs = [
            f"{a:g}/{b:g}" for a, b in zip(over["contraction"], over["expansion"], strict=True)
        ]
        return say("With other local loss coefficients ({}) the rise allowed is exceeded: largest "
                   "rise {} to {} mm over the band.", lang,
                   say(", ", lang).join(dict.fromkeys(pairs)), f"{least:.1f}",
                   f"{most:.1f}")  # fmt: skip

    def _bend_sentences(self, lang: Lang) -> list[str]:
        """What it costs that the line bends seldom."""
        bends = self.done.search.bends
        if bends is None:
            return []
        now, was = (int(self.certificate[c].sum()) for c in ("close_bends", "close_bends_before"))
        dearer = float(self.certificate["bends_yuan"].sum())
        lines = [bends_said(bends, now, was, dearer, lang)]
        worth = self.bends["saved_yuan"]
        fine = worth > bends.yuan
        if fine.any():
            lines.append(say("In {} places closer bends save houses that a straight line would "
                             "take, worth {} or more in each.", lang, f"{int(fine.sum()):,}",
                             f"{worth[fine].min():,.0f}"))  # fmt: skip
        if not fine.all():
            lines.append(say("In {} places they save less, but straight the level would pass what "
                             "is allowed, or the offsets given leave no such line.", lang,
                             f"{int((~fine).sum()):,}"))  # fmt: skip
        return lines

    def _unsearched_sentences(self, lang: Lang) -> list[str]:
        """Rivers without a node, and why."""
        return [
            say(
                "{}: no node to be searched, the approved design stays ({}).",
                lang,
                one.reach.name,
                _reason_unsearched(one, lang),
            )
            for one in self.done.found
            if not one.stretches and not self.stopped
        ]

    def price_of(self, building_id: object) -> pd.DataFrame:
        """See `what_would_save`."""
        empty = pd.DataFrame(columns=[*PRICE, "largest_rise_mm"])
        now, rise = self._rivers_sparing(building_id)
        if not now:
            return empty
        # both without the rule on bends, so that the price is the building's alone; one that just
        # this rule takes is compared with the line that is drawn
        first = [f.as_searched() for f in self.done.found]
        taken = (f.reach.ids[taken_by(f.reach, f.chosen())] for f in first)
        if not any((ids == building_id).any() for ids in taken):
            first = self.done.found
        price = [
            sum(f.solution.cost for f in now) - sum(f.solution.cost for f in first),
            *_buildings_exchanged(first, now),
        ]
        rows = []
        for was, other in zip(first, now, strict=True):
            move = was.reach.options.move()
            chainage = was.reach.river.stations["chainage_m"].to_numpy()
            moved = move[other.chosen()] - move[was.chosen()]
            rows += [
                [*row, *price, _largest_rise(rise, next(iter(self.allowed)))]
                for row in stretches(was.reach.name, chainage, moved)
            ]
        return pd.DataFrame(rows, columns=empty.columns)

    def widths_for(self, building_id: object) -> pd.DataFrame:
        """See `widths_that_save`."""
        now, _ = self._rivers_sparing(building_id)
        if not now:
            return self.widths.iloc[:0]
        lines = lay_out(self.done.search.rivers)
        tables = [_width_table(lines, self.done.search.widths, f.reach, f.chosen()) for f in now]
        return pd.concat(tables, ignore_index=True)

    def _rivers_sparing(self, building_id: object) -> tuple[list[_SearchedRiver], pd.DataFrame]:
        """All rivers, the building's system searched again so that it stays, and their rise.

        Empty: no design within the limits and the rise allowed spares it.
        """
        still_taken(self.buildings, building_id)
        one = next(f for f in self.done.found if (f.reach.ids == building_id).any())
        number = int(np.flatnonzero(one.reach.ids == building_id)[0])
        system = next(part for part in self.done.systems if one.reach.name in part)
        found = {f.reach.name: f for f in self.done.found}
        others = self.done.search.system(
            system,
            {name: f.reach for name, f in found.items()},
            {name: [(s.first, s.last) for s in f.stretches] for name, f in found.items()},
            self.done.before,
            spare=(one.reach.name, number),
        )
        if not any(f.stretches for f in others):  # no design spares it
            return [], self.rise
        instead = {f.reach.name: f for f in others}
        now = [instead.get(f.reach.name, f.as_searched()) for f in self.done.found]
        made = {f.reach.name: as_tables(f.reach.river, halves_of(f.reach, f.chosen())) for f in now}
        rise = self.done.search.check(self.done.before, _joined_tables(made))
        # a river that joins it may not bear that
        return now if _kept(rise, self.allowed) else [], rise


@dataclass(frozen=True, slots=True)
class _SearchedRiver:
    """One river as it was searched."""

    reach: Reach
    stretches: list[Stretch]
    solution: ChainSolution
    bound: float  # what it costs at least, beside what the rivers cost that it joins or that join
    proven: bool = False  # whether that holds for all of these together
    searched: ChainSolution | None = None  # before bends were taken out

    def as_searched(self) -> _SearchedRiver:
        """With the line as it was found."""
        return self if self.searched is None else replace(self, solution=self.searched)

    def close_bends(self, bends: Bends) -> int:
        """How many bends of both banks follow another too closely."""
        move = self.reach.options.move()[self.chosen()]
        return sum(bends.close(own, self.reach.measure) for own in move)

    def chosen(self) -> Array:
        """Option of each bank at each station (2, stations)."""
        found = np.full((2, len(self.reach.measure)), self.reach.options.base)
        for one, options in zip(self.stretches, self.solution.options, strict=True):
            found[:, one.first : one.last + 1] = options
        return found

    def works(self) -> float:
        """What its works cost."""
        return sum(
            design_works(one.problem, options)
            for one, options in zip(self.stretches, self.solution.options, strict=True)
        )


class _SearchRecord(NamedTuple):
    """How a design was found, for what is asked of it later."""

    search: _Search
    given: tuple[pd.DataFrame, pd.DataFrame | None]
    before: pd.DataFrame
    found: list[_SearchedRiver]
    systems: list[list[str]]  # rivers that join, together


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
    allowed less 0.02 mm. Rivers that join share the level where they meet: they are searched
    together, by branching on it, and what is proven is proven of all of them.

    With ``bend_every_m`` the optimum is then drawn with fewer bends: bank by bank the cheapest line
    with a price on closer bends, wherever the whole river still keeps what is allowed. That isn't
    proven to be the best such line; what it costs more than the bound of all lines is its gap.

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
    tell = progress or (lambda _: None)
    rises = allowed_mm.values() if isinstance(allowed_mm, Mapping) else [allowed_mm]
    if not all(rise >= 0 for rise in rises):
        raise LayerError(
            f"allowed_mm is {allowed_mm!r}", layer="limits", hint="a rise in mm, 0 or more"
        )
    given = read_limits(limits, priced=rates is not None)
    require_layer(rivers, "rivers")
    require_layer(buildings, "buildings", crs=rivers.crs, valid=False)
    require_polygons(buildings, "buildings")
    widths = width_rows(widths, lay_out(rivers))
    require_columns(widths, ("river", "chainage_m", "left_m", "right_m"), "widths")
    near = within_reach(buildings, red_line(rivers, widths), given)
    require_valid(buildings, "buildings", near=near)
    search = _Search(
        rivers, widths, buildings, rates, locks, given, flows, downstream,
        {"contraction": contraction, "expansion": expansion}, allowed_mm, freeboard_m,
        _option_menu(given, walls), node_stations,
        bend_rule(bend_every_m, bend_yuan, priced=rates is not None), structures, structure_parts,
        seconds, tell,
    )  # fmt: skip
    return search.run(sections, banks)


def _option_menu(limits: Mapping[str, float], walls: pd.DataFrame | None) -> Options:
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
    allowed_mm: float | Mapping[str, float]
    freeboard_m: float | None
    options: Options
    node_stations: int
    bends: Bends | None
    structures: pd.DataFrame | None
    structure_parts: pd.DataFrame | None
    seconds: float | None
    tell: Progress
    stopped: bool = False
    deadline: float = np.inf
    allowed: dict[str, float] = field(default_factory=dict)  # by flood

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
        laid = with_structures(
            lay_sections(sections, banks=banks, rivers=self.rivers),
            self.structures, self.structure_parts, river_scales(self.rivers),
        )  # fmt: skip
        before = self.profile(sections, banks)
        self.allowed = allowed_by_flood(self.allowed_mm, before)
        edges = boundary_table(self.downstream, "downstream")
        _check_confluences(before, edges, lines)
        self.deadline = np.inf if self.seconds is None else time.monotonic() + self.seconds
        reaches = {
            name: self.reach(name, surveyed[name], lines, laid, before)
            for name in joined_last(laid.stations, edges)
        }
        where = {name: extents(reach, self.limits) for name, reach in reaches.items()}
        systems = _river_systems(list(reaches), edges)
        found: dict[str, _SearchedRiver] = {}
        for names in systems:
            found |= {f.reach.name: f for f in self.system(names, reaches, where, before)}
        rivers = [found[name] for name in reaches]
        made = {
            f.reach.name: as_tables(f.reach.river, halves_of(f.reach, f.chosen())) for f in rivers
        }
        done = _SearchRecord(self, (sections, banks), before, rivers, systems)
        return self.result(lines, _joined_tables({name: made[name] for name in surveyed}), done)

    def again(self, allowed_mm: float, works_weight: float) -> _Search:
        """The same search with another rise of the first flood and other prices of works."""
        prices = {k: v * works_weight for k, v in self.limits.items() if "_yuan_" in k}
        walls = [
            None if w is None else w._replace(wall_yuan_m=w.wall_yuan_m * works_weight)
            for w in self.options.walls
        ]
        return replace(
            self,
            allowed_mm=self.allowed | {next(iter(self.allowed)): allowed_mm},
            limits=dict(self.limits) | prices,
            options=self.options._replace(walls=walls),
            stopped=False,
        )

    def check(self, before: pd.DataFrame, made: _Tables) -> pd.DataFrame:
        """Rise and freeboard of a whole design, its flood computed anew."""
        sections, banks = made
        after = self.profile(sections, banks)
        top = freeboard(after, sections, banks=banks, rivers=self.rivers)
        return rise_table(before, after).assign(
            **{c: top[c] for c in ("freeboard_left_m", "freeboard_right_m")}
        )

    def result(self, lines: Centrelines, made: _Tables, done: _SearchRecord) -> WithinRise:
        """The design drawn, counted and checked."""
        sections, banks = made
        table, searched = (
            pd.concat([_width_table(lines, self.widths, f.reach, f.chosen()) for f in found],
                      ignore_index=True)
            for found in (done.found, [f.as_searched() for f in done.found])
        )  # fmt: skip
        drawn = {
            APPROVED: red_line(self.rivers, self.widths),
            WITHIN: red_line(self.rivers, table),
        }
        comparison = compare(drawn, self.buildings, self.rivers, rates=self.rates)
        states = [
            building_states(
                f.reach.name, f.reach.ids, f.reach.touch, f.reach.cost,
                f.reach.river.stations["chainage_m"].to_numpy(),
                taken_by(f.reach, f.chosen()), comparison,
            )
            for f in done.found
        ]  # fmt: skip
        return WithinRise(
            table,
            pd.DataFrame(
                [_certificate_row(f, self.bends) for f in done.found], columns=_RIVER_COLUMNS
            ),
            _node_table(done.found, self.node_stations),
            pd.concat(states),
            self.check(done.before, (sections, banks)),
            sections,
            banks,
            comparison,
            next(iter(self.allowed.values())),
            searched,
            self.band(sections, banks, done),
            self.stopped,
            done,
        )

    def band(
        self, sections: pd.DataFrame, banks: pd.DataFrame, done: _SearchRecord
    ) -> pd.DataFrame:
        """Largest rise of each flood by other coefficients of local losses."""
        rows = []
        for contraction, expansion in LOSSES:
            losses = {"contraction": contraction, "expansion": expansion}
            before, after = (
                self.profile(*one, losses=losses) for one in (done.given, (sections, banks))
            )
            rise = rise_table(before, after)
            for name, most in self.allowed.items():
                largest = _largest_rise(rise, name)
                kept = largest <= most + 1e-3
                rows.append([contraction, expansion, name, largest, most, kept])
        columns = ["contraction", "expansion", "profile", "largest_rise_mm", "allowed_mm", "kept"]
        return pd.DataFrame(rows, columns=columns)

    def profile(
        self,
        sections: pd.DataFrame,
        banks: pd.DataFrame | None,
        *,
        losses: Mapping[str, float] | None = None,
    ) -> pd.DataFrame:
        """Water profile of the whole river."""
        return water_profile(
            sections, self.flows, self.downstream, banks=banks, rivers=self.rivers,
            structures=self.structures, structure_parts=self.structure_parts,
            **(self.losses if losses is None else losses),
        )  # fmt: skip

    def reach(
        self, name: str, river: River, lines: Centrelines, laid: Laid, before: pd.DataFrame
    ) -> Reach:
        """One river: its options with their prices, its buildings, its base flow."""
        code = lines.names.index(name)
        approved = Approved.of(lines, code, self.widths)
        rows = np.flatnonzero((laid.stations["river"] == name).to_numpy())
        measure = laid.stations["measure"].to_numpy()[rows]
        require_room(measure, self.limits, name)
        base = approved.base(measure)
        clear = max(self.limits["clear_m"], CLEAR_M)
        touch = touches(
            self.buildings, lines, code, approved, measure, self.options.moves, clear,
            taper=self.limits["taper"],
        )  # fmt: skip
        flows = discharges(self.flows, laid.stations, self.rivers)
        floods, levels, most, calm = [], [], [], np.ones(len(rows), bool)
        for k, (flood, allowed_mm) in enumerate(self.allowed.items()):
            flow = flows[flood][rows]
            model = laid.model(rows[:, None], flow[:, None], profiles=(flood,), **self.losses)
            own = _flood(before, name, flood)
            level = own["level_m"].to_numpy()
            state = model.state(rows, flow, level)
            parts = flow[:, None] * state.share
            parts = parts[:-1] + parts[1:]
            length = (parts * model.lengths[rows[:-1]]).sum(axis=1) / parts.sum(axis=1)
            critical = own["doubts"].str.contains("critical_default|unbalanced", regex=True)
            calm &= (state.grows > LEAST_GROWTH) & ~critical.to_numpy(bool)
            high = np.maximum(level + allowed_mm / 1000 - RESERVE_M, level + EXCESS_M)
            if self.freeboard_m is not None and k == 0:
                top = np.minimum(river.top(0), river.top(1))
                high = np.maximum(np.minimum(high, top - self.freeboard_m), level + EXCESS_M)
            floods.append(Base(flood, model, np.append(length, 0.0)))
            levels.append(level)
            most.append(high)
        return Reach(
            name, river, self.buildings.index[touch.ids].to_numpy(), measure, base, touch,
            costs(self.buildings.iloc[touch.ids], self.rates),
            self.options, self.works(name, lines.scales[code], measure, approved),
            tuple(floods), np.stack(levels), np.stack(most), calm,
            tuple(np.flatnonzero(np.isin(rows, list(laid.crossings))).tolist()),
        )  # fmt: skip

    def works(self, name: str, scale: ChainageScale, measure: Array, approved: Approved) -> Array:
        """Price of each option at each station (2, stations, options); infinite: not allowed."""
        options = self.options
        wall = np.array([0.0 if w is None else w.wall_yuan_m for w in options.walls])
        price = prices(
            approved.base(measure), measure, options.move(), options.base, self.limits,
            locked(self.locks, name, measure, scale), wall_yuan_m=wall[options.wall()],
        )  # fmt: skip
        still = np.arange(options.many) == options.base
        outside = (measure < approved.at[0] - 1e-6) | (measure > approved.at[-1] + 1e-6)
        price[:, outside] = np.where(still, price[:, outside], np.inf)
        shut = ~np.isfinite(price[:, :, options.base]).all(axis=0)
        if shut.any():
            raise OptimiseError(
                f"{name}: locks forbid the approved line, with which nodes begin and end, at",
                ids=[format_chainage(c) for c in scale.chainage(measure[shut])],
                hint="move the approved line there first: change its width table",
            )
        return price

    def system(
        self,
        names: list[str],
        reaches: Mapping[str, Reach],
        where: Mapping[str, list[tuple[int, int]]],
        before: pd.DataFrame,
        *,
        spare: tuple[str, int] | None = None,
    ) -> list[_SearchedRiver]:
        """Rivers that join, the one at the mouth first, searched together on given stretches.

        ``spare`` is a river and the number of a building there that must be spared.
        """
        still = [_SearchedRiver(reaches[name], [], ChainSolution.none(), 0.0) for name in names]
        if self.stopped or time.monotonic() > self.deadline:
            self.stopped = True
            return still
        self.tell(f"searching {'、'.join(names)}")
        start = np.array(
            [_flood(before, names[0], name)["level_m"].iloc[-1] for name in self.allowed], float
        )
        mine, found = {name: reaches[name] for name in names}, still
        basin: Basin | None = None
        while True:
            try:
                basin = basin or self.basin(names[0], mine, where, (start, start), spare)
                solution = basin.solve(start)
            except KeyboardInterrupt:
                self.stopped = True
                return found
            if time.monotonic() > self.deadline:
                self.stopped = True
            if solution is None:  # not even the approved line: the menu's tables are too coarse
                return found
            # what is left to prove stands at the river at the mouth
            gap = max(solution.cost - solution.bound, 0.0)
            rivers = [(name, solution.rivers[name]) for name in names]
            found = [
                _SearchedRiver(
                    mine[name], one.chain.stretches, one.solution,
                    one.solution.cost - (gap if name == names[0] else 0.0), gap <= SAME_COST,
                )
                for name, one in rivers
            ]  # fmt: skip
            # a price compares designs that are paid for by one rule
            if self.stopped or spare is not None:
                return found
            drawn = {f.reach.name: self.as_drawn(f) for f in found}
            better = {
                name: replace(mine[name], touch=touch)
                for name, touch in drawn.items()
                if touch is not None
            }
            if not better:
                return self.smoothed(basin, solution, found)
            basin.retouch(better)
            mine |= better

    def smoothed(
        self, basin: Basin, solution: BasinSolution, found: list[_SearchedRiver]
    ) -> list[_SearchedRiver]:
        """Rivers searched together, with fewer bends where that is the rule."""
        if self.bends is None:
            return found
        made = smoothed_rivers(basin, solution, self.bends)
        return [
            replace(
                f, solution=made[f.reach.name], searched=f.solution,
                proven=f.proven and made[f.reach.name].cost - f.solution.cost <= SAME_COST,
            )
            for f in found
        ]  # fmt: skip

    def as_drawn(self, found: _SearchedRiver) -> Touches | None:
        """Touches that count as drawn what the line found clears; None: nothing is paid for so."""
        reach, chosen = found.reach, found.chosen()
        paid = taken_by(reach, chosen) & (reach.cost > 0)
        table = _width_table(lay_out(self.rivers.loc[[reach.name]]), self.widths, reach, chosen)
        line = red_line(self.rivers.loc[[reach.name]], table).geometry.to_numpy()
        return counted_as_drawn(
            reach.touch, chosen // len(reach.options.walls), paid,
            self.buildings.geometry.to_numpy(), line, self.limits["clear_m"],
        )  # fmt: skip

    def basin(
        self,
        name: str,
        reaches: Mapping[str, Reach],
        where: Mapping[str, list[tuple[int, int]]],
        mouth: tuple[Array, Array],
        spare: tuple[str, int] | None,
    ) -> Basin:
        """A river for levels at its mouth from one to another, and what joins it."""
        reach = reaches[name]
        number = spare[1] if spare is not None and spare[0] == name else None
        made = Basin(reach, where[name], self.limits, *mouth, number, self.deadline)
        edges, scale = (
            boundary_table(self.downstream, "downstream"),
            river_scales(self.rivers)[name],
        )
        for other in reaches:
            at = _joins_at(other, name, edges)
            if at is None:
                continue
            measure = float(scale.measure([at], beyond=True)[0])
            below = int(np.clip(np.searchsorted(reach.measure, measure), 1, len(reach.measure) - 1))
            way = reach.measure[below - 1 : below + 1]
            inflow = Inflow(made, below, float((measure - way[0]) / (way[1] - way[0])))
            levels = [inflow.level(v) for v in (made.chain().lows, reach.most)]
            inner = self.basin(other, reaches, where, (levels[0] - EXCESS_M, levels[1]), spare)
            made.inflows.append(inflow._replace(basin=inner))
        return made


_Tables = tuple[pd.DataFrame, pd.DataFrame]


def _joined_tables(made: Mapping[str, _Tables]) -> _Tables:
    """Sections and banks of all rivers."""
    points, banks = zip(*made.values(), strict=True)
    return pd.concat(points, ignore_index=True), pd.concat(banks, ignore_index=True)


def _first_flood(profile: pd.DataFrame, river: str) -> pd.DataFrame:
    """The design flood on one river, upstream first."""
    return _flood(profile, river, str(profile["profile"].iloc[0]))


def _flood(profile: pd.DataFrame, river: str, flood: str) -> pd.DataFrame:
    """One flood on one river, upstream first."""
    rows: pd.DataFrame = profile[(profile["profile"] == flood) & (profile["river"] == river)]
    return rows


def allowed_by_flood(
    allowed_mm: float | Mapping[str, float], profile: pd.DataFrame
) -> dict[str, float]:
    """Rise allowed [mm] by the name of the flood, in the order of the flows."""
    names = [str(name) for name in profile["profile"].unique()]
    if not isinstance(allowed_mm, Mapping):
        return {names[0]: float(allowed_mm)}
    unknown = [name for name in allowed_mm if str(name) not in names]
    if unknown or not allowed_mm:
        given = str(unknown[0]) if unknown else ""
        raise LayerError(
            f"allowed_mm names {given!r}, which flows doesn't hold", layer="limits",
            hint=nearest(given, names),
        )  # fmt: skip
    return {name: float(allowed_mm[name]) for name in names if name in allowed_mm}


def _check_confluences(before: pd.DataFrame, edges: pd.DataFrame, lines: Centrelines) -> None:
    """A river can't bring more than the one it joins carries on."""
    if "joins" not in edges:
        return
    for row in edges[edges["boundary"] == "river"].to_dict("records"):
        own, main = (_first_flood(before, row[c]) for c in ("river", "joins"))
        if own.empty or main.empty:
            continue
        scale = lines.scales[lines.names.index(str(row["joins"]))]
        at = scale.measure(main["chainage_m"].to_numpy(float), twice="order", beyond=True)
        gap = np.abs(at - scale.measure(float(row["joins_at_m"]), beyond=True))
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


def _width_table(
    lines: Centrelines, widths: pd.DataFrame, reach: Reach, chosen: Array
) -> pd.DataFrame:
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


def _joins_at(river: str, main: str, edges: pd.DataFrame) -> float | None:
    """Where a river joins another one; None: it doesn't."""
    if "joins" not in edges or "river" not in edges:
        return None
    rows = edges[
        (edges["boundary"] == "river") & (edges["river"] == river) & (edges["joins"] == main)
    ]
    return float(rows["joins_at_m"].iloc[0]) if len(rows) else None


def _river_systems(rivers: list[str], edges: pd.DataFrame) -> list[list[str]]:
    """Rivers that join, together, each after the one it joins."""
    found: list[list[str]] = []
    for river in rivers:
        into = [m for m in rivers if _joins_at(river, m, edges) is not None]
        own = next((names for names in found if into and into[0] in names), None)
        if own is None:
            found.append([river])
        else:
            own.append(river)
    return found


def _buildings_exchanged(before: list[_SearchedRiver], after: list[_SearchedRiver]) -> list[Any]:
    """How many buildings of all rivers are spared and lost, and which."""
    found: list[Any] = [0, 0, [], []]
    for was, now in zip(before, after, strict=True):
        taken = [taken_by(was.reach, one.chosen()) for one in (was, now)]
        found = [a + b for a, b in zip(found, exchanged(was.reach.ids, *taken), strict=True)]
    return found


def _certificate_row(found: _SearchedRiver, bends: Bends | None) -> list[Any]:
    """One river's proof."""
    solution = found.solution
    before = sum(one.before for one in found.stretches)
    moved = bool((found.chosen() != found.reach.options.base).any())
    proof = "optimal" if found.proven else ("feasible" if moved else "base")
    return [
        found.reach.name, len(found.stretches), int(found.reach.touch.between.sum()), before,
        solution.cost, found.bound, solution.cost - found.bound, proof,
        *[pd.NA if bends is None else f.close_bends(bends) for f in (found, found.as_searched())],
        solution.cost - found.as_searched().solution.cost,
    ]  # fmt: skip


def _node_table(found: list[_SearchedRiver], most: int) -> pd.DataFrame:
    """One row a stretch, or several where it is longer than a row may be."""
    rows: list[list[Any]] = []
    for one in found:
        proven = one.proven
        for k, stretch in enumerate(one.stretches):
            gap = one.solution.gaps[k]
            for part in _node_rows(stretch, one.solution.options[k], most):
                proof = "river" if proven else ("feasible" if part.changed else "base")
                rows.append([
                    f"Y{len(rows) + 1:03d}", one.reach.name, one.reach.chainage(part.first),
                    one.reach.chainage(part.last), part.last - part.first + 1, part.n_buildings,
                    part.before, part.total, max(part.total - gap, 0.0),
                    min(gap, part.total), proof,
                ])  # fmt: skip
    return pd.DataFrame(rows, columns=_COLUMNS)


class _NodeRow(NamedTuple):
    """One row of the table of nodes: stations, buildings, and what it cost and costs."""

    first: int
    last: int
    n_buildings: int
    before: float
    total: float
    changed: bool


def _node_rows(stretch: Stretch, options: Array, most: int) -> list[_NodeRow]:
    """A stretch in rows of at most so many stations.

    A building counts where it stands first, seen from upstream; a change of offset between two
    rows counts in the upper one.
    """
    problem, n = stretch.problem, options.shape[1]
    base = np.full_like(options, stretch.base)
    stand = beside(problem)
    begins = np.where(stand.any(axis=1), stand.argmax(axis=1), -1)
    held = problem.cost @ stand
    cuts = [0]
    while n - cuts[-1] > most:
        low = cuts[-1] + max(most // 2, 1)
        cuts.append(low + int(np.argmin(held[low : cuts[-1] + most])))
    found = []
    for first, stop in zip(cuts, [*cuts[1:], n], strict=True):
        mine = (begins >= first) & (begins < stop)
        before, total = (
            works_within(problem, one, first, stop)
            + float(problem.cost[mine & touched_by(problem, one)].sum())
            for one in (base, options)
        )
        changed = bool((options[:, first:stop] != stretch.base).any())
        last = stretch.first + min(stop, n - 1)
        found.append(_NodeRow(stretch.first + first, last, int(mine.sum()), before, total, changed))
    return found


def _reason_unsearched(one: _SearchedRiver, lang: Lang) -> str:
    """Why a river holds no node that could be searched."""
    reach = one.reach
    if not len(reach.cost):
        return say("no building where the line may lie", lang)
    hit = reach.as_approved()
    if not hit.any():
        return say("the approved line takes no building", lang)
    top = np.minimum(reach.river.top(0), reach.river.top(1))
    at = np.unique(reach.touch.gaps.gap[hit])
    reasons = []
    fast = say("the water is too fast, not clearly subcritical", lang)
    over = say("the level is above the banks", lang)
    for word, mask in ((fast, ~reach.calm), (over, reach.level[0] > top)):
        places = [format_chainage(reach.chainage(k)) for k in at[mask[at]][:3].tolist()]
        if places:
            listed = say(", ", lang).join(places)
            listed = say("{} and elsewhere", lang, listed) if mask[at].sum() > 3 else listed
            reasons.append(f"{word}{say(': ', lang)}{listed}")
    none = say("the reach is too short or its sections too sparse for any offset", lang)
    return say("; ", lang).join(reasons) or none


def _proof_sentences(certificate: pd.DataFrame, lang: Lang) -> list[str]:
    """What is proven, and of what."""
    searched = certificate[certificate["n_nodes"] > 0]
    lines = []
    proven = searched[searched["proof"] == "optimal"]
    if len(proven):
        lines.append(
            say(
                "{}: the design is proven the best of the whole river (of the offsets and walls "
                "given, all nodes sharing the rise allowed).",
                lang,
                say(", ", lang).join(proven["river"].astype(str)),
            )
        )
        between = int(proven["decided_between"].sum())
        if between:
            lines.append(
                say("{} buildings are passed so closely by some lines of the menu that the slant "
                    "of the line decides; there they count as taken.", lang, f"{between:,}")
            )  # fmt: skip
    for row in each_row(searched[searched["proof"] != "optimal"]):
        lines.append(
            say(
                "{}: the design is feasible and not proven the best of the river; it costs at "
                "most {} ({}) more than the bound.",
                lang,
                row.river,
                f"{row.gap_yuan:,.0f}",
                f"{row.gap_yuan / max(row.total_yuan, 1e-9):.1%}",
            )
        )
    return lines


def _largest_rise(rise: pd.DataFrame, flood: str) -> float:
    """Largest rise of a flood [mm]."""
    return float(rise.loc[rise["profile"] == flood, "rise_mm"].max())


def _kept(rise: pd.DataFrame, allowed: Mapping[str, float]) -> bool:
    """Whether every flood that has an allowed rise keeps it."""
    return all(_largest_rise(rise, name) <= most + 1e-3 for name, most in allowed.items())
