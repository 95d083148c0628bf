"""Which papers leave the office? Our own templates of each, to be replaced where one has others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pinghu_geo.deliver.templates import Draft, fill_papers, template_bytes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.inert import shell_word
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.replacing import atomic_path
from pinghu_geo.nouns.schema import Lang, label, nearest, noun

__all__ = [
    "HOUSE_FACTS",
    "PAPERS",
    "own_template",
    "paper_name",
    "require_known",
    "template_of",
    "write_papers",
    "write_templates",
]

# What a household file says of its house, in pairs a row.
HOUSE_FACTS = (
    "owner", "place", "node_id", "group", "leader", "parcel_id", "structure", "use", "floors",
    "footprint_m2", "floor_area_m2", "floor_area_source", "title", "tenure", "extent", "inside_m2",
    "inside_ratio", "demolish_floor_area_m2", "cleared_by", "task_class", "verdict", "reason",
)  # fmt: skip
AREA = "demolish_floor_area_m2"


def write_templates(folder: str | Path, *, lang: Lang = "zh") -> list[Path]:
    """Write our templates into a folder, to be changed in Word 文书模板.

    Parameters
    ----------
    folder
        Where they go; a template that is there already is left as it is.
    lang
        Language of the templates.

    Returns
    -------
    list
        Paths of what was written, such as ``一户一档.docx``.

    Notes
    -----
    In a template ``{{ one.owner }}`` stands for a value, ``{%tr for row in one.tenants %}`` in a
    row of a table begins rows that are repeated, ``{%p if one.tenants %}`` in a paragraph begins
    what is shown only where there is something; the part between the first and the last tag is
    repeated for each paper. Move them, drop them, write around them. What a template asks for that
    no paper has is named as an error.

    Examples
    --------
    >>> made = pg.deliver.write_templates(folder / "模板")
    >>> [p.name for p in made]
    ['一户一档.docx', '周报.docx', '督办通知书.docx', '作业面移交单.docx', '方案比选报告.docx']
    >>> pg.deliver.write_templates(folder / "模板")
    []
    """
    goal, made = Path(folder), []
    for kind in PAPERS:
        path = goal / f"{paper_name(kind, lang)}.docx"
        if not path.exists():
            with atomic_path(path) as temporary:
                temporary.write_bytes(own_template(kind, lang))
            made.append(path)
    return made


def paper_name(kind: str, lang: Lang) -> str:
    """What a paper, and the file of its template, is called."""
    return {
        "household": say("household file", lang), "weekly": say("weekly report", lang),
        "notice": say("supervision notice", lang),
        "transfer": say("transfer of a working face", lang),
        "schemes": say("report on the schemes", lang),
    }[kind]  # fmt: skip


@cache
def own_template(kind: str, lang: Lang) -> bytes:
    """Our template of a paper."""
    return PAPERS[kind](lang)


def write_papers(
    kind: str,
    papers: Mapping[str, Mapping[str, Any]],
    target: str | Path,
    template: str | Path | None,
    lang: Lang,
    *,
    named: bool = False,
) -> list[Path]:
    """Papers of a kind in the office's template or ours; ``named`` files begin with its name."""
    name = paper_name(kind, lang)
    given = template_bytes(template, own_template(kind, lang))
    return fill_papers(papers, target, given, title=name, prefix=f"{name}_" if named else "")


def template_of(kind: str, folder: str | Path | None) -> Path | None:
    """The office's template of a paper, in either language's name; none where it has none."""
    if folder is None:
        return None
    place = Path(folder)
    if not place.is_dir():
        raise LayerError(f"there is no folder {place}", layer="template",
                         hint=f"pinghu templates {shell_word(place)}")  # fmt: skip
    names = [f"{paper_name(kind, lang)}.docx" for lang in ("zh", "en")]
    return next((place / n for n in names if (place / n).exists()), None)


def require_known(folder: str | Path | None) -> None:
    """Refuse a folder with a template that no paper is made with: its name may have a slip."""
    if folder is None or not Path(folder).is_dir():
        return
    known = [f"{paper_name(k, lang)}.docx" for k in PAPERS for lang in ("zh", "en")]
    for path in sorted(Path(folder).glob("*.docx")):
        if path.name not in known and not path.name.startswith("~$"):  # Word's own mark
            raise LayerError(f"{path.name} is the template of no paper", layer="template",
                             hint=nearest(path.name, known))  # fmt: skip


def _heading_of_column(what: str, column: str, lang: Lang) -> str:
    """Heading of a column by its noun: the same name is another thing in another table."""
    found = noun(what)[column]
    unit = f" ({found.unit})" if found.unit else ""
    return label(column, lang=lang) if lang == "en" else f"{found.zh}{unit}"


