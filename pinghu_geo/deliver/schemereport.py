"""Which scheme, and why? The report on schemes with its proof and its reservations (比选报告)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from pinghu_geo.deliver.drafts import write_papers
from pinghu_geo.deliver.templates import Picture
from pinghu_geo.deliver.wording import (
    rows_with_index,
    texts_of_row,
)
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import require_suffix
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.schema import Lang, code_label, require_layer
from pinghu_geo.schemes.alternatives import Comparison
from pinghu_geo.search.optimise import LeastDemolition
from pinghu_geo.search.outcome import WithinRise

__all__ = ["write_scheme_report"]


@takes()
def write_scheme_report(
    comparison: Comparison,
    target: str | Path,
    *,
    rivers: gpd.GeoDataFrame,
    searched: Mapping[str, LeastDemolition | WithinRise] | None = None,
    widths: Mapping[str, pd.DataFrame] | None = None,
    reservations: Sequence[str] = (),
    template: str | Path | None = None,
    project: str = "",
    note: str = "",
    lang: Lang = "zh",
) -> Path:
    """Write the report on schemes: tables, maps, proof and reservations 方案比选报告.

    Parameters
    ----------
    comparison
        Result of `compare`.
    target
        ``.docx``.
    rivers
        Centrelines.
    searched
        Results of `least_demolition` (within a rise, too) by the name of their scheme.
    widths
        Width tables by scheme: the baseline's and those of what was searched are drawn.
    reservations
        Sentences that stand among the reservations, such as a run's warnings.
    template
        The office's own ``.docx``; see `write_templates`.
    project, note
        Its name, and where the data come from.
    lang
        Language of our template and of codes.

    Returns
    -------
    pathlib.Path
        What was written.

    Raises
    ------
    OutputError, LayerError
        The target is no .docx; a layer or the template can't be used.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> lines = {"甲": pg.red_line(rivers, 9.0), "乙": pg.red_line(rivers, 8.0)}
    >>> found = pg.compare(lines, buildings, rivers)
    >>> pg.deliver.write_scheme_report(found, folder / "比选.docx", rivers=rivers).name
    '比选.docx'
    """
    require_suffix(Path(target), ".docx")
    require_layer(rivers, "rivers")
    searched = {} if searched is None else searched
    for name in searched:
        if name not in comparison.schemes:
            raise LayerError(f"{name!r} was searched for and isn't compared", layer="searched",
                             hint="pg.compare(schemes, buildings, rivers)")  # fmt: skip
    proofs, proof_said = _proof_rows_and_lines(searched, lang)
    paper = {
        "project": project, "note": note, "baseline": comparison.baseline,
        "said": comparison.summary(lang=lang), "proofs": proofs, "proof_said": proof_said,
        "totals": [_row_of_totals(k, r, lang) for k, r in rows_with_index(comparison.totals)],
        "by_river": [_row_of_change(k, r, lang)
                     for k, r in rows_with_index(_in_order_of_layer(comparison.by_river, rivers))],
        "maps": _maps_of_changes(comparison, rivers, lang),
        "widths": _plots_of_widths(comparison, searched, widths or {}, rivers, lang),
        "reservations": _reservations_in_words(comparison, searched, reservations, lang),
    }  # fmt: skip
    return write_papers("schemes", {"": paper}, target, template, lang)[0]


def _in_order_of_layer(by_river: pd.DataFrame, rivers: gpd.GeoDataFrame) -> pd.DataFrame:
    """Rows of each scheme and river, each in its own order."""
    schemes = by_river.index.get_level_values("scheme")
    ranks = pd.DataFrame({
        "scheme": pd.factorize(schemes)[0],
        "river": rivers.index.get_indexer(by_river.index.get_level_values("river")),
    })  # fmt: skip
    return by_river.iloc[ranks.sort_values(["scheme", "river"], kind="stable").index]


def _ten_thousands_of_yuan(yuan: Any, lang: Lang) -> str:
    """Yuan in ten thousands, as offices say sums."""
    return say("unknown", lang) if yuan is None or pd.isna(yuan) else f"{yuan / 1e4:,.2f}"


def _row_of_totals(scheme: Any, row: dict[str, Any], lang: Lang) -> dict[str, str]:
    row = {k: round(v) if k.endswith("_m2") and v is not None else v for k, v in row.items()}
    names = ("n_buildings", "n_full", "demolish_floor_area_m2", "n_tenants", "works_m2", "n_nodes")
    return _texts_known_in_part(row, names, "demolish_floor_area_m2", "n_tenants", lang) | {
        "scheme": str(scheme),
        "cost": _ten_thousands_of_yuan(row.get("cost_yuan"), lang),
    }


def _texts_known_in_part(
    row: dict[str, Any], names: Sequence[str], area: str, tenants: str, lang: Lang
) -> dict[str, str]:
    """Texts of a row, both sums with of how many buildings they aren't known."""
    found = texts_of_row(row, names, lang)
    for column, lost in ((area, "n_unknown"), (tenants, "n_tenants_unknown")):
        if row.get(lost) and row.get(column) is not None and pd.notna(row[column]):
            found[column] += say(" (and {})", lang, say("{} buildings unknown", lang, row[lost]))
    return found


