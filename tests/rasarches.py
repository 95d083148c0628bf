"""HEC-RAS's example of arch bridges over one creek, as this library's tables.

Applications Guide, example 7 (Napa Creek, plan 1): four arches, one under pressure with water on
its road, three at low flow. A USACE-HEC example file (U.S. public domain), the sections beside the
bridges copied from its run file; levels are HEC-RAS 6.6's own below and above each. Feet.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from rasreference import FOOT, SQRT

FLOW = 4070.0


class Arch(NamedTuple):
    """A bridge: above and below it ground, ends of the channel, idle areas, road and soffit."""

    name: str
    ground: tuple[str, str]
    channel: tuple[tuple[float, float], tuple[float, float]]
    idle: tuple[tuple[float, float, float], tuple[float, float, float]]  # to, from, top
    road: tuple[str, str]
    soffit: tuple[str, str]
    lengths: tuple[float, float]  # section above to deck, width of the deck
    below: float
    above: float
    high_flow: str = "pressure"  # the file asks for energy at 1218.5


ARCHES = (
    Arch(
        "2512",
        (
            "0 23.3 2.87 23.62 4.05 22.87 15.97 24 25.45 24.18 31.05 24.8 41.77 26.6 54 18.45 "
            "67 5.45 83 5.45 96 18.4 97.63 18.32 103.62 24.67 114.37 25.09 125.32 26 128.65 26 "
            "150 26.57",
            "0 22.6 9.35 22.67 15.95 23 21.6 23.07 21.8 23.58 35.71 24 49.1 24.06 52.57 18.33 "
            "54 18.26 67 5.26 83 5.3 96 18.26 108.41 18.88 109.58 19.18 115.33 25 130.71 25.8 "
            "145.27 26.05 150 26.63",
        ),
        ((54, 96), (54, 96)),
        ((56.5, 93.2, 22.5), (56.5, 93.2, 22.5)),
        ("0 22.9 150 22.9", "0 22.9 150 22.9"),
        (
            "58.51163 13.93837 59 14.5 63 17.5 69 20 75 20.9 81 20 87 17.5 91 14.5 "
            "91.50359 13.92088",
            "58.42326 13.83674 59 14.5 63 17.5 69 20 75 20.9 81 20 87 17.5 91 14.5 "
            "91.5704 13.84403",
        ),
        (2, 52),
        19.6389,
        23.2003,
    ),
    Arch(
        "1350",
        (
            "0 19.1 18.06 19.09 32.71 19.55 46.2 19.55 54 14.35 67 1.3 83 1.35 96 14.35 "
            "98.87 14.49 100.07 19.17 103.21 19.3 105.77 20 127.27 20.22 150 20.3",
            "0 19 7.84 19.04 8.59 19.54 42.32 19.25 48.97 18.9 51 14.9 54 14.13 67 1.13 83 1.13 "
            "96 14.13 97.55 14.3 101.36 17.39 104.4 19.35 107.24 20 125.64 21 150 21",
        ),
        ((54, 96), (54, 96)),
        ((54.5, 95, 21.9), (54.5, 95, 21.9)),
        (
            "0 21 55 22.1 57 22.2 63 22.3 69 22.4 75 22.5 79 22.4 85 22.3 91 22.2 94.6 22.1 150 21",
            "0 21 55 22.1 57 22.2 63 22.3 69 22.4 75 22.5 79 22.4 85 22.3 91 22.2 94.6 22.1 150 21",
        ),
        (
            "56.66986 11.66987 57 12 63 15.8 69 17.7 75 18.2 79 18 85 16.3 91 13 92.99091 11.34091",
            "56.565 11.565 57 12 63 15.8 69 17.7 75 18.2 79 18 85 16.3 91 13 93.11091 11.24091",
        ),
        (2, 61),
        16.1438,
        16.7247,
    ),
    Arch(
        "1218.5",
        (
            "0 19.2 10.6 19.01 22.79 19 41.56 20.93 47.91 14.11 54 13.8 67 .8 83 .8 96 13.8 "
            "99.24 13.97 99.67 14.8 100.88 14.8 106.81 16 113.77 16.54 125.27 17.13 132.45 18 "
            "146.39 18.75 150 18.77",
            "0 19.2 20.81 19.18 31.28 19 43.72 20.36 48.78 14 54 13.7 67 .74 83 .74 96 13.74 "
            "98.08 13.9 100.12 16.1 103.19 17.27 107.05 17.26 123.7 17.64 138.69 18.38 "
            "144.89 18.5 150 18.36",
        ),
        ((54, 96), (54, 96)),
        ((55.5, 96.8, 20.0), (55.5, 97.0, 20.0)),
        (
            "0 20 57 20.8 63 20.9 69 21 75 21.1 81 21 87 20.9 150 20",
            "0 20 57 20.8 63 20.9 69 21 75 21.1 81 21 87 20.9 150 20",
        ),
        (
            "57.46602 10.33398 63 14.3 69 16.5 75 17.1 81 16.9 87 14.8 95.09769 12.89769",
            "57.41389 10.29662 63 14.3 69 16.5 75 17.1 81 16.9 87 14.8 95.14627 12.88627",
        ),
        (2, 17),
        15.634,
        15.933,
        "energy",
    ),
    Arch(
        "979",
        (
            "0 19.4 13.51 19.23 33.42 19.82 43.51 19 46.87 16.91 51.49 13.1 54 13 67 0 83 0 96 13 "
            "97.32 13.5 97.61 16.35 101.94 15 103.31 15.41 118.32 19.02 150 19",
            "0 19.9 18.48 19.94 28.41 19.51 37.53 19 39.43 17.84 42.1 15.5 47.51 11.22 49.63 8.62 "
            "53.91 4.9 65.82 3 89.84 4.4 91.46 6.45 97.61 14.96 102.9 19 121.71 19.28 150 19.5",
        ),
        ((54, 96), (37.53, 102.9)),
        ((55.5, 94, 19.6), (53.5, 94.5, 19.6)),
        ("0 19.7 150 19.7", "0 19.7 150 19.7"),
        (
            "57.68603 9.313972 58 10 60 12 66 15.2 75 16.7 80 16 86 14 90 11.2 91.95349 8.953488",
            "55.48019 4.649508 56 5.63 58 10 60 12 66 15.2 75 16.7 80 16 86 14 90 11.2 92 8.9 "
            "92.46646 7.842684",
        ),
        (2, 42),
        14.0318,
        15.1349,
    ),
)


def tables(arch):
    """Sections, banks, obstacles, structures and their parts, in metres."""
    sections, banks, idle, parts = [], [], [], []
    length = 2 * arch.lengths[0] + arch.lengths[1]
    for k, side in enumerate(("up", "down")):
        place = {"river": "r", "chainage_m": k * length * FOOT}
        x, z = np.array(arch.ground[k].split(), float).reshape(-1, 2).T
        a, b = arch.channel[k]
        sections.append(pd.DataFrame({
            **place, "offset_m": x * FOOT, "elevation_m": z * FOOT,
            "n": np.where((x >= a) & (x < b), 0.035, 0.08),
        }))  # fmt: skip
        banks.append({**place, "left_bank_m": a * FOOT, "right_bank_m": b * FOOT})
        to, start, top = arch.idle[k]
        idle += [
            {**place, "from_offset_m": c * FOOT, "to_offset_m": d * FOOT, "top_m": top * FOOT,
             "obstacle": "ineffective"} for c, d in ((0, to), (start, 150))
        ]  # fmt: skip
        road = np.array(arch.road[k].split(), float).reshape(-1, 2)
        soffit = np.array(arch.soffit[k].split(), float).reshape(-1, 2)
        first, last = soffit[0, 0], soffit[-1, 0]
        deck = [(c, np.nan) for c in road[:, 0] if c < first] + [(first, np.nan)]
        deck += list(map(tuple, soffit)) + [(last, np.nan)]
        deck += [(c, np.nan) for c in road[:, 0] if c > last]
        parts += [
            {"structure_id": arch.name, "part": "deck", "side": side, "offset_m": c * FOOT,
             "low_chord_m": low * FOOT, "deck_m": np.interp(c, *road.T) * FOOT}
            for c, low in deck
        ]  # fmt: skip
    structures = pd.DataFrame([{
        "river": "r", "chainage_m": length * FOOT / 2, "kind": "bridge", "method": "energy+momentum",
        "high_flow": arch.high_flow, "orifice": 0.8, "weir_coefficient": 3.0 * SQRT,
        "max_submergence": 0.95, "distance_m": arch.lengths[0] * FOOT,
        "width_m": arch.lengths[1] * FOOT,
    }], index=pd.Index([arch.name], name="structure_id"))  # fmt: skip
    return (
        pd.concat(sections, ignore_index=True), pd.DataFrame(banks), pd.DataFrame(idle),
        structures, pd.DataFrame(parts),
    )  # fmt: skip
