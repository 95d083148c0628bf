"""What may each river do, and what is allowed there? The input of a search within a rise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.boundaries import Boundary
from pinghu_geo.flood.hydraulics import ProfileCase, profile_case
from pinghu_geo.flood.rises import freeboard_rows, rise_table
from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.errors import HydraulicsError, LayerError, OptimiseError
from pinghu_geo.nouns.schema import nearest
from pinghu_geo.river.centreline import Centrelines
from pinghu_geo.river.chainage import ChainageScale, format_chainage
from pinghu_geo.search.contacts import Approved, contacts
from pinghu_geo.search.jogs import Bends
from pinghu_geo.search.offsets import CLEAR_M, costs, locked, prices, require_room
from pinghu_geo.search.problem import EXCESS_M, LEAST_GROWTH
from pinghu_geo.search.stretch import Base, Options, Reach
from pinghu_geo.search.thresholds import changes, touches_of
from pinghu_geo.search.walls import River

__all__ = [
    "Asked", "LaidOut", "Tables", "allowed_by_flood", "check_confluences", "flood_rows",
    "joined_tables", "kept", "largest_rise",
]  # fmt: skip

# what the search keeps below the rise allowed [m]: more than its tables and the profile differ
RESERVE_M = 2e-5

Tables = tuple[pd.DataFrame, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is given, and how it is searched."""

    rivers: gpd.GeoDataFrame
    widths: pd.DataFrame
    approved: gpd.GeoDataFrame  # its red line
    buildings: gpd.GeoDataFrame
    rates: pd.DataFrame | None
    locks: pd.DataFrame | None
    limits: Mapping[str, float]
    flows: pd.DataFrame | float
    downstream: Boundary
    losses: dict[str, Any]
    allowed_mm: float | Mapping[str, float]
    freeboard_m: float | None
    options: Options
    node_stations: int
    bends: Bends | None
    structures: pd.DataFrame | None
    structure_parts: pd.DataFrame | None
    seconds: float | None
    allowed: dict[str, float] = field(default_factory=dict)  # rise [mm] by flood

    @property
    def priced(self) -> bool:
        """Whether sums are yuan; else they are m² of floor area."""
        return self.rates is not None

    def again(self, allowed_mm: float, works_weight: float) -> Asked:
        """The same search with another rise of the first flood and other prices of works."""
        prices = {k: v * works_weight for k, v in self.limits.items() if "_yuan_" in k}
        walls = [
            None if w is None else w._replace(wall_yuan_m=w.wall_yuan_m * works_weight)
            for w in self.options.walls
        ]
        return replace(
            self,
            allowed_mm=self.allowed | {next(iter(self.allowed)): allowed_mm},
            limits=dict(self.limits) | prices,
            options=self.options._replace(walls=walls),
        )

    def laid_out(self, sections: pd.DataFrame, banks: pd.DataFrame | None) -> ProfileCase:
        """The whole river as the flood sees it, by these sections."""
        return profile_case(
            sections, self.flows, self.downstream, banks=banks, rivers=self.rivers,
            structures=self.structures, structure_parts=self.structure_parts, **self.losses,
        )  # fmt: skip

    def reach(self, river: River, lines: Centrelines, now: LaidOut) -> Reach:
        """One river: its options with their prices, its buildings, its base flow."""
        laid, name = now.case.laid, str(river.stations["river"].iloc[0])
        code = lines.names.index(name)
        approved = Approved.of(lines, code, self.widths)
        rows = np.flatnonzero((laid.stations["river"] == name).to_numpy())
        measure = laid.stations["measure"].to_numpy()[rows]
        require_room(measure, self.limits, name)
        base = approved.base(measure)
        clear = max(self.limits["clear_m"], CLEAR_M)
        moves, taper = self.options.moves, self.limits["taper"]
        walls = contacts(
            self.buildings, lines, code, approved, moves, clear_m=clear, taper=taper
        )  # fmt: skip
        touch = touches_of(walls, measure, moves, changes(measure, moves, taper), pairs=True)
        floods, levels, most, calm = [], [], [], np.ones(len(rows), bool)
        for k, (flood, allowed_mm) in enumerate(self.allowed.items()):
            flow = now.case.q[flood][rows]
            model = laid.model(rows[:, None], flow[:, None], profiles=(flood,), **self.losses)
            own = flood_rows(now.profile, name, flood)
            level = own["level_m"].to_numpy()
            state = model.state(rows, flow, level)
            parts = flow[:, None] * state.share
            parts = parts[:-1] + parts[1:]
            length = (parts * model.lengths[rows[:-1]]).sum(axis=1) / parts.sum(axis=1)
            critical = own["doubts"].str.contains("critical_default|unbalanced", regex=True)
            calm &= (state.grows > LEAST_GROWTH) & ~critical.to_numpy(bool)
            high = np.maximum(level + allowed_mm / 1000 - RESERVE_M, level + EXCESS_M)
            if self.freeboard_m is not None and k == 0:
                top = np.minimum(river.top(0), river.top(1))
                high = np.maximum(np.minimum(high, top - self.freeboard_m), level + EXCESS_M)
            floods.append(Base(flood, model, np.append(length, 0.0)))
            levels.append(level)
            most.append(high)
        kinds = self.options.kinds()
        dug = river.dug(base, kinds) if self.limits["works_yuan_m3"] > 0 else np.zeros(len(kinds))
        crossed = tuple(np.flatnonzero(np.isin(rows, list(laid.crossings))).tolist())
        covers = (k + way for k in river.covered for way in (-1, 0))
        return Reach(
            name, river, self.buildings.index[touch.ids].to_numpy(), measure, base, touch, walls,
            costs(self.buildings.iloc[touch.ids], self.rates),
            self.options, self.works(name, lines.scales[code], measure, approved, dug),
            tuple(floods), np.stack(levels), np.stack(most), calm,
            crossed, frozenset(crossed).union(covers),
        )  # fmt: skip

    def works(
        self, name: str, scale: ChainageScale, measure: Array, approved: Approved, dug: Array
    ) -> Array:
        """Price of each option at each station (2, stations, options); infinite: not allowed."""
        options = self.options
        wall = np.array([0.0 if w is None else w.wall_yuan_m for w in options.walls])
        price = prices(
            approved.base(measure), measure, options.move(), options.base, self.limits,
            locked(self.locks, name, measure, scale), wall_yuan_m=wall[options.wall()],
            dug_m2=dug,
        )  # fmt: skip
        still = np.arange(options.many) == options.base
        outside = (measure < approved.at[0] - 1e-6) | (measure > approved.at[-1] + 1e-6)
        price[:, outside] = np.where(still, price[:, outside], np.inf)
        shut = ~np.isfinite(price[:, :, options.base]).all(axis=0)
        if shut.any():
            raise OptimiseError(
                f"{name}: locks forbid the approved line, with which nodes begin and end, at",
                ids=[format_chainage(c) for c in scale.chainage(measure[shut])],
                hint="move the approved line there first: change its width table",
            )
        return price


