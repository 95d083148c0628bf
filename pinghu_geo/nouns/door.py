"""Can this table be computed with? The one door that tables of public functions come in by.

Whatever a notebook makes of a table, the functions behind the door see one kind of it: rivers,
groups and payers as text, numbers as floats, words as codes, ids that are unique and unnamed like
no column, one active geometry called ``geometry`` in two dimensions. What is clean already is
handed on as it is, uncopied; what can't be cleaned is refused with its rows; and nothing that was
given is ever changed.
"""

from __future__ import annotations

import inspect
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache, wraps
from numbers import Real
from typing import Any, NamedTuple, ParamSpec, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pinghu_geo.nouns.columns import Column, Noun
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.kinds import NOUNS
from pinghu_geo.nouns.notices import noticed_once
from pinghu_geo.nouns.numerals import numbers_written
from pinghu_geo.nouns.schema import canonical_codes, label, name_of, nearest
from pinghu_geo.nouns.units import UNITS, require_one_datum

__all__ = [
    "BY_KEY",
    "EXACT",
    "TRUTH",
    "as_text",
    "chainage_of_m",
    "clean",
    "columns_once",
    "excel_day",
    "ids_as_text",
    "plain_dates",
    "require_known_nodes",
    "require_known_rows",
    "require_number",
    "require_some_nodes",
    "same_ids",
    "takes",
    "with_ids_as_column",
    "with_named_ids",
    "with_shapes",
]

P = ParamSpec("P")
T = TypeVar("T")

# What a parameter of this name holds, wherever it occurs; `takes` names the rest.
PARAMETERS = {
    name: name
    for name in (
        "affected", "banks", "buildings", "design", "evidence", "flows", "junctions", "locks",
        "nodes", "junctions", "obstacles", "parcels", "structure_parts", "structures",
        "profile", "rates", "red_line", "rivers", "sections", "segments", "structures",
        "structure_parts", "walls", "widths", "zones",
    )
} | {
    "new_rivers": "rivers", "features": "features", "downstream": "boundaries",
    "upstream": "boundaries", "downstream_after": "boundaries", "bed": "sections",
}  # fmt: skip
# Of these, an empty text is none; no scheme and no profile are the empty text.
NEVER_BLANK = ("river", "joins", "group", "payer")
# A mapping whose keys are names of parameters.
BY_KEY = "by key"
# Centrelines, or a table of the stretches along them.
WORKS = "works"
# Tables that carry a delivery's own columns along: what the called function doesn't read may be
# anything, and whoever reads it refuses it.
CARRIERS = ("buildings", "parcels", "features", "affected", "rivers", "zones", "nodes", "evidence")
# Results whose tables come in by the door, too, wherever a user has worked on them.
PARTS: Mapping[str, Mapping[str, str]] = {
    "CampaignTasks": {"buildings": "affected", "nodes": "nodes", "tenants": "tenants"},
    "WorkingFaces": {"stretches": "activities", "receipts": "activities"},
    "Schedule": {"activities": "activities", "nodes": "nodes"},
    "Campaign": {"tasks": "", "plan": "", "replan": "", "faces": "", "rivers": "rivers"},
}
# Nouns that are nothing without their shapes; buildings may come as a list of them.
LAYERS = ("rivers", "red_line", "zones", "parcels")
# Words of which deliveries have their own: `check` names them, and who reads them judges them.
OPEN_CODES = ("use", "structure", "title", "tenure", "status", "kind", "stage")
# Texts by which rows of different tables find each other; blanks at their ends are never meant.
NAMES = ("river", "joins", "scheme", "profile", "group", "payer", "piece", "wall")
# Ids of these stand in a text column of other tables, and so are texts themselves.
NAMED_BY_TEXT = ("rivers", "nodes")
# What ids are called: a layer of parcels goes where buildings go, and stays one of parcels.
ID_NAMES = frozenset(n.index for n in NOUNS.values() if n.index) - {"river"}
# M values may differ from the drawn length by this [m]: older surveys round to decimetres.
M_TOLERANCE_M = 1.0
# Whole numbers up to here are exact as floats.
EXACT = 2**53
# A stretch or a limit may reach as far as there is anything; nothing else is without an end.
ENDLESS = ("from_m", "to_m", "least_m", "most_m")
# Annotations of parameters that take tables and nothing else.
ONLY_TABLES = ("pd.DataFrame", "pd.DataFrame | None")
# And of those that are never left out.
A_TABLE = ("pd.DataFrame", "gpd.GeoDataFrame")
# How a parameter that is one number is annotated.
ONE_NUMBER = ("float", "float | None")
# Numbers below which there is nothing: lengths, shares, coefficients.
NOT_BELOW_0 = {
    "allowed_mm", "arc_step_deg", "contraction", "expansion", "least_ratio", "sigma_m",
    "survey_tolerance_m", "target_rise_m", "tolerance_m",
}  # fmt: skip
# And above which there is nothing either: shares of a whole, in percent by mistake.
NOT_ABOVE_1 = {"least_ratio"}
# Days as Excel counts them: the first is 0, and these are those of 2000 to 2049.
EXCEL_ORIGIN, SERIAL = pd.Timestamp("1899-12-30"), (36526, 54789)
TRUTH = dict.fromkeys(("是", "true", "1", "1.0", "yes", "y", "√", "达标", "合格"), True)
TRUTH |= dict.fromkeys(("否", "false", "0", "0.0", "no", "n", "×", "不达标", "不合格"), False)


