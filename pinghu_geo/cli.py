"""From the shell: `pinghu new`, `run`, `check`, `demo`, `adopt`, `update`, `forms`, `campaign`."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from pinghu_geo.nouns.inert import console_text

__all__ = ["main"]

app = typer.Typer(
    help="河道红线征拆分析:谁受影响、多少、哪个方案拆得最少。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Project = Annotated[Path, typer.Argument(help="项目文件 project.toml")]
Out = Annotated[Path, typer.Option("--out", help="结果目录")]
Force = Annotated[bool, typer.Option("--force", help="替换已有的结果目录")]


@app.command()
def run(project: Project, out: Out, force: Force = False) -> None:
    """Run a project file into a folder of results 运行项目."""
    _run(project, out, force=force)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="资料所在目录")],
    name: Annotated[str | None, typer.Option("--name", help="项目名称;默认为目录名")] = None,
) -> None:
    """Write a project file and forms for a folder of layers 新建项目."""
    from pinghu_geo.nouns.schema import NOUNS
    from pinghu_geo.start import new_project

    for row in new_project(folder, name=name).itertuples():
        word = NOUNS[row.what].zh if row.what in NOUNS else "地面高程" if row.what else "未用"
        mark = "✓" if row.taken else " "
        layer = f" [{row.layer}]" if row.layer else ""
        typer.echo(console_text(f"{mark} {word}  {row.file}{layer}:{row.why}"))
    target = folder / "project.toml"
    typer.echo(console_text(f"项目文件:{target}"))
    typer.echo(console_text("下一步:填好 红线宽度.xlsx(或在项目文件中写 widths = 15),"
                            f"然后 pinghu run {target} --out 结果"))  # fmt: skip


@app.command()
def demo(out: Out = Path("pinghu_demo"), force: Force = False) -> None:
    """Run the bundled synthetic sample 运行示例(合成数据)."""
    from pinghu_geo.project import sample_folder

    folder = _run(sample_folder() / "project.toml", out, force=force)
    published = json.loads((folder / "summary.json").read_text("utf-8"))["published"]
    typer.echo("以上为合成数据的计算结果。公开报道的平湖实际数字(仅供对照):")
    typer.echo(console_text("  " + ",".join(f"{k} {v}" for k, v in published.items())))


@app.command()
def check(
    project: Project,
    out: Annotated[Path, typer.Option("--out", help="问题清单")] = Path("check.xlsx"),
    lang: Annotated[str, typer.Option("--lang", help="zh 或 en")] = "zh",
    isolate: Annotated[
        bool, typer.Option("--isolate/--no-isolate", help="在受限的子进程中打开文件(默认)")
    ] = True,
) -> None:
    """List every fault of a project's inputs 检查数据."""
    if isolate:
        from pinghu_geo.intake.isolate import CHECK_SECONDS, isolated_command

        # a database is asked over the network
        asks = project.is_file() and b"postgres" in project.read_bytes()
        given = ["check", str(project), "--out", str(out), "--lang", lang, "--no-isolate"]
        raise typer.Exit(isolated_command(given, network=asks, seconds=CHECK_SECONDS))
    from pinghu_geo.deliver.report import write_faults
    from pinghu_geo.intake.faults import check_summary
    from pinghu_geo.nouns.replacing import require_place
    from pinghu_geo.nouns.schema import code_label, one_of
    from pinghu_geo.project import check_project

    one_of(lang, ("zh", "en"), "--lang")
    require_place(out)
    faults = check_project(project, lang=lang)  # type: ignore[arg-type]
    for row in check_summary(faults).itertuples():
        word = code_label("severity", row.severity, lang=lang)  # type: ignore[arg-type]
        place = f"{row.layer}.{row.field}" if row.field else row.layer
        typer.echo(console_text(f"[{word}] {place}: {row.problem} ({row.count}: {row.ids})"))
        typer.echo(console_text(f"        → {row.advice}"))
    write_faults(faults, out, lang=lang)  # type: ignore[arg-type]
    errors = int((faults["severity"] == "error").sum())
    said = "共 {} 项,其中错误 {} 项。" if lang == "zh" else "{} in all, {} of them errors."
    typer.echo(said.format(len(faults), errors))
    typer.echo(console_text(out))
    if errors:
        raise typer.Exit(2)


