"""What do the rows of a bridge draw? Deck, ground, abutments, piers and road."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from pinghu_geo.flood.bridge_cuts import Line, Pieces, pieces_of
from pinghu_geo.flood.bridges import METHODS
from pinghu_geo.flood.gates import Crest
from pinghu_geo.flood.outlines import upper_line
from pinghu_geo.flood.sections import Array, middle_of_bed
from pinghu_geo.flood.structure_rows import CRESTS, StructureRow
from pinghu_geo.nouns.schema import nearest, numbers

__all__ = [
    "bridge_methods",
    "deck_chords",
    "extent_of_opening",
    "free_openings",
    "own_ground",
    "pier_centres",
    "pier_shapes",
    "road_crest",
    "road_top_line",
    "rows_of_this_side",
    "with_abutments",
]

# of a part that a structure hasn't
NO_ROWS = pd.DataFrame({"side": []})


def extent_of_opening(
    one: StructureRow, detail: Mapping[str, pd.DataFrame], ground: Line
) -> tuple[float, float, float] | None:
    """From and to offset of an opening, and its highest soffit; None where a culvert says none."""
    if one.text("kind", "") == "culvert":
        if not (one.has("from_offset_m") and one.has("to_offset_m") and one.has("rise_m")):
            return None
        soffit = one.number("invert_up_m") + one.number("rise_m")
        start, stop = one.number("from_offset_m"), one.number("to_offset_m")
        _check_extent_of_barrels(one, detail, start, stop, ground[0])
        return start, stop, soffit
    free = free_openings(one, pieces_of([ground], [deck_chords(one, detail, ground, "up")]))
    starts, stops, tops = zip(*free, strict=True)
    return min(starts), max(stops), max(tops)


def _check_extent_of_barrels(
    one: StructureRow, detail: Mapping[str, pd.DataFrame], start: float, stop: float, x: Array
) -> None:
    """Refuse barrels that don't stand in their section, or don't fit between their offsets."""
    if start < x[0] - 1e-6 or stop > x[-1] + 1e-6:
        raise one.fault(
            f"has its offsets outside its section, {x[0]:g} to {x[-1]:g} m",
            "from_offset_m and to_offset_m count as the section's offset_m does",
        )
    if "culvert" in detail or not (one.has("span_m") or one.text("shape", "") == "circle"):
        return
    span = one.number("span_m") if one.has("span_m") else one.number("rise_m")
    wide = span * one.number("barrels")
    if wide > stop - start + 1e-6:
        raise one.fault(
            f"has barrels {wide:g} m wide together from {start:g} to {stop:g} m",
            "from_offset_m and to_offset_m are the outer edges of its barrels",
        )


def bridge_methods(one: StructureRow) -> tuple[str, ...]:
    """The methods of low flow that a row asks for."""
    words = tuple(w.strip() for w in one.text("method", "energy").split("+"))
    for word in words:
        if word not in METHODS:
            raise one.fault(
                f"has {word!r} in method", f"{nearest(word, METHODS)}; several joined by +"
            )
    return words


def _across_the_flow(one: StructureRow, offsets: Array, x: Array, z: Array) -> Array:
    """Offsets along a road that crosses the river at a skew, as those across the flow.

    They shrink by the cosine (HEC-RAS, skewed bridge crossings: deck and piers do, the sections
    beside the bridge don't) about the middle of the lowest bed, wherever offsets count from. A road
    that reaches the section's end still does.
    """
    if not (skew := one.number("skew_deg")):
        return offsets
    middle = middle_of_bed(x, z)
    turned = middle + (offsets - middle) * math.cos(math.radians(skew))
    turned = np.where(offsets <= x[0], np.minimum(turned, x[0]), turned)
    found: Array = np.where(offsets >= x[-1], np.maximum(turned, x[-1]), turned)
    return found


def deck_chords(
    one: StructureRow,
    detail: Mapping[str, pd.DataFrame],
    ground: tuple[Array, Array, Array],
    side: str,
) -> tuple[Array, Array, Array]:
    """Offset, low chord and high chord of the deck; solid outside the abutments."""
    x, z, _ = ground
    if "deck" in detail:
        rows = _rows_of_side(detail["deck"], side)
        dx, low, high = (
            numbers(rows, c, "structure_parts").to_numpy()
            for c in ("offset_m", "low_chord_m", "deck_m")
        )
        if len(dx) < 2:
            raise one.fault(
                "has a deck of a single point", "two points or more, from left to right"
            )
        if (np.diff(dx) < 0).any():
            raise one.fault("has a deck whose offsets run back", "from left to right")
        bad = np.isfinite(low) & np.isfinite(high) & (low > high + 1e-9)
        if bad.any():
            raise one.fault("has its low chord above its deck", "low_chord_m lies below deck_m")
        low = np.where(np.isfinite(low), low, -1e9)
        return _across_the_flow(one, dx, x, z), low, np.where(np.isfinite(high), high, np.inf)
    low_chord, high_chord = one.number("low_chord_m"), one.number("deck_m", math.inf)
    if low_chord > high_chord:
        raise one.fault("has its low chord above its deck", "low_chord_m lies below deck_m")
    a, b = one.number("from_offset_m", float(x[0])), one.number("to_offset_m", float(x[-1]))
    if not (a < b and a >= x[0] - 1e-9 and b <= x[-1] + 1e-9):
        raise one.fault(
            f"has abutments that don't stand in its section, {x[0]:g} to {x[-1]:g} m",
            "from_offset_m is left of to_offset_m, both in the section",
        )
    buried = -1e9
    a, b = _across_the_flow(one, np.array([a, b]), x, z).tolist()
    points = [(x[0], buried), (a, buried), (a, low_chord), (b, low_chord), (b, buried),
              (x[-1], buried)]  # fmt: skip
    points = points[2:] if a <= x[0] else points
    points = points[:-2] if b >= x[-1] else points
    dx, low = (np.array(v) for v in zip(*points, strict=True))
    return dx, low, np.full(len(dx), high_chord)


def _rows_of_side(rows: pd.DataFrame, side: str) -> pd.DataFrame:
    """Rows of the upper or the lower side; of both where the table doesn't tell them apart."""
    if rows["side"].isna().all():
        return rows
    mine = rows[rows["side"] == side]
    return mine if len(mine) else rows


def rows_of_this_side(detail: Mapping[str, pd.DataFrame], part: str, side: str) -> pd.DataFrame:
    """Rows of a part that stand on one side of a bridge, or on both."""
    if part not in detail:
        return NO_ROWS
    rows = detail[part]
    return rows[rows["side"].isna() | (rows["side"] == side)]


def _line_of_part(one: StructureRow, rows: pd.DataFrame, part: str) -> tuple[Array, Array]:
    """Offsets and elevations of a line that a part gives, from left to right."""
    x, z = (numbers(rows, c, "structure_parts").to_numpy() for c in ("offset_m", "elevation_m"))
    if len(x) < 2:
        raise one.fault(
            f"has a single point of its {part}", "two points or more, from left to right"
        )
    if (np.diff(x) < 0).any():
        raise one.fault(f"has a line of its {part} whose offsets run back", "from left to right")
    return x, z


def own_ground(one: StructureRow, rows: pd.DataFrame, outside: Line) -> Line:
    """A bridge's own section where it has one; n where it says none is that beside it."""
    if rows.empty:
        return outside
    x, z = _line_of_part(one, rows, "ground")
    n = numbers(rows, "n", "structure_parts").ffill().to_numpy()
    at = np.clip(np.searchsorted(outside[0], x, side="right") - 1, 0, len(outside[0]) - 1)
    return x, z, np.where(np.isnan(n), outside[2][at], n)


def with_abutments(one: StructureRow, rows: pd.DataFrame, ground: Line) -> Line:
    """Ground raised to the abutments, which are solid below their line."""
    if rows.empty:
        return ground
    for _, part in rows.groupby("group", sort=False, dropna=False):
        x, z, n = ground
        at, top = _line_of_part(one, part, "abutment")
        at = _across_the_flow(one, at, x, z)
        stops = np.r_[min(x[0], at[0]), at[0], at, at[-1], max(x[-1], at[-1])]
        made = upper_line(x, z, stops, np.r_[-1e9, -1e9, top, -1e9, -1e9])
        old = np.clip(np.searchsorted(x, made[0], side="right") - 1, 0, len(n) - 1)
        ground = *made, n[old]
    return ground


def free_openings(one: StructureRow, pieces: Pieces) -> list[tuple[float, float, float]]:
    """Where there is an opening below the deck: from, to, highest soffit."""
    top = pieces.soffit.max(axis=1)
    k = np.flatnonzero(~pieces.solid & ~np.isnan(top))
    if not len(k):
        raise one.fault(
            "has its low chord below the bed everywhere", "check the datum of low_chord_m"
        )
    first = np.flatnonzero(np.r_[True, np.diff(k) > 1])
    last = np.r_[first[1:], len(k)] - 1
    columns = pieces.start[k[first]], pieces.stop[k[last]], np.maximum.reduceat(top[k], first)
    return [*zip(*(v.tolist() for v in columns), strict=True)]


def pier_centres(a: float, b: float, count: int, wide: float) -> Array:
    """Centres of so many piers at equal distances in an opening."""
    span = (b - a - count * wide) / (count + 1)
    centres: Array = a + span + wide / 2 + np.arange(count) * (span + wide)
    return centres


def pier_shapes(
    one: StructureRow,
    detail: Mapping[str, pd.DataFrame],
    ground: tuple[Array, Array, Array],
    deck: tuple[Array, Array, Array],
    free: list[tuple[float, float, float]],
    side: str,
) -> list[tuple[float, Array, Array]]:
    """Centre, elevations and widths of each pier, with its debris."""
    x, z, _ = ground
    chord = max(top for _, _, top in free)
    floor = float(z.min()) - 1.0
    found: list[tuple[float, Array, Array]] = []
    if "pier" in detail:
        rows = rows_of_this_side(detail, "pier", side)
        if one.has("n_piers") and one.number("n_piers") > 0:
            raise one.fault(
                "has its piers in its row and in structure_parts, too", "leave n_piers blank"
            )
        by = "group" if rows["group"].notna().all() else "offset_m"
        for _, part in rows.groupby(by, sort=False):
            at = numbers(part, "elevation_m", "structure_parts").to_numpy()
            width = numbers(part, "pier_width_m", "structure_parts").to_numpy()
            if len(at) > 1 and np.isnan(at).any():
                raise one.fault(
                    f"has several rows for its pier at {part['offset_m'].iloc[0]:g} m, "
                    "not all with an elevation",
                    "one row a pier, or several with an elevation_m each",
                )
            if np.isnan(at).all():
                at, width = np.array([floor, chord]), np.repeat(width[:1], 2)
            turn = np.argsort(at, kind="stable")
            if part["offset_m"].astype(float).nunique() > 1:
                raise one.fault(
                    f"has a pier of group {part['group'].iloc[0]} at several offsets",
                    "one group a pier, with one offset_m",
                )
            stood = _across_the_flow(one, part["offset_m"].to_numpy(float)[:1], x, z)
            found.append((float(stood[0]), at[turn], width[turn]))
    elif one.has("n_piers") and one.number("n_piers") > 0:
        count, wide = int(one.number("n_piers")), one.number("pier_width_m")
        a, b = min(p[0] for p in free), max(p[1] for p in free)
        if b - a <= count * wide:
            raise one.fault(
                f"has {count} piers of {wide:g} m in an opening of {b - a:g} m", "fewer or thinner"
            )
        centres = pier_centres(a, b, count, wide)
        found = [(float(c), np.array([floor, chord]), np.array([wide, wide])) for c in centres]
    found = [(c, at, _width_across_the_flow(one, width)) for c, at, width in found]
    _check_piers(one, found, x, deck)
    return [_pier_with_debris(one, pier, chord) for pier in found]


def _check_piers(
    one: StructureRow,
    found: list[tuple[float, Array, Array]],
    x: Array,
    deck: tuple[Array, Array, Array],
) -> None:
    """Refuse piers that stand beside their opening or in one another; heads may meet."""
    dx, low, _ = deck
    for centre, _, width in found:
        half = float(width.max()) / 2
        inside = (dx[:-1] <= centre) & (dx[1:] >= centre) & (low[:-1] > -1e8)
        if centre - half < x[0] or centre + half > x[-1] or not inside.any():
            raise one.fault(
                f"has a pier at {centre:g} m, outside its opening",
                "offsets are those of the sections, negative to the left",
            )
    spans = sorted((c, float(width.min()) / 2) for c, _, width in found)
    for (a, half_a), (b, half_b) in itertools.pairwise(spans):
        if b - a < half_a + half_b - 1e-9:
            raise one.fault(
                f"has piers that overlap, at {a:g} and {b:g} m",
                "one offset_m a pier; its rows of several elevations have one group",
            )


def _width_across_the_flow(one: StructureRow, width: Array) -> Array:
    """Widths of a pier that stands askew, cos θ w + sin θ L (HEC-RAS, skewed bridge crossings)."""
    turn = math.radians(abs(one.number("pier_skew_deg")))
    return math.cos(turn) * width + math.sin(turn) * one.number("width_m") if turn else width


def _pier_with_debris(
    one: StructureRow, pier: tuple[float, Array, Array], chord: float
) -> tuple[float, Array, Array]:
    """A pier with the debris that floats at its top, wide and high as given."""
    if not one.has("debris_width_m"):
        return pier
    centre, at, width = pier
    foot = chord - one.number("debris_height_m")
    wide = one.number("debris_width_m")
    levels = np.unique(np.r_[at, foot, foot + 1e-6])
    return centre, levels, np.where(levels > foot, np.maximum(wide, np.interp(levels, at, width)),
                                    np.interp(levels, at, width))  # fmt: skip


def road_top_line(
    one: StructureRow, detail: Mapping[str, pd.DataFrame], ground: tuple[Array, Array]
) -> tuple[Array, Array] | None:
    """The road's top as a line, where water may run over it; the ground where that is higher."""
    x, z = ground
    if "deck" in detail:
        rows = _rows_of_side(detail["deck"], "up")
        dx = numbers(rows, "offset_m", "structure_parts").to_numpy()
        dx = _across_the_flow(one, dx, x, z)
        top = numbers(rows, "deck_m", "structure_parts").to_numpy()
        if not np.isfinite(top).all():
            return None
    elif one.has("deck_m"):
        dx, top = np.array([x[0], x[-1]]), np.full(2, one.number("deck_m"))
    else:
        return None
    return upper_line(dx, top, x, z)


def road_crest(one: StructureRow, top: tuple[Array, Array]) -> Crest:
    """A road as a weir."""
    return Crest(*top, one.number("weir_coefficient", CRESTS["road"]))
