from ._version import __version__
from .alternatives import Assessment, Comparison, assess, compare
from .axis import JoinedRivers, join_parts, river_axis
from .centreline import river_scales, station_ticks, stations
from .chainage import ChainageScale, format_chainage, parse_chainage
from .corridor import confluences, locate, transfer_chainage
from .cost import compensation
from .drawing import write_dxf
from .encoding import dbf_encoding
from .errors import (
    ChainageError,
    CRSError,
    LayerError,
    OutputError,
    PinghuError,
    ProjectError,
    RateError,
)
from .faults import Repaired, check, repair
from .io import crs_candidates, read_layer, read_table, write_layer
from .maps import command_map
from .nodes import node_ids, node_table
from .overlap import affected, belongs_to, floor_area, overlay_zones, totals
from .project import check_project, run_project, sample_folder
from .redline import red_line, widths_of
from .report import write_ledger, write_results, write_table
from .schema import label

__all__ = [
    "Assessment",
    "CRSError",
    "ChainageError",
    "ChainageScale",
    "Comparison",
    "JoinedRivers",
    "LayerError",
    "OutputError",
    "PinghuError",
    "ProjectError",
    "RateError",
    "Repaired",
    "__version__",
    "affected",
    "assess",
    "belongs_to",
    "check",
    "check_project",
    "command_map",
    "compare",
    "compensation",
    "confluences",
    "crs_candidates",
    "dbf_encoding",
    "floor_area",
    "format_chainage",
    "join_parts",
    "label",
    "locate",
    "node_ids",
    "node_table",
    "overlay_zones",
    "parse_chainage",
    "read_layer",
    "read_table",
    "red_line",
    "repair",
    "river_axis",
    "river_scales",
    "run_project",
    "sample_folder",
    "station_ticks",
    "stations",
    "totals",
    "transfer_chainage",
    "widths_of",
    "write_dxf",
    "write_layer",
    "write_ledger",
    "write_results",
    "write_table",
]
