"""How does a river's discharge part between its branches? So that their energies are one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.flood.boundaries import Boundary, lowest_sections
from pinghu_geo.flood.hydraulics import ProfileCase, profile_case
from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.notices import notify

__all__ = ["balanced_flows"]

# energies that differ by less are one [m]
WITHIN_M = 0.0005
# trials of one parting, and times that one of them is balanced
MOST_TRIALS, MOST_ROUNDS = 60, 100
# of what parts a branch is left at least this share
LEAST_SHARE = 0.005
# a split is found where this share of the discharge would move it to the other side of the energies
SETTLED = 1e-7


@takes()
def balanced_flows(
    sections: pd.DataFrame,
    flows: pd.DataFrame,
    downstream: Boundary,
    junctions: pd.DataFrame,
    **options: Any,
) -> pd.DataFrame:
    """Discharges of the branches of rivers that part, so that their energies are one 分流.

    Parameters
    ----------
    sections, flows, downstream, junctions
        As in `water_profile`; the split that ``flows`` gives is where the search begins.
    **options
        Of `water_profile`: structures, banks and others.

    Returns
    -------
    pandas.DataFrame
        river, chainage_m (missing: from the river's upper end), profile, discharge_m3s: the
        discharges of all rivers, for ``flows`` of `water_profile`. What one branch has less, the
        other has more, all along it and in the rivers that it flows into.

    Raises
    ------
    HydraulicsError, LayerError
        What `water_profile` refuses; a river that parts into three or more, or whose branch parts
        again; branches whose energies differ however the discharge parts, of which one stays dry;
        supercritical regime, in which no energy below tells how the water parts.

    Notes
    -----
    Energies at the junction within 0.5 mm of one another, by false position and halving. Where the
    energy that a branch asks for steps (another formula of a bridge, ground that is overtopped),
    none may be: then the discharges are those at the step, from which on the one branch asks for
    more than the other, of its side on which the other holds the water above; a notice says so.
    Where branches join again, the river below keeps its discharge. `water_profile` takes the split
    as given and doubts it (``split``) where energies differ.

    References
    ----------
    HEC-RAS Hydraulic Reference Manual 6.x, chapter 4: split flow optimisation looks for discharges
    of equal energy, too.

    Examples
    --------
    Of two branches alike but in width the wide one takes more than half:

    >>> def river(name, wide):
    ...     bed = pd.DataFrame({"river": name, "chainage_m": [0.0, 100.0], "left_m": wide,
    ...         "bed_level_m": [0.05, 0.0], "right_m": wide, "bank_level_m": 8.0, "n": 0.03})
    ...     return pg.design_sections(bed)
    >>> made = pd.concat([river("up", 8.0), river("a", 6.0), river("b", 4.0)])
    >>> flows = pd.DataFrame({"river": ["up", "a", "b"], "discharge_m3s": [50.0, 25.0, 25.0]})
    >>> ends = pd.DataFrame({"river": ["a", "b"], "slope": 0.0005})
    >>> parts = pd.DataFrame({"junction": "J", "river": ["up", "a", "b"],
    ...     "role": ["in", "out", "out"], "length_m": [None, 20.0, 20.0]})
    >>> found = pg.flood.balanced_flows(made, flows, ends, parts)
    >>> found["discharge_m3s"].round(1).tolist()
    [50.0, 31.0, 19.0]
    """
    if options.get("regime") == "supercritical":
        raise HydraulicsError(
            "balanced_flows finds no split by regime='supercritical'", layer="junctions",
            hint='regime="mixed"  # or give the split: fast water goes on straight',
        )  # fmt: skip
    given = options | {"junctions": junctions}
    case = profile_case(sections, flows, downstream, **given)
    q = {name: one.copy() for name, one in case.q.items()}
    partings = {
        river: _two_branches(case, river) for river in case.order if case.edges.parts(river)
    }
    for _ in range(MOST_ROUNDS):
        if all(_is_balanced(case, q, river, more) for river, more in partings.items()):
            _say_steps(case, q)
            return _as_flows(case, q)
    raise HydraulicsError(
        "have branches of one energy each, but not all at once",
        layer="junctions",
        ids=list(partings),
        hint="balance one after the other: rivers that carry on below take part in each",
    )


def _energies_asked(case: ProfileCase, q: dict[str, Array]) -> dict[str, Array]:
    """Energies that branches ask for by river that parts, (floods, branches) [m]."""
    edges = replace(case.edges, lowest=lowest_sections(case.laid, q))
    return replace(case, q=q, edges=edges).energies_asked()


def _say_steps(case: ProfileCase, q: dict[str, Array]) -> None:
    """Tell where no split has branches of one energy, because what one asks for steps."""
    for river, asked in _energies_asked(case, q).items():
        apart = np.abs(asked[:, 0] - asked[:, 1])
        if (apart >= WITHIN_M).any():
            first, other = (branch.river for branch in case.edges.junctions[river].out)
            notify(
                f"balanced_flows: {first} and {other} ask for energies {apart.max():.3f} m apart at"
                f" the best split of {river}: what one of them asks for steps there (a bridge near"
                " another formula, ground that is overtopped); water_profile doubts it (split)"
            )


def _two_branches(case: ProfileCase, river: str) -> dict[str, int]:
    """The branches of a river that parts, and rivers that they flow into.

    1: has more where the first branch has more; -1: has as much less.
    """
    out = [branch.river for branch in case.edges.junctions[river].out]
    found = dict(zip(out, (1, -1), strict=False))
    for name in reversed(case.order):  # upstream first
        if name in found and name in case.edges.junctions:
            for beyond in case.edges.junctions[name].out:
                found[beyond.river] = found.get(beyond.river, 0) + found[name]
    again = [name for name, by in found.items() if by and case.edges.parts(name)]
    if len(out) != 2 or again:
        raise HydraulicsError(
            f"parts into {len(out)}" if not again else "has a branch that parts again",
            layer="junctions",
            ids=[river],
            hint="of two branches that don't part again the split is found; give that of others",
        )
    return found


def _is_balanced(case: ProfileCase, q: dict[str, Array], river: str, more: dict[str, int]) -> bool:
    """Shift discharge between two branches until they ask for one energy, in place.

    Whether nothing had to be shifted.
    """
    share = case.laid.stations["river"].map(more).fillna(0).to_numpy(int)
    begin = {name: values.copy() for name, values in q.items()}

    def asked(shift: Array) -> Array:
        """Energies that both ask for where the first has so much more, (floods, 2) [m]."""
        for by, (name, values) in zip(shift, begin.items(), strict=True):
            q[name] = values + by * share
        return _energies_asked(case, q)[river]

    def apart(shift: Array) -> Array:
        first, other = asked(shift).T
        return np.asarray(first - other)

    shift = np.zeros(len(q))
    off = apart(shift)
    if (np.abs(off) < WITHIN_M).all():
        return True
    spare = np.array([[v[share == k].min() for k in (1, -1)] for v in begin.values()])
    whole = spare.sum(axis=1)
    low, high = LEAST_SHARE * whole - spare[:, 0], spare[:, 1] - LEAST_SHARE * whole
    at_low, at_high = apart(low), apart(high)
    _refuse_dry_branch(case, river, more, begin, at_low > 0, at_high < 0)
    for trial in range(MOST_TRIALS):
        above = off > 0
        high, at_high = np.where(above, shift, high), np.where(above, off, at_high)
        low, at_low = np.where(above, low, shift), np.where(above, at_low, off)
        width = at_high - at_low
        part = np.where(width > 0, -at_low / np.where(width > 0, width, 1.0), 0.5)
        # by turns halved: a bracket that shrinks from one side only is slow, and a step has no root
        new = low + (0.5 if trial % 2 else np.clip(part, 0.1, 0.9)) * (high - low)
        found = (np.abs(off) < WITHIN_M) | (high - low < SETTLED * whole)
        if found.all():
            break
        shift = np.where(found, shift, new)
        off = apart(shift)
    # at a step: on the side on which the branch holds the water above whose energy doesn't step
    stuck = np.abs(off) >= WITHIN_M
    highest = [asked(np.where(stuck, side, shift)).max(axis=1) for side in (low, high)]
    shift = np.where(stuck, np.where(highest[0] < highest[1], low, high), shift)
    asked(shift)
    return bool((np.abs(shift) <= 2 * SETTLED * whole).all())


def _refuse_dry_branch(
    case: ProfileCase, river: str, more: dict[str, int], q: dict[str, Array],
    first: Array, other: Array,
) -> None:  # fmt: skip
    """Refuse partings of which one branch asks for more however little it has, by flood."""
    lost = first | other
    if not lost.any():
        return
    k = int(np.argmax(lost))
    out = case.edges.junctions[river].out
    dry, wet = out if first[k] else out[::-1]
    name, stations = list(q)[k], case.laid.stations
    there = stations.index[stations["river"] == dry.river]
    moved = float(case.q[name][there[0]])
    sign = more[wet.river]
    gains, loses = (
        [one for one, by in more.items() if by == sign * side and one != dry.river]
        for side in (1, -1)
    )
    shifts = "".join(
        f'; flows.loc[flows["river"].isin({names}), "discharge_m3s"] {by}= {moved!r}'
        for names, by in ((gains, "+"), (loses, "-")) if names
    )  # fmt: skip
    stands = bool(set(case.laid.crossings) & set(there))
    own = f'flows = flows[flows["profile"] == {name!r}]; ' if len(q) > 1 else ""
    own += f'structures = structures[structures["river"] != {dry.river!r}]; ' if stands else ""
    raise HydraulicsError(
        "has branches whose energies differ however its discharge parts",
        layer="junctions",
        ids=[f"{river} {name}".rstrip() for name, no in zip(q, lost, strict=True) if no],
        hint=f'{own}sections, flows, junctions = (t[t["river"] != {dry.river!r}].copy() for t in '
        f'(sections, flows, junctions)){shifts}; junctions["length_m"] = '
        f'junctions["length_m"].fillna({wet.length_m!r})  # {dry.river} stays dry; or its end, '
        "its bed or its structure is wrong",
    )


def _as_flows(case: ProfileCase, q: dict[str, Array]) -> pd.DataFrame:
    """Discharges of sections as a table of where each begins."""
    stations = case.laid.stations
    stations = stations[stations["scheme"] == stations["scheme"].iloc[0]]
    rows = []
    for name, values in q.items():
        for river, part in stations.groupby("river", sort=False):
            own = values[part.index.to_numpy()]
            new = np.flatnonzero(np.diff(own, prepend=np.nan) != 0)
            at = part["chainage_m"].to_numpy(float)[new]
            at[0] = np.nan
            rows += [(river, place, name, one) for place, one in zip(at, own[new], strict=True)]
    found = pd.DataFrame(rows, columns=["river", "chainage_m", "profile", "discharge_m3s"])
    return found.drop(columns="profile") if set(q) == {""} else found
