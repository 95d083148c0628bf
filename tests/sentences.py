"""What the package says: every sentence of an error, a hint or a notice, as it stands in the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pinghu_geo as pg

PACKAGE = Path(pg.__file__).parent
ERRORS = {n for n in pg.errors.__all__ if n.endswith("Error")}
# who hands a sentence on to an error: which of its arguments holds it
HELPERS = {
    "_wrong_content_error": 2,
    "refused": 0,
    "notify": 0,
    "tell": 0,
    "say": 0,
    "_require_one_line": 2,
}


def templates(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may give, with {} for what is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            yield text.replace("{", "{{").replace("}", "}}")
        case ast.JoinedStr(values=parts):
            made = [""]
            for part in parts:
                inner = getattr(part, "value", None)
                if isinstance(part, ast.Constant):
                    options = [part.value.replace("{", "{{").replace("}", "}}")]
                elif isinstance(inner, ast.IfExp) and _is_text(inner):
                    options = list(templates(inner))
                else:
                    options = ["{}"]
                made = [m + o for m in made for o in options]
            yield from made
        case ast.IfExp(body=one, orelse=other):
            yield from templates(one)
            yield from templates(other)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            yield from (a + b for a in templates(left) for b in templates(right))
        case _:
            yield "{}"


def _is_text(node: ast.IfExp) -> bool:
    return all(isinstance(n, ast.Constant | ast.JoinedStr) for n in (node.body, node.orelse))


def of_a_structure(node: ast.Call) -> Iterator[tuple[str, str]]:
    """Problem and hint of a structure's row; those that are chosen are said where they stand."""
    for kind, argument in zip(("problem", "hint"), node.args, strict=False):
        yield from ((kind, text) for text in templates(argument) if text != "{}")


def chosen(name: str, around: ast.AST) -> Iterator[str]:
    """The texts that a variable may hold: it is set, or chosen from a table of texts, in a function."""
    set_to = [
        (target, one.value if isinstance(one, ast.Assign) else one.iter)
        for one in ast.walk(around)
        if isinstance(one, ast.Assign | ast.For)
        for target in (one.targets if isinstance(one, ast.Assign) else [one.target])
    ]
    for target, value in set_to:
        if isinstance(target, ast.Name) and target.id == name:
            yield from (text for text in templates(value) if text != "{}")
        if not isinstance(target, ast.Tuple):
            continue
        names = [getattr(one, "id", "") for one in target.elts]
        if name not in names:
            continue
        tables = [v for t, v in set_to if isinstance(t, ast.Name) and
                  isinstance(value, ast.Name) and t.id == value.id]  # fmt: skip
        for table in tables or [value]:
            for row in ast.walk(table):
                if isinstance(row, ast.Tuple) and len(row.elts) == len(names):
                    own = row.elts[names.index(name)]
                    if isinstance(own, ast.Name) and own.id != name:
                        yield from chosen(own.id, around)
                    yield from (text for text in templates(own) if text != "{}")


def sentences() -> Iterator[tuple[str, int, str, str]]:
    """Module, line, kind (problem, hint or notice) and text of all that is said."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = str(path.relative_to(PACKAGE))
        tree = ast.parse(path.read_text("utf-8"))
        functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ERRORS and node.args:
                around = [one for one in functions if one.lineno <= node.lineno <= one.end_lineno][
                    -1:
                ]
                said = [("problem", node.args[0])]
                said += [("hint", word.value) for word in node.keywords if word.arg == "hint"]
                for kind, value in said:
                    texts = templates(value)
                    if isinstance(value, ast.Name) and around:
                        texts = chosen(value.id, around[0])
                    yield from ((module, node.lineno, kind, text) for text in texts)
            elif name == "fault":
                yield from ((module, node.lineno, *said) for said in of_a_structure(node))
            elif name in HELPERS and len(node.args) > HELPERS[name]:
                argument = node.args[HELPERS[name]]
                constant = isinstance(argument, ast.Name) and argument.id.isupper()
                for text in chosen(argument.id, tree) if constant else templates(argument):
                    kind = "notice" if name == "notify" else "part"
                    # what is said by `say` is a template itself
                    plain = text.replace("{{", "{").replace("}}", "}") if name == "say" else text
                    yield module, node.lineno, kind, plain
