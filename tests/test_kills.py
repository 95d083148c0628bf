"""Killed, or failing, at a file event: old or new, whole; a sample of benchmarks/kills.py."""

import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).parents[1] / "benchmarks" / "kills.py"


@pytest.mark.parametrize("writers", [["shp", "geojson", "hecras"], ["gpkg"], ["run"]], ids=" ".join)
def test_whatever_happens_at_a_file_event_the_old_or_the_new_is_there_whole(writers):
    sample = {"run": "3"}.get(writers[0], "4")
    run = subprocess.run(
        [sys.executable, KILLS, "--sample", sample, *writers],
        capture_output=True, text=True, encoding="utf-8", timeout=600, check=False,
    )  # fmt: skip
    if run.returncode == 77:
        pytest.skip(run.stdout.strip())
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count(" 0 wrong") == 3 * len(writers)