class _TableForm(NamedTuple):
    """What a table of one noun has to look like."""

    columns: Mapping[str, Column]
    strict: frozenset[str]  # columns whose every value has to be one
    id_name: str | None
    is_layer: bool


@cache
def _form_of_noun(what: str) -> _TableForm:
    """Columns of a noun, and of whatever is carried along with it."""
    base: Noun | None = NOUNS.get(what)
    columns = {} if base is None else {c.name: c for c in base.columns}
    carried = {
        "affected": ("buildings", "campaign"), "activities": ("campaign",), "nodes": ("campaign",),
        "features": ("affected", "buildings", "parcels"),
    }  # fmt: skip
    for other in carried.get(what, ()):
        columns |= {c.name: c for c in NOUNS[other].columns if c.name not in columns}
    own = set() if base is None or what in ("buildings", "parcels", "rivers") else set(columns)
    if base is not None and what in CARRIERS:
        own &= {c.name for c in base.columns}
    if what == "rivers":
        own = {"chainage_sign"}  # where a river's chainages go is never a matter of course
    index = "building_id" if base is None else base.index
    shapes = base is None or bool(base.geometry)
    return _TableForm(columns, frozenset(own - set(OPEN_CODES)), index, shapes and what != "nodes")


# --- the decorator ----------------------------------------------------------------------------


