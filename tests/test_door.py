"""Sound tables in other clothes give what the neat table gives, or one sentence."""

import inspect
from decimal import Decimal

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from pandas.testing import assert_frame_equal, assert_index_equal

import pinghu_geo as pg
from conftest import building_frame, river_frame
from pinghu_geo.nouns.door import clean

WIDTHS = pd.DataFrame(
    {"river": "A", "chainage_m": [0.0, 1000.0], "left_m": [20.0, 20.0], "right_m": [20.0, 24.0]}
)
RATES = pd.DataFrame(
    {"use": ["residential", None], "building_yuan_m2": [8000.0, 100.0]}, index=["R1", "R2"]
)
PROFILE = pd.DataFrame({"river": "A", "chainage_m": [0.0, 1000.0], "level_m": [20.0, 10.0]})


def same(found, wanted):
    """Values alike, whatever the dtype of a column."""
    assert list(found.columns) == list(wanted.columns)
    for column in wanted:
        a, b = found[column].to_numpy(object), wanted[column].to_numpy(object)
        for x, y in zip(a, b, strict=True):
            if isinstance(y, float | np.floating):
                assert x == pytest.approx(y, nan_ok=True, abs=1e-12)
            else:
                assert pd.isna(x) and pd.isna(y) or x == y, column


# --- names and codes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [1, "1", 1.0, Decimal(1), np.int8(1), " 1 "],
    ids=lambda v: type(v).__name__,
)
def test_a_river_is_called_what_people_read(name, straight, houses):
    rivers = straight.rename(index={"A": 1})
    widths = WIDTHS.assign(river=pd.Series([name] * 2, dtype=object))
    line = pg.red_line(rivers, widths)
    profile = PROFILE.assign(river=pd.Series([name] * 2, dtype=object))
    neat = pg.flood_levels(houses, PROFILE, straight)
    assert_frame_equal(pg.flood_levels(houses, profile, rivers), neat)
    hit = pg.affected(houses, line.assign(river=1), rivers)
    assert set(hit["river"]) == {"1"}
    assert (
        hit.index.tolist()
        == pg.affected(houses, pg.red_line(straight, WIDTHS), straight).index.tolist()
    )


@pytest.mark.parametrize("word", ["左岸", "左", "L", " LEFT ", "Left"])
def test_a_bank_in_any_words_is_that_bank(word, straight, houses):
    hit = pg.affected(houses, pg.red_line(straight, WIDTHS), straight)
    hit["node_id"] = pg.node_ids(hit)
    reach = pd.DataFrame({"river": "A", "from_m": [0.0], "to_m": [1000.0], "group": ["甲"]})
    neat = pg.node_table(hit, reach.assign(bank="left"))
    found = pg.node_table(hit, reach.assign(bank=word))
    assert found["group"].tolist() == neat["group"].tolist()
    assert 0 < neat["group"].notna().sum() < len(neat)
    for blank in ("", " ", None, np.nan, pd.NA):
        every = pg.node_table(hit, reach.assign(bank=pd.Series([blank], dtype=object)))
        assert every["group"].notna().all()
    with pytest.raises(pg.errors.LayerError, match=r"unknown words for bank .*'lfet' \(1: 0\)"):
        pg.node_table(hit, reach.assign(bank="lfet"))


@pytest.mark.parametrize("word", ["residential ", "RESIDENTIAL", "住宅", " 住 宅"])
def test_an_unknown_use_never_falls_to_the_catch_all(word, straight, houses):
    hit = pg.affected(houses, pg.red_line(straight, WIDTHS), straight)
    hit = hit[hit["demolish_floor_area_m2"].notna()]
    neat = pg.compensation(hit, RATES)["cost_yuan"].sum()
    assert pg.compensation(hit.assign(use=word), RATES)["cost_yuan"].sum() == neat
    with pytest.raises(pg.errors.LayerError, match="'residental'") as fault:
        pg.compensation(hit.assign(use="residental"), RATES)
    assert "'residential'" in str(fault.value)
    nothing = hit.assign(use=pd.Series(pd.NA, hit.index, dtype="str"))
    assert pg.compensation(nothing, RATES)["cost_yuan"].sum() == pytest.approx(neat / 80)


# --- dtypes -----------------------------------------------------------------------------------


