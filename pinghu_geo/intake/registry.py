"""How do ledgers and registration exports go with the layers? Unit numbers, and joins by id."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.nouns.door import as_text, takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang, fold_id, nearest, require_columns

__all__ = ["JoinedLedger", "join_ledger", "unit_numbers"]

# 6 area + 3 cadastral district + 3 sub-district, 2 letters of the kind of right, 5 parcel; a
# letter, 4 building, 4 unit
UNIT_NUMBER = (
    r"^(?P<area>\d{6})(?P<district>\d{3})(?P<subdistrict>\d{3})(?P<right>[A-Z]{2})(?P<parcel>\d{5})"
    r"(?P<fixture>[A-Z])(?P<building>\d{4})(?P<unit>\d{4})$"
)
# Unmatched ids up to so many get the nearest one looked up.
LOOKED_UP = 200


@dataclass(frozen=True, slots=True)
class JoinedLedger(Result):
    """A layer with a ledger's columns, what matched nothing, where they disagree 挂接结果."""

    layer: gpd.GeoDataFrame
    unmatched: pd.DataFrame
    conflicts: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """What matched, what didn't, and what disagrees."""
        sides = self.unmatched["side"].value_counts()
        return [
            say(
                "{} of {} features have a row of the ledger; {} rows of it match nothing; "
                "{} entries disagree.",
                lang,
                len(self.layer) - sides.get("layer", 0),
                len(self.layer),
                sides.get("ledger", 0),
                len(self.conflicts),
            )
        ]


def unit_numbers(values: pd.Series) -> pd.DataFrame:
    """Parts of real-estate unit numbers (不动产单元号, BDCDYH) 不动产单元号解析.

    Parameters
    ----------
    values
        Unit numbers of 28 characters, as text.

    Returns
    -------
    pandas.DataFrame
        On the index of ``values``: area, district, subdistrict, right, parcel, fixture, building,
        unit; parcel_id (the first 19 characters, ZDDM) and building_id (the first 24, ZRZH); why
        it is none, empty where it is one. Parts are NA where it is none.

    Notes
    -----
    6 digits of the administrative area, 3 and 3 of the cadastral district, 2 letters of the kind
    of right, 5 digits of the parcel; a letter (F building, W none) and 4 + 4 digits of building and
    unit, e.g. 130104015008GB00013F00031020. ``F9999`` stands for all buildings of a parcel.

    References
    ----------
    GB/T 37346-2019 不动产单元设定与代码编制规则.

    Examples
    --------
    >>> parts = pg.intake.unit_numbers(pd.Series(["130104015008GB00013F00031020", "1301"]))
    >>> parts.loc[0, ["parcel_id", "building_id"]].tolist()
    ['130104015008GB00013', '130104015008GB00013F0003']
    >>> parts.loc[1, "why"]
    '4 characters instead of 28'
    """
    text = values.astype("str").str.strip().where(values.notna(), "")
    parts = text.str.extract(UNIT_NUMBER)
    good = parts["area"].notna()
    parts["parcel_id"] = text.str[:19].where(good)
    parts["building_id"] = text.str[:24].where(good)
    size = text.str.len()
    wrong = np.where(
        size != 28, size.astype("str") + " characters instead of 28", "not as GB/T says"
    )
    parts["why"] = np.where(good, "", wrong)
    return parts


