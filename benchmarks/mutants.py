"""Would the tests notice? One slip at a time in the code, and whether any test fails.

``python benchmarks/mutants.py --number 300`` changes one sign, comparison, number, bound or
condition at a time, evenly over the modules below and by chance from a fixed seed, in a copy of
the checkout, and runs the tests of that module on each, at most 60 s of CPU a mutant. Survivors
are printed with their line. The tests must pass on the code as it is, else nothing is tried. A
mutant that runs out of time is counted apart: the code as it is needs less than three quarters of
that time, so most of them loop for ever, which a run of the tests would show too.

``--again FILE`` tries the survivors of an earlier ``--out`` once more, on today's code and tests.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAWS = "tests/test_laws.py"
# the cheapest tests stand first: most mutants are killed by them
TESTS = {
    "redline/areas": ["tests/test_areas.py", "tests/test_overlap.py", LAWS],
    "redline/lines": ["tests/test_redline.py", LAWS],
    "river/corridor": [
        "tests/test_corridor.py",
        "tests/test_axis.py::test_confluence_and_wrong_direction",
        "tests/test_axis.py::test_transfer_of_chainages_after_a_realignment",
        LAWS,
    ],
    "river/chainage": ["tests/test_chainage.py", LAWS],
    "flood/steady": ["tests/test_reference.py", "tests/test_hydraulics.py"],
    "flood/sections": ["tests/test_reference.py", "tests/test_hydraulics.py"],
    "search/mincut": ["tests/test_mincut.py", "tests/test_optimise.py"],
    "search/labels": [
        "tests/test_labels.py",
        "tests/test_joint.py::test_two_nodes_that_compete_for_one_rise",
    ],
    "schemes/cost": ["tests/test_cost_nodes_alternatives.py", LAWS],
    "schemes/nodes": ["tests/test_cost_nodes_alternatives.py", LAWS],
    "schemes/alternatives": ["tests/test_cost_nodes_alternatives.py", LAWS],
    "schemes/retention": ["tests/test_retention.py"],
}
COMPARED = {"Lt": "<=", "LtE": "<", "Gt": ">=", "GtE": ">", "Eq": "!=", "NotEq": "=="}
SIGNS = {"Add": "-", "Sub": "+", "Mult": "/", "Div": "*", "BitAnd": "|", "BitOr": "&"}
NAMES = {
    "min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all",
    "all": "any", "argmin": "argmax", "argmax": "argmin", "floor": "ceil", "ceil": "floor",
    "nanmin": "nanmax", "nanmax": "nanmin", "fmin": "fmax", "fmax": "fmin",
}  # fmt: skip


def mutants(source: str) -> list[tuple[int, str]]:
    """Each changed source with the line of its slip; annotations and messages are left alone."""
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


def chosen(number: int, seed: int, modules: list[str]) -> list[tuple[str, int, str]]:
    """So many mutants, evenly over the modules, by chance from the seed."""
    draw = random.Random(seed)
    found = []
    for k, module in enumerate(modules):
        many = mutants((ROOT / f"pinghu_geo/{module}.py").read_text("utf-8"))
        share = number // len(modules) + (k < number % len(modules))
        found += [(module, *one) for one in draw.sample(many, min(share, len(many)))]
    return found


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


def tried(copy: Path, module: str, seconds: int) -> tuple[str, float]:
    """What the module's tests say of this copy: killed, survived or timeout; and their CPU time."""
    command = [sys.executable, "-m", "pytest", "-n0", "-x", "-q", "-p", "no:cacheprovider",
               *TESTS[module]]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.Popen(
        command, cwd=copy, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        start_new_session=True,
    )  # fmt: skip
    resource.prlimit(run.pid, resource.RLIMIT_CPU, (seconds, seconds))
    try:  # the clock only ends what waits for ever: a busy machine must not change what is found
        rc = run.wait(seconds * 20)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        rc = run.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if rc < 0:
        return "timeout", took
    return ("survived" if rc == 0 else "killed"), took


def require_sound(copy: Path, modules: list[str], seconds: int) -> None:
    """The tests of each module pass on the code as it is, in less than three quarters of the time."""
    for module in modules:
        fate, took = tried(copy, module, seconds)
        print(f"{module}: its tests take {took:.1f} s of CPU", flush=True)
        if fate != "survived" or took > seconds * 0.75:
            raise SystemExit(f"{module}: its own tests are {fate} in {took:.1f} s: {TESTS[module]}")


def main() -> None:
    """Try the mutants that were chosen, and say which survived."""
    say = argparse.ArgumentParser(description=__doc__)
    say.add_argument("--number", type=int, default=300)
    say.add_argument("--seed", type=int, default=17)
    say.add_argument("--seconds", type=int, default=60)
    say.add_argument("--modules", nargs="*", default=list(TESTS), choices=list(TESTS))
    say.add_argument("--again", type=Path, help="such a file: its survivors are tried again")
    say.add_argument("--out", type=Path, help="a line of JSON for each mutant")
    said = say.parse_args()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        leave = shutil.ignore_patterns(".git", ".venv", "build", "_made", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, copy, ignore=leave)
        if (ROOT / "../shared").is_dir():
            (copy.parent / "shared").symlink_to((ROOT / "../shared").resolve())
        if not said.again:  # their code was sound then; who fails today is found by the tests
            require_sound(copy, said.modules, said.seconds)
        if said.again:
            those = [one for one in survivors(said.again) if one[0] in said.modules]
        else:
            those = chosen(said.number, said.seed, said.modules)
        for module, line, source in those:
            path = copy / f"pinghu_geo/{module}.py"
            plain = path.read_text("utf-8")
            path.write_text(source, "utf-8")
            fate, took = tried(copy, module, said.seconds)
            path.write_text(plain, "utf-8")
            counts[fate] += 1
            old = plain.split("\n")[line - 1].strip()
            new = source.split("\n")[line - 1].strip()
            if fate != "killed":
                print(f"{fate}: {module}.py:{line}: {old}  ->  {new}", flush=True)
            if said.out:
                row = {"module": module, "line": line, "old": old, "new": new, "fate": fate,
                       "seconds": round(took, 1)}  # fmt: skip
                with said.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(dict(counts))


if __name__ == "__main__":
    main()
