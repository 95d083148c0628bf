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
from pinghu_geo.redline.bands import AT_ONCE, Pieces, areas_inside, product
from pinghu_geo.redline.lines import Strips, codes_of, red_line, width_table
from pinghu_geo.redline.overlap import NO_AREA_M2, demolished, placed
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
    box = require_layer(buildings, "buildings", crs=rivers.crs, valid=False)
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
    within_reach = rows_near(buildings, np.concatenate([one.geometry for one in widest]), box=box)
    require_valid(buildings, "buildings", near=within_reach)
    buildings = buildings.iloc[within_reach]
    shapes, found = flat_shapes(buildings), []
    for some, rows, left, right in groups:
        pieces = _corridor_pieces(rows, left, right, lines, drawn)
        found.append((some, *areas_inside(shapes, pieces)))
    near, inside = _joined_areas(found, len(names))
    # what less is shared is rounding, as in `affected`
    footprint = shapely.area(shapes[near])
    inside[inside <= np.minimum(ROUNDING_M2, footprint / 2)[:, None]] = 0.0
    ever = inside.any(axis=1)
    if not ever.all():
        near, inside, footprint = near[ever], inside[ever], footprint[ever]
    hit = placed(
        buildings.iloc[near], gpd.GeoDataFrame(pd.concat(widest, ignore_index=True)), rivers
    )
    hit["footprint_m2"] = footprint
    area_demolished = demolished(hit, footprint, np.ones(len(hit)))
    hit[area_demolished.columns] = area_demolished
    hit["node_id"] = node_ids(hit, gap_m=gap_m, max_length_m=max_length_m, rivers=rivers)
    if rates is not None:
        hit["cost_yuan"] = compensation(hit, rates)["cost_yuan"]
    return _sums_by_design(hit, inside, names, partial_rule)


def _joined_areas(found: list[tuple[Ints, Ints, Floats]], number: int) -> tuple[Ints, Floats]:
    """Positions of all shapes, and areas (n, designs), of groups of designs."""
    if len(found) == 1 and np.array_equal(found[0][0], np.arange(number)):
        return found[0][1:]
    near = np.unique(np.concatenate([at for _, at, _ in found]))
    inside = np.zeros((len(near), number))
    for some, at, area in found:
        inside[np.ix_(np.searchsorted(near, at), some)] = area
    return near, inside


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
    keys = [table[c].to_numpy() for c in ("code", "measure")]
    if (piece := codes_of(table, "piece")).any():
        keys.append(piece)
    alike: dict[tuple[bytes, ...], list[int]] = {}
    for k, (start, end) in enumerate(zip(begin.tolist(), (begin + size).tolist(), strict=True)):
        alike.setdefault(tuple(one[start:end].tobytes() for one in keys), []).append(k)
    found = []
    for some in alike.values():
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
        found.append(
            Pieces.of(
                Strips.between(measure, lines, int(k), step=step),
                left[at],
                right[at],
                np.radians(drawn["arc_step_deg"]),
                mitre=drawn["corners"] == "mitre",
                rounded=drawn["ends"] == "round",
            )
        )
    return Pieces.joined(found)


def _sums_by_design(
    hit: gpd.GeoDataFrame, area: Floats, names: pd.Index, partial_rule: str
) -> Designs:
    """Sums by design, and by design and node, of areas (buildings, designs)."""
    floor = numbers(hit, "demolish_floor_area_m2", "buildings")
    none = pd.Series(np.nan, index=hit.index)
    estimated = (hit.get("floor_area_source", none) == "estimated").to_numpy()
    known, tenants = floor.fillna(0.0).to_numpy(), numbers(hit, "tenants", "buildings")
    one = np.ones(len(hit))
    # of each sum what it counts of a building, and how much that comes to
    counts: dict[str, tuple[str, Any]] = {
        "n_buildings": ("taken", one),
        "n_full": ("full", one),
        "n_partial": ("partial", one),
        "inside_m2": ("area", one),
        "demolish_floor_area_m2": ("share", known),
        "estimated_m2": ("share", known * estimated),
        "n_unknown": ("taken", floor.isna()),
        "n_tenants": ("taken", tenants.fillna(0.0)),
        "n_tenants_unknown": ("taken", tenants.isna()),
    }
    if "cost_yuan" in hit:
        cost = numbers(hit, "cost_yuan", "buildings")
        counts["cost_yuan"] = ("share", cost.fillna(0.0))
        counts["unpriced"] = ("taken", cost.isna())
    code, nodes = pd.factorize(hit["node_id"], sort=True)
    footprint = hit["footprint_m2"].to_numpy(float)
    sums = dict(
        zip(counts, _sums_by_node(area, footprint, code, counts, partial_rule), strict=True)
    )
    some = sums["n_buildings"] > 0
    design, node = np.nonzero(some)
    pairs = pd.MultiIndex.from_arrays(
        [names.take(design), nodes.take(node)], names=["design", "node_id"]
    )
    by_node, totals = (
        pd.DataFrame(
            {k: v.round().astype(int) if k.startswith("n_") else v for k, v in table.items()}, index
        )
        for table, index in (
            ({name: value[some] for name, value in sums.items()}, pairs),
            ({name: value.sum(axis=1) for name, value in sums.items()}, names),
        )
    )
    inside = pd.DataFrame(area.T, names, hit.index, copy=False)
    return Designs(hit, inside, _unknown_as_na(totals), _unknown_as_na(by_node))


def _sums_by_node(
    area: Floats,
    footprint: Floats,
    code: Ints,
    counts: Mapping[str, tuple[str, Any]],
    partial_rule: str,
) -> Floats:
    """Sums (counts, designs, nodes) of areas (buildings, designs), a few buildings at a time."""
    found = np.zeros((len(counts), int(code.max(initial=-1)) + 1, area.shape[1]))
    kinds = {kind: [k for k, (of, _) in enumerate(counts.values()) if of == kind]
             for kind in ("taken", "full", "partial", "area", "share")}  # fmt: skip
    weights = np.array([np.asarray(weight, float) for _, weight in counts.values()])
    order = np.argsort(code, kind="stable")
    size = max(1, AT_ONCE // area.shape[1])
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        some, whole = area[rows], footprint[rows, None]
        taken = some > 0
        full = taken & (whole - some < np.minimum(NO_AREA_M2, whole / 2))
        values = {"taken": taken, "full": full, "partial": taken & ~full, "area": some}
        values["share"] = some / whole if partial_rule == "share" else taken
        first, last = code[rows[0]], code[rows[-1]] + 1
        for kind, which in kinds.items():
            factors = np.zeros((len(which), last - first, len(rows)))
            factors[:, code[rows] - first, np.arange(len(rows))] = weights[which][:, rows]
            part = product(factors.reshape(-1, len(rows)), values[kind].astype(float))
            found[which, first:last] += part.reshape(len(which), last - first, -1)
    return np.swapaxes(found, 1, 2)


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
