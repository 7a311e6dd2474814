"""Votes and corrections on kept replies: noted at once, and sent to datagen when it answers.

A vote waits in an outbox in the page's state. It is known by who votes on which reply to what, the
very things by which datagen knows it; so what is sent twice because an answer was lost is one vote
there, and a vote that changes while it waits is sent once, as it is last. datagen gets an opaque
id instead of a name.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Literal

from pydantic import ValidationError

from contracts.sample import Turn
from contracts.votes import Vote
from ui.errors import StoreError
from ui.kept.branches import WHOLE, Said, path_to
from ui.kept.conversations import Conversations
from ui.kept.state import State

Value = Literal[-1, 0, 1]
# What a vote may carry of what was said before.
HISTORY = 32
USER_LENGTH = 32
KEY_FILE = "votes.key"


@dataclass(frozen=True)
class Ballot:
    """A vote that waits; `number` changes when the vote does."""

    key: str
    number: int
    vote: Vote


class Ballots:
    """Takes votes, and keeps them until they are sent.

    Args:
        state: the page's state.
        conversations: where the replies are kept.
    """

    def __init__(self, state: State, conversations: Conversations) -> None:
        self.state = state
        self.conversations = conversations

    def cast(
        self, user: str, name: str, message: int, value: Value, correction: str | None = None
    ) -> Vote:
        """Note a vote on a reply; said again, it replaces, and 0 takes it back.

        Args:
            user: who votes.
            name: the conversation.
            message: the reply.
            value: better, worse, or neither.
            correction: what it should have said.

        Raises:
            StoreError: `unknown`; `no_vote`, that is no reply in a style, or the text is too long.
        """
        tree = self.conversations.tree(user, name)
        vote = vote_on(path_to(tree, message), message, value, correction, self.opaque(user))
        with self.state.write() as database:
            database.execute(
                "INSERT INTO votes (message, value, correction) VALUES (?,?,?) ON CONFLICT "
                "(message) DO UPDATE SET value = excluded.value, correction = excluded.correction",
                (message, value, correction),
            )
            enqueue(database, user, vote)
        return vote

    def votes(self, user: str, name: str) -> dict[int, tuple[Value, str | None]]:
        """Return the votes on a conversation's replies. Raises StoreError `unknown`."""
        known = {said.id for said in self.conversations.tree(user, name)}
        rows = self.state.read(
            "SELECT votes.* FROM votes JOIN messages ON message = messages.id JOIN conversations "
            "ON conversation = conversations.number WHERE user = ? AND conversations.id = ?",
            [user, name],
        )
        return {
            row["message"]: (row["value"], row["correction"])
            for row in rows
            if row["message"] in known
        }

    def waiting(self, limit: int = 100) -> list[Ballot]:
        """Return votes that were not sent yet, the oldest first."""
        rows = self.state.read(
            "SELECT key, number, vote FROM outbox WHERE refused = '' ORDER BY number LIMIT ?",
            [limit],
        )
        return [Ballot(row["key"], row["number"], parsed(row["vote"])) for row in rows]

    def refused(self, user: str) -> list[str]:
        """Return why datagen refused votes of this person."""
        rows = self.state.read(
            "SELECT refused FROM outbox WHERE user = ? AND refused != '' ORDER BY number", [user]
        )
        return [row["refused"] for row in rows]

    def sent(self, ballot: Ballot) -> None:
        """Take a vote out of the outbox, unless it has changed since."""
        with self.state.write() as database:
            database.execute(
                "DELETE FROM outbox WHERE key = ? AND number = ?", (ballot.key, ballot.number)
            )

    def turn_down(self, ballot: Ballot, reason: str) -> None:
        """Keep a vote that datagen refuses, with the reason, and send it no more."""
        with self.state.write() as database:
            database.execute(
                "UPDATE outbox SET refused = ? WHERE key = ? AND number = ?",
                (reason[:500] or "?", ballot.key, ballot.number),
            )

    def opaque(self, user: str) -> str:
        """Return the id under which datagen knows a person: the same always, and no name."""
        key = self.state.secret(KEY_FILE)
        return hmac.new(key, user.encode(), hashlib.sha256).hexdigest()[:USER_LENGTH]


def enqueue(database: Connection, user: str, vote: Vote) -> None:
    """Put a vote into the outbox; it replaces what waits there on the same reply."""
    database.execute(
        "INSERT INTO outbox (key, number, user, vote) VALUES "
        "(?, (SELECT coalesce(max(number), 0) + 1 FROM outbox), ?, ?) ON CONFLICT (key) "
        "DO UPDATE SET number = excluded.number, vote = excluded.vote, refused = ''",
        (vote_key(vote), user, vote.model_dump_json()),
    )


def vote_on(
    path: Sequence[Said], message: int, value: Value, correction: str | None, user: str
) -> Vote:
    """Return the vote on the last message of a path. Raises StoreError."""
    if not path or path[-1].id != message:
        raise StoreError("unknown")
    *before, reply = path
    if reply.role != "assistant" or not before:
        raise StoreError("no_vote", reason_key="vote.no_reply")
    if reply.state != WHOLE:
        raise StoreError("no_vote", reason_key="vote.cut")
    if not reply.style:
        raise StoreError("no_vote", reason_key="vote.no_style")
    *earlier, question = before
    try:
        return Vote(
            question=question.content,
            reply=reply.content,
            style=reply.style,
            model=reply.model,
            value=value,
            correction=correction,
            history=turns(earlier)[-HISTORY:],
            user=user,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise StoreError("no_vote", reason=f"{first['loc'][0]}: {first['msg']}") from error


def turns(path: Sequence[Said]) -> list[Turn]:
    """Return earlier messages as exchanges."""
    pairs = zip(path[::2], path[1::2], strict=False)
    return [Turn(user=asked.content, assistant=said.content) for asked, said in pairs]


def vote_key(vote: Vote) -> str:
    """Return what a vote is known by, here as in datagen: all but what it says."""
    kept = vote.model_dump(mode="json", exclude={"value", "correction"})
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def parsed(text: str) -> Vote:
    """Return a kept vote."""
    return Vote.model_validate_json(text)
