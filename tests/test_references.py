"""Whoever uses a formula can look it up: engineering functions name the source of theirs."""

import inspect
import re

import pytest

import pinghu_geo as pg

ROOMS = ["river", "intake", "redline", "flood", "schemes", "search", "campaign"]
# no formula and no published rule stands behind these: what they do is said in their docstrings
OWN = {
    "river": {"confluences": "the end of one line near another, by the tolerance given"},
    "intake": {
        "check_summary": "counts rows",
        "join_ledger": "joins equal ids",
        "read_table": "reads what it is told of; its columns stand in the nomenclature",
        "split_parts": "one row a part",
    },
    "redline": {
        "remainders": "thresholds of the project, given as arguments",
        "totals": "sums",
    },
    "flood": {
        "cut_banks": "the ends of what `cut_sections` cut",
        "flood_levels": "a level carried square to the centreline, less the ground",
        "freeboard": "bank top less water level",
    },
    "schemes": {
        "assess": "puts `affected`, `compensation`, `node_table` and `totals` together",
        "clearing": "largest share of a zone, as the caller's zones and project have it",
        "compare": "differences of what `assess` found",
        "differences": "differences of what `assess` found",
        "node_ids": "cuts a river at gaps of the project's own length",
        "node_table": "sums by node",
        "retention_rules": "a file of rules, each of which names its own source",
    },
    "search": {"moved_sections": "the project's own way to move a surveyed wall"},
    "campaign": {
        "campaign_tasks": "the project's own classes",
        "open_store": "a place for files",
        "progress_faults": "the project's own rules for reports",
        "progress_state": "the project's own rules for reports",
        "read_reports": "reads the project's own forms",
        "supervision": "rates and shares as its notes define them",
        "update_progress": "reads and keeps the project's own forms",
        "work_days": "units over units a day, rounded up",
        "working_faces": "what is left between buildings that stand",
    },
}
FUNCTIONS = {
    (room, name): one
    for room in ROOMS
    for name in getattr(pg, room).__all__
    if inspect.isfunction(one := getattr(getattr(pg, room), name))
}


@pytest.mark.parametrize(("room", "name"), FUNCTIONS)
def test_every_formula_names_its_source(room, name):
    found = re.search(
        r"^References\n-{10}\n(.+?)(?=\n\n\w+\n---|\Z)",
        inspect.getdoc(FUNCTIONS[room, name]),
        re.DOTALL | re.MULTILINE,
    )
    if name in OWN[room]:
        assert not found, "names a source now: take it off the list"
        return
    assert found, f"{room}.{name} names no source of its formula or rule"
    text = found[1]
    known = r"\b(1[89]|20)\d\d\b|\d+\.x\b|(ISO|OGC|GB/T|RFC|IOGP|EPSG|Autodesk|LiDAR360|Art\.)|https?:|\w\.com/|software"
    assert re.search(known, text), f"{room}.{name}: no year, number or address in {text!r}"


def test_the_list_of_exceptions_holds_only_doors():
    listed = {(room, name) for room, names in OWN.items() for name in names}
    assert listed <= set(FUNCTIONS), sorted(listed - set(FUNCTIONS))
