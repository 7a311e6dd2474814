"""A style card: all that Tonesmith knows about one tone of voice."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contracts.model import Authored, Name

Language = Literal["zh", "en"]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Localized(Authored):
    """One text in both languages of the interface."""

    zh: Phrase
    en: Phrase


class Lexicon(Authored):
    """The words that carry the tone: the scripted teacher composes with them, a gate seeks them."""

    openers: list[Phrase] = Field(min_length=1, max_length=64)
    closers: list[Phrase] = Field(min_length=1, max_length=64)
    particles: list[Phrase] = Field(default=[], max_length=64)
    emoji: list[Phrase] = Field(default=[], max_length=64)


class Example(Authored):
    """One exchange that shows the tone."""

    user: Text
    assistant: Text


class Style(Authored):
    """A style card as its author writes it (YAML); `id` is its folder name on the volume."""

    schema_version: Literal[1] = 1
    id: Name
    language: Language
    names: Localized
    description: Localized
    traits: list[Phrase] = Field(min_length=1, max_length=16)
    system_prompt: Text
    lexicon: Lexicon
    avoid: list[Phrase] = Field(default=[], max_length=32)
    examples: list[Example] = Field(default=[], max_length=32)
    temperature: float = Field(default=0.8, ge=0, le=2)
    intensity: float = Field(default=0.8, ge=0, le=1)
    guardrails: list[Phrase] = Field(default=[], max_length=16)


class StyleVersion(Authored):
    """A stored card with its version (1, 2, ...); versions never change."""

    version: int = Field(ge=1)
    style: Style
