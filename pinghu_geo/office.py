"""What an office does day by day: adopt a scheme, hand out forms, take reports, see the state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from pinghu_geo.campaign.baseline import baseline_of
from pinghu_geo.campaign.reports import read_reports, update_progress
from pinghu_geo.campaign.standing import Campaign
from pinghu_geo.campaigning import (
    campaign_board,
    campaign_diagrams,
    campaign_msproject,
    campaign_stages,
    campaign_store,
    campaign_tenants,
    write_campaign,
)
from pinghu_geo.computing import Progress, progress_in, project_campaign
from pinghu_geo.cures import for_the_shell
from pinghu_geo.deliver.fieldpack import write_field_package
from pinghu_geo.deliver.forms import write_forms
from pinghu_geo.nouns.errors import LayerError, ProjectError
from pinghu_geo.nouns.files import existing
from pinghu_geo.nouns.inert import console_text, json_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.replacing import (
    atomic_folder,
    digests,
    made_folder,
    require_folder,
    told_by,
    write_whole,
)
from pinghu_geo.nouns.schema import Lang
from pinghu_geo.plan import Plan, read_plan
from pinghu_geo.project import ROOM, write_wall

__all__ = ["adopt_scheme", "campaign_project", "project_forms", "update_project"]


def adopt_scheme(
    project: str | Path,
    *,
    again: str | None = None,
    progress: Progress | None = None,
    lang: Lang | None = None,
) -> list[str]:
    r"""Adopt the project's scheme: its nodes keep ids and due dates from now on 采用方案.

    Parameters
    ----------
    project
        TOML file with a section [campaign].
    again
        Why the plan of today takes the place of the adopted one (调整期限): its dates are what is
        held against from now on. The one before stays in the store, and the weekly report names it.
    progress
        Called with a line of text before each step.
    lang
        ``"zh"`` or ``"en"``; by default what the project file says.

    Returns
    -------
    list
        Sentences that say what was adopted.

    Raises
    ------
    ProjectError
        The project has no campaign, its store has adopted another scheme, or ``again`` is blank.

    Notes
    -----
    What was adopted stays: a second call adds nothing but nodes that came since, with the dates of
    the plan from where we stand. A plan adopted anew is the one from where we stand, too.

    Examples
    --------
    >>> plain = folder / "project.toml"
    >>> _ = plain.write_text(f'crs = 4547\n[layers]\nbuildings = "{sample}/房屋.shp"\n'
    ...     f'rivers = "{sample}/河道.shp"\n[schemes."原方案"]\nwidths = 9\n', "utf-8")
    >>> try:
    ...     pg.adopt_scheme(plain)
    ... except pg.errors.ProjectError as fault:
    ...     print(fault.said)
    project.toml has no campaign.
    """
    plan = _plan_with_campaign(project, lang)
    if again is not None and not again.strip():
        raise ProjectError(
            "the plan isn't adopted anew without a reason",
            hint='pinghu adopt project.toml --again "围堰推迟"',
        )
    with for_the_shell(plan):
        store = campaign_store(plan)
        store.require_writable()
        _require_same_scheme(plan, store.scheme())
    found, _, noted = project_campaign(plan, progress=progress)
    said = _adopt_nodes(plan, found, again)
    if again is not None:
        return [*noted, *said]
    return [*found.summary(lang=plan.lang), *noted, *said]


def _plan_with_campaign(project: str | Path, lang: Lang | None) -> Plan:
    plan = read_plan(Path(project))
    plan = replace(plan, lang=lang or plan.lang)
    if not plan.campaign:
        raise ProjectError(
            f"{plan.path.name} has no campaign",
            hint=f'[campaign]\nadopted = "{next(iter(plan.schemes))}"\nstart = "2017-11-01"',
        )
    return plan


def _adopt_nodes(plan: Plan, found: Campaign, again: str | None = None) -> list[str]:
    """Freeze nodes and the dates that the store lacks, or all of today's plan; what was done."""
    store, day = campaign_store(plan), found.state.as_of
    made = found.plan if again is None else found.replan
    reaches = None if found.reaches is None else found.reaches.segments
    kept = baseline_of(made, day, found.inputs, (again or "").strip(), reaches)
    nodes = found.tasks.buildings["node_id"]
    n = store.adopt(plan.campaign["adopted"], nodes, kept, again=again is not None)
    said = []
    if n:
        said.append(say("The due dates of {} nodes are kept in the store.", plan.lang, n))
    if again is not None:
        if (now := store.baseline()) is not None:
            said += now.in_words(lang=plan.lang)
        before, after = (s.nodes["due"] for s in (found.plan, found.replan))
        counts = (int((after > before).sum()), int((after < before).sum()))
        said.append(say("Due later than before: {} nodes; earlier: {}.", plan.lang, *counts))
    return said


