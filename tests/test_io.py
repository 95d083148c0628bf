import struct
import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely

import pinghu_geo as pg
import pinghu_geo.intake.shapefile
from conftest import CRS, building_frame, river_frame
from pinghu_geo.intake.encoding import text_encoding
from pinghu_geo.nouns.schema import NOUNS, match_columns


@pytest.fixture
def delivery():
    """A delivery as an office sends it: Chinese names and words."""
    return gpd.GeoDataFrame(
        {
            "房屋编号": ["甲1", "乙2", "丙3"],
            "层数": [3, 4, 5],
            "建筑面积": [300.5, 410.0, np.nan],
            "结构": ["框架", "砖混", "木头"],
            "用途": ["住宅", "厂房", None],
            "权利人": ["张三丰", "李四", "王五麻子"],
        },
        geometry=[shapely.box(x, 2510000, x + 10, 2510010) for x in (513000, 513020, 513040)],
        crs=CRS,
    )


def write_shp(frame, folder, *, encoding="GBK", cpg=None, ldid=None, drop=()):
    """A Shapefile with its declarations bent."""
    path = folder / "房屋.shp"
    with warnings.catch_warnings(action="ignore"):  # GDAL says which texts it cuts
        pyogrio.write_dataframe(frame, path, encoding=encoding)
    path.with_suffix(".cpg").unlink(missing_ok=True)
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg, "ascii")
    if ldid is not None:
        raw = bytearray(path.with_suffix(".dbf").read_bytes())
        raw[29] = ldid
        path.with_suffix(".dbf").write_bytes(raw)
    for suffix in drop:
        path.with_suffix(suffix).unlink()
    return path


ENCODINGS = [
    ("GBK", None, 0x00), ("GBK", None, 0x57), ("GBK", None, 0x4D), ("GBK", "GBK", 0x00),
    ("GBK", "ANSI 936", 0x00), ("GBK", "936", 0x57), ("GBK", "OEM", 0x00), ("GBK", "GB18030", 0x00),
    ("GBK", "UTF-8", 0x00), ("UTF-8", None, 0x00), ("UTF-8", "UTF-8", 0x00),
    ("GBK", "ISO-8859-1", 0x57), ("UTF-8", "65001", 0x00), ("UTF-8", "utf8", 0x4D), ("UTF-8", "ISO-8859-1", 0x57),
]  # fmt: skip


@pytest.mark.parametrize(("encoding", "cpg", "ldid"), ENCODINGS)
def test_shapefiles_are_never_mojibake(tmp_path, delivery, encoding, cpg, ldid):
    # 3 characters in UTF-8 and 5 in GBK are what a field name holds
    names = {"房屋编号": "编号", "建筑面积": "面积"} if encoding == "UTF-8" else {}
    frame = delivery.rename(columns=names)
    path = write_shp(frame, tmp_path, encoding=encoding, cpg=cpg, ldid=ldid)
    read = pg.read_layer(path, "buildings", id_column=names.get("房屋编号"))
    assert read.index.tolist() == ["甲1", "乙2", "丙3"]
    assert read["owner"].tolist() == ["张三丰", "李四", "王五麻子"]
    found = pg.intake.dbf_encoding(path.with_suffix(".dbf"))
    assert found.name.startswith(encoding[:2])
    assert found.confidence > 0.9


def test_a_name_cut_in_mid_character_still_decodes(tmp_path, delivery):
    long = "平湖街道君子布社区居民委员会" * 10  # 140 characters, 280 bytes in GBK: cut at 254
    frame = delivery.assign(权利人=[long + "一", "x" + long, long])
    path = write_shp(frame, tmp_path)
    read = pg.read_layer(path, "buildings")
    assert read["owner"].iloc[1].startswith("x平湖街道君子布")
    assert "�" not in read["owner"].iloc[0]


def test_damaged_text_is_refused(tmp_path, delivery):
    path = write_shp(delivery, tmp_path)
    raw = (
        path.with_suffix(".dbf")
        .read_bytes()
        .replace("张三丰".encode("gbk"), b"\xff\xff\xff\xff\xff\xff")
    )
    path.with_suffix(".dbf").write_bytes(raw)
    with pytest.raises(pg.errors.LayerError, match="(?s)neither UTF-8 nor GBK.*encoding="):
        pg.read_layer(path, "buildings")


