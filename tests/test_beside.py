"""Work side by side shows what one call after the other shows, and leaves nothing behind."""

import inspect
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import errands
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinghu_geo.nouns import errors
from pinghu_geo.nouns.beside import side_by_side
from pinghu_geo.nouns.notices import heard

HERE = Path(__file__).parent
ROOT = HERE.parent
ERRORS = [e for e in vars(errors).values()
          if inspect.isclass(e) and issubclass(e, errors.PinghuError)]  # fmt: skip


def shown(workers, items, common, work=errands.square):
    """Results, lines and notices of some items, and the error that ended them."""
    lines, found, fault = [], [], None
    with heard() as notes, side_by_side(workers) as many:
        try:
            found += many.each(work, items, common, tell=lines.append)
        except errors.PinghuError as one:
            fault = str(one), one.layer, one.ids, one.hint, one.fault, type(one)
    return found, lines, notes, fault


def test_one_process_shows_one_item_after_the_other():
    assert shown(1, [2, 3], {}) == (
        [(2, 4), (3, 9)],
        ["begin 2", "end 2", "begin 3", "end 3"],
        ["note 2", "note 3"],
        None,
    )


@pytest.mark.parametrize("workers", [2, 4])
@pytest.mark.parametrize(
    "waits", [{}, {1: 0.3}, {2: 0.3, 3: 0.1}, {4: 0.4, 1: 0.1}, {1: 1.2, 2: 0.4, 3: 0.2}]
)
def test_several_show_the_same_in_the_same_order(workers, waits):
    items = [1, 2, 3, 4, 2]
    assert shown(workers, items, waits) == shown(1, items, {})


@pytest.mark.parametrize("workers", [2, 4])
@pytest.mark.parametrize("items", [[1, -2, 3, -4], [-1], [-3, 1], [1, 2, -3], [1, -2, -3, -4]])
def test_the_first_refusal_is_raised_as_it_is_and_what_was_before_it_is_shown(workers, items):
    late = {-2: 0.3, 1: 1.0}  # so that others are there when they are done
    assert shown(workers, items, late, errands.refuse) == shown(1, items, {}, errands.refuse)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 8)), max_size=8),
    st.integers(2, 4),
)
def test_whatever_takes_how_long_the_order_holds(drawn, workers):
    items = [number for number, _ in drawn]
    waits = {number: tenths / 50 for number, tenths in drawn}
    assert shown(workers, items, waits, errands.refuse) == shown(1, items, {}, errands.refuse)


def test_as_many_processes_work_as_were_asked_for_and_serve_again(tmp_path):
    with side_by_side(3) as many:
        first = {pid for _, pid in many.each(errands.where, range(3), (tmp_path, 3))}
        assert len(first) == 3
        assert os.getpid() in first
        again = {pid for _, pid in many.each(errands.where, range(6), (tmp_path, 3))}
        assert again <= first
    assert_gone(first - {os.getpid()})


def test_no_more_processes_are_started_than_there_are_items(tmp_path):
    with side_by_side(64) as many:
        assert len({pid for _, pid in many.each(errands.where, range(2), (tmp_path, 2))}) == 2
        assert len(many._helpers) == 1


def asked_later(workers, batches, order, between):
    """What is shown of batches that were begun and asked for in some order, each after a call."""
    lines, found, faults = [], [], []
    with heard() as notes, side_by_side(workers) as many:
        many.start(errands.refuse, workers)
        begun = [many.begin(errands.refuse, *batch, tell=lines.append) for batch in batches]
        for k in order:
            found += many.each(errands.square, *between, tell=lines.append)
            lines.append(f"asked {k}")
            try:
                found += begun[k]
            except errors.PinghuError as fault:
                faults.append((k, str(fault), fault.ids))
    return found, lines, notes, faults


BATCH = st.tuples(
    st.lists(st.integers(-1, 3), max_size=3),
    st.dictionaries(st.integers(-1, 3), st.floats(0, 0.1)),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(BATCH, max_size=3), st.permutations(range(3)), BATCH, st.integers(2, 4))
