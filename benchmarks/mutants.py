"""Would the tests notice? One slip at a time in the code, and whether any test fails.

``uv run --group bench python benchmarks/mutants.py --number 325 --out mutants.jsonl`` changes one
sign, comparison, number, bound or condition at a time, evenly over the modules below and by chance
from a fixed seed, in a copy of the checkout. Three steps:

1. The tests of `FILES` and the modules' doctests run once on the code as it is, under coverage, to
   see which test executes which line, how long each takes, and that all pass. Lines run by the
   set-up of a shared fixture count for each test that uses it. ``--map FILE`` keeps that.
2. Each mutant meets the tests that execute its line (a slip outside of functions: those of its
   module), those of the module's own file and the laws first, the quickest first; the first
   failure ends it. A warm process that has imported the libraries, and nothing of ours, forks for
   each. At most 60 s of CPU a mutant; whoever takes longer loops, which a run of the tests would
   show too, and is counted apart.
3. ``--plain N`` tries N of those mutants once more in an interpreter of their own, started from
   nothing, and compares.

``--again FILE`` tries the survivors of an earlier ``--out`` once more, on today's code and tests.
Slips that were found to change no result are listed in ``mutants_equal.jsonl`` with the reason: they
are passed over, and others drawn for them, so that ``--number`` are tried that do change something.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import importlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# each module with the test files that are its own: they are asked first
MODULES = {
    "redline/areas": ["areas", "overlap"],
    "redline/lines": ["redline"],
    "river/corridor": ["corridor"],
    "river/nearness": ["corridor", "areas"],  # was one with corridor
    "river/chainage": ["chainage"],
    "flood/steady": ["hydraulics", "reference"],
    "flood/sections": ["hydraulics", "reference"],
    "search/mincut": ["mincut"],
    "search/labels": ["labels"],
    "schemes/cost": ["cost_nodes_alternatives"],
    "schemes/nodes": ["cost_nodes_alternatives"],
    "schemes/alternatives": ["cost_nodes_alternatives"],
    "schemes/retention": ["retention"],
}
# test files that reach these modules and need no browser, database, notebook or other process
FILES = (
    ["areas", "redline", "corridor", "chainage", "hydraulics", "reference", "mincut", "labels"]
    + ["cost_nodes_alternatives", "retention", "laws", "overlap", "designs", "partial", "depths"]
    + ["axis", "flood", "results", "structures", "norise", "surveys"]
)
# the libraries are imported before pytest is, which may be said
QUIETLY = ["-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
# slips that were looked at and change no result, each with the reason
EQUAL = ROOT / "benchmarks/mutants_equal.jsonl"
DEAR_S = 8.0  # a test that takes longer is left out

COMPARED = {"Lt": "<=", "LtE": "<", "Gt": ">=", "GtE": ">", "Eq": "!=", "NotEq": "=="}
SIGNS = {"Add": "-", "Sub": "+", "Mult": "/", "Div": "*", "BitAnd": "|", "BitOr": "&"}
NAMES = {
    "min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all",
    "all": "any", "argmin": "argmax", "argmax": "argmin", "floor": "ceil", "ceil": "floor",
    "nanmin": "nanmax", "nanmax": "nanmin", "fmin": "fmax", "fmax": "fmin",
}  # fmt: skip


# ---- slips -----------------------------------------------------------------------------------


def mutants(source: str) -> list[tuple[int, str]]:
    """Each changed source with the line of its slip; annotations and messages are left alone.

    So is ``strict=True``, which refuses what can't happen and computes nothing.
    """
    lines = source.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()) + 1)
    raw = source.encode()

    def at(line: int, column: int) -> int:
        return starts[line - 1] + column

    def text(node: ast.expr) -> str:
        return ast.get_source_segment(source, node) or ""

    def edit(node: ast.expr, new: str) -> tuple[int, str]:
        begin, end = at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset)
        return node.lineno, (raw[:begin] + new.encode() + raw[end:]).decode()

    found = []
    for node in _code(ast.parse(source)):
        kind = type(getattr(node, "op", None)).__name__
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            sign = COMPARED.get(type(node.ops[0]).__name__)
            if sign:
                found.append(
                    edit(node, f"({text(node.left)}) {sign} ({text(node.comparators[0])})")
                )
        elif isinstance(node, ast.BinOp) and kind in SIGNS:
            found.append(edit(node, f"(({text(node.left)}) {SIGNS[kind]} ({text(node.right)}))"))
        elif isinstance(node, ast.BoolOp):
            word = " or " if kind == "And" else " and "
            found.append(edit(node, f"({word.join(f'({text(v)})' for v in node.values)})"))
        elif isinstance(node, ast.UnaryOp) and kind in ("Not", "USub", "Invert"):
            found.append(edit(node, f"({text(node.operand)})"))
        elif isinstance(node, ast.IfExp):
            found.append(
                edit(node, f"(({text(node.orelse)}) if {text(node.test)} else ({text(node.body)}))")
            )
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            found.append(edit(node, repr(node.value * 2 if node.value else 1)))
        elif isinstance(node, ast.Constant) and type(node.value) is bool:
            found.append(edit(node, repr(not node.value)))
        elif isinstance(node, ast.Call):
            name = text(node.func)
            last = name.rsplit(".", 1)[-1]
            if last in NAMES:
                found.append(edit(node.func, name[: len(name) - len(last)] + NAMES[last]))
    return [(line, new) for line, new in found if _compiles(new) and new != source]


def _code(tree: ast.AST):
    """Nodes that compute: no annotations, decorators, refusals, and no texts."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns", "decorator_list") or isinstance(tree, ast.Raise):
            continue
        if isinstance(tree, ast.keyword) and tree.arg == "strict":
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, ast.AST) and not isinstance(one, ast.JoinedStr):
                yield one
                yield from _code(one)


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def chosen(number: int, seed: int, modules: list[str]) -> tuple[list[tuple[str, int, str]], int]:
    """So many mutants, evenly over the modules, by chance from the seed.

    Those that `EQUAL` lists are drawn like others, but passed over: how many comes second.
    """
    rows = map(json.loads, EQUAL.read_text("utf-8").splitlines())
    equal = {(row["module"], row["old"], row["new"]) for row in rows}
    found, passed = [], 0
    for k, module in enumerate(modules):
        plain = (ROOT / f"pinghu_geo/{module}.py").read_text("utf-8")
        many = mutants(plain)
        random.Random(f"{seed} {module}").shuffle(many)
        share = number // len(modules) + (k < number % len(modules))
        taken: list[tuple[str, int, str]] = []
        for line, source in many:
            if len(taken) == share:
                break
            old, new = (text.split("\n")[line - 1].strip() for text in (plain, source))
            if (module, old, new) in equal:
                passed += 1
            else:
                taken.append((module, line, source))
        found += taken
    return found, passed


