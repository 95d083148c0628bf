"""What do water and search say of a project? Its designed river in flood, the line of least loss.

A project without a flood and without a search needs nothing of this, nor of what it imports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from pinghu_geo.flood.bends import bend_rises
from pinghu_geo.flood.channel import design_sections
from pinghu_geo.flood.hydraulics import water_profile
from pinghu_geo.flood.meetings import junction_levels
from pinghu_geo.flood.obstruction import (
    LOSSES,
    LevelsBefore,
    building_obstacles,
    levels_before,
    rises_above,
    section_lines,
)
from pinghu_geo.flood.rises import freeboard
from pinghu_geo.flood.splits import balanced_flows
from pinghu_geo.flood.terrain import flood_levels, inundation, sections_from_dem
from pinghu_geo.inputs import Inputs
from pinghu_geo.nouns.beside import Begun, SideBySide, Workers, side_by_side
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.inert import file_names
from pinghu_geo.nouns.schema import label
from pinghu_geo.plan import BANK_FREEBOARD, LIMITS, WITHIN_RISE, Plan
from pinghu_geo.river.chainage import format_chainage
from pinghu_geo.schemes.retention import retention_rules, retention_verdict
from pinghu_geo.search.norise import least_demolition_within_rise
from pinghu_geo.search.offsets import LIMITS as LEAST
from pinghu_geo.search.optimise import LeastDemolition, least_demolition
from pinghu_geo.search.outcome import UNSEEN_M, WithinRise

__all__ = [
    "DesignedRiver",
    "RiverInFlood",
    "begun_levels",
    "designed_river",
    "searched_lines",
    "verdicts_in_flood",
    "tables_of_searches",
]

# a searched line bends at most once in this [m] where a project file says nothing else
BEND_EVERY_M = 30.0


@dataclass(frozen=True, slots=True)
class DesignedRiver:
    """The designed river and its floods, as `water_profile` takes them."""

    sections: pd.DataFrame
    banks: pd.DataFrame
    flows: pd.DataFrame
    downstream: pd.DataFrame
    structures: pd.DataFrame | None = None
    structure_parts: pd.DataFrame | None = None
    junctions: pd.DataFrame | None = None

    def as_asked(self) -> dict[str, Any]:
        """By the names of the arguments of `water_profile`."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class RiverInFlood:
    """The designed river in flood."""

    profile: pd.DataFrame
    freeboard: pd.DataFrame  # with what a standard asks of it, where the project names one
    sections: gpd.GeoDataFrame
    inundation: gpd.GeoDataFrame
    junctions: pd.DataFrame | None = None  # what the water does at them

    def summary(self) -> list[dict[str, Any]]:
        """Level, speed, freeboard, doubts of each river and flood, for those who read no table."""
        sides = self.freeboard[["freeboard_left_m", "freeboard_right_m"]]
        profile = self.profile.assign(freeboard_m=sides.min(axis=1).to_numpy())
        asked: dict[str, Any] = {}
        if "freeboard_asked_m" in self.freeboard:
            said = self.freeboard.iloc[0]
            asked = {key: said[key] for key in ("freeboard_asked_m", "freeboard_source")}
            short = profile["freeboard_m"] < asked["freeboard_asked_m"] - UNSEEN_M
            profile = profile.assign(n_below_freeboard=short)
        return [
            {
                "profile": name,
                "river": river,
                "discharge_m3s": float(part["discharge_m3s"].max()),
                "froude_max": round(float(part["froude"].max()), 3),
                "velocity_ms_max": round(float(part["velocity_ms"].max()), 3),
                "n_sections": len(part),
                "n_doubtful": int((part["doubts"] != "").sum()),
                **_least_freeboard(part),
                "n_overtopped": int((part["freeboard_m"] < 0).sum()),
            }
            | asked
            | {key: int(part[key].sum()) for key in ("n_below_freeboard",) if key in part}
            for (name, river), part in profile.groupby(["profile", "river"], sort=False)
        ]


def _least_freeboard(part: pd.DataFrame) -> dict[str, Any]:
    """The least freeboard of a river and where it is; None where it is covered throughout."""
    known = part.dropna(subset="freeboard_m")
    if known.empty:
        return {"freeboard_m_min": None, "freeboard_at": None}
    least = known.iloc[known["freeboard_m"].argmin()]
    return {
        "freeboard_m_min": round(float(least["freeboard_m"]), 3),
        "freeboard_at": format_chainage(float(least["chainage_m"])),
    }


