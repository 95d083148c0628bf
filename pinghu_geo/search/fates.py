"""What becomes of the buildings by a line that was found? Their states, and names of designs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang
from pinghu_geo.schemes.alternatives import Comparison
from pinghu_geo.search.thresholds import Touches

__all__ = ["APPROVED", "FOUND", "WITHIN", "building_states", "searched_against"]

# names of the designs that a search compares
APPROVED, FOUND, WITHIN = "原方案", "最少拆迁", "控制壅高"


def searched_against(comparison: Comparison, lang: Lang) -> list[str]:
    """What a search's comparison says, its own names in the language, too."""
    names = {
        APPROVED: say("the approved design", lang),
        FOUND: say("the least demolition", lang),
        WITHIN: say("the design within the rise", lang),
    }
    said = replace(comparison, baseline=names.get(comparison.baseline, comparison.baseline),
                   changes=comparison.changes.replace({"scheme": names}))  # fmt: skip
    return said.summary(lang=lang)


def building_states(
    river: str,
    ids: Array,
    reach: Touches,
    cost: Array,
    chainage: Array,
    after: Array,
    found: Comparison,
) -> pd.DataFrame:
    """What becomes of the buildings within reach: ``after`` by the rule, ``found`` as drawn."""
    before, drawn = (np.isin(ids, s.affected.index) for s in found.schemes.values())
    state = np.select(
        [after & ~drawn, before & ~drawn, ~before & drawn, drawn],
        ["near", "saved", "added", "demolished"],
        "spared",
    )
    gaps = reach.gaps
    some = (gaps.safe < gaps.safe.shape[1]).any(axis=1)
    sides = pd.Series(gaps.side[some]).groupby(gaps.who[some]).agg(["min", "max"])
    sides = sides.reindex(range(len(cost)))
    bank = np.where(
        sides["min"] == sides["max"], np.where(sides["min"] == 0, "left", "right"), "both"
    )
    return pd.DataFrame(
        {
            "river": river,
            "bank": bank,
            "from_m": chainage[reach.from_station],
            "to_m": chainage[reach.to_station],
            "state": state,
            "cost_yuan": cost,
        },
        index=pd.Index(ids, name="building_id"),
    )
