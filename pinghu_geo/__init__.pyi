from . import campaign, deliver, flood, intake, nouns, redline, river, schemes, search
from ._version import __version__
from .campaign.faces import working_faces
from .campaign.funds import payments
from .campaign.oversight import supervision
from .campaign.planning import schedule
from .campaign.progress import progress_state
from .campaign.reaches import balanced_reaches
from .campaign.tasks import campaign_tasks
from .checking import check_project
from .deliver.board import node_board
from .deliver.chainages import plot_time_chainage
from .deliver.ledger import write_ledger
from .deliver.maps import command_map
from .deliver.plots import plot_long_section, plot_section, plot_widths
from .deliver.report import write_table
from .deliver.sheets import wall_maps
from .deliver.widget import live_red_line
from .flood.channel import design_sections
from .flood.hecras_out import write_hecras
from .flood.hecras_text import read_hecras
from .flood.hydraulics import water_profile
from .flood.obstruction import building_obstacles, building_rises
from .flood.rises import flood_rise, freeboard
from .flood.terrain import flood_levels, inundation, raster_values, sections_from_dem
from .intake.drawing import write_dxf
from .intake.faults import check, repair
from .intake.grid import apply_grid, fit_grid
from .intake.io import read_layer, read_table
from .intake.registry import join_ledger
from .intake.writing import write_layer
from .keys import explain, project_schema
from .nouns import errors
from .nouns.errors import PinghuError
from .office import adopt_scheme, campaign_project, project_forms, update_project
from .papers import project_papers
from .project import run_project, sample_folder
from .redline.lines import red_line, widths_of
from .redline.overlap import affected, totals
from .redline.partial import remainders
from .river.axis import join_parts, river_axis
from .river.centreline import stations
from .river.chainage import format_chainage, parse_chainage
from .river.corridor import locate, transfer_chainage
from .schemes.alternatives import assess, compare, differences
from .schemes.cost import clearing, compensation
from .schemes.designs import assess_many
from .schemes.distributed import affected_parquet
from .schemes.nodes import node_ids, node_table
from .schemes.retention import retention_verdict
from .search.following import moved_design
from .search.norise import least_demolition_within_rise
from .search.optimise import least_demolition
from .search.sparing import what_would_save
from .search.tradeoffs import trade_offs
from .start import new_project

__all__ = [
    "PinghuError",
    "__version__",
    "adopt_scheme",
    "affected",
    "affected_parquet",
    "apply_grid",
    "assess",
    "assess_many",
    "balanced_reaches",
    "building_obstacles",
    "building_rises",
    "campaign",
    "campaign_project",
    "campaign_tasks",
    "check",
    "check_project",
    "clearing",
    "command_map",
    "compare",
    "compensation",
    "deliver",
    "design_sections",
    "differences",
    "errors",
    "explain",
    "fit_grid",
    "flood",
    "flood_levels",
    "flood_rise",
    "format_chainage",
    "freeboard",
    "intake",
    "inundation",
    "join_ledger",
    "join_parts",
    "least_demolition",
    "least_demolition_within_rise",
    "live_red_line",
    "locate",
    "moved_design",
    "new_project",
    "node_board",
    "node_ids",
    "node_table",
    "nouns",
    "parse_chainage",
    "payments",
    "plot_long_section",
    "plot_section",
    "plot_time_chainage",
    "plot_widths",
    "progress_state",
    "project_forms",
    "project_papers",
    "project_schema",
    "raster_values",
    "read_hecras",
    "read_layer",
    "read_table",
    "red_line",
    "redline",
    "remainders",
    "repair",
    "retention_verdict",
    "river",
    "river_axis",
    "run_project",
    "sample_folder",
    "schedule",
    "schemes",
    "search",
    "sections_from_dem",
    "stations",
    "supervision",
    "totals",
    "trade_offs",
    "transfer_chainage",
    "update_project",
    "wall_maps",
    "water_profile",
    "what_would_save",
    "widths_of",
    "working_faces",
    "write_dxf",
    "write_hecras",
    "write_layer",
    "write_ledger",
    "write_table",
]
