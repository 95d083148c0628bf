from .coordinates import Shift, crs_candidates, from_gcj02, layer_shift
from .drawing import write_dxf
from .encoding import dbf_encoding
from .faults import Repaired, check, check_summary, repair, split_parts
from .grid import GridFit, apply_grid, fit_grid
from .io import read_layer, read_table
from .registry import JoinedLedger, join_ledger, unit_numbers
from .surveys import read_sections, write_sections
from .writing import write_layer

__all__ = [
    "GridFit",
    "JoinedLedger",
    "Repaired",
    "Shift",
    "apply_grid",
    "check",
    "check_summary",
    "crs_candidates",
    "dbf_encoding",
    "fit_grid",
    "from_gcj02",
    "join_ledger",
    "layer_shift",
    "read_layer",
    "read_sections",
    "read_table",
    "repair",
    "split_parts",
    "unit_numbers",
    "write_dxf",
    "write_layer",
    "write_sections",
]
