"""Kill, or fail, at every file event of everything that is written, and look at what is there.

    python benchmarks/kills.py                       # every event of every writer (an hour)
    python benchmarks/kills.py store run             # every event of these
    python benchmarks/kills.py --sample 20 shp run   # 20 events of each of these
    python benchmarks/kills.py --random 100 run      # 100 times two SIGKILLs at any moment

A layer between the process and its files (`file_events.c`, built with the C compiler that is
there; Linux) counts what changes files and acts at a chosen event, in Python, GDAL, SQLite and
Arrow alike. Three things are done at each event: SIGKILL; an I/O error, once; a disk that is full
from there on. Afterwards the target must be the old one or the new one, whole, with what a person
put there; a writer that says that it succeeded must have written the new one, and one that failed
must have said so in a sentence. Then the same is written once more, undisturbed: the new one is
there and nothing beside it. For the parts of a Shapefile and of a HEC-RAS project, which no system
can exchange in one step, "not there to be opened" is allowed in between; the new is then complete
beside it, and the next one to read or to write puts it in place.

Where every event is asked for, one writer is stopped at each of its events, and what then lies on
the disk is what a kill there leaves; where a sample is, it is killed.

Writers are forks of one process that has everything imported, and projects read and computed (the
files and events that follow must be those of a writer that does it itself), and work in memory where
the system has such a place. The next one isn't tried twice on what is the same for it: the same names, and the
same bytes but for those of the stage (`.….pinghu-new`), which it removes without a look, and of the
lock, which nobody reads but people.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).parent
COUNT, KILL, FAIL, FULL, WATCH = 0, 1, 2, 3, 4
WAYS = {"kill": (KILL, errno.EIO), "fail": (FAIL, errno.EIO), "full": (FULL, errno.ENOSPC)}
# What a process says with its exit status.
DONE, REFUSED, CRASHED = 0, 3, 4


def layer_of_events(folder: Path) -> Path | None:
    """The layer as a library; None where no compiler is."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    library = folder / "file_events.so"
    source = HERE / "file_events.c"
    build = [compiler, "-shared", "-fPIC", "-O1", "-w", "-o", library, source, "-ldl"]
    done = subprocess.run(build, capture_output=True, check=False)
    return library if done.returncode == 0 else None


# --- writers ----------------------------------------------------------------------------------


def houses(kind: str) -> object:
    """Three houses beside a river, of an old and of a new survey."""
    import geopandas as gpd
    import pandas as pd
    import shapely

    east = 0 if kind == "old" else 5000
    shapes = [shapely.box(east + x, 5, east + x + 10, 25) for x in (100, 200, 300)]
    return gpd.GeoDataFrame(
        {"floors": [2.0, 3, 1], "use": "residential" if kind == "old" else "industrial",
         "tenants": 1.0, "tenure": "private", "floor_area_m2": [200.0, 300, 100], "owner": f"{kind} 户主" * 5},
        index=pd.Index(["甲", "乙", "丙"], name="building_id"), geometry=shapes, crs=4547,
    )  # fmt: skip


def river() -> object:
    """A straight river."""
    import geopandas as gpd
    import pandas as pd
    import shapely

    line = shapely.LineString([(0, 0), (6000, 0)])
    return gpd.GeoDataFrame(index=pd.Index(["A"], name="river"), geometry=[line], crs=4547)


def a_layer(suffix: str) -> Callable[[Path, str], None]:
    """A writer of a layer in one format."""

    def write(folder: Path, kind: str) -> None:
        import pinghu_geo as pg

        pg.write_layer(houses(kind), folder / f"房屋{suffix}", "buildings")

    return write


def drawing(folder: Path, kind: str) -> None:
    """A writer of a drawing."""
    import ezdxf

    import pinghu_geo as pg

    ezdxf.options.write_fixed_meta_data_for_testing = True
    pg.write_dxf({"房屋": houses(kind)}, folder / "图.dxf")


def affected(kind: str) -> object:
    """Affected houses, with their line."""
    import pinghu_geo as pg

    line = pg.red_line(river(), 20.0)
    return pg.affected(houses(kind), line, river()), line


def ledger(folder: Path, kind: str) -> None:
    """A writer of the ledger."""
    import pinghu_geo as pg

    pg.write_ledger(affected(kind)[0], folder / "台账.xlsx")


