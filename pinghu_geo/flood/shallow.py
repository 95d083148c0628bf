"""What do two dimensions say? One house in shallow water, as a second opinion on its rise."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.flood.boundaries import Boundary
from pinghu_geo.flood.hydraulics import water_profile
from pinghu_geo.flood.obstruction import LOSSES, Progress, building_rises
from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import HydraulicsError, LayerError
from pinghu_geo.river.centreline import by_measure, river_scales
from pinghu_geo.river.corridor import locate

__all__ = ["second_opinion"]

# the reach reaches this many channel widths beyond the house, upstream and downstream
UP_WIDTHS, DOWN_WIDTHS = 14.0, 14.0
# in wide water a house matters as far as in water this many times as wide as it stands across it
HOUSES_WIDE = 5.0
# the level is read this far above the house [m], or a channel width
AHEAD_M = 25.0
# cells of the coarse mesh, if nobody says their size, and the least size then [m²]
CELLS, LEAST_CELL_M2 = 3000, 16.0
# beside the house cells are at most this share of its least side across [ratio], as far as that
# side; but not less than this share of the others' area
CORNER_SHARE, LEAST_SHARE = 0.25, 1 / 32
# meshes that are tried, each with cells so much smaller, where ANUGA finds no water on one
TRIES, SMALLER = 4, 0.93
# steady: in the last turns of so many seconds of the water's time the level moves less than this
# [m]; after at least so many turns. What never stands still is averaged over its last turns
STEADY_M, TURN_S, MOST_S = 1e-4, 60.0, 1800.0
TURNS, TURNS_STILL, TURNS_MEAN = 5, 2, 10
# cells of half the area are so much smaller; orders of convergence that are believed; Roache's
# factors of safety for three meshes, and for two or for meshes that swing
CELL_RATIO, LEAST_ORDER, MOST_ORDER, SAFETY = 2**0.5, 0.5, 2.0, (1.25, 3.0)


@takes()
def second_opinion(
    buildings: gpd.GeoDataFrame,
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    rivers: gpd.GeoDataFrame,
    *,
    profile: str | None = None,
    cell_m2: float | None = None,
    within: float = 0.03,
    refinements: int = 2,
    losses: tuple[tuple[float, float], ...] = LOSSES,
    progress: Progress | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Rise that a house causes in two-dimensional shallow water, beside the band 二维复核.

    Parameters
    ----------
    buildings
        The few houses in review, indexed by building_id.
    sections, flows, downstream, rivers
        The designed river, as in `building_rises`.
    profile
        Which flood; the greatest discharge by default.
    cell_m2
        Largest cell of the coarse mesh [m²]; by default a 3,000th of the reach, at least 16.
    within
        Cells are halved until the doubt that the mesh leaves is at most this share of the rise.
    refinements
        How often at most; 0 is the coarse answer, of which nothing is known.
    losses
        The band of coefficients in one dimension.
    progress
        Called with a line of text for each run.
    **options
        Of `water_profile`.

    Returns
    -------
    pandas.DataFrame
        On the buildings' index: rise_2d_mm, the rise of the mean level one channel width (at least
        25 m, at most five times what the house is across) above the house, with it less without it,
        on the finest mesh; rise_2d_doubt_mm, what
        that mesh leaves in doubt, by the grid convergence index; settled, whether that is at most
        ``within`` of the rise; rise_2d_limit_mm, what ever finer meshes would tend to, and
        mesh_order, the order seen (NaN where three meshes show none); rise_coarse_mm of the first
        mesh; rise_alone_low_mm, rise_alone_high_mm, rise_band in one dimension; losses_2d, the pair
        between those of the band that would give the rise; level_off_mm, the level there without
        the house less that of the 1-D profile: what is far from nothing says that the two aren't of
        one river; cell_m2, n_cells of the last mesh; seconds of all.

    Raises
    ------
    HydraulicsError, LayerError
        ANUGA isn't there, a house stands in no reach of the sections, at a structure, or covers
        the whole width of the water.

    Notes
    -----
    ANUGA's finite volumes (DE1) on a mesh of the reach 14 channel widths up and down (in wide water
    70 times what the house is across), as far as the next structures, laid out along the
    centreline: bends are drawn straight. The ground and n are those of the sections, linear between
    them; the house is a hole whose walls let nothing through; walls of the channel rub in one
    dimension only, so that n is multiplied in each section until it conveys what it does in the
    1-D profile. Beside the house
    cells are a quarter of its side in the water wide, or less: with cells as large as everywhere
    the mesh alone moves the rise by a tenth. Inflow at its mean speed above, the 1-D level below;
    run until the level stands still, each mesh from the water of the one before. All cells are
    halved alike, so that three meshes show an order of convergence: the doubt is
    ``1.25 |f3 - f2| / (r^p - 1)``, r = √2, p from 0.5 to 2. Below that, or where they swing, it is
    three times their range; of two meshes, or where p is above 2, ``3 |f2 - f1| / (r - 1)`` of the
    last two. It is a doubt about the mesh alone, not about n, the ground or the equations.
    Levees, idle areas and what blocks sections are not in it: ``level_off_mm`` says what that and
    the mesh do (on a public model with levees and fields 112 and 101 mm, with cells of 81 and
    40 m²). Where it isn't small beside the rise, that is the rise in another river.

    References
    ----------
    Roberts, Nielsen, Gray, Sexton & Davies, ANUGA User Manual (2015), algorithm DE1. Roache (1994),
    J. Fluids Engineering 116, 405-413 (grid convergence index). Eça & Hoekstra (2014), J.
    Computational Physics 262, 104-130 (what to do with meshes that show no order).

    Examples
    --------
    See notebook 02; without houses there is nothing to ask:

    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> none = pg.read_layer(sample / "房屋.shp", "buildings").head(0)
    >>> bed = pd.DataFrame({"river": "君子布河", "chainage_m": [0.0, 500.0],
    ...     "bed_level_m": [0.5, 0.0], "left_m": 10.0, "right_m": 10.0,
    ...     "bank_level_m": [5.5, 5.0], "n": 0.03})
    >>> made = pg.design_sections(bed)
    >>> len(pg.flood.second_opinion(none, made, 50.0, {"slope": 0.001}, rivers))
    0
    """
    tell = progress or (lambda _: None)
    columns = ["rise_2d_mm", "rise_2d_doubt_mm", "settled", "rise_2d_limit_mm", "mesh_order",
               "rise_coarse_mm", "rise_alone_low_mm", "rise_alone_high_mm", "rise_band",
               "losses_2d", "level_off_mm", "cell_m2", "n_cells", "seconds"]  # fmt: skip
    if not len(buildings):
        return pd.DataFrame(columns=columns, index=buildings.index)
    base = water_profile(sections, flows, downstream, rivers=rivers, **options)
    chosen = profile or base["profile"].iloc[base["discharge_m3s"].argmax()]
    base = base[base["profile"] == chosen]
    if base.empty:
        raise HydraulicsError(
            f"holds no flood {profile!r}", layer="flows", hint="a name of its column profile"
        )
    band = building_rises(
        buildings, sections, flows, downstream, rivers, allowed_mm=0.0, losses=losses, **options
    )
    # by the way along the rivers, which chainages aren't where they have equations
    where = locate(buildings, by_measure(rivers))
    base, points = (_with_measures(t, rivers) for t in (base, sections))
    standing = options.get("structures")
    if standing is not None:
        standing = _with_measures(standing, rivers, twice="refuse")
    rows = {}
    for name in buildings.index:
        reach = _HouseReach.around(where.loc[name], points, base, name, standing)
        rows[name] = _rise_on_finer_meshes(
            reach, cell_m2 or reach.cell_m2(), within, refinements, _progress_with_id(tell, name)
        )
    made = pd.DataFrame.from_dict(rows, orient="index")
    made = made.join(band[["rise_alone_low_mm", "rise_alone_high_mm", "rise_band"]])
    both = zip(made["rise_2d_mm"], made["rise_band"], strict=True)
    made["losses_2d"] = [_losses_of_rise(rise, text) for rise, text in both]
    made.index.name = buildings.index.name
    return made[columns]


