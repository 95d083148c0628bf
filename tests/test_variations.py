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
    "rise past obstacles", "rises past obstacles", "encroachments", "calibrate", "inundation",
    "live", "live with tasks", "many designs with rates", "least with conveyance", "within a rise",
    "time against chainage", "long section past structures", "plot of widths with houses",
    "forms", "ledger with all", "map with all", "hecras with all", "hecras of a junction",
    "hecras obstacles", "progress told twice", "drawing", "results", "sheets", "fault list",
    "long section at a junction", "hydraulics of a junction", "map with a junction",
    "board", "parquet", "near", "sections of the ground", "household files", "weekly report",
    "notices", "transfers", "scheme report", "wall map", "field package",
    "section of a bridge", "msproject", "qgis", "ledger of a campaign",
)  # fmt: skip

AS_GIVEN = ("check", "fault list", "sheets", "table")  # say what is there, whatever it is


def sample():
    """2,000 calls, the same ones each time: single variations, eight of each call among them, and
    up to four at once.
    """
    single = [(call, [rest]) for call, *rest in cases()]
    order = np.random.default_rng(26).permutation(len(single)).tolist()
    both = [single[k] for k in order], combined(20_000)
    few = [c for of in both for k in COSTLY for c in [c for c in of if c[0] == k][:3]]
    rest = [[c for c in of if c[0] not in COSTLY] for of in both]
    first, later = [], []
    seen = Counter()
    for case in rest[0]:
        seen[case[0]] += 1
        (first if seen[case[0]] <= 8 else later).append(case)
    return [*few, *[*first, *later][:1200], *rest[1]][:2000]


SAMPLE = sample()


@pytest.mark.parametrize("call", CALLS)
def test_a_table_in_other_clothes_is_computed_the_same_or_refused(call):
    count = Counter()
    for changes in (c for k, c in SAMPLE if k == call):
        what, words = outcome(call, changes)
        assert what in ("same", "refused", "other"), f"{call}: {changes}: {what}: {words}"
        count[what, len(changes)] += 1
    # a door that refused everything would pass, too
    sound = count["same", 1] + count["other", 1] * (call in AS_GIVEN)
    assert sound > (0 if call in COSTLY else count["refused", 1] / 2)  # too few for a share


# what a random combination found, each a kind of its own
FOUND = (
    ("map with all", [("nodes", "to_m", "arrow text"), ("nodes", "rows", "all NA")]),
    ("map with all", [("nodes", "rows", "all NA")]),
    ("map with all", [("affected", "rows", "all NA")]),
    ("map", [("affected", "rows", "all NA")]),
    ("hydraulics", [("profile", "rows", "all NA")]),
    ("ledger with all", [("nodes", "rows", "all NA")]),
    ("reaches with fixed ones", [("held", "rows", "all NA")]),
    ("board", [("nodes", "rows", "all NA")]),
    ("results", [("rivers", "rows", "inf")]),
    ("results", [("buildings", "rows", "inf")]),
    ("wall map", [("affected", "floors", "word")]),
    ("wall map", [("buildings", "rows", "plain")]),
    ("hydraulics", [("tops", "level_m", "arrow text")]),
    ("household files", [("*", "river", "integers")]),
    ("household files", [("buildings", "rows", "levels")]),
    ("household files", [("line", "rows", "levels")]),
    ("ledger of a campaign", [("houses", "index", "int")]),
    ("ledger of a campaign", [("nodes", "index", "building_id")]),
    ("ledger of a campaign", [("planned", "index", "Int64")]),
    ("ledger of a campaign", [("people", "index", "int")]),
    ("msproject", [("*", "river", "mixed")]),
    ("ledger with all", [("parcels_", "index", "building_id")]),
    ("ledger with all", [("nodes", "index", "building_id")]),
    ("ledger with all", [("parcels_", "index", "int")]),
    ("household files", [("*", "river", "mixed")]),
    ("household files", [("nodes", "index", "float")]),
    ("section of a bridge", [("weirs", "index", "int")]),
    ("section of a bridge", [("weirs", "index", "Int64")]),
    ("field package", [("houses", "chainage_m", "Float64"), ("people", "rows", "column twice")]),
    ("field package", [("people", "rows", "column twice")]),
    ("plot of a section", [("rivers", "rows", "no rows")]),
    ("plot of a section", [("rivers", "rows", "all NA")]),
)


@pytest.mark.parametrize(("call", "changes"), FOUND)
def test_what_is_not_known_at_all_is_shown_or_refused(call, changes):
    what, words = outcome(call, changes)
    assert what in ("same", "refused", "other"), f"{what}: {words}"


@pytest.mark.parametrize(
    "call", ["board", "forms", "household files", "weekly report", "transfers", "field package"]
)
def test_houses_of_nodes_that_nobody_gave_are_refused(call):
    """Their groups and leaders would be said to be unknown."""
    what, words = outcome(call, [("nodes", "index", "int")])
    assert what == "refused", what
    assert "nodes that buildings are of" in words


def test_layers_whose_shapes_were_taken_away_are_written_as_tables():
    for name in ("rivers", "buildings"):
        what, words = outcome("results", [(name, "rows", "inactive")])
        assert what in ("same", "refused", "other"), f"{what}: {words}"
