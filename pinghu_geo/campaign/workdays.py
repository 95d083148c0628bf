"""Which days are worked? Plain days, weekdays, China's holidays and make-up days, or a table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pinghu_geo.nouns.door import columns_once, excel_day, plain_dates
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.notices import notify
from pinghu_geo.nouns.schema import nearest, require_columns

__all__ = ["WorkDays", "day_of", "work_calendar"]

Days = NDArray[np.datetime64]
KINDS = ("days", "weekdays", "china")
SPAN_DAYS = 366
# spans before the first day that latest dates may fall into: late before it began
SPANS_BEFORE = 6
# 3/1/2018: the third of January, or the first of March
DAY_OR_MONTH = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}$")


@dataclass(frozen=True, slots=True)
class WorkDays:
    """Days worked, in order, from the first on 工作日历."""

    dates: Days
    said_until: np.datetime64 | None  # no official calendar beyond
    said_from: np.datetime64 | None = None  # nor before
    before: Days = field(default_factory=lambda: np.empty(0, "datetime64[D]"))  # the first one

    def index_at(self, dates: Any) -> NDArray[np.int64]:
        """Number of the first working day on or after each date."""
        return np.searchsorted(self.dates, _as_days(dates), side="left").astype(np.int64)

    def last_at(self, dates: Any) -> NDArray[np.int64]:
        """Number of the last working day on or before each date; -1 before the first."""
        return np.searchsorted(self.dates, _as_days(dates), side="right").astype(np.int64) - 1

    def date_at(self, number: Any) -> pd.DatetimeIndex:
        """Date of working days by number; below 0 they lie before the first."""
        dates = np.concatenate([self.before, self.dates])
        at = np.asarray(number, np.int64) + len(self.before)
        return pd.DatetimeIndex(dates[np.clip(at, 0, len(dates) - 1)])

    def most_in(self, calendar_days: int) -> int:
        """Most working days in any stretch of so many calendar days: a wait that is never short."""
        if calendar_days <= 0:
            return 0
        ends = np.searchsorted(self.dates, self.dates + np.timedelta64(calendar_days, "D"))
        inside = self.dates + np.timedelta64(calendar_days, "D") <= self.dates[-1]
        if not inside.any():
            return calendar_days
        return int((ends - np.arange(len(self.dates)))[inside].max())

    def warn_beyond(self, last: pd.Timestamp) -> None:
        """Say so where a plan runs beyond the years whose calendar is published."""
        if self.said_from is not None and len(self.dates) and self.dates[0] < self.said_from:
            notify(
                f"China's working days are not known before {self.said_from}: Monday to Friday "
                "are taken there, without holidays and make-up days"
            )
        if self.said_until is not None and last.to_datetime64() > self.said_until:
            notify(
                f"China's working days are not known beyond {self.said_until}: Monday to Friday "
                "are taken there, without holidays and make-up days"
            )


def work_calendar(
    calendar: str | pd.DataFrame, start: pd.Timestamp, n_days: int, *, back_days: int = 0
) -> WorkDays:
    """At least so many working days from a date on (and calendar days before it)."""
    first = np.datetime64(start.normalize(), "D") - np.timedelta64(back_days, "D")
    said_until = said_from = None
    if isinstance(calendar, pd.DataFrame):
        worked = _worked_days_of_table(calendar)
    elif calendar not in KINDS:
        raise LayerError(f"calendar={calendar!r} is not known", hint=nearest(calendar, KINDS))

    def worked_from(at: Any) -> Days:
        """Days worked of a span from a date on."""
        nonlocal said_from, said_until
        days = at + np.arange(SPAN_DAYS).astype("timedelta64[D]")
        if isinstance(calendar, pd.DataFrame):
            keep = np.array([worked.get(d, np.is_busday(d)) for d in days])
        elif calendar == "days":
            keep = np.ones(len(days), bool)
        else:
            keep = np.is_busday(days)
            if calendar == "china":
                said_from, said_until = _apply_china_holidays(days, keep)
        return np.asarray(days[keep])

    found: Days = np.empty(0, "datetime64[D]")
    at, many, span = first, n_days + back_days + 1, np.timedelta64(SPAN_DAYS, "D")
    while len(found) < many:
        found = np.concatenate([found, worked_from(at)])
        at = at + span
    back = [np.timedelta64(k * SPAN_DAYS, "D") for k in range(SPANS_BEFORE, 0, -1)]
    before = np.concatenate([worked_from(first - way) for way in back])
    return WorkDays(found, said_until, said_from, before)


def _worked_days_of_table(calendar: pd.DataFrame) -> dict[np.datetime64, bool]:
    """Days that a table says are worked or not; all others are Monday to Friday."""
    calendar = columns_once(calendar, "calendar")
    require_columns(calendar, ["date", "working"], "calendar")
    if not pd.api.types.is_bool_dtype(calendar["working"]) or calendar["working"].isna().any():
        raise LayerError(
            "has other words than yes and no in working", layer="calendar", hint="True or False"
        )
    both = calendar[["date", "working"]].drop_duplicates()
    twice = both["date"].duplicated(keep=False)
    if twice.any():
        raise LayerError("says both of a day that it is worked and that it isn't",
                         layer="calendar", ids=both.index[twice],
                         hint="leave one row a day")  # fmt: skip
    return dict(zip(_as_days(calendar["date"]), calendar["working"].astype(bool), strict=True))


def _apply_china_holidays(
    days: Days, keep: NDArray[np.bool_]
) -> tuple[np.datetime64, np.datetime64]:
    """Holidays out and make-up days in, as announced by the State Council; first and last day."""
    free, made_up = _china_days()
    keep[np.isin(days, free)] = False
    keep[np.isin(days, made_up)] = True
    first, last = free[[0, -1]].astype("datetime64[Y]")
    behind = (last + np.timedelta64(1, "Y")).astype("datetime64[D]")
    return first.astype("datetime64[D]"), behind - np.timedelta64(1, "D")


@cache
def _china_days() -> tuple[Days, Days]:
    """All holidays that were announced, and all make-up days, each in order."""
    from chinese_calendar.constants import holidays, workdays

    free, made_up = (np.array(sorted(days), "datetime64[D]") for days in (holidays, workdays))
    return free, made_up


def _as_days(dates: Any) -> Days:
    found: Days = pd.DatetimeIndex(np.atleast_1d(dates)).to_numpy().astype("datetime64[D]")
    return found


def day_of(value: Any, name: str) -> pd.Timestamp:
    """One date that a caller gives, without time; a text that could be two days is refused."""
    if (day := excel_day(value)) is not None:
        raise LayerError(f"{name}={value!r} is no date; as Excel's number of days it would be "
                         f"{day:%Y-%m-%d}", hint=f'{name}="{day:%Y-%m-%d}"')  # fmt: skip
    if isinstance(value, str):
        text = plain_dates(pd.Series([value])).iloc[0]
        if pd.isna(text):
            word = "could be another day" if DAY_OR_MONTH.match(value.strip()) else "is no date"
            raise LayerError(f"{name}={value!r} {word}", hint=f'{name}="2018-03-01"')
        value = text
    try:
        found = pd.Timestamp(value).tz_localize(None).normalize()
    except (ValueError, TypeError, AttributeError) as fault:  # NaT has no day
        raise LayerError(f"{name}={value!r} is no date", hint=f'{name}="2018-03-01"') from fault
    if isinstance(value, int | float) or pd.isna(found):
        raise LayerError(f"{name}={value!r} is no date", hint=f'{name}="2018-03-01"')
    return found
