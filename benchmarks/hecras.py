"""Levels of public HEC-RAS models beside HEC-RAS's own results, away from structures.

    python benchmarks/hecras.py A.p01.hdf B.p02.hdf ...

Each reach between two structures is computed from HEC-RAS's level at its lower end. Where HEC-RAS's
own numbers don't balance its energy equation to 0.01 ft it took its best trial; such a level, and
those above it in the reach, are counted apart. Models lie in public repositories: 14320639.p01.hdf
(White River) in Dewberry/ripple1d, Baxter.p01.hdf and FLODENCR.p01.hdf in fema-ffrd/rashdf.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import pinghu_geo as pg

FOOT = 0.3048
TOLERANCE_FT = 0.01
GRAVITY = 32.2 * FOOT


def main() -> None:
    """One line a file."""
    warnings.simplefilter("ignore")
    for path in map(Path, sys.argv[1:]):
        rows = pd.concat(list(compared(pg.flood.read_hecras_results(path))), ignore_index=True)
        sound = rows.loc[rows["balanced"], "off_ft"].abs()
        rest = rows.loc[~rows["balanced"], "off_ft"].abs()
        line = f"{path.name}: {len(sound)} levels, median {sound.median():.4f}, most {sound.max():.4f} ft"
        if len(rest):
            line += f"; {len(rest)} where HEC-RAS found no solution, most {rest.max():.2f} ft"
        sys.stdout.write(line + "\n")


def compared(model):
    """Rows of each profile and each reach between structures."""
    for (river, _), theirs in model.profile.groupby(["river", "profile"], sort=False):
        at = theirs["chainage_m"]
        barred = pd.concat(
            [model.structures[["river", "above_m"]], model.left_out[["river", "above_m"]]]
        )
        above = barred.loc[barred["river"] == river, "above_m"]
        reach = np.searchsorted(np.sort(above.dropna()), at)
        for part in np.unique(reach):
            yield one_reach(model, theirs[reach == part])


def one_reach(model, theirs):
    """Our levels of a reach beside theirs."""
    place = ["river", "chainage_m"]
    here = theirs[place]

    def of(table):
        return table.merge(here, on=place)

    banks = of(model.banks)
    if "left_wall_m" in theirs:
        banks = banks.merge(theirs[[*place, "left_wall_m", "right_wall_m"]], on=place)
    ours = theirs["level_m"].iloc[[-1]].to_numpy()
    if len(theirs) > 1:
        ours = pg.water_profile(
            of(model.sections), theirs[[*place, "discharge_m3s"]], {"level_m": float(ours[0])},
            banks=banks, obstacles=of(model.obstacles), gravity_ms2=GRAVITY,
        )["level_m"].to_numpy()  # fmt: skip
    off = (ours - theirs["level_m"].to_numpy()) / FOOT
    sound = theirs["unbalanced_m"].abs().fillna(0.0) <= TOLERANCE_FT * FOOT
    critical = theirs["level_m"] <= theirs["critical_level_m"] + TOLERANCE_FT * FOOT
    # a wrong level is carried upstream
    balanced = (sound | critical & (theirs["unbalanced_m"] > 0))[::-1].cummin()[::-1]
    return pd.DataFrame({"off_ft": off, "balanced": balanced.to_numpy()})


if __name__ == "__main__":
    main()
