"""A chart of lines as one SVG file."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

import numpy as np

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 420, 60, 280, 34, 46
COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#8e5ea2", "#c77b0a", "#3aa6a0", "#6b6b6b", "#a0522d", "#4455cc", "#999900")
TICKS = 5


def line_chart(series: Mapping[str, Sequence[tuple[float, float]]], title: str, across: str, up: str) -> str:
    """An SVG document. series: name -> points (x, y), at least one in all; across, up: what x and y are."""
    points = np.array([point for line in series.values() for point in line], dtype=float)
    (low_x, low_y), (high_x, high_y) = points.min(axis=0), points.max(axis=0)
    low_x, span_x, span_y = min(low_x, 0.0), max(high_x - min(low_x, 0.0), 1e-9), max(high_y - low_y, 1e-9)

    def place(x: float, y: float) -> tuple[float, float]:
        right = LEFT + (x - low_x) / span_x * (WIDTH - LEFT - RIGHT)
        return round(right, 1), round(HEIGHT - BOTTOM - (y - low_y) / span_y * (HEIGHT - TOP - BOTTOM), 1)

    parts = [_text(LEFT, 20, title, "start", 14), _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, across)]
    parts.append(_text(LEFT - 50, TOP - 4, up, "start"))
    for share in np.linspace(0, 1, TICKS):
        x, y = place(low_x + share * span_x, low_y + share * span_y)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#ddd"/>')
        parts += [_text(x, HEIGHT - BOTTOM + 16, f"{low_x + share * span_x:.3g}")]
        parts += [_text(LEFT - 6, y + 4, f"{low_y + share * span_y:.3g}", "end")]
    for number, (name, line) in enumerate(series.items()):
        colour, places = COLOURS[number % len(COLOURS)], [place(*point) for point in line]
        drawn = " ".join(f"{x},{y}" for x, y in places)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places]
        parts.append(_text(WIDTH - RIGHT + 16, TOP + 18 * number + 10, name, "start", 12, colour))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', *parts, "</svg>"]) + "\n"


def _text(x: float, y: float, words: str, anchor: str = "middle", size: int = 11, colour: str = "#222") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(words)}</text>'