def _with_measures(
    table: pd.DataFrame, rivers: gpd.GeoDataFrame, *, twice: Literal["order", "refuse"] = "order"
) -> pd.DataFrame:
    """A table with metres from the upper end of its river in place of chainages."""
    table = table[table["river"].isin(rivers.index)]
    at = table["chainage_m"].to_numpy(float).copy()
    scales = river_scales(rivers)
    for river, rows in table.groupby("river").indices.items():
        at[rows] = scales[str(river)].measure(at[rows], twice=twice, beyond=True)
    return table.assign(chainage_m=at)


def _progress_with_id(tell: Progress, name: Any) -> Progress:
    """The same with the house's id before each line."""
    return lambda text: tell(f"{name} {text}")


def _losses_of_rise(rise: float, band: Any) -> str | None:
    """Coefficients between those of a band that give a rise; None beyond it."""
    if not isinstance(band, str):
        return None
    parts = [p.split(" ") for p in band.split("; ")]
    rises = np.array([float(r) for _, r in parts])
    if not rises.min() <= rise <= rises.max() or (np.diff(rises) <= 0).any():
        return None
    pairs = np.array([[float(v) for v in p.split("/")] for p, _ in parts])
    contraction, expansion = (np.interp(rise, rises, pairs[:, k]) for k in (0, 1))
    return f"{contraction:.2f}/{expansion:.2f}"


