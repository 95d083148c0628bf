"""Run it all from one project file: layers in, one folder of results out."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from pinghu_geo.campaign.stages import stage_words
from pinghu_geo.computing import Computation, Progress, compute_all, progress_in, proof_of_search
from pinghu_geo.cures import for_the_shell
from pinghu_geo.deliver.report import write_results, write_sheets, write_table
from pinghu_geo.deliver.standing import junctions_on_plan, structures_on_plan
from pinghu_geo.inputs import (
    Inputs,
    read_inputs,
)
from pinghu_geo.intake.catalogue import NO_ROW, Findings
from pinghu_geo.intake.faults import (
    check_summary,
    examine,
)
from pinghu_geo.intake.formats import POSTGIS
from pinghu_geo.keys import table_source
from pinghu_geo.nouns.beside import (
    SMALL,
    Begun,
    SideBySide,
    Workers,
    side_by_side,
    usable_processors,
)
from pinghu_geo.nouns.errors import ProjectError
from pinghu_geo.nouns.inert import console_text, json_text, source_name
from pinghu_geo.nouns.messages import merged, say, translated
from pinghu_geo.nouns.notices import heard, notify
from pinghu_geo.nouns.replacing import atomic_folder, digests, in_words, made_folder
from pinghu_geo.nouns.schema import NOUNS, Lang, code_label, label, spoken, unit_of
from pinghu_geo.nouns.tables import each_row
from pinghu_geo.plan import (
    CAMPAIGN_TABLES,
    FLOOD_TABLES,
    Plan,
    read_plan,
)
from pinghu_geo.redline.overlap import totals
from pinghu_geo.river.centreline import station_ticks, stations

if TYPE_CHECKING:  # most projects need not all of these, which take their time to import
    from pinghu_geo.campaign.standing import Campaign

__all__ = ["run_project", "sample_folder", "summary_lines", "write_wall"]

# A result takes no less than a page's own scripts and an empty database [bytes].
ROOM = 2**19
PACKAGES = ("pinghu_geo", "geopandas", "shapely", "pandas", "numpy", "pyproj", "pyogrio", "folium")

# what runs of versions wrote whose manifest doesn't list it
OUTPUTS = re.compile(
    r"(results\.gpkg|(ledger|repairs|campaign|hydraulics)\.xlsx|map\.html|summary\.json|(widths|proof|rise)_.+\.xlsx)"
)


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
    workers: Workers | None = 1,
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
    workers
        Processes that work side by side, this one among them, on rivers that don't join and on
        results to be written; each takes some 0.4 GB and a second to start. None: as many as there
        are processors that this process may use, and one for a small project. The results are
        the same, byte for byte.
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
    with (
        atomic_folder(target, ours=_outputs_of_folder, force=force, tell=tell, room=ROOM) as made,
        side_by_side(_usual_workers(plan) if workers is None else workers) as many,
        _ended_by_faults(many),
    ):
        tell("reading the layers")
        many.start(_write_output, 2)  # while this one reads
        many.prepare(*_modules_of(plan))
        with heard() as said, for_the_shell(plan):
            data = read_inputs(plan, workers=many)
            of_searches: list[Begun[tuple[str, pd.DataFrame], None]] = []
            found = compute_all(
                plan, data, tell, workers=many,
                searched=lambda least: of_searches.append(_begun_tables(plan, least, made, many)),
            )  # fmt: skip
            results = _Results(plan, data, found, made)
            begun = _begun_outputs(results, tell, many)
            _say_doubts_of_affected(plan, data, found)
        _write_outputs(results, merged(said), of_searches, begun, tell)
    return target


@contextmanager
def _ended_by_faults(many: SideBySide) -> Iterator[None]:
    """A block whose fault ends the other processes, so that none writes what is cleared away."""
    try:
        yield
    except BaseException:
        many.end()
        raise


def _usual_workers(plan: Plan) -> int:
    """Processors that may be used; 1 where all is done before another process is there."""
    places = [source["path"] for source in plan.layers.values()]
    if any(str(place).startswith(POSTGIS) for place in places):
        return usable_processors()
    files = {
        one
        for path in map(plan.file, places)
        for one in (path.parent.glob("*") if path.parent.is_dir() else ())
        if one.stem == path.stem and one.is_file()
    }
    return usable_processors() if sum(one.stat().st_size for one in files) > SMALL else 1


def _say_doubts_of_affected(plan: Plan, data: Inputs, found: Computation) -> None:
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


def write_wall(plan: Plan, folder: Path, *, progress: Progress | None = None) -> list[Path]:
    """Board and map of a project's campaign as of the log's last day, each whole or not at all."""
    from pinghu_geo.campaigning import campaign_board

    tell = progress_in(progress, plan.lang)
    tell("reading the layers")
    with for_the_shell(plan):
        data = read_inputs(plan)
        found = compute_all(plan, data, tell)
    if found.campaign is None:
        raise ProjectError(f"{plan.path.name} has no campaign", hint='[campaign]\nadopted = "..."')
    tell("writing the board and the map")
    made_folder(folder)
    board = campaign_board(found.campaign, plan).save(folder / "board.html")
    target = folder / "map.html"
    proofs = [proof_of_search(name, best, plan.lang) for name, best in found.least.items()]
    _save_map_of_run(plan, data, found, proofs, target)
    return [board, target]


class _Results(NamedTuple):
    """What was read and computed, and the folder that the results go into."""

    plan: Plan
    data: Inputs
    found: Computation
    folder: Path


def _begun_tables(
    plan: Plan, least: Mapping[str, Any], folder: Path, many: SideBySide
) -> Begun[tuple[str, pd.DataFrame], None]:
    """Tables of the searches, which are written while the rest is computed."""
    from pinghu_geo.designing import tables_of_searches

    return many.begin(_write_of_search, tables_of_searches(least).items(), (folder, plan.lang))


def _write_of_search(of: tuple[Path, Lang], table: tuple[str, pd.DataFrame], _: Progress) -> None:
    found = table[0].startswith(("proof_", "searched_"))
    write_table(table[1], of[0] / table[0], noun="search" if found else None, lang=of[1])


def _begun_outputs(of: _Results, tell: Progress, many: SideBySide) -> Begun[str, None]:
    """What a run writes, of that what is wanted, which others begin at once."""
    plan, found = of.plan, of.found
    proofs = [proof_of_search(name, best, plan.lang) for name, best in found.least.items()]
    rest = of._replace(found=replace(found, least={}))  # who writes needs nothing else of a search
    return many.begin(
        _write_output, _outputs_wanted(plan, found), (rest, proofs), tell=tell, in_pairs=True
    )


def _write_outputs(
    of: _Results,
    notes: list[str],
    of_searches: list[Begun[tuple[str, pd.DataFrame], None]],
    begun: Begun[str, None],
    tell: Progress,
) -> None:
    """What was begun, and the summary and what was searched always."""
    plan, data, found, folder = of
    for tables in of_searches:
        tell("writing the results of searches")
        tables.results()
    _write_text(folder / "reading.log", "\n".join(map(console_text, data.reading)) + "\n")
    if plan.repair or any(s.get("repair") for s in plan.layers.values()):
        word = NOUNS["repairs"].zh if plan.lang == "zh" else "repairs"
        path, words = folder / "repairs.xlsx", {word: "repairs"}
        write_sheets({word: data.repairs}, path, nouns=words, lang=plan.lang)
    _write_text(folder / "summary.json", json_text(_summary_of_run(plan, data, found, notes)))
    inputs = _manifest_of_inputs(plan)
    begun.results()
    tell("writing summary.json and manifest.json")
    _write_text(folder / "manifest.json", json_text(inputs | {"outputs": digests(folder)}))


def _write_text(path: Path, text: str) -> None:
    """A text in UTF-8 of a folder that appears whole or not at all."""
    with in_words(path):
        path.write_text(text, "utf-8")


def _modules_of(plan: Plan) -> list[str]:
    """What a plan will be computed and its outputs made with, and takes long to import."""
    searched = any("least" in source for source in plan.schemes.values())
    wanted = {
        "designing": bool(plan.flood) or searched,
        "deliver.maps": plan.writes("map"),  # folium
        "deliver.ledger": plan.writes("ledger"),
        "campaigning": bool(plan.campaign),
        "deliver.chainages": bool(plan.campaign) and plan.writes("diagram"),  # matplotlib
    }
    made = [f"pinghu_geo.{name}" for name, is_wanted in wanted.items() if is_wanted]
    # depths are looked up in its trees; what `deliver.maps` inlines; the solver of schedules
    made = ["scipy.spatial", *made] + ["offlinefolium.elements"] * plan.writes("map")
    return made + ["ortools.sat.python.cp_model"] * bool(plan.campaign)


def _outputs_wanted(plan: Plan, found: Computation) -> list[str]:
    """Outputs that are wanted and of which there is something.

    First what others have imported meanwhile, then what takes longest.
    """
    of_run = {"diagram": found.campaign, "map": found, "ledger": found, "gpkg": found,
              "campaign": found.campaign, "schedule": found.campaign, "hydraulics": found.flood,
              "board": found.campaign}  # fmt: skip
    return [one for one, of in of_run.items() if of is not None and plan.writes(one)]


def _write_output(of: tuple[_Results, list[str]], output: str, tell: Progress) -> None:
    """Write one of the outputs; each needs nothing of the others."""
    (plan, data, found, folder), proofs = of
    if output == "gpkg":
        tell("writing results.gpkg")
        _write_layers(plan, data, found, folder)
    elif output == "ledger":
        tell("writing ledger.xlsx")
        _write_ledger_of_run(plan, data, found, folder / "ledger.xlsx")
    elif output == "hydraulics" and found.flood is not None:
        from pinghu_geo.deliver.ledger import write_hydraulics

        tell("writing hydraulics.xlsx")
        write_hydraulics(
            found.flood.profile, folder / "hydraulics.xlsx", freeboard=found.flood.freeboard,
            junctions=found.flood.junctions, rivers=data.layers["rivers"], title=plan.name,
            lang=plan.lang,
        )  # fmt: skip
    elif output == "map":
        tell("writing map.html")
        _save_map_of_run(plan, data, found, proofs, folder / "map.html")
    elif found.campaign is not None:
        _write_of_campaign(plan, found.campaign, output, folder, tell)


def _write_ledger_of_run(plan: Plan, data: Inputs, found: Computation, path: Path) -> None:
    from pinghu_geo.deliver.ledger import write_ledger

    write_ledger(
        found.affected,
        path,
        parcels=found.parcels,
        nodes=found.nodes,
        comparison=found.comparison,
        campaign=found.campaign,
        rivers=data.layers["rivers"],
        title=say("{} · ledger", plan.lang, plan.name),
        lang=plan.lang,
        note=plan.note,
        published=plan.published,
    )


def _write_layers(plan: Plan, data: Inputs, found: Computation, folder: Path) -> None:
    """Layers of a run, and the QGIS project that opens them."""
    from pinghu_geo.deliver.qgis import StoredLayers, write_qgis_project

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
    if (meets := data.flood.get("junctions")) is not None:
        out["junctions"] = junctions_on_plan(meets, layers["rivers"], plan.lang)[
            ["label", "geometry"]
        ]
    said = StoredLayers.of({name: spoken(layer, plan.lang) for name, layer in out.items()})
    words = stage_words_of(plan, found.campaign)
    write_results(said, folder / "results.gpkg", codes=words, lang=plan.lang)
    write_qgis_project(
        said, folder / "results.gpkg", folder / "results.qgz", codes=words, title=plan.name,
        adopted=plan.campaign.get("adopted", comparison.baseline), lang=plan.lang,
    )  # fmt: skip


def _write_of_campaign(
    plan: Plan, campaign: Campaign, output: str, folder: Path, tell: Progress
) -> None:
    """Tables, board, diagram or schedule of a campaign."""
    from pinghu_geo.campaigning import (
        campaign_board,
        campaign_diagrams,
        campaign_msproject,
        write_campaign,
    )

    if output == "campaign":
        tell("writing campaign.xlsx")
        write_campaign(campaign, folder / "campaign.xlsx", lang=plan.lang)
    elif output == "board":
        tell("writing board.html")
        campaign_board(campaign, plan).save(folder / "board.html")
    elif output == "diagram":
        campaign_diagrams(campaign, plan, folder / "time_chainage.pdf")
    elif output == "schedule":
        campaign_msproject(campaign, plan, folder / "schedule.xml")


def stage_words_of(plan: Plan, campaign: Campaign | None) -> dict[str, dict[str, str]]:
    """Words of the stages by column, as the project has them."""
    if campaign is None:
        return {}
    words = stage_words(campaign.stages, lang=plan.lang)
    return dict.fromkeys(("stage", "next_stage", "stage_due", "last_stage"), words)


def _save_map_of_run(
    plan: Plan, data: Inputs, found: Computation, proofs: list[str], target: Path
) -> None:
    page = _command_map_of_run(plan, data, found, proofs)
    page.save(target, ground_beside=plan.map.get("ground_beside", False))


def _command_map_of_run(plan: Plan, data: Inputs, found: Computation, proofs: list[str]) -> Any:
    from pinghu_geo.deliver.maps import command_map  # folium takes seconds to import

    return command_map(
        found.affected,
        found.lines,
        data.layers["rivers"],
        buildings=data.layers["buildings"],
        nodes=found.nodes,
        zones=data.layers.get("zones"),
        comparison=found.comparison,
        adopted=plan.campaign.get("adopted"),
        state=None if found.campaign is None else found.campaign.state,
        stages=None if found.campaign is None else found.campaign.stages,
        structures=data.structures,
        junctions=data.flood.get("junctions"),
        ground=plan.file(plan.map["ground"]) if "ground" in plan.map else None,
        ground_gcj02=plan.map.get("gcj02", False),
        title=say("{} · command map", plan.lang, plan.name),
        note=" · ".join([plan.note] * bool(plan.note) + proofs),
        lang=plan.lang,
    )


def _summary_of_run(
    plan: Plan, data: Inputs, found: Computation, notes: list[str]
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
        "n_lacking_evidence": _count_lacking_evidence(found.affected),
        "evidence": _evidence_file(plan),
        "flood": None if found.flood is None else found.flood.summary(),
        "least": {name: rows(best.certificate) for name, best in found.least.items()},
        "least_said": {
            name: _lines_of_search(best, plan.lang) for name, best in found.least.items()
        },
        "adopted": plan.campaign.get("adopted"),
        "campaign": _campaign_in_words(found, plan.lang),
        "n_parcels": None if found.parcels is None else len(found.parcels),
        "n_repaired": len(data.repairs),
        "warnings": [translated(note, plan.lang) for note in notes],
        "published": plan.published,
    }


def _count_lacking_evidence(hit: pd.DataFrame) -> int:
    """Houses in review of which nobody has told yet what the form of evidence asks."""
    from pinghu_geo.deliver.forms import ASKED

    if "verdict" not in hit:
        return 0
    review = hit[hit["verdict"] == "review"].reindex(columns=ASKED["evidence"])
    return int(review.drop(columns="building_id").isna().any(axis=1).sum())


def _evidence_file(plan: Plan) -> str:
    """The table of evidence that a project names, or may name."""
    given = plan.flood.get("evidence")
    return say("evidence.xlsx", plan.lang) if given is None else source_name(
        table_source(given)["path"]
    )  # fmt: skip


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


def _campaign_in_words(found: Computation, lang: Lang) -> list[str]:
    """Where the campaign stands, and why it has other nodes than the comparison counts."""
    camp = found.campaign
    if camp is None:
        return []
    nodes = found.comparison.schemes[camp.scheme].affected["node_id"]
    return [*camp.summary(lang=lang), camp.nodes_in_words(nodes, lang=lang)]


def summary_lines(folder: Path) -> list[str]:
    """What a run found, as lines for the shell: published figures beside the computed ones."""
    said = json.loads((folder / "summary.json").read_text("utf-8"))
    lang: Lang = said.get("lang", "zh")
    lines: list[str] = []
    unknown, between = say("unknown", lang), "," if lang == "zh" else ", "
    for row in said["schemes"]:
        facts = [
            f"{label(k, lang=lang, unit=False)} "
            + (unknown if v is None else f"{v:,.0f} {unit_of(k, lang=lang)}".rstrip())
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
    if said.get("n_lacking_evidence"):
        lines.append(
            say(
                "{} of those in review lack evidence: state it in {}, which [flood] evidence names",
                lang,
                f"{said['n_lacking_evidence']:,}",
                said["evidence"],
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
