"""Every hint that an error gives works as it is typed."""

import ast
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from conftest import building_frame, river_frame

pytestmark = pytest.mark.filterwarnings("ignore:floor area of:UserWarning")
PACKAGE = Path(pg.__file__).parent
RIVER = river_frame({"A": [(506_000, 2_503_000), (506_300, 2_503_000)]})
LINE = pg.red_line(RIVER, 9.0)
BOW = shapely.Polygon(
    [(506_000, 2_503_000), (506_010, 2_503_010), (506_010, 2_503_000), (506_000, 2_503_010)]
)
HOUSE = shapely.box(506_020, 2_503_000, 506_030, 2_503_010)


def typed(error, **space):
    """What the names stand for after the hint was typed where the error came up."""
    space = {"pg": pg, "gpd": gpd, "pd": pd, "np": np} | space
    exec(error.value.hint, space)
    return space


@pytest.mark.parametrize("name", ["buildings", "features"])
def test_invalid_geometry(name):
    houses = building_frame({"S": BOW}, floors=1)
    with pytest.raises(pg.errors.LayerError, match="buildings: has invalid geometry") as error:
        pg.affected(houses, LINE, RIVER)
    mended = typed(error, buildings=houses)[name]
    assert pg.affected(mended, LINE, RIVER).index.tolist() == ["S"]


def test_invalid_red_line():
    line = LINE.set_geometry([BOW], crs=4547)
    with pytest.raises(pg.errors.LayerError, match="red_line: has invalid") as error:
        pg.affected(building_frame({"S": HOUSE}, floors=1), line, RIVER)
    line = typed(error, red_line=line)["red_line"]
    assert pg.affected(building_frame({"S": HOUSE}, floors=1), line, RIVER).empty


def test_invalid_parcels_bear_their_name():
    parcels = building_frame({"P": BOW}).rename_axis("parcel_id")
    with pytest.raises(pg.errors.LayerError, match="parcels: has invalid") as error:
        pg.affected(parcels, LINE, RIVER)
    assert pg.affected(typed(error, parcels=parcels)["parcels"], LINE, RIVER).index.tolist() == [
        "P"
    ]


@pytest.mark.parametrize(
    ("crs", "wanted"),
    [
        (4490, 4547),  # degrees, at 114 E
        (3857, 4547),  # web Mercator
        (2263, 4547),  # feet, of New York: the same place
    ],
)
def test_another_unit(crs, wanted):
    houses = building_frame({"S": HOUSE}, floors=1).to_crs(crs)
    with pytest.raises(pg.errors.CRSError, match="buildings: ") as error:
        pg.affected(houses, LINE, RIVER)
    mended = typed(error, buildings=houses)["buildings"]
    assert mended.crs.to_epsg() == wanted
    assert mended.area.sum() == pytest.approx(100, rel=1e-3)


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [(120.1, 30.2, 4549), (114.1, 22.7, 4547), (87.6, 43.8, 4538), (-0.1, 51.5, 32630),
     (151.2, -33.9, 32756)],
)  # fmt: skip
def test_the_grid_in_the_hint_is_that_of_the_place(lon, lat, code):
    houses = building_frame({"S": shapely.box(lon, lat, lon + 1e-4, lat + 1e-4)}).set_crs(
        4326, allow_override=True
    )
    with pytest.raises(pg.errors.CRSError) as error:
        pg.locate(houses, houses)
    assert f"to_crs({code})" in error.value.hint


def test_no_crs():
    bare = gpd.GeoDataFrame(geometry=[HOUSE], index=pd.Index(["S"], name="building_id"))
    with pytest.raises(pg.errors.CRSError, match="no coordinate reference system") as error:
        pg.affected(bare, LINE, RIVER)
    assert "4547" not in error.value.hint  # nobody knows where this is
    typed(error, buildings=bare)


def test_another_grid():
    houses = building_frame({"S": HOUSE}, floors=1).to_crs(4526)
    with pytest.raises(pg.errors.CRSError) as error:
        pg.assess_many({}, houses, RIVER)
    assert typed(error, buildings=houses)["buildings"].crs.to_epsg() == 4547


@pytest.mark.parametrize("nothing", [None, shapely.Polygon()])
def test_rows_without_geometry(nothing):
    houses = building_frame({"S": HOUSE, "T": nothing}, floors=1)
    with pytest.raises(pg.errors.LayerError, match=r"without geometry \(1: T\)") as error:
        pg.affected(houses, LINE, RIVER)
    assert typed(error, buildings=houses)["buildings"].index.tolist() == ["S"]


