from .norise import least_demolition_within_rise
from .optimise import (
    LeastDemolition,
    least_demolition,
    moved_design,
    what_would_save,
    widths_that_save,
)
from .outcome import WithinRise
from .tradeoffs import TradeOffs, trade_offs
from .walls import MovedSections, moved_sections

__all__ = [
    "LeastDemolition",
    "MovedSections",
    "TradeOffs",
    "WithinRise",
    "least_demolition",
    "least_demolition_within_rise",
    "moved_design",
    "moved_sections",
    "trade_offs",
    "what_would_save",
    "widths_that_save",
]
