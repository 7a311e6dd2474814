"""Compose a styled reply from a card: what the scripted teacher says, pure and seeded."""

import random

from contracts.style import Language, Style


def plain_reply(advice: str, language: Language) -> str:
    """Return `advice` as one plain sentence: what a base model without a style says."""
    return f"{capital(advice)}{full_stop(language)}"


def styled_reply(style: Style, advice: str, chance: random.Random) -> str:
    """Return `advice` in the tone of `style`: opener, advice with particle, closer, emoji."""
    words = style.lexicon
    particle = chance.choice(words.particles) if words.particles else ""
    sentence = f"{capital(advice)}{particle}{full_stop(style.language)}"
    parts = [chance.choice(words.openers), sentence, chance.choice(words.closers)]
    if words.emoji:
        parts.append(chance.choice(words.emoji))
    return ("" if style.language == "zh" else " ").join(parts)


def capital(text: str) -> str:
    """Return `text` with its first letter as a capital (Chinese stays as it is)."""
    return text[:1].upper() + text[1:]


def full_stop(language: Language) -> str:
    """Return the full stop of `language`."""
    return "。" if language == "zh" else "."
