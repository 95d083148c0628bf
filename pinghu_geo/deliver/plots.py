"""How do I draw the flood? Long sections and cross-sections with Chinese labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from pinghu_geo.deliver.standing import JUNCTION_COLOUR, structures_in_section
from pinghu_geo.flood.structures import parts_by_kind
from pinghu_geo.flood.survey import sections_apart
from pinghu_geo.nouns.codes import REPEATED
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.inert import figure_text
from pinghu_geo.nouns.schema import (
    Lang,
    code_label,
    label,
    nearest,
    numbers,
    one_of,
    require_columns,
)
from pinghu_geo.redline.lines import Widths, width_rows
from pinghu_geo.river.centreline import lay_out, river_scales
from pinghu_geo.river.chainage import ChainageScale, format_chainage
from pinghu_geo.river.corridor import along_rivers, river_ends

__all__ = [
    "DrawnFigure",
    "chainage_label",
    "chinese_font",
    "plot_long_section",
    "plot_section",
    "plot_widths",
]

WATER, ENERGY, BED, BANK = "#1f6fb4", "#c0392b", "#6b4f2a", "#4d4d4d"
STANDING = "#7f8c8d66"  # what stands in a section: the water behind it is seen
STATES = {"saved": "#27ae60", "demolished": "#7f8c8d", "added": "#8e44ad"}
FONT = "NotoSansSC-Regular.ttf"
# levels between which a structure is drawn
SPANS = {
    "bridge": ("low_chord_m", "deck_m"), "culvert": ("invert_up_m", "rise_m"),
    "weir": (None, "crest_m"), "drop": (None, "crest_m"), "gate": ("sill_m", "crest_m"),
}  # fmt: skip
WORDS = {
    "zh": {
        "bed_m": "河底", "before": "原水面线", "level_m": "水面线", "energy_m": "能量线",
        "left": "左岸顶", "right": "右岸顶", "risk": "低于设计洪水位的房屋",
        "other": "其他房屋", "ground": "地面", "blocked": "阻水房屋", "y": "高程 (m)",
        "offset": "起点距 (m,左岸为负)", "chainage": "桩号", "width": "右岸 ← 红线宽度 (m) → 左岸",
        "before_line": "原红线", "after_line": "调整后红线", "searched_line": "寻优所得(未减转折)",
        "saved": "避免拆除", "near": "未压占但净距不足",
        "demolished": "仍需拆除", "added": "新增拆除",
    },
    "en": {
        "bed_m": "bed", "before": "level before", "level_m": "level", "energy_m": "energy line",
        "left": "top of left bank", "right": "top of right bank",
        "risk": "buildings below the flood", "other": "other buildings", "ground": "ground",
        "blocked": "blocked by buildings", "y": "elevation (m)",
        "offset": "offset (m, negative to the left)", "chainage": "chainage",
        "width": "right bank - width (m) - left bank", "before_line": "line before",
        "searched_line": "as searched (all bends)",
        "after_line": "line after", "saved": "saved", "near": "clear, but nearer than asked",
        "demolished": "demolished", "added": "added",
    },
}  # fmt: skip


class DrawnFigure(Figure):
    """A figure that a notebook shows by itself, without pyplot and its global state."""

    def _repr_png_(self) -> bytes:
        picture = BytesIO()
        self.savefig(picture, format="png", dpi=100)
        return picture.getvalue()


@takes(before="profile", tops="profile", buildings="affected")
def plot_long_section(
    profile: pd.DataFrame,
    river: str,
    *,
    before: pd.DataFrame | None = None,
    tops: pd.DataFrame | None = None,
    buildings: pd.DataFrame | None = None,
    structures: pd.DataFrame | None = None,
    structure_parts: pd.DataFrame | None = None,
    junctions: pd.DataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    title: str = "",
    lang: Lang = "zh",
) -> Figure:
    """Long section of a river: bed, levels, energy line, banks, buildings 纵断面图.

    Parameters
    ----------
    profile
        Of `water_profile`, one flood and scheme.
    river
        Which river.
    before
        Profile of the river as it was.
    tops
        Result of `freeboard`: the tops of both banks.
    buildings
        Buildings with river, chainage_m, ground_m and flood_level_m (`flood_levels` joined to
        `affected`): those whose ground lies below the flood are marked.
    structures, structure_parts
        Bridges, culverts, weirs as in `water_profile`, drawn at their levels; a dotted line where
        the tables say none.
    junctions
        Where rivers meet or part as in `water_profile`: a line at the end of this river that lies
        at one, with its name and the other rivers there.
    rivers
        Centrelines; needed where they have chainage equations (断链): drawn by the way along the
        river, labelled by chainage.
    title
        Above the drawing.
    lang
        Language of the labels.

    Returns
    -------
    matplotlib.figure.Figure
        Shown by a notebook; ``figure.savefig("纵断面.png")`` writes it.

    Raises
    ------
    LayerError
        The profile has no such river, or several floods.

    Notes
    -----
    Needs matplotlib; Chinese letters come with zhplot (extra ``notebook``).

    Examples
    --------
    >>> bed = pd.DataFrame({"river": "示例河", "chainage_m": [0.0, 500.0, 1000.0],
    ...     "bed_level_m": [1.0, 0.5, 0.0], "left_m": 10.0, "right_m": 10.0,
    ...     "bank_level_m": [6.0, 5.5, 5.0], "n": 0.03})
    >>> profile = pg.water_profile(pg.design_sections(bed), 50.0, {"slope": 0.001})
    >>> figure = pg.plot_long_section(profile, "示例河")
    >>> figure.axes[0].get_ylabel()
    '高程 (m)'
    """
    words = WORDS[lang]
    require_columns(profile, ("bed_m", "level_m"), "profile")
    scale = None if rivers is None else river_scales(rivers).get(river)
    rows = _rows_of_river(profile, river, "profile", scale)
    figure, axes, font = _figure_axes_and_font(11, 4.6)
    at = rows["along"].to_numpy()
    axes.fill_between(at, rows["bed_m"], rows["level_m"], color=WATER, alpha=0.12, linewidth=0)
    axes.plot(at, rows["bed_m"], color=BED, linewidth=1.6, label=words["bed_m"])
    if before is not None:
        was = _rows_of_river(before, river, "before", scale)
        axes.plot(
            was["along"], was["level_m"], color=WATER, linewidth=1, linestyle="--",
            label=words["before"],
        )  # fmt: skip
    axes.plot(at, rows["level_m"], color=WATER, linewidth=1.6, label=words["level_m"])
    axes.plot(at, rows["energy_m"], color=ENERGY, linewidth=0.9, label=words["energy_m"])
    if tops is not None:
        banks = _rows_of_river(tops, river, "tops", scale)
        for side, style in (("left", "-"), ("right", ":")):
            axes.plot(
                banks["along"], banks[f"{side}_top_m"], color=BANK, linewidth=0.9,
                linestyle=style, label=words[side],
            )  # fmt: skip
    if buildings is not None:
        _mark_buildings(axes, buildings, river, words, rivers)
    if structures is not None:
        _mark_structures(axes, structures, structure_parts, river, lang, scale)
    if junctions is not None:
        own = profile.loc[profile["river"] == river, "chainage_m"]  # upstream first
        ends = _metres_along_river(own.iloc[[0, -1]], scale)
        _mark_junctions(axes, junctions, river, dict(zip(("out", "in"), ends, strict=True)), font)
    axes.xaxis.set_major_formatter(chainage_label(scale))
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.12 * (high - low))  # room for the legend
    _finish_axes(axes, font, title or river, words["chainage"], words["y"])
    return figure


def chainage_label(scale: ChainageScale | None = None) -> Callable[[float, Any], str]:
    """Labels of an axis that runs along a river."""

    def label_of(value: float, _: Any) -> str:
        chainage = value if scale is None else float(scale.said(value))
        return format_chainage(chainage, decimals=0)

    return label_of


def _mark_structures(
    axes: Any, structures: pd.DataFrame, parts: pd.DataFrame | None, river: str, lang: Lang,
    scale: ChainageScale | None,
) -> None:  # fmt: skip
    """What stands in the river: decks, barrels and crests at their levels."""
    require_columns(structures, ("river", "chainage_m", "kind"), "structures")
    told: set[str] = set()
    for word in structures["kind"]:
        one_of(word, SPANS, "structures: kind")
    mine = structures[structures["river"] == river]
    at = _metres_along_river(mine["chainage_m"], scale)
    floor = axes.get_ylim()[0]
    by_id = {} if parts is None else dict(list(parts.groupby("structure_id")))
    for name, one, x in zip(mine.index, mine.to_dict("records"), at.tolist(), strict=True):
        own = by_id.get(one.get("structure_id", name))
        low, high = (_level_of(one, own, c) for c in SPANS[str(one["kind"])])
        if one["kind"] == "culvert":
            high = low + high
        if np.isnan(low) and np.isnan(high):
            axes.axvline(x, color=BANK, linestyle=":", linewidth=0.8, zorder=0)
            continue
        low = floor if np.isnan(low) else low
        high = low + 0.3 if np.isnan(high) else high
        word = code_label("kind", one["kind"], lang=lang)
        wide = float(one.get("width_m") or 0.0)
        wide = max(0.0 if np.isnan(wide) else wide, 0.004 * float(np.ptp(axes.get_xlim())))
        axes.fill_between(
            [x - wide / 2, x + wide / 2], low, high,
            color=BANK, alpha=0.75, linewidth=0, label=None if word in told else word,
        )  # fmt: skip
        told.add(word)


def _mark_junctions(
    axes: Any, junctions: pd.DataFrame, river: str, ends: Mapping[str, float], font: FontProperties
) -> None:
    """Junctions at the ends of a river, each with the other rivers there."""
    require_columns(junctions, ("junction", "river", "role"), "junctions")
    for name, role in junctions.loc[junctions["river"] == river, ["junction", "role"]].to_numpy():
        one_of(role, ("in", "out"), "junctions: role")
        x = float(ends[role])
        others = junctions.loc[junctions["junction"] == name, "river"]
        said = f"{name}: {'、'.join(str(o) for o in others if o != river)}"
        axes.axvline(x, color=JUNCTION_COLOUR, linestyle="-.", linewidth=1.0, zorder=0)
        axes.annotate(
            figure_text(said), (x, 0.5), (-3 if role == "in" else 3, 0),
            xycoords=("data", "axes fraction"), textcoords="offset points", rotation=90,
            va="center", ha="right" if role == "in" else "left", fontsize=8, color=JUNCTION_COLOUR,
            fontproperties=font,
        )  # fmt: skip


# of the points of a part: the highest soffit and road, the lowest invert, crest and sill
OF_PARTS = {"low_chord_m": "max", "deck_m": "max", "rise_m": "max", "invert_up_m": "min",
            "crest_m": "min", "sill_m": "min"}  # fmt: skip


def _level_of(one: Mapping[Any, Any], parts: pd.DataFrame | None, column: str | None) -> float:
    """A level that a structure's row says, or its parts; NaN where neither does."""
    if column is None:
        return float("nan")
    if pd.notna(one.get(column)):
        return float(one[column])
    known = parts is not None and column in parts.columns
    return float(parts[column].agg(OF_PARTS[column])) if known and parts is not None else np.nan


