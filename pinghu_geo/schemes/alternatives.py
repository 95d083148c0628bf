"""Which design is better, building by building? Schemes assessed, and held against another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang, nearest
from pinghu_geo.redline.overlap import known_sums, taken_by_line, totals
from pinghu_geo.river.centreline import by_measure, lay_out, river_codes, squares_at
from pinghu_geo.river.corridor import locate, river_ends
from pinghu_geo.schemes.cost import compensation
from pinghu_geo.schemes.nodes import node_ids

__all__ = [
    "Assessment", "Comparison", "Differences", "assess", "assessed", "compare",
    "compare_assessed", "differences",
]  # fmt: skip

# so far from the centreline a red line is looked for first [m]
NEAR_M = 500.0


@dataclass(frozen=True, slots=True)
class Assessment(Result):
    """What one scheme does: its affected buildings and their sums 方案评估.

    Attributes
    ----------
    affected
        Buildings that the scheme takes, with node_id and, where rates were given, cost.
    totals
        One row of sums, works area [m²] and number of nodes included.
    red_line
        The scheme's line.
    """

    SHOWN: ClassVar = ("totals",)

    affected: gpd.GeoDataFrame
    totals: pd.DataFrame
    red_line: gpd.GeoDataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """What the scheme takes."""
        row = self.totals.iloc[0]
        return [
            say(
                "{} buildings are affected, {} of them whole.",
                lang,
                f"{row['n_buildings']:,.0f}",
                f"{row['n_full']:,.0f}",
            )
        ]


@dataclass(frozen=True, slots=True)
class Differences(Result):
    """What one scheme does otherwise than another, with the reason 方案差异.

    Attributes
    ----------
    buildings
        One row a building whose state differs: building_id, change {saved, added, less, more},
        redesign_id, river, bank, chainage_m, moved_m, extent and inside area before and after,
        avoided floor area [m²], tenants, yuan (negative where the second scheme takes more).
    redesigned
        One row a re-designed node (redesign_id): river, from_m, to_m, moved_left_m, moved_right_m
        (the largest moves of the line), and the sums of ``buildings``.
    """

    SHOWN: ClassVar = ("redesigned",)

    buildings: gpd.GeoDataFrame
    redesigned: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """What is taken otherwise, and where."""
        kinds = self.buildings["change"].value_counts()
        return [
            say(
                "{} nodes are re-designed: {} buildings saved, {} added, {} taken less of, "
                "{} more.",
                lang,
                len(self.redesigned),
                *(kinds.get(k, 0) for k in ("saved", "added", "less", "more")),
            )
        ]


@dataclass(frozen=True, slots=True)
class Comparison(Result):
    """Schemes against a baseline 方案比选.

    Attributes
    ----------
    baseline
        Name of the scheme that the others are held against.
    totals
        One row a scheme, indexed by its name.
    changes
        One row a building whose state differs from the baseline's: scheme, building_id,
        change {saved, added, less, more}, river, bank, chainage_m, repeated (which place of a
        chainage that a long chain repeats), node_id, extent and inside
        area before and after, and what is avoided: floor area [m²], tenants, yuan (negative
        where more is taken, NA where unknown).
    by_river, by_node
        Sums of ``changes`` by scheme and river, and by scheme and node: of what is known, with
        the buildings of which it isn't counted in n_unknown and n_tenants_unknown; NA where
        nothing is known, of yuan where anything is unknown.
    schemes
        Assessment of each scheme.
    """

    SHOWN: ClassVar = ("totals",)

    baseline: str
    totals: pd.DataFrame
    changes: gpd.GeoDataFrame
    by_river: pd.DataFrame
    by_node: pd.DataFrame
    schemes: dict[str, Assessment]

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """One sentence a scheme: what it saves against the baseline."""
        said = []
        for scheme, row in _change_sums(self.changes, ["scheme"]).iterrows():
            parts = [
                say("spares {} buildings", lang, f"{row['n_saved']:,.0f}"),
                say("takes {} others", lang, f"{row['n_added']:,.0f}"),
                _amount_text("floor_area", row["avoided_floor_area_m2"], row["n_unknown"], lang),
                _amount_text("tenants", row["avoided_tenants"], row["n_tenants_unknown"], lang),
            ]
            if self.changes["avoided_yuan"].notna().any():
                parts.append(_amount_text("yuan", row["avoided_yuan"] / 1e4, 0, lang))
            listed = ("," if lang == "zh" else ", ").join(parts)
            said.append(say("{} against {}: {}.", lang, scheme, self.baseline, listed))
        places = pd.concat([s.affected["repeated"] for s in self.schemes.values()])
        if n := int((~places.index.duplicated() & places.notna()).sum()):
            said.append(
                say(
                    "{} affected buildings have a chainage that occurs twice (long chain): "
                    "each says which place is meant.",
                    lang,
                    f"{n:,}",
                )
            )
        return said


@takes()
def assess(
    red_line: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    rates: pd.DataFrame | None = None,
    partial_rule: Literal["whole", "share"] = "whole",
    survey_tolerance_m: float = 0.5,
    gap_m: float = 50.0,
    max_length_m: float = 300.0,
) -> Assessment:
    """Affected buildings of one scheme, their cost, nodes and sums 方案评估.

    Parameters
    ----------
    red_line
        Polygons with a column ``river``.
    buildings
        Footprints, indexed by building_id.
    rivers
        Centrelines drawn downstream, indexed by river.
    rates
        Table for `compensation`; without it there is no cost.
    partial_rule, survey_tolerance_m
        Passed to `affected`.
    gap_m, max_length_m
        Passed to `node_ids` [m].

    Returns
    -------
    Assessment
        Affected buildings with node_id, and one row of sums.

    Raises
    ------
    LayerError, CRSError, RateError
        A layer can't be used, or a building has no rate.

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> found = pg.assess(pg.red_line(rivers, 9.0), buildings, rivers)
    >>> bool(found.totals["n_buildings"].iloc[0] == len(found.affected))
    True
    """
    return assessed(
        red_line,
        buildings,
        rivers,
        rates=rates,
        partial_rule=partial_rule,
        survey_tolerance_m=survey_tolerance_m,
        gap_m=gap_m,
        max_length_m=max_length_m,
    )


def assessed(
    red_line: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    rates: pd.DataFrame | None = None,
    partial_rule: Literal["whole", "share"] = "whole",
    survey_tolerance_m: float = 0.5,
    gap_m: float = 50.0,
    max_length_m: float = 300.0,
    depths: bool = True,
) -> Assessment:
    """What `assess` says, perhaps without depths (see `taken_by_line`)."""
    hit = taken_by_line(
        buildings,
        red_line,
        rivers,
        partial_rule=partial_rule,
        survey_tolerance_m=survey_tolerance_m,
        depths=depths,
    )
    hit["node_id"] = node_ids(hit, gap_m=gap_m, max_length_m=max_length_m, rivers=rivers)
    if rates is not None:
        costs = compensation(hit, rates)
        # buildings that were assessed before are assessed again
        hit = hit.drop(columns=costs.columns, errors="ignore").join(costs)
    sums = totals(hit)
    sums["works_m2"] = shapely.disjoint_subset_union_all(red_line.geometry.to_numpy()).area
    sums["n_nodes"] = hit["node_id"].nunique()
    return Assessment(hit, sums, red_line)


@takes(schemes="red_line")
def compare(
    schemes: Mapping[str, gpd.GeoDataFrame],
    buildings: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    rates: pd.DataFrame | None = None,
    baseline: str | None = None,
    partial_rule: Literal["whole", "share"] = "whole",
    survey_tolerance_m: float = 0.5,
    gap_m: float = 50.0,
    max_length_m: float = 300.0,
) -> Comparison:
    """Any number of schemes against a baseline, building by building 方案比选.

    Parameters
    ----------
    schemes
        Red line of each scheme by its name.
    buildings
        Footprints, indexed by building_id.
    rivers
        Centrelines drawn downstream, indexed by river.
    rates
        Table for `compensation`; without it there is no cost.
    baseline
        Name of the scheme to hold the others against; the first by default.
    partial_rule, survey_tolerance_m
        Passed to `affected`.
    gap_m, max_length_m
        Passed to `node_ids` [m].

    Returns
    -------
    Comparison
        Tables of totals, changes by building, and their sums by river and node.

    Raises
    ------
    LayerError
        Fewer than one scheme, or an unknown baseline.
    CRSError, RateError
        As `assess`.

    Notes
    -----
    A node is named after the baseline's nodes; an added building after the scheme's own.

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> both = pg.compare({"宽": pg.red_line(rivers, 9.0), "窄": pg.red_line(rivers, 8.0)},
    ...                   buildings, rivers)
    >>> set(both.changes["change"]) <= {"saved", "less"}
    True
    """
    names = list(schemes)
    if not names:
        raise LayerError("no scheme to compare", hint='pg.compare({"原方案": red_line}, ...)')
    baseline = names[0] if baseline is None else baseline
    if baseline not in schemes:
        raise LayerError(f"baseline {baseline!r} is no scheme", hint=nearest(baseline, names))
    done = {
        name: assess(
            line,
            buildings,
            rivers,
            rates=rates,
            partial_rule=partial_rule,
            survey_tolerance_m=survey_tolerance_m,
            gap_m=gap_m,
            max_length_m=max_length_m,
        )
        for name, line in schemes.items()
    }
    return compare_assessed(done, baseline=baseline, partial_rule=partial_rule)


def compare_assessed(
    done: Mapping[str, Assessment],
    *,
    baseline: str | None = None,
    partial_rule: Literal["whole", "share"] = "whole",
) -> Comparison:
    """Schemes that were assessed by the same rules against a baseline; by default the first."""
    baseline = next(iter(done)) if baseline is None else baseline
    sums = pd.concat([one.totals for one in done.values()])
    sums.index = pd.Index(list(done), name="scheme")
    parts = [
        _changed_buildings(
            done[baseline].affected, one.affected, whole=partial_rule == "whole"
        ).assign(scheme=name)
        for name, one in done.items()
        if name != baseline
    ] or [
        _changed_buildings(done[baseline].affected, done[baseline].affected).assign(scheme=baseline)
    ]
    changes = pd.concat(parts, ignore_index=True)
    changes = changes[["scheme", *changes.columns.drop(["scheme", "geometry"]), "geometry"]]
    return Comparison(
        baseline=baseline,
        totals=sums,
        changes=gpd.GeoDataFrame(changes, geometry="geometry", crs=done[baseline].affected.crs),
        by_river=_change_sums(changes, ["scheme", "river"]),
        by_node=_change_sums(changes, ["scheme", "node_id"]),
        schemes=dict(done),
    )


@takes()
def differences(
    before: Assessment, after: Assessment, rivers: gpd.GeoDataFrame, *, gap_m: float = 50.0
) -> Differences:
    """Every building whose state differs between two schemes, and why 方案逐栋差异.

    Parameters
    ----------
    before, after
        Results of `assess` on the same buildings; any two schemes, none need be a baseline.
    rivers
        Centrelines drawn downstream, indexed by river.
    gap_m
        Changed buildings of one river, on either bank, whose stretches lie further apart than this
        [m] belong to different re-designed nodes.

    Returns
    -------
    Differences
        The buildings with the metres that the line moved on their bank at their chainage (negative:
        towards the river), and the re-designed nodes with their sums.

    Raises
    ------
    LayerError, CRSError
        The schemes were not assessed on one CRS, or a building's river is not in ``rivers``.

    Notes
    -----
    Identities: a scheme differs in nothing from itself; exchanging the two changes every sign and
    saved for added; what is avoided from A to B and from B to C adds up to A to C.

    ``moved_m`` is measured along the perpendicular to the centreline at the building, from the
    centreline to where it first leaves the red line; 0.0 where only another part of the line
    reaches the building (a bend, another river).

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> wide, narrow = (pg.assess(pg.red_line(rivers, w), buildings, rivers) for w in (9.0, 8.0))
    >>> found = pg.differences(wide, narrow, rivers)
    >>> round(float(found.buildings["moved_m"].median()), 3)
    -1.0
    """
    table = _changed_buildings(before.affected, after.affected)
    places = pd.concat([after.affected, before.affected])
    places = places[~places.index.duplicated(keep="last")].loc[table["building_id"]]
    reach = [_line_reach(one.red_line, places, rivers) for one in (before, after)]
    table["moved_m"] = np.round(reach[1] - reach[0], 6)
    table["redesign_id"] = _redesign_names(places, gap_m, rivers)
    first = ["building_id", "change", "redesign_id", "river", "bank", "chainage_m", "moved_m"]
    table = table[[*first, *table.columns.drop([*first, "geometry", "node_id"]), "geometry"]]
    along, said = river_ends(places, rivers)
    spans = pd.DataFrame(along, columns=["low", "high"]).assign(river=places["river"].to_numpy())
    by = spans.groupby(table["redesign_id"].to_numpy(), sort=False)
    nodes = pd.DataFrame(
        {
            "river": by["river"].first(),
            "from_m": said[by["low"].idxmin().to_numpy(int), 0],
            "to_m": said[by["high"].idxmax().to_numpy(int), 1],
        }
    ).rename_axis("redesign_id")
    for bank in ("left", "right"):
        mine = table[table["bank"] == bank].set_index("redesign_id")["moved_m"]
        largest = mine.groupby(level=0).agg(lambda v: v.iloc[int(np.argmax(np.abs(v.to_numpy())))])
        nodes[f"moved_{bank}_m"] = largest.reindex(nodes.index)
    nodes = nodes.join(_change_sums(table, ["redesign_id"]))
    return Differences(gpd.GeoDataFrame(table, geometry="geometry", crs=before.affected.crs), nodes)


def _line_reach(
    red_line: gpd.GeoDataFrame, places: gpd.GeoDataFrame, rivers: gpd.GeoDataFrame
) -> NDArray[np.float64]:
    """How far a red line reaches from the centreline on each building's bank [m]."""
    lines, chainage = lay_out(rivers), places["chainage_m"]
    if any(scale.equations for scale in lines.scales):  # a chainage may be two places
        lines = lay_out(by_measure(rivers))
        chainage = locate(places, by_measure(rivers), river=places["river"])["chainage_m"]
    code = river_codes(places["river"], lines, "affected")
    point, right = squares_at(lines, code, chainage.to_numpy(float))
    out = np.where(places["bank"].astype(object) == "left", -1.0, 1.0)[:, None] * right
    union = red_line.geometry.union_all()
    shapely.prepare(union)
    found = np.zeros(len(places))
    left, far = np.arange(len(places)), NEAR_M
    while len(left):
        rays = np.asarray(shapely.linestrings(np.stack([point, point + far * out], axis=1)[left]))
        parts, of = shapely.get_parts(shapely.intersection(rays, union), return_index=True)
        of = left[of]
        # the part that begins at the centreline
        begins = shapely.distance(parts, shapely.points(point[of])) < 1e-6
        found[of[begins]] = shapely.length(parts[begins])
        left, far = left[found[left] > far - 1e-6], 2 * far
    return found


