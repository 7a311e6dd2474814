"""Which styles a judge mixes up."""

from contracts.studio import Collision, StyleConfusion
from ui.style.confusion import confusion_html, verdict
from ui.texts import texts_in

ZH, EN = texts_in("zh"), texts_in("en")


def found(accuracy: float = 0.95, *collisions: Collision) -> StyleConfusion:
    """Return an answer about two styles."""
    matrix = {"a": {"a": 7, "b": 1}, "b": {"a": 0, "b": 8}}
    return StyleConfusion(
        matrix=matrix, accuracy=accuracy, replies=16, missing={"a": 2}, collisions=list(collisions)
    )


def pair(mixed_up: float, *, equal: bool = False) -> Collision:
    """Return what is said of two styles."""
    return Collision(
        styles=("a", "b"),
        mixed_up=mixed_up,
        likeness=1.0 if equal else 0.4,
        indistinguishable=equal,
        shared={"closers": ["<b>bye</b>"]},
        suggestions=["part their closers"],
    )


def test_table_has_numbers_names_and_heads() -> None:
    """Read by ear as well as by eye."""
    shown = confusion_html(EN, found(), {"a": "A & Co", "b": "Bee"})
    assert shown.count('scope="row"') == 2
    assert shown.count('scope="col"') == 3
    assert "A &amp; Co" in shown
    assert '--share:0.88">7<' in shown
    assert EN("styles.missing", number=2) in shown


def test_equal_cards_are_said_to_be_indistinguishable() -> None:
    """Whatever the share of right answers."""
    shown = confusion_html(EN, found(0.5, pair(0.5, equal=True)), {"a": "A", "b": "B"})
    assert EN("styles.pair_equal", first="A", second="B") in shown
    assert EN("styles.verdict_equal") in shown
    assert "<b>bye</b>" not in shown
    assert "part their closers" in shown


def test_verdict_follows_the_share() -> None:
    """Clear, mixed, blurred; and a pair that is hardly mixed up is not named."""
    assert EN("styles.verdict_clear") in verdict(EN, found(0.95))
    assert EN("styles.verdict_mixed") in verdict(EN, found(0.7))
    assert EN("styles.verdict_blurred") in verdict(EN, found(0.3))
    assert "part their closers" not in confusion_html(ZH, found(0.95, pair(0.01)), {})
