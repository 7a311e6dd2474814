"""Tests of what is looked for in any text."""

import sys
import unicodedata

import pytest

from datagen.text import (
    BROKEN,
    SUSPECT,
    broken_character,
    control_token,
    han_share,
    letters,
    strip_thinking,
)

# Every character there is, each on a line of its own so that none meets another.
EVERY = "\n".join(map(chr, (at for at in range(sys.maxunicode + 1) if at != 0x0A)))
TOKENS = [
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|vision_start|>",
    "<think>",
    "</think>",
    "<tool_call>",
    "</tool_response>",
    "</s>",
    "<pad>",
    "[INST]",
    "<<SYS>>",
    "<start_of_turn>",
    "<｜begin▁of▁sentence｜>",
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("template", ["{}", "a {} b", "你好{}", "{}\nx"])
def test_control_token_is_found_anywhere(token: str, template: str) -> None:
    """A control token is found at the start, in the middle and at the end."""
    assert control_token(template.format(token))


@pytest.mark.parametrize(
    "text", ["<|im_", "_start|>", "< |im_start| >", "<\u200b|im_end|>", "＜|im_end|＞", "<THINK>"]
)
def test_half_or_disguised_token_is_found(text: str) -> None:
    """Halves could be joined, and look-alikes normalised."""
    assert control_token(text)


@pytest.mark.parametrize(
    "text", ["I <3 you", "a | b", "1 < 2 > 0", "<b>", "哼！😤", "->", "x => y", "(>_<)", "|｡･ω･|"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    """Emoticons, comparisons and markup are no control tokens."""
    assert control_token(text) is None


def test_leading_thinking_block_is_removed() -> None:
    """Only a whole block before the reply is thinking; the rest stays to be refused."""
    assert strip_thinking("<think>\nhm\n</think>\n\nHello") == "Hello"
    assert strip_thinking("Hello <think>x</think>") == "Hello <think>x</think>"
    assert strip_thinking("<think>never closed") == "<think>never closed"


def test_letters_ignore_what_two_writers_do_differently() -> None:
    """Case, width, blanks and punctuation do not tell two texts apart."""
    assert letters("Ａb, C！ 你好。") == letters("abc你好")


def test_letters_are_what_unicode_calls_letters_and_digits() -> None:
    """Of every character there is, exactly the alphanumeric ones of its normal form stay."""
    normal = unicodedata.normalize("NFKC", EVERY).casefold()
    assert letters(EVERY) == "".join(filter(str.isalnum, normal))


def test_every_look_alike_of_a_control_tokens_first_character_is_suspect() -> None:
    """A text without any of them has no control token, before and after normalisation."""
    normal = unicodedata.normalize("NFKC", EVERY).split("\n")
    pairs = zip(EVERY.split("\n"), normal, strict=True)
    begins = {character for character, form in pairs if set(form) & set("<|[")}
    assert set(SUSPECT.findall(EVERY)) == begins


def test_control_surrogate_and_private_characters_are_broken() -> None:
    """By category, apart from tab and line ends; and the replacement character."""
    broken = {one for one in EVERY if unicodedata.category(one) in {"Cc", "Cs", "Co"}}
    assert set(BROKEN.findall(EVERY)) == (broken | {"\ufffd"}) - set("\n\t\r")
    assert (broken_character("好\x00好"), broken_character("好\n好")) == ("\x00", None)


def test_han_share_of_mixed_and_empty_text() -> None:
    """Letters decide; a text without any could be either."""
    assert han_share("你好ab") == 0.5
    assert han_share("你好") == 1.0
    assert han_share("hello") == 0.0
    assert han_share("😤 666") == 0.5
