"""Pairs of shapes and zones by chance, plain and degenerate, for whoever computes shared areas."""

import numpy as np
import shapely

# eastings and northings as they come: local, in a 3-degree zone, with the zone's number in front
PLACES = {"local": (0.0, 0.0), "zone": (513_000.0, 2_510_000.0), "numbered": (38_513_000.0, 2_510_000.0)}  # fmt: skip


def star(rng, n, radius, corners=(3, 9), turn=True):
    """Star-shaped rings around the origin."""
    shapes = []
    for _ in range(n):
        k = int(rng.integers(*corners))
        angle = np.sort(rng.uniform(0, 2 * np.pi, k))
        far = radius * rng.uniform(0.3, 1.0, k)
        ring = np.column_stack([far * np.cos(angle), far * np.sin(angle)])
        shapes.append(shapely.Polygon(ring if turn and rng.random() < 0.5 else ring[::-1]))
    return np.array(shapes, object)


def random_pairs(rng, n):
    """Stars against stars."""
    shapes = moved(star(rng, n, 12.0), rng.uniform(-25, 25, (n, 2)))
    return shapes, star(rng, n, 30.0, (5, 40))


def on_a_lattice(rng, n):
    """Everything on whole metres: shared edges and corners, corners on edges, duplicate corners, holes, parts."""
    low = rng.integers(-12, 10, (n, 2)).astype(float)
    size = rng.integers(1, 9, (n, 2))
    shapes = shapely.box(*low.T, *(low + size).T)
    tri = rng.random(n) < 0.3  # halves of boxes: edges at slopes that meet lattice points
    corners = np.stack([low, low + size * [1, 0], low + size], axis=1)
    shapes[tri] = shapely.polygons(corners[tri])
    holed = np.flatnonzero((size.min(axis=1) >= 3) & ~tri & (rng.random(n) < 0.3))
    shapes[holed] = shapely.difference(
        shapes[holed], shapely.box(*(low[holed] + 1).T, *(low[holed] + size[holed] - 1).T)
    )
    twice = np.flatnonzero(rng.random(n) < 0.1)
    shapes[twice] = [doubled(s) for s in shapes[twice]]
    parts = np.flatnonzero(rng.random(n) < 0.2)
    shapes[parts] = shapely.multipolygons(
        [[s, shapely.box(20, k % 7, 22, k % 7 + 3)] for k, s in enumerate(shapes[parts])]
        if all(s.geom_type == "Polygon" for s in shapes[parts]) else [[s] for s in shapes[parts]]
    ) if len(parts) else shapes[parts]  # fmt: skip
    a = rng.integers(-10, 8, (n, 4, 2)).astype(float)
    b = a + rng.integers(1, 12, (n, 4, 2))
    boxes = shapely.box(a[..., 0], a[..., 1], b[..., 0], b[..., 1])
    zones = shapely.difference(shapely.union_all(boxes[:, :3], axis=1), boxes[:, 3])
    zones = np.array(
        [shapely.union_all([p for p in shapely.get_parts(z) if p.area > 0]) for z in zones]
    )
    return shapes, zones


def snapped(rng, n):
    """Stars that share stretches of their outline with the zone, or all of it, or lie along it."""
    shapes, zones = random_pairs(rng, n)
    good = shapely.is_valid(shapes) & shapely.is_valid(zones)
    shapes, zones = shapes[good], zones[good]
    n = len(shapes)
    parts = shapely.intersection(shapes, zones)
    fits = (shapely.get_type_id(parts) == 3) & (shapely.area(parts) > 1e-3)
    shapes = np.where(fits & (rng.random(n) < 0.5), parts, shapes)
    same = rng.random(n) < 0.1
    shapes = np.where(same, zones, shapes)
    beside = shapely.difference(shapes, zones)
    fits = (shapely.get_type_id(beside) == 3) & (shapely.area(beside) > 1e-3)
    return np.where(fits & (rng.random(n) < 0.3), beside, shapes), zones


KINDS = {"random": random_pairs, "lattice": on_a_lattice, "snapped": snapped}


def doubled(polygon):
    """The same polygon with corners that are there twice."""
    if polygon.geom_type != "Polygon":
        return polygon
    ring = np.repeat(np.asarray(polygon.exterior.coords)[:-1], 2, axis=0)
    return shapely.Polygon(ring, polygon.interiors)


def moved(shapes, by):
    """Each shape moved by its own row."""
    xy, of = shapely.get_coordinates(shapes, return_index=True)
    return shapely.set_coordinates(shapes.copy(), xy + by[of])


def pairs(rng, n, kind, place):
    """Valid pairs of a kind, spread so that none meets another's partner, and what each shares by GEOS."""
    shapes, zones = KINDS[kind](rng, n)
    good = shapely.is_valid(shapes) & shapely.is_valid(zones)
    good &= (shapely.area(shapes) > 1e-3) & (shapely.area(zones) > 1e-3)
    shapes, zones = shapes[good], zones[good]
    n = len(shapes)
    wide = int(np.ceil(np.sqrt(n)))
    at = 100.0 * np.column_stack([np.arange(n) % wide, np.arange(n) // wide]) + PLACES[place]
    # what GEOS says after the move, for that is what is asked: the move itself rounds
    shapes, zones = moved(shapes, at), moved(zones, at)
    good = shapely.is_valid(shapes) & shapely.is_valid(zones)
    shapes, zones = shapes[good], zones[good]
    return shapes, zones, shapely.area(shapely.intersection(shapes, zones))
