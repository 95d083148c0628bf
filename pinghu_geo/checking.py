"""Is a project sound? All faults at once, an error being what a run refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from pinghu_geo.computing import CAMPAIGN_STEP, FLOOD_STEP, compute_all
from pinghu_geo.cures import hint_for_files, table_of, with_hint, with_keys_for_cures
from pinghu_geo.flood.junctions import junction_table, refuse_circles
from pinghu_geo.inputs import is_width_table, path_and_options, prepare_layer, read_inputs
from pinghu_geo.intake.catalogue import FIELDS, Findings, errors_first
from pinghu_geo.intake.conditions import parse_condition
from pinghu_geo.intake.faults import examine, note_unread_columns, read_for_check
from pinghu_geo.keys import table_source
from pinghu_geo.nouns.errors import PinghuError
from pinghu_geo.nouns.messages import merged, translated
from pinghu_geo.nouns.notices import heard
from pinghu_geo.nouns.schema import Lang, noun
from pinghu_geo.plan import CAMPAIGN_TABLES, FLOOD_TABLES, Plan, read_plan
from pinghu_geo.river.centreline import lay_out, river_codes

__all__ = ["check_project"]


def check_project(project: str | Path, *, lang: Lang = "zh") -> pd.DataFrame:
    """Faults of all layers and tables of a project at once 项目数据检查.

    Parameters
    ----------
    project
        TOML file.
    lang
        Language of problem and advice.

    Returns
    -------
    pandas.DataFrame
        As `check`; a layer that can't be read at all is a row too. Each layer is held against the
        project's rivers (other zones), the rivers against the buildings. An error is what
        `run_project` refuses, and no more: the run is rehearsed with as little search as can be,
        so that what doesn't hinder it, such as an invalid footprint far from every line, is a
        warning. A note of each layer names the columns that nothing is read of, and what a run
        would note after its work is told as far as it is known without a search.

    Raises
    ------
    ProjectError
        The project file is wrong.
    """
    plan = read_plan(Path(project))
    files = _files_of_plan(plan)
    read: dict[str, tuple[Any, Findings]] = {}
    known: dict[str, tuple[Any, Findings]] = {}
    for name, (what, path, reading) in files.items():
        frame, seen = read_for_check(path, what, lang=lang, **reading)
        if frame is not None and not (what == "evidence" and plan.flood["rules"]):  # of any columns
            asked = parse_condition(reading["where"], what).names if reading.get("where") else ()
            also = [c.name for c in noun("evidence").columns] if what == "buildings" else []
            note_unread_columns(frame, noun(what), seen, read={*asked, *also})
        if name in plan.layers and frame is not None:
            known[name] = (frame, seen)
        rivers = read["rivers"][0] if what == "red_line" else None
        read[name] = (_prepared_or_none(plan, frame, what, seen, rivers), seen)
    others = {name: _sound_rows(read[name][0]) for name in ("rivers", "buildings")}
    found = []
    for name, (frame, seen) in read.items():
        other = others["buildings" if name == "rivers" else "rivers"]
        told = examine(frame, files[name][0], seen, other)
        if name == "junctions" and not (told["severity"] == "error").any():
            told = _faults_of_junctions(frame, seen, others["rivers"])
        found.append(told.assign(layer=name))
    faults = with_keys_for_cures(pd.concat(found, ignore_index=True)[list(FIELDS)])
    return _faults_by_rehearsal(plan, faults, lang, known)


def _files_of_plan(plan: Plan) -> dict[str, tuple[str, Any, dict[str, Any]]]:
    """Files of layers and tables, each with its noun and how it is read, by their names."""
    files: dict[str, tuple[str, Any, dict[str, Any]]] = {}
    for name, source in plan.layers.items():
        files[name] = (name, *path_and_options(plan, source))
    for name, given in plan.tables.items():
        files[name] = (name, *path_and_options(plan, given))
    for key, what in FLOOD_TABLES.items():
        if key in plan.flood:
            files[what] = (what, *path_and_options(plan, table_source(plan.flood[key])))
    for key, what in CAMPAIGN_TABLES.items():
        if key in plan.campaign and key != "log":  # which is judged report by report
            files[key] = (what, *path_and_options(plan, table_source(plan.campaign[key])))
    for name, source in plan.schemes.items():
        if is_width_table(source.get("widths")):
            files[name] = ("widths", *path_and_options(plan, table_source(source["widths"])))
        elif "path" in source:
            files[name] = ("red_line", *path_and_options(plan, source))
    return files


def _faults_of_junctions(
    frame: pd.DataFrame, seen: Findings, rivers: gpd.GeoDataFrame | None
) -> pd.DataFrame:
    """What each junction is refused for, and what all of them are; a run names but the first."""

    def refused(test: Callable[[], object]) -> bool:
        try:
            test()
        except PinghuError as fault:
            seen.add_error(fault)
            return True
        return False

    each = [refused(partial(junction_table, rows)) for _, rows in frame.groupby("junction")]
    if not any(each) and not refused(partial(junction_table, frame)):
        refused(partial(refuse_circles, junction_table(frame)))
    with suppress(PinghuError):  # which is said of the rivers
        lines = None if rivers is None else lay_out(rivers)
        if lines is not None:
            refused(partial(river_codes, pd.Series(frame["river"].unique()), lines, "junctions"))
    return seen.table()


def _prepared_or_none(
    plan: Plan, frame: Any, what: str, seen: Findings, rivers: gpd.GeoDataFrame | None = None
) -> Any:
    """A layer in the project's CRS, and repaired where the project says so; None if refused."""
    if not isinstance(frame, gpd.GeoDataFrame):
        return frame
    try:
        with heard():  # a fault says of it more than a notice
            return prepare_layer(plan, frame, what, seen, rivers)[0]
    except PinghuError as fault:
        seen.add_error(fault)
        return None


