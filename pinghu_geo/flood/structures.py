"""What stands in the river? Tables of bridges, culverts, weirs and gates, checked and laid out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from pinghu_geo.flood.bridges import (
    HAIR_M,
    METHODS,
    Bridge,
    Line,
    Piece,
    bridge_ground,
    mean_bed,
    pieces_of,
)
from pinghu_geo.flood.conduits import SHAPES, Conduit
from pinghu_geo.flood.crossings import Crossing
from pinghu_geo.flood.culverts import CHARTS, STANDING, Barrel, Group
from pinghu_geo.flood.gates import Crest, Gate, Gates
from pinghu_geo.flood.outlines import upper_line
from pinghu_geo.flood.sections import (
    ENDLESS_M,
    Array,
    Ground,
    Lid,
    Limit,
    Sections,
    join,
    middle_of_bed,
    pack,
)
from pinghu_geo.flood.steady import Barrier
from pinghu_geo.flood.structure_rows import (
    CHARTS_OF,
    CRESTS,
    INLETS,
    StructureRow,
    rows_of_one_road,
)
from pinghu_geo.flood.survey import Laid
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.schema import nearest, numbers, one_of, require_columns
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
# of a part that a structure hasn't
NO_ROWS = pd.DataFrame({"side": []})


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
    known: dict[Any, tuple[pd.DataFrame, list[StructureRow]]] = {}
    places_ = stations[["scheme", "river", "chainage_m", "measure"]]
    for (scheme, river), reach in places_.groupby(["scheme", "river"], sort=False):
        key = (river, scheme) if apart else river
        if key not in known:
            some = table[table["river"] == river]
            if apart:
                some = some[some["scheme"].isna() | (some["scheme"] == scheme)]
            rows = zip(some.index, some.to_dict("records"), strict=True)
            known[key] = some, [StructureRow(r, i) for i, r in rows]
        mine, said = known[key]
        if mine.empty:
            continue
        by_place: dict[int, list[StructureRow]] = {}
        for up, one in zip(
            _rows_above(mine, reach, (scales or {}).get(str(river))), said, strict=True
        ):
            by_place.setdefault(int(up), []).append(one)
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


def _rows_above(mine: pd.DataFrame, reach: pd.DataFrame, scale: ChainageScale | None) -> Array:
    """Row of the section above each structure."""
    at, rows = reach["chainage_m"].to_numpy(float), reach.index.to_numpy()
    places_ = mine["chainage_m"]
    if scale is not None:  # chainages may jump between sections
        at = reach["measure"].to_numpy(float)
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
        found[k] = rows[place]
    return found


# what is asked of the sections beside a structure
_OF_STATIONS = (
    "measure", "length_channel_m", "left_bank_m", "right_bank_m", "contraction", "expansion",
    "left_wall_m", "right_wall_m", "left_levee_m", "right_levee_m", "left_levee_top_m",
    "right_levee_top_m",
)  # fmt: skip


class _InnerSection(NamedTuple):
    """A section inside a bridge, and what the model is told of the way below it."""

    ground: Line
    lid: tuple[Array, ...]
    banks: tuple[float, float]
    walls: tuple[float, float]  # encroachment; NaN: none
    chord: float
    bed: float  # mean one below the openings
    piers: tuple[Array, Array]
    clear: float  # below this level it is its neighbour
    below: tuple[float, float, float]  # length, contraction, expansion
    blocked: list[tuple[float, float, float]]  # from, to, top (NaN: endless) of what stands there
    idle: list[tuple[float, float, float]]  # ... and of its idle areas
    apart: tuple[float, float]  # what lies outside belongs to other openings; NaN: nothing does


class _LaidBuilder:
    """Sections, lengths and crossings while they are put together."""

    def __init__(self, laid: Laid) -> None:
        self.base = laid
        self.crossings: dict[int, Barrier] = dict(laid.crossings)
        self.reach: dict[int, float] = dict(laid.reach)
        self.inner: list[_InnerSection] = []
        self.held: list[int] = []
        self.places: dict[tuple[Any, ...], int] = {}  # where each structure stood first
        self.start = laid.ground.start
        self.covered = laid.covered
        self.at = {c: laid.stations[c].to_numpy(float) for c in _OF_STATIONS}

    def laid(self) -> Laid:
        """All of it."""
        stations = self._stations_with_structures()
        more = [self._packed_inner_sections()] if self.inner else []
        more += [self._packed_once_more()] if self.held else []
        sections = join([self.base.sections, *more]) if more else self.base.sections
        self._measure_openings(sections)
        return Laid(
            sections,
            stations,
            self.base.ground,
            self.crossings,
            self.reach,
            np.array([one.below for one in self.inner]).reshape(-1, 3),
            self.base.limits,
            self.base.lid,
            tuple(self.held),
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

    def _packed_inner_sections(self) -> Sections:
        """The sections inside of bridges."""
        x, z, n = (np.concatenate(v) for v in zip(*(i.ground for i in self.inner), strict=True))
        lid = [np.concatenate(v) for v in zip(*(i.lid for i in self.inner), strict=True)]
        count = [len(one.lid[0]) for one in self.inner]
        left, right = np.array([one.banks for one in self.inner]).T
        walls = np.array([one.walls for one in self.inner]).T
        return pack(
            Ground(x, z, n, np.array([len(one.ground[0]) for one in self.inner])),
            banks=(left, right),
            walls=(walls[0], walls[1]) if np.isfinite(walls).any() else None,
            limits=[
                *_layers("blocked", [one.blocked for one in self.inner]),
                *_layers("ineffective", [one.idle for one in self.inner]),
                *self._limits_of_regions(),
            ],
            lid=Lid(np.repeat(np.arange(len(count)), count), *lid),
        )

    def _limits_of_regions(self) -> list[Limit]:
        """What lies beside the parts of sections that belong to one opening: no flow, no bed."""
        left, right = np.array([one.apart for one in self.inner]).T
        if not np.isfinite(np.r_[left, right]).any():
            return []
        first, last, high = np.array(
            [(one.ground[0][0], one.ground[0][-1], one.ground[1].max()) for one in self.inner]
        ).T
        start = np.where(np.isfinite(left), np.minimum(first, left), np.nan)
        stop = np.where(np.isfinite(right), np.maximum(last, right), np.nan)
        top = high + ENDLESS_M
        return [Limit("permanent", start, left, top), Limit("permanent", right, stop, top)]

    def _measure_openings(self, sections: Sections) -> None:
        """Tell each bridge the net areas of its opening and its mean bed."""
        if not self.inner:
            return
        first = len(self.base.stations)
        rows = first + np.arange(len(self.inner))
        area = sections.area(rows, np.array([one.chord for one in self.inner]) + 1e-6)

        def measured(one: Bridge | Group) -> Bridge | Group:
            if not isinstance(one, Bridge):
                return one
            up, down = one.up_row - first, one.down_row - first
            return one._replace(
                up_area=float(area[up]), down_area=float(area[down]), up_bed=self.inner[up].bed
            )

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
            base, by_profile = _weir_and_gates(
                one, details.get(one.name, {}), self._ground_between_walls(up),
                self._section_ground(up)[:2],
            )  # fmt: skip
            self.crossings[up] = Crossing(
                name, one.text("kind", ""), gates=base, gates_of=by_profile
            )
            return
        openings: list[Bridge | Group] = []
        regions: list[tuple[int, int] | None] = []
        road: Crest | None = None
        _check_one_road(rows, details)
        rows = rows_of_one_road(rows)
        parts_of = self._regions(rows, details, up) if len(rows) > 1 else [None] * len(rows)
        for one, region in zip(rows, parts_of, strict=True):
            detail = details.get(one.name, {})
            if one.text("kind", "") == "bridge":
                openings.append(self._laid_bridge(one, detail, up))
            else:
                ends = [self._section_ground(row)[:2] for row in (up, up + 1)]
                groups = _barrel_groups(one, detail, self._length_to_next(up), ends)
                _check_road_above_barrels(one, detail, groups)
                openings += groups
            regions += [region] * (len(openings) - len(regions))
            top = _road_top_line(one, detail, self._ground_between_walls(up))
            road = _road_crest(one, top) if top is not None and road is None else road
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
    ) -> list[tuple[int, int] | None]:
        """The parts of the sections above and below that belong to each opening, as rows.

        Stagnation points part them (HEC-RAS, multiple openings). A culvert that doesn't say where
        it lies leaves the sections whole for all.
        """
        x, z, n = self._section_ground(up)
        for one in rows:
            if one.number("limit_left_m", -math.inf) > one.number("limit_right_m", math.inf):
                raise one.fault(
                    "has its limits the wrong way round", "limit_left_m is left of limit_right_m"
                )
        ends = []
        for one in rows:
            detail = details.get(one.name, {})
            ends.append(_extent_of_opening(one, detail, self._ground_inside(one, detail, "up", up)))
        if any(a is None for a in ends):
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
            between = (
                max(known[left][1], rows[right].number("limit_left_m", -math.inf)),
                min(known[right][0], rows[left].number("limit_right_m", math.inf)),
            )
            level = min(known[left][2], known[right][2])
            idle = [a for a in self._stretches(up, "ineffective") if not a[2] < level]
            points.append(_stagnation_point((x, z, n), level, between, idle))
        points.append(math.inf)
        found: list[tuple[int, int] | None] = [None] * len(rows)
        for k, a, b in zip(order, points[:-1], points[1:], strict=True):
            apart = (a if math.isfinite(a) else math.nan, b if math.isfinite(b) else math.nan)
            found[k] = self._part_of_sections(rows[k], up, apart)
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
                ground, (none,) * 5, banks, self._section_walls(row), float(ground[1].max()),
                math.nan, (none, none), math.inf, below, self._stretches(row, "blocked"),
                self._stretches(row, "ineffective"), apart,
            ))  # fmt: skip
        return first, first + 1

    # --- bridges

    def _laid_bridge(
        self, one: StructureRow, detail: Mapping[str, pd.DataFrame], up: int
    ) -> Bridge:
        gap, width = self._length_to_next(up), one.number("width_m")
        before = one.number("distance_m", (gap - width) / 2)
        if before < 0 or before + width > gap + 1e-6:
            raise one.fault(
                f"is {width:g} m wide and doesn't fit between its sections, {gap:g} m apart",
                "width_m along the river, distance_m from the section above; or move the sections",
            )
        lengths = (before, width, gap - before - width)
        inside = [
            self._inner_section(one, detail, side, up, length)
            for side, length in (("up", lengths[1]), ("down", lengths[2]))
        ]
        return self._register_bridge(one, inside, lengths, up)

    def _inner_section(
        self,
        one: StructureRow,
        detail: Mapping[str, pd.DataFrame],
        side: str,
        up: int,
        length: float,
    ) -> _InnerSection:
        """The upper or the lower section inside a bridge: its neighbour, with the bridge in it.

        Houses and whatever else blocks the neighbour block it, too; idle areas are the approach's
        alone, for the bridge itself says where its water runs.
        """
        row = up if side == "up" else up + 1
        outside = self._ground_inside(one, detail, side, row)
        deck = _deck_chords(one, detail, outside, side)
        pieces = pieces_of(outside, deck)
        free = _free_openings(one, pieces)
        piers = _pier_shapes(one, detail, outside, deck, free, side)
        ground, lid = bridge_ground(pieces, piers)
        own = _rows_of_this_side(detail, "ground", side)
        banks = [self.at[f"{s}_bank_m"][row] for s in ("left", "right")]
        for k, column in enumerate(("left_bank_m", "right_bank_m")):
            said = numbers(own, column, "structure_parts").dropna() if len(own) else own
            banks[k] = said.iloc[0] if len(said) else banks[k]
        left, right = (float(np.clip(b, ground[0][0], ground[0][-1])) for b in banks)
        apart = len(own) or len(_rows_of_this_side(detail, "abutment", side))
        return _InnerSection(
            ground, lid, (left, right), self._section_walls(row), max(top for _, _, top in free),
            self._mean_bed(row, ground, free), _pier_areas(piers, outside),
            -math.inf if apart else self._clear_level(row, pieces, piers, outside),
            (length, float(self.at["contraction"][up]), float(self.at["expansion"][up])),
            self._stretches(row, "blocked"),
            [(a + HAIR_M, b - HAIR_M, top) for a, b, top in self._stretches(row, "ineffective")],
            (math.nan, math.nan),
        )  # fmt: skip

    def _ground_inside(
        self, one: StructureRow, detail: Mapping[str, pd.DataFrame], side: str, row: int
    ) -> Line:
        """Ground of a bridge's upper or lower section, its own or the one beside it; abutments."""
        ground = _own_ground(
            one, _rows_of_this_side(detail, "ground", side), self._section_ground(row)
        )
        return _with_abutments(one, _rows_of_this_side(detail, "abutment", side), ground)

    def _clear_level(
        self,
        row: int,
        pieces: list[Piece],
        piers: list[tuple[float, Array, Array]],
        ground: Line,
    ) -> float:
        """Level below which neither deck, piers nor embankments touch a section's water.

        Where the section has idle areas, that inside, which has none, is never the same.
        """
        if self._stretches(row, "ineffective"):
            return -math.inf
        touched = [min(p.under) if p.solid else min(p.soffit) for p in pieces if p.soffit]
        touched += [float(np.interp(centre, ground[0], ground[1])) for centre, *_ in piers]
        return min(touched, default=math.inf)

    def _register_bridge(
        self,
        one: StructureRow,
        inside: list[_InnerSection],
        lengths: tuple[float, float, float],
        up: int,
    ) -> Bridge:
        first = len(self.base.stations) + len(self.inner)
        self.inner += inside
        self.reach[up] = lengths[0]
        above, below = inside
        return Bridge(
            up_row=first,
            down_row=first + 1,
            methods=_bridge_methods(one),
            drag=one.number("pier_drag"),
            yarnell=one.number("yarnell_k"),
            friction=one.yes("friction", True),
            weight=one.yes("weight", True),
            pressure=one.choice("high_flow", ("pressure", "energy")) == "pressure",
            by_energy=one.choice("pressure_by", ("energy", "level")) == "energy",
            sluice=one.number("sluice", math.nan),
            orifice=one.number("orifice"),
            up_chord=above.chord,
            pressure_from=one.number("pressure_chord_m", above.chord),
            down_chord=below.chord,
            up_area=math.nan,  # these three are measured when all sections are packed
            down_area=math.nan,
            up_bed=math.nan,
            pier_area=below.piers,
            pier_area_up=above.piers,
            clear=(above.clear, below.clear),
            lengths=lengths,
            wspro=one.number("wspro_c", math.nan),
        )


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


