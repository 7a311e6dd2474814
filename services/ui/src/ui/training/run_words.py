"""The trainer's sentences in the reader's language (pure).

The trainer explains itself in English, each sentence made of a fixed text and a few values. The
English locale holds these texts under keys that begin with one of MARKS, so it is also the pattern
by which a sentence is recognised; the other locale says the same with the same values. A sentence
that is not known stays as it is. A test holds the texts against what the trainer really says.
"""

import re
from functools import cache

from ui.texts import Texts, texts_in

MARKS = ("run.said_", "advice.said_")
HOLE = re.compile(r"\\{(\w+)\\}")
LONGEST = 2000


def said(texts: Texts, sentence: str) -> str:
    """Return a sentence of the trainer in the reader's language."""
    if texts.language == "en" or len(sentence) > LONGEST:
        return sentence
    for key, pattern in patterns():
        if found := pattern.fullmatch(sentence):
            return texts(key, **found.groupdict())
    return sentence


@cache
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the known sentences: those with more words of their own are tried first."""
    known = [(key, text) for key, text in texts_in("en").table.items() if key.startswith(MARKS)]
    known.sort(key=lambda pair: -len(re.sub(r"\{\w+\}", "", pair[1])))
    return tuple((key, re.compile(pattern_of(text))) for key, text in known)


def pattern_of(text: str) -> str:
    """Return the pattern of a text whose placeholders stand for anything on one line."""
    return HOLE.sub(r"(?P<\1>.+?)", re.escape(text))
