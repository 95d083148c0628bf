"""Every public function x variations of its tables: ``python benchmarks/frames.py [--all] [call]``.

Without ``--all`` every variation by itself; with ``--all=N`` N calls of one to four variations at
once (20,000 by default). Prints what must never be (silently wrong, foreign exceptions, mutated
input, leaked warnings) and how many were computed the same or refused.
"""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from variations import cases, combined, outcome

GOOD = ("same", "refused", "other")

if __name__ == "__main__":
    asked = [a for a in sys.argv[1:] if not a.startswith("-")]
    many = [a.partition("=")[2] or "20000" for a in sys.argv[1:] if a.startswith("--all")]
    todo = combined(int(many[0])) if many else [(c, [rest]) for c, *rest in cases()]
    count: Counter[str] = Counter()
    for call, changes in todo:
        if asked and call not in asked:
            continue
        what, words = outcome(call, changes)
        count[what] += 1
        if what not in GOOD or "-v" in sys.argv:
            print(call, changes, what, words, sep=" | ", flush=True)
        if sum(count.values()) % 500 == 0:
            print(sum(count.values()), dict(count), flush=True)
    print(sum(count.values()), dict(count))
    sys.exit(bool(set(count) - set(GOOD)))
