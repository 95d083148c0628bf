"""Small files that ask for more than a machine has: refused in words, at once."""

import json
import re
import sqlite3
import struct
import time
import zipfile
import zlib
from contextlib import closing

import ezdxf
import geopandas as gpd
import h5py
import numpy as np
import openpyxl
import pandas as pd
import pytest
import rasterio
import shapely

import pinghu_geo as pg
from pinghu_geo.intake import bounds
from pinghu_geo.intake.bounds import without_nests
from pinghu_geo.nouns.files import rule_file


@pytest.fixture
def soon():
    begun = time.process_time()
    yield
    assert time.process_time() - begun < 20


def book(path, sheet, shared="", name="xl/worksheets/sheet1.xml"):
    """A workbook with a sheet of one's own."""
    openpyxl.Workbook().save(path)
    with zipfile.ZipFile(path) as old:
        parts = {n: old.read(n) for n in old.namelist()}
    parts[name] = sheet.encode()
    if shared:
        parts["xl/sharedStrings.xml"] = shared.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part, raw in parts.items():
            new.writestr(part, raw)


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
CELL = '<c r="{}" t="inlineStr"><is><t>x</t></is></c>'


@pytest.mark.parametrize(
    "rows",
    [
        f'<row r="1">{CELL.format("A1")}</row><row r="1048576">{CELL.format("XFD1048576")}</row>',
        f'<row r="1">{CELL.format("XFD1")}</row><row r="1048576">{CELL.format("A1048576")}</row>',
        "".join(f'<row r="{k}">{CELL.format(f"XFD{k}")}</row>' for k in range(1, 3001)),
        '<row r="1">' + "<c><v>1</v></c>" * 600_000 + "</row>",
    ],
    ids=["corner", "two edges", "a far column", "too many cells"],
)
def test_a_sheet_of_17_thousand_million_cells(tmp_path, soon, rows, monkeypatch):
    monkeypatch.setattr(bounds, "MOST_CELLS", 500_000)
    book(tmp_path / "b.xlsx", SHEET.format(rows))
    with pytest.raises(
        pg.errors.LayerError, match=r"has a sheet of (more than )?[\d,]+ (rows|cells)"
    ):
        pg.read_table(tmp_path / "b.xlsx", "widths")


@pytest.mark.parametrize(
    "tail",
    [
        '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
        '<hyperlinks><hyperlink ref="A1:XFD1048576" location="x"/></hyperlinks>',
    ],
)
def test_one_line_that_lays_out_all_cells(tmp_path, soon, tail):
    sheet = SHEET.format(f'<row r="1">{CELL.format("A1")}</row>')
    book(tmp_path / "b.xlsx", sheet.replace("</worksheet>", f"{tail}</worksheet>"))
    with pytest.raises(pg.errors.LayerError, match="merged or linked"):
        pg.read_table(tmp_path / "b.xlsx", "widths")


def test_a_comment_at_the_last_cell(tmp_path, soon):
    table = openpyxl.Workbook()
    for row in (["河道", "桩号", "左宽", "右宽"], ["甲", "K0+000", 9, 9]):
        table.active.append(row)
    table.active["XFD1048576"].comment = openpyxl.comments.Comment("x", "y")
    table.save(tmp_path / "t.xlsx")
    raw = {}
    with zipfile.ZipFile(tmp_path / "t.xlsx") as old:
        raw = {n: old.read(n) for n in old.namelist()}
    sheet = raw["xl/worksheets/sheet1.xml"]
    raw["xl/worksheets/sheet1.xml"] = re.sub(rb'<row r="1048576".*?</row>', b"", sheet)
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as new:
        for name, one in raw.items():
            new.writestr(name, one)
    assert len(pg.read_table(tmp_path / "t.xlsx", "widths")) == 1


def test_one_text_that_all_cells_refer_to(tmp_path, soon):
    shared = f"<sst><si><t>{'x' * 32_000}</t></si></sst>"
    rows = "".join(f'<row r="{k}"><c r="A{k}" t="s"><v>0</v></c></row>' for k in range(1, 40_001))
    book(tmp_path / "b.xlsx", SHEET.format(rows), shared)
    with pytest.raises(pg.errors.LayerError, match="repeats its texts"):
        pg.read_table(tmp_path / "b.xlsx", "widths")


