from ._version import __version__
from .deliver.maps import command_map
from .deliver.plots import plot_long_section, plot_section, plot_widths
from .deliver.report import write_faults, write_ledger, write_results, write_table
from .deliver.widget import LiveRedLine, live_red_line
from .flood.channel import (
    critical_levels,
    design_sections,
    normal_levels,
    section_properties,
    with_roughness,
)
from .flood.hecras import HecRas, read_hecras_results
from .flood.hecras_text import read_hecras, write_hecras
from .flood.hydraulics import water_profile
from .flood.obstruction import building_obstacles, building_rises, section_lines
from .flood.rises import encroachments, flood_rise, freeboard, rise_table
from .flood.terrain import DemSections, flood_levels, inundation, raster_values, sections_from_dem
from .intake.coordinates import Shift, crs_candidates, from_gcj02, layer_shift
from .intake.drawing import write_dxf
from .intake.encoding import dbf_encoding
from .intake.faults import Repaired, check, check_summary, repair, split_parts
from .intake.grid import GridFit, apply_grid, fit_grid
from .intake.io import read_layer, read_table, write_layer
from .intake.registry import JoinedLedger, join_ledger, unit_numbers
from .nouns.errors import (
    ChainageError,
    CRSError,
    HydraulicsError,
    LayerError,
    OptimiseError,
    OutputError,
    PinghuError,
    ProjectError,
    RateError,
)
from .nouns.schema import label
from .project import check_project, run_project, sample_folder
from .redline.legal import management_line, management_rules
from .redline.lines import red_line, widths_of
from .redline.overlap import affected, belongs_to, floor_area, overlay_zones, totals
from .redline.partial import Uncertainty, position_uncertainty, remainders
from .river.axis import JoinedRivers, join_parts, river_axis
from .river.centreline import river_scales, station_ticks, stations
from .river.chainage import ChainageScale, format_chainage, parse_chainage
from .river.corridor import confluences, locate, transfer_chainage
from .schemes.alternatives import Assessment, Comparison, Differences, assess, compare, differences
from .schemes.cost import clearing, compensation
from .schemes.designs import Designs, assess_many
from .schemes.distributed import affected_parquet
from .schemes.nodes import node_ids, node_table
from .schemes.retention import retention_rules, retention_verdict
from .search.norise import WithinRise, least_demolition_within_rise
from .search.optimise import LeastDemolition, least_demolition, moved_design, what_would_save
from .search.tradeoffs import TradeOffs, trade_offs
from .search.walls import moved_sections

__all__ = [
    "Assessment",
    "CRSError",
    "ChainageError",
    "ChainageScale",
    "Comparison",
    "DemSections",
    "Designs",
    "Differences",
    "GridFit",
    "HecRas",
    "HydraulicsError",
    "JoinedLedger",
    "JoinedRivers",
    "LayerError",
    "LeastDemolition",
    "LiveRedLine",
    "OptimiseError",
    "OutputError",
    "PinghuError",
    "ProjectError",
    "RateError",
    "Repaired",
    "Shift",
    "TradeOffs",
    "Uncertainty",
    "WithinRise",
    "__version__",
    "affected",
    "affected_parquet",
    "apply_grid",
    "assess",
    "assess_many",
    "belongs_to",
    "building_obstacles",
    "building_rises",
    "check",
    "check_project",
    "check_summary",
    "clearing",
    "command_map",
    "compare",
    "compensation",
    "confluences",
    "critical_levels",
    "crs_candidates",
    "dbf_encoding",
    "design_sections",
    "differences",
    "encroachments",
    "fit_grid",
    "flood_levels",
    "flood_rise",
    "floor_area",
    "format_chainage",
    "freeboard",
    "from_gcj02",
    "inundation",
    "join_ledger",
    "join_parts",
    "label",
    "layer_shift",
    "least_demolition",
    "least_demolition_within_rise",
    "live_red_line",
    "locate",
    "management_line",
    "management_rules",
    "moved_design",
    "moved_sections",
    "node_ids",
    "node_table",
    "normal_levels",
    "overlay_zones",
    "parse_chainage",
    "plot_long_section",
    "plot_section",
    "plot_widths",
    "position_uncertainty",
    "raster_values",
    "read_hecras",
    "read_hecras_results",
    "read_layer",
    "read_table",
    "red_line",
    "remainders",
    "repair",
    "retention_rules",
    "retention_verdict",
    "rise_table",
    "river_axis",
    "river_scales",
    "run_project",
    "sample_folder",
    "section_lines",
    "section_properties",
    "sections_from_dem",
    "split_parts",
    "station_ticks",
    "stations",
    "totals",
    "trade_offs",
    "transfer_chainage",
    "unit_numbers",
    "water_profile",
    "what_would_save",
    "widths_of",
    "with_roughness",
    "write_dxf",
    "write_faults",
    "write_hecras",
    "write_layer",
    "write_ledger",
    "write_results",
    "write_table",
]