def _extent_of_opening(
    one: StructureRow, detail: Mapping[str, pd.DataFrame], ground: Line
) -> tuple[float, float, float] | None:
    """From and to offset of an opening, and its highest soffit; None where a culvert says none."""
    if one.text("kind", "") == "culvert":
        if not (one.has("from_offset_m") and one.has("to_offset_m") and one.has("rise_m")):
            return None
        soffit = one.number("invert_up_m") + one.number("rise_m")
        return one.number("from_offset_m"), one.number("to_offset_m"), soffit
    free = _free_openings(one, pieces_of(ground, _deck_chords(one, detail, ground, "up")))
    starts, stops, tops = zip(*free, strict=True)
    return min(starts), max(stops), max(tops)


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


def _bridge_methods(one: StructureRow) -> tuple[str, ...]:
    words = tuple(w.strip() for w in one.text("method", "energy").split("+"))
    for word in words:
        if word not in METHODS:
            raise one.fault(
                f"has {word!r} in method", f"{nearest(word, METHODS)}; several joined by +"
            )
    return words


def _across_the_flow(one: StructureRow, offsets: Array, x: Array, z: Array) -> Array:
    """Offsets along a road that crosses the river at a skew, as those across the flow.

    They shrink by the cosine (HEC-RAS, skewed bridge crossings: deck and piers do, the sections
    beside the bridge don't) about the middle of the lowest bed, wherever offsets count from. A road
    that reaches the section's end still does.
    """
    if not (skew := one.number("skew_deg")):
        return offsets
    middle = middle_of_bed(x, z)
    turned = middle + (offsets - middle) * math.cos(math.radians(skew))
    turned = np.where(offsets <= x[0], np.minimum(turned, x[0]), turned)
    found: Array = np.where(offsets >= x[-1], np.maximum(turned, x[-1]), turned)
    return found