def survivors(path: Path) -> list[tuple[str, int, str]]:
    """The mutants that survived an earlier run, in today's code; each line stands there still."""
    found = []
    for text in path.read_text("utf-8").splitlines():
        row = json.loads(text)
        if row["fate"] != "survived":
            continue
        plain = (ROOT / f"pinghu_geo/{row['module']}.py").read_text("utf-8")
        old, rows = row["old"], plain.split("\n")
        places = [k for k, one in enumerate(rows) if one.strip() == old]
        if not places:
            print(f"gone: {row['module']}.py: {old}", flush=True)
            continue
        at = min(places, key=lambda k: abs(k + 1 - row["line"]))
        rows[at] = rows[at].replace(old, row["new"])
        found.append((row["module"], at + 1, "\n".join(rows)))
    return found


# ---- which test executes which line -----------------------------------------------------------


class _Observer:
    """Pytest's plugin of step 1: contexts for coverage, time and outcome of each test."""

    def __init__(self, cov):
        self.cov, self.now, self.seconds, self.failed = cov, "", {}, []
        self.fixtures: dict[str, list[str]] = {}

    def pytest_runtest_protocol(self, item):
        self.now = item.nodeid
        self.cov.switch_context(self.now)
        self.fixtures[item.nodeid] = [
            f"fixture {definition.baseid}::{name}"
            for name, those in item._fixtureinfo.name2fixturedefs.items()
            for definition in those
        ] if hasattr(item, "_fixtureinfo") else []  # fmt: skip
        self.seconds[item.nodeid] = -time.process_time()

    def pytest_runtest_logfinish(self, nodeid):
        self.seconds[nodeid] += time.process_time()
        self.cov.switch_context("between")

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.append(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        around, self.now = self.now, f"fixture {fixturedef.baseid}::{fixturedef.argname}"
        self.cov.switch_context(self.now)
        try:
            return (yield)
        finally:
            self.now = around
            self.cov.switch_context(around)


def _of_hypothesis() -> None:
    """Same draws each time, nothing kept from one mutant for the next, no search for the least."""
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutants", database=None, derandomize=True, deadline=None,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    settings.load_profile("mutants")


def observed(copy: Path, path: Path) -> None:
    """Write which tests execute which lines; this runs in a process of its own in the copy."""
    import coverage

    files = {module: str(copy / f"pinghu_geo/{module}.py") for module in MODULES}
    cov = coverage.Coverage(include=list(files.values()), data_file=None, config_file=False)
    cov.start()
    _of_hypothesis()
    watch = _Observer(cov)
    tests = [f"tests/test_{name}.py" for name in dict.fromkeys(FILES)]
    rc = pytest.main(["-n0", "-q", *QUIETLY, *tests, *files.values()], [watch])
    cov.stop()
    if rc or watch.failed:
        raise SystemExit(f"tests fail on the code as it is: {watch.failed}")
    users = defaultdict(list)
    for test, those in watch.fixtures.items():
        for fixture in those:
            users[fixture].append(test)
    lines = {}
    for module, file in files.items():
        lines[module] = {
            line: sorted({t for c in contexts for t in users.get(c, [c])} & set(watch.seconds))
            for line, contexts in cov.get_data().contexts_by_lineno(file).items()
        }
    libraries = sorted(
        name for name, one in list(sys.modules.items())
        if getattr(one, "__file__", None) and "site-packages" in str(one.__file__)
        and not name.startswith(("pinghu_geo", "_pytest", "pytest", "coverage", "hypothesis", "xdist", "_"))
    )  # fmt: skip
    seen = {"seconds": watch.seconds, "lines": lines, "libraries": libraries}
    path.write_text(json.dumps(seen), "utf-8")


def tests_of(seen: dict, module: str, line: int, plain: str, whole_s: float) -> list[str]:
    """The tests that execute this line, the module's own first, the quickest first."""
    at = seen["lines"][module]
    span = _statement_lines(plain, line)
    found = {test for k in span or [] for test in at.get(str(k), [])}
    if span is None:  # outside of functions: whoever runs anything of the module
        found = {test for those in at.values() for test in those}
    own = tuple(f"tests/test_{name}.py" for name in [*MODULES[module], "laws"])
    own = (*own, f"pinghu_geo/{module}.py")
    seconds = seen["seconds"]
    order = sorted(found, key=lambda t: (not t.startswith(own), seconds[t], t))
    taken, total = [], 0.0
    for test in order:
        if seconds[test] <= DEAR_S and total + seconds[test] <= whole_s:
            taken.append(test)
            total += seconds[test]
    return taken


def _statement_lines(source: str, line: int) -> range | None:
    """Lines of the smallest statement around this line, without its body; None outside functions."""
    found = None
    inside = False
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno:
            if isinstance(node, ast.FunctionDef):
                inside = inside or line >= node.body[0].lineno
            body = getattr(node, "body", None)
            end = body[0].lineno - 1 if body else node.end_lineno
            if node.lineno <= line <= max(end, node.lineno) and not isinstance(
                node, ast.FunctionDef | ast.ClassDef
            ):
                found = range(node.lineno, max(end, node.lineno) + 1)
    return found if inside else None


# ---- one mutant -------------------------------------------------------------------------------


class _Order:
    """Pytest's plugin of step 2: only these tests, in this order."""

    def __init__(self, tests):
        self.place = {test: k for k, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items):
        items[:] = sorted(
            (one for one in items if one.nodeid in self.place),
            key=lambda one: self.place[one.nodeid],
        )


def shown(tests: list[str]) -> int:
    """Return code of these tests, in this order until the first failure."""
    _of_hypothesis()
    files = list(dict.fromkeys(test.split("::")[0] for test in tests))
    return pytest.main(["-n0", "-x", "-q", *QUIETLY, "--no-header", *files], [_Order(tests)])


def _with_limits(seconds: int, work) -> tuple[str, float]:
    """Fate of a forked child that does this work, and the CPU time it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    child = os.fork()
    if not child:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        rc = 70
        try:
            rc = int(work())
        finally:
            os._exit(rc)
    until = time.monotonic() + seconds * 20  # the clock only ends what waits for ever
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            break
        time.sleep(0.02)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if os.WIFSIGNALED(status):
        return "timeout", took
    rc = os.waitstatus_to_exitcode(status)
    # 0 all passed, 5 no test, 1 a test failed, 2 a test file could not be imported
    return {0: "survived", 5: "survived"}.get(rc, "killed"), took


def tried(tests: list[str], seconds: int, few: int = 12) -> tuple[str, float]:
    """What these tests say of the copy as it stands: first a few, then all."""
    fate, took = _with_limits(seconds, lambda: shown(tests[:few])) if tests else ("survived", 0.0)
    if fate == "survived" and len(tests) > few:
        fate, more = _with_limits(seconds, lambda: shown(tests[few:]))
        took += more
    return fate, took


def tried_plainly(tests: list[str], copy: Path) -> str:
    """The same in an interpreter of its own, from nothing."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import mutants\n"
    code += f"sys.exit(mutants.shown({tests!r}))" if tests else "sys.exit(5)"
    rc = subprocess.run(
        [sys.executable, "-c", code], cwd=copy, check=False, capture_output=True,
        env=os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
    ).returncode  # fmt: skip
    return {0: "survived", 5: "survived"}.get(rc, "killed")


# ---- the run ----------------------------------------------------------------------------------


def _copied(folder: Path) -> Path:
    """A copy of the checkout, compiled but for the modules that are changed."""
    copy = folder / "copy"
    leave = shutil.ignore_patterns(".git", ".venv", "build", "_made", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=leave)
    if (ROOT / "../shared").is_dir():
        (folder / "shared").symlink_to((ROOT / "../shared").resolve())
    compileall.compile_dir(copy / "pinghu_geo", quiet=1)
    _forget_compiled(copy)
    return copy


def _forget_compiled(copy: Path) -> None:
    for module in MODULES:
        path = copy / f"pinghu_geo/{module}.py"
        for old in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
            old.unlink()


def _mapped(copy: Path, path: Path) -> dict:
    """What step 1 saw; made where it isn't there yet."""
    if not path.is_file():
        subprocess.run(
            [sys.executable, __file__, "--observe", str(path.resolve())], check=True, cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy)},
        )  # fmt: skip
        _forget_compiled(copy)
    else:  # the tests are compiled once here, not for each mutant
        files = [f"tests/test_{name}.py" for name in FILES]
        subprocess.run(
            [sys.executable, "-m", "pytest", "-n0", "-q", "--collect-only", *files], cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy)}, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        _forget_compiled(copy)
    return json.loads(path.read_text("utf-8"))


