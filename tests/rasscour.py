"""HEC-RAS's example of a bridge over an overgrown plain, as this library's tables.

Applications Guide, example 11 (Pine Creek, 100-year discharge): six piers, sloping abutments, idle
areas whose edges cut into the opening below, and a plan that asks for the geometric mean of
friction slopes. A USACE-HEC example file (U.S. public domain), sections from its run file; levels
are HEC-RAS 6.6's own. Feet.
"""

import numpy as np
import pandas as pd
from rasreference import FOOT, SQRT

FLOW, SLOPE, FRICTION = 30000.0, 0.002, "geometric"
HEIGHTS = "22 18 14 13.75 13 12 8.5 7.9 6.05 7.85 8.1 12 13 13.75 14 18 22"
WIDE = "0 100 200 500 900 1100 1215 1250 1300 1350 1385 1500 1700 2100 2400 2500 2600"
NARROW = "0 100 200 500 900 1100 1215 1250 1300 1350 1385 1500 1680 2040 2310 2400 2490"
ABOVE = "1500 10.42 1515.4 10.55 1700 12.12 2100 12.17 2400 12.42 2500 16.42 2600 20.42"
BELOW = "1500 10.28 1515.4 10.36 1700 11.28 2100 12.03 2400 12.28 2500 16.28 2600 20.28"
# station, offsets, heights above those of HEIGHTS, lengths to the next one (left and right,
# channel), contraction, expansion, HEC-RAS's level
SECTIONS = (
    ("10.90", WIDE, 4.06, (1200, 1000), 0.1, 0.3, 19.7198),
    ("10.71", WIDE, 2.06, (900, 800), 0.1, 0.3, 18.0721),
    ("10.55", WIDE, 0.46, (500, 380), 0.3, 0.5, 17.3339),
    ("10.48", WIDE, -0.3, (940, 640), 0.5, 0.8, 17.0866),
    ("10.37", ABOVE, -1.58, (70, 70), 0.5, 0.8, 15.2265),
    ("10.35", BELOW, -1.72, (940, 640), 0.5, 0.8, 14.3338),
    ("10.23", NARROW, -3.0, (400, 300), 0.3, 0.5, 12.6498),
    ("10.17", NARROW, -3.61, (900, 900), 0.1, 0.3, 11.983),
    ("10.00", NARROW, -5.41, (0, 0), 0.1, 0.3, 10.2074),
)
# station: from, to, top of what is idle
IDLE = (
    ("10.37", 0, 865.4, 22.12), ("10.37", 1515.4, 2600, 22.12), ("10.35", 0, 875, 21.98),
    ("10.35", 1500, 2600, 21.98), ("10.23", 0, 400, 14), ("10.23", 2100, 2490, 14),
)  # fmt: skip
PIERS = (985, 1080, 1175, 1265, 1360, 1450)
DECK = ((0, 0), (865.4, 0), (865.4, 18), (1515.4, 18), (1515.4, 0), (2600, 0))
LEFT, RIGHT = ((865.4, 18), (901.4, 0)), ((1500, 10.3), (1515.4, 18))


def tables():
    """Sections, banks with levels, idle areas, the bridge and its parts, in metres."""
    sections, banks, at = [], [], 0.0
    for rs, offsets, lift, (sides, channel), contraction, expansion, level in SECTIONS:
        z = np.array(HEIGHTS.split(), float) + lift
        x, right = np.array(offsets.split(), float), 1500.0
        if len(x) == 14:  # beside the bridge: offset and height of the right plain
            x, z = np.r_[np.array(WIDE.split(), float)[:11], x[::2]], np.r_[z[:11], x[1::2]]
            right = 1515.4
        n = np.where((x >= 1100) & (x < right), 0.032, 0.042)
        sections.append(pd.DataFrame({
            "river": "r", "chainage_m": at * FOOT, "offset_m": x * FOOT, "elevation_m": z * FOOT,
            "n": n,
        }))  # fmt: skip
        banks.append({
            "river": "r", "chainage_m": at * FOOT, "left_bank_m": 1100 * FOOT,
            "right_bank_m": right * FOOT, "length_channel_m": channel * FOOT,
            "length_left_m": (800 if rs == "10.17" else sides) * FOOT,
            "length_right_m": sides * FOOT, "contraction": contraction, "expansion": expansion,
            "rs": rs, "theirs_ft": level,
        })  # fmt: skip
        at += channel
    banks = pd.DataFrame(banks)
    place = banks.set_index("rs")["chainage_m"]
    idle = pd.DataFrame([
        {"river": "r", "chainage_m": place[rs], "from_offset_m": a * FOOT, "to_offset_m": b * FOOT,
         "top_m": top * FOOT, "obstacle": "ineffective"} for rs, a, b, top in IDLE
    ])  # fmt: skip
    bridge = pd.DataFrame({
        "river": "r", "chainage_m": place["10.37"] + 35 * FOOT, "kind": "bridge",
        "distance_m": 10 * FOOT, "width_m": 50 * FOOT, "weir_coefficient": 2.6 * SQRT,
        "method": "energy+momentum", "high_flow": "pressure", "orifice": 0.8, "pier_drag": 1.33,
    }, index=pd.Index(["10.36"], name="structure_id"))  # fmt: skip
    parts = [
        {"part": "deck", "offset_m": x * FOOT, "low_chord_m": low * FOOT, "deck_m": 22 * FOOT}
        for x, low in DECK
    ]
    parts += [
        {"part": "pier", "offset_m": x * FOOT, "pier_width_m": 5 * FOOT, "elevation_m": z * FOOT}
        for x in PIERS for z in (0.0, 20.0)
    ]  # fmt: skip
    parts += [
        {"part": "abutment", "group": side, "offset_m": x * FOOT, "elevation_m": z * FOOT}
        for side, line in (("left", LEFT), ("right", RIGHT)) for x, z in line
    ]  # fmt: skip
    parts = pd.DataFrame(parts).assign(structure_id="10.36")
    return pd.concat(sections, ignore_index=True), banks, idle, bridge, parts
