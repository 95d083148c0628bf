"""The deepest point of what is inside: by hand, and against a fine grid of points."""

import numpy as np
import pytest
import shapely

import pinghu_geo as pg
from conftest import building_frame, river_frame, zone_frame
from pinghu_geo.redline.depths import _LineEdges, deepest

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
    edges = _LineEdges.of(line)
    piece, far = edges.nearest(xy)
    truth = shapely.distance(shapely.points(xy), line.boundary)
    assert far == pytest.approx(truth, abs=1e-9)
    assert edges.distance(xy, piece) == pytest.approx(truth, abs=1e-9)


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
