"""Crisis: self-harm, suicide, abuse. Such a row gets a safe reply, never a style.

Signs, idioms that only sound alike, and the replies are data (`safety/<language>.toml`), shared by
who makes data and by the page, which shows helplines. This is a net with holes, not a diagnosis:
it finds what people say plainly.
"""

import re
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from contracts.model import Authored
from contracts.style import Language, Text

FOLDER = Path(__file__).parent / "safety"
Kind = Literal["suicide", "self_harm", "abuse"]
Pattern = Annotated[str, StringConstraints(min_length=2, max_length=1200)]
# The more urgent first: a text with signs of two kinds is answered as the first.
KINDS: tuple[Kind, ...] = ("suicide", "self_harm", "abuse")


# Every English sign is a word: a text without one of these letters, as most Chinese ones, has none.
ENGLISH = re.compile("[a-z]", re.IGNORECASE)


class SafetyFile(Authored):
    """`safety/<language>.toml`."""

    schema_version: Literal[1] = 1
    language: Language
    idioms: list[Pattern] = Field(min_length=1)
    signs: dict[Kind, list[Pattern]]
    incitement: list[Pattern] = Field(min_length=1)
    replies: dict[Kind, list[Text]]

    @field_validator("idioms", "incitement")
    @classmethod
    def patterns_compile(cls, patterns: list[str]) -> list[str]:
        """Raise ValueError for what is no regular expression."""
        for pattern in patterns:
            compiled([pattern])
        return patterns

    @field_validator("signs")
    @classmethod
    def signs_compile(cls, signs: dict[Kind, list[str]]) -> dict[Kind, list[str]]:
        """Raise ValueError where a kind has no signs, or one is no regular expression."""
        for kind in KINDS:
            compiled(signs.get(kind, []))
        return signs

    @field_validator("replies")
    @classmethod
    def every_kind_is_answered(cls, replies: dict[Kind, list[str]]) -> dict[Kind, list[str]]:
        """Raise ValueError where a kind has no reply."""
        if missing := [kind for kind in KINDS if not replies.get(kind)]:
            raise ValueError(f"no safe reply to {', '.join(missing)}")
        return replies


def compiled(patterns: Sequence[str]) -> re.Pattern[str]:
    """Return one pattern of all. Raises ValueError where there is none, or one is malformed."""
    if not patterns:
        raise ValueError("no pattern")
    try:
        return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error


@dataclass(frozen=True)
class Screen:
    """What tells a crisis in one language, and what is said then."""

    file: SafetyFile

    @cached_property
    def _idioms(self) -> re.Pattern[str]:
        return compiled(self.file.idioms)

    @cached_property
    def _incitement(self) -> re.Pattern[str]:
        return compiled(self.file.incitement)

    @cached_property
    def _signs(self) -> dict[Kind, re.Pattern[str]]:
        return {kind: compiled(self.file.signs[kind]) for kind in KINDS}

    def kind(self, text: str) -> Kind | None:
        """Return the kind of crisis that a person tells of in `text`, or None."""
        if self._is_foreign(text):
            return None
        plain = self._idioms.sub("\n", text)
        return next((kind for kind in KINDS if self._signs[kind].search(plain)), None)

    def incites(self, reply: str) -> str:
        """Return what in `reply` tells a person to harm themselves; empty where nothing does."""
        if self._is_foreign(reply):
            return ""
        found = self._incitement.search(self._idioms.sub("\n", reply))
        return found.group().strip() if found else ""

    def _is_foreign(self, text: str) -> bool:
        return self.file.language == "en" and not ENGLISH.search(text)

    def reply(self, kind: Kind, question: str) -> str:
        """Return a safe reply; the same question always gets the same one."""
        replies = self.file.replies[kind]
        return replies[zlib.crc32(question.encode("utf-8", "replace")) % len(replies)]

    def is_safe_reply(self, reply: str) -> bool:
        """Return whether `reply` is one of the safe ones."""
        return any(reply.strip() == known for known in self._replies)

    @cached_property
    def _replies(self) -> frozenset[str]:
        return frozenset(text for replies in self.file.replies.values() for text in replies)


def load_screens(folder: Path = FOLDER) -> dict[Language, Screen]:
    """Return the screens of `folder` by language. Raises ValueError that names the file."""
    found: dict[Language, Screen] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            file = SafetyFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise ValueError(f"{folder.name}/{path.name}: {error}") from error
        found[file.language] = Screen(file)
    return found


def crisis_of(
    screens: Mapping[Language, Screen], language: Language, texts: Sequence[str]
) -> Kind | None:
    """Return the most urgent kind of crisis that a person tells of in any of `texts`.

    Args:
        screens: by language.
        language: of the style; people also write in the other one, so both are looked at.
        texts: what the person says, the latest last.
    """
    ordered = [screens[language]] if language in screens else []
    ordered += [screen for name, screen in screens.items() if name != language]
    kinds = {kind for text in texts for screen in ordered if (kind := screen.kind(text))}
    return next((kind for kind in KINDS if kind in kinds), None)
