"""May it stay, and why? Evidence and rules become a verdict with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pinghu_geo.nouns.door import require_number, same_ids, takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import rule_file
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang, label, nearest, numbers, one_of
from pinghu_geo.nouns.tables import records_of

__all__ = ["retention_rules", "retention_verdict"]

TESTS = ("at_most", "at_least", "is_true", "is_false")
VERDICTS = ("demolish", "review")
OPTIONAL = {"limit", "article_en"}
RULE_KEYS = {"id", "column", "test", "fails", "zh", "en", "article", "source"} | OPTIONAL


def retention_rules(path: str | Path | None = None) -> pd.DataFrame:
    """Rules for what may stay, from a TOML file 留房规则.

    Parameters
    ----------
    path
        TOML file of ``[[rule]]`` tables; by default the library's own,
        ``pinghu_geo/rules/retention.toml``, which says how to write one.

    Returns
    -------
    pandas.DataFrame
        One row a rule, in order: id, column (evidence), test {at_most, at_least, is_true,
        is_false}, limit, fails {demolish, review}, zh, en, article, article_en
        (blank: as article), source.

    Raises
    ------
    LayerError
        The file is missing or wrong.

    Examples
    --------
    >>> pg.schemes.retention_rules()["id"].tolist()[:3]
    ['in_project', 'rise_alone', 'rise_joint']
    """
    raw = rule_file(path, "retention.toml")
    rules = raw.get("rule", [])
    if not rules:
        raise LayerError("holds no [[rule]]", layer="rules", hint="copy the library's own file")
    for rule in rules:
        name = rule.get("id", "?")
        for key in rule:
            if key not in RULE_KEYS:
                raise LayerError(
                    f"rule {name}: {key!r} is not known",
                    layer="rules",
                    hint=nearest(key, RULE_KEYS),
                )
        lacks = sorted(RULE_KEYS - OPTIONAL - set(rule))
        if lacks:
            raise LayerError(
                f"rule {name} lacks {', '.join(lacks)}",
                layer="rules",
                hint="each rule says what it tests, what fails, and where it stands written",
            )
        one_of(rule["test"], TESTS, f"rule {name}: test")
        one_of(rule["fails"], VERDICTS, f"rule {name}: fails")
        if ("limit" in rule) != (rule["test"] in ("at_most", "at_least")):
            raise LayerError(
                f"rule {name}: a limit belongs to at_most and at_least, and to them only",
                layer="rules",
                hint="limit = 10.0  # or the name of a limit the project gives",
            )
    return pd.DataFrame(rules, columns=["id", "column", "test", "limit", "fails", "zh", "en",
                                        "article", "article_en", "source"]
                        ).astype({"limit": object})  # fmt: skip


@takes()
def retention_verdict(
    affected: pd.DataFrame,
    evidence: pd.DataFrame,
    *,
    limits: Mapping[str, float],
    rules: pd.DataFrame | None = None,
    lang: Lang = "zh",
) -> pd.DataFrame:
    """Whether each building inside the red line may stay, with the reason 拆留结论.

    Parameters
    ----------
    affected
        Buildings inside the red line, indexed by building_id.
    evidence
        What is known of them, on the same ids: rise_alone_mm and rise_joint_mm
        (`building_rises`), freeboard_m (`flood_levels`), sewage_ok, optional (可拆可不拆),
        structure_ok, title_ok, in_project: true, false or NA. A building or a column that is
        missing is NA. Columns may stand in ``affected`` too. With rise_alone_low_mm and
        rise_alone_high_mm (and the joint ones) a rise is a band. rise_2d_mm and rise_2d_doubt_mm
        (`second_opinion`) are told beside a band that leaves it open, level_off_mm where there is
        no such rise; they decide nothing. Join all of `building_rises`: rise_band and rise_grows_at
        say where a band is open, doubts why there is no rise.
    limits
        The limits that the rules name, such as ``{"allowed_mm": 10, "freeboard_m": 0}``.
    rules
        Of `retention_rules`; by default the library's own.
    lang
        Language of the reasons.

    Returns
    -------
    pandas.DataFrame
        On the index of ``affected``: verdict {demolish, retain, review}; reason, in words with
        the deciding number; deciding, the article it rests on, or that a band leaves open.

    Raises
    ------
    LayerError
        A limit is not given; evidence that can't be read; ids that are no affected building.

    Notes
    -----
    Three-valued: retain only if every rule holds; the first rule that fails gives its verdict;
    otherwise, with any evidence missing, review, and the reason lists what is missing. A rule on a
    band holds where the whole band does and fails where none of it does; where the limit runs
    through it the verdict is review, with the numbers and the coefficients that decide. A rule
    that fails goes before evidence that is missing: no survey can save the building then.

    References
    ----------
    Kleene, Introduction to Metamathematics (1952), § 64 (three-valued logic). Each rule names its
    own source (column ``source``).

    Examples
    --------
    >>> affected = pd.DataFrame(index=pd.Index(["A", "B", "C"], name="building_id"))
    >>> evidence = pd.DataFrame({"rise_alone_mm": [2.0, 35.0, 1.0], "rise_joint_mm": [4.0, 60, 4],
    ...     "freeboard_m": 0.5, "sewage_ok": [True, True, None], "optional": True,
    ...     "structure_ok": True, "title_ok": True, "in_project": False}, index=affected.index)
    >>> found = pg.retention_verdict(affected, evidence,
    ...     limits={"allowed_mm": 10, "freeboard_m": 0})
    >>> found["verdict"].tolist()
    ['retain', 'demolish', 'review']
    >>> found["reason"].tolist()[1:]
    ['单独保留壅高 35.0 mm,允许 10.0 mm', '缺少依据:排污达标']
    """
    table = retention_rules() if rules is None else rules
    evidence = evidence.set_axis(same_ids(evidence.index, affected.index))
    strange = evidence.index.difference(affected.index)
    if len(strange):
        raise LayerError(
            "speaks of buildings that are not affected",
            layer="evidence",
            ids=strange,
            hint="evidence = evidence.loc[evidence.index.isin(affected.index)]",
        )
    if not evidence.index.is_unique:
        raise LayerError(
            "has two rows for a building",
            layer="evidence",
            ids=evidence.index[evidence.index.duplicated()].unique(),
            hint="one row a building",
        )
    known = evidence.reindex(affected.index)
    known = known.join(affected[[c for c in affected.columns if c not in known.columns]])
    verdict = np.full(len(affected), "retain", dtype=object)
    reason = np.full(len(affected), "", dtype=object)
    deciding = np.full(len(affected), "", dtype=object)
    at_stake = np.full(len(affected), "", dtype=object)
    failed = np.zeros(len(affected), bool)
    missing: list[list[str]] = [[] for _ in range(len(affected))]
    spread: list[list[str]] = [[] for _ in range(len(affected))]
    for rule in records_of(table):
        limit = _rule_limit(rule, limits)
        values = _rule_evidence(known, rule)
        na = values.isna().to_numpy()
        least, most, lost_end = _evidence_band(known, rule["column"], values)
        na = na | (lost_end != "")
        holds = _rule_holds(least, rule["test"], limit) & _rule_holds(most, rule["test"], limit)
        some = _rule_holds(least, rule["test"], limit) | _rule_holds(most, rule["test"], limit)
        new = ~some & ~na & ~failed
        own = rule.get("article_en") if lang == "en" else None
        law = own if isinstance(own, str) else rule["article"]
        verdict[new], deciding[new] = rule["fails"], law
        text = rule[lang]
        reason[new] = [
            text.format(value=v, limit=limit) if limit is not None else text
            for v in values.to_numpy()[new]
        ]
        failed |= new
        for k in np.flatnonzero(some & ~holds & ~na):
            band = float(least.iloc[k]), float(most.iloc[k])
            spread[k].append(_band_text(known.iloc[k], rule["column"], band, limit, lang))
            at_stake[k] = at_stake[k] or law
        for k in np.flatnonzero(na):
            lacks_of = label(lost_end[k] or rule["column"], lang=lang, unit=False)
            missing[k].append(lacks_of + _why_no_rise(known.iloc[k], rule["column"], lang))
    lacks = np.array([bool(m) for m in missing], dtype=bool)
    open_ = ~failed & (lacks | np.array([bool(m) for m in spread], dtype=bool))
    verdict[open_], deciding[open_] = "review", at_stake[open_]
    comma, stop = say(", ", lang), say("; ", lang)
    lost = [
        [say("lacks evidence: {}", lang, comma.join(dict.fromkeys(m)))] if m else []
        for m in missing
    ]
    reason[open_] = [stop.join([*spread[k], *lost[k]]) for k in np.flatnonzero(open_)]
    stays = ~failed & ~open_
    reason[stays] = [_reason_to_retain(known.iloc[k], lang) for k in np.flatnonzero(stays)]
    return pd.DataFrame(
        {"verdict": verdict, "reason": reason, "deciding": deciding}, index=affected.index
    ).astype("str")


def _evidence_band(
    known: pd.DataFrame, column: str, values: pd.Series
) -> tuple[pd.Series, pd.Series, NDArray[np.object_]]:
    """Least and most that a number may be, the number itself without a band; and ends not given."""
    low, high = (re.sub(r"(_[a-z0-9]+)$", rf"_{end}\1", column) for end in ("low", "high"))
    lost = np.full(len(known), "", dtype=object)
    if low not in known.columns and high not in known.columns:
        return values, values, lost
    none = pd.Series(np.nan, index=known.index)
    least, most = (
        numbers(known, name, "evidence") if name in known.columns else none for name in (low, high)
    )
    # one end alone says nothing of the other
    for name, one, other in ((low, least, most), (high, most, least)):
        lost[(one.isna() & other.notna()).to_numpy(bool)] = name
    least, most = (one.where(one.notna(), values).where(values.notna()) for one in (least, most))
    return least, most, lost


def _band_text(
    row: pd.Series, column: str, band: tuple[float, float], limit: float | None, lang: Lang
) -> str:
    """A band that a limit runs through, in words."""
    low, high = band
    name = label(column, lang=lang, unit=False)
    unit = label(column, lang=lang).removeprefix(name).strip(" ()")
    told = name, f"{low:.1f}", f"{high:.1f} {unit}".rstrip(), f"{limit:.1f} {unit}".rstrip()
    rough = pd.notna(row.get("rise_rough_low_mm")) or str(row.get("rise_decided_by"))[:2] == "n "
    if rough:
        said = say(
            "{} is {} to {} by losses (contraction/expansion) and n, allowed {}", lang, *told
        )
    else:
        said = say("{} is {} to {} by losses (contraction/expansion), allowed {}", lang, *told)
    if column != "rise_alone_mm":
        return said
    said += _where_above(row, limit, lang)
    place = row.get("rise_grows_at")
    if isinstance(place, str):
        said += say("; it more than doubles at {}, where other formulas take over", lang, place)
    deep = row.get("rise_2d_mm")
    if deep is not None and pd.notna(deep):
        doubt = row.get("rise_2d_doubt_mm")
        off = say("unknown", lang) if doubt is None or pd.isna(doubt) else f"{doubt:.1f}"
        said += say("; {} ± {} mm in two dimensions, a second opinion", lang, f"{deep:.1f}", off)
    elif pd.notna(apart := row.get("level_off_mm")):
        said += say(
            "; no second opinion: in two dimensions the level without it is {} mm off the profile",
            lang, f"{apart:.0f}",
        )  # fmt: skip
    return said


def _where_above(row: pd.Series, limit: float | None, lang: Lang) -> str:
    """From which coefficients of its band on a rise is above the limit, or at which of them."""
    first, text = row.get("rise_decided_by"), row.get("rise_band")
    band = [p.rpartition(" ") for p in text.split("; ")] if isinstance(text, str) else []
    above = [limit is not None and float(rise) > limit for _, _, rise in band]
    if any(above) and not all(above[above.index(True) :]):  # up, and down again
        names = say(", ", lang).join(b[0] for b, over in zip(band, above, strict=True) if over)
        return say(", above it with {}", lang, names)
    return say(", above it from {} on", lang, first) if isinstance(first, str) else ""


def _why_no_rise(row: pd.Series, column: str, lang: Lang) -> str:
    """Why a rise can't be relied on, by the doubts of the profile where the house stands."""
    doubts = row.get("doubts")
    if not column.startswith("rise_") or not isinstance(doubts, str):
        return ""
    words = {
        "left_out": say("a structure that isn't computed", lang),
        "froude": say("nearly or wholly supercritical flow", lang),
        "critical_default": say("no subcritical level", lang),
        "unbalanced": say("no level balances the energy", lang),
        "blocked": say("sections closed by half", lang),
        "implausible": say("numbers that can't be metres", lang),
        "split": say("branches whose energies differ by the split given", lang),
        "unsurveyed": say("no section tells of its place", lang),
        "covered": say("it stands over a covered reach", lang),
    }
    said = [words[code] for code in doubts.split(",") if code in words]
    return say(" ({})", lang, say(", ", lang).join(said)) if said else ""


