"""Tests of the pages' texts: one place, two languages, nothing missing and nothing left over."""

import re

import pytest
from markupsafe import Markup

from datagen.page import TEMPLATES
from datagen.words import Label, bilingual, joined, named, say, words

PAGES = "\n".join(path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.jinja"))
# Prefixes whose keys come from figures: `named("gate", reason)` and the like.
DRAWN = {
    *re.findall(r'named\("(\w+)"', PAGES),
    *("who", "verdict", "reason", "gate", "form", "trained", "limit", "column"),
}


def test_both_languages_say_the_same() -> None:
    """Every text is there twice, and fills in the same values."""
    for key, label in words().items():
        slots = [sorted(re.findall(r"\{(\w+)\}", text)) for text in (label.zh, label.en)]
        assert slots[0] == slots[1], key
        assert label.zh.strip(), key
        assert label.en.strip(), key


def test_every_text_that_a_page_asks_for_is_there() -> None:
    """`w("key")` never fails in front of a reader."""
    asked = set(re.findall(r'w\(\s*"([\w.]+)"\s*[,)]', PAGES))
    asked |= {
        key for pair in re.findall(r'w\("([\w.]+)" if .+? else "([\w.]+)"', PAGES) for key in pair
    }
    assert sorted(asked - set(words())) == []


def test_no_text_is_left_over() -> None:
    """What no page asks for any more is taken out."""
    unused = [
        key
        for key in words()
        if f'"{key}"' not in PAGES
        and key.partition(".")[0] not in DRAWN
        and key not in ("empty", "plain")
    ]
    assert unused == []


def test_values_are_escaped_and_labels_speak_their_language() -> None:
    """What is filled in cannot become markup."""
    found = say("pairs.none", first=Label("微调", "Tuned"), second="<b>x</b>")
    assert '<span class="zh" lang="zh-Hans">微调 和 &lt;b&gt;x' in found
    assert "Tuned and &lt;b&gt;x" in found
    assert "<b>" not in found


def test_a_missing_value_is_an_error() -> None:
    """A text with a gap never reaches a page."""
    with pytest.raises(KeyError):
        say("facts.styles")


def test_unknown_names_are_shown_as_they_are() -> None:
    """A reason of a newer report is shown by its code."""
    assert named("reason", "too_blue") == Label("too_blue", "too_blue")


def test_what_both_languages_share_stands_once() -> None:
    """Figures and signs need no switch."""
    assert bilingual(Markup("95 %"), Markup("95 %")) == "95 %"
    assert joined([Label("一", "one"), Label("二", "two")]) == Label("一、二", "one, two")
