"""A river with chainage equations (断链) is the same river: place by place, to 1e-9."""

import ast
import importlib
import inspect
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from test_generator import ROOMS

import pinghu_geo as pg
from conftest import CRS, building_frame, river_frame
from pinghu_geo.river.centreline import by_measure
from pinghu_geo.river.chainage import ChainageScale

XY = [(0, 0), (700, 90), (1500, 0), (2600, 240), (3300, 60), (4000, 0)]
LONG = shapely.LineString(XY).length
# a long chain (K0+800 to K0+860 occur twice), then a short one (K1+900 to K2+000 don't occur)
EQUATIONS = "K0+860=K0+800;K1+900=K2+000"
RIVERS = {
    "plain": river_frame({"A": XY}),
    "down": river_frame({"A": XY}, equations=[EQUATIONS]),
    "up": river_frame(
        {"A": XY}, start_m=[5000.0], chainage_sign=[-1], equations=["K4+200=K4+260;K3+100=K3+000"]
    ),
}
SCALES = {name: pg.river.river_scales(r)["A"] for name, r in RIVERS.items()}
# stations on both sides of each equation, none of them a place whose chainage occurs twice
PLACES = np.array([0.0, 150, 420, 700, 1000, 1350, 1800, 1955, 2100, 2500, 3000, 3600, LONG])
KINDS = ["down", "up"]


def houses():
    rng = np.random.default_rng(7)
    at = np.sort(rng.uniform(20, LONG - 20, 160))
    line = shapely.LineString(XY)
    xy = shapely.get_coordinates(shapely.line_interpolate_point(line, at))
    off = rng.uniform(-30, 30, xy.shape)
    boxes = shapely.box(*(xy + off - 5).T, *(xy + off + 5).T)
    return gpd.GeoDataFrame(
        {"floors": 2.0, "floor_area_m2": 200.0, "use": "residential"},
        index=pd.Index([f"B{k:03d}" for k in range(len(at))], name="building_id"),
        geometry=boxes,
        crs=CRS,
    )


HOUSES = houses()


def table(kind, measure=PLACES, **columns):
    return pd.DataFrame({"river": "A", "chainage_m": SCALES[kind].chainage(measure), **columns})


def widths(kind):
    k = np.arange(len(PLACES))
    return table(kind, left_m=12 + k % 4, right_m=15 - k % 3)


def sections(kind, ground=10.0):
    design = table(
        kind,
        bed_level_m=ground - PLACES / 400,
        bank_level_m=ground + 4 - PLACES / 400,
        left_m=9.0,
        right_m=8.0,
        n=0.03,
    )
    return pg.design_sections(design)


def places_of(kind, chainage):
    """Measures of chainages that occur once; NaN for the others."""
    found = np.full(len(chainage), np.nan)
    for k, c in enumerate(chainage):
        try:
            found[k] = SCALES[kind].measure([c])[0]
        except pg.errors.ChainageError:
            continue
    return found


def alike(found, wanted, kind, chainages=("chainage_m", "from_m", "to_m")):
    assert list(found.columns) == list(wanted.columns)
    assert len(found) == len(wanted)
    for column in wanted.columns:
        a, b = found[column].to_numpy(), wanted[column].to_numpy()
        if column in chainages:
            at = places_of(kind, a)
            known = np.isfinite(at)
            assert known.any()
            np.testing.assert_allclose(at[known], b[known].astype(float), atol=1e-9, rtol=0)
        elif column == "repeated":  # what only the equation makes so
            assert pd.isna(b).all()
        elif wanted[column].dtype.kind == "f":
            np.testing.assert_allclose(a, b, atol=1e-9, rtol=1e-12, equal_nan=True, err_msg=column)
        else:
            same = (a == b) | (pd.isna(a) & pd.isna(b))
            assert np.all(same.astype(bool)), column


def profile(kind, flows=None, **options):
    return pg.water_profile(
        sections(kind),
        120.0 if flows is None else flows,
        {"slope": 0.0025},
        rivers=RIVERS[kind],
        **options,
    )


def assessed(kind):
    line = pg.red_line(RIVERS[kind], widths(kind))
    rates = pd.DataFrame({"building_yuan_m2": [1000.0]})
    return pg.assess(line, HOUSES, RIVERS[kind], rates=rates, gap_m=30.0, max_length_m=120.0)


@pytest.mark.parametrize("kind", KINDS)
def test_red_line_and_its_widths(kind):
    lines = {k: pg.red_line(RIVERS[k], widths(k)) for k in ("plain", kind)}
    assert lines[kind].geometry.iloc[0].equals_exact(lines["plain"].geometry.iloc[0], 1e-9)
    read = {k: pg.widths_of(line, RIVERS[k], spacing_m=45.0) for k, line in lines.items()}
    # the stations of the round trip lie in the stretch that occurs twice, and their order tells
    again = pg.red_line(RIVERS[kind], read[kind])
    plain = pg.red_line(RIVERS["plain"], read["plain"])
    assert shapely.hausdorff_distance(again.geometry.iloc[0], plain.geometry.iloc[0]) < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_assess_nodes_and_reaches(kind):
    found, wanted = assessed(kind), assessed("plain")
    plain = wanted.affected
    same = found.affected.drop(columns=["node_id", "geometry"])
    alike(same, plain.drop(columns=["node_id", "geometry"]), kind)
    groups = [a.affected.groupby("node_id").groups.values() for a in (found, wanted)]
    assert sorted(map(sorted, groups[0])) == sorted(map(sorted, groups[1]))
    if kind == "down":
        assert found.affected["node_id"].tolist() == plain["node_id"].tolist()
    cuts = np.array([0.0, 700, 1300, 2500, LONG])
    tables = {}
    for k, hit in ((kind, found.affected), ("plain", plain)):
        ends = SCALES[k].chainage(cuts)
        reaches = pd.DataFrame(
            {"river": "A", "from_m": ends[:-1], "to_m": ends[1:], "group": list("甲乙丙丁")}
        )
        nodes = pg.node_table(hit, reaches, rivers=RIVERS[k])
        tables[k] = hit["node_id"].map(nodes["group"])
    # an end on an equation is two chainages, so only the middle of a node decides
    assert tables[kind].tolist() == tables["plain"].tolist()
    assert set(tables["plain"]) == set("甲乙丙丁")


def campaign(kind):
    """A campaign on houses of which some stand where a chainage occurs twice."""
    rivers, scale = RIVERS[kind], SCALES[kind]
    hit = pg.affected(HOUSES.assign(tenants=2.0), pg.red_line(rivers, 14.0), rivers)
    tasks = pg.campaign_tasks(hit, rivers=rivers, gap_m=30.0, max_length_m=120.0)
    places = pd.DataFrame({"river": "A", "chainage_m": scale.chainage([150.0, 700.0, 2500.0])})
    reaches = pg.balanced_reaches(tasks.nodes, 4, rivers=rivers)
    at_places = pg.balanced_reaches(tasks.nodes, 3, rivers=rivers, cuts=places)
    entry = pd.DataFrame(
        {"river": "A", "from_m": scale.chainage([100.0]), "to_m": scale.chainage([3600.0]),
         "enters": ["2018-03-01"], "m_per_day": 20.0}
    )  # fmt: skip
    plan = pg.schedule(tasks.nodes, handover=entry, start="2018-01-01", rivers=rivers, work=0)
    signed = pd.DataFrame({"building_id": hit.index[::2], "stage": "signed", "date": "2018-02-01"})
    log = pd.concat([signed, signed.assign(stage="demolished", date="2018-02-09")])
    state = pg.progress_state(log, tasks.buildings)
    faces = pg.working_faces(
        tasks.buildings, rivers, state=state.reached, plan=plan.activities, as_of="2018-02-20"
    )
    return tasks, reaches, at_places, plan, faces, state


CAMPAIGNS = {}