def takes(**tables: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let the tables of a function in by the door 数据表入口.

    Parameters
    ----------
    tables
        What a parameter holds, where its name doesn't say so (`PARAMETERS`): a noun, or
        ``"features"``, or ``"works"`` for centrelines or a table of stretches along them, or
        ``"by key"`` for a mapping from names of parameters to tables. Any other mapping is
        cleaned table by table.

    Returns
    -------
    Callable
        Decorator; the function behind it sees clean tables only.
    """

    def wrap(function: Callable[P, T]) -> Callable[P, T]:
        names = list(inspect.signature(function).parameters)
        nouns = {n: tables.get(n, PARAMETERS.get(n, "")) for n in names}
        said = inspect.get_annotations(function)
        parts = {n for n in names if any(p in str(said.get(n, "")) for p in PARTS)}
        wanted = [(k, n, nouns[n]) for k, n in enumerate(names) if nouns[n] or n in parts]
        only = {n for n in names if nouns[n] and str(said.get(n)) in ONLY_TABLES}
        usual = inspect.signature(function).parameters
        needed = {
            n
            for n in names
            if said.get(n) in A_TABLE and usual[n].default is inspect.Parameter.empty
        }
        single = [
            (k, n, usual[n].default) for k, n in enumerate(names) if said.get(n) in ONE_NUMBER
        ]
        # the wrapper below has the globals of the function's own module
        let_in, agree, be_table = _cleaned_argument, _require_agreeing_datums, _require_table
        be_number, once = require_number, noticed_once

        def through_the_door(*args: P.args, **kwargs: P.kwargs) -> T:
            given = list(args)
            tables = {}
            for place, name, what in wanted:
                if place < len(given):
                    tables[name] = given[place] = let_in(given[place], what, name)
                elif name in kwargs:
                    tables[name] = kwargs[name] = let_in(kwargs[name], what, name)
                if name in only or (name in needed and name in tables):
                    be_table(tables.get(name), what, name, needed=name in needed)
            agree(tables)
            for place, name, default in single:
                if place < len(given):
                    be_number(given[place], name, default)
                elif name in kwargs:
                    be_number(kwargs[name], name, default)
            return once(function, *given, **kwargs)  # type: ignore[arg-type]

        # doctest takes a function for the module's own by its globals, so they stay
        own: Any = types.FunctionType(
            through_the_door.__code__,
            function.__globals__,
            function.__name__,
            None,
            through_the_door.__closure__,
        )
        wrapped: Callable[P, T] = wraps(function)(own)
        return wrapped

    return wrap


def _require_table(value: Any, what: str, layer: str, *, needed: bool = False) -> None:
    """Refuse what is no table where nothing else is taken, and None where it is needed."""
    if hasattr(value, "columns") or isinstance(value, Mapping) or (value is None and not needed):
        return
    hint = f'{layer} = pg.read_table("{layer}.csv", "{what}")'
    if _form_of_noun(what).is_layer:
        hint = f'{layer} = pg.read_layer("{layer}.shp", "{_example_noun(what)}")'
    raise LayerError(f"is no table but {type(value).__name__}", layer=layer, hint=hint)


def require_number(value: Any, name: str, usual: Any = inspect.Parameter.empty) -> None:
    """Refuse what is no number where one is computed with (a text, NaN of a blank cell)."""
    if value is None and usual is None:
        return
    number = isinstance(value, Real | Decimal) and not isinstance(value, bool | np.bool_)
    if not number or math.isnan(value):
        raise LayerError(
            f"{name}={value!r} is no number",
            hint=f"{name}={usual}"
            if isinstance(usual, int | float)
            else f"give {name} as a number",
        )
    if value < 0 and name in NOT_BELOW_0:
        raise LayerError(
            f"{name}={value!r} is below 0",
            hint=f"{name}={usual}" if isinstance(usual, int | float) else f"{name}=0.0",
        )
    if value > 1 and name in NOT_ABOVE_1:
        raise LayerError(
            f"{name}={value!r} is a share above 1",
            hint=f"{name}={value / 100:g}" if value <= 100 else f"{name}={usual}",
        )


def _require_agreeing_datums(tables: Mapping[str, Any]) -> None:
    """Refuse heights of one call that are stated above different datums."""
    require_one_datum({k: t for k, t in tables.items() if isinstance(t, pd.DataFrame)})


def _cleaned_argument(value: Any, what: str, layer: str) -> Any:
    """A table, or every table of a mapping, cleaned; anything else as it is."""
    if (parts := PARTS.get(type(value).__name__)) is not None:
        return _parts_let_in(value, parts, layer)
    if not what:
        return value
    if what == WORKS:
        what = "rivers" if isinstance(value, gpd.GeoDataFrame) else "segments"
    if what == "features" and isinstance(value, pd.DataFrame):
        floors = {"floors", "floor_area_m2"} & set(value.columns.get_level_values(0))
        # as the user knows them: buildings, parcels
        layer = name_of(value, "buildings" if floors else layer)
    if isinstance(value, pd.DataFrame):
        return clean(value, what, layer)
    if isinstance(value, Mapping):
        nouns = {k: PARAMETERS.get(k, "") if what == BY_KEY else what for k in value}
        neat = {
            k: clean(v, nouns[k], layer)
            for k, v in value.items()
            if nouns[k] and isinstance(v, pd.DataFrame)
        }
        return {**value, **neat} if neat else value
    if _form_of_noun(what).is_layer and value is not None and not hasattr(value, "columns"):
        raise LayerError(
            f"is no table but {type(value).__name__}",
            layer=layer,
            hint=f'{layer} = pg.read_layer("{layer}.shp", "{_example_noun(what)}")',
        )
    return value


def _parts_let_in(value: Any, parts: Mapping[str, str], layer: str) -> Any:
    """A result whose tables are clean; itself where they are."""
    given = {n: getattr(value, n) for n in parts}
    own = layer in ("tasks", "campaign")  # whose parts are named as people know them
    neat = {n: _cleaned_argument(t, parts[n], n if own else layer) for n, t in given.items()}
    if {"buildings", "nodes"} <= set(neat) and "node_id" in neat["buildings"]:
        require_known_nodes(neat["buildings"], neat["nodes"])
    changed = {n: t for n, t in neat.items() if t is not given[n]}
    return replace(value, **changed) if changed else value


def require_known_nodes(buildings: pd.DataFrame, nodes: pd.DataFrame) -> None:
    """Refuse nodes that lack some of those that buildings are of 房屋所属节点须在节点表中."""
    wanted = buildings["node_id"].dropna().unique()
    if lost := [n for n in wanted if n not in nodes.index]:
        raise LayerError(
            "lacks nodes that buildings are of",
            layer="nodes",
            ids=lost,
            hint="both tables from one campaign_tasks(...)",
        )


def require_some_nodes(wanted: pd.Index, known: pd.Index, layer: str) -> None:
    """Refuse a table with none of the nodes wanted 节点编号须相符: all would be blank."""
    if len(wanted) and not wanted.isin(known).any():
        raise LayerError(
            "has none of the nodes that buildings are of",
            layer=layer,
            ids=wanted.unique(),
            hint="both tables from one campaign_tasks(...)",
        )


def require_known_rows(
    rows: pd.DataFrame, known: Any, layer: str, problem: str = "have no state"
) -> None:
    """Refuse rows that another table doesn't know, whose state would read 未启动 行须在状态表中."""
    lost = ~np.asarray(known, bool)
    if lost.any():
        raise LayerError(
            problem, layer=layer, ids=rows.index[lost],
            hint="buildings, tenants and nodes from one campaign_tasks(...), and "
            "pg.progress_state(log, buildings, tenants=tenants) of these very tables",
        )  # fmt: skip


def _example_noun(what: str) -> str:
    return what if what in NOUNS else "buildings"


# --- one table --------------------------------------------------------------------------------


def clean(frame: Any, what: str, layer: str = "") -> Any:
    """The table in the types of its noun; itself where it has them 规整数据表.

    Parameters
    ----------
    frame
        DataFrame or GeoDataFrame.
    what
        Its noun, or ``"features"`` for any layer of things beside a river.
    layer
        Its name in messages; by default the noun.

    Returns
    -------
    pandas.DataFrame or geopandas.GeoDataFrame
        On the same ids in the same order, a table without ids on a running number where its
        index had twins. Text columns are text, codes are codes, numbers are floats (whole
        numbers of a count may stay integers), yes and no are boolean with NA, dates are dates.
        The active geometry is called ``geometry``; another column of that name is called
        ``geometry_other``.

    Raises
    ------
    LayerError
        A column occurs twice; a row has no id; a value can't be what its column holds.

    Examples
    --------
    >>> widths = pd.DataFrame({"river": pd.Categorical([1]), "chainage_m": ["12.5"],
    ...                        "left_m": 7, "right_m": [None]})
    >>> clean(widths, "widths").dtypes.astype(str).tolist()
    ['str', 'float64', 'float64', 'float64']
    """
    layer = layer or what
    wear = _form_of_noun(what)
    frame = columns_once(frame, layer)
    frame = _with_clean_index(frame, wear, what, layer)
    if wear.is_layer or _has_renamed_geometry(frame):
        frame = _with_one_geometry(frame, what, layer)
    changed = {}
    for name in frame.columns:
        if isinstance(name, str) and (column := wear.columns.get(name)) is not None:
            values = frame[name]
            better = _typed_values(values, column, layer, strict=name in wear.strict)
            if better is not values:
                changed[name] = better
    return frame.assign(**changed) if changed else frame


def columns_once(frame: Any, layer: str) -> Any:
    """Refuse columns in several levels or of one name; plain names for categorical ones."""
    if frame.columns.nlevels > 1:
        raise LayerError(
            "has columns in several levels",
            layer=layer,
            hint=f"{layer}.columns = {layer}.columns.get_level_values(0)",
        )
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()].unique()
        raise LayerError(
            "has several columns of one name",
            layer=layer,
            ids=twice,
            hint=f"{layer} = {layer}.loc[:, ~{layer}.columns.duplicated()]  # if that is right",
        )
    if isinstance(frame.columns, pd.CategoricalIndex):
        frame = frame.set_axis(frame.columns.astype(object), axis=1)
    return frame


