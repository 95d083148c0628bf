"""What do these coordinates mean? CRS settled or refused, wrong ones named, offsets measured."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType
from pyproj.exceptions import CRSError as NoCRS
from pyproj.exceptions import ProjError

from pinghu_geo.intake.catalogue import Findings
from pinghu_geo.nouns.door import with_shapes
from pinghu_geo.nouns.errors import CRSError
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import Result
from pinghu_geo.nouns.schema import (
    Lang,
    grid_of_place,
    one_of,
    operation_of,
    require_layer,
    same_crs,
    same_datum,
)
from pinghu_geo.nouns.tables import crs_of

__all__ = [
    "ONLY_WGS84",
    "Shift",
    "check_coordinates",
    "crs_candidates",
    "from_gcj02",
    "layer_shift",
    "settle_crs",
]

Floats = NDArray[np.float64]
Bounds = tuple[float, float, float, float]

# China, for the list of CRS that coordinates could be in [degrees].
CHINA = AreaOfInterest(73.0, 3.0, 136.0, 54.0)
# How far a layer may reach beyond the area of use of its CRS [degrees].
BEYOND_DEG = (1.5, 1.0)
# Areas off by more than this are no areas on the ground; a strip of 3 degrees is within 0.0002.
DISTORTION = 0.01
# Whether coordinates are true metres, tell at least the place, or neither.
Right = Literal["metres", "place", "nowhere"]
# Layers of one project that lie further apart than this [m] are not in the same CRS.
APART_M = 5_000.0
# A feature further from the bulk of its layer than the bulk's own size, and than this [m].
LONELY_M = 20_000.0
# Zone numbers that stand before eastings: 13-23 of 6 degrees, 24-45 of 3 degrees.
ZONES = range(13, 46)
# No northing in metres is larger than this.
FURTHEST_M = 1.1e7
# Formats in which degrees are WGS 84 by definition (RFC 7946; OGC 12-007, KML; GPX 1.1): their
# writers call degrees of any datum so, or shift nothing.
ONLY_WGS84 = (".geojson", ".geojsonl", ".json", ".kml", ".kmz", ".gpx")
OLD_DATUMS = ("Beijing", "Xian")


def settle_crs(
    frame: gpd.GeoDataFrame, crs: Any, what: str, seen: Findings, *, only_wgs84: bool = False
) -> gpd.GeoDataFrame:
    """Settle the CRS: declared by the file, or given, or refused with what it could be.

    ``only_wgs84`` says that the file's format calls all degrees WGS 84, whatever they are.
    """
    settled = _with_settled_crs(frame, crs, what, seen, only_wgs84)
    _refuse_degrees(settled, what)
    return settled


def _with_settled_crs(
    frame: gpd.GeoDataFrame, crs: Any, what: str, seen: Findings, only_wgs84: bool
) -> gpd.GeoDataFrame:
    try:
        given = None if crs is None else CRS.from_user_input(crs)
    except NoCRS as fault:
        raise CRSError(
            f"crs={crs!r} is no coordinate reference system",
            layer=what,
            hint="give an EPSG code, such as 4547",
        ) from fault
    # a GeoPackage says "undefined" (srs_id -1, 0) where it was written without
    if frame.crs is None or re.match(r"(?i)undefined|unknown", frame.crs.name):
        if given is None:
            raise _no_crs_error(frame, what)
        return frame.set_crs(given, allow_override=True)
    if frame.crs.is_engineering:  # a drawing's own grid says nothing of where on earth it lies
        if given is None:
            raise _no_crs_error(frame, what)
        seen.add("unnamed_crs", column="geometry", name=given.name)
        return frame.set_crs(given, allow_override=True)
    declared = _epsg_form(frame.crs)
    if given is not None and _is_only_unnamed(declared, given):
        seen.add("unnamed_crs", column="geometry", name=given.name)
        return frame.set_crs(given, allow_override=True)
    if given is not None and not same_crs(declared, given):
        if only_wgs84 and declared.is_geographic and given.is_geographic:
            seen.add("format_crs", column="geometry", name=given.name)
            return frame.set_crs(given, allow_override=True)
        raise CRSError(
            f"the file says it is in {declared.name}, not in {given.name}",
            layer=what,
            hint=f"leave crs out, then {what} = {what}.to_crs({given.to_epsg() or 'crs'})"
            if same_datum(declared, given)
            else "find out which is right: to_crs doesn't shift between these two datums",
            fault="crs_contradicts",
        )
    return frame.set_crs(declared, allow_override=True)


def _refuse_degrees(frame: gpd.GeoDataFrame, what: str) -> None:
    """Refuse degrees that are stated to be metres: beside a river they would just be far away."""
    crs = crs_of(frame)
    bounds = _finite_bounds(frame.geometry.to_numpy())
    area = crs.area_of_use if crs.is_projected else None
    if bounds is None or area is None or not _looks_like_degrees(bounds):
        return

    def inside(x0: float, y0: float, x1: float, y1: float) -> bool:
        wide, high = BEYOND_DEG
        return bool(area.west - wide <= x0 <= x1 <= area.east + wide
                    and area.south - high <= y0 <= y1 <= area.north + high)  # fmt: skip

    swapped = inside(*np.take(bounds, [1, 0, 3, 2]))
    if not (inside(*bounds) or swapped):
        return  # small numbers near an origin of somebody's own
    code = (crs.geodetic_crs and crs.geodetic_crs.to_epsg()) or 4490
    raise CRSError(
        f"coordinates are degrees, but {crs.name} is stated",
        layer=what,
        hint=f"{what} = pg.read_layer(..., crs={code}).to_crs({crs.to_epsg() or 4547})"
        + ("  # once x and y are swapped back" if swapped else ""),
        fault="degrees_as_metres",
    )


def _no_crs_error(frame: gpd.GeoDataFrame, what: str) -> CRSError:
    """The error that lists what the coordinates could be."""
    bounds = frame.total_bounds
    seen = ", ".join(f"{v:,.1f}" for v in bounds)
    options = crs_candidates(bounds)
    usual = next(iter(options), 4547)
    listed = "; ".join(f"{code} {name}" for code, name in islice(options.items(), 8))
    if len(options) > 8:
        listed = say("{}; ... {} in all", "en", listed, len(options))
    elif not options and crs_candidates(np.take(bounds, [1, 0, 3, 2])):
        listed = say("none, unless x and y are swapped", "en")
    elif not options and _looks_like_degrees(bounds):
        listed, usual = say("4490 CGCS2000, 4326 WGS 84: degrees", "en"), 4490
    elif not options:
        listed = say("none", "en")
    return CRSError(
        f"the file doesn't say its coordinate reference system; bounds {seen}. "
        f"In China these could be: {listed}",
        layer=what,
        hint="ask who surveyed it (the datum can't be told from coordinates), then "
        f"pg.read_layer(..., crs={usual})",
        fault="no_crs",
    )


def _epsg_form(crs: CRS) -> CRS:
    """The EPSG form of a CRS that came as ESRI text, where it is one beyond doubt."""
    code = crs.to_epsg()
    if code:
        return CRS.from_epsg(code)
    try:
        Transformer.from_crs(crs, crs.geodetic_crs or crs)
    except ProjError as fault:
        raise CRSError(
            f"the file's coordinate reference system ({crs.name}) can't be used",
            hint="remove the .prj and state crs=, or have the file exported again",
            fault="unreadable",
        ) from fault
    return crs


def _is_only_unnamed(declared: CRS, given: CRS) -> bool:
    """Whether a file's CRS has the given one's projection, but no name and datum of its own.

    MapInfo knows no CGCS2000: it writes its projection on another or on no datum at all.
    """
    if declared.to_epsg() or declared.name.lower() not in ("unnamed", "unknown", "undefined"):
        return False
    one, other = _projection_parameters(declared), _projection_parameters(given)
    return one.keys() == other.keys() and all(abs(one[k] - other[k]) < 1e-9 for k in one)


def _projection_parameters(crs: CRS) -> dict[str, Any]:
    """Parameters of a projection: its meridian, false easting and so on."""
    operation = operation_of(crs)
    return {} if operation is None else {p.name: p.value for p in operation.params}


def crs_candidates(bounds: Any) -> dict[int, str]:
    """EPSG codes of Chinese projected systems that coordinates could be in 候选坐标系.

    Parameters
    ----------
    bounds
        min x, min y, max x, max y, as eastings and northings [m].

    Returns
    -------
    dict
        Name by code: the 3-degree and 6-degree Gauss-Kruger systems of CGCS2000, Xian 1980
        and Beijing 1954 in whose area of use the bounds may lie, CGCS2000 first. An easting
        without a zone number fits every central meridian, and no coordinates tell the datum:
        so this is a list to choose from, never an answer.

    References
    ----------
    EPSG Geodetic Parameter Dataset (IOGP): areas of use, as PROJ carries it.

    Examples
    --------
    >>> 4547 in pg.intake.crs_candidates([513000, 2510000, 514000, 2511000])
    True
    """
    x0, y0, x1, y1 = map(float, bounds)
    if not np.isfinite([x0, y0, x1, y1]).all():
        return {}
    found: dict[int, str] = {}
    for info in _chinese_grids():
        area = info.area_of_use
        if area is None:
            continue
        # easting of the area's edges: 500 km at the central meridian, a degree is <= 111.4 km
        zone = int(info.name.rsplit("zone ", 1)[1]) if "zone " in info.name else None
        base = 500_000.0 + (zone or 0) * 1e6
        half = 111_400.0 * (area.east - area.west) / 2
        north = (110_560.0 * area.south, 111_700.0 * area.north)
        if base - half <= x0 and x1 <= base + half and north[0] <= y0 and y1 <= north[1]:
            found[int(info.code)] = info.name
    return found


@cache
def _chinese_grids() -> list[Any]:
    """What PROJ's database has of China's systems, CGCS2000 first."""
    infos = query_crs_info(
        auth_name="EPSG", pj_types=PJType.PROJECTED_CRS, area_of_interest=CHINA, contains=False
    )
    wanted = [
        i
        for i in infos
        if "Gauss-Kruger" in i.name
        and "(E-N)" not in i.name
        and i.name.startswith(("CGCS2000", "Beijing 1954", "Xian 1980"))
    ]
    return sorted(wanted, key=lambda i: (not i.name.startswith("CGCS2000"), int(i.code)))


# --- what is wrong with them ------------------------------------------------------------------


def check_coordinates(
    frame: gpd.GeoDataFrame, seen: Findings, reference: gpd.GeoDataFrame | None = None
) -> gpd.GeoDataFrame | None:
    """Faults of the CRS and of the coordinates; the layer in true metres, if it can be had."""
    crs = frame.crs
    if crs is None:
        seen.add("no_crs", column="geometry")
        return None
    bounds = _finite_bounds(frame.geometry.to_numpy())
    code = 4547 if bounds is None else grid_of_place(crs, bounds)
    if crs.is_deprecated:
        seen.add("deprecated_crs", column="geometry", name=crs.name, code=code)
    if bounds is None:
        return frame if crs.is_projected else None
    find = _check_projected if crs.is_projected else _check_geographic
    right = find(crs, bounds, code, seen)
    if right == "nowhere":
        return None
    metres = frame if right == "metres" else frame.to_crs(code)
    _check_far_features(metres, seen)
    if reference is not None and len(frame) and len(reference):
        _check_against_reference(frame, metres, reference, bounds, seen)
    return metres


def _finite_bounds(shapes: Any) -> Bounds | None:
    """Bounds of what has coordinates."""
    each = shapely.bounds(shapes).T.copy()  # numpy is slow along rows of four
    west, south, east, north = each[:, np.isfinite(each).all(axis=0)]
    if not len(west):
        return None
    return float(west.min()), float(south.min()), float(east.max()), float(north.max())


def _looks_like_degrees(bounds: Any) -> bool:
    x0, y0, x1, y1 = bounds
    return bool(x0 >= -180 and x1 <= 180 and y0 >= -90 and y1 <= 90)


def _check_geographic(crs: CRS, bounds: Bounds, code: int, seen: Findings) -> Right:
    """A layer in degrees can't be computed with; it may not even be in degrees."""
    x0, y0, x1, y1 = bounds
    if _looks_like_degrees(bounds):
        seen.add("geographic_crs", column="geometry", name=crs.name, code=code)
        return "place"
    if _looks_like_degrees((y0, x0, y1, x1)):
        seen.add("swapped_axes", column="geometry")
    else:
        seen.add("metres_as_degrees", column="geometry", name=crs.name)
    return "nowhere"


