"""How strong the feeling in a person's words is: an estimate from a lexicon, not a measurement.

Words of strong and of medium feeling, intensifiers and exclamation marks add up; words of relief
take away (`dialogue_words.yaml`, zh and en). It tells a shout from a sigh, which is all that the
course of a simulated dialogue needs. Its limits: it does not understand irony, quotation, a feeling
told without any word for it ("I have not left my room since"), or a negation that is not in the
list; a long text has more chances to hit than a short one; joy counts like grief. So the gates that
use it leave wide bands, and no figure of it is a statement about a real person.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from contracts.style import Language

Strength = Literal["strong", "medium", "intense", "calm"]
Voice = Literal["helper", "asker"]
# A scale of 0 to 5 on which one strong word, one intensifier and a shout are a clear 2.5.
WEIGHTS: Mapping[Strength, float] = {"strong": 1.5, "medium": 0.75, "intense": 0.5, "calm": -1.25}
MOST = 5.0
SHOUT = 0.5
# More exclamation marks, or words in capitals, than these say nothing more.
MOST_SHOUTS = 3
CAPITALS = re.compile(r"\b[A-Z]{3,}\b")


@cache
def words_file() -> Mapping[Language, Mapping[str, object]]:
    """Return the document with the words of both languages."""
    text = Path(__file__).with_name("dialogue_words.yaml").read_text(encoding="utf-8")
    found: Mapping[Language, Mapping[str, object]] = yaml.safe_load(text)
    return found


def joined(patterns: Sequence[str]) -> re.Pattern[str]:
    """Return one pattern that finds what any of `patterns` finds, whatever the case."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


@cache
def strength_pattern(language: Language, kind: Strength) -> re.Pattern[str]:
    """Return what finds the words of one kind of strength."""
    kinds = words_file()[language]["strength"]
    assert isinstance(kinds, dict)
    return joined(kinds[kind])


@cache
def voice_pattern(language: Language, voice: Voice) -> re.Pattern[str]:
    """Return what finds the voice of one who helps, or of one who asks for help."""
    patterns = words_file()[language][voice]
    assert isinstance(patterns, list)
    return joined(patterns)


def intensity(text: str, language: Language) -> float:
    """Return the estimated strength of the feeling in `text`, 0 (none) to 5, in steps of 0.25."""
    calm = strength_pattern(language, "calm")
    score = WEIGHTS["calm"] * different(calm, text)
    rest = calm.sub(" ", text)  # "not so afraid" is no fear
    for kind in ("strong", "medium", "intense"):
        pattern = strength_pattern(language, kind)
        score += WEIGHTS[kind] * different(pattern, rest)
        if kind == "strong":
            rest = pattern.sub(" ", rest)  # one word counts once
    shouts = sum(rest.count(mark) for mark in "!！") + len(CAPITALS.findall(rest))
    return max(0.0, min(MOST, score + SHOUT * min(shouts, MOST_SHOUTS)))


def different(pattern: re.Pattern[str], text: str) -> int:
    """Return how many different things `pattern` finds in `text`."""
    return len({found.group().casefold() for found in pattern.finditer(text)})
