"""A run on one page: pictures, tables, warnings, parameters, provenance; opens offline."""

from adaptnet.report.findings import run_warnings
from adaptnet.report.html import samples_text
from adaptnet.report.page import report

__all__ = ["report", "run_warnings", "samples_text"]
