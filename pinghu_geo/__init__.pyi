from ._version import __version__
from .alternatives import Assessment, Comparison, assess, compare
from .centreline import river_scales, stations
from .chainage import ChainageScale, format_chainage, parse_chainage
from .corridor import locate
from .cost import compensation
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
from .redline import red_line
from .report import write_ledger, write_results
from .schema import label

__all__ = [
    "Assessment",
    "CRSError",
    "ChainageError",
    "ChainageScale",
    "Comparison",
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
    "crs_candidates",
    "dbf_encoding",
    "floor_area",
    "format_chainage",
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
    "river_scales",
    "run_project",
    "sample_folder",
    "stations",
    "totals",
    "write_layer",
    "write_ledger",
    "write_results",
]
