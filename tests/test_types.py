"""Annotations say what stands there: how many don't is counted, by ``python tests/test_types.py``."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "pinghu_geo"
# of all annotations at most so many may hold an Any: most stand for shapes, which have no types
MOST_ANY = 0.10


def annotations():
    """Each annotation of a parameter, a result or a variable, with where it stands."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            found = []
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                a = node.args
                plain = [*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg]
                found = [p.annotation for p in plain if p is not None] + [node.returns]
            elif isinstance(node, ast.AnnAssign):
                found = [node.annotation]
            for one in found:
                if one is not None:
                    yield f"{path.relative_to(PACKAGE)}:{one.lineno}", one


def holds(annotation, name):
    """Whether a name stands anywhere in an annotation, as itself or behind a module."""
    return any(
        (isinstance(n, ast.Name) and n.id == name)
        or (isinstance(n, ast.Attribute) and n.attr == name)
        for n in ast.walk(annotation)
    )


def bare_arrays():
    """Places of annotations with an ndarray of nobody knows what."""
    for place, one in annotations():
        inside = {id(n.value) for n in ast.walk(one) if isinstance(n, ast.Subscript)}
        for n in ast.walk(one):
            is_array = isinstance(n, ast.Attribute) and n.attr == "ndarray"
            if is_array and id(n) not in inside:
                yield place


def share_of_any():
    """How many annotations hold an Any, of how many."""
    all_of_them = list(annotations())
    return sum(holds(one, "Any") for _, one in all_of_them), len(all_of_them)


def test_few_annotations_say_any():
    vague, number = share_of_any()
    assert number > 5000
    assert vague <= MOST_ANY * number, f"{vague} of {number} annotations say Any"


def test_arrays_say_what_they_hold():
    found = [place.partition(":")[0] for place in bare_arrays()]
    assert found == ["intake/workbooks.py"]  # a grid of cells of any kind


def test_the_count_sees_what_it_counts():
    one = ast.parse("x: dict[str, typing.Any] | None").body[0].annotation
    assert holds(one, "Any")
    assert not holds(ast.parse("x: Anything").body[0].annotation, "Any")


if __name__ == "__main__":
    vague, number = share_of_any()
    print(f"{vague} of {number} annotations say Any")
    print("bare arrays:", *bare_arrays())
