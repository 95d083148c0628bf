"""Every public function x every variation of its tables: ``python benchmarks/frames.py [call]``.

Prints what must never be (silently wrong, foreign exceptions, mutated input, leaked warnings) and
how many variations were computed the same or refused.
"""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from variations import cases, outcome

if __name__ == "__main__":
    count: Counter[str] = Counter()
    for case in cases():
        if len(sys.argv) > 1 and case[0] not in sys.argv[1:]:
            continue
        what, words = outcome(case)
        count[what] += 1
        if what not in ("same", "refused") or "-v" in sys.argv:
            print(*case, what, words, sep=" | ")
    print(sum(count.values()), dict(count))
    sys.exit(bool(set(count) - {"same", "refused"}))