def _mark_buildings(
    axes: Any,
    buildings: pd.DataFrame,
    river: str,
    words: dict[str, str],
    rivers: gpd.GeoDataFrame | None,
) -> None:
    require_columns(buildings, ("river", "chainage_m", "ground_m", "flood_level_m"), "buildings")
    heights = {c: numbers(buildings, c, "buildings") for c in ("ground_m", "flood_level_m")}
    mine = buildings.assign(**heights)
    mine = mine[(mine["river"] == river) & mine["ground_m"].notna()]
    mine = mine.assign(along=along_rivers(mine, ["chainage_m"], rivers, "buildings")[:, 0])
    low = mine["ground_m"] < mine["flood_level_m"]
    for part, colour, name in ((mine[~low], "#9a9a9a", "other"), (mine[low], ENERGY, "risk")):
        if len(part):
            axes.plot(
                part["along"], part["ground_m"], linestyle="none", marker="s", markersize=3.5,
                color=colour, label=f"{words[name]} {len(part)}",
            )  # fmt: skip


def _is_same_line(one: pd.DataFrame, other: pd.DataFrame, river: str) -> bool:
    """Whether two width tables are one on a river."""
    columns = ["chainage_m", "left_m", "right_m"]
    first, second = (t.loc[t["river"] == river, columns].to_numpy(float) for t in (one, other))
    return np.array_equal(first, second)


