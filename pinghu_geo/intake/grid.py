"""How does a city's own grid go over into a national one? By a fit to control points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as ProjError

from pinghu_geo.nouns.door import takes, with_shapes
from pinghu_geo.nouns.errors import CRSError, LayerError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import Lang, numbers, one_of, require_columns

__all__ = ["GridFit", "apply_grid", "fit_grid"]

Floats = NDArray[np.float64]
Change = Callable[[Floats], Floats]
METHODS = ("similarity", "helmert")
# control points may lie so far beyond the area of their CRS: works at the edge of a zone [degrees]
BEYOND_DEG = 1.0
# a fit so far off that is so many times better with axes swapped has them swapped
MIRRORED_M, MIRRORED_TIMES = 1.0, 100.0
# a fit says nothing farther from its control points than this, or so many times their extent [m]
REACH_M, REACH_TIMES = 20_000.0, 10.0
# two grids in metres differ by a few hundred 1e-6 in scale; more is another unit or wrong points
MOST_SCALE_PPM = 5_000.0
# one point so far off [m], and so many times farther than the others fit without it, is wrong
ODD_M, ODD_TIMES = 1.0, 10.0
# points that lie so near to a line, by its length, are on it; two grids turn little between them
ON_LINE, MOST_TURN_DEG = 1e-3, 10.0
# three points fit some exchange of two by chance; more than so many pairs aren't tried
LEAST_EXCHANGED, MOST_EXCHANGED = 4, 100
LEAST_POINTS = {"similarity": 2, "helmert": 3}


@dataclass(frozen=True, slots=True)
class GridFit(Result):
    """A transformation found from control points 坐标拟合.

    Attributes
    ----------
    method
        ``"similarity"`` (4 parameters in the plane) or ``"helmert"`` (7 in space).
    parameters
        One row: shift_x_m, shift_y_m (and shift_z_m) [m], rotation_s (about each axis) ["], and
        scale_ppm [1e-6].
    residuals
        One row a control point, in their order: dx_m, dy_m, off_m (target less transformed) and
        left_out_m, how far off the point is from the fit to all others [m].
    rms_m
        Root mean square of off_m [m].
    crs
        CRS of the target.
    """

    DECIMALS: ClassVar = 4

    method: Literal["similarity", "helmert"]
    parameters: pd.DataFrame
    residuals: pd.DataFrame
    rms_m: float
    crs: CRS
    _change: Change
    _source: Floats  # the control points in the local grid

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """How well the points fit."""
        return [
            say(
                "{} control points, root mean square {} m, the largest residual {} m.",
                lang,
                len(self.residuals),
                f"{self.rms_m:.4f}",
                f"{self.residuals['off_m'].max():.4f}",
            )
        ]


@takes(control="control")
def fit_grid(
    control: pd.DataFrame,
    crs: Any,
    *,
    method: Literal["similarity", "helmert"] = "similarity",
    source_crs: Any = None,
) -> GridFit:
    """Transformation from a local grid or an old datum, fitted to control points 坐标拟合.

    Parameters
    ----------
    control
        One row a control point: from_x_m, from_y_m (east and north in the local grid), to_x_m,
        to_y_m (in ``crs``) [m]; for ``helmert`` perhaps from_height_m and to_height_m [m], else 0.
    crs
        CRS of the target.
    method
        ``"similarity"``: shift, rotation and scale in the plane (四参数), for a district.
        ``"helmert"``: shift, rotations and scale in space (七参数, Bursa-Wolf), for a larger area;
        it needs ``source_crs``.
    source_crs
        Projected CRS of the source, such as 2435 for Beijing 1954, whose ellipsoid and meridian
        apply.

    Returns
    -------
    GridFit
        Parameters, residuals at the control points, and what `apply_grid` applies.

    Raises
    ------
    LayerError
        Too few control points (2 and 3), blanks among them, or all in one place; one that is far
        off where all others fit; a scale that no two grids in metres have between them.
    CRSError
        A CRS is none, or not projected; targets outside of its area, as where axes are swapped.

    Notes
    -----
    Least squares with equal weights, about the points' centre (after Badekas, so that rotation and
    shift don't mix). Two points fit a similarity exactly and three a Helmert transformation almost:
    only further points show whether one is wrong, best in ``left_out_m``. Valid within the control
    points and little beyond.

    References
    ----------
    IOGP Publication 373-7-2, Geomatics guidance note 7, part 2: coordinate conversions and
    transformations (similarity, position vector, Molodensky-Badekas).

    Examples
    --------
    >>> control = pd.DataFrame({"from_x_m": [0.0, 1000, 0], "from_y_m": [0.0, 0, 1000],
    ...     "to_x_m": [513000.0, 514000, 513000], "to_y_m": [2510000.0, 2510000, 2511000]})
    >>> fit = pg.fit_grid(control, 4547)
    >>> round(fit.rms_m, 6), fit.parameters["shift_x_m"].round(3).tolist()
    (0.0, [513000.0])
    """
    one_of(method, METHODS, "method")
    target = _projected_crs(crs, "crs")
    names = ["from_x_m", "from_y_m", "to_x_m", "to_y_m"]
    require_columns(control, names, "control")
    at = np.column_stack([numbers(control, n, "control") for n in names])
    height = np.column_stack(
        [numbers(control, n, "control").fillna(0.0) for n in ("from_height_m", "to_height_m")]
    )
    blank = ~np.isfinite(at).all(axis=1)
    if blank.any() or len(at) < LEAST_POINTS[method]:
        raise LayerError(
            "has rows without coordinates" if blank.any()
            else f"has {len(at)} points; {method} needs {LEAST_POINTS[method]}, more for a check",
            layer="control",
            ids=control.index[blank],
            hint="complete the table of control points",
        )  # fmt: skip
    _require_in_crs(at[:, 2:], target, control.index)
    if min(np.ptp(at[:, :2], axis=0).max(), np.ptp(at[:, 2:], axis=0).max()) < 1.0:
        raise LayerError(
            "has all points in one place", layer="control", hint="use points around the works"
        )
    solve: Any = _similarity if method == "similarity" else _helmert
    apply: Any = _apply_similarity if method == "similarity" else _apply_helmert
    before: Change = np.asarray
    after: Change = np.asarray
    one, other = at[:, :2], at[:, 2:]
    if method == "helmert":
        source = _projected_crs(source_crs, "source_crs")
        _require_in_crs(at[:, :2], source, control.index)
        before, after = _grid_to_geocentric(source), _geocentric_to_grid(target)
        one = before(np.column_stack([at[:, :2], height[:, 0]]))
        other = _grid_to_geocentric(target)(np.column_stack([at[:, 2:], height[:, 1]]))

    def change_by(p: Any) -> Change:
        return lambda xy: after(apply(p, before(xy)))[:, :2]

    from_xy = at[:, :2] if method == "similarity" else np.column_stack([at[:, :2], height[:, 0]])
    _require_spread(at, method, control.index)
    found = solve(one, other)
    change = change_by(found)
    residual = at[:, 2:] - change(from_xy)
    if method == "similarity":
        _require_unmirrored(one, other, residual)
    left_out = np.full(len(at), np.nan)
    if len(at) > LEAST_POINTS[method]:
        for k in range(len(at)):
            rest = np.arange(len(at)) != k
            other_fit = change_by(solve(one[rest], other[rest]))
            left_out[k] = np.linalg.norm(at[k, 2:] - other_fit(from_xy[k : k + 1])[0])
    off = np.linalg.norm(residual, axis=1)
    _require_own_targets(at, control.index)
    _require_no_outlier(from_xy, at[:, 2:], left_out, control.index, solve, one, other, change_by)
    if method == "similarity":
        _require_metre_scale(found[1], control.index)
    return GridFit(
        method=method,
        parameters=_named_parameters(found, method),
        residuals=pd.DataFrame(
            {"dx_m": residual[:, 0], "dy_m": residual[:, 1], "off_m": off, "left_out_m": left_out},
            index=control.index,
        ),
        rms_m=float(np.sqrt(np.mean(off**2))),
        crs=target,
        _change=change,
        _source=at[:, :2],
    )


def apply_grid(layer: gpd.GeoDataFrame, fit: GridFit) -> gpd.GeoDataFrame:
    """A layer in a local grid or old datum, carried over by a fit 坐标转换.

    Parameters
    ----------
    layer
        In the source's coordinates (east, north) [m], with no CRS or that of the source.
    fit
        Result of `fit_grid`.

    Returns
    -------
    geopandas.GeoDataFrame
        The same rows in the fit's CRS.

    Raises
    ------
    CRSError
        The layer is in the target's CRS already, or far from the control points.

    References
    ----------
    IOGP Publication 373-7-2, Geomatics guidance note 7, part 2: coordinate conversions and
    transformations.

    Examples
    --------
    >>> control = pd.DataFrame({"from_x_m": [0.0, 1000, 0], "from_y_m": [0.0, 0, 1000],
    ...     "to_x_m": [513000.0, 514000, 513000], "to_y_m": [2510000.0, 2510000, 2511000]})
    >>> house = gpd.GeoDataFrame(geometry=[shapely.box(10, 10, 20, 20)])
    >>> [round(v) for v in pg.apply_grid(house, pg.fit_grid(control, 4547)).total_bounds.tolist()]
    [513010, 2510010, 513020, 2510020]
    """
    layer = with_shapes(layer, "layer")
    if layer.crs is not None and layer.crs == fit.crs:
        raise CRSError(
            f"is in {fit.crs.name} already", layer="layer", hint="apply the fit to the local layer"
        )
    _require_near_control(layer, fit)
    space = fit.method == "helmert"

    def move(xy: Floats) -> Floats:
        return fit._change(np.column_stack([xy, np.zeros(len(xy))]) if space else xy)  # noqa: SLF001

    shapes = shapely.transform(shapely.force_2d(layer.geometry.to_numpy()), move)
    return layer.set_geometry(shapes).set_crs(fit.crs, allow_override=True)


def _require_in_crs(xy: Floats, crs: CRS, ids: Any) -> None:
    """Refuse targets where their CRS has no land: axes swapped, zone in front, another zone."""
    outside = ~_is_in_area_of_use(xy, crs)
    if not outside.any():
        return
    zone = np.floor(xy[:, 0] / 1e6)
    if _is_in_area_of_use(xy[:, ::-1], crs).all():
        why = "east and north look swapped: surveyors' X points north"
        hint = "control = control.rename(columns={'to_x_m': 'to_y_m', 'to_y_m': 'to_x_m'})"
    elif (zone > 0).all() and _is_in_area_of_use(xy - [zone[0] * 1e6, 0], crs).all():
        why = f"the easting has the zone {zone[0]:.0f} in front"
        hint = f"control['to_x_m'] -= {zone[0] * 1e6:.0f}, or give the CRS with that zone"
    else:
        why = "they lie outside of its area of use"
        hint = "give the CRS that the control points are in; is it another zone"
    raise CRSError(
        f"has targets that are not in {crs.name}: {why}", layer="control", ids=ids[outside],
        hint=hint,
    )  # fmt: skip


def _is_in_area_of_use(xy: Floats, crs: CRS) -> NDArray[np.bool_]:
    """Points in the area that a CRS is made for, or a little beyond; all, if it doesn't say."""
    code = crs.to_epsg(min_confidence=20)  # texts by others state no area
    area = crs.area_of_use or (CRS.from_epsg(code).area_of_use if code else None)
    if area is None:
        return np.ones(len(xy), bool)
    lon, lat = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(*xy.T)
    wide = BEYOND_DEG
    west, east = area.west - wide, area.east + wide
    found: NDArray[np.bool_] = np.asarray(
        (lon >= west) & (lon <= east) & (lat >= area.south - wide) & (lat <= area.north + wide)
    )
    return found


def _require_unmirrored(one: Floats, other: Floats, residual: Floats) -> None:
    """Refuse control points of which one side is mirrored: its east and north are swapped."""
    off = float(np.sqrt(np.mean(residual**2)))
    turned = one[:, ::-1]
    mirrored = other - _apply_similarity(_similarity(turned, other), turned)
    if len(one) > LEAST_POINTS["similarity"] and off > max(
        MIRRORED_M, MIRRORED_TIMES * float(np.sqrt(np.mean(mirrored**2)))
    ):
        raise LayerError(
            f"fits {off:.0f} m off, but well with the source's east and north swapped: surveyors' "
            "X points north",
            layer="control",
            hint="control = control.rename("
            "columns={'from_x_m': 'from_y_m', 'from_y_m': 'from_x_m'})",
        )


def _require_spread(at: Floats, method: str, ids: Any) -> None:
    """Refuse points on one line where they can't say how the grids lie to one another."""
    middle = at[:, :2] - at[:, :2].mean(axis=0)
    long, wide = np.linalg.svd(middle, compute_uv=False)[:2]
    if wide > ON_LINE * long:
        return
    if method == "helmert":
        raise LayerError(
            "has all points on one line, about which a Helmert transformation may turn",
            layer="control", ids=ids, hint='add a point beside it, or method="similarity"',
        )  # fmt: skip
    matrix = _similarity(at[:, :2], at[:, 2:])[1]
    turn = float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    if abs(turn) > MOST_TURN_DEG:
        raise LayerError(
            f"has all points on one line and turns by {turn:.0f}°: whether the source's east and "
            "north are swapped can't be told from them",
            layer="control", ids=ids, hint="add a point beside the line",
        )  # fmt: skip


def _require_own_targets(at: Floats, ids: Any) -> None:
    """Refuse two points that have each other's targets."""
    one, other = at[:, :2], at[:, 2:]

    def rms(targets: Floats) -> float:
        off = targets - _apply_similarity(_similarity(one, targets), one)
        return float(np.sqrt(np.mean(np.sum(off**2, axis=1))))

    if len(at) < LEAST_EXCHANGED or len(at) > MOST_EXCHANGED or (own := rms(other)) < ODD_M:
        return
    pairs = list(combinations(range(len(at)), 2))
    found = []
    for a, b in pairs:
        targets = other.copy()
        targets[[a, b]] = targets[[b, a]]
        found.append(rms(targets))
    best = int(np.argmin(found))
    if own > ODD_TIMES * found[best]:
        raise LayerError(
            f"fits {own:,.1f} m off, but to {found[best]:.3f} m with the targets of two points "
            "exchanged",
            layer="control", ids=[ids[k] for k in pairs[best]],
            hint="look both points up again",
        )  # fmt: skip


def _require_no_outlier(
    from_xy: Floats, to_xy: Floats, left_out: Floats, ids: Any, solve: Any, one: Floats,
    other: Floats, change_by: Any,
) -> None:  # fmt: skip
    """Refuse one point that is far off where all others fit: mistyped, or another point."""
    if len(left_out) < 4 or not np.isfinite(left_out).all():
        return  # three points leave two, which fit whatever they are
    rest = np.arange(len(left_out)) != int(left_out.argmax())
    without = change_by(solve(one[rest], other[rest]))
    own = float(np.sqrt(np.mean(np.sum((to_xy[rest] - without(from_xy[rest])) ** 2, axis=1))))
    worst = float(left_out.max())
    if worst > ODD_M and worst > ODD_TIMES * own:
        k = ids[int(left_out.argmax())]
        raise LayerError(
            f"has a point {worst:,.1f} m off, where the others fit to {own:.3f} m",
            layer="control",
            ids=[k],
            hint=f"correct it, or leave it out: control = control.drop(index=[{k!r}])",
        )


def _require_metre_scale(matrix: Floats, ids: Any) -> None:
    """Refuse a scale that no two grids in metres have between them."""
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if abs(scale - 1) * 1e6 <= MOST_SCALE_PPM:
        return
    unit = next((u for u, f in (("feet", 0.3048), ("km", 1000.0), ("mm", 0.001), ("cm", 0.01))
                 if abs(scale / f - 1) * 1e6 <= MOST_SCALE_PPM), "")  # fmt: skip
    raise LayerError(
        f"has a scale of {scale:g} between both grids"
        + (f": is the source in {unit}" if unit else ", which no two grids in metres have"),
        layer="control",
        ids=ids,
        hint=f"control[['from_x_m', 'from_y_m']] *= {scale:g}  # if both are right"
        if unit
        else "are points exchanged, or from two surveys",
    )


def _require_near_control(layer: gpd.GeoDataFrame, fit: GridFit) -> None:
    """Refuse a layer that lies where no control point says anything."""
    bounds = np.asarray(layer.total_bounds, float)
    if not np.isfinite(bounds).all():
        return
    points = fit._source  # noqa: SLF001
    low, high = points.min(axis=0), points.max(axis=0)
    off = np.maximum(np.maximum(low - bounds[:2], bounds[2:] - high), 0.0).max()
    if off > max(REACH_M, REACH_TIMES * float((high - low).max())):
        middle = (bounds[:2] + bounds[2:]) / 2
        turned = np.maximum(np.maximum(low - middle[::-1], middle[::-1] - high), 0.0).max()
        why = "; its east and north look swapped" if turned < off / 10 else ""
        raise CRSError(
            f"reaches {off / 1000:.0f} km beyond the control points of the fit{why}",
            layer="layer",
            hint="give the layer in the grid that the control points start from, east first",
        )


def _projected_crs(crs: Any, name: str) -> CRS:
    """A projected CRS, or an error that asks for one."""
    try:
        found = None if crs is None else CRS.from_user_input(crs)
    except ProjError:
        found = None
    if found is None or not found.is_projected:
        raise CRSError(f"{name}={crs!r} is no projected CRS", hint=f"{name}=4547, as surveyed")
    return found


def _similarity(one: Floats, other: Floats) -> tuple[Floats, Floats, Floats]:
    """Centre of the source, matrix and shift: the least-squares similarity in closed form."""
    a0, b0 = one.mean(axis=0), other.mean(axis=0)
    u, v = one - a0, other - b0
    norm = (u**2).sum()
    a, b = (u * v).sum() / norm, (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).sum() / norm
    return a0, np.array([[a, -b], [b, a]]), b0


def _apply_similarity(p: tuple[Floats, Floats, Floats], xy: Floats) -> Floats:
    a0, matrix, b0 = p
    return np.asarray((xy - a0) @ matrix.T + b0)


def _helmert(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Centre of the source and tx, ty, tz, scale, rx, ry, rz (linear in small angles)."""
    centre = one.mean(axis=0)
    x, y, z = (one - centre).T
    design = np.zeros((len(one), 3, 7))
    design[:, range(3), range(3)] = 1.0
    design[:, :, 3] = one - centre
    design[:, 0, 5], design[:, 0, 6] = -z, y
    design[:, 1, 4], design[:, 1, 6] = z, -x
    design[:, 2, 4], design[:, 2, 5] = -y, x
    scale = np.r_[np.ones(3), np.full(4, max(np.abs(one - centre).max(), 1.0))]
    solved = np.linalg.lstsq((design / scale).reshape(-1, 7), (other - one).ravel(), rcond=1e-12)[0]
    return centre, solved / scale


def _apply_helmert(p: tuple[Floats, Floats], xyz: Floats) -> Floats:
    centre, (tx, ty, tz, s, rx, ry, rz) = p
    u = xyz - centre
    turned = np.column_stack(
        [rz * u[:, 1] - ry * u[:, 2], rx * u[:, 2] - rz * u[:, 0], ry * u[:, 0] - rx * u[:, 1]]
    )
    return np.asarray(xyz + [tx, ty, tz] + s * u + turned)


def _degrees_to_geocentric(crs: CRS) -> Transformer:
    e: Any = crs.ellipsoid
    return Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        f"+step +proj=cart +a={e.semi_major_metre!r} +rf={e.inverse_flattening!r}"
    )


def _grid_to_geocentric(crs: CRS) -> Change:
    """East, north, height to geocentric coordinates on the CRS's own ellipsoid."""
    down, cart = (
        Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True),
        _degrees_to_geocentric(crs),
    )

    def change(enh: Floats) -> Floats:
        lon, lat = down.transform(enh[:, 0], enh[:, 1])
        return np.column_stack(cart.transform(lon, lat, enh[:, 2]))

    return change


def _geocentric_to_grid(crs: CRS) -> Change:
    """Geocentric coordinates to east and north."""
    down, cart = (
        Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True),
        _degrees_to_geocentric(crs),
    )

    def change(xyz: Floats) -> Floats:
        lon, lat, _ = cart.transform(xyz[:, 0], xyz[:, 1], xyz[:, 2], direction="INVERSE")
        return np.column_stack(down.transform(lon, lat, direction="INVERSE"))

    return change


def _named_parameters(p: Any, method: str) -> pd.DataFrame:
    """Parameters by their names, with the shift at the origin of the source's coordinates."""
    second = np.degrees(1) * 3600
    if method == "similarity":
        shift = _apply_similarity(p, np.zeros((1, 2)))[0]
        matrix = p[1]
        row = {
            "shift_x_m": shift[0], "shift_y_m": shift[1],
            "rotation_s": np.arctan2(matrix[1, 0], matrix[0, 0]) * second,
            "scale_ppm": (np.hypot(matrix[0, 0], matrix[1, 0]) - 1) * 1e6,
        }  # fmt: skip
    else:
        shift = _apply_helmert(p, np.zeros((1, 3)))[0]
        s, rx, ry, rz = p[1][3:]
        row = {
            "shift_x_m": shift[0], "shift_y_m": shift[1], "shift_z_m": shift[2],
            "rotation_x_s": rx * second, "rotation_y_s": ry * second, "rotation_z_s": rz * second,
            "scale_ppm": s * 1e6,
        }  # fmt: skip
    return pd.DataFrame([row])