NUMBERS = {
    "nullable": lambda v: v.astype("Float64"),
    "arrow": lambda v: v.astype("double[pyarrow]"),
    "arrow_text": lambda v: v.astype(str).astype("string[pyarrow]"),
    "category": lambda v: v.astype("category"),
    "decimal": lambda v: v.map(lambda x: None if pd.isna(x) else Decimal(repr(x))),
    "object": lambda v: v.astype(object).where(v.notna(), None),
    "mixed": lambda v: v.astype(object).where(np.arange(len(v)) % 2 == 0, v.astype(str)),
    "text": lambda v: v.map("{:,.3f}".format).where(v.notna(), ""),
    "full width": lambda v: v.map(lambda x: "" if pd.isna(x) else repr(x).replace("1", "１")),
}


@pytest.mark.parametrize("clothes", NUMBERS)
def test_numbers_in_any_dtype_are_the_same_numbers(clothes, straight, houses):
    dress = NUMBERS[clothes]
    widths = WIDTHS.apply(lambda c: dress(c) if c.dtype == float else c)
    rates = RATES.assign(building_yuan_m2=dress(RATES["building_yuan_m2"]))
    line = pg.red_line(straight, widths)
    assert line.equals(pg.red_line(straight, WIDTHS))
    known = houses.drop(index="right")
    other = known.assign(floor_area_m2=dress(known["floor_area_m2"]), floors=dress(known["floors"]))
    before = other.copy(deep=True)
    found, neat = (pg.assess(line, b, straight, rates=rates) for b in (other, known))
    assert_frame_equal(other, before)
    same(found.totals, neat.totals)
    cost = dress(neat.affected["cost_yuan"])
    same(pg.totals(neat.affected.assign(cost_yuan=cost), "bank"), pg.totals(neat.affected, "bank"))


@pytest.mark.parametrize("word", ["8.5.2", "约20", "1,2,0", "nan?", "inf", "True", "2024-01-01"])
def test_what_is_no_number_is_refused_with_its_rows(word, straight):
    widths = WIDTHS.assign(left_m=[20.0, word])
    with pytest.raises(pg.errors.LayerError, match=r"in left_m .*\(1: 1\)"):
        pg.red_line(straight, widths)


def test_dates_and_truths_are_no_numbers(straight):
    for values in (pd.to_datetime(["2024-01-01"] * 2), pd.to_timedelta([1, 2], unit="D")):
        with pytest.raises(pg.errors.LayerError, match="left_m"):
            pg.red_line(straight, WIDTHS.assign(left_m=values))


# --- ids, index, columns ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "ids",
    [
        pd.Index(range(8)),
        pd.Index(np.arange(8.0)),
        pd.Index(range(8), dtype="Int64"),
        pd.Index(range(8), dtype="int64[pyarrow]"),
        pd.CategoricalIndex(range(8)),
        pd.Index([f"H{k}" for k in range(8)], dtype=object),
        pd.Index([f"H{k}" for k in range(8)], dtype="string[pyarrow]"),
        pd.Index([1, "2", 3, "B4", 5, 6, 7, 8], dtype=object),
    ],
    ids=lambda i: str(i.dtype),
)
@pytest.mark.parametrize("name", [None, "building_id", "river", "chainage_m", "id"])
def test_ids_come_back_as_people_read_them(ids, name, straight, houses):
    other = houses.set_axis(ids.rename(name))
    hit = pg.affected(other, pg.red_line(straight, WIDTHS), straight)
    neat = pg.affected(houses, pg.red_line(straight, WIDTHS), straight)
    same(hit.drop(columns="geometry"), neat.drop(columns="geometry"))
    where = houses.index.get_indexer(neat.index)
    read = [str(int(i)) if isinstance(i, float) else str(i) for i in ids]
    assert [str(i) for i in hit.index] == [read[k] for k in where]
    assert pg.node_ids(hit).tolist() == pg.node_ids(neat).tolist()
    assert hit.sort_values("river").index.isin(hit.index).all()