def update_project(
    project: str | Path,
    files: Sequence[str | Path],
    *,
    today: Any = None,
    board: str | Path | None = None,
    progress: Progress | None = None,
    lang: Lang | None = None,
) -> pd.DataFrame:
    r"""Take reports into a project's store: forms, tables, field packages 更新进度.

    Parameters
    ----------
    project
        TOML file with a section [campaign].
    files
        Returned forms, workbooks, CSV, GeoPackages; one transaction each.
    today
        Reports of later days are refused; by default no day is too late.
    board
        Folder whose board.html and map.html are written anew when the reports are in; pages that
        are open on the wall reload themselves.
    progress
        Called with a line of text before each step.
    lang
        ``"zh"`` or ``"en"``; by default what the project file says.

    Returns
    -------
    pandas.DataFrame
        As `pinghu_geo.campaign.update_progress`.

    Raises
    ------
    ProjectError
        The project has no campaign.
    LayerError
        A file has faults: nothing of it is kept, the files before it are.

    Notes
    -----
    The first update adopts the scheme, with the dates of its plan. Later ones read the ids from the
    store, without computing the scheme anew; only an id that isn't there has it computed.

    Examples
    --------
    >>> plain = folder / "project.toml"
    >>> _ = plain.write_text(f'crs = 4547\n[layers]\nbuildings = "{sample}/房屋.shp"\n'
    ...     f'rivers = "{sample}/河道.shp"\n[schemes."原方案"]\nwidths = 9\n', "utf-8")
    >>> try:
    ...     pg.update_project(plain, ["日报.xlsx"])
    ... except pg.errors.ProjectError as fault:
    ...     print(fault.said)
    project.toml has no campaign.
    """
    plan = _plan_with_campaign(project, lang)
    if board is not None:
        require_folder(Path(board))
    with for_the_shell(plan):
        store, stages = campaign_store(plan), campaign_stages(plan)
        common: dict[str, Any] = {"stages": stages, "today": today, "project": plan.name}
        if "log" in plan.campaign:
            log = plan.file(plan.campaign["log"])
            common["before"] = read_reports(log, stages=stages, project=plan.name)
        for file in files:
            existing(Path(file), "progress")
        store.require_writable()
        scheme = store.scheme()
        _require_same_scheme(plan, scheme)
    fresh = None
    if scheme is None or store.baseline() is None:  # an earlier version kept no dates
        fresh = project_campaign(plan, progress=progress)
        _adopt_nodes(plan, fresh[0])
    done = []
    with for_the_shell(plan):
        for file in files:
            nodes = store.nodes().to_frame()
            people = _tenants_of_nodes(plan, nodes)
            try:
                done.append(update_progress(store, [file], nodes, tenants=people, **common))
            except LayerError as fault:
                if fresh is not None and not _is_unknown_id(fault):
                    raise
                # an id that isn't adopted: whose is it, or has the campaign grown?
                if fresh is None and _is_unknown_id(fault):
                    fresh = project_campaign(plan, progress=progress)
                    _adopt_nodes(plan, fresh[0])
                if fresh is None:
                    raise
                nodes = store.nodes().to_frame()
                people = _tenants_of_nodes(plan, nodes)
                done.append(
                    update_progress(
                        store, [file], nodes, tenants=people, elsewhere=fresh[1], **common
                    )
                )
    if board is not None:
        write_wall(plan, Path(board), progress=progress)
    return pd.concat(done, ignore_index=True)


def _require_same_scheme(plan: Plan, scheme: str | None) -> None:
    """Refuse a project whose campaign's store has adopted another scheme."""
    if scheme not in (None, plan.campaign["adopted"]):
        raise ProjectError(
            f"two schemes are adopted: {scheme} in the store, {plan.campaign['adopted']} in the "
            "project",
            hint=f'adopted = "{scheme}", or another store for another campaign',
        )


def _is_unknown_id(fault: LayerError) -> bool:
    return "of this campaign" in fault.said


def _tenants_of_nodes(plan: Plan, nodes: pd.DataFrame) -> pd.DataFrame | None:
    """Tenants of the adopted scheme's buildings."""
    tenants = campaign_tenants(plan)
    if tenants is None:
        return None
    people = tenants[tenants["building_id"].isin(nodes.index)]
    return people.assign(node_id=people["building_id"].map(nodes["node_id"]))


