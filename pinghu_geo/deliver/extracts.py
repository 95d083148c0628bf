"""Which picture belongs into a paper? Extracts of the map, sums and curves, as PNG."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.dates import MONTHLY, AutoDateLocator, DateFormatter
from matplotlib.figure import Figure

from pinghu_geo.deliver.plots import chinese_font
from pinghu_geo.nouns.inert import figure_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang

__all__ = ["changes_picture", "curve_picture", "figure_png", "house_extracts"]

# An extract on paper [mm], its dots an inch, its scales, and what it shows around a house [m].
WIDE_MM, HIGH_MM, DPI = 150.0, 84.0, 130
SCALES, AROUND_M = (500, 1000, 2000, 5000, 10_000, 20_000), 12.0
MM_PER_IN = 25.4
LINE, WATER, NEIGHBOUR, HOUSE = "#d00000", "#2e86c1", "#d9d9d4", "#e67e22"
SAVED, ADDED, TAKEN = "#27ae60", "#8e44ad", "#9a9a9a"


def house_extracts(
    houses: gpd.GeoDataFrame,
    *,
    around: gpd.GeoDataFrame | None = None,
    red_line: gpd.GeoDataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    lang: Lang = "zh",
) -> Iterator[bytes]:
    """The place of each house at a round scale: neighbours, red line, river, north 地图摘录."""
    others = houses if around is None else around
    shapes = others.geometry.to_numpy()
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    tree = shapely.STRtree(shapes)
    layers = [
        (shapely.get_parts(shapely.boundary(layer.geometry.to_numpy()) if closed
                           else layer.geometry.to_numpy()), colour, wide)
        for layer, colour, wide, closed in ((rivers, WATER, 1.0, False),
                                            (red_line, LINE, 1.6, True))
        if layer is not None
    ]  # fmt: skip
    trees = [(parts, shapely.STRtree(parts), colour, wide) for parts, colour, wide in layers]
    font = chinese_font()
    for name, house in zip(houses.index, houses.geometry.to_numpy(), strict=True):
        if house is None or house.is_empty:
            yield b""
            continue
        box, scale = _window_and_scale(house)
        frame = shapely.box(*box)
        figure = Figure(figsize=(WIDE_MM / MM_PER_IN, HIGH_MM / MM_PER_IN), dpi=DPI)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(box[0], box[2]), ylim=(box[1], box[3]), xticks=[], yticks=[])
        axes.spines[:].set(linewidth=1.6, snap=False)  # half of it lies outside of the picture
        near = shapes[np.sort(tree.query(frame))]
        _draw_filled_shapes(axes, near, NEIGHBOUR, "#8d8d85")
        _draw_filled_shapes(axes, np.array([house]), HOUSE, "#111111", wide=1.4)
        for parts, index, colour, wide in trees:
            hit = parts[np.sort(index.query(frame))]
            lines = shapely.get_parts(shapely.intersection(hit, frame))
            axes.add_collection(LineCollection([shapely.get_coordinates(x) for x in lines],
                                               colors=colour, linewidths=wide))  # fmt: skip
        x, y = shapely.get_coordinates(house.representative_point())[0]
        axes.text(x, y, figure_text(name), fontproperties=font, fontsize=7, ha="center",
                  va="center", bbox={"boxstyle": "square,pad=.15", "fc": "white", "ec": "none",
                        "alpha": 0.75})  # fmt: skip
        _draw_north_and_scale(axes, box, scale, font, lang)
        yield figure_png(figure)


def _window_and_scale(house: Any) -> tuple[tuple[float, float, float, float], int]:
    """Part of the ground that a picture shows, and its scale: the largest that holds the house."""
    x0, y0, x1, y1 = house.bounds
    for scale in SCALES:
        wide, high = WIDE_MM * scale / 1000, HIGH_MM * scale / 1000
        if wide >= x1 - x0 + 2 * AROUND_M and high >= y1 - y0 + 2 * AROUND_M:
            break
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2), scale


def _draw_filled_shapes(
    axes: Any, shapes: Any, colour: str, edge: str, *, wide: float = 0.5
) -> None:
    """Outer rings filled, and holes left out."""
    parts = shapely.get_parts(shapes)
    rings = [shapely.get_coordinates(r) for r in shapely.get_exterior_ring(parts) if r is not None]
    axes.add_collection(PolyCollection(rings, facecolors=colour, edgecolors=edge, linewidths=wide))
    holes = [shapely.get_coordinates(h) for p in parts for h in getattr(p, "interiors", ())]
    if holes:
        axes.add_collection(
            PolyCollection(holes, facecolors="white", edgecolors=edge, linewidths=wide)
        )


def _draw_north_and_scale(axes: Any, box: Any, scale: int, font: Any, lang: Lang) -> None:
    """Arrow to grid north, a bar of a round length, and the scale on paper."""
    x0, y0, x1, y1 = box
    wide, high = x1 - x0, y1 - y0
    x = x1 - 0.05 * wide
    axes.annotate("", (x, y1 - 0.03 * high), (x, y1 - 0.17 * high),
                  arrowprops={"arrowstyle": "-|>", "color": "#111111", "lw": 1.5})  # fmt: skip
    axes.text(x, y1 - 0.18 * high, say("N", lang), fontproperties=font, ha="center", va="top",
              fontsize=9, bbox={"fc": "white", "ec": "none", "pad": 1, "alpha": 0.8})  # fmt: skip
    metres = scale * 20 / 1000  # 20 mm on paper
    axes.plot([x0 + 0.03 * wide, x0 + 0.03 * wide + metres], [y0 + 0.05 * high] * 2,
              color="#111111", linewidth=2.2, solid_capstyle="butt")  # fmt: skip
    axes.text(x0 + 0.03 * wide, y0 + 0.07 * high, f"{metres:g} m   1:{scale}", fontproperties=font,
              fontsize=8, bbox={"fc": "white", "ec": "none", "pad": 1, "alpha": 0.8})  # fmt: skip


def figure_png(figure: Figure) -> bytes:
    """A figure as a picture; the same figure gives the same bytes."""
    picture = BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(picture, format="png", metadata={"Software": None},
                   pil_kwargs={"compress_level": 6})  # fmt: skip
    return picture.getvalue()


def changes_picture(
    changes: gpd.GeoDataFrame,
    taken: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    lines: list[gpd.GeoDataFrame],
    *,
    lang: Lang = "zh",
) -> bytes:
    """Where a scheme spares houses and where it takes others 方案差异图."""
    figure, font = _figure_and_font(170, 105)
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
    for river in rivers.geometry:
        axes.plot(*shapely.get_coordinates(river).T, color=WATER, linewidth=0.8)
    for k, line in enumerate(lines):
        for part in shapely.get_parts(shapely.boundary(line.geometry.to_numpy())):
            axes.plot(*shapely.get_coordinates(part).T, color=LINE, linewidth=0.4 + 0.3 * k,
                      linestyle="-" if k else "--")  # fmt: skip
    kinds: tuple[Any, ...] = (
        (taken, "s", TAKEN, say("still taken: {} buildings", lang, len(taken))),
    )
    for kind, mark, colour in (("saved", "o", SAVED), ("added", "^", ADDED)):
        rows = changes[changes["change"] == kind]
        word = say("spared: {} buildings" if kind == "saved" else "taken instead: {} buildings",
                   lang, len(rows))  # fmt: skip
        kinds += ((rows, mark, colour, word),)
    for rows, mark, colour, word in kinds:
        xy = shapely.get_coordinates(shapely.centroid(rows.geometry.to_numpy()))
        axes.plot(xy[:, 0], xy[:, 1], linestyle="none", marker=mark, color=colour, markersize=4,
                  markeredgecolor="#222222", markeredgewidth=0.3, label=word)  # fmt: skip
    axes.set(aspect="equal", xticks=[], yticks=[])
    axes.legend(prop=font, frameon=True, loc="best", fontsize=9)
    x0, x1 = axes.get_xlim()
    y0, y1 = axes.get_ylim()
    metres = 10.0 ** np.floor(np.log10((x1 - x0) / 4))
    axes.plot([x0 + 0.03 * (x1 - x0), x0 + 0.03 * (x1 - x0) + metres], [y0 + 0.04 * (y1 - y0)] * 2,
              color="#111111", linewidth=2.2)  # fmt: skip
    axes.text(x0 + 0.03 * (x1 - x0), y0 + 0.055 * (y1 - y0), f"{metres:g} m", fontsize=8)
    return figure_png(figure)


def curve_picture(curve: pd.DataFrame, as_of: pd.Timestamp, *, lang: Lang = "zh") -> bytes:
    """Buildings down, as planned and as reported, by day 进度曲线."""
    figure, font = _figure_and_font(160, 70)
    axes = figure.add_axes((0.09, 0.13, 0.84, 0.82))  # half a day's name beside it
    for column, colour, dash, word in (
        ("planned_buildings", "#555555", "--", say("planned", lang)),
        ("done_buildings", "#b23c0c", "-", say("done", lang)),
    ):
        if column in curve:
            axes.plot(curve.index, curve[column], color=colour, linestyle=dash, label=word,
                      drawstyle="steps-post")  # fmt: skip
    # matplotlib takes dates, too, which its types don't say
    axes.axvline(as_of, color=LINE, linewidth=0.8)  # type: ignore[arg-type]
    # whole days, none on another; matplotlib's dates have no types
    days: Any = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
    days.intervald[MONTHLY] = [*days.intervald[MONTHLY], 12]  # for plans of nearly three years
    axes.xaxis.set_major_locator(days)
    axes.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))  # type: ignore[no-untyped-call]
    axes.set_ylim(bottom=0)
    axes.set_ylabel(say("buildings down", lang), fontproperties=font)
    axes.grid(alpha=0.3, linewidth=0.5)
    axes.legend(prop=font, frameon=False)
    return figure_png(figure)


def _figure_and_font(wide_mm: float, high_mm: float) -> tuple[Figure, Any]:
    """A figure so large on paper, and the font for its texts."""
    figure = Figure(figsize=(wide_mm / MM_PER_IN, high_mm / MM_PER_IN), dpi=DPI)
    return figure, chinese_font()
