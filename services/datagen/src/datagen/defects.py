"""What is wrong with a reply whatever its style: pure checks of one text.

`empty`, `broken` (replacement or control characters, template tokens), `unfinished` (no final
punctuation or emoji), `echo` (gives the question back), `repetition` (an 8-gram occurs twice).
"""

import re
import unicodedata
from collections.abc import Sequence

from contracts.style import Language

REPEATED_NGRAM = 8
# An echo gives back half of the question's windows, and they are a quarter of the reply. Advice may
# name its topic, and a long reply may quote the question: of 3,301 real replies one counts.
ECHO_WINDOW = 4
ECHO_SHARE = 0.5
COPIED_SHARE = 0.25
TEMPLATE_TOKEN = re.compile(r"<\|[^|<>]{0,40}\|>|</?think>|</?s>|\[/?INST\]|<(?:eos|bos|pad|unk)>")
FINAL_MARKS = frozenset("。！？…～~.!?♪♡」』”’\"')）】》*^")
# Joiner, variation selector and keycap end many emoji.
EMOJI_TAILS = frozenset("\u200d\ufe0f\u20e3")


def find_defects(reply: str, question: str, language: Language) -> list[str]:
    """Return the names of what is wrong with `reply`, in a fixed order."""
    if not reply.strip():
        return ["empty"]
    found = {
        "broken": is_broken(reply),
        "unfinished": not is_finished(reply),
        "echo": is_echo(reply, question, language),
        "repetition": repeats(reply, language),
    }
    return [name for name, wrong in found.items() if wrong]


def is_broken(reply: str) -> bool:
    """Return whether `reply` holds a character or a token that no person would write."""
    return bool(TEMPLATE_TOKEN.search(reply)) or any(
        character == "\ufffd" or is_control(character) for character in reply
    )


def is_control(character: str) -> bool:
    """Return whether `character` is a control character or a lone surrogate."""
    return character not in "\n\r\t" and unicodedata.category(character) in ("Cc", "Cs")


def is_finished(reply: str) -> bool:
    """Return whether `reply` ends as a sentence does: with a mark or an emoji."""
    last = reply.rstrip()[-1:]
    return last in FINAL_MARKS or is_emoji(last)


def is_emoji(character: str) -> bool:
    """Return whether `character` is, or ends, an emoji."""
    # By range too: the newest emoji are not yet in Python's Unicode tables.
    in_blocks = "\U0001f000" <= character <= "\U0001faff"
    return in_blocks or character in EMOJI_TAILS or unicodedata.category(character) in ("So", "Sk")


def is_echo(reply: str, question: str, language: Language) -> bool:
    """Return whether `reply` is, in good part, the question given back."""
    asked, said = units(question, language), units(reply, language)
    size = min(ECHO_WINDOW, len(asked))
    windows = ngrams(asked, size)
    if not windows:
        return False
    heard = ngrams(said, size)
    returned = len(set(windows) & set(heard)) / len(set(windows))
    copied = sum(window in set(windows) for window in heard) / max(1, len(heard))
    return returned >= ECHO_SHARE and copied >= COPIED_SHARE


def repeats(reply: str, language: Language) -> bool:
    """Return whether some 8 characters (Chinese) or 8 words (English) occur twice in a row."""
    windows = ngrams(units(reply, language), REPEATED_NGRAM)
    return len(set(windows)) < len(windows)


def units(text: str, language: Language) -> list[str]:
    """Return the characters (Chinese) or words (English) of `text`, without punctuation."""
    words = re.findall(r"\w+(?:['’]\w+)*", text.casefold())
    return words if language == "en" else list("".join(words))


def ngrams(parts: Sequence[str], size: int) -> list[tuple[str, ...]]:
    """Return every window of `size` parts; none where `size` is 0 or the text is shorter."""
    if size == 0:
        return []
    return [tuple(parts[place : place + size]) for place in range(len(parts) - size + 1)]
