"""How the arena stands: each contestant's wins in the votes that decided, with intervals (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import sqrt

from contracts.interval import Interval
from ui.proof.arena import Past
from ui.proof.plot import Dot, interval_rows, key_mark
from ui.proof.sides import mark_of
from ui.proof.words import percent, span, table_html, who
from ui.texts import Texts

# With fewer votes the interval says nothing that would not mislead.
FEWEST = 5
Z = 1.959964


@dataclass(frozen=True)
class Standing:
    """A contestant's wins in the votes that decided, with Wilson's interval."""

    contestant: str
    wins: int
    decided: int

    @property
    def share(self) -> float:
        """The share of wins."""
        return self.wins / self.decided if self.decided else 0.0

    @property
    def interval(self) -> Interval:
        """Its 95 % interval, which is right at 0 and 1 too."""
        return wilson(self.wins, self.decided)


def wilson(hits: int, count: int) -> Interval:
    """Return Wilson's 95 % interval of a share."""
    if not count:
        return Interval(low=0.0, high=1.0)
    share, square = hits / count, Z * Z / count
    middle = (share + square / 2) / (1 + square)
    half = Z * sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return Interval(low=max(0.0, middle - half), high=min(1.0, middle + half))


def standings(votes: Sequence[Past]) -> list[Standing]:
    """Return every contestant that was voted on, the one that wins most first."""
    names = sorted({name for vote in votes for name in (vote.first, vote.second)})
    decided = [vote for vote in votes if vote.outcome in (vote.first, vote.second)]
    found = [
        Standing(
            name,
            sum(vote.outcome == name for vote in decided),
            sum(name in (vote.first, vote.second) for vote in decided),
        )
        for name in names
    ]
    return sorted(found, key=lambda one: -one.share)


def tally_html(texts: Texts, votes: Sequence[Past], own: int) -> str:
    """Return how the arena stands; only that it is too early while there are few votes."""
    title = f"<h3>{escape(texts('arena.tally'))}</h3>"
    decided = sum(vote.outcome in (vote.first, vote.second) for vote in votes)
    if decided < FEWEST:
        early = texts("arena.early", left=FEWEST - decided)
        return f'<div class="ts-p-tally">{title}<p class="ts-faint">{escape(early)}</p></div>'
    rows = [standing_cells(texts, one) for one in standings(votes)]
    heads = ["arena.contestant", "arena.picture", "arena.wins", "arena.share"]
    table = table_html([texts(key) for key in heads], rows)
    ties = sum(vote.outcome == "tie" for vote in votes)
    bad = sum(vote.outcome == "bad" for vote in votes)
    note = texts("arena.tally_note", votes=len(votes), own=own, ties=ties, bad=bad)
    return f'<div class="ts-p-tally">{title}{table}<p class="ts-faint">{escape(note)}</p></div>'


def standing_cells(texts: Texts, one: Standing) -> list[str]:
    """Return a contestant's row."""
    name, kind = who(texts, one.contestant), mark_of(one.contestant)
    said = f"{percent(one.share)} ({span(one.interval)})"
    dot = Dot(kind, name, one.share, one.interval.low, one.interval.high, said)
    return [
        f"{key_mark(kind)}{escape(name)}",
        interval_rows([dot], line=0.5),
        f"{one.wins} / {one.decided}",
        f"<b>{percent(one.share)}</b> <small>{span(one.interval)}</small>",
    ]
