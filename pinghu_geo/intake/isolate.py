"""What if a file breaks what reads it? It is read in a process of its own, with limits.

The child gets so much memory and time and, where the system offers it, no network. Whatever a
file does to it ends there, and is a sentence here. Nothing heavy is imported above: a parent that
only waits costs little.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.inert import source_name
from pinghu_geo.nouns.replacing import scratch_folder

__all__ = ["isolated_call", "isolated_raw", "note_reading"]

# Share of the machine's memory that a child may take, and how long reading one layer may last [s].
MEMORY_SHARE, LAYER_SECONDS, CHECK_SECONDS = 0.75, 900, 3600
# Exit status of a child that ran out of memory.
NO_MEMORY = 77
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
# Where a child says which file it reads.
_SAID = "PINGHU_READING"


def isolated_call(module: str, arguments: Sequence[str], *, network: bool, seconds: float) -> int:
    """Hand arguments to a module's ``main_apart`` in a child with limits; its exit status.

    Raises
    ------
    LayerError
        The child ended by itself: out of memory or time, or broken by a file; it is named.
    """
    return _run_in_child("call", [module, *arguments], network=network, seconds=seconds)


def isolated_raw(source: str | Path, what: str, seen: Any, **reading: Any) -> Any:
    """What `read_raw` reads, read in a child; what comes back is columns and WKB, and no code."""
    import geopandas as gpd
    import shapely
    from pyarrow import feather

    from pinghu_geo.intake.bounds import without_nests
    from pinghu_geo.intake.formats import POSTGIS

    if (boxes := reading.get("boxes")) is not None:
        reading["boxes"] = boxes.tolist()
    with scratch_folder(source_name(source)) as folder:
        asked, made, said = (folder / n for n in ("asked.json", "made.feather", "said.json"))
        place = str(source) if str(source).startswith(POSTGIS) else str(Path(source).absolute())
        request = {"source": place, "what": what, "lang": seen.lang, "reading": reading}
        asked.write_text(json.dumps(request), "utf-8")
        network = place.startswith(POSTGIS)
        code = _run_in_child("layer", [str(folder)], network=network, seconds=LAYER_SECONDS)
        if code or not said.exists():
            raise _unreadable_error(
                source_name(place), f"the reader ended with status {code}", what
            )
        answer = json.loads(said.read_text("utf-8"))
        if "error" in answer:
            raise _error_from_answer(answer["error"])
        table = feather.read_table(made, memory_map=False)
    seen._tables.extend(answer["findings"])
    shapes = shapely.from_wkb(without_nests(table.column("geometry").to_pylist()))
    frame = table.drop_columns(["geometry"]).to_pandas()
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=answer["crs"])


def note_reading(source: object) -> None:
    """Tell the parent, if there is one, which file is read now."""
    if place := os.environ.get(_SAID):
        Path(place).write_text(source_name(source), "utf-8", "replace")


def _error_from_answer(said: dict[str, Any]) -> Exception:
    from pinghu_geo.nouns import errors

    kind = getattr(errors, str(said.pop("kind")), LayerError)
    return kind(**said) if issubclass(kind, errors.PinghuError) else LayerError(**said)


def _unreadable_error(name: str, how: str, what: str = "") -> LayerError:
    return LayerError(
        f"{name} can't be read: {how}",
        layer=what,
        hint="it is damaged, too large for this machine, or made to harm: ask for it again",
        fault="unreadable",
    )


def _run_in_child(task: str, rest: Sequence[str], *, network: bool, seconds: float) -> int:
    """Run this module as a process with limits, and say in a sentence how it ended."""
    with scratch_folder("the reader") as folder:
        reading = folder / "reading"
        environment = os.environ | {_SAID: str(reading)}
        limits = [task, str(int(network)), str(seconds)]
        command = [sys.executable, "-m", "pinghu_geo.intake.isolate", *limits, *rest]
        with subprocess.Popen(command, env=environment) as child:  # noqa: S603 - our own
            try:
                code = child.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                code = None
            except BaseException:  # Ctrl-C: the child is of no more use
                child.kill()
                raise
        name = reading.read_text("utf-8") if reading.exists() else "the project"
    if code is None:
        raise _unreadable_error(name, f"the reader took more than {seconds:g} s and was ended")
    if code == NO_MEMORY:
        raise _unreadable_error(
            name, f"the reader took more than {_memory_of_child() / 2**30:.1f} GB of memory"
        )
    if code < 0:
        raise _unreadable_error(name, f"the reader was ended by {signal.Signals(-code).name}")
    return code


def _memory_of_child() -> int:
    """Bytes that a child may take."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        whole = 8 * 2**30
    return int(MEMORY_SHARE * whole)


