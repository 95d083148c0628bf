"""The deepest point of what is inside: by hand, and against a fine grid of points."""

import numpy as np
import pytest
import shapely

import pinghu_geo as pg
from conftest import building_frame, river_frame, zone_frame
from pinghu_geo.redline import depths, stretches
from pinghu_geo.redline.depths import deepest
from pinghu_geo.redline.pieces import LineEdges

STRIP = shapely.box(0, -10, 300, 10)
# a strip 20 m wide that turns a right angle: on the diagonal the apex is furthest from both arms
ELBOW = shapely.union(shapely.box(0, 0, 100, 20), shapely.box(80, 0, 100, 100))


@pytest.mark.parametrize(
    ("shape", "line", "depth"),
    [
        pytest.param(shapely.box(100, -15, 140, 15), STRIP, 10, id="across the whole strip"),
        pytest.param(shapely.box(100, -15, 102, 15), STRIP, 10, id="narrow, across"),
        pytest.param(shapely.box(-50, -30, 350, 30), STRIP, 10, id="holds the strip's end"),
        pytest.param(shapely.box(292, -15, 320, 15), STRIP, 8, id="over the flat end"),
        pytest.param(shapely.box(100, -3, 120, 30), STRIP, 10, id="over the middle from one side"),
        pytest.param(shapely.box(100, 4, 120, 30), STRIP, 6, id="from one side"),
        pytest.param(shapely.box(100, 10, 120, 30), STRIP, 0, id="touching"),
        pytest.param(
            shapely.Polygon([(100, 15), (120, 15), (110, 5)]), STRIP, 5, id="a corner ahead"
        ),
        pytest.param(
            shapely.box(100, -15, 140, 15) - shapely.box(105, -9, 135, 9), STRIP, 10, id="court"
        ),
        pytest.param(
            # t from both outer walls and from the inner corner: t = sqrt(2) (20 - t)
            shapely.box(80, 0, 100, 20), ELBOW, 10 * (4 - 2 * 2**0.5), id="in the elbow",
        ),
        pytest.param(
            shapely.MultiPolygon([shapely.box(10, 5, 20, 20), shapely.box(50, 2, 60, 20)]),
            STRIP, 8, id="two parts, the deeper counts",
        ),
        pytest.param(
            shapely.box(10, -15, 90, 95),
            shapely.MultiPolygon([shapely.box(0, 0, 100, 4), shapely.box(0, 60, 100, 80)]),
            10, id="two strips, the deeper counts",
        ),
    ],
)  # fmt: skip
def test_depth_by_hand(shape, line, depth):
    assert deepest(np.array([shape], object), line) == pytest.approx([depth], abs=0.01)


def test_depth_is_that_of_a_fine_grid_of_points():
    random = np.random.default_rng(7)
    along = np.linspace(0, 900, 180)
    middle = np.c_[along, 60 * np.sin(along / 90)]
    line = shapely.LineString(middle).buffer(12) | shapely.LineString(middle[60:90]).buffer(20)
    centres = middle[random.integers(0, 180, 60)] + random.normal(0, 12, (60, 2))
    shapes = np.array(
        [
            shapely.affinity.rotate(shapely.box(x - a, y - b, x + a, y + b), random.uniform(0, 90))
            for (x, y), (a, b) in zip(centres, random.uniform(0.5, 20, (60, 2)), strict=True)
        ],
        object,
    )
    for shape, depth in zip(shapes, deepest(shapes, line), strict=True):
        inside = shape & line
        if inside.is_empty:
            assert depth == 0
            continue
        x0, y0, x1, y1 = inside.bounds
        x, y = (v.ravel() for v in np.meshgrid(np.linspace(x0, x1, 90), np.linspace(y0, y1, 90)))
        held = shapely.contains_xy(inside, x, y)
        walls = shapely.get_coordinates(inside.segmentize(0.1))
        points = shapely.points(np.r_[np.c_[x[held], y[held]], walls])
        most = shapely.distance(points, line.boundary).max()
        assert most - 0.01 <= depth
        # a point that is as deep exists: at the grid's own spacing from one of its points
        assert depth <= most + np.hypot(x1 - x0, y1 - y0) / 89


def test_the_nearest_piece_of_the_edge_is_that_of_all_pieces():
    # long pieces, pieces of a few millimetres about one centre, holes, several parts
    disc = shapely.Point(150, 200).buffer(30, quad_segs=500)
    line = shapely.union_all([STRIP, disc - disc.centroid.buffer(5), shapely.box(0, 30, 900, 31)])
    random = np.random.default_rng(3)
    xy = np.r_[random.uniform((-20, -40), (320, 260), (400, 2)), [(150, 200), (0, -10), (0, 0)]]
    edges = LineEdges.of(line)
    piece, far = edges.nearest(xy)
    truth = shapely.distance(shapely.points(xy), line.boundary)
    assert far == pytest.approx(truth, abs=1e-9)
    assert edges.distance(xy, piece) == pytest.approx(truth, abs=1e-9)


