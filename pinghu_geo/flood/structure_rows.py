"""What does a structure's row say? Its numbers with their defaults, and its faults in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pinghu_geo.flood.survey import LOWEST_M
from pinghu_geo.nouns.door import TRUTH
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import nearest

__all__ = [
    "CHARTS_OF", "CRESTS", "DEFAULTS", "INLETS", "ROAD", "StructureRow",
    "rows_of_one_road",
]  # fmt: skip

# what a structure has where the table says nothing; coefficients of weirs in √m/s
DEFAULTS: dict[str, float] = {
    "width_m": 10.0,
    "pier_drag": 2.0,  # Cd, square nose; 1.2 round (HEC-RAS table 5-2)
    "yarnell_k": 1.25,  # square nose; 0.9 semicircular (HEC-RAS table 5-3)
    "orifice": 0.8,
    "weir_coefficient": 1.44,  # 2.6 in feet: a road
    "max_submergence": 0.95,
    "skew_deg": 0.0,
    "pier_skew_deg": 0.0,
    "entrance_loss": 0.5,
    "exit_loss": 1.0,
    "barrels": 1.0,
    "n": 0.015,
    "blocked_m": 0.0,
    "gate_coefficient": 0.6,
    "exponent_trunnion": 0.16,
    "exponent_opening": 0.72,
    "exponent_head": 0.62,
}
# what is nothing, or less, in these columns is a slip; so is less than nothing in the others
POSITIVE = frozenset({
    "width_m", "orifice", "weir_coefficient", "span_m", "rise_m", "length_m", "n", "barrels",
    "gate_width_m", "gate_height_m", "debris_width_m", "debris_height_m", "wspro_c",
    "gate_coefficient", "sill_coefficient", "max_submergence", "yarnell_k", "n_bottom",
})  # fmt: skip
NOT_NEGATIVE = frozenset({
    "n_piers", "pier_width_m", "pier_drag", "entrance_loss", "exit_loss", "blocked_m", "opening_m",
    "n_open", "n_gates", "n_bottom_to_m", "distance_m", "design_head_m", "sill_design_head_m",
    "sluice", "trunnion_m", "exponent_trunnion", "exponent_opening", "exponent_head",
})  # fmt: skip
SKEWS, MOST_SKEW_DEG = ("skew_deg", "pier_skew_deg"), 80.0
WHOLE = frozenset({"n_piers", "barrels", "n_gates", "n_open", "chart", "scale"})
# what is more than this in these columns is a slip: a point forgotten, or √ft/s for √m/s (a road's
# 2.6, an ogee's 3.95)
MOST = {"n": 0.3, "n_bottom": 0.3, "weir_coefficient": 2.5, "sill_coefficient": 2.5,
        "entrance_loss": 5.0, "exit_loss": 5.0, "gate_coefficient": 1.5}  # fmt: skip
# heights: what lies below `LOWEST_M` stands for no measurement (-999, -9999)
HEIGHTS = ("crest_m", "sill_m", "deck_m", "low_chord_m", "invert_up_m", "invert_down_m")
# shares of what would pass without any loss
RATIOS = frozenset({"max_submergence", "orifice", "wspro_c"})
# a crest's coefficient by its form [√m/s]: 1.7 broad (3.1 in feet), 2.18 ogee (3.95), 1.84 sharp
CRESTS = {"broad": 1.70, "ogee": 2.18, "sharp": 1.84, "road": 1.44}
# what openings of one crossing have in common: their road
ROAD = ("width_m", "distance_m", "weir_coefficient", "skew_deg", "max_submergence", "deck_m")
# inlet of HDS-5 where the table names none: chart, scale
INLETS = {"box": (8, 2), "circle": (1, 1), "arch": (41, 1), "pipe_arch": (34, 1),
          "ellipse": (29, 1), "semicircle": (41, 1), "low_arch": (41, 1), "high_arch": (41, 1),
          "conspan": (8, 2)}  # fmt: skip

# the charts that a shape's inlet may name: those that HDS-5 (table 9) has for it, and for arches
# and pipe arches each other's; for semicircle and Con/Span it has none. 60 and 61 are HEC-RAS's own
_PIPES, _BOXES, _ARCHES = (
    (1, 2, 3, 55, 56),
    (8, 9, 10, 11, 12, 13, 16, 17, 18, 19, 57, 58, 59),
    (34, 35, 36, 41, 42, 43),
)
CHARTS_OF = {"circle": _PIPES, "box": _BOXES, "ellipse": (29, 30, 56), "pipe_arch": _ARCHES,
             "arch": _ARCHES, "semicircle": (*_PIPES, *_ARCHES), "low_arch": _ARCHES,
             "high_arch": _ARCHES, "conspan": (*_BOXES, *_ARCHES, 60, 61)}  # fmt: skip


class StructureRow:
    """A structure's row: its numbers with their defaults, and its faults in words."""

    def __init__(self, row: Mapping[Any, Any], name: Any) -> None:
        self.row, self.name = row, name

    def has(self, column: str) -> bool:
        """Whether the table says it."""
        return column in self.row and bool(pd.notna(self.row[column]))

    def number(self, column: str, default: float | None = None) -> float:
        """A number, or its default; an error where there is none."""
        if self.has(column):
            try:
                value = float(self.row[column])
            except (TypeError, ValueError):
                raise self.fault(f"has {self.row[column]!r} in {column}", "a number") from None
            return self._plausible(column, value)
        if default is not None:
            return default
        if column in DEFAULTS:
            return DEFAULTS[column]
        raise self.fault(f"lacks {column}", f"fill in {column}")

    def _plausible(self, column: str, value: float) -> float:
        """A number that its column can hold."""
        for bad, hint in (
            (column in POSITIVE and not value > 0, say("a number above 0", "en")),
            (column in NOT_NEGATIVE and value < 0, say("a number not below 0", "en")),
            (column in WHOLE and value != round(value), say("a whole number", "en")),
            (column in RATIOS and value > 1, say("a ratio of at most 1", "en")),
            (column in SKEWS and abs(value) > MOST_SKEW_DEG, say("degrees, at most 80", "en")),
        ):
            if bad:
                raise self.fault(f"has {value:g} in {column}", hint)
        if value > MOST.get(column, value):
            raise self.fault(
                f"has {value:g} in {column}, above {MOST[column]:g}",
                "check its point and units: n is about 0.013, a loss at most 1; a weir's "
                "coefficient is 0.552 times that in feet",
            )
        if column in HEIGHTS and value < LOWEST_M:
            raise self.fault(
                f"has {value:g} in {column}, which stands for no measurement",
                "measure it, or leave it blank",
            )
        return value

    def text(self, column: str, default: str) -> str:
        """A word, or its default."""
        return str(self.row[column]) if self.has(column) else default

    def choice(self, column: str, words: tuple[str, ...]) -> str:
        """One of some words; the first where the table says nothing."""
        word = self.text(column, words[0])
        if word not in words:
            raise self.fault(f"has {word!r} in {column}", nearest(word, words))
        return word

    def yes(self, column: str, default: bool) -> bool:
        """True or false, as a table of people's words may say it."""
        if not self.has(column):
            return default
        said = self.row[column]
        meant = TRUTH.get(said.strip().lower()) if isinstance(said, str) else bool(said)
        if meant is None:
            raise self.fault(f"has {said!r} in {column}", say("yes or no", "en"))
        return meant

    def fault(self, problem: str, hint: str) -> HydraulicsError:
        """What is wrong with this structure."""
        return HydraulicsError(problem, layer="structures", ids=[self.name], hint=hint)


def rows_of_one_road(rows: Sequence[StructureRow]) -> list[StructureRow]:
    """Openings of one crossing, each with what any of them says of their road."""
    said = {
        c: next(r.row[c] for r in rows if r.has(c)) for c in ROAD if any(r.has(c) for r in rows)
    }
    return [
        StructureRow({**r.row, **{c: v for c, v in said.items() if not r.has(c)}}, r.name)
        for r in rows
    ]