def test_words_become_codes_and_unknown_ones_stay(tmp_path, delivery):
    read = pg.read_layer(write_shp(delivery, tmp_path), "buildings")
    assert read["structure"].tolist() == ["concrete", "brick_concrete", "木头"]
    assert read["use"].tolist()[:2] == ["residential", "industrial"]
    assert read["use"].isna().tolist() == [False, False, True]
    assert read["floors"].tolist() == [3, 4, 5]
    faults = pg.check(read)
    assert set(faults["fault"]) == {"unknown_code", "null_value"}
    assert "木头" in faults.loc[faults["fault"] == "unknown_code", "problem"].iloc[0]


def test_a_text_like_a_formula_is_shown_as_it_is(delivery):
    houses = delivery.rename(columns={"房屋编号": "building_id", "权利人": "owner"})
    houses["owner"] = ['=HYPERLINK("http://x","点")', "李", "王"]
    found = pg.check(houses.set_index("building_id"), "buildings").set_index("fault")
    assert '=HYPERLINK("http://x","点")' in found.loc["active_text", "problem"]


def test_letters_of_plans_are_read_and_an_ambiguous_one_names_all_that_it_may_be(
    tmp_path, delivery
):
    # letters of GB/T 20257.1; 砖 may be 砖混 as well as 砖木, whose prices differ
    path = write_shp(delivery.assign(结构=["砼", "混", "砖"]), tmp_path)
    read = pg.read_layer(path, "buildings")
    assert read["structure"].tolist() == ["concrete", "brick_concrete", "砖"]
    found = {lang: pg.check(read, lang=lang).set_index("fault") for lang in ("zh", "en")}
    assert found["zh"].loc["unknown_code", "advice"] == "是否指 '砖混' / '砖木'?"
    assert found["en"].loc["unknown_code", "advice"] == "did you mean '砖混' / '砖木'?"


def test_widths_under_one_merged_heading_are_left_and_right(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["甲河红线宽度一览表"], ["河道", "桩号", "红线宽度", None], [None, None, "左", "右"],
                ["甲河", "K0+000", 15, "12 m"], [None, "K0+500", 14, 11], ["合计", None, 29, 23]):  # fmt: skip
        sheet.append(row)
    for cells in ("A1:D1", "A2:A3", "B2:B3", "C2:D2", "A4:A5"):
        sheet.merge_cells(cells)
    book.save(tmp_path / "宽度.xlsx")
    read = pg.read_table(tmp_path / "宽度.xlsx", "widths")
    assert read[["river", "chainage_m", "left_m", "right_m"]].values.tolist() == [
        ["甲河", 0.0, 15.0, 12.0], ["甲河", 500.0, 14.0, 11.0]]  # fmt: skip


@pytest.mark.parametrize(("crs", "said"), [(4490, "单位为 degree"), (3857, "不是地面的米")])
def test_a_layer_without_metres_is_refused_in_chinese_throughout(crs, said):
    lines = river_frame({"甲河": [(513000, 2510000), (513500, 2510000)]})
    with pytest.raises(pg.errors.CRSError) as caught:
        pg.red_line(lines.to_crs(crs), 9)
    assert said in caught.value.said_in("zh")
    assert "whose" not in caught.value.said_in("zh")


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".parquet", ".shp"])
def test_round_trip_through_every_format(tmp_path, sample, suffix):
    some = sample["buildings"].iloc[:200]
    path = tmp_path / f"房屋{suffix}"
    pg.write_layer(some, path, "buildings")
    read = pg.read_layer(path, "buildings")
    if suffix == ".geojson":  # always in degrees, by its standard
        read = read.to_crs(CRS)
    read = read.loc[some.index]  # FlatGeobuf sorts its rows along a Hilbert curve
    assert read.crs == some.crs
    pd.testing.assert_frame_equal(
        pd.DataFrame(read.drop(columns="geometry")), pd.DataFrame(some.drop(columns="geometry")),
        check_dtype=False,
    )  # fmt: skip
    assert read.geometry.area.to_numpy() == pytest.approx(some.area.to_numpy(), rel=1e-3)


