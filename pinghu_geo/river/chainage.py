"""How is a place along a river said? Chainage text (桩号) and chainage equations (断链).

A river is measured in metres from the upstream end of its drawn centreline: its *measure*.
What people say is the *chainage*: it may start anywhere, run either way, and jump where a
survey was joined to an older one (a chainage equation, 断链).
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pinghu_geo.nouns.errors import ChainageError

__all__ = [
    "SAME_PLACE_M", "ChainageScale", "begun_anew", "chainage_prefix", "format_chainage",
    "parse_chainage",
]  # fmt: skip

FORMS = "K12+669.5, 12+669.5, k0+000, K12.669, 12669.5 m, 12.6695 km, or metres as a number"
_PREFIX = r"(?P<prefix>[^\W\d_]*)"
_UNIT = r"(?P<unit>km|m|公里|千米|米)?"
_TEXT = re.compile(
    rf"(?P<sign>[-−]?)\s*{_PREFIX}\s*(?P<inner>[-−]?)\s*(?P<km>\d+)\s*\+\s*"
    r"(?P<m>\d{3}(?:\.\d+)?)\s*(?:m|米)?",
    re.IGNORECASE,
)
# K12.669: kilometres with metres behind the point, in which both readings agree
_KILOMETRES = re.compile(
    rf"(?P<sign>[-−]?)\s*{_PREFIX}\s*(?P<inner>[-−]?)\s*(?P<km>\d+\.\d{{3,}})\s*(?:km|公里|千米)?",
    re.IGNORECASE,
)
_NUMBER = re.compile(rf"(?P<number>[-+−]?\d+(?:\.\d*)?)\s*{_UNIT}", re.IGNORECASE)
# what a river's own chainage begins with, or nothing
ORDINARY = ("", "K", "桩号", "桩号K", "里程", "里程K")
_METRES = {"km": 1000.0, "公里": 1000.0, "千米": 1000.0}


def parse_chainage(text: object, *, prefix: str = "K") -> float:
    """Read one chainage, as text or number, into metres 桩号.

    Parameters
    ----------
    text
        ``"K12+669.5"``, ``"12+669.5"``, ``"k0+000"``, full-width characters too, or a
        number of metres. Three digits follow the plus sign, before any decimals: ``K1+5``
        may mean 1,005 or 1,500 m and is refused.
    prefix
        What may stand before the kilometres. Another one, such as DK or 左K, means another
        line, whose chainages have nothing to do with this one's; it is refused by name.

    Returns
    -------
    float
        Chainage [m].

    Raises
    ------
    ChainageError
        The text has none of the accepted forms, or the prefix of another line.

    References
    ----------
    Kilometres stand before the plus sign and metres, three digits, behind it:
    kxting.com/article/20221119/1476289.html.

    Examples
    --------
    >>> parse_chainage("K12+669.5")
    12669.5
    >>> parse_chainage("Ｋ０＋０２０") - parse_chainage("-0+020")
    40.0
    >>> parse_chainage("DK12+669", prefix="DK"), parse_chainage(format_chainage(-20))
    (12669.0, -20.0)
    """
    if isinstance(text, int | float | np.integer | np.floating) and np.isfinite(text):
        return float(text)
    plain = unicodedata.normalize("NFKC", str(text)).strip()
    found = _TEXT.fullmatch(plain) or _KILOMETRES.fullmatch(plain)
    if found and (found.re is _TEXT or found["prefix"]) and not (found["sign"] and found["inner"]):
        _require_prefix(text, found["prefix"], prefix)
        metres = 1000.0 * float(found["km"]) + float(found.groupdict().get("m") or 0.0)
        return -metres if found["sign"] or found["inner"] else metres
    if found := _NUMBER.fullmatch(plain):
        number = float(found["number"].replace("−", "-"))
        return number * _METRES.get((found["unit"] or "").lower(), 1.0)
    raise ChainageError(f"{text!r} is not a chainage (桩号)", hint=f"accepted forms are {FORMS}")


def chainage_prefix(text: object) -> str:
    """What stands before the kilometres of a chainage, such as DK; empty where it is K or none."""
    plain = unicodedata.normalize("NFKC", str(text)).strip()
    found = _TEXT.fullmatch(plain) or _KILOMETRES.fullmatch(plain)
    word = found["prefix"].upper() if found else ""
    return "" if word in ORDINARY else word


def _require_prefix(text: object, found: str, wanted: str) -> None:
    """Refuse the chainage of another line."""
    word = found.upper()
    if word == wanted.upper() or (word in ORDINARY and wanted.upper() in ORDINARY):
        return
    raise ChainageError(
        f"{text!r} is a chainage (桩号) of the line {word or 'K'!r}, not of {wanted!r}",
        hint=f"pg.parse_chainage({str(text)!r}, prefix={word or 'K'!r})  # if that is meant",
    )


def format_chainage(chainage_m: float, *, decimals: int = 1, prefix: str = "K") -> str:
    """Write a chainage in the form engineers use 桩号.

    Parameters
    ----------
    chainage_m
        Chainage [m].
    decimals
        Decimals of the metre. Trailing zeros are kept, so that a column lines up.
    prefix
        What stands before the kilometres.

    Returns
    -------
    str
        Such as ``K1+234.5``; a negative chainage has its sign before the prefix's digits.

    Raises
    ------
    ChainageError
        The number is not finite.

    References
    ----------
    Kilometres stand before the plus sign and metres, three digits, behind it:
    kxting.com/article/20221119/1476289.html.

    Examples
    --------
    >>> format_chainage(1234.5)
    'K1+234.5'
    >>> format_chainage(999.96), format_chainage(-20, decimals=0)
    ('K1+000.0', 'K-0+020')
    """
    try:
        finite = math.isfinite(chainage_m)
    except (TypeError, ValueError):  # a date, a text
        finite = False
    if not finite:
        raise ChainageError(f"{chainage_m!r} is no chainage (桩号)", hint="give metres")
    # rounded before it is split, or 999.96 would read K0+1000.0
    scale = 10**decimals
    units = round(abs(chainage_m) * scale)
    km, rest = divmod(units, 1000 * scale)
    sign = "-" if chainage_m < 0 and units else ""
    width = 4 + decimals if decimals else 3
    return f"{prefix}{sign}{km}+{rest / scale:0{width}.{decimals}f}"


# places this close along a river are one [m]
SAME_PLACE_M = 0.01


@dataclass(frozen=True, slots=True)
class ChainageScale:
    """The rule of one river from measure to chainage and back 桩号换算.

    Parameters
    ----------
    length_m
        Length of the centreline [m].
    start_m
        Chainage of its upstream end [m].
    sign
        +1: chainage grows downstream; -1: it grows upstream (counted from the mouth).
    equations
        Pairs (back, ahead) [m] in the order of the flow: a point that is ``back`` for the
        reach above it and ``ahead`` for the reach below it.

    Notes
    -----
    With ``sign=+1``, ``ahead < back`` is a long chain (长链: some chainages occur twice) and
    ``ahead > back`` a short chain (短链: some chainages don't occur).
    """

    length_m: float
    start_m: float = 0.0
    sign: int = 1
    equations: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a scale that contradicts itself."""
        if self.sign not in (1, -1):
            raise ChainageError(
                f"chainage_sign is {self.sign}", hint="use 1 (grows downstream) or -1"
            )
        breaks = self._run_starts()[0]
        if np.any(np.diff(breaks) <= 0) or breaks[-1] >= self.length_m > 0:
            raise ChainageError(
                "the chainage equations (断链) are out of order or outside the river",
                hint="list them downstream as back=ahead, e.g. K2+300=K2+350;K4+000=K3+980",
            )

    @classmethod
    def from_text(cls, length_m: float, start_m: float, sign: int, equations: str) -> ChainageScale:
        """Build the scale from the text that rivers carry: ``K2+300=K2+350;K4+000=K3+980``."""
        pairs = []
        for part in filter(None, (p.strip() for p in re.split(r"[;；]", equations))):
            back, equal, ahead = part.replace("＝", "=").partition("=")
            if not equal:
                raise ChainageError(
                    f"{part!r} is not a chainage equation (断链)",
                    hint="write back=ahead, e.g. K2+300=K2+350",
                )
            pairs.append((parse_chainage(back), parse_chainage(ahead)))
        return cls(length_m, start_m, sign, tuple(pairs))

    def _run_starts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Measure and chainage at the start of each run between equations."""
        measure, chainage = [0.0], [self.start_m]
        for back, ahead in self.equations:
            measure.append(measure[-1] + self.sign * (back - chainage[-1]))
            chainage.append(ahead)
        return np.array(measure), np.array(chainage)

    def chainage(self, measure_m: ArrayLike) -> NDArray[np.float64]:
        """Chainage [m] of points given by their measure [m]; at an equation, the one ahead."""
        starts_m, starts_chainage = self._run_starts()
        measure = np.asarray(measure_m, float)
        run = np.clip(np.searchsorted(starts_m, measure, side="right") - 1, 0, None)
        return np.asarray(starts_chainage[run] + self.sign * (measure - starts_m[run]))

    def along(self, measure_m: ArrayLike) -> NDArray[np.float64]:
        """Chainages [m] whose differences are lengths along the river.

        Where there are equations they are metres that grow as chainages do; `said` turns them back.
        """
        measure = np.asarray(measure_m, float)
        return self.sign * measure if self.equations else self.chainage(measure)

    def said(self, along_m: ArrayLike) -> NDArray[np.float64]:
        """Chainages [m] as people say them, of those that `along` gives."""
        along = np.asarray(along_m, float)
        return self.chainage(self.sign * along) if self.equations else along

    def once(self, along_m: ArrayLike) -> NDArray[np.bool_]:
        """Whether the chainage of a place occurs there only."""
        said = self.said(np.atleast_1d(np.asarray(along_m, float)))
        if not self.equations:
            return np.ones(said.shape, bool)
        first, last = (self.measure(said, twice=w, beyond=True) for w in ("upstream", "downstream"))
        return np.asarray(first == last)

    def repeated(
        self, measure_m: ArrayLike, *, said: ArrayLike | None = None
    ) -> NDArray[np.object_]:
        """Which of two places is meant where a long chain repeats a chainage, else None.

        ``"above"`` is the place nearer to the river's head, ``"below"`` any further down. The
        place of an equation has two chainages: ``said`` are those that stand beside the answer.
        """
        measure = np.asarray(measure_m, float)
        found = np.full(measure.shape, None, object)
        if self.equations:
            chainage = self.chainage(measure) if said is None else np.asarray(said, float)
            first = self.measure(chainage, twice="upstream", beyond=True)
            last = self.measure(chainage, twice="downstream", beyond=True)
            twice = last - first > SAME_PLACE_M
            found[twice] = np.where(measure - first <= SAME_PLACE_M, "above", "below")[twice]
        return found

    def measure(
        self,
        chainage_m: ArrayLike,
        *,
        twice: Literal["refuse", "order", "upstream", "downstream"] = "refuse",
        near: ArrayLike | None = None,
        beyond: bool = False,
        tolerance_m: float = 0.01,
    ) -> NDArray[np.float64]:
        """Measure [m] of points given by their chainage.

        Parameters
        ----------
        chainage_m
            Chainages [m].
        twice
            Which of two points is meant where a long chain makes a chainage occur twice: refused
            by default; ``"order"`` takes the chainages for stations listed along the river, up
            or down, whose neighbours tell, and refuses those where they don't.
        near
            Measures [m] that are known roughly, as from a drawn place: of several points of one
            chainage the nearest is meant.
        beyond
            Whether chainages past the river's ends are laid on its straight continuation.
        tolerance_m
            How far beyond the river's ends a rounded chainage may lie [m]; it is taken
            back to the end.

        Returns
        -------
        numpy.ndarray
            Measures [m], each from 0 to ``length_m``, unless ``beyond``.

        Raises
        ------
        ChainageError
            A chainage lies outside the river, or in the gap of a short chain, or it occurs twice.
        """
        chainage = np.atleast_1d(np.asarray(chainage_m, float))
        starts_m, starts_chainage = self._run_starts()
        ends_m = np.append(starts_m[1:], self.length_m)
        # one row a run between equations, one column a chainage
        candidate = starts_m[:, None] + self.sign * (chainage[None, :] - starts_chainage[:, None])
        low, high = starts_m - tolerance_m, ends_m + tolerance_m
        if beyond:
            low[0], high[-1] = -np.inf, np.inf
        inside = (candidate >= low[:, None]) & (candidate <= high[:, None])
        if not inside.any(axis=0).all():
            bad = chainage[~inside.any(axis=0)]
            raise ChainageError(
                "chainages outside the river, or in the gap of a chainage equation (断链)",
                ids=[format_chainage(c) if np.isfinite(c) else str(c) for c in bad],
                hint=f"the river runs from {format_chainage(self.start_m, decimals=2)} to "
                f"{format_chainage(float(self.chainage(self.length_m)), decimals=2)}",
            )
        candidate = np.where(inside, candidate, np.nan)
        if near is not None:
            away = np.abs(candidate - np.atleast_1d(np.asarray(near, float))[None, :])
            candidate = candidate[np.nanargmin(away, axis=0), np.arange(len(chainage))][None, :]
        first, last = np.nanmin(candidate, axis=0), np.nanmax(candidate, axis=0)
        if twice == "order" and (last - first > tolerance_m).any():
            first, last = _places_in_order(candidate)
        open_ = last - first > tolerance_m
        if open_.any() and twice in ("refuse", "order"):
            raise ChainageError(
                "chainages that occur twice, above and below a long chain (断链)",
                ids=[format_chainage(c) for c in chainage[open_]],
                hint="list the stations along the river, both places of such a chainage, or move "
                "this one out of the stretch that the equation repeats",
            )
        found = last if twice == "downstream" else first
        ends = (-np.inf, np.inf) if beyond else (0.0, self.length_m)
        return np.asarray(np.clip(found, *ends).reshape(np.shape(chainage_m)))


def _places_in_order(
    candidate: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First and last place (runs, chainages) of each station of a list along the river.

    Equal where the neighbours tell which of two places is meant. A list that runs neither down
    nor up tells nothing.
    """
    for way in (1, -1):
        places = candidate[:, ::way]
        first, last = np.empty(places.shape[1]), np.empty(places.shape[1])
        at = -np.inf
        for k, some in enumerate(places.T):
            first[k] = at = np.min(some, where=some >= at - 1e-6, initial=np.inf)
        at = np.inf
        for k, some in reversed(list(enumerate(places.T))):
            last[k] = at = np.max(some, where=some <= at + 1e-6, initial=-np.inf)
        if np.isfinite(first).all():  # then it fits from its end, too
            return first[::way], last[::way]
    return np.nanmin(candidate, axis=0), np.nanmax(candidate, axis=0)


def begun_anew(key: NDArray[np.intp], offset: NDArray[np.float64]) -> NDArray[np.intp]:
    """Number of each point's section, by first appearance; of one key there may be several.

    A survey says a chainage twice where two places of a river have the same one (断链). Points run
    from left to right, so that the next section begins where offsets jump back over most of
    what the one before covers. A single point that runs back begins none.
    """
    if not len(key):
        return np.empty(0, np.intp)
    turn = np.argsort(key, kind="stable")
    k, x = key[turn], offset[turn]
    fresh = np.r_[True, k[1:] != k[:-1]]
    back = np.flatnonzero(np.r_[False, np.diff(x) < 0] & ~fresh)
    bounds = np.flatnonzero(fresh | np.isin(np.arange(len(k)), back))
    ends = dict(zip(bounds.tolist(), [*bounds[1:].tolist(), len(k)], strict=True))
    begun: dict[int, tuple[float, float]] = {}
    for at in back.tolist():
        if k[at] not in begun:
            first = int(np.searchsorted(k, k[at]))
            begun[k[at]] = (x[first], x[ends[first] - 1])
        (a, b), (low, high) = begun[k[at]], (x[at], x[ends[at] - 1])
        if min(high, b) - max(low, a) > 0.75 * min(high - low, b - a) > 0:
            begun[k[at]] = (low, high)
            fresh[at] = True
    found = np.empty(len(k), np.intp)
    found[turn] = np.cumsum(fresh) - 1
    shown = np.full(int(fresh.sum()), len(k))
    np.minimum.at(shown, found, np.arange(len(k)))
    rank = np.empty(len(shown), np.intp)
    rank[np.argsort(shown)] = np.arange(len(shown))
    return np.asarray(rank[found])
