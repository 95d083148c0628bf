"""Is each node done when the contractor comes? Time against chainage (时间里程图)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from pinghu_geo.campaign.planning import Schedule, needed_by
from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.stages import stage_codes, stage_rules
from pinghu_geo.deliver.plots import DrawnFigure, chainage_label, chinese_font
from pinghu_geo.deliver.styles import CLASS_LOOKS, stage_words
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.inert import figure_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.replacing import atomic_path
from pinghu_geo.nouns.schema import Lang, code_label, nearest, require_columns
from pinghu_geo.nouns.tables import each_row
from pinghu_geo.river.centreline import river_scales
from pinghu_geo.river.chainage import ChainageScale
from pinghu_geo.river.corridor import river_ends

__all__ = ["plot_time_chainage", "write_sheets_of_plots"]

# Paper [in] (A3), share of a sheet's length that a node takes at least, and how light a plan is.
PAPER, LEAST_SHARE, LIGHT = (16.54, 11.69), 0.014, 0.6
TODAY, ENTRY, READY, REACH = "#c00000", "#111111", "#0b7a3b", "#1f3d63"
# A fill of white is seen neither light nor dark: grey stands for what is before the signature.
TODO_FILL = "#808080"
STEPS = 120  # points of the contractor's line


@takes(handover="handover", faces="activities")
def plot_time_chainage(
    plan: Schedule,
    river: str,
    *,
    state: ProgressState | None = None,
    faces: pd.DataFrame | None = None,
    handover: pd.DataFrame | None = None,
    segments: pd.DataFrame | None = None,
    stages: pd.DataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    title: str = "",
    lang: Lang = "zh",
) -> Figure:
    """Time against chainage of a river's nodes: planned, done, needed 时间里程图.

    Parameters
    ----------
    plan
        Result of `schedule`: the plan that is held against.
    river
        Which river.
    state
        Result of `progress_state`: what is done, and today.
    faces
        ``working_faces(...).stretches``: ready stretches stand as a green bar from their day on.
    handover
        The contractor's entry, as for `schedule`.
    segments
        Responsible reaches: river, from_m, to_m [m], group.
    stages
        Result of `stage_rules`.
    rivers
        Centrelines; needed where they have chainage equations (断链): drawn by the way along the
        river, labelled by chainage.
    title
        Above the drawing.
    lang
        Language of its words: ``"zh"`` or ``"en"``.

    Returns
    -------
    matplotlib.figure.Figure
        A3, left bank above, right bank below, time downwards in both.
        ``figure.savefig("时间里程图.pdf")`` writes vectors.

    Raises
    ------
    LayerError
        The plan has no node on the river.

    Notes
    -----
    A column a node, as wide as it is long, but never too narrow to be seen (those of less than
    1.4 % of the sheet are widened, as far as their neighbours leave room). Its left half is the
    plan, light; its right half is what was reported, dark: each stage that is over reaches from the
    end of the one before to its last building's day; one that isn't is hatched, from its first
    building's day to today. A node across the river stands on both banks. Needs matplotlib; Chinese
    letters come with zhplot (extra ``notebook``).

    Examples
    --------
    >>> nodes = pd.DataFrame({"river": "A", "bank": "left", "from_m": [0.0, 60.0],
    ...     "to_m": [50.0, 90.0], "n_buildings": [4, 2], "n_tenants": [10, 3],
    ...     "demolish_floor_area_m2": [2000.0, 500.0]}, ["A-L-001", "A-L-002"])
    >>> figure = pg.plot_time_chainage(pg.schedule(nodes, start="2018-01-01"), "A")
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['左岸', '右岸']
    """
    stages = stage_rules() if stages is None else stages
    activities = plan.activities
    activities = activities.assign(stage=stage_codes(activities["stage"], stages, layer="plan"))
    nodes = plan.nodes[plan.nodes["river"] == river]
    if nodes.empty:
        known = [str(r) for r in plan.nodes["river"].unique()]
        raise LayerError(f"has no node on {river!r}", layer="plan", hint=nearest(river, known))
    scale = None if rivers is None else river_scales(rivers).get(river)
    nodes = _rows_along_river(nodes, rivers, river, "plan")
    if faces is not None:
        faces = _faces_along(faces, rivers, river)
    if segments is not None:
        segments = _rows_along_river(segments, rivers, river, "segments")
    ends = _sheet_ends(nodes, faces, river)
    figure = DrawnFigure(figsize=PAPER, layout="constrained")
    font = chinese_font()
    both = figure.subplots(2, 1, sharex=True, sharey=True)
    for axes, bank in zip(both, ("left", "right"), strict=True):
        spans = _column_spans(nodes[nodes["bank"].isin([bank, "both"])], ends)
        _draw_planned_stages(axes, activities, spans, stages)
        if state is not None:
            _draw_reported_stages(axes, state, spans, stages)
            axes.axhline(_matplotlib_day(state.as_of), color=TODAY, linewidth=1.6)
        _draw_entry_line(axes, handover, river, bank, ends, rivers)
        _draw_ready_faces(axes, faces, bank)
        _draw_node_numbers(axes, spans, ends, font)
        axes.set_ylabel(code_label("bank", bank, lang=lang), fontproperties=font, fontsize=13)
    _draw_reaches(both, segments, font)
    _finish_axes(both, ends, scale)
    both[1].set_xlabel(say("chainage", lang), fontproperties=font)
    said = say("{}: time against chainage", lang, river)
    if state is not None:
        said = say("{} (as of {})", lang, said, f"{state.as_of:%Y-%m-%d}")
    figure.suptitle(figure_text(title or said), fontproperties=font, fontsize=18)
    _draw_legend(figure, stages, font, lang, state=state, faces=faces, handover=handover)
    return figure


def _matplotlib_day(day: Any) -> float:
    """Day as matplotlib counts them, from 1970 on."""
    return float((pd.Timestamp(day) - pd.Timestamp(0)) / pd.Timedelta(days=1))


def _rows_along_river(
    table: pd.DataFrame, rivers: gpd.GeoDataFrame | None, river: str, layer: str
) -> pd.DataFrame:
    """Rows of a river with ends whose differences are lengths along it."""
    require_columns(table, ["river", "from_m", "to_m"], layer)
    mine = table[table["river"] == river]
    low, high = river_ends(mine, rivers, layer)[0].T
    return pd.DataFrame(mine).assign(from_m=low, to_m=high)


def _faces_along(faces: pd.DataFrame, rivers: gpd.GeoDataFrame | None, river: str) -> pd.DataFrame:
    """Stretches of a river along it: those of the whole river by their lengths, in their order."""
    require_columns(faces, ["river", "bank", "from_m", "to_m", "ready_on", "ready"], "faces")
    scale = None if rivers is None else river_scales(rivers).get(river)
    mine = faces[faces["river"] == river]
    if scale is None or not scale.equations or "length_m" not in mine:
        return _rows_along_river(mine, rivers, river, "faces")
    high = mine.groupby("bank")["length_m"].cumsum()
    whole = mine.groupby("bank")["length_m"].sum()
    if not np.isclose(whole, scale.length_m, atol=0.01).all():
        return _rows_along_river(mine, rivers, river, "faces")
    first = float(np.min(scale.along([0.0, scale.length_m])))
    return mine.assign(from_m=first + high - mine["length_m"], to_m=first + high)


def _sheet_ends(nodes: pd.DataFrame, faces: pd.DataFrame | None, river: str) -> tuple[float, float]:
    """Chainages between which the sheet reaches: those of the nodes and of the works."""
    low = float(nodes[["from_m", "to_m"]].to_numpy(float).min())
    high = float(nodes[["from_m", "to_m"]].to_numpy(float).max())
    if faces is not None and len(mine := faces[faces["river"] == river]):
        low, high = min(low, mine["from_m"].min()), max(high, mine["to_m"].max())
    return low, max(high, low + 1.0)


def _column_spans(nodes: pd.DataFrame, ends: tuple[float, float]) -> pd.DataFrame:
    """Ends of each node's column: its own, or of the least width where the neighbours leave it."""
    true = np.sort(nodes[["from_m", "to_m"]].to_numpy(float), axis=1)
    order = np.argsort(true[:, 0], kind="stable")
    low, high = true[order].T
    half = LEAST_SHARE * (ends[1] - ends[0]) / 2
    between = (high[:-1] + low[1:]) / 2
    middle = (low + high) / 2
    left = np.maximum(middle - half, np.concatenate([[-np.inf], between]))
    right = np.minimum(middle + half, np.concatenate([between, [np.inf]]))
    table = pd.DataFrame(
        {"low": np.minimum(low, left), "high": np.maximum(high, right)}, nodes.index[order]
    )
    return table.reindex(nodes.index)


