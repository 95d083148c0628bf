"""Wall maps: at their scale, along the whole river, with labels that can be read."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg

import pinghu_geo as pg
from pinghu_geo.deliver import sheets


@pytest.fixture(scope="module")
def given():
    x = np.linspace(0, 1500, 151)
    line = shapely.LineString(np.column_stack([x, 120 * np.sin(x / 200)]))
    rivers = gpd.GeoDataFrame(geometry=[line], crs=4547, index=pd.Index(["甲河"], name="river"))
    boxes = [shapely.box(p.x - 4, p.y - 4, p.x + 4, p.y + 4)
             for p in (line.interpolate(d) for d in range(5, 1500, 9))]  # fmt: skip
    houses = gpd.GeoDataFrame(
        {"floors": 3.0, "floor_area_m2": 90.0}, geometry=boxes, crs=4547,
        index=pd.Index([f"房{k:03d}$x" for k in range(len(boxes))], name="building_id"),
    )  # fmt: skip
    red = pg.red_line(rivers, 12.0)
    return pg.affected(houses, red, rivers), red, rivers, houses


def figures(given, monkeypatch, scale, **more):
    hit, red, rivers, houses = given
    made = []
    monkeypatch.setattr(sheets, "write_sheets_of_plots", lambda drawn, _: made.extend(drawn))
    pg.wall_maps(hit, red, rivers, "挂.pdf", buildings=houses, scale=scale, **more)
    return made


def test_sheets_cover_the_river_with_overlap_and_hold_the_red_line(given):
    _, red, rivers, _ = given
    line, ground = rivers.geometry.iloc[0], (340.0, 280.0)
    found = list(sheets._sheets_along_river("甲河", rivers, red, ground, 1000))
    assert found[0].from_m == 0
    assert found[-1].to_m == pytest.approx(line.length)
    for one, after in zip(found, found[1:], strict=False):
        assert after.from_m <= one.to_m - 10
    places = [s.ground(*ground) for s in found]
    for sheet, place in zip(found, places, strict=True):
        assert place.area == pytest.approx(ground[0] * ground[1])
        piece = shapely.ops.substring(line, sheet.from_m, sheet.to_m)
        assert piece.within(place)
        # downstream is to the right
        ends = sheet.laid(shapely.get_coordinates(piece)[[0, -1]])
        assert ends[1, 0] > ends[0, 0]
        # distances on the sheet are those on the ground
        assert np.hypot(*(ends[1] - ends[0])) == pytest.approx(
            shapely.Point(piece.coords[0]).distance(shapely.Point(piece.coords[-1])))  # fmt: skip
    assert red.union_all().within(shapely.union_all(places).buffer(1e-6))


def test_the_frame_is_at_the_scale_and_no_label_lies_on_another(given, monkeypatch):
    for figure in figures(given, monkeypatch, 2000):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        axes = figure.axes[0]
        box = axes.get_window_extent()
        wide_mm = box.width / figure.dpi * 25.4
        assert np.diff(axes.get_xlim())[0] / (wide_mm / 1000) == pytest.approx(2000)
        texts = [t for t in axes.texts if t.get_fontsize() == sheets.LABEL_PT]
        assert len(texts) > 20
        boxes = [t.get_window_extent(canvas.get_renderer()) for t in texts]
        shapes = [shapely.box(b.x0, b.y0, b.x1, b.y1) for b in boxes]
        a, b = shapely.STRtree(shapes).query(shapes, predicate="overlaps")
        assert not [(texts[i].get_text(), texts[j].get_text()) for i, j in zip(a, b, strict=True)]


def test_each_house_is_labelled_or_counted_and_ids_stay_as_they_are(given, monkeypatch):
    hit = given[0]
    made = figures(given, monkeypatch, 500)
    said = {t.get_text().split("\n")[0].replace("\\$", "$") for f in made for t in f.axes[0].texts}
    lost = [
        t.get_text() for f in made for a in f.axes for t in a.texts if "无处标注" in t.get_text()
    ]
    assert set(hit.index) <= said or lost
    assert len(set(hit.index) & said) > 0.9 * len(hit)


LONG = "深圳市龙岗区平湖街道新木社区居民委员会第一经济发展小组片区河道综合整治工程"


def test_a_chainage_of_another_river_says_whose_it_is(given, monkeypatch):
    """K0+650 of a tributary stood beside the main river's own on its sheet."""
    hit, red, rivers, houses = given
    mouth = rivers.geometry.iloc[0].interpolate(700)
    branch = shapely.LineString([(mouth.x - 60, mouth.y - 500), mouth])
    both = gpd.GeoDataFrame(geometry=[*rivers.geometry, branch], crs=4547,
                            index=pd.Index(["甲河", "乙溪"], name="river"))  # fmt: skip
    every = {"甲河": [], "乙溪": []}
    for figure in figures((hit, red, both, houses), monkeypatch, 1000):
        own = next(t.get_text() for a in figure.axes[1:] for t in a.texts
                   if t.get_text().startswith(("甲河 K", "乙溪 K")))[:2]  # fmt: skip
        said = [t.get_text() for t in figure.axes[0].texts if "K0+" in t.get_text()]
        other = {"甲河": "乙溪", "乙溪": "甲河"}[own]
        assert all(t.startswith(("K", f"{other} K")) for t in said)
        every[own] += said
        # what bears no name lies on the sheet's own river
        for text in figure.axes[0].texts:
            if text.get_text().startswith("K0+"):
                assert pg.parse_chainage(text.get_text()) <= both.geometry.loc[own].length
    assert any(t.startswith("乙溪 K0+") for t in every["甲河"])
    assert any(t.startswith("甲河 K0+") for t in every["乙溪"])
    assert sum(t.startswith("K") for t in every["甲河"]) >= 20