def test_written_shapefile_is_gbk_with_chinese_names(tmp_path, sample):
    path = tmp_path / "房屋.shp"
    pg.write_layer(sample["buildings"].head(5), path, "buildings")
    assert path.with_suffix(".cpg").read_text() == "GBK"
    raw = gpd.read_file(path, encoding="GBK")
    assert {"房屋编号", "层数", "建筑面积", "结构", "产权情况"} <= set(raw.columns)
    assert set(raw["产权情况"]) <= {"有证", "历史遗留", "无证"}


def test_zip_with_a_folder_and_chinese_names(tmp_path, delivery):
    path = write_shp(delivery, tmp_path)
    archive = tmp_path / "交付.zip"
    with zipfile.ZipFile(archive, "w") as z:
        for part in tmp_path.glob("房屋.*"):
            z.write(part, f"数据/{part.name}")
    assert pg.read_layer(archive, "buildings").index.tolist() == ["甲1", "乙2", "丙3"]
    with zipfile.ZipFile(archive, "a") as z:
        z.write(path, "另一层.shp")
    with pytest.raises(pg.errors.LayerError, match="holds 2 layers: .*另一层.shp"):
        pg.read_layer(archive, "buildings")


def test_a_zip_bomb_and_a_broken_zip_are_refused(tmp_path):
    bomb = tmp_path / "大.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a.shp", bytes(300 * 2**20))
    with pytest.raises(pg.errors.LayerError, match="would unpack to 300 MB"):
        pg.read_layer(bomb, "buildings")
    bomb.write_bytes(b"PK nothing")
    with pytest.raises(pg.errors.LayerError, match="is no readable zip"):
        pg.read_layer(bomb, "buildings")


def test_without_shx_and_without_dbf(tmp_path, delivery):
    path = write_shp(delivery, tmp_path, drop=[".shx"])
    assert len(pg.read_layer(path, "buildings")) == 3
    assert not path.with_suffix(".shx").exists()
    path.with_suffix(".dbf").unlink()
    with pytest.raises(
        pg.errors.LayerError, match="(?s)no column that is known to hold ids.*row_ids=True"
    ):
        pg.read_layer(path, "buildings")
    assert pg.read_layer(path, "buildings", row_ids=True).index.tolist() == ["1", "2", "3"]


def test_without_prj_the_candidates_are_listed(tmp_path):
    house = building_frame({"B": shapely.box(513358, 2510213, 513368, 2510223)})
    path = tmp_path / "b.shp"
    pyogrio.write_dataframe(house.reset_index(names="编号"), path)
    path.with_suffix(".prj").unlink()
    with pytest.raises(
        pg.errors.CRSError, match=r"(?s)doesn't say its coordinate.*CGCS2000.*datum can't be told"
    ):
        pg.read_layer(path, "buildings", id_column="编号")
    assert pg.read_layer(path, "buildings", id_column="编号", crs=4547).crs.to_epsg() == 4547
    found = pg.intake.crs_candidates(house.total_bounds)
    assert {4547, 2383, 2435} <= set(found)
    zoned = pg.intake.crs_candidates(house.total_bounds + [38e6, 0, 38e6, 0])
    assert {4526, 2362, 2414} <= set(zoned)
    assert 4547 not in zoned
    assert pg.intake.crs_candidates([2510213, 513358, 2510223, 513368]) == {}


def test_a_crs_that_contradicts_the_file_is_refused(tmp_path, delivery):
    path = write_shp(delivery, tmp_path)
    with pytest.raises(
        pg.errors.CRSError, match="(?s)the file says it is in CGCS2000.*114E, not in .*120E"
    ):
        pg.read_layer(path, "buildings", crs=4549)
    with pytest.raises(pg.errors.CRSError, match="crs='EPSG:1' is no coordinate reference system"):
        pg.read_layer(path, "buildings", crs="EPSG:1")
    assert pg.read_layer(path, "buildings").crs.to_epsg() == 4547  # from ESRI's text


def test_several_layers_have_to_be_chosen(tmp_path, sample):
    path = tmp_path / "a.gpkg"
    pg.deliver.write_results({"房屋": sample["buildings"].head(3), "河道": sample["rivers"]}, path)
    with pytest.raises(pg.errors.LayerError, match="(?s)has 2 layers: 房屋, 河道.*layer='房屋'"):
        pg.read_layer(path, "rivers")
    assert len(pg.read_layer(path, "rivers", layer="河道")) == 4
    with pytest.raises(pg.errors.LayerError, match="has no layer '河'"):
        pg.read_layer(path, "rivers", layer="河")


