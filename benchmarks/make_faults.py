"""Write docs/faults.md from the catalogue and the fault matrix: ``uv run python benchmarks/make_faults.py``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from faultmatrix import FAULTS, FILES  # noqa: E402

from pinghu_geo.intake.catalogue import FAULTS as CATALOGUE  # noqa: E402

HEAD = """# What `check` finds

Written by `benchmarks/make_faults.py` from `pinghu_geo/rules/faults.toml` and `tests/faultmatrix.py`. Words in
braces are filled in. An error keeps the layer from being computed with.

| code | severity | problem | 问题 | advice |
|---|---|---|---|---|
"""
MATRIX = """
## The fault matrix

Each of these is put into a clean layer of its own, and into one together with every other that can be there at the
same time (`tests/test_matrix.py`): `check` has to report just these codes, and on the clean layer nothing.

| generator | what is wrong | codes |
|---|---|---|
"""
FILE_HEAD = """
## Files

Each file either gives the clean layer to the last value, or is refused by these codes. Nothing is read wrong in silence.

| generator | file | codes | reads |
|---|---|---|---|
"""


def cell(text: str) -> str:
    """A text that a table of Markdown can hold."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def document() -> str:
    """The page."""
    rows = [
        f"| `{c}` | {f.severity} | {cell(f.en)} | {cell(f.zh)} | {cell(f.cure_en)} |"
        for c, f in CATALOGUE.items()
    ]
    faults = [f"| {n} | {cell(f.said)} | {', '.join(sorted(f.codes))} |" for n, f in FAULTS.items()]
    files = [
        f"| {n} | {cell(f.said)} | {', '.join(sorted(f.codes)) or '-'} | {'yes' if f.readable else 'no'} |"
        for n, f in FILES.items()
    ]
    return (
        HEAD
        + "\n".join(rows)
        + "\n"
        + MATRIX
        + "\n".join(faults)
        + "\n"
        + FILE_HEAD
        + "\n".join(files)
        + "\n"
    )


if __name__ == "__main__":
    (ROOT / "docs" / "faults.md").write_text(document(), "utf-8")
