"""What may one type in a shell? `pinghu new`, `check`, `run`, `explain`, `adopt`, `update` ..."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from pinghu_geo.nouns.inert import console_text, shell_word
from pinghu_geo.shell import (
    Lang,
    begin_process,
    check_and_report,
    lang_of_command,
    shown_cures,
)

if TYPE_CHECKING:
    from pinghu_geo.nouns.beside import SideBySide

__all__ = ["main"]

Project = Annotated[Path, typer.Argument(help="the project file, project.toml")]
Out = Annotated[Path, typer.Option("--out", help="folder of the results")]
Force = Annotated[bool, typer.Option("--force", help="replace the folder of results that is there")]
Tongue = Annotated[
    str | None,
    typer.Option(
        "--lang", help="zh or en; by default as the project file says, else zh", show_default=False
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="show no progress")]


# what the library of the command line says by itself, and how we say it
FIXED = {
    "Usage:": "用法:", "[OPTIONS]": "[选项]", "COMMAND [ARGS]...": "命令 [参数]...",
    "Options:": "选项:", "Arguments:": "参数:", "Commands:": "命令:",
    "Show this message and exit.": "显示本说明", "[required]": "[必填]", "[default: ": "[默认: ",
}  # fmt: skip
USAGE_FAULTS = (
    (r"Missing argument '(.+?)'\.?", r"缺少参数 \1"),
    (r"Missing option '(.+?)'\.?", r"缺少选项 \1"),
    (r"No such option:? '?([^'\s]+?)'?\.?", r"没有选项 \1"),
    (r"No such command '(.+?)'\.", r"没有命令 \1"),
    (r" ?\(?Did you mean '?([^'?)]+)'?\?\)?", r",是否 \1?"),
    (r" \(Possible options: (.+)\)", r",可用 \1"),
    (r"Missing command\.", "缺少命令"),
    (r"Option '(.+?)' requires an argument\.", r"选项 \1 后须有值"),
    (r"Option '(.+?)' does not take a value\.", r"选项 \1 不带值"),
    (r"Got unexpected extra argument\S* \((.+)\)", r"多余的参数 \1"),
    (r"Invalid value for '(.+?)': '?(.+?)'? is not a valid (\w+)\.", r"\1 的值 \2 不合要求(\3)"),
    (r"Invalid value for '(.+?)': ", r"\1 的值不合要求:"),
    (r"Input should be a valid integer\b.*", "须为整数"),
    (r"Input should be greater than or equal to (\S+)", r"须不小于 \1"),
    (r"\S+ is not in the range x>=(\S+)\.", r"须不小于 \1"),
)
# the first line of a command's docstring: English, and the same in Chinese
SAID_TWICE = re.compile(r"(?P<en>[^\u4e00-\u9fff]+) (?P<zh>[\u4e00-\u9fff][^\n]*?)\.?(?:\n|$)")
# typer brings its own copy of click, or takes click's: the class of what was typed wrongly
UsageError: type[Exception] = typer.BadParameter.__mro__[1]


class _BilingualCommand(TyperCommand):
    """A command whose help is in one language."""

    def get_help(self, ctx: Any) -> str:
        """Help in the language that is asked for, Chinese where none is."""
        return _help_in_language(self, ctx, super().get_help)


class _BilingualGroup(TyperGroup):
    """All commands, whose help is in one language."""

    def get_help(self, ctx: Any) -> str:
        """Help in the language that is asked for, Chinese where none is."""
        return _help_in_language(self, ctx, super().get_help)


def _help_in_language(command: Any, ctx: Any, written: Callable[[Any], str]) -> str:
    """Help in the language that is asked for; our texts from the catalogue of all sentences."""
    from pinghu_geo.nouns.messages import say

    if (lang := _lang_of_arguments(sys.argv)) == "en":
        return written(ctx)
    about = [*command.params, *([command] if isinstance(command, _BilingualGroup) else [])]
    texts = [(one, one.help) for one in about if getattr(one, "help", None)]
    try:
        for one, text in texts:
            one.help = say(text, lang)
        said = written(ctx)
    finally:
        for one, text in texts:
            one.help = text
    for english, chinese in FIXED.items():
        said = said.replace(english, chinese)
    return said


def _usage_fault_text(fault: Any, lang: Lang) -> str:
    """What was typed wrongly, and what to type to see what is right."""
    said = fault.format_message()
    if lang == "zh":
        for english, chinese in USAGE_FAULTS:
            said = re.sub(english, chinese, said)
    path = fault.ctx.command_path if fault.ctx else "pinghu"
    head, hint = ("错误:", "提示:") if lang == "zh" else ("error: ", "Hint: ")
    return console_text(f"{head}{said}") + f"\n\n{hint}{path} --help"


app = typer.Typer(
    cls=_BilingualGroup,
    help="Demolition along rivers' red lines: who is hit, by how much, which design takes least.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(asked: bool) -> None:
    if asked:
        from pinghu_geo._version import __version__

        typer.echo(f"pinghu_geo {__version__}")
        raise typer.Exit


@app.callback()
def _shared_options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="show the version"),
    ] = False,
    lang: Tongue = None,
) -> None:
    """What all commands share."""


@app.command()
def run(
    project: Project,
    out: Out,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            help="write only these results, such as ledger,map; see pinghu explain outputs",
            metavar="<str>",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            metavar="<int>",
            help="processes that work side by side; by default one a processor, one for a small "
            "project",
            show_default=False,
        ),
    ] = None,
    quiet: Quiet = False,
    lang: Tongue = None,
) -> None:
    """Run a project file into a folder of results 运行项目."""
    _run_and_report(project, out, only=only, force=force, workers=workers, quiet=quiet, lang=lang)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="folder in which the files lie")],
    name: Annotated[
        str | None, typer.Option("--name", help="name of the project; by default the folder's")
    ] = None,
    crs: Annotated[
        int | None,
        typer.Option("--crs", help="EPSG code of the buildings, where their file states none"),
    ] = None,
    lang: Tongue = None,
) -> None:
    """Write a project file and forms for a folder of layers 新建项目."""
    from pinghu_geo.nouns.messages import say, translated
    from pinghu_geo.nouns.schema import NOUNS
    from pinghu_geo.nouns.tables import each_row
    from pinghu_geo.start import new_project

    spoken = lang_of_command(lang)
    found = new_project(folder, name=name, crs=crs, lang=spoken)
    for row in each_row(found):
        word = say("heights of the ground" if row.what == "dem" else "not used", spoken)
        if row.what in NOUNS:
            word = NOUNS[row.what].zh if spoken == "zh" else row.what
        mark = "✓" if row.taken else " "
        layer = f" [{row.layer}]" if row.layer else ""
        why = translated(row.why, spoken)
        typer.echo(console_text(f"{mark} {word}  {row.file}{layer}: {why}"))
    target = folder / "project.toml"
    rest = found[~found["taken"] & found["what"].isin(["buildings", "rivers"])]
    if len(rest):
        files = ", ".join(dict.fromkeys(rest["file"]))
        told = say("Note: {}", spoken, say("of several layers of a kind the largest is taken, not: "
                                           "{}", spoken, files))  # fmt: skip
        typer.echo(console_text(told))
    typer.echo(console_text(say("Project file: {}", spoken, target)))
    form = say("widths.xlsx", spoken)
    then = f"pinghu run {shell_word(target)} --out {say('results', spoken)}"
    told = say("Next: fill in {} (or write widths = 15 in the file), then {}", spoken, form, then)
    if found.loc[found["taken"], "what"].isin(["widths", "red_line"]).any():
        told = say("Next: {}", spoken, then)
    typer.echo(console_text(told))


@app.command()
def explain(
    key: Annotated[
        str,
        typer.Argument(
            help="a key, such as join_gap_m or layers.rivers.join_gap_m; all are listed without",
            show_default=False,
        ),
    ] = "",
    lang: Tongue = None,
) -> None:
    """Say what a key of the project file means 项目文件的键."""
    from pinghu_geo.keys import explain as explained

    for line in explained(key, lang=lang_of_command(lang)).split("\n"):
        typer.echo(console_text(line))


@app.command()
def schema(
    out: Annotated[
        Path | None, typer.Option("--out", help="write into this file; by default it is shown")
    ] = None,
    lang: Tongue = None,
) -> None:
    """Write the JSON schema of project files, for editors 项目文件的模式."""
    del lang  # it says everything in both
    from pinghu_geo.keys import project_schema
    from pinghu_geo.nouns.replacing import write_whole

    text = json.dumps(project_schema(), ensure_ascii=False, indent=1)
    if out is None:
        typer.echo(text)
        return
    write_whole(out, text + "\n")
    typer.echo(console_text(out))


@app.command()
def demo(
    out: Out = Path("pinghu_demo"), force: Force = False, quiet: Quiet = False, lang: Tongue = None
) -> None:
    """Run the bundled synthetic sample 运行示例(合成数据)."""
    from pinghu_geo.nouns.messages import say
    from pinghu_geo.project import sample_folder

    word = lang_of_command(lang)
    folder = _run_and_report(
        sample_folder() / "project.toml", out, force=force, quiet=quiet, lang=word
    )
    published = json.loads((folder / "summary.json").read_text("utf-8"))["published"]
    typer.echo(say("These are sums of synthetic data. Published for Pinghu, to compare:", word))
    typer.echo(console_text("  " + ",".join(f"{k} {v}" for k, v in published.items())))


@app.command()
def check(
    project: Project,
    out: Annotated[
        Path | None, typer.Option("--out", help="write the list, row by row, as this .xlsx")
    ] = None,
    lang: Tongue = None,
    isolate: Annotated[
        bool,
        typer.Option(
            "--isolate/--no-isolate", help="open files in a process with limits (the default)"
        ),
    ] = True,
) -> None:
    """List every fault of a project's inputs 检查数据."""
    if isolate:
        from pinghu_geo.intake.isolate import CHECK_SECONDS, isolated_call

        # a database is asked over the network
        asks = project.is_file() and b"postgres" in project.read_bytes()
        given = [str(project), "" if out is None else str(out), *([] if lang is None else [lang])]
        status = isolated_call("pinghu_geo.shell", given, network=asks, seconds=CHECK_SECONDS)
    else:
        status = check_and_report(project, out, lang)
    raise typer.Exit(status)


