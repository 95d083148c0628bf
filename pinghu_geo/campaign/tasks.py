"""What is ours to clear? Classes of the adopted scheme, its tasks, tenants and nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.nouns.codes import OWN
from pinghu_geo.nouns.door import same_ids, takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.notices import notify
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang, code_label, label, nearest, numbers, require_columns
from pinghu_geo.nouns.tables import groups_of
from pinghu_geo.river.corridor import river_ends
from pinghu_geo.schemes.nodes import BANK_LETTER, node_ids, node_table

__all__ = ["CLASSES", "CampaignTasks", "campaign_tasks"]

# where several fit, the first holds; `task` is what is left
CLASSES = ("others", "retain", "review", "survey", "task")
TENURES = ("collective", "private", "state")
TOTALS = ("floor_area_m2", "n_buildings", "n_tenants", "cost_yuan")


@dataclass(frozen=True, slots=True)
class CampaignTasks(Result):
    """The adopted scheme, split into what is ours to clear and what isn't 征拆任务.

    Attributes
    ----------
    buildings : geopandas.GeoDataFrame
        All affected buildings with task_class, payer, others_due, node_id (of tasks only).
    tenants : pandas.DataFrame
        Indexed by tenant_id, with building_id, node_id and task_class; empty where none are given.
    nodes : geopandas.GeoDataFrame
        Nodes of tasks only, as `node_table`, with length_m, n_rooms, n_parcels, n_collective,
        n_private, n_state.
    classes : pandas.DataFrame
        A row a class: counts, floor area, tenants, yuan, and how many of each are not known.
    share : pandas.DataFrame
        The tasks beside the district's totals; empty where none are given.
    """

    SHOWN: ClassVar = ("classes",)

    buildings: gpd.GeoDataFrame
    tenants: pd.DataFrame
    nodes: gpd.GeoDataFrame
    classes: pd.DataFrame
    share: pd.DataFrame

    def by_reaches(
        self, segments: pd.DataFrame, tenants: pd.DataFrame | None, rivers: gpd.GeoDataFrame | None
    ) -> CampaignTasks:
        """The same tasks with the groups of responsible reaches; tenants and rivers as before."""
        known = None if tenants is None else self.tenants
        ours = self.buildings[self.buildings["task_class"] == "task"]
        return replace(self, nodes=_nodes_of_tasks(ours, known, segments, rivers))

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """Sentences for people: each class by itself, never mixed."""
        lines = []
        for code, row in self.classes[self.classes["n_buildings"] > 0].iterrows():
            if pd.isna(row["demolish_floor_area_m2"]):
                area = say("floor area unknown", lang)
            else:
                area = say("floor area {} m²", lang, f"{row['demolish_floor_area_m2']:,.0f}")
                if row["n_unknown"]:
                    lost = say(
                        "{} buildings of unknown floor area", lang, f"{row['n_unknown']:.0f}"
                    )
                    area += say("(and {})", lang, lost)
            word = code_label("task_class", code, lang=lang)
            lines.append(say("{}: {} buildings, {}", lang, word, f"{row['n_buildings']:.0f}", area))
            if code == "survey":
                lines.append(say(
                    "{}: house and line are nearer to one another than they are known. Measure on "
                    "site and correct either; what is sure then becomes a task by a smaller "
                    "survey_tolerance_m in [rules].", lang, word))  # fmt: skip
        for _, row in self.share.iterrows():
            if pd.isna(row["share_ratio"]):
                share = say("unknown", lang)
            else:
                share = f"{row['share_ratio']:.2%}"
                share = say("at least {}", lang, share) if row["n_unknown"] else share
            column = label(str(row["column"]), lang=lang, unit=False)
            lines.append(
                say("Share of the district's total that is ours ({}): {}", lang, column, share)
            )
        return lines

    def undecided(self, *, lang: Lang = "zh") -> str:
        """What stands within the line and is no task yet; empty where there is nothing."""
        words = [
            say("{}: {} buildings", lang, code_label("task_class", code, lang=lang), f"{n:.0f}")
            for code, n in self.classes["n_buildings"].items()
            if code in ("review", "survey") and n > 0
        ]
        return say("no tasks yet: {}", lang, say(", ", lang).join(words)) if words else ""


@takes(tenants="tenants")
def campaign_tasks(
    affected: gpd.GeoDataFrame,
    *,
    tenants: pd.DataFrame | None = None,
    zones: pd.DataFrame | None = None,
    segments: pd.DataFrame | None = None,
    frozen: pd.Series | None = None,
    district_total: Mapping[str, float] | None = None,
    gap_m: float = 50.0,
    max_length_m: float = 300.0,
    rivers: gpd.GeoDataFrame | None = None,
) -> CampaignTasks:
    """Tasks of the adopted scheme: what is ours to clear, by node 征拆任务.

    Parameters
    ----------
    affected
        Affected buildings of the adopted scheme, with needs_survey; verdict, cleared_by and
        in_project, cost_yuan, tenants, rooms, parcel_id, tenure where known.
    tenants
        Indexed by tenant_id (or with it as a column): building_id, kind, name, area_m2.
    zones
        Renewal and other areas indexed by zone_id, with due: the day until which their own
        developers clear.
    segments
        Responsible reaches, as for `node_table`.
    frozen
        node_id of each building on the day of adoption: kept, whatever is added later.
    district_total
        Sums of the whole district's clearance: floor_area_m2, n_buildings, n_tenants, cost_yuan.
    gap_m, max_length_m, rivers
        As for `node_ids`; lengths are along the rivers.

    Returns
    -------
    CampaignTasks
        ``buildings``, ``tenants``, ``nodes``, ``classes``, ``share``.

    Raises
    ------
    LayerError
        A column is missing, ids occur twice, or a tenant has no building.

    Notes
    -----
    Of the classes that fit a building the first holds: 他方清拆 (``others``: a renewal,
    consolidation or other project clears it), 保留 (``retain``), 待核 (``review``: evidence is
    missing), 待勘 (``survey``: a sliver below the survey tolerance), 任务 (``task``). With a
    verdict column, a building without a verdict is 待核. Sums are of what is known; beside them
    stands how many are not.

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> hit = pg.affected(buildings, pg.red_line(rivers, 9.0), rivers)
    >>> found = pg.campaign_tasks(hit)
    >>> int(found.classes["n_buildings"].sum()) == len(hit)
    True
    >>> ours = found.buildings["task_class"] == "task"
    >>> bool((found.buildings["node_id"].notna() == ours).all())
    True
    """
    require_columns(affected, ["river", "bank", "from_m", "to_m", "needs_survey"], "affected")
    if not affected.index.is_unique:
        raise LayerError(
            "has duplicate ids",
            layer="affected",
            ids=affected.index[affected.index.duplicated()].unique(),
        )
    rows = affected.drop(columns=["node_id", "task_class", "payer", "others_due"], errors="ignore")
    theirs = _is_cleared_by_others(rows)
    rows["task_class"] = _classes_of_buildings(rows, theirs)
    rows["payer"] = _payers_of_buildings(rows, theirs)
    rows["others_due"] = _dates_of_others(rows, zones, theirs)
    ours = rows[rows["task_class"] == "task"]
    ids = _adopted_node_ids(
        ours, frozen, {"gap_m": gap_m, "max_length_m": max_length_m, "rivers": rivers}
    )
    rows["node_id"] = ids.reindex(rows.index)
    people = _tenants_with_nodes(rows, tenants)
    known = None if tenants is None else people
    nodes = _nodes_of_tasks(rows[rows["task_class"] == "task"], known, segments, rivers)
    classes = _counts_and_sums(rows, "task_class", known).reindex(list(CLASSES))
    # a class that nothing falls into comes to 0; one of which nothing is known, to NA
    classes.loc[classes["n_buildings"].isna()] = 0
    none = [c for c in classes.columns if c.startswith("n_") and classes[c].notna().all()]
    classes[none] = classes[none].astype(int)
    return CampaignTasks(rows, people, nodes, classes, _shares_of_district(classes, district_total))


def _is_cleared_by_others(rows: pd.DataFrame) -> pd.Series:
    """Which buildings another project clears."""
    if "in_project" in rows:
        return rows["in_project"].fillna(False).astype(bool)
    if "cleared_by" in rows:
        return rows["cleared_by"].notna() & (rows["cleared_by"] != OWN)
    return pd.Series(False, index=rows.index)


def _classes_of_buildings(rows: pd.DataFrame, theirs: pd.Series) -> pd.Series:
    """Class of each building, the first that fits."""
    verdict = rows.get("verdict", pd.Series("demolish", index=rows.index, dtype=object))
    known = verdict.dropna().unique()
    for word in known:
        if word not in ("demolish", "retain", "review"):
            raise LayerError(
                f"has the unknown verdict {word!r}",
                layer="affected",
                ids=rows.index[verdict == word],
                hint=nearest(word, ("demolish", "retain", "review")),
            )
    sliver = rows["needs_survey"].fillna(True).astype(bool)
    review = (verdict == "review") | verdict.isna()
    choices = [theirs, verdict == "retain", review, sliver]
    found = np.select([c.to_numpy(bool) for c in choices], list(CLASSES[:-1]), default=CLASSES[-1])
    return pd.Series(found, index=rows.index, dtype="str")


def _payers_of_buildings(rows: pd.DataFrame, theirs: pd.Series) -> pd.Series:
    """Who pays: the other project's payer where one clears, else the works."""
    named = rows.get("cleared_by", pd.Series(pd.NA, index=rows.index, dtype=object))
    return named.where(theirs, OWN).astype("str").where(~theirs | named.notna())


