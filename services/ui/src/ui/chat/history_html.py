"""The list of a person's conversations, as HTML (pure)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from ui.kept.conversations import Conversation
from ui.texts import Texts

# A date without its time of day.
DAY_LENGTH = 10


def list_html(
    texts: Texts, found: Sequence[Conversation], current: str, *, more: bool, search: str
) -> str:
    """Return the list.

    Args:
        texts: the words.
        found: what to list, the last used first.
        current: the one that is open.
        more: whether there are others below.
        search: what was looked for.
    """
    if not found:
        key = "history.none_found" if search.strip() else "history.empty"
        return f'<p class="ts-faint ts-chat-none">{escape(texts(key))}</p>'
    rows = "".join(row_html(texts, each, current) for each in found)
    button = (
        f'<button type="button" class="ts-chat-more" data-act="more" data-key="more">'
        f"{escape(texts('history.more'))}</button>"
    )
    label = escape(texts("history.list"))
    return f'<nav aria-label="{label}"><ul class="ts-talks">{rows}</ul>{button * more}</nav>'


def row_html(texts: Texts, each: Conversation, current: str) -> str:
    """Return one conversation: its title, and when it was last used."""
    here = ' aria-current="true"' if each.id == current else ""
    title = escape(each.title or texts("history.untitled"))
    return (
        f'<li><button type="button" data-act="open" data-key="{escape(each.id)}" '
        f'data-id="{escape(each.id)}" title="{title}"{here}><span>{title}</span>'
        f'<time datetime="{escape(each.updated)}">{escape(used(texts, each.updated))}</time>'
        "</button></li>"
    )


def used(texts: Texts, stamp: str, now: datetime | None = None) -> str:
    """Return how long ago a conversation was used, roughly; a date where it is long ago."""
    seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(stamp)).total_seconds()
    if seconds < 60:
        return texts("history.now")
    if seconds < 3600:
        return texts("history.minutes", count=int(seconds // 60))
    if seconds < 86_400:
        return texts("history.hours", count=int(seconds // 3600))
    if seconds < 7 * 86_400:
        return texts("history.days", count=int(seconds // 86_400))
    return stamp[:DAY_LENGTH]
