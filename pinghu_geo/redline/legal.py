"""Which line does the law of the place draw along a river? Management ranges 管理范围."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.files import rule_file
from pinghu_geo.nouns.schema import one_of
from pinghu_geo.redline.lines import Widths, red_line, width_rows
from pinghu_geo.river.centreline import lay_out

__all__ = ["management_line", "management_rules"]


def management_rules(path: str | Path | None = None) -> pd.DataFrame:
    """Rules of river management ranges that were seen in the text of a law 管理范围规则.

    Parameters
    ----------
    path
        TOML file; by default the library's own, ``pinghu_geo/rules/management.toml``.

    Returns
    -------
    pandas.DataFrame
        Indexed by rule: jurisdiction, law, article, applies, from (the line that distance_m is
        measured from), distance_m, bound {at_least, at_most}.

    Raises
    ------
    LayerError
        The file is missing or wrong.

    Notes
    -----
    Only rules whose text was verified; none for Shenzhen is among them.

    References
    ----------
    防洪法 (2016) Art. 21; 河道管理条例 (2018) Art. 20; columns ``law`` and ``article`` name those
    of each rule.

    Examples
    --------
    >>> pg.redline.management_rules().loc["zhejiang_flood_channel", "article"]
    '第十八条'
    """
    table = pd.DataFrame.from_dict(rule_file(path, "management.toml"), orient="index")
    table.index.name = "rule"
    return table


@takes()
def management_line(
    rivers: gpd.GeoDataFrame,
    widths: Widths,
    *,
    rule: str,
    rules: pd.DataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Management range of a river by the law of its place 河道管理范围线.

    Parameters
    ----------
    rivers
        Centrelines.
    widths
        Where the line stands that the rule measures from (its column ``from``: the revetment's
        water-side top, the blue line ...): river, chainage_m, left_m, right_m [m], or constant
        widths as for `red_line`.
    rule
        Name of a rule of `management_rules`.
    rules
        Other rules.

    Returns
    -------
    geopandas.GeoDataFrame
        As `red_line`, of kind ``management``, with rule, law, article and bound. A rule
        ``at_least`` gives the least range, ``at_most`` the greatest; the authority draws the
        line itself.

    Raises
    ------
    LayerError, CRSError, ChainageError
        The rule is not known, or as `red_line`.

    References
    ----------
    防洪法 (2016) Art. 21; 河道管理条例 (2018) Art. 20; each row of `management_rules` names its own
    law and article.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    >>> line = pg.redline.management_line(rivers, widths, rule="zhejiang_county")
    >>> line[["kind", "article"]].iloc[0].tolist()
    ['management', '第十八条']
    """
    table = management_rules() if rules is None else rules
    one_of(rule, table.index, "rule")
    one = table.loc[rule]
    widths = width_rows(widths, lay_out(rivers))
    wider = widths.assign(
        left_m=widths["left_m"] + one["distance_m"], right_m=widths["right_m"] + one["distance_m"]
    )
    line = red_line(rivers, wider)
    return line.assign(
        kind="management",
        rule=rule,
        law=one["law"],
        article=one["article"],
        bound=one["bound"],
    )
