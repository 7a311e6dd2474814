"""One evaluation as the page shows it."""

import re
from html.parser import HTMLParser

import pytest

from contracts.proof import Reason
from contracts.style import Language
from fakes.library import shipped_styles
from fakes.page_stack_prove import proven
from ui.proof.report import report_html
from ui.proof.words import style_names
from ui.texts import LANGUAGES, texts_in

STYLES = shipped_styles()
EMPTY = {"path", "line", "br", "img"}


class Balance(HTMLParser):
    """Notes the elements that are not closed as they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        """Note an element that opens."""
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note one that closes."""
        if tag not in EMPTY and (not self.open or self.open.pop() != tag):
            self.wrong.append(tag)


def shown(language: Language, **given: object) -> str:
    """Return a report in a language."""
    texts = texts_in(language)
    names = style_names(texts, [one.style for one in STYLES])
    return report_html(texts, proven(STYLES).model_copy(update=given), names)


@pytest.mark.parametrize("language", LANGUAGES)
def test_report_is_whole(language: Language) -> None:
    """Every section, every figure with its interval, every picture in words as well."""
    page, texts = shown(language), texts_in(language)
    balance = Balance()
    balance.feed(page)
    assert not balance.wrong
    assert not balance.open
    titles = ("ranking", "styles", "drift", "pairs", "judged", "probe", "safety", "defects")
    for title in titles:
        assert f"<h3>{texts(f'report.{title}')}</h3>" in page
    for measure in ("strength", "on_topic", "natural", "sound"):
        assert texts(f"report.{measure}_note") in page
    assert texts("report.took") in page
    assert "90% (87% – 93%)" in page
    assert page.count("<svg class") > 20
    assert len(re.findall(r'role="img" aria-label="[^"]+"', page)) > 20
    assert not re.search(r"<th(?![^>]*scope)[ >]", page)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_to_do(reason: Reason) -> None:
    """What failed, and the way out."""
    for language in LANGUAGES:
        page, texts = shown(language, reasons=[reason], verdict="partly"), texts_in(language)
        assert texts(f"report.reason_{reason}") in page
        assert texts(f"report.do_{reason}") in page


@pytest.mark.parametrize("verdict", ["took", "partly", "not", "unclear"])
def test_every_verdict_is_one_sentence(verdict: str) -> None:
    """An unclear one speaks of the judge, the others of the replies."""
    page, texts = shown("en", verdict=verdict), texts_in("en")
    assert texts(f"report.{verdict}") in page
    assert ("90% of the tuned replies" in page) == (verdict != "unclear")


def test_older_report_shows_what_it_has() -> None:
    """Two contestants and no ranking, no probe, no conversation, no judge."""
    nothing: dict[str, object] = {
        name: [] for name in ("figures", "pairs", "ranking", "drift", "prompts", "reasons")
    }
    page = shown("en", **nothing, probe=None, judged=None)
    texts = texts_in("en")
    for key in ("report.no_judge", "report.no_probe", "report.no_drift", "report.strength"):
        assert texts(key) in page
    assert texts("report.ranking") not in page


def test_words_from_outside_stay_text() -> None:
    """Names of models and styles, and what a judge is called."""
    evil = "<script>alert(1)</script>"
    report = proven(STYLES)
    scores = {
        name: score.model_copy(update={"model": evil}) for name, score in report.contestants.items()
    }
    assert report.judged is not None
    given = {
        "contestants": scores | {evil: scores["base"]},
        "judged": report.judged.model_copy(update={"model": evil}),
        "request": report.request.model_copy(update={"tuned": evil}),
    }
    page = report_html(texts_in("zh"), report.model_copy(update=given), {"gentle": evil})
    assert "<script>" not in page