def test_only_shapes_that_turn_one_way_at_every_corner_are_their_own_hulls():
    corner = shapely.Polygon([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)])
    shapes = {
        shapely.box(0, 0, 1, 1): True,
        shapely.Polygon([(0, 0), (0, 3), (3, 0)]): True,  # clockwise
        corner: False,
        shapely.box(0, 0, 9, 9) - shapely.box(1, 1, 2, 2): False,
        shapely.union_all([shapely.box(0, 0, 1, 1), shapely.box(3, 3, 4, 4)]): False,
        shapely.Polygon([(0, 0), (1, 0), (2, 0), (2, 2)]): False,  # a corner that is none
    }
    found = stretches._are_convex(np.array(list(shapes), object))
    assert found.tolist() == list(shapes.values())
    assert stretches._are_convex(np.array([corner], object)).tolist() == [False]
    hole = shapely.box(0, 0, 9, 9) - shapely.box(1, 1, 2, 2)
    assert stretches._are_convex(np.array([hole], object)).tolist() == [False]


def test_a_house_across_the_strip_needs_no_survey():
    river = river_frame({"A": [(0, 0), (300, 0)]})
    houses = building_frame(
        {"across": shapely.box(100, -15, 140, 15), "sliver": shapely.box(200, 9.7, 210, 20)},
        floors=3,
    )
    with pytest.warns(UserWarning, match="estimated"):
        hit = pg.affected(houses, pg.red_line(river, 10.0), river)
    assert hit["inside_m2"].round(6).tolist() == [800, 3]
    assert hit["cut_depth_m"].tolist() == pytest.approx([10, 0.3], abs=0.01)
    assert hit["needs_survey"].tolist() == [False, True]


def test_a_house_across_the_strip_is_surely_inside():
    houses = building_frame({"across": shapely.box(100, -15, 140, 15)}, floor_area_m2=1.0)
    found = pg.redline.position_uncertainty(houses, zone_frame(STRIP), sigma_m=1.0)
    assert found.buildings["signed_m"].tolist() == pytest.approx([10], abs=0.01)
    assert not found.buildings["field_check"].any()


def test_a_cut_house_keeps_its_depth_in_the_remainders():
    river = river_frame({"A": [(0, 0), (300, 0)]})
    line = pg.red_line(river, 10.0)
    houses = building_frame({"across": shapely.box(100, -60, 140, 60)}, floor_area_m2=900.0)
    rest = pg.remainders(pg.affected(houses, line, river), line)
    assert rest["cut_depth_m"].tolist() == pytest.approx([10], abs=0.01)


def _bends_and_houses(seed: int) -> tuple[np.ndarray, shapely.Geometry]:
    """A strip that bends both ways, a straight one beside it, and footprints on their edges."""
    random = np.random.default_rng(seed)
    along = np.arange(0, 1200, 4.0)
    middle = np.c_[along, 50 * np.sin(along / 60)]
    strip = shapely.LineString(middle).buffer(9, cap_style="flat")
    line = shapely.union_all([strip, shapely.box(0, 120, 1200, 137)])
    corner = shapely.get_coordinates(line)
    at = corner[random.integers(0, len(corner), 400)] + random.normal(0, 6, (400, 2))
    half = random.uniform(1, 9, (400, 2))
    shapes = shapely.box(*(at - half).T, *(at + half).T)
    shapes[::3] = [s - shapely.box(*s.centroid.coords[0], *s.bounds[2:]) for s in shapes[::3]]
    return np.array(
        [shapely.affinity.rotate(s, a) for s, a in zip(shapes, range(0, 4000, 10), strict=True)]
    ), line


@pytest.mark.parametrize("seed", range(3))
def test_closed_form_and_triangles_agree(monkeypatch, seed):
    shapes, line = _bends_and_houses(seed)
    line = shapely.orient_polygons(line)
    shapely.prepare(line)
    depth, known = stretches.depths_beside_stretches(shapes, line, LineEdges.of(line), 1e-3)
    nothing = (np.zeros(len(shapes)), np.zeros(len(shapes), bool))
    monkeypatch.setattr(depths, "depths_beside_stretches", lambda *_: nothing)
    by_triangles = deepest(shapes, line, tolerance_m=1e-3)
    assert known[by_triangles > 0].mean() > 0.6
    assert depth[known] == pytest.approx(by_triangles[known], abs=1e-3 + 1e-6)


@pytest.mark.parametrize(
    ("shape", "line", "depth"),
    [
        pytest.param(shapely.box(100, -15, 102, 15), STRIP, 10, id="ridge between straight banks"),
        pytest.param(shapely.box(100, 4, 120, 30), STRIP, 6, id="one bank"),
        pytest.param(
            # a wall along y = 8 under the roof y = 20 - |x| / 2: at its middle
            shapely.box(-6, 8, 6, 30),
            shapely.Polygon([(-60, -100), (60, -100), (60, -10), (0, 20), (-60, -10)]),
            12 * 2 / 5**0.5, id="on a wall, beside a bank that bends away",
        ),
        pytest.param(
            # a wedge from below, its point at (0, 8): the corners are further off than the middle
            shapely.box(-6, 8, 6, 11),
            shapely.Polygon([(-40, -12), (0, 8), (40, -12), (40, 60), (-40, 60)]),
            # corner (6, 11) from the wedge's right side x + 2 y = 16
            12 / 5**0.5, id="at a corner, beside a bank that bends towards it",
        ),
    ],
)  # fmt: skip
def test_depth_in_closed_form_by_hand(shape, line, depth):
    line = shapely.orient_polygons(line)
    shapely.prepare(line)
    found, known = stretches.depths_beside_stretches(
        np.array([shape], object), line, LineEdges.of(line), 0.01
    )
    assert known.all()
    assert found == pytest.approx([depth], abs=0.01 + 1e-6)
