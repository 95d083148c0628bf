"""What was found within the rise allowed, and what may be said of it? Result and its words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd

from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang
from pinghu_geo.nouns.tables import each_row
from pinghu_geo.river.centreline import lay_out
from pinghu_geo.river.chainage import format_chainage
from pinghu_geo.schemes.alternatives import Comparison
from pinghu_geo.search.amounts import amount_said, amounts, in_own_unit, is_priced
from pinghu_geo.search.fates import (
    one_line_said,
    proof_in_short,
    searched_against,
    shared_said,
)
from pinghu_geo.search.found import SearchedRiver, buildings_exchanged, width_table
from pinghu_geo.search.jogs import bends_said
from pinghu_geo.search.reaches import LaidOut, Tables, joined_tables, kept, largest_rise
from pinghu_geo.search.sparing import PRICE, moved_stretches, still_taken
from pinghu_geo.search.stretch import halves_of
from pinghu_geo.search.systems import Search
from pinghu_geo.search.walls import as_tables

__all__ = ["SearchRecord", "WithinRise"]

# freeboard less than asked by this is no less: levels are found to half a millimetre
UNSEEN_M = 0.0005


@dataclass(frozen=True, slots=True)
class WithinRise(Result):
    """The line that demolishes least within an allowed rise, its proof and its flood 控制壅高方案.

    Attributes
    ----------
    widths
        The line as a width table; wall_left, wall_right where the menu's walls are built.
    certificate
        One row a river (without rates all sums are m² of floor area: total_floor_area_m2 instead of
        total_yuan, and so on in all tables): n_nodes; n_unsearched, how many buildings the line
        takes where it could move and wasn't searched (too fast water, too short between
        structures); decided_between,
        how many buildings some pairs of moves count for though the slant of the line drawn straight
        between their stations may clear them (the safe side, by some millimetres); before_yuan that
        the approved line costs where it is searched, total_yuan, bound_yuan that no design of the
        menu along the whole river can beat, gap_yuan, proof {optimal; part: optimal where it
        was searched; optimal_before_bends: the line as searched was, gap_yuan is what the rule on
        bends costs; feasible; base: as approved, not proven; one_line: the menu and locks leave
        none to choose; nothing_to_spare: the approved line takes no building that could stay}.
        Of rivers that join it is of all together: what is left to prove
        stands at the one at the mouth. close_bends of both banks within bend_every_m of the one
        before, close_bends_before of the line as searched (both NA without that rule), and
        bends_yuan, what the line costs more for the rule (negative: less, because it may lie at any
        offset): bound_yuan is of lines of the menu without that rule, and the total at most.
        n_shared, how many buildings other rivers' lines reach, too: each river pays for them by
        itself.
    nodes
        One row a stretch that was searched: node_id, river, from_m, to_m, n_stations, n_buildings,
        before_yuan, total_yuan, bound_yuan and gap_yuan (what it may cost too much at most, with
        all that it takes from the stretches upstream), proof {river: part of a design that is
        proven for its whole river; river_before_bends: the line as searched was part of one, and
        gap_yuan is what fewer bends cost here; feasible; base: as approved, and not proven}.
    buildings
        One row a building within reach: river, bank, from_m, to_m, state {saved, added,
        demolished, near, spared} as drawn, cost_yuan.
    rise
        `rise_table` of the whole river before and after, by `water_profile`, with the freeboard
        after: the acceptance check, by code that the search doesn't use.
    sections, banks
        The sections of the design.
    comparison
        `compare` of the approved and the new line as drawn.
    allowed_mm
        Rise allowed of the first flood.
    searched
        The width table before bends were taken out; ``widths`` where they weren't.
    band
        The design over the band of loss coefficients of `building_rises`: contraction, expansion,
        profile, largest_rise_mm, allowed_mm and kept. The search holds for its own coefficients
        alone.
    """

    SHOWN: ClassVar = ("certificate", "nodes")
    DECIMALS: ClassVar = 1
    NOUN: ClassVar = "search"

    widths: pd.DataFrame
    certificate: pd.DataFrame
    nodes: pd.DataFrame
    buildings: pd.DataFrame
    rise: pd.DataFrame
    sections: pd.DataFrame
    banks: pd.DataFrame
    comparison: Comparison
    allowed_mm: float
    searched: pd.DataFrame
    band: pd.DataFrame
    stopped: bool
    done: SearchRecord = field(repr=False)

    @property
    def largest_rise_mm(self) -> float:
        """Largest rise of the first flood that has an allowed one, anywhere [mm]."""
        return largest_rise(self.rise, next(iter(self.allowed)))

    @property
    def allowed(self) -> dict[str, float]:
        """Rise allowed [mm] by flood: a design keeps that of each."""
        return self.done.search.asked.allowed

    @property
    def bends(self) -> pd.DataFrame:
        """Where bends follow closely, and what they save.

        One row a place: river, from_m, to_m, close_bends of both banks, saved_yuan, what the
        houses cost more at least that both banks drawn straight there would take (NA: locks,
        offsets or the taper leave no straight line), and over_mm, by how much the level would then
        pass what is allowed (NA: it wouldn't). Empty without that rule.
        """
        rows = [
            [found.reach.name, found.reach.chainage(place.first),
             found.reach.chainage(place.last), place.bends, place.worth, place.over_mm]
            for found in self.done.found
            for place in ([] if found.bent is None else found.bent.places)
        ]  # fmt: skip
        columns = ["river", "from_m", "to_m", "close_bends", "saved_yuan", "over_mm"]
        return in_own_unit(
            pd.DataFrame(rows, columns=columns), priced=self.done.search.asked.priced
        )

    @property
    def works_yuan(self) -> float:
        """What the works cost where the river was searched, by the prices given; NaN: no rates."""
        works = sum(found.works() for found in self.done.found)
        return works if self.done.search.asked.priced else np.nan

    def proof_in_short(self, *, lang: Lang = "zh") -> str:
        """What is proven of which rivers, and whether banks are overtopped, in one line."""
        over = -self._least_freeboard().min()
        said = [say("the flood stands above banks by up to {} m", lang, f"{over:.2f}")]
        said = said if over > UNSEEN_M else []
        return say("; ", lang).join([*said, proof_in_short(self.certificate, lang)])

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """What a mayor needs to know, in a few sentences."""
        lines = [
            *searched_against(self.comparison, lang),
            *self._freeboard_sentences(lang),
            *_proof_sentences(self.certificate, lang),
            *shared_said(self.buildings, lang),
            *self._unsearched_sentences(lang),
            *self._bend_sentences(lang),
        ]
        lines += [
            say("The design flood rises by at most {} mm anywhere on the rivers ({} mm allowed).",
                lang, f"{largest_rise(self.rise, name):.1f}", f"{most:g}")
            if len(self.allowed) == 1 else
            say("The flood {} rises by at most {} mm anywhere on the rivers ({} mm allowed).",
                lang, name, f"{largest_rise(self.rise, name):.1f}", f"{most:g}")
            for name, most in self.allowed.items()
        ]  # fmt: skip
        lines.append(self._over_the_band(lang))
        lines.append(say("This is a screening; the flood-impact evaluation by a qualified office "
                         "decides.", lang))  # fmt: skip
        return lines

    def _least_freeboard(self) -> pd.Series:
        """What the first flood leaves of freeboard at each station, on the lower bank [m]."""
        first = self.rise[self.rise["profile"] == next(iter(self.allowed))]
        least: pd.Series = first[["freeboard_left_m", "freeboard_right_m"]].min(axis=1)
        return least

    def _freeboard_sentences(self, lang: Lang) -> list[str]:
        """Where the first flood leaves less freeboard than is asked, or stands above a bank."""
        asked = self.done.search.asked.freeboard_m
        least, lines = self._least_freeboard(), []
        for wanted in sorted({0.0, asked or 0.0}):
            low = least < wanted - UNSEEN_M
            if not low.any():
                continue
            sentence = (
                "With this design the flood stands above a bank at {} of {} stations, by up to "
                "{} m."
                if wanted == 0
                else "Less than the freeboard asked is left at {} of {} stations, {} m at least."
            )
            worst = -least.min() if wanted == 0 else least.min()
            lines.append(say(sentence, lang, f"{low.sum():,}", f"{len(least):,}", f"{worst:.2f}"))
        return lines

    def _over_the_band(self, lang: Lang) -> str:
        """What the design rises by with other loss coefficients."""
        least, most = self.band["largest_rise_mm"].min(), self.band["largest_rise_mm"].max()
        if self.band["kept"].all():
            return say("Over the band of local loss coefficients the rise allowed is kept (largest "
                       "rise {} to {} mm).", lang, f"{least:.1f}", f"{most:.1f}")  # fmt: skip
        over = self.band[~self.band["kept"]]
        pairs = [
            f"{a:g}/{b:g}" for a, b in zip(over["contraction"], over["expansion"], strict=True)
        ]
        return say("With other local loss coefficients ({}) the rise allowed is exceeded: largest "
                   "rise {} to {} mm over the band.", lang,
                   say(", ", lang).join(dict.fromkeys(pairs)), f"{least:.1f}",
                   f"{most:.1f}")  # fmt: skip

    def _bend_sentences(self, lang: Lang) -> list[str]:
        """What it costs that the line bends seldom."""
        bends = self.done.search.asked.bends
        if bends is None:
            return []
        if not self.certificate["close_bends_before"].sum():
            return []
        lines = [bends_said(bends, self.certificate, lang)]
        worth, over = amounts(self.bends, "saved"), self.bends["over_mm"]
        fine, wet = worth > bends.yuan, over.notna()
        if fine.any():
            least = amount_said(worth[fine].min(), lang, priced=bends.priced)
            lines.append(say("In {} places closer bends save houses that a straight line would "
                             "take, worth {} or more in each.", lang, f"{int(fine.sum()):,}",
                             least))  # fmt: skip
        if (wet & ~fine).any():
            lines.append(say("In {} places they save less, but drawn straight the level would pass "
                             "what is allowed by {} to {} mm.", lang,
                             f"{int((wet & ~fine).sum()):,}", f"{over[wet & ~fine].min():.2f}",
                             f"{over[wet & ~fine].max():.2f}"))  # fmt: skip
        shut = worth.isna()
        if shut.any():
            lines.append(say("In {} places locks, offsets or the taper leave "
                             "no straight line.", lang,
                             f"{int(shut.sum()):,}"))  # fmt: skip
        return lines

    def _unsearched_sentences(self, lang: Lang) -> list[str]:
        """Where the search was stopped; rivers without a node, and why."""
        lines = []
        left = [f.reach.name for f in self.done.found if not f.stretches and f.proof == "base"]
        if self.stopped and left:
            lines.append(say("The search was stopped before it came to {}: there the approved "
                             "design stays.", lang, say(", ", lang).join(left)))  # fmt: skip
        elif self.stopped:
            lines.append(say("The search was stopped: what it had found by then stands.", lang))
        for one in self.done.found:
            if one.stretches or one.proof == "one_line" or (self.stopped and one.proof == "base"):
                continue
            why, many = _reason_unsearched(one, lang), len(one.unsearched())
            lines.append(
                say("{}: no node to be searched, the approved design stays and takes {} buildings "
                    "that could perhaps stay ({}).", lang, one.reach.name, f"{many:,}", why)
                if many else
                say("{}: no node to be searched, the approved design stays ({}).", lang,
                    one.reach.name, why)
            )  # fmt: skip
        return lines

    def price_of(self, building_id: object) -> pd.DataFrame:
        """See `what_would_save`."""
        priced = self.done.search.asked.priced
        empty = in_own_unit(pd.DataFrame(columns=[*PRICE, "largest_rise_mm"]), priced=priced)
        now, rise = self._rivers_sparing(building_id)
        if not now:
            return empty
        # both without the rule on bends, so that the price is the building's alone; one that just
        # this rule takes is compared with the line that is drawn
        first = [f.as_searched() for f in self.done.found]
        taken = (f.reach.ids[f.taken()] for f in first)
        if not any((ids == building_id).any() for ids in taken):
            first = self.done.found
        price = [
            sum(f.cost for f in now) - sum(f.cost for f in first),
            *buildings_exchanged(first, now),
        ]
        rows = []
        for was, other in zip(first, now, strict=True):
            chainage = was.reach.river.stations["chainage_m"].to_numpy()
            moved = other.line().moves - was.line().moves
            rows += [
                [*row, *price, largest_rise(rise, next(iter(self.allowed)))]
                for row in moved_stretches(was.reach.name, chainage, moved)
            ]
        return pd.DataFrame(rows, columns=empty.columns)

    def widths_for(self, building_id: object) -> pd.DataFrame:
        """See `widths_that_save`."""
        now, _ = self._rivers_sparing(building_id)
        if not now:
            return self.widths.iloc[:0]
        asked = self.done.search.asked
        lines = lay_out(asked.rivers)
        tables = [width_table(lines, asked.widths, f.reach, f.line()) for f in now]
        return pd.concat(tables, ignore_index=True)

    def _rivers_sparing(self, building_id: object) -> tuple[list[SearchedRiver], pd.DataFrame]:
        """All rivers, the building's system searched again so that it stays, and their rise.

        Empty: no design within the limits and the rise allowed spares it.
        """
        still_taken(self.buildings, building_id)
        one = next(f for f in self.done.found if (f.reach.ids == building_id).any())
        number = int(np.flatnonzero(one.reach.ids == building_id)[0])
        system = next(part for part in self.done.systems if one.reach.name in part)
        found = {f.reach.name: f for f in self.done.found}
        others = self.done.search.system(
            system,
            {name: f.reach for name, f in found.items()},
            {name: [(s.first, s.last) for s in f.stretches] for name, f in found.items()},
            spare=(one.reach.name, number),
        )
        if not any(f.stretches for f in others):  # no design spares it
            return [], self.rise
        instead = {f.reach.name: f for f in others}
        now = [instead.get(f.reach.name, f.as_searched()) for f in self.done.found]
        search = self.done.search
        after = LaidOut.of(search.asked.laid_out(*self.done.tables(now)))
        rise = search.now.rise_to(after)
        # a river that joins it may not bear that
        return now if kept(rise, self.allowed) else [], rise


class SearchRecord(NamedTuple):
    """How a design was found, for what is asked of it later."""

    search: Search
    found: list[SearchedRiver]
    systems: list[list[str]]  # rivers that join, together

    def tables(self, found: list[SearchedRiver]) -> Tables:
        """Sections and banks of all rivers with these lines, in the order of the survey."""
        made = {f.reach.name: as_tables(f.reach.river, halves_of(f.reach, f.line())) for f in found}
        names = self.search.now.case.laid.stations["river"].unique()
        return joined_tables({name: made[name] for name in names})


def _reason_unsearched(one: SearchedRiver, lang: Lang) -> str:
    """Why a river holds no node that could be searched."""
    reach = one.reach
    if not len(reach.cost):
        return say("no building where the line may lie", lang)
    hit = reach.as_approved()
    if not hit.any():
        return say("the approved line takes no building", lang)
    top = np.minimum(reach.river.top(0), reach.river.top(1))
    at = np.unique(reach.touch.gaps.gap[hit])
    reasons = []
    fast = say("the water is too fast, not clearly subcritical", lang)
    over = say("the level is above the banks", lang)
    for word, mask in ((fast, ~reach.calm), (over, reach.level[0] > top)):
        places = [format_chainage(reach.chainage(k)) for k in at[mask[at]][:3].tolist()]
        if places:
            listed = say(", ", lang).join(places)
            listed = say("{} and elsewhere", lang, listed) if mask[at].sum() > 3 else listed
            reasons.append(f"{word}{say(': ', lang)}{listed}")
    none = say("the reach is too short or its sections too sparse for any offset", lang)
    return say("; ", lang).join(reasons) or none


def _proof_sentences(certificate: pd.DataFrame, lang: Lang) -> list[str]:
    """What is proven, and of what."""
    searched = certificate[certificate["n_nodes"] > 0].assign(
        total=amounts(certificate, "total"), gap=amounts(certificate, "gap")
    )
    priced, lines = is_priced(certificate), []
    for row in each_row(searched[searched["proof"] == "part"]):
        lines.append(
            say("{}: the design is proven the best where the river was searched (of the offsets "
                "and walls given); where it wasn't, {} buildings are taken as by the approved "
                "line.",
                lang, row.river, f"{row.n_unsearched:,}")
        )  # fmt: skip
    single = certificate.loc[certificate["proof"] == "one_line", "river"].astype(str)
    if len(single):
        lines.append(one_line_said(say(", ", lang).join(single), lang))
    proven = searched[searched["proof"] == "optimal"]
    if len(proven):
        lines.append(
            say(
                "{}: the design is proven the best of the whole river (of the offsets and walls "
                "given, all nodes sharing the rise allowed).",
                lang,
                say(", ", lang).join(proven["river"].astype(str)),
            )
        )
    for row in each_row(searched[searched["proof"] == "optimal_before_bends"]):
        lines.append(
            say("{}: the line as searched is proven the best of the whole river (of the offsets "
                "and walls given, all nodes sharing the rise allowed); drawn with fewer bends it "
                "costs {} more, and isn't proven the best of such lines.",
                lang, row.river, amount_said(row.gap, lang, priced=priced))
        )  # fmt: skip
    of_menu = searched[searched["proof"].isin(["optimal", "optimal_before_bends"])]
    between = int(of_menu["decided_between"].sum())
    if between:
        lines.append(
            say("{} buildings are passed so closely by some lines of the menu that the slant "
                "of the line decides; there they count as taken.", lang, f"{between:,}")
        )  # fmt: skip
    for row in each_row(searched[searched["proof"].isin(["feasible", "base"])]):
        lines.append(
            say(
                "{}: the design is feasible and not proven the best of the river; it costs at "
                "most {} ({}) more than the bound.",
                lang,
                row.river,
                amount_said(row.gap, lang, priced=priced),
                f"{row.gap / max(row.total, 1e-9):.2%}",
            )
        )
        if row.n_unsearched:
            lines.append(say("{}: where it wasn't searched, {} buildings are taken as by the "
                             "approved line.", lang, row.river,
                             f"{row.n_unsearched:,}"))  # fmt: skip
    return lines
