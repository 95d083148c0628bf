"""Which sections does HintCAD (纬地) hold? Ground beside the centre in .hdm, at it in .dmx."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pinghu_geo.intake.encoding import text_encoding
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import existing

__all__ = ["RelativeTo", "is_hintcad", "sections_of_hintcad"]

RelativeTo = Literal["previous", "centre"]
Row = tuple[int, list[str]]
SECTIONS, PROFILE = (re.compile(rf"HINTCAD[\d.]*_{what}_SHUJU", re.IGNORECASE)
                     for what in ("HDM", "DMX"))  # fmt: skip
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
# distances of so many points on a side that all grow may count from the centre
FEW = 3


class _Side(NamedTuple):
    """Distances and heights of one side, as they stand in the file, away from the centre."""

    row: int
    away: NDArray[np.float64]
    up: NDArray[np.float64]


def is_hintcad(rows: Sequence[Row]) -> bool:
    """Whether a text begins as HintCAD writes sections."""
    return bool(SECTIONS.fullmatch(rows[0][1][0]))


def sections_of_hintcad(
    rows: Sequence[Row], path: Path, centre: Path | None, relative_to: RelativeTo | None
) -> list[tuple[int, str, float, float]]:
    """Row of the file, chainage, offset and height of each point, from left to right."""
    body = rows[1:]
    if len(body) % 3:
        raise _format_error(body[-1][0], path, "a chainage, a row for the left, one for the right")
    beds = [
        (
            body[k][0],
            " ".join(body[k][1]),
            _side_of_row(body[k + 1], path),
            _side_of_row(body[k + 2], path),
        )
        for k in range(0, len(body), 3)
    ]
    heights = _centre_heights(path, centre)
    lost = [at for _, at, *_ in beds if _chainage_key(at) not in heights]
    if lost:
        raise LayerError(
            "has no height for centres of sections",
            layer=(centre or path.with_suffix(".dmx")).name,
            ids=lost,
            hint="export both files of the same survey",
        )
    if relative_to is None:
        _require_increments([s for *_, left, right in beds for s in (left, right)], path)
    points = []
    for row, at, left, right in beds:
        z = heights[_chainage_key(at)]
        for side, sign in ((left, -1), (right, 1)):
            x, dz = (v if relative_to == "centre" else np.cumsum(v) for v in side[1:])
            pairs = zip(sign * x, z + dz, strict=True)
            here = [(side.row, at, float(a), float(b)) for a, b in pairs]
            points += here[::-1] + [(row, at, 0.0, z)] if sign < 0 else here
    return points


def _side_of_row(row: Row, path: Path) -> _Side:
    """How many points, then distance and height of each."""
    number, cells = row
    if not all(NUMBER.fullmatch(c) for c in cells) or not cells[0].isdigit():
        raise _format_error(number, path, "how many points, then distance and height of each")
    values = np.array(cells[1:], float)
    if len(values) != 2 * int(cells[0]) or (values[::2] < 0).any():
        raise _format_error(number, path, "how many points, then distance and height of each")
    return _Side(number, values[::2], values[1::2])


def _format_error(row: int, path: Path, wanted: str) -> LayerError:
    return LayerError(
        f"{path.name} is not as HintCAD writes it: {wanted} (row of the file)",
        layer="sections",
        ids=[row],
        hint="export it again, as .hdm of version 5.83 or later",
    )


def _chainage_key(chainage: str) -> str:
    """A chainage as both files write it, whatever its zeros."""
    return f"{float(chainage):.3f}" if NUMBER.fullmatch(chainage) else chainage.upper()


def _centre_heights(path: Path, centre: Path | None) -> dict[str, float]:
    """Heights of the ground at the centre, by chainage, of the profile beside the sections."""
    beside = [p for p in sorted(path.parent.glob("*")) if p.suffix.lower() == ".dmx"]
    own = [p for p in beside if p.stem.lower() == path.stem.lower()]
    if centre is None and not own:
        raise LayerError(
            f"{path.name} is of HintCAD (纬地): its heights are relative to the centre, whose own "
            "stand in the .dmx, which isn't beside it",
            layer="sections",
            hint='pg.intake.read_sections(..., centre="纵断面地面线.dmx")',
        )
    source = existing(centre if centre is not None else own[0], "sections")
    raw = source.read_bytes()
    text = unicodedata.normalize("NFKC", raw.decode(text_encoding(raw, source.name).name or "utf-8",
                                                    "replace").lstrip("\ufeff"))  # fmt: skip
    found: dict[str, float] = {}
    for number, line in enumerate(text.splitlines(), 1):
        cells = re.split(r"[\s,;]+", line.strip(" ,;\t"))
        if cells == [""] or (number == 1 and PROFILE.fullmatch(cells[0])):
            continue
        if len(cells) != 2 or not NUMBER.fullmatch(cells[1]):
            raise LayerError(
                f"{source.name} has {line.strip()[:40]!r} where chainage and height are expected "
                "(row of the file)",
                layer="sections",
                ids=[number],
                hint="a longitudinal profile (.dmx): chainage and height a line",
            )
        if found.setdefault(_chainage_key(cells[0]), float(cells[1])) != float(cells[1]):
            raise LayerError(
                f"{source.name} has two heights for one chainage (row of the file)",
                layer="sections",
                ids=[number],
                hint="take one of them out",
            )
    return found


def _require_increments(sides: Sequence[_Side], path: Path) -> None:
    """Ask where all distances grow on every side: they may count from the centre."""
    told = [s.away for s in sides if len(s.away) >= FEW]
    if told and all((np.diff(a) > 0).all() for a in told):
        raise LayerError(
            f"{path.name} has distances that grow on every side: from the point before, as "
            "HintCAD writes them, or from the centre",
            layer="sections",
            hint='pg.intake.read_sections(..., relative_to="previous"), or relative_to="centre"',
        )
