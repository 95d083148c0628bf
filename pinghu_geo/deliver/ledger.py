"""What does the office keep? The ledger (台账): houses, nodes, groups, dates, money, by sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from pinghu_geo.campaign.funds import months_in_words
from pinghu_geo.campaign.stages import stage_words
from pinghu_geo.campaign.standing import Campaign
from pinghu_geo.deliver.workbook import COLUMNS, CREATED, SIGNED, Paper, flat_rows, new_workbook
from pinghu_geo.nouns.codes import OWN
from pinghu_geo.nouns.door import require_known_rows, same_ids, takes, with_named_ids
from pinghu_geo.nouns.files import require_suffix
from pinghu_geo.nouns.inert import sheet_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.replacing import atomic_path
from pinghu_geo.nouns.schema import NOUNS, Lang, label, spoken
from pinghu_geo.nouns.tables import is_unknown
from pinghu_geo.redline.overlap import totals
from pinghu_geo.schemes.alternatives import Comparison
from pinghu_geo.schemes.cost import HEADS

__all__ = ["write_hydraulics", "write_ledger"]

# What a clerk needs on one sheet of paper; everything else stands on sheets by subject.
BUILDING_COLUMNS = [
    "river", "node_id", "bank", "chainage_m", "repeated", "extent", "inside_m2", "floors",
    "floors_source", "demolish_floor_area_m2", "use", "tenure", "owner", "tenants", "cleared_by",
    "verdict", "needs_survey", "cost_yuan",
]  # fmt: skip
BUILDING_SUBJECTS = {
    "annex 1 place and line": [
        "river", "bank", "chainage_m", "repeated", "from_m", "to_m", "footprint_m2",
        "inside_m2", "inside_ratio", "cut_depth_m", "parcel_id", "zone_id", "contested",
        "ambiguous",
    ],
    "annex 2 what may stay": [
        "verdict", "reason", "deciding", "rise_alone_mm", "rise_joint_mm", "freeboard_m",
        "sewage_ok", "optional", "structure_ok", "title_ok",
    ],
    "annex 3 compensation": [
        "owner", "structure", "use", "title", "tenure", "demolish_floor_area_m2",
        "floor_area_source", "rate", *HEADS.values(), "cost_yuan",
    ],
    "annex 4 rise of the flood": [
        "verdict", "rise_alone_mm", "rise_alone_low_mm", "rise_alone_high_mm", "rise_joint_mm",
        "rise_joint_low_mm", "rise_joint_high_mm", "rise_band", "rise_decided_by", "rise_grows_at",
        "rise_2d_mm", "rise_2d_doubt_mm", "losses_2d",
        "flood_level_m", "freeboard_m",
    ],
}  # fmt: skip
PARCEL_COLUMNS = [
    "river", "bank", "from_m", "to_m", "extent", "inside_m2", "inside_ratio", "land_use", "owner",
    "n_buildings", "n_tenants", "demolish_floor_area_m2", "cost_yuan",
]  # fmt: skip
NODE_COLUMNS = [c.name for c in NOUNS["nodes"].columns]
CHANGE_COLUMNS = [
    "scheme", "building_id", "change", "river", "bank", "chainage_m", "repeated", "node_id",
    "extent_before", "extent_after", "inside_before_m2", "inside_after_m2",
    "avoided_floor_area_m2", "avoided_tenants", "avoided_yuan",
]  # fmt: skip
PROFILE_COLUMNS = [
    "scheme", "profile", "river", "chainage_m", "discharge_m3s", "bed_m", "level_m", "energy_m",
    "depth_m", "velocity_ms", "froude", "area_m2", "conveyance_m3s", "regime", "doubts",
    "unsure_m",
]  # fmt: skip
JUNCTION_COLUMNS = ("junction", "role", "method", "length_m", "angle_deg")
PROGRESS_COLUMNS = [
    "river", "bank", "from_m", "to_m", "group", "leader", "n_buildings", "n_tenants", "stage",
    "due", "signal", "late_by_days", "held_up_m", "blocker", "blocker_since",
]  # fmt: skip
DUTY_COLUMNS = [
    "group", "leader", "river", "from_m", "to_m", "n_nodes", "n_red", "n_buildings", "n_tenants",
    "demolish_floor_area_m2", "cost_yuan", "start", "due",
]  # fmt: skip
SUPERVISION_COLUMNS = [
    "river", "group", "stage_due", "stage_due_on", "stage", "late_since", "late_by_days", "signal",
    "blocker", "blocker_since", "held_up_m", "due", "demand",
]  # fmt: skip
TENANT_COLUMNS = [
    "river", "node_id", "building_id", "name", "kind", "area_m2", "lease_end", "stage", "since",
    "blocker", "blocker_since",
]  # fmt: skip
SUMMED_BY = (
    "river", "bank", "extent", "verdict", "task_class", "group", "cleared_by", "use", "tenure",
    "title", "zone_id",
)  # fmt: skip
# Names of counts that only these sheets have, in English.
COUNTS = {
    "n_buildings_today": "buildings this day", "n_buildings_week": "buildings in seven days",
    "n_buildings_all": "buildings so far", "n_tenants_today": "households this day",
    "n_tenants_week": "households in seven days", "n_tenants_all": "households so far",
}  # fmt: skip


@takes()
def write_ledger(
    affected: gpd.GeoDataFrame,
    target: str | Path,
    *,
    parcels: gpd.GeoDataFrame | None = None,
    nodes: gpd.GeoDataFrame | None = None,
    comparison: Comparison | None = None,
    campaign: Campaign | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    title: str | None = None,
    note: str = "",
    published: Mapping[str, str] | None = None,
    lang: Lang = "zh",
) -> None:
    """Write the ledger: summary, buildings, nodes, groups, dates, money, schemes 征拆台账.

    Parameters
    ----------
    affected
        Affected buildings, with whatever was joined to them.
    target
        ``.xlsx``; an existing file is replaced, whole or not at all.
    parcels
        Affected parcels, with their sums where they were joined.
    nodes
        Result of `node_table`.
    comparison
        Result of `compare`.
    campaign
        All tables of the campaign as of a day: the sheets of progress, groups, dates, supervision,
        tenants, money, faces, day and week.
    rivers
        Every sheet has them in this order; by default the campaign's, or that of the names.
    title, note
        Stand above the summary; say in the note where the data come from.
    published
        Figures published elsewhere, shown beside the computed ones.
    lang
        Language of sheets, headings and words: ``"zh"`` or ``"en"``.

    Raises
    ------
    OutputError
        The target isn't an .xlsx, or can't be written (open in Excel).

    Notes
    -----
    Ids and all texts are written as text: nothing becomes a formula or a number. What a clerk needs
    of a house stands on 征拆台账, to be printed on A3; where it lies, why it may stay and how its
    compensation adds up stand on sheets of their own (附表), in the same order: by river, chainage
    and bank. Above each table stand its title, and units and day; the headings are in the third
    row. Sums are formulas with their values beside them, over the rows that a filter leaves.
    Money of sums, groups and months is written in units of 10,000 yuan, that of a house in yuan.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> hit = pg.affected(buildings, pg.red_line(rivers, 9.0), rivers)
    >>> pg.write_ledger(hit, folder / "征拆台账.xlsx")
    >>> sheets = pd.read_excel(folder / "征拆台账.xlsx", sheet_name=None, header=2)
    >>> list(sheets)
    ['汇总', '征拆台账', '附表1 位置与压占', '附表3 补偿测算']
    >>> sheets["征拆台账"].columns[:2].tolist()
    ['序号', '房屋编号']
    """
    path = Path(target)
    require_suffix(path, ".xlsx")
    affected = with_named_ids(affected, "affected")
    title = say("ledger of the demolition", lang) if title is None else title
    about = {"title": sheet_text(title), "comments": sheet_text(note), "created": CREATED}
    ledger = _Ledger(lang, title, _ranks_of_rivers(rivers, campaign, affected), campaign)
    # a byte a row, however it is packed
    with atomic_path(path, room=len(affected)) as place, new_workbook(place) as book:
        book.set_properties(about)
        paper = Paper(book, lang)
        houses = ledger.sorted(_with_groups(affected, campaign))
        between = [] if campaign is None else _nodes_in_words(campaign, comparison, lang)
        _write_summary(paper, ledger, houses, comparison, between, note, published or {})
        ledger.sheet(paper, "ledger", houses, BUILDING_COLUMNS)
        if parcels is not None:
            named = ledger.sorted(with_named_ids(parcels, "parcels"))
            ledger.sheet(paper, "parcels", named, PARCEL_COLUMNS, noun="parcels")
        if nodes is not None:
            named = ledger.sorted(with_named_ids(nodes, "nodes"))
            ledger.sheet(paper, "nodes of demolition", named, NODE_COLUMNS, noun="nodes")
        if campaign is not None:
            _write_campaign_sheets(paper, ledger, campaign)
        if comparison is not None and len(comparison.schemes) > 1:
            both = comparison.totals.reset_index()
            ledger.sheet(paper, "sums by scheme", both, list(both.columns), sums=False,
                         tens_of_thousands=True)  # fmt: skip
            changes = ledger.sorted(comparison.changes, first="scheme")
            # nodes of a comparison are others than the campaign's, and bear the same ids
            own = [c for c in CHANGE_COLUMNS if campaign is None or c != "node_id"]
            ledger.sheet(paper, "changes by scheme", changes, own)
        for name, columns in BUILDING_SUBJECTS.items():
            # a sheet that says nothing beyond the first one is none
            if set(flat_rows(affected, columns)) - {*BUILDING_COLUMNS, affected.index.name}:
                ledger.sheet(paper, name, houses, columns)


@takes(freeboard="profile")
def write_hydraulics(
    profile: pd.DataFrame,
    target: str | Path,
    *,
    freeboard: pd.DataFrame | None = None,
    junctions: pd.DataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    title: str | None = None,
    lang: Lang = "zh",
) -> None:
    """Write water levels and freeboard, a workbook of their own 水力成果表.

    Parameters
    ----------
    profile
        Result of `water_profile`.
    target
        ``.xlsx``; an existing file is replaced, whole or not at all.
    freeboard
        Result of `freeboard`.
    junctions
        Result of `junction_levels`: a sheet of its own.
    rivers
        Both sheets have them in this order; by default that of the names.
    title
        Stands above each sheet.
    lang
        Language of sheets, headings and words.

    Raises
    ------
    OutputError
        The target isn't an .xlsx, or can't be written (open in Excel).

    Examples
    --------
    >>> levels = pd.DataFrame({"profile": "100年", "river": "甲河", "chainage_m": [0.0, 50.0],
    ...                        "level_m": [12.3, 12.1]})
    >>> pg.deliver.write_hydraulics(levels, folder / "水力.xlsx")
    >>> pd.read_excel(folder / "水力.xlsx", header=2)["水位 (m)"].dropna().tolist()
    [12.3, 12.1]
    """
    path = Path(target)
    require_suffix(path, ".xlsx")
    title = say("hydraulics", lang) if title is None else title
    ledger = _Ledger(lang, title, _ranks_of_rivers(rivers, None, profile), None)
    with atomic_path(path) as place, new_workbook(place) as book:
        book.set_properties({"title": sheet_text(title), "created": CREATED})
        paper = Paper(book, lang)
        levels = ledger.sorted_by_scheme(profile)
        ledger.sheet(paper, "water levels", levels, PROFILE_COLUMNS, noun="profile")
        if freeboard is not None:
            rows = ledger.sorted_by_scheme(freeboard)
            columns = [str(c) for c in rows if c != "geometry"]
            ledger.sheet(paper, "freeboard", rows, columns, noun="profile")
        if junctions is not None:
            rows = junctions
            if "scheme" in rows and rows["scheme"].fillna("").eq("").all():
                rows = rows.drop(columns="scheme")
            own = {c: label(c, lang=lang, noun="junctions") for c in JUNCTION_COLUMNS}
            ledger.sheet(paper, "junctions", rows, list(rows.columns), headings=own, noun="profile",
                         sums=False)  # fmt: skip


def _with_groups(affected: gpd.GeoDataFrame, campaign: Campaign | None) -> gpd.GeoDataFrame:
    """Houses with the group of their node."""
    if campaign is None or "group" in affected or "group" not in campaign.tasks.nodes:
        return affected
    node = campaign.tasks.buildings["node_id"]
    node = node.set_axis(same_ids(node.index, affected.index)).reindex(affected.index)
    return affected.assign(group=node.map(campaign.tasks.nodes["group"]))


def _ranks_of_rivers(
    rivers: gpd.GeoDataFrame | None, campaign: Campaign | None, frame: pd.DataFrame
) -> dict[Any, int]:
    """Rank of each river."""
    if rivers is None and campaign is not None:
        rivers = campaign.rivers
    if rivers is not None:
        return {river: k for k, river in enumerate(rivers.index)}
    names = list(frame["river"].dropna().unique()) if "river" in frame else []
    return {river: k for k, river in enumerate(sorted(names, key=str))}


class _Ledger:
    """What all sheets of a workbook share: language, title, order of rivers, day."""

    def __init__(
        self, lang: Lang, title: str, order: Mapping[Any, int], campaign: Campaign | None
    ) -> None:
        self.lang, self.title, self.order = lang, title, order
        self.words = {} if campaign is None else stage_words(campaign.stages, lang=lang)
        day = None if campaign is None else f"{campaign.state.as_of:%Y-%m-%d}"
        self.day = "" if day is None else "        " + say("as of {}", lang, day)

    def sorted(self, frame: pd.DataFrame, *, first: str | None = None) -> pd.DataFrame:
        """Rows by river, chainage and bank; within what comes ``first`` in its own order."""
        keys = pd.DataFrame(index=range(len(frame)))
        if first is not None and first in frame:
            given = {name: k for k, name in enumerate(dict.fromkeys(frame[first]))}
            keys["first"] = frame[first].map(given).to_numpy()
        if "river" in frame:
            keys["river"] = frame["river"].map(self.order).to_numpy()
        along = next((c for c in ("chainage_m", "from_m") if c in frame), None)
        for column in (along, "bank"):
            if column is not None and column in frame:
                keys[column] = frame[column].to_numpy()
        if keys.columns.empty:
            return frame
        return frame.iloc[keys.sort_values(list(keys.columns), kind="stable").index]

    def sorted_by_scheme(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows of water, flood by flood, of each scheme; a scheme without a name is none."""
        rows = self.sorted(frame, first="profile")
        if "scheme" not in rows:
            return rows
        if rows["scheme"].fillna("").eq("").all():
            return rows.drop(columns="scheme")
        given = {name: k for k, name in enumerate(dict.fromkeys(frame["scheme"]))}
        return rows.iloc[rows["scheme"].map(given).argsort(kind="stable")]

    def sheet(
        self,
        paper: Paper,
        name: str,
        frame: pd.DataFrame,
        columns: Sequence[str],
        *,
        headings: Mapping[str, str] | None = None,
        noun: str | None = None,
        sums: bool = True,
        tens_of_thousands: bool = False,
    ) -> None:
        """A sheet of the workbook; one with no rows has its headings, as its ``noun`` has them."""
        rows = flat_rows(spoken(frame, self.lang), list(columns))
        rows = rows.assign(**{
            c: rows[c].map(self.words, na_action="ignore").fillna(rows[c])
            for c in ("stage", "stage_due", "next_stage") if c in rows
        }) if self.words else rows  # fmt: skip
        money = any(str(c).endswith("_yuan") for c in rows)
        unit = "unit of money: 10,000 yuan" if tens_of_thousands else "unit of money: yuan"
        said = say("units stand in the headings", self.lang)
        said = say(unit, self.lang) if money else said
        word = say(name, self.lang)
        title = self.title if self.title.endswith(word) else f"{self.title}  {word}"
        own = {c: label(c, lang=self.lang, noun=noun) for c in map(str, rows)} if noun else {}
        paper.sheet(
            word, rows, title=title, said=said + self.day, headings=own | dict(headings or {}),
            sums=sums, tens_of_thousands=tens_of_thousands,
        )  # fmt: skip


