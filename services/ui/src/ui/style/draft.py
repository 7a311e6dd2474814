"""The card that a person is working on; the browser keeps it over a reload (pure)."""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.style import Language, Style, StyleVersion
from ui.style.card_yaml import Document, UnreadableError, read_yaml, write_yaml

COPY_LIMIT = 56


class Draft(BaseModel):
    """A card as it was stored, and as it stands now.

    Attributes:
        id: of the stored card; empty for one that never was.
        version: that was opened; 0 for one that never was stored.
        archived: whether the library offers it no longer.
        saved: the stored card as text.
        text: the card as it stands now.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = ""
    version: int = 0
    archived: bool = False
    saved: str = ""
    text: str = ""

    @property
    def is_open(self) -> bool:
        """Whether there is a card at all."""
        return bool(self.text or self.saved)

    @property
    def dirty(self) -> bool:
        """Whether something would be lost without the text."""
        if self.text == self.saved:
            return False
        try:
            return read_yaml(self.text) != read_yaml(self.saved)
        except UnreadableError:
            return True

    def with_text(self, text: str) -> "Draft":
        """Return the draft with another text."""
        return self.model_copy(update={"text": text})

    def document(self) -> Document:
        """Return the card as it stands now. Raises UnreadableError."""
        return read_yaml(self.text)


NOTHING = Draft()


def read_draft(kept: Any) -> Draft:
    """Return the draft that a browser kept; an empty one for anything else."""
    try:
        return Draft.model_validate_json(str(kept or ""))
    except ValidationError:
        return NOTHING


def opened(version: StyleVersion, *, archived: bool = False) -> Draft:
    """Return the draft of a stored card, as yet unchanged."""
    text = card_text(version.style)
    return Draft(
        id=version.style.id, version=version.version, archived=archived, saved=text, text=text
    )


def card_text(style: Style) -> str:
    """Return a card as text."""
    return write_yaml(style.model_dump(mode="json"))


def blank(language: Language, taken: set[str]) -> Draft:
    """Return a new card whose words are still to be found."""
    text = write_yaml(empty(language) | {"id": free_id("my-style", taken)})
    return Draft(saved=text, text=text)


def completed(document: Document, taken: set[str]) -> Draft:
    """Return the draft of a card of another tool, with all our keys and an id that is free."""
    whole = empty(document.get("language", "en"))
    for key, value in document.items():
        parts = {"names", "description", "lexicon"}
        within = key in parts and isinstance(value, dict)
        whole[key] = whole[key] | value if within else value
    known = str(document.get("id") or "imported")[:COPY_LIMIT]
    return Draft(text=write_yaml(whole | {"id": free_id(known, taken)}))


def empty(language: Language) -> Document:
    """Return a card without words, in the order of its keys."""
    return {
        "schema_version": 1,
        "id": "",
        "language": language,
        "names": {"zh": "", "en": ""},
        "description": {"zh": "", "en": ""},
        "traits": [],
        "system_prompt": "",
        "lexicon": {"openers": [], "closers": [], "particles": [], "emoji": []},
        "avoid": [],
        "examples": [],
        "temperature": 0.8,
        "intensity": 0.8,
        "guardrails": [],
    }


def duplicate(draft: Draft, taken: set[str]) -> Draft:
    """Return a new card with the same words. Raises UnreadableError."""
    document = draft.document()
    known = str(document.get("id") or draft.id or "style")[:COPY_LIMIT]
    return Draft(text=write_yaml(document | {"id": free_id(f"{known}-copy", taken)}))


def free_id(wanted: str, taken: set[str]) -> str:
    """Return an id that nobody has: the wanted one, or with the first number that is free."""
    plain = re.sub(r"-copy(-copy|-\d+)+$", "-copy", wanted)
    numbers = (f"{plain}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (plain, *numbers) if name not in taken)
