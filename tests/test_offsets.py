"""Offsets counted from a bank, without sign, from point to point, from right to left: one section."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from test_headings import csv
from test_rasters import PLANE, X, Y, tif

import pinghu_geo as pg
from conftest import building_frame, river_frame

RIGHT = pd.DataFrame(
    {"river": "R", "chainage_m": np.repeat([40.0, 200.0], 5),
     "offset_m": [-7.0, -5, 2, 4, 6] * 2, "elevation_m": [53.0, 48, 47, 49, 52] * 2,
     "n": [0.05, 0.03, 0.02, 0.04, 0.04] * 2}
)  # fmt: skip
WRITTEN = [  # origin, order, offsets as surveyed, where the centreline is
    ("centre", "left_to_right", [-7, -5, 2, 4, 6], None),
    ("centre", "right_to_left", [6, 4, 2, -5, -7], None),
    ("left_bank", "left_to_right", [0, 2, 9, 11, 13], 7.0),
    ("left_bank", "right_to_left", [13, 11, 9, 2, 0], 7.0),
    ("right_bank", "left_to_right", [13, 11, 4, 2, 0], 6.0),
    ("right_bank", "right_to_left", [0, 2, 4, 11, 13], 6.0),
    ("unsigned", "left_to_right", [7, 5, 2, 4, 6], None),
    ("unsigned", "right_to_left", [6, 4, 2, 5, 7], None),
    ("increments", "left_to_right", [0, 2, 7, 2, 2], 7.0),
    ("increments", "right_to_left", [0, 2, 2, 7, 2], 6.0),
]


def surveyed(order, offsets):
    """The sections as a surveyor writes them down: n is of the ground to the next point."""
    made = RIGHT.copy()
    if order == "right_to_left":
        made["elevation_m"] = made.groupby("chainage_m")["elevation_m"].transform(
            lambda z: z.to_numpy()[::-1]
        )
        made["n"] = [0.04, 0.02, 0.03, 0.05, 0.05] * 2
    return made.assign(offset_m=np.tile(np.array(offsets, float), 2))


@pytest.mark.parametrize(("origin", "order", "offsets", "centre"), WRITTEN)
def test_every_way_to_count_gives_the_same_section(origin, order, offsets, centre):
    if origin == "unsigned":  # the nearest point is right of the line, which no distance says
        offsets = np.abs(offsets)
    found = pg.flood.section_offsets(
        surveyed(order, offsets), origin=origin, order=order, centre_m=centre
    )
    wanted = RIGHT
    if (
        origin == "unsigned" and order == "right_to_left"
    ):  # the nearest is taken for the second half
        wanted = RIGHT.assign(offset_m=[-7.0, -5, -2, 4, 6] * 2)
    for column in ("offset_m", "elevation_m"):
        assert found[column].tolist() == wanted[column].tolist()
    # the roughness stays on its ground: between the same two points
    for _, part in found.groupby("chainage_m"):
        assert part["n"].tolist()[:-1] == [0.05, 0.03, 0.02, 0.04]
    levels = pg.water_profile(found, 20.0, {"slope": 0.001})["level_m"]
    if origin != "unsigned":
        assert (
            levels.tolist() == pg.water_profile(RIGHT, 20.0, {"slope": 0.001})["level_m"].tolist()
        )


def test_the_middle_and_a_column_say_where_the_centreline_is():
    bank = surveyed("left_to_right", [0, 2, 9, 11, 13])
    found = pg.flood.section_offsets(bank, origin="left_bank", centre_m="middle")
    assert found["offset_m"].tolist() == [-6.5, -4.5, 2.5, 4.5, 6.5] * 2
    bank["中桩"] = np.repeat([7.0, 6.0], 5)
    found = pg.flood.section_offsets(bank, origin="left_bank", centre_m="中桩")
    assert found["offset_m"].tolist() == [-7, -5, 2, 4, 6, -6, -4, 3, 5, 7]
    with pytest.raises(pg.errors.LayerError, match="needs the place of the centreline"):
        pg.flood.section_offsets(bank, origin="left_bank")


@pytest.mark.parametrize(
    ("offsets", "option", "match"),
    [
        ([6, 4, 2, -5, -7], {}, "run back"),
        ([-7, -5, 2, 4, 6], {"order": "right_to_left"}, "run back"),
        ([0, 2, -7, 2, 2], {"origin": "increments", "centre_m": 5}, "below 0"),
        ([7, 2, 5, 4, 6], {"origin": "unsigned"}, "don't fall to the centreline"),
        ([7, 5, 5, 5, 6], {"origin": "unsigned"}, "three or more points nearest"),
        ([-7, 5, 2, 4, 6], {"origin": "unsigned"}, "signed offsets"),
    ],
)
def test_what_can_t_be_is_refused_by_section(offsets, option, match):
    with pytest.raises(pg.errors.LayerError, match=rf"{match}.* \(1: R K0\+040.0\)"):
        pg.flood.section_offsets(surveyed("left_to_right", offsets), **option)


@pytest.mark.parametrize("heading", ["偏距", "起点距", "offset_m"])
@pytest.mark.parametrize(
    "offsets", [[0, 2, 9, 11, 13], [-13, -11, -9, -2, 0], [20, 22, 29, 31, 33]]
)
def test_offsets_from_a_bank_are_asked_about_where_something_stands_beside(
    tmp_path, heading, offsets
):
    """Levels are the same wherever offsets are counted from; buildings, walls and ground are not."""
    river = river_frame({"R": [(X + 20, Y + 150), (X + 280, Y + 150)]})
    surveyed("left_to_right", offsets).rename(columns={"offset_m": heading}).to_csv(
        tmp_path / "s.csv", index=False
    )
    bed = pg.read_table(tmp_path / "s.csv", "sections")
    house = building_frame({"H": shapely.box(X + 90, Y + 152, X + 99, Y + 158)})
    for call in (
        lambda t: pg.sections_from_dem(river, tif(tmp_path / "a.tif", PLANE), t, n=0.05),
        lambda t: pg.building_obstacles(house, t, river),
        lambda t: pg.flood.section_lines(t, river),
        lambda t: pg.building_rises(house, t, 20.0, {"slope": 0.001}, river, allowed_mm=5.0),
        lambda t: pg.search.moved_sections(t, 9.0, 8.0, river),
    ):
        with pytest.raises(pg.errors.LayerError, match="on one side of the centreline"):
            call(bed)
    about = bed.assign(offset_m=bed["offset_m"] - bed["offset_m"].median())
    end = {"slope": 0.001}
    np.testing.assert_allclose(
        pg.water_profile(bed, 20.0, end)["level_m"], pg.water_profile(about, 20.0, end)["level_m"]
    )


@pytest.mark.parametrize("offsets", [[6, 4, 2, -5, -7], [6, 6, 0, -6, -6], [7, 5, 2, 4, 6]])
def test_offsets_that_run_back_are_refused_alike(tmp_path, offsets):
    river = river_frame({"R": [(X + 20, Y + 150), (X + 280, Y + 150)]})
    bed = surveyed("left_to_right", offsets)
    with pytest.raises(pg.errors.LayerError, match="offsets that run back") as error:
        pg.sections_from_dem(river, tif(tmp_path / "a.tif", PLANE), bed, n=0.05, half_width_m=20)
    with pytest.raises(pg.PinghuError, match="offsets that run back"):
        pg.water_profile(bed, 20.0, {"slope": 0.001})
    if offsets[-1] < 0:
        names = {"pg": pg, "bed": bed}
        exec(error.value.hint, names)
        made = pg.sections_from_dem(
            river, tif(tmp_path / "a.tif", PLANE), names["bed"], n=0.05, half_width_m=20
        )
        assert made.banks["left_bank_m"].iloc[0] == min(offsets)


@pytest.mark.parametrize("offsets", [[0, 1, 9, 11, 12], [-12, -11, -3, -1, 0], [3, 4, 5, 6, 7]])
def test_offsets_of_one_side_are_a_question(tmp_path, offsets):
    river = river_frame({"R": [(X + 20, Y + 150), (X + 280, Y + 150)]})
    bed = surveyed("left_to_right", offsets)
    with pytest.raises(pg.errors.LayerError, match="one side of the centreline") as error:
        pg.sections_from_dem(river, tif(tmp_path / "a.tif", PLANE), bed, n=0.05, half_width_m=20)
    names = {"pg": pg, "bed": bed}
    exec(error.value.hint, names)
    half = (max(offsets) - min(offsets)) / 2
    assert names["bed"]["offset_m"].agg(["min", "max"]).tolist() == [-half, half]


def test_a_column_of_increments_is_summed_and_one_of_offsets_is_not(tmp_path):
    points = "".join(
        f"R,{c},{x},{z},0.03\n" for c in (0, 100)
        for x, z in zip((0, 2, 3, 5, 6), (4, 1, 1, 1, 4), strict=True)
    )  # fmt: skip
    path = csv(tmp_path, "河道,桩号,间距,高程,糙率\n" + points)
    found = pg.read_table(path, "sections")
    assert found["offset_m"].tolist() == [0, 2, 5, 10, 16] * 2
    depth = pg.water_profile(found, 20.0, {"slope": 0.001})["depth_m"].round(2).tolist()
    assert depth[0] == 1.73  # of points at 0, 2, 5, 10, 16
    assert "increments_summed" in set(pg.check(path, "sections")["fault"])
    path = csv(tmp_path, "河道,桩号,间距,高程,糙率\n" + points.replace(",0,4", ",-6,4"))
    assert pg.read_table(path, "sections")["offset_m"].tolist() == [-6, 2, 3, 5, 6] * 2
    path = csv(tmp_path, "河道,桩号,起点距,高程,糙率\n" + points)
    assert pg.read_table(path, "sections")["offset_m"].tolist() == [0, 2, 3, 5, 6] * 2


@given(st.lists(st.integers(0, 400), min_size=3, max_size=12), st.integers(-40, 40))
def test_any_section_comes_back_from_any_count(steps, centre):
    x = np.cumsum(steps) - float(sum(steps)) / 2 + centre
    one = pd.DataFrame(
        {"river": "R", "chainage_m": 0.0, "offset_m": x, "elevation_m": np.arange(len(x))}
    )
    back = one.iloc[::-1]
    for given_, option in (
        (one.assign(offset_m=x - x[0]), {"origin": "left_bank", "centre_m": float(-x[0])}),
        (back.assign(offset_m=x[-1] - x[::-1]),
         {"origin": "right_bank", "order": "right_to_left", "centre_m": float(x[-1])}),
        (back.assign(offset_m=np.append(0, np.abs(np.diff(x[::-1])))),
         {"origin": "increments", "order": "right_to_left", "centre_m": float(x[-1])}),
    ):  # fmt: skip
        found = pg.flood.section_offsets(given_, **option)
        assert found["offset_m"].to_numpy() == pytest.approx(x, abs=1e-9)
        assert found["elevation_m"].tolist() == one["elevation_m"].tolist()


@pytest.mark.parametrize(
    ("offsets", "heights", "named"),
    [
        ([6, 4, 2, -5, -7], [52, 48, 47, 48, 53], 'order="right_to_left"'),
        ([13, 11, 9, 2, 0], [52, 48, 47, 48, 53], 'origin="right_bank"'),
        ([7, 5, 0, 4, 6], [53, 48, 47, 48, 52], 'origin="unsigned"'),
        ([7, 5, 0, 4, 7], [53, 48, 47, 49, 53], 'origin="unsigned"'),  # not a closed outline
        ([6, 5, 0, 5, 6], [52, 48, 47, 48, 52], 'origin="unsigned"'),
        ([0, 2, 7, 2, 2], [53, 48, 47, 49, 52], 'origin="increments"'),
    ],
)
def test_offsets_that_run_back_are_told_what_they_are(tmp_path, offsets, heights, named):
    """One rule in all functions, and what it says to type brings the section to the centreline."""
    river = river_frame({"R": [(X + 20, Y + 150), (X + 280, Y + 150)]})
    sections = RIGHT.assign(offset_m=np.tile(np.array(offsets, float), 2),
                            elevation_m=np.tile(np.array(heights, float), 2))  # fmt: skip
    end = {"slope": 0.001}
    for call, name in (
        (lambda t: pg.water_profile(t, 20.0, end), "sections"),
        (lambda t: pg.flood.normal_levels(t, 20.0, slope=0.001), "sections"),
        (lambda t: pg.sections_from_dem(river, tif(tmp_path / "a.tif", PLANE), t, n=0.05), "bed"),
    ):
        with pytest.raises(pg.PinghuError, match="offsets that run back") as error:
            call(sections)
        assert named in error.value.hint
        names = {"pg": pg, name: sections}
        exec(error.value.hint, names)
        x = names[name]["offset_m"].to_numpy().reshape(2, -1)
        assert (np.diff(x) >= 0).all()
        assert (x[:, 0] < 0).all()
        assert (x[:, -1] > 0).all()
        pg.water_profile(names[name], 20.0, end)


def test_a_closed_outline_counted_from_its_left_end_stays_one():
    for outline in (
        [(2, 2), (2, 0), (0, 0), (0, 2), (2, 2)],
        [(2, 1), (1, 0), (0, 1), (1, 2), (2, 1)],
    ):
        x, z = np.array(outline, float).T
        pipe = pd.DataFrame({"river": "R", "chainage_m": np.repeat([0.0, 50.0], len(x)),
                             "offset_m": np.tile(x, 2), "elevation_m": np.tile(z, 2), "n": 0.013})  # fmt: skip
        assert (pg.water_profile(pipe, 0.5, {"slope": 0.001})["level_m"] < 2).all()
