"""Shared areas by integrals along outlines, against GEOS and by hand."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pairs import KINDS, PLACES, pairs

from pinghu_geo.redline import areas
from pinghu_geo.redline.areas import shared_areas


def by_pair(shapes, zones):
    """Area of each shape in the zone of the same number; nothing else is shared."""
    who, zone, area = shared_areas(shapes, zones)
    assert (who == zone).all()
    found = np.zeros(len(shapes))
    found[who] = area
    return found


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_pair_is_within_a_square_millimetre_of_geos(kind, place):
    rng = np.random.default_rng([len(kind), len(place)])
    shapes, zones, exact = pairs(rng, 4_000, kind, place)
    assert len(shapes) > 2_000
    off = np.abs(by_pair(shapes, zones) - exact)
    assert off.max() < 1e-6
    # what is shared is not rounding either way
    shared = exact > 1e-3
    assert shared.mean() > 0.2
    assert (off[shared] / shapely.area(shapes)[shared]).max() < (1e-9 if place == "local" else 1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_one_zone_of_all_is_the_same(kind):
    shapes, zones, exact = pairs(np.random.default_rng(7), 2_000, kind, "zone")
    who, zone, area = shared_areas(shapes, [shapely.multipolygons(shapely.get_parts(zones))])
    assert not zone.any()
    found = np.zeros(len(shapes))
    found[who] = area
    assert np.abs(found - exact).max() < 1e-6


def test_zones_that_overlap_count_each_and_rows_come_in_order():
    shapes = shapely.box([0, 20, 3], [0, 0, 3], [10, 30, 4], [10, 10, 4])
    zones = [shapely.box(5, -5, 50, 50), shapely.box(0, 0, 25, 5), shapely.box(-9, -9, 99, 99)]
    found = np.column_stack(shared_areas(shapes, zones)).round(9).tolist()
    assert found == [[0, 0, 50], [0, 1, 50], [0, 2, 100], [1, 0, 100], [1, 1, 25], [1, 2, 100],
                     [2, 1, 1], [2, 2, 1]]  # fmt: skip


def test_touching_is_not_sharing():
    hole = shapely.box(-10, -10, 20, 20).difference(shapely.box(0, 0, 10, 10))
    shapes = [shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 10), shapely.box(20, 20, 30, 30)]
    assert shared_areas(shapes, [hole])[0].tolist() == []
    assert shared_areas([], [hole])[0].tolist() == []
    assert shared_areas(shapes, [])[0].tolist() == []


def test_a_house_within_the_hole_of_a_long_corridor_and_one_around_it():
    corridor = shapely.LineString([(0, 0), (5000, 0)]).buffer(40, cap_style="flat")
    island = shapely.box(2000, -10, 2100, 10)
    zone = corridor.difference(island)
    shapes = [
        shapely.box(2040, -5, 2050, 5),
        shapely.box(1990, -20, 2110, 20),
        shapely.box(10, 0, 20, 9),
    ]
    who, _, area = shared_areas(shapes, [zone])
    assert who.tolist() == [1, 2]
    assert area.tolist() == pytest.approx([120 * 40 - 100 * 20, 90], abs=1e-9)


def test_batches_and_corners_aligned_with_reference_points(monkeypatch):
    """Edges that go right through where the reference points are: those pairs are left to GEOS."""
    monkeypatch.setattr(areas, "BATCH", 7)
    x, y = np.meshgrid(np.arange(0, 100, 10.0), np.arange(0, 100, 10.0))
    shapes = shapely.box(x, y, x + 8, y + 8).ravel()
    aside = np.array(areas.ASIDE_M)
    zones = [shapely.box(-50, -50, *(np.array([40.0, 40.0]) - aside)), shapely.box(20, 20, 64, 61)]
    found = np.zeros((len(shapes), 2))
    who, zone, area = shared_areas(shapes, zones)
    found[who, zone] = area
    exact = shapely.area(shapely.intersection(shapes[:, None], np.array(zones)))
    np.testing.assert_allclose(found, exact, atol=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_long_straight_lines_and_houses_of_all_sizes(seed):
    """Corridors along the axes and across, whose edges fall on the borders of the mask's cells."""
    rng = np.random.default_rng(seed)
    step = float(rng.choice([1.0, 2.5, 10.0, 37.0]))
    ends = rng.integers(0, 200, (6, 2, 2)) * step
    ends[::2, 1, rng.integers(0, 2)] = ends[::2, 0, rng.integers(0, 2)]
    lines = shapely.linestrings(ends[np.ptp(ends, axis=1).any(axis=1)])
    zone = shapely.union_all(shapely.buffer(lines, step, cap_style="square", join_style="mitre"))
    low = rng.integers(-5, 205, (3_000, 2)) * step
    size = rng.choice([0.2, 1.0, 3.0], (3_000, 2)) * step
    shapes = shapely.box(*low.T, *(low + size).T)
    found = np.zeros(len(shapes))
    who, _, area = shared_areas(shapes, [zone])
    found[who] = area
    exact = shapely.area(shapely.intersection(shapes, zone))
    assert exact.any()
    np.testing.assert_allclose(found, exact, atol=1e-6, rtol=1e-9)


