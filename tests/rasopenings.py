"""HEC-RAS's example of several openings in one road, as this library's tables.

Applications Guide, example 5 (MULTOPEN, plan 2): five boxes, the bridge over the main channel and a
relief bridge. A USACE-HEC example file (U.S. public domain), copied from its run file; levels are
HEC-RAS 6.6's own above and below the road. Feet.
"""

import numpy as np
import pandas as pd
from rasreference import FOOT, SQRT

CHANNEL = """450 213.4 456.6 212.9 459.8 211.6 466.4 210.1 469.7 209.3 476.2 208.9 479.5 208.6
486.1 208.7 489.4 207.9 495.9 208.8 499.2 208.6 505.8 207.8 509.1 207.6 515.6 206.9 518.9 204.3
525.5 203.6 528.7 203.4 535.3 203.1 538.6 202.9 545.1 203 548.4 202.7 555 203.1 561.6 204.4
564.8 203.8 571.4 203 574.7 202.9 581.2 203.6 584.5 204 591.1 204.7 594.4 205.8 600.9 206.5
604.2 207.5 610.8 208 614.1 208.7 620.6 209 623.9 209.3 630.5 209.6 633.7 211.3 640.3 212.2
643.6 213.1 647 213.5"""
ABOVE = (
    "0 217.55 12 216.05 39.5 214.32 76.4 213.13 161.5 211.17 180.4 211.04 244.8 211.13 "
    "315.2 212 355 212.5 " + CHANNEL + " 670 212 748 213 814 213.4 886 213.1 958 213.1 "
    "1011 212.3 1083 211.6 1161 211.6 1240 212.9 1326 213.5 1375 214 1444 213.9 1552 214.3 "
    "1660 215 1847 216 1850 220.5"
)
BELOW = (
    "0 216.8 89 213.6 210 211.2 285 210.8 367 211.9 443 210.8 " + CHANNEL + " 692 211.9 824 212.8 "
    "896 213.3 961 213.2 1040 212 1093 211.7 1116 210 1243 211.1 1309 210.2 1371 211.5 "
    "1421 211.7 1486 213.3 1558 213.7 1660 214.7 1723 215.4 1824 217.1"
)
# where n changes, of the sections above and below
ROUGH = (
    ((0, 0.15), (450, 0.04), (647, 0.06), (1375, 0.15)),
    ((0, 0.15), (450, 0.04), (647, 0.2), (824, 0.06), (1371, 0.2)),
)
IDLE = (((0, 177), (303, 420), (677, 930), (1270, 1850)), (216.4, 216.0))
# flood, discharge, level below and above the road
FLOODS = (
    ("25 yr", 5000.0, 212.8491, 213.0168),
    ("100 yr", 10000.0, 214.537, 214.821),
    ("May '74 flood", 14000.0, 215.5539, 216.2028),
)
LENGTH = 100.0


def tables():
    """Sections, banks, obstacles, structures and their parts, in metres."""
    sections, idle = [], []
    for k, (text, changes) in enumerate(zip((ABOVE, BELOW), ROUGH, strict=True)):
        at = k * LENGTH * FOOT
        x, z = np.array(text.split(), float).reshape(-1, 2).T
        starts, n = (np.array(v) for v in zip(*changes, strict=True))
        sections.append(pd.DataFrame({
            "river": "r", "chainage_m": at, "offset_m": x * FOOT, "elevation_m": z * FOOT,
            "n": n[np.searchsorted(starts, x, side="right") - 1],
        }))  # fmt: skip
        idle += [
            {"river": "r", "chainage_m": at, "from_offset_m": a * FOOT, "to_offset_m": b * FOOT,
             "top_m": IDLE[1][k] * FOOT, "obstacle": "ineffective"}
            for a, b in IDLE[0]
        ]  # fmt: skip
    banks = pd.DataFrame({
        "river": "r", "chainage_m": [0.0, LENGTH * FOOT], "left_bank_m": 450 * FOOT,
        "right_bank_m": 647 * FOOT, "contraction": 0.3, "expansion": 0.5,
    })  # fmt: skip
    return pd.concat(sections, ignore_index=True), banks, pd.DataFrame(idle), *_structures()


def _structures():
    place = {"river": "r", "chainage_m": 50 * FOOT, "weir_coefficient": 2.6 * SQRT}
    bridge = place | {"kind": "bridge", "width_m": 40 * FOOT, "distance_m": 30 * FOOT}
    table = pd.DataFrame([
        place | {
            "kind": "culvert", "shape": "box", "span_m": 6 * FOOT, "rise_m": 4 * FOOT,
            "barrels": 5, "length_m": 60 * FOOT, "invert_up_m": 211.7 * FOOT,
            "invert_down_m": 211.6 * FOOT, "n": 0.013, "entrance_loss": 0.5, "exit_loss": 1.0,
            "chart": 8, "scale": 1, "deck_m": 216.93 * FOOT, "from_offset_m": 197 * FOOT,
            "to_offset_m": 283 * FOOT,
        },
        bridge | {"method": "energy+momentum+yarnell", "orifice": 0.8, "sluice": 0.34},
        bridge | {"method": "energy", "high_flow": "energy"},
    ], index=pd.Index(["boxes", "channel", "relief"], name="structure_id"))  # fmt: skip
    limits = np.array([(0, 390), (310, 880), (700, 1850)]) * FOOT
    table["limit_left_m"], table["limit_right_m"] = limits.T
    parts = []
    for name, (a, b) in {"channel": (450, 647), "relief": (960, 1240)}.items():
        for x, low in ((0, 200), (a, 200), (a, 215.7), (b, 215.7), (b, 200), (2000, 200)):
            parts.append({"structure_id": name, "part": "deck", "offset_m": x * FOOT,
                          "low_chord_m": low * FOOT, "deck_m": 216.93 * FOOT})  # fmt: skip
        for centre in range(a + 20, b - 10, 20):
            for z in (200, 216):
                parts.append({
                    "structure_id": name, "part": "pier", "group": f"{name} {centre}",
                    "offset_m": centre * FOOT, "elevation_m": z * FOOT, "pier_width_m": 1.25 * FOOT,
                })  # fmt: skip
    return table, pd.DataFrame(parts)
