"""Where do bridges, culverts, weirs, gates, junctions lie on a plan? Their outlines and words."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.flood.outlines import line_at
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import Lang
from pinghu_geo.nouns.schema import NOUNS, code_label, numbers, require_columns
from pinghu_geo.river.centreline import lay_out, points_at, river_codes

__all__ = [
    "JUNCTION_COLOUR", "STRUCTURE_COLOUR", "STRUCTURE_FILL", "junctions_on_plan",
    "structures_in_section", "structures_on_plan",
]  # fmt: skip

STRUCTURE_COLOUR, STRUCTURE_FILL = "#6c3483", "#e8daef"
JUNCTION_COLOUR, JUNCTION_M = "#0b5345", 12.0
# reach to each side and length along the river where the table says none [m]
HALF_SPAN_M, LONG_M = 9.0, 4.0


def structures_on_plan(
    structures: pd.DataFrame, rivers: gpd.GeoDataFrame, lang: Lang
) -> gpd.GeoDataFrame:
    """Outlines of structures with a label and the point where it stands.

    Of each its length along the river and its reach across it, as far as the table says them.
    """
    require_columns(structures, ("river", "chainage_m", "kind"), "structures")
    table = structures
    if "structure_id" in table.columns:
        table = table.set_index("structure_id")
    lines = lay_out(rivers)
    code = river_codes(table["river"], lines, "structures")
    said = numbers(table, "chainage_m", "structures").to_numpy(float)
    if np.isnan(said).any():
        raise LayerError(
            "has no chainage", layer="structures", ids=table.index[np.isnan(said)],
            hint="fill in chainage_m",
        )  # fmt: skip
    at = np.array([
        float(lines.scales[k].measure(np.array([c]), twice="order", beyond=True)[0])
        for k, c in zip(code, said, strict=True)
    ])  # fmt: skip
    place, flow = points_at(lines, code, at)
    right = np.stack([flow[:, 1], -flow[:, 0]], axis=1)

    def column(name: str, default: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        if name not in table.columns:
            return np.full(len(table), default)
        return numbers(table, name, "structures").fillna(default).to_numpy(float)

    along = np.fmax(column("length_m", 0.0), column("width_m", 0.0))
    along = np.where(along > 0, along, LONG_M)[:, None] / 2
    half = column("barrels", 1.0) * column("span_m", np.nan) / 2
    half += column("n_gates", 1.0) * np.nan_to_num(column("gate_width_m", 0.0)) / 2
    half = np.where(half > 0, half, HALF_SPAN_M)
    low, high = column("from_offset_m", np.nan), column("to_offset_m", np.nan)
    low, high = (np.where(np.isnan(v), s, v)[:, None] for v, s in ((low, -half), (high, half)))
    corners = [
        place + across * right + way * along * flow
        for across, way in ((low, -1), (high, -1), (high, 1), (low, 1))
    ]
    shapes = shapely.polygons(np.stack(corners, axis=1))
    words = [
        f"{code_label('kind', kind, lang=lang)} {name}" for kind, name in
        zip(table["kind"], table.index, strict=True)
    ]  # fmt: skip
    points = shapely.points(place)
    return gpd.GeoDataFrame(
        {"label": words, "point": gpd.GeoSeries(points, index=table.index, crs=rivers.crs)},
        geometry=shapes, index=table.index, crs=rivers.crs,
    )  # fmt: skip


def junctions_on_plan(
    junctions: pd.DataFrame, rivers: gpd.GeoDataFrame, lang: Lang
) -> gpd.GeoDataFrame:
    """Circles where rivers meet or part, by junction, with a label and the point.

    In the middle of the ends of its rivers: the lower ones of those that flow in, the upper ones
    of the others; as wide as it takes to hold them.
    """
    require_columns(junctions, ("junction", "river", "role"), "junctions")
    lines = lay_out(rivers)
    code = river_codes(junctions["river"], lines, "junctions")
    into = junctions["role"].eq("in").to_numpy()[:, None]
    ends = np.where(into, lines.end[lines.first[code + 1] - 1], lines.start[lines.first[code]])
    names, shapes, points = [], [], []
    for name, rows in junctions.reset_index(drop=True).groupby("junction", sort=False):
        mine = ends[rows.index.to_numpy()]
        middle = (mine.min(axis=0) + mine.max(axis=0)) / 2
        reach = float(np.hypot(*(mine - middle).T).max())
        names.append(name)
        points.append(shapely.Point(middle))
        shapes.append(points[-1].buffer(max(reach, JUNCTION_M)))
    index = pd.Index(names, name="junction")
    words = [f"{NOUNS['junctions'].zh if lang == 'zh' else 'junction'} {name}" for name in names]
    return gpd.GeoDataFrame(
        {"label": words, "point": gpd.GeoSeries(points, index=index, crs=rivers.crs)},
        geometry=shapes, index=index, crs=rivers.crs,
    )  # fmt: skip


# --- in a section -----------------------------------------------------------------------------

Shape = tuple[list[float], list[float]]


def structures_in_section(
    structures: pd.DataFrame, parts: pd.DataFrame | None, x: Any, z: Any, lang: Lang
) -> list[tuple[str, list[Shape]]]:
    """What stands at a section as shapes of offsets and elevations, with its label.

    Decks with their embankments and piers, barrels, crests, gates: as far as the tables say them.
    """
    if "structure_id" in structures.columns:
        structures = structures.set_index("structure_id")
    found = []
    for name, row in structures.iterrows():
        mine = None
        if parts is not None:
            mine = parts[(parts["structure_id"] == name) & _not_the_lower_side(parts)]
        shapes = {"bridge": _bridge_shapes, "culvert": _barrel_shapes}.get(
            str(row["kind"]), _crest_and_gate_shapes
        )(row, mine, np.asarray(x, float), np.asarray(z, float))
        found.append((f"{code_label('kind', row['kind'], lang=lang)} {name}", shapes))
    return found


def _not_the_lower_side(parts: pd.DataFrame) -> Any:
    return parts["side"].ne("down").fillna(True) if "side" in parts.columns else True


def _number(row: Any, column: str, default: float = np.nan) -> float:
    value = row.get(column)
    return default if value is None or pd.isna(value) else float(value)


def _box(left: float, right: float, low: float, high: float) -> Shape:
    return [left, right, right, left], [low, low, high, high]


def _bridge_shapes(row: Any, parts: Any, x: Any, z: Any) -> list[Shape]:
    """Deck, embankments down to the ground, piers up to the deck."""
    deck = None if parts is None else parts[parts["part"] == "deck"]
    if deck is not None and len(deck):
        at, low, high = (deck[c].to_numpy(float) for c in ("offset_m", "low_chord_m", "deck_m"))
        low = np.where(np.isfinite(low), low, z.min() - 1.0)
        high = np.where(np.isfinite(high), high, low + 0.5)
        soffit, shapes = float(low.max()), [_above_ground((at, low), (at, high), x, z)]
    else:
        left, right = _number(row, "from_offset_m", x[0]), _number(row, "to_offset_m", x[-1])
        soffit = _number(row, "low_chord_m")
        road = _number(row, "deck_m", soffit + 0.5)
        shapes = [_box(left, right, soffit, road)]
        sides = ((x[0], left), (right, x[-1]))
        shapes += [_embankment(a, b, road, x, z) for a, b in sides if b - a > 1e-9]
    stood = None if parts is None else parts[parts["part"] == "abutment"]
    if stood is not None and len(stood):
        for _, one in stood.groupby("group", sort=False, dropna=False):
            top = tuple(one[c].to_numpy(float) for c in ("offset_m", "elevation_m"))
            shapes.append(_above_ground((top[0], np.full(len(one), z.min() - 1.0)), top, x, z))
    return shapes + [
        _box(c - w / 2, c + w / 2, float(np.interp(c, x, z)), soffit)
        for c, w in _piers_of(row, parts, x)
    ]


def _above_ground(low: Any, high: Any, x: Any, z: Any) -> Shape:
    """What lies between two lines of offsets and levels, but not below the ground."""
    stops = np.unique(np.r_[low[0], x[(x > low[0][0]) & (x < low[0][-1])]])
    if len(stops) < 2:
        return [], []
    a, b = stops[:-1], stops[1:]
    under, soffit, top = (line_at(at, level, a, b) for at, level in ((x, z), low, high))
    floor = [np.fmin(np.fmax(g, s), t) for g, s, t in zip(under, soffit, top, strict=True)]
    at, bottom, over = (np.stack(v, axis=1).ravel() for v in ((a, b), floor, top))
    return [*at, *at[::-1]], [*bottom, *over[::-1]]


def _embankment(a: float, b: float, road: float, x: Any, z: Any) -> Shape:
    """From the ground to the road."""
    inside = x[(x > a) & (x < b)]
    at = np.r_[a, inside, b]
    # beside a wall the ground at its foot, or at its top, whichever lies inside
    ground = np.interp(np.clip(at, a + 1e-6, b - 1e-6), x, z)
    return [*at, *at[::-1]], [*ground, *np.maximum(road, ground[::-1])]


def _piers_of(row: Any, parts: Any, x: Any) -> list[tuple[float, float]]:
    """Centre and width of piers, of the parts or spread evenly over the opening."""
    piers = None if parts is None else parts[parts["part"] == "pier"]
    if piers is not None and len(piers):
        wide = piers.groupby("offset_m")["pier_width_m"].max()
        return [(float(c), float(w)) for c, w in wide.items()]
    count, wide = int(_number(row, "n_piers", 0)), _number(row, "pier_width_m", 0.0)
    left, right = _number(row, "from_offset_m", x[0]), _number(row, "to_offset_m", x[-1])
    span = (right - left - count * wide) / (count + 1)
    return [(left + span + wide / 2 + k * (span + wide), wide) for k in range(count)]


def _barrel_shapes(row: Any, parts: Any, x: Any, z: Any) -> list[Shape]:
    """Barrels beside one another, about the middle of what they are said to take."""
    del x, z
    groups = [row] if parts is None or not len(parts) else [p for _, p in parts.iterrows()]
    shapes = []
    for one in groups:
        span = _number(one, "span_m", _number(one, "rise_m"))
        count, low = int(_number(one, "barrels", 1)), _number(one, "invert_up_m")
        ends = _number(row, "from_offset_m", 0.0), _number(row, "to_offset_m", 0.0)
        gap = 0.3
        left = sum(ends) / 2 - (count * span + (count - 1) * gap) / 2
        for k in range(count):
            start = left + k * (span + gap)
            if np.isfinite(low) and np.isfinite(span):
                high = low + _number(one, "rise_m")
                shapes.append(_box(start, start + span, low, high))
    return shapes


def _crest_and_gate_shapes(row: Any, parts: Any, x: Any, z: Any) -> list[Shape]:
    """A crest above the ground, and gates as far as they hang in the water."""
    shapes: list[Shape] = []
    crest = None if parts is None else parts[parts["part"] == "crest"]
    if crest is not None and len(crest):
        at, top = crest["offset_m"].to_numpy(float), crest["crest_m"].to_numpy(float)
        ground = np.interp(at, x, z)
        shapes.append(([*at, *at[::-1]], [*ground, *np.maximum(top, ground)[::-1]]))
    elif np.isfinite(top := _number(row, "crest_m")):
        left, right = _number(row, "from_offset_m", x[0]), _number(row, "to_offset_m", x[-1])
        shapes.append(_embankment(left, right, top, x, z))
    count, wide = int(_number(row, "n_gates", 1)), _number(row, "gate_width_m")
    if np.isfinite(wide):
        sill, high = _number(row, "sill_m"), _number(row, "gate_height_m")
        opened = _number(row, "opening_m", 0.0)
        pier, ends = 0.5, (_number(row, "from_offset_m", 0.0), _number(row, "to_offset_m", 0.0))
        left = sum(ends) / 2 - (count * wide + (count - 1) * pier) / 2
        for k in range(count):
            start = left + k * (wide + pier)
            shapes.append(_box(start, start + wide, sill + opened, sill + opened + high))
    return shapes