def test_an_index_that_holds_columns_gives_them_back(straight):
    neat = pg.red_line(straight, WIDTHS)
    for keys in (["chainage_m"], ["river", "chainage_m"], ["river"]):
        assert pg.red_line(straight, WIDTHS.set_index(keys)).equals(neat)
    assert pg.red_line(straight, pd.concat([WIDTHS[:1], WIDTHS[1:]]).set_axis([0, 0])).equals(neat)


def test_what_has_no_plain_ids_is_refused(straight, houses):
    many = pd.MultiIndex.from_arrays([list("aabbccdd"), range(8)], names=["街道", "号"])
    blank = [*houses.index[:-1], None]
    for ids, said in ((many, "ids of several levels: 街道, 号"), (blank, "without an id")):
        with pytest.raises(pg.errors.LayerError, match=said):
            pg.locate(houses.set_axis(ids), straight)
    twice = pd.concat([houses, houses[["floors"]]], axis=1)
    with pytest.raises(pg.errors.LayerError, match=r"several columns of one name \(1: floors\)"):
        pg.affected(twice, pg.red_line(straight, WIDTHS), straight)


def test_evidence_finds_its_house_by_number_or_text(straight, houses):
    hit = pg.affected(houses.set_axis(range(8)), pg.red_line(straight, WIDTHS), straight)
    evidence = pd.DataFrame({"in_project": True}, index=hit.index)
    neat = pg.retention_verdict(hit, evidence, limits={"allowed_mm": 1, "freeboard_m": 0})
    for ids in (hit.index.astype(str), hit.index.astype(float), hit.index.astype("category")):
        found = pg.retention_verdict(
            hit, evidence.set_axis(ids), limits={"allowed_mm": 1, "freeboard_m": 0}
        )
        assert_frame_equal(found, neat)
    ledger = pd.DataFrame({"building_id": hit.index.astype(float), "leader": "甲"})
    joined = pg.join_ledger(hit.rename_axis("building_id"), ledger)
    assert joined.unmatched.empty
    assert (joined.layer["leader"] == "甲").all()


def test_what_was_assessed_is_assessed_again(straight, houses):
    known = houses.drop(index="right")
    line = pg.red_line(straight, WIDTHS)
    once = pg.assess(line, known, straight, rates=RATES)
    again = pg.assess(line, once.affected, straight, rates=RATES)
    assert_frame_equal(again.affected[once.affected.columns], once.affected)
    same(again.totals, once.totals)


def test_empty_tables_give_empty_tables(straight, houses):
    none = houses.head(0)
    line = pg.red_line(straight, WIDTHS)
    hit = pg.affected(none, line, straight)
    assert hit.empty
    assert {"river", "bank", "inside_m2"} <= set(hit.columns)
    assert pg.flood_levels(none, PROFILE, straight).dtypes.eq(float).all()
    assert pg.locate(none, straight).empty
    assert pg.compensation(hit, RATES).empty
    assert pg.node_ids(hit).empty
    assert pg.totals(hit)["n_buildings"].tolist() == [0]
    assert pg.assess(line, none, straight, rates=RATES).affected.empty


def test_columns_that_a_database_takes_for_one_are_both_written(houses, tmp_path):
    for suffix in ("gpkg", "shp"):
        pg.write_layer(houses.assign(FLOORS=9), tmp_path / f"h.{suffix}", "buildings")
        back = pg.read_layer(tmp_path / f"h.{suffix}", "buildings")
        assert back["floors"].tolist() == houses["floors"].tolist()
        assert 9 in back.drop(columns="geometry").to_numpy(object)


def test_ids_that_no_one_named_are_written(houses, tmp_path):
    pg.write_layer(houses.rename_axis(None), tmp_path / "h.gpkg", "buildings")
    assert pg.read_layer(tmp_path / "h.gpkg", "buildings").index.tolist() == houses.index.tolist()


# --- geometry ---------------------------------------------------------------------------------


def test_whatever_the_geometry_is_called(straight, houses):
    line = pg.red_line(straight, WIDTHS)
    neat = pg.affected(houses, line, straight)
    renamed = houses.rename_geometry("geom")
    second = renamed.assign(geometry=renamed.centroid)
    for other in (renamed, second):
        found = pg.affected(other, line.rename_geometry("shape"), straight.rename_geometry("g"))
        assert_frame_equal(found[neat.columns], neat)
    assert second.geometry.name == "geom"
    with pytest.raises(pg.errors.LayerError, match="no active geometry"):
        pg.affected(gpd.GeoDataFrame(houses.drop(columns="geometry")), line, straight)


