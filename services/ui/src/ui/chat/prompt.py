"""What a model is sent, as its manifest says that it was trained (pure).

Invariant: what is served is what was trained. The system prompt is the style's as the model's
manifest carries it, and only where the model's conditioning has one; the reader's own replaces it.
"""

from collections.abc import Iterable, Sequence

from contracts.dataset import Conditioning
from contracts.sample import Message
from contracts.style import Style

WITH_SYSTEM = frozenset({Conditioning.SYSTEM, Conditioning.BOTH})
WITH_PREFIX = frozenset({Conditioning.PREFIX, Conditioning.BOTH})


def system_prompt(style: Style | None, conditioning: Conditioning) -> str:
    """Return the system prompt in force, or nothing where the model was trained without."""
    return style.system_prompt if style and conditioning in WITH_SYSTEM else ""


def chat_messages(
    style: Style | None,
    conditioning: Conditioning,
    history: Sequence[Message],
    question: str,
    own: str = "",
) -> list[Message]:
    """Return the conversation to send: system prompt where there is one, history, question."""
    system = own or system_prompt(style, conditioning)
    first = [Message(role="system", content=system)] if system else []
    return [*first, *history, Message(role="user", content=question)]


def visible_reply(text: str, conditioning: Conditioning, styles: Iterable[Style]) -> str:
    """Return a reply without the style's name, which some models put on its first line."""
    if conditioning not in WITH_PREFIX:
        return text
    first, newline, rest = text.partition("\n")
    names = {name for style in styles for name in (style.id, style.names.zh, style.names.en)}
    named = first.strip(" []【】:：") in names
    return rest.lstrip("\n") if named and newline else text
