"""Run it all from one project file: layers in, one folder of results out."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import platform
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from pinghu_geo.campaign.stages import stage_words
from pinghu_geo.deliver.report import write_results, write_sheets
from pinghu_geo.deliver.standing import structures_on_plan
from pinghu_geo.inputs import (
    Inputs,
    is_width_table,
    path_and_options,
    prepare_layer,
    read_inputs,
)
from pinghu_geo.intake.catalogue import FIELDS, NO_ROW, Findings, errors_first
from pinghu_geo.intake.faults import (
    check_summary,
    examine,
    read_for_check,
)
from pinghu_geo.intake.formats import POSTGIS
from pinghu_geo.keys import table_source
from pinghu_geo.nouns.errors import LayerError, OptimiseError, PinghuError, ProjectError
from pinghu_geo.nouns.inert import console_text, json_text, source_name
from pinghu_geo.nouns.messages import merged, say, translated
from pinghu_geo.nouns.notices import heard, notify
from pinghu_geo.nouns.replacing import atomic_folder, digests, made_folder, write_whole
from pinghu_geo.nouns.schema import NOUNS, Lang, code_label, label, spoken
from pinghu_geo.nouns.tables import each_row
from pinghu_geo.plan import (
    CAMPAIGN_TABLES,
    FLOOD_TABLES,
    Plan,
    read_plan,
)
from pinghu_geo.redline.lines import red_line
from pinghu_geo.redline.overlap import affected, belongs_to, totals
from pinghu_geo.river.centreline import station_ticks, stations
from pinghu_geo.schemes.alternatives import (
    Assessment,
    Comparison,
    assess,
    assessed,
    compare_assessed,
)
from pinghu_geo.schemes.cost import clearing
from pinghu_geo.schemes.nodes import node_table

if TYPE_CHECKING:  # most projects need not all of these, which take their time to import
    from pinghu_geo.campaign.standing import Campaign
    from pinghu_geo.designing import DesignedRiver, RiverInFlood
    from pinghu_geo.search.optimise import LeastDemolition
    from pinghu_geo.search.outcome import WithinRise

__all__ = ["check_project", "for_the_shell", "project_campaign", "run_project", "sample_folder"]

# A result takes no less than a page's own scripts and an empty database [bytes].
ROOM = 2**19
PACKAGES = ("pinghu_geo", "geopandas", "shapely", "pandas", "numpy", "pyproj", "pyogrio", "folium")

# What runs of versions wrote whose manifest doesn't list it.
# Limit of the schedule's search where a run is only rehearsed.
REHEARSED_WORK = 0.01
OUTPUTS = re.compile(
    r"(results\.gpkg|(ledger|repairs|campaign|hydraulics)\.xlsx|map\.html|summary\.json|(widths|proof|rise)_.+\.xlsx)"
)

# what to do in Excel, by the Python that cures the same; the first that fits
CURES_IN_FILES = {
    r"# or format the column as a date before saving$": (
        "format the column as a date in Excel, and save the file again"
    ),
    r"^write 2018-03-01 .*pd\.to_datetime\(": "write 2018-03-01, or leave the cell empty",
    r"\.map\(pg\.parse_chainage\)$": "write chainages as K1+200, or as metres",
    r"^sections = pg\.flood\.section_offsets\(|^bed = pg\.flood\.section_offsets\(": (
        'sections = { path = "断面.hdm", origin = "left_bank", centre_m = "middle" }  # in [flood]'
    ),
    r'^name that column demolish_floor_area_m2;|"demolish_floor_area_m2"\]$': (
        'give the buildings floor areas (建筑面积) or floors (层数): columns = { floors = "列名" }'
        "  # in [layers.buildings]"
    ),
    r"tasks\.loc\[ids, column\] = \.\.\.$": (
        "give their buildings floor areas (建筑面积) or floors (层数), and tenants (租户数), "
        "0 where nobody rents"
    ),
    r"pd\.to_numeric\(|\.replace\(\[float\(|\.where\(": "correct them, or leave the cells empty",
    r"^buildings = buildings\[buildings\.geom_type\.isin": (
        "areas_only = true  # in [layers.buildings], if these are walls, steps or notes"
    ),
    r'^red_line\["river"\] = ': (
        "draw an area for each river around its centreline, or name the river of each in a column"
    ),
    r"^(\w+) = \1(?:\.loc)?\[": "correct the rows in the file, or leave them out",
}

# faults whose cure is a line of Python, and the key of the project file that does the same
KEYS_FOR_FAULTS = {
    "missing_column": 'columns = {{ {field} = "列名" }}',
    "no_crs": "crs = 4547",
    "in_pieces": "join_gap_m = 20",
    "scattered_parts": "split_parts = true",
    "invalid_geometry": "repair = true",
    "has_z": "repair = true",
}

Progress = Callable[[str], None]
# steps of a run by which it is known what layers and tables have been computed with
FLOOD_STEP = "computing the flood and what may stay"
CAMPAIGN_STEP = "computing tasks, reaches, schedule and progress"


def sample_folder() -> Path:
    """Folder of the synthetic sample 示例数据目录.

    Returns
    -------
    pathlib.Path
        With ``project.toml`` and the layers it names; see its ``README.md``.

    Examples
    --------
    >>> (pg.sample_folder() / "project.toml").exists()
    True
    """
    here = Path(__file__).parent
    checkout = here.parent / "data" / "shapefiles"
    return checkout if (checkout / "project.toml").exists() else here / "sample"


def run_project(
    project: str | Path,
    out: str | Path,
    *,
    force: bool = False,
    outputs: Iterable[str] | None = None,
    lang: Lang | None = None,
    progress: Progress | None = None,
) -> Path:
    r"""Run a project file and write one folder of results 运行项目.

    Parameters
    ----------
    project
        TOML file: layers, tables, schemes, rules; see README.
    out
        Folder for the results; it appears whole or not at all.
    force
        Replace the folder if it exists and was made by this function. Files that you put there,
        and those of ours that you changed (under another name), are carried into the new one.
    outputs
        Which results are written: some of ``"gpkg"``, ``"ledger"``, ``"map"``, ``"campaign"``,
        ``"board"``, ``"diagram"``, ``"schedule"``, ``"hydraulics"``, or ``"summary"`` alone, which
        is always written; by default as the project's ``outputs`` says, else all. What was
        computed is the same. The folder holds what this run wrote, nothing of an earlier one.
    lang
        Language of results and progress; by default the project's, which is ``"zh"`` where it
        doesn't say.
    progress
        Called with a line of text before each step.

    Returns
    -------
    pathlib.Path
        The folder: results.gpkg, results.qgz, ledger.xlsx, map.html, summary.json, manifest.json,
        where there is a flood hydraulics.xlsx, and
        reading.log, which says what was odd about each file; with a campaign campaign.xlsx,
        board.html, schedule.xml and, where matplotlib is there, time_chainage.pdf;
        repairs.xlsx, row by row, where the project says ``repair = true``; and for each scheme that
        was searched for ``widths_``, ``proof_`` and perhaps ``searched_`` and ``rise_`` with its
        name (.xlsx). Two runs on the same input give the same bytes.

    Raises
    ------
    ProjectError
        The project file is wrong.
    OutputError
        The folder exists, another run is writing it, or it can't be written; said before the work
        where it can be known.
    PinghuError
        A layer can't be used; the message names it.

    Examples
    --------
    >>> project = folder / "project.toml"
    >>> _ = project.write_text(f'crs = 4547\n[layers]\nbuildings = "{sample}/房屋.shp"\n'
    ...     f'rivers = "{sample}/河道.shp"\n[schemes."原方案"]\nwidths = 9\n', "utf-8")
    >>> made = pg.run_project(project, folder / "结果")
    >>> {"ledger.xlsx", "map.html", "results.gpkg"} <= {p.name for p in made.iterdir()}
    True
    """
    plan = read_plan(Path(project))
    plan = replace(plan, lang=lang or plan.lang).only(outputs)
    tell = progress_in(progress, plan.lang)
    target = Path(out)
    with atomic_folder(target, ours=_outputs_of_folder, force=force, tell=tell, room=ROOM) as made:
        tell("reading the layers")
        with heard() as said, for_the_shell(plan):
            data = read_inputs(plan)
            found = _compute_all(plan, data, tell)
            _say_doubts_of_affected(plan, data, found)
        _write_outputs(plan, data, found, merged(said), made, tell)
    return target


def _say_doubts_of_affected(plan: Plan, data: Inputs, found: _Computation) -> None:
    """Say what is doubtful of the houses that any scheme takes; of all others `check` says it."""
    taken = {i for scheme in found.comparison.schemes.values() for i in scheme.affected.index}
    houses = data.layers["buildings"]
    mine = houses[houses.index.isin(taken)]
    faults = examine(mine, "buildings", Findings("buildings", plan.lang), None)
    kinds = check_summary(faults[faults["severity"].ne("note") & faults["id"].ne(NO_ROW)])
    told = [f"{row.problem} ({row.count}: {row.ids})" for row in each_row(kinds)]
    if told:
        data.reading.extend([say("doubts about houses that a scheme takes", plan.lang), *told])
        notify(
            f"{kinds['count'].sum()} doubts about houses that a scheme takes stand in reading.log: "
            f"{'; '.join(told)}"
        )


def progress_in(progress: Progress | None, lang: Lang) -> Progress:
    """Progress in a language; of nobody who listens, none."""
    if progress is None:
        return lambda _: None
    return lambda text: progress(translated(text, lang))


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
        warning.

    Raises
    ------
    ProjectError
        The project file is wrong.
    """
    plan = read_plan(Path(project))
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
    read: dict[str, tuple[Any, Findings]] = {}
    known: dict[str, tuple[Any, Findings]] = {}
    for name, (what, path, reading) in files.items():
        frame, seen = read_for_check(path, what, lang=lang, **reading)
        if name in plan.layers and frame is not None:
            known[name] = (frame, seen)
        rivers = read["rivers"][0] if what == "red_line" else None
        read[name] = (_prepared_or_none(plan, frame, what, seen, rivers), seen)
    others = {name: _sound_rows(read[name][0]) for name in ("rivers", "buildings")}
    found = []
    for name, (frame, seen) in read.items():
        other = others["buildings" if name == "rivers" else "rivers"]
        found.append(examine(frame, files[name][0], seen, other).assign(layer=name))
    faults = _with_keys_for_cures(pd.concat(found, ignore_index=True)[list(FIELDS)])
    return _faults_by_rehearsal(plan, faults, lang, known)