def _deck_chords(
    one: StructureRow,
    detail: Mapping[str, pd.DataFrame],
    ground: tuple[Array, Array, Array],
    side: str,
) -> tuple[Array, Array, Array]:
    """Offset, low chord and high chord of the deck; solid outside the abutments."""
    x, z, _ = ground
    if "deck" in detail:
        rows = _rows_of_side(detail["deck"], side)
        dx, low, high = (
            numbers(rows, c, "structure_parts").to_numpy()
            for c in ("offset_m", "low_chord_m", "deck_m")
        )
        if len(dx) < 2:
            raise one.fault(
                "has a deck of a single point", "two points or more, from left to right"
            )
        if (np.diff(dx) < 0).any():
            raise one.fault("has a deck whose offsets run back", "from left to right")
        bad = np.isfinite(low) & np.isfinite(high) & (low > high + 1e-9)
        if bad.any():
            raise one.fault("has its low chord above its deck", "low_chord_m lies below deck_m")
        low = np.where(np.isfinite(low), low, -1e9)
        return _across_the_flow(one, dx, x, z), low, np.where(np.isfinite(high), high, np.inf)
    low_chord, high_chord = one.number("low_chord_m"), one.number("deck_m", math.inf)
    if low_chord > high_chord:
        raise one.fault("has its low chord above its deck", "low_chord_m lies below deck_m")
    a, b = one.number("from_offset_m", float(x[0])), one.number("to_offset_m", float(x[-1]))
    if not (a < b and a >= x[0] - 1e-9 and b <= x[-1] + 1e-9):
        raise one.fault(
            f"has abutments that don't stand in its section, {x[0]:g} to {x[-1]:g} m",
            "from_offset_m is left of to_offset_m, both in the section",
        )
    buried = -1e9
    a, b = _across_the_flow(one, np.array([a, b]), x, z).tolist()
    points = [(x[0], buried), (a, buried), (a, low_chord), (b, low_chord), (b, buried),
              (x[-1], buried)]  # fmt: skip
    points = points[2:] if a <= x[0] else points
    points = points[:-2] if b >= x[-1] else points
    dx, low = (np.array(v) for v in zip(*points, strict=True))
    return dx, low, np.full(len(dx), high_chord)