def test_what_is_begun_shows_when_asked_for_what_one_process_shows(batches, order, call, workers):
    order = [k for k in order if k < len(batches)]
    call = [abs(item) for item in call[0]], call[1]
    once = [(items, {}) for items, _ in batches]
    shown = asked_later(workers, batches, order, call)
    assert shown == asked_later(1, once, order, (call[0], {}))


def test_others_begin_what_is_asked_for_later(tmp_path):
    with side_by_side(2) as many:
        many.start(errands.where, 2)
        begun = many.begin(errands.where, [1], (tmp_path, 1))
        at_work(tmp_path, 1)
        (found,) = begun.results()
        assert found != os.getpid()
        assert begun.results() == []


@pytest.mark.parametrize(
    ("workers", "items", "done"), [(2, 3, [1, 1, 0]), (2, 2, [1, 0]), (3, 3, [1, 1, 1])]
)
def test_two_are_handed_over_at_once_where_one_is_left_for_each_process(
    workers, items, done, tmp_path
):
    """None ends its first before all are at work: what this one computes is none of a pair."""
    with side_by_side(workers) as many:
        list(many.each(errands.where, range(workers), (tmp_path / "a", workers)))  # they are there
        (tmp_path / "b").mkdir()
        begun = many.begin(errands.where, range(items), (tmp_path / "b", workers), in_pairs=True)
        at_work(tmp_path / "b", workers - 1)
        found = begun.results()
    if workers == 2:
        assert [int(pid != os.getpid()) for pid in found] == done
    else:
        assert len(set(found)) == sum(done)


def test_of_two_that_are_handed_over_at_once_both_are_heard_of():
    with heard() as notes, side_by_side(2) as many:
        many.start(errands.square, 2)
        lines = []
        begun = many.begin(errands.refuse, [1, -1, 2], {}, tell=lines.append, in_pairs=True)
        time.sleep(1)
        with pytest.raises(errors.LayerError, match="below 0"):
            begun.results()
    assert lines == ["begin 1", "end 1", "begin -1", "end -1"]
    assert notes == ["note 1", "note -1"]
    with heard(), side_by_side(2) as many:
        many.start(errands.die, 2)
        begun = many.begin(errands.die, [1, 2, 3], os.getpid(), in_pairs=True)
        time.sleep(1)
        with pytest.raises(errors.PinghuError, match="SIGKILL"):
            begun.results()


def test_who_waits_takes_what_was_begun(tmp_path):
    """Until the other process has ended both calls, this one can do nothing else."""
    with side_by_side(2) as many:
        list(many.each(errands.where, range(2), (tmp_path / "a", 2)))  # it is there
        begun = many.begin(errands.where, [1], (tmp_path / "b", 1))
        call = many.each(errands.wait_for, ["here", "there"], (os.getpid(), tmp_path / "b"))
        assert [item for item, _ in call] == ["here", "there"]
        assert begun.results() == [os.getpid()]


def test_what_nobody_asks_for_is_ended_and_not_heard_of(tmp_path):
    for workers in (1, 3):
        lines = []
        with heard() as notes, side_by_side(workers) as many:
            many.start(errands.square, workers)
            many.begin(errands.square, [1, 2], {}, tell=lines.append)
            many.begin(errands.die, [1], os.getpid())
            many.begin(errands.refuse, [-1], {}, tell=lines.append)
        with side_by_side(workers) as many:
            many.start(errands.wait_here, workers)
            folder = tmp_path / str(workers)
            folder.mkdir()
            begun = many.begin(errands.wait_here, range(1, 3), str(folder))
            pids = at_work(folder, workers - 1)
        assert_gone(pids)
        assert (lines, notes) == ([], [])
        del begun
    assert not list((tmp_path / "1").iterdir())


