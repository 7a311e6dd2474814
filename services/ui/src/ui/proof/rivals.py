"""Who beats whom: differences, a judge in swapped seats, and what was forgotten (pure)."""

from html import escape

from contracts.evaluation import EvaluationReport
from contracts.proof import Figure, PairDifference
from ui.proof.plot import Dot, Scale, interval_rows
from ui.proof.words import (
    UNKNOWN,
    gap,
    kind_of,
    points,
    scrolled,
    section,
    share_html,
    table_html,
    who,
)
from ui.texts import Texts

# Differences of shares, with nothing in the middle.
GAPS = Scale(-1.0, 1.0)
SURE = 0.001


def pairs_html(texts: Texts, report: EvaluationReport) -> str:
    """Return every two contestants, question by question."""
    if not report.pairs:
        return ""
    rows = [
        [
            escape(pair_text(texts, pair)),
            gap_picture(texts, report, pair),
            gap_html(pair.strength),
            gap_html(pair.accuracy),
            "&lt; 0.001" if pair.p_holm < SURE else f"{pair.p_holm:.3f}",
        ]
        for pair in report.pairs
    ]
    heads = ["", *(texts(f"report.{key}") for key in ("picture", "gap", "gap_tone", "p"))]
    title = texts("report.pairs")
    table = table_html(heads, rows).replace('class="ts-p-table"', 'class="ts-p-table ts-p-pairs"')
    return section(title, texts("report.pairs_note"), scrolled(title, table))


def pair_text(texts: Texts, pair: PairDifference) -> str:
    """Return which of two is better, if that can be told."""
    first, second = who(texts, pair.first), who(texts, pair.second)
    if pair.better == "none":
        return texts("report.equal", first=first, second=second)
    if pair.better == "second":
        first, second = second, first
    return texts("report.better", first=first, second=second)


def gap_picture(texts: Texts, report: EvaluationReport, pair: PairDifference) -> str:
    """Return a difference with its interval; the dashed line is no difference at all."""
    interval = pair.strength.interval
    said = f"{points(pair.strength.value)} ({gap(interval)})"
    name = f"{who(texts, pair.first)} − {who(texts, pair.second)}"
    kind = kind_of(report, pair.first)
    dot = Dot(kind, name, pair.strength.value, interval.low, interval.high, said)
    return interval_rows([dot], GAPS, 0.0)


def gap_html(figure: Figure) -> str:
    """Return a difference in points with its interval."""
    return f"<b>{points(figure.value)}</b> <small>{escape(gap(figure.interval))}</small>"


def judged_html(texts: Texts, report: EvaluationReport) -> str:
    """Return what a language model preferred; a verdict that turns with the seats is a tie."""
    title, judged = texts("report.judged"), report.judged
    if judged is None:
        return section(title, texts("report.no_judge"), "")
    rows = [
        [
            escape(
                texts("report.against", first=who(texts, one.first), second=who(texts, one.second))
            ),
            str(one.wins),
            str(one.ties),
            str(one.losses),
            str(one.flips),
            share_html(one.win_rate),
            share_html(one.length_controlled) if one.length_controlled else UNKNOWN,
        ]
        for one in judged.pairs
    ]
    columns = ("wins", "ties", "losses", "flips", "rate", "levelled")
    heads = ["", *(texts(f"report.{key}") for key in columns)]
    warnings = [texts("report.same_judge")] if judged.same_as_teacher else []
    warnings += [] if judged.agreement else [texts("report.no_agreement")]
    warnings += [texts("report.unjudged", count=judged.failed)] if judged.failed else []
    told = "".join(f'<p class="ts-p-caution">{escape(one)}</p>' for one in warnings)
    note = texts("report.judged_note", model=judged.model)
    return section(title, note, scrolled(title, table_html(heads, rows)) + told)


def probe_html(texts: Texts, report: EvaluationReport) -> str:
    """Return what the tuned model may have forgotten."""
    title, probe = texts("report.probe"), report.probe
    if probe is None:
        return section(title, texts("report.no_probe"), "")
    rows = [
        [
            escape(who(texts, one.contestant)),
            share_html(one.right),
            share_html(one.by_kind.get("instruction")),
            share_html(one.by_kind.get("general")),
        ]
        for one in probe.scores
    ]
    heads = ["", *(texts(f"report.{key}") for key in ("right", "instruction", "general"))]
    outcome = texts(f"report.probe_{probe.verdict}")
    said = f'<p class="ts-p-outcome"><b>{escape(outcome)}</b> {gap_html(probe.difference)}</p>'
    note = texts("report.probe_note", count=probe.items)
    return section(title, note, said + scrolled(title, table_html(heads, rows)))
