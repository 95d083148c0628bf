"""Which design demolishes least? Offsets of the red line for a whole river, with proof."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.alternatives import Comparison, compare
from pinghu_geo.centreline import Centrelines, lay_out, river_scales
from pinghu_geo.chainage import format_chainage
from pinghu_geo.cost import compensation
from pinghu_geo.errors import LayerError, OptimiseError
from pinghu_geo.mincut import LocalProblem, Solution, solve
from pinghu_geo.overlap import floor_area
from pinghu_geo.redline import red_line
from pinghu_geo.schema import (
    flat_shapes,
    label,
    nearest,
    numbers,
    require_columns,
    require_layer,
    require_polygons,
)
from pinghu_geo.sections import Array

__all__ = ["LIMITS", "LeastDemolition", "least_demolition", "moved_design", "what_would_save"]

# What a planner may state, and what holds where nothing is stated. Lengths [m], prices [yuan].
LIMITS: Mapping[str, float | None] = {
    "inward_m": 6.0,  # how far the line may move towards the river
    "outward_m": 6.0,  # ... and away from it
    "step_m": 0.5,  # between the offsets that are tried
    "spacing_m": 10.0,  # between stations
    "taper": 0.2,  # change of offset along the river, m per m
    "least_half_m": 3.0,  # least distance of the line from the centreline
    "clear_m": 0.02,  # how far the line keeps from a wall that it spares
    "width_ratio": 1.0,  # left and right together, to the approved line
    "works_yuan_m2": 0.0,  # each square metre inside the line
    "move_yuan_m2": 1.0,  # each square metre between the approved line and the new one
}
# the line keeps at least this far from a wall that it spares [m]: more than the drawing rounds
CLEAR_M = 0.02
# points along a wall [m]: between them a wall is at most 4 mm nearer, at 8 m from the centreline
SAMPLE_M = 0.5

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LeastDemolition:
    """The line that demolishes least under the local rule, and why 最少拆迁方案.

    Attributes
    ----------
    widths
        The line as an ordinary width table: to be edited, drawn (`red_line`), compared.
    certificate
        One row a river: stations, offsets tried, buildings within reach; cost_yuan of the optimum,
        bound_yuan that no other line can beat, gap_yuan (0: proven).
    buildings
        One row a building within reach: river, bank, from_m, to_m, state {saved, added,
        demolished, spared} against the approved line, cost_yuan, and for those still demolished
        hindered_by, what keeps the line there.
    comparison
        `compare` of the approved and the new line as drawn.
    """

    widths: pd.DataFrame
    certificate: pd.DataFrame
    buildings: pd.DataFrame
    comparison: Comparison
    problems: dict[str, _River] = field(repr=False)

    def summary(self) -> list[str]:
        """What a mayor needs to know, in a few sentences."""
        proven = float(self.certificate["gap_yuan"].sum()) < 1.0
        lines = self.comparison.summary()
        word = "已证明为所给规则下的最优" if proven else "尚有差距,见证明表"
        lines.append(
            f"红线偏移方案{word}:{int(self.certificate['n_stations'].sum()):,} 个断面、"
            f"{int(self.certificate['n_buildings'].sum()):,} 栋可及房屋。"
        )
        lines.append("仅为局部规则下的筛查,壅水以全河水面线复核,最终以防洪评价为准。")
        return lines

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(s)}</p>" for s in self.summary())
        proof = self.certificate.rename(columns=label).to_html(
            float_format="{:,.0f}".format, border=0, index=False
        )
        return f"<div>{lines}{proof}</div>"


@dataclass(frozen=True, slots=True)
class _River:
    """One river's problem, its answer, and what is needed to read it."""

    name: str
    chainage: Array
    base: Array  # (2, stations) offset of the approved line [m]
    level0: int  # level of the approved line
    step: float
    problem: LocalProblem
    solution: Solution
    ids: Array  # building of each number
    from_m: Array
    to_m: Array


