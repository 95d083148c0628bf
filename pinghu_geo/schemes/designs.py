"""Which of a thousand designs? Width tables on the same stations, evaluated together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse

from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import (
    Lang,
    flat_shapes,
    nearest,
    numbers,
    one_of,
    require_columns,
    require_layer,
    require_polygons,
    require_valid,
)
from pinghu_geo.nouns.tables import places_of
from pinghu_geo.redline.areas import ROUNDING_M2, rows_near
from pinghu_geo.redline.bands import Pieces, areas_inside
from pinghu_geo.redline.lines import red_line, section_rows, width_table
from pinghu_geo.redline.overlap import NO_AREA_M2, affected
from pinghu_geo.river.centreline import Centrelines, lay_out
from pinghu_geo.schemes.cost import compensation
from pinghu_geo.schemes.nodes import node_ids

__all__ = ["Designs", "assess_many"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Designs(Result):
    """What many designs do, side by side 多方案评估.

    Attributes
    ----------
    buildings
        Buildings that at least one design takes, with place and node_id, footprint_m2 [m²] and,
        where known, floor_area_m2 [m²], floor_area_source, cost_yuan of taking it whole.
    inside_m2
        Area of each of them inside each design [m²]; rows are designs, 0 where it is not taken.
    totals
        One row a design: n_buildings, n_full, n_partial, inside_m2 [m²],
        demolish_floor_area_m2 [m²], estimated_m2 [m², part of it that is estimated], n_unknown
        (buildings without any floor area), n_tenants, n_tenants_unknown and, with rates,
        cost_yuan; NA where nothing is known, as in `totals`.
    by_node
        The same by design and node_id.
    """

    SHOWN: ClassVar = ("totals",)

    buildings: gpd.GeoDataFrame
    inside_m2: pd.DataFrame
    totals: pd.DataFrame
    by_node: pd.DataFrame

    def saved(self, design: str, baseline: str) -> pd.Index:
        """Ids of buildings that the baseline takes and the design doesn't."""
        return self._taken_by_one_only(baseline, design)

    def added(self, design: str, baseline: str) -> pd.Index:
        """Ids of buildings that the design takes and the baseline doesn't."""
        return self._taken_by_one_only(design, baseline)

    def _taken_by_one_only(self, one: str, other: str) -> pd.Index:
        for name in (one, other):
            if name not in self.inside_m2.index:
                known = self.inside_m2.index.astype(str)
                raise LayerError(f"{name!r} is no design", hint=nearest(str(name), known))
        rows = self.inside_m2.loc[[one, other]].to_numpy() > 0
        only: pd.Index = self.buildings.index[rows[0] & ~rows[1]]
        return only

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """Between which the designs lie."""
        counts = self.totals["n_buildings"]
        if counts.empty:
            return []
        return [
            say(
                "{} designs take {} to {} buildings; the fewest: {}.",
                lang,
                len(counts),
                f"{counts.min():,.0f}",
                f"{counts.max():,.0f}",
                counts.idxmin(),
            )
        ]