def board(folder: Path, kind: str) -> None:
    """A writer of the map."""
    import pinghu_geo as pg

    hit, line = affected(kind)
    pg.command_map(hit, line, river()).save(folder / "图.html")


def table(folder: Path, kind: str) -> None:
    """A writer of a plain table."""
    import pandas as pd

    import pinghu_geo as pg

    width = 20.0 if kind == "old" else 30.0
    frame = pd.DataFrame({"river": "A", "chainage_m": [0.0, 6000], "left_m": width, "right_m": 1.0})
    pg.write_table(frame, folder / "宽度.csv")


def hecras(folder: Path, kind: str) -> None:
    """A writer of a HEC-RAS project."""
    import pandas as pd

    import pinghu_geo as pg

    level = 0.5 if kind == "old" else 0.6
    bed = pd.DataFrame(
        {"river": "A", "chainage_m": [0.0, 500.0], "bed_level_m": [level, 0.0], "left_m": 10.0,
         "right_m": 10.0, "bank_level_m": [5.5, 5.0], "n": 0.03}
    )  # fmt: skip
    pg.write_hecras(pg.design_sections(bed), 50.0, {"slope": 0.001}, folder / "模型")


def partitions(folder: Path, kind: str) -> None:
    """A writer of affected rows by partitions, over a folder that a person has put a file into."""
    import pinghu_geo as pg

    line = pg.red_line(river(), 20.0)
    out = folder / "受影响"
    pg.affected_parquet(given(folder) / f"{kind}.parquet", line, river(), out, force=True)
    if kind == "old":
        (out / "_mine.txt").write_text("mine")


def run(folder: Path, kind: str) -> None:
    """A run with --force, over a folder that a person has put a file into."""
    import pinghu_geo as pg

    out = folder / "结果"
    pg.run_project(given(folder) / f"{kind}.toml", out, force=True)
    if kind == "old":
        (out / "照片").mkdir()
        (out / "照片" / "mine.txt").write_text("mine")


def workbook(folder: Path, kind: str) -> None:
    """A writer of a plain table as a workbook."""
    import pandas as pd

    import pinghu_geo as pg

    frame = pd.DataFrame({"river": "A", "chainage_m": [0.0], "left_m": 20.0, "right_m": 1.0})
    pg.write_table(frame.assign(note=kind), folder / "宽度.xlsx")


def blank_form(folder: Path, kind: str) -> None:
    """A writer of a form to fill."""
    import pinghu_geo as pg

    pg.deliver.write_blank_form("rates", folder / "补偿标准.xlsx", rows=[{"use": kind}])


def node_page(folder: Path, kind: str) -> None:
    """A writer of the board."""
    import pinghu_geo as pg

    pg.deliver.NodeBoard(f"<p>{kind}</p>" * 1000).save(folder / "作战板.html")


def diagrams(folder: Path, kind: str) -> None:
    """A writer of sheets of plots."""
    from matplotlib.figure import Figure

    from pinghu_geo.deliver.chainages import write_sheets_of_plots

    figure = Figure()
    figure.suptitle(kind)
    write_sheets_of_plots([figure, figure], folder / "图.pdf")


def project_file(folder: Path, kind: str) -> None:
    """A writer of a project file that is begun from a folder."""
    from pinghu_geo.nouns.replacing import atomic_path

    with atomic_path(folder / "project.toml") as temporary:
        temporary.write_text(f'name = "{kind}"\n', "utf-8")


def store(folder: Path, kind: str) -> None:
    """A writer of reports into a campaign's store: a database that is changed in its place."""
    import pinghu_geo as pg

    kept = pg.campaign.open_store(folder / "campaign.gpkg", "小河")
    if kind == "old":
        kept.adopt("原", _series({"甲": "A-L-001", "乙": "A-L-001"}))
        return
    kept.append(lambda log: _report() if log.empty else log.iloc[:0])


def _series(values: dict[str, str]) -> object:
    import pandas as pd

    return pd.Series(values)


def _report() -> object:
    """One report."""
    import pandas as pd

    from pinghu_geo.campaign.store import LOG_COLUMNS

    row = dict.fromkeys(LOG_COLUMNS, None)
    row |= {"building_id": "甲", "stage": "signed", "date": "2026-03-01", "source": "a.csv"}
    return pd.DataFrame([row]).assign(date=pd.Timestamp("2026-03-01"))