def test_measures_of_a_line_are_its_chainage():
    line = shapely.linestrings([[0.0, 0.0, 5400.0], [600.0, 0.0, 4800.0], [1000.0, 0.0, 4400.0]])
    measured = shapely.from_wkt("LINESTRING M (0 0 5400, 600 0 4800, 1000 0 4400)")
    assert shapely.has_m(measured)
    assert shapely.has_z(line)
    rivers = gpd.GeoDataFrame(geometry=[measured], index=pd.Index(["A"], name="river"), crs=4547)
    house = building_frame({"B": shapely.box(100, 5, 110, 15)})
    assert pg.locate(house, rivers)["chainage_m"].tolist() == [5295.0]
    plain = rivers.set_geometry([line], crs=4547)
    assert pg.locate(house, plain)["chainage_m"].tolist() == [105.0]  # heights are no chainage
    stated = rivers.assign(start_m=0.0)
    assert pg.locate(house, stated)["chainage_m"].tolist() == [105.0]
    wild = shapely.from_wkt("LINESTRING M (0 0 0, 600 0 10, 1000 0 20)")
    with pytest.raises(pg.errors.LayerError, match=r"M values that don't run .*\(1: A\)"):
        pg.locate(house, rivers.set_geometry([wild], crs=4547))


def test_heights_and_their_datum_are_left_out(straight, houses):
    line = pg.red_line(straight, WIDTHS)
    neat = pg.affected(houses, line, straight)
    tall = houses.set_geometry(
        shapely.force_3d(houses.geometry.to_numpy(), 9.0), crs="EPSG:4547+5737"
    )
    found = pg.affected(tall, line, straight)
    assert_frame_equal(found.drop(columns="geometry"), neat.drop(columns="geometry"))
    assert found.crs == neat.crs


# --- the door itself --------------------------------------------------------------------------


def test_what_is_clean_is_handed_on_uncopied(straight, houses):
    for frame, what in ((houses, "buildings"), (straight, "rivers"), (WIDTHS, "widths")):
        assert clean(frame, what) is frame
    twice = clean(WIDTHS.assign(left_m=7), "widths")
    assert clean(twice, "widths") is twice


def test_what_was_given_stays_as_it_was(straight, houses):
    other = houses.rename_geometry("geom").set_axis(pd.Index(np.arange(8.0), name="river"))
    other = other.assign(use=" 住宅", floors=other["floors"].astype(str))
    before, crs = other.copy(deep=True), other.crs
    pg.affected(other, pg.red_line(straight, WIDTHS), straight)
    assert_frame_equal(other, before)
    assert_index_equal(other.index, before.index)
    assert (other.geometry.name, other.index.name, other.crs) == ("geom", "river", crs)


def test_what_is_no_table_is_said(straight):
    with pytest.raises(pg.errors.LayerError, match="is no table but str"):
        pg.locate("房屋.shp", straight)
    with pytest.raises(pg.errors.LayerError, match="several levels"):
        pg.red_line(straight, pd.concat({"x": WIDTHS}, axis=1))


def test_river_names_may_be_categories_in_one_and_numbers_in_another():
    rivers = river_frame({7: [(0, 0), (1000, 0)], 8: [(0, 500), (1000, 500)]})
    house = building_frame({"B": shapely.box(100, 5, 110, 15)})
    river = pd.Series(pd.Categorical(["7"]), index=house.index)
    assert pg.locate(house, rivers, river=river)["river"].tolist() == ["7"]


HEIGHTS = {"sections", "profile", "design", "banks", "obstacles", "structures", "before", "after",
           "downstream", "upstream", "bed", "dem", "marks", "tops"}  # fmt: skip