def test_large_outlines_are_bounded_in_memory_and_left_to_geos(monkeypatch):
    monkeypatch.setattr(areas, "AT_ONCE", 50)
    angle = np.linspace(0, 2 * np.pi, 2_000, endpoint=False)
    wavy = np.column_stack([np.cos(angle), np.sin(angle)]) * (100 + 5 * np.sin(40 * angle))[:, None]
    shapes = [shapely.Polygon(wavy), shapely.Polygon(wavy[::40] + 30), shapely.box(0, 0, 200, 9)]
    zones = [shapely.Polygon(wavy + [17.0, 3.0]), shapely.Polygon(wavy[::50] * 1.3)]
    exact = shapely.area(shapely.intersection(np.array(shapes)[:, None], np.array(zones)))
    found = np.zeros((3, 2))
    who, zone, area = shared_areas(shapes, zones)
    found[who, zone] = area
    np.testing.assert_allclose(found, exact, rtol=1e-9)
    monkeypatch.setattr(areas, "SWEPT", 10**9)
    monkeypatch.setattr(areas, "AT_ONCE", 10**6)
    who, zone, area = shared_areas(shapes, zones)
    found[who, zone] = area
    np.testing.assert_allclose(found, exact, rtol=1e-9)


def test_edges_whose_square_is_nothing():
    """Beside zero, doubles are so fine that the square of an edge's length is 0."""
    zone = shapely.polygons([(0, 0), (1e-200, 1e-200), (10, 0), (10, 10), (0, 10)])
    shape = shapely.box(-5, -5, 5, 5)
    assert shared_areas([shape], [zone])[2] == pytest.approx([25.0])


def test_outlines_of_all_kinds_in_one_layer():
    """Clockwise or not, with a hole, in parts; all are halved by the zone."""
    house, court = shapely.box(0, 0, 10, 10), shapely.box(30, 0, 40, 10)
    shapes = [
        house,
        shapely.reverse(house),
        court - shapely.box(32, 2, 38, 8),
        shapely.MultiPolygon(
            [shapely.box(60, 0, 64, 10), shapely.reverse(shapely.box(66, 0, 68, 10))]
        ),
        shapely.reverse(shapely.MultiPolygon([court])),
    ]
    who, _, area = shared_areas(shapes, [shapely.box(-99, -99, 99, 5)])
    assert who.tolist() == [0, 1, 2, 3, 4]
    assert area.tolist() == pytest.approx([50, 50, 32, 30, 50], abs=1e-9)


def test_cells_of_the_mask_are_as_large_as_the_shapes_but_no_more_than_memory_holds(monkeypatch):
    zone = [shapely.box(0, 0, 1000, 500)]
    houses = shapely.bounds(shapely.box([0, 50, 90], 0, [10, 60, 100], 10))
    assert areas._BoundaryMask.of(zone, houses).cell == 10
    monkeypatch.setattr(areas, "CELLS", 10_000)
    fine = areas._BoundaryMask.of(zone, houses / 20)
    assert 9_000 < fine.on.size < 12_000


