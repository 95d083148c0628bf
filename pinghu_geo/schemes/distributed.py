"""More footprints than fit into memory? The same rows, partition by partition."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.intake.formats import PARQUET, covering, own_errors, require_sound
from pinghu_geo.intake.recognised import canonical_layer
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError, OutputError, PinghuError, reason
from pinghu_geo.nouns.files import existing, require_signature
from pinghu_geo.nouns.notices import heard
from pinghu_geo.nouns.replacing import atomic_folder, in_words
from pinghu_geo.nouns.schema import flat_shapes, noun, require_layer
from pinghu_geo.redline.overlap import affected, warn_estimated

__all__ = ["affected_parquet"]

Progress = Callable[[str], None]
# Rows taken into memory at a time.
BATCH_ROWS = 100_000
# How far from the red line rows are still looked at [m].
MARGIN_M = 1.0


class _Partition(NamedTuple):
    """One partition: a row group of a file, its place in the order, its rows."""

    number: int
    path: Path
    group: int
    rows: int

    def __str__(self) -> str:
        return f"{self.path.name} row group {self.group}"


class _Job(NamedTuple):
    """What is done to every partition."""

    red_line: gpd.GeoDataFrame
    group: Any
    rivers: gpd.GeoDataFrame
    folder: Path
    what: str
    id_column: str | None
    prepare: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame] | None
    options: dict[str, Any]


@takes()
def affected_parquet(
    source: str | Path,
    red_line: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    target: str | Path,
    *,
    what: Literal["buildings", "parcels"] = "buildings",
    id_column: str | None = None,
    prepare: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame] | None = None,
    partial_rule: Literal["whole", "share"] = "whole",
    survey_tolerance_m: float = 0.5,
    client: Any = None,
    retries: int = 2,
    force: bool = False,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Affected buildings of a GeoParquet larger than the memory, part by part 分区受影响房屋.

    Parameters
    ----------
    source
        GeoParquet file, or a folder of them. Row groups are the partitions; those whose covering
        (``bbox``) lies away from the red line are not read. Best sorted along a Hilbert curve.
    red_line, rivers
        As for `affected`; in the CRS of the files.
    target
        Folder for the result: GeoParquet files in the order of the partitions. It appears whole or
        not at all.
    what
        Noun of the rows.
    id_column
        Column that holds the ids, as for `read_layer`.
    prepare
        Applied to the rows near the red line before anything else, such as
        ``lambda f: pg.repair(f).layer``.
    partial_rule, survey_tolerance_m
        As for `affected`.
    client
        ``distributed.Client`` of a Dask cluster that sees the same files (extra ``distributed``);
        without one the partitions follow one another in this process.
    retries
        How often a partition that failed on a cluster is tried again.
    force
        Replace an existing folder of such a result; other files in it are carried into the new.
    progress
        Called with a line of text now and then.

    Returns
    -------
    pandas.DataFrame
        One row a partition that was read, in their order: file, row_group, n_rows, n_near (rows in
        the red line's boxes), n_affected, n_estimated (floor areas that had to be estimated). The
        affected rows are in ``target``: ``geopandas.read_parquet(target)``.

    Raises
    ------
    LayerError, CRSError
        A partition can't be used; it is named. Ids occur in several partitions.
    OutputError
        The folder exists and isn't such a result, or without ``force``; another run is writing
        it; it can't be written; the cluster is lost.

    Notes
    -----
    Each partition goes through `affected` as the whole layer would, so that the rows are the same.
    What lies away from the red line is neither checked nor repaired. A partition writes a file of
    its own under a temporary name first: whichever worker ends it, and however often, it is there
    once.

    References
    ----------
    OGC 06-103r4, Simple feature access, part 1: common architecture (area, intersection, distance).
    GeoParquet 1.1 (OGC): bounding boxes of row groups.

    Examples
    --------
    >>> houses = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> line = pg.red_line(rivers, 9.0)
    >>> houses.to_parquet(folder / "房屋.parquet", write_covering_bbox=True, row_group_size=500)
    >>> parts = pg.affected_parquet(folder / "房屋.parquet", line, rivers, folder / "受影响")
    >>> found = gpd.read_parquet(folder / "受影响")
    >>> found.index.tolist() == pg.affected(houses, line, rivers).index.tolist()
    True
    """
    require_layer(red_line, "red_line")
    if red_line.empty:
        raise LayerError("has no rows", layer="red_line", hint="pg.red_line(rivers, widths)")
    tell, goal = progress or (lambda _: None), Path(target)
    parts = _partitions_near_line(Path(source), red_line, what)
    options = {"partial_rule": partial_rule, "survey_tolerance_m": survey_tolerance_m}
    with atomic_folder(goal, ours=_result_files, force=force, tell=tell) as folder:
        group = _touching_groups(red_line)
        job = _Job(red_line, group, rivers, folder.resolve(), what, id_column, prepare, options)
        run = (
            _run_in_turn(parts, job)
            if client is None
            else _run_on_cluster(parts, job, client, retries)
        )
        done = []
        for row in run:
            done.append(row)
            tell(f"{len(done)}/{len(parts)} {row['file']} {row['row_group']}: {row['n_affected']}")
        table = pd.DataFrame(done, columns=["number", "file", "row_group", "n_rows", "n_near",
                                            "n_affected", "n_estimated"])  # fmt: skip
        for left in folder.glob(".part-*"):  # of workers that died while they wrote
            left.unlink()
        _require_unique_ids(folder, what)
        if not any(folder.glob("part-*.parquet")):
            _write_no_rows(Path(source), job)
    estimated = int(table["n_estimated"].sum())
    if estimated:
        warn_estimated(estimated, int(table["n_affected"].sum()))
    return table.sort_values("number").drop(columns="number").reset_index(drop=True)


