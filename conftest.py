"""What the doctests of the package and of the README find in their namespace."""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import pinghu_geo as pg


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace, tmp_path):
    doctest_namespace |= {
        "pg": pg,
        "gpd": gpd,
        "pd": pd,
        "np": np,
        "shapely": shapely,
        "warnings": warnings,
        "sample": pg.sample_folder(),
        "folder": tmp_path,
        "parse_chainage": pg.parse_chainage,
        "format_chainage": pg.format_chainage,
    }
