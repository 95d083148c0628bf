"""Kill `pinghu update` at random moments and at every event; two of them at once.

    python benchmarks/update_kills.py                      # all, with both kinds of store
    python benchmarks/update_kills.py random --times 100   # SIGKILL at any moment of the command
    python benchmarks/update_kills.py pairs --times 50     # two commands at once, on a fresh store
    python benchmarks/update_kills.py later first          # something happens at every event of
                                                           # an update of a store, and of the first
    python benchmarks/update_kills.py random pairs --store postgresql

Events of a GeoPackage are those of its files: SIGKILL, an I/O error, a disk that is full from
there on; the layer between the process and its files is that of `kills.py`. Events of a database
are the messages to and from the server (that of the tests), which pass through a relay: SIGKILL,
or the line is cut. A disk that is full is the server's own affair there.

After each, every report that was acknowledged must be in the store, none twice, every file whole
or not at all, and the next command, undisturbed, must land. All commands are forks of a process
that has everything imported and has computed the scheme that the first update adopts (it changes
no file of the store). A next one is not tried twice on the very same bytes. The last line says how much was tried and how much is wrong; so does
the exit status.
"""

from __future__ import annotations

import argparse
import gc
import io
import itertools
import os
import random
import selectors
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import kills
import pgserver
import test_campaign_project as projects

import pinghu_geo as pg
from pinghu_geo import office
from pinghu_geo.cli import app
from pinghu_geo.plan import read_plan

PROJECT, SCHEME = "小河", "窄"
FIRST_DAY = pd.Timestamp("2018-01-03")
STORE = "库/campaign.gpkg"
EVENTS = "PINGHU_EVENTS_IN"  # names the folder, in the process with the layer of file events


def project_in(folder: Path, store: str) -> Path:
    """The tests' small project, with its store in a folder of its own or in a database."""
    folder.mkdir(parents=True, exist_ok=True)
    path = projects.small_project(folder)
    text = path.read_text("utf-8").replace('tenants = "租户.csv"\n', "")
    path.write_text(f'{text}store = "{store}"\n', "utf-8")
    if not store.startswith("postgres"):
        (folder / store).parent.mkdir()
    return path


def computed_once() -> None:
    """Let every fork adopt what is computed here, and find all imported that an update needs."""
    with tempfile.TemporaryDirectory() as name:
        project = project_in(Path(name) / "once", STORE)
        found = office.project_campaign(read_plan(project))
        office.project_campaign = lambda *_, **__: found  # type: ignore[assignment]
        for day in range(2):
            words = ["update", project, daily(Path(name), day), "--today", "2030-01-01", "--quiet"]
            with redirect_stdout(io.StringIO()):
                app([*map(str, words)], standalone_mode=False)
    gc.collect()
    gc.freeze()  # a collection in a fork would touch, and so copy, every page of it


def daily(folder: Path, *days: int) -> Path:
    """A file of two reports of each day; it is called by the last."""
    rows = "".join(
        f"{house},谈判,{FIRST_DAY + pd.Timedelta(days=k):%Y-%m-%d}\n"
        for k in days
        for house in ("B0", "B1")
    )
    path = folder / f"日报{days[-1]}.csv"
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
            except pg.errors.PinghuError:  # which the entry point says, without a traceback
                status = kills.REFUSED
            finally:
                os._exit(status)
        os.close(writing)
        self.out = os.fdopen(reading, encoding="utf-8")
        self.heard = b""  # what a relay has read of it already

    def end(self, *, kill: bool = False) -> tuple[list[str], int]:
        """What it had still to say, and its exit status."""
        if kill:
            os.kill(self.pid, signal.SIGKILL)
        lines = (self.heard.decode() + self.out.read()).splitlines()
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


def at_random(kind: str, base: Path, times: int) -> Verdict:
    """SIGKILL at any moment: half of the moments anywhere, half after the first file is in."""
    wrong: list[str] = []
    with stores(kind, base) as places:
        store = next(places)
        project = project_in(base / "random", store)
        told, k = set(), 0
        rng = random.Random(7)
        for j in (10_000, 10_002):  # the first has the scheme to compute
            begin = time.perf_counter()
            Command(project, [daily(base, j + i) for i in range(2)]).end()
            long = time.perf_counter() - begin
        for turn in range(times):
            files, k = [daily(base, k + j) for j in range(2)], k + 2
            one = Command(project, files)
            lines = [one.out.readline()] if turn % 2 else []
            time.sleep(rng.uniform(0, long / 2 if turn % 2 else long * 1.1))
            told |= numbers_of([*lines, *one.end(kill=True)[0]])
            held = {d: n for d, n in kept(project, store).items() if d < 10_000}
            wrong += [f"kill {turn}: {w}" for w in faults(held, told)]
            on_the_way(f"{kind}: SIGKILL", turn, times, wrong)
        before = len(held)
        lines, status = Command(project, [daily(base, *range(k))]).end()
        held = {d: n for d, n in kept(project, store).items() if d < 10_000}
        wrong += [f"the next one failed: {lines}"] * bool(status) + faults(held, set(range(k)))
    what = f"SIGKILLs at random, {len(told)} of {k} files acknowledged and {before} in by then"
    return said(f"{kind}: {times} {what}", times, wrong)


