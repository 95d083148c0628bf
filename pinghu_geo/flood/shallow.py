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

from pinghu_geo.flood.boundaries import Boundary, for_profile
from pinghu_geo.flood.hydraulics import water_profile
from pinghu_geo.flood.obstruction import LOSSES, Progress, building_rises
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.survey import GRAVITY_MS2
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import HydraulicsError, LayerError
from pinghu_geo.nouns.tables import each_row
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
# walls of a footprint are followed along bends in steps of at most this, but not their jogs [m]
MOST_STEP_M, LEAST_JOG_M = 2.0, 0.1
# steady: in the last turns of so many seconds of the water's time the level moves less than this
# [m]; after at least so many turns. What never stands still is averaged over its last turns
STEADY_M, TURN_S, MOST_S = 1e-4, 60.0, 1800.0
TURNS, TURNS_STILL, TURNS_MEAN = 5, 2, 10
# cells of the main channel are at most this share of its width across [ratio], where it is less
# than this share of the water's width
CHANNEL_SHARE, CHANNEL_WIDE = 0.25, 0.5
# eddy viscosity of turbulence made at the bed, by shear velocity and depth [ratio]: that of the
# logarithmic profile of speed, u* κ z (1 - z/h), averaged over the depth: κ/6
EDDY = 0.41 / 6
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
    level_within: float = 0.03,
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
    level_within
        How far the level without the house may be from the 1-D profile's, as a share of the mean
        depth; beyond it there is no rise.
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
        the house less that of the 1-D profile; cell_m2, n_cells of the last mesh; seconds of all.
        The rises are NaN where that level is off by more than ``level_within`` of the mean depth:
        the two aren't of one river, and there is no second opinion.

    Raises
    ------
    HydraulicsError, LayerError
        ANUGA isn't there, a house stands in no reach of the sections, at a structure, covers the
        whole width of the water, or its river has covered sections or other obstacles.

    Notes
    -----
    ANUGA's finite volumes (DE1) on a mesh of the reach 14 channel widths up and down (in wide water
    70 times what the house is across), as far as the next structures and changes of the discharge,
    laid out along the centreline: bends are drawn straight, footprints with them. The ground and n
    are those of the sections, linear between them; the house is a hole whose walls let nothing
    through; walls of the channel rub in one dimension only, so that n is multiplied in each section
    until it conveys what it does in the
    1-D profile, and between two until its friction is that of the lengths that the model states
    for overbanks and channel. Turbulence made at the bed has the eddy viscosity κ/6 u* h of the
    logarithmic profile, one for the reach: without any, the rise grows with each finer mesh. More
    of it, as in bends and over rough banks (0.15 to 0.6 u* h), lowers the rise: the doubt doesn't
    hold that. Beside the house
    cells are a quarter of its side in the water wide, or less: with cells as large as everywhere
    the mesh alone moves the rise by a tenth; those of a main channel (``banks``) that is narrow in
    its water are about a quarter of its width across. Inflow at its mean speed above,
    the 1-D level below, its discharge laid by the conveyance;
    run until the level stands still, each mesh from the water of the one before. All cells are
    halved alike, so that three meshes show an order of convergence: the doubt is
    ``1.25 |f3 - f2| / (r^p - 1)``, r = √2, p from 0.5 to 2. Below that, or where they swing, it is
    three times their range; of two meshes, or where p is above 2, ``3 |f2 - f1| / (r - 1)`` of the
    last two. It is a doubt about the mesh alone, not about n, the ground or the equations.
    Ridges that keep two waters at two levels and idle areas make the level another than one
    dimension's. Drag goes with the square of the speed and what holds it with the
    depth, so that a depth 3 % off leaves a tenth of the rise in doubt.

    References
    ----------
    Roberts, Nielsen, Gray, Sexton & Davies, ANUGA User Manual (2015), algorithm DE1. Roache (1994),
    J. Fluids Engineering 116, 405-413 (grid convergence index). Eça & Hoekstra (2014), J.
    Computational Physics 262, 104-130 (what to do with meshes that show no order). Rodi,
    Turbulence Models and Their Application in Hydraulics, 3rd edition (1993), and Fischer et al.,
    Mixing in Inland and Coastal Waters (1979), for eddy viscosity and mixing by u* h.

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
    asked = {"cell_m2": cell_m2, "within": within, "level_within": level_within}
    for word, value in asked.items():
        if value is not None and not value > 0:
            raise HydraulicsError(
                f"{word}={value:g} asks for nothing that can be had", hint=f"{word} above 0"
            )
    if refinements != int(refinements) or refinements < 0:
        raise HydraulicsError(
            f"refinements={refinements:g} is no count of meshes", hint="refinements=2"
        )
    if not len(buildings):
        return pd.DataFrame(columns=columns, index=buildings.index)
    base = water_profile(sections, flows, downstream, rivers=rivers, **options)
    chosen = profile or base["profile"].iloc[base["discharge_m3s"].argmax()]
    base = base[base["profile"] == chosen]
    if base.empty:
        raise HydraulicsError(
            f"holds no flood {profile!r}", layer="flows", hint="a name of its column profile"
        )
    if isinstance(flows, pd.DataFrame):
        flows = flows[for_profile(flows, chosen)]
    band = building_rises(
        buildings, sections, flows, downstream, rivers, allowed_mm=0.0, losses=losses,
        **_options_of_flood(options, chosen),
    )  # fmt: skip
    # by the way along the rivers, which chainages aren't where they have equations
    ways = by_measure(rivers)
    where = locate(buildings, ways)
    _refuse_what_is_not_laid_out(where, sections, options.get("obstacles"))
    base, points = (_with_measures(t, rivers) for t in (base, sections))
    standing = options.get("structures")
    if standing is not None:
        standing = _with_measures(standing, rivers, twice="refuse")
    banks = options.get("banks")
    if banks is not None:
        banks = _with_measures(banks, rivers)
    rows = {}
    for name in buildings.index:
        plan = _plan_along_river(buildings.geometry.loc[name], where.loc[name, "river"], ways)
        reach = _HouseReach.around(where.loc[name], points, base, name, standing, banks, plan)
        rows[name] = _rise_on_finer_meshes(
            reach, cell_m2 or reach.cell_m2(), within, level_within, refinements,
            _progress_with_id(tell, name),
        )  # fmt: skip
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