def _dates_of_others(
    rows: pd.DataFrame, zones: pd.DataFrame | None, theirs: pd.Series
) -> pd.Series:
    """The other projects' own dates."""
    none = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[ns]")
    if zones is None or "due" not in zones or "zone_id" not in rows:
        return none
    dates = pd.to_datetime(zones["due"], errors="coerce").astype("datetime64[ns]")
    return rows["zone_id"].map(dates).where(theirs).astype("datetime64[ns]")


def _adopted_node_ids(
    ours: pd.DataFrame, frozen: pd.Series | None, rules: dict[str, Any]
) -> pd.Series:
    """Node of each task: as on the day of adoption; what came later joins one or gets a new one."""
    if frozen is None or frozen.empty:
        return node_ids(ours, **rules)
    found = frozen.dropna().reindex(ours.index).astype(object)
    late = ours[found.isna()]
    spans = pd.DataFrame(river_ends(ours, rules["rivers"])[0], ours.index, ["lo", "hi"])
    for (river, bank), part in groups_of(late.groupby(["river", "bank"], sort=True)):
        head = f"{river}-{BANK_LETTER[bank]}-"
        mine = found[found.notna() & found.astype(str).str.startswith(head)]
        nodes = spans.loc[mine.index].groupby(mine).agg({"lo": "min", "hi": "max"})
        homeless = []
        for building in part.index:
            lo, hi = spans.loc[building]
            apart = np.maximum(np.maximum(nodes["lo"] - hi, lo - nodes["hi"]), 0.0)
            long = np.maximum(nodes["hi"], hi) - np.minimum(nodes["lo"], lo)
            fits = apart[(apart <= rules["gap_m"]) & (long <= rules["max_length_m"])]
            if len(fits):
                found[building] = fits.idxmin()
            else:
                homeless.append(building)
        if homeless:
            taken = [n for n in frozen.dropna() if str(n).startswith(head)]
            last = max((int(str(n).rpartition("-")[2]) for n in taken), default=0)
            new = node_ids(ours.loc[homeless], **rules)
            number = new.str.rpartition("-")[2].astype(int) + last
            found[homeless] = [f"{head}{k:03d}" for k in number]
    return found.astype("str").rename("node_id")