def searched_lines(
    plan: Plan,
    data: Inputs,
    river: DesignedRiver | None,
    tell: Callable[[str], None],
    *,
    rehearse: bool = False,
    workers: Workers = 1,
) -> dict[str, LeastDemolition | WithinRise]:
    """The lines that were searched for."""
    least: dict[str, LeastDemolition | WithinRise] = {}
    for name, source in plan.schemes.items():
        if "least" in source:
            tell(f"searching for the line that demolishes least: {name}")
            asked = source["least"] | ({"seconds": 0.0} if rehearse else {})
            least[name] = _search_least(asked, data, river, tell, workers)
    return least


def designed_river(plan: Plan, data: Inputs) -> DesignedRiver:
    """The designed channel in the ground beside it."""
    asked, tables = plan.flood, data.flood
    structures = tables.get("structures")
    made = sections_from_dem(
        data.layers["rivers"],
        plan.tiles(asked["dem"]),
        design_sections(tables["design"]) if data.surveyed is None else data.surveyed,
        n=asked["n_ground"],
        spacing_m=asked["spacing_m"],
        half_width_m=asked["half_width_m"],
        structures=structures,
    )
    river = DesignedRiver(
        made.sections,
        made.banks,
        tables["flows"],
        tables["boundaries"],
        data.structures,
        tables.get("structure_parts"),
        tables.get("junctions"),
    )
    if river.junctions is None or asked["split"] == "given":
        return river
    split = balanced_flows(**river.as_asked(), rivers=data.layers["rivers"])
    return replace(river, flows=split)


def _search_least(
    asked: dict[str, Any],
    data: Inputs,
    river: DesignedRiver | None,
    tell: Callable[[str], None],
    workers: Workers,
) -> LeastDemolition | WithinRise:
    """The line that demolishes least, as the project file asks."""
    layers, tables, first = data.layers, data.tables, data.widths[asked["from"]]
    limits = {k: v for k, v in asked.items() if k in LEAST}
    common: dict[str, Any] = {k: tables.get(k) for k in ("rates", "locks")}
    common |= {"bend_every_m": asked.get("bend_every_m", BEND_EVERY_M)}
    common |= {"bend_yuan": asked.get("bend_yuan")}
    if "allowed_mm" not in asked or river is None:
        return least_demolition(layers["rivers"], first, layers["buildings"], limits, **common)
    return least_demolition_within_rise(
        layers["rivers"],
        first,
        layers["buildings"],
        river.sections,
        river.flows,
        river.downstream,
        limits,
        banks=river.banks,
        walls=tables.get("walls"),
        structures=river.structures,
        structure_parts=river.structure_parts,
        progress=tell,
        workers=workers,
        **common,
        **{k: asked[k] for k in WITHIN_RISE if k in asked},
    )


def begun_levels(
    plan: Plan, data: Inputs, designed: DesignedRiver, many: SideBySide, *, rehearse: bool = False
) -> Begun[DesignedRiver, tuple[RiverInFlood, LevelsBefore]]:
    """The designed river in flood, which is asked for later."""
    return many.begin(_river_in_flood, [designed], (plan, data.layers["rivers"], rehearse))


def _river_in_flood(
    of: tuple[Plan, gpd.GeoDataFrame, bool], designed: DesignedRiver, _: Callable[[str], None]
) -> tuple[RiverInFlood, LevelsBefore]:
    """Levels, and what follows of them whoever is affected; a rehearsal takes no band."""
    plan, rivers, rehearse = of
    asked, river = plan.flood, designed.as_asked() | {"rivers": rivers}
    profile = water_profile(**river)
    before = levels_before(
        **river, base=profile, losses=() if rehearse else LOSSES,
        roughness_share=0.0 if rehearse else asked["roughness_share"],
    )  # fmt: skip
    first = profile[profile["profile"] == profile["profile"].iloc[0]]
    lines = section_lines(designed.sections, rivers)
    wet = inundation(first, plan.tiles(asked["dem"]), rivers, structures=designed.structures)
    above = freeboard(profile, designed.sections, banks=designed.banks, rivers=rivers)
    # beside the levels and not in them: whoever sets a freeboard says whether it is in it
    bends = bend_rises(profile, rivers)
    open_ = above[["freeboard_left_m", "freeboard_right_m"]].notna().any(axis=1).to_numpy()
    above = above.assign(outer_bank=bends["outer_bank"].where(open_).to_numpy(),
                         bend_rise_m=bends["bend_rise_m"].where(open_).to_numpy())  # fmt: skip
    if asked.get("bank_freeboard_m") is not None:
        height, standard, clause = (asked[key] for key in BANK_FREEBOARD)
        above = above.assign(
            freeboard_asked_m=float(height), freeboard_source=f"{standard} {clause}"
        )
    meets = designed.junctions
    at = None if meets is None else junction_levels(profile, meets)
    return RiverInFlood(profile, above, lines, wet, at), before