def _result_files(folder: Path) -> dict[str, str] | None:
    """Files of such a result, whose bytes are not known; None where the folder is none."""
    ours = {p.name: "" for p in folder.iterdir() if re.fullmatch(r"part-\d{6}\.parquet", p.name)}
    return ours if ours or not any(folder.iterdir()) else None


# --- partitions -------------------------------------------------------------------------------


def _partitions_near_line(source: Path, red_line: gpd.GeoDataFrame, what: str) -> list[_Partition]:
    """Row groups that may hold affected rows."""
    import pyarrow.parquet as pq

    existing(source, what)
    files = [source] if source.is_file() else sorted(source.rglob("*.parquet"))
    if not files or files[0].suffix.lower() not in PARQUET:
        raise LayerError(
            f"{source.name} is no GeoParquet, nor a folder of them",
            layer=what,
            hint='pg.write_layer(frame, "房屋.parquet", "buildings")',
        )
    zones = shapely.STRtree(_line_boxes(red_line))
    found, number = [], 0
    for file in files:
        require_signature(file, what)
        with own_errors(file, what):
            data = pq.read_metadata(file)
            bounds = covering(_geometry_column(data.metadata, file, what)[1])
        at = {data.row_group(0).column(k).path_in_schema: k for k in range(data.num_columns)} if (
            data.num_row_groups) else {}  # fmt: skip
        for group in range(data.num_row_groups):
            rows = data.row_group(group)
            box = _row_group_bounds(rows, [at.get(".".join(c)) for c in bounds]) if bounds else None
            if box is None or len(zones.query(shapely.box(*box))):
                found.append(_Partition(number, file.resolve(), group, rows.num_rows))
            number += 1
    return found


def _line_boxes(red_line: gpd.GeoDataFrame) -> Any:
    """Parts of the red line, a little wider."""
    parts = shapely.get_parts(flat_shapes(red_line))
    return shapely.box(*(shapely.bounds(parts) + [-MARGIN_M, -MARGIN_M, MARGIN_M, MARGIN_M]).T)


