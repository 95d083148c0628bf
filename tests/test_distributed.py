"""Partition by partition gives what the whole layer gives, on a cluster and off it."""

import os
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

import pinghu_geo as pg


@pytest.fixture
def delivery(sample, tmp_path):
    """The sample's houses in two files of several row groups, sorted along a Hilbert curve."""
    houses = sample["buildings"]
    houses = houses.iloc[np.argsort(houses.hilbert_distance().to_numpy())]
    folder = tmp_path / "房屋"
    folder.mkdir()
    half = len(houses) // 2
    for name, part in (("a", houses[:half]), ("b", houses[half:])):
        part.to_parquet(folder / f"{name}.parquet", write_covering_bbox=True, row_group_size=300)
    return folder, houses


def same(folder, houses, sample, line="原方案", **options):
    """Whether the folder holds the rows that the whole layer gives."""
    whole = pg.affected(houses, sample[line], sample["rivers"], **options)
    found = gpd.read_parquet(folder)
    assert found.index.tolist() == whole.index.tolist()
    assert_geodataframe_equal(found, whole, check_dtype=False, check_like=True)
    return whole


def test_partitions_give_the_rows_of_the_whole(delivery, sample, tmp_path):
    folder, houses = delivery
    said = []
    with pytest.warns(UserWarning, match="is estimated as footprint x floors"):
        parts = pg.affected_parquet(
            folder, sample["原方案"], sample["rivers"], tmp_path / "out", partial_rule="share",
            progress=said.append,
        )  # fmt: skip
    with pytest.warns(UserWarning, match="is estimated as footprint x floors"):
        whole = same(tmp_path / "out", houses, sample, partial_rule="share")
    assert parts["n_affected"].sum() == len(whole)
    assert parts["n_rows"].sum() <= len(houses)
    assert len(said) == len(parts)
    assert set(parts["file"]) == {"a.parquet", "b.parquet"}
    files = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert all(name.startswith("part-") for name in files)


def test_only_row_groups_near_the_line_are_read(delivery, sample, tmp_path):
    folder, houses = delivery
    corner = sample["rivers"].geometry.iloc[0].interpolate(0.5, normalized=True).buffer(30)
    line = gpd.GeoDataFrame(
        {"river": [sample["rivers"].index[0]]}, geometry=[corner], crs=houses.crs
    )
    parts = pg.affected_parquet(folder, line, sample["rivers"], tmp_path / "out")
    assert 0 < parts["n_rows"].sum() < len(houses) / 2
    # without a covering all is read, with the same result
    for file in folder.iterdir():
        gpd.read_parquet(file).to_parquet(file, row_group_size=300)
    other = pg.affected_parquet(folder, line, sample["rivers"], tmp_path / "other")
    assert other["n_rows"].sum() == len(houses)
    assert other["n_affected"].sum() == parts["n_affected"].sum()


def test_a_partition_that_cannot_be_used_is_named_and_nothing_is_left(delivery, sample, tmp_path):
    folder, houses = delivery
    bad = houses.copy()
    row = bad.index.get_loc(pg.affected(houses, sample["原方案"], sample["rivers"]).index[0])
    x0, y0, x1, y1 = bad.geometry.iloc[row].bounds
    bow = shapely.Polygon([(x0, y0), (x1, y1), (x1, y0), (x0, y1)])
    bad.loc[bad.index[row], "geometry"] = bow
    bad.to_parquet(folder / "a.parquet", write_covering_bbox=True, row_group_size=300)
    os.remove(folder / "b.parquet")
    with pytest.raises(pg.errors.LayerError, match=r"a.parquet row group \d+: .*invalid geometry"):
        pg.affected_parquet(folder, sample["原方案"], sample["rivers"], tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["房屋"]
    mended = pg.affected_parquet(
        folder, sample["原方案"], sample["rivers"], tmp_path / "out", prepare=lambda f: pg.repair(f).layer
    )  # fmt: skip
    assert mended["n_affected"].sum() > 0
    with pytest.raises(pg.errors.OutputError, match="out exists"):
        pg.affected_parquet(folder, sample["原方案"], sample["rivers"], tmp_path / "out")
    (tmp_path / "out" / "_notes.txt").write_text("x")
    pg.affected_parquet(
        folder, sample["原方案"], sample["rivers"], tmp_path / "out", force=True,
        prepare=lambda f: pg.repair(f).layer,
    )  # fmt: skip
    assert (tmp_path / "out" / "_notes.txt").read_text() == "x"
    assert len(gpd.read_parquet(tmp_path / "out")) == mended["n_affected"].sum()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "part-0.parquet").write_text("x")
    with pytest.raises(pg.errors.OutputError, match="mine exists and was not made by pinghu"):
        pg.affected_parquet(
            folder, sample["原方案"], sample["rivers"], tmp_path / "mine", force=True
        )
    assert {p.name for p in tmp_path.iterdir()} == {"房屋", "out", "mine"}


