"""Which roughness do the flood marks speak for? n by zones from observed levels."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pinghu_geo.flood.between import Standing, shares_below, standing_on
from pinghu_geo.flood.boundaries import Boundary
from pinghu_geo.flood.hydraulics import Scenario, scenario_levels, water_profile
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.survey import HIGHEST_M, LOWEST_M, lay_sections, sections_apart
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang, numbers, one_of, require_columns
from pinghu_geo.nouns.tables import each_row
from pinghu_geo.river.centreline import river_scales
from pinghu_geo.river.chainage import SAME_PLACE_M, ChainageScale, format_chainage

__all__ = ["Calibration", "calibrate_roughness"]

# a mark disagrees beyond this many robust standard deviations, and this much [m]
APART, LEAST_M = 2.5, 0.05
# what may be said of the river besides sections, flows and downstream
OPTIONS = [*inspect.signature(water_profile).parameters][3:]
STEP = 1e-3  # of the factor, for derivatives
LEAST_APART = 1e-4  # of both bounds of a factor
LEAST_TOLD_M = 1e-4  # a zone whose n, doubled, moves the marks by less is told of by none


@dataclass(frozen=True, slots=True)
class Calibration(Result):
    """What flood marks say of the roughness 糙率率定结果.

    Attributes
    ----------
    zones
        Each zone with its factor on n, the n that this makes (least and most in the zone), whether
        the bound holds it, and how many marks it rests on.
    marks
        Each mark with the computed level, the residual (computed less observed) and whether it
        disagrees with the others.
    sections
        The sections with the new n (and n_lid, where they say it), for `water_profile` and
        `building_rises`.
    """

    SHOWN: ClassVar = ("zones", "marks")
    DECIMALS: ClassVar = 3

    zones: pd.DataFrame
    marks: pd.DataFrame
    sections: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """What the marks say of n."""
        left = self.marks["residual_m"]
        held = self.zones.loc[self.zones["at_bound"], "zone"].astype(str)
        bound = say(
            "n stands at a bound in {}: the marks would have it go on, or say little of it.",
            lang,
            say(", ", lang).join(held),
        )
        return [
            say(
                "{} zones from {} marks: {} m root mean square; {} marks disagree with the others.",
                lang,
                len(self.zones),
                len(self.marks),
                f"{float((left**2).mean()) ** 0.5:.3f}",
                int(self.marks["disagrees"].sum()),
            ),
            *([bound] if len(held) else []),
        ]


@takes(marks="profile", reaches="segments")
def calibrate_roughness(
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    marks: pd.DataFrame,
    *,
    reaches: pd.DataFrame | None = None,
    **options: Any,
) -> Calibration:
    """Roughness by zones from flood marks, by least squares with bounds 洪痕率定糙率.

    Parameters
    ----------
    sections, flows, downstream
        The river at the flood that left the marks, as in `water_profile`.
    marks
        Observed levels: river, chainage_m, level_m; profile where there are several floods; sd_m,
        how sure each is (default: alike; where some say it, as their median); repeated {above,
        below}, which of two places is meant where a long chain (长链) makes the chainage occur
        twice.
    reaches
        Where n has a factor of its own: zone, river, from_m, to_m, and its bounds least_factor and
        most_factor (default 0.5 and 2). By default each river is a zone. Where a long chain (长链)
        makes an end occur twice from_repeated and to_repeated {above, below} say which is meant.
    **options
        Of `water_profile`.

    Returns
    -------
    Calibration
        Zones, marks and sections.

    Raises
    ------
    HydraulicsError, LayerError
        Marks beyond the sections or of an unsaid flood, fewer marks than zones, zones that hold no
        section or that no mark tells of, or chainages that occur twice and don't say which is
        meant.

    Notes
    -----
    The factors minimise Σ ((computed - observed) / sd)² with the bounds (trust region, SciPy).
    Levels between sections are on the straight line; beside a structure a mark tells of the level
    above it or below it, whichever side it is on. A mark disagrees where its residual is beyond
    2.5 robust standard deviations (1.48 times the median of their sizes) and 5 cm: look at the mark
    before the river. What it does to verdicts: hand ``sections`` to `building_rises` in place of
    the old ones, or the spread of n to its ``roughness_share``.

    References
    ----------
    Branch, Coleman and Li, A subspace, interior, and conjugate gradient method for large-scale
    bound-constrained minimization problems, SIAM Journal on Scientific Computing 21 (1999) 1-23.
    Rousseeuw and Croux, Alternatives to the median absolute deviation, Journal of the American
    Statistical Association 88 (1993) 1273-1283.

    Examples
    --------
    >>> bed = pd.DataFrame({"river": "示例河", "chainage_m": np.arange(6) * 100.0,
    ...     "bed_level_m": np.linspace(0.5, 0, 6), "left_m": 10.0, "right_m": 10.0,
    ...     "bank_level_m": 6.0, "n": 0.03})
    >>> true = pg.water_profile(pg.design_sections(bed.assign(n=0.036)), 60.0, {"level_m": 2.0})
    >>> marks = true[["river", "chainage_m", "level_m"]].iloc[:4]
    >>> found = pg.flood.calibrate_roughness(
    ...     pg.design_sections(bed), 60.0, {"level_m": 2.0}, marks)
    >>> found.zones["factor"].round(4).tolist()
    [1.2]
    """
    from scipy.optimize import least_squares

    for word in options:
        one_of(word, OPTIONS, "option")
    require_columns(marks, ("river", "chainage_m", "level_m"), "marks")
    laid = lay_sections(
        sections, banks=options.get("banks"), obstacles=options.get("obstacles"),
        rivers=options.get("rivers"),
    )  # fmt: skip
    table = _zone_table(reaches, laid.stations)
    rivers = options.get("rivers")
    scales = {} if rivers is None else river_scales(rivers)
    member = _zone_of_sections(table, laid.stations, scales)
    given = {"sections": sections, "flows": flows, "downstream": downstream, **options}
    observed = numbers(marks, "level_m", "marks").to_numpy()
    said = numbers(marks, "sd_m", "marks")
    sd = said.fillna(said.median()).fillna(1.0).to_numpy()
    _refuse_unsaid_marks(marks, observed, sd)
    sd = sd / np.median(sd) if len(sd) else sd  # what all share weighs nothing
    if len(marks) < len(table):
        raise HydraulicsError(
            f"has {len(marks)} marks for {len(table)} zones",
            layer="marks",
            hint="fewer zones, or more marks",
        )
    first = _levels_by_factors(given, [np.ones(len(table))], member)
    _refuse_unsaid_floods(marks, first[0])
    standing = standing_on(options.get("structures"), scales)
    weights = _mark_weights(marks, first[0], scales, standing)

    def residuals(factor: Array) -> Array:
        level = _levels_by_factors(given, [factor], member, near=first)[0]["level_m"].to_numpy()
        return np.asarray((weights @ level - observed) / sd)

    def slopes(factor: Array) -> Array:
        moved = [factor, *(factor + STEP * row for row in np.eye(len(table)))]
        levels = [
            t["level_m"].to_numpy() for t in _levels_by_factors(given, moved, member, near=first)
        ]
        return np.stack([weights @ (lv - levels[0]) / STEP / sd for lv in levels[1:]], axis=1)

    low, high = (table[c].to_numpy(float) for c in ("least_factor", "most_factor"))
    start = np.clip(np.ones(len(table)), low + 1e-6, high - 1e-6)
    _refuse_untold_zones(table, slopes(start) * sd[:, None])
    fit = least_squares(residuals, start, jac=slopes, bounds=(low, high), xtol=1e-10, ftol=1e-12)
    number, places = sections_apart(sections, rivers, "sections")
    keys = pd.MultiIndex.from_frame(laid.stations[["river", "measure"]])
    zone = member[keys.get_indexer(pd.MultiIndex.from_frame(places[["river", "measure"]]))[number]]
    return _calibration_tables(sections, marks, table, zone, fit.x, residuals(fit.x) * sd)


def _refuse_unsaid_marks(marks: pd.DataFrame, observed: Array, sd: Array) -> None:
    """Refuse marks without a level or a place, and those that are surer than sure."""
    unsaid, sure = np.isnan(observed), ~(sd > 0)
    nowhere = numbers(marks, "chainage_m", "marks").isna() | marks["river"].isna()
    if nowhere.any():
        raise HydraulicsError(
            "has marks without a river or a chainage", layer="marks", ids=marks.index[nowhere],
            hint="fill in river and chainage_m, or leave these out",
        )  # fmt: skip
    none = (observed < LOWEST_M) | (observed > HIGHEST_M)
    if none.any():
        raise HydraulicsError(
            "has marks whose heights stand for no measurement (-9999 ...)", layer="marks",
            ids=marks.index[none], hint="leave these out, or level them again",
        )  # fmt: skip
    if unsaid.any():
        raise HydraulicsError(
            "has marks without a level", layer="marks", ids=marks.index[unsaid],
            hint="fill in level_m, or leave these out",
        )  # fmt: skip
    if sure.any():
        raise HydraulicsError(
            "has marks whose sd_m is not above 0", layer="marks", ids=marks.index[sure],
            hint="sd_m is how far a mark may be off [m]",
        )  # fmt: skip


def _refuse_unsaid_floods(marks: pd.DataFrame, levels: pd.DataFrame) -> None:
    """Refuse several schemes, and marks that don't say which of several floods left them."""
    if len(levels["scheme"].unique()) > 1:
        raise HydraulicsError(
            "holds several schemes, and marks are of one river", layer="sections",
            ids=levels["scheme"].unique(),
            hint='sections = sections[sections["scheme"] == sections["scheme"].iloc[0]]',
        )  # fmt: skip
    said = marks["profile"] if "profile" in marks.columns else pd.Series(None, marks.index)
    floods = levels["profile"].unique()
    if len(floods) > 1 and said.isna().any():
        raise HydraulicsError(
            "has marks that don't say which flood left them",
            layer="marks",
            ids=marks.index[said.isna()],
            hint=f'marks["profile"] = {str(floods[0])!r}  # row by row',
        )


