"""What lies below the map? A picture of the ground: an orthophoto or tiles, cut out."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from pinghu_geo.intake.coordinates import shifted_gcj02
from pinghu_geo.nouns.errors import LayerError

__all__ = ["ground_picture"]

# The picture's longer side [pixels], its finest step [m], how far it reaches beyond the lines
# [part of their extent], and the quality that it is stored at.
MOST_PX, FINEST_M, BEYOND, QUALITY = 4096, 0.1, 0.04, 75
# Places are computed at each so many pixels, and by proportion between them.
STRIDE = 32
# Half the circumference of the sphere of web maps [m], and a tile's side [pixels].
HALF_M, TILE_PX = 20_037_508.342789244, 256
# As light as the page where there is no picture.
NOTHING = np.array([244, 243, 238], np.uint8)
DRIVERS = {".tif": "GTiff", ".tiff": "GTiff", ".mbtiles": "MBTiles"}
TILES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
HINT = 'ground="正射影像.tif", an .mbtiles file, or a folder of tiles {z}/{x}/{y}.png'


def ground_picture(
    source: str | Path, lines: gpd.GeoSeries, *, gcj02: bool
) -> tuple[str, list[list[float]]]:
    """A picture as text for a page, and its corners [[south, west], [north, east]] in degrees."""
    x0, y0, x1, y1 = lines.to_crs(3857).total_bounds
    edge = BEYOND * max(x1 - x0, y1 - y0)
    x0, y0, x1, y1 = x0 - edge, y0 - edge, x1 + edge, y1 + edge
    step = max((x1 - x0) / MOST_PX, (y1 - y0) / MOST_PX, FINEST_M)
    columns, rows = (max(2, round(side / step)) for side in (x1 - x0, y1 - y0))
    across = x0 + (np.arange(columns) + 0.5) * (x1 - x0) / columns
    down = y1 - (np.arange(rows) + 0.5) * (y1 - y0) / rows
    colours = _sampled_colours(Path(source), across, down, gcj02=gcj02)
    corners = gpd.GeoSeries.from_xy([x0, x1], [y0, y1], crs=3857).to_crs(4326)
    at = np.column_stack([corners.y, corners.x]).tolist()
    return _jpeg_address(colours), at


def _sampled_colours(source: Path, across: Any, down: Any, *, gcj02: bool) -> Any:
    """Colours (3, rows, columns) at places of web Mercator."""
    from scipy.ndimage import map_coordinates

    at = [np.unique(np.r_[0 : len(one) : STRIDE, len(one) - 1]) for one in (down, across)]
    x, y = np.meshgrid(across[at[1]], down[at[0]])
    places = gpd.GeoSeries.from_xy(x.ravel(), y.ravel(), crs=3857)
    if gcj02:  # the picture is drawn where GCJ-02 says that a place lies
        degrees = places.to_crs(4326)
        moved = shifted_gcj02(np.column_stack([degrees.x, degrees.y]))
        places = gpd.GeoSeries.from_xy(moved[:, 0], moved[:, 1], crs=4326)
    step = float(across[1] - across[0])
    read = _of_tiles if source.is_dir() else _of_raster
    colours, to_pixels, here = read(source, places, step)
    column, row = to_pixels @ np.stack([here.x, here.y, np.ones(len(here))])
    fine = np.meshgrid(
        *(np.interp(np.arange(len(one)), a, np.arange(len(a)))
          for one, a in zip((down, across), at, strict=True)), indexing="ij",
    )  # fmt: skip
    row, column = (
        np.floor(map_coordinates(part.reshape(x.shape), fine, order=1)).astype(int)
        for part in (row, column)
    )
    inside = (row >= 0) & (column >= 0) & (row < colours.shape[1]) & (column < colours.shape[2])
    found = np.repeat(NOTHING[:, None], inside.size, 1).reshape(3, *inside.shape)
    found[:, inside] = colours[:, row[inside], column[inside]]
    return found


def _of_raster(source: Path, places: gpd.GeoSeries, step: float) -> tuple[Any, Any, gpd.GeoSeries]:
    """Colours of the part of a raster around places, what turns coordinates into its pixels."""
    import rasterio
    from rasterio.enums import Resampling
    from rasterio.errors import RasterioError
    from rasterio.windows import Window, from_bounds

    driver = DRIVERS.get(source.suffix.lower())
    if driver is None or not source.is_file():
        raise LayerError(f"{source.name} is no picture that can be read", layer="ground", hint=HINT)
    try:
        with rasterio.open(source, driver=driver) as file:
            if file.crs is None:
                raise LayerError(
                    f"{source.name} doesn't say where it lies", layer="ground",
                    hint="gdal_edit.py -a_srs EPSG:4547 正射影像.tif",
                )  # fmt: skip
            here = places.to_crs(file.crs)
            whole = Window(0, 0, file.width, file.height)
            wanted = from_bounds(*here.total_bounds, file.transform)
            try:
                part = wanted.intersection(whole).round_offsets().round_lengths(op="ceil")
            except rasterio.errors.WindowError:
                raise _no_place_error(source) from None
            west, _, east, _ = places.to_crs(3857).total_bounds
            less = max(1.0, wanted.width / max((east - west) / step, 1))
            shape = tuple(max(1, round(n / less)) for n in (part.height, part.width))
            colours = _window_colours(file, part, shape, Resampling.average)
            a, b, c, d, e, f = file.window_transform(part)[:6]
            sx, sy = part.width / shape[1], part.height / shape[0]
            to_place = np.array([[a * sx, b * sy, c], [d * sx, e * sy, f], [0, 0, 1]])
            return colours, np.linalg.inv(to_place)[:2], here
    except (RasterioError, OSError) as fault:
        raise LayerError(
            f"{source.name} is no picture that can be read, or it is cut off", layer="ground",
            hint=HINT,
        ) from fault  # fmt: skip


def _window_colours(file: Any, part: Any, shape: tuple[int, ...], how: Any) -> Any:
    """Red, green and blue of a window, what the file leaves out as light as the page."""
    read = {"window": part, "out_shape": shape}
    bands = [1, 2, 3] if file.count >= 3 else [1]
    table = file.colormap(1) if "palette" in [c.name for c in file.colorinterp] else None
    raw = file.read(bands, **read, **({} if table else {"resampling": how}))
    if table:
        known = np.array([table.get(k, (0, 0, 0, 0))[:3] for k in range(256)], np.uint8)
        raw = known[raw[0]].transpose(2, 0, 1)
    elif raw.dtype != np.uint8:  # of more bits: stretched to what all but the outermost have
        low, high = np.nanpercentile(raw, [2, 98])
        raw = np.clip((raw - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8)
    raw = np.broadcast_to(raw, (3, *shape)).copy()
    gone = file.dataset_mask(**read) == 0
    raw[:, gone] = NOTHING[:, None]
    return raw


def _of_tiles(folder: Path, places: gpd.GeoSeries, step: float) -> tuple[Any, Any, gpd.GeoSeries]:
    """Colours of tiles {z}/{x}/{y}, y from the north, of the zoom that is fine enough."""
    from PIL import Image

    zooms = sorted(int(one.name) for one in folder.iterdir() if one.name.isdigit())
    if not zooms:
        raise LayerError(f"{folder.name} holds no tiles", layer="ground", hint=HINT)
    wanted = np.log2(2 * HALF_M / TILE_PX / step)
    zoom = next((z for z in zooms if z >= wanted - 0.5), zooms[-1])
    here = places.to_crs(3857)
    x0, y0, x1, y1 = here.total_bounds
    side = 2 * HALF_M / 2**zoom
    columns = range(int((x0 + HALF_M) // side), int((x1 + HALF_M) // side) + 1)
    rows = range(int((HALF_M - y1) // side), int((HALF_M - y0) // side) + 1)
    shape = (3, TILE_PX * len(rows), TILE_PX * len(columns))
    colours = np.broadcast_to(NOTHING[:, None, None], shape).copy()
    found = 0
    for i, x in enumerate(columns):
        for one in sorted((folder / str(zoom) / str(x)).glob("*")):
            form = TILES.get(one.suffix.lower())
            if form is None or not one.stem.isdigit() or int(one.stem) not in rows:
                continue
            j = int(one.stem) - rows[0]
            try:
                with Image.open(one, formats=[form]) as picture:
                    tile = np.asarray(picture.convert("RGBA").resize((TILE_PX, TILE_PX)))
            except (OSError, ValueError, Image.DecompressionBombError) as fault:
                name = one.relative_to(folder)
                raise LayerError(f"{name} is no picture", layer="ground", hint=HINT) from fault
            tile = np.where(tile[..., 3:] > 0, tile[..., :3], NOTHING).transpose(2, 0, 1)
            at = np.s_[:, j * TILE_PX : (j + 1) * TILE_PX, i * TILE_PX : (i + 1) * TILE_PX]
            colours[at] = tile
            found += 1
    if not found:
        raise _no_place_error(folder)
    px = side / TILE_PX
    to_pixels = [[1 / px, 0, HALF_M / px - columns[0] * TILE_PX],
                 [0, -1 / px, HALF_M / px - rows[0] * TILE_PX]]  # fmt: skip
    return colours, np.array(to_pixels), here


def _no_place_error(source: Path) -> LayerError:
    return LayerError(f"{source.name} shows nothing of the red line's surroundings",
                      layer="ground", hint=HINT)  # fmt: skip


def _jpeg_address(colours: Any) -> str:
    from PIL import Image

    held = BytesIO()
    Image.fromarray(colours.transpose(1, 2, 0)).save(held, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(held.getvalue()).decode("ascii")
