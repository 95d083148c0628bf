"""When can each activity be, and when must it? Forward and backward pass through a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pinghu_geo.nouns.door import columns_once, same_ids
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.schema import numbers, require_columns

__all__ = ["NO_NEED", "Goal", "Network", "Passes", "critical_path", "passes"]

Ints = NDArray[np.int64]
FAR = np.int64(2**40)
NO_NEED = np.int64(-(2**40))


@dataclass(frozen=True, slots=True)
class Network:
    """Activities with links between them and shared resources; times in working days."""

    days: Ints
    before: Ints
    after: Ints
    lag: Ints
    user: Ints  # activity of each request
    resource: Ints  # its resource
    amount: Ints
    capacity: Ints  # of each resource
    need: Ints  # finish that is asked for; NO_NEED where none
    release: Ints
    running: NDArray[np.bool_]  # goes on: starts at its release, whatever else

    def horizon(self) -> int:
        """By then all is over, one after another."""
        return int(self.release.max(initial=0) + self.days.sum() + self.lag.sum() + 1)


@dataclass(frozen=True, slots=True)
class Goal:
    """What is made small: the largest of terms, or their weighted sum."""

    name: str
    kind: str  # "largest_lateness", "lateness", "finish", "together"
    of: Ints  # activities
    weight: Ints
    effort: float = 1.0  # share of the work
    other: Ints | None = None  # the second activity of each pair, for "together"


@dataclass(frozen=True, slots=True)
class Passes:
    """Numbers of working days: earliest and latest starts of each activity."""

    earliest: Ints
    latest: Ints
    order: Ints


def passes(
    days: Ints,
    before: Ints,
    after: Ints,
    lag: Ints,
    *,
    release: Ints | None = None,
    deadline: Ints | None = None,
) -> Passes:
    """Earliest and latest starts; ``deadline`` [working days] bounds finishes (FAR: none).

    Without any deadline on its way, an activity must be over when the last one can be.
    """
    n = len(days)
    order, level = _order_and_levels(n, before, after)
    by_level = np.argsort(level[before], kind="stable")
    starts = np.zeros(n, np.int64) if release is None else np.maximum(release, 0)
    edges = np.searchsorted(level[before][by_level], np.arange(level.max(initial=0) + 2))
    for lo, hi in zip(edges[:-1], edges[1:], strict=True):
        link = by_level[lo:hi]
        np.maximum.at(starts, after[link], starts[before[link]] + days[before[link]] + lag[link])
    end = int((starts + days).max(initial=0))
    bound = np.full(n, FAR) if deadline is None else deadline
    latest = _latest_starts(days, before, after, lag, bound, level)
    free = latest >= FAR // 2  # no need behind it: what the last activity allows
    if free.any():
        whole = _latest_starts(days, before, after, lag, np.full(n, end), level)
        latest = np.where(free, whole, latest)
    return Passes(starts, latest, order)


def _latest_starts(
    days: Ints, before: Ints, after: Ints, lag: Ints, bound: Ints, level: Ints
) -> Ints:
    """Latest starts under bounds on the finishes."""
    latest = np.asarray(bound - days)
    by_level = np.argsort(level[after], kind="stable")[::-1]
    ranks = level[after][by_level]
    edges = np.flatnonzero(np.diff(ranks, prepend=ranks[:1] + 1, append=-1))
    for lo, hi in zip(edges[:-1], edges[1:], strict=True):
        link = by_level[lo:hi]
        np.minimum.at(latest, before[link], latest[after[link]] - lag[link] - days[before[link]])
    return latest


def _order_and_levels(n: int, before: Ints, after: Ints) -> tuple[Ints, Ints]:
    """Order of the activities, and the longest way to each in links; refused for a circle."""
    waits = np.bincount(after, minlength=n)
    level = np.zeros(n, np.int64)
    by = np.argsort(before, kind="stable")
    edge = np.searchsorted(before[by], np.arange(n + 1))
    ready = np.flatnonzero(waits == 0)
    seen = []
    while len(ready):
        seen.append(ready)
        links = np.concatenate([by[edge[k] : edge[k + 1]] for k in ready])
        ends = after[links]
        np.maximum.at(level, ends, level[before[links]] + 1)
        np.subtract.at(waits, ends, 1)
        ready = np.unique(ends[waits[ends] == 0])
    order = np.concatenate(seen) if seen else np.empty(0, np.int64)
    if len(order) < n:
        raise LayerError(
            "has activities that wait for one another in a circle",
            layer="links",
            ids=np.setdiff1d(np.arange(n), order),
            hint="drop a link of the circle",
        )
    return order, level


def critical_path(
    activities: pd.DataFrame, links: pd.DataFrame, *, due_days: int | None = None
) -> pd.DataFrame:
    """Earliest and latest days of each activity, its float, and what is critical 关键线路.

    Parameters
    ----------
    activities
        Indexed by activity: duration_days [whole working days].
    links
        before, after (activities), lag_days where there is a wait between them.
    due_days
        When all must be over; by default when all can be.

    Returns
    -------
    pandas.DataFrame
        On the activities' index: earliest_start, earliest_finish, latest_start, latest_finish
        [working days from the start], float_days, critical.

    Raises
    ------
    LayerError
        A duration is negative or not whole, a link names an unknown activity, or activities wait
        for one another.

    References
    ----------
    Kelley and Walker (1959), Critical-path planning and scheduling.

    Examples
    --------
    >>> found = pg.campaign.critical_path(
    ...     pd.DataFrame({"duration_days": [2, 3, 1]}, ["a", "b", "c"]),
    ...     pd.DataFrame({"before": ["a", "b"], "after": ["c", "c"]}))
    >>> found["float_days"].tolist(), found["critical"].tolist()
    ([1, 0, 0], [False, True, True])
    """
    activities = columns_once(activities, "activities")
    links = columns_once(links, "links")
    require_columns(activities, ["duration_days"], "activities")
    require_columns(links, ["before", "after"], "links")
    if (twice := activities.index[activities.index.duplicated()]).size:
        raise LayerError(
            "has several rows for an activity", layer="activities", ids=twice.unique(),
            hint="activities = activities[~activities.index.duplicated()]  # if that is right",
        )  # fmt: skip
    days = whole_days(activities["duration_days"], "activities")
    ends = []
    for column in ("before", "after"):
        at = activities.index.get_indexer(same_ids(pd.Index(links[column]), activities.index))
        if (at < 0).any():
            raise LayerError(
                "names unknown activities", layer="links", ids=links[column][at < 0].unique()
            )
        ends.append(at.astype(np.int64))
    lag = np.zeros(len(links), np.int64)
    if "lag_days" in links:
        lag = whole_days(links["lag_days"], "links")
    deadline = None if due_days is None else np.full(len(days), due_days, np.int64)
    try:
        found = passes(days, ends[0], ends[1], lag, deadline=deadline)
    except LayerError as fault:
        names = activities.index[np.array(fault.ids, int)]
        raise LayerError(
            "has activities that wait for one another in a circle",
            layer="links",
            ids=names,
            hint="drop a link of the circle",
        ) from None
    table = pd.DataFrame(index=activities.index)
    table["earliest_start"] = found.earliest
    table["earliest_finish"] = found.earliest + days
    table["latest_start"] = found.latest
    table["latest_finish"] = found.latest + days
    table["float_days"] = found.latest - found.earliest
    table["critical"] = table["float_days"] <= max(
        0, int(table["float_days"].min()) if len(table) else 0
    )
    return table


def whole_days(values: pd.Series, layer: str) -> Ints:
    """Durations as whole numbers, none negative or unknown."""
    plain = numbers(values.to_frame(), str(values.name), layer)
    bad = ~((plain >= 0) & np.isfinite(plain)) | (plain != plain.round())
    if bad.any():
        raise LayerError(
            f"has {values.name} that are no whole number of days of 0 or more",
            layer=layer,
            ids=values.index[bad],
        )
    return np.asarray(plain.to_numpy(), np.int64)
