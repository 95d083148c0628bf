"""Which sheets hang on the wall? Maps at a stated scale along each river (挂图作战)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from pinghu_geo.campaign.stages import TODO, stage_rules
from pinghu_geo.deliver.chainages import write_sheets_of_plots
from pinghu_geo.deliver.mapdata import house_classes
from pinghu_geo.deliver.plots import chinese_font
from pinghu_geo.deliver.standing import STRUCTURE_COLOUR, STRUCTURE_FILL, structures_on_plan
from pinghu_geo.deliver.styles import MAP_LOOKS, letters
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import require_suffix
from pinghu_geo.nouns.inert import figure_text, visible_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang, code_label, one_of, require_columns, require_layer
from pinghu_geo.nouns.tables import crs_of
from pinghu_geo.river.centreline import stations
from pinghu_geo.river.chainage import format_chainage

__all__ = ["wall_maps"]

# Paper in landscape [mm]; margin, column of key map, legend and title block, overlap of sheets,
# what stays free beside the red line [mm on paper].
PAPERS = {"A3": (420, 297), "A2": (594, 420), "A1": (841, 594), "A0": (1189, 841)}
# How much larger than on A3 the column and its letters are on paper looked at from farther away.
GROWN = {"A3": 1.0, "A2": 1.25, "A1": 1.5, "A0": 2.0}
MARGIN, COLUMN, OVERLAP, BESIDE, MM = 8.0, 62.0, 20.0, 12.0, 1 / 25.4
SCALES = (500, 2000)
# Chinese coordinate systems in the words of EPSG, and their datums in those of surveyors.
GAUSS_KRUGER = re.compile(
    r"(?P<datum>CGCS2000|Xian 1980|Beijing 1954) / (?P<strips>3-degree )?Gauss-Kruger "
    r"(?:CM (?P<cm>\d+)E|zone (?P<zone>\d+))"
)
DATUM_NAMES = {"CGCS2000": "CGCS2000", "Xian 1980": "1980西安坐标系",
               "Beijing 1954": "1954年北京坐标系"}  # fmt: skip
TITLE_WIDE = 28  # Latin letters in a line of the title block
STEP_M = 10.0
LINE, WATER, NEIGHBOUR = "#d00000", "#2e86c1", "#e4e4df"
# Letters on paper [pt], and their width and height [mm]: Latin ones and Chinese ones.
LABEL_PT, LATIN_MM, HAN_MM, LINE_MM = 5.0, 1.05, 1.8, 2.1
# Where a label is tried beside its house, in sizes of the label; first within it.
PLACES = ((0, 0), (0, 1), (0, -1), (0.8, 0.7), (-0.8, 0.7), (0.8, -0.7), (-0.8, -0.7), (1.1, 0),
          (-1.1, 0), (0, 2), (0, -2), (1.1, 1.6), (-1.1, 1.6), (1.1, -1.6),
          (-1.1, -1.6))  # fmt: skip


class _PaperSize(NamedTuple):
    """Paper in landscape [mm], and how much larger than on A3 its column is."""

    wide: float
    high: float
    grown: float


@dataclass(frozen=True, slots=True)
class _MapSheet:
    """One sheet: its river, from where to where along it, its middle and its turn."""

    river: str
    from_m: float
    to_m: float
    middle: tuple[float, float]
    turn: float  # of the ground, so that the river runs to the right [rad]

    def laid(self, xy: Any) -> Any:
        """Coordinates of the ground as metres on the sheet, from its middle."""
        moved = np.asarray(xy, float) - self.middle
        c, s = np.cos(self.turn), np.sin(self.turn)
        return np.column_stack([moved[:, 0] * c - moved[:, 1] * s,
                                moved[:, 0] * s + moved[:, 1] * c])  # fmt: skip

    def ground(self, wide: float, high: float) -> Any:
        """The part of the ground that the sheet shows."""
        corners = np.array([(-wide, -high), (wide, -high), (wide, high), (-wide, high)]) / 2
        c, s = np.cos(-self.turn), np.sin(-self.turn)
        back = np.column_stack([corners[:, 0] * c - corners[:, 1] * s,
                                corners[:, 0] * s + corners[:, 1] * c])  # fmt: skip
        return shapely.polygons(back + self.middle)


@takes()
def wall_maps(
    affected: gpd.GeoDataFrame,
    red_line: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    target: str | Path,
    *,
    buildings: gpd.GeoDataFrame | None = None,
    stages: pd.DataFrame | None = None,
    structures: pd.DataFrame | None = None,
    scale: int = 1000,
    paper: str = "A3",
    project: str = "",
    number: str = "",
    date: str = "",
    lang: Lang = "zh",
) -> Path:
    """Write wall maps along each river as sheets of one PDF of vectors 挂图.

    Parameters
    ----------
    affected
        Affected buildings with river; stage and task_class of a campaign, where they are known.
    red_line
        The adopted line.
    rivers
        Centrelines drawn downstream, indexed by river.
    target
        ``.pdf``; an existing file is replaced, whole or not at all.
    buildings
        All buildings: neighbours are drawn in grey.
    stages
        Result of `stage_rules`.
    structures
        Bridges, culverts, weirs, gates as in `water_profile`: drawn across their rivers.
    scale
        Of the map on paper, 500 to 2000.
    paper
        ``"A3"`` to ``"A0"``, in landscape.
    project, number, date
        Stand in the title block; what isn't given is left to be written.
    lang
        Language of the words.

    Returns
    -------
    pathlib.Path
        What was written.

    Raises
    ------
    LayerError, OutputError
        A layer, scale or paper can't be used; the target is no .pdf.

    Notes
    -----
    Each sheet is turned so that its stretch runs to the right, downstream; neighbours overlap by
    20 mm. The arrow shows where grid north is, the grid is that of the coordinates. A label says
    number, floors, area inside and letter of the stage; labels never lie on one another: one that
    finds no room is cut to the number, and where that has none, too, it is counted below the map.
    Needs matplotlib.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers").iloc[:1]
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings").head(200)
    >>> line = pg.red_line(rivers, 9.0)
    >>> hit = pg.affected(buildings, line, rivers)
    >>> pg.wall_maps(hit, line, rivers, folder / "挂图.pdf", scale=2000, paper="A0").name
    '挂图.pdf'
    """
    path = Path(target)
    require_suffix(path, ".pdf")
    one_of(paper, PAPERS, "paper")
    if not SCALES[0] <= scale <= SCALES[1]:
        raise LayerError(f"scale is {scale}", hint="scale=1000 (500 to 2000)")
    require_layer(rivers, "rivers")
    require_layer(red_line, "red_line", crs=rivers.crs)
    require_layer(affected, "affected", crs=rivers.crs, valid=False)
    if buildings is not None:
        require_layer(buildings, "buildings", crs=rivers.crs, valid=False)
    require_columns(affected, ["river"], "affected")
    stages = stage_rules() if stages is None else stages
    size = _PaperSize(*PAPERS[paper], GROWN[paper])
    frame = (size.wide - 2 * MARGIN - COLUMN * size.grown, size.high - 2 * MARGIN)
    ground = (frame[0] * scale / 1000, frame[1] * scale / 1000)
    sheets = [
        s
        for river in rivers.index
        for s in _sheets_along_river(river, rivers, red_line, ground, scale)
    ]
    looks = _looks_of_houses(affected, stages, lang)
    words = {"project": project, "number": number, "date": date, "scale": f"1:{scale}",
             "crs": _crs_in_words(crs_of(rivers).name, lang)}  # fmt: skip
    standing = None
    if structures is not None and len(structures):
        standing = structures_on_plan(structures, rivers, lang)
    drawn = _draw_sheets(
        sheets,
        (affected, red_line, rivers, buildings, standing),
        looks,
        (size, frame, ground),
        words,
        scale,
        lang,
    )
    write_sheets_of_plots(drawn, path)
    return path


def _sheets_along_river(
    river: str, rivers: gpd.GeoDataFrame, red_line: gpd.GeoDataFrame, ground: Any, scale: int
) -> Iterator[_MapSheet]:
    """Stretches of a river, each as long as a sheet holds with the red line beside it."""
    line = cast("shapely.LineString", rivers.geometry.loc[river])
    mine = red_line[red_line["river"] == river] if "river" in red_line else red_line
    edge = shapely.get_coordinates(mine.geometry.to_numpy())
    corners = np.asarray(shapely.points(edge))
    along = shapely.line_locate_point(line, corners) if len(edge) else np.empty(0)
    room = np.array(ground) - 2 * BESIDE * scale / 1000
    overlap, start = OVERLAP * scale / 1000, 0.0
    while True:
        end, best = min(start + 2 * STEP_M, line.length), None
        for stop in np.append(np.arange(end, line.length, STEP_M), line.length):
            one, span = _sheet_and_room_needed(river, line, start, float(stop), edge, along)
            if best is not None and (span > room).any():
                break
            best, end = one, float(stop)
        if best is not None:
            yield best
        if end >= line.length - 1e-6:
            return
        start = max(end - overlap, start + STEP_M)


def _sheet_and_room_needed(
    river: str, line: Any, start: float, stop: float, edge: Any, along: Any
) -> tuple[_MapSheet, Any]:
    """A sheet of a stretch, and how much room it needs."""
    measures = np.append(np.arange(start, stop, STEP_M), stop)
    points = shapely.get_coordinates(shapely.line_interpolate_point(line, measures))
    chord = points[-1] - points[0]
    turn = -float(np.arctan2(chord[1], chord[0]))
    near = np.concatenate([points, edge[(along >= start) & (along <= stop)]])
    flat = _MapSheet(river, start, stop, (0.0, 0.0), turn).laid(near)
    low, high = flat.min(axis=0), flat.max(axis=0)
    c, s = np.cos(-turn), np.sin(-turn)
    x, y = (low + high) / 2
    return _MapSheet(river, start, stop, (x * c - y * s, x * s + y * c), turn), high - low


def _looks_of_houses(affected: gpd.GeoDataFrame, stages: pd.DataFrame, lang: Lang) -> pd.DataFrame:
    """Class, word and letter of each house, as on the command map."""
    kinds, words = house_classes(affected, lang)
    stage = affected.get("stage", pd.Series(TODO, affected.index)).fillna(TODO).astype(str)
    shown = {TODO: TODO} | {str(k): str(v) for k, v in stages["shown_as"].items()}
    kinds = kinds.where(kinds != "task", stage.map(shown).fillna(TODO))
    signs = letters(stages, lang=lang)
    letter = stage.map(signs).where(kinds.isin(set(shown.values())), "")
    said = [words.get(k) or code_label("status", k, lang=lang) for k in kinds]
    return pd.DataFrame({"kind": kinds, "word": said, "letter": letter.fillna("")}, affected.index)


def _draw_sheets(
    sheets: Sequence[_MapSheet], layers: Any, looks: pd.DataFrame, sizes: Any,
    words: dict[str, str], scale: int, lang: Lang,
) -> Iterator[Figure]:  # fmt: skip
    """The figure of each sheet, one after the other."""
    affected, red_line, rivers, buildings, standing = layers
    size, frame, ground = sizes
    font = chinese_font()
    points = stations(rivers, spacing_m=scale / 20)
    if standing is not None:  # their names come first: a chainage gives way
        points = gpd.GeoDataFrame(
            {"label": [*standing["label"], *points["label"]],
             "river": [*[None] * len(standing), *points["river"]]},
            geometry=[*standing["point"], *points.geometry], crs=rivers.crs,
        )  # fmt: skip
    others = None if buildings is None else buildings[~buildings.index.isin(affected.index)]
    places = [s.ground(*ground) for s in sheets]
    for k, sheet in enumerate(sheets):
        figure = Figure(figsize=(size[0] * MM, size[1] * MM))
        axes = _axes_on_paper(figure, (MARGIN, MARGIN, *frame), size)
        axes.set(xlim=(-ground[0] / 2, ground[0] / 2), ylim=(-ground[1] / 2, ground[1] / 2))
        if others is not None:
            near = others.geometry.to_numpy()[np.sort(others.sindex.query(places[k]))]
            _draw_polygons(axes, sheet, near, NEIGHBOUR, "#9a9a92", "", 0.3)
        _draw_grid(axes, sheet, ground, scale, font)
        _draw_lines(axes, sheet, rivers.geometry.to_numpy(), places[k], WATER, 0.8)
        _draw_lines(
            axes, sheet, shapely.boundary(red_line.geometry.to_numpy()), places[k], LINE, 1.0
        )
        if standing is not None:
            here = standing.geometry.to_numpy()[np.sort(standing.sindex.query(places[k]))]
            _draw_polygons(axes, sheet, here, STRUCTURE_FILL, STRUCTURE_COLOUR, "", 0.8)
        mine = affected.iloc[np.sort(affected.sindex.query(places[k], predicate="intersects"))]
        seen = looks.loc[mine.index]
        for kind, rows in seen.groupby("kind", sort=False):
            look = MAP_LOOKS[str(kind)]
            _draw_polygons(
                axes,
                sheet,
                mine.geometry.loc[rows.index].to_numpy(),
                look.fill,
                "#222222",
                look.hatch,
                0.6,
                look.ink,
            )
        near = points[points.within(places[k])]
        taken = _draw_chainages(axes, sheet, _named_elsewhere(near, sheet.river), scale, font)
        lost = _draw_house_labels(axes, sheet, mine, seen, taken, ground, scale, font, lang)
        _draw_key_map(figure, size, places, k, rivers, font, lang)
        crossed = standing is not None and bool(standing.intersects(places[k]).any())
        _draw_legend(figure, size, seen, font, lost, lang, crossed=crossed)
        _draw_north_and_scale(figure, size, sheet, scale, font, lang)
        _draw_title_block(figure, size, sheet, k, len(sheets), words, rivers, font, lang)
        yield figure


def _axes_on_paper(figure: Figure, box: tuple[float, ...], size: _PaperSize) -> Any:
    """Axes at a place on the paper [mm]."""
    x, y, wide, high = box
    axes = figure.add_axes((x / size[0], y / size[1], wide / size[0], high / size[1]))
    axes.set(xticks=[], yticks=[])
    return axes


def _box_in_right_column(
    size: _PaperSize, top: float, high: float
) -> tuple[float, float, float, float]:
    """A place in the right column, so far below its top [mm on A3, there larger]."""
    wide, top, high = ((COLUMN - 3) * size.grown, top * size.grown, high * size.grown)
    return (size.wide - MARGIN - wide, size.high - MARGIN - top - high, wide, high)


def _draw_polygons(
    axes: Any, sheet: _MapSheet, shapes: Any, fill: str, edge: str, hatch: str, wide: float,
    mark: str = "",
) -> None:  # fmt: skip
    parts = shapely.get_parts(shapes)
    rings = [sheet.laid(shapely.get_coordinates(r)) for r in shapely.get_exterior_ring(parts)]
    axes.add_collection(PolyCollection(rings, facecolors=fill, edgecolors=edge, linewidths=wide))
    if hatch:
        axes.add_collection(PolyCollection(rings, facecolors="none", edgecolors=mark, linewidths=0,
                                           hatch=hatch * 3))  # fmt: skip


def _draw_lines(
    axes: Any, sheet: _MapSheet, shapes: Any, place: Any, colour: str, wide: float
) -> None:
    parts = shapely.get_parts(shapely.get_parts(shapely.intersection(shapes, place)))
    lines = [sheet.laid(shapely.get_coordinates(p)) for p in parts if not p.is_empty]
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=wide))


def _draw_grid(axes: Any, sheet: _MapSheet, ground: Any, scale: int, font: Any) -> None:
    """Crosses of the coordinates' grid every 100 mm, with their numbers at the crosses."""
    step = scale / 10
    x0, y0, x1, y1 = sheet.ground(*ground).bounds
    xs, ys = np.arange(np.ceil(x0 / step), x1 / step), np.arange(np.ceil(y0 / step), y1 / step)
    for x in xs * step:
        for y in ys * step:
            at = sheet.laid([(x, y)])[0]
            if (np.abs(at) < np.array(ground) / 2 - scale * 0.012).all():
                axes.plot(*at, marker="+", markersize=7, color="#555555", markeredgewidth=0.5)
                axes.text(at[0] + scale * 0.001, at[1] + scale * 0.001, f"{x:.0f}\n{y:.0f}",
                          fontsize=4, color="#555555", fontproperties=font)  # fmt: skip


