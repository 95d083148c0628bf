"""What was there is only gone when the new is complete; what a person put there stays."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely

import pinghu_geo as pg
from pinghu_geo.nouns import replacing
from pinghu_geo.nouns.replacing import atomic_folder, atomic_parts, atomic_path, digests


def text_of(folder):
    return {p.name: p.read_text() for p in folder.iterdir()}


def written(target, text, **options):
    """A folder with one file, as a run would write it."""
    with atomic_folder(target, **options) as folder:
        (folder / "a.txt").write_text(text)


def ours(folder):
    return {"a.txt": ""} if (folder / "a.txt").exists() else None


@pytest.fixture(params=[True, False], ids=["in one step", "in two"])
def exchange(request, monkeypatch):
    """With and without the system's exchange of two names."""
    if not request.param:
        monkeypatch.setattr(replacing, "_exchange_names", lambda one, other: False)
    return request.param


# --- folders ----------------------------------------------------------------------------------


def test_a_folder_is_replaced_and_nothing_is_left_beside_it(tmp_path, exchange):
    out = tmp_path / "out"
    written(out, "1")
    written(out, "2", ours=ours)
    assert text_of(out) == {"a.txt": "2"}
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_files_of_a_person_are_carried_into_the_new_folder_and_told(tmp_path, exchange):
    out, said = tmp_path / "out", []
    written(out, "1")
    (out / "说明.docx").write_text("mine")
    (out / "照片").mkdir()
    (out / "照片" / "1.jpg").write_text("photo")
    (out / "link").symlink_to("照片")
    written(out, "2", ours=ours, tell=said.append)
    assert (out / "说明.docx").read_text() == "mine"
    assert (out / "照片" / "1.jpg").read_text() == "photo"
    assert os.readlink(out / "link") == "照片"
    assert (out / "a.txt").read_text() == "2"
    assert {line.split(": ")[1] for line in said} == {"说明.docx", "照片/1.jpg", "link"}
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_leftovers_of_writers_within_a_result_are_nobody_s_files(tmp_path, exchange):
    out, said = tmp_path / "out", []
    written(out, "1")
    (out / ".ledger.xlsx.pinghu-lock").write_text("a lock that the disk refused to remove")
    (out / ".图.html.pinghu-new").mkdir()
    (out / ".图.html.pinghu-new" / "图.html").write_text("half")
    # complete parts that a dead writer couldn't install are all that there is of them
    (out / ".房屋.shp.pinghu-ready").mkdir()
    (out / ".房屋.shp.pinghu-ready" / "房屋.shp").write_text("whole")
    assert set(digests(out)) == {"a.txt", ".房屋.shp.pinghu-ready/房屋.shp"}
    written(out, "2", ours=ours, tell=said.append)
    assert said == ["kept in the folder of results: .房屋.shp.pinghu-ready/房屋.shp"]
    assert sorted(p.name for p in out.iterdir()) == [".房屋.shp.pinghu-ready", "a.txt"]


def test_a_result_that_a_person_changed_is_kept_under_another_name(tmp_path):
    out = tmp_path / "out"

    def known(folder):
        return json.loads((folder / "made.json").read_text()) | {"made.json": ""}

    def run(text):
        with atomic_folder(out, ours=known) as folder:
            (folder / "ledger.txt").write_text(text)
            made = replacing.digests(folder)
            (folder / "made.json").write_text(json.dumps(made))

    run("1")
    run("2")
    assert sorted(text_of(out)) == ["ledger.txt", "made.json"]  # untouched: nothing to keep
    (out / "ledger.txt").write_text("2 and notes")
    run("3")
    (out / "ledger.txt").write_text("3 and notes")
    run("4")
    kept = text_of(out)
    assert (kept["ledger.txt"], kept["ledger_kept1.txt"], kept["ledger_kept2.txt"]) == (
        "4", "2 and notes", "3 and notes",
    )  # fmt: skip


def test_a_database_that_was_only_looked_at_is_no_changed_one(tmp_path):
    base = tmp_path / "a.gpkg"
    with closing(sqlite3.connect(base)) as db:
        db.execute("CREATE TABLE t (a)")
        db.commit()
    before = replacing.digests(tmp_path)
    with closing(sqlite3.connect(base)) as db:  # as QGIS does
        db.execute("PRAGMA journal_mode=WAL").fetchall()
        db.execute("SELECT * FROM t").fetchall()
    assert replacing.digests(tmp_path)["a.gpkg"] == before["a.gpkg"]
    with closing(sqlite3.connect(base)) as db:
        db.execute("PRAGMA journal_mode=DELETE").fetchall()
        db.execute("INSERT INTO t VALUES (1)")
        db.commit()
    assert replacing.digests(tmp_path)["a.gpkg"] != before["a.gpkg"]


