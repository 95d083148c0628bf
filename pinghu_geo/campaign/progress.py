"""Where do we stand? The state of buildings, tenants and nodes as of a date, from reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pinghu_geo.campaign.stages import TODO, ancestors, stage_codes, stage_rules
from pinghu_geo.campaign.workdays import day_of
from pinghu_geo.nouns.door import (
    as_text,
    excel_day,
    ids_as_text,
    plain_dates,
    same_ids,
    takes,
)
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang, nearest, require_columns
from pinghu_geo.nouns.tables import each_row, groups_of

__all__ = ["LOG_COLUMNS", "ProgressState", "log_of", "progress_faults", "progress_state"]

# id, stage, date and correction make a report; the rest says more about it
KEY = ("building_id", "tenant_id", "stage", "date", "correction")
SAID = ("by", "blocker", "note", "photo")
LOG_COLUMNS = (*KEY, *SAID, "source")
FAULT_COLUMNS = ("fault", "row", "other_row", "id", "problem")


@dataclass(frozen=True, slots=True)
class ProgressState(Result):
    """Where a campaign stands on one day 进度状态.

    Attributes
    ----------
    as_of : pandas.Timestamp
        The day; by default the log's last.
    buildings : pandas.DataFrame
        On the index of the buildings that are tasks (and all others that are reported on): stage,
        since, next_stage, blocker, blocker_since, reported (last report), by, note, node_id.
    tenants : pandas.DataFrame
        The same of tenants.
    nodes : pandas.DataFrame
        Indexed by node_id: stage (the least of its buildings'), since, n_buildings, n_done,
        n_tenants, n_tenants_out, blocker, blocker_since, and a count of buildings for each stage.
    stages : pandas.DataFrame
        A row a node and stage: n, n_done, done_ratio, first, last: what `schedule` re-plans from.
    reached : pandas.DataFrame
        A row an id and stage reached: kind {building, tenant}, id, node_id, stage, date.
    """

    SHOWN: ClassVar = ("nodes",)

    as_of: pd.Timestamp
    buildings: pd.DataFrame
    tenants: pd.DataFrame
    nodes: pd.DataFrame
    stages: pd.DataFrame
    reached: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """How many are down as of the day."""
        return [
            say(
                "As of {}: {} of {} buildings demolished.",
                lang,
                f"{self.as_of:%Y-%m-%d}",
                f"{self.nodes['n_done'].sum():.0f}",
                f"{self.nodes['n_buildings'].sum():.0f}",
            )
        ]


@takes(log="progress", buildings="affected", tenants="tenants")
def progress_state(
    log: pd.DataFrame,
    buildings: pd.DataFrame,
    *,
    stages: pd.DataFrame | None = None,
    tenants: pd.DataFrame | None = None,
    as_of: Any = None,
    elsewhere: Mapping[str, str] | None = None,
) -> ProgressState:
    """State of every building, tenant and node as of a date 进度状态.

    Parameters
    ----------
    log
        Reports in any order: building_id or tenant_id, stage, date; by, blocker, note, photo,
        correction (a reason), source where known.
    buildings
        ``campaign_tasks(...).buildings``: indexed by building_id, with node_id (and task_class).
    stages
        Result of `stage_rules`.
    tenants
        ``campaign_tasks(...).tenants``: indexed by tenant_id, with building_id and node_id.
    as_of
        Day; later reports are left out. By default the log's last day, never the clock; to be given
        where nothing is reported yet.
    elsewhere
        Scheme by building_id, of buildings that only other schemes take: an id of these is named
        as such.

    Returns
    -------
    ProgressState
        ``buildings``, ``tenants``, ``nodes``, ``stages``, ``reached``.

    Raises
    ------
    LayerError
        The log has faults; `progress_faults` lists them all. It is empty, and no as_of is given.

    Notes
    -----
    Reports count by their date, not by their arrival. A stage implies those before it, but for
    stages that must be reported by themselves. On one day the later stage counts. A correction
    (with its reason) sets the stage, back too; what was reached beyond it is void. Of one day it
    counts last. Two corrections of one id and day to different stages are refused, whichever came
    last: a correction of a correction is dated a day later. A blocker stands until a later report
    of the same id comes without it. A node's stage is the least of its buildings'.

    Tenants are out when their building is empty, and what held them up till then is over. What
    held one up later (a payment that is still open) stands, though he is out. A tenant who is
    corrected back into a building that is empty by then is refused: one of the two is wrong.

    Examples
    --------
    >>> houses = pd.DataFrame({"node_id": ["A-L-001", "A-L-001"]}, ["B1", "B2"])
    >>> log = pd.DataFrame({"building_id": ["B1", "B2", "B1"],
    ...                     "stage": ["签约", "谈判", "摸底"],
    ...                     "date": ["2018-03-05", "2018-03-01", "2018-01-10"]})
    >>> state = pg.progress_state(log, houses)
    >>> state.buildings["stage"].tolist(), state.nodes["stage"].tolist(), f"{state.as_of:%m-%d}"
    (['signed', 'negotiation'], ['negotiation'], '03-05')
    """
    stages = stage_rules() if stages is None else stages
    _require_unique_ids(buildings, "buildings")
    if tenants is not None:
        _require_unique_ids(tenants, "tenants")
    clean = log_of(log, stages)
    faults = progress_faults(clean, buildings, stages=stages, tenants=tenants, elsewhere=elsewhere)
    if len(faults):
        raise fault_error(faults)
    if as_of is None and clean.empty:
        raise LayerError(
            "has no report, so that no day is its last",
            layer="progress",
            hint='as_of="2018-03-01"  # the day to be looked at',
        )
    day = day_of(clean["date"].max() if as_of is None else as_of, "as_of")
    clean = clean[clean["date"] <= day]
    people = _empty_tenants() if tenants is None else tenants
    houses, house_dates = _states_and_dates(clean[clean["building_id"].notna()], "building_id",
                                  buildings, stages)  # fmt: skip
    persons, person_dates = _states_and_dates(
        clean[clean["tenant_id"].notna()], "tenant_id", people, stages
    )
    persons = _move_out_with_building(
        persons, person_dates, people, houses.index, house_dates, stages
    )
    for table, source in ((houses, buildings), (persons, people)):
        table["node_id"] = source["node_id"].reindex(table.index)
    nodes, by_stage = _states_of_nodes(houses, house_dates, persons, stages)
    reached = pd.concat([
        _rows_of_reached_stages("building", houses, house_dates, stages),
        _rows_of_reached_stages("tenant", persons, person_dates, stages),
    ], ignore_index=True)  # fmt: skip
    return ProgressState(day, houses, persons, nodes, by_stage, reached)


def _require_unique_ids(table: pd.DataFrame, layer: str) -> None:
    """Refuse ids that occur twice: a report would be on both."""
    twice = table.index[table.index.duplicated()].unique()
    if len(twice):
        raise LayerError(
            "has ids twice, so that a report would be on both",
            layer=layer,
            ids=twice,
            hint=f"{layer} = {layer}[~{layer}.index.duplicated()]  # keep the first",
        )


def _empty_tenants() -> pd.DataFrame:
    return pd.DataFrame(
        {"building_id": pd.Series(dtype="str"), "node_id": pd.Series(dtype="str")},
        index=pd.Index([], name="tenant_id", dtype="str"),
    )


# --- the log ---


def log_of(log: pd.DataFrame, stages: pd.DataFrame) -> pd.DataFrame:
    """Reports under their codes, with dates as dates; refused where one can't be read."""
    require_columns(log, ["stage", "date"], "progress")
    if "building_id" not in log and "tenant_id" not in log:
        require_columns(log, ["building_id"], "progress")
    clean = pd.DataFrame(index=log.index)
    for column in LOG_COLUMNS:
        if column in ("stage", "date"):
            clean[column] = log[column]
            continue
        values = log.get(column, pd.Series(pd.NA, index=log.index, dtype=object))
        text = values.astype("str").str.strip()
        clean[column] = text.where(values.notna() & (text != "")).astype("str")
    both = clean["building_id"].notna() == clean["tenant_id"].notna()
    if both.any():
        raise LayerError(
            "has reports that name no building and no tenant, or both",
            layer="progress",
            ids=log.index[both],
            hint="each row reports on one building_id or one tenant_id",
        )
    clean["stage"] = stage_codes(log["stage"], stages, layer="progress")
    blank = clean["stage"].isna()
    if blank.any():
        raise LayerError("has reports without a stage", layer="progress", ids=log.index[blank],
                         hint="repeat the stage where only the blocker is new")  # fmt: skip
    clean["date"] = report_dates(log["date"])
    if "row" in log.columns:
        clean["row"] = log["row"]
    return clean


def report_dates(values: pd.Series) -> pd.Series:
    """Dates of reports; numbers and texts that could mean several days are refused by row."""
    if pd.api.types.is_datetime64_any_dtype(values):
        days = values.dt.tz_localize(None) if values.dt.tz is not None else values
        found: pd.Series = days.dt.normalize().astype("datetime64[ns]")
    else:
        _refuse_serials(values)
        text = values.map(lambda v: v.isoformat() if hasattr(v, "isoformat") else v)
        days = plain_dates(text)
        found = days.where(days <= pd.Timestamp.max).astype("datetime64[ns]")
    blank = values.isna() | (values.astype("str").str.strip() == "")
    if blank.any():
        raise LayerError("has reports without a date", layer="progress", ids=values.index[blank],
                         hint="write 2018-03-01 (or 2018年3月1日)")  # fmt: skip
    if found.isna().any():
        bad = values[found.isna()]
        raise LayerError(
            f"has dates that can't be read for certain, such as {bad.iloc[0]!r}",
            layer="progress",
            ids=bad.index,
            hint="write 2018-03-01 (or 2018年3月1日)",
        )
    return found


def _refuse_serials(values: pd.Series) -> None:
    """Refuse days as Excel counts them."""
    days = values.map(lambda v: None if hasattr(v, "isoformat") else excel_day(v)).astype(object)
    serial = days.notna()
    if serial.any():
        raise LayerError(
            f"has dates as Excel's numbers of days: {float(values[serial].iloc[0]):.0f} would be "
            f"{days[serial].iloc[0]:%Y-%m-%d}",
            layer="progress",
            ids=values.index[serial],
            hint='log["date"] = pd.to_datetime(log["date"], unit="D", origin="1899-12-30")'
            "  # or format the column as a date before saving",
        )


@takes(log="progress", buildings="affected", tenants="tenants")
def progress_faults(
    log: pd.DataFrame,
    buildings: pd.DataFrame,
    *,
    stages: pd.DataFrame | None = None,
    tenants: pd.DataFrame | None = None,
    today: Any = None,
    elsewhere: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """What is wrong with a log of reports, each fault with its rows 进度记录问题.

    Parameters
    ----------
    log, buildings, stages, tenants, elsewhere
        As for `progress_state`.
    today
        Reports of later days are faults.

    Returns
    -------
    pandas.DataFrame
        fault {unknown_id, other_scheme, future, disagree, step_back, skipped}, row, other_row
        (source, or label of the row), id, problem.

    Examples
    --------
    >>> houses = pd.DataFrame({"node_id": ["A-L-001"]}, ["B1"])
    >>> log = pd.DataFrame({"building_id": ["B1", "B1"], "stage": ["签约", "谈判"],
    ...                     "date": ["2018-03-01", "2018-03-05"]})
    >>> pg.campaign.progress_faults(log, houses)[["fault", "row", "other_row"]].values.tolist()
    [['step_back', '1', '0']]
    """
    stages = stage_rules() if stages is None else stages
    clean = log_of(log, stages)
    clean = clean.assign(place=_places_of_reports(clean))
    found: list[tuple[str, str, str, str, str]] = []
    people = pd.Index([]) if tenants is None else tenants.index
    for key, known in (
        ("building_id", ids_as_text(buildings.index)),
        ("tenant_id", ids_as_text(people)),
    ):
        mine = clean[clean[key].notna()]
        lost = mine[~mine[key].isin(known)]
        for row in each_row(lost):
            found.append(
                _unknown_id_fault(getattr(row, key), row.place, key, known, elsewhere or {})
            )
        found += _contradiction_faults(mine[mine[key].isin(known)], key, stages)
    if tenants is not None:
        found += _moved_back_in_faults(clean, buildings, tenants, stages)
    if today is not None:
        for row in each_row(clean[clean["date"] > day_of(today, "today")]):
            one = row.building_id if isinstance(row.building_id, str) else row.tenant_id
            found.append(("future", row.place, "", one, f"{row.date:%Y-%m-%d} is in the future"))
    return pd.DataFrame(found, columns=list(FAULT_COLUMNS), dtype="str")


def fault_error(faults: pd.DataFrame) -> LayerError:
    """All faults of a log as one refusal; the first few in words."""
    words = [
        f"report on {row.id}, {row.row}{f' and {row.other_row}' if row.other_row else ''}: "
        f"{row.problem}"
        for row in each_row(faults.head(5))
    ]
    words += [f"and {len(faults) - 5} more"] if len(faults) > 5 else []
    return LayerError(
        f"has reports that can't be: {'; '.join(words)}",
        layer="progress",
        ids=list(dict.fromkeys(faults["id"])),
        hint="correct the rows; a step back needs its reason in the column correction (更正原因)",
    )


def _places_of_reports(clean: pd.DataFrame) -> pd.Series:
    """Where each row stands, for people: its source, else its label."""
    label = pd.Series(clean.index.astype("str"), index=clean.index)
    return clean["source"].where(clean["source"].notna(), label)


def _unknown_id_fault(
    one: str, place: str, key: str, known: Any, elsewhere: Mapping[str, str]
) -> tuple[str, str, str, str, str]:
    """An id that isn't of this campaign."""
    if key == "building_id" and one in elsewhere:
        return ("other_scheme", place, "", one,
                f"belongs to the scheme {elsewhere[one]} only, not to the adopted one")  # fmt: skip
    word = "building" if key == "building_id" else "tenant"
    close = nearest(one, map(str, known)) if len(known) <= 5000 else ""
    hint = f"; {close}" if close.startswith("did you mean") else ""
    return ("unknown_id", place, "", one, f"no {word} of this campaign{hint}")


def _contradiction_faults(
    mine: pd.DataFrame, key: str, stages: pd.DataFrame
) -> list[tuple[str, str, str, str, str]]:
    """Reports of one id that can't both be: steps back, skipped stages, two that disagree."""
    found = []
    said = mine.drop_duplicates([key, "stage", "date", "correction", *SAID])
    twice = said.duplicated([key, "stage", "date", "correction"], keep=False)
    same = said[twice].groupby([key, "stage", "date", "correction"], dropna=False)
    for (one, *_), rows in groups_of(same):
        found.append(("disagree", rows["place"].iloc[1], rows["place"].iloc[0], one,
                      "say something else of the same stage and day"))  # fmt: skip
    fixes = said[said["correction"].notna()].drop_duplicates([key, "stage", "date"])
    both = fixes[fixes.duplicated([key, "date"], keep=False)].groupby([key, "date"])
    for (one, _), rows in groups_of(both):
        found.append(("disagree", rows["place"].iloc[1], rows["place"].iloc[0], one,
                      "correct the same day to two stages; which holds is not known: "
                      "date the right one a day later"))  # fmt: skip
    found += _step_faults(said, key, stages)
    return found


def _step_faults(
    said: pd.DataFrame, key: str, stages: pd.DataFrame
) -> list[tuple[str, str, str, str, str]]:
    """Steps back and skipped stages, in the order of the dates."""
    rank = {TODO: -1} | {s: k for k, s in enumerate(stages.index)}
    words = {TODO: "未启动"} | dict(stages["zh"])
    earlier = ancestors(stages) | {TODO: frozenset()}
    later = {s: {t for t, before in earlier.items() if s in before} for s in stages.index}
    must = _stages_to_report(key, stages)
    rows = _reports_by_date(said, key, rank)
    found: list[tuple[str, str, str, str, str]] = []
    current, standing, last = None, set(), {}  # type: ignore[var-annotated]
    for one, stage, fix, place, day in zip(
        rows[key],
        rows["stage"],
        rows["correction"].notna(),
        rows["place"],
        rows["date"],
        strict=True,
    ):
        if one != current:
            current, standing, last = one, set(), {}
        if fix:
            standing = {stage, *earlier[stage]} if stage != TODO else set()
            last = dict.fromkeys(standing, (place, day))
            continue
        beyond = standing & (later[stage] if stage != TODO else standing)
        if beyond:
            top = max(beyond, key=lambda s: rank[s])
            if last[top][1] < day or stage == TODO:
                text = f"{words[stage]} after {words[top]}, without a correction"
                found.append(("step_back", place, last[top][0], one, text))
                continue
        skipped = sorted((earlier[stage] & must) - standing, key=lambda s: rank[s])
        if skipped:
            text = f"{words[stage]} without {words[skipped[0]]}, which has to be reported"
            found.append(("skipped", place, "", one, text))
        new = {stage, *earlier[stage]} - standing - {TODO}
        standing |= new
        last |= dict.fromkeys(new, (place, day))
        last[stage] = (place, day)  # step back is dated from the last report of a stage
    return found


def _moved_back_in_faults(
    clean: pd.DataFrame, buildings: pd.DataFrame, tenants: pd.DataFrame, stages: pd.DataFrame
) -> list[tuple[str, str, str, str, str]]:
    """Tenants that are corrected back into a building that is empty by then, with its report."""
    theirs = [s for s, tenant in stages["tenants"].items() if tenant]
    if not theirs:
        return []
    before = ancestors(stages)
    empty = {s for s in stages.index if s == theirs[-1] or theirs[-1] in before[s]}
    fixes = clean[clean["tenant_id"].notna() & clean["correction"].notna()
                  & ~clean["stage"].isin(empty)]  # fmt: skip
    if fixes.empty:
        return []
    home = pd.Series(as_text(tenants["building_id"]).to_numpy(), ids_as_text(tenants.index))
    fixes = fixes.assign(home=fixes["tenant_id"].map(home.to_dict()))
    said = clean[clean["building_id"].isin(fixes["home"].dropna())]
    known = buildings.loc[ids_as_text(buildings.index).isin(said["building_id"])]
    said = said[said["building_id"].isin(ids_as_text(known.index))]
    _, dates = _states_and_dates(said, "building_id", known, stages)
    since = dict(
        zip(ids_as_text(known.index), dates[:, stages.index.get_loc(theirs[-1])], strict=True)
    )
    found = []
    for row in each_row(fixes):
        gone = since.get(row.home, np.datetime64("NaT", "D"))
        if row.date.to_datetime64() >= gone:  # never of NaT
            house = said[(said["building_id"] == row.home) & said["stage"].isin(empty)]
            house = house[house["date"].to_numpy() >= gone].sort_values(["date", "place"])
            text = f"corrected back into {row.home}, which is empty since {gone}"
            found.append(("disagree", row.place, house["place"].iloc[0], row.tenant_id, text))
    return found


def _stages_to_report(key: str, stages: pd.DataFrame) -> frozenset[str]:
    """Stages that a later one doesn't imply."""
    asked = stages["must_report"].astype(bool)
    if key == "tenant_id":
        asked &= stages["tenants"].astype(bool)
    return frozenset(stages.index[asked])


def _reports_by_date(said: pd.DataFrame, key: str, rank: Mapping[str, int]) -> pd.DataFrame:
    """Reports by id and date; on one day the lower stage first and corrections last."""
    order = said.assign(rank=said["stage"].map(rank), fix=said["correction"].notna())
    return order.sort_values(
        [key, "date", "fix", "rank", "blocker", "note", "by"], kind="stable", na_position="first"
    )


# --- the state ---


def _states_and_dates(
    log: pd.DataFrame, key: str, known: pd.DataFrame, stages: pd.DataFrame
) -> tuple[pd.DataFrame, NDArray[np.datetime64]]:
    """State of each id, and the day on which each stage was reached (NaT: not yet)."""
    codes = list(stages.index)
    rank = {TODO: -1} | {s: k for k, s in enumerate(codes)}
    earlier = ancestors(stages)
    implied = {s: [rank[x] for x in (s, *earlier[s])] for s in codes}
    rows = _reports_by_date(log.drop_duplicates([key, "stage", "date", "correction"]), key, rank)
    row_of = ids_as_text(known.index).get_indexer(pd.Index(rows[key]))
    dates = np.full((len(known), len(codes)), np.datetime64("NaT", "D"))
    when = rows["date"].to_numpy().astype("datetime64[D]")
    for at, stage, day, fix in zip(
        row_of.tolist(), rows["stage"], when, rows["correction"].notna(), strict=True
    ):
        mine = dates[at]
        if fix:
            keep = implied.get(stage, [])
            void = np.ones(len(codes), bool)
            void[keep] = False
            mine[void] = np.datetime64("NaT", "D")
        for k in implied.get(stage, ()):
            if np.isnat(mine[k]):
                mine[k] = day
    theirs = stages["tenants"].astype(bool) if key == "tenant_id" else stages["zh"].notna()
    dates[:, ~theirs.to_numpy(bool)] = np.datetime64("NaT", "D")  # implied, and not gone through
    table = _table_of_states(rows, row_of, known, dates, theirs)
    return table, dates


def _table_of_states(
    rows: pd.DataFrame,
    row_of: NDArray[np.intp],
    known: pd.DataFrame,
    dates: NDArray[np.datetime64],
    theirs: pd.Series,
) -> pd.DataFrame:
    """The table of states: stage, since, blocker and who said so.

    ``theirs`` says of each stage whether they go through it: the next one is of those.
    """
    codes = list(theirs.index)
    there = ~np.isnat(dates)
    top = np.where(there.any(axis=1), len(codes) - 1 - there[:, ::-1].argmax(axis=1), -1)
    words = np.array([*codes, TODO], object)
    table = pd.DataFrame(index=known.index)
    table["stage"] = pd.Series(words[top], index=known.index, dtype="str")
    since = np.where(top >= 0, dates[np.arange(len(known)), top], np.datetime64("NaT", "D"))
    table["since"] = since.astype("datetime64[ns]")
    ours = theirs.to_numpy()
    after = [next(iter(theirs.index[k:][ours[k:]]), None) for k in range(len(codes) + 1)]
    nexts = np.array([*after[1:], after[0]], object)
    table["next_stage"] = pd.Series(nexts[top], index=known.index, dtype="str")
    last = rows.assign(at=row_of).drop_duplicates("at", keep="last").set_index("at")
    for name, column in (("reported", "date"), ("blocker", "blocker"), ("by", "by"),
                         ("note", "note"), ("photo", "photo")):  # fmt: skip
        values = last[column].reindex(np.arange(len(known)))
        values.index = known.index
        table[name] = values
    table["blocker_since"] = _blocked_since(rows, row_of, len(known))
    return table


def _blocked_since(rows: pd.DataFrame, row_of: NDArray[np.intp], n: int) -> NDArray[np.datetime64]:
    """First day of the blocker that stands now, by its unbroken run."""
    found = np.full(n, np.datetime64("NaT", "ns"))
    text = rows["blocker"].fillna("").to_numpy(object)
    new = np.ones(len(rows), bool)
    new[1:] = (row_of[1:] != row_of[:-1]) | (text[1:] != text[:-1])
    run = np.cumsum(new) - 1
    begins = rows["date"].to_numpy().astype("datetime64[ns]")[new][run] if len(rows) else found[:0]
    standing = text != ""
    found[row_of] = np.where(standing, begins, np.datetime64("NaT", "D"))
    return found


def _move_out_with_building(
    persons: pd.DataFrame,
    dates: NDArray[np.datetime64],
    people: pd.DataFrame,
    houses: pd.Index,
    house_dates: NDArray[np.datetime64],
    stages: pd.DataFrame,
) -> pd.DataFrame:
    """Tenants of a building that is empty are out, whether or not each was reported."""
    theirs = np.flatnonzero(stages["tenants"].to_numpy(bool))
    if not len(people) or not len(theirs):
        return persons
    out = theirs[-1]
    home = houses.get_indexer(same_ids(pd.Index(people["building_id"]), houses))
    gone = np.where(home >= 0, house_dates[home, out], np.datetime64("NaT", "D"))
    new = ~np.isnat(gone) & np.isnat(dates[:, out])
    # what a report of a later day says holds him up isn't over by the building's being empty
    over = new & ~(persons["reported"].to_numpy().astype("datetime64[D]") > gone)
    for k in theirs:
        empty = new & np.isnat(dates[:, k])
        dates[empty, k] = gone[empty]
    codes = list(stages.index)
    persons.loc[new, "stage"] = codes[out]
    persons.loc[new, "since"] = gone[new].astype("datetime64[ns]")
    persons.loc[new, "next_stage"] = np.nan
    persons.loc[over, "blocker"] = np.nan
    persons.loc[over, "blocker_since"] = pd.NaT
    persons.loc[persons["stage"] == codes[out], "next_stage"] = np.nan
    return persons


def _states_of_nodes(
    houses: pd.DataFrame,
    dates: NDArray[np.datetime64],
    persons: pd.DataFrame,
    stages: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """State of the nodes, and the table of nodes and stages."""
    codes = list(stages.index)
    mine = houses["node_id"].notna().to_numpy()
    number, names = pd.factorize(houses["node_id"][mine], sort=True)
    day = dates[mine]
    n = np.bincount(number, minlength=len(names))
    done = np.zeros((len(names), len(codes)), int)
    far = np.datetime64("9999-12-31", "D")
    first = np.full(done.shape, far)
    last = np.full(done.shape, np.datetime64("0001-01-01", "D"))
    for k in range(len(codes)):
        there = ~np.isnat(day[:, k])
        np.add.at(done[:, k], number[there], 1)
        np.minimum.at(first[:, k], number[there], day[there, k])
        np.maximum.at(last[:, k], number[there], day[there, k])
    none = done == 0
    first[none] = last[none] = np.datetime64("NaT", "D")
    table = pd.DataFrame(index=pd.Index(names, name="node_id"))
    whole = done == n[:, None]
    top = np.where(whole.any(axis=1), len(codes) - 1 - whole[:, ::-1].argmax(axis=1), -1)
    table["stage"] = pd.Series(np.array([*codes, TODO], object)[top], table.index, dtype="str")
    since = np.where(top >= 0, last[np.arange(len(names)), top], np.datetime64("NaT", "D"))
    table["since"] = since.astype("datetime64[ns]")
    table["n_buildings"], table["n_done"] = n, done[:, -1] if codes else 0
    theirs = np.flatnonzero(stages["tenants"].to_numpy(bool))
    people = persons[persons["node_id"].notna()]
    table["n_tenants"] = people.groupby("node_id").size().reindex(names, fill_value=0).to_numpy()
    out = people[people["stage"] == codes[theirs[-1]]] if len(theirs) else people.iloc[:0]
    table["n_tenants_out"] = out.groupby("node_id").size().reindex(names, fill_value=0).to_numpy()
    # of blockers of one day the first by its id, houses before tenants
    stuck = pd.concat([some[some["blocker"].notna() & some["node_id"].notna()].sort_index()
                       for some in (houses, persons)])  # fmt: skip
    by_node = stuck.sort_values("blocker_since", kind="stable").groupby("node_id")
    table["blocker"] = by_node["blocker"].first().reindex(names).to_numpy()
    table["blocker_since"] = by_node["blocker_since"].first().reindex(names).to_numpy()
    for k, code in enumerate(codes):
        table[f"n_{code}"] = done[:, k]
    long = pd.DataFrame({"node_id": np.repeat(np.asarray(names), len(codes)),
                         "stage": np.tile(np.array(codes, object), len(names)),
                         "n": np.repeat(n, len(codes)), "n_done": done.ravel()})  # fmt: skip
    long["done_ratio"] = long["n_done"] / long["n"]
    long["first"] = first.ravel().astype("datetime64[ns]")
    long["last"] = last.ravel().astype("datetime64[ns]")
    return table, long


def _rows_of_reached_stages(
    kind: str, table: pd.DataFrame, dates: NDArray[np.datetime64], stages: pd.DataFrame
) -> pd.DataFrame:
    """A row an id and stage reached."""
    who, what = np.nonzero(~np.isnat(dates))
    return pd.DataFrame({
        "kind": kind, "id": ids_as_text(table.index).to_numpy()[who],
        "node_id": table["node_id"].to_numpy()[who],
        "stage": stages.index.to_numpy()[what], "date": dates[who, what].astype("datetime64[ns]"),
    })  # fmt: skip
