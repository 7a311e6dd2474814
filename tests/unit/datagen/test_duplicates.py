"""Tests of the index of duplicates."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.duplicates import NEAR, DuplicateIndex, grams, similarity

TEXT = (
    "方案被退回来改了五遍，我气得直跺脚，接下来做什么好？哼，谁要特地帮你啊！"
    "先走开喝一杯凉水，再心平气和地跟同事谈一次啦。谢什么谢，快去啦！"
)


def test_same_letters_are_an_exact_duplicate_within_a_style() -> None:
    """Punctuation does not make another text; another style does."""
    index = DuplicateIndex()
    index.add("a", "Hello, world")
    assert index.is_duplicate("a", "hello world!")
    assert not index.is_duplicate("b", "hello world!")
    assert index.nearest("b", "hello world") == 0.0


def test_similar_pairs_are_found_and_others_are_not() -> None:
    """Of texts with a few letters changed, each one above the threshold is found."""
    chance = random.Random(5)
    index = DuplicateIndex()
    index.add("a", TEXT)
    checked = 0
    for _ in range(200):
        letters = list(TEXT)
        for _ in range(chance.randint(1, 6)):
            letters[chance.randrange(len(letters))] = chance.choice("的一是在不了")
        other = "".join(letters)
        real = similarity(grams(TEXT), grams(other))
        if real >= NEAR:
            checked += 1
            assert index.nearest("a", other) == real
    assert checked > 10
    assert index.nearest("a", "今天天气很好，我们一起去公园里慢慢走上两圈吧。") < 0.3


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_similarity_is_a_ratio_and_symmetric(one: str, other: str) -> None:
    """Any two texts have a similarity between 0 and 1, whichever comes first."""
    one, other = (text.encode("utf-8", "replace").decode() for text in (one, other))
    value = similarity(grams(one), grams(other))
    assert 0 <= value <= 1
    assert value == similarity(grams(other), grams(one))
    assert similarity(grams(one), grams(one)) == 1


def test_few_rows_share_a_band_when_texts_differ() -> None:
    """The index does not compare with every row: few rows share a band."""
    chance = random.Random(1)
    index = DuplicateIndex()
    for _ in range(600):
        text = "".join(chance.choices("春眠不觉晓处闻啼鸟夜来风雨声花落知多少", k=60))
        assert index.nearest("a", text) < NEAR
        index.add("a", text)
    assert max(map(len, index._bands.values())) < 60