def _refuse_untold_zones(table: pd.DataFrame, slopes: Array) -> None:
    """Refuse zones on whose n no mark hangs."""
    untold = np.abs(slopes).max(axis=0) < LEAST_TOLD_M
    if untold.any():
        raise HydraulicsError(
            "has zones that no mark tells of",
            layer="reaches",
            ids=table.loc[untold, "zone"],
            hint="level marks in or above them, or leave them out of reaches: their n stays",
        )


def _zone_table(zones: pd.DataFrame | None, stations: pd.DataFrame) -> pd.DataFrame:
    """Zones with their bounds; by default a zone a river."""
    if zones is None:
        rivers = list(stations["river"].unique())
        table = pd.DataFrame({"zone": rivers, "river": rivers, "from_m": -np.inf, "to_m": np.inf})
    else:
        require_columns(zones, ("zone", "river", "from_m", "to_m"), "reaches")
        if zones.empty:
            raise HydraulicsError(
                "has no rows", layer="reaches", hint="reaches=None makes each river a zone"
            )
        table = zones.reset_index(drop=True)
    for column, value in (("least_factor", 0.5), ("most_factor", 2.0)):
        table = table.assign(**{column: numbers(table, column, "reaches").fillna(value)})
    twice = table["zone"].duplicated(keep=False)
    if twice.any():
        raise HydraulicsError(
            "has a zone twice", layer="reaches", ids=table.loc[twice, "zone"].unique(),
            hint="a zone is one reach of one river, with a name of its own",
        )  # fmt: skip
    apart = table["most_factor"] - table["least_factor"]
    bad = ~((table["least_factor"] > 0) & (apart > LEAST_APART))
    if bad.any():
        raise HydraulicsError(
            "has bounds that hold no factor",
            layer="reaches",
            ids=table.loc[bad, "zone"],
            hint="least_factor above 0 and below most_factor",
        )
    return table


