"""The house keeps its layers, its words and its promises."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pinghu_geo as pg
from pinghu_geo.nouns.schema import NOUNS

PACKAGE = Path(pg.__file__).parent
LAYERS = {
    "errors": 0, "_version": 0, "nouns": 0, "schema": 1, "chainage": 1, "encoding": 1, "sections": 1,
    "files": 2, "grid": 2, "registry": 2, "postgis": 2, "catalogue": 3, "coordinates": 4, "drawing": 4, "shapefile": 4, "formats": 5, "io": 6, "faults": 7, "centreline": 2, "axis": 2, "steady": 2, "mincut": 2, "labels": 3, "corridor": 3, "survey": 3,
    "redline": 4, "channel": 4, "hydraulics": 5, "hecras": 6, "flood": 6, "obstruction": 7, "terrain": 6, "retention": 6, "legal": 6, "partial": 6, "hecras_text": 7, "areas": 2, "bands": 5, "overlap": 5, "nodes": 6, "cost": 6,
    "alternatives": 7, "offsets": 7, "walls": 4, "conveyance": 5, "optimise": 8, "designs": 8, "stretch": 8, "norise": 9, "tradeoffs": 10, "maps": 9, "report": 9, "plots": 9, "plan": 9, "widget": 10, "distributed": 8, "project": 11, "cli": 12, "__main__": 13,
}  # fmt: skip
# outputs compute nothing and analysis draws nothing
HEAVY = {
    "folium",
    "branca",
    "matplotlib",
    "ipyleaflet",
    "ipywidgets",
    "xlsxwriter",
    "dask",
    "rasterio",
    "offlinefolium",
}
MODULES = sorted(p.stem for p in PACKAGE.glob("*.py") if p.stem != "__init__")
PUBLIC = {name: getattr(pg, name) for name in pg.__all__}
FUNCTIONS = {n: f for n, f in PUBLIC.items() if inspect.isfunction(f)}


def imports(module, *, top_only=False):
    tree = ast.parse((PACKAGE / f"{module}.py").read_text("utf-8"))
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_every_module_has_its_layer():
    assert set(MODULES) == set(LAYERS)


@pytest.mark.parametrize("module", MODULES)
def test_imports_only_from_lower_layers(module):
    used = {i.split(".")[1] for i in imports(module) if i.startswith("pinghu_geo.")}
    assert all(LAYERS[other] < LAYERS[module] for other in used), used


@pytest.mark.parametrize("module", [m for m in MODULES if LAYERS[m] < 9])
def test_analysis_never_imports_what_draws(module):
    used = {i.split(".")[0] for i in imports(module, top_only=True)}
    assert not used & HEAVY


def test_no_function_has_a_module_s_name():
    assert not set(PUBLIC) & set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_functions_are_short_and_nothing_is_printed_or_asserted(module):
    source = (PACKAGE / f"{module}.py").read_text("utf-8")
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 80, f"{module}.{node.name} has {lines} lines"
        assert not isinstance(node, ast.Assert), f"{module}: bare assert"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"{module}: print"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings_say_all(name):
    text = inspect.getdoc(FUNCTIONS[name])
    first = text.splitlines()[0]
    assert len(first) <= 90
    assert re.search(r"[\u4e00-\u9fff]+\.$", first), "the first line ends with the Chinese term"
    parameters = inspect.signature(FUNCTIONS[name]).parameters
    if parameters:
        assert "Parameters\n---" in text
    for parameter in parameters:
        assert re.search(rf"^(\w+, )*(\*\*)?{parameter}(, \w+)*$", text, re.MULTILINE), parameter
    if "Returns\n---" not in text:
        assert inspect.signature(FUNCTIONS[name]).return_annotation == "None"
    if name not in ("check_project", "label"):
        assert ">>> " in text, "no example"


def test_options_are_keyword_only():
    plain = {
        "widths",
        "what",
        "frame",
        "rates",
        "segments",
        "by",
        "out",
        "target",
        "crs",
        "flow",
        "path",
    }
    for name, function in FUNCTIONS.items():
        for p in inspect.signature(function).parameters.values():
            if p.default is not inspect.Parameter.empty and p.kind is not p.KEYWORD_ONLY:
                assert p.name in plain, f"{name}({p.name})"


@pytest.mark.parametrize("name", NOUNS)
def test_columns_have_a_chinese_label_and_a_unit(name):
    for column in NOUNS[name].columns:
        assert re.search(r"[\u4e00-\u9fff]", column.zh), column.name
        tail = re.search(r"_(m2|m|mm|ms|m3s|yuan|deg|yuan_m2|yuan_m)$", column.name)
        units = {
            "m2": "m²",
            "m": "m",
            "yuan": "元",
            "deg": "°",
            "yuan_m2": "元/m²",
            "yuan_m": "元/m",
            "mm": "mm",
            "ms": "m/s",
            "m3s": "m³/s",
        }
        if tail:
            assert column.unit == units[tail[1]], column.name


def test_errors_are_value_or_runtime_errors():
    for name, one in PUBLIC.items():
        if inspect.isclass(one) and issubclass(one, Exception) and name != "PinghuError":
            assert issubclass(one, pg.PinghuError)
            assert issubclass(one, ValueError | RuntimeError)


def test_import_costs_little_and_loads_nothing_heavy():
    code = (
        "import sys, pinghu_geo; [getattr(pinghu_geo, n) for n in ('affected', 'red_line', 'compare')];"
        "print(sorted(set(sys.modules) & {'folium','branca','xlsxwriter','rasterio','matplotlib'}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_help_needs_no_geopandas():
    code = (
        "import sys; from pinghu_geo.cli import app; app(['--help'], standalone_mode=False);"
        "heavy = {'geopandas', 'numpy', 'rich'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"
    assert "运行项目" in run.stdout
    assert "检查数据" in run.stdout


def test_the_public_list_is_what_can_be_imported():
    for name in pg.__all__:
        assert getattr(importlib.import_module("pinghu_geo"), name) is not None
    assert pg.__all__ == sorted(pg.__all__)