def campaign_folder(folder: Path, kind: str) -> None:
    """Tables, board and diagrams of a day, over a folder that a person has put a file into."""
    import pinghu_geo as pg

    out = folder / "日报"
    project = given(folder) / f"campaign {kind}.toml"
    pg.campaign_project(project, out, as_of="2026-03-01", force=True)
    if kind == "old":
        (out / "mine.txt").write_text("mine")


def campaign_run(folder: Path, kind: str) -> None:
    """A run with a campaign and two schemes, --force."""
    import pinghu_geo as pg

    pg.run_project(given(folder) / f"campaign {kind}.toml", folder / "结果", force=True)


def papers(folder: Path, kind: str) -> None:
    """Papers of a project, over a folder that a person has put a file into."""
    import pinghu_geo as pg

    out = folder / "文书"
    project = given(folder) / f"campaign {kind}.toml"
    pg.project_papers(project, out, bound=True, force=True)
    if kind == "old":
        (out / "mine.txt").write_text("mine")


def forms(folder: Path, kind: str) -> None:
    """Forms of a group: one workbook."""
    import pinghu_geo as pg

    pg.project_forms(given(folder) / f"campaign {kind}.toml", folder / "填报")


def first_run(folder: Path, kind: str) -> None:
    """A run to a folder that isn't there."""
    import pinghu_geo as pg

    if kind == "new":
        pg.run_project(given(folder) / "new.toml", folder / "结果", force=True)


def given(folder: Path) -> Path:
    """Where the inputs of runs lie: beside the folder that is watched."""
    return folder.parent / "given"


def make_given(folder: Path) -> None:
    """Inputs of runs."""
    import pandas as pd

    import pinghu_geo as pg

    folder.mkdir()
    pg.write_layer(river(), folder / "河道.gpkg", "rivers")
    for kind in ("old", "new"):
        houses(kind).to_parquet(folder / f"{kind}.parquet", write_covering_bbox=True)
        pg.write_layer(houses(kind), folder / f"{kind}.gpkg", "buildings")
        (folder / f"{kind}.toml").write_text(
            f'crs = 4547\n[layers]\nbuildings = "{kind}.gpkg"\nrivers = "河道.gpkg"\n'
            '[schemes."原"]\nwidths = "宽度.csv"\n',
            "utf-8",
        )
        (folder / f"campaign {kind}.toml").write_text(
            (folder / f"{kind}.toml").read_text("utf-8")
            + '[schemes."窄"]\nwidths = "窄.csv"\n[campaign]\nadopted = "原"\n'
            + 'start = "2026-01-05"\ncalendar = "days"\ngroups = ["甲组"]\nwork = 0.1\n'
            + f'store = "{kind}.store.gpkg"\nhandover = "进场.csv"\n',
            "utf-8",
        )
    rows = "河道,起点桩号,终点桩号,要求移交日期\nA,0,6000,2026-06-30\n"
    (folder / "进场.csv").write_text(rows, "utf-8")
    width = {"river": "A", "chainage_m": [0.0, 6000], "left_m": 20.0, "right_m": 20.0}
    pg.write_table(pd.DataFrame(width), folder / "宽度.csv")
    pg.write_table(pd.DataFrame(width | {"left_m": 10.0}), folder / "窄.csv")


WRITERS: dict[str, Callable[[Path, str], None]] = {
    "shp": a_layer(".shp"), "gpkg": a_layer(".gpkg"), "geojson": a_layer(".geojson"),
    "fgb": a_layer(".fgb"), "parquet": a_layer(".parquet"), "dxf": drawing, "ledger": ledger,
    "map": board, "table": table, "workbook": workbook, "form": blank_form, "board": node_page,
    "pdf": diagrams, "project": project_file, "store": store, "hecras": hecras, "partitions": partitions,
    "forms": forms, "campaign": campaign_folder, "first_run": first_run, "run": run,
    "campaign_run": campaign_run, "papers": papers,
}  # fmt: skip
# Writers that compute long before they write.
PROJECTS = {"forms", "campaign", "first_run", "run", "campaign_run", "papers"}
# Files that a person takes one by one: each is the old or the new one.
MANY = {"forms"}
# Sets of files, by their first: a moment without it is allowed, one with a mixed set is not.
SETS = {"shp": "房屋.shp", "hecras": "模型.prj"}


