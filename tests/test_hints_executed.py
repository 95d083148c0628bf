"""Each hint that is code, typed where its error came up: then the call goes through.

A case is a call that fails, and what its names stand for. What the hint says is either statements,
which are executed, or keywords (``near=..., near_m=100``, or in a call with dots), which are added
to the call. A new hint that is code needs a case here, or a reason in ``NOT_HERE``.
"""

import ast
import inspect
import re
import tempfile
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg
from conftest import building_frame, river_frame

pytestmark = pytest.mark.filterwarnings("ignore:floor area of:UserWarning")
PACKAGE = Path(pg.__file__).parent
X, Y = 506_000.0, 2_503_000.0
BOW = shapely.Polygon([(X, Y), (X + 10, Y + 10), (X + 10, Y), (X, Y + 10)])


def spare():
    """Sound layers and tables, made anew for each case."""
    rivers = river_frame({"A": [(X, Y), (X + 300, Y)]})
    shapes = {"S": shapely.box(X + 20, Y + 5, X + 30, Y + 15)}
    buildings = building_frame(shapes, floors=1, floor_area_m2=100.0, use="residential")
    widths = pd.DataFrame({"river": "A", "chainage_m": [0.0, 300.0], "left_m": 9.0, "right_m": 9.0})
    line = pg.red_line(rivers, widths)
    at = np.repeat([0.0, 100.0, 200.0], 4)
    sections = pd.DataFrame(
        {"river": "A", "chainage_m": at, "offset_m": np.tile([-8.0, -7.9, 7.9, 8.0], 3),
         "elevation_m": np.tile([4.0, 0, 0, 4.0], 3) + (300 - at) * 0.002, "n": 0.03}
    )  # fmt: skip
    return {
        "pg": pg, "gpd": gpd, "pd": pd, "np": np, "rivers": rivers, "buildings": buildings,
        "widths": widths, "line": line, "red_line": line, "sections": sections,
        "affected": pg.affected(buildings, line, rivers), "BOW": BOW, "shapely": shapely, "folder": Path(tempfile.mkdtemp()),
    }  # fmt: skip