def _named_elsewhere(points: gpd.GeoDataFrame, river: str) -> gpd.GeoDataFrame:
    """The chainages of a sheet, its own river's first; those of others say whose they are."""
    other = points["river"].notna() & (points["river"] != river)
    named = points["river"].astype(str) + " " + points["label"]
    said = points.assign(label=points["label"].where(~other, named))
    return said.loc[other.sort_values(kind="stable").index]


def _draw_chainages(
    axes: Any, sheet: _MapSheet, points: gpd.GeoDataFrame, scale: int, font: Any
) -> list[tuple[float, float, float, float]]:
    """Chainages at the centreline; the boxes on paper that they take [mm]."""
    taken: list[tuple[float, float, float, float]] = []
    for text, xy in zip(points["label"], shapely.get_coordinates(points.geometry), strict=True):
        x, y = sheet.laid([xy])[0]
        box = _box_of_text(x * 1000 / scale, y * 1000 / scale + 2, str(text), 1)
        if _is_free(box, taken):
            axes.plot(x, y, marker="|", color=WATER, markersize=6)
            axes.text(x, y + 2 * scale / 1000, figure_text(text), fontproperties=font, ha="center",
                      va="center", fontsize=LABEL_PT + 1, color="#1a5276")  # fmt: skip
            taken.append(box)
    return taken


