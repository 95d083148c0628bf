"""What does a cross-section hold at a level? Arrays in, arrays out; numpy only, SI.

A section is a row of ground segments between surveyed points. Levees, walls, ineffective areas and
blocked obstructions become segments too, or windows of level in which a segment counts. What a
section holds at a level is then one pass of vectorised arithmetic over the segments of as many
sections as one likes, exact at every level: nothing is tabulated and nothing is interpolated.

The rules are those of HEC-RAS, found in its Hydraulic Reference Manual, chapter 2, and in its
published results: conveyance is summed over left overbank, channel and right overbank; an overbank
is split where n changes and at every dry high point; the channel is one unit, with a composite n
where n changes and a part of it is steeper than 1V:5H, and split at the changes otherwise; a levee
or a wall adds its wet face to the perimeter, and so does the end of a section where the water
stands above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Taking: TypeAlias = Callable[[Array], Array]  # some rows of an array

LEFT, CHANNEL, RIGHT = 0, 1, 2
# a wall that is never overtopped, above the highest point of its section [m]
ENDLESS_M = 1000.0
# horizontal over vertical: steeper parts of a channel make its n composite (HEC-RAS)
STEEP_SIDE = 5.0
# what fills a row that has fewer segments than the longest: never wet
PADDING = {
    "low": 1e9, "half": 0.0, "steep": 0.0, "run": 0.0, "length": 0.0, "rough": 0.0, "sheer": 0.0,
    "zone": RIGHT, "ridge": -np.inf, "above": -np.inf, "until": np.inf, "idle": 0.0,
}  # fmt: skip
# place of a lid's pieces among the segments that start at one place: after the ground
COVER = 3
# segments handled at once: their arrays stay in the processor's cache
BLOCK = 1 << 16
# of no more segments than this what is padding isn't left out: looking for it takes as long
FEW_SEGMENTS = 1 << 9


class Limit(NamedTuple):
    """At most one feature a section: NaN where a section has none. All arrays are (sections,)."""

    kind: Literal["blocked", "ineffective", "permanent"]
    start_m: Array
    stop_m: Array
    level_m: Array


class Lid(NamedTuple):
    """Undersides over some sections: points from left to right, section after section.

    ``low`` is the underside and ``high`` the upper side [m]; an infinite one lets nothing over it.
    """

    section: Array
    x: Array
    low: Array
    high: Array
    n: Array  # of the underside from a point to the next; NaN: as the ground below it
    n_top: Array  # of the upper side


@dataclass(frozen=True, slots=True)
class Ground:
    """Surveyed points of many sections, one after the other, from left to right.

    ``n`` is the roughness of the ground from a point to the next; ``count`` the points a section.
    """

    x: Array
    z: Array
    n: Array
    count: Array

    @property
    def start(self) -> Array:
        """Place of each section's first point."""
        return np.cumsum(self.count) - self.count

    @property
    def section(self) -> Array:
        """Section of each point."""
        return np.repeat(np.arange(len(self.count)), self.count)

    def part(self, of: slice) -> Ground:
        """Some of the sections."""
        ends = np.append(self.start, len(self.x))
        first, last = ends[of.start], ends[min(of.stop, len(self.count))]
        points = slice(first, last)
        return Ground(self.x[points], self.z[points], self.n[points], self.count[of])

    def take(self, sections: Array) -> Ground:
        """These sections, in this order."""
        count = self.count[sections]
        points = np.arange(count.sum()) + np.repeat(
            self.start[sections] - (np.cumsum(count) - count), count
        )
        return Ground(self.x[points], self.z[points], self.n[points], count)

    def insert(self, place: Array, section: Array, x: Array, z: Array, n: Array) -> Ground:
        """Ground with more points: each goes before ``place``."""
        return Ground(
            np.insert(self.x, place, x),
            np.insert(self.z, place, z),
            np.insert(self.n, place, n),
            self.count + np.bincount(section, minlength=len(self.count)),
        )

    def below(self, mask: Array) -> Array:
        """Points of each section for which the mask holds."""
        return np.add.reduceat(mask, self.start, dtype=np.int64)

    def cut(self, at: Array) -> Ground:
        """Ground with a point at ``at`` in each section that has none there; NaN: left alone."""
        before = self.below(self.x <= np.repeat(at, self.count))
        inside = np.flatnonzero((before > 0) & (before < self.count))
        place = (self.start + before)[inside]
        x0, x1, x = self.x[place - 1], self.x[place], at[inside]
        new = x > x0
        place, inside, x, x0, x1 = place[new], inside[new], x[new], x0[new], x1[new]
        if not len(place):
            return self
        share = (x - x0) / (x1 - x0)
        z = self.z[place - 1] + share * (self.z[place] - self.z[place - 1])
        return self.insert(place, inside, x, z, self.n[place - 1])

    def cut_many(self, section: Array, at: Array) -> Ground:
        """Ground with a point at each place, of as many as there are in a section."""
        # section and rank of a place in one whole number, so that no rounding parts places
        values, rank = np.unique(np.concatenate([self.x, at]), return_inverse=True)
        rank = rank.ravel()
        own = self.section * len(values) + rank[: len(self.x)]
        new = np.unique(section * len(values) + rank[len(self.x) :])
        each = new // len(values)
        first, last = self.start[each], self.start[each] + self.count[each] - 1
        place = np.searchsorted(own, new, side="right")
        lacks = (new > own[first]) & (new < own[last])
        lacks &= own[place - 1] != new
        each, place, x = each[lacks], place[lacks], values[new[lacks] % len(values)]
        if not len(place):
            return self
        x0, z0 = self.x[place - 1], self.z[place - 1]
        share = (x - x0) / (self.x[place] - x0)
        level = z0 + share * (self.z[place] - z0)
        return self.insert(place, each, x, level, self.n[place - 1])

    def blocked(self, limit: Limit) -> Ground:
        """Ground raised to a level between two places, with vertical faces."""
        has = np.isfinite(limit.start_m)
        first, last = self.x[self.start], self.x[self.start + self.count - 1]
        a = np.where(has, np.clip(limit.start_m, first, last), np.nan)
        b = np.where(has, np.clip(limit.stop_m, first, last), np.nan)
        a, b = np.where(a < b, a, np.nan), np.where(a < b, b, np.nan)
        ground = self.cut(a).cut(b)
        top = np.maximum.reduceat(ground.z, ground.start) + ENDLESS_M
        level = np.where(np.isfinite(limit.level_m), limit.level_m, top)
        # where the ground itself rises through the level
        z, x, each = ground.z, ground.x, ground.section
        within = (x >= a[each]) & (x <= b[each])
        high = level[each]
        k = np.flatnonzero(
            within[:-1]
            & within[1:]
            & (each[:-1] == each[1:])
            & ((z[:-1] - high[:-1]) * (z[1:] - high[1:]) < 0)
        )
        share = (high[k] - z[k]) / (z[k + 1] - z[k])
        cross = x[k] + share * (x[k + 1] - x[k])
        ground = ground.insert(k + 1, each[k], cross, high[k], ground.n[k])
        # the two faces: the ground's own point outside, a raised one inside
        return ground._with_faces(a, b, level)

    def _with_faces(self, a: Array, b: Array, level: Array) -> Ground:
        x, each = self.x, self.section
        first, last = x[self.start], x[self.start + self.count - 1]
        inner = np.maximum(self.z, level[each])
        # what reaches the end of a section has no face there
        at_first, at_last = (a == first)[each] & (x == a[each]), (b == last)[each] & (x == b[each])
        within = ((x > a[each]) & (x < b[each])) | at_first | at_last
        raised = replace(self, z=np.where(within, inner, self.z))
        left_has, right_has = np.flatnonzero(a > first), np.flatnonzero(b < last)
        left = (self.start + self.below(x <= a[each]))[left_has]
        right = (self.start + self.below(x < b[each]))[right_has]
        place = np.concatenate([left, right])
        return raised.insert(
            place,
            np.concatenate([left_has, right_has]),
            np.concatenate([a[left_has], b[right_has]]),
            np.concatenate([inner[left - 1], inner[right]]),
            np.concatenate([self.n[left - 1], self.n[right - 1]]),
        )

    def level_at(self, at: Array, *, side: Literal["left", "right"]) -> Array:
        """Elevation at a point that `cut` has made; of two at one place, the left or right one."""
        x = np.repeat(at, self.count)
        before = self.below(self.x < x if side == "left" else self.x <= x)
        place = self.start + before - (0 if side == "left" else 1)
        found: Array = self.z[np.clip(place, self.start, self.start + self.count - 1)]
        return found


