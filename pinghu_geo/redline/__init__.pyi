from .drawn import named_by_rivers
from .legal import management_line, management_rules
from .lines import red_line, widths_of
from .overlap import affected, belongs_to, floor_area, overlay_zones, totals
from .partial import Uncertainty, position_uncertainty, remainders

__all__ = [
    "Uncertainty",
    "affected",
    "belongs_to",
    "floor_area",
    "management_line",
    "management_rules",
    "named_by_rivers",
    "overlay_zones",
    "position_uncertainty",
    "red_line",
    "remainders",
    "totals",
    "widths_of",
]
