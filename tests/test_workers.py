"""Several processes find what one finds, byte for byte."""

import hashlib
import os

import errands
import pandas as pd
import pytest
import shapely
from pandas.testing import assert_frame_equal
from test_norise import FLOW, LIMITS, RATES, SLOPE, channel, line

import pinghu_geo as pg
from conftest import building_frame, river_frame
from pinghu_geo import cli
from pinghu_geo.inputs import read_inputs
from pinghu_geo.nouns import beside
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.plan import read_plan
from pinghu_geo.search.systems import Search

TABLES = (
    "widths",
    "certificate",
    "nodes",
    "buildings",
    "rise",
    "sections",
    "banks",
    "searched",
    "band",
)


def town(rivers="ABC", apart=500.0):
    """Rivers side by side that don't join, each between its own houses."""
    houses = {}
    for row, river in enumerate(rivers):
        for k in range(6):
            x, y = 60 + 50 * k, row * apart
            houses[f"{river}L{k}"] = shapely.box(x, y + 9.6 - 0.3 * ((k + row) % 3), x + 15, y + 20)
            houses[f"{river}R{k}"] = shapely.box(
                x + 6, y - 20, x + 20, y - 10.6 - 0.3 * ((k + row) % 2)
            )
    lines = {r: [(0, row * apart), (400, row * apart)] for row, r in enumerate(rivers)}
    return river_frame(lines), building_frame(houses, floors=2)


def tables(rivers="ABC", half=8.0):
    """Width table and sections of all rivers."""
    return (
        pd.concat([line(river=r) for r in rivers], ignore_index=True),
        pd.concat([channel(river=r, half=half) for r in rivers], ignore_index=True),
    )


@pytest.fixture
def at_work(tmp_path):
    """Processes that are there and wait for work, and how many items this one took itself."""
    with beside.side_by_side(3) as many:
        pids = {pid for _, pid in many.each(errands.where, range(3), (tmp_path, 3))}
        assert len(pids) == 3
        yield many


@pytest.fixture
def here(monkeypatch):
    """Items that this process computed while others did theirs."""
    taken, own = [], beside._computed_here
    monkeypatch.setattr(
        beside, "_computed_here", lambda *given: (taken.append(given[1]), own(*given))[1]
    )
    return taken