@dataclass(frozen=True, slots=True)
class _HouseReach:
    """A river's reach along its chainage (x, downstream) and to its left (y), with a house."""

    x: Array  # of the sections
    ground: list[tuple[Array, Array, Array]]  # y, elevation and n of each; n as far as the next y
    level: Array  # without the house
    left: Array  # water's edges
    right: Array
    discharge: float
    house: shapely.Polygon
    ahead: float  # where the level is read

    @classmethod
    def around(
        cls,
        place: pd.Series,
        sections: pd.DataFrame,
        base: pd.DataFrame,
        name: Any,
        structures: pd.DataFrame | None = None,
    ) -> _HouseReach:
        """The reach that matters around one house, between the structures next to it."""
        river = place["river"]
        mine = base[base["river"] == river].sort_values("chainage_m")
        a, b = float(place["from_m"]), float(place["to_m"])
        near = mine[(mine["chainage_m"] <= b) & (mine["chainage_m"] >= a)]
        near = (
            mine.iloc[[int((mine["chainage_m"] - (a + b) / 2).abs().argmin())]]
            if near.empty
            else near
        )
        across = float(place["offset_max_m"] - place["offset_min_m"])
        wide = min(float(near["top_width_m"].max()), HOUSES_WIDE * across)
        above, below = a - UP_WIDTHS * wide, b + DOWN_WIDTHS * wide
        if structures is not None:
            at = structures.loc[structures["river"] == river, "chainage_m"].to_numpy(float)
            middle = (a + b) / 2
            above = max(above, at[at <= middle].max(initial=-math.inf))
            below = min(below, at[at > middle].min(initial=math.inf))
        part = mine[mine["chainage_m"].between(above, below)]
        ahead = a - max(AHEAD_M, wide)
        at = part["chainage_m"]
        if len(part) < 3 or at.iloc[0] >= ahead or at.iloc[-1] <= b:
            raise HydraulicsError(
                "stands where the sections don't reach above and below it, without a structure "
                "between",
                layer="buildings", ids=[name],
                hint=f"sections from {a - UP_WIDTHS * wide:.0f} to {b + DOWN_WIDTHS * wide:.0f} m",
            )  # fmt: skip
        points = dict(iter(sections[sections["river"] == river].groupby("chainage_m")))
        ground, left, right = [], [], []
        for row in part.itertuples():
            xz = points[row.chainage_m]
            y = -xz["offset_m"].to_numpy(float)[::-1]
            z = xz["elevation_m"].to_numpy(float)[::-1]
            # n counts from a point to the next on its right, here from one to the next on its left
            n = np.roll(xz["n"].astype(float).ffill().to_numpy()[::-1], -1)
            low, high, factor = _water_edges_and_factor(
                y, z, n, float(row.level_m), float(row.conveyance_m3s)
            )
            ground.append((y, z, n * factor))
            right.append(low)
            left.append(high)
        block = shapely.box(a, -float(place["offset_max_m"]), b, -float(place["offset_min_m"]))
        return cls(
            part["chainage_m"].to_numpy(float), ground, part["level_m"].to_numpy(float),
            np.array(left), np.array(right), float(part["discharge_m3s"].iloc[0]), block, ahead,
        )  # fmt: skip

    def bed(self, x: Array, y: Array) -> Array:
        """Elevation of the ground, linear between sections."""
        return self._between_sections(x, y, lambda at, i: np.interp(at, *self.ground[i][:2]))

    def rough(self, x: Array, y: Array) -> Array:
        """N of the ground, linear between sections."""

        def of(at: Array, i: int) -> Array:
            points, _, n = self.ground[i]
            found: Array = n[np.clip(np.searchsorted(points, at, side="right") - 1, 0, len(n) - 2)]
            return found

        return self._between_sections(x, y, of)

    def _between_sections(self, x: Array, y: Array, of: Callable[[Array, int], Array]) -> Array:
        """What sections say at places across them, linear between them."""
        k = np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, len(self.x) - 2)
        share = np.clip((x - self.x[k]) / (self.x[k + 1] - self.x[k]), 0, 1)
        found = np.empty(len(x))
        for j in np.unique(k):
            at = k == j
            # across the water, not across the walls beside it
            ends = [of(np.clip(y[at], self.right[i] + 1e-6, self.left[i] - 1e-6), i)
                    for i in (j, j + 1)]  # fmt: skip
            found[at] = ends[0] + share[at] * (ends[1] - ends[0])
        return found

    def cell_m2(self) -> float:
        """Largest cell of a coarse mesh [m²]."""
        return max(LEAST_CELL_M2, self.outline(with_house=False).area / CELLS)

    def along(self, values: Array, x: Array) -> Array:
        """Values of sections between them."""
        return np.interp(x, self.x, values)

    def inflow_speed(self) -> float:
        """Mean speed of the water at the upper end [m/s]."""
        across = np.linspace(self.right[0], self.left[0], 201)
        depth = np.maximum(self.level[0] - self.bed(np.full(201, self.x[0]), across), 0.0)
        return self.discharge / float(np.trapezoid(depth, across))

    def outline(self, *, with_house: bool) -> shapely.Polygon:
        """Plan of the water, with the house cut out."""
        there, back = zip(self.x, self.right, strict=True), zip(self.x, self.left, strict=True)
        # points on a straight bank would make slivers of cells, and tiny steps in time
        plan = shapely.simplify(shapely.Polygon([*there, *list(back)[::-1]]), 0.02)
        if not with_house:
            return plan
        rest = shapely.difference(plan, self.house)
        # water narrower than a hand behind a house is none, and would make slivers of cells
        for step in (-0.05, 0.05):
            rest = shapely.buffer(rest, step, join_style="mitre")
        parts = [p for p in shapely.get_parts(rest) if p.area > 1.0]
        if len(parts) != 1:
            raise HydraulicsError(
                "covers the whole width of the water", layer="buildings", hint="it can't stay"
            )
        made: shapely.Polygon = parts[0]
        return made

    def beside_house(self, cell: float) -> list[list[float]]:
        """Ring of the water about the house whose cells are small; half a cell from all walls."""
        gap = 0.5 * cell**0.5
        water = shapely.buffer(self.outline(with_house=False), -gap, join_style="mitre")
        far = max(4 * gap, _least_side(shapely.intersection(self.house, water)))
        near = shapely.intersection(water, shapely.buffer(self.house, far, join_style="mitre"))
        if not shapely.get_num_interior_rings(self.outline(with_house=True)):
            near = shapely.difference(near, shapely.buffer(self.house, gap, join_style="mitre"))
        largest = max(shapely.get_parts(near), key=shapely.area)
        ring: list[list[float]] = shapely.get_coordinates(largest.exterior)[:-1].tolist()
        return ring