def _row_of_change(key: Any, row: dict[str, Any], lang: Lang) -> dict[str, str]:
    scheme, river = key
    area = row.get("avoided_floor_area_m2")
    row = row | {"avoided_floor_area_m2": None if area is None or pd.isna(area) else round(area)}
    names = ("n_saved", "n_added", "avoided_floor_area_m2", "avoided_tenants")
    return _texts_known_in_part(row, names, "avoided_floor_area_m2", "avoided_tenants", lang) | {
        "scheme": str(scheme),
        "river": str(river),
        "saved": _ten_thousands_of_yuan(row.get("avoided_yuan"), lang),
    }


def _proof_rows_and_lines(
    searched: Mapping[str, LeastDemolition | WithinRise], lang: Lang
) -> tuple[list[dict[str, str]], list[str]]:
    """The certificate of each search, river by river, and its sentences."""
    rows, said = [], []
    for name, best in searched.items():
        # what its schemes differ in is said of the project's, by their names
        own = best.summary(lang=lang)[len(best.comparison.summary(lang=lang)) :]
        said += [f"{name}{say(': ', lang)}{text}" for text in own]
        for _, row in rows_with_index(best.certificate):
            sums = {key: _sum_of_search(row, key, lang) for key in ("total", "bound", "gap")}
            word = code_label("proof", row["proof"], lang=lang)
            rows.append({"scheme": name, "river": str(row["river"]), "proof": word} | sums)
    return rows, said


def _sum_of_search(row: dict[str, Any], key: str, lang: Lang) -> str:
    """A sum of a certificate with its unit: without rates it is floor area."""
    if f"{key}_yuan" in row:
        return say("{} × 10,000 yuan", lang, _ten_thousands_of_yuan(row[f"{key}_yuan"], lang))
    return f"{row[f'{key}_floor_area_m2']:,.0f} m²"


def _maps_of_changes(
    comparison: Comparison, rivers: gpd.GeoDataFrame, lang: Lang
) -> list[dict[str, Any]]:
    """Where each scheme spares and takes, against the baseline."""
    if find_spec("matplotlib") is None:
        return []
    from pinghu_geo.deliver.extracts import changes_picture

    base, found = comparison.schemes[comparison.baseline], []
    for name, one in comparison.schemes.items():
        if name == comparison.baseline:
            continue
        rows = comparison.changes[comparison.changes["scheme"] == name]
        still = one.affected[
            ~one.affected.index.isin(rows.loc[rows["change"] == "added", "building_id"])
        ]
        png = changes_picture(rows, still, rivers, [base.red_line, one.red_line], lang=lang)
        said = say("map: {} against {}", lang, name, comparison.baseline)
        found.append({"picture": Picture(png, 170), "said": said})
    return found


def _plots_of_widths(
    comparison: Comparison,
    searched: Mapping[str, LeastDemolition | WithinRise],
    widths: Mapping[str, pd.DataFrame],
    rivers: gpd.GeoDataFrame,
    lang: Lang,
) -> list[dict[str, Any]]:
    """Width of the line along each river, before and after, where both are known."""
    before = widths.get(comparison.baseline)
    if find_spec("matplotlib") is None or before is None:
        return []
    from pinghu_geo.deliver.extracts import figure_png
    from pinghu_geo.deliver.plots import plot_widths

    found = []
    for name, best in searched.items():
        for river in dict.fromkeys(best.widths["river"]):
            if river not in set(before["river"]):
                continue
            houses = _as_counted(best.buildings, comparison, name)
            figure = plot_widths(before, best.widths, river, buildings=houses, rivers=rivers,
                                 searched=best.searched, lang=lang)  # fmt: skip
            found.append({"picture": Picture(figure_png(figure), 170), "said": f"{name} · {river}"})
    return found


def _as_counted(houses: pd.DataFrame, comparison: Comparison, scheme: str) -> pd.DataFrame:
    """Houses within reach of a search as the tables count them: once, and saved where clear."""
    river = comparison.schemes[scheme].affected["river"].astype(object).reindex(houses.index)
    rows = comparison.changes
    spared = rows.loc[(rows["scheme"] == scheme) & (rows["change"] == "saved"), "building_id"]
    # counted as taken by the search, which asks for more than that the line as drawn is clear
    near = (houses["state"] == "near") & houses.index.isin(spared)
    found = houses.assign(state=houses["state"].mask(near, "saved"))
    return found[(river.isna() | (river == houses["river"])).to_numpy()]


def _reservations_in_words(
    comparison: Comparison,
    searched: Mapping[str, LeastDemolition | WithinRise],
    given: Sequence[str],
    lang: Lang,
) -> list[str]:
    """What the figures don't say: what was estimated, what isn't known, what others decide."""
    found = []
    for name, row in rows_with_index(comparison.totals):
        if row.get("estimated_m2"):
            found.append(say("{}: {} m² of the floor area are estimated as footprint times floors.",
                             lang, name, f"{row['estimated_m2']:,.0f}"))  # fmt: skip
        if row.get("n_unknown"):
            found.append(say("{}: the floor area of {} buildings isn't known.", lang, name,
                             row["n_unknown"]))  # fmt: skip
        if row.get("n_survey"):
            found.append(say("{}: {} buildings touch the line by less than its accuracy: "
                             "survey them.", lang, name, row["n_survey"]))  # fmt: skip
    if comparison.totals.get("cost_yuan") is None:
        found.append(say("No prices are given: no compensation is computed.", lang))
    else:
        found.append(say("Compensation is computed by the rates given; valuation decides.", lang))
    if searched:
        found.append(say("A proof holds within the moves and widths given to the search, and no "
                         "further.", lang))  # fmt: skip
    found.append(say("Whether a design passes the flood is decided by the flood-impact evaluation.",
                     lang))  # fmt: skip
    return [*found, *given]