def search(rivers, buildings, progress, **more):
    widths, sections = tables(list(rivers.index))
    return pg.least_demolition_within_rise(
        rivers, widths, buildings, sections, FLOW, SLOPE, LIMITS, allowed_mm=20, rates=RATES,
        progress=progress, **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def alone():
    """What one process finds, with its lines."""
    lines = []
    return search(*town(), lines.append), lines


def test_the_largest_is_searched_first_unless_time_is_limited():
    rivers, buildings = town()
    few = buildings[~buildings.index.str.match("A.[^0]")]
    lines, limited = [], []
    search(rivers, few, lines.append)
    assert lines[-1] == "searching A"
    search(rivers, few, limited.append, seconds=600.0)
    assert limited == [f"searching {river}" for river in "ABC"]


def test_a_search_by_several_is_that_by_one(alone, at_work, here):
    lines = []
    found = search(*town(), lines.append, workers=at_work)
    assert lines == alone[1] == [f"searching {river}" for river in "ABC"]
    assert 1 <= len(here) < 6  # three rivers, the approved line, its levels, those of the design
    for name in TABLES:
        assert_frame_equal(getattr(found, name), getattr(alone[0], name), check_exact=True)
    assert found.summary() == alone[0].summary()
    # what is asked of a result later is asked of what came back
    taken = found.buildings.index[found.buildings["state"] == "demolished"][:2]
    for house in taken:
        assert_frame_equal(found.widths_for(house), alone[0].widths_for(house), check_exact=True)


@pytest.mark.parametrize("workers", [2, 4])
def test_a_number_of_processes_is_all_one_has_to_say(alone, workers):
    found = search(*town(), None, workers=workers)
    for name in TABLES:
        assert_frame_equal(getattr(found, name), getattr(alone[0], name), check_exact=True)


def test_a_refusal_names_the_first_river_whoever_found_it(at_work, monkeypatch):
    rivers, buildings = town()
    widths, sections = tables()
    locks = pd.DataFrame({"river": ["C", "B"], "from_m": 100.0, "to_m": 200.0, "bank": "left"})
    said = []
    for workers in (1, at_work):
        with pytest.raises(pg.errors.PinghuError) as fault:
            pg.least_demolition_within_rise(
                rivers, widths, buildings, sections, FLOW, SLOPE, LIMITS, allowed_mm=20,
                locks=locks.assign(most_m=5.0), workers=workers,
            )  # fmt: skip
        said.append(str(fault.value))
    assert said[0] == said[1]


def test_ctrl_c_leaves_what_was_not_searched_as_approved(alone, at_work, monkeypatch):
    pid, own = os.getpid(), Search.basin

    def stopped(self, *given):
        if os.getpid() == pid:
            raise KeyboardInterrupt
        return own(self, *given)

    monkeypatch.setattr(Search, "basin", stopped)
    found = search(*town(), None, workers=at_work)
    assert found.stopped
    assert at_work._helpers == []
    first = found.widths[found.widths["river"] == "A"]
    assert (first[["left_m", "right_m"]].to_numpy() == 10.0).all()


def test_no_time_leaves_all_as_approved(at_work):
    found = search(*town(), None, workers=at_work, seconds=0.0)
    assert found.stopped
    assert (found.widths[["left_m", "right_m"]].to_numpy() == 10.0).all()


def rises(rivers, buildings, progress=None, **more):
    _, sections = tables(list(rivers.index), half=12.0)
    return pg.building_rises(
        buildings, sections, FLOW, SLOPE, rivers, allowed_mm=60.0, progress=progress, **more
    )


def test_rises_by_several_are_those_by_one(at_work, here):
    lines, more = [], []
    one = rises(*town(), lines.append, roughness_share=0.1)
    here.clear()
    several = rises(*town(), more.append, roughness_share=0.1, workers=at_work)
    assert_frame_equal(several, one, check_exact=True)
    assert lines == more == [f"rises {river} 0/12" for river in "ABC"]
    assert 1 <= len(here) < 3
    assert one["rise_alone_mm"].gt(0).any()


def test_a_house_in_two_rivers_raises_what_it_raises_where_that_is_most(at_work):
    """The second river hid what the house does to the first."""
    rivers, _ = town("AB", apart=15.0)
    # of its 7 m across all stand within the one, and 5 m within the other
    house = building_frame({"H": shapely.box(200, 1.0, 210, 8.0)}, floors=2)
    one, other = (rises(rivers.loc[[r]], house, losses=()) for r in "AB")
    assert one.loc["H", "rise_alone_mm"] > other.loc["H", "rise_alone_mm"] > 0
    for workers in (1, at_work):
        both = rises(rivers, house, losses=(), workers=workers)
        assert both.loc["H", "rise_river"] == "A"
        for column in ("rise_alone_mm", "rise_joint_mm"):
            assert both.loc["H", column] == pytest.approx(one.loc["H", column], abs=1e-9)
    limit = float(one.loc["H", "rise_alone_mm"] + other.loc["H", "rise_alone_mm"]) / 2
    _, sections = tables("AB", half=12.0)
    tight = pg.building_rises(
        house, sections, FLOW, SLOPE, rivers, allowed_mm=limit, losses=(), workers=at_work
    )
    assert not tight.loc["H", "joint"]


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_a_run_of_several_is_byte_for_byte_that_of_one(sample_run, tmp_path):
    made = pg.run_project(pg.sample_folder() / "project.toml", tmp_path / "out", workers=3)
    assert digests(made) == digests(sample_run)
    assert {"campaign.xlsx", "map.html", "results.gpkg", "reading.log"} <= set(digests(made))


@pytest.mark.parametrize("workers", [2, 4, None])
def test_a_small_run_says_and_writes_the_same(tmp_path, workers):
    sample = pg.sample_folder()
    project = tmp_path / "project.toml"
    project.write_text(
        f'crs = 4547\n[layers]\nbuildings = "{sample}/房屋.shp"\nrivers = "{sample}/河道.shp"\n'
        '[schemes."原方案"]\nwidths = 9\n', "utf-8",
    )  # fmt: skip
    said, made = [], []
    for k, number in enumerate((1, workers)):
        said.append([])
        folder = pg.run_project(
            project, tmp_path / f"out{k}", workers=number, progress=said[-1].append
        )
        made.append(digests(folder))
    assert said[0] == said[1]
    assert made[0] == made[1]


@pytest.mark.parametrize("step", ["_say_doubts_of_affected", "_summary_of_run"])
def test_a_run_that_fails_ends_who_writes_before_its_folder_is_cleared_away(
    step, tmp_path, monkeypatch
):
    rivers, buildings = town("A")
    pg.write_layer(rivers, tmp_path / "河道.gpkg", "rivers")
    pg.write_layer(buildings, tmp_path / "房屋.gpkg", "buildings")
    (tmp_path / "project.toml").write_text(
        'crs = 4547\n[layers]\nbuildings = "房屋.gpkg"\nrivers = "河道.gpkg"\n'
        '[schemes."原方案"]\nwidths = 9\n', "utf-8",
    )  # fmt: skip
    there = set(tmp_path.iterdir())

    def fail(*_):
        raise LayerError("fails", layer="buildings")

    monkeypatch.setattr(f"pinghu_geo.project.{step}", fail)
    with beside.side_by_side(2) as many:
        list(many.each(errands.where, range(2), (tmp_path / "at_work", 2)))  # it is there
        (pid,) = {helper._process.pid for helper in many._helpers}
        with pytest.raises(LayerError, match="fails"):
            pg.run_project(tmp_path / "project.toml", tmp_path / "out", workers=many)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert set(tmp_path.iterdir()) - {tmp_path / "at_work"} == there


def test_by_itself_a_small_project_takes_one_process(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        beside._Helper, "__init__", lambda *_: asked.append(1) or (_ for _ in ()).throw(OSError)
    )
    monkeypatch.setattr("pinghu_geo.project.usable_processors", lambda: 4)
    rivers, buildings = town("A")
    pg.write_layer(rivers, tmp_path / "河道.gpkg", "rivers")
    pg.write_layer(buildings, tmp_path / "房屋.gpkg", "buildings")
    (tmp_path / "project.toml").write_text(
        'crs = 4547\n[layers]\nbuildings = "房屋.gpkg"\nrivers = "河道.gpkg"\n'
        '[schemes."原方案"]\nwidths = 9\n', "utf-8",
    )  # fmt: skip
    pg.run_project(tmp_path / "project.toml", tmp_path / "one", workers=None)
    assert not asked
    # a large one takes several; where none can be started this one does it all
    monkeypatch.setattr("pinghu_geo.project.SMALL", 0)
    pg.run_project(tmp_path / "project.toml", tmp_path / "several", workers=None)
    assert asked
    assert digests(tmp_path / "one") == digests(tmp_path / "several")


def test_the_command_starts_processes_before_it_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(beside, "usable_processors", lambda: 3)
    project = tmp_path / "project.toml"
    asked = {}
    for size in (10, beside.SMALL + 1):
        (tmp_path / "房屋.shp").write_bytes(b"x" * size)
        for workers in (None, 1, 2):
            with cli._early_processes(project, workers) as many:
                asked[size > beside.SMALL, workers] = getattr(many, "most", many)
    assert asked == {
        (False, None): None, (False, 1): 1, (False, 2): 2,
        (True, None): 3, (True, 1): 1, (True, 2): 2,
    }  # fmt: skip
    with cli._early_processes(tmp_path / "none" / "project.toml", None) as many:
        assert many is None


def test_tables_that_others_read_are_told_and_refused_as_by_one(tmp_path, at_work):
    sample = pg.sample_folder()
    text = (
        f'crs = 4547\n[layers]\nbuildings = "{sample}/房屋.shp"\nrivers = "{sample}/河道.shp"\n'
        f'[tables]\nrates = "{sample}/补偿标准_示例.csv"\nsegments = "{sample}/责任段.csv"\n'
        f'[schemes."原"]\nwidths = "{sample}/红线宽度_原方案.csv"\n[schemes."九"]\nwidths = 9\n'
        f'[schemes."优"]\nwidths = "{sample}/红线宽度_优化方案.csv"\n'
    )
    project = tmp_path / "project.toml"
    project.write_text(text, "utf-8")
    one, several = (read_inputs(read_plan(project), workers=w) for w in (1, at_work))
    assert one.reading == several.reading
    assert list(one.widths) == list(several.widths) == ["原", "九", "优"]
    for name in ("原", "优"):
        assert_frame_equal(one.widths[name], several.widths[name])
    for name, table in one.tables.items():
        assert_frame_equal(table, several.tables[name])
    # of two faults the first is told
    project.write_text(
        text.replace("责任段.csv", "无.csv").replace("优化方案.csv", "空.csv"), "utf-8"
    )
    said = []
    for workers in (1, 2, at_work):
        with pytest.raises(pg.errors.PinghuError, match="无.csv") as fault:
            read_inputs(read_plan(project), workers=workers)
        said.append(str(fault.value))
    assert len(set(said)) == 1


def test_usable_processors_are_those_of_this_process_and_of_its_memory(monkeypatch):
    may = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count()))(0)
    assert 1 <= beside.usable_processors() <= len(may)
    monkeypatch.setattr(beside, "OF_GROUP", beside.GROUPS / "none")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(os, "sysconf", lambda name: 2**12 if "SIZE" in name else 5 * 2**18 + 1)
    assert beside.usable_processors() == 5
    monkeypatch.setattr(os, "sysconf", lambda _: 1)
    assert beside.usable_processors() == 1
    monkeypatch.delattr(os, "sysconf")
    assert beside.usable_processors() == 64