# --- the child -----------------------------------------------------------------------------------


def _limit_process(*, network: bool, seconds: float) -> None:
    """Bound this process for good: memory, time, no core file, and no network."""
    try:
        import resource
    except ImportError:  # Windows: a process of its own, and the parent's clock
        return
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    bounds = (
        (kind, _memory_of_child()),
        (resource.RLIMIT_CPU, int(seconds) + 1),
        (resource.RLIMIT_CORE, 0),
    )
    for limit, most in bounds:
        _, hard = resource.getrlimit(limit)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(limit, (bound, bound))
        except (ValueError, OSError):
            continue
    if not network and sys.platform == "linux":
        _drop_network()


def _drop_network() -> None:
    """A namespace without any network; left out where the system doesn't let users have one."""
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None).unshare(NEW_USER | NEW_NETWORK):
        return
    own = {"uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}
    for name, text in {"setgroups": "deny", **own}.items():
        try:
            Path("/proc/self", name).write_text(text, "ascii")
        except OSError:
            continue


def _read_asked_layer(folder: Path) -> None:
    """Read a layer, and leave its columns, its WKB and what was odd where the parent looks."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import shapely
    from pyarrow import feather

    from pinghu_geo.intake.catalogue import Findings
    from pinghu_geo.intake.formats import read_raw
    from pinghu_geo.nouns.errors import PinghuError

    asked = json.loads((folder / "asked.json").read_text("utf-8"))
    seen = Findings(asked["what"], asked["lang"])
    reading = asked["reading"]
    if reading.get("boxes") is not None:
        reading["boxes"] = np.array(reading["boxes"])
    if reading.get("xy") is not None:
        reading["xy"] = tuple(reading["xy"])
    note_reading(asked["source"])
    try:
        source = asked["source"]
        frame = read_raw(source, asked["what"], seen, **reading)
    except PinghuError as fault:
        said = {
            "kind": type(fault).__name__, "problem": fault.problem, "layer": fault.layer,
            "ids": list(map(str, fault.ids)), "hint": fault.hint, "fault": fault.fault,
        }  # fmt: skip
        answer: dict[str, Any] = {"error": said}
    else:
        shapes = shapely.to_wkb(frame.geometry.to_numpy())
        columns = pd.DataFrame(frame.drop(columns=frame.geometry.name))
        table = pa.Table.from_pandas(columns)
        table = table.append_column("geometry", pa.array(shapes, pa.binary()))
        feather.write_feather(table, folder / "made.feather", compression="uncompressed")
        crs = None if frame.crs is None else frame.crs.to_wkt()
        answer = {"findings": seen._tables, "crs": crs}
    (folder / "said.json").write_text(json.dumps(answer, default=str), "utf-8")


def _child_main() -> None:
    task, network, seconds, *rest = sys.argv[1:]
    _limit_process(network=bool(int(network)), seconds=float(seconds))
    try:
        if task == "layer":
            _read_asked_layer(Path(rest[0]))
            return
        import_module(rest[0]).main_apart(rest[1:])
    except MemoryError:
        os._exit(NO_MEMORY)


if __name__ == "__main__":
    _child_main()
