"""No table of a public function is left out of the generator of variations."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pinghu_geo as pg

ROOMS = ("river", "intake", "redline", "flood", "schemes", "search", "campaign", "deliver")
# annotations that stand for a table, or for a result that is tables
TABLE = re.compile(r"DataFrame|GeoSeries|Widths|Boundary|CampaignTasks|WorkingFaces")
MADE = "made by the library from a file of rules, which is checked when it is read"
# function.parameter: why no variation of it is called
EXEMPT = {
    "affected_parquet.prepare": "a function that is given tables, none itself",
    "centred_model.centres": "goes in by the door as sections do, which are varied",
    **{
        f"balanced_flows.{name}": "goes on to water_profile as it is, which is varied"
        for name in ("sections", "flows", "downstream", "junctions")
    },
    "in_words.frame": "says any table as it is, which tests/test_in_words.py holds",
    "management_line.rules": MADE,
    "retention_verdict.rules": MADE,
    "write_msproject.stages": MADE,
    **{
        f"least_demolition_within_rise.{name}": "goes on to water_profile as it is, which is varied"
        for name in ("structures", "structure_parts")
    },
    "write_field_package.stages": MADE,
    **{
        f"second_opinion.{name}": "needs ANUGA; what it is given goes in by the same door, and "
        "water_profile, locate and section_lines take it from there"
        for name in ("buildings", "sections", "flows", "downstream", "rivers")
    },
    **{
        f"{name}.stages": MADE
        for name in (
            "live_red_line", "node_board", "payments", "plot_time_chainage", "progress_faults", "progress_state",
            "read_reports", "schedule", "supervision", "update_progress", "work_days",
            "working_faces", "write_forms", "command_map", "write_household_files", "write_notices",
            "write_transfers", "write_weekly_report", "wall_maps",
        )
    },
}  # fmt: skip


def tables_of(function):
    """Parameters of a function that hold tables."""
    return {
        name
        for name, one in inspect.signature(function).parameters.items()
        if TABLE.search(str(one.annotation))
    }


def public():
    """Public functions by their names, at the top and in the rooms."""
    found = {}
    for module in [pg, *(importlib.import_module(f"pinghu_geo.{r}") for r in ROOMS)]:
        for name in module.__all__:
            one = getattr(module, name)
            if inspect.isfunction(one):
                found[name] = one
    return found


def given():
    """Parameters that the generator gives tables to, by function."""
    tree = ast.parse((Path(__file__).parent / "variations.py").read_text("utf-8"))
    (calls,) = (
        n.value
        for n in tree.body
        if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "CALLS"
    )
    found = {}
    for call in ast.walk(calls):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        function = public().get(call.func.attr)
        if function is None:
            continue
        names = list(inspect.signature(function).parameters)
        pairs = [*zip(names, call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]
        found.setdefault(call.func.attr, set()).update(n for n, a in pairs if _is_varied(a))
    return found


def _is_varied(argument):
    """Whether an argument is, or holds, a table of the generator's: ``t["rivers"]``."""
    return any(isinstance(n, ast.Name) and n.id == "t" for n in ast.walk(argument))


def test_every_table_of_every_public_function_is_varied_or_has_a_reason_not_to_be():
    wanted = {f"{n}.{p}" for n, f in public().items() for p in tables_of(f)}
    varied = {f"{n}.{p}" for n, names in given().items() for p in names}
    forgotten = wanted - varied - set(EXEMPT)
    assert not forgotten, f"vary them in tests/variations.py: {sorted(forgotten)}"
    assert not (gone := set(EXEMPT) - wanted), f"no such tables: {sorted(gone)}"
    assert not (both := set(EXEMPT) & varied), f"varied: {sorted(both)}"
    assert len(wanted) > 150
