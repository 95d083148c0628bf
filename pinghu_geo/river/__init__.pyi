from .axis import JoinedRivers, join_parts, river_axis
from .centreline import river_scales, station_ticks, stations
from .chainage import ChainageScale, format_chainage, parse_chainage
from .corridor import confluences, locate, transfer_chainage

__all__ = [
    "ChainageScale",
    "JoinedRivers",
    "confluences",
    "format_chainage",
    "join_parts",
    "locate",
    "parse_chainage",
    "river_axis",
    "river_scales",
    "station_ticks",
    "stations",
    "transfer_chainage",
]
