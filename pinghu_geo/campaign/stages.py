"""Which stages does a clearance go through? What drives their time, and what may not be skipped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import rule_file
from pinghu_geo.nouns.schema import Lang, code_label, label, nearest, numbers, require_columns

__all__ = [
    "TODO",
    "ancestors",
    "priority_rules",
    "stage_codes",
    "stage_rules",
    "stage_words",
    "work_days",
    "work_units",
]

# a stage before the first: nothing is reported yet
TODO = "todo"
UNITS = {"building": "n_buildings", "household": "n_tenants", "m2": "demolish_floor_area_m2"}
# what the values of a key look like; of all others text
EXAMPLES: dict[str, Any] = {
    "days": 1.5, "least_days": 1, "after": ["survey"], "words": ["入户摸底"],
    "wait_days": {"any": 30}, "must_report": True, "tenants": True, "pays": True, "clears": True,
}  # fmt: skip
SHOWN_AS = ("todo", "signed", "vacated", "demolished", "handed_over")
DEFAULTS: dict[str, Any] = {
    "words": (),
    "days": 1.0,
    "least_days": 0,
    "after": None,
    "wait_days": {},
    "must_report": False,
    "tenants": False,
    "pays": False,
    "clears": False,
    "article": "",
}
NEEDED = ("code", "zh", "letter", "unit", "shown_as")


def stage_rules(path: str | Path | None = None) -> pd.DataFrame:
    """Stages of a clearance, with what drives their time and what the law asks 征拆阶段.

    Parameters
    ----------
    path
        TOML file of ``[[stage]]``; by default the library's own ``rules/stages.toml``.

    Returns
    -------
    pandas.DataFrame
        Indexed by stage, each after those that it needs: zh, letter, words, unit {building,
        household, m2, node}, days [working days of one crew a unit], least_days, after,
        wait_days [calendar days by tenure], must_report, shown_as, tenants, pays, clears, article.

    Raises
    ------
    LayerError
        A key is unknown or missing, a stage occurs twice, or stages wait for one another.

    References
    ----------
    国有土地上房屋征收与补偿条例 (2011) Art. 10, 15, 25-27; 广东省土地管理条例 (2022) Art. 26-37;
    each stage names its own (column ``article``).

    Examples
    --------
    >>> stages = pg.campaign.stage_rules()
    >>> "".join(stages["letter"])
    '摸评谈签腾拆运✓'
    """
    name = "stages.toml" if path is None else Path(path).name
    raw = rule_file(path, "stages.toml").get("stage", [])
    if not raw or not isinstance(raw, list):
        own = Path(__file__).parents[1] / "rules" / "stages.toml"
        raise LayerError(
            f"{name} has no [[stage]]", layer="stages", hint=f"begin with a copy of {own}"
        )
    rows: list[dict[str, Any]] = []
    for k, one in enumerate(raw):
        for key in one:
            if key not in (*NEEDED, *DEFAULTS):
                raise LayerError(
                    f"{name}: {key!r} is not known",
                    layer="stages",
                    hint=nearest(key, (*NEEDED, *DEFAULTS)),
                )
        for key in NEEDED:
            if key not in one:
                raise LayerError(f"{name}: stage {k + 1} lacks {key}", layer="stages")
        _require_value_kinds(k + 1, one)
        row = DEFAULTS | one
        row["words"] = tuple(row["words"])
        if row["after"] is None:
            row["after"] = (raw[k - 1].get("code"),) if k else ()
        row["after"] = tuple(row["after"])
        rows.append(row)
    table = pd.DataFrame(rows).set_index("code").rename_axis("stage")
    _require_sound_stages(table)
    return table.loc[_stages_in_order(table["after"])]


def priority_rules(path: str | Path | None = None) -> list[dict[str, str]]:
    """Rules that say which node comes first, in order; see ``rules/stages.toml``."""
    found = rule_file(path, "stages.toml").get("priority", [])
    return [{"zh": r["column"], "en": r["column"]} | r for r in found]


def _require_value_kinds(number: int, stage: Mapping[str, Any]) -> None:
    """Refuse a value that is none of what its key holds, with one that is."""
    for key, value in stage.items():
        example = EXAMPLES.get(key, "...")
        inside = value.values() if isinstance(value, dict) else [value]
        if isinstance(example, list | tuple):
            good = isinstance(value, list) and all(isinstance(v, str) for v in value)
        elif isinstance(example, bool | str):
            good = isinstance(value, type(example))
        else:
            good = isinstance(value, dict) == isinstance(example, dict) and all(
                isinstance(v, int | float) and not isinstance(v, bool) for v in inside
            )
        if not good:
            shown = json.dumps(example, ensure_ascii=False)
            if isinstance(example, dict):  # as TOML has it
                shown = shown.replace('"', "").replace(":", " =")
            raise LayerError(f"stage {number}: {key} = {value!r} is of another kind",
                             layer="stages", hint=f"{key} = {shown}")  # fmt: skip


def stage_words(stages: pd.DataFrame, *, lang: Lang = "zh") -> dict[str, str]:
    """Word of each stage as the project has it, and of what isn't begun."""
    words = {str(k): str(v) if lang == "zh" else str(k).replace("_", " ")
             for k, v in stages["zh"].items()}  # fmt: skip
    return {TODO: code_label("stage", TODO, lang=lang)} | words


