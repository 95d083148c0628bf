"""What are the nouns? The columns of every table, as data: type, unit, 中文, aliases, range.

Whatever names a delivery uses, the rest of the library sees only the names in this module, and
whatever the library shows to people, it takes the Chinese words from here.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from pyproj.exceptions import ProjError

from pinghu_geo.nouns.codes import OWN
from pinghu_geo.nouns.columns import Column, Noun
from pinghu_geo.nouns.errors import CRSError, LayerError
from pinghu_geo.nouns.kinds import NOUNS
from pinghu_geo.nouns.units import BRACKETS, UNIT_WORDS
from pinghu_geo.nouns.words import initials, meanings, unnumbered, value_meant

__all__ = ["NOUNS", "Column", "Noun", "canonical_codes", "label", "match_columns", "noun"]

# Fields of a .dbf hold 10 bytes of a name: 5 Chinese characters in GBK, 3 in UTF-8.
DBF_NAME_BYTES = 10
# Names whose folds are remembered: each is asked for again by every noun and every row of headings.
REMEMBERED = 10_000

Lang = Literal["zh", "en"]
# Units in English; what is counted is said by the column's name already.
UNITS_EN = dict.fromkeys(("栋", "支", "个", "户", "层", "宗", "间"), "") | {
    "m/天": "m/day", "栋/天": "buildings/day", "元": "yuan", "元/m": "yuan/m", "元/m²": "yuan/m²",
    "元/cm": "yuan/cm", "天": "days", "工作日": "working days",
}  # fmt: skip
# columns that list ids or words
LISTS = {"blocked_by", "late_nodes", "nodes"}
# columns that list codes, and what stands between them
CODE_LISTS = {"doubts": ",", "control": "+", "method": "+"}
# the class of low flow behind the ways through a bridge, in the words of HEC-RAS
FLOW_CLASS = re.compile(r"(?P<ways>.+) (?P<kind>[ABC])")
CLASS_SAID = re.compile(r"\s*[((](?:class )?(?P<kind>[ABC])(?:类水流)?[))]$")
# columns of names among which a word of ours stands
PAYERS = {"cleared_by", "payer"}
# words of ours that stand in a column of names
OWN_WORDS = {OWN: "this project"}


def noun(name: str) -> Noun:
    """Look a noun up by its name; an unknown one gets the nearest."""
    if name not in NOUNS:
        raise LayerError(f"{name!r} is no kind of table", hint=nearest(name, NOUNS))
    return NOUNS[name]


def nearest(word: object, words: Iterable[str]) -> str:
    """Say which of the words was probably meant, several where none is nearer, or list them."""
    known = list(words)
    close = difflib.get_close_matches(str(word), known, n=3, cutoff=0.6)
    if not close:
        return f"use one of {', '.join(known)}"
    alike = [difflib.SequenceMatcher(a=one, b=str(word)).ratio() for one in close]
    equals = [repr(one) for one, near in zip(close, alike, strict=True) if near == alike[0]]
    return f"did you mean {' / '.join(equals)}?"


@cache
def label(column: str, *, lang: Lang = "zh", unit: bool = True, noun: str | None = None) -> str:
    """Heading of a column for people 字段标签.

    Parameters
    ----------
    column
        Canonical name; an unknown one is returned as it is.
    lang
        ``"zh"`` or ``"en"``.
    unit
        Whether the unit follows in brackets.
    noun
        Table that the column stands in, where several have one of its name.

    Returns
    -------
    str
        The heading.

    Examples
    --------
    >>> label("floor_area_m2"), label("floor_area_m2", lang="en")
    ('建筑面积 (m²)', 'floor area (m²)')
    >>> label("kind"), label("kind", noun="zones")
    ('线型', '项目类型')
    """
    found = _column_shown(column, noun)
    if found is None:
        return column
    said = unit_of(column, lang=lang, noun=noun) if unit else ""
    tail = f" ({said})" if said else ""
    if lang == "en":
        if found.en:
            return found.en + tail
        # a number of something, but n of the bottom
        bare = column.removeprefix("n_") if found.dtype == "int" else column
        bare = re.sub(r"_(m2|m|mm|ms|yuan|m3s|ratio)$", "", bare)
        return bare.replace("_", " ") + tail
    return found.zh + tail


@cache
def unit_of(column: str, *, lang: Lang = "zh", noun: str | None = None) -> str:
    """Unit of a column's values for people, or an empty text; arguments as `label` has them."""
    found = _column_shown(column, noun)
    # a chainage is shown as K1+234, which says its unit itself
    if found is None or found.dtype == "chainage":
        return ""
    return found.unit if lang == "zh" else UNITS_EN.get(found.unit, found.unit)


