"""Which changes of direction are worth what they save? A line that zigzags seldom.

A line bends at a station where the change of offset per metre does. Bends that follow another one
of the same bank within a stated way have a price, so that houses have to be worth a stated sum for
the line to step aside for them. Here is the rule, and how a line by local rules is drawn with it:
places where bends follow closely are drawn straight from bend to bend, or their slants longer,
wherever that costs less than the bends; straight lines need no offset of the menu between bends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang
from pinghu_geo.search.amounts import UNTOLD, amount_said, amounts
from pinghu_geo.search.contacts import TOUCH_M, Contacts
from pinghu_geo.search.thresholds import pieces_in_gaps

__all__ = [
    "SAME_SLOPE",
    "SAME_WAY_M",
    "BentLine",
    "Bends",
    "Keeps",
    "LineRules",
    "bend_rule",
    "bends_said",
    "less_bent",
]

# changes of offset per metre that are one direction; ways along the river that are one
SAME_SLOPE = 1e-9
SAME_WAY_M = 1e-6
# close bends of a jog for one house, of both banks together
CLOSE_BENDS = 4
# what a closer bend has to save where nothing is stated [yuan], and without rates [m2 of floor]
BEND_YUAN, BEND_FLOOR_M2 = 500_000.0, 200.0
# how much cheaper, with the price of bends, a line has to be to be taken
CHEAPER = 1e-6
# offsets that are one [m]
SAME_MOVE_M = 1e-9
# times that all places are gone through
ROUNDS = 20
# ways to draw a pair of bends otherwise that are asked for whether they are allowed
MOST_ASKED = 12
# bends farther on up to which a line is drawn straight, so that a jog goes as a whole
FARTHER = 3

# whether moves (2, stations) that differ from one station to another are still allowed
Keeps = Callable[[Array, int, int], bool]


@dataclass(frozen=True, slots=True)
class Bends:
    """The rule: bends within ``every_m`` of the last one have to save a house worth ``yuan``.

    A line that steps aside for a house and back, while the other bank gives it room, bends closely
    twice on each bank: each such bend costs a quarter.
    """

    every_m: float
    yuan: float
    priced: bool = True  # else it is m² of floor area

    @property
    def price(self) -> float:
        """What one close bend costs."""
        return self.yuan / CLOSE_BENDS

    def close(self, moves: Array, measure: Array) -> Array:
        """How many bends of banks, with moves [m] (banks, stations), follow another too closely."""
        bank, at = self._bent(moves, measure).nonzero()
        near = np.diff(measure[at]) < self.every_m - SAME_WAY_M
        return np.bincount(bank[1:][near & (np.diff(bank) == 0)], minlength=len(moves))

    def stations(self, moves: Array, measure: Array) -> Array:
        """Stations at which a bank bends."""
        return np.flatnonzero(self._bent(moves, measure))

    @staticmethod
    def _bent(moves: Array, measure: Array) -> Array:
        """Whether banks bend, at each station."""
        slope = np.zeros((*moves.shape[:-1], moves.shape[-1] + 1))
        slope[..., 1:-1] = np.diff(moves) / np.diff(measure)
        return np.asarray(np.abs(np.diff(slope)) > SAME_SLOPE)


def bend_rule(every_m: float | None, yuan: float | None, *, priced: bool) -> Bends | None:
    """The rule on bends; None: there is none."""
    for name, given in (("bend_every_m", every_m), ("bend_yuan", yuan)):
        if given is not None and not (np.isfinite(given) and given >= 0):
            raise LayerError(
                f"{name} is {given!r}", layer="limits", hint="a way in metres and a sum, 0 or more"
            )
    if not every_m:
        return None
    worth = BEND_YUAN if priced else BEND_FLOOR_M2
    return Bends(every_m, worth if yuan is None else yuan, priced)


def bends_said(bends: Bends, certificate: pd.DataFrame, lang: Lang) -> str:
    """How often the lines bend, and which rivers that costs something or saves it."""
    now, was = (int(certificate[c].sum()) for c in ("close_bends", "close_bends_before"))
    dearer = amounts(certificate, "bends")
    worth, net = (amount_said(v, lang, priced=bends.priced) for v in (bends.yuan, dearer.sum()))
    said = [f"{bends.every_m:g}", worth, f"{now:,}", f"{was:,}"]
    less, more = dearer <= -UNTOLD, dearer >= UNTOLD
    if not less.any():
        return say("Each bank bends at most once in {} m, unless closer bends save houses worth "
                   "{}: {} closer bends are left of {}, for {} more than the line as searched.",
                   lang, *said, net)  # fmt: skip
    for part in (less, more)[: 1 + bool(more.any())]:
        rivers = say(", ", lang).join(certificate.loc[part, "river"].astype(str))
        said += [rivers, amount_said(abs(dearer[part].sum()), lang, priced=bends.priced)]
    if not more.any():
        return say("Each bank bends at most once in {} m, unless closer bends save houses worth "
                   "{}: {} closer bends are left of {}. Compared with the lines as searched, {} "
                   "costs {} less, at offsets between those given.", lang, *said)  # fmt: skip
    return say("Each bank bends at most once in {} m, unless closer bends save houses worth {}: {} "
               "closer bends are left of {}. Compared with the lines as searched, {} costs {} "
               "less, at offsets between those given, and {} costs {} more.", lang,
               *said)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LineRules:
    """What a line with a move [m] at each station may do, and what it costs.

    ``works`` (2, stations, menu) is the price of each move of ``menu``, infinite where it isn't
    allowed, straight in between. Both moves together are at least ``least_sum`` (stations,); or the
    right one at least the move ``least_right`` (stations, menu) of the left one's next smaller of
    the menu. ``walls`` say which moves take which buildings, ``cost`` is what each of them costs.
    """

    measure: Array
    menu: Array
    works: Array
    change_yuan_m: float
    taper: float
    least_sum: Array | None
    least_right: Array | None
    walls: Contacts
    cost: Array

    def place(self, moves: Array) -> tuple[Array, Array]:
        """The next smaller move of the menu, and the share of the way to the next greater one."""
        k = len(self.menu)
        step = self.menu[1] - self.menu[0] if k > 1 else 1.0
        place = np.clip((moves - self.menu[0]) / step, 0, k - 1)
        below = np.floor(place + 1e-7).astype(int)
        return below, np.where(place - below < 1e-7, 0.0, place - below)

    def paid(self, first: int, moves: Array) -> Array:
        """Price of moves (..., 2, stations) from a station on, at each; infinite: not allowed."""
        k, many = len(self.menu), moves.shape[-1]
        below, share = self.place(moves)
        side, at = np.ogrid[:2, first : first + many]
        low = self.works[side, at, below]
        high = np.where(share > 0, self.works[side, at, np.minimum(below + 1, k - 1)], low)
        shut = ~(np.isfinite(low) & np.isfinite(high))
        shut |= (moves > self.menu[-1] + SAME_MOVE_M) | (moves < self.menu[0] - SAME_MOVE_M)
        # by the conveyance rule the price is that of the dearer wall
        dearer = self.least_right is not None and self.least_sum is None
        with np.errstate(invalid="ignore"):
            paid = np.maximum(low, high) if dearer else low + share * (high - low)
        return np.where(shut, np.inf, paid)

    def works_of(self, first: int, moves: Array) -> float:
        """Price of both banks' moves from a station on, with their changes; infinite: no way."""
        changes = self.change_yuan_m * float(np.abs(np.diff(moves)).sum())
        return float(self.paid(first, moves).sum()) + changes

    def broken(self, first: int, moves: Array) -> Array:
        """Where both banks (ways, 2, stations), from a station on, slant too much or are too near.

        By station; a slant counts at its upper one.
        """
        here = slice(first, first + moves.shape[-1])
        found = np.zeros((len(moves), moves.shape[-1]), bool)
        most = self.taper * np.diff(self.measure[here]) + SAME_MOVE_M
        found[:, :-1] = (np.abs(np.diff(moves)) > most).any(axis=1)
        if self.least_sum is not None:
            found |= moves.sum(axis=1) < self.least_sum[here] - 1e-9
        elif self.least_right is not None:
            left, right = self.place(moves)[0].swapaxes(0, 1)
            found |= right < self.least_right[np.arange(here.start, here.stop), left]
        return found


