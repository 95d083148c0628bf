"""How does the water step from section to section? Tables for every choice of options, one flood.

Energy and conveyance of every section are cubic between a few levels, so that the energy balance is
solved for a hundred thousand steps at once; straight lines below the steps serve the bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.steady import State, bracketed
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
        cubics = np.zeros((len(rows), NODES - 1, 8))
        for k, (value, slope) in enumerate(
            ((state.energy, state.grows), (state.conveyance, state.slope))
        ):
            v, d = value.reshape(-1, NODES), slope.reshape(-1, NODES) * step[some, None]
            a, b, da, db = v[:, :-1], v[:, 1:], d[:, :-1], d[:, 1:]
            made = (a, da, 3 * (b - a) - 2 * da - db, 2 * (a - b) + da + db)
            cubics[some, :, 4 * k : 4 * k + 4] = np.stack(made, axis=2)
        return cls(problem, water, low, step, cubics, allowed)

    def read(self, row: Array, level: Array) -> tuple[Array, ...]:
        """Energy, its growth, conveyance and its growth at levels."""
        h = self.step[row]
        place = np.minimum(np.maximum((level - self.low[row]) / h, 0.0), NODES - 1.0)
        k = np.minimum(place.astype(np.int64), NODES - 2)
        t = place - k
        c = self.cubics[row, k].T
        return (
            c[0] + t * (c[1] + t * (c[2] + t * c[3])),
            (c[1] + t * (2 * c[2] + 3 * t * c[3])) / h,
            c[4] + t * (c[5] + t * (c[6] + t * c[7])),
            (c[5] + t * (2 * c[6] + 3 * t * c[7])) / h,
        )

    def state(self, i: int, pair: Array, level: Array) -> State:
        """Sections of pairs of options at a station, without the tables."""
        rows = self.problem.rows[i].ravel()[pair]
        return self.water.model.state(rows, np.full(len(pair), self.water.discharge[i]), level)

    def solve(
        self, i: int, above: Array, level: Array, energy: Array, conveyance: Array, guess: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Standard step from what is known below to the pairs above.

        Between the level of the Froude limit and the end of the table the energy balance grows with
        the level. Level, energy, conveyance, and whether there is an answer in between.
        """
        model, many = self.water.model, len(above)
        row = i * self.problem.rows.shape[1] ** 2 + above
        section = self.problem.rows[i].ravel()[above]
        flow, flow_below = (np.full(many, self.water.discharge[k]) for k in (i, i + 1))
        nothing, low = np.zeros(many), self.low[row]
        high = low + self.step[row] * (NODES - 1)
        known = State(level, energy - level, nothing, conveyance, nothing, nothing, flow_below)
        fixed = (
            row, flow, nothing, energy, model.lengths[section, 1], model.contraction[section],
            model.expansion[section], *known,
        )  # fmt: skip
        z, left = np.minimum(np.maximum(guess, low), high), np.arange(many)
        made = np.full((4, many), np.nan)
        for _ in range(60):
            row, flow, nothing, energy, length, shrink, grow, *below = fixed
            e, grows, k, d_k = self.read(row, z)
            here = State(z, e - z, grows, k, d_k, nothing, flow)
            lost, by_up, _ = model.lost(length, shrink, grow, here, State(*below))
            rest = e - energy - lost
            low, high = np.where(rest < 0, z, low), np.where(rest > 0, z, high)
            # out of the bracket it goes to its end first, so that a level beyond is seen at once
            newton = z - rest / np.maximum(grows - by_up, 1e-3)
            newton = np.minimum(np.maximum(newton, low), high)
            off = np.abs(rest) >= TOLERANCE_M
            newton = np.where((newton == z) & off, (low + high) / 2, newton)
            go = off & (newton != z)
            count = np.count_nonzero(go)
            if 2 * count > len(go):  # leaving out those that are done would take as long
                z = np.where(go, newton, z)
                continue
            made[:, left] = z, e, k, rest
            if not count:
                break
            z, low, high, left = newton[go], low[go], high[go], left[go]
            fixed = tuple(one[go] for one in fixed)
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
