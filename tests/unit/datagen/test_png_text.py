"""Tests of the texts in a PNG: read without trusting a byte."""

import random
import struct
import zlib

import pytest

from datagen.png_text import MAX_BYTES, MAX_CHUNKS, MAX_TEXT, png_texts
from fakes.character_cards import ADA, chunk, png, text_chunk
from kit.errors import InvalidInputError, TonesmithError, TooLargeError


def test_texts_are_found_by_keyword_in_any_case() -> None:
    """tEXt, zTXt and iTXt; of one given twice the first."""
    packed = zlib.compress(b"packed")
    content = png(
        chunk(b"tEXt", b"Chara\0one"),
        chunk(b"tEXt", b"chara\0two"),
        chunk(b"zTXt", b"ztext\0\0" + packed),
        chunk(b"iTXt", b"plain\0\0\0en\0title\0words"),
        chunk(b"iTXt", b"deflated\0\1\0\0\0" + packed),
        chunk(b"tIME", b"1234567"),
    )
    assert png_texts(content) == {
        "chara": b"one", "ztext": b"packed", "plain": b"words", "deflated": b"packed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GIF89a", "signature"),
        (png()[:-3], "leads out of the file"),
        (png()[:-12], "ends before its last chunk"),
        (png(chunk(b"tEXt", b"no separator")), "no keyword"),
        (png(chunk(b"tEXt", b"\0text")), "no keyword"),
        (png(chunk(b"tEXt", b"k" * 80 + b"\0text")), "no keyword"),
        (png(chunk(b"zTXt", b"key\0\0garbage")), "cannot be unpacked"),
        (png(struct.pack(">I", 0xFFFFFFFF) + b"tEXt"), "leads out of the file"),
        (png(chunk(b"tEXt", b"a\0b")[:-1] + b"x"), "checksum"),
        (png(*[chunk(b"tEXt", b"a\0b")] * MAX_CHUNKS), "more than"),
    ],
)
def test_damaged_picture_is_a_clear_error(content: bytes, words: str) -> None:
    """Each damage by its name, with the way out where there is one."""
    with pytest.raises(InvalidInputError, match=words):
        png_texts(content)


def test_text_that_unpacks_without_end_is_refused() -> None:
    """A bomb of a few kilobytes never takes more memory than the limit."""
    bomb = zlib.compress(b"\0" * (MAX_TEXT * 4))
    assert len(bomb) < 64 << 10
    with pytest.raises(TooLargeError, match="over"):
        png_texts(png(chunk(b"zTXt", b"chara\0\0" + bomb)))


def test_large_picture_is_refused_unread() -> None:
    """The limit is on the file."""
    with pytest.raises(TooLargeError):
        png_texts(png() + b"\0" * MAX_BYTES)


@pytest.mark.parametrize("seed", range(30))
def test_any_damage_is_an_error_of_ours_or_none(seed: int) -> None:
    """Bytes changed, cut out or doubled at random: never another kind of failure."""
    chance = random.Random(seed)
    whole = png(text_chunk("chara", ADA))
    for _ in range(60):
        content = bytearray(whole)
        at = chance.randrange(len(content))
        kind = chance.randrange(3)
        if kind == 0:
            content[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del content[at : at + chance.randrange(1, 40)]
        else:
            content[at:at] = content[at : at + chance.randrange(1, 40)]
        try:
            found = png_texts(bytes(content))
        except TonesmithError:
            continue
        assert all(isinstance(text, bytes) for text in found.values())


def test_many_small_texts_may_not_unpack_to_more_than_one_large_one() -> None:
    """Eight megabytes of them would be eight gigabytes in memory."""
    packed = zlib.compress(bytes(MAX_TEXT // 4), 9)
    every = (chunk(b"zTXt", f"key{number}\0\0".encode() + packed) for number in range(5))
    with pytest.raises(TooLargeError, match="texts in the picture"):
        png_texts(png(*every))


def test_text_given_again_and_again_is_unpacked_once() -> None:
    """What is not kept takes no room."""
    packed = zlib.compress(bytes(MAX_TEXT // 2), 9)
    content = png(*[chunk(b"zTXt", b"key\0\0" + packed)] * 9)
    assert len(png_texts(content)["key"]) == MAX_TEXT // 2
