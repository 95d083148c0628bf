"""Where does the water stand? Steady gradually varied flow on packed sections; numpy only, SI.

Every profile is a column, every section a row; columns may be floods, designs or both. The energy
equation between two sections,

    z1 + α1 V1²/2g = z2 + α2 V2²/2g + L Sf + C |α1 V1²/2g - α2 V2²/2g|,

is solved for all sections of a column at once by Newton's method, which converges where the flow is
clearly subcritical; wherever it is not, the sections are marched one by one with a bracketed
search. The same residual, below 1e-9 m, accepts both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from pinghu_geo.flood.sections import Array, Sections, Wetted, beside

Friction = Literal["average_conveyance", "average_slope", "geometric", "harmonic"]
FRICTION: tuple[Friction, ...] = ("average_conveyance", "average_slope", "geometric", "harmonic")
Regime = Literal["subcritical", "supercritical", "mixed"]

# energy balance accepted [m]: 2,000 steps of it are still a thousandth of a millimetre
TOLERANCE_M = 1e-9
# growth of the energy with the level, 1 - Fr²: below this a section is looked at closely
CLEARLY_SUBCRITICAL = 0.12
# just above the underside of a lid [m]
AGAINST_LID_M = 1e-6
# lesser dips of the energy curve are no minimum of their own [m]
DIP_M = 1e-4

# stations that are solved at once where only a part of a river has changed
WINDOW = 24
# stations and columns that are solved at once
CELLS = 50_000

BALANCED, CRITICAL, UNBALANCED = 0, 1, 2


class Barrier(Protocol):
    """What stands between two neighbouring sections; see `crossings`."""

    @property
    def name(self) -> str:
        """Its id."""

    def passed(
        self, model: Model, rows: tuple[Array, Array], flow: Array, level: Array,
        profiles: Sequence[str],
    ) -> Sequence[Any]:  # fmt: skip
        """How discharges of profiles pass between two sections, the water below at levels (n,)."""

    def run_through(
        self, model: Model, row_up: int, row_down: int, flow: float, level: float
    ) -> tuple[float, str] | None:
        """Level below that supercritical water comes to, and how; None where it can't."""

    def released(
        self, model: Model, row_down: int, flow: float, passed: Any, *, fell_back: bool
    ) -> float | None:
        """Supercritical level below of water that passed critical depth in it; None: it didn't."""

    def doubted(
        self, model: Model, rows: tuple[int, int], level: float, passed: Any, flow: float
    ) -> dict[str, float]:
        """Codes of what is doubtful of it, with how far the level above may be off [m]."""