DXF = """0\nSECTION\n2\nENTITIES\n{}0\nENDSEC\n0\nEOF\n"""


def polyline(layer, points, *, closed):
    head = f"0\nLWPOLYLINE\n8\n{layer}\n90\n{len(points)}\n70\n{int(closed)}\n"
    return head + "".join(f"10\n{x}\n20\n{y}\n" for x, y in points)


def test_dxf_closed_polylines_are_polygons(tmp_path):
    path = tmp_path / "图.dxf"
    square = [(0, 0), (10, 0), (10, 10), (0, 10)]
    path.write_text(DXF.format(
        polyline("RED", square, closed=True)
        + polyline("RED", [(20, 0), (30, 0), (30, 10), (20, 0)], closed=False)
        + polyline("AXIS", [(0, 0), (50, 0)], closed=False)
    ))  # fmt: skip
    with pytest.raises(pg.errors.LayerError, match="has 2 CAD layers: AXIS, RED"):
        pg.read_layer(path, "red_line", crs=4547)
    line = pg.read_layer(path, "red_line", layer="RED", crs=4547)
    assert line.geom_type.tolist() == ["Polygon", "Polygon"]
    assert line.area.tolist() == [100, 50]
    axis = pg.read_layer(path, "rivers", layer="AXIS", crs=4547, row_ids=True)
    assert axis.length.tolist() == [50]


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
@pytest.mark.parametrize("declared", ["ANSI_936", "ANSI_1252", None])
def test_chinese_layer_names_of_a_dxf_are_never_mojibake(tmp_path, encoding, declared):
    path = tmp_path / "图.dxf"
    header = (
        f"0\nSECTION\n2\nHEADER\n9\n$DWGCODEPAGE\n3\n{declared}\n0\nENDSEC\n" if declared else ""
    )
    shape = polyline("河道红线", [(0, 0), (10, 0), (10, 10), (0, 10)], closed=True)
    path.write_bytes((header + DXF.format(shape)).encode(encoding))
    assert len(pg.read_layer(path, "red_line", layer="河道红线", crs=4547)) == 1


def test_other_files_that_cannot_be_read(tmp_path):
    with pytest.raises(pg.errors.LayerError, match="there is no file .*none.shp"):
        pg.read_layer(tmp_path / "none.shp", "buildings")
    (tmp_path / "a.dwg").write_bytes(b"AC1027")
    with pytest.raises(pg.errors.LayerError, match="(?s)DWG drawing.*save it as DXF"):
        pg.read_layer(tmp_path / "a.dwg", "buildings")
    (tmp_path / "a.docx").write_bytes(b"x")
    with pytest.raises(pg.errors.LayerError, match="is no layer that can be read"):
        pg.read_layer(tmp_path / "a.docx", "buildings")
    (tmp_path / "a.gpkg").write_bytes(b"x" * 100)
    with pytest.raises(pg.errors.LayerError, match="a.gpkg is no gpkg by content"):
        pg.read_layer(tmp_path / "a.gpkg", "buildings")
    with pytest.raises(pg.errors.LayerError, match="did you mean 'buildings'"):
        pg.read_layer(tmp_path / "a.gpkg", "building")


def test_z_is_dropped_and_numeric_ids_become_text(tmp_path):
    frame = gpd.GeoDataFrame(
        {"编号x": [1.0, 2.0]},
        geometry=shapely.force_3d([shapely.box(0, 0, 1, 1)] * 2, 5.0),
        crs=CRS,
    )
    path = tmp_path / "b.gpkg"
    pyogrio.write_dataframe(frame, path)
    read = pg.read_layer(path, "buildings", id_column="编号x")
    assert read.index.tolist() == ["1", "2"]
    assert not read.has_z.any()
    with pytest.raises(pg.errors.LayerError, match="did you mean '编号x'"):
        pg.read_layer(path, "buildings", id_column="编号")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_tables_in_any_encoding(tmp_path, encoding):
    path = tmp_path / "宽度.csv"
    path.write_text(
        '河道,桩号,左宽(m),右岸宽度,\n君子布河,K0+000,8,9,\n,,,,\n君子布河,k0+120.5,"1,008",9,\n',
        encoding,
    )
    table = pg.read_table(path, "widths")
    assert table["chainage_m"].tolist() == [0.0, 120.5]
    assert table["left_m"].tolist() == [8, 1008]
    assert table["right_m"].tolist() == [9, 9]
    assert table.index.tolist() == [2, 4]  # the rows of the file


