"""How the arena stands."""

import pytest

from ui.proof.arena import Past
from ui.proof.arena_tally import FEWEST, standings, tally_html, wilson
from ui.texts import texts_in

EN = texts_in("en")


def votes(*outcomes: str) -> list[Past]:
    """Return votes between base and tuned."""
    return [
        Past(str(at), "gentle", "base", "tuned", outcome, "base")
        for at, outcome in enumerate(outcomes)
    ]


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(0, 0, 0.0, 1.0), (5, 5, 0.566, 1.0), (0, 5, 0.0, 0.434), (50, 100, 0.404, 0.596)],
)
def test_interval_is_wilsons(hits: int, count: int, low: float, high: float) -> None:
    """Right at the ends too: five of five is not certain."""
    found = wilson(hits, count)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))


def test_ties_are_told_and_not_counted_as_wins() -> None:
    """The best comes first."""
    first, second = standings(votes("tuned", "tuned", "base", "tie", "bad"))
    assert (first.contestant, first.wins, first.decided) == ("tuned", 2, 3)
    assert (second.contestant, second.wins, second.decided) == ("base", 1, 3)


def test_few_votes_show_no_standing() -> None:
    """Nothing that would mislead; then the shares with their intervals."""
    early = tally_html(EN, votes(*["tuned"] * (FEWEST - 1), "tie"), 5)
    assert "table" not in early
    assert EN("arena.early", left=1) in early
    shown = tally_html(EN, votes(*["tuned"] * FEWEST, "tie", "bad"), 2)
    assert f"{FEWEST} / {FEWEST}" in shown
    assert 'role="img"' in shown
    assert EN("report.tuned") in shown