HIT = "pg.affected(buildings, red_line, rivers)"
PROFILE = 'pg.water_profile(sections, 50.0, {"slope": 0.002})'
AXIS = (
    "areas = gpd.GeoDataFrame(geometry=[shapely.box(506000, 2503000, 506300, 2503020)], "
    "index=['A'], crs=4547)\n"
    "sources = gpd.GeoSeries([shapely.Point(506000, 2503010)], ['A'], crs=4547)\n"
)
AXIS_OF = "pg.river_axis(areas, sources)"
JUNCTION = (
    "three = pd.concat([sections.assign(river=r) for r in 'ABC'], ignore_index=True)\n"
    "flows = pd.DataFrame({'river': ['A', 'B', 'C'], 'discharge_m3s': [20.0, 20.0, 40.0]})\n"
    "junctions = pd.DataFrame({'junction': 'J', 'river': ['A', 'B', 'C'], 'role': ['in', 'in', "
    "'out'], 'length_m': 20.0, 'angle_deg': 90.0, 'method': 'momentum'})\n"
)
JOINED = "pg.water_profile(three, flows, {'slope': 0.002}, junctions=junctions)"
MARKS = (
    "flows = 50.0\n"
    "marks = pd.DataFrame({'river': 'A', 'chainage_m': [0.0, 50.0], 'level_m': [2.5, 2.4]})\n"
)
CALIBRATED = "pg.flood.calibrate_roughness(sections, flows, {'slope': 0.002}, marks)"
CASES = {
    # flood: junctions, earthworks, calibration
    "a momentum junction across": (JUNCTION, JOINED),
    "a river that falls into a junction": (
        JUNCTION + "junctions['angle_deg'] = 30.0\n"
        "three.loc[three['river'] == 'B', 'elevation_m'] += 9", JOINED),
    "sections without heights": (
        "before = after = sections.assign(elevation_m=sections['elevation_m'].where("
        "sections.index != 1))\nafter = after.dropna()", "pg.flood.excavation(before, after)"),
    "volumes of several schemes": (
        "before = pd.concat([sections.assign(scheme=k) for k in '12'])\nafter = sections",
        "pg.flood.excavation(before, after)"),
    "marks in several schemes": (
        MARKS + "sections = pd.concat([sections.assign(scheme=k) for k in '12'])", CALIBRATED),
    "marks of no flood": (
        MARKS + "flows = pd.DataFrame({'profile': ['p', 'q'], 'discharge_m3s': [50.0, 90.0]})",
        CALIBRATED),
    # nouns/schema
    "another grid": ("buildings = buildings.to_crs(4526)", HIT),
    "degrees": ("buildings = buildings.to_crs(4326)", HIT),
    "the same river twice": (
        "a = rivers.set_geometry([shapely.LineString([(506300, 2503000), (506600, 2503000)])])\n"
        "rivers = pd.concat([rivers, a])", "pg.stations(rivers)"),
    "the same building twice": ("buildings = pd.concat([buildings] * 2)", HIT),
    "no geometry": ("buildings = pd.concat([buildings, buildings.set_geometry([None])"
                    ".rename(index={'S': 'T'})])", HIT),
    "beyond the earth": ("buildings = pd.concat([buildings, buildings.translate(1e9, 0).to_frame("
                         "'geometry').rename(index={'S': 'T'})])", HIT),
    "invalid": ("buildings = buildings.set_geometry([BOW], crs=4547)", HIT),
    "texts for numbers": ("affected['cost_yuan'] = 'dear'", "pg.redline.totals(affected, 'river')"),
    # nouns/door
    "several levels": ("buildings.columns = pd.MultiIndex.from_product([buildings.columns, ['x']])",
                       HIT),
    "a column twice": ("buildings = pd.concat([buildings, buildings[['floors']]], axis=1)", HIT),
    "a row without an id": ("buildings.index = pd.Index([None], name='building_id')", HIT),
    "a table for a layer": ("buildings = pd.DataFrame(buildings)", HIT),
    "no active geometry": ("buildings = gpd.GeoDataFrame(pd.DataFrame(buildings).rename("
                           "columns={'geometry': 'shape'}))\n"
                           "buildings['shape'] = gpd.GeoSeries(buildings['shape'], crs=4547)", HIT),
    "two geometries in a file of one": (
        "buildings['shape'] = buildings.geometry",
        "pg.write_layer(buildings, folder / 'b.gpkg', 'buildings')",
    ),
    "M that doesn't run": (
        "rivers = rivers.set_geometry(gpd.GeoSeries.from_wkt(['LINESTRING M (506000 2503000 0, "
        "506100 2503000 900, 506300 2503000 910)'], index=rivers.index, crs=4547))",
        "pg.stations(rivers)"),
    # river
    "no length": ("rivers = pd.concat([rivers, gpd.GeoDataFrame(geometry=[shapely.LineString([(0, "
                  "0), (0, 0)])], index=pd.Index(['B'], name='river'), crs=4547)])",
                  "pg.stations(rivers)"),
    "not indexed": ("rivers = rivers.reset_index()", "pg.river.river_scales(rivers)"),
    "parts apart": ("rivers = rivers.set_geometry([shapely.MultiLineString([[(0, 0), (500, 0)], "
                    "[(530, 0), (900, 0)]])], crs=4547)", "pg.join_parts(rivers, gap_m=1.0)"),
    "a source in another grid": (AXIS + "sources = sources.to_crs(4549)", AXIS_OF),
    "two sources of a river": (AXIS + "sources = pd.concat([sources, sources])", AXIS_OF),
    "another prefix": ("", "pg.parse_chainage('JS1+200')"),
    # redline, schemes, search
    "an empty line": ("red_line = red_line.head(0)", HIT),
    "blank widths": ("widths.loc[1, 'left_m'] = np.nan", "pg.red_line(rivers, widths)"),
    "a house without a node": ("affected['node_id'] = None", "pg.node_table(affected)"),
    "nodes of a table": ("affected = pd.DataFrame(affected).drop(columns='geometry')\n"
                         "affected['node_id'] = 'N'", "pg.node_table(affected)"),
    "evidence of others": ("evidence = pd.DataFrame({'title_ok': True}, index=['S', 'other'])",
                           "pg.retention_verdict(affected, evidence, limits={'allowed_mm': 20.0, 'freeboard_m': 0.0})"),
    "rows without a design": (
        "designs = pd.concat([widths.assign(design='a'), widths.assign(design=None)])",
        "pg.assess_many(designs, buildings, rivers)"),
    "a step that freezes": ("limits = {'spacing_m': 4, 'step_m': 1}",
                            "pg.least_demolition(rivers, widths, buildings, limits)"),
    "a line of no river": (
        "red_line = red_line.set_geometry(red_line.translate(0, 500)).drop(columns='river')",
        "pg.redline.named_by_rivers(red_line, rivers)"),
    "a line of two rivers": (
        "rivers = pd.concat([rivers, rivers.set_geometry(rivers.translate(0, 5)).rename("
        "index={'A': 'B'})])\nred_line = red_line.drop(columns='river')",
        "pg.redline.named_by_rivers(red_line, rivers)"),
    "points for areas": (
        "buildings = pd.concat([buildings, buildings.set_geometry(buildings.centroid).rename("
        "index={'S': 'T'})])", HIT),
    "collections for areas": (
        "buildings = buildings.set_geometry([shapely.GeometryCollection([*buildings.geometry, "
        "shapely.Point(506020, 2503005)])], crs=4547)", HIT),
    "a use that no rate knows": ("affected.loc['S', 'use'] = 'palace'",
        "pg.compensation(affected, pd.DataFrame({'use': ['residential', None], "
        "'building_yuan_m2': [1.0, 2.0]}))"),
    # flood
    "a point without height": ("sections.loc[2, 'elevation_m'] = np.nan", PROFILE),
    "a section without a chainage": ("sections.loc[2, 'chainage_m'] = np.nan",
                                     "pg.building_obstacles(buildings, sections, rivers)"),
    "a level without a chainage": (f"profile = {PROFILE}\nprofile.loc[0, 'chainage_m'] = np.nan",
                                   "pg.flood.rise_table(profile, profile)"),
    "numbers without end": (f"profile = {PROFILE}\nafter = profile.copy()\n"
                            "after.loc[0, 'level_m'] = np.inf",
                            "pg.flood.rise_table(profile, after)"),
    "several floods": ("profile = pd.concat([pg.water_profile(sections, 50.0, {'slope': 0.002})"
                       ".assign(profile=p) for p in ('a', 'b')])",
                       "pg.flood.flood_levels(affected, profile, rivers, dem=None)"),
    "several schemes": ("sections = pd.concat([sections.assign(scheme=s) for s in 'ab'])",
                        "pg.search.moved_sections(sections, widths, widths, rivers)"),
    # intake, deliver
    "a table of nobody knows what": ("frame = pd.DataFrame({'x': [1]})", "pg.check(frame)"),
    "a file of nobody knows what": (
        "file = folder / '房屋.gpkg'\npg.write_layer(buildings, file, 'buildings')",
        "pg.check(file)"),
    "swapped control": (
        "xy = np.array([(0, 0), (900, 50), (1000, 800), (100, 700), (400, 300)])\n"
        "control = pd.DataFrame({'from_x_m': xy[:, 1], 'from_y_m': xy[:, 0], "
        "'to_x_m': xy[:, 0] + 506000.0, 'to_y_m': xy[:, 1] + 2503000.0})",
        "pg.intake.fit_grid(control, 4547)"),
    "points without height to write": (
        "sections.loc[1, 'elevation_m'] = np.nan",
        "pg.intake.write_sections(sections, folder / 'a.hdm')"),
    "no line on the map": ("", "pg.command_map(affected, {}, rivers)"),
    "ids in several levels": (
        "buildings.index = pd.MultiIndex.from_tuples([('S', 1)])", HIT),
    "covered sections": (
        "sections['lid_m'] = 6.0",
        "pg.flood.write_hecras(sections, 50.0, {'slope': 0.002}, folder / 'a.prj')"),
    # campaign
    "days as Excel counts them": (
        "buildings = affected.assign(node_id='N')\n"
        "log = pd.DataFrame({'building_id': ['S'], 'stage': ['签约'], 'date': [43160]})",
        "pg.progress_state(log, buildings)"),
    "houses reported on twice": (
        "buildings = pd.concat([affected.assign(node_id='N')] * 2)\n"
        "log = pd.DataFrame({'building_id': ['S'], 'stage': ['签约'], 'date': ['2018-03-05']})",
        "pg.progress_state(log, buildings)"),
    "tenants elsewhere": (
        "affected['node_id'] = 'N'\n"
        "tenants = pd.DataFrame({'building_id': ['S', 'gone']}, index=pd.Index(['1', '2'], "
        "name='tenant_id'))", "pg.campaign_tasks(affected, tenants=tenants)"),
}  # fmt: skip


