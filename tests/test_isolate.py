"""A file that breaks its reader breaks a child: here it is a sentence."""

import os
import socket
import subprocess
import sys

import pytest

import pinghu_geo as pg
from pinghu_geo.intake import isolate

CHILD = [sys.executable, "-c"]
LIMITED = "from pinghu_geo.intake.isolate import _limit_process; _limit_process(network=False, seconds=60); "


@pytest.mark.parametrize("name", ["房屋.shp", "河道.shp", "更新整备.shp"])
def test_a_layer_read_apart_is_the_same(name):
    sample = pg.sample_folder()
    what = {"房": "buildings", "河": "rivers", "更": "zones"}[name[0]]
    here, apart = (pg.read_layer(sample / name, what, isolate=one) for one in (False, True))
    assert apart.equals(here)
    assert apart.crs == here.crs
    assert apart.dtypes.equals(here.dtypes)


def test_what_a_child_refuses_is_refused_here(tmp_path):
    with pytest.raises(pg.errors.LayerError, match="there is no file") as fault:
        pg.read_layer(tmp_path / "no.shp", "buildings", isolate=True)
    assert fault.value.layer == "buildings"


def run(code):
    return subprocess.run([*CHILD, LIMITED + code], capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")
def test_the_child_has_no_network_and_not_all_the_memory(tmp_path):
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
    free = subprocess.run([*CHILD, code], capture_output=True, check=False)
    assert free.returncode == 0
    shut = run(code)
    server.close()
    unshared = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False)
    if unshared.returncode == 0:  # where the system lets users have a namespace
        assert "Error" in shut.stderr
    assert "MemoryError" in run("bytearray(2**50)").stderr
    # it still writes as its user
    assert run(f"open({str(tmp_path / 'x')!r}, 'w').write('x')").returncode == 0
    assert (tmp_path / "x").stat().st_uid == os.getuid()


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("import ctypes; ctypes.string_at(0)", "ended by SIGSEGV"),
        ("raise MemoryError", "GB of memory"),
        ("import time; time.sleep(60)", "took more than"),
    ],
)
def test_how_a_child_ended_is_said(tmp_path, monkeypatch, does, said):
    (tmp_path / "sitecustomize.py").write_text("")
    code = f"""
import sys
import pinghu_geo.intake.formats as formats
def broken(*_, **__):
    {does}
formats.read_raw = broken
from pinghu_geo.intake import isolate
isolate._child_main()
"""
    real = subprocess.Popen

    def instead(command, **options):
        return real([sys.executable, "-c", code, *command[3:]], **options)

    monkeypatch.setattr(isolate.subprocess, "Popen", instead)
    monkeypatch.setattr(isolate, "LAYER_SECONDS", 12 if "sleep" in does else 120)
    with pytest.raises(pg.errors.LayerError, match=said) as fault:
        pg.read_layer(pg.sample_folder() / "房屋.shp", "buildings", isolate=True)
    assert "房屋.shp" in str(fault.value)


def test_check_runs_apart_and_its_parent_imports_nothing_heavy(tmp_path, straight, houses):
    pg.write_layer(houses, tmp_path / "房屋.gpkg", "buildings")
    pg.write_layer(straight, tmp_path / "河道.gpkg", "rivers")
    project = tmp_path / "project.toml"
    project.write_text(
        'crs = 4547\n[layers]\nbuildings = "房屋.gpkg"\nrivers = "河道.gpkg"\n'
        '[schemes."原方案"]\nwidths = 20\n',
        "utf-8",
    )
    code = (
        "import sys; from pinghu_geo.cli import app\n"
        f"try: app(['check', {str(project)!r}, '--out', {str(tmp_path / 'c.xlsx')!r}], standalone_mode=False)\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'pandas', 'geopandas', 'shapely', 'pyogrio'} & set(sys.modules)))"
    )
    done = subprocess.run([*CHILD, code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr[-2000:]
    assert (tmp_path / "c.xlsx").exists()
    assert "共" in done.stdout