@app.command()
def adopt(
    project: Project,
    again: Annotated[
        str | None,
        typer.Option("--again", help="why today's plan takes the place of the adopted one"),
    ] = None,
    quiet: Quiet = False,
    lang: Tongue = None,
) -> None:
    """Adopt the project's scheme: its nodes keep ids and due dates 采用方案."""
    from pinghu_geo.nouns.messages import say
    from pinghu_geo.office import adopt_scheme

    word = lang_of_command(lang, project)
    with _step_display(quiet=quiet) as tell:
        said = adopt_scheme(project, again=again, progress=tell, lang=word)
    for line in said:
        typer.echo(console_text(line))
    typer.echo(say("Next: {}", word, f"pinghu forms {shell_word(project)}"))


@app.command()
def update(
    project: Project,
    files: Annotated[list[Path], typer.Argument(help="reports: filled forms, .xlsx, .csv, .gpkg")],
    today: Annotated[
        str | None,
        typer.Option(
            "--today", help="today: later reports are refused; by default the system's date"
        ),
    ] = None,
    board: Annotated[
        Path | None, typer.Option("--board", help="write the board and the map in this folder anew")
    ] = None,
    quiet: Quiet = False,
    lang: Tongue = None,
) -> None:
    """Take progress reports into the project's store 更新进度."""
    from datetime import date

    from pinghu_geo.nouns.messages import merged, say, translated
    from pinghu_geo.nouns.notices import heard
    from pinghu_geo.office import update_project

    day = date.today().isoformat() if today is None else today  # noqa: DTZ011 - of the office
    for k, file in enumerate(files):
        wall = board if k == len(files) - 1 else None  # when all are in
        with _step_display(quiet=quiet) as tell, heard() as notes:
            rows = update_project(
                project,
                [file],
                today=day,
                board=wall,
                progress=tell,
                lang=lang_of_command(lang, project),
            )
        for row in rows.itertuples():
            counts = (row.file, row.n_reports, row.n_new, row.n_known)
            said = say(
                "{}: {} reports, {} of them new, {} known", lang_of_command(lang, project), *counts
            )
            typer.echo(console_text(said))
        for note in merged(notes):
            word = lang_of_command(lang, project)
            typer.echo(console_text(say("Note: {}", word, translated(note, word))))
    if board is not None:
        for name in ("board.html", "map.html"):
            typer.echo(console_text(board / name))
    word = lang_of_command(lang, project)
    then = f"pinghu run {shell_word(project)} --out results --force"
    if board is None:
        left = say("Board, map, ledger and tables are as they were; all anew: {}", word, then)
    else:
        left = say("Ledger and tables are as they were; all anew: {}", word, then)
    typer.echo(console_text(left))


