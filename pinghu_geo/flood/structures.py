"""What stands in the river? Tables of bridges, culverts, weirs and gates, checked and laid out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from pinghu_geo.flood.barrier_rows import (
    barrel_groups,
    check_one_road,
    check_road_above_barrels,
    weir_and_gates,
)
from pinghu_geo.flood.bridge_cuts import (
    HAIR_M,
    Line,
    Pieces,
    Pier,
    bridge_grounds,
    lowest_lid,
    mean_bed,
    pieces_of,
    pier_areas,
)
from pinghu_geo.flood.bridge_rows import (
    bridge_methods,
    deck_chords,
    extent_of_opening,
    free_openings,
    own_ground,
    pier_shapes,
    road_crest,
    road_top_line,
    rows_of_this_side,
    with_abutments,
)
from pinghu_geo.flood.bridges import Bridge
from pinghu_geo.flood.crossings import Crossing, Region
from pinghu_geo.flood.culverts import Group
from pinghu_geo.flood.gates import Crest
from pinghu_geo.flood.outlines import upper_line
from pinghu_geo.flood.sections import (
    ENDLESS_M,
    Array,
    Ground,
    Lid,
    Limit,
    Sections,
    join,
    pack,
)
from pinghu_geo.flood.steady import Barrier
from pinghu_geo.flood.structure_rows import (
    StructureRow,
    rows_of_one_road,
)
from pinghu_geo.flood.survey import LOWEST_M, Laid
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.schema import numbers, one_of, require_columns
from pinghu_geo.nouns.tables import groups_of
from pinghu_geo.river.chainage import ChainageScale, format_chainage

__all__ = ["KINDS", "parts_by_kind", "with_structures"]

KINDS = ("bridge", "culvert", "weir", "gate", "drop")
PARTS = ("deck", "pier", "ground", "abutment", "culvert", "gate", "crest", "setting")
# what a row of a part can't do without, and what it may have besides
PART_NEEDS = {
    "deck": ("offset_m",),
    "pier": ("offset_m", "pier_width_m"),
    "ground": ("offset_m", "elevation_m"),
    "abutment": ("offset_m", "elevation_m"),
    "crest": ("offset_m", "crest_m"),
    "setting": ("profile", "opening_m"),
}
# parts that each kind of structure is made of
PARTS_OF = {
    "bridge": ("deck", "pier", "ground", "abutment"),
    "culvert": ("deck", "culvert"),
} | dict.fromkeys(("weir", "gate", "drop"), ("crest", "gate", "setting"))
PART_MAY_HAVE = {
    "deck": ("low_chord_m", "deck_m", "side"),
    "pier": ("elevation_m", "group", "side"),
    "ground": ("n", "side", "left_bank_m", "right_bank_m"),
    "abutment": ("group", "side"),
}


def with_structures(
    laid: Laid,
    structures: pd.DataFrame | None,
    parts: pd.DataFrame | None = None,
    scales: Mapping[str, ChainageScale] | None = None,
) -> Laid:
    """Sections with what stands between them; see `water_profile` for the columns."""
    if structures is None or structures.empty:
        return laid
    table = _checked_structures(structures)
    detail = parts_by_kind(parts, table)
    made = _LaidBuilder(laid)
    stations, apart = laid.stations, "scheme" in table.columns
    known: dict[Any, tuple[pd.DataFrame, list[StructureRow], dict[bytes, Array]]] = {}
    schemes, rivers = (stations[c].to_numpy(object) for c in ("scheme", "river"))
    at, measure = (stations[c].to_numpy(float) for c in ("chainage_m", "measure"))
    begins = np.flatnonzero((schemes[1:] != schemes[:-1]) | (rivers[1:] != rivers[:-1])) + 1
    for first, stop in pairwise([0, *begins.tolist(), len(stations)]):
        scheme, river = schemes[first], rivers[first]
        key = (river, scheme) if apart else river
        if key not in known:
            some = table[table["river"] == river]
            if apart:
                some = some[some["scheme"].isna() | (some["scheme"] == scheme)]
            said = zip(*(some[column].tolist() for column in some.columns), strict=True)
            rows = zip(some.index, said, strict=True)
            known[key] = (
                some,
                [StructureRow(dict(zip(some.columns, r, strict=True)), i) for i, r in rows],
                {},
            )
        mine, each, above = known[key]
        if mine.empty:
            continue
        scale, way = (scales or {}).get(str(river)), measure[first:stop]
        if way.tobytes() not in above:  # in most schemes the sections are where they are in others
            above[way.tobytes()] = _places_above(mine, at[first:stop], way, scale)
        by_place: dict[int, list[StructureRow]] = {}
        for up, one in zip(above[way.tobytes()].tolist(), each, strict=True):
            by_place.setdefault(first + up, []).append(one)
        for up in sorted(by_place):
            if not made.again(by_place[up], up):
                made.add(by_place[up], detail, up)
    return made.laid()


def _checked_structures(structures: pd.DataFrame) -> pd.DataFrame:
    """Structures with their words and numbers checked one by one."""
    require_columns(structures, ("river", "chainage_m", "kind"), "structures")
    if "structure_id" in structures.columns:  # as `read_table` gives them
        structures = structures.set_index("structure_id")
    if not structures.index.is_unique:
        raise HydraulicsError(
            "has two rows for an id",
            layer="structures",
            ids=structures.index[structures.index.duplicated()].unique(),
            hint="openings of one crossing have an id each and the same chainage",
        )
    strange = ~structures["kind"].isin(KINDS)
    if strange.any():
        raise HydraulicsError(
            f"has the kind {structures['kind'][strange].iloc[0]!r}, which isn't known",
            layer="structures",
            ids=structures.index[strange],
            hint="bridge (桥梁), culvert (涵洞), weir (堰), gate (水闸) or drop (跌水)",
        )
    at = numbers(structures, column := "chainage_m", "structures")
    if at.isna().any():
        raise HydraulicsError(
            f"lacks {column}", layer="structures", ids=structures.index[at.isna()],
            hint=f"fill in {column}",
        )  # fmt: skip
    return structures.assign(chainage_m=at)


def parts_by_kind(
    parts: pd.DataFrame | None, table: pd.DataFrame
) -> dict[Any, dict[str, pd.DataFrame]]:
    """Parts of each structure by their kind, with all columns that a part of it may have."""
    if parts is None or parts.empty:
        return {}
    require_columns(parts, ("structure_id", "part"), "structure_parts")
    strange = [i for i in parts["structure_id"].unique() if i not in table.index]
    if strange:
        raise HydraulicsError(
            "speaks of structures that are not there",
            layer="structure_parts",
            ids=strange,
            hint="structure_id is the index of structures",
        )
    for word in parts["part"].unique():
        one_of(word, PARTS, "structure_parts: part")
    _refuse_odd_parts(parts)
    found: dict[Any, dict[str, pd.DataFrame]] = {}
    for (name, part), rows in groups_of(parts.groupby(["structure_id", "part"], sort=False)):
        kind = str(table["kind"][name])
        if part not in PARTS_OF.get(kind, PARTS):
            raise HydraulicsError(
                f"has a {part} of a {kind}, which has none",
                layer="structure_parts",
                ids=rows.index,
                hint=f"parts of a {kind}: {', '.join(PARTS_OF[kind])}",
            )
        for column in PART_NEEDS.get(part, ()):
            said = rows.get(column, np.nan)
            lost = (
                pd.Series(said, rows.index).isna()
                if column == "profile"
                else numbers(rows, column, "structure_parts").isna()
            )
            if lost.any():
                raise HydraulicsError(
                    f"has a {part} without {column}",
                    layer="structure_parts",
                    ids=rows.index[lost],
                    hint=f"fill in {column}: each row of a {part} is a point or a piece of it",
                )
        lacks = [c for c in PART_MAY_HAVE.get(part, ()) if c not in rows.columns]
        found.setdefault(name, {})[part] = rows.reindex(columns=[*rows.columns, *lacks])
    return found


def _refuse_odd_parts(parts: pd.DataFrame) -> None:
    """Refuse heights that nothing has, ground without friction and banks that cross."""
    for column in ("elevation_m", "low_chord_m", "deck_m", "crest_m"):
        low = numbers(parts, column, "structure_parts") < LOWEST_M
        if low.any():
            raise HydraulicsError(
                f"has heights in {column} that stand for no measurement (-9999 ...)",
                layer="structure_parts", ids=parts.index[low],
                hint="measure them, or leave these rows out",
            )  # fmt: skip
    n, left, right = (
        numbers(parts, c, "structure_parts") for c in ("n", "left_bank_m", "right_bank_m")
    )
    if (n <= 0).any():
        raise HydraulicsError(
            "has an n of nothing or less", layer="structure_parts", ids=parts.index[n <= 0],
            hint="Manning's n, about 0.03 of ground; missing: that of the section beside it",
        )  # fmt: skip
    if (left >= right).any():
        raise HydraulicsError(
            "places the left bank right of the right one", layer="structure_parts",
            ids=parts.index[left >= right],
            hint="left_bank_m is left of right_bank_m, facing downstream",
        )  # fmt: skip


def _places_above(
    mine: pd.DataFrame, at: Array, measure: Array, scale: ChainageScale | None
) -> Array:
    """Place of the section above each structure, among those of its river."""
    places_ = mine["chainage_m"]
    if scale is not None:  # chainages may jump between sections
        at = measure
        places_ = pd.Series(scale.measure(places_.to_numpy(float), beyond=True), mine.index)
    rising = len(at) < 2 or at[-1] > at[0]
    found = np.empty(len(mine), int)
    for k, (name, where) in enumerate(places_.items()):
        order = at if rising else -at
        place = int(np.searchsorted(order, where if rising else -where, side="right")) - 1
        if not 0 <= place < len(at) - 1 or where in (at[0], at[-1]):
            raise HydraulicsError(
                f"stands at {format_chainage(float(mine['chainage_m'].iloc[k]))}, where there "
                "are no sections on both sides",
                layer="structures",
                ids=[name],
                hint="survey a section just above and one just below it",
            )
        found[k] = place
    return found


# what is asked of the sections beside a structure
_OF_STATIONS = (
    "measure", "length_channel_m", "left_bank_m", "right_bank_m", "contraction", "expansion",
    "left_wall_m", "right_wall_m", "left_levee_m", "right_levee_m", "left_levee_top_m",
    "right_levee_top_m",
)  # fmt: skip


# of a section that belongs to one opening alone
WHOLE = (-math.inf, math.inf)


class _InnerSection(NamedTuple):
    """A section inside a bridge, and what the model is told of the way below it."""

    ground: Line
    lid: tuple[Array, ...]
    banks: tuple[float, float]
    walls: tuple[float, float]  # encroachment; NaN: none
    below: tuple[float, float, float]  # length, contraction, expansion
    blocked: list[tuple[float, float, float]]  # from, to, top (NaN: endless) of what stands there
    idle: list[tuple[float, float, float]]  # ... and of its idle areas
    rough_as: int  # section whose n it has; -1: it says its own
    apart: tuple[float, float] = WHOLE  # outside of it is that of other openings
    opening: _Opening | None = None


class _Opening(NamedTuple):
    """What a bridge is to know of the section inside it."""

    chord: float  # highest low chord
    bed: float  # mean one below the openings; NaN: of BD, where nobody asks
    piers: tuple[Array, Array]
    clear: float  # below this level it is its neighbour
    lid: float  # below this one its deck and the tops of its embankments are dry


class _Draft(NamedTuple):
    """The upper or the lower section inside a bridge, before deck and piers are cut out of it."""

    one: StructureRow
    detail: Mapping[str, pd.DataFrame]
    side: str
    up: int  # section above the bridge
    length: float
    ground: Line
    deck: Line
    banks: tuple[float, float]
    apart: tuple[float, float]

    @property
    def row(self) -> int:
        """Section beside it."""
        return self.up if self.side == "up" else self.up + 1


class _LaidBuilder:
    """Sections, lengths and crossings while they are put together."""

    def __init__(self, laid: Laid) -> None:
        self.base = laid
        self.crossings: dict[int, Barrier] = dict(laid.crossings)
        self.reach: dict[int, float] = dict(laid.reach)
        self.inner: list[_InnerSection | _Draft] = []
        self.held: list[int] = []
        self.places: dict[tuple[Any, ...], int] = {}  # where each structure stood first
        self.start = laid.ground.start
        self.covered = laid.covered
        self.at = {c: laid.stations[c].to_numpy(float) for c in _OF_STATIONS}

    def laid(self) -> Laid:
        """All of it."""
        stations = self._stations_with_structures()
        inner = self._cut_inner_sections()
        more = [self._packed_inner_sections(inner)] if inner else []
        more += [self._packed_once_more()] if self.held else []
        sections = join([self.base.sections, *more]) if more else self.base.sections
        self._measure_openings(inner, sections)
        return Laid(
            sections,
            stations,
            self.base.ground,
            self.crossings,
            self.reach,
            np.array([one.below for one in inner]).reshape(-1, 3),
            self.base.limits,
            self.base.lid,
            tuple(self.held),
            np.array([one.rough_as for one in inner], np.intp),
        )

    def _packed_once_more(self) -> Sections:
        """Sections whose idle areas are held, however high the water stands."""
        rows = np.array(self.held)

        def pair(name: str) -> tuple[Array, Array]:
            return self.at[f"left_{name}"][rows], self.at[f"right_{name}"][rows]

        left, right = pair("levee_m")
        left_top, right_top = pair("levee_top_m")
        limits = []
        for kind, *values in self.base.limits:
            start, stop, top = (v[rows] for v in values)
            limits.append(Limit(kind, start, stop, top + ENDLESS_M * (kind == "ineffective")))
        return pack(
            self.base.ground.take(rows), banks=pair("bank_m"),
            levees=(left, left_top, right, right_top), walls=pair("wall_m"), limits=limits,
        )  # fmt: skip

    def _packed_inner_sections(self, inner: list[_InnerSection]) -> Sections:
        """The sections inside of bridges."""
        x, z, n = (np.concatenate(v) for v in zip(*(i.ground for i in inner), strict=True))
        lid = [np.concatenate(v) for v in zip(*(i.lid for i in inner), strict=True)]
        count = [len(one.lid[0]) for one in inner]
        left, right = np.array([one.banks for one in inner]).T
        walls = np.array([one.walls for one in inner]).T
        return pack(
            Ground(x, z, n, np.array([len(one.ground[0]) for one in inner])),
            banks=(left, right),
            walls=(walls[0], walls[1]) if np.isfinite(walls).any() else None,
            limits=[
                *_layers("blocked", [one.blocked for one in inner]),
                *_layers("ineffective", [one.idle for one in inner]),
                *_limits_of_regions(inner),
            ],
            lid=Lid(np.repeat(np.arange(len(count)), count), *lid),
        )

    def _measure_openings(self, inner: list[_InnerSection], sections: Sections) -> None:
        """Tell each bridge of its openings: net areas, mean bed, low chords and piers."""
        known = {k: one.opening for k, one in enumerate(inner) if one.opening is not None}
        if not known:
            return
        first = len(self.base.stations)
        rows, chords = np.array([*known]), np.array([one.chord for one in known.values()])
        areas = sections.area(first + rows, chords + 1e-6).tolist()
        area = dict(zip(known, areas, strict=True))

        def measured(one: Bridge | Group) -> Bridge | Group:
            if not isinstance(one, Bridge):
                return one
            up, down = one.up_row - first, one.down_row - first
            above, below, tried = known[up], known[down], one.pressure_from
            return one._replace(
                up_chord=above.chord, down_chord=below.chord, up_bed=above.bed,
                pressure_from=above.chord if math.isnan(tried) else tried,
                up_area=area[up], down_area=area[down],
                pier_area=below.piers, pier_area_up=above.piers,
                clear=(above.clear, below.clear), lid=min(above.lid, below.lid),
            )  # fmt: skip

        done: dict[int, Barrier] = {}  # a structure is one in all schemes that leave it alone
        for row, one in self.crossings.items():
            if isinstance(one, Crossing) and id(one) not in done:
                openings = tuple(measured(opening) for opening in one.openings)
                done[id(one)] = replace(one, openings=openings)
            self.crossings[row] = done.get(id(one), one)

    def _stations_with_structures(self) -> pd.DataFrame:
        """Sections, of which those no longer lack what stands below them."""
        stations = self.base.stations
        if "left_out" not in stations.columns:
            return stations
        known = stations.index.isin(list(self.crossings))
        return stations.assign(left_out=stations["left_out"].where(~known, ""))

    def again(self, rows: list[StructureRow], up: int) -> bool:
        """What stands between two sections as it does in another scheme, if it does."""
        kind = self.base.sections.kind
        key = (*(one.name for one in rows), int(kind[up]), int(kind[up + 1]))
        first = self.places.setdefault(key, up)
        if first == up:
            return False
        self.crossings[up] = self.crossings[first]
        if first in self.reach:
            self.reach[up] = self.reach[first]
        self.held += [up] if first in self.held else []
        return True

    def add(
        self, rows: list[StructureRow], details: Mapping[Any, Mapping[str, pd.DataFrame]], up: int
    ) -> None:
        """What stands between a section and the next one."""
        for one in rows:
            if one.number("limit_left_m", -math.inf) > one.number("limit_right_m", math.inf):
                raise one.fault(
                    "has its limits the wrong way round", "limit_left_m is left of limit_right_m"
                )
        kinds = {one.text("kind", "") for one in rows}
        name = "、".join(str(one.name) for one in rows)
        if len(rows) > 1 and not kinds <= {"bridge", "culvert"}:
            raise HydraulicsError(
                "overlap: two structures stand between the same sections",
                layer="structures",
                ids=[one.name for one in rows],
                hint="survey a section between them, or call both bridge or culvert",
            )
        if kinds & {"weir", "gate", "drop"}:
            one = rows[0]
            base, by_profile = weir_and_gates(
                one, details.get(one.name, {}), self._ground_between_walls(up),
                self._section_ground(up)[:2],
            )  # fmt: skip
            self.crossings[up] = Crossing(
                name, one.text("kind", ""), gates=base, gates_of=by_profile
            )
            return
        openings: list[Bridge | Group] = []
        regions: list[Region | None] = []
        road: Crest | None = None
        check_one_road(rows, details)
        rows = rows_of_one_road(rows)
        parts_of = self._regions(rows, details, up) if len(rows) > 1 else [None] * len(rows)
        for one, region in zip(rows, parts_of, strict=True):
            detail = details.get(one.name, {})
            if one.text("kind", "") == "bridge":
                openings.append(self._laid_bridge(one, detail, up, region))
            else:
                ends = [self._section_ground(row)[:2] for row in (up, up + 1)]
                groups = barrel_groups(one, detail, self._length_to_next(up), ends)
                check_road_above_barrels(one, detail, groups)
                openings += groups
            regions += [region] * (len(openings) - len(regions))
            top = road_top_line(one, detail, self._ground_between_walls(up))
            road = road_crest(one, top) if top is not None and road is None else road
        idle = [self._stretches(row, "ineffective") for row in (up, up + 1)]
        both = all(idle) and up not in self.covered
        self.held += [up] if both else []
        self.crossings[up] = Crossing(
            name, rows[0].text("kind", ""), tuple(openings), road,
            drowned=rows[-1].number("max_submergence"),
            idle_below=min(top for _, _, top in idle[1]) if both else -math.inf,
            regions=tuple(regions) if any(regions) else (),
        )  # fmt: skip

    # --- the section's own things

    def _section_ground(self, row: int) -> tuple[Array, Array, Array]:
        g = self.base.ground
        part = slice(int(self.start[row]), int(self.start[row] + g.count[row]))
        return g.x[part], g.z[part], g.n[part]

    def _ground_between_walls(self, row: int) -> tuple[Array, Array]:
        """Ground between the encroachment walls, where water may run over a road or a crest.

        What blocks the section blocks the road beside it.
        """
        x, z, _ = self._section_ground(row)
        x, z = self._with_blocked(row, x, z)
        a, b = self._section_walls(row)
        if not (math.isfinite(a) or math.isfinite(b)):
            return x, z
        ends = np.array([x[0] if math.isnan(a) else a, x[-1] if math.isnan(b) else b])
        return upper_line(x, z, ends, np.full(2, -1e9))

    def _with_blocked(self, row: int, x: Array, z: Array) -> tuple[Array, Array]:
        """A section's line raised to what blocks it."""
        endless = float(z.max()) + ENDLESS_M
        for start, stop, top in self._stretches(row, "blocked"):
            ends = np.clip([start, stop], x[0], x[-1])
            if ends[0] < ends[1]:
                stops = np.r_[x[0], np.repeat(ends, 2), x[-1]]
                high = endless if math.isnan(top) else top
                x, z = upper_line(x, z, stops, np.array([-1e9, -1e9, high, high, -1e9, -1e9]))
        return x, z

    def _mean_bed(self, row: int, ground: Line, free: list[tuple[float, float, float]]) -> float:
        """Mean bed below the openings of a bridge's section, between piers and walls."""
        a, b = self._section_walls(row)
        spans = [
            (
                max(start, a if math.isfinite(a) else start),
                min(stop, b if math.isfinite(b) else stop),
            )
            for start, stop, _ in free
        ]
        x, z = self._with_blocked(row, *ground[:2])
        return mean_bed(x, z, spans, max(top for _, _, top in free))

    def _section_walls(self, row: int) -> tuple[float, float]:
        return float(self.at["left_wall_m"][row]), float(self.at["right_wall_m"][row])

    def _stretches(self, row: int, kind: str) -> list[tuple[float, float, float]]:
        """From, to and top of what is blocked or idle in a section."""
        return [
            (float(one.start_m[row]), float(one.stop_m[row]), float(one.level_m[row]))
            for one in self.base.limits
            if one.kind == kind and math.isfinite(one.start_m[row])
        ]

    def _length_to_next(self, up: int) -> float:
        given = self.at["length_channel_m"][up]
        if math.isfinite(given):
            return float(given)
        return abs(float(self.at["measure"][up + 1] - self.at["measure"][up]))

    # --- several openings

    def _regions(
        self,
        rows: list[StructureRow],
        details: Mapping[Any, Mapping[str, pd.DataFrame]],
        up: int,
    ) -> list[Region | None]:
        """The parts of the sections above and below that belong to each opening, as rows.

        Stagnation points part them (HEC-RAS, multiple openings). A culvert that doesn't say where
        it lies leaves the sections whole for all.
        """
        x, z, n = self._section_ground(up)
        ends = []
        for one in rows:
            detail = details.get(one.name, {})
            ends.append(extent_of_opening(one, detail, self._ground_inside(one, detail, "up", up)))
        if any(a is None for a in ends):
            decked = {one.name for one in rows if "deck" in details.get(one.name, {})}
            _refuse_shared_decks(rows, decked, [a is None for a in ends])
            return [None] * len(rows)
        known = [a for a in ends if a is not None]
        for one, (start, stop, _) in zip(rows, known, strict=True):
            if (
                one.number("limit_left_m", -math.inf) > start + 1e-6
                or one.number("limit_right_m", math.inf) < stop - 1e-6
            ):
                raise one.fault(
                    f"has its limits within its opening, {start:g} to {stop:g} m",
                    "limit_left_m and limit_right_m lie beside the opening",
                )
        order = sorted(range(len(rows)), key=lambda k: sum(known[k][:2]))
        points = [-math.inf]
        for left, right in zip(order[:-1], order[1:], strict=True):
            if known[right][0] < known[left][1] - 1e-9:
                raise HydraulicsError(
                    "overlap: two openings take the same offsets", layer="structures",
                    ids=[rows[left].name, rows[right].name],
                    hint="from_offset_m and to_offset_m of openings lie beside one another",
                )  # fmt: skip
            last = rows[left].number("limit_right_m", math.inf)
            first = rows[right].number("limit_left_m", -math.inf)
            if last < first - 1e-6:
                raise HydraulicsError(
                    f"leave a gap between {last:g} and {first:g} m that belongs to no opening",
                    layer="structures", ids=[rows[left].name, rows[right].name],
                    hint="limit_right_m of an opening is no less than limit_left_m of the next",
                )  # fmt: skip
            between = max(known[left][1], first), min(known[right][0], last)
            level = min(known[left][2], known[right][2])
            idle = [a for a in self._stretches(up, "ineffective") if not a[2] < level]
            points.append(_stagnation_point((x, z, n), level, between, idle))
        points.append(math.inf)
        found: list[Region | None] = [None] * len(rows)
        for k, a, b in zip(order, points[:-1], points[1:], strict=True):
            found[k] = Region(*self._part_of_sections(rows[k], up, (a, b)), a, b)
        return found

    def _part_of_sections(
        self, one: StructureRow, up: int, apart: tuple[float, float]
    ) -> tuple[int, int]:
        """Rows of sections 3 and 2 as far as they belong to one opening."""
        first = len(self.base.stations) + len(self.inner)
        gap = self._length_to_next(up)
        before = one.number("distance_m", (gap - min(one.number("width_m"), gap)) / 2)
        none = np.zeros(0)
        for row in (up, up + 1):
            ground = self._section_ground(row)
            banks = float(self.at["left_bank_m"][row]), float(self.at["right_bank_m"][row])
            below = (before, float(self.at["contraction"][up]), float(self.at["expansion"][up]))
            self.inner.append(_InnerSection(
                ground, (none,) * 5, banks, self._section_walls(row), below,
                self._stretches(row, "blocked"), self._stretches(row, "ineffective"), row, apart,
            ))  # fmt: skip
        return first, first + 1

    # --- bridges

    def _laid_bridge(
        self,
        one: StructureRow,
        detail: Mapping[str, pd.DataFrame],
        up: int,
        region: Region | None,
    ) -> Bridge:
        gap, width = self._length_to_next(up), one.number("width_m")
        before = one.number("distance_m", (gap - width) / 2)
        if before < 0 or before + width > gap + 1e-6:
            raise one.fault(
                f"is {width:g} m wide and doesn't fit between its sections, {gap:g} m apart",
                "width_m along the river, distance_m from the section above; or move the sections",
            )
        lengths = (before, width, gap - before - width)
        apart = WHOLE if region is None else (region.start, region.stop)
        for side, length in (("up", lengths[1]), ("down", lengths[2])):
            self.inner.append(self._drafted(one, detail, side, up, length)._replace(apart=apart))
        return self._register_bridge(one, lengths, up)

    def _drafted(
        self,
        one: StructureRow,
        detail: Mapping[str, pd.DataFrame],
        side: str,
        up: int,
        length: float,
    ) -> _Draft:
        """Ground, deck and banks of a section inside a bridge: its own, or its neighbour's."""
        row = up if side == "up" else up + 1
        ground = self._ground_inside(one, detail, side, row)
        banks = [self.at[f"{s}_bank_m"][row] for s in ("left", "right")]
        if len(own := rows_of_this_side(detail, "ground", side)):
            for k, column in enumerate(("left_bank_m", "right_bank_m")):
                said = numbers(own, column, "structure_parts").dropna()
                banks[k] = said.iloc[0] if len(said) else banks[k]
        deck = deck_chords(one, detail, ground, side)
        left, right = (float(bank) for bank in banks)
        return _Draft(one, detail, side, up, length, ground, deck, (left, right), WHOLE)

    def _cut_inner_sections(self) -> list[_InnerSection]:
        """Sections inside all bridges: their neighbours, with the bridges in them."""
        drafts = [one for one in self.inner if isinstance(one, _Draft)]
        if not drafts:
            return [one for one in self.inner if isinstance(one, _InnerSection)]
        pieces = pieces_of([one.ground for one in drafts], [one.deck for one in drafts])
        free, piers = [], []
        for k, draft in enumerate(drafts):
            one, deck = draft.one, draft.deck
            free.append(free_openings(one, pieces.of(k)))
            piers.append(pier_shapes(one, draft.detail, draft.ground, deck, free[k], draft.side))
        grounds, lids = bridge_grounds(pieces, piers, [one.banks for one in drafts])
        made = iter([
            self._inner_section(draft, pieces.of(k), free[k], piers[k], grounds[k], lids[k])
            for k, draft in enumerate(drafts)
        ])  # fmt: skip
        return [next(made) if isinstance(one, _Draft) else one for one in self.inner]

    def _inner_section(
        self,
        draft: _Draft,
        pieces: Pieces,
        free: list[tuple[float, float, float]],
        piers: list[Pier],
        ground: Line,
        lid: tuple[Array, ...],
    ) -> _InnerSection:
        """The upper or the lower section inside a bridge: its neighbour, with the bridge in it.

        Houses and whatever else blocks the neighbour block it, too; idle areas are the approach's
        alone, for the bridge itself says where its water runs.
        """
        row, up, x = draft.row, draft.up, ground[0]
        own = [rows_of_this_side(draft.detail, part, draft.side) for part in ("ground", "abutment")]
        opening = _Opening(
            max(top for _, _, top in free),
            self._mean_bed(row, ground, free) if draft.side == "up" else math.nan,
            pier_areas(piers, draft.ground),
            -math.inf
            if any(map(len, own))
            else self._clear_level(row, pieces, piers, draft.ground),
            lowest_lid(pieces, piers),
        )
        left, right = (float(np.clip(bank, x[0], x[-1])) for bank in draft.banks)
        return _InnerSection(
            ground, lid, (left, right), self._section_walls(row),
            (draft.length, float(self.at["contraction"][up]), float(self.at["expansion"][up])),
            self._stretches(row, "blocked"),
            [(a + HAIR_M, b - HAIR_M, top) for a, b, top in self._stretches(row, "ineffective")],
            -1 if len(own[0]) and numbers(own[0], "n", "structure_parts").notna().any() else row,
            draft.apart, opening,
        )  # fmt: skip

    def _ground_inside(
        self, one: StructureRow, detail: Mapping[str, pd.DataFrame], side: str, row: int
    ) -> Line:
        """Ground of a bridge's upper or lower section, its own or the one beside it; abutments."""
        ground = own_ground(
            one, rows_of_this_side(detail, "ground", side), self._section_ground(row)
        )
        return with_abutments(one, rows_of_this_side(detail, "abutment", side), ground)

    def _clear_level(self, row: int, pieces: Pieces, piers: list[Pier], ground: Line) -> float:
        """Level below which neither deck, piers nor embankments touch a section's water.

        Where the section has idle areas, that inside, which has none, is never the same.
        """
        if self._stretches(row, "ineffective"):
            return -math.inf
        low = np.where(pieces.solid[:, None], pieces.under, pieces.soffit)[
            ~np.isnan(pieces.soffit[:, 0])
        ]
        feet = [float(np.interp(centre, *ground[:2])) for centre, *_ in piers]
        return min(float(low.min(initial=math.inf)), *feet, math.inf)

    def _register_bridge(
        self, one: StructureRow, lengths: tuple[float, float, float], up: int
    ) -> Bridge:
        """A bridge whose two sections are the last ones; what they hold is measured at the end."""
        first = len(self.base.stations) + len(self.inner) - 2
        self.reach[up] = lengths[0]
        unknown = math.nan
        return Bridge(
            up_row=first,
            down_row=first + 1,
            methods=bridge_methods(one),
            drag=one.number("pier_drag"),
            yarnell=one.number("yarnell_k"),
            friction=one.yes("friction", True),
            weight=one.yes("weight", True),
            pressure=one.choice("high_flow", ("pressure", "energy")) == "pressure",
            by_energy=one.choice("pressure_by", ("energy", "level")) == "energy",
            sluice=one.number("sluice", math.nan),
            orifice=one.number("orifice"),
            up_chord=unknown,
            pressure_from=one.number("pressure_chord_m", unknown),
            down_chord=unknown,
            up_area=unknown,
            down_area=unknown,
            up_bed=unknown,
            pier_area=(np.zeros(0), np.zeros(0)),
            pier_area_up=(np.zeros(0), np.zeros(0)),
            clear=(unknown, unknown),
            lid=unknown,
            lengths=lengths,
            wspro=one.number("wspro_c", math.nan),
        )