def _rows_of_side(rows: pd.DataFrame, side: str) -> pd.DataFrame:
    """Rows of the upper or the lower side; of both where the table doesn't tell them apart."""
    if rows["side"].isna().all():
        return rows
    mine = rows[rows["side"] == side]
    return mine if len(mine) else rows


def _rows_of_this_side(detail: Mapping[str, pd.DataFrame], part: str, side: str) -> pd.DataFrame:
    """Rows of a part that stand on one side of a bridge, or on both."""
    if part not in detail:
        return NO_ROWS
    rows = detail[part]
    return rows[rows["side"].isna() | (rows["side"] == side)]


def _line_of_part(one: StructureRow, rows: pd.DataFrame, part: str) -> tuple[Array, Array]:
    """Offsets and elevations of a line that a part gives, from left to right."""
    x, z = (numbers(rows, c, "structure_parts").to_numpy() for c in ("offset_m", "elevation_m"))
    if len(x) < 2:
        raise one.fault(
            f"has a single point of its {part}", "two points or more, from left to right"
        )
    if (np.diff(x) < 0).any():
        raise one.fault(f"has a line of its {part} whose offsets run back", "from left to right")
    return x, z


def _own_ground(one: StructureRow, rows: pd.DataFrame, outside: Line) -> Line:
    """A bridge's own section where it has one; n where it says none is that beside it."""
    if rows.empty:
        return outside
    x, z = _line_of_part(one, rows, "ground")
    n = numbers(rows, "n", "structure_parts").ffill().to_numpy()
    at = np.clip(np.searchsorted(outside[0], x, side="right") - 1, 0, len(outside[0]) - 1)
    return x, z, np.where(np.isnan(n), outside[2][at], n)


def _with_abutments(one: StructureRow, rows: pd.DataFrame, ground: Line) -> Line:
    """Ground raised to the abutments, which are solid below their line."""
    if rows.empty:
        return ground
    for _, part in rows.groupby("group", sort=False, dropna=False):
        x, z, n = ground
        at, top = _line_of_part(one, part, "abutment")
        at = _across_the_flow(one, at, x, z)
        stops = np.r_[min(x[0], at[0]), at[0], at, at[-1], max(x[-1], at[-1])]
        made = upper_line(x, z, stops, np.r_[-1e9, -1e9, top, -1e9, -1e9])
        old = np.clip(np.searchsorted(x, made[0], side="right") - 1, 0, len(n) - 1)
        ground = *made, n[old]
    return ground