def least_demolition(
    rivers: gpd.GeoDataFrame,
    widths: pd.DataFrame,
    buildings: gpd.GeoDataFrame,
    limits: Mapping[str, float],
    *,
    rates: pd.DataFrame | None = None,
    locks: pd.DataFrame | None = None,
    progress: Progress | None = None,
) -> LeastDemolition:
    """Red line that demolishes least under local rules, proven 最少拆迁红线.

    Parameters
    ----------
    rivers
        Centrelines drawn downstream, indexed by river.
    widths
        The approved red line: river, chainage_m, left_m, right_m [m].
    buildings
        Footprints, indexed by building_id, with what `rates` distinguish and floor areas.
    limits
        What the design may do; what is left out has the value in brackets.

        - inward_m, outward_m: how far the line may move [6 m each]
        - step_m [0.5], spacing_m [10]: the grid of offsets and stations
        - taper: change of offset along the river [0.2 m per m]
        - least_half_m: least distance of the line from the centreline [3]
        - clear_m: distance from walls that are spared [0.02]; give the accuracy of the survey, or
          the design saves houses by centimetres that nobody has measured
        - width_ratio: left and right together, to the approved line [1]
        - works_yuan_m2: price of the works per square metre [0]
        - move_yuan_m2: price of each square metre by which the line is moved [1], which keeps it
          where nothing is gained
    rates
        Table for `compensation`; without it, a square metre of floor area counts as one yuan.
    locks
        Stretches where the line is bound: river, from_m, to_m, bank (missing: both), least_m and
        most_m (its offset [m]); neither: it stays where it is (a bridge, a finished reach).
    progress
        Called with a line of text before each river.

    Returns
    -------
    LeastDemolition
        A width table, its proof, the buildings, and the comparison with the approved line.

    Raises
    ------
    OptimiseError
        No line keeps the limits: the stations and the limit at fault are named.
    RateError, LayerError, CRSError
        The layers can't be used, or a building within reach has no rate or floor area.

    Notes
    -----
    The local rule is the width: at every station left and right together are at least
    ``width_ratio`` of the approved line, so that a channel of the same depth passes as much. It is
    a screen: `flood_rise` of the designed sections and the flood-impact evaluation decide.

    A building within reach counts with its whole floor area, once, as soon as the line comes within
    ``clear_m`` of any wall at any station beside it; between stations the higher offset of the two
    counts. So a building that is promised to stay is clear of the line as drawn. Offsets between
    the stations of the approved table are interpolated.

    Every rule is an implication and every cost belongs to one offset, one change of offset, or one
    building: the optimum is a minimum cut, and the greatest flow is the bound.

    References
    ----------
    Picard, Maximal closure of a graph and applications to combinatorial problems, Management
    Science 22 (1976) 1268-1272.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers").loc[["木古河"]]
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    >>> best = pg.least_demolition(rivers, widths[widths["river"] == "木古河"], buildings,
    ...     {"spacing_m": 20, "step_m": 1.0})
    >>> float(best.certificate["gap_yuan"].sum())
    0.0
    >>> int((best.buildings["state"] == "saved").sum()) > 0
    True
    """
    tell = progress or (lambda _: None)
    given = _limits(limits)
    require_layer(rivers, "rivers")
    require_layer(buildings, "buildings", crs=rivers.crs)
    require_polygons(buildings, "buildings")
    require_columns(widths, ("river", "chainage_m", "left_m", "right_m"), "widths")
    lines = lay_out(rivers)
    approved = red_line(rivers, widths)
    solved: dict[str, _River] = {}
    for code, name in enumerate(lines.names):
        tell(f"优化红线 {name}")
        grid = _stations(lines, code, widths[widths["river"] == name], given)
        reach = _touched(buildings, lines, code, grid, max(given["clear_m"], CLEAR_M))
        cost = _costs(buildings.iloc[reach["ids"]], rates)
        problem = _problem(grid, reach, cost, given, _locked(locks, name, grid["chainage"]))
        solution = solve(problem)
        if solution is None:
            raise _conflict(name, grid, problem)
        solved[name] = _River(
            name=name,
            chainage=grid["chainage"],
            base=grid["base"],
            level0=grid["level0"],
            step=given["step_m"],
            problem=problem,
            solution=solution,
            ids=buildings.index[reach["ids"]].to_numpy(),
            from_m=reach["from_m"],
            to_m=reach["to_m"],
        )
    table = pd.concat([_widths(one) for one in solved.values()], ignore_index=True)
    drawn = red_line(rivers, table)
    found = compare({"原方案": approved, "最少拆迁": drawn}, buildings, rivers, rates=rates)
    return LeastDemolition(
        table,
        pd.DataFrame([_proof(one) for one in solved.values()]),
        pd.concat([_states(one) for one in solved.values()]),
        found,
        solved,
    )


