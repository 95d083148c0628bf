"""What did HEC-RAS find? Its result files (HDF), in SI, under the names of this library."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pinghu_geo.flood.channel import with_roughness
from pinghu_geo.flood.hecras_hdf import structures_of_hdf
from pinghu_geo.flood.hecras_structures import coefficients_mended, decks_mended
from pinghu_geo.flood.steady import Friction, Regime
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import require_plain
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang

__all__ = [
    "LEFT_OUT", "OBSTACLE", "UNITS", "HecRas", "and_listed", "obstacle_table", "plain_file",
    "reach_names", "read_hecras_results", "with_left_out",
]  # fmt: skip

FOOT_M = 0.3048
UNITS = {"SI": 1.0, "US": FOOT_M}
OBSTACLE = ("from_offset_m", "to_offset_m", "top_m", "obstacle")
LEFT_OUT = ["kind", "name", "river", "rs", "above_m", "below_m"]
# no water rises so far above a section's highest point [m]
ENDLESS_M = 100.0


@dataclass(frozen=True, slots=True)
class HecRas(Result):
    """Tables of a HEC-RAS model, in SI, as `water_profile` takes them HEC-RAS模型表.

    Attributes
    ----------
    sections, banks, obstacles, flows, downstream, upstream
        As in `water_profile`; empty tables where the files hold none. ``banks`` has the river
        station as text in the column rs.
    profile
        HEC-RAS's own results, with the columns of `water_profile` that it has, rs, and the
        encroachment walls left_wall_m, right_wall_m of each profile; empty without results.
        ``unbalanced_m`` is what HEC-RAS's own numbers leave of its energy equation between a
        section and the next one below it (NA at the lowest, and across structures): 0.003 m (0.01
        ft) is its usual tolerance. Where it is more and the level isn't critical, HEC-RAS found no
        solution and took its best trial (Hydraulic Reference Manual, chapter 2, "Computation
        procedure"): no level to measure another model by, from there upstream.
    structures, structure_parts, junctions
        Bridges, culverts, weirs and gates as `water_profile` takes them, with rs and the chainages
        above_m and below_m of the sections on either side. Gates are shut: their openings are
        those of a flood, which is for `water_profile` to be told.
    friction, regime
        How the plan averages friction slopes and in which regime it computes, as `water_profile`
        takes them; average conveyance and subcritical where no plan says.
    left_out
        What the files hold and these tables don't: kind {bridge, culvert, multiple_opening,
        inline_structure, lateral_structure, junction, storage_area, flow_area_2d, connection,
        pump_station, rating_curve, vertical_n, skew, lid, ice, flow, boundary}, name, river, rs,
        above_m and below_m (chainages of the sections on either side; NA beside the rivers); and
        deck, a bridge whose low chord lies above its deck somewhere: it has no deck there; pier, a
        bridge whose pier stands beside its deck: it has no such pier; coefficient, one beyond what
        any structure has: the usual is taken. The same stands as text in
        the column left_out of ``sections``, at the section above, and `water_profile` doubts every
        level from there upstream (``left_out``).
    """

    SHOWN: ClassVar = ("left_out",)

    sections: pd.DataFrame
    banks: pd.DataFrame
    obstacles: pd.DataFrame
    flows: pd.DataFrame
    downstream: pd.DataFrame
    upstream: pd.DataFrame
    profile: pd.DataFrame
    structures: pd.DataFrame
    left_out: pd.DataFrame
    structure_parts: pd.DataFrame = field(default_factory=pd.DataFrame)
    junctions: pd.DataFrame = field(default_factory=pd.DataFrame)
    friction: Friction = "average_conveyance"
    regime: Regime = "subcritical"

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """How much there is of each, and what is left out."""
        places = self.sections
        if len(places):
            places = places.drop_duplicates(["river", "chainage_m"])
        lines = [
            say(
                "{} sections, {} structures, {} junctions, {} discharges.",
                lang,
                len(places),
                len(self.structures),
                len(self.junctions),
                len(self.flows),
            )
        ]
        if self.friction != "average_conveyance":
            lines.append(
                say(
                    "Its plan averages friction slopes by another rule: friction={}.",
                    lang,
                    self.friction,
                )
            )
        if self.regime != "subcritical":
            lines.append(say("Its plan isn't subcritical: regime={}.", lang, self.regime))
        if len(self.left_out):
            lines.append(
                say(
                    "{} things that the files hold are not in these tables.",
                    lang,
                    len(self.left_out),
                )
            )
        return lines


def plain_file(path: str | Path) -> Path:
    """A file's path; refused where there is none, or it is a folder, a pipe, or no path at all."""
    if not isinstance(path, str | os.PathLike) or not str(path):
        raise LayerError(
            f"{path!r} is no path of a file",
            layer="hecras",
            hint="geometry is .g01, steady flow .f01, plan .p01",
        )
    path = Path(path)
    if path.is_dir():
        raise LayerError(f"{path} is a folder", layer="hecras", hint="give the file in it")
    if not path.exists():
        raise LayerError(f"there is no file {path}", layer="hecras")
    require_plain(path, "hecras")
    return path


