"""What can a design pass that costs no more than a limit? Steps, and levels.

By a bound each step costs something above it: what it and all after it cost at least, less what
the pair below it and all after that do. None of that is negative, so that what has been paid on the
cheapest way to a pair, by the bound, and what the step costs above it stay below the limit along
every such design. What a step costs is a straight line in the level: levels at which no step is
cheap enough are passed by no such design.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.search.bounds import Sheaf, Steps

__all__ = ["Passed", "Ways", "passed_by", "ways_below"]

# what levels and costs are widened by, so that rounding shuts nothing out [m, yuan]
MARGIN_M = 1e-7
MARGIN = 1e-6

Ways = tuple[Array, Array, Array]


class Passed(NamedTuple):
    """Pairs of one station that designs below a limit pass: least cost by a bound, and levels.

    ``cost`` (pairs,) is infinite where none passes; ``low``, ``high`` are (floods, pairs).
    """

    cost: Array
    low: Array
    high: Array


def passed_by(pairs: int, pair: Array, cost: Array, level: Array) -> Passed:
    """What some labels at pairs pass: costs (labels,), levels (floods, labels)."""
    found = Passed(
        np.full(pairs, np.inf), np.full((len(level), pairs), np.inf),
        np.full((len(level), pairs), -np.inf),
    )  # fmt: skip
    np.minimum.at(found.cost, pair, cost)
    for low, high, own in zip(found.low, found.high, level, strict=True):
        np.minimum.at(low, pair, own)
        np.maximum.at(high, pair, own)
    return found


def ways_below(
    steps: Steps, here: Passed, sheaf: Sheaf, line: int, i: int, extra: Array, limit: float
) -> tuple[Ways, Array, Passed]:
    """Steps up to station ``i`` that designs below a limit take.

    ``extra`` is what steps cost with their parts of buildings, ``line`` one of the sheaf's lines.
    Lower pairs, upper pairs and costs; what each costs by the bound with the way to it; and what
    is passed at the station below.
    """
    f, below = sheaf.flood, steps.below
    low, high = np.maximum(here.low, steps.low), np.minimum(here.high, steps.top)
    one, other = low[f][below], high[f][below]
    with np.errstate(invalid="ignore"):
        above_least = [
            extra
            + _line_at(sheaf, line, i, steps.above, _lowest_above(steps, f, below, level))
            - _line_at(sheaf, line, i + 1, below, level)
            for level in (one, other)
        ]
        spare = limit - here.cost[below] + MARGIN
        fine = (one <= other + MARGIN_M) & (np.minimum(*above_least) <= spare)
    first, last, spare = above_least[0][fine], above_least[1][fine], spare[fine]
    one, other, below = one[fine], other[fine], below[fine]
    with np.errstate(invalid="ignore", divide="ignore"):
        turns = np.clip((spare - first) / (last - first), 0.0, 1.0)
    begin, end = np.where(first <= spare, 0.0, turns), np.where(last <= spare, 1.0, turns)
    span = other - one
    lowest, highest = np.full(len(low[f]), np.inf), np.full(len(low[f]), -np.inf)
    np.minimum.at(lowest, below, one + begin * span - MARGIN_M)
    np.maximum.at(highest, below, one + end * span + MARGIN_M)
    shut = ~np.isfinite(lowest)
    low[:, shut], high[:, shut] = np.inf, -np.inf
    low[f], high[f] = lowest, highest
    least = np.minimum(first + begin * (last - first), first + end * (last - first))
    cost = here.cost[below] + np.maximum(least, 0.0)
    kept = (below, steps.above[fine], steps.cost[fine])
    return kept, cost, Passed(here.cost, low, high)


def _line_at(sheaf: Sheaf, line: int, i: int, pair: Array, level: Array) -> Array:
    """What pairs at levels, and all after them, cost at least by one line."""
    found: Array = sheaf.height[i][line, pair] + sheaf.slope[i][line, pair] * (level - sheaf.top[i])
    return found


def _lowest_above(steps: Steps, flood: int, below: Array, level: Array) -> Array:
    """The straight lines below steps, at levels below them."""
    share, line = steps.share(flood, level, below), steps.lines[flood]
    found: Array = line[:, 0] + share * (line[:, 1] - line[:, 0])
    return found