def _touching_groups(red_line: gpd.GeoDataFrame) -> Any:
    """Which rows of the red line belong together: what touches decides on edges and depths."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    shapes = flat_shapes(red_line)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    graph = coo_matrix((np.ones(len(one)), (one, other)), shape=(len(shapes), len(shapes)))
    return connected_components(graph, directed=False)[1]


def _layers_near_rows(
    job: _Job, layer: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """The red lines, whole groups of them, and rivers that a batch of rows may have to do with."""
    x0, y0, x1, y1 = shapely.bounds(flat_shapes(job.red_line)).T
    low_x, low_y, high_x, high_y = layer.total_bounds
    meets = (x0 <= high_x) & (x1 >= low_x) & (y0 <= high_y) & (y1 >= low_y)
    line = job.red_line[np.isin(job.group, job.group[meets])]
    return line, job.rivers[job.rivers.index.astype(str).isin(line["river"].astype(str))]


def _geometry_column(metadata: Any, path: Path, what: str) -> tuple[str, dict[str, Any]]:
    """Name and description of a file's geometry column."""
    geo = json.loads((metadata or {}).get(b"geo", b"{}"))
    name = geo.get("primary_column")
    if name is None or geo["columns"][name].get("encoding") != "WKB":
        raise LayerError(
            f"{path.name} is no GeoParquet with WKB",
            layer=what,
            hint='write it with frame.to_parquet(..., geometry_encoding="WKB")',
        )
    return name, geo["columns"][name]


def _row_group_bounds(
    rows: Any, columns: list[int | None]
) -> tuple[float, float, float, float] | None:
    """Bounds of a row group by its statistics."""
    if None in columns:
        return None
    stats = [rows.column(k).statistics for k in columns]
    if not all(s is not None and s.has_min_max for s in stats):
        return None
    west, south, east, north = stats
    return west.min, south.min, east.max, north.max


def _rows_near_line(part: _Partition, job: _Job) -> Iterator[gpd.GeoDataFrame]:
    """Rows of a partition whose boxes meet the red line's, so many at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    zones = shapely.STRtree(_line_boxes(job.red_line))
    with pq.ParquetFile(part.path) as file:
        name, column = _geometry_column(file.schema_arrow.metadata, part.path, job.what)
        paths = covering(column)
        for batch in file.iter_batches(BATCH_ROWS, row_groups=[part.group]):
            require_sound(pa.Table.from_batches([batch]), {name: column})
            box = _row_boxes(batch, paths)
            if box is None:
                box = shapely.bounds(shapely.from_wkb(np.asarray(batch.column(name))))
            meets = np.zeros(len(box), bool)
            meets[zones.query(shapely.box(*np.nan_to_num(box, nan=1e300).T))[0]] = True
            table = batch.filter(meets).drop_columns(sorted({p[0] for p in paths}))
            plain = table.to_pandas()
            shapes = shapely.from_wkb(plain.pop(name).to_numpy())
            yield gpd.GeoDataFrame(plain, geometry=shapes, crs=column.get("crs", "OGC:CRS84"))


def _row_boxes(batch: Any, paths: list[tuple[str, ...]]) -> Any:
    """Bounds of the rows from their covering."""
    if not paths:
        return None
    import pyarrow.compute as pc

    bounds = [pc.struct_field(batch.column(p[0]), p[1:]) for p in paths]
    return np.column_stack(bounds).astype(float)


# --- work -------------------------------------------------------------------------------------


def _write_partition(part: _Partition, job: _Job) -> dict[str, Any]:
    """Affected rows of one partition into a file of its own; what there was."""
    hits, near = [], 0
    for frame in _rows_near_line(part, job):
        seen = Findings(job.what)
        layer = canonical_layer(frame, noun(job.what), job.id_column, seen, row_ids=False)
        layer = layer if job.prepare is None else job.prepare(layer)
        near += len(layer)
        line, rivers = _layers_near_rows(job, layer)
        if line.empty:
            continue
        with heard():  # estimates are summed up by the caller
            hits.append(affected(layer, line, rivers, **job.options))
    some = [hit for hit in hits if len(hit)]
    estimated = 0
    if some:
        frame = gpd.GeoDataFrame(pd.concat(some), crs=some[0].crs)
        for name in frame.columns[frame.isna().all()]:  # so that all files have one schema
            if frame[name].dtype == object:
                frame[name] = frame[name].astype("str")
        if "floor_area_source" in frame:
            estimated = int((frame["floor_area_source"] == "estimated").sum())
        place = job.folder / f"part-{part.number:06d}.parquet"
        made = job.folder / f".{place.stem}-{uuid.uuid4().hex}"
        with in_words(place):
            frame.to_parquet(made, write_covering_bbox=True)
            os.replace(made, place)
    return {
        "number": part.number, "file": part.path.name, "row_group": part.group,
        "n_rows": part.rows, "n_near": near, "n_affected": sum(map(len, some)),
        "n_estimated": estimated,
    }  # fmt: skip


def _write_no_rows(source: Path, job: _Job) -> None:
    """A part without rows, with all columns: a folder without files can't be read."""
    import pyarrow.parquet as pq

    file = source if source.is_file() else min(source.rglob("*.parquet"))
    table = pq.read_schema(file).empty_table()
    name, column = _geometry_column(table.schema.metadata, file, job.what)
    table = table.drop_columns(sorted({p[0] for p in covering(column)}))
    plain = table.to_pandas().drop(columns=name)
    frame = gpd.GeoDataFrame(plain, geometry=[], crs=column.get("crs", "OGC:CRS84"))
    layer = canonical_layer(frame, noun(job.what), job.id_column, Findings(job.what), row_ids=False)
    layer = layer if job.prepare is None else job.prepare(layer)
    none = affected(layer, job.red_line, job.rivers, **job.options)
    none.to_parquet(job.folder / "part-000000.parquet", write_covering_bbox=True)


