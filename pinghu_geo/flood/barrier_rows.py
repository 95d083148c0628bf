"""What do the rows of culverts, weirs and gates say? Barrels, crests and gates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pinghu_geo.flood.conduits import SHAPES, Conduit
from pinghu_geo.flood.culverts import CHARTS, STANDING, Barrel, Group
from pinghu_geo.flood.gates import Crest, Gate, Gates
from pinghu_geo.flood.outlines import upper_line
from pinghu_geo.flood.sections import Array
from pinghu_geo.flood.structure_rows import CHARTS_OF, CRESTS, INLETS, StructureRow
from pinghu_geo.nouns.schema import numbers

__all__ = ["barrel_groups", "check_one_road", "check_road_above_barrels", "weir_and_gates"]


def barrel_groups(
    one: StructureRow,
    detail: Mapping[str, pd.DataFrame],
    gap: float,
    ends: list[tuple[Array, Array]],
) -> list[Group]:
    """Groups of barrels: of the parts, or the row itself; between the sections at both ends."""
    rows = [one]
    if "culvert" in detail:
        rows = [
            StructureRow({**one.row, **part.dropna().to_dict()}, one.name)
            for _, part in detail["culvert"].iterrows()
        ]
    groups = [_barrel_group(row, gap, ends) for row in rows]
    wide = sum(g.number * g.barrel.conduit.span_m for g in groups)
    across = min(float(x[-1] - x[0]) for x, _ in ends)
    if wide > across + 1e-6:
        raise one.fault(
            f"has barrels {wide:g} m wide together in a section of {across:g} m",
            "fewer barrels or less span_m, or sections as wide as the crossing",
        )
    return groups


def check_one_road(
    rows: list[StructureRow], details: Mapping[Any, Mapping[str, pd.DataFrame]]
) -> None:
    """Refuse openings of one crossing that name roads of different heights."""
    said = [one for one in rows if one.has("deck_m") and "deck" not in details.get(one.name, {})]
    for one in said[1:]:
        if abs(one.number("deck_m") - said[0].number("deck_m")) > 1e-6:
            raise one.fault(
                f"has its road at {one.number('deck_m'):g} m and {said[0].name} in the same "
                f"crossing at {said[0].number('deck_m'):g} m",
                "one deck_m for all openings of a crossing, or decks in structure_parts",
            )


def check_road_above_barrels(
    one: StructureRow, detail: Mapping[str, pd.DataFrame], groups: list[Group]
) -> None:
    """Refuse a road that lies nowhere above the barrels below it."""
    if "deck" in detail:
        tops = numbers(detail["deck"], "deck_m", "structure_parts").to_numpy()
    else:
        tops = np.array([one.number("deck_m", math.nan)])
    barrels = [g.barrel for g in groups]
    crown = min(min(b.up_m, b.down_m) + b.conduit.rise_m for b in barrels)
    if np.isfinite(tops).all() and tops.max() < crown - 1e-9:
        raise one.fault(
            f"has its road at {tops.max():g} m, below the top of its barrels at {crown:g} m",
            "check the datum of deck_m, invert_up_m and invert_down_m",
        )


def _barrel_group(one: StructureRow, gap: float, ends: list[tuple[Array, Array]]) -> Group:
    shape = one.choice("shape", SHAPES) if one.has("shape") else None
    if shape is None:
        raise one.fault("lacks shape", f"one of {', '.join(SHAPES)}")
    rise = one.number("rise_m")
    span = one.number("span_m", rise if shape == "circle" else None)
    if shape == "circle" and abs(span - rise) > 1e-3 * rise:
        raise one.fault(
            f"is a circle {span:g} m wide and {rise:g} m high",
            "leave span_m blank, or call it ellipse",
        )
    if shape == "pipe_arch" and rise > span:
        raise one.fault(
            f"is a pipe arch {span:g} m wide and {rise:g} m high",
            "a pipe arch is wider than high: span_m across, rise_m upwards; or call it ellipse",
        )
    length = one.number("length_m", gap)
    up, down = one.number("invert_up_m"), one.number("invert_down_m")
    if any(invert >= z.max() for invert, (_, z) in zip((up, down), ends, strict=True)):
        raise one.fault(
            "has its invert above the banks of its section",
            "check the datum of invert_up_m and invert_down_m",
        )
    if any(invert + rise <= z.min() for invert, (_, z) in zip((up, down), ends, strict=True)):
        raise one.fault(
            "lies below the bed of its section with its whole height",
            "check the datum of invert_up_m and invert_down_m",
        )
    if length > gap + 1e-6:
        raise one.fault(
            f"is {length:g} m long in a gap of {gap:g} m between its sections",
            "leave out the sections that it covers (sections_from_dem does so with structures=), "
            "or model a long covered reach by sections with lid_m",
        )
    if one.number("blocked_m") >= rise:
        raise one.fault("is blocked over its whole height", "less than rise_m")
    chart = _inlet_chart(one, shape)
    pipe = Conduit(
        shape, span, rise, one.number("n"),
        one.number("n_bottom") if one.has("n_bottom") else None,
        one.number("n_bottom_to_m", 0.0), one.number("blocked_m"),
    )  # fmt: skip
    barrel = Barrel(
        pipe, length, up, down, one.number("entrance_loss"), one.number("exit_loss"), chart
    )
    return Group(barrel, int(one.number("barrels")))


def _inlet_chart(one: StructureRow, shape: str) -> tuple[int, int]:
    """Chart and scale of HDS-5 for a barrel's inlet: of its shape where the row says none."""
    if not one.has("chart"):
        if one.has("scale"):
            raise one.fault(
                f"names scale {one.number('scale'):g} of no chart",
                f"fill in chart: {', '.join(map(str, CHARTS_OF[shape]))} are those of its shape",
            )
        return INLETS[shape]
    chart = (int(one.number("chart")), int(one.number("scale", 1.0)))
    if chart not in CHARTS and chart not in STANDING:
        known = sorted({c for c, _ in CHARTS})
        raise one.fault(
            f"names chart {chart[0]} scale {chart[1]}, which HDS-5 doesn't have",
            f"charts {', '.join(map(str, known))}, with the scales of each",
        )
    if chart[0] not in CHARTS_OF[shape]:
        raise one.fault(
            f"names chart {chart[0]}, which HDS-5 has for other shapes than {shape}",
            f"charts of {shape}: {', '.join(map(str, CHARTS_OF[shape]))}; or correct shape",
        )
    return chart


