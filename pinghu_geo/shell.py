"""What does every process of the command line do, and what the one that checks? No typer here.

Files are checked in a process of their own (`intake.isolate`), whose arguments another one parsed.
"""

from __future__ import annotations

import atexit
import errno
import gc
import os
import signal
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pinghu_geo.nouns.inert import console_text, shell_word

__all__ = [
    "Lang",
    "begin_process",
    "check_and_report",
    "lang_of_command",
    "main_apart",
    "say_line",
    "shown_cures",
]

Lang = Literal["zh", "en"]


def say_line(text: object, *, err: bool = False) -> None:
    """A line on stdout, or on stderr, at once."""
    stream = sys.stderr if err else sys.stdout
    stream.write(f"{text}\n")
    stream.flush()


def begin_process() -> None:
    """What holds for the whole process: its streams, its garbage, and how it ends when asked to."""
    for stream in (sys.stdout, sys.stderr):
        # a GBK console has no m²
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if sys.getfilesystemencoding().lower() not in ("utf-8", "utf8"):
        # in ASCII, as nothing else can be shown here either
        say_line(
            "error: in this locale files can't have Chinese names.\n\n"
            "Hint: set the environment variable PYTHONUTF8=1, or LC_ALL=C.UTF-8",
            err=True,
        )
        sys.exit(2)
    # numpy, when it is loaded: small products are done before a second core has heard of them
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # hundreds of thousands of objects that stay, most of them of modules, aren't looked through for
    # cycles again and again, and not once more by an interpreter that ends
    gc.set_threshold(500_000, 10, 10)
    atexit.register(gc.freeze)
    _clear_away_when_ended()


def _clear_away_when_ended() -> None:
    """Whoever ends us asks us to clear away what is half there: SIGTERM leaves by an exception.

    One that arose in a callback of the garbage collection is swallowed there, and sent once more.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))

    def send_again(lost: Any) -> None:
        if isinstance(lost.exc_value, SystemExit):
            threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGTERM)).start()
        else:
            sys.__unraisablehook__(lost)

    sys.unraisablehook = send_again


def lang_of_command(asked: str | None, project: Path | None = None) -> Lang:
    """The language asked for, else the project's, else Chinese."""
    if asked is not None:
        from pinghu_geo.nouns.schema import one_of

        one_of(asked, ("zh", "en"), "--lang")
        return "en" if asked == "en" else "zh"
    try:
        said = tomllib.loads(project.read_text("utf-8-sig")) if project else {}
    except (OSError, ValueError):  # which whoever reads the project says better
        said = {}
    return "en" if said.get("lang") == "en" else "zh"


@contextmanager
def shown_cures(lang: Lang) -> Iterator[None]:
    """Errors that have a cure are shown without a traceback, and end the process."""
    from pinghu_geo.nouns.errors import OutputError, PinghuError

    try:
        try:
            yield
        except OSError as fault:
            if not _stdout_is_full():
                raise
            raise OutputError(
                f"what is said here can't be written: {os.strerror(fault.errno or 0)}",
                hint="free some space where it goes (>), or leave the redirection out",
            ) from fault
    except PinghuError as fault:
        head = "错误:" if lang == "zh" else "error: "
        say_line(head + fault.in_language(lang), err=True)
        sys.exit(2)


def _stdout_is_full() -> bool:
    """Whether stdout takes nothing more; what it holds back is then forgotten."""
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError as fault:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # or the interpreter tries once more when it ends
        os.close(nowhere)
        return fault.errno == errno.ENOSPC
    return False


def check_and_report(project: Path, out: Path | None, lang: str | None) -> int:
    """Faults of a project on stdout, and in a workbook if asked; 2 where some are errors."""
    from pinghu_geo.checking import check_project
    from pinghu_geo.deliver.report import write_faults
    from pinghu_geo.intake.faults import check_summary
    from pinghu_geo.nouns.messages import say
    from pinghu_geo.nouns.replacing import require_place
    from pinghu_geo.nouns.schema import code_label
    from pinghu_geo.nouns.tables import each_row

    word = lang_of_command(lang, project)
    if out is not None:
        require_place(out)
    faults = check_project(project, lang=word)
    kinds = check_summary(faults)
    for row in each_row(kinds):
        kind = code_label("severity", row.severity, lang=word)
        place = f"{row.layer}.{row.field}" if row.field else row.layer
        say_line(console_text(f"[{kind}] {place}: {row.problem} ({row.count}: {row.ids})"))
        say_line(console_text(f"        → {row.advice}"))
    errors = int((kinds["severity"] == "error").sum())
    say_line(say("{} kinds of fault in {} rows; {} of the kinds are errors.", word, len(kinds),
                   f"{len(faults):,}", errors))  # fmt: skip
    if out is not None:
        write_faults(faults, out, lang=word)
        say_line(console_text(out))
    elif len(faults):
        say_line(say("All rows: {}", word, f"pinghu check {shell_word(project)} --out check.xlsx"))
    return 2 if errors else 0


def main_apart(given: list[str]) -> None:
    """Entry point of a child that checks: project, list and perhaps language, parsed before."""
    begin_process()
    project, out, *rest = given
    asked = rest[0] if rest else None
    lang = lang_of_command("en" if asked == "en" else "zh" if asked else None, Path(project))
    with shown_cures(lang):
        sys.exit(check_and_report(Path(project), Path(out) if out else None, asked))