def _check_projected(crs: CRS, bounds: Bounds, code: int, seen: Findings) -> Right:
    """Coordinates outside of what their CRS is for, with the reason where it can be told."""
    unit = crs.axis_info[0].unit_name
    if unit not in ("metre", "meter"):
        seen.add("foreign_unit", column="geometry", name=crs.name, unit=unit)
        return "nowhere"
    if _looks_like_degrees(bounds):
        seen.add("degrees_as_metres", column="geometry", name=crs.name)
        return "nowhere"
    if any(word in crs.name for word in OLD_DATUMS):
        seen.add("old_datum", column="geometry", name=crs.name)
    if not _fits_area_of_use(crs, bounds):
        _say_why_outside(crs, bounds, code, seen)
        return "nowhere"
    scale = _areal_scale(crs, bounds)
    if abs(scale - 1) > DISTORTION:
        seen.add("distorted_crs", column="geometry", name=crs.name, code=code,
                 percent=100 * (scale - 1))  # fmt: skip
        return "place"
    return "metres"


def _fits_area_of_use(crs: CRS, bounds: Bounds) -> bool:
    """Whether bounds lie in the area that a CRS is for, or a little beyond."""
    area = crs.area_of_use
    if area is None:
        return True
    to_degrees = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    lon, lat = to_degrees.transform(np.take(bounds, [0, 2, 0, 2]), np.take(bounds, [1, 1, 3, 3]))
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return False
    wide, high = BEYOND_DEG
    if area.west > area.east:  # across the date line
        return bool((lat >= area.south - high).all() and (lat <= area.north + high).all())
    return bool(
        (lon >= area.west - wide).all()
        and (lon <= area.east + wide).all()
        and (lat >= area.south - high).all()
        and (lat <= area.north + high).all()
    )