def _zone_of_sections(
    table: pd.DataFrame, stations: pd.DataFrame, scales: Mapping[str, ChainageScale]
) -> Array:
    """Zone of each section; -1: none, n stays."""
    found = np.full(len(stations), -1)
    measured = _zone_ends(table, scales)
    for k, one in enumerate(each_row(table)):
        at, ends = stations["chainage_m"], np.array([one.from_m, one.to_m], float)
        if np.isfinite(measured[k]).all():
            at, ends = stations["measure"], np.sort(measured[k])
        mine = (stations["river"] == one.river) & at.between(*ends)
        inner = (at > ends[0]) & (at < ends[1])
        both = np.unique(found[(mine & inner).to_numpy()])
        if (both >= 0).any():
            raise HydraulicsError(
                "has zones that overlap", layer="reaches",
                ids=[*table["zone"].iloc[both[both >= 0]], one.zone],
                hint="a section has one n: let each zone begin where the one before it ends",
            )  # fmt: skip
        if not mine.any():
            raise HydraulicsError(
                "has a zone without sections", layer="reaches", ids=[one.zone],
                hint="from_m and to_m are chainages of its river",
            )  # fmt: skip
        found[mine.to_numpy()] = k
    return found


def _zone_ends(table: pd.DataFrame, scales: Mapping[str, ChainageScale]) -> Array:
    """Metres along its river of the ends of each zone; NaN where no river or end tells."""
    found = np.full((len(table), 2), np.nan)
    for j, column in enumerate(("from_m", "to_m")):
        places, open_ = _places_of_chainages(table, column, f"{column[:-2]}_repeated", scales)
        if open_.any():
            raise HydraulicsError(
                f"has zones whose {column} occurs twice, above and below a long chain (断链)",
                layer="reaches", ids=table.loc[open_, "zone"],
                hint=f'reaches["{column[:-2]}_repeated"] = "above"  # or "below", zone by zone: '
                "which of them is meant",
            )  # fmt: skip
        found[:, j] = places
    return found


