"""HEC-RAS's published examples with structures: largest difference of level beside the bar of each.

    python benchmarks/structures.py [Baxter.p01.hdf ...]

Reads ../shared/reference (HEC-RAS 5.0 to 6.6, its README has the sources) by tests/rasreference.py.
Every profile is computed from the mouth up, through the structure, by the methods that the example
asks for; nothing is set for an example but what its own input says. Feet, metres for the table.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import pinghu_geo as pg

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import rasarches  # noqa: E402
import rasconspan  # noqa: E402
import rasjunction  # noqa: E402
import rasmixed  # noqa: E402
import rasopenings  # noqa: E402
import rasreference as ras  # noqa: E402
import rasscour  # noqa: E402

# example, where, bar; the README beside the examples says what accuracy they permit
Row = tuple[str, str, int, float, float]


def main() -> None:
    """The table of docs/theory.md."""
    warnings.simplefilter("ignore")
    rows = [
        *crossings(),
        *openings(),
        *arches(),
        *gates(),
        *junctions(),
        *works(),
        *floodway(),
        *steep(),
        *overgrown(),
        *table(),
    ]
    rows += [row for path in sys.argv[1:] for row in results(Path(path))]
    lines = ["| Example | Where | Levels | Most | Bar | |", "|---|---|---|---|---|---|"]
    for name, place, count, most, bar in rows:
        unit, digits = ("m", 4) if name.startswith("ANUGA") else ("ft", 4)
        held = "held" if most <= bar else "**missed**"
        lines.append(
            f"| {name} | {place} | {count} | {most:.{digits}f} {unit} | {bar:g} | {held} |"
        )
    sys.stdout.write("\n".join(lines) + "\n")


def profile(name, build, **more):
    """Differences [ft] of an example with one structure."""
    made = ras.example(name)
    sections, banks, obstacles, keys = ras.tables(made)
    structures, parts = build(made, keys) if build else (None, None)
    end = made["flow_data"]["downstream_boundary"]
    river = f"{end['river']}, {end['reach']}" if "reach" in end else keys["river"].iloc[0]
    found = pg.water_profile(
        sections, ras.flows(made, keys), ras.downstream(made, river), banks=banks,
        obstacles=obstacles, structures=structures, structure_parts=parts,
        gravity_ms2=ras.G_US, **more,
    )  # fmt: skip
    return ras.differences(made, found, keys)


def row(name, place, off, bar) -> Row:
    """The largest of some differences."""
    return name, place, len(off), float(np.abs(off).max()), bar


def crossings():
    """Bridge and culverts."""
    off = profile("BEAVCREK", ras.bridge)
    up, low = off["rs"].astype(float) >= 5.41, off["profile"] != "May '74 flood"
    yield row("BEAVCREK", "low flow, at and above", off.loc[up & low, "off_ft"], 0.02)
    yield row("BEAVCREK", "pressure and weir, at and above", off.loc[up & ~low, "off_ft"], 0.03)
    yield row("BEAVCREK", "below", off.loc[~up, "off_ft"], 0.01)
    for name in ("TWINPIPE", "MULTCULV"):
        off = profile(name, ras.culverts)
        up = off["rs"].astype(float) >= 20.238
        yield row(name, "at and above", off.loc[up, "off_ft"], 0.02)
        yield row(name, "below", off.loc[~up, "off_ft"], 0.01)


def openings():
    """A Con/Span arch; five boxes and two bridges in one road; from HEC-RAS's level below them."""
    sections, banks, idle, culvert = rasconspan.tables()
    off = []
    for _, q, below, above in rasconspan.FLOODS:
        found = pg.water_profile(
            sections, q * ras.FOOT**3, {"level_m": below * ras.FOOT}, banks=banks, obstacles=idle,
            structures=culvert, gravity_ms2=ras.G_US,
        )  # fmt: skip
        off.append(found["level_m"].iloc[0] / ras.FOOT - above)
    yield row("ConSpan", "above", np.array(off), 0.02)
    sections, banks, idle, structures, parts = rasopenings.tables()
    off = {}
    for name, q, below, above in rasopenings.FLOODS:
        found = pg.water_profile(
            sections, q * ras.FOOT**3, {"level_m": below * ras.FOOT}, banks=banks, obstacles=idle,
            structures=structures, structure_parts=parts, gravity_ms2=ras.G_US,
        )  # fmt: skip
        off[name] = found["level_m"].iloc[0] / ras.FOOT - above
    *low, high = off.values()
    yield row("MULTOPEN", "low flow, above", np.array(low), 0.02)
    yield row("MULTOPEN", "one bridge under pressure, above", np.array([high]), 0.03)