def _with_keys_for_cures(faults: pd.DataFrame) -> pd.DataFrame:
    """Faults with keys of the project file where a cure is a line of Python."""
    for fault, key in KEYS_FOR_FAULTS.items():
        rows = faults["fault"] == fault
        faults.loc[rows, "advice"] = [key.format(field=f) for f in faults.loc[rows, "field"]]
    lines = (faults["fault"] == "wrong_geometry") & (faults["layer"] == "buildings")
    faults.loc[lines, "advice"] = "areas_only = true"
    return faults


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
    try:
        with heard():
            data = read_inputs(plan, known=known)
            _compute_all(plan, data, steps.append, rehearse=True)
    except PinghuError as fault:
        # what an earlier step computed with hinders nobody: this refusal is about something else
        passed = errors & faults["layer"].isin(_inputs_passed(plan, steps))
        faults.loc[passed, "severity"] = "warning"
        layer = next((n for n in plan.layers if fault.layer.startswith(n)), fault.layer)
        told = faults[
            errors & ~passed & faults["layer"].isin([layer, *_schemes_of_noun(plan, layer)])
        ]
        if told.empty:
            seen = Findings(layer or plan.path.name, lang)
            seen.add_error(_with_hint(fault, _hint_for_files(fault.hint)))
            faults = pd.concat([faults, seen.table()], ignore_index=True)
        return errors_first(faults)
    faults.loc[errors, "severity"] = "warning"
    return errors_first(faults)