def weir_and_gates(
    one: StructureRow,
    detail: Mapping[str, pd.DataFrame],
    ground: tuple[Array, Array],
    section: tuple[Array, Array],
) -> tuple[Gates, dict[str, Gates]]:
    """Crest and gates, and those of profiles that have their own openings.

    ``ground`` is where water may run over the crest, ``section`` the whole section above.
    """
    crest = _weir_crest(one, detail, ground)
    rows: list[StructureRow] = []
    if "gate" in detail:
        rows = [
            StructureRow({**one.row, **part.dropna().to_dict()}, one.name)
            for _, part in detail["gate"].iterrows()
        ]
    elif one.has("gate_width_m"):
        rows = [one]
    if one.text("kind", "") == "gate" and not rows:
        raise one.fault("has no gates", "gate_width_m, gate_height_m, sill_m, opening_m")
    if crest is None and not rows:
        raise one.fault("lacks crest_m", "fill in crest_m, or its crest in structure_parts")
    if crest is not None and not rows and _is_buried(one, detail, ground):
        crest = None
    base = Gates(crest, tuple(_gate_of_row(r) for r in rows))
    _check_gates_in_section(one, base, section)
    by_profile = (
        _gates_by_profile(one, detail["setting"], crest, rows) if "setting" in detail else {}
    )
    for made in [*by_profile.values()] if by_profile else [base]:
        if made.crest is None and made.gates and not any(g.number * g.opening for g in made.gates):
            raise one.fault(
                "closes its river: no gate is open and there is no crest to run over",
                "opening_m above 0, or crest_m",
            )
    return base, by_profile


def _gates_by_profile(
    one: StructureRow, settings: pd.DataFrame, crest: Crest | None, rows: list[StructureRow]
) -> dict[str, Gates]:
    """Gates with the openings of each profile that has its own."""
    if not rows:
        raise one.fault(
            "has openings of gates by profile, and no gates",
            "gate_width_m, or its gates in structure_parts",
        )
    grouped = "group" in settings.columns and bool(settings["group"].notna().any())
    twice = settings.duplicated(["profile", "group"] if grouped else ["profile"])
    if twice.any():
        said = settings.loc[twice, "profile"].iloc[0]
        raise one.fault(
            f"has two openings of the same gates in profile {said}",
            "one setting a profile, or one for each group of gates",
        )
    found: dict[str, Gates] = {}
    for profile, part in settings.groupby("profile", sort=False):
        by_group = part.set_index("group") if grouped else None
        gates = []
        for row in rows:
            group = row.text("group", "")
            if by_group is not None and group not in by_group.index:
                raise row.fault(
                    f"has no opening of its gates {group!r} in profile {profile}",
                    "a setting for each group of its gates",
                )
            mine = part.iloc[0] if by_group is None else by_group.loc[group]
            new = {"opening_m": mine["opening_m"], "n_open": mine.get("n_open", np.nan)}
            gates.append(_gate_of_row(StructureRow({**row.row, **new}, row.name)))
        found[str(profile)] = Gates(crest, tuple(gates))
    return found


