"""The texts of the pages: one data file for both languages, shown side by side and switched."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup, escape

FILE = Path(__file__).parent / "templates" / "words.yaml"
TAGS = {"zh": "zh-Hans", "en": "en"}


@dataclass(frozen=True)
class Label:
    """A name in both languages."""

    zh: str
    en: str

    def __html__(self) -> str:
        """Return both, each of which is hidden while the other language is shown."""
        return str(bilingual(escape(self.zh), escape(self.en)))


@cache
def words() -> dict[str, Label]:
    """Return every text by key. Raises ValueError where one lacks a language."""
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    found = {}
    for key, texts in content.items():
        if set(texts) != set(TAGS) or not all(isinstance(text, str) for text in texts.values()):
            raise ValueError(f"{FILE.name}: {key}: needs a text in zh and en")
        found[str(key)] = Label(texts["zh"], texts["en"])
    return found


def say(key: str, **values: Any) -> Markup:
    """Return a text in both languages, with values filled in; a Label in its own language.

    Raises KeyError for a text or a value that is missing.
    """
    label = words()[key]
    return bilingual(*(filled(getattr(label, name), name, values) for name in TAGS))


def bilingual(zh: Markup, en: Markup) -> Markup:
    """Return both texts as elements that the language switch shows and hides."""
    if zh == en and not re.search("[a-z\u4e00-\u9fff]{2}", zh):
        return zh  # figures and signs are the same in both
    both = zip(TAGS.items(), (zh, en), strict=True)
    return Markup("").join(
        Markup('<span class="{}" lang="{}">{}</span>').format(name, tag, text)
        for (name, tag), text in both
    )


def filled(text: str, language: str, values: dict[str, Any]) -> Markup:
    """Return one language's text with its values, escaped."""
    own = {
        name: getattr(value, language) if isinstance(value, Label) else value
        for name, value in values.items()
    }
    return Markup(escape(text)).format(**own)


def named(prefix: str, key: str) -> Label:
    """Return the text `prefix.key`, or the key itself where there is none."""
    return words().get(f"{prefix}.{key}", Label(key, key))


def joined(labels: list[Label]) -> Label:
    """Return names as one enumeration."""
    return Label("、".join(one.zh for one in labels), ", ".join(one.en for one in labels))