def test_heights_of_two_datums_are_refused_by_every_function_that_takes_two_tables():
    """The door looks at all tables of a call, so that no function can forget to."""
    outside = []
    for room in (pg.river, pg.redline, pg.flood, pg.schemes, pg.search, pg.campaign, pg.deliver):
        for name in room.__all__:
            one = getattr(room, name)
            if (
                inspect.isfunction(one)
                and len(HEIGHTS & set(inspect.signature(one).parameters)) > 1
            ):
                outside += [] if hasattr(one, "__wrapped__") else [name]
    assert not outside, "these take two tables of heights and aren't behind the door"
    bed = pd.DataFrame({"river": "A", "chainage_m": np.repeat([0.0, 100.0], 2), "n": 0.03,
                        "offset_m": [-5.0, 5.0] * 2, "elevation_m": 4.0})  # fmt: skip
    levels = pd.DataFrame({"river": "A", "chainage_m": [0.0, 100.0], "level_m": 5.0})
    pearl, sea = {"datum": "pearl_river"}, {"datum": "yellow_sea_1956"}
    for call in (
        lambda: pg.freeboard(levels.assign(**pearl), bed.assign(**sea)),
        lambda: pg.flood.rise_table(levels.assign(**pearl), levels.assign(**sea)),
        lambda: pg.flood.section_properties(bed.assign(**pearl), levels.assign(**sea)),
        lambda: pg.flood.excavation(bed.assign(**pearl), bed.assign(**sea)),
        lambda: pg.plot_long_section(levels.assign(**pearl), "A", before=levels.assign(**sea)),
    ):
        with pytest.raises(pg.errors.LayerError, match="has heights in"):
            call()


def test_a_number_without_end_is_refused_with_its_rows():
    profile = PROFILE.assign(level_m=[20.0, np.inf])
    with pytest.raises(pg.errors.LayerError, match=r"without end, such as inf, in level_m"):
        clean(profile, "profile")
    with pytest.raises(pg.errors.LayerError, match="inf"):
        clean(WIDTHS.assign(left_m=-np.inf), "widths")
    whole = pd.DataFrame({"river": ["A"], "from_m": [-np.inf], "to_m": [np.inf]})
    assert clean(whole, "locks")["to_m"].tolist() == [np.inf]


def test_what_no_file_holds_is_refused_before_it_is_written(houses, tmp_path):
    for suffix in (".gpkg", ".shp", ".geojson"):
        target = tmp_path / f"x{suffix}"
        with pytest.raises(pg.errors.LayerError, match="geometries in middle, too"):
            pg.write_layer(houses.assign(middle=houses.centroid), target, "buildings")
        with pytest.raises(pg.errors.LayerError, match="table without geometry"):
            pg.write_layer(pd.DataFrame(houses), target, "buildings")
        assert not target.exists()
    pg.write_layer(houses.assign(middle=houses.centroid), tmp_path / "x.parquet", "buildings")
    rows = pd.DataFrame({"river": "A", "chainage_m": [0.0], "left_m": [1.0]})
    twice = pd.concat([rows, rows[["left_m"]]], axis=1)
    for write in (pg.write_table, lambda t, p: pg.deliver.write_sheets({"a": t}, p)):
        with pytest.raises(pg.errors.LayerError, match="several columns of one name"):
            write(twice, tmp_path / "x.xlsx")
        with pytest.raises(pg.errors.ChainageError, match="is no chainage"):
            write(rows.assign(chainage_m=pd.Timestamp("2024-01-01")), tmp_path / "x.xlsx")


# --- layers whose rows are handed on as they are ----------------------------------------------

ON_SHAPES = {
    "apply_grid": lambda f: pg.apply_grid(f, pg.fit_grid(CONTROL, 4547)),
    "from_gcj02": pg.intake.from_gcj02,
    "split_parts": pg.intake.split_parts,
    "repair": lambda f: pg.repair(f, "buildings"),
    "layer_shift": lambda f: pg.intake.layer_shift(f, f),
    "write_dxf": lambda f: pg.write_dxf({"房屋": f}, "never.dxf"),
    "write_results": lambda f: pg.deliver.write_results({"buildings": f}, "never.gpkg"),
    "river_axis": lambda f: pg.river_axis(f, None),
    "read_layer": lambda f: pg.read_layer("never.gpkg", "buildings", near=f),
}
CONTROL = pd.DataFrame({"from_x_m": [0.0, 1000, 0], "from_y_m": [0.0, 0, 1000],
                        "to_x_m": [513000.0, 514000, 513000],
                        "to_y_m": [2510000.0, 2510000, 2511000]})  # fmt: skip


