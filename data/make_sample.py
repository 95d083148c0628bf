"""Make the synthetic sample of `data/shapefiles`: the Pinghu case as it might have looked.

Nothing in the sample is real but the names of the four rivers and the published sums that its
parameters aim at: 21 km of rivers, about 370,000 m² of works, villages dense enough that some
300 buildings of about 490 m² of floor area stand in the way (144,000 m² in the published case).
Courses, houses, owners, parcels, prices and dates are drawn by chance from a fixed seed. What the
library computes from them is whatever it computes.

The villages look as urban villages do (城中村): houses of about 10 m x 11 m and 3 to 8 storeys,
1.5 to 3 m apart, in rows along the old channel, cut by lanes; between them workshops, yards and
open land. Their first row stands closer to the water than the new line allows: that is the case.

Run ``python data/make_sample.py`` from the root of the repository; it rewrites the folder.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from rasterio.features import rasterize
from rasterio.transform import from_origin

import pinghu_geo as pg

CRS = 4547  # CGCS2000 / 3-degree Gauss-Kruger CM 114E, right for Shenzhen


@dataclass(frozen=True)
class River:
    """Parameters of one river [m, degrees]."""

    name: str
    length_m: float
    start: tuple[float, float]
    heading_deg: float
    half_width_m: float
    flood_m3s: float = 100.0  # 50-year flood
    joins: tuple[str, float] | None = None  # main stem and the chainage of the mouth on it


@dataclass(frozen=True)
class Parameters:
    """Everything that shapes the sample; change it and run the script again."""

    seed: int = 2017
    rivers: tuple[River, ...] = (
        River("君子布河", 6200.0, (509500.0, 2514200.0), -12.0, 9.7, 110.0),
        River("鹅公岭河", 5300.0, (510200.0, 2511900.0), 8.0, 9.4, 75.0),
        River("山厦河", 4700.0, (0.0, 0.0), -125.0, 7.3, 50.0, joins=("鹅公岭河", 3200.0)),
        River("木古河", 4800.0, (513300.0, 2509000.0), 15.0, 8.6, 90.0),
    )
    vertex_m: float = 10.0
    meander_deg: float = 38.0
    village_m: tuple[float, float] = (90.0, 260.0)  # along the bank
    open_m: tuple[float, float] = (70.0, 400.0)  # gaps between villages
    depth_m: float = 75.0  # built-up strip behind the bank
    house_m: tuple[float, float] = (8.5, 12.5)  # side of a house
    alley_m: tuple[float, float] = (1.2, 2.8)  # between houses
    lane_m: float = 4.5  # street after every fourth house
    shop_share: float = 0.22  # villages that are workshops and factories
    channel_m: float = 2.5  # half the old channel
    setback_m: tuple[float, float] = (0.2, 5.8)  # first row behind the old channel's edge
    sheds_per_village: float = 0.5  # small sheds on the bank itself
    floors: tuple[int, int] = (2, 8)
    tenants_per_floor: float = 0.62
    missing_area_share: float = 0.05  # without a surveyed floor area
    redesigned: int = 10  # reaches that 优化方案 shifts
    shift_m: float = 6.0
    taper_m: float = 40.0
    widths_every_m: float = 20.0
    reach_m: float = 1000.0  # responsible reaches
    fall: float = 0.0022  # slope of the water in the DEM and of the designed bed
    mouth_m: float = 40.0  # level of the water at the mouth of a main river
    strip_m: float = 2.0  # path between the river's wall and the red line
    bed_below_m: float = 1.0  # designed bed below the water that lidar saw
    bank_above_m: float = 2.4  # top of the designed wall above it
    design_every_m: float = 20.0
    # 暗涵: two boxes under a square; the design has no sections in it
    covered: tuple[str, float, float] = ("山厦河", 2000.0, 2080.0)
    n_ground: float = 0.05  # roughness beside the channel
    allowed_mm: float = 20.0  # rise that a house may cause
    wall_gives_m: float = 0.5  # by how much the wall can be led round a house that may stay
    dem_cell_m: float = 5.0
    dem_reach_m: float = 110.0
    rates: dict[str, tuple[float, float, float]] = field(
        default_factory=lambda: {
            # round figures, invented; their level is the published ratio: over 100 million yuan
            # for over 20,000 m², some 5,000 yuan/m²
            "住宅": (4500.0, 300.0, 0.0),
            "商住": (5000.0, 300.0, 200.0),
            "商业": (6000.0, 300.0, 600.0),
            "工业": (3500.0, 200.0, 500.0),
            "仓储": (2500.0, 200.0, 200.0),
        }
    )


def course(river: River, p: Parameters, rng: np.random.Generator, start: np.ndarray) -> np.ndarray:
    """Meandering course (n, 2): the heading swings about a mean with two wavelengths."""
    s = np.append(np.arange(0.0, river.length_m, p.vertex_m), river.length_m)
    phase = rng.uniform(0, 2 * np.pi, 3)
    swing = np.radians(p.meander_deg) * (
        0.7 * np.sin(2 * np.pi * s / 640 + phase[0])
        + 0.45 * np.sin(2 * np.pi * s / 271 + phase[1])
        + 0.35 * np.sin(2 * np.pi * s / 2900 + phase[2])
    )
    angle = np.radians(river.heading_deg) + swing
    step = np.diff(s)[:, None] * np.stack([np.cos(angle[:-1]), np.sin(angle[:-1])], axis=1)
    return start + np.vstack([[0.0, 0.0], np.cumsum(step, axis=0)])


def make_rivers(p: Parameters, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Centrelines drawn downstream; a tributary is laid out from its mouth up, then turned."""
    lines: dict[str, shapely.LineString] = {}
    for river in p.rivers:
        if river.joins is None:
            lines[river.name] = shapely.LineString(course(river, p, rng, np.array(river.start)))
        else:
            stem, at = river.joins
            mouth = np.array(lines[stem].interpolate(at).coords[0])
            lines[river.name] = shapely.LineString(course(river, p, rng, mouth)[::-1])
    return gpd.GeoDataFrame(
        {"start_m": 0.0, "chainage_sign": 1},
        index=pd.Index(list(lines), name="river"),
        geometry=[shapely.set_precision(g, 0.001) for g in lines.values()],
        crs=CRS,
    )


