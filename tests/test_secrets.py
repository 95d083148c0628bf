"""A password that was given in an address is never shown again."""

import io
import logging
import tempfile
import traceback

import pytest

import pinghu_geo as pg
from pinghu_geo.nouns.inert import source_name, without_secrets
from pinghu_geo.plan import read_plan

SECRET = "s3cret-part"
ADDRESSES = [
    f"postgresql://u:{SECRET}@ho st/b",
    f"postgresql://u:a%{SECRET}@h/b",
    f"postgresql://u:x@{SECRET}@127.0.0.1:1/b",
    f"postgresql://u:{SECRET}/x@127.0.0.1:1/b",
    f"postgresql://u:x/{SECRET}@127.0.0.1:1/b",
    f"postgresql://u:{SECRET}@[::1/b",
    f"postgresql://u:{SECRET}@127.0.0.1:99999/b",
    f"postgresql://u:{SECRET}@127.0.0.1:1/b",
    f"postgresql://u:{SECRET}",
    f"postgresql://u:{SECRET}@",
    f"postgresql://{SECRET}:{SECRET}@127.0.0.1:1/b",
    f"postgresql://u@127.0.0.1:1/b?pasword=x&password={SECRET}",
    f"postgresql://u@127.0.0.1:1/b?password={SECRET}",
    f"postgresql://u:x#{SECRET}@127.0.0.1:1/b",
    f"postgresql://u:x:{SECRET}@127.0.0.1:1/b",
    f"postgresql://u:x?{SECRET}@127.0.0.1:1/b",
    f"postgres://u:{SECRET}@nowhere.invalid/b",
    f"postgresql:/u:{SECRET}@h/b",
    f"PostgreSQL://u:{SECRET}@h/b",
    f"postgis://u:my {SECRET}@h/b",
    f"PG:host=h user=u password={SECRET}",
    f"PG:host=h user=u password='my {SECRET}'",
    f"https://u:{SECRET}@h/layer.gpkg",
    f"ftp://u:{SECRET}@h/layer.zip",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_error_of_an_address_shows_its_password(address):
    pytest.importorskip("psycopg")
    with pytest.raises(pg.PinghuError) as caught:
        pg.read_layer(address, "buildings")
    shown = "".join(traceback.format_exception(caught.value))
    chain, more = [], caught.value
    while more is not None:
        chain.append(f"{more!r}{more}{getattr(more, 'ids', '')}{getattr(more, 'hint', '')}")
        more = more.__cause__ or more.__context__
    lines = [line for line in shown.splitlines() if "pg.read_layer(" not in line]
    assert SECRET not in "\n".join([*lines, *chain])


def test_reading_apart_shows_no_password_and_leaves_none_behind(tmp_path, monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for address in (ADDRESSES[7], ADDRESSES[8]):
        with pytest.raises(pg.PinghuError) as caught:
            pg.read_layer(address, "buildings", isolate=True)
        assert SECRET not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert source_name(ADDRESSES[8]) == "the database"
    assert source_name("a/房屋.shp") == "房屋.shp"


def test_a_project_shows_no_password_either(tmp_path):
    address = f"postgresql://u:{SECRET}@127.0.0.1:1/b"
    (tmp_path / "project.toml").write_text(
        f'crs = 4547\n[layers]\nbuildings = "{address}"\nrivers = "{address}"\n'
        f'[schemes]\n"原" = "{address}"\n',
        "utf-8",
    )
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    logging.getLogger("pinghu_geo").addHandler(handler)
    logging.getLogger("pinghu_geo").setLevel(logging.DEBUG)
    try:
        assert SECRET not in repr(read_plan(tmp_path / "project.toml"))
        said = []
        with pytest.raises(pg.PinghuError) as caught:
            pg.run_project(tmp_path / "project.toml", tmp_path / "out", progress=said.append)
        faults = pg.check_project(tmp_path / "project.toml")
    finally:
        logging.getLogger("pinghu_geo").removeHandler(handler)
        logging.getLogger("pinghu_geo").setLevel(logging.NOTSET)
    assert SECRET not in f"{caught.value}{said}{out.getvalue()}{faults.to_csv()}"
    assert len(faults) >= 3
    assert not (tmp_path / "out").exists()


def test_what_is_no_secret_is_left_alone():
    for text in (
        'pg.read_layer("postgresql://user@host/base", ..., layer="schema.table")',
        "C:/Users/li@home/房屋.shp has no CRS",
        "without a password",
        "n = 0.03",
        "见 https://example.org/a:b",
    ):
        assert without_secrets(text) == text