def _require_sound_stages(table: pd.DataFrame) -> None:
    """Refuse stages that occur twice, wait for unknown ones, or have units that don't exist."""
    twice = table.index[table.index.duplicated()].unique()
    if len(twice):
        raise LayerError("has the same stage twice", layer="stages", ids=twice,
                         hint="give each [[stage]] a code of its own")  # fmt: skip
    for stage, row in table.iterrows():
        for key, words in (("unit", (*UNITS, "node")), ("shown_as", SHOWN_AS)):
            if row[key] not in words:
                raise LayerError(
                    f"stage {stage}: {key} = {row[key]!r} is not known",
                    layer="stages",
                    hint=nearest(row[key], words),
                )
        for other in row["after"]:
            if other not in table.index:
                raise LayerError(
                    f"stage {stage} comes after {other!r}, which is no stage",
                    layer="stages",
                    hint=nearest(other, table.index),
                )
        if not (row["days"] >= 0 and row["least_days"] >= 0):
            raise LayerError(f"stage {stage} takes less than no time", layer="stages")


def _stages_in_order(after: pd.Series) -> list[str]:
    """Stages, each behind those that it needs, otherwise in the order of the file."""
    left, order = dict(after), []
    while left:
        ready = [s for s, needs in left.items() if not set(needs) & set(left)]
        if not ready:
            raise LayerError(
                "has stages that wait for one another in a circle",
                layer="stages",
                ids=list(left),
                hint="let `after` of each name earlier stages only",
            )
        order.append(ready[0])
        del left[ready[0]]
    return order


def ancestors(stages: pd.DataFrame) -> dict[str, frozenset[str]]:
    """All stages that must be over before each stage."""
    found: dict[str, frozenset[str]] = {}
    for stage, needs in stages["after"].items():
        found[str(stage)] = frozenset(needs).union(*(found[n] for n in needs))
    return found


def stage_codes(values: pd.Series, stages: pd.DataFrame, *, layer: str) -> pd.Series:
    """Words for stages as their codes; an unknown one is refused with the nearest."""
    words: dict[str, str] = {}
    for code, row in stages.iterrows():
        spoken = str(code).replace("_", " ")
        for word in (code, spoken, row["zh"], row["letter"], *row["words"]):
            words[str(word).strip().lower()] = str(code)
    words |= dict.fromkeys((TODO, "未启动", "未签约"), TODO)
    said = values.astype("str").str.strip().str.lower()
    found = said.map(words)
    bad = found.isna() & values.notna() & (said != "")
    if bad.any():
        word = values[bad].iloc[0]
        known = [*stages["zh"], *map(str, stages.index)]
        raise LayerError(
            f"has the unknown stage {word!r}",
            layer=layer,
            ids=values.index[bad],
            hint=nearest(word, known),
        )
    return found