@cache
def _column_shown(column: str, noun: str | None) -> Column | None:
    """The column of a name: that of a noun, else of the first that has it."""
    first = [NOUNS[noun]] if noun is not None and noun in NOUNS else []
    columns = (c for n in (*first, *NOUNS.values()) for c in n.columns)
    return next((c for c in columns if c.name == column), None)


def code_label(column: str, code: object, *, lang: Lang = "zh") -> str:
    """Word for a code of a column, such as ``左岸`` for ``left``; NA is an empty text."""
    if code is None or code is pd.NA or (isinstance(code, float) and np.isnan(code)):
        return ""
    if column in CODE_LISTS and (several := _listed_codes(column, str(code), lang)):
        return several
    if lang == "zh":
        return _words_of(column).get(str(code), str(code))
    if column in LISTS:
        return str(code).replace("、", ", ")
    coded = is_code(column) or column in CODE_LISTS
    return OWN_WORDS.get(str(code), str(code).replace("_", " ") if coded else str(code))


def _listed_codes(column: str, code: str, lang: Lang) -> str:
    """Words for several codes in one cell, and for a class of flow behind them; else nothing."""
    if column == "control" and (found := FLOW_CLASS.fullmatch(code)):
        ways = code_label(column, found["ways"], lang=lang)
        said = f"({found['kind']}类水流)" if lang == "zh" else f" (class {found['kind']})"
        return ways + said
    between = CODE_LISTS[column]
    if between not in code:
        return ""
    words = (code_label(column, one.strip(), lang=lang) for one in code.split(between))
    return {"+": "+", ",": "、" if lang == "zh" else ", "}[between].join(words)


@cache
def _words_of(column: str) -> dict[str, str]:
    """The Chinese word of each code of a column, that of the first noun which has it."""
    found: dict[str, str] = {}
    for one in NOUNS.values():
        for c in one.columns:
            if c.name == column:
                found = {code: words[0] for code, words in c.codes.items()} | found
    return found


def spoken(frame: Any, lang: Lang) -> Any:
    """A table with the words of ours among its names and lists in a language."""
    if lang == "zh":
        return frame
    ours = {
        name: [code_label(name, v, lang=lang) if isinstance(v, str) else v for v in frame[name]]
        for name in frame.columns
        if name in LISTS or name in PAYERS
    }
    return frame.assign(**ours) if ours else frame


@cache
def is_code(column: str) -> bool:
    """Whether a column of this name holds codes."""
    return any(c.name == column and c.dtype == "code" for n in NOUNS.values() for c in n.columns)


@lru_cache(maxsize=REMEMBERED)
def _folded_name(name: str) -> str:
    """Fold a column name for comparison: width, case, blanks, units in brackets."""
    text = unicodedata.normalize("NFKC", name).strip().lower()
    text = BRACKETS.sub("", text)
    return re.sub(r"[\s_\-]+", "", text)


def fold_id(value: object) -> str:
    """An id without what people don't see: width, case, blanks, kinds of hyphen."""
    text = unicodedata.normalize("NFKC", str(value)).casefold()
    return re.sub(r"[\s\u200b\ufeff]+", "", re.sub(r"[\u2010-\u2015\u2212]", "-", text))


