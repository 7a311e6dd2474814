"""Replies of several contestants to the same held-out question, next to each other (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from contracts.evaluation import Reply
from ui.proof.plot import key_mark
from ui.proof.words import KINDS, MARKS, Names, percent, who
from ui.texts import Texts

# Columns that can be read next to each other, and questions on one sheet.
MOST_SIDES = 3
PAGE = 5
ORDERS = ("drawn", "differ", "failed")
PLAIN = "(plain)"


@dataclass(frozen=True)
class Exchange:
    """The replies of the contestants to one question."""

    replies: Mapping[str, Reply]

    @property
    def one(self) -> Reply:
        """Any of them: the question and the style are the same."""
        return next(iter(self.replies.values()))

    @property
    def spread(self) -> float:
        """How far apart the strongest and the weakest reply are in style."""
        found = [reply.strength for reply in self.replies.values()]
        return max(found) - min(found)

    @property
    def failed(self) -> bool:
        """Whether the tuned reply went wrong: in tone, in matter, or as a text."""
        reply = self.replies.get("tuned")
        return reply is not None and (
            reply.predicted_style != reply.style or reply.on_topic is False or bool(reply.defects)
        )


def exchanges(replies: Sequence[Reply]) -> list[Exchange]:
    """Return the first questions with all replies to them, in the order in which they were asked.

    What a question was asked with (its style and number) tells it from the others.
    """
    found: dict[tuple[str, int], dict[str, Reply]] = {}
    for reply in replies:
        if reply.turn == 1:
            found.setdefault((reply.style, reply.number), {})[reply.contestant] = reply
    return [Exchange(one) for one in found.values()]


def chosen(every: Sequence[Exchange], style: str, order: str) -> list[Exchange]:
    """Return the exchanges of one style, or of all, in the order that was asked for."""
    found = [one for one in every if style in ("", one.one.style)]
    if order == "differ":
        return sorted(found, key=lambda one: -one.spread)
    if order == "failed":
        return sorted(found, key=lambda one: not one.failed)
    return found


def pages(every: Sequence[Exchange]) -> int:
    """Return how many sheets there are."""
    return max(1, -(-len(every) // PAGE))


def sides_html(
    texts: Texts, every: Sequence[Exchange], page: int, names: Names, shown: Sequence[str]
) -> str:
    """Return one sheet of exchanges, with the contestants that were picked, three at most."""
    if not every:
        return f'<p class="ts-faint ts-p-empty">{escape(texts("prove.no_replies"))}</p>'
    at = min(max(page, 1), pages(every)) - 1
    cards = "".join(
        exchange_html(texts, one, names, shown) for one in every[at * PAGE : (at + 1) * PAGE]
    )
    return f'<div class="ts-p-exchanges">{cards}</div>'


def exchange_html(texts: Texts, one: Exchange, names: Names, shown: Sequence[str]) -> str:
    """Return a question with its replies."""
    sides = [name for name in shown if name in one.replies][:MOST_SIDES]
    style = names.get(one.one.style, one.one.style)
    failed = f' <b class="ts-p-wrong">{escape(texts("prove.went_wrong"))}</b>' if one.failed else ""
    columns = "".join(reply_html(texts, name, one.replies[name], names) for name in sides)
    return (
        '<article class="ts-p-exchange"><p class="ts-p-asked"><span class="ts-p-tag">'
        f"{escape(style)}</span> {escape(one.one.question)}{failed}</p>"
        f'<div class="ts-p-sides">{columns}</div></article>'
    )


def reply_html(texts: Texts, name: str, reply: Reply, names: Names) -> str:
    """Return one contestant's reply, with what was heard in it."""
    text = escape(reply.reply) or escape(texts("prove.empty_reply"))
    return (
        f'<section class="ts-p-side"><h4>{key_mark(mark_of(name))}{escape(who(texts, name))}'
        f'</h4><p class="ts-p-reply">{text}</p>{heard_html(texts, reply, names)}</section>'
    )


def mark_of(name: str) -> int:
    """Return the number of a contestant's mark."""
    return KINDS.index(name) if name in KINDS else MARKS - 1


def heard_html(texts: Texts, reply: Reply, names: Names) -> str:
    """Return what the judge heard in a reply, and what is wrong with it, as marks with words."""
    plain = texts("prove.plain")
    heard = plain if reply.predicted_style == PLAIN else reply.predicted_style
    heard = names.get(heard, heard) or texts("prove.nothing")
    right = reply.predicted_style == reply.style
    marks = [(right, texts("prove.heard", style=heard, share=percent(reply.strength)))]
    if reply.on_topic is not None:
        marks.append((reply.on_topic, texts(f"prove.topic_{'on' if reply.on_topic else 'off'}")))
    marks += [(False, texts.table.get(f"report.{defect}", defect)) for defect in reply.defects[:5]]
    items = "".join(
        f'<li class="ts-p-{"good" if good else "bad"}">{"✓" if good else "✕"} {escape(said)}</li>'
        for good, said in marks
    )
    return f'<ul class="ts-p-marks">{items}</ul>'
