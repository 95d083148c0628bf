"""What if the line ran here? A red line to be moved by hand in a notebook, and what it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.deliver.maps import STATUS, in_degrees
from pinghu_geo.nouns.door import takes
from pinghu_geo.nouns.errors import LayerError
from pinghu_geo.nouns.inert import html_text
from pinghu_geo.nouns.notices import heard
from pinghu_geo.nouns.results import table_html
from pinghu_geo.nouns.schema import flat_shapes, label, nearest, require_layer
from pinghu_geo.nouns.tables import crs_of
from pinghu_geo.redline.areas import rows_near
from pinghu_geo.redline.depths import DEPTH_TOLERANCE_M
from pinghu_geo.redline.lines import red_line, width_table
from pinghu_geo.redline.overlap import affected, totals
from pinghu_geo.river.centreline import lay_out, points_at
from pinghu_geo.river.chainage import format_chainage
from pinghu_geo.schemes.cost import compensation

__all__ = ["LiveRedLine", "live_red_line"]

# What is said of a house.
TOLD = ("inside_m2", "demolish_floor_area_m2", "cost_yuan")
SIDES = {"left_m": "左岸", "right_m": "右岸"}
# More handles than this a side hide the houses.
MOST_HANDLES = 40
# Houses this far beyond the widest line are drawn for orientation [m].
AROUND_M = 40.0
# Size of the map that the stretch is to fill, and the closest that the map goes.
PIXELS, MOST_ZOOM = (900, 560), 21
# Widths are set to this [m].
STEP_M = 0.1
STATES = {
    **{state: STATUS[state] for state in ("full", "partial")},
    "saved": ("比原方案少拆", STATUS["saved"][1]),
    "added": ("比原方案多拆", STATUS["added"][1]),
}


@takes()
def live_red_line(
    widths: pd.DataFrame,
    buildings: gpd.GeoDataFrame,
    rivers: gpd.GeoDataFrame,
    *,
    rates: pd.DataFrame | None = None,
    most_m: float = 40.0,
) -> LiveRedLine:
    """Move the red line by hand in a notebook and watch the houses 红线手动调整.

    Parameters
    ----------
    widths
        Width table to begin with, as for `red_line`; it stays as it is.
    buildings
        Footprints, indexed by building_id.
    rivers
        Centrelines drawn downstream, indexed by river.
    rates
        Table for `compensation`; without it there is no cost.
    most_m
        Greatest width on each side that can be set [m].

    Returns
    -------
    LiveRedLine
        Shown by a notebook (extra ``notebook``) as a map with handles on both edges of the line,
        sliders for a stretch, and the sums beside those of the line to begin with. Its
        ``widths`` and ``affected`` follow what is moved.

    Raises
    ------
    LayerError, CRSError, ChainageError
        A layer or the table can't be used, as `red_line` and `affected` say; a width above
        ``most_m``; ipyleaflet isn't installed.

    Examples
    --------
    >>> rivers = pg.read_layer(sample / "河道.shp", "rivers")
    >>> buildings = pg.read_layer(sample / "房屋.shp", "buildings")
    >>> widths = pg.read_table(sample / "红线宽度_原方案.csv", "widths")
    >>> live = pg.live_red_line(widths, buildings, rivers)
    >>> live.set_widths("木古河", 0, 2000, left_m=6.0, right_m=6.0)
    >>> len(live.affected) < len(live.baseline)
    True
    """
    return LiveRedLine(widths, buildings, rivers, rates, most_m)


class LiveRedLine:
    """A red line that is moved by hand: made by `live_red_line`.

    Attributes
    ----------
    widths
        Width table as it is now; give it to `red_line` or `write_table`.
    affected, baseline
        Buildings taken now and by the line to begin with, as `affected` says, with rates with
        cost_yuan.
    panel
        The ipywidgets box that a notebook shows.
    """

    def __init__(
        self,
        widths: pd.DataFrame,
        buildings: gpd.GeoDataFrame,
        rivers: gpd.GeoDataFrame,
        rates: pd.DataFrame | None,
        most_m: float,
    ) -> None:
        try:
            import ipyleaflet  # noqa: F401
        except ImportError as fault:
            raise LayerError(
                "ipyleaflet isn't installed", hint='pip install "pinghu_geo[notebook]"'
            ) from fault
        require_layer(buildings, "buildings", crs=rivers.crs)
        self._lines = lay_out(rivers)
        table = width_table(widths, self._lines)
        if table.empty:
            raise LayerError("has no rows", layer="widths", hint="pg.widths_of(line, rivers)")
        wide = table[["left_m", "right_m"]].max(axis=1) > most_m
        if wide.any():
            raise LayerError(
                f"has widths above {most_m:g} m",
                layer="widths",
                ids=table.index[wide],
                hint=f"most_m={table[['left_m', 'right_m']].to_numpy().max():g}",
            )
        self.rivers, self.rates, self.most_m = rivers, rates, most_m
        self._given = table.drop(columns=["code", "measure"]).reset_index(drop=True)
        self.widths = self._given.copy()
        reach = red_line(rivers, self._given.assign(left_m=most_m, right_m=most_m))
        around = shapely.buffer(reach.geometry.to_numpy(), AROUND_M)
        near = shapely.STRtree(flat_shapes(buildings)).query(around, predicate="intersects")[1]
        self.buildings = buildings.iloc[np.unique(near)]
        self._red = {
            r: self._red_line_of_river(r, self.widths) for r in self._given["river"].unique()
        }
        self.baseline = self.affected = self._affected_now(self.buildings)
        self._panel = _LivePanel(self)
        self.panel = self._panel.box
        self._panel.choose_river()

    def set_widths(
        self,
        river: str,
        from_m: float,
        to_m: float,
        *,
        left_m: float | None = None,
        right_m: float | None = None,
    ) -> None:
        """Set the widths [m] of the rows of a river between two chainages, both included."""
        if river not in self._red:
            raise LayerError(f"{river!r} is not in the widths", hint=nearest(river, self._red))
        given = {"left_m": left_m, "right_m": right_m}
        sides = {name: float(width) for name, width in given.items() if width is not None}
        for name, width in sides.items():
            if not 0 <= width <= self.most_m:
                raise LayerError(f"{name}={width:g} isn't between 0 and most_m={self.most_m:g}")
        rows = (self.widths["river"] == river) & self.widths["chainage_m"].between(from_m, to_m)
        if not rows.any():
            raise LayerError(
                f"no row of {river} lies between {from_m:g} and {to_m:g} m",
                layer="widths",
                hint="put a row there: widths has the chainages",
            )
        self._set_widths_of_rows(river, rows, sides)

    def reset(self, river: str) -> None:
        """Take a river back to the widths to begin with."""
        rows = self._given["river"] == river
        self._set_widths_of_rows(river, rows, {side: self._given.loc[rows, side] for side in SIDES})

    def sums(self) -> pd.DataFrame:
        """Sums of both lines [units as in `totals`], and their difference."""
        both = pd.concat([totals(self.baseline), totals(self.affected)], ignore_index=True)
        table = pd.concat([both, both.diff().tail(1)])
        table.index = pd.Index(["原方案", "当前", "差"])
        return table

    def red_line(self) -> gpd.GeoDataFrame:
        """The line as it is now, one row a river."""
        return gpd.GeoDataFrame(pd.concat(self._red.values(), ignore_index=True))

    def _red_line_of_river(self, river: str, widths: pd.DataFrame) -> gpd.GeoDataFrame:
        return red_line(self.rivers, widths[widths["river"] == river])

    def _affected_now(self, buildings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        with heard():  # the sums say how much of the floor area is estimated, at each move
            hit = affected(buildings, self.red_line(), self.rivers)
        if self.rates is not None:
            hit["cost_yuan"] = compensation(hit, self.rates)["cost_yuan"]
        return hit

    def _set_widths_of_rows(self, river: str, rows: Any, sides: Mapping[str, Any]) -> None:
        """Set widths of rows of a river, if a line can be drawn with them, and count anew."""
        widths = self.widths.copy()
        for side, width in sides.items():
            widths.loc[rows, side] = width
        before, self._red[river] = self._red[river], self._red_line_of_river(river, widths)
        self.widths = widths
        moved = shapely.get_parts(
            shapely.symmetric_difference(
                before.geometry.union_all(), self._red[river].geometry.union_all()
            )
        )
        # an edge may be the nearest of a place no farther away than the place is deep
        deep = self.affected["cut_depth_m"].max() + DEPTH_TOLERANCE_M if len(self.affected) else 0.0
        near = rows_near(self.buildings, moved[shapely.get_dimensions(moved) == 2], within_m=deep)
        again = self._affected_now(self.buildings.iloc[near])
        kept = self.affected[~self.affected.index.isin(self.buildings.index[near])]
        hit = again if kept.empty else kept if again.empty else pd.concat([kept, again])
        self.affected = hit.loc[self.buildings.index[self.buildings.index.isin(hit.index)]]
        self._panel.show()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.panel._repr_mimebundle_(**kwargs)


class _LivePanel:
    """Map, handles and sliders of a live red line."""

    def __init__(self, live: LiveRedLine) -> None:
        import ipyleaflet as leaflet
        import ipywidgets as widgets

        self.live, self._leaflet, self._busy = live, leaflet, False
        styles = {
            "other": {"color": "#8a8a8a", "weight": 1, "fillOpacity": 0.15},
            **{s: {"color": c, "weight": 1, "fillOpacity": 0.6} for s, (_, c) in STATES.items()},
            "before": {"color": "#333333", "weight": 1, "dashArray": "6 5", "fill": False},
            "line": {"color": "#d00000", "weight": 2, "fill": False},
            "river": {"color": "#1f6fb4", "weight": 2},
        }
        names = {
            "other": "其他房屋", **{s: n for s, (n, _) in STATES.items()},
            "before": "原红线", "line": "当前红线", "river": "河道中线",
        }  # fmt: skip
        self._shown: dict[str, gpd.GeoDataFrame] = {}
        self._layers = {
            key: leaflet.GeoJSON(data=_geojson_of_layer(None), style=style, name=names[key])
            for key, style in styles.items()
        }
        for key in ("other", *STATES):
            self._layers[key].on_click(self._describe_house)
        self._handles = leaflet.LayerGroup(name="边线控制点")
        self._layers["other"].data = _geojson_of_layer(live.buildings)
        self._layers["before"].data = _geojson_of_layer(live.red_line())
        self._layers["river"].data = _geojson_of_layer(live.rivers)
        self._map = leaflet.Map(
            layers=[*self._layers.values(), self._handles],
            scroll_wheel_zoom=True,
            max_zoom=MOST_ZOOM,
            layout=widgets.Layout(height=f"{PIXELS[1]}px"),
        )
        self._map.add(leaflet.LayersControl(position="topright"))
        self._map.add(leaflet.ScaleControl(position="bottomleft", imperial=False))
        wide = widgets.Layout(width="430px")
        long = {"description_width": "90px"}
        self.river = widgets.Dropdown(options=list(live._red), description="河道", style=long)
        self.stretch = widgets.FloatRangeSlider(
            description="桩号", step=1.0, readout_format=".0f", layout=wide, style=long,
            continuous_update=False,
        )  # fmt: skip
        self.width = {
            side: widgets.FloatSlider(
                description=f"{word}宽 (m)", min=0.0, max=live.most_m, step=STEP_M,
                continuous_update=False, layout=wide, style=long,
            )
            for side, word in SIDES.items()
        }  # fmt: skip
        self.reset = widgets.Button(description="恢复本河原方案")
        self.said, self.house = widgets.HTML(), widgets.HTML("点击房屋查看")
        self.sums = widgets.HTML()
        rows = [self.river, self.stretch, *self.width.values(), self.reset, self.said, self.house]
        self.box = widgets.VBox([widgets.HBox([widgets.VBox(rows), self.sums]), self._map])
        self.river.observe(lambda _: self.choose_river(), "value")
        self.stretch.observe(lambda _: self._show_chosen_stretch(), "value")
        for side, slider in self.width.items():
            slider.observe(
                lambda change, side=side: self._set_from_slider(side, change["new"]), "value"
            )
        self.reset.on_click(lambda _: live.reset(self.river.value))

    def show(self) -> None:
        """Line, houses and sums as they are now."""
        live = self.live
        now, before = live.affected, live.baseline
        new = ~now.index.isin(before.index)
        groups = {
            "full": now[(now["extent"] == "full") & ~new],
            "partial": now[(now["extent"] == "partial") & ~new],
            "added": now[new],
            "saved": before[~before.index.isin(now.index)],
        }
        # the sums are what is waited for; the map follows, where it is another one
        self.sums.value = (
            table_html(live.sums().rename(columns=label).T)
            + f"<p>少拆 {len(groups['saved'])} 栋,多拆 {new.sum()} 栋</p>"
            + " ".join(f'<span style="color:{c}">■</span> {n}' for n, c in STATES.values())
        )
        for state, rows in (groups | {"line": live.red_line()}).items():
            shown = self._shown.get(state)
            if shown is None or not shown.equals(rows):
                self._layers[state].data, self._shown[state] = _geojson_of_layer(rows), rows
        self._place_handles()

    # --- what is done by hand

    def _rows_in_stretch(self) -> pd.DataFrame:
        """Rows of the widths in the stretch."""
        table: pd.DataFrame = self.live.widths
        low, high = self.stretch.value
        rows: pd.DataFrame = table[
            (table["river"] == self.river.value) & table["chainage_m"].between(low, high)
        ]
        return rows.sort_values("chainage_m")

    def choose_river(self) -> None:
        """Go to the first stretch of the river that is chosen."""
        at = self.live.widths.loc[self.live.widths["river"] == self.river.value, "chainage_m"]
        low, high = float(at.min()), float(at.max())
        self._busy = True
        self.stretch.min, self.stretch.max = min(low, self.stretch.min), high
        self.stretch.value = (low, min(low + 300.0, high))
        self.stretch.min = low
        self._busy = False
        self._show_chosen_stretch()

    def _show_chosen_stretch(self) -> None:
        if self._busy:
            return
        self.show()
        ends = self._edges_in_degrees().reshape(-1, 2)
        if len(ends):
            low, high = ends.min(axis=0), ends.max(axis=0)
            self._map.center = tuple(((low + high) / 2)[::-1].tolist())
            self._map.zoom = _zoom_for_box(low, high)

    def _set_from_slider(self, side: str, width: float) -> None:
        if not self._busy and len(self._rows_in_stretch()):
            self.live.set_widths(self.river.value, *self.stretch.value, **{side: width})

    def _set_from_handle(self, row: Any, side: str, place: tuple[float, float]) -> None:
        """Set the width of one row from where its handle was let go."""
        if self._busy:
            return
        live = self.live
        spot = gpd.GeoSeries.from_xy([place[1]], [place[0]], crs=4326).to_crs(crs_of(live.rivers))
        xy, across = self._points_and_normals(live.widths.loc[[row]])
        sign = 1.0 if side == "left_m" else -1.0
        offset = sign * float((np.array([spot.x[0], spot.y[0]]) - xy[0]) @ across[0])
        width = np.round(np.clip(offset, 0.0, live.most_m) / STEP_M) * STEP_M
        live._set_widths_of_rows(self.river.value, row, {side: width})

    def _describe_house(self, feature: dict[str, Any], **_: Any) -> None:
        """Say what the line takes of a house."""
        name = feature["id"]
        rows = {"原方案": self.live.baseline, "当前": self.live.affected}
        parts = [f"<b>{html_text(name)}</b>"]
        for word, hit in rows.items():
            columns = [c for c in TOLD if c in hit]
            said = [f"{label(c)} {v:,.0f}" for c in columns for v in hit.loc[[name], c]] if (
                name in hit.index) else ["不拆"]  # fmt: skip
            parts.append(f"{word}:{','.join(said)}")
        self.house.value = "<br>".join(parts)

    # --- handles

    def _points_and_normals(self, rows: pd.DataFrame) -> tuple[Any, Any]:
        """Points on the centreline, and the unit vectors to the left."""
        lines = self.live._lines
        k = lines.names.index(str(self.river.value))
        at = lines.scales[k].measure(rows["chainage_m"].to_numpy(float), twice="order")
        xy, unit = points_at(lines, np.full(len(at), k), at)
        return xy, np.stack([-unit[:, 1], unit[:, 0]], axis=1)

    def _edges_in_degrees(self) -> Any:
        """Longitude and latitude of both edges at the rows of the stretch, (rows, 2, 2)."""
        rows = self._rows_in_stretch()
        xy, across = self._points_and_normals(rows)
        left, right = (rows[side].to_numpy(float)[:, None] for side in SIDES)
        ends = np.stack([xy + across * left, xy - across * right], axis=1).reshape(-1, 2)
        x, y = ends.T
        spots = gpd.GeoSeries.from_xy(x, y, crs=self.live.rivers.crs).to_crs(4326)
        return np.stack([spots.x, spots.y], axis=1).reshape(-1, 2, 2)

    def _place_handles(self) -> None:
        """Handles and sliders where the line is now."""
        rows = self._rows_in_stretch()
        few = 0 < len(rows) <= MOST_HANDLES
        self._busy = True
        for side, slider in self.width.items():
            slider.disabled = not len(rows)
            if len(rows):
                slider.value = float(rows[side].mean())
        self._handles.layers = tuple(self._handles_of(rows)) if few else ()
        self._busy = False
        low, high = map(format_chainage, self.stretch.value)
        self.said.value = f"{low} 至 {high}:{len(rows)} 个断面" + (
            "" if few else f",缩短至 {MOST_HANDLES} 个以内可拖动控制点" if len(rows) else ""
        )

    def _handles_of(self, rows: pd.DataFrame) -> list[Any]:
        leaflet = self._leaflet
        found = []
        for row, chainage, ends in zip(
            rows.index, rows["chainage_m"], self._edges_in_degrees(), strict=True
        ):
            for side, (x, y) in zip(SIDES, ends, strict=True):
                handle = leaflet.Marker(
                    location=(y, x),
                    draggable=True,
                    title=f"{format_chainage(chainage)} {SIDES[side]} {rows.loc[row, side]:.1f} m",
                    icon=leaflet.DivIcon(
                        html='<div style="height:100%;background:#d00000"></div>',
                        icon_size=[10, 10],
                        icon_anchor=[5, 5],
                    ),
                )
                handle.observe(
                    lambda change, row=row, side=side: self._set_from_handle(
                        row, side, change["new"]
                    ),
                    "location",
                )
                found.append(handle)
        return found


def _zoom_for_box(low: Any, high: Any) -> int:
    """Level at which a box in degrees fills the map: level 0 shows 360 degrees on 256 pixels."""
    stretched = (high - low) / [1.0, np.cos(np.radians(low[1]))]
    wanted = (np.array(PIXELS) / np.maximum(stretched, 1e-9)).min() * 360 / 256
    return int(np.clip(np.log2(wanted), 0, MOST_ZOOM))


def _geojson_of_layer(layer: gpd.GeoDataFrame | None) -> dict[str, Any]:
    """A layer in degrees, with nothing but shapes and ids."""
    if layer is None or layer.empty:
        return {"type": "FeatureCollection", "features": []}
    found: dict[str, Any] = json.loads(in_degrees(layer.geometry).to_json())
    return found
