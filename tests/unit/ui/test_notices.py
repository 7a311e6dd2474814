"""What stands in the way, said to people."""

import pytest

from contracts.job import Progress
from contracts.style import Language
from ui.catalog import Catalog, ServedModel
from ui.errors import ProblemError
from ui.notices import healed_html, notice_html, problem_html, problem_sentences
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
        ("leaving", "notice.leaving"),
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_lent_gpu_is_explained_with_the_run_and_its_progress(language: Language) -> None:
    """The reader learns who has the GPU, and how long that may last."""
    texts = texts_in(language)
    progress = Progress(stage="train", done=120, total=400)
    catalog = Catalog(models=LIVE, state="lent", holder="r-1", progress=progress)
    page = notice_html(texts, catalog)
    assert texts("notice.lent", holder="r-1") in page
    known = texts("notice.lent_progress", stage=texts("stage.train"), done=120, total=400)
    assert known in page


@pytest.mark.parametrize("progress", [None, Progress(stage="load"), Progress(stage="<b>", total=1)])
def test_lent_gpu_is_explained_when_little_is_known(progress: Progress | None) -> None:
    """Neither a holder nor a figure is needed, and a stage of tomorrow is only text."""
    page = notice_html(texts_in("en"), Catalog(state="lent", progress=progress))
    assert texts_in("en")("notice.lent_unnamed") in page
    assert "<b>" not in page


@pytest.mark.parametrize("kind", ["training", "connect", "busy"])
def test_message_meanwhile_gets_the_sentence_of_the_notice(kind: str) -> None:
    """Nothing failed, so nothing is called a failure."""
    texts = texts_in("zh")
    problem = ProblemError("serving", kind, "training")  # type: ignore[arg-type]
    said = problem_sentences(texts, Catalog(state="lent", holder="r-1"), problem)
    assert said == [texts("notice.lent", holder="r-1"), texts("problem.retry")]
    assert texts("notice.lent", holder="r-1") in notice_html(
        texts, Catalog(state="lent", holder="r-1")
    )


def test_waiting_is_no_alarm() -> None:
    """A screen reader is not interrupted for what passes by itself."""
    texts, ready = texts_in("en"), Catalog(models=LIVE, state="ready")
    assert 'role="status"' in problem_html(texts, ready, ProblemError("serving", "training"))
    assert 'role="alert"' in problem_html(texts, ready, ProblemError("serving", "connect"))


def test_explanation_heals_when_the_model_is_back() -> None:
    """Who waited for the run is told that it is over; other problems stay as they are."""
    texts, ready = texts_in("en"), Catalog(models=LIVE, state="ready")
    waited = ProblemError("serving", "training")
    assert texts("problem.over") in (healed_html(texts, ready, waited) or "")
    assert healed_html(texts, Catalog(state="starting"), waited) is None
    assert healed_html(texts, ready, ProblemError("serving", "connect")) is None
    assert healed_html(texts, ready, None) is None


@pytest.mark.parametrize("kind", ["connect", "timeout", "busy", "http_5xx", "no_model"])
@pytest.mark.parametrize("state", ["waiting", "starting", "draining"])
def test_nobody_is_told_that_nobody_answers_while_a_model_is_loading(state: str, kind: str) -> None:
    """Whatever a server says or does not say before it is ready: it is coming up."""
    texts = texts_in("zh")
    problem = ProblemError("serving", kind)  # type: ignore[arg-type]
    said = problem_sentences(texts, Catalog(state=state), problem)
    assert said[0] == texts("problem.starting")
