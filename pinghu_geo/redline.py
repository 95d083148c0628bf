"""What does the design enclose? Red lines from a centreline and left and right widths."""

from __future__ import annotations

from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.centreline import (
    SAME_PLACE_M,
    Centrelines,
    Floats,
    lay_out,
    points_at,
    river_codes,
)
from pinghu_geo.errors import ChainageError, LayerError
from pinghu_geo.schema import one_of, require_columns

__all__ = ["red_line"]


def red_line(
    rivers: gpd.GeoDataFrame,
    widths: pd.DataFrame | tuple[float, float] | float,
    *,
    interpolation: Literal["linear", "step"] = "linear",
    kind: Literal["works", "management", "blue"] = "works",
    arc_step_deg: float = 5.0,
) -> gpd.GeoDataFrame:
    """Red line of each river from its centreline and left and right widths 红线.

    Parameters
    ----------
    rivers
        Centrelines drawn downstream, indexed by river.
    widths
        Table with river, chainage_m, left_m, right_m [m, from the centreline to each side],
        or one width for both sides, or a pair (left, right), for all rivers throughout. A
        chainage that stands twice is a sudden change. Optional ``piece``: stretches of one
        river with a gap between them.
    interpolation
        Between rows of the table: ``linear`` taper, or ``step`` (a row holds until the next).
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

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> line = pg.red_line(rivers, (9.0, 9.0))
    >>> line.columns.tolist()
    ['river', 'kind', 'source', 'works_m2', 'geometry']
    """
    one_of(interpolation, ("linear", "step"), "interpolation")
    one_of(kind, ("works", "management", "blue"), "kind")
    lines = lay_out(rivers)
    table = _width_table(widths, lines)
    shapes: dict[int, list[Any]] = {}
    for (k, _), piece in table.groupby(["code", "piece"], sort=True):
        rows = _section_rows(piece, lines, int(k), step=interpolation == "step")
        shapes.setdefault(int(k), []).append(_strip(rows, np.radians(arc_step_deg)))
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


def _width_table(
    widths: pd.DataFrame | tuple[float, float] | float, lines: Centrelines
) -> pd.DataFrame:
    """Widths with river codes and measures, sorted downstream, every fault refused."""
    if not isinstance(widths, pd.DataFrame):
        left, right = widths if isinstance(widths, tuple) else (widths, widths)
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
        table["measure"] = 0.0
        for k, rows in table.groupby("code"):
            try:
                table.loc[rows.index, "measure"] = lines.scales[k].measure(rows["chainage_m"])
            except ChainageError as fault:
                raise ChainageError(f"{lines.names[k]}: {fault}", layer="widths") from fault
    negative = (table["left_m"] < 0) | (table["right_m"] < 0)
    if negative.any():
        raise LayerError(
            "has negative widths",
            layer="widths",
            ids=table.index[negative],
            hint="widths are measured outwards; move the centreline instead",
        )
    table = table.sort_values(["code", "measure"], kind="stable")
    _refuse_overlaps(table, lines)
    return table


def _refuse_overlaps(table: pd.DataFrame, lines: Centrelines) -> None:
    """Refuse pieces of one river that overlap, and pieces of a single row."""
    spans = table.groupby(["code", "piece"])["measure"].agg(["min", "max", "count"]).reset_index()
    short = spans["max"] - spans["min"] <= 0
    if short.any():
        names = [lines.names[k] for k in spans.loc[short, "code"]]
        raise LayerError(
            "has a single chainage for a stretch",
            layer="widths",
            ids=names,
            hint="give its first and its last chainage",
        )
    spans = spans.sort_values(["code", "min"])
    lap = (spans["code"] == spans["code"].shift()) & (
        spans["min"] < spans["max"].shift() - SAME_PLACE_M
    )
    if lap.any():
        names = [
            f"{lines.names[k]} {p}"
            for k, p in zip(spans.loc[lap, "code"], spans.loc[lap, "piece"], strict=True)
        ]
        raise LayerError(
            "has pieces that overlap",
            layer="widths",
            ids=names,
            hint="let each piece end where the next begins",
        )