def _least_side(shape: shapely.Geometry) -> float:
    """The lesser side of a shape's box [m]; NaN of nothing."""
    low_x, low_y, high_x, high_y = shapely.bounds(shape)
    return float(min(high_x - low_x, high_y - low_y))


def _water_edges_and_factor(
    y: Array, z: Array, n: Array, level: float, conveyance: float
) -> tuple[float, float, float]:
    """Edges of the water around the deepest point, and what n times conveys as 1-D does."""
    fine = np.linspace(y[0] + 1e-6, y[-1] - 1e-6, 2001)
    depth = level - np.interp(fine, y, z)
    rough = n[np.clip(np.searchsorted(y, fine, side="right") - 1, 0, len(n) - 2)]
    deepest = int(depth.argmax())
    dry = np.flatnonzero(depth <= 0)
    first = int(dry[dry < deepest].max(initial=-1)) + 1
    last = int(dry[dry > deepest].min(initial=len(fine))) - 1
    wet = slice(first, last + 1)
    step = float(fine[1] - fine[0])
    carried = float((np.clip(depth[wet], 0, None) ** (5 / 3) / rough[wet]).sum() * step)
    return float(fine[first]), float(fine[last]), carried / conveyance


def _corner_cell(reach: _HouseReach, cell: float, shrunk: float) -> float:
    """Largest cell beside a house [m²], on a mesh whose cells are shrunk so many times."""
    side = _least_side(shapely.intersection(reach.house, reach.outline(with_house=False)))
    return max(cell * LEAST_SHARE, min(cell, (CORNER_SHARE * side) ** 2 * shrunk))


