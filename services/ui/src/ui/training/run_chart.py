"""A chart of lines by step as HTML and SVG: sharp at any width, in both themes, no script (pure).

Lines are told apart by their dashes as well as by their colours, which the style sheet knows
(`ts-line-<look>`). The lines stretch with the box; words and marks stand over them, unstretched.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 1000, 400
TICKS = 5
# Nice distances between two ticks, as a share of a power of ten.
STEPS = (1, 2, 2.5, 5, 10)
# The few first losses are so high that the rest would be a line along the ground.
HEADROOM = 1.06
MOST_OF_THE_POINTS, MANY = 0.98, 50

Point = tuple[int, float]


@dataclass(frozen=True)
class Line:
    """A line: its look (a class of the style sheet), its name, and its points by step."""

    look: str
    name: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Mark:
    """A step that matters: how it looks (best, stop, flat), and what it says."""

    look: str
    name: str
    step: int


@dataclass(frozen=True)
class Frame:
    """The ranges that are drawn."""

    last: float
    low: float
    high: float

    def x(self, step: float) -> float:
        """Return the place of a step, 0 to 1."""
        return min(max(step / self.last, 0.0), 1.0)

    def y(self, value: float) -> float:
        """Return the place of a value, 0 (top) to 1; a loss beyond the range lies on its edge."""
        return min(max((self.high - value) / (self.high - self.low), 0.0), 1.0)


def chart_html(lines: Sequence[Line], marks: Sequence[Mark], last: int, axis: str) -> str:
    """Return a chart with its legend; nothing where no line has a point.

    Args:
        lines: what is drawn.
        marks: steps that are marked.
        last: step at which the axis ends; 0: at the last point.
        axis: what the steps are called.
    """
    drawn = [line for line in lines if line.points]
    if not drawn:
        return ""
    frame = frame_of(drawn, last)
    paths = "".join(path(line, frame) for line in drawn)
    grid = "".join(gridline(frame.y(tick)) for tick in ticks(frame.low, frame.high))
    return (
        f'<figure class="ts-chart">{legend(drawn, marks)}<div class="ts-chart-box">'
        f'<div class="ts-chart-area"><svg viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' preserveAspectRatio="none" aria-hidden="true">{grid}{paths}</svg>'
        f"{''.join(mark_html(mark, frame) for mark in marks)}{scale(frame)}</div></div>"
        f'<figcaption class="ts-faint">{escape(axis)}</figcaption></figure>'
    )


def frame_of(lines: Sequence[Line], last: int) -> Frame:
    """Return the ranges that show the lines, but for a few spikes."""
    heights = sorted(value for line in lines for _, value in line.points)
    share = MOST_OF_THE_POINTS if len(heights) >= MANY else 1.0
    high = heights[int((len(heights) - 1) * share)]
    low, high = min(0.0, heights[0]), max(high * HEADROOM, heights[0] + 1e-6, 1e-6)
    end = max(last, *(line.points[-1][0] for line in lines), 1)
    return Frame(float(end), low, high)


def ticks(low: float, high: float) -> list[float]:
    """Return round numbers from `low` to `high`, about five."""
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in STEPS if each * power >= rough * 0.999)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def path(line: Line, frame: Frame) -> str:
    """Return a line as SVG."""
    places = (
        f"{frame.x(step) * WIDTH:.1f} {frame.y(value) * HEIGHT:.1f}" for step, value in line.points
    )
    # One point is a line of no length, which round ends make visible.
    drawn = "M" + " L".join(places) + ("h0" if len(line.points) == 1 else "")
    return f'<path class="ts-line ts-line-{escape(line.look)}" d="{drawn}"/>'


def gridline(place: float) -> str:
    """Return a line across."""
    height = place * HEIGHT
    return f'<path class="ts-chart-grid" d="M0 {height:.1f} H{WIDTH}"/>'


def scale(frame: Frame) -> str:
    """Return the numbers along both axes."""
    up = "".join(
        f'<span class="ts-tick-y" style="top:{frame.y(tick):.2%}">{tick:.4g}</span>'
        for tick in ticks(frame.low, frame.high)
    )
    along = "".join(
        f'<span class="ts-tick-x" style="left:{frame.x(tick):.2%}">{tick:.6g}</span>'
        for tick in ticks(0, frame.last)
    )
    return up + along


def mark_html(mark: Mark, frame: Frame) -> str:
    """Return a line at a step, with its sign on top; the legend says what it is."""
    return (
        f'<span class="ts-step ts-step-{escape(mark.look)}" style="left:{frame.x(mark.step):.2%}"'
        f' title="{escape(mark.name)}"></span>'
    )


def legend(lines: Sequence[Line], marks: Sequence[Mark]) -> str:
    """Return what each line and each mark is."""
    keys = "".join(
        f'<li><svg class="ts-chart-key" viewBox="0 0 30 8" aria-hidden="true">'
        f'<path class="ts-line ts-line-{escape(line.look)}" d="M1 4 H29"/></svg>'
        f"{escape(line.name)}</li>"
        for line in lines
    )
    signs = "".join(
        f'<li><i class="ts-sign ts-step-{escape(mark.look)}"></i>{escape(mark.name)}</li>'
        for mark in marks
    )
    return f'<ul class="ts-chart-keys">{keys}{signs}</ul>'