def villages(p: Parameters, rivers: gpd.GeoDataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Built-up stretches of each bank, with gaps between them."""
    rows = []
    for river, line in rivers.geometry.items():
        for side in (1, -1):  # 1 left, -1 right of the flow
            at = rng.uniform(0, p.open_m[1])
            while at < line.length - p.village_m[0]:
                long = min(rng.uniform(*p.village_m), line.length - at)
                rows.append(
                    {
                        "river": river,
                        "side": side,
                        "from_m": at,
                        "to_m": at + long,
                        "works": rng.random() < p.shop_share,
                        "setback_m": rng.uniform(*p.setback_m),
                        "depth_m": p.depth_m * rng.uniform(0.6, 1.2),
                    }
                )
                at += long + rng.uniform(*p.open_m)
    return pd.DataFrame(rows)


def lay_houses(
    village: pd.Series, line: shapely.LineString, p: Parameters, rng: np.random.Generator
) -> list[tuple[shapely.Polygon, shapely.Polygon, bool]]:
    """Houses and their plots of one village, in rows along the bank: (house, plot, works)."""
    middle = (village["from_m"] + village["to_m"]) / 2
    a, b = (np.array(line.interpolate(middle + d).coords[0]) for d in (-40, 40))
    along = (b - a) / np.hypot(*(b - a))
    turn = np.radians(rng.normal(0, 4))
    along = np.array(
        [
            along[0] * np.cos(turn) - along[1] * np.sin(turn),
            along[0] * np.sin(turn) + along[1] * np.cos(turn),
        ]
    )
    out = village["side"] * np.array([-along[1], along[0]])
    origin = np.array(line.interpolate(middle).coords[0])
    half = (village["to_m"] - village["from_m"]) / 2

    def box(s0: float, s1: float, d0: float, d1: float) -> shapely.Polygon:
        corners = [(s0, d0), (s1, d0), (s1, d1), (s0, d1)]
        return shapely.Polygon([origin + s * along + d * out for s, d in corners])

    works = bool(village["works"])
    side, gap = ((18.0, 34.0), (5.0, 9.0)) if works else (p.house_m, p.alley_m)
    found, d, row = [], -30.0, 0
    while d < village["depth_m"]:
        deep, s, k = rng.uniform(*side) * (0.6 if works else 1.0), -half, 0
        while s < half:
            wide, alley = rng.uniform(*side), rng.uniform(*gap)
            if rng.random() < 0.9:  # a yard or a tree now and then
                jut = rng.uniform(0, 0.8)
                found.append(
                    (
                        box(s, s + wide, d + jut, d + deep - rng.uniform(0, 0.8)),
                        box(s - alley / 2, s + wide + alley / 2, d - 0.5, d + deep + 0.5),
                        works,
                    )
                )
            k += 1
            s += wide + (p.lane_m if k % 4 == 0 else alley)
        row += 1
        d += deep + (p.lane_m if row % 2 == 0 else rng.uniform(*gap))
    return found


def lay_shed(
    village: pd.Series, line: shapely.LineString, p: Parameters, rng: np.random.Generator
) -> shapely.Polygon:
    """Shed of a few square metres between the first row and the water."""
    s = rng.uniform(village["from_m"] + 5, village["to_m"] - 5)
    a, b = (np.array(line.interpolate(s + d).coords[0]) for d in (-3, 3))
    along = (b - a) / np.hypot(*(b - a))
    out = village["side"] * np.array([-along[1], along[0]])
    near, wide = p.channel_m + rng.uniform(0.6, 1.6), rng.uniform(2.5, 4.0)
    foot = (a + b) / 2 + near * out
    corners = [foot, foot + wide * along, foot + wide * along + 2.8 * out, foot + 2.8 * out]
    return shapely.Polygon(corners)


def make_fabric(
    p: Parameters, rivers: gpd.GeoDataFrame, stretch: pd.DataFrame, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """All houses that stand clear of the old channels and of one another, with their plots."""
    houses, plots, works, setback, village, bank = [], [], [], [], [], []
    for k, one in stretch.iterrows():
        for house, plot, is_works in lay_houses(one, rivers.geometry[one["river"]], p, rng):
            houses.append(house)
            plots.append(plot)
            works.append(is_works)
            setback.append(p.channel_m + one["setback_m"] + rng.normal(0, 1.0))
            village.append(k)
            bank.append("left" if one["side"] > 0 else "right")
    for k, one in stretch.iterrows():  # after the houses, which go first where two collide
        for _ in range(rng.poisson(p.sheds_per_village)):
            shed = lay_shed(one, rivers.geometry[one["river"]], p, rng)
            houses.append(shed)
            plots.append(shed)
            works.append(False)
            setback.append(p.channel_m)
            village.append(k)
            bank.append("left" if one["side"] > 0 else "right")
    shapes = np.array(houses)
    water = shapely.multilinestrings(list(rivers.geometry))
    shapely.prepare(water)
    clear = shapely.distance(shapes, water) > np.maximum(setback, p.channel_m + 0.5)
    # a straight row may cross a bend: what lies on the far bank is not this village's
    clear &= pg.locate(gpd.GeoDataFrame(geometry=shapes, crs=CRS), rivers)["bank"] == bank
    keep = np.flatnonzero(clear)
    one, other = shapely.STRtree(shapes[keep]).query(
        shapes[keep], predicate="dwithin", distance=0.8
    )
    later = np.zeros(len(keep), bool)
    for a, b in zip(one[one < other], other[one < other], strict=True):
        if not later[a]:
            later[b] = True
    keep = keep[~later]
    return gpd.GeoDataFrame(
        {
            "works": np.array(works)[keep],
            "village": np.array(village)[keep],
            "plot": np.array(plots)[keep],
        },
        geometry=shapely.set_precision(shapes[keep], 0.001),
        crs=CRS,
    )


def furnish(fabric: gpd.GeoDataFrame, p: Parameters, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Attributes of the houses, drawn by chance."""
    n, works = len(fabric), fabric["works"].to_numpy()
    floors = np.where(works, rng.integers(1, 5, n), rng.integers(p.floors[0], p.floors[1] + 1, n))
    use = np.where(
        works,
        rng.choice(["industrial", "storage"], n, p=[0.75, 0.25]),
        rng.choice(["residential", "mixed", "commercial"], n, p=[0.72, 0.22, 0.06]),
    )
    structure = np.where(
        works,
        rng.choice(["concrete", "steel"], n, p=[0.6, 0.4]),
        np.where(
            floors > 4, "concrete", rng.choice(["brick_concrete", "concrete"], n, p=[0.7, 0.3])
        ),
    )
    footprint = fabric.area.to_numpy()
    shed = footprint < 15
    floors = np.where(shed, 1, floors)
    use = np.where(shed, "storage", use)
    structure = np.where(shed, "light", structure)
    surveyed = np.round(footprint * floors * rng.uniform(0.96, 1.03, n), 2)
    surveyed[rng.random(n) < p.missing_area_share] = np.nan
    ids = [f"PH{k:06d}" for k in range(1, n + 1)]
    return gpd.GeoDataFrame(
        {
            "floors": floors,
            "floor_area_m2": surveyed,
            "structure": structure,
            "use": use,
            "title": rng.choice(
                ["registered", "historical", "unregistered"], n, p=[0.3, 0.55, 0.15]
            ),
            "tenure": np.where(works, "collective", "private"),
            "owner": [f"业主{k:05d}" for k in rng.permutation(n) + 1],
            "tenants": np.where(shed, 0, rng.poisson(p.tenants_per_floor * floors)),
        },
        index=pd.Index(ids, name="building_id"),
        geometry=fabric.geometry.to_numpy(),
        crs=CRS,
    )


def make_parcels(fabric: gpd.GeoDataFrame, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Plots of one house each, or of a few neighbours, without overlaps."""
    group = fabric["village"].to_numpy() * 10_000
    turn = np.zeros(len(fabric), int)
    k = 0
    while k < len(fabric):
        many = int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
        turn[k : k + many] = k
        k += many
    plots = gpd.GeoSeries(fabric["plot"].to_numpy(), crs=CRS)
    merged = gpd.GeoDataFrame({"group": group + turn}, geometry=plots).dissolve("group")
    shapes = merged.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    for a, b in zip(one[one < other], other[one < other], strict=True):
        shapes[b] = shapely.difference(shapes[b], shapes[a])
    shapes = shapely.set_precision(shapes, 0.001)
    shapes = shapes[shapely.area(shapes) > 5]
    n = len(shapes)
    return gpd.GeoDataFrame(
        {
            "land_use": rng.choice(
                ["宅基地", "集体建设用地", "国有建设用地"], n, p=[0.6, 0.3, 0.1]
            ),
            "owner": [f"股份合作公司{k % 14 + 1:02d}" for k in range(n)],
        },
        index=pd.Index([f"ZD{k:05d}" for k in range(1, n + 1)], name="parcel_id"),
        geometry=shapes,
        crs=CRS,
    )


def make_zones(
    fabric: gpd.GeoDataFrame, stretch: pd.DataFrame, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Renewal and consolidation areas around a few villages."""
    picked = rng.choice(len(stretch), 8, replace=False)
    hulls = [
        shapely.simplify(
            shapely.buffer(
                shapely.convex_hull(shapely.union_all(fabric.geometry[fabric["village"] == k])), 4
            ),
            1,
        )
        for k in sorted(picked)
    ]
    kinds = ["renewal"] * 5 + ["consolidation"] * 3
    keep = [not h.is_empty for h in hulls]
    rows = [(h, kind) for h, kind, ok in zip(hulls, kinds, keep, strict=True) if ok]
    return gpd.GeoDataFrame(
        {
            "kind": [r[1] for r in rows],
            "name": [
                f"示例{'城市更新' if r[1] == 'renewal' else '土地整备'}项目{k + 1}"
                for k, r in enumerate(rows)
            ],
            "payer": [f"示例实施主体{k + 1}" for k in range(len(rows))],
        },
        index=pd.Index([f"GX{k + 1:02d}" for k in range(len(rows))], name="zone_id"),
        geometry=[r[0] for r in rows],
        crs=CRS,
    )


def base_widths(p: Parameters, rivers: gpd.GeoDataFrame) -> pd.DataFrame:
    """原方案: the same width left and right, growing a little downstream."""
    parts = []
    for river in p.rivers:
        long = rivers.geometry[river.name].length
        at = np.append(np.arange(0.0, long - 1, p.widths_every_m), np.floor(long * 10) / 10)
        half = np.round(river.half_width_m * (0.9 + 0.2 * at / long), 2)
        parts.append(
            pd.DataFrame({"river": river.name, "chainage_m": at, "left_m": half, "right_m": half})
        )
    return pd.concat(parts, ignore_index=True)


def redesign(
    p: Parameters,
    widths: pd.DataFrame,
    rivers: gpd.GeoDataFrame,
    stretch: pd.DataFrame,
    fabric: gpd.GeoDataFrame,
) -> pd.DataFrame:
    """优化方案: where one bank is built up and the other is free, move the line across.

    The width stays what it was. The reaches are the ones with most houses in the line's way,
    as a designer would pick them from the map.
    """
    score = []
    for k, one in stretch.iterrows():
        facing = stretch[(stretch["river"] == one["river"]) & (stretch["side"] != one["side"])]
        free = not (
            (facing["from_m"] < one["to_m"] + p.taper_m / 2)
            & (facing["to_m"] > one["from_m"] - p.taper_m / 2)
        ).any()
        near = fabric.geometry[fabric["village"] == k].distance(rivers.geometry[one["river"]])
        half = next(r.half_width_m for r in p.rivers if r.name == one["river"])
        score.append(((near < half).sum() if free else -1, k))
    chosen = [k for _, k in sorted(score, reverse=True)[: p.redesigned]]
    new = widths.copy()
    for k in chosen:
        one = stretch.loc[k]
        mine = new["river"] == one["river"]
        at = new.loc[mine, "chainage_m"]
        reach = np.minimum(at - one["from_m"], one["to_m"] - at)
        shift = p.shift_m * np.clip(1 + reach / p.taper_m, 0, 1) * one["side"]
        room = new.loc[mine, ["left_m", "right_m"]].min(axis=1) - p.channel_m + 1.5
        shift = np.clip(shift, -room, room).round(2)
        new.loc[mine, "left_m"] = (new.loc[mine, "left_m"] - shift).round(2)
        new.loc[mine, "right_m"] = (new.loc[mine, "right_m"] + shift).round(2)
    return new


def make_segments(p: Parameters, rivers: gpd.GeoDataFrame) -> pd.DataFrame:
    """Responsible reaches of about a kilometre with a group, a leader and dates."""
    rows, group = [], 0
    for river, line in rivers.geometry.items():
        cuts = np.linspace(0, line.length, max(round(line.length / p.reach_m), 1) + 1)
        for lo, hi in zip(cuts[:-1], cuts[1:], strict=True):
            group += 1
            due = pd.Timestamp("2017-06-30") + pd.Timedelta(days=20 * (group % 7))
            rows.append(
                {
                    "河道": river,
                    "起点桩号": pg.format_chainage(lo),
                    "终点桩号": pg.format_chainage(np.ceil(hi) if hi == line.length else hi),
                    "责任组": f"第{group}组",
                    "责任人": f"组长{group:02d}",
                    "开始日期": "2017-03-01",
                    "完成期限": f"{due:%Y-%m-%d}",
                }
            )
    return pd.DataFrame(rows)


def water_level(
    p: Parameters, rivers: gpd.GeoDataFrame, river: np.ndarray, chainage: np.ndarray
) -> np.ndarray:
    """Level of the water that lidar saw [m]; a tributary ends at the level of its main river."""
    end = {}
    for one in p.rivers:
        stem, at = one.joins or (None, 0.0)
        end[one.name] = (
            p.mouth_m
            if stem is None
            else (p.mouth_m + p.fall * (rivers.geometry[stem].length - at))
        )
    mouth = pd.Series(end).loc[river].to_numpy()
    return mouth + p.fall * (rivers.length.loc[river].to_numpy() - chainage)


def make_flood(
    p: Parameters, rivers: gpd.GeoDataFrame, widths: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Designed channel of 原方案, its 50-year flood and the levels at its ends.

    A rectangle between walls that stand a path's width inside the red line: the form that such
    works take between houses. Discharges are round figures that fill it to about half a metre below
    the walls' top.
    """
    parts, flows, ends = [], [], []
    for one in p.rivers:
        long = rivers.geometry[one.name].length
        at = np.append(np.arange(0.0, long - 5, p.design_every_m), np.floor(long * 10) / 10)
        where, a, b = p.covered
        at = at[(at <= a) | (at >= b)] if one.name == where else at
        mine = widths[widths["river"] == one.name]
        left, right = (
            np.interp(at, mine["chainage_m"], mine[c]) - p.strip_m for c in ("left_m", "right_m")
        )
        water = water_level(p, rivers, np.full(len(at), one.name), at)
        parts.append(
            pd.DataFrame(
                {
                    "河道": one.name,
                    "桩号": [pg.format_chainage(c) for c in at],
                    "设计河底高程": (water - p.bed_below_m).round(3),
                    "岸顶高程": (water + p.bank_above_m).round(3),
                    "左宽": left.round(2),
                    "右宽": right.round(2),
                    "边坡系数": 0,
                    "糙率": 0.028,
                    "岸壁糙率": 0.022,
                }
            )
        )
        flows.append({"河道": one.name, "桩号": "K0+000", "流量": one.flood_m3s, "工况": "P=2%"})
        if one.joins is None:
            ends.append({"河道": one.name, "坡降": p.fall})
        else:
            stem, where = one.joins
            main = next(r for r in p.rivers if r.name == stem)
            flows.append(
                {
                    "河道": stem,
                    "桩号": pg.format_chainage(where),
                    "流量": main.flood_m3s + one.flood_m3s * 0.8,
                    "工况": "P=2%",
                }
            )
            ends.append({"河道": one.name, "汇入河道": stem, "汇入桩号": pg.format_chainage(where)})
    return {
        "设计断面": pd.concat(parts, ignore_index=True),
        "设计流量": pd.DataFrame(flows),
        "边界条件": pd.DataFrame(ends),
    }


def make_structures(p: Parameters, rivers: gpd.GeoDataFrame, widths: pd.DataFrame) -> pd.DataFrame:
    """Invented bridges, a covered reach, a weir and a gate, at levels of the designed channel.

    Bridges span from wall to wall; the old one has a pier and hangs lower than the walls' top. The
    gate stands open in floods, the weir is drowned by them.
    """
    rows: list[dict[str, object]] = []

    def stand(
        name: str, kind: str, river: str, at: float, levels: dict[str, float], **more: object
    ) -> None:
        mine = widths[widths["river"] == river]
        left, right = (
            round(float(np.interp(at, mine["chainage_m"], mine[c])) - p.strip_m, 2)
            for c in ("left_m", "right_m")
        )
        bed = float(water_level(p, rivers, np.array([river]), np.array([at]))[0]) - p.bed_below_m
        seat = 0.5 if kind == "桥" else 0.0  # a bridge bears behind the walls
        rows.append(
            {"建筑物编号": name, "河道": river, "桩号": pg.format_chainage(at), "类型": kind}
            | ({"起点偏距": -left - seat, "终点偏距": right + seat} if kind in ("桥", "堰") else {})
            | {k: round(bed + above, 3) for k, above in levels.items()}
            | more
        )

    wall = p.bed_below_m + p.bank_above_m
    high = {"梁底高程": wall + 0.3, "桥面高程": wall + 1.5}
    stand("君子布河1号桥", "桥", "君子布河", 1650.0, high, 顺河宽=10.0)
    stand(
        "君子布河2号桥", "桥", "君子布河", 4330.0,
        {"梁底高程": wall - 0.2, "桥面高程": wall + 0.8}, 顺河宽=8.0, 墩数=1, 墩宽=0.8,
        低水算法="energy+momentum",
    )  # fmt: skip
    stand(
        "鹅公岭河节制闸", "闸", "鹅公岭河", 2510.0, {"闸底高程": 0.0}, 闸孔数=2, 闸孔净宽=6.0,
        闸门高=3.4, 闸门开度=3.4,
    )  # fmt: skip
    stand("鹅公岭河1号桥", "桥", "鹅公岭河", 1110.0, high, 顺河宽=12.0)
    river, a, b = p.covered
    fall = p.fall * (b - a) / 2
    stand(
        "山厦河暗涵", "暗涵", river, (a + b) / 2,
        {"进口底高程": fall * 0.9, "出口底高程": -fall * 0.9}, 洞形="箱形", 净宽=5.0,
        净高=3.0, 孔数=2, 长度=72.0, 糙率=0.015,
    )  # fmt: skip
    stand("木古河溢流堰", "堰", "木古河", 2510.0, {"堰顶高程": 0.2})
    return pd.DataFrame(rows)


def undecided(
    target: Path, p: Parameters, rivers: gpd.GeoDataFrame, hit: gpd.GeoDataFrame
) -> pd.Series:
    """Which houses the water leaves undecided: the rise allowed runs through their band."""
    flows, ends, structures = (
        pg.read_table(target / f"{file}.csv", noun)
        for file, noun in (
            ("设计流量", "flows"), ("边界条件", "boundaries"), ("桥涵闸坝", "structures"),
        )
    )  # fmt: skip
    made = pg.sections_from_dem(
        rivers,
        target / "地面高程.tif",
        pg.design_sections(pg.read_table(target / "设计断面.csv", "design")),
        n=p.n_ground,
        half_width_m=50,
        structures=structures,
    )
    rises = pg.building_rises(
        hit, made.sections, flows, ends, rivers, banks=made.banks, structures=structures,
        allowed_mm=p.allowed_mm,
    )  # fmt: skip
    return rises["rise_alone_low_mm"].le(p.allowed_mm) & rises["rise_alone_high_mm"].gt(
        p.allowed_mm
    )


def make_evidence(
    buildings: gpd.GeoDataFrame,
    hit: gpd.GeoDataFrame,
    doubted: pd.Series,
    p: Parameters,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """What the survey of the affected houses says of them, drawn by chance; blanks are not known.

    可拆可不拆 are those that the line cuts by less than two metres: the wall can stand without
    their ground. Houses that the water leaves undecided (``doubted``) have been looked at a second
    time, for on them the survey may decide: nothing is left blank of them, and those that stand in
    the wall's way by ``wall_gives_m`` at most are 可拆可不拆 too, for the wall can be led round.
    """
    n = len(hit)
    again = doubted.reindex(hit.index).to_numpy(bool)

    def said(share: float, unknown: float = 0.08) -> np.ndarray:
        words = np.where(rng.random(n) < share, "是", "否").astype(object)
        words[(rng.random(n) < unknown) & ~again] = None
        return words

    spared = hit["cut_depth_m"] < p.strip_m + np.where(again, p.wall_gives_m, 0.0)
    title = buildings.loc[hit.index, "title"].astype(str).to_numpy()
    return pd.DataFrame(
        {
            "房屋编号": hit.index,
            "排污达标": said(0.8),
            "可拆可不拆": np.where(spared, "是", "否"),
            "结构安全": said(0.9),
            "权属合法": np.where(title == "unregistered", "否", "是"),
        }
    )


def make_dem(p: Parameters, rivers: gpd.GeoDataFrame, target: Path) -> None:
    """Ground near the rivers as lidar sees it: valley, banks, and the water's flat surface."""
    near = shapely.buffer(rivers.geometry.to_numpy(), p.dem_reach_m)
    x0, y0, x1, y1 = shapely.total_bounds(near)
    cols, rows = (int(np.ceil(v / p.dem_cell_m)) for v in (x1 - x0, y1 - y0))
    grid = from_origin(x0, y1, p.dem_cell_m, p.dem_cell_m)
    inside = rasterize(near, (rows, cols), transform=grid).astype(bool)
    r, c = np.nonzero(inside)
    x, y = x0 + (c + 0.5) * p.dem_cell_m, y1 - (r + 0.5) * p.dem_cell_m
    spots = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=CRS)
    where = pg.locate(spots, rivers)
    water = water_level(p, rivers, where["river"].to_numpy(), where["chainage_m"].to_numpy())
    away = np.maximum(where["distance_m"].to_numpy() - p.channel_m, 0.0)
    ground = water + np.where(away > 0, 1.2 + np.minimum(away, 6) * 0.35 + 0.012 * away, 0.0)
    z = np.full((rows, cols), -9999.0, np.float32)
    z[r, c] = np.round(ground, 1)
    with rasterio.open(
        target,
        "w",
        driver="GTiff",
        height=rows,
        width=cols,
        count=1,
        dtype="float32",
        crs=f"EPSG:{CRS}",
        transform=grid,
        nodata=-9999.0,
        compress="deflate",
        predictor=3,
        zlevel=9,
        tiled=True,
    ) as file:
        file.write(z, 1)


# --- the campaign: its own random stream, so that what stands above doesn't change ---

GROUPS = 10
CAMPAIGN_START = pd.Timestamp("2017-11-01")
LOG_END = pd.Timestamp("2018-08-31")
# what one crew does a day, by stage: round figures, invented
PER_DAY = {
    "摸底": 2.0,
    "测绘评估": 110.0,
    "谈判": 0.2,
    "签约": 1.0,
    "清租腾空": 0.8,
    "拆除": 110.0,
    "清运": 200.0,
}
CREWS = {"谈判": 2}
ENTRY = {  # first day of the contractor on each river, metres a day
    "君子布河": ("2018-05-07", 60.0),
    "鹅公岭河": ("2018-05-14", 55.0),
    "山厦河": ("2018-05-02", 60.0),
    "木古河": ("2018-04-23", 60.0),
}
BLOCKERS = (
    "产权纠纷",
    "对补偿标准有异议",
    "租户拒迁",
    "业主在外地",
    "继承人未达成一致",
    "设备搬迁未落实",
)
COMMUNITIES = [
    "平湖",
    "白坭坑",
    "辅城坳",
    "鹅公岭",
    "禾花",
    "良安田",
    "力昌",
    "上木古",
    "山厦",
    "新木",
    "新南",
    "凤凰",
]
SURNAMES = tuple("陈李张黄何林刘罗周吴")


def make_tenants(
    buildings: gpd.GeoDataFrame, near: pd.Index, rng: np.random.Generator
) -> pd.DataFrame:
    """Tenants of the houses at the line, as many as the houses' table counts."""
    rows = []
    for building, one in buildings.loc[near].iterrows():
        works = one["use"] in ("industrial", "storage")
        for _ in range(int(one["tenants"])):
            kind = "工厂" if works else str(rng.choice(["住户", "商户"], p=[0.8, 0.2]))
            area = {"工厂": (80, 600), "商户": (20, 120), "住户": (12, 60)}[kind]
            days = int(rng.integers(-60, 700))
            rows.append(
                {
                    "租户编号": f"ZH{len(rows) + 1:05d}",
                    "房屋编号": building,
                    "租户类型": kind,
                    "租户名称": f"{rng.choice(SURNAMES)}租户{len(rows) + 1:05d}",
                    "承租面积": round(float(rng.uniform(*area)), 1),
                    "租约到期": f"{CAMPAIGN_START + pd.Timedelta(days=days):%Y-%m-%d}",
                }
            )
    return pd.DataFrame(rows)


def make_campaign(rivers: gpd.GeoDataFrame, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Groups, community lines, the contractor's entry and what crews do a day."""
    groups = pd.DataFrame(
        {
            "责任组": [f"第{k + 1}组" for k in range(GROUPS)],
            "责任人": [f"{rng.choice(SURNAMES)}组长{k + 1:02d}" for k in range(GROUPS)],
        }
    )
    lines, entry = [], []
    for river, line in rivers.geometry.items():
        at, k = 0.0, int(rng.integers(0, len(COMMUNITIES)))
        while (at := at + float(rng.uniform(150, 420))) < line.length - 100:
            pair = f"{COMMUNITIES[k % len(COMMUNITIES)]}/{COMMUNITIES[(k + 1) % len(COMMUNITIES)]}"
            lines.append(
                {"河道": river, "桩号": pg.format_chainage(at), "界线名称": f"{pair}社区界"}
            )
            k += 1
        first, speed = ENTRY[river]
        entry.append(
            {
                "河道": river,
                "起点桩号": pg.format_chainage(0.0),
                "终点桩号": pg.format_chainage(np.ceil(line.length)),
                "开始进场": first,
                "推进速度": speed,
            }
        )
    capacity = [
        {"责任组": group, "阶段": stage, "每队每日工效": each, "队伍数": CREWS.get(stage, 1)}
        for group in groups["责任组"]
        for stage, each in PER_DAY.items()
    ]
    return {
        "责任组": groups,
        "社区界": pd.DataFrame(lines),
        "进场计划": pd.DataFrame(entry),
        "工效": pd.DataFrame(capacity),
    }


def make_log(target: Path, rng: np.random.Generator) -> pd.DataFrame:
    """Reports as they might have come in: after the plan, with delays, blockers, corrections."""
    from pinghu_geo.computing import project_campaign
    from pinghu_geo.plan import read_plan

    plan = read_plan(target / "project.toml")
    plan.campaign.pop("log", None)
    plan.campaign["store"] = "no reports yet.gpkg"
    found, *_ = project_campaign(plan)
    words = dict(found.stages["zh"])
    due = found.plan.activities.pivot(index="node_id", columns="stage", values="finish")
    slow = pd.Series(rng.uniform(0.95, 1.25, GROUPS), [f"第{k + 1}组" for k in range(GROUPS)])
    rows: list[tuple[str, str, str, pd.Timestamp, str, str, str]] = []
    stuck = set(rng.choice(found.tasks.nodes.index, 12, replace=False))
    for node, one in found.tasks.nodes.iterrows():
        who = f"{one['group']}填报员"
        factor = slow[one["group"]] * rng.uniform(0.92, 1.12)
        hold = int(rng.integers(25, 300)) if node in stuck else 0
        houses = found.tasks.buildings.index[found.tasks.buildings["node_id"] == node]
        for building in houses:
            rows += _house(building, due.loc[node], factor, hold, who, words, rng)
        for tenant, person in found.tasks.tenants.iterrows():
            if person["building_id"] in houses:
                rows += _tenant(tenant, person["building_id"], rows, who, rng)
    table = pd.DataFrame(rows, columns=["kind", "id", "阶段", "日期", "填报人", "卡点", "更正原因"])
    table = table[table["日期"] <= LOG_END].drop_duplicates(["id", "阶段", "日期", "更正原因"])
    table = table.sort_values(["日期", "id", "更正原因"], kind="stable").reset_index(drop=True)
    house = table["kind"] == "house"
    table.insert(0, "房屋编号", table["id"].where(house, ""))
    table.insert(1, "租户编号", table["id"].where(~house, ""))
    return table.drop(columns=["kind", "id"]).assign(日期=table["日期"].dt.strftime("%Y-%m-%d"))


def _house(building, due, factor, hold, who, words, rng) -> list:  # noqa: ANN001
    """Reports of one house: each stage after its plan's day, later where the node is stuck."""
    rows, last = [], CAMPAIGN_START
    lag = pd.Timedelta(days=int(rng.integers(0, 6)))
    caught = False
    for stage, word in words.items():
        day = CAMPAIGN_START + (due[stage] - CAMPAIGN_START) * factor + lag
        if hold and stage in ("signed", "vacated"):
            if not caught:
                reason = str(rng.choice(BLOCKERS))
                for week in range(0, hold, 21):
                    rows.append(("house", building, words["negotiation"],
                                 last + pd.Timedelta(days=week + 2), who, reason, ""))  # fmt: skip
            caught = True
        if caught:
            day += pd.Timedelta(days=hold)
        day = max(day.normalize(), last + pd.Timedelta(days=1), *(r[3] for r in rows[-1:]))
        rows.append(("house", building, word, day, who, "", ""))
        if stage == "signed" and rng.random() < 0.03:  # an agreement that didn't hold
            back = day + pd.Timedelta(days=3)
            rows.append(("house", building, words["negotiation"], back, who, "", "协议作废重谈"))
            day = back + pd.Timedelta(days=int(rng.integers(7, 20)))
            rows.append(("house", building, word, day, who, "", ""))
        last = day
    return rows


def _tenant(tenant, building, rows, who, rng) -> list:  # noqa: ANN001
    """Reports of one tenant: found at the survey, signed and out before the house is empty."""
    own = [r for r in rows if r[1] == building]
    when = {r[2]: r[3] for r in own}
    out = when["清租腾空"] - pd.Timedelta(days=int(rng.integers(0, 9)))
    signed = out - pd.Timedelta(days=int(rng.integers(3, 25)))
    signed = max(when["摸底"] + pd.Timedelta(days=1), signed)
    return [
        ("tenant", tenant, "签约", min(signed, out), who, "", ""),
        ("tenant", tenant, "清租腾空", max(signed, out), who, "", ""),
    ]


def chinese(table: pd.DataFrame) -> pd.DataFrame:
    """Width table as an office would send it: Chinese headings, chainage as text."""
    text = [pg.format_chainage(c) for c in table["chainage_m"]]
    return pd.DataFrame(
        {"河道": table["river"], "桩号": text, "左宽": table["left_m"], "右宽": table["right_m"]}
    )


def main(target: Path, p: Parameters) -> None:
    """Write the whole sample."""
    rng = np.random.default_rng(p.seed)
    rivers = make_rivers(p, rng)
    stretch = villages(p, rivers, rng)
    fabric = make_fabric(p, rivers, stretch, rng)
    buildings = furnish(fabric, p, rng)
    target.mkdir(parents=True, exist_ok=True)
    pg.write_layer(rivers, target / "河道.shp", "rivers")
    pg.write_layer(buildings, target / "房屋.shp", "buildings")
    pg.write_layer(make_parcels(fabric, rng), target / "宗地.shp", "parcels")
    pg.write_layer(make_zones(fabric, stretch, rng), target / "更新整备.shp", "zones")
    # as such files arrive: no .cpg, and a code-page byte that says nothing
    (target / "宗地.cpg").unlink()
    with (target / "宗地.dbf").open("r+b") as file:
        file.seek(29)
        file.write(b"\0")
    before = base_widths(p, rivers)
    after = redesign(p, before, rivers, stretch, fabric)
    for name, table in (("原方案", before), ("优化方案", after)):
        chinese(table).to_csv(target / f"红线宽度_{name}.csv", index=False, encoding="utf-8-sig")
    make_segments(p, rivers).to_csv(target / "责任段.csv", index=False, encoding="utf-8-sig")
    pd.DataFrame(
        [
            {"用途": use, "房屋补偿单价": a, "搬迁费单价": b, "停产停业单价": c}
            for use, (a, b, c) in p.rates.items()
        ]
    ).to_csv(target / "补偿标准_示例.csv", index=False, encoding="utf-8-sig")
    for name, table in make_flood(p, rivers, before).items():
        table.to_csv(target / f"{name}.csv", index=False, encoding="utf-8-sig")
    make_structures(p, rivers, before).to_csv(
        target / "桥涵闸坝.csv", index=False, encoding="utf-8-sig"
    )
    make_dem(p, rivers, target / "地面高程.tif")
    hit = pg.affected(buildings, pg.red_line(rivers, before), rivers)
    doubted = undecided(target, p, rivers, hit)
    make_evidence(buildings, hit, doubted, p, np.random.default_rng(p.seed + 1)).to_csv(
        target / "留房依据.csv", index=False, encoding="utf-8-sig"
    )
    rng = np.random.default_rng(p.seed + 2)
    wide = before.assign(left_m=before["left_m"] + 1.2, right_m=before["right_m"] + 1.2)
    near = pg.affected(buildings, pg.red_line(rivers, wide), rivers).index
    tables = {"租户": make_tenants(buildings, near.union(hit.index), rng)}
    for name, table in (tables | make_campaign(rivers, rng)).items():
        table.to_csv(target / f"{name}.csv", index=False, encoding="utf-8-sig")
    if (target / "project.toml").exists():
        log = make_log(target, np.random.default_rng(p.seed + 3))
        log.to_csv(target / "进度日志_示例.csv", index=False, encoding="utf-8-sig")
    print(f"{len(buildings):,} buildings, {rivers.length.sum():,.0f} m of rivers")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data/shapefiles"), Parameters())