def _fill_of_stage(stages: pd.DataFrame, code: str) -> str:
    shown = str(stages.at[code, "shown_as"])
    return TODO_FILL if shown == "todo" else CLASS_LOOKS[shown].fill


def _lighter_colour(colour: str) -> tuple[float, float, float]:
    red, green, blue = (1 - (1 - part) * (1 - LIGHT) for part in to_rgb(colour))
    return red, green, blue


def _draw_planned_stages(
    axes: Any, activities: pd.DataFrame, spans: pd.DataFrame, stages: pd.DataFrame
) -> None:
    """Stages as planned: light, on the left half of each node's column."""
    rows = activities[activities["node_id"].isin(spans.index)]
    for code, part in rows.groupby("stage", sort=False):
        where = spans.loc[part["node_id"]]
        top = np.array([_matplotlib_day(d) for d in part["start"]])
        low = np.array([_matplotlib_day(d) for d in part["finish"]]) + 1
        axes.bar(
            where["low"],
            np.maximum(low - top, 0),
            (where["high"] - where["low"]) / 2,
            top,
            align="edge",
            color=_lighter_colour(_fill_of_stage(stages, str(code))),
            edgecolor="#8a8a8a",
            linewidth=0.3,
        )
    whole = rows.groupby("node_id").agg(top=("start", "min"), low=("finish", "max"))
    where = spans.loc[whole.index]
    first = np.array([_matplotlib_day(d) for d in whole["top"]])
    axes.bar(
        where["low"], np.array([_matplotlib_day(d) for d in whole["low"]]) + 1 - first,
        (where["high"] - where["low"]) / 2, first, align="edge", fill=False, edgecolor="#8a8a8a",
        linewidth=0.5,
    )  # fmt: skip