def _free_openings(one: StructureRow, pieces: list[Piece]) -> list[tuple[float, float, float]]:
    """Where there is an opening below the deck: from, to, highest soffit."""
    found = [
        (p.start, p.stop, max(p.soffit)) for p in pieces if p.soffit is not None and not p.solid
    ]
    if not found:
        raise one.fault(
            "has its low chord below the bed everywhere", "check the datum of low_chord_m"
        )
    return found


def _pier_shapes(
    one: StructureRow,
    detail: Mapping[str, pd.DataFrame],
    ground: tuple[Array, Array, Array],
    deck: tuple[Array, Array, Array],
    free: list[tuple[float, float, float]],
    side: str,
) -> list[tuple[float, Array, Array]]:
    """Centre, elevations and widths of each pier, with its debris."""
    x, z, _ = ground
    chord = max(top for _, _, top in free)
    floor = float(z.min()) - 1.0
    found: list[tuple[float, Array, Array]] = []
    if "pier" in detail:
        rows = _rows_of_this_side(detail, "pier", side)
        if one.has("n_piers") and one.number("n_piers") > 0:
            raise one.fault(
                "has its piers in its row and in structure_parts, too", "leave n_piers blank"
            )
        by = "group" if rows["group"].notna().all() else "offset_m"
        for _, part in rows.groupby(by, sort=False):
            at = numbers(part, "elevation_m", "structure_parts").to_numpy()
            width = numbers(part, "pier_width_m", "structure_parts").to_numpy()
            if len(at) > 1 and np.isnan(at).any():
                raise one.fault(
                    f"has several rows for its pier at {part['offset_m'].iloc[0]:g} m, "
                    "not all with an elevation",
                    "one row a pier, or several with an elevation_m each",
                )
            if np.isnan(at).all():
                at, width = np.array([floor, chord]), np.repeat(width[:1], 2)
            turn = np.argsort(at, kind="stable")
            if part["offset_m"].astype(float).nunique() > 1:
                raise one.fault(
                    f"has a pier of group {part['group'].iloc[0]} at several offsets",
                    "one group a pier, with one offset_m",
                )
            stood = _across_the_flow(one, part["offset_m"].to_numpy(float)[:1], x, z)
            found.append((float(stood[0]), at[turn], width[turn]))
    elif one.has("n_piers") and one.number("n_piers") > 0:
        count, wide = int(one.number("n_piers")), one.number("pier_width_m")
        a, b = min(p[0] for p in free), max(p[1] for p in free)
        span = (b - a - count * wide) / (count + 1)
        if span <= 0:
            raise one.fault(
                f"has {count} piers of {wide:g} m in an opening of {b - a:g} m", "fewer or thinner"
            )
        centres = a + span + wide / 2 + np.arange(count) * (span + wide)
        found = [(float(c), np.array([floor, chord]), np.array([wide, wide])) for c in centres]
    found = [(c, at, _width_across_the_flow(one, width)) for c, at, width in found]
    _check_piers(one, found, x, deck)
    return [_pier_with_debris(one, pier, chord) for pier in found]


def _check_piers(
    one: StructureRow,
    found: list[tuple[float, Array, Array]],
    x: Array,
    deck: tuple[Array, Array, Array],
) -> None:
    """Refuse piers that stand beside their opening or in one another; heads may meet."""
    dx, low, _ = deck
    for centre, _, width in found:
        half = float(width.max()) / 2
        inside = (dx[:-1] <= centre) & (dx[1:] >= centre) & (low[:-1] > -1e8)
        if centre - half < x[0] or centre + half > x[-1] or not inside.any():
            raise one.fault(
                f"has a pier at {centre:g} m, outside its opening",
                "offsets are those of the sections, negative to the left",
            )
    spans = sorted((c, float(width.min()) / 2) for c, _, width in found)
    for (a, half_a), (b, half_b) in itertools.pairwise(spans):
        if b - a < half_a + half_b - 1e-9:
            raise one.fault(
                f"has piers that overlap, at {a:g} and {b:g} m",
                "one offset_m a pier; its rows of several elevations have one group",
            )


def _width_across_the_flow(one: StructureRow, width: Array) -> Array:
    """Widths of a pier that stands askew, cos θ w + sin θ L (HEC-RAS, skewed bridge crossings)."""
    turn = math.radians(abs(one.number("pier_skew_deg")))
    return math.cos(turn) * width + math.sin(turn) * one.number("width_m") if turn else width


def _pier_with_debris(
    one: StructureRow, pier: tuple[float, Array, Array], chord: float
) -> tuple[float, Array, Array]:
    """A pier with the debris that floats at its top, wide and high as given."""
    if not one.has("debris_width_m"):
        return pier
    centre, at, width = pier
    foot = chord - one.number("debris_height_m")
    wide = one.number("debris_width_m")
    levels = np.unique(np.r_[at, foot, foot + 1e-6])
    return centre, levels, np.where(levels > foot, np.maximum(wide, np.interp(levels, at, width)),
                                    np.interp(levels, at, width))  # fmt: skip


