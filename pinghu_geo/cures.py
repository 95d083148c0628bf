"""What does one do about a fault who types no Python? Keys of the project file, and Excel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pandas as pd

from pinghu_geo.keys import table_source
from pinghu_geo.nouns.errors import (
    HydraulicsError,
    LayerError,
    OptimiseError,
    PinghuError,
    RateError,
)
from pinghu_geo.nouns.inert import source_name
from pinghu_geo.plan import CAMPAIGN_TABLES, FLOOD_TABLES, Plan

__all__ = ["for_the_shell", "hint_for_files", "table_of", "with_hint", "with_keys_for_cures"]

# keys beside the path of a file, by the Python that reads it so, with what its groups caught
KEYS_FOR_READING = {
    r"^pg\.read_table\(\.\.\., columns=\{'([^']*)': '(\w+)'\}\)$": r'columns = { \2 = "\1" }',
    r'^pg\.read_table\(.*, sheet="([^"]*)"\)$': r'sheet = "\1"',
}

# what to do in Excel, by the Python that cures the same; the first that fits
CURES_IN_FILES = KEYS_FOR_READING | {
    r"# or format the column as a date before saving$": (
        "format the column as a date in Excel, and save the file again"
    ),
    r"^write 2018-03-01 .*pd\.to_datetime\(": "write 2018-03-01, or leave the cell empty",
    r"\.map\(pg\.parse_chainage\)$": "write chainages as K1+200, or as metres",
    r"^sections = pg\.flood\.section_offsets\(|^bed = pg\.flood\.section_offsets\(": (
        'sections = { path = "断面.hdm", origin = "left_bank", centre_m = "middle" }  # in [flood]'
    ),
    r'^name that column demolish_floor_area_m2;|"demolish_floor_area_m2"\]$': (
        'give the buildings floor areas (建筑面积) or floors (层数): columns = { floors = "列名" }'
        "  # in [layers.buildings]"
    ),
    r"^affected = affected\.rename\(columns=\{'.*': '(?:use|structure|title)'\}\)$"
    r"|^name that column (?:use|structure|title); ": (
        'name the column of the buildings: columns = { use = "列名" }  # in [layers.buildings], '
        "or leave the table's cells of it empty, which means any"
    ),
    r"tasks\.loc\[ids, column\] = \.\.\.$": (
        "give their buildings floor areas (建筑面积) or floors (层数), and a column of tenants "
        '(租户数), 0 where nobody rents, or their table: tenants = "租户.csv"  # in [campaign]'
    ),
    r"pd\.to_numeric\(|\.replace\(\[float\(|\.where\(": "correct them, or leave the cells empty",
    r"^buildings = buildings\[buildings\.geom_type\.isin": (
        "areas_only = true  # in [layers.buildings], if these are walls, steps or notes"
    ),
    r'^red_line\["river"\] = ': (
        "draw an area for each river around its centreline, or name the river of each in a column"
    ),
    r'^downstream=\{"level_m": 3\.2\}': (
        "give each river one row of boundaries (边界条件) a flood, with its level (水位) or slope "
        "(坡降)"
    ),
    r'^junctions\["method"\] = "energy"': (
        "write 能量法 (energy) as the method (算法) of this junction, or correct its angles (夹角)"
    ),
    r"^(\w+) = \1(?:\.loc)?\[": "correct the rows in the file, or leave them out",
}

# faults whose cure is a line of Python, and the key of the project file that does the same
KEYS_FOR_FAULTS = {
    "missing_column": 'columns = {{ {field} = "列名" }}',
    "no_crs": "crs = 4547",
    "in_pieces": "join_gap_m = 20",
    "scattered_parts": "split_parts = true",
    "invalid_geometry": "repair = true",
    "has_z": "repair = true",
}


def with_keys_for_cures(faults: pd.DataFrame) -> pd.DataFrame:
    """Faults with keys of the project file where a cure is a line of Python."""
    for fault, key in KEYS_FOR_FAULTS.items():
        rows = faults["fault"] == fault
        faults.loc[rows, "advice"] = [key.format(field=f) for f in faults.loc[rows, "field"]]
    unread = faults["fault"] == "unreadable"
    faults.loc[unread, "advice"] = [
        _in_place_of(KEYS_FOR_READING, advice) for advice in faults.loc[unread, "advice"]
    ]
    lines = (faults["fault"] == "wrong_geometry") & (faults["layer"] == "buildings")
    faults.loc[lines, "advice"] = "areas_only = true"
    return faults


def with_hint(fault: PinghuError, hint: str) -> PinghuError:
    """A fault with another cure."""
    if not isinstance(fault, LayerError | HydraulicsError | RateError) or hint == fault.hint:
        return fault
    return type(fault)(
        fault.problem, layer=fault.layer, ids=fault.ids, hint=hint, fault=fault.fault
    )


@contextmanager
def for_the_shell(plan: Plan) -> Iterator[None]:
    """Give faults of a layer or table its file, and a cure for those who type no Python."""
    try:
        yield
    except (LayerError, HydraulicsError, RateError) as fault:
        named = _layer_with_file(plan, fault.layer)
        hint = hint_for_files(fault.hint)
        if fault.fault == "invalid_geometry" and named is not None:
            hint = f"repair = true  # in {plan.path.name}, above the first [section]"
        if named is None and hint == fault.hint:
            raise
        raise type(fault)(fault.problem, layer=named or fault.layer, ids=fault.ids, hint=hint,
                          fault=fault.fault) from fault  # fmt: skip
    except OptimiseError as fault:
        limit = re.match(r'limits = limits \| \{"(\w+)": ([\d.]+)\}', fault.hint)
        if limit is None:
            raise
        raise OptimiseError(
            fault.problem, ids=fault.ids,
            hint=f"{limit[1]} = {limit[2]}  # in the least = {{ ... }} of the scheme",
        ) from fault  # fmt: skip


def hint_for_files(hint: str) -> str:
    """What to do in Excel, where a hint is a line of Python about a table; else the hint."""
    return _in_place_of(CURES_IN_FILES, hint)


def _in_place_of(cures: Mapping[str, str], hint: str) -> str:
    """The cure of the first pattern that a hint fits; else the hint."""
    for python, cure in cures.items():
        if (found := re.search(python, hint)) is not None:
            return found.expand(cure)
    return hint


def table_of(layer: str) -> str:
    """The table that a project file names, of what a function calls by its place at the river."""
    return "boundaries" if layer == "downstream" else layer


def _layer_with_file(plan: Plan, layer: str) -> str | None:
    """A layer or table with the one file that the project names for it; None where none is one."""
    layer = table_of(layer)
    if layer == "fixed":
        noun, given = "segments", [plan.campaign.get("fixed")]
    elif layer == "stages":
        noun, given = layer, [plan.campaign.get("stages")]
    elif layer == "progress":  # reports name their files themselves
        return None
    else:
        noun, given = layer, [plan.layers.get(layer), plan.tables.get(layer)]
        for section, tables in ((plan.flood, FLOOD_TABLES), (plan.campaign, CAMPAIGN_TABLES)):
            given += [section.get(key) for key, what in tables.items() if what == layer]
        if layer == "sections":
            given.append(plan.flood.get("sections"))
        if layer == "groups" and not isinstance(plan.campaign.get("groups"), int | list):
            given.append(plan.campaign.get("groups"))
    files = [one for one in given if one is not None]
    return f"{noun} ({source_name(table_source(files[0])['path'])})" if len(files) == 1 else None