@pytest.mark.parametrize(
    ("said", "few"),
    [
        ({}, 64),
        ({"cpu.max": "max 100000", "memory.max": "max"}, 64),
        ({"cpu.max": "250000 100000"}, 2),
        ({"cpu.max": "50000 100000"}, 1),
        ({"a/cpu.max": "300000 100000", "a/b/cpu.max": "500000 100000"}, 3),
        ({"a/b/memory.max": f"{5 * 2**30}"}, 5),
        ({"c/cpu.max": "100000 100000"}, 64),
        # version 1: a tree a controller
        ({"cpu/d/cpu.cfs_quota_us": "-1", "cpu/d/cpu.cfs_period_us": "100000"}, 64),
        ({"cpu/d/cpu.cfs_quota_us": "350000", "cpu/d/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "20000", "cpu/cpu.cfs_period_us": "10000"}, 2),
        ({"cpu/d/cpu.cfs_quota_us": "350000"}, 64),
        ({"memory/e/memory.limit_in_bytes": f"{4 * 2**30 + 1}"}, 4),
        ({"memory/e/memory.limit_in_bytes": "9223372036854771712"}, 64),
        ({"memory/d/memory.limit_in_bytes": "1", "cpu/e/cpu.cfs_quota_us": "1"}, 64),
    ],
)
def test_a_container_grants_less_than_the_machine_has(tmp_path, monkeypatch, said, few):
    groups = tmp_path / "groups"
    (groups / "a/b").mkdir(parents=True)
    for place in ("c", "cpu/d", "cpu/e", "memory/d", "memory/e"):
        (groups / place).mkdir(parents=True)
    (tmp_path / "mine").write_text(
        "5:cpu,cpuacct:/d\n4:memory:/e\n3:cpuset:/c\n1:name=x:/c\n0::/a/b\n", "utf-8"
    )
    for name, text in said.items():
        (groups / name).write_text(f"{text}\n", "utf-8")
    monkeypatch.setattr(beside, "GROUPS", groups)
    monkeypatch.setattr(beside, "OF_GROUP", tmp_path / "mine")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(os, "sysconf", lambda _: 2**20)
    assert beside.usable_processors() == few