def _limits(given: Mapping[str, float]) -> dict[str, float]:
    """Limits with those that are left out; unknown or senseless ones are refused."""
    for key, number in given.items():
        if key not in LIMITS:
            raise LayerError(f"{key!r} is not known", layer="limits", hint=nearest(key, LIMITS))
        if (
            not np.isfinite(number)
            or number < 0
            or (number == 0 and key in ("step_m", "spacing_m"))
        ):
            raise LayerError(
                f"{key} is {number!r}", layer="limits", hint="lengths and prices are not negative"
            )
    return {k: float(v or 0.0) for k, v in (dict(LIMITS) | dict(given)).items()}


def _stations(
    lines: Centrelines, code: int, widths: pd.DataFrame, limits: Mapping[str, float]
) -> dict[str, Any]:
    """Stations of a river, the approved offsets there, and the offsets to be tried."""
    name, scale = lines.names[code], lines.scales[code]
    if widths.empty:
        raise LayerError(
            f"has no rows for {name}", layer="widths", hint="leave the river out of rivers, too"
        )
    at = scale.measure(widths["chainage_m"].to_numpy(float))
    order = np.argsort(at, kind="stable")
    at = at[order]
    if (np.diff(at) <= 0).any():
        raise LayerError(
            f"has two widths at one chainage of {name}, or gaps in it",
            layer="widths",
            hint="the search needs one row a chainage; draw abrupt changes over a short stretch",
        )
    regular = np.arange(at[0], at[-1], limits["spacing_m"])
    # stations of the table itself are kept, so that an unmoved line is drawn as it was
    measure = np.union1d(np.round(regular, 6), np.round(at, 6))
    keep = np.r_[True, np.diff(measure) > 0.25 * limits["spacing_m"]] | np.isin(
        measure, np.round(at, 6)
    )
    measure = measure[keep]
    base = np.stack(
        [np.interp(measure, at, widths[c].to_numpy(float)[order]) for c in ("left_m", "right_m")]
    )
    down = int(np.floor(limits["inward_m"] / limits["step_m"] + 1e-9))
    up = int(np.floor(limits["outward_m"] / limits["step_m"] + 1e-9))
    levels = (np.arange(-down, up + 1) * limits["step_m"])[None, None, :]
    return {
        "name": name,
        "measure": measure,
        "chainage": scale.chainage(measure),
        "base": base,
        "offsets": base[:, :, None] + levels,
        "level0": down,
    }


