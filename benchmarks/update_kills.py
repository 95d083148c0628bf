"""Kill `pinghu update` at random moments and at every file event; two of them at once.

    python benchmarks/update_kills.py                      # all, with both kinds of store
    python benchmarks/update_kills.py random --times 100   # SIGKILL at any moment of the command
    python benchmarks/update_kills.py events --sample 30   # kill, fail, fill the disk at events
    python benchmarks/update_kills.py pairs --times 50     # two commands at once, on a fresh store
    python benchmarks/update_kills.py random pairs --store postgresql

After each, every report that was acknowledged must be in the store, none twice, every file whole
or not at all, and the next command, undisturbed, must land. The layer between the process and its
files is that of `kills.py`; the server is that of the tests.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import kills
import pgserver
import test_campaign_project as projects

import pinghu_geo as pg
from pinghu_geo.cli import app

PROJECT, SCHEME = "小河", "窄"
FIRST_DAY = pd.Timestamp("2018-01-03")
STORE = "库/campaign.gpkg"


def project_in(folder: Path, store: str) -> Path:
    """The tests' small project, with its store in a folder of its own or in a database."""
    folder.mkdir(parents=True, exist_ok=True)
    path = projects.small_project(folder)
    path.write_text(f'{path.read_text("utf-8")}store = "{store}"\n', "utf-8")
    if not store.startswith("postgres"):
        (folder / store).parent.mkdir()
    return path


def daily(folder: Path, k: int) -> Path:
    """A file of two reports of one day; each number is a day of its own."""
    day = FIRST_DAY + pd.Timedelta(days=k)
    rows = "".join(f"{house},谈判,{day:%Y-%m-%d}\n" for house in ("B0", "B1"))
    path = folder / f"日报{k}.csv"
    path.write_text(f"房屋编号,阶段,日期\n{rows}", "utf-8")
    return path


def kept(project: Path, store: str) -> dict[int, int]:
    """How many reports of each daily file the store holds; raises where one is there twice."""
    place = store if store.startswith("postgres") else project.parent / store
    if not store.startswith("postgres") and Path(place).exists():
        with closing(sqlite3.connect(place)) as base:
            sound = base.execute("PRAGMA integrity_check").fetchone()[0]
            if sound != "ok":
                raise AssertionError(sound)
    one = pg.campaign.open_store(place, PROJECT)
    log = one.log()
    if log.duplicated(["building_id", "stage", "date"]).any():
        raise AssertionError("a report is there twice")
    if len(log) and one.scheme() != SCHEME:
        raise AssertionError("reports without a scheme")
    return (log["date"] - FIRST_DAY).dt.days.value_counts().to_dict()


