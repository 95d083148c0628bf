"""What does a stage look like? One set of colours for board, diagram and GeoPackage."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pinghu_geo.campaign.stages import TODO
from pinghu_geo.nouns.schema import code_label

__all__ = ["AMBER", "CLASS_LOOKS", "RED", "Look", "letters", "stage_words"]

# A frame, which has a dash or a sign of its own beside the colour
RED, AMBER = "#c00000", "#e08a00"


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
NOT_BEGUN = "未"


def letters(stages: pd.DataFrame) -> dict[str, str]:
    """Letter of each stage, and of what isn't begun."""
    return {TODO: NOT_BEGUN} | {str(k): str(v) for k, v in stages["letter"].items()}


def stage_words(stages: pd.DataFrame) -> dict[str, str]:
    """Word of each stage as the project has it, and of what isn't begun."""
    words = {str(k): str(v) for k, v in stages["zh"].items()}
    return {TODO: code_label("status", TODO)} | words
