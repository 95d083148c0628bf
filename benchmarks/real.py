"""Run the main job on real layers and write what came out to `benchmarks/real.md`.

Run ``uv run python benchmarks/real.py ../shared/data``: the folder of real layers.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from rasterio.warp import Resampling, calculate_default_transform, reproject

import pinghu_geo as pg

HEAD = """# Real layers

Written by `benchmarks/real.py`. Each place: what the layers are, what `check` found, what a red line
takes, and how that compares with a plain loop over pairs of shapely polygons (no index, no subdivision).
The red lines are invented: they are wide enough to touch buildings, not designs. That DuckDB agrees
too is a test (`tests/test_real.py`).
"""


def one_river(name: str, line: shapely.Geometry, crs: object) -> gpd.GeoDataFrame:
    """Rivers of a single line."""
    return gpd.GeoDataFrame(index=pd.Index([name], name="river"), geometry=[line], crs=crs)


def swellendam(data: Path) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, float]:
    """Buildings with levels, rivers of OSM."""
    path = data / "swellendam" / "swellendam_epsg32734.gpkg"
    buildings = pg.read_layer(path, "buildings", layer="buildings", id_column="full_id")
    return buildings, pg.read_layer(path, "rivers", layer="rivers", id_column="full_id"), 60.0


def bayreuth(data: Path) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, float]:
    """Buildings of OSM, the Roter Main in five parts."""
    path = data / "bayreuth" / "bayreuth_epsg32632.gpkg"
    buildings = pg.read_layer(path, "buildings", layer="buildings", row_ids=True)
    ways = gpd.read_file(path, layer="waterways")
    parts = ways.geometry[ways["name"] == "Roter Main"].to_numpy()
    return buildings, one_river("Roter Main", shapely.multilinestrings(parts), ways.crs), 150.0


def shenzhen(data: Path) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, float]:
    """109,609 buildings of OSM, and a line drawn through Pinghu."""
    path = data / "shenzhen" / "shenzhen_buildings_epsg4547.parquet"
    buildings = pg.read_layer(path, "buildings", row_ids=True)
    course = [(511_500, 2_507_000), (513_500, 2_509_500), (514_500, 2_512_500)]
    return buildings, one_river("任意画线", shapely.LineString(course), 4547), 60.0


def jakarta(data: Path) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, float]:
    """22,266 buildings of OSM, and a line drawn through the city."""
    path = data / "jakarta" / "jakarta_osm_building_epsg32748.parquet"
    buildings = pg.read_layer(path, "buildings", row_ids=True)
    course = [(703_000, 9_316_000), (702_000, 9_312_000), (704_000, 9_308_000)]
    return buildings, one_river("line as drawn", shapely.LineString(course), buildings.crs), 50.0


def parcels(data: Path, line: gpd.GeoDataFrame, rivers: gpd.GeoDataFrame) -> str:
    """Swellendam's cadastral farms, through the function that buildings go through."""
    path = data / "swellendam" / "swellendam_epsg32734.gpkg"
    farms = pg.read_layer(path, "parcels", layer="farms", row_ids=True)
    farms, log = pg.repair(farms)
    hit = pg.affected(farms, line, rivers)
    return (
        f"- parcels: {len(farms):,} farms ({len(log)} repaired), {len(hit):,} affected, "
        f"{hit['inside_m2'].sum() / 1e4:,.0f} ha inside\n"
    )


def bayreuth_river(
    data: Path, folder: Path, spacing_m: float
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, Path, pg.flood.DemSections, float]:
    """Buildings, river, DEM, its sections with the invented channel, and the channel's slope."""
    _, rivers, _ = bayreuth(data)
    buildings = pg.read_layer(
        data / "bayreuth" / "bayreuth_epsg32632.gpkg", "buildings", layer="buildings", row_ids=True
    )
    buildings, _ = pg.repair(buildings)
    rivers = pg.join_parts(rivers, gap_m=50.0).layer
    dem = folder / "dem.tif"
    warp(data / "bayreuth" / "dem_srtm_4326.tif", dem, rivers.crs)
    at = pg.stations(rivers, spacing_m=200.0)
    ground = pg.raster_values(
        gpd.GeoDataFrame(geometry=at.buffer(60.0), crs=rivers.crs), dem, column="z"
    )["z_min"]
    rough = np.minimum.accumulate(ground.to_numpy()) - 2.0
    fall = np.polyfit(at["chainage_m"], rough, 1)  # an even slope: SRTM's steps are its own noise
    bed = np.polyval(fall, at["chainage_m"]) + (rough - np.polyval(fall, at["chainage_m"])).min()
    table = pd.DataFrame(
        {
            "river": at["river"], "chainage_m": at["chainage_m"], "bed_level_m": bed, "left_m": 14.0,
            "right_m": 14.0, "bank_level_m": bed + 2.0, "side_slope": 2.0, "n": 0.035,
        }
    )  # fmt: skip
    made = pg.sections_from_dem(
        rivers,
        dem,
        pg.design_sections(table),
        n=0.06,
        spacing_m=spacing_m,
        half_width_m=250.0,
        step_m=25.0,
    )
    return buildings, rivers, dem, made, -float(fall[0])