@pytest.mark.parametrize("name", ON_SHAPES)
def test_no_layer_comes_in_without_shapes(name, houses, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gpd.GeoDataFrame(geometry=houses.geometry).to_file("never.gpkg")
    inactive = houses.set_geometry("geometry").assign(other=houses.centroid)
    inactive = gpd.GeoDataFrame(inactive.drop(columns="geometry"))
    twice = pd.concat([houses.assign(note=1), houses[[]].assign(note=2)], axis=1)
    for bad, words in (
        (pd.DataFrame(houses), "is a table without geometry"),
        (inactive, "has no active geometry; geometries stand in other"),
        (twice, "several columns of one name"),
        (houses.geometry, "is no layer but GeoSeries"),
    ):
        with pytest.raises(pg.errors.LayerError, match=words):
            ON_SHAPES[name](bad)


def test_a_ledger_names_the_ids_that_no_one_named(straight, houses, tmp_path):
    hit = pg.affected(houses, pg.red_line(straight, WIDTHS), straight)
    sheets = []
    for k, frame in enumerate((hit, hit.rename_axis(None))):
        pg.write_ledger(frame, tmp_path / f"{k}.xlsx")
        sheets.append(pd.read_excel(tmp_path / f"{k}.xlsx", sheet_name="征拆台账", header=2))
    assert sheets[1].columns[1] == "房屋编号"
    assert_frame_equal(sheets[0], sheets[1])


def test_a_table_beside_another_comes_in_by_the_door(tmp_path):
    widths = pd.DataFrame({"river": "A", "chainage_m": [0.0, 9.0], "left_m": 5.0, "right_m": 5.0})
    with pytest.raises(pg.errors.LayerError, match="lacks the column 'from_m'"):
        pg.plot_widths(
            widths, widths, "A", buildings=pd.DataFrame({"river": ["A"], "bank": "left"})
        )
    with pytest.raises(pg.errors.LayerError, match="several rows for an activity"):
        pg.campaign.critical_path(
            pd.DataFrame({"duration_days": [1, 2]}, ["a", "a"]),
            pd.DataFrame({"before": ["a"], "after": ["a"]}),
        )
    with pytest.raises(pg.errors.LayerError, match="no whole number of days"):
        pg.campaign.critical_path(
            pd.DataFrame({"duration_days": [1.0, np.inf]}, ["a", "b"]),
            pd.DataFrame({"before": ["a"], "after": ["b"]}),
        )
    said = pg.campaign.critical_path(
        pd.DataFrame({"duration_days": ["1", "2"]}, [1, 2]),
        pd.DataFrame({"before": ["1"], "after": ["2"]}),
    )
    assert said["earliest_start"].tolist() == [0, 1]


# --- the kinds that were answered wrong, each in further clothes -------------------------------

CLOSE = pd.DataFrame(
    {"river": "A", "chainage_m": np.repeat([0.0, 1000.0], 4), "n": 0.03,
     "offset_m": [-30.0, -29, 29, 30] * 2, "elevation_m": [14.0, 10, 10, 14] * 2}
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "index"),
    [(7, 7), ("7", 7), (7.0, "7"), (Decimal(7), np.int64(7)), (" 7", 7.0), (np.int16(7), "7")],
)
def test_a_river_named_by_a_number_is_met_by_ground_and_houses(tmp_path, name, index, houses):
    """Both joined nothing and said so in no word: 0 m2 of flood, 0 rows of obstacles."""
    rivers = river_frame({index: [(0, 0), (1000, 0)]})
    river = pd.Series([name] * 8, dtype=object)
    # 26 cells of 10 m in a row stand below 12 m: 130 m on both sides of 1,000 m
    path = tmp_path / "dem.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=120, height=60, count=1, dtype="float64", crs=4547,
        transform=rasterio.transform.from_origin(-100, 300, 10, 10),
    ) as file:  # fmt: skip
        y = np.abs(295 - 10 * np.arange(60.0))
        file.write(np.broadcast_to(np.where(y < 50, 11.0, 13.0)[:, None], (60, 120)).copy(), 1)
    profile = PROFILE.assign(river=river[:2], level_m=12.0)
    wet = pg.inundation(profile, path, rivers, half_width_m=40.0)
    assert wet["river"].tolist() == ["7"]
    # cells whose centres lie within 40 m: 8 rows of 100 beside the river, and its round ends
    assert wet["flooded_m2"].iloc[0] == pytest.approx(80_000 + np.pi * 40**2, rel=0.01)
    found = pg.building_obstacles(houses, CLOSE.assign(river=river), rivers)
    neat = pg.building_obstacles(houses, CLOSE, river_frame({"A": [(0, 0), (1000, 0)]}))
    same(found.drop(columns="river"), neat.drop(columns="river"))
    assert len(neat) > 0
    assert set(found["river"]) == {"7"}


