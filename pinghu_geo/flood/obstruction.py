"""Does this house hinder the flood? Buildings as obstacles, alone and together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from numbers import Real
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.flood.between import Standing, shares_below, standing_on
from pinghu_geo.flood.boundaries import Boundary, boundary_table
from pinghu_geo.flood.hydraulics import (
    RiverCase,
    Scenario,
    river_case,
    scenario_levels,
    water_profile,
)
from pinghu_geo.flood.offsets import require_about_centre
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.survey import for_river, sections_apart
from pinghu_geo.nouns.beside import Workers, side_by_side, silent
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import HydraulicsError, LayerError
from pinghu_geo.nouns.schema import flat_shapes, require_columns, require_layer, require_polygons
from pinghu_geo.nouns.tables import each_row, words_of
from pinghu_geo.river.centreline import by_measure, lay_out, points_at, river_codes, river_scales
from pinghu_geo.river.corridor import locate

__all__ = [
    "LevelsBefore", "building_obstacles", "building_rises", "levels_before", "rises_above",
    "section_lines",
]  # fmt: skip

# designs solved at once: each is the whole river with one building in it
BATCH = 96
# less of a building within a section is no obstacle but a touching corner [m]
LEAST_M = 0.01

# levels are solved to a millionth of a millimetre: of a rise below this nobody can say where it is
NO_RISE_MM = 1e-3
# a rise that grows by less across a structure isn't told [mm]
LEAST_GROWTH_MM = 1.0

# coefficients of contraction and expansion that a house may cause: none; gradual; a bridge's;
# abrupt changes (HEC-RAS Hydraulic Reference Manual, table 3-3)
LOSSES = ((0.0, 0.0), (0.1, 0.3), (0.3, 0.5), (0.6, 0.8))
# doubts under which no rise can be relied on; not wspro_assumed, which changes rises by a seventh
# (docs/theory.md), nor several_levels or formula_step: across such a bridge the rise may leap,
# which rise_grows_at tells, or be hidden above it, but below the bridge, where the house that
# causes it stands, it is what it is
UNCERTAIN = (
    "froude|critical_default|unbalanced|left_out|blocked|implausible|unsurveyed|covered|split"
)
RISES = (
    "rise_alone_mm", "rise_alone_low_mm", "rise_alone_high_mm", "rise_rough_low_mm",
    "rise_rough_high_mm", "rise_joint_mm", "rise_joint_low_mm", "rise_joint_high_mm",
)  # fmt: skip

# what names a section: of two of one chainage, which
PLACE = ["river", "chainage_m", "repeated"]

Progress = Callable[[str], None]


def _with_place_key(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose sections are named by `PLACE`."""
    which = table["repeated"] if "repeated" in table.columns else pd.Series(None, table.index)
    return table.assign(repeated=which.astype(object).where(which.notna(), ""))