def _redesign_names(places: gpd.GeoDataFrame, gap_m: float, rivers: gpd.GeoDataFrame) -> list[str]:
    """Names of re-designed nodes: runs of changed buildings along a river, whichever the bank."""
    low, high = river_ends(places, rivers)[0].T
    river = places["river"].astype(str).to_numpy()
    names = np.empty(len(places), dtype=object)
    for one in dict.fromkeys(river):
        mine = np.flatnonzero(river == one)
        mine = mine[np.argsort(low[mine], kind="stable")]
        reached = np.r_[-np.inf, np.maximum.accumulate(high[mine])[:-1]]
        number = np.cumsum(low[mine] - reached > gap_m)
        names[mine] = [f"{one}-D{k:02d}" for k in number]
    return list(names)


def _changed_buildings(
    before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, *, whole: bool = False
) -> pd.DataFrame:
    """Buildings whose state differs, those of the baseline first, in their order.

    ``whole``: a building that is cut counts as a whole, so its floor area stays what it is.
    """
    ids = before.index.append(after.index.difference(before.index, sort=False))
    old, new = before.reindex(ids), after.reindex(ids)
    inside_old, inside_new = old["inside_m2"].fillna(0.0), new["inside_m2"].fillna(0.0)
    change = np.select(
        [
            new["extent"].isna(),
            old["extent"].isna(),
            inside_new < inside_old - 1e-6,
            inside_new > inside_old + 1e-6,
        ],
        ["saved", "added", "less", "more"],
        default="",
    )

    stays = old["extent"].notna() & new["extent"].notna()

    def avoided(column: str, *, changes_inside: bool = True) -> pd.Series:
        """What the second scheme doesn't take; NA where it isn't known how much that is."""
        less = pd.Series(np.nan, index=ids)
        if column in before:
            # a scheme takes nothing of a building that it leaves: that is known
            a, b = (s[column].astype(float).where(s["extent"].notna(), 0.0) for s in (old, new))
            less = a - b
        return less if changes_inside else less.mask(stays, 0.0)

    place = ["river", "bank", "chainage_m", "repeated", "node_id", "geometry"]
    table = pd.DataFrame(old[place].where(old["extent"].notna(), new[place]))
    # a building that is cut less is demolished all the same: its tenants go
    tenants = avoided("tenants", changes_inside=False)
    table = table.assign(
        building_id=ids,
        change=change,
        extent_before=old["extent"],
        extent_after=new["extent"],
        inside_before_m2=inside_old,
        inside_after_m2=inside_new,
        avoided_floor_area_m2=avoided("demolish_floor_area_m2", changes_inside=not whole),
        avoided_tenants=tenants.round().astype("Int64"),
        avoided_yuan=avoided("cost_yuan"),
    )
    first = ["building_id", "change"]
    table = table[[*first, *table.columns.drop([*first, "geometry"]), "geometry"]]
    changed: pd.DataFrame = table[change != ""]
    return changed.reset_index(drop=True)