def test_tables_from_excel(tmp_path):
    path = tmp_path / "责任段.xlsx"
    rows = {"河道": ["甲河"], "起点桩号": ["K0+000"], "终点桩号": ["K1+000"], "责任组": ["一组"],
            "完成期限": [pd.Timestamp("2017-06-30")]}  # fmt: skip
    pd.DataFrame(rows).to_excel(path, index=False)
    table = pg.read_table(path, "segments")
    assert table.loc[2, ["to_m", "group"]].tolist() == [1000, "一组"]
    assert table.loc[2, "due"] == pd.Timestamp("2017-06-30")


def test_bad_tables_are_refused(tmp_path):
    path = tmp_path / "宽度.csv"
    path.write_text("河道,桩号,左宽,右宽\n甲河,K1+5,8,9\n甲河,K0+100,8,9\n", "utf-8")
    with pytest.raises(
        pg.errors.ChainageError,
        match=r"(?s)chainage_m holds texts.*\(1: 2: K1\+5\).*accepted forms",
    ):
        pg.read_table(path, "widths")
    with pytest.raises(pg.errors.LayerError, match="is no table that can be read"):
        pg.read_table(tmp_path / Path("宽度.csv").with_suffix(".csv").parent, "widths")


def test_names_are_matched_whole_before_cut_and_once():
    kind = NOUNS["buildings"]
    assert match_columns(["ZRZH", "SCJZMJ", "ZCS", "FWJG"], kind) == {
        "ZRZH": "building_id", "SCJZMJ": "floor_area_m2", "ZCS": "floors", "FWJG": "structure",
    }  # fmt: skip
    assert match_columns(["建筑面积来", "建筑面积"], kind) == {
        "建筑面积": "floor_area_m2", "建筑面积来": "floor_area_source",
    }  # fmt: skip
    assert match_columns(["房屋编号", "房屋编码"], kind) == {"房屋编号": "building_id"}
    assert match_columns(["建筑面积（㎡）", "building:levels"], kind) == {
        "建筑面积（㎡）": "floor_area_m2", "building:levels": "floors",
    }  # fmt: skip


def test_text_encoding_refuses_neither():
    with pytest.raises(pg.errors.LayerError, match="neither UTF-8 nor GBK"):
        text_encoding(b"\xff\xfe\xff\xff\xff\xff"[2:], "x.csv")
    with pytest.raises(pg.errors.LayerError, match="no text by content"):
        text_encoding(b"\xff\xfe\xff\xff\xff\x00\xff"[2:], "x.csv")


def test_nothing_is_half_written(tmp_path, sample):
    target = tmp_path / "b.shp"
    clash = sample["buildings"].head(2).assign(很长的字段名一=1, 很长的字段名二=2)
    with pytest.raises(pg.errors.OutputError, match="field names are equal after the cut"):
        pg.write_layer(clash, target, "buildings")
    assert list(tmp_path.iterdir()) == []
    long = sample["buildings"].head(2).assign(owner="业" * 128)
    with pytest.raises(pg.errors.OutputError, match="longer than the 254 bytes"):
        pg.write_layer(long, target, "buildings")
    with pytest.raises(pg.errors.LayerError, match="suffix that can't be written"):
        pg.write_layer(clash, tmp_path / "b.doc", "buildings")


def polyline_m(path, xy, m):
    """A Shapefile of one measured line, by hand: GDAL's Python readers can't write M."""
    n, (xs, ys) = len(xy), zip(*xy, strict=True)
    box = (min(xs), min(ys), max(xs), max(ys))
    body = struct.pack("<i4d2ii", 23, *box, 1, n, 0)
    body += b"".join(struct.pack("<2d", *p) for p in xy)
    body += struct.pack(f"<2d{n}d", min(m), max(m), *m)

    def head(words):
        return struct.pack(">i20xi", 9994, words) + struct.pack(
            "<ii8d", 1000, 23, *box, 0, 0, min(m), max(m)
        )

    words = len(body) // 2
    path.write_bytes(head(54 + words) + struct.pack(">ii", 1, words) + body)
    path.with_suffix(".shx").write_bytes(head(54) + struct.pack(">ii", 50, words))