def _options_of_flood(options: dict[str, Any], profile: str) -> dict[str, Any]:
    """Options without the openings of gates in other floods."""
    parts = options.get("structure_parts")
    if parts is None or not {"part", "profile"} <= set(parts.columns):
        return options
    mine = (parts["part"] != "setting") | for_profile(parts, profile)
    return options | {"structure_parts": parts[mine]}


def _refuse_what_is_not_laid_out(
    where: pd.DataFrame, sections: pd.DataFrame, obstacles: pd.DataFrame | None
) -> None:
    """Refuse houses beside rivers without sections, covered ones, and those with other obstacles.

    Their conveyance would be met by a greater n, and the level without the house tell nothing.
    """
    lost = where.index[~where["river"].isin(sections["river"].unique())]
    if len(lost):
        raise HydraulicsError(
            "stands beside a river that has no sections", layer="buildings", ids=lost,
            hint=f"buildings = buildings.drop({list(lost)!r})  # or survey sections there",
        )  # fmt: skip
    if "lid_m" in sections.columns:
        covered = sections.loc[sections["lid_m"].notna(), "river"].unique()
        lost = where.index[where["river"].isin(covered)]
        if len(lost):
            raise HydraulicsError(
                "stands beside a river with covered sections, which shallow water doesn't know",
                layer="buildings", ids=lost,
                hint=f"buildings = buildings.drop({list(lost)!r})  # or sections of the open reach",
            )  # fmt: skip
    if obstacles is None or not len(obstacles):
        return
    solid = obstacles
    if "obstacle" in obstacles.columns:
        solid = obstacles[obstacles["obstacle"].fillna("blocked") == "blocked"]
    lost = where.index[where["river"].isin(solid["river"].unique())]
    if len(lost):
        raise HydraulicsError(
            "stands beside a river with other obstacles, which aren't laid out in two dimensions",
            layer="buildings", ids=lost,
            hint=f"buildings = buildings.drop({list(lost)!r})  # or obstacles=None, each by itself",
        )  # fmt: skip