def test_ids_in_two_partitions_and_other_files_are_refused(delivery, sample, tmp_path):
    folder, houses = delivery
    houses.to_parquet(folder / "c.parquet")
    with pytest.raises(pg.errors.LayerError, match="has the same id in several partitions"):
        pg.affected_parquet(folder, sample["原方案"], sample["rivers"], tmp_path / "out")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "plain.parquet")
    with pytest.raises(pg.errors.LayerError, match="plain.parquet is no GeoParquet with WKB"):
        pg.affected_parquet(
            tmp_path / "plain.parquet", sample["原方案"], sample["rivers"], tmp_path / "o"
        )
    with pytest.raises(pg.errors.LayerError, match="is no GeoParquet, nor a folder of them"):
        pg.affected_parquet(pg.sample_folder() / "房屋.shp", sample["原方案"], sample["rivers"], tmp_path / "o")  # fmt: skip


def slow_and_deadly(frame):
    """Takes a while; the first to come by kills its worker."""
    time.sleep(0.2)
    mark = os.environ["PINGHU_TEST_MARK"]
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return frame
    os._exit(1)


@pytest.mark.filterwarnings("ignore")
def test_a_worker_killed_in_mid_run_loses_nothing_and_doubles_nothing(
    delivery, sample, tmp_path, monkeypatch
):
    """Two workers on this machine, one of them killed by its first partition."""
    distributed = pytest.importorskip("distributed")
    folder, houses = delivery
    monkeypatch.setenv("PINGHU_TEST_MARK", str(tmp_path / "mark"))
    cluster = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=None,
        silence_logs=50,
        memory_limit=None,
    )
    with cluster, distributed.Client(cluster) as client:
        parts = pg.affected_parquet(
            folder,
            sample["原方案"],
            sample["rivers"],
            tmp_path / "out",
            prepare=slow_and_deadly,
            client=client,
        )
    assert (tmp_path / "mark").exists()
    assert len(parts) == len(set(zip(parts["file"], parts["row_group"], strict=True)))
    same(tmp_path / "out", houses, sample)
    rows = sum(pq.read_metadata(p).num_rows for p in (tmp_path / "out").iterdir())
    assert rows == parts["n_affected"].sum()


def slow(frame):
    """Takes long enough for the cluster to go."""
    time.sleep(0.5)
    return frame


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_lost_is_said_in_a_sentence_and_nothing_is_left(
    delivery, sample, tmp_path
):
    distributed = pytest.importorskip("distributed")
    folder, _ = delivery
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None,
        silence_logs=50, memory_limit=None,
    )  # fmt: skip
    client = distributed.Client(cluster)
    try:
        with pytest.raises(pg.errors.OutputError, match="(?s)the cluster is lost.*start it again"):
            pg.affected_parquet(
                folder, sample["原方案"], sample["rivers"], tmp_path / "out", prepare=slow,
                client=client, progress=lambda _: cluster.close(),
            )  # fmt: skip
    finally:
        client.close()
        cluster.close()
    assert [p.name for p in tmp_path.iterdir()] == ["房屋"]


def test_where_nothing_is_affected_the_folder_reads_as_no_rows(delivery, sample, tmp_path):
    folder, houses = delivery
    line = sample["原方案"]
    with pytest.raises(pg.errors.LayerError, match="red_line: has no rows"):
        pg.affected_parquet(folder, line.iloc[:0], sample["rivers"], tmp_path / "none")
    assert not (tmp_path / "none").exists()
    line = line.set_geometry(line.translate(5e4, 0))
    parts = pg.affected_parquet(folder, line, sample["rivers"], tmp_path / "out")
    assert parts["n_affected"].sum() == 0
    found = gpd.read_parquet(tmp_path / "out")
    assert found.empty
    assert found.crs == houses.crs
    wanted = pg.affected(houses.iloc[:0], line, sample["rivers"])
    assert set(found.columns) == set(wanted.columns)