# --- processes --------------------------------------------------------------------------------


class Events:
    """The layer, in this process and its forks."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(None)
        self.library.events_what.restype = ctypes.c_char_p

    def arm(self, folder: Path, at: int = -1, how: int = COUNT, code: int = errno.EIO) -> None:
        """Act at an event below a folder."""
        writes = int(how in (FAIL, FULL))
        self.library.events_arm(
            os.fsencode(folder), ctypes.c_long(at), how, code, 0 if how == FAIL else writes
        )

    def seen(self) -> int:
        """Events so far."""
        return int(self.library.events_seen())


def apart(work: Callable[[], int | None]) -> tuple[int, str]:
    """Exit status (minus the signal) of a piece of work in a process of its own, and its words."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        status = CRASHED
        try:
            status = work() or DONE
        except BaseException:  # noqa: BLE001 - told to the parent
            os.write(writing, traceback.format_exc()[-3000:].encode())
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode("utf-8", "replace")
    status = os.waitpid(child, 0)[1]
    return os.waitstatus_to_exitcode(status), said


def state(folder: Path) -> dict[str, str]:
    """Digest of each file that is to be seen."""
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(content(p)).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
        and ".pinghu-" not in p.relative_to(folder).as_posix()
        and not p.name.endswith("-journal")  # SQLite's own: read with its database
    }


def content(path: Path) -> bytes:
    """Bytes of a file; of a database what is in it, for a page may lie elsewhere after a retry."""
    if path.suffix != ".gpkg":
        return path.read_bytes()
    with tempfile.TemporaryDirectory() as name:  # whoever comes next finds it as it was
        for part in path.parent.glob(f"{path.name}*"):
            shutil.copy(part, name)
        return _dumped(Path(name) / path.name)


def _dumped(path: Path) -> bytes:
    """All that a database holds, after what its journal takes back."""
    with closing(sqlite3.connect(path)) as base:
        sound = base.execute("PRAGMA integrity_check").fetchone()[0]
        return "\n".join([sound, *base.iterdump()]).encode()


def sight(folder: Path) -> tuple[object, ...]:
    """What whoever comes next sees: all names, and all bytes that it may look at."""
    seen: list[object] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        passed = any(part.endswith((".pinghu-new", ".pinghu-lock")) for part in Path(name).parts)
        looked_at = path.is_file() and not path.is_symlink() and not passed
        seen.append((name, path.read_bytes() if looked_at else path.is_dir()))
    return tuple(seen)


def litter(folder: Path) -> list[str]:
    """What was left beside a target."""
    return sorted(p.name for p in folder.rglob("*") if ".pinghu-" in p.name)


def compute_once(work: Callable[[], None]) -> None:
    """Do the work in this process, so that its forks needn't read and compute projects again."""
    from pinghu_geo import computing, project
    from pinghu_geo.nouns import notices

    def remembered(what: Callable[..., object]) -> Callable[..., object]:
        found: dict[str, object] = {}

        def once(plan: object, *more: object, **options: object) -> object:
            key = repr((plan, options))
            if key not in found:
                with notices.heard() as said:
                    result = what(plan, *more, **options)
                found[key] = result, said
            result, said = found[key]
            for text in said:
                notices.notify(text)
            return result

        return once

    for name in ("read_inputs", "compute_all"):
        once = remembered(getattr(computing, name))
        for module in (computing, project):
            setattr(module, name, once)
    work()