def _plan_along_river(
    shape: shapely.Geometry, river: str, ways: gpd.GeoDataFrame
) -> shapely.Geometry:
    """A footprint by the way along its river (x) and to its left (y), without its courtyards."""
    parts = [shapely.segmentize(p.exterior, MOST_STEP_M) for p in shapely.get_parts(shape)]
    xy, of = shapely.get_coordinates(parts, return_index=True)
    corners = gpd.GeoDataFrame(geometry=shapely.points(xy), crs=ways.crs)
    corners.index = corners.index.astype(str)
    at = locate(corners, ways, river=pd.Series(river, corners.index))
    along = np.stack([at["chainage_m"], -at["offset_min_m"]], axis=1)
    rings = shapely.polygons([shapely.linearrings(along[of == k]) for k in range(len(parts))])
    made = shapely.unary_union(shapely.make_valid(shapely.set_precision(rings, 1e-3)))
    return shapely.simplify(made, LEAST_JOG_M)


def _progress_with_id(tell: Progress, name: Any) -> Progress:
    """The same with the house's id before each line."""
    return lambda text: tell(f"{name} {text}")


def _losses_of_rise(rise: float, band: Any) -> str | None:
    """Coefficients between those of a band that give a rise; None beyond it."""
    if not isinstance(band, str):
        return None
    parts = [p.split(" ") for p in band.split("; ")]
    rises = np.array([float(r) for _, r in parts])
    if math.isnan(rise) or not rises.min() <= rise <= rises.max() or (np.diff(rises) <= 0).any():
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
    house: shapely.Geometry  # one or several polygons without holes
    ahead: float  # where the level is read
    lengths: Array  # to the next section, as the water goes, by that of the chainages [ratio]
    channel: tuple[Array, Array] | None  # right and left edges of the main channel; None: unknown

    @classmethod
    def around(
        cls,
        place: pd.Series,
        sections: pd.DataFrame,
        base: pd.DataFrame,
        name: Any,
        structures: pd.DataFrame | None = None,
        banks: pd.DataFrame | None = None,
        plan: shapely.Geometry | None = None,
    ) -> _HouseReach:
        """The reach that matters around one house, between the structures next to it.

        ``plan``: its footprint by the way along the river and to its left; else a rectangle.
        """
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
        part = _of_one_discharge(part, (a + b) / 2)
        ahead = a - max(AHEAD_M, wide)
        at = part["chainage_m"]
        if len(part) < 3 or at.iloc[0] >= ahead or at.iloc[-1] <= b:
            raise HydraulicsError(
                "stands where the sections don't reach above and below it, without a structure "
                "or another discharge between",
                layer="buildings", ids=[name],
                hint=f"sections from {a - UP_WIDTHS * wide:.0f} to {b + DOWN_WIDTHS * wide:.0f} m",
            )  # fmt: skip
        points = dict(iter(sections[sections["river"] == river].groupby("chainage_m")))
        ground, left, right = [], [], []
        lengths = _reach_length_ratios(part, river, banks)
        walls = _walls_of_sections(part, river, banks)
        for row, sides in zip(each_row(part), walls, strict=True):
            xz = points[row.chainage_m]
            y = -xz["offset_m"].to_numpy(float)[::-1]
            z = xz["elevation_m"].to_numpy(float)[::-1]
            # n counts from a point to the next on its right, here from one to the next on its left
            n = np.roll(xz["n"].astype(float).ffill().to_numpy()[::-1], -1)
            low, high, factor = _water_edges_and_factor(
                y, z, n, float(row.level_m), float(row.conveyance_m3s), sides
            )
            ground.append((y, z, n * factor))
            right.append(low)
            left.append(high)
        block = plan
        if block is None:
            block = shapely.box(a, -float(place["offset_max_m"]), b, -float(place["offset_min_m"]))
        made = cls(
            part["chainage_m"].to_numpy(float), ground, part["level_m"].to_numpy(float),
            np.array(left), np.array(right), float(part["discharge_m3s"].iloc[0]), block, ahead,
            lengths, _channel_edges(part, river, banks),
        )  # fmt: skip
        if not shapely.intersection(made.outline(with_house=False), block).area > 0:
            raise HydraulicsError(
                "stands outside the water of this flood", layer="buildings", ids=[name],
                hint=f"buildings = buildings.drop([{name!r}])  # it raises nothing",
            )  # fmt: skip
        return made

    def bed(self, x: Array, y: Array) -> Array:
        """Elevation of the ground, linear between sections."""
        return self._between_sections(x, y, lambda at, i: np.interp(at, *self.ground[i][:2]))

    def rough(self, x: Array, y: Array) -> Array:
        """N of the ground, linear between sections."""

        def of(at: Array, i: int) -> Array:
            points, _, n = self.ground[i]
            found: Array = n[np.clip(np.searchsorted(points, at, side="right") - 1, 0, len(n) - 2)]
            return found

        # a way that is so much longer costs so much more head, which goes with the square of n
        k = np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, len(self.x) - 2)
        found = self._between_sections(x, y, of)
        return found * np.sqrt(self.lengths[k])

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

    def mean_depth(self, at: float) -> float:
        """Mean depth across the water without the house [m]."""
        right, left = (float(np.interp(at, self.x, v)) for v in (self.right, self.left))
        across = np.linspace(right, left, 201)
        level = float(np.interp(at, self.x, self.level))
        return float(np.maximum(level - self.bed(np.full(201, at), across), 0.0).mean())

    def eddy_viscosity(self) -> float:
        """Eddy viscosity of the reach, of its mean depth and speed where the level is read [m²/s].

        κ/6 u* h, with u*² = g n² v² / h^(1/3).
        """
        depth = self.mean_depth(self.ahead)
        right, left = (float(np.interp(self.ahead, self.x, v)) for v in (self.right, self.left))
        speed = self.discharge / (depth * (left - right))
        across = np.linspace(right, left, 201)
        n = float(self.rough(np.full(201, self.ahead), across).mean())
        return float(EDDY * math.sqrt(GRAVITY_MS2) * n * speed * depth ** (5 / 6))

    def outflow(self) -> tuple[Array, Array]:
        """Places across the lower end, and the discharge a metre there, by the conveyance."""
        across = np.linspace(self.right[-1], self.left[-1], 2001)
        at = np.full(len(across), self.x[-1])
        carried = np.maximum(self.level[-1] - self.bed(at, across), 0.0) ** (5 / 3)
        carried /= self.rough(at, across)
        return across, carried * self.discharge / np.trapezoid(carried, across)

    def channel_width(self) -> float:
        """Mean width of a main channel that is narrow in its water [m]; NaN where there is none."""
        if self.channel is None:
            return math.nan
        right, left = self.channel
        wide = float((left - right).mean())
        narrow = wide < CHANNEL_WIDE * float((self.left - self.right).mean())
        inside = (right > self.right).all() and (left < self.left).all() and (left > right).all()
        return wide if narrow and inside else math.nan

    def channel_rings(self, gap: float, beside: list[list[list[float]]]) -> list[Any]:
        """Rings of the main channel, so far from the ends and from the small cells at the house."""
        if self.channel is None:
            return []
        x = np.clip(self.x, self.x[0] + gap, self.x[-1] - gap)
        there, back = (zip(x, v, strict=True) for v in self.channel)
        strip: shapely.Geometry = shapely.Polygon([*there, *list(back)[::-1]])
        for ring in beside:
            apart = shapely.buffer(shapely.Polygon(ring), gap, join_style="mitre")
            strip = shapely.difference(strip, apart)
        return [shapely.get_coordinates(p.exterior)[:-1].tolist()
                for p in shapely.get_parts(strip) if p.area > gap**2]  # fmt: skip

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
        # pools that a house shuts off hold water, too, but none flows there
        ends = self.x[0] + 0.5, self.x[-1] - 0.5
        parts = [
            p for p in shapely.get_parts(rest) if p.bounds[0] < ends[0] and p.bounds[2] > ends[1]
        ]
        if not parts:
            raise HydraulicsError(
                "covers the whole width of the water", layer="buildings", hint="it can't stay"
            )
        made: shapely.Polygon = parts[0]
        return made

    def beside_house(self, cell: float) -> list[list[list[float]]]:
        """Rings of the water about the house whose cells are small; half a cell from all walls."""
        gap = 0.5 * cell**0.5
        water = shapely.buffer(self.outline(with_house=False), -gap, join_style="mitre")
        far = max(4 * gap, _least_side(shapely.intersection(self.house, water)))
        near = shapely.intersection(water, shapely.buffer(self.house, far, join_style="mitre"))
        if not shapely.get_num_interior_rings(self.outline(with_house=True)):
            near = shapely.difference(near, shapely.buffer(self.house, gap, join_style="mitre"))
        parts = [p for p in shapely.get_parts(near) if p.area > cell]
        parts = parts or [max(shapely.get_parts(near), key=shapely.area)]
        return [shapely.get_coordinates(p.exterior)[:-1].tolist() for p in parts]