def _rise_on_finer_meshes(
    reach: _HouseReach, cell: float, within: float, most: int, tell: Progress
) -> dict[str, Any]:
    """Rise on meshes halved until what is left in doubt is small; each starts from the last."""
    rises: list[float] = []
    found: dict[str, Any] = {}
    waters: dict[bool, _StandingWater] = {}
    begun = time.perf_counter()
    for k in range(most + 1):
        size = cell / 2**k
        for with_house in (False, True):
            word = "with" if with_house else "without"
            fine = _corner_cell(reach, size, 0.5**k) if with_house else None
            start = waters.get(with_house, waters.get(False))
            made = waters[with_house] = _standing_water(reach, size, corner=fine, start=start)
            tell(f"two dimensions {word} the house: {len(made.x)} cells of {size:g} m², "
                 f"{made.level:.4f} m")  # fmt: skip
        rises.append((waters[True].level - waters[False].level) * 1000)
        order, limit, doubt = _order_limit_doubt(rises)
        off = waters[False].level - float(reach.along(reach.level, np.array([reach.ahead]))[0])
        swing = (waters[True].swing + waters[False].swing) * 1000
        found = {"rise_2d_mm": rises[-1], "rise_coarse_mm": rises[0], "rise_2d_limit_mm": limit,
                 "mesh_order": order, "rise_2d_doubt_mm": doubt + swing, "level_off_mm": off * 1000,
                 "cell_m2": size, "n_cells": len(waters[True].x),
                 "seconds": time.perf_counter() - begun}  # fmt: skip
        if found["rise_2d_doubt_mm"] <= within * abs(rises[-1]):
            break
    return found | {"settled": bool(found["rise_2d_doubt_mm"] <= within * abs(rises[-1]))}


