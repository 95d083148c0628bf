"""What would the river be with its walls elsewhere? Surveyed sections whose banks are moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from pinghu_geo.flood.outlines import crossings, line_at, stops_of
from pinghu_geo.flood.sections import Array, Ground
from pinghu_geo.flood.survey import Laid
from pinghu_geo.nouns.errors import HydraulicsError, LayerError
from pinghu_geo.nouns.schema import numbers, require_columns

__all__ = [
    "Half",
    "River",
    "Wall",
    "as_surveyed",
    "as_tables",
    "ground_of",
    "joined",
    "wall_menu",
]

# the wall is what stands above the lowest tenth of the channel, beside the bank
TOE_SHARE = 0.1
# what banks say of a section besides its banks
ALONG = (
    "repeated", "length_left_m", "length_channel_m", "length_right_m", "contraction", "expansion",
)  # fmt: skip
# least width of the bed on each side of the middle [m]
LEAST_BED_M = 0.25


class Wall(NamedTuple):
    """A wall that can be built: slope (horizontal to 1 vertical), roughness, price, strip.

    ``strip_m`` lies between the red line and the wall's top; NaN: as wide as it is now.
    """

    name: str
    side_slope: float
    n: float
    wall_yuan_m: float
    strip_m: float


class Half(NamedTuple):
    """Half a section from its middle outward: points, roughness behind each, place of the bank."""

    u: Array
    z: Array
    n: Array
    bank: int

    def moved(self, move: float, wall: Wall | None) -> Half | None:
        """With the bank's top moved outward [m] and perhaps another wall; None: no bed is left.

        The wall moves as it is, the bed between it and the middle is stretched. A wall moved
        outward cuts into the ground; one moved inward leaves fill as high as itself.
        """
        u, z, n, bank = self
        top, deepest = z[bank], z[: bank + 1].min()
        low = z[: bank + 1] <= deepest + TOE_SHARE * (top - deepest)
        toe = int(low.nonzero()[0][-1])
        edge = u[bank] + move
        if wall is None:
            wall_u, wall_z, wall_n = u[toe : bank + 1] + move, z[toe : bank + 1], n[toe:bank]
        else:
            back = wall.side_slope * (top - z[toe])
            wall_u, wall_z = np.array([edge - back, edge]), np.array([z[toe], top])
            wall_n = np.array([wall.n])
        if wall_u[0] < LEAST_BED_M:
            return None
        if u[toe] > 0:
            bed_u, bed_z, bed_n = u[:toe] * (wall_u[0] / u[toe]), z[:toe], n[:toe]
        else:  # a vee: its bed opens
            bed_u, bed_z, bed_n = u[:1], z[:1], n[:1]
        made = [[bed_u, wall_u], [bed_z, wall_z], [bed_n, wall_n]]
        beyond = max(int(u.searchsorted(edge + 1e-9, side="right")), bank)
        if beyond < len(u):
            behind = n[bank : bank + 1] if bank < len(n) else wall_n[-1:]
            if move > 0:  # down from the wall's top to the ground behind it
                ground = np.interp(edge, u[bank:], z[bank:])
                face = [edge], [ground], behind
                made = [[*own, more] for own, more in zip(made, face, strict=True)]
            first = behind if move < 0 else n[beyond - 1 : beyond]
            made[2].append(first)
            made = [[*own, more[beyond:]] for own, more in zip(made, (u, z, n), strict=True)]
        made_u, made_z, made_n = (np.concatenate(own) for own in made)
        return Half(made_u, made_z, made_n, len(bed_u) + len(wall_u) - 1)

    def trimmed(self, level: float) -> Half:
        """Without what lies behind the bank and is never wet."""
        wet = np.flatnonzero(self.z[self.bank :] <= level)
        last = self.bank + (int(wet[-1]) + 1 if len(wet) else 0)
        last = min(last, len(self.u) - 1)
        return Half(self.u[: last + 1], self.z[: last + 1], self.n[:last], self.bank)

    def holds(self, level: float) -> tuple[float, float]:
        """Area below a level within the bank [m²], and wetted length weighted by n^1.5."""
        u, z = self.u[: self.bank + 1], self.z[: self.bank + 1]
        du, dz = np.diff(u), np.diff(z)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(
                dz == 0,
                (z[:-1] < level).astype(float),
                np.clip((level - np.minimum(z[:-1], z[1:])) / np.abs(dz), 0.0, 1.0),
            )
        depth = np.maximum(level - np.minimum(z[:-1], z[1:]), 0.0)
        shallow = np.maximum(level - np.maximum(z[:-1], z[1:]), 0.0)
        area = (share * du * (depth + shallow) / 2).sum()
        rough = (share * np.hypot(du, dz) * self.n[: self.bank] ** 1.5).sum()
        return float(area), float(rough)

    def dug(self, before: Half) -> float:
        """Area by which the ground lies lower than before [m²].

        Beyond its survey the ground was as high as where that ends.
        """
        line = self.u, self.z
        far = max(self.u[-1], before.u[-1])
        other = np.append(before.u, far), np.append(before.z, before.z[-1])
        stops = stops_of(line[0], other[0], crossings(*line, *other))
        a, b = stops[:-1], stops[1:]
        now, was = line_at(*line, a, b), line_at(*other, a, b)
        gap = (was[0] - now[0] + was[1] - now[1]) / 2 * (b - a)
        return float(np.maximum(gap, 0.0).sum())


@dataclass(frozen=True, slots=True)
class River:
    """Sections of one river from upstream to downstream, each as two halves about its middle.

    ``covered`` are sections under a lid: their walls can't move, and they are kept as surveyed.
    """

    stations: pd.DataFrame
    middle: Array
    halves: tuple[list[Half], list[Half]]
    covered: Mapping[int, pd.DataFrame]  # points of each, with the underside above them

    def rebuilt(
        self, side: int, station: int, offset: float, move: float, wall: Wall | None
    ) -> Half | None:
        """Half a section whose red line, at an offset, moves [m], perhaps with another wall.

        A wall whose strip is narrower than the one there stands so much further out. None: no bed
        is left, or the section is covered.
        """
        half = self.halves[side][station]
        if wall is None and abs(move) < 1e-9:
            return half
        if station in self.covered:
            return None
        if wall is not None and np.isfinite(wall.strip_m):
            middle = self.middle[station] if side else -self.middle[station]
            move += offset - (half.u[half.bank] + middle) - wall.strip_m
        return half.moved(move, wall)

    def dug(self, base: Array, kinds: Sequence[tuple[float, Wall | None]]) -> Array:
        """What moves and walls dig beyond the sections (2, stations, kinds) [m²].

        ``base`` (2, stations) are the offsets of the approved line.
        """
        found = np.zeros((*base.shape, len(kinds)))
        for side in (0, 1):
            for i, before in enumerate(self.halves[side]):
                for k, (move, wall) in enumerate(kinds):
                    made = self.rebuilt(side, i, float(base[side, i]), move, wall)
                    found[side, i, k] = 0.0 if made is None else made.dug(before)
        return found

    def top(self, side: int) -> Array:
        """Level of the bank's top [m]."""
        return np.array([h.z[h.bank] for h in self.halves[side]])


