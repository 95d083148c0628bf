"""What does a project compute? Schemes, who is affected, flood, campaign; nothing is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import geopandas as gpd
import pandas as pd

from pinghu_geo.cures import for_the_shell
from pinghu_geo.inputs import Inputs, read_inputs
from pinghu_geo.nouns.beside import Begun, SideBySide, Workers, side_by_side, silent
from pinghu_geo.nouns.errors import ProjectError
from pinghu_geo.nouns.messages import merged, say, translated
from pinghu_geo.nouns.notices import heard
from pinghu_geo.nouns.schema import Lang
from pinghu_geo.plan import Plan
from pinghu_geo.redline.lines import Widths, red_line
from pinghu_geo.redline.overlap import affected, belongs_to, totals
from pinghu_geo.schemes.alternatives import (
    Assessment,
    Comparison,
    assess,
    assessed,
    compare_assessed,
)
from pinghu_geo.schemes.cost import clearing
from pinghu_geo.schemes.nodes import node_table

if TYPE_CHECKING:  # imported where they are needed, for they take their time
    from pinghu_geo.campaign.standing import Campaign
    from pinghu_geo.campaigning import CampaignGiven
    from pinghu_geo.designing import DesignedRiver, RiverInFlood
    from pinghu_geo.search.optimise import LeastDemolition
    from pinghu_geo.search.outcome import WithinRise

__all__ = [
    "CAMPAIGN_STEP", "FLOOD_STEP", "Computation", "Computed", "Progress", "compute_all",
    "computed_project", "progress_in", "project_campaign", "proof_of_search",
]  # fmt: skip

Progress = Callable[[str], None]
# limit of the schedule's search where a run is only rehearsed
REHEARSED_WORK = 0.01
# steps of a run by which it is known what layers and tables have been computed with
FLOOD_STEP = "computing the flood and what may stay"
CAMPAIGN_STEP = "computing tasks, reaches, schedule and progress"


def progress_in(progress: Progress | None, lang: Lang) -> Progress:
    """Progress in a language; of nobody who listens, none."""
    if progress is None:
        return lambda _: None
    return lambda text: progress(translated(text, lang))


@dataclass(frozen=True, slots=True)
class Computation:
    """Everything that was computed."""

    comparison: Comparison
    least: dict[str, LeastDemolition | WithinRise]
    affected: gpd.GeoDataFrame
    nodes: gpd.GeoDataFrame
    parcels: gpd.GeoDataFrame | None
    flood: RiverInFlood | None
    campaign: Campaign | None

    @property
    def lines(self) -> dict[str, gpd.GeoDataFrame]:
        """Red line of each scheme."""
        return {name: one.red_line for name, one in self.comparison.schemes.items()}


class _Assessing(NamedTuple):
    """What a red line is assessed by."""

    buildings: gpd.GeoDataFrame
    rivers: gpd.GeoDataFrame
    rates: pd.DataFrame | None
    rules: dict[str, Any]
    depths: bool

    @classmethod
    def of(cls, plan: Plan, data: Inputs, *, depths: bool) -> _Assessing:
        rules = {
            "partial_rule": plan.rules["partial"],
            **{k: plan.rules[k] for k in ("survey_tolerance_m", "gap_m", "max_length_m")},
        }
        buildings, rivers = data.layers["buildings"], data.layers["rivers"]
        return cls(buildings, rivers, data.tables.get("rates"), rules, depths)

    def as_searched(self) -> bool:
        """Whether a search assesses its schemes by the same rules."""
        usual = inspect.signature(assess).parameters
        return all(usual[k].default == value for k, value in self.rules.items())


class _Line(NamedTuple):
    """A scheme's red line as it is drawn, or its widths and what is between them."""

    scheme: str
    given: gpd.GeoDataFrame | Widths
    between: Literal["linear", "step"] = "linear"


def _assessed_line(by: _Assessing, line: _Line, _: Progress) -> Assessment:
    """A scheme by its red line."""
    red = line.given
    if not isinstance(red, gpd.GeoDataFrame):
        red = red_line(by.rivers, red, interpolation=line.between)
    return assessed(red, by.buildings, by.rivers, rates=by.rates, **by.rules, depths=by.depths)


def _taken_parcels(
    of: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, float], line: gpd.GeoDataFrame, _: Progress
) -> gpd.GeoDataFrame:
    """What a red line takes of parcels."""
    parcels, rivers, tolerance = of
    return affected(parcels, line, rivers, survey_tolerance_m=tolerance)