def _least_side(shape: shapely.Geometry) -> float:
    """The lesser side of the box of a shape's least part [m]; NaN of nothing."""
    low_x, low_y, high_x, high_y = shapely.bounds(shapely.get_parts(shape)).T
    return float(np.minimum(high_x - low_x, high_y - low_y).min(initial=np.inf))


def _water_edges_and_factor(
    y: Array, z: Array, n: Array, level: float, conveyance: float, sides: tuple[float, float]
) -> tuple[float, float, float]:
    """Edges of the water around the deepest point, and what n times conveys as 1-D does.

    ``sides``: walls and levees on the right and left, beyond which there is none.
    """
    fine = np.linspace(max(y[0], sides[0]) + 1e-6, min(y[-1], sides[1]) - 1e-6, 2001)
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


def _of_one_discharge(part: pd.DataFrame, middle: float) -> pd.DataFrame:
    """Of a reach's sections those about a place that have the discharge which passes it."""
    q, at = part["discharge_m3s"].to_numpy(float), part["chainage_m"].to_numpy(float)
    if not len(q):
        return part
    here = max(int(np.searchsorted(at, middle, side="right")) - 1, 0)
    run = np.cumsum(np.abs(np.diff(q, prepend=q[0])) > 1e-9 * q)
    return part.iloc[np.flatnonzero(run == run[here])]