def on_the_way(what: str, turn: int, times: int, wrong: list[str]) -> None:
    """Say every tenth time how far it is."""
    if turn % 10 == 9:
        print(f"    {what} {turn + 1} of {times}, {len(wrong)} wrong", flush=True)


def said(what: str, n: int, wrong: list[str]) -> Verdict:
    """Print what was tried, and the first of what is wrong."""
    print(f"{what}: {len(wrong)} wrong", *(f"    {line}" for line in wrong[:20]), sep="\n",
          flush=True)  # fmt: skip
    return Verdict(n, len(wrong))


class Verdict(NamedTuple):
    """How much was tried, and how much of it is wrong."""

    tried: int
    wrong: int


def in_pairs(kind: str, base: Path, times: int) -> Verdict:
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
            on_the_way(f"{kind}: pair", turn, times, wrong)
    return said(f"{kind}: {times} pairs at once", times, wrong)


def at_events(base: Path, name: str, sample: int | None) -> int:
    """Something happens at each file event of an update: the first, or a later one."""
    warnings.simplefilter("ignore")
    events = kills.Events()
    project = project_in(base / "events", STORE)
    folder = (project.parent / STORE).parent
    fresh = folder.parent / "before"
    fresh.mkdir()
    if name == "later":
        pg.update_project(project, [daily(base, 0)])
        (fresh / "campaign.gpkg").write_bytes((project.parent / STORE).read_bytes())
    tried = bad = 0
    seen: set[Any] = set()
    for way, (how, code) in kills.WAYS.items():
        count = _count(events, project, folder, fresh, base, how)
        wrong: list[str] = []
        at = kills.chosen(count, sample, f"{name} {way}")
        for turn, event in enumerate(at):
            what = (event, how, code)
            wrong += _at(events, project, folder, fresh, base, what, int(name == "later"), seen)
            on_the_way(f"gpkg, {name} update, {way}: event", turn, len(at), wrong)
        one = said(f"gpkg, {name} update, {way}: {len(at)} of {count} events", len(at), wrong)
        tried, bad = tried + one.tried, bad + one.wrong
    (base / "verdict").write_text(f"{tried} {bad}")
    return 1 if bad else 0


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
        what: tuple[int, int, int], n_before: int, seen: set[Any]) -> list[str]:  # fmt: skip
    """What is wrong after something happened at one event; ``seen`` had a good next one."""
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
        before = tuple(sorted((p.name, p.read_bytes()) for p in folder.iterdir()))
        held = kept(project, STORE)
        wrong += faults(held, old | ({1} if status == kills.DONE else set()))
        if before in seen and not wrong:
            return []
        next_one, words = kills.apart(lambda: pg.update_project(project, [file]) is None)
        if next_one:
            wrong.append(f"the next one failed: {words[-300:]}")
        wrong += faults(kept(project, STORE), old | {1})
    except (AssertionError, pg.errors.PinghuError, sqlite3.Error) as fault:
        wrong.append(str(fault))
    left = [p.name for p in folder.iterdir() if p.name != "campaign.gpkg"]
    wrong += [f"left behind: {left}"] * bool(left)
    if not wrong:
        seen.add(before)
    return [f"{what}: {w}" for w in wrong]


# --- messages of a database ---


