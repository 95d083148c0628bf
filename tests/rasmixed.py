"""HEC-RAS's example of a bridge under pressure in a steep creek, as this library's tables.

Applications Guide, example 9 (Putah Creek, plan 2: mixed regime, pressure and weir flow): water
that is supercritical far above, jumps, stands before a bridge with one pier, and runs out below it
supercritical. A USACE-HEC example file (U.S. public domain), heights less 1,200 ft; levels are
HEC-RAS 6.6's own. Feet.
"""

import numpy as np
import pandas as pd
from rasreference import FOOT

FLOW, DATUM, SLOPE = 3200.0, 1200.0, 0.01
OFFSETS = "0 22 66 98 110 116 130 140 162 176 192 200 215 273 292"
# station, lengths to the next one (left, channel, right), level, elevations less the datum
SECTIONS = (
    ("12", (47.5, 50, 60), 1283.4561,
     "90.5 89.3 88.5 87.1 86 85.1 80.5 78.2 79 80.1 85 86.3 87 88.2 89.3"),
    ("11.5", (47.5, 50, 60), 1283.0419,
     "89.9 88.65 87.9 86.65 85.5 84.65 79.75 77.75 78.7 79.55 84.5 86.05 86.9 87.8 88.75"),
    ("11", (62.5, 50, 45), 1284.1729,
     "89.3 88 87.3 86.2 85 84.2 79 77.3 78.4 79 84 85.8 86.8 87.4 88.2"),
    ("10.5", (62.5, 50, 45), 1284.2289,
     "88.75 87.5 86.75 85.65 84.7 83.65 78.5 76.9 77.7 78.5 83.65 84.9 85.95 86.25 86.85"),
    ("10", (47.5, 50, 51.5), 1284.2737,
     "88.2 87 86.2 85.1 84.4 83.1 78 76.5 77 78 83.3 84 85.1 85.1 85.5"),
    ("9.5", (47.5, 50, 51.5), 1284.321,
     "87.65 86.5 85.8 84.7 83.75 82.55 77.75 75.65 76.5 77.5 82.7 83.5 84.6 84.75 85"),
    ("9", (60.5, 50, 50), 1284.3567,
     "87.1 86 85.4 84.3 83.1 82 77.5 74.8 76 77 82.1 83 84.1 84.4 85.1"),
    ("8.5", (60.5, 50, 50), 1284.3745,
     "86.6 85.5 84.8 83.65 82.75 81.5 76.9 74.5 75.6 76.55 81.9 82.55 83.8 85.3 85.7"),
    ("8", (110, 110, 110), 1284.3889,
     "86.1 85 84.2 83 82.4 81 76.3 74.2 75.2 76.1 81.7 82.1 83.5 85.2 86.8"),
    ("6", (52.5, 50, 47.5), 1277.9509,
     "85.1 84 83.2 82.1 81.3 80 75 73.4 74 75.1 80 81 82.2 82.2 82.5"),
    ("5.5", (52.5, 50, 47.5), 1277.6001,
     "84.55 83.5 82.6 81.55 80.65 79.5 74.5 72.85 73.5 74.55 79.5 80.5 81.6 81.6 82"),
    ("5", (62, 50, 47.5), 1277.1918,
     "84 83 82 81 80 79 74 72.3 73 74 79 80 81 81 81.5"),
    ("4.5", (62, 50, 47.5), 1276.77,
     "83.55 82.5 81.6 80.5 79.75 78.55 73.55 71.6 72.5 73.65 78.5 79.55 80.5 80.7 81"),
    ("4", (50, 50, 50), 1276.2974,
     "83.1 82 81.2 80 79.5 78.1 73.1 70.9 72 73.3 78 79.1 80 80.4 80.5"),
    ("3.5", (50, 50, 50), 1275.9176,
     "82.55 81.5 80.6 79.6 78.8 77.55 72.55 70.55 71.5 72.85 77.5 78.6 79.6 79.7 80"),
    ("3", (55, 50, 45), 1275.4899,
     "82 81 80 79.2 78.1 77 72 70.2 71 72.4 77 78.1 79.2 79 79.5"),
    ("2.5", (55, 50, 45), 1275.0449,
     "81.5 80.55 79.5 78.75 77.8 76.6 71.55 69.8 70.5 71.85 76.7 77.6 79 78.55 79"),
    ("2", (60, 50, 45), 1274.5818,
     "81 80.1 79 78.3 77.5 76.2 71.1 69.4 70 71.3 76.4 77.1 78.8 78.1 78.5"),
    ("1.5", (60, 50, 45), 1274.0146,
     "80.6 79.8 78.55 77.75 76.95 75.9 70.65 68.75 69.5 70.85 75.8 76.6 78.05 77.6 78"),
    ("1", (0, 0, 0), 1273.4753,
     "80.2 79.5 78.1 77.2 76.4 75.6 70.2 68.1 69 70.4 75.2 76.1 77.3 77.1 77.5"),)  # fmt: skip


def tables():
    """Sections with their levels, banks, idle areas, the bridge and its pier, in metres."""
    x = np.array(OFFSETS.split(), float)
    at, sections, banks = 0.0, [], []
    for rs, lengths, level, heights in SECTIONS:
        sections.append(pd.DataFrame({
            "river": "r", "chainage_m": at * FOOT, "offset_m": x * FOOT,
            "elevation_m": np.array(heights.split(), float) * FOOT,
            "n": np.where((x >= 116) & (x < 192), 0.025, 0.035),
        }))  # fmt: skip
        left, channel, right = (v * FOOT for v in lengths)
        banks.append({
            "river": "r", "chainage_m": at * FOOT, "left_bank_m": 116 * FOOT,
            "right_bank_m": 192 * FOOT, "length_left_m": left, "length_channel_m": channel,
            "length_right_m": right, "contraction": 0.1,
            "expansion": 0.3 if float(rs) >= 8 else 0.1, "rs": rs,
            "theirs_ft": level - DATUM,
        })  # fmt: skip
        at += lengths[1]
    banks = pd.DataFrame(banks)
    above = banks.loc[banks["rs"] == "8", "chainage_m"].iloc[0]
    idle = pd.DataFrame({
        "river": "r", "chainage_m": above, "from_offset_m": np.array([0.0, 208.0]) * FOOT,
        "to_offset_m": np.array([102.0, 292.0]) * FOOT, "top_m": (1285 - DATUM) * FOOT,
        "obstacle": "ineffective",
    })  # fmt: skip
    bridge = pd.DataFrame({
        "river": "r", "chainage_m": above + 55 * FOOT, "kind": "bridge", "distance_m": 10 * FOOT,
        "width_m": 90 * FOOT, "low_chord_m": (1282 - DATUM) * FOOT, "deck_m": (1285 - DATUM) * FOOT,
        "weir_coefficient": 2.9 * FOOT**0.5, "method": "energy+momentum", "high_flow": "pressure",
        "pier_drag": 1.33, "orifice": 0.8,
    }, index=["7"])  # fmt: skip
    pier = pd.DataFrame({
        "structure_id": "7", "part": "pier", "offset_m": 150 * FOOT, "pier_width_m": 8 * FOOT,
        "elevation_m": np.array([1272.0, 1284.0]) * FOOT - DATUM * FOOT,
    })  # fmt: skip
    return pd.concat(sections, ignore_index=True), banks, idle, bridge, pier
