"""A HEC-RAS model counts from the left end of its sections; houses count from the centreline."""

import numpy as np
import pandas as pd
import pytest
import shapely
from test_structure_laws import standing, valley

import pinghu_geo as pg
from conftest import building_frame, river_frame

MADE = {"width": 10.0, "side": 0.8, "plain": 9.0, "steep": 1.0, "q": 45.0}
SIZE = {
    "left": 0.4, "right": 0.3, "height": 2.4, "thick": 0.8, "open": 0.9, "span": 2.0, "barrels": 2,
    "piers": 1, "road": True, "method": "energy", "high_flow": "pressure",
}  # fmt: skip
# where each section of the model begins, unlike from one to the next
LEFT = np.array([120.0, 90.0, 300.0, 300.0, 35.0, 40.0, 70.0])
END = {"slope": 0.0006}


def model(folder, kind=None):
    """A model as HEC-RAS keeps it, and its sections as they were before."""
    ours = valley(MADE)
    places = ours["chainage_m"].drop_duplicates().to_numpy()
    by = dict(zip(places, LEFT, strict=True))
    moved = ours.assign(offset_m=ours["offset_m"] + ours["chainage_m"].map(by))
    half = MADE["width"] / 2 + 4 * MADE["side"]
    banks = pd.DataFrame({"river": "r", "chainage_m": places, "left_bank_m": LEFT - half,
                          "right_bank_m": LEFT + half})  # fmt: skip
    table = None if kind is None else standing(kind, MADE, SIZE)
    if table is not None and "from_offset_m" in table:
        ends = {c: table[c] + by[80.0] for c in ("from_offset_m", "to_offset_m")}
        table = table.assign(**ends)
    pg.write_hecras(moved, MADE["q"], END, folder / "m", banks=banks, structures=table)
    return pg.read_hecras(folder / "m.g01", folder / "m.f01", units="SI"), ours


def levels(model):
    table = model.structures if len(model.structures) else None
    parts = model.structure_parts if len(model.structure_parts) else None
    found = pg.water_profile(model.sections, MADE["q"], END, banks=model.banks,
                             obstacles=model.obstacles if len(model.obstacles) else None,
                             structures=table, structure_parts=parts)  # fmt: skip
    return found["level_m"].to_numpy()


@pytest.mark.parametrize("kind", [None, "bridge", "skewed bridge", "box", "weir", "gate"])
def test_all_of_a_model_moves_and_no_level_does(tmp_path, kind):
    raw, ours = model(tmp_path, kind)
    found = pg.flood.centred_model(raw)
    assert found.banks["centre_m"].to_numpy() == pytest.approx(LEFT, abs=1e-6)
    assert found.sections["offset_m"].to_numpy() == pytest.approx(ours["offset_m"], abs=0.006)
    assert found.banks["left_bank_m"].to_numpy() == pytest.approx(-found.banks["right_bank_m"])
    np.testing.assert_allclose(levels(found), levels(raw), atol=1e-9)
    assert raw.sections["offset_m"].min() > 0  # what was given is as it was


def test_houses_stand_in_it_where_they_stand(tmp_path):
    """Refused before: 12 m right of the centreline is 12 m right in every section."""
    raw, _ = model(tmp_path)
    rivers = river_frame({"r": [(0, 0), (240, 0)]})
    houses = building_frame({"H": shapely.box(110, -16, 125, -12)})
    with pytest.raises(pg.errors.LayerError, match="offsets"):
        pg.building_obstacles(houses, raw.sections, rivers)
    found = pg.flood.centred_model(raw)
    stood = pg.building_obstacles(houses, found.sections, rivers)
    assert stood[["from_offset_m", "to_offset_m"]].drop_duplicates().to_numpy().tolist() == [
        [12, 16]
    ]


def test_where_the_centreline_crosses_may_be_told(tmp_path):
    raw, ours = model(tmp_path)
    told = pd.DataFrame({"river": "r", "chainage_m": [40.0], "centre_m": [88.0]})
    found = pg.flood.centred_model(raw, centres=told)
    assert found.banks["centre_m"].tolist()[:3] == pytest.approx([120, 88, 300])
    with pytest.raises(pg.errors.LayerError, match="the model hasn't.*K0\\+041"):
        pg.flood.centred_model(raw, centres=told.assign(chainage_m=41.0))


def test_sections_beside_a_structure_told_once_move_together(tmp_path):
    raw, _ = model(tmp_path, "weir")
    told = pd.DataFrame({"river": "r", "chainage_m": [80.0], "centre_m": [297.0]})
    found = pg.flood.centred_model(raw, centres=told)
    assert found.banks["centre_m"].tolist()[2:5] == pytest.approx([297, 297, 35])
    np.testing.assert_allclose(levels(found), levels(raw), atol=1e-9)


def test_a_real_bridge_keeps_its_levels(shared):
    """Beaver Creek, whose stations count from the left end, with parts told once for both sides."""
    folder = shared / "reference" / "structures" / "BEAVCREK"
    raw = pg.read_hecras(folder / "BEAVCREK.g01", folder / "BEAVCREK.f01", units="US")
    found = pg.flood.centred_model(raw)
    assert (found.banks["left_bank_m"] < 0).all()
    assert (found.banks["right_bank_m"] > 0).all()
    before, after = (
        pg.water_profile(m.sections, m.flows, m.downstream, banks=m.banks, obstacles=m.obstacles,
                         structures=m.structures, structure_parts=m.structure_parts)["level_m"]
        for m in (raw, found)
    )  # fmt: skip
    np.testing.assert_allclose(after, before, atol=1e-7)
