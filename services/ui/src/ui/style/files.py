"""A card as a file: out as YAML or JSON, in from our own and from other tools' files (pure)."""

import json
from html import escape

from contracts.studio import CardDraft, Unmapped
from ui.style.card_yaml import Document, UnreadableError, read_yaml, write_yaml
from ui.style.draft import Draft, card_text
from ui.style.source import Library
from ui.texts import Texts

# A card of ours has these; character cards and persona packs do not.
OURS = frozenset({"id", "names", "lexicon"})
LISTED = 12


def file_of(draft: Draft, kind: str) -> str:
    """Return name and content of the file, as JSON. Raises UnreadableError."""
    document = draft.document()
    name = str(document.get("id") or draft.id or "style")[:64]
    if kind == "json":
        text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        return json.dumps({"name": f"{name}.json", "type": "application/json", "text": text})
    return json.dumps({"name": f"{name}.yaml", "type": "application/yaml", "text": draft.text})


def own_card(content: bytes) -> Document | None:
    """Return the card in a file that this page wrote; None for every other file."""
    try:
        document = read_yaml(content.decode("utf-8-sig"))
    except (UnreadableError, UnicodeDecodeError):
        return None
    return document if document.keys() >= OURS else None


def draft_of(document: Document, library: Library) -> Draft:
    """Return the draft of a card from a file: a new one, or an edit of the one with its id."""
    text = write_yaml(document)
    known = library.find(str(document.get("id")))
    if known is None:
        return Draft(text=text)
    return Draft(
        id=known.style.id,
        version=known.version,
        archived=library.is_archived(known.style.id),
        saved=card_text(known.style),
        text=text,
    )


def imported_html(texts: Texts, draft: CardDraft) -> str:
    """Return what was read, what is to be filled in, and what has no place in a card."""
    source = texts(f"styles.source_{draft.source}")
    told = texts("styles.imported", source=source, number=len(draft.problems))
    return (
        f'<div class="ts-notice" role="status"><strong>{escape(told)}</strong>'
        + unmapped_html(texts, draft.unmapped)
        + "</div>"
    )


def unmapped_html(texts: Texts, parts: list[Unmapped]) -> str:
    """Return what a card has no place for."""
    if not parts:
        return ""
    rows = "".join(
        f"<li><code>{escape(part.field[:80])}</code> {escape(part.why[:200])}</li>"
        for part in parts[:LISTED]
    )
    title = texts("styles.unmapped", number=len(parts))
    return f"<details><summary>{escape(title)}</summary><ul>{rows}</ul></details>"