def _check_gates_in_section(one: StructureRow, made: Gates, section: tuple[Array, Array]) -> None:
    """Refuse gates and crests that can't stand in their section."""
    x, z = section
    for gate in made.gates:
        if gate.sill >= z.max():
            raise one.fault(
                f"has its sill at {gate.sill:g} m, above the banks of its section at {z.max():g} m",
                "check the datum of sill_m",
            )
        if gate.sill + gate.height <= z.min():
            raise one.fault(
                f"has its gates wholly below the bed of its section at {z.min():g} m",
                "check the datum of sill_m",
            )
    wide = sum(gate.number * gate.width for gate in made.gates)
    if wide > x[-1] - x[0] + 1e-6:
        raise one.fault(
            f"has gates {wide:g} m wide together in a section of {x[-1] - x[0]:g} m",
            "fewer gates or less gate_width_m, or sections as wide as the gates",
        )
    if made.crest is not None and not made.gates and made.crest.low >= z.max():
        raise one.fault(
            f"has its crest at {made.crest.low:g} m, above the banks of its section at "
            f"{z.max():g} m",
            "check the datum of crest_m",
        )


def _is_buried(
    one: StructureRow, detail: Mapping[str, pd.DataFrame], ground: tuple[Array, Array]
) -> bool:
    """Whether a crest lies below the bed everywhere: then nothing is there."""
    if "crest" in detail:
        rows = detail["crest"]
        dx, top = (numbers(rows, c, "structure_parts").to_numpy() for c in ("offset_m", "crest_m"))
    else:
        dx = np.array([one.number("from_offset_m", float(ground[0][0])),
                       one.number("to_offset_m", float(ground[0][-1]))])  # fmt: skip
        top = np.full(2, one.number("crest_m"))
    at = np.unique(np.r_[dx, ground[0]])
    at = at[(at >= dx[0]) & (at <= dx[-1])]
    high = np.interp(at, dx, top)
    # on both sides of a place where the bed is upright
    beds = (np.interp(at + step, *ground) for step in (-1e-6, 1e-6))
    return all(bool((high < bed - 1e-6).all()) for bed in beds)


def _weir_crest(
    one: StructureRow, detail: Mapping[str, pd.DataFrame], ground: tuple[Array, Array]
) -> Crest | None:
    x, z = ground
    form = one.choice("crest", ("broad", "ogee", "sharp"))
    coefficient = one.number("weir_coefficient", CRESTS[form])
    design = one.number("design_head_m", math.nan)
    if "crest" in detail:
        rows = detail["crest"]
        dx, top = (numbers(rows, c, "structure_parts").to_numpy() for c in ("offset_m", "crest_m"))
        if len(dx) < 2 or (np.diff(dx) < 0).any():
            raise one.fault(
                "has a crest of a single point or whose offsets run back",
                "two points or more, from left to right",
            )
    elif one.has("crest_m"):
        a, b = one.number("from_offset_m", float(x[0])), one.number("to_offset_m", float(x[-1]))
        if not a < b:
            raise one.fault("has a crest of no width", "from_offset_m is left of to_offset_m")
        dx, top = np.array([a, b]), np.full(2, one.number("crest_m"))
    else:
        return None
    a, b = max(dx[0], x[0]), min(dx[-1], x[-1])
    if not a < b:
        raise one.fault("has its crest beside its section", "offsets are those of the sections")
    stops, line = upper_line(dx, top, x, z)
    return Crest(stops, line, coefficient, form == "ogee", design, form == "sharp")


def _gate_of_row(one: StructureRow) -> Gate:
    width, height = one.number("gate_width_m"), one.number("gate_height_m")
    opening, sill = one.number("opening_m"), one.number("sill_m")
    if opening > height + 1e-9:
        raise one.fault(
            f"has its gates open {opening:g} m, above their height of {height:g} m",
            "opening_m is at most gate_height_m",
        )
    count = one.number("n_gates", 1.0)
    n_open = one.number("n_open", count)
    if n_open > count:
        raise one.fault(f"has {n_open:g} of {count:g} gates open", "n_open is at most n_gates")
    kind = one.choice("gate_kind", ("vertical", "radial", "overflow"))
    trunnion = one.number(column := "trunnion_m", height)
    exponents = (one.number("exponent_trunnion"), one.number("exponent_opening"),
                 one.number("exponent_head"))  # fmt: skip
    if kind == "radial" and not trunnion > 0:
        raise one.fault(f"has {trunnion:g} in {column}", "a number above 0")
    if kind == "radial" and abs(sum(exponents) - 1.5) > 1e-3:
        raise one.fault(
            f"has exponents of a radial gate that add up to {sum(exponents):g}, not 1.5",
            "0.16, 0.72 and 0.62 for exponent_trunnion, exponent_opening and exponent_head",
        )
    sill_form = one.choice("sill_crest", ("broad", "ogee", "sharp"))
    weir = Crest(
        np.array([0.0, width]),
        np.full(2, sill),
        one.number("sill_coefficient", CRESTS[sill_form]),
        sill_form == "ogee",
        one.number("sill_design_head_m", math.nan),
        sill_form == "sharp",
    )
    return Gate(
        n_open, width, height, sill, opening, kind,
        one.number("gate_coefficient"), one.number("orifice"),
        trunnion, exponents, weir,
    )  # fmt: skip
