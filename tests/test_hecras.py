"""HEC-RAS's text files: out, back in, and the same water."""

import numpy as np
import pandas as pd
import pytest
from test_flood import END, compound

import pinghu_geo as pg


@pytest.fixture
def model():
    sections, banks = compound(stations=4, river="示例河")
    banks = banks.assign(
        contraction=[0.1, 0.2, 0.1, 0.1], expansion=0.3, length_left_m=[45.0, 55, 50, 0],
        length_channel_m=[50.0, 50, 50, 0], length_right_m=[50.0, 48, 50, 0],
        right_levee_m=[40.0, np.nan, np.nan, np.nan], right_levee_top_m=[4.5, np.nan, np.nan, np.nan],
    )  # fmt: skip
    obstacles = pd.DataFrame(
        {
            "river": "示例河", "chainage_m": [50.0, 50.0, 100.0], "from_offset_m": [12.0, -60.0, -50.0],
            "to_offset_m": [20.0, -30.0, -20.0], "top_m": [6.0, 4.0, 3.9],
            "obstacle": ["blocked", "ineffective", "permanent"],
        }
    )  # fmt: skip
    flows = pd.DataFrame(
        {"river": "示例河", "chainage_m": [0.0, 100.0] * 2, "discharge_m3s": [200.0, 230, 120, 150],
         "profile": ["P=2%", "P=2%", "P=10%", "P=10%"]}
    )  # fmt: skip
    return {"sections": sections, "banks": banks, "obstacles": obstacles, "flows": flows}


def test_round_trip_gives_the_same_water(tmp_path, model):
    ends = pd.DataFrame(
        {"profile": ["P=2%", "P=10%"], "slope": [0.001, None], "level_m": [None, 3.4]}
    )
    made = pg.write_hecras(tmp_path / "河道", downstream=ends, **model)
    assert {p.suffix for p in made.values()} == {".prj", ".g01", ".f01", ".p01"}
    assert "SI Units" in made["project"].read_text("utf-8")
    back = pg.read_hecras(made["geometry"], made["flow"], units="SI")
    before = pg.water_profile(downstream=ends, **model)
    after = pg.water_profile(
        back.sections, back.flows, back.downstream, banks=back.banks, obstacles=back.obstacles
    )
    assert after["chainage_m"].tolist() == before["chainage_m"].tolist()
    # eight characters a number: a tenth of a millimetre
    assert after["level_m"].to_numpy() == pytest.approx(before["level_m"].to_numpy(), abs=1e-4)
    assert back.obstacles["obstacle"].tolist() == ["ineffective", "blocked", "permanent"]
    assert back.banks["right_levee_top_m"].iloc[0] == 4.5


def test_walls_become_obstructions(tmp_path, model):
    walls = model["banks"].assign(left_wall_m=-30.0, right_wall_m=25.0)
    model = model | {"banks": walls, "obstacles": None, "flows": 200.0}
    made = pg.write_hecras(tmp_path / "a", downstream=END, **model)
    back = pg.read_hecras(made["geometry"], made["flow"], units="SI")
    assert set(back.obstacles["obstacle"]) == {"blocked"}
    one = pg.water_profile(downstream=END, **model)
    other = pg.water_profile(
        back.sections, back.flows, back.downstream, banks=back.banks, obstacles=back.obstacles
    )
    assert other["level_m"].to_numpy() == pytest.approx(one["level_m"].to_numpy(), abs=1e-4)


G01 = """Geom Title=Test
Program Version=6.30

River Reach=Creek           ,Upper
Reach XY= 2
             1.0             2.0             3.0             4.0
Type RM Length L Ch R = 1 ,100.5   ,100,120,140
BEGIN DESCRIPTION:
Upper end
END DESCRIPTION:
Node Last Edited Time=Jan/01/2000 00:00:00
#Sta/Elev= 6
       0      20      10      10      30      10      32     9.5      50      10
      60      20
#Mann= 3 , 0 , 0
       0     .06       0      10     .03       0      50     .06       0
#XS Ineff= 1 , 0
       0       8      15
Permanent Ineff=
       T
Levee=-1,5,16,0,,,,,
Bank Sta=10,50
XS Rating Curve= 0 ,0
Exp/Cntr=.5,.2

Type RM Length L Ch R = 3 ,90
BEGIN DESCRIPTION:
a bridge
END DESCRIPTION:

Type RM Length L Ch R = 1 ,50.0    ,0,0,0
#Sta/Elev= 2
       0      20     100      19
#Mann= 1 , 0 , 0
       0     .05       0
Bank Sta=0,100
Exp/Cntr=.3,.1
"""


def test_a_us_geometry_is_read_by_hand(tmp_path):
    path = tmp_path / "a.g01"
    path.write_text(G01)
    found = pg.read_hecras(path, units="US")
    foot = 0.3048
    first = found.sections[found.sections["chainage_m"] == 0]
    assert first["offset_m"].to_numpy() == pytest.approx(np.array([0, 10, 30, 32, 50, 60]) * foot)
    assert first["n"].tolist() == [0.06, 0.03, 0.03, 0.03, 0.06, 0.06]
    banks = found.banks.iloc[0]
    assert banks["rs"] == "100.5"
    assert (banks["expansion"], banks["contraction"]) == (0.5, 0.2)
    assert banks["left_levee_top_m"] == pytest.approx(16 * foot)
    assert banks["length_right_m"] == pytest.approx(140 * foot)
    assert found.obstacles["obstacle"].tolist() == ["permanent"]
    assert found.sections["chainage_m"].unique() == pytest.approx([0, 120 * foot], abs=1e-3)


def test_refusals(tmp_path, model):
    with pytest.raises(pg.errors.LayerError, match="there is no file"):
        pg.read_hecras(tmp_path / "none.g01", units="SI")
    (tmp_path / "b.g01").write_text("Flow Title=x\n")
    with pytest.raises(pg.errors.LayerError, match="doesn't begin with 'Geom Title='"):
        pg.read_hecras(tmp_path / "b.g01", units="SI")
    (tmp_path / "c.g01").write_text("Geom Title=x\n")
    with pytest.raises(pg.errors.LayerError, match="holds no cross-sections"):
        pg.read_hecras(tmp_path / "c.g01", units="SI")
    curve = {"boundary": "rating", "discharge_m3s": 100.0, "level_m": 3.0}
    with pytest.raises(pg.errors.HydraulicsError, match="has no level, slope or critical depth"):
        pg.write_hecras(tmp_path / "d", downstream=curve, **model)
    assert not list(tmp_path.glob("d.*"))  # nothing half-written
    far = model["sections"].assign(offset_m=model["sections"]["offset_m"] + 38_500_000)
    with pytest.raises(pg.errors.HydraulicsError, match="doesn't fit HEC-RAS's eight characters"):
        pg.write_hecras(tmp_path / "e", far, 100.0, END)
