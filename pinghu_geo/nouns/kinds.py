"""Which kinds of table are there? All nouns by name."""

from __future__ import annotations

from collections.abc import Mapping

from pinghu_geo.nouns.clearance import CLEARANCE
from pinghu_geo.nouns.columns import Noun
from pinghu_geo.nouns.land import LAND
from pinghu_geo.nouns.water import WATER

NOUNS: Mapping[str, Noun] = {one.name: one for one in (*LAND, *WATER, *CLEARANCE)}
