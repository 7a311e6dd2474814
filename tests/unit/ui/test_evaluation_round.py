"""What votes have come to."""

from contracts.votes import VoteCounts
from fakes.page_jobs import job
from fakes.stack import Stack
from ui.proof.round import counts_html, made_html, started_html
from ui.texts import texts_in

EN = texts_in("en")


def test_votes_are_counted_by_style() -> None:
    """Decided ones, the others, and those on single replies; what waits is told."""
    counts = VoteCounts(
        votes=9,
        corrections=2,
        by_style={"gentle": {"up": 3, "down": 1}},
        compared={"<i>": {"decided": 4, "tie": 1}},
    )
    page = counts_html(EN, counts, {"gentle": "Gentle"}, 2)
    assert EN("prove.pairs_total", pairs=4, corrections=2) in page
    assert "&lt;i&gt;" in page
    assert "Gentle" in page
    assert EN("arena.waiting", count=2) in page
    empty = VoteCounts(votes=0, corrections=0, by_style={})
    assert EN("prove.no_pairs") in counts_html(EN, empty, {}, 0)


def test_version_says_what_can_be_trained_on() -> None:
    """Pairs that are held out only train nothing."""
    version = Stack().datasets[0]
    some = version.model_copy(update={"rows": {"preference": 6}})
    none = version.model_copy(update={"rows": {"preference-eval": 6}})
    assert EN("prove.by_hand") in made_html(EN, some)
    assert EN("prove.none_to_train") in made_html(EN, none)
    assert "eval-1" in started_html(EN, job("eval-1"))
