"""The own parsers under a coverage-guided fuzzer: whatever the bytes, a value or a PinghuError.

    pip install atheris
    python benchmarks/readers_fuzz.py                          # the parsers
    python benchmarks/readers_fuzz.py hecras_text 1200 FOLDER  # one, for so many s of CPU

Inputs that reach something new are gathered in FOLDER, beginning with sound ones (`readers.py`)
and with those that were kept (`readers_corpus.json`). What ends in another exception is said once
with the place, and its bytes are kept in FOLDER/findings; a crash, 2 GB or 20 s end a round, and
the next one begins. At the end: seconds, inputs tried, and what was found.
"""

import contextlib
import hashlib
import os
import re
import resource
import subprocess
import sys
import time
import traceback
from pathlib import Path

import readers
from readers import PARSERS, SEEDS, WORDS, corpus

HERE = Path(__file__).resolve()


def main() -> None:
    """Run rounds of one parser until the time is over."""
    if len(sys.argv) < 2 or sys.argv[1] not in PARSERS:
        sys.exit("\n".join(PARSERS))
    if os.environ.get("PINGHU_FUZZ"):
        return one_round(sys.argv[1])
    name, seconds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1200
    folder = Path(sys.argv[3] if len(sys.argv) > 3 else f"fuzz-{name}").resolve()
    for sub in ("corpus", "findings"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    for raw in [*SEEDS[name], *corpus(name)]:
        (folder / "corpus" / hashlib.sha1(raw).hexdigest()).write_bytes(raw)  # noqa: S324
    words = "".join('"' + "".join(f"\\x{b:02x}" for b in w) + '"\n' for w in WORDS.get(name, ()))
    (folder / "words").write_text(words)
    begun, tried, rounds = time.monotonic(), 0, 0
    # seconds of the processor, so that a busy machine shortens nothing
    while (left := int(seconds - cpu_used())) > 0:
        options = [
            f"-max_total_time={left}", "-rss_limit_mb=2500", "-timeout=20", "-max_len=2048",
            "-print_final_stats=1", "-use_value_profile=1", f"-artifact_prefix={folder}/findings/",
            f"-dict={folder / 'words'}", str(folder / "corpus"),
        ]  # fmt: skip
        run = subprocess.run(
            [sys.executable, str(HERE), name, *options], cwd=folder, check=False,
            env=os.environ | {"PINGHU_FUZZ": str(folder / "findings")}, capture_output=True,
        )  # fmt: skip
        said = run.stderr.decode("utf-8", "replace")
        (folder / f"log-{rounds}").write_text(said)
        rounds += 1
        counts = re.findall(r"(?:number_of_executed_units: |^#)(\d+)", said, re.MULTILINE)
        tried += max(map(int, counts), default=0)
    found = sorted(p.name for p in (folder / "findings").iterdir())
    sys.stdout.write(
        f"{name}: {time.monotonic() - begun:.0f} s ({cpu_used():.0f} s of CPU), {tried:,} inputs, {rounds} rounds, "
        f"{len(list((folder / 'corpus').iterdir()))} kept, findings: {', '.join(found) or 'none'}\n"
    )
    return None


def cpu_used() -> float:
    """Seconds of CPU that the rounds so far have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def one_round(name: str) -> None:
    """One run of the fuzzer, in a process of its own."""
    import atheris

    findings = Path(os.environ["PINGHU_FUZZ"])
    own = [f"pinghu_geo.{module}" for module in readers.MODULES[name]]
    with atheris.instrument_imports(include=[*own, *(["tomllib"] if name == "project" else [])]):
        readers.load(name)
    import pinghu_geo as pg

    parser, seen = PARSERS[name], set()

    def one(raw: bytes) -> None:
        try:
            with contextlib.suppress(pg.PinghuError):
                parser(raw)
        except Exception as fault:  # noqa: BLE001 - what is looked for
            frames = traceback.extract_tb(fault.__traceback__)
            own = [f for f in frames if "pinghu_geo" in f.filename][-1:]
            place = (type(fault).__name__, *(f"{Path(f.filename).stem}-{f.name}" for f in own))
            if place not in seen:
                seen.add(place)
                (findings / "-".join(place)).write_bytes(raw)
                (findings / ("-".join(place) + ".txt")).write_text(traceback.format_exc())

    atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
