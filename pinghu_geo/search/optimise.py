"""Which design demolishes least? Offsets of the red line for a whole river, with proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.obstruction import Progress
from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import (
    Lang,
    require_columns,
    require_layer,
    require_polygons,
    require_valid,
)
from pinghu_geo.nouns.tables import groups_of
from pinghu_geo.redline.lines import Widths, red_line, width_rows
from pinghu_geo.river.centreline import lay_out
from pinghu_geo.schemes.alternatives import Comparison, compare
from pinghu_geo.search.amounts import UNTOLD, amount_said, amounts, in_own_unit, is_priced
from pinghu_geo.search.fates import (
    APPROVED,
    FOUND,
    building_states,
    n_shared,
    one_line_said,
    proof_in_short,
    searched_against,
    shared_said,
)
from pinghu_geo.search.jogs import Bends, bend_rule, bends_said
from pinghu_geo.search.localline import LocalLine
from pinghu_geo.search.localriver import LocalRiver, LocalRules, Surveyed, no_line_error
from pinghu_geo.search.mincut import LocalProblem
from pinghu_geo.search.offsets import read_limits, say_estimated, within_reach
from pinghu_geo.search.sparing import PRICE, exchanged, moved_stretches, still_taken

__all__ = ["LeastDemolition", "least_demolition"]


@dataclass(frozen=True, slots=True)
class LeastDemolition(Result):
    """The line that demolishes least under the local rule, and why 最少拆迁方案.

    Attributes
    ----------
    widths
        The line as an ordinary width table: to be edited, drawn (`red_line`), compared.
    certificate
        One row a river (without rates all sums are m² of floor area: total_floor_area_m2 instead of
        total_yuan, and so on in all tables): stations, offsets tried, buildings within reach, and
        decided_between, how many of them no threshold at a single station decides exactly;
        total_yuan of the line as drawn, bound_yuan that no other line beats by these thresholds,
        gap_yuan (0: proven), and
        drawn_bound_yuan, that no line drawn over the same stations beats at all (the total where
        decided_between is 0); and of which the total consists: works_yuan, counted_yuan for
        buildings that the line as drawn takes, near_yuan for those that it comes closer to than
        clear_m. What the line as drawn clears is not paid for. close_bends of both banks within
        bend_every_m of the one before, close_bends_before of the line as searched (both NA without
        that rule), and bends_yuan, what the line costs more for the rule: bounds are of lines
        without it, by the offsets given at every station. proof {optimal: as drawn;
        optimal_at_sections: by what is decided there; optimal_before_bends; feasible; one_line:
        there is no other}. n_shared, how many buildings other rivers' lines reach, too: each river
        pays for them by itself.
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
    NOUN: ClassVar = "search"

    widths: pd.DataFrame
    certificate: pd.DataFrame
    buildings: pd.DataFrame
    comparison: Comparison
    searched: pd.DataFrame
    bends: Bends | None = field(repr=False)
    lines: dict[str, LocalLine] = field(repr=False)

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """What a mayor needs to know, in a few sentences."""
        proof, priced = self.certificate, is_priced(self.certificate)
        lines = searched_against(self.comparison, lang)
        for code, part in proof.groupby("proof", sort=False):
            rivers = say(", ", lang).join(part["river"].astype(str))
            if code == "one_line":
                lines.append(one_line_said(rivers, lang))
                continue
            lines.append(
                say("{}: the line by offsets is {}: {} sections, {} buildings within reach.", lang,
                    rivers, _proof_word(str(code), part, lang),
                    f"{int(part['n_stations'].sum()):,}", f"{int(part['n_buildings'].sum()):,}")
            )  # fmt: skip
        between = int(proof["decided_between"].sum())
        if between:
            found = sum(one.solution.cost for one in self.lines.values())
            least = found - float(amounts(proof, "drawn_bound").sum())
            lines.append(
                say("The corners of {} buildings lie on no section: they are decided between two, "
                    "on the safe side; no line drawn on these sections saves more than {} besides.",
                    lang, f"{between:,}", amount_said(least, lang, priced=priced))
            )  # fmt: skip
        if self.bends is not None and proof["close_bends_before"].sum():
            lines.append(bends_said(self.bends, proof, lang))
        lines += shared_said(self.buildings, lang)
        lines.append(say("A screening by local rules alone: the level of the whole river has to be "
                         "computed, and the flood-impact evaluation decides.", lang))  # fmt: skip
        return lines

    def proof_in_short(self, *, lang: Lang = "zh") -> str:
        """What is proven of which rivers, in one line for a map or a board."""
        return proof_in_short(self.certificate, lang)

    def price_of(self, building_id: object) -> pd.DataFrame:
        """See `what_would_save`."""
        rows: list[list[Any]] = []
        for name, new in self._lines_sparing(building_id).items():
            if new is None:
                rows = []
                break
            one = self.lines[name]
            river = one.river
            # without the rule on bends, so that the price is the building's alone; one that just
            # this rule takes is compared with the line that is drawn
            number = int(np.flatnonzero(river.ids == building_id)[0])
            was = one.as_searched() if one.solution.touched[number] else one
            price = [
                new.cost - was.cost,
                *exchanged(river.ids, was.touched, new.touched),
                float(river.ratio(new.solution.levels).min()),
            ]
            moved = new.moves - was.moves
            rows += [[*row, *price] for row in moved_stretches(name, river.grid.chainage, moved)]
        table = pd.DataFrame(rows, columns=[*PRICE, "least_ratio"])
        return in_own_unit(table, priced=is_priced(self.certificate))

    def widths_for(self, building_id: object) -> pd.DataFrame:
        """See `widths_that_save`."""
        new = self._lines_sparing(building_id)
        if any(one is None for one in new.values()):
            return self.widths.iloc[:0]
        lines = self.lines | {name: one for name, one in new.items() if one is not None}
        # as searched, as what they cost is
        tables = [one.as_searched().widths() for one in lines.values()]
        return pd.concat(tables, ignore_index=True)

    def _lines_sparing(self, building_id: object) -> dict[str, LocalLine | None]:
        """Lines that spare a building, of the rivers beside it; None: there is no such line."""
        rivers = still_taken(self.buildings, building_id)["river"]
        found = {name: self.lines[name] for name in rivers}
        return {
            name: one.sparing(int(np.flatnonzero(one.river.ids == building_id)[0]))
            for name, one in found.items()
        }


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
        Table for `compensation`; without it, what counts is square metres of floor area, in which
        the prices of ``limits`` are then, too.
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
    >>> float(best.certificate["gap_floor_area_m2"].sum())
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
    near = within_reach(buildings, approved, given)
    require_valid(buildings, "buildings", near=near)
    say_estimated(buildings.iloc[near])
    surveyed = Surveyed.of(sections, banks, profile, walls, rivers, given)
    rules = LocalRules(given, rates, locks, stations, surveyed)
    found: dict[str, LocalLine] = {}
    for code, name in enumerate(lines.names):
        tell(f"searching the line {name}")
        river = LocalRiver.of(rules, rivers, lines, code, widths, buildings)
        best = LocalLine.best(river)
        if best is None:
            raise no_line_error(river)
        found[name] = best if bends is None else best.less_bent(bends)
    searched, table = (
        pd.concat([one.widths() for one in drawn], ignore_index=True)
        for drawn in ([one.as_searched() for one in found.values()], found.values())
    )
    both = compare(
        {APPROVED: approved, FOUND: red_line(rivers, table)}, buildings, rivers, rates=rates
    )
    states = [_states_with_hindrance(one, both) for one in found.values()]
    proof = [
        _certificate_row(one, own, bends) | {"n_shared": shared}
        for one, own, shared in zip(found.values(), states, n_shared(states), strict=True)
    ]
    proven, fate = (
        in_own_unit(one, priced=rates is not None)
        for one in (pd.DataFrame(proof), pd.concat(states))
    )
    return LeastDemolition(table, proven, fate, both, searched, bends, found)