def arches():
    """Four arches over one creek, from HEC-RAS's level below each."""
    for arch in rasarches.ARCHES:
        sections, banks, idle, structures, parts = rasarches.tables(arch)
        found = pg.water_profile(
            sections, rasarches.FLOW * ras.FOOT**3, {"level_m": arch.below * ras.FOOT},
            banks=banks, obstacles=idle, structures=structures, structure_parts=parts,
            gravity_ms2=ras.G_US,
        )  # fmt: skip
        off = np.array([found["level_m"].iloc[0] / ras.FOOT - arch.above])
        how = found["control"].iloc[0].replace("_", " ").replace("+", " and ")
        yield row("NAPA", f"arch {arch.name}, above: {how}", off, 0.03)


def gates():
    """Ogee weir with radial gates."""
    off = profile("NIT", ras.inline)
    up = off["rs"].astype(float) >= 41.76
    for name, words, bar in (
        ("PF#1", "gates as weirs", 0.05), ("PF#3", "gates half out of the water", 0.05),
        ("PF#5", "the same, drowned, and the weir", 0.1), ("PF#7", "drowned gates and weir", 0.1),
    ):  # fmt: skip
        here = off.loc[up & (off["profile"] == name), "off_ft"]
        yield row("NIT", f"{name}, above: {words}", here, bar)
    yield row("NIT", "below", off.loc[~up, "off_ft"], 0.01)


def junctions():
    """Combining and dividing, by energy; combining by momentum."""
    for name in ("EX1_JUNCTION", "LOOP"):
        made = ras.example(name)
        off = profile(name, None, junctions=ras.junctions(made))
        if name == "LOOP":
            heads = {f"{u['river']}, {u['reach']}" for j in made["junctions"]
                     if len(j["upstream"]) == 1 for u in j["upstream"]}  # fmt: skip
            above = off["river"].isin(heads)
            yield row(name, "above the dividing junction", off.loc[above, "off_ft"], 0.02)
            yield row(name, "elsewhere", off.loc[~above, "off_ft"], 0.01)
        else:
            yield row(name, "all", off["off_ft"], 0.01)
    sections, banks, flows, end, junction, theirs = rasjunction.tables()
    found = pg.water_profile(
        sections, flows, end, banks=banks, junctions=junction, gravity_ms2=ras.G_US
    ).merge(theirs, on=["river", "chainage_m"])
    off = found["level_m"] / ras.FOOT - found["level_ft"]
    above = found["river"] != "lower"
    yield row("JUNCTION", "by momentum, above", off[above], 0.03)
    yield row("JUNCTION", "below", off[~above], 0.01)


