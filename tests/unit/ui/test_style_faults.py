"""What keeps a text from being a style card."""

from typing import Any

import pytest

from fakes.library import shipped_styles
from ui.style.card_yaml import UnreadableError
from ui.style.draft import empty
from ui.style.faults import Fault, beside, faults_html, faults_of, label_of, sentence, unreadable
from ui.texts import Texts, texts_in

ZH, EN = texts_in("zh"), texts_in("en")
CARD = shipped_styles()[0].style.model_dump(mode="json")


@pytest.mark.parametrize(
    ("change", "path", "kind"),
    [
        ({"id": "No Good"}, "id", "name"),
        ({"names": {"zh": "", "en": "x"}}, "names.zh", "empty"),
        ({"names": {"en": "x"}}, "names.zh", "missing"),
        ({"traits": []}, "traits", "few"),
        ({"traits": ["x" * 121]}, "traits.0", "long"),
        ({"traits": ["x"] * 17}, "traits", "many"),
        ({"traits": [3]}, "traits.0", "text"),
        ({"traits": "x"}, "traits", "list"),
        ({"colour": "red"}, "colour", "unknown"),
        ({"language": "fr"}, "language", "choice"),
        ({"temperature": 3}, "temperature", "above"),
        ({"intensity": -1}, "intensity", "below"),
        ({"intensity": "much"}, "intensity", "number"),
        ({"lexicon": 3}, "lexicon", "keys"),
    ],
)
def test_fault_names_its_field_and_the_way_out(
    change: dict[str, Any], path: str, kind: str
) -> None:
    """In both languages."""
    [fault] = faults_of(CARD | change)
    assert (fault.path, fault.kind) == (path, kind)
    for texts in (ZH, EN):
        assert sentence(texts, fault)
        assert f"<code>{path}</code>" in faults_html(texts, [fault])


def test_card_without_a_fault_is_ready() -> None:
    """And says so."""
    assert faults_of(CARD) == []
    assert ZH("style.valid") in faults_html(ZH, [])


def test_faults_of_a_new_card_stand_in_the_order_of_the_form() -> None:
    """Names first, though the contract has them elsewhere."""
    paths = [fault.path for fault in faults_of(empty("zh") | {"id": "x"})]
    assert paths[:3] == ["names.zh", "names.en", "description.zh"]
    assert beside(EN, faults_of(empty("zh")))["traits"].startswith("⚠")


@pytest.mark.parametrize("texts", [ZH, EN])
@pytest.mark.parametrize(
    "kind", ["yaml", "long", "key", "twice", "alias", "tag", "deep", "mapping"]
)
def test_text_that_cannot_be_read_is_explained(texts: Texts, kind: str) -> None:
    """With the parser's own words where they help, as text."""
    shown = faults_html(texts, [unreadable(UnreadableError(kind, 7, "<b>x</b>"))])
    assert "<b>x</b>" not in shown
    assert "7" in shown or kind in {"long", "mapping"}


def test_entry_is_named_by_its_number() -> None:
    """As people count."""
    assert label_of(EN, "lexicon.openers.0") == EN("style.entry", name="Openers", number=1)
    assert label_of(EN, "colour") == ""


def test_words_of_datagen_are_shown_as_they_are() -> None:
    """What only it knows, such as a control token."""
    shown = faults_html(EN, [Fault("traits.0", "refused", said="<|im_end|> is a token")])
    assert "&lt;|im_end|&gt; is a token" in shown


def test_long_lists_are_cut() -> None:
    """And the number of the others is told."""
    shown = faults_html(EN, [Fault(f"traits.{number}", "empty") for number in range(30)])
    assert shown.count("<li>") == 12
    assert EN("style.more", number=18) in shown
