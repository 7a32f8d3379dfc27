"""Configuration of the site: ``sphinx-build -W -b html docs build/site``."""

import os
import re
import sys
import warnings
from importlib.metadata import version as installed_version
from pathlib import Path

import matplotlib as mpl
from sphinx_gallery.sorting import FileNameSortKey

sys.path.insert(0, str(Path(__file__).parent))
import drawing

drawing.write(Path(__file__).parent / "generated")
mpl.use("agg")
warnings.filterwarnings("ignore", message=".*non-interactive.*")

project = "adaptnet"
author = "the adaptnet authors"
project_copyright = "2026, the adaptnet authors"
release = version = installed_version("adaptnet")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["examples/*", "img/*"]
myst_enable_extensions = ["colon_fence", "deflist", "attrs_block"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]

autosummary_generate = False
autodoc_typehints = "none"  # numpydoc says them in words
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
numpydoc_validation_checks: set[str] = set()

# Examples in the order of a first reading; those without a place here follow by name.
READ_FIRST = ["switching", "recording", "environment", "convergence", "survival", "sweep", "theory"]


class ReadingOrder(FileNameSortKey):
    """Order of the examples in the gallery."""

    def __call__(self, filename):
        """Return what an example is sorted by."""
        name = filename.removeprefix("plot_").removesuffix(".py")
        place = READ_FIRST.index(name) if name in READ_FIRST else len(READ_FIRST)
        return f"{place:03d} {name}"


sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r".*\.py",
    "within_subsection_order": ReadingOrder,
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "plot_gallery": os.environ.get("ADAPTNET_GALLERY", "1") == "1",
    "reset_modules": ("matplotlib",),
    "min_reported_time": 60,
}

html_theme = "pydata_sphinx_theme"
html_title = "adaptnet"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "header_links_before_dropdown": 4,
    "show_toc_level": 2,
}
# Pages of the guide have no pages below them to navigate to.
html_sidebars: dict[str, list[str]] = {page.stem: [] for page in Path(__file__).parent.glob("*.md")}
html_show_sourcelink = False
templates_path: list[str] = []


def _as_text(app, what, name, obj, options, lines):
    """Keep bars and stars of formulas from being read as markup."""
    for number, line in enumerate(lines):
        parts = line.split("``")
        parts[::2] = [
            re.sub(r"(?<![\\`:])\|", r"\\|", re.sub(r"(?<= )\*(?= )", r"\\*", part))
            for part in parts[::2]
        ]
        lines[number] = "``".join(parts)


def setup(app):
    """Connect what Sphinx calls."""
    app.connect("autodoc-process-docstring", _as_text, priority=900)
