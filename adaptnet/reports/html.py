"""The pieces of the page: its frame, tables, pictures, and numbers as text."""

import base64
import io
import json
import math
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from adaptnet._words import thousands
from adaptnet.plotting.figures import close

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 66rem;
       margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; }} h2 {{ font-size: 1.15rem; margin-top: 2.2rem; }}
table {{ border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }}
.wide {{ overflow-x: auto; }}
th, td {{ padding: .25rem .7rem; text-align: left; vertical-align: top; white-space: nowrap;
         border-bottom: 1px solid #ddd; }}
th {{ border-bottom: 1px solid #777; white-space: normal; }}
td:first-child, .words td:last-child {{ white-space: normal; overflow-wrap: anywhere; }}
td:first-child {{ min-width: 9rem; }}
.words td:first-child {{ white-space: nowrap; }}
figure {{ margin: 1rem 0; }} img {{ max-width: 100%; height: auto; }}
figcaption, .note {{ color: #555; font-size: .88rem; max-width: 52rem; }}
.warning {{ border-left: 4px solid #D55E00; background: #fdf1ea; padding: .4rem .8rem;
           margin: .4rem 0; }}
@media print {{
  body {{ font-size: 9.5pt; margin: 0; max-width: none; padding: 0; }}
  h2 {{ break-after: avoid; }} figure, tr, .warning {{ break-inside: avoid; }}
  .wide {{ overflow-x: visible; }} th, td {{ white-space: normal; padding: .15rem .4rem; }}
}}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def samples_text(number: float) -> str:
    """Return a number of samples, or that it was not reached (infinite) or is not there (NaN).

    Examples
    --------
    >>> samples_text(120.0), samples_text(math.inf), samples_text(math.nan)
    ('120', 'not reached', 'no time')
    """
    if math.isfinite(number):
        return f"{number:.0f}"
    return "no time" if math.isnan(number) else "not reached"


def grouped(number: float) -> str:
    """Return a number of samples with its thousands apart, or why it is missing."""
    return thousands(number) if math.isfinite(number) else samples_text(number)


def counted(number: int, noun: str) -> str:
    """Return a number of things.

    Examples
    --------
    >>> counted(1, "change"), counted(2, "change")
    ('1 change', '2 changes')
    """
    return f"{thousands(number)} {noun}" + ("" if number == 1 else "s")


def short(number: float) -> str:
    """Return three digits of a number, without an exponent unless that is shorter.

    Examples
    --------
    >>> short(0.02721), short(36212.3)[-3:], short(2.1e-7)
    ('0.0272', '212', '2.1e-07')
    """
    return grouped(number) if 1000 <= abs(number) < 1e9 else f"{number:.3g}"


def named(label: str) -> str:
    """Return a transition or the name of a context as a reader would write it."""
    return label.replace(" -> ", " \N{RIGHTWARDS ARROW} ").replace("_", " ")


def value_text(value: Any, length: int = 200) -> str:
    """Return a parameter in a line: of long arrays the shape, of mappings their entries.

    Examples
    --------
    >>> value_text({"kind": "Blocks", "order": [0, 1]})
    'kind Blocks, order [0, 1]'
    >>> value_text([[0.5] * 20] * 20)
    '20 x 20 numbers'
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return ", ".join(f"{key} {value_text(entry)}" for key, entry in value.items())
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        return "; ".join(map(value_text, value))
    text = json.dumps(value)
    if len(text) <= length:
        return text
    try:
        return " x ".join(map(str, np.array(value, dtype=np.float64).shape)) + " numbers"
    except (TypeError, ValueError):  # ragged, or not numbers
        return text[: length - 3] + "..."


def table(header: list[str], rows: list[list[str]], kind: str = "") -> str:
    """Return a table; the last column of ``kind="words"`` breaks its lines."""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    lines = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    body = f"<thead><tr>{head}</tr></thead>\n<tbody>{lines}</tbody>"
    return f'<div class="wide"><table class="{kind}">{body}</table></div>'


def picture(figure: "Figure | SubFigure", caption: str) -> str:
    """Return a figure inside the page, with its caption."""
    whole = figure.figure
    buffer = io.BytesIO()
    whole.savefig(buffer, format="png", dpi=200)
    close(whole)
    data = base64.b64encode(buffer.getvalue()).decode()
    # On a screen letters of a paper are as large as those of the page.
    width = round(min(980.0, whole.get_size_inches()[0] * 140))
    text = escape(caption)
    return (
        f'<figure><img alt="{text}" width="{width}" src="data:image/png;base64,{data}">'
        f"<figcaption>{text}</figcaption></figure>"
    )
