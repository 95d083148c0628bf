"""HEC-RAS's published examples with structures as this library's tables; nothing of our results."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

import pinghu_geo as pg

FOLDER = Path(__file__).parents[2] / "shared" / "reference" / "structures"
FOOT = 0.3048
G_US = 32.174 * FOOT  # what HEC-RAS uses in feet
SQRT = FOOT**0.5


def example(name):
    """The JSON of an example."""
    return json.loads((FOLDER / name / f"{name}.json").read_text("utf-8"))


def tables(made, foot=FOOT):
    """Sections, banks, obstacles of all reaches; a reach is a river of its own."""
    sections, banks, obstacles = [], [], []
    for reach in made["reaches"]:
        river, at = f"{reach['river']}, {reach['reach']}", 0.0
        for node in reach["nodes"]:
            if node["type"] != "cross_section":
                continue
            place = {"river": river, "chainage_m": round(at, 4)}
            points = pd.DataFrame(node["sta_elev"], columns=["offset_m", "elevation_m"]) * foot
            ranges = pd.DataFrame(node["manning_sta_n"], columns=["offset_m", "n"])
            ranges["offset_m"] *= foot
            sections.append(pg.flood.with_roughness(points.assign(**place), ranges))
            lengths = np.array(node["reach_lengths_l_c_r"], float) * foot
            row = {
                **place,
                "rs": node["rs"],
                "expansion": node["expansion"],
                "contraction": node["contraction"],
                "left_bank_m": node["banks"][0] * foot,
                "right_bank_m": node["banks"][1] * foot,
            }
            row |= dict(
                zip(("length_left_m", "length_channel_m", "length_right_m"), lengths, strict=True)
            )
            for side in ("left", "right"):
                if f"levee_{side}" in node:
                    x, z = node[f"levee_{side}"]
                    row |= {f"{side}_levee_m": x * foot, f"{side}_levee_top_m": z * foot}
            banks.append(row)
            for one in node.get("ineffective", []):
                obstacles.append(
                    {
                        **place,
                        "from_offset_m": one["left"] * foot,
                        "to_offset_m": one["right"] * foot,
                        "top_m": one["elev"] * foot,
                        "obstacle": "permanent" if one["permanent"] else "ineffective",
                    }
                )
            for one in node.get("blocked", node.get("obstructions", [])):
                obstacles.append(
                    {
                        **place,
                        "from_offset_m": one["left"] * foot,
                        "to_offset_m": one["right"] * foot,
                        "top_m": one["elev"] * foot,
                        "obstacle": "blocked",
                    }
                )
            at += lengths[1]
    keys = pd.DataFrame(banks)[["river", "chainage_m", "rs"]]
    return (
        pd.concat(sections, ignore_index=True),
        pd.DataFrame(banks).drop(columns="rs"),
        pd.DataFrame(obstacles) if obstacles else None,
        keys,
    )


def flows(made, keys, foot=FOOT):
    """Discharges by profile."""
    rows = []
    for change in made["flow_data"]["flow_changes"]:
        river = (
            f"{change['river']}, {change['reach']}" if "reach" in change else keys["river"].iloc[0]
        )
        at = keys[(keys["river"] == river) & (keys["rs"] == change["rs"])]["chainage_m"].iloc[0]
        for profile, q in zip(made["flow_data"]["profiles"], change["flow"], strict=True):
            rows.append(
                {"river": river, "chainage_m": at, "profile": profile, "discharge_m3s": q * foot**3}
            )
    return pd.DataFrame(rows)


def downstream(made, river, foot=FOOT):
    """Boundary of the lowest reach."""
    one = made["flow_data"]["downstream_boundary"]
    rows = []
    for k, profile in enumerate(made["flow_data"]["profiles"]):
        place = {"river": river, "profile": profile}
        if "wse" in one:
            rows.append({**place, "level_m": one["wse"][k] * foot})
        elif "slope" in one:
            rows.append({**place, "slope": one["slope"]})
        else:
            rows += [
                {**place, "boundary": "rating", "discharge_m3s": q * foot**3, "level_m": z * foot}
                for q, z in one["flow_wse"]
            ]
    return pd.DataFrame(rows)


def differences(made, found, keys, foot=FOOT):
    """Computed less HEC-RAS's level [ft] by profile, river and station."""
    rows = [
        {
            "profile": p["name"],
            "river": f"{s['river']}, {s['reach']}",
            "rs": s["rs"],
            "theirs": s["wse"],
        }
        for p in made["results"]["profiles"]
        for s in p["sections"]
    ]
    both = found.merge(keys, on=["river", "chainage_m"]).merge(
        pd.DataFrame(rows), on=["profile", "river", "rs"]
    )
    return both.assign(off_ft=both["level_m"] / foot - both["theirs"])


def where(made, keys, kind):
    """Structures of a kind with the chainage between their sections, and the JSON node."""
    found = []
    for reach in made["reaches"]:
        river = f"{reach['river']}, {reach['reach']}"
        nodes = reach["nodes"]
        for k, node in enumerate(nodes):
            if node["type"] == kind:
                at = [
                    keys[(keys["river"] == river) & (keys["rs"] == nodes[j]["rs"])][
                        "chainage_m"
                    ].iloc[0]
                    for j in (k - 1, k + 1)
                ]
                found.append((river, sum(at) / 2, node))
    return found


