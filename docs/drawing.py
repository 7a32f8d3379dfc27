"""The landing page's drawing of the two circuits, written as SVG for light and dark pages."""

from pathlib import Path

LIGHT = {"ink": "#222222", "direct": "#D55E00", "interneuron": "#0072B2", "paper": "#FFFFFF"}
DARK = {"ink": "#E6E6E6", "direct": "#FF9A4D", "interneuron": "#66B8EE", "paper": "#121417"}

_XS = (60, 130, 200)  # of the primary neurons of a panel
_Y, _Y_INTER = 100, 205


def _neuron(x: float, y: float, name: str, stroke: str, colours: dict[str, str]) -> str:
    return (
        f'<circle cx="{x}" cy="{y}" r="17" fill="{colours["paper"]}" stroke="{stroke}" '
        f'stroke-width="2.5"/><text x="{x}" y="{y + 5}" text-anchor="middle" '
        f'fill="{colours["ink"]}" font-style="italic">{name}</text>'
    )


def _line(start: tuple[float, float], end: tuple[float, float], stroke: str, head: str) -> str:
    (x1, y1), (x2, y2) = start, end
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}" stroke-width="1.8" '
        f'marker-end="url(#{head})"/>'
    )


def _arc(x1: float, x2: float, stroke: str) -> str:
    """Return a connection between two primary neurons, below them."""
    depth = 25 + 0.35 * abs(x2 - x1)
    return (
        f'<path d="M {x1} {_Y + 17} Q {(x1 + x2) / 2} {_Y + 17 + 1.6 * depth} {x2} {_Y + 20}" '
        f'fill="none" stroke="{stroke}" stroke-width="1.8" marker-end="url(#bar-{stroke[1:]})"/>'
    )


def _both(primary: float, x: float, stroke: str) -> str:
    """Return a connection that excites an interneuron and is answered by inhibition."""
    shift = 0.1 * (x - primary)  # lines leave neurons side by side
    return (
        f'<line x1="{primary + shift}" y1="{_Y + 22}" x2="{x - shift}" y2="{_Y_INTER - 24}" '
        f'stroke="{stroke}" stroke-width="1.8" marker-start="url(#bar-{stroke[1:]})" '
        f'marker-end="url(#arrow-i)"/>'
    )


def _primary(colours: dict[str, str], stroke: str) -> list[str]:
    """Return inputs and primary neurons."""
    parts = []
    for number, x in enumerate(_XS, start=1):
        parts.append(
            f'<text x="{x}" y="40" text-anchor="middle" fill="{colours["ink"]}" '
            f'font-style="italic">x<tspan dy="4" font-size="11">{number}</tspan></text>'
        )
        parts.append(_line((x, 50), (x, _Y - 22), colours["ink"], "arrow"))
        parts.append(_neuron(x, _Y, "y", stroke, colours))
    return parts


def circuits(colours: dict[str, str]) -> str:
    """Return the drawing: direct connections on the left, interneurons on the right."""
    direct, inter = colours["direct"], colours["interneuron"]
    left = _primary(colours, direct)
    left += [_arc(a, b, direct) for a, b in ((60, 126), (134, 200), (200, 64))]
    right = _primary(colours, inter)
    for x in _XS:  # as many interneurons as primary neurons, the least there may be
        right += [_both(primary, x, inter) for primary in _XS]
    right += [_neuron(x, _Y_INTER, "z", inter, colours) for x in _XS]
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 235" '
            'font-family="sans-serif" font-size="15" role="img" '
            'aria-label="Two circuits: direct connections, and interneurons">',
            "<defs>",
            *(_marker(name, colour) for name, colour in _markers(colours).items()),
            "</defs>",
            f'<text x="130" y="16" text-anchor="middle" fill="{direct}">direct connections</text>',
            *left,
            '<g transform="translate(300 0)">',
            f'<text x="130" y="16" text-anchor="middle" fill="{inter}">interneurons</text>',
            *right,
            "</g>",
            "</svg>",
        ]
    )


def _markers(colours: dict[str, str]) -> dict[str, str]:
    ends = {"arrow": colours["ink"], "arrow-i": colours["interneuron"]}
    for name in ("direct", "interneuron"):
        ends[f"bar-{colours[name][1:]}"] = colours[name]
    return ends


def _marker(name: str, colour: str) -> str:
    """Return the end of a connection: an arrow excites, a bar inhibits."""
    shape = (
        f'<rect x="4" y="0" width="2.4" height="10" fill="{colour}"/>'
        if name.startswith("bar")
        else f'<path d="M 0 1 L 8 5 L 0 9 z" fill="{colour}"/>'
    )
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="6" refY="5" markerWidth="6" '
        f'markerHeight="6" orient="auto-start-reverse">{shape}</marker>'
    )


def write(folder: Path) -> None:
    """Write ``circuits-light.svg`` and ``circuits-dark.svg``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, colours in (("light", LIGHT), ("dark", DARK)):
        (folder / f"circuits-{name}.svg").write_text(circuits(colours), encoding="utf-8")
