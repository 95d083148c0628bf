"""HEC-RAS's example of a Con/Span arch, as this library's tables.

1D Steady Flow Hydraulics, ConSpan Culvert: 28 x 6 ft on the natural bed, 50 ft long, under a road. A
USACE-HEC example file (U.S. public domain), the sections beside the arch and its outline copied
from its run file; levels are HEC-RAS 6.6's own below and above the arch. Feet.
"""

import numpy as np
import pandas as pd
from rasreference import FOOT, SQRT

GROUND = "856 36.1 917 32.7 972 30.9 986 {0} 993 {0} 1007 {0} 1013 {0} 1027 31 1095 33.2 1150 37.2"
IDLE = (((856, 976), (1024, 1150), 33.7), ((856, 979), (1021, 1150), 33.0))
# flood, discharge, level below and above the arch
FLOODS = (
    ("5 yr", 250.0, 29.2078, 29.3064), ("10 yr", 400.0, 30.5052, 30.6891),
    ("25 yr", 600.0, 31.3121, 31.7365), ("50 yr", 1000.0, 32.2015, 33.4672),
)  # fmt: skip
# depth, area, wetted perimeter, width of the water as the run file has them
OUTLINE = (
    (0.25, 7, 28.5, 28), (0.7412, 20.73327, 29.48383, 27.94), (1.22434, 34.18482, 30.46646, 27.76),
    (2.9428, 80.58765, 34.40197, 25.918), (4.047, 107.7278, 38.18388, 22.872),
    (4.441, 116.4266, 39.99481, 21.24), (4.996, 127.3598, 43.60506, 17.812),
    (5.392, 133.6622, 47.59673, 13.898), (5.801, 138.2326, 53.58411, 7.968),
    (6.0, 139.2742, 61.56517, 0.0),
)  # fmt: skip


def tables():
    """Sections, banks, obstacles and the culvert, in metres."""
    sections, idle = [], []
    for at, bed, (left, right, top) in zip((0.0, 57 * FOOT), (25.1, 25.0), IDLE, strict=True):
        x, z = np.array(GROUND.format(bed).split(), float).reshape(-1, 2).T
        sections.append(pd.DataFrame({
            "river": "r", "chainage_m": at, "offset_m": x * FOOT, "elevation_m": z * FOOT,
            "n": np.where((x >= 972) & (x < 1027), 0.04, 0.1),
        }))  # fmt: skip
        idle += [
            {"river": "r", "chainage_m": at, "from_offset_m": a * FOOT, "to_offset_m": b * FOOT,
             "top_m": top * FOOT, "obstacle": "ineffective"} for a, b in (left, right)
        ]  # fmt: skip
    banks = pd.DataFrame({
        "river": "r", "chainage_m": [0.0, 57 * FOOT], "left_bank_m": 972 * FOOT,
        "right_bank_m": 1027 * FOOT, "contraction": 0.3, "expansion": 0.5,
    })  # fmt: skip
    culvert = pd.DataFrame({
        "river": "r", "chainage_m": 28 * FOOT, "kind": "culvert", "shape": "conspan",
        "span_m": 28 * FOOT, "rise_m": 6 * FOOT, "length_m": 50 * FOOT, "invert_up_m": 25.1 * FOOT,
        "invert_down_m": 25 * FOOT, "n": 0.013, "n_bottom": 0.03, "n_bottom_to_m": 0.5 * FOOT,
        "entrance_loss": 0.5, "exit_loss": 1.0, "chart": 61, "scale": 3,
        "weir_coefficient": 2.6 * SQRT, "deck_m": 33.7 * FOOT,
    }, index=pd.Index(["arch"], name="structure_id"))  # fmt: skip
    return pd.concat(sections), banks, pd.DataFrame(idle), culvert