def _places_of_chainages(
    table: pd.DataFrame, column: str, which: str, scales: Mapping[str, ChainageScale]
) -> tuple[Array, NDArray[np.bool_]]:
    """Metres along their rivers of chainages, and which occur twice and don't say which they mean.

    NaN where there is no scale of the river, or no chainage.
    """
    at = table[column].to_numpy(float)
    said = table[which] if which in table.columns else pd.Series(None, table.index, object)
    for word in said.dropna().unique():
        one_of(word, ("above", "below"), which)
    found, open_ = np.full(len(at), np.nan), np.zeros(len(at), bool)
    for river in table["river"].unique():
        mine = ((table["river"] == river) & np.isfinite(at)).to_numpy()
        if river not in scales or not mine.any():
            continue
        first, last = (scales[river].measure(at[mine], twice=w, beyond=True)
                       for w in ("upstream", "downstream"))  # fmt: skip
        below = (said[mine] == "below").to_numpy(bool)
        found[mine] = np.where(below, last, first)
        open_[mine] = (last - first > SAME_PLACE_M) & said[mine].isna().to_numpy(bool)
    return found, open_


def _levels_by_factors(
    given: dict[str, Any],
    factors: list[Array],
    member: Array,
    near: list[pd.DataFrame] | None = None,
) -> list[pd.DataFrame]:
    """Levels for factors by zone."""
    rows = [np.where(member >= 0, f[np.maximum(member, 0)], 1.0) for f in factors]
    scenarios = [Scenario(None, row) for row in rows]
    return scenario_levels(
        **given, scenarios=scenarios, near=[] if near is None else near * len(scenarios)
    )


def _mark_weights(
    marks: pd.DataFrame,
    levels: pd.DataFrame,
    scales: Mapping[str, ChainageScale],
    standing: Mapping[str, Standing],
) -> Array:
    """Marks as straight-line mixtures of section levels (marks, rows)."""
    scheme = levels["scheme"].iloc[0]
    said = numbers(marks, "chainage_m", "marks").to_numpy()
    profiles = marks["profile"].to_numpy() if "profile" in marks.columns else [None] * len(marks)
    found = np.zeros((len(marks), len(levels)))
    lost = []
    stood, open_ = _places_of_chainages(marks, "chainage_m", "repeated", scales)
    if open_.any():
        raise HydraulicsError(
            "has marks whose chainages occur twice, above and below a long chain (断链)",
            layer="marks", ids=marks.index[open_],
            hint='marks["repeated"] = "above"  # or "below", row by row: which of them is meant',
        )  # fmt: skip
    for k, (river, mark, profile) in enumerate(zip(marks["river"], said, profiles, strict=True)):
        mine = (levels["river"] == river).to_numpy()
        if profile is not None and not pd.isna(profile):
            mine = mine & (levels["profile"] == profile).to_numpy()
        rows = np.flatnonzero(mine)
        place, where = levels["chainage_m"].to_numpy()[rows], mark
        if river in scales:
            place = scales[river].measure(place, twice="order", beyond=True)
            where = float(stood[k])
        order = np.argsort(place)
        rows, place = rows[order], place[order]
        if not len(rows) or not place[0] <= where <= place[-1]:
            lost.append(f"{river} {format_chainage(float(mark))}")
            continue
        if len(place) == 1:
            found[k, rows[0]] = 1.0
            continue
        stands = standing[str(river)].of(scheme) if str(river) in standing else None
        [j], [share] = shares_below(place, np.array([where]), stands)
        found[k, rows[j]], found[k, rows[j + 1]] = 1 - share, share
    if lost:
        raise HydraulicsError(
            "has marks where there are no sections, or of no such flood",
            layer="marks", ids=lost, hint="survey sections there, or leave these marks out",
        )  # fmt: skip
    return found


def _calibration_tables(
    sections: pd.DataFrame,
    marks: pd.DataFrame,
    table: pd.DataFrame,
    zone: Array,
    factor: Array,
    off: Array,
) -> Calibration:
    """The fit as tables; ``zone`` is that of each point of the sections, -1: none."""
    by = np.where(zone >= 0, factor[np.maximum(zone, 0)], 1.0)
    rough = [c for c in ("n", "n_lid") if c in sections.columns]
    new = sections.assign(**{c: sections[c].astype(float) * by for c in rough})
    spread = new["n"].groupby(zone).agg(["min", "max"]).reindex(range(len(table)))
    near = np.minimum(factor - table["least_factor"], table["most_factor"] - factor)
    zones = table.assign(
        factor=factor,
        n_least=spread["min"].to_numpy(),
        n_most=spread["max"].to_numpy(),
        at_bound=(near < 1e-4).to_numpy(),
    )
    sure = 1.4826 * float(np.median(np.abs(off - np.median(off))))
    apart = (np.abs(off) > APART * sure) & (np.abs(off) > LEAST_M)
    told = marks.assign(
        computed_m=marks["level_m"].astype(float) + off, residual_m=off, disagrees=apart
    )
    return Calibration(zones, told, new)