def test_a_folder_of_someone_else_is_refused_before_the_work(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.txt").write_text("theirs")
    with (
        pytest.raises(pg.errors.OutputError, match="was not made by pinghu"),
        atomic_folder(out, ours=ours),
    ):
        pytest.fail("the work began")
    written(tmp_path / "new", "1")
    with (
        pytest.raises(pg.errors.OutputError, match="(?s)new exists.*--force"),
        atomic_folder(tmp_path / "new", ours=ours, force=False),
    ):
        pytest.fail("the work began")
    assert text_of(out) == {"b.txt": "theirs"}
    assert {p.name for p in tmp_path.iterdir()} == {"out", "new"}


@pytest.mark.parametrize("left", ["stage", "before", "between", "after"])
def test_what_a_dead_run_left_is_ended_or_cleared_away(tmp_path, left):
    out = tmp_path / "out"
    written(out, "old")
    (out / "mine.txt").write_text("mine")
    new = tmp_path / ".out.pinghu-new"
    new.mkdir()
    (new / "a.txt").write_text("half" if left == "stage" else "new")
    if left != "stage":
        shutil.copy2(out / "mine.txt", new / "mine.txt")
        new.rename(tmp_path / ".out.pinghu-swap")
    if left in ("between", "after"):
        out.rename(tmp_path / ".out.pinghu-old")
    if left == "after":
        (tmp_path / ".out.pinghu-swap").rename(out)
        (tmp_path / ".out.pinghu-old" / "late.txt").write_text("put there at the last moment")
    (tmp_path / ".out.pinghu-lock").write_text("process 1 of a dead run")
    with pytest.raises(pg.errors.OutputError, match="out exists"):
        written(out, "x", ours=ours, force=False)
    expected = {"a.txt": "new" if left in ("between", "after") else "old", "mine.txt": "mine"}
    if left == "after":
        expected["late.txt"] = "put there at the last moment"
    assert text_of(out) == expected
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_second_of_two_runs_is_refused_and_told_who_is_first(tmp_path, monkeypatch):
    out = tmp_path / "out"
    monkeypatch.setattr(replacing, "WAIT_FOLDER_S", 0.1)
    with atomic_folder(out) as folder:
        (folder / "a.txt").write_text("first")
        with (
            pytest.raises(
                pg.errors.OutputError,
                match=rf"(?s)out is being written by process {os.getpid()} on .* since 20.*wait until",
            ),
            atomic_folder(out),
        ):
            pytest.fail("the work began")
    assert text_of(out) == {"a.txt": "first"}
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_lock_of_a_process_that_was_killed_holds_nobody_up(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from pinghu_geo.nouns.replacing import atomic_folder\n"
        "with atomic_folder(Path(sys.argv[1])) as f:\n"
        "    (f / 'a.txt').write_text('half'); print('in', flush=True); time.sleep(60)"
    )
    out = tmp_path / "out"
    with subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE) as run:
        assert run.stdout.readline() == b"in\n"
        with pytest.raises(pg.errors.OutputError, match=f"being written by process {run.pid} on"):
            written(out, "second")
        run.kill()
    assert sorted(p.name for p in tmp_path.iterdir()) == [".out.pinghu-lock", ".out.pinghu-new"]
    written(out, "third")
    assert text_of(out) == {"a.txt": "third"}
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


# --- files ------------------------------------------------------------------------------------


def test_a_link_stays_a_link_and_what_it_names_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text("old")
    (tmp_path / "a.txt").symlink_to("real/a.txt")
    (tmp_path / "out").symlink_to("real")
    with atomic_path(tmp_path / "a.txt") as path:
        path.write_text("new")
    assert (tmp_path / "a.txt").is_symlink()
    assert (tmp_path / "real" / "a.txt").read_text() == "new"
    written(tmp_path / "out", "newer", ours=ours)
    assert (tmp_path / "out").is_symlink()
    assert text_of(tmp_path / "real") == {"a.txt": "newer"}


