"""Tests of the hand-off: when helplines are shown, which, and how."""

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from contracts.style import Language
from ui.handoff import handoff_html, helplines
from ui.texts import LANGUAGES, texts_in

SENTENCES = yaml.safe_load(
    (Path(__file__).parents[2] / "data" / "crisis.yaml").read_text(encoding="utf-8")
)
SAID = [
    (language, kind, text)
    for language in LANGUAGES
    for kind in ("suicide", "self_harm", "abuse")
    for text in SENTENCES[language][kind]
]
HARMLESS = [(language, text) for language in LANGUAGES for text in SENTENCES[language]["none"]]
TELEPHONE = re.compile(r'href="tel:([^"]+)"')


@pytest.mark.parametrize(("language", "kind", "text"), SAID)
def test_helplines_are_shown_where_a_message_speaks_of_harm(
    language: Language, kind: str, text: str
) -> None:
    """Each probe gets the words of its kind, and numbers."""
    texts = texts_in(language)
    shown = handoff_html(texts, text, language)
    assert texts(f"handoff.{kind}") in shown
    assert TELEPHONE.search(shown)


@pytest.mark.parametrize(("language", "text"), HARMLESS)
def test_nothing_is_shown_where_it_only_sounds_alike(language: Language, text: str) -> None:
    """Titles of songs and books, and being dead tired, call nobody."""
    assert not handoff_html(texts_in(language), text, language)


@pytest.mark.parametrize("said", ["", " ", "\x00", "<script>alert(1)</script>", "死" * 20_000])
def test_any_text_is_taken(said: str) -> None:
    """Whatever is said: no error, and nothing of it is in the answer."""
    assert "script" not in handoff_html(texts_in("zh"), said, "zh")


def test_words_are_the_readers_and_the_other_language_is_looked_at() -> None:
    """Who reads English and writes Chinese is understood, and answered in English."""
    shown = handoff_html(texts_in("en"), "我不想活了", "en")
    assert texts_in("en")("handoff.suicide") in shown


@pytest.mark.parametrize(("language", "first"), [("zh", "120"), ("en", "911")])
def test_nearest_lines_come_first(language: Language, first: str) -> None:
    """A reader of Chinese sees China's lines first; every region is there for all."""
    shown = handoff_html(texts_in(language), "I want to die", language)
    dialled = TELEPHONE.findall(shown)
    assert dialled[0] == first
    assert {"12356", "01082951332", "4001619995", "988", "116123"} <= set(dialled)
    assert "findahelpline.com" in shown


def test_abuse_has_lines_of_its_own() -> None:
    """Who is beaten is not sent to a line about suicide."""
    dialled = TELEPHONE.findall(handoff_html(texts_in("zh"), "我被老公家暴三年了", "zh"))
    assert "12338" in dialled
    assert "988" not in dialled


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_that_it_is_no_medical_software(language: Language) -> None:
    """Plainly, in each kind."""
    plain = {"zh": "不是医疗软件", "en": "no medical software"}[language]
    for said in ("I want to die", "I started cutting again", "my husband hit me again last night"):
        assert plain in handoff_html(texts_in(language), said, language)


def test_every_line_has_a_source_and_a_date() -> None:
    """And none of them was checked in the future."""
    for region in helplines().regions:
        for line in region.lines:
            assert date.fromisoformat(line.checked) <= date(2100, 1, 1)
            assert set(line.name) == set(LANGUAGES)
            assert line.dial.lstrip("+").endswith(re.sub(r"\D", "", line.number)[-6:])