def _pier_areas(
    piers: list[tuple[float, Array, Array]], ground: tuple[Array, Array, Array]
) -> tuple[Array, Array]:
    """Area of all piers below levels."""
    x, z, _ = ground
    if not piers:
        return np.array([0.0, 1.0]), np.zeros(2)
    low = min(float(np.interp(c, x, z)) for c, *_ in piers)
    levels = np.linspace(low, max(float(at[-1]) for _, at, _ in piers), 200)
    total = np.zeros(len(levels))
    for centre, at, width in piers:
        foot = float(np.interp(centre, x, z))
        wide = np.where((levels >= foot) & (levels <= at[-1]), np.interp(levels, at, width), 0.0)
        steps = (wide[1:] + wide[:-1]) / 2 * np.diff(levels)
        total += np.r_[0.0, np.cumsum(steps)]
    return levels, total


# --- roads, culverts, weirs, gates ------------------------------------------------------------


def _road_top_line(
    one: StructureRow, detail: Mapping[str, pd.DataFrame], ground: tuple[Array, Array]
) -> tuple[Array, Array] | None:
    """The road's top as a line, where water may run over it; the ground where that is higher."""
    x, z = ground
    if "deck" in detail:
        rows = _rows_of_side(detail["deck"], "up")
        dx = numbers(rows, "offset_m", "structure_parts").to_numpy()
        dx = _across_the_flow(one, dx, x, z)
        top = numbers(rows, "deck_m", "structure_parts").to_numpy()
        if not np.isfinite(top).all():
            return None
    elif one.has("deck_m"):
        dx, top = np.array([x[0], x[-1]]), np.full(2, one.number("deck_m"))
    else:
        return None
    return upper_line(dx, top, x, z)


def _road_crest(one: StructureRow, top: tuple[Array, Array]) -> Crest:
    return Crest(*top, one.number("weir_coefficient", CRESTS["road"]))


def _barrel_groups(
    one: StructureRow,
    detail: Mapping[str, pd.DataFrame],
    gap: float,
    ends: list[tuple[Array, Array]],
) -> list[Group]:
    """Groups of barrels: of the parts, or the row itself; between the sections at both ends."""
    rows = [one]
    if "culvert" in detail:
        rows = [
            StructureRow({**one.row, **part.dropna().to_dict()}, one.name)
            for _, part in detail["culvert"].iterrows()
        ]
    groups = [_barrel_group(row, gap, ends) for row in rows]
    wide = sum(g.number * g.barrel.conduit.span_m for g in groups)
    across = min(float(x[-1] - x[0]) for x, _ in ends)
    if wide > across + 1e-6:
        raise one.fault(
            f"has barrels {wide:g} m wide together in a section of {across:g} m",
            "fewer barrels or less span_m, or sections as wide as the crossing",
        )
    return groups


def _check_one_road(
    rows: list[StructureRow], details: Mapping[Any, Mapping[str, pd.DataFrame]]
) -> None:
    """Refuse openings of one crossing that name roads of different heights."""
    said = [one for one in rows if one.has("deck_m") and "deck" not in details.get(one.name, {})]
    for one in said[1:]:
        if abs(one.number("deck_m") - said[0].number("deck_m")) > 1e-6:
            raise one.fault(
                f"has its road at {one.number('deck_m'):g} m and {said[0].name} in the same "
                f"crossing at {said[0].number('deck_m'):g} m",
                "one deck_m for all openings of a crossing, or decks in structure_parts",
            )


def _check_road_above_barrels(
    one: StructureRow, detail: Mapping[str, pd.DataFrame], groups: list[Group]
) -> None:
    """Refuse a road that lies nowhere above the barrels below it."""
    if "deck" in detail:
        tops = numbers(detail["deck"], "deck_m", "structure_parts").to_numpy()
    else:
        tops = np.array([one.number("deck_m", math.nan)])
    barrels = [g.barrel for g in groups]
    crown = min(min(b.up_m, b.down_m) + b.conduit.rise_m for b in barrels)
    if np.isfinite(tops).all() and tops.max() < crown - 1e-9:
        raise one.fault(
            f"has its road at {tops.max():g} m, below the top of its barrels at {crown:g} m",
            "check the datum of deck_m, invert_up_m and invert_down_m",
        )


