"""What sections does a HEC-RAS file of spatial data hold? Surface lines, about their stream."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pinghu_geo.nouns.errors import LayerError

__all__ = ["sections_of_sdf"]

FOOT_M = 0.3048
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def sections_of_sdf(lines: Sequence[str], rivers: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Sections of a HEC-RAS import or export file, about the stream's centreline."""
    foot = (
        FOOT_M if any(re.match(r"UNITS:\s*(US|ENGLISH)", li, re.IGNORECASE) for li in lines) else 1
    )
    centre = {r["STREAM ID"]: r["CENTERLINE"] for r in _records_of_kind(lines, "REACH:")}
    parts = []
    for k, record in enumerate(_records_of_kind(lines, "CROSS-SECTION:"), 1):
        surface = record.get("SURFACE LINE", [])
        if len(surface) < 2 or any(len(p) < 3 for p in surface):
            raise LayerError(
                "has sections without a surface line of x, y, z", layer="sections",
                ids=[record.get("STATION", str(k))], hint="export them with elevations",
            )  # fmt: skip
        station = str(record.get("STATION", "")).rstrip("*").strip()
        if not NUMBER.fullmatch(station):
            raise LayerError(
                "has sections whose station is no number (by their order)", layer="sections",
                ids=[k], hint="a section's STATION is its place along the reach",
            )  # fmt: skip
        xyz = np.array([p[:3] for p in surface])
        along = np.append(0, np.cumsum(np.hypot(*np.diff(xyz[:, :2], axis=0).T)))
        name = record.get("STREAM ID", "")
        zero = _offset_of_stream(xyz, along, record, _centreline_of_stream(name, centre, rivers))
        part = pd.DataFrame(
            {
                "river": name,
                "chainage_m": float(station) * foot,
                "offset_m": (along - zero) * foot,
                "elevation_m": xyz[:, 2] * foot,
            }
        )
        rough = record.get("N VALUES", [])
        if rough:
            share, n = np.array([r[:2] for r in rough]).T
            at = np.searchsorted(share, along / along[-1] + 1e-9, side="right") - 1
            part["n"] = n[np.clip(at, 0, None)]
        parts.append(part)
    if not parts:
        raise LayerError("has no sections", layer="sections", hint="export the cut lines too")
    found = pd.concat(parts, ignore_index=True)
    return found.rename_axis("row")


def _records_of_kind(lines: Sequence[str], begin: str) -> list[dict[str, Any]]:
    """Records of one kind: texts by their key, and lists of numbers below a key without a text."""
    found: list[dict[str, Any]] = []
    record: dict[str, Any] | None = None
    key = ""
    for line in lines:
        if line.upper() == begin:
            record, key = {}, ""
        elif record is None:
            continue
        elif line.upper() == "END:":
            found.append(record)
            record = None
        elif ":" in line:
            key, _, text = (p.strip() for p in line.partition(":"))
            key = key.upper()
            record[key] = text or []
        elif isinstance(record.get(key), list):
            values = [v.strip() for v in line.split(",") if v.strip()]
            record[key].append([float(v) for v in values if NUMBER.fullmatch(v)])
    return found


def _centreline_of_stream(
    name: str, centre: dict[str, Any], rivers: gpd.GeoDataFrame | None
) -> Any:
    if rivers is not None and name in rivers.index:
        return rivers.geometry.loc[name]
    points = centre.get(name) or []
    return shapely.linestrings([p[:2] for p in points]) if len(points) > 1 else None


def _offset_of_stream(xyz: Any, along: Any, record: dict[str, Any], centre: Any) -> float:
    """Where along a section its stream runs: the centreline, else midway between the banks."""
    if centre is not None:
        line = shapely.linestrings(xyz[:, :2])
        meets = shapely.intersection(line, centre)
        if not shapely.is_empty(meets):
            return float(shapely.line_locate_point(line, shapely.centroid(meets)))
    text = str(record.get("BANK POSITIONS", ""))
    banks = [float(b) for b in NUMBER.findall(text)]
    return float(np.mean(banks[:2]) * along[-1]) if len(banks) >= 2 else 0.0