def _change_sums(changes: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Counts and sums of changes by group; what is unknown is counted, not taken for 0."""
    area = changes["avoided_floor_area_m2"].astype(float)
    tenants = changes["avoided_tenants"].astype(float)
    # the 0 of a house that both schemes take is no knowledge of those that one takes
    one_takes = changes["change"].isin(["saved", "added"])
    one = pd.DataFrame(
        {
            "n_saved": (changes["change"] == "saved").astype(int),
            "n_added": (changes["change"] == "added").astype(int),
            "avoided_floor_area_m2": area.where(one_takes | (area != 0)),
            "n_unknown": area.isna().astype(int),
            "avoided_tenants": tenants.where(one_takes | (tenants != 0)),
            "n_tenants_unknown": tenants.isna().astype(int),
            "avoided_yuan": changes["avoided_yuan"].astype(float),
        }
    )
    sums = known_sums(one, [changes[k] for k in by])
    for name, unknown in (
        ("avoided_floor_area_m2", "n_unknown"), ("avoided_tenants", "n_tenants_unknown"),
    ):  # fmt: skip
        sums[name] = sums[name].where(sums[name].notna() | (sums[unknown] > 0), 0.0)
    return sums


# of an amount: less, more, unknown, and of how many it isn't known
AMOUNTS = {
    "floor_area": (
        "{} m² of floor area less", "{} m² of floor area more",
        "floor area less by an unknown amount", "{} buildings of unknown floor area",
    ),
    "tenants": (
        "{} tenants less", "{} tenants more", "tenants less by an unknown number",
        "{} buildings with unknown tenants",
    ),
    "yuan": (
        "{} times 10,000 yuan of compensation less", "{} times 10,000 yuan of compensation more",
        "compensation less by an unknown sum", "{}",
    ),
}  # fmt: skip


def _amount_text(what: str, value: Any, unknown: float, lang: Lang) -> str:
    """What is saved, or spent where it is negative; and of how many that isn't known."""
    less, more, nothing, lost = AMOUNTS[what]
    missing = say(lost, lang, f"{unknown:,.0f}") if unknown else ""
    gap = "" if lang == "zh" else " "
    if pd.isna(value):
        return say(nothing, lang) + (f"{gap}({missing})" if missing else "")
    word = less if float(value) > -1e-6 else more  # below that it is rounding
    text = say(word, lang, f"{abs(float(value)):,.0f}")
    return text + (gap + say("(and {})", lang, missing) if missing else "")
