"""The page of an evaluation: one self-contained HTML file, Chinese and English, no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.evaluation import EvaluationReport, Interval, Reply
from contracts.style import Style
from datagen.classifier import PLAIN
from datagen.verdict import BASE, TUNED

TEMPLATES = Path(__file__).parent / "templates"
DEFECTS = ("empty", "broken", "unfinished", "echo", "repetition")
# So that the page stays readable: two samples of each style, or one where there are many styles.
SAMPLES_SHOWN = 14
FAILURES_SHOWN = 12
# A thin space between figure and sign, as print does.
PERCENT = "\u202f%"


@dataclass(frozen=True)
class Pair:
    """Both contestants' replies to one question."""

    base: Reply
    tuned: Reply


@dataclass(frozen=True)
class Label:
    """A style's names on the page."""

    zh: str
    en: str


# The names are those of `ModelManifest.metrics`.
FIGURES = {
    "eval_loss": Label(
        "留出对话的损失（每个回复 token）", "Loss on held-out chats, per reply token"
    ),
    "perplexity": Label("困惑度", "Perplexity"),
    "bleu_4": Label("BLEU-4（0–100）", "BLEU-4 (0–100)"),
    "rouge_1": Label("ROUGE-1（0–100）", "ROUGE-1 (0–100)"),
    "rouge_2": Label("ROUGE-2（0–100）", "ROUGE-2 (0–100)"),
    "rouge_l": Label("ROUGE-L（0–100）", "ROUGE-L (0–100)"),
    "measured_rows": Label("回答的留出行数", "Held-out rows answered"),
}


def render_report(report: EvaluationReport, replies: Sequence[Reply], styles: list[Style]) -> str:
    """Return the page. Every text that a model or a person wrote is escaped.

    Args:
        report: the figures.
        replies: the judged replies, a pair for each question.
        styles: the cards, for the names; a style without a card is shown by its id.
    """
    every = pairs_of(replies)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "points": points, "span": span}
    return environment.get_template("report.html.jinja").render(
        report=report,
        base=report.contestants[BASE],
        tuned=report.contestants[TUNED],
        labels=labels(report, styles),
        columns=columns(report),
        samples=samples(every),
        failures=failures(every)[:FAILURES_SHOWN],
        failed=len(failures(every)),
        defects=DEFECTS,
        figures=figures(report),
        chinese=mostly_chinese(styles),
    )


def percent(ratio: float | None) -> str:
    """Return a ratio as a whole percentage, `–` for None; only all is 100, only none is 0."""
    if ratio is None:
        return "–"
    whole = round(ratio * 100)
    if ratio < 1:
        whole = min(whole, 99)
    if ratio > 0:
        whole = max(whole, 1)
    return f"{whole}{PERCENT}"


def points(ratio: float) -> str:
    """Return a difference of ratios in percentage points, with its sign."""
    return f"{ratio * 100:+.0f}".replace("-", "−")


def span(interval: Interval | None) -> str:
    """Return an interval as `93–98`, in percent without the sign."""
    return f"{interval.low * 100:.0f}–{interval.high * 100:.0f}" if interval else ""


def labels(report: EvaluationReport, styles: Sequence[Style]) -> dict[str, Label]:
    """Return the names of every style that the report mentions; `` is an empty reply."""
    known = {style.id: Label(style.names.zh, style.names.en) for style in styles}
    found = {name: Label(name, name) for name in (*columns(report), *(s.id for s in report.styles))}
    return found | {"": Label("空", "empty"), PLAIN: Label("平淡", "plain")} | known


def columns(report: EvaluationReport) -> list[str]:
    """Return the columns of the confusion table: the asked styles, then what else was found."""
    asked = [score.id for score in report.styles]
    found = {name for row in report.confusion.values() for name in row}
    return [*asked, *sorted(found.difference(asked))]


def pairs_of(replies: Sequence[Reply]) -> list[Pair]:
    """Return the pairs of replies, in the order in which they were asked."""
    tuned = {(row.style, row.number): row for row in replies if row.contestant == TUNED}
    return [
        Pair(row, tuned[row.style, row.number])
        for row in replies
        if row.contestant == BASE and (row.style, row.number) in tuned
    ]


def samples(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """Return the first pairs of each style: first by number, not by how well they came out."""
    per_style = 2 if 2 * len({pair.tuned.style for pair in pairs}) <= SAMPLES_SHOWN else 1
    found: dict[str, list[Pair]] = {}
    for pair in sorted(pairs, key=lambda pair: pair.tuned.number):
        shown = found.setdefault(pair.tuned.style, [])
        if len(shown) < per_style:
            shown.append(pair)
    return found


def failures(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs whose tuned reply is in another tone, off topic or defective."""
    return [
        pair
        for pair in pairs
        if pair.tuned.predicted_style != pair.tuned.style
        or pair.tuned.on_topic is False
        or pair.tuned.defects
    ]


def figures(report: EvaluationReport) -> list[tuple[Label, str]]:
    """Return the trainer's figures of the tuned model, named; if there are any."""
    known = report.trained.metrics if report.trained else {}
    return [(label, f"{known[name]:.3g}") for name, label in FIGURES.items() if name in known]


def mostly_chinese(styles: Sequence[Style]) -> bool:
    """Return whether the page opens in Chinese."""
    return sum(style.language == "zh" for style in styles) * 2 >= len(styles)
