"""From where were the offsets of a section counted? Any surveyor's way to one: left is negative."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from pinghu_geo.flood.sections import Array
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.schema import numbers, one_of, require_columns
from pinghu_geo.nouns.tables import groups_of
from pinghu_geo.river.chainage import format_chainage

__all__ = ["Order", "Origin", "require_about_centre", "require_across", "section_offsets"]

Origin = Literal["centre", "left_bank", "right_bank", "unsigned", "increments"]
Order = Literal["left_to_right", "right_to_left"]
ORIGINS = ("centre", "left_bank", "right_bank", "unsigned", "increments")
# what a section is told apart by
KEYS = ["river", "chainage_m"]
ORDERS = ("left_to_right", "right_to_left")


@takes()
def section_offsets(
    sections: pd.DataFrame,
    *,
    origin: Origin = "centre",
    order: Order = "left_to_right",
    centre_m: float | str | None = None,
) -> pd.DataFrame:
    """Sections with offsets about the centreline, from left to right, left negative 断面偏距归算.

    Parameters
    ----------
    sections
        River, chainage_m, offset_m, elevation_m; the points of a section in the order in which they
        were surveyed.
    origin
        What offset_m counts from: ``"centre"`` (left negative), ``"left_bank"`` or
        ``"right_bank"`` (the end of the section there is 0), ``"unsigned"`` (distances to the
        centreline without a sign, down to it and up again), ``"increments"`` (间距: from the point
        before; the first is where the section begins).
    order
        In which order the points of a section come, facing downstream.
    centre_m
        Where the centreline lies, counted as offset_m [m], or the column that says so; needed for
        banks and increments. ``"middle"``: halfway between the ends of each section.

    Returns
    -------
    pandas.DataFrame
        The same rows, section by section from left to right, with the new offset_m; all other
        columns as they came.

    Raises
    ------
    LayerError
        Offsets that can't be what ``origin`` and ``order`` say; the sections are named.

    Notes
    -----
    Roughness n belongs to the ground from a point to the next: where the order is turned round, it
    is moved to the point on the other side of the same ground.

    References
    ----------
    HEC-RAS Hydraulic Reference Manual 6.x, chapter 3 (cross-sections from left to right looking
    downstream).

    Examples
    --------
    >>> bank = pd.DataFrame({"river": "R", "chainage_m": 0.0, "offset_m": [0.0, 1, 11, 12],
    ...     "elevation_m": [52.0, 48, 48, 52], "n": 0.03})
    >>> pg.flood.section_offsets(bank, origin="left_bank", centre_m="middle")["offset_m"].tolist()
    [-6.0, -5.0, 5.0, 6.0]
    """
    one_of(origin, ORIGINS, "origin")
    one_of(order, ORDERS, "order")
    require_columns(sections, ("river", "chainage_m", "offset_m", "elevation_m"), "sections")
    if origin in ("left_bank", "right_bank", "increments") and centre_m is None:
        raise LayerError(
            f"origin={origin!r} needs the place of the centreline",
            layer="sections",
            hint='centre_m="middle", or its offset, or a column that holds it',
        )
    found = sections.copy()
    found["offset_m"] = numbers(sections, "offset_m", "sections")
    parts = []
    for (river, at, *_), part in groups_of(
        found.groupby(_section_keys(found), sort=False, dropna=False)
    ):
        label = f"{river} {format_chainage(float(at))}" if pd.notna(at) else str(river)
        parts.append(_section_about_centre(part, origin, order, centre_m, label))
    return pd.concat(parts) if parts else found


def _section_keys(sections: pd.DataFrame) -> list[str]:
    return KEYS + (["scheme"] if "scheme" in sections.columns else [])


def _section_about_centre(
    part: pd.DataFrame, origin: Origin, order: Order, centre_m: float | str | None, label: str
) -> pd.DataFrame:
    """One section, about its centreline, from left to right."""
    x = part["offset_m"].to_numpy(float)
    turned = order == "right_to_left"
    if origin == "increments" and (x < 0).any():
        raise _offsets_error("has increments (间距) below 0", label, "they may be offsets")
    if origin == "increments":
        x = np.cumsum(x)
    elif origin == "unsigned":
        x = _signed_offsets(x, label)
    # counted so that it grows to the left
    leftward = origin == "right_bank" or (turned and origin in ("increments", "unsigned"))
    x = -x if leftward else x
    if centre_m == "middle":
        x = x - (x.min() + x.max()) / 2
    elif centre_m is not None:
        if isinstance(centre_m, str):
            require_columns(part, (centre_m,), "sections")
            centre_m = float(numbers(part, centre_m, "sections").iloc[0])
        x = x - (-centre_m if leftward else centre_m)
    rows = part.iloc[::-1] if turned else part
    x = x[::-1] if turned else x
    if (np.diff(x) < 0).any():
        raise _offsets_error(
            "has offsets that run back", label,
            f'origin={origin!r}, order={order!r} is not how this section was surveyed',
        )  # fmt: skip
    rows = rows.assign(offset_m=x)
    if turned and "n" in rows.columns:  # the ground behind a point is before it now
        n = part["n"].ffill().to_numpy()[::-1]
        rows["n"] = np.append(n[1:], n[-1:])
    return rows


def _signed_offsets(x: Array, label: str) -> Array:
    """Distances that fall to the centreline and rise again, with a sign on the first half."""
    if (x < 0).any():
        raise _offsets_error("has signed offsets", label, 'origin="centre"')
    low = int(np.argmin(x))
    last = len(x) - 1 - int(np.argmin(x[::-1]))
    if (np.diff(x[: low + 1]) > 0).any() or (np.diff(x[last:]) < 0).any():
        raise _offsets_error(
            "has distances that don't fall to the centreline and rise again", label,
            'origin="left_bank", or "increments"',
        )  # fmt: skip
    if last - low > 1:
        raise _offsets_error(
            "has three or more points nearest to the centreline", label,
            "which of them are left of it, the distances don't say",
        )  # fmt: skip
    return np.where(np.arange(len(x)) < last, -x, x)


def _offsets_error(problem: str, label: str, why: str) -> LayerError:
    return LayerError(
        problem,
        layer="sections",
        ids=[label],
        hint=f"pg.flood.section_offsets(sections, ...): {why}",
    )


def require_across(sections: pd.DataFrame, layer: str) -> None:
    """Refuse sections that don't run from left to right across their centreline.

    Offsets that run back mean another order or none, offsets of one sign another origin; to which
    the ground beside would be fitted at the wrong place.
    """
    x = numbers(sections, "offset_m", layer).to_numpy()
    key = sections.groupby(_section_keys(sections), sort=False, dropna=False).ngroup().to_numpy()
    order = np.argsort(key, kind="stable")
    x, key = x[order], key[order]
    same = np.diff(key) == 0
    back = np.unique(key[1:][same & (np.diff(x) < 0)])
    if len(back):
        labels = _section_labels(sections, back)
        raise running_back_error([x[key == k] for k in back], layer, labels)
    require_about_centre(sections, layer)


def running_back_error(offsets: Sequence[Array], layer: str, ids: Sequence[str]) -> LayerError:
    """Sections whose offsets run back, and what brings them from left to right, as all tell."""
    falling = all((np.diff(x) <= 0).all() for x in offsets)
    positive = all((x >= 0).all() for x in offsets)
    return LayerError(
        "has offsets that run back",
        layer=layer,
        ids=ids,
        hint=f'{layer} = pg.flood.section_offsets({layer}, origin="right_bank", centre_m="middle")'
        '  # if the first point is the left one, else order="right_to_left"'
        if falling and positive
        else f'{layer} = pg.flood.section_offsets({layer}, order="right_to_left")'
        if falling
        else f'{layer} = pg.flood.section_offsets({layer}, origin="unsigned")'
        if all(is_unsigned(x) for x in offsets)
        else f'{layer} = pg.flood.section_offsets({layer}, origin="increments", centre_m="middle")'
        if positive and all(x[0] == 0 for x in offsets)
        else "points run from left to right; sort each section",
    )


def is_unsigned(x: Array) -> bool:
    """Whether offsets are distances that fall to the centreline and rise again."""
    low = int(np.argmin(x))
    falls, rises = (np.diff(x[: low + 1]) <= 0).all(), (np.diff(x[low:]) >= 0).all()
    return bool(x[low] >= 0 and 0 < low < len(x) - 1 and falls and rises)


def require_about_centre(sections: pd.DataFrame, layer: str) -> None:
    """Refuse sections on one side of their centreline, where something else is laid beside them.

    Levels alone don't depend on where offsets are counted from; where buildings, walls or the
    ground are laid beside a section they do.
    """
    x = numbers(sections, "offset_m", layer)
    keys = [sections[k] for k in _section_keys(sections)]
    ends = x.groupby(keys, sort=False, dropna=False).agg(["min", "max"])
    aside = np.flatnonzero((ends["min"] > -1e-9) | (ends["max"] < 1e-9))
    if len(aside):
        raise LayerError(
            "has sections on one side of the centreline: are their offsets counted from a bank",
            layer=layer,
            ids=_section_labels(sections, aside),
            hint=f'{layer} = pg.flood.section_offsets({layer}, origin="left_bank", '
            'centre_m="middle")  # of a HEC-RAS model: model = pg.flood.centred_model(model)',
        )


def _section_labels(sections: pd.DataFrame, number: Any) -> list[str]:
    """Sections by their number, as river and chainage."""
    places = sections.drop_duplicates(_section_keys(sections)).iloc[number]
    return [
        f"{r} {format_chainage(float(c))}"
        for r, c in zip(places["river"], places["chainage_m"], strict=True)
    ]