def bayreuth_search(data: Path, folder: Path) -> tuple[pg.search.WithinRise, pd.DataFrame, float]:
    """A red line of 25 m to each side, moved by up to 8 m with the channel, so that it takes least.

    Sections every 25 m on SRTM with the invented channel, 80 m³/s; no building has floors in OSM, so
    that each square metre of footprint counts as one yuan. Found within 1 cm of rise.
    """
    buildings, rivers, _, made, slope = bayreuth_river(data, folder, 25.0)
    ends = made.sections["chainage_m"].agg(["min", "max"]).to_numpy()
    widths = pd.DataFrame(
        {"river": rivers.index[0], "chainage_m": ends, "left_m": 25.0, "right_m": 25.0}
    )
    buildings = buildings.assign(floor_area_m2=buildings.area)
    start = time.perf_counter()
    best = pg.least_demolition_within_rise(
        rivers,
        widths,
        buildings,
        made.sections,
        80.0,
        {"slope": slope},
        {"inward_m": 8.0, "outward_m": 8.0, "step_m": 2.0, "clear_m": 1.0},
        allowed_mm=10.0,
        banks=made.banks,
    )
    taken = time.perf_counter() - start
    old, new = best.comparison.schemes.values()
    pg.command_map(
        old.affected,
        {"25 m": old.red_line, "least": new.red_line},
        rivers,
        buildings=buildings[buildings.distance(rivers.geometry.iloc[0]) < 120],
        comparison=best.comparison,
        title="Bayreuth",
    ).save(folder / "map.html")
    return best, made.sections, taken


def search_page(data: Path) -> str:
    """What the search found at Bayreuth, and what is to be doubted."""
    with tempfile.TemporaryDirectory() as folder:
        best, sections, taken = bayreuth_search(data, Path(folder))
        size = (Path(folder) / "map.html").stat().st_size / 1e6
    rows = best.comparison.totals
    nodes = best.nodes
    doubts = best.rise["doubts"].str.get_dummies(",").sum()
    listed = "; ".join(f"{k} {v:,}" for k, v in doubts.items() if k) or "none"
    return f"""
## Bayreuth, the line that takes least

{" ".join((bayreuth_search.__doc__ or "").split())}

- {sections["chainage_m"].nunique():,} sections; {len(nodes)} nodes searched, {int((nodes["proof"] == "optimal").sum())} proven optimal for the menu
- buildings taken: {rows["n_buildings"].iloc[0]:,.0f} before, {rows["n_buildings"].iloc[1]:,.0f} after; {best.comparison.summary()[0]}
- largest rise by `water_profile`: {best.largest_rise_mm:.2f} mm of 10 mm
- doubts of either profile: {listed}. SRTM's cells of 90 m make floodplains of steps; where they make the base flow near-critical no node is searched, and the approved line stays
- {taken:.1f} s; map of {size:.1f} MB
"""


def bayreuth_flood(data: Path, folder: Path) -> dict[str, object]:
    """Flood of the Roter Main on its SRTM terrain with an invented channel.

    SRTM has cells of 90 m and no bed: the bed is the lowest terrain so far downstream, less 2 m, and
    the channel an invented trapezoid. It shows that the way from a DEM to a verdict holds on real
    layers, not how high the Roter Main stands.
    """
    buildings, rivers, dem, made, slope = bayreuth_river(data, folder, 100.0)
    profile = pg.water_profile(
        made.sections, 250.0, {"slope": slope}, banks=made.banks, rivers=rivers
    )
    area = pg.inundation(profile, dem, rivers, half_width_m=250.0)
    near = buildings[buildings.distance(rivers.geometry.iloc[0]) < 60]
    rises = pg.building_rises(
        near,
        made.sections,
        80.0,
        {"slope": slope},
        rivers,
        banks=made.banks,
        allowed_mm=10.0,
    )
    return {"profile": profile, "area": area, "rises": rises, "sections": made.sections}


