"""Columns of public data are recognised, none wrongly; layers of public data are named."""

import tomllib
from pathlib import Path

import pytest

from pinghu_geo.intake.sight import sights
from pinghu_geo.nouns.schema import NOUNS, match_columns

HERE = Path(__file__).parents[1]
DATA = HERE.parent / "shared" / "data"
SCHEMATA = tomllib.loads((HERE / "docs" / "schemata.toml").read_text("utf-8"))["schema"]


def test_columns_of_public_schemata_are_recognised_and_none_wrongly():
    meaningful, right, wrong, missed = 0, 0, [], []
    for schema in SCHEMATA:
        got = match_columns(schema["columns"], NOUNS[schema["noun"]])
        for given, wanted in schema["columns"].items():
            meaningful += bool(wanted)
            if got.get(given, "") == wanted:
                right += bool(wanted)
            elif given in got:
                wrong.append((schema["name"], given, got[given]))
            else:
                missed.append((schema["name"], given, wanted))
    assert not wrong
    assert right >= 0.9 * meaningful, missed
    assert len(SCHEMATA) >= 20
    assert all(schema["source"] for schema in SCHEMATA)


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
     ("gebaeude_id", "building_id"), ("gebaeude_kennz", "building_id")],
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
