"""What two dimensions are asked: footprints, floods and reaches, without the solver."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from pinghu_geo.flood import shallow

RIVERS = gpd.GeoDataFrame(
    index=pd.Index(["r", "s"], name="river"),
    geometry=[shapely.LineString([(0, y), (1000, y)]) for y in (0, 300)], crs=4547,
)  # fmt: skip
AT = np.arange(0.0, 1001.0, 50.0)
SECTIONS = pg.design_sections(pd.DataFrame({
    "river": "r", "chainage_m": AT, "bed_level_m": 0.001 * (1000 - AT), "left_m": 10.0,
    "right_m": 10.0, "bank_level_m": 0.001 * (1000 - AT) + 4.0, "n": 0.03,
}))  # fmt: skip
END = {"slope": 0.001}
BOX = shapely.box(480, 5, 490, 9)  # on the left


def asked(monkeypatch, shape, flows=40.0, sections=SECTIONS, **options):
    """The reach that a house is computed in, and what is told."""
    reaches = []

    def answer(reach, *_):
        reaches.append(reach)
        names = ("rise_2d_mm", "rise_2d_doubt_mm", "rise_2d_limit_mm", "mesh_order",
                 "rise_coarse_mm", "level_off_mm", "cell_m2", "n_cells", "seconds")  # fmt: skip
        return dict.fromkeys(names, 60.0) | {"settled": True}

    monkeypatch.setattr(shallow, "_rise_on_finer_meshes", answer)
    house = gpd.GeoDataFrame(index=pd.Index(["A"], name="building_id"), geometry=[shape], crs=4547)
    told = pg.flood.second_opinion(house, sections, flows, END, RIVERS, **options)
    return reaches[0], told.iloc[0]


def wing(low, high):
    return shapely.box(480, low, 490, high)


@pytest.mark.parametrize(
    ("shape", "area", "holes"),
    [
        (BOX, 40.0, 1),
        # a court is part of its house, and water passes between two wings
        (BOX.difference(shapely.box(482, 6, 488, 8)), 40.0, 1),
        (shapely.MultiPolygon([wing(5, 8), wing(-8, -5)]), 60.0, 2),
        (shapely.affinity.rotate(shapely.box(484, 1, 496, 4), 45), 36.0, 1),
    ],
)
def test_a_house_in_two_dimensions_has_its_own_shape(monkeypatch, shape, area, holes):
    reach, _ = asked(monkeypatch, shape)
    assert reach.house.area == pytest.approx(area, rel=1e-3)
    assert reach.house.bounds == pytest.approx(shape.bounds, abs=2e-3)
    water = reach.outline(with_house=True)
    assert water.area == pytest.approx(reach.outline(with_house=False).area - area, abs=0.05)
    assert len(water.interiors) == holes
    rings = [shapely.LinearRing(r) for r in reach.beside_house(0.5)]
    around = shapely.unary_union([shapely.Polygon(r) for r in rings])
    assert around.contains(reach.house)
    assert min(ring.distance(reach.house) for ring in rings) > 0.35


def test_a_bend_is_drawn_straight_with_its_houses():
    turn = np.linspace(0, np.pi / 2, 400)
    arc = 200 * np.stack([np.sin(turn), 1 - np.cos(turn)], axis=1)  # to the left
    bend = gpd.GeoDataFrame(index=pd.Index(["r"], name="river"), geometry=[shapely.LineString(arc)],
                            crs=4547)  # fmt: skip
    # a sector of a ring outside the bend: 30 m long at the centreline, 5 to 9 m to its right
    part = np.linspace(0.5, 0.65, 60)
    ring = [radius * np.stack([np.sin(t), -np.cos(t)], axis=1) + [0, 200]
            for radius, t in ((205, part), (209, part[::-1]))]  # fmt: skip
    plan = shallow._plan_along_river(shapely.Polygon(np.vstack(ring)), "r", bend)
    assert plan.bounds == pytest.approx((100.0, -9.0, 130.0, -5.0), abs=0.02)
    assert plan.area == pytest.approx(120.0, rel=2e-3)


def test_the_band_beside_a_second_opinion_is_of_its_flood(monkeypatch):
    flows = pd.DataFrame({"profile": ["20", "100"], "discharge_m3s": [20.0, 40.0]})
    for flood, q in (("20", 20.0), ("100", 40.0), (None, 40.0)):
        reach, told = asked(monkeypatch, BOX, flows, profile=flood)
        _, alone = asked(monkeypatch, BOX, q)
        assert reach.discharge == q
        assert told["rise_band"] == alone["rise_band"]
    # gates that other floods have set stay out of it
    gate = pd.DataFrame(
        {"river": "r", "chainage_m": 925.0, "kind": "gate", "n_gates": 2, "gate_width_m": 5.0,
         "sill_m": 0.2, "gate_height_m": 2.0, "opening_m": 1.5, "crest_m": 3.0},
        index=pd.Index(["G"], name="structure_id"),
    )  # fmt: skip
    setting = pd.DataFrame({"structure_id": "G", "part": "setting", "profile": ["20", "100"],
                            "opening_m": [0.5, 2.0]})  # fmt: skip
    _, told = asked(monkeypatch, BOX, flows, profile="20", structures=gate, structure_parts=setting)
    assert isinstance(told["rise_band"], str)


def test_a_reach_ends_where_its_discharge_changes(monkeypatch):
    flows = pd.DataFrame({"river": "r", "chainage_m": [0.0, 350.0, 700.0],
                          "discharge_m3s": [20.0, 40.0, 45.0]})  # fmt: skip
    reach, _ = asked(monkeypatch, BOX, flows)
    assert (reach.discharge, reach.x[0], reach.x[-1]) == (40.0, 350.0, 650.0)
    flows["chainage_m"] = [0.0, 480.0, 700.0]
    with pytest.raises(pg.errors.HydraulicsError, match="or another discharge between.*: A"):
        asked(monkeypatch, BOX, flows)


def test_walls_and_levees_hold_the_water_in_two_dimensions(monkeypatch):
    banks = pd.DataFrame({"river": "r", "chainage_m": AT, "left_bank_m": -9.5, "right_bank_m": 9.5})
    for more in ({"right_levee_m": 3.0, "right_levee_top_m": 9.0}, {"right_wall_m": 3.0}):
        reach, _ = asked(monkeypatch, BOX, banks=banks.assign(**more))
        assert -reach.right == pytest.approx(3.0, abs=0.01)
        assert (reach.left > 9).all()
    low = banks.assign(right_levee_m=3.0, right_levee_top_m=0.0)
    reach, _ = asked(monkeypatch, BOX, banks=low)
    assert (-reach.right > 9).all()


def test_what_two_dimensions_cannot_lay_out_is_refused(monkeypatch):
    standing = pd.DataFrame({"river": ["r"], "chainage_m": [500.0], "from_offset_m": [5.0],
                             "to_offset_m": [10.0]})  # fmt: skip
    covered = SECTIONS.assign(lid_m=SECTIONS["elevation_m"].max() + 1, n_lid=0.015)
    faults = {
        "that has no sections": {"shape": shapely.affinity.translate(BOX, 0, 280)},
        "other obstacles": {"obstacles": standing},
        "covered sections": {"sections": covered},
        "several schemes": {"sections": pd.concat([SECTIONS.assign(scheme=k) for k in "ab"])},
    }  # fmt: skip
    for words, given in faults.items():
        with pytest.raises(pg.errors.HydraulicsError, match=words) as caught:
            asked(monkeypatch, **{"shape": BOX} | given)
        space = {"buildings": pd.DataFrame(index=["A"]), "sections": given.get("sections")}
        exec(caught.value.hint, space)
        assert space["buildings"].empty or space["sections"]["scheme"].nunique() == 1
    # idle areas are no walls
    asked(monkeypatch, BOX, obstacles=standing.assign(obstacle="ineffective", top_m=0.1))


def test_wings_between_sections_leave_the_water_between_them():
    wings = shapely.MultiPolygon([wing(5, 8), wing(-8, -5)])
    house = gpd.GeoDataFrame(index=pd.Index(["A"], name="building_id"), geometry=[wings], crs=4547)
    found = pg.building_obstacles(house, SECTIONS, RIVERS)
    assert found[["from_offset_m", "to_offset_m"]].values.tolist() == [[-8.0, -5.0], [5.0, 8.0]]
    named = pg.building_rises(
        house, SECTIONS.assign(scheme="a"), 40.0, END, RIVERS, allowed_mm=20.0
    )
    plain = pg.building_rises(house, SECTIONS, 40.0, END, RIVERS, allowed_mm=20.0)
    pd.testing.assert_frame_equal(named, plain)
