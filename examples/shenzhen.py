"""深圳:OSM 房屋,手绘河道,两岸各 15 m;运行: python examples/shenzhen.py 数据目录 结果目录."""

import sys
from pathlib import Path

import pinghu_geo as pg

data, out, here = Path(sys.argv[1]), Path(sys.argv[2]), Path(__file__).parent
source = data / "shenzhen" / "shenzhen_buildings_epsg4547.parquet"
rivers = pg.read_layer(here / "shenzhen" / "河道.geojson", "rivers").to_crs(4547)
line = pg.red_line(rivers, 15.0)
buildings = pg.read_layer(source, "buildings", row_ids=True)
hit = pg.affected(buildings, line, rivers)
hit["node_id"] = pg.node_ids(hit, gap_m=50, max_length_m=300)
nodes = pg.node_table(hit)
pg.command_map(hit, line, rivers, buildings=buildings, nodes=nodes).save(out / "map.html")
pg.write_ledger(hit, out / "ledger.xlsx", nodes=nodes)
