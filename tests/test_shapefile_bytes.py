"""Shapefiles written byte by byte: what the bytes say is read, whatever GDAL makes of them."""

import codecs
import itertools
import struct

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from pinghu_geo.intake.dbf import _ends_inside_character

X, Y = 506000.0, 2503000.0
PRJ = gpd.GeoSeries([], crs=4547).crs.to_wkt("WKT1_ESRI")
ID = ("FWBH", "C", 20, 0)
AREA = ("SCJZMJ", "N", 19, 3)


def square(x=0.0, w=10.0, *, y=0.0, clockwise=True):
    ring = [(X + x, Y + y), (X + x, Y + y + w), (X + x + w, Y + y + w), (X + x + w, Y + y)]
    ring = [*ring, ring[0]]
    return ring if clockwise else ring[::-1]


def record(*rings):
    points = np.array([p for ring in rings for p in ring])
    starts = np.cumsum([0, *[len(r) for r in rings[:-1]]])
    head = struct.pack(
        "<i4d2i", 5, *points.min(axis=0), *points.max(axis=0), len(rings), len(points)
    )
    return head + starts.astype("<i4").tobytes() + points.astype("<f8").tobytes()


def file_head(words):
    box = struct.pack("<8d", X - 1e3, Y - 1e3, X + 1e3, Y + 1e3, 0, 0, 0, 0)
    return struct.pack(">7i", 9994, 0, 0, 0, 0, 0, words) + struct.pack("<2i", 1000, 5) + box


