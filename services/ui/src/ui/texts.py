"""The page's words in each language: `zh.json` holds what all tabs share, `zh/<tab>.json` the rest.

Every language has the same files with the same keys, and no key is in two of them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

from contracts.style import Language

FOLDER = Path(__file__).parent / "locales"
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "zh"


@dataclass(frozen=True)
class Texts:
    """The words in one language."""

    language: Language
    table: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of `key` with its placeholders filled. Raises KeyError."""
        return self.table[key].format(**values) if values else self.table[key]


@cache
def texts_in(language: Language) -> Texts:
    """Return the words in `language`."""
    table: dict[str, str] = {}
    for path in files_of(language):
        table |= json.loads(path.read_text(encoding="utf-8"))
    return Texts(language, table)


def files_of(language: Language) -> list[Path]:
    """Return the files that hold the words in `language`, the common one first."""
    return [FOLDER / f"{language}.json", *sorted((FOLDER / language).glob("*.json"))]


def as_language(value: object) -> Language | None:
    """Return `value` as a language that the page speaks, or None."""
    return next((language for language in LANGUAGES if language == value), None)


def accepted_language(header: str) -> Language:
    """Return the first language of an `Accept-Language` header that the page speaks."""
    for part in header.split(","):
        if language := as_language(part.strip()[:2].lower()):
            return language
    return DEFAULT


def texts_for(language: object) -> Texts:
    """Return the words in the language that the page says, else in the usual one."""
    return texts_in(as_language(language) or DEFAULT)