def _box_of_text(x: float, y: float, text: str, lines: int) -> tuple[float, float, float, float]:
    """What a text in the middle of a place takes on paper [mm]."""
    longest = max(text.split("\n"), key=len)
    wide = sum(HAN_MM if ord(c) > 0x2E80 else LATIN_MM for c in longest) + 0.6
    return x - wide / 2, y - lines * LINE_MM / 2, x + wide / 2, y + lines * LINE_MM / 2


def _is_free(box: Any, taken: Sequence[Any]) -> bool:
    a, b, c, d = box
    return not any(a < g and e < c and b < h and f < d for e, f, g, h in taken)


def _draw_house_labels(
    axes: Any, sheet: _MapSheet, mine: gpd.GeoDataFrame, looks: pd.DataFrame, taken: list[Any],
    ground: Any, scale: int, font: Any, lang: Lang,
) -> int:  # fmt: skip
    """Number, floors, area inside and letter at each house; how many found no room."""
    edge, lost = np.array(ground) * 500 / scale, 0
    for one, shape in zip(mine.index, mine.geometry.to_numpy(), strict=True):
        xy = shapely.get_coordinates(shape.representative_point())
        x, y = sheet.laid(xy)[0] * 1000 / scale
        if abs(x) > edge[0] - 4 or abs(y) > edge[1] - 3:
            continue  # on the neighbouring sheet
        floors, inside = mine.get("floors"), mine.get("inside_m2")
        facts = []
        if floors is not None and pd.notna(floors[one]):
            many = floors[one]  # a word stands as it was delivered
            known = isinstance(many, int | float | np.number)
            facts.append(say("{} fl.", lang, f"{many:g}" if known else visible_text(str(many))))
        if inside is not None and pd.notna(inside[one]):
            facts.append(f"{inside[one]:.1f}m²")
        number = visible_text(f"{one} {looks['letter'][one]}".strip())
        for text in (f"{number}\n{' '.join(facts)}" if facts else number, number):
            place = _place_label(x, y, text, taken, edge)
            if place is not None:
                break
        if place is None:
            lost += 1
            continue
        u, v = place[0] * scale / 1000, place[1] * scale / 1000
        if (place[0], place[1]) != (x, y):
            axes.plot([x * scale / 1000, u], [y * scale / 1000, v], color="#444444", linewidth=0.3)
        shown = "\n".join(map(figure_text, text.split("\n")))
        axes.text(u, v, shown, fontproperties=font, fontsize=LABEL_PT, ha="center",
                  va="center", linespacing=1.05,
                  bbox={"fc": "white", "ec": "none", "pad": 0.4, "alpha": 0.8})  # fmt: skip
    return lost