def _section_rows(
    piece: pd.DataFrame, lines: Centrelines, k: int, *, step: bool
) -> dict[str, Floats]:
    """Strips of one piece: per stretch of constant taper, its ends, direction and widths."""
    m = piece["measure"].to_numpy(float)
    left, right = piece["left_m"].to_numpy(float), piece["right_m"].to_numpy(float)
    lo, hi = lines.first[k], lines.first[k + 1]
    cuts = np.concatenate([lines.measure[lo:hi], m])
    cuts = np.unique(cuts[(cuts >= m[0]) & (cuts <= m[-1])])
    # a table row within a hair of a vertex would make a strip too short to have a direction
    cuts = cuts[np.append(True, np.diff(cuts) > 1e-7)]
    cuts[-1] = m[-1]
    start, end = cuts[:-1], cuts[1:]
    middle = (start + end) / 2
    row = np.clip(np.searchsorted(m, middle, side="right") - 1, 0, len(m) - 2)
    span = np.maximum(m[row + 1] - m[row], 1e-12)
    t0 = np.zeros_like(start) if step else np.clip((start - m[row]) / span, 0, 1)
    t1 = np.zeros_like(start) if step else np.clip((end - m[row]) / span, 0, 1)
    code = np.full(len(start), k)
    corner = points_at(lines, np.full(len(cuts), k), cuts)[0]
    return {
        "p0": corner[:-1],
        "p1": corner[1:],
        "unit": points_at(lines, code, middle)[1],
        "left0": left[row] + t0 * (left[row + 1] - left[row]),
        "left1": left[row] + t1 * (left[row + 1] - left[row]),
        "right0": right[row] + t0 * (right[row + 1] - right[row]),
        "right1": right[row] + t1 * (right[row + 1] - right[row]),
    }


def _strip(rows: dict[str, Floats], arc_step: float) -> Any:
    """Union of the cross strips and of the wedges outside the bends."""
    p0, p1, unit = rows["p0"], rows["p1"], rows["unit"]
    normal = np.stack([-unit[:, 1], unit[:, 0]], axis=1)  # to the left
    left0, left1 = p0 + normal * rows["left0"][:, None], p1 + normal * rows["left1"][:, None]
    right0, right1 = p0 - normal * rows["right0"][:, None], p1 - normal * rows["right1"][:, None]
    ring = np.stack([p0, right0, right1, p1, left1, left0], axis=1)
    strips = shapely.polygons(ring)
    turn = np.arctan2(
        unit[:-1, 0] * unit[1:, 1] - unit[:-1, 1] * unit[1:, 0],
        (unit[:-1] * unit[1:]).sum(axis=1),
    )
    # a left turn opens a wedge on the right, and the other way round
    to_left = turn > 0
    radius = np.where(
        to_left,
        np.maximum(rows["right1"][:-1], rows["right0"][1:]),
        np.maximum(rows["left1"][:-1], rows["left0"][1:]),
    )
    open_ = (np.abs(turn) > 1e-12) & (radius > 0)
    wedges = [
        _wedge(p1[i], -normal[i] if to_left[i] else normal[i], turn[i], radius[i], arc_step)
        for i in np.flatnonzero(open_)
    ]
    return shapely.union_all(np.concatenate([strips, np.array(wedges, object)]))


def _wedge(centre: Floats, ray: Floats, turn: float, radius: float, arc_step: float) -> Any:
    """Circular wedge about a vertex, from one strip's edge to the next's."""
    n = max(int(np.ceil(abs(turn) / arc_step)), 1)
    angle = np.linspace(0.0, turn, n + 1)
    cos, sin = np.cos(angle), np.sin(angle)
    arc = np.stack([ray[0] * cos - ray[1] * sin, ray[0] * sin + ray[1] * cos], axis=1)
    return shapely.polygons(np.vstack([centre, centre + radius * arc]))