@lru_cache(maxsize=REMEMBERED)
def _cut_names(name: str) -> frozenset[str]:
    """What a .dbf makes of a name: cut at 10 bytes in GBK or UTF-8, maybe in mid-character."""
    cuts = set()
    for encoding in ("gbk", "utf-8"):
        raw = name.encode(encoding, "ignore")
        if len(raw) > DBF_NAME_BYTES:
            cuts.add(_folded_name(raw[:DBF_NAME_BYTES].decode(encoding, "ignore")))
    return frozenset(cuts)


# No coordinate of a map in metres is larger, with the number of its zone in front or not [m].
FARTHEST_M = 1e9
# No number that anybody measures or pays is larger; sums of such numbers stay numbers.
VASTEST = 1e15
DATUM_ABOUT = (
    r"1985|1956|国家85|85国家|黄海85|85黄海|56黄海|85(?=高程)|56(?=高程)|黄海|珠江|珠基|吴淞|大沽|假定|"
    r"基面|高程基准|(?<=高程)[系面基准]+"
)


# the letter of a formula behind a Chinese name: 流量Q, 糙率n
SYMBOL = re.compile(r"(?<=[\u4e00-\u9fff])[a-zα-ω]\d?$")


@lru_cache(maxsize=REMEMBERED)
def bare_name(name: str) -> str:
    """A column name without what stands about it, such as 面积万㎡, 1985高程, 流量Q; folded."""
    text = _folded_name(name).rstrip("/")
    text = re.sub(DATUM_ABOUT, "", text) or text
    ends = (u for u in UNIT_WORDS if text.endswith(u) and len(text) > len(u))
    found = next((text[: -len(u)].rstrip("/") for u in ends), text)
    return SYMBOL.sub("", found)


def _by_fold(given: list[str], fold: Callable[[str], str]) -> dict[str, list[int]]:
    """Places of names by what they fold to."""
    found: dict[str, list[int]] = {}
    for k, name in enumerate(given):
        found.setdefault(fold(name), []).append(k)
    return found


def match_columns(names: Iterable[object], what: Noun, *, words: bool = True) -> dict[str, str]:
    """Map the column names of a delivery to the canonical ones.

    Parameters
    ----------
    names
        Column names as they came.
    what
        The noun the table is meant to be.
    words
        Whether names that no list has are taken apart into words.

    Returns
    -------
    dict
        From the delivered to the canonical name, for the columns that were recognised. The
        canonical name wins over its label, the label over aliases in their order, and whole
        names over cut ones; a canonical name is given once.
    """
    given = [str(n) for n in names]
    whole, bare = _by_fold(given, _folded_name), _by_fold(given, bare_name)
    found: dict[str, str] = {}
    for how in ("named", "bare", "cut", "last"):
        folds = bare if how == "bare" else whole
        if (
            how == "last" and words
        ):  # before what a program numbers rows with: what a name's own words say
            _add_columns_by_words(given, what, found)
        taken = set(found.values())
        for column in what.columns:
            if column.name in taken:
                continue
            own = () if what.geometry else (label(column.name, lang="en", unit=False),)
            names_known = (column.name, column.zh, *own, *column.aliases)
            for alias in column.fallbacks if how == "last" else names_known:
                wanted = _cut_names(alias) if how == "cut" else (_folded_name(alias),)
                places = [k for w in wanted for k in folds.get(w, ()) if given[k] not in found]
                if places:
                    found[given[min(places)]] = column.name
                    break
    if words:
        _add_columns_by_words(given, what, found, late=True)
    return found


def _add_columns_by_words(
    given: list[str], what: Noun, found: dict[str, str], *, late: bool = False
) -> None:
    """Add the columns whose names say by their words what they are."""
    own = {c.name for c in what.columns}
    for name in given:
        if name in found:
            continue
        ours = (None if late else initials(name, what.name)) or meanings(name, what.name, late=late)
        if ours in own and ours not in found.values():
            found[name] = ours


