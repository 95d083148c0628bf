"""What do its columns mean? Names of the data model, typed, in their units, only the rows meant."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.conditions import Condition, parse_condition, require_names
from pinghu_geo.intake.dialects import dialect_of
from pinghu_geo.intake.headings import column_names, is_height
from pinghu_geo.intake.likeness import columns_meant
from pinghu_geo.intake.values import chainages_in_metres, typed_column, values_as_text
from pinghu_geo.nouns.errors import ChainageError, LayerError
from pinghu_geo.nouns.schema import (
    Noun,
    bare_name,
    canonical_codes,
    code_label,
    label,
    nearest,
    one_of,
    rival_columns,
)
from pinghu_geo.nouns.units import datum_stated, unit_stated
from pinghu_geo.river.chainage import chainage_prefix

__all__ = ["Meaning", "canonical_layer", "columns_by_file_name", "recognised_columns"]

log = logging.getLogger(__name__)

# surveyed sections are no nearer to each other than that, most of them [m]
NEAREST_M = 1.0
BARE = re.compile(r"-?\d+(?:\.\d*)?")
# one thing: what OSM, its areas, and QuickOSM call it
OSM_IDS = {"osm_id", "osm_way_id", "full_id"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the user says of a file whose names, words and rows don't tell it themselves.

    ``columns`` maps the names of the data model to the file's, ``values`` such a name to the words
    of the file and what they mean; ``where`` says which rows are meant.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    where: str | None = None
    storey_height_m: float | None = None


PLAIN = Meaning()


def canonical_layer(
    frame: gpd.GeoDataFrame,
    kind: Noun,
    id_column: str | None,
    seen: Findings,
    *,
    row_ids: bool,
    meaning: Meaning = PLAIN,
    wider: Callable[[int | None], Any] | None = None,
) -> gpd.GeoDataFrame:
    """Rename, type and index a layer; only the rows that are meant.

    ``wider`` reads rows of the file beyond those of ``frame``, where this is a part of it.
    """
    if frame.index.name is not None:  # GeoParquet keeps the index
        frame = frame.reset_index()
    condition = None if meaning.where is None else parse_condition(meaning.where, kind.name)
    if condition is not None and condition.names <= set(map(str, frame.columns)):
        # rows that aren't meant needn't be readable
        frame, condition = _rows_of_condition(frame, frame, condition, kind), None
    raw = frame
    if id_column is not None and id_column not in frame.columns:
        raise LayerError(
            f"has no column {id_column!r}",
            layer=kind.name,
            hint=nearest(id_column, map(str, frame.columns)),
        )

    def prepared(rows: Any) -> Any:
        """Rows with the ids that are told, and their geometry under its name."""
        rows = rows if rows.index.name is None else rows.reset_index()
        if id_column is not None:
            rows = _rename_columns(rows, {id_column: str(kind.index)})
        if rows.geometry.name != "geometry":
            rows = rows.rename_geometry("geometry")
        return _one_osm_id(rows) if id_column is None and not row_ids else rows

    frame = prepared(frame)
    columns = {
        k: v for k, v in columns_by_file_name(meaning.columns, raw, kind).items() if k != id_column
    }
    frame = recognised_columns(
        frame, kind, seen, chosen=id_column, columns=columns or None, words=meaning.values,
        wider=None if wider is None else lambda first: prepared(wider(first)),
    )  # fmt: skip
    frame = _with_estimated_floors(frame, kind, meaning.storey_height_m, seen)
    if condition is not None:
        frame = _rows_of_condition(frame, raw, condition, kind)
    if kind.index is None:
        return frame
    if row_ids:
        frame = frame.copy()  # one block again: columns were put in one by one
        frame[kind.index] = np.arange(1, len(frame) + 1).astype(str)
    if kind.index not in frame.columns:
        have = ", ".join(map(str, frame.columns.drop("geometry"))) or "no columns"
        raise LayerError(
            f"has no column that is known to hold ids; it has {have}",
            layer=kind.name,
            hint="name it with id_column, or row_ids=True to number the rows",
        )
    return frame.set_index(kind.index)


def _rename_columns(frame: Any, names: Mapping[str, str]) -> Any:
    """The frame with columns under new names; others that bear such a name get a number."""
    taken = {*map(str, frame.columns), *names.values()}
    spare: dict[str, str] = {}
    for column in map(str, frame.columns):
        if column in names.values() and column not in names:
            spare[column] = next(n for k in range(2, 1000) if (n := f"{column}_{k}") not in taken)
            taken.add(spare[column])
    return frame.rename(columns={**names, **spare})


def _one_osm_id(frame: Any) -> Any:
    """OSM's areas bear the id of a relation or of a way: one column, as w123 and r45."""
    if not {"osm_id", "osm_way_id"} <= set(frame.columns) or "full_id" in frame.columns:
        return frame
    relation, way = values_as_text(frame["osm_id"]), values_as_text(frame["osm_way_id"])
    both = ("r" + relation).where(relation.notna(), "w" + way)
    return frame.assign(osm_id=both)


