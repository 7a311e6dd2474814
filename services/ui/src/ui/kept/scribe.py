"""Writes a conversation down while it is held: the question at once, the reply as it grows.

SQLite is used in threads, beside the stream and never before it: a disk that is slow or full costs
nobody their first word.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from contracts.sample import Message
from kit.config import SettingsError
from ui.errors import StoreError
from ui.kept.branches import CUT, WHOLE, Said
from ui.kept.conversations import CONTENT_LENGTH, ROW_BYTES, Conversations, Setup, stamp

Found = TypeVar("Found")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Spot:
    """Where a question belongs.

    Attributes:
        user: whose conversation it is.
        name: the conversation; empty: a new one.
        parent: the reply that it follows; None: it is the first.
        question: the message, if it is kept already and only asked again.
    """

    user: str
    name: str = ""
    parent: int | None = None
    question: int | None = None


async def in_store(work: Callable[..., Found], *values: object) -> Found:
    """Return what `work` does with what is kept, in a thread. Raises StoreError."""
    try:
        return await asyncio.to_thread(work, *values)
    except (sqlite3.Error, SettingsError, OSError) as error:
        logger.exception("what is kept cannot be read or written")
        raise StoreError("disk", reason=str(error)) from error


class Scribe:
    """Keeps one question and its reply.

    Args:
        store: where they are kept.
        spot: where the question belongs.
        text: the question.
        setup: how it is asked.
    """

    def __init__(self, store: Conversations, spot: Spot, text: str, setup: Setup) -> None:
        self.store = store
        self.spot = spot
        self.text = text
        self.setup = setup
        self.name = spot.name
        self.question = spot.question
        self.reply: int | None = None

    def ask(self) -> None:
        """Keep the question and how it is asked. Raises StoreError."""
        user = self.spot.user
        with self.store.state.write() as database:
            if not self.name:
                self.name = self.store.begun(database, user, self.setup, self.text).id
            number = self.store.number(database, user, self.name)
            database.execute(
                "UPDATE conversations SET setup = ?, updated = ? WHERE number = ?",
                (self.setup.model_dump_json(), stamp(), number),
            )
            if self.question is None:
                message = Message(role="user", content=self.text)
                parent, nobody = self.spot.parent, ("", "")
                said = self.store.added(database, user, number, parent, message, nobody)
                self.store.shown(database, number, said.id)
                self.question = said.id

    def answer(self, text: str, asked: tuple[str, str], *, whole: bool) -> None:
        """Keep the reply as far as it has come; `asked` is its model and its style.

        Raises StoreError; what was kept of a reply that grew too long stays.
        """
        if len(text) > CONTENT_LENGTH:
            raise StoreError("too_long", limit=CONTENT_LENGTH)
        state = WHOLE if whole else CUT
        with self.store.state.write() as database:
            number = self.store.number(database, self.spot.user, self.name)
            if self.reply is None:
                self.reply = self._added(database, number, text, asked, state).id
                self.store.shown(database, number, self.reply)
                return
            database.execute(
                "UPDATE messages SET content = ?, size = ?, state = ? "
                "WHERE id = ? AND conversation = ?",
                (text, len(text.encode()) + ROW_BYTES, state, self.reply, number),
            )

    def _added(
        self,
        database: sqlite3.Connection,
        number: int,
        text: str,
        asked: tuple[str, str],
        state: str,
    ) -> Said:
        message = Message(role="assistant", content=text)
        return self.store.added(
            database, self.spot.user, number, self.question, message, asked, state
        )
