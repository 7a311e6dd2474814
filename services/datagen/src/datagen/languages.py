"""Which language a short reply is in: shares of scripts, and the little words of Latin ones.

Made for one question, "is this reply in the language of its style?", on texts of one sentence.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from contracts.style import Language

# Scripts that a chat may hold; one of the other European and Asian ones counts as foreign.
SCRIPTS: Mapping[str, re.Pattern[str]] = {
    "han": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002a6df]"),
    "kana": re.compile(r"[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]"),
    "hangul": re.compile(r"[\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e]"),
    "latin": re.compile(r"[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]"),
    "cyrillic": re.compile(r"[\u0400-\u052f]"),
    "greek": re.compile(r"[\u0370-\u03ff]"),
    "arabic": re.compile(r"[\u0620-\u064a\u066e-\u06d3]"),
    "hebrew": re.compile(r"[\u05d0-\u05ea]"),
    "devanagari": re.compile(r"[\u0904-\u0939]"),
    "thai": re.compile(r"[\u0e01-\u0e2e]"),
}
# Five letters of an alphabet say about as much as two Chinese characters.
WEIGHTS: Mapping[str, float] = {"latin": 0.4, "cyrillic": 0.4, "greek": 0.4}
# Chinese borrows a の now and then; Japanese has a kana for every other character at least.
JAPANESE_SHARE = 0.15
WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
# Fewer little words than this prove nothing of so short a text.
FEWEST_WORDS = 2


@cache
def little_words() -> Mapping[str, frozenset[str]]:
    """Return the commonest words of each language, English first (`little_words.yaml`)."""
    text = Path(__file__).with_name("little_words.yaml").read_text(encoding="utf-8")
    return {name: frozenset(words.split()) for name, words in yaml.safe_load(text).items()}


def script_counts(text: str) -> dict[str, float]:
    """Return how much of each script there is, in Chinese characters; those that occur."""
    counts = {name: len(pattern.findall(text)) for name, pattern in SCRIPTS.items()}
    return {name: WEIGHTS.get(name, 1.0) * count for name, count in counts.items() if count}


def language_share(text: str, language: Language) -> float:
    """Return the share of `text` that may be `language`, 0 to 1, by its letters.

    A text without letters (an emoji, a number) could be any language: 1.
    """
    counts = script_counts(text)
    letters = sum(counts.values())
    if not letters:
        return 1.0
    if language == "zh":
        return 0.0 if is_japanese(counts) else counts.get("han", 0) / letters
    if latin_language(text) not in ("en", ""):
        return 0.0
    return counts.get("latin", 0) / letters


def is_japanese(counts: Mapping[str, float]) -> bool:
    """Return whether these counts of scripts are those of Japanese."""
    kana, han = counts.get("kana", 0), counts.get("han", 0)
    return kana > 1 and kana / (kana + han) >= JAPANESE_SHARE


def latin_language(text: str) -> str:
    """Return the language whose little words `text` has most of; `` where it has too few."""
    words = [word.casefold().replace("’", "'") for word in WORDS.findall(text)]
    hits = {name: sum(word in known for word in words) for name, known in little_words().items()}
    best = max(hits, key=lambda name: hits[name])  # English first: it wins where equal
    return best if hits[best] >= FEWEST_WORDS else ""


def language_of(text: str) -> str:
    """Return a short name of the language: zh, en, ja, ko, ..., a script's name, or `other`."""
    counts = script_counts(text)
    if not counts:
        return "none"
    script = max(counts, key=lambda name: counts[name])
    if is_japanese(counts):
        return "ja"
    if script == "latin":
        return latin_language(text) or "latin"
    return {"han": "zh", "hangul": "ko"}.get(script, script)