def _tenants_with_nodes(rows: pd.DataFrame, tenants: pd.DataFrame | None) -> pd.DataFrame:
    """Tenants with the node and the class of their building."""
    if tenants is None:
        columns = ["building_id", "node_id", "task_class"]
        index = pd.Index([], name="tenant_id", dtype="str")
        return pd.DataFrame(columns=columns, index=index, dtype="str")
    people = tenants.set_index("tenant_id") if "tenant_id" in tenants else tenants.copy()
    people.index.name = "tenant_id"
    require_columns(people, ["building_id"], "tenants")
    if people.index.hasnans or not people.index.is_unique:
        twice = people.index[people.index.duplicated() | people.index.isna()]
        raise LayerError(
            "has tenant ids that are blank or occur twice",
            layer="tenants",
            ids=twice.unique(),
            hint="give each row its own id; who rents in two buildings has one for each",
        )
    home = same_ids(pd.Index(people["building_id"]), rows.index).to_series(people.index)
    lost = ~home.isin(rows.index)
    if lost.any():
        raise LayerError(
            "has tenants without a building among the affected ones",
            layer="tenants",
            ids=people.index[lost],
            hint="tenants = tenants[tenants.building_id.isin(affected.index)]  # when their "
            "buildings stay, as you know",
        )
    for column in ("node_id", "task_class"):
        people[column] = home.map(rows[column])
    return people


