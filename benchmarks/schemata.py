"""How many columns of public schemata are recognised, a set at a time; what is missed or wrong.

    python benchmarks/schemata.py [--names] [FILE]

FILE is a TOML of schemata as docs/schemata.toml has them, which is the default. Each schema is
laid on 60 made houses (parcels, rivers) that hold what such columns hold: storeys from 1 to 30,
heights of some 3 m a storey, areas of the shapes and of all storeys, ids that differ, words of the
uses and structures; what isn't ours holds years, codes and texts that repeat. ``--names`` looks at
the names alone. The sixth and seventh set were scored with the values of their files first; those
scores stand in the file.
"""

from __future__ import annotations

import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from pinghu_geo.intake.likeness import columns_meant
from pinghu_geo.nouns.schema import NOUNS, match_columns

DOCS = Path(__file__).parents[1] / "docs" / "schemata.toml"
N = 60


def made(schema: dict[str, Any]) -> gpd.GeoDataFrame:
    """A layer that has a schema's columns, and holds in each what it is said to be."""
    rng = np.random.default_rng(len(schema["name"]))
    side = rng.uniform(6, 30, N).round(1)
    x = np.arange(N) * 60.0 + 500_000
    shapes = shapely.box(x, 4_000_000, x + side, 4_000_000 + 1.3 * side)
    if schema["noun"] == "rivers":
        shapes = shapely.linestrings([[(a, 4e6), (a + 40, 4e6 + 50)] for a in x])
    floors = rng.integers(1, 31, N)
    drawn = 1.3 * side**2
    holds = {
        "floors": floors, "height_m": (floors * rng.uniform(2.8, 3.4, N)).round(1),
        "footprint_m2": (drawn * rng.uniform(0.98, 1.02, N)).round(2),
        "area_m2": (drawn * rng.uniform(0.98, 1.02, N)).round(2),
        "floor_area_m2": (drawn * floors * rng.uniform(0.9, 1.1, N)).round(1),
        "building_id": [f"B{k:05d}" for k in range(N)],
        "parcel_id": [f"P{k:05d}" for k in range(N)],
        "use": rng.choice(["residential", "commercial", "industrial"], N),
        "structure": rng.choice(["concrete", "steel", "other"], N),
        "owner": [f"owner {k % 41}" for k in range(N)],
        "land_use": rng.choice(["housing", "farm"], N),
        "river": [f"river {k}" for k in range(N)],
        "rooms": rng.integers(1, 9, N), "tenants": rng.integers(0, 9, N),
    }  # fmt: skip
    others = [rng.integers(1950, 2024, N), rng.choice(["A", "B7", "x"], N),
              rng.choice([110, 210, 999], N), (drawn * 10.76 * floors).round()]  # fmt: skip
    columns = {
        name: holds[ours] if ours in holds else others[k % len(others)]
        for k, (name, ours) in enumerate(schema["columns"].items())
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=32650)


def score(schemata: list[dict[str, Any]], *, names: bool = False) -> tuple[int, int, Any, Any]:
    """How many columns mean something, how many are found; what is wrong, and what is missed."""
    meaningful, right, wrong, missed = 0, 0, [], []
    for one in schemata:
        kind, columns = NOUNS[one["noun"]], one["columns"]
        if names:
            got = match_columns(columns, kind)
        else:
            got = columns_meant(made(one), list(columns), kind, {}, ())[0]
        for name, wanted in columns.items():
            meant = wanted.removeprefix("?")
            if wanted and wanted == meant:
                others = [n for n, w in columns.items() if w.removeprefix("?") == meant]
                meaningful += 1
                if any(got.get(n) == meant for n in others):
                    right += 1
                else:
                    missed.append((one["name"], name, wanted))
            if got.get(name, meant) != meant:
                wrong.append((one["name"], name, wanted, got[name]))
    return meaningful, right, wrong, missed


def main() -> None:
    """Print the score of each set."""
    given = [a for a in sys.argv[1:] if a != "--names"]
    path = Path(given[0]) if given else DOCS
    sets = defaultdict(list)
    for schema in tomllib.loads(path.read_text("utf-8"))["schema"]:
        sets[schema.get("set", 1)].append(schema)
    for number, schemata in sorted(sets.items()):
        meaningful, right, wrong, missed = score(schemata, names="--names" in sys.argv)
        print(
            f"set {number}: {len(schemata)} schemata, {right} of {meaningful}, {len(wrong)} wrong"
        )
        for fault in wrong:
            print("  wrong ", *fault, sep=" | ")
        for fault in missed:
            print("  missed", *fault, sep=" | ")


if __name__ == "__main__":
    main()