def project_forms(
    project: str | Path,
    folder: str | Path,
    *,
    progress: Progress | None = None,
    lang: Lang | None = None,
) -> list[Path]:
    r"""Write a project's forms for progress, a workbook a group, and one for QField 进度填报表.

    Parameters
    ----------
    project
        TOML file with a section [campaign].
    folder
        Where the workbooks go.
    progress
        Called with a line of text before each step.
    lang
        ``"zh"`` or ``"en"``; by default what the project file says.

    Returns
    -------
    list
        Paths.

    Raises
    ------
    ProjectError
        The project has no campaign.

    Notes
    -----
    With the forms the nodes' ids go out: the scheme is adopted.

    Examples
    --------
    >>> plain = folder / "project.toml"
    >>> _ = plain.write_text(f'crs = 4547\n[layers]\nbuildings = "{sample}/房屋.shp"\n'
    ...     f'rivers = "{sample}/河道.shp"\n[schemes."原方案"]\nwidths = 9\n', "utf-8")
    >>> try:
    ...     pg.project_forms(plain, folder / "填报")
    ... except pg.errors.ProjectError as fault:
    ...     print(fault.said)
    project.toml has no campaign.
    """
    plan = _plan_with_campaign(project, lang)
    require_folder(Path(folder))
    found, *_ = project_campaign(plan, progress=progress)
    _adopt_nodes(plan, found)
    target = made_folder(Path(folder))
    common: dict[str, Any] = {
        "tenants": found.tasks.tenants if "tenants" in plan.campaign else None,
        "stages": found.stages, "project": plan.name, "lang": plan.lang,
    }  # fmt: skip
    tables = (found.tasks.buildings, found.tasks.nodes, found.state)
    made = write_forms(*tables, target, blockers=plan.campaign["blockers"], **common)
    if made:
        package = target / f"{say('field package', plan.lang)}.gpkg"
        made += write_field_package(*tables, package, **common)
    return made


def campaign_project(
    project: str | Path,
    out: str | Path,
    *,
    as_of: Any = None,
    force: bool = False,
    progress: Progress | None = None,
    lang: Lang | None = None,
) -> list[str]:
    r"""Write a campaign's tables, board and diagrams as of any day 征拆推进.

    Parameters
    ----------
    project
        TOML file with a section [campaign].
    out
        Folder; it appears whole or not at all.
    as_of
        Day; by default the log's last.
    force
        Replace the folder if it was made by this function.
    progress
        Called with a line of text before each step.
    lang
        ``"zh"`` or ``"en"``; by default what the project file says.

    Returns
    -------
    list
        Sentences for people.

    Raises
    ------
    ProjectError
        The project has no campaign.
    OutputError
        The folder exists.

    Examples
    --------
    >>> plain = folder / "project.toml"
    >>> _ = plain.write_text(f'crs = 4547\n[layers]\nbuildings = "{sample}/房屋.shp"\n'
    ...     f'rivers = "{sample}/河道.shp"\n[schemes."原方案"]\nwidths = 9\n', "utf-8")
    >>> try:
    ...     pg.campaign_project(plain, folder / "0301", as_of="2018-03-01")
    ... except pg.errors.ProjectError as fault:
    ...     print(fault.said)
    project.toml has no campaign.
    """
    plan = _plan_with_campaign(project, lang)
    tell = progress_in(progress, plan.lang)
    with atomic_folder(
        Path(out), ours=_outputs_of_folder, force=force, tell=tell, room=ROOM
    ) as made:
        found, _, noted = project_campaign(plan, as_of=as_of, progress=progress)
        lines = [*found.summary(lang=plan.lang), *noted]
        write_campaign(found, made / "campaign.xlsx", lang=plan.lang)
        campaign_board(found, plan).save(made / "board.html")
        campaign_diagrams(found, plan, made / "time_chainage.pdf")
        campaign_msproject(found, plan, made / "schedule.xml")
        said = "".join(f"{console_text(line)}\n" for line in lines)
        write_whole(made / "summary.txt", said)
        told = {"campaign": version("pinghu_geo"), "outputs": digests(made)}
        write_whole(made / "manifest.json", json_text(told))
    return lines


def _outputs_of_folder(folder: Path) -> dict[str, str] | None:
    """Files of a folder that `campaign_project` made, with their digests; None where it didn't."""
    if (told := told_by(folder, "campaign")) is not None:
        return told
    names = {p.name for p in folder.iterdir()}
    always = {"campaign.xlsx", "summary.txt"}  # earlier versions wrote no more
    more = {"board.html", "time_chainage.pdf", "schedule.xml"}  # a kill may leave without the list
    return dict.fromkeys(names & (always | more), "") if always <= names else None