def _write_campaign_sheets(paper: Paper, ledger: _Ledger, campaign: Campaign) -> None:
    """The sheets of a campaign as of its day."""
    lang, nodes = ledger.lang, campaign.nodes()
    at = nodes["river"]
    ledger.sheet(paper, "progress of nodes", ledger.sorted(nodes), PROGRESS_COLUMNS, noun="nodes")
    # its reach goes from one border to the next, and its nodes stand within
    ends = {"from_m": say("first node from", lang), "to_m": say("last node to", lang),
            "n_nodes": label("n_nodes", lang=lang, noun="campaign")}  # fmt: skip
    ledger.sheet(paper, "duties of groups", ledger.sorted(campaign.duties()), DUTY_COLUMNS,
                 noun="nodes", headings=ends, tens_of_thousands=True)  # fmt: skip
    dates = campaign.stage_dates()
    told = nodes[[c for c in ("river", "bank", "from_m", "group", "needed_by") if c in nodes]]
    planned = pd.DataFrame(told).join(dates).join(campaign.plan.nodes[["late_days"]])
    columns = ["river", "bank", "group", *map(str, dates), "needed_by", "late_days"]
    ledger.sheet(paper, "schedule", ledger.sorted(planned), columns, headings=ledger.words)
    watched = campaign.supervision
    late = watched.nodes[watched.nodes["signal"] != "green"]
    late = late.assign(demand=watched.notices["demand"].reindex(late.index))
    late = late.assign(from_m=nodes["from_m"].reindex(late.index))
    ledger.sheet(paper, "ledger of supervision", ledger.sorted(late), SUPERVISION_COLUMNS,
                 noun="nodes")  # fmt: skip
    people = campaign.tasks.tenants
    if people is not None and len(people):
        state = campaign.state.tenants.drop(columns="node_id")
        if len(state):
            require_known_rows(people, people.index.isin(state.index), "tenants")
        state = state.reindex(people.index)
        both = people.join(state[[c for c in state if c not in people]])
        both = both[both["node_id"].notna()].assign(river=lambda t: t["node_id"].map(at))
        ledger.sheet(paper, "tenants to move", ledger.sorted(both), TENANT_COLUMNS, noun="tenants")
    money = campaign.payments
    if len(money):
        for name, key in (("payments by month", "month"), ("payments by head", "head"),
                          ("payments by payer", "payer")):  # fmt: skip
            ledger.sheet(
                paper,
                name,
                _payments_by_key(money, key, lang),
                [key, "planned_yuan", "signed_yuan", "n_unpriced"],
                noun="campaign",
                tens_of_thousands=True,
            )
    faces = campaign.faces
    ledger.sheet(paper, "stretches of faces", ledger.sorted(faces.stretches),
                 list(faces.stretches.columns))  # fmt: skip
    ledger.sheet(paper, "handover of faces", ledger.sorted(faces.receipts),
                 list(faces.receipts.columns))  # fmt: skip
    counts = {c: say(word, lang) for c, word in COUNTS.items()}
    day = campaign.stage_counts()
    ledger.sheet(paper, "day and week", day, list(day.columns), headings=counts, sums=False)
    week = campaign.stage_counts(by="group")
    if len(week):
        columns = list(week.columns)
        ledger.sheet(paper, "week by group", week, columns, headings=counts, sums=False)