def _place_label(
    x: float, y: float, text: str, taken: list[Any], edge: Any
) -> tuple[float, float] | None:
    """A place for a label that is free and on the sheet; it is taken then."""
    lines = text.count("\n") + 1
    a, b, c, d = _box_of_text(0, 0, text, lines)
    for right, up in PLACES:
        u, v = x + right * (c - a), y + up * (d - b)
        box = (u + a, v + b, u + c, v + d)
        inside = -edge[0] < box[0] and box[2] < edge[0] and -edge[1] < box[1] and box[3] < edge[1]
        if inside and _is_free(box, taken):
            taken.append(box)
            return u, v
    return None


def _draw_key_map(
    figure: Figure, size: _PaperSize, places: Sequence[Any], k: int,
    rivers: gpd.GeoDataFrame, font: Any, lang: Lang,
) -> None:  # fmt: skip
    """Where this sheet lies among all."""
    axes = _axes_on_paper(figure, _box_in_right_column(size, 6, 70), size)
    axes.set_title(say("key map", lang), fontproperties=font, fontsize=9 * size.grown)
    axes.add_collection(LineCollection([shapely.get_coordinates(g) for g in rivers.geometry],
                                       colors=WATER, linewidths=0.6))  # fmt: skip
    rings = [shapely.get_coordinates(p) for p in places]
    axes.add_collection(PolyCollection(rings, facecolors="none", edgecolors="#888888",
                                       linewidths=0.3))  # fmt: skip
    axes.add_collection(PolyCollection([rings[k]], facecolors="#d00000", edgecolors="#d00000",
                                       linewidths=0.8, alpha=0.6))  # fmt: skip
    axes.set_aspect("equal", adjustable="datalim")
    axes.autoscale_view()