def _order_limit_doubt(rises: list[float]) -> tuple[float, float, float]:
    """Order of convergence seen on meshes of halved cells, the limit, and the doubt of the last.

    Three meshes: p = ln((f1 - f2)/(f2 - f3)) / ln r, the limit by Richardson, and Roache's index
    1.25 |f3 - f2| / (r^p - 1). Where they swing, or p is below 0.5, three times their range (Eça &
    Hoekstra). Two meshes, or the last two where p is above 2, for then the coarsest is too coarse
    to be of one kind with them: 3 |f2 - f1| / (r - 1), Roache's for an order that isn't seen, here
    the first. r = √2, for cells of half the area.
    """
    if len(rises) < 2:
        return math.nan, math.nan, math.nan
    last = rises[-1] - rises[-2]
    of_two = SAFETY[1] * abs(last) / (CELL_RATIO - 1)
    if len(rises) < 3:
        return math.nan, math.nan, of_two
    before = rises[-2] - rises[-3]
    order = math.log(before / last) / math.log(CELL_RATIO) if last * before > 0 else math.nan
    if order > MOST_ORDER:
        return order, math.nan, of_two
    if not order >= LEAST_ORDER:
        return order, math.nan, SAFETY[1] * float(np.ptp(rises[-3:]))
    shrinks = CELL_RATIO**order - 1
    return order, rises[-1] + last / shrinks, SAFETY[0] * abs(last) / shrinks


class _StandingWater(NamedTuple):
    """Water that stands still: its level above the house, and what the cells hold."""

    level: float
    swing: float  # half the range of the level while it was averaged; 0 where it stood still
    x: Array  # of the cells' middles
    y: Array
    stage: Array
    along: Array  # discharge a metre, downstream
    across: Array


def _standing_water(
    reach: _HouseReach, cell: float, *, corner: float | None, start: _StandingWater | None
) -> _StandingWater:
    """Water about a house when its level above it stands still.

    ``corner`` is the largest cell beside the house; None: without it. ``start``: water of another
    mesh to begin with. Where the middles of three neighbouring cells lie on one line ANUGA divides
    by nothing, and the water runs out through cells that are no number: such a mesh is laid anew.
    """
    at_x = np.array([reach.ahead])
    right, left = (float(reach.along(v, at_x)[0]) for v in (reach.right, reach.left))
    line = [[reach.ahead, right + s * (left - right)] for s in np.linspace(0.1, 0.9, 9)]
    for k in range(TRIES):
        part = SMALLER**k
        domain = _anuga_domain(reach, cell * part, corner=None if corner is None else corner * part)
        if start is not None:
            _begin_with(domain, start)
        levels: list[float] = []
        for _ in domain.evolve(yieldstep=TURN_S, finaltime=MOST_S):
            if not np.isfinite(domain.get_quantity("stage").centroid_values).all():
                levels = [np.nan]
                break
            stage = domain.get_quantity("stage").get_values(interpolation_points=line)
            levels.append(float(np.mean(stage)))
            if len(levels) > TURNS and np.ptp(levels[-TURNS_STILL:]) < STEADY_M:
                break
        if not np.isfinite(levels[-1]):
            continue
        still = np.ptp(levels[-TURNS_STILL:]) < STEADY_M
        mean = levels[-1:] if still else levels[-TURNS_MEAN:]
        held = (domain.get_quantity(q).centroid_values.copy()
                for q in ("stage", "xmomentum", "ymomentum"))  # fmt: skip
        x, y = np.asarray(domain.get_centroid_coordinates(absolute=True)).T
        return _StandingWater(float(np.mean(mean)), float(np.ptp(mean)) / 2, x, y, *held)
    raise HydraulicsError(
        "finds no mesh on which its water has a level", layer="buildings", hint="another cell_m2"
    )


