"""How the documentation is built: ``uv run --group docs sphinx-build -W -b html docs build/docs``.

Pages that repeat what the code knows are written from the code while building: the doors of each
room, the nomenclature, and the rooms with their arrows. Notebooks are shown as they were last run.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pinghu_geo as pg

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import pages  # noqa: E402  beside this file

project = "pinghu_geo"
author = "The pinghu_geo developers"
copyright = author  # noqa: A001  Sphinx's own name
release = pg.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
# what the theme would fetch from elsewhere is left out: the pages are read without a network
html_theme = "pydata_sphinx_theme"
html_title = "pinghu_geo"
html_theme_options = {
    "navbar_align": "left",
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_show_sourcelink = False
templates_path: list[str] = []


def setup(app):
    """Write the pages that the code knows, and bring the notebooks here."""
    made = HERE / "_made"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    for notebook in sorted((HERE.parent / "notebooks").glob("*.ipynb")):
        shutil.copy(notebook, made / notebook.name)
    pages.write(made)