def _areal_scale(crs: CRS, bounds: Bounds) -> float:
    """Areas in the CRS over areas on the ground, in the middle of the bounds."""
    x, y = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    lon, lat = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(x, y)
    return float(pyproj.Proj(crs).get_factors(lon, lat).areal_scale)


def _say_why_outside(crs: CRS, bounds: Bounds, code: int, seen: Findings) -> None:
    """Name the slip that put coordinates outside of their CRS."""
    x0, y0, x1, y1 = bounds
    zone = int(_projection_parameters(crs).get("False easting", 0.0) // 1_000_000)
    stated = int(x0 // 1_000_000)
    twice = int(x0 // 100_000_000)
    said: dict[str, Any] = {"name": crs.name}

    def fits(dx: float = 0.0, factor: float = 1.0) -> bool:
        return _fits_area_of_use(
            crs, ((x0 + dx) / factor, y0 / factor, (x1 + dx) / factor, y1 / factor)
        )

    if _fits_area_of_use(crs, (y0, x0, y1, x1)):
        seen.add("swapped_axes", column="geometry")
    elif zone and fits(zone * 1e6):
        seen.add(
            "missing_zone",
            column="geometry",
            zone=zone,
            code=_code_of_same_meridian(crs, bounds),
            **said,
        )
    elif not zone and stated in ZONES and fits(-stated * 1e6):
        seen.add(
            "extra_zone",
            column="geometry",
            zone=stated,
            code=_code_of_same_meridian(crs, bounds),
            **said,
        )
    elif twice in ZONES and (fits(-twice * 1e8) or fits(-twice * (1e8 + 1e6))):
        seen.add("doubled_zone", column="geometry", zone=twice, shift=twice * 1e8)
    elif y1 > FURTHEST_M and (factor := next((f for f in (1e3, 1e2) if fits(factor=f)), None)):
        seen.add("millimetres", column="geometry", factor=factor)
    else:
        options = crs_candidates(bounds) or crs_candidates((y0, x0, y1, x1))
        could = ", ".join(map(str, islice(options, 4))) or "-"
        seen.add("outside_crs", column="geometry", could=could, code=code, **said)


def _code_of_same_meridian(crs: CRS, bounds: Bounds) -> int:
    """The CRS of the same datum and meridian that writes its eastings as the bounds have them."""
    origin = "Longitude of natural origin"
    for code in crs_candidates(bounds):
        other = CRS.from_epsg(code)
        if same_datum(crs, other) and _projection_parameters(other).get(
            origin
        ) == _projection_parameters(crs).get(origin):
            return code
    return 0


def _check_far_features(metres: gpd.GeoDataFrame, seen: Findings) -> None:
    """Features far from the bulk of their layer: a digit too many or too few."""
    each = shapely.bounds(metres.geometry.to_numpy()).T.copy()
    rows = np.flatnonzero(np.isfinite(each).all(axis=0))
    if len(rows) < 5:
        return
    at = (each[:2, rows] + each[2:, rows]) / 2
    low, high = np.quantile(at, [0.1, 0.9], axis=1)[..., None]
    off = np.maximum(low - at, at - high)
    far = (off > np.maximum(LONELY_M, high - low)).any(axis=0)
    seen.add("lonely", metres.index[rows[far]], "geometry", km=off[:, far].max(axis=0) / 1000)


def _check_against_reference(
    frame: gpd.GeoDataFrame,
    metres: gpd.GeoDataFrame,
    reference: gpd.GeoDataFrame,
    bounds: Bounds,
    seen: Findings,
) -> None:
    """Whether the layer lies where another one does that is known to be right."""
    goal = shapely.box(*reference.total_bounds)

    def away(crs: CRS) -> float:
        change = Transformer.from_crs(crs, reference.crs, always_xy=True)
        moved = change.transform_bounds(*bounds)
        return float(shapely.box(*moved).distance(goal)) if np.isfinite(moved).all() else np.inf

    far = away(crs_of(frame))
    if far > APART_M:
        could = [str(code) for code in crs_candidates(bounds) if away(CRS.from_epsg(code)) == 0]
        seen.add("far_apart", column="geometry", km=far / 1000, could=", ".join(could[:4]) or "-")
        return
    if not (shapely.get_dimensions(reference.geometry.to_numpy()) == 2).any():
        return
    found = _voted_shift(metres, reference.to_crs(crs_of(metres)))
    if found.confidence > SURE and np.hypot(found.dx_m, found.dy_m) > SHIFTED_M:
        seen.add("shifted", column="geometry", dx=found.dx_m, dy=found.dy_m, n=found.n_matched,
                 cause=say(CAUSES[found.cause], seen.lang))  # fmt: skip


# --- offsets ----------------------------------------------------------------------------------

# GCJ-02 puts a point up to 0.7 km off, BD-09 some 1.2 km in addition to nothing: within this [m].
SEARCH_M = 1_600.0
# Features compared, and how coarse the first vote is [m].
COMPARED, VOTE_M = 600, 12.0
# A shift this much smaller than any datum's is no fault [m]; one this sure is reported.
SHIFTED_M, SURE = 5.0, 0.9
# A shift is explained by an offset this near to it [m].
EXPLAINED_M = 20.0
CAUSES = {
    "none": "no offset",
    "gcj02": "as of GCJ-02",
    "bd09": "as of BD-09",
    "unknown": "of unknown cause (another datum?)",
}


@dataclass(frozen=True, slots=True)
class Shift(Result):
    """How far a layer lies from another one, and what would explain that 图层偏移."""

    dx_m: float
    dy_m: float
    n_matched: int
    n_compared: int
    confidence: float
    cause: Literal["none", "gcj02", "bd09", "unknown"]

    def summary(self, *, lang: Lang = "zh") -> list[str]:
        """How far off the layer lies."""
        if not self.confidence:
            return [
                say(
                    "Too few features match to tell a shift ({} of {}).",
                    lang,
                    self.n_matched,
                    self.n_compared,
                )
            ]
        return [
            say(
                "The layer lies {} m too far east and {} m too far north ({} of {} features, "
                "confidence {}).",
                lang,
                f"{self.dx_m:.1f}",
                f"{self.dy_m:.1f}",
                self.n_matched,
                self.n_compared,
                f"{self.confidence:.2f}",
            )
        ]


def layer_shift(layer: gpd.GeoDataFrame, reference: gpd.GeoDataFrame) -> Shift:
    """Shift of footprints against others of the same place, with its cause 图层偏移.

    Parameters
    ----------
    layer
        Footprints whose place is in doubt, in projected metres.
    reference
        Footprints known to be right, in the same CRS; they need not be the same houses.

    Returns
    -------
    Shift
        dx_m, dy_m [m]: what the layer lies too far east and north; n_matched of n_compared
        features that have a house of their size in the reference there; confidence (0-1); cause
        {none, gcj02, bd09, unknown}.

    Raises
    ------
    LayerError, CRSError
        A layer can't be used, or the two are in different CRS.

    Notes
    -----
    Each compared feature votes for every shift of at most 1.6 km that would put its centre on the
    centre of a reference feature of the same area (within a tenth) and elongation; the true shift
    gets a vote of every house that both layers have, any other only votes by chance. Confidence is
    one less the share of the winner's votes that the best shift more than 60 m away also gets,
    and 0 for fewer than 5 votes.

    References
    ----------
    Ballard, Generalizing the Hough transform to detect arbitrary shapes, Pattern Recognition 13
    (1981) 111-122 (votes for a shift).

    Examples
    --------
    >>> houses = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> moved = houses.set_geometry(houses.translate(523.0, -297.0))
    >>> found = pg.intake.layer_shift(moved, houses)
    >>> round(found.dx_m), round(found.dy_m), found.cause
    (523, -297, 'gcj02')
    """
    layer, reference = with_shapes(layer, "layer"), with_shapes(reference, "reference")
    require_layer(layer, "layer", valid=False)
    require_layer(reference, "reference", crs=layer.crs, valid=False)
    return _voted_shift(layer, reference)


def _voted_shift(layer: gpd.GeoDataFrame, reference: gpd.GeoDataFrame) -> Shift:
    """The vote of `layer_shift`, of whatever has an area."""
    mine = _centres_and_sizes(layer)
    theirs = _centres_and_sizes(reference) if len(mine) else mine
    if not len(theirs):
        return Shift(0.0, 0.0, 0, 0, 0.0, "unknown")
    low, high = theirs[:, :2].min(axis=0) - SEARCH_M, theirs[:, :2].max(axis=0) + SEARCH_M
    mine = mine[((mine[:, :2] >= low) & (mine[:, :2] <= high)).all(axis=1)]
    rng = np.random.default_rng(0)
    mine = mine[rng.permutation(len(mine))[:COMPARED]]
    none = Shift(0.0, 0.0, 0, len(mine), 0.0, "unknown")
    if not len(mine):
        return none
    from scipy.spatial import cKDTree  # slow to import, and rivers have nothing that votes

    near = cKDTree(theirs[:, :2]).query_ball_point(mine[:, :2], SEARCH_M)
    one = np.repeat(np.arange(len(mine)), [len(n) for n in near])
    other = np.concatenate([np.asarray(n, np.intp) for n in near])
    alike = (np.abs(np.log(mine[one, 2:] / theirs[other, 2:])) < 0.1).all(axis=1)
    one, other = one[alike], other[alike]
    votes = mine[one, :2] - theirs[other, :2]
    if not len(votes):
        return none
    tree = cKDTree(votes)
    count = np.array([len(set(one[k])) for k in tree.query_ball_point(votes, VOTE_M)])
    best = votes[count.argmax()]
    for _ in range(5):
        close = np.linalg.norm(votes - best, axis=1) < VOTE_M
        best = np.median(votes[close], axis=0)
    matched = len(set(one[close]))
    rivals = count[np.linalg.norm(votes - best, axis=1) > 5 * VOTE_M].max(initial=0)
    sure = max(0.0, 1 - rivals / matched) if matched >= 5 else 0.0
    # chance alone gives a small winner hardly more votes than the next
    sure = 1 - (1 - sure) ** 2 if sure > 0.5 else sure
    cause = _cause_of_shift(layer, best)
    return Shift(float(best[0]), float(best[1]), matched, len(mine), round(float(sure), 3), cause)


def _centres_and_sizes(layer: gpd.GeoDataFrame) -> Floats:
    """Centre, area and length of the outline of each part of a layer; a row may be many houses."""
    shapes = shapely.get_parts(layer.geometry.to_numpy()[~shapely.is_missing(layer.geometry)])
    area = shapely.area(shapes)
    kept = shapes[(area > 20.0) & np.isfinite(shapely.bounds(shapes)).all(axis=1)]
    at = shapely.get_coordinates(shapely.centroid(kept))
    return np.column_stack([at, shapely.area(kept), shapely.length(kept)])


def _cause_of_shift(
    layer: gpd.GeoDataFrame, shift: Floats
) -> Literal["none", "gcj02", "bd09", "unknown"]:
    """What would explain a shift at this place."""
    if np.hypot(*shift) < SHIFTED_M:
        return "none"
    x0, y0, x1, y1 = layer.total_bounds
    middle = np.array([[(x0 + x1) / 2, (y0 + y1) / 2]]) - shift
    for cause in ("gcj02", "bd09"):
        predicted = _changed_in_degrees(middle, crs_of(layer), OFFSETS[cause])[0] - middle[0]
        if np.hypot(*(predicted - shift)) < EXPLAINED_M:
            return cause
    return "unknown"


def from_gcj02(
    layer: gpd.GeoDataFrame, *, system: Literal["gcj02", "bd09"] = "gcj02"
) -> gpd.GeoDataFrame:
    """The layer without the offset of Chinese web maps, in its own CRS 火星坐标还原.

    Parameters
    ----------
    layer
        In GCJ-02 or BD-09 but labelled WGS 84 or CGCS2000, in degrees or projected from them.
    system
        ``"gcj02"`` (Gaode, Tencent) or ``"bd09"`` (Baidu).

    Returns
    -------
    geopandas.GeoDataFrame
        The same rows, moved back by some 500 m.

    Raises
    ------
    CRSError
        The layer has no CRS.

    Notes
    -----
    The offset is not published by those who apply it; the formula is the one that free software
    agrees on. Its inverse is iterated to 1e-10 degrees (10 µm). Outside of China
    (72.004-137.8347 E, 0.8293-55.8271 N) it is not applied. Good to a metre or so: for maps and
    for a first look, not for a decision about a house; ask for the survey.

    References
    ----------
    The formula of free software (gcoord, coordtransform, prcoords), which agree with each other;
    there is no published standard.

    Examples
    --------
    >>> houses = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> back = pg.intake.from_gcj02(houses)
    >>> moved = houses.centroid.distance(back.centroid)
    >>> bool(moved.between(550, 650).all())
    True
    """
    one_of(system, OFFSETS, "system")
    layer = with_shapes(layer, "layer")
    if layer.crs is None:
        raise CRSError(
            "has no coordinate reference system", layer="layer", hint="layer.set_crs(4326)"
        )
    forth = OFFSETS[system]

    def back(lonlat: Floats) -> Floats:
        found = lonlat.copy()
        for _ in range(30):
            miss = forth(found) - lonlat
            found -= miss
            if not len(miss) or np.abs(miss).max() < 1e-10:
                break
        return found

    crs = crs_of(layer)
    shapes = shapely.transform(
        layer.geometry.to_numpy(), lambda xy: _changed_in_degrees(xy, crs, back)
    )
    return layer.set_geometry(shapes, crs=crs)


def _changed_in_degrees(xy: Floats, crs: CRS, change: Callable[[Floats], Floats]) -> Floats:
    """Coordinates changed as longitude and latitude."""
    if crs.is_geographic:
        return change(xy)
    there = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    lonlat = change(np.column_stack(there.transform(*xy.T)))
    return np.column_stack(there.transform(lonlat[:, 0], lonlat[:, 1], direction="INVERSE"))


def shifted_gcj02(lonlat: Floats) -> Floats:
    """WGS 84 to GCJ-02 [degrees], by the formula that eviltransform, gcoord and others share."""
    lon, lat = lonlat.T
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    waves = 20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)
    north = (
        -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * root
        + (waves + 20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)
           + 160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    )  # fmt: skip
    east = (
        300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * root
        + (waves + 20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)
           + 150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    )  # fmt: skip
    # metres to degrees on Krassovsky's ellipsoid: a [m], e²
    a, e2 = 6_378_245.0, 0.00669342162296594323
    phi = np.radians(lat)
    w2 = 1 - e2 * np.sin(phi) ** 2
    d_lat = np.degrees(north / (a * (1 - e2) / (w2 * np.sqrt(w2))))
    d_lon = np.degrees(east / (a / np.sqrt(w2) * np.cos(phi)))
    inside = (lon > 72.004) & (lon < 137.8347) & (lat > 0.8293) & (lat < 55.8271)
    return np.column_stack([lon + np.where(inside, d_lon, 0), lat + np.where(inside, d_lat, 0)])


def _wgs84_to_bd09(lonlat: Floats) -> Floats:
    """WGS 84 to BD-09 [degrees]: GCJ-02 turned and stretched once more."""
    lon, lat = shifted_gcj02(lonlat).T
    turn = np.pi * 3000 / 180
    radius = np.hypot(lon, lat) + 2e-5 * np.sin(lat * turn)
    angle = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * turn)
    return np.column_stack([radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006])


OFFSETS: dict[str, Callable[[Floats], Floats]] = {"gcj02": shifted_gcj02, "bd09": _wgs84_to_bd09}