class Relay:
    """Between a command and its server: counts their messages, and acts at a chosen one."""

    def __init__(self, server: int) -> None:
        self.server = server
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]

    def run(self, one: Command, at: int = -1, way: str = "") -> int:
        """Relay until the command ends; how many messages there were."""
        count, peers = 0, {}  # type: ignore[var-annotated]
        with selectors.DefaultSelector() as ready:
            ready.register(self.door, selectors.EVENT_READ)
            ready.register(one.out, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    talker: Any = key.fileobj
                    if talker is one.out:
                        text = os.read(one.out.fileno(), 65536)
                        one.heard += text
                        if not text:
                            for side in peers:
                                side.close()
                            return count
                    elif talker is self.door:
                        near, far = (
                            self.door.accept()[0],
                            socket.create_connection(("127.0.0.1", self.server)),
                        )
                        peers |= {near: far, far: near}
                        ready.register(near, selectors.EVENT_READ)
                        ready.register(far, selectors.EVENT_READ)
                    elif talker in peers:
                        message = _heard(talker)
                        if message and count == at and way == "kill":
                            os.kill(one.pid, signal.SIGKILL)
                        if message and not (count == at and way == "cut"):
                            count += 1
                            peers[talker].sendall(message)
                            continue
                        count += bool(message)
                        for side in (talker, peers.pop(talker)):
                            peers.pop(side, None)
                            ready.unregister(side)
                            side.close()


def _heard(talker: socket.socket) -> bytes:
    try:
        return talker.recv(1 << 20)
    except ConnectionError:
        return b""


def at_messages(base: Path, name: str, sample: int | None) -> Verdict:
    """The command is killed, or its line cut, at each message of an update to a database."""
    if not pgserver.READY:
        raise SystemExit("no PostgreSQL with PostGIS on this machine")
    (base / "server").mkdir()
    old = int(name == "later")
    total = Verdict(0, 0)
    with pgserver.fresh_database(base / "server") as admin:
        relay = Relay(admin.info.port)
        user, serial = admin.info.user, itertools.count()
        project = project_in(base / "messages", "postgresql://here")
        text = project.read_text("utf-8")

        def direct(base_name: str) -> str:
            return f"postgresql://{user}@127.0.0.1:{admin.info.port}/{base_name}"

        def fresh(template: str = "before") -> str:
            name = f"fresh{next(serial)}"
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
            place = f"postgresql://{user}@127.0.0.1:{relay.port}/{name}"
            project.write_text(text.replace("postgresql://here", place), "utf-8")
            return name

        admin.execute("CREATE DATABASE before")
        if old:
            made = fresh()
            relay.run(Command(project, [daily(base, 0)]))
            admin.execute("DROP DATABASE before")
            admin.execute(f"ALTER DATABASE {made} RENAME TO before")
        file = daily(base, 1)
        fresh()
        count = relay.run(Command(project, [file]))
        for way in ("kill", "cut"):
            wrong: list[str] = []
            at = kills.chosen(count, sample, f"{name} {way}")
            for turn, event in enumerate(at):
                place = direct(fresh())
                wrong += [
                    f"{way} {event}: {w}"
                    for w in _at_message(relay, project, file, place, (event, way), old)
                ]
                on_the_way(f"postgresql, {name} update, {way}: message", turn, len(at), wrong)
            what = f"postgresql, {name} update, {way}: {len(at)} of {count} messages"
            one = said(what, len(at), wrong)
            total = Verdict(total.tried + one.tried, total.wrong + one.wrong)
    return total


def _at_message(relay: Relay, project: Path, file: Path, place: str, what: tuple[int, str],
                n_before: int) -> list[str]:  # fmt: skip
    """What is wrong after something happened at one message."""
    old, wrong = set(range(n_before)), []
    for at, way in (what, (-1, "")):
        one = Command(project, [file])
        relay.run(one, at, way)
        lines, status = one.end()
        wrong += [f"no sentence: {lines}"] * (status == kills.CRASHED)
        wrong += faults(kept(project, place), old | numbers_of(lines))
        if at < 0 and (status or 1 not in numbers_of(lines)):
            wrong.append(f"the next one failed: {lines}")
    return wrong + faults(kept(project, place), old | {1})


def main() -> int:
    """The parts that are asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=["random", "pairs", "later", "first"])
    parser.add_argument("--store", nargs="*", default=["gpkg", "postgresql"])
    parser.add_argument("--times", type=int)
    parser.add_argument("--sample", type=int, help="so many of the events; by default every one")
    asked = parser.parse_args()
    _imported()
    if EVENTS in os.environ:
        return at_events(Path(os.environ[EVENTS]), asked.parts[0], asked.sample)
    tried = wrong = 0
    begin = os.times()
    for part, kind in itertools.product(asked.parts, asked.store):
        with tempfile.TemporaryDirectory() as name:
            base = Path(name).resolve()
            if part == "random":
                one = at_random(kind, base, asked.times or 100)
            elif part == "pairs":
                one = in_pairs(kind, base, asked.times or 50)
            elif kind == "gpkg":
                one = watched(base, part, asked.sample)
            else:
                one = at_messages(base, part, asked.sample)
        tried, wrong = tried + one.tried, wrong + one.wrong
    end = os.times()
    cpu = sum(end[:4]) - sum(begin[:4])
    print(f"verdict: {tried} tried, {wrong} wrong, {cpu:.0f} s of CPU", flush=True)
    return 1 if wrong or not tried else 0


def _imported() -> None:
    """All that a command needs, before the forks."""
    import folium  # noqa: F401
    import psycopg  # noqa: F401
    from ortools.sat.python import cp_model  # noqa: F401

    warnings.simplefilter("ignore")
    [getattr(pg, one) for one in pg.__all__]
    computed_once()


def watched(base: Path, part: str, sample: int | None) -> Verdict:
    """The events, in a process with the layer between it and its files."""
    library = kills.layer_of_events(base)
    if library is None:
        raise SystemExit("events: needs Linux and a C compiler")
    more = [] if sample is None else ["--sample", str(sample)]
    env = os.environ | {"LD_PRELOAD": str(library), EVENTS: str(base)}
    subprocess.run([sys.executable, __file__, part, *more], env=env, check=False)
    if not (base / "verdict").exists():
        raise SystemExit("events: it broke off")
    return Verdict(*map(int, (base / "verdict").read_text().split()))


if __name__ == "__main__":
    sys.exit(main())
