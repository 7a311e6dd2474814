"""What one page shows of a kept conversation: the branch, where it forks, and the votes on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from contracts.sample import Message
from ui.kept.ballots import Value
from ui.kept.branches import Place, Said, path_to, places_on
from ui.kept.conversations import Setup
from ui.kept.keeping import Keeping

# A branch may be longer; the rest is in the export.
ROWS = 200
LIKE, DISLIKE = "Like", "Dislike"
NAMES: dict[Value, str | None] = {1: LIKE, 0: None, -1: DISLIKE}
Cast = tuple[Value, str | None]


@dataclass(frozen=True)
class Screen:
    """An open conversation; without an id, one that has not begun.

    Attributes:
        id: the conversation.
        title: its name in the list.
        setup: how it is asked.
        path: the branch that is shown, its newest ROWS messages.
        earlier: how many messages came before those.
        places: the messages of the path that stand for several.
        votes: on its replies, by message.
    """

    id: str = ""
    title: str = ""
    setup: Setup = field(default_factory=Setup)
    path: tuple[Said, ...] = ()
    earlier: int = 0
    places: tuple[Place, ...] = ()
    votes: Mapping[int, Cast] = field(default_factory=dict)

    @property
    def last_question(self) -> str:
        """What the person said last, or nothing."""
        return next((said.content for said in reversed(self.path) if said.role == "user"), "")

    @property
    def last_reply(self) -> Said | None:
        """The reply at the end, or None."""
        return self.path[-1] if self.path and self.path[-1].role == "assistant" else None


def read_screen(kept: Keeping, user: str, name: str) -> Screen:
    """Return a conversation as it is kept. Raises StoreError `unknown`."""
    found = kept.conversations.get(user, name)
    tree = kept.conversations.tree(user, name)
    path = path_to(tree, found.leaf)
    shown = path[-ROWS:]
    return Screen(
        id=found.id,
        title=found.title,
        setup=found.setup,
        path=tuple(shown),
        earlier=len(path) - len(shown),
        places=tuple(places_on(tree, shown)),
        votes=kept.ballots.votes(user, name),
    )


def messages_of(path: Sequence[Said]) -> list[Message]:
    """Return what was said as a model is sent it."""
    return [Message.model_validate({"role": said.role, "content": said.content}) for said in path]


def rows_of(path: Sequence[Said]) -> list[dict[str, str]]:
    """Return what was said as the chat component takes it."""
    return [{"role": said.role, "content": said.content} for said in path]


def feedback_of(screen: Screen) -> list[str | None]:
    """Return the votes on the replies of a path, in their order."""
    replies = [said for said in screen.path if said.role == "assistant"]
    return [NAMES[screen.votes.get(said.id, (0, None))[0]] for said in replies]