def works():
    """A template cut into surveyed sections."""
    made = ras.example("CHANMOD")
    sections, banks, _, keys = ras.tables({"reaches": made["base_reaches_before_modification"]})
    at, name = keys.set_index("rs")["chainage_m"], keys["river"].iloc[0]
    cuts = pd.DataFrame([
        {"river": name, "chainage_m": at[one["rs"]], "side_slope": 2.0, "n": n,
         "centre_m": one["centre_station"] * ras.FOOT, "bottom_m": width * ras.FOOT,
         "invert_m": one[level] * ras.FOOT}
        for one in made["channel_modification"]["per_section"]
        for width, level, n in ((100, "low_cut_invert", 0.025), (400, "bench_elev", 0.03))
    ])  # fmt: skip
    cut = pg.flood.cut_sections(sections, cuts)
    flows = pd.DataFrame({
        "river": name, "chainage_m": [at["12"], at["8"]], "profile": "100 yr",
        "discharge_m3s": np.array([9000, 9500]) * ras.FOOT**3,
    })  # fmt: skip
    found = pg.water_profile(
        cut, flows, {"slope": 0.01}, upstream={"slope": 0.01}, regime="mixed",
        banks=pg.flood.cut_banks(sections, cut, banks=banks), gravity_ms2=ras.G_US,
    )  # fmt: skip
    yield row("CHANMOD", "level", ras.differences(made, found, keys)["off_ft"], 0.02)
    theirs, _, _, their_keys = ras.tables(made)
    ground = []
    for rs, place in their_keys.set_index("rs")["chainage_m"].items():
        ours = cut[np.isclose(cut["chainage_m"], at[rs])]
        given = theirs[np.isclose(theirs["chainage_m"], place)]
        x = np.linspace(given["offset_m"].min(), given["offset_m"].max(), 5001) + 1e-5
        ground.append(np.interp(x, ours["offset_m"], ours["elevation_m"])
                      - np.interp(x, given["offset_m"], given["elevation_m"]))  # fmt: skip
    yield row("CHANMOD", "ground", np.concatenate(ground) / ras.FOOT, 0.01)


def floodway():
    """A result file, natural and encroached, through its bridge."""
    model = pg.flood.read_hecras_results(ras.FOLDER.parent / "hecras" / "FLODENCR.p01.hdf")
    for name, theirs in model.profile.groupby("profile"):
        walls = theirs[["chainage_m", "left_wall_m", "right_wall_m"]]
        found = pg.water_profile(
            model.sections, theirs[["river", "chainage_m", "discharge_m3s"]],
            {"level_m": theirs["level_m"].iloc[-1]}, obstacles=model.obstacles,
            banks=model.banks.merge(walls, on="chainage_m"), structures=model.structures,
            structure_parts=model.structure_parts, gravity_ms2=ras.G_US,
        )  # fmt: skip
        off = (found["level_m"].to_numpy() - theirs["level_m"].to_numpy()) / ras.FOOT
        above = theirs["chainage_m"].to_numpy() <= model.structures["above_m"].iloc[0]
        yield row("FLODENCR", f"{name}, at and above the bridge", off[above], 0.03)
        yield row("FLODENCR", f"{name}, below", off[~above], 0.01)


def steep():
    """A steep creek in mixed regime, with a bridge under pressure."""
    sections, banks, idle, bridge, pier = rasmixed.tables()
    found = pg.water_profile(
        sections, rasmixed.FLOW * ras.FOOT**3, {"boundary": "critical"}, regime="mixed",
        upstream={"slope": rasmixed.SLOPE}, banks=banks.drop(columns=["rs", "theirs_ft"]),
        obstacles=idle, structures=bridge, structure_parts=pier, gravity_ms2=ras.G_US,
    )  # fmt: skip
    off = found["level_m"] / ras.FOOT - banks["theirs_ft"]
    below = banks["rs"].astype(float) < 7
    yield row("MIXFLOW", "mixed regime, above a bridge under pressure", off[~below], 0.03)
    yield row("MIXFLOW", "below it", off[below], 0.02)