def _walls_of_sections(
    part: pd.DataFrame, river: Any, banks: pd.DataFrame | None
) -> list[tuple[float, float]]:
    """Right and left of each section: walls, and levees that the water stands below."""
    sides = np.tile([-np.inf, np.inf], (len(part), 1))
    if banks is None:
        return list(map(tuple, sides.tolist()))
    mine = banks[banks["river"] == river].drop_duplicates("chainage_m").set_index("chainage_m")
    level = part["level_m"].to_numpy(float)
    names = [f"{side}_{what}" for side in ("left", "right")
             for what in ("wall_m", "levee_m", "levee_top_m")]  # fmt: skip
    known = mine.reindex(part["chainage_m"]).reindex(columns=names)
    for k, side in ((0, "right"), (1, "left")):
        wall, levee, top = (
            known[f"{side}_{what}"].to_numpy(float) for what in ("wall_m", "levee_m", "levee_top_m")
        )
        levee = np.where(top > level, levee, np.nan)
        for at in (-wall, -levee):
            sides[:, k] = (np.fmin, np.fmax)[k == 0](sides[:, k], at)
    return list(map(tuple, sides.tolist()))


def _reach_length_ratios(part: pd.DataFrame, river: Any, banks: pd.DataFrame | None) -> Array:
    """Length to the next section as the water goes, by that of the chainages.

    The mean of the lengths in the left overbank, the channel and the right one that a model states
    (the chainages' where it states none), by what of the discharge flows there in both sections.
    """
    apart = np.diff(part["chainage_m"].to_numpy(float))
    names = ["left", "channel", "right"]
    if banks is None or not {f"length_{n}_m" for n in names} <= set(banks.columns):
        return np.ones(len(apart))
    mine = banks[banks["river"] == river].set_index("chainage_m").reindex(part["chainage_m"])
    given = mine[[f"length_{n}_m" for n in names]].to_numpy(float)[:-1]
    lengths = np.where(np.isnan(given), apart[:, None], given)
    parts = part[[f"conveyance_{n}_m3s" for n in names]].fillna(0.0).to_numpy(float)
    shares = parts / parts.sum(axis=1, keepdims=True)
    both = shares[:-1] + shares[1:]
    ratios: Array = (lengths * both).sum(axis=1) / both.sum(axis=1) / apart
    return ratios


