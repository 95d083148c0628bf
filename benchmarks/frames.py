"""Every public function x variations of its tables: ``python benchmarks/frames.py [call ...]``.

Without ``--all`` every variation by itself; with ``--all=N`` N calls of one to four variations at
once (20,000 by default). ``--part=K/N`` runs every N-th of them, ``--log=FILE`` writes each result
on a line and, begun again, runs none twice but what was bad. Prints what must never be (silently
wrong, foreign exceptions, mutated input, leaked warnings) and how many were computed the same or
refused.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from variations import CALLS, cases, combined, outcome

GOOD = ("same", "refused", "other")


def known_good(log):
    """Calls that a log has as good, by their text."""
    if log is None or not log.exists():
        return {}
    rows = [json.loads(row) for row in log.read_text("utf-8").splitlines()]
    last = {json.dumps(row[:2]): row[2] for row in rows}
    return {key: what for key, what in last.items() if what in GOOD}


def main(words):
    """Run what is asked for; the exit status says whether anything was bad."""
    flags = dict(w[2:].partition("=")[::2] for w in words if w.startswith("--"))
    asked = [w for w in words if not w.startswith("-")]
    if unknown := set(asked) - set(CALLS):
        sys.exit(f"no such calls: {sorted(unknown)}")
    many = int(flags["all"] or 20_000) if "all" in flags else 0
    todo = combined(many) if many else [(c, [rest]) for c, *rest in cases()]
    todo = [case for case in todo if not asked or case[0] in asked]
    part, of = map(int, flags.get("part", "1/1").split("/"))
    log = Path(flags["log"]) if "log" in flags else None
    done, count, begun = known_good(log), Counter(), time.process_time()
    for call, changes in todo[part - 1 :: of]:
        key = json.dumps([call, changes])
        what, said = (done[key], "") if key in done else outcome(call, changes)
        count[what] += 1
        if log is not None and key not in done:
            with log.open("a", encoding="utf-8") as out:
                out.write(json.dumps([call, changes, what, said], ensure_ascii=False) + "\n")
        if what not in GOOD or "-v" in words:
            print(call, changes, what, said, sep=" | ", flush=True)
        if sum(count.values()) % 500 == 0:
            print(sum(count.values()), dict(count), flush=True)
    print(f"{sum(count.values())} {dict(count)} {time.process_time() - begun:.0f} s CPU")
    return bool(set(count) - set(GOOD))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
