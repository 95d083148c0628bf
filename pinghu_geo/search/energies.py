"""How much energy may water have that still has to get to the upper end? Long before it drowns.

Upstream the energy grows by the friction at least, which is no less than where all sections stand
as full as is allowed; at the upper end it is no more than that of the level allowed there. So water
in a narrow section, whose level is low, is told to come out too high further up.
"""

from __future__ import annotations

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.steady import State
from pinghu_geo.search.problem import NodeProblem, Water

__all__ = ["most_energy"]


def most_energy(problem: NodeProblem, water: Water, energy: Array, conveyance: Array) -> Array:
    """Most energy of pairs of options (stations, pairs) from which a way up keeps what is allowed.

    ``energy`` and ``conveyance`` (stations, pairs) are the most that sections hold at the levels
    allowed and below them; minus infinite energy: the pair isn't allowed. At the lowest station,
    whose level arrives, friction counts nothing.
    """
    n, o = problem.rows.shape[:2]
    rows, flow, model = problem.rows.reshape(n, -1), water.discharge, water.model
    may = np.isfinite(problem.change_cost)
    below, above = np.nonzero(np.kron(may, may))
    begin = np.searchsorted(below, np.arange(o * o))
    none, found = np.zeros(len(below)), energy.copy()
    for i in range(1, n):
        lost = none
        if i < n - 1:
            up, down = (
                State(none, none, none, none + conveyance[j, pair], none, none, none + flow[j])
                for j, pair in ((i - 1, above), (i, below))
            )
            lost = model.lost(model.lengths[rows[i - 1, above], 1], none, none, up, down)[0]
        rest = np.maximum.reduceat(found[i - 1, above] - lost, begin)
        found[i] = np.minimum(found[i], rest) if i < n - 1 else rest
    return found
