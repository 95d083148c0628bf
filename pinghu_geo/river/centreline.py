"""What is a river's line? Centrelines as arrays, and stations along them (桩号点)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import ChainageError, LayerError
from pinghu_geo.nouns.schema import nearest, require_layer
from pinghu_geo.river.chainage import ChainageScale, format_chainage, parse_chainage

__all__ = [
    "Centrelines",
    "by_measure",
    "lay_out",
    "points_at",
    "river_codes",
    "river_scales",
    "squares_at",
    "station_ticks",
    "stations",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

# Two places closer than this are the same place [m]: a tenth of the survey's centimetre.
SAME_PLACE_M = 1e-3


@dataclass(frozen=True, slots=True)
class Centrelines:
    """All the rivers' segments in one row of arrays, in the order of flow, river by river."""

    names: Sequence[str]
    scales: Sequence[ChainageScale]
    start: Floats  # (n, 2) upstream end of each segment [m]
    end: Floats  # (n, 2) downstream end [m]
    step: Floats  # (n, 2) from start to end [m]
    length: Floats  # (n,) [m]
    measure: Floats  # (n,) measure of its upstream end [m]
    river: Ints  # (n,) position of its river in `names`
    first: Ints  # (rivers + 1,) where each river's segments begin

    def segments(self) -> NDArray[np.object_]:
        """All segments as lines."""
        return np.asarray(shapely.linestrings(np.stack([self.start, self.end], axis=1)))

    def chainage(self, river: Ints, measure: Floats) -> Floats:
        """Chainages of measures on the given rivers."""
        plain = np.array([(s.start_m, s.sign) for s in self.scales]).reshape(-1, 2)
        start, sign = plain[river].T
        found = start + sign * measure
        for k in self._with_equations():
            mine = river == k
            found[mine] = self.scales[k].chainage(measure[mine])
        return np.asarray(found)

    def repeated(self, river: Ints, measure: Floats) -> NDArray[np.object_]:
        """Where a long chain repeats the chainage of a measure: which place; see the scale."""
        found = np.full(len(measure), None, object)
        for k in self._with_equations():
            mine = river == k
            found[mine] = self.scales[k].repeated(measure[mine])
        return found

    def _with_equations(self) -> list[int]:
        """Rivers whose chainages jump somewhere, by number."""
        return [k for k, scale in enumerate(self.scales) if scale.equations]


def _plain_centreline(line: Any, river: str) -> Any:
    """One LineString without Z, repeated vertices or loops from what a river layer holds."""
    line = shapely.force_2d(line)
    if line.geom_type == "MultiLineString":
        line = shapely.line_merge(line, directed=True)
    if line.geom_type != "LineString":
        raise LayerError(
            "a centreline is in several parts that don't join end to start",
            layer="rivers",
            ids=[river],
            hint="draw it as one line, downstream; through covered reaches too",
        )
    xy = shapely.get_coordinates(line)
    xy = xy[np.append(True, np.any(np.diff(xy, axis=0) != 0, axis=1))]
    if len(xy) < 2:
        raise LayerError(
            "a centreline has no length",
            layer="rivers",
            ids=[river],
            hint="rivers = rivers[rivers.length > 0]",
        )
    line = shapely.linestrings(xy)
    if not line.is_simple:
        raise LayerError(
            "a centreline crosses itself",
            layer="rivers",
            ids=[river],
            hint="mend the drawing: a river flows through a place once",
        )
    return line


def _river_names(rivers: gpd.GeoDataFrame) -> list[str]:
    """Names of the rivers, which are the index."""
    if rivers.index.name != "river" and "river" in rivers.columns:
        raise LayerError(
            "is not indexed by river", layer="rivers", hint='rivers = rivers.set_index("river")'
        )
    return [str(name) for name in rivers.index]


def lay_out(rivers: gpd.GeoDataFrame) -> Centrelines:
    """Lay the centrelines out as arrays, which nobody may write to.

    Rivers that were laid out before are handed on, for nearly every function asks for them: they
    are told by what they are, so that a frame that was changed is another one.
    """
    require_layer(rivers, "rivers")
    names = _river_names(rivers)
    if not names:
        raise LayerError("has no rows", layer="rivers", hint="read the centrelines first")
    plain = [None] * len(names)
    facts = (rivers.get(c, plain) for c in ("start_m", "chainage_sign", "equations"))
    scales = []
    for name, start, sign, equations in zip(names, *facts, strict=True):
        try:
            zero = 0.0 if pd.isna(start) else parse_chainage(start)
        except ChainageError as fault:
            raise ChainageError(f"river {name}: {fault}", layer="rivers") from fault
        turned = 1 if pd.isna(sign) else int(sign)
        scales.append((zero, turned, "" if pd.isna(equations) else str(equations)))
    shapes = shapely.to_wkb(rivers.geometry.to_numpy(), include_srid=False)
    return _laid_out(tuple(names), tuple(shapes), tuple(scales))