class _Change(NamedTuple):
    """Other moves of a bank from one station to another."""

    side: int
    first: int
    moves: Array


class Judged(NamedTuple):
    """What ways to draw a line otherwise change, one value a way."""

    allowed: Array  # by the rules, what it costs aside
    fewer: Array  # close bends of both banks that are taken out
    dearer: Array  # what it costs more, bends aside; infinite: not allowed
    worth: Array  # what buildings cost that are taken, less those that no longer are

    def gain(self, price: float) -> Array:
        """What each saves, bends counted by their price; minus infinity: not allowed."""
        return np.where(self.allowed, price * self.fewer - self.dearer, -np.inf)


class BentLine:
    """A line, which buildings it takes how often, and the bends of each bank."""

    def __init__(
        self, rules: LineRules, bends: Bends, moves: Array, keeps: Keeps | None = None
    ) -> None:
        self.keeps = keeps
        self.rules, self.bends, self.moves = rules, bends, moves.copy()
        self.n = moves.shape[1]
        row, gap, share, _, safe = pieces_in_gaps(rules.walls, rules.measure)
        who, side = rules.walls.who[row], rules.walls.side[row]
        order = np.lexsort((gap, side))
        self.who, self.gap, self.share, self.safe = (v[order] for v in (who, gap, share, safe))
        self.begin = np.searchsorted(side[order] * self.n + self.gap, np.arange(2 * self.n + 1))
        self.held = np.zeros(len(rules.cost), int)
        who, ends = self._hits(0, self.moves[None])
        np.add.at(self.held, who, ends[0])
        self.knots = [self._bend_stations(k) for k in (0, 1)]
        self._refused: set[bytes] = set()  # lines that ``keeps`` doesn't allow

    def _bend_stations(self, side: int) -> list[int]:
        """Stations where a bank bends, and both ends."""
        own = self.bends.stations(self.moves[side], self.rules.measure).tolist()
        return sorted({0, *own, self.n - 1})

    def _hits(self, first: int, moves: Array) -> tuple[Array, Array]:
        """Whose walls both banks meet in the gaps from a station on, and in how many ends of each.

        Moves are (ways, 2, stations), ends (ways, pieces of wall).
        """
        who, ends = [], []
        for side in (0, 1):
            at = side * self.n + first
            mine = slice(self.begin[at], self.begin[at + moves.shape[-1] - 1])
            gap, share = self.gap[mine] - first, self.share[mine]
            upper, lower = (moves[:, side, k][..., None] for k in (gap, gap + 1))
            line = upper * (1 - share) + lower * share
            who.append(self.who[mine])
            ends.append((line > self.safe[mine] + TOUCH_M).sum(axis=2))
        return np.concatenate(who), np.concatenate(ends, axis=1)

    def judged(self, ways: list[list[_Change]]) -> Judged:
        """What ways to draw the line otherwise change: all looked at at once."""
        here = self._window([change for way in ways for change in way])
        # the line as it is comes first
        moves = np.repeat(self.moves[None, :, here], len(ways) + 1, axis=0)
        for own, way in zip(moves[1:], ways, strict=True):
            for side, first, made in way:
                own[side, first - here.start : first - here.start + len(made)] = made
        rules = self.rules
        broken, paid = rules.broken(here.start, moves), rules.paid(here.start, moves)
        change = rules.change_yuan_m * np.abs(np.diff(moves))
        same = moves[1:] == moves[0]
        with np.errstate(invalid="ignore"):
            works = np.where(same, 0.0, paid[1:] - paid[0]).sum(axis=(1, 2))
        works += (change[1:] - change[0]).sum(axis=(1, 2))
        close = self.bends.close(moves.reshape(-1, moves.shape[-1]), rules.measure[here])
        count, worth = close.reshape(-1, 2).sum(axis=1), self._worth(here.start, moves)
        return Judged(
            ~(broken[1:] & ~broken[0]).any(axis=1), count[0] - count[1:], works + worth, worth
        )

    def _window(self, changes: list[_Change]) -> slice:
        """Stations from two bends above changes to two below: what follows closely stays there."""
        first = min(c.first for c in changes)
        last = max(c.first + len(c.moves) - 1 for c in changes)
        low = min([k for k in knots if k <= first][-3:][0] for knots in self.knots)
        high = max([k for k in knots if k >= last][:3][-1] for knots in self.knots)
        return slice(max(low - 1, 0), min(high + 2, self.n))

    def _worth(self, first: int, moves: Array) -> Array:
        """What buildings cost that other lines take, less those that they don't (ways,).

        Of moves (ways, 2, stations) from a station on the first is the line as it is.
        """
        who, ends = self._hits(first, moves)
        if not len(who):
            return np.zeros(len(moves) - 1)
        order = np.argsort(who, kind="stable")
        ids, begin = np.unique(who[order], return_index=True)
        more = np.add.reduceat((ends[1:] - ends[0])[:, order], begin, axis=1)
        before = self.held[ids]
        taken = (before + more > 0).astype(float) - (before > 0)
        return np.asarray(taken @ self.rules.cost[ids])

    def with_changes(self, changes: list[_Change]) -> Array:
        """Moves (2, stations) with changes."""
        made = self.moves.copy()
        for side, at, moves in changes:
            made[side, at : at + len(moves)] = moves
        return made

    def cost(self) -> float:
        """What the line costs, bends aside."""
        return self.rules.works_of(0, self.moves) + float(self.rules.cost[self.held > 0].sum())

    def taken(self, changes: list[_Change]) -> bool:
        """Whether the line may be drawn so; then it is."""
        if self.keeps is not None:
            made = self.with_changes(changes)
            line = made.tobytes()
            if line in self._refused:
                return False
            differs = np.flatnonzero((np.abs(made - self.moves) > SAME_MOVE_M).any(axis=0))
            if len(differs) and not self.keeps(made, int(differs[0]), int(differs[-1])):
                self._refused.add(line)
                return False
        self._take(changes)
        return True

    def _take(self, changes: list[_Change]) -> None:
        """Draw the line so."""
        made = self.with_changes(changes)
        who, ends = self._hits(0, np.stack([self.moves, made]))
        np.add.at(self.held, who, ends[1] - ends[0])
        self.moves = made
        self.knots = [self._bend_stations(side) for side in (0, 1)]

    def close_pairs(self) -> list[tuple[int, int, int]]:
        """Bank and stations of bends that follow one another too closely."""
        found = []
        for side in (0, 1):
            at = self.bends.stations(self.moves[side], self.rules.measure)
            close = np.diff(self.rules.measure[at]) < self.bends.every_m - SAME_WAY_M
            pairs = zip(at[:-1][close].tolist(), at[1:][close].tolist(), strict=True)
            found += [(side, a, b) for a, b in pairs]
        return sorted(found, key=lambda one: one[1])

    def straight(
        self, side: int, first: int, last: int, points: list[tuple[int, float]]
    ) -> _Change:
        """A bank straight from a station to some points and on to another station."""
        own = [(first, self.moves[side, first]), *points, (last, self.moves[side, last])]
        at, move = (np.array(v) for v in zip(*own, strict=True))
        measure = self.rules.measure
        made = np.interp(measure[first : last + 1], measure[at.astype(int)], move)
        return _Change(side, first, made)

    def ways_to_bend_less(self, side: int, a: int, b: int) -> Iterator[list[_Change]]:
        """Lines without two close bends of a bank, or with a longer way between them."""
        knots, measure = self.knots[side], self.rules.measure
        before = max((k for k in knots if k < a), default=a)
        after = min((k for k in knots if k > b), default=b)
        move = self.moves[side]
        far = self.bends.every_m - SAME_WAY_M
        lower = int(np.searchsorted(measure, measure[b] - far, side="right")) - 1
        upper = int(np.searchsorted(measure, measure[a] + far))
        asked: list[tuple[int, int, list[tuple[int, float]]]] = [
            (before, after, []), (before, b, []), (a, after, []),
        ]  # fmt: skip
        if lower >= 0:
            low = max((k for k in knots if k < lower), default=0)
            asked.append((low, b, [(lower, move[a])] if lower > low else []))
        if upper < self.n:
            high = min((k for k in knots if k > upper), default=self.n - 1)
            asked.append((a, high, [(upper, move[b])] if upper < high else []))
        # a jog as a whole
        later, earlier = ([k for k in knots if k > b], [k for k in knots if k < a][::-1])
        asked += [(a, k, []) for k in later[1:FARTHER]] + [(k, b, []) for k in earlier[1:FARTHER]]
        # one bend instead of both, at any station near them
        asked += [(before, after, [(at, move[a])]) for at in range(max(lower, before + 1), a)]
        asked += [(before, after, [(at, move[b])]) for at in range(b + 1, min(upper + 1, after))]
        for first, last, points in asked:
            if last - first < 2:
                continue
            own = self.straight(side, first, last, points)
            yield [own]
            yield from ([own, other] for other in self._other_bank(1 - side, own, points, (a, b)))

    def _other_bank(
        self, side: int, own: _Change, points: list[tuple[int, float]], pair: tuple[int, int]
    ) -> Iterator[_Change]:
        """The other bank beside a change: straight, too, or with its own bends moved as far."""
        first, last = own.first, own.first + len(own.moves) - 1
        knots = self.knots[side]
        low = max((k for k in knots if k <= first), default=0)
        high = min((k for k in knots if k >= last), default=self.n - 1)
        yield self.straight(side, low, high, [])
        moved = [(at, self.moves[side, pair[0] if at < pair[0] else pair[1]]) for at, _ in points]
        if moved and low < moved[0][0] < high:
            yield self.straight(side, low, high, moved)
        # as wide as before, wherever this bank is
        before = self.moves[1 - side, first : last + 1] + self.moves[side, first : last + 1]
        yield _Change(side, first, before - own.moves)

    def straight_place(self, first: int, last: int) -> list[_Change]:
        """Both banks straight from one station to another."""
        return [self.straight(side, first, last, []) for side in (0, 1)]

    def ways_past(self, first: int, last: int) -> Iterator[list[_Change]]:
        """Both banks straight past the bends that follow closely between two stations.

        Each from its bend before them to the one after them; or from the first of them to a later
        bend, or from an earlier one to the last: a jog goes as a whole. Last, between themselves.
        """
        bends = []
        for side in (0, 1):
            here = [k for s, a, b in self.close_pairs() if s == side for k in (a, b)]
            here = [k for k in here if first <= k <= last] or [first + 1, last - 1]
            knots = self.knots[side]
            lower = [k for k in knots if k < min(here)][::-1] or [0]
            upper = [k for k in knots if k > max(here)] or [self.n - 1]
            bends.append((lower, min(here), max(here), upper))
        jogs = [(j, k) for far in range(FARTHER) for j, k in ((None, far), (far, None))]
        for j, k in [(0, 0), *jogs]:
            way = []
            for side, (lower, a, b, upper) in enumerate(bends):
                low = a if j is None else lower[min(j, len(lower) - 1)]
                high = b if k is None else upper[min(k, len(upper) - 1)]
                way.append(self.straight(side, low, high, []))
            yield way
        yield self.straight_place(first, last)

    def close_within(self, first: int, last: int) -> int:
        """Close bends of both banks between two stations."""
        return sum(first <= a and b <= last for _, a, b in self.close_pairs())

    def places(self) -> list[tuple[int, int]]:
        """Stations between which bends of either bank follow closely, from end to end."""
        found: list[list[int]] = []
        for _, a, b in self.close_pairs():
            if found and a <= found[-1][1]:
                found[-1][1] = max(found[-1][1], b)
            else:
                found.append([a, b])
        return [(a, b) for a, b in found]