def _require_no_contradiction(said: pd.Series, layer: pd.Series) -> None:
    """Refuse evidence that says of a building another thing than the layers do.

    The verdict would follow the one, and who clears the building the other.
    """
    if not pd.api.types.is_bool_dtype(layer):
        return
    both = said.notna() & layer.notna()
    odd = both[both].index[(said[both].astype(bool) != layer[both].astype(bool)).to_numpy()]
    if len(odd):
        raise LayerError(
            f"says of {said.name} ({label(str(said.name))}) another thing than the layers",
            layer="evidence",
            ids=odd,
            hint="leave these cells blank where the layers are right, else correct the layers",
        )


def _levels_beside(
    of: tuple[pd.DataFrame, gpd.GeoDataFrame, list[Path], pd.DataFrame | None],
    houses: gpd.GeoDataFrame,
    _: Callable[[str], None],
) -> pd.DataFrame:
    """Levels beside houses."""
    profile, rivers, dem, structures = of
    return flood_levels(houses, profile, rivers, dem=dem, structures=structures)


def verdicts_in_flood(
    plan: Plan,
    data: Inputs,
    designed: DesignedRiver,
    flood: RiverInFlood,
    before: LevelsBefore,
    hit: gpd.GeoDataFrame,
    tell: Callable[[str], None],
    *,
    rehearse: bool = False,
    workers: Workers = 1,
) -> pd.DataFrame:
    """Which of the buildings inside the red line may stay, and what is known of them."""
    rivers, asked, dem = data.layers["rivers"], plan.flood, plan.tiles(plan.flood["dem"])
    river = designed.as_asked() | {"rivers": rivers}
    # of one house a river in a rehearsal: what is refused, is refused for it
    risen = gpd.GeoDataFrame(hit.groupby("river", sort=False).head(1)) if rehearse else hit
    first = flood.profile[flood.profile["profile"] == flood.profile["profile"].iloc[0]]
    with side_by_side(workers) as many:
        beside = many.begin(_levels_beside, [hit], (first, rivers, dem, designed.structures))
        standing = building_obstacles(
            risen, designed.sections, rivers, structures=designed.structures
        )
        rises = rises_above(
            before, standing, risen, **river, allowed_mm=asked["allowed_mm"], progress=tell,
            workers=many,
        )  # fmt: skip
        (above,) = beside.results()
    rises = rises.reindex(hit.index)
    places = ("rise_river", "rise_at_m", "rise_repeated")
    columns = [c for c in rises.columns if c.startswith("rise_") and c not in places]
    known = rises[columns].dropna(axis=1, how="all")
    known = known.reindex(
        columns=known.columns.union(["rise_alone_mm", "rise_joint_mm"], sort=False)
    )
    known = known.join(above[["flood_level_m", "freeboard_m"]]).join(rises["doubts"])
    if "evidence" in data.flood:
        said = data.flood["evidence"].set_index("building_id")
        known = known.join(said[[c for c in said.columns if c not in known.columns]])
        for column in known.columns.intersection(hit.columns):  # a cell left blank denies no layer
            _require_no_contradiction(known[column], hit[column])
            known[column] = known[column].where(known[column].notna(), hit[column])
    rules = None if asked["rules"] is None else retention_rules(plan.file(asked["rules"]))
    verdict = retention_verdict(
        hit, known, limits={k: float(asked[k]) for k in LIMITS}, rules=rules, lang=plan.lang
    )
    return verdict.join(
        known.drop(columns=["doubts", *(c for c in known.columns if c in hit.columns)])
    )


def tables_of_searches(
    least: Mapping[str, LeastDemolition | WithinRise],
) -> dict[str, pd.DataFrame]:
    """Widths and proof of each search, and the nodes and rises of one within a rise, by file."""
    stems = file_names(least)
    found: dict[str, pd.DataFrame] = {}
    for scheme, best in least.items():
        made = {"widths": best.widths, "proof": best.certificate}
        if isinstance(best, WithinRise):
            # the file is named for the scheme
            made |= {"searched": best.nodes, "rise": best.rise.drop(columns="scheme")}
        found |= {f"{what}_{stems[scheme]}.xlsx": table for what, table in made.items()}
    return found