class Command:
    """`pinghu update` in a process of its own, forked when all is imported: a SIGKILL hits work."""

    def __init__(self, project: Path, files: list[Path]) -> None:
        reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.dup2(writing, 1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            status = kills.CRASHED
            try:
                words = ["update", project, *files, "--today", "2030-01-01"]
                status = app([*map(str, words)], standalone_mode=False) or 0
            finally:
                os._exit(status)
        os.close(writing)
        self.out = os.fdopen(reading, encoding="utf-8")

    def end(self, *, kill: bool = False) -> tuple[list[str], int]:
        """What it had still to say, and its exit status."""
        if kill:
            os.kill(self.pid, signal.SIGKILL)
        lines = self.out.read().splitlines()
        self.out.close()
        return lines, os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def numbers_of(lines: list[str]) -> set[int]:
    """Numbers of the daily files that a command said it has taken in."""
    heads = [line.partition(":")[0] for line in lines if ":填报" in line]
    return {int(head.removeprefix("日报").removesuffix(".csv")) for head in heads}


def faults(held: dict[int, int], told: set[int]) -> list[str]:
    """What is lost, and what is there in half."""
    return [f"lost: {sorted(told - set(held))[:5]}"] * bool(told - set(held)) + [
        f"half of {k}" for k, n in held.items() if n != 2
    ]


@contextmanager
def stores(kind: str, base: Path) -> Iterator[Iterator[str]]:
    """Places of fresh stores of one kind, as project files name them."""
    if kind == "gpkg":
        yield itertools.repeat(STORE)
        return
    if not pgserver.READY:
        raise SystemExit("no PostgreSQL with PostGIS on this machine")
    folder = base / "server"
    folder.mkdir()
    with pgserver.fresh_database(folder) as admin:
        where = f"postgresql://{admin.info.user}@127.0.0.1:{admin.info.port}"

        def fresh() -> Iterator[str]:
            for k in itertools.count():
                admin.execute(f"CREATE DATABASE fresh{k}")
                yield f"{where}/fresh{k}"

        yield fresh()


def at_random(kind: str, base: Path, times: int) -> int:
    """SIGKILL at any moment: half of the moments anywhere, half after the first file is in."""
    wrong: list[str] = []
    with stores(kind, base) as places:
        store = next(places)
        project = project_in(base / "random", store)
        told, k = set(), 0
        rng = random.Random(7)
        for j in (10_000, 10_004):  # the first has the scheme to compute
            begin = time.perf_counter()
            Command(project, [daily(base, j + i) for i in range(4)]).end()
            long = time.perf_counter() - begin
        for turn in range(times):
            files, k = [daily(base, k + j) for j in range(4)], k + 4
            one = Command(project, files)
            lines = [one.out.readline()] if turn % 2 else []
            time.sleep(rng.uniform(0, long / 4 if turn % 2 else long * 1.1))
            told |= numbers_of([*lines, *one.end(kill=True)[0]])
            held = {d: n for d, n in kept(project, store).items() if d < 10_000}
            wrong += [f"kill {turn}: {w}" for w in faults(held, told)]
        half = len(held)
        files = [daily(base, j) for j in range(k)]
        told = numbers_of(Command(project, files).end()[0])
        if told != set(range(k)):
            wrong.append(f"the next one took {len(told)} of {k} files")
        held = {d: n for d, n in kept(project, store).items() if d < 10_000}
        wrong += faults(held, set(range(k)))
    print(f"{kind}: {times} SIGKILLs at random, {half} of {k} files in by then, {len(wrong)} wrong")
    return said(wrong)


def said(wrong: list[str]) -> int:
    """The first of what is wrong, and how many."""
    print(*(f"    {line}" for line in wrong[:20]), sep="\n", end="\n" if wrong else "", flush=True)
    return len(wrong)


def in_pairs(kind: str, base: Path, times: int) -> int:
    """Two commands at once, on a store that neither has made yet."""
    wrong: list[str] = []
    with stores(kind, base) as places:
        for turn in range(times):
            store = next(places)
            project = project_in(base / f"pair{turn}", store)
            files = [daily(base, j) for j in range(4)]
            both = [one.end() for one in [Command(project, files[j::2]) for j in range(2)]]
            lines = [line for words, _ in both for line in words]
            if any(status for _, status in both) or len(numbers_of(lines)) != 4:
                wrong.append(f"pair {turn}: {both}")
            wrong += [f"pair {turn}: {w}" for w in faults(kept(project, store), set(range(4)))]
    print(f"{kind}: {times} pairs at once, {len(wrong)} wrong")
    return said(wrong)


def at_events(base: Path, sample: int | None) -> int:
    """Something happens at each file event of an update, the first and a later one."""
    warnings.simplefilter("ignore")
    events = kills.Events()
    project = project_in(base / "events", STORE)
    folder = (project.parent / STORE).parent
    total = 0
    for name, before in (("first", []), ("later", [daily(base, 0)])):
        fresh = folder.parent / f"before {name}"
        fresh.mkdir()
        _reset(folder, fresh)
        if before:
            pg.update_project(project, before)
            (fresh / "campaign.gpkg").write_bytes((project.parent / STORE).read_bytes())
        for way, (how, code) in kills.WAYS.items():
            count = _count(events, project, folder, fresh, base, how)
            at = kills.chosen(count, sample, f"{name} {way}")
            wrong = [
                w
                for event in at
                for w in _at(events, project, folder, fresh, base, (event, how, code), len(before))
            ]
            print(f"gpkg, {name} update, {way}: {len(at)} of {count} events, {len(wrong)} wrong")
            total += said(wrong)
    return total


def _reset(folder: Path, fresh: Path) -> None:
    """The store as it was."""
    for path in folder.iterdir():
        path.unlink()
    for path in fresh.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())


