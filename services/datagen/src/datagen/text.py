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


def control_token(text: str) -> str | None:
    """Return the first control token in `text`, also a disguised one, or None."""
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
    return "".join(character for character in normal if character.isalnum())


def han_share(text: str) -> float:
    """Return the share of Chinese characters among the Chinese and Latin letters, 0 to 1.

    A text without letters (an emoji, a number) could be either: 0.5.
    """
    han, latin = len(HAN.findall(text)), len(LATIN.findall(text))
    return han / (han + latin) if han + latin else 0.5