class Wetted(NamedTuple):
    """What sections hold at their levels; zones are left overbank, channel, right overbank."""

    area: Array  # (rows, 3) [m²]
    top: Array  # (rows, 3) width of the water's surface [m]
    conveyance: Array  # (rows, 3) [m³/s]
    slope: Array  # (rows, 3) growth of the conveyance with the level [m²/s]

    @property
    def total_conveyance(self) -> Array:
        """Conveyance of the whole sections [m³/s]."""
        total: Array = self.conveyance.sum(axis=1)
        return total

    def velocity_head(self) -> tuple[Array, Array]:
        """αV²/2g for Q²/2g = 1, and its growth with the level: Σ(K³/A²) / (ΣK)³."""
        total = self.total_conveyance
        whole = np.where(total > 0, total, np.nan)
        return self.velocity_head_by(whole, self.slope.sum(axis=1))

    def velocity_head_by(self, whole: Array, slope: Array) -> tuple[Array, Array]:
        """The same from the whole conveyance, NaN where there is none, and its growth."""
        k = self.conveyance
        speed = np.divide(k, self.area, out=np.zeros(k.shape), where=self.area > 0)
        squared = speed * speed
        cube = whole * whole * whole
        head = (squared * k).sum(axis=1) / cube
        db = (squared * (3 * self.slope - 2 * speed * self.top)).sum(axis=1)
        return head, db / cube - 3 * head * slope / whole

    @property
    def alpha(self) -> Array:
        """Velocity weighting coefficient α."""
        alpha: Array = self.velocity_head()[0] * self.area.sum(axis=1) ** 2
        return alpha


