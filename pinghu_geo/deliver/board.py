"""Where does every node stand, seen from across the room? The board on the wall (作战板)."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.campaign.faces import WorkingFaces
from pinghu_geo.campaign.oversight import Supervision
from pinghu_geo.campaign.planning import Schedule
from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.stages import TODO, stage_rules
from pinghu_geo.campaign.tasks import CampaignTasks
from pinghu_geo.deliver.styles import AMBER, CLASS_LOOKS, RED, letters, stage_words
from pinghu_geo.nouns.door import ids_as_text, takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import require_suffix
from pinghu_geo.nouns.inert import html_text, script_value, visible_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.replacing import write_whole
from pinghu_geo.nouns.schema import Lang, code_label, label
from pinghu_geo.nouns.tables import groups_of
from pinghu_geo.river.chainage import format_chainage

__all__ = ["NodeBoard", "class_sums", "node_board"]

# The page is laid out on a screen of 1920 x 1080 units and scaled to whatever shows it.
WIDE, HIGH, SIDE, HEAD, ROW_HEAD, WORST_ROW = 1920, 1080, 24, 200, 150, 33
# Beyond so many nodes a cell holds number and letter only; so many late ones are listed below.
FULL_CELLS, WORST = 120, 6
# Space between cells, frame and margin of one, and its largest size [units].
GAP, FRAME, WIDEST, HIGHEST = 4, 12, 190, 150
# Width and height that a cell's lines need, in sizes of its font: day and group below each other,
# beside each other, or neither.
SHAPES = {"stacked": (5.4, 5.4), "beside": (6.3, 4.3), "short": (4.7, 2.0)}
# and what a day with its year needs beside a group, which a plan beyond this year has
YEAR_WIDE = 1.7
LEAST_FONT = 6.0
BANKS = ("left", "both", "right")
LOCALES = {"zh": "zh-CN", "en": "en"}


@dataclass(frozen=True, slots=True)
class NodeBoard:
    """A page of the board 作战板.

    Attributes
    ----------
    html : str
        The whole page; it asks for nothing else.
    """

    html: str

    def save(self, path: str | Path) -> Path:
        """Write the page, whole or not at all."""
        target = Path(path)
        require_suffix(target, ".html")
        write_whole(target, self.html)
        return target

    def _repr_html_(self) -> str:
        inner = html_text(self.html, isolated=False)
        return f'<iframe srcdoc="{inner}" style="width:100%;height:600px;border:0"></iframe>'


@dataclass(frozen=True, slots=True)
class _CellLayout:
    """Kind of the cells, size of their letters, width and height [units]."""

    shape: str
    font: float
    wide: float
    high: float


@takes()
def node_board(
    tasks: CampaignTasks,
    *,
    state: ProgressState | None = None,
    plan: Schedule | None = None,
    watched: Supervision | None = None,
    faces: WorkingFaces | None = None,
    stages: pd.DataFrame | None = None,
    title: str | None = None,
    note: str = "",
    reload_s: int = 60,
    lang: Lang = "zh",
) -> NodeBoard:
    """Board of all nodes for a large screen and for A3: one page, no requests 节点作战板.

    Parameters
    ----------
    tasks
        Result of `campaign_tasks`.
    state
        Result of `progress_state`; without it nothing has begun.
    plan
        Result of `schedule`: due and needed days.
    watched
        Result of `supervision`: what is behind, which day is due, what blocks.
    faces
        Result of `working_faces`: the stretch that a node holds up.
    stages
        Result of `stage_rules`.
    title, note
        Above the board.
    reload_s
        Seconds after which an open page looks for a newer one; 0 for never.
    lang
        Language of what the board says: ``"zh"`` or ``"en"``.

    Returns
    -------
    NodeBoard
        ``.save("board.html")`` writes it, a notebook shows it.

    Raises
    ------
    LayerError
        ``reload_s`` is below 0, or there are stages that ``stages`` doesn't have.

    Notes
    -----
    A row a river and bank, in the order of the nodes; a cell a node. Fill and letter are the stage
    that all of a node's buildings have reached. A solid red frame is a node that is late, a
    dashed amber one that begins to be. Changes are of the number of nodes in a class, against
    the day before and the week before the state's day. More than 120 nodes show number and letter
    only; a click shows the rest.

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> tasks = pg.campaign_tasks(pg.affected(buildings, pg.red_line(rivers, 9.0), rivers))
    >>> board = pg.node_board(tasks, title="一号河作战板")
    >>> board.html.count('<button class="n ') == len(tasks.nodes)
    True
    """
    if reload_s < 0:
        raise LayerError(f"reload_s is {reload_s}", hint="seconds, or 0 for never")
    stages = stage_rules() if stages is None else stages
    title = say("board of the nodes", lang) if title is None else title
    nodes = _rows_of_nodes(tasks, state, plan, watched, faces, stages, lang)
    full = len(nodes) <= FULL_CELLS
    late = nodes[nodes["signal"].isin(["red", "amber"])].sort_values("place", kind="stable")
    rows = [(key, part) for key, part in _nodes_by_bank(nodes)]
    area = HIGH - HEAD - (min(len(late), WORST) + 2) * WORST_ROW * bool(len(late))
    year = _year_of_board(nodes, state)
    beyond = any(pd.Timestamp(day).year != year for day in nodes["due"].dropna())
    layout = _largest_layout([len(part) for _, part in rows], area, full, beyond=beyond)
    number = {node: k for k, node in enumerate(nodes.index)}
    body = [
        _header_html(tasks, nodes, state, watched, stages, title, note, lang),
        "<main>",
        *(_bank_html(key, part, number, layout.shape, year, lang) for key, part in rows),
        "</main>" if rows else f"<p>{say('no nodes of tasks', lang)}</p></main>",
        _worst_nodes_html(late, year, lang),
        f'<dialog id="d"><button id="x" aria-label="{say("close", lang)}">✕</button>'
        "<table></table></dialog>",
    ]
    facts = script_value(
        [
            _facts_of_node(node, row, lang)
            for node, row in zip(nodes.index, _rows_as_dicts(nodes), strict=True)
        ]
    )
    script = SCRIPT % (facts, reload_s * 1000)
    head = html_text(title, isolated=False)
    page = (
        f"{PAGE_HEAD % LOCALES[lang]}<title>{head}</title><style>{_style_of_page(layout)}</style>"
    )
    return NodeBoard(f"{page}\n<body>{''.join(body)}<script>{script}</script></body></html>\n")


def class_sums(
    tasks: CampaignTasks, state: ProgressState | None, stages: pd.DataFrame
) -> pd.DataFrame:
    """Sums above the board: nodes, buildings, households and floor area by class of their stage.

    Parameters
    ----------
    tasks
        Result of `campaign_tasks`.
    state
        Result of `progress_state`; of tasks that it doesn't know nothing has begun.
    stages
        Result of `stage_rules`.

    Returns
    -------
    pandas.DataFrame
        A row a class, in the board's order: n_nodes, n_buildings; n_tenants and
        demolish_floor_area_m2 [m²] of the nodes where they are known, NA where of none, and
        of how many nodes they aren't (n_tenants_unknown, n_unknown).
    """
    counted = ["n_buildings", "n_tenants", "demolish_floor_area_m2"]
    nodes = pd.DataFrame(tasks.nodes).reindex(columns=counted).assign(**{"class": TODO})
    if state is not None:
        reached = state.reached[state.reached["kind"] == "building"]
        own = tasks.buildings["node_id"]
        node = reached["id"].map(own.set_axis(ids_as_text(own.index)))
        nodes["class"] = _classes_by(reached.assign(node_id=node), state.as_of, nodes, stages)
    return pd.DataFrame(
        {code: _sums_of_nodes(nodes[nodes["class"] == code]) for code in CLASS_LOOKS}
    ).T


# --- what is known of each node ---


def _rows_of_nodes(
    tasks: CampaignTasks,
    state: ProgressState | None,
    plan: Schedule | None,
    watched: Supervision | None,
    faces: WorkingFaces | None,
    stages: pd.DataFrame,
    lang: Lang,
) -> pd.DataFrame:
    """A row a node with all that the board shows; NA where it isn't known."""
    table = pd.DataFrame(tasks.nodes.drop(columns="geometry", errors="ignore"))
    wanted = ("group", "leader", "n_tenants", "n_collective", "demolish_floor_area_m2")
    for column in wanted:
        if column not in table:
            table[column] = np.nan
    now = None if state is None else state.nodes["stage"].reindex(table.index)
    table["stage"] = TODO if now is None else now.fillna(TODO)
    words, signs = stage_words(stages, lang=lang), letters(stages, lang=lang)
    strange = table.loc[~table["stage"].isin(words), "stage"].unique()
    if len(strange):
        raise LayerError("speaks of stages that aren't there", layer="state", ids=strange,
                         hint="pass the stages that the state was made with")  # fmt: skip
    table["word"], table["letter"] = table["stage"].map(words), table["stage"].map(signs)
    table["class"] = table["stage"].map({TODO: TODO} | dict(stages["shown_as"]))
    for column in ("due", "needed_by"):
        known = None if plan is None else plan.nodes[column]
        table[column] = pd.NaT if known is None else known.reindex(table.index)
    for column in ("signal", "late_by_days", "late_since", "blocker", "blocker_since", "stage_due"):
        known = None if watched is None else watched.nodes[column]
        table[column] = np.nan if known is None else known.reindex(table.index)
    table["place"] = len(table)
    if watched is not None:
        # what is held against is the adopted plan's day; the order is worst first
        table["due"] = watched.nodes["due"].reindex(table.index)
        place = pd.Series(range(len(watched.nodes)), watched.nodes.index)
        table["place"] = place.reindex(table.index).fillna(len(table))
    elif state is not None:
        for column in ("blocker", "blocker_since"):
            table[column] = state.nodes[column].reindex(table.index)
    table["word_due"] = table["stage_due"].map(words)
    table["face"] = _stretches_held_up(table.index, faces, lang)
    return table