def _count(events: kills.Events, project: Path, folder: Path, fresh: Path, base: Path,
           how: int) -> int:  # fmt: skip
    """Events of an undisturbed update."""
    _reset(folder, fresh)
    tally, file = base / "tally", daily(base, 1)

    def work() -> None:
        events.arm(folder, -1, how)
        pg.update_project(project, [file])
        tally.write_text(str(events.seen()))

    status, words = kills.apart(work)
    if status:
        raise SystemExit(words)
    return int(tally.read_text())


def _at(events: kills.Events, project: Path, folder: Path, fresh: Path, base: Path,
        what: tuple[int, int, int], n_before: int) -> list[str]:  # fmt: skip
    """What is wrong after something happened at one event."""
    _reset(folder, fresh)
    event, how, code = what
    file = daily(base, 1)

    def work() -> int:
        events.arm(folder, event, how, code)
        try:
            pg.update_project(project, [file])
        except pg.errors.PinghuError:
            return kills.REFUSED
        finally:
            events.arm(Path("/nowhere"))
        return kills.DONE

    status, words = kills.apart(work)
    old = set(range(n_before))
    wrong = [f"no sentence: {words[-300:]}"] if status == kills.CRASHED else []
    try:
        held = kept(project, STORE)
        wrong += faults(held, old | ({1} if status == kills.DONE else set()))
        next_one, words = kills.apart(lambda: pg.update_project(project, [file]) is None)
        if next_one:
            wrong.append(f"the next one failed: {words[-300:]}")
        wrong += faults(kept(project, STORE), old | {1})
    except (AssertionError, pg.errors.PinghuError, sqlite3.Error) as fault:
        wrong.append(str(fault))
    left = [p.name for p in folder.iterdir() if p.name != "campaign.gpkg"]
    wrong += [f"left behind: {left}"] * bool(left)
    return [f"{what}: {w}" for w in wrong]


def main() -> int:
    """The parts that are asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=["random", "events", "pairs"])
    parser.add_argument("--store", nargs="*", default=["gpkg", "postgresql"])
    parser.add_argument("--times", type=int)
    parser.add_argument("--sample", type=int, help="so many of the events; by default every one")
    asked = parser.parse_args()
    _imported()
    bad = 0
    for part, kind in itertools.product(asked.parts, asked.store):
        with tempfile.TemporaryDirectory() as name:
            base = Path(name).resolve()
            if part == "random":
                bad += at_random(kind, base, asked.times or 100)
            elif part == "pairs":
                bad += in_pairs(kind, base, asked.times or 50)
            elif kind == "gpkg":
                bad += watched(base, asked.sample)
    return 1 if bad else 0


def _imported() -> None:
    """All that a command needs, before the forks."""
    import folium  # noqa: F401
    import psycopg  # noqa: F401
    from ortools.sat.python import cp_model  # noqa: F401

    import pinghu_geo.office  # noqa: F401

    warnings.simplefilter("ignore")
    [getattr(pg, one) for one in pg.__all__]


def watched(base: Path, sample: int | None) -> int:
    """The events, in a process with the layer between it and its files."""
    if os.environ.get("PINGHU_EVENTS"):
        return at_events(base, sample)
    library = kills.layer_of_events(base)
    if library is None:
        print("events: needs Linux and a C compiler")
        return 0
    more = [] if sample is None else ["--sample", str(sample)]
    env = os.environ | {"LD_PRELOAD": str(library), "PINGHU_EVENTS": "1"}
    words = [sys.executable, __file__, "events", "--store", "gpkg", *more]
    return subprocess.run(words, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
