"""What may be computed side by side? Calls that don't need each other, in processes of their own.

Whoever asks sees what one call after the other would show: results, progress, notices and errors
come in the order of the items, and the numbers are the same. Items are asked for at once (`each`),
or begun and asked for later (`begin`). This process works, too; the others take what it hasn't
begun, once they are there. They are new interpreters that import this package alone, never a copy
of this process nor the script that runs in it, so that threads, notebooks and scripts of any form
are safe. Each ends with the pipe that feeds it: when the block ends, on Ctrl-C, and when this
process is killed.
"""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, Generic, Literal, NamedTuple, TypeVar

from pinghu_geo.nouns.errors import LayerError, PinghuError
from pinghu_geo.nouns.notices import heard, notify

__all__ = ["Begun", "SideBySide", "Workers", "silent", "side_by_side", "usable_processors"]

T = TypeVar("T")
J = TypeVar("J")

Progress = Callable[[str], None]
# what is computed of each item: of what all share, of the item, and whom to tell how far it is
Work = Callable[[Any, J, Progress], T]
Kind = Literal["ready", "line", "notice", "done", "raised", "unread"]

# Ctrl-C is heard this [s] after it was pressed at most; some systems interrupt no one who waits
LISTEN_S = 0.2
# who waits longer [s] does something else meanwhile, which may hold up what follows as long
PATIENCE_S = 0.05
# what is sent before something that all further items share
SHARED = b""
# what is sent before something that more than these items share
KEPT = b"kept"
# what is sent before names of modules that are to be imported once there is nothing else to do
PREPARED = b"prepared"
# what is less is computed before another process is there [bytes]
SMALL = 2**20
# a process takes less of a usual project [bytes]
MEMORY = 2**30
# groups of processes, and the one of this process (Linux)
GROUPS = Path("/sys/fs/cgroup")
OF_GROUP = Path("/proc/self/cgroup")
# what limits a group, by controller: in one tree of all (version 2), or in its own (version 1)
ONE_TREE = {"cpu": ["cpu.max"], "memory": ["memory.max"]}
OWN_TREE = {
    "cpu": ["cpu.cfs_quota_us", "cpu.cfs_period_us"],
    "memory": ["memory.limit_in_bytes"],
}
SERVE = "from pinghu_geo.nouns.beside import serve; serve()"


def silent(text: str) -> None:
    """Progress that nobody listens to."""