@app.command()
def adopt(project: Project) -> None:
    """Adopt the project's scheme: its nodes keep their ids 采用方案."""
    from pinghu_geo.office import adopt_scheme

    for line in adopt_scheme(project, progress=_tell):
        typer.echo(console_text(line))


@app.command()
def update(
    project: Project,
    files: Annotated[list[Path], typer.Argument(help="日报:填报表、.xlsx、.csv、.gpkg")],
    today: Annotated[
        str | None, typer.Option("--today", help="今天,晚于此日的填报不收;默认按系统日期")
    ] = None,
    board: Annotated[
        Path | None, typer.Option("--board", help="重写此目录中的作战板与作战图")
    ] = None,
) -> None:
    """Take progress reports into the project's store 更新进度."""
    from datetime import date

    from pinghu_geo.office import update_project

    day = date.today().isoformat() if today is None else today  # noqa: DTZ011 - of the office
    for k, file in enumerate(files):
        wall = board if k == len(files) - 1 else None  # when all are in
        rows = update_project(project, [file], today=day, board=wall, progress=_tell)
        for row in rows.itertuples():
            said = f"{row.file}:填报 {row.n_reports} 条,新增 {row.n_new} 条,已有 {row.n_known} 条"
            typer.echo(console_text(said))
    if board is not None:
        typer.echo(console_text(board / "board.html"))


@app.command()
def forms(
    project: Project, out: Annotated[Path, typer.Option("--out", help="填报表目录")] = Path("填报")
) -> None:
    """Write the forms for progress, a workbook a group 进度填报表."""
    from pinghu_geo.office import project_forms

    for path in project_forms(project, out, progress=_tell):
        typer.echo(console_text(path))


@app.command()
def campaign(
    project: Project,
    out: Out,
    as_of: Annotated[str | None, typer.Option("--as-of", help="截至日期,如 2018-03-01")] = None,
    force: Force = False,
) -> None:
    """Write the campaign's tables as of any day 征拆推进."""
    from pinghu_geo.office import campaign_project

    for line in campaign_project(project, out, as_of=as_of, force=force, progress=_tell):
        typer.echo(console_text(line))
    typer.echo(console_text(f"结果目录:{out.resolve()}"))


def _tell(line: str) -> None:
    typer.echo(console_text(f"· {line}"), err=True)


def _run(project: Path, out: Path, *, force: bool) -> Path:
    """Run with progress on stderr, results on stdout."""
    from pinghu_geo.project import run_project, summary_lines

    folder = run_project(
        project, out, force=force, progress=lambda s: typer.echo(console_text(f"· {s}"), err=True)
    )
    for line in summary_lines(folder):
        typer.echo(console_text(line))
    typer.echo(console_text(f"结果目录:{folder.resolve()}"))
    for name in ("map.html", "ledger.xlsx", "results.gpkg"):
        typer.echo(console_text(f"  {folder / name}"))
    return folder


def main() -> None:
    """Entry point: errors that have a cure are shown without a traceback, exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        # a GBK console has no m²
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if sys.getfilesystemencoding().lower() not in ("utf-8", "utf8"):
        # in ASCII, as nothing else can be shown here either
        typer.echo(
            "error: in this locale files can't have Chinese names.\n\n"
            "Hint: set the environment variable PYTHONUTF8=1, or LC_ALL=C.UTF-8",
            err=True,
        )
        sys.exit(2)
    # whoever ends us asks us to clear away what is half there
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    from pinghu_geo.nouns.errors import PinghuError

    try:
        app()
    except PinghuError as fault:
        typer.echo(f"错误:{fault}", err=True)
        sys.exit(2)
