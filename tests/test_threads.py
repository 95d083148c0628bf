"""Calls on many threads give what they give one after another; a sample of benchmarks/threads.py."""

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import threads

import pinghu_geo as pg


def test_mixed_calls_on_threads_give_what_they_give_one_after_another(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        have = threads.given(tmp_path)
        kinds = threads.calls_of(tmp_path, have)
        # what hangs on switches of GDAL, filters of warnings, or shared state of writers
        kinds = {k: kinds[k] for k in ("read dxf", "read no shx", "read .shp", "estimated", "gpkg")}
        order = list(kinds) * 6

        def done(place):
            k, way = place
            folder = tmp_path / f"{way} {k}"
            folder.mkdir()
            return threads.digest(kinds[order[k]](folder))

        serial = [done((k, "serial")) for k in range(len(kinds))] * 6
        with ThreadPoolExecutor(12) as pool:
            at_once = list(pool.map(done, [(k, "at once") for k in range(len(order))]))
    assert at_once == serial
    assert len(set(serial)) == len(kinds) - 1  # with and without an index it is one layer


def test_no_warning_of_an_estimate_is_lost_while_others_read(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        have = threads.given(tmp_path)
    assert threads.warned(have, 10, 6) == 0


def test_a_shapefile_that_is_replaced_while_it_is_read_is_read_whole(tmp_path, houses):
    path = tmp_path / "房屋.shp"
    moved = houses.set_geometry(houses.translate(5000))
    moved["use"] = "industrial"
    pg.write_layer(houses, path, "buildings")
    stop = threading.Event()

    def write():
        while not stop.is_set():
            for one in (moved, houses):
                pg.write_layer(one, path, "buildings")
                stop.wait(0.3)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(25):
            layer = pg.read_layer(path, "buildings")
            east = layer.total_bounds[0] > 4000
            assert (layer["use"] == "industrial").all() == east
            assert len(layer) == len(houses)
    finally:
        stop.set()
        writer.join()