def test_duplicate_ids():
    houses = pd.concat([building_frame({"S": HOUSE}, floors=1)] * 2)
    with pytest.raises(pg.errors.LayerError, match="duplicate ids") as error:
        pg.affected(houses, LINE, RIVER)
    assert typed(error, buildings=houses)["buildings"].index.tolist() == ["S"]


@pytest.mark.parametrize("gap", [30.04, 30.5, 30.96])
def test_parts_that_are_apart(gap):
    parts = shapely.MultiLineString([[(0, 0), (500, 0)], [(500 + gap, 0), (9000, 0)]])
    rivers = gpd.GeoDataFrame(geometry=[parts], index=pd.Index(["A"], name="river"), crs=4547)
    with pytest.raises(pg.errors.LayerError, match="from the others") as error:
        pg.join_parts(rivers, gap_m=1.0)
    assert typed(error, rivers=rivers)["rivers"].geom_type.tolist() == ["LineString"]


def test_texts_in_numbers():
    houses = building_frame({"S": HOUSE}, floors=["三层半"])
    with pytest.raises(pg.errors.LayerError, match="floors") as error:
        pg.affected(houses, LINE, RIVER)
    if re.match(r"\w+\[", error.value.hint.split(": ")[-1]):
        error.value.hint = error.value.hint.split(": ")[-1]
        typed(error, buildings=houses)


def hints():
    """Hints in the source that begin like a statement, their blanks filled in."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "hint":
                if isinstance(node.value, ast.JoinedStr):
                    text = "".join(
                        str(p.value) if isinstance(p, ast.Constant) else "buildings"
                        for p in node.value.values
                    )
                elif isinstance(node.value, ast.Constant):
                    text = str(node.value.value)
                else:
                    continue
                yield f"{path.stem}:{node.value.lineno}", text


STATEMENT = re.compile(r"\w+ = \w+(\.|\[)|pg\.\w+\(|\w+\[.*\] = ")
CODE = [pytest.param(text, id=place) for place, text in hints() if STATEMENT.match(text)]


@pytest.mark.parametrize("text", CODE)
def test_a_hint_that_begins_as_code_is_code_throughout(text):
    ast.parse(text)


ENDS = {"river": "A", "left_m": 9.0, "right_m": 9.0}


@pytest.mark.parametrize(
    "limits",
    [
        {"spacing_m": 4, "step_m": 1},  # 0.2 x 4 = 0.8 m
        {"taper": 0.01, "step_m": 0.5},
        {"step_m": 3},
        {"spacing_m": 7, "taper": 1 / 3, "step_m": 2.4},
    ],
)
def test_a_line_that_would_freeze_is_refused_with_a_step_that_fits(limits):
    widths = pd.DataFrame({"chainage_m": [0.0, 300.0], **ENDS})
    houses = building_frame({"S": shapely.box(506_100, 2_503_008, 506_110, 2_503_018)}, floors=1)
    with pytest.raises(pg.errors.OptimiseError, match="the line couldn't move") as error:
        pg.least_demolition(RIVER, widths, houses, limits)
    limits = typed(error, limits=limits)["limits"]
    best = pg.least_demolition(RIVER, widths, houses, limits)
    assert best.buildings["state"].tolist() == ["saved"]


def test_rows_of_the_approved_table_that_are_close_don_t_freeze_the_line():
    widths = pd.DataFrame({"chainage_m": np.arange(0.0, 301.0, 3), **ENDS})
    houses = building_frame({"S": shapely.box(506_100, 2_503_008, 506_110, 2_503_018)}, floors=1)
    best = pg.least_demolition(RIVER, widths, houses, {"step_m": 1})
    assert best.buildings["state"].tolist() == ["saved"]


def test_a_taper_of_nothing_moves_the_line_as_a_whole():
    widths = pd.DataFrame({"chainage_m": [0.0, 300.0], **ENDS})
    houses = building_frame({"S": shapely.box(506_100, 2_503_008, 506_110, 2_503_018)}, floors=1)
    best = pg.least_demolition(RIVER, widths, houses, {"taper": 0, "step_m": 1})
    assert np.ptp(best.widths["left_m"]) == 0
    assert best.buildings["state"].tolist() == ["saved"]