def _touched(
    buildings: gpd.GeoDataFrame,
    lines: Centrelines,
    code: int,
    grid: Mapping[str, Any],
    clear_m: float,
) -> dict[str, Any]:
    """From which offset on a line touches a building, station by station.

    Points along the walls are projected on every piece of centreline within reach; a point
    between two stations binds both of them.
    """
    most = float(grid["offsets"].max()) + clear_m
    mine = slice(lines.first[code], lines.first[code + 1])
    segments = shapely.linestrings(np.stack([lines.start[mine], lines.end[mine]], axis=1))
    shapes = flat_shapes(buildings)
    tree = shapely.STRtree(segments)
    near = np.unique(tree.query(shapes, predicate="dwithin", distance=most)[0])
    xy, who = shapely.get_coordinates(shapely.segmentize(shapes[near], SAMPLE_M), return_index=True)
    point, seg = tree.query(shapely.points(xy), predicate="dwithin", distance=most)
    start, step, length = (v[mine][seg] for v in (lines.start, lines.step, lines.length))
    unit = step / length[:, None]
    rel = xy[point] - start
    along = np.clip((rel * unit).sum(axis=1), 0.0, length)
    away = np.hypot(*(rel - unit * along[:, None]).T)
    left = unit[:, 0] * rel[:, 1] - unit[:, 1] * rel[:, 0] > 0
    measure = lines.measure[mine][seg] + along
    last = len(grid["measure"]) - 1
    cell = np.searchsorted(grid["measure"], measure, side="right") - 1
    rows = []
    for shift in (0, 1):
        station = np.clip(cell + shift, 0, last)
        offsets = grid["offsets"][np.where(left, 0, 1), station]
        level = (offsets <= (away - clear_m)[:, None]).sum(axis=1)
        rows.append(np.stack([who[point], np.where(left, 0, 1), station, level], axis=1))
    table = pd.DataFrame(np.concatenate(rows), columns=["who", "side", "station", "level"])
    inside = (measure > grid["measure"][0] - 1e-6) & (measure < grid["measure"][-1] + 1e-6)
    table = table[np.tile(inside, 2)]
    table = table[table["level"] < grid["offsets"].shape[2]]
    table = table.groupby(["who", "side", "station"], as_index=False)["level"].min()
    ids, table["who"] = np.unique(table["who"].to_numpy(), return_inverse=True)
    spans = table.groupby("who")["station"].agg(["min", "max"])
    chainage = grid["chainage"]
    return {
        "table": table,
        "ids": near[ids],
        "from_m": chainage[spans["min"].to_numpy(int)],
        "to_m": chainage[spans["max"].to_numpy(int)],
    }


def _costs(near: gpd.GeoDataFrame, rates: pd.DataFrame | None) -> Array:
    """What each building costs when it goes, in whole yuan."""
    area = floor_area(near)["floor_area_m2"]
    priced = near.drop(columns=["demolish_floor_area_m2"], errors="ignore")
    priced = priced.assign(demolish_floor_area_m2=area)
    if rates is not None:
        return np.asarray(np.round(compensation(priced, rates)["cost_yuan"].to_numpy(float)))
    if area.isna().any():
        raise LayerError(
            "have neither floor area nor floors, so that what they count is not known",
            layer="buildings",
            ids=area.index[area.isna()],
            hint="survey them, or give rates and their floor areas",
        )
    return np.asarray(np.round(area.to_numpy(float)))


def _locked(
    locks: pd.DataFrame | None, name: str, chainage: Array
) -> list[tuple[int, Array, Any, Any]]:
    """Side, stations, least and most offset of each lock of a river."""
    if locks is None or locks.empty:
        return []
    require_columns(locks, ("river", "from_m", "to_m"), "locks")
    found = []
    least, most = (numbers(locks, c, "locks").to_numpy() for c in ("least_m", "most_m"))
    bank = locks["bank"].astype(object) if "bank" in locks else pd.Series(None, locks.index)
    for k, row in enumerate(locks.to_dict("records")):
        if row["river"] != name:
            continue
        low, high = sorted((float(row["from_m"]), float(row["to_m"])))
        at = np.flatnonzero((chainage >= low - 1e-6) & (chainage <= high + 1e-6))
        for side, word in enumerate(("left", "right")):
            if bank.iloc[k] in (word, None, "both") or pd.isna(bank.iloc[k]):
                found.append((side, at, least[k], most[k]))
    return found


