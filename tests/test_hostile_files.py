"""Files that are not what their suffix says: no other file is opened, nothing fetched or written."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

import pinghu_geo as pg

SUFFIXES = [".geojson", ".json", ".kml", ".osm", ".mif", ".tab", ".fgb", ".dxf", ".gpkg", ".shp", ".parquet", ".gdb", ".xlsx", ".csv"]  # fmt: skip
HEADS = {
    ".geojson": "{", ".json": "{", ".kml": "<kml>", ".osm": "<osm>", ".mif": "Version 300\n", ".tab": "!table\n!version 300\n",
    ".fgb": "fgb\x03fgb\x01", ".dxf": "0\nSECTION\n2\nHEADER\n999\n", ".gpkg": "SQLite format 3\0", ".parquet": "PAR1",
    ".shp": "\0\0'\n", ".gdb": "", ".xlsx": "PK\x03\x04", ".csv": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


def disguises(secret):
    vrt = f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    fetch = vrt.replace(str(secret), "/vsicurl/http://127.0.0.1:9/x.geojson")
    sql = vrt.replace("</SrcDataSource>", "</SrcDataSource><SrcSQL>SELECT * FROM secret</SrcSQL>")
    written = f"gdal vector pipeline ! read {secret} ! write {secret}.out.gpkg"
    return {
        "vrt": vrt,
        "sql": sql,
        "fetch": fetch,
        "inline": f'"type":"FeatureCollection","features":[],"x":"{vrt}"'.replace('="', "='").replace('">', "'>"),
        "pipeline": json.dumps({"type": "gdal_streamed_alg", "command_line": f"gdal vector pipeline ! read {secret} ! reproject --dst-crs=EPSG:4326"})[1:],
        "write": json.dumps({"type": "gdal_streamed_alg", "command_line": written, "relative_paths_relative_to_this_file": False})[1:],
        "raster": f'<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand band="1"><SimpleSource><SourceFilename>{secret}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>',
        "wfs": "<OGRWFSDataSource><URL>http://127.0.0.1:9/wfs</URL></OGRWFSDataSource>",
        "view": f'create view v as\nOpen Table "{secret}" Hide\nSelect a From b\n',
        "link": f'"type":"FeatureCollection","crs":{{"type":"link","properties":{{"href":"http://127.0.0.1:9/x","type":"proj4"}}}},"features":[{json.dumps(FEATURE)}]}}',
        "hidden link": f'"type":"FeatureCollection","\\u0063rs":{{"type":"link","properties":{{"href":"http://127.0.0.1:9/x"}}}},"features":[{json.dumps(FEATURE)}]}}',
    }  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes among its files")
@pytest.mark.parametrize("suffix", [*SUFFIXES, ".zip", ".tif", ".toml", ".g01", ".hdf"])
def test_a_pipe_is_refused_and_waits_for_nobody(tmp_path, suffix):
    path = tmp_path / f"pipe{suffix}"
    os.mkfifo(path)
    read = {
        ".xlsx": lambda: pg.read_table(path, "widths"), ".csv": lambda: pg.read_table(path, "widths"),
        ".tif": lambda: pg.flood.raster_values(POINTS, path), ".toml": lambda: pg.run_project(path, tmp_path / "o"),
        ".g01": lambda: pg.read_hecras(path, units="SI"), ".hdf": lambda: pg.flood.read_hecras_results(path),
    }.get(suffix, lambda: pg.read_layer(path, "buildings", row_ids=True, crs=4547))  # fmt: skip
    with pytest.raises(pg.PinghuError, match="no file but a pipe"):
        read()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes among its files")
def test_parts_and_companions_are_no_pipes_or_devices(tmp_path, dem):
    HOUSES.to_file(tmp_path / "s.shp", encoding="UTF-8")
    for part in (".dbf", ".shx", ".prj", ".cpg"):
        (tmp_path / f"s{part}").unlink()
        os.mkfifo(tmp_path / f"s{part}")
        with pytest.raises(pg.errors.LayerError, match=f"s{part} is no file but a pipe"):
            pg.read_layer(tmp_path / "s.shp", "buildings")
        (tmp_path / f"s{part}").unlink()
        HOUSES.to_file(tmp_path / "s.shp", encoding="UTF-8")
    os.mkfifo(dem.with_name("dem.tif.aux.xml"))
    with pytest.raises(pg.errors.LayerError, match="no file but a pipe"):
        heights(dem)
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    with pytest.raises(pg.errors.LayerError, match="no file but a pipe or a device"):
        pg.read_table(tmp_path / "zero.csv", "widths")


ENDLESS = {
    "recursion": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n AS fid, x.geom FROM c, x",
    "joins": "SELECT a.fid, a.geom FROM " + ", ".join(f"x {c}" for c in "abcdefghijklmnopqrstuvwxyz"),
}  # fmt: skip


@pytest.mark.parametrize("kind", [*ENDLESS, "sound"])
def test_a_view_without_end_is_refused_and_a_sound_one_read(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("pinghu_geo.intake.bounds.MOST_STEPS", 1_000_000)
    path = tmp_path / "v.gpkg"
    pyogrio.write_dataframe(HOUSES, path, layer="x")
    with closing(sqlite3.connect(path)) as base:
        base.execute(f"CREATE VIEW v AS {ENDLESS.get(kind, 'SELECT fid, geom, FWBH FROM x')}")
        base.execute("INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('v', 'features', 'v', 4547)")  # fmt: skip
        base.execute(
            "INSERT INTO gpkg_geometry_columns VALUES ('v', 'geom', 'POLYGON', 4547, 0, 0)"
        )
        base.commit()
    if kind == "sound":
        assert pg.read_layer(path, "buildings", layer="v", crs=4547).index.tolist() == ["A1", "A2"]
    else:
        with pytest.raises(pg.errors.LayerError, match="computes rows without end"):
            pg.read_layer(path, "buildings", layer="v", row_ids=True, crs=4547)


def test_a_folder_is_no_project_file(tmp_path):
    with pytest.raises(pg.errors.ProjectError, match="is a folder"):
        pg.run_project(tmp_path, tmp_path / "out")


FEATURE = {
    "type": "Feature",
    "properties": {"a": 1},
    "geometry": {"type": "Point", "coordinates": [114, 22]},
}


def files(home):
    secret = home / "secret.gpkg"
    gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4547).to_file(
        secret, layer="secret"
    )
    for suffix in SUFFIXES:
        for name, text in disguises(secret).items():
            for kind, head in (("bare", ""), ("headed", HEADS[suffix])):
                folder = home / f"{name}-{kind}{suffix}-"
                folder.mkdir()
                path = folder / f"given{suffix}"
                path.write_bytes((head + text).encode("latin-1") + b"\n" * 64)
                yield path
                with zipfile.ZipFile(folder / "given.zip", "w") as archive:
                    archive.write(path, path.name)
                yield folder / "given.zip"


READ_ALL = """
import sys, tempfile, warnings
warnings.simplefilter("ignore")
import pinghu_geo as pg
import pinghu_geo.intake.formats, openpyxl, pyarrow.parquet, pyogrio, ezdxf
pg.read_layer(sys.argv[1], "buildings", row_ids=True, crs=4547)  # loads what is loaded once
for line in sys.stdin:
    path = line.rstrip("\\n")
    try:
        print(path, len(pg.read_layer(path, "buildings", row_ids=True, crs=4547)), flush=True)
    except pg.PinghuError as fault:
        print(path, "refused", flush=True)
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace shows what a process opens")
def test_disguised_files_open_nothing_else(home, tmp_path):
    # one in seven, another of each kind each time; ALL_DISGUISES=1 takes all
    given = list(files(home))[:: 7 if "ALL_DISGUISES" not in os.environ else 1]
    trace = tmp_path / "trace"
    run = subprocess.run(
        ["strace", "-f", "-qq", "-s", "4096", "-e", "trace=openat,open,connect,unlink,rename,mkdir", "-o", str(trace),
         sys.executable, "-c", READ_ALL, str(pg.sample_folder() / "房屋.shp")],
        input="\n".join(map(str, given)), capture_output=True, text=True, timeout=540, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    said = run.stdout.splitlines()
    assert len(said) == len(given)
    # what GeoJSON says is read as that, and holds nothing of the secret
    calls = trace.read_text("utf-8", "replace")
    assert calls.count("given.geojson") > 10
    assert "secret.gpkg" not in calls.replace("\\", "")
    assert "sin_port=htons(9)" not in calls
    assert "sin6_port=htons(9)" not in calls
    assert not list(home.glob("*.out.gpkg"))


def test_the_trace_would_show_it(home, tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("strace shows what a process opens")
    path = tmp_path / "x.geojson"
    path.write_text("{" + disguises(tmp_path / "secret.gpkg")["vrt"])
    gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4547).to_file(
        tmp_path / "secret.gpkg", layer="secret"
    )
    code = f"import pyogrio; print(pyogrio.read_info({str(path)!r})['driver'])"
    run = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=openat", "-o", str(tmp_path / "t"), sys.executable, "-c", code],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.stdout.strip() == "OGR_VRT"
    assert "secret.gpkg" in (tmp_path / "t").read_text("utf-8", "replace")


HOUSES = gpd.GeoDataFrame({"FWBH": ["A1", "A2"], "floors": [1.0, 2.0]}, geometry=[shapely.box(506000, 2503000, 506010, 2503010), shapely.box(506020, 2503000, 506030, 2503010)], crs=4547)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "driver", "options"),
    [
        ("a.geojson", "GeoJSON", {}),
        ("a.json", "GeoJSON", {"layer_options": {"RFC7946": "NO"}}),
        ("a.geojson", "GeoJSONSeq", {}),
        ("a.json", "TopoJSON", None),
        ("a.kml", "LIBKML", {}),
        ("a.kml", "KML", {}),
        ("a.mif", "MapInfo File", {"dataset_options": {"FORMAT": "MIF"}, "encoding": "UTF-8"}),
        ("a.tab", "MapInfo File", {"encoding": "UTF-8"}),
        ("a.fgb", "FlatGeobuf", {}),
        ("a.gpkg", "GPKG", {}),
        ("a.gdb", "OpenFileGDB", {}),
        ("a.shp", "ESRI Shapefile", {"encoding": "GBK"}),
    ],
)
def test_what_is_as_it_says_is_read_as_before(tmp_path, name, driver, options):
    path = tmp_path / "地 图#" / name
    path.parent.mkdir()
    if options is None:
        arcs = [[[506000, 2503000], [0, 10], [10, 0], [0, -10], [-10, 0]]]
        shape = {"type": "Polygon", "arcs": [[0]], "properties": {"FWBH": "A1"}}
        made = {"type": "Topology", "transform": {"scale": [1, 1], "translate": [0, 0]}, "arcs": arcs,
                "objects": {"x": {"type": "GeometryCollection", "geometries": [shape]}}}  # fmt: skip
        path.write_text(json.dumps(made))
    else:
        layer = (
            HOUSES.to_crs(4326) if driver in ("GeoJSON", "GeoJSONSeq", "LIBKML", "KML") else HOUSES
        )
        pyogrio.write_dataframe(layer, path, driver=driver, **options)
    read = pg.read_layer(
        path, "buildings", crs=None if options is not None else 4547, row_ids=driver == "KML"
    )
    assert len(read) == (1 if options is None else 2)
    if driver != "KML":
        assert "A1" in read.index