def _barrel_group(one: StructureRow, gap: float, ends: list[tuple[Array, Array]]) -> Group:
    shape = one.choice("shape", SHAPES) if one.has("shape") else None
    if shape is None:
        raise one.fault("lacks shape", f"one of {', '.join(SHAPES)}")
    rise = one.number("rise_m")
    span = one.number("span_m", rise if shape == "circle" else None)
    if shape == "circle" and abs(span - rise) > 1e-3 * rise:
        raise one.fault(
            f"is a circle {span:g} m wide and {rise:g} m high",
            "leave span_m blank, or call it ellipse",
        )
    length = one.number("length_m", gap)
    up, down = one.number("invert_up_m"), one.number("invert_down_m")
    if any(invert >= z.max() for invert, (_, z) in zip((up, down), ends, strict=True)):
        raise one.fault(
            "has its invert above the banks of its section",
            "check the datum of invert_up_m and invert_down_m",
        )
    if any(invert + rise <= z.min() for invert, (_, z) in zip((up, down), ends, strict=True)):
        raise one.fault(
            "lies below the bed of its section with its whole height",
            "check the datum of invert_up_m and invert_down_m",
        )
    if length > gap + 1e-6:
        raise one.fault(
            f"is {length:g} m long in a gap of {gap:g} m between its sections",
            "leave out the sections that it covers (sections_from_dem does so with structures=), "
            "or model a long covered reach by sections with lid_m",
        )
    if one.number("blocked_m") >= rise:
        raise one.fault("is blocked over its whole height", "less than rise_m")
    chart = _inlet_chart(one, shape)
    pipe = Conduit(
        shape, span, rise, one.number("n"),
        one.number("n_bottom") if one.has("n_bottom") else None,
        one.number("n_bottom_to_m", 0.0), one.number("blocked_m"),
    )  # fmt: skip
    barrel = Barrel(
        pipe, length, up, down, one.number("entrance_loss"), one.number("exit_loss"), chart
    )
    return Group(barrel, int(one.number("barrels")))


def _inlet_chart(one: StructureRow, shape: str) -> tuple[int, int]:
    """Chart and scale of HDS-5 for a barrel's inlet: of its shape where the row says none."""
    if not one.has("chart"):
        if one.has("scale"):
            raise one.fault(
                f"names scale {one.number('scale'):g} of no chart",
                f"fill in chart: {', '.join(map(str, CHARTS_OF[shape]))} are those of its shape",
            )
        return INLETS[shape]
    chart = (int(one.number("chart")), int(one.number("scale", 1.0)))
    if chart not in CHARTS and chart not in STANDING:
        known = sorted({c for c, _ in CHARTS})
        raise one.fault(
            f"names chart {chart[0]} scale {chart[1]}, which HDS-5 doesn't have",
            f"charts {', '.join(map(str, known))}, with the scales of each",
        )
    if chart[0] not in CHARTS_OF[shape]:
        raise one.fault(
            f"names chart {chart[0]}, which HDS-5 has for other shapes than {shape}",
            f"charts of {shape}: {', '.join(map(str, CHARTS_OF[shape]))}; or correct shape",
        )
    return chart


def _weir_and_gates(
    one: StructureRow,
    detail: Mapping[str, pd.DataFrame],
    ground: tuple[Array, Array],
    section: tuple[Array, Array],
) -> tuple[Gates, dict[str, Gates]]:
    """Crest and gates, and those of profiles that have their own openings.

    ``ground`` is where water may run over the crest, ``section`` the whole section above.
    """
    crest = _weir_crest(one, detail, ground)
    rows: list[StructureRow] = []
    if "gate" in detail:
        rows = [
            StructureRow({**one.row, **part.dropna().to_dict()}, one.name)
            for _, part in detail["gate"].iterrows()
        ]
    elif one.has("gate_width_m"):
        rows = [one]
    if one.text("kind", "") == "gate" and not rows:
        raise one.fault("has no gates", "gate_width_m, gate_height_m, sill_m, opening_m")
    if crest is None and not rows:
        raise one.fault("lacks crest_m", "fill in crest_m, or its crest in structure_parts")
    if crest is not None and not rows and _is_buried(one, detail, ground):
        crest = None
    base = Gates(crest, tuple(_gate_of_row(r) for r in rows))
    _check_gates_in_section(one, base, section)
    by_profile = (
        _gates_by_profile(one, detail["setting"], crest, rows) if "setting" in detail else {}
    )
    for made in [*by_profile.values()] if by_profile else [base]:
        if made.crest is None and made.gates and not any(g.number * g.opening for g in made.gates):
            raise one.fault(
                "closes its river: no gate is open and there is no crest to run over",
                "opening_m above 0, or crest_m",
            )
    return base, by_profile


def _gates_by_profile(
    one: StructureRow, settings: pd.DataFrame, crest: Crest | None, rows: list[StructureRow]
) -> dict[str, Gates]:
    """Gates with the openings of each profile that has its own."""
    if not rows:
        raise one.fault(
            "has openings of gates by profile, and no gates",
            "gate_width_m, or its gates in structure_parts",
        )
    grouped = "group" in settings.columns and bool(settings["group"].notna().any())
    twice = settings.duplicated(["profile", "group"] if grouped else ["profile"])
    if twice.any():
        said = settings.loc[twice, "profile"].iloc[0]
        raise one.fault(
            f"has two openings of the same gates in profile {said}",
            "one setting a profile, or one for each group of gates",
        )
    found: dict[str, Gates] = {}
    for profile, part in settings.groupby("profile", sort=False):
        by_group = part.set_index("group") if grouped else None
        gates = []
        for row in rows:
            group = row.text("group", "")
            if by_group is not None and group not in by_group.index:
                raise row.fault(
                    f"has no opening of its gates {group!r} in profile {profile}",
                    "a setting for each group of its gates",
                )
            mine = part.iloc[0] if by_group is None else by_group.loc[group]
            new = {"opening_m": mine["opening_m"], "n_open": mine.get("n_open", np.nan)}
            gates.append(_gate_of_row(StructureRow({**row.row, **new}, row.name)))
        found[str(profile)] = Gates(crest, tuple(gates))
    return found


