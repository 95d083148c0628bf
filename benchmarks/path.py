"""The way of a table of cross-sections through a search within a rise.

``python benchmarks/path.py`` runs one small search and follows the sections, and whatever holds
them, from function to function. Each call of one function by another counts once, where it is
first made. A stay is a while in one module; a climb is a move to a module on a higher floor (a
module stands one floor above the highest that it imports). ``--package FOLDER`` follows them
through another checkout of the package, to compare.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

ROOT = Path(__file__).resolve().parents[1]


def floors(package: Path) -> dict[str, int]:
    """Floor of each module: 1 for those that import none of ours."""
    paths = {
        ".".join(p.relative_to(package.parent).with_suffix("").parts): p
        for p in package.rglob("*.py")
        if p.stem != "__init__"
    }
    below: dict[str, set[str]] = {}
    for name, path in paths.items():
        below[name] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    for one in (f"{node.module}.{alias.name}", node.module):
                        if one in paths and one != name:
                            below[name].add(one)
                            break

    @cache
    def floor(name: str) -> int:
        return 1 + max((floor(one) for one in below[name]), default=0)

    return {name: floor(name) for name in paths}


class Follower:
    """The modules that sections pass, in order; set as the profiler of Python."""

    def __init__(self, package: Path) -> None:
        self.inside, self.base = str(package), len(str(package.parent)) + 1
        self.looked: Counter[tuple[object, object]] = Counter()
        self.seen: set[tuple[object, object]] = set()
        self.way: list[tuple[str, str]] = []

    def __call__(self, frame, event, _) -> None:
        """Note a call that hands sections on."""
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(self.inside) or not frame.f_back:
            return
        back = frame.f_back
        while back and not back.f_code.co_filename.startswith(self.inside):
            back = back.f_back
        caller = back.f_code if back else None
        pair = (caller, code)
        if pair in self.seen or self.looked[pair] >= 3:
            return
        self.looked[pair] += 1
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if any(_holds_sections(frame.f_locals.get(name)) for name in names):
            self.seen.add(pair)
            for one in (caller, code):
                if one is not None:
                    self.way.append((self.module(one), one.co_qualname))

    def module(self, code) -> str:
        """Name of the module that a function's code stands in."""
        return code.co_filename[self.base : -len(".py")].replace("/", ".")


def _holds_sections(one, deep: int = 3) -> bool:
    """Whether this is a table of sections, sections laid out, or has them within it."""
    if isinstance(one, pd.DataFrame):
        return {"offset_m", "elevation_m"} <= set(one.columns)
    if type(one).__name__ == "Sections":
        return True
    within: list[object] = []
    if isinstance(one, list | tuple):
        within = list(one[:4])
    elif isinstance(one, dict):
        within = list(one.values())[:8]
    elif type(one).__module__.startswith("pinghu_geo"):
        names = [*getattr(one, "__dict__", {}), *getattr(type(one), "__slots__", ())]
        within = [getattr(one, name, None) for name in names]
    return deep > 0 and any(_holds_sections(v, deep - 1) for v in within)


def small_search(pg):
    """A street of twelve houses on both banks of a rectangular river, as in its tests."""
    at = np.arange(0, 401, 20.0)
    bed = 0.002 * (400 - at)
    table = pd.DataFrame({"river": "A", "chainage_m": at, "bed_level_m": bed, "n": 0.028})
    table = table.assign(left_m=8.0, right_m=8.0, bank_level_m=bed + 4, n_wall=0.022)
    houses = {}
    for k in range(6):
        houses[f"L{k}"] = shapely.box(60 + 50 * k, 9.6 - 0.3 * (k % 3), 75 + 50 * k, 20)
        houses[f"R{k}"] = shapely.box(66 + 50 * k, -20, 80 + 50 * k, -10.6 - 0.3 * (k % 2))
    buildings = gpd.GeoDataFrame(
        {"floors": 2.0, "floor_area_m2": 300.0, "use": "residential"},
        index=pd.Index(list(houses), name="building_id"), geometry=list(houses.values()), crs=4547,
    )  # fmt: skip
    rivers = gpd.GeoDataFrame(
        index=pd.Index(["A"], name="river"),
        geometry=[shapely.LineString([(0, 0), (400, 0)])], crs=4547,
    )  # fmt: skip
    widths = pd.DataFrame({"river": "A", "chainage_m": [0.0, 400], "left_m": 10.0, "right_m": 10.0})
    sections = pg.design_sections(table)

    def search():
        return pg.least_demolition_within_rise(
            rivers, widths, buildings, sections, 70.0, {"slope": 0.002},
            {"inward_m": 2.0, "outward_m": 1.0, "step_m": 0.5, "taper": 0.1}, allowed_mm=20,
            rates=pd.DataFrame({"building_yuan_m2": [1000.0]}),
        )  # fmt: skip

    return search


def main() -> None:
    """Print the way, and how many stays and climbs it has."""
    say = argparse.ArgumentParser(description=__doc__)
    say.add_argument("--package", type=Path, default=ROOT, help="the checkout it lies in")
    folder = say.parse_args().package.resolve()
    sys.path.insert(0, str(folder))
    import pinghu_geo as pg

    package = folder / "pinghu_geo"
    if Path(pg.__file__).parent != package:
        raise SystemExit(f"{pg.__file__} was imported")
    search = small_search(pg)
    search()  # what is imported where it is used is imported now
    follow = Follower(package)
    sys.setprofile(follow)
    try:
        search()
    finally:
        sys.setprofile(None)
    height = floors(package)
    stays = [
        name for k, (name, _) in enumerate(follow.way) if not k or follow.way[k - 1][0] != name
    ]
    for k, (name, function) in enumerate(follow.way):
        if not k or follow.way[k - 1][0] != name:
            print(f"floor {height[name]:2}  {name.removeprefix('pinghu_geo.'):28} {function}")
    climbs = sum(height[b] > height[a] for a, b in pairwise(stays))
    print(f"{len(stays)} stays in {len(set(stays))} modules, {climbs} climbs")


if __name__ == "__main__":
    main()