def rival_columns(names: Iterable[object], what: Noun, taken: dict[str, str]) -> dict[str, str]:
    """Columns that were not taken, but bear a name of a column that another one was taken for."""
    words = {_folded_name(a): c.name for c in what.columns for a in (c.name, c.zh, *c.aliases)}
    rest = [str(n) for n in names if str(n) not in taken]
    found = {r: words.get(_folded_name(r)) or words.get(bare_name(r), "") for r in rest}
    return {r: name for r, name in found.items() if name in taken.values()}


def canonical_codes(values: pd.Series, column: Column) -> pd.Series:
    """Turn the words of a code column into codes; unknown words stay, for `check` to name."""
    words = {_folded_name(w): code for code, all_words in column.codes.items() for w in all_words}
    words |= {_folded_name(code): code for code in column.codes}
    place, distinct = pd.factorize(values)
    known: list[str | None] = []
    for value in map(str, distinct):
        if column.name in CODE_LISTS:
            known.append(_codes_listed(value, column.name, words))
            continue
        ours = words.get(_folded_name(value)) or words.get(_folded_name(unnumbered(value)))
        known.append(ours or value_meant(value, column.name) or value)
    said = pd.array([*known, None], dtype="str")  # the last is of what is unknown
    return pd.Series(said.take(place), index=values.index, name=values.name)


def _codes_listed(text: str, column: str, words: Mapping[str, str]) -> str:
    """Codes of a cell that lists several words; unknown ones stay."""
    kind = CLASS_SAID.search(text)
    listed = text if kind is None else text[: kind.start()]
    # a comma may stand within a word: as many parts as make one are one
    parts, found = re.split(r"[+、,\uff0c]", listed), []
    while parts:
        many = range(len(parts), 0, -1)
        n = next((n for n in many if _folded_name(",".join(parts[:n])) in words), 1)
        one = ",".join(parts[:n])
        found.append(words.get(_folded_name(one), one.strip()))
        del parts[:n]
    return CODE_LISTS[column].join(found) + (f" {kind['kind']}" if kind else "")


def lists_codes(text: str, column: Column) -> bool:
    """Whether a cell lists codes of a column and nothing else; a blank one lists none."""
    found = FLOW_CLASS.fullmatch(text) if column.name == "control" else None
    listed = (found["ways"] if found else text).split(CODE_LISTS[column.name])
    return not text.strip() or all(one.strip() in column.codes for one in listed)


def require_columns(frame: pd.DataFrame, columns: Iterable[str], layer: str) -> None:
    """Refuse a table that lacks a column; name the nearest one it has."""
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        have = [str(c) for c in frame.columns if c != "geometry"]
        own = {c.name for c in NOUNS[layer].columns} if layer in NOUNS else set()
        others = [c for c in have if c not in own]  # a column of its own meaning is no misspelling
        close = difflib.get_close_matches(missing[0], others, n=1, cutoff=0.7)
        hint = f"name that column {missing[0]}; it has {', '.join(have)}"
        if close:
            hint = f"{layer} = {layer}.rename(columns={{{close[0]!r}: {missing[0]!r}}})"
        raise LayerError(
            f"lacks the column {missing[0]!r} ({label(missing[0])})",
            layer=layer,
            hint=hint,
        )