def test_m_values_of_a_centreline_are_its_chainage(tmp_path):
    path = tmp_path / "r.shp"
    polyline_m(path, [(0, 0), (100, 0), (300, 0)], [12669.0, 12769.0, 12969.0])
    rivers = pg.read_layer(path, "rivers", row_ids=True, crs=CRS)
    assert rivers[["start_m", "chainage_sign"]].values.tolist() == [[12669, 1]]
    assert pg.stations(rivers)["label"].tolist() == [
        "K12+669",
        "K12+700",
        "K12+800",
        "K12+900",
        "K12+969",
    ]
    polyline_m(path, [(0, 0), (100, 0), (300, 0)], [300.0, 200.0, 0.0])
    assert pg.read_layer(path, "rivers", row_ids=True, crs=CRS)["chainage_sign"].tolist() == [-1]
    polyline_m(path, [(0, 0), (100, 0), (300, 0)], [0.0, 150.0, 300.0])
    with pytest.raises(
        pg.errors.LayerError,
        match=r"(?s)M values that don't run with the length.*\(1: 1\).*equations",
    ):
        pg.read_layer(path, "rivers", row_ids=True, crs=CRS)


# --- only what lies near


def crowd():
    """100 houses in a row, 20 m apart."""
    return building_frame(
        {f"H{k:02d}": shapely.box(20 * k, 0, 20 * k + 8, 8) for k in range(100)}, floors=2
    )


@pytest.mark.parametrize(
    "name", ["a.gpkg", "a.fgb", "a.parquet", "a.geojson", "a.shp", "plain.parquet"]
)
def test_reading_near_a_layer_is_reading_all_and_leaving_out_the_rest(name, tmp_path):
    houses = crowd()
    if name.startswith("plain"):  # without a covering
        houses.reset_index().to_parquet(tmp_path / name)
    else:
        pg.write_layer(houses, tmp_path / name, "buildings")
    line = gpd.GeoDataFrame({"river": ["A"]}, geometry=[shapely.box(500, -5, 600, 3)], crs=4547)
    near = pg.read_layer(tmp_path / name, "buildings", near=line, near_m=50)
    whole = pg.read_layer(tmp_path / name, "buildings")
    wanted = whole[whole.intersects(shapely.box(450, -55, 650, 53))]
    assert set(near.index) == set(wanted.index)
    assert 0 < len(near) < len(whole)
    assert near.columns.tolist() == whole.columns.tolist()
    away = line.translate(1e5).to_frame("geometry")
    with pytest.warns(UserWarning, match="has nothing within 100 m of near"):
        far = pg.read_layer(tmp_path / name, "buildings", near=away)
    assert far.empty
    assert far.index.name == "building_id"


@pytest.mark.parametrize("n", [3, 20])
@pytest.mark.parametrize(
    "name", ["a.gpkg", "a.fgb", "a.parquet", "a.geojson", "a.shp", "plain.parquet"]
)
def test_between_the_parts_of_a_layer_nothing_is_read_and_no_row_twice(name, n, tmp_path):
    """Boxes of 4 m, 60 m apart; a house 70 m long meets two of them."""
    houses = pd.concat([crowd(), building_frame({"L": shapely.box(58, 9, 128, 10)}, floors=2)])
    if name.startswith("plain"):
        houses.reset_index().to_parquet(tmp_path / name)
    else:
        pg.write_layer(houses, tmp_path / name, "buildings")
    boxes = shapely.box(*np.array([[60 * k, 7, 60 * k + 4, 11] for k in range(n)]).T)
    line = gpd.GeoDataFrame(
        {"river": ["A"]}, geometry=[shapely.MultiPolygon(list(boxes))], crs=4547
    )
    near = pg.read_layer(tmp_path / name, "buildings", near=line, near_m=0)
    whole = pg.read_layer(tmp_path / name, "buildings").index
    wanted = [f"H{3 * k:02d}" for k in range(n)] + ["L"]
    assert near.index.tolist() == whole[whole.isin(wanted)].tolist()
    assert len(near) == n + 1