def overgrown():
    """A bridge over an overgrown plain, whose plan asks for the geometric mean of slopes."""
    sections, banks, idle, bridge, parts = rasscour.tables()
    found = pg.water_profile(
        sections, rasscour.FLOW * ras.FOOT**3, {"slope": rasscour.SLOPE}, obstacles=idle,
        banks=banks.drop(columns=["rs", "theirs_ft"]), structures=bridge, structure_parts=parts,
        gravity_ms2=ras.G_US, friction=rasscour.FRICTION,
    )  # fmt: skip
    off = found["level_m"] / ras.FOOT - banks["theirs_ft"]
    above = banks["rs"].astype(float) > 10.36
    yield row("SCOUR", "at and above the bridge", off[above], 0.03)
    yield row("SCOUR", "below", off[~above], 0.01)


def results(path):
    """Each structure of a result file by itself, from HEC-RAS's level below it."""
    model, place = pg.flood.read_hecras_results(path), ["river", "chainage_m"]
    for name, one in model.structures.iterrows():
        off = []
        mine = model.profile[model.profile["river"] == one["river"]]
        mine = mine[mine["chainage_m"].between(one["above_m"] - 1e-6, one["below_m"] + 1e-6)]
        for _, theirs in mine.groupby("profile"):
            here = theirs[place]
            obstacles = model.obstacles.merge(here, on=place)
            parts = model.structure_parts
            ours = pg.water_profile(
                model.sections.merge(here, on=place), theirs[[*place, "discharge_m3s"]],
                {"level_m": float(theirs["level_m"].iloc[-1])}, gravity_ms2=ras.G_US,
                banks=model.banks.merge(here, on=place),
                obstacles=obstacles if len(obstacles) else None,
                structures=model.structures.loc[[name]],
                structure_parts=parts[parts["structure_id"] == name],
            )["level_m"]  # fmt: skip
            off.append((ours.iloc[0] - theirs["level_m"].iloc[0]) / ras.FOOT)
        yield row(path.name.split(".")[0], f"above {name}", np.array(off), 0.03)


def table():
    """Headwater of a bridge by energy, for tailwaters and discharges."""
    made = ras.example("ANUGA_BRIDGE_TABLE")
    nodes = [made["upstream_section"], made["bridge"], made["downstream_section"]]
    small = {"reaches": [{"river": "A", "reach": "1", "nodes": nodes}]}
    sections, banks, obstacles, keys = ras.tables(small, foot=1.0)
    structures, parts = ras.bridge(small, keys, foot=1.0)
    parts.loc[parts["part"] == "deck", "deck_m"] = 1000.0  # so HEC-RAS ran it
    chord, idle = -2.2, -1.0  # low chord; top of the ineffective areas
    found = []
    for curve in made["results"]["submerged_curves"]:
        points = [p for p in curve["flow_and_headwater_at_525"] if p[0] > 0]
        # the last of a curve repeats the headwater before it; levels of 10 m are above all ground
        points = [p for p in points[:-1] if p[1] < 5]
        flows = pd.DataFrame(points, columns=["discharge_m3s", "theirs"])
        flows["profile"] = [f"{k:03}" for k in range(len(flows))]
        level = curve["tailwater_at_475"]
        ours = pg.water_profile(
            sections, flows, {"level_m": level}, banks=banks, obstacles=obstacles,
            structures=structures, structure_parts=parts,
        )  # fmt: skip
        head = ours[ours["chainage_m"] == 0].set_index("profile")["level_m"][flows["profile"]]
        found.append(flows.assign(tail=level, off=head.to_numpy() - flows["theirs"].to_numpy()))
    all_ = pd.concat(found)
    high = all_["theirs"] + all_["off"].clip(lower=0.0)
    free, apart = all_["theirs"] < chord, (high >= idle) & (all_["tail"] < idle)
    yield row("ANUGA_BRIDGE_TABLE", "low flow", all_.loc[free, "off"], 0.005)
    yield row("ANUGA_BRIDGE_TABLE", "full opening", all_.loc[~free & ~apart, "off"], 0.05)
    place = "full, idle areas covered above, not below"
    yield row("ANUGA_BRIDGE_TABLE", place, all_.loc[apart, "off"], 0.05)


if __name__ == "__main__":
    main()
