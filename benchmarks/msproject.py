"""MPXJ reads our schedule back: are dates, links and progress equal? Said of the sample.

Needs Java and ``pip install mpxj jpype1``; run with
``python benchmarks/msproject.py``: the campaign of the sample.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import jpype
import mpxj  # noqa: F401 - brings the jars

import pinghu_geo as pg
from pinghu_geo.computing import project_campaign
from pinghu_geo.plan import read_plan

sys.stdout.reconfigure(line_buffering=True)


def main() -> None:
    """Write the sample's schedule, read it with MPXJ, compare all tasks."""
    plan = read_plan(pg.sample_folder() / "project.toml")
    found = project_campaign(plan)[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "schedule.xml"
        pg.deliver.write_msproject(
            found.replan, path, state=found.state, baseline=found.plan, stages=found.stages,
            calendar=plan.campaign["calendar"], title=plan.name,
        )  # fmt: skip
        jpype.startJVM()
        from org.mpxj.reader import UniversalProjectReader

        read = UniversalProjectReader().read(str(path))
    code = dict(zip(found.stages["zh"], found.stages.index, strict=True))
    rows = found.replan.activities.set_index(["node_id", "stage"])
    was = found.plan.activities.set_index(["node_id", "stage"])
    done = found.state.stages.set_index(["node_id", "stage"])["done_ratio"]
    calendar, n, wrong = read.getDefaultCalendar(), 0, []
    for task in read.getTasks():
        length = task.getDuration()
        worked = calendar.getWork(task.getStart(), task.getFinish(), length.getUnits())
        same = abs(worked.getDuration() - length.getDuration()) < 1e-9
        if task.getOutlineLevel() == 3:
            stage = code[str(task.getName())]
            key = (str(task.getParentTask().getName()), stage)
            links = [code[str(p.getPredecessorTask().getName())] for p in task.getPredecessors()]
            said = [str(v)[:10] for v in (task.getStart(), task.getFinish(),
                                          task.getBaselineStart(), task.getBaselineFinish())]  # fmt: skip
            ours = [f"{t.at[key, c]:%Y-%m-%d}" for t in (rows, was) for c in ("start", "finish")]
            same &= said == ours and links == list(found.stages.at[stage, "after"])
            same &= int(task.getPercentageComplete()) == int(100 * done[key] + 1e-9)
            n += 1
        if not same:
            wrong.append(str(task.getName()))
    print(f"{n} stages of {len(found.replan.nodes)} nodes, {len(wrong)} differ {wrong[:5]}")
    sys.exit(bool(wrong) or n != len(rows))


if __name__ == "__main__":
    main()