def _rows_of_widths(widths: Widths, rivers: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Widths as a table, constant ones from end to end of each river."""
    if isinstance(widths, pd.DataFrame):
        return widths
    if rivers is None:
        raise LayerError(
            f"widths of {widths!r} all along need the rivers that they are of", layer="rivers",
            hint="rivers=rivers",
        )  # fmt: skip
    return width_rows(widths, lay_out(rivers))


@takes(before="widths", after="widths", searched="widths", buildings="affected")
def plot_widths(
    before: Widths,
    after: Widths,
    river: str,
    *,
    buildings: pd.DataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    searched: pd.DataFrame | None = None,
    lang: Lang = "zh",
) -> Figure:
    """Red line along a river before and after, and the buildings it saves 红线宽度沿程图.

    Parameters
    ----------
    before, after
        Width tables: river, chainage_m, left_m, right_m; or, with ``rivers``, constant widths as
        `red_line` takes them.
    river
        Which river.
    buildings
        Result of `least_demolition` (its ``buildings``): saved and demolished ones are drawn beside
        their bank.
    rivers
        Centrelines, as in `plot_long_section`.
    searched
        Width table of the line as searched, before bends were taken out (a search's ``searched``):
        drawn thin below ``after`` where it differs.
    lang
        Language of the labels.

    Returns
    -------
    matplotlib.figure.Figure
        Left bank above, right bank below the centreline.

    Raises
    ------
    LayerError
        A table has no such river; constant widths without ``rivers``.

    Examples
    --------
    >>> widths = pd.DataFrame({"river": "示例河", "chainage_m": [0.0, 100.0], "left_m": 9.0,
    ...     "right_m": 9.0})
    >>> figure = pg.plot_widths(widths, widths.assign(left_m=7.0), "示例河")
    >>> len(figure.axes)
    1
    """
    words = WORDS[lang]
    scale = None if rivers is None else river_scales(rivers).get(river)
    figure, axes, font = _figure_axes_and_font(11, 4.2)
    axes.axhline(0, color=WATER, linewidth=1.0)
    old, new = (_rows_of_widths(one, rivers) for one in (before, after))
    styles = [(old, "before_line", "--", 0.9, ENERGY), (new, "after_line", "-", 1.5, ENERGY)]
    if searched is not None and not _is_same_line(searched, new, river):
        styles.insert(1, (searched, "searched_line", "-", 0.9, BED))
    for table, name, dash, wide, colour in styles:
        rows = _rows_of_river(table, river, "widths", scale)
        for column, sign in (("left_m", 1), ("right_m", -1)):
            axes.plot(
                rows["along"], sign * rows[column], color=colour, linewidth=wide,
                linestyle=dash, label=words[name] if sign > 0 else None,
            )  # fmt: skip
    if buildings is not None:
        edge = 1.15 * max(axes.get_ylim()[1], -axes.get_ylim()[0])
        require_columns(buildings, ("river", "bank", "from_m", "to_m", "state"), "buildings")
        mine = buildings[buildings["river"] == river]
        low, high = river_ends(mine, rivers, "buildings")[0].T
        mine = mine.assign(low=low, high=high)
        for state, colour in (
            ("saved", "#27ae60"),
            ("near", "#f39c12"),
            ("demolished", "#7f8c8d"),
            ("added", "#8e44ad"),
        ):
            part = mine[mine["state"] == state]
            side = part["bank"].map({"left": 1, "right": -1}).fillna(1).to_numpy() * edge
            if len(part):
                axes.hlines(
                    side, part["low"], part["high"], color=colour, linewidth=5, alpha=0.7,
                    label=f"{words[state]} {len(part)}",
                )  # fmt: skip
        axes.set_ylim(-1.1 * edge, 1.45 * edge)  # room for the legend
    axes.xaxis.set_major_formatter(chainage_label(scale))
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    _finish_axes(axes, font, river, words["chainage"], words["width"])
    return figure


@takes()
def plot_section(
    sections: pd.DataFrame,
    river: str,
    chainage_m: float,
    *,
    levels: dict[str, float] | None = None,
    obstacles: pd.DataFrame | None = None,
    structures: pd.DataFrame | None = None,
    structure_parts: pd.DataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    repeated: str | None = None,
    lang: Lang = "zh",
) -> Figure:
    """One cross-section with levels and what blocks it 横断面图.

    Parameters
    ----------
    sections
        Points of sections.
    river, chainage_m
        Which section [m].
    levels
        Levels to be drawn [m], by name: ``{"设计洪水位": 45.2}``.
    obstacles
        Of `building_obstacles`.
    structures, structure_parts
        Bridges, culverts, weirs, gates as in `water_profile`: those between this section and its
        neighbours are drawn in it.
    rivers
        Centrelines; needed where an equation (断链) makes chainages occur twice.
    repeated
        Which of two sections of one chainage: ``"above"`` or ``"below"`` the equation.
    lang
        Language of the labels.

    Returns
    -------
    matplotlib.figure.Figure
        Seen facing downstream, the left bank on the left.

    Raises
    ------
    HydraulicsError, LayerError
        There is no such section, or there are several.

    Examples
    --------
    >>> box = pd.DataFrame({"river": "示例河", "chainage_m": 0.0, "offset_m": [-5, -5, 5, 5],
    ...     "elevation_m": [4, 0, 0, 4], "n": 0.025})
    >>> figure = pg.plot_section(box, "示例河", 0.0, levels={"设计洪水位": 2.0})
    >>> figure.axes[0].get_title()
    '示例河 K0+000.0'
    """
    words = WORDS[lang]
    rows = _rows_of_river(sections, river, "sections")
    rows = _rows_of_section(rows, river, chainage_m, rivers, repeated)
    x, z = rows["offset_m"].to_numpy(float), rows["elevation_m"].to_numpy(float)
    figure, axes, font = _figure_axes_and_font(9, 3.8)
    high = max(levels.values(), default=z.max()) if levels else float(z.max())
    for name, level in (levels or {}).items():
        axes.fill_between(
            x, z, level, where=z < level, interpolate=True, color=WATER, alpha=0.15, linewidth=0
        )
        axes.axhline(level, color=WATER, linewidth=1.2, label=figure_text(f"{name} {level:.2f} m"))
    if obstacles is not None:
        here = obstacles[
            (obstacles["river"] == river)
            & np.isclose(obstacles["chainage_m"], chainage_m, atol=5e-4)
        ]
        if repeated is not None and "repeated" in here.columns:
            here = here[here["repeated"].isna() | (here["repeated"] == repeated)]
        below = [(x[0], z.min() - 1), *zip(x, z, strict=True), (x[-1], z.min() - 1)]
        ground = shapely.make_valid(shapely.Polygon(below))
        top = max(high, float(z.max())) + 1.0
        for k, one in enumerate(here.to_dict("records")):
            block = shapely.box(one["from_offset_m"], z.min() - 1, one["to_offset_m"], top)
            for part in shapely.get_parts(shapely.difference(block, ground)):
                axes.fill(
                    *part.exterior.xy, color=ENERGY, alpha=0.35, linewidth=0,
                    label=words["blocked"] if k == 0 else None,
                )  # fmt: skip
    if structures is not None:
        parts_by_kind(structure_parts, structures)  # refuses parts of structures that aren't there
        beside = _structures_beside(structures, sections, river, rows, rivers)
        for word, shapes in structures_in_section(beside, structure_parts, x, z, lang):
            for k, (at, high) in enumerate(shapes):
                axes.fill(at, high, facecolor=STANDING, edgecolor=BANK, linewidth=1.2,
                          label=figure_text(word) if k == 0 else None)  # fmt: skip
    axes.plot(x, z, color=BED, linewidth=1.6, label=words["ground"])
    _finish_axes(axes, font, f"{river} {format_chainage(chainage_m)}", words["offset"], words["y"])
    return figure


def _structures_beside(
    structures: pd.DataFrame,
    sections: pd.DataFrame,
    river: str,
    rows: pd.DataFrame,
    rivers: gpd.GeoDataFrame | None,
) -> pd.DataFrame:
    """What stands between the section of these rows and the next one on either side."""
    require_columns(structures, ("river", "chainage_m", "kind"), "structures")
    for word in structures["kind"]:
        one_of(word, SPANS, "structures: kind")
    mine = structures[structures["river"] == river]
    where = along_rivers(mine, ["chainage_m"], rivers, "structures")[:, 0]
    points = sections[sections["river"] == river]
    at = points["chainage_m"].to_numpy(float)
    if rivers is not None and (scale := river_scales(rivers)[river]).equations:
        number, stations = sections_apart(points, rivers, "sections")
        at = scale.along(stations["measure"].to_numpy(float))[number]
    own = at[points.index.get_loc(rows.index[0])]
    low = at[at < own - 5e-4].max(initial=-np.inf)
    high = at[at > own + 5e-4].min(initial=np.inf)
    beside: pd.DataFrame = mine[(where > low) & (where < high)]
    return beside


def _rows_of_section(
    rows: pd.DataFrame,
    river: str,
    chainage_m: float,
    rivers: gpd.GeoDataFrame | None,
    repeated: str | None,
) -> pd.DataFrame:
    """Points of the one section that is meant."""
    here = np.isclose(rows["chainage_m"], chainage_m, atol=5e-4)
    if not here.any():
        near = rows["chainage_m"].iloc[int(np.argmin(np.abs(rows["chainage_m"] - chainage_m)))]
        raise LayerError(
            f"has no section at {format_chainage(chainage_m)} of {river}",
            layer="sections",
            hint=f"the nearest is at {format_chainage(float(near))}",
        )
    if rivers is None:  # nothing but the points of this one has to be sound
        rows, here = rows[here], here[here]
    number, stations = sections_apart(rows, rivers, "sections")
    meant = np.unique(number[here])
    if repeated is not None:
        one_of(repeated, REPEATED, "repeated")
        meant = meant[(stations["repeated"] == repeated).to_numpy()[meant]]
    if len(meant) != 1:
        raise LayerError(
            "speaks of a chainage that several sections have"
            if len(meant)
            else "speaks of places where there is no section",
            layer="sections",
            ids=[f"{river} {format_chainage(chainage_m)}"],
            hint='repeated="above"  # or "below" the equation, with rivers=rivers',
        )
    one: pd.DataFrame = rows[number == meant[0]]
    return one


def _metres_along_river(chainage: pd.Series, scale: ChainageScale | None) -> Any:
    """Where chainages that are listed along a river lie along it."""
    said = chainage.to_numpy(float)
    if scale is None or not scale.equations or not len(said):
        return said
    return scale.along(scale.measure(said, twice="order", beyond=True))


def _rows_of_river(
    table: pd.DataFrame, river: str, layer: str, scale: ChainageScale | None = None
) -> pd.DataFrame:
    """Rows of one river, in one scheme and flood, in order along it."""
    require_columns(table, ("river", "chainage_m"), layer)
    rows = table[table["river"] == river]
    if rows.empty:
        known = [str(r) for r in table["river"].unique()]
        raise LayerError(f"has no river {river!r}", layer=layer, hint=nearest(river, known))
    for column in ("profile", "scheme"):
        if column in rows.columns and rows[column].nunique() > 1:
            raise LayerError(
                f"holds several values of {column} ({label(column, unit=False)})",
                layer=layer,
                hint=f'{layer} = {layer}[{layer}["{column}"] == {rows[column].iloc[0]!r}]',
            )
    if layer == "sections":
        return rows
    if scale is None:
        _refuse_chainages_apart(rows, river, layer)
    return rows.assign(
        along=_metres_along_river(numbers(rows, "chainage_m", layer), scale)
    ).sort_values("along", kind="stable")


def _refuse_chainages_apart(rows: pd.DataFrame, river: str, layer: str) -> None:
    """Refuse rows of one chainage that stand apart: two places, of which none says which it is.

    Two rows one below the other are a sudden change.
    """
    at = numbers(rows, "chainage_m", layer)
    runs = at[at != at.shift()]
    twice = runs[runs.duplicated() & runs.notna()]
    if len(twice):
        raise LayerError(
            "has rows of one chainage that stand apart",
            layer=layer,
            ids=[f"{river} {format_chainage(float(c))}" for c in twice.unique()],
            hint="rivers=rivers with its equations; rows of a sudden change stand together",
        )


def _figure_axes_and_font(wide: float, high: float) -> tuple[Figure, Any, Any]:
    """Figure that no global setting of matplotlib's is changed for, and a font for Chinese."""
    figure = DrawnFigure(figsize=(wide, high), layout="constrained")
    return figure, figure.add_subplot(), chinese_font()


def chinese_font() -> FontProperties:
    """The font that zhplot brings; matplotlib's own where it isn't there."""
    # only found, not imported: importing zhplot changes matplotlib's settings for everyone
    spec = find_spec("zhplot")
    if spec is None or spec.origin is None:
        return FontProperties()
    return FontProperties(fname=str(Path(spec.origin).parent / "fonts" / FONT))


def _finish_axes(axes: Any, font: Any, title: str, x: str, y: str) -> None:
    axes.set_title(figure_text(title), fontproperties=font, fontsize=13)
    axes.set_xlabel(x, fontproperties=font)
    axes.set_ylabel(y, fontproperties=font)
    axes.grid(alpha=0.25, linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(prop=font, frameon=False, ncols=4, loc="upper right")
    axes.margins(x=0.01)