def failed(code, space):
    """The error of a call."""
    with pytest.raises(pg.PinghuError) as error:
        exec(code, space)
    return error.value


NODES = (
    "nodes = pd.DataFrame({'river': 'A', 'bank': 'left', 'from_m': np.arange(12.0) * 20, 'to_m': "
    "np.arange(12.0) * 20 + 10, 'demolish_floor_area_m2': 5.0}, index=[f'N{i}' for i in range(12)])"
)
FILE = "file = folder / 'b.gpkg'\npg.write_layer(buildings, file, 'buildings')"
RISES = "pg.building_rises(affected, sections, 50.0, {'slope': 0.002}, rivers, allowed_mm=20, "
FRAGMENTS = {
    # a call with an argument at fault; what the hint says is typed in its place or beside it
    "red before amber": (
        "affected = affected.assign(node_id='N', tenants=1)\ntasks = pg.campaign_tasks(affected)\n"
        "log = pd.DataFrame({'building_id': ['S'], 'stage': ['摸底'], 'date': ['2018-03-01']})\n"
        "state = pg.progress_state(log, tasks.buildings)\n"
        "plan = pg.schedule(tasks.nodes, start='2018-01-01').activities",
        "pg.supervision(plan, state, tasks.buildings, thresholds={'amber_days': 9, 'red_days': 1})"),
    "numbers drawn along no rivers": (
        "best = pg.least_demolition(rivers, widths, buildings, {'step_m': 1.0})",
        "pg.plot_widths(9.0, best.widths, 'A')"),
    "nodes of no station": (
        "flood = dict(flows=50.0, downstream={'slope': 0.002})",
        "pg.least_demolition_within_rise(rivers, widths, buildings, sections, limits={'step_m': "
        "1.0}, allowed_mm=20, node_stations=0, **flood)"),
    "no process": ("", RISES + "workers=0)"),
    "no groups": (NODES, "pg.balanced_reaches(nodes, [])"),
    "half a group": (NODES, "pg.balanced_reaches(nodes, 1.5)"),
    "uphill flow": ("", "pg.flood.normal_levels(sections, 50.0, slope=-0.001)"),
    "gravity in feet": (
        "", "pg.water_profile(sections, 50.0, {'slope': 0.002}, gravity_ms2=32.2)"),
    "losses above 1": ("", RISES + "losses=((0, 3),))"),
    "more than all roughness": ("", RISES + "roughness_share=10)"),
    "near in another grid": (
        FILE + "\nnear = red_line.to_crs(4526)", "pg.read_layer(file, 'buildings', near=near)"),
    "near nothing": (FILE, "pg.read_layer(file, 'buildings', near=red_line, near_m=-1)"),
    "ids of no known name": (
        "file = folder / 'b.gpkg'\n"
        "buildings.reset_index(drop=True).assign(owner='x').to_file(file)",
        "pg.read_layer(file, 'buildings')"),
    "a doubtful range": (
        "", "pg.redline.position_uncertainty(buildings, red_line, sigma_m=0.5, doubtful=(0.9, 0.1))"),
    "a bank for each group": (
        NODES + "\nnodes['bank'] = ['left', 'right'] * 6",
        "pg.balanced_reaches(nodes, 1, banks='apart')"),
    "no date": (
        "affected = affected.assign(node_id='N', tenants=1)\nnodes = pg.campaign_tasks(affected).nodes",
        "pg.schedule(nodes, start='some day')"),
    "a bank that is the origin": (
        "sections['offset_m'] += 8", "pg.flood.section_offsets(sections, origin='left_bank')"),
    "downwards only": (
        "weir = pd.DataFrame({'river': 'A', 'chainage_m': [50.0], 'kind': 'weir', 'crest_m': 2.0, "
        "'crest': 'broad'}, index=pd.Index(['S'], name='structure_id'))",
        "pg.water_profile(sections, 50.0, {'slope': 0.02}, upstream={'slope': 0.02}, "
        "structures=weir, regime='supercritical')"),
    "no boundary": ("", "pg.water_profile(sections, 50.0, pd.DataFrame({'river': ['B'], 'level_m': [3.0]}))"),
    "no grid": (
        "control = pd.DataFrame({'from_x_m': [0.0, 900, 1000, 100], 'from_y_m': [0.0, 50, 800, 700],"
        " 'to_x_m': [506000.0, 506900, 507000, 506100], 'to_y_m': [2503000.0, 2503050, 2503800, "
        "2503700]})", "pg.intake.fit_grid(control, None)"),
    "an axis of two areas": (
        "areas = gpd.GeoDataFrame(geometry=[shapely.box(506000, 2503000, 506300, 2503020), "
        "shapely.box(506320, 2503000, 506600, 2503020)], index=pd.Index(['A', 'A'], name='river'), "
        "crs=4547)\nsources = gpd.GeoSeries([shapely.Point(506000, 2503010)], ['A'], crs=4547)",
        "pg.river_axis(areas, sources)"),
    "wide for the sliders": ("widths['left_m'] = 90.0", "pg.live_red_line(widths, buildings, rivers)"),
    "a table without coordinates": (
        "file = folder / 'b.csv'\nfile.write_text('building_id,east column,north column\\nS,506000,2503000\\n')",
        "pg.read_layer(file, 'buildings', crs=4547)"),
    "a rise twice": (
        "limits = {'inward_m': 2.0, 'outward_m': 0.0, 'step_m': 1.0, 'taper': 0.1}\n"
        "best = pg.least_demolition_within_rise(rivers, widths, buildings, sections, 50.0, "
        "{'slope': 0.002}, limits, allowed_mm=20.0)",
        "pg.trade_offs(best, allowed_mm=[0, 0.0, 20])"),
    "no limit of work": (
        "affected = affected.assign(node_id='N', tenants=1)\nnodes = pg.campaign_tasks(affected).nodes",
        "pg.schedule(nodes, start='2018-01-01', work=-1)"),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAGMENTS)