def test_writers_of_one_file_follow_one_another(tmp_path):
    def write(k):
        with atomic_path(tmp_path / "a.txt") as path:
            path.write_text(f"{k}" * 1000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert len(set((tmp_path / "a.txt").read_text())) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_the_mode_of_a_replaced_file_is_kept(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "a.txt").chmod(0o640)
    with atomic_path(tmp_path / "a.txt") as path:
        path.write_text("new")
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_a_geopackage_that_is_open_elsewhere_is_not_replaced_beneath_its_log(tmp_path, straight):
    path = tmp_path / "河道.gpkg"
    pg.write_layer(straight, path, "rivers")
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA journal_mode=WAL").fetchall()
        base.execute("CREATE TABLE notes (a)")
        base.commit()
        with pytest.raises(pg.errors.OutputError, match="is open in another program"):
            pg.write_layer(straight, path, "rivers")
        assert base.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    pg.write_layer(straight, path, "rivers")
    assert [p.name for p in tmp_path.iterdir()] == ["河道.gpkg"]


def test_parts_of_another_shapefile_do_not_stay_beside_the_new_one(tmp_path, houses):
    path = tmp_path / "房屋.shp"
    old = houses[["floors", "geometry"]]
    pyogrio.write_dataframe(old, path, encoding="GBK", SPATIAL_INDEX="YES")
    (tmp_path / "房屋.shp.xml").write_text("mine")
    (tmp_path / "房屋.SBN").write_text("an index of the old rows")
    assert (tmp_path / "房屋.qix").exists()
    pg.write_layer(houses.translate(5000).to_frame("geometry").join(houses.drop(columns="geometry")), path, "buildings")  # fmt: skip
    assert {p.suffix for p in tmp_path.iterdir()} == {
        ".shp",
        ".shx",
        ".dbf",
        ".prj",
        ".cpg",
        ".xml",
    }
    near = gpd.GeoDataFrame(geometry=[shapely.box(5100, 0, 5210, 20)], crs=houses.crs)
    found = pg.read_layer(path, "buildings", near=near, near_m=0)
    assert sorted(found.index) == ["inside", "straddling"]


def test_a_shapefile_is_never_one_of_old_and_new_parts(tmp_path, houses, monkeypatch):
    """Killed after each step of the replacement: what opens is old or new, and the next one ends it."""
    first, place = tmp_path / "旧", tmp_path / "新"
    first.mkdir()
    pg.write_layer(houses, first / "房屋.shp", "buildings")
    path = place / "房屋.shp"
    moved = houses.set_geometry(houses.translate(5000))
    moved["use"] = "industrial"

    def state():
        layer = pyogrio.read_dataframe(path)
        east = layer.total_bounds[0] > 4000
        assert (layer["用途"] == "工业").all() == east, "new attributes on old shapes"
        return "new" if east else "old"

    states = []
    for step in range(40):
        monkeypatch.undo()
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(first, place)
        count = iter(range(1000))

        def counted(name, count=count, step=step):
            real = getattr(os, name)

            def call(*given, **named):
                if next(count) == step:
                    raise KeyboardInterrupt  # nothing catches it, and nothing cleans up
                return real(*given, **named)

            return call

        for name in ("replace", "rename", "unlink"):
            monkeypatch.setattr(os, name, counted(name))
        monkeypatch.setattr(replacing, "_remove_folder", lambda folder: None)
        try:
            pg.write_layer(moved, path, "buildings")
        except KeyboardInterrupt:
            monkeypatch.undo()
        else:
            break
        states.append(state() if path.exists() else "none")
        layer = pg.read_layer(path, "buildings")  # ends what was begun
        assert state() == ("old" if states[-1] == "old" else "new")
        assert len(layer) == len(houses)
        pg.write_layer(moved, path, "buildings")
        assert state() == "new"
        assert {p.suffix for p in place.iterdir()} == {".shp", ".shx", ".dbf", ".prj", ".cpg"}
    assert states[0] == "old"
    assert {"none", "new"} <= set(states)


@pytest.mark.parametrize("part", [".shp", ".shx", ".dbf", ".prj", ".cpg", ".fgb", ".geojson"])
def test_a_write_that_fails_in_any_part_is_said(tmp_path, houses, monkeypatch, part):
    """GDAL never looks whether a .prj was written, nor some of a .dbf: what it made is not taken."""
    target = tmp_path / ("房屋.shp" if part not in (".fgb", ".geojson") else f"房屋{part}")
    pg.write_layer(houses, target, "buildings")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    write = Path.write_bytes

    def failing(self, data):
        if self.suffix == part:
            raise OSError(5, "Input/output error")
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", failing)
    with pytest.raises(pg.errors.OutputError, match="the disk reports an error"):
        pg.write_layer(houses.head(1), target, "buildings")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("at", [60, 68], ids=["version", "mark"])
def test_a_geopackage_that_does_not_say_that_it_is_one_was_not_written(
    tmp_path, houses, monkeypatch, at
):
    """As after an I/O error in the write of its head, which GDAL passes over."""
    write = pyogrio.write_dataframe

    def failing(frame, path, **options):
        write(frame, path, **options)
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(bytes(4))

    monkeypatch.setattr(pyogrio, "write_dataframe", failing)
    with pytest.raises(pg.errors.OutputError, match=r"房屋.gpkg can't be written"):
        pg.write_layer(houses, tmp_path / "房屋.gpkg", "buildings")
    with pytest.raises(pg.errors.OutputError, match=r"a.gpkg can't be written"):
        pg.deliver.write_results({"a": houses}, tmp_path / "a.gpkg")
    assert not list(tmp_path.iterdir())


def test_layers_of_a_set_come_together(tmp_path):
    (tmp_path / "a.g01").write_text("old")

    def failing():
        with atomic_parts(tmp_path / "a.prj") as folder:
            (folder / "a.g01").write_text("new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert text_of(tmp_path) == {"a.g01": "old"}
    with atomic_parts(tmp_path / "a.prj") as folder:
        (folder / "a.g01").write_text("new")
        (folder / "a.prj").write_text("new")
    assert text_of(tmp_path) == {"a.g01": "new", "a.prj": "new"}


# --- bad machines -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("file/out", "a part of its path is no folder"),
        ("file/deep/out", "a part of its path is no folder"),
        ("n" * 300, "the name is too long"),
        ("loop", "a link that leads back to itself"),
        ("/proc/none/out", "can't be written"),
    ],
)
def test_a_target_that_cannot_be_is_refused_in_words_before_the_work(tmp_path, target, problem):
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to("loop")
    before = sorted(p.name for p in tmp_path.iterdir())
    with (
        pytest.raises(pg.errors.OutputError, match=problem),
        atomic_folder(tmp_path / target, ours=ours),
    ):
        pytest.fail("the work began")
    with pytest.raises(pg.errors.OutputError, match=problem), atomic_path(tmp_path / target):
        pytest.fail("the work began")
    with pytest.raises(pg.errors.OutputError, match=problem):
        replacing.require_place(tmp_path / target)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_disk_that_is_known_to_be_too_small_is_said_before_the_work(
    tmp_path, houses, monkeypatch
):
    def small(_):
        return shutil._ntuple_diskusage(2**30, 2**30 - 50, 50)

    monkeypatch.setattr(shutil, "disk_usage", small)
    before = sorted(tmp_path.iterdir())
    for target in ("a.gpkg", "a.shp", "a.geojson", "a.fgb"):
        with pytest.raises(pg.errors.OutputError, match="the disk has 0.0 MB left"):
            pg.write_layer(houses, tmp_path / target, "buildings")
    monkeypatch.setattr("pinghu_geo.project.read_inputs", lambda *_: pytest.fail("the work began"))
    with pytest.raises(pg.errors.OutputError, match="takes at least 0.5 MB"):
        pg.run_project(pg.sample_folder() / "project.toml", tmp_path / "out")
    with pytest.raises(pg.errors.OutputError, match="takes at least 0.5 MB"):
        pg.campaign_project(pg.sample_folder() / "project.toml", tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before
    # some systems don't say what they have
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 0))
    pg.write_layer(houses, tmp_path / "a.gpkg", "buildings")


