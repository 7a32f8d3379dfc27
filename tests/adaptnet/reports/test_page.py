"""The page as a whole."""

import re
import warnings
from html.parser import HTMLParser

import numpy as np
import pytest

import adaptnet as an
from adaptnet.files.results import results
from tests.adaptnet.synthetic import run_of

# Small runs are noisy; their thresholds are chosen for what is drawn.
pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.cells = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "td":
            self.cells.append(data)


def test_the_report_is_whole_and_self_contained(pictured_run):
    page = Page(an.report(pictured_run, 0.5))
    assert not page.open
    assert page.sources
    assert all(source.startswith("data:") for source in page.sources)
    assert "not reached" in page.cells
    assert not any(re.search(r"\bnan\b", cell, re.IGNORECASE) for cell in page.cells)


def test_the_report_tells_once_of_thresholds_below_what_theory_says(pictured_run, without_pictures):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # none beside the page
        text = an.report(pictured_run, 0.001)
    assert text.count("The threshold 0.001 lies below the noise floor of &#x27;direct&#x27;") == 1


def test_reports_escape_what_users_name(without_pictures):
    run = run_of(np.ones((1, 1, 9)), [4], names=("<b>", "&"))
    text = an.report(run)
    assert "<b> →" not in text
    assert "&lt;b&gt; → &amp;" in text


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (run_of(np.ones((2, 3, 9)), np.empty(0, np.int64)), "no change of context"),
        (run_of(np.ones((2, 3, 9)), [4]).drop_vars("whitening_error"), "has no whitening_error"),
        (run_of(np.ones((2, 1, 9)), [4]), "a single replicate"),
        (run_of(np.ones((2, 3, 9)), [[4, 6], [3, -1], [5, 7]]), "100% of times are censored"),
    ],
)
def test_reports_of_poor_runs_say_what_is_missing(run, words, without_pictures):
    assert words in an.report(run)


RUN = run_of(np.ones((2, 3, 9)), [4])
REACHED = run_of(np.where(np.arange(9) < 5, 1, 0.01) * np.ones((2, 3, 1)), [4])
COARSE = run_of(np.where(np.arange(9) < 5, 1, 0.01) * np.ones((2, 3, 1)), [40], every=10)
BELOW = run_of(np.full((2, 3, 9), 0.01), [4])
DIVERGED = run_of(
    np.where(np.arange(9) < 7, 1, np.nan) * np.ones((2, 3, 1)), [4], diverged=np.full((2, 3), 7)
)
MANY = run_of(np.ones((2, 3, 200)), np.arange(3, 199, 4))
TWO_CHANGES = run_of(np.ones((2, 3, 9)), [2, 4])
OWN_PATHS = run_of(np.ones((2, 3, 9)), [[4, 6], [3, -1], [5, 7]])


@pytest.mark.parametrize(
    ("words", "true", "false"),
    [
        ("quartiles as a band", RUN, RUN.isel(replicate=[0])),
        ("of a single replicate", RUN.isel(replicate=[0]), RUN),
        ("with 95 % bands", RUN, RUN.isel(replicate=[0])),
        ("First circuit by second, with 95 % intervals", RUN, RUN.isel(replicate=[0])),
        ("Circuits compared", RUN, RUN.isel(circuit=[0])),
        ("dotted lines are changes", RUN, OWN_PATHS),
        ("shaded while they take place", RUN.assign(change_end=("change", [6])), RUN),
        ("count from the beginning", RUN.assign(change_end=("change", [6])), RUN),
        ("bars mark censored times", RUN, REACHED),
        ("crosses mark circuits that diverged", DIVERGED, RUN),
        ("circuits that diverged as never readapted", DIVERGED, RUN),
        (", 100% diverged", DIVERGED, RUN),
        ("<td>no times</td>", BELOW, RUN),
        ("<td>not reached</td>", RUN, REACHED),
        ("passed the threshold up to 10 samples earlier", COARSE, REACHED),
        ("Lines pool the changes of a transition", MANY, TWO_CHANGES),
        ("1 change of context, the same in all replicates", RUN, TWO_CHANGES),
        ("up to 2 changes of context", OWN_PATHS, RUN),
    ],
)  # fmt: skip
def test_captions_and_notes_are_printed_if_they_are_true(words, true, false, without_pictures):
    assert words in an.report(true)
    assert words not in an.report(false)


def test_tables_of_results_are_reported(without_pictures):
    dims = {"scale": ([0.1, 1.0], "scale of the initial weights")}
    times = {"time": (("scale",), [0.7, np.nan], "synaptic time until <converged>")}
    text = an.report(results("Convergence", dims, times, {}), figures=[(None, "a map")])
    assert Page(text).cells == [
        "time", "2 scale", "0.7 to 0.7", "1 of 2", "synaptic time until <converged>"
    ]  # fmt: skip
    assert "Convergence: 2 scales." in text
    assert "a map" in text


@pytest.mark.parametrize("run", [BELOW, DIVERGED, MANY, OWN_PATHS, COARSE])
def test_no_number_of_a_report_is_missing_without_a_word(run, without_pictures):
    cells = Page(an.report(run)).cells
    assert not any(re.search(r"\b(nan|inf)\b", cell, re.IGNORECASE) for cell in cells)
    assert sum(cell.startswith("a \N{RIGHTWARDS ARROW} b") for cell in cells) <= 30


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (DIVERGED, "not known (diverged)"),
        (run_of(np.ones((1, 3, 7)), [4]), "not known (too few records)"),
        (BELOW, "no jump"),
    ],
)
def test_tables_say_why_a_number_is_missing(run, words, without_pictures):
    cells = Page(an.report(run)).cells
    assert words in cells
    assert len({"not known (diverged)", "not known (too few records)"} & set(cells)) <= 1