class LaidOut(NamedTuple):
    """A design as the flood sees it: laid out once, and its profile."""

    case: ProfileCase
    profile: pd.DataFrame

    @classmethod
    def of(cls, case: ProfileCase) -> LaidOut:
        """With its profile computed."""
        return cls(case, case.profile())

    def rise_to(self, after: LaidOut) -> pd.DataFrame:
        """Rise to another design, and its freeboard."""
        top = freeboard_rows(after.profile, after.case.laid)
        return rise_table(self.profile, after.profile).assign(
            **{c: top[c] for c in ("freeboard_left_m", "freeboard_right_m")}
        )


def joined_tables(made: Mapping[str, Tables]) -> Tables:
    """Sections and banks of all rivers."""
    points, banks = zip(*made.values(), strict=True)
    return pd.concat(points, ignore_index=True), pd.concat(banks, ignore_index=True)


def flood_rows(profile: pd.DataFrame, river: str, flood: str) -> pd.DataFrame:
    """One flood on one river, upstream first."""
    rows: pd.DataFrame = profile[(profile["profile"] == flood) & (profile["river"] == river)]
    return rows


def check_confluences(now: LaidOut) -> None:
    """A river can't bring more than the one it joins carries on."""
    edges, stations = now.case.edges, now.case.laid.stations
    flow = next(iter(now.case.q.values()))
    below = edges.downstream
    if "joins" not in below:
        return
    for row in below[below["boundary"] == "river"].to_dict("records"):
        own, main = (flow[(stations["river"] == row[c]).to_numpy()] for c in ("river", "joins"))
        if not len(own) or not len(main):
            continue
        at = edges.scales[str(row["joins"])].measure(float(row["joins_at_m"]), beyond=True)
        gap = np.abs(stations.loc[stations["river"] == row["joins"], "measure"].to_numpy() - at)
        here = int(np.argmin(gap))
        carries, brings = float(main[here : here + 2].max()), float(own[-1])
        if brings > carries * 1.001:
            raise HydraulicsError(
                f"gives {row['river']} {brings:g} m³/s where it joins {row['joins']}, which "
                f"carries only {carries:g} m³/s on",
                layer="flows",
                ids=[f"{row['joins']} {format_chainage(float(row['joins_at_m']))}"],
                hint="a row of flows at the confluence, with what comes together there",
            )


def allowed_by_flood(
    allowed_mm: float | Mapping[str, float], profile: pd.DataFrame
) -> dict[str, float]:
    """Rise allowed [mm] by the name of the flood, in the order of the flows."""
    names = [str(name) for name in profile["profile"].unique()]
    if not isinstance(allowed_mm, Mapping):
        return {names[0]: float(allowed_mm)}
    unknown = [name for name in allowed_mm if str(name) not in names]
    if unknown or not allowed_mm:
        given = str(unknown[0]) if unknown else ""
        raise LayerError(
            f"allowed_mm names {given!r}, which flows doesn't hold", layer="limits",
            hint=nearest(given, names),
        )  # fmt: skip
    return {name: float(allowed_mm[name]) for name in names if name in allowed_mm}


def largest_rise(rise: pd.DataFrame, flood: str) -> float:
    """Largest rise of a flood [mm]."""
    return float(rise.loc[rise["profile"] == flood, "rise_mm"].max())


def kept(rise: pd.DataFrame, allowed: Mapping[str, float]) -> bool:
    """Whether every flood that has an allowed rise keeps it."""
    return all(largest_rise(rise, name) <= most + 1e-3 for name, most in allowed.items())
