"""Tests of the page."""

from html.parser import HTMLParser

import pytest
from markupsafe import escape

from contracts.evaluation import (
    ClassifierScore,
    ContestantScore,
    EvaluationReport,
    EvaluationRequest,
    ModelFigures,
    Reply,
    StyleScore,
)
from contracts.identity import now
from contracts.interval import Interval
from contracts.proof import Reason, Verdict
from datagen.page import TEMPLATES, percent, points, span
from datagen.report import exchanges, failures, gain_over_prompt, render_report, samples
from datagen.words import words
from fakes.proof_report import proof_report, replies_of
from fakes.styled_dataset import STYLES

ATTACK = "<script>alert('x')</script><img src=https://evil.example/a.png>"
MODULES = ("report", "page", "words", "charts", "report_card_page")
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


def contestant(name: str) -> ContestantScore:
    """Return a contestant's figures as the first release wrote them."""
    return ContestantScore(
        accuracy=0.9, on_topic=None, distinct_2=0.5, mean_characters=40, defects={}, model=name
    )


def report(replies: list[Reply], verdict: Verdict = "took") -> EvaluationReport:
    """Return a report as the first release wrote it: two contestants, and shares only."""
    names = list(dict.fromkeys(reply.style for reply in replies))
    return EvaluationReport(
        id="eval-x",
        created_at=now(),
        request=EvaluationRequest(dataset_id="styled-1"),
        styles=[
            StyleScore(
                id=name,
                replies=4,
                base_accuracy=0.1,
                tuned_accuracy=0.9,
                on_topic=None,
                tuned_interval=Interval(low=0.7, high=0.97),
            )
            for name in names
        ],
        contestants={name: contestant(name) for name in ("base", "tuned")},
        confusion={"gentle": {"tsundere": 1}},
        classifier_accuracy=0.96,
        verdict=verdict,
        questions="dataset",
        conditioning="system",
        classifier=ClassifierScore(
            trained_rows=60, heldout_rows=9, accuracy=0.96, interval=Interval(low=0.7, high=1)
        ),
    )


def page(replies: list[Reply], verdict: Verdict = "took") -> str:
    """Return the page on `replies`."""
    return render_report(report(replies, verdict), replies, list(STYLES.values()))


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
    for told in ("风格学会了", "The style took", "温柔", "Dry British butler"):
        assert told in text
    assert text.index('id="to-zh" class="switch" checked') > 0


@pytest.mark.parametrize(
    ("verdict", "headline"),
    [
        ("took", "The style took"),
        ("partly", "The style took in part"),
        ("not", "The style did not take"),
        ("unclear", "No verdict"),
    ],
)
def test_headline_states_the_verdict(verdict: Verdict, headline: str) -> None:
    """One sentence says how it went."""
    assert f'<h1><span class="zh" lang="zh-Hans">{words()[f"verdict.{verdict}"].zh}' in page(
        every(), verdict
    )
    assert f">{headline}</span></h1>" in page(every(), verdict)


def test_failures_are_shown_not_hidden() -> None:
    """A reply in another tone stands among the failures, with the tone it was taken for."""
    rows = [*every(), *judged("gentle", 9, tuned="哼！", predicted="tsundere")]
    assert [pair.tuned.number for pair in failures(exchanges(rows))] == [9]
    assert "Tuned replies that went wrong: 1" in page(rows)
    assert "No tuned reply is in another tone" in page(every())


def test_samples_are_the_first_not_the_best() -> None:
    """A bad first reply is shown although a better one follows."""
    rows = [*judged("gentle", 0, predicted="tsundere"), *judged("gentle", 1)]
    shown = samples(exchanges(rows))["gentle"]
    assert shown[0].tuned.predicted_style == "tsundere"


def test_unknown_style_is_shown_by_its_id() -> None:
    """A style without a card, or found only by the judge, does not break the page."""
    rows = [*judged("pirate", 0), *judged("pirate", 1, tuned="", predicted="")]
    assert "pirate" in page(rows)