def with_ids_as_column(frame: Any) -> Any:
    """The table with its named ids as its first column; ``_id`` behind a name that is taken."""
    name = frame.index.name
    if name is None:
        return frame
    while name in frame.columns:
        name = f"{name}_id"
    return frame.rename_axis(name).reset_index()


def _with_clean_index(frame: Any, wear: _TableForm, what: str, layer: str) -> Any:
    """The table with ids that people would recognise, under a name that is no column's."""
    index = frame.index
    if wear.id_name is None:
        levels = [n for n in index.names if n in wear.columns and n not in frame.columns]
        if levels:  # indexed by what are columns of its noun
            frame = frame.reset_index(level=levels)
            index = frame.index
        if index.nlevels > 1 or not index.is_unique or index.hasnans:
            return frame.reset_index(drop=True)
    elif index.nlevels > 1:
        raise LayerError(
            f"has ids of several levels: {', '.join(map(str, index.names))}",
            layer=layer,
            hint=f"{layer} = {layer}.set_axis"
            f'({layer}.index.map(lambda ids: "-".join(map(str, ids))))',
        )
    ids = _readable_ids(index, layer, to_text=what in NAMED_BY_TEXT)
    name = index.name
    clash = name in frame.columns or (name in _column_names() and name not in ID_NAMES)
    if name is not None and name != wear.id_name and clash:
        name = wear.id_name
    if name is not None and name in frame.columns:
        name = None
    if ids is index and name is index.name:
        return frame
    return frame.set_axis(ids.rename(name))