@pytest.mark.parametrize("kind", ["Polygon", "LineString", "Point"])
def test_rows_of_a_shapefile_are_found_as_gdal_finds_them(kind, tmp_path, monkeypatch):
    """With rows that were deleted, have no geometry, or a box without area; in several blocks."""
    monkeypatch.setattr(pinghu_geo.intake.shapefile, "AT_ONCE", 1_000)
    shapes = crowd().geometry.to_numpy().copy()
    shapes = {"Polygon": shapes, "LineString": shapely.boundary(shapes)}.get(
        kind, shapely.centroid(shapes)
    )
    if kind == "LineString":
        shapes[28] = shapely.LineString([(563, -9), (563, 20)])
    shapes[[26, 99]] = None
    layer = gpd.GeoDataFrame({"name": [f"H{k:02d}" for k in range(100)]}, geometry=shapes, crs=4547)
    path = tmp_path / "a.shp"
    pyogrio.write_dataframe(layer, path, encoding="UTF-8", geometry_type=kind)
    dbf = path.with_suffix(".dbf")
    raw = bytearray(dbf.read_bytes())
    start, width = (int.from_bytes(raw[k : k + 2], "little") for k in (8, 10))
    for row in (27, 60):
        raw[start + row * width] = ord("*")
    dbf.write_bytes(raw)
    boxes = np.array([[500.0, -5, 600, 5], [1900, 0, 2100, 9]])
    mask = shapely.multipolygons(shapely.box(*boxes.T))
    theirs = pyogrio.read_dataframe(path, mask=mask, fid_as_index=True)
    assert {"H25", "H29", "H95"} <= set(theirs["name"])
    assert not {"H26", "H27", "H99"} & set(theirs["name"])
    rows = pinghu_geo.intake.shapefile.rows_meeting(path, boxes)
    if kind == "Point":
        assert rows is None
    else:
        assert rows.tolist() == theirs.index.tolist()


def test_near_a_line_that_runs_straight_north(tmp_path):
    """Its box has no area, and is a box nevertheless."""
    pg.write_layer(crowd(), tmp_path / "a.gpkg", "buildings")
    lines = [shapely.LineString([(x, -5), (x, 9)]) for x in (24, 1004)]
    line = gpd.GeoDataFrame({"river": ["A", "B"]}, geometry=lines, crs=4547)
    near = pg.read_layer(tmp_path / "a.gpkg", "buildings", near=line, near_m=0)
    assert near.index.tolist() == ["H01", "H50"]


def test_what_near_can_t_mean_is_refused(tmp_path):
    pg.write_layer(crowd(), tmp_path / "a.gpkg", "buildings")
    line = gpd.GeoDataFrame({"river": ["A"]}, geometry=[shapely.box(500, -5, 600, 3)], crs=4547)
    with pytest.raises(pg.errors.CRSError, match="(?s)near in .*Gauss-Kruger.*near=near.to_crs"):
        pg.read_layer(
            tmp_path / "a.gpkg", "buildings", near=line.set_crs(4549, allow_override=True)
        )
    with pytest.raises(pg.errors.LayerError, match="other row numbers"):
        pg.read_layer(tmp_path / "a.gpkg", "buildings", near=line, row_ids=True)
    with pytest.raises(pg.errors.LayerError, match="near: is empty"):
        pg.read_layer(tmp_path / "a.gpkg", "buildings", near=line.head(0))
    with pytest.raises(pg.errors.LayerError, match="read whole"):
        pg.read_layer(tmp_path / "a.gpkg", "rivers", near=line)


def test_how_qgis_draws_a_layer_is_no_layer_to_be_chosen(tmp_path, sample):
    for noun in ("buildings", "rivers"):
        path = tmp_path / f"{noun}.gpkg"
        pg.deliver.write_results({noun: sample[noun].head(4)}, path)
        assert "layer_styles" in pyogrio.list_layers(path)[:, 0]
        assert len(pg.read_layer(path, noun)) == 4
    assert sorted(pg.new_project(tmp_path)["what"]) == ["buildings", "rivers"]