def test_a_sheet_with_formats_to_its_end_is_read(tmp_path):
    table = openpyxl.Workbook()
    for row in (["河道", "桩号", "左宽", "右宽"], ["甲", "K0+000", 9, 9]):
        table.active.append(row)
    table.active["A1048576"].font = openpyxl.styles.Font(bold=True)
    table.active["XA1"].font = openpyxl.styles.Font(bold=True)
    table.save(tmp_path / "t.xlsx")
    assert len(pg.read_table(tmp_path / "t.xlsx", "widths")) == 1


def nested_blocks(path, deep, across=1, itself=False):
    drawing = ezdxf.new()
    for k in range(deep):
        block = drawing.blocks.new(f"B{k}")
        if k == 0:
            block.add_line((0, 0), (1, 1))
        for _ in range(2 if k else 0):
            block.add_blockref(f"B{k - 1}", (0, 0))
    if itself:
        drawing.blocks.get("B0").add_blockref(f"B{deep - 1}", (0, 0))
    ref = drawing.modelspace().add_blockref(f"B{deep - 1}", (0, 0), dxfattribs={"layer": "房屋"})
    ref.grid((across, across), (1, 1))
    drawing.saveas(path)


@pytest.mark.parametrize(
    ("deep", "across", "itself"),
    [(24, 1, False), (1, 3000, False), (12, 60, False), (40, 1, False), (3, 1, True)],
)
def test_blocks_within_blocks(tmp_path, soon, deep, across, itself):
    nested_blocks(tmp_path / "b.dxf", deep, across, itself)
    with pytest.raises(pg.errors.LayerError, match="by blocks within blocks"):
        pg.read_layer(tmp_path / "b.dxf", "buildings", crs=4547, row_ids=True)


def test_blocks_as_people_use_them(tmp_path):
    nested_blocks(tmp_path / "b.dxf", 4, 10)
    frame = pg.read_layer(tmp_path / "b.dxf", "rivers", layer="房屋", crs=4547, row_ids=True)
    assert len(frame) >= 1


def nested_wkb(deep, kind=7):
    return b"".join(struct.pack("<BII", 1, kind, 1) for _ in range(deep)) + shapely.to_wkb(
        shapely.Point(1, 2)
    )


@pytest.mark.parametrize(
    "word", ["GEOMETRYCOLLECTION", "MULTIPOLYGON", "geometrycollection z", "COMPOUNDCURVE"]
)
def test_parts_within_parts_as_text(tmp_path, soon, word):
    wkt = f"{word} (" * 40_000 + "POINT (1 2)" + ")" * 40_000
    house = "POLYGON ((506000 2503000, 506000 2503010, 506010 2503010, 506000 2503000))"
    pd.DataFrame({"FWBH": ["A", "B"], "WKT": [house, wkt]}).to_csv(tmp_path / "b.csv", index=False)
    read = pg.read_layer(tmp_path / "b.csv", "buildings", crs=4547)
    assert read.geometry.isna().tolist() == [False, True]


@pytest.mark.parametrize("kind", [7, 4, 6, 1007, 0x80000007, 12])
def test_parts_within_parts_as_bytes(tmp_path, soon, kind):
    good = shapely.to_wkb(shapely.box(506000, 2503000, 506010, 2503010))
    ring = shapely.to_wkb(
        shapely.MultiPolygon([shapely.Point(9 * k, 0).buffer(3, quad_segs=40) for k in range(50)])
    )
    assert [one is None for one in without_nests([good, ring, None, nested_wkb(3000, kind)])] == [
        False,
        False,
        True,
        True,
    ]
    houses = gpd.GeoDataFrame(
        {"FWBH": ["A", "B"]}, geometry=[shapely.box(0, 0, 1, 1), shapely.box(0, 0, 1, 1)], crs=4547
    )
    houses.to_parquet(tmp_path / "g.parquet")
    import pyarrow.parquet as pq

    table = pq.read_table(tmp_path / "g.parquet")
    at = table.schema.get_field_index("geometry")
    bad = table.set_column(at, table.schema.field(at), [[good, nested_wkb(40_000, kind)]])
    pq.write_table(bad, tmp_path / "b.parquet")
    with pytest.raises(pg.errors.LayerError, match="parts within parts"):
        pg.read_layer(tmp_path / "b.parquet", "buildings")
    assert len(pg.read_layer(tmp_path / "g.parquet", "buildings")) == 2
    rivers = gpd.GeoDataFrame(
        index=pd.Index(["A"], name="river"), geometry=[shapely.box(0, 0, 9, 9).boundary], crs=4547
    )
    line = pg.red_line(rivers, 5.0)
    with pytest.raises(pg.errors.LayerError, match="b.parquet row group 0: .*parts within parts"):
        pg.affected_parquet(tmp_path / "b.parquet", line, rivers, tmp_path / "out")


GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB"}},
}
BROKEN_GEO = [
    "[]", "7", '"x"', "{", "null", json.dumps(GEO | {"columns": []}), json.dumps(GEO | {"columns": None}),
    json.dumps(GEO | {"columns": {"geometry": []}}), json.dumps(GEO | {"primary_column": ["geometry"]}),
    json.dumps(GEO | {"columns": {"geometry": {"encoding": "WKB", "covering": {"bbox": [1]}}}}),
    json.dumps(GEO | {"columns": {"geometry": {"encoding": "WKB", "crs": {"type": 7}}}}),
    json.dumps(GEO | {"columns": {"geometry": {"encoding": ["WKB"]}}}), "[" * 20_000,
]  # fmt: skip


@pytest.mark.parametrize("geo", BROKEN_GEO, ids=lambda text: text[:70])
def test_broken_metadata_of_geoparquet_is_one_sentence_that_names_the_file(tmp_path, geo):
    import pyarrow as pa
    import pyarrow.parquet as pq

    wkb = [shapely.to_wkb(shapely.box(500000, 2500000, 500009, 2500009))]
    table = pa.table({"FWBH": ["A"], "geometry": wkb}).replace_schema_metadata({"geo": geo})
    pq.write_table(table, tmp_path / "b.parquet")
    rivers = gpd.GeoDataFrame(
        index=pd.Index(["A"], name="river"), crs=4547,
        geometry=[shapely.LineString([(500000, 2500005), (500100, 2500005)])],
    )  # fmt: skip
    line = pg.red_line(rivers, 5.0)
    for read in (
        lambda: pg.read_layer(tmp_path / "b.parquet", "buildings"),
        lambda: pg.affected_parquet(tmp_path / "b.parquet", line, rivers, tmp_path / "out"),
    ):
        with pytest.raises(pg.PinghuError, match="b.parquet") as said:
            read()
        assert not re.search(
            "object|attribute|NoneType|subscript|indices|KeyError", str(said.value)
        )


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (AttributeError("'list' object has no attribute 'get'"), "it is damaged, or not what its name says"),
        (struct.error("unpack requires a buffer of 8 bytes"), "it is damaged, or not what its name says"),
        (OSError(22, "Invalid argument"), "it is damaged, or not what its name says"),
        (UnicodeDecodeError("utf-8", b"ab\xff", 2, 3, "invalid start byte"), "its byte 0xff is no UTF-8"),
        (zlib.error("Error -3 while decompressing data"), "what is packed in it is damaged"),
        (ValueError("could not convert string to float: '1.x'"), "'1.x' is no number"),
        (ValueError("invalid literal for int() with base 10: 'x'"), "'x' is no number"),
        (MemoryError(), "it takes more memory than there is"),
        (ValueError("row 3 has no end."), "row 3 has no end"),
    ],
)  # fmt: skip
def test_what_a_library_says_is_said_in_words(fault, words):
    assert pg.errors.reason(fault) == words


