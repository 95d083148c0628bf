"""Who is responsible for which reach? Contiguous reaches with the least largest load, proven."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang, numbers, one_of, require_columns
from pinghu_geo.river.centreline import river_scales
from pinghu_geo.river.chainage import ChainageScale
from pinghu_geo.river.corridor import along_rivers, require_rivers, river_ends

__all__ = ["BalancedReaches", "balanced_reaches", "reaches_as_they_are"]

# loads are compared in whole millionths, so that equal sums are equal
MILLIONTHS = 1_000_000
MOST_LOAD = 1e9  # of one node, in any unit: sums stay exact
INFINITE = np.iinfo(np.int64).max // 4


@dataclass(frozen=True, slots=True)
class BalancedReaches(Result):
    """Responsible reaches of nearly equal loads 责任段.

    Attributes
    ----------
    segments : pandas.DataFrame
        river, from_m, to_m [m], bank, group, leader: as `node_table` takes them.
    loads : pandas.DataFrame
        A row a group: river, bank, n_nodes, load, and its ratio to the mean.
    certificate : pandas.DataFrame
        One row: largest load, the next smaller one that a partition could have, how many groups
        that would need, and the proof.
    """

    SHOWN: ClassVar = ("loads", "certificate")
    DECIMALS: ClassVar = 2
    NOUN: ClassVar = "campaign"

    segments: pd.DataFrame
    loads: pd.DataFrame
    certificate: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """How even the loads are."""
        return [
            say(
                "{} groups; the largest load is {} times the mean.",
                lang,
                len(self.loads),
                f"{self.loads['load_ratio'].max():.2f}",
            )
        ]


@dataclass(frozen=True, slots=True)
class _BlockLine:
    """One river (or one of its banks): blocks that no cut goes through, in order."""

    river: str
    bank: str | None
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    load: NDArray[np.int64]
    name: list[str | None]  # the group that a block is fixed to
    nodes: list[list[object]]
    cut: NDArray[np.float64]  # where the cut behind each block lies, but the last
    ends: tuple[float, float]
    across: bool  # has nodes on both banks, which go with this bank

    def sums(self) -> NDArray[np.int64]:
        """Sum of the loads before each block."""
        return np.concatenate([[0], np.cumsum(self.load)])

    def names_before(self) -> NDArray[np.int64]:
        """Count of fixed blocks before each block."""
        return np.concatenate([[0], np.cumsum([n is not None for n in self.name])])


@takes(groups="groups", cuts="cuts", fixed="segments")
def balanced_reaches(
    nodes: pd.DataFrame,
    groups: int | Sequence[str] | pd.DataFrame,
    *,
    by: str = "demolish_floor_area_m2",
    banks: Literal["together", "apart"] = "together",
    rivers: gpd.GeoDataFrame | None = None,
    cuts: pd.DataFrame | None = None,
    fixed: pd.DataFrame | None = None,
) -> BalancedReaches:
    """Responsible reaches for groups, with the least largest load 切段包干.

    Parameters
    ----------
    nodes
        Indexed by node_id: river, bank, from_m, to_m [m] and the load.
    groups
        How many, or their names, or a table with group and leader.
    by
        Column of the load: demolish_floor_area_m2, n_tenants, or working days.
    banks
        Whether a reach takes both banks, or one.
    rivers
        Centrelines: the reaches then cover each river from end to end. Needed where they have
        chainage equations (断链); a reach never ends at a chainage that occurs twice.
    cuts
        river, chainage_m (and bank): the only places where a reach may end, such as lines between
        communities, or bridges. By default the middle of any gap between nodes.
    fixed
        river, from_m, to_m, group (and bank): stretches that are a group's already; its reach
        holds them.

    Returns
    -------
    BalancedReaches
        ``segments``, ``loads``, ``certificate``.

    Raises
    ------
    LayerError
        Fewer groups than rivers (or banks) with nodes, more groups than stretches that can be
        told apart, a load that is not known, or fixed stretches that contradict one another.

    Notes
    -----
    One contiguous reach a group; a reach never ends within a node, and nodes that overlap stay
    together. How many groups each river gets is part of the search. The result is exact: by
    dynamic programming over the cuts of each river, then over the rivers, first the least
    largest load, and among these partitions the least sum of squares. The certificate counts
    independently how many groups the next smaller load would need: greedy filling from one end
    uses the fewest. Nodes across the river go with the left bank where banks are apart.

    References
    ----------
    Pınar and Aykanat, Fast optimal load balancing algorithms for 1D partitioning, Journal of
    Parallel and Distributed Computing 64 (2004) 974-996.

    Examples
    --------
    >>> nodes = pd.DataFrame({"river": "A", "bank": "left",
    ...                       "from_m": np.arange(9) * 100.0, "to_m": np.arange(9) * 100.0 + 50,
    ...                       "load": np.arange(1, 10) * 100.0})
    >>> found = pg.balanced_reaches(nodes, 3, by="load")
    >>> found.loads["load"].tolist()
    [1500.0, 1300.0, 1700.0]
    """
    one_of(banks, ("together", "apart"), "banks")
    require_columns(nodes, ["river", "bank", "from_m", "to_m", by], "nodes")
    names, leaders = _names_and_leaders(groups)
    load = numbers(nodes, by, "nodes")
    bad = ~(load.between(0, MOST_LOAD))
    if bad.any():
        raise LayerError(
            f"has nodes whose {by} is not known or negative, or above {MOST_LOAD:g}",
            layer="nodes",
            ids=nodes.index[bad],
            hint="survey them, or set a value; unknown isn't 0",
        )
    lines = _block_lines(nodes, load, banks, rivers, cuts, fixed)
    k = len(names)
    _require_possible_groups(lines, k, fixed, names)
    largest = _least_largest_load(lines, k)
    pieces = _most_even_partition(lines, k, largest)
    return _tables_of_partition(lines, pieces, largest, names, leaders, by, load)


def reaches_as_they_are(nodes: pd.DataFrame, segments: pd.DataFrame, *, by: str) -> BalancedReaches:
    """Reaches that were balanced once, with the loads that their groups' nodes have now."""
    place = segments.drop_duplicates("group").set_index("group")
    place = place[["river", "from_m", "to_m", "bank"]]
    load = numbers(nodes, by, "nodes").groupby(nodes["group"])
    table = place.assign(
        n_nodes=load.size().reindex(place.index, fill_value=0),
        load=load.sum().reindex(place.index, fill_value=0.0),
    )
    _add_ratio(table)
    certificate = pd.DataFrame(
        [{"by": by, "n_groups": len(table), "largest_load": table["load"].max(),
          "next_smaller_load": np.nan, "groups_needed": np.nan, "proof": "feasible"}]
    )  # fmt: skip
    return BalancedReaches(segments, table, certificate)


