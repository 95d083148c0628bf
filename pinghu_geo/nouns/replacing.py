"""Is what is written there whole, and is nothing lost of what was there? Replacement, locks.

New is written beside the target, brought to the disk, and takes its place in one step. A lock,
which the system drops when its process dies, says who is writing; whoever holds it next ends or
clears away what a dead run has left.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import logging
import os
import platform
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime
from itertools import chain, count
from pathlib import Path

from pinghu_geo.nouns.errors import OutputError, PinghuError
from pinghu_geo.nouns.messages import say

__all__ = [
    "SHAPEFILE_PARTS",
    "Owned",
    "atomic_folder",
    "atomic_parts",
    "atomic_path",
    "completed",
    "digests",
    "in_words",
    "made_folder",
    "require_folder",
    "require_place",
    "scratch_folder",
    "write_whole",
]

log = logging.getLogger(__name__)

# Files of a folder that we made ourselves, with their digest where it is known ("" where not);
# None where the folder isn't ours.
Owned = Callable[[Path], Mapping[str, str] | None]

# How long a second writer waits for the first [s]: files are written in moments, runs take longer.
WAIT_FILE_S, WAIT_FOLDER_S, PAUSE_S = 60.0, 1.0, 0.02
# In a set that is complete: the names of its parts.
LISTED = ".parts"
# A name of more bytes may be too long with our endings; file systems allow 255.
LONGEST_NAME = 200
# Our own names beside a target; those that hold nothing that anybody could miss.
OWN_NAME = re.compile(r"^\.(.+)\.pinghu-(?:lock|new|ready|swap|old)$")
LITTER = re.compile(r"^\..+\.pinghu-(?:lock|new)$")
# What the system says, in words, and what to do.
ELSEWHERE = say("choose another place", "en")
FULL = (say("the disk is full", "en"), say("make room there, or choose another place", "en"))
NO_FOLDER = say("a part of its path is no folder", "en")
SENTENCES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: (say("the disk is read-only", "en"), ELSEWHERE),
    errno.EACCES: (
        say("writing there is not allowed", "en"),
        say("close it in Excel or QGIS, or choose another place", "en"),
    ),
    errno.ENAMETOOLONG: (say("the name is too long", "en"), say("choose a shorter one", "en")),
    errno.ELOOP: (say("it is a link that leads back to itself", "en"), ELSEWHERE),
    errno.ENOENT: (say("there is no such place", "en"), ELSEWHERE),
    errno.ENOTDIR: (NO_FOLDER, ELSEWHERE),
    errno.EEXIST: (NO_FOLDER, ELSEWHERE),
    errno.EIO: (
        say("the disk reports an error", "en"),
        say("choose another disk, and have this one looked at", "en"),
    ),
}
SENTENCES[errno.EPERM] = SENTENCES[errno.EBUSY] = SENTENCES[errno.EACCES]
# Libraries that write for us and have errors of their own for what the system said.
WRITERS = {"pyogrio", "pyarrow", "xlsxwriter", "sqlite3", "zipfile", "ezdxf"}
# Of a SQLite file: versions of the format, counters of changes. Whoever only looks may set them.
SQLITE_MAGIC = b"SQLite format 3\x00"
SQLITE_COUNTERS = ((18, 20), (24, 28), (92, 100))
SQLITE_BESIDE = ("-wal", "-journal", "-shm")
# What belongs to a Shapefile and would be wrong beside another one: parts, indexes of its rows.
SHAPEFILE_PARTS = (
    ".shp", ".shx", ".dbf", ".prj", ".cpg", ".qix", ".sbn", ".sbx", ".fbn", ".fbx", ".ain", ".aih",
    ".atx", ".ixs", ".mxs", ".idm", ".ind",
)  # fmt: skip


# --- files and folders ------------------------------------------------------------------------


@contextmanager
def atomic_path(path: Path, *, room: int = 0) -> Iterator[Path]:
    """A temporary path of the same name that takes the target's place when all went well.

    ``room`` is what it will take at least [bytes]: where the disk has less, nothing is begun.
    """
    with in_words(path):
        goal = _real_path(path)
        if goal.is_dir():
            raise OutputError(f"{path} is a folder", hint=f"choose another name than {path.name}")
        with _make_parent_folder(goal), _hold_lock(goal, WAIT_FILE_S):
            _require_room(goal, room)
            stage = _clear_stage(goal)
            stage.mkdir()
            try:
                temporary = stage / goal.name
                yield temporary
                _close_sqlite(goal)
                if goal.exists():
                    shutil.copymode(goal, temporary)
                _sync_to_disk(temporary)
                os.replace(temporary, goal)
                _sync_to_disk(goal.parent)
            finally:
                _remove_folder(stage)


def write_whole(path: Path, text: str) -> None:
    """A text in UTF-8 that takes the target's place when it is whole."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, "utf-8")


