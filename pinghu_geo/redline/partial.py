"""What is left of a building that is cut, and is it cut at all? Remainders, position errors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import rule_file
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import (
    Lang,
    flat_shapes,
    one_of,
    require_columns,
    require_layer,
    require_polygons,
    require_valid,
)
from pinghu_geo.redline.areas import rows_near
from pinghu_geo.redline.depths import deepest
from pinghu_geo.redline.overlap import floor_area

__all__ = ["Uncertainty", "position_uncertainty", "remainders"]

SUGGESTIONS = ("keep", "cut", "whole")
# a lesser piece is the drawing's own rounding [m²]
SLIVER_M2 = 0.01
# further from the line than this many standard deviations nothing is in doubt
FAR = 4.0
QUANTILES = (0.1, 0.5, 0.9)


@takes()
def remainders(
    affected: gpd.GeoDataFrame,
    red_line: gpd.GeoDataFrame,
    *,
    rules: str | Path | None = None,
    lang: Lang = "zh",
) -> gpd.GeoDataFrame:
    """What is left of buildings that the red line cuts, and what to do with it 部分拆除建议.

    Parameters
    ----------
    affected
        Result of `affected`.
    red_line
        The line that cuts them.
    rules
        TOML file; by default the library's own, ``pinghu_geo/rules/remainder.toml``.
    lang
        Language of the reasons.

    Returns
    -------
    geopandas.GeoDataFrame
        The partly affected buildings: rest_m2, rest_ratio (of the footprint), rest_width_m
        (diameter of the largest circle that fits into the largest piece), n_parts, suggestion
        {keep, cut, whole}, reason, demolish_share (of the floor area: 0, the inside share, or 1);
        the geometry is what is left.

    Raises
    ------
    LayerError, CRSError
        A layer can't be used, or the rules are wrong.

    Notes
    -----
    Geometry only: whether a cut building stands is for a structural engineer. The cost follows as
    demolish_share times the floor area.

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> line = pg.red_line(rivers, 9.0)
    >>> found = pg.remainders(pg.affected(buildings, line, rivers), line)
    >>> set(found["suggestion"]) <= {"keep", "cut", "whole"}
    True
    """
    require_layer(affected, "affected", crs=red_line.crs)
    require_columns(affected, ("extent", "inside_m2", "cut_depth_m"), "affected")
    cut = affected[affected["extent"] == "partial"]
    shapes = flat_shapes(cut)
    rest = shapely.difference(shapes, red_line.geometry.union_all())
    pieces, of = shapely.get_parts(rest, return_index=True)
    area = shapely.area(pieces)
    real = area > SLIVER_M2
    pieces, of, area = pieces[real], of[real], area[real]
    found = pd.DataFrame(index=cut.index)
    found["rest_m2"] = np.bincount(of, area, minlength=len(cut))
    found["rest_ratio"] = found["rest_m2"] / shapely.area(shapes)
    # the circle's radius runs from its centre to the nearest wall
    wide = 2 * shapely.length(shapely.maximum_inscribed_circle(pieces, tolerance=0.01))
    largest = pd.Series(wide).groupby(of).max()
    found["rest_width_m"] = largest.reindex(range(len(cut)), fill_value=0.0).to_numpy()
    found["n_parts"] = np.bincount(of, minlength=len(cut))
    found["cut_depth_m"] = cut["cut_depth_m"]
    found["suggestion"], found["reason"] = _suggestions_by_rule(
        found, _remainder_rules(rules), lang
    )
    inside = cut["inside_m2"].to_numpy() / shapely.area(shapes)
    found["demolish_share"] = np.select(
        [found["suggestion"] == "keep", found["suggestion"] == "cut"], [0.0, inside], 1.0
    )
    return gpd.GeoDataFrame(found, geometry=rest, crs=affected.crs)


def _remainder_rules(path: str | Path | None) -> dict[str, Any]:
    """Rules for remainders, checked."""
    raw = rule_file(path, "remainder.toml")
    one_of(raw.get("otherwise", ""), SUGGESTIONS, "otherwise")
    known = ("rest_m2", "rest_ratio", "rest_width_m", "n_parts", "cut_depth_m")
    for rule in raw.get("rule", []):
        one_of(rule.get("suggestion", ""), SUGGESTIONS, "suggestion")
        one_of(rule.get("column", ""), known, "column")
        if ("at_most" in rule) == ("at_least" in rule):
            raise LayerError(
                f"a rule for {rule['column']} needs either at_most or at_least", layer="rules"
            )
    return raw


def _suggestions_by_rule(found: pd.DataFrame, rules: dict[str, Any], lang: Lang) -> tuple[Any, Any]:
    """Suggestion and reason of each building: the first rule that holds."""
    suggestion = np.full(len(found), rules["otherwise"], dtype=object)
    reason = np.full(len(found), "", dtype=object)
    open_ = np.ones(len(found), bool)
    for rule in rules.get("rule", []):
        values = found[rule["column"]].to_numpy(float)
        limit = rule.get("at_most", rule.get("at_least"))
        holds = open_ & (values <= limit if "at_most" in rule else values >= limit)
        suggestion[holds] = rule["suggestion"]
        reason[holds] = [rule[lang].format(value=v, limit=limit) for v in values[holds]]
        open_ &= ~holds
    return suggestion, reason


@dataclass(frozen=True, slots=True)
class Uncertainty(Result):
    """How sure the count of affected buildings is 定位不确定性.

    Attributes
    ----------
    buildings
        Buildings whose state is in doubt or that are inside: signed_m (depth inside the line, or
        minus the distance to it), probability of being affected, floor_area_m2, field_check.
    totals
        Rows P10, P50, P90: n_buildings, demolish_floor_area_m2 (of those whose floor area is
        known, NA where none is), and n_unknown: how many of ``buildings`` have none.
    """

    SHOWN: ClassVar = ("totals",)

    buildings: pd.DataFrame
    totals: pd.DataFrame

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """Between how many buildings the count lies."""
        low, middle, high = (f"{n:,.0f}" for n in self.totals["n_buildings"])
        return [
            say(
                "{} buildings are affected (with 80 % between {} and {}); "
                "{} to be looked at in the field.",
                lang,
                middle,
                low,
                high,
                int(self.buildings["field_check"].sum()),
            )
        ]


@takes()
def position_uncertainty(
    buildings: gpd.GeoDataFrame,
    red_line: gpd.GeoDataFrame,
    *,
    sigma_m: float,
    doubtful: tuple[float, float] = (0.05, 0.95),
) -> Uncertainty:
    """Chance that each building is affected, given how well positions are known 定位不确定性.

    Parameters
    ----------
    buildings
        Footprints, indexed by building_id, with floor areas.
    red_line
        The line.
    sigma_m
        Standard deviation of the distance between a wall and the line [m]: survey of the walls
        and setting-out of the line together. State it from the survey's own report: there is no
        default, and the scale of a map is no accuracy.
    doubtful
        Probabilities between which a building goes on the list for the field (现场勘查).

    Returns
    -------
    Uncertainty
        Probabilities by building and P10, P50, P90 of count and floor area.

    Raises
    ------
    LayerError, CRSError
        A layer can't be used; sigma_m is not above 0.

    Notes
    -----
    A building is affected when its deepest point lies inside. With a normal error across the line
    its chance is Φ(depth / σ), the depth negative for the distance of one outside. Errors of
    different buildings are taken as independent: a shift of the whole map is not in it. The
    quantiles are those of the exact distribution for the count (Poisson binomial), and of 4,000
    draws from a fixed seed for the floor area.

    References
    ----------
    Hong, On computing the distribution function for the Poisson binomial distribution,
    Computational Statistics and Data Analysis 59 (2013) 41-51.

    Examples
    --------
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> line = pg.red_line(pg.read_layer(sample / "河道.shp", "rivers"), 9.0)
    >>> found = pg.redline.position_uncertainty(buildings, line, sigma_m=0.5)
    >>> found.totals["n_buildings"].is_monotonic_increasing
    True
    """
    from scipy.special import ndtr  # slow to import, and only this needs it

    require_layer(buildings, "buildings", crs=red_line.crs, valid=False)
    require_polygons(buildings, "buildings")
    low, high = doubtful
    if not sigma_m > 0 or not 0 <= low < high <= 1:
        raise LayerError(
            f"sigma_m={sigma_m!r}, doubtful={doubtful!r} can't be used",
            layer="position_uncertainty",
            hint="sigma_m in metres, above 0; doubtful=(0.05, 0.95)",
        )
    shapes = flat_shapes(buildings)
    union = red_line.geometry.union_all()
    near = rows_near(buildings, union, within_m=FAR * sigma_m)
    require_valid(buildings, "buildings", near=near)
    near = near[shapely.dwithin(shapes[near], union, FAR * sigma_m)]
    signed = _signed_depths(shapes[near], union)
    rows = buildings.iloc[near]
    area = floor_area(rows)["floor_area_m2"].to_numpy(float)
    p = ndtr(signed / sigma_m)
    table = pd.DataFrame(
        {
            "signed_m": signed,
            "probability": p,
            "floor_area_m2": area,
            "field_check": (p > low) & (p < high),
        },
        index=rows.index,
    )
    return Uncertainty(table, _quantile_table(p, area))


def _signed_depths(shapes: NDArray[np.object_], union: Any) -> NDArray[np.float64]:
    """Depth of the deepest point inside the line [m], or minus the distance to it."""
    shapely.prepare(union)
    signed: NDArray[np.float64] = -shapely.distance(shapes, union)
    inside = signed >= 0
    signed[inside] = deepest(shapes[inside], union)
    return signed


def _quantile_table(p: Any, area: Any) -> pd.DataFrame:
    """P10, P50 and P90 of how many are affected and how much floor area that is."""
    count = np.array([1.0])
    for one in p[(p > 0) & (p < 1)]:
        count = np.append(count * (1 - one), 0.0) + np.append(0.0, count * one)
    sure = int((p >= 1).sum())
    numbers = [sure + int(np.searchsorted(np.cumsum(count), q)) for q in QUANTILES]
    draws = np.random.default_rng(0).random((4000, len(p))) < p
    unknown = np.isnan(area) & (p > 0)
    floors = np.quantile(draws @ np.nan_to_num(area), QUANTILES)
    if unknown.any() and unknown.sum() == (p > 0).sum():
        floors = np.full(len(QUANTILES), np.nan)
    return pd.DataFrame(
        {
            "n_buildings": numbers,
            "demolish_floor_area_m2": floors,
            "n_unknown": int(unknown.sum()),
        },
        index=pd.Index([f"P{q:.0%}".rstrip("%") for q in QUANTILES], name="quantile"),
    )