def _counts_and_sums(rows: pd.DataFrame, by: str, people: pd.DataFrame | None) -> pd.DataFrame:
    """Counts and sums of what is known, and how many aren't: 栋, 间, 户, 宗, m², 元."""
    area = numbers(rows, "demolish_floor_area_m2", "affected")
    one = pd.DataFrame({"n_buildings": 1, "demolish_floor_area_m2": area}, index=rows.index)
    one["n_unknown"] = area.isna().astype(int)
    source = rows.get("floor_area_source", pd.Series(pd.NA, index=rows.index, dtype=object))
    one["estimated_m2"] = area.where((source == "estimated").fillna(False), 0.0)
    if "cost_yuan" in rows:
        one["cost_yuan"] = numbers(rows, "cost_yuan", "affected")
        one["n_unpriced"] = one["cost_yuan"].isna().astype(int)
    found = one.groupby(rows[by], sort=True).sum()
    for column, lost in (("demolish_floor_area_m2", "n_unknown"), ("cost_yuan", "n_unpriced")):
        if column in found:  # nothing known of any is NA, not 0
            found[column] = found[column].where(found[lost] < found["n_buildings"])
    groups = rows.groupby(by, sort=True)
    if "rooms" in rows:
        found["n_rooms"] = numbers(rows, "rooms", "affected").groupby(rows[by]).sum(min_count=1)
    if people is not None:
        found["n_tenants"] = people.groupby(by).size().reindex(found.index, fill_value=0)
    elif "tenants" in rows:
        count = numbers(rows, "tenants", "affected")
        whole = count.isna().groupby(rows[by]).any()
        found["n_tenants"] = count.groupby(rows[by]).sum().where(~whole)
    else:
        found["n_tenants"] = np.nan
    if "parcel_id" in rows:
        found["n_parcels"] = groups["parcel_id"].nunique()
    return found


def _nodes_of_tasks(
    ours: gpd.GeoDataFrame,
    people: pd.DataFrame | None,
    segments: pd.DataFrame | None,
    rivers: gpd.GeoDataFrame | None,
) -> gpd.GeoDataFrame:
    """Nodes of tasks, with what stages and priorities count."""
    table = node_table(ours, segments, rivers=rivers)
    sums = _counts_and_sums(ours, "node_id", people).reindex(table.index)
    # a node with a building of unknown floor area has an unknown floor area, not a smaller one
    sums["demolish_floor_area_m2"] = sums["demolish_floor_area_m2"].where(sums["n_unknown"] == 0)
    for column in sums.columns.difference(["n_buildings"]):
        table[column] = sums[column]
    along = pd.DataFrame(river_ends(ours, rivers)[0], ours.index, ["lo", "hi"])
    reach = along.groupby(ours["node_id"]).agg({"lo": "min", "hi": "max"}).reindex(table.index)
    table["length_m"] = reach["hi"] - reach["lo"]
    tenure = ours.get("tenure", pd.Series(pd.NA, index=ours.index, dtype=object))
    for word in TENURES:
        fits = (tenure == word).fillna(False).astype(int)
        table[f"n_{word}"] = fits.groupby(ours["node_id"]).sum().reindex(table.index)
    return gpd.GeoDataFrame(table)


def _shares_of_district(classes: pd.DataFrame, total: Mapping[str, float] | None) -> pd.DataFrame:
    """The tasks' share of the district's clearance."""
    rows = []
    for column, whole in (total or {}).items():
        if column not in TOTALS:
            raise LayerError(f"district_total: {column!r} is not known",
                             hint=nearest(column, TOTALS))  # fmt: skip
        number: Any = whole
        if not isinstance(number, int | float | np.number) or not 0 < number < np.inf:
            raise LayerError(f"district_total: {column} is {whole}", hint="state the whole sum")
        mine = "demolish_floor_area_m2" if column == "floor_area_m2" else column
        value = float(classes[mine]["task"]) if mine in classes else np.nan
        lost = {"floor_area_m2": "n_unknown", "cost_yuan": "n_unpriced"}.get(column, "")
        unknown = int(classes[lost]["task"]) if lost in classes else 0
        rows.append({"column": column, "value": value, "district_total": float(whole),
                     "share_ratio": value / float(whole), "n_unknown": unknown})  # fmt: skip
        if value > whole:
            notify(f"district_total: the tasks' {column} is {value:,.0f}, more than the whole "
                   f"district's {whole:,.0f}")  # fmt: skip
    columns = ["column", "value", "district_total", "share_ratio", "n_unknown"]
    return pd.DataFrame(rows, columns=columns)
