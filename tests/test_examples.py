"""The examples run from the raw files to map and ledger, each in at most twelve lines."""

import ast
import runpy
import sys
import time
import tomllib
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg

HERE = Path(__file__).parents[1] / "examples"
DATA = Path(__file__).parents[2] / "shared" / "data"
REFERENCE = DATA.parent / "reference"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the public data isn't here")


@pytest.mark.parametrize("path", sorted(HERE.glob("*.py")), ids=lambda p: p.stem)
def test_scripts_have_at_most_twelve_lines(path):
    text = path.read_text("utf-8")
    about = ast.get_docstring(ast.parse(text), clean=False)
    lines = [x for x in text.replace(f'"""{about}"""', "").splitlines() if x.strip()]
    assert len([x for x in lines if not x.startswith(("import", "from"))]) <= 12


@needs_data
@pytest.mark.parametrize("name", ["shenzhen", "bayreuth"])
@pytest.mark.filterwarnings("ignore:floor area of")
def test_scripts_run(name, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [name, str(DATA), str(tmp_path)])
    begin = time.process_time()
    made = runpy.run_path(str(HERE / f"{name}.py"))
    assert time.process_time() - begin < 60
    _looked_at(made["hit"], made["line"], made["buildings"], tmp_path)


@needs_data
@pytest.mark.parametrize("path", sorted(HERE.glob("*/project.toml")), ids=lambda p: p.parent.name)
def test_projects_run(path, tmp_path):
    begin = time.process_time()
    out = pg.run_project(path, tmp_path / "out")
    assert time.process_time() - begin < 60
    hit = gpd.read_file(out / "results.gpkg", layer="affected").set_index("building_id")
    said = tomllib.loads(path.read_text("utf-8"))
    line = gpd.read_file(out / "results.gpkg", layer=f"red_line_{next(iter(said['schemes']))}")
    _looked_at(hit, line, hit, out)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference results aren't here")
@pytest.mark.filterwarnings("ignore:floor area of")
def test_verdicts_beside_a_public_model_rest_on_the_band(tmp_path, monkeypatch, capsys):
    """Beaver Creek: the houses are synthetic, the river is HEC-RAS's own example."""
    monkeypatch.setattr(sys, "argv", ["verdict", str(REFERENCE), str(tmp_path)])
    made = runpy.run_path(str(HERE / "beaver_creek" / "verdict.py"))
    hit, limit = made["hit"], made["limits"]["allowed_mm"]
    ends = hit[["rise_alone_low_mm", "rise_alone_high_mm", "rise_joint_low_mm",
                "rise_joint_high_mm"]]  # fmt: skip
    assert (hit["verdict"][(ends <= limit).all(axis=1)] == "retain").all()
    assert (hit["verdict"][hit["rise_alone_low_mm"] > limit] == "demolish").all()
    runs_through = (hit["rise_alone_low_mm"] <= limit) & (hit["rise_alone_high_mm"] > limit)
    assert set(hit["verdict"][runs_through]) == {"review"}
    assert set(hit["verdict"]) == {"demolish", "retain", "review"}
    # two of them push the bridge into pressure flow with some of the coefficients
    grows = hit["rise_grows_at"].dropna()
    assert set(grows) == {"Beaver Creek 5.4"}
    place = made["model"].structures.loc["Beaver Creek 5.4", "chainage_m"]
    assert (hit.loc[grows.index, "chainage_m"] > place).all()
    assert "more than doubles at Beaver Creek 5.4" in capsys.readouterr().out
    page = (tmp_path / "map.html").read_text("utf-8")
    assert "by losses (contraction/expansion) and n, allowed 20.0 mm" in page


def _looked_at(hit, line, buildings, out):
    """Inside areas as a plain loop has them, and every house on the map and in the ledger."""
    whole = shapely.union_all(line.geometry.to_numpy())
    inside = [whole.intersection(buildings.geometry[k]).area for k in hit.index]
    assert hit["inside_m2"].to_numpy() == pytest.approx(inside, abs=1e-6, rel=1e-7)
    assert len(hit) > 10
    page = (out / "map.html").read_text("utf-8")
    assert all(f'"{k}"' in page for k in map(str, hit.index))
    ledger = pd.read_excel(out / "ledger.xlsx", sheet_name="征拆台账", dtype=str, header=None)
    assert set(map(str, hit.index)) <= set(ledger[1])