@cache
def _column_names() -> frozenset[str]:
    """Names that are some noun's column: ids under one of them would be shown as such."""
    return frozenset(c.name for noun in NOUNS.values() for c in noun.columns)


def _readable_ids(index: pd.Index, layer: str, *, to_text: bool) -> pd.Index:
    """Ids as people read them: whole numbers or texts, never 1.0; the index itself if so."""
    if index.hasnans:
        raise LayerError(
            "has rows without an id "
            f"(rows {', '.join(_first_as_text(np.flatnonzero(index.isna()) + 1))})",
            layer=layer,
            hint=f"{layer} = {layer}[{layer}.index.notna()]",
        )
    kind = index.dtype
    if isinstance(kind, pd.CategoricalDtype):
        index = index.astype(kind.categories.dtype)
        kind = index.dtype
    if pd.api.types.is_numeric_dtype(kind) and not isinstance(kind, np.dtype):
        index = index.astype(float if pd.api.types.is_float_dtype(kind) else np.int64)
    if pd.api.types.is_float_dtype(index.dtype):
        values = index.to_numpy()
        whole = np.isfinite(values).all() and (values == np.round(values)).all()
        index = index.astype(np.int64) if whole else index
    elif index.dtype == object:
        inside = pd.api.types.infer_dtype(index)
        index = index.astype(np.int64) if inside == "integer" else index
        to_text |= inside not in ("integer", "string")
    elif not isinstance(index.dtype, np.dtype) and index.dtype.name != "str":
        to_text = True
    if not to_text:
        return index
    words = as_text(pd.Series(index), strip=True)
    same = index.dtype == "str" and words.equals(pd.Series(index))
    return index if same else pd.Index(words, name=index.name)


def same_ids(index: pd.Index, others: pd.Index) -> pd.Index:
    """An index in the ids of another one: what reads the same is the same, 7 and "7"."""
    if index.dtype == others.dtype:
        return index
    known = dict(zip(as_text(pd.Series(others), strip=True), others, strict=True))
    words = as_text(pd.Series(index), strip=True)
    ids: pd.Index = pd.Index(
        [known.get(word, own) for word, own in zip(words, index, strict=True)], name=index.name
    )
    return ids


def _first_as_text(values: Any) -> list[str]:
    return [str(v) for v in values[:5]]


# --- geometry ---------------------------------------------------------------------------------


def _has_renamed_geometry(frame: Any) -> bool:
    """Whether a table that needs no shapes carries some, under a name that isn't ``geometry``."""
    name = frame.active_geometry_name if isinstance(frame, gpd.GeoDataFrame) else None
    return name not in (None, "geometry") and name in frame.columns