def _draw_reported_stages(
    axes: Any, state: ProgressState, spans: pd.DataFrame, stages: pd.DataFrame
) -> None:
    """Stages as reported, on the right half: one column, each stage from where the last ended."""
    rows = state.stages[state.stages["node_id"].isin(spans.index) & state.stages["first"].notna()]
    rank = {code: k for k, code in enumerate(stages.index)}
    rows = rows.assign(rank=rows["stage"].map(rank)).sort_values(["node_id", "rank"])
    over = rows["done_ratio"] >= 1
    low = rows["last"].where(over, state.as_of)
    top = low.groupby(rows["node_id"]).shift().fillna(rows["first"])
    rows["top"] = np.minimum(
        [_matplotlib_day(d) for d in top], [_matplotlib_day(d) for d in rows["first"]]
    )
    rows["top"] = np.where(over, rows["top"], [_matplotlib_day(d) for d in rows["first"]])
    rows["low"] = [_matplotlib_day(d) for d in low]
    for (code, whole), part in rows.groupby(["stage", over], sort=False):
        where = spans.loc[part["node_id"]]
        half = ((where["high"] - where["low"]) / 2).to_numpy()
        axes.bar(
            where["low"].to_numpy() + half, np.maximum(part["low"] - part["top"], 1), half,
            part["top"], align="edge", color=_fill_of_stage(stages, str(code)), edgecolor="#222222",
            linewidth=0.4, hatch=None if whole else "////", alpha=1 if whole else 0.75,
        )  # fmt: skip


def _draw_entry_line(
    axes: Any,
    handover: pd.DataFrame | None,
    river: str,
    bank: str,
    ends: tuple[float, float],
    rivers: gpd.GeoDataFrame | None,
) -> None:
    """The contractor's line: the first day on which each place is needed."""
    if handover is None:
        return
    cuts = np.linspace(*ends, STEPS + 1)
    places = pd.DataFrame({"river": river, "bank": bank, "from_m": cuts[:-1], "to_m": cuts[1:]})
    require_columns(handover, ["river"], "handover")
    mine = handover[handover["river"].astype(str) == str(river)]  # a sheet is of one river
    days = needed_by(places, mine, rivers=rivers, along=True)
    y = np.array([np.nan if pd.isna(d) else _matplotlib_day(d) for d in days])
    # ends of a place are needed with it: what is needed at once stays level
    x, y = np.repeat(cuts, 2)[1:-1], np.repeat(y, 2)
    if "m_per_day" in handover:
        x, y = (cuts[:-1] + cuts[1:]) / 2, y[::2]
    axes.plot(x, y, color=ENTRY, linewidth=1.8, linestyle="--")


