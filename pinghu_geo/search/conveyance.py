"""What do two banks convey together? The local rule of sections, wall by wall."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pinghu_geo.flood.sections import Array
from pinghu_geo.search.walls import River, Wall

__all__ = ["Banks", "bank_choices", "together"]


class Banks(NamedTuple):
    """What each move of each bank makes of a section; all (2, stations, moves).

    ``area`` [m²] and ``rough`` (wetted length weighted by n^1.5) lie below the water within the
    bank, ``price`` [yuan/m] is the wall's, ``wall`` its number in the menu, ``dug`` [m²] what is
    dug beyond the approved section; infinite ``price``: the move leaves no bed.
    """

    area: Array
    rough: Array
    price: Array
    wall: Array
    dug: Array

    def least_right(self, wanted: Array) -> Array:
        """Least right move that each left one needs (stations, moves) to convey as much."""
        k = self.area.shape[2]
        held = together(
            self.area[0][:, :, None] + self.area[1][:, None, :],
            self.rough[0][:, :, None] + self.rough[1][:, None, :],
        )
        enough = held >= wanted[:, None, None] * (1 - 1e-9)
        enough &= np.isfinite(self.price[0])[:, :, None] & np.isfinite(self.price[1])[:, None, :]
        # from which right move on there is always enough; never less for a smaller left one
        from_there = k - np.logical_and.accumulate(enough[:, :, ::-1], axis=2).sum(axis=2)
        return np.asarray(np.maximum.accumulate(from_there[:, ::-1], axis=1)[:, ::-1])


def together(area: Array, rough: Array) -> Array:
    """Conveyance by Manning's formula with the composite roughness of HEC-RAS.

    K = A^(5/3) / (Σ P n^1.5)^(2/3): both sums can be taken bank by bank.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(rough > 0, area ** (5 / 3) / rough ** (2 / 3), 0.0))


def bank_choices(
    river: River,
    stations: Array,
    level: Array,
    offsets: Array,
    moves: Array,
    menu: list[Wall | None],
    *,
    digs: bool = False,
) -> Banks:
    """The wall of each move: the cheapest with which the bank conveys what it does now.

    Where none does, it is the one that conveys most, and the other bank has to make up for it.
    ``offsets`` (2, stations) are the approved line's; ``digs``: what is dug is asked for.
    """
    shape = (2, len(stations), len(moves), len(menu))
    area, rough, price = np.zeros(shape), np.ones(shape), np.full(shape, np.inf)
    dug = np.zeros(shape)
    now = np.empty((2, len(stations)))
    for side in (0, 1):
        for i, at in enumerate(stations):
            half = river.halves[side][at]
            now[side, i] = together(*(np.array(v) for v in half.holds(level[i])))
            for w, wall in enumerate(menu):
                for m, move in enumerate(moves):
                    made = river.rebuilt(side, at, float(offsets[side, i]), float(move), wall)
                    if at in river.covered and wall is None:  # where no move is allowed
                        made = half
                    if made is not None:
                        area[side, i, m, w], rough[side, i, m, w] = made.holds(level[i])
                        price[side, i, m, w] = 0.0 if wall is None else wall.wall_yuan_m
                        dug[side, i, m, w] = made.dug(half) if digs else 0.0
    alone = np.where(np.isfinite(price), together(area, rough), -1.0)
    enough = alone >= now[:, :, None, None] * (1 - 1e-9)
    cheapest = np.where(enough, price, np.inf).argmin(axis=3)
    wall = np.where(enough.any(axis=3), cheapest, alone.argmax(axis=3))
    area, rough, price, dug = (
        np.take_along_axis(v, wall[..., None], axis=3)[..., 0] for v in (area, rough, price, dug)
    )
    return Banks(area, rough, price, wall, dug)