def test_a_column_of_bytes_that_are_no_text(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    houses = gpd.GeoDataFrame(
        {"FWBH": ["A"], "GHYT": ["10"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4547
    )
    houses.to_parquet(tmp_path / "b.parquet")
    table = pq.read_table(tmp_path / "b.parquet")
    bad = pa.StringArray.from_buffers(
        1, pa.py_buffer(struct.pack("<2i", 0, 2)), pa.py_buffer(b"\xff\xfe")
    )
    pq.write_table(table.set_column(1, "GHYT", bad), tmp_path / "b.parquet")
    with pytest.raises(pg.errors.LayerError, match="b.parquet can't be read"):
        pg.read_layer(tmp_path / "b.parquet", "buildings")


@pytest.mark.parametrize("kind", ["huge", "external link", "soft link", "external data", "virtual"])
def test_hdf_that_unfolds_or_leads_elsewhere(tmp_path, soon, kind):
    (tmp_path / "secret").write_bytes(bytes(800))
    with h5py.File(tmp_path / "other.hdf", "w") as file:
        file["x"] = np.zeros(100)
    with h5py.File(tmp_path / "b.p01.hdf", "w") as file:
        group = file.create_group("Geometry/Cross Sections")
        if kind == "huge":
            group.create_dataset("Attributes", (2**33,), "f8", chunks=(2**20,), compression="gzip")
        elif kind == "external link":
            group["Attributes"] = h5py.ExternalLink(str(tmp_path / "other.hdf"), "x")
        elif kind == "soft link":
            group["Attributes"] = h5py.SoftLink("/elsewhere")
        elif kind == "external data":
            group.create_dataset(
                "Attributes", (100,), "f8", external=[(str(tmp_path / "secret"), 0, 800)]
            )
        else:
            layout = h5py.VirtualLayout((100,), "f8")
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.hdf"), "x", (100,))
            group.create_virtual_dataset("Attributes", layout)
    assert (tmp_path / "b.p01.hdf").stat().st_size < 100_000
    with pytest.raises(
        pg.errors.LayerError, match="keeps Geometry/Cross Sections/Attributes in another"
    ):
        pg.flood.read_hecras_results(tmp_path / "b.p01.hdf")


def sparse(path, side, tile, **said):
    """A raster that holds no cell, in tiles of so many cells a side."""
    place = rasterio.transform.from_origin(506000, 2503040, 1, 1)
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=1, dtype="float32", crs=4547,
        transform=place, compress="deflate", SPARSE_OK=True, nodata=-9999, tiled=True,
        blockxsize=tile, blockysize=tile, **said,
    ):  # fmt: skip
        pass


HERE = gpd.GeoDataFrame(
    geometry=[shapely.box(506010, 2503010, 506020, 2503020)], index=["A"], crs=4547
)


@pytest.mark.parametrize("kind", ["itself", "big", "mask", "part", "overview"])
def test_a_tile_that_fills_the_memory(tmp_path, soon, kind):
    path = tmp_path / "a.tif"
    sparse(path, 20_000, 16_384 if kind in ("itself", "big") else 256, BIGTIFF="YES" if kind == "big" else "NO")  # fmt: skip
    if kind == "mask":
        sparse(tmp_path / "a.tif.msk", 20_000, 16_384)
    elif kind == "overview":
        sparse(tmp_path / "a.tif.ovr", 20_000, 16_384)
    elif kind == "part":
        sparse(path, 20_000, 16_384)
        path = tmp_path / "a.vrt"
        path.write_text(
            '<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand dataType="Float32" band="1">'
            '<SimpleSource><SourceFilename relativeToVRT="1">a.tif</SourceFilename></SimpleSource>'
            "</VRTRasterBand></VRTDataset>"
        )
    with pytest.raises(pg.errors.LayerError, match=r"has tiles of 16,384 x 16,384 cells"):
        pg.flood.raster_values(HERE, path)


def test_tiles_as_people_make_them_are_read(tmp_path):
    sparse(tmp_path / "a.tif", 4096, 4096)
    assert pg.flood.raster_values(HERE, tmp_path / "a.tif", column="z")["z_mean"].isna().all()


HEX = "replace(hex(zeroblob(100000000)),'0','aaaaaaaaaa')"
SHORT = HEX.replace("00000000", "0000000")
VIEWS = {
    "text": (f"CREATE VIEW v AS SELECT fid, geom, {HEX} AS t FROM x", "more text"),
    "bytes": ("CREATE VIEW v AS SELECT fid, zeroblob(1000000000) AS geom FROM x", "more text"),
    "many": ("CREATE VIEW v AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 1000) SELECT n AS fid, x.geom, zeroblob(1000000) AS t FROM c, x", "more text"),
    "nul": ("CREATE VIEW v AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 1000) SELECT n AS fid, x.geom, CAST(zeroblob(1000000) AS TEXT) AS t FROM c, x", "more text"),
    "unknown": ("CREATE VIEW v AS SELECT fid, geom, ST_MinX(geom) AS t FROM x", "can't be looked through: no such function: ST_MinX"),
    "behind a broken one": (f"CREATE VIEW a AS SELECT * FROM nowhere; CREATE VIEW v AS SELECT fid, geom, {HEX} AS t FROM x", "more text"),
    "column": (f"CREATE TABLE v (fid INTEGER PRIMARY KEY, geom POLYGON, t TEXT AS ({SHORT})); INSERT INTO v (geom) SELECT geom FROM x", "more text"),
}  # fmt: skip


@pytest.mark.parametrize("kind", VIEWS)
def test_a_database_that_computes_what_fills_the_memory(tmp_path, soon, kind):
    import pyogrio

    made, words = VIEWS[kind]
    path = tmp_path / "a.gpkg"
    pyogrio.write_dataframe(HERE, path, layer="x")
    with closing(sqlite3.connect(path)) as base:
        base.executescript(
            f"{made}; INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES "
            "('v', 'features', 'v', 4547); INSERT INTO gpkg_geometry_columns VALUES "
            "('v', 'geom', 'POLYGON', 4547, 0, 0);"
        )
    with pytest.raises(pg.errors.LayerError, match=words):
        pg.read_layer(path, "buildings", layer="v", row_ids=True, crs=4547)


def test_a_workbook_of_nothing_but_styles(tmp_path, soon):
    fonts = "".join(f'<font><name val="{k}"/></font>' for k in range(600_000))
    book(
        tmp_path / "b.xlsx",
        f"<styleSheet><fonts>{fonts}</fonts></styleSheet>",
        name="xl/styles.xml",
    )
    with pytest.raises(pg.errors.LayerError, match="more styles than a table"):
        pg.read_table(tmp_path / "b.xlsx", "widths")


def test_a_dictionary_of_one_shape_is_no_geometry(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    wkb = pa.array([shapely.to_wkb(HERE.geometry.iloc[0])])
    many = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1000, "int32")), wkb)
    ids = pa.array([str(k) for k in range(1000)])
    table = pa.table({"FWBH": ids, "geometry": many}).replace_schema_metadata(
        {"geo": json.dumps(GEO)}
    )
    pq.write_table(table, tmp_path / "b.parquet")
    with pytest.raises(pg.errors.LayerError, match="b.parquet can't be read"):
        pg.read_layer(tmp_path / "b.parquet", "buildings")


