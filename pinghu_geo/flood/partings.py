"""Does the discharge part as it is said? Doubts where branches ask for different energies."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pinghu_geo.flood.boundaries import Boundaries
from pinghu_geo.flood.profiles import with_doubt
from pinghu_geo.flood.sections import Array

__all__ = ["doubt_branches", "with_split_doubt"]

# energies of branches further apart are told [m]: what a verdict may turn on, and ours
APART_M = 0.02


def with_split_doubt(table: pd.DataFrame, apart: Array, size: int) -> pd.DataFrame:
    """A table of profiles of a river that parts, doubted by how far its branches' energies differ.

    ``apart`` (n,) by profile, each of ``size`` rows in turn [m].
    """
    lowest = np.arange(1, len(apart) + 1) * size - 1
    unsure = table["unsure_m"].to_numpy(float, copy=True)
    unsure[lowest] = np.fmax(unsure[lowest], np.where(apart > APART_M, apart, np.nan))
    return with_doubt(table.assign(unsure_m=unsure), np.repeat(apart > APART_M, size), "split")


def doubt_branches(solved: dict[str, pd.DataFrame], edges: Boundaries) -> None:
    """Doubt the branches of which the river that parts into them is doubted, in place."""
    for river in filter(edges.parts, list(solved)):
        odd = solved[river]
        odd = odd[odd["doubts"].str.contains("split")]
        for branch in edges.junctions[river].out:
            own = solved[branch.river]
            first, known = own["scheme"].iloc[0], set(own["scheme"])
            cases = {
                (profile, scheme if scheme in known else first)
                for profile, scheme in zip(odd["profile"], odd["scheme"], strict=True)
            }
            both = zip(own["profile"], own["scheme"], strict=True)
            mine = np.array([one in cases for one in both], bool)
            solved[branch.river] = with_doubt(own, mine, "split")