def _with_estimated_floors(
    frame: Any, kind: Noun, storey_height_m: float | None, seen: Findings
) -> Any:
    """Floors where only heights are known, estimated at a stated height of a storey, and marked."""
    if storey_height_m is None:
        return frame
    if kind.name != "buildings" or not 2 <= float(storey_height_m) <= 10:
        raise LayerError(
            "storey_height_m is a height of 2 to 10 m, of buildings",
            layer=kind.name,
            hint="storey_height_m = 3.0",
        )
    if "height_m" not in frame.columns:
        raise LayerError(
            "has no heights that storeys could be counted from",
            layer=kind.name,
            hint='columns = { height_m = "..." }, or leave out storey_height_m',
        )
    none = pd.Series(np.nan, index=frame.index)
    known = pd.to_numeric(frame.get("floors", none), errors="coerce")
    height = pd.to_numeric(frame["height_m"], errors="coerce").where(lambda h: h > 0)
    estimated = known.isna() & height.notna()
    floors = known.where(~estimated, (height / storey_height_m).round().clip(lower=1))
    source = pd.Series(pd.NA, index=frame.index, dtype="str")
    source = source.mask(known.notna(), "surveyed").mask(estimated, "estimated")
    if n := int(estimated.sum()):
        seen.add("floors_from_height", column="floors", n=n, of=len(frame), storey=storey_height_m)
    return frame.assign(floors=floors.astype("Int64"), floors_source=source)


def _rows_of_condition(frame: Any, raw: Any, condition: Condition, kind: Noun) -> Any:
    """Rows that a condition holds for; its names are the file's, or else the data model's."""
    drawn = "geometry" if "geometry" in raw.columns else getattr(raw, "_geometry_column_name", "")
    own = [str(c) for c in raw.columns if c != drawn]
    require_names(condition, dict.fromkeys([*own, *map(str, frame.columns)]), kind.name)
    keep = condition.holds(lambda n: raw[n] if n in own else frame[n], len(frame))
    if not keep.any() and len(frame):
        name = min(condition.names)
        column = (raw[name] if name in own else frame[name]).dropna().astype("str")
        raise LayerError(
            f"has no row where {condition.text}",
            layer=kind.name,
            hint=f"{name} is one of {', '.join(sorted(column.unique())[:8])}"
            if len(column)
            else f"{name} is blank everywhere",
        )
    log.info("%s: %d of %d rows where %s", kind.name, keep.sum(), len(keep), condition.text)
    return frame[keep] if frame.index.name else frame[keep].reset_index(drop=True)


def columns_by_file_name(said: Mapping[str, str], frame: Any, kind: Noun) -> dict[str, str]:
    """Columns as the user says, from the file's name to the data model's, written either way."""
    have, known = {str(c) for c in frame.columns}, {c.name for c in kind.columns}
    found: dict[str, str] = {}
    for one, other in said.items():
        if one not in known and one not in have and other in have:
            one_of(one, [c.name for c in kind.columns], "columns")
        turned = one not in known or (one in have and other in known and other not in have)
        given, name = (one, other) if turned else (other, one)
        if not isinstance(given, str) or given not in have:
            raise LayerError(
                f"has no column {given!r}", layer=kind.name, hint=nearest(given, sorted(have))
            )
        one_of(name, [c.name for c in kind.columns], "columns")
        if given in found or name in found.values():
            raise LayerError(
                f"has two columns for {name}, or two names for {given!r}, in columns",
                layer=kind.name,
                hint=f'columns = {{ {name} = "{given}" }}: one for each',
            )
        found[given] = name
    return found


