"""How much has to be dug? Design templates cut into surveyed sections, and the volumes between."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.offsets import running_back_error
from pinghu_geo.flood.outlines import crossings, line_at, stops_of
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.survey import (
    HIGHEST_M,
    LOWEST_M,
    places,
    rows_of,
    sections_apart,
    sections_of_schemes,
)
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.schema import numbers, require_columns
from pinghu_geo.nouns.tables import each_row, groups_of
from pinghu_geo.river.centreline import river_scales
from pinghu_geo.river.chainage import format_chainage

__all__ = ["cut_banks", "cut_sections", "excavation"]

VOLUMES = [
    "river", "from_m", "to_m", "length_m", "cut_m3", "cut_prismoid_m3", "cut_from_m2", "cut_to_m2",
    "fill_m3", "fill_prismoid_m3", "fill_from_m2", "fill_to_m2",
]  # fmt: skip
Line = tuple[Array, Array, Array]  # offset, elevation, n from a point to the next


@takes(cuts="sections")
def cut_sections(
    sections: pd.DataFrame, cuts: pd.DataFrame, *, rivers: gpd.GeoDataFrame | None = None
) -> pd.DataFrame:
    """Surveyed sections with a design template cut into them 断面开挖.

    Parameters
    ----------
    sections
        Points of surveyed sections: river, chainage_m, offset_m, elevation_m, n.
    cuts
        One row a section and cut: river, chainage_m, centre_m (offset of the template's middle),
        bottom_m (its width), invert_m (its level), side_slope (horizontal to 1 vertical, default
        0), n (of what is cut; missing: the ground's). Several rows a section are nested cuts.
        Of sections of one chainage the column repeated says which is meant {above, below}.
    rivers
        Centrelines; needed where an equation (断链) makes chainages occur twice.

    Returns
    -------
    pandas.DataFrame
        All sections; where the template lies below the ground it is the ground, from the bottom
        outwards to where its slope first meets the ground. It is cut only, never filled. Lids and
        what a section says besides stay.

    Raises
    ------
    HydraulicsError, LayerError
        A cut speaks of no section, or is no template; a chainage has several sections.

    References
    ----------
    HEC-RAS User's Manual 6.x, channel modification (cuts of one template after the other).

    Examples
    --------
    >>> flat = pd.DataFrame({"river": "示例河", "chainage_m": 0.0, "offset_m": [-20.0, 20.0],
    ...     "elevation_m": 5.0, "n": 0.04})
    >>> cut = pd.DataFrame({"river": ["示例河"], "chainage_m": 0.0, "centre_m": 0.0,
    ...     "bottom_m": 10.0, "invert_m": 3.0, "side_slope": 2.0, "n": 0.025})
    >>> pg.flood.cut_sections(flat, cut)["offset_m"].tolist()
    [-20.0, -9.0, -5.0, 5.0, 9.0, 20.0]
    """
    need = ("river", "chainage_m", "centre_m", "bottom_m", "invert_m")
    require_columns(cuts, need, "cuts")
    require_columns(sections, ("river", "chainage_m", "offset_m", "elevation_m", "n"), "sections")
    values = {c: numbers(cuts, c, "cuts").to_numpy() for c in (*need[2:], "side_slope", "n")}
    values["side_slope"] = np.where(np.isnan(values["side_slope"]), 0.0, values["side_slope"])
    bad = ~(values["bottom_m"] > 0) | ~np.isfinite(values["invert_m"] + values["centre_m"])
    bad |= ~np.isfinite(values["bottom_m"]) | ~(values["side_slope"] >= 0)
    bad |= ~np.isfinite(values["side_slope"])
    if bad.any():
        raise HydraulicsError(
            "has templates without width, level or place",
            layer="cuts",
            ids=cuts.index[bad],
            hint="bottom_m above 0, invert_m, centre_m and side_slope 0 or more",
        )
    smooth = values["n"] <= 0
    if smooth.any():
        raise HydraulicsError(
            "has an n of nothing or less", layer="cuts", ids=cuts.index[smooth],
            hint="Manning's n of what is cut, about 0.02 to 0.04; missing: the ground's",
        )  # fmt: skip
    number, stations = sections_of_schemes(sections, rivers, "sections")
    _refuse_unsound_lines(sections, number, stations, "sections")
    row, place = rows_of(cuts, stations, "cuts")
    _refuse_cuts_outside(sections, number, cuts, row, place, values)
    parts = []
    for at, part in groups_of(sections.groupby(number)):
        mine = row[place == at]
        x, z, n = (part[c].to_numpy(float) for c in ("offset_m", "elevation_m", "n"))
        n = pd.Series(n).ffill().to_numpy()
        line: Line = (x, z, n)
        # the highest first, so that nested cuts go deeper one after the other
        for k in mine[np.argsort(-values["invert_m"][mine], kind="stable")]:
            line = _line_with_cut(line, {c: float(v[k]) for c, v in values.items()})
        parts.append(part if not len(mine) else _section_of_line(part, line))
    return pd.concat(parts, ignore_index=True)


def _section_of_line(part: pd.DataFrame, line: Line) -> pd.DataFrame:
    """A section with another line, and what it says besides: its lid, what is left out, ..."""
    x, z, n = line
    lids = [c for c in ("lid_m", "n_lid") if c in part.columns]
    for column in lids:  # a lid ends where it did
        more = np.setdiff1d(part["offset_m"][part[column].notna()].to_numpy(float), x)
        at = np.searchsorted(x, more)
        z, n = np.insert(z, at, np.interp(more, x, z)), np.insert(n, at, n[at - 1])
        x = np.insert(x, at, more)
    drawn = {"offset_m", "elevation_m", "n", *lids}
    new = {c: part[c].iloc[0] for c in part.columns if c not in drawn}
    new |= {"offset_m": x, "elevation_m": z, "n": n}
    for column in lids:
        new[column] = _lid_values(part, column, x, z)
    return pd.DataFrame(new)


def _lid_values(part: pd.DataFrame, column: str, x: Array, z: Array) -> Array:
    """What a section says of its lid, at the points of another line; NaN beside the lid.

    At a wall, where it says two values at one place, each point that stays keeps its own.
    """
    known = part[["offset_m", "elevation_m", column]].astype(float).dropna()
    if known.empty:
        return np.full(len(x), np.nan)
    inner = known.groupby("offset_m")[column].min()
    found = np.interp(x, inner.index.to_numpy(), inner.to_numpy(), left=np.nan, right=np.nan)
    for at, ground, value in known[known.duplicated("offset_m", keep=False)].to_numpy():
        found[(x == at) & (np.abs(z - ground) < 1e-9)] = value
    return np.asarray(found)


def _refuse_unsound_lines(
    sections: pd.DataFrame, number: Any, stations: pd.DataFrame, layer: str
) -> None:
    """Refuse points that are nowhere, heights that nothing has, and lines that run back."""
    x, z = (numbers(sections, c, layer).to_numpy() for c in ("offset_m", "elevation_m"))
    lost = ~np.isfinite(x + z)
    if lost.any():
        raise HydraulicsError(
            "has points without offset_m or elevation_m", layer=layer, ids=sections.index[lost],
            hint=f'{layer} = {layer}.dropna(subset=["offset_m", "elevation_m"])',
        )  # fmt: skip
    number = np.asarray(number)
    none = (z < LOWEST_M) | (z > HIGHEST_M)
    if none.any():
        raise HydraulicsError(
            "has heights that stand for no measurement (0, -9999 ...)",
            layer=layer,
            ids=places(stations, np.unique(number[none])),
            hint="take such points out, or measure them",
        )
    at = np.argsort(number, kind="stable")
    back = (np.diff(x[at]) < 0) & (np.diff(number[at]) == 0)
    if back.any():
        turned = np.unique(number[at][1:][back])
        raise running_back_error([x[number == k] for k in turned], layer, places(stations, turned))


def _refuse_cuts_outside(
    sections: pd.DataFrame,
    number: Any,
    cuts: pd.DataFrame,
    row: Array,
    place: Array,
    values: dict[str, Array],
) -> None:
    """Refuse templates whose bottom lies beside its section."""
    offsets = sections["offset_m"].astype(float).groupby(number)
    first, last = offsets.min()[place].to_numpy(), offsets.max()[place].to_numpy()
    centre, half = values["centre_m"][row], values["bottom_m"][row] / 2
    lost = (centre + half <= first) | (centre - half >= last)
    if lost.any():
        raise HydraulicsError(
            "has templates that lie beside their sections", layer="cuts", ids=cuts.index[row[lost]],
            hint="centre_m counts as the section's offset_m does",
        )  # fmt: skip


def _line_with_cut(line: Line, cut: dict[str, float]) -> Line:
    """A line with one template cut into it."""
    x, z, n = line
    half, slope, level = cut["bottom_m"] / 2, cut["side_slope"], cut["invert_m"]
    left, right = cut["centre_m"] - half, cut["centre_m"] + half
    reach = max(float(z.max()) - level, 0.0) * slope
    tx = np.array([left - reach, left, right, right + reach])
    tz = np.array([z.max(), level, level, z.max()])
    if reach == 0:
        tx, tz = np.array([left, right]), np.full(2, level)
    stops = np.unique(np.concatenate([x, tx[(tx > x[0]) & (tx < x[-1])], crossings(x, z, tx, tz)]))
    a, b = stops[:-1], stops[1:]
    middle = (a + b) / 2
    old, new = line_at(x, z, a, b), line_at(tx, tz, a, b)
    lower = (tx[0] < middle) & (middle < tx[-1]) & (new[0] + new[1] < old[0] + old[1] - 1e-9)
    keep = _pieces_cut(middle, lower, left, right)
    rough = n[np.searchsorted(x, middle, side="right") - 1]
    rough = np.where(keep & np.isfinite(cut["n"]), cut["n"], rough)
    ends = [np.where(keep, one, other) for one, other in zip(new, old, strict=True)]
    points = [np.stack([at, z, rough], axis=1) for at, z in zip((a, b), ends, strict=True)]
    made = np.stack(points, axis=1).reshape(-1, 3)
    # walls at both ends of a section stay
    own = np.stack([x, z, n], axis=1)
    left_wall = own[: np.count_nonzero(x == x[0]) - 1]
    right_wall = own[np.searchsorted(x, x[-1]) + 1 :]
    if len(right_wall):
        foot = np.array([[x[-1], made[-1, 1], n[-1 - len(right_wall)]]])
        right_wall = np.concatenate([foot, right_wall])
    return _without_straight_points(np.concatenate([left_wall, made, right_wall]))


def _pieces_cut(middle: Array, lower: Array, left: float, right: float) -> Array:
    """Pieces that are cut: those over the bottom, and beside it as far as the slope stays below."""
    keep: Array = lower & (middle > left) & (middle < right)
    for order in (np.flatnonzero(middle >= right), np.flatnonzero(middle <= left)[::-1]):
        for k in order:
            if not lower[k]:
                break
            keep[k] = True
    return keep


def _without_straight_points(points: Array) -> Line:
    """Points without those on a straight piece of one n."""
    x, z, n = points.T
    same = np.r_[False, (np.diff(x) == 0) & (np.abs(np.diff(z)) < 1e-12)]
    start = np.r_[same[1:], False]  # of two equal points the second begins the next piece
    x, z, n = x[~start], z[~start], n[~start]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.diff(z) / np.diff(x)
    straight = np.isfinite(slope[1:]) & np.isfinite(slope[:-1])
    straight &= (np.abs(slope[1:] - slope[:-1]) < 1e-9) & (n[1:-1] == n[:-2])
    keep = np.r_[True, ~straight, True]
    return x[keep], z[keep], n[keep]


@takes(before="sections", after="sections")
def excavation(
    before: pd.DataFrame, after: pd.DataFrame, *, rivers: gpd.GeoDataFrame | None = None
) -> pd.DataFrame:
    """Volumes dug and filled between sections, by both usual ways 土方量.

    Parameters
    ----------
    before, after
        Sections at the same chainages, surveyed and designed. They are compared as far as both
        reach, of one scheme each.
    rivers
        Centrelines; needed where they have chainage equations (断链), across which lengths are no
        differences of chainages.

    Returns
    -------
    pandas.DataFrame
        One row a reach between two sections: river, from_m, to_m, length_m, cut_m3 and fill_m3 by
        average end areas, cut_prismoid_m3 and fill_prismoid_m3 by the frustum; and the areas
        cut_from_m2, cut_to_m2, fill_from_m2, fill_to_m2 at its ends.

    Raises
    ------
    HydraulicsError, LayerError
        A section stands in one table only or beside the other's; a chainage has several sections;
        points that are nowhere, run back or have heights such as -9999.

    Notes
    -----
    Average end area L (A1 + A2) / 2, the way of estimates; frustum L/3 (A1 + A2 + √(A1 A2)), exact
    for similar shapes and less. Where a cut ends both differ most: a section there says more.

    References
    ----------
    Ghilani and Wolf (2012), Elementary Surveying: An Introduction to Geomatics, chapter on volumes
    (average end areas, prisms and frusta).

    Examples
    --------
    >>> box = pd.DataFrame({"river": "示例河", "chainage_m": np.repeat([0.0, 100.0], 2),
    ...     "offset_m": [-5.0, 5.0] * 2, "elevation_m": 5.0})
    >>> pg.flood.excavation(box, box.assign(elevation_m=4.0))["cut_m3"].tolist()
    [1000.0]
    """
    need = ("river", "chainage_m", "offset_m", "elevation_m")
    for table, layer in ((before, "before"), (after, "after")):
        require_columns(table, need, layer)
        if "scheme" in table.columns and len(table["scheme"].unique()) > 1:
            raise HydraulicsError(
                "holds several schemes", layer=layer, ids=table["scheme"].unique(),
                hint=f'{layer} = {layer}[{layer}["scheme"] == {layer}["scheme"].iloc[0]]  # one '
                "after the other",
            )  # fmt: skip
    was, now = (_sections_by_place(t, rivers, n) for t, n in ((before, "before"), (after, "after")))
    alone = [f"{k[0]} {format_chainage(float(k[-1]))}" for k in was.keys() ^ now.keys()]
    if alone:
        raise HydraulicsError(
            "has sections that stand in one of the tables only",
            layer="before",
            ids=sorted(alone),
            hint="cut_sections keeps every section",
        )
    beside = [f"{k[0]} {format_chainage(float(k[-1]))}" for k in sorted(was)
              if not _lie_together(was[k], now[k])]  # fmt: skip
    if beside:
        raise HydraulicsError(
            "has sections that lie beside those of the other table", layer="after", ids=beside,
            hint="offset_m of both tables count from one place, such as the centreline",
        )  # fmt: skip
    areas = [(*key, *_cut_and_fill_areas(was[key], now[key])) for key in sorted(was)]
    table = pd.DataFrame(areas, columns=["river", "along", "from_m", "cut", "fill"])
    rows = []
    for river, line in table.groupby("river", sort=False):
        for a, b in pairwise(each_row(line)):
            length = b.along - a.along
            row = {"river": river, "from_m": a.from_m, "to_m": b.from_m, "length_m": length}
            for what in ("cut", "fill"):
                one, other = getattr(a, what), getattr(b, what)
                row[f"{what}_m3"] = length * (one + other) / 2
                row[f"{what}_prismoid_m3"] = length / 3 * (one + other + np.sqrt(one * other))
                row[f"{what}_from_m2"], row[f"{what}_to_m2"] = one, other
            rows.append(row)
    return pd.DataFrame(rows, columns=VOLUMES)


def _sections_by_place(
    table: pd.DataFrame, rivers: gpd.GeoDataFrame | None, layer: str
) -> dict[tuple[str, float, float], pd.DataFrame]:
    """Sections by river, place along it as chainages grow, and chainage."""
    number, stations = sections_apart(table, rivers, layer)
    _refuse_unsound_lines(table, number, stations, layer)
    scales = {} if rivers is None else river_scales(rivers)
    keys = [
        (one.river, float(scales[one.river].along(one.measure)) if scales else one.measure,
         one.chainage_m)
        for one in each_row(stations)
    ]  # fmt: skip
    return {keys[k]: part for k, part in groups_of(table.groupby(number))}


def _lie_together(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two sections have some width in common."""
    ends = [t["offset_m"].astype(float).agg(["min", "max"]) for t in (one, other)]
    return bool(min(e["max"] for e in ends) > max(e["min"] for e in ends))


def _cut_and_fill_areas(one: pd.DataFrame, other: pd.DataFrame) -> tuple[float, float]:
    """Area dug and area filled of a section."""
    (x, z), (nx, nz) = (
        (t["offset_m"].to_numpy(float), t["elevation_m"].to_numpy(float)) for t in (one, other)
    )
    stops = stops_of(x, nx, crossings(x, z, nx, nz))
    a, b = stops[:-1], stops[1:]
    old, new = line_at(x, z, a, b), line_at(nx, nz, a, b)
    gap = (old[0] - new[0] + old[1] - new[1]) / 2 * (b - a)
    return float(np.maximum(gap, 0.0).sum()), float(np.maximum(-gap, 0.0).sum())


@takes(before="sections", after="sections")
def cut_banks(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    banks: pd.DataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Banks at the edges of what was cut, for the flow in the new channel 开挖后河口.

    Parameters
    ----------
    before, after
        Surveyed sections and those of `cut_sections`.
    banks
        As in `water_profile`, whose other columns stay.
    rivers
        Centrelines; needed where an equation (断链) makes chainages occur twice.

    Returns
    -------
    pandas.DataFrame
        ``banks`` with left_bank_m and right_bank_m at the outer edges of the cut, where there is
        one: there HEC-RAS's channel modification puts them, too; repeated {above, below} where
        chainages occur twice.

    Raises
    ------
    HydraulicsError, LayerError
        A table can't be used; a chainage has several sections, or banks speaks of none.

    Examples
    --------
    >>> flat = pd.DataFrame({"river": "示例河", "chainage_m": 0.0, "offset_m": [-20.0, 20.0],
    ...     "elevation_m": 5.0, "n": 0.04})
    >>> cut = pd.DataFrame({"river": ["示例河"], "chainage_m": 0.0, "centre_m": 0.0,
    ...     "bottom_m": 10.0, "invert_m": 3.0, "side_slope": 2.0})
    >>> made = pg.flood.cut_sections(flat, cut)
    >>> pg.flood.cut_banks(flat, made)[["left_bank_m", "right_bank_m"]].iloc[0].tolist()
    [-9.0, 9.0]
    """
    (was, old), (now, stations) = (
        sections_of_schemes(t, rivers, n) for t, n in ((before, "before"), (after, "after"))
    )
    named = [c for c in ("scheme", "river", "chainage_m", "repeated") if c in stations and c in old]
    dug_from = dict(zip(old[named].itertuples(index=False, name=None),
                     (part for _, part in before.groupby(was)), strict=True))  # fmt: skip
    edges = np.full((len(stations), 2), np.nan)
    for at, (key, (_, part)) in enumerate(
        zip(stations[named].itertuples(index=False, name=None), after.groupby(now), strict=True)
    ):
        if key in dug_from and (dug := _dug_edges(dug_from[key], part)) is not None:
            edges[at] = dug
    keys = [c for c in named if c != "repeated" or stations[c].notna().any()]
    found = stations[keys].assign(left_bank_m=edges[:, 0], right_bank_m=edges[:, 1])
    if banks is None or banks.empty:
        return found
    # edges of nowhere are of no section
    given = banks.dropna(subset=["river", "chainage_m"]).reset_index(drop=True)
    row, place = rows_of(given, stations, "banks")
    given = (
        given.iloc[row].reset_index(drop=True).assign(**{c: found[c].array[place] for c in keys})
    )
    for side in ("left_bank_m", "right_bank_m"):
        said = pd.Series(found[side].to_numpy()[place])
        given[side] = said.fillna(given[side]) if side in given.columns else said
    more = found.drop(index=place.tolist()).dropna(subset=["left_bank_m"])
    made = pd.concat([given, more], ignore_index=True) if len(more) else given
    return made[[*keys, *(c for c in made.columns if c not in keys)]]


def _dug_edges(one: pd.DataFrame, other: pd.DataFrame) -> tuple[float, float] | None:
    """Outer edges of where a section was dug."""
    (x, z), (nx, nz) = (
        (t["offset_m"].to_numpy(float), t["elevation_m"].to_numpy(float)) for t in (one, other)
    )
    stops = np.unique(np.concatenate([x, nx]))
    a, b = stops[:-1], stops[1:]
    old, new = line_at(x, z, a, b), line_at(nx, nz, a, b)
    dug = np.flatnonzero(new[0] + new[1] < old[0] + old[1] - 1e-6)
    return (float(a[dug[0]]), float(b[dug[-1]])) if len(dug) else None