def _add_ratio(loads: pd.DataFrame) -> None:
    loads["load_ratio"] = loads["load"] / loads["load"].mean() if loads["load"].any() else 1.0


def _names_and_leaders(
    groups: int | Sequence[str] | pd.DataFrame,
) -> tuple[list[str], dict[str, object]]:
    """Names of the groups, and their leaders."""
    if isinstance(groups, pd.DataFrame):
        require_columns(groups, ["group"], "groups")
        blank = groups["group"].isna() | (groups["group"].astype(str).str.strip() == "")
        if blank.any():
            raise LayerError("has rows without a group's name", layer="groups",
                             ids=groups.index[blank],
                             hint="write the name, or leave the row out")  # fmt: skip
        names = [str(g) for g in groups["group"]]
        leaders = dict(zip(names, groups["leader"], strict=True)) if "leader" in groups else {}
    else:
        number = isinstance(groups, int | np.integer) and not isinstance(groups, bool)
        if not number and (isinstance(groups, str) or not isinstance(groups, Iterable)):
            raise LayerError(f"groups={groups!r} is no number of groups and no list of names",
                             hint='groups=10, or groups=["第1组", "第2组"]')  # fmt: skip
        names = [f"第{j + 1}组" for j in range(int(groups))] if number else [*map(str, groups)]  # type: ignore[arg-type]
        leaders = {}
    if not names:
        raise LayerError("has no group", layer="groups", hint="groups=10")
    if twice := [g for g in dict.fromkeys(names) if names.count(g) > 1]:
        raise LayerError("has groups twice", layer="groups", ids=twice,
                         hint="give each its own name")  # fmt: skip
    return names, leaders


