"""A plain channel and a block in it in two dimensions (ANUGA), beside the ODE and the 1-D band.

    python benchmarks/second_opinion.py [cells m², 8 and 3 by default] [refined]

A channel of 20 m: 90 m³/s, slope 0.0022, n 0.035. Without rubbing walls (DE1, 600 m) it is compared
with uniform flow of 2.069 m and, above a backwater of 2.245 m, with dy/dx = (S - Sf)/(1 - Fr²). A
house of 4 m x 30 m at its bank is then given to `second_opinion` with normal depth below; refined: as
it does by default, on three meshes from 16 m². Needs the extra flood2d; some minutes a size of cells.
"""

import sys
import time

import anuga
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import pinghu_geo as pg

SLOPE, Q, WIDTH, N, LONG = 0.0022, 90.0, 20.0, 0.035, 600.0
UNIFORM = (Q / WIDTH * N / np.sqrt(SLOPE)) ** 0.6
AT = np.array([50.0, 100.0, 150.0, 200.0, 225.0, 250.0, 260.0, 270.0])


def main() -> None:
    """Print all of it for each size of cells."""
    asked = [v for v in sys.argv[1:] if v != "refined"]
    if "refined" in sys.argv:
        block(16.0, refinements=2)
    for cell in [float(v) for v in asked] or ([] if "refined" in sys.argv else [8.0, 3.0]):
        begun = time.process_time()
        found, cells = levels(cell, UNIFORM)
        off = found - SLOPE * (LONG - AT) - UNIFORM
        print(f"cells of at most {cell:g} m²: {cells}")
        print(f"  uniform flow: within {np.abs(off).max() * 1000:.2f} mm of {UNIFORM:.4f} m")
        found, _ = levels(cell, 2.245)
        off = found - SLOPE * (LONG - AT) - backwater(2.245)
        print(f"  backwater: within {np.abs(off).max() * 1000:.2f} mm of the ODE")
        print(f"  {time.process_time() - begun:.0f} s of CPU")
        block(cell)


def block(cell: float, refinements: int = 0) -> None:
    """The rise of the block 25 m above it."""
    at = np.arange(0.0, 801.0, 25.0)
    bed = SLOPE * (at[-1] - at)
    sections = pg.design_sections(pd.DataFrame({
        "river": "R", "chainage_m": at, "bed_level_m": bed, "bank_level_m": bed + 6, "n": N,
        "left_m": WIDTH / 2, "right_m": WIDTH / 2,
    }))  # fmt: skip
    line = shapely.LineString([(0, 0), (at[-1], 0)])
    rivers = gpd.GeoDataFrame(geometry=[line], index=pd.Index(["R"], name="river"), crs=4547)
    house = gpd.GeoDataFrame(
        geometry=[shapely.box(385, 6, 415, 10)], index=pd.Index(["H"], name="building_id"), crs=4547
    )
    begun = time.process_time()
    found = pg.flood.second_opinion(
        house, sections, Q, {"slope": SLOPE}, rivers, cell_m2=cell, refinements=refinements,
        within=0.0, progress=print,
    ).iloc[0]  # fmt: skip
    print(
        f"  block: {found['rise_2d_mm']:.1f} mm, in doubt {found['rise_2d_doubt_mm']:.1f} mm (order "
        f"{found['mesh_order']:.1f}), without it {found['level_off_mm']:.2f} mm off the profile; "
        f"{found['n_cells']} cells, {time.process_time() - begun:.0f} s of CPU; "
        f"1-D {found['rise_band']}"
    )


def levels(cell: float, depth: float) -> tuple[np.ndarray, int]:
    """Mean levels across the plain channel at AT, and the number of cells."""
    ring = [[0, 0], [LONG, 0], [LONG, WIDTH], [0, WIDTH]]
    domain = anuga.create_domain_from_regions(
        ring, boundary_tags={"wall": [0, 2], "out": [1], "in": [3]}, maximum_triangle_area=cell,
        use_cache=False, verbose=False,
    )  # fmt: skip
    domain.set_quantities_to_be_stored(None)
    domain.set_flow_algorithm("DE1")
    domain.set_quantity("elevation", lambda x, y: SLOPE * (LONG - x))  # noqa: ARG005
    domain.set_quantity("friction", N)
    domain.set_quantity("stage", lambda x, y: SLOPE * (LONG - x) + depth)  # noqa: ARG005
    domain.set_quantity("xmomentum", Q / WIDTH)
    wall = anuga.Reflective_boundary(domain)
    out = anuga.Dirichlet_boundary([depth, Q / WIDTH, 0.0])
    domain.set_boundary({"wall": wall, "in": wall, "out": out})
    # at its speed: water that comes in at rest disturbs the level for a hundred metres
    line = [[1.0, 0.1], [1.0, WIDTH - 0.1]]
    anuga.Inlet_operator(domain, line, Q=Q, velocity=[Q / WIDTH / UNIFORM, 0.0])
    points = [[x, y] for x in AT for y in np.linspace(2, 18, 9)]
    now = before = np.full(len(AT), np.inf)
    for moment in domain.evolve(yieldstep=60, finaltime=2400):
        stage = domain.get_quantity("stage").get_values(interpolation_points=points)
        now = stage.reshape(len(AT), 9).mean(axis=1)
        if np.abs(now - before).max() < 2e-4 and moment > 300:
            break
        before = now
    return now, len(domain)


def backwater(depth: float) -> np.ndarray:
    """Depths at AT above a depth at the end, by Runge and Kutta in steps of half a metre."""
    q, step, y, x, found = Q / WIDTH, -0.5, depth, LONG, {}

    def slope(y: float) -> float:
        return (SLOPE - (N * q) ** 2 / y ** (10 / 3)) / (1 - q * q / 9.8 / y**3)

    while x > 0:
        k = [slope(y)]
        k += [slope(y + step / 2 * k[0])]
        k += [slope(y + step / 2 * k[1])]
        k += [slope(y + step * k[2])]
        y, x = y + step * (k[0] + 2 * k[1] + 2 * k[2] + k[3]) / 6, x + step
        found[x] = y
    return np.array([found[x] for x in AT])


if __name__ == "__main__":
    main()
