from .board import NodeBoard, node_board
from .chainages import plot_time_chainage
from .drafts import write_templates
from .fieldpack import write_field_package
from .forms import write_blank_form, write_forms
from .households import write_household_files
from .ledger import write_hydraulics, write_ledger
from .letters import write_notices, write_transfers
from .maps import command_map
from .msproject import write_msproject
from .plots import plot_long_section, plot_section, plot_widths
from .qgis import write_qgis_project
from .report import write_faults, write_results, write_sheets, write_table
from .schemereport import write_scheme_report
from .sheets import wall_maps
from .weekly import write_weekly_report
from .widget import LiveRedLine, live_red_line
from .wording import in_words

__all__ = [
    "LiveRedLine",
    "NodeBoard",
    "command_map",
    "in_words",
    "live_red_line",
    "node_board",
    "plot_long_section",
    "plot_section",
    "plot_time_chainage",
    "plot_widths",
    "wall_maps",
    "write_blank_form",
    "write_faults",
    "write_field_package",
    "write_forms",
    "write_household_files",
    "write_hydraulics",
    "write_ledger",
    "write_msproject",
    "write_notices",
    "write_qgis_project",
    "write_results",
    "write_scheme_report",
    "write_sheets",
    "write_table",
    "write_templates",
    "write_transfers",
    "write_weekly_report",
]
