"""A run on one page: pictures, tables, warnings, parameters, provenance; opens offline."""

from adaptnet.reports.findings import drift_sentences, run_warnings
from adaptnet.reports.html import samples_text
from adaptnet.reports.page import report

__all__ = ["drift_sentences", "report", "run_warnings", "samples_text"]
