"""What was surveyed? Tables of sections, banks, obstacles and floods, checked and laid out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pinghu_geo.flood.offsets import is_unsigned, running_back_error
from pinghu_geo.flood.sections import Array, Ground, Lid, Limit, Sections, pack
from pinghu_geo.flood.steady import Barrier, Friction, Model
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.schema import nearest, numbers, one_of, require_columns
from pinghu_geo.river.centreline import river_scales
from pinghu_geo.river.chainage import ChainageScale, begun_anew, format_chainage

__all__ = [
    "GRAVITY_MS2", "Laid", "discharges", "for_river", "lay_sections", "places", "rows_of",
    "runs_of", "sections_apart", "sections_of_schemes",
]  # fmt: skip

GRAVITY_MS2 = 9.81
NUMBERS = (
    "left_bank_m", "right_bank_m", "length_left_m", "length_channel_m", "length_right_m",
    "contraction", "expansion", "left_levee_m", "left_levee_top_m", "right_levee_m",
    "right_levee_top_m", "left_wall_m", "right_wall_m",
)  # fmt: skip

# what stands in a survey for a point that wasn't measured, and how far it lies from all others [m]
SIGNS, FAR_M = (0.0, -1.0, -99.0, -999.0, 999.0, 9999.0), 10.0
# no ground and no flood lies outside of these [m]: the Dead Sea is at -438, Qomolangma at 8849
LOWEST_M, HIGHEST_M = -450.0, 9000.0

# of a covered section: underside, and what it is made of
LID = ("lid_m", "n_lid")


@dataclass(frozen=True, slots=True)
class Laid:
    """Sections of all rivers and schemes, packed; ``stations`` has one row a section.

    Stations run downstream, river by river, scheme by scheme: columns scheme, river, chainage_m,
    measure (grows downstream), repeated (of two places of one chainage: which), left_out ("" or
    what stands below and isn't computed), and what `NUMBERS` lists.
    """

    sections: Sections
    stations: pd.DataFrame
    ground: Ground
    crossings: Mapping[int, Barrier] = field(default_factory=dict)
    reach: Mapping[int, float] = field(default_factory=dict)  # from a section to its bridge
    # length, contraction and expansion of the sections inside bridges, after the stations' own
    inner: Array = field(default_factory=lambda: np.zeros((0, 3)))
    limits: Sequence[Limit] = ()  # what stands in the sections, at most one a section in each
    lid: Lid | None = None  # undersides over covered sections
    held: tuple[int, ...] = ()  # sections that stand once more, last, with their idle areas held
    # section whose n each one inside a bridge has; -1: its own
    rough_as: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))

    @property
    def covered(self) -> frozenset[int]:
        """Sections with a lid."""
        return frozenset() if self.lid is None else frozenset(np.unique(self.lid.section).tolist())

    def model(
        self,
        rows: Array,
        discharge: Array,
        *,
        friction: Friction = "average_conveyance",
        contraction: float = 0.1,
        expansion: float = 0.3,
        gravity: float = GRAVITY_MS2,
        profiles: Sequence[str] = (),
    ) -> Model:
        """What `steady` computes from."""
        table = self.stations
        gap = -np.diff(table["measure"].to_numpy(), append=np.nan, prepend=np.nan)[1:]
        gap = np.where(np.isfinite(gap), np.abs(gap), 0.0)
        lengths = [
            table[f"length_{part}_m"].fillna(pd.Series(gap, index=table.index)).to_numpy()
            for part in ("left", "channel", "right")
        ]
        ways = np.stack(lengths, axis=1)
        gaps = {row: ways[row].copy() for row in self.reach}
        for row, length in self.reach.items():
            ways[row] *= length / ways[row, 1] if ways[row, 1] > 0 else 0.0
        inner = [np.where(np.isfinite(v), v, d) for v, d in
                 zip(self.inner.T, (0.0, contraction, expansion), strict=True)]  # fmt: skip
        narrows, widens = (
            table[c].fillna(d).to_numpy()
            for c, d in (("contraction", contraction), ("expansion", expansion))
        )
        held = list(self.held)
        twins = dict(zip(held, range(len(self.sections) - len(held), len(self.sections)),
                         strict=True))  # fmt: skip
        gaps |= {twins[row]: gaps[row] for row in held if row in gaps}
        return Model(
            self.sections,
            rows,
            discharge,
            np.r_[ways, np.repeat(inner[0][:, None], 3, axis=1), ways[held]],
            np.r_[narrows, inner[1], narrows[held]],
            np.r_[widens, inner[2], widens[held]],
            friction,
            gravity,
            crossings=self.crossings,
            inner=len(self.inner),
            gaps=gaps,
            profiles=tuple(profiles),
            twins=twins,
            soffits={} if self.lid is None else _lid_soffits(self.lid),
        )

    def factors(self, by_station: Array) -> Array:
        """A factor on n of each station as one of each section, also inside bridges."""
        inner = np.where(self.rough_as < 0, 1.0, by_station[self.rough_as])
        return np.asarray(np.r_[by_station, inner, by_station[list(self.held)]])

    def own(self, rows: Array) -> Array:
        """Stations of sections, of which some stand twice."""
        places = np.arange(len(self.sections))
        places[len(self.sections) - len(self.held) :] = self.held
        return np.asarray(places[rows])


def lay_sections(
    sections: pd.DataFrame,
    *,
    banks: pd.DataFrame | None = None,
    obstacles: pd.DataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
) -> Laid:
    """Check tables of sections and pack them; see `water_profile` for the columns."""
    return surveyed_sections(sections, rivers).laid(banks, obstacles)


def surveyed_sections(sections: pd.DataFrame, rivers: gpd.GeoDataFrame | None) -> Surveyed:
    """Points of sections, checked and in order."""
    sections = _outlines_with_lids(sections)
    return Surveyed(**_ordered_points(sections, rivers), in_schemes="scheme" in sections.columns)


@dataclass(frozen=True, slots=True)
class Surveyed:
    """Points of sections, checked and in order, before banks and obstacles are put in."""

    points: dict[str, Array]
    new: Array  # points that begin a section
    stations: pd.DataFrame
    in_schemes: bool  # the sections say of which scheme they are

    def laid(self, banks: pd.DataFrame | None, obstacles: pd.DataFrame | None) -> Laid:
        """Sections with their banks and obstacles, packed; once in each scheme that these name."""
        points, new, stations = self.points, self.new, self.stations
        names = [] if self.in_schemes else list(dict.fromkeys(
            s
            for one in (banks, obstacles)
            if one is not None and "scheme" in one.columns
            for s in one["scheme"].dropna().unique()
        ))  # fmt: skip
        apart = banks is not None and "scheme" in banks.columns
        if not apart:  # looked up and checked once
            stations = _with_banks(stations, banks, _ground_of(points, new))
        if names:
            points = {k: np.tile(v, len(names)) for k, v in points.items()}
            new, size = np.tile(new, len(names)), len(stations)
            stations = stations.iloc[np.tile(np.arange(size), len(names))].reset_index(drop=True)
            stations["scheme"] = pd.Series(names).repeat(size).array
        ground = _ground_of(points, new)
        if apart:
            stations = _with_banks(stations, banks, ground)
        beside = {name: stations[name].to_numpy() for name in NUMBERS}

        def pair(name: str) -> tuple[Array, Array]:
            return beside[f"left_{name}"], beside[f"right_{name}"]

        left, right = pair("levee_m")
        left_top, right_top = pair("levee_top_m")
        limits = _obstacle_limits(obstacles, stations)
        lid = _section_lids(points, ground, stations)
        packed = pack(
            ground,
            banks=pair("bank_m"),
            levees=(left, left_top, right, right_top),
            walls=pair("wall_m"),
            limits=limits,
            lid=lid,
            like=_first_alike_section(beside, limits, len(names)) if len(names) > 1 else None,
        )
        return Laid(packed, stations, ground, limits=limits, lid=lid)


def _ground_of(points: Mapping[str, Array], new: Array) -> Ground:
    """Surveyed points, of which each new one begins a section."""
    count = np.diff(np.append(np.flatnonzero(new), len(new)))
    return Ground(points["offset_m"], points["elevation_m"], points["n"], count)


def _with_banks(stations: pd.DataFrame, banks: pd.DataFrame | None, ground: Ground) -> pd.DataFrame:
    """Sections with what banks says of them."""
    stations = stations.assign(**_banks_by_section(banks, stations))
    _check_banks(stations, ground)
    return stations


def _first_alike_section(
    beside: Mapping[str, Array], limits: Sequence[Limit], schemes: int
) -> Array:
    """Of sections that stand in several schemes: that of the first scheme which has the same.

    The ground is one; banks and what stands in a section may be a scheme's own.
    """
    size = len(next(iter(beside.values())))
    own = np.zeros((schemes, size // schemes), bool)
    told = [
        np.asarray(values).reshape(schemes, -1)
        for values in [*beside.values(), *(v for limit in limits for v in limit[1:])]
    ]
    for of in told:
        own |= (of != of[0]) & ~(np.isnan(of) & np.isnan(of[0]))
    index = np.arange(size).reshape(own.shape)
    alike: Array = np.where(own, index, index[0])
    for k in np.flatnonzero(own.sum(axis=0) > 1):  # a house of the first scheme parts all others
        first: dict[bytes, int] = {}
        rows = np.stack([of[:, k] for of in told], axis=1)
        alike[:, k] = [
            first.setdefault(row.tobytes(), at) for row, at in zip(rows, alike[:, k], strict=True)
        ]
    return alike.ravel()


def _section_lids(
    points: Mapping[str, Array], ground: Ground, stations: pd.DataFrame
) -> Lid | None:
    """Undersides over the sections that have one."""
    low = points.get("lid_m")
    if low is None or not np.isfinite(low).any():
        return None
    bad = low < points["elevation_m"] - 1e-9
    section = ground.section
    if bad.any():
        raise HydraulicsError(
            "has a lid that lies below the ground",
            layer="sections",
            ids=places(stations, np.unique(section[bad])),
            hint="lid_m is the height of the underside, above elevation_m",
        )
    has = np.isfinite(low)
    n = points.get("n_lid", np.full(len(low), np.nan))
    if (bad := has & (n <= 0)).any():
        raise HydraulicsError(
            "has an n_lid of nothing or less", layer="sections",
            ids=places(stations, np.unique(section[bad])),
            hint="Manning's n of the underside, about 0.015; missing: the ground's",
        )  # fmt: skip
    alone = pd.Series(section[has]).value_counts()
    if (alone < 2).any():
        raise HydraulicsError(
            "has a lid of a single point",
            layer="sections",
            ids=places(stations, np.sort(alone.index[alone < 2].to_numpy())),
            hint="lid_m at the point where the cover begins and at that where it ends",
        )
    # between its first and last point a lid is whole
    first = pd.Series(ground.x[has]).groupby(section[has]).agg(["min", "max"])
    inside = np.isin(section, first.index)
    span = first.reindex(section)
    inside &= (ground.x >= span["min"].to_numpy()) & (ground.x <= span["max"].to_numpy())
    if (inside & ~has).any():
        raise HydraulicsError(
            "has a lid with gaps",
            layer="sections",
            ids=places(stations, np.unique(section[inside & ~has])),
            hint="fill lid_m at every point below the cover",
        )
    endless = np.full(int(has.sum()), np.inf)
    return Lid(section[has], ground.x[has], low[has], endless, n[has], n[has])


def _lid_soffits(lid: Lid) -> dict[int, float]:
    """Highest place of each lid, between points that are apart [m]."""
    wide = (np.diff(lid.section) == 0) & (np.diff(lid.x) > 0)
    high = np.maximum(lid.low[:-1], lid.low[1:])[wide]
    top = pd.Series(high).groupby(lid.section[:-1][wide]).max()
    return dict(zip(top.index.tolist(), top.tolist(), strict=True))


def _outlines_with_lids(sections: pd.DataFrame) -> pd.DataFrame:
    """Closed outlines (the last point is the first) as ground with a lid; others as they are."""
    if not {"river", "chainage_m", "offset_m", "elevation_m"} <= set(sections.columns):
        return sections
    keys = [c for c in ("scheme", "river", "chainage_m") if c in sections.columns]
    x = pd.to_numeric(sections["offset_m"], errors="coerce").to_numpy()
    back = np.flatnonzero(np.diff(x) < 0) + 1
    for column in keys:
        here, before = (sections[column].iloc[k].reset_index(drop=True) for k in (back, back - 1))
        back = back[(here == before).to_numpy(bool)]
    if not len(back):
        return sections
    wrong = pd.MultiIndex.from_frame(sections[keys].iloc[back]).unique()
    mine = pd.MultiIndex.from_frame(sections[keys]).isin(wrong)
    parts = [sections[~mine]]
    for _, part in sections[mine].groupby(keys, sort=False, dropna=False):
        ends = part[["offset_m", "elevation_m"]].to_numpy(float)[[0, -1]]
        closed = (ends[0] == ends[1]).all() and not _falls_to_centre(part)
        parts.append(_outline_with_lid(part) if closed else part)
    return pd.concat(parts, ignore_index=True)


def _falls_to_centre(part: pd.DataFrame) -> bool:
    """Whether points with unsigned distances fall from bank to bed and rise again: no outline.

    An outline counted from its left end is as high there as its roof is, or half of it.
    """
    x, z = part[["offset_m", "elevation_m"]].to_numpy(float).T
    nearest_z = z[x == x.min()].max()
    return bool(is_unsigned(x) and z[0] == z.max() and 2 * nearest_z < z.min() + z.max())


def _outline_with_lid(part: pd.DataFrame) -> pd.DataFrame:
    """A closed outline as its lower side with the upper one as lid."""
    xz = part[["offset_m", "elevation_m"]].to_numpy(float)[:-1]
    n = (
        (part["n"] if "n" in part.columns else pd.Series(np.nan, part.index))
        .ffill()
        .to_numpy()[:-1]
    )
    left = max(np.flatnonzero(xz[:, 0] == xz[:, 0].min()), key=lambda k: xz[k, 1])
    turn = np.roll(np.arange(len(xz)), -left)
    right = max(np.flatnonzero(xz[turn, 0] == xz[:, 0].max()), key=lambda k: xz[turn[k], 1])
    one, other = turn[: right + 1], np.r_[turn[right:], turn[0]][::-1]
    below, above = sorted((one, other), key=lambda k: float(_mean_height(xz[k])))
    gx, gz, gn = xz[below, 0], xz[below, 1], n[below]
    lx, lz = xz[above, 0], xz[above, 1]
    if (np.diff(gx) < 0).any() or (np.diff(lx) < 0).any():
        return part  # overhanging: refused as offsets that run back
    more = np.setdiff1d(lx, gx)
    at = np.searchsorted(gx, more)
    gz = np.insert(gz, at, np.interp(more, gx, gz))
    gn = np.insert(gn, at, gn[at - 1])
    gx = np.insert(gx, at, more)
    same = {c: part[c].iloc[0] for c in part.columns if c in ("river", "chainage_m", "scheme")}
    return pd.DataFrame(
        {**same, "offset_m": gx, "elevation_m": gz, "n": gn, "lid_m": np.interp(gx, lx, lz)}
    )


def _mean_height(xz: Array) -> float:
    run = np.diff(xz[:, 0])
    return float(((xz[1:, 1] + xz[:-1, 1]) / 2 * run).sum() / run.sum())


def _ordered_points(sections: pd.DataFrame, rivers: gpd.GeoDataFrame | None) -> dict[str, Any]:
    """Points of all sections in order, where each section begins, and a table of sections."""
    require_columns(sections, ("river", "chainage_m", "offset_m", "elevation_m"), "sections")
    if sections.empty:
        raise HydraulicsError("has no rows", layer="sections", hint="read the surveyed sections")
    values: dict[str, Any] = {
        c: numbers(sections, c, "sections").to_numpy()
        for c in ("chainage_m", "offset_m", "elevation_m", "n", *LID)
        if c in sections.columns or c not in LID
    }
    left_out = np.full(len(sections), "", object)
    if "left_out" in sections.columns:
        left_out = sections["left_out"].astype(object).fillna("").to_numpy()
    for column in ("chainage_m", "offset_m", "elevation_m"):
        bad = ~np.isfinite(values[column])
        if bad.any():
            raise HydraulicsError(
                f"lacks {column} in rows",
                layer="sections",
                ids=sections.index[bad],
                hint='sections["chainage_m"] = sections["chainage_m"].ffill()  # if a blank is as '
                "above"
                if column == "chainage_m"
                else f'sections = sections.dropna(subset=["{column}"])',
            )
    nameless = sections["river"].isna().to_numpy()
    if nameless.any():
        raise HydraulicsError(
            "has rows without a river",
            layer="sections",
            ids=sections.index[nameless],
            hint="write the river in each row; a merged cell speaks for the rows that it covers",
        )
    river, names = _codes_and_names(sections["river"])
    scheme, schemes = (
        _codes_and_names(sections["scheme"])
        if "scheme" in sections.columns
        else (np.zeros(len(sections), int), np.array([""], dtype=object))
    )
    measure = _downstream_measures(values["chainage_m"], river, [str(n) for n in names], rivers)
    new = _rows_that_begin((measure, river, scheme))
    at = np.flatnonzero(new)
    if _is_unsorted((measure[at], river[at], scheme[at])):
        turn = np.lexsort((measure, river, scheme))
        river, scheme, measure = river[turn], scheme[turn], measure[turn]
        values = {k: v[turn] for k, v in values.items()}
        left_out = left_out[turn]
        new = _rows_that_begin((measure, river, scheme))
        at = np.flatnonzero(new)
    stations = pd.DataFrame(
        {
            "scheme": np.asarray(schemes, dtype=object)[scheme[at]],
            "river": np.asarray(names, dtype=object)[river[at]],
            "chainage_m": values["chainage_m"][at],
            "measure": measure[at],
            "repeated": _which_of_repeated(
                measure[at], values["chainage_m"][at], river[at], [str(n) for n in names], rivers
            ),
            "left_out": left_out[at],
        }
    )
    count = np.diff(np.append(at, len(new)))
    section = np.repeat(np.arange(len(at)), count)
    values["n"] = _roughness_carried_on(values["n"], new)
    _check_points(values, section, new, count, stations)
    return {"points": values, "new": new, "stations": stations}


def runs_of(column: pd.Series) -> tuple[Array, Array, pd.Index]:
    """Lengths of the runs of equal values, the code of each, and the names that codes stand for.

    A million points have a few rivers and schemes, one after the other: of text, each run is
    looked up once, where pandas looks up each row.
    """
    if not isinstance(column.array, pd.arrays.ArrowStringArray):
        code, names = pd.factorize(column, use_na_sentinel=False)
        return np.ones(len(code), int), code, names
    stops = pc.run_end_encode(pa.chunked_array(pa.array(column)).combine_chunks()).run_ends
    length = np.diff(stops.to_numpy(), prepend=0)
    code, names = pd.factorize(column.iloc[np.cumsum(length) - length], use_na_sentinel=False)
    return length, code, names


def _codes_and_names(column: pd.Series) -> tuple[Array, pd.Index]:
    """Code of each row, and the names that codes stand for."""
    length, code, names = runs_of(column)
    return np.repeat(code, length), names


def _rows_that_begin(keys: tuple[Array, ...]) -> Array:
    """Rows in which one of the keys is another than in the row before."""
    new = np.ones(len(keys[0]), bool)
    new[1:] = False
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return new


def _is_unsorted(keys: tuple[Array, ...]) -> bool:
    """Whether rows don't follow scheme, river and measure."""
    measure, river, scheme = keys
    later = (np.diff(scheme) > 0) | ((np.diff(scheme) == 0) & (np.diff(river) > 0))
    same = (np.diff(scheme) == 0) & (np.diff(river) == 0)
    return bool((~later & ~(same & (np.diff(measure) >= 0))).any())


def _downstream_measures(
    chainage: Array, river: Array, names: list[str], rivers: gpd.GeoDataFrame | None
) -> Array:
    """Distance downstream of each chainage [m]."""
    if rivers is None:
        return chainage
    scales = river_scales(rivers)
    for name in names:
        if name not in scales:
            raise HydraulicsError(
                f"names the river {name!r}, which rivers doesn't hold",
                layer="sections",
                hint=nearest(name, scales),
            )
    measure = np.empty(len(chainage))
    for k, name in enumerate(names):
        mine = river == k
        measure[mine] = scales[name].measure(chainage[mine], twice="order")
    return measure


def _which_of_repeated(
    measure: Array,
    said: Array,
    river: Array,
    names: list[str],
    rivers: gpd.GeoDataFrame | None,
) -> Array:
    """Which of two places of one chainage a measure is {above, below}; None of a single one."""
    found = np.full(len(measure), None, object)
    scales = {} if rivers is None else river_scales(rivers)
    for k, name in enumerate(names):
        if name in scales and scales[name].equations:
            mine = river == k
            found[mine] = scales[name].repeated(measure[mine], said=said[mine])
    return found


def sections_apart(
    sections: pd.DataFrame, rivers: gpd.GeoDataFrame | None, layer: str
) -> tuple[Array, pd.DataFrame]:
    """Number of each point's section, and the sections by their number.

    Columns river, chainage_m, measure and repeated. Of two sections of one chainage the river's
    equation and their neighbours tell which is which; where they don't, they are refused.
    """
    river, names = pd.factorize(sections["river"], use_na_sentinel=False)
    chainage = numbers(sections, "chainage_m", layer).to_numpy()
    measure = _downstream_measures(chainage, river, [str(n) for n in names], rivers)
    keys = pd.DataFrame({"river": river, "measure": measure})
    number = keys.groupby(["river", "measure"], sort=False).ngroup().to_numpy()
    first = np.unique(number, return_index=True)[1]
    table = pd.DataFrame(
        {
            "river": sections["river"].to_numpy(object)[first],
            "chainage_m": chainage[first],
            "measure": measure[first],
            "repeated": _which_of_repeated(
                measure[first], chainage[first], river[first], [str(n) for n in names], rivers
            ),
        }
    )
    own, of = _by_scheme(sections, number, table)
    _refuse_repeated_chainage(own, numbers(sections, "offset_m", layer).to_numpy(), of, layer)
    return number, table


def _by_scheme(
    sections: pd.DataFrame, number: Array, table: pd.DataFrame
) -> tuple[Array, pd.DataFrame]:
    """Numbers and sections, where a section of several schemes is one in each."""
    if "scheme" not in sections.columns:
        return number, table
    both = pd.DataFrame({"number": number, "scheme": sections["scheme"].to_numpy(object)})
    own = both.groupby(["number", "scheme"], sort=False, dropna=False).ngroup().to_numpy()
    first = np.unique(own, return_index=True)[1]
    of = table.iloc[number[first]].reset_index(drop=True)
    return own, of.assign(scheme=both["scheme"].to_numpy()[first])


def sections_of_schemes(
    sections: pd.DataFrame, rivers: gpd.GeoDataFrame | None, layer: str
) -> tuple[Array, pd.DataFrame]:
    """`sections_apart`, and each scheme's section by itself, with the column scheme if there."""
    return _by_scheme(sections, *sections_apart(sections, rivers, layer))


def _roughness_carried_on(n: Array, new: Array) -> Array:
    """Roughness carried on from point to point within a section."""
    place = np.where(np.isfinite(n) | new, np.arange(len(n)), 0)
    return n[np.maximum.accumulate(place)]


def _check_points(
    values: Mapping[str, Array], section: Array, new: Array, count: Array, stations: pd.DataFrame
) -> None:
    """Refuse sections that hold no water or run back."""
    back = np.r_[False, (np.diff(values["offset_m"]) < 0) & ~new[1:]]
    if back.any():
        _refuse_repeated_chainage(section, values["offset_m"], stations, "sections")
    lost = _unmeasured_points(values["elevation_m"], section, len(stations))
    if lost.any():
        raise HydraulicsError(
            "has heights that stand for no measurement (0, -9999 ...)",
            layer="sections",
            ids=places(stations, np.unique(section[lost])),
            hint="take such points out, or measure them",
        )
    if back.any():
        turned = np.unique(section[back])
        points = [values["offset_m"][section == k] for k in turned]
        found = running_back_error(points, "sections", places(stations, turned))
        raise HydraulicsError(
            "has offsets that run back", layer="sections", ids=found.ids, hint=found.hint
        )
    ends = np.append(np.flatnonzero(new)[1:], len(new)) - 1
    rules = (
        (
            (count < 2)[section],
            "has sections of a single point",
            "a section needs its bed and both banks",
        ),
        (
            (values["offset_m"][ends] <= values["offset_m"][new])[section],
            "has sections of no width",
            "offset_m of their points, from left to right",
        ),
        (
            ~(values["n"] > 0),
            "has roughness (糙率 n) that is missing or not above 0",
            'sections["n"] = 0.03, or what the channel and its walls have',
        ),
    )
    for bad, problem, hint in rules:
        if bad.any():
            raise HydraulicsError(
                problem, layer="sections", ids=places(stations, np.unique(section[bad])), hint=hint
            )


def _unmeasured_points(z: Array, section: Array, count: int) -> Array:
    """Points whose height is none: no ground has it, or it is a sign far from all other heights.

    A sign in half of the sections and more is a bed that lies at 0, unless the other points of its
    section lie as high as the sections without one.
    """
    none: Array = (z < LOWEST_M) | (z > HIGHEST_M)
    sign = np.isin(z, SIGNS) & ~none
    if not sign.any() or sign.all():
        return none
    rest = z[~sign & ~none]
    if len(rest):
        far = sign & ((z < rest.min() - FAR_M) | (z > rest.max() + FAR_M))
        if 2 * len(np.unique(section[far])) < count:
            none |= far
            return none
        own = np.isin(section, section[far])
        others = z[~own & ~sign & ~none]
        if len(others):
            like = own & ~sign & ~none & (z >= others.min()) & (z <= others.max())
            none |= far & np.isin(section, section[like])
    return none


def _refuse_repeated_chainage(
    key: Array, offset: Array, stations: pd.DataFrame, layer: str
) -> None:
    number = begun_anew(key, offset)
    of = key[np.unique(number, return_index=True)[1]]
    often = np.bincount(of, minlength=len(stations)) > 1
    if often.any():
        raise HydraulicsError(
            "has several sections at one chainage",
            layer=layer,
            ids=places(stations, np.flatnonzero(often)),
            hint="of two sections whose chainage is the same leave out one; "
            "points of a section run from left to right",
        )


def places(stations: pd.DataFrame, rows: Array) -> list[str]:
    """Sections as people name them."""
    return [
        f"{river} {format_chainage(at)}"
        for river, at in stations.loc[rows, ["river", "chainage_m"]].itertuples(index=False)
    ]


def rows_of(table: pd.DataFrame, stations: pd.DataFrame, layer: str) -> tuple[Array, Array]:
    """Pairs of rows: of the table and of the sections it speaks of.

    Of sections of one chainage the column ``repeated`` says which is meant {above, below}.
    """
    require_columns(table, ("river", "chainage_m"), layer)
    row, station = _rows_at_same_place(table, stations, layer)
    if "repeated" in table.columns and "repeated" in stations.columns:
        said, have = (
            frame["repeated"].to_numpy(object)[at]
            for frame, at in ((table, row), (stations, station))
        )
        same = pd.isna(said) | pd.isna(have) | (said == have)
        row, station = row[same], station[same]
    rows = np.setdiff1d(np.arange(len(table)), row)
    if len(rows):
        raise HydraulicsError(
            "speaks of places where there is no section",
            layer=layer,
            ids=places(table.reset_index(drop=True), rows),
            hint=f"chainages of {layer} are those of sections, to the millimetre",
        )
    # a row without a scheme speaks of a section in each
    of = pd.factorize(stations["scheme"])[0][station] if "scheme" in stations.columns else 0
    twice = pd.Series(row + len(table) * of).duplicated().to_numpy()
    if twice.any():
        rows = np.unique(row[twice])
        raise HydraulicsError(
            "speaks of a chainage that several sections have",
            layer=layer,
            ids=places(table.reset_index(drop=True), rows),
            hint=f'{layer}["repeated"] = "above"  # or "below", row by row: which of them is meant',
        )
    return row, station


def _rows_at_same_place(
    table: pd.DataFrame, stations: pd.DataFrame, layer: str
) -> tuple[Array, Array]:
    """Pairs of rows with the same river, scheme (where the table has one) and millimetre."""
    there, own = np.zeros(len(table), np.int64), np.zeros(len(stations), np.int64)
    known = np.ones(len(table), bool)
    for column in ("scheme", "river") if "scheme" in table.columns else ("river",):
        code, names = pd.factorize(stations[column].astype(object), use_na_sentinel=False)
        said = pd.Index(names).get_indexer(pd.Index(table[column].astype(object)))
        known &= said >= 0
        there, own = there * len(names) + said, own * len(names) + code
    mm, own_mm = (np.round(numbers(frame, "chainage_m", layer).to_numpy() * 1000)
                  for frame in (table, stations))  # fmt: skip
    known &= np.isfinite(mm)
    keys = there * 2**40 + np.where(known, mm, 0).astype(np.int64)
    own_keys = own * 2**40 + own_mm.astype(np.int64)
    order = np.argsort(own_keys, kind="stable")
    first, behind = (np.searchsorted(own_keys[order], keys, side) for side in ("left", "right"))
    count = np.where(known, behind - first, 0)
    row = np.repeat(np.arange(len(table)), count)
    rank = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, order[first[row] + rank]


def _banks_by_section(banks: pd.DataFrame | None, stations: pd.DataFrame) -> dict[str, Array]:
    """What banks says of each section; NaN where it says nothing."""
    found = {name: np.full(len(stations), np.nan) for name in NUMBERS}
    if banks is None or banks.empty:
        return found
    row, station = rows_of(banks, stations, "banks")
    twice = pd.Series(station).duplicated().to_numpy()
    if twice.any():
        raise HydraulicsError(
            "has two rows for a section",
            layer="banks",
            ids=places(stations, np.unique(station[twice])),
            hint="one row a section",
        )
    for name in NUMBERS:
        if name in banks.columns:
            found[name][station] = numbers(banks, name, "banks").to_numpy()[row]
    return found


def _check_banks(stations: pd.DataFrame, ground: Ground) -> None:
    """Refuse banks and walls outside their section or the wrong way round."""
    first, last = ground.x[ground.start], ground.x[ground.start + ground.count - 1]
    for name, apart, turned in (
        ("bank_m", "places banks outside their section",
         "places the left bank right of the right one"),
        ("levee_m", "places levees outside their section",
         "places the left levee right of the right one"),
        ("wall_m", "places walls outside their section",
         "places the left wall right of the right one"),
    ):  # fmt: skip
        left, right = (stations[f"{side}_{name}"].to_numpy() for side in ("left", "right"))
        outside = (left < first) | (left > last) | (right < first) | (right > last)
        crossed = left >= right
        if name == "bank_m":  # one that isn't given is the section's end
            one = np.where(np.isnan(left), first, left) >= np.where(np.isnan(right), last, right)
            crossed |= one & ~(np.isnan(left) & np.isnan(right))
        for bad, problem in ((outside, apart), (crossed, turned)):
            if bad.any():
                raise HydraulicsError(
                    problem,
                    layer="banks",
                    ids=places(stations, np.flatnonzero(bad)),
                    hint="offsets are negative to the left, facing downstream, as in sections",
                )
    for side in ("left", "right"):
        bad = (
            stations[f"{side}_levee_m"].notna() & stations[f"{side}_levee_top_m"].isna()
        ).to_numpy()
        if bad.any():
            raise HydraulicsError(
                f"has a {side} levee without a top",
                layer="banks",
                ids=places(stations, np.flatnonzero(bad)),
                hint=f"fill in {side}_levee_top_m; what is never overtopped is a {side}_wall_m",
            )


def _obstacle_limits(obstacles: pd.DataFrame | None, stations: pd.DataFrame) -> list[Limit]:
    """Obstacles as layers of at most one a section."""
    if obstacles is None or obstacles.empty:
        return []
    require_columns(obstacles, ("from_offset_m", "to_offset_m"), "obstacles")
    row, station = rows_of(obstacles, stations, "obstacles")
    kind = (
        obstacles["obstacle"].fillna("blocked").astype(str).to_numpy()
        if "obstacle" in obstacles.columns
        else np.full(len(obstacles), "blocked")
    )
    kinds = dict.fromkeys(kind.tolist())
    for word in kinds:
        one_of(word, ("blocked", "ineffective", "permanent"), "obstacle")
    a, b, top = (
        numbers(obstacles, c, "obstacles").to_numpy()
        for c in ("from_offset_m", "to_offset_m", "top_m")
    )
    for bad, problem in (
        (~(a < b), "has rows whose from_offset_m is not left of to_offset_m"),
        (~np.isfinite(top) & (kind != "blocked"), "has ineffective areas without top_m"),
    ):
        if bad.any():
            raise HydraulicsError(
                problem,
                layer="obstacles",
                ids=obstacles.index[bad],
                hint="offsets grow to the right",
            )
    limits = []
    for word in kinds:
        mine = kind[row] == word
        where, what = station[mine], row[mine]
        rank = pd.Series(where).groupby(where).cumcount().to_numpy()
        for k in range(int(rank.max(initial=-1)) + 1):
            layer = [np.full(len(stations), np.nan) for _ in range(3)]
            for values, source in zip(layer, (a, b, top), strict=True):
                values[where[rank == k]] = source[what[rank == k]]
            limits.append(Limit(word, *layer))
    return limits


def discharges(
    flows: pd.DataFrame | float, stations: pd.DataFrame, rivers: gpd.GeoDataFrame | None = None
) -> dict[str, Array]:
    """Discharge of every section for every profile [m³/s]."""
    scales = {} if rivers is None else river_scales(rivers)
    if not isinstance(flows, pd.DataFrame):
        flows = pd.DataFrame({"discharge_m3s": [float(flows)]})
    require_columns(flows, ("discharge_m3s",), "flows")
    if flows.empty:
        raise HydraulicsError("has no rows", layer="flows", hint="give each flood its discharge")
    q = numbers(flows, "discharge_m3s", "flows")
    if not (q > 0).all():
        raise HydraulicsError(
            "has discharges that are missing or not above 0",
            layer="flows",
            ids=flows.index[~(q > 0)],
            hint="give each flood its discharge in m³/s",
        )
    names = flows["profile"].fillna("") if "profile" in flows.columns else pd.Series([""] * len(q))
    start = numbers(flows, "chainage_m", "flows").to_numpy()
    found: dict[str, Array] = {}
    for name in dict.fromkeys(names):
        of_profile = (names == name).to_numpy()
        values = np.full(len(stations), np.nan)
        for river in stations["river"].unique():
            at = np.flatnonzero((stations["river"] == river).to_numpy())
            rows = of_profile & for_river(flows, river)
            begin = np.full(len(start), -np.inf)
            stated = rows & np.isfinite(start)
            here, begin[stated] = _downstream_positions(
                stations, at, start[stated], scales.get(str(river))
            )
            order = np.flatnonzero(rows)[np.argsort(begin[rows], kind="stable")]
            again = (begin[order[1:]] == begin[order[:-1]]) & (np.diff(q.to_numpy()[order]) != 0)
            if again.any():
                raise HydraulicsError(
                    f"has several discharges of {river} that begin at one place",
                    layer="flows",
                    ids=flows.index[np.union1d(order[:-1][again], order[1:][again])],
                    hint="leave one of them; of different floods name the profile (工况)",
                )
            for row in order:
                values[at[here >= begin[row] - 1e-6]] = q.iloc[row]
        if np.isnan(values).any():
            raise HydraulicsError(
                f"gives no discharge{f' of {name}' if name else ''} for the upper sections",
                layer="flows",
                ids=places(stations, np.flatnonzero(np.isnan(values))),
                hint="the first row of a river has no chainage_m, or its uppermost section's",
            )
        found[str(name)] = values
    return found


def _downstream_positions(
    stations: pd.DataFrame, at: Array, chainage: Array, scale: ChainageScale | None
) -> tuple[Array, Array]:
    """What grows downstream on one river, of its sections and of chainages."""
    own = stations["chainage_m"].to_numpy(float)[at]
    measure = stations["measure"].to_numpy(float)[at]
    if scale is not None:
        return measure, scale.measure(chainage, beyond=True)
    falls = own[-1] < own[0] and measure[-1] > measure[0]
    return (-own, -chainage) if falls else (own, chainage)


def for_river(table: pd.DataFrame, river: str) -> Array:
    """Rows that speak of a river, or of all."""
    if "river" not in table.columns:
        return np.ones(len(table), bool)
    named = table["river"]
    mask: Array = (named.isna() | (named == river)).to_numpy(bool)
    return mask