def _with_one_geometry(frame: Any, what: str, layer: str) -> Any:
    """The layer with one active geometry, called geometry, in a CRS of the plane."""
    if not isinstance(frame, gpd.GeoDataFrame) and what not in LAYERS and what != "features":
        return frame
    frame = with_shapes(frame, layer)
    if frame.geometry.name != "geometry":
        if "geometry" in frame.columns:
            frame = frame.rename(columns={"geometry": "geometry_other"})
        frame = frame.rename_geometry("geometry")
    flat = _plane_crs(frame.crs)
    if flat is not frame.crs:
        frame = frame.set_crs(flat, allow_override=True)
    stated = "start_m" in frame.columns  # goes before what a digitiser left in the line
    if what == "rivers" and not stated and shapely.has_m(frame.geometry.to_numpy()).any():
        start, sign, misfit = chainage_of_m(frame.geometry.to_numpy())
        if misfit.any():
            raise LayerError(
                "has M values that don't run with the length of the line",
                layer=layer,
                ids=frame.index[misfit],
                hint=f"{layer} = {layer}.set_geometry({layer}.geometry.force_2d())  # and "
                "state start_m, chainage_sign and equations (断链)",
            )
        values = {"start_m": start, "chainage_sign": sign}
        frame = frame.assign(**{n: v for n, v in values.items() if n not in frame.columns})
    return frame


def _plane_crs(crs: Any) -> Any:
    """The horizontal part of a compound or 3-D CRS; the CRS itself where it is plane."""
    if crs is None:
        return None
    if crs.is_compound and crs.sub_crs_list:
        crs = crs.sub_crs_list[0]
    return crs.to_2d() if len(crs.axis_info) > 2 else crs


def with_shapes(frame: Any, layer: str) -> Any:
    """The layer itself, if it has one active geometry and no column twice 图层须有图形.

    For functions that hand a layer's rows on as they are and look at its shapes only.
    """
    if not isinstance(frame, pd.DataFrame):
        raise LayerError(
            f"is no layer but {type(frame).__name__}",
            layer=layer,
            hint=f'{layer} = pg.read_layer("{layer}.shp", "buildings")',
        )
    frame = columns_once(frame, layer)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise LayerError(
            "is a table without geometry",
            layer=layer,
            hint=f'{layer} = gpd.GeoDataFrame({layer}, geometry="geometry", crs=4547)  # or '
            "the code of the survey",
        )
    active = frame.active_geometry_name
    if active is None or active not in frame.columns:
        have = [c for c in frame.columns if isinstance(frame[c].dtype, gpd.array.GeometryDtype)]
        raise LayerError(
            "has no active geometry"
            + (f"; geometries stand in {', '.join(map(str, have))}" if have else ""),
            layer=layer,
            hint=f'{layer} = {layer}.set_geometry("{have[0] if have else "geometry"}")',
        )
    return frame


def with_named_ids(frame: Any, what: str) -> Any:
    """The table with its ids under their noun's name, unless someone named them well 编号列名.

    Parcels go where buildings go, and stay parcels; any other noun's name for ids was left over.
    """
    name, own = NOUNS[what].index, frame.index.name
    kept = {name, *(("parcel_id",) if what in ("buildings", "affected") else ())}
    strange = own is None or (own in ID_NAMES and own not in kept)
    bare = strange and name is not None and name not in frame.columns
    return frame.rename_axis(name) if bare else frame