def write(path, records, rows, fields=(ID,), *, order=None, numbers=None, gap=b"", names=None,
          deleted=(), encoding="utf-8"):  # fmt: skip
    """Records in the file's order, rows by the .shx: ``order[k]`` is the record of row k."""
    body, at = b"", []
    for k, one in enumerate(records):
        number = k + 1 if numbers is None else numbers[k]
        at.append((50 + len(body) // 2, len(one) // 2))
        body += struct.pack(">2i", number, len(one) // 2) + one + gap
    index = [at[k] if k is not None else (0, 0) for k in (order or range(len(records)))]
    path.write_bytes(file_head(50 + len(body) // 2) + body)
    entries = np.array(index, ">i4").tobytes()
    path.with_suffix(".shx").write_bytes(file_head(50 + len(entries) // 2) + entries)
    width = 1 + sum(f[2] for f in fields)
    table = struct.pack("<B3BIHH20x", 3, 126, 1, 1, len(rows), 33 + 32 * len(fields), width)
    for k, (name, kind, length, decimals) in enumerate(fields):
        raw = names[k] if names else name.encode(encoding)[:10]
        table += (
            raw.ljust(11, b"\0") + kind.encode() + bytes(4) + bytes([length, decimals]) + bytes(14)
        )
    table += b"\r"
    for k, row in enumerate(rows):
        table += b"*" if k in deleted else b" "
        for (_, kind, length, _), value in zip(fields, row, strict=True):
            raw = value if isinstance(value, bytes) else str(value).encode(encoding)
            table += (raw.rjust(length) if kind in "NF" else raw.ljust(length))[:length]
    path.with_suffix(".dbf").write_bytes(table + b"\x1a")
    path.with_suffix(".prj").write_text(PRJ)
    path.with_suffix(".cpg").write_text(encoding)
    return path


def read_both_ways(path):
    """Areas by id, read whole and near something; both have to agree."""
    whole = pg.read_layer(path, "buildings")
    around = gpd.GeoDataFrame(geometry=[shapely.box(X - 500, Y - 500, X + 500, Y + 500)], crs=4547)
    near = pg.read_layer(path, "buildings", near=around)
    assert near.index.tolist() == whole[~whole.geometry.isna()].index.tolist()
    assert near.geometry.geom_equals(whole.geometry[near.index]).all()
    return whole.area.round(6).to_dict()


# --- the index is the authority ---------------------------------------------------------------

THREE = [record(square(0, 10)), record(square(40, 20)), record(square(80, 30))]
ROWS = [("A",), ("B",), ("C",)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("gap", [b"", bytes(6), b"\xff" * 400])
@pytest.mark.parametrize("numbering", ["file", "rows", "none"])
def test_records_in_any_order_with_gaps(order, gap, numbering, tmp_path):
    numbers = {"file": None, "none": [0, 0, 0], "rows": [order.index(k) + 1 for k in range(3)]}
    path = write(tmp_path / "a.shp", THREE, ROWS, order=order, gap=gap, numbers=numbers[numbering])
    sizes = [100.0, 400.0, 900.0]
    assert read_both_ways(path) == {"ABC"[row]: sizes[k] for row, k in enumerate(order)}
    assert "stale_shx" not in set(pg.check(path, "buildings")["fault"])


@pytest.mark.parametrize("moved", [0, 1, 2])
@pytest.mark.parametrize("number", ["old", "new"])
def test_a_record_moved_to_the_end(moved, number, tmp_path):
    """A shape that grew is written anew behind the others; its old record stays there."""
    records = [*THREE, record(square(200, 50))]
    order = [3 if k == moved else k for k in range(3)]
    numbers = [1, 2, 3, moved + 1 if number == "old" else 4]
    path = write(tmp_path / "a.shp", records, ROWS, order=order, numbers=numbers)
    assert read_both_ways(path)["ABC"[moved]] == 2500.0


@pytest.mark.parametrize("row", [0, 1, 2])
def test_a_record_shortened_in_place(row, tmp_path):
    long = record([*square()[:2], (X + 4, Y + 12), *square()[2:]])
    short = record(square())
    records = [*THREE[:row], long, *THREE[row + 1 :]]
    path = write(tmp_path / "a.shp", records, ROWS)
    at = 100 + sum(8 + len(r) for r in records[:row])
    raw = bytearray(path.read_bytes())
    raw[at + 4 : at + 8] = struct.pack(">i", len(short) // 2)
    raw[at + 8 : at + 8 + len(short)] = short
    path.write_bytes(raw)
    index = bytearray(path.with_suffix(".shx").read_bytes())
    index[104 + 8 * row : 108 + 8 * row] = struct.pack(">i", len(short) // 2)
    path.with_suffix(".shx").write_bytes(index)
    assert read_both_ways(path)["ABC"[row]] == 100.0


def test_a_row_without_a_record_has_no_geometry(tmp_path):
    path = write(tmp_path / "a.shp", THREE[:2], ROWS, order=[1, None, 0])
    found = pg.read_layer(path, "buildings")
    assert found.geometry.isna().tolist() == [False, True, False]
    assert found.area[["A", "C"]].tolist() == [400.0, 100.0]


@pytest.mark.parametrize(
    "wrong", [lambda e: e + [[2, 0]], lambda e: e + [[0, 4]], lambda e: e[::-1] * [1, 2]]
)
def test_an_index_that_points_at_no_records_is_rebuilt(wrong, tmp_path):
    path = write(tmp_path / "a.shp", THREE, ROWS)
    raw = path.with_suffix(".shx").read_bytes()
    entries = np.frombuffer(raw[100:], ">i4").reshape(-1, 2).astype(int)
    path.with_suffix(".shx").write_bytes(raw[:100] + wrong(entries).astype(">i4").tobytes())
    assert read_both_ways(path) == {"A": 100.0, "B": 400.0, "C": 900.0}
    assert "stale_shx" in set(pg.check(path, "buildings")["fault"])


@pytest.mark.parametrize("deleted", [{0}, {1}, {0, 2}, {0, 1, 2}])
def test_deleted_rows_are_left_out_and_said(deleted, tmp_path):
    rows = [("A", "1,300.5"), ("B", "12"), ("C", "7.25")]
    path = write(tmp_path / "a.shp", THREE, rows, (ID, AREA), deleted=deleted)
    found = pg.read_layer(path, "buildings")
    kept = [k for k in range(3) if k not in deleted]
    assert found.index.tolist() == ["ABC"[k] for k in kept]
    assert found["floor_area_m2"].tolist() == [[1300.5, 12, 7.25][k] for k in kept]
    if kept:
        read_both_ways(path)
    said = pg.check(path, "buildings", lang="en").query("fault == 'deleted_rows'")
    assert said["problem"].tolist() == [
        f"has {len(deleted)} rows marked as deleted, which were left out"
    ]


# --- numbers ------------------------------------------------------------------------------------


def column(folder, field, *values):
    rows = [(f"A{k}", v) for k, v in enumerate(values)]
    records = [record(square(20 * k)) for k in range(len(values))]
    path = write(folder / "n.shp", records, rows, (ID, field))
    near = gpd.GeoDataFrame(geometry=[shapely.box(X - 9, Y - 9, X + 999, Y + 99)], crs=4547)
    name = {"SCJZMJ": "floor_area_m2", "ZCS": "floors"}.get(field[0], field[0])
    found = pg.read_layer(path, "buildings")[name]
    pd.testing.assert_series_equal(pg.read_layer(path, "buildings", near=near)[name], found)
    return [None if isinstance(v, float) and np.isnan(v) else v for v in found]


@pytest.mark.parametrize(
    ("field", "values", "wanted"),
    [
        (AREA, ["1300,5", "12"], [1300.5, 12]),
        (AREA, ["1300,5", "1,300.5"], ["1300,5", 1300.5]),
        (AREA, ["1,300", "12.5"], [1300, 12.5]),
        (AREA, ["1 300", "", "*" * 19], [1300, None, None]),
        (AREA, ["1.#IND", "-1.#QNAN", "nan"], ["1.#IND", "-1.#QNAN", "nan"]),
        (AREA, ["１３００", "1300㎡"], [1300, 1300]),
        (AREA, ["12-13", "1.2.3"], ["12-13", "1.2.3"]),
        (("ZCS", "N", 12, 0), ["250.75", "1.5E+03", "3F"], [250.75, 1500, "3F"]),
        (("ZCS", "N", 9, 0), ["1.0745", "7"], [1.0745, 7]),  # OSGeo/gdal#1511
        (("ZCS", "N", 6, 0), ["3层", "4", "-"], [3, 4, "-"]),
        (("ZCS", "N", 6, 0), ["3", "-4", " 5 "], [3, -4, 5]),
        (("SCJZMJ", "F", 13, 3), ["1.5e+003", "12"], [1500, 12]),
        (("SCJZMJ", "F", 20, 8), ["1.23456789012345678", "3"], [1.23456789012345678, 3]),
    ],
)
def test_numbers_of_a_dbf_are_read_as_written(field, values, wanted, tmp_path):
    assert column(tmp_path, field, *values) == wanted


@pytest.mark.parametrize(
    "field",
    [("FWBH", "N", 19, 0), ("FWBH", "N", 24, 3), ("FWBH", "F", 20, 0), ("FWBH", "N", 18, 0)],
)
def test_ids_wider_than_a_double_keep_all_digits(field, tmp_path):
    ids = ["440307001001234567", "440307001001234568", "440307001001234569"]
    rows = [(i + ".000" if field[3] else i,) for i in ids]
    path = write(tmp_path / "i.shp", THREE, rows, (field,))
    assert pg.read_layer(path, "buildings").index.tolist() == ids


def test_short_ids_among_wide_fields_have_no_decimals(tmp_path):
    path = write(tmp_path / "i.shp", THREE, [("101",), ("102",), ("103F",)], [("FWBH", "N", 19, 0)])
    assert pg.read_layer(path, "buildings").index.tolist() == ["101", "102", "103F"]


# --- texts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
@pytest.mark.parametrize("width", [8, 9, 10, 11, 12])
def test_texts_cut_inside_a_character(encoding, width, tmp_path):
    name = "某某股份有限公司"
    path = write(tmp_path / "t.shp", THREE[:2], [("A", name), ("B", "李")], (ID, ("QLR", "C", width, 0)),
                 encoding=encoding)  # fmt: skip
    kept = name.encode(encoding)[:width].decode(encoding, "ignore")
    assert pg.read_layer(path, "buildings")["owner"].tolist() == [kept, "李"]
    cut = len(kept.encode(encoding)) != width
    said = pg.check(path, "buildings", lang="en").query("fault == 'text_cut'")
    assert said["id"].tolist() == (["row 1"] if cut else [])


@pytest.mark.parametrize("name", ["备注说明", "建筑面积平米", "Aa备注说明", "Aaa备注说明"])
def test_field_names_cut_inside_a_character(name, tmp_path):
    fields = (ID, (name, "C", 9, 0))
    path = write(
        tmp_path / "t.shp", THREE[:1], [("A", "x")], fields, names=[b"FWBH", name.encode()[:10]]
    )
    found = pg.read_layer(path, "buildings")
    assert len(found) == 1
    cut = name.encode()[:10].decode("utf-8", "ignore")
    assert cut in found.columns or "floor_area_m2" in found.columns


@pytest.mark.parametrize("text", ["陈䶮", "𠮷田", "한강", "Łódź €5", "李😀"])
def test_no_character_is_lost_in_writing(text, tmp_path):
    ids = pd.Index(["房1", text], name="building_id")
    layer = gpd.GeoDataFrame(
        {"owner": [text, "张"]}, geometry=[shapely.box(0, 0, 9, 9)] * 2, index=ids, crs=4547
    )
    pg.write_layer(layer, tmp_path / "w.shp", "buildings")
    assert (tmp_path / "w.cpg").read_text() == "UTF-8"
    back = pg.read_layer(tmp_path / "w.shp", "buildings")
    assert back.index.tolist() == ids.tolist()
    assert back["owner"].tolist() == [text, "张"]
    with pytest.raises(pg.errors.OutputError, match=r"GBK doesn't have.*房1"):
        pg.write_layer(layer, tmp_path / "g.shp", "buildings", encoding="GBK")
    assert not (tmp_path / "g.shp").exists()


def test_what_gbk_holds_stays_in_gbk(tmp_path):
    layer = gpd.GeoDataFrame({"owner": ["张·三—（甲）"]}, geometry=[shapely.box(0, 0, 9, 9)],
                             index=pd.Index(["1"], name="building_id"), crs=4547)  # fmt: skip
    pg.write_layer(layer, tmp_path / "w.shp", "buildings")
    assert (tmp_path / "w.cpg").read_text() == "GBK"
    assert pg.read_layer(tmp_path / "w.shp", "buildings")["owner"].tolist() == ["张·三—（甲）"]


# --- rings --------------------------------------------------------------------------------------

COURT = [(0, 20), (5, 10)]  # place and side of each ring
TWO = [(0, 20), (40, 20)]
TWO_COURTS = [*TWO, (5, 10), (45, 10)]


@pytest.mark.parametrize(
    ("rings", "area"), [([(0, 20)], 400), (COURT, 300), (TWO, 800), (TWO_COURTS, 600)]
)
def test_rings_wound_any_way(rings, area, tmp_path):
    """A ring inside of another is a hole, and one beside it a house, whichever way they run."""
    for ways in itertools.product([True, False], repeat=len(rings)):
        made = [square(x, w, y=x % 10, clockwise=c) for (x, w), c in zip(rings, ways, strict=True)]
        path = write(tmp_path / "w.shp", [record(*made)], [("A",)])
        mended, log = pg.repair(pg.read_layer(path, "buildings"))
        assert mended.is_valid.all()
        assert mended.area.tolist() == pytest.approx([area]), ways
        said = pg.check(path, "buildings")["fault"]
        assert len(log) or "rings_turned" in set(said) or mended.geometry.iloc[0].is_valid


def test_a_podium_and_its_tower_stay_one_house():
    """In other formats a shell is a shell: the union of both, and the log says so."""
    both = shapely.MultiPolygon([shapely.box(0, 0, 20, 20), shapely.box(5, 5, 15, 15)])
    layer = gpd.GeoDataFrame(geometry=[both], index=pd.Index(["A"], name="building_id"), crs=4547)
    mended, log = pg.repair(layer)
    assert mended.area.tolist() == [400.0]
    assert log["area_before_m2"].tolist() == [500.0]


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030", "big5"])
@pytest.mark.parametrize("text", ["張三", "a張", "王五麻子a", "a"])
@pytest.mark.parametrize("blanks", [0, 3])
def test_a_cut_character_is_found_wherever_the_text_ends(encoding, text, blanks):
    """Against Python's own decoder, for every cut of a text and for the whole of it."""
    if encoding.startswith("gb"):
        text = text.replace("張", "张")
    raw = text.encode(encoding)
    for end in range(1, len(raw) + 1):
        cell = np.frombuffer(raw[:end] + b" " * blanks, np.uint8)[None]
        decoder = codecs.getincrementaldecoder(encoding)("ignore")
        decoder.decode(raw[:end])
        assert _ends_inside_character(cell, encoding).tolist() == [bool(decoder.getstate()[0])]


@pytest.mark.parametrize("order", [None, (1, 0, 2)])
@pytest.mark.parametrize("longest", [0, 1, 2])
def test_records_of_any_length_end_within_the_file(tmp_path, longest, order):
    """The longest record stands anywhere: what follows it may be shorter."""
    many = [(X + 5 + 5 * np.cos(a), Y + 5 + 5 * np.sin(a)) for a in np.linspace(0, -6.28, 90)]
    shapes = [square(), square(20), square(40)]
    shapes[longest] = [*many, many[0]]
    path = tmp_path / "a.shp"
    write(path, [record(one) for one in shapes], ["A", "B", "C"], order=order)
    seen = pg.check(path, "buildings")
    assert not {"stale_shx", "no_shx"} & set(seen["fault"])
    near = gpd.GeoDataFrame({"river": ["A"]}, geometry=[shapely.box(X - 9, Y, X + 60, Y + 9)],
                            crs=4547)  # fmt: skip
    read = pg.read_layer(path, "buildings", near=near)
    sizes = [shapely.Polygon(shapes[k]).area for k in (order or range(3))]
    assert read.area.tolist() == pytest.approx(sizes)