def _limits_of_regions(inner: list[_InnerSection]) -> list[Limit]:
    """What lies beside the parts of sections that belong to one opening: no flow, no bed."""
    left, right = np.array([one.apart for one in inner]).T
    left, right = (np.where(np.isfinite(ends), ends, np.nan) for ends in (left, right))
    if np.isnan(np.r_[left, right]).all():
        return []
    first, last, high = np.array(
        [(one.ground[0][0], one.ground[0][-1], one.ground[1].max()) for one in inner]
    ).T
    start = np.where(np.isfinite(left), np.minimum(first, left), np.nan)
    stop = np.where(np.isfinite(right), np.maximum(last, right), np.nan)
    top = high + ENDLESS_M
    return [Limit("permanent", start, left, top), Limit("permanent", right, stop, top)]


def _refuse_shared_decks(rows: list[StructureRow], decked: set[Any], nowhere: list[bool]) -> None:
    """Refuse bridges by energy that would each hold all the water over their road.

    Beside a culvert that doesn't say where it lies each opening has the whole sections.
    """
    roads = [one for one in rows if one.has("deck_m") or one.name in decked]
    whole = [one for one in roads if one.text("high_flow", "") == "energy"]
    lost = [one.name for one, unsaid in zip(rows, nowhere, strict=True) if unsaid]
    if len(whole) > 1:
        raise HydraulicsError(
            "says not where it lies beside bridges whose high flow goes by energy: each of them "
            "would hold all the water over their road",
            layer="structures", ids=lost,
            hint="from_offset_m and to_offset_m of its barrels; or high_flow = pressure for the "
            "bridges",
        )  # fmt: skip


