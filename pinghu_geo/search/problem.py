"""One stretch of a river as a problem: stations, options on both banks, buildings, floods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.steady import Model

__all__ = [
    "EXCESS_M", "LEAST_GROWTH", "MOST_BUILDINGS", "SAME_COST", "NodeProblem", "Pairs", "Water",
    "beside", "design_cost", "design_works", "levels_of", "open_at_once", "touched_by",
    "works_within",
]  # fmt: skip

# most buildings that stand beside one station: the set of those paid for is the bits of one number
MOST_BUILDINGS = 64
# 1 - Fr² that is left at the Froude limit of 0.9487 (Fr² = 0.90)
LEAST_GROWTH = 0.10
SAME_COST = 1e-6
# what a design may exceed the level allowed by [m]
EXCESS_M = 1e-6


class Pairs(NamedTuple):
    """Which pairs of options at neighbouring stations touch which buildings.

    A row a building, bank and gap between station ``gap`` and the next one downstream; ``least``
    (rows, options) is the first option at the lower station with which the building is touched, by
    the option at the upper one: that one and all after it touch it.
    """

    who: Array
    side: Array
    gap: Array
    least: Array

    @classmethod
    def none(cls) -> Pairs:
        """Where stations alone decide."""
        some = np.zeros(0, int)
        return cls(some, some, some, np.zeros((0, 0), int))

    def same(self, other: Pairs) -> bool:
        """Whether they are equal."""
        return all(np.array_equal(a, b) for a, b in zip(self, other, strict=True))


class Water(NamedTuple):
    """One flood: its discharge (stations,), the level that arrives, and the levels allowed."""

    model: Model
    discharge: Array
    downstream_level: float
    most_level: Array


@dataclass(frozen=True, slots=True)
class NodeProblem:
    """Stations from upstream to downstream, options on each bank, buildings.

    ``rows`` (stations, options, options) are the sections of left and right options in ``model``;
    ``station_cost`` (2, stations, options), infinite where an option is not allowed;
    ``change_cost`` (options, options) between neighbours, infinite where it is not allowed;
    ``touch`` (buildings, 2, stations, options) is what an option at one station touches, ``pairs``
    what options at two do; ``most_level`` (stations,) [m]; ``spare`` is a building that no pair may
    touch. ``others`` are further floods of the same stretch, each with what it may rise: a design
    keeps the levels of all.
    """

    model: Model
    rows: Array
    discharge: Array
    station_cost: Array
    change_cost: Array
    touch: Array
    cost: Array
    downstream_level: float
    most_level: Array
    pairs: Pairs = Pairs.none()
    spare: int | None = None
    others: tuple[Water, ...] = ()

    @property
    def waters(self) -> tuple[Water, ...]:
        """All floods, the first one first."""
        own = Water(self.model, self.discharge, self.downstream_level, self.most_level)
        return (own, *self.others)


def touched_by(problem: NodeProblem, options: Array) -> Array:
    """Which buildings a choice of options touches."""
    station = np.arange(options.shape[1])
    both = problem.touch[:, np.arange(2)[:, None], station, options]
    found: Array = np.asarray(both.any(axis=(1, 2)))
    who, side, gap, least = problem.pairs
    upper, lower = options[side, gap], options[side, gap + 1]
    found[who[lower >= least[np.arange(len(who)), upper]]] = True
    return found


def beside(problem: NodeProblem) -> Array:
    """Whether buildings can be touched at a station or just below it (buildings, stations)."""
    found: Array = np.asarray(problem.touch.any(axis=(1, 3)))
    found[problem.pairs.who, problem.pairs.gap] = True
    return found


def design_works(problem: NodeProblem, options: Array) -> float:
    """Cost of a choice of options without its buildings."""
    return works_within(problem, options, 0, options.shape[1])


def works_within(problem: NodeProblem, options: Array, first: int, stop: int) -> float:
    """Cost of a choice of options without its buildings at some stations, and on to the next."""
    station = np.arange(first, stop)
    works = problem.station_cost[np.arange(2)[:, None], station, options[:, first:stop]].sum()
    ways = slice(first, min(stop, options.shape[1] - 1))
    change = problem.change_cost[options[:, ways], options[:, 1:][:, ways]].sum()
    return float(works + change)


def design_cost(problem: NodeProblem, options: Array) -> float:
    """Cost of a choice of options, whatever the water does."""
    paid = problem.cost[touched_by(problem, options)].sum()
    return design_works(problem, options) + float(paid)


def levels_of(
    problem: NodeProblem, options: Array, level: Array, near: Array | None = None
) -> Array:
    """Levels (floods, stations) of a design above levels (floods,) that arrive.

    By the sections themselves, without the tables of the search. ``near`` are levels not far off;
    without them it is those allowed.
    """
    near = np.stack([water.most_level for water in problem.waters]) if near is None else near
    rows = problem.rows[np.arange(options.shape[1]), options[0], options[1]]
    return np.stack([
        water.model.levels_above(rows, water.discharge, arrives, own[:, None])[:, 0]
        for water, arrives, own in zip(problem.waters, level[:, None], near, strict=True)
    ])  # fmt: skip


def open_at_once(first: Array, last: Array) -> tuple[Array, int]:
    """A number for each interval that no other has which overlaps it, and how many are needed."""
    number = np.zeros(len(first), int)
    ends: list[int] = []  # where the last interval of each number ends
    for b in np.argsort(first, kind="stable"):
        free = next((k for k, end in enumerate(ends) if end < first[b]), None)
        if free is None:
            free = len(ends)
            ends.append(0)
        number[b], ends[free] = free, int(last[b])
    return number, len(ends)
