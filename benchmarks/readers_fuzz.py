"""The own parsers under a coverage-guided fuzzer: whatever the bytes, a value or a PinghuError.

``pip install atheris``, then ``python benchmarks/readers_fuzz.py PARSER [SECONDS]``; without
PARSER the list of them. What ends in another exception, a crash, 2 GB or 20 s is printed with the
bytes that did it.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pinghu_geo"]):
    import pandas as pd

    import pinghu_geo as pg
    from pinghu_geo.flood import hecras_text
    from pinghu_geo.intake import bounds, drivers, encoding, registry
    from pinghu_geo.plan import read_plan
    from pinghu_geo.river.chainage import parse_chainage

HERE = Path(tempfile.mkdtemp())
SAMPLE = pg.sample_folder()


def file(name, raw):
    path = HERE / name
    path.write_bytes(raw)
    return path


def text(raw):
    return raw.decode("utf-8", "replace")


def shape(raw):
    """The first bytes go to the .shp, .shx and .dbf of a sound Shapefile, where they say."""
    parts = {s: bytearray((SAMPLE / f"河道{s}").read_bytes()) for s in (".shp", ".shx", ".dbf")}
    for k in range(0, len(raw) - 4, 5):
        part = list(parts.values())[raw[k] % 3]
        at = int.from_bytes(raw[k + 1 : k + 4], "big") % len(part)
        part[at] = raw[k + 4]
    for suffix, part in parts.items():
        file(f"s{suffix}", bytes(part))
    pg.read_layer(HERE / "s.shp", "rivers", crs=4547, row_ids=False)


PARSERS = {
    "encoding": lambda raw: encoding.text_encoding(raw, "x"),
    "dbf": lambda raw: encoding.dbf_encoding(file("x.dbf", raw)),
    "mapinfo": lambda raw: encoding.mapinfo_encoding(file("x.tab", raw)),
    "shapefile": shape,
    "drawing": lambda raw: bounds.require_bounded_drawing(b"0\nINSERT\n" + raw, "x.dxf", "x"),
    "dxf_head": lambda raw: drivers.drawing_for_one_driver(raw, "x.dxf", "buildings"),
    "kml": lambda raw: pg.read_layer(file("x.kml", raw), "buildings", row_ids=True),
    "geojson": lambda raw: pg.read_layer(file("x.geojson", raw), "buildings", row_ids=True),
    "hecras_text": lambda raw: hecras_text.read_hecras(
        file("x.g01", b"Geom Title=x\n" + raw), units="SI"
    ),
    "chainage": lambda raw: parse_chainage(text(raw)),
    "unit_numbers": lambda raw: registry.unit_numbers(pd.Series([text(raw)])),
    "csv": lambda raw: pg.read_table(file("x.csv", raw), "widths"),
    "project": lambda raw: read_plan(file("x.toml", raw)),
    "wkb": lambda raw: bounds.without_nests([b"\x01\x07\0\0\0" + raw + bytes(400), text(raw) * 20]),
}


def main():
    """Run one parser for a while."""
    if len(sys.argv) < 2 or sys.argv[1] not in PARSERS:
        sys.exit("\n".join(PARSERS))
    parser, seconds = PARSERS[sys.argv[1]], sys.argv[2] if len(sys.argv) > 2 else "1200"

    def one(raw):
        with contextlib.suppress(pg.PinghuError):
            parser(raw)

    os.chdir(HERE)
    options = [f"-max_total_time={seconds}", "-rss_limit_mb=3000", "-timeout=20", "-max_len=4096"]
    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