@pytest.mark.parametrize("word", ["左岸", "左", "L", " LEFT ", "左 岸"])
def test_a_lock_on_a_bank_in_any_words_holds_that_bank(word, straight):
    """The house stands 12 m off on the left: what isn't locked gives way to it, the lock doesn't."""
    house = building_frame({"B": shapely.box(500, 12, 510, 22)}, floors=1.0, floor_area_m2=100.0)
    limits = {"clear_m": 0.3, "inward_m": 9.0, "outward_m": 9.0, "step_m": 1.0}
    lock = pd.DataFrame({"river": "A", "from_m": [0.0], "to_m": [1000.0], "bank": [word]})
    found = pg.least_demolition(straight, WIDTHS, house, limits, locks=lock)
    given = np.interp(found.widths["chainage_m"], WIDTHS["chainage_m"], WIDTHS["left_m"])
    np.testing.assert_allclose(found.widths["left_m"], given, atol=1e-9)
    free = pg.least_demolition(straight, WIDTHS, house, limits)
    assert free.widths["left_m"].min() < 12
    with pytest.raises(pg.errors.LayerError, match="unknown words for bank"):
        pg.least_demolition(straight, WIDTHS, house, limits, locks=lock.assign(bank="lfet"))


WHOLE = {
    "int": lambda v: v.astype(int),
    "int8": lambda v: v.astype("int8"),
    "Int64": lambda v: v.astype("Int64"),
    "arrow": lambda v: v.astype("int64[pyarrow]"),
    "decimal": lambda v: v.map(lambda x: Decimal(int(x))),
    "text": lambda v: v.map("{:.0f}".format),
    "object": lambda v: v.astype(int).astype(object),
}


@pytest.mark.parametrize("clothes", WHOLE)
def test_whole_numbers_take_halves(clothes, straight):
    """A design in whole metres is moved by half metres, or a frame of integers breaks or rounds."""
    design = WIDTHS.assign(bed_level_m=5.0, bank_level_m=9.0, left_m=9.0, right_m=8.0, n=0.03)
    narrow = WIDTHS.assign(left_m=WIDTHS["left_m"] - 0.5)
    dressed = design.assign(**{c: WHOLE[clothes](design[c]) for c in ("left_m", "right_m")})
    found = pg.moved_design(dressed, WIDTHS, narrow, straight)
    same(found, pg.moved_design(design, WIDTHS, narrow, straight))
    assert found["left_m"].astype(float).tolist() == [8.5] * len(found)


NA_IN = {
    "Float64": lambda v: v.astype("Float64").mask(v > 100),
    "Int64": lambda v: v.round().astype("Int64").mask(v > 100),
    "arrow": lambda v: v.astype("double[pyarrow]").mask(v > 100),
    "object": lambda v: v.astype(object).mask(v > 100, pd.NA),
    "decimal": lambda v: v.map(lambda x: pd.NA if x > 100 else Decimal(repr(x))).astype(object),
    "category": lambda v: v.mask(v > 100).astype("category"),
}


@pytest.mark.parametrize("clothes", NA_IN)
def test_what_is_not_known_is_a_blank_cell_of_the_ledger(clothes, straight, houses, tmp_path):
    hit = pg.affected(houses, pg.red_line(straight, WIDTHS), straight)
    hit = hit[hit["inside_m2"] > 0].assign(floors=2.0)
    hit["inside_m2"] = NA_IN[clothes](hit["inside_m2"])
    known = [v for v in hit["inside_m2"] if not pd.isna(v)]
    assert 0 < len(known) < len(hit)
    pg.write_ledger(hit, tmp_path / "l.xlsx")
    sheet = pd.read_excel(tmp_path / "l.xlsx", sheet_name="征拆台账", header=2).iloc[: len(hit)]
    column = next(c for c in sheet.columns if c.startswith("红线内面积") or "线内" in c)
    assert sheet[column].notna().sum() == len(known)