def _problem(
    grid: Mapping[str, Any],
    reach: Mapping[str, Any],
    cost: Array,
    limits: Mapping[str, float],
    locks: list[tuple[int, Array, Any, Any]],
) -> LocalProblem:
    """The local problem of one river."""
    offsets, base, measure = grid["offsets"], grid["base"], grid["measure"]
    gap = np.diff(measure)
    length = (
        np.r_[gap, 0] + np.r_[0, gap]
    ) / 2  # each station stands for half the way to its neighbours
    moved = np.abs(offsets - base[:, :, None])
    works = limits["works_yuan_m2"] * offsets + limits["move_yuan_m2"] * moved
    works = np.round(works * length[None, :, None])
    works[offsets < np.minimum(limits["least_half_m"], base[:, :, None]) - 1e-9] = np.inf
    for side, at, least, most in locks:
        free = np.ones((len(at), offsets.shape[2]), bool)
        if np.isnan(least) and np.isnan(most):
            free[:] = np.arange(offsets.shape[2]) == grid["level0"]
        if np.isfinite(least):
            free &= offsets[side, at] >= least - 1e-9
        if np.isfinite(most):
            free &= offsets[side, at] <= most + 1e-9
        works[side, at] = np.where(free, works[side, at], np.inf)
    wanted = limits["width_ratio"] * base.sum(axis=0)
    need = wanted[:, None] - offsets[0]  # what is left for the right side
    least_right = (offsets[1][:, None, :] < need[:, :, None] - 1e-9).sum(axis=2)
    table = reach["table"]
    most_change = max(int(limits["taper"] * gap.min() / limits["step_m"] + 1e-9), 1)
    return LocalProblem(
        works,
        table["who"].to_numpy(int),
        table["side"].to_numpy(int),
        table["station"].to_numpy(int),
        table["level"].to_numpy(int),
        cost,
        most_change,
        0.0,
        least_right,
    )


def _conflict(name: str, grid: Mapping[str, Any], problem: LocalProblem) -> OptimiseError:
    """Which limits and stations leave no line."""
    n, k = problem.works.shape[1:]
    none = ~np.isfinite(problem.works).any(axis=2)
    if none.any():
        side, station = np.argwhere(none)[0]
        return OptimiseError(
            f"{name}: no offset of the {('left', 'right')[side]} bank keeps its limits at stations",
            ids=[format_chainage(c) for c in grid["chainage"][none.any(axis=0)]],
            hint="least_half_m, or least_m and most_m of locks, leave nothing there",
        )
    if problem.least_right is not None:
        open_ = np.array(
            [
                any(
                    np.isfinite(problem.works[0, i, a])
                    and problem.least_right[i, a] < k
                    and np.isfinite(problem.works[1, i, problem.least_right[i, a] :]).any()
                    for a in range(k)
                )
                for i in range(n)
            ]
        )
        if not open_.all():
            return OptimiseError(
                f"{name}: left and right together can't reach the width that width_ratio asks for",
                ids=[format_chainage(c) for c in grid["chainage"][~open_]],
                hint="a larger outward_m, a smaller width_ratio, or other locks",
            )
    return OptimiseError(
        f"{name}: locks and limits of neighbouring stations leave no line within the taper",
        hint="a larger taper, or locks that leave room to pass from one to the other",
    )


# --- what came out ----------------------------------------------------------------------------


def _widths(one: _River) -> pd.DataFrame:
    moved = (one.solution.levels - one.level0) * one.step
    left, right = np.round(one.base + moved, 6)
    return pd.DataFrame(
        {"river": one.name, "chainage_m": one.chainage, "left_m": left, "right_m": right}
    )


def _proof(one: _River) -> dict[str, Any]:
    return {
        "river": one.name,
        "n_stations": len(one.chainage),
        "n_offsets": one.problem.works.shape[2],
        "n_buildings": len(one.ids),
        "cost_yuan": one.solution.cost,
        "bound_yuan": one.solution.bound,
        "gap_yuan": one.solution.gap,
    }


