"""Bayreuth: OSM houses and rivers, turned by SRTM; python examples/bayreuth.py DATA RESULTS."""

import sys
from pathlib import Path

import pinghu_geo as pg

data, out = Path(sys.argv[1]) / "bayreuth", Path(sys.argv[2])
source = data / "bayreuth_epsg32632.gpkg"
main = "name = 'Roter Main'"
rivers = pg.read_layer(source, "rivers", layer="waterways", where=main, join_gap_m=20)
rivers = pg.flood.drawn_downstream(rivers, dem=data / "dem_srtm_4326.tif").layer
line = pg.red_line(rivers, 30.0)
buildings = pg.read_layer(source, "buildings", layer="buildings")
hit = pg.affected(buildings, line, rivers)
hit["node_id"] = pg.node_ids(hit, gap_m=50, max_length_m=300)
nodes = pg.node_table(hit)
pg.command_map(hit, line, rivers, buildings=buildings, nodes=nodes).save(out / "map.html")
pg.write_ledger(hit, out / "ledger.xlsx", nodes=nodes)
