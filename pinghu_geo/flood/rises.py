"""What does a change do to the flood? Rise of level and energy line, freeboard, encroachment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.flood.boundaries import Boundary
from pinghu_geo.flood.hydraulics import water_profile
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.survey import Laid, lay_sections, places, rows_of, sections_apart
from pinghu_geo.nouns.door import BY_KEY, takes
from pinghu_geo.nouns.errors import HydraulicsError
from pinghu_geo.nouns.schema import one_of, require_columns

__all__ = ["encroachments", "flood_rise", "freeboard", "freeboard_rows", "rise_table"]

KEYS = ["profile", "river", "repeated", "chainage_m"]
LOSSES = {"contraction": 0.1, "expansion": 0.3}
LOSSLESS = {"contraction": 0.0, "expansion": 0.0}
# Method 5: trials at most, the part of a miss that is corrected at once, and what is accepted [m]
TRIALS = 40
SHARE = 0.35
WITHIN_M = 0.003


@takes(before="profile", after="profile")
def rise_table(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Rise of the water and of the energy line from one profile to another 壅水表.

    Parameters
    ----------
    before, after
        Profiles of `water_profile` at the same sections, for the same floods; or HEC-RAS's and
        ours. ``after`` may hold several schemes.

    Returns
    -------
    pandas.DataFrame
        One row a row of ``after``: (scheme,) profile, river, chainage_m, level_before_m,
        level_after_m, rise_mm, energy_rise_mm, froude_before, conveyance_ratio (after to before),
        doubts of either profile.

    Raises
    ------
    HydraulicsError
        A section of ``after`` is not in ``before``.

    Notes
    -----
    The level can rise where a section was *widened*, because velocity head is recovered there:
    the energy line tells that from a rise that costs the flood something.

    References
    ----------
    河道管理范围内建设项目防洪评价报告编制导则(试行), 水利部办公厅 (2004): the height of the
    backwater (壅水高度). Chow (1959), Open-Channel Hydraulics, McGraw-Hill, chapter 3 (energy).

    Examples
    --------
    >>> bed = pd.DataFrame({"river": "示例河", "chainage_m": [0.0, 500.0, 1000.0],
    ...     "bed_level_m": [1.0, 0.5, 0.0], "left_m": 10.0, "right_m": 10.0,
    ...     "bank_level_m": [6.0, 5.5, 5.0], "n": 0.03})
    >>> wide = pg.water_profile(pg.design_sections(bed), 50.0, {"slope": 0.001})
    >>> narrow = pg.water_profile(pg.design_sections(bed.assign(left_m=8.0)), 50.0,
    ...     {"slope": 0.001})
    >>> pg.flood.rise_table(wide, narrow)["rise_mm"].round().tolist()
    [140.0, 140.0, 140.0]
    """
    for frame, layer in ((before, "before"), (after, "after")):
        require_columns(frame, ("river", "chainage_m", "level_m"), layer)
    keys = [k for k in KEYS if k in before.columns and k in after.columns]
    if "scheme" in before.columns and before["scheme"].nunique() > 1:
        keys = ["scheme", *keys]
    was, now = _with_millimetre_key(before), _with_millimetre_key(after)
    twice = was.duplicated([*keys[:-1], "_mm"], keep=False).to_numpy()
    if twice.any():
        raise HydraulicsError(
            "has several rows at one chainage",
            layer="before",
            ids=places(was, np.flatnonzero(twice)),
            hint="a row a section; of two places whose chainage is the same leave out one",
        )
    with_scheme = "scheme" in after.columns and "scheme" not in keys
    pairs = now.merge(
        was, on=[*keys[:-1], "_mm"], how="left", suffixes=("", "_was"), validate="many_to_one"
    )
    lost = pairs["level_m_was"].isna()
    if lost.any():
        raise HydraulicsError(
            "has sections that the profile before has not",
            layer="after",
            ids=places(pairs, np.flatnonzero(lost)),
            hint="compute both profiles at the same chainages",
        )
    found = pairs[(["scheme"] if with_scheme else []) + keys].copy()
    found["level_before_m"], found["level_after_m"] = pairs["level_m_was"], pairs["level_m"]
    found["rise_mm"] = (pairs["level_m"] - pairs["level_m_was"]) * 1000
    if "energy_m_was" in pairs:
        found["energy_rise_mm"] = (pairs["energy_m"] - pairs["energy_m_was"]) * 1000
    if "froude_was" in pairs:
        found["froude_before"] = pairs["froude_was"]
    if "conveyance_m3s_was" in pairs:
        found["conveyance_ratio"] = pairs["conveyance_m3s"] / pairs["conveyance_m3s_was"]
    if "doubts_was" in pairs:
        found["doubts"] = [
            ",".join(dict.fromkeys(w for w in f"{a},{b}".split(",") if w))
            for a, b in zip(pairs["doubts_was"], pairs["doubts"], strict=True)
        ]
    return found