def _rule_limit(rule: Mapping[str, Any], limits: Mapping[str, float]) -> float | None:
    """Limit of a rule: a number, or one the project gives."""
    if rule["test"] not in ("at_most", "at_least"):
        return None
    if not isinstance(rule["limit"], str):
        return float(rule["limit"])
    if rule["limit"] not in limits:
        raise LayerError(
            f"rule {rule['id']} needs the limit {rule['limit']!r}, which is not given",
            layer="limits",
            hint=f'limits={{"{rule["limit"]}": ...}}; the design institute states it',
        )
    require_number(limits[rule["limit"]], rule["limit"])
    return float(limits[rule["limit"]])


def _rule_evidence(known: pd.DataFrame, rule: Mapping[str, Any]) -> pd.Series:
    """Evidence of a rule: numbers, or true, false and NA."""
    column = rule["column"]
    if rule["test"] in ("at_most", "at_least"):
        return numbers(known, column, "evidence")
    if column not in known.columns:
        return pd.Series(pd.NA, index=known.index, dtype="boolean")
    values = known[column]
    odd = [v for v in values.dropna().unique() if v not in (True, False)]
    if odd:
        raise LayerError(
            f"has {odd[0]!r} in {column} ({label(column)}), which is neither yes nor no",
            layer="evidence",
            ids=values.index[values == odd[0]],
            hint="pg.read_table reads 是 and 否; leave blank what is not known",
        )
    truths: pd.Series = values.astype("boolean")
    return truths