def _sound_rows(layer: Any) -> gpd.GeoDataFrame | None:
    """What of a layer others can be held against."""
    if layer is None or layer.crs is None:
        return None
    sound = layer[layer.is_valid & ~layer.is_empty & ~layer.geometry.isna()]
    return sound if len(sound) and sound.crs.is_projected else None


def _faults_by_rehearsal(
    plan: Plan, faults: pd.DataFrame, lang: Lang, known: Mapping[str, Any]
) -> pd.DataFrame:
    """Faults as a run takes them: an error is what it refuses, and all that it refuses is there.

    Layers that are ``known`` were read already.

    The run is rehearsed up to where it writes, by the same steps in the same order: searches end
    where they begin, and the rise is that of a few houses. What it passes over, such as an
    invalid footprint far from every line, is a warning.
    """
    errors = faults["severity"] == "error"
    steps: list[str] = []
    told_of_run: list[str] = []
    try:
        with heard():  # what was odd about files is a fault
            data = read_inputs(plan, known=known)
        with heard() as told_of_run:
            compute_all(plan, data, steps.append, rehearse=True)
    except PinghuError as fault:
        faults = _with_notices(plan, faults, told_of_run, lang)
        errors = faults["severity"] == "error"
        # what an earlier step computed with hinders nobody: this refusal is about something else
        passed = errors & faults["layer"].isin(_inputs_passed(plan, steps))
        faults.loc[passed, "severity"] = "warning"
        layer = next((n for n in plan.layers if fault.layer.startswith(n)), table_of(fault.layer))
        told = faults[
            errors & ~passed & faults["layer"].isin([layer, *_schemes_of_noun(plan, layer)])
        ]
        if told.empty:
            seen = Findings(layer or plan.path.name, lang)
            seen.add_error(with_hint(fault, hint_for_files(fault.hint)))
            faults = pd.concat([faults, seen.table()], ignore_index=True)
        return errors_first(faults)
    faults.loc[errors, "severity"] = "warning"
    return errors_first(_with_notices(plan, faults, told_of_run, lang))


def _with_notices(
    plan: Plan, faults: pd.DataFrame, notices: Sequence[str], lang: Lang
) -> pd.DataFrame:
    """Faults, and what a run would note of its inputs when the search and the flood are done."""
    seen = Findings(plan.path.name, lang)
    for k, note in enumerate(merged(notices), start=1):  # each a kind of its own in a summary
        seen.add("run_notice", column=str(k), why=translated(note, lang))
    return pd.concat([faults, seen.table()], ignore_index=True) if notices else faults


def _inputs_passed(plan: Plan, steps: Sequence[str]) -> set[str]:
    """Names of the layers and tables that a rehearsal had computed with when it was refused."""
    if CAMPAIGN_STEP in steps:
        read = (plan.layers, plan.tables, plan.schemes, FLOOD_TABLES, FLOOD_TABLES.values())
        return {name for names in read for name in names}
    return {*plan.layers, *plan.schemes} - {"parcels", "zones"} if FLOOD_STEP in steps else set()


def _schemes_of_noun(plan: Plan, layer: str) -> list[str]:
    """Schemes whose files are of this noun."""
    key = {"widths": "widths", "red_line": "path"}.get(layer, "")
    return [name for name, source in plan.schemes.items() if key in source]