def test_the_argument_that_a_hint_names_cures(name):
    space, error = argument(name)
    exec(typed_into(FRAGMENTS[name][1], fragment(error.hint), space), space)


@cache
def argument(name):
    """The names that the call knows, and its error; made once."""
    setup, code = FRAGMENTS[name]
    space = spare()
    exec(setup, space)
    return space, failed(code, space)


def fragment(hint):
    """Arguments that a hint names, as keywords: the first that reads as such."""
    for part in re.split(r", or |; ", hint):
        begins = re.search(r"\b\w+=", part)
        for end in range(len(part), 0, -1) if begins else ():
            text = f"f({part[begins.start() : end]})"
            try:
                return ast.parse(text, mode="eval").body.keywords
            except SyntaxError:
                continue
    raise AssertionError(f"no argument in: {hint}")


def typed_into(code, keywords, space):
    """A call with some of its arguments replaced, wherever they stand in it."""
    tree = ast.parse(code)
    call = tree.body[-1].value
    names = list(inspect.signature(eval(ast.unparse(call.func), space)).parameters)
    for one in keywords:
        if (at := names.index(one.arg)) < len(call.args):
            call.args[at] = one.value
        else:
            call.keywords = [k for k in call.keywords if k.arg != one.arg] + [one]
    return ast.unparse(tree)


