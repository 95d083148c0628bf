"""Columns of public data are recognised, none wrongly; layers of public data are named."""

import runpy
import tomllib
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

import pinghu_geo as pg
from pinghu_geo.intake.likeness import columns_meant
from pinghu_geo.intake.sight import sights
from pinghu_geo.nouns.schema import NOUNS, match_columns

HERE = Path(__file__).parents[1]
DATA = HERE.parent / "shared" / "data"
score = runpy.run_path(str(HERE / "benchmarks" / "schemata.py"))["score"]
SCHEMATA = tomllib.loads((HERE / "docs" / "schemata.toml").read_text("utf-8"))["schema"]


@pytest.mark.parametrize("names", [True, False], ids=["names alone", "with values"])
def test_columns_of_public_schemata_are_recognised_and_none_wrongly(names):
    meaningful, right, wrong, missed = score(SCHEMATA, names=names)
    assert not wrong
    assert right >= (0.9 if names else 0.95) * meaningful, missed
    assert len(SCHEMATA) >= 20
    assert all(schema["source"] for schema in SCHEMATA)


# values under these names, and what the layer then has them as: the names alone don't tell
STOREYS = [1, 2, 3, 6, 10, 18]
SIDES = [8.0, 10.0, 12.0, 14.0, 16.0, 20.0]
DRAWN = [s * s for s in SIDES]


def houses(**columns):
    shapes = [shapely.box(40 * k, 0, 40 * k + s, s) for k, s in enumerate(SIDES)]
    return gpd.GeoDataFrame({k: list(v) for k, v in columns.items()}, geometry=shapes, crs=4547)