def _warm(copy: Path, seen: dict) -> None:
    """Import the libraries, and nothing of ours: each child imports that with its slip."""
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    for name in seen["libraries"]:
        try:
            importlib.import_module(name)
        except Exception:  # some want another before them; the child imports those
            continue
    os.chdir(copy)
    sys.path[:] = [str(copy), *(one for one in sys.path if Path(one or ".").resolve() != ROOT)]
    if any(name.split(".")[0] == "pinghu_geo" for name in sys.modules):
        raise SystemExit("the warm process has imported what is to be changed")


def _require_sound(copy: Path, seen: dict, said: argparse.Namespace) -> None:
    """The tests pass in the warm process on the code as it is; a dozen of each module are tried."""
    for module in said.modules:
        lines = sorted(map(int, seen["lines"][module]))
        source = (copy / f"pinghu_geo/{module}.py").read_text("utf-8")
        tests = tests_of(seen, module, lines[len(lines) // 2], source, said.whole)[:12]
        if tried(tests, said.seconds)[0] != "survived":
            raise SystemExit(f"{module}: these fail on the code as it is: {tests}")


def _options() -> argparse.Namespace:
    say = argparse.ArgumentParser(description=__doc__)
    say.add_argument("--number", type=int, default=325)
    say.add_argument("--seed", type=int, default=17)
    say.add_argument("--seconds", type=int, default=60)
    say.add_argument(
        "--whole", type=float, default=40.0, help="seconds of plain tests a mutant is shown at most"
    )
    say.add_argument("--modules", nargs="*", default=list(MODULES), choices=list(MODULES))
    say.add_argument(
        "--part", default="1/1", help="2/3: of the mutants the second third, for several at once"
    )
    say.add_argument("--again", type=Path, help="such a file: its survivors are tried again")
    say.add_argument("--out", type=Path, help="a line of JSON for each mutant")
    say.add_argument("--map", type=Path, help="where step 1 is kept, or read if it is there")
    say.add_argument(
        "--plain", type=int, default=0, help="so many are tried once more from nothing"
    )
    say.add_argument("--observe", type=Path, help=argparse.SUPPRESS)
    said = say.parse_args()
    for one in ("again", "out", "map"):
        if getattr(said, one):
            setattr(said, one, getattr(said, one).resolve())
    return said


def main() -> None:
    """Try the mutants that were chosen, and say which survived."""
    said = _options()
    if said.observe:
        observed(Path.cwd(), said.observe)
        return
    passed = 0
    if said.again:
        those = [one for one in survivors(said.again) if one[0] in said.modules]
    else:
        those, passed = chosen(said.number, said.seed, said.modules)
    part, parts = map(int, said.part.split("/"))
    those = those[part - 1 :: parts]
    plainly = set(random.Random(said.seed).sample(range(len(those)), min(said.plain, len(those))))
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        copy = _copied(Path(folder).resolve())
        seen = _mapped(copy, said.map or Path(folder) / "map.json")
        _warm(copy, seen)
        _require_sound(copy, seen, said)
        for k, (module, line, source) in enumerate(those):
            path = copy / f"pinghu_geo/{module}.py"
            plain = path.read_text("utf-8")
            tests = tests_of(seen, module, line, plain, said.whole)
            path.write_text(source, "utf-8")
            fate, took = tried(tests, said.seconds)
            again = tried_plainly(tests, copy) if k in plainly and fate != "timeout" else fate
            path.write_text(plain, "utf-8")
            counts[fate] += 1
            counts["otherwise from nothing"] += again != fate
            old = plain.split("\n")[line - 1].strip()
            new = source.split("\n")[line - 1].strip()
            if fate != "killed" or again != fate:
                what = fate if again == fate else f"{fate}, from nothing {again}"
                print(f"{what}: {module}.py:{line}: {old}  ->  {new} ({len(tests)} tests)", flush=True)  # fmt: skip
            if said.out:
                row = {"module": module, "line": line, "old": old, "new": new, "fate": fate,
                       "tests": len(tests), "seconds": round(took, 1)}  # fmt: skip
                with said.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(dict(counts), f"and {passed} drawn that are known to change no result")


if __name__ == "__main__":
    main()