def test_style_that_nobody_was_asked_about_is_named() -> None:
    """Nothing was held out for it: a good verdict does not speak of it."""
    assert "says nothing about: " not in page(every())
    found = page(judged("gentle", 0)).partition("says nothing about: ")[2]
    assert STYLES["tsundere"].names.en in found
    assert STYLES["gentle"].names.en not in found.partition("<")[0]


def test_percent_rounds_honestly() -> None:
    """Almost all is not all, almost none is not none."""
    found = [percent(ratio).rstrip("\u202f%") for ratio in (0, 0.001, 0.5, 0.999, 1)]
    assert found == ["0", "1", "50", "99", "100"]
    assert percent(None) == "–"


def test_points_and_span_are_readable() -> None:
    """A real minus sign, a sign on gains, whole numbers."""
    assert (points(0.784), points(-0.05), points(0)) == ("+78", "−5", "0")
    assert span(Interval(low=0.914, high=0.971)) == "91–97"
    assert span(None) == ""


def test_trainers_figures_are_shown_as_what_they_are() -> None:
    """Loss, perplexity and BLEU of the tuned model, named in both languages; else no section."""
    metrics = {"eval_loss": 0.2213, "perplexity": 1.2477, "bleu_4": 64.43, "unknown": 7.77}
    figures = ModelFigures(model_id="m-20300101-00000a", metrics=metrics)
    found = report(every()).model_copy(update={"trained": figures})
    text = render_report(found, every(), list(STYLES.values()))
    for told in (
        "Measured at the training",
        "训练时量的",
        "0.221",
        "1.25",
        "64.4",
        figures.model_id,
    ):
        assert told in text
    assert "7.77" not in text.partition('class="json"')[0]
    assert "Measured at the training" not in page(every())


def test_whole_page_shows_every_contestant_and_stays_whole() -> None:
    """Ranking, pictures, differences, drift, probe and judge: nothing is fetched, all is closed."""
    cards = list(STYLES.values())
    names = ["tuned", "prompted", "base", "tuned-long"]
    strengths = {"tuned": 0.9, "prompted": 0.5, "base": 0.1, "tuned-long": 0.88}
    found = proof_report(cards, strengths=strengths)
    text = render_report(found, replies_of(cards, names), cards)
    outline = Outline(text)
    assert (outline.open, outline.unbalanced, outline.links) == ([], [], [])
    for told in (
        "Prompted",
        "提示词",
        "served-tuned-long",
        "Does it last over a conversation",
        "Nothing was lost",
        "What it may have forgotten",
        "The judge is the teacher’s model",
        "Spearman",
    ):
        assert told in text
    assert text.index("podium") < text.index("Style by style") < text.index("Side by side")


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_said_in_words(reason: Reason) -> None:
    """Why a style did not take stands below the headline, in both languages."""
    cards = list(STYLES.values())
    found = proof_report(cards, verdict="not", reasons=[reason])
    text = render_report(found, replies_of(cards, ["tuned", "base"]), cards)
    label = words()[f"reason.{reason.value}"]
    assert escape(label.zh) in text
    assert escape(label.en) in text


def test_a_prompt_that_wins_is_said_so() -> None:
    """The gain over the prompt is negative where the prompted base is the stronger one."""
    cards = list(STYLES.values())
    found = proof_report(cards, strengths={"tuned": 0.5, "prompted": 0.8, "base": 0.1})
    gain = gain_over_prompt(found)
    assert gain
    assert gain.value == pytest.approx(-0.3)
    assert gain.interval.low < gain.value < gain.interval.high
    assert "−30" in render_report(found, replies_of(cards, ["tuned", "base"]), cards)


def test_no_style_is_known_to_the_page() -> None:
    """Names come from the cards of a report, none is written into our templates or modules."""
    sources = [*TEMPLATES.iterdir(), *(TEMPLATES.parent / f"{name}.py" for name in MODULES)]
    told = " ".join(path.read_text(encoding="utf-8") for path in sources)
    names = [name for card in STYLES.values() for name in (card.id, card.names.zh, card.names.en)]
    assert [name for name in names if name in told] == []
