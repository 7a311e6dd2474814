"""Figures with their intervals as inline SVG, and in words for who cannot see it (pure).

A contestant has the same shape and colour everywhere, so that colour is never the only sign.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

# Circle, square, hollow-looking ring, diamond, triangles: around (0, 0).
SHAPES = (
    "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
    "M-4.2 -4.2h8.4v8.4h-8.4z",
    "M0 -6.4L6.4 0L0 6.4L-6.4 0z",
    "M-5.4 4.4L0 -5.6L5.4 4.4z",
    "M-5.4 -4.4L0 5.6L5.4 -4.4z",
    "M-5.5 -2h3.5v-3.5h4v3.5h3.5v4h-3.5v3.5h-4v-3.5h-3.5z",
)
ROW = 18
HEIGHT = 150
# Room for a mark that stands at the very end.
EDGE = 2.0


@dataclass(frozen=True)
class Dot:
    """A figure with its interval.

    Attributes:
        kind: number of its mark.
        name: whose it is.
        value, low, high: what it is.
        said: the same in words.
    """

    kind: int
    name: str
    value: float
    low: float
    high: float
    said: str


@dataclass(frozen=True)
class Scale:
    """What a picture reaches from left to right, or from bottom to top."""

    low: float = 0.0
    high: float = 1.0

    def along(self, value: float) -> float:
        """Return where a value stands, in percent of the width."""
        room = (self.high - self.low) or 1.0
        share = min(1.0, max(0.0, (value - self.low) / room))
        return EDGE + (100 - 2 * EDGE) * share

    def up(self, value: float, height: float) -> float:
        """Return how far from the top a value stands, in pixels."""
        return 8 + (height - 16) * (1 - (self.along(value) - EDGE) / (100 - 2 * EDGE))


SHARES = Scale()


def interval_rows(dots: Sequence[Dot], scale: Scale = SHARES, line: float | None = None) -> str:
    """Return one line for each dot with its interval; `line` is drawn dashed across them."""
    height = ROW * len(dots)
    parts = [upright("ts-p-grid", scale.along(at), height) for at in quarters(scale)]
    if line is not None:
        parts.append(upright("ts-p-dashed", scale.along(line), height))
    for at, dot in enumerate(dots):
        y = at * ROW + ROW / 2
        parts.append(
            f'<line class="ts-p-whisker ts-c{dot.kind}" x1="{scale.along(dot.low):.2f}%" '
            f'x2="{scale.along(dot.high):.2f}%" y1="{y:g}" y2="{y:g}"/>'
        )
        parts.append(mark_at(dot.kind, f"{scale.along(dot.value):.2f}%", y))
    return picture(height, "; ".join(f"{dot.name} {dot.said}" for dot in dots), parts)


def turns_chart(lines: Sequence[Sequence[Dot]]) -> str:
    """Return lines over the turns 1, 2, … of a conversation, each dot with its interval."""
    steps = max((len(line) for line in lines), default=0)
    if not steps:
        return ""
    parts = [level(at / 4) for at in range(5)]
    for number, line in enumerate(lines):
        shift = (number - (len(lines) - 1) / 2) * 1.8  # beside each other, so that all are seen
        places = [step_at(at, steps) + shift for at in range(len(line))]
        heights = [SHARES.up(dot.value, HEIGHT) for dot in line]
        parts += [stroke(line[at].kind, places, heights, at) for at in range(1, len(line))]
        parts += [standing(dot, x) for dot, x in zip(line, places, strict=True)]
        parts += [
            mark_at(dot.kind, f"{x:.2f}%", y)
            for dot, x, y in zip(line, places, heights, strict=True)
        ]
    parts += [
        f'<text x="{step_at(at, steps):.2f}%" y="{HEIGHT + 14}" text-anchor="middle">'
        f"{at + 1}</text>"
        for at in range(steps)
    ]
    told = "; ".join(
        f"{one[0].name}: " + ", ".join(dot.said for dot in one) for one in lines if one
    )
    return picture(HEIGHT + 20, told, parts)


def key_mark(kind: int) -> str:
    """Return the mark of a contestant, to stand before its name."""
    return (
        f'<svg class="ts-p-key" width="14" height="14" aria-hidden="true">{mark_at(kind, "7", 7)}'
        "</svg>"
    )


def picture(height: float, said: str, parts: Sequence[str]) -> str:
    """Return the SVG with its text alternative."""
    return (
        f'<svg class="ts-p-plot-svg" width="100%" height="{height:g}" role="img" '
        f'aria-label="{escape(said)}">{"".join(parts)}</svg>'
    )


def mark_at(kind: int, x: str, y: float) -> str:
    """Return a contestant's mark at a place."""
    return (
        f'<svg x="{x}" y="{y:g}" overflow="visible"><path class="ts-p-mark ts-c{kind}" '
        f'd="{SHAPES[kind % len(SHAPES)]}"/></svg>'
    )


def upright(name: str, x: float, height: float) -> str:
    """Return an upright line over the whole height."""
    return f'<line class="{name}" x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="{height:g}"/>'


def quarters(scale: Scale) -> list[float]:
    """Return the values at each quarter of a scale."""
    return [scale.low + (scale.high - scale.low) * at / 4 for at in range(5)]


def level(value: float) -> str:
    """Return the line at a share with its figure."""
    y = SHARES.up(value, HEIGHT)
    return (
        f'<line class="ts-p-grid" x1="46" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="40" y="{y + 4:.1f}" text-anchor="end">{value:.0%}</text>'
    )


def step_at(at: int, steps: int) -> float:
    """Return where a turn stands, in percent of the width; the figures have the left."""
    return 55.0 if steps == 1 else 18 + 74 * at / (steps - 1)


def stroke(kind: int, places: Sequence[float], heights: Sequence[float], at: int) -> str:
    """Return the line from the dot before to the dot `at`."""
    return (
        f'<line class="ts-p-stroke ts-c{kind}" x1="{places[at - 1]:.2f}%" x2="{places[at]:.2f}%" '
        f'y1="{heights[at - 1]:.1f}" y2="{heights[at]:.1f}"/>'
    )


def standing(dot: Dot, x: float) -> str:
    """Return the interval of a dot as an upright line."""
    top, bottom = SHARES.up(dot.high, HEIGHT), SHARES.up(dot.low, HEIGHT)
    return (
        f'<line class="ts-p-whisker ts-c{dot.kind}" x1="{x:.2f}%" x2="{x:.2f}%" '
        f'y1="{top:.1f}" y2="{bottom:.1f}"/>'
    )
