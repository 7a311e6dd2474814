"""What is said of a conversation below it: where it forks, what was corrected, what is missing.

Pure. Each fork has a picker, `2/3` between two arrows; `look/forks.js` lets them stand at the
messages that they are about.
"""

from html import escape

from ui.chat.screen import Screen
from ui.kept.branches import WHOLE, Place
from ui.texts import Texts

# So much of a text tells which one it is.
EXCERPT = 40


def below_html(texts: Texts, screen: Screen) -> str:
    """Return what is to be said of the conversation that is shown, or nothing."""
    return "".join(
        [
            earlier_html(texts, screen),
            forks_html(texts, screen),
            cut_html(texts, screen),
            corrections_html(texts, screen),
        ]
    )


def earlier_html(texts: Texts, screen: Screen) -> str:
    """Return that there is more than the page shows."""
    if not screen.earlier:
        return ""
    said = texts("history.earlier", shown=len(screen.path), count=screen.earlier)
    return f'<p class="ts-faint">{escape(said)}</p>'


def forks_html(texts: Texts, screen: Screen) -> str:
    """Return a picker for each message that stands for several."""
    rows = {said.id: row for row, said in enumerate(screen.path)}
    pickers = "".join(picker_html(texts, place, rows[place.message]) for place in screen.places)
    return f'<div class="ts-forks">{pickers}</div>' if pickers else ""


def picker_html(texts: Texts, place: Place, row: int) -> str:
    """Return the picker of the message in a row of the page."""
    name = texts(f"chat.fork_{place.role}", turn=row // 2 + 1)
    count = f"{place.number}/{place.count}"
    return (
        f'<span class="ts-fork" role="group" data-row="{row}" aria-label="{escape(name)}">'
        f"<b>{escape(name)}</b>"
        f"{step_html(texts, 'before', place, place.before)}"
        f"<span>{count}</span>"
        f"{step_html(texts, 'after', place, place.after)}</span>"
    )


def step_html(texts: Texts, way: str, place: Place, message: int | None) -> str:
    """Return the arrow to one side."""
    label = escape(texts(f"chat.fork_{way}"))
    sign = "‹" if way == "before" else "›"
    off = " disabled" if message is None else ""
    return (
        f'<button type="button" data-act="switch" data-id="{message or ""}" '
        f'data-key="{way}-{place.role}" aria-label="{label}"{off}>{sign}</button>'
    )


def cut_html(texts: Texts, screen: Screen) -> str:
    """Return that the last reply is not whole."""
    reply = screen.last_reply
    if reply is None or reply.state == WHOLE:
        return ""
    return f'<p class="ts-chat-cut" role="status">{escape(texts("chat.cut"))}</p>'


def corrections_html(texts: Texts, screen: Screen) -> str:
    """Return what the person wrote in place of replies, each with a way to change it."""
    corrected = [
        (said, correction)
        for said in screen.path
        if (correction := screen.votes.get(said.id, (0, None))[1])
    ]
    lines = "".join(
        f"<li><span>{escape(texts('chat.corrected', reply=excerpt(said.content)))}</span> "
        f"<q>{escape(correction)}</q> "
        f'<button type="button" data-act="correct" data-id="{said.id}" '
        f'data-key="correct-{said.id}">{escape(texts("chat.change"))}</button></li>'
        for said, correction in corrected
    )
    return f'<ul class="ts-corrected">{lines}</ul>' if lines else ""


def excerpt(text: str) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else line[: EXCERPT - 1] + "…"
