"""What does the water do where rivers meet or part? Level, energy and discharge, river by river."""

from __future__ import annotations

import pandas as pd

from pinghu_geo.flood.junctions import junction_table, refuse_unknown_rivers
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.schema import require_columns

__all__ = ["junction_levels"]

SAID = ("chainage_m", "discharge_m3s", "level_m", "energy_m", "doubts")


@takes()
def junction_levels(profile: pd.DataFrame, junctions: pd.DataFrame) -> pd.DataFrame:
    """Levels, energies and discharges of the rivers at each junction 汇流口水力成果.

    Parameters
    ----------
    profile
        Of `water_profile`, computed with these junctions.
    junctions
        As in `water_profile`.

    Returns
    -------
    pandas.DataFrame
        One row a scheme, profile, junction and river, those that flow in first: role, method,
        length_m and angle_deg as they counted (missing: not asked for), and of the river's section
        at the junction chainage_m (and repeated, where chainages occur twice), discharge_m3s,
        level_m, energy_m [m], doubts.

    Raises
    ------
    HydraulicsError, LayerError
        The junctions can't be used; rivers that the profile has not.

    References
    ----------
    HEC-RAS Hydraulic Reference Manual 6.x, chapter 4 (junctions by energy and by momentum).

    Examples
    --------
    Two rivers of 20 and 10 m³/s become one:

    >>> def river(name, wide):
    ...     bed = pd.DataFrame({"river": name, "chainage_m": [0.0, 100.0], "left_m": wide,
    ...         "bed_level_m": [0.05, 0.0], "right_m": wide, "bank_level_m": 8.0, "n": 0.03})
    ...     return pg.design_sections(bed)
    >>> made = pd.concat([river("a", 6.0), river("b", 4.0), river("c", 9.0)])
    >>> flows = pd.DataFrame({"river": ["a", "b", "c"], "discharge_m3s": [20.0, 10.0, 30.0]})
    >>> meet = pd.DataFrame({"junction": "J", "river": ["a", "b", "c"],
    ...     "role": ["in", "in", "out"], "length_m": [20.0, 20.0, None]})
    >>> found = pg.water_profile(made, flows, {"slope": 0.0005}, junctions=meet)
    >>> pg.flood.junction_levels(found, meet)[["river", "role", "discharge_m3s"]].values.tolist()
    [['a', 'in', 20.0], ['b', 'in', 10.0], ['c', 'out', 30.0]]
    """
    require_columns(profile, ("river", *SAID), "profile")
    known = junction_table(junctions)
    refuse_unknown_rivers(known, list(profile["river"].unique()))
    said = [*SAID[:1], *(c for c in ("repeated",) if c in profile.columns), *SAID[1:]]
    keys = [c for c in ("scheme", "profile") if c in profile.columns]
    # upstream first: of rivers that flow in the last section of each case, of others the first
    cases = profile.groupby([*keys, "river"], sort=False)
    at_ends = {"in": cases.tail(1), "out": cases.head(1)}
    parts = []
    for one in {j.name: j for j in known.values()}.values():
        for role, branches in (("in", one.into), ("out", one.out)):
            rows = at_ends[role]
            for branch in branches:
                mine = rows.loc[rows["river"] == branch.river, [*keys, "river", *said]]
                parts.append(mine.assign(
                    junction=one.name, role=role, method=one.method, length_m=branch.length_m,
                    angle_deg=branch.angle_deg if one.method == "momentum" else float("nan"),
                ))  # fmt: skip
    columns = [*keys, "junction", "river", "role", "method", "length_m", "angle_deg", *said]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    if keys:  # each case together, in the profile's order
        order = found[keys].apply(lambda c: pd.factorize(profile[c.name])[1].get_indexer(c))
        found = found.iloc[order.sort_values(keys, kind="stable").index].reset_index(drop=True)
    return found[columns]