def usable_processors() -> int:
    """Processors that this process may use, of which each finds some memory."""
    few = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limits = [few or 1, *(quota // period for quota, period in _granted("cpu"))]
    limits += [memory // MEMORY for (memory,) in _granted("memory")]
    with suppress(AttributeError, ValueError, OSError):  # Windows
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEMORY)
    return max(min(limits), 1)


def _granted(controller: str) -> Iterator[list[int]]:
    """What the container, and each group of processes around this one, is limited to (Linux)."""
    with suppress(OSError):
        for line in OF_GROUP.read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if not controllers:
                root, names = GROUPS, ONE_TREE[controller]
            elif controller in controllers.split(","):
                root, names = GROUPS / controller, OWN_TREE[controller]
            else:
                continue
            place = root / group.lstrip("/")
            for folder in (place, *place.parents[: len(place.parts) - len(root.parts)]):
                with suppress(OSError, ValueError):  # "max": no limit
                    said = [
                        int(word) for name in names for word in (folder / name).read_text().split()
                    ]
                    if said[0] > 0:  # -1: no limit
                        yield said


def _interpreter() -> str | None:
    """The Python that runs this; None in a program that holds one, and names itself instead."""
    named = Path(sys.executable or "").name.lower()
    ours = named.startswith(("python", "pypy")) and not getattr(sys, "frozen", False)
    return sys.executable if ours else None


def _places() -> list[str]:
    """Where another process finds modules: this package before all, if `sys.path` names it not.

    So it is in a notebook or with ``python -c`` in a checkout, where another may be installed.
    """
    found, ours = [place for place in sys.path if place], str(Path(__file__).parents[2])
    return found if ours in found else [ours, *found]


@contextmanager
def side_by_side(workers: Workers) -> Iterator[SideBySide]:
    """So many processes, this one among them, until the block ends; those of an outer block stay.

    Raises
    ------
    LayerError
        ``workers`` is no whole number, 1 or more.
    """
    if isinstance(workers, SideBySide):
        yield workers
        return
    # a bool is no number of processes
    if type(workers) is not int or workers < 1:
        raise LayerError(
            f"workers is {workers!r}, which is no number of processes", layer="limits",
            hint="workers=2",
        )  # fmt: skip
    made = SideBySide(workers)
    try:
        yield made
    finally:
        made.end()


class _Said(NamedTuple):
    """What came of an item, or what was said on the way."""

    item: int
    kind: Kind
    what: Any


class SideBySide:
    """Processes that work beside this one."""

    def __init__(self, workers: int) -> None:
        self.most = workers
        self._helpers: list[_Helper] = []
        self._queue = _Queue()
        self._kept = _Kept()
        self._changing = threading.Lock()

    def __repr__(self) -> str:
        return f"SideBySide({self.most})"

    def start(self, function: Work[Any, Any] | None, many: int) -> None:
        """Start processes for as many items, so that they import what the function needs, if any.

        That takes them about a second, in which this process can do something else.
        """
        if (python := _interpreter()) is None:
            return
        first = pickle.dumps((function, None), pickle.HIGHEST_PROTOCOL)
        with self._changing:
            for _ in range(len(self._helpers), min(self.most, many) - 1):
                with suppress(OSError):  # without an interpreter all is done here
                    self._helpers.append(_Helper(self._queue, self._kept, python, first))

    def prepare(self, *modules: str) -> None:
        """Let others import these in turn while there is nothing else to do."""
        self._queue.prepare(modules)

    def keep(self, *things: Any) -> None:
        """Hand these over once, wherever they stand in what is asked or begun from now on."""
        if self._helpers:
            for one in things:
                self._kept.add(one)

    def each(
        self,
        function: Work[J, T],
        items: Iterable[J],
        common: Any = None,
        *,
        tell: Progress = silent,
        until: Callable[[], bool] = lambda: False,
    ) -> Iterator[tuple[J, T]]:
        """Each item with its result ``function(common, item, tell)``, in the items' order.

        Function and results have to be such as can be pickled; another process gets copies. Items
        that can't, or that it can't read, are computed here. On Ctrl-C, and where ``until`` says so
        after an item that was computed here, the other processes end at once, what is finished is
        handed out, and nothing else is begun; Ctrl-C that the function didn't catch is then raised.

        Raises
        ------
        Exception
            What the function raised of the first item of which it raised anything.
        PinghuError
            A process was ended from outside.
        """
        batch = _Batch(function, list(items), common, tell)
        # the first stays here, so that its progress is seen as it comes
        batch.todo = deque(range(1, len(batch.jobs)))
        if batch.todo and self.most > 1:
            self.start(function, len(batch.jobs))
            self._offer(batch)
        yield from self._results(batch, until, mine=0)

    def begin(
        self, function: Work[J, T], items: Iterable[J], common: Any = None, *,
        tell: Progress = silent, in_pairs: bool = False,
    ) -> Begun[J, T]:  # fmt: skip
        """Begin what is asked for later, as `each` computes it; until then nothing is said of it.

        Processes that are there begin it once they have nothing else to do, and this one while it
        waits for them; what nobody has begun is computed when it is asked for, and what is never
        asked for is not heard of. What is handed over must stay as it is. Others are handed two
        items at once, where asked, as long as one is left for each process besides: some libraries
        hold this interpreter, so that nothing is handed over while they work here.
        """
        batch = _Batch(function, list(items), common, tell)
        batch.todo = deque(range(len(batch.jobs)))
        batch.left = self.most - 1 if in_pairs else len(batch.jobs)
        self._offer(batch)
        return Begun(self, batch)

    def _offer(self, batch: _Batch) -> None:
        """Let others do of it what they can."""
        if self._helpers and batch.pack(self._kept):
            self._queue.offer(batch)

    def _results(
        self, batch: _Batch, until: Callable[[], bool] = lambda: False, mine: int | None = None
    ) -> Iterator[tuple[Any, Any]]:
        """Results of a batch, of which this process computes what others don't."""
        made, jobs = batch.made, batch.jobs
        self._queue.prefer(batch)
        try:
            while made.turn < len(jobs):
                if mine is None:
                    mine = made.take_unread()
                if mine is None and made.failed is None:
                    mine = self._queue.take_of(batch)
                if mine is not None:
                    made.take(_computed_here(batch, mine, batch.hear_while(mine)))
                    mine = None
                    if until():
                        break
                else:
                    self._wait(batch)
                batch.hear()
                for item, result in made.results():
                    yield jobs[item], result
        except KeyboardInterrupt:
            self.end()
            for item, result in made.finished():
                yield jobs[item], result
            raise
        finally:
            self._queue.withdraw(batch)
            if made.turn < len(jobs) and batch.packed:
                self.end()  # some are at work on what nobody asks for any more
        for item, result in made.finished():
            yield jobs[item], result

    def _wait(self, batch: _Batch) -> None:
        """Hear what is said next of a batch; where that takes long, do something else meanwhile."""
        with suppress(Empty):
            batch.made.take(batch.said.get(timeout=PATIENCE_S))
            return
        other = self._queue.take_any() if batch.made.failed is None else None
        if other is None:
            batch.made.take(_heard_of(batch.said))
            return
        begun, item = other

        def told(text: str) -> None:
            begun.said.put(_Said(item, "line", text))

        end = _Said(item, "unread", None)  # where Ctrl-C ends it
        try:
            end = _computed_here(begun, item, told)
        finally:
            begun.said.put(end)

    def end(self) -> None:
        """End the other processes, whatever they do."""
        with self._changing:
            helpers, self._helpers = self._helpers, []
            self._queue.send_home(helpers)
            for helper in helpers:
                helper.end()


Workers = int | SideBySide


class Begun(Generic[J, T]):
    """Work that was begun, and is asked for later."""

    def __init__(self, many: SideBySide, batch: _Batch) -> None:
        self._many, self._batch = many, batch

    def __iter__(self) -> Iterator[tuple[J, T]]:
        """Each item with its result, as of `SideBySide.each`; they are handed out once."""
        return self._many._results(self._batch)

    def results(self) -> list[T]:
        """All results, in the items' order; they are handed out once."""
        return [result for _, result in self]


def _heard_of(said: SimpleQueue[_Said]) -> _Said:
    """What is said next."""
    while True:
        with suppress(Empty):
            return said.get(timeout=LISTEN_S)


def _computed_here(batch: _Batch, item: int, told: Progress) -> _Said:
    """An item computed in this process."""
    end: _Said
    with heard() as notices:
        try:
            end = _Said(item, "done", batch.function(batch.common, batch.jobs[item], told))
        except Exception as fault:  # raised when its turn comes
            end = _Said(item, "raised", fault)
    for text in notices:
        batch.said.put(_Said(item, "notice", text))
    return end


class _Batch:
    """Items of one kind of work, and what is said of them."""

    def __init__(self, function: Work[Any, Any], jobs: list[Any], common: Any, tell: Progress):
        self.function, self.jobs, self.common = function, jobs, common
        self.todo: deque[int] = deque()  # not begun; whoever has nothing to do takes the next one
        self.left = len(jobs)  # those that stay where another process takes two at once
        self.said: SimpleQueue[_Said] = SimpleQueue()
        self.made = _InTurn(tell)
        self.shared = b""
        self.packed: list[bytes] = []

    def pack(self, kept: _Kept) -> bool:
        """Make it ready for other processes; False: it can't be packed."""
        # nobody else may pack it: here it is worked with meanwhile
        try:
            self.shared = kept.packed((self.function, self.common))
            self.packed = [kept.packed(job) for job in self.jobs]
        except Exception:  # whatever an object in a table raises
            self.packed = []
        return bool(self.packed)

    def hear(self) -> None:
        """Take in what was said until now."""
        while not self.said.empty():
            self.made.take(self.said.get())

    def hear_while(self, item: int) -> Progress:
        """Progress of an item that is computed here; what others say is handed on meanwhile."""

        def told(text: str) -> None:
            self.hear()
            self.made.take(_Said(item, "line", text))

        return told


class _Kept:
    """What is handed over once, by its number; others are sent what they have not got."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self._things: list[Any] = []  # so that no other object becomes theirs
        self._numbers: dict[int, int] = {}

    def add(self, thing: Any) -> None:
        """Keep something, unless it can't be packed."""
        if id(thing) in self._numbers:
            return
        try:
            packed = pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)
        except Exception:  # whatever an object in a table raises; then it goes with the items
            return
        self._things.append(thing)
        self.sent.append(packed)
        self._numbers[id(thing)] = len(self._numbers)

    def packed(self, what: Any) -> bytes:
        """Something that holds numbers in the place of what is kept."""
        if not self._numbers:
            return pickle.dumps(what, pickle.HIGHEST_PROTOCOL)
        into = BytesIO()
        _Packer(into, self._numbers).dump(what)
        return into.getvalue()


class _Packer(pickle.Pickler):
    def __init__(self, into: IO[bytes], numbers: dict[int, int]) -> None:
        super().__init__(into, pickle.HIGHEST_PROTOCOL)
        self._numbers = numbers

    def persistent_id(self, what: Any) -> int | None:
        return self._numbers.get(id(what))


class _Unpacker(pickle.Unpickler):
    """Reads what `_Kept` has packed; of what is kept, what is asked for."""

    def __init__(self, packed: bytes, kept: list[bytes], read: dict[int, Any]) -> None:
        super().__init__(BytesIO(packed))
        self._kept, self._read = kept, read

    def persistent_load(self, number: int) -> Any:
        if number not in self._read:
            self._read[number] = pickle.loads(self._kept[number])  # noqa: S301
        return self._read[number]


class _InTurn:
    """What is said of several items at once, handed on in their order."""

    def __init__(self, tell: Progress) -> None:
        self.turn = 0
        self._tell = tell
        self._lines: dict[int, list[str]] = {}  # of those whose turn is still to come
        self._notices: dict[int, list[str]] = {}
        self._ends: dict[int, _Said] = {}
        self._unread: set[int] = set()
        self._told = self._again = 0  # lines of the one whose turn it is, and those told once more

    @property
    def failed(self) -> int | None:
        """The first item that raised something, so that none after it is of any use."""
        return min((i for i, end in self._ends.items() if end.kind == "raised"), default=None)

    def take_unread(self) -> int | None:
        """An item that another process couldn't read, so that this one has to compute it."""
        first = min(self._unread, default=None)
        if first is None or (self.failed is not None and self.failed < first):
            return None
        self._unread.remove(first)
        return first

    def take(self, one: _Said) -> None:
        """Hear something; a line of the item whose turn it is is told at once."""
        if one.kind == "line" and one.item == self.turn and self._again:
            self._again -= 1
        elif one.kind == "line" and one.item == self.turn:
            self._tell(one.what)
            self._told += 1
        elif one.kind == "line":
            self._lines.setdefault(one.item, []).append(one.what)
        elif one.kind == "notice":
            self._notices.setdefault(one.item, []).append(one.what)
        elif one.kind == "unread":
            self._unread.add(one.item)
            self._lines.pop(one.item, None)  # they are said once more
            self._notices.pop(one.item, None)
            if one.item == self.turn:
                self._again = self._told
        else:
            self._ends[one.item] = one

    def results(self) -> Iterator[tuple[int, Any]]:
        """Results of those whose turn it is."""
        while (end := self._ends.pop(self.turn, None)) is not None:
            for text in self._notices.pop(self.turn, []):
                notify(text)
            if end.kind == "raised":
                raise end.what
            self.turn, self._again = self.turn + 1, 0
            yield end.item, end.what
            lines = self._lines.pop(self.turn, [])
            for text in lines:
                self._tell(text)
            self._told = len(lines)

    def finished(self) -> Iterator[tuple[int, Any]]:
        """Results of all that came to an end, whether or not those before them did."""
        for item in sorted(self._ends):
            if self._ends[item].kind == "done":
                yield item, self._ends[item].what
        self._ends = {}


class _Queue:
    """Batches of which something is not begun; what is asked for goes before what was begun."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._batches: deque[_Batch] = deque()
        self._modules: list[str] = []

    def prepare(self, modules: Iterable[str]) -> None:
        """Let each other process import these."""
        with self._changed:
            self._modules += modules
            self._changed.notify_all()

    def offer(self, batch: _Batch) -> None:
        """Offer the items of a batch to others."""
        with self._changed:
            self._batches.append(batch)
            self._changed.notify_all()

    def prefer(self, batch: _Batch) -> None:
        """A batch is asked for: it goes first."""
        with self._changed:
            if batch in self._batches:
                self._batches.remove(batch)
                self._batches.appendleft(batch)

    def withdraw(self, batch: _Batch) -> None:
        """Nobody begins anything of it any more."""
        with self._changed, suppress(ValueError):
            self._batches.remove(batch)

    def take_of(self, batch: _Batch) -> int | None:
        """An item of a batch for the process that asks for it; None: all are begun."""
        with self._changed:
            return batch.todo.popleft() if batch.todo else None

    def take_any(self) -> tuple[_Batch, int] | None:
        """An item of any batch for the process that offers them; None: all are begun."""
        with self._changed:
            return self._next()

    def take(self, helper: _Helper) -> tuple[_Batch, list[int]] | list[str] | None:
        """Items for another process, or modules, waiting for them; None: it is to go, or gone."""
        with self._changed:
            while not helper.over():
                if modules := self._modules[helper.prepared :]:
                    helper.prepared = len(self._modules)
                    return modules
                if (found := self._next()) is not None:
                    batch, item = found
                    more = len(batch.todo) > batch.left
                    return batch, [item, batch.todo.popleft()] if more else [item]
                self._changed.wait()
            return None

    def _next(self) -> tuple[_Batch, int] | None:
        while self._batches and not self._batches[0].todo:
            self._batches.popleft()
        return (self._batches[0], self._batches[0].todo.popleft()) if self._batches else None

    def send_home(self, helpers: list[_Helper]) -> None:
        """These get nothing else to do."""
        with self._changed:
            for helper in helpers:
                helper.ended = True
            self._changed.notify_all()


class _Helper:
    """A process, and the thread that hands it items and hands on what it says."""

    def __init__(self, queue: _Queue, kept: _Kept, python: str, first: bytes) -> None:
        apart: dict[str, Any] = {"start_new_session": True}  # Ctrl-C is for whoever started it
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        places = os.pathsep.join(_places())
        self._process = subprocess.Popen(
            [python, "-P", "-c", SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": places},
            **apart,
        )
        self._queue, self._kept = queue, kept
        self.ended = False
        self.prepared = 0  # modules that it was told to import
        self._thread = threading.Thread(target=self._hand_on, args=(first,), daemon=True)
        self._thread.start()

    def over(self) -> bool:
        """It is to go, or is gone."""
        return self.ended or self._process.poll() is not None

    def _hand_on(self, first: bytes) -> None:
        into, out = self._process.stdin, self._process.stdout
        if into is None or out is None:
            return
        taken: tuple[_Batch, list[int]] | list[str] | None = None
        known: _Batch | None = None
        kept = 0
        try:
            _write(into, first)
            _read(out)
            while (taken := self._queue.take(self)) is not None:
                if isinstance(taken, list):
                    _write(into, PREPARED)
                    _write(into, pickle.dumps(taken))
                    continue
                batch, items = taken
                if known is not batch:
                    known = batch
                    more = self._kept.sent[kept:]
                    for packed in more:
                        _write(into, KEPT)
                        _write(into, packed)
                    kept += len(more)
                    _write(into, SHARED)
                    _write(into, batch.shared)
                for item in items:
                    _write(into, batch.packed[item])
                while items:
                    _hand_on_words(batch.said, items[0], out)
                    items.pop(0)
        except (EOFError, OSError) as fault:
            if not isinstance(taken, tuple):
                return
            batch, items = taken
            for item in items:
                if self.ended:  # what it had is computed by whoever still asks for it
                    batch.said.put(_Said(item, "unread", None))
                else:
                    batch.said.put(_Said(item, "raised", self._end_in_words(fault)))

    def _end_in_words(self, fault: Exception) -> PinghuError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        code = self._process.returncode
        how = str(fault) if code is None else f"status {code}"
        if code is not None and code < 0:
            how = signal.Signals(-code).name
        return PinghuError(
            f"a process that worked beside this one was ended ({how}), perhaps for its memory",
            hint="run it again with fewer workers, which take less memory",
        )

    def end(self) -> None:
        self._process.kill()
        self._thread.join()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what it didn't read any more
                stream.close() if stream else None
        self._process.wait()


def _hand_on_words(said: SimpleQueue[_Said], item: int, out: IO[bytes]) -> None:
    """What another process says of an item, until it is done with it."""
    kind: Kind = "ready"
    while kind not in ("done", "raised", "unread"):
        packed = _read(out)
        try:
            kind, what = pickle.loads(packed)  # noqa: S301 - of our own process
        except Exception as fault:  # else it would be waited for for ever
            kind, what = "raised", RuntimeError(f"a result can't be handed over: {fault!r}")
        said.put(_Said(item, kind, what))


def _write(stream: IO[bytes], what: bytes) -> None:
    stream.write(len(what).to_bytes(8, "little"))
    stream.write(what)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    size = stream.read(8)
    found = stream.read(int.from_bytes(size, "little"))
    if len(size) < 8 or len(found) < int.from_bytes(size, "little"):
        raise EOFError("its pipe was closed")
    return found


# --- the other process -------------------------------------------------------------------------


def serve() -> None:
    """Compute what comes in by the standard input, and say by the standard output what it is."""
    gc.set_threshold(500_000, 10, 10)  # as in every process of the command line
    into, out = (os.fdopen(os.dup(k), mode) for k, mode in ((0, "rb"), (1, "wb")))
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # what a library prints is no result
    came: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_take_in, args=(into, came), daemon=True).start()

    def tell(text: str) -> None:
        _write(out, _packed("line", text))

    shared = came.get()
    loaded: tuple[Any, Any] | None
    loaded = pickle.loads(shared)  # noqa: S301 - of the process that started this one
    kept: list[bytes] = []
    read: dict[int, Any] = {}
    modules: deque[str] = deque()
    _write(out, _packed("ready", None))
    while True:
        # without asking who sent them, who may hold the lock of its interpreter for long
        if modules and came.empty():
            with suppress(Exception):  # what is wrong with it will be said by whoever needs it
                importlib.import_module(modules.popleft())
            continue
        packed = came.get()
        if packed == PREPARED:
            modules.extend(pickle.loads(came.get()))  # noqa: S301
            continue
        if packed == KEPT:
            kept.append(came.get())
            continue
        if packed == SHARED:
            shared, loaded = came.get(), None
            continue
        try:
            function, common = loaded = loaded or _Unpacker(shared, kept, read).load()
            item = _Unpacker(packed, kept, read).load()
        except Exception:  # of a class that the script made, which isn't run here
            _write(out, _packed("unread", None))
            continue
        for said in _computed(function, common, item, tell):
            _write(out, said)


def _computed(function: Work[Any, Any], common: Any, item: Any, tell: Progress) -> Iterator[bytes]:
    """Notices of an item, and what came of it."""
    end: tuple[Kind, Any]
    with heard() as notices:
        try:
            end = "done", function(common, item, tell)
        except Exception as fault:
            if not isinstance(fault, PinghuError):  # of a slip one wants to see where it was
                fault.add_note(f"In a process that worked beside:\n{traceback.format_exc()}")
            end = "raised", fault
    yield from (_packed("notice", text) for text in notices)
    try:
        packed = _packed(*end)
        if end[0] == "raised":  # some errors can't be made again from what they say
            pickle.loads(packed)  # noqa: S301
        yield packed
    except Exception as fault:  # what can't be pickled is told in words
        yield _packed("raised", RuntimeError(f"{end[1]!r} can't be handed over: {fault}"))


def _packed(kind: Kind, what: Any) -> bytes:
    return pickle.dumps((kind, what), pickle.HIGHEST_PROTOCOL)


def _take_in(into: IO[bytes], came: SimpleQueue[bytes]) -> None:
    """Take in what comes; when nobody is there any more, this process ends, whatever it does."""
    while True:
        try:
            came.put(_read(into))
        except (EOFError, OSError):
            os._exit(0)