@lru_cache(maxsize=16)
def _laid_out(
    names: tuple[str, ...], shapes: tuple[bytes, ...], rules: tuple[tuple[float, int, str], ...]
) -> Centrelines:
    """Centrelines of these names, shapes and rules of chainage."""
    lines = [_plain_centreline(g, n) for g, n in zip(shapely.from_wkb(shapes), names, strict=True)]
    counts = np.array([shapely.get_num_coordinates(line) - 1 for line in lines])
    xy = [shapely.get_coordinates(line) for line in lines]
    step = np.concatenate([np.diff(c, axis=0) for c in xy])
    length = np.hypot(step[:, 0], step[:, 1])
    first = np.concatenate([[0], np.cumsum(counts)])
    total = np.concatenate([[0.0], np.cumsum(length)])
    scales = []
    for k, (name, rule) in enumerate(zip(names, rules, strict=True)):
        try:
            whole = float(length[first[k] : first[k + 1]].sum())
            scales.append(ChainageScale.from_text(whole, *rule))
        except ChainageError as fault:
            raise ChainageError(f"river {name}: {fault}", layer="rivers") from fault
    found = Centrelines(
        names=names,
        scales=tuple(scales),
        start=np.concatenate([c[:-1] for c in xy]),
        end=np.concatenate([c[1:] for c in xy]),
        step=step,
        length=length,
        measure=total[:-1] - np.repeat(total[first[:-1]], counts),
        river=np.repeat(np.arange(len(names)), counts),
        first=first,
    )
    for array in (found.start, found.end, found.step, found.length, found.measure, found.river,
                  found.first):  # fmt: skip
        array.setflags(write=False)
    return found


@takes()
def river_scales(rivers: gpd.GeoDataFrame) -> dict[str, ChainageScale]:
    """Rule from measure to chainage of each river 桩号换算.

    Parameters
    ----------
    rivers
        Centrelines drawn downstream, indexed by river; columns ``start_m`` [m],
        ``chainage_sign`` and ``equations`` are used where they are present.

    Returns
    -------
    dict
        From river to `ChainageScale`.

    Raises
    ------
    LayerError, CRSError, ChainageError
        A centreline or its chainage can't be used.

    References
    ----------
    ISO 19148:2021, Geographic information: linear referencing (measures and lateral offsets).
    Chainage equations (断链, long and short chain): xuanruijy.com/article/1154.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> scale = pg.river.river_scales(rivers)["君子布河"]
    >>> float(scale.chainage(100.0))
    100.0
    """
    lines = lay_out(rivers)
    return dict(zip(lines.names, lines.scales, strict=True))


