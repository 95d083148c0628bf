"""What does a stage look like? One set of colours for board, diagram and GeoPackage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pinghu_geo.campaign.stages import TODO, stage_words
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang, code_label
from pinghu_geo.nouns.tables import is_unknown
from pinghu_geo.river.chainage import format_chainage

__all__ = [
    "AMBER",
    "CLASS_LOOKS",
    "MAP_LOOKS",
    "RED",
    "Hatched",
    "Look",
    "letters",
    "stage_words",
    "value_text",
]

# A frame, which has a dash or a sign of its own beside the colour
RED, AMBER = "#c00000", "#b86e00"


@dataclass(frozen=True, slots=True)
class Look:
    """Fill and ink of a class of stages; the fills grow darker with the work done."""

    fill: str
    ink: str


# Lightness falls from class to class, so that they are told apart in grey and by the colour-blind;
# ink on fill has a contrast of at least 4.5 : 1.
CLASS_LOOKS = {
    "todo": Look("#ffffff", "#111111"),
    "signed": Look("#b9dcf7", "#111111"),
    "vacated": Look("#f0a030", "#111111"),
    "demolished": Look("#b23c0c", "#ffffff"),
    "handed_over": Look("#0b4a2f", "#ffffff"),
}


@dataclass(frozen=True, slots=True)
class Hatched:
    """Fill of a class on the map, its hatch (strokes of these signs) and the hatch's colour."""

    fill: str
    hatch: str
    ink: str


# No two classes that can be on one map have the same hatch but the white and the darkest one.
MAP_LOOKS = {
    "todo": Hatched("#ffffff", "", "#111111"),
    "signed": Hatched("#b9dcf7", "/", "#1b4f7a"),
    "vacated": Hatched("#f0a030", "\\", "#5c3300"),
    "demolished": Hatched("#b23c0c", "/\\", "#ffd9c7"),
    "handed_over": Hatched("#0b4a2f", "", "#ffffff"),
    "full": Hatched("#c0392b", "/\\", "#f7c9c4"),
    "partial": Hatched("#e67e22", "/", "#6b3300"),
    "others": Hatched("#d7ccc8", "-", "#4e342e"),
    "retain": Hatched("#8cc0b0", ".", "#0f3d33"),
    "review": Hatched("#e3d0f5", "|", "#5b2a86"),
    "survey": Hatched("#fff3a8", "|-", "#6b5d00"),
}


NOT_BEGUN = {"zh": "未", "en": "0"}


def letters(stages: pd.DataFrame, *, lang: Lang = "zh") -> dict[str, str]:
    """Letter of each stage, and of what isn't begun; in English its number in their order."""
    signs = stages["letter"] if lang == "zh" else range(1, len(stages) + 1)
    return {TODO: NOT_BEGUN[lang]} | {
        str(k): str(v) for k, v in zip(stages.index, signs, strict=True)
    }


def value_text(name: str, value: object, lang: Lang = "zh", *, unknown: str = "—") -> str:
    """One value of a column as people read it."""
    if is_unknown(value):
        return unknown
    if isinstance(value, bool | np.bool_):
        return say("yes" if value else "no", lang)
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, int | float | np.number):
        return _number_text(name, float(value))
    return code_label(name, value, lang=lang)


def _number_text(name: str, number: float) -> str:
    """One number as text, in the form of its column."""
    if name in ("chainage_m", "from_m", "to_m"):
        return format_chainage(number)
    if name.endswith("_ratio"):
        return f"{number:.1%}"
    whole = name.endswith("_yuan") or number == round(number)
    return f"{number:,.0f}" if whole else f"{number:,.2f}"
