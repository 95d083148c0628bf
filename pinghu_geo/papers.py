"""What leaves the office on paper? Household files, report, notices, transfers, schemes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from pinghu_geo.campaign.standing import Campaign
from pinghu_geo.computing import Computed, Progress, computed_project
from pinghu_geo.deliver.drafts import paper_name, require_known, template_of
from pinghu_geo.deliver.households import write_household_files
from pinghu_geo.deliver.letters import write_notices, write_transfers
from pinghu_geo.deliver.schemereport import write_scheme_report
from pinghu_geo.deliver.weekly import write_weekly_report
from pinghu_geo.inputs import is_width_table
from pinghu_geo.nouns.inert import json_text
from pinghu_geo.nouns.messages import say, translated
from pinghu_geo.nouns.replacing import atomic_folder, digests, told_by, write_whole
from pinghu_geo.nouns.schema import Lang
from pinghu_geo.plan import Plan, read_plan
from pinghu_geo.project import ROOM

__all__ = ["project_papers"]


def project_papers(
    project: str | Path,
    out: str | Path,
    *,
    as_of: Any = None,
    bound: bool = False,
    templates: str | Path | None = None,
    force: bool = False,
    lang: Lang | None = None,
    progress: Progress | None = None,
) -> Path:
    r"""Write what a project signs and files, as Word files in a folder 项目文书.

    Parameters
    ----------
    project
        TOML file. Without a section [campaign] there are household files and the report on the
        schemes, with what is known.
    out
        Folder; it appears whole or not at all.
    as_of
        Day; by default the log's last.
    bound
        Household files, notices and transfers each bound in one file, instead of a file each.
    templates
        Folder of the office's templates, see `pinghu_geo.deliver.write_templates`; ours stand in
        for those that aren't there.
    force
        Replace the folder if it was made by this function. What you changed in it, or put there,
        is carried into the new one.
    lang
        Language of our templates; by default the project's.
    progress
        Called with a line of text before each step.

    Returns
    -------
    pathlib.Path
        The folder: 一户一档/, 督办通知书/, 作业面移交单/ (or a .docx each), 周报_<day>.docx,
        方案比选报告.docx, 挂图.pdf (where matplotlib is there), manifest.json. Two calls on the
        same input give the same bytes.

    Raises
    ------
    ProjectError, LayerError
        The project file, a layer or a template can't be used.
    OutputError
        The folder exists, or can't be written.

    Examples
    --------
    >>> plain = folder / "project.toml"
    >>> _ = plain.write_text(f'crs = 4547\n[layers]\nbuildings = "{sample}/房屋.shp"\n'
    ...     f'rivers = "{sample}/河道.shp"\n[schemes."原方案"]\nwidths = 9\n', "utf-8")
    >>> try:
    ...     pg.project_papers(plain, folder / "文书", templates=folder / "没有")
    ... except pg.errors.LayerError as fault:
    ...     print(fault.said[:8])
    template
    """
    plan = read_plan(Path(project))
    plan = replace(plan, lang=lang or plan.lang)
    require_known(templates)
    for kind in ("household", "weekly", "notice", "transfer", "schemes"):
        template_of(kind, templates)  # said before the work

    def tell(text: str) -> None:
        if progress is not None:
            progress(translated(text, plan.lang))

    target = Path(out)
    with atomic_folder(target, ours=_outputs_of_folder, force=force, tell=tell, room=ROOM) as made:
        found = computed_project(plan, as_of=as_of, progress=progress)

        def place(kind: str) -> Path:
            name = paper_name(kind, plan.lang)
            return made / (f"{name}.docx" if bound else name)

        common: dict[str, Any] = {"project": plan.name, "lang": plan.lang}
        _write_papers(plan, found, made, place, templates, common, tell)
        told = {"papers": version("pinghu_geo"), "outputs": digests(made)}
        write_whole(made / "manifest.json", json_text(told))
    return target


def _write_papers(
    plan: Plan,
    found: Computed,
    made: Path,
    place: Callable[[str], Path],
    templates: str | Path | None,
    common: dict[str, Any],
    tell: Progress,
) -> None:
    """All papers that the project has something for."""
    camp = found.campaign
    scheme = found.comparison.baseline if camp is None else camp.scheme
    tell("writing household files")
    write_household_files(
        found.affected, place("household"), template=template_of("household", templates),
        around=found.layers["buildings"], red_line=found.lines[scheme],
        rivers=found.layers["rivers"], **_campaign_arguments(plan, camp), **common,
    )  # fmt: skip
    if camp is not None:
        tell("writing report, notices and transfers")
        state = {"state": camp.state, "stages": camp.stages, **common}
        day = f"{camp.state.as_of:%Y-%m-%d}"
        write_weekly_report(
            camp.tasks, camp.state, camp.supervision,
            made / f"{paper_name('weekly', plan.lang)}_{day}.docx", plan=camp.replan,
            faces=camp.faces, baseline=camp.baseline, stages=camp.stages,
            template=template_of("weekly", templates), **common,
        )  # fmt: skip
        write_notices(
            camp.supervision, place("notice"), tasks=camp.tasks, plan=camp.plan,
            template=template_of("notice", templates), **state,
        )  # fmt: skip
        write_transfers(
            camp.faces, place("transfer"), tasks=camp.tasks,
            template=template_of("transfer", templates), **state,
        )  # fmt: skip
    _write_wall_maps(plan, found, scheme, made, tell)
    tell("writing the report on the schemes")
    said = list(found.warnings)
    if camp is not None:
        said.insert(0, camp.nodes_in_words(found.comparison.schemes[scheme].affected["node_id"],
                                           lang=plan.lang))  # fmt: skip
    write_scheme_report(
        found.comparison, made / f"{paper_name('schemes', plan.lang)}.docx",
        rivers=found.layers["rivers"], searched=found.least, widths=_width_tables(plan),
        reservations=said, template=template_of("schemes", templates), note=plan.note,
        **common,
    )  # fmt: skip


def _write_wall_maps(plan: Plan, found: Computed, scheme: str, made: Path, tell: Progress) -> None:
    """Wall maps of the scheme, where matplotlib is there."""
    if find_spec("matplotlib") is None:
        return
    from pinghu_geo.deliver.sheets import wall_maps

    tell("writing the wall maps")
    camp = found.campaign
    wall_maps(
        found.affected, found.lines[scheme], found.layers["rivers"],
        made / f"{say('wall maps', plan.lang)}.pdf", buildings=found.layers["buildings"],
        stages=None if camp is None else camp.stages, structures=found.structures,
        project=plan.name, lang=plan.lang,
        date="" if camp is None else f"{camp.state.as_of:%Y-%m-%d}",
    )  # fmt: skip


def _campaign_arguments(plan: Plan, camp: Campaign | None) -> dict[str, Any]:
    """What a household file says of the campaign."""
    if camp is None:
        return {}
    people = camp.tasks.tenants if "tenants" in plan.campaign else None
    return {"tenants": people, "nodes": camp.tasks.nodes, "state": camp.state,
            "stages": camp.stages}  # fmt: skip


def _width_tables(plan: Plan) -> dict[str, pd.DataFrame]:
    """Width tables that schemes name as files."""
    named = {n: s["widths"] for n, s in plan.schemes.items() if "widths" in s}
    return {n: plan.table(w, "widths") for n, w in named.items() if is_width_table(w)}


def _outputs_of_folder(folder: Path) -> dict[str, str] | None:
    """Files of a folder that `project_papers` made, with their digests; None where it didn't."""
    return told_by(folder, "papers")
