import geopandas as gpd
import pytest
import shapely

import pinghu_geo as pg
from conftest import CRS, zone_frame

ezdxf = pytest.importorskip("ezdxf")


def test_a_drawing_opens_with_its_layers_and_is_read_back(sample, tmp_path):
    rivers, line = sample["rivers"], sample["原方案"]
    hit = pg.affected(sample["buildings"], line, rivers)
    layers = {
        "红线_原方案": line, "受影响房屋": hit, "桩号": pg.stations(rivers), "桩号线": pg.river.station_ticks(rivers),
    }  # fmt: skip
    pg.write_dxf(layers, tmp_path / "a.dxf")
    drawing = ezdxf.readfile(tmp_path / "a.dxf")
    assert not drawing.audit().errors
    count = {name: len(drawing.modelspace().query(f'*[layer=="{name}"]')) for name in layers}
    assert count == {
        "红线_原方案": 4, "受影响房屋": len(hit), "桩号": len(layers["桩号"]), "桩号线": len(layers["桩号"]),
    }  # fmt: skip
    texts = {t.dxf.text for t in drawing.modelspace().query("TEXT")}
    assert {"K0+000", "K1+200"} <= texts
    again = pg.read_layer(tmp_path / "a.dxf", "red_line", layer="红线_原方案", crs=CRS)
    assert again.area.sum() == pytest.approx(line.area.sum(), rel=1e-9)
    houses = pg.read_layer(
        tmp_path / "a.dxf", "buildings", layer="受影响房屋", crs=CRS, row_ids=True
    )
    assert houses.area.sum() == pytest.approx(hit.area.sum(), rel=1e-9)


def test_holes_and_plain_points(tmp_path):
    ring = shapely.box(0, 0, 30, 30).difference(shapely.box(10, 10, 20, 20))
    spots = gpd.GeoDataFrame(geometry=[shapely.Point(1, 2)], crs=CRS)
    pg.write_dxf({"a": zone_frame(ring), "b": spots}, tmp_path / "a.dxf")
    space = ezdxf.readfile(tmp_path / "a.dxf").modelspace()
    assert [e.dxftype() for e in space] == ["LWPOLYLINE", "LWPOLYLINE", "POINT"]
    assert all(e.closed for e in space.query("LWPOLYLINE"))


def test_bad_drawings_are_refused(tmp_path):
    line = zone_frame(shapely.box(0, 0, 1, 1))
    with pytest.raises(pg.errors.OutputError, match="is no .dxf"):
        pg.write_dxf({"a": line}, tmp_path / "a.dwg")
    with pytest.raises(pg.errors.LayerError, match=r"can't be called 'a/b'"):
        pg.write_dxf({"a/b": line}, tmp_path / "a.dxf")
    with pytest.raises(
        pg.errors.CRSError, match="b: is in .*120E but the other layer is in .*114E"
    ):
        pg.write_dxf({"a": line, "b": line.set_crs(4549, allow_override=True)}, tmp_path / "a.dxf")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["0", "Defpoints", "defpoints", "桩号", "a.b-c_$1", "红线 (工程)"])
def test_any_name_that_cad_takes_is_a_layer(tmp_path, name, straight):
    drawing = {name: straight.rename_axis("river"), "other": straight}
    pg.write_dxf(drawing, tmp_path / "a.dxf")
    import ezdxf

    back = ezdxf.readfile(tmp_path / "a.dxf")
    assert [e.dxf.layer for e in back.modelspace()] == [name, "other"]
    assert not back.audit().errors


@pytest.mark.parametrize("name", ["", " ", "a,b", "a=b", "a`b", "a\nb", " a", "x" * 256])
def test_a_name_that_cad_refuses_is_refused(tmp_path, name, straight):
    with pytest.raises(pg.errors.LayerError, match="a drawing's layer can't be called"):
        pg.write_dxf({name: straight}, tmp_path / "a.dxf")
    with pytest.raises(pg.errors.LayerError, match="differ by capitals only"):
        pg.write_dxf({"A": straight, "a": straight}, tmp_path / "a.dxf")


def drawn(path, *lines, layer="房屋"):
    """A drawing with open polylines on one layer."""
    drawing = ezdxf.new("R2010")
    drawing.layers.add(layer)
    for line in lines:
        at = [(500_000 + x, 2_500_000 + y) for x, y in line]
        drawing.modelspace().add_lwpolyline(at, dxfattribs={"layer": layer})
    drawing.saveas(path)
    return path


def outline(x, gap):
    """A house of 10 x 8 m whose outline ends so far below its beginning."""
    return [(x, 0), (x + 10, 0), (x + 10, 8), (x, 8), (x, gap)]


def test_two_houses_drawn_open_are_no_two_banks(tmp_path):
    """Each lacks the wall that faces the other; they were joined to one area, as bank lines are."""
    one = [(10, 0), (0, 0), (0, 8), (10, 8)]
    path = drawn(tmp_path / "a.dxf", one, [(30 - x, y) for x, y in one])
    read = pg.read_layer(path, "buildings", layer="房屋", crs=CRS, row_ids=True)
    assert read.geom_type.tolist() == ["LineString"] * 2
    faults = pg.check(path, "buildings", layer="房屋", crs=CRS, row_ids=True, lang="en")
    assert "banks_paired" not in set(faults["fault"])
    assert (faults["fault"] == "wrong_geometry").sum() == 2


@pytest.mark.parametrize("gap", [0.0005, -0.004, 0.0099])
def test_an_outline_open_by_less_than_the_survey_knows_is_closed_and_said(tmp_path, gap):
    path = drawn(tmp_path / "a.dxf", outline(0, gap), outline(30, 0.0), outline(60, 0.02))
    read = pg.read_layer(path, "buildings", layer="房屋", crs=CRS, row_ids=True)
    assert sorted(read.geom_type) == ["LineString", "Polygon", "Polygon"]
    whole = read[read.geom_type == "Polygon"]
    assert whole.area.tolist() == pytest.approx([80, 80], abs=0.1)
    faults = pg.check(path, "buildings", layer="房屋", crs=CRS, row_ids=True, lang="en")
    assert (faults["fault"] == "unclosed_ring").sum() == 1


def test_two_banks_are_still_an_area_of_water(tmp_path):
    banks = [[(0, 0), (200, 0)], [(0, 20), (200, 20)]]
    path = drawn(tmp_path / "a.dxf", *banks, layer="红线")
    read = pg.read_layer(path, "red_line", layer="红线", crs=CRS)
    assert read.area.sum() == pytest.approx(4000)
