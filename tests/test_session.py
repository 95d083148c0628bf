"""What the README shows is what happens."""

import ast
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
# one session goes on from page to page
PAGES = [README] + [(ROOT / "docs" / p).read_text("utf-8") for p in ("questions.md", "scale.md")]


def test_the_session_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for session in re.findall(r"```python\n(.*?)```", "\n".join(PAGES), re.DOTALL):
        exec(compile(session, "README.md", "exec"), names)  # noqa: S102
    assert set(names["verdict"]["verdict"]) == {"demolish", "retain", "review"}
    assert {p.name for p in tmp_path.iterdir()} == {
        "作战图.html", "征拆台账.xlsx", "check.xlsx", "房屋.parquet", "受影响",
    }  # fmt: skip
    assert names["faults"]["fault"].tolist() != ["unreadable"]
    assert names["parts"]["n_affected"].sum() == len(names["affected"])
    assert len(names["comparison"].changes) > 0


def test_both_readmes_show_the_same_session_and_figures():
    def said(text):
        blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        code = [ast.dump(ast.parse(block)) for block in blocks]
        table = text[text.rindex("| works area" if "| works area" in text else "| 工程用地面积") :]
        return code, re.findall(r"[\d,]{2,}", table[: table.index("\n\n")])

    chinese = (ROOT / "README.zh.md").read_text("utf-8")
    assert said(README) == said(chinese)
    assert README.count("\n## ") == chinese.count("\n## ")


def test_the_figures_of_the_readme_are_the_computed_ones(sample_run):
    said = json.loads((sample_run / "summary.json").read_text("utf-8"))
    base = said["schemes"][0]
    for figure in (
        base["works_m2"],
        base["demolish_floor_area_m2"],
        base["n_nodes"],
        base["n_buildings"],
    ):
        assert f"| {figure:,.0f}" in README
    for scheme in ("优化方案", "寻优方案"):
        changes = [r for r in said["changes_by_river"] if r["scheme"] == scheme]
        saved, added = (sum(r[k] for r in changes) for k in ("n_saved", "n_added"))
        assert f"| {saved}, and {added} added" in README
        assert f"| {sum(r['avoided_floor_area_m2'] for r in changes):,.0f} m²" in README


def test_every_command_of_the_readme_is_the_one_that_ci_runs():
    assert "pip install uv && uv run pinghu demo" in README
    assert "pip install uv && uv run pytest" in README
    ci = (Path(__file__).parents[1] / ".ci" / "run").read_text("utf-8")
    assert "uv run pytest" in ci