def _layers(
    kind: Literal["blocked", "ineffective"], blocked: list[list[tuple[float, float, float]]]
) -> list[Limit]:
    """What stands in sections as layers of at most one a section."""
    layers = []
    for k in range(max((len(one) for one in blocked), default=0)):
        none = (math.nan, math.nan, math.nan)
        values = np.array([one[k] if k < len(one) else none for one in blocked]).T
        layers.append(Limit(kind, *values))
    return layers


def _stagnation_point(
    ground: Line,
    level: float,
    between: tuple[float, float],
    idle: list[tuple[float, float, float]],
) -> float:
    """Where the water above parts between two openings: half of what flows between them to each.

    By depth^(5/3)/n at the lower soffit; where nothing flows between them it is their middle.
    """
    a, b = between
    if not a < b:
        return (a + b) / 2
    x, z, n = ground
    at = np.linspace(a, b, 201)
    rough = n[np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(n) - 1)]
    carried = np.clip(level - np.interp(at, x, z), 0.0, None) ** (5 / 3) / np.fmax(rough, 1e-3)
    for start, stop, _ in idle:
        carried[(at > start) & (at < stop)] = 0.0
    gone = np.r_[0.0, np.cumsum((carried[1:] + carried[:-1]) / 2)]
    return float(np.interp(gone[-1] / 2, gone, at)) if gone[-1] > 0 else (a + b) / 2


# --- roads, culverts, weirs, gates ------------------------------------------------------------