class Writer:
    """One writer: its old and its new state, and what it does at each event."""

    def __init__(self, name: str, base: Path, events: Events) -> None:
        self.name, self.write, self.events = name, WRITERS[name], events
        self.folder = base / "watched"
        self.kept = base / f"old of {name}"
        self.fresh()
        status, said = apart(lambda: self.write(self.folder, "old"))
        if status:
            raise SystemExit(f"{name}: {said}")
        shutil.copytree(self.folder, self.kept, dirs_exist_ok=True)
        self.old = state(self.folder)
        self.tried: dict[int, list[str]] = {}
        start = time.perf_counter()
        alone = self._count("kill"), state(self.folder)
        self.seconds = time.perf_counter() - start
        if name in PROJECTS:
            compute_once(lambda: self.write(self.folder, "new"))
        self.counts = {way: self._count(way) for way in WAYS}
        self.new = state(self.folder)
        if (self.counts["kill"], self.new) != alone:
            raise SystemExit(f"{name}: another result where it is computed before")
        if self.new == self.old or litter(self.folder):
            raise SystemExit(f"{name}: {sorted(self.new)} {litter(self.folder)}")

    def fresh(self) -> None:
        """The old state again."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.kept.exists():
            shutil.copytree(self.kept, self.folder)
        else:
            self.folder.mkdir()

    def _count(self, way: str) -> int:
        """Events of an undisturbed writer."""
        self.fresh()
        tally = self.folder.parent / "tally"

        def work() -> None:
            how = WAYS[way][0]
            self.events.arm(self.folder, -1, how)
            self.write(self.folder, "new")
            tally.write_text(str(self.events.seen()))

        status, said = apart(work)
        if status:
            raise SystemExit(f"{self.name}: {said}")
        return int(tally.read_text())

    def at(self, way: str, event: int) -> list[str]:
        """What is wrong after something happened at an event."""
        self.fresh()
        how, code = WAYS[way]

        def work() -> int:
            from pinghu_geo.nouns.errors import PinghuError

            self.events.arm(self.folder, event, how, code)
            try:
                self.write(self.folder, "new")
            except PinghuError:
                return REFUSED
            finally:
                self.events.arm(Path("/nowhere"))
            return DONE

        status, said = apart(work)
        wrong = []
        if status == CRASHED:
            wrong.append(f"no sentence: {said.strip().splitlines()[-1] if said else '?'}\n{said}")
        if way == "kill" and status not in (-signal.SIGKILL, DONE):
            wrong.append(f"ended with {status}")
        wrong += self._wrong(state(self.folder), status)
        return [f"{self.name}, {way} at {event}: {w}" for w in [*wrong, *self._next_one()]]

    def stopped_at_each(self) -> list[str]:
        """What is wrong with what lies there at each event of one writer: what a kill leaves."""
        self.fresh()
        (told, tell), (hear, heard) = os.pipe(), os.pipe()

        def work() -> None:
            self.events.library.events_watched_by(tell, hear)
            self.events.arm(self.folder, -1, WATCH)
            self.write(self.folder, "new")
            self.events.arm(Path("/nowhere"))

        child = os.fork()
        if child == 0:
            os.close(told)
            try:
                work()
            except BaseException:  # noqa: BLE001 - seen by the exit status
                traceback.print_exc()
                os._exit(CRASHED)
            os._exit(DONE)
        os.close(tell)
        kept = self.folder.parent / "stopped"
        found: list[tuple[int, Path]] = []
        seen: set[int] = set()
        events = 0
        while os.read(told, 1):
            if (key := hash(sight(self.folder))) not in seen:
                seen.add(key)
                found.append((events, kept / str(events)))
                shutil.copytree(self.folder, found[-1][1], symlinks=True)
            events += 1
            os.write(heard, b"x")
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for end in (told, hear, heard):
            os.close(end)
        wrong = [] if events == self.counts["kill"] else [f"{events} events"]
        wrong += self._wrong(state(self.folder), status)
        for event, place in found:
            shutil.rmtree(self.folder)
            os.rename(place, self.folder)
            said = [*self._wrong(state(self.folder), -signal.SIGKILL), *self._next_one()]
            wrong += [f"{self.name}, kill at {event}: {w}" for w in said]
        shutil.rmtree(kept, ignore_errors=True)
        return wrong

    def _next_one(self) -> Iterator[str]:
        """Whether the same, undisturbed, leaves the new one and nothing beside it."""
        if (key := hash(sight(self.folder))) not in self.tried:
            self.tried[key] = list(self._next_one_now())
        yield from self.tried[key]

    def _next_one_now(self) -> Iterator[str]:
        status, said = apart(lambda: self.write(self.folder, "new"))
        if status:
            yield f"the next one failed: {said}"
        if (now := state(self.folder)) != self.new:
            yield f"the next one wrote {self._differs(now, self.new)}"
        if left := litter(self.folder):
            yield f"left behind: {left}"

    def at_random(self, rng: random.Random) -> list[str]:
        """What is wrong after a SIGKILL at any moment of a run, and one more of the next."""
        self.fresh()
        wrong = []
        for _ in range(2):  # whoever clears away may be killed, too
            child = os.fork()
            if child == 0:
                try:
                    self.write(self.folder, "new")
                finally:
                    os._exit(DONE)
            time.sleep(rng.uniform(0, self.seconds))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            wrong += self._wrong(state(self.folder), -signal.SIGKILL)
        return [f"{self.name}, killed at random: {w}" for w in [*wrong, *self._next_one()]]

    def _wrong(self, now: dict[str, str], status: int) -> Iterator[str]:
        """Whether a state is neither the old nor the new one."""
        if status == DONE and now != self.new:
            yield f"said that it succeeded: {self._differs(now, self.new)}"
        elif self.name in MANY:
            if any(at not in (self.old.get(k), self.new.get(k)) for k, at in now.items()) or (
                self.old.keys() - now.keys()
            ):
                yield f"a file that is neither old nor new: {self._differs(now, self.old)}"
        elif now not in (self.old, self.new) and (self.name not in SETS or SETS[self.name] in now):
            yield f"neither old nor new: {self._differs(now, self.old)}"

    @staticmethod
    def _differs(one: dict[str, str], other: dict[str, str]) -> list[str]:
        return sorted(k for k in {*one, *other} if one.get(k) != other.get(k))


def chosen(count: int, sample: int | None, name: str) -> list[int]:
    """All events, or so many of them: the first, the last, and others by chance."""
    if sample is None or sample >= count:
        return list(range(count))
    rng = random.Random(f"{name} {count}")  # noqa: S311 - no secret
    ends = [0, *range(max(count - sample // 3, 1), count)]
    return sorted({*ends, *rng.sample(range(count), max(sample - len(ends), 0))})


def main() -> int:
    """Go through the events."""
    parser = argparse.ArgumentParser()
    parser.add_argument("writers", nargs="*", default=list(WRITERS))
    parser.add_argument("--sample", type=int)
    parser.add_argument("--ways", nargs="*", default=list(WAYS))
    parser.add_argument("--random", type=int, default=0, help="SIGKILLs at any moment instead")
    asked = parser.parse_args()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory) as name:
        base = Path(name).resolve()
        if "events_arm" not in dir() and not os.environ.get("PINGHU_EVENTS"):
            library = layer_of_events(base)
            if library is None:
                sys.stdout.write("needs Linux and a C compiler\n")
                return 77
            more = {
                "LD_PRELOAD": str(library), "PINGHU_EVENTS": "1", "PYTHONWARNINGS": "ignore",
                "OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z",
            }  # fmt: skip
            again = [sys.executable, __file__, *sys.argv[1:]]
            return subprocess.run(again, env=os.environ | more, check=False).returncode
        return tried(asked, base)


def tried(asked: argparse.Namespace, base: Path) -> int:
    """The writers one after the other."""
    import ezdxf  # noqa: F401 - loaded before the forks
    import folium  # noqa: F401
    import matplotlib.backends.backend_pdf  # noqa: F401
    import offlinefolium  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import xlsxwriter  # noqa: F401

    import pinghu_geo as pg
    import pinghu_geo.project  # noqa: F401

    [getattr(pg, one) for one in pg.__all__]
    warnings.simplefilter("ignore")
    status, said = apart(lambda: make_given(base / "given"))
    if status:
        raise SystemExit(said)
    events, bad = Events(), 0
    for name in asked.writers:
        writer = Writer(name, base, events)
        if asked.random:
            rng = random.Random(name)  # noqa: S311 - no secret
            wrong = [line for _ in range(asked.random) for line in writer.at_random(rng)]
            bad += len(wrong)
            sys.stdout.write(f"{name:10} {asked.random} x 2 random SIGKILLs, {len(wrong)} wrong\n")
            sys.stdout.writelines(f"    {line}\n" for line in wrong[:20])
            continue
        for way in asked.ways:
            at = chosen(writer.counts[way], asked.sample, f"{name} {way}")
            if way == "kill" and asked.sample is None:
                wrong = writer.stopped_at_each()
            else:
                wrong = [line for event in at for line in writer.at(way, event)]
            bad += len(wrong)
            sys.stdout.write(
                f"{name:12} {way:4}: {len(at):5} of {writer.counts[way]:5} events, "
                f"{len(wrong)} wrong ({len(writer.tried)} states)\n"
            )
            sys.stdout.writelines(f"    {line}\n" for line in wrong[:20])
            sys.stdout.flush()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