@takes(layer="features", ledger="ledger")
def join_ledger(
    layer: gpd.GeoDataFrame, ledger: pd.DataFrame, *, on: str | None = None
) -> JoinedLedger:
    """A layer with the columns of a ledger, joined by id; nothing is dropped unseen 台账挂接.

    Parameters
    ----------
    layer
        Indexed by id, such as building_id.
    ledger
        One row an id; as `read_table` gives it, the index is the row of the file.
    on
        Column of the ledger that holds the ids; by default the name of the layer's index.

    Returns
    -------
    JoinedLedger
        ``layer``: the same rows in the same order with the ledger's columns; a column that both
        have keeps the layer's values and is filled from the ledger where they are missing.
        ``unmatched``: side {layer, ledger}, id, row (of the ledger), nearest (id of the other side
        that may be meant). ``conflicts``: id, column, layer, ledger, where both say something else.

    Raises
    ------
    LayerError
        The column is missing, an id occurs twice on either side, or nothing matches at all.

    Notes
    -----
    Ids match as texts, without blanks at their ends. Ids that differ in width, case or inner blanks
    only are not joined but named in ``nearest``: which one is right is for people to say.

    Examples
    --------
    >>> houses = pg.read_layer(sample / "房屋.shp", "buildings").head(2)
    >>> ledger = pd.DataFrame({"building_id": [houses.index[0], "无此房"], "leader": ["甲", "乙"]})
    >>> found = pg.join_ledger(houses, ledger)
    >>> found.layer["leader"].fillna("").tolist(), found.unmatched["side"].tolist()
    (['甲', ''], ['layer', 'ledger'])
    """
    key = on or str(layer.index.name)
    require_columns(ledger, [key], "ledger")
    ids = as_text(ledger[key], strip=True)
    ids = ids.where(ids != "")
    blank = ids.isna()
    if blank.any():
        raise LayerError(
            f"has rows without {key}", layer="ledger", ids=ids.index[blank], hint="complete them"
        )
    for index, name in ((layer.index, "layer"), (pd.Index(ids), "ledger")):
        if not index.is_unique:
            raise LayerError(
                "has the same id in several rows",
                layer=name,
                ids=index[index.duplicated()].unique(),
                hint="sum or choose first: ledger.groupby(...).agg(...)",
            )
    mine, theirs = pd.Index(as_text(pd.Series(layer.index), strip=True)), pd.Index(ids)
    matched = theirs.isin(mine)
    if not matched.any() and len(theirs):
        raise LayerError(
            f"no id of the {len(theirs)} is in the layer",
            layer="ledger",
            ids=theirs,
            hint=f"the layer has {', '.join(mine[:3])}, ...; on=... names another column",
        )
    columns = ledger.drop(columns=key).set_index(theirs).reindex(mine)
    columns.index = layer.index
    joined, conflicts = layer.copy(), []
    for name in columns.columns:
        new = columns[name]
        if name not in layer.columns:
            joined[name] = new
            continue
        old = layer[name]
        joined[name] = old.where(old.notna(), new)
        differ = old.notna() & new.notna() & (old.astype("str") != new.astype("str"))
        both = pd.DataFrame({"layer": old[differ], "ledger": new[differ]}).astype(object)
        both.insert(0, "column", name)
        conflicts.append(both)
    empty = pd.DataFrame(columns=["column", "layer", "ledger"])
    table = pd.concat(conflicts) if conflicts else empty
    return JoinedLedger(
        joined,
        pd.concat(
            [
                _unmatched_ids("layer", mine[~mine.isin(theirs)], theirs[~matched], None),
                _unmatched_ids(
                    "ledger", theirs[~matched], mine[~mine.isin(theirs)], ids.index[~matched]
                ),
            ],
            ignore_index=True,
        ),
        table.rename_axis("id").reset_index(),
    )


def _unmatched_ids(
    side: str, ids: pd.Index, others: pd.Index, rows: pd.Index | None
) -> pd.DataFrame:
    """Ids of one side that the other lacks, with the nearest of its own unmatched ones."""
    folded = {fold_id(o): o for o in others}
    close = [folded.get(fold_id(i), "") for i in ids]
    if len(ids) <= LOOKED_UP >= len(others):
        close = [c or _nearest_id(i, others) for c, i in zip(close, ids, strict=True)]
    whole = rows is None or pd.api.types.is_integer_dtype(rows.dtype)
    row = pd.array(
        [pd.NA] * len(ids) if rows is None else list(rows), dtype="Int64" if whole else "str"
    )
    return pd.DataFrame({"side": side, "id": ids.to_numpy(object), "row": row, "nearest": close})


def _nearest_id(one: str, others: pd.Index) -> str:
    said = nearest(one, others)
    return said.split("'")[1] if said.startswith("did you mean") else ""
