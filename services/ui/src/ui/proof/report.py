"""One evaluation as a page of its own HTML: the verdict first, then what it rests on (pure)."""

from html import escape

from contracts.evaluation import ContestantScore, EvaluationReport
from contracts.interval import Interval
from ui.proof.figures import dot_of, drift_html, styles_html
from ui.proof.plot import interval_rows, key_mark
from ui.proof.rivals import judged_html, pairs_html, probe_html
from ui.proof.words import (
    Names,
    kind_of,
    percent,
    ranked,
    scrolled,
    section,
    share_html,
    span,
    table_html,
    who,
)
from ui.texts import Texts

DEFECTS = ("empty", "broken", "unfinished", "echo", "repetition")


def report_html(texts: Texts, report: EvaluationReport, names: Names) -> str:
    """Return the whole report. Everything that is not ours is escaped.

    Args:
        texts: the words.
        report: the figures; an older one lacks some, and so does what is shown.
        names: of the styles.
    """
    parts = [
        verdict_html(texts, report),
        reasons_html(texts, report),
        ranking_html(texts, report),
        styles_html(texts, report, names),
        drift_html(texts, report),
        pairs_html(texts, report),
        judged_html(texts, report),
        probe_html(texts, report),
        section(texts("report.safety"), texts("report.safety_note"), ""),
        defects_html(texts, report),
        method_html(texts, report),
    ]
    return f'<article class="ts-p-report">{"".join(parts)}</article>'


def verdict_html(texts: Texts, report: EvaluationReport) -> str:
    """Return the verdict, and one plain sentence with what it rests on."""
    facts = " · ".join(
        [
            f"<code>{escape(report.request.tuned)}</code>",
            escape(texts("report.count_styles", count=len(report.styles))),
            escape(texts("report.count_questions", count=questions(report))),
            f'<time datetime="{report.created_at.isoformat()}">'
            f"{report.created_at:%Y-%m-%d %H:%M} UTC</time>",
        ]
    )
    return (
        f'<header class="ts-p-verdict ts-is-{report.verdict}">'
        f'<h2><span class="ts-p-seal">{escape(texts(f"report.{report.verdict}"))}</span></h2>'
        f'<p class="ts-p-sentence">{escape(sentence(texts, report))}</p>'
        f'<p class="ts-faint">{facts}</p></header>'
    )


def sentence(texts: Texts, report: EvaluationReport) -> str:
    """Return the verdict in one plain sentence."""
    if report.verdict == "unclear":
        return texts("report.sentence_unclear", judge=percent(report.classifier_accuracy))
    tuned = report.contestants.get("tuned")
    if tuned is None:
        return texts(f"report.{report.verdict}")
    told = texts("report.sentence", share=percent(tuned.accuracy), span=within(tuned))
    if prompted := report.contestants.get("prompted"):
        told += texts(
            "report.sentence_prompted", share=percent(prompted.accuracy), span=within(prompted)
        )
    if base := report.contestants.get("base"):
        told += texts("report.sentence_base", share=percent(base.accuracy), span=within(base))
    return told + texts("report.stop")


def within(score: ContestantScore) -> str:
    """Return the interval of a contestant's share."""
    return span(score.accuracy_interval or Interval(low=0, high=1))


def questions(report: EvaluationReport) -> int:
    """Return how many questions each contestant was asked."""
    return max((one.replies for one in report.contestants.values()), default=0)


def reasons_html(texts: Texts, report: EvaluationReport) -> str:
    """Return what failed, each with what to do about it; where nothing did, what comes next."""
    if not report.reasons:
        if report.verdict != "took":
            return ""
        return section(texts("report.next"), texts("report.next_took"), "")
    items = "".join(
        f"<li><strong>{escape(texts(f'report.reason_{reason}'))}</strong>"
        f"<p>{escape(texts(f'report.do_{reason}'))}</p></li>"
        for reason in report.reasons
    )
    return section(texts("report.reasons"), "", f'<ol class="ts-p-reasons">{items}</ol>')


def ranking_html(texts: Texts, report: EvaluationReport) -> str:
    """Return the contestants by strength; equals share a place."""
    if not report.ranking:
        return ""
    rows = []
    for rank in sorted(report.ranking, key=lambda one: one.place):
        name = rank.contestant
        kind = kind_of(report, name)
        score = report.contestants.get(name)
        model = f" <code>{escape(score.model)}</code>" if score and score.model else ""
        dot = dot_of(texts, report, name, rank.strength)
        rows.append(
            f'<li><span class="ts-p-place">{rank.place}</span>'
            f'<span class="ts-p-who">{key_mark(kind)}<b>{escape(who(texts, name))}</b>{model}'
            "</span>"
            f'<span class="ts-p-picture">{interval_rows([dot])}</span>'
            f'<span class="ts-p-share">{share_html(rank.strength)}</span></li>'
        )
    return section(
        texts("report.ranking"),
        texts("report.ranking_note"),
        f'<ol class="ts-p-podium">{"".join(rows)}</ol>',
    )


def defects_html(texts: Texts, report: EvaluationReport) -> str:
    """Return how many replies of each contestant were broken, and how."""
    shown = ranked(report)
    rows = [
        [
            escape(texts(f"report.{defect}")),
            *(str(report.contestants[name].defects.get(defect, 0)) for name in shown),
        ]
        for defect in DEFECTS
    ]
    heads = [texts("report.defect"), *(who(texts, name) for name in shown)]
    title = texts("report.defects")
    return section(title, texts("report.defects_note"), scrolled(title, table_html(heads, rows)))


def method_html(texts: Texts, report: EvaluationReport) -> str:
    """Return how it was judged, and how far the judge can be trusted."""
    request = report.request
    lines = [
        texts(f"report.{report.questions}"),
        texts(
            "report.asked", temperature=f"{request.temperature:g}", tokens=request.max_tokens,
            seed=request.seed,
        ),
        texts("report.trust", share=percent(report.classifier_accuracy)),
    ]  # fmt: skip
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return section(texts("report.method"), "", f'<ul class="ts-p-method">{items}</ul>')