def warp(source: Path, target: Path, crs: object) -> None:
    """The DEM in the CRS of the layers."""
    with rasterio.open(source) as file:
        grid, wide, high = calculate_default_transform(
            file.crs, crs, file.width, file.height, *file.bounds, resolution=30.0
        )
        about = {**file.profile, "crs": crs, "transform": grid, "width": wide, "height": high,
                 "dtype": "float32", "nodata": -9999.0, "driver": "GTiff"}  # fmt: skip
        with rasterio.open(target, "w", **about) as out:
            reproject(
                rasterio.band(file, 1), rasterio.band(out, 1), resampling=Resampling.bilinear,
                dst_nodata=-9999.0,
            )  # fmt: skip


def flood_page(data: Path) -> str:
    """What came out of the flood."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = bayreuth_flood(data, Path(folder))
    profile, rises = found["profile"], found["rises"]
    doubts = profile["doubts"].str.get_dummies(",").sum()
    listed = "; ".join(f"{k} {v:,}" for k, v in doubts.items() if k) or "none"
    return f"""
## Bayreuth in flood

{" ".join((bayreuth_flood.__doc__ or "").split())} 250 m³/s.

- {len(profile):,} sections; depth {profile["depth_m"].min():.2f} to {profile["depth_m"].max():.2f} m, Froude number at most {profile["froude"].max():.2f}
- doubts: {listed}
- flooded: {found["area"]["flooded_m2"].iloc[0] / 1e4:,.0f} ha, at most {found["area"]["depth_max_m"].iloc[0]:.1f} m deep over the terrain
- {len(rises):,} buildings within 60 m of the line: {int((rises["rise_alone_mm"] > 0.01).sum()):,} stand in the flood and raise it, {int(rises["rise_alone_mm"].isna().sum()):,} can't be judged (near-critical flow), {int(rises["joint"].sum()):,} could stay together under 10 mm
- {time.perf_counter() - start:.1f} s
"""


def report(name: str, data: Path) -> str:
    """One place: findings, sums, agreement."""
    start = time.perf_counter()
    buildings, rivers, width = PLACES[name](data)
    faults = pg.check(buildings)
    found = faults.groupby(["severity", "fault", "field"]).size()
    buildings, log = pg.repair(buildings)
    if "floors" in buildings:
        # texts such as "1;2" and zero floors count as unknown, as the error advises
        floors = pd.to_numeric(buildings["floors"], errors="coerce")
        buildings = buildings.assign(floors=floors.where(floors >= 1))
    line = pg.red_line(rivers, width)
    hit = pg.affected(buildings, line, rivers)
    seconds = time.perf_counter() - start
    union = line.geometry.union_all()
    exact = {
        i: s.intersection(union).area for i, s in buildings.geometry.items() if s.intersects(union)
    }
    exact = {i: a for i, a in exact.items() if a > 0}
    worst = max((abs(hit.loc[i, "inside_m2"] / a - 1) for i, a in exact.items()), default=0.0)
    whole = pg.totals(hit).iloc[0]
    listed = "; ".join(f"{s} {f} ({c or '-'}) {n:,}" for (s, f, c), n in found.items()) or "nothing"
    return f"""
## {name}

{PLACES[name].__doc__} {len(buildings):,} buildings, {rivers.length.sum() / 1000:,.1f} km of river, red line {width:g} m to each side.

- check: {listed}
- repair: {len(log):,} rows changed
- affected: {whole["n_buildings"]:,.0f} buildings ({whole["n_full"]:,.0f} full, {whole["n_partial"]:,.0f} partial), {whole["inside_m2"]:,.0f} m² inside; floor area {whole["demolish_floor_area_m2"]:,.0f} m², all of it estimated, unknown for {whole["n_unknown"]:,.0f}; {whole["n_survey"]:,.0f} want a survey; position ambiguous for {int(hit["ambiguous"].sum()):,}
- plain loop: {"the same ids" if set(exact) == set(hit.index) else "OTHER IDS"}, areas within {worst:.1e} relative
{parcels(data, line, rivers) if name == "Swellendam" else ""}- {seconds:.1f} s from file to result, reading and checking included
"""


PLACES = {"Swellendam": swellendam, "Bayreuth": bayreuth, "Shenzhen": shenzhen, "Jakarta": jakarta}


def main() -> None:
    """Write the page."""
    warnings.simplefilter("ignore")
    np.seterr(all="raise")
    data = Path(sys.argv[1])
    page = (
        HEAD + "".join(report(name, data) for name in PLACES) + flood_page(data) + search_page(data)
    )
    Path(__file__).with_suffix(".md").write_text(page, "utf-8")


if __name__ == "__main__":
    main()