def _with_millimetre_key(profile: pd.DataFrame) -> pd.DataFrame:
    """Profile with a key of whole millimetres of chainage."""
    lost = profile["chainage_m"].isna()
    if lost.any():
        raise HydraulicsError(
            "has rows without a chainage",
            layer="profile",
            ids=profile.index[lost],
            hint='profile = profile.dropna(subset=["chainage_m"])',
        )
    return profile.assign(_mm=np.round(profile["chainage_m"].to_numpy() * 1000).astype(np.int64))


@takes(after=BY_KEY)
def flood_rise(
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    *,
    after: Mapping[str, pd.DataFrame],
    banks: pd.DataFrame | None = None,
    obstacles: pd.DataFrame | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Rise that a change of the river causes, with and without local losses 壅水分析.

    Parameters
    ----------
    sections, flows, downstream, banks, obstacles
        The river before, as in `water_profile`.
    after
        What changes: any of ``"sections"``, ``"banks"``, ``"obstacles"``, each a whole table.
    **options
        Of `water_profile`: rivers, regime, friction, upstream, contraction, expansion (0.1 and
        0.3 unless given), gravity_ms2.

    Returns
    -------
    pandas.DataFrame
        As `rise_table`, and rise_lossless_mm, energy_rise_lossless_mm: the same with coefficients
        0 and 0. The two stand side by side because the rise depends on them.

    Raises
    ------
    HydraulicsError, LayerError
        As `water_profile`; ``after`` names something else.

    References
    ----------
    河道管理范围内建设项目防洪评价报告编制导则(试行), 水利部办公厅 (2004): the height of the
    backwater (壅水高度). HEC-RAS Hydraulic Reference Manual 6.x, chapter 3, table 3-3.

    Examples
    --------
    >>> bed = pd.DataFrame({"river": "示例河", "chainage_m": [0.0, 500.0, 1000.0],
    ...     "bed_level_m": [1.0, 0.5, 0.0], "left_m": 10.0, "right_m": 10.0,
    ...     "bank_level_m": [6.0, 5.5, 5.0], "n": 0.03})
    >>> made = pg.design_sections(bed)
    >>> house = pd.DataFrame({"river": "示例河", "chainage_m": [500.0],
    ...     "from_offset_m": [6.0], "to_offset_m": [10.0]})
    >>> found = pg.flood_rise(made, 50.0, {"slope": 0.001}, after={"obstacles": house})
    >>> found[["rise_mm", "rise_lossless_mm"]].round(1).iloc[0].tolist()
    [152.8, 145.0]
    """
    for key in after:
        one_of(key, ("sections", "banks", "obstacles"), "after")
    now = (after.get("sections", sections), after.get("banks", banks),
           after.get("obstacles", obstacles))  # fmt: skip
    tables = []
    for losses in (LOSSES | {k: options[k] for k in LOSSES if k in options}, LOSSLESS):
        said = {**options, **losses}
        first, second = (
            water_profile(points, flows, downstream, banks=ends, obstacles=blocks, **said)
            for points, ends, blocks in ((sections, banks, obstacles), now)
        )
        tables.append(rise_table(first, second))
    return tables[0].assign(
        rise_lossless_mm=tables[1]["rise_mm"], energy_rise_lossless_mm=tables[1]["energy_rise_mm"]
    )


@takes()
def freeboard(
    profile: pd.DataFrame,
    sections: pd.DataFrame,
    *,
    banks: pd.DataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Height of both bank tops above the water, section by section 岸顶超高.

    Parameters
    ----------
    profile
        Of `water_profile`.
    sections, banks
        The sections of it. A bank's top is the ground at left_bank_m and right_bank_m, or the
        levee's top where there is one; without banks, the ends of the section. Under a cover, in a
        closed section too, there is none.
    rivers
        Centrelines; needed where a long chain (长链) makes chainages of sections occur twice.

    Returns
    -------
    pandas.DataFrame
        One row a row of the profile: its keys, level_m, left_top_m, right_top_m,
        freeboard_left_m, freeboard_right_m; negative where the water stands higher, missing where
        there is no bank.

    Raises
    ------
    HydraulicsError, LayerError
        The tables don't fit one another.

    Examples
    --------
    >>> bed = pd.DataFrame({"river": "示例河", "chainage_m": [0.0, 500.0],
    ...     "bed_level_m": [0.5, 0.0], "left_m": 10.0, "right_m": 10.0,
    ...     "bank_level_m": [5.5, 5.0], "n": 0.03})
    >>> made = pg.design_sections(bed)
    >>> found = pg.freeboard(pg.water_profile(made, 50.0, {"slope": 0.001}), made)
    >>> found["freeboard_left_m"].round(3).tolist()
    [3.207, 3.207]
    """
    if "scheme" not in sections.columns or sections["scheme"].nunique() < 2:
        whole = sections.drop(columns="scheme", errors="ignore")
        return freeboard_rows(profile, lay_sections(whole, banks=banks, rivers=rivers))
    if "scheme" not in profile.columns:
        raise HydraulicsError(
            "holds several schemes, and the profile says none", layer="sections",
            ids=sections["scheme"].unique(),
            hint='sections = sections[sections["scheme"] == sections["scheme"].iloc[0]]',
        )  # fmt: skip
    found = [
        freeboard_rows(
            profile[profile["scheme"] == scheme],
            lay_sections(mine.drop(columns="scheme"), banks=banks, rivers=rivers),
        )
        for scheme, mine in sections.groupby("scheme", sort=False)
    ]
    return pd.concat(found).reindex(profile.index)


def freeboard_rows(profile: pd.DataFrame, laid: Laid) -> pd.DataFrame:
    """`freeboard` of sections that are laid out."""
    found = _with_millimetre_key(profile)
    row, station = rows_of(found.drop(columns="scheme", errors="ignore"), laid.stations, "profile")
    for side in ("left", "right"):
        found[f"{side}_top_m"] = np.nan
        found.iloc[row, -1] = _bank_tops(laid, side)[station]
    keys = [k for k in ("scheme", *KEYS) if k in profile.columns]
    found["freeboard_left_m"] = found["left_top_m"] - found["level_m"]
    found["freeboard_right_m"] = found["right_top_m"] - found["level_m"]
    return found[
        [*keys, "level_m", "left_top_m", "right_top_m", "freeboard_left_m", "freeboard_right_m"]
    ]


def _bank_tops(laid: Laid, side: str) -> Array:
    """Top of one bank of each section: the highest point at the bank's offset, or the levee."""
    ground, stations = laid.ground, laid.stations
    ends = ground.start if side == "left" else ground.start + ground.count - 1
    at = stations[f"{side}_bank_m"].to_numpy()
    at = np.where(np.isnan(at), ground.x[ends], at)
    # coordinates of large offsets are rounded
    here = np.abs(ground.x - at[ground.section]) <= (1e-6 + 1e-5 * np.abs(at))[ground.section]
    top = np.maximum.reduceat(np.where(here, ground.z, -np.inf), ground.start)
    for k in np.flatnonzero(top == -np.inf):  # between two points
        own = slice(ground.start[k], ground.start[k] + ground.count[k])
        top[k] = np.interp(at[k], ground.x[own], ground.z[own])
    levee: Array = np.fmax(top, stations[f"{side}_levee_top_m"].to_numpy())
    if laid.lid is not None:
        lids = pd.Series(laid.lid.x).groupby(laid.lid.section).agg(["min", "max"])
        low, high = lids.reindex(range(len(at))).to_numpy(float).T
        levee[(at >= low - 1e-6) & (at <= high + 1e-6)] = np.nan
    return levee


# --- encroachment -----------------------------------------------------------------------------


@takes()
def encroachments(
    sections: pd.DataFrame,
    flows: pd.DataFrame | float,
    downstream: Boundary,
    *,
    banks: pd.DataFrame,
    target_rise_m: float,
    method: Literal[4, 5] = 4,
    downstream_after: Boundary | None = None,
    obstacles: pd.DataFrame | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Walls that narrow both overbanks until the flood rises by a target 束窄分析.

    Parameters
    ----------
    sections, flows, downstream, obstacles
        The natural river, as in `water_profile`, with a single flood and scheme.
    banks
        Where the channel ends: left_bank_m, right_bank_m. Walls never enter the channel.
    target_rise_m
        Rise above the natural level [m].
    method
        4: conveyance at the target level is cut to the natural one, half on each side; what one
        side can't give the other does. 5: the same with targets that are corrected section by
        section until the profile itself rises by the target, or the best of 40 trials.
    downstream_after
        Boundary of the narrowed river, where it differs: usually the level raised by the target.
    **options
        Of `water_profile`.

    Returns
    -------
    pandas.DataFrame
        ``banks`` with left_wall_m and right_wall_m, to be given to `water_profile`; and rise_m of
        the encroached profile. Method 1, walls where one wants them, is `water_profile` itself
        with those two columns.

    Raises
    ------
    HydraulicsError, LayerError
        As `water_profile`; several floods; a section without banks.

    Notes
    -----
    The comparators of the optimiser: they know nothing of buildings.

    References
    ----------
    HEC-RAS Hydraulic Reference Manual 6.x, chapter 9, methods 1, 4 and 5.

    Examples
    --------
    >>> plain = pd.DataFrame({"river": "示例河", "chainage_m": np.repeat([0.0, 500.0], 6),
    ...     "offset_m": [-100, -20, -10, 10, 20, 100] * 2,
    ...     "elevation_m": np.tile([8.0, 4, 1, 1, 4, 8], 2) - np.repeat([0, 0.5], 6), "n": 0.04})
    >>> banks = pd.DataFrame({"river": "示例河", "chainage_m": [0.0, 500.0],
    ...     "left_bank_m": -20.0, "right_bank_m": 20.0})
    >>> found = pg.flood.encroachments(
    ...     plain, 400.0, {"slope": 0.001}, banks=banks, target_rise_m=0.3
    ... )
    >>> found["right_wall_m"].round(1).tolist()
    [24.1, 24.1]
    """
    one_of(str(method), ("4", "5"), "method")
    require_columns(banks, ("left_bank_m", "right_bank_m"), "banks")
    given = {"obstacles": obstacles, **options}
    downstream_after = downstream if downstream_after is None else downstream_after
    natural = water_profile(sections, flows, downstream, banks=banks, **given)
    if natural["profile"].nunique() > 1 or natural["scheme"].nunique() > 1:
        raise HydraulicsError(
            "holds several floods or schemes; walls are found for one",
            layer="flows",
            hint="choose one",
        )
    laid = lay_sections(
        sections, banks=banks, obstacles=obstacles, rivers=options.get("rivers")
    ).stations
    if laid[["left_bank_m", "right_bank_m"]].isna().any().any():
        raise HydraulicsError(
            "lacks the channel's ends of some sections",
            layer="banks",
            ids=places(laid, np.flatnonzero(laid["left_bank_m"].isna())),
            hint="a row with left_bank_m and right_bank_m for each section",
        )
    target = np.full(len(laid), float(target_rise_m))
    best = (np.inf, laid, target)
    for _ in range(TRIALS if method == 5 else 1):
        walls = _equal_conveyance_walls(sections, laid, natural, target, obstacles, options)
        narrowed = water_profile(sections, flows, downstream_after, banks=walls, **given)
        rise = narrowed["level_m"].to_numpy() - natural["level_m"].to_numpy()
        off = target_rise_m - rise[:-1]
        worst = float(np.abs(off).max(initial=0.0))
        if worst < best[0]:
            best = (worst, walls, rise)
        if worst < WITHIN_M:
            break
        # a part of what is missing: the sections below a section have their share in its rise
        target[:-1] = np.clip(target[:-1] + SHARE * off, 0.0, 3 * target_rise_m)
    return best[1].assign(rise_m=best[2])


def _equal_conveyance_walls(
    sections: pd.DataFrame,
    laid: pd.DataFrame,
    natural: pd.DataFrame,
    target: Array,
    obstacles: pd.DataFrame | None,
    options: Mapping[str, Any],
) -> pd.DataFrame:
    """Walls at which the conveyance at the target level is the natural one (method 4)."""
    z, rows = natural["level_m"].to_numpy() + target, np.arange(len(laid))
    rivers = options.get("rivers")
    columns = [c for c in laid.columns if c not in ("scheme", "measure")]
    table = laid[columns].drop(columns=["left_wall_m", "right_wall_m"])

    def conveyance(banks: pd.DataFrame) -> Array:
        walled = lay_sections(sections, banks=banks, obstacles=obstacles, rivers=rivers)
        return walled.sections.wetted(rows, z).conveyance

    high = conveyance(table)
    spare = high.sum(axis=1) - natural["conveyance_m3s"].to_numpy()
    left, right = high[:, 0], high[:, 2]
    first = np.minimum(spare / 2, left)
    second = np.minimum(spare - first, right)
    first = np.minimum(spare - second, left)
    number, places = sections_apart(sections, rivers, "sections")
    ends = sections.groupby(number)["offset_m"].agg(["min", "max"])
    ends = ends.set_index(pd.MultiIndex.from_frame(places[["river", "measure"]]))
    ends = ends.loc[list(zip(laid["river"], laid["measure"], strict=True))]
    # between the section's end and the bank, halved until a millimetre
    outer = {"left": ends["min"].to_numpy(float), "right": ends["max"].to_numpy(float)}
    inner = {s: laid[f"{s}_bank_m"].to_numpy(float) for s in ("left", "right")}
    wanted = {"left": left - first, "right": right - second}
    while max(np.abs(outer[s] - inner[s]).max() for s in outer) > 1e-3:
        middle = {s: (outer[s] + inner[s]) / 2 for s in outer}
        trial = table.assign(**{f"{s}_wall_m": middle[s] for s in middle})
        k = conveyance(trial)
        for s, zone in (("left", 0), ("right", 2)):
            roomy = k[:, zone] > wanted[s]
            outer[s] = np.where(roomy, middle[s], outer[s])
            inner[s] = np.where(roomy, inner[s], middle[s])
    return table.assign(left_wall_m=inner["left"], right_wall_m=inner["right"])
