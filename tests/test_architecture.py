"""The house keeps its layers, its words and its promises."""

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pinghu_geo as pg
from pinghu_geo.nouns.schema import NOUNS

PACKAGE = Path(pg.__file__).parent
# a room imports only from rooms above it here, a module within a room only from those left of it
ROOMS = {
    "nouns": "inert codes columns land water clearance kinds messages errors notices beside numerals units words tables schema results door replacing files",
    "river": "axis chainage centreline nearness corridor",
    "intake": "bounds catalogue coordinates encoding dbf gdal drivers osm labels drawing grid conditions postgis registry shapefile nesting rows headings formats isolate dialects likeness workbooks values recognised writing io sdf hintcad surveys faults sight",
    "redline": "areas pieces stretches depths drawn lines moving bands legal overlap partial",
    "flood": "sections between outlines bridge_cuts offsets steady survey conduits culverts gates bridges crossings structure_rows bridge_rows barrier_rows structures junctions channel hecras_structures hecras_hdf hecras centring boundaries profiles partings hydraulics splits meetings hecras_structures_out hecras_openings_out hecras_text hecras_out bends rises obstruction earthworks calibration shallow cells rasters directions floodplain terrain",
    "schemes": "cost distributed nodes alternatives designs retention",
    "search": "problem energies curves bounds ascent narrowing fronts labels trials mincut contacts offsets thresholds stakes amounts jogs walls following conveyance sparing fates localriver localline optimise stretch joint basin smooth found reaches systems outcome norise tradeoffs",
    "campaign": "stages network workdays tasks reaches prices crews planning baseline progress store reports faces oversight funds standing",
    "deliver": "styles standing mapdata ground maps plots extracts board chainages workbook qgis report ledger msproject fieldpack forms sheets templates drafts wording households weekly letters schemereport livepanel widget",
    "": "_version keys plan campaigning inputs cures designing computing checking project office papers start shell cli __main__",
}
PLACES = [f"{room}.{m}".strip(".") for room, modules in ROOMS.items() for m in modules.split()]
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
MODULES = sorted(
    ".".join(p.relative_to(PACKAGE).with_suffix("").parts)
    for p in PACKAGE.rglob("*.py")
    if p.stem != "__init__"
)
NAMESPACES = {"": pg} | {room: getattr(pg, room) for room in ROOMS if room}
PUBLIC = {
    name: one
    for space in NAMESPACES.values()
    for name in space.__all__
    if not inspect.ismodule(one := getattr(space, name))
}
FUNCTIONS = {n: f for n, f in PUBLIC.items() if inspect.isfunction(f)}


def source(module):
    return (PACKAGE / f"{module.replace('.', '/')}.py").read_text("utf-8")


