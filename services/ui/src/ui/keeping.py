"""What the page keeps of each person, in one place: conversations, and votes that wait."""

from dataclasses import dataclass
from pathlib import Path

from ui.ballots import Ballots
from ui.conversations import Conversations
from ui.state import State


@dataclass(frozen=True)
class Keeping:
    """The page's state, and what is in it."""

    state: State
    conversations: Conversations
    ballots: Ballots


def keeping(folder: Path) -> Keeping:
    """Return what is kept in a folder; nothing is read or made before its first use."""
    state = State(folder)
    conversations = Conversations(state)
    return Keeping(state, conversations, Ballots(state, conversations))