def statements(hint):
    """What is to be executed of a hint, behind words that introduce it; None: no statement."""
    for text in (hint, hint.rpartition(": ")[2], hint.partition(", or ")[2]):
        try:
            tree = ast.parse(text.strip())
        except SyntaxError:
            continue
        dots = any(isinstance(n, ast.Constant) and n.value is ... for n in ast.walk(tree))
        words = all(isinstance(n, ast.Expr) and isinstance(n.value, ast.Name) for n in tree.body)
        if tree.body and not dots and not words:
            return text.strip()
    return None


def keywords(hint):
    """Keywords that a hint adds to the call; None: it doesn't."""
    inner = re.sub(r"^[\w.]+\((.*)\)$", r"\1", hint.strip()).replace("..., ", "")
    try:
        call = ast.parse(f"f({inner})", mode="eval").body
    except SyntaxError:
        return None
    return ast.unparse(call)[2:-1] if isinstance(call, ast.Call) and call.keywords else None


@cache
def case(name):
    """The call, the names it knows, and its error; made once."""
    setup, code = CASES[name]
    space = spare()
    exec(setup, space)
    return code, space, failed(code, space)


@pytest.mark.parametrize("name", CASES)
def test_the_cure_cures(name):
    code, space, error = case(name)
    todo, more = statements(error.hint), keywords(error.hint)
    if todo is not None and re.search(r"^\w+(\.\w+)* ?=|\] = ", todo):
        exec(todo, space)
        exec(code, space)
    elif todo is not None:
        kept = eval(todo.partition("#")[0], space)
        assert kept is not None
    else:
        assert more is not None, f"{error}: neither statements nor keywords"
        exec(f"{code[:-1]}, {more})", space)


