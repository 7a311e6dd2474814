"""What is looked for in any text: control tokens, thinking blocks, scripts, normal form."""

import re
import unicodedata

# `<|...|>` in any spelling, also half of one: no chat needs it, and halves can be joined.
PIPES = re.compile(r"<\s*[|｜]|[|｜]\s*>")
NAMED = re.compile(
    r"</?\s*(?:think|thinking|tool_call|tool_response|tools|s|pad|unk|bos|eos|mask|sop|eop|"
    r"start_of_turn|end_of_turn|im_start|im_end|system|assistant)\s*/?>"
    r"|\[/?INST\]|<</?SYS>>",
    re.IGNORECASE,
)
THINKING = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)
INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u2060\ufeff"))
HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002a6df]")
LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
# What a control token begins with, and every character that NFKC turns into that.
SUSPECT = re.compile("[<|\\[\ufe47\ufe64\uff1c\uff3b\uff5c]")
# All but what `str.isalnum` says yes to.
NO_LETTERS = re.compile(r"[\W_]+")
# Of the categories Cc (without tab and line ends), Cs and Co, and the replacement character.
BROKEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\ufffd"
    "\U000f0000-\U000ffffd\U00100000-\U0010fffd]"
)


def control_token(text: str) -> str | None:
    """Return the first control token in `text`, also a disguised one, or None."""
    if not SUSPECT.search(text):
        return None
    for candidate in (text, unicodedata.normalize("NFKC", text.translate(INVISIBLE))):
        if found := PIPES.search(candidate) or NAMED.search(candidate):
            return found.group()
    return None


def strip_thinking(text: str) -> str:
    """Return `text` without the thinking block that some teachers put before their reply."""
    return THINKING.sub("", text)


def letters(text: str) -> str:
    """Return the letters and digits of `text`, casefolded: what two texts are compared by."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    return NO_LETTERS.sub("", normal)


def broken_character(text: str) -> str | None:
    """Return the first character of `text` that has no place in a chat, or None."""
    found = BROKEN.search(text)
    return found.group() if found else None


def han_share(text: str) -> float:
    """Return the share of Chinese characters among the Chinese and Latin letters, 0 to 1.

    A text without letters (an emoji, a number) could be either: 0.5.
    """
    han, latin = len(HAN.findall(text)), len(LATIN.findall(text))
    return han / (han + latin) if han + latin else 0.5