def _draw_legend(
    figure: Figure, size: _PaperSize, looks: pd.DataFrame, font: Any, lost: int, lang: Lang,
    *, crossed: bool,
) -> None:  # fmt: skip
    """What fills and hatches mean, and how many labels found no room."""
    keys = []
    for kind, rows in looks.groupby("kind", sort=False):
        look = MAP_LOOKS[str(kind)]
        word = f"{rows['word'].iloc[0]} {len(rows)}"
        keys.append(Patch(facecolor=look.fill, edgecolor=look.ink, hatch=look.hatch * 3,
                          label=word, linewidth=0.5))  # fmt: skip
    lines = ((LINE, say("red line {}", lang, "").strip()), (WATER, say("centrelines", lang)))
    keys += [Patch(facecolor="none", edgecolor=colour, label=word) for colour, word in lines]
    if crossed:
        keys.append(Patch(facecolor=STRUCTURE_FILL, edgecolor=STRUCTURE_COLOUR,
                          label=say("structures", lang)))  # fmt: skip
    axes = _axes_on_paper(figure, _box_in_right_column(size, 82, 70), size)
    axes.axis("off")
    letters = font.copy()
    letters.set_size(10 * size.grown)
    axes.legend(handles=keys, loc="upper left", prop=letters, frameon=False,
                title=say("legend", lang), title_fontproperties=letters)  # fmt: skip
    if lost:
        axes.text(0, 0, say("{} houses without room for a label", lang, lost), fontproperties=font,
                  fontsize=7 * size.grown)  # fmt: skip