def _channel_edges(
    part: pd.DataFrame, river: Any, banks: pd.DataFrame | None
) -> tuple[Array, Array] | None:
    """Right and left edges of the main channel, to the left of the centreline; None: not all."""
    if banks is None or not {"left_bank_m", "right_bank_m"} <= set(banks.columns):
        return None
    mine = banks[banks["river"] == river].set_index("chainage_m").reindex(part["chainage_m"])
    left, right = (-mine[f"{side}_bank_m"].to_numpy(float) for side in ("left", "right"))
    return None if np.isnan(left + right).any() else (right, left)


class _Cells(NamedTuple):
    """Largest cells of a mesh [m²]: anywhere, beside the house, in the main channel."""

    most: float
    house: float | None  # None: without the house
    channel: float | None  # None: as anywhere

    def times(self, part: float) -> _Cells:
        """So many times as large."""
        return _Cells(*(None if v is None else v * part for v in self))  # type: ignore[arg-type]


def _cells_of_mesh(reach: _HouseReach, cell: float, shrunk: float, *, with_house: bool) -> _Cells:
    """Largest cells of a mesh whose cells are shrunk so many times."""
    house = channel = None
    if with_house:
        side = _least_side(shapely.intersection(reach.house, reach.outline(with_house=False)))
        house = max(cell * LEAST_SHARE, min(cell, (CORNER_SHARE * side) ** 2 * shrunk))
    wide = reach.channel_width()
    if not math.isnan(wide):
        channel = min(cell, (CHANNEL_SHARE * wide) ** 2 / 2 * shrunk)
    return _Cells(cell, house, channel)