def require_layer(
    frame: Any, layer: str, *, crs: Any = None, valid: bool = True, near: Any = None
) -> NDArray[np.float64]:
    """Refuse a layer that can't be computed with: CRS, duplicate ids, bad geometry.

    Parameters
    ----------
    frame
        GeoDataFrame.
    layer
        Its name in messages.
    crs
        The CRS it has to be in: another layer's.
    valid
        Whether invalid geometry is refused, too.
    near
        Positions of the rows that are computed with, where these are few: an invalid shape far
        from all that matters changes nothing and is left alone.

    Returns
    -------
    numpy.ndarray
        Boxes of the rows (west, south, east, north), which tell most of this.
    """
    _require_metres(frame, layer)
    if crs is not None and not same_crs(frame.crs, crs):
        code = crs.to_epsg()
        raise CRSError(
            f"is in {frame.crs.name} but the other layer is in {crs.name}",
            layer=layer,
            hint=f"{layer} = {layer}.to_crs({code or crs.to_wkt()!r})"
            if same_datum(frame.crs, crs)
            else "these are two datums, between which to_crs hardly shifts: have one transformed "
            "with the official parameters, or pg.fit_grid with control points",
        )
    if not frame.index.is_unique:
        raise LayerError(
            "has duplicate ids",
            layer=layer,
            ids=frame.index[frame.index.duplicated()].unique(),
            hint=f"{layer} = pg.join_parts({layer}, gap_m=1).layer"
            if layer == "rivers"
            else f"{layer} = {layer}[~{layer}.index.duplicated()]  # when you know which is right",
        )
    shapes = frame.geometry.to_numpy()
    box: NDArray[np.float64] = shapely.bounds(shapes)
    empty = np.isnan(box[:, 0])
    empty[empty] = shapely.is_missing(shapes[empty]) | shapely.is_empty(shapes[empty])
    if empty.any():
        raise LayerError(
            "has rows without geometry",
            layer=layer,
            ids=frame.index[empty],
            hint=f"{layer} = {layer}[~({layer}.is_empty | {layer}.geometry.isna())]",
        )
    if (np.abs(box) > FARTHEST_M).any():
        # a shape that reaches beyond any map has no area that is known
        far = np.abs(box).max(axis=1) > FARTHEST_M
        raise LayerError(
            f"has coordinates of more than {FARTHEST_M:,.0f} m",
            layer=layer,
            ids=frame.index[far],
            hint=f"far = {layer}.bounds.abs().max(axis=1) > {FARTHEST_M:g}; "
            f"{layer} = {layer}[~far]",
        )
    if valid:
        require_valid(frame, layer, near=near)
    return box


def _require_metres(frame: Any, layer: str) -> None:
    """Refuse a layer whose coordinates aren't metres on the ground."""
    if getattr(frame, "crs", None) is None:
        raise CRSError(
            "has no coordinate reference system",
            layer=layer,
            hint=f"pg.intake.crs_candidates({layer}.total_bounds)  # what fits; then "
            f"{layer} = {layer}.set_crs(...), with the code of the survey",
        )
    if not frame.crs.is_projected or frame.crs.axis_info[0].unit_name not in ("metre", "meter"):
        unit = frame.crs.axis_info[0].unit_name
        if frame.crs.is_geographic and np.nanmax(np.abs(frame.total_bounds), initial=0) > 360:
            raise CRSError(
                f"says that it is in degrees ({frame.crs.name}), but its coordinates are none",
                layer=layer,
                hint=f"{layer} = {layer}.set_crs(4547, allow_override=True)  # or its own code",
            )
        problem = (
            f"is in {frame.crs.name}, whose unit is {unit}; areas and widths need projected metres"
        )
    elif is_mercator(frame.crs):
        lat = _middle_in_degrees(frame.crs, frame.total_bounds)[1]
        cos2 = np.cos(np.radians(lat)) ** 2
        squeezed = 1 - ECCENTRICITY2 * (1 - cos2)
        larger = 100 * (squeezed**2 / ((1 - ECCENTRICITY2) * cos2) - 1)
        problem = f"is in {frame.crs.name}, whose metres are not metres on the ground"
        if larger > 1:  # and not NaN, where there is no place
            place = f"{abs(lat):.1f} {'N' if lat >= 0 else 'S'}"
            problem = (
                f"is in {frame.crs.name}, whose metres are not metres on the ground (areas "
                f"{larger:.0f} % too large at {place})"
            )
    else:
        return
    code = grid_of_place(frame.crs, tuple(frame.total_bounds))
    hint = f"{layer} = {layer}.to_crs({code})  # the grid of the place; better the survey's code"
    raise CRSError(problem, layer=layer, hint=hint)