def _draw_north_and_scale(
    figure: Figure, size: _PaperSize, sheet: _MapSheet, scale: int, font: Any, lang: Lang
) -> None:
    """Arrow to grid north as the sheet is turned, and a bar of a round length."""
    axes = _axes_on_paper(figure, _box_in_right_column(size, 154, 28), size)
    axes.axis("off")
    axes.set(xlim=(0, COLUMN - 3), ylim=(0, 28))
    x, y = 10 * np.cos(np.pi / 2 + sheet.turn), 10 * np.sin(np.pi / 2 + sheet.turn)
    axes.annotate("", (12 + x, 14 + y), (12 - x, 14 - y),
                  arrowprops={"arrowstyle": "-|>", "lw": 1.4, "color": "#111111"})  # fmt: skip
    axes.text(12 + 1.3 * x, 14 + 1.3 * y, say("N", lang), fontproperties=font, ha="center",
              va="center", fontsize=9 * size.grown)  # fmt: skip
    for j in range(4):  # a bar of 20 mm, on larger paper of more, in four parts
        axes.add_patch(Rectangle((28 + 5 * j, 10), 5, 1.6, ec="#111111",
                                 fc="#111111" if j % 2 == 0 else "white", lw=0.5))  # fmt: skip
    axes.text(28, 13, "0", fontsize=7 * size.grown, ha="center")
    far = f"{scale * 0.02 * size.grown:g} m"
    axes.text(48, 13, far, fontsize=7 * size.grown, ha="center")
    axes.text(38, 5, f"1:{scale}", fontsize=9 * size.grown, ha="center")