def _household_draft(lang: Lang) -> bytes:
    draft = Draft()
    draft.title(say("household file", lang), below="{{ one.project }}  {{ one.building_id }}")
    words = {k: say("bank and chainage", lang) if k == "place" else label(k, lang=lang)
             for k in HOUSE_FACTS}  # fmt: skip
    draft.facts([(words[k], k) for k in HOUSE_FACTS])
    draft.heading(say("place", lang))
    draft.picture("map")
    draft.heading(say("tenants", lang))
    draft.line("{{ one.tenants_said }}", keep=True)
    with draft.shown_if("tenants"):
        draft.rows("tenants", [(_heading_of_column("tenants", k, lang), k, s) for k, s in (
            ("tenant_id", .18), ("name", .24), ("kind", .12), ("area_m2", .15), ("lease_end", .16))]
            + [(say("stage", lang), "stage", .15)])  # fmt: skip
    draft.heading(say("compensation", lang))
    with draft.shown_if("costs_said", keep=True):
        draft.line("{{ one.costs_said }}", keep=True)
    with draft.shown_if("costs"):
        draft.rows("costs", [(say("head", lang), "head", 0.5), (say("yuan", lang), "yuan", 0.5)],
                   keep=True)  # fmt: skip
    draft.heading(say("progress", lang))
    draft.line("{{ one.progress_said }}", keep=True)
    draft.rows("progress", [(say("stage", lang), "stage", .3),
                            (say("reached on", lang), "date", .3),
                            (say("note", lang), "note", .4)], foot=True)  # fmt: skip
    draft.heading(say("signatures", lang))
    draft.signatures([say("owner (signature)", lang), say("surveyed by", lang),
                      say("valued by", lang), say("group", lang),
                      say("checked by", lang)])  # fmt: skip
    return draft.end()


def _weekly_draft(lang: Lang) -> bytes:
    draft = Draft()
    draft.title("{{ one.project }} " + say("weekly report", lang), below="{{ one.period }}")
    draft.heading(say("where we stand", lang))
    draft.lines("sums")
    draft.picture("curve")
    draft.heading(say("done this week", lang))
    draft.line("{{ one.week_said }}", keep=True)
    with draft.shown_if("week"):
        draft.rows("week", [(say("stage", lang), "stage", .25),
                            (say("buildings", lang), "buildings", .25),
                            (say("households", lang), "households", .25),
                            (say("floor area (m²)", lang), "area", .25)])  # fmt: skip
    draft.heading(say("groups", lang))
    with draft.shown_if("groups", say("No group is named.", lang)):
        draft.rows("groups", [(label(k, lang=lang, unit=False, noun="campaign"), k, s) for k, s in (
            ("rank", .08), ("group", .2), ("n_nodes", .1), ("n_red", .08), ("n_amber", .08),
            ("n_demolished", .12), ("n_left", .12), ("forecast", .22))])  # fmt: skip
    draft.heading(say("nodes that are late", lang))
    with draft.shown_if("late", say("No node is late.", lang)):
        draft.rows("late", [(label("node_id", lang=lang), "node_id", .21),
                            (label("group", lang=lang), "group", .12),
                            (say("stage due", lang), "stage_due", .13),
                            (say("stage reached", lang), "stage", .13),
                            (say("days late", lang), "late_by_days", .1),
                            (label("blocker", lang=lang), "blocker", .31)])  # fmt: skip
    draft.heading(say("working faces", lang))
    draft.lines("faces")
    draft.heading(say("planned for next week", lang))
    with draft.shown_if("next", say("No node has a stage due next week.", lang), keep=True):
        draft.rows("next", [(label("node_id", lang=lang), "node_id", .3),
                            (label("group", lang=lang), "group", .2),
                            (say("stage", lang), "stage", .25),
                            (say("until", lang), "finish", .25)], foot=True)  # fmt: skip
    draft.signatures([say("drawn up by", lang), say("checked by", lang)])
    return draft.end()


def _notice_draft(lang: Lang) -> bytes:
    draft = Draft()
    draft.title(say("supervision notice", lang), below=say("No. ________", lang))
    draft.line(say("To: {}", lang, "{{ one.group }}  {{ one.leader }}"))
    draft.line("{{ one.said }}", indent=True)
    draft.facts([(label("node_id", lang=lang), "node_id"), (say("place", lang), "place"),
                 (label("n_buildings", lang=lang), "n_buildings"),
                 (label("n_tenants", lang=lang), "n_tenants"),
                 (say("stage due", lang), "stage_due"), (say("due on", lang), "stage_due_on"),
                 (say("stage reached", lang), "stage"), (say("days late", lang), "late_by_days"),
                 (label("blocker", lang=lang), "blocker"),
                 (say("blocked since", lang), "blocker_since"),
                 (say("holds up (m)", lang), "held_up_m"),
                 (label("needed_by", lang=lang), "needed_by")])  # fmt: skip
    draft.heading(say("houses that hold it up", lang))
    with draft.shown_if("houses", say("Which houses hold it up isn't known.", lang)):
        draft.rows("houses", [(label("building_id", lang=lang), "building_id", .2),
                              (label("owner", lang=lang), "owner", .25),
                              (say("stage", lang), "stage", .2),
                              (label("blocker", lang=lang), "blocker", .35)])  # fmt: skip
    draft.line(say("You are asked to complete it by ____-__-__ and to reply in writing with the "
                   "reason and the measures taken.", lang), indent=True, keep=True)  # fmt: skip
    draft.signatures([say("issued by (stamp), on", lang), say("received by, on", lang)])
    return draft.end()


