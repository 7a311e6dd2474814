"""What the arena shows before a vote and after it."""

import pytest

from contracts.style import Language
from fakes.library import shipped_styles
from fakes.page_stack_prove import NAMES, replies
from ui.proof.arena import OUTCOMES, Seated, duels
from ui.proof.arena_seats import finished_html, pair_html, revealed_html, told_html
from ui.proof.words import style_names, who
from ui.texts import LANGUAGES, texts_in

STYLES = style_names(texts_in("en"), [one.style for one in shipped_styles()])


def seated(number: int, left: int = 0) -> Seated:
    """Return a pair as it is shown."""
    duel = duels("eval-tonesmith", replies(shipped_styles()))[number]
    return Seated(duel, duel.rivals[left])


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_says_whose_a_reply_is_before_the_vote(language: Language) -> None:
    """No name, no model, no mark, no evaluation; and the seats look alike."""
    texts = texts_in(language)
    for number in range(len(duels("e", replies(shipped_styles())))):
        for left in (0, 1):
            page = pair_html(texts, seated(number, left), STYLES)
            bare = page
            for reply in seated(number, left).replies:
                assert reply.reply in bare
                bare = bare.replace(reply.reply, "")
            for name in NAMES:
                assert name not in bare
                assert who(texts, name) not in bare
                assert f"served-{name}" not in bare
            assert "eval-tonesmith" not in bare
            assert "<svg" not in bare
            assert bare.count("ts-p-seat") == 2
            assert "ts-p-won" not in bare


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_vote_tells_both_names(outcome: str) -> None:
    """With their models; a winner is marked in words too."""
    texts = texts_in("en")
    page = revealed_html(texts, seated(0), outcome, STYLES)  # type: ignore[arg-type]
    for reply in seated(0).replies:
        assert who(texts, reply.contestant) in page
        assert reply.model in page
    assert ("ts-p-won" in page) == (outcome in ("left", "right"))


def test_words_of_models_stay_text() -> None:
    """In question and replies, before and after."""
    evil = "<img src=x onerror=alert(1)>"
    said = [
        one.model_copy(update={"question": evil, "reply": evil + one.contestant, "model": evil})
        for one in replies(shipped_styles())
    ]
    duel = duels("eval", said)[0]
    texts = texts_in("zh")
    for page in (
        pair_html(texts, Seated(duel, "base"), {}),
        revealed_html(texts, Seated(duel, "base"), "left", {}),
    ):
        assert "<img" not in page


def test_end_and_votes_that_wait_are_told() -> None:
    """In words."""
    texts = texts_in("en")
    assert finished_html(texts, 3) != finished_html(texts, 0)
    assert "2" in told_html(texts, 1, 9, 2)
    assert told_html(texts, 1, 9, 0) != told_html(texts, 1, 9, 2)