def _given_of_campaign(_: None, plan: Plan, __: Progress) -> CampaignGiven:
    """What the campaign is given, read."""
    from pinghu_geo.campaigning import campaign_given

    return campaign_given(plan)


def _with_tenants(
    plan: Plan, schemes: dict[str, Assessment], told: list[CampaignGiven]
) -> dict[str, Assessment]:
    """Schemes whose houses have the tenants that the campaign names, if it names any."""
    if "tenants" not in plan.campaign:
        return schemes
    from pinghu_geo.campaigning import with_tenants_of_table

    return with_tenants_of_table(plan, schemes, told[0].tenants)


def _begun_schemes(
    plan: Plan, data: Inputs, by: _Assessing, many: SideBySide
) -> Begun[_Line, Assessment]:
    """Schemes that need no search, and that none draws by the same rule."""
    firsts = {source["least"]["from"] for source in plan.schemes.values() if "least" in source}
    searched = {
        first for first in firsts
        if plan.schemes[first].get("interpolation", "linear") == "linear"
    }  # fmt: skip
    lines = [
        _Line(name, data.lines[name])
        if name in data.lines
        else _Line(name, data.widths[name], source.get("interpolation", "linear"))
        for name, source in plan.schemes.items()
        if "least" not in source and name not in searched
    ]  # fmt: skip
    return many.begin(_assessed_line, lines, by)


def _assessed_schemes(
    plan: Plan,
    by: _Assessing,
    begun: Begun[_Line, Assessment],
    least: Mapping[str, LeastDemolition | WithinRise],
) -> dict[str, Assessment]:
    """Every scheme by the project's rules, once: what a search assessed by them is handed on."""
    done = {line.scheme: one for line, one in begun}
    for name, best in least.items():
        first = plan.schemes[name]["least"]["from"]
        for scheme, found in zip((first, name), best.comparison.schemes.values(), strict=True):
            if scheme not in done:
                line = _Line(scheme, found.red_line)
                done[scheme] = found if by.as_searched() else _assessed_line(by, line, silent)
    return {name: done[name] for name in plan.schemes}


@dataclass(frozen=True, slots=True)
class Computed:
    """What a project's papers are made of: layers, lines, schemes, searches, campaign."""

    layers: dict[str, gpd.GeoDataFrame]
    lines: dict[str, gpd.GeoDataFrame]
    comparison: Comparison
    affected: gpd.GeoDataFrame
    least: dict[str, LeastDemolition | WithinRise]
    campaign: Campaign | None
    warnings: list[str]
    structures: pd.DataFrame | None = None


def computed_project(
    plan: Plan, *, as_of: Any = None, progress: Progress | None = None
) -> Computed:
    """A project as a run computes it, as of a day, without writing anything."""
    tell = progress_in(progress, plan.lang)
    tell("reading the layers")
    with heard() as said, for_the_shell(plan):
        data = read_inputs(plan)
        found = compute_all(plan, data, tell, as_of=as_of)
    return Computed(
        data.layers, found.lines, found.comparison, found.affected, found.least, found.campaign,
        [translated(note, plan.lang) for note in merged(said)],
        data.structures,
    )  # fmt: skip


def project_campaign(
    plan: Plan, *, as_of: Any = None, progress: Progress | None = None
) -> tuple[Campaign, dict[str, str], list[str]]:
    """A project's campaign as of a day; in which scheme other buildings are; what to note."""
    found = computed_project(plan, as_of=as_of, progress=progress)
    elsewhere = {
        str(building): name
        for name, one in found.comparison.schemes.items()
        for building in one.affected.index.difference(found.affected.index)
    }
    if found.campaign is None:
        raise ProjectError(f"{plan.path.name} has no campaign", hint='[campaign]\nadopted = "..."')
    noted = [say("Note: {}", plan.lang, note) for note in found.warnings]
    return found.campaign, elsewhere, noted


def compute_all(
    plan: Plan,
    data: Inputs,
    tell: Progress,
    *,
    as_of: Any = None,
    rehearse: bool = False,
    workers: Workers = 1,
    searched: Callable[[Mapping[str, LeastDemolition | WithinRise]], None] = lambda _: None,
) -> Computation:
    """Every step up to where a run writes; a rehearsal takes as little search as can be.

    ``searched`` is told what was found as soon as that is known.
    """
    if plan.campaign and _takes_long(plan):
        from pinghu_geo.campaigning import require_measured_work

        require_measured_work(plan, data.layers["buildings"])  # said before the work
    with side_by_side(workers) as many:
        return _computed_beside(plan, data, tell, as_of, rehearse, many, searched)


