"""What the command line says of itself and of what is typed wrongly is in one language."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import typed
from pinghu_geo import cli
from pinghu_geo.nouns.inert import shell_word
from pinghu_geo.shell import shown_cures

LATIN = re.compile(r"[A-Za-z]{3,}")


def said_of(*words):
    """Exit status, and all that is said."""
    code, out, err = typed(*words)
    return code, out + err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(("run",), 2, "错误:缺少参数 project"), (("rnu",), 2, "错误:没有命令 rnu,是否 run?"),
     (("run", "--outt", "x"), 2, "错误:没有选项 --outt,可用 --out, --quiet"),
     (("run", "a.toml"), 2, "错误:缺少选项 --out"),
     (("check", "a", "b", "c"), 2, "错误:多余的参数 b c"),
     (("run", "--out"), 2, "错误:选项 --out 后须有值"),
     (("run", "a.toml", "--workers", "0"), 2, "错误:--workers 的值不合要求:须不小于 1\n"),
     (("run", "a.toml", "--workers", "two"), 2, "错误:--workers 的值"),
     (("run", "--lang", "en"), 2, "error: Missing argument 'project'."),
     (("--version",), 0, "pinghu_geo ")],
)  # fmt: skip
def test_what_is_typed_wrongly_is_said_in_the_language(words, code, said):
    ended, text = said_of(*words)
    assert ended == code
    assert text.startswith(said)


@pytest.mark.parametrize(
    "command", ["", *(c.callback.__name__ for c in cli.app.registered_commands)]
)
def test_help_is_chinese(command):
    code, text = said_of(*([command] if command else []), "--help")
    assert code == 0
    shown = re.sub(r"\[默认[^\n]*", "", text)
    names = "|".join(c.callback.__name__ for c in cli.app.registered_commands)
    known = (
        rf"pinghu|project|toml|path|str|JSON|join_gap_m|layers|rivers|xlsx|csv|gpkg|Word|{names}"
        "|outputs|ledger|map"
    )
    bare = re.sub(
        rf"--[a-z-]+|<[\w\[\]]+>|[\[{{]\w+[\]}}]|files|^  \w+ |\b(?:{known})\b",
        "",
        shown,
        flags=re.MULTILINE,
    )
    assert not LATIN.findall(bare), text


@pytest.mark.parametrize(
    "command", ["", *(c.callback.__name__ for c in cli.app.registered_commands)]
)
def test_help_in_english_is_english(command):
    """Texts of options, too; only names of files that a run writes stay as they are."""
    words = [command, "--help", "--lang", "en"] if command else ["--help", "--lang", "en"]
    code, text = said_of(*words)
    assert code == 0
    assert "Show this message and exit." in text
    assert not re.search("[\u4e00-\u9fff]", text.replace("模板", "")), text


def test_a_language_may_stand_before_the_command():
    before = said_of("--lang", "en", "explain", "widths")
    assert before == said_of("explain", "widths", "--lang", "en")
    assert before[0] == 0


def test_help_in_english_says_what_a_command_does():
    code, text = said_of("run", "--lang", "en", "--help")
    assert code == 0
    assert "Run a project file into a folder of results" in text
    assert "运行项目" not in text


class _Told:
    """Bars that only note what they are told."""

    def __init__(self):
        self.tasks, self.said = [], []

    def add_task(self, name, total=None):
        self.tasks.append(SimpleNamespace(total=total))
        self.said.append((name, 0, total))
        return len(self.tasks) - 1

    def update(self, task, *, completed, total):
        self.tasks[task].total = total
        self.said[task] = (self.said[task][0], completed, total)


def test_a_step_has_one_bar_however_often_it_counts():
    told = _Told()
    show = cli._StepBars(told)
    for line in (
        "reading",
        "rises A 0/55",
        "rises A 24/55",
        "rises B 0/2",
        "1/2 x.parquet 3",
        "map 3/4号河",
    ):
        show(line)
    show.end()
    assert told.said == [
        ("reading", 1, 1),
        ("rises A", 55, 55),
        ("rises B", 2, 2),
        ("map 3/4号河", 1, 1),
    ]


def test_lines_say_every_tenth_part_of_a_step(monkeypatch):
    said = []
    monkeypatch.setattr(cli, "_print_step", said.append)
    show = cli._StepLines()
    for k in range(101):
        show(f"rises A {k}/100")
    show("rises B 0/100")
    assert len(said) == 12


def test_lines_say_the_end_of_a_step_once(monkeypatch):
    """What was computed in one go stood at 0/55 for ever."""
    said = []
    monkeypatch.setattr(cli, "_print_step", said.append)
    show = cli._StepLines()
    for line in (
        "reading",
        "rises A 0/55",
        "rises B 0/2",
        "1/2",
        "2/2",
        "rises C 0/0",
        "map",
        "3/9",
    ):
        show(line)
    show.end()
    show.end()
    assert said == [
        "reading", "rises A 0/55", "rises A 55/55", "rises B 0/2", "1/2", "2/2", "rises C 0/0",
        "map", "3/9", "9/9",
    ]  # fmt: skip


def test_a_path_with_a_blank_is_one_word_of_the_command_that_is_told(tmp_path):
    """`pinghu new "资料 一"` told: pinghu run 资料 一/project.toml, which is two words."""
    folder = tmp_path / "资料 一"
    folder.mkdir()
    (folder / "project.toml").write_text("", "utf-8")
    code, text = said_of("run", str(folder), "--out", str(tmp_path / "out"))
    cure = text.split("提示:")[1].strip()
    assert shlex.split(cure) == ["pinghu", "run", str(folder / "project.toml")]
    assert code == 2


@pytest.mark.parametrize("name", ["资料", "a b", "(一)", "a'b", 'a"b', "a$b", "a`b", "a&b;c"])
def test_shells_read_a_path_as_it_is(name):
    typed_in = f"printf %s {shell_word(name)}"
    assert subprocess.check_output(["sh", "-c", typed_in], text=True) == name


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [["explain", "outputs"], ["--help"], ["schema"]])
def test_a_full_disk_behind_the_output_is_told_in_a_sentence(words, unbuffered):
    """What was said ended in a traceback, or in one of the interpreter that ended."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pinghu_geo", *words], stdout=full, stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered, "PYTHONUTF8": "1"},
            encoding="utf-8", check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("错误:输出无法写出")
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_fault_of_the_system_elsewhere_stays_what_it_is(capsys):
    with pytest.raises(OSError, match="beyond"), shown_cures("zh"):
        raise OSError(28, "beyond")
    assert not capsys.readouterr().err