@takes(designs="widths")
def assess_many(
    designs: pd.DataFrame | Mapping[str, pd.DataFrame],
    buildings: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    rates: pd.DataFrame | None = None,
    partial_rule: Literal["whole", "share"] = "whole",
    interpolation: Literal["linear", "step"] = "linear",
    ends: Literal["flat", "round"] = "flat",
    corners: Literal["round", "mitre"] = "round",
    arc_step_deg: float = 5.0,
    gap_m: float = 50.0,
    max_length_m: float = 300.0,
) -> Designs:
    """Many width tables over the same buildings, evaluated together 多方案批量评估.

    Parameters
    ----------
    designs
        Width table of each design by its name, or one table with a column ``design``: river,
        chainage_m, left_m, right_m [m], optionally piece, as for `red_line`.
    buildings
        Footprints, indexed by building_id.
    rivers
        Centrelines drawn downstream, indexed by river.
    rates
        Table for `compensation`; without it there is no cost.
    partial_rule
        As in `affected`.
    interpolation, ends, corners, arc_step_deg
        How the red lines are drawn, as in `red_line`.
    gap_m, max_length_m
        Passed to `node_ids` [m].

    Returns
    -------
    Designs
        Areas inside by design and building, and sums by design and by node.

    Raises
    ------
    LayerError, CRSError, ChainageError, RateError
        A layer or a table can't be used, as `red_line`, `affected` and `compensation` say.

    Warns
    -----
    UserWarning
        Floor areas had to be estimated; once, with their number.

    Notes
    -----
    Areas equal those of ``affected(buildings, red_line(rivers, table), rivers)`` to 1e-6 m², and
    so do counts and sums. Each building near a river is cut once by the edges of the corridor
    that no width moves; a design is then a sum over the edges of the parts. Designs whose tables
    have the same rivers and chainages are evaluated together, others one group after the other.

    Nodes hold the buildings that any of the designs takes, so that all designs have the same
    ones; place and node of a building don't depend on the design.

    References
    ----------
    As `affected` and `red_line`: Weyl, On the volume of tubes, American Journal of Mathematics 61
    (1939) 461-472; OGC 06-103r4, Simple feature access, part 1: common architecture (area,
    intersection, distance).

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> ends = pd.concat([rivers.start_m, rivers.start_m + rivers.length]).rename("chainage_m")
    >>> tables = {f"{w} m": ends.reset_index().assign(left_m=w, right_m=w) for w in (8.0, 9.0)}
    >>> found = pg.assess_many(tables, buildings, rivers)
    >>> len(found.added("8.0 m", baseline="9.0 m")), len(found.saved("8.0 m", "9.0 m")) > 0
    (0, True)
    """
    one_of(partial_rule, ("whole", "share"), "partial_rule")
    one_of(interpolation, ("linear", "step"), "interpolation")
    require_layer(buildings, "buildings", crs=rivers.crs, valid=False)
    require_polygons(buildings, "buildings")
    lines = lay_out(rivers)
    given = _designs_table(designs)
    codes, names = pd.factorize(given["design"])
    names = pd.Index(names, name="design")
    # words are grouped and sorted as numbers
    given = given.assign(design=pd.Categorical.from_codes(codes, names))
    table = width_table(given, lines, by="design")
    drawn: dict[str, Any] = {
        "interpolation": interpolation,
        "ends": ends,
        "corners": corners,
        "arc_step_deg": arc_step_deg,
    }
    widest, groups = [], _groups_by_stations(table)
    for _, rows, left, right in groups:
        most = rows[["river", "piece", "chainage_m"]].assign(
            left_m=left.max(axis=1), right_m=right.max(axis=1)
        )
        widest.append(red_line(rivers, most, **drawn))
    within_reach = rows_near(buildings, np.concatenate([one.geometry for one in widest]))
    require_valid(buildings, "buildings", near=within_reach)
    buildings = buildings.iloc[within_reach]
    shapes, found = flat_shapes(buildings), []
    for some, rows, left, right in groups:
        pieces = _corridor_pieces(rows, left, right, lines, drawn)
        found.append((some, *areas_inside(shapes, pieces)))
    near = np.unique(np.concatenate([at for _, at, _ in found]))
    inside = np.zeros((len(names), len(near)))
    for some, at, area in found:
        inside[np.ix_(some, np.searchsorted(near, at))] = area
    # what less is shared is rounding, as in `affected`
    inside[inside <= np.minimum(ROUNDING_M2, shapely.area(shapes[near]) / 2)] = 0.0
    ever = inside.any(axis=0)
    hit = affected(
        buildings.iloc[near[ever]], gpd.GeoDataFrame(pd.concat(widest, ignore_index=True)), rivers
    )
    hit["node_id"] = node_ids(hit, gap_m=gap_m, max_length_m=max_length_m, rivers=rivers)
    if rates is not None:
        hit["cost_yuan"] = compensation(hit, rates)["cost_yuan"]
    return _sums_by_design(hit, pd.DataFrame(inside[:, ever], names, hit.index), partial_rule)