def require_valid(frame: Any, layer: str, *, near: Any = None, parameter: str = "") -> None:
    """Refuse invalid geometry, of the rows at the positions ``near`` only where these are given.

    The cure names the layer, and the parameter that it was given as where that differs.
    """
    rows = frame if near is None else frame.iloc[near]
    invalid = ~shapely.is_valid(rows.geometry.to_numpy())
    if invalid.any():
        if (shapely.length(rows.geometry.to_numpy()[invalid]) == 0).all():
            raise LayerError(  # nothing can mend a line of one place
                "has shapes without length",
                layer=layer,
                ids=rows.index[invalid],
                hint=f"{layer} = {layer}[{layer}.length > 0]",
                fault="invalid_geometry",
            )
        what = layer if layer in NOUNS else "buildings"
        names = layer if parameter in ("", layer) else f"{parameter} = {layer}"
        raise LayerError(
            "has invalid geometry",
            layer=layer,
            ids=rows.index[invalid],
            hint=f'{names} = pg.repair({layer}, "{what}").layer',
            fault="invalid_geometry",
        )


def name_of(frame: Any, otherwise: str) -> str:
    """What a layer's rows are, told from its index: buildings, parcels; or another word."""
    kinds = (k for k, one in NOUNS.items() if one.index and one.index == frame.index.name)
    return next(kinds, otherwise)


def flat_shapes(frame: Any) -> Any:
    """Geometries of a layer as an array, without Z; copied only where there is any."""
    shapes = frame.geometry.to_numpy()
    return shapely.force_2d(shapes) if shapely.has_z(shapes).any() else shapes


# Square of the first eccentricity of WGS 84 and CGCS2000.
ECCENTRICITY2 = 0.00669438
# Latitudes of China, for which CGCS2000 is the grid; elsewhere it is UTM.
CHINA_LATITUDES = (3.0, 54.0)