def test_what_others_had_begun_is_computed_though_they_ended_for_something_else(tmp_path):
    for workers in (1, 3):
        lines = []
        with heard() as notes, side_by_side(workers) as many:
            many.start(errands.square, workers)
            begun = many.begin(errands.square, [1, 2, 3], {1: 0.5, 2: 0.5}, tell=lines.append)
            time.sleep(0.6 if workers > 1 else 0)
            with pytest.raises(errors.LayerError):
                list(many.each(errands.refuse, [-1, 1], {}))
            assert begun.results() == [1, 4, 9]
        assert lines == [f"{word} {k}" for k in (1, 2, 3) for word in ("begin", "end")]
        assert notes == ["note -1", "note 1", "note 2", "note 3"]


def test_a_process_that_is_killed_is_an_error_of_what_it_had_begun():
    with heard(), side_by_side(2) as many:
        many.start(errands.die, 2)
        begun = many.begin(errands.die, [1], os.getpid())
        time.sleep(1.5)
        assert [found for _, found in many.each(errands.square, [1, 2], {})] == [1, 4]
        with pytest.raises(errors.PinghuError, match=r"was ended \(SIGKILL\)[^$]*fewer workers"):
            begun.results()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_what_is_kept_is_handed_over_once_wherever_it_stands(workers, monkeypatch):
    monkeypatch.setattr(errands.Tallied, "times", 0)
    one, other = errands.Tallied(), errands.Tallied()
    places = {}
    with side_by_side(workers) as many:
        many.start(errands.which, workers)
        many.keep(one)
        many.keep(one, Local(1))
        for common, items in [((one, {}), [other, other]), ((other, {}), [one, one, one])]:
            for a, b, pid in many.begin(errands.which, items, common).results():
                places.setdefault(pid, set()).add(a if common[0] is one else b)
    assert errands.Tallied.times == (0 if workers == 1 else 1 + 2 + 1)
    assert all(len(found) == 1 for found in places.values())


def test_what_is_kept_is_known_to_processes_that_are_started_later():
    with heard(), side_by_side(2) as many:
        many.start(errands.doubled, 2)
        kept = [1.0, 2.0]
        many.keep(kept)
        begun = many.begin(errands.doubled, [1, 2], kept)
        many.end()
        assert begun.results() == [4.0, 6.0]
        assert [found for _, found in many.each(errands.doubled, [1, 2, 3], kept)] == [4, 6, 8]


def test_modules_are_imported_while_there_is_nothing_else_to_do(tmp_path):
    with side_by_side(2) as many:
        many.start(errands.imported, 2)
        many.prepare("no_such_module", "wave", "errands")
        time.sleep(1.5)
        begun = many.begin(errands.imported, ["wave", "colorsys"])
        time.sleep(0.5)
        assert begun.results() == [True, False]