def _designs_table(designs: pd.DataFrame | Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One table with a column ``design``."""
    if isinstance(designs, pd.DataFrame):
        require_columns(designs, ("design",), "designs")
        if (nameless := designs["design"].isna()).any():
            raise LayerError(
                "has rows without design",
                layer="designs",
                ids=designs.index[nameless],
                hint='designs = designs.dropna(subset="design")  # or name them',
            )
        return designs
    if not designs:
        raise LayerError("no design to assess", hint='pg.assess_many({"原方案": widths}, ...)')
    return pd.concat(designs, names=["design"]).reset_index("design").reset_index(drop=True)


def _groups_by_stations(table: pd.DataFrame) -> list[tuple[Ints, pd.DataFrame, Floats, Floats]]:
    """Designs whose tables have the same rows, but for the widths, which are (rows, designs).

    Given are the positions of the designs, the rows of one of them, and left and right widths.
    """
    design = np.asarray(table["design"].cat.codes, np.intp)
    begin = np.flatnonzero(np.diff(design, prepend=-1))
    size = np.diff(begin, append=len(table))
    row = np.arange(len(table)) - np.repeat(begin, size)
    keys = table[["code", "piece", "measure"]].assign(row=row)
    # a sum, for the rows are numbered
    prints = np.add.reduceat(pd.util.hash_pandas_object(keys, index=False).to_numpy(), begin)
    found = []
    for same in pd.unique(prints):
        some = np.flatnonzero(prints == same)
        at = begin[some] + np.arange(size[some[0]])[:, None]
        left, right = (table[c].to_numpy(float)[at] for c in ("left_m", "right_m"))
        found.append((design[begin[some]], table.iloc[at[:, 0]], left, right))
    return found


def _corridor_pieces(
    rows: pd.DataFrame, left: Floats, right: Floats, lines: Centrelines, drawn: Mapping[str, Any]
) -> Pieces:
    """Pieces of the corridor of all designs whose tables have these rows."""
    found = []
    for (k, _), at in places_of(rows.groupby(["code", "piece"], sort=True)).items():
        step = drawn["interpolation"] == "step"
        measure = rows["measure"].to_numpy(float)[at]
        found.extend(
            Pieces.of(
                section_rows(measure, left[at], right[at], lines, int(k), step=step),
                np.radians(drawn["arc_step_deg"]),
                mitre=drawn["corners"] == "mitre",
                rounded=drawn["ends"] == "round",
            )
        )
    return Pieces.joined(found)


def _sums_by_design(hit: gpd.GeoDataFrame, inside: pd.DataFrame, partial_rule: str) -> Designs:
    """Sums by design, and by design and node."""
    footprint, area = hit["footprint_m2"].to_numpy(float), inside.to_numpy()
    taken = area > 0
    outside = footprint - area
    full = taken & (outside < np.minimum(NO_AREA_M2, footprint / 2))
    share = area / footprint if partial_rule == "share" else taken.astype(float)
    floor = numbers(hit, "demolish_floor_area_m2", "buildings")
    zero = pd.Series(np.nan, index=hit.index)
    estimated = (hit.get("floor_area_source", zero) == "estimated").to_numpy()
    known, tenants = floor.fillna(0.0).to_numpy(), numbers(hit, "tenants", "buildings")
    counts: dict[str, tuple[Any, Any]] = {
        "n_buildings": (taken, 1.0),
        "n_full": (full, 1.0),
        "n_partial": (taken & ~full, 1.0),
        "inside_m2": (area, 1.0),
        "demolish_floor_area_m2": (share, known),
        "estimated_m2": (share, known * estimated),
        "n_unknown": (taken, floor.isna().to_numpy()),
        "n_tenants": (taken, tenants.fillna(0.0).to_numpy()),
        "n_tenants_unknown": (taken, tenants.isna().to_numpy()),
    }
    if "cost_yuan" in hit:
        cost = numbers(hit, "cost_yuan", "buildings")
        counts["cost_yuan"] = (share, cost.fillna(0.0).to_numpy())
        counts["unpriced"] = (taken, cost.isna().to_numpy())
    code, nodes = pd.factorize(hit["node_id"], sort=True)
    ones = np.ones(len(hit))
    at = sparse.csr_array((ones, (np.arange(len(hit)), code)), shape=(len(hit), len(nodes)))
    pairs = pd.MultiIndex.from_product([inside.index, nodes], names=["design", "node_id"])
    by_node = pd.DataFrame(
        {name: np.ravel((value * weight) @ at) for name, (value, weight) in counts.items()}, pairs
    )
    whole = [name for name in counts if name.startswith("n_")]
    by_node[whole] = by_node[whole].round().astype(int)
    sums = by_node.groupby(level="design", sort=False).sum().reindex(inside.index, fill_value=0)
    by_node, sums = _unknown_as_na(by_node[by_node["n_buildings"] > 0]), _unknown_as_na(sums)
    buildings = hit.drop(columns=["inside_m2", "inside_ratio", "cut_depth_m", "extent"])
    buildings = buildings.drop(columns="needs_survey")
    return Designs(buildings, inside, sums, by_node)


def _unknown_as_na(sums: pd.DataFrame) -> pd.DataFrame:
    """Sums as `totals` gives them: NA where nothing is known, of money where anything isn't."""
    sums = sums.copy()
    all_ = sums["n_buildings"] > 0
    none = all_ & (sums["n_unknown"] == sums["n_buildings"])
    for name in ("demolish_floor_area_m2", "estimated_m2"):
        sums[name] = sums[name].mask(none)
    nobody = all_ & (sums["n_tenants_unknown"] == sums["n_buildings"])
    sums["n_tenants"] = sums["n_tenants"].astype("Int64").mask(nobody)
    if "unpriced" in sums:
        sums["cost_yuan"] = sums["cost_yuan"].mask(sums["unpriced"] > 0)
    return sums.drop(columns="unpriced", errors="ignore")
