"""Each person's conversations: trees of messages, in the page's state.

A message follows its parent; an edited question, a second answer and the answers of several models
are further children of one parent, so nothing that was said is lost. What is shown is one branch:
from the first message to the conversation's `leaf`.

Invariant: every statement names the user. What is another's does not exist.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection, Row
from typing import Annotated, Any

from pydantic import Field

from contracts.model import Recorded
from contracts.sample import Message
from ui.errors import StoreError
from ui.kept.branches import WHOLE, Said, newest_below, path_to, said_of
from ui.kept.state import State

TITLE_LENGTH, NAME_LENGTH = 80, 200
CONTENT_LENGTH = 32_000
PAGE = 50
# What a message takes beside its text, so that many empty ones count too.
ROW_BYTES = 200


class Setup(Recorded):
    """How a conversation is asked; what is left open is the page's or the model's default."""

    style: str = Field(default="", max_length=NAME_LENGTH)
    models: list[Annotated[str, Field(max_length=NAME_LENGTH)]] = Field(default=[], max_length=3)
    system: str = Field(default="", max_length=8000, description="instead of the style's own")
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1, le=8192)
    seed: int | None = Field(default=None, ge=0)


@dataclass(frozen=True)
class Limits:
    """What one person may keep."""

    conversations: int = 500
    messages: int = 2000
    bytes: int = 50 << 20


@dataclass(frozen=True)
class Conversation:
    """One conversation without its messages."""

    id: str
    title: str
    setup: Setup
    leaf: int | None
    created: str
    updated: str


class Conversations:
    """Keeps, finds and forgets conversations.

    Args:
        state: the page's state.
        limits: what one person may keep.
    """

    def __init__(self, state: State, limits: Limits | None = None) -> None:
        self.state = state
        self.limits = limits or Limits()

    def create(self, user: str, setup: Setup, title: str = "") -> Conversation:
        """Begin a conversation. Raises StoreError `full`."""
        with self.state.write() as database:
            return self.begun(database, user, setup, title)

    def begun(self, database: Connection, user: str, setup: Setup, title: str) -> Conversation:
        """Insert a conversation. Raises StoreError `full`."""
        counted = "SELECT count(*) FROM conversations WHERE user = ?"
        if database.execute(counted, (user,)).fetchone()[0] >= self.limits.conversations:
            raise StoreError("full", limit=self.limits.conversations)
        name, now = f"c-{secrets.token_hex(8)}", stamp()
        database.execute(
            "INSERT INTO conversations (id, user, title, setup, created, updated) "
            "VALUES (?,?,?,?,?,?)",
            (name, user, shortened(title), setup.model_dump_json(), now, now),
        )
        return Conversation(name, shortened(title), setup, None, now, now)

    def listed(
        self, user: str, search: str = "", offset: int = 0, limit: int = PAGE
    ) -> list[Conversation]:
        """Return conversations, the last used first; all words of `search` are in each of them."""
        words = [f"%{escaped(word)}%" for word in search.split()[:8]]
        found = (
            " AND (title LIKE ? ESCAPE '\\' OR EXISTS (SELECT 1 FROM messages "
            "WHERE conversation = conversations.number AND content LIKE ? ESCAPE '\\'))"
        )
        rows = self.state.read(
            f"SELECT * FROM conversations WHERE user = ?{found * len(words)} "
            "ORDER BY updated DESC, number DESC LIMIT ? OFFSET ?",
            [user, *(word for word in words for _ in range(2)), limit, offset],
        )
        return [conversation(row) for row in rows]

    def get(self, user: str, name: str) -> Conversation:
        """Return a conversation. Raises StoreError `unknown`."""
        return conversation(self._row(user, name))

    def rename(self, user: str, name: str, title: str) -> None:
        """Give a conversation another title. Raises StoreError `unknown`."""
        self._set(user, name, "title", shortened(title))

    def delete(self, user: str, name: str) -> None:
        """Forget a conversation with all its messages. Raises StoreError `unknown`."""
        with self.state.write() as database:
            values = (user, name)
            gone = database.execute("DELETE FROM conversations WHERE user = ? AND id = ?", values)
            if not gone.rowcount:
                raise StoreError("unknown")

    def delete_all(self, user: str) -> int:
        """Forget everything that a person said; return how many conversations there were."""
        with self.state.write() as database:
            return self.forgotten(database, user)

    def forgotten(self, database: Connection, user: str) -> int:
        """Delete everything that a person said; return how many conversations there were."""
        return database.execute("DELETE FROM conversations WHERE user = ?", (user,)).rowcount

    def append(
        self, user: str, name: str, parent: int | None, message: Message, asked: tuple[str, str]
    ) -> Said:
        """Add a message after `parent` (None: at the beginning), and show its branch.

        Args:
            user: whose conversation it is.
            name: the conversation.
            parent: a message of it.
            message: role and text.
            asked: the model that says it and its style; both empty for a question.

        Raises:
            StoreError: `unknown`, there is no such conversation or parent; `full`; `too_long`.
            ValueError: question and answer do not take turns.
        """
        with self.state.write() as database:
            number = self.number(database, user, name)
            said = self.added(database, user, number, parent, message, asked)
            self.shown(database, number, said.id)
        return said

    def added(
        self,
        database: Connection,
        user: str,
        number: int,
        parent: int | None,
        message: Message,
        asked: tuple[str, str],
        state: str = WHOLE,
    ) -> Said:
        """Insert a message where there is room for it. Raises StoreError."""
        if len(message.content) > CONTENT_LENGTH:
            raise StoreError("too_long", limit=CONTENT_LENGTH)
        self.check_room(database, user, number, [message.content])
        return self.inserted(database, number, parent, message, asked, state)

    def inserted(
        self,
        database: Connection,
        number: int,
        parent: int | None,
        message: Message,
        asked: tuple[str, str],
        state: str,
    ) -> Said:
        """Insert a message for which there is room. Raises StoreError `unknown`, ValueError."""
        before = self._role(database, number, parent)
        if message.role not in ("user", "assistant") or message.role == before:
            raise ValueError(f"{message.role} does not follow {before}")
        size = len(message.content.encode()) + ROW_BYTES
        row = (number, parent, message.role, message.content, *asked, stamp(), size, state)
        found = database.execute(
            "INSERT INTO messages "
            "(conversation, parent, role, content, model, style, at, size, state) "
            "VALUES (?,?,?,?,?,?,?,?,?) RETURNING *",
            row,
        ).fetchone()
        return said_of(found)

    def shown(self, database: Connection, number: int, leaf: int | None) -> None:
        """Show the branch that ends in `leaf`, and note that the conversation was used."""
        database.execute(
            "UPDATE conversations SET leaf = ?, updated = ? WHERE number = ?",
            (leaf, stamp(), number),
        )

    def tree(self, user: str, name: str) -> list[Said]:
        """Return all messages, each after its parent. Raises StoreError `unknown`."""
        number = self._row(user, name)["number"]
        rows = self.state.read(
            "SELECT * FROM messages WHERE conversation = ? ORDER BY id", [number]
        )
        return [said_of(row) for row in rows]

    def branch(self, user: str, name: str) -> list[Said]:
        """Return the messages of the branch that is shown. Raises StoreError `unknown`."""
        return path_to(self.tree(user, name), self.get(user, name).leaf)

    def switch(self, user: str, name: str, message: int) -> list[Said]:
        """Show the newest branch through a message, and return it. Raises StoreError `unknown`."""
        tree = self.tree(user, name)
        if all(said.id != message for said in tree):
            raise StoreError("unknown")
        leaf = newest_below(tree, message)
        self._set(user, name, "leaf", leaf)
        return path_to(tree, leaf)

    def _role(self, database: Connection, number: int, parent: int | None) -> str:
        if parent is None:
            return "assistant"
        statement = "SELECT role FROM messages WHERE id = ? AND conversation = ?"
        found = database.execute(statement, (parent, number)).fetchone()
        if found is None:
            raise StoreError("unknown")
        return str(found["role"])

    def check_room(
        self, database: Connection, user: str, number: int, contents: Sequence[str]
    ) -> None:
        """Raise StoreError unless a conversation has room for these messages.

        All that a person keeps is counted for it: so for a whole file it is asked once.
        """
        size = sum(len(content.encode()) + ROW_BYTES for content in contents)
        counted = "SELECT count(*) FROM messages WHERE conversation = ?"
        kept = database.execute(counted, (number,)).fetchone()[0]
        if kept + len(contents) > self.limits.messages:
            raise StoreError("long", limit=self.limits.messages)
        used = database.execute(
            "SELECT coalesce(sum(size), 0) FROM messages JOIN conversations "
            "ON conversation = number WHERE user = ?",
            (user,),
        ).fetchone()[0]
        if used + size > self.limits.bytes:
            raise StoreError("full", limit=self.limits.conversations)

    def _row(self, user: str, name: str) -> Row:
        rows = self.state.read(
            "SELECT * FROM conversations WHERE user = ? AND id = ?", [user, name]
        )
        if not rows:
            raise StoreError("unknown")
        return rows[0]

    def number(self, database: Connection, user: str, name: str) -> int:
        """Return the row of a person's conversation. Raises StoreError `unknown`."""
        statement = "SELECT number FROM conversations WHERE user = ? AND id = ?"
        found = database.execute(statement, (user, name)).fetchone()
        if found is None:
            raise StoreError("unknown")
        return int(found["number"])

    def _set(self, user: str, name: str, column: str, value: Any) -> None:
        with self.state.write() as database:
            database.execute(
                f"UPDATE conversations SET {column} = ?, updated = ? WHERE number = ?",
                (value, stamp(), self.number(database, user, name)),
            )


def conversation(row: Row) -> Conversation:
    """Return a row as a conversation."""
    kept = ("id", "title", "leaf", "created", "updated")
    setup = Setup.model_validate_json(row["setup"])
    return Conversation(setup=setup, **{key: row[key] for key in kept})


def stamp() -> str:
    """Return the time now."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def shortened(title: str) -> str:
    """Return a title on one line that a list has room for."""
    line = " ".join(title.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1] + "…"


def escaped(word: str) -> str:
    """Return a word in which nothing is a wildcard of LIKE."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