@app.command()
def forms(
    project: Project,
    out: Annotated[
        Path | None, typer.Option("--out", help="folder of the forms; by default progress forms")
    ] = None,
    quiet: Quiet = False,
    lang: Tongue = None,
) -> None:
    """Write the forms for progress, a workbook a group 进度填报表."""
    from pinghu_geo.nouns.messages import say
    from pinghu_geo.office import project_forms

    word = lang_of_command(lang, project)
    place = Path(say("progress forms", word)) if out is None else out
    with _step_display(quiet=quiet) as tell:
        made = project_forms(project, place, progress=tell, lang=word)
    for path in made:
        typer.echo(console_text(path))
    filled = next((p for p in made if p.suffix == ".xlsx"), None)
    if filled is not None:
        then = f"pinghu update {shell_word(project)} {shell_word(filled)}"
        typer.echo(say("Next: fill in the forms, then {}", word, then))
    if not made:
        typer.echo(say("no form: the adopted scheme has nothing for us to clear", word))


@app.command()
def campaign(
    project: Project,
    out: Out,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="as of this day, such as 2018-03-01")
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    lang: Tongue = None,
) -> None:
    """Write the campaign's tables as of any day 征拆推进."""
    from pinghu_geo.nouns.messages import say
    from pinghu_geo.office import campaign_project

    with _step_display(quiet=quiet) as tell:
        said = campaign_project(
            project,
            out,
            as_of=as_of,
            force=force,
            progress=tell,
            lang=lang_of_command(lang, project),
        )
    for line in said:
        typer.echo(console_text(line))
    typer.echo(console_text(say("Results: {}", lang_of_command(lang, project), out.resolve())))


