"""Tests of the index of duplicates."""

import random

from datagen.duplicates import NEAR, DuplicateIndex, Nearest
from datagen.shingles import shingle, similarity

TEXT = (
    "方案被退回来改了五遍，我气得直跺脚，接下来做什么好？哼，谁要特地帮你啊！"
    "先走开喝一杯凉水，再心平气和地跟同事谈一次啦。谢什么谢，快去啦！"
)


def changed(text: str, edits: int, chance: random.Random) -> str:
    """Return `text` with some characters replaced."""
    letters = list(text)
    for _ in range(edits):
        letters[chance.randrange(len(letters))] = chance.choice("的一是在不了")
    return "".join(letters)


def alike(one: str, other: str) -> float:
    """Return the exact similarity of two texts."""
    found = shingle([one, other])
    return similarity(found.of(0), found.of(1))


def test_same_letters_are_an_exact_duplicate_within_a_style() -> None:
    """Punctuation does not make another text; another style does."""
    index = DuplicateIndex()
    index.add("a", "Hello, world")
    assert index.is_duplicate("a", "hello world!")
    assert not index.is_duplicate("b", "hello world!")


def test_similar_texts_are_found_and_others_are_not() -> None:
    """Of texts with a few letters changed, each one above the threshold is found."""
    chance = random.Random(5)
    index = DuplicateIndex()
    index.add("a", TEXT)
    checked = 0
    for _ in range(200):
        other = changed(TEXT, chance.randint(1, 8), chance)
        real = alike(TEXT, other)
        if real >= NEAR:
            checked += 1
            assert index.nearest("a", other).within == real
    assert checked > 50
    assert index.nearest("a", "今天天气很好，我们一起去公园里慢慢走上两圈吧。") == Nearest()


def test_repetition_in_another_style_is_told_apart() -> None:
    """A style may not borrow another's row; the index names the style it is of."""
    index = DuplicateIndex()
    index.add("a", TEXT)
    found = index.nearest("b", TEXT + "！")
    assert (found.within, found.across, found.other) == (0.0, 1.0, "a")


def test_index_grows_past_its_first_block() -> None:
    """The first of a thousand texts is found as surely as the last."""
    chance = random.Random(7)
    texts = ["".join(chance.choices("春夏秋冬风花雪月山河湖海", k=60)) for _ in range(1000)]
    index = DuplicateIndex()
    for text in texts:
        index.add("a", text)
    for number in (0, 255, 256, 999):
        assert index.nearest("a", texts[number]).within == 1.0