# --- a project file: what the hint says, typed into it ---

BASE = {
    "crs": "crs = 4547",
    "layers": '[layers]\nbuildings = "房屋.gpkg"\nrivers = "河道.gpkg"',
    "schemes": '[schemes."原"]\nwidths = 15',
}
TOML = {
    # the fault: parts of the file as they are, and which part the hint is typed in place of
    "no crs code": ({"crs": "crs = true"}, "crs"),
    "a crs that no one knows": ({"crs": "crs = 999999"}, "crs"),
    "repair is no switch": ({"crs": 'crs = 4547\nrepair = "yes"'}, "crs"),
    "no schemes": ({"schemes": ""}, "schemes"),
    "no widths": ({"schemes": '[schemes."原"]\nwidths = [1, 2, 3]'}, "schemes"),
    "least without a line": ({"schemes": BASE["schemes"] + '\n[schemes."少"]\nleast = 3'}, "least"),
    "nothing is adopted": (
        {"schemes": BASE["schemes"] + '\n[campaign]\nstart = "2017-11-01"'}, "campaign"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOML)
def test_what_a_project_file_lacks_is_typed_into_it(name, tmp_path):
    broken, place = TOML[name]
    space = spare()
    pg.write_layer(space["buildings"].assign(tenants=1), tmp_path / "房屋.gpkg", "buildings")
    pg.write_layer(space["rivers"], tmp_path / "河道.gpkg", "rivers")
    space["widths"].to_csv(tmp_path / "红线宽度.csv", index=False)
    (tmp_path / "红线宽度.xlsx").write_bytes(b"")
    space["widths"].to_excel(tmp_path / "红线宽度.xlsx", index=False)
    file = tmp_path / "project.toml"
    file.write_text("\n".join((BASE | broken).values()), "utf-8")
    with pytest.raises(pg.errors.ProjectError) as error:
        pg.check_project(file)
    hint = error.value.hint.partition(", ")[0] if place in ("schemes", "x") else error.value.hint
    hint = "\n".join(line for line in hint.splitlines() if not line.startswith("#"))
    parts = BASE | broken
    if place == "least":
        parts["schemes"] = BASE["schemes"] + f'\n[schemes."少"]\n{hint}'
    elif place == "campaign":
        parts["schemes"] += f"\n{hint}"
    elif place == "crs" and hint.startswith("repair"):
        parts["crs"] = f"crs = 4547\n{hint}"
    elif hint.startswith("["):
        parts[place] = hint
    elif place == "schemes":
        parts[place] = f'[schemes."原"]\n{hint}'
    else:
        parts[place] = hint
    file.write_text("\n".join(parts.values()), "utf-8")
    found = pg.check_project(file, lang="en")
    assert found[found["severity"] == "error"].empty, found.to_string()


# Code of hints that no case above types, and why.
ELSEWHERE = {
    "test_uphill": ("chainage_sign=-1",),
    "words, as typed in another table (test_progress, test_door)": ("x = pd.to_datetime(x, unit=",),
    "tiles, points and tables that the user has": ('dem=["a', "GeoSeries(points, index=rivers"),
    "a file's own text": ("remove the .prj", 'delete the member "crs"', "back=ahead"),
    "of the shell, in test_replacing": ("--force (force=True)",),
    "three ways to write a number, in test_redline": ("give metres, as 9.0 or",),
    "widths to plot, in test_equations": ("rows of a sudden change stand",),
    "two sections of one chainage, in test_equations": (
        'x["repeated"] = ',
        'repeated="above"  # or',
    ),
    "a river that parts, in test_confluences": ("goes on straight",),
    "a day, in test_campaign_state": ("# the day to be looked at",),
    "zones and marks at a long chain, in test_equations": (
        'reaches["x_repeated"] = ',
        'marks["repeated"] = ',
    ),
    "a state, a plan: made from tables that the user has": (
        "pg.progress_state(log, tasks",
        "pg.schedule(tasks.nodes, start=",
        "stages=stages, as they were",
    ),
    "test_hints": ("crs_candidates", "pg.repair(", "set_crs", "join_parts"),
    "words with dots, to be filled in by who knows": ("...",),
    "an install": ("pip install",),
    "of another program": ("gdal_translate",),
    "a sheet, a point or a scale that the user has": (
        ', sheet="x")',
        "control.drop(index=[x])",
        "scale=1000 (500 to 2000)",
    ),
    "gates by flood, in test_confluences": (
        'structure_parts = structure_parts[~structure_parts["pr',
    ),
    "two dimensions, which take minutes, in test_structures": (
        "refinements=2",
        "# it raises nothing",
    ),
    "test_hecras_crossings": ("# and compute with it, too",),
    "test_second_opinion": (
        "# or survey sections there",
        "# or obstacles=None, each",
        "# or sections of the open",
    ),
    "two ways, in test_control": ("add a point beside it, or method=",),
    "in test_clothes, test_campaign_plan and test_offsets": (
        "pg.widths_of(line, rivers)",
        "reaches=None makes",
        "activities = activities[~",
        "pg.flood.section_offsets(x, ",
    ),
    "an earlier call, made with all schemes": ("pg.compare(schemes, buildings, rivers)",),
    "a file that is the user's": ('.shp", "', 'x.csv", "x")', "房屋.parquet"),
    "of a project file or of rules": ("storey_height_m = 3.0", "limit = 10.0"),
    "a folder of the shell, in test_start": ("pinghu new", "pinghu run", "pinghu forms"),
}


def templates():
    """Hints of the package that are code or keywords, as patterns; with their places."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.keyword) and node.arg == "hint"):
                continue
            value = node.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                text, parts = value.value, [re.escape(value.value)]
            elif isinstance(value, ast.JoinedStr):
                text = "".join(
                    str(p.value) if isinstance(p, ast.Constant) else "x" for p in value.values
                )
                parts = [
                    re.escape(str(p.value)) if isinstance(p, ast.Constant) else ".*"
                    for p in value.values
                ]
            else:
                continue
            if re.search(r"^\w+ = \w+[.\[(]|^pg\.[\w.]+\(|^\w+\[.*\] = |^far = |\b\w+=\S", text):
                yield f"{path.stem}:{value.lineno}", text, re.compile("".join(parts), re.DOTALL)


def test_every_hint_that_is_code_is_typed_by_some_case():
    typed = [case(name)[2].hint for name in CASES] + [argument(name)[1].hint for name in FRAGMENTS]
    elsewhere = [word for words in ELSEWHERE.values() for word in words]
    left = [
        f"{place}: {text}"
        for place, text, pattern in templates()
        if not any(pattern.fullmatch(hint) for hint in typed)
        and not any(word in text for word in elsewhere)
    ]
    assert left == []
