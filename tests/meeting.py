"""A project whose rivers meet and part, small enough to run in a test; told by its tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
import shapely

import pinghu_geo as pg
from conftest import building_frame, river_frame

X, Y = 500_000.0, 2_500_000.0
# two rivers meet, their common river parts in two; one river is alone
LINES = {
    "东溪": [(0, 200), (400, 0)], "西溪": [(0, -200), (400, 0)], "干流": [(400, 0), (800, 0)],
    "左汊": [(800, 0), (1200, 200)], "右汊": [(800, 0), (1200, -200)],
    "独河": [(0, 600), (400, 600)],
}  # fmt: skip
BEDS = {"东溪": (1.0, 0.8), "西溪": (1.0, 0.8), "干流": (0.8, 0.6), "左汊": (0.6, 0.4),
        "右汊": (0.6, 0.4), "独河": (1.0, 0.8)}  # fmt: skip
WIDE = {"东溪": 6.0, "西溪": 6.0, "干流": 9.0, "左汊": 6.0, "右汊": 4.0, "独河": 6.0}
FLOWS = {"东溪": 30.0, "西溪": 20.0, "干流": 50.0, "左汊": 25.0, "右汊": 25.0, "独河": 20.0}
JUNCTIONS = [
    ("汇口", "东溪", "汇入", 20, 30, "动量法"), ("汇口", "西溪", "汇入", 25, 40, ""),
    ("汇口", "干流", "流出", "", "", ""), ("汊口", "干流", "汇入", "", "", ""),
    ("汊口", "左汊", "流出", 20, "", ""), ("汊口", "右汊", "流出", 20, "", ""),
]  # fmt: skip
HEADINGS = ["汇流口", "河道", "流向", "长度(m)", "夹角(°)", "算法"]


def junction_rows(**change):
    """Rows of the table of junctions, of which some cells are others: row_column=value."""
    rows = pd.DataFrame(JUNCTIONS, columns=HEADINGS).astype(object)
    for place, value in change.items():
        row, column = place.removeprefix("r").split("_")
        rows.loc[int(row), column] = value
    return rows


def project(folder: Path, *, junctions=None, flows=None, more="", least="", ends=None):
    """Write the project; without ``junctions`` its own. Returns the project file."""
    metres = {name: [(X + x, Y + y) for x, y in line] for name, line in LINES.items()}
    pg.write_layer(river_frame(metres), folder / "河道.gpkg", "rivers")
    houses = {
        "H1": shapely.box(X + 500, Y + 6, X + 512, Y + 16),
        "H2": shapely.box(X + 100, Y + 604, X + 112, Y + 614),
    }
    pg.write_layer(building_frame(houses, floors=2, tenants=0), folder / "房屋.gpkg", "buildings")
    lengths = {name: shapely.LineString(line).length for name, line in LINES.items()}
    pd.DataFrame(
        [(name, at, bed, WIDE[name], WIDE[name], 4.5, 0.03) for name in LINES
         for at, bed in zip((0.0, np.floor(lengths[name])), BEDS[name], strict=True)],
        columns=["河道", "桩号", "设计河底高程", "左宽", "右宽", "岸顶高程", "糙率"],
    ).to_csv(folder / "设计断面.csv", index=False)  # fmt: skip
    said = FLOWS | (flows or {})
    pd.DataFrame({"河道": said.keys(), "流量": said.values()}).to_csv(
        folder / "设计流量.csv", index=False
    )
    lower = {"左汊": 0.0005, "右汊": 0.0005, "独河": 0.0005} if ends is None else ends
    pd.DataFrame({"河道": lower.keys(), "坡降": lower.values()}).to_csv(
        folder / "边界条件.csv", index=False
    )
    table = junction_rows() if junctions is None else junctions
    table.to_csv(folder / "汇流口.csv", index=False)
    ground = np.full((1, 110, 150), 4.5, "float32")
    with rasterio.open(
        folder / "地面高程.tif", "w", driver="GTiff", width=150, height=110, count=1,
        dtype="float32", crs=4547,
        transform=rasterio.Affine(10, 0, X - 150, 0, -10, Y + 800),
    ) as dem:  # fmt: skip
        dem.write(ground)
    file = folder / "project.toml"
    file.write_text(
        'crs = 4547\n[layers]\nbuildings = "房屋.gpkg"\nrivers = "河道.gpkg"\n'
        f'[schemes."原方案"]\nwidths = 15\n{least}'
        '[flood]\ndesign = "设计断面.csv"\nflows = "设计流量.csv"\nboundaries = "边界条件.csv"\n'
        'dem = "地面高程.tif"\njunctions = "汇流口.csv"\nallowed_mm = 20\nfreeboard_m = 0.0\n'
        f"spacing_m = 100\nhalf_width_m = 30\n{more}",
        "utf-8",
    )
    return file