@takes()
def section_lines(sections: pd.DataFrame, rivers: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Cross-sections as lines on the ground, square to the centreline 断面线.

    Parameters
    ----------
    sections
        Points: river, chainage_m, offset_m.
    rivers
        Centrelines, indexed by river.

    Returns
    -------
    geopandas.GeoDataFrame
        One line a section, from its leftmost to its rightmost point: river, chainage_m,
        from_offset_m, to_offset_m, repeated {above, below} (which of two places a chainage means
        that a long chain (长链) makes occur twice).

    Raises
    ------
    LayerError, CRSError, ChainageError
        A layer can't be used, or a chainage lies outside its river.

    References
    ----------
    HEC-RAS Hydraulic Reference Manual 6.x, chapter 3 (cross-sections square to the flow, from left
    to right looking downstream).

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> table = pd.DataFrame({"river": "君子布河", "chainage_m": 100.0, "offset_m": [-20.0, 20]})
    >>> pg.flood.section_lines(table, rivers).length.round(6).tolist()
    [40.0]
    """
    require_columns(sections, ("river", "chainage_m", "offset_m"), "sections")
    return _measured_section_lines(sections, rivers).drop(columns="measure")


def _measured_section_lines(sections: pd.DataFrame, rivers: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Lines of sections, with how far down the river each lies."""
    require_about_centre(sections, "sections")
    lines = lay_out(rivers)
    river_codes(sections["river"], lines, "sections")  # unknown ones are refused by name
    number, table = sections_apart(sections, rivers, "sections")
    ends = sections.groupby(number)["offset_m"].agg(["min", "max"])
    table.insert(2, "from_offset_m", ends["min"].to_numpy(float))
    table.insert(3, "to_offset_m", ends["max"].to_numpy(float))
    table["repeated"] = words_of(table["repeated"])
    code = river_codes(table["river"], lines, "sections")
    point, flow = points_at(lines, code, table["measure"].to_numpy(float))
    right = np.stack([flow[:, 1], -flow[:, 0]], axis=1)
    a, b = (
        point + table[c].to_numpy(float)[:, None] * right for c in ("from_offset_m", "to_offset_m")
    )
    shapes = shapely.linestrings(np.stack([a, b], axis=1))
    return gpd.GeoDataFrame(table, geometry=shapes, crs=rivers.crs)


@takes()
def building_obstacles(
    buildings: gpd.GeoDataFrame,
    sections: pd.DataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    structures: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What buildings block of the cross-sections they stand in 房屋阻水断面.

    Parameters
    ----------
    buildings
        Footprints, indexed by building_id.
    sections
        Points of cross-sections.
    rivers
        Centrelines in the same CRS.
    structures
        Bridges, weirs ...: a building that stands above one isn't moved to a section below it.

    Returns
    -------
    pandas.DataFrame
        Obstacles for `water_profile`: river, chainage_m, from_offset_m, to_offset_m, top_m (NA:
        never overtopped), obstacle, building_id, moved_m, repeated (as in `section_lines`). A
        building crossed by no section of its
        river, the nearest one, stands in the nearest of them with its own offsets, and moved_m says
        how far it was moved; one beyond the ends of the sections blocks nothing and has no row.

    Raises
    ------
    LayerError, CRSError, ChainageError
        A layer can't be used.

    Notes
    -----
    A moved building counts with its full depth across the flow: between sections the model knows
    no shape. Sections at the building's walls say more; moved_m shows where they are missing.

    References
    ----------
    HEC-RAS User's Manual 6.x (blocked obstructions).

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> table = pd.DataFrame({"river": "君子布河", "chainage_m": np.repeat([100.0, 300.0], 2),
    ...     "offset_m": [-40.0, 40.0] * 2})
    >>> pg.building_obstacles(buildings, table, rivers).columns.tolist()[:4]
    ['river', 'chainage_m', 'from_offset_m', 'to_offset_m']
    """
    require_layer(buildings, "buildings", crs=rivers.crs)
    require_polygons(buildings, "buildings")
    if sections.empty:
        raise LayerError("has no rows", layer="sections", hint="read the surveyed sections")
    require_columns(sections, ("river", "chainage_m", "offset_m"), "sections")
    lost = sections[["river", "chainage_m", "offset_m"]].isna().any(axis=1)
    if lost.any():
        raise LayerError(
            "has rows without river, chainage or offset",
            layer="sections",
            ids=sections.index[lost],
            hint='sections = sections.dropna(subset=["river", "chainage_m", "offset_m"])',
        )
    lines = _measured_section_lines(sections, rivers)
    shapes = flat_shapes(buildings)
    crossed = _stretches_in_footprints(shapes, lines)
    stands = standing_on(structures, river_scales(rivers))
    standing = _obstacles_between_sections(buildings, shapes, crossed, lines, rivers, stands)
    found = pd.concat([crossed, standing], ignore_index=True)
    found = found[found["to_offset_m"] - found["from_offset_m"] > LEAST_M]
    found = found.assign(
        top_m=np.nan, obstacle="blocked", building_id=buildings.index[found["_who"].to_numpy(int)]
    )
    order = ["_who", "chainage_m", "repeated", "from_offset_m"]
    found = found.sort_values(order, ignore_index=True)
    columns = ["river", "chainage_m", "from_offset_m", "to_offset_m", "top_m", "obstacle"]
    return found[[*columns, "building_id", "moved_m", "repeated"]]


def _stretches_in_footprints(shapes: Any, lines: gpd.GeoDataFrame) -> pd.DataFrame:
    """Stretches of section lines inside footprints."""
    section, who = shapely.STRtree(shapes).query(lines.geometry.to_numpy(), predicate="intersects")
    inside = shapely.intersection(lines.geometry.to_numpy()[section], shapes[who])
    parts, of = shapely.get_parts(inside, return_index=True)
    keep = shapely.get_dimensions(parts) == 1
    parts, of = parts[keep], of[keep]
    section, who = section[of], who[of]
    start = shapely.get_coordinates(shapely.get_point(lines.geometry.to_numpy()[section], 0))
    ends = np.stack([shapely.get_coordinates(shapely.get_point(parts, k)) for k in (0, -1)], axis=1)
    along = np.hypot(*np.moveaxis(ends - start[:, None], 2, 0)).reshape(-1, 2)
    along = along + lines["from_offset_m"].to_numpy()[section][:, None]
    return pd.DataFrame(
        {
            "_who": who,
            "river": lines["river"].to_numpy()[section],
            "chainage_m": lines["chainage_m"].to_numpy()[section],
            "from_offset_m": along.min(axis=1, initial=np.inf),
            "to_offset_m": along.max(axis=1, initial=-np.inf),
            "moved_m": 0.0,
            "repeated": lines["repeated"].array[section],
        }
    )


def _obstacles_between_sections(
    buildings: gpd.GeoDataFrame,
    shapes: Any,
    crossed: pd.DataFrame,
    lines: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    stands: Mapping[str, Standing],
) -> pd.DataFrame:
    """Buildings between sections, in the nearest section on their side of structures."""
    reach = float(np.abs(lines[["from_offset_m", "to_offset_m"]].to_numpy()).max())
    near = np.unique(
        shapely.STRtree(shapes).query(
            rivers.geometry.to_numpy(), predicate="dwithin", distance=reach
        )[1]
    )
    # another river's sections that reach over a house don't clear it out of its own river
    own = rivers.index.to_numpy()[shapely.STRtree(rivers.geometry.to_numpy()).nearest(shapes[near])]
    by_own = pd.MultiIndex.from_frame(crossed[["_who", "river"]])
    between = near[~pd.MultiIndex.from_arrays([near, own]).isin(by_own)]
    empty = crossed.iloc[:0]
    if not len(between):
        return empty
    # wings of one house that stand apart leave the water between them free
    wings, of_wing = shapely.get_parts(shapes[between], return_index=True)
    apart = gpd.GeoDataFrame(geometry=wings, crs=buildings.crs)
    where = locate(apart.set_index(apart.index.astype(str)), by_measure(rivers))
    where = where.assign(_who=between[of_wing])
    where = where[~pd.MultiIndex.from_frame(where[["_who", "river"]]).isin(by_own)]
    parts = []
    for river, every in where.groupby("river", sort=False):
        mine = lines[lines["river"] == river].sort_values("measure", kind="stable")
        if mine.empty:
            continue
        at = mine["measure"].to_numpy(float)
        beyond = ~every["chainage_m"].between(at[0], at[-1])
        of = every[~(beyond & every["_who"].isin(crossed["_who"]))]  # those stand in the other's
        wanted = of["chainage_m"].to_numpy(float)
        k = np.zeros(len(of), int)
        if len(at) > 1:
            above, share = shares_below(at, wanted, stands.get(str(river)))
            k = above + (share >= 0.5)
        low, high = (mine[c].to_numpy()[k] for c in ("from_offset_m", "to_offset_m"))
        parts.append(
            pd.DataFrame(
                {
                    "_who": of["_who"].to_numpy(),
                    "river": river,
                    "chainage_m": mine["chainage_m"].to_numpy()[k],
                    "from_offset_m": np.clip(of["offset_min_m"].to_numpy(), low, high),
                    "to_offset_m": np.clip(of["offset_max_m"].to_numpy(), low, high),
                    "moved_m": np.abs(at[k] - wanted),
                    "repeated": mine["repeated"].array[k],
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else empty


@takes()
def building_rises(
    buildings: gpd.GeoDataFrame,
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    rivers: gpd.GeoDataFrame,
    *,
    allowed_mm: float,
    losses: Sequence[tuple[float, float]] = LOSSES,
    roughness_share: float = 0.0,
    banks: pd.DataFrame | None = None,
    obstacles: pd.DataFrame | None = None,
    workers: Workers = 1,
    progress: Progress | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Rise of the flood that keeping each building causes, alone and together 留房壅水.

    Parameters
    ----------
    buildings
        Candidates to stay, indexed by building_id.
    sections, flows, downstream, banks, obstacles
        The designed river without them, as in `water_profile`.
    rivers
        Centrelines.
    allowed_mm
        Rise of the level that the design institute allows [mm]; there is no default.
    losses
        Coefficients of contraction and expansion that a house may cause, the least first: the rise
        is computed for each, with and without the house. ``()`` is no band.
    roughness_share
        Share by which n may be wrong: with 0.1 the rise is computed for 0.9 n and 1.1 n too.
    workers
        Processes that compute rivers which don't join side by side, this one among them; each takes
        some 0.4 GB and a second to start. The rises are the same for any number of them.
    progress
        Called with a line of text now and then.
    **options
        Of `water_profile`.

    Returns
    -------
    pandas.DataFrame
        On the buildings' index: rise_alone_mm, the highest rise anywhere on the river with only
        this building kept, by the river's own coefficients; rise_alone_low_mm and
        rise_alone_high_mm, its least and most over the band; rise_band, the rise for each pair of
        the band; rise_decided_by, the first of the band whose rise is above the allowed one, where
        not all are; rise_grows_at, the structure across which the highest of them more than doubles
        on its way up, since other formulas hold there than without the house (None: there is no
        such); rise_rough_low_mm, rise_rough_high_mm, what the roughness alone makes of it;
        rise_river, rise_at_m where it is highest, nowhere where nothing rises (and rise_repeated
        {above, below}, where that chainage occurs twice); joint, whether it is among those that can
        stay together; rise_joint_mm, the highest rise with all of those kept, and for the others
        the rise with this one added to them, with rise_joint_low_mm and rise_joint_high_mm;
        n_sections it stands in; doubts of the base profile at those sections, and those of the
        house (Notes).

    Raises
    ------
    HydraulicsError, LayerError, CRSError
        The tables or layers can't be used.

    Notes
    -----
    What a house raises in one dimension hangs on the losses that are laid on it: a block of 4 m x
    30 m in a channel of 20 m by 54, 122, 185, 272 mm with 0/0, 0.1/0.3, 0.3/0.5, 0.6/0.8, and by
    182 mm in two dimensions. The band is from no losses to those of abrupt changes (HEC-RAS table
    3-3), and takes the place of all coefficients but those inside bridges.

    Together: all whose own rise is allowed in the whole band are kept at first; while the joint
    rise exceeds the allowed one somewhere in it, the building goes that alone raises the water most
    *there*. A building beside the water, or dry at the flood by all coefficients and n of the
    band, raises nothing: 0 mm. One that no section tells of has no rise (doubt ``unsurveyed``: its
    river has none, it stands above the first or below the last, or beyond the end of one where the
    water of the band stands higher than that end), nor has one over a covered section or a culvert
    (``covered``: whether it stands on the cover or in the water isn't known). Where the flood
    without any building has a Froude number above 0.9,
    or no subcritical level, or its level hangs on a structure that isn't computed (left_out) or on
    a split of the discharge that leaves energies apart (split), no rise can be relied on: it is NA
    there, and NA is never a reason to retain.

    References
    ----------
    HEC-RAS Hydraulic Reference Manual 6.x, chapter 3, table 3-3 (contraction and expansion
    coefficients). 河道管理范围内建设项目防洪评价报告编制导则(试行), 水利部办公厅 (2004): the height
    of the backwater (壅水高度).

    Examples
    --------
    See notebook 02 and ``pinghu run``; the smallest case:

    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> none = pg.read_layer(sample / "房屋.shp", "buildings").head(0)
    >>> bed = pd.DataFrame({"river": "君子布河", "chainage_m": [0.0, 500.0],
    ...     "bed_level_m": [0.5, 0.0], "left_m": 10.0, "right_m": 10.0,
    ...     "bank_level_m": [5.5, 5.0], "n": 0.03})
    >>> made = pg.design_sections(bed)
    >>> len(pg.building_rises(none, made, 50.0, {"slope": 0.001}, rivers, allowed_mm=10))
    0
    """
    if "scheme" in sections.columns:
        sections = _of_one_scheme(sections)
    standing = building_obstacles(buildings, sections, rivers, structures=options.get("structures"))
    return rises_above(
        levels_before(
            sections, flows, downstream, losses=losses, roughness_share=roughness_share,
            banks=banks, obstacles=obstacles, rivers=rivers, **options,
        ),
        standing, buildings, sections, flows, downstream, rivers, allowed_mm=allowed_mm,
        banks=banks, obstacles=obstacles, workers=workers, progress=progress or silent, **options,
    )  # fmt: skip


class LevelsBefore(NamedTuple):
    """A river without any of the buildings whose rises are asked for."""

    base: pd.DataFrame  # its profile
    scenarios: list[Scenario]
    levels: list[pd.DataFrame]  # by scenario
    rough: bool  # whether n is varied


def levels_before(
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    *,
    losses: Sequence[tuple[float, float]],
    roughness_share: float,
    base: pd.DataFrame | None = None,
    **options: Any,
) -> LevelsBefore:
    """Levels before, of sections of one scheme; ``base`` is their profile where it is known."""
    if base is None:
        base = water_profile(sections, flows, downstream, **options)
    # where the river has no coefficients of its own, its pair is the first scenario already
    own = (options.get("contraction", 0.1), options.get("expansion", 0.3))
    banks = options.get("banks")
    given = banks is not None and {"contraction", "expansion"} & set(
        banks.dropna(axis=1, how="all")
    )
    scenarios = _rise_scenarios(losses, roughness_share, own=None if given else own)
    levels = scenario_levels(sections, flows, downstream, scenarios, **options)
    return LevelsBefore(base, scenarios, levels, bool(roughness_share))


def rises_above(
    known: LevelsBefore,
    standing: pd.DataFrame,
    buildings: gpd.GeoDataFrame,
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    rivers: gpd.GeoDataFrame,
    *,
    allowed_mm: float,
    banks: pd.DataFrame | None = None,
    obstacles: pd.DataFrame | None = None,
    workers: Workers = 1,
    progress: Progress = silent,
    **options: Any,
) -> pd.DataFrame:
    """`building_rises` of a river whose levels before are known, by `building_obstacles`."""
    base, scenarios, before, rough = known
    found = _nothing_risen(buildings.index)
    found["n_sections"] = standing.groupby("building_id").size().reindex(found.index, fill_value=0)
    doubts = (
        _with_place_key(standing)
        .merge(_with_place_key(base), on=PLACE)
        .groupby("building_id")["doubts"]
    )
    found["doubts"] = doubts.agg(_joined_doubts).reindex(found.index, fill_value="")
    highest = _highest_levels([base, *before])
    untold = _untold_by_sections(
        buildings, standing, sections, highest, rivers, options.get("structures")
    )
    for code, mine in untold.items():
        more = found["doubts"].where(found["doubts"] == "", found["doubts"] + ",") + code
        found["doubts"] = found["doubts"].mask(mine, more)
    uncertain = found["doubts"].str.contains(UNCERTAIN)
    apart = _river_systems(
        list(dict.fromkeys(sections["river"])),
        boundary_table(downstream, "downstream"),
        options.get("junctions"),
    )
    systems = [_System.of(group, sections, banks, obstacles, standing, before) for group in apart]
    asked = _Asked(
        base, flows, downstream, {"rivers": rivers, **options}, scenarios, allowed_mm,
        set(found.index[uncertain]),
    )  # fmt: skip
    with side_by_side(workers) as many:
        within = [one for one in systems if len(one.standing)]
        risen = [rise for _, rise in many.each(_rises_of_system, within, asked, tell=progress)]
    if risen:
        worst = _highest_rises(risen)
        found.loc[worst.index, list(worst.columns)] = worst
    found.loc[uncertain, list(RISES)] = np.nan
    found.loc[uncertain, ["rise_band", "rise_decided_by", "rise_grows_at"]] = None
    found.loc[uncertain, "joint"] = False
    if not rough:
        found[["rise_rough_low_mm", "rise_rough_high_mm"]] = np.nan
    return found if found["rise_repeated"].notna().any() else found.drop(columns="rise_repeated")


def _highest_levels(levels: list[pd.DataFrame]) -> pd.Series:
    """Highest level at each `PLACE`, of all floods of such tables."""
    columns = [*PLACE, "level_m"]
    return (
        pd.concat([_with_place_key(one)[columns] for one in levels]).groupby(PLACE)["level_m"].max()
    )


def _of_one_scheme(sections: pd.DataFrame) -> pd.DataFrame:
    """Sections without the name of their only scheme."""
    names = sections["scheme"].unique()
    if len(names) > 1:
        raise HydraulicsError(
            "holds several schemes, and houses stand in one river", layer="sections", ids=names,
            hint='sections = sections[sections["scheme"] == sections["scheme"].iloc[0]]',
        )  # fmt: skip
    return sections.drop(columns="scheme")


def _untold_by_sections(
    buildings: gpd.GeoDataFrame,
    standing: pd.DataFrame,
    sections: pd.DataFrame,
    highest: pd.Series,
    rivers: gpd.GeoDataFrame,
    structures: pd.DataFrame | None,
) -> dict[str, Array]:
    """Buildings of which no section tells, and those over covered sections or culverts."""
    places = _section_ends(sections, highest, rivers)
    unsurveyed, covered = np.zeros((2, len(buildings)), bool)
    rows = _with_place_key(standing).merge(places, on=PLACE, how="left")
    who = buildings.index.get_indexer(pd.Index(rows["building_id"]))
    # what ends where the section ends may go on beyond it
    ends_left = rows["from_offset_m"] < rows["left_m"] + LEAST_M
    ends_right = rows["to_offset_m"] > rows["right_m"] - LEAST_M
    beyond = (ends_left & rows["over_left"]) | (ends_right & rows["over_right"])
    unsurveyed[who[beyond.to_numpy(bool)]] = True
    lidded = (rows["from_offset_m"] < rows["lid_to_m"] - LEAST_M) & (
        rows["to_offset_m"] > rows["lid_from_m"] + LEAST_M
    )
    covered[who[lidded.to_numpy(bool)]] = True
    crossed = np.zeros(len(buildings), bool)
    crossed[who[(rows["moved_m"] == 0).to_numpy(bool)]] = True
    stands = np.zeros(len(buildings), bool)
    stands[who] = True
    rest = np.flatnonzero(~crossed)
    where = locate(buildings.iloc[rest], by_measure(rivers))
    culverts = structures
    if structures is not None and "kind" in structures.columns:
        culverts = structures[structures["kind"] == "culvert"]
    barrels = standing_on(culverts, river_scales(rivers))
    for river, of in where.assign(_who=rest).groupby("river", sort=False):
        mine, k = places[places["river"] == river].sort_values("measure"), of["_who"].to_numpy()
        if mine.empty:
            unsurveyed[k] = True
            continue
        at, last = mine["measure"].to_numpy(float), len(mine) - 1
        nearest = np.abs(at[:, None] - of["chainage_m"].to_numpy(float)).argmin(axis=0)
        there = mine.iloc[nearest]
        left = of["offset_max_m"].to_numpy(float) <= there["left_m"].to_numpy(float) + LEAST_M
        right = of["offset_min_m"].to_numpy(float) >= there["right_m"].to_numpy(float) - LEAST_M
        beside = (left & there["over_left"]) | (right & there["over_right"])
        out = (of["to_m"].to_numpy(float) < at[0]) | (of["from_m"].to_numpy(float) > at[last])
        unsurveyed[k] |= (~stands[k] & beside.to_numpy(bool)) | (stands[k] & out)
        if (over := barrels.get(str(river))) is not None:
            start, stop = (of[c].to_numpy(float)[:, None] for c in ("from_m", "to_m"))
            covered[k] |= stands[k] & ((start >= over.begin) & (stop <= over.end)).any(axis=1)
    return {"unsurveyed": unsurveyed, "covered": covered}


def _section_ends(
    sections: pd.DataFrame, highest: pd.Series, rivers: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Ends of each section, whether a flood stands above them, and where it is covered.

    Columns of `PLACE`, measure, left_m, right_m, over_left, over_right, lid_from_m, lid_to_m (NaN:
    it is open).
    """
    number, places = sections_apart(sections, rivers, "sections")
    points = sections.assign(_k=number).sort_values("_k", kind="stable").groupby("_k")
    first, last = points.first(), points.last()
    found = _with_place_key(places).join(highest, on=PLACE)
    for side, end in (("left", first), ("right", last)):
        found[f"{side}_m"] = end["offset_m"].to_numpy(float)
        found[f"over_{side}"] = (found["level_m"] > end["elevation_m"].to_numpy(float)).to_numpy()
    lid = points["offset_m"].agg(["min", "max"])
    if "lid_m" in sections.columns:
        under = sections["offset_m"].where(sections["lid_m"].notna()).groupby(number)
        below = under.agg(["min", "max"])
    else:
        below = lid * np.nan
    # a section whose last point is its first is closed all round
    closed = (first[["offset_m", "elevation_m"]] == last[["offset_m", "elevation_m"]]).all(axis=1)
    lid = lid.where(closed, below)
    found["lid_from_m"], found["lid_to_m"] = lid["min"].to_numpy(float), lid["max"].to_numpy(float)
    whole = (found["lid_from_m"] <= found["left_m"]) & (found["lid_to_m"] >= found["right_m"])
    # under a cover from end to end the water presses, and stands nowhere beside it
    found.loc[closed.to_numpy(bool) | whole.to_numpy(bool), ["over_left", "over_right"]] = False
    return found.drop(columns="level_m")


def _rise_scenarios(
    losses: Sequence[tuple[float, float]], share: float, *, own: tuple[float, float] | None
) -> list[Scenario]:
    """The river's own coefficients first, then the band, then the roughness."""
    for pair in losses if isinstance(losses, Iterable) else [losses]:
        # (0.1, 0.3) by itself is no list of pairs
        two: list[object] = list(pair) if isinstance(pair, Iterable) else []
        if len(two) != 2 or not all(isinstance(c, Real) and 0 <= float(c) <= 1 for c in two):
            raise HydraulicsError(
                f"losses holds {pair!r}, which is no pair of coefficients from 0 to 1",
                hint="losses=((0.0, 0.0), (0.1, 0.3), (0.3, 0.5), (0.6, 0.8))",
            )
    if not 0 <= share < 1:
        raise HydraulicsError(
            f"roughness_share={share:g}; it is a share of n", hint="roughness_share=0.1"
        )
    band = [Scenario((float(c), float(e))) for c, e in losses if (c, e) != own]
    rough = [Scenario(None, 1 - share), Scenario(None, 1 + share)] if share else []
    return [Scenario(name=own), *band, *rough]


def _nothing_risen(index: pd.Index) -> pd.DataFrame:
    """Rises of buildings that raise nothing."""
    found = pd.DataFrame(index=index)
    for column in RISES:
        found[column] = 0.0
    found["joint"] = True
    for column in ("rise_band", "rise_decided_by", "rise_grows_at", "rise_river", "rise_repeated"):
        found[column] = pd.Series(None, index, "str")
    found["rise_at_m"] = np.nan
    return found


def _highest_rises(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Rises of all systems; of a building that stands in several, those where it raises most.

    It may stay with the others only where it may in each.
    """
    found = pd.concat(parts)
    if found.index.is_unique:
        return found
    together = [column for column in RISES if "joint" in column]
    of = found.groupby(level=0)
    worst = found.sort_values("rise_alone_high_mm", ascending=False, kind="stable")
    worst = worst[~worst.index.duplicated()]
    return worst.assign(joint=of["joint"].all(), **of[together].max())


class _Asked(NamedTuple):
    """What all rivers share when rises are asked for."""

    base: pd.DataFrame
    flows: pd.DataFrame | float
    downstream: Boundary
    options: dict[str, Any]
    scenarios: list[Scenario]
    allowed_mm: float
    doubtful: set[Any]  # buildings that can't be relied on


class _System(NamedTuple):
    """Rivers that take one another's level, and what stands in them."""

    rivers: list[str]
    sections: pd.DataFrame
    banks: pd.DataFrame | None
    obstacles: pd.DataFrame | None
    standing: pd.DataFrame
    before: list[pd.DataFrame]  # levels without any building, a table a scenario

    @classmethod
    def of(
        cls,
        rivers: list[str],
        sections: pd.DataFrame,
        banks: pd.DataFrame | None,
        obstacles: pd.DataFrame | None,
        standing: pd.DataFrame,
        before: list[pd.DataFrame],
    ) -> _System:
        """Of tables of all rivers."""

        def mine(table: pd.DataFrame) -> pd.DataFrame:
            return table[table["river"].isin(rivers)]

        return cls(
            rivers,
            mine(sections),
            None if banks is None else mine(banks),
            None if obstacles is None else mine(obstacles),
            mine(standing),
            [mine(levels) for levels in before],
        )


def _rises_of_system(asked: _Asked, system: _System, tell: Progress) -> pd.DataFrame:
    """Rises of the buildings that stand in one system of rivers."""
    found = _nothing_risen(pd.Index(system.standing["building_id"].unique()))
    told = partial(_tell_of_rivers, tell, system.rivers)
    options, junctions = asked.options, asked.options.get("junctions")
    if junctions is not None:  # of other systems there are no sections here
        options = options | {"junctions": junctions[junctions["river"].isin(system.rivers)]}
    river = river_case(
        system.sections, asked.flows, asked.downstream, banks=system.banks, **options
    )
    _fill_rises(found, _Trial(asked, system, river), told)
    return found


class _Trial(NamedTuple):
    """A system of rivers on which designs are tried, each with some of its buildings."""

    asked: _Asked
    system: _System
    river: RiverCase  # without any building

    def wet(self) -> Array:
        """Rows of ``standing`` whose ground a flood reaches by some scenario; others are dry."""
        sections, standing = self.system.sections, self.system.standing
        level = _highest_levels([self.asked.base, *self.system.before]).to_dict()
        number, places = sections_apart(sections, self.asked.options["rivers"], "sections")
        keys = _with_place_key(places)[PLACE].to_numpy().tolist()
        place = {tuple(key): k for k, key in enumerate(keys)}
        order = np.argsort(number, kind="stable")
        begins = np.searchsorted(number[order], np.arange(len(places) + 1))
        xs, zs = (sections[c].to_numpy(float)[order] for c in ("offset_m", "elevation_m"))
        found = np.zeros(len(standing), bool)
        for k, row in enumerate(each_row(_with_place_key(standing))):
            at = place[(row.river, row.chainage_m, row.repeated)]
            x, z = (v[begins[at] : begins[at + 1]] for v in (xs, zs))
            within = (x >= row.from_offset_m) & (x <= row.to_offset_m)
            ends = np.interp([row.from_offset_m, row.to_offset_m], x, z)
            lowest = min(ends.min(), z[within].min(initial=np.inf))
            found[k] = lowest < level[(row.river, row.chainage_m, row.repeated)]
        return found

    def levels(
        self, cases: dict[str, list[Any]], near: list[pd.DataFrame] | None = None
    ) -> list[pd.DataFrame]:
        """Levels by case and place, a table a scenario; each case keeps some buildings.

        ``near`` are levels of one case not far from them, by default those without any building.
        """
        of: dict[Any, list[int]] = {}
        for k, name in enumerate(self.system.standing["building_id"].tolist()):
            of.setdefault(name, []).append(k)
        parts = [self.system.standing]
        always: list[int] = []
        obstacles = self.system.obstacles
        if obstacles is not None and len(obstacles):
            parts.append(obstacles)
            always = [len(parts[0]) + k for k in range(len(obstacles))]
        rows = [sorted(k for i in kept for k in of[i]) + always for kept in cases.values()]
        standing = pd.concat(parts).iloc[[k for one in rows for k in one]]
        scheme = [name for name, one in zip(cases, rows, strict=True) for _ in one]
        return self.river.with_obstacles(standing.assign(scheme=scheme)).scenario_levels(
            self.asked.scenarios, self.system.before if near is None else near
        )

    def rises(self, levels: list[pd.DataFrame]) -> Array:
        """Rise [mm] by scenario, case and place of such levels."""
        made = []
        for was, now in zip(self.system.before, levels, strict=True):
            level = now["level_m"].to_numpy().reshape(-1, len(was))
            made.append((level - was["level_m"].to_numpy()) * 1000)
        return np.stack(made)


def _tell_of_rivers(tell: Progress, group: Sequence[str], text: str) -> None:
    """A line of progress with the rivers that it is about."""
    tell(f"rises {'、'.join(group)} {text}")


def _fill_rises(found: pd.DataFrame, trial: _Trial, tell: Progress) -> None:
    """Rises of the buildings of one system of rivers, in place."""
    allowed_mm = trial.asked.allowed_mm
    ids = list(dict.fromkeys(trial.system.standing.loc[trial.wet(), "building_id"]))
    # cases go by number: ids may be numbers, or differ by nothing but a blank
    case = {i: str(k) for k, i in enumerate(ids)}
    place = {i: k for k, i in enumerate(ids)}
    dry = [i for i in dict.fromkeys(trial.system.standing["building_id"]) if i not in set(ids)]
    if not ids:
        return
    parts = []
    for k in range(0, len(ids), BATCH):
        tell(f"{k}/{len(ids)}")
        parts.append(trial.rises(trial.levels({case[i]: [i] for i in ids[k : k + BATCH]})))
    single = np.concatenate(parts, axis=1)
    _fill_rises_alone(found, trial, ids, single, allowed_mm)
    small = single.max(axis=(0, 2)) <= allowed_mm
    kept = [i for i, fits in zip(ids, small, strict=True) if fits and i not in trial.asked.doubtful]
    joint, near = np.zeros(len(trial.asked.scenarios)), trial.system.before
    while kept:
        near = trial.levels({"joint": kept})
        together = trial.rises(near)[:, 0]
        joint = together.max(axis=1)
        if joint.max() <= allowed_mm:
            break
        scenario, where = np.unravel_index(int(together.argmax()), together.shape)
        there = single[scenario, [place[i] for i in kept], where]
        kept.remove(kept[int(np.argmax(there))])
    left = [i for i in ids if i not in set(kept)]
    found.loc[ids, "joint"] = [i in set(kept) for i in ids]
    _fill_joint_rises(found, kept + dry, joint[:, None] if kept else np.zeros((len(joint), 1)))
    for k in range(0, len(left), BATCH):
        some = left[k : k + BATCH]
        more = trial.rises(trial.levels({case[i]: [*kept, i] for i in some}, near)).max(axis=2)
        _fill_joint_rises(found, some, more)


def _fill_rises_alone(
    found: pd.DataFrame, trial: _Trial, ids: list[Any], single: Array, allowed_mm: float
) -> None:
    """Rises of single buildings over the band, in place."""
    highest = single.max(axis=2)
    risen = highest[0] > NO_RISE_MM
    where = trial.system.before[0].iloc[single[0].argmax(axis=1)[risen]]
    there = [i for i, above in zip(ids, risen, strict=True) if above]
    for column, of in (("rise_river", "river"), ("rise_at_m", "chainage_m"),
                       ("rise_repeated", "repeated")):  # fmt: skip
        found.loc[there, column] = where[of].to_numpy()
    found.loc[ids, "rise_alone_mm"] = highest[0]
    found.loc[ids, "rise_alone_low_mm"] = highest.min(axis=0)
    found.loc[ids, "rise_alone_high_mm"] = highest.max(axis=0)
    scenarios = trial.asked.scenarios
    rough = [k for k, s in enumerate(scenarios) if s.n_factor != 1]
    if rough:
        found.loc[ids, "rise_rough_low_mm"] = highest[[0, *rough]].min(axis=0)
        found.loc[ids, "rise_rough_high_mm"] = highest[[0, *rough]].max(axis=0)
    names = [_scenario_name(s) for s in scenarios]
    band = [k for k, s in enumerate(scenarios) if (s.losses or s.name) and s.n_factor == 1]
    band.sort(key=lambda k: scenarios[k].losses or scenarios[k].name or ())
    found.loc[ids, "rise_band"] = [
        "; ".join(f"{names[k]} {highest[k, i]:.1f}" for k in band) or None for i in range(len(ids))
    ]
    most = single[highest.argmax(axis=0), np.arange(len(ids))]
    found.loc[ids, "rise_grows_at"] = _structures_where_rises_grow(trial, most)
    over = highest > allowed_mm
    order = list(dict.fromkeys([*band, 0, *rough]))
    found.loc[ids, "rise_decided_by"] = [
        next(names[k] for k in order if over[k, i])
        if over[:, i].any() and not over[:, i].all()
        else None
        for i in range(len(ids))
    ]


def _structures_where_rises_grow(trial: _Trial, rises: Array) -> list[str | None]:
    """The structure across which each rise (by house and place) grows, if it more than doubles."""
    none: list[str | None] = [None] * len(rises)
    if "structure_id" not in trial.asked.base.columns:
        return none
    keys = ["profile", *PLACE]
    named = _with_place_key(trial.asked.base).drop_duplicates(keys)[[*keys, "structure_id"]]
    places = _with_place_key(trial.system.before[0])[keys].merge(named, on=keys, how="left")
    above = np.flatnonzero(places["structure_id"].notna())
    if not len(above):
        return none
    below = rises[:, above + 1]
    grown = rises[:, above] - below
    grown = np.where(grown > np.fmax(below, LEAST_GROWTH_MM), grown, 0.0)
    names = places["structure_id"].to_numpy(object)[above[grown.argmax(axis=1)]]
    return [str(n) if g else None for n, g in zip(names, grown.max(axis=1), strict=True)]


def _fill_joint_rises(found: pd.DataFrame, ids: list[Any], rises: Array) -> None:
    """Joint rises by scenario of some buildings, in place."""
    size = (len(rises), len(ids))
    found.loc[ids, "rise_joint_mm"] = np.broadcast_to(rises, size)[0]
    found.loc[ids, "rise_joint_low_mm"] = np.broadcast_to(rises.min(axis=0), size[1:])
    found.loc[ids, "rise_joint_high_mm"] = np.broadcast_to(rises.max(axis=0), size[1:])


def _scenario_name(one: Scenario) -> str:
    """Words for a scenario: its coefficients, or what it makes of n."""
    pair = one.losses or one.name
    if pair is not None and one.n_factor == 1:
        return f"{pair[0]:g}/{pair[1]:g}"
    return "own" if one.n_factor == 1 else f"n x {one.n_factor:g}"


def _joined_doubts(texts: pd.Series) -> str:
    return ",".join(dict.fromkeys(w for t in texts for w in t.split(",") if w))


def _river_systems(
    rivers: list[str], edges: pd.DataFrame, junctions: pd.DataFrame | None
) -> list[list[str]]:
    """Rivers that take one another's level, together."""
    of = {r: r for r in rivers}

    def join(river: str, main: str) -> None:
        old, new = of[river], of[main]
        of.update({r: new for r, v in of.items() if v == old})

    for river in rivers:
        rows = edges[for_river(edges, river)]
        for main in rows["joins"].dropna() if "joins" in rows else []:
            join(river, main)
    if junctions is not None and len(junctions):
        for _, part in junctions.groupby("junction"):
            for river in part["river"]:
                join(river, part["river"].iloc[0])
    return [[r for r in rivers if of[r] == root] for root in dict.fromkeys(of.values())]