def _block_lines(
    nodes: pd.DataFrame,
    load: pd.Series,
    banks: str,
    rivers: gpd.GeoDataFrame | None,
    cuts: pd.DataFrame | None,
    fixed: pd.DataFrame | None,
) -> list[_BlockLine]:
    """Rivers (or banks) with nodes, in the order of the layer of rivers, else of the nodes."""
    order = list(dict.fromkeys(nodes["river"] if rivers is None else rivers.index))
    lost = [r for r in nodes["river"].unique() if r not in order]
    if lost:
        raise LayerError("has nodes on rivers that the layer lacks", layer="nodes", ids=lost)
    scales = {} if rivers is None else river_scales(rivers)
    nodes = nodes.assign(
        **dict(zip(("low", "high"), river_ends(nodes, rivers, "nodes")[0].T, strict=True))
    )
    if fixed is not None:
        require_columns(fixed, ["river", "from_m", "to_m", "group"], "fixed")
        require_rivers(fixed, rivers, "fixed", nodes=nodes)
        ends_m = along_rivers(fixed, ["from_m", "to_m"], rivers, "fixed")
        fixed = fixed.assign(from_m=ends_m[:, 0], to_m=ends_m[:, 1])
    if cuts is not None:
        require_columns(cuts, ["river", "chainage_m"], "cuts")
        require_rivers(cuts, rivers, "cuts", nodes=nodes)
        cuts = cuts.assign(chainage_m=along_rivers(cuts, ["chainage_m"], rivers, "cuts")[:, 0])
    side = nodes["bank"].where(nodes["bank"] != "both", "left")
    found = []
    for river in order:
        for bank in (None,) if banks == "together" else ("left", "right"):
            mine = nodes[(nodes["river"] == river) & ((side == bank) | (bank is None))]
            if mine.empty:
                continue
            found.append(
                _block_line(river, bank, mine, load[mine.index], scales.get(river), cuts, fixed)
            )
    return found


def _block_line(
    river: str,
    bank: str | None,
    mine: pd.DataFrame,
    load: pd.Series,
    scale: ChainageScale | None,
    cuts: pd.DataFrame | None,
    fixed: pd.DataFrame | None,
) -> _BlockLine:
    """Blocks of one line: nodes (and fixed stretches) that a cut can't part."""
    span = mine[["low", "high"]].to_numpy(float)
    rows = [(lo, hi, int(round(v * MILLIONTHS)), None, [node])
            for (lo, hi), v, node in zip(span, load, mine.index, strict=True)]  # fmt: skip
    rows += _rows_of_fixed_stretches(river, bank, fixed)
    rows.sort(key=lambda r: (r[0], r[1]))
    blocks: list[list[Any]] = []
    for lo, hi, value, name, ids in rows:
        if blocks and lo < blocks[-1][1]:
            _absorb_into_block(blocks[-1], hi, value, name, ids, river)
        else:
            blocks.append([lo, hi, value, name, list(ids)])
    blocks = _join_between_same_name(blocks, river)
    blocks, places = _join_without_cut(blocks, river, bank, scale, cuts)
    ends = [blocks[0][0], blocks[-1][1]]
    if scale is not None:
        ends = sorted(np.ravel(scale.along([0.0, scale.length_m])).tolist())
    if scale is not None and scale.equations:
        places, ends = scale.said(places).tolist(), scale.said(ends).tolist()
    low, high = (np.array([b[i] for b in blocks]) for i in (0, 1))
    return _BlockLine(
        river, bank, low, high, np.array([b[2] for b in blocks], np.int64),
        [b[3] for b in blocks], [b[4] for b in blocks], np.array(places),
        (float(ends[0]), float(ends[1])), bool((mine["bank"] == "both").any()),
    )  # fmt: skip


def _rows_of_fixed_stretches(river: str, bank: str | None, fixed: pd.DataFrame | None) -> list[Any]:
    """Fixed stretches of one line, as rows without load."""
    if fixed is None:
        return []
    rows = []
    for row in fixed[fixed["river"] == river].to_dict("records"):
        side = row.get("bank")
        if bank is not None and isinstance(side, str) and side not in (bank, "both"):
            continue
        ends = sorted((float(row["from_m"]), float(row["to_m"])))
        rows.append((*ends, 0, str(row["group"]), []))
    return rows


def _absorb_into_block(
    block: list[Any], hi: float, value: int, name: str | None, ids: list[Any], river: str
) -> None:
    """Let a block take in what overlaps it."""
    if name is not None and block[3] not in (None, name):
        raise LayerError(
            f"gives one stretch of {river} to two groups: {block[3]} and {name}",
            layer="fixed",
            hint="let the stretches end in a gap between nodes",
        )
    block[1], block[2], block[3] = max(block[1], hi), block[2] + value, block[3] or name
    block[4].extend(ids)