NESTED = {
    "lists": "a = " + "[" * 9000 + "]" * 9000,
    "tables": "a = " + "{a = " * 9000 + "1" + "}" * 9000,
    "name": ".".join(["a"] * 100_000) + " = 1",
    "quoted name": " . ".join(['"a"'] * 100_000) + " = 1",
    "heading": "[" + ".".join(["a"] * 100_000) + "]",
}


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED)
def test_a_project_file_nested_without_end(tmp_path, soon, text):
    (tmp_path / "project.toml").write_text(text)
    with pytest.raises(pg.errors.ProjectError, match="its parts nest without end") as said:
        pg.check_project(tmp_path / "project.toml")
    assert said.value.hint == "pinghu demo shows one that works"
    (tmp_path / "rules.toml").write_text(text)
    with pytest.raises(pg.errors.LayerError, match="rules.toml .* nest without end"):
        rule_file(tmp_path / "rules.toml", "")


def test_a_table_of_more_columns_than_a_workbook_has(tmp_path, soon):
    (tmp_path / "a.csv").write_text(",".join(f"c{k}" for k in range(100_000)) + "\n")
    with pytest.raises(pg.errors.LayerError, match=r"a.csv has a sheet of 1 rows and 100,000 col"):
        pg.read_table(tmp_path / "a.csv", "widths")


def test_a_region_of_2_thousand_million_parts(tmp_path, soon):
    head = 'Version 300\nCharset "Neutral"\nColumns 1\n a Char(10)\nData\n'
    (tmp_path / "a.mif").write_text(f"{head}Region 1\n 2000000000\n 1 1\n")
    (tmp_path / "a.mid").write_text('"a"\n')
    with pytest.raises(pg.errors.LayerError, match=r"a.mif can't be read"):
        pg.read_layer(tmp_path / "a.mif", "buildings", row_ids=True, crs=4547)


@pytest.mark.parametrize("name", [".", ".."])
def test_a_member_of_a_zip_that_is_a_folder_by_its_name(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(pg.errors.LayerError, match="a.zip has members that point outside of it"):
        pg.read_layer(tmp_path / "a.zip", "buildings")


def test_a_quote_without_end(tmp_path, soon):
    (tmp_path / "a.csv").write_text('river,chainage_m,left_m,right_m\n"' + "x" * 5_000_000)
    with pytest.raises(pg.errors.LayerError, match=r"a.csv can't be read"):
        pg.read_table(tmp_path / "a.csv", "widths")