def _certificate_row(one: LocalLine, states: pd.DataFrame, bends: Bends | None) -> dict[str, Any]:
    river, grid = one.river, one.river.grid
    paid = float(river.bare.cost[one.touched].sum())
    lines = [one.moves, one.as_searched().moves]
    now, was = (
        pd.NA if bends is None else int(bends.close(moves, grid.measure).sum()) for moves in lines
    )
    near = float(states.loc[states["state"] == "near", "cost_yuan"].sum())
    return {
        "river": river.name,
        "n_stations": len(grid.measure),
        "n_offsets": river.bare.works.shape[2],
        "n_buildings": len(river.ids),
        "decided_between": int(river.reach.between.sum()),
        "total_yuan": one.cost,
        "bound_yuan": min(one.solution.bound, one.cost),
        "gap_yuan": max(one.cost - one.solution.bound, 0.0),
        "drawn_bound_yuan": min(one.drawn_bound, one.cost),
        "works_yuan": one.cost - paid,
        "counted_yuan": paid - near,
        "near_yuan": near,
        "close_bends": now,
        "close_bends_before": was,
        "bends_yuan": one.cost - one.solution.cost,
        "proof": _proof_code(one),
    }


def _proof_code(one: LocalLine) -> str:
    """What is proven of the line that is drawn."""
    if one.river.reach.fixed:
        return "one_line"
    if one.solution.gap >= UNTOLD:
        return "feasible"
    if one.cost - one.solution.cost >= UNTOLD:
        return "optimal_before_bends"
    return "optimal" if one.solution.cost - one.drawn_bound < UNTOLD else "optimal_at_sections"


def _proof_word(code: str, part: pd.DataFrame, lang: Lang) -> str:
    """What a code of `_proof_code` says of some rivers."""
    if code == "optimal":
        return say("proven optimal as drawn (of the sections, offsets and local rules given)", lang)
    if code == "optimal_at_sections":
        return say("proven optimal as decided at the sections (of the sections, offsets and "
                   "local rules given)", lang)  # fmt: skip
    dearer = float(amounts(part, "bends" if code == "optimal_before_bends" else "gap").sum())
    off = amount_said(dearer, lang, priced=is_priced(part))
    if code == "optimal_before_bends":
        return say("proven optimal before bends were taken out, which costs {} more", lang, off)
    return say("not proven, at most {} more than the bound", lang, off)


def _states_with_hindrance(one: LocalLine, found: Comparison) -> pd.DataFrame:
    """Buildings within reach, what becomes of them, and what keeps the line on them."""
    river, after = one.river, one.touched
    table = building_states(
        river.name, river.ids, river.reach, river.bare.cost, river.grid.chainage, after, found
    )
    drawn = table["state"].isin(["demolished", "added"]).to_numpy()
    return table.assign(hindered_by=_hindrance_codes(one, np.flatnonzero(after & drawn)))


def _hindrance_codes(one: LocalLine, demolished: Array) -> list[str]:
    """What keeps the line on each building that still goes, by the rules at its own stations."""
    p = one.river.problem()
    found = [""] * len(p.cost)
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
            found[who] = "width" if one.river.banks is None else "conveyance"
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
