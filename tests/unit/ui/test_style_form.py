"""The fields of a card as a form."""

from typing import Any

import pytest

from fakes.library import shipped_styles
from ui.style.form import FIELDS, PATHS, exchange_text, exchanges, field_of, form_of, merged


def filled(document: dict[str, Any], **values: Any) -> list[Any]:
    """Return the form of a card with other values, by the key of the field."""
    return [
        values.get(field.key, value) for field, value in zip(FIELDS, form_of(document), strict=True)
    ]


@pytest.mark.parametrize("one", shipped_styles(), ids=lambda one: one.style.id)
def test_form_that_nobody_touched_changes_nothing(one: Any) -> None:
    """Whatever is in the card."""
    document = one.style.model_dump(mode="json")
    assert merged(document, form_of(document)) == document


def test_form_is_put_into_the_card() -> None:
    """Lists by line, texts as they are, numbers without noise; other keys stay."""
    document = shipped_styles()[0].style.model_dump(mode="json")
    typed = filled(
        document, names_zh="新", lexicon_openers="一\n\n 二 ", temperature=0.30000001, language="en"
    )
    found = merged(document, typed)
    assert found["names"] == {"zh": "新", "en": document["names"]["en"]}
    assert found["lexicon"]["openers"] == ["一", "二"]
    assert found["lexicon"]["closers"] == document["lexicon"]["closers"]
    assert found["temperature"] == 0.3
    assert found["language"] == "en"
    assert found["schema_version"] == 1


@pytest.mark.parametrize("document", [{}, {"names": "x", "traits": 3, "temperature": "hot"}])
def test_card_of_other_shapes_is_shown_and_mended(document: dict[str, Any]) -> None:
    """A field that is typed into takes the place of what was wrong."""
    assert len(form_of(document)) == len(FIELDS)
    assert merged(document, filled(document, names_zh="新"))["names"] == {"zh": "新"}


@pytest.mark.parametrize(
    "pair",
    [
        {"user": "a", "assistant": "b"},
        {"user": "a\nb", "assistant": "c\n\nd"},
        {"user": "a", "assistant": "> quoted\n\\ too"},
    ],
)
def test_exchange_is_read_as_it_was_written(pair: dict[str, str]) -> None:
    """Also with several lines, and with our own sign in a reply."""
    text = exchange_text(pair)
    assert exchanges(f"{text}\n\n{text}") == [pair, pair]


def test_exchange_without_a_question_is_kept_to_be_mended() -> None:
    """Nothing that was typed is lost."""
    assert exchanges("only a reply") == [{"user": "", "assistant": "only a reply"}]
    assert exchanges("> only a question") == [{"user": "only a question", "assistant": ""}]


def test_path_leads_to_its_field() -> None:
    """Entries of a list belong to the list."""
    assert field_of("lexicon.openers.3") == "lexicon.openers"
    assert field_of("examples.0.user") == "examples"
    assert field_of("names") is None
    assert len(set(PATHS)) == len(PATHS)