def _states(one: _River) -> pd.DataFrame:
    """Buildings within reach: what becomes of them, and what keeps the line on them."""
    p = one.problem
    before = np.zeros(len(p.cost), bool)
    before[p.who[p.level <= one.level0]] = True
    after = one.solution.touched
    state = np.select(
        [before & ~after, ~before & after, after], ["saved", "added", "demolished"], "spared"
    )
    sides = pd.Series(p.side).groupby(p.who).agg(["min", "max"]).reindex(range(len(p.cost)))
    bank = np.where(
        sides["min"] == sides["max"], np.where(sides["min"] == 0, "left", "right"), "both"
    )
    return pd.DataFrame(
        {
            "river": one.name,
            "bank": bank,
            "from_m": one.from_m,
            "to_m": one.to_m,
            "state": state,
            "cost_yuan": p.cost,
            "hindered_by": _hindered(one, np.flatnonzero(after)),
        },
        index=pd.Index(one.ids, name="building_id"),
    )


def _hindered(one: _River, demolished: Array) -> list[str]:
    """What keeps the line on each building that still goes, by the rules at its own stations."""
    p, found = one.problem, [""] * len(one.problem.cost)
    wanted = set(demolished.tolist())
    lowest = np.isfinite(p.works).argmax(axis=2)
    highest = p.works.shape[2] - 1 - np.isfinite(p.works[:, :, ::-1]).argmax(axis=2)
    for who, rows in pd.DataFrame(
        {"who": p.who, "side": p.side, "station": p.station, "level": p.level}
    ).groupby("who"):
        if who not in wanted:
            continue
        side, station = rows["side"].to_numpy(), rows["station"].to_numpy()
        below = rows["level"].to_numpy() - 1
        if (below < 0).any():
            found[who] = "reach"  # further inside than the line may move
        elif (below < lowest[side, station]).any():
            found[who] = "least_half"
        elif p.least_right is not None and _too_narrow(p, side, station, below, highest):
            found[who] = "width"
        else:
            found[who] = "cost"  # to spare it costs more elsewhere
    return found


def _too_narrow(p: LocalProblem, side: Array, station: Array, below: Array, highest: Array) -> bool:
    """Whether the other bank can't make room for what this one would give up."""
    least = p.least_right
    if least is None:
        return False
    if side[0] == 0:
        return bool((least[station, below] > highest[1, station]).any())
    return bool((least[station, highest[0, station]] > below).any())