@contextmanager
def atomic_parts(main: Path, *, drop: tuple[str, ...] = (), room: int = 0) -> Iterator[Path]:
    """A temporary folder whose files take their places beside ``main`` together.

    ``main`` leaves first and comes last: a set of old and new parts is never one that opens.
    ``drop`` are suffixes of what else belonged to the old set.
    """
    with in_words(main):
        goal = _real_path(main.parent) / main.name
        with _make_parent_folder(goal), _hold_lock(goal, WAIT_FILE_S):
            stage, ready = _clear_stage(goal, drop), _own_name_beside(goal, "ready")
            _require_room(goal, room)
            stage.mkdir()
            try:
                yield stage
                names = sorted(p.name for p in stage.iterdir())
                (stage / LISTED).write_text("\n".join(names), "utf-8")
                _sync_tree_to_disk(stage)
                os.rename(stage, ready)
                _sync_to_disk(goal.parent)
            finally:
                _remove_folder(stage)
            _install_parts(goal, ready, drop)


@contextmanager
def atomic_folder(
    target: Path,
    *,
    ours: Owned | None = None,
    force: bool = True,
    tell: Callable[[str], None] | None = None,
    room: int = 0,
) -> Iterator[Path]:
    """A temporary folder that takes the target's place when all went well.

    Without ``force`` a target that exists is refused, before the work; always one that isn't
    ours. What a person put there, or changed, goes into the new folder and is told.
    """
    with ExitStack() as stack:
        with in_words(target):  # and not what is done in between, which has words of its own
            goal = _real_path(target)
            stack.enter_context(_make_parent_folder(goal))
            stack.enter_context(_hold_lock(goal, WAIT_FOLDER_S))
            stage = _clear_stage(goal, ours=ours)
            _require_replaceable(target, goal, ours, force=force)
            _require_room(goal, room)
            stage.mkdir()
        stack.callback(_remove_folder, stage)
        yield stage
        with in_words(target):
            kept = _carry_over_files(goal, stage, ours)
            _sync_tree_to_disk(stage)
            os.rename(stage, _own_name_beside(goal, "swap"))
            _put_in_place(_own_name_beside(goal, "swap"), goal)
            _remove_replaced(goal, ours)
        for line in kept:
            log.info("%s: %s", target, line)
            if tell is not None:
                tell(line)


def require_place(path: Path) -> None:
    """Refuse, before the work, a target that can't be written."""
    with in_words(path):
        goal = _real_path(path)
        if goal.is_dir():
            raise OutputError(f"{path} is a folder", hint=f"choose another name than {path.name}")
        with _make_parent_folder(goal, keep=False), _hold_lock(goal, WAIT_FILE_S):
            pass


def require_folder(folder: Path) -> None:
    """Refuse, before the work, a folder that can't be made, or in which nothing can be written."""
    with in_words(folder):
        goal = _real_path(folder)
        if goal.exists() and not goal.is_dir():
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        # one name, which whoever comes after a kill takes and removes
        with _make_parent_folder(goal / "_", keep=False), _hold_lock(goal / "_", WAIT_FILE_S):
            pass


def made_folder(folder: Path) -> Path:
    """A folder for files that are whole one by one."""
    with in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def completed(main: Path, drop: tuple[str, ...] = SHAPEFILE_PARTS) -> None:
    """End what a writer of a set of files had to leave: its new parts are complete."""
    goal = _real_path(main.parent) / main.name
    if not _own_name_beside(goal, "ready").exists():
        return
    with in_words(main), _hold_lock(goal, WAIT_FILE_S):
        _clear_stage(goal, drop)


