"""May houses stay beside a river that somebody modelled in HEC-RAS? From texts to map and ledger.

    python examples/beaver_creek/verdict.py REFERENCE RESULTS [2d]

The model (Beaver Creek, HEC-RAS's example of a bridge, with levees and idle areas) is public; the
straight centreline, the houses and what is known of them are synthetic. "2d" asks ANUGA (extra
flood2d) about each house in review.
"""

import sys
from pathlib import Path

import geopandas as gpd
import shapely

import pinghu_geo as pg

folder, out = Path(sys.argv[1]) / "structures" / "BEAVCREK", Path(sys.argv[2])

# 1. The model, in metres, about its centreline: from there houses and red lines count.
model = pg.read_hecras(folder / "BEAVCREK.g01", folder / "BEAVCREK.f01", units="US")
assert model.left_out.empty  # a bridge that isn't computed would put all above it in review
model = pg.flood.centred_model(model)
tables = ("sections", "flows", "downstream", "banks", "obstacles", "structures", "structure_parts")
flood = {name: getattr(model, name) for name in tables}

# 2. The centreline in the city's grid, and houses of 20 m x 10 m beside it (chainage, to the left).
line = shapely.LineString([(500000, 2500000), (501595.1, 2500000)])
rivers = gpd.GeoDataFrame(geometry=gpd.GeoSeries({"Beaver Creek": line}, crs=4547))
rivers = flood["rivers"] = rivers.rename_axis("river")
places = {"A": (1251, -12), "B": (1125, 14), "C": (610, 0), "D": (890, -25), "F": (1450, 20)}
shapes = {
    name: shapely.box(499990 + at, 2499995 + left, 500010 + at, 2500005 + left)
    for name, (at, left) in places.items()
}
houses = gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs=4547)).rename_axis("building_id")
red_line = pg.red_line(rivers, 40.0)
hit = pg.affected(houses.assign(floors=2), red_line, rivers)

# 3. What each raises the flood by: a band of loss coefficients, and of n by a tenth either way.
rises = pg.building_rises(hit, **flood, allowed_mm=20, roughness_share=0.1)

# 4. The verdict on the whole band, with all else in order; in review two dimensions may be asked.
known = rises.assign(
    in_project=False, sewage_ok=True, optional=True, structure_ok=True, title_ok=True,
    freeboard_m=0.3,
)  # fmt: skip
limits = {"allowed_mm": 20, "freeboard_m": 0}
verdict = pg.retention_verdict(hit, known, limits=limits, lang="en")
if sys.argv[3:] == ["2d"]:
    asked = hit[verdict["verdict"] == "review"]
    second = pg.flood.second_opinion(asked, **flood, refinements=1, progress=print)
    known = known.join(second[["rise_2d_mm", "rise_2d_doubt_mm", "losses_2d", "level_off_mm"]])
    verdict = pg.retention_verdict(hit, known, limits=limits, lang="en")

# 5. Map and ledger, with the band.
hit = hit.join(known.drop(columns="doubts")).join(verdict)
page = pg.command_map(
    hit, red_line, rivers, buildings=houses, structures=model.structures, lang="en"
)
page.save(out / "map.html")
pg.write_ledger(hit, out / "ledger.xlsx", lang="en")
print(verdict[["verdict", "reason"]].to_string())