def by_measure(rivers: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The rivers with chainages that count metres from their upstream ends, without equations.

    What lies between two places of a river lies between them by measure; chainages jump.
    """
    return gpd.GeoDataFrame(index=rivers.index, geometry=rivers.geometry.to_numpy(), crs=rivers.crs)


def river_codes(values: pd.Series, lines: Centrelines, layer: str) -> Ints:
    """Positions of river names; an unknown river is an error with the nearest name."""
    known = {name: k for k, name in enumerate(lines.names)}
    code, given = pd.factorize(values, use_na_sentinel=False)
    unknown = [v for v in given if str(v) not in known]
    if unknown:
        raise LayerError(
            "names rivers that the layer of rivers doesn't have",
            layer=layer,
            ids=unknown,
            hint=nearest(unknown[0], lines.names),
        )
    return np.asarray(np.array([known[str(v)] for v in given], np.intp)[code])


def points_at(lines: Centrelines, river: Ints, measure: Floats) -> tuple[Floats, Floats]:
    """Points (n, 2) on the centrelines, and the unit direction (n, 2) of flow there."""
    at = np.empty(len(measure), np.intp)
    for k in range(len(lines.names)):
        lo, hi = lines.first[k], lines.first[k + 1]
        mine = river == k
        at[mine] = lo + np.clip(
            np.searchsorted(lines.measure[lo:hi], measure[mine], side="right") - 1, 0, hi - lo - 1
        )
    unit = lines.step[at] / lines.length[at, None]
    along = (measure - lines.measure[at])[:, None]
    # a drawn vertex is returned to the bit
    return np.where(
        along >= lines.length[at, None], lines.end[at], lines.start[at] + unit * along
    ), unit


def squares_at(lines: Centrelines, river: Ints, chainage: Floats) -> tuple[Floats, Floats]:
    """Points (n, 2) at chainages, and the unit vector (n, 2) to the right of the flow there."""
    measure = np.empty(len(chainage))
    for k, scale in enumerate(lines.scales):
        mine = river == k
        measure[mine] = scale.measure(chainage[mine])
    point, flow = points_at(lines, river, measure)
    return point, np.stack([flow[:, 1], -flow[:, 0]], axis=1)


@takes()
def stations(rivers: gpd.GeoDataFrame, *, spacing_m: float = 100.0) -> gpd.GeoDataFrame:
    """Points along each river at round chainages, both ends included 桩号点.

    Parameters
    ----------
    rivers
        Centrelines drawn downstream, indexed by river.
    spacing_m
        Distance between round chainages [m].

    Returns
    -------
    geopandas.GeoDataFrame
        One point a station in the order of flow; columns river, chainage_m [m],
        label (``K1+200``), bearing_deg [°, direction of flow clockwise from grid north].

    Raises
    ------
    LayerError, CRSError, ChainageError
        A centreline can't be used, or the spacing is not positive.

    Notes
    -----
    A station is a multiple of the spacing in *chainage*, so a reach that starts at K12+669
    has its second station at K12+700. The ends are stations whatever their chainage.

    References
    ----------
    ISO 19148:2021, Geographic information: linear referencing (measures and lateral offsets).
    Chainages and their round values: kxting.com/article/20221119/1476289.html.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> pg.stations(rivers, spacing_m=500)["label"].head(3).tolist()
    ['K0+000', 'K0+500', 'K1+000']
    """
    if not spacing_m > 0:
        raise LayerError(f"spacing_m is {spacing_m}", hint="give a positive distance in metres")
    lines = lay_out(rivers)
    river, measure, chainage = [], [], []
    for k, scale in enumerate(lines.scales):
        m, c = _round_stations(scale, spacing_m)
        river.append(np.full(len(m), k))
        measure.append(m)
        chainage.append(c)
    code = np.concatenate(river)
    at_m, at_chainage = np.concatenate(measure), np.concatenate(chainage)
    xy, unit = points_at(lines, code, at_m)
    decimals = [0 if abs(c - round(c)) < SAME_PLACE_M else 1 for c in at_chainage]
    return gpd.GeoDataFrame(
        {
            "river": [lines.names[k] for k in code],
            "chainage_m": at_chainage,
            "label": [
                format_chainage(c, decimals=d) for c, d in zip(at_chainage, decimals, strict=True)
            ],
            "bearing_deg": np.degrees(np.arctan2(unit[:, 0], unit[:, 1])) % 360,
        },
        geometry=shapely.points(xy),
        crs=rivers.crs,
    )


@takes()
def station_ticks(
    rivers: gpd.GeoDataFrame, *, spacing_m: float = 100.0, length_m: float = 10.0
) -> gpd.GeoDataFrame:
    """Short lines across each river at round chainages, for drawings 桩号短线.

    Parameters
    ----------
    rivers
        Centrelines drawn downstream, indexed by river.
    spacing_m
        Distance between round chainages [m].
    length_m
        Length of a tick, half to each side [m].

    Returns
    -------
    geopandas.GeoDataFrame
        As `stations`, with lines from left to right.

    Raises
    ------
    LayerError, CRSError, ChainageError
        As `stations`.

    References
    ----------
    ISO 19148:2021, Geographic information: linear referencing (measures and lateral offsets).

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> float(pg.river.station_ticks(rivers, length_m=8.0).length.max().round(6))
    8.0
    """
    points = stations(rivers, spacing_m=spacing_m)
    bearing = np.radians(points["bearing_deg"].to_numpy())
    to_right = np.stack([np.cos(bearing), -np.sin(bearing)], axis=1) * length_m / 2
    at = shapely.get_coordinates(points.geometry)
    ticks = shapely.linestrings(np.stack([at - to_right, at + to_right], axis=1))
    return points.set_geometry(ticks, crs=points.crs)


def _round_stations(scale: ChainageScale, spacing_m: float) -> tuple[Floats, Floats]:
    """Measures and chainages of one river's stations."""
    breaks = np.append(scale._run_starts()[0], scale.length_m)
    measure, chainage = [np.array([0.0])], [np.array([scale.start_m])]
    for lo, hi in zip(breaks[:-1], breaks[1:], strict=True):
        from_c = float(scale.chainage(lo))
        to_c = from_c + scale.sign * (hi - lo)
        low, high = sorted((from_c, to_c))
        multiples = np.arange(np.ceil(low / spacing_m), np.floor(high / spacing_m) + 1) * spacing_m
        multiples = multiples[:: scale.sign]
        m = lo + scale.sign * (multiples - from_c)
        # at an equation, once: by its chainage downstream, or upstream where that alone is round
        first = lo - SAME_PLACE_M if lo > 0 else lo + SAME_PLACE_M
        after = float(scale.chainage(hi))
        round_after = abs(after - spacing_m * round(after / spacing_m)) < SAME_PLACE_M
        last = hi - SAME_PLACE_M if hi == scale.length_m or round_after else hi + SAME_PLACE_M
        inside = (m > first) & (m < last)
        measure.append(m[inside])
        chainage.append(multiples[inside])
    measure.append(np.array([scale.length_m]))
    chainage.append(np.atleast_1d(scale.chainage(scale.length_m)))
    return np.concatenate(measure), np.concatenate(chainage)