@app.command()
def papers(
    project: Project,
    out: Out,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="as of this day, such as 2018-03-01")
    ] = None,
    bound: Annotated[
        bool, typer.Option("--bound", help="bind the papers of a kind into one file")
    ] = False,
    templates: Annotated[
        Path | None,
        typer.Option("--templates", help="folder of the office's templates; see pinghu templates"),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    lang: Tongue = None,
) -> None:
    """Write household files, report, notices, transfers, report on schemes 文书."""
    from pinghu_geo.nouns.messages import say
    from pinghu_geo.papers import project_papers

    word = lang_of_command(lang, project)
    with _step_display(quiet=quiet) as tell:
        made = project_papers(project, out, as_of=as_of, bound=bound, templates=templates,
                              force=force, lang=word, progress=tell)  # fmt: skip
    for path in sorted(p for p in made.iterdir() if p.is_dir() or p.suffix != ".json"):
        count = say("{} files", word, sum(1 for _ in path.iterdir())) if path.is_dir() else ""
        typer.echo(console_text(f"  {path}  {count}".rstrip()))
    typer.echo(console_text(say("Results: {}", word, made.resolve())))


@app.command()
def templates(
    folder: Annotated[Path, typer.Argument(help="folder of the templates")] = Path("模板"),
    lang: Tongue = None,
) -> None:
    """Write our templates of all papers, to be changed in Word 文书模板."""
    from pinghu_geo.deliver.drafts import write_templates

    for path in write_templates(folder, lang=lang_of_command(lang)):
        typer.echo(console_text(path))


def _print_step(line: str) -> None:
    typer.echo(console_text(f"· {line}"), err=True)