def _transfer_draft(lang: Lang) -> bytes:
    draft = Draft()
    draft.title(say("transfer of a working face", lang), below=say("No. ________", lang))
    draft.facts([(say("project", lang), "project"), (label("river", lang=lang), "river"),
                 (label("bank", lang=lang), "bank"),
                 (say("from chainage to chainage", lang), "place"),
                 (label("length_m", lang=lang), "length_m"), (say("down since", lang), "ready_on"),
                 (say("nodes", lang), "nodes"),
                 (say("handed over on", lang), "handed_over_on")])  # fmt: skip
    draft.line("{{ one.said }}", indent=True)
    draft.heading(say("houses cleared", lang))
    with draft.shown_if("houses", say("No house stood within.", lang)):
        draft.rows("houses", [(label("building_id", lang=lang), "building_id", .25),
                              (label("owner", lang=lang), "owner", .3),
                              (label("floor_area_m2", lang=lang), "floor_area_m2", .2),
                              (say("down since", lang), "cleared_on", .25)])  # fmt: skip
    draft.heading(say("checked on the spot", lang))
    for text in (say("☐ all houses are down, foundations included", lang),
                 say("☐ rubble is removed, the ground is level", lang),
                 say("☐ water, electricity, gas and telephone are cut", lang),
                 say("☐ boundary stakes are set and handed over", lang)):  # fmt: skip
        draft.line(text)
    draft.line(say("Left open: ________________________________________", lang), keep=True)
    draft.signatures([say("handed over by (stamp), on", lang),
                      say("taken over by (stamp), on", lang),
                      say("supervisor of the works, on", lang)])  # fmt: skip
    return draft.end()


def _schemes_draft(lang: Lang) -> bytes:
    draft = Draft()
    draft.title("{{ one.project }} " + say("report on the schemes", lang), below="{{ one.note }}")
    draft.heading(say("result", lang))
    draft.lines("said")
    draft.heading(say("sums of each scheme", lang))
    draft.rows("totals", [(say("scheme", lang), "scheme", .16),
                          (label("n_buildings", lang=lang), "n_buildings", .1),
                          (label("n_full", lang=lang), "n_full", .1),
                          (label(AREA, lang=lang), AREA, .16),
                          (label("n_tenants", lang=lang), "n_tenants", .1),
                          (say("compensation (10,000 yuan)", lang), "cost", .16),
                          (label("works_m2", lang=lang), "works_m2", .14),
                          (label("n_nodes", lang=lang), "n_nodes", .08)])  # fmt: skip
    draft.heading(say("against {}, by river", lang, "{{ one.baseline }}"))
    with draft.shown_if(
        "by_river", say("There is one scheme, and nothing to compare it with.", lang)
    ):
        changes = [(say("spared (buildings)", lang), "n_saved", .12),
                   (say("taken instead (buildings)", lang), "n_added", .12),
                   (say("floor area spared (m²)", lang), "avoided_floor_area_m2", .18),
                   (say("households spared", lang), "avoided_tenants", .12),
                   (say("saved (10,000 yuan)", lang), "saved", .14)]  # fmt: skip
        draft.rows("by_river", [(say("scheme", lang), "scheme", .16),
                                (label("river", lang=lang), "river", .16), *changes])  # fmt: skip
    draft.pictures("maps")
    draft.heading(say("proof of the search", lang))
    with draft.shown_if("proofs", say("No scheme was searched for.", lang)):
        draft.lines("proof_said")
        draft.rows("proofs", [(say("scheme", lang), "scheme", .16),
                              (label("river", lang=lang), "river", .16),
                              (say("found", lang), "total", .16),
                              (say("no design costs less than", lang), "bound", .2),
                              (say("gap", lang), "gap", .14),
                              (say("proof", lang), "proof", .18)])  # fmt: skip
    draft.pictures("widths")
    draft.heading(say("reservations", lang))
    draft.lines("reservations", foot=True)
    draft.signatures([say("drawn up by", lang), say("checked by", lang), say("approved by", lang)])
    return draft.end()


PAPERS: Mapping[str, Callable[[Lang], bytes]] = {
    "household": _household_draft,
    "weekly": _weekly_draft,
    "notice": _notice_draft,
    "transfer": _transfer_draft,
    "schemes": _schemes_draft,
}
