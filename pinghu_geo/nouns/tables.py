"""What a table gives, typed: the noun says what its cells are, which no stub of pandas can."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray
    from pyproj import CRS


def each_row(table: pd.DataFrame) -> Iterable[Any]:
    """Rows as named tuples, by ``row.column``."""
    return table.itertuples()


def records_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries, by ``row["column"]``."""
    return cast("list[dict[str, Any]]", table.to_dict("records"))


def record_of(row: pd.Series) -> dict[str, Any]:
    """One row as a dictionary, by the names of its columns."""
    return cast("dict[str, Any]", row.to_dict())


def groups_of(grouped: Any) -> Iterable[tuple[Any, pd.DataFrame]]:
    """Key and rows of each group of ``table.groupby(...)``."""
    return cast("Iterable[tuple[Any, pd.DataFrame]]", grouped)


def places_of(grouped: Any) -> Mapping[Any, NDArray[Any]]:
    """Key and positions of the rows of each group of ``table.groupby(...)``."""
    return cast("Mapping[Any, NDArray[Any]]", grouped.indices)


def is_unknown(value: Any) -> bool:
    """Whether a cell holds nothing: None, NaN, NaT or NA."""
    if isinstance(value, float):  # asked far more often than all others
        return math.isnan(value)
    return not isinstance(value, str) and pd.api.types.is_scalar(value) and bool(pd.isna(value))


def crs_of(layer: gpd.GeoDataFrame | gpd.GeoSeries) -> CRS:
    """CRS of a layer that came through the door, which turns back those without one."""
    return cast("CRS", layer.crs)


def words_of(values: pd.Series) -> Any:
    """Texts of a column without its index; what is missing stays so."""
    return pd.array(values, dtype="str")  # type: ignore[call-overload]  # knows no "str" yet