def test_a_crs_that_would_be_fetched_is_refused_and_a_name_is_not(tmp_path):
    path = tmp_path / "a.geojson"
    for crs, fine in [
        ({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4547"}}, True),
        ({"type": "name", "properties": {"name": "EPSG:4547"}}, True),
        ({"type": "EPSG", "properties": {"code": 4547}}, True),
        ({"type": "name", "properties": {"name": "+proj=tmerc +nadgrids=/etc/passwd"}}, False),
        ({"type": "name", "properties": {"name": "http://127.0.0.1:9/crs"}}, False),
        ({"type": "url", "properties": {"url": "http://127.0.0.1:9/crs"}}, False),
    ]:
        feature = {
            "type": "Feature",
            "properties": {"FWBH": "A", "x": "\\u0041"},
            "geometry": shapely.geometry.mapping(shapely.box(506000, 2503000, 506010, 2503010)),
        }
        path.write_text(
            json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]})
        )
        if fine:
            assert pg.read_layer(path, "buildings").crs.to_epsg() == 4547
        else:
            with pytest.raises(pg.errors.LayerError, match="would have to be fetched"):
                pg.read_layer(path, "buildings")


@pytest.fixture
def dem(tmp_path):
    path = tmp_path / "dem.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=40, height=40, count=1, dtype="float32", crs=4547,
        transform=from_origin(506000, 2503040, 1, 1),
    ) as file:  # fmt: skip
        file.write(np.linspace(1, 9, 1600).reshape(40, 40).astype("float32"), 1)
    return path


