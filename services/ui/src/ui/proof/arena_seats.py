"""The arena as it is seen: two replies without a name, and their names after the vote (pure)."""

from html import escape

from contracts.evaluation import Reply
from ui.proof.arena import Outcome, Seated
from ui.proof.plot import key_mark
from ui.proof.sides import mark_of
from ui.proof.words import Names, who
from ui.texts import Texts

SEATS = ("left", "right")


def pair_html(texts: Texts, seated: Seated, names: Names) -> str:
    """Return the question with both replies: nothing in it says whose they are."""
    asked = seated.duel.first
    style = texts("arena.wanted", style=names.get(asked.style, asked.style))
    seats = "".join(
        seat_html(texts, seat, reply) for seat, reply in zip(SEATS, seated.replies, strict=True)
    )
    return (
        f'<div class="ts-p-duel"><p class="ts-p-asked" tabindex="-1" id="arena-question">'
        f'<span class="ts-p-tag">{escape(style)}</span> {escape(asked.question)}</p>'
        f'<div class="ts-p-sides">{seats}</div></div>'
    )


def seat_html(texts: Texts, seat: str, reply: Reply, extra: str = "", mark: str = "") -> str:
    """Return one reply under the letter of its seat."""
    return (
        f'<section class="ts-p-side ts-p-seat{mark}"><h4>{escape(texts(f"arena.{seat}"))}{extra}'
        f'</h4><p class="ts-p-reply">{escape(reply.reply)}</p></section>'
    )


def revealed_html(texts: Texts, seated: Seated, outcome: Outcome, names: Names) -> str:
    """Return the same pair with its names, and how it was voted."""
    asked = seated.duel.first
    winner = seated.winner(outcome)
    seats = "".join(
        seat_html(texts, seat, reply, named(texts, reply), won(reply, winner))
        for seat, reply in zip(SEATS, seated.replies, strict=True)
    )
    said = texts(
        f"arena.said_{outcome}",
        winner=who(texts, winner),
        left=who(texts, seated.replies[0].contestant),
        right=who(texts, seated.replies[1].contestant),
    )
    style = names.get(asked.style, asked.style)
    return (
        f'<div class="ts-p-duel"><p class="ts-p-asked"><span class="ts-p-tag">{escape(style)}'
        f'</span> {escape(asked.question)}</p><div class="ts-p-sides">{seats}</div>'
        f'<p class="ts-p-said" role="status">{escape(said)}</p></div>'
    )


def named(texts: Texts, reply: Reply) -> str:
    """Return whose reply it was."""
    return (
        f' <span class="ts-p-who">{key_mark(mark_of(reply.contestant))}'
        f"{escape(who(texts, reply.contestant))} <code>{escape(reply.model)}</code></span>"
    )


def won(reply: Reply, winner: str) -> str:
    """Return the class of a seat that won."""
    return " ts-p-won" if reply.contestant == winner else ""


def finished_html(texts: Texts, every: int) -> str:
    """Return what is said where a person has seen all pairs, or there are none to be seen."""
    key = "arena.all_seen" if every else "arena.nothing"
    return f'<p class="ts-p-empty">{escape(texts(key))}</p>'


def told_html(texts: Texts, own: int, every: int, waiting: int) -> str:
    """Return how far a person is, and whether votes still wait for datagen."""
    said = texts("arena.progress", own=own, every=every)
    if waiting:
        said += " " + texts("arena.waiting", count=waiting)
    return f'<p class="ts-faint">{escape(said)}</p>'
