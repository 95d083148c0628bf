"""What holds the water at the ends of a river? Levels, slopes, rating curves, other rivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from pinghu_geo.flood.between import Standing, levels_between
from pinghu_geo.flood.junctions import (
    Branch,
    End,
    Junction,
    energies_asked,
    junction_level,
    junctions_of,
    level_with_less,
    refuse_circles,
    refuse_unknown_rivers,
)
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.steady import Model, normal_level
from pinghu_geo.flood.survey import Laid, for_river
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.schema import nearest, numbers, one_of
from pinghu_geo.river.chainage import ChainageScale, format_chainage

__all__ = [
    "Boundaries",
    "Boundary",
    "boundary_table",
    "for_profile",
    "joined_last",
    "lowest_sections",
]

Boundary: TypeAlias = pd.DataFrame | Mapping[str, Any]


def boundary_table(given: Boundary | None, layer: str) -> pd.DataFrame:
    """Boundaries as a table whose column ``boundary`` says the kind."""
    if given is None:
        return pd.DataFrame({"boundary": []})
    table = given.copy() if isinstance(given, pd.DataFrame) else pd.DataFrame([dict(given)])
    known = {"river", "profile", "boundary", "level_m", "slope", "discharge_m3s", "joins",
             "joins_at_m", "datum", "line"}  # fmt: skip
    for column in table.columns:
        if column not in known:
            raise HydraulicsError(
                f"{column!r} is no column of boundaries", layer=layer, hint=nearest(column, known)
            )
    for column in ("level_m", "slope", "discharge_m3s", "joins_at_m"):
        if column in table:
            table[column] = numbers(table, column, layer)
    kind = table["boundary"].astype(object) if "boundary" in table else pd.Series(None, table.index)
    kinds = {"level_m": "level", "slope": "normal", "joins": "river"}
    stated = table[[c for c in kinds if c in table]].notna().sum(axis=1)
    if (several := kind.isna() & (stated > 1)).any():
        raise HydraulicsError(
            "says several of level_m, slope and joins, but not which of them holds",
            layer=layer,
            ids=table.index[several],
            hint="leave one of them, or name the boundary (边界类型): level, normal or river",
        )
    for column, word in kinds.items():
        if column in table:
            kind = kind.where(kind.notna() | table[column].isna(), word)
    if kind.isna().any():
        raise HydraulicsError(
            "says neither level_m, slope, joins nor boundary",
            layer=layer,
            ids=table.index[kind.isna()],
            hint='{"level_m": 3.2}, {"slope": 0.001} or {"boundary": "critical"}',
        )
    for word in kind:
        one_of(word, ("level", "normal", "critical", "rating", "river"), f"{layer} boundary")
    table = table.assign(boundary=kind)
    _refuse_unsaid(table, layer)
    return table


# normal depth's: 1e-6 is a millimetre a kilometre, of which the flattest tidal rivers have some; by
# 1 water falls, and Manning's formula says nothing of it
LEAST_SLOPE, MOST_SLOPE = 1e-6, 1.0

# what a boundary of each kind says
SAYS = {
    "level": ("level_m",), "normal": ("slope",), "rating": ("discharge_m3s", "level_m"),
    "river": ("joins", "joins_at_m"),
}  # fmt: skip


def _refuse_unsaid(table: pd.DataFrame, layer: str) -> None:
    """Refuse boundaries that lack what their kind needs."""
    for kind, columns in SAYS.items():
        mine = table["boundary"] == kind
        for column in columns:
            lacks = mine & (table[column].isna() if column in table else True)
            if lacks.any():
                raise HydraulicsError(
                    f"lacks {column} of a boundary {kind}",
                    layer=layer,
                    ids=table.index[lacks],
                    hint=f"fill in {column}, or leave these rows out",
                )


def joined_last(
    stations: pd.DataFrame,
    downstream: pd.DataFrame,
    junctions: Mapping[str, Junction] | None = None,
) -> list[str]:
    """Rivers in an order in which each comes after those whose level it takes."""
    rivers = list(stations["river"].unique())
    _refuse_double_ends(rivers, downstream, junctions or {})
    into = {river: _rivers_below(river, downstream, junctions or {}) for river in rivers}
    order: list[str] = []
    while len(order) < len(rivers):
        ready = [r for r in rivers if r not in order and set(into[r]) <= set(order)]
        if not ready:
            left = [r for r in rivers if r not in order]
            raise HydraulicsError(
                f"{left[0]} joins {'、'.join(into[left[0]])}, which has no sections or joins it "
                "back",
                layer="boundaries",
                hint="give the main river's sections too, or a level",
            )
        order += ready
    return order


def _rivers_below(
    river: str, downstream: pd.DataFrame, junctions: Mapping[str, Junction]
) -> list[str]:
    """Rivers on whose levels a river's lower end hangs."""
    if river in junctions:
        return list(junctions_of(junctions, river))
    rows = downstream[for_river(downstream, river)]
    joins = list(rows.loc[rows["boundary"] == "river", "joins"]) if "joins" in rows else []
    return list(dict.fromkeys(joins))


