"""What the page keeps of each person, in one place: conversations, and votes that wait."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from ui.kept.ballots import Ballots
from ui.kept.conversations import Conversations
from ui.kept.state import State

# Tables of their own, beside the conversations: whatever has a column `user` belongs here.
BY_USER = ("outbox", "arena")


@dataclass(frozen=True)
class Forgotten:
    """What there was of a person; `opaque` is the id under which datagen knows them."""

    conversations: int
    votes: int
    opaque: str


@dataclass(frozen=True)
class Store:
    """How much is kept, and how much room is left; votes by what became of them."""

    waiting: int = 0
    refused: int = 0
    bytes: int = 0
    free: int = 0


@dataclass(frozen=True)
class Keeping:
    """The page's state, and what is in it."""

    state: State
    conversations: Conversations
    ballots: Ballots

    def votes_waiting(self) -> int:
        """Return how many votes datagen has not taken yet; looking makes no file."""
        return self._votes()[0]

    def store(self) -> Store:
        """Return how much is kept. Raises OSError where the folder cannot be read."""
        folder = self.state.folder
        if not folder.is_dir():
            return Store(free=shutil.disk_usage(nearest(folder)).free)
        size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
        return Store(*self._votes(), size, shutil.disk_usage(folder).free)

    def _votes(self) -> tuple[int, int]:
        if not self.state.present:
            return 0, 0
        counted = "SELECT count(*) AS votes, coalesce(sum(refused != ''), 0) AS refused FROM outbox"
        row = self.state.read(counted)[0]
        return row["votes"] - row["refused"], row["refused"]

    def forget(self, user: str) -> Forgotten:
        """Remove all that is kept of a person, from the log of changes too; said twice, it holds.

        Their votes on replies go with the conversations; those that datagen has are its own.
        """
        opaque = self.ballots.opaque(user)
        with self.state.write() as database:
            counted = (
                "SELECT count(*) FROM votes JOIN messages ON votes.message = messages.id "
                "JOIN conversations ON conversation = conversations.number WHERE user = ?"
            )
            votes = int(database.execute(counted, (user,)).fetchone()[0])
            conversations = self.conversations.forgotten(database, user)
            for table in BY_USER:
                database.execute(f"DELETE FROM {table} WHERE user = ?", (user,))
        self.state.empty_log()
        return Forgotten(conversations, votes, opaque)


def nearest(folder: Path) -> Path:
    """Return the first folder above that is there: its disk is where this one will be made."""
    return next(path for path in folder.absolute().parents if path.is_dir())


def keeping(folder: Path) -> Keeping:
    """Return what is kept in a folder; nothing is read or made before its first use."""
    state = State(folder)
    conversations = Conversations(state)
    return Keeping(state, conversations, Ballots(state, conversations))