def less_bent(rules: LineRules, bends: Bends, moves: Array, keeps: Keeps | None = None) -> Array:
    """Moves (2, stations) of a line that bends closely only where that is worth it.

    ``keeps`` is asked whether a line is still allowed that differs between two stations; it is
    drawn so then.
    """
    if len(rules.menu) < 2:
        return moves
    line = BentLine(rules, bends, moves, keeps)
    for _ in range(ROUNDS):
        # first what takes no building: two jogs may become one
        while any(_pairs_straightened(line, sparing=sparing) for sparing in (True, False)):
            pass
        if not _places_straightened(line):
            break
    return line.moves


def _pairs_straightened(line: BentLine, *, sparing: bool) -> bool:
    """Whether any two close bends were drawn otherwise, by the best way for each.

    ``sparing``: of ways that take no buildings.
    """
    taken = False
    for side, a, b in line.close_pairs():
        if not {a, b} <= set(line.knots[side]):
            continue
        ways = list(line.ways_to_bend_less(side, a, b))
        if not ways:
            continue
        judged = line.judged(ways)
        gain = judged.gain(line.bends.price)
        best = np.argsort(-gain, kind="stable")
        best = best[(gain > CHEAPER)[best] & ((judged.worth <= 0)[best] | (not sparing))]
        if any(line.taken(ways[k]) for k in best[:MOST_ASKED].tolist()):
            taken = True
    return taken


def _places_straightened(line: BentLine) -> bool:
    """Whether any place where bends follow closely was drawn straight from end to end."""
    taken = False
    for first, last in line.places():
        if last - first > 1:
            whole = line.straight_place(first, last)
            gain = line.judged([whole]).gain(line.bends.price)[0]
            if gain > CHEAPER and line.taken(whole):
                taken = True
    return taken
