"""What does a hand take hold of? Map, handles, sliders and sums of the live red line."""

from __future__ import annotations

import json
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pinghu_geo.deliver.maps import STATUS, in_degrees
from pinghu_geo.nouns.errors import PinghuError
from pinghu_geo.nouns.inert import html_text
from pinghu_geo.nouns.messages import say
from pinghu_geo.nouns.results import table_html
from pinghu_geo.nouns.schema import code_label, label
from pinghu_geo.nouns.tables import crs_of
from pinghu_geo.river.centreline import points_at
from pinghu_geo.river.chainage import format_chainage

__all__ = ["LivePanel"]

# What is said of a house.
TOLD = ("inside_m2", "demolish_floor_area_m2", "cost_yuan")
SIDES = {"left_m": "左岸", "right_m": "右岸"}
# More handles than this a side hide the houses.
MOST_HANDLES = 40
# Size of the map that the stretch is to fill, and the closest that the map goes.
PIXELS, MOST_ZOOM = (900, 560), 21
# Widths are set to this [m].
STEP_M = 0.1
STATES = {
    **{state: STATUS[state] for state in ("full", "partial")},
    "saved": ("比原方案少拆", STATUS["saved"][1]),
    "added": ("比原方案多拆", STATUS["added"][1]),
}


class LivePanel:
    """Map, handles and sliders of a live red line."""

    def __init__(self, live: Any) -> None:
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
        self.river = widgets.Dropdown(
            options=list(live.widths["river"].unique()), description="河道", style=long
        )
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
        self.sums, self.board, self.flood = widgets.HTML(), widgets.HTML(), widgets.HTML()
        rows = [self.river, self.stretch, *self.width.values(), self.reset, self.said, self.house]
        told = widgets.VBox([self.sums, self.board, self.flood])
        self.box = widgets.VBox([widgets.HBox([widgets.VBox(rows), told]), self._map])
        self.river.observe(lambda _: self.choose_river(), "value")
        self.stretch.observe(lambda _: self._show_chosen_stretch(), "value")
        for side, slider in self.width.items():
            slider.observe(
                lambda change, side=side: self._set_from_slider(side, change["new"]), "value"
            )
        self.reset.on_click(lambda _: live.reset(self.river.value))

    def show(self) -> None:
        """Line, houses and all sums as they are now."""
        self.show_sums()
        self.show_rest()

    def show_sums(self) -> None:
        """The sums, which are what is waited for."""
        saved, added = self.live.exchanged()
        self.sums.value = (
            table_html(self.live.sums().rename(columns=label).T)
            + f"<p>少拆 {len(saved)} 栋,多拆 {len(added)} 栋</p>"
            + " ".join(f'<span style="color:{c}">■</span> {n}' for n, c in STATES.values())
        )

    def show_rest(self) -> None:
        """The board's sums, the map where it is another one, and what the flood says."""
        live = self.live
        board = live.board()
        if board is not None:
            self.board.value = _board_html(board)
        now, before = live.affected, live.baseline
        new = ~now.index.isin(before.index)
        groups = {
            "full": now[(now["extent"] == "full") & ~new],
            "partial": now[(now["extent"] == "partial") & ~new],
            "added": now[new],
            "saved": before[~before.index.isin(now.index)],
        }
        for state, rows in (groups | {"line": live.red_line()}).items():
            shown = self._shown.get(state)
            if shown is None or not shown.equals(rows):
                self._layers[state].data, self._shown[state] = _geojson_of_layer(rows), rows
        self._place_handles()
        if live.water is not None:
            self.flood.value = _flood_html(live)

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
        live.set_widths_of_rows(pd.Index([row]), {side: width})

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
        lines = self.live.lines
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


def _board_html(board: pd.DataFrame) -> str:
    """The board's sums of both lines, class by class of the stage."""
    heads = ["节点 (个)", "房屋 (栋)", "租户 (户)", "建筑面积 (m²)"]
    columns = (("n_nodes", ""), ("n_buildings", ""), ("n_tenants", "n_tenants_unknown"),
               ("demolish_floor_area_m2", "n_unknown"))  # fmt: skip
    rows = []
    for code, row in board.iterrows():
        cells = [_both_in_words(row, *one) for one in columns]
        name = code_label("status", str(code), lang="zh")
        rows.append(f"<tr><th>{name}</th>{''.join(f'<td>{c}</td>' for c in cells)}</tr>")
    top = "".join(f"<th>{h}</th>" for h in ("作战板", *heads))
    return f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _both_in_words(row: pd.Series, column: str, lost: str) -> str:
    """A sum before and now, with of how many nodes it isn't known."""
    said = []
    for when in ("before", "now"):
        value = row[(when, column)]
        none = int(row[(when, lost)]) if lost else 0
        text = say("unknown", "zh") if pd.isna(value) else f"{value:,.0f}"
        said.append(text + (say("(unknown of {} nodes)", "zh", none)
                            if none and pd.notna(value) else ""))  # fmt: skip
    return said[0] if said[0] == said[1] else f"{said[0]} → <b>{said[1]}</b>"


def _flood_html(live: Any) -> str:
    """The largest rise of each flood, and where; or why there is none."""
    try:
        rise = live.flood()
    except PinghuError as fault:
        return f'<p style="color:#b00000">{html_text(fault.said_in("zh"))}</p>'
    said = []
    for name, rows in rise.groupby("profile", sort=False):
        top = rows.loc[rows["rise_mm"].idxmax()]
        doubted = int((rows["doubts"] != "").sum())
        said.append(
            say("flood {}: the level rises by at most {} mm, at {} {}", "zh", str(name) or "设计",
                f"{top['rise_mm']:.1f}", top["river"], format_chainage(top["chainage_m"]))
            + (say(" ({} sections in doubt)", "zh", doubted) if doubted else "")
        )  # fmt: skip
    said.append(say("This is a screening; the flood-impact evaluation by a qualified office "
                    "decides.", "zh"))  # fmt: skip
    return "".join(f"<p>{html_text(one)}</p>" for one in said)


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
