"""A fixed sample of ``benchmarks/frames.py``: tables of every function in other clothes."""

from collections import Counter

import numpy as np
import pytest
from variations import CALLS, cases, combined, outcome

# these take up to a hundred times what the others take: few of them, the benchmark has all
COSTLY = (
    "rises", "least", "compare", "assess_many", "flood_rise", "tasks", "schedule", "state",
    "supervision", "payments", "faces", "faces of works", "faults", "long section",
    "plot of widths", "plot of a section", "ledger", "layer", "map", "hecras",
)  # fmt: skip


def sample():
    """2,000 calls, the same ones each time: single variations, and up to four at once."""
    single = [(call, [rest]) for call, *rest in cases()]
    order = np.random.default_rng(26).permutation(len(single)).tolist()
    both = [single[k] for k in order], combined(20_000)
    few = [c for of in both for k in COSTLY for c in [c for c in of if c[0] == k][:3]]
    rest = [[c for c in of if c[0] not in COSTLY] for of in both]
    return [*few, *rest[0][:1200], *rest[1]][:2000]


SAMPLE = sample()


@pytest.mark.parametrize("call", CALLS)
def test_a_table_in_other_clothes_is_computed_the_same_or_refused(call):
    count = Counter()
    for changes in (c for k, c in SAMPLE if k == call):
        what, words = outcome(call, changes)
        assert what in ("same", "refused", "other"), f"{call}: {changes}: {what}: {words}"
        count[what, len(changes)] += 1
    # a door that refused everything would pass, too
    assert count["same", 1] > count["refused", 1] / 2
