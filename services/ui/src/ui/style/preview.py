"""What the teacher answers in a style, as the page shows it (pure)."""

from html import escape

from contracts.studio import GateVerdict, StylePreview
from contracts.style import Style
from ui.chat.panel import emoji_of, name_of
from ui.texts import Texts


def waiting_html(texts: Texts, question: str, style: Style) -> str:
    """Return the exchange while the teacher writes."""
    told = f'<p class="ts-writing" role="status">{escape(texts("styles.writing"))}</p>'
    return exchange(question, told, style)


def preview_html(texts: Texts, question: str, found: StylePreview, style: Style) -> str:
    """Return the exchange, and what the gates say of it.

    Args:
        texts: the words.
        question: that was asked.
        found: the answer.
        style: as it was then.
    """
    reply = "<br>".join(escape(line) for line in found.reply.split("\n"))
    refused = [verdict for verdict in found.verdicts if not verdict.passed]
    rows = "".join(f"<li>{gate(texts, verdict)}</li>" for verdict in refused)
    passed = "accepted" if found.accepted else "refused"
    version = (
        texts("styles.preview_version", number=found.version)
        if found.version
        else texts("styles.preview_unsaved")
    )
    by = texts("styles.preview_by", teacher=found.teacher, name=name_of(texts, style))
    return (
        exchange(question, f"<p>{reply}</p>", style)
        + f'<div class="ts-gates ts-{passed}"><strong>{escape(texts(f"styles.{passed}"))}</strong>'
        + (f"<ul>{rows}</ul>" if rows else "")
        + f'</div><p class="ts-faint">{escape(by)} · {escape(version)}</p>'
    )


def exchange(question: str, reply: str, style: Style) -> str:
    """Return a question and a reply; the reply is HTML."""
    return (
        f'<div class="ts-exchange" lang="{style.language}">'
        f'<p class="ts-asked">{escape(question)}</p>'
        f'<div class="ts-said"><span class="ts-glyph" aria-hidden="true">'
        f"{escape(emoji_of(style))}</span><div>{reply}</div></div></div>"
    )


def gate(texts: Texts, verdict: GateVerdict) -> str:
    """Return what one gate holds against a reply, in our words where there are any."""
    name = texts.table.get(f"styles.reason_{verdict.reason}", verdict.gate)
    return f"<b>{escape(name)}</b> <span>{escape(verdict.detail[:200])}</span>"
