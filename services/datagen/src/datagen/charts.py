"""Small charts as inline SVG, pure: no script, no size of their own, readable without colour.

They are as wide as their place: horizontal positions are percentages, vertical ones pixels, so
that neither text nor strokes shrink on a phone. Who is who is told by shape and by colour (CSS
classes `c0`, `c1`, ...), so that they also work in print and for those who see few colours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

ROW = 17
EDGE = 8
# One shape for each contestant: ring, square, disc, diamond, triangles; then they come again.
SHAPES = (
    "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
    "M-4.5 -4.5h9v9h-9z",
    "M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0z",
    "M0 -6.2L6.2 0L0 6.2L-6.2 0z",
    "M0 -5.5L5.8 4.5H-5.8z",
    "M0 5.5L5.8 -4.5H-5.8z",
)


@dataclass(frozen=True)
class Dot:
    """A figure with its interval.

    Attributes:
        kind: number of the contestant: its colour and shape.
        name: of the contestant, for those who cannot see the picture.
        value, low, high: from 0 to 1.
    """

    kind: int
    name: str
    value: float
    low: float
    high: float

    def words(self) -> str:
        """Return what the dot says."""
        return f"{self.name} {self.value:.0%} ({self.low:.0%} – {self.high:.0%})"


@dataclass(frozen=True)
class Line:
    """Dots that follow each other, such as the turns of a conversation."""

    dots: Sequence[Dot]


def dot_rows(dots: Sequence[Dot], *, floor: float = 0.0) -> Markup:
    """Return one line for each dot, with its interval.

    Args:
        dots: from top to bottom.
        floor: drawn as a dashed line where it is above 0: what chance would reach.
    """
    height = ROW * len(dots)
    parts = [grid(height)]
    if floor > 0:
        parts.append(
            Markup('<line class="floor" x1="{0}" x2="{0}" y1="0" y2="{1}"/>').format(
                place(floor), height
            )
        )
    for at, dot in enumerate(dots):
        parts.append(whiskers(dot, at * ROW + ROW / 2))
        parts.append(mark(dot.kind, place(dot.value), at * ROW + ROW / 2))
    return picture("dots", height, "; ".join(dot.words() for dot in dots), parts)


def axis() -> Markup:
    """Return the scale below rows of dots: 0 to 100 %."""
    ticks = [
        Markup('<text x="{}" y="12" text-anchor="{}">{}</text>').format(
            place(value), anchor, f"{value:.0%}"
        )
        for value, anchor in (
            (0, "start"),
            (0.25, "middle"),
            (0.5, "middle"),
            (0.75, "middle"),
            (1, "end"),
        )
    ]
    return Markup('<svg class="axis" width="100%" height="16" aria-hidden="true">{}</svg>').format(
        Markup("").join(ticks)
    )


def line_chart(lines: Sequence[Line], *, height: int = 170) -> Markup:
    """Return lines over equal steps, each dot with its interval; steps count from 1."""
    steps = max((len(line.dots) for line in lines), default=0)
    if steps == 0:
        return Markup("")
    parts = [levels(height)]
    for number, line in enumerate(lines):
        # Beside each other, so that intervals at the same turn do not hide each other.
        shift = (number - (len(lines) - 1) / 2) * 2.2
        places = [along(at, steps) + shift for at in range(len(line.dots))]
        heights = [high_up(dot.value, height) for dot in line.dots]
        for at in range(1, len(places)):
            parts.append(segment(line.dots[at].kind, places, heights, at))
        for dot, x, y in zip(line.dots, places, heights, strict=True):
            parts.append(upright(dot, x, height))
            parts.append(mark(dot.kind, f"{x:.2f}%", y))
    for at in range(steps):
        parts.append(
            Markup('<text x="{:.2f}%" y="{}" text-anchor="middle">{}</text>').format(
                along(at, steps), height + 16, at + 1
            )
        )
    told = "; ".join(
        f"{line.dots[0].name}: " + ", ".join(f"{dot.value:.0%}" for dot in line.dots)
        for line in lines
        if line.dots
    )
    return picture("lines", height + 20, told, parts)


def key_mark(kind: int) -> Markup:
    """Return the mark of a contestant, for a legend."""
    return Markup('<svg class="keymark" width="14" height="14" aria-hidden="true">{}</svg>').format(
        mark(kind, "7", 7)
    )


def picture(kind: str, height: float, words: str, parts: Sequence[Markup]) -> Markup:
    """Return the SVG element, with its text alternative."""
    return Markup(
        '<svg class="{}" width="100%" height="{}" role="img" aria-label="{}">{}</svg>'
    ).format(kind, height, escape(words), Markup("").join(parts))


def mark(kind: int, x: str, y: float) -> Markup:
    """Return the mark of a contestant at a place."""
    return Markup(
        '<svg x="{}" y="{}" overflow="visible"><path class="mark c{}" d="{}"/></svg>'
    ).format(x, f"{y:g}", kind % len(SHAPES), SHAPES[kind % len(SHAPES)])


def whiskers(dot: Dot, y: float) -> Markup:
    """Return the interval of a dot as a line."""
    return Markup('<line class="whisker c{}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        dot.kind % len(SHAPES), place(dot.low), place(dot.high), f"{y:g}", f"{y:g}"
    )


def upright(dot: Dot, x: float, height: int) -> Markup:
    """Return the interval of a dot as an upright line."""
    return Markup('<line class="whisker c{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
        dot.kind % len(SHAPES),
        f"{x:.2f}%",
        f"{x:.2f}%",
        high_up(dot.low, height),
        high_up(dot.high, height),
    )


def segment(kind: int, places: Sequence[float], heights: Sequence[float], at: int) -> Markup:
    """Return the line from the dot before to the dot `at`."""
    return Markup(
        '<line class="stroke c{}" x1="{:.2f}%" x2="{:.2f}%" y1="{:.1f}" y2="{:.1f}"/>'
    ).format(kind % len(SHAPES), places[at - 1], places[at], heights[at - 1], heights[at])


def grid(height: float) -> Markup:
    """Return the upright lines at each quarter."""
    return Markup("").join(
        Markup('<line class="grid" x1="{0}" x2="{0}" y1="0" y2="{1}"/>').format(
            place(at / 4), height
        )
        for at in range(5)
    )


def levels(height: int) -> Markup:
    """Return the lines at each quarter with their figures."""
    parts = []
    for at in range(5):
        y = high_up(at / 4, height)
        parts.append(
            Markup('<line class="grid" x1="44" x2="100%" y1="{0:.1f}" y2="{0:.1f}"/>').format(y)
        )
        parts.append(
            Markup('<text x="36" y="{:.1f}" text-anchor="end">{}</text>').format(
                y + 4, f"{at / 4:.0%}"
            )
        )
    return Markup("").join(parts)


def place(value: float) -> str:
    """Return where a share stands from left to right; a mark at 0 or 1 stays whole."""
    return f"{2 + 96 * min(1.0, max(0.0, value)):.2f}%"


def along(at: int, steps: int) -> float:
    """Return where a step stands, in percent of the width."""
    return 14 + (80 * (at + 0.5) / steps if steps > 1 else 40)


def high_up(value: float, height: int) -> float:
    """Return how far below the top a share stands, in pixels."""
    return EDGE + (height - 2 * EDGE) * (1 - min(1.0, max(0.0, value)))
