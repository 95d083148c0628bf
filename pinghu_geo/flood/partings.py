"""Does the discharge part as it is said? Doubts where branches ask for different energies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from pinghu_geo.flood.boundaries import Boundaries
from pinghu_geo.flood.profiles import with_doubt
from pinghu_geo.flood.sections import Array

__all__ = ["doubt_splits", "with_apart"]

# energies of branches, and levels that hang on them, further apart are told [m]: what a verdict may
# turn on, and ours
APART_M = 0.02


def with_apart(table: pd.DataFrame, apart: Array, size: int) -> pd.DataFrame:
    """A table of profiles of a river that parts, with how far its branches' energies differ.

    ``apart`` (n,) by profile, each of ``size`` rows in turn [m]: at the lowest section, else 0.
    """
    at_end = np.zeros((len(apart), size))
    at_end[:, -1] = apart
    return table.assign(_apart=at_end.ravel())


def doubt_splits(
    solved: dict[str, pd.DataFrame],
    edges: Boundaries,
    levels_by_least: Callable[[str, dict[str, pd.DataFrame]], pd.DataFrame],
) -> None:
    """Doubt rivers that part so that their branches ask for different energies, in place.

    And the branches, and rivers above as far up as their levels hang on it, those that flow into
    one that does, too. Water parts so that branches ask for one energy, between the highest of
    those asked, which counts, and the least; ``levels_by_least`` solves a river as if that counted,
    from rivers solved: each level may be as much lower as it is then (unsure_m).
    """
    least = dict(solved)
    for river, table in list(solved.items()):
        parts = table["_apart"].to_numpy() > APART_M if "_apart" in table else np.zeros(1, bool)
        if not parts.any() and all(least[one] is solved[one] for one in edges.below(river)):
            continue
        least[river] = levels_by_least(river, least)
        off = table["level_m"].to_numpy(float) - least[river]["level_m"].to_numpy(float)
        unsure = np.fmax(table["unsure_m"].to_numpy(float), np.where(off > APART_M, off, np.nan))
        told = with_doubt(table.assign(unsure_m=unsure), parts | (off > APART_M), "split")
        solved[river] = told
        for branch in edges.junctions[river].out if parts.any() else ():
            solved[branch.river] = _doubted_with(solved[branch.river], table[parts])


def _doubted_with(own: pd.DataFrame, odd: pd.DataFrame) -> pd.DataFrame:
    """A branch's profiles, doubted in the floods and schemes in which the river above parts oddly.

    A river without schemes, or without that one, is the same in all.
    """
    first, known = own["scheme"].iloc[0], set(own["scheme"])
    cases = {
        (profile, scheme if scheme in known else first)
        for profile, scheme in zip(odd["profile"], odd["scheme"], strict=True)
    }
    both = zip(own["profile"], own["scheme"], strict=True)
    return with_doubt(own, np.array([one in cases for one in both], bool), "split")
