from .bends import bend_rises
from .calibration import Calibration, calibrate_roughness
from .centring import centred_model
from .channel import (
    critical_levels,
    design_sections,
    normal_levels,
    section_properties,
    with_roughness,
)
from .directions import Downstream, drawn_downstream
from .earthworks import cut_banks, cut_sections, excavation
from .hecras import HecRas, read_hecras_results
from .hecras_out import write_hecras
from .hecras_text import read_hecras
from .hydraulics import water_profile
from .meetings import junction_levels
from .obstruction import building_obstacles, building_rises, section_lines
from .offsets import section_offsets
from .rises import encroachments, flood_rise, freeboard, rise_table
from .shallow import second_opinion
from .splits import balanced_flows
from .terrain import DemSections, flood_levels, inundation, raster_values, sections_from_dem

__all__ = [
    "Calibration",
    "DemSections",
    "Downstream",
    "HecRas",
    "balanced_flows",
    "bend_rises",
    "building_obstacles",
    "building_rises",
    "calibrate_roughness",
    "centred_model",
    "critical_levels",
    "cut_banks",
    "cut_sections",
    "design_sections",
    "drawn_downstream",
    "encroachments",
    "excavation",
    "flood_levels",
    "flood_rise",
    "freeboard",
    "inundation",
    "junction_levels",
    "normal_levels",
    "raster_values",
    "read_hecras",
    "read_hecras_results",
    "rise_table",
    "second_opinion",
    "section_lines",
    "section_offsets",
    "section_properties",
    "sections_from_dem",
    "water_profile",
    "with_roughness",
    "write_hecras",
]