def _refuse_double_ends(
    rivers: list[str], downstream: pd.DataFrame, junctions: Mapping[str, Junction]
) -> None:
    """Refuse junctions of rivers without sections, and rivers with a junction and another end."""
    refuse_unknown_rivers(junctions, rivers)
    refuse_circles(junctions)
    named = downstream["river"] if "river" in downstream else pd.Series(None, downstream.index)
    both = named.isin(list(junctions))
    if both.any():
        raise HydraulicsError(
            "has a boundary for rivers that flow into a junction", layer="downstream",
            ids=named[both].unique(),
            hint="leave these rows out: the junction holds the water; or take it out of junctions",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Boundaries at both ends."""

    downstream: pd.DataFrame
    upstream: pd.DataFrame
    junctions: Mapping[str, Junction]
    lowest: Mapping[tuple[str, str, str], tuple[int, float]]  # row and discharge
    scales: Mapping[str, ChainageScale]
    standing: Mapping[str, Standing]  # structures by river
    least: bool = False  # where a river parts the branch counts that asks for the least energy

    def below(self, river: str) -> list[str]:
        """Rivers on whose levels a river's lower end hangs."""
        return _rivers_below(river, self.downstream, self.junctions)

    def stands_alone(self, which: Literal["downstream", "upstream"], river: str) -> bool:
        """Whether the level at an end hangs on no other river."""
        if which == "downstream" and river in self.junctions:
            return False
        table = getattr(self, which)
        return not (table.loc[for_river(table, river), "boundary"] == "river").any()

    def _lowest(self, river: str, profile: str, scheme: str) -> tuple[int, float]:
        """A river's lowest section; where it has no such scheme, that of its first one."""
        found = self.lowest.get((river, profile, scheme))
        if found is None:
            found = next(v for (r, p, _), v in self.lowest.items() if (r, p) == (river, profile))
        return found

    def _level_across_junction(
        self,
        model: Model,
        river: str,
        profiles: list[str],
        schemes: Array,
        solved: Mapping[str, pd.DataFrame],
    ) -> Array:
        """Level of each column across the junction at the river's lower end."""
        level = np.empty(len(profiles))
        for k, both in enumerate(zip(profiles, schemes, strict=True)):
            mine, into, out = self._junction_ends(river, *both, solved)
            level[k] = junction_level(model, self.junctions[river], mine, into, out)
            if self.least and len(out) > 1:
                asked = energies_asked(model, mine, out)
                level[k] = level_with_less(model, mine, level[k], max(asked) - min(asked))
        return level

    def _junction_ends(
        self, river: str, profile: str, scheme: str, solved: Mapping[str, pd.DataFrame]
    ) -> tuple[End, list[End], list[End]]:
        """Ends of rivers at the junction that one flows into: its own, all into it, all out."""
        junction = self.junctions[river]
        out = [_end_section(solved, b, profile, scheme, first=True) for b in junction.out]
        into = [End(b, *self._lowest(b.river, profile, scheme), np.nan) for b in junction.into]
        return next(e for e in into if e.branch.river == river), into, out

    def parts(self, river: str) -> bool:
        """Whether a river parts into several at its lower end."""
        return river in self.junctions and len(self.junctions[river].out) > 1

    def energies_asked(
        self, model: Model, river: str, profiles: list[str], schemes: Array,
        solved: Mapping[str, pd.DataFrame],
    ) -> Array:  # fmt: skip
        """Energies that branches ask for where a river parts, (columns, branches) [m]."""
        each = zip(profiles, schemes, strict=True)
        ends = [self._junction_ends(river, *both, solved) for both in each]
        return np.array([energies_asked(model, mine, out) for mine, _, out in ends])

    def levels(
        self,
        which: Literal["downstream", "upstream"],
        model: Model,
        river: str,
        profiles: list[str],
        schemes: Array,
        solved: Mapping[str, pd.DataFrame],
        critical: Array,
    ) -> Array:
        """Level of each column at one end of a river."""
        table = getattr(self, which)
        row = model.rows[-1 if which == "downstream" else 0]
        flow = model.discharge[-1 if which == "downstream" else 0]
        level = np.empty(len(profiles))
        if which == "downstream" and river in self.junctions:
            return self._level_across_junction(model, river, profiles, schemes, solved)
        for profile in dict.fromkeys(profiles):
            k = np.flatnonzero([p == profile for p in profiles])
            mine = table[for_river(table, river) & for_profile(table, profile)]
            kinds = mine["boundary"].unique()
            if len(kinds) != 1 or (kinds[0] != "rating" and len(mine) > 1):
                of = f"{river} {profile}".rstrip()
                raise HydraulicsError(
                    f"has no {which} boundary for {of}"
                    if mine.empty
                    else f"has more than one {which} boundary for {of}",
                    layer="boundaries",
                    hint=f'{which}={{"level_m": 3.2}} or {{"slope": 0.001}}, or a row a river',
                )
            one = mine.iloc[0]
            if kinds[0] == "level":
                level[k] = float(one["level_m"])
            elif kinds[0] == "critical":
                level[k] = critical[k]
            elif kinds[0] == "normal":
                level[k] = _normal_depth_level(model, row[k], flow[k], float(one["slope"]), river)
            elif kinds[0] == "rating":
                level[k] = _rating_curve_level(mine, flow[k], river)
            else:
                level[k] = self._level_at_confluence(one, solved, profile, schemes[k])
        return level

    def _level_at_confluence(
        self, one: pd.Series, solved: Mapping[str, pd.DataFrame], profile: str, schemes: Array
    ) -> Array:
        """Levels by scheme of the river that is joined, between its sections."""
        main = solved[one["joins"]]
        main = main[main["profile"] == profile]
        at = float(one["joins_at_m"])
        scale = self.scales.get(str(one["joins"]))
        standing = self.standing.get(str(one["joins"]))
        here = at if scale is None else float(scale.measure([at], beyond=True)[0])
        chainage, level = (main[c].to_numpy(float) for c in ("chainage_m", "level_m"))
        rows = main.groupby("scheme", sort=False, observed=True).indices
        found: dict[Any, float] = {}
        for scheme in dict.fromkeys(schemes):
            mine = rows[scheme if scheme in rows else next(iter(rows))]
            own = chainage[mine]
            along = own if scale is None else scale.measure(own, twice="order", beyond=True)
            order = np.argsort(along, kind="stable")
            along, own = along[order], own[order]
            if not along[0] <= here <= along[-1]:
                raise HydraulicsError(
                    f"joins {one['joins']} at {format_chainage(at)}, where that has no sections",
                    layer="boundaries",
                    hint=f"joins_at_m between {format_chainage(own[0])} and "
                    f"{format_chainage(own[-1])}",
                )
            stands = None if standing is None else standing.of(scheme)
            [found[scheme]] = levels_between(along, level[mine][order], np.array([here]), stands)
        return np.array([found[scheme] for scheme in schemes])


def lowest_sections(
    laid: Laid, q: Mapping[str, Array]
) -> dict[tuple[str, str, str], tuple[int, float]]:
    """Row and discharge of the lowest section of each river, profile and scheme."""
    last = laid.stations.groupby(["scheme", "river"], sort=False).tail(1)
    return {
        (river, profile, scheme): (int(row), float(values[row]))
        for row, scheme, river in zip(last.index, last["scheme"], last["river"], strict=True)
        for profile, values in q.items()
    }


def _end_section(
    solved: Mapping[str, pd.DataFrame], branch: Branch, profile: str, scheme: str, *, first: bool
) -> End:
    """First or last section of a river that is solved."""
    table = solved[branch.river]
    schemes = set(table["scheme"])
    mine = table[
        (table["profile"] == profile)
        & (table["scheme"] == (scheme if scheme in schemes else next(iter(schemes))))
    ]
    one = mine.iloc[0 if first else -1]
    return End(branch, int(one["_row"]), float(one["discharge_m3s"]), float(one["level_m"]))


def for_profile(table: pd.DataFrame, profile: str) -> Array:
    """Rows that speak of a profile, or of all."""
    if "profile" not in table.columns:
        return np.ones(len(table), bool)
    mask: Array = (table["profile"].isna() | (table["profile"] == profile)).to_numpy(bool)
    return mask


def _normal_depth_level(model: Model, rows: Array, flow: Array, slope: float, river: str) -> Array:
    if not slope > 0:
        raise HydraulicsError(
            f"has the slope {slope:g} for {river}; normal depth needs one above 0",
            layer="boundaries",
            hint='{"slope": 0.001}, as a ratio',
        )
    if not LEAST_SLOPE <= slope <= MOST_SLOPE:
        raise HydraulicsError(
            f"has the slope {slope:g} for {river}, which no river has: they fall by {LEAST_SLOPE:g}"
            f" to {MOST_SLOPE:g}",
            layer="boundaries",
            hint='{"slope": 0.001}, as a ratio: 1 per mille (1‰) is 0.001; or {"level_m": 3.2}',
        )
    level = normal_level(model.sections, rows, flow, np.full(len(rows), slope))
    carried = model.sections.wetted(rows, level).total_conveyance * np.sqrt(slope)
    if (short := carried < flow * (1 - 1e-6)).any():
        raise HydraulicsError(
            f"has no uniform flow of {flow[short][0]:g} m³/s at the slope {slope:g} under the lid "
            f"at the end of {river}: it carries {carried[short][0]:.4g}",
            layer="boundaries",
            hint='{"level_m": 3.2}, what holds the water where the covered reach ends',
        )
    return level


def _rating_curve_level(rows: pd.DataFrame, flow: Array, river: str) -> Array:
    """Levels of a rating curve; never beyond its ends."""
    curve = rows.sort_values("discharge_m3s")
    q, z = (numbers(curve, c, "boundaries").to_numpy() for c in ("discharge_m3s", "level_m"))
    falls = np.flatnonzero((np.diff(z) < 0) | (np.diff(q) == 0))
    if len(falls):
        raise HydraulicsError(
            f"has a rating curve of {river} that falls, or has a discharge twice",
            layer="boundaries",
            ids=curve.index[np.union1d(falls, falls + 1)],
            hint="more water stands no lower: one level_m for each discharge_m3s",
        )
    beyond = flow[(flow < q[0]) | (flow > q[-1])]
    if len(beyond):
        raise HydraulicsError(
            f"the rating curve of {river} runs from {q[0]:g} to {q[-1]:g} m³/s and doesn't reach "
            f"{beyond[0]:g}",
            layer="boundaries",
            hint="extend the curve with the institute that made it",
        )
    level: Array = np.interp(flow, q, z)
    return level
