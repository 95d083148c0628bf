"""Mutated files against the reader: ``uv run python benchmarks/fuzz.py MINUTES``.

Every file of the fault matrix that can be read, and a few more, with bytes flipped, cut out, doubled, or set to
extremes. A worker under a limit of memory and time checks one after the other; whatever it answers must be a table of
faults. Printed is what was not: other exceptions, crashes, time-outs, with the seed that shows them again
(``fuzz.py --seed N``).
"""

from __future__ import annotations

import faulthandler
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
MEMORY_BYTES, SECONDS = 6 * 2**30, 20


def corpus(folder: Path) -> list[tuple[str, Path, dict[str, object]]]:
    """Sound files to be spoilt, each in a folder of its own."""
    import geopandas as gpd
    import pyogrio
    from faultmatrix import FILES, clean, delivered

    import pinghu_geo as pg

    found = []
    for name, fault in FILES.items():
        if fault.readable:
            (folder / name).mkdir()
            path, reading = fault.write(clean(), folder / name)
            found.append((name, path, reading))
    more = folder / "more"
    more.mkdir()
    pyogrio.write_dataframe(delivered(clean()).to_crs(4326), more / "a.kml", driver="KML")
    pyogrio.write_dataframe(delivered(clean()).to_crs(4326), more / "a.geojson")
    house = gpd.GeoDataFrame(
        {"river": "A"}, index=range(24), geometry=clean().geometry.to_numpy(), crs=4547
    )
    pg.write_dxf({"红线": house}, more / "a.dxf")
    found += [(p.suffix, p, {"crs": 4547, "row_ids": True}) for p in sorted(more.iterdir())]
    return [(n, p, r) for n, p, r in found if p.is_file()]


def mutated(raw: bytes, rng: np.random.Generator) -> bytes:
    """Bytes with one to eight things done to them."""
    data = bytearray(raw)
    for _ in range(int(rng.integers(1, 9))):
        if not data:
            return bytes(data)
        # headers are where the lengths stand
        at = int(rng.integers(0, min(len(data), 400) if rng.random() < 0.5 else len(data)))
        size = int(rng.integers(1, 9))
        kind = rng.integers(0, 6)
        if kind == 0:
            data[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            data[at : at + size] = bytes(rng.integers(0, 256, size, dtype=np.uint8))
        elif kind == 2:
            data[at : at + size] = bytes([int(rng.choice([0, 0x7F, 0x80, 0xFF]))]) * size
        elif kind == 3:
            del data[at : at + size * int(rng.integers(1, 40))]
        elif kind == 4:
            data[at:at] = data[at : at + size * 8]
        else:
            data = data[: int(rng.integers(0, len(data) + 1))]
    return bytes(data)


def work(first: int, last: int) -> None:
    """Check the mutations of the seeds, one after the other."""
    import pinghu_geo as pg

    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        files = corpus(base)
        for seed in range(first, last):
            rng = np.random.default_rng(seed)
            name, path, reading = files[int(rng.integers(0, len(files)))]
            parts = [p for p in path.parent.glob(path.stem + ".*") if p.is_file()]
            victim = parts[int(rng.integers(0, len(parts)))]
            case = base / "case"
            shutil.rmtree(case, ignore_errors=True)
            case.mkdir()
            for part in parts:
                raw = part.read_bytes()
                (case / part.name).write_bytes(mutated(raw, rng) if part == victim else raw)
            print(f"start {seed} {name}{victim.suffix}", flush=True)
            began = time.monotonic()
            signal.alarm(SECONDS)
            try:
                faults = pg.check(case / path.name, "buildings", **reading)
                said = "refused" if (faults["severity"] == "error").any() else "read"
            except Exception as fault:
                text = str(fault).replace("\n", " ")[:160]
                said = f"raised {type(fault).__name__}: {text}"
            signal.alarm(0)
            print(f"end {seed} {time.monotonic() - began:.2f} {said}", flush=True)


def main(minutes: float) -> None:
    """Run workers until the time is over; print what was not as it should be."""
    stop = time.monotonic() + 60 * minutes
    counts: Counter[str] = Counter()
    seed, slowest = 0, 0.0
    while time.monotonic() < stop:
        words = [sys.executable, __file__, "--work", str(seed), str(seed + 3000)]
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as worker:
            last, place = seed, ""
            for line in worker.stdout or ():
                word, number, rest = line.rstrip("\n").split(" ", 2)
                last = int(number)
                if word == "start":
                    place = rest
                    continue
                seconds, said = rest.split(" ", 1)
                slowest = max(slowest, float(seconds))
                counts[said.split(" ")[0]] += 1
                if said.startswith("raised"):
                    print(f"{last} {place}: {said}", flush=True)
                place = ""
                if time.monotonic() > stop:
                    worker.kill()
            if worker.wait() != 0 and place:
                counts["crashed"] += 1
                print(f"{last} {place}: worker ended with {worker.returncode}", flush=True)
            seed = last + 1
    print(f"{sum(counts.values()):,} files: {dict(counts)}; slowest {slowest:.1f} s")


if __name__ == "__main__":
    if sys.argv[1] == "--work":
        work(int(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1] == "--seed":
        work(int(sys.argv[2]), int(sys.argv[2]) + 1)
    else:
        main(float(sys.argv[1]))
