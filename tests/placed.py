"""Features beside rivers placed by brute force: every segment against every feature, walls by bisection."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

HAIRPIN = np.array([[0, 0], [300, 0], [300, 20], [0, 20], [0, 45], [300, 45.0]])
MILLIMETRE, STEPS = 1e-3, 60


def rivers(rng, kind):
    """Up to three rivers in a 3-degree zone: bends, hairpins with parallel limbs, or a walk."""
    lines = []
    for k in range(rng.integers(1, 4)):
        s = np.linspace(0, 1_000, rng.integers(2, 200))
        xy = np.c_[s * 0.4 + k * 40, 60 * np.sin(s / rng.uniform(30, 120)) + k * 90]
        if kind == "hairpin":
            line = shapely.linestrings(HAIRPIN + [0, k * 100])
            xy = shapely.get_coordinates(shapely.segmentize(line, rng.choice([3.0, 20.0, 1e3])))
        if kind == "walk":
            xy = np.cumsum(rng.normal(0, 12, (len(s), 2)) + [10, 0], axis=0) + [0, k * 300]
        if not shapely.is_simple(shapely.linestrings(xy)):
            xy = np.array([[0, 0], [100, 50], [300, 80.0]]) + [0, 100 * k]
        lines.append(shapely.linestrings(xy + [500_000, 2_500_000]))
    names = pd.Index([f"R{k}" for k in range(len(lines))], name="river")
    return gpd.GeoDataFrame(index=names, geometry=lines, crs=4547)


def features(rng, near, n):
    """Houses at any angle or along the axes, angled ones, points, and some on whole metres, for ties."""
    xy = shapely.get_coordinates(near.geometry.to_numpy())
    at = xy[rng.integers(0, len(xy), n)] + rng.normal(0, rng.choice([5, 30, 150]), (n, 2))
    made = []
    for k in range(n):
        w, h = rng.uniform(2, 30, 2)
        bent = [(0, 0), (w, 0), (w, h / 3), (w / 3, h / 3), (w / 3, h), (0, h)]
        one = (shapely.box(0, 0, w, h), shapely.Polygon(bent), shapely.Point(0, 0))[
            rng.choice(3, p=[0.7, 0.2, 0.1])
        ]
        angle = rng.choice([0.0, rng.uniform(0, 6.28)])
        one = shapely.affinity.rotate(one, angle, use_radians=True, origin=(0, 0))
        one = shapely.affinity.translate(one, *at[k])
        rounded = shapely.set_precision(one, 1.0) if rng.random() < 0.2 else one
        made.append(rounded if rounded.geom_type == one.geom_type and not rounded.is_empty else one)
    return gpd.GeoDataFrame(geometry=made, crs=near.crs)


def placed(shapes, near):
    """River, chainage and distance of each feature, as `locate` defines them."""
    xy = [shapely.get_coordinates(line) for line in near.geometry]
    ends = np.concatenate([np.stack([one[:-1], one[1:]], axis=1) for one in xy])
    river = np.repeat(np.arange(len(xy)), [len(one) - 1 for one in xy])
    length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    total = np.concatenate(
        [np.append(0, np.cumsum(length[river == k]))[:-1] for k in range(len(xy))]
    )
    segments = shapely.linestrings(ends)
    far = shapely.distance(segments[None, :], shapes[:, None])
    least = far.min(axis=1)
    seed = (far <= least[:, None] + 1e-6).argmax(axis=1)
    box = shapely.bounds(shapes)
    reach = np.maximum(4 * np.hypot(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]), 1.0)
    who, seg = np.nonzero(
        (far <= least[:, None] + MILLIMETRE) & (river[None] == river[seed][:, None])
    )
    touch = _touch(shapes[who], ends[seg], segments[seg], length[seg]) + total[seg][:, None]
    wide = (
        _within(shapes[who], ends[seg], length[seg], least[who] + MILLIMETRE) + total[seg][:, None]
    )
    middle = np.empty(len(shapes))
    for k in range(len(shapes)):
        mine = np.flatnonzero(who == k)
        gap = far[k, seg[mine]]
        first = touch[mine[seg[mine] == seed[k]][0], 0]
        tied = mine[(gap <= least[k] + 1e-6) & (touch[mine, 0] <= first + reach[k])]
        exact = 0 if shapes[k].geom_type == "Point" else 1e-9
        tied = tied[far[k, seg[tied]] <= far[k, seg[tied]].min() + exact]
        low, high = touch[tied, 0].min(), touch[tied, 1].max()
        if exact:
            beside = (total[seg[mine]] <= high + reach[k]) & (
                total[seg[mine]] + length[seg[mine]] >= low - reach[k]
            )
            spans = wide[mine[beside]]
            low, high = np.fmin(low, np.nanmin(spans)), np.fmax(high, np.nanmax(spans))
        middle[k] = (low + high) / 2
    return river[seed], middle, least


def _touch(shapes, ends, segments, length):
    """First and last place of each segment that is nearest to its feature, or within it."""
    way = (ends[:, 1] - ends[:, 0]) / length[:, None]
    at = shapely.get_coordinates(shapely.shortest_line(segments, shapes)).reshape(-1, 2, 2)[:, 0]
    found = np.repeat(((at - ends[:, 0]) * way).sum(axis=1)[:, None], 2, axis=1)
    for k in np.flatnonzero(shapely.intersects(segments, shapes)):
        shared = shapely.get_coordinates(shapely.intersection(segments[k], shapes[k]))
        along = ((shared - ends[k, 0]) * way[k]).sum(axis=1)
        found[k] = along.min(), along.max()
    return found


def _within(shapes, ends, length, limit):
    """From where to where each segment is within a limit of the feature's walls; NaN where nowhere."""
    found = np.full((len(shapes), 2), np.nan)
    outline = np.where(shapely.get_dimensions(shapes) == 2, shapely.boundary(shapes), shapes)
    corners = [shapely.get_coordinates(one) for one in outline]
    of = np.repeat(np.arange(len(shapes)), [max(len(c) - 1, 1) for c in corners])
    walls = shapely.linestrings(
        np.concatenate(
            [np.stack([c[:-1], c[1:]], axis=1) if len(c) > 1 else [[c[0], c[0]]] for c in corners]
        )
    )
    start, way = ends[of, 0], (ends[of, 1] - ends[of, 0]) / length[of, None]
    line = shapely.linestrings(ends[of])
    nearest = shapely.get_coordinates(shapely.shortest_line(line, walls)).reshape(-1, 2, 2)[:, 0]
    near = shapely.distance(line, walls) <= limit[of]
    middle = ((nearest - start) * way).sum(axis=1)

    def off(at):
        return shapely.distance(shapely.points(start + at[:, None] * way), walls)

    for side, end in ((0, np.zeros(len(of))), (1, length[of])):
        inside, outside = middle.copy(), end.copy()
        inside = np.where(off(end) <= limit[of], end, inside)
        for _ in range(STEPS):
            half = (inside + outside) / 2
            good = off(half) <= limit[of]
            inside, outside = np.where(good, half, inside), np.where(good, outside, half)
        reduce = np.fmin if side == 0 else np.fmax
        reduce.at(found[:, side], of[near], inside[near])
    return found