def _takes_long(plan: Plan) -> bool:
    """Whether there is a flood or a search."""
    return bool(plan.flood) or any("least" in source for source in plan.schemes.values())


def _computed_beside(
    plan: Plan,
    data: Inputs,
    tell: Progress,
    as_of: Any,
    rehearse: bool,
    many: SideBySide,
    searched: Callable[[Mapping[str, LeastDemolition | WithinRise]], None],
) -> Computation:
    rules, layers = plan.rules, data.layers
    # of depths only a campaign makes more than columns: who is surveyed first
    by = _Assessing.of(plan, data, depths=bool(plan.campaign) or not rehearse)
    river: DesignedRiver | None = None
    least: dict[str, LeastDemolition | WithinRise] = {}
    if _takes_long(plan):
        from pinghu_geo import designing  # hydraulics and search

        river = designing.designed_river(plan, data) if plan.flood else None
    many.keep(*layers.values())
    # what a search doesn't need is done beside it
    levels = (
        None
        if river is None
        else designing.begun_levels(plan, data, river, many, rehearse=rehearse)
    )
    begun = _begun_schemes(plan, data, by, many)
    given = many.begin(_given_of_campaign, [plan] if plan.campaign else [])
    if any("least" in source for source in plan.schemes.values()):
        least = designing.searched_lines(plan, data, river, tell, rehearse=rehearse, workers=many)
        searched(least)
    tell("computing the red line and who is affected")
    told = given.results()
    schemes = _with_tenants(plan, _assessed_schemes(plan, by, begun, least), told)
    comparison = compare_assessed(schemes, partial_rule=rules["partial"])
    # what follows is about one scheme: the adopted one, or the baseline before any is adopted
    scheme = plan.campaign.get("adopted", comparison.baseline)
    taken = many.begin(
        _taken_parcels, [comparison.schemes[scheme].red_line] if "parcels" in layers else [],
        (layers.get("parcels"), layers["rivers"], rules["survey_tolerance_m"]),
    )  # fmt: skip
    hit = comparison.schemes[scheme].affected.copy()
    if "zones" in layers:
        hit = hit.join(clearing(hit, layers["zones"], least_ratio=rules["zone_ratio"]))
    flood = None
    if river is not None and levels is not None:
        tell(FLOOD_STEP)
        ((flood, before),) = levels.results()
        verdicts = designing.verdicts_in_flood(
            plan, data, river, flood, before, hit, tell, rehearse=rehearse, workers=many
        )
        hit = hit.join(verdicts)
    parcels = None
    if "parcels" in layers:
        hit["parcel_id"] = belongs_to(hit, layers["parcels"])
        (parcels,) = taken.results()
        on = totals(hit, "parcel_id")
        on = on[on.index.notna()].drop(columns=["inside_m2", "n_full", "n_partial", "n_survey"])
        # on a parcel without any building that falls there is nothing to sum: 0, and known
        parcels = parcels.join(on.reindex(on.index.union(parcels.index), fill_value=0))
    segments = data.tables.get("segments")
    if not plan.campaign:
        nodes = node_table(hit, segments, rivers=layers["rivers"])
        return Computation(comparison, least, hit, nodes, parcels, flood, None)
    from pinghu_geo.campaigning import campaign_of

    tell(CAMPAIGN_STEP)
    work = REHEARSED_WORK if rehearse else None
    campaign = campaign_of(
        plan, told[0], hit, layers, segments, as_of=as_of, work=work, workers=many
    )
    if scheme in least:
        campaign = replace(campaign, proven=proof_of_search(scheme, least[scheme], plan.lang))
    nodes = campaign.nodes()
    hit = hit.drop(columns="node_id", errors="ignore").join(
        campaign.tasks.buildings[["node_id", "task_class", "payer", "others_due"]]
    )
    now = campaign.state.buildings.reindex(hit.index)
    hit = hit.join(now[["stage", "since", "blocker", "blocker_since"]])
    return Computation(comparison, least, hit, nodes, parcels, flood, campaign)


def proof_of_search(scheme: str, best: LeastDemolition | WithinRise, lang: Lang) -> str:
    """What is proven of a scheme that was searched for, in one line."""
    return f"{scheme}{say(': ', lang)}{best.proof_in_short(lang=lang)}"