def _draw_ready_faces(axes: Any, faces: pd.DataFrame | None, bank: str) -> None:
    """Faces by the day from which they are ready: solid where they are, hatched where planned."""
    if faces is None:
        return
    mine = faces[faces["bank"].isin([bank, "both"])]
    for row in mine[mine["ready_on"].notna()].itertuples():
        style = "-" if row.ready else (0, (2, 1.5))
        axes.hlines(
            _matplotlib_day(row.ready_on) + 1,
            row.from_m,
            row.to_m,
            color=READY,
            linewidth=3.2,
            linestyle=style,
        )


def _draw_node_numbers(
    axes: Any, spans: pd.DataFrame, ends: tuple[float, float], font: Any
) -> None:
    """Numbers of the nodes above their columns; one that would touch its neighbour is left out."""
    room = (ends[1] - ends[0]) * 0.01
    last = -np.inf
    for node, row in spans.sort_values("low").iterrows():
        middle = (row["low"] + row["high"]) / 2
        if middle - last < room:
            continue
        last = middle
        axes.annotate(
            figure_text(str(node).rpartition("-")[2]), (middle, 1), xytext=(0, 2), ha="center",
            xycoords=("data", "axes fraction"), textcoords="offset points", fontsize=7,
            fontproperties=font, rotation=90, va="bottom",
        )  # fmt: skip


def _draw_reaches(both: Any, segments: pd.DataFrame | None, font: Any) -> None:
    """Ends of the reaches, and their groups above."""
    if segments is None:
        return
    require_columns(segments, ["group"], "segments")
    mine = segments.drop_duplicates(["from_m", "to_m", "group"])
    for row in each_row(mine):
        for axes in both:
            for end in (row.from_m, row.to_m):
                axes.axvline(end, color=REACH, linewidth=0.7, linestyle=":")
        both[0].annotate(
            figure_text(row.group), ((row.from_m + row.to_m) / 2, 1), xytext=(0, 24), ha="center",
            xycoords=("data", "axes fraction"), textcoords="offset points", color=REACH,
            fontproperties=font, fontsize=10,
        )  # fmt: skip


def _finish_axes(both: Any, ends: tuple[float, float], scale: ChainageScale | None) -> None:
    """Time downwards in months, chainage across."""
    both[0].margins(y=0.02)
    both[0].invert_yaxis()
    pad = 0.01 * (ends[1] - ends[0])
    both[0].set_xlim(ends[0] - pad, ends[1] + pad)
    for axes in both:
        axes.yaxis_date()
        axes.grid(axis="y", alpha=0.3, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_formatter(chainage_label(scale))
        axes.tick_params(axis="x", labelbottom=True)


def _draw_legend(figure: Any, stages: pd.DataFrame, font: Any, lang: Lang, **shown: Any) -> None:
    """Words for the classes and lines that the sheet shows."""
    seen, words = dict.fromkeys(stages["shown_as"]), stage_words(stages, lang=lang)
    keys: list[Any] = []
    for code in seen:
        colour = TODO_FILL if code == "todo" else CLASS_LOOKS[code].fill
        own = stages.index[stages["shown_as"] == code]
        word = say(", ", lang).join(words[str(stage)] for stage in own)
        keys.append(Patch(facecolor=colour, edgecolor="#222222", label=figure_text(word)))
    keys.append(
        Patch(
            facecolor=_lighter_colour("#444444"),
            edgecolor="#8a8a8a",
            label=say("left half, light: planned", lang),
        )
    )
    keys.append(
        Patch(
            facecolor="white",
            edgecolor="#8a8a8a",
            label=say("left half, white: waiting for a term, a crew or the next stage", lang),
        )
    )
    keys.append(
        Patch(
            facecolor="#444444", edgecolor="#222222", label=say("right half, dark: reported", lang)
        )
    )  # fmt: skip
    lines = (("state", TODAY, "-", "today"), ("handover", ENTRY, "--", "the contractor's entry"),
             ("faces", READY, "-", "face ready (dashed: planned)"))  # fmt: skip
    for name, colour, dash, word in lines:
        if shown[name] is not None:
            keys += figure.axes[0].plot([], [], color=colour, linestyle=dash, label=say(word, lang))
    figure.legend(handles=keys, loc="outside lower center", ncols=6, prop=font, frameon=False)


def write_sheets_of_plots(figures: Iterable[Figure], target: str | Path) -> None:
    """Figures as the sheets of one PDF of vectors; the same figures give the same bytes."""
    undated = {"CreationDate": None, "Producer": None, "Creator": None}
    with (
        atomic_path(Path(target)) as temporary,
        PdfPages(temporary, metadata=undated) as pages,
    ):
        for figure in figures:
            pages.savefig(figure)
