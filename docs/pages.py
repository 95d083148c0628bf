"""Pages of the documentation that repeat what the code knows: doors by room, nouns, rooms."""

from __future__ import annotations

import ast
import inspect
import tomllib
from collections import Counter
from pathlib import Path

import pinghu_geo as pg
from pinghu_geo.keys import keys_page
from pinghu_geo.nouns.schema import NOUNS

HERE = Path(__file__).parent
PACKAGE = Path(pg.__file__).parent
ROOMS = ["nouns", "river", "intake", "redline", "flood", "schemes", "search", "campaign", "deliver"]
ROOMS = [room for room in ROOMS if (PACKAGE / room).is_dir()]


def write(folder: Path) -> None:
    """Write all pages into a folder."""
    (folder / "nomenclature.md").write_text(nomenclature(), "utf-8")
    (folder / "keys.md").write_text(keys_page(), "utf-8")
    (folder / "schemata.md").write_text(schemata(), "utf-8")
    (folder / "rooms.svg").write_text(rooms_svg(), "utf-8")
    (folder / "api_project.rst").write_text(whole_projects(), "utf-8")
    for room in ROOMS:
        (folder / f"api_{room}.rst").write_text(doors(room), "utf-8")


def doors(room: str) -> str:
    """One room's doors, functions first."""
    space = getattr(pg, room)
    title = f"{room}: {space.__doc__.splitlines()[0].rstrip('.')}"
    names = [n for n in space.__all__ if not inspect.ismodule(getattr(space, n))]
    lines = [title, "=" * 2 * len(title), "", f".. currentmodule:: pinghu_geo.{room}", ""]
    lines += [".. autosummary::", "   :toctree: api", ""]
    return "\n".join(lines + [f"   {name}" for name in names]) + "\n"


def whole_projects() -> str:
    """The functions at the top that are no room's door: what runs a project from its file."""
    doors_of_rooms = {name for room in ROOMS for name in getattr(pg, room).__all__}
    names = [n for n in pg.__all__ if n not in doors_of_rooms and callable(getattr(pg, n))]
    title = "project: a whole project from its file, as the command line runs it"
    lines = [title, "=" * 2 * len(title), "", ".. currentmodule:: pinghu_geo", ""]
    lines += [".. autosummary::", "   :toctree: api", ""]
    return "\n".join(lines + [f"   {name}" for name in names]) + "\n"


def nomenclature() -> str:
    """Every noun with its columns: name, Chinese label, unit, words that are recognised."""
    lines = ["# Nomenclature 表与列", ""]
    lines += ["Every column the library reads or returns. The unit is in the name.", ""]
    for name, noun in NOUNS.items():
        lines += [f"## {name} {noun.zh}", "", "| column | 中文 | unit | also read as |"]
        lines += ["|---|---|---|---|"]
        for column in noun.columns:
            also = "、".join(column.aliases)
            lines.append(f"| `{column.name}` | {column.zh} | {column.unit or ''} | {also} |")
        lines.append("")
    return "\n".join(lines)


def _read_as(ours: str) -> str:
    """What a column is read as, for a table; "?x" is x or nothing."""
    return f"`{ours[1:]}`, or nothing" if ours.startswith("?") else f"`{ours}`" * bool(ours)


def schemata() -> str:
    """Column names of public data, and what each is read as, with the source of each schema."""
    lines = ["# Public schemata 公开数据的列名", ""]
    lines += ["Columns that are recognised without a word, by source; of the others nothing is "
              "taken. The tests hold the reader against this page.", ""]  # fmt: skip
    for one in tomllib.loads((HERE / "schemata.toml").read_text("utf-8"))["schema"]:
        lines += [f"## {one['name']} ({one['noun']})", "", f"Source: {one['source']}.", ""]
        lines += ["| column | read as |", "|---|---|"]
        lines += [f"| `{given}` | {_read_as(ours)} |" for given, ours in one["columns"].items()]
        lines.append("")
    return "\n".join(lines)


def arrows() -> Counter[tuple[str, str]]:
    """How many imports lead from one room to another; the root is called root."""
    found: Counter[tuple[str, str]] = Counter()
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).parts
        here = parts[0] if len(parts) > 1 else "root"
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pinghu_geo."):
                there = node.module.split(".")[1]
                there = there if there in ROOMS else "root"
                if there != here:
                    found[here, there] += 1
    return found


def rooms_svg() -> str:
    """The rooms from top to bottom, each with what it answers, and the arrows between them."""
    order = [*ROOMS, "root"]
    height, left, wide = 54, 330, 420
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + wide + 20}" '
        f'height="{height * len(order) + 20}" font-family="sans-serif" font-size="13">',
        "<style>path{fill:none;stroke:#5a7d9a}text{fill:#222}</style>",
    ]
    for k, room in enumerate(order):
        y = 10 + k * height
        says = "plan, project, cli" if room == "root" else getattr(pg, room).__doc__.splitlines()[0]
        parts.append(
            f'<rect x="{left}" y="{y}" width="{wide}" height="36" rx="5" fill="#eef3f7" '
            f'stroke="#5a7d9a"/><text x="{left + 10}" y="{y + 15}" font-weight="bold">{room}</text>'
            f'<text x="{left + 10}" y="{y + 30}" font-size="11">{says}</text>'
        )
    for (a, b), many in sorted(arrows().items()):
        one, other = order.index(a), order.index(b)
        y, z = 10 + one * height + 12, 10 + other * height + 24
        bend = left - 30 * abs(one - other) - 10
        parts.append(
            f'<path d="M{left},{y} C{bend},{y} {bend},{z} {left - 4},{z}" '
            f'stroke-width="{min(0.6 + many / 12, 4):.1f}"><title>{a} → {b}: {many}</title></path>'
            f'<path d="M{left - 9},{z - 3} L{left - 2},{z} L{left - 9},{z + 3}"/>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    for (a, b), many in sorted(arrows().items()):
        print(f"{a} -> {b}: {many}")
    print(f"{len(arrows())} arrows")
