from .following import MovedSections, moved_design, moved_sections
from .norise import least_demolition_within_rise
from .optimise import LeastDemolition, least_demolition
from .outcome import WithinRise
from .sparing import what_would_save, widths_that_save
from .tradeoffs import TradeOffs, trade_offs

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
