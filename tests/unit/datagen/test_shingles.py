"""Tests of texts as sets of hashed grams."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.shingles import (
    BANDS,
    GRAM,
    band_keys,
    grams,
    shingle,
    signature,
    signatures,
    similarity,
)
from datagen.text import letters

TEXTS = [
    "方案被退回来改了五遍，我气得直跺脚！",
    "先走开喝一杯凉水，再跟同事谈一次啦。",
    "Hmph, it is not as if I wanted to help.",
    "",
    "啦",
    "😤",
]


def gram_count(text: str) -> int:
    """Return the number of distinct grams of a text, counted the slow way."""
    plain = letters(text)
    return len({plain[at : at + GRAM] for at in range(max(1, len(plain) - GRAM + 1))})


def test_each_text_has_its_own_grams() -> None:
    """No gram spans two texts, none comes twice, and a short text has one."""
    found = shingle(TEXTS)
    assert len(found) == len(TEXTS)
    for number, text in enumerate(TEXTS):
        grams = found.of(number)
        assert grams.size == gram_count(text)
        assert (np.diff(grams.astype(np.int64)) > 0).all()


def test_texts_at_once_have_the_grams_of_each_alone() -> None:
    """What stands before a text does not change it."""
    found = shingle(TEXTS)
    for number, text in enumerate(TEXTS):
        assert (found.of(number) == shingle([text]).values).all()
        assert found.of(number).tolist() == grams(letters(text)).tolist()


def test_no_texts_have_no_grams() -> None:
    """An empty dataset is no error."""
    assert len(shingle([])) == 0
    assert signatures(shingle([])).shape[0] == 0


def test_signatures_at_once_are_those_of_each_alone() -> None:
    """The index and the batch agree, across the borders of a block too."""
    texts = [f"{text}{number}" for number in range(300) for text in TEXTS]
    found = shingle(texts)
    table = signatures(found)
    for number in (0, 1, 511, 512, 1023, 1024, len(texts) - 1):
        assert (table[number] == signature(found.of(number))).all()


def test_keys_differ_between_bands_and_agree_for_equal_texts() -> None:
    """A key tells its band, so that two bands never meet by chance."""
    keys = band_keys(signatures(shingle([TEXTS[0], TEXTS[0], TEXTS[1]])))
    assert (keys[0] == keys[1]).all()
    assert len(set(keys[0].tolist())) == BANDS
    assert not set(keys[0].tolist()) & set(keys[2].tolist())


def test_signatures_estimate_the_similarity() -> None:
    """Of 200 pairs the share of equal hashes is within four standard errors of the truth."""
    chance = random.Random(3)
    for _ in range(200):
        one = "".join(chance.choices("天地人你我他上下左右大小多少来去前后", k=80))
        at = chance.randrange(80)
        other = (
            one[:at] + "".join(chance.choices("日月山川风雨", k=chance.randint(1, 30))) + one[at:]
        )
        found = shingle([one, other])
        real = similarity(found.of(0), found.of(1))
        seen = float((signature(found.of(0)) == signature(found.of(1))).mean())
        assert seen == pytest.approx(real, abs=4 * 0.046)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_similarity_is_a_ratio_and_symmetric(one: str, other: str) -> None:
    """Any two texts have a similarity between 0 and 1, whichever comes first."""
    found = shingle([one, other])
    value = similarity(found.of(0), found.of(1))
    assert 0 <= value <= 1
    assert value == similarity(found.of(1), found.of(0))
    assert similarity(found.of(0), found.of(0)) == 1
