"""A campaign of any size with hand-made places, stages and days, for what shows it."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import pinghu_geo as pg
from conftest import river_frame


def houses(n_nodes, *, rivers=("甲河", "乙河"), each=2, owner="某"):
    """``each`` houses a node, the nodes 100 m apart along left and right banks in turn."""
    lines = [(r, b) for r in rivers for b in ("left", "right")]
    rows, shapes = [], []
    for k in range(n_nodes):
        river, bank = lines[k % len(lines)]
        at = 100.0 * (k // len(lines))
        for j in range(each):
            lo = at + 12.0 * j
            rows.append({"building_id": f"H{k:04d}-{j}", "river": river, "bank": bank, "from_m": lo,
                         "to_m": lo + 10.0, "needs_survey": False, "extent": "full", "owner": owner, "tenants": 3.0,
                         "demolish_floor_area_m2": 200.0, "inside_m2": 100.0,
                         "tenure": "collective" if k % 7 == 0 else "private"})  # fmt: skip
            shapes.append(shapely.box(lo, 10, lo + 10, 20))
    frame = gpd.GeoDataFrame(rows, geometry=shapes, crs=4547).set_index("building_id")
    return frame.assign(footprint_m2=100.0, floor_area_m2=200.0, n_buildings=1)


def works(tasks):
    """Centreline of each river, straight, 20 m longer than its nodes."""
    ends = tasks.nodes.groupby("river", sort=False)["to_m"].max() + 20.0
    return river_frame({river: [(0, 0), (end, 0)] for river, end in ends.items()})


def segments(tasks, groups):
    """Reaches of equal length on each river, a group each."""
    rows = []
    for river, end in works(tasks).length.items():
        cuts = np.linspace(0, end, len(groups) + 1)
        rows += [{"river": river, "from_m": a, "to_m": b, "group": g, "leader": f"{g}长"}
                 for g, a, b in zip(groups, cuts[:-1], cuts[1:], strict=True)]  # fmt: skip
    return pd.DataFrame(rows)


def campaign(n_nodes, *, as_of="2018-04-10", blocker="产权纠纷", groups=("一组", "二组"), **given):
    """All tables; node k has reached stage k mod 9 (0: nothing), a stage a week."""
    hit = houses(n_nodes, **given)
    bare = pg.campaign_tasks(hit)
    reaches = segments(bare, groups)
    tasks = pg.campaign_tasks(hit, segments=reaches)
    stages = pg.campaign.stage_rules()
    entry = pd.DataFrame({"river": works(tasks).index, "from_m": 0.0, "to_m": 1e6,
                          "enters": "2018-05-01", "m_per_day": 20.0})  # fmt: skip
    plan = pg.schedule(tasks.nodes, handover=entry, start="2018-01-02", work=0.0)
    rows = []
    for k, node in enumerate(tasks.nodes.index):
        for one in hit.index[tasks.buildings["node_id"] == node]:
            for s in range(k % 9):
                day = pd.Timestamp("2018-02-01") + pd.Timedelta(days=8 * s + k % 5)
                rows.append((one, stages.index[s], day, blocker if s == k % 9 - 1 < 7 else None))
    log = pd.DataFrame(rows, columns=["building_id", "stage", "date", "blocker"])
    state = pg.progress_state(log, tasks.buildings, stages=stages, as_of=as_of)
    faces = pg.working_faces(tasks.buildings, works(tasks), state=state.reached,
                             plan=plan.activities, as_of=as_of)  # fmt: skip
    watched = pg.supervision(plan.activities, state, tasks.buildings, faces=faces.stretches)
    return {"tasks": tasks, "state": state, "plan": plan, "watched": watched, "faces": faces,
            "stages": stages, "segments": reaches, "handover": entry}  # fmt: skip


def whole_campaign(n_nodes=20, *, stages_at="2018-03-09", **given):
    """The same with tenants and money, as the one object that papers are given."""
    hit = houses(n_nodes).assign(cost_yuan=[1e5 + 7 * k for k in range(2 * n_nodes)])
    people = pd.DataFrame({
        "tenant_id": [f"Z{k:03d}" for k in range(len(hit))], "building_id": hit.index,
        "kind": "shop", "name": "某商行", "area_m2": 33.5, "lease_end": "2019-01-31",
    }).set_index("tenant_id")  # fmt: skip
    made = campaign(n_nodes, as_of=stages_at, **given)
    tasks = pg.campaign_tasks(hit, tenants=people, segments=made["segments"])
    log = made["state"].reached.rename(columns={"id": "building_id"})
    state = pg.progress_state(log, tasks.buildings, tenants=tasks.tenants, as_of=stages_at)
    money = pg.payments(tasks.buildings, made["plan"].activities, state=state.reached)
    return pg.campaign.Campaign(
        "原方案", made["stages"], tasks, None, made["plan"], made["plan"], state, made["faces"],
        made["watched"], money, works(tasks).iloc[::-1],
    )  # fmt: skip