def as_surveyed(laid: Laid) -> dict[str, River]:
    """Sections of each river, split at the middle of the channel."""
    stations, ground = laid.stations, laid.ground
    if stations["scheme"].nunique() > 1:
        raise HydraulicsError(
            "holds several schemes", layer="sections", hint='sections[sections["scheme"] == "..."]'
        )
    kinds = [f"{side}_{kind}_m" for kind in ("levee", "wall") for side in ("left", "right")]
    fixed = [c for c in kinds if stations[c].notna().any()]
    if fixed:
        raise HydraulicsError(
            f"has {', '.join(fixed)}, which walls that move can't keep",
            layer="banks",
            hint="draw levees and walls as points of the sections",
        )
    halves: tuple[list[Half], list[Half]] = ([], [])
    banks = stations[["left_bank_m", "right_bank_m"]].to_numpy().T
    ends = ground.x[ground.start], ground.x[ground.start + ground.count - 1]
    left, right = (np.where(np.isfinite(v), v, e) for v, e in zip(banks, ends, strict=True))
    middle = np.where((left < 0) & (right > 0), 0.0, (left + right) / 2)
    ground = ground.cut(middle).cut(left).cut(right)
    for k, (a, b) in enumerate(zip(ground.start, ground.start + ground.count, strict=True)):
        points = ground.x[a:b], ground.z[a:b], ground.n[a:b]
        for side, edge in ((0, left[k]), (1, right[k])):
            halves[side].append(_half_section(*points, middle[k], edge, side))
    found = {}
    for river, rows in stations.groupby("river", sort=False).indices.items():
        found[str(river)] = River(
            stations.iloc[rows].reset_index(drop=True),
            middle[rows],
            ([halves[0][i] for i in rows], [halves[1][i] for i in rows]),
            {k: _points_with_lid(laid, i) for k, i in enumerate(rows) if i in laid.covered},
        )
    return found


def _points_with_lid(laid: Laid, section: int) -> pd.DataFrame:
    """Points of a covered section as they were surveyed."""
    ground = laid.ground.take(np.array([section]))
    points = pd.DataFrame({"offset_m": ground.x, "elevation_m": ground.z, "n": ground.n})
    lid = laid.lid
    if lid is None:
        return points
    own = lid.section == section
    # the lid has a point at each point of the ground from its first to its last
    under = np.flatnonzero((ground.x >= lid.x[own][0]) & (ground.x <= lid.x[own][-1]))
    points[["lid_m", "n_lid"]] = np.nan
    points.loc[under, ["lid_m", "n_lid"]] = np.stack([lid.low[own], lid.n[own]], axis=1)
    return points