def what_would_save(best: LeastDemolition, building_id: object) -> pd.DataFrame:
    """The cheapest change that spares one more building, and its price 保留一栋的代价.

    Parameters
    ----------
    best
        Result of `least_demolition`.
    building_id
        A building that it demolishes.

    Returns
    -------
    pandas.DataFrame
        One row a bank and stretch where the line moves, river, bank, from_m, to_m, moved_m (the
        largest change of offset, negative towards the river); and on every row extra_yuan, what
        the whole design costs more, n_saved and n_lost, buildings spared and lost in all, and
        their ids. No row: no line within the limits spares it.

    Raises
    ------
    LayerError
        The building is not among those that are demolished.

    Notes
    -----
    The same minimum cut with the building fixed as spared: nothing infeasible is ever proposed,
    and no cheaper change exists within the limits.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers").loc[["木古河"]]
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    >>> best = pg.least_demolition(rivers, widths[widths["river"] == "木古河"], buildings,
    ...     {"spacing_m": 20, "step_m": 1.0})
    >>> left = best.buildings[best.buildings["hindered_by"] == "cost"]
    >>> found = [pg.what_would_save(best, i) for i in left.index]
    >>> all((t["extra_yuan"] >= 0).all() for t in found)
    True
    """
    columns = [
        "river", "bank", "from_m", "to_m", "moved_m", "extra_yuan", "n_saved", "n_lost",
        "saved_ids", "lost_ids",
    ]  # fmt: skip
    mine = best.buildings[best.buildings.index == building_id]
    mine = mine[mine["state"].isin(["demolished", "added"])]
    if mine.empty:
        raise LayerError(
            f"{building_id!r} is no building that the design demolishes",
            layer="buildings",
            hint='best.buildings[best.buildings["state"] == "demolished"] lists them',
        )
    rows: list[list[Any]] = []
    for river in mine["river"]:
        one = best.problems[river]
        number = int(np.flatnonzero(one.ids == building_id)[0])
        works = one.problem.works.copy()
        for t in np.flatnonzero(one.problem.who == number):
            place = (one.problem.side[t], one.problem.station[t])
            works[place][max(one.problem.level[t], 0) :] = np.inf
        new = solve(replace(one.problem, works=works))
        if new is None:
            return pd.DataFrame(columns=columns)
        saved = one.ids[one.solution.touched & ~new.touched]
        lost = one.ids[~one.solution.touched & new.touched]
        price = [new.cost - one.solution.cost, len(saved), len(lost), list(saved), list(lost)]
        for side, start, stop in _stretches(new.levels != one.solution.levels):
            change = (new.levels - one.solution.levels)[side, start:stop] * one.step
            ends = (one.chainage[start], one.chainage[stop - 1])
            most = float(change[np.argmax(np.abs(change))])
            rows.append([river, ("left", "right")[side], *ends, most, *price])
    return pd.DataFrame(rows, columns=columns)


def moved_design(
    design: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame, rivers: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Designed channel whose walls follow the red line to another width table 移位设计断面.

    Parameters
    ----------
    design
        Stations for `design_sections`: river, chainage_m, left_m, right_m and the rest.
    before, after
        Width tables of the approved and the new red line.
    rivers
        Centrelines, for the chainages.

    Returns
    -------
    pandas.DataFrame
        ``design`` with left_m and right_m moved as the line moves on each bank. With it
        `water_profile` computes the flood of the new line, which the search knows nothing of.

    Raises
    ------
    LayerError
        A river of the design is missing from a width table.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> design = pg.read_table(sample / "设计断面.csv", "design")
    >>> names = [f"红线宽度_{n}方案.csv" for n in ("原", "优化")]
    >>> old, new = (pg.read_table(sample / n, "widths") for n in names)
    >>> made = pg.moved_design(design, old, new, rivers)
    >>> wide = made["left_m"] + made["right_m"] - design["left_m"] - design["right_m"]
    >>> bool(wide.abs().max() < 1e-6)
    True
    """
    scales = river_scales(rivers)
    made = design.copy()
    for river in design["river"].unique():
        if river not in scales:
            raise LayerError(
                f"names the river {river!r}, which rivers doesn't hold",
                layer="design",
                hint=nearest(river, scales),
            )
        scale = scales[river]
        mine = (design["river"] == river).to_numpy()
        at = scale.measure(design.loc[mine, "chainage_m"].to_numpy(float))
        for column in ("left_m", "right_m"):
            offsets = []
            for name, table in (("before", before), ("after", after)):
                rows = table[table["river"] == river]
                if rows.empty:
                    raise LayerError(f"has no rows for {river}", layer=name)
                place = scale.measure(rows["chainage_m"].to_numpy(float))
                order = np.argsort(place, kind="stable")
                value = rows[column].to_numpy(float)[order]
                offsets.append(np.interp(at, place[order], value))
            moved = np.round(offsets[1] - offsets[0], 6)
            made.loc[mine, column] = made.loc[mine, column] + moved
    return made


def _stretches(changed: Array) -> list[tuple[int, int, int]]:
    """Side, first and last station of each run of changed stations."""
    found = []
    for side in (0, 1):
        edge = np.flatnonzero(np.diff(np.r_[False, changed[side], False].astype(int)))
        found += [(side, int(a), int(b)) for a, b in edge.reshape(-1, 2)]
    return found
