"""Tests of the page."""

from html.parser import HTMLParser

import pytest

from contracts.evaluation import (
    ClassifierScore,
    EvaluationReport,
    EvaluationRequest,
    Interval,
    ModelFigures,
    Reply,
)
from contracts.identity import now
from datagen.report import failures, pairs_of, percent, points, render_report, samples, span
from datagen.verdict import score_replies
from fakes.styled_dataset import STYLES

ATTACK = "<script>alert('x')</script><img src=https://evil.example/a.png>"
VOID = {"meta", "input", "br", "link", "img", "hr"}


def judged(
    style: str, number: int, *, tuned: str = "哼！", predicted: str | None = None
) -> list[Reply]:
    """Return the pair of replies to one question."""
    fields = {"style": style, "number": number, "situation": None, "on_topic": None}
    return [
        Reply(
            contestant=who,
            model=who,
            question=f"{style} {number}?",
            reply=text,
            predicted_style=found,
            **fields,
        )
        for who, text, found in (("base", "好。", "gentle"), ("tuned", tuned, predicted or style))
    ]


def every(per_style: int = 2) -> list[Reply]:
    """Return good replies of all styles."""
    return [reply for style in STYLES for n in range(per_style) for reply in judged(style, n)]


def report(replies: list[Reply], accuracy: float = 1.0) -> EvaluationReport:
    """Return the report on `replies`."""
    judge = ClassifierScore(
        trained_rows=60, heldout_rows=9, accuracy=accuracy, interval=Interval(low=0.7, high=1)
    )
    return score_replies(
        replies,
        report_id="eval-x",
        created_at=now(),
        request=EvaluationRequest(dataset_id="styled-1"),
        classifier=judge,
        questions="dataset",
        conditioning="system",
        languages={name: card.language for name, card in STYLES.items()},
    )


def page(replies: list[Reply], accuracy: float = 1.0) -> str:
    """Return the page on `replies`."""
    return render_report(report(replies, accuracy), replies, list(STYLES.values()))


class Outline(HTMLParser):
    """Collects what a browser would build, and what it would fetch or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag, and every attribute that could reach out."""
        self.tags.append(tag)
        names = ("src", "href", "action", "srcset", "data")
        self.links += [f"{tag}.{name}" for name, _ in attrs if name in names or name[:2] == "on"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that the innermost open element closes."""
        if self.open.pop() != tag:
            self.unbalanced.append(tag)


def test_page_is_whole_and_fetches_nothing() -> None:
    """Every element closes; no script, no link, no picture, no address."""
    text = page(every())
    outline = Outline(text)
    assert (outline.open, outline.unbalanced, outline.links) == ([], [], [])
    assert not {"script", "link", "img", "iframe"} & set(outline.tags)
    assert "http" not in text.replace("http-equiv", "")
    assert "url(" not in text
    assert "@import" not in text


def test_replies_are_escaped() -> None:
    """What a model says is shown, never run."""
    rows = [reply for n in range(3) for reply in judged("gentle", n, tuned=ATTACK)]
    text = page(rows)
    assert ATTACK not in text
    assert "&lt;script&gt;" in text
    assert "script" not in Outline(text).tags


def test_page_speaks_both_languages() -> None:
    """Headline and style names are there in Chinese and English; Chinese opens first."""
    text = page(every())
    for words in ("风格学会了", "The style took", "温柔", "Dry British butler"):
        assert words in text
    assert text.index('id="to-zh" class="switch" checked') > 0


@pytest.mark.parametrize(
    ("tuned", "accuracy", "headline"),
    [
        (None, 1.0, "The style took"),
        ("gentle", 1.0, "The style did not take"),
        (None, 0.4, "No verdict"),
    ],
)
def test_headline_states_the_verdict(tuned: str | None, accuracy: float, headline: str) -> None:
    """One sentence says how it went."""
    rows = [
        reply
        for style in ("tsundere", "dry-butler")
        for n in range(20)
        for reply in judged(style, n, predicted=tuned)
    ]
    assert '<h1><span class="zh"' in page(rows, accuracy)
    assert f">{headline}</span>" in page(rows, accuracy)


def test_failures_are_shown_not_hidden() -> None:
    """A reply in another tone stands among the failures, with the tone it was taken for."""
    rows = [*every(), *judged("gentle", 9, tuned="哼！", predicted="tsundere")]
    assert [pair.tuned.number for pair in failures(pairs_of(rows))] == [9]
    assert "1 tuned replies that went wrong" in page(rows)
    assert "No tuned reply is in another tone" in page(every())


def test_samples_are_the_first_not_the_best() -> None:
    """A bad first reply is shown although a better one follows."""
    rows = [*judged("gentle", 0, predicted="tsundere"), *judged("gentle", 1)]
    shown = samples(pairs_of(rows))["gentle"]
    assert shown[0].tuned.predicted_style == "tsundere"


def test_unknown_style_is_shown_by_its_id() -> None:
    """A style without a card, or found only by the judge, does not break the page."""
    rows = [*judged("pirate", 0), *judged("pirate", 1, tuned="", predicted="")]
    assert "pirate" in page(rows)


def test_percent_rounds_honestly() -> None:
    """Almost all is not all, almost none is not none."""
    found = [percent(ratio).rstrip("\u202f%") for ratio in (0, 0.001, 0.5, 0.999, 1)]
    assert found == ["0", "1", "50", "99", "100"]
    assert percent(None) == "–"


def test_points_and_span_are_readable() -> None:
    """A real minus sign, a sign on gains, whole numbers."""
    assert (points(0.784), points(-0.05), points(0)) == ("+78", "−5", "+0")
    assert span(Interval(low=0.914, high=0.971)) == "91–97"
    assert span(None) == ""


def test_trainers_figures_are_shown_as_what_they_are() -> None:
    """Loss, perplexity and BLEU of the tuned model, named in both languages; else no section."""
    metrics = {"eval_loss": 0.2213, "perplexity": 1.2477, "bleu_4": 64.43, "unknown": 7.77}
    figures = ModelFigures(model_id="m-20300101-00000a", metrics=metrics)
    found = report(every()).model_copy(update={"trained": figures})
    text = render_report(found, every(), list(STYLES.values()))
    for words in (
        "Measured at the training",
        "训练时量的",
        "0.221",
        "1.25",
        "64.4",
        figures.model_id,
    ):
        assert words in text
    assert "7.77" not in text
    assert "Measured at the training" not in page(every())