AGAIN = {
    "affected": lambda t, s: pg.affected(t, pg.red_line(s, WIDTHS), s),
    "compensation": lambda t, s: pg.compensation(t, RATES),
    "flood_levels": lambda t, s: pg.flood_levels(t, PROFILE, s),
    "locate": pg.locate,
}


@pytest.mark.parametrize("name", AGAIN)
def test_what_a_function_adds_may_be_there_already(name, straight, houses):
    """What stands in the columns of its answer, from another day, is no part of the answer."""
    hit = pg.affected(houses.drop(index="right"), pg.red_line(straight, WIDTHS), straight)
    neat = pd.DataFrame(AGAIN[name](hit, straight))
    given = ("geometry", *hit.columns) if name == "compensation" else houses.columns
    added = [c for c in neat.columns if c not in given and neat[c].dtype == float]
    assert added
    old = hit.assign(**{c: neat[c] * 2 + 7.0 for c in added})
    again = pd.DataFrame(AGAIN[name](old, straight))
    assert_frame_equal(again[added], neat[added])


PAYERS = {
    "category": lambda v: pd.Series(pd.Categorical(v)),
    "spare category": lambda v: pd.Series(pd.Categorical(v, categories=[*v, "丙"])),
    "arrow": lambda v: pd.Series(v, dtype="string[pyarrow]"),
    "string": lambda v: pd.Series(v, dtype="string"),
    "object": lambda v: pd.Series(v, dtype=object),
}


@pytest.mark.parametrize("clothes", PAYERS)
def test_who_clears_is_the_same_in_any_dtype(clothes, straight, houses):
    hit = pg.affected(houses, pg.red_line(straight, WIDTHS), straight)
    zones = gpd.GeoDataFrame({"kind": ["renewal", "renewal"], "payer": ["甲", "乙"]},
                             geometry=shapely.box([0, 250], -60, [250, 1000], 60),
                             index=pd.Index(["Z1", "Z2"], name="zone_id"), crs=4547)  # fmt: skip
    neat = pg.clearing(hit, zones)
    dressed = PAYERS[clothes](["甲", "乙"]).set_axis(zones.index)
    found = pg.clearing(hit, zones.assign(payer=dressed))
    same(found, neat)
    text = neat.astype(str).to_numpy()
    assert {"甲", "乙"} <= set(text.ravel())


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson"])
@pytest.mark.parametrize("twin", ["FLOORS", "Floors", "USE", "Tenants", "Building_ID"])
def test_twins_by_capitals_are_both_written(suffix, twin, houses, tmp_path):
    lower = twin.lower()
    path = tmp_path / f"h.{suffix}"
    pg.write_layer(houses.assign(**{twin: 9}), path, "buildings")
    back = pg.read_layer(path, "buildings")
    kept = back.index if lower == "building_id" else back[lower]
    given = houses.index if lower == "building_id" else houses[lower]
    assert [str(v) for v in kept] == [str(v) for v in given]
    assert (back.drop(columns="geometry").astype(str) == "9").to_numpy().sum() >= len(houses)


@pytest.mark.parametrize("name", ["geom", "shape", "形状", "river", "OBJECTID"])
def test_two_schemes_are_compared_whatever_shapes_are_called(name, straight, houses):
    """The second geometry column, named as usual, isn't the one that counts."""
    lines = {"a": pg.red_line(straight, WIDTHS), "b": pg.red_line(straight, 8.0)}
    neat = pg.compare(lines, houses, straight)
    renamed = houses.rename_geometry(name)
    second = renamed.assign(geometry=renamed.translate(0, 300))
    for other in (renamed, second):
        found = pg.compare(lines, other, straight)
        assert found.changes.index.tolist() == neat.changes.index.tolist()
        same(found.totals, neat.totals)
    drawn = {k: line.rename_geometry("geom") for k, line in lines.items()}
    found = pg.compare(drawn, houses, straight.rename_geometry("axis"))
    same(found.totals, neat.totals)
    assert len(neat.changes) > 0
