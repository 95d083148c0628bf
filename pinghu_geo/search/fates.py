"""What becomes of the buildings by a line that was found? Their states, and names of designs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang, code_label
from pinghu_geo.schemes.alternatives import Comparison
from pinghu_geo.search.amounts import UNTOLD, amount_said, amounts, is_priced
from pinghu_geo.search.thresholds import Touches

__all__ = [
    "APPROVED", "FOUND", "WITHIN", "building_states", "n_shared", "one_line_said",
    "proof_in_short", "searched_against", "shared_said",
]  # fmt: skip

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


def proof_in_short(certificate: pd.DataFrame, lang: Lang) -> str:
    """What a certificate proves of which rivers, in one line; how far off what isn't proven."""
    gap, said = amounts(certificate, "gap"), []
    for proof, part in certificate.groupby("proof", sort=False):
        text = code_label("proof", proof, lang=lang)
        more = float(gap[part.index].sum())
        if more >= UNTOLD:
            off = amount_said(more, lang, priced=is_priced(certificate))
            text = say("{} (at most {} more than the bound)", lang, text, off)
        rivers = say(", ", lang).join(part["river"].astype(str))
        said.append(f"{rivers}{say(': ', lang)}{text}")
    return say("; ", lang).join(said)


def one_line_said(rivers: str, lang: Lang) -> str:
    """Where there is nothing to choose."""
    return say("{}: the offsets are less than one step (step_m) or locked all along: there is one "
               "line to choose.", lang, rivers)  # fmt: skip


def n_shared(states: list[pd.DataFrame]) -> list[int]:
    """How many buildings of each river are within reach of another one, too."""
    every = pd.Index(np.concatenate([one.index.to_numpy(object) for one in states]))
    several = every[every.duplicated()]
    return [int(one.index.isin(several).sum()) for one in states]


def shared_said(buildings: pd.DataFrame, lang: Lang) -> list[str]:
    """What a proof of river by river leaves open where rivers lie close together."""
    number = buildings.index[buildings.index.duplicated()].nunique()
    if not number:
        return []
    return [say("{} buildings are within reach of several rivers and counted for each: what is "
                "proven is one river's line by itself; where the designs are compared, each "
                "counts once.", lang, f"{number:,}")]  # fmt: skip


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