def test_a_box_is_in_a_free_region_where_no_boundary_crosses_the_cells_from_its_corner_on():
    """By counting: as many cells each way as the next power of two of the box's own."""
    zone = [shapely.box(0, 0, 1000, 1000) - shapely.box(380, 410, 640, 590)]
    rng = np.random.default_rng(3)
    low = rng.uniform(-100, 1000, (400, 2))
    box = np.column_stack([low, low + rng.choice([4.0, 10, 25, 70, 160], (400, 1))])
    mask = areas._BoundaryMask.of(zone, shapely.bounds(shapely.box(0, 0, 10, 10))[None])
    on = np.pad(mask.on, (0, 64))
    cell = np.maximum(((box.reshape(-1, 2, 2) - mask.corner) / mask.cell).astype(int), 0)
    free = []
    for (i0, j0), (i1, j1) in np.minimum(cell, np.array(mask.on.shape[::-1]) - 1):
        side = 1 << int(max(i1 - i0, j1 - j0)).bit_length()
        free.append(not on[j0 : j0 + side, i0 : i0 + side].any())
    found = mask.regions(box)
    assert (found > 0).tolist() == free
    assert 0.2 < np.mean(free) < 0.9
    # and each is of the zone, or of none, by where any of it lies
    held, _ = areas._zones_of_regions(
        mask, np.array(zone), areas._box_tree(*np.array([[[0], [0]], [[1000], [1000]]]))
    )
    inside = shapely.contains_xy(zone[0], *box[:, :2].T)
    assert np.isin(found, held)[free].tolist() == inside[free].tolist()
    assert set(inside[free].tolist()) == {False, True}


def test_the_distance_of_the_reference_point_from_edges():
    xy = np.array([(3.0, 4, 3, -4), (0, 5, 5, 0), (3, 4, 6, 8), (-6, -8, -3, -4), (2, 2, 2, 2)]).T
    assert areas._distance_from_origin(xy) == pytest.approx([3, 5 / 2**0.5, 5, 5, 8**0.5])


def test_edges_through_reference_points_at_real_coordinates():
    """There doubles are a nanometre apart, and which side a point is on is rounding."""
    rng = np.random.default_rng(11)
    east, north = np.meshgrid(500_000 + 1e3 * np.arange(30), 2_510_000 + 1e3 * np.arange(30))
    low = np.column_stack([east.ravel(), north.ravel()]) + rng.uniform(0, 9, (900, 2))
    shapes = shapely.box(*low.T, *(low + rng.uniform(5, 15, (900, 2))).T)
    angle = rng.uniform(0, 2 * np.pi, 900)
    along = np.column_stack([np.cos(angle), np.sin(angle)])
    aside = np.column_stack([-along[:, 1], along[:, 0]])
    at = low - np.array(areas.ASIDE_M)
    ring = np.stack([at - 200 * along, at + 200 * along, at + 200 * aside], axis=1)
    zones = shapely.polygons(ring)
    exact = shapely.area(shapely.intersection(shapes, zones))
    assert (exact > 1).sum() > 300
    np.testing.assert_allclose(by_pair(shapes, zones), exact, atol=1e-6)


@pytest.mark.parametrize("within", [0.0, 3.0])
def test_rows_near_zones_are_those_whose_boxes_meet_one_of_them(within):
    """Against every box with every zone, of several parts, some empty; zones laid out or not."""
    rng = np.random.default_rng(8)
    rings = shapely.buffer(shapely.points(rng.uniform(0, 400, (40, 2))), rng.uniform(5, 30, 40))
    zones = np.array(
        [*shapely.buffer(shapely.boundary(rings[:20]), 1.5), shapely.Polygon(), *rings[20:]]
    )
    low = rng.uniform(-50, 450, (3000, 2))
    houses = gpd.GeoDataFrame(
        geometry=shapely.box(*low.T, *(low + rng.uniform(1, 40, (3000, 2))).T)
    )
    boxes = houses.geometry.to_numpy()
    want = (shapely.distance(boxes[:, None], zones[None]) <= within).any(axis=1)
    assert 1000 < want.sum() < 2900
    laid = areas.LaidZones.around(zones, shapely.bounds(boxes))
    for given in (zones, laid):
        found = areas.rows_near(houses, given, within_m=within)
        assert found.tolist() == np.flatnonzero(want).tolist()


def test_shared_areas_of_zones_laid_out_for_other_shapes_are_the_same():
    rng = np.random.default_rng(9)
    low = rng.uniform(0, 300, (500, 2))
    shapes = shapely.box(*low.T, *(low + rng.uniform(1, 20, (500, 2))).T)
    zones = shapely.buffer(shapely.points(rng.uniform(0, 300, (9, 2))), 40.0)
    laid = areas.LaidZones.around(zones, shapely.bounds(shapes[:3]) * 5)
    for one, other in zip(shared_areas(shapes, laid), shared_areas(shapes, zones), strict=True):
        assert one == pytest.approx(other, abs=1e-9)