@dataclass(frozen=True, slots=True)
class Model:
    """What a profile is computed from: rows (stations, columns) of ``sections``, upstream first.

    ``crossings`` has what stands below a row; ``passed`` keeps what they found, by structure,
    sections, discharge and level below, and critical levels.
    """

    sections: Sections
    rows: Array
    discharge: Array
    lengths: Array  # (len(sections), 3) to the next section downstream [m]
    contraction: Array  # (len(sections),)
    expansion: Array
    friction: Friction = "average_conveyance"
    gravity: float = 9.81
    crossings: Mapping[int, Barrier] = field(default_factory=dict)
    guess: Array | None = None  # levels (stations, columns) not far from the answer
    inner: int = 0  # sections inside bridges, at the end
    gaps: Mapping[int, Array] = field(default_factory=dict)  # whole way below a bridge's row
    passed: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()  # name of each column, for what is set by profile
    # of a section above a structure: the same with its idle areas held, last of all sections
    twins: Mapping[int, int] = field(default_factory=dict)
    soffits: Mapping[int, float] = field(default_factory=dict)  # of covered sections [m]
    copies: int = 1  # the sections stand so often, one after the other, each with its coefficients

    @property
    def size(self) -> int:
        """Sections of a copy."""
        return len(self.sections) // self.copies

    def station(self, row: int) -> int:
        """A section of the first copy, or the one that it is a twin of."""
        row %= self.size
        first = self.size - len(self.twins)
        return row if row < first else list(self.twins)[row - first]

    def twin(self, row: int) -> int | None:
        """A section with its idle areas held."""
        own = row % self.size
        return row - own + self.twins[own] if own in self.twins else None

    def column(self, k: int) -> Model:
        """One profile of it."""
        return replace(
            self,
            rows=self.rows[:, [k]],
            discharge=self.discharge[:, [k]],
            profiles=self.profiles[k : k + 1],
            guess=None if self.guess is None else self.guess[:, [k]],
        )

    def part(self, of: slice) -> Model:
        """Some of its stations."""
        guess = None if self.guess is None else self.guess[of]
        return replace(self, rows=self.rows[of], discharge=self.discharge[of], guess=guess)

    def soffit(self, rows: Array) -> Array:
        """Height of the lid over covered sections [m]; NaN: no lid."""
        return np.array([self.soffits.get(self.station(int(row)), np.nan) for row in rows])

    def with_lengths(self, lengths: Array) -> Model:
        """The same with other ways between sections."""
        return replace(self, lengths=lengths)

    def crossed(self, i: int, columns: Iterable[int], levels: Iterable[float]) -> list[Any]:
        """How columns pass what stands below a station, each with its level below that.

        What is one case is passed once; the cases of a structure pass it together.
        """
        found = []
        new: dict[int, dict[tuple[Any, ...], tuple[Any, ...]]] = {}  # by structure
        standing = {}
        kind = self.sections.kind
        for k, level in zip(columns, levels, strict=True):
            row, down, flow = int(self.rows[i, k]), int(self.rows[i + 1, k]), self.discharge[i, k]
            station = self.station(row)
            up = row - row % self.size + station
            one, profile = self.crossings[station], self.profiles[k] if self.profiles else ""
            # schemes that build elsewhere have the same sections and the same structure
            key = (id(one), row // self.size, int(kind[up]), int(kind[down]), flow, level, profile)
            found.append(key)
            if key not in self.passed:
                standing[id(one)] = one
                new.setdefault(id(one), {})[key] = (up, down, flow, level, profile)
        for name, cases in new.items():
            up_rows, down_rows, flows, below, profiles = zip(*cases.values(), strict=True)
            rows = np.array(up_rows), np.array(down_rows)
            passed = standing[name].passed(self, rows, np.array(flows), np.array(below), profiles)
            self.passed.update(zip(cases, passed, strict=True))
        return [self.passed[key] for key in found]

    def run_through(self, i: int, k: int, level: float) -> tuple[float, str] | None:
        """Level below what stands below a station, where supercritical water runs through it."""
        row = int(self.rows[i, k])
        station, down = self.station(row), int(self.rows[i + 1, k])
        up = row - row % self.size + station
        one = self.crossings[station]
        return one.run_through(self, up, down, float(self.discharge[i, k]), level)

    def released(self, i: int, k: int, level: float, *, fell_back: bool) -> float | None:
        """Supercritical level that comes out below what stands below a station."""
        station, down = self.station(int(self.rows[i, k])), int(self.rows[i + 1, k])
        [passed], flow = self.crossed(i, [k], [level]), float(self.discharge[i, k])
        return self.crossings[station].released(self, down, flow, passed, fell_back=fell_back)

    def doubted(self, i: int, level: float, passed: Any) -> dict[str, float]:
        """What is doubtful of how water passes what stands below a station, from its level below.

        Codes, with how far the level above may be off [m].
        """
        row = int(self.rows[i, 0])
        station, down = self.station(row), int(self.rows[i + 1, 0])
        up, flow = row - row % self.size + station, float(self.discharge[i, 0])
        return self.crossings[station].doubted(self, (up, down), level, passed, flow)

    def state(self, rows: Array, discharge: Array, level: Array) -> State:
        """Energy and conveyance of sections at levels; all (n,)."""
        return self.state_of(self.sections.wetted(rows, level), discharge, level)

    def state_of(self, wet: Wetted, discharge: Array, level: Array) -> State:
        """Energy and conveyance of what sections hold at levels."""
        k, slope = wet.total_conveyance, wet.slope.sum(axis=1)
        whole = np.where(k > 0, k, np.nan)
        head, grows = wet.velocity_head_by(whole, slope)
        factor = discharge * discharge / (2 * self.gravity)
        share = wet.conveyance / whole[:, None]
        return State(level, factor * head, 1 + factor * grows, k, slope, share, discharge)

    def critical(self, rows: Array, flow: Array) -> Array:
        """Levels of least energy of sections (n,), found once for what they hold."""
        keys = [("critical", *one) for one in zip(self.sections.kind[rows].tolist(), flow.tolist(),
                                                  strict=True)]  # fmt: skip
        new = {key: k for k, key in enumerate(keys) if key not in self.passed}
        if new:
            first = list(new.values())
            levels, _ = critical_level(self, rows[first], flow[first])
            self.passed.update(zip(new, levels.tolist(), strict=True))
        return np.array([self.passed[key] for key in keys])

    @property
    def without_structures(self) -> Model:
        """The same with the whole ways between sections, of which bridges leave a part."""
        if not self.gaps:
            return self
        if ("ways",) not in self.passed:
            ways = self.lengths.copy()
            for row, gap in self.gaps.items():
                ways[row :: self.size] = gap
            self.passed["ways",] = ways
        return self.with_lengths(self.passed["ways",])

    def losses(self, rows: Array, up: State, down: State) -> tuple[Array, Array, Array]:
        """Head lost between sections and its growth with the upper and the lower level [m, -, -].

        The growth of the weighted length is left out: it only slows Newton's method a little.
        """
        flow = up.discharge[:, None] * up.share + down.discharge[:, None] * down.share
        length = (flow * self.lengths[rows]).sum(axis=1) / flow.sum(axis=1)
        return self.lost(length, self.contraction[rows], self.expansion[rows], up, down)

    def lost(
        self, length: Array, contraction: Array, expansion: Array, up: State, down: State
    ) -> tuple[Array, Array, Array]:
        """Head lost over known lengths with known coefficients, and its growth with both levels."""
        # a trial level may be dry: then nothing is finite, and the search turns back
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            slope, by_up, by_down = _friction_slope(self.friction, up, down)
        change = up.velocity_head - down.velocity_head
        c = np.where(change < 0, -contraction, expansion)  # below 0 it flows faster downstream
        return (
            length * slope + c * change,
            length * by_up + c * (up.grows - 1),
            length * by_down - c * (down.grows - 1),
        )

    def step(self, rows: Array, discharge: Array, below: State) -> tuple[State, Array]:
        """Subcritical states one section up from known ones, and how each was found."""
        return _standard_step(self, rows, discharge, below)

    def levels_above(self, rows: Array, discharge: Array, level: Array, near: Array) -> Array:
        """Subcritical levels (stations, cases) of sections from those (cases,) at the lowest.

        ``rows`` and ``discharge`` are (stations,), upstream first; ``near`` (stations, cases) are
        levels not far off. Nothing stands between the sections.
        """
        found = np.empty((len(rows), len(level)))
        size = max(CELLS // len(rows), 1)
        for some in (slice(k, k + size) for k in range(0, len(level), size)):
            shape = found[:, some].shape
            part = replace(
                self, rows=np.broadcast_to(rows[:, None], shape), guess=near[:, some],
                discharge=np.broadcast_to(discharge[:, None], shape),
            )  # fmt: skip
            found[:, some] = _levels_near(part, level[some])
        return found

    def residual(self, rows: Array, up: State, down: State) -> tuple[Array, Array, Array]:
        """Energy above less energy below and losses, and its growth with both levels."""
        loss, by_up, by_down = self.losses(rows, up, down)
        return up.energy - down.energy - loss, up.grows - by_up, -down.grows - by_down


def side_by_side(models: list[Model]) -> Model:
    """Models of one river that differ in coefficients, n or guess, as columns of one."""
    one, size = models[0], len(models[0].sections)
    if len(models) == 1:
        return one
    guesses = [m.guess for m in models if m.guess is not None]
    return replace(
        one,
        sections=beside([m.sections for m in models]),
        rows=np.hstack([m.rows + k * size for k, m in enumerate(models)]),
        discharge=np.hstack([m.discharge for m in models]),
        lengths=np.concatenate([m.lengths for m in models]),
        contraction=np.concatenate([m.contraction for m in models]),
        expansion=np.concatenate([m.expansion for m in models]),
        guess=np.hstack(guesses) if len(guesses) == len(models) else None,
        profiles=tuple(p for m in models for p in m.profiles),
        copies=len(models),
        passed={},
    )


class State(NamedTuple):
    """Sections at their levels, all (n,) but ``share`` (n, 3)."""

    level: Array
    velocity_head: Array
    grows: Array  # dE/dz
    conveyance: Array
    slope: Array  # dK/dz
    share: Array  # of the discharge in each zone
    discharge: Array

    @property
    def energy(self) -> Array:
        """Level of the energy line [m]."""
        return self.level + self.velocity_head

    def take(self, mask: Array | slice) -> State:
        """Part of it."""
        return State(*(v[mask] for v in self))


def _friction_slope(how: Friction, up: State, down: State) -> tuple[Array, Array, Array]:
    """Friction slope between two sections and its growth with both levels."""
    if how == "average_conveyance":
        k = up.conveyance + down.conveyance
        slope = ((up.discharge + down.discharge) / k) ** 2
        return slope, -2 * slope / k * up.slope, -2 * slope / k * down.slope
    one, other = ((s.discharge / s.conveyance) ** 2 for s in (up, down))
    d_one, d_other = (-2 * v * s.slope / s.conveyance for v, s in ((one, up), (other, down)))
    if how == "average_slope":
        return (one + other) / 2, d_one / 2, d_other / 2
    if how == "geometric":
        mean = np.sqrt(one * other)
        return mean, mean * d_one / one / 2, mean * d_other / other / 2
    total = one + other
    mean = 2 * one * other / total
    return mean, 2 * (other / total) ** 2 * d_one, 2 * (one / total) ** 2 * d_other


# --- levels that a section has by itself ------------------------------------------------------


def _distinct_rows(sections: Sections, rows: Array, *values: Array) -> tuple[Array, Array]:
    """First of those that are one section with the same values, and which one each is."""
    both = np.stack([sections.kind[rows], *values], axis=1)
    _, first, of = np.unique(both, axis=0, return_index=True, return_inverse=True)
    return first, of.ravel()


def normal_level(
    sections: Sections, rows: Array, discharge: Array, slope: Array, *, within: float = 0.0
) -> Array:
    """Level at which friction eats the slope: K = Q / √S (Manning), to ``within`` [m].

    Where a plain gets wet K may fall before it grows again: of several such levels the highest, so
    that more water never stands lower, and units don't choose.
    """
    first, of = _distinct_rows(sections, rows, discharge, slope)
    if len(first) < len(rows):
        return normal_level(sections, *(v[first] for v in (rows, discharge, slope)), within=within)[
            of
        ]
    wanted = np.log(discharge / np.sqrt(slope))

    def excess(level: Array, mask: Array) -> Array:
        k = sections.wetted(rows[mask], level).total_conveyance
        with np.errstate(divide="ignore"):
            return np.maximum(np.log(k), -1e3) - wanted[mask]

    low, everything = sections.bottom[rows] + 1e-9, np.ones(len(rows), bool)
    if not within:
        start = np.maximum(low, _highest_too_low(sections, rows, excess))
        top = climb_to_positive(excess, start + 2.0, everything)
        low = np.where(excess(top, everything) > 0, start, low)  # not where a lid lets no more pass
    high = climb_to_positive(excess, low + 2.0, everything)
    return bracketed(excess, low, high, within=within)


def _highest_too_low(
    sections: Sections, rows: Array, excess: Callable[[Array, Array], Array]
) -> Array:
    """Highest level along the segments of each section at which too little passes."""
    kinds = sections.kind[rows]
    ends, half = sections.low[kinds], sections.half[kinds]
    levels = np.concatenate(
        [ends + 1e-9, *(ends + share * half for share in (0.5, 1, 1.5))], axis=1
    )
    at, place = np.nonzero(np.isfinite(levels))
    short = np.full(levels.shape, -np.inf)
    tried = levels[at, place]
    short[at, place] = np.where(excess(tried, at) < 0, tried, -np.inf)
    return np.asarray(short.max(axis=1, initial=-np.inf))


def critical_level(model: Model, rows: Array, discharge: Array) -> tuple[Array, Array]:
    """Level of least energy, and how many minima the energy curve has; (n,) each.

    The curve is scanned, because the lowest of several minima counts: 40 levels a section, closer
    near the bottom, and once more 16 around the least of them, where a bank or a dry high point
    may part a minimum in two. Between those the growth of the energy changes its sign once.
    """
    first, of = _distinct_rows(model.sections, rows, discharge)
    if len(first) < len(rows):
        level, minima = critical_level(model, rows[first], discharge[first])
        return level[of], minima[of]
    bottom = model.sections.bottom[rows]

    def energy(level: Array, mask: Array) -> Array:
        return model.state(rows[mask], discharge[mask], level).energy

    def calm(level: Array, mask: Array) -> Array:
        # twice the velocity head above the surface no minimum can follow: the energy at this
        # level is less than any level above the bracket
        found = model.state(rows[mask], discharge[mask], level)
        return np.where(found.velocity_head < 0.1 * (level - bottom[mask]), 1.0, -1.0)

    def least_of(levels: Array) -> tuple[Array, tuple[Array, Array]]:
        """Energy at levels (n, many), and the levels below and above the least of each row."""
        line = np.arange(len(rows))
        each = np.repeat(line, levels.shape[1])
        e = model.state(rows[each], discharge[each], levels.ravel()).energy.reshape(levels.shape)
        e = np.where(np.isfinite(e), e, np.inf)
        least = np.clip(np.argmin(e, axis=1), 1, levels.shape[1] - 2)
        return e, (levels[line, least - 1], levels[line, least + 1])

    everything = np.ones(len(rows), bool)
    top = np.minimum(climb_to_positive(calm, bottom + 0.5, everything), bottom + 1e4)
    top = bottom + (energy(top, everything) - bottom) * 1.05
    share = np.linspace(0.03, 1.0, 40) ** 1.5
    scan = bottom[:, None] + share * (top - bottom)[:, None]
    e, (below, above) = least_of(scan)
    dips = (e[:, 1:-1] < e[:, :-2] - DIP_M) & (e[:, 1:-1] <= e[:, 2:])

    def growth(level: Array, mask: Array) -> Array:
        grows = model.state(rows[mask], discharge[mask], level).grows
        # where nothing is wet yet the energy falls from infinity
        return np.where(np.isfinite(grows), grows, -1.0)

    close = below[:, None] + np.linspace(0.0, 1.0, 17) * (above - below)[:, None]
    low, high = least_of(close)[1]
    return bracketed(growth, low, high), np.maximum(dips.sum(axis=1), 1)


def climb_to_positive(f: Callable[[Array, Array], Array], level: Array, mask: Array) -> Array:
    """Levels at which f is positive, found by climbing in doubling steps."""
    level, step = level.copy(), 1.0
    left = mask.copy()
    for _ in range(24):
        left[left] = ~(f(level[left], left) > 0)
        if not left.any():
            break
        level[left] += step
        step *= 2
    return level


def bracketed(
    f: Callable[[Array, Array], Array], low: Array, high: Array, *, within: float = 0.0
) -> Array:
    """Zero of f between low (f < 0) and high (f > 0), for many at once.

    Inverse quadratic interpolation or bisection by Chandrupatla's criterion (Advances in
    Engineering Software 28 (1997) 145-149). A jump through zero is found as a zero is.
    """
    everything = np.ones(len(low), bool)
    b, a = low.astype(float), high.astype(float)
    fb, fa = f(b, everything), f(a, everything)
    c, fc = a.copy(), fa.copy()
    t = np.full(len(b), 0.5)
    left = (b != a) & np.isfinite(fa)
    left &= ~((fb >= 0) | (fa <= 0))  # no bracket: the end nearer to zero is the answer
    for _ in range(100):
        if not left.any():
            break
        x = a + t * (b - a)
        fx = np.zeros_like(x)
        fx[left] = f(x[left], left)
        same = np.sign(fx) == np.sign(fa)
        c, fc = np.where(left, np.where(same, a, b), c), np.where(left, np.where(same, fa, fb), fc)
        b, fb = np.where(left & ~same, a, b), np.where(left & ~same, fa, fb)
        a, fa = np.where(left, x, a), np.where(left, fx, fa)
        best = np.where(np.abs(fa) < np.abs(fb), a, b)
        width = np.abs(b - a)
        floor = 4e-16 * np.abs(best) + max(within / 2, 1e-13)
        left = left & (width > 2 * floor) & (fa != 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
            smooth = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
            quad = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (
                fc - fb
            )
            margin = np.minimum(floor / width, 0.5)
        t = np.where(smooth & np.isfinite(quad), quad, 0.5)
        t = np.clip(t, margin, 1 - margin)
    return np.where(np.abs(fa) < np.abs(fb), a, b)


# --- profiles ---------------------------------------------------------------------------------


def subcritical(model: Model, downstream: Array) -> tuple[Array, Array]:
    """Levels (stations, columns) upstream of known levels (columns,), and how each was found."""
    alone = [*model.crossings, *model.soffits]
    cuts = np.flatnonzero(np.isin(model.rows % model.size, alone).any(axis=1))
    cuts = cuts[cuts < len(model.rows) - 1]
    if not len(cuts):
        return _free_reach_levels(model, downstream)
    level, found = np.empty(model.rows.shape), np.zeros(model.rows.shape, int)
    last, known, how = len(model.rows), downstream, np.zeros(len(downstream), int)
    columns = range(len(downstream)) if model.guess is None else ()
    depth = {k: _typical_normal_depth(model.column(k)) for k in columns}  # one for all reaches
    for i in [*cuts[::-1], -1]:
        reach = slice(i + 1, last)
        level[reach], found[reach] = _free_reach_levels(model.part(reach), known, depth)
        found[last - 1] = np.maximum(found[last - 1], how)
        if i >= 0:
            known, how = _levels_across(model, i, level[i + 1])
        last = i + 1
    return level, found


def _levels_across(model: Model, i: int, below: Array) -> tuple[Array, Array]:
    """Levels of station i from those of the next one, across what stands between them.

    Where its idle areas are held, the station's row is its twin from then on.
    """
    level, found = np.empty(len(below)), np.zeros(len(below), int)
    rows, down = model.rows[i], model.rows[i + 1]
    cross = np.array([model.station(int(row)) in model.crossings for row in rows])
    through = np.flatnonzero(cross).tolist()
    for k, one in zip(through, model.crossed(i, through, below[cross].tolist()), strict=True):
        level[k], found[k] = one.level, one.found
        if one.held:
            model.rows[i, k] = model.twin(int(rows[k]))
    free = np.flatnonzero(~cross)
    if len(free):
        state = model.state(down[free], model.discharge[i + 1, free], below[free])
        state, found[free] = _standard_step(model, rows[free], model.discharge[i, free], state)
        level[free] = state.level
    return level, found


def _free_reach_levels(
    model: Model, downstream: Array, depth: Mapping[int, float] | None = None
) -> tuple[Array, Array]:
    """Levels of stations with nothing between them; the usual depth of a column may be known."""
    shape = model.rows.shape
    if model.guess is not None and shape[0] > 1:
        return _levels_where_changed(model, _levels_from_guess(model, downstream))
    level, found, sure = np.empty(shape), np.zeros(shape, int), np.zeros(shape[1], int)
    for k in range(shape[1]):
        one = model.column(k)
        deep = _typical_normal_depth(one) if depth is None or k not in depth else depth[k]
        level[:, k], sure[k] = _column_by_newton(one, float(downstream[k]), deep)
    level[-1] = downstream
    if sure.max(initial=0) > 0:
        _march_up(model, level, found, sure)
    return level, found


def _typical_normal_depth(model: Model) -> float:
    """Normal depth of a column as a whole: of a few sections, by the fall from end to end [m]."""
    rows, q = model.rows[:, 0], model.discharge[:, 0]
    bottom, n = model.sections.bottom[rows], len(rows)
    if n == 1:
        return 0.0
    slope = max((bottom[0] - bottom[-1]) / model.lengths[rows[:-1], 1].sum(), 1e-5)
    few = np.linspace(0, n - 1, min(n, 24)).astype(int)
    normal = normal_level(model.sections, rows[few], q[few], np.full(len(few), slope), within=0.05)
    return float(np.median(normal - bottom[few]))


def _column_by_newton(model: Model, downstream: float, depth: float) -> tuple[Array, int]:
    """Levels of one column by Newton's method, and the first station from which they hold.

    The energy equations of neighbours form two diagonals, so a Newton step is one substitution
    from downstream to upstream. It starts above the answer, where the energy curve is convex and
    the steps go down to it without overshooting.
    """
    rows = model.rows[:, 0]
    bottom, n = model.sections.bottom[rows], len(rows)
    if n == 1:
        return np.array([downstream]), 0
    level = bottom + 1.3 * depth
    level[-1] = downstream
    level = np.maximum.accumulate(level[::-1])[::-1] if downstream > bottom[-1] else level
    level, r, grows = _newton_levels(model, level[:, None], 30)
    return level[:, 0], int(_first_sure(r, grows)[0])


def _first_sure(rest: Array, grows: Array) -> Array:
    """The first station of each column from which all balance and are clearly subcritical."""
    bad = ~(np.abs(rest) <= TOLERANCE_M) | (grows < CLEARLY_SUBCRITICAL)
    found: Array = (np.arange(1, len(bad) + 1)[:, None] * bad).max(axis=0, initial=0)
    return found


def _levels_near(model: Model, downstream: Array) -> Array:
    """Levels (stations, columns) from near ones; one by one above what Newton's method misses."""
    level, rest, grows = _newton_levels(model, _levels_from_guess(model, downstream), 12)
    if model.soffits:  # against a lid another level may balance, too
        lid = model.soffit(model.rows[:-1].ravel()).reshape(rest.shape)
        rest[~np.isnan(lid)] = np.inf
    sure = _first_sure(rest, grows)
    if sure.max(initial=0) > 0:
        _march_up(model, level, np.zeros(level.shape, int), sure)
    return level


def _levels_from_guess(model: Model, downstream: Array) -> Array:
    """Levels that were given as near, ending at the known ones."""
    bottom = model.sections.bottom[model.rows]
    near = model.guess if model.guess is not None else bottom
    level: Array = np.maximum(near, bottom + 0.01)
    level[-1] = downstream
    return level


def _levels_where_changed(model: Model, level: Array) -> tuple[Array, Array]:
    """Levels from near ones, solved only where they no longer balance; and how each was found.

    A house changes nothing below it, and little far above: windows of stations are solved upwards
    until a level is the old one again, in all columns at once. Where a window has no levels that
    are clearly subcritical, its lowest station is solved by itself.
    """
    n, found = len(level), np.zeros(level.shape, int)
    size = min(WINDOW, n)
    state = _states_found_once(model, level)
    r = model.residual(model.rows[:-1].ravel(), *_neighbour_states(state, level.shape))[0]
    slow = ~(state.grows.reshape(level.shape)[:-1] >= CLEARLY_SUBCRITICAL)
    bad = ~(np.abs(r.reshape(n - 1, -1)) <= TOLERANCE_M / 10) | slow
    while len(k := np.flatnonzero(bad.any(axis=0))):
        last = n - 2 - np.argmax(bad[::-1, k], axis=0)
        start = np.maximum(last + 2 - size, 0)
        at = start + np.arange(size)[:, None]
        part = replace(model, rows=model.rows[at, k], discharge=model.discharge[at, k], guess=None)
        before = level[start, k]
        solved, rest, grows = _newton_levels(part, level[at, k], 12)
        fine = ((np.abs(rest) <= TOLERANCE_M) & (grows >= CLEARLY_SUBCRITICAL)).all(axis=0)
        level[at[:, fine], k[fine]] = solved[:, fine]
        bad[at[:-1, fine], k[fine]] = False
        alone, step = k[~fine], last[~fine]
        if len(alone):
            before[~fine], start[~fine] = level[step, alone], step
            known = model.state(*(v[step + 1, alone] for v in (model.rows, model.discharge, level)))
            one, found[step, alone] = _standard_step(
                model, model.rows[step, alone], model.discharge[step, alone], known
            )
            level[step, alone], bad[step, alone] = one.level, False
        moved = (start > 0) & (np.abs(level[start, k] - before) > TOLERANCE_M / 100)
        bad[start[moved] - 1, k[moved]] = True
    return level, found


def _states_found_once(model: Model, level: Array) -> State:
    """States of stations and columns, flat; of those that are one in all columns, found once."""
    kind, q = model.sections.kind[model.rows], model.discharge
    first: dict[tuple[bytes, bytes], int] = {}
    like = np.array([
        first.setdefault((level[:-1, k].tobytes(), q[:, k].tobytes()), k)
        for k in range(level.shape[1])
    ])  # fmt: skip
    same = (kind == kind[:, like]) & (level == level[:, like]) & (like != np.arange(len(like)))
    index = np.arange(level.size).reshape(level.shape)
    once = ~same.ravel()
    place = np.cumsum(once) - 1
    rows, flow, z = (v.ravel()[once] for v in (model.rows, q, level))
    return model.state(rows, flow, z).take(place[np.where(same, index[:, like], index).ravel()])


def _neighbour_states(state: State, shape: tuple[int, ...]) -> tuple[State, State]:
    """Upper and lower one of each pair of stations in each column, of flat states."""
    columns = shape[1]
    return state.take(slice(None, -columns)), state.take(slice(columns, None))


def _newton_levels(model: Model, level: Array, most: int) -> tuple[Array, Array, Array]:
    """Levels (stations, columns) from a first guess, what is left to balance, and dE/dz."""
    level = level.copy()
    rows, q = model.rows, model.discharge
    bottom = model.sections.bottom[rows]
    rest, growth = (np.full((len(rows) - 1, rows.shape[1]), v) for v in (np.inf, 1.0))
    k = np.arange(rows.shape[1])
    for step in range(most + 1):
        shape = (len(rows), len(k))
        state = model.state(rows[:, k].ravel(), q[:, k].ravel(), level[:, k].ravel())
        r, by_up, by_down = (
            v.reshape(-1, len(k))
            for v in model.residual(rows[:-1, k].ravel(), *_neighbour_states(state, shape))
        )
        rest[:, k], growth[:, k] = r, state.grows.reshape(shape)[:-1]
        size = np.abs(r).max(axis=0)
        # a column that balances is done, and one that is lost stays so
        on = np.isfinite(size) & (size >= TOLERANCE_M / 10)
        if step == most or not on.any():
            break
        k, r, by_up, by_down = k[on], r[:, on], by_up[:, on], by_down[:, on]
        move = _solve_bidiagonal(r, np.maximum(by_up, 0.1), by_down)
        depth = level[:-1, k] - bottom[:-1, k]
        level[:-1, k] += np.clip(move, -0.4 * depth, depth + 1.0)
    return level, rest, growth


def _solve_bidiagonal(r: Array, diagonal: Array, beside: Array) -> Array:
    """Solve diagonal_i x_i + beside_i x_(i+1) = -r_i from the last to the first, by column.

    The columns are one system, one after the other, with nothing between the last of one and the
    first of the next.
    """
    from scipy.linalg.lapack import dtbtrs  # most commands compute no levels

    band = np.empty((2, r.size), order="F")
    band[1] = diagonal.ravel(order="F")
    band[0, 1:] = beside.ravel(order="F")[:-1]
    band[0, :: len(r)] = 0.0
    x: Array = dtbtrs(band, -r.ravel(order="F"), uplo="U")[0]
    return x.reshape(r.shape, order="F")


def _march_up(model: Model, level: Array, found: Array, sure: Array) -> None:
    """Levels above the stations that are sure, one station after the other."""
    below: State | None = None
    for i in range(int(sure.max()) - 1, -1, -1):
        k = np.flatnonzero(sure > i)
        if below is None or len(below.level) < len(k):
            below = model.state(model.rows[i + 1, k], model.discharge[i + 1, k], level[i + 1, k])
        below, found[i, k] = _standard_step(model, model.rows[i, k], model.discharge[i, k], below)
        level[i, k] = below.level


def _standard_step(
    model: Model, rows: Array, q: Array, known: State, *, down: Array | None = None
) -> tuple[State, Array]:
    """States one section on from known ones: upstream, or downstream at sections ``down``.

    Upstream the answer lies above the critical level, downstream below it; where the energy
    doesn't allow one, the critical level is taken (HEC-RAS) and said. Below a lid and against it
    two levels may balance, since the lid's friction sets in at once: the higher one is taken.
    """

    def balance(level: Array, mask: Array) -> Array:
        state, other = model.state(here[mask], q[mask], level), known.take(mask)
        up, low = (state, other) if down is None else (other, state)
        return model.residual(rows[mask], up, low)[0]

    here = rows if down is None else down
    level = np.empty(len(rows))
    found = np.zeros(len(rows), int)
    left = np.ones(len(rows), bool)
    lid = model.soffit(rows) if down is None and model.soffits else np.full(len(rows), np.nan)
    if down is None:
        state, done = _step_by_newton(model, rows, q, known)
        done &= np.isnan(lid)
        if done.all():
            return state, found
        level, left = state.level.copy(), ~done
    if left.any():
        k = np.flatnonzero(left)
        critical = model.critical(here[k], q[k])
        everything = np.ones(len(k), bool)

        def f(value: Array, mask: Array) -> Array:
            r = balance(value, k[mask])
            return np.where(np.isfinite(r), r, -1e9)

        at_critical = f(critical, everything)
        if down is None:
            under = np.fmax(critical, lid[k] + AGAINST_LID_M)
            full = (under > critical) & (f(under, everything) < 0)
            low = np.where(full, under, critical)
            high = climb_to_positive(f, np.maximum(low, known.level[k]) + 1.0, everything)
            high = np.where((under > critical) & ~full, under, high)
            answer, none = bracketed(f, low, high), (at_critical >= 0) & ~full
        else:
            bottom = model.sections.bottom[here[k]]
            low = bottom + 1e-4 * (critical - bottom)
            answer, none = bracketed(f, low, critical), at_critical <= 0
        level[k] = np.where(none, critical, answer)
        rest = np.abs(f(level[k], everything))
        found[k] = np.where(none, CRITICAL, np.where(rest > 1e-7, UNBALANCED, BALANCED))
    return model.state(here, q, level), found


def supercritical_step(
    model: Model, rows: Array, q: Array, above: State, down: Array
) -> tuple[Array, Array]:
    """Supercritical levels at sections ``down`` of known ones above them."""
    state, found = _standard_step(model, rows, q, above, down=down)
    return state.level, found


def _step_by_newton(model: Model, rows: Array, q: Array, below: State) -> tuple[State, Array]:
    """Subcritical states one section up by Newton's method, and where it found one."""
    bottom = model.sections.bottom[rows]
    with np.errstate(divide="ignore"):
        slope = np.minimum((below.discharge / below.conveyance) ** 2, 0.1)
    level = np.maximum(below.level + slope * model.lengths[rows, 1], bottom + 0.1)
    for _ in range(14):
        state = model.state(rows, q, level)
        r, by_up, _ = model.residual(rows, state, below)
        done = (np.abs(r) < TOLERANCE_M) & (state.grows > CLEARLY_SUBCRITICAL)
        if done.all():
            break
        depth = level - bottom
        move = -r / np.maximum(by_up, 0.1)
        move = np.minimum(np.maximum(move, -0.4 * depth), depth + 1.0)
        level = np.where(done | ~np.isfinite(move), level, level + move)
    return state, done


def supercritical(model: Model, upstream: Array) -> tuple[Array, Array]:
    """Levels downstream of known levels (columns,), and how each was found."""
    level, found = np.full(model.rows.shape, np.nan), np.zeros(model.rows.shape, int)
    level[0] = upstream
    for i in range(1, len(model.rows)):
        above = model.state(model.rows[i - 1], model.discharge[i - 1], level[i - 1])
        level[i], found[i] = supercritical_step(
            model, model.rows[i - 1], model.discharge[i], above, model.rows[i]
        )
    return level, found


def mixed(model: Model, downstream: Array, upstream: Array) -> tuple[Array, Array]:
    """Levels where sub- and supercritical reaches follow one another (HEC-RAS, mixed regime).

    The subcritical profile is found first. From the upstream end, from each section where it fell
    back on the critical level, and from bridges whose water passes critical depth within, a
    supercritical profile runs down until the subcritical one has the greater specific force: there
    the hydraulic jump stands.
    """
    level, found = subcritical(model, downstream)
    for k in range(model.rows.shape[1]):
        one = model.column(k)
        rows, q = one.rows[:, 0], one.discharge[:, 0]
        force = specific_force(one, rows, q, level[:, k])
        sub_valid = found[:, k] != CRITICAL
        released = _released_levels(one, level[:, k], force, sub_valid)
        i, n = 0, len(rows)
        start = float(upstream[k])
        # only a supercritical inflow rules downstream, and only if it can push the water away
        critical = float(critical_level(one, rows[:1], q[:1])[0][0])
        begins = start < critical and bool(
            specific_force(one, rows[:1], q[:1], np.array([start]))[0] > force[0]
        )
        if not sub_valid[0]:
            start = min(start, level[0, k])
            begins = True
        if begins:
            found[0, k] = BALANCED if start < critical else CRITICAL
        while i < n:
            if not begins:
                defaults = np.flatnonzero(~sub_valid[i:] | np.isfinite(released[i:]))
                if not len(defaults):
                    break
                i = i + int(defaults[0])
                start = level[i, k]
                if np.isfinite(released[i]):
                    start, found[i, k] = released[i], BALANCED
            level[i, k] = start
            i = _supercritical_run(one, level[:, k], found[:, k], force, sub_valid, i)
            begins = False
    return level, found


def _released_levels(model: Model, level: Array, force: Array, sub_valid: Array) -> Array:
    """Supercritical levels that bridges let out at the stations below them; NaN: none."""
    rows, q = model.rows[:, 0], model.discharge[:, 0]
    released = np.full(len(rows), np.nan)
    for j in range(1, len(rows)):
        if model.station(int(rows[j - 1])) not in model.crossings:
            continue
        let = model.released(j - 1, 0, float(level[j]), fell_back=not sub_valid[j])
        if let is None:
            continue
        pushes = specific_force(model, rows[[j]], q[[j]], np.array([let]))[0]
        if pushes > force[j] or not sub_valid[j]:
            released[j] = let
    return released


def _supercritical_run(
    model: Model, level: Array, found: Array, force: Array, sub_valid: Array, i: int
) -> int:
    """Supercritical levels from station i on, in place; the station that is subcritical again."""
    rows, q = model.rows[:, 0], model.discharge[:, 0]
    for j in range(i + 1, len(rows)):
        if model.station(int(rows[j - 1])) in model.crossings:
            ran = model.run_through(j - 1, 0, float(level[j - 1]))
            if ran is None:  # passed from below: the jump stands before it
                [one] = model.crossed(j - 1, [0], [float(level[j])])
                level[j - 1], found[j - 1] = one.level, one.found
                return j
            new, how = np.array([ran[0]]), np.array([BALANCED])
        else:
            above = model.state(rows[[j - 1]], q[[j - 1]], level[[j - 1]])
            new, how = supercritical_step(model, rows[[j - 1]], q[[j]], above, rows[[j]])
        drowned = specific_force(model, rows[[j]], q[[j]], new)[0] < force[j]
        if sub_valid[j] and (drowned or how[0] == CRITICAL):
            if not drowned:  # too little energy to run on, and too little water to jump
                found[j] = UNBALANCED
            return j
        level[j], found[j] = new[0], how[0]
    return len(rows)


def specific_force(model: Model, rows: Array, discharge: Array, level: Array) -> Array:
    """Q²/(gA) + A ȳ [m³]: what two sides of a hydraulic jump have in common."""
    area = model.sections.area(rows, level)
    force: Array = discharge**2 / (model.gravity * area) + model.sections.thrust(rows, level)
    return force