@contextmanager
def scratch_folder(what: str) -> Iterator[Path]:
    """A folder for a while, where the system keeps such; a sentence where it keeps none."""
    try:
        kept = tempfile.TemporaryDirectory(prefix="pinghu-", ignore_cleanup_errors=True)
    except OSError as fault:
        raise OutputError(
            f"there is no place for temporary files, which {what} needs: "
            f"{fault.strerror or 'no folder can be written'}",
            hint="set the environment variable TMPDIR (Windows: TEMP) to a folder of yours",
        ) from fault
    with kept as name:
        yield Path(name)


def digests(folder: Path) -> dict[str, str]:
    """Digest of each file below a folder, by its name there."""
    return {_name_in_folder(p, folder): _digest_of_file(p) for p in _files_below(folder)}


def told_by(folder: Path, maker: str) -> dict[str, str] | None:
    """Files of a folder with their digests, as its manifest tells; None: ``maker`` made none."""
    try:
        told = json.loads((folder / "manifest.json").read_text("utf-8"))
        return {**told["outputs"], "manifest.json": ""} if maker in told else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn what the system says of a file that is written into a sentence."""
    try:
        yield
    except PinghuError:
        raise
    except Exception as fault:
        library = type(fault).__module__.split(".")[0]
        if not isinstance(fault, OSError | UnicodeEncodeError) and library not in WRITERS:
            raise
        said, hint = _reason_and_hint(path, fault)
        raise OutputError(
            f"{_path_without_own_names(path)} can't be written: {said}", hint=hint
        ) from fault


def _path_without_own_names(path: Path) -> Path:
    """A path without the names that we put beside a target."""
    return Path(*(OWN_NAME.sub(r"\1", part) for part in path.parts))


def _reason_and_hint(path: Path, fault: Exception) -> tuple[str, str]:
    """What went wrong and what to do."""
    if isinstance(fault, UnicodeEncodeError):
        return (
            say("files can't have such a name here", "en"),
            say("set the environment variable PYTHONUTF8=1", "en"),
        )
    cause = fault if isinstance(fault, OSError) else fault.__context__
    code = cause.errno if isinstance(cause, OSError) else None
    if code in SENTENCES:
        return SENTENCES[code]
    if code is None:  # libraries below say no more than that a write failed
        with suppress(OSError):
            if shutil.disk_usage(_real_path(path).parent).free < 2**20:
                return FULL
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(fault)
    return said.strip().rstrip(".")[:300] or type(fault).__name__, ELSEWHERE


# --- who is writing ---------------------------------------------------------------------------


@contextmanager
def _hold_lock(goal: Path, wait_s: float) -> Iterator[None]:
    """Hold the target's lock; the system drops it with the process, however that ends."""
    lock, end = _own_name_beside(goal, "lock"), time.monotonic() + wait_s
    while (held := _try_lock(lock)) is None:
        if time.monotonic() > end:
            raise OutputError(
                f"{goal} is being written by {_owner_of_lock(lock)}",
                hint="wait until it has ended, or choose another place",
            )
        time.sleep(PAUSE_S)
    try:
        os.ftruncate(held, 0)
        now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")
        said = f"process {os.getpid()} on {platform.node() or 'this machine'} since {now}"
        os.write(held, said.encode())
        yield
    finally:
        try:
            if os.name != "nt":  # there no open file can be removed
                lock.unlink(missing_ok=True)
        except OSError:
            log.info("%s can't be removed", lock)
        finally:
            os.close(held)
        if os.name == "nt":
            with suppress(OSError):
                lock.unlink()