def _rule_holds(values: pd.Series, test: str, limit: float | None) -> NDArray[np.bool_]:
    """Where a rule holds; not where its evidence is missing."""
    if limit is None:
        wanted = values if test == "is_true" else ~values
        return np.asarray(wanted.fillna(False).to_numpy(bool))
    plain = values.to_numpy(float)
    with np.errstate(invalid="ignore"):
        held = plain <= limit if test == "at_most" else plain >= limit
    return np.asarray(held, bool)


def _reason_to_retain(row: pd.Series, lang: Lang) -> str:
    """Reason of a building that may stay, with its rise."""
    alone, joint = row.get("rise_alone_mm"), row.get("rise_joint_mm")
    if alone is None or joint is None or pd.isna(alone) or pd.isna(joint):
        return say("every rule holds", lang)
    most, most_joint = row.get("rise_alone_high_mm"), row.get("rise_joint_high_mm")
    one, all_ = f"{alone:.1f} mm", f"{joint:.1f} mm"
    if pd.notna(most) and pd.notna(most_joint):
        one, all_ = (say("{} (at most {})", lang, a, f"{b:.1f}")
                     for a, b in ((one, most), (all_, most_joint)))  # fmt: skip
    return say("every rule holds: it raises the flood by {}, all kept by {}", lang, one, all_)