def both_campaigns(kind):
    """The campaign on this river and on the plain one, each node of the plain one by its name."""
    for k in ("plain", kind):
        if k not in CAMPAIGNS:
            CAMPAIGNS[k] = campaign(k)
    ours, plain = (CAMPAIGNS[k][0].buildings["node_id"] for k in (kind, "plain"))
    return CAMPAIGNS[kind], CAMPAIGNS["plain"], dict(zip(plain, ours, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_tasks_and_reaches_of_a_campaign(kind):
    (tasks, reaches, at_places, *_), (want, want_reaches, want_at, *_), name = both_campaigns(kind)
    groups = [t.buildings.groupby("node_id").groups.values() for t in (tasks, want)]
    assert sorted(map(sorted, groups[0])) == sorted(map(sorted, groups[1]))
    nodes, wanted = tasks.nodes.loc[[name[n] for n in want.nodes.index]], want.nodes
    other = ["geometry", *([] if kind == "down" else ["from_m", "to_m"])]  # ends turn about
    alike(nodes.drop(columns=other), wanted.drop(columns=other), kind)
    assert wanted["length_m"].max() > 60
    step = 1 if kind == "down" else -1
    for found, plain in ((reaches, want_reaches), (at_places, want_at)):
        loads = found.loads["load"][::step], plain.loads["load"]
        # of partitions that are equally good the first from one end is taken
        np.testing.assert_allclose(*(loads if kind == "down" else map(np.sort, loads)))
    again = pg.campaign_tasks(
        tasks.buildings, segments=reaches.segments, rivers=RIVERS[kind], gap_m=30.0,
        max_length_m=120.0,
    )  # fmt: skip
    assert again.nodes["group"].notna().all()


@pytest.mark.parametrize("kind", KINDS)
def test_plan_and_faces_of_a_campaign(kind):
    (*_, plan, faces, _), (*_, want, want_faces, _), name = both_campaigns(kind)
    dates = ["needed_by", "late_days", "float_days", "due", "length_m"]
    found = plan.nodes.loc[[name[n] for n in want.nodes.index], dates].reset_index(drop=True)
    wanted = want.nodes[dates].reset_index(drop=True)
    pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(wanted), rtol=0, atol=1e-9)
    assert want.nodes["needed_by"].nunique() > 5
    step = 1 if kind == "down" else -1
    for bank in ("left", "right"):
        rows, all_ = (f.stretches[f.stretches["bank"] == bank] for f in (faces, want_faces))
        np.testing.assert_allclose(rows["length_m"][::step], all_["length_m"], atol=1e-9)
        assert rows["ready"].tolist()[::step] == all_["ready"].tolist()
        assert rows["length_m"].sum() == pytest.approx(LONG)
        at = places_of(kind, rows["from_m" if kind == "down" else "to_m"].to_numpy()[::step])
        known = np.isfinite(at)
        np.testing.assert_allclose(at[known], all_["from_m"].to_numpy()[known], atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_time_against_chainage_is_drawn_along_the_river(kind):
    lows = {}
    for k, made in zip((kind, "plain"), both_campaigns(kind)[:2], strict=True):
        _, reaches, _, plan, faces, state = made
        sheet = pg.plot_time_chainage(
            plan, "A", state=state, faces=faces.stretches, segments=reaches.segments,
            rivers=RIVERS[k],
        )  # fmt: skip
        bars = np.array([(b.get_x(), b.get_width()) for b in sheet.axes[0].patches])
        way = sheet.axes[0].collections  # the green bars of what is ready
        lows[k] = np.sort(bars[:, 1]), sorted(np.ptp(c.get_segments()[0][:, 0]) for c in way)
        label = sheet.axes[0].xaxis.get_major_formatter()
        said = pg.format_chainage(float(SCALES[k].chainage(2300.0)), decimals=0)
        assert label(float(SCALES[k].along(2300.0)), 0) == said
    for found, wanted in zip(lows[kind], lows["plain"], strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_differences(kind):
    found = {}
    for k in (kind, "plain"):
        wide = pg.assess(pg.red_line(RIVERS[k], widths(k)), HOUSES, RIVERS[k])
        narrow = pg.assess(pg.red_line(RIVERS[k], 9.0), HOUSES, RIVERS[k])
        found[k] = pg.differences(wide, narrow, RIVERS[k], gap_m=30.0)
    drop = ["geometry", "redesign_id"]
    alike(
        found[kind].buildings.drop(columns=drop), found["plain"].buildings.drop(columns=drop), kind
    )
    groups = [f.buildings.groupby("redesign_id").groups.values() for f in found.values()]
    assert sorted(map(sorted, groups[0])) == sorted(map(sorted, groups[1]))


@pytest.mark.parametrize("kind", KINDS)
def test_levels_discharges_and_freeboard(kind):
    tables = {}
    for k in (kind, "plain"):
        steps = pd.DataFrame(
            {
                "river": "A",
                "chainage_m": [np.nan, *SCALES[k].chainage([1200.0, 2300.0])],
                "discharge_m3s": [60.0, 90.0, 150.0],
            }
        )
        tables[k] = profile(k, steps)
    alike(tables[kind], tables["plain"], kind)
    assert tables["plain"]["discharge_m3s"].nunique() == 3
    levels = [pg.flood_levels(HOUSES, tables[k], RIVERS[k]) for k in (kind, "plain")]
    alike(levels[0], levels[1], kind)
    assert levels[1]["flood_level_m"].notna().all()
    board = [pg.freeboard(tables[k], sections(k)) for k in (kind, "plain")]
    alike(board[0], board[1], kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_level_at_a_confluence(kind):
    levels = []
    for k in (kind, "plain"):
        both = pd.concat([RIVERS[k], river_frame({"支": [(2050, 600), (2050, 120)]})])
        main = sections(k)
        side = pg.design_sections(
            pd.DataFrame(
                {"river": "支", "chainage_m": [0.0, 480.0], "bed_level_m": [6.5, 5.5], "left_m": 5.0,
                 "right_m": 5.0, "bank_level_m": [14.0, 13.0], "n": 0.03}
            )
        )  # fmt: skip
        at = float(SCALES[k].chainage([2063.0])[0])
        edges = pd.DataFrame(
            {"river": ["A", "支"], "slope": [0.0025, np.nan], "joins": [None, "A"],
             "joins_at_m": [np.nan, at]}
        )  # fmt: skip
        made = pg.water_profile(pd.concat([main, side]), 80.0, edges, rivers=both)
        levels.append(made[made["river"] == "支"]["level_m"].to_numpy())
    np.testing.assert_allclose(levels[0], levels[1], atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_weir_between_two_sections(kind):
    levels = []
    for k in (kind, "plain"):
        at = SCALES[k].chainage([1120.0, 2300.0])
        weirs = pd.DataFrame(
            {"river": "A", "chainage_m": at, "kind": "weir", "crest_m": [9.0, 6.5], "crest": "broad"},
            index=pd.Index(["W1", "W2"], name="structure_id"),
        )  # fmt: skip
        levels.append(profile(k, structures=weirs))
    alike(levels[0], levels[1], kind)
    assert (levels[1]["level_m"] - profile("plain")["level_m"]).max() > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_obstacles_and_rises(kind):
    few = HOUSES.iloc[::8]
    made = [pg.building_obstacles(few, sections(k), RIVERS[k]) for k in (kind, "plain")]
    alike(made[0], made[1], kind)
    assert (made[1]["moved_m"] > 0).any()
    rises = [
        pg.building_rises(
            few.head(6), sections(k), 120.0, {"slope": 0.0025}, RIVERS[k], allowed_mm=20.0
        )
        for k in (kind, "plain")
    ]
    alike(rises[0], rises[1], kind, chainages=("rise_at_m",))


@pytest.mark.parametrize("kind", KINDS)
def test_moved_designs(kind):
    made = []
    for k in (kind, "plain"):
        between = (PLACES[:-1] + PLACES[1:]) / 2
        between = between[np.isfinite(places_of(kind, SCALES[kind].chainage(between)))]
        design = table(k, between, left_m=9.0, right_m=8.0)
        wide = widths(k)
        made.append(
            pg.moved_design(design, wide.assign(left_m=10.0, right_m=10.0), wide, RIVERS[k])
        )
    alike(made[0], made[1], kind)


@pytest.mark.parametrize("kind", KINDS)
def test_terrain(kind, tmp_path):
    rasterio = pytest.importorskip("rasterio")
    x, y = np.meshgrid(np.arange(-80, 4100, 5.0), np.arange(400, -160, -5.0))
    ground = 13.0 - x / 400 + np.abs(y) / 200 + np.sin(x / 37) / 5
    path = tmp_path / "dem.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=x.shape[1], height=x.shape[0], count=1, crs=CRS,
        dtype="float64", transform=rasterio.transform.from_origin(-82.5, 402.5, 5, 5),
    ) as out:  # fmt: skip
        out.write(ground, 1)
    found = {}
    for k in (kind, "plain"):
        water = profile(k)
        wet = pg.inundation(water, path, RIVERS[k], half_width_m=60.0)
        # regular stations are multiples of a chainage: none between, so that both have the same
        made = pg.sections_from_dem(
            RIVERS[k], path, sections(k), n=0.05, spacing_m=1e6, half_width_m=30.0
        )
        found[k] = wet.drop(columns="geometry"), made.sections, made.banks
    for a, b in zip(found[kind], found["plain"], strict=True):
        if kind == "up" and "chainage_m" in b:  # listed by growing chainage, either way
            offset = "offset_m" if "offset_m" in b else "left_bank_m"
            at = places_of(kind, a["chainage_m"])
            turned = a.iloc[np.lexsort((a[offset], at))].reset_index(drop=True)
        else:
            turned = a
        alike(turned, b, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_searches(kind):
    best = [
        pg.least_demolition(
            RIVERS[k],
            widths(k),
            HOUSES,
            {"clear_m": 0.5, "step_m": 0.5, "inward_m": 3.0, "outward_m": 3.0},
        )
        for k in (kind, "plain")
    ]
    totals = [b.certificate["total_floor_area_m2"].tolist() for b in best]
    assert totals[0] == pytest.approx(totals[1])
    assert (best[1].widths["left_m"].nunique()) > 4
    np.testing.assert_allclose(
        best[0].widths[["left_m", "right_m"]], best[1].widths[["left_m", "right_m"]], atol=1e-6
    )
    gone = best[1].buildings.query("state == 'demolished'").index
    one = next(i for i in gone if len(pg.search.widths_that_save(best[1], i)))
    spared = [pg.search.widths_that_save(b, one) for b in best]
    np.testing.assert_allclose(
        spared[0][["left_m", "right_m"]], spared[1][["left_m", "right_m"]], atol=1e-6
    )


@pytest.mark.parametrize("kind", KINDS)
def test_transfer_to_the_plain_river(kind):
    free = np.isfinite(places_of(kind, SCALES[kind].chainage(PLACES)))
    near = shapely.affinity.translate(shapely.LineString(XY), 3.0, 8.0)
    other = RIVERS["plain"].set_geometry([near], crs=CRS)
    found, wanted = (
        pg.transfer_chainage(
            table(k, left_m=0.0)[free].assign(to_m=SCALES[k].chainage(PLACES[free][::-1])[::-1]),
            RIVERS[k],
            other,
            columns=("chainage_m", "to_m"),
        )
        for k in (kind, "plain")
    )
    pd.testing.assert_frame_equal(found, wanted, rtol=0, atol=1e-9)
    back = pg.transfer_chainage(table("plain")[free], RIVERS["plain"], RIVERS[kind])
    alike(back, pg.transfer_chainage(table("plain")[free], RIVERS["plain"], RIVERS["plain"]), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_stations_and_ticks_stand_where_their_chainage_lies(kind):
    scale, line = SCALES[kind], shapely.LineString(XY)
    found = pg.stations(RIVERS[kind], spacing_m=50.0)
    at = shapely.line_locate_point(line, found.geometry.to_numpy())
    np.testing.assert_allclose(scale.measure(found["chainage_m"], near=at), at, atol=1e-6)
    assert (at[0], at[-1]) == pytest.approx((0.0, LONG))
    assert np.diff(at).max() <= 50.0 + 1e-6
    ticks = pg.river.station_ticks(RIVERS[kind], spacing_m=50.0)
    middle = shapely.line_interpolate_point(ticks.geometry.to_numpy(), 0.5, normalized=True)
    np.testing.assert_allclose(shapely.line_locate_point(line, middle), at, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_where_a_tributary_joins(kind):
    side = river_frame({"支": [(2050, 600), (2050, 120)]})
    found, wanted = (
        pg.river.confluences(pd.concat([RIVERS[k], side]), tolerance_m=30.0)
        for k in (kind, "plain")
    )
    assert len(wanted) == 1
    alike(found, wanted, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_buildings_is_laid_along_the_river(kind, tmp_path):
    HOUSES.to_parquet(tmp_path / "b.parquet")
    line = pg.red_line(RIVERS["plain"], widths("plain"))
    made = []
    for k in (kind, "plain"):
        target = tmp_path / f"{k}.parquet"
        pg.affected_parquet(tmp_path / "b.parquet", line, RIVERS[k], target)
        table = gpd.read_parquet(target).drop(columns="geometry")
        made.append(table.sort_index())
    alike(made[0], made[1], kind)


def test_a_chainage_that_occurs_twice_is_told_by_its_neighbours_or_refused():
    scale = ChainageScale(1000.0, equations=((860.0, 800.0),))
    with pytest.raises(pg.errors.ChainageError, match=r"occur twice.*K0\+830"):
        scale.measure([830.0])
    with pytest.raises(pg.errors.ChainageError, match=r"occur twice.*K0\+830"):
        scale.measure([700.0, 830.0, 900.0], twice="order")
    both = [700.0, 830.0, 850.0, 810.0, 830.0, 900.0]
    wanted = [700.0, 830.0, 850.0, 870.0, 890.0, 960.0]
    assert scale.measure(both, twice="order").tolist() == wanted
    assert scale.measure(both[::-1], twice="order").tolist() == wanted[::-1]
    with pytest.raises(pg.errors.ChainageError, match="occur twice"):  # in no order
        scale.measure([830.0, 900.0, 700.0], twice="order")
    assert scale.measure([830.0], twice="downstream").tolist() == [890.0]
    assert scale.measure([-20.0, 1010.0], beyond=True).tolist() == [-20.0, 1070.0]
    place = pd.DataFrame({"river": ["A"], "chainage_m": [830.0]})
    with pytest.raises(pg.errors.ChainageError, match="occur twice"):
        pg.transfer_chainage(place, RIVERS["down"], RIVERS["plain"])


def measured(kind, table):
    """A table of sections' results by the way along the river, in order of the flow."""
    at = SCALES[kind].measure(table["chainage_m"].to_numpy(float), twice="order")
    return table.assign(chainage_m=at).sort_values("chainage_m", kind="stable")


STEPS = [60.0, 90.0, 150.0]


def steps(kind):
    at = [np.nan, *SCALES[kind].chainage([1200.0, 2300.0])]
    return pd.DataFrame({"river": "A", "chainage_m": at, "discharge_m3s": STEPS})


@pytest.mark.parametrize("kind", KINDS)
def test_uniform_and_critical_levels_of_discharges_that_change(kind):
    found, wanted = (
        [
            pg.flood.normal_levels(sections(k), steps(k), slope=0.002, rivers=RIVERS[k]),
            pg.flood.critical_levels(sections(k), steps(k), rivers=RIVERS[k]),
        ]
        for k in (kind, "plain")
    )
    for a, b in zip(found, wanted, strict=True):
        assert b["discharge_m3s"].unique().tolist() == STEPS
        alike(measured(kind, a).assign(chainage_m=b["chainage_m"].to_numpy()), b, "plain")
        np.testing.assert_allclose(measured(kind, a)["chainage_m"], b["chainage_m"], atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_earthworks(kind):
    made = []
    for k in (kind, "plain"):
        ground = sections(k)
        dug = ground.assign(elevation_m=ground["elevation_m"] - 1.0)
        made.append(pg.flood.excavation(ground, dug, rivers=RIVERS[k]))
    step = 1 if kind == "down" else -1
    for column in ("length_m", "cut_m3", "cut_prismoid_m3"):
        np.testing.assert_allclose(made[0][column][::step], made[1][column], rtol=1e-12)
    assert made[1]["length_m"].sum() == pytest.approx(LONG)
    template = {"centre_m": 0.0, "bottom_m": 4.0, "invert_m": 3.0}
    cut = [pg.flood.cut_sections(sections(k), table(k, **template)) for k in (kind, "plain")]
    np.testing.assert_allclose(cut[0]["elevation_m"], cut[1]["elevation_m"])


@pytest.mark.parametrize("kind", KINDS)
def test_calibration_between_sections(kind):
    factors = []
    for k in (kind, "plain"):
        truth = pg.flood_levels(HOUSES.iloc[::16], profile(k), RIVERS[k])["flood_level_m"]
        at = pg.locate(HOUSES.iloc[::16], RIVERS[k])["chainage_m"]
        once = np.isfinite(places_of(k, at.to_numpy()))
        marks = pd.DataFrame({"river": "A", "chainage_m": at, "level_m": truth + 0.05})[once]
        ends = SCALES[k].chainage([0.0, 1350.0, 1800.0, LONG])
        zones = pd.DataFrame({"zone": ["a", "b"], "river": "A", "from_m": ends[::2],
                              "to_m": ends[1::2]})  # fmt: skip
        fit = pg.flood.calibrate_roughness(
            sections(k), 120.0, {"slope": 0.0025}, marks.iloc[:6], reaches=zones, rivers=RIVERS[k]
        )
        factors.append(fit)
    np.testing.assert_allclose(factors[0].zones["factor"], factors[1].zones["factor"], rtol=1e-6)
    assert len(factors[1].marks) == 6


LONG_CHAIN = river_frame({"A": [(0, 0), (1300, 0)]}, equations=["K0+600=K0+400"])


def calibrated(zones=None, marks=None):
    """A river of 1,300 m on which K0+400 to K0+600 occurs twice: above 600 m along it, and below.

    The truth is n 0.036 above 600 m along it and 0.024 below; the sections say 0.03.
    """
    scale = pg.river.river_scales(LONG_CHAIN)["A"]
    along = np.arange(0.0, 1301.0, 50.0)
    bed = pd.DataFrame({
        "river": "A", "chainage_m": scale.chainage(along), "bed_level_m": 10 - along / 400,
        "bank_level_m": 16 - along / 400, "left_m": 9.0, "right_m": 8.0,
    })  # fmt: skip
    true = pg.design_sections(bed.assign(n=np.where(along < 600, 0.036, 0.024)))
    end = {"slope": 0.0025}
    water = pg.water_profile(true, 120.0, end, rivers=LONG_CHAIN)
    seen = water[["river", "chainage_m", "level_m", "repeated"]].iloc[[1, 9, 11, 13, 16, 24]]
    if zones is None:
        zones = pd.DataFrame({"zone": ["up", "down"], "river": "A", "from_m": [0.0, 400.0],
                              "to_m": [600.0, 1100.0], "from_repeated": [None, "below"],
                              "to_repeated": ["above", None]})  # fmt: skip
    return pg.flood.calibrate_roughness(
        pg.design_sections(bed.assign(n=0.03)), 120.0, end, seen if marks is None else marks(seen),
        reaches=zones, rivers=LONG_CHAIN,
    ), along  # fmt: skip


def test_zones_and_marks_say_which_of_two_places_of_a_long_chain_they_mean():
    found, along = calibrated()
    assert found.zones["factor"].tolist() == pytest.approx([1.2, 0.8], abs=2e-3)
    assert found.marks["residual_m"].abs().max() < 1e-3
    # both sections of one chainage have their own n
    n = found.sections.groupby(found.sections.index // 4)["n"].first().to_numpy()
    assert n == pytest.approx(np.where(along < 600, 0.036, 0.024), rel=2e-3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"to_repeated": None}, r"reaches: .*to_m.* occurs twice.*\(1: up\)"),
        ({"from_repeated": None}, r"reaches: .*from_m.* occurs twice.*\(1: down\)"),
        ({"to_repeated": "oben"}, "to_repeated"),
    ],
)
def test_a_zone_that_does_not_say_which_place_it_ends_at_is_refused(change, said):
    zones = pd.DataFrame({"zone": ["up", "down"], "river": "A", "from_m": [0.0, 400.0],
                          "to_m": [600.0, 1100.0], "from_repeated": [None, "below"],
                          "to_repeated": ["above", None]})  # fmt: skip
    kind = pg.errors.LayerError if said == "to_repeated" else pg.errors.HydraulicsError
    with pytest.raises(kind, match=said) as fault:
        calibrated(zones.assign(**change))
    if change != {"to_repeated": "oben"}:
        assert 'reaches["' in fault.value.hint


def test_a_mark_that_does_not_say_which_place_it_stands_at_is_refused():
    with pytest.raises(pg.errors.HydraulicsError, match="marks: .*occur twice") as fault:
        calibrated(marks=lambda seen: seen.drop(columns="repeated"))
    assert fault.value.hint.startswith('marks["repeated"] = "above"')


@pytest.mark.parametrize("kind", KINDS)
def test_an_exported_model_has_lengths_along_the_river(kind, tmp_path):
    texts = []
    for k in (kind, "plain"):
        weirs = pd.DataFrame(
            {"river": "A", "chainage_m": SCALES[k].chainage([1120.0]), "kind": "weir",
             "crest_m": 9.0, "crest": "broad"},
            index=pd.Index(["W1"], name="structure_id"),
        )  # fmt: skip
        made = pg.write_hecras(
            sections(k), steps(k), {"slope": 0.0025}, tmp_path / k, structures=weirs,
            rivers=RIVERS[k],
        )  # fmt: skip
        lines = made["geometry"].read_text("utf-8").splitlines()
        texts.append([x for x in lines if x.startswith(("Type RM", "#Sta"))])
        texts[-1] += made["flow"].read_text("utf-8").splitlines()[3:]
    assert texts[0] == texts[1]
    assert any(",700.0" in x or "1000.0" in x for x in texts[1]) or len(texts[1]) > 12


def drawn(figure):
    """Places and values of all lines of a drawing, left to right."""
    lines = [np.asarray(x.get_xydata(), float) for x in figure.axes[0].lines]
    return [x[np.argsort(x[:, 0], kind="stable")] for x in lines if len(x) > 2]


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_run_along_the_river(kind):
    figures = {}
    for k in (kind, "plain"):
        water = profile(k)
        where = pg.locate(HOUSES, RIVERS[k])
        levels = pg.flood_levels(HOUSES, water, RIVERS[k])
        at_risk = HOUSES.join(where).join(levels).assign(ground_m=9.0)
        state = at_risk.assign(state="saved")
        figures[k] = [
            pg.plot_long_section(
                water, "A", before=water, tops=pg.freeboard(water, sections(k)),
                buildings=at_risk, rivers=RIVERS[k],
            ),
            pg.plot_widths(
                widths(k), widths(k), "A", buildings=state, rivers=RIVERS[k]
            ),
        ]  # fmt: skip
    for found, wanted in zip(figures[kind], figures["plain"], strict=True):
        for a, b in zip(drawn(found), drawn(wanted), strict=True):
            at = a if kind == "down" else a[::-1] * [-1, 1]
            np.testing.assert_allclose(at[:, 0], b[:, 0], atol=1e-6)
        label = found.axes[0].xaxis.get_major_formatter()
        said = pg.format_chainage(float(SCALES[kind].chainage(2300.0)), decimals=0)
        assert label(float(SCALES[kind].along(2300.0)), 0) == said


@pytest.mark.parametrize("kind", KINDS)
def test_a_lock_across_an_equation_holds_its_length(kind):
    found = []
    for k in (kind, "plain"):
        ends = SCALES[k].chainage([700.0, 2100.0])
        locks = pd.DataFrame({"river": "A", "from_m": ends[:1], "to_m": ends[1:], "bank": "left"})
        limits = {"clear_m": 0.5, "step_m": 1.0, "inward_m": 3.0, "outward_m": 3.0}
        best = pg.least_demolition(RIVERS[k], widths(k), HOUSES, limits, locks=locks)
        found.append(best.widths[["left_m", "right_m"]].to_numpy())
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


FEW = HOUSES.iloc[::12]
RATES = pd.DataFrame({"building_yuan_m2": [1000.0]})
LIMITS = {"clear_m": 0.5, "step_m": 1.0, "inward_m": 2.0, "outward_m": 2.0}


def banks(kind):
    return table(kind, left_bank_m=-6.0, right_bank_m=6.0)


def hit(kind):
    return assessed(kind).affected


def within_rise(kind):
    return pg.least_demolition_within_rise(
        RIVERS[kind], widths(kind), FEW, sections(kind), 120.0, {"slope": 0.0025}, LIMITS,
        allowed_mm=20.0, rates=RATES,
    )  # fmt: skip


def around(kind):
    """What the second opinion in two dimensions is computed on."""
    from pinghu_geo.flood import shallow

    house = FEW.iloc[[4]]
    place = pg.locate(house, by_measure(RIVERS[kind])).iloc[0]
    dense = np.arange(0.0, LONG, 7.0)
    design = table(kind, dense, bed_level_m=10 - dense / 400, bank_level_m=14 - dense / 400,
                   left_m=9.0, right_m=8.0, n=0.03)  # fmt: skip
    at = places_of(kind, design["chainage_m"].to_numpy())
    made = pg.design_sections(design[np.isfinite(at)])
    water = pg.water_profile(made, 120.0, {"slope": 0.0025}, rivers=RIVERS[kind])
    water, points = (shallow._with_measures(t, RIVERS[kind]) for t in (water, made))
    reach = shallow._HouseReach.around(place, points, water, "B")
    return pd.DataFrame({"x": reach.x, "level": reach.level, "left": reach.left})


# name: what it says on a river, without chainages (those the tests above hold)
EACH = {
    "assess_many": lambda k: pg.assess_many({"a": widths(k)}, HOUSES, RIVERS[k]).totals,
    "compare": lambda k: pg.compare(
        {"a": pg.red_line(RIVERS[k], widths(k)), "b": pg.red_line(RIVERS[k], 9.0)}, HOUSES,
        RIVERS[k], rates=RATES).totals,
    "node_ids": lambda k: pg.node_ids(hit(k), gap_m=30, max_length_m=120, rivers=RIVERS[k])
        .groupby(hit(k)["offset_min_m"] > 0).nunique().to_frame(),
    "section_lines": lambda k: pg.flood.section_lines(sections(k), RIVERS[k]).geometry.bounds
        .sort_values("minx").reset_index(drop=True),
    "encroachments": lambda k: measured(k, pg.flood.encroachments(
        sections(k), 120.0, {"slope": 0.0025}, banks=banks(k), target_rise_m=0.2,
        rivers=RIVERS[k]))[["left_wall_m", "right_wall_m"]],
    "flood_rise": lambda k: measured(k, pg.flood_rise(
        sections(k), steps(k), {"slope": 0.0025}, rivers=RIVERS[k],
        after={"obstacles": table(k, from_offset_m=3.0, to_offset_m=9.0).iloc[[5]]}))
        [["rise_mm", "energy_rise_mm", "rise_lossless_mm"]],
    "rise_table": lambda k: measured(k, pg.flood.rise_table(profile(k), profile(k, 150.0)))
        [["rise_mm"]],
    "bend_rises": lambda k: measured(k, pg.flood.bend_rises(profile(k), RIVERS[k]))
        [["radius_m", "bend_rise_m"]],
    "section_properties": lambda k: measured(k, pg.flood.section_properties(
        sections(k), profile(k))).select_dtypes("float").drop(columns="chainage_m"),
    "moved_sections": lambda k: measured(k, pg.search.moved_sections(
        sections(k), widths(k), widths(k).assign(left_m=9.0), RIVERS[k]).sections)
        [["offset_m", "elevation_m"]],
    "within_rise": lambda k: within_rise(k).certificate[["total_yuan"]],
    "second_opinion": around,
    "management_line": lambda k: pg.redline.management_line(RIVERS[k], widths(k), rule="hangzhou").bounds,
    "cut_banks": lambda k: measured(k, pg.flood.cut_banks(sections(k), pg.flood.cut_sections(
        sections(k), table(k, centre_m=0.0, bottom_m=4.0, invert_m=3.0))))
        [["left_bank_m", "right_bank_m"]],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", EACH)
def test_each_function_says_the_same(name, kind):
    found, wanted = (pd.DataFrame(EACH[name](k)) for k in (kind, "plain"))
    assert len(wanted) > 0
    assert found.shape == wanted.shape
    for column in wanted.columns:
        if column in ("chainage_m", "from_m", "to_m"):
            continue
        a, b = found[column].to_numpy(), wanted[column].to_numpy()
        if b.dtype.kind in "fiu":
            a, b = a.astype(float), b.astype(float)
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=str(column))
        else:
            assert pd.Series(a).equals(pd.Series(b)), column


# what reads no chainage, or one section at a time: geometry, ids, money, texts
READS_NONE = {
    "belongs_to", "clearing", "compensation", "floor_area", "in_words",
    "live_red_line", "node_board", "overlay_zones", "payments",
    "position_uncertainty", "progress_faults", "raster_values", "remainders", "retention_verdict",
    "section_offsets", "supervision", "totals", "update_progress", "work_days",
    "write_forms",
    # say what tables hold, at the chainages that stand in them
    "wall_maps", "write_household_files", "write_notices", "write_scheme_report",
    "write_transfers", "write_weekly_report", "write_field_package", "write_hydraulics",
    "write_msproject", "write_qgis_project", "write_results",
    # shapes and ids alone
    "drawn_downstream", "join_parts", "named_by_rivers",
    # ask the search that `within_rise` is again
    "trade_offs", "what_would_save",
    # asks `water_profile` at other discharges
    "balanced_flows",
    # rows of a profile, as they are
    "junction_levels",
}  # fmt: skip
# have no river at all: files, texts, coordinates, days, the whole project
NO_PLACES = {
    "adopt_scheme", "apply_grid", "campaign_project", "centred_model", "check", "check_project", "check_summary",
    "crs_candidates", "critical_path", "dbf_encoding", "explain", "fit_grid", "from_gcj02",
    "join_ledger", "layer_shift", "management_rules", "new_project", "open_store",
    "parse_chainage", "project_forms", "project_papers", "project_schema", "read_hecras",
    "read_hecras_results", "read_layer", "read_reports", "read_table", "repair",
    "retention_rules", "river_axis", "run_project", "sample_folder", "split_parts",
    "stage_rules", "unit_numbers", "update_project", "write_blank_form", "write_dxf",
    "write_faults", "write_layer", "write_sheets", "write_table", "write_templates",
}  # fmt: skip


def test_no_public_function_is_forgotten():
    """A new one has to be called in this file, or named above as one that measures nothing."""
    modules = [pg, *(importlib.import_module(f"pinghu_geo.{room}") for room in ROOMS)]
    public = {name for m in modules for name in m.__all__ if inspect.isfunction(getattr(m, name))}
    tree = ast.parse(Path(__file__).read_text("utf-8"))
    called = {n.func.attr for n in ast.walk(tree)
              if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)}  # fmt: skip
    called |= {"second_opinion"}  # needs ANUGA: what it is computed on is compared
    named = READS_NONE | NO_PLACES
    forgotten = public - called - named
    assert not forgotten, f"call them here on a river with equations: {sorted(forgotten)}"
    assert not (gone := named - public), f"no such functions: {sorted(gone)}"
    assert not READS_NONE & NO_PLACES
    assert not (both := named & called), f"called here: {sorted(both)}"


def test_which_place_of_a_repeated_chainage_is_meant_is_said_in_every_output(tmp_path):
    """A long chain of 60 m: K0+800 to K0+860 occur twice, 60 m apart; three houses by hand."""
    river = river_frame({"A": [(0, 0), (1000, 0)]}, equations=["K0+860=K0+800"])
    houses = building_frame(
        {
            "once": shapely.box(395, 5, 405, 25),
            "above": shapely.box(825, 5, 835, 25),
            "below": shapely.box(885, 5, 895, 25),
        },
        floor_area_m2=100.0,
    )
    wide, narrow = (pg.red_line(river, half) for half in (10.0, 4.0))
    found = pg.compare({"原": wide, "窄": narrow}, houses, river)
    hit = found.schemes["原"].affected
    assert hit["chainage_m"].to_dict() == pytest.approx({"once": 400, "above": 830, "below": 830})
    said = {"once": None, "above": "above", "below": "below"}
    for table in (hit, found.changes.set_index("building_id"), pg.locate(houses, river)):
        assert table["repeated"].astype(object).where(
            table["repeated"].notna(), None
        ).to_dict() == (said)
    assert found.summary()[-1].startswith("2 栋受影响房屋的桩号因长链(断链)出现两次")
    pg.write_ledger(hit, tmp_path / "l.xlsx", comparison=found)
    book = pd.read_excel(tmp_path / "l.xlsx", sheet_name=None, header=None)
    words = {"长链之前(上游)", "长链之后(下游)"}
    for sheet in ("征拆台账", "方案差异"):
        assert words <= set(book[sheet].astype(str).to_numpy().ravel()), sheet
    pg.command_map(hit, {"原": wide}, river).save(tmp_path / "m.html")
    page = (tmp_path / "m.html").read_text("utf-8")
    for word in words:
        assert word in page or word.encode("unicode_escape").decode() in page
    # a short chain repeats nothing, nor does a river without equations; mouth upwards is the same
    short = river_frame({"A": [(0, 0), (1000, 0)]}, equations=["K0+860=K0+900"])
    assert pg.locate(houses, short)["repeated"].isna().all()
    up = river_frame(
        {"A": [(0, 0), (1000, 0)]},
        start_m=[1000.0],
        chainage_sign=[-1],
        equations=["K0+140=K0+200"],
    )
    assert pg.locate(houses, up)["repeated"].dropna().to_dict() == {
        "above": "above", "below": "below"
    }  # fmt: skip


def test_a_chainage_twice_is_one_sentence_where_no_river_is_drawn():
    profile = pd.DataFrame(
        {"river": "A", "chainage_m": [0.0, 820, 850, 820, 900], "level_m": [9.0, 8, 7.5, 7, 6]}
    )
    with pytest.raises(pg.errors.HydraulicsError, match=r"several rows at one chainage \(2: .*820"):
        pg.flood.rise_table(profile, profile)
    with pytest.raises(pg.errors.LayerError, match="bed_m"):
        pg.plot_long_section(profile, "A")
    bed = profile.assign(bed_level_m=5.0, bank_level_m=9.0, left_m=5.0, right_m=5.0, n=0.03)
    sections = pg.design_sections(bed)
    for call in (
        lambda: pg.water_profile(sections, 20.0, {"slope": 0.001}),
        lambda: pg.flood.normal_levels(sections, 20.0, slope=0.001),
        lambda: pg.freeboard(profile, sections),
        lambda: pg.flood.section_properties(sections, profile),
    ):
        with pytest.raises(pg.PinghuError, match=r"K0\+820"):
            call()


def twins():
    """Sections of which two places have the same chainage: a wide one after a narrow one."""
    parts = [
        pd.DataFrame(
            {"river": "A", "chainage_m": at, "offset_m": [-w, -2.0, 2.0, w],
             "elevation_m": np.array([9.0, 5, 5, 9]) - at / 500, "n": 0.03}
        )
        for at, w in [(0.0, 5.0), (820.0, 5.0), (850.0, 6.0), (820.0, 20.0), (900.0, 6.0)]
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(
    "call",
    [
        lambda s, _: pg.flood.cut_sections(s, CUT),
        lambda s, _: pg.flood.excavation(s, s),
        lambda s, _: pg.flood.cut_banks(s, s),
        lambda s, _: pg.plot_section(s, "A", 820.0),
        lambda s, _: pg.flood.with_roughness(s, pd.DataFrame({"offset_m": [-9.0], "n": 0.03})),
        lambda s, _: pg.flood.critical_levels(s, 20.0),
        lambda s, _: pg.flood_rise(s, 20.0, {"slope": 0.002}, after={"banks": BANKS}),
        lambda s, _: pg.flood.calibrate_roughness(s, 20.0, {"slope": 0.002}, MARKS),
        lambda s, folder: pg.write_hecras(s, 20.0, {"slope": 0.002}, folder / "m"),
        lambda s, _: pg.flood.encroachments(
            s, 20.0, {"slope": 0.002}, banks=BANKS, target_rise_m=0.1
        ),
        lambda s, _: pg.water_profile(s, 20.0, {"slope": 0.002}),
    ],
)  # fmt: skip
def test_two_sections_of_one_chainage_are_named_as_such(call, tmp_path):
    with pytest.raises(pg.PinghuError, match=r"several sections at one chainage \(1: A K0\+820"):
        call(twins(), tmp_path)
    # wherever the rows of the second one stand
    with pytest.raises(pg.PinghuError, match="several sections at one chainage"):
        call(twins().sort_values("chainage_m", kind="stable"), tmp_path)


CUT = pd.DataFrame({"river": ["A"], "chainage_m": 820.0, "centre_m": 0.0, "bottom_m": 2.0,
                    "invert_m": 1.0})  # fmt: skip
MARKS = pd.DataFrame({"river": ["A"], "chainage_m": [100.0], "level_m": [7.0]})
BANKS = pd.DataFrame({"river": "A", "chainage_m": [0.0, 820, 850, 900], "left_bank_m": -2.0,
                      "right_bank_m": 2.0})  # fmt: skip


def test_two_sections_of_one_chainage_are_written_as_two(tmp_path):
    pg.intake.write_sections(twins(), tmp_path / "a.hdm")
    blocks = (tmp_path / "a.hdm").read_text("ascii").split("BEGIN,")[1:]
    assert [b.split()[0] for b in blocks] == [
        "0.000:1", "820.000:2", "850.000:3", "820.000:4", "900.000:5"
    ]  # fmt: skip
    read = pg.intake.read_sections(tmp_path / "a.hdm", river="A")
    assert read["offset_m"].tolist() == twins()["offset_m"].tolist()


def test_points_that_run_back_are_no_second_section():
    good = twins().iloc[:4]
    for offsets in ([-5.0, 2, -2, 5], [5.0, 2, -2, -5], [-5.0, -2, 5, 2]):
        with pytest.raises(pg.errors.HydraulicsError, match="offsets that run back"):
            pg.flood.section_properties(
                good.assign(offset_m=offsets), good.iloc[:1].assign(level_m=7.0)
            )


def test_widths_of_one_chainage_that_stand_apart_are_not_drawn():
    rows = pd.DataFrame({"river": "A", "chainage_m": [0.0, 820, 850, 820, 900], "left_m": 5.0,
                         "right_m": 5.0})  # fmt: skip
    with pytest.raises(pg.errors.LayerError, match=r"stand apart \(1: A K0\+820"):
        pg.plot_widths(rows, rows, "A")
    change = rows.iloc[[0, 1, 3, 2, 4]]  # a sudden change, in either order
    assert pg.plot_widths(change, change.iloc[::-1], "A").axes


def long_chain():
    """A river of 1,000 m with a long chain of 60 m, and sections at both K0+820 and between."""
    river = river_frame({"A": [(0, 0), (1000, 0)]}, equations=["K0+860=K0+800"])
    plain = river_frame({"A": [(0, 0), (1000, 0)]})
    at = np.array([0.0, 820, 850, 880, 940])
    said = np.array([0.0, 820, 850, 820, 880])
    wide = (15.0, 15, 16, 20, 16)
    parts = [
        pd.DataFrame({"river": "A", "chainage_m": m, "offset_m": [-w, -2.0, 2.0, w],
                      "elevation_m": np.array([9.0, 5, 5, 9]) - m / 500, "n": 0.03})
        for m, w in zip(at, wide, strict=True)
    ]  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    return river, table.assign(chainage_m=np.repeat(said, 4)), plain, table


BOTH = ["above", "above", "below"]  # of K0+820, K0+850, K0+820


def test_sections_of_a_repeated_chainage_are_told_by_the_way_along_the_river():
    river, twice, plain, once = long_chain()
    houses = building_frame(
        {"up": shapely.box(815, 5, 825, 9), "down": shapely.box(875, 5, 885, 9),
         "mid": shapely.box(838, -9, 842, -5)},
        floor_area_m2=100.0,
    )  # fmt: skip
    end = {"slope": 0.002}
    lines, wanted = (pg.flood.section_lines(s, r) for s, r in ((twice, river), (once, plain)))
    assert lines["repeated"].dropna().tolist() == BOTH
    assert lines.geometry.geom_equals(wanted.geometry).all()
    upwards = pd.concat([twice.iloc[k : k + 4] for k in (16, 12, 8, 4, 0)])
    for listed in (twice, upwards):
        same = pg.building_obstacles(houses, listed, river)
        assert same["building_id"].tolist() == ["up", "down", "mid"]
        assert same["chainage_m"].tolist() == [820.0, 820.0, 850.0]
        assert same["repeated"].tolist() == ["above", "below", "above"]
    block = pg.building_obstacles(houses, twice, river)
    water, level = (
        pg.water_profile(s, 20.0, end, obstacles=pg.building_obstacles(houses, s, r), rivers=r)
        for s, r in ((twice, river), (once, plain))
    )
    assert water["repeated"].dropna().tolist() == BOTH
    assert "repeated" not in level.columns
    np.testing.assert_allclose(water["level_m"], level["level_m"], atol=1e-9)
    tops, want = (
        pg.freeboard(p, s, rivers=r) for p, s, r in ((water, twice, river), (level, once, plain))
    )
    np.testing.assert_allclose(tops["freeboard_left_m"], want["freeboard_left_m"])
    calm = pg.water_profile(twice, 20.0, end, rivers=river)
    risen = pg.flood.rise_table(calm, water)
    assert risen["rise_mm"].tolist() == pytest.approx(
        ((water["level_m"] - calm["level_m"]) * 1000).tolist()
    )
    alone, wanted = (
        pg.building_rises(houses, s, 20.0, end, r, allowed_mm=10.0, losses=())
        for s, r in ((twice, river), (once, plain))
    )
    np.testing.assert_allclose(alone["rise_joint_mm"], wanted["rise_joint_mm"], atol=1e-6)
    where = alone.loc[alone["rise_at_m"].between(800, 860), "rise_repeated"]
    assert where.notna().all()
    assert block["moved_m"].tolist() == [0.0, 0.0, 10.0]


def test_works_and_models_on_a_repeated_chainage(tmp_path):
    river, twice, plain, once = long_chain()
    dug, want = (
        pg.flood.excavation(s, s.assign(elevation_m=s["elevation_m"] - 1.0), rivers=r)
        for s, r in ((twice, river), (once, plain))
    )
    for column in ("length_m", "cut_m3", "cut_prismoid_m3"):
        np.testing.assert_allclose(dug[column], want[column])
    end = {"slope": 0.002}
    texts = [
        pg.write_hecras(s, 20.0, end, tmp_path / n, rivers=r)["geometry"].read_text("utf-8")
        for n, s, r in (("a", twice, river), ("b", once, plain))
    ]
    lines = [[x for x in t.splitlines() if not x.startswith(("Geom", "K0"))] for t in texts]
    assert lines[0] == lines[1]
    banks = {"left_bank_m": -2.0, "right_bank_m": 2.0}
    walls, want = (
        pg.flood.encroachments(s, 200.0, end, banks=b.assign(**banks), target_rise_m=0.1, rivers=r)
        for s, b, r in (
            (twice, pg.flood.section_lines(twice, river).drop(columns="geometry"), river),
            (once, once.drop_duplicates("chainage_m")[["river", "chainage_m"]], plain),
        )
    )
    np.testing.assert_allclose(walls["left_wall_m"], want["left_wall_m"], atol=2e-3)


@pytest.mark.parametrize("name", ["obstacles", "banks"])
def test_a_row_of_a_repeated_chainage_says_which_section_it_means(name):
    river, twice, plain, once = long_chain()
    row = {
        "obstacles": {"from_offset_m": 2.0, "to_offset_m": 6.0},
        "banks": {"left_bank_m": -2.0, "right_bank_m": 2.0, "contraction": 0.8},
    }[name]

    def level(sections, rivers, **columns):
        table = pd.DataFrame({"river": ["A"], **columns, **row})
        return pg.water_profile(sections, 20.0, {"slope": 0.002}, rivers=rivers, **{name: table})

    with pytest.raises(pg.errors.HydraulicsError, match="that several sections have") as said:
        level(twice, river, chainage_m=820.0)
    assert "(1: A K0+820.0)" in str(said.value)
    table = pd.DataFrame({"river": ["A"], "chainage_m": 820.0, **row})
    exec(said.value.hint, {name: table})  # as it stands
    cured = pg.water_profile(twice, 20.0, {"slope": 0.002}, rivers=river, **{name: table})
    plainly = level(once, plain, chainage_m=820.0)
    np.testing.assert_allclose(cured["level_m"], plainly["level_m"], atol=1e-9)
    for which, place in (("above", 820.0), ("below", 880.0), ("长链之后(下游)", 880.0)):
        found = level(twice, river, chainage_m=820.0, repeated=which)["level_m"]
        np.testing.assert_allclose(
            found, level(once, plain, chainage_m=place)["level_m"], atol=1e-9
        )
    with pytest.raises(pg.errors.HydraulicsError, match="places where there is no section"):
        level(twice, river, chainage_m=850.0, repeated="below")


def test_what_is_made_of_single_sections_knows_which_of_two_is_meant():
    """Cut, edges of the cut, roughness, properties, drawing: one place, not a jumble of both."""
    river, twice, plain, once = long_chain()
    cut = {"river": ["A"], "centre_m": 0.0, "bottom_m": 2.0, "invert_m": 1.0, "n": 0.02}
    below = pd.DataFrame({**cut, "chainage_m": 820.0, "repeated": "below"})
    made = pg.flood.cut_sections(twice, below, rivers=river)
    wanted = pg.flood.cut_sections(once, pd.DataFrame({**cut, "chainage_m": 880.0}))
    shape = ["offset_m", "elevation_m", "n"]
    pd.testing.assert_frame_equal(made[shape], wanted[shape])
    banks = pd.DataFrame({"river": "A", "chainage_m": [820.0, 820.0], "repeated": ["above", "below"],
                          "left_bank_m": -9.0, "right_bank_m": 9.0})  # fmt: skip
    edges = pg.flood.cut_banks(twice, made, banks=banks, rivers=river)
    assert edges["repeated"].tolist() == ["above", "below"]
    assert edges["left_bank_m"].tolist() == [-9.0, -1.0]
    rough = pg.flood.with_roughness(
        twice,
        pd.DataFrame({"river": "A", "chainage_m": [0.0, 820, 850, 820, 880], "offset_m": -50.0,
                      "repeated": [None, "above", None, "below", None],
                      "n": [0.01, 0.02, 0.03, 0.04, 0.05]}),
        rivers=river,
    )  # fmt: skip
    assert rough["n"].tolist() == np.repeat([0.01, 0.02, 0.03, 0.04, 0.05], 4).tolist()
    held = pg.flood.section_properties(twice, 8.0, rivers=river)
    assert held["repeated"].dropna().tolist() == BOTH
    same = pg.flood.section_properties(once, 8.0)
    assert held["area_m2"].tolist() == same["area_m2"].tolist()
    assert "repeated" not in same.columns
    levels = held[["river", "chainage_m", "repeated", "level_m"]].iloc[[3]]
    one = pg.flood.section_properties(twice, levels, rivers=river)
    assert one["area_m2"].tolist() == [same["area_m2"][3]]
    for name, value in (("critical_levels", {}), ("normal_levels", {"slope": 0.002})):
        found = getattr(pg.flood, name)(twice, 20.0, rivers=river, **value)
        assert found["repeated"].dropna().tolist() == BOTH
    with pytest.raises(pg.errors.LayerError, match="several sections have"):
        pg.plot_section(twice, "A", 820.0, rivers=river)
    for which, row in (("above", 1), ("below", 3)):
        figure = pg.plot_section(twice, "A", 820.0, rivers=river, repeated=which)
        shown = [line.get_xdata()[0] for line in figure.axes[0].lines]
        assert shown == [once["offset_m"][4 * row]]
    with pytest.raises(pg.errors.LayerError, match="no section"):
        pg.plot_section(twice, "A", 850.0, rivers=river, repeated="below")
    # a bridge between K0+820 below the equation and K0+880 stands beside these, not at the upper
    bridge = pd.DataFrame({"river": ["A"], "chainage_m": 870.0, "kind": "bridge",
                           "low_chord_m": 8.0, "deck_m": 9.0, "width_m": 6.0},
                          index=["Q"])  # fmt: skip
    seen = [
        len(pg.plot_section(twice, "A", 820.0, rivers=river, repeated=w, structures=bridge)
            .axes[0].patches)
        for w in ("above", "below")
    ]  # fmt: skip
    assert seen[0] == 0 < seen[1]


def test_ground_beside_a_bed_at_chainages_that_occur_twice(tmp_path):
    """Stations at K0+820 above and below the equation: each has its own ground, bed and banks."""
    river, _, plain, _ = long_chain()
    path = tmp_path / "dem.tif"
    x, y = np.meshgrid(np.arange(-40, 1040, 4.0), np.arange(42, -40, -4.0))
    with rasterio.open(
        path, "w", driver="GTiff", width=x.shape[1], height=x.shape[0], count=1, crs=CRS,
        dtype="float64", transform=rasterio.transform.from_origin(-42, 44, 4, 4),
    ) as out:  # fmt: skip
        out.write(12.0 - x / 500 + np.abs(y) / 50, 1)

    def made(rivers, last):
        bed = pd.DataFrame({"river": "A", "chainage_m": np.repeat([0.0, last], 4),
                            "offset_m": [-6.0, -5, 5, 6] * 2, "n": 0.03,
                            "elevation_m": [12.0, 8, 8, 12, 10.2, 6, 6, 10.2]})  # fmt: skip
        found = pg.sections_from_dem(rivers, path, bed, n=0.05, spacing_m=20.0, half_width_m=20.0)
        water = pg.water_profile(
            found.sections, 20.0, {"slope": 0.002}, banks=found.banks, rivers=rivers
        )
        return found, water

    found, water = made(river, 880.0)
    wanted, level = made(plain, 940.0)
    # K0+800, 820, 840; where the new count begins K0+800 again, then 820, 840, 860
    assert found.banks["repeated"].dropna().tolist() == ["above"] * 3 + ["below"] * 4
    assert "repeated" not in wanted.banks
    same = ["offset_m", "elevation_m", "n", "source"]
    pd.testing.assert_frame_equal(found.sections[same], wanted.sections[same])
    np.testing.assert_allclose(water["level_m"], level["level_m"], atol=1e-9)


def test_sections_of_two_schemes_are_cut_each_by_itself():
    one = pd.DataFrame({"river": "A", "chainage_m": 0.0, "offset_m": [-9.0, 9.0],
                        "elevation_m": 5.0, "n": 0.03})  # fmt: skip
    both = pd.concat([one.assign(scheme="a"), one.assign(scheme="b", elevation_m=6.0)])
    cut = pd.DataFrame({"river": ["A"], "chainage_m": 0.0, "centre_m": 0.0, "bottom_m": 4.0,
                        "invert_m": 3.0})  # fmt: skip
    made = pg.flood.cut_sections(both.reset_index(drop=True), cut)
    for scheme, level in (("a", 5.0), ("b", 6.0)):
        mine = made[made["scheme"] == scheme]
        assert mine["offset_m"].tolist() == [-9.0, -2.0, -2.0, 2.0, 2.0, 9.0]
        assert mine["elevation_m"].tolist() == [level, level, 3.0, 3.0, level, level]
    edges = pg.flood.cut_banks(both.reset_index(drop=True), made)
    assert edges["scheme"].tolist() == ["a", "b"]
    assert edges["left_bank_m"].tolist() == [-2.0, -2.0]


# measure along the river [m] where a new count begins, its chainage there, and which way it runs
COUNTS = {
    "short": ("K0+100=K0+150", 0.0, 1, [(0, 0, 1), (100, 150, 1)]),
    "long": ("K0+100=K0+060", 0.0, 1, [(0, 0, 1), (100, 60, 1)]),
    "short and long": ("K0+080=K0+100;K0+160=K0+150", 0.0, 1, [(0, 0, 1), (80, 100, 1), (140, 150, 1)]),
    "long and short": ("K0+080=K0+070;K0+130=K0+180", 0.0, 1, [(0, 0, 1), (80, 70, 1), (140, 180, 1)]),
    "long, counted up the river": ("K0+900=K0+950", 1000.0, -1, [(0, 1000, -1), (100, 950, -1)]),
    "short, counted up the river": ("K0+900=K0+870", 1000.0, -1, [(0, 1000, -1), (100, 870, -1)]),
    "by a hundred kilometres": ("K0+100=K100+000", 0.0, 1, [(0, 0, 1), (100, 100_000, 1)]),
}  # fmt: skip


def chainages(counts, measure):
    """Every chainage that a place has: two where a new count begins."""
    ends = [*(m for m, *_ in counts[1:]), 260.0]
    return [
        chainage + sign * (measure - begin)
        for (begin, chainage, sign), end in zip(counts, ends, strict=True)
        if begin - 1e-6 <= measure <= end + 1e-6
    ]


@pytest.mark.parametrize("name", COUNTS)
def test_beds_and_levels_between_stations_go_by_the_way_along_the_river(name, tmp_path):
    """By hand: the bed falls from 50 to 48 m over 200 m of river, whatever is counted there."""
    equations, start, sign, counts = COUNTS[name]
    river = river_frame({"R": [(20, 0), (280, 0)]}, equations=[equations], start_m=[start],
                        chainage_sign=[sign])  # fmt: skip
    path = tmp_path / "dem.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=80, height=24, count=1, crs=CRS, dtype="float64",
        transform=rasterio.transform.from_origin(-10, 48, 4, 4),
    ) as out:  # fmt: skip
        out.write(np.full((24, 80), 52.0), 1)
    first, last = chainages(counts, 20.0)[0], chainages(counts, 220.0)[0]
    bed = pd.DataFrame({"river": "R", "chainage_m": np.repeat([first, last], 4), "n": 0.03,
                        "offset_m": [-6.0, -5, 5, 6] * 2,
                        "elevation_m": [52.0, 50, 50, 52, 50, 48, 48, 50]})  # fmt: skip
    made = pg.sections_from_dem(river, path, bed, n=0.05, spacing_m=20, half_width_m=20)
    found = made.sections
    again = (
        made.banks["repeated"] if "repeated" in made.banks else pd.Series(None, made.banks.index)
    )
    for chainage, said in zip(made.banks["chainage_m"], again, strict=True):
        both = [m for m in np.arange(0.0, 261) if chainage in chainages(counts, m)]
        assert pd.isna(said) == (len(both) == 1), (chainage, both)
    points = found[(found["source"] == "survey") & found["offset_m"].isin([-5.0, 5.0])]
    assert len(points) >= 2 * 11
    left = points[points["offset_m"] == -5]
    for chainage, level in zip(left["chainage_m"], left["elevation_m"], strict=True):
        measure = 20 + (50 - level) * 100
        assert min(abs(chainage - c) for c in chainages(counts, measure)) < 1e-6, (chainage, level)
    if name == "long, counted up the river":  # K0+900 and K0+950 are one place
        water = pg.water_profile(made.sections, 20.0, {"slope": 0.01}, banks=made.banks,
                                 rivers=river)  # fmt: skip
        assert len(water) == len(made.banks)
    at = np.array([20.0, 80, 90, 95, 105, 110, 139, 141, 215])
    houses = gpd.GeoDataFrame(
        index=pd.Index([f"m{m:.0f}" for m in at], name="building_id"),
        geometry=shapely.box(20 + at - 2, 10, 20 + at + 2, 14), crs=CRS,
    )  # fmt: skip
    ends = [chainages(counts, m)[0] for m in (0.0, 40.0, 170.0, 260.0)]
    water = pd.DataFrame({"river": "R", "chainage_m": ends, "level_m": [60.0, 59.6, 58.3, 57.4]})
    level = pg.flood_levels(houses, water, river)["flood_level_m"]
    np.testing.assert_allclose(level, 60 - 0.01 * at, atol=1e-9)