def _try_lock(lock: Path) -> int | None:
    """The open lock file, held; None where another holds it."""
    held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock_or_raise(held)
        if lock.exists() and os.path.samestat(os.fstat(held), lock.stat()):
            return held  # and not one that its last holder has just removed
    except (BlockingIOError, PermissionError, FileNotFoundError):
        pass
    except OSError as fault:
        # some network disks offer no locks; what is written is whole there, too
        if fault.errno in (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
            return held
        os.close(held)
        raise
    os.close(held)
    return None


if sys.platform == "win32":
    import msvcrt

    def _lock_or_raise(held: int) -> None:
        # far behind the text, which others read to name us
        os.lseek(held, 2**30, os.SEEK_SET)
        msvcrt.locking(held, msvcrt.LK_NBLCK, 1)
        os.lseek(held, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock_or_raise(held: int) -> None:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _owner_of_lock(lock: Path) -> str:
    """Who holds a lock, as he wrote there."""
    with suppress(OSError):
        return lock.read_text("utf-8", "replace").strip() or "another run"
    return "another run"


# --- what dead runs left ----------------------------------------------------------------------


def _clear_stage(goal: Path, drop: tuple[str, ...] = (), ours: Owned | None = None) -> Path:
    """Where the new is written, after ending or clearing away what dead runs have left."""
    stage, swap, old = (_own_name_beside(goal, word) for word in ("new", "swap", "old"))
    if (ready := _own_name_beside(goal, "ready")).exists():
        _install_parts(goal, ready, drop)
    if not goal.exists():  # killed between two renames
        for whole in (swap, old):
            if whole.exists():
                os.rename(whole, goal)
                _sync_to_disk(goal.parent)
                break
    _remove_replaced(goal, ours)
    _remove_folder(stage)
    if stage.exists():
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(stage))
    return stage


def _remove_replaced(goal: Path, ours: Owned | None) -> None:
    """Remove what was replaced, but for what a person put there at the last moment."""
    for word in ("swap", "old"):
        if (left := _own_name_beside(goal, word)).exists():
            _carry_over_files(left, goal, ours)
            _remove_folder(left)


def _install_parts(goal: Path, ready: Path, drop: tuple[str, ...]) -> None:
    """Bring complete parts to their places; whoever comes after a kill goes on here."""
    if (ready / goal.name).exists():
        goal.unlink(missing_ok=True)
        _sync_to_disk(goal.parent)
        parts = (ready / LISTED).read_text("utf-8").split("\n")  # some may have gone before
        for suffix in drop:
            for spelled in (suffix, suffix.upper()):
                if (stale := goal.with_suffix(spelled)).name not in parts:
                    stale.unlink(missing_ok=True)
        for name in parts:
            if name != goal.name and (ready / name).exists():
                os.replace(ready / name, goal.parent / name)
        _sync_to_disk(goal.parent)
        os.replace(ready / goal.name, goal)
        _sync_to_disk(goal.parent)
    _remove_folder(ready)


def _put_in_place(swap: Path, goal: Path) -> None:
    """The new folder in, the old one aside: in one step where the system has it."""
    if not goal.exists():
        os.rename(swap, goal)
    elif not _exchange_names(swap, goal):
        os.rename(goal, _own_name_beside(goal, "old"))
        _sync_to_disk(goal.parent)
        os.rename(swap, goal)
    _sync_to_disk(goal.parent)


def _exchange_names(one: Path, other: Path) -> bool:
    """Whether two names were exchanged in one step, as Linux can on its own disks."""
    try:
        rename = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


# --- what a person put there ------------------------------------------------------------------


def _require_replaceable(target: Path, goal: Path, ours: Owned | None, *, force: bool) -> None:
    """Refuse a folder that is there, and to replace one that we didn't make."""
    if not goal.exists():
        return
    if ours is not None and (not goal.is_dir() or ours(goal) is None):
        raise OutputError(
            f"{target} exists and was not made by pinghu, so it is not replaced",
            hint="choose another folder",
        )
    if not force:
        raise OutputError(
            f"{target} exists", hint="--force (force=True) replaces it, or choose another folder"
        )


def _carry_over_files(old: Path, new: Path, ours: Owned | None) -> list[str]:
    """Bring a person's files, and ours that he changed, into the new folder; a line for each."""
    made = ours(old) if ours is not None and old.is_dir() else None
    lines = []
    # his own names first: what he changed of ours is kept under one that is free
    found = sorted(_files_below(old), key=lambda p: _name_in_folder(p, old) in (made or {}))
    for path in found if made is not None else ():
        name = _name_in_folder(path, old)
        base = next((name.removesuffix(s) for s in SQLITE_BESIDE if name.endswith(s)), name)
        if base != name and base in (made or {}):
            continue  # goes with its base
        beside = [b for b in ("-wal", "-journal") if path.with_name(path.name + b).exists()]
        digest = (made or {}).get(name)
        if digest is not None and not beside and digest in ("", _digest_of_file(path)):
            continue
        place = _free_place(path, new / name, own=digest is None)
        if place is None:
            continue  # is there already
        for ending in ("", *beside):
            _link_or_copy(path.with_name(path.name + ending), place.with_name(place.name + ending))
        there = _name_in_folder(place, new)
        said = name if there == name else f"{name} → {there}"
        lines.append(f"kept in the folder of results: {said}")
    return lines


def _free_place(path: Path, wanted: Path, *, own: bool) -> Path | None:
    """Where a file is kept: under its name if that is free, else beside it; None if it is there."""
    others = (wanted.with_name(f"{wanted.stem}_kept{k}{wanted.suffix}") for k in count(1))
    for place in chain([wanted] if own else [], others):
        if not os.path.lexists(place):
            return place
        if _is_same_file(path, place):
            return None
    return None


def _is_same_file(one: Path, other: Path) -> bool:
    """Whether two names are one file, or hold the same."""
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return one.samefile(other) or (
        other.is_file() and _digest_of_file(one) == _digest_of_file(other)
    )


def _link_or_copy(one: Path, other: Path) -> None:
    """The same file under another name; a copy where the disk has no such links."""
    other.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(one, other, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(one, other, follow_symlinks=False)


def _files_below(folder: Path) -> list[Path]:
    """All files below a folder, links not followed; not what dead writers left there."""
    found: list[Path] = []
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not LITTER.match(name)]
        links = [name for name in folders if (Path(at) / name).is_symlink()]
        found += [Path(at) / name for name in (*names, *links) if not LITTER.match(name)]
    return sorted(found)


def _name_in_folder(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _digest_of_file(path: Path) -> str:
    """SHA-256 of a file; of a database without what is set when somebody only looks at it."""
    if path.is_symlink() or not path.is_file():
        return "-"
    found = hashlib.sha256()
    with path.open("rb") as file:
        head = bytearray(file.read(100))
        if head.startswith(SQLITE_MAGIC):
            for start, end in SQLITE_COUNTERS:
                head[start:end] = bytes(end - start)
        found.update(head)
        while block := file.read(2**20):
            found.update(block)
    return found.hexdigest()


def _close_sqlite(goal: Path) -> None:
    """Bring what a dead program left beside a database into it, or refuse: it is open elsewhere."""
    beside = [goal.with_name(goal.name + ending) for ending in SQLITE_BESIDE]
    if not any(os.path.exists(p) for p in beside) or not goal.exists():
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(goal, timeout=1)) as base:
        base.execute("PRAGMA journal_mode=DELETE").fetchall()
        base.execute("SELECT count(*) FROM sqlite_master").fetchall()
    if any(os.path.exists(p) for p in beside):
        raise OutputError(
            f"{goal} is open in another program",
            hint=f"close it there (QGIS?); {beside[0].name} belongs to it",
        )


# --- places -----------------------------------------------------------------------------------


def _real_path(path: Path) -> Path:
    """Where a path leads, so that a link stays one and what it names is replaced."""
    real = Path(os.path.realpath(path))
    if real.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return real


def _own_name_beside(goal: Path, word: str) -> Path:
    """Our own name beside a target: lock, new, ready, swap, old."""
    name = goal.name
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
    return goal.with_name(f".{name}.pinghu-{word}")


@contextmanager
def _make_parent_folder(goal: Path, *, keep: bool = True) -> Iterator[None]:
    """The target's folder, made where it is missing, and gone again where nothing came of it."""
    missing = [p for p in (goal.parent, *goal.parents[1:]) if not p.exists()]
    done = False
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        if not goal.name:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(goal))
        yield
        done = keep
    finally:
        if not done:
            for folder in missing:
                with suppress(OSError):
                    folder.rmdir()


def _require_room(goal: Path, room: int) -> None:
    """Refuse what will take more than the disk has left; some systems don't say what it has."""
    left = shutil.disk_usage(goal.parent)
    if left.total and left.free < room:
        raise OutputError(
            f"{goal} can't be written: the disk has {left.free / 2**20:,.1f} MB left, and it takes "
            f"at least {room / 2**20:,.1f} MB",
            hint=FULL[1],
        )


def _sync_to_disk(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk before going on."""
    if os.name == "nt" and path.is_dir():
        return  # Windows has no such thing for folders
    held = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(held)
    except OSError as fault:  # some network disks don't offer it for folders
        if fault.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(held)


def _sync_tree_to_disk(folder: Path) -> None:
    """All files and folders below a folder, and itself, on the disk."""
    for at, _, names in os.walk(folder):
        for name in names:
            if not (Path(at) / name).is_symlink():
                _sync_to_disk(Path(at) / name)
        _sync_to_disk(Path(at))


def _remove_folder(folder: Path) -> None:
    """Remove a folder of our own; what can't be removed now goes the next time."""
    shutil.rmtree(folder, ignore_errors=True)
