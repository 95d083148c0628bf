"""From the shell: `pinghu run`, `pinghu check`, `pinghu demo`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["main"]

app = typer.Typer(
    help="河道红线征拆分析:谁受影响、多少、哪个方案拆得最少。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Project = Annotated[Path, typer.Argument(help="项目文件 project.toml")]
Out = Annotated[Path, typer.Option("--out", help="结果目录")]
Force = Annotated[bool, typer.Option("--force", help="替换已有的结果目录")]


@app.command()
def run(project: Project, out: Out, force: Force = False) -> None:
    """Run a project file: read, compute, write the folder of results 运行项目."""
    _run(project, out, force=force)


@app.command()
def demo(out: Out = Path("pinghu_demo"), force: Force = False) -> None:
    """Run the bundled synthetic sample 运行示例(合成数据)."""
    from pinghu_geo.project import sample_folder

    folder = _run(sample_folder() / "project.toml", out, force=force)
    published = json.loads((folder / "summary.json").read_text("utf-8"))["published"]
    typer.echo("以上为合成数据的计算结果。公开报道的平湖实际数字(仅供对照):")
    typer.echo("  " + ",".join(f"{k} {v}" for k, v in published.items()))


@app.command()
def check(
    project: Project,
    out: Annotated[Path | None, typer.Option("--out", help="另存问题清单,如 check.xlsx")] = None,
) -> None:
    """Only diagnose the layers and tables of a project 检查数据."""
    from pinghu_geo.project import check_project

    faults = check_project(project)
    words = {"error": "错误", "warning": "警告", "note": "提示"}
    groups = faults.groupby(["layer", "severity", "fault", "field", "advice"], sort=False)
    for (layer, severity, _, field, advice), rows in groups:
        ids = ", ".join(rows["id"].head(5)) + (", ..." if len(rows) > 5 else "")
        typer.echo(
            f"[{words[severity]}] {layer}.{field}:{rows['problem'].iloc[0]}({len(rows)}: {ids})"
        )
        typer.echo(f"        → {advice}")
    if out is not None:
        faults.to_excel(out, index=False)
    errors = int((faults["severity"] == "error").sum())
    typer.echo(f"共 {len(faults)} 项,其中错误 {errors} 项。")
    if errors:
        raise typer.Exit(2)


def _run(project: Path, out: Path, *, force: bool) -> Path:
    """Run with progress on stderr, results on stdout."""
    from pinghu_geo.project import run_project, summary_lines

    folder = run_project(
        project, out, force=force, progress=lambda s: typer.echo(f"· {s}", err=True)
    )
    for line in summary_lines(folder):
        typer.echo(line)
    typer.echo(f"结果目录:{folder.resolve()}")
    for name in ("map.html", "ledger.xlsx", "results.gpkg"):
        typer.echo(f"  {folder / name}")
    return folder


def main() -> None:
    """Entry point: errors that have a cure are shown without a traceback, exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        # a GBK console has no m²
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    from pinghu_geo.errors import PinghuError

    try:
        app()
    except PinghuError as fault:
        typer.echo(f"错误:{fault}", err=True)
        sys.exit(2)