POINTS = gpd.GeoDataFrame(
    geometry=[shapely.box(506010, 2503010, 506020, 2503020)], index=["A"], crs=4547
)


def heights(dem):
    return pg.flood.raster_values(POINTS, dem)


def test_a_raster_is_read_by_the_driver_of_its_suffix_alone(dem, tmp_path):
    assert len(heights(dem)) == 1
    secret = tmp_path / "secret.tif"
    shutil.copy(dem, secret)
    vrt = f"""<VRTDataset rasterXSize="40" rasterYSize="40"><SRS>EPSG:4547</SRS>
    <GeoTransform>506000, 1, 0, 2503040, 0, -1</GeoTransform><VRTRasterBand dataType="Float32" band="1">
    <SimpleSource><SourceFilename relativeToVRT="0">{secret}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"""
    other = tmp_path / "sub"
    other.mkdir()
    for name in ("a.tif", "a.img", "a.asc", "a.vrt", "a.png"):
        (other / name).write_text(vrt)
        with pytest.raises(pg.errors.LayerError):
            heights(other / name)
    (tmp_path / "mosaic.vrt").write_text(
        vrt.replace(str(secret), "secret.tif").replace('"0"', '"1"')
    )
    assert heights(tmp_path / "mosaic.vrt").equals(heights(dem))
    for word in ("VRTDerivedRasterBand", "/vsicurl/http://127.0.0.1:9/x.tif"):
        text = (
            vrt.replace(str(secret), word)
            if "/" in word
            else vrt.replace('band="1"', f'band="1" subClass="{word}"')
        )
        (tmp_path / "bad.vrt").write_text(text)
        with pytest.raises(pg.errors.LayerError):
            heights(tmp_path / "bad.vrt")
    (tmp_path / "dem.tif.msk").write_text(vrt)
    with pytest.raises(pg.errors.LayerError, match="another file"):
        heights(dem)
    os.remove(tmp_path / "dem.tif.msk")
    (tmp_path / "dem.tif.aux.xml").write_text(
        '<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">x</MDI></Metadata></PAMDataset>'
    )
    with pytest.raises(pg.errors.LayerError, match="another file"):
        heights(dem)


@pytest.mark.parametrize("name", ["长" * 90, "a\0b"], ids=["too long", "nul"])
def test_a_name_that_no_system_has_is_not_there(tmp_path, name):
    for read in (
        lambda: pg.read_layer(tmp_path / f"{name}.gpkg", "buildings"),
        lambda: pg.run_project(tmp_path / f"{name}.toml", tmp_path / "out"),
        lambda: pg.new_project(tmp_path / name),
    ):
        with pytest.raises(pg.PinghuError, match="there is no"):
            read()
