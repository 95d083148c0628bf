"""Which rings are holes? By what lies inside of what, where their direction says it wrongly."""

from __future__ import annotations

from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np
import shapely

__all__ = ["by_nesting", "rings_turned", "shells_nested"]


def rings_turned(shapes: Any) -> Any:
    """Whether a hole of a shape encloses its shell or lies beside it: both run the wrong way."""
    found = np.zeros(len(shapes), bool)
    parts, of = shapely.get_parts(shapes, return_index=True)
    polygonal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    holed = polygonal & (shapely.get_num_interior_rings(parts) > 0)
    holed[holed] = ~shapely.is_valid(parts[holed])
    for k in np.flatnonzero(holed):
        shell = shapely.Polygon(parts[k].exterior)
        holes = shapely.polygons(list(parts[k].interiors))
        holes = holes[shapely.is_valid(holes)]
        if shell.is_valid:
            odd = shapely.contains(holes, shell) | shapely.disjoint(holes, shell)
            found[of[k]] |= bool(odd.any())
    return found


def shells_nested(shapes: Any) -> Any:
    """Whether a part of a shape lies inside of another part, which makes it invalid."""
    found = np.zeros(len(shapes), bool)
    some = shapely.get_num_geometries(shapes) > 1
    some[some] = ~shapely.is_valid(shapes[some])
    for k in np.flatnonzero(some):
        shells = [shapely.Polygon(p.exterior) for p in shapes[k].geoms if p.geom_type == "Polygon"]
        found[k] = any(
            a.is_valid and b.is_valid and (a.contains(b) or b.contains(a))
            for a, b in combinations(shells, 2)
        )
    return found


def by_nesting(shapes: Any) -> Any:
    """Shapes with each ring a hole where it lies inside of an odd number of others.

    Empty where rings cross: then what is meant can't be told.
    """
    made = np.full(len(shapes), shapely.Polygon(), object)
    for k, shape in enumerate(shapes):
        rings = shapely.get_rings(shapely.get_parts(shape))
        areas = np.asarray(shapely.polygons(rings))
        crossing = any(a.intersects(b) and not a.touches(b) for a, b in combinations(rings, 2))
        if shapely.is_valid(areas).all() and not crossing:
            made[k] = reduce(shapely.symmetric_difference, areas)
    return made