def _part_of(rows: Array, wide: int, width: int) -> Taking:
    """What gives some rows of arrays, as many columns as they have.

    Neighbours, which they often are, are seen in place, others copied.
    """
    n = len(rows)
    if n and rows[-1] - rows[0] == n - 1 and (n == 1 or bool((np.diff(rows) == 1).all())):
        return itemgetter((slice(rows[0], rows[0] + n), slice(wide)))
    if wide == width:
        return lambda values: values.take(rows, axis=0)
    return lambda values: values[:, :wide][rows]


@dataclass(frozen=True, slots=True)
class Sections:
    """Many cross-sections as padded arrays (kinds, segments).

    Sections that hold the same are of one kind and share its row: a scheme's are those of all
    others but where it builds.
    """

    low: Array  # lower end [m]; padding: never wet
    half: Array  # half of upper less lower end [m]
    steep: Array  # 1 / rise; huge where level, so that a level segment is wet or dry at once
    run: Array  # horizontal length [m]
    length: Array  # wetted length [m]
    rough: Array  # wetted length x n^1.5 [m]
    sheer: Array  # rough x steep
    zone: Array  # 0, 1, 2
    ridge: Array  # above it a unit of conveyance starts: elevation of the left end; inf: always
    above: Array | None  # a segment counts above this level [m]
    until: Array | None  # ... and up to this one [m]
    idle: Array | None  # area below the level of a permanent ineffective area [m²]
    bottom: Array  # (sections,) lowest point between the walls [m]
    ends: Array  # (sections,) level of the lower end: above it the section is too short [m]
    count: Array  # (kinds,) segments of each row; what follows is padding
    windowed: Array  # (kinds,) whether some of them count between levels only
    kind: Array  # (sections,) row of the arrays above

    def __len__(self) -> int:
        return len(self.kind)

    def shared(self, kind: Array) -> Sections:
        """As many sections as ``kind`` names, each one of these."""
        return replace(self, bottom=self.bottom[kind], ends=self.ends[kind], kind=self.kind[kind])

    def roughened(self, factor: Array) -> Sections:
        """With n times a factor, of all or of each section (sections,)."""
        if factor.ndim == 0:
            rough = self.rough * factor**1.5
            return replace(self, rough=rough, sheer=rough * self.steep)
        alone: dict[str, Any] = {
            name: None if (values := getattr(self, name)) is None else values[self.kind]
            for name in PADDING
        }
        alone["rough"] = self.rough[self.kind] * factor[:, None] ** 1.5
        alone["sheer"] = alone["rough"] * alone["steep"]
        of_kind = {"count": self.count[self.kind], "windowed": self.windowed[self.kind]}
        return replace(self, **alone, **of_kind, kind=np.arange(len(self)))

    def _seen(self, kinds: Array) -> Taking:
        """What gives some rows of arrays, as many columns as they have."""
        wide = width = self.low.shape[1]
        if len(kinds) * width > FEW_SEGMENTS:  # a bridge's sections are wider than others
            wide = int(self.count[kinds].max(initial=1))
        return _part_of(kinds, wide, width)

    def wetted(self, rows: Array, level: Array) -> Wetted:
        """Area, width, conveyance of sections ``rows`` at ``level`` [m]; both (n,)."""
        step = max(BLOCK // max(self.low.shape[1], 1), 1)
        if len(rows) <= step:
            return self._wetted_batch(rows, level)
        parts = [
            self._wetted_batch(rows[k : k + step], level[k : k + step])
            for k in range(0, len(rows), step)
        ]
        return Wetted(*(np.concatenate(p) for p in zip(*parts, strict=True)))

    def _wetted_batch(self, rows: Array, level: Array) -> Wetted:
        if not len(rows):
            return Wetted(*np.zeros((4, 0, 3)))
        of, depth, share, open_ = self._submerged(rows, level)
        n, wide = share.shape
        start = of(self.ridge) > level[:, None]
        start[:, :1] = True
        if open_ is not None:
            # a levee's face parts nothing once it is overtopped
            start[:, 1:] |= open_[:, 1:] != open_[:, :-1]
        held = np.empty((4, n, wide))
        area, top, rough, grows = held
        np.multiply(of(self.run), share, out=top)
        np.multiply(of(self.half), share, out=area)
        np.subtract(depth, area, out=area)
        area *= top
        if self.idle is not None:
            area -= np.where(share > 0, of(self.idle), 0.0)
        np.multiply(of(self.rough), share, out=rough)
        wet = share > 0
        np.multiply(of(self.sheer), wet & (share < 1), out=grows)
        # units begin with what is wet of them; what is dry adds nothing to the one before it
        wet[:, :1] = True
        flooded = wet.ravel().nonzero()[0]
        unit = start.ravel().cumsum(dtype=np.int32)[flooded]
        begins = np.empty(len(unit), bool)
        begins[:1] = True
        np.not_equal(unit[1:], unit[:-1], out=begins[1:])
        at = flooded[begins]
        units = np.empty((4, len(at)))
        a, t, w, dw = np.add.reduceat(held.reshape(4, -1), at, axis=1, out=units)
        radius = np.divide(a, w, out=np.zeros(len(at)), where=(a > 0) & (w > 0))
        power = radius ** (2 / 3)
        # the conveyance a (a / w)^2/3 and its growth, instead of the roughness'
        units[3] = power * (5 / 3 * t - 2 / 3 * radius * dw)
        units[2] = a * power
        # zone after zone, so that sums over zones add whole columns
        place = at // wide + of(self.zone).ravel()[at].astype(at.dtype) * n
        place = place + np.arange(0, 12 * n, 3 * n)[:, None]
        sums = np.bincount(place.ravel(), units.ravel(), minlength=12 * n)
        return Wetted(*sums.reshape(4, 3, n).transpose(0, 2, 1))

    def _submerged(self, rows: Array, level: Array) -> tuple[Taking, Array, Array, Array | None]:
        """What gives rows of arrays, how deep segments lie, what share of each is wet.

        And which are open from below, where any of these sections has such that aren't always.
        """
        kinds, level = self.kind[rows], level[:, None]
        of, open_ = self._seen(kinds), None
        depth = level - of(self.low)
        share = depth * of(self.steep)
        np.minimum(np.maximum(share, 0.0, out=share), 1.0, out=share)
        if self.above is not None and self.until is not None and self.windowed[kinds].any():
            open_ = level > of(self.above)
            share *= open_ & (level <= of(self.until))
        return of, depth, share, open_

    def area(self, rows: Array, level: Array) -> Array:
        """Area of whole sections (n,) [m²]: that of `wetted` without more."""
        of, depth, share, _ = self._submerged(rows, level)
        depth -= of(self.half) * share
        found: Array = np.einsum("ij,ij,ij->i", depth, of(self.run), share)
        if self.idle is not None:
            found -= np.where(share > 0, of(self.idle), 0.0).sum(axis=1)
        return found

    def perimeter(self, rows: Array, level: Array) -> Array:
        """Wetted perimeter (n,) [m]."""
        of, _, share, _ = self._submerged(rows, level)
        found: Array = np.einsum("ij,ij->i", of(self.length), share)
        return found

    def thrust(self, rows: Array, level: Array) -> Array:
        """Area times depth of its centroid (n,) [m³]; the ground alone, for the specific force."""
        of, depth, share, _ = self._submerged(rows, level)
        # half the integral of depth² over a straight piece of ground
        wet = 2 * of(self.half) * share
        pieces = of(self.run) * share * (depth * (depth - wet) + wet * wet / 3)
        thrust: Array = pieces.sum(axis=1) / 2
        return thrust


def pack(
    ground: Ground,
    *,
    banks: tuple[Array, Array],
    levees: tuple[Array, Array, Array, Array] | None = None,
    walls: tuple[Array, Array] | None = None,
    limits: Iterable[Limit] = (),
    lid: Lid | None = None,
    like: Array | None = None,
) -> Sections:
    """Sections from surveyed points and what stands in them.

    Parameters
    ----------
    ground
        Points of all sections.
    banks
        Left and right bank (sections,) [m]; NaN: the channel reaches the section's end.
    levees
        Place and level of the left levee, place and level of the right one; NaN: none.
    walls
        Left and right encroachment wall (sections,) [m]; NaN: none.
    limits
        Blocked, ineffective and permanently ineffective stretches, one a section each.
    lid
        Undersides of bridges, culverts and covers; below them the water may be under pressure.
    like
        (sections,) The first section that holds the same as each one; without it, itself.
    """
    limits = list(limits)
    if like is not None and lid is None:
        first, kind = np.unique(like, return_inverse=True)
        return pack(
            ground.take(first),
            banks=tuple(b[first] for b in banks),
            levees=tuple(v[first] for v in levees) if levees else None,
            walls=tuple(v[first] for v in walls) if walls else None,
            limits=[Limit(one.kind, *(v[first] for v in one[1:])) for one in limits],
        ).shared(kind)
    if lid is not None and len(lid.x):
        return _pack_batch(ground, banks, levees, walls, limits, lid)
    parts = []
    # a few thousand sections at a time, whose points stay in the processor's cache
    step = max(4 * BLOCK // max(int(ground.count.max(initial=1)), 1), 1)
    for k in range(0, len(ground.count), step):
        of = slice(k, k + step)
        parts.append(
            _pack_batch(
                ground.part(of),
                tuple(b[of] for b in banks),  # type: ignore[arg-type]
                tuple(v[of] for v in levees) if levees else None,  # type: ignore[arg-type]
                tuple(v[of] for v in walls) if walls else None,  # type: ignore[arg-type]
                [Limit(one.kind, *(v[of] for v in one[1:])) for one in limits],
            )
        )
    return parts[0] if len(parts) == 1 else join(parts)


def _pack_batch(
    ground: Ground,
    banks: tuple[Array, Array],
    levees: tuple[Array, Array, Array, Array] | None,
    walls: tuple[Array, Array] | None,
    limits: list[Limit],
    lid: Lid | None = None,
) -> Sections:
    for limit in limits:
        if limit.kind == "blocked":
            ground = ground.blocked(limit)
    if lid is not None:
        ground = ground.cut_many(lid.section, lid.x)
    none = np.full(len(ground.count), np.nan)
    lines = [*banks, *(walls or ()), *((levees[0], levees[2]) if levees else ())]
    lines += [
        x for limit in limits if limit.kind != "blocked" for x in (limit.start_m, limit.stop_m)
    ]
    for at in lines:
        ground = ground.cut(at)
    segments = _Segments.of(ground, banks)
    for limit in limits:
        if limit.kind != "blocked":
            segments.ineffective(limit)
    for side, at, level in (
        ("left", levees[0] if levees else none, levees[1] if levees else none),
        ("right", levees[2] if levees else none, levees[3] if levees else none),
        ("left", walls[0] if walls else none, np.full(len(none), np.inf)),
        ("right", walls[1] if walls else none, np.full(len(none), np.inf)),
    ):
        if np.isfinite(at).any():
            segments.barrier(ground, side, at, level)  # type: ignore[arg-type]
    closed = np.zeros(len(ground.count), bool)
    if lid is not None:
        closed = _closed_sections(ground, lid)
    segments.ends(ground)
    if lid is not None:
        segments.cover(lid, closed)
    return segments.padded(ground, walls, closed)


def _closed_sections(ground: Ground, lid: Lid) -> Array:
    """Sections whose lid reaches both of their ends and lets nothing over it."""
    first, last = ground.x[ground.start], ground.x[ground.start + ground.count - 1]
    found = np.zeros(len(ground.count), bool)
    which, start, count = np.unique(lid.section, return_index=True, return_counts=True)
    covers = lid.x[start] <= first[which] + 1e-9
    covers &= lid.x[start + count - 1] >= last[which] - 1e-9
    found[which] = covers & np.logical_and.reduceat(np.isinf(lid.high), start)
    return found


def middle_of_bed(x: Array, z: Array) -> float:
    """Offset of a section's lowest point; of several in a level bed their middle."""
    lowest = x[z <= z.min() + 1e-6]
    return float(lowest[0] + lowest[-1]) / 2


def beside(parts: list[Sections]) -> Sections:
    """The sections of each part, part after part; those of one part again are none anew."""
    if all(one is parts[0] for one in parts):
        return parts[0].shared(np.tile(np.arange(len(parts[0])), len(parts)))
    return join(parts)


def join(parts: list[Sections]) -> Sections:
    """Packed sections one below the other, padded to one width."""
    wide = max(p.low.shape[1] for p in parts)
    begins = np.cumsum([0, *(len(p.low) for p in parts)])
    made: dict[str, Array | None] = {
        "bottom": np.concatenate([p.bottom for p in parts]),
        "ends": np.concatenate([p.ends for p in parts]),
        "count": np.concatenate([p.count for p in parts]),
        "windowed": np.concatenate([p.windowed for p in parts]),
        "kind": np.concatenate([p.kind + at for p, at in zip(parts, begins, strict=False)]),
    }
    for name, fill in PADDING.items():
        values = [getattr(p, name) for p in parts]
        if all(v is None for v in values):
            made[name] = None
            continue
        if all(v is not None and v.shape[1] == wide for v in values):
            made[name] = np.concatenate(values)
            continue
        kind = next(v.dtype for v in values if v is not None)
        made[name] = whole = np.empty((begins[-1], wide), kind)
        for at, stop, value in zip(begins, begins[1:], values, strict=False):
            width = 0 if value is None else value.shape[1]
            whole[at:stop, width:] = fill
            if value is not None:
                whole[at:stop, :width] = value
    return Sections(**made)  # type: ignore[arg-type]


@dataclass(slots=True)
class _Segments:
    """Segments of all sections, flat, while they are put together."""

    section: Array
    x0: Array
    x1: Array
    z0: Array
    z1: Array
    n: Array
    zone: Array
    unit: Array  # starts a unit at any level
    above: Array
    until: Array
    idle: Array
    order: Array  # faces go before the segment that starts at their place

    @classmethod
    def of(cls, ground: Ground, banks: tuple[Array, Array]) -> _Segments:
        """Ground between neighbouring points."""
        each = ground.section
        pair = np.flatnonzero(each[:-1] == each[1:])
        section, x0, x1 = each[pair], ground.x[pair], ground.x[pair + 1]
        z0, z1, n = ground.z[pair], ground.z[pair + 1], ground.n[pair]
        middle = (x0 + x1) / 2
        left, right = (b[section] for b in banks)
        zone = np.where(middle < left, LEFT, np.where(middle > right, RIGHT, CHANNEL))
        begins = np.r_[True, section[1:] != section[:-1]]
        new_n = np.r_[True, n[1:] != n[:-1]]
        unit = begins | np.r_[True, zone[1:] != zone[:-1]] | new_n
        composite = _has_composite_n(section, x0, x1, z0, z1, zone, unit)
        unit &= ~((zone == CHANNEL) & composite[section] & np.r_[False, zone[1:] == zone[:-1]])
        unit |= begins
        size = len(pair)
        return cls(
            section, x0, x1, z0, z1, n, zone, unit,
            np.full(size, -np.inf), np.full(size, np.inf), np.zeros(size), np.ones(size, int),
        )  # fmt: skip

    def ineffective(self, limit: Limit) -> None:
        """Between two places water stands still below a level."""
        middle = (self.x0 + self.x1) / 2
        level = limit.level_m[self.section]
        inside = (middle >= limit.start_m[self.section]) & (middle <= limit.stop_m[self.section])
        self.above = np.where(inside, np.maximum(self.above, level), self.above)
        if limit.kind == "permanent":
            low, rise = np.minimum(self.z0, self.z1), np.abs(self.z1 - self.z0)
            depth = level - low
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.where(rise > 0, np.clip(depth / rise, 0, 1), depth > 0)
            below = (self.x1 - self.x0) * share * (depth - 0.5 * rise * share)
            self.idle = np.where(inside, np.maximum(self.idle, below), self.idle)

    def barrier(
        self, ground: Ground, side: Literal["left", "right"], at: Array, level: Array
    ) -> None:
        """Levee or wall: nothing counts behind it below its level; its wet face adds perimeter."""
        place = at[self.section]
        behind = self.x1 <= place if side == "left" else self.x0 >= place
        self.above = np.where(behind, np.maximum(self.above, level[self.section]), self.above)
        has = np.flatnonzero(np.isfinite(at))
        foot = ground.level_at(at, side="right" if side == "left" else "left")[has]
        top = np.minimum(level[has], np.maximum.reduceat(ground.z, ground.start)[has] + ENDLESS_M)
        inner = (self.x0 if side == "left" else self.x1) == place
        beside = np.full(len(at), -1)
        beside[self.section[inner & ~behind]] = np.flatnonzero(inner & ~behind)
        has, foot, top = has[ok := (beside[has] >= 0) & (top > foot)], foot[ok], top[ok]
        near = beside[has]
        new = {
            "section": has, "x0": at[has], "x1": at[has], "z0": foot, "z1": top,
            "n": self.n[near], "zone": self.zone[near], "unit": np.full(len(has), side == "left"),
            "above": np.full(len(has), -np.inf), "until": level[has],
            "idle": np.zeros(len(has)), "order": np.zeros(len(has), int),
        }  # fmt: skip
        if side == "left":
            self.unit[near] = False  # the face and the ground beside it are one unit
        self._insert_sorted(new)

    def cover(self, lid: Lid, closed: Array) -> None:
        """Take away what lies between a lid's sides, and add its wet faces to the perimeter.

        A piece of the underside is a segment of negative width: above it the area no longer
        grows. One of the upper side is ground again. In a closed section ground above the lid is
        never wet.
        """
        mine, piece = self._pieces_of_lid(lid)
        low, high, rough = np.full((3, 2, len(self.x0)), np.nan)
        x, under, over = lid.x[piece], lid.low[piece], lid.high[piece]
        with np.errstate(invalid="ignore", divide="ignore"):
            rise = np.where(np.isfinite(over), lid.high[piece + 1] - over, 0.0)
            for row, at in enumerate((self.x0[mine], self.x1[mine])):
                share = (at - x) / (lid.x[piece + 1] - x)
                low[row, mine] = under + share * (lid.low[piece + 1] - under)
                high[row, mine] = over + share * rise
        rough[:, mine] = lid.n[piece], lid.n_top[piece]
        has = np.flatnonzero(np.isfinite(low).all(axis=0))
        self._keep_below_lids(lid, closed, low)
        over = has[np.isfinite(high[:, has]).all(axis=0)]
        rough = np.where(np.isfinite(rough), rough, self.n)
        parts = []
        rough *= self.n > 0
        for which, z, sign, n in ((has, low, -1.0, rough[0]), (over, high, 1.0, rough[1])):
            # the ground may rise above the underside: nothing is taken away there
            z0, z1 = (np.maximum(z[k, which], g[which]) for k, g in ((0, self.z0), (1, self.z1)))
            parts.append(
                {
                    "section": self.section[which], "x0": self.x0[which],
                    "x1": self.x0[which] + sign * (self.x1 - self.x0)[which],
                    "z0": z0, "z1": z1, "n": n[which], "zone": self.zone[which],
                    "unit": np.zeros(len(which), bool), "above": self.above[which],
                    "until": self.until[which], "idle": np.zeros(len(which)),
                    "order": np.full(len(which), COVER),
                }
            )  # fmt: skip
        self._insert_sorted({k: np.concatenate([p[k] for p in parts]) for k in parts[0]})

    def _pieces_of_lid(self, lid: Lid) -> tuple[Array, Array]:
        """Segments under a lid, and the lid's point before the middle of each.

        Of two lid points at one place the one on the segment's side counts.
        """
        which = np.unique(lid.section)
        points = np.searchsorted(lid.section, np.stack([which, which + 1], axis=1)).tolist()
        own = np.searchsorted(self.section, np.stack([which, which + 1], axis=1)).tolist()
        middle = (self.x0 + self.x1) / 2
        before = np.full(len(middle), -1)
        for (first, last), (start, stop) in zip(points, own, strict=True):
            x, at = lid.x[first:last], middle[start:stop]
            k = np.searchsorted(x, at, side="right") - 1 + first
            before[start:stop] = np.where((at > x[0]) & (at < x[-1]), k, -1)
        mine = np.flatnonzero((before >= 0) & (self.x1 > self.x0))
        return mine, before[mine]

    def _keep_below_lids(self, lid: Lid, closed: Array, low: Array) -> None:
        """Leave no wet face above the lids of closed sections.

        Walls end where the lid meets them, and ground that the lid lies on has no perimeter.
        """
        if not closed.any():
            return
        shut = closed[self.section]
        upright = shut & (self.x0 == self.x1)
        for k in np.unique(self.section[upright]):
            x, under = lid.x[lid.section == k], lid.low[lid.section == k]
            mine = np.flatnonzero(upright & (self.section == k))
            for row in mine.tolist():
                most = under[np.abs(x - self.x0[row]) < 1e-9].min(initial=np.inf)
                self.z0[row], self.z1[row] = min(self.z0[row], most), min(self.z1[row], most)
        on = shut & (self.z0 >= low[0] - 1e-9) & (self.z1 >= low[1] - 1e-9)
        self.n[on] = 0.0

    def ends(self, ground: Ground) -> None:
        """Faces above both ends of each section, which count only when the water stands higher.

        Those of a closed section end at its lid, which is laid after them.
        """
        count = np.bincount(self.section, minlength=len(ground.count))
        first = np.cumsum(count) - count
        last = first + count - 1
        at = np.concatenate([ground.start, ground.start + ground.count - 1])
        near = np.concatenate([first, last])
        left = np.arange(len(at)) < len(first)
        new: dict[str, Array] = {
            "section": self.section[near], "x0": ground.x[at], "x1": ground.x[at],
            "z0": ground.z[at], "z1": ground.z[at] + ENDLESS_M,
            "n": self.n[near], "zone": self.zone[near], "unit": left,
            "above": self.above[near], "until": np.full(len(at), np.inf),
            "idle": np.zeros(len(at)), "order": np.where(left, -1, 2),
        }  # fmt: skip
        place = np.concatenate([first, last + 1]) + np.r_[: len(at) : 2, 1 : len(at) : 2]
        self._insert_at(new, place)
        starts = np.r_[True, self.section[1:] != self.section[:-1]]
        self.unit[1:] &= ~starts[:-1]  # the end's face and the ground beside it are one unit

    def _insert_at(self, new: dict[str, Array], place: Array) -> None:
        """Put segments at their places among all."""
        own = np.ones(len(self.section) + len(place), bool)
        own[place] = False
        for name, values in new.items():
            old = getattr(self, name)
            both = np.empty(len(own), np.result_type(old, values))
            both[own], both[place] = old, values
            setattr(self, name, both)

    def _insert_sorted(self, new: dict[str, Array]) -> None:
        """Put segments where they belong from left to right."""
        for name, values in new.items():
            setattr(self, name, np.concatenate([getattr(self, name), values]))
        turn = np.lexsort((self.order, self.x0, self.section))
        for name in new:
            setattr(self, name, getattr(self, name)[turn])

    def padded(self, ground: Ground, walls: tuple[Array, Array] | None, closed: Array) -> Sections:
        """Rows of equal length, padded with segments that are never wet."""
        count = np.bincount(self.section, minlength=len(ground.count))
        shape = (len(count), int(count.max(initial=1)))
        # where each is once the rows before it are filled up
        short = shape[1] - count
        place = np.arange(len(self.section)) + np.repeat(np.cumsum(short) - short, count)

        def spread(name: str, values: Array) -> Array:
            if not short.any():
                return values.reshape(shape)
            wide = np.full(shape[0] * shape[1], PADDING[name], dtype=values.dtype)
            wide[place] = values
            return wide.reshape(shape)

        low, rise = np.minimum(self.z0, self.z1), np.abs(self.z1 - self.z0)
        run = self.x1 - self.x0
        length = np.hypot(run, rise)
        length = np.where(self.n > 0, length, 0.0)
        steep = np.where(rise > 1e-12, 1 / np.maximum(rise, 1e-12), 1e290)
        window = (self.above > -np.inf) | (self.until < np.inf)
        windows = bool(window.any())
        ridge = np.where((self.zone == CHANNEL) | (self.order == COVER), -np.inf, self.z0)
        ridge = np.where(self.unit, np.inf, ridge)
        last = ground.start + ground.count - 1
        lower = np.minimum(ground.z[ground.start], ground.z[last])
        held = closed if walls is None else closed | np.isfinite(walls).any(axis=0)
        within = np.where(np.isposinf(self.above), np.inf, low)
        made = {
            "low": low,
            "half": rise / 2,
            "steep": steep,
            "run": run,
            "length": length,
            "rough": (rough := length * self.n**1.5),
            "sheer": rough * steep,
            "zone": self.zone.astype(np.int8),
            "ridge": ridge,
            "above": self.above if windows else None,
            "until": self.until if windows else None,
            "idle": self.idle if self.idle.any() else None,
        }
        return Sections(
            **{k: None if v is None else spread(k, v) for k, v in made.items()},  # type: ignore[arg-type]
            bottom=np.minimum.reduceat(within, np.cumsum(count) - count),
            ends=np.where(held, np.inf, lower),
            count=count,
            windowed=np.bincount(self.section[window], minlength=len(count)) > 0,
            kind=np.arange(len(count)),
        )


def _has_composite_n(
    section: Array, x0: Array, x1: Array, z0: Array, z1: Array, zone: Array, unit: Array
) -> Array:
    """Whether a part of the channel between changes of n is steeper than 1V:5H, per section."""
    inside = zone == CHANNEL
    start = np.flatnonzero(inside & unit)
    if not len(start):
        return np.zeros(int(section.max(initial=-1)) + 1, bool)
    stop = np.r_[start[1:], len(section)] - 1
    # the last part of a channel ends where its zone does
    last = np.maximum.accumulate(np.where(inside, np.arange(len(section)), -1))
    stop = np.where(section[stop] == section[start], last[stop], stop)
    ends = np.searchsorted(section, section[start], side="right") - 1
    stop = np.minimum(stop, last[ends])
    steep = np.abs(z1[stop] - z0[start]) * STEEP_SIDE > (x1[stop] - x0[start])
    found = np.zeros(int(section.max()) + 1, bool)
    np.logical_or.at(found, section[start], steep)
    return found
