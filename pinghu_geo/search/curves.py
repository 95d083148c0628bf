"""How does the water step from section to section? Tables for every choice of options, one flood.

Energy and conveyance of every section are cubic between a few levels, so that the energy balance is
solved for a hundred thousand steps at once; straight lines below the steps serve the bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.steady import State, bracketed
from pinghu_geo.search.energies import most_energy
from pinghu_geo.search.problem import LEAST_GROWTH, NodeProblem, Water

__all__ = ["KNEE", "Curves", "bend_of", "minorant"]

# levels tabulated for each choice of options at each station, and how far above the highest level
# allowed [m]: cubic between them, so that a level is right to some 1e-8 m
NODES = 24
MARGIN_M = 0.25
# energy balance accepted in the tables [m]
TOLERANCE_M = 1e-10
# how much more a straight line lies below a step than the point that was looked at says
SAFETY = 1.5
# where steps are looked at between the lowest level and the highest
KNEE = 0.75
# growth of the energy balance with the level is taken for no less
LEAST_SLOPE = 1e-3
# steps solved at once: their arrays stay in the processor's cache
BLOCK = 1 << 11
# of what is known below a step nothing moves
NONE = np.zeros(1)


class _Asked(NamedTuple):
    """Steps to be solved: the row of each pair above in the tables, and what is known below."""

    row: Array
    flow: Array
    flow_below: Array
    energy: Array
    head: Array
    conveyance: Array
    length: Array
    contraction: Array
    expansion: Array


@dataclass(frozen=True, slots=True)
class Curves:
    """Energy and conveyance of every choice of options at every station, over the levels allowed.

    Rows are station x left option x right option; from the level of the Froude limit ``low`` to a
    little above the highest allowed one each step of `NODES` has a cubic of both (8 numbers).
    """

    problem: NodeProblem
    water: Water
    low: Array
    step: Array
    cubics: Array
    allowed: Array
    most_energy: Array  # with which a way up keeps what is allowed

    @classmethod
    def of(cls, problem: NodeProblem, water: Water) -> Curves:
        """Tabulate a stretch for one flood."""
        pairs = problem.rows.shape[1] ** 2
        rows, model = problem.rows.ravel(), water.model
        flow, top = np.repeat(water.discharge, pairs), np.repeat(water.most_level, pairs)
        floor = model.sections.bottom[rows] + 1e-3
        allowed = top > floor
        price = problem.station_cost
        allowed &= np.isfinite(price[0, :, :, None] + price[1, :, None, :]).ravel()
        allowed[allowed] = (
            model.state(rows[allowed], flow[allowed], top[allowed]).grows > LEAST_GROWTH
        )
        some = np.flatnonzero(allowed)

        def spare(level: Array, mask: Array) -> Array:
            return model.state(rows[some[mask]], flow[some[mask]], level).grows - LEAST_GROWTH

        low, step = top.copy(), np.ones(len(rows))
        low[some] = bracketed(spare, floor[some], top[some])
        step[some] = (top[some] + MARGIN_M - low[some]) / (NODES - 1)
        level = low[some, None] + np.arange(NODES) * step[some, None]
        each = np.repeat(some, NODES)
        state = model.state(rows[each], flow[each], level.ravel())
        cubics, rises = np.zeros((len(rows), NODES - 1, 8)), np.ones(len(some), bool)
        for k, (value, slope) in enumerate(
            ((state.energy, state.grows), (state.conveyance, state.slope))
        ):
            v, d = value.reshape(-1, NODES), slope.reshape(-1, NODES) * step[some, None]
            a, b, da, db = v[:, :-1], v[:, 1:], d[:, :-1], d[:, 1:]
            made = (a, da, 3 * (b - a) - 2 * da - db, 2 * (a - b) + da + db)
            cubics[some, :, 4 * k : 4 * k + 4] = np.stack(made, axis=2)
            # such a cubic doesn't fall between its ends (Fritsch and Carlson 1980)
            even = (da >= 0) & (db >= 0) & (da + db <= 3 * (b - a))
            rises &= (even | (level[:, :-1] >= top[some, None])).all(axis=1)
        tables = cls(problem, water, low, step, cubics, allowed, np.full(len(rows), np.inf))
        # by the tables, as steps are found: where a bank is passed they are off by more than
        # rounding; nothing is said of a pair that may hold more below the level allowed
        energy, _, conveyance, _ = tables.read(some, top[some])
        ends = np.full((2, len(rows)), [[-np.inf], [1.0]])
        ends[:, some] = np.where(rises, (energy, conveyance), np.inf)
        most = most_energy(problem, water, *ends.reshape(2, -1, pairs)).ravel()
        return replace(tables, most_energy=most)

    def read(self, row: Array, level: Array) -> tuple[Array, ...]:
        """Energy, its growth, conveyance and its growth at levels."""
        h = self.step[row]
        place = np.minimum(np.maximum((level - self.low[row]) / h, 0.0), NODES - 1.0)
        k = np.minimum(place.astype(np.int64), NODES - 2)
        t = place - k
        c = self.cubics.reshape(-1, 8).take(row * (NODES - 1) + k, axis=0).T
        return (
            c[0] + t * (c[1] + t * (c[2] + t * c[3])),
            (c[1] + t * (2 * c[2] + 3 * t * c[3])) / h,
            c[4] + t * (c[5] + t * (c[6] + t * c[7])),
            (c[5] + t * (2 * c[6] + 3 * t * c[7])) / h,
        )

    def state(self, i: Array | int, pair: Array, level: Array) -> State:
        """Sections of pairs of options at a station, or at one each, without the tables."""
        rows, flow = self._sections(i, pair), np.zeros(len(pair)) + self.water.discharge[i]
        return self.water.model.state(rows, flow, level)

    def _sections(self, i: Array | int, pair: Array) -> Array:
        """Sections of pairs of options at stations."""
        rows = self.problem.rows
        found: Array = rows.reshape(len(rows), -1)[i, pair]
        return found

    def _asked(
        self, i: Array | int, above: Array, level: Array, energy: Array, conveyance: Array
    ) -> _Asked:
        """Steps from what is known below to the pairs above."""
        model, section, none = self.water.model, self._sections(i, above), np.zeros(len(above))
        row = i * self.problem.rows.shape[1] ** 2 + above
        flow = self.water.discharge
        return _Asked(
            row, none + flow[i], none + flow[i + 1], energy, energy - level, conveyance,
            model.lengths[section, 1], model.contraction[section], model.expansion[section],
        )  # fmt: skip

    def _balance(
        self, asked: _Asked, level: Array | float, above: tuple[Array, ...]
    ) -> tuple[Array, Array]:
        """Energy at levels above, what `read` says there, less that below and losses; its growth.

        Between the level of the Froude limit and the end of the table it grows with the level.
        """
        energy, grows, conveyance, slope = above
        here = State(NONE, energy - level, grows, conveyance, slope, NONE, asked.flow)
        known = State(NONE, asked.head, NONE, asked.conveyance, NONE, NONE, asked.flow_below)
        lost, by_up, _ = self.water.model.lost(
            asked.length, asked.contraction, asked.expansion, here, known
        )
        return energy - asked.energy - lost, np.maximum(grows - by_up, LEAST_SLOPE)

    def first_guess(
        self, i: int, above: Array, level: Array, energy: Array, conveyance: Array, most: float
    ) -> Array:
        """One step of Newton's method from a level: where steps come to that end at it or lower.

        Others come out above it. What the sections hold there is read once for each pair above.
        """
        pairs = self.problem.rows.shape[1] ** 2
        read = self.read(i * pairs + np.arange(pairs), np.full(pairs, most))
        asked = self._asked(i, above, level, energy, conveyance)
        rest, slope = self._balance(asked, most, tuple(v[above] for v in read))
        return np.asarray(most - rest / slope)

    def solve(
        self, i: Array | int, above: Array, level: Array, energy: Array, conveyance: Array,
        guess: Array,
    ) -> tuple[Array, Array, Array, Array]:  # fmt: skip
        """Standard steps from what is known below to the pairs above at a station, or at one each.

        Level, energy, conveyance, and whether there is an answer between the level of the Froude
        limit and the end of the table.
        """
        if len(above) > BLOCK:
            cuts = range(0, len(above), BLOCK)
            station = np.broadcast_to(i, len(above))
            parts = [
                self.solve(*(v[k : k + BLOCK] for v in (station, above, level, energy, conveyance,
                                                        guess)))
                for k in cuts
            ]  # fmt: skip
            return tuple(np.concatenate(v) for v in zip(*parts, strict=True))  # type: ignore[return-value]
        asked = self._asked(i, above, level, energy, conveyance)
        low = self.low[asked.row]
        high = low + self.step[asked.row] * (NODES - 1)
        z, left = np.minimum(np.maximum(guess, low), high), np.arange(len(above))
        made = np.full((4, len(above)), np.nan)
        for _ in range(60):
            read = self.read(asked.row, z)
            rest, slope = self._balance(asked, z, read)
            off = np.abs(rest) >= TOLERANCE_M
            if not off.any():
                made[:, left] = z, read[0], read[2], rest
                break
            low, high = np.where(rest < 0, z, low), np.where(rest > 0, z, high)
            # out of the bracket it goes to its end first, so that a level beyond is seen at once
            newton = np.minimum(np.maximum(z - rest / slope, low), high)
            newton = np.where((newton == z) & off, (low + high) / 2, newton)
            go = off & (newton != z)
            count = np.count_nonzero(go)
            if 2 * count > len(go):  # leaving out those that are done would take as long
                z = np.where(go, newton, z)
                continue
            made[:, left] = z, read[0], read[2], rest
            if not count:
                break
            z, low, high, left = newton[go], low[go], high[go], left[go]
            asked = _Asked(*(one[go] for one in asked))
        found, e, k, rest = made
        return found, e, k, np.abs(rest) < TOLERANCE_M


def bend_of(levels: Array) -> Array:
    """Second divided difference of steps over their whole range."""
    low, knee, high = levels.T
    found: Array = (low + KNEE * (high - low) - knee) / (KNEE * (1 - KNEE))
    return found


def minorant(levels: Array, jumps: Array, local: Array) -> Array:
    """Ends of straight lines below steps, close to them where the water is high.

    Where the velocity head's jump changes its sign, a contraction becomes an expansion: the step
    has a corner there, whose depth is a quarter of what the local losses change, over 1 - Fr².
    """
    low, knee, high = levels.T
    bend = bend_of(levels)
    slope = (high - knee) / (1 - KNEE)
    corner = [
        np.where(jumps[:, a] * jumps[:, 2] < 0, local * np.abs(jumps[:, 2] - jumps[:, a]) / 2, 0.0)
        for a in (0, 1)
    ]
    sag = SAFETY * bend * (1 - KNEE) ** 2 / 4 + corner[1]
    bent = np.stack([high - slope - sag - corner[0], high - sag], axis=1)
    straight = levels[:, [0, 2]] - corner[0][:, None]
    found: Array = np.where((bend > 0)[:, None], bent, straight) - 1e-6
    return found