SPOKEN = [
    ("a mere area is that of the shapes", {"area": [a * 1.02 for a in DRAWN]}, {"area": "footprint_m2"}),
    ("or of all storeys", {"floors": STOREYS, "bld_area": [a * n for a, n in zip(DRAWN, STOREYS, strict=True)]},
     {"floors": "floors", "bld_area": "floor_area_m2"}),
    ("or square feet", {"area": [a * 10.76 for a in DRAWN]}, {}),
    ("a code that differs is an id", {"bldg_code": list("abcdef")}, {"bldg_code": "building_id"}),
    ("whatever it is a code of", {"CODIGO": list("abcdef")}, {"CODIGO": "building_id"}),
    ("one that repeats is a class", {"bldg_code": list("aabbcc")}, {}),
    ("an id that repeats is none", {"gebaeude_id": [1, 1, 2, 3, 4, 5], "OBJECTID": range(6)},
     {"OBJECTID": "building_id"}),
    ("heights in feet are no metres", {"floors": STOREYS, "height": [n * 10 for n in STOREYS]},
     {"floors": "floors"}),
    ("heights in metres are", {"floors": STOREYS, "height": [n * 3.1 for n in STOREYS]},
     {"floors": "floors", "height": "height_m"}),
    ("years are no storeys", {"no_of_floors": [1990, 1991, 1950, 2001, 2010, 1900]}, {}),
    ("an office's word before", {"xq_storeys": STOREYS}, {"xq_storeys": "floors"}),
    ("but not before years", {"xq_storeys": [1990 + n for n in STOREYS]}, {}),
    ("a name cut short", {"NumberOfSt": STOREYS}, {"NumberOfSt": "floors"}),
    ("words of a use that are known", {"bldg_use": ["residential"] * 6}, {"bldg_use": "use"}),
    ("and that aren't", {"bldg_use": list("stuvwx")}, {}),
    ("a square footage of a use", {"main_use": [1.5, 2, 3, 4, 5, 6]}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("why", "columns", "wanted"), SPOKEN, ids=[s[0] for s in SPOKEN])
def test_values_speak_where_a_name_does_not_tell(why, columns, wanted):
    found, _ = columns_meant(houses(**columns), list(columns), NOUNS["buildings"], {}, ())
    assert found == wanted, why


def test_what_is_unsure_is_asked_and_said_how(tmp_path):
    path = tmp_path / "房屋.gpkg"
    houses(id=list("abcdef"), bldg_use=list("stuvwx")).to_file(path)
    said = pg.check(path, "buildings").set_index("fault").loc["unsure_column"]
    assert "bldg_use" in said["problem"]
    assert said["advice"].endswith('columns = { use = "bldg_use" }')
    words = {"use": dict.fromkeys("stuvwx", "other")}
    read = pg.read_layer(path, "buildings", columns={"use": "bldg_use"}, values=words)
    assert set(read["use"]) == {"other"}


# names made of known words and one that turns them, and names that are other things elsewhere
NONE_OF_OURS = [
    "HEIGHTROOF",
    "height_roof",
    "roof_height",
    "roof_levels",
    "underground_floors",
    "floors_below",
    "num_basement_floors",
    "floor_no",
    "floor_number",
    "floorNum",
    "FloorColor",
    "floor_height",
    "storey_height",
    "ground_floor_area",
    "lot_area",
    "LotArea",
    "BldgArea",
    "total_area",
    "ground_elevation",
    "ground_level",
    "min_level",
    "building_level",
    "level_id",
    "house_number",
    "building_number",
    "building_name",
    "year_of_construction",
    "number_of_dwellings",
    "num_units",
    "nb_logements",
    "liczbaKondygnacjiPodziemnych",
    "ugrnd_flr_cnt",
    "area_terr",
    "altitude_sol_mean",
    "max_height_m",
    "地下层数",
    "地下階数",
    "层高",
    "楼层高度",
    "敷地面積",
    "用地面积",
    "楼号",
    "建筑密度",
    "土地面积",
    "Shape_Area",
    "roof:height",
    "min_height",
    "river_id",
]


@pytest.mark.parametrize("name", NONE_OF_OURS)
def test_a_word_that_turns_a_name_is_heard(name):
    assert match_columns([name], NOUNS["buildings"]) == {}


@pytest.mark.parametrize(
    ("name", "ours"),
    [("no_of_storeys", "floors"), ("Nombre d'étages", "floors"), ("AnzahlGeschosse", "floors"),
     ("pocet_nadzemnich_podlazi", "floors"), ("oberirdische_geschosse", "floors"),
     ("building_footprint_area", "footprint_m2"), ("Grundflaeche_bebaut", None),
     ("bebaute_flaeche", "footprint_m2"), ("gross_floor_area", "floor_area_m2"),
     ("hoogte_gebouw", "height_m"), ("건물높이", "height_m"), ("建物高さ", "height_m"),
     ("gebaeude_id", "building_id"), ("gebaeude_kennz", "building_id"),
     ("FWCS", "floors"), ("JZWGD", "height_m"), ("ZRZZCS", "floors"), ("QLRXM", "owner"),
     ("FWZDMJ", "footprint_m2"), ("DXCS", None), ("ZTS", None), ("jz_area", None),
     ("этажность", "floors"), ("количество этажей", "floors"), ("площадь застройки", "footprint_m2"),
     ("kat_sayisi", "floors"), ("korruste_arv", "floors"), ("cengshu", "floors"),
     ("jianzhumianji", "floor_area_m2"), ("storeys_ab", "floors"), ("floor1_area", None),
     ("area_floor_2", None), ("superficie_construida", "floor_area_m2")],
)  # fmt: skip
def test_names_are_taken_apart(name, ours):
    assert match_columns([name], NOUNS["buildings"]).get(name) == ours


# what lies in the public data, as its READMEs say (path in it: layer: noun); written down from
# them before `sights` was run on it. Parcels are what is called cadastre there.
LAYERS = {
    "bayreuth/bayreuth_epsg32632.gpkg": {
        "buildings": "buildings", "waterways": "rivers", "water": "", "landuse": ""},
    "bayreuth/dem_srtm_4326.tif": {"": "dem"},
    "jakarta/jakarta_building_attrs_epsg32748.parquet": {"": "buildings"},
    "jakarta/jakarta_osm_building_epsg32748.parquet": {"": "buildings"},
    "jakarta/original/inasafe_data/boundaries/rw_jakarta.shp": {"": ""},
    "jakarta/original/inasafe_data/exposure/OSM_structures_jakarta_20121018.shp": {"": "buildings"},
    "jakarta/original/inasafe_data/exposure/jakarta_OSM_building.shp": {"": "buildings"},
    "jakarta/original/inasafe_data/hazard/Flood_Current_Depth_Jakarta_geographic.asc": {"": ""},
    "jakarta/original/inasafe_data/hazard/Flood_Design_Depth_Jakarta_geographic.asc": {"": ""},
    "jakarta/original/inasafe_data/hazard/Jakarta_RW_2007flood.shp": {"": ""},
    "jakarta/original/inasafe_gisv4/exposure/jakarta_building.gpkg": {"clipped_jakarta_building": "buildings"},
    "jakarta/original/inasafe_gisv4/hazard/jakarta_continuous_flood.tif": {"": ""},
    "messy/original/beijing_buildings.json": {"": "buildings"},
    "messy/original/chinese_encoding.shp": {"": ""},
    "messy/original/chongqing_buildings_LATLON_SWAPPED.json": {"": "buildings"},
    "messy/original/chongqing_shp/区县界_area.shp": {"": ""},
    "messy/original/shanghai_shp/区县界_area.shp": {"": ""},
    "messy/original/nanshan-building.geojson": {"": "buildings"},
    "messy/original/nts_broken/CA_Cable_region.shp": {"": ""},
    "messy/original/nts_broken/Issue167.shp": {"": ""},
    "messy/original/nts_broken/Sept_polygones.shp": {"": ""},
    "messy/original/nts_broken/Victoria North.shp": {"": ""},
    "messy/original/nts_broken/Volume2.shp": {"": ""},
    "messy/original/nts_broken/error_union.shp": {"": ""},
    "messy/original/nts_broken/polygon intersecting line.shp": {"": ""},
    "messy/original/nts_broken/tnp_pol.shp": {"": ""},
    "shenzhen/shenzhen_buildings_epsg4547.parquet": {"": "buildings"},
    "shenzhen/shenzhen_districts_4326.gpkg": {"districts": ""},
    "swellendam/swellendam_epsg32734.gpkg": {
        "buildings": "buildings", "farms": "parcels", "rivers": "rivers", "roads": "", "urban": "parcels",
        "water": ""},
    "swellendam/original/exercise_data/projected_data/farms_33S.shp": {"": "parcels"},
    "swellendam/original/exercise_data/projected_data/urban_33S.shp": {"": "parcels"},
    "swellendam/original/exercise_data/projected_data/places_33S.shp": {"": ""},
    "swellendam/original/exercise_data/projected_data/roads_33S.shp": {"": ""},
    "swellendam/original/exercise_data/projected_data/schools_33S.shp": {"": ""},
    "swellendam/original/exercise_data/projected_data/water_33S.shp": {"": ""},
    "swellendam/original/exercise_data/shapefile/places.shp": {"": ""},
    "swellendam/original/exercise_data/shapefile/protected_areas.shp": {"": ""},
    "swellendam/original/exercise_data/shapefile/rivers.shp": {"": "rivers"},
    "swellendam/original/exercise_data/shapefile/water.shp": {"": ""},
    "swellendam/original/exercise_data/raster/SRTM/srtm_41_19.tif": {"": "dem"},
    "swellendam/original/exercise_data/raster/SRTM/srtm_41_19_4326.tif": {"": "dem"},
    "swellendam/original/exercise_data/training_data.gpkg": {
        "roads": "", "restaurants": "buildings", "schools": "buildings", "buildings": "buildings"},
    "tokyo_kanda/kanda_291k_epsg6677.parquet": {"": "buildings"},
}  # fmt: skip


@pytest.mark.skipif(not DATA.is_dir(), reason="the public data isn't here")
def test_layers_of_the_public_data_are_named():
    found = {(s.path.relative_to(DATA).as_posix(), s.layer or ""): s.what for s in sights(DATA)}
    wanted = {
        (path, layer): noun for path, layers in LAYERS.items() for layer, noun in layers.items()
    }
    missed = {k: (found.get(k), v) for k, v in wanted.items() if found.get(k) != v}
    assert len(wanted) >= 54
    assert len(missed) <= 0.05 * len(wanted), missed
    assert {place for place, noun in found.items() if noun} <= set(wanted)


# what many rows hold under names that say nothing
NAMELESS = [
    ("storeys by which heights divide", {"height": [3.1 * (1 + n // 2) for n in range(30)], "q1": [1 + n // 2 for n in range(30)]},
     {"height": "height_m", "q1": "floors"}),
    ("no other whole number", {"height": [3.1 * n for n in range(1, 31)], "q1": [40] * 15 + [2] * 15},
     {"height": "height_m"}),
    ("storeys and heights together", {"q1": [1 + n // 2 for n in range(30)], "q2": [3.07 * (1 + n // 2) for n in range(30)]},
     {"q1": "floors", "q2": "height_m"}),
    ("not years and prices", {"q1": [1990 + n // 2 for n in range(30)], "q2": [3.07 * n for n in range(1, 31)]}, {}),
    ("words of uses", {"q1": ["Wohngebäude", "Bürogebäude", "공장"] * 10}, {"q1": "use"}),
    ("numbered", {"q1": ["1_residential", "4_3_publicServices", "2-工业"] * 9 + ["4_1_office"] * 3}, {}),
    ("one word of a use is no use", {"q1": ["house"] * 30}, {}),
    ("the shapes' own areas", {"q1": [k * k for k in range(8, 38)]}, {"q1": "footprint_m2"}),
    ("not square feet", {"q1": [10.76 * k * k for k in range(8, 38)]}, {}),
    ("codes that differ", {"xyz": [f"A{k}" for k in range(30)]}, {"xyz": "building_id"}),
    ("not of something else", {"owner_xyz": [f"A{k}" for k in range(30)]}, {}),
    ("nor two of them", {"xyz": [f"A{k}" for k in range(30)], "zyx": [f"B{k}" for k in range(30)]}, {}),
    ("an id that mostly repeats beside one that doesn't", {"id": [1, 2, 3] * 10, "fid": range(30)},
     {"fid": "building_id"}),
    ("but slips are to be found", {"id": [1, *range(1, 30)], "fid": range(30)}, {"id": "building_id"}),
    ("a misspelt name", {"use_desgin": ["住宅", "商业"] * 15}, {"use_desgin": "use"}),
    ("our own word for codes of another office", {"structure": [9, 16, 10] * 10}, {}),
]  # fmt: skip


def rows(columns):
    n = len(next(iter(columns.values())))
    shapes = [shapely.box(60 * k, 0, 60 * k + k + 8, k + 8) for k in range(n)]
    return gpd.GeoDataFrame({k: list(v) for k, v in columns.items()}, geometry=shapes, crs=4547)


@pytest.mark.parametrize(("why", "columns", "wanted"), NAMELESS, ids=[s[0] for s in NAMELESS])
def test_values_speak_alone_where_a_name_says_nothing(why, columns, wanted):
    found, _ = columns_meant(rows(columns), list(columns), NOUNS["buildings"], {}, ())
    assert found == wanted, why


def test_names_of_rivers_are_known_by_what_ends_them():
    names = ["平湖河", "Mühlbach", "Rio das Bombas", "木古河", "Spring Creek"]
    lines = [shapely.LineString([(k, 0), (k, 100)]) for k in range(5)]
    layer = gpd.GeoDataFrame({"q1": names, "q2": list("abcde")}, geometry=lines, crs=4547)
    assert columns_meant(layer, ["q1", "q2"], NOUNS["rivers"], {}, ())[0] == {"q1": "river"}
    layer["q1"] = "river"  # what they are, not what they are called
    assert columns_meant(layer, ["q1", "q2"], NOUNS["rivers"], {}, ())[0] == {}


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "fgb", "geojson", "parquet"])
def test_a_part_of_a_file_is_judged_by_the_whole(tmp_path, suffix):
    """Three rows near say nothing of storeys, and ids that differ there repeat elsewhere."""
    n = 60
    layer = rows({"q1": [1 + k % 20 for k in range(n)], "height": [3.1 * (1 + k % 20) for k in range(n)],
                  "bldg_code": [k // 2 if k > 5 else 100 + k for k in range(n)],
                  "xyz": [f"A{k}" for k in range(n)]})  # fmt: skip
    path = tmp_path / f"房屋.{suffix}"
    layer.to_parquet(path, write_covering_bbox=True) if suffix == "parquet" else layer.to_file(path)
    whole = pg.read_layer(path, "buildings")
    near = layer.iloc[[0, 1, 2]]
    some = pg.read_layer(path, "buildings", near=near, near_m=1)
    high = pg.read_layer(path, "buildings", where="height < 10")
    assert set(whole.columns) >= {"floors", "height_m", "bldg_code"}
    for part in (some, high):
        assert list(part.columns) == list(whole.columns)
        assert 0 < len(part) < n
        assert set(part.index) <= set(whole.index)