@pytest.mark.parametrize("paper", ["A3", "A0"])
def test_of_long_names_the_stretch_stays_and_the_column_grows_with_the_paper(
    given, monkeypatch, paper
):
    hit, red, rivers, houses = given
    named = (hit.assign(river=LONG), red.assign(river=LONG), rivers.rename({"甲河": LONG}), houses)
    figure = figures(named, monkeypatch, 1000, paper=paper, project=LONG)[0]
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    block = figure.axes[-1]
    texts = {t.get_text(): t for t in block.texts}
    assert any(text.startswith("深圳市") and "…\nK0+000–" in text for text in texts)
    inside = block.get_window_extent()
    high = inside.height / 8
    for text, one in texts.items():
        box = one.get_window_extent(canvas.get_renderer())
        assert box.x1 <= inside.x1, text
        assert box.height <= high, text
    assert texts["比例"].get_fontsize() == 7 * sheets.GROWN[paper]
    # the bar is as long as it says
    bar = next(a for a in figure.axes if "1:1000" in [t.get_text() for t in a.texts])
    ends = [p.get_window_extent() for p in bar.patches if p.get_width() == 5]
    long_mm = (max(e.x1 for e in ends) - min(e.x0 for e in ends)) / figure.dpi * 25.4
    said = next(t.get_text() for t in bar.texts if t.get_text().endswith(" m"))
    assert said == f"{long_mm:.0f} m"  # a metre a millimetre


def test_it_is_the_same_twice_and_refuses_what_it_cannot_draw(given, tmp_path):
    hit, red, rivers, _ = given
    first = pg.wall_maps(hit, red, rivers, tmp_path / "a.pdf", scale=2000).read_bytes()
    second = pg.wall_maps(hit, red, rivers, tmp_path / "b.pdf", scale=2000).read_bytes()
    assert first == second
    with pytest.raises(pg.errors.LayerError, match="scale is 100"):
        pg.wall_maps(hit, red, rivers, tmp_path / "c.pdf", scale=100)
    with pytest.raises(pg.errors.OutputError, match="is no .pdf"):
        pg.wall_maps(hit, red, rivers, tmp_path / "c.png")
    with pytest.raises(pg.errors.LayerError, match="paper"):
        pg.wall_maps(hit, red, rivers, tmp_path / "c.pdf", paper="B4")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("CGCS2000 / 3-degree Gauss-Kruger CM 114E",
         ["CGCS2000 / 3-degree", "Gauss-Kruger CM 114E"]),
        ("CGCS2000 / 3-degree Gauss-Kruger CM 114E (EPSG:4547)",  # between words it takes three
         ["CGCS2000 / 3-degree Gauss-Kr", "uger CM 114E (EPSG:4547)"]),
        ("木古河 K0+000–K1+234", ["木古河 K0+000–K1+234"]),
        ("平" * 30, ["平" * 14, "平" * 13 + "…"]),
        ("", [""]),
    ],
)  # fmt: skip
def test_a_text_of_the_title_block_is_broken_between_words(text, lines):
    assert sheets._text_in_two_lines(text) == lines


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (4547, "CGCS2000 3度带 中央经线114°E"), (4526, "CGCS2000 3度带 第38带"),
        (2343, "1980西安坐标系 6度带 中央经线105°E"),
        (2414, "1954年北京坐标系 3度带 第38带"),
        (32650, "WGS 84 / UTM zone 50N"), (28412, "Pulkovo 1942 / Gauss-Kruger zone 12"),
    ],
)  # fmt: skip
def test_a_coordinate_system_is_named_as_surveyors_write_it(code, said):
    name = pyproj.CRS(code).name
    assert sheets._crs_in_words(name, "zh") == said
    assert sheets._crs_in_words(name, "en") == name
