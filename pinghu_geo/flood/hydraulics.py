"""Does the water still pass? Water profiles from tables of sections, floods and boundaries.

Steady gradually varied flow in one dimension, SI throughout. `sections` and `steady` hold the
arithmetic; this module lays tables out for it, and `profiles` tables of results back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.between import standing_on
from pinghu_geo.flood.boundaries import (
    Boundaries,
    Boundary,
    boundary_table,
    joined_last,
    lowest_sections,
)
from pinghu_geo.flood.crossings import Crossing
from pinghu_geo.flood.junctions import junction_table
from pinghu_geo.flood.partings import doubt_splits, with_apart
from pinghu_geo.flood.profiles import level_tables, profile_tables
from pinghu_geo.flood.sections import ENDLESS_M, Array
from pinghu_geo.flood.steady import (
    BALANCED,
    CRITICAL,
    FRICTION,
    Friction,
    Model,
    Regime,
    critical_level,
    mixed,
    side_by_side,
    subcritical,
    supercritical,
)
from pinghu_geo.flood.structures import with_structures
from pinghu_geo.flood.survey import (
    GRAVITY_MS2,
    Laid,
    Surveyed,
    discharges,
    for_river,
    places,
    runs_of,
    surveyed_sections,
)
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import HydraulicsError, PinghuError
from pinghu_geo.nouns.schema import nearest, one_of
from pinghu_geo.nouns.units import datum_of, require_one_datum
from pinghu_geo.river.centreline import river_scales

__all__ = [
    "ProfileCase",
    "RiverCase",
    "Scenario",
    "profile_case",
    "river_case",
    "scenario_levels",
    "water_profile",
]


# A bed that rises downstream by more than this [m], at so many sections, and between most of them.
UPHILL_M, LEAST_UPHILL, MOSTLY_UPHILL = 1.0, 4, 0.6
# Points of sections that are computed at a time, scheme by scheme: bounds the memory.
POINTS_AT_ONCE = 1_000_000
# the earth's gravity is 9.764 to 9.834 m/s²; 32.2 is in feet
EARTH_MS2 = 9.7, 9.9
# A section in which no water can stand up to this share of its depth is blocked.
BLOCKED_SHARE, LEAST_DEPTH_M, SLIT_M2 = 0.5, 0.05, 1e-3
# Outside of these nothing is measured in metres: n, levels [m], fall of a river.
LEAST_N, MOST_N, LEVELS_M, STEEPEST = 0.008, 0.3, (-450.0, 6000.0), 0.1


@takes()
def water_profile(
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    *,
    upstream: Boundary | None = None,
    banks: pd.DataFrame | None = None,
    obstacles: pd.DataFrame | None = None,
    structures: pd.DataFrame | None = None,
    structure_parts: pd.DataFrame | None = None,
    junctions: pd.DataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    regime: Regime = "subcritical",
    friction: Friction = "average_conveyance",
    contraction: float = 0.1,
    expansion: float = 0.3,
    gravity_ms2: float = GRAVITY_MS2,
) -> pd.DataFrame:
    """Steady water levels by the standard step method 水面线.

    Parameters
    ----------
    sections
        Surveyed points of cross-sections, each from left to right facing downstream: river,
        chainage_m, offset_m [m] (ascending; equal ones are a vertical wall), elevation_m [m], n
        (Manning's roughness of the ground from this point to the next; missing: as before it).
        A column scheme makes each scheme a design of its own; a column left_out says at the
        section above it what stands in the river and is not in these tables, such as a bridge.
        lid_m [m] covers a section (暗涵, pressurised when full) with n_lid; a closed outline whose
        last point is its first is a section too.
    flows
        Discharge [m³/s], or a table: discharge_m3s; river and chainage_m, from where on it
        applies downstream (missing: all); profile, the name of the flood (missing: one flood).
    downstream
        ``{"level_m": 3.2}``, ``{"slope": 0.001}`` (normal depth), ``{"boundary": "critical"}``,
        or a table with a row a river and profile: river, profile (missing: all), and level_m, or
        slope, or boundary; ``joins`` and ``joins_at_m`` for a tributary that takes the level of
        another river at a chainage; boundary ``rating`` with rows of discharge_m3s and level_m.
    upstream
        The same for the upper end; needed by supercritical and mixed profiles.
    banks
        One row a section that needs it: left_bank_m, right_bank_m (offsets where the channel
        ends; missing: all is channel), length_left_m, length_channel_m, length_right_m to the
        next section downstream [m] (missing: difference of chainages), contraction, expansion,
        left_levee_m with left_levee_top_m and the same on the right, left_wall_m and right_wall_m
        (encroachment: a wall that is never overtopped). Of two sections of one chainage
        ``repeated`` {above, below} says which is meant; so in ``obstacles``.
    obstacles
        River, chainage_m, from_offset_m, to_offset_m, top_m (missing: never overtopped), obstacle:
        ``blocked`` (default), ``ineffective`` (water stands still below top_m), ``permanent`` (it
        does so even below higher water).
    structures
        Bridges, culverts, weirs, gates and drops between sections, indexed by structure_id: river,
        chainage_m, kind, and the columns of its kind (see Notes). Several bridge and culvert rows
        between the same sections are openings of one crossing.
    structure_parts
        What a row can't say: structure_id, part {deck, pier, ground, abutment, culvert, gate,
        crest, setting} and its columns (see Notes).
    junctions
        Where rivers meet or part: junction, river, role {in, out}, length_m of the way across for
        each branch, angle_deg to the common direction, method {energy, momentum}, friction, weight.
        A river that flows into one needs no ``downstream``. Where one parts, the discharges of
        its branches are taken as given: of several levels that they ask for the highest counts,
        and whether the water would part so isn't tried.
    rivers
        Centrelines: their chainage_sign and chainage equations say which way sections follow and
        how far apart. Without them chainages grow downstream.
    regime
        ``"subcritical"``, ``"supercritical"`` or ``"mixed"`` (with hydraulic jumps).
    friction
        Friction slope between sections: ``"average_conveyance"`` (HEC-RAS's default),
        ``"average_slope"``, ``"geometric"``, ``"harmonic"``.
    contraction, expansion
        Coefficients of the change of velocity head where ``banks`` has none. 0 and 0 are no
        local losses.
    gravity_ms2
        Acceleration of gravity [m/s²].

    Returns
    -------
    pandas.DataFrame
        One row a scheme, profile and section, upstream first: level_m, energy_m (energy line),
        critical_level_m (where the Froude number is above 0.7 or the critical level was taken),
        velocity_ms, froude (with α), area_m2, wetted_perimeter_m, conveyance_m3s in all and by
        left overbank, channel and right overbank, friction_slope Q²/K², loss_m to the next
        section downstream, regime, doubts (codes joined by commas; see Notes); structure_id of what
        stands below the section, control (how the water passes it: energy, momentum, yarnell,
        wspro, pressure_inlet, pressure_full, inlet, outlet, weir, gate, drop, road; B after it is
        flow of class B) and over_m3s over its road or crest; unsure_m, how far the level (of
        split: the energy) may be off by the doubts that say so, where any does; where a long chain
        (长链) makes chainages of sections occur twice, repeated {above, below}.

    Raises
    ------
    HydraulicsError, LayerError
        Sections, discharges or boundaries that no profile can be computed from, each with its
        river and chainage.

    Notes
    -----
    Energy between sections: z1 + α1V1²/2g = z2 + α2V2²/2g + L·Sf + C times the
    difference of the velocity heads, C being ``contraction`` where the velocity head grows
    downstream. L is weighted by the discharges of the three zones. Where no subcritical level
    balances it, the critical level is
    taken and flagged. Steady, gradually varied, one-dimensional, rigid bed, slope below about
    1:10.

    Bridges: low_chord_m, deck_m, from_offset_m and to_offset_m of the opening, width_m along the
    river, distance_m from the section above, n_piers, pier_width_m, debris_width_m,
    debris_height_m; skew_deg of the road to the section (offsets of deck, abutments and piers are
    then those along the road), pier_skew_deg of the piers to the flow; method (energy, momentum,
    yarnell, wspro joined by +; the highest counts), high_flow (pressure; or energy, of all water,
    over the deck too, which alone counts where it finds the deck in the water), pressure_by
    (energy, level), pressure_chord_m from which on high flow is tried (else the highest low chord),
    pier_drag, yarnell_k, sluice, orifice, weir_coefficient [√m/s], max_submergence. Parts: deck
    (offset_m, low_chord_m, deck_m, side), pier (offset_m, elevation_m, pier_width_m, group, side),
    ground (offset_m, elevation_m, n, side, left_bank_m, right_bank_m: the bridge's own section,
    else that beside it), abutment (offset_m, elevation_m, group, side: solid below this line); side
    is up or down, both where blank. Culverts: shape, span_m, rise_m, barrels, length_m,
    invert_up_m, invert_down_m, n, entrance_loss, exit_loss, chart and scale of HDS-5, deck_m of the
    road; parts culvert for several groups. Weirs and drops: crest_m, crest (broad, ogee, sharp),
    weir_coefficient, design_head_m; parts crest. Gates: n_gates, gate_width_m, gate_height_m,
    sill_m, opening_m, gate_kind (vertical, radial, overflow); parts gate by group, setting
    (profile, group, n_open, opening_m) for openings by flood. Openings of one chainage share the
    discharge so that all have one energy line; where culverts among them say from_offset_m and
    to_offset_m, each has its own part of the sections beside it, between stagnation points that
    limit_left_m and limit_right_m bound (else the openings' edges). Of the supercritical and the
    mixed regime a structure is passed from below, but a bridge of one opening that supercritical
    water can run through (class C, by energy, or by momentum where only that is asked or the energy
    doesn't suffice): there it is computed from above. What blocks the sections beside a bridge
    (houses, walls) stands inside it, too, and on its road, as it does on a crest: the safe side for
    a house that stands before an abutment. Ineffective areas are the approach's alone; above a
    structure they stay idle, even covered, until those below are covered too or water runs over its
    road.

    Doubts; the limits of conveyance, velocity head and energy are those of HEC-RAS's own warnings
    (0.7-1.4, 0.5 ft, 1 ft):

    - critical_default: no level balances the energy, and the critical one is taken
    - unbalanced: the energy can't be balanced, across a jump of the conveyance or of the water.
      Where idle water sets in, the level is that of the jump (the top of the area). HEC-RAS takes
      there the level computed from the trial with the least error, and the critical one, however
      low, where that error is above 0.3 ft
    - carried: computed from an unbalanced level
    - froude: Froude number above 0.9, near critical
    - conveyance_ratio: outside 0.7-1.4 to the next section
    - above_ends: the water stands above the section's end
    - spacing: the velocity head changes by 0.15 m, or 0.3 m is lost, to the next section
    - alpha: above 2, the flow is strongly uneven or nearly divided
    - several_minima: of the energy, so that the critical level is doubtful
    - left_out: here or below, or below in the river that this one joins, stands something that
      isn't computed: the column left_out of ``sections`` says what (see `read_hecras`)
    - pressurised: the water stands against the lid of a covered section. Where a level just below
      the lid would balance, too, this higher one is taken
    - blocked: obstacles or walls close the lower half of the section, and the water passes above
    - tributary: another river joins above, and the discharge doesn't grow there
    - implausible: feet read as metres, or a slip: the section's n is nowhere below 0.3 or somewhere
      below 0.008, a level is outside -450 to 6,000 m, the river falls by more than 1 in 10 on the
      whole, or the mean velocity is above 10 m/s
    - split: the river parts below, or flows into one that does, or is a branch, and by the
      discharges given the branches ask for energies more than 0.02 m apart at the junction: water
      doesn't part so. The branch that asks for more counts; by the one that asks for least the
      level would be unsure_m lower, told as far up as that is more than 0.02 m. `balanced_flows`
      finds the discharges of one energy
    - wspro_assumed: below stands a bridge by WSPRO without wspro_c, and 0.8 is taken; with 0.7 or
      0.95 the level would be up to unsure_m off (rises of houses above it by a seventh or so)
    - formula_step: below stands a bridge near where another formula takes over and the level steps
      by unsure_m, so that with a tenth more or less water (the level below staying, or changing as
      in uniform flow) it may stand as much lower or higher: of Yarnell's equation where the flow
      inside is critical (momentum, class B), of pressure flow where the water below reaches the low
      chord (inlet, full opening), of a road about to be drowned (weir, energy), of low flow where
      the water comes to the deck and high flow goes by energy. Where low flow leads past the low
      chord and energy doesn't, the water stands at it, and unsure_m is how far off the farther of
      both is
    - several_levels: below stands a bridge, passed by energy, in which other levels balance it, too
      (beneath the deck, against it, over it), or hardly more energy has a critical depth at another
      level. The one nearest to the level below is taken; with a little more water the level above
      may be another, and lower

    References
    ----------
    HEC-RAS Hydraulic Reference Manual 6.x, chapters 2 (equations 2-1 to 2-14, mixed flow regime),
    4 (junctions), 5 (bridges), 6 (culverts), 8 (gates and weirs); FHWA HDS-5 (culverts), HDS-1.

    Examples
    --------
    A wide channel 1 km long at its normal depth:

    >>> bed = pd.DataFrame({"river": "示例河", "chainage_m": [0.0, 500.0, 1000.0],
    ...     "bed_level_m": [1.0, 0.5, 0.0], "left_m": 10.0, "right_m": 10.0,
    ...     "bank_level_m": [6.0, 5.5, 5.0], "n": 0.03})
    >>> made = pg.design_sections(bed)
    >>> found = pg.water_profile(made, 50.0, {"slope": 0.001})
    >>> found["depth_m"].round(4).tolist()
    [1.7935, 1.7935, 1.7935]

    With a box culvert under a road between the last two sections:

    >>> crossing = pd.DataFrame({"river": "示例河", "chainage_m": 750.0, "kind": "culvert",
    ...     "shape": "box", "span_m": 6.0, "rise_m": 2.5, "barrels": 2, "length_m": 30.0,
    ...     "invert_up_m": 0.26, "invert_down_m": 0.24, "deck_m": 4.5},
    ...     index=pd.Index(["路涵"], name="structure_id"))
    >>> found = pg.water_profile(made, 50.0, {"slope": 0.001}, structures=crossing)
    >>> found[["structure_id", "control"]].iloc[1].tolist()
    ['路涵', 'outlet']
    """
    _require_known_rivers(sections, structures)
    given: dict[str, Any] = {
        "upstream": upstream, "banks": banks, "obstacles": obstacles, "structures": structures,
        "structure_parts": structure_parts, "junctions": junctions, "rivers": rivers,
        "regime": regime, "friction": friction, "contraction": contraction,
        "expansion": expansion, "gravity_ms2": gravity_ms2,
    }  # fmt: skip
    parts = _some_schemes(sections)
    try:
        found = pd.concat(
            [profile_case(part, flows, downstream, **given).solved() for part in parts],
            ignore_index=True,
        )
    except PinghuError:  # which is to name what is wrong in all schemes
        found = profile_case(sections, flows, downstream, **given).solved()
    return _as_told(found, datum_of(sections))


def _as_told(found: pd.DataFrame, datum: str) -> pd.DataFrame:
    """A profile without columns that say nothing, and with its datum where that is known."""
    silent = [column for column in ("repeated", "unsure_m") if found[column].isna().all()]
    found = found.drop(columns=silent)
    return found.assign(datum=datum) if datum else found


def _refuse_shut_openings(laid: Laid) -> None:
    """Refuse bridges whose openings are closed by what stands beside them."""
    lost = [one.name for one in laid.crossings.values() if isinstance(one, Crossing) and one.shut]
    if lost:
        raise HydraulicsError(
            "has its opening closed by what stands in the sections beside it",
            layer="structures",
            ids=lost,
            hint="obstacles of the sections beside a bridge stand inside it, too: leave room "
            "between them, or give them a top_m",
        )


def _refuse_endless_levels(found: pd.DataFrame) -> None:
    """Refuse structures that pass their water only under a head that no ground holds."""
    if "structure_id" not in found.columns:
        return
    odd = found["structure_id"].notna() & (found["depth_m"] > ENDLESS_M)
    if odd.any():
        raise HydraulicsError(
            f"passes its discharge only if the water above it would stand "
            f"{found['depth_m'][odd].max():.4g} m deep",
            layer="structures",
            ids=found["structure_id"][odd].unique(),
            hint="check its sizes, its coefficients and their units: metres, n about 0.013",
        )


def _some_schemes(sections: pd.DataFrame) -> list[pd.DataFrame]:
    """The sections of some schemes at a time, which bounds the memory; their order is kept."""
    if "scheme" not in sections.columns or len(sections) <= POINTS_AT_ONCE:
        return [sections]
    length, code, _ = runs_of(sections["scheme"])
    size = np.bincount(code, length).astype(int)
    part = ((np.cumsum(size) - size) // POINTS_AT_ONCE)[code]
    starts = np.flatnonzero(np.diff(part, prepend=-1))
    if len(starts) > len(np.unique(part)):
        part = np.repeat(part, length)
        return [sections[part == k] for k in np.unique(part)]
    cuts = [*(np.cumsum(length) - length)[starts].tolist(), len(sections)]
    return [sections.iloc[a:b] for a, b in pairwise(cuts)]  # one after the other: none is copied


def _require_known_rivers(sections: pd.DataFrame, structures: pd.DataFrame | None) -> None:
    """Refuse structures on rivers without sections."""
    if structures is None or "river" not in structures.columns:
        return
    if "river" not in sections.columns:
        return
    known = set(sections["river"].unique())  # of a hundred thousand points a few names
    lost = np.array([river not in known for river in structures["river"]], bool)
    if lost.any():
        first = structures["river"][lost].iloc[0]
        raise HydraulicsError(
            f"stands on {first!r}, which has no sections",
            layer="structures",
            ids=structures.index[lost],
            hint=nearest(str(first), [str(k) for k in known]),
        )


class Scenario(NamedTuple):
    """What is doubtful of a river: coefficients of local losses and a factor on its n.

    None: the river's own coefficients.
    """

    losses: tuple[float, float] | None = None  # contraction, expansion
    n_factor: Any = 1.0  # one number, or one a section
    name: tuple[float, float] | None = None  # the pair that the river's own coefficients are

    def of(self, model: Model) -> Model:
        """A model with these coefficients at all its sections but those inside bridges."""
        if self.losses is None:
            return model
        twins = len(model.twins)
        size = len(model.contraction) - model.inner - twins
        kept = slice(size, size + model.inner)
        contraction, expansion = (
            np.r_[np.full(size, pair), own[kept], np.full(twins, pair)]
            for pair, own in zip(self.losses, (model.contraction, model.expansion), strict=True)
        )
        return replace(model, contraction=contraction, expansion=expansion)


def scenario_levels(
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    scenarios: Sequence[Scenario],
    *,
    near: Sequence[pd.DataFrame] = (),
    **options: Any,
) -> list[pd.DataFrame]:
    """Levels of one river under several scenarios, laid out once.

    One table a scenario: scheme, profile, river, chainage_m, level_m, in one order. ``near`` are
    such tables of a single scheme at the same sections, whose levels are not far off.
    """
    return profile_case(sections, flows, downstream, **options).scenario_levels(scenarios, near)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which floods of rivers are asked for, and how they are computed."""

    q: dict[str, Array]  # by flood, of each section
    edges: Boundaries
    order: list[str]  # of rivers
    regime: Regime
    options: dict[str, Any]
    datum: str


@dataclass(frozen=True, slots=True)
class ProfileCase(_Asked):
    """Tables checked and laid out once, ready to be solved, once or with other losses."""

    laid: Laid
    scenario: Scenario | None = None
    guess: Array | None = None  # levels near which those of all sections may lie

    def profile(self, **losses: float) -> pd.DataFrame:
        """What `water_profile` says, perhaps with another contraction and expansion."""
        case = replace(self, options=self.options | losses) if losses else self
        return _as_told(case.solved(), self.datum)

    def solved(self) -> pd.DataFrame:
        """Profiles of all schemes, rivers and floods."""
        case = self.doubted()
        shut = case.laid.stations["shut"].to_numpy(bool)
        if shut.any():
            raise HydraulicsError(
                "has sections that are closed from bank to bank and never overtopped",
                layer="obstacles" if self.laid.limits else "banks",
                ids=places(case.laid.stations, np.flatnonzero(shut)),
                hint="an obstacle that water can pass has a top_m; walls leave room between them",
            )
        _refuse_shut_openings(case.laid)
        found = _solved([case], profile_tables)[0]
        _refuse_endless_levels(found)
        return found

    def levels(
        self, losses: Sequence[tuple[float, float]], near: pd.DataFrame
    ) -> list[pd.DataFrame]:
        """Levels alone, by other contractions and expansions at all sections outside bridges.

        ``near`` is its profile, whose levels are not far off.
        """
        guess = near["level_m"].to_numpy().reshape(len(self.q), -1).T
        cases = [replace(self, scenario=Scenario(pair), guess=guess) for pair in losses]
        return _solved(cases, level_tables) if cases else []

    def scenario_levels(
        self, scenarios: Sequence[Scenario], near: Sequence[pd.DataFrame] = ()
    ) -> list[pd.DataFrame]:
        """Levels alone, by scenario; see `scenario_levels`."""
        size = len(self.laid.stations)
        cases = []
        for k, one in enumerate(scenarios):
            guess = None
            if near:
                levels = near[k]["level_m"].to_numpy().reshape(len(self.q), -1)
                guess = np.tile(levels, (1, size // levels.shape[1])).T
            packed = self.laid.sections
            factor = np.asarray(one.n_factor, float)
            if factor.ndim:
                factor = self.laid.factors(factor)
            if (factor != 1).any():
                packed = packed.roughened(factor)
            laid = replace(self.laid, sections=packed)
            cases.append(replace(self, laid=laid, scenario=one, guess=guess))
        return _solved(cases, level_tables) if cases else []

    def doubted(self) -> ProfileCase:
        """With what is odd about its sections, which tables say and levels don't need."""
        more = _section_oddities(self.laid) | _lacks_tributary_flow(self.laid, self.q, self.edges)
        # at once: one after the other pandas warns of hundreds of columns
        added = pd.DataFrame(more, index=self.laid.stations.index)
        plain = self.laid.stations.drop(columns=list(more), errors="ignore")
        stations = pd.concat([plain, added], axis=1)
        return replace(self, laid=replace(self.laid, stations=stations))

    def model(self, rows: Array, flow: Array, profiles: list[str], flood: Array) -> Model:
        """What levels of sections (stations, columns) are computed from."""
        model = self.laid.model(rows, flow, profiles=profiles, **self.options)
        model = self.scenario.of(model) if self.scenario is not None else model
        guess = None if self.guess is None else self.guess[rows, flood]
        return replace(model, guess=guess)

    def energies_asked(self) -> dict[str, Array]:
        """Energies that branches ask for, by river that parts: (profiles, branches) [m].

        Of the first scheme, at the section above the junction.
        """
        solved: dict[str, pd.DataFrame] = {}
        found = {}
        stations, names = self.laid.stations, list(self.q)
        for river in self.order:
            if self.edges.parts(river):
                last = stations.index[stations["river"] == river][-1]
                rows = np.full((1, len(names)), last)
                flow = np.array([[one[last] for one in self.q.values()]])
                model = self.model(rows, flow, names, np.arange(len(names)))
                schemes = np.full(len(names), stations["scheme"][last], object)
                found[river] = self.edges.energies_asked(model, river, names, schemes, solved)
            [solved[river]] = _river_profiles([self], river, [solved], level_tables)
        return found

    def levels_by_least(self, river: str, solved: dict[str, pd.DataFrame]) -> pd.DataFrame:
        """Levels of a river where, of branches below, the one counts that asks for least energy."""
        least = replace(self, edges=replace(self.edges, least=True))
        return _river_profiles([least], river, [solved], level_tables)[0]

    def in_order(self, found: pd.DataFrame) -> pd.DataFrame:
        """Rows by scheme, flood and section."""
        row = found["_row"].to_numpy()
        keys = (
            row,
            pd.Index(self.q, dtype=object).get_indexer(pd.Index(found["profile"], dtype=object)),
            pd.factorize(self.laid.stations["scheme"])[0][row],
        )
        found = found.iloc[np.lexsort(keys)].drop(columns=["_row", "_apart"], errors="ignore")
        return found.reset_index(drop=True)


def _solved(
    cases: Sequence[ProfileCase], tables: Callable[..., pd.DataFrame]
) -> list[pd.DataFrame]:
    """All rivers of cases that differ in their scenario, those that take another's level after it.

    The cases of a river are solved at once, as columns beside one another.
    """
    solved: list[dict[str, pd.DataFrame]] = [{} for _ in cases]
    for river in cases[0].order:
        profiles = _river_profiles(cases, river, solved, tables)
        for done, profile in zip(solved, profiles, strict=True):
            done[river] = profile
    if tables is profile_tables:
        for case, done in zip(cases, solved, strict=True):
            doubt_splits(done, case.edges, case.levels_by_least)
    return [
        case.in_order(pd.concat(done.values())) for case, done in zip(cases, solved, strict=True)
    ]


def profile_case(
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    *,
    obstacles: pd.DataFrame | None = None,
    **options: Any,
) -> ProfileCase:
    """Tables checked and laid out; see `water_profile`."""
    return river_case(sections, flows, downstream, **options).with_obstacles(obstacles)


def river_case(
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    *,
    upstream: Boundary | None = None,
    banks: pd.DataFrame | None = None,
    structures: pd.DataFrame | None = None,
    structure_parts: pd.DataFrame | None = None,
    junctions: pd.DataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    regime: Regime = "subcritical",
    friction: Friction = "average_conveyance",
    contraction: float = 0.1,
    expansion: float = 0.3,
    gravity_ms2: float = GRAVITY_MS2,
) -> RiverCase:
    """A river checked once, to be laid out with obstacles again and again; see `water_profile`."""
    one_of(regime, ("subcritical", "supercritical", "mixed"), "regime")
    one_of(friction, FRICTION, "friction")
    if not EARTH_MS2[0] <= gravity_ms2 <= EARTH_MS2[1]:
        raise HydraulicsError(
            f"gravity_ms2={gravity_ms2:g} is none of the earth's, in m/s²", hint="gravity_ms2=9.81"
        )
    surveyed = surveyed_sections(sections, rivers)
    scales = {} if rivers is None else river_scales(rivers)
    edges = Boundaries(
        boundary_table(downstream, "downstream"),
        boundary_table(upstream, "upstream"),
        junction_table(junctions),
        {},
        scales,
        standing_on(structures, scales),
    )
    return RiverCase(
        discharges(flows, surveyed.stations, rivers),
        edges,
        joined_last(surveyed.stations, edges.downstream, edges.junctions),
        regime,
        {"friction": friction, "contraction": contraction, "expansion": expansion,
         "gravity": gravity_ms2},
        datum_of(sections),
        surveyed,
        {"sections": sections, "banks": banks, "downstream": edges.downstream,
         "upstream": edges.upstream},
        structures,
        structure_parts,
        downhill=rivers is not None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RiverCase(_Asked):
    """Tables of a river that are checked, before anything stands in its sections."""

    surveyed: Surveyed
    tables: dict[str, pd.DataFrame | None]  # of which all have one datum
    structures: pd.DataFrame | None
    structure_parts: pd.DataFrame | None
    downhill: bool  # centrelines say which way it flows

    def with_obstacles(self, obstacles: pd.DataFrame | None) -> ProfileCase:
        """Sections with what stands in them, once in each scheme that ``obstacles`` names."""
        laid = self.surveyed.laid(self.tables["banks"], obstacles)
        laid = with_structures(laid, self.structures, self.structure_parts, self.edges.scales)
        schemes = len(laid.stations) // len(self.surveyed.stations)
        q = {name: np.tile(values, schemes) for name, values in self.q.items()}
        _refuse_settings_of_no_flood(laid, q)
        require_one_datum(self.tables | {"obstacles": obstacles})
        if not self.downhill:
            _refuse_uphill(laid)
        edges = replace(self.edges, lowest=lowest_sections(laid, q))
        laid = replace(
            laid, stations=_with_left_out_effect(laid.stations, self.order, edges, self.regime)
        )
        return ProfileCase(q, edges, self.order, self.regime, self.options, self.datum, laid)


def _refuse_settings_of_no_flood(laid: Laid, q: Mapping[str, Array]) -> None:
    """Refuse openings for floods that aren't computed where one that is has none of its own.

    Then a name is likely mistyped, and the flood meant would keep the row's opening. Where all have
    theirs, a table may well say more floods than are asked for.
    """
    for one in laid.crossings.values():
        known = getattr(one, "gates_of", {})
        lost = [said for said in known if said not in q]
        if lost and not set(q) <= set(known):
            there = ", ".join(map(repr, q))
            raise HydraulicsError(
                f"sets gates of {getattr(one, 'name', '')} for profiles that flows hasn't: it has "
                f"{there}",
                layer="structure_parts", ids=lost,
                hint=f'structure_parts = structure_parts[~structure_parts["profile"].isin({lost})]'
                "  # or correct the names",
            )  # fmt: skip


def _refuse_uphill(laid: Laid) -> None:
    """Refuse rivers that would flow uphill: their chainages run up from the mouth, unsaid."""
    stations = laid.stations
    for (river, _), part in stations.groupby(["river", "scheme"], sort=False):
        bed = laid.sections.bottom[part.index.to_numpy()]
        rise = np.diff(bed)
        climbs = bed[-1] - bed[0] if len(bed) >= LEAST_UPHILL else 0.0
        # most of the way, not a sill or a scour hole at the end
        if climbs > UPHILL_M and (rise > 0).mean() >= MOSTLY_UPHILL:
            top = float(part["chainage_m"].max())
            raise HydraulicsError(
                f"{river}: the bed rises by {climbs:.2f} m along growing chainages, so these seem "
                "to run up from the mouth",
                layer="sections",
                hint=f"rivers = rivers.assign(chainage_sign=-1, start_m={top!r})  # the source's "
                "chainage; and rivers=rivers here. With +1 where the bed does rise downstream",
            )


def _section_oddities(laid: Laid) -> dict[str, Array]:
    """Sections that are blocked, shut for good, or unlike anything measured in metres."""
    ground, stations = laid.ground, laid.stations
    last = np.cumsum(ground.count) - 1
    bed, high = (f.reduceat(ground.z, ground.start) for f in (np.minimum, np.maximum))
    depth = np.minimum(ground.z[ground.start], ground.z[last]) - bed
    least = np.fmin.reduceat(ground.n, ground.start)
    odd = (least < LEAST_N) | (least > MOST_N) | (bed < LEVELS_M[0]) | (high > LEVELS_M[1])
    for _, part in stations.groupby(["river", "scheme"], sort=False):
        rows = part.index.to_numpy()
        way = abs(part["measure"].iloc[-1] - part["measure"].iloc[0])
        if len(rows) >= LEAST_UPHILL and bed[rows[0]] - bed[rows[-1]] > STEEPEST * way:
            odd[rows] = True

    def closed(level: Array) -> Array:
        """Whether no water can stand at these levels: a slit between two walls counts as none."""
        return np.asarray(laid.sections.area(np.arange(len(stations)), level) < SLIT_M2)

    return {
        "blocked": closed(bed + np.maximum(BLOCKED_SHARE * depth, LEAST_DEPTH_M)),
        "shut": closed(high + ENDLESS_M / 2),
        "odd": odd,
    }


def _lacks_tributary_flow(
    laid: Laid, q: Mapping[str, Array], edges: Boundaries
) -> dict[str, Array]:
    """By flood: sections below a confluence at which the discharge doesn't grow."""
    stations, downstream = laid.stations, edges.downstream
    found = {f"ungrown {profile}": np.zeros(len(stations), bool) for profile in q}
    if "joins" not in downstream or "joins_at_m" not in downstream:
        return found
    joins = downstream[(downstream["boundary"] == "river") & downstream["joins_at_m"].notna()]
    for main, at in joins[["joins", "joins_at_m"]].drop_duplicates().itertuples(index=False):
        scale = edges.scales.get(str(main))
        place = np.array([float(at)])
        place = place if scale is None else scale.measure(place, beyond=True)
        mine = stations[stations["river"] == main]
        for _, part in mine.groupby("scheme", sort=False):
            rows, way = part.index.to_numpy(), part["measure"].to_numpy(float) - place
            below = int(np.searchsorted(way, -1e-6))
            for profile, flow in q.items():
                # the discharge may change at the section beside the confluence, either way
                around = flow[rows[max(below - 2, 0) : below + 2]]
                if below < 1 or below >= len(rows) or around[-1] > around[0] * (1 + 1e-9):
                    continue
                grows = np.flatnonzero(np.diff(flow[rows[below:]]) > 0)
                stop = below + 1 + int(grows[0]) if len(grows) else len(rows)
                found[f"ungrown {profile}"][rows[below:stop]] = True
    return found


def _with_left_out_effect(
    stations: pd.DataFrame, order: list[str], edges: Boundaries, regime: Regime
) -> pd.DataFrame:
    """Sections with whether their level depends on a structure that isn't computed."""
    beyond = np.array(stations["left_out"] != "", bool)
    if not beyond.any():
        return stations.assign(beyond=beyond)
    for river in order:
        mine = (stations["river"] == river).to_numpy()
        for _, part in stations[mine].groupby("scheme", sort=False):
            rows = part.index.to_numpy()
            above = np.logical_or.accumulate(beyond[rows][::-1])[::-1]
            beyond[rows] = above if regime == "subcritical" else above.any()
        for out in edges.junctions[river].out if river in edges.junctions else ():
            first = stations.index[stations["river"] == out.river][:1]
            beyond[mine] |= bool(beyond[first].any())
        downstream = edges.downstream
        for one in downstream[for_river(downstream, river)].to_dict("records"):
            if one["boundary"] == "river":
                main = (stations["river"] == one["joins"]).to_numpy()
                scale = edges.scales.get(str(one["joins"]))
                at = np.array([float(one["joins_at_m"])])
                at = at if scale is None else scale.measure(at, beyond=True)
                way = np.abs(stations["measure"].to_numpy() - at)
                near = main & (way <= np.sort(way[main])[:2][-1])
                beyond[mine] |= bool(beyond[near].any())
    return stations.assign(beyond=beyond)


def _river_profiles(
    cases: Sequence[ProfileCase],
    river: str,
    solved: Sequence[Mapping[str, pd.DataFrame]],
    tables: Callable[..., pd.DataFrame],
) -> list[pd.DataFrame]:
    """All schemes and floods of one river, in each case."""
    laid, q, edges = cases[0].laid, cases[0].q, cases[0].edges
    mine = laid.stations[laid.stations["river"] == river]
    parts: list[list[pd.DataFrame]] = [[] for _ in cases]
    groups = [g.index.to_numpy() for _, g in mine.groupby("scheme", sort=False)]
    for size in sorted({len(g) for g in groups}):
        same = [g for g in groups if len(g) == size]
        rows = np.stack([g for g in same for _ in q], axis=1)
        flow = np.stack([one[g] for g in same for one in q.values()], axis=1)
        profiles = [name for _ in same for name in q]
        flood = np.tile(np.arange(len(q)), len(same))
        models = [case.model(rows.copy(), flow, profiles, flood) for case in cases]
        for k, (level, found) in enumerate(
            _levels_from_boundaries(models, cases[0], river, profiles, solved)
        ):
            made = tables(models[k], cases[k].laid, level, found, profiles)
            if tables is profile_tables and edges.parts(river):
                schemes = laid.stations["scheme"].to_numpy()[rows[0]]
                asked = edges.energies_asked(models[k], river, profiles, schemes, solved[k])
                made = with_apart(made, np.ptp(asked, axis=1), len(rows))
            parts[k].append(made)
    return [pd.concat(part) for part in parts]


def _levels_from_boundaries(
    models: list[Model],
    case: ProfileCase,
    river: str,
    profiles: list[str],
    solved: Sequence[Mapping[str, pd.DataFrame]],
) -> list[tuple[Array, Array]]:
    """Levels of a river from its boundaries, and how each was found; one pair a model."""
    if case.regime == "supercritical":
        if models[0].crossings:
            raise HydraulicsError(
                "stand in a river that is computed downwards only",
                layer="structures",
                ids=[one.name for one in models[0].crossings.values()],
                hint='regime="mixed" passes them from below, and runs down between them',
            )
        answers = []
        for model, (level, critical) in zip(
            models, _at_end(models, case, river, profiles, solved, "upstream"), strict=True
        ):
            found = supercritical(model, np.minimum(level, critical))
            found[1][0] = np.where(level > critical, CRITICAL, BALANCED)
            answers.append(found)
        return answers
    ends = _at_end(models, case, river, profiles, solved, "downstream")
    starts = [np.maximum(level, critical) for level, critical in ends]
    if case.regime == "subcritical":
        both = subcritical(side_by_side(models), np.concatenate(starts))
        answers = list(zip(*(np.hsplit(v, len(models)) for v in both), strict=True))
    else:
        above = _at_end(models, case, river, profiles, solved, "upstream")
        answers = [mixed(m, s, a[0]) for m, s, a in zip(models, starts, above, strict=True)]
    for (level, critical), start, found in zip(ends, starts, answers, strict=True):
        raised = (level < critical - 1e-9) & (found[0][-1] == start)
        found[1][-1] = np.where(raised, CRITICAL, found[1][-1])
    return answers


def _at_end(
    models: list[Model],
    case: ProfileCase,
    river: str,
    profiles: list[str],
    solved: Sequence[Mapping[str, pd.DataFrame]],
    which: Literal["downstream", "upstream"],
) -> list[tuple[Array, Array]]:
    """Level at one end of a river and the critical one there; one pair a model."""
    found: list[tuple[Array, Array]] = []
    alone = case.edges.stands_alone(which, river)
    schemes = case.laid.stations["scheme"].to_numpy()[models[0].rows[0]]
    for k, model in enumerate(models):
        again = k > 0 and model.sections is models[k - 1].sections
        if again and alone:
            found.append(found[-1])
            continue
        row = model.rows[-1 if which == "downstream" else 0]
        flow = model.discharge[-1 if which == "downstream" else 0]
        critical = found[-1][1] if again else critical_level(model, row, flow)[0]
        level = case.edges.levels(which, model, river, profiles, schemes, solved[k], critical)
        low = level <= model.sections.bottom[row]
        if low.any():
            raise HydraulicsError(
                f"the {which} level {level[low][0]:.3f} m of {river} lies below the bed "
                f"{model.sections.bottom[row][low][0]:.3f} m",
                layer="boundaries",
                hint="levels and sections need the same height datum",
            )
        found.append((level, critical))
    return found