def grid_of_place(crs: Any, bounds: tuple[float, ...]) -> int:
    """EPSG code of the grid in metres for where a layer lies: CGCS2000 in China, else UTM.

    CGCS2000 / 3-degree Gauss-Kruger CM 75E is 4534, and each next meridian the next code.
    """
    lon, lat = _middle_in_degrees(crs, bounds)
    if not np.isfinite([lon, lat]).all():
        return 4547
    zone = round(lon / 3)
    if 25 <= zone <= 45 and CHINA_LATITUDES[0] <= lat <= CHINA_LATITUDES[1]:
        return 4534 + zone - 25
    return (32601 if lat >= 0 else 32701) + int((lon + 180) // 6) % 60


def _middle_in_degrees(crs: Any, bounds: Any) -> tuple[float, float]:
    """Longitude and latitude of the middle of a layer [degrees]."""
    if crs.geodetic_crs is None:  # a local system, without a place on the earth
        return np.nan, np.nan
    x, y = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    lon, lat = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(x, y)
    return float(lon), float(lat)


def same_crs(one: Any, other: Any) -> bool:
    """Whether two CRS lay a point in the same place.

    ESRI's and EPSG's texts of one CRS differ, and a height system beside it changes nothing in the
    plane: codes decide where both have one, else method, parameters, ellipsoid and datum.
    """
    if one == other:
        return True
    one, other = (_plane_crs(c) for c in (one, other))
    codes = one.to_epsg(), other.to_epsg()
    if None not in codes:
        return bool(codes[0] == codes[1])
    return (
        bool(one == other) or _projection_signature(one) == _projection_signature(other) is not None
    )


def _plane_crs(crs: Any) -> Any:
    """A CRS without the heights beside it."""
    while crs.is_compound or crs.is_bound:
        crs = crs.sub_crs_list[0] if crs.is_compound else crs.source_crs
    return crs


def _projection_signature(crs: Any) -> tuple[object, ...] | None:
    """What a projected CRS does, whoever wrote it; none for others."""
    operation = operation_of(crs) if crs.is_projected else None
    if operation is None or crs.ellipsoid is None:
        return None
    values = sorted((str(p.code), round(float(p.value), 9)) for p in operation.params)
    shape = round(crs.ellipsoid.semi_major_metre, 3), round(crs.ellipsoid.inverse_flattening, 6)
    return _datum_name(crs), operation.method_name, *values, *shape, crs.axis_info[0].unit_name


def same_datum(one: Any, other: Any) -> bool:
    """Whether two CRS share their datum; WGS 84 and CGCS2000 count as one, as PROJ takes them."""
    names = [_datum_name(c) for c in (one, other)]
    return None not in names and names[0] == names[1]


def _datum_name(crs: Any) -> str | None:
    datum = crs.datum
    if datum is None:
        return None
    name = re.sub(r"[\s_]+", " ", str(datum.name).lower()).removeprefix("d ")
    geocentric = (
        "world geodetic system 1984", "china geodetic coordinate system 2000", "wgs 84", "wgs 1984",
        "china 2000", "cgcs 2000", "cgcs2000",
    )  # fmt: skip
    return "geocentric" if any(g in name for g in geocentric) else name


def operation_of(crs: Any) -> Any:
    """The projection of a CRS; none where it has none, or PROJ can't say."""
    try:
        return crs.coordinate_operation
    except ProjError:  # bound to another CRS, or no CRS of the earth at all
        return None


def is_mercator(crs: Any) -> bool:
    """Whether a CRS is one of the web maps' or another Mercator projection, upright."""
    operation = operation_of(crs)
    name = "" if operation is None else operation.method_name
    return "Mercator" in name and "Transverse" not in name and "Oblique" not in name


def numbers(frame: pd.DataFrame, column: str, layer: str) -> pd.Series:
    """Column as floats, NA throughout where it is missing; refused where texts stand in it."""
    if column not in frame.columns:
        return pd.Series(np.nan, index=frame.index)
    given = frame[column]
    if given.dtype.kind in "mM":  # a date is no number, though software counts its nanoseconds
        given = given.astype(object).astype("str").where(given.notna())
    # most are floats already, of which none can be lost
    plain = given.dtype == np.float64
    values = given if plain else pd.to_numeric(given, errors="coerce").astype(float)
    lost = values.isna() & frame[column].notna() if not plain else np.zeros(0, bool)
    if lost.any():
        word = frame.loc[lost, column].iloc[0]
        raise LayerError(
            f"has texts such as {word!r} in {column} ({label(column)})",
            layer=layer,
            ids=frame.index[lost],
            hint=f"correct them, or count them as unknown: {layer}[{column!r}] = "
            f'pd.to_numeric({layer}[{column!r}], errors="coerce")',
        )
    vast = np.abs(values.to_numpy()) > VASTEST
    vast[vast] = np.isfinite(values.to_numpy()[vast])
    if vast.any():
        raise LayerError(
            f"has numbers such as {values[vast].iloc[0]:g} in {column} ({label(column)})",
            layer=layer,
            ids=frame.index[vast],
            hint=f"correct them, or count them as unknown: {layer}[{column!r}] = "
            f"{layer}[{column!r}].where({layer}[{column!r}].abs() < {VASTEST:g})",
        )
    return values


def require_polygons(frame: Any, layer: str) -> None:
    """Refuse a layer that holds anything but polygons."""
    kind = shapely.get_type_id(frame.geometry.to_numpy())
    bad = (kind != shapely.GeometryType.POLYGON) & (kind != shapely.GeometryType.MULTIPOLYGON)
    if bad.any():
        kind = frame.geometry.geom_type[bad].iloc[0]
        areas = f"{layer}.geom_type.isin(['Polygon', 'MultiPolygon'])"
        raise LayerError(
            f"has {kind} where polygons are needed",
            layer=layer,
            ids=frame.index[bad],
            hint=f"{layer} = pg.repair({layer}).layer"
            if kind == "GeometryCollection"
            else f"{layer} = {layer}[{areas}]  # if these are walls, steps or notes",
        )


def one_of(value: str, words: Iterable[str], name: str) -> None:
    """Refuse an option that is none of the words."""
    if value not in (known := list(words)):
        raise LayerError(f"{name}={value!r} is not known", hint=nearest(value, known))