def deck(node, name, foot=FOOT):
    """Deck of a structure as parts."""
    rows = []
    for side, key in (("up", "upstream"), ("down", "downstream")):
        one = node["deck_roadway"][key]
        for x, high, low in zip(one["station"], one["high_chord"], one["low_chord"], strict=True):
            rows.append(
                {
                    "structure_id": name,
                    "part": "deck",
                    "side": side,
                    "offset_m": x * foot,
                    "deck_m": high * foot,
                    "low_chord_m": np.nan if low is None else low * foot,
                }
            )
    return rows


def bridge(made, keys, foot=FOOT):
    """Bridge of an example as tables."""
    ((river, at, node),) = where(made, keys, "bridge")
    d, m = node["deck_roadway"], node["bridge_method"]
    row = {
        "river": river,
        "chainage_m": at,
        "kind": "bridge",
        "width_m": d["width"] * foot,
        "distance_m": d["distance_from_upstream_xs"] * foot,
        "weir_coefficient": d["weir_coef"] * (SQRT if foot != 1 else 1),
        "max_submergence": d["max_submergence"],
        "pier_drag": m.get("momentum_cd"),
        "yarnell_k": m.get("yarnell_k"),
        "sluice": m.get("submerged_inlet_cd"),
        "orifice": m.get("submerged_inlet_outlet_cd"),
        "method": "energy+momentum+yarnell" if "highest" in m["low_flow"] else "energy",
        "high_flow": "pressure" if "pressure" in m["high_flow"] else "energy",
    }
    parts = deck(node, "B", foot)
    for k, pier in enumerate(node.get("piers", [])):
        for width, z in pier["upstream_width_at_elev"]:
            parts.append(
                {
                    "structure_id": "B",
                    "part": "pier",
                    "group": str(k),
                    "offset_m": pier["upstream_centre_station"] * foot,
                    "elevation_m": z * foot,
                    "pier_width_m": width * foot,
                }
            )
    return pd.DataFrame([row], index=["B"]), pd.DataFrame(parts)


def culverts(made, keys, foot=FOOT):
    """Culverts of an example as tables."""
    ((river, at, node),) = where(made, keys, "culvert")
    row = {
        "river": river,
        "chainage_m": at,
        "kind": "culvert",
        "weir_coefficient": node["deck_roadway"]["weir_coef"] * SQRT,
    }
    parts = deck(node, "C", foot)
    for one in node["culverts"]:
        parts.append(
            {
                "structure_id": "C",
                "part": "culvert",
                "shape": {"circular": "circle"}.get(one["shape"], one["shape"]),
                "rise_m": one["rise_or_diameter"] * foot,
                "span_m": one["span"] * foot,
                "length_m": one["length"] * foot,
                "n": one["manning_top"],
                "entrance_loss": one["entrance_loss_coef"],
                "exit_loss": one["exit_loss_coef"],
                "chart": one["fhwa_chart"],
                "scale": one["fhwa_scale"],
                "invert_up_m": one["upstream_invert"] * foot,
                "invert_down_m": one["downstream_invert"] * foot,
                "barrels": one["barrels"],
            }
        )
    return pd.DataFrame([row], index=["C"]), pd.DataFrame(parts)


def inline(made, keys, foot=FOOT):
    """Inline weir with gates as tables."""
    ((river, at, node),) = where(made, keys, "inline_structure")
    w = node["weir"]
    row = {
        "river": river,
        "chainage_m": at,
        "kind": "gate",
        "crest": w["shape"],
        "weir_coefficient": w["weir_coef"] * SQRT,
        "design_head_m": w["ogee_design_head"] * foot,
    }
    parts = [
        {"structure_id": "W", "part": "crest", "offset_m": x * foot, "crest_m": z * foot}
        for x, z in node["weir_crest_sta_elev"]
    ]
    for g in node["gate_groups"]:
        parts.append(
            {
                "structure_id": "W",
                "part": "gate",
                "group": g["name"],
                "gate_kind": g["type"],
                "gate_width_m": g["width"] * foot,
                "gate_height_m": g["height"] * foot,
                "sill_m": g["invert"] * foot,
                "opening_m": 0.0,
                "n_gates": g["openings"],
                "gate_coefficient": g["gate_coef"],
                "orifice": 0.8,
                "trunnion_m": g["trunnion_height"] * foot,
                "exponent_trunnion": g["exponent_trunnion_height"],
                "exponent_opening": g["exponent_gate_opening"],
                "exponent_head": g["exponent_head"],
                "sill_crest": "ogee" if g["weir_is_ogee"] else "broad",
                "sill_coefficient": g["weir_coef_when_not_controlled"] * SQRT,
                "sill_design_head_m": g["design_head"] * foot,
            }
        )
        parts += [
            {
                "structure_id": "W",
                "part": "setting",
                "group": g["name"],
                "profile": o["profile"],
                "n_open": o["gates_open"],
                "opening_m": o["opening_height"] * foot,
            }
            for o in g["openings_by_profile"]
        ]
    return pd.DataFrame([row], index=["W"]), pd.DataFrame(parts)


def junctions(made, foot=FOOT):
    """Junctions of an example as a table."""
    rows = []
    for junction in made["junctions"]:
        for role, key in (("in", "upstream"), ("out", "downstream")):
            for one in junction[key]:
                length = one.get(
                    "length_to_downstream_section", one.get("length_from_upstream_section")
                )
                rows.append(
                    {
                        "junction": junction["name"],
                        "river": f"{one['river']}, {one['reach']}",
                        "role": role,
                        "length_m": np.nan if length is None else length * foot,
                        "method": junction["method"],
                    }
                )
    return pd.DataFrame(rows)