def _with_words_replaced(frame: Any, kind: Noun, words: Mapping[str, Mapping[str, Any]]) -> Any:
    """Words of a delivery turned into those that the user says they mean."""
    for name, said in words.items():
        one_of(name, [c.name for c in kind.columns], "values")
        if name not in frame.columns:
            raise LayerError(
                f"values speaks of {name}, which no column holds",
                layer=kind.name,
                hint=f'columns = {{ {name} = "..." }}: name the column',
            )
        codes = kind[name].codes
        for meant in said.values():
            if codes and canonical_codes(pd.Series([meant]), kind[name])[0] not in codes:
                one_of(meant, list(codes), f"values of {name}")
        text = values_as_text(frame[name]).fillna("")
        hit = text.isin([str(k).strip() for k in said]).to_numpy()
        if hit.any():
            column = frame[name].astype(object)
            column[hit] = text[hit].map({str(k).strip(): v for k, v in said.items()}).to_numpy()
            frame = frame.assign(**{name: column})
    return frame


def recognised_columns(
    frame: Any,
    kind: Noun,
    seen: Findings,
    *,
    chosen: str | None = None,
    columns: Mapping[str, str] | None = None,
    words: Mapping[str, Mapping[str, Any]] | None = None,
    wider: Callable[[int | None], Any] | None = None,
) -> Any:
    """Recognised columns renamed, typed, in their units; what can't be read stays for `check`."""
    given = [str(c) for c in frame.columns if c != "geometry"]
    twice = {c for c in given if given.count(c) > 1}
    if twice or len(frame.columns) != len({*frame.columns}):
        raise LayerError(
            "has several columns of one name",
            layer=kind.name,
            ids=sorted(twice or {"geometry"}),
            hint="rename or drop them where the file was made",
            fault="unreadable",
        )
    names, unsure = _canonical_names(frame, given, kind, columns, words or {}, wider)
    original = {taken: name for name, taken in names.items()}
    rivals = rival_columns(given, kind, names)
    for other, name in rivals.items():
        if name == kind.index and (chosen is not None or {other, original[name]} <= OSM_IDS):
            continue
        seen.add(
            "rival_column",
            column=name,
            other=other,
            taken=original[name],
            label=label(name, lang=seen.lang),
        )
    for other, name in unsure.items():
        seen.add("unsure_column", column=name, other=other, label=label(name, lang=seen.lang))
    if not kind.geometry and columns is None:
        _require_no_rival_values(frame, rivals, original, kind)
    frame = _with_words_replaced(_rename_columns(frame, names), kind, words or {})
    datums: dict[str, str] = {}
    for column in kind.columns:
        if column.name not in frame.columns:
            continue
        stated = original.get(column.name, "")
        unit = unit_stated(stated, column, kind.name)
        if unit.factor != 1.0 or unit.turned:
            seen.add("unit_converted", column=column.name, stated=stated, unit=unit.unit)
        frame[column.name] = typed_column(frame[column.name], column, unit)
        if (dialect := dialect_of(frame[column.name], column.name)) is not None:
            seen.add("code_dialect", column=column.name, dialect=dialect[0])
            frame[column.name] = frame[column.name].map(dialect[1])
        if is_height(column.name) and (datum := datum_stated(stated, kind.name)):
            datums[datum] = stated
    frame = _with_line(_with_datum(frame, datums, kind, seen), original, kind, seen)
    return _sum_increments(frame, original, kind, seen)


def _canonical_names(
    frame: Any,
    given: list[str],
    kind: Noun,
    columns: Mapping[str, str] | None,
    words: Mapping[str, Mapping[str, Any]],
    wider: Callable[[int | None], Any] | None,
) -> tuple[dict[str, str], dict[str, str]]:
    """Canonical names of given columns: as the user says, else as they are called; and unsure."""
    said = dict(columns or {})
    found, unsure = columns_meant(frame, given, kind, said, words, wider)
    return said | {g: c for g, c in found.items() if c not in said.values()}, unsure


def _require_no_rival_values(
    frame: Any, rivals: Mapping[str, str], original: Mapping[str, str], kind: Noun
) -> None:
    """Refuse two columns of one name that differ in a unit, a datum or a remark, and in values."""
    for other, name in rivals.items():
        one = original[name]
        if kind[name].dtype not in ("float", "int") or bare_name(one) != bare_name(other):
            continue
        left, right = (
            pd.to_numeric(
                typed_column(frame[c], kind[name], unit_stated(c, kind[name])), errors="coerce"
            ).to_numpy(float)
            for c in (one, other)
        )
        if not np.allclose(left, right, rtol=1e-3, atol=1e-9, equal_nan=True):
            raise LayerError(
                f"has two columns for {label(name)}: {one!r} and {other!r}; which is meant",
                layer=kind.name,
                hint=f"pg.read_table(..., columns={{{one!r}: {name!r}}})",
                fault="unreadable",
            )