def chainage_of_m(
    lines: Any,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Start and direction of chainage from the M values of lines; NaN where they have none.

    The last array marks M that doesn't run with the length: no chainage that a river can hold.
    M that is one number or NaN throughout is what software fills in where nobody measured.
    """
    start, sign = np.full(len(lines), np.nan), np.full(len(lines), np.nan)
    misfit = np.zeros(len(lines), bool)
    for k in np.flatnonzero(shapely.has_m(lines)):
        x, y, m = shapely.get_coordinates(lines[k], include_m=True).T
        if np.isnan(m).all() or (m == m[0]).all():
            continue
        along = np.append(0.0, np.cumsum(np.hypot(np.diff(x), np.diff(y))))
        way = 1.0 if m[-1] >= m[0] else -1.0
        misfit[k] = np.isnan(m).any() or np.abs(m - m[0] - way * along).max() > M_TOLERANCE_M
        if not misfit[k]:
            start[k], sign[k] = m[0], way
    return start, sign, misfit


# --- values -----------------------------------------------------------------------------------


def _typed_values(values: pd.Series, column: Column, layer: str, *, strict: bool) -> pd.Series:
    """A column in its type: itself where it is; as it is where it can't be and needn't be."""
    kind = column.dtype
    if kind == "text":
        text = as_text(values, strip=column.name in NAMES)
        blank = text.dropna().unique() == "" if column.name in NEVER_BLANK else np.False_
        return text.where(text != "") if blank.any() else text
    if kind == "code":
        return _words_as_codes(values, column, layer, strict=strict)
    if kind == "chainage" and layer == "rivers":  # K12+669 is read where the river is laid out
        return values
    if kind in ("bool", "date"):
        better, lost = (_truths_and_lost if kind == "bool" else _dates_and_lost)(values)
    elif kind == "int" and isinstance(values.dtype, np.dtype) and values.dtype.kind == "i":
        return values
    else:
        better, lost = _numbers_and_lost(values, column.unit)
    if kind in ("float", "int", "chainage") and column.name not in ENDLESS:
        lost = lost | _is_infinite(better)
    if not np.any(lost):
        return better
    if not strict:
        return values
    raise _misfit_error(values, lost, column, layer)


def _is_infinite(values: pd.Series) -> Any:
    """Which numbers have no end, as a division by 0 leaves them."""
    plain = values.to_numpy()
    return np.isinf(plain) if plain.dtype.kind == "f" else np.False_


def _misfit_error(values: pd.Series, lost: Any, column: Column, layer: str) -> LayerError:
    """What is to be said of values that can't be what their column holds."""
    name, word = column.name, values[lost].iloc[0]
    place = f"{name} ({label(name)})"
    cell = f'{layer}["{name}"]'
    if column.dtype == "date" and (day := excel_day(word)) is not None:
        return LayerError(
            f"has dates as Excel's numbers of days: {word} would be {day:%Y-%m-%d}",
            layer=layer,
            ids=values.index[lost],
            hint=f'{cell} = pd.to_datetime({cell}, unit="D", origin="1899-12-30")'
            "  # or format the column as a date before saving",
        )
    if isinstance(word, float | np.floating) and np.isinf(word):
        return LayerError(
            f"has numbers without end, such as {word:g}, in {place}",
            layer=layer,
            ids=values.index[lost],
            hint=f'{cell} = {cell}.replace([float("inf"), float("-inf")], float("nan"))',
        )
    said, hint = {
        "bool": (
            f"has {word!r} in {place}, which is neither yes nor no",
            'pg.read_table(..., "evidence") reads 是 and 否; leave blank what is not known',
        ),
        "date": (
            f"has {word!r} in {place}, which is no date",
            "write 2018-03-01 or 2018年3月1日, or count it as unknown: "
            f'{cell} = pd.to_datetime({cell}, errors="coerce")',
        ),
        "chainage": (
            f"has texts such as {word!r} in {place}",
            f"{cell} = {cell}.map(pg.parse_chainage)",
        ),
    }.get(
        column.dtype,
        (
            f"has {'texts' if isinstance(word, str) else 'values'} such as {word!r} in {place}",
            "correct them, or count them as unknown: "
            f'{cell} = pd.to_numeric({cell}, errors="coerce")',
        ),
    )
    return LayerError(said, layer=layer, ids=values.index[lost], hint=hint)


def excel_day(value: Any) -> pd.Timestamp | None:
    """The day of 2000 to 2049 that a number is as Excel counts days; None where it is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not SERIAL[0] <= number <= SERIAL[1]:
        return None
    return EXCEL_ORIGIN + pd.Timedelta(days=int(number))


def as_text(values: pd.Series, *, strip: bool = False) -> pd.Series:
    """Names as text: a whole number has no decimals; blanks at the ends go where names match."""
    if values.dtype != "str":
        if isinstance(values.dtype, pd.CategoricalDtype):
            words = as_text(pd.Series(values.cat.categories, dtype=values.cat.categories.dtype))
            codes = values.cat.codes.to_numpy()
            taken = words.to_numpy(object)[codes] if len(words) else np.full(len(values), None)
            plain = pd.Series(taken, values.index, name=values.name)
            values = plain.where(codes >= 0).astype("str")
        elif pd.api.types.is_numeric_dtype(values.dtype) or values.dtype == object:
            plain = values.astype(object)
            values = (
                plain.map(_value_as_text, na_action="ignore").where(values.notna()).astype("str")
            )
        else:
            values = values.astype("str").where(values.notna())
    if not strip:
        return values
    known = values.dropna().unique()
    cure = {w: w.strip() for w in known if w != w.strip()}
    return values.replace(cure) if cure else values


def ids_as_text(index: pd.Index) -> pd.Index:
    """Ids as people read them, which is how reports and papers name them."""
    words: pd.Index = pd.Index(as_text(pd.Series(index.to_numpy()), strip=True))
    return words


def _value_as_text(value: Any) -> str:
    """One value as people read it."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.floating | Decimal) and value == value // 1 < EXACT:
        return str(int(value))
    return str(value)


def _words_as_codes(values: pd.Series, column: Column, layer: str, *, strict: bool) -> pd.Series:
    """Words as codes; a word that is none is refused by row with the nearest."""
    words = values.dropna().unique()
    if values.dtype == "str" and all(w in column.codes for w in words):
        return values
    found = canonical_codes(as_text(values), column)
    found = found.where(found.str.strip() != "")
    lost = ~found.isin(column.codes) & found.notna()
    if strict and lost.any():
        word = str(found[lost].iloc[0])
        known = {w: c for c, all_words in column.codes.items() for w in (c, *all_words)}
        raise LayerError(
            f"has unknown words for {column.name} ({column.zh}), such as {word!r}",
            layer=layer,
            ids=values.index[lost],
            hint=_hint_for_word(word, known, column),
        )
    return found


def _hint_for_word(word: str, known: Mapping[str, str], column: Column) -> str:
    said = nearest(word.strip().lower(), known)
    return said if said.startswith("did") else f"use one of {', '.join(column.codes)}"


def _numbers_and_lost(values: pd.Series, unit: str) -> tuple[pd.Series, Any]:
    """Numbers as floats, and which are none."""
    kind = values.dtype
    if kind == np.float64:
        return values, np.False_
    if isinstance(kind, np.dtype) and kind.kind in "iufb":
        return values.astype(float), np.False_
    if isinstance(kind, np.dtype) and kind.kind in "mMc":
        lost = values.notna().to_numpy()
        # days without a day in them are unknown numbers
        return (values if lost.any() else pd.Series(np.nan, values.index, name=values.name)), lost
    if pd.api.types.is_numeric_dtype(kind) and not isinstance(kind, pd.CategoricalDtype):
        known = values.to_numpy(float, na_value=np.nan)
        return pd.Series(known, values.index, name=values.name), np.False_
    plain = pd.Series(np.asarray(values, object), values.index, name=values.name)
    read = numbers_written(plain, UNITS.get(unit))
    if read.dtype == float:
        return read, np.False_
    number = pd.to_numeric(read, errors="coerce").astype(float)
    word = read.map(lambda v: not isinstance(v, float)).to_numpy(bool)
    return number, word & values.notna().to_numpy()


def _truths_and_lost(values: pd.Series) -> tuple[pd.Series, Any]:
    """Yes and no as they are written, and which are neither."""
    if values.dtype in (bool, "boolean"):
        return values, np.False_
    words = as_text(values).str.strip().str.lower()
    words = words.where(values.notna() & (words != ""))
    truth = words.map(TRUTH)
    return truth.astype("boolean"), (truth.isna() & words.notna()).to_numpy()


def _dates_and_lost(values: pd.Series) -> tuple[pd.Series, Any]:
    """Dates, and which are none."""
    if pd.api.types.is_datetime64_dtype(values.dtype):
        return values, np.False_
    if pd.api.types.is_numeric_dtype(values.dtype) and values.notna().any():
        return values, values.notna().to_numpy()
    text = values.astype(object).where(values.notna())
    text = text.map(lambda v: v.strip() or None if isinstance(v, str) else v)
    written = text.map(lambda v: isinstance(v, str)).to_numpy(bool)
    dates = pd.to_datetime(text.mask(written), errors="coerce").astype("datetime64[us]")
    if written.any():
        dates = dates.where(~written, plain_dates(text.where(written)))
    return dates, (dates.isna() & text.notna()).to_numpy()


def plain_dates(texts: pd.Series) -> pd.Series:
    """Dates that are written with the year first, in the ways people do; NaT for all others."""
    text = texts.astype("str").str.strip()
    text = text.str.replace(r"[T ]\d\d:\d\d.*$", "", regex=True)
    text = text.str.replace("年", "-").str.replace("月", "-").str.replace("日", "")
    text = text.str.replace(r"[/.]", "-", regex=True)
    plain = text.str.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}").fillna(False).astype(bool)
    eight = text.str.fullmatch(r"(19|20)\d{6}").fillna(False).astype(bool)
    text = text.where(~eight, text.str[:4] + "-" + text.str[4:6] + "-" + text.str[6:])
    found = pd.to_datetime(text.where(plain | eight), errors="coerce", format="%Y-%m-%d")
    return found.astype("datetime64[us]")  # in which 9999-12-31, for ever, is a date