def _run_in_turn(parts: Iterable[_Partition], job: _Job) -> Iterator[dict[str, Any]]:
    """One partition after the other, in this process."""
    for part in parts:
        try:
            yield _write_partition(part, job)
        except OutputError:  # is no matter of the partition
            raise
        except Exception as fault:
            raise _partition_error(part, fault) from fault


def _run_on_cluster(
    parts: list[_Partition], job: _Job, client: Any, retries: int
) -> Iterator[dict[str, Any]]:
    """All partitions on a Dask cluster, as they end."""
    from distributed import CancelledError, as_completed  # type: ignore[attr-defined,unused-ignore]
    from distributed.comm.core import CommClosedError

    run = uuid.uuid4().hex
    try:
        # a task, and no scattered data: where its worker dies, another one has it again
        shared = client.submit(_shared_job, job, key=f"affected-{run}-job", retries=retries)
        futures = {
            client.submit(
                _write_partition, part, shared, key=f"affected-{run}-{part.number}", retries=retries
            ): part
            for part in parts
        }
        try:
            for future in as_completed(futures):
                try:
                    yield future.result()
                except (CommClosedError, CancelledError, OutputError):
                    raise
                except Exception as fault:
                    raise _partition_error(futures[future], fault) from fault
        finally:
            with suppress(Exception):  # of a cluster that is gone
                client.cancel([*futures, shared])
    except (CommClosedError, CancelledError, TimeoutError) as fault:
        raise OutputError(
            f"the cluster is lost: {str(fault) or type(fault).__name__}",
            hint="start it again and run once more; nothing was written",
        ) from fault


def _shared_job(job: _Job) -> _Job:
    return job


def _partition_error(part: _Partition, fault: Exception) -> LayerError:
    """The error of one partition, with its name."""
    said, hint = reason(fault), ""
    if isinstance(fault, PinghuError):
        said, hint = fault.said, fault.hint
    return LayerError(f"{part}: {said}", hint=hint or "mend that partition, or leave it out")


def _require_unique_ids(folder: Path, what: str) -> None:
    """Refuse ids that are in several partitions."""
    import pyarrow.parquet as pq

    key = str(noun(what).index)
    ids = [pq.read_table(f, columns=[key]).column(key) for f in sorted(folder.glob("*.parquet"))]
    index = pd.Index(np.concatenate([i.to_numpy() for i in ids])) if ids else pd.Index([])
    if not index.is_unique:
        raise LayerError(
            "has the same id in several partitions",
            layer=what,
            ids=index[index.duplicated()].unique(),
            hint="make the ids unique, for instance with the file's name in front",
        )
