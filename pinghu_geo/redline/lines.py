"""What does a design enclose? Red lines from a centreline and widths, and widths from a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import ChainageError, LayerError
from pinghu_geo.nouns.schema import FARTHEST_M, numbers, one_of, require_columns, require_layer
from pinghu_geo.nouns.tables import groups_of, places_of
from pinghu_geo.river.centreline import (
    SAME_PLACE_M,
    Centrelines,
    Floats,
    Ints,
    by_measure,
    lay_out,
    points_at,
    river_codes,
)
from pinghu_geo.river.chainage import ChainageScale
from pinghu_geo.river.corridor import locate

__all__ = [
    "ARC_STEP_DEG", "Strips", "Widths", "codes_of", "corridor_area", "fans", "red_line",
    "section_rows", "turns", "width_rows", "width_table", "widths_of",
]  # fmt: skip

# A width table, or the same all along every river: one number, (left, right) or both by name.
Widths: TypeAlias = pd.DataFrame | Mapping[str, float] | tuple[float, float] | float

# Holes thinner than this [m] aren't in the design.
PINHOLE_M = 1e-6
# Corners of a union that GEOS fails to find otherwise are rounded to this [m].
GRID_M = 1e-9
# Round corners have a point every so many degrees, or closer [°].
ARC_STEP_DEG = 5.0
# A run of strips with one outline turns by no more than this, in one bend by no more [rad], and is
# of more strips than so many.
RUN_RAD, SLIGHT_RAD, LEAST_RUN = np.pi, np.pi / 6, 8
# Corners of two strips no farther apart are one: coordinates with a zone number are 7 nm apart [m].
SAME_CORNER_M = 1e-7
# Points on a drawn edge are taken this far apart [m].
EDGE_STEP_M = 1.0
# A width that changes faster than this along the river is a step, not a taper.
MOST_TAPER = 0.1
# A mitred corner reaches at most so many widths out, as GEOS and CAD limit it.
MITRE_LIMIT = 5.0


@takes()
def red_line(
    rivers: gpd.GeoDataFrame,
    widths: Widths,
    *,
    interpolation: Literal["linear", "step"] = "linear",
    ends: Literal["flat", "round"] = "flat",
    corners: Literal["round", "mitre"] = "round",
    kind: Literal["works", "management", "blue"] = "works",
    arc_step_deg: float = ARC_STEP_DEG,
) -> gpd.GeoDataFrame:
    """Red line of each river from its centreline and left and right widths 红线.

    Parameters
    ----------
    rivers
        Centrelines drawn downstream, indexed by river.
    widths
        Table with river, chainage_m, left_m, right_m [m, from the centreline to each side],
        or one width for both sides, a pair (left, right) or ``{"left": 8, "right": 12}``, for all
        rivers throughout. A chainage that stands twice is a sudden change. Optional ``piece``:
        stretches of one river with a gap between them.
    interpolation
        Between rows of the table: ``linear`` taper, or ``step`` (a row holds until the next).
    ends
        How the works end: square to the river, or with a quarter disc on each side.
    corners
        How the outer side of a bend is closed: with an arc about the centreline's corner, or
        with the meeting point of both sides (up to 5 times the width away; beyond, an arc).
    kind
        What the line is; copied into the result.
    arc_step_deg
        Round corners are drawn with a point every so many degrees or closer [°].

    Returns
    -------
    geopandas.GeoDataFrame
        One row a river in the order of ``rivers``; columns river, kind, source, works_m2 [m²].

    Raises
    ------
    LayerError, CRSError, ChainageError
        Unknown river, missing or negative widths, chainages outside the river, rows of
        pieces that overlap.

    Notes
    -----
    The line encloses the union of the strips beside all segments of the centreline, square
    to each and closed by circular wedges on the outer side of each bend. So it is valid
    whatever the bends, contains every narrower line, covers the centreline, has flat ends,
    and equals the flat-capped buffer where the widths are constant, but for the chords of the
    wedges. One-sided buffers of GEOS fail on tight bends (GEOS #1273). On a circular arc of
    length L that turns by Θ from its first segment to its last, the area tends to
    L·(l+r) ± Θ·(l²-r²)/2 (tube formula, Weyl 1939) with the square of the vertex spacing.

    It runs from the first to the last chainage of the table; where the table ends, so do
    the works.

    References
    ----------
    Weyl, On the volume of tubes, American Journal of Mathematics 61 (1939) 461-472.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> line = pg.red_line(rivers, (9.0, 9.0))
    >>> line.columns.tolist()
    ['river', 'kind', 'source', 'works_m2', 'geometry']
    """
    one_of(interpolation, ("linear", "step"), "interpolation")
    one_of(ends, ("flat", "round"), "ends")
    one_of(corners, ("round", "mitre"), "corners")
    one_of(kind, ("works", "management", "blue"), "kind")
    lines = lay_out(rivers)
    table = width_table(widths, lines)
    shapes: dict[int, list[Any]] = {}
    for (k, _), piece in groups_of(table.groupby(["code", "piece"], sort=True)):
        m, left, right = (piece[c].to_numpy(float) for c in ("measure", "left_m", "right_m"))
        rows = section_rows(m, left, right, lines, int(k), step=interpolation == "step")
        shapes.setdefault(int(k), []).append(
            corridor_area(
                rows, np.radians(arc_step_deg), mitre=corners == "mitre", rounded=ends == "round"
            )
        )
    areas = [shapely.union_all(s) for s in shapes.values()]
    return gpd.GeoDataFrame(
        {
            "river": [lines.names[k] for k in shapes],
            "kind": kind,
            "source": "widths",
            "works_m2": shapely.area(areas),
        },
        geometry=areas,
        crs=rivers.crs,
    )


def width_rows(widths: Widths, lines: Centrelines) -> pd.DataFrame:
    """Widths as a table: of those that are the same all along, both ends of every river."""
    if isinstance(widths, pd.DataFrame):
        return widths
    left, right = _left_and_right(widths)
    ends = [
        (name, at)
        for name, scale in zip(lines.names, lines.scales, strict=True)
        for at in scale.chainage(np.array([0.0, scale.length_m])).tolist()
    ]
    return pd.DataFrame(ends, columns=["river", "chainage_m"]).assign(left_m=left, right_m=right)


def width_table(widths: Widths, lines: Centrelines, *, by: str | None = None) -> pd.DataFrame:
    """Widths with river codes and measures, sorted downstream, every fault refused.

    ``by`` is a column that tells apart designs in one table; they come one after the other.
    """
    if not isinstance(widths, pd.DataFrame):
        left, right = _left_and_right(widths)
        n = len(lines.names)
        table = pd.DataFrame(
            {
                "river": np.repeat(lines.names, 2),
                "measure": np.ravel([[0.0, s.length_m] for s in lines.scales]),
                "left_m": np.full(2 * n, float(left)),
                "right_m": np.full(2 * n, float(right)),
            }
        )
        table["code"] = np.repeat(np.arange(n), 2)
        table["piece"] = ""
    else:
        require_columns(widths, ("river", "chainage_m", "left_m", "right_m"), "widths")
        table = widths.copy()
        for column in ("chainage_m", "left_m", "right_m"):
            table[column] = numbers(widths, column, "widths")
        bad = table[["river", "chainage_m", "left_m", "right_m"]].isna().any(axis=1)
        if bad.any():
            raise LayerError(
                "has rows without river, chainage or width",
                layer="widths",
                ids=table.index[bad],
                hint="fill them in, or widths.dropna()",
            )
        table["code"] = river_codes(table["river"], lines, "widths")
        table["piece"] = table["piece"].fillna("").astype(str) if "piece" in table else ""
        measure = np.zeros(len(table))  # by place: tables put together may repeat their index
        for k, rows in places_of(table.groupby("code")).items():
            try:
                chainage = table["chainage_m"].to_numpy()[rows]
                measure[rows] = lines.scales[k].measure(chainage, twice="order")
            except ChainageError as fault:
                raise ChainageError(f"{lines.names[k]}: {fault}", layer="widths") from fault
        table["measure"] = measure
    negative = (table["left_m"] < 0) | (table["right_m"] < 0)
    if negative.any():
        raise LayerError(
            "has negative widths",
            layer="widths",
            ids=table.index[negative],
            hint="widths are measured outwards; move the centreline instead",
        )
    one = [by, "code"] if by else ["code"]
    if _rows_downstream(table, one) is not table:
        table = _rows_downstream(_jumps_downstream(table, one, lines), one)
    first = _first_rows(table, one)
    most = [np.maximum.reduceat(table[c].to_numpy(float), first) for c in ("left_m", "right_m")]
    nothing = first[np.maximum(*most) == 0]
    if len(nothing):
        raise LayerError(
            "are 0 on both sides throughout",
            layer="widths",
            ids=_row_labels(table[one].iloc[nothing], one, lines),
            hint="leave the river out of the table if nothing is built there",
        )
    _refuse_overlaps(table, one, lines)
    return table


def codes_of(table: pd.DataFrame, column: str) -> NDArray[Any]:
    """A column as numbers that sort as it does, or at least tell its words apart."""
    values = table[column]
    if isinstance(values.dtype, pd.CategoricalDtype):
        return np.asarray(values.cat.codes)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy()
    if values.empty or (values == values.iloc[0]).all():
        return np.zeros(len(values), np.int8)
    return pd.factorize(values)[0]


def _rows_downstream(table: pd.DataFrame, one: list[str]) -> pd.DataFrame:
    """Rows in the order of the columns and of measures; what is so already is not copied."""
    keys = [codes_of(table, c) for c in (*one, "measure")]
    behind, tied = np.zeros(max(len(table) - 1, 0), bool), np.ones(max(len(table) - 1, 0), bool)
    for key in keys:
        behind |= tied & (key[1:] < key[:-1])
        tied &= key[1:] == key[:-1]
    return table.iloc[np.lexsort(keys[::-1])] if behind.any() else table


def _jumps_downstream(table: pd.DataFrame, one: list[str], lines: Centrelines) -> pd.DataFrame:
    """Rows whose order tells on which side of a sudden change each width holds.

    Widths that stand twice at one chainage hold above it and below it in the order of the rows.
    A river written from its lower end up is turned; of rows in no order it can't be told.
    """
    where = table["measure"].to_numpy(float)
    keys = [codes_of(table, c) for c in (*one, "piece")]
    order = np.lexsort([where, *keys[::-1]])
    upper, lower = order[:-1], order[1:]
    again = np.logical_and.reduce([k[upper] == k[lower] for k in (*keys, where)])
    widths = table[["left_m", "right_m"]].to_numpy(float)
    jumps = lower[again & (widths[upper] != widths[lower]).any(axis=1)]
    turned = np.arange(len(table))
    for jump in jumps:
        rows = np.flatnonzero(np.logical_and.reduce([k == k[jump] for k in keys]))
        steps = np.diff(where[rows])
        if (steps <= 0).all():
            turned[rows] = rows[::-1]
        elif (steps < 0).any():
            raise LayerError(
                "has two widths at one chainage among rows in no order, so that it can't be told "
                "which of them holds above it",
                layer="widths",
                ids=_row_labels(table[one].iloc[[jump]], one, lines),
                hint="list the rows of a river downstream; of two at one chainage the upper first",
            )
    return table.iloc[turned]


def _first_rows(table: pd.DataFrame, columns: list[str]) -> NDArray[np.intp]:
    """Rows from which on any of the columns is another."""
    new = np.zeros(len(table), bool)
    new[:1] = True
    for column in columns:
        key = codes_of(table, column)
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new)


def _row_labels(rows: pd.DataFrame, keys: list[str], lines: Centrelines) -> list[str]:
    """What rows are about, with the names of rivers for their codes."""
    names = rows[keys].assign(code=[lines.names[k] for k in rows["code"]])
    return [" ".join(map(str, row)).strip() for row in names.itertuples(index=False)]


def _left_and_right(widths: object) -> tuple[float, float]:
    """Left and right width from one number or two."""
    both = widths if isinstance(widths, tuple | list) else (widths, widths)
    if isinstance(widths, Mapping):
        both = (
            tuple(widths[k] for k in ("left", "right")) if set(widths) == {"left", "right"} else ()
        )
    try:
        left, right = (float(w) for w in both)
    except (TypeError, ValueError):
        left = right = float("nan")
    if not (np.abs([left, right]) <= FARTHEST_M).all():  # nor NaN
        raise LayerError(
            f"{widths!r} is no width",
            layer="widths",
            hint="give metres, as 9.0 or (8.0, 12.0) or dict(left=8.0, right=12.0), or a table",
        )
    return left, right


def _refuse_overlaps(table: pd.DataFrame, one: list[str], lines: Centrelines) -> None:
    """Refuse pieces of one river that overlap, and pieces of a single row."""
    keys = [*one, "piece"]
    table = _rows_downstream(table, keys)
    first = _first_rows(table, keys)
    last = np.append(first[1:], len(table))[: len(first)] - 1
    measure = table["measure"].to_numpy()
    spans = table[keys].iloc[first].reset_index(drop=True)
    spans["min"], spans["max"] = measure[first], measure[last]
    short = spans["max"] - spans["min"] <= 0
    if short.any():
        raise LayerError(
            "has a single chainage for a stretch",
            layer="widths",
            ids=_row_labels(spans[short], one, lines),
            hint="give its first and its last chainage",
        )
    spans = spans.sort_values([*one, "min"])
    lap = (spans[one] == spans[one].shift()).all(axis=1) & (
        spans["min"] < spans["max"].shift() - SAME_PLACE_M
    )
    if lap.any():
        raise LayerError(
            "has pieces that overlap",
            layer="widths",
            ids=_row_labels(spans[lap], keys, lines),
            hint="let each piece end where the next begins",
        )


class Strips(NamedTuple):
    """Stretches of a centreline over which each width tapers evenly, one after the other.

    Each has its ends and its direction, the row of the table that it follows, and how much of the
    way to the next row its ends are.
    """

    p0: Floats
    p1: Floats
    unit: Floats
    row: NDArray[np.intp]
    t0: Floats
    t1: Floats

    @classmethod
    def between(cls, m: Floats, lines: Centrelines, k: int, *, step: bool) -> Strips:
        """Strips of one river between the vertices as drawn and the measures of a table."""
        lo, hi = lines.first[k], lines.first[k + 1]
        cuts = np.concatenate([lines.measure[lo:hi], m])
        cuts = np.unique(cuts[(cuts >= m[0]) & (cuts <= m[-1])])
        # a table row within a millimetre of a drawn vertex is that vertex
        drawn = np.isin(cuts, lines.measure[lo:hi])
        close = np.diff(cuts) <= SAME_PLACE_M
        gone = np.append(close & ~drawn[:-1], False)
        gone |= np.append(False, close & drawn[:-1] & ~drawn[1:])
        gone[[0, -1]] = False
        cuts = cuts[~gone]
        start, end = cuts[:-1], cuts[1:]
        middle = (start + end) / 2
        row = np.clip(np.searchsorted(m, middle, side="right") - 1, 0, len(m) - 2)
        span = np.maximum(m[row + 1] - m[row], 1e-12)
        t0 = np.zeros_like(start) if step else np.clip((start - m[row]) / span, 0, 1)
        t1 = np.zeros_like(start) if step else np.clip((end - m[row]) / span, 0, 1)
        corner = points_at(lines, np.full(len(cuts), k), cuts)[0]
        unit = points_at(lines, np.full(len(start), k), middle)[1]
        return cls(corner[:-1], corner[1:], unit, row, t0, t1)


def section_rows(
    m: Floats, left: Floats, right: Floats, lines: Centrelines, k: int, *, step: bool
) -> dict[str, Floats]:
    """Strips of one piece: per stretch of constant taper, its ends, direction and widths."""
    strips = Strips.between(m, lines, k, step=step)
    found = {"p0": strips.p0, "p1": strips.p1, "unit": strips.unit}
    for name, width in (("left", left), ("right", right)):
        step_up = width[strips.row + 1] - width[strips.row]
        found[f"{name}0"] = width[strips.row] + strips.t0 * step_up
        found[f"{name}1"] = width[strips.row] + strips.t1 * step_up
    return found


def corridor_area(rows: dict[str, Floats], arc_step: float, *, mitre: bool, rounded: bool) -> Any:
    """Union of the cross strips, of the wedges outside the bends and of the ends."""
    first, last = _runs_of_one_outline(rows, arc_step, mitre=mitre)
    long = last - first >= LEAST_RUN  # fewer strips are united as fast
    first, last = first[long], last[long]
    runs = [_outline_of_run(rows, a, b, mitre=mitre) for a, b in zip(first, last, strict=True)]
    plain = np.asarray(shapely.is_valid(np.array(runs, object)), bool)
    within = np.zeros(len(rows["p0"]), bool)  # segments that are part of a run's outline
    joined = np.zeros(len(rows["p0"]) - 1, bool)  # and bends
    for a, b in zip(first[plain], last[plain], strict=True):
        within[a : b + 1] = joined[a:b] = True
    ends: Any = _end_wedges(rows, arc_step) if rounded else []
    wedges = _wedges_outside_bends(rows, ~joined, arc_step, mitre=mitre)
    pieces = [np.array(runs, object)[plain], _cross_strips(rows)[~within], wedges, ends]
    shapes = np.concatenate([np.asarray(some, object) for some in pieces])
    try:
        area = shapely.union_all(shapes[shapely.area(shapes) > 0])
    except shapely.errors.GEOSException:
        wedges = _wedges_outside_bends(rows, np.ones(len(joined), bool), arc_step, mitre=mitre)
        area = _union_on_grid(
            np.concatenate([_cross_strips(rows), wedges, np.asarray(ends, object)])
        )
    return _without_pinholes(area)


def _strip_corners(rows: dict[str, Floats]) -> dict[int, tuple[Floats, Floats]]:
    """Corners of each strip at its start and its end, on the left (1) and on the right (-1)."""
    unit = rows["unit"]
    normal = np.stack([-unit[:, 1], unit[:, 0]], axis=1)  # to the left
    return {
        side: (
            rows["p0"] + side * normal * rows[f"{name}0"][:, None],
            rows["p1"] + side * normal * rows[f"{name}1"][:, None],
        )
        for side, name in ((1, "left"), (-1, "right"))
    }


def _edge_meetings(start: Floats, end: Floats) -> tuple[Floats, Floats, Floats]:
    """Where each strip's edge meets the next one's, and how far along the one and the other."""
    one, other = end[:-1] - start[:-1], end[1:] - start[1:]
    gap = start[1:] - start[:-1]
    turn = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    turn = np.where(turn == 0, np.nan, turn)
    before = (gap[:, 0] * other[:, 1] - gap[:, 1] * other[:, 0]) / turn
    after = (gap[:, 0] * one[:, 1] - gap[:, 1] * one[:, 0]) / turn
    return start[:-1] + before[:, None] * one, before, after


def _runs_of_one_outline(
    rows: dict[str, Floats], arc_step: float, *, mitre: bool
) -> tuple[Ints, Ints]:
    """First and last strips of runs that have one outline: no fold within, and little turn.

    In a slight bend the edges on its inner side meet, and what is between the meeting points of
    one edge is left of it.
    """
    turn = turns(rows["unit"])[0]
    broken = np.abs(turn) > (SLIGHT_RAD if mitre else min(arc_step, SLIGHT_RAD))
    length = np.hypot(*(rows["p1"] - rows["p0"]).T)
    short, sine = np.minimum(length[:-1], length[1:]), np.abs(np.sin(turn))
    for side, (start, end) in _strip_corners(rows).items():
        name = "left" if side > 0 else "right"
        apart = np.hypot(*(end[:-1] - start[1:]).T)
        inner = (side * turn > 0) & (apart > SAME_CORNER_M)
        _, before, after = _edge_meetings(start, end)
        # the corner of either strip has to be within the other one, not beyond its end
        wide = np.maximum(rows[f"{name}1"][:-1], rows[f"{name}0"][1:])
        fits = (before > 0) & (before <= 1) & (after >= 0) & (after < 1) & (wide * sine <= short)
        folds = inner & ~fits
        before, after = np.where(inner & fits, before, 1.0), np.where(inner & fits, after, 0.0)
        broken |= folds
        broken[1:] |= before[1:] <= after[:-1]  # nothing is left of the edge between two bends
        # a sudden change of width on the inner side leaves a corner of its own
        broken |= inner & (np.abs(rows[f"{name}1"][:-1] - rows[f"{name}0"][1:]) > SAME_CORNER_M)
    turned = np.floor(np.append(0.0, np.cumsum(np.abs(turn))) / RUN_RAD)
    first = np.flatnonzero(np.append(True, broken | (np.diff(turned) > 0)))
    return first, np.append(first[1:], len(rows["p0"])) - 1


def _outline_of_run(rows: dict[str, Floats], first: int, last: int, *, mitre: bool) -> Any:
    """Outline of the strips and bends of a run."""
    some = {name: values[first : last + 1] for name, values in rows.items()}
    turn, ray, after, widths, next_widths = _turns_and_rays(some)
    outer = np.where(turn > 0, -1, 1)
    most = np.maximum(widths, next_widths)
    at = some["p1"][:-1]
    sides = {}
    for side, (start, end) in _strip_corners(some).items():
        # at each bend the edge's end, up to three corners of a wedge, and the next edge's start
        between = np.stack([at + ray * most[:, None]] * 3, axis=1)
        if mitre:
            between[:, 1] = (
                at + (ray + after) / (1 + (ray * after).sum(axis=1))[:, None] * most[:, None]
            )
        between[:, 2] = at + after * most[:, None]
        points = np.concatenate([end[:-1, None], between, start[1:, None]], axis=1)
        kept = np.ones(points.shape[:2], bool)
        straight = turn == 0
        kept[:, 1:4] = ((outer == side) & ~straight)[:, None]
        inner = (outer != side) & ~straight
        apart = np.hypot(*(end[:-1] - start[1:]).T) > SAME_CORNER_M
        points[inner & apart, 0] = _edge_meetings(start, end)[0][inner & apart]
        kept[inner, 4] = False
        sides[side] = np.concatenate([start[:1], points[kept], end[-1:]])
    ring = np.concatenate([some["p0"][:1], sides[-1], some["p1"][-1:], sides[1][::-1]])
    again = (ring == np.roll(ring, 1, axis=0)).all(axis=1)
    return shapely.polygons(ring[~again] if (~again).sum() > 2 else ring)


def _cross_strips(rows: dict[str, Floats]) -> Any:
    """Cross strips, one each segment."""
    p0, p1, unit = rows["p0"], rows["p1"], rows["unit"]
    normal = np.stack([-unit[:, 1], unit[:, 0]], axis=1)  # to the left
    # within a segment neighbours share an edge: both get the corner of the narrower one, or the
    # edges, which only should coincide, would leave slits
    same = np.all(unit[1:] == unit[:-1], axis=1)
    ring = [p0]
    for side, name in ((-1, "right"), (1, "left")):
        near, far = rows[f"{name}0"], rows[f"{name}1"]
        least0, least1 = near.copy(), far.copy()
        least0[1:][same] = np.minimum(near[1:], far[:-1])[same]
        least1[:-1][same] = np.minimum(far[:-1], near[1:])[same]
        across = ((p0, least0), (p0, near), (p1, far), (p1, least1))
        out = [p + side * normal * radius[:, None] for p, radius in across]
        ring += [*out, p1] if side < 0 else out[::-1]
    return shapely.polygons(np.stack(ring, axis=1))


def _wedges_outside_bends(
    rows: dict[str, Floats], wanted: Any, arc_step: float, *, mitre: bool
) -> Any:
    """Wedges outside the bends that are wanted."""
    unit = rows["unit"]
    same = np.all(unit[1:] == unit[:-1], axis=1)
    _, ray, last, before, after = _turns_and_rays(rows)
    wide = np.flatnonzero(wanted & ~same & (np.maximum(before, after) > 0))
    radii = np.stack([before, after], axis=1)[wide]
    return _wedges_about(rows["p1"][:-1][wide], ray[wide], last[wide], radii, arc_step, mitre=mitre)


def _end_wedges(rows: dict[str, Floats], arc_step: float) -> Any:
    """Quarter discs at both ends of the works, on each side."""
    first, last = rows["unit"][0], rows["unit"][-1]
    way = np.stack([-first, -first, last, last])
    square = np.stack([[-first[1], first[0]], [-last[1], last[0]]])  # to the left
    ray = np.stack([square[0], -square[0], square[1], -square[1]])
    width = np.array([rows["left0"][0], rows["right0"][0], rows["left1"][-1], rows["right1"][-1]])
    centre = np.stack([rows["p0"][0]] * 2 + [rows["p1"][-1]] * 2)
    some = width > 0
    radii = np.stack([width, width], axis=1)[some]
    return _wedges_about(centre[some], ray[some], way[some], radii, arc_step, mitre=False)


def _union_on_grid(shapes: Any) -> Any:
    """Union of convex pieces where GEOS can't join almost coincident edges without a grid."""
    base = np.floor(shapely.get_coordinates(shapes)[0])  # near the origin doubles are finer
    shapes = shapes[shapely.area(shapes) > 0]
    # corners along an edge, there to meet a neighbour's, may turn it back by rounding
    near = shapely.transform(shapely.convex_hull(shapes), lambda xy: xy - base)
    joined = shapely.union_all(near, grid_size=GRID_M)
    return shapely.transform(joined, lambda xy: xy + base)


def turns(unit: Floats) -> tuple[Floats, Floats, Floats]:
    """Between neighbours: the turn [rad], and the rays that bound the wedge outside.

    A left turn opens a wedge on the right, and the other way round.
    """
    turn = np.arctan2(
        unit[:-1, 0] * unit[1:, 1] - unit[:-1, 1] * unit[1:, 0],
        (unit[:-1] * unit[1:]).sum(axis=1),
    )
    normal = np.stack([-unit[:, 1], unit[:, 0]], axis=1)
    side = np.where(turn > 0, -1.0, 1.0)[:, None]
    return turn, side * normal[:-1], side * normal[1:]


def _turns_and_rays(rows: dict[str, Floats]) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Turns and rays between neighbours, and the widths outside of the bend before and after."""
    turn, ray, last = turns(rows["unit"])
    before = np.where(turn > 0, rows["right1"][:-1], rows["left1"][:-1])
    after = np.where(turn > 0, rows["right0"][1:], rows["left0"][1:])
    return turn, ray, last, before, after


def _without_pinholes(area: Any) -> Any:
    """The area without holes thinner than a micrometre: rounding where many edges cross."""
    rings, part = shapely.get_rings(shapely.get_parts(area), return_index=True)
    shell = np.append(True, np.diff(part) > 0)
    hole = ~shell & (shapely.area(shapely.polygons(rings)) > PINHOLE_M * shapely.length(rings))
    parts = [
        shapely.polygons(rings[k], holes=rings[hole & (part == part[k])])
        for k in np.flatnonzero(shell)
    ]
    return shapely.multipolygons(parts) if len(parts) > 1 else parts[0]


def _wedges_about(
    centre: Floats, ray: Floats, last: Floats, radii: Floats, arc_step: float, *, mitre: bool
) -> Any:
    """Wedges about vertices from one strip's edge to the next's: circular, or up to their apex.

    They have the corners of both strips, to the bit, so that the union closes.
    """
    fan, of = fans(ray, last, arc_step, mitre=mitre)
    # each ring: the centre, the one strip's corner, the fan, the other strip's corner
    size = np.bincount(of, minlength=len(centre)) + 3
    end = np.cumsum(size)
    wedge = np.repeat(np.arange(len(centre)), size)
    ring = np.empty((len(wedge), 2))
    inner = np.ones(len(wedge), bool)
    for at, corner in (
        (end - size, centre),
        (end - size + 1, centre + ray * radii[:, :1]),
        (end - 1, centre + last * radii[:, 1:]),
    ):
        ring[at], inner[at] = corner, False
    ring[inner] = centre[of] + fan * radii.max(axis=1)[of, None]
    return shapely.polygons(shapely.linearrings(ring, indices=wedge))


def fans(
    ray: Floats, last: Floats, arc_step: float, *, mitre: bool
) -> tuple[Floats, NDArray[np.intp]]:
    """Corners of wedges of radius 1 from their first rays to their last, and whose each is."""
    dot = (ray * last).sum(axis=1)
    turn = np.arctan2(ray[:, 0] * last[:, 1] - ray[:, 1] * last[:, 0], dot)
    n = np.maximum(np.ceil(np.abs(turn) / arc_step), 1).astype(np.intp)
    apex = np.flatnonzero(mitre & (np.cos(turn / 2) * MITRE_LIMIT >= 1))
    n[apex] = 2
    of = np.repeat(np.arange(len(n)), n + 1)
    first = np.cumsum(n + 1) - n - 1
    angle = (turn / n)[of] * (np.arange(len(of)) - first[of])
    cos, sin, (x, y) = np.cos(angle), np.sin(angle), ray[of].T
    fan = np.stack([x * cos - y * sin, x * sin + y * cos], axis=1)
    fan[first], fan[first + n] = ray, last
    fan[first[apex] + 1] = (ray + last)[apex] / (1 + dot)[apex, None]
    return fan, of


# --- the inverse ------------------------------------------------------------------------------


@takes()
def widths_of(
    red_line: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    spacing_m: float = 20.0,
    tolerance_m: float = 0.1,
) -> pd.DataFrame:
    """Widths of a red line as drawn, read back at stations along the river 红线宽度.

    Parameters
    ----------
    red_line
        Polygons with a column ``river``.
    rivers
        Centrelines drawn downstream, indexed by river.
    spacing_m
        Distance between stations [m]; the first and the last chainage of the line are added.
    tolerance_m
        By how much the edge may lie nearer and farther at one chainage [m] before the width
        there counts as uncertain.

    Returns
    -------
    pandas.DataFrame
        A table that `red_line` takes: river, chainage_m, left_m, right_m [m], and reliable:
        False where the edge is no function of chainage (it folds back, runs square to the
        river, or is out of reach inside a tight bend). Those widths are the outermost ones.

    Raises
    ------
    LayerError, CRSError, ChainageError
        A layer can't be used, or a red line doesn't hold its river.

    Notes
    -----
    Points on the edge, a metre apart, are laid on the centreline; the width at a station is
    interpolated between them. Widths that vary by at most 1 in 10 are read back within 2 cm
    on bends wider than the line; within a metre of a sudden change they are a mixture.

    References
    ----------
    ISO 19148:2021, Geographic information: linear referencing (measures and lateral offsets).

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> widths = pg.widths_of(pg.red_line(rivers, (9.0, 12.0)), rivers, spacing_m=100)
    >>> widths["left_m"].round(2).unique().tolist(), widths["right_m"].round(2).unique().tolist()
    ([9.0], [12.0])
    """
    require_columns(red_line, ["river"], "red_line")
    require_layer(red_line, "red_line", crs=rivers.crs)
    if not spacing_m > 0:
        raise LayerError(f"spacing_m is {spacing_m}", hint="give a positive distance in metres")
    lines = lay_out(rivers)
    river_codes(red_line["river"], lines, "red_line")
    parts = []
    for name, rows in red_line.groupby("river", sort=False):
        k = lines.names.index(str(name))
        area = shapely.union_all(rows.geometry.to_numpy())
        for piece in shapely.get_parts(area):
            parts.append(
                _read_widths(piece, rivers.iloc[[k]], lines.scales[k], spacing_m, tolerance_m)
            )
    if not parts:
        none = {"river": "str"} | dict.fromkeys(("chainage_m", "left_m", "right_m"), "float")
        return pd.DataFrame(columns=list(none)).astype(none)
    table = pd.concat(parts, ignore_index=True)
    pieces = table.groupby("river")["piece"].transform("nunique")
    return table.drop(columns="piece") if (pieces == 1).all() else table


def _read_widths(
    piece: Any, river: gpd.GeoDataFrame, scale: ChainageScale, spacing_m: float, tolerance_m: float
) -> pd.DataFrame:
    """Widths of one polygon about one river."""
    inside = shapely.intersection(_single_centreline(river), piece)
    if shapely.length(inside) <= 0:
        raise LayerError(
            "lies off its river",
            layer="red_line",
            ids=river.index,
            hint="check the column river, and the CRS",
        )
    edge = shapely.segmentize(piece.boundary, EDGE_STEP_M)
    points = gpd.GeoDataFrame(geometry=shapely.points(shapely.get_coordinates(edge)), crs=river.crs)
    # in metres along the line: chainages may jump or occur twice
    plain = by_measure(river)
    where = locate(points, plain)
    at, offset = where["chainage_m"].to_numpy(), where["offset_min_m"].to_numpy()
    ends = locate(
        gpd.GeoDataFrame(geometry=shapely.points(shapely.get_coordinates(inside)), crs=river.crs),
        plain,
    )["chainage_m"]
    first, last = float(ends.min()), float(ends.max())
    stops = np.arange(np.ceil(first / spacing_m), np.floor(last / spacing_m) + 1) * spacing_m
    stops = stops[(stops > first + SAME_PLACE_M) & (stops < last - SAME_PLACE_M)]
    stops = np.concatenate([[first], stops, [last]])
    left, sure_left = _edge_offsets(stops, at[offset < 0], -offset[offset < 0], tolerance_m)
    right, sure_right = _edge_offsets(stops, at[offset > 0], offset[offset > 0], tolerance_m)
    return pd.DataFrame(
        {
            "river": str(river.index[0]),
            "chainage_m": scale.chainage(stops),
            "left_m": left,
            "right_m": right,
            "reliable": sure_left & sure_right,
            "piece": f"{first:.0f}",
        }
    )


def _single_centreline(river: gpd.GeoDataFrame) -> Any:
    """The one centreline of a layer."""
    lines = lay_out(river)
    return shapely.linestrings(np.vstack([lines.start, lines.end[-1:]]))


def _edge_offsets(
    stops: Floats, at: Floats, offset: Floats, tolerance_m: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """Offset of the edge at each stop, and whether there is just one."""
    if not len(at):
        return np.zeros(len(stops)), np.ones(len(stops), bool)
    # the works' ends run square to the river: of their points only the outermost count
    at_end = (at <= stops[0] + SAME_PLACE_M) | (at >= stops[-1] - SAME_PLACE_M)
    table = pd.DataFrame({"at": np.round(at, 3), "offset": offset})
    outermost = table.groupby("at")["offset"].max()
    x, y = outermost.index.to_numpy(float), outermost.to_numpy(float)
    width = np.interp(stops, x, y)
    # inside a corner no point of the edge is nearest to it: bridged, if both sides agree
    after = np.clip(np.searchsorted(x, stops), 0, len(x) - 1)
    before = np.clip(np.searchsorted(x, stops, side="right") - 1, 0, len(x) - 1)
    gap = x[after] - x[before]
    bridged = (gap <= np.maximum(width, 2 * EDGE_STEP_M)) & (
        np.abs(y[after] - y[before]) <= tolerance_m + gap * MOST_TAPER
    )
    table = table[~at_end].sort_values("at")
    x, y = table["at"].to_numpy(float), table["offset"].to_numpy(float)
    low = np.searchsorted(x, stops - EDGE_STEP_M)
    high = np.searchsorted(x, stops + EDGE_STEP_M, side="right")
    spread = np.array([np.ptp(y[a:b]) if b > a else 0.0 for a, b in zip(low, high, strict=True)])
    return width, bridged & (spread <= tolerance_m + 2 * EDGE_STEP_M * MOST_TAPER)