def _rise_on_finer_meshes(
    reach: _HouseReach,
    cell: float,
    within: float,
    level_within: float,
    most: int,
    tell: Progress,
) -> dict[str, Any]:
    """Rise on meshes halved until what is left in doubt is small; each starts from the last."""
    rises: list[float] = []
    found: dict[str, Any] = {}
    other, off = False, 0.0
    waters: dict[bool, _StandingWater] = {}
    begun = time.perf_counter()
    for k in range(most + 1):
        size = cell / 2**k
        for with_house in (False, True):
            word = "with" if with_house else "without"
            cells = _cells_of_mesh(reach, size, 0.5**k, with_house=with_house)
            start = waters.get(with_house, waters.get(False))
            made = waters[with_house] = _standing_water(reach, cells, start=start)
            tell(f"two dimensions {word} the house: {len(made.x)} cells of {size:g} m², "
                 f"{made.level:.4f} m")  # fmt: skip
        rises.append((waters[True].level - waters[False].level) * 1000)
        order, limit, doubt = _order_limit_doubt(rises)
        off = waters[False].level - float(reach.along(reach.level, np.array([reach.ahead]))[0])
        other = abs(off) > level_within * reach.mean_depth(reach.ahead)
        swing = (waters[True].swing + waters[False].swing) * 1000
        found = {"rise_2d_mm": rises[-1], "rise_coarse_mm": rises[0], "rise_2d_limit_mm": limit,
                 "mesh_order": order, "rise_2d_doubt_mm": doubt + swing, "level_off_mm": off * 1000,
                 "cell_m2": size, "n_cells": len(waters[True].x),
                 "seconds": time.perf_counter() - begun}  # fmt: skip
        if found["rise_2d_doubt_mm"] <= within * abs(rises[-1]) or (k and other):
            break
    if other:
        tell(f"two dimensions without the house: {off * 1000:.0f} mm off the profile, no second "
             "opinion")  # fmt: skip
        names = ("rise_2d_mm", "rise_2d_doubt_mm", "rise_2d_limit_mm", "rise_coarse_mm")
        return found | dict.fromkeys(names, math.nan) | {"settled": False}
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
    reach: _HouseReach, cells: _Cells, *, start: _StandingWater | None
) -> _StandingWater:
    """Water about a house when its level above it stands still.

    ``start``: water of another mesh to begin with. Where the middles of three neighbouring cells
    lie on one line ANUGA divides by nothing, and the water runs out through cells that are no
    number: such a mesh is laid anew.
    """
    at_x = np.array([reach.ahead])
    right, left = (float(reach.along(v, at_x)[0]) for v in (reach.right, reach.left))
    line = [[reach.ahead, right + s * (left - right)] for s in np.linspace(0.1, 0.9, 9)]
    for k in range(TRIES):
        domain = _anuga_domain(reach, cells.times(SMALLER**k))
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


def _anuga_domain(reach: _HouseReach, cells: _Cells) -> Any:
    """ANUGA's domain of a reach, with its inflow and its level below; see `_standing_water`."""
    try:
        import anuga
    except ImportError:
        raise LayerError(
            "two dimensions need ANUGA, which isn't installed",
            hint='pip install "pinghu_geo[flood2d]"',
        ) from None
    plan = reach.outline(with_house=cells.house is not None)
    regions: list[list[Any]] = []
    beside = []
    if cells.house is not None:
        beside = reach.beside_house(cells.house)
        regions += [[ring, cells.house] for ring in beside]
    if cells.channel is not None:
        rings = reach.channel_rings(cells.channel**0.5, beside)
        regions += [[ring, cells.channel] for ring in rings]
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
        maximum_triangle_area=cells.most,
        interior_holes=holes or None,
        interior_regions=regions or None,
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
    # without turbulence the edge of an eddy is as thin as a cell, and no mesh is fine enough
    anuga.Kinematic_viscosity_operator(
        domain, diffusivity=reach.eddy_viscosity(), form="momentum", scheme="explicit"
    )
    walls = anuga.Reflective_boundary(domain)
    across, leaving = reach.outflow()
    last = float(reach.level[-1])
    # a discharge that is alike in channel and fields backs the water up for some hundred metres
    below = anuga.Time_space_boundary(
        domain,
        function=lambda t, x, y: [last, float(np.interp(y, across, leaving)), 0.0],  # noqa: ARG005
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
