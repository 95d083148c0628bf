"""HEC-RAS's example of a junction by momentum, as this library's tables.

Applications Guide, example 10 (JUNCTION, plan 2): Spring Creek and Spruce Creek, 45 degrees apart.
A USACE-HEC example file (U.S. public domain), the sections next to the junction copied from its run
file; levels are HEC-RAS 6.6's own. Feet.
"""

import numpy as np
import pandas as pd
from rasreference import FOOT

# river, station, lengths left, channel and right, banks, level, points
SECTIONS = (
    ("upper", "10.124", (80, 95, 110), (24.7, 74), 75.611,
     "0 87.5 8.8 83.9 10.3 83.25 13.2 81.58 15.4 80.49 24.7 77.58 29.1 73.56 30.6 72.2 32.4 69.91 "
     "33.5 68.68 37.9 66.92 39.4 66.35 49 63.77 50.2 63.5 60 63.35 65 67.5 70 72.75 74 79 79 79.67 "
     "83 84.83 86 89.5"),
    ("upper", "10.106", (0, 0, 0), (24, 74), 75.5038,
     "0 87.4 10 83.3 15 80.5 24 77.5 30 72.4 33 68.7 39 66.3 50 63.4 60 63.2 65 67.4 70 72.7 "
     "74 78.9 79 79.6 83 84.8 86 89"),
    ("spruce", "0.029", (75, 85, 98), (43.8, 67.8), 75.5782,
     "27 82.13 31.9 79.87 32 79.85 35.8 78.16 35.9 78.12 43.8 75.19 44.6 72.63 44.6 72.51 "
     "46.1 68.89 46.1 68.82 47.6 66.17 47.6 66.13 52.6 63.73 56.6 63.28 60.6 67.52 60.7 67.6 "
     "62.2 70.61 62.2 70.66 64.6 72.83 67.8 75.13 72.8 77.85 72.8 77.88 79.7 83.13"),
    ("spruce", "0.013", (0, 0, 0), (44, 68.3), 75.5038,
     "27 82 32 80 36 78 44 75 44.8 72.4 46.3 68.7 47.8 66 52.9 63.6 56.9 63.15 61 67.4 62.6 70.5 "
     "65 72.7 68.3 75 73.3 78 80.3 83"),
    ("lower", "10.091", (82, 95, 110), (28.8, 103.8), 75.0378,
     "0 87.3 12 83.2 18 80.4 28.8 77.4 37.8 72.3 42.3 68.6 51.3 66.2 67.8 63.3 82.8 63.12 "
     "90.3 67.3 97.8 72.6 103.8 78.8 110.3 79.5 115.5 84.7 119.4 88.9"),
    ("lower", "10.073", (0, 0, 0), (28, 103.8), 74.9171,
     "0 87.2 11.7 83.21 13.5 82.42 17.5 80.52 20.2 79.69 28 77.3 36.7 72.28 38.9 70.49 41 68.96 "
     "49 66.7 49.6 66.53 59.8 64.5 65.4 63.55 79.8 63.06 88.4 66.62 89.8 67.37 94.8 70.38 "
     "96.9 71.9 99.8 74.59 103.8 78.72 110.3 79.42 115.5 84.62 119.4 88.82"),
)  # fmt: skip
FLOWS = {"upper": 3000.0, "spruce": 1100.0, "lower": 4100.0}


def tables():
    """Sections, banks, flows, downstream, junctions in metres, and HEC-RAS's levels."""
    sections, banks, levels = [], [], []
    at = dict.fromkeys(FLOWS, 0.0)
    for river, _, ways, (left, right), level, text in SECTIONS:
        place = {"river": river, "chainage_m": at[river]}
        x, z = np.array(text.split(), float).reshape(-1, 2).T
        n = np.where((x >= left) & (x < right), 0.025, 0.035)
        sections.append(
            pd.DataFrame({"offset_m": x * FOOT, "elevation_m": z * FOOT, "n": n}).assign(**place)
        )
        lengths = dict(zip(("left", "channel", "right"), ways, strict=True))
        banks.append(place | {"left_bank_m": left * FOOT, "right_bank_m": right * FOOT}
                     | {f"length_{k}_m": v * FOOT for k, v in lengths.items()})  # fmt: skip
        levels.append(place | {"level_ft": level})
        at[river] += ways[1] * FOOT
    flows = pd.DataFrame({"river": list(FLOWS), "discharge_m3s": np.array([*FLOWS.values()])})
    flows["discharge_m3s"] *= FOOT**3
    junction = pd.DataFrame({
        "junction": "Spruce", "river": ["upper", "spruce", "lower"], "role": ["in", "in", "out"],
        "length_m": [80 * FOOT, 70 * FOOT, np.nan], "angle_deg": [0.0, 45.0, np.nan],
        "method": "momentum", "friction": True, "weight": True,
    })  # fmt: skip
    end = pd.DataFrame({"river": ["lower"], "level_m": [74.9171 * FOOT]})
    return pd.concat(sections), pd.DataFrame(banks), flows, end, junction, pd.DataFrame(levels)