def imports(module, *, top_only=False):
    tree = ast.parse(source(module))
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def own(module):
    """What a module imports of the package, as room.module, with the names."""
    for node in ast.walk(ast.parse(source(module))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pinghu_geo"):
            place = node.module.removeprefix("pinghu_geo").strip(".")
            for alias in node.names:
                below = f"{place}.{alias.name}".strip(".")
                yield (below if below in PLACES else place), alias.name


def test_every_module_has_its_room():
    assert set(MODULES) == set(PLACES)


@pytest.mark.parametrize("module", MODULES)
def test_imports_only_from_above_and_no_private_names(module):
    room = module.rpartition(".")[0]
    for other, name in own(module):
        if other == "" or other in NAMESPACES:  # the package itself, for its doors: root only
            assert room == ""
            continue
        assert PLACES.index(other) < PLACES.index(module), f"{module} imports {other}"
        assert name == "__version__" or not name.startswith("_"), f"{other}.{name} is private"


@pytest.mark.parametrize("room", [r for r in ROOMS if r])
def test_a_room_says_what_it_answers_and_lists_its_doors(room):
    assert re.search(r"[\u4e00-\u9fff]\.$", NAMESPACES[room].__doc__.splitlines()[0])
    assert NAMESPACES[room].__all__
    stub = (PACKAGE / room / "__init__.pyi").read_text("utf-8")
    for module in re.findall(r"^from \.(\w+) import", stub, re.MULTILINE):
        assert f"{room}.{module}" in PLACES


def test_the_rooms_hang_together_by_few_arrows():
    room_of = {m: m.rpartition(".")[0] for m in MODULES}
    arrows = {(room_of[m], room_of.get(o, o)) for m in MODULES for o, _ in own(m)}
    assert len({(a, b) for a, b in arrows if a != b}) <= 38


@pytest.mark.parametrize(
    "module", [m for m in MODULES if "." in m and not m.startswith("deliver.")]
)
def test_analysis_never_imports_what_draws(module):
    used = {i.split(".")[0] for i in imports(module, top_only=True)}
    assert not used & HEAVY


@pytest.mark.parametrize("module", MODULES)
def test_switches_of_the_whole_process_are_never_flipped(module):
    """Other threads see them: each has one door that is of the thread, or of the call."""
    doors = {
        "nouns.notices": {"warn", "catch_warnings"},
        "intake.gdal": {"set_gdal_config_options"},
    }
    switches = {
        "warn", "catch_warnings", "simplefilter", "filterwarnings", "set_gdal_config_options",
        "putenv", "chdir", "setlocale", "umask", "seterr",
    }  # fmt: skip
    for node in ast.walk(ast.parse(source(module))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            allowed = doors.get(module, set()) | ({"simplefilter"} if module in doors else set())
            assert node.func.attr not in switches - allowed, f"{module}: {node.func.attr}"


def test_no_function_has_the_name_of_a_room_or_a_module():
    assert not set(PUBLIC) & ({m.rpartition(".")[2] for m in MODULES} | set(ROOMS))


@pytest.mark.parametrize("module", MODULES)
def test_functions_are_short_and_nothing_is_printed_or_asserted(module):
    tree = ast.parse(source(module))
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
        "stages",
        "handover",
        "capacity",
        "start",
        "calendar",
        "word",
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
        "heavy = {'folium','branca','xlsxwriter','rasterio','matplotlib','scipy'};"
        "print(sorted(set(sys.modules) & heavy))"
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


@pytest.mark.parametrize("said", ["", "2"])
def test_a_command_asks_for_one_thread_of_blas_before_numpy_is_there(said):
    code = (
        "import os, sys; from pinghu_geo.cli import begin_process; begin_process();"
        "print('numpy' in sys.modules, os.environ['OPENBLAS_NUM_THREADS'])"
    )
    given = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    given |= {"OPENBLAS_NUM_THREADS": said} if said else {}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=given
    )
    assert run.stdout.split() == ["False", said or "1"]


@pytest.mark.parametrize("space", NAMESPACES)
def test_the_public_list_is_what_can_be_imported(space):
    names = NAMESPACES[space].__all__
    assert names == sorted(names)
    assert all(getattr(NAMESPACES[space], name) is not None for name in names)


def test_what_is_at_the_top_is_a_door_of_its_room():
    for name in set(pg.__all__) - set(ROOMS) - {"__version__", "errors"}:
        home = PUBLIC[name].__module__.split(".")[1:-1]
        assert not home or name in NAMESPACES[home[0]].__all__, name


def private_functions():
    """Names of private functions and methods, with the module of each."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        owners = [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef))]
        for node in (n for owner in owners for n in owner.body):
            is_function = isinstance(node, ast.FunctionDef)
            if is_function and node.name.startswith("_") and not node.name.startswith("__"):
                yield path.stem, node.name


def test_names_say_what_comes_out():
    """One word is left only where it is the field's own: for at most one function in ten."""
    names = list(private_functions())
    assert len(names) > 1000
    short = [f"{module}.{name}" for module, name in names if "_" not in name[1:]]
    assert len(short) <= len(names) / 10, short