def _box_of_title_block(size: _PaperSize) -> tuple[float, float, float, float]:
    """The foot of the right column."""
    wide, high = (COLUMN - 3) * size.grown, 66 * size.grown
    return (size.wide - MARGIN - wide, MARGIN, wide, high)


def _draw_title_block(
    figure: Figure, size: _PaperSize, sheet: _MapSheet, k: int, n: int, words: dict[str, str],
    rivers: gpd.GeoDataFrame, font: Any, lang: Lang,
) -> None:  # fmt: skip
    """The title block."""
    axes = _axes_on_paper(figure, _box_of_title_block(size), size)
    line = rivers.loc[[sheet.river]]
    ends = stations(line, spacing_m=1e9)["chainage_m"]
    first, sign = float(ends.iloc[0]), 1.0
    if "chainage_sign" in line:
        sign = float(line["chainage_sign"].fillna(1).iloc[0])
    if "start_m" in line and pd.notna(line["start_m"].iloc[0]):
        first = float(line["start_m"].iloc[0])
    plain = "equations" not in line or line["equations"].isna().all()
    between = "–".join(format_chainage(first + sign * m, decimals=0)
                       for m in (sheet.from_m, sheet.to_m)) if plain else ""  # fmt: skip
    rows = (
        (say("project", lang), words["project"]),
        (say("sheet", lang), f"{sheet.river} {between}".strip()),
        (say("number of the drawing", lang), f"{words['number']} {k + 1}/{n}".strip()),
        (say("scale", lang), words["scale"]), (say("coordinates", lang), words["crs"]),
        (say("drawn by", lang), ""), (say("checked by", lang), ""),
        (say("date", lang), words["date"]),
    )  # fmt: skip
    high = 1 / len(rows)
    for j, (word, text) in enumerate(rows):
        y = 1 - (j + 1) * high
        axes.add_patch(Rectangle((0, y), 1, high, fill=False, lw=0.5, transform=axes.transAxes))
        axes.text(0.03, y + high / 2, word, fontproperties=font, fontsize=7 * size.grown,
                  va="center", transform=axes.transAxes)  # fmt: skip
        lines = _text_in_two_lines(text)
        if between and text.endswith(between) and not lines[-1].endswith(between[-1]):
            lines = [f"{lines[0][:-1]}…", between]  # of a long name the stretch stays
        shown = "\n".join(map(figure_text, lines))
        axes.text(0.33, y + high / 2, shown, fontproperties=font, fontsize=6.5 * size.grown,
                  va="center", transform=axes.transAxes)  # fmt: skip
    axes.plot([0.3, 0.3], [0, 1], color="#111111", linewidth=0.5, transform=axes.transAxes)


def _crs_in_words(name: str, lang: Lang) -> str:
    """Name of a coordinate system as offices write it; one of elsewhere keeps its own."""
    found = GAUSS_KRUGER.fullmatch(name) if lang == "zh" else None
    if found is None:
        return name
    strips = "3度带" if found["strips"] else "6度带"
    meridian = f"中央经线{found['cm']}°E" if found["cm"] else f"第{found['zone']}带"
    return f"{DATUM_NAMES[found['datum']]} {strips} {meridian}"


def _text_in_two_lines(text: str) -> list[str]:
    """A text in at most two lines of the title block, broken between words where that fits."""
    shown = visible_text(text)
    for parts in (re.findall(r"[!-\u2e80]+|.", shown, re.DOTALL), shown):
        lines, wide = [""], 0
        for part in parts:
            step = sum(2 if ord(sign) > 0x2E80 else 1 for sign in part)
            if wide + step > TITLE_WIDE:
                lines.append("")
                wide = 0
            lines[-1] += part
            wide += step
        lines = [line.strip() for line in lines]
        if len(lines) <= 2 and max(map(len, lines)) <= TITLE_WIDE:
            return lines
    return [lines[0], f"{lines[1][:-1]}…"]
