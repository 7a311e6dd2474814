"""What stands in the way, said to people."""

import pytest

from contracts.style import Language
from ui.catalog import Catalog, ServedModel
from ui.errors import ProblemError
from ui.notices import notice_html, problem_html, problem_sentences
from ui.texts import texts_in

LIVE = (ServedModel("tonesmith", "alias", 1), ServedModel("base", "base"))
LANGUAGES: list[Language] = ["zh", "en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_said_when_a_model_is_live(language: Language) -> None:
    """No notice takes room while all is well."""
    assert notice_html(texts_in(language), Catalog(models=LIVE, state="ready")) == ""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("state", "key"),
    [
        ("down", "notice.down"),
        ("waiting", "notice.waiting"),
        ("starting", "notice.starting"),
        ("draining", "notice.draining"),
        ("failed", "notice.failed"),
        ("something new", "notice.down"),
        ("ready", "notice.unpromoted"),
    ],
)
def test_notice_names_the_state_and_the_way_out(language: Language, state: str, key: str) -> None:
    """Each state has its sentence, and a hint what to do."""
    texts = texts_in(language)
    page = notice_html(texts, Catalog(models=LIVE[1:], state=state))
    assert texts(key) in page
    assert texts(f"{key}_hint") in page


def test_notice_shows_commands_when_nothing_is_promoted() -> None:
    """The first visitor learns what to type."""
    page = notice_html(texts_in("en"), Catalog(models=LIVE[1:], state="ready"))
    assert "<code>tonesmith generate</code>" in page
    assert "tonesmith promote" in page


def test_reasons_are_escaped_when_the_model_failed() -> None:
    """What an engine says cannot become part of the page."""
    catalog = Catalog(state="failed", reasons=("<img src=x onerror=alert(1)>",))
    page = notice_html(texts_in("en"), catalog)
    assert "<img" not in page
    assert "&lt;img" in page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "kind", ["connect", "timeout", "http_4xx", "http_5xx", "stream_broken", "busy", "empty"]
)
def test_each_failure_has_a_sentence_and_a_way_out(language: Language, kind: str) -> None:
    """Nobody reads an error code."""
    problem = ProblemError("serving", kind, "busy <now>")  # type: ignore[arg-type]
    page = problem_html(texts_in(language), Catalog(models=LIVE, state="ready"), problem)
    assert texts_in(language)(f"problem.{kind}") in page
    assert "busy &lt;now&gt;" in page
    assert page.count("<span>") == 2


def test_refusal_while_loading_says_that_the_model_is_loading() -> None:
    """A server that comes up is no broken server."""
    problem = ProblemError("serving", "connect")
    sentences = problem_sentences(texts_in("en"), Catalog(state="starting"), problem)
    assert sentences[0] == texts_in("en")("problem.starting")


def test_limit_is_named_when_the_question_is_too_long() -> None:
    """Who writes too much learns how much is enough."""
    problem = ProblemError("serving", "too_long", limit=4000)
    assert "4000" in problem_sentences(texts_in("zh"), Catalog(), problem)[0]


def test_nothing_is_explained_when_nothing_failed() -> None:
    """The place of the explanation is empty."""
    assert problem_html(texts_in("zh"), Catalog(), None) == ""