def _stretches_held_up(nodes: pd.Index, faces: WorkingFaces | None, lang: Lang) -> pd.Series:
    """The longest stretch that waits for each node, in words, and how many more there are."""
    found: pd.Series = pd.Series(np.nan, index=nodes, dtype=object)
    if faces is None:
        return found
    open_ = faces.stretches[~faces.stretches["ready"]]
    who = open_["blocked_by"].str.split("、").explode()
    for node, rows in groups_of(open_.loc[who.index].groupby(who.to_numpy(), sort=False)):
        if node not in found.index:
            continue
        longest = rows.iloc[rows["length_m"].argmax()]
        said = _chainage_range(longest["from_m"], longest["to_m"])
        if len(rows) > 1:
            said = say("{} and others: {} stretches of {} m", lang, said, len(rows),
                       f"{rows['length_m'].sum():.0f}")  # fmt: skip
        found[node] = said
    return found


def _chainage_range(a: float, b: float) -> str:
    low, high = sorted((float(a), float(b)))
    ends = f"{format_chainage(low, decimals=0)}–{format_chainage(high, decimals=0)}"
    return f"{ends}({high - low:.0f} m)"


def _nodes_by_bank(nodes: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Nodes of each river, in the order of the table, and bank."""
    return [
        ((river, bank), part)
        for river in dict.fromkeys(nodes["river"])
        for bank in BANKS
        if len(part := nodes[(nodes["river"] == river) & (nodes["bank"] == bank)])
    ]


def _rows_as_dicts(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _number_in_words(value: Any, lang: Lang, what: str = "{}") -> str:
    """A number within its words; unknown ones say so."""
    return say("unknown", lang) if pd.isna(value) else say(what, lang, f"{value:,.0f}")


def _text_or_blank(value: Any) -> str:
    return "" if pd.isna(value) else visible_text(value)


def _date_or_blank(value: Any, year: int | None = None, *, short: bool = False) -> str:
    """A day; without its year where that is the board's own."""
    if pd.isna(value):
        return ""
    day = pd.Timestamp(value)
    if day.year == year:
        return f"{day:%m-%d}"
    return f"{day:%y-%m-%d}" if short else f"{day:%Y-%m-%d}"


def _year_of_board(nodes: pd.DataFrame, state: ProgressState | None) -> int | None:
    """The year that days of the board are in unless they say another one."""
    if state is not None:
        return int(state.as_of.year)
    due = nodes["due"].dropna()
    return None if due.empty else int(pd.Timestamp(due.min()).year)


def _short_node_name(node: str, row: dict[str, Any]) -> str:
    """Number of a node within its row; the whole id where it isn't of that kind."""
    head, _, tail = str(node).rpartition("-")
    return tail if head.startswith(f"{row['river']}-") and tail else str(node)


# --- the page ---


def _largest_layout(counts: list[int], area: int, full: bool, *, beyond: bool) -> _CellLayout:
    """Largest letters with which all cells fit above the list of the worst.

    ``beyond``: some days are of another year, and say so.
    """
    best = _CellLayout("stacked" if full else "short", 0.0, 0.0, 0.0)
    across = WIDE - 2 * SIDE - ROW_HEAD
    for columns in range(1, max(counts, default=0) + 1):
        lines = sum(ceil(n / columns) for n in counts)
        wide = min(across / columns - GAP - 1, WIDEST)
        high = min((area - len(counts) * GAP) / lines - GAP, HIGHEST)
        for shape in ("stacked", "beside") if full else ("short",):
            needs = SHAPES[shape]
            if beyond and shape == "beside":
                needs = (needs[0] + YEAR_WIDE, needs[1])
            font = max(min((wide - FRAME) / needs[0], (high - FRAME) / needs[1]), LEAST_FONT)
            if font > best.font:
                best = _CellLayout(shape, font, needs[0] * font + FRAME, needs[1] * font + FRAME)
    return best


def _header_html(
    tasks: CampaignTasks,
    nodes: pd.DataFrame,
    state: ProgressState | None,
    watched: Supervision | None,
    stages: pd.DataFrame,
    title: str,
    note: str,
    lang: Lang,
) -> str:
    """Title, day, sums of all and of each class, changes, signals, share of the district."""
    day = say("no reports of progress yet", lang)
    day = day if state is None else say("as of {}", lang, _date_or_blank(state.as_of))
    shares = "".join(
        "<span>"
        + say(
            "of the district's {}: {}",
            lang,
            label(str(row["column"]), lang=lang, unit=False),
            f"<b>{row['share_ratio']:.2%}</b>",
        )
        + "</span>"
        for row in _rows_as_dicts(tasks.share)
        if pd.notna(row["share_ratio"])
    )
    top = f"<h1>{html_text(title)}</h1><strong>{day}</strong>"
    top += f"<span>{html_text(note)}</span>" if note else ""
    top += f"<span>{say('in all: {}', lang, _sums_html(nodes, lang))}</span>{shares}"
    top += (
        f"<span>{html_text(undecided)}</span>" if (undecided := tasks.undecided(lang=lang)) else ""
    )
    top += f"<span>{say('a node stands where its last house stands', lang)}</span>"
    before = {} if state is None else {n: _classes_before(state, nodes, stages, n) for n in (1, 7)}
    cards, since = [], (say("since yesterday", lang), say("since last week", lang))
    for code in CLASS_LOOKS:
        mine = nodes[nodes["class"] == code]
        change = "".join(
            f"<span>{word} {_signed_change(len(mine) - int((then == code).sum()))}</span>"
            for word, then in zip(since, before.values(), strict=False)
        )
        signs = _class_letters(code, stages, lang)
        cards.append(
            f'<div class="card"><i class="s-{code}">{html_text(signs[:4])}</i><div>'
            f"<h2>{code_label('status', code, lang=lang)} "
            f"{say('nodes: {}', lang, f'<b>{len(mine)}</b>')}</h2>"
            f"<p>{say('in them {}', lang, _sums_html(mine, lang, counted=False))}</p>"
            f'<p class="change">{change}</p></div></div>'
        )
    if watched is not None:
        lamps = "".join(
            f'<b class="{word}">{sign}{code_label("signal", word, lang=lang)} '
            f"{int((nodes['signal'] == word).sum())}</b>"
            for word, sign in (("red", "▲"), ("amber", "◆"))
        )
        cards.append(f'<div class="lamps">{lamps}</div>')
    return f'<header><div class="top">{top}</div><div class="cards">{"".join(cards)}</div></header>'


def _class_letters(code: str, stages: pd.DataFrame, lang: Lang) -> str:
    signs = letters(stages, lang=lang)
    own = "".join(signs[str(s)] for s in stages.index[stages["shown_as"] == code])
    return f"{signs[TODO]}{own}" if code == TODO else own


def _signed_change(change: int) -> str:
    return f"{change:+d}" if change else "±0"


def _sums_of_nodes(nodes: pd.DataFrame) -> dict[str, Any]:
    """Sums of what is known of some nodes, and of how many it isn't."""
    found: dict[str, Any] = {"n_nodes": len(nodes), "n_buildings": int(nodes["n_buildings"].sum())}
    for column, lost in (("n_tenants", "n_tenants_unknown"),
                         ("demolish_floor_area_m2", "n_unknown")):  # fmt: skip
        value = pd.to_numeric(nodes[column], errors="coerce")
        none = int(value.isna().sum())
        found[column] = np.nan if none and none == len(value) else float(value.sum())
        found[lost] = none
    return found


def _sums_html(nodes: pd.DataFrame, lang: Lang, *, counted: bool = True) -> str:
    """Sums of what is known, and of how many nodes it isn't."""
    sums = _sums_of_nodes(nodes)
    words = [say("nodes: {}", lang, f"<b>{len(nodes)}</b>")] if counted else []
    words.append(say("{} buildings", lang, f"<b>{sums['n_buildings']:,}</b>"))
    for column, lost, some, none in (
        ("n_tenants", "n_tenants_unknown", "{} households", "households unknown"),
        ("demolish_floor_area_m2", "n_unknown", "{} m²", "m² unknown"),
    ):
        if pd.isna(sums[column]):
            words.append(say(none, lang))
            continue
        said = say(some, lang, f"<b>{sums[column]:,.0f}</b>")
        unknown = say("(unknown of {} nodes)", lang, sums[lost]) if sums[lost] else ""
        words.append(said + unknown)
    return " · ".join(words)


def _classes_before(
    state: ProgressState, nodes: pd.DataFrame, stages: pd.DataFrame, days: int
) -> pd.Series:
    """Class of each node so many days before, by the same rule as today's."""
    rows = state.reached[state.reached["kind"] == "building"]
    return _classes_by(rows, state.as_of - pd.Timedelta(days=days), nodes, stages)


def _classes_by(
    reached: pd.DataFrame, day: pd.Timestamp, nodes: pd.DataFrame, stages: pd.DataFrame
) -> pd.Series:
    """Class of each node by the end of a day: of the stage that all of its buildings reached."""
    rows = reached[reached["date"] <= day]
    done = rows.groupby(["node_id", "stage"]).size().unstack(fill_value=0)
    done = done.reindex(index=nodes.index, columns=stages.index, fill_value=0)
    whole = done.eq(nodes["n_buildings"], axis=0).to_numpy()
    top = np.where(whole.any(axis=1), len(stages) - 1 - whole[:, ::-1].argmax(axis=1), -1)
    return pd.Series(np.array([*stages["shown_as"], TODO], object)[top], index=nodes.index)


def _bank_html(
    key: tuple[str, str],
    part: pd.DataFrame,
    number: dict[Any, int],
    shape: str,
    year: int | None,
    lang: Lang,
) -> str:
    river, bank = key
    cells = [
        _cell_html(node, row, number[node], shape, year, lang)
        for node, row in zip(part.index, _rows_as_dicts(part), strict=True)
    ]
    head = f"<h3>{html_text(river)}<span>{code_label('bank', bank, lang=lang)}</span></h3>"
    return f'<section>{head}<div class="cells">{"".join(cells)}</div></section>'


def _cell_html(
    node: Any, row: dict[str, Any], k: int, shape: str, year: int | None, lang: Lang
) -> str:
    signal = row["signal"] if row["signal"] in ("red", "amber") else ""
    name = f"<b>{html_text(_short_node_name(node, row))}<i>{html_text(row['letter'])}</i></b>"
    rest = ""
    if shape != "short":
        people = row["n_tenants"]
        counts = _number_in_words(row["n_buildings"], lang, "{}b") + (
            "" if pd.isna(people) else _number_in_words(people, lang, "{}h")
        )
        mark = (
            f"<em>{say('col', lang)}</em>"
            if pd.notna(row["n_collective"]) and row["n_collective"] > 0
            else ""
        )
        day, who = (
            _date_or_blank(row["due"], year, short=True) or "–",
            html_text(_text_or_blank(row["group"])),
        )
        between = " " if shape == "beside" else "</span><span>"
        rest = f"<span>{counts}{mark}</span><span>{day}{between}{who}</span>"
    said = html_text(f"{node} {row['word']}", isolated=False)
    return (f'<button class="n s-{row["class"]} {signal}" data-k="{k}" aria-label="{said}">'
            f"{name}{rest}</button>")  # fmt: skip


def _worst_nodes_html(late: pd.DataFrame, year: int | None, lang: Lang) -> str:
    """The worst nodes, with what blocks them and what they hold up."""
    if late.empty:
        return ""
    heads = ("node", "chainage", "group / leader", "stage now → due", "behind", "houses", "due",
             "held up by", "face that waits")  # fmt: skip
    lines = []
    for node, row in zip(late.index[:WORST], _rows_as_dicts(late.iloc[:WORST]), strict=True):
        who = " / ".join(
            filter(None, (_text_or_blank(row["group"]), _text_or_blank(row["leader"])))
        )
        since = _blocked_since_text(row, year, lang)
        people = (
            "" if pd.isna(row["n_tenants"]) else _number_in_words(row["n_tenants"], lang, "{}h")
        )
        face = "" if pd.isna(row["face"]) else row["face"]
        if face and pd.notna(row["needed_by"]):
            face = say("{}, entry {}", lang, face, _date_or_blank(row["needed_by"], year))
        cells = (
            _text_or_blank(node), _chainage_range(row["from_m"], row["to_m"]), who,
            f"{_text_or_blank(row['word'])} → {_text_or_blank(row['word_due'])}",
            _lateness_in_words(row, year, lang),
            _number_in_words(row["n_buildings"], lang, "{}b") + people,
            _date_or_blank(row["due"]),
            f"{_text_or_blank(row['blocker'])}{since}" or say("none reported", lang), face or "–",
        )  # fmt: skip
        sign = {"red": "▲", "amber": "◆"}[row["signal"]]
        inner = "".join(f"<td>{html_text(c)}</td>" for c in cells)
        lines.append(f'<tr class="{row["signal"]}"><th>{sign}</th>{inner}</tr>')
    most = say("farthest behind", lang)
    most = say("{}, {} in all", lang, most, len(late)) if len(late) > WORST else most
    head = "".join(f"<th>{say(h, lang)}</th>" for h in heads)
    return (f'<footer><h2>{most}</h2><table><thead><tr><th></th>{head}</tr></thead>'
            f"<tbody>{''.join(lines)}</tbody></table></footer>")  # fmt: skip


def _lateness_in_words(row: dict[str, Any], year: int | None, lang: Lang) -> str:
    """How late a node is, and the day from which that counts: that of the first stage it lacks."""
    if pd.isna(row["late_by_days"]):
        return ""
    days = _number_in_words(row["late_by_days"], lang, "{} days")
    if pd.isna(row["late_since"]):
        return days
    return days + say("(since {})", lang, _date_or_blank(row["late_since"], year))


def _blocked_since_text(row: dict[str, Any], year: int | None, lang: Lang) -> str:
    """Since when a blocker stands, in brackets."""
    if pd.isna(row["blocker"]):
        return ""
    return say("(since {})", lang, _date_or_blank(row["blocker_since"], year))


def _facts_of_node(node: Any, row: dict[str, Any], lang: Lang) -> list[list[str]]:
    """What a click shows of a node: words only, which the script sets as text."""
    # a count of 0 may be of houses whose tenure nobody knows
    own = row["n_collective"]
    facts = (
        ("node", _text_or_blank(node)),
        ("chainage", _chainage_range(row["from_m"], row["to_m"])),
        ("group", _text_or_blank(row["group"])),
        ("leader", _text_or_blank(row["leader"])),
        ("stage now", _text_or_blank(row["word"])),
        ("stage due", _text_or_blank(row["word_due"])),
        ("behind", _lateness_in_words(row, None, lang)),
        ("planned handover", _date_or_blank(row["due"])),
        ("needed by", _date_or_blank(row["needed_by"])),
        ("number of buildings", _number_in_words(row["n_buildings"], lang, "{} buildings")),
        ("tenants", _number_in_words(row["n_tenants"], lang, "{} households")),
        ("collective", _number_in_words(own, lang, "{} buildings") if own > 0 else ""),
        ("floor area to demolish", _number_in_words(row["demolish_floor_area_m2"], lang, "{} m²")),
        (
            "held up by",
            f"{_text_or_blank(row['blocker'])}{_blocked_since_text(row, None, lang)}",
        ),
        ("face that waits", _text_or_blank(row["face"])),
    )
    return [[say(word, lang), text] for word, text in facts if text]


def _style_of_page(layout: _CellLayout) -> str:
    looks = "".join(
        f".s-{code}{{background:{one.fill};color:{one.ink}}}" for code, one in CLASS_LOOKS.items()
    )
    return (f":root{{--w:{layout.wide:.2f};--h:{layout.high:.2f};--f:{layout.font:.2f};"
            f"--red:{RED};--amber:{AMBER};--head:{ROW_HEAD};--gap:{GAP};--side:{SIDE}}}"
            f"{looks}{STYLE}")  # fmt: skip


PAGE_HEAD = (
    '<!DOCTYPE html><html lang="%s"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
)
STYLE = """
*{box-sizing:border-box;margin:0}
:root{--u:min(100vw / 1920,100vh / 1080)}
body{font:calc(18*var(--u))/1.25 "Microsoft YaHei","PingFang SC","Noto Sans SC","Noto Sans CJK SC",
  "WenQuanYi Micro Hei",sans-serif;color:#111;background:#fff;padding:calc(10*var(--u))
  calc(var(--side)*var(--u));-webkit-print-color-adjust:exact;print-color-adjust:exact;
  overflow-wrap:anywhere}
.top{display:flex;flex-wrap:wrap;gap:0 calc(28*var(--u));align-items:baseline;
  font-size:calc(24*var(--u))}
h1{font-size:calc(38*var(--u))}.top strong{font-size:calc(34*var(--u));color:#c00000}
.cards{display:flex;flex-wrap:wrap;gap:calc(10*var(--u));margin:calc(8*var(--u)) 0}
.card{flex:1 1 auto;display:flex;gap:calc(8*var(--u));border:1px solid #777;
  min-width:0}
.card>i{flex:none;width:calc(40*var(--u));font-style:normal;line-height:1.05;
  font-weight:bold;font-size:calc(26*var(--u));display:flex;align-items:center;text-align:center;
  justify-content:center;border-right:1px solid #777;padding:0 calc(5*var(--u))}
.card h2{font-size:calc(24*var(--u));font-weight:normal}.card h2 b{font-size:calc(40*var(--u))}
.card p{font-size:calc(20*var(--u))}.change span{margin-right:calc(16*var(--u));color:#333}
.lamps{display:flex;flex-direction:column;justify-content:center;
  font-size:calc(36*var(--u));white-space:nowrap}
.lamps .red{color:var(--red)}.lamps .amber{color:#8a5300}
section{display:flex;margin-bottom:calc(var(--gap)*var(--u))}
h3{flex:none;width:calc(var(--head)*var(--u));font-size:calc(25*var(--u));line-height:1.15;
  align-self:center;padding-right:calc(6*var(--u))}
h3 span{display:block;font-weight:normal}
.cells{flex:1;min-width:0;display:flex;flex-wrap:wrap;gap:calc(var(--gap)*var(--u))}
.n{width:calc(var(--w)*var(--u));height:calc(var(--h)*var(--u));border:1px solid #555;padding:0;
  font:inherit;position:relative;overflow:hidden;cursor:pointer;display:flex;
  flex-direction:column;align-items:stretch;justify-content:center;line-height:1.16}
.n.red{border:calc(5*var(--u)) solid var(--red);box-shadow:inset 0 0 0 calc(2*var(--u)) #fff}
.n.amber{border:calc(5*var(--u)) dashed var(--amber);box-shadow:inset 0 0 0 calc(2*var(--u)) #fff}
.n b,.n span{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.n b{font-size:calc(1.6*var(--f)*var(--u));line-height:1.12}.n i{font-style:normal}
.n span{font-size:calc(var(--f)*var(--u));line-height:1.16}
.n em{font-style:normal;font-weight:bold;text-decoration:underline}
footer{margin-top:calc(8*var(--u))}footer h2{font-size:calc(24*var(--u))}
table{border-collapse:collapse}footer table{width:100%;font-size:calc(20*var(--u))}
td,th{border:1px solid #777;padding:calc(3*var(--u)) calc(6*var(--u));text-align:left}
thead th{background:#1f3d63;color:#fff}tr.red th{color:var(--red)}tbody tr.amber th{color:#8a5300}
tbody td:nth-child(6){font-weight:bold;white-space:nowrap}
dialog{margin:auto;border:2px solid #333;padding:1em;font-size:max(18px,calc(24*var(--u)));
  max-width:94vw;max-height:94vh;overflow:auto}
dialog th{font-weight:normal;color:#444;white-space:nowrap}
#x{float:right;font:inherit;border:0;background:none;cursor:pointer;padding:0 .3em}
@media (max-width:800px),(max-aspect-ratio:1/1){:root{--u:max(100vw / 1920,.62px)}
  section{display:block}h3{width:auto;margin:6px 0 2px}h3 span{display:inline;margin-left:.5em}
  footer{overflow-x:auto}footer table{min-width:calc(1400*var(--u))}}
@media (max-width:800px){.n{width:80px;height:auto;min-height:46px;padding:2px}
  .n span{white-space:normal;word-break:keep-all;overflow-wrap:anywhere}
  .n b{font-size:17px}.n span{font-size:12px}}
@media print{@page{size:A3 landscape;margin:8mm}:root{--u:.21mm}body{padding:0}
  section,tr{break-inside:avoid}.n{cursor:auto}}
"""
# The facts are set as text, never as markup. Nothing is reloaded under a reader's hand.
SCRIPT = """
const facts=%s,box=document.getElementById("d"),table=box.querySelector("table");
document.querySelector("main").addEventListener("click",e=>{
  const cell=e.target.closest(".n");if(!cell)return;
  table.replaceChildren(...facts[cell.dataset.k].map(([word,text])=>{
    const row=document.createElement("tr"),th=document.createElement("th"),
      td=document.createElement("td");
    th.textContent=word;td.textContent=text;row.append(th,td);return row}));
  box.showModal()});
box.addEventListener("click",e=>{if(e.target===box||e.target.id==="x")box.close()});
const wait=%d;if(wait)setInterval(()=>{if(!box.open)location.reload()},wait);
"""