def _half_section(x: Array, z: Array, n: Array, middle: float, edge: float, side: int) -> Half:
    """One half, from the middle outward, of points that stand there and at the edge, too."""
    if side == 0:
        last = int(np.searchsorted(x, middle, side="right"))
        x, z, n = x[:last][::-1], z[:last][::-1], n[: last - 1][::-1]
        u = middle - x
    else:
        first = int(np.searchsorted(x, middle, side="left"))
        # of a vertical face in the middle the half keeps its own foot
        x, z, n = x[first:], z[first:], n[first:-1]
        u = x - middle
    bank = int(np.flatnonzero(u <= abs(edge - middle) + 1e-9)[-1])
    same = np.flatnonzero(np.abs(u - u[bank]) < 1e-9)
    bank = int(same[np.argmax(z[same])])
    return Half(u, z, n, bank)


def ground_of(pairs: Sequence[tuple[float, Half, Half]]) -> tuple[Ground, Array, Array]:
    """Sections put together from halves: their points, and their left and right banks."""
    each = np.arange(len(pairs))
    left, right = ([(m, a) for m, a, _ in pairs], [(m, b) for m, _, b in pairs])
    return joined(left, right, each, each)


def joined(
    left: Sequence[tuple[float, Half]],
    right: Sequence[tuple[float, Half]],
    one: Array,
    other: Array,
) -> tuple[Ground, Array, Array]:
    """Sections put together from left and right halves with their middles, each by its number.

    Their points, and their left and right banks.
    """
    which = np.stack([one, len(left) + other], axis=1).ravel()
    x = [m - h.u[::-1] for m, h in left] + [m + h.u[1:] for m, h in right]
    z = [h.z[::-1] for _, h in left] + [h.z[1:] for _, h in right]
    n = [h.n[::-1] for _, h in left] + [np.append(h.n, h.n[-1:]) for _, h in right]
    count = np.array([len(own) for own in x])[which].reshape(-1, 2).sum(axis=1)
    ground = Ground(_in_turn(x, which), _in_turn(z, which), _in_turn(n, which), count)
    banks = np.array([m - h.u[h.bank] for m, h in left] + [m + h.u[h.bank] for m, h in right])
    return ground, banks[one], banks[len(left) + other]


def _in_turn(parts: list[Array], which: Array) -> Array:
    """Arrays one after the other, by their numbers."""
    size = np.array([len(own) for own in parts])
    many, start = size[which], (np.cumsum(size) - size)[which]
    at = np.arange(many.sum()) + np.repeat(start - np.cumsum(many) + many, many)
    found: Array = np.concatenate(parts)[at]
    return found


def wall_menu(walls: pd.DataFrame | None) -> list[Wall | None]:
    """The wall that is there, and those that the table offers."""
    if walls is None:
        return [None]
    require_columns(walls, ("wall", "side_slope", "n_wall", "wall_yuan_m"), "walls")
    slope, n, price, strip = (
        numbers(walls, c, "walls").to_numpy()
        for c in ("side_slope", "n_wall", "wall_yuan_m", "strip_m")
    )
    bad = ~(slope >= 0) | ~(n > 0) | ~(price >= 0) | (strip < 0)
    if bad.any():
        raise LayerError(
            "has walls whose side_slope, n_wall, wall_yuan_m or strip_m can't be",
            layer="walls",
            ids=walls["wall"][bad],
            hint="a vertical wall has side_slope 0; wall_yuan_m is its price beyond the wall there",
        )
    rows = zip(walls["wall"].astype(str), slope, n, price, strip, strict=True)
    return [None, *(Wall(*row) for row in rows)]


def as_tables(
    river: River, pairs: Sequence[tuple[float, Half, Half]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sections and banks of a river, put together from halves."""
    ground, left, right = ground_of(pairs)
    stations = river.stations
    keys = stations[["river", "chainage_m"]]
    points = pd.DataFrame({"offset_m": ground.x, "elevation_m": ground.z, "n": ground.n})
    section = ground.section
    if river.covered:
        open_ = ~np.isin(section, list(river.covered))
        parts = [points[open_], *river.covered.values()]
        number = [section[open_], *(np.full(len(p), k) for k, p in river.covered.items())]
        points, section = pd.concat(parts), np.concatenate(number)
        turn = np.argsort(section, kind="stable")
        points, section = points.iloc[turn].reset_index(drop=True), section[turn]
    said = [c for c in ("left_out",) if (stations[c] != "").any()]
    own = stations[[*keys, *said]].iloc[section].reset_index(drop=True)
    banks = keys.assign(left_bank_m=left, right_bank_m=right)
    more = [c for c in ALONG if stations[c].notna().any()]
    return pd.concat([own, points], axis=1), banks.assign(**{c: stations[c] for c in more})