def work_units(nodes: pd.DataFrame, stages: pd.DataFrame) -> pd.DataFrame:
    """What each node has to do in each stage, in the stage's unit; NA where it is unknown."""
    found = pd.DataFrame(index=nodes.index)
    for stage, unit in stages["unit"].items():
        if unit == "node":
            found[stage] = 1.0
            continue
        require_columns(nodes, [UNITS[unit]], "tasks")
        found[stage] = numbers(nodes, UNITS[unit], "tasks")
    return found


@takes(capacity="capacity")
def work_days(
    nodes: pd.DataFrame,
    stages: pd.DataFrame | None = None,
    capacity: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Working days of one crew for each stage of each node 工作量.

    Parameters
    ----------
    nodes
        Indexed by node_id, with n_buildings, n_tenants, demolish_floor_area_m2 [m²] as far as
        the stages count them, and group where ``capacity`` is given.
    stages
        Result of `stage_rules`.
    capacity
        group, stage, per_day [units a crew and working day]; what it doesn't say is taken from
        the stages.

    Returns
    -------
    pandas.DataFrame
        Indexed by node_id, a column a stage [whole working days].

    Raises
    ------
    LayerError
        A capacity is 0 or less, or units are not known.

    Examples
    --------
    >>> nodes = pd.DataFrame({"n_buildings": [4], "n_tenants": [10],
    ...                       "demolish_floor_area_m2": [2000.0]}, ["A-L-001"])
    >>> pg.campaign.work_days(nodes)[["valuation", "negotiation", "vacated"]].values.tolist()
    [[4, 4, 5]]
    """
    stages = stage_rules() if stages is None else stages
    units = work_units(nodes, stages)
    unknown = units.isna().any(axis=1)
    if unknown.any():
        lacking = stages.loc[units.columns[units.isna().any()], "unit"].map(UNITS).unique()
        what = ", ".join(f"{column} ({label(column, unit=False)})" for column in sorted(lacking))
        raise LayerError(
            f"lack {what}, by which their work is measured",
            layer="tasks",
            ids=nodes.index[unknown],
            hint="survey them; until then set a value: tasks.loc[ids, column] = ...",
        )
    negative = (units < 0).any(axis=1)
    if negative.any():
        raise LayerError("have less than no work to do", layer="tasks", ids=nodes.index[negative],
                         hint="counts and areas are 0 or more")  # fmt: skip
    rates = _days_per_unit(nodes, stages, capacity)
    days = pd.DataFrame(index=nodes.index)
    for stage, row in stages.iterrows():
        raw = units[stage].to_numpy(float) * rates[str(stage)]
        whole = np.ceil(np.round(raw, 9))
        days[stage] = np.where(units[stage] > 0, np.maximum(whole, row["least_days"]), 0)
    return days.astype(int)


def _days_per_unit(
    nodes: pd.DataFrame, stages: pd.DataFrame, capacity: pd.DataFrame | None
) -> Mapping[str, NDArray[np.float64]]:
    """Days a unit for each node, by stage: the group's own, else the stage's."""
    rates = {str(s): np.full(len(nodes), float(d)) for s, d in stages["days"].items()}
    if capacity is None or "per_day" not in capacity:
        return rates
    require_columns(capacity, ["group", "stage"], "capacity")
    per_day = numbers(capacity, "per_day", "capacity")
    bad = (per_day <= 0) | np.isinf(per_day)
    if bad.any():
        raise LayerError(
            "has a capacity of 0 or less: nothing would ever be done",
            layer="capacity",
            ids=capacity.index[bad],
            hint="state what one crew does a day, or leave the cell blank",
        )
    said = stage_codes(capacity["stage"], stages, layer="capacity")
    require_columns(nodes, ["group"], "tasks")
    names = nodes["group"].astype(object).to_numpy()
    for group, stage, each in zip(capacity["group"], said, per_day, strict=True):
        if pd.notna(stage) and pd.notna(each):
            rates[stage][names == group] = 1.0 / each
    return rates
