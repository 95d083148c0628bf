"""A block in a channel in two dimensions (ANUGA): its rise along the river, a channel against its ODE.

    python benchmarks/second_opinion.py [cell m², 8 by default]

A house of 4 m x 30 m at the bank of a channel of 20 m without rubbing walls: 90 m³/s, slope 0.0022,
n 0.035, uniform flow of 2.069 m below it; DE1, 600 m, the house from 285 to 315 m, still when no
level moves 0.2 mm in a minute. Then the channel without it above a backwater of 2.245 m, against
dy/dx = (S - Sf)/(1 - Fr²). Needs the extra flood2d; some minutes.
"""

import sys
import time

import anuga
import numpy as np

SLOPE, Q, WIDTH, N, LONG = 0.0022, 90.0, 20.0, 0.035, 600.0
HOUSE = (285.0, 315.0, 16.0)
AT = np.array([50.0, 100.0, 150.0, 200.0, 225.0, 250.0, 260.0, 270.0])


def main() -> None:
    """Print both."""
    cell = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    uniform = float((Q / WIDTH * N / np.sqrt(SLOPE)) ** 0.6)
    begun = time.process_time()
    (free, cells), (with_house, _) = (levels(cell, uniform, house=house) for house in (False, True))
    print(f"{cells} cells of at most {cell:g} m², {time.process_time() - begun:.0f} s of CPU")
    for x, rise in zip(AT, (with_house - free) * 1000, strict=True):
        print(f"  {HOUSE[0] - x:3.0f} m above the house: {rise:6.1f} mm")
    off = free - SLOPE * (LONG - AT) - uniform
    print(f"uniform flow: within {np.abs(off).max() * 1000:.2f} mm of {uniform:.4f} m")
    found, _ = levels(cell, 2.245, house=False)
    off = found - SLOPE * (LONG - AT) - backwater(2.245)
    print(f"backwater: within {np.abs(off).max() * 1000:.2f} mm of the ODE")


def levels(cell: float, depth: float, *, house: bool) -> tuple[np.ndarray, int]:
    """Mean levels across the channel at AT, and the number of cells."""
    a, b, y = HOUSE
    ring = [[0, 0], [LONG, 0], [LONG, WIDTH], [0, WIDTH]]
    if house:
        ring[3:3] = [[b, WIDTH], [b, y], [a, y], [a, WIDTH]]
    last = len(ring) - 1
    tags = {"wall": [k for k in range(last) if k != 1], "out": [1], "in": [last]}
    domain = anuga.create_domain_from_regions(
        ring, boundary_tags=tags, maximum_triangle_area=cell, use_cache=False, verbose=False
    )
    domain.set_quantities_to_be_stored(None)
    domain.set_flow_algorithm("DE1")
    domain.set_quantity("elevation", lambda x, y: SLOPE * (LONG - x))  # noqa: ARG005
    domain.set_quantity("friction", N)
    domain.set_quantity("stage", lambda x, y: SLOPE * (LONG - x) + depth)  # noqa: ARG005
    domain.set_quantity("xmomentum", Q / WIDTH)
    # of the depth above: water at rest would disturb the level for a hundred metres
    start = (Q / WIDTH * N / np.sqrt(SLOPE)) ** 0.6
    wall = anuga.Reflective_boundary(domain)
    out = anuga.Dirichlet_boundary([depth, Q / WIDTH, 0.0])
    domain.set_boundary({"wall": wall, "in": wall, "out": out})
    line, speed = [[1.0, 0.1], [1.0, WIDTH - 0.1]], Q / WIDTH / start
    anuga.Inlet_operator(domain, line, Q=Q, velocity=[speed, 0.0])
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