def _begin_with(domain: Any, start: _StandingWater) -> None:
    """Lay the water of another mesh on a domain, linear between the middles of its cells."""
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

    x, y = np.asarray(domain.get_centroid_coordinates(absolute=True)).T
    known = np.column_stack([start.x, start.y])
    values = np.column_stack([start.stage, start.along, start.across])
    found = LinearNDInterpolator(known, values)(x, y)
    beyond = np.isnan(found).any(axis=1)
    found[beyond] = NearestNDInterpolator(known, values)(x[beyond], y[beyond])
    bed = domain.get_quantity("elevation").centroid_values
    found[:, 0] = np.maximum(found[:, 0], bed)
    for name, column in zip(("stage", "xmomentum", "ymomentum"), found.T, strict=True):
        domain.set_quantity(name, column.copy(), location="centroids")


def _anuga_domain(reach: _HouseReach, cell: float, *, corner: float | None) -> Any:
    """ANUGA's domain of a reach, with its inflow and its level below; see `_standing_water`."""
    try:
        import anuga
    except ImportError:
        raise LayerError(
            "two dimensions need ANUGA, which isn't installed",
            hint='pip install "pinghu_geo[flood2d]"',
        ) from None
    plan = reach.outline(with_house=corner is not None)
    beside = None if corner is None else [[reach.beside_house(corner), corner]]
    ring = shapely.get_coordinates(plan.exterior)[:-1]
    holes = [shapely.get_coordinates(r)[:-1].tolist() for r in plan.interiors]
    tags: dict[str, list[int]] = {"wall": [], "inflow": [], "outflow": []}
    for k, (one, other) in enumerate(zip(ring, np.roll(ring, -1, axis=0), strict=True)):
        ends = [t for t, x in (("inflow", reach.x[0]), ("outflow", reach.x[-1]))
                if abs(one[0] - x) < 1e-9 and abs(other[0] - x) < 1e-9]  # fmt: skip
        tags[ends[0] if ends else "wall"].append(k)
    domain = anuga.create_domain_from_regions(
        ring.tolist(),
        boundary_tags=tags,
        maximum_triangle_area=cell,
        interior_holes=holes or None,
        interior_regions=beside,
        # fields are asked for at coordinates from the mesh's origin: let it be that of the plan
        mesh_geo_reference=anuga.Geo_reference(xllcorner=0.0, yllcorner=0.0),
        use_cache=False,
        verbose=False,
    )
    domain.set_quantities_to_be_stored(None)
    domain.set_flow_algorithm("DE1")
    width = reach.left - reach.right
    fields: dict[str, Callable[[Array, Array], Array]] = {
        "elevation": reach.bed,
        "friction": reach.rough,
        "stage": lambda x, y: np.maximum(reach.along(reach.level, x), reach.bed(x, y)),
        "xmomentum": lambda x, y: reach.discharge / reach.along(width, x),  # noqa: ARG005
    }
    for name, field in fields.items():
        domain.set_quantity(name, field)
    walls = anuga.Reflective_boundary(domain)
    below = anuga.Dirichlet_boundary(
        [float(reach.level[-1]), reach.discharge / float(width[-1]), 0.0]
    )
    edges = {"wall": walls, "inflow": walls, "outflow": below, **_hole_boundaries(holes, walls)}
    domain.set_boundary(edges)
    at = float(reach.x[0]) + 1.0
    # water that comes in at rest disturbs the level for a hundred metres
    anuga.Inlet_operator(
        domain,
        [[at, float(reach.right[0]) + 0.1], [at, float(reach.left[0]) - 0.1]],
        Q=reach.discharge,
        velocity=[reach.inflow_speed(), 0.0],
    )
    return domain


def _hole_boundaries(holes: Iterable[Any], walls: Any) -> dict[str, Any]:
    """ANUGA tags the edges of holes ``interior``."""
    return {"interior": walls} if holes else {}