@pytest.mark.parametrize("target", ["file/x", "loop", "/proc/none/out", "n" * 300])
def test_folders_of_forms_and_boards_are_refused_before_the_work(tmp_path, monkeypatch, target):
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setattr("pinghu_geo.office.project_campaign", lambda *_, **__: pytest.fail("begun"))
    monkeypatch.setattr("pinghu_geo.office.campaign_store", lambda *_: pytest.fail("begun"))
    before = sorted(p.name for p in tmp_path.iterdir())
    project = pg.sample_folder() / "project.toml"
    with pytest.raises(pg.errors.OutputError, match="can't be written"):
        pg.project_forms(project, tmp_path / target)
    with pytest.raises(pg.errors.OutputError, match="can't be written"):
        pg.update_project(project, [], board=tmp_path / target)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_what_a_kill_left_of_asking_for_a_folder_is_gone_after_the_next(tmp_path):
    from pinghu_geo.nouns.replacing import require_folder

    code = (
        "import os, signal, sys; from pathlib import Path; from pinghu_geo.nouns import replacing\n"
        "replacing.os.ftruncate = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "replacing.os.rmdir = replacing.os.ftruncate\n"
        "replacing.require_folder(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    require_folder(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_drawing_is_refused_before_it_is_drawn(tmp_path, houses, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setattr("pinghu_geo.intake.drawing._draw_layer", lambda *_: pytest.fail("drawn"))
    with pytest.raises(pg.errors.OutputError, match="no folder"):
        pg.write_dxf({"房屋": houses}, tmp_path / "file" / "a.dxf")


def test_folders_made_for_a_target_that_failed_are_gone(tmp_path):
    def failing():
        with atomic_path(tmp_path / "a" / "b" / "c.txt") as path:
            path.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert list(tmp_path.iterdir()) == []
    replacing.require_place(tmp_path / "a" / "b" / "c.txt")
    assert list(tmp_path.iterdir()) == []


def test_names_as_long_as_the_disk_allows_are_written(tmp_path):
    name = "河" * 83 + ".txt"
    with atomic_path(tmp_path / name) as path:
        path.write_text("x")
    assert [p.name for p in tmp_path.iterdir()] == [name]


# --- threads ----------------------------------------------------------------------------------


def test_notices_reach_the_thread_that_asked(houses):
    from pinghu_geo.nouns.notices import heard, quiet_libraries

    inside, go = threading.Event(), threading.Event()

    def other():
        with quiet_libraries(), heard():
            inside.set()
            go.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(10)
    with pytest.warns(UserWarning, match="floor area of 1 of"):
        pg.redline.floor_area(houses)
    with heard() as said:
        pg.redline.floor_area(houses)
    go.set()
    thread.join()
    assert len(said) == 1


def test_options_of_gdal_are_of_one_thread():
    from pinghu_geo.intake.gdal import gdal_options

    inside, go = threading.Event(), threading.Event()

    def other():
        with gdal_options(OGR_ARC_STEPSIZE=45):
            inside.set()
            go.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(10)
    with gdal_options(OGR_ARC_STEPSIZE=0.5):
        with gdal_options(OGR_ARC_STEPSIZE=3):
            assert float(pyogrio.get_gdal_config_option("OGR_ARC_STEPSIZE")) == 3
        assert float(pyogrio.get_gdal_config_option("OGR_ARC_STEPSIZE")) == 0.5
    assert pyogrio.get_gdal_config_option("OGR_ARC_STEPSIZE") is None
    go.set()
    thread.join()


# --- numbers beyond all measure ---------------------------------------------------------------


def test_shapes_and_numbers_beyond_any_map_are_refused_and_not_lost(straight, houses):
    line = pg.red_line(straight, 20.0)
    vast = houses.copy()
    vast.loc["across", "geometry"] = shapely.box(-1e308, -1e308, 1e308, 1e308)
    with pytest.raises(pg.errors.LayerError, match=r"coordinates of more than .* \(1: across\)"):
        pg.affected(vast, line, straight)
    with pytest.raises(pg.errors.LayerError, match=r"numbers such as 1e\+308 in floors .*inside"):
        pg.affected(houses.assign(floors=1e308, floor_area_m2=float("nan")), line, straight)
    with pytest.raises(pg.errors.LayerError, match="1e.308 is no width"):
        pg.red_line(straight, 1e308)
    far = straight.set_geometry([shapely.LineString([(0, 0), (1e12, 0)])], crs=straight.crs)
    with pytest.raises(pg.errors.LayerError, match=r"coordinates of more than"):
        pg.stations(far)


@pytest.mark.parametrize("code", sorted(replacing.SENTENCES))
def test_what_the_system_says_is_said_in_chinese(tmp_path, code):
    with pytest.raises(pg.errors.OutputError) as said, replacing.in_words(tmp_path / "a"):
        raise OSError(code, os.strerror(code), "a")
    told = said.value.in_language("zh").replace(str(tmp_path / "a"), "").replace("QGIS", "")
    assert not [word for word in told.replace("Excel", "").split() if word.isascii()]
    assert "不能写出" in told


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_request_to_end_that_comes_within_a_callback_is_heard():
    """A callback of the garbage collection swallows exceptions."""
    code = (
        "import os, signal, time, weakref\n"
        "from pinghu_geo.shell import _clear_away_when_ended\n"
        "class Thing: pass\n"
        "def gone(_):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    for _ in range(1000): pass\n"
        "_clear_away_when_ended()\n"
        "thing = Thing()\n"
        "ref = weakref.ref(thing, gone)\n"
        "del thing\n"
        "time.sleep(2)\n"
        "print('went on')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGTERM, "", "")