def _join_between_same_name(blocks: list[Any], river: str) -> list[Any]:
    """All between two stretches of a group is that group's, too: its reach is contiguous."""
    last = {b[3]: k for k, b in enumerate(blocks) if b[3] is not None}
    found: list[Any] = []
    k = 0
    while k < len(blocks):
        one, end = list(blocks[k]), k
        while k < (end := max(end, last.get(one[3], k))):
            k += 1
            _absorb_into_block(one, blocks[k][1], blocks[k][2], blocks[k][3], blocks[k][4], river)
        found.append(one)
        k += 1
    return found


def _join_without_cut(
    blocks: list[Any],
    river: str,
    bank: str | None,
    scale: ChainageScale | None,
    cuts: pd.DataFrame | None,
) -> tuple[list[Any], list[float]]:
    """Blocks parted at the places given only; without any, in every gap."""
    at = np.empty(0)
    if cuts is not None:
        mine = cuts[cuts["river"] == river]
        if bank is not None and "bank" in mine:
            mine = mine[mine["bank"].isna() | mine["bank"].isin([bank, "both"])]
        at = numbers(mine, "chainage_m", "cuts").to_numpy()
    found, places = [list(blocks[0])], []
    for block in blocks[1:]:
        middle = (found[-1][1] + block[0]) / 2
        if cuts is None:
            inside = _places_to_cut(found[-1][1], block[0], scale)
        else:
            inside = at[(at >= found[-1][1]) & (at <= block[0])]
        if len(inside):
            places.append(float(inside[np.abs(inside - middle).argmin()]))
            found.append(list(block))
        else:
            _absorb_into_block(found[-1], block[1], block[2], block[3], block[4], river)
    return found, places


def _places_to_cut(low: float, high: float, scale: ChainageScale | None) -> NDArray[np.float64]:
    """Places of a gap where a reach can end: its middle, or what has a chainage of its own."""
    middle = np.array([(low + high) / 2])
    if scale is None or scale.once(middle).all():
        return middle
    inside = np.linspace(low, high, 201)
    return inside[scale.once(inside)]


def _require_possible_groups(
    lines: list[_BlockLine], k: int, fixed: pd.DataFrame | None, names: list[str]
) -> None:
    """Refuse numbers of groups that no partition has, and fixed groups in two places."""
    if not lines:
        raise LayerError("has no rows", layer="nodes")
    if k < len(lines):
        raise LayerError(
            f"{k} groups for {len(lines)} rivers (or banks) with nodes: a reach is on one river",
            layer="groups",
            hint=f"give {len(lines)} groups or more, or banks='together'",
        )
    most = sum(len(line.load) for line in lines)
    if k > most:
        raise LayerError(
            f"{k} groups for {most} stretches that can be told apart: a group would have no reach",
            layer="groups",
            hint=f"give at most {most} groups, or more places to cut",
        )
    used = [n for line in lines for n in line.name if n is not None]
    twice = sorted({n for n in used if used.count(n) > 1})
    if twice:
        raise LayerError("fixes a group to stretches on two rivers or banks", layer="fixed",
                         ids=twice, hint="one contiguous reach a group")  # fmt: skip
    strange = [str(g) for g in ([] if fixed is None else fixed["group"]) if str(g) not in names]
    if strange:
        raise LayerError("fixes stretches to unknown groups", layer="fixed", ids=strange,
                         hint=f"groups are {', '.join(names)}")  # fmt: skip


def _fewest_reaches(line: _BlockLine, most: int) -> int:
    """Fewest reaches of one line whose loads are at most so large."""
    count, load, named = 1, 0, False
    for value, name in zip(line.load.tolist(), line.name, strict=True):
        if value > most:
            return INFINITE
        if load + value > most or (named and name is not None):
            count, load, named = count + 1, 0, False
        load += value
        named = named or name is not None
    return count


def _possible_loads(lines: list[_BlockLine]) -> NDArray[np.int64]:
    """Every load that a reach can have."""
    found = []
    for line in lines:
        sums = line.sums()
        upper = np.triu_indices(len(sums), 1)
        found.append(np.unique(sums[upper[1]] - sums[upper[0]]))
    return np.unique(np.concatenate(found))


def _least_largest_load(lines: list[_BlockLine], k: int) -> int:
    """Least largest load with at most k reaches: some sum of neighbours, found by halving."""
    loads = _possible_loads(lines)
    low, high = 0, len(loads) - 1
    if sum(_fewest_reaches(line, int(loads[high])) for line in lines) > k:
        raise LayerError("fixes more groups than there are", layer="fixed", hint="give more groups")
    while low < high:
        middle = (low + high) // 2
        if sum(_fewest_reaches(line, int(loads[middle])) for line in lines) <= k:
            high = middle
        else:
            low = middle + 1
    return int(loads[high])


