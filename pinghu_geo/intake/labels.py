"""What do the texts of a drawing say of the houses they stand in? Structure and floors.

A surveyor's drawing has no table: 混3 within an outline says mixed structure, three floors. In
CASS both are on one layer, JMD (houses, what belongs to them, and their notes).
"""

from __future__ import annotations

import re
from typing import Any
from unicodedata import normalize

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.nouns.codes import STRUCTURE

__all__ = ["with_labels"]

# short words of maps for structures, which other sources don't have; what they mean is the
# drawing's to say: 砖 may be brick and wood, or brick and concrete
SHORT = ("砖", "土", "木", "石", "破", "建")
WORDS = sorted({*SHORT, *(w for words in STRUCTURE.values() for w in words)}, key=len, reverse=True)
# structure, floors above ground, and floors below it behind a dash
LABEL = re.compile(rf"({'|'.join(WORDS)})(?:房屋|房)?(\d{{1,3}})?层?(?:-(\d{{1,2}}))?")
# so many texts are quoted
QUOTED = 5


def with_labels(frame: gpd.GeoDataFrame, seen: Findings) -> gpd.GeoDataFrame:
    """Outlines with the structure and the floors that the texts within them say; no texts.

    A text counts for the smallest outline around its point. Where several differ nothing is
    known of the house, and it is said, as is every text that stands in none or says neither.
    """
    shapes = frame.geometry.to_numpy()
    text = frame["Text"].fillna("").astype(str).str.strip().to_numpy()
    point = (shapely.get_type_id(shapes) == shapely.GeometryType.POINT) & (text != "")
    if not point.any():
        return frame
    said = [LABEL.fullmatch(re.sub(r"\s", "", normalize("NFKC", t))) for t in text[point]]
    reads = np.array([one is not None for one in said])
    _tell(seen, "texts_left_out", text[point][~reads])
    rows: gpd.GeoDataFrame = frame[~point].reset_index(drop=True)
    labels = pd.DataFrame([one.groups() for one in said if one], columns=["结构", "层数", "below"])
    labels["Text"] = text[point][reads]
    labels["row"] = _smallest_around(rows.geometry.to_numpy(), shapes[point][reads])
    _tell(seen, "label_outside", labels.loc[labels["row"] < 0, "Text"].to_numpy())
    labels = labels[labels["row"] >= 0].drop_duplicates(["row", "结构", "层数", "below"])
    several = labels[labels["row"].duplicated(keep=False)].groupby("row")["Text"].agg(", ".join)
    seen.add("labels_differ", [f"row {k + 1}" for k in several.index], texts=several.tolist())
    labels = labels[~labels["row"].isin(several.index)].set_index("row")
    below = labels["below"].dropna()
    seen.add("floors_below", [f"row {k + 1}" for k in below.index], n=below.tolist())
    return rows.assign(
        **{name: labels[name].reindex(rows.index) for name in ("结构", "层数", "Text")}
    )


def _smallest_around(shapes: NDArray[Any], points: NDArray[Any]) -> NDArray[np.int64]:
    """Row of the smallest area around each point; -1 where there is none."""
    rows = np.flatnonzero(np.isin(shapely.get_type_id(shapes), (3, 6)))
    # an outline that crosses itself holds its label, too: it is mended later, or refused
    whole = shapely.make_valid(shapes[rows])
    of, within = shapely.STRtree(whole).query(points, predicate="intersects")
    pairs = pd.DataFrame({"point": of, "row": rows[within], "m2": shapely.area(whole)[within]})
    least = pairs.sort_values("m2", kind="stable").drop_duplicates("point").set_index("point")
    found: NDArray[np.int64] = (
        least["row"].reindex(np.arange(len(points)), fill_value=-1).to_numpy()
    )
    return found


def _tell(seen: Findings, fault: str, texts: NDArray[Any]) -> None:
    """Say how many texts a fault has, and the first of them."""
    if len(texts):
        known = list(dict.fromkeys(texts))
        more = ", ..." if len(known) > QUOTED else ""
        seen.add(fault, n=len(texts), texts=", ".join(known[:QUOTED]) + more)