def _payments_by_key(money: pd.DataFrame, key: str, lang: Lang) -> pd.DataFrame:
    """Payments by one of their keys; a sum over what isn't priced isn't known."""
    money = months_in_words(money, lang)
    groups = money.groupby(key, sort=key == "month", dropna=False)
    sums = groups[["planned_yuan", "signed_yuan"]].sum(min_count=1)
    sums["n_unpriced"] = groups["n_unpriced"].max()
    table = sums.reset_index()
    none = say("(no date)" if key == "month" else "(none)", lang)
    table[key] = table[key].astype(object).where(table[key].notna(), none)
    return table


def _write_summary(
    paper: Paper,
    ledger: _Ledger,
    affected: pd.DataFrame,
    comparison: Comparison | None,
    between: Sequence[str],
    note: str,
    published: Mapping[str, str],
) -> None:
    """First sheet: what it is, the sums, the schemes, and by river, bank, use and title."""
    lang = paper.lang
    sheet = paper.book.add_worksheet(say("summary", lang))
    f = paper.formats
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, sheet_text(ledger.title), f["title"])
    sheet.set_row(0, 28)
    said = say("units stand in the headings", lang) + ledger.day
    sheet.write_string(1, 0, said, f["said"])
    row = 2
    if note:
        sheet.write_string(row, 0, sheet_text(note), f["note"])
        row += 1
    split = {"verdict", "task_class"} & set(affected)
    word = "sums of all affected buildings, whatever becomes of them" if split else "sums"
    row = _write_section(paper, sheet, row + 1, say(word, lang), totals(affected))
    if comparison is not None:
        both = comparison.totals.reset_index()
        row = _write_section(paper, sheet, row, say("schemes compared", lang), both, sums=False)
        for line in [*comparison.summary(lang=lang), *between]:
            sheet.write_string(row - 1, 0, sheet_text(line), f["said"])
            row += 1
        row += 1
    if published:
        table = pd.DataFrame(
            {
                say("published (of the real case, not computed here)", lang): list(published),
                say("figure", lang): list(published.values()),
            }
        )
        row = _write_section(
            paper, sheet, row, say("Published figures, to compare with", lang), table, sums=False
        )
    for key, table in _sums_by_key(ledger, affected):
        words = say("by {}", lang, label(key, lang=lang, unit=False))
        row = _write_section(paper, sheet, row, words, table)
    sheet.write_string(row, 0, say(SIGNED, lang), f["said"])
    paper.column(sheet, 0, 30)
    for at in range(1, 15):
        paper.column(sheet, at, 14)
    paper.for_printing(sheet, "A4", "A3", head=1)