def _most_even_partition(lines: list[_BlockLine], k: int, most: int) -> list[list[int]]:
    """Exactly k reaches, none above the load, with the least sum of squares.

    For each line the firsts of its reaches.
    """
    spare = k - len(lines) + 1
    tables = [_least_squares_by_count(line, min(spare, len(line.load)), most) for line in lines]
    best = np.full(k + 1, np.inf)
    best[0] = 0.0
    took = np.zeros((len(lines), k + 1), int)
    for j, (cost, _) in enumerate(tables):
        new = np.full(k + 1, np.inf)
        for many in range(1, len(cost)):
            reached = best[: k + 1 - many] + cost[many]
            better = reached < new[many:]
            new[many:][better] = reached[better]
            took[j, many:][better] = many
        best = new
    counts, left = [], k
    for j in range(len(lines) - 1, -1, -1):
        counts.append(int(took[j, left]))
        left -= counts[-1]
    firsts = []
    for (_, back), many in zip(tables, reversed(counts), strict=True):
        at, found = back.shape[1] - 1, []
        for j in range(many, 0, -1):
            at = int(back[j, at])
            found.append(at)
        firsts.append(found[::-1])
    return firsts


def _least_squares_by_count(
    line: _BlockLine, most_groups: int, most: int
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Least sum of squared loads by number of reaches, and where the last reach of each begins."""
    sums, named = line.sums(), line.names_before()
    n = len(line.load)
    cost = np.full((most_groups + 1, n + 1), np.inf)
    back = np.zeros((most_groups + 1, n + 1), int)
    cost[0, 0] = 0.0
    first = np.searchsorted(sums, sums - most, side="left")
    first = np.maximum(first, np.searchsorted(named, named - 1, side="left"))
    for j in range(1, most_groups + 1):
        for end in range(j, n + 1):
            start = max(int(first[end]), j - 1)
            if start >= end:
                continue
            load = (sums[end] - sums[start:end]) / MILLIONTHS
            tried = cost[j - 1, start:end] + load**2
            at = int(tried.argmin())
            cost[j, end], back[j, end] = tried[at], start + at
    return cost[:, n], back


def _tables_of_partition(
    lines: list[_BlockLine],
    pieces: list[list[int]],
    largest: int,
    names: list[str],
    leaders: dict[str, object],
    by: str,
    load: pd.Series,
) -> BalancedReaches:
    """Tables of a partition; free groups are named downstream in the order given."""
    fixed = {n for line in lines for n in line.name if n is not None}
    free = iter([n for n in names if n not in fixed])
    segments, loads = [], []
    for line, firsts in zip(lines, pieces, strict=True):
        for a, b in zip(firsts, [*firsts[1:], len(line.load)], strict=True):
            group = next((n for n in line.name[a:b] if n is not None), None) or next(free)
            ends = (
                line.ends[0] if a == 0 else float(line.cut[a - 1]),
                line.ends[1] if b == len(line.load) else float(line.cut[b - 1]),
            )
            place = {"river": line.river, "from_m": ends[0], "to_m": ends[1]}
            who = {"group": group, "leader": leaders.get(group)}
            for bank in (line.bank, *(["both"] if line.across and line.bank else [])):
                segments.append(place | {"bank": bank} | who)
            ids = [n for block in line.nodes[a:b] for n in block]
            loads.append({"group": group} | place | {"bank": line.bank, "n_nodes": len(ids),
                          "load": float(load.loc[pd.Index(ids)].sum())})  # fmt: skip
    table = pd.DataFrame(loads).set_index("group")
    _add_ratio(table)
    every = _possible_loads(lines)
    smaller = every[every < largest]
    below = int(smaller[-1]) if len(smaller) else None
    needed = None if below is None else sum(_fewest_reaches(line, below) for line in lines)
    certificate = pd.DataFrame(
        [{"by": by, "n_groups": len(names), "largest_load": largest / MILLIONTHS,
          "next_smaller_load": np.nan if below is None else below / MILLIONTHS,
          "groups_needed": np.nan if needed is None or needed >= INFINITE else needed,
          "proof": "optimal"}]
    )  # fmt: skip
    return BalancedReaches(pd.DataFrame(segments), table, certificate)
