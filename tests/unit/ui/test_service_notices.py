"""What a tab says when a service does not do what it asked."""

from typing import get_args

import pytest

from contracts.style import Language
from ui.errors import Kind, ProblemError, Upstream
from ui.service_notices import service_html
from ui.texts import LANGUAGES, texts_in


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("upstream", get_args(Upstream))
def test_every_failure_of_every_service_has_words(upstream: Upstream, language: Language) -> None:
    """It names the service, and nothing is left to fill in."""
    texts = texts_in(language)
    for kind in get_args(Kind):
        said = service_html(texts, ProblemError(upstream, kind))
        name = "serving" if upstream == "control" else upstream
        assert texts(f"service.{name}") in said
        assert "{" not in said


@pytest.mark.parametrize(
    ("kind", "command"),
    [("connect", "tonesmith up"), ("timeout", "tonesmith status"), ("http_5xx", "logs datagen")],
)
def test_way_out_is_something_to_type(kind: Kind, command: str) -> None:
    """Where there is something to start, to look at, or to read."""
    assert command in service_html(texts_in("en"), ProblemError("datagen", kind))


def test_words_of_a_service_are_shown_and_never_run() -> None:
    """Its sentence and its hint are text, wherever they come from."""
    problem = ProblemError("trainer", "http_4xx", "<b>no</b>", hint="<i>do</i>")
    said = service_html(texts_in("zh"), problem)
    assert "&lt;b&gt;no" in said
    assert "&lt;i&gt;do" in said
    assert "<b>" not in said
    assert service_html(texts_in("zh"), None) == ""
