"""Tests of the crisis screens: what is taken seriously, what is not, and what is answered."""

import re
from pathlib import Path

import pytest
import yaml

from contracts.style import Language
from datagen.personal_data import find_personal_data
from datagen.text import control_token
from kit.crisis import KINDS, Screen, crisis_of, load_screens

SENTENCES = yaml.safe_load(
    (Path(__file__).parents[2] / "data" / "crisis.yaml").read_text(encoding="utf-8")
)
SAID = [
    (language, kind, text)
    for language in ("zh", "en")
    for kind in KINDS
    for text in SENTENCES[language][kind]
]
HARMLESS = [(language, text) for language in ("zh", "en") for text in SENTENCES[language]["none"]]


@pytest.fixture(scope="module")
def screens() -> dict[Language, Screen]:
    """The shipped screens."""
    return load_screens()


@pytest.mark.parametrize(("language", "kind", "text"), SAID)
def test_crisis_is_seen(
    screens: dict[Language, Screen], language: Language, kind: str, text: str
) -> None:
    """What people say plainly is found, with its kind."""
    assert crisis_of(screens, language, [text]) == kind


@pytest.mark.parametrize(("language", "text"), HARMLESS)
def test_exaggeration_is_no_crisis(
    screens: dict[Language, Screen], language: Language, text: str
) -> None:
    """Being dead tired is not being in danger."""
    assert crisis_of(screens, language, [text]) is None


def test_english_signs_are_words(screens: dict[Language, Screen]) -> None:
    """So a text without a Latin letter needs no look: no pattern finds anything in one."""
    file = screens["en"].file
    patterns = [
        *file.idioms,
        *file.incitement,
        *(sign for kind in KINDS for sign in file.signs[kind]),
    ]
    texts = [text for language, _, text in SAID if language == "zh"]
    without = [re.sub("[a-z]", "", text, flags=re.IGNORECASE) for text in texts]
    for pattern in patterns:
        assert not any(re.search(pattern, text, re.IGNORECASE) for text in [*without, "", "123 !?"])


def test_crisis_in_the_other_language_or_an_earlier_turn_counts(
    screens: dict[Language, Screen],
) -> None:
    """People switch languages, and what was said before still holds."""
    assert crisis_of(screens, "zh", ["I want to die"]) == "suicide"
    assert crisis_of(screens, "en", ["我不想活了", "never mind"]) == "suicide"


def test_more_urgent_kind_is_answered(screens: dict[Language, Screen]) -> None:
    """Suicide comes before self-harm, and both before abuse."""
    assert crisis_of(screens, "zh", ["他又打我", "我不想活了"]) == "suicide"


@pytest.mark.parametrize("text", SENTENCES["incitement"])
def test_incitement_is_seen(screens: dict[Language, Screen], text: str) -> None:
    """A reply that sends a person into harm is found in either language."""
    assert any(screen.incites(text) for screen in screens.values())


@pytest.mark.parametrize("text", SENTENCES["harmless"])
def test_teasing_is_no_incitement(screens: dict[Language, Screen], text: str) -> None:
    """A sharp tongue may say that something was to die for."""
    assert not any(screen.incites(text) for screen in screens.values())


def test_safe_replies_are_plain_and_invent_no_number(screens: dict[Language, Screen]) -> None:
    """Each points to local help, holds no digit, no control token, and starts no new crisis."""
    help_words = {"zh": "当地", "en": "local"}
    for language, screen in screens.items():
        for replies in screen.file.replies.values():
            for reply in replies:
                assert help_words[language] in reply
                assert not re.search(r"\d", reply)
                assert not find_personal_data(reply)
                assert control_token(reply) is None
                assert not screen.incites(reply)
                assert screen.is_safe_reply(reply)


def test_same_question_gets_the_same_reply(screens: dict[Language, Screen]) -> None:
    """A rerun writes the same row, and questions share the replies out."""
    zh = screens["zh"]
    assert zh.reply("suicide", "我不想活了") == zh.reply("suicide", "我不想活了")
    assert len({zh.reply("suicide", f"我不想活了{n}") for n in range(40)}) > 1


def document(signs: dict[str, str], replies: dict[str, str] | None = None) -> str:
    """Return the text of a screen's file; every kind has a reply, unless told otherwise."""
    answers = replies or dict.fromkeys(KINDS, "好")
    lines = ["schema_version = 1", "language = 'zh'", "idioms = ['ab']", "incitement = ['cd']"]
    lines += ["[signs]", *(f"{kind} = ['{sign}']" for kind, sign in signs.items())]
    lines += ["[replies]", *(f"{kind} = ['{reply}']" for kind, reply in answers.items())]
    return "\n".join(lines)


def test_broken_file_is_named(tmp_path: Path) -> None:
    """An operator who edits a pattern is told which file is at fault."""
    (tmp_path / "zh.toml").write_text(document(dict.fromkeys(KINDS, "x(")), encoding="utf-8")
    with pytest.raises(ValueError, match=r"zh\.toml.*\n?.*signs"):
        load_screens(tmp_path)


def test_kind_without_signs_or_reply_is_refused(tmp_path: Path) -> None:
    """A screen must be able to see and to answer every kind."""
    text = document(dict.fromkeys(KINDS, "xy"), replies={"suicide": "好"})
    (tmp_path / "zh.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="no safe reply to self_harm, abuse"):
        load_screens(tmp_path)