def reach_names(rivers: Sequence[str], reaches: Sequence[str]) -> list[str]:
    """Names of rivers here: with the reach where a river has several."""
    several = pd.Series(list(reaches)).groupby(pd.Series(list(rivers))).nunique().gt(1)
    return [f"{r}, {c}" if several[r] else r for r, c in zip(rivers, reaches, strict=True)]


def with_left_out(sections: pd.DataFrame, left_out: pd.DataFrame) -> pd.DataFrame:
    """Sections with a column that says what stands at or below them and is left out."""
    rows = left_out.dropna(subset=["river", "above_m"])
    words = (
        rows[["kind", "name", "rs"]].astype(object).fillna("").astype(str)
    )  # none: no text at all
    kinds = words.agg(" ".join, axis=1) if len(rows) else rows["kind"]
    texts = kinds.map(lambda text: " ".join(text.split())).groupby([rows["river"], rows["above_m"]])
    said = texts.agg("; ".join).to_dict() if len(rows) else {}
    places = zip(sections["river"], sections["chainage_m"], strict=True)
    return sections.assign(left_out=pd.array([said.get(p) for p in places], dtype="str"))


def and_listed(left_out: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """What is left out, and more of it."""
    filled = [t for t in (left_out, more.reindex(columns=LEFT_OUT)) if len(t)]
    return pd.concat(filled, ignore_index=True) if filled else left_out


def obstacle_table(obstacles: pd.DataFrame, sections: pd.DataFrame) -> pd.DataFrame:
    """Obstacles; ineffective areas without a height are so at any level."""
    top = sections.groupby(["river", "chainage_m"])["elevation_m"].max() + ENDLESS_M
    places = pd.MultiIndex.from_frame(obstacles[["river", "chainage_m"]])
    endless = obstacles["top_m"].isna().to_numpy() & (obstacles["obstacle"] != "blocked").to_numpy()
    high = top.reindex(places).to_numpy()
    return obstacles.assign(top_m=np.where(endless, high, obstacles["top_m"].astype(float)))


# --- results ----------------------------------------------------------------------------------

_GEOMETRY = "Geometry/Cross Sections"
_PROFILES = "Results/Steady/Output/Output Blocks/Base Output/Steady Profiles"
# What is read of such a file; beyond these sizes it is no river, but made to fill a memory.
_READ = (_GEOMETRY, "Geometry/Structures", "Geometry/River Centerlines", _PROFILES)
MOST_BYTES, MOST_NODES = 256 * 2**20, 100_000
# our column: their variable, power of the unit of length in it
_VARIABLES = {
    "critical_level_m": ("Critical Water Surface", 1),
    "velocity_ms": ("Velocity Total", 1),
    "area_m2": ("Area Flow Total", 2),
    "area_left_m2": ("Area Flow Left OB", 2),
    "area_channel_m2": ("Area Flow Channel", 2),
    "area_right_m2": ("Area Flow Right OB", 2),
    "conveyance_m3s": ("Conveyance Total", 3),
    "conveyance_left_m3s": ("Conveyance Left OB", 3),
    "conveyance_channel_m3s": ("Conveyance Channel", 3),
    "conveyance_right_m3s": ("Conveyance Right OB", 3),
    "wetted_perimeter_m": ("Wetted Perimeter Total", 1),
    "top_width_m": ("Top Width Total", 1),
    "alpha": ("Alpha", 0),
    "friction_slope": ("EG Slope", 0),
    "left_wall_m": ("Encroachment Station Left", 1),
    "right_wall_m": ("Encroachment Station Right", 1),
}


def read_hecras_results(path: str | Path) -> HecRas:
    """Geometry and steady results of a HEC-RAS plan file (HDF) 读取HEC-RAS成果.

    Parameters
    ----------
    path
        Plan file of HEC-RAS 6, ``.p01.hdf``; needs h5py (extra ``hecras``).

    Returns
    -------
    HecRas
        Geometry and results in SI, whatever the units of the file. Chainages run from the
        uppermost section of each river by the channel's reach lengths.

    Raises
    ------
    LayerError
        There is no such file, or it holds no cross-sections.

    References
    ----------
    HEC-RAS User's Manual 6.x; groups and names as in public result files. HEC-RAS Hydraulic
    Reference Manual 6.x, chapter 2 (energy equation, which ``unbalanced_m`` tries).

    Examples
    --------
    >>> pg.flood.read_hecras_results("没有.p01.hdf")
    Traceback (most recent call last):
    ...
    pinghu_geo.nouns.errors.LayerError: hecras: there is no file 没有.p01.hdf.
    """
    path = plain_file(path)
    import h5py

    try:
        file = h5py.File(path)
    except OSError as fault:
        raise LayerError(
            f"{path.name} is no HDF file, or it is cut off",
            layer="hecras",
            hint="ask for it again; a few lines of text are the mark of a file kept elsewhere "
            "(Git LFS)",
        ) from fault
    with file:
        _require_self_contained(file, path.name)
        if f"{_GEOMETRY}/Attributes" not in file:
            raise LayerError(
                f"{path.name} holds no cross-sections",
                layer="hecras",
                hint="choose the plan's file, such as Project.p01.hdf",
            )
        units = _decoded_text(file.attrs.get("Units System", b"US Customary"))
        foot = UNITS["US" if units.startswith("US") else "SI"]
        about = file[f"{_GEOMETRY}/Attributes"][:]
        keys = _hdf_keys(about, foot)
        profile = _hdf_profile(file, keys, foot)
        places = _hdf_structures(file, keys)
        structures, parts, known = structures_of_hdf(file, places, foot)
        sections = _hdf_sections(file, keys, foot)
        parts, thin = decks_mended(structures, parts, sections)
        structures, parts, odd = coefficients_mended(structures, parts)
        left_out = _hdf_left_out(file, keys, places.drop(index=known))
        left_out = and_listed(and_listed(left_out, thin), odd)
        banks = _hdf_banks(about, keys, foot)
        if "conveyance_m3s" in profile:
            profile["unbalanced_m"] = _energy_imbalance(profile, banks, places)
        return HecRas(
            sections=with_left_out(sections, left_out),
            banks=banks,
            obstacles=obstacle_table(_hdf_obstacles(file, keys, foot), sections),
            flows=_flow_changes(profile),
            downstream=pd.DataFrame(),
            upstream=pd.DataFrame(),
            profile=profile,
            structures=structures,
            left_out=left_out,
            structure_parts=parts,
            friction=_hdf_friction(file),
        )


def _hdf_friction(file: Any) -> Friction:
    """How the plan averages friction slopes; the usual rule where it doesn't say."""
    about = file["Plan Data/Plan Parameters"].attrs if "Plan Data/Plan Parameters" in file else {}
    said = _decoded_text(about.get("Friction Slope Average Method (XS)", b"")).lower()
    words: dict[str, Friction] = {
        "average friction": "average_slope", "geometric": "geometric", "harmonic": "harmonic",
    }  # fmt: skip
    return next((how for word, how in words.items() if said.startswith(word)), "average_conveyance")


def _decoded_text(value: Any) -> str:
    return value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else str(value)


def _hdf_keys(about: Any, foot: float) -> pd.DataFrame:
    """River, chainage and river station of each section."""
    river, reach = ([_decoded_text(v) for v in about[c]] for c in ("River", "Reach"))
    names = reach_names(river, reach)
    length = np.nan_to_num(about["Len Channel"].astype(float)) * foot
    table = pd.DataFrame({"river": names, "length": length})
    before = table.groupby("river")["length"].cumsum() - table["length"]
    return pd.DataFrame(
        {
            "river": names,
            "chainage_m": before.round(3),
            "rs": [_decoded_text(v) for v in about["RS"]],
        }
    )


def _hdf_river_names(about: Any, keys: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Name of a river here by the river and reach of the file."""
    pairs = zip(about["River"], about["Reach"], keys["river"], strict=True)
    return {(_decoded_text(r), _decoded_text(c)): name for r, c, name in pairs}


def _require_self_contained(file: Any, name: str) -> None:
    """Refuse a file whose tables lie in other files, or unfold to more than any river has."""
    import h5py

    groups, seen = [("", file)], 0
    while groups:
        above, group = groups.pop()
        for key in group:
            seen += 1
            place = f"{above}/{key}".lstrip("/")
            if not any(f"{p}/".startswith(f"{place}/") or place.startswith(p) for p in _READ):
                continue
            if not isinstance(group.get(key, getlink=True), h5py.HardLink) or seen > MOST_NODES:
                raise LayerError(
                    f"{name} keeps {place} in another place, or has no end",
                    layer="hecras",
                    hint="do not open it; ask the sender for the plan file itself",
                )
            one = group[key]
            if isinstance(one, h5py.Group):
                groups.append((place, one))
            elif isinstance(one, h5py.Dataset) and (
                one.external or one.is_virtual or one.size * one.dtype.itemsize > MOST_BYTES
            ):
                raise LayerError(
                    f"{name} keeps {place} in another file, or it unfolds to "
                    f"{one.size * one.dtype.itemsize / 2**20:,.0f} MB",
                    layer="hecras",
                    hint="do not open it; ask the sender for the plan file itself",
                )


def _hdf_rows(file: Any, info: str, values: str, keys: pd.DataFrame) -> tuple[Any, pd.DataFrame]:
    """Rows of a packed dataset and the section of each."""
    start_count = file[f"{_GEOMETRY}/{info}"][:].astype(np.int64)
    if (start_count < 0).any() or start_count[:, 1].sum() > len(file[f"{_GEOMETRY}/{values}"]):
        raise LayerError(
            f"says of {info} more than {values} holds", layer="hecras", hint="ask for it again"
        )
    rows = np.concatenate([np.arange(s, s + c) for s, c in start_count] or [np.empty(0)]).astype(
        int
    )
    each = np.repeat(np.arange(len(keys)), start_count[:, 1])
    return file[f"{_GEOMETRY}/{values}"][:][rows], keys.iloc[each].reset_index(drop=True)


def _hdf_sections(file: Any, keys: pd.DataFrame, foot: float) -> pd.DataFrame:
    points, of = _hdf_rows(file, "Station Elevation Info", "Station Elevation Values", keys)
    rough, rough_of = _hdf_rows(file, "Manning's n Info", "Manning's n Values", keys)
    points, rough = points.astype(float), rough.astype(float)
    sections = of[["river", "chainage_m"]].assign(
        offset_m=points[:, 0] * foot, elevation_m=points[:, 1] * foot
    )
    ranges = rough_of[["river", "chainage_m"]].assign(offset_m=rough[:, 0] * foot, n=rough[:, 1])
    return with_roughness(sections, ranges)


def _hdf_banks(about: Any, keys: pd.DataFrame, foot: float) -> pd.DataFrame:
    fields = {
        "left_bank_m": "Left Bank", "right_bank_m": "Right Bank", "length_left_m": "Len Left",
        "length_channel_m": "Len Channel", "length_right_m": "Len Right",
        "left_levee_m": "Left Levee Sta", "left_levee_top_m": "Left Levee Elev",
        "right_levee_m": "Right Levee Sta", "right_levee_top_m": "Right Levee Elev",
    }  # fmt: skip
    # files without levees lack their columns
    banks = keys.assign(
        **{
            ours: about[theirs].astype(float) * foot if theirs in about.dtype.names else np.nan
            for ours, theirs in fields.items()
        }
    )
    return banks.assign(
        contraction=about["Contr"].astype(float).round(6),
        expansion=about["Expan"].astype(float).round(6),
    )


def _hdf_obstacles(file: Any, keys: pd.DataFrame, foot: float) -> pd.DataFrame:
    parts = [pd.DataFrame(columns=["river", "chainage_m", *OBSTACLE])]
    for name in ("Ineffective", "Obstruction"):
        if f"{_GEOMETRY}/{name} Blocks" not in file:
            continue
        blocks, of = _hdf_rows(file, f"{name} Info", f"{name} Blocks", keys)
        kind: Any = "blocked"
        if name == "Ineffective":
            kind = np.where(blocks["Permanent"] != 0, "permanent", "ineffective")
        parts.append(
            of[["river", "chainage_m"]].assign(
                from_offset_m=blocks["Left Sta"].astype(float) * foot,
                to_offset_m=blocks["Right Sta"].astype(float) * foot,
                top_m=blocks["Elevation"].astype(float) * foot,
                obstacle=kind,
            )
        )
    filled = [p for p in parts if len(p)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def _hdf_profile(file: Any, keys: pd.DataFrame, foot: float) -> pd.DataFrame:
    """Results as rows, profile by profile."""
    if _PROFILES not in file:
        return pd.DataFrame(columns=["profile", "river", "chainage_m", "level_m"])
    names = [_decoded_text(v) for v in file[f"{_PROFILES}/Profile Names"][:]]
    base = file[f"{_PROFILES}/Cross Sections"]
    columns = {
        "discharge_m3s": base["Flow"][:] * foot**3,
        "level_m": base["Water Surface"][:] * foot,
        "energy_m": base["Energy Grade"][:] * foot,
    }
    more = base["Additional Variables"]
    for ours, (theirs, power) in _VARIABLES.items():
        if theirs in more:
            columns[ours] = more[theirs][:] * foot**power
    parts = [
        keys.assign(profile=name, **{c: v[k].astype(float) for c, v in columns.items()})
        for k, name in enumerate(names)
    ]
    return pd.concat(parts, ignore_index=True)


def _energy_imbalance(
    profile: pd.DataFrame, banks: pd.DataFrame, structures: pd.DataFrame
) -> pd.Series[float]:
    """What the results leave of the energy equation between a section and the next below [m].

    z1 + h1 = z2 + h2 + L ((Q1 + Q2) / (K1 + K2))² + C |h1 - h2|, with the velocity heads h, the
    length weighted by the discharge of each zone and the average conveyance, which is HEC-RAS's
    default (Hydraulic Reference Manual, equations 2-1 to 2-4 and 2-13).
    """
    up = profile.merge(banks, on=["river", "chainage_m"], suffixes=("", "_of_bank"), how="left")
    down = up.groupby(["profile", "river"], sort=False).shift(-1)
    flow = length = pd.Series(0.0, up.index)
    for zone in ("left", "channel", "right"):
        conveyance = f"conveyance_{zone}_m3s"
        above, below = (
            one["discharge_m3s"] * one[conveyance].fillna(0.0) / one["conveyance_m3s"]
            for one in (up, down)
        )
        part = above + below
        flow, length = flow + part, length + part * up[f"length_{zone}_m"].fillna(0.0)
    slope = (up["discharge_m3s"] + down["discharge_m3s"]) ** 2 / (
        up["conveyance_m3s"] + down["conveyance_m3s"]
    ) ** 2
    change = (up["energy_m"] - up["level_m"]) - (down["energy_m"] - down["level_m"])
    coefficient = up["expansion"].where(change > 0, -up["contraction"])
    rest = up["energy_m"] - down["energy_m"] - length / flow * slope - coefficient * change
    barred = pd.MultiIndex.from_frame(structures[["river", "above_m"]].dropna())
    here = pd.MultiIndex.from_frame(up[["river", "chainage_m"]])
    return rest.mask(here.isin(barred)).set_axis(profile.index)


def _flow_changes(profile: pd.DataFrame) -> pd.DataFrame:
    """Discharges where they change."""
    if profile.empty:
        return pd.DataFrame(columns=["river", "chainage_m", "discharge_m3s", "profile"])
    same = profile.groupby(["profile", "river"])["discharge_m3s"].diff().eq(0)
    return profile.loc[~same, ["river", "chainage_m", "discharge_m3s", "profile"]]


def _hdf_structures(file: Any, keys: pd.DataFrame) -> pd.DataFrame:
    """Structures by the chainages of the sections above and below."""
    columns = ["river", "kind", "rs", "above_m", "below_m", "name", "at"]
    if "Geometry/Structures/Attributes" not in file:
        return pd.DataFrame(columns=columns)
    ways = _hdf_river_names(file[f"{_GEOMETRY}/Attributes"][:], keys)
    rows = []
    for k, one in enumerate(file["Geometry/Structures/Attributes"][:]):
        said = {c: _decoded_text(one[c]) if c in one.dtype.names else "" for c in _STRUCTURE}
        river = ways.get((said["US River"] or said["River"], said["US Reach"] or said["Reach"]))
        at = keys[keys["river"] == river].drop_duplicates("rs").set_index("rs")["chainage_m"]
        sides = [at.get(said[c], np.nan) for c in ("US RS", "DS RS")]
        if river is not None:
            name = said["Node Name"] or said["Groupname"]
            rows.append([river, said["Type"], said["RS"], *sides, name, k])
    return pd.DataFrame(rows, columns=columns)


_STRUCTURE = (
    "Type", "River", "Reach", "RS", "US River", "US Reach", "US RS", "DS RS", "Node Name",
    "Groupname",
)  # fmt: skip
# HEC-RAS's words for structures
_KINDS = {"inline": "inline_structure", "lateral": "lateral_structure", "multi": "multiple_opening"}


def _hdf_left_out(file: Any, keys: pd.DataFrame, structures: pd.DataFrame) -> pd.DataFrame:
    """Structures, junctions and areas, as `read_hecras` names them."""
    kinds = structures["kind"].str.lower()
    parts = [structures.assign(kind=kinds.map(lambda kind: _KINDS.get(kind.split()[0], kind)))]
    lowest = keys.groupby("river", sort=False)["chainage_m"].max()
    if "Geometry/River Centerlines/Attributes" in file:
        ways = _hdf_river_names(file[f"{_GEOMETRY}/Attributes"][:], keys)
        lines = file["Geometry/River Centerlines/Attributes"][:]
        ends = [
            {
                "kind": "junction",
                "name": _decoded_text(one["DS Name"]),
                "river": river,
                "above_m": lowest[river],
            }
            for one in lines
            if "DS Type" in one.dtype.names
            and _decoded_text(one["DS Type"]) == "Junction"
            and (
                river := ways.get(
                    (_decoded_text(one["River Name"]), _decoded_text(one["Reach Name"]))
                )
            )
        ]
        parts.append(pd.DataFrame(ends, columns=LEFT_OUT))
    for group, kind in (("Storage Areas", "storage_area"), ("2D Flow Areas", "flow_area_2d")):
        if f"Geometry/{group}/Attributes" in file:
            names = [_decoded_text(v) for v in file[f"Geometry/{group}/Attributes"]["Name"]]
            parts.append(pd.DataFrame({"kind": kind, "name": names}))
    parts.append(_hdf_ice(file, keys))
    filled = [p for p in parts if len(p)]
    table = pd.concat(filled, ignore_index=True) if filled else parts[0]
    return table.reindex(columns=LEFT_OUT)


def _hdf_ice(file: Any, keys: pd.DataFrame) -> pd.DataFrame:
    """Sections that have ice on them."""
    table = file[f"{_GEOMETRY}/Attributes"][:]
    thick = [c for c in ("Ice Thick L", "Ice Thick C", "Ice Thick R") if c in table.dtype.names]
    icy = np.zeros(len(table), bool)
    for column in thick:
        icy |= np.nan_to_num(table[column].astype(float)) > 0
    here = keys[["river", "rs", "chainage_m"]].loc[icy[: len(keys)]]
    made = here.rename(columns={"chainage_m": "above_m"}).assign(kind="ice", name="")
    return made.assign(below_m=made["above_m"])