def _inputs_passed(plan: Plan, steps: Sequence[str]) -> set[str]:
    """Names of the layers and tables that a rehearsal had computed with when it was refused."""
    if CAMPAIGN_STEP in steps:
        read = (plan.layers, plan.tables, plan.schemes, FLOOD_TABLES, FLOOD_TABLES.values())
        return {name for names in read for name in names}
    return {*plan.layers, *plan.schemes} - {"parcels", "zones"} if FLOOD_STEP in steps else set()


def _with_hint(fault: PinghuError, hint: str) -> PinghuError:
    """A fault with another cure."""
    if not isinstance(fault, LayerError) or hint == fault.hint:
        return fault
    return LayerError(fault.problem, layer=fault.layer, ids=fault.ids, hint=hint, fault=fault.fault)


def _schemes_of_noun(plan: Plan, layer: str) -> list[str]:
    """Schemes whose files are of this noun."""
    key = {"widths": "widths", "red_line": "path"}.get(layer, "")
    return [name for name, source in plan.schemes.items() if key in source]


# --- the steps ---


def _outputs_of_folder(folder: Path) -> dict[str, str] | None:
    """Files that a run wrote into a folder, with their digests; None where none did."""
    try:
        said = json.loads((folder / "manifest.json").read_text("utf-8"))
        ours = "pinghu_geo" in said["versions"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not ours:
        return None
    made = said.get("outputs")
    if not isinstance(made, dict):  # of a version that didn't say
        made = {p.name: "" for p in folder.iterdir() if p.is_file() and OUTPUTS.fullmatch(p.name)}
    return {**made, "manifest.json": ""}


@contextmanager
def for_the_shell(plan: Plan) -> Iterator[None]:
    """Give faults of a layer or table its file, and a cure for those who type no Python."""
    try:
        yield
    except LayerError as fault:
        named = _layer_with_file(plan, fault.layer)
        hint = _hint_for_files(fault.hint)
        if fault.fault == "invalid_geometry" and named is not None:
            hint = f"repair = true  # in {plan.path.name}, above the first [section]"
        if named is None and hint == fault.hint:
            raise
        raise LayerError(fault.problem, layer=named or fault.layer, ids=fault.ids, hint=hint,
                         fault=fault.fault) from fault  # fmt: skip
    except OptimiseError as fault:
        limit = re.match(r'limits = limits \| \{"(\w+)": ([\d.]+)\}', fault.hint)
        if limit is None:
            raise
        raise OptimiseError(
            fault.problem, ids=fault.ids,
            hint=f"{limit[1]} = {limit[2]}  # in the least = {{ ... }} of the scheme",
        ) from fault  # fmt: skip


def _hint_for_files(hint: str) -> str:
    """What to do in Excel, where a hint is a line of Python about a table; else the hint."""
    for python, cure in CURES_IN_FILES.items():
        if re.search(python, hint):
            return cure
    return hint


def _layer_with_file(plan: Plan, layer: str) -> str | None:
    """A layer or table with the one file that the project names for it; None where none is one."""
    if layer == "fixed":
        noun, given = "segments", [plan.campaign.get("fixed")]
    elif layer == "stages":
        noun, given = layer, [plan.campaign.get("stages")]
    elif layer == "progress":  # reports name their files themselves
        return None
    else:
        noun, given = layer, [plan.layers.get(layer), plan.tables.get(layer)]
        for section, tables in ((plan.flood, FLOOD_TABLES), (plan.campaign, CAMPAIGN_TABLES)):
            given += [section.get(key) for key, what in tables.items() if what == layer]
        if layer == "sections":
            given.append(plan.flood.get("sections"))
        if layer == "groups" and not isinstance(plan.campaign.get("groups"), int | list):
            given.append(plan.campaign.get("groups"))
    files = [one for one in given if one is not None]
    return f"{noun} ({source_name(table_source(files[0])['path'])})" if len(files) == 1 else None


@dataclass(frozen=True, slots=True)
class _Computation:
    """Everything that was computed."""

    comparison: Comparison
    least: dict[str, LeastDemolition | WithinRise]
    affected: gpd.GeoDataFrame
    nodes: gpd.GeoDataFrame
    parcels: gpd.GeoDataFrame | None
    flood: RiverInFlood | None
    campaign: Campaign | None

    @property
    def lines(self) -> dict[str, gpd.GeoDataFrame]:
        """Red line of each scheme."""
        return {name: one.red_line for name, one in self.comparison.schemes.items()}


def _assessed_schemes(
    plan: Plan,
    data: Inputs,
    least: Mapping[str, LeastDemolition | WithinRise],
    *,
    depths: bool = True,
) -> dict[str, Assessment]:
    """Every scheme by the project's rules, once: what a search assessed by them is handed on."""
    rules = {
        "partial_rule": plan.rules["partial"],
        **{k: plan.rules[k] for k in ("survey_tolerance_m", "gap_m", "max_length_m")},
    }
    rivers, known = data.layers["rivers"], {}
    for name, best in least.items():
        first = plan.schemes[name]["least"]["from"]
        before, found = best.comparison.schemes.values()
        known[name] = found
        if plan.schemes[first].get("interpolation", "linear") == "linear":
            known[first] = before
    usual = inspect.signature(assess).parameters
    as_searched = all(usual[k].default == value for k, value in rules.items())
    done = {}
    for name, source in plan.schemes.items():
        if as_searched and name in known:
            done[name] = known[name]
            continue
        if name in known:
            line = known[name].red_line
        elif name in data.lines:
            line = data.lines[name]
        else:
            between = source.get("interpolation", "linear")
            line = red_line(rivers, data.widths[name], interpolation=between)
        done[name] = assessed(
            line, data.layers["buildings"], rivers, rates=data.tables.get("rates"), **rules,
            depths=depths,
        )  # fmt: skip
    return done


@dataclass(frozen=True, slots=True)
class Computed:
    """What a project's papers are made of: layers, lines, schemes, searches, campaign."""

    layers: dict[str, gpd.GeoDataFrame]
    lines: dict[str, gpd.GeoDataFrame]
    comparison: Comparison
    affected: gpd.GeoDataFrame
    least: dict[str, LeastDemolition | WithinRise]
    campaign: Campaign | None
    warnings: list[str]
    structures: pd.DataFrame | None = None


def computed_project(
    plan: Plan, *, as_of: Any = None, progress: Progress | None = None
) -> Computed:
    """A project as a run computes it, as of a day, without writing anything."""
    tell = progress_in(progress, plan.lang)
    tell("reading the layers")
    with heard() as said, for_the_shell(plan):
        data = read_inputs(plan)
        found = _compute_all(plan, data, tell, as_of=as_of)
    return Computed(
        data.layers, found.lines, found.comparison, found.affected, found.least, found.campaign,
        [translated(note, plan.lang) for note in merged(said)],
        data.structures,
    )  # fmt: skip


def project_campaign(
    plan: Plan, *, as_of: Any = None, progress: Progress | None = None
) -> tuple[Campaign, dict[str, str], list[str]]:
    """A project's campaign as of a day; in which scheme other buildings are; what to note."""
    found = computed_project(plan, as_of=as_of, progress=progress)
    elsewhere = {
        str(building): name
        for name, one in found.comparison.schemes.items()
        for building in one.affected.index.difference(found.affected.index)
    }
    if found.campaign is None:
        raise ProjectError(f"{plan.path.name} has no campaign", hint='[campaign]\nadopted = "..."')
    noted = [say("Note: {}", plan.lang, note) for note in found.warnings]
    return found.campaign, elsewhere, noted


def write_wall(plan: Plan, folder: Path, *, progress: Progress | None = None) -> list[Path]:
    """Board and map of a project's campaign as of the log's last day, each whole or not at all."""
    from pinghu_geo.campaigning import campaign_board

    tell = progress_in(progress, plan.lang)
    tell("reading the layers")
    with heard(), for_the_shell(plan):
        data = read_inputs(plan)
        found = _compute_all(plan, data, tell)
    if found.campaign is None:
        raise ProjectError(f"{plan.path.name} has no campaign", hint='[campaign]\nadopted = "..."')
    tell("writing the board and the map")
    made_folder(folder)
    board = campaign_board(found.campaign, plan).save(folder / "board.html")
    target = folder / "map.html"
    _save_map_of_run(plan, data, found, target)
    return [board, target]


def _compute_all(
    plan: Plan, data: Inputs, tell: Progress, *, as_of: Any = None, rehearse: bool = False
) -> _Computation:
    rules, layers = plan.rules, data.layers
    river: DesignedRiver | None = None
    least: dict[str, LeastDemolition | WithinRise] = {}
    if plan.flood or any("least" in source for source in plan.schemes.values()):
        from pinghu_geo.designing import designed_and_searched  # hydraulics and search

        river, least = designed_and_searched(plan, data, tell, rehearse=rehearse)
    tell("computing the red line and who is affected")
    # of depths only a campaign makes more than columns: who is surveyed first
    depths = bool(plan.campaign) or not rehearse
    schemes = _assessed_schemes(plan, data, least, depths=depths)
    comparison = compare_assessed(schemes, partial_rule=rules["partial"])
    # what follows is about one scheme: the adopted one, or the baseline before any is adopted
    scheme = plan.campaign.get("adopted", comparison.baseline)
    hit = comparison.schemes[scheme].affected.copy()
    if "zones" in layers:
        hit = hit.join(clearing(hit, layers["zones"], least_ratio=rules["zone_ratio"]))
    flood = None
    if river is not None:
        from pinghu_geo.designing import flood_and_verdicts

        tell(FLOOD_STEP)
        flood, verdicts = flood_and_verdicts(plan, data, river, hit, tell, rehearse=rehearse)
        hit = hit.join(verdicts)
    parcels = None
    if "parcels" in layers:
        hit["parcel_id"] = belongs_to(hit, layers["parcels"])
        parcels = affected(
            layers["parcels"],
            comparison.schemes[scheme].red_line,
            layers["rivers"],
            survey_tolerance_m=rules["survey_tolerance_m"],
        )
        on = totals(hit, "parcel_id")
        on = on[on.index.notna()].drop(columns=["inside_m2", "n_full", "n_partial", "n_survey"])
        # on a parcel without any building that falls there is nothing to sum: 0, and known
        parcels = parcels.join(on.reindex(on.index.union(parcels.index), fill_value=0))
    segments = data.tables.get("segments")
    if not plan.campaign:
        nodes = node_table(hit, segments, rivers=layers["rivers"])
        return _Computation(comparison, least, hit, nodes, parcels, flood, None)
    from pinghu_geo.campaigning import campaign_of

    tell(CAMPAIGN_STEP)
    work = REHEARSED_WORK if rehearse else None
    campaign = campaign_of(plan, hit, layers, segments, as_of=as_of, work=work)
    if scheme in least:
        campaign = replace(campaign, proven=_proof_of_search(scheme, least[scheme], plan.lang))
    nodes = campaign.nodes()
    hit = hit.drop(columns="node_id", errors="ignore").join(
        campaign.tasks.buildings[["node_id", "task_class", "payer", "others_due"]]
    )
    now = campaign.state.buildings.reindex(hit.index)
    hit = hit.join(now[["stage", "since", "blocker", "blocker_since"]])
    return _Computation(comparison, least, hit, nodes, parcels, flood, campaign)


def _write_outputs(
    plan: Plan, data: Inputs, found: _Computation, notes: list[str], folder: Path, tell: Progress
) -> None:
    """What a run writes, of that what is wanted: the summary and what was searched always."""
    from pinghu_geo.deliver.ledger import write_hydraulics, write_ledger

    layers = data.layers
    if plan.writes("gpkg"):
        tell("writing results.gpkg")
        _write_layers(plan, data, found, folder)
    if found.least:
        from pinghu_geo.designing import write_searches

        write_searches(plan, found.least, folder)
    write_whole(folder / "reading.log", "\n".join(map(console_text, data.reading)) + "\n")
    if plan.repair or any(s.get("repair") for s in plan.layers.values()):
        of = NOUNS["repairs"].zh if plan.lang == "zh" else "repairs"
        path, words = folder / "repairs.xlsx", {of: "repairs"}
        write_sheets({of: data.repairs}, path, nouns=words, lang=plan.lang)
    if found.campaign is not None:
        _write_campaign_files(plan, found.campaign, folder, tell)
    if plan.writes("ledger"):
        tell("writing ledger.xlsx")
        write_ledger(
            found.affected,
            folder / "ledger.xlsx",
            parcels=found.parcels,
            nodes=found.nodes,
            comparison=found.comparison,
            campaign=found.campaign,
            rivers=layers["rivers"],
            title=say("{} · ledger", plan.lang, plan.name),
            lang=plan.lang,
            note=plan.note,
            published=plan.published,
        )
    if found.flood is not None and plan.writes("hydraulics"):
        tell("writing hydraulics.xlsx")
        write_hydraulics(
            found.flood.profile, folder / "hydraulics.xlsx", freeboard=found.flood.freeboard,
            rivers=layers["rivers"], title=plan.name, lang=plan.lang,
        )  # fmt: skip
    if plan.writes("map"):
        tell("writing map.html")
        _save_map_of_run(plan, data, found, folder / "map.html")
    tell("writing summary.json and manifest.json")
    write_whole(folder / "summary.json", json_text(_summary_of_run(plan, data, found, notes)))
    write_whole(
        folder / "manifest.json",
        json_text(_manifest_of_inputs(plan) | {"outputs": digests(folder)}),
    )


def _write_layers(plan: Plan, data: Inputs, found: _Computation, folder: Path) -> None:
    """Layers of a run, and the QGIS project that opens them."""
    from pinghu_geo.deliver.qgis import write_qgis_project

    layers, comparison = data.layers, found.comparison
    out = {
        "affected": found.affected,
        "nodes": found.nodes,
        **{f"red_line_{name}": line.assign(scheme=name) for name, line in found.lines.items()},
        "rivers": layers["rivers"],
        "stations": stations(layers["rivers"]),
        "station_ticks": station_ticks(layers["rivers"]),
        "changes": comparison.changes,
        "buildings": layers["buildings"],
    }
    if "zones" in layers:
        out["zones"] = layers["zones"]
    if found.parcels is not None:
        out["parcels"] = found.parcels
    if found.flood is not None:
        out["sections"] = found.flood.sections
        out["inundation"] = found.flood.inundation
    if (standing := data.structures) is not None:
        outlines = structures_on_plan(standing, layers["rivers"], plan.lang)[["label", "geometry"]]
        out["structures"] = outlines.join(standing)
    said = {name: spoken(layer, plan.lang) for name, layer in out.items()}
    words = stage_words_of(plan, found.campaign)
    write_results(said, folder / "results.gpkg", codes=words, lang=plan.lang)
    write_qgis_project(
        said, folder / "results.gpkg", folder / "results.qgz", codes=words, title=plan.name,
        adopted=plan.campaign.get("adopted", comparison.baseline), lang=plan.lang,
    )  # fmt: skip


def _write_campaign_files(plan: Plan, campaign: Campaign, folder: Path, tell: Progress) -> None:
    """Tables, board, diagram and schedule of a campaign, of those what is wanted."""
    from pinghu_geo.campaigning import (
        campaign_board,
        campaign_diagrams,
        campaign_msproject,
        write_campaign,
    )

    if plan.writes("campaign"):
        tell("writing campaign.xlsx")
        write_campaign(campaign, folder / "campaign.xlsx", lang=plan.lang)
    if plan.writes("board"):
        tell("writing board.html")
        campaign_board(campaign, plan).save(folder / "board.html")
    if plan.writes("diagram"):
        campaign_diagrams(campaign, plan, folder / "time_chainage.pdf")
    if plan.writes("schedule"):
        campaign_msproject(campaign, plan, folder / "schedule.xml")


def stage_words_of(plan: Plan, campaign: Campaign | None) -> dict[str, dict[str, str]]:
    """Words of the stages by column, as the project has them."""
    if campaign is None:
        return {}
    words = stage_words(campaign.stages, lang=plan.lang)
    return dict.fromkeys(("stage", "next_stage", "stage_due", "last_stage"), words)


def _save_map_of_run(plan: Plan, data: Inputs, found: _Computation, target: Path) -> None:
    page = _command_map_of_run(plan, data, found)
    page.save(target, ground_beside=plan.map.get("ground_beside", False))


def _command_map_of_run(plan: Plan, data: Inputs, found: _Computation) -> Any:
    from pinghu_geo.deliver.maps import command_map  # folium takes seconds to import

    nodes = found.nodes
    proofs = [_proof_of_search(name, best, plan.lang) for name, best in found.least.items()]
    if found.campaign is not None:  # held against the adopted plan's day, as on the board
        nodes = nodes.assign(due=found.campaign.supervision.nodes["due"].reindex(nodes.index))
    return command_map(
        found.affected,
        found.lines,
        data.layers["rivers"],
        buildings=data.layers["buildings"],
        nodes=nodes,
        zones=data.layers.get("zones"),
        comparison=found.comparison,
        adopted=plan.campaign.get("adopted"),
        state=None if found.campaign is None else found.campaign.state,
        stages=None if found.campaign is None else found.campaign.stages,
        structures=data.structures,
        ground=plan.file(plan.map["ground"]) if "ground" in plan.map else None,
        ground_gcj02=plan.map.get("gcj02", False),
        title=say("{} · command map", plan.lang, plan.name),
        note=" · ".join([plan.note] * bool(plan.note) + proofs),
        lang=plan.lang,
    )


def _proof_of_search(scheme: str, best: LeastDemolition | WithinRise, lang: Lang) -> str:
    """What is proven of a scheme that was searched for, in one line."""
    return f"{scheme}{say(': ', lang)}{best.proof_in_short(lang=lang)}"


def _summary_of_run(
    plan: Plan, data: Inputs, found: _Computation, notes: list[str]
) -> dict[str, Any]:
    comparison = found.comparison

    def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
        return json.loads(table.reset_index().to_json(orient="records", double_precision=6))  # type: ignore[no-any-return]

    return {
        "name": plan.name,
        "note": plan.note,
        "lang": plan.lang,
        "baseline": comparison.baseline,
        "schemes": rows(comparison.totals),
        "said": comparison.summary(lang=plan.lang),
        "by_river": rows(totals(found.affected, "river")),
        "by_bank": rows(totals(found.affected, "bank")),
        "changes_by_river": rows(comparison.by_river),
        "changes_by_node": rows(comparison.by_node),
        "by_payer": rows(
            spoken(totals(found.affected, "cleared_by").reset_index(), plan.lang).set_index(
                "cleared_by"
            )
        )
        if "cleared_by" in found.affected
        else [],
        "by_verdict": rows(totals(found.affected, "verdict"))
        if "verdict" in found.affected
        else [],
        "flood": None if found.flood is None else found.flood.summary(),
        "least": {name: rows(best.certificate) for name, best in found.least.items()},
        "least_said": {
            name: _lines_of_search(best, plan.lang) for name, best in found.least.items()
        },
        "adopted": plan.campaign.get("adopted"),
        "campaign": [] if found.campaign is None else found.campaign.summary(lang=plan.lang),
        "n_parcels": None if found.parcels is None else len(found.parcels),
        "n_repaired": len(data.repairs),
        "warnings": [translated(note, plan.lang) for note in notes],
        "published": plan.published,
    }


def _lines_of_search(best: Any, lang: Lang) -> list[str]:
    """What a search says beyond what its schemes differ in, which is said of the project's."""
    return list(best.summary(lang=lang)[len(best.comparison.summary(lang=lang)) :])


def _manifest_of_inputs(plan: Plan) -> dict[str, Any]:
    """What went in: a hash of each file, versions, rules."""
    files = {plan.path}
    sources: list[Any] = [*plan.layers.values(), *plan.tables.values()]
    sources += [s["control"] for s in plan.layers.values() if "control" in s]
    sources += [plan.flood[k] for k in ("rules", "sections", *FLOOD_TABLES) if plan.flood.get(k)]
    files |= {p for s in (*plan.layers.values(), plan.flood) if "dem" in s
              for p in plan.tiles(s["dem"])}  # fmt: skip
    drawn = [s.get("widths", s) for s in plan.schemes.values() if "least" not in s]
    asked = plan.campaign
    sources += [*drawn, *(asked.get(k) for k in ("stages", "groups", *CAMPAIGN_TABLES))]
    sources.append(plan.map.get("ground"))
    for given in sources:
        name = given.get("path") if isinstance(given, dict) else given
        if not isinstance(name, str):
            continue  # numbers, names of groups
        if name.startswith(POSTGIS):
            continue  # a database has no bytes to hash
        path = plan.file(name)
        files |= (
            {p for p in path.parent.glob("*") if p.stem == path.stem and p.is_file()}
            if path.suffix.lower() == ".shp"
            else {path}
        )
    return {
        "inputs": {
            os.path.relpath(p, plan.path.parent).replace(os.sep, "/"): hashlib.sha256(
                p.read_bytes()
            ).hexdigest()
            for p in sorted(files)
            if p.is_file()
        },
        "crs": plan.crs,
        "repair": plan.repair,
        "rules": plan.rules,
        "flood": plan.flood,
        "versions": {name: version(name) for name in PACKAGES}
        | {"python": platform.python_version()},
    }


def summary_lines(folder: Path) -> list[str]:
    """What a run found, as lines for the shell: published figures beside the computed ones."""
    said = json.loads((folder / "summary.json").read_text("utf-8"))
    lang: Lang = said.get("lang", "zh")
    lines: list[str] = []
    unknown, between = say("unknown", lang), "," if lang == "zh" else ", "
    for row in said["schemes"]:
        facts = [
            f"{label(k, lang=lang, unit=False)} {unknown if v is None else f'{v:,.0f}'}"
            for k, v in row.items()
            if k != "scheme" and not (k.endswith("unknown") and not v)
        ]
        lines.append(f"{row['scheme']}: {between.join(facts)}")
    if said["by_verdict"]:
        words = [
            f"{code_label('verdict', row['verdict'], lang=lang)} {row['n_buildings']}"
            for row in said["by_verdict"]
        ]
        lines.append(
            say(
                "What may stay (a screening; the flood-impact evaluation decides): {}",
                lang,
                between.join(words),
            )
        )
    for row in said["flood"] or []:
        if row["n_overtopped"]:
            facts = [row["river"], row["profile"], row["n_overtopped"],
                     f"{row['freeboard_m_min']:.2f}", row["freeboard_at"]]  # fmt: skip
            lines.append(
                say(
                    "The design overtops: {} {}, {} sections have levels above their banks, "
                    "the least freeboard is {} m ({}).",
                    lang,
                    *facts,
                )
            )
        if row.get("n_below_freeboard"):
            lines.append(
                say(
                    "Less than the freeboard of {} m by {} (as the project states, not checked): "
                    "{} {}, {} sections, {} m at least ({}). No level and no verdict has it in it.",
                    lang,
                    f"{row['freeboard_asked_m']:g}",
                    row["freeboard_source"],
                    row["river"],
                    row["profile"],
                    row["n_below_freeboard"],
                    f"{row['freeboard_m_min']:.2f}",
                    row["freeboard_at"],
                )  # fmt: skip
            )
    for name, texts in said["least_said"].items():
        lines += [f"{name}: {text}" for text in texts]
    lines += said["campaign"]
    noted = [say("Note: {}", lang, w) for w in said["warnings"]]
    return [*lines, *said["said"], *noted]