def _with_datum(frame: Any, datums: Mapping[str, str], kind: Noun, seen: Findings) -> Any:
    """The height system that headings state, as a column of its own."""
    if not datums or "datum" not in {c.name for c in kind.columns}:
        return frame
    if len(datums) > 1:
        raise LayerError(
            f"has heights in several systems: {', '.join(datums.values())}",
            layer=kind.name,
            hint="shift them to one system first",
            fault="unreadable",
        )
    code, stated = next(iter(datums.items()))
    if "datum" in frame.columns and not frame["datum"].dropna().eq(code).all():
        raise LayerError(
            f"has {stated!r} and another height system in its column datum",
            layer=kind.name,
            hint="correct one of them",
            fault="unreadable",
        )
    seen.add(
        "datum_stated",
        column="datum",
        stated=stated,
        datum=code_label("datum", code, lang=seen.lang),
    )
    return frame.assign(datum=code)


def _with_line(frame: Any, original: Mapping[str, str], kind: Noun, seen: Findings) -> Any:
    """Chainages in metres; the prefix of another line than K, which is kept as a column."""
    lines = pd.Series("", index=frame.index, dtype=object)
    for column in kind.columns:
        if column.dtype != "chainage" or column.name not in frame.columns:
            continue
        values = frame[column.name]
        unit = unit_stated(original.get(column.name, ""), column)
        prefix = (
            pd.Series("", index=frame.index)
            if pd.api.types.is_numeric_dtype(values)
            else values.map(lambda v: "" if pd.isna(v) else chainage_prefix(v))
        )
        frame[column.name] = chainages_in_metres(
            values, prefix, column.name, kind.name, unit.factor
        )
        if kind.name == "sections" and not unit.unit:
            _require_metres(frame, values, kind)
        some = values.notna().to_numpy()
        clash = some & (lines != "").to_numpy() & (lines != prefix).to_numpy()
        _require_one_line(frame, clash, "rows whose chainages are of two lines", kind)
        lines = lines.where(~some, prefix)
    if not (lines != "").any():
        return frame
    by = frame["river"].astype(object) if "river" in frame.columns else lines.map(lambda _: "")
    mixed = lines.groupby(by, dropna=False).transform("nunique").gt(1).to_numpy()
    _require_one_line(frame, mixed, "chainages of several lines (桩号冠号) on one river", kind)
    seen.add("line_kept", column="line", lines=", ".join(sorted(set(lines) - {""})))
    return frame.assign(line=lines.where(lines != "")) if "line" in column_names(kind) else frame


def _require_metres(frame: Any, written: pd.Series, kind: Noun) -> None:
    """Ask where bare numbers lay most sections of a river less than a metre apart."""
    plain = written.dropna().astype("str").str.strip()
    if not plain.map(lambda text: bool(BARE.fullmatch(text))).all():
        return
    by = frame["river"].astype(object) if "river" in frame.columns else np.zeros(len(frame))
    for _, at in frame["chainage_m"].groupby(by, dropna=False):
        gaps = np.diff(np.unique(at.dropna()))
        if len(gaps) > 1 and np.median(gaps) < NEAREST_M:
            raise ChainageError(
                f"has sections less than {NEAREST_M:g} m apart: are their chainages in km",
                layer=kind.name,
                ids=at.index[:5],
                hint="write the unit into the heading, 桩号(km) or 桩号(m), or chainages as K1+200",
                fault="unreadable",
            )


def _sum_increments(frame: Any, original: Mapping[str, str], kind: Noun, seen: Findings) -> Any:
    """Offsets of sections whose points say how far they are from the one before (间距)."""
    if kind.name != "sections" or bare_name(original.get("offset_m", "")) != "间距":
        return frame
    step = pd.to_numeric(frame["offset_m"], errors="coerce")
    if not {"river", "chainage_m"} <= set(frame.columns) or step.isna().any() or (step < 0).any():
        return frame  # a step back is none: these are offsets
    by = [frame["river"].astype(object), frame["chainage_m"]]
    seen.add("increments_summed", column="offset_m", stated=original["offset_m"])
    return frame.assign(offset_m=step.groupby(by, dropna=False).cumsum())


def _require_one_line(frame: Any, bad: Any, problem: str, kind: Noun) -> None:
    if bad.any():
        raise ChainageError(
            f"has {problem}",
            layer=kind.name,
            ids=frame.index[bad],
            hint="give each line a table of its own: chainages of two lines can't be compared",
            fault="unreadable",
        )