def _check_gates_in_section(one: StructureRow, made: Gates, section: tuple[Array, Array]) -> None:
    """Refuse gates and crests that can't stand in their section."""
    x, z = section
    for gate in made.gates:
        if gate.sill >= z.max():
            raise one.fault(
                f"has its sill at {gate.sill:g} m, above the banks of its section at {z.max():g} m",
                "check the datum of sill_m",
            )
        if gate.sill + gate.height <= z.min():
            raise one.fault(
                f"has its gates wholly below the bed of its section at {z.min():g} m",
                "check the datum of sill_m",
            )
    wide = sum(gate.number * gate.width for gate in made.gates)
    if wide > x[-1] - x[0] + 1e-6:
        raise one.fault(
            f"has gates {wide:g} m wide together in a section of {x[-1] - x[0]:g} m",
            "fewer gates or less gate_width_m, or sections as wide as the gates",
        )
    if made.crest is not None and not made.gates and made.crest.low >= z.max():
        raise one.fault(
            f"has its crest at {made.crest.low:g} m, above the banks of its section at "
            f"{z.max():g} m",
            "check the datum of crest_m",
        )


def _is_buried(
    one: StructureRow, detail: Mapping[str, pd.DataFrame], ground: tuple[Array, Array]
) -> bool:
    """Whether a crest lies below the bed everywhere: then nothing is there."""
    if "crest" in detail:
        rows = detail["crest"]
        dx, top = (numbers(rows, c, "structure_parts").to_numpy() for c in ("offset_m", "crest_m"))
    else:
        dx = np.array([one.number("from_offset_m", float(ground[0][0])),
                       one.number("to_offset_m", float(ground[0][-1]))])  # fmt: skip
        top = np.full(2, one.number("crest_m"))
    at = np.unique(np.r_[dx, ground[0]])
    at = at[(at >= dx[0]) & (at <= dx[-1])]
    high = np.interp(at, dx, top)
    # on both sides of a place where the bed is upright
    beds = (np.interp(at + step, *ground) for step in (-1e-6, 1e-6))
    return all(bool((high < bed - 1e-6).all()) for bed in beds)


def _weir_crest(
    one: StructureRow, detail: Mapping[str, pd.DataFrame], ground: tuple[Array, Array]
) -> Crest | None:
    x, z = ground
    form = one.choice("crest", ("broad", "ogee", "sharp"))
    coefficient = one.number("weir_coefficient", CRESTS[form])
    design = one.number("design_head_m", math.nan)
    if "crest" in detail:
        rows = detail["crest"]
        dx, top = (numbers(rows, c, "structure_parts").to_numpy() for c in ("offset_m", "crest_m"))
        if len(dx) < 2 or (np.diff(dx) < 0).any():
            raise one.fault(
                "has a crest of a single point or whose offsets run back",
                "two points or more, from left to right",
            )
    elif one.has("crest_m"):
        a, b = one.number("from_offset_m", float(x[0])), one.number("to_offset_m", float(x[-1]))
        if not a < b:
            raise one.fault("has a crest of no width", "from_offset_m is left of to_offset_m")
        dx, top = np.array([a, b]), np.full(2, one.number("crest_m"))
    else:
        return None
    a, b = max(dx[0], x[0]), min(dx[-1], x[-1])
    if not a < b:
        raise one.fault("has its crest beside its section", "offsets are those of the sections")
    stops, line = upper_line(dx, top, x, z)
    return Crest(stops, line, coefficient, form == "ogee", design, form == "sharp")


def _gate_of_row(one: StructureRow) -> Gate:
    width, height = one.number("gate_width_m"), one.number("gate_height_m")
    opening, sill = one.number("opening_m"), one.number("sill_m")
    if opening > height + 1e-9:
        raise one.fault(
            f"has its gates open {opening:g} m, above their height of {height:g} m",
            "opening_m is at most gate_height_m",
        )
    count = one.number("n_gates", 1.0)
    n_open = one.number("n_open", count)
    if n_open > count:
        raise one.fault(f"has {n_open:g} of {count:g} gates open", "n_open is at most n_gates")
    kind = one.choice("gate_kind", ("vertical", "radial", "overflow"))
    trunnion = one.number(column := "trunnion_m", height)
    exponents = (one.number("exponent_trunnion"), one.number("exponent_opening"),
                 one.number("exponent_head"))  # fmt: skip
    if kind == "radial" and not trunnion > 0:
        raise one.fault(f"has {trunnion:g} in {column}", "a number above 0")
    if kind == "radial" and abs(sum(exponents) - 1.5) > 1e-3:
        raise one.fault(
            f"has exponents of a radial gate that add up to {sum(exponents):g}, not 1.5",
            "0.16, 0.72 and 0.62 for exponent_trunnion, exponent_opening and exponent_head",
        )
    sill_form = one.choice("sill_crest", ("broad", "ogee", "sharp"))
    weir = Crest(
        np.array([0.0, width]),
        np.full(2, sill),
        one.number("sill_coefficient", CRESTS[sill_form]),
        sill_form == "ogee",
        one.number("sill_design_head_m", math.nan),
        sill_form == "sharp",
    )
    return Gate(
        n_open, width, height, sill, opening, kind,
        one.number("gate_coefficient"), one.number("orifice"),
        trunnion, exponents, weir,
    )  # fmt: skip
