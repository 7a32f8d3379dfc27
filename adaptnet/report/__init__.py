"""A run on one page: pictures, tables, warnings, parameters, provenance; opens offline."""

from adaptnet.report.findings import drift_sentences, run_warnings
from adaptnet.report.html import samples_text
from adaptnet.report.page import report

__all__ = ["drift_sentences", "report", "run_warnings", "samples_text"]