@contextmanager
def _step_display(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Steps as they come: a bar each on a terminal, lines elsewhere, nothing where nobody asks."""
    if quiet:
        yield lambda _: None
    elif not sys.stderr.isatty():
        lines = _StepLines()
        yield lines
        lines.end()
    else:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.progress import TimeRemainingColumn as Left

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn(),
                   Left(elapsed_when_finished=False))  # fmt: skip
        with Progress(*columns, console=Console(stderr=True)) as bars:
            show = _StepBars(bars)
            yield show
            show.end()


# how far a step is: 24/55 alone, or behind its name
COUNT = re.compile(r"(?:(.*\S)\s+)?(\d+)/(\d+)(?:\s.*)?", re.DOTALL)


class _StepLines:
    """A line a step; of counts within a step every tenth part, and the last when it is done."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.told = -1  # tenths of the step
        self.whole = ""  # what is said once the step is done

    def __call__(self, line: str) -> None:
        count = COUNT.fullmatch(line)
        name = line if count is None else count[1] or self.name
        if count is None or name != self.name:
            self.end()
            self.name, self.told = name, -1
        if count is None:
            _print_step(line)
            return
        tenths = 10 * int(count[2]) // max(int(count[3]), 1)
        done = int(count[2]) >= int(count[3])
        self.whole = "" if done else f"{line[: count.start(2)]}{count[3]}/{count[3]}"
        if tenths != self.told:
            self.told = tenths
            _print_step(line)

    def end(self) -> None:
        if self.whole:
            _print_step(self.whole)
        self.whole = ""


class _StepBars:
    """A bar a step: it moves where the step says how far it is, and waits where it doesn't."""

    def __init__(self, bars: Any) -> None:
        self.bars = bars
        self.task: Any = None
        self.name: str | None = None

    def __call__(self, line: str) -> None:
        count = COUNT.fullmatch(line)
        name = line if count is None else count[1] or self.name
        if self.task is None or count is None or name != self.name:
            self.end()
            self.name = name
            self.task = self.bars.add_task(console_text(name or line), total=None)
        if count:
            self.bars.update(self.task, completed=int(count[2]), total=int(count[3]))

    def end(self) -> None:
        if self.task is not None:
            total = self.bars.tasks[self.task].total or 1
            self.bars.update(self.task, completed=total, total=total)


def _run_and_report(
    project: Path,
    out: Path,
    *,
    force: bool,
    only: list[str] | None = None,
    workers: int | None = None,
    quiet: bool = False,
    lang: str | None = None,
) -> Path:
    """Run with progress on stderr, results on stdout."""
    from pinghu_geo.nouns.messages import say

    word = lang_of_command(lang, project)
    with _early_processes(project, workers) as many, _step_display(quiet=quiet) as tell:
        from pinghu_geo.project import run_project, summary_lines  # takes half a second

        folder = run_project(
            project, out, force=force, outputs=only or None, lang=word, workers=many,
            progress=tell,
        )  # fmt: skip
    for line in summary_lines(folder):
        typer.echo(console_text(line))
    typer.echo(console_text(say("Results: {}", word, folder.resolve())))
    for pattern, about in FIRST.items():
        for path in sorted(folder.glob(pattern)):
            typer.echo(console_text(f"  {path}  {say(about, word)}"))
    return folder


@contextmanager
def _early_processes(project: Path, workers: int | None) -> Iterator[SideBySide | int | None]:
    """Processes that import what a run needs while this one does; none where little lies there."""
    from pinghu_geo.nouns import beside

    if workers is None and _holds_more_than(project.parent, beside.SMALL):
        workers = beside.usable_processors()
    if workers is None or workers < 2:
        yield workers
        return
    with beside.side_by_side(workers) as many:
        many.start(None, workers)
        many.prepare("pinghu_geo.project")
        yield many


def _holds_more_than(folder: Path, many: int) -> bool:
    """Whether the files of a folder have more bytes than that."""
    try:
        sizes = (p.stat().st_size for p in folder.iterdir() if p.is_file())
        return any(total > many for total in accumulate(sizes))
    except OSError:  # which whoever reads the project says better
        return False


# what a run writes, what to look at first on top
FIRST = {
    "map.html": "look at this first: the map, in any browser, with no network",
    "ledger.xlsx": "the ledger: sums, every house, every node",
    "results.gpkg": "all layers, for QGIS",
    "results.qgz": "opens all layers in QGIS, coloured",
    "board.html": "the board of the campaign, for the wall",
    "campaign.xlsx": "tasks, schedule, supervision, payments",
    "time_chainage.pdf": "the time-chainage diagram",
    "schedule.xml": "the schedule, for Microsoft Project",
    "hydraulics.xlsx": "levels, rises, freeboard",
    "proof_*.xlsx": "what the search has proven",
    "searched_*.xlsx": "what the search found, node by node",
    "widths_*.xlsx": "widths of the searched line",
    "rise_*.xlsx": "the flood before and after the searched line",
    "reading.log": "what was odd about the files",
    "summary.json": "the sums, for programs",
}


def main() -> None:
    """Entry point: errors that have a cure are shown without a traceback, exit status 2."""
    begin_process()
    lang = _lang_of_arguments(sys.argv)
    for command in app.registered_commands:
        command.cls = _BilingualCommand
        said = SAID_TWICE.match(command.callback.__doc__ or "") if command.callback else None
        if said:
            command.help = command.short_help = said["zh" if lang == "zh" else "en"]
    try:
        with shown_cures(lang):
            status = app(_lang_last(sys.argv[1:]), standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except typer.Abort:
        sys.exit(1)
    except UsageError as fault:
        if type(fault).__name__ == "NoArgsIsHelpError":
            fault.show()  # type: ignore[attr-defined]
        else:
            typer.echo(_usage_fault_text(fault, lang), err=True)
        sys.exit(2)


def _lang_last(given: list[str]) -> list[str]:
    """Arguments with a language that was named before the command behind it."""
    n = 2 if given[:1] == ["--lang"] else int(bool(given) and given[0].startswith("--lang="))
    return [*given[n:], *given[:n]] if len(given) > n else given


def _lang_of_arguments(given: list[str]) -> Lang:
    """The language that a command was asked to speak, however far it came."""
    words = [a.removeprefix("--lang=") for a in given if a.startswith("--lang=")]
    words += [b for a, b in pairwise(given) if a == "--lang"]
    project = next((Path(a) for a in given if a.endswith(".toml")), None)
    return lang_of_command("en" if "en" in words else "zh" if words else None, project)