def _nodes_in_words(campaign: Campaign, comparison: Comparison | None, lang: Lang) -> list[str]:
    """Why the schemes' count of nodes isn't the campaign's."""
    one = None if comparison is None else comparison.schemes.get(campaign.scheme)
    if one is None or "node_id" not in one.affected:
        return []
    return [campaign.nodes_in_words(one.affected["node_id"], lang=lang)]


def _sums_by_key(ledger: _Ledger, affected: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Sums by each key that is known of the houses, rivers in their order."""
    for key in SUMMED_BY:
        if key in affected and affected[key].notna().any():
            table = totals(affected, key).reset_index()
            table = ledger.sorted(table) if key == "river" else _by_code_or_name(table, key)
            none = say("(none)", ledger.lang)
            table[key] = table[key].astype(object).where(table[key].notna(), none)
            yield key, table


def _by_code_or_name(table: pd.DataFrame, key: str) -> pd.DataFrame:
    """Rows of sums in the order of the codes, or by name (第2组 before 第10组); none comes last."""
    rank = {code: k for k, code in enumerate([OWN, *COLUMNS[key].codes])}

    def place(value: Any) -> tuple[Any, ...]:
        if is_unknown(value):
            return (2,)
        parts = re.split(r"(\d+)", str(value))
        named = [(int(p), "") if p.isdigit() else (-1, p) for p in parts]
        return (0, rank[value]) if value in rank else (1, named)

    order = sorted(range(len(table)), key=lambda k: place(table[key].iloc[k]))
    return table.iloc[order]


def _write_section(
    paper: Paper, sheet: Any, row: int, heading: str, table: pd.DataFrame, *, sums: bool = True
) -> int:
    """A heading and a table below one another; the next free row after a gap."""
    sheet.write_string(row, 0, heading, paper.formats["section"])
    unknown = say("unknown", paper.lang)
    last = paper.table(sheet, row + 1, table, widths=False, blank=unknown, sums=sums,
                       tens_of_thousands=True)  # fmt: skip
    return last + 2
