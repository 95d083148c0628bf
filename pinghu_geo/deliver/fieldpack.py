"""What does the inspector take along? A GeoPackage and a project that QField edits."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow

from pinghu_geo.campaign.progress import ProgressState
from pinghu_geo.campaign.stages import stage_rules, stage_words
from pinghu_geo.deliver.qgis import write_qgis_project
from pinghu_geo.deliver.report import write_results
from pinghu_geo.nouns.door import require_known_nodes, same_ids, takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.files import require_suffix
from pinghu_geo.nouns.schema import Lang, require_columns

__all__ = ["write_field_package"]

# What the field fills in, in the order of its form.
FILLED = ("stage", "date", "blocker", "by", "note", "photo", "correction")
HOUSE = ("node_id", "river", "bank", "chainage_m", "owner", "demolish_floor_area_m2")
TENANT = ("building_id", "node_id", "name", "kind", "area_m2")


@takes(tenants="tenants")
def write_field_package(
    buildings: gpd.GeoDataFrame,
    nodes: gpd.GeoDataFrame,
    state: ProgressState,
    target: str | Path,
    *,
    tenants: pd.DataFrame | None = None,
    stages: pd.DataFrame | None = None,
    project: str = "",
    lang: Lang = "zh",
) -> list[Path]:
    """Write houses to report on in the field, for QField or QGIS 外业填报包.

    Parameters
    ----------
    buildings, nodes
        ``campaign_tasks(...).buildings`` and ``.nodes``.
    state
        Result of `progress_state`: the last state of each house.
    target
        ``.gpkg``; a ``.qgz`` of the same name is written beside it. Copy both to the device.
    tenants
        ``campaign_tasks(...).tenants``, for a second table.
    stages
        Result of `stage_rules`.
    project
        Its name stands in the package, so that one of another project is refused.
    lang
        Language of the forms.

    Returns
    -------
    list
        Paths of both.

    Raises
    ------
    OutputError, LayerError
        The target is no .gpkg; a column is missing; a house whose state isn't known.

    Notes
    -----
    The layer ``progress`` has a row a house: what is known can't be edited; stage (a list), date,
    blocker, by, note, photo (the file's name) and the reason of a correction are filled in. The
    blocker that stands is there, to be changed or cleared. `read_reports` and ``pinghu update``
    read the returned package and take only what changed; a report that can't be beside another,
    of the office or of a second device, is refused, both named.

    Examples
    --------
    >>> houses = gpd.GeoDataFrame({"node_id": ["A-L-001"], "river": "A", "bank": "left"},
    ...                           geometry=[shapely.box(0, 0, 9, 9)], crs=4547, index=["B1"])
    >>> houses.index.name = "building_id"
    >>> nodes = houses.rename_axis("node_id").set_axis(["A-L-001"]).drop(columns="node_id")
    >>> log = pd.DataFrame({"building_id": ["B1"], "stage": ["谈判"], "date": ["2018-03-01"]})
    >>> state = pg.progress_state(log, houses)
    >>> made = pg.deliver.write_field_package(houses, nodes, state, folder / "外业.gpkg")
    >>> [p.name for p in made], len(pg.campaign.read_reports(made[0]))
    (['外业.gpkg', '外业.qgz'], 0)
    """
    path = Path(target)
    require_suffix(path, ".gpkg")
    require_columns(buildings, ["node_id"], "buildings")
    require_known_nodes(buildings, nodes)
    stages = stage_rules() if stages is None else stages
    words = stage_words(stages, lang=lang)
    ours = buildings[buildings["node_id"].notna()]
    layers: dict[str, pd.DataFrame] = {
        "progress": _rows_to_fill_in(ours, HOUSE, state.buildings, "buildings"),
        "nodes": nodes,
    }
    if tenants is not None and len(people := tenants[tenants["node_id"].notna()]):
        layers["progress_tenants"] = _rows_to_fill_in(people, TENANT, state.tenants, "tenants")
    layers["campaign"] = pd.DataFrame({"project": [project]})
    given = {word: code for word, code in words.items() if word in stages.index}
    codes = {"stage": given, "last_stage": words}
    fixed = [c for name in layers for c in (*layers[name].columns, layers[name].index.name)
             if c is not None and c not in FILLED]  # fmt: skip
    write_results(layers, path, codes=codes, fixed=fixed, lang=lang)
    write_qgis_project(layers, path, path.with_suffix(".qgz"), codes=codes, fixed=fixed,
                       title=project, lang=lang)  # fmt: skip
    return [path, path.with_suffix(".qgz")]


def _rows_to_fill_in(
    rows: pd.DataFrame, columns: tuple[str, ...], state: pd.DataFrame, layer: str
) -> pd.DataFrame:
    """What is known of each row and its last state, and blanks to be filled in."""
    keys = same_ids(rows.index, state.index)
    lost = ~keys.isin(state.index)
    if lost.any():
        raise LayerError("aren't in the state", layer=layer, ids=rows.index[lost],
                         hint="state = pg.progress_state(log, tasks.buildings)")  # fmt: skip
    found = rows[[c for c in (*columns, "geometry") if c in rows]].copy()
    now = state.loc[keys]
    found["last_stage"] = now["stage"].to_numpy()
    # days, not moments: a device east of Greenwich keeps the midnight of a moment as the day before
    day = pd.ArrowDtype(pyarrow.date32())
    found["last_date"] = pd.Series(pd.to_datetime(now["since"]).to_numpy(), found.index).astype(day)
    found["last_blocker"] = (
        now["blocker"].astype(object).where(now["blocker"].notna(), None).to_numpy()
    )
    for name in FILLED:
        found[name] = None
    found["date"] = pd.Series(None, found.index, dtype=day)
    found["blocker"] = found["last_blocker"]
    return found
