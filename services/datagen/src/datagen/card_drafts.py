"""A draft of a style card from somebody else's file: what fits is taken, the rest is listed.

Nothing is invented: what the file does not say (names in the other language, openers) is left
empty and listed as a problem, for a person to fill in before the card is stored.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import ValidationError

from contracts.studio import CardDraft, Unmapped
from contracts.style import Language, Style
from datagen.cards import ALLOWED_CONTROLS
from datagen.text import control_token, han_share

Source = Literal[
    "character_card_v1", "character_card_v2", "character_card_v3", "persona_pack", "exchanges"
]
PHRASE, TEXT = 120, 2000
MOST = {"traits": 16, "openers": 64, "closers": 64, "particles": 64, "emoji": 64, "avoid": 32,
        "examples": 32, "guardrails": 16}  # fmt: skip
PEOPLE: dict[Language, str] = {"zh": "对方", "en": "the user"}
MACRO = re.compile(r"\{\{\s*(user|char)\s*\}\}|<(user|bot|char)>", re.IGNORECASE)
OTHER_MACRO = re.compile(r"\{\{[^{}]{0,200}\}\}")
# A full stop ends a sentence before a blank only: `3.5` and `e.g.x` go on.
SENTENCE_END = re.compile(r"(?<=[。！？!?…~])(?![。！？!?…~])|(?<=\.)\s+|\n+")
SEPARATORS = re.compile(r"[,，、;；\n]+")
NOT_IN_ID = re.compile(r"[^a-z0-9]+")


class Drafting:
    """Collects the parts of a draft, cleaned and cut to the card's limits.

    Args:
        name: of the character: replaces `{{char}}`.
        sample: text that shows in which language the card speaks.
    """

    def __init__(self, name: str, sample: str) -> None:
        self.language: Language = "zh" if han_share(sample) > 0.3 else "en"
        self.name = name
        self.unmapped: list[Unmapped] = []
        self.draft: dict[str, Any] = {}

    def leave(self, field: str, why: str) -> None:
        """List a part that the card does not hold."""
        plain = "".join(one if is_plain(one) else "?" for one in field[:200])
        self.unmapped.append(Unmapped(field=plain, why=why))

    def clean(self, field: str, text: str, most: int) -> str:
        """Return a text without macros and control characters, cut to `most` characters.

        A text with a control token of a chat template is left out altogether.
        """
        people = PEOPLE[self.language]
        text = MACRO.sub(lambda found: people if is_user(found) else self.name, text)
        if OTHER_MACRO.search(text):
            self.leave(field, "a macro was removed")
            text = OTHER_MACRO.sub("", text)
        text = "".join(one for one in text.replace("\r\n", "\n") if is_plain(one)).strip()
        if found := control_token(text):
            self.leave(field, f"left out: {found[:40]!r} is a control token of chat templates")
            return ""
        if len(text) > most:
            self.leave(field, f"cut from {len(text)} to {most} characters")
            text = text[:most].rstrip()
        return text

    def set(self, key: str, field: str, text: str, most: int = TEXT) -> None:
        """Put a text into the draft, if there is any."""
        if cleaned := self.clean(field, text, most):
            self.draft[key] = cleaned

    def phrases(self, kind: str, field: str, texts: Iterable[str]) -> list[str]:
        """Return distinct phrases, no more than a card may have."""
        found = dict.fromkeys(
            cleaned for text in texts if (cleaned := self.clean(field, text, PHRASE))
        )
        if len(found) > MOST[kind]:
            self.leave(field, f"only the first {MOST[kind]} of {len(found)} were taken")
        return list(found)[: MOST[kind]]

    def examples(self, field: str, pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
        """Return exchanges whose two texts are left after cleaning."""
        found = []
        for user, assistant in pairs:
            said = self.clean(field, user, TEXT), self.clean(field, assistant, TEXT)
            if all(said):
                found.append({"user": said[0], "assistant": said[1]})
        if len(found) > MOST["examples"]:
            self.leave(field, f"only the first {MOST['examples']} of {len(found)} were taken")
        return found[: MOST["examples"]]

    def lexicon(self, **kinds: list[str]) -> None:
        """Put words into the draft's lexicon; kinds without any are left out."""
        known = self.draft.setdefault("lexicon", {})
        known.update({kind: words for kind, words in kinds.items() if words})

    def localized(self, key: str, field: str, text: str) -> None:
        """Put a text into the draft in the card's own language; the other one is a problem."""
        if cleaned := self.clean(field, text, PHRASE):
            self.draft[key] = {self.language: cleaned}

    def finished(self, source: Source) -> CardDraft:
        """Return the draft with what a person must fill in."""
        document = {"schema_version": 1, "id": slug(self.name), "language": self.language}
        document |= self.draft
        try:
            Style.model_validate(document)
            problems: list[Unmapped] = []
        except ValidationError as error:
            problems = problems_of(error)
        return CardDraft(
            source=source,
            draft=document,
            complete=not problems,
            problems=problems,
            unmapped=self.unmapped,
        )


def is_user(found: re.Match[str]) -> bool:
    """Return whether a macro stands for the person who chats."""
    return (found[1] or found[2]).lower() == "user"


def is_plain(character: str) -> bool:
    """Return whether a character may be in a card."""
    return character in ALLOWED_CONTROLS or unicodedata.category(character) not in {
        "Cc",
        "Cs",
        "Co",
    }


def problems_of(error: ValidationError) -> list[Unmapped]:
    """Return what keeps a draft from being a card, each with its field."""
    return [
        Unmapped(
            field=".".join(map(str, entry["loc"])),
            why="the file does not say it: fill it in"
            if entry["type"] == "missing"
            else entry["msg"],
        )
        for entry in error.errors(include_url=False, include_input=False)
    ]


def slug(name: str) -> str:
    """Return an id made of a name: `Lady Ada` is `lady-ada`; a name in Chinese gives `imported`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return NOT_IN_ID.sub("-", plain).strip("-")[:48] or "imported"


def sentences(text: str) -> list[str]:
    """Return the sentences of a reply, without the actions between asterisks."""
    spoken = re.sub(r"\*[^*]{0,2000}\*", " ", text)
    return [part.strip() for part in SENTENCE_END.split(spoken) if part.strip()]


def first_sentence(text: str) -> str:
    """Return the first sentence of a greeting, or nothing."""
    return next(iter(sentences(text)), "")


def last_sentence(text: str) -> str:
    """Return the last sentence of a reply that has more than one, or nothing."""
    found = sentences(text)
    return found[-1] if len(found) > 1 else ""


def listed(value: Any) -> list[str]:
    """Return the texts of a list, or the parts of a text between commas; nothing else."""
    if isinstance(value, str):
        return [part.strip() for part in SEPARATORS.split(value) if part.strip()]
    if isinstance(value, list):
        return [one.strip() for one in value if isinstance(one, str) and one.strip()]
    return []