def assert_gone(pids):
    """Processes end within some seconds; one that nobody has asked for yet is as good as gone."""
    end = time.monotonic() + 10
    while any(map(runs, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    assert not [pid for pid in pids if runs(pid)]


def runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_process_that_is_killed_is_one_error_with_a_cure():
    with (
        side_by_side(2) as many,
        pytest.raises(errors.PinghuError, match=r"was ended \(SIGKILL\)[^$]*fewer workers"),
    ):
        list(many.each(errands.die, range(40), os.getpid()))


def test_a_process_that_is_killed_is_noticed_while_this_one_tells_of_later_items():
    with side_by_side(2) as many, pytest.raises(errors.PinghuError, match="SIGKILL"):
        list(many.each(errands.die_early, ["mine", "other", *range(20)], os.getpid()))


def test_a_process_that_is_killed_while_it_has_nothing_to_do_costs_nothing(tmp_path):
    with side_by_side(2) as many:
        pids = {pid for _, pid in many.each(errands.where, range(2), (tmp_path, 2))}
        (other,) = pids - {os.getpid()}
        os.kill(other, signal.SIGKILL)
        many._helpers[0]._process.wait(10)  # its threads may outlive what /proc calls a zombie
        with heard():
            assert [found for _, found in many.each(errands.square, [1, 2], {})] == [1, 4]


@pytest.mark.parametrize(
    ("item", "kind", "said"),
    [
        ("mistake", KeyError, "mistake"),
        ("function", RuntimeError, "can't be handed over"),
        ("two parts", RuntimeError, "two parts and other.*can't be handed over"),
    ],
)
def test_a_slip_and_what_cannot_be_handed_over_come_out(item, kind, said):
    with side_by_side(2) as many, pytest.raises(kind, match=said) as found:
        list(many.each(errands.slip, ["mine", item], os.getpid()))
    if item == "mistake":
        assert "errands.py" in found.value.__notes__[0]


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_goes_from_process_to_process_whole(kind):
    fault = kind("is {} of {}", layer="widths", ids=[3, "a"], hint="widths = 9\nx", fault="low")
    fault.add_note("seen")
    made = pickle.loads(pickle.dumps(fault))
    assert type(made) is kind
    assert (str(made), made.args, vars(made)) == (str(fault), fault.args, vars(fault))
    assert made.in_language("zh") == fault.in_language("zh")


@pytest.mark.parametrize("workers", [0, -1, 2.0, True, None, "2"])
def test_what_is_no_number_of_processes_is_refused(workers):
    with pytest.raises(errors.LayerError, match="workers is"), side_by_side(workers):
        pass


def test_notices_that_nobody_hears_warn_whoever_called():
    with warnings.catch_warnings(record=True) as said, side_by_side(2) as many:
        warnings.simplefilter("always")
        list(many.each(errands.square, [1, 2], {1: 1.0}))
    assert [(str(w.message), w.filename) for w in said] == [
        ("note 1", __file__), ("note 2", __file__)
    ]  # fmt: skip


def script(text, folder):
    """A script in a process of its own, with this folder's modules."""
    path = folder / "script.py"
    path.write_text(f"import sys\nsys.path.insert(0, {str(HERE)!r})\n{text}", "utf-8")
    return subprocess.Popen(
        [sys.executable, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


PLAIN = """
import errands
from pinghu_geo.nouns.beside import side_by_side
print("once", flush=True)
with side_by_side(3) as many:
    try:
        for _, found in many.each(errands.{work}, range({items}), {common!r}):
            print(found, flush=True)
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


def test_a_script_needs_no_guard_and_runs_once(tmp_path):
    running = script(PLAIN.format(work="square", items=4, common={0: 1.0, 1: 0.5}), tmp_path)
    said, wrong = running.communicate(timeout=60)
    assert said.split() == ["once", "0", "1", "4", "9"]
    assert "note 3" in wrong
    assert running.returncode == 0


def at_work(folder, many):
    end = time.monotonic() + 30
    while len(found := [int(p.name) for p in folder.iterdir()]) < many:
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("to_all", [True, False])
def test_ctrl_c_ends_all_at_once_and_hands_out_what_is_finished(tmp_path, to_all):
    folder = tmp_path / "pids"
    folder.mkdir()
    running = script(PLAIN.format(work="wait_here", items=4, common=str(folder)), tmp_path)
    pids = at_work(folder, 3)
    start = time.monotonic()
    # of a terminal, or of the process alone
    (os.killpg if to_all else os.kill)(running.pid, signal.SIGINT)
    said, wrong = running.communicate(timeout=60)
    assert time.monotonic() - start < 5
    assert said.split() == ["once", "0", "stopped"]
    assert wrong == ""
    assert_gone(pids)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nobody_works_on_when_the_one_who_asked_is_killed(tmp_path, number):
    folder = tmp_path / "pids"
    folder.mkdir()
    running = script(PLAIN.format(work="wait_here", items=4, common=str(folder)), tmp_path)
    pids = at_work(folder, 3)
    running.send_signal(number)
    running.communicate(timeout=60)
    assert_gone(pids)


class Local(float):
    """A number that remembers who made it, as objects in a column of a table may."""

    def __init__(self, _):
        self.maker = lambda: self


@pytest.mark.parametrize(
    ("items", "common"),
    [([Local(1), Local(2)], {}), ([1, 2], {"a": lambda: 0})],
)
def test_what_cannot_be_handed_over_is_computed_here(items, common):
    with side_by_side(2) as many:
        found = [found for _, found in many.each(errands.doubled, items, common)]
    assert found == [float(item) * 2 + len(common) for item in items]


OF_THE_SCRIPT = """
import errands
from pinghu_geo.nouns.beside import side_by_side
class Own(float): pass
class Common(dict): pass
if __name__ == "__main__":
    for items, common in [([Own(1), Own(2), Own(3)], []), ([1, 2, 3], Common(a=1))]:
        with side_by_side(3) as many:
            print([found for _, found in many.each(errands.doubled, items, common)])
            print([found for _, found in many.each(errands.doubled, [1, 2, 3], [])])
"""


def test_classes_of_the_script_that_asks_are_read_by_it_alone(tmp_path):
    said, wrong = script(OF_THE_SCRIPT, tmp_path).communicate(timeout=60)
    assert said.split("\n")[:4] == ["[2.0, 4.0, 6.0]"] * 2 + ["[3.0, 5.0, 7.0]", "[2.0, 4.0, 6.0]"]
    assert wrong == ""


def test_others_import_this_package_from_where_it_was_imported(tmp_path):
    """A notebook in a checkout has it of the folder it is in, whatever is installed."""
    other = tmp_path / "other" / "pinghu_geo"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise ImportError('another')", "utf-8")
    text = f"""
import sys
sys.path = ["", {str(other.parent)!r}, *(p for p in sys.path if p not in ("", {str(ROOT)!r}))]
from pinghu_geo.nouns.beside import side_by_side
sys.path.append({str(HERE)!r})
import errands
with side_by_side(2) as many:
    asked = range(2), (errands.Path({str(tmp_path / "pids")!r}), 2)
    print(len({{pid for _, pid in many.each(errands.where, *asked)}}))
"""
    running = subprocess.Popen(
        [sys.executable, "-c", text], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert running.communicate(timeout=60) == ("2\n", "")
    finally:
        running.kill()
        running.communicate()


MEANWHILE = """
import errands, threading
from pinghu_geo.nouns.beside import side_by_side
def doubled(items):
    return [found for _, found in many.each(errands.doubled, items, [])]
with side_by_side(3) as many:
    for item, found in many.each(errands.doubled, range(3), []):
        assert doubled([item, 7, 8]) == [2 * item, 14, 16]
    said = []
    threads = [
        threading.Thread(target=lambda k=k: said.append(doubled(range(k, k + 40))), daemon=True)
        for k in range(8)
    ]
    [one.start() for one in threads]
    [one.join(20) for one in threads]
    print(sorted(said) == [[2 * i for i in range(k, k + 40)] for k in range(8)])
"""


def test_what_is_asked_while_others_are_at_work_is_computed_where_it_is_asked(tmp_path):
    """Each took what was said of the other's items, and waited for its own for ever."""
    running = script(MEANWHILE, tmp_path)
    try:
        said, wrong = running.communicate(timeout=60)
    finally:
        running.kill()
    assert (said, wrong) == ("True\n", "")


@pytest.mark.parametrize("frozen", [True, False])
def test_a_program_that_holds_python_is_not_started_once_more(tmp_path, monkeypatch, frozen):
    """It would run whatever it is for, and there start itself again."""
    program = tmp_path / ("python-plan" if frozen else "qgis-bin")
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(sys, "frozen", frozen, raising=False)
    with side_by_side(2) as many:
        assert [found for _, found in many.each(errands.doubled, [1, 2], [])] == [2.0, 4.0]
        assert many._helpers == []
    assert not (tmp_path / "started").exists()
